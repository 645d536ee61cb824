// SPDX-License-Identifier: Apache-2.0
//! The whole core in Verilator: programs give the memory that `ndarray` computes, on every core, under stalls, from any power-up state.

#![allow(clippy::unwrap_used)]

#[path = "../model/tests/common/mod.rs"]
mod common;

use common::gemm::Gemm;
use common::{PROGRAM, place, rng};
use isa::{Cause, Config, FaultRecord, Inst, Pipe};
use model::{Run as ModelRun, SparseMemory};
use rand::{Rng, RngExt};
use sim::core::{Core, Ended, Run, model as build};
use sim::{GlobalMemory, MemoryConfig, Order, Poison, waves};
use tb::rounds;
use verilated::Reset;

/// The data of every case lies between these addresses.
const DATA: (u64, u64) = (0x1_0000, 0x6_0000);

/// A program with its memory before and after, as the reference has it.
struct Case {
    gemm: Gemm,
    program: Vec<Inst>,
    start: SparseMemory,
    expected: SparseMemory,
    run: Run,
}

fn case(rng: &mut impl Rng) -> Case {
    let gemm = Gemm::random(rng);
    let program = gemm.program();
    let mut start = SparseMemory::new(rng.next_u64());
    let bases = gemm.place(&mut start, ModelRun::new(0, 0)).bases;
    let placed = place(&program, &mut start);
    let mut expected = start.clone();
    gemm.expect(&mut expected);
    let run = Run {
        program: PROGRAM,
        length: placed.length,
        bases: bases.to_vec(),
        // Fetch reads ahead of the program's end by at most a bus word.
        windows: vec![(PROGRAM, PROGRAM + u64::from(placed.length) + 63, 4), (DATA.0, DATA.1 - 1, 3)],
        limit: 200_000,
    };
    Case { gemm, program, start, expected, run }
}

fn fill(gm: &mut GlobalMemory, case: &Case) {
    gm.write(DATA.0, &case.start.bytes(DATA.0, (DATA.1 - DATA.0) as usize));
    gm.write(PROGRAM, &case.start.bytes(PROGRAM, case.run.length as usize));
}

fn products(config: &Config, cases: usize, seed: u64) {
    waves::on_failure(&format!("core-{}", config.name), || run_products(config, cases, seed));
}

fn run_products(config: &Config, cases: usize, seed: u64) {
    let model = build(config, false).unwrap_or_else(|error| panic!("{error}"));
    let mut rng = rng(seed);
    for number in 0..cases {
        let case = case(&mut rng);
        let memory = MemoryConfig {
            latency: [1, 30, 100][number % 3],
            stall: [0.0, 0.5][number % 2],
            order: [Order::InOrder, Order::Interleaved][number / 2 % 2],
            seed: rng.next_u64(),
            ..MemoryConfig::ideal(config.bus_bytes)
        };
        let what = format!("case {number} on {}: {:?}\n{memory:?}", config.name, case.gemm);
        let gm = GlobalMemory::new(Poison::new(rng.next_u64()));
        let mut core = Core::with_model(&model, config, memory, gm, Reset::Random(rng.next_u32()))
            .unwrap_or_else(|e| panic!("{e}"));
        // Twice without a reset in between: the second run must find nothing of the first.
        for turn in 0..2 {
            fill(core.gm(), &case);
            let ended = core.run(&case.run).unwrap_or_else(|error| panic!("{what}\nturn {turn}: {error}"));
            assert_eq!(ended, Ended::Done, "{what}\nturn {turn}");
            let length = (DATA.1 - DATA.0) as usize;
            let (got, expected) = (core.gm().read(DATA.0, length), case.expected.bytes(DATA.0, length));
            if let Some(at) = (0..length).find(|&at| got[at] != expected[at]) {
                panic!("{what}\nturn {turn}: {:#x} holds {} instead of {}", DATA.0 + at as u64, got[at], expected[at]);
            }
            core.counters().unwrap_or_else(|error| panic!("{what}\nturn {turn}: {error}"));
        }
    }
}

#[test]
fn random_products_on_tiny_equal_ndarray() {
    products(&Config::tiny(), rounds(120), 11);
}

#[test]
fn random_products_on_lite_equal_ndarray() {
    products(&Config::lite(), rounds(120), 12);
}

#[test]
fn random_legal_cores_build_and_pass_products() {
    let mut rng = rng(15);
    for _ in 0..3 {
        let mut config = Config::random(|| rng.next_u64());
        // The products are made to fit tiny.
        let least = Config::tiny();
        config.l1_bytes = config.l1_bytes.max(least.l1_bytes);
        config.l0a_bytes = config.l0a_bytes.max(least.l0a_bytes);
        config.l0b_bytes = config.l0b_bytes.max(least.l0b_bytes);
        config.l0c_bytes = config.l0c_bytes.max(least.l0c_bytes);
        println!("{config:?}");
        products(&config, rounds(6), rng.next_u64());
    }
}

#[test]
fn random_products_on_max_equal_ndarray() {
    products(&Config::max(), rounds(20), 16);
}

#[test]
fn an_illegal_instruction_stops_the_core_and_a_soft_reset_revives_it() {
    let config = Config::tiny();
    let model = build(&config, false).unwrap_or_else(|error| panic!("{error}"));
    let mut rng = rng(13);
    let case = case(&mut rng);
    let gm = GlobalMemory::new(Poison::new(7));
    let memory = MemoryConfig::ideal(config.bus_bytes);
    let mut core = Core::with_model(&model, &config, memory, gm, Reset::Random(9)).unwrap();
    fill(core.gm(), &case);
    let broken = rng.random_range(0..case.program.len()) as u64;
    core.gm().write(PROGRAM + 32 * broken, &[0xEE]);
    let expected = FaultRecord { cause: Cause::IllegalOpcode, pipe: Pipe::S, pc: 32 * broken as u32, address: 0 };
    assert_eq!(core.run(&case.run).unwrap(), Ended::Fault(expected));
    fill(core.gm(), &case);
    assert_eq!(core.run(&case.run).unwrap(), Ended::Done);
    core.counters().unwrap();
}

#[test]
fn writes_outside_the_windows_never_reach_the_bus() {
    let config = Config::tiny();
    let model = build(&config, false).unwrap_or_else(|error| panic!("{error}"));
    let mut rng = rng(14);
    let mut case = case(&mut rng);
    // The results lie from 0x4_0000 on.
    case.run.windows[1].1 = 0x3_FFFF;
    let gm = GlobalMemory::new(Poison::new(7));
    let memory = MemoryConfig::ideal(config.bus_bytes);
    let mut core = Core::with_model(&model, &config, memory, gm, Reset::Zeros).unwrap();
    fill(core.gm(), &case);
    let Ended::Fault(fault) = core.run(&case.run).unwrap() else { panic!("the program ended") };
    assert_eq!(fault.cause, Cause::WindowWrite);
    let length = (DATA.1 - DATA.0) as usize;
    assert_eq!(core.gm().read(DATA.0, length), case.start.bytes(DATA.0, length), "nothing was written");
}
