// SPDX-License-Identifier: Apache-2.0
//! The performance counters against sums of plain Rust, and their snapshot.

use crate::common::{Random, compared, prints_and_lints};
use isa::{Config, Counter};
use rtl::counters::Counters;
use rtl::twin::Twin;
use tb::Lockstep;

fn snapshot(twin: &mut Twin<Counters>) -> (Vec<u64>, u64) {
    twin.uut.snapshot.next = true;
    twin.edge();
    twin.uut.snapshot.next = false;
    twin.settle();
    let begin = twin.cycle;
    while !twin.uut.snapshot_done.val() {
        twin.edge();
        assert!(twin.cycle - begin < 70, "no snapshot");
    }
    twin.edge();
    let took = twin.cycle - begin;
    let read = |index: usize| {
        twin.uut.read_index.next = (index as u64).into();
        twin.settle();
        twin.uut.read_high.val().to_u64() << 32 | twin.uut.read_low.val().to_u64()
    };
    ((0..Counter::COUNT).map(read).collect(), took)
}

#[test]
fn counters_are_exact_and_a_snapshot_is_of_one_cycle() {
    exact_counters(&[Config::tiny(), Config::lite(), Config::max()]);
}

#[test]
fn counters_are_the_same_in_verilog() {
    for config in compared() {
        let lockstep = Lockstep::of(&config, "counters");
        lockstep.with(|uut: &Counters| uut, || exact_counters(&[config]));
        lockstep.finish();
    }
}

/// Random activity on the counters of each core against sums.
fn exact_counters(configs: &[Config]) {
    let mut random = Random::seeded(9);
    for config in configs {
        let mut twin = Twin::new(Counters::new(config), |uut, level| uut.clk.next = level);
        twin.uut.rst.next = true;
        twin.edge();
        twin.uut.rst.next = false;
        for length in [1usize, 31, 32, 33, 400, 3_000] {
            twin.uut.clear.next = true;
            twin.edge();
            twin.uut.clear.next = false;
            let mut wanted = vec![0u64; Counter::COUNT];
            let mut steps_left = 0u64;
            for cycle in 0..length + 200 {
                let running = cycle < length;
                let uut = &mut twin.uut;
                uut.running.next = running;
                uut.activity.iter_mut().for_each(|port| port.next = false);
                for pipe in 0..5 {
                    let class = random.below(5);
                    uut.activity[pipe * 5 + class].next = true;
                    wanted[1 + pipe * 5 + class] += u64::from(running);
                }
                wanted[0] += u64::from(running);
                let (read, written) = (random.below(65) as u64, 64 * random.below(2) as u64);
                uut.read_bytes.next = read.into();
                uut.written_bytes.next = written.into();
                // Mmads come back to back, none faster than its cube steps.
                let shape = [1 + random.below(20), 1 + random.below(20), 1 + random.below(300)];
                let shape = if random.chance(3) { [65_535, 1, 65_535] } else { shape };
                let begin = steps_left == 0 && running;
                uut.mmad_valid.next = begin;
                uut.mmad_m.next = (shape[0] as u64).into();
                uut.mmad_n.next = (shape[1] as u64).into();
                uut.mmad_k.next = (shape[2] as u64).into();
                if begin {
                    steps_left = config.cube_steps(shape[0], shape[1], shape[2]).min(40);
                    wanted[Counter::UsefulMacs.index()] += shape.iter().map(|size| *size as u64).product::<u64>();
                }
                uut.cube_step.next = steps_left > 0;
                if running {
                    wanted[Counter::BytesRead.index()] += read;
                    wanted[Counter::BytesWritten.index()] += written;
                    wanted[Counter::CubeSteps.index()] += u64::from(steps_left > 0);
                    wanted[Counter::ExecutedMacs.index()] += u64::from(steps_left > 0) * config.peak_macs() as u64;
                }
                steps_left = steps_left.saturating_sub(1);
                twin.edge();
                if cycle == 300 && running {
                    // In the middle: the five add up, although the snapshot takes many cycles.
                    let (counts, took) = snapshot_running(&mut twin);
                    assert!(took <= 66, "{took}");
                    let total = counts[0];
                    (0..5).for_each(|pipe| assert_eq!(counts[1 + pipe * 5..6 + pipe * 5].iter().sum::<u64>(), total));
                    assert!((301..301 + 70).contains(&total));
                    // Those cycles repeated the last one's inputs.
                    for pipe in 0..5 {
                        let class = (0..5).find(|class| twin.uut.activity[pipe * 5 + class].val()).expect("one");
                        wanted[1 + pipe * 5 + class] += took + 1;
                    }
                    wanted[0] += took + 1;
                    wanted[Counter::BytesRead.index()] += read * (took + 1);
                    wanted[Counter::BytesWritten.index()] += written * (took + 1);
                    let step = u64::from(twin.uut.cube_step.val());
                    wanted[Counter::CubeSteps.index()] += step * (took + 1);
                    wanted[Counter::ExecutedMacs.index()] += step * (took + 1) * config.peak_macs() as u64;
                }
            }
            let (got, _) = snapshot(&mut twin);
            for counter in Counter::all() {
                let index = counter.index();
                assert_eq!(got[index], wanted[index], "{} of {} after {length}", counter.name(), config.name);
            }
        }
    }
}

/// A snapshot while the counters run, without new mmads.
fn snapshot_running(twin: &mut Twin<Counters>) -> (Vec<u64>, u64) {
    twin.uut.mmad_valid.next = false;
    snapshot(twin)
}

/// The comparison can fail: the multiply-accumulates of a step differ.
#[test]
#[should_panic(expected = "in Rust and")]
fn counters_of_another_core_are_not_the_same_in_verilog() {
    let lockstep = Lockstep::of(&Config::tiny(), "counters");
    lockstep.with(|uut: &Counters| uut, || exact_counters(&[Config::lite()]));
}

#[test]
fn counters_print_and_lint() {
    for config in [Config::tiny(), Config::lite(), Config::max()] {
        prints_and_lints(&mut Counters::new(&config), &format!("counters_{}", config.name));
    }
}
