// SPDX-License-Identifier: Apache-2.0
//! What the pipes and the memory bus of a core did, cycle by cycle, from the `trace_*` ports of a traced core.
//!
//! ```text
//!  trace_* ─────────────────────►┌──────────┐
//!  AxiOut, AxiIn of every cycle ►│ Recorder │──► Recording: starts, ends, activities, bursts, beats
//!                                           └──────────┘
//! ```
//! Cycle 0 is the first one that the counters of the core count, so the sums here and the counters agree exactly. Nothing is kept
//! of the cycles in which no program runs. Test: `tests/trace.rs`.

use crate::bus::{Address, AxiIn, AxiOut};
use crate::error::{Error, Result};
use isa::{Activity, Pipe};
use std::collections::VecDeque;
use verilated::{Dut, Port};

/// Pipes that are recorded, in the order of [`Pipe::WORKERS`].
pub const PIPES: usize = Pipe::WORKERS.len();

/// What one pipe did. Cycles are those of the [`Recording`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PipeRecord {
    /// Cycle at which each instruction, SETs included, entered the queue, in order.
    pub queued: Vec<u64>,
    /// Cycle at which each operation went to the engine, and its program counter, in order.
    pub started: Vec<(u64, u32)>,
    /// Cycle at which each operation was finished, in the order of `started`.
    pub done: Vec<u64>,
    /// Cycle at which early flags were raised, and which operation raised them, as an index of `started`.
    pub early: Vec<(u64, usize)>,
    /// From which cycle on the pipe did what; the first entry is that of cycle 0.
    pub activity: Vec<(u64, Activity)>,
}

impl PipeRecord {
    /// Cycles of each activity, in the order of [`Activity::ALL`], up to cycle `end`.
    #[must_use]
    pub fn spent(&self, end: u64) -> [u64; Activity::ALL.len()] {
        let mut spent = [0; Activity::ALL.len()];
        let ends = self.activity.iter().skip(1).map(|&(from, _)| from).chain([end]);
        for (&(from, activity), to) in self.activity.iter().zip(ends) {
            spent[activity as usize] += to - from;
        }
        spent
    }
}

/// A burst on the memory bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    /// True for a write.
    pub write: bool,
    /// Its AXI ID: for reads 0 is the instruction fetch and the others are MTE2's, for writes 0 is FIX and the others are MTE3's.
    pub id: u32,
    /// First byte.
    pub address: u64,
    /// Beats.
    pub beats: u32,
    /// Cycle of the handshake on AR or AW.
    pub asked: u64,
    /// Cycle of its first beat, which a write may bring before its address; none came if it is `None`.
    pub first: Option<u64>,
    /// Cycle of its last beat.
    pub last: Option<u64>,
    /// Cycle of its last R beat or of its B response.
    pub answered: Option<u64>,
}

impl Burst {
    /// Who asked for it.
    #[must_use]
    pub fn requester(&self) -> Pipe {
        requester(self.write, self.id)
    }
}

/// Who owns an AXI ID.
pub(crate) fn requester(write: bool, id: u32) -> Pipe {
    match (write, id) {
        (false, 0) => Pipe::S,
        (false, _) => Pipe::Mte2,
        (true, 0) => Pipe::Fix,
        (true, _) => Pipe::Mte3,
    }
}

/// One program, from the start doorbell to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// Cycles, as the counter `total_cycles` has them.
    pub cycles: u64,
    /// The pipes, in the order of [`Pipe::WORKERS`].
    pub pipes: [PipeRecord; PIPES],
    /// Cycles of the cube's steps.
    pub steps: Vec<u64>,
    /// Bursts in the order of their addresses' handshakes.
    pub bursts: Vec<Burst>,
    /// Cycles with a beat of read data.
    pub read_beats: Vec<u64>,
    /// Cycles with a beat of write data.
    pub write_beats: Vec<u64>,
    /// The bytes that each of these beats writes: bit i for lane i.
    pub write_strobes: Vec<u64>,
}

