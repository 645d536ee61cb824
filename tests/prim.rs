// SPDX-License-Identifier: Apache-2.0
//! Building blocks: each against a plain Rust reference and, in the same run, against its own Verilog.

use rand::RngExt;
use rtl::prim::prelude::*;
use std::collections::VecDeque;
use tb::{Cosim, seed};

#[test]
fn fifo_keeps_order_and_loses_nothing() {
    for depth in [2, 3, 8] {
        let mut both = Cosim::new(Fifo::<8>::new(depth, 2), "fifo", Some(("clk", |uut, clk| uut.clk.next = clk)));
        let mut random = seed(depth as u64);
        let mut model: VecDeque<(u64, u64)> = VecDeque::new();
        both.twin.uut.clear.next = true;
        both.edge();
        let (mut full, mut empty) = (0, 0);
        for cycle in 0..2_000 {
            let uut = &mut both.twin.uut;
            let clear = random.rng.random_range(0..300) == 0;
            // Phases of filling and of draining reach both ends.
            let push = random.rng.random_range(0..4) < if cycle / 50 % 2 == 0 { 3 } else { 1 };
            let pop = random.rng.random_range(0..4) < if cycle / 50 % 2 == 0 { 1 } else { 3 };
            let data = (random.rng.random_range(0..256u64), random.rng.random_range(0..256u64));
            uut.clear.next = clear;
            uut.in_valid.next = push;
            uut.out_ready.next = pop;
            uut.in_data[0].next = data.0.into();
            uut.in_data[1].next = data.1.into();
            both.compare();
            let uut = &both.twin.uut;
            assert_eq!(uut.in_ready.val(), model.len() < depth, "cycle {cycle}");
            assert_eq!(uut.out_valid.val(), !model.is_empty(), "cycle {cycle}");
            assert_eq!(uut.level.val(), model.len() as u64, "cycle {cycle}");
            if let Some(head) = model.front() {
                assert_eq!(
                    (uut.out_data[0].val(), uut.out_data[1].val()),
                    (bits(head.0), bits(head.1)),
                    "cycle {cycle}"
                );
            }
            full += usize::from(model.len() == depth);
            empty += usize::from(model.is_empty());
            let room = model.len() < depth;
            if pop {
                model.pop_front();
            }
            if push && room {
                model.push_back(data);
            }
            if clear {
                model.clear();
            }
            both.edge();
        }
        assert!(full > 50 && empty > 50, "both ends were reached: {full} {empty}");
    }
}

#[test]
fn skid_passes_one_word_a_cycle_and_stops_without_loss() {
    let mut both = Cosim::new(Skid::<8>::new(1), "skid", Some(("clk", |uut, clk| uut.clk.next = clk)));
    let mut random = seed(3);
    both.twin.uut.clear.next = true;
    both.edge();
    both.twin.uut.clear.next = false;
    let (mut sent, mut received) = (0u64, 0u64);
    for cycle in 0..3_000 {
        let stall = if cycle < 1_000 { 0 } else { 2 };
        let ready = random.rng.random_range(0..4) >= stall;
        both.twin.uut.out_ready.next = ready;
        both.twin.uut.in_valid.next = true;
        both.twin.uut.in_data[0].next = (sent & 0xff).into();
        both.compare();
        let uut = &both.twin.uut;
        if uut.out_valid.val() && ready {
            assert_eq!(uut.out_data[0].val(), received & 0xff, "cycle {cycle}");
            received += 1;
        }
        sent += u64::from(uut.in_ready.val());
        if cycle == 999 {
            assert_eq!((sent, received), (1_000, 999), "one word a cycle, one cycle of latency");
        }
        both.edge();
    }
    assert!(received > 1_800 && sent - received <= 2);
}

#[test]
fn arbiter_grants_one_and_starves_nobody() {
    for n in [2, 3, 5, 8] {
        let mut both = Cosim::new(Arbiter::new(n), "arbiter", Some(("clk", |uut, clk| uut.clk.next = clk)));
        let mut random = seed(n as u64);
        both.twin.uut.rst.next = true;
        both.edge();
        both.twin.uut.rst.next = false;
        let mut waiting = vec![0; n];
        for cycle in 0..1_000 {
            let accept = random.rng.random_range(0..3) > 0;
            both.twin.uut.accept.next = accept;
            let wants: Vec<bool> = (0..n).map(|i| waiting[i] > 0 || random.rng.random_range(0..3) == 0).collect();
            for (request, &want) in both.twin.uut.request.iter_mut().zip(&wants) {
                request.next = want;
            }
            both.compare();
            let uut = &both.twin.uut;
            let grants: Vec<usize> = (0..n).filter(|&i| uut.grant[i].val()).collect();
            assert_eq!(grants.len(), usize::from(wants.contains(&true)), "cycle {cycle}");
            assert!(grants.iter().all(|&i| wants[i]), "cycle {cycle}: only who asks gets");
            for i in 0..n {
                waiting[i] = match (wants[i], accept && grants.contains(&i)) {
                    (true, false) => waiting[i] + usize::from(accept) + usize::from(waiting[i] == 0),
                    _ => 0,
                };
                assert!(waiting[i] <= n + 1, "cycle {cycle}: requester {i} starves");
            }
            both.edge();
        }
    }
}

