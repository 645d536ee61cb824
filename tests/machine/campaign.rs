// SPDX-License-Identifier: Apache-2.0
//! The rig of the fault campaign: one core and the model on one program, put back to the same state before every run.
//!
//! ```text
//!  pages FIRST ..:  | guard | sources R | guard | results W | guard | scratch RW | guard | fill R | guard |
//! ```
//! All of these pages, and those of the program, are written before; a page that appears later, or a byte that changes outside the
//! windows, is a write where none may be. Windows begin and end in the middle of pages.

use super::broken::Broken;
use super::defined::{decoded, is_undefined, resolved};
use isa::csr::{
    CONTEXT_PAGE, IRQ_DONE, IRQ_FAULT, RIGHT_EXECUTE, RIGHT_READ, RIGHT_WRITE, Status, context, context_address,
};
use isa::effects::{Buffer, effects};
use isa::{Config, Counter, Inst, Instruction, asm};
use model::{Memory, Outcome, SparseMemory, Window};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sim::core::{Core, Ended, Run};
use sim::memory::{Access, Hit};
use sim::{GlobalMemory, Injection, MemoryConfig, Poison, Resp};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use verilated::{Model, Port, Reset};

/// The program of the campaign.
pub const TEXT: &str = include_str!("campaign.qasm");

/// Where it lies, and the program that fills L1.
const PROGRAM: u64 = 0x80_0000;
const FILLER: u64 = PROGRAM + 0x2000;
/// The pages of the data, beyond 32 bits.
const FIRST: u64 = 0x12_3456_0000;
const BYTES: usize = 0x1_0000;
/// Windows of the data, counted from `FIRST`.
const SOURCES: Range<u64> = 0x1440..0x2A80;
const RESULTS: Range<u64> = 0x4280..0x5680;
const SCRATCH: Range<u64> = 0x7300..0x7480;
const FILL: Range<u64> = 0x9100..0xD100;
/// Cycles after which the watchdog ends a run, and after which the test gives up.
const WATCHDOG: u32 = 500;
const LIMIT: u64 = 6_000_000;

/// How a run of both machines went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Both reached END with the same memory.
    Done,
    /// Both recorded the same fault.
    Fault,
    /// The program is no defined one: only bus, windows and an end are checked.
    Undefined,
}

/// A beat of the program's traffic.
#[derive(Clone, Copy, Debug)]
pub struct Beat {
    pub access: Access,
    /// Its number in this direction.
    pub number: u64,
    /// The bus word.
    pub word: u64,
    /// How often this direction has moved the word before.
    pub passes: usize,
    /// The word is moved once.
    pub once: bool,
}

/// Both machines, and what they start from.
pub struct Rig {
    pub core: Core,
    pub config: Config,
    pub program: Vec<Inst>,
    model: model::Core,
    run: model::Run,
    /// All pages before a run.
    before: SparseMemory,
    /// What the program leaves.
    after: SparseMemory,
    pages: Vec<u64>,
    filler: u32,
    irq: Port,
    /// L1 of the two machines may differ.
    dirty: bool,
}

/// The words of a program.
pub fn words(program: &[Inst]) -> Vec<[u32; 8]> {
    program.iter().map(|inst| inst.encode_words().unwrap()).collect()
}

fn assemble(text: &str) -> Vec<Inst> {
    asm::assemble(text, "campaign").unwrap_or_else(|errors| panic!("{}", errors[0])).program
}

