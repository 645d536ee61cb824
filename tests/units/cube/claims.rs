// SPDX-License-Identifier: Apache-2.0
//! What the cube engine claims: values, full bits, order of writes, clears and flags, and exact cycles.

use super::bench::{Bench, Op, core, cores, random_program, seed};
use isa::{Cause, Config};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rtl::cube::{M, tree_depth};
use tb::Lockstep;

#[test]
fn one_mmad_takes_its_steps_plus_a_known_fill() {
    for config in cores() {
        let tree = tree_depth(config.k0);
        for (m, n, k) in [(1, 1, 1), (16, 16, 32), (17, 5, 33), (32, 20, 64)] {
            let mut bench = Bench::new(config.clone(), ChaCha8Rng::seed_from_u64(seed()));
            let op = bench.ready_op(m, n, k, 3);
            let mut tile = bench.blank();
            bench.push(&mut tile, op);
            bench.drain(10_000);
            bench.cycle();
            assert!(!bench.m.uut.active.val(), "nothing is left inside");
            let (steps, run) = (op.steps(&config), k.div_ceil(config.k0));
            assert_eq!(bench.cycles_with(|seen| seen.taken), [0]);
            assert_eq!(bench.cycles_with(|seen| seen.step), (2..2 + steps).collect::<Vec<_>>(), "one step per cycle");
            // Each k-run ends in one write, 5 + T cycles after its last step.
            let ends: Vec<usize> = (0..steps / run).map(|r| 2 + (r + 1) * run - 1 + 5 + tree).collect();
            assert_eq!(bench.cycles_with(|seen| seen.written.is_some()), ends);
            assert_eq!(bench.cycles_with(|seen| seen.done), [1 + steps + 6 + tree]);
            // The counters.
            assert_eq!(bench.cycles_with(|seen| seen.counted), (4..4 + steps).collect::<Vec<_>>());
            let useful: u64 = bench.log.iter().map(|seen| seen.useful).sum();
            assert_eq!(useful, (m * n * k) as u64, "useful products of {m} x {n} x {k}");
        }
    }
}

#[test]
fn instructions_follow_without_a_bubble() {
    for config in cores() {
        let mut bench = Bench::new(config.clone(), ChaCha8Rng::seed_from_u64(seed()));
        let mut tile = bench.blank();
        // k in whole blocks, so that every tile can lie anywhere in the same random operands.
        let operands = bench.ready_op(64, 64, 64, 0);
        let mut steps = 0;
        for (m, n, k, accumulate) in
            [(16, 16, 48, false), (16, 16, 48, true), (9, 20, 32, false), (16, 3, 64, true), (4, 4, 64, true)]
        {
            let op = Op { m, n, k, accumulate, c: 2, ..operands };
            steps += op.steps(&config);
            bench.push(&mut tile, op);
        }
        bench.drain(10_000);
        assert_eq!(
            bench.cycles_with(|seen| seen.step),
            (2..2 + steps).collect::<Vec<_>>(),
            "no bubble in {steps} steps"
        );
    }
}

#[test]
fn random_programs_give_the_plain_product() {
    let seed = seed();
    for (number, config) in cores().into_iter().enumerate() {
        let bench = random_program(config, 40, ChaCha8Rng::seed_from_u64(seed + number as u64), 40);
        assert!(bench.released > 5 && bench.read_back > 50, "{} releases, {} reads", bench.released, bench.read_back);
    }
}

#[test]
fn cube_is_the_same_in_verilog() {
    for config in crate::common::compared() {
        let lockstep = Lockstep::of(&config, "m").constant("stall_memory", "it reads no memory that can refuse");
        lockstep.with(
            |uut: &M| uut,
            || {
                random_program(config.clone(), 12, ChaCha8Rng::seed_from_u64(seed()), 40);
                faults_outside([config]);
            },
        );
        lockstep.finish();
    }
}