#[test]
fn memories_hold_what_was_written() {
    let mut masked = Cosim::new(Ram::<9>::masked(64, 4), "ram", Some(("clock", |uut, clk| uut.clock.next = clk)));
    let mut whole = Cosim::new(Ram::<9>::whole(64, 4), "ram", Some(("clock", |uut, clk| uut.clock.next = clk)));
    let mut table = Cosim::new(Lutram::<9>::new(16, 4), "lutram", Some(("clock", |uut, clk| uut.clock.next = clk)));
    let mut random = seed(4);
    let mut model = vec![[0u64; 4]; 64];
    let mut word = [0u64; 4];
    for cycle in 0..4_000 {
        let read = random.rng.random_range(0..64u64);
        // The word being written is nobody's to read in that cycle.
        let write = (read + random.rng.random_range(1..64u64)) % 64;
        let enable = random.rng.random_range(0..3) > 0;
        let lanes: [(bool, u64); 4] =
            std::array::from_fn(|_| (random.rng.random_range(0..2) == 0, random.rng.random_range(0..512)));
        masked.twin.uut.read_enable.next = enable;
        masked.twin.uut.read_address.next = read.into();
        masked.twin.uut.write_address.next = write.into();
        whole.twin.uut.read_enable.next = enable;
        whole.twin.uut.read_address.next = read.into();
        whole.twin.uut.write_address.next = write.into();
        whole.twin.uut.write_enable[0].next = lanes[0].0;
        table.twin.uut.read_address.next = (read % 16).into();
        table.twin.uut.write_address.next = (write % 16).into();
        table.twin.uut.write_enable.next = lanes[0].0;
        for (lane, (on, value)) in lanes.into_iter().enumerate() {
            masked.twin.uut.write_enable[lane].next = on;
            masked.twin.uut.write[lane].next = value.into();
            whole.twin.uut.write[lane].next = value.into();
            table.twin.uut.write[lane].next = value.into();
        }
        masked.edge();
        whole.edge();
        table.edge();
        if enable {
            word = model[read as usize];
        }
        for (lane, (on, value)) in lanes.into_iter().enumerate() {
            assert_eq!(masked.twin.uut.read[lane].val(), word[lane], "cycle {cycle} lane {lane}");
            if on {
                model[write as usize][lane] = value;
            }
        }
    }
}

#[test]
fn join_puts_lane_zero_lowest() {
    let mut both = Cosim::new(Join::<9, 72>::default(), "join8", None);
    for round in 0..64u64 {
        for (at, lane) in both.twin.uut.lane.iter_mut().enumerate() {
            lane.next = ((round * 37 + at as u64 * 101) & 0x1ff).into();
        }
        both.compare();
        for at in 0..8 {
            let lane: Bits<9> = both.twin.uut.word.val().get_bits(at * 9);
            assert_eq!(lane, (round * 37 + at as u64 * 101) & 0x1ff);
        }
    }
}

/// All 512 x 512 pairs of factors, `b` fastest, each -256 to 255.
fn all_factors() -> impl Iterator<Item = (i64, i64)> {
    (-256..256).flat_map(|a| (-256..256).map(move |b| (a, b)))
}

/// A signed number as the 9 bits of a port.
fn nine_bits(value: i64) -> u64 {
    (value as u64) & 0x1ff
}

#[test]
fn mul_gives_every_product_two_cycles_later() {
    for kind in [MulKind::Block, MulKind::Row] {
        let mut both = Cosim::new(Mul::new(kind), "mul", Some(("clock", |uut, clk| uut.clock.next = clk)));
        let mut expected = VecDeque::new();
        for (a, b) in all_factors() {
            both.twin.uut.a.next = nine_bits(a).into();
            both.twin.uut.b.next = nine_bits(b).into();
            expected.push_back((a, b));
            both.edge();
            if expected.len() == 2 {
                let (a, b) = expected.pop_front().expect("two pairs are inside");
                assert_eq!(both.twin.uut.p.val().value(), a * b, "{kind:?}: {a} * {b}");
            }
        }
    }
}

/// The row kind's Verilog adds and-rows of fixed widths; the same sums here show that no width cuts a value.
#[test]
fn mul_row_sums_fit_their_widths() {
    let fits = |value: i64, bits: u32| value >= -(1 << (bits - 1)) && value < (1 << (bits - 1));
    for (a, b) in all_factors() {
        let bit = |i: i64| (b >> i) & 1;
        let row: Vec<i64> = (0..9).map(|i| a * bit(i)).collect();
        let pair: Vec<i64> = (0..4).map(|i| row[2 * i] + 2 * row[2 * i + 1]).collect();
        let quad: Vec<i64> = (0..2).map(|i| pair[2 * i] + 4 * pair[2 * i + 1]).collect();
        let octet = quad[0] + 16 * quad[1];
        assert!(pair.iter().all(|&v| fits(v, 11)) && quad.iter().all(|&v| fits(v, 13)) && fits(octet, 17), "{a} * {b}");
        assert_eq!(octet - 256 * row[8], a * b, "{a} * {b}");
    }
}