impl Rig {
    /// A rig of this core and memory; `seed` gives data and power-up state.
    pub fn new(model: &Arc<Model>, config: &Config, memory: MemoryConfig, seed: u64) -> Rig {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let program = assemble(TEXT);
        let poison = Poison::new(rng.next_u64());
        let core = Core::with_model(model, config, memory, GlobalMemory::new(poison), Reset::Random(rng.next_u32()));
        let core = core.unwrap_or_else(|error| panic!("{error}"));
        let irq = core.bench().dut().port("irq").unwrap();
        let mut run = model::Run::new(PROGRAM, 32 * program.len() as u32);
        for (base, window) in [SOURCES, RESULTS, SCRATCH, FILL].iter().enumerate() {
            run.bases[base] = FIRST + window.start;
        }
        let windows = [
            (PROGRAM..PROGRAM + u64::from(run.length), RIGHT_EXECUTE),
            (data(&SOURCES), RIGHT_READ),
            (data(&RESULTS), RIGHT_WRITE),
            (data(&SCRATCH), RIGHT_READ | RIGHT_WRITE),
            (data(&FILL), RIGHT_READ),
            (FILLER..FILLER + 0x1000, RIGHT_EXECUTE),
        ];
        for (window, (range, rights)) in run.windows.iter_mut().zip(&windows) {
            *window = Window { first: range.start, last: range.end - 1, rights: *rights };
        }
        // L1 and UB of any core: the same bytes again and again.
        let fill = |buffer, bytes: usize, len: usize| match bytes / len {
            0 => String::new(),
            rows => {
                format!("mte2.load dst={buffer}[0] gm=b3[0] rows={rows} len_bytes={len} gm_stride=0 dst_stride={len}\n")
            }
        };
        let filler = fill("l1", config.l1_bytes, 0x4000) + &fill("ub", config.ub_bytes, 0x400) + "end";
        let filler = isa::encode_program(&assemble(&filler)).unwrap();
        let mut rig = Rig {
            core,
            config: config.clone(),
            program,
            model: model::Core::new(config.clone()).unwrap(),
            run,
            before: SparseMemory::new(rng.next_u64()),
            after: SparseMemory::new(0),
            pages: Vec::new(),
            filler: filler.len() as u32,
            irq,
            dirty: true,
        };
        let mut put = |address: u64, bytes: &[u8]| {
            rig.before.write(address, bytes).unwrap();
            rig.core.gm().write(address, bytes);
        };
        for (address, bytes) in [(PROGRAM, 0x4000), (FIRST, BYTES)] {
            let mut noise = vec![0; bytes];
            rng.fill_bytes(&mut noise);
            put(address, &noise);
        }
        put(FILLER, &filler);
        put(FIRST + SOURCES.start + 0x1003, &parameters(&mut rng));
        put(PROGRAM, &isa::encode_program(&rig.program).unwrap());
        rig.pages = rig.core.gm().pages().collect();
        // Reads are seen as whole bus words; the windows of data are made of those.
        let watched = windows.map(|(range, rights)| sim::Window {
            start: range.start,
            end: range.end,
            read: rights != RIGHT_WRITE,
            write: rights & RIGHT_WRITE != 0,
        });
        rig.core.bench_mut().memory_mut().watch(watched.to_vec());
        rig.write(context::NO_PROGRESS_LIMIT, WATCHDOG);
        rig.write(context::IRQ_MASK, IRQ_DONE | IRQ_FAULT);
        let window = |window: &Window| (window.first, window.last, window.rights);
        let mut first = rig.core_run();
        (first.bases, first.windows) = (rig.run.bases.to_vec(), rig.run.windows.iter().map(window).collect());
        let ended = rig.core.run(&first).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(ended, Ended::Done, "the program itself");
        rig.after = rig.before.clone();
        let outcome = rig.model.run(&mut rig.after, &rig.run);
        assert!(matches!(outcome, Outcome::Done(_)), "the program itself: {outcome:?}");
        rig.check_memory(&rig.after.clone(), "the program itself");
        rig
    }

    fn write(&mut self, offset: u32, value: u32) {
        let written = self.core.bench_mut().write32(context_address(0, offset), value);
        written.unwrap_or_else(|error| panic!("{error}"));
    }

    fn core_run(&self) -> Run {
        let (program, length) = (self.run.program, self.run.length);
        Run { program, length, bases: Vec::new(), windows: Vec::new(), limit: LIMIT }
    }

    /// Memory of both machines and, if it matters, their L1 as before the first run; `words` replace the program.
    pub fn restore(&mut self, words: &[[u32; 8]], same_l1: bool) -> SparseMemory {
        if same_l1 && self.dirty {
            let run = Run { program: FILLER, length: self.filler, ..self.core_run() };
            assert_eq!(self.core.run(&run).unwrap_or_else(|error| panic!("{error}")), Ended::Done);
            let model_run = model::Run { program: FILLER, length: self.filler, ..self.run.clone() };
            let outcome = self.model.run(&mut self.before.clone(), &model_run);
            assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
            self.dirty = false;
        }
        let mut memory = self.before.clone();
        let program: Vec<u8> = words.iter().flat_map(isa::decode::bytes_of).collect();
        memory.write(PROGRAM, &program).unwrap();
        self.core.gm().write(PROGRAM, &program);
        for window in [RESULTS, SCRATCH] {
            let range = data(&window);
            let bytes = self.before.bytes(range.start, (range.end - range.start) as usize);
            self.core.gm().write(range.start, &bytes);
        }
        memory
    }