#[test]
fn the_largest_cube_gives_the_plain_product() {
    let config = Config { l0a_bytes: 8 << 10, l0b_bytes: 8 << 10, l0c_bytes: 16 << 10, ..Config::max() };
    let bench = random_program(config, 4, ChaCha8Rng::seed_from_u64(seed()), 48);
    assert!(bench.log.iter().any(|seen| seen.step));
}

/// K-runs of one step: reading C must wait for a write under way, and goes on from the accumulators where it can.
#[test]
fn accumulating_on_a_block_in_flight_gives_the_sum() {
    for config in cores() {
        let mut bench = Bench::new(config.clone(), ChaCha8Rng::seed_from_u64(seed()));
        let mut tile = bench.blank();
        // One or two blocks of C of one step each: the next instruction meets a block again after 2, 3, 4 .. steps.
        let two = bench.ready_op(config.m0, 2 * config.n0, config.k0, 0);
        for (number, c) in [0, 0, 0, 1, 0, 1, 0, 2, 0, 1, 2, 3, 0, 1, 1, 2, 2, 0].into_iter().enumerate() {
            let n = config.n0 * [2, 2, 1][number % 3];
            bench.push(&mut tile, Op { accumulate: true, n, c, ..two });
        }
        // L0C starts unknown: give it zeros through the port first.
        bench.shadow.iter_mut().for_each(|block| block.fill(0));
        for block in 0..bench.shadow.len() {
            bench.l0c.uut.write_valid.next = true;
            bench.l0c.uut.write_address.next = (block as u64).into();
            bench.l0c.edge();
        }
        bench.drain(10_000);
    }
}

/// `early` with the tile of the instruction before, whose writes are still under way: FIX must see none of them.
#[test]
fn early_clears_after_the_writes_before_it() {
    for config in cores() {
        let tree = tree_depth(config.k0);
        let mut bench = Bench::new(config.clone(), ChaCha8Rng::seed_from_u64(seed()));
        bench.contention = 1.0;
        let mut tile = bench.blank();
        let op = bench.ready_op(32, 32, 32, 1);
        bench.push(&mut tile, op);
        bench.push(&mut tile, Op { accumulate: true, early: true, ..op });
        bench.push(&mut tile, Op { c: 6, ..op });
        bench.drain(10_000);
        let steps = op.steps(&config);
        assert_eq!(bench.cycles_with(|seen| seen.step), (2..2 + 3 * steps).collect::<Vec<_>>(), "no bubble");
        // Two rows of fractals: the first clear with the first own write at the earliest.
        assert_eq!(bench.cycles_with(|seen| seen.early), [2 + steps + 5 + tree + 1]);
        assert_eq!(bench.read_back, (32 / config.m0) * (32 / config.n0));
        // On an idle cube the clears come at once.
        let start = bench.log.len();
        bench.push(&mut tile, Op { early: true, ..op });
        bench.drain(10_000);
        assert_eq!(bench.cycles_with(|seen| seen.early)[1], start + 3);
    }
}

#[test]
fn a_missing_block_stops_the_front_and_the_rest_drains() {
    for config in cores() {
        let mut bench = Bench::new(config.clone(), ChaCha8Rng::seed_from_u64(seed()));
        let mut tile = bench.blank();
        let op = bench.ready_op(16, 16, 32, 0);
        // The first block of the second half of A's rows.
        let (missing, _) = bench.a.place(op.a, op.k, 8, 0);
        bench.a.full[missing] = false;
        bench.push(&mut tile, op);
        for _ in 0..1_500 {
            bench.cycle();
        }
        let half = op.steps(&config) / 2;
        assert_eq!(bench.cycles_with(|seen| seen.step).len(), half);
        let writes = bench.cycles_with(|seen| seen.written.is_some()).len();
        assert_eq!(writes, half / 32usize.div_ceil(config.k0), "every k-run begun was finished");
        assert!(bench.m.uut.stall_block.val() && bench.m.uut.active.val() && !bench.m.uut.fault.val());
        bench.a.full[missing] = true;
        bench.drain(2_000);
        assert!(!bench.m.uut.stall_block.val());
    }
}

