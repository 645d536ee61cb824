// SPDX-License-Identifier: Apache-2.0
//! What synthesis for ECP5 makes of control blocks is proved to be what stands in the Verilog, by induction over registers.

#![allow(clippy::unwrap_used)]

use fpga::Yosys;
use isa::Config;
use rtl::emit::emit;
use std::path::Path;

/// Blocks of `tiny` whose registers the induction finds again: the skid buffer, the burst splitter, a nest of loops, the steps of the cube, start,
/// halt and faults, and the check of an instruction. A block whose states Yosys encodes anew (arbiter) is not among them.
const BLOCKS: [&str; 6] = ["skid_1x8", "burst", "nest_25_24", "m_step", "control", "check"];

/// Yosys' own models of the cells.
const CELLS: &str = "+/lattice/cells_sim_ecp5.v";

/// Commands that prove that `change` leaves the block as it is.
fn proof(block: &str, change: &str) -> Vec<String> {
    let fixed = ["read_verilog *.v", &format!("hierarchy -top {block}"), "proc", "flatten"];
    let mut commands: Vec<String> = fixed.map(str::to_owned).into();
    // Tables of constants are memories to Yosys; the induction wants logic.
    commands.extend(["memory -nomap", "memory_map", "opt_clean"].map(str::to_owned));
    commands.push(format!("equiv_opt -assert -map {CELLS} {change}"));
    commands
}

#[test]
fn the_netlists_of_control_blocks_are_equivalent_to_their_verilog() {
    let yosys = Yosys::find().unwrap_or_else(|error| panic!("{error}"));
    let design = emit(&*rtl::top::core(&Config::tiny()).unwrap(), "quader").unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("netlist");
    design.write(&folder).unwrap();
    for block in BLOCKS {
        assert!(design.module(block).is_some(), "there is a {block}");
        let synthesis = format!("synth_ecp5 -no-rw-check -nowidelut -top {block}");
        let log = yosys.run_in(&folder, &proof(block, &synthesis)).unwrap_or_else(|error| panic!("{block}: {error}"));
        assert!(log.contains("Equivalence successfully proven!"), "{block}: {log}");
        // The registers and outputs that were compared, so that an empty proof is noticed.
        let compared =
            log.lines().find(|line| line.starts_with("Found ") && line.contains("unproven $equiv cells in module"));
        println!("{block}: {}", compared.expect("there is something to prove"));
    }
    // A netlist that is another one is not proved.
    let error = yosys.run_in(&folder, &proof("skid_1x8", "connect -set out_valid 1'b0")).unwrap_err().to_string();
    assert!(error.contains("unproven $equiv cells in 'equiv_status -assert'"), "{error}");
}