    /// Runs the core. When it says that it has ended, the interrupt is there and the bus is quiet; after a fault it is reset.
    fn run_core(&mut self, what: &str) -> Ended {
        self.write(context::IRQ_CAUSE, IRQ_DONE | IRQ_FAULT);
        let run = self.core_run();
        let ended = self.core.run_to_end(&run, &mut |_| {}).unwrap_or_else(|error| panic!("{error}\n{what}"));
        let expected = if ended == Ended::Done { IRQ_DONE } else { IRQ_FAULT };
        assert_eq!(self.interrupt(), (expected, true), "cause of the interrupt and the interrupt\n{what}");
        let bench = self.core.bench();
        assert!(bench.monitor().is_idle() && bench.memory().is_idle(), "a burst is left\n{what}");
        if ended != Ended::Done {
            self.core.soft_reset(LIMIT).unwrap_or_else(|error| panic!("{error}\n{what}"));
            assert_eq!(self.interrupt(), (0, false), "after the soft reset\n{what}");
            assert_eq!(self.core.bench_mut().read32(context_address(0, context::FAULT_CAUSE)).unwrap(), 0);
        }
        assert_eq!(self.core.bench().violations(), Vec::<String>::new(), "{what}");
        ended
    }

    /// Cause of the interrupt, and the interrupt.
    fn interrupt(&mut self) -> (u32, bool) {
        let cause = self.core.bench_mut().read32(context_address(0, context::IRQ_CAUSE)).unwrap();
        (cause, self.core.bench().dut().get(self.irq) == 1)
    }

    /// Runs words on both machines and compares what the instruction set promises.
    pub fn compare(&mut self, words: &[[u32; 8]], what: &str) -> Class {
        let mut memory = self.restore(words, true);
        let outcome = self.model.run(&mut memory, &self.run);
        let ended = self.run_core(what);
        self.dirty = ended != Ended::Done;
        let flipped = decoded(words);
        if is_undefined(words, &self.run, &self.config, &outcome) {
            self.dirty = true;
            self.check_outside(None, what);
            return Class::Undefined;
        }
        match outcome {
            Outcome::Done(_) => {
                assert_eq!(ended, Ended::Done, "{what}");
                self.check_memory(&memory, what);
                Class::Done
            }
            Outcome::Fault(record) => {
                assert_eq!(ended, Ended::Fault(record), "{what}");
                self.check_outside(Some(&flipped), what);
                Class::Fault
            }
        }
    }

    /// Runs the program as it is: the right memory. Its cycles.
    pub fn run_clean(&mut self, what: &str) -> u64 {
        self.restore(&words(&self.program.clone()), false);
        assert_eq!(self.run_core(what), Ended::Done, "{what}");
        self.check_memory(&self.after.clone(), what);
        self.total_cycles()
    }

    /// Every beat of a clean run.
    pub fn beats(&mut self) -> Vec<Beat> {
        self.core.bench_mut().memory_mut().keep_log();
        self.core.bench_mut().memory_mut().take_log();
        self.run_clean("log");
        let bus = self.config.bus_bytes as u64;
        let mut moved: BTreeMap<(bool, u64), usize> = BTreeMap::new();
        let mut numbers = [0; 2];
        let mut beats = vec![];
        for entry in self.core.bench_mut().memory_mut().take_log() {
            for index in 0..entry.address.beats() {
                let write = entry.access == Access::Write;
                let word = entry.address.beat_addr(index) / bus * bus;
                let passes = moved.entry((write, word)).or_default();
                let number = numbers[usize::from(write)];
                numbers[usize::from(write)] += 1;
                beats.push(Beat { access: entry.access, number, word, passes: *passes, once: false });
                *passes += 1;
            }
        }
        for beat in &mut beats {
            beat.once = moved[&(beat.access == Access::Write, beat.word)] == 1;
        }
        beats
    }

