// SPDX-License-Identifier: Apache-2.0
//! The fault campaign: one program of every pipe, and everything that can go wrong with it, one thing at a time.
//!
//! An error at every beat, a soft reset in every cycle, every single-bit flip of its instructions. The whole memory is compared, bus
//! monitors watch every cycle, and after each run the core is put to work again. The full campaigns run with `--ignored`; a seeded
//! sample of each runs always.

#![allow(clippy::unwrap_used)]

mod machine;

use isa::Config;
use machine::campaign::{Class, Rig, words};
use rand::RngExt;
use rand::seq::SliceRandom;
use sim::memory::Access;
use sim::{MemoryConfig, Order, Resp};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

/// Threads of a full campaign.
const THREADS: usize = 2;

/// How the memory behaves: with stalls, cycles differ from run to run.
fn memories(config: &Config) -> [MemoryConfig; 4] {
    let ideal = MemoryConfig { seed: 3, ..MemoryConfig::ideal(config.bus_bytes) };
    let slow = MemoryConfig { latency: 40, ..ideal.clone() };
    let stalled = MemoryConfig { stall: 0.5, order: Order::Interleaved, jitter: 9, ..ideal.clone() };
    let both = MemoryConfig { stall: 0.3, order: Order::OutOfOrder, ..slow.clone() };
    [ideal, slow, stalled, both]
}

fn steady(memory: &MemoryConfig) -> bool {
    memory.stall == 0.0
}

