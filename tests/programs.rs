// SPDX-License-Identifier: Apache-2.0
//! Random legal programs: the core in Verilator and the model leave the same memory and the same counts, whatever the bus does.
//!
//! Programs of [`tb::programs`] run in batches, each on one core from a random power-up state with one behaviour of the memory (stalls,
//! latency, order); within a batch nothing is reset, so a program also proves that the one before left nothing behind. At the end of
//! a batch all of L1 is stored and compared.

#![allow(clippy::unwrap_used)]

mod machine;

use isa::{Config, Inst, asm};
use machine::Machine;
use std::time::{Duration, Instant};
use tb::programs::{Coverage, prepare, program};
use tb::rounds;

/// Programs of a test, and of a batch: every behaviour of the memory meets at least five batches.
const PROGRAMS: usize = 1500;
const BATCH: usize = 25;
/// Programs on `max`, which simulates slowly.
const ON_MAX: usize = 50;

/// Runs random programs on a core of this configuration. Each test has its own seed, so that together they run different ones.
fn random_programs(config: &Config, seed: u64, programs: usize) {
    sim::waves::on_failure(&format!("programs-{}", config.name), || run_random_programs(config, seed, programs));
}

fn run_random_programs(config: &Config, seed: u64, programs: usize) {
    let model = sim::core::model(config, false).unwrap_or_else(|error| panic!("{error}"));
    let mut rng = tb::seed(seed).rng;
    let mut coverage = Coverage::new(config);
    let began = Instant::now();
    let (mut instructions, mut cycles, mut batches) = (0, 0, 0);
    let mut times = [Duration::ZERO; 2];
    while batches * BATCH < programs {
        let memory = machine::memory(config, batches, &mut rng);
        let mut machine = Machine::new(&model, config, memory, &mut rng);
        let memory = machine.memory.clone();
        machine.refill(&mut rng);
        let preparation = prepare(&machine.arena);
        cycles += machine.compare(&preparation, &|| text("preparation", &preparation));
        for number in batches * BATCH..programs.min((batches + 1) * BATCH) {
            let begin = Instant::now();
            let program = program(&mut rng, &machine.arena);
            if let Err(findings) = isa::check(&program, &Config::tiny()) {
                panic!("{}\n{}", findings[0], text(&format!("program {number}"), &program));
            }
            coverage.program(&program, &machine.arena);
            machine.refill(&mut rng);
            times[0] += begin.elapsed();
            let begin = Instant::now();
            let what = || text(&format!("program {number} on {}, {memory:?}", config.name), &program);
            cycles += machine.compare(&program, &what);
            times[1] += begin.elapsed();
            instructions += program.len();
        }
        let dump = dump(&machine);
        machine.refill(&mut rng);
        machine.compare(&dump, &|| format!("L1 after batch {batches} on {}", config.name));
        batches += 1;
    }
    println!(
        "{}: {programs} programs, {instructions} instructions, {batches} batches, {cycles} cycles, {:.1} s ({:.1} making, {:.1} running)\n{coverage}",
        config.name,
        began.elapsed().as_secs_f64(),
        times[0].as_secs_f64(),
        times[1].as_secs_f64()
    );
    let missing = coverage.missing();
    assert!(programs < PROGRAMS || missing.is_empty(), "never met by {programs} programs:\n{}", missing.join("\n"));
}

/// A program that stores the L1 of `tiny` to regions 8 to 15.
fn dump(machine: &Machine) -> Vec<Inst> {
    let stores: String = (0..8)
        .map(|part| {
            let (base, at) = (8 + part, 2048 * part);
            let offset = machine.arena.first + 4096 * base + 64 - machine.arena.bases[base as usize];
            format!("mte3.store gm=b{base}[{offset}] src=l1[{at}] rows=1 len_bytes=2048 gm_stride=0 src_stride=0\n")
        })
        .collect();
    asm::assemble(&format!("{stores}end\n"), "dump").unwrap_or_else(|errors| panic!("{}", errors[0])).program
}

fn text(what: &str, program: &[Inst]) -> String {
    format!("{what}\n{}", asm::disassemble(program).unwrap())
}

#[test]
fn random_programs_on_tiny_equal_the_model() {
    random_programs(&Config::tiny(), 21, rounds(PROGRAMS));
}

#[test]
fn random_programs_on_lite_equal_the_model() {
    random_programs(&Config::lite(), 22, rounds(PROGRAMS));
}

/// Runs a program on both cores after the preparation, in every behaviour of the memory; base 9 is region 9.
fn directed(text: &str) {
    let mut rng = tb::seed(24).rng;
    for config in [Config::tiny(), Config::lite()] {
        let model = sim::core::model(&config, false).unwrap_or_else(|error| panic!("{error}"));
        for number in 0..8 {
            let memory = machine::memory(&config, number, &mut rng);
            let mut machine = Machine::new(&model, &config, memory.clone(), &mut rng);
            machine.refill(&mut rng);
            machine.compare(&prepare(&machine.arena), &|| "preparation".to_owned());
            machine.run.bases[9] = machine.arena.first + 9 * tb::programs::Arena::REGION;
            machine.replace();
            let program = asm::assemble(text, "directed").unwrap_or_else(|errors| panic!("{}", errors[0])).program;
            assert_eq!(isa::check(&program, &config), Ok(()));
            machine.compare(&program, &|| format!("{text} on {}, {memory:?}", config.name));
        }
    }
}

#[test]
fn an_early_set_clears_behind_the_tiles_before_it() {
    // The first tile ends in the fractal where the second begins. Its last blocks must not look like those of the second.
    for turn in ["", " transpose"] {
        for (rows, k) in [(17, 3), (24, 3), (32, 32), (30, 9)] {
            directed(&format!(
                "mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=8 k=14 dtype=s8 set m.0
                 mte1.loadb dst=l0b[0] src=l1[512] panel_stride=1024 rows={rows} k={k} dtype=u8
                 mte1.loadb dst=l0b[1] src=l1[2048] panel_stride=512 rows=16 k=14 dtype=u8{turn} set m.1 early
                 m.mmad c=l0c[0] a=l0a[0] b=l0b[1] m=8 n=16 k=14 dtype_a=s8 dtype_b=u8 wait mte1.0 mte1.1 set fix.0 early
                 fix.store dst=b9[0] src=l0c[0] m=8 n=16 dst_stride=64 dtype_out=int32 wait m.0
                 end"
            ));
        }
    }
}

#[test]
fn an_early_set_of_loadfb_is_raised() {
    directed(
        "mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=8 k=14 dtype=s8
         mte1.loadfb field=bias src=l1[0x3080] channel=3 count=16 set m.3 early fix.1
         mte1.loadb dst=l0b[0] src=l1[512] panel_stride=512 rows=16 k=14 dtype=u8 set m.0
         m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=8 n=16 k=14 dtype_a=s8 dtype_b=u8 wait mte1.3 mte1.0 set fix.0 early
         fix.store dst=b9[0] src=l0c[0] m=8 n=16 dst_stride=64 dtype_out=int32 bias channel=3 wait m.0 mte1.1
         end",
    );
}

#[test]
fn random_programs_on_max_equal_the_model() {
    random_programs(&Config::max(), 23, rounds(PROGRAMS).min(ON_MAX));
}

#[test]
fn the_programs_of_a_seed_are_always_the_same() {
    let programs = || {
        let mut rng = tb::seed(5).rng;
        let arena = tb::programs::Arena::random(&mut rng, 1 << 36);
        (0..20).map(|_| program(&mut rng, &arena)).collect::<Vec<_>>()
    };
    assert_eq!(programs(), programs());
}