    /// Runs the program with an error at this beat: the record of the model. Then the program as it is, in `cycles` if given.
    pub fn error(&mut self, beat: Beat, resp: Resp, cycles: Option<u64>) {
        let what = format!("{resp:?} to {beat:x?}");
        let bus = self.config.bus_bytes as u64;
        let range = beat.word..beat.word + bus;
        let traffic = *self.core.bench().memory().traffic();
        let before = if beat.access == Access::Read { traffic.read_beats } else { traffic.write_beats };
        let hit = if beat.once { Hit::Range(range.start, range.end) } else { Hit::Beat(before + beat.number) };
        let mut memory = self.restore(&words(&self.program.clone()), false);
        self.core.bench_mut().memory_mut().inject(Injection { access: beat.access, hit, resp });
        let mut broken = Broken { memory: &mut memory, access: beat.access, bytes: range, passes: beat.passes };
        let outcome = self.model.run(&mut broken, &self.run);
        let Outcome::Fault(record) = outcome else { panic!("the model ends as {outcome:?}\n{what}") };
        let ended = self.run_core(&what);
        self.dirty = true;
        self.core.bench_mut().memory_mut().heal();
        assert_eq!(ended, Ended::Fault(record), "{what}");
        self.check_old_or_new(&what);
        let took = self.run_clean(&format!("after {what}"));
        assert!(cycles.is_none_or(|cycles| cycles == took), "{took} cycles after {what}");
    }

    /// Starts the program, with an error at a beat if given, and resets the core `at` cycles later; then the program as it is, in
    /// `cycles` if given.
    pub fn reset_at(&mut self, at: u64, error: Option<Beat>, cycles: Option<u64>) {
        let what = format!("soft reset {at} cycles after the start, error at {error:x?}");
        if let Some(Beat { access, word, .. }) = error {
            let hit = Hit::Range(word, word + self.config.bus_bytes as u64);
            self.core.bench_mut().memory_mut().inject(Injection { access, hit, resp: Resp::SlvErr });
        }
        self.restore(&words(&self.program.clone()), false);
        let run = self.core_run();
        self.core.start(&run).unwrap();
        for _ in 0..at {
            self.core.bench_mut().step().unwrap();
        }
        self.core.soft_reset(LIMIT).unwrap_or_else(|error| panic!("{error}\n{what}"));
        self.core.bench_mut().memory_mut().heal();
        self.dirty = true;
        let bench = self.core.bench();
        assert_eq!(bench.violations(), Vec::<String>::new(), "{what}");
        assert!(bench.monitor().is_idle() && bench.memory().is_idle(), "a burst is left by {what}");
        for register in [context::FAULT_CAUSE, context::IRQ_CAUSE] {
            let value = self.core.bench_mut().read32(context_address(0, register)).unwrap();
            assert_eq!(value, 0, "register {register:#x} after {what}");
        }
        self.check_old_or_new(&what);
        let took = self.run_clean(&format!("after {what}"));
        assert!(cycles.is_none_or(|cycles| cycles == took), "{took} cycles after {what}");
    }

    /// Runs the program while the host does what it may not: every access is refused, and the program takes `cycles` as ever.
    pub fn disturbed(&mut self, rng: &mut impl Rng, cycles: u64) -> usize {
        self.restore(&words(&self.program.clone()), false);
        let run = self.core_run();
        self.core.start(&run).unwrap();
        let mut refused = 0;
        // Not in the last cycles: once the program has ended, some are obeyed.
        let last = self.core.bench().cycle() + cycles - 60;
        while self.core.bench().cycle() < last {
            // Registers that may be written at any time only with some strobes, the others in any way.
            let listed = CONTEXT_PAGE[rng.random_range(0..CONTEXT_PAGE.len())];
            let offset = listed.offsets().nth(rng.random_range(0..listed.offsets().count())).unwrap();
            let refused_whole = matches!(listed.access, isa::csr::Access::RwIdle | isa::csr::Access::Ro);
            let whole = refused_whole || offset == context::START;
            let strobes = if whole { 15 } else { rng.random_range(0..15) };
            let address = match rng.random_range(0..4) {
                0 => 0x2000 + rng.random_range(0..0xE000),
                _ => context_address(0, offset),
            };
            let bench = self.core.bench_mut();
            bench.driver_mut().start_write(address, rng.random(), strobes);
            bench.run_until("the response", 100, |bench| bench.driver().is_idle()).unwrap();
            assert_eq!(bench.driver_mut().take_write(), Some(Resp::SlvErr), "write of {address:#x}");
            refused += 1;
        }
        let status = context_address(0, context::STATUS);
        while self.core.bench_mut().read32(status).unwrap() == Status::Running as u32 {}
        self.check_memory(&self.after.clone(), "accesses that are refused");
        let total = self.total_cycles();
        assert_eq!(total, cycles, "cycles of the program while the host did what it may not");
        refused
    }