impl Recording {
    /// The cycle of the last beat of write data that wrote the byte at `address`, on a bus of `bus_bytes`.
    #[must_use]
    pub fn written(&self, address: u64, bus_bytes: u64) -> Option<u64> {
        let word = |address: u64| address / bus_bytes;
        let lane = 1u64 << (address % bus_bytes);
        let mut before = 0;
        let mut last = None;
        // Data come in the order of their addresses.
        for burst in self.bursts.iter().filter(|burst| burst.write) {
            if let Some(beat) =
                word(address).checked_sub(word(burst.address)).filter(|&beat| beat < u64::from(burst.beats))
            {
                let at = before + beat as usize;
                if self.write_strobes.get(at).is_some_and(|strobes| strobes & lane != 0) {
                    last = self.write_beats.get(at).copied();
                }
            }
            before += burst.beats as usize;
        }
        last
    }
}

/// The ports of one pipe.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PipePorts {
    pub(crate) pc: Port,
    pub(crate) start: Port,
    pub(crate) done: Port,
    pub(crate) early: Port,
    pub(crate) queued: Port,
    /// One at most is true; the pipe is busy if none is.
    pub(crate) waits: [(Port, Activity); 4],
}

/// The ports `trace_*` of a traced core.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TracePorts {
    pub(crate) running: Port,
    pub(crate) step: Port,
    pub(crate) pipes: [PipePorts; PIPES],
}

impl TracePorts {
    /// Looks for them.
    ///
    /// # Errors
    /// [`Error::Model`] if the design is no traced core.
    pub(crate) fn find(dut: &Dut) -> Result<TracePorts> {
        let port = |name: &str, index: usize| dut.port(&format!("trace_{name}_{index}")).map_err(Error::Model);
        let pipe = |index| {
            Ok(PipePorts {
                pc: port("pc", index)?,
                start: port("start", index)?,
                done: port("done", index)?,
                early: port("early", index)?,
                queued: port("queued", index)?,
                waits: [
                    (port("wait_flag", index)?, Activity::WaitFlag),
                    (port("wait_block", index)?, Activity::WaitBlock),
                    (port("wait_memory", index)?, Activity::WaitMemory),
                    (port("wait_queue", index)?, Activity::WaitQueue),
                ],
            })
        };
        let pipes: Vec<PipePorts> = (0..PIPES).map(pipe).collect::<Result<_>>()?;
        Ok(TracePorts {
            running: port("running", 0)?,
            step: port("step", 0)?,
            pipes: pipes.try_into().expect("as many as there are pipes"),
        })
    }
}

/// Records one program after the other.
#[derive(Debug)]
pub(crate) struct Recorder {
    ports: TracePorts,
    now: Recording,
    /// Bursts without their last beat or response, as indices of `now.bursts`: reads, writes without all data, writes without response.
    reading: VecDeque<usize>,
    writing: VecDeque<usize>,
    unanswered: VecDeque<usize>,
    /// Write data before their address: cycles of the first and the last beat.
    ahead: VecDeque<(u64, Option<u64>)>,
}

impl Recorder {
    /// Looks for the ports.
    ///
    /// # Errors
    /// [`Error::Model`] if the design is no traced core.
    pub(crate) fn new(dut: &Dut) -> Result<Recorder> {
        Ok(Recorder {
            ports: TracePorts::find(dut)?,
            now: Recording::default(),
            reading: VecDeque::new(),
            writing: VecDeque::new(),
            unanswered: VecDeque::new(),
            ahead: VecDeque::new(),
        })
    }

    /// What was recorded since the last [`Recorder::take`].
    pub(crate) fn now(&self) -> &Recording {
        &self.now
    }

    /// What was recorded since the last call.
    pub(crate) fn take(&mut self) -> Recording {
        self.reading.clear();
        self.writing.clear();
        self.unanswered.clear();
        self.ahead.clear();
        std::mem::take(&mut self.now)
    }

