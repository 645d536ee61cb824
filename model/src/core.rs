// SPDX-License-Identifier: Apache-2.0
//! The core: one queue per pipe, the order in which instructions run, faults.
//!
//! ```text
//!             ┌───┐  dispatch  ┌───────┐ flags ┌──────────────────────────┐
//!  program ──►│ S │───────────►│ queue │──────►│ MTE2, MTE1, M, FIX, MTE3 │──► L1, UB, L0A, L0B, L0C, FB, GM
//!             └───┘            └───────┘ x 5   └──────────────────────────┘
//! ```
//! **Order.** Pipes run side by side; where flags, full bits and barriers leave a choice, the model takes program order: of all
//! instructions at the head of a queue that can move, the one that stands first in the program moves, and only when none can, the
//! next one is dispatched. A program that passes `isa::check` gives the same bits in every order. The choice can be seen in programs
//! that do not: which of several faults comes first, whether a flag overflows, what unordered accesses read.
//!
//! **An instruction** starts when its flags are there: it takes them, checks what its pipe checks at the start, clears the full bits
//! of its target if it has an early set, and raises its early flags. Then it works; M goes on block by block and FIX chunk by
//! chunk as full bits allow, everything else is one step. Then it raises its other flags.
//!
//! **No progress**: nothing can move and nothing can be dispatched. The record names the first pipe of MTE2, MTE1, M, FIX, MTE3 that
//! holds an instruction, and that instruction.
//!
//! **State.** A start puts flags, state registers and full bits back to reset, so that a run never depends on the one before, except
//! through the contents of L1, UB and FB and the elements of L0A, L0B, L0C, which stay.

use crate::csr::Run;
use crate::fb::{Channel, Fb};
use crate::flags::Flags;
use crate::gm::Gm;
use crate::l0::L0;
use crate::l0c::L0c;
use crate::l1::Local;
use crate::memory::Memory;
use crate::mte1::ZeroPoint;
use crate::sequencer::Sequencer;
use crate::{Counts, Trap, fix, l0, l0c, m, mte1, mte2, mte3};
use isa::geometry::{Im2col, Outer};
use isa::{Cause, Config, ConfigError, FaultRecord, Inst, Instruction, LocalBuffer, Pipe, Side, State};
use std::collections::VecDeque;

const PIPES: usize = Pipe::WORKERS.len();

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// END was reached, every flag 0.
    Done(Counts),
    /// A fault; what was written to GM before it stays.
    Fault(FaultRecord),
}

/// A core between two runs: its configuration and its buffers.
#[derive(Clone, Debug)]
pub struct Core {
    config: Config,
    l1: Local,
    ub: Local,
    l0a: L0,
    l0b: L0,
    l0c: L0c,
    fb: Fb,
    counts: Counts,
}