    fn total_cycles(&mut self) -> u64 {
        self.write(context::SNAPSHOT, 1);
        let total = context::COUNTER_LO + Counter::TotalCycles.index() as u32 * context::COUNTER_STRIDE;
        self.core.bench_mut().read32(context_address(0, total)).unwrap().into()
    }

    /// Every byte is that of before or of after the program; so nothing but the destinations has changed.
    fn check_old_or_new(&mut self, what: &str) {
        self.check_pages(what);
        for &page in &self.pages {
            let got = self.core.gm().read(page, 4096);
            let (before, after) = (self.before.bytes(page, 4096), self.after.bytes(page, 4096));
            if let Some(at) = (0..4096).find(|&at| got[at] != before[at] && got[at] != after[at]) {
                let address = page + at as u64;
                panic!(
                    "{address:#x} holds {:#04x}, neither {:#04x} nor {:#04x}\n{what}",
                    got[at], before[at], after[at]
                );
            }
        }
    }

    /// The whole memory is this one.
    pub fn check_memory(&mut self, expected: &SparseMemory, what: &str) {
        self.check_pages(what);
        for &page in &self.pages {
            let (got, expected) = (self.core.gm().read(page, 4096), expected.bytes(page, 4096));
            if got != expected {
                let at = (0..4096).find(|&at| got[at] != expected[at]).unwrap();
                panic!("{:#x} holds {:#04x} instead of {:#04x}\n{what}", page + at as u64, got[at], expected[at]);
            }
        }
    }

    fn check_pages(&mut self, what: &str) {
        let pages: Vec<u64> = self.core.gm().pages().collect();
        assert_eq!(pages, self.pages, "pages that hold something\n{what}");
    }

    /// Nothing has changed outside the windows with W and, if a program is given, outside its destinations.
    fn check_outside(&mut self, program: Option<&[Inst]>, what: &str) {
        self.check_pages(what);
        let mut may_change: Vec<Range<u64>> = [RESULTS, SCRATCH].iter().map(data).collect();
        if let Some(program) = program {
            let resolved = resolved(program, &self.run);
            let mut state = isa::State::reset();
            let accesses = resolved.iter().flat_map(|inst| {
                if let Instruction::Set { pipe, register, value } = inst.op {
                    state.set(pipe, register, value);
                }
                effects(&inst.op, &state)
            });
            let written = accesses.filter(|access| access.write && matches!(access.buffer, Buffer::Gm(_)));
            let ranges: Vec<Range<u64>> = written.flat_map(|access| access.ranges).collect();
            let common = |a: &Range<u64>, b: &Range<u64>| a.start.max(b.start)..a.end.min(b.end);
            may_change =
                may_change.iter().flat_map(|window| ranges.iter().map(|range| common(window, range))).collect();
        }
        for &page in &self.pages {
            if page < FIRST {
                continue;
            }
            let (got, before) = (self.core.gm().read(page, 4096), self.before.bytes(page, 4096));
            for at in (0..4096).filter(|&at| got[at] != before[at]) {
                let address = page + at as u64;
                assert!(
                    may_change.iter().any(|range| range.contains(&address)),
                    "{address:#x} was {:#04x} and is {:#04x}, outside of what may be written\n{what}",
                    before[at],
                    got[at]
                );
            }
        }
    }
}

/// Addresses of a window of the data.
fn data(window: &Range<u64>) -> Range<u64> {
    FIRST + window.start..FIRST + window.end
}

/// Three rows of 96 bytes, 112 bytes apart: biases, scales, zero points of s8.
fn parameters(rng: &mut impl Rng) -> Vec<u8> {
    let mut bytes = vec![0; 3 * 112];
    for channel in 0..24 {
        let bias = rng.random_range(-20_000..20_000i32);
        let scale = 2f32.powi(rng.random_range(-12..-6)) * rng.random_range(1.0..2.0);
        let zero: i16 = rng.random_range(-128..=127) & 0x1FF;
        bytes[4 * channel..][..4].copy_from_slice(&bias.to_le_bytes());
        bytes[112 + 4 * channel..][..4].copy_from_slice(&scale.to_le_bytes());
        bytes[224 + 2 * channel..][..2].copy_from_slice(&zero.to_le_bytes());
    }
    bytes
}