/// A campaign: numbers `0..count`, or `sample` of them, on rigs of their own in each thread. How many ended how; panics at the end
/// with all that failed.
fn campaign(
    (what, config, memory): (&str, &Config, &MemoryConfig),
    count: impl Fn(&mut Rig) -> usize,
    sample: Option<usize>,
    run: impl Fn(&mut Rig, usize) -> Class + Sync,
) {
    let model = sim::core::model(config, false).unwrap_or_else(|error| panic!("{error}"));
    let seed = tb::seed(61);
    let rig = || Rig::new(&model, config, memory.clone(), seed.value);
    let count = count(&mut rig());
    let mut numbers: Vec<usize> = (0..count).collect();
    if let Some(sample) = sample {
        numbers.shuffle(&mut seed.rng.clone());
        numbers.truncate(sample);
    }
    let threads = if sample.is_some() { 1 } else { THREADS };
    let results: Vec<(usize, Option<Class>)> = thread::scope(|scope| {
        let (rig, run, numbers) = (&rig, &run, &numbers);
        let worker = |first: usize| {
            scope.spawn(move || {
                let mut own = rig();
                let mut results = vec![];
                for &number in numbers.iter().skip(first).step_by(threads) {
                    let class = catch_unwind(AssertUnwindSafe(|| run(&mut own, number))).ok();
                    if class.is_none() {
                        own = rig();
                    }
                    results.push((number, class));
                }
                results
            })
        };
        let workers: Vec<_> = (0..threads).map(worker).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let mut counts: BTreeMap<Class, usize> = BTreeMap::new();
    results.iter().filter_map(|(_, class)| *class).for_each(|class| *counts.entry(class).or_default() += 1);
    println!(
        "{what} on {}, latency {}, stall {}: {} of {count}: {counts:?}",
        config.name,
        memory.latency,
        memory.stall,
        numbers.len()
    );
    let failed: Vec<usize> = results.iter().filter(|(_, class)| class.is_none()).map(|(number, _)| *number).collect();
    assert!(failed.is_empty(), "{what}: {} failed: {failed:?}", failed.len());
}

/// Every single-bit flip of the program's instructions ends on the core as on the model.
fn flips(config: &Config, memory: &MemoryConfig, sample: Option<usize>) {
    let count = |rig: &mut Rig| 256 * rig.program.len();
    campaign(("flips", config, memory), count, sample, |rig, flip| {
        let (index, bit) = (flip / 256, flip % 256);
        let mut flipped = words(&rig.program);
        flipped[index][bit / 32] ^= 1 << (bit % 32);
        rig.compare(&flipped, &format!("bit {} of word {} of instruction {index}", bit % 32, bit / 32))
    });
}

/// An error at every beat, SLVERR and DECERR, is recorded as on the model; the core works again.
fn errors(config: &Config, memory: &MemoryConfig, sample: Option<usize>) {
    let model = sim::core::model(config, false).unwrap_or_else(|error| panic!("{error}"));
    let mut rig = Rig::new(&model, config, memory.clone(), 61);
    // With stalls beats of different bursts change places, so only words that are moved once can be named.
    let beats: Vec<_> = rig.beats().into_iter().filter(|beat| steady(memory) || beat.once).collect();
    let cycles = steady(memory).then(|| rig.run_clean("clean"));
    let reads = beats.iter().filter(|beat| beat.access == Access::Read).count();
    println!("{reads} beats read, {} written", beats.len() - reads);
    campaign(
        ("errors", config, memory),
        |_| 2 * beats.len(),
        sample,
        |rig, number| {
            let resp = if number % 2 == 0 { Resp::SlvErr } else { Resp::DecErr };
            rig.error(beats[number / 2], resp, cycles);
            Class::Fault
        },
    );
}

/// A soft reset in any cycle leaves the bus legal and the core as new.
fn resets(config: &Config, memory: &MemoryConfig, sample: Option<usize>) {
    let model = sim::core::model(config, false).unwrap_or_else(|error| panic!("{error}"));
    let length = Rig::new(&model, config, memory.clone(), 61).run_clean("clean");
    let cycles = steady(memory).then_some(length);
    campaign(
        ("resets", config, memory),
        |_| length as usize + 10,
        sample,
        |rig, at| {
            rig.reset_at(at as u64, None, cycles);
            Class::Done
        },
    );
}

/// As [`resets`], in a random cycle of a run with an error at a random beat: before, in and after the fault.
fn resets_and_errors(config: &Config, memory: &MemoryConfig, count: usize) {
    let model = sim::core::model(config, false).unwrap_or_else(|error| panic!("{error}"));
    let mut rig = Rig::new(&model, config, memory.clone(), 61);
    let beats = rig.beats();
    let length = rig.run_clean("clean");
    let mut rng = tb::seed(65).rng;
    let random: Vec<(u64, _)> =
        (0..count).map(|_| (rng.random_range(0..length), beats[rng.random_range(0..beats.len())])).collect();
    let cycles = steady(memory).then_some(length);
    campaign(
        ("resets and errors", config, memory),
        |_| count,
        None,
        |rig, number| {
            let (at, beat) = random[number];
            rig.reset_at(at, Some(beat), cycles);
            Class::Done
        },
    );
}

#[test]
fn some_flipped_bits_end_as_on_the_model() {
    let memories = memories(&Config::tiny());
    flips(&Config::tiny(), &memories[1], Some(300));
    flips(&Config::tiny(), &memories[2], Some(200));
    flips(&Config::lite(), &self::memories(&Config::lite())[3], Some(60));
}

#[test]
fn errors_at_some_beats_are_recorded_as_on_the_model() {
    let memories = memories(&Config::tiny());
    errors(&Config::tiny(), &memories[0], Some(80));
    errors(&Config::tiny(), &memories[1], Some(80));
    errors(&Config::tiny(), &memories[2], Some(80));
}

#[test]
fn a_soft_reset_in_some_cycles_leaves_the_core_as_new() {
    for memory in memories(&Config::tiny()) {
        resets(&Config::tiny(), &memory, Some(60));
        resets_and_errors(&Config::tiny(), &memory, 40);
    }
}

#[test]
fn refused_accesses_to_registers_change_nothing_while_the_program_runs() {
    let config = Config::tiny();
    let model = sim::core::model(&config, false).unwrap_or_else(|error| panic!("{error}"));
    let mut rng = tb::seed(64).rng;
    let mut rig = Rig::new(&model, &config, memories(&config)[0].clone(), 61);
    let cycles = rig.run_clean("clean");
    let refused: usize = (0..10).map(|_| rig.disturbed(&mut rng, cycles)).sum();
    println!("{refused} refused");
    assert!(refused > 1000, "{refused}");
}

#[test]
#[ignore = "minutes"]
fn every_flipped_bit_ends_as_on_the_model() {
    for memory in memories(&Config::tiny()).iter().skip(1).take(2) {
        flips(&Config::tiny(), memory, None);
    }
    flips(&Config::lite(), &memories(&Config::lite())[1], Some(1000));
}

#[test]
#[ignore = "minutes"]
fn an_error_at_every_beat_is_recorded_as_on_the_model() {
    for memory in &memories(&Config::tiny())[..3] {
        errors(&Config::tiny(), memory, None);
    }
    errors(&Config::lite(), &memories(&Config::lite())[1], None);
}

#[test]
#[ignore = "minutes"]
fn a_soft_reset_in_every_cycle_leaves_the_core_as_new() {
    for memory in memories(&Config::tiny()) {
        resets(&Config::tiny(), &memory, None);
        resets_and_errors(&Config::tiny(), &memory, 1500);
    }
    resets(&Config::lite(), &memories(&Config::lite())[0], Some(500));
}
