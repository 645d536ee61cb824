// SPDX-License-Identifier: Apache-2.0
//! The leaves that are cells of Lattice ECP5: the same in every cycle as the block in Rust-HDL, with our own models of the cells.

#![allow(clippy::unwrap_used)]

use isa::Config;
use rand::RngExt;
use rtl::cube::Dot;
use rtl::emit::{Design, emit};
use rtl::prim::prelude::*;
use rtl::target::Target;
use std::collections::VecDeque;
use tb::{Cosim, seed};

/// The files of a design for ECP5, with the models of its cells; `leaves` names the modules that have to be other ones than the generic.
fn files(design: Design, leaves: &[&str]) -> Vec<(String, String)> {
    let generic = design.clone();
    let design = Target::Ecp5.apply(design);
    for leaf in leaves {
        assert_ne!(design.module(leaf).unwrap().text, generic.module(leaf).unwrap().text, "{leaf}");
    }
    let mut files = design.files();
    files.push(("cells.v".into(), fpga::cells::ECP5.into()));
    files
}

#[test]
fn both_multipliers_give_every_product() {
    for (kind, name) in [(MulKind::Block, "mul_block"), (MulKind::Row, "mul_row")] {
        let clock: tb::ClockPort<Mul> = ("clock", |uut, clk| uut.clock.next = clk);
        let mut both = Cosim::printed(Mul::new(kind), name, Some(clock), |design| files(design, &[name]));
        let mut inside = VecDeque::new();
        for (a, b) in (-256..256i64).flat_map(|a| (-256..256i64).map(move |b| (a, b))) {
            both.twin.uut.a.next = (a as u64 & 0x1ff).into();
            both.twin.uut.b.next = (b as u64 & 0x1ff).into();
            inside.push_back(a * b);
            both.edge();
            if inside.len() == 2 {
                assert_eq!(both.twin.uut.p.val().value(), inside.pop_front().unwrap(), "{kind:?}");
            }
        }
    }
}

#[test]
fn a_dot_product_of_both_kinds_is_the_generic_one() {
    let clock: tb::ClockPort<Dot> = ("clk", |uut, clk| uut.clk.next = clk);
    let leaves = ["mul_block", "mul_row"];
    let mut both = Cosim::printed(Dot::new(16, 9), "dot", Some(clock), |design| files(design, &leaves));
    let mut random = seed(61);
    for _ in 0..4_000 {
        for i in 0..16 {
            both.twin.uut.a[i].next = random.rng.random_range(0..512u64).into();
            both.twin.uut.b[i].next = random.rng.random_range(0..512u64).into();
        }
        both.edge();
    }
}

#[test]
fn the_target_changes_the_multipliers_and_nothing_else() {
    for config in [Config::tiny(), Config::lite()] {
        let generic = emit(&*rtl::top::core(&config).unwrap(), "quader").unwrap();
        assert_eq!(Target::Generic.apply(generic.clone()), generic);
        let ecp5 = Target::Ecp5.apply(generic.clone());
        let changed = generic.modules.iter().zip(&ecp5.modules).filter(|(old, new)| old != new);
        let names: Vec<&str> = changed.map(|(old, _)| old.name.as_str()).collect();
        assert_eq!(names, ["mul_block", "mul_row"], "{}", config.name);
        for (old, new) in generic.modules.iter().zip(&ecp5.modules) {
            assert_eq!((&old.name, &old.ports), (&new.name, &new.ports));
        }
    }
}
