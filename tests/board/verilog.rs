// SPDX-License-Identifier: Apache-2.0
//! The Verilog of the board tops: clean under Verilator's lint, accepted by Yosys.

use fpga::Yosys;
use fpga::board::{Board, Memory, SIMULATED_CELLS, Settings, design, pll};
use isa::Config;
use rtl::emit::Design;
use std::path::PathBuf;

fn designs() -> Vec<(String, Board, Design)> {
    [(Board::Ulx3s, Config::tiny()), (Board::Ulx3s, Config::lite()), (Board::Bare, Config::tiny())]
        .into_iter()
        .map(|(board, config)| {
            let design = design(board, &config, &Settings::of(board)).unwrap_or_else(|error| panic!("{error}"));
            (format!("{board:?}-{}", config.name), board, design)
        })
        .collect()
}

#[test]
fn every_board_is_lint_clean() {
    for (name, board, mut design) in designs() {
        if board == Board::Ulx3s {
            let twins = rtl::emit::Module {
                name: "cells".into(),
                text: format!(
                    "/* verilator lint_off DECLFILENAME */\n/* verilator lint_off UNUSEDPARAM */\n{SIMULATED_CELLS}"
                ),
                ports: vec![],
                instances: vec![],
            };
            design.modules.insert(0, twins);
        }
        let messages = tb::lint(&design);
        let shown = &messages[..messages.len().min(20)];
        assert!(messages.is_empty(), "{name}: {} messages\n{}", messages.len(), shown.join("\n"));
    }
}

#[test]
fn yosys_reads_every_board() {
    let yosys = Yosys::find().unwrap_or_else(|error| panic!("{error}"));
    for (name, board, design) in designs() {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("yosys-{name}"));
        design.write(&folder).unwrap();
        let files: Vec<String> =
            design.files().into_iter().map(|(file, _)| format!("\"{}\"", folder.join(file).display())).collect();
        let mut commands = vec![format!("read_verilog -nolatches {}", files.join(" "))];
        if board == Board::Ulx3s {
            // The vendor's cells, as Yosys knows them.
            commands.push("read_verilog -lib +/ecp5/cells_sim.v +/ecp5/cells_bb.v".into());
        }
        commands.extend([format!("hierarchy -check -top {}", design.top), "proc".into(), "check -assert".into()]);
        let log = yosys.run(&commands).unwrap_or_else(|error| panic!("{name}: {error}"));
        let warnings: Vec<&str> = log.lines().filter(|line| line.contains("Warning")).collect();
        assert!(warnings.is_empty(), "{name}: {}", warnings.join("\n"));
        assert!(log.contains("Found and reported 0 problems"), "{name}: {log}");
    }
}

#[test]
fn plls_make_the_clock_that_was_asked_for() {
    for mhz in [25, 40, 50, 60, 75, 80, 100] {
        let (input, feedback, output) = pll(mhz * 1_000_000).unwrap_or_else(|| panic!("{mhz} MHz"));
        assert_eq!(25 * feedback, mhz * input, "{mhz} MHz");
        let oscillator = mhz * output;
        assert!((400..=800).contains(&oscillator), "{mhz} MHz: the oscillator runs at {oscillator} MHz");
        assert!(25 / input >= 3, "{mhz} MHz");
    }
    assert_eq!(pll(33_333_333), None);
}

#[test]
fn settings_that_cannot_be_are_refused_with_a_sentence() {
    let refuse = |board, settings: Settings| design(board, &Config::tiny(), &settings).unwrap_err().to_string();
    let usual = Settings::of(Board::Bare);
    assert!(refuse(Board::Bare, Settings { baud: 4_000_000, ..usual }).contains("baud"));
    assert!(refuse(Board::Bare, Settings { memory: Memory::Block { bits: 30 }, ..usual }).contains("2^30 bytes"));
    assert!(refuse(Board::Bare, Settings { memory: Memory::Sdram, ..usual }).contains("SDRAM"));
    let usual = Settings::of(Board::Ulx3s);
    assert!(refuse(Board::Ulx3s, Settings { clock_hz: 33_333_333, ..usual }).contains("PLL"));
    assert!(refuse(Board::Ulx3s, Settings { clock_hz: 200_000_000, ..usual }).contains("SDRAM"));
}

#[test]
fn the_link_fits_beside_the_smallest_core() {
    let mut link = fpga::board::Link::<64, 8>::new(50, 50_000_000, 25);
    rtl::prim::prelude::Block::connect_all(&mut link);
    let design = rtl::emit::emit(&link, "link").unwrap_or_else(|error| panic!("{error}"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("link-area");
    design.write(&folder).unwrap();
    let files: Vec<String> =
        design.files().into_iter().map(|(file, _)| format!("\"{}\"", folder.join(file).display())).collect();
    let yosys = Yosys::find().unwrap_or_else(|error| panic!("{error}"));
    let commands =
        [format!("read_verilog {}", files.join(" ")), "synth_ecp5 -no-rw-check -top link".into(), "stat".into()];
    let log = yosys.run(&commands).unwrap_or_else(|error| panic!("{error}"));
    let counted = &log[log.rfind("Number of cells").or(log.rfind("cells")).expect("a count")..];
    let cells = |kind: &str| -> usize {
        let line = counted.lines().find(|line| line.split_whitespace().any(|word| word == kind));
        line.and_then(|line| line.split_whitespace().find_map(|word| word.parse().ok())).unwrap_or(0)
    };
    // A CCU2C is two look-up tables.
    let luts = cells("LUT4") + 2 * cells("CCU2C") + 4 * cells("TRELLIS_DPR16X4");
    println!("{luts} LUT4, {} registers, {} block RAM", cells("TRELLIS_FF"), cells("DP16KD"));
    assert!(luts > 100 && luts < 800, "{luts} LUT4\n{counted}");
    assert_eq!(cells("DP16KD"), 1);
}

#[test]
fn every_pin_of_ulx3s_has_its_place() {
    let settings = Settings::of(Board::Ulx3s);
    let design = design(Board::Ulx3s, &Config::tiny(), &settings).unwrap_or_else(|error| panic!("{error}"));
    let constraints = include_str!("../../constraints/ulx3s.lpf");
    let mut sites = vec![];
    for port in &design.module("ulx3s").unwrap().ports {
        let bits = (0..port.width).map(|bit| format!("{}[{bit}]", port.name));
        let names: Vec<String> = if port.width == 1 { vec![port.name.clone()] } else { bits.collect() };
        for name in names {
            let place = format!("LOCATE COMP \"{name}\" SITE \"");
            let line = constraints.lines().find(|line| line.starts_with(&place)).unwrap_or_else(|| panic!("{name}"));
            sites.push(line[place.len()..].trim_end_matches("\";").to_owned());
            assert!(constraints.contains(&format!("IOBUF PORT \"{name}\" ")), "{name}");
        }
    }
    assert_eq!(constraints.matches("LOCATE COMP").count(), sites.len(), "a place for a pin that is none");
    sites.sort();
    sites.dedup();
    assert_eq!(constraints.matches("LOCATE COMP").count(), sites.len(), "two pins at one place");
}
