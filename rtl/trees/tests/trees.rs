// SPDX-License-Identifier: Apache-2.0
//! Random expressions mean the same in Rust and in the Verilog that the printer makes of them.

use rand::{Rng, RngExt};
use rtl::prim::prelude::*;
use tb::{Cosim, lint, seed};
use trees::{COUNT, Forest, SEED};

/// Kernels of this size, unoptimised, want more stack than a test thread has.
fn with_deep_stack(test: fn()) {
    let thread = std::thread::Builder::new().stack_size(1 << 28).spawn(test).expect("a thread starts");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn a_thousand_random_trees_agree_on_256_vectors_each() {
    with_deep_stack(compare);
}

fn compare() {
    println!("expressions from seed {SEED} (replay with QUADER_SEED={SEED})");
    const { assert!(COUNT >= 1_000) };
    let mut random = seed(SEED);
    let rng = &mut random.rng;
    let mut both = Cosim::new(Forest::default(), "forest", None);
    for _ in 0..256 {
        let uut = &mut both.twin.uut;
        // Corner values come up often: all zeros, all ones, the sign bit alone.
        let mut draw = |width: u32| -> u64 {
            let mask = u64::MAX >> (64 - width);
            match rng.random_range(0..6) {
                0 => [0, mask, 1 << (width - 1), mask >> 1][rng.random_range(0..4)],
                1 => rng.next_u64() & 7,
                _ => rng.next_u64() & mask,
            }
        };
        uut.a.next = draw(8).into();
        uut.b.next = draw(8).into();
        uut.c.next = draw(8).into();
        uut.d.next = draw(5).into();
        uut.e.next = draw(16).into();
        uut.f.next = draw(16).into();
        uut.g.next = draw(13).into();
        uut.h.next = draw(32).into();
        uut.k.next = draw(32).into();
        uut.m.next = draw(40).into();
        uut.n.next = draw(40).into();
        uut.p.next = draw(1) == 1;
        uut.q.next = draw(1) == 1;
        uut.r.next = draw(1) == 1;
        uut.s.next = Int::new(draw(8) as i64);
        uut.t.next = Int::new(draw(8) as i64);
        uut.u.next = Int::new(draw(12) as i64);
        uut.v.next = Int::new(draw(9) as i64);
        uut.sel.next = draw(3).into();
        for lane in &mut uut.lane {
            lane.next = draw(8).into();
        }
        both.compare();
    }
}

#[test]
fn random_trees_are_lint_clean() {
    with_deep_stack(check_lint);
}

fn check_lint() {
    let mut forest = Forest::default();
    forest.connect_all();
    let design = rtl::emit::emit(&forest, "forest").unwrap_or_else(|error| panic!("{error}"));
    // A random comparison may be constant (`x < y - y`), and the linter says so.
    let messages: Vec<_> = lint(&design).into_iter().filter(|message| !message.contains(" UNSIGNED: ")).collect();
    assert!(
        messages.is_empty(),
        "{} messages, first:\n{}",
        messages.len(),
        messages[..messages.len().min(10)].join("\n")
    );
}
