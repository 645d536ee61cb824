// SPDX-License-Identifier: Apache-2.0
//! How many cycles a program takes on a core behind a memory, worked out instruction by instruction.
//!
//! ```text
//!  per instruction, in program order:   fetched ─► dispatched (its queue has room) ─► flags raised, engine free ─► early ─► done
//! ```
//! Every pipe is in order, and every flag is raised by an earlier instruction, so one pass over the program is enough. Bursts go one by one
//! through the places for outstanding requests. What happens inside an engine is told by its page in `docs/units`: a load of L0 is a
//! block per cycle, a product a step per cycle, and so on. Stalls between neighbours that share a buffer's port are not looked at.
//!
//! Test: `host/tests/timing.rs` compares with the simulated core.

use crate::bus::row_words;
use crate::simulated::MemorySettings;
use isa::limits::INSTRUCTION_BYTES;
use isa::{Config, FixStore, FixTarget, Flag, Inst, Instruction, Mmad, Mte1Load, Mte2Load, Pipe, Second};
use std::collections::{HashMap, VecDeque};

/// A burst does not cross an address of this alignment, and has no more words than this.
const BURST_BYTES: u64 = 4096;
const BURST_WORDS: u64 = 256;

/// Cycles from the start doorbell to the first request of fetch, and instructions that fetch holds.
const FETCH_START: u64 = 6;
const FETCH_HOLDS: usize = 32;
/// Words of a burst of fetch.
const FETCH_WORDS: u64 = 16;

/// Cycles from an instruction's fetch to its queue, and from the queue to its engine.
const DISPATCH: u64 = 5;
const QUEUE: u64 = 2;
/// Instructions of a queue and around it.
const QUEUED: usize = 18;

/// Cycles from the start of a copy to its first address.
const COPY_START: u64 = 6;
/// From the last word to the end of an instruction.
const COPY_END: u64 = 4;
/// From an L1 read to its block in L0, with the first read of a load.
const LOAD_LATENCY: u64 = 7;
/// The same of `mte1.im2col`.
const IM2COL_LATENCY: u64 = 12;
/// Operand to result in L0C.
const CUBE_LATENCY: u64 = 15;
/// L0C to the first word of a row.
const FIX_LATENCY: u64 = 14;
/// Cycles that FIX takes for M0 rows at least.
const FIX_ROWS: u64 = 7;
/// From a raised flag to whoever waits for it.
const FLAG: u64 = 1;
/// From the last answer to the end of the program.
const END: u64 = 10;

/// Cycles of the program from the start doorbell to its end, by this account; `reads` is how often L1 is read for a block that
/// `mte1.im2col` makes, in hundredths.
pub(crate) fn cycles(program: &[Inst], config: &Config, memory: &MemorySettings, reads: u32) -> u64 {
    let mut core = Core { reads: reads.into(), ..Core::new(config, memory) };
    for inst in program {
        core.next(inst);
    }
    core.end + END
}

/// One direction of the bus.
struct Direction {
    /// Requests in flight, by when they are answered.
    flying: VecDeque<u64>,
    outstanding: usize,
    /// When the last address went.
    address: u64,
    /// When the data channel is free.
    free: f64,
    /// Cycles per word.
    word: f64,
    latency: u64,
}

impl Direction {
    /// When a request may go that is ready then.
    fn slot(&mut self, ready: u64) -> u64 {
        let mut at = ready.max(self.address + 1);
        if self.flying.len() == self.outstanding {
            at = at.max(self.flying.pop_front().expect("it is full") + 2);
        }
        self.address = at;
        at
    }

    /// A read: when its last word came.
    fn read(&mut self, ready: u64, words: f64) -> u64 {
        let asked = self.slot(ready);
        self.free = self.free.max((asked + self.latency) as f64) + words * self.word;
        self.flying.push_back(self.free as u64);
        self.free as u64
    }

    /// A write whose data are there then: when its last word went. The answer comes a latency later.
    fn write(&mut self, ready: u64, words: f64) -> u64 {
        let asked = self.slot(ready);
        self.free = self.free.max(asked as f64) + words * self.word;
        self.flying.push_back(self.free as u64 + self.latency);
        self.free as u64
    }
}

/// What is known of a pipe.
#[derive(Default)]
struct PipeState {
    /// When the engine takes the next instruction.
    free: u64,
    /// When the last one was done.
    done: u64,
    /// Starts of the last instructions.
    starts: VecDeque<u64>,
}

struct Core<'a> {
    config: &'a Config,
    /// Reads of L1 for a block of im2col, in hundredths.
    reads: u64,
    read: Direction,
    write: Direction,
    shared: bool,
    pipes: [PipeState; Pipe::WORKERS.len()],
    flags: HashMap<Flag, VecDeque<u64>>,
    /// Dispatch of the last instructions, and how many there were.
    dispatched: VecDeque<u64>,
    count: usize,
    fetched: u64,
    /// When the last load of L0 so far is complete.
    loaded: u64,
    /// The last product: start, steps, end.
    product: (u64, u64, u64),
    end: u64,
}

