// SPDX-License-Identifier: Apache-2.0
//! Every unit of the core against a plain Rust reference, and the same values in Rust-HDL's own simulation and in Verilator.
//!
//! One file per unit, called as in `rtl/src`; all of them are one program, because each further one would link everything again.
//! `<unit>_is_the_same_in_verilog` runs the stimuli of its file in both simulations (`tb::Lockstep`): the units of a core are one model.

#[macro_use]
mod axi;
mod common;
mod control;
mod counters;
mod csr;
mod cube;
mod fb;
mod fix;
mod flags;
mod issue;
mod l0;
mod l0c;
mod l1;
mod mte1;
mod mte2;
mod mte3;
mod outer;
mod sequencer;
mod ub;

/// A unit that joins the core has to join the comparison, too.
#[test]
fn every_unit_of_the_core_is_compared_with_its_verilog() {
    let compared = [
        "csr",
        "control",
        "counters",
        "axi_read",
        "axi_write",
        "sequencer",
        "flags",
        "issue",
        "mte2",
        "l1",
        "mte1",
        "l0a",
        "l0b",
        "fb",
        "m",
        "l0c",
        "fix",
        "write_stream",
        "mte3",
    ];
    let [tiny, lite] = common::compared();
    assert_eq!(tb::unit_names(&tiny), compared, "{}", tiny.name);
    let mut with_ub = compared.to_vec();
    with_ub.insert(10, "ub");
    assert_eq!(tb::unit_names(&lite), with_ub, "{}", lite.name);
}