    /// Looks at one cycle, after the outputs have settled.
    pub(crate) fn sample(&mut self, dut: &Dut, answer: &AxiIn, ask: &AxiOut) {
        let is = |port: Port| dut.get(port) != 0;
        if !is(self.ports.running) {
            return;
        }
        let cycle = self.now.cycles;
        self.now.cycles += 1;
        if is(self.ports.step) {
            self.now.steps.push(cycle);
        }
        for (ports, pipe) in self.ports.pipes.iter().zip(&mut self.now.pipes) {
            let waits = ports.waits.iter().find(|&&(port, _)| is(port));
            let activity = waits.map_or(Activity::Busy, |&(_, activity)| activity);
            if pipe.activity.last().is_none_or(|&(_, before)| before != activity) {
                pipe.activity.push((cycle, activity));
            }
            if is(ports.queued) {
                pipe.queued.push(cycle);
            }
            // The engine raises early flags and finishes what it has, not what it is handed in this cycle.
            if is(ports.early) {
                pipe.early.push((cycle, pipe.started.len().saturating_sub(1)));
            }
            if is(ports.done) {
                pipe.done.push(cycle);
            }
            if is(ports.start) {
                pipe.started.push((cycle, dut.get(ports.pc) as u32));
            }
        }
        self.read_side(cycle, answer, ask);
        self.write_side(cycle, answer, ask);
    }

    fn open(&mut self, cycle: u64, write: bool, address: &Address) -> usize {
        self.now.bursts.push(Burst {
            write,
            id: address.id,
            address: address.addr,
            beats: address.beats(),
            asked: cycle,
            first: None,
            last: None,
            answered: None,
        });
        self.now.bursts.len() - 1
    }

    fn read_side(&mut self, cycle: u64, answer: &AxiIn, ask: &AxiOut) {
        if answer.r_valid && ask.r_ready {
            self.now.read_beats.push(cycle);
            let bursts = &mut self.now.bursts;
            // Beats of one ID come in the order of its addresses.
            if let Some(at) = self.reading.iter().position(|&index| bursts[index].id == answer.r.id) {
                let burst = &mut bursts[self.reading[at]];
                burst.first.get_or_insert(cycle);
                if answer.r.last {
                    burst.last = Some(cycle);
                    burst.answered = Some(cycle);
                    self.reading.remove(at);
                }
            }
        }
        if ask.ar_valid && answer.ar_ready {
            let index = self.open(cycle, false, &ask.ar);
            self.reading.push_back(index);
        }
    }

    fn write_side(&mut self, cycle: u64, answer: &AxiIn, ask: &AxiOut) {
        if answer.b_valid && ask.b_ready {
            let bursts = &mut self.now.bursts;
            if let Some(at) = self.unanswered.iter().position(|&index| bursts[index].id == answer.b.id) {
                bursts[self.unanswered[at]].answered = Some(cycle);
                self.unanswered.remove(at);
            }
        }
        if ask.aw_valid && answer.aw_ready {
            let index = self.open(cycle, true, &ask.aw);
            let burst = &mut self.now.bursts[index];
            if let Some((first, last)) = self.ahead.pop_front() {
                (burst.first, burst.last) = (Some(first), last);
            }
            match burst.last {
                Some(_) => self.unanswered.push_back(index),
                None => self.writing.push_back(index),
            }
        }
        if ask.w_valid && answer.w_ready {
            self.now.write_beats.push(cycle);
            self.now.write_strobes.push(ask.w.strb);
            let Some(&index) = self.writing.front() else {
                if self.ahead.back().is_none_or(|(_, last)| last.is_some()) {
                    self.ahead.push_back((cycle, None));
                }
                if let Some((_, last)) = self.ahead.back_mut().filter(|_| ask.w.last) {
                    *last = Some(cycle);
                }
                return;
            };
            self.now.bursts[index].first.get_or_insert(cycle);
            if ask.w.last {
                self.now.bursts[index].last = Some(cycle);
                self.writing.pop_front();
                self.unanswered.push_back(index);
            }
        }
    }
}