impl<'a> Core<'a> {
    fn new(config: &'a Config, memory: &MemorySettings) -> Core<'a> {
        let direction = || Direction {
            flying: VecDeque::new(),
            outstanding: config.outstanding,
            address: 0,
            free: 0.0,
            word: (config.bus_bytes as f64 / memory.bytes_per_cycle).max(1.0),
            latency: memory.latency.into(),
        };
        Core {
            config,
            reads: 100,
            read: direction(),
            write: direction(),
            shared: memory.shared,
            pipes: Default::default(),
            flags: HashMap::new(),
            dispatched: VecDeque::new(),
            count: 0,
            fetched: 0,
            loaded: 0,
            product: (0, 0, 0),
            end: 0,
        }
    }

    fn next(&mut self, inst: &Inst) {
        self.fetch();
        let last = self.dispatched.back().map_or(0, |&at| at + 1);
        let mut at = last.max(self.fetched + DISPATCH);
        let pipe = inst.op.queue().worker_index();
        match pipe {
            Some(index) => {
                let starts = &mut self.pipes[index].starts;
                if starts.len() == QUEUED {
                    at = at.max(starts.pop_front().expect("it is full") + 1);
                }
            }
            // Barriers and the end wait until everything is done.
            None => at = self.pipes.iter().fold(at, |at, pipe| at.max(pipe.done + 2)),
        }
        self.dispatched.push_back(at);
        self.count += 1;
        self.end = self.end.max(at);
        let Some(index) = pipe else { return };
        let mut ready = (at + QUEUE).max(self.pipes[index].free);
        for flag in inst.wait_flags() {
            if let Some(raised) = self.flags.get_mut(&flag).and_then(VecDeque::pop_front) {
                ready = ready.max(raised + FLAG);
            }
        }
        self.pipes[index].starts.push_back(ready);
        let (early, done, free) = self.run(&inst.op, ready);
        let state = &mut self.pipes[index];
        state.free = free;
        state.done = state.done.max(done);
        self.end = self.end.max(state.done);
        let done = state.done;
        for signal in &inst.sets {
            let at = if signal.early { early } else { done };
            self.flags.entry(signal.flag(inst.op.pipe())).or_default().push_back(at);
        }
    }

    /// Makes sure that the next instruction is there.
    fn fetch(&mut self) {
        let bytes = FETCH_WORDS * self.config.bus_bytes as u64;
        let per_burst = (bytes as usize / INSTRUCTION_BYTES).max(1);
        if !self.count.is_multiple_of(per_burst) {
            return;
        }
        // Room for it came when an instruction so far before was dispatched.
        let room = if self.count < FETCH_HOLDS {
            FETCH_START
        } else {
            let back = FETCH_HOLDS - per_burst.min(FETCH_HOLDS - 1);
            self.dispatched[self.dispatched.len() - back.min(self.dispatched.len())]
        };
        while self.dispatched.len() > FETCH_HOLDS {
            self.dispatched.pop_front();
        }
        let words = FETCH_WORDS as f64 * self.read.word;
        // Its words lie between those of copies, whose bursts were asked for before or after.
        self.read.free += words;
        self.fetched = self.fetched.max(room + self.read.latency) + words as u64;
    }

    /// Runs an instruction that starts then: when its early flags are raised, when it is done, when the engine takes the next one.
    fn run(&mut self, op: &Instruction, start: u64) -> (u64, u64, u64) {
        match op {
            Instruction::Mte2Load(load) => self.load(load, start),
            Instruction::Mte1Load(load) => self.operand(load, start),
            Instruction::Mmad(mmad) => self.multiply(mmad, start),
            Instruction::FixStore(store) => self.store(store, start),
            Instruction::Mte1LoadFb(load) => {
                let done = start + 7 + u64::from(load.count);
                (start + 2, done, done)
            }
            Instruction::Mte1Im2col(load) => {
                let blocks = self.blocks(load.rows, self.config.m0, load.k);
                let cycles = blocks * self.reads / 100;
                self.loaded = start + cycles + IM2COL_LATENCY;
                (start + 2, self.loaded, start + cycles)
            }
            Instruction::Mte3Store(store) => {
                let rows = u64::from(store.rows);
                self.written(start + COPY_START, rows, u64::from(store.len_bytes), u64::from(store.gm_stride), 0.0)
            }
            Instruction::Mte3Move(copy) => {
                let segment = self.config.bus_bytes as u64;
                let done = start + COPY_START + u64::from(copy.rows) * u64::from(copy.len_bytes).div_ceil(segment);
                (start + 2, done + COPY_END, done)
            }
            Instruction::Mte2Fill(fill) => {
                let done = start + COPY_START + u64::from(fill.len_bytes).div_ceil(self.config.bus_bytes as u64);
                (start + 2, done + COPY_END, done)
            }
            _ => (start, start + 1, start + 1),
        }
    }

    /// Bursts of rows in GM: how many, and words of each on the average.
    fn bursts(&self, rows: u64, row: u64, pitch: u64) -> (u64, f64) {
        let bus = self.config.bus_bytes as u64;
        let most = (BURST_WORDS * bus).min(BURST_BYTES);
        let bursts = row.div_ceil(most);
        let pitch = if rows == 1 { bus } else { pitch };
        (rows * bursts, row_words(bus as usize, row as usize, pitch as usize) / bursts as f64)
    }

    fn load(&mut self, load: &Mte2Load, start: u64) -> (u64, u64, u64) {
        let (rows, row) = (u64::from(load.rows), u64::from(load.len_bytes));
        let (bursts, words) = self.bursts(rows, row, u64::from(load.gm_stride));
        let mut done = start;
        for _ in 0..bursts {
            if self.shared {
                self.read.free = self.read.free.max(self.write.free);
            }
            done = self.read.read(start + COPY_START, words);
            if self.shared {
                self.write.free = self.read.free;
            }
        }
        // Rows that are short in a buffer take a cycle each.
        let done = done.max(start + COPY_START + self.read.latency + rows) + COPY_END;
        (start + 2, done, self.read.address + 2)
    }

    fn blocks(&self, rows: u16, size: usize, k: u16) -> u64 {
        (usize::from(rows).div_ceil(size) * usize::from(k).div_ceil(self.config.k0)) as u64
    }

    fn operand(&mut self, load: &Mte1Load, start: u64) -> (u64, u64, u64) {
        let size = if load.side == isa::Side::A { self.config.m0 } else { self.config.n0 };
        let blocks = self.blocks(load.rows, size, load.k);
        let turn =
            if load.transpose { (self.config.k0 / self.config.m0.max(self.config.n0)).max(1) as u64 + 1 } else { 0 };
        self.loaded = start + turn + blocks + LOAD_LATENCY;
        (start + 2 + turn, self.loaded, start + turn + blocks)
    }

    fn multiply(&mut self, mmad: &Mmad, start: u64) -> (u64, u64, u64) {
        let steps = self.config.cube_steps(mmad.m.into(), mmad.n.into(), mmad.k.into());
        // It works on blocks as they come.
        let end = (start + steps).max(self.loaded);
        self.product = (start, end - start, end + CUBE_LATENCY);
        (start + 2, end + CUBE_LATENCY, end + 1)
    }

    fn store(&mut self, store: &FixStore, start: u64) -> (u64, u64, u64) {
        let config = self.config;
        let (rows, columns) = (u64::from(store.m), u64::from(store.n));
        let size = store.dtype_out.bytes(1) as u64;
        let lanes = (config.fix_lanes as u64).min((config.bus_bytes as u64 / size).max(1));
        let lanes = if store.second == Second::None { lanes } else { lanes.div_ceil(config.m0 as u64) };
        let blocks = rows.div_ceil(config.m0 as u64);
        let own = (rows * columns).div_ceil(lanes).max(blocks * FIX_ROWS) as f64;
        // It follows the product, whose rows are done one block after the other.
        let (begun, steps, end) = self.product;
        let follows = end > start;
        let row = columns * size;
        let first = start + FIX_LATENCY;
        let rate = if follows { own.max(steps as f64 - (start - begun.min(start)) as f64) } else { own };
        match store.dst {
            FixTarget::Gm(_) => {
                let ready =
                    if follows { first.max(begun + steps / blocks + CUBE_LATENCY + FIX_LATENCY) } else { first };
                let (early, done, free) = self.written(ready, rows, row, u64::from(store.dst_stride), rate);
                (early, done.max(end), free.max(end))
            }
            _ => {
                let done = (first + rate as u64).max(if follows { end + FIX_LATENCY } else { 0 });
                (start + 2, done + COPY_END, done)
            }
        }
    }

    /// Rows to GM from `ready` on, which come evenly over `over` cycles.
    fn written(&mut self, ready: u64, rows: u64, row: u64, pitch: u64, over: f64) -> (u64, u64, u64) {
        let (bursts, words) = self.bursts(rows, row, pitch);
        let mut last = ready;
        for burst in 0..bursts {
            let there = ready + (over * (burst + 1) as f64 / bursts as f64) as u64;
            if self.shared {
                self.write.free = self.write.free.max(self.read.free);
            }
            last = self.write.write(there, words);
            if self.shared {
                self.read.free = self.write.free;
            }
        }
        (ready, last + self.write.latency + COPY_END, last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::Gemm;

    #[test]
    fn more_work_and_slower_memories_take_longer() {
        let lite = Config::lite();
        let of = |size: usize, latency: u32| {
            let memory = MemorySettings { latency, ..MemorySettings::default() };
            let compiled = Gemm::new(size, size, size).compile_behind(&lite, &memory).expect("it fits");
            cycles(compiled.program().instructions(), &lite, &memory, 100)
        };
        assert!(of(128, 100) > of(128, 10) && of(128, 10) > of(64, 10));
        assert!(of(128, 100) > 8192);
    }
}
