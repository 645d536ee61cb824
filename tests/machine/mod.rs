// SPDX-License-Identifier: Apache-2.0
//! A simulated core and the model side by side, on the same GM contents.

#![allow(dead_code, clippy::unwrap_used)]

pub mod broken;
pub mod campaign;
pub mod defined;

use isa::csr::{RIGHT_EXECUTE, RIGHT_READ, RIGHT_WRITE};
use isa::{Config, Counter, Inst};
use model::{Counts, Memory, Outcome, SparseMemory, Window};
use rand::{Rng, RngExt};
use sim::core::{Core, Ended, Run};
use sim::{GlobalMemory, MemoryConfig, Poison};
use std::sync::Arc;
use tb::programs::Arena;
use verilated::{Model, Reset};

/// Where programs lie.
pub const PROGRAM: u64 = 0x80_0000;
/// Room for one.
const PROGRAM_BYTES: u64 = 64 << 10;
/// Where the arena begins: beyond 32 bits, in the middle of a page.
const FIRST: u64 = 0x12_3456_0680;
/// Bytes around the arena that are compared too; the windows end 64 bytes behind it.
const GUARD: usize = 4096;

/// Both machines.
pub struct Machine {
    pub core: Core,
    pub model: model::Core,
    pub gm: SparseMemory,
    pub arena: Arena,
    /// For the model; `Run` of the core has the same values.
    pub run: model::Run,
    pub memory: MemoryConfig,
    /// Bases and windows are in the core's registers.
    placed: bool,
}

impl Machine {
    /// Both machines on a random arena; the core powers up in a random state.
    pub fn new(model: &Arc<Model>, config: &Config, memory: MemoryConfig, rng: &mut impl Rng) -> Machine {
        let arena = Arena::random(rng, FIRST);
        let gm = GlobalMemory::new(Poison::new(rng.next_u64()));
        let core = Core::with_model(model, config, memory.clone(), gm, Reset::Random(rng.next_u32()));
        let mut run = model::Run::new(PROGRAM, 0);
        run.bases = arena.bases;
        run.windows[0] = Window { first: PROGRAM, last: PROGRAM + PROGRAM_BYTES - 1, rights: RIGHT_EXECUTE };
        let last = FIRST + Arena::BYTES as u64 + 63;
        run.windows[1] = Window { first: FIRST, last, rights: RIGHT_READ | RIGHT_WRITE };
        let mut machine = Machine {
            core: core.unwrap_or_else(|error| panic!("{error}")),
            model: model::Core::new(config.clone()).unwrap(),
            gm: SparseMemory::new(rng.next_u64()),
            arena,
            run,
            memory,
            placed: false,
        };
        let mut guards = vec![0; Arena::BYTES + 2 * GUARD];
        rng.fill_bytes(&mut guards);
        machine.write(FIRST - GUARD as u64, &guards);
        machine
    }

    /// Writes to both memories.
    pub fn write(&mut self, address: u64, bytes: &[u8]) {
        self.gm.write(address, bytes).unwrap();
        self.core.gm().write(address, bytes);
    }

    /// New random contents of the arena.
    pub fn refill(&mut self, rng: &mut impl Rng) {
        let contents = self.arena.contents(rng);
        self.write(self.arena.first, &contents);
    }

    /// Puts a program into both memories.
    pub fn place(&mut self, program: &[Inst]) {
        let bytes = isa::encode_program(program).unwrap();
        assert!(bytes.len() as u64 + 64 <= PROGRAM_BYTES, "{} instructions are too many", program.len());
        self.write(self.run.program, &bytes);
        self.run.length = bytes.len() as u32;
    }

    /// What the core has to be told; bases and windows stay in their registers from run to run.
    pub fn core_run(&mut self) -> Run {
        let first = !std::mem::replace(&mut self.placed, true);
        let window = |window: &Window| (window.first, window.last, window.rights);
        Run {
            program: self.run.program,
            length: self.run.length,
            bases: if first { self.run.bases.to_vec() } else { Vec::new() },
            windows: if first { self.run.windows.iter().map(window).collect() } else { Vec::new() },
            limit: 400_000,
        }
    }

    /// Bases or windows have changed.
    pub fn replace(&mut self) {
        self.placed = false;
    }

    /// Runs a program that ends well on both and compares memory and counters. `what` is only asked for if something differs.
    pub fn compare(&mut self, program: &[Inst], what: &dyn Fn() -> String) -> u64 {
        self.place(program);
        let counts = match self.model.run(&mut self.gm, &self.run) {
            Outcome::Done(counts) => counts,
            Outcome::Fault(fault) => panic!("the model says {fault}\n{}", what()),
        };
        let run = self.core_run();
        let ended = self.core.run(&run).unwrap_or_else(|error| panic!("{error}\n{}", what()));
        assert_eq!(ended, Ended::Done, "{}", what());
        self.compare_memory(what);
        self.compare_counters(&counts, what)
    }

    /// Compares the arena and what lies around it.
    pub fn compare_memory(&mut self, what: &dyn Fn() -> String) {
        let start = FIRST - GUARD as u64;
        let mut expected = vec![0; Arena::BYTES + 2 * GUARD];
        self.gm.read(start, &mut expected).unwrap();
        let got = self.core.gm().read(start, expected.len());
        if got == expected {
            return;
        }
        let differ: Vec<usize> = (0..got.len()).filter(|&at| got[at] != expected[at]).collect();
        let at = differ[0];
        let (address, offset) = (start + at as u64, at as i64 - GUARD as i64);
        panic!(
            "{address:#x}, byte {:#x} of region {}, holds {:#04x} instead of {:#04x}, as do {} others\n{}",
            offset.rem_euclid(Arena::REGION as i64),
            offset.div_euclid(Arena::REGION as i64),
            got[at],
            expected[at],
            differ.len() - 1,
            what()
        );
    }

    fn compare_counters(&mut self, counts: &Counts, what: &dyn Fn() -> String) -> u64 {
        let counters = self.core.counters().unwrap_or_else(|error| panic!("{error}\n{}", what()));
        for &(counter, value) in &counters {
            if let Some(expected) = counts.get(counter) {
                assert_eq!(value, expected, "{}\n{}", counter.name(), what());
            }
        }
        counters[Counter::TotalCycles.index()].1
    }
}

/// How the memory of batch or case `number` behaves: eight kinds in turn.
pub fn memory(config: &Config, number: usize, rng: &mut impl Rng) -> MemoryConfig {
    MemoryConfig {
        stall: [0.0, 0.5][number % 2],
        latency: [1, 100][number / 2 % 2],
        order: [sim::Order::InOrder, sim::Order::Interleaved][number / 4 % 2],
        seed: rng.random(),
        ..MemoryConfig::ideal(config.bus_bytes)
    }
}