impl Core {
    /// A core with buffers of unknown content: a pattern, as by [`Core::poison`] with seed 0.
    ///
    /// *Errors*: the configuration is illegal.
    pub fn new(config: Config) -> Result<Core, ConfigError> {
        let config = config.checked()?;
        let mut core = Core {
            l1: Local::new(config.l1_bytes),
            ub: Local::new(config.ub_bytes),
            l0a: L0::new(config.m0, config.k0, config.l0a_fractals()),
            l0b: L0::new(config.n0, config.k0, config.l0b_fractals()),
            l0c: L0c::new(&config),
            fb: Fb::new(config.fb_channels),
            counts: Counts::default(),
            config,
        };
        core.poison(0);
        Ok(core)
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The contents of L1.
    pub fn l1(&self) -> &[u8] {
        self.l1.bytes()
    }

    /// The contents of UB; empty if the core has none.
    pub fn ub(&self) -> &[u8] {
        self.ub.bytes()
    }

    /// A channel of FB, if the core has that many.
    pub fn channel(&self, index: usize) -> Option<Channel> {
        self.fb.channel(index as u64).ok().copied()
    }

    /// Element (row, k) of a fractal of L0A or L0B, row 0..16, k 0..32, with the full bit of its block; `None` outside the buffer.
    pub fn l0(&self, side: Side, fractal: usize, row: usize, k: usize) -> Option<(i16, bool)> {
        let l0 = if side == Side::A { &self.l0a } else { &self.l0b };
        let tile = l0::Tile::new(fractal as u16, 32);
        let full = l0.is_full(tile, row, k).ok()?;
        Some((l0.fractal_row(tile, row, k)[k], full))
    }

    /// Element (row, column) of a fractal of L0C, both 0..16, with the full bit of its block; `None` outside the buffer.
    pub fn l0c(&self, fractal: usize, row: usize, column: usize) -> Option<(i32, bool)> {
        let tile = l0c::Tile::new(fractal as u16, 16);
        let full = self.l0c.is_full(tile, row, column).ok()?;
        Some((self.l0c.get(tile, row, column), full))
    }

    /// The counters of the last run, also of one that ended with a fault (then only a lower bound of the hardware's, whose pipes
    /// may have been further).
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Fills L1, UB, L0A, L0B, L0C and FB with a pattern that depends on the seed.
    pub fn poison(&mut self, seed: u64) {
        self.l1.poison(crate::mix(seed));
        self.l0a.poison(crate::mix(seed ^ 1 << 60));
        self.l0b.poison(crate::mix(seed ^ 2 << 60));
        self.l0c.poison(crate::mix(seed ^ 3 << 60));
        self.fb.poison(crate::mix(seed ^ 4 << 60));
        self.ub.poison(crate::mix(seed ^ 5 << 60));
    }

    /// Soft reset: clears full bits and counters. It is not needed between runs, not even after a fault: a start resets all that a
    /// run could see.
    pub fn reset(&mut self) {
        self.l0a.clear_all();
        self.l0b.clear_all();
        self.l0c.clear_all();
        self.counts = Counts::default();
    }

    /// Runs a program to its END or its first fault.
    ///
    /// *Guarantee*: it always ends: every step executes or dispatches an instruction, and instructions are not repeated.
    pub fn run(&mut self, memory: &mut impl Memory, run: &Run) -> Outcome {
        self.reset();
        let config = self.config.clone();
        let mut gm = Gm::new(memory, run, &config);
        let result = Execution::new(self, &mut gm).run();
        match result {
            Ok(()) => Outcome::Done(self.counts),
            Err(record) => Outcome::Fault(record),
        }
    }
}

/// An instruction in a queue.
#[derive(Debug)]
struct Entry {
    inst: Inst,
    pc: u32,
    /// `None` until it has taken its flags.
    work: Option<Progress>,
}

/// What an instruction that has started keeps.
#[derive(Clone, Copy, Debug)]
enum Progress {
    /// Done in one step.
    Whole,
    /// A copy with its outer dimensions.
    Copy(Outer),
    /// A tile load with its zero points.
    Load(ZeroPoint),
    /// A tile load from a feature map, with its zero point.
    Im2col(Im2col, i16),
    /// Blocks of C done.
    Mmad(usize),
    /// Parameters, and chunks done.
    Store(fix::Parameters, usize),
}

/// What a try to dispatch gave.
enum Dispatch {
    /// An instruction left the sequencer.
    Moved,
    /// The next instruction has to wait.
    Stalled,
    /// END.
    Ended,
}

/// A run in progress.
struct Execution<'a, 'gm> {
    core: &'a mut Core,
    gm: &'a mut Gm<'gm>,
    sequencer: Sequencer,
    /// Fetched, not yet dispatched.
    next: Option<Inst>,
    queues: [VecDeque<Entry>; PIPES],
    flags: Flags,
    state: State,
}

impl<'a, 'gm> Execution<'a, 'gm> {
    fn new(core: &'a mut Core, gm: &'a mut Gm<'gm>) -> Execution<'a, 'gm> {
        Execution {
            core,
            gm,
            sequencer: Sequencer::default(),
            next: None,
            queues: Default::default(),
            flags: Flags::new(),
            state: State::reset(),
        }
    }