#[test]
fn a_block_outside_its_buffer_is_a_fault() {
    faults_outside(cores());
}

fn faults_outside(configs: impl IntoIterator<Item = Config>) {
    for config in configs {
        let (a, b, c) = (config.l0a_fractals(), config.l0b_fractals(), config.l0c_fractals());
        // First fractals, early set, and the fractal outside that is named.
        let cases = [
            ((a - 1, 0, 0), false, a),
            ((0, b - 1, 0), false, b),
            ((0, 0, c - 1), false, c),
            ((0, 0, c - 1), true, c),
            ((0xffff, 0, 0), false, 0xffff),
        ];
        for ((a, b, c), early, outside) in cases {
            let mut bench = Bench::new(config.clone(), ChaCha8Rng::seed_from_u64(seed()));
            bench.a.full.fill(true);
            bench.b.full.fill(true);
            bench.queue.push_back((Op { accumulate: false, early, m: 17, n: 18, k: 33, a, b, c }, 0x40));
            for _ in 0..400 {
                bench.cycle();
            }
            let m = &bench.m.uut;
            assert!(m.fault.val() && m.fault_cause.val() == u64::from(Cause::OutOfBuffer.code()));
            assert_eq!(m.fault_pc.val(), 0x40);
            let fractal = m.fault_address.val();
            assert_eq!(fractal, outside as u64, "{:?} early {early}", (a, b, c));
            assert!(!m.op_ready.val(), "a faulty engine takes nothing");
            let steps = bench.cycles_with(|seen| seen.step);
            bench.cycle();
            assert_eq!(bench.cycles_with(|seen| seen.step), steps, "it stays where it is");
            bench.m.uut.rst.next = true;
            bench.cycle();
            bench.m.uut.rst.next = false;
            bench.cycle();
            assert!(!bench.m.uut.fault.val() && bench.m.uut.op_ready.val() && !bench.m.uut.active.val());
        }
    }
}

#[test]
fn a_dtype_without_support_is_a_fault() {
    let mut bench = Bench::new(core(4, 4, 4), ChaCha8Rng::seed_from_u64(seed()));
    let op = bench.ready_op(4, 4, 4, 0);
    let mut words = op.words();
    words[2] |= 2 << 8;
    bench.m.uut.op_valid.next = true;
    for (port, word) in bench.m.uut.op_word.iter_mut().zip(words) {
        port.next = u64::from(word).into();
    }
    bench.m.uut.op_pc.next = 0x60u64.into();
    bench.m.edge();
    bench.m.uut.op_valid.next = false;
    bench.m.edge();
    let m = &bench.m.uut;
    assert!(m.fault.val() && m.fault_cause.val() == u64::from(Cause::Unsupported.code()) && m.fault_pc.val() == 0x60);
    assert!(!m.l0a_read_valid.val(), "nothing was computed");
}

#[test]
fn halt_starts_nothing_new() {
    let mut bench = Bench::new(core(4, 4, 4), ChaCha8Rng::seed_from_u64(seed()));
    let mut tile = bench.blank();
    let op = bench.ready_op(16, 16, 16, 0);
    for _ in 0..3 {
        bench.push(&mut tile, op);
    }
    for _ in 0..10 {
        bench.cycle();
    }
    bench.m.uut.halt.next = true;
    for _ in 0..300 {
        bench.cycle();
    }
    assert_eq!(bench.cycles_with(|seen| seen.done).len(), 1, "what runs is finished");
    assert_eq!(bench.cycles_with(|seen| seen.step).len(), op.steps(&bench.config));
    bench.m.uut.halt.next = false;
    bench.drain(1_000);
}
