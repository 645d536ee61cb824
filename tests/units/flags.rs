// SPDX-License-Identifier: Apache-2.0
//! The flag counters against a model of tokens.

use crate::common::{Random, compared, prints_and_lints};
use isa::limits::FLAG_LIMIT;
use isa::{Flag, Pipe};
use rtl::flags::Flags;
use rtl::twin::Twin;
use tb::Lockstep;

/// Every flag: worker numbers of source and destination, id.
fn all() -> impl Iterator<Item = (usize, usize, usize)> {
    (0..5)
        .flat_map(|from| (0..5).flat_map(move |to| (0..8).map(move |id| (from, to, id))))
        .filter(|flag| flag.0 != flag.1)
}

/// Index of a flag in `raise_early`, if it may be early.
fn early((from, to, id): (usize, usize, usize)) -> Option<usize> {
    let flag = Flag { from: Pipe::WORKERS[from], to: Pipe::WORKERS[to], id: id as u8 };
    flag.may_be_early().then(|| (from - 1) * 8 + id)
}

fn twin() -> Twin<Flags> {
    let mut twin = Twin::new(Flags::default(), |uut, level| uut.clk.next = level);
    twin.uut.rst.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    twin
}

fn quiet(uut: &mut Flags) {
    uut.raise.iter_mut().chain(&mut uut.raise_early).chain(&mut uut.take).for_each(|port| port.next = false);
}

#[test]
fn counters_follow_the_tokens() {
    let mut random = Random::seeded(1);
    let mut twin = twin();
    let mut tokens = [[[0u8; 8]; 5]; 5];
    let (mut doubles, mut full) = (0, 0);
    for cycle in 0..3_000 {
        // Phases in which flags mostly fill, mostly drain, and stand near the limit.
        let (fill, drain) = [(30, 10), (10, 40), (50, 50), (5, 5)][cycle / 100 % 4];
        quiet(&mut twin.uut);
        let any_before = tokens.iter().flatten().flatten().any(|count| *count != 0);
        for flag in all() {
            let (from, to, id) = flag;
            let count = &mut tokens[from][to][id];
            assert_eq!(twin.uut.present[(to * 5 + from) * 8 + id].val(), *count != 0, "{flag:?} at {cycle}");
            let take = *count > 0 && random.chance(drain);
            let mut next = *count - u8::from(take);
            let raise = next < FLAG_LIMIT && random.chance(fill);
            next += u8::from(raise);
            twin.uut.take[(to * 5 + from) * 8 + id].next = take;
            twin.uut.raise[(from * 5 + to) * 8 + id].next = raise;
            if let Some(index) = early(flag) {
                let second = next < FLAG_LIMIT && random.chance(fill);
                next += u8::from(second);
                doubles += usize::from(raise && second);
                twin.uut.raise_early[index].next = second;
            }
            full += usize::from(next == FLAG_LIMIT);
            *count = next;
        }
        twin.edge();
        assert_eq!(twin.uut.any.val(), any_before);
        assert!(!twin.uut.fault.val(), "cycle {cycle}");
    }
    assert!(doubles > 100 && full > 1_000, "{doubles} {full}");
}

#[test]
fn the_sixteenth_raise_is_the_fault_of_the_pipe_that_raises() {
    for flag in all() {
        let (from, to, id) = flag;
        for with_early in [false, true] {
            let Some(index) = early(flag).or((!with_early).then_some(0)) else { continue };
            let mut twin = twin();
            quiet(&mut twin.uut);
            (0..5).for_each(|pipe| twin.uut.oldest_pc[pipe].next = (100 + pipe as u64).into());
            (0..2).for_each(|pipe| twin.uut.newest_pc[pipe].next = (200 + pipe as u64).into());
            let number = (from * 5 + to) * 8 + id;
            let rises = if with_early { 7 } else { 15 };
            for _ in 0..rises {
                twin.uut.raise[number].next = true;
                twin.uut.raise_early[index].next = with_early;
                twin.edge();
                assert!(!twin.uut.fault.val());
            }
            // At the limit, one in and one out is no fault.
            if !with_early {
                twin.uut.take[(to * 5 + from) * 8 + id].next = true;
                twin.edge();
                twin.uut.take[(to * 5 + from) * 8 + id].next = false;
                assert!(!twin.uut.fault.val());
            }
            twin.edge();
            twin.edge();
            assert!(twin.uut.fault.val(), "{flag:?} early {with_early}");
            assert_eq!(twin.uut.fault_pipe.val(), from as u64);
            let pc = if with_early { 200 + from as u64 - 1 } else { 100 + from as u64 };
            assert_eq!(twin.uut.fault_pc.val(), pc);
        }
    }
}

#[test]
fn reset_clears_every_counter_and_the_fault() {
    let mut twin = twin();
    twin.uut.raise.iter_mut().for_each(|port| port.next = true);
    for _ in 0..20 {
        twin.edge();
    }
    assert!(twin.uut.fault.val() && twin.uut.any.val());
    quiet(&mut twin.uut);
    twin.uut.rst.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    twin.edge();
    assert!(!twin.uut.fault.val() && !twin.uut.any.val() && !twin.uut.present.iter().any(|present| present.val()));
}

#[test]
fn flags_are_the_same_in_verilog() {
    for config in compared() {
        let mut lockstep = Lockstep::of(&config, "flags");
        for own in (0..5).flat_map(|pipe| (0..8).map(move |id| (pipe * 5 + pipe) * 8 + id)) {
            lockstep = lockstep.constant(format!("present_{own}"), "no pipe raises a flag for itself");
        }
        lockstep.with(
            |uut: &Flags| uut,
            || {
                counters_follow_the_tokens();
                the_sixteenth_raise_is_the_fault_of_the_pipe_that_raises();
                reset_clears_every_counter_and_the_fault();
            },
        );
        lockstep.finish();
    }
}

#[test]
fn flags_print_and_lint() {
    prints_and_lints(&mut Flags::default(), "flags");
}