    fn run(mut self) -> Result<(), FaultRecord> {
        loop {
            if self.move_first()? {
                continue;
            }
            match self.dispatch()? {
                Dispatch::Moved => {}
                Dispatch::Ended => return Ok(()),
                Dispatch::Stalled => return Err(self.no_progress()),
            }
        }
    }

    /// Moves the instruction that stands first in the program among those that can move; false if none can.
    fn move_first(&mut self) -> Result<bool, FaultRecord> {
        let mut heads: Vec<(u32, usize)> =
            self.queues.iter().enumerate().filter_map(|(pipe, queue)| Some((queue.front()?.pc, pipe))).collect();
        heads.sort_unstable();
        for (_, pipe) in heads {
            if self.move_head(pipe)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Moves the head of a queue as far as it goes; false if it does not move at all.
    fn move_head(&mut self, pipe: usize) -> Result<bool, FaultRecord> {
        let Some(mut entry) = self.queues[pipe].pop_front() else { return Ok(false) };
        let pc = entry.pc;
        let fault = |trap: Trap| record(trap, Pipe::WORKERS[pipe], pc);
        let mut moved = false;
        if entry.work.is_none() && self.flags.take(entry.inst.wait_flags().collect::<Vec<_>>().into_iter()) {
            entry.work = Some(self.start(&entry.inst).map_err(fault)?);
            moved = true;
        }
        if let Some(progress) = &mut entry.work {
            let before = self.work_done(progress);
            if self.work(&entry.inst.op, progress).map_err(fault)? {
                self.raise(&entry.inst, false).map_err(fault)?;
                return Ok(true);
            }
            moved |= self.work_done(progress) != before;
        }
        self.queues[pipe].push_front(entry);
        Ok(moved)
    }

    fn work_done(&self, progress: &Progress) -> usize {
        match progress {
            Progress::Whole | Progress::Copy(_) | Progress::Load(_) | Progress::Im2col(..) => 0,
            Progress::Mmad(done) | Progress::Store(_, done) => *done,
        }
    }

    /// The start of an instruction whose flags are taken: checks, clearing, early flags.
    fn start(&mut self, inst: &Inst) -> Result<Progress, Trap> {
        let progress = match &inst.op {
            Instruction::Mte1Load(op) => {
                let zero_point = mte1::zero_point(op, &self.state)?;
                if inst.is_early() {
                    let l0 = if op.side == Side::A { &mut self.core.l0a } else { &mut self.core.l0b };
                    mte1::clear(op.fractal, op.rows, op.dtype.bytes(op.k.into()), l0)?;
                }
                Progress::Load(zero_point)
            }
            Instruction::Mte1Im2col(op) => {
                let (map, zero) = mte1::geometry(op, &self.state)?;
                if inst.is_early() {
                    mte1::clear(op.fractal, op.rows, op.dtype.bytes(op.k.into()), &mut self.core.l0a)?;
                }
                Progress::Im2col(map, zero)
            }
            Instruction::Mmad(op) => {
                if inst.is_early() {
                    m::clear(op, &mut self.core.l0c)?;
                }
                Progress::Mmad(0)
            }
            Instruction::FixStore(op) => Progress::Store(fix::check(op, &self.state, &self.core.fb, &self.core.ub)?, 0),
            op => match Outer::of(op, &self.state).map_err(|misuse| Trap::new(misuse.cause(), 0))? {
                Some(outer) => Progress::Copy(outer),
                None => Progress::Whole,
            },
        };
        self.raise(inst, true)?;
        Ok(progress)
    }

    /// Works as far as full bits allow; true when the instruction has finished.
    fn work(&mut self, op: &Instruction, progress: &mut Progress) -> Result<bool, Trap> {
        let Core { config, l1, ub, l0a, l0b, l0c, fb, counts } = &mut *self.core;
        match (op, progress) {
            (Instruction::Set { pipe, register, value }, _) => self.state.set(*pipe, *register, *value),
            (Instruction::Mte2Load(op), Progress::Copy(outer)) => {
                let local = if op.dst == LocalBuffer::L1 { l1 } else { ub };
                mte2::load(op, outer, self.gm, local, counts)?;
            }
            (Instruction::Mte2Fill(op), Progress::Copy(outer)) => {
                mte2::fill(op, outer, if op.dst == LocalBuffer::L1 { l1 } else { ub })?;
            }
            (Instruction::Mte1Load(op), Progress::Load(zero_point)) => {
                let l0 = if op.side == Side::A { l0a } else { l0b };
                mte1::load(op, *zero_point, l1, fb, l0)?;
            }
            (Instruction::Mte1Im2col(op), Progress::Im2col(map, zero)) => mte1::im2col(op, map, *zero, l1, l0a)?,
            (Instruction::Mte1LoadFb(op), _) => mte1::load_fb(op, l1, fb)?,
            (Instruction::Mmad(op), Progress::Mmad(done)) => {
                return m::Work { op, config, l0a, l0b, l0c }.advance(done, counts);
            }
            (Instruction::FixStore(op), Progress::Store(parameters, done)) => {
                let mut work = fix::Work { op, parameters: *parameters, config, l0c, fb, l1, ub, gm: self.gm };
                return work.advance(done, counts);
            }
            (Instruction::Mte3Store(op), Progress::Copy(outer)) => {
                let local = if op.src == LocalBuffer::L1 { l1 } else { ub };
                mte3::store(op, outer, self.gm, local, counts)?;
            }
            (Instruction::Mte3Move(op), Progress::Copy(outer)) => mte3::copy(op, outer, ub, l1)?,
            (op, progress) => unreachable!("{op:?} is not queued, or not started as {progress:?}"),
        }
        Ok(true)
    }

    fn raise(&mut self, inst: &Inst, early: bool) -> Result<(), Trap> {
        let mut signals = inst.sets.iter().zip(inst.set_flags()).filter(|(signal, _)| signal.early == early);
        signals.try_for_each(|(_, flag)| self.flags.raise(flag))
    }

    /// Lets the next instruction leave the sequencer.
    fn dispatch(&mut self) -> Result<Dispatch, FaultRecord> {
        if self.next.is_none() {
            let pc = self.sequencer.pc;
            let fetched = self.sequencer.next(self.gm, &self.core.config);
            self.next = Some(fetched.map_err(|trap| record(trap, Pipe::S, pc))?);
        }
        let pc = self.sequencer.pc - isa::limits::INSTRUCTION_BYTES as u32;
        let idle = self.queues.iter().all(VecDeque::is_empty);
        let Some(inst) = self.next.take() else { return Ok(Dispatch::Stalled) };
        let stays = match inst.op {
            Instruction::Nop => false,
            Instruction::Barrier | Instruction::End => !idle,
            _ => self.queue(&inst).len() >= self.core.config.queue_len,
        };
        if stays {
            self.next = Some(inst);
            return Ok(Dispatch::Stalled);
        }
        self.core.counts.instructions += 1;
        match inst.op {
            Instruction::Nop | Instruction::Barrier => {}
            Instruction::End if self.flags.any() => return Err(record(Trap::new(Cause::FlagLeft, 0), Pipe::S, pc)),
            Instruction::End => return Ok(Dispatch::Ended),
            _ => {
                let entry = Entry { inst, pc, work: None };
                self.queue(&entry.inst).push_back(entry);
            }
        }
        Ok(Dispatch::Moved)
    }

    fn queue(&mut self, inst: &Inst) -> &mut VecDeque<Entry> {
        let pipe = inst.op.queue().worker_index().expect("decode gives worker instructions a worker's queue");
        &mut self.queues[pipe]
    }

    fn no_progress(&self) -> FaultRecord {
        let heads = self.queues.iter().zip(Pipe::WORKERS);
        let stuck = heads.filter_map(|(queue, pipe)| Some((pipe, queue.front()?.pc))).next();
        let (pipe, pc) = stuck.expect("the sequencer stalls only behind a pipe that holds an instruction");
        record(Trap::new(Cause::NoProgress, 0), pipe, pc)
    }
}

fn record(trap: Trap, pipe: Pipe, pc: u32) -> FaultRecord {
    FaultRecord { cause: trap.cause, pipe, pc, address: trap.address }
}
