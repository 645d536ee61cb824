// SPDX-License-Identifier: Apache-2.0
//! A run as a timeline: when every operation was queued, started and finished, what it waited for, and who raised it.
//!
//! ```text
//!  Program, Recording, Report ──► Timeline { spans, lanes, .. }
//!
//!      queued      ready        started          ended
//!   ─────┼───────────┼─────────────┼────────────────┼────►  cycle
//!        │ behind    │ waits for   │ in the engine  │
//!        │ others    │ flags,      │                │
//!        │           │ the engine  │                │
//! ```

use crate::program::Program;
use crate::report::Report;
use crate::simulated::MemorySettings;
use isa::limits::INSTRUCTION_BYTES;
use isa::{Config, Flag, Inst, Pipe};
use sim::Recording;
use std::collections::BTreeMap;

/// A flag that an operation had to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The flag.
    pub flag: Flag,
    /// The span that raised the count that this operation took, as an index of [`Timeline::spans`].
    pub raised_by: usize,
    /// When.
    pub raised: u64,
}

/// An operation in its pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which instruction of the program.
    pub instruction: usize,
    /// Its pipe.
    pub pipe: Pipe,
    /// Cycle at which it entered the queue.
    pub queued: u64,
    /// First cycle at which nothing of its pipe was before it any more.
    pub ready: u64,
    /// Cycle at which the engine took it.
    pub started: u64,
    /// Cycle after its last one; the end of the run if it never finished.
    pub ended: u64,
    /// True if it finished.
    pub finished: bool,
    /// Operations of a pipe overlap: the first row in which it has room, from 0 on.
    pub lane: usize,
    /// The flags that it took.
    pub taken: Vec<Taken>,
}

/// A run, laid out in time.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The core.
    pub config: Config,
    /// The memory behind it.
    pub memory: MemorySettings,
    /// The program.
    pub program: Vec<Inst>,
    /// What was recorded.
    pub recording: Recording,
    /// The counters; none after a fault.
    pub report: Option<Report>,
    /// Every operation that started, by pipe, and in a pipe in order.
    pub spans: Vec<Span>,
    /// Rows that each pipe needs, in the order of [`Pipe::WORKERS`].
    pub lanes: [usize; Pipe::WORKERS.len()],
}

impl Timeline {
    /// Lays out what was recorded of a run of `program`.
    pub fn new(
        config: &Config,
        memory: MemorySettings,
        program: &Program,
        recording: Recording,
        report: Option<Report>,
    ) -> Timeline {
        let program = program.instructions().to_vec();
        let mut spans = Vec::new();
        let mut lanes = [1; Pipe::WORKERS.len()];
        for ((index, pipe), lanes) in Pipe::WORKERS.into_iter().enumerate().zip(&mut lanes) {
            let first = spans.len();
            spans.extend(spans_of(pipe, index, &program, &recording));
            let own = &mut spans[first..];
            let places = self::lanes(own.iter().map(|span: &Span| (span.started, span.ended)));
            *lanes = places.iter().max().map_or(1, |last| last + 1);
            own.iter_mut().zip(places).for_each(|(span, lane)| span.lane = lane);
        }
        take_flags(&mut spans, &program, &recording);
        Timeline { config: config.clone(), memory, program, recording, report, spans, lanes }
    }
}

/// The operations of one pipe that started, all in lane 0 and without flags.
fn spans_of(pipe: Pipe, index: usize, program: &[Inst], recording: &Recording) -> Vec<Span> {
    let record = &recording.pipes[index];
    let queue = (0..program.len()).filter(|&at| program[at].op.queue() == pipe);
    let queued: BTreeMap<usize, u64> = queue.zip(record.queued.iter().copied()).collect();
    let mut before = 0;
    let mut spans = Vec::with_capacity(record.started.len());
    for (nth, &(started, pc)) in record.started.iter().enumerate() {
        let instruction = pc as usize / INSTRUCTION_BYTES;
        let queued = queued.get(&instruction).copied().unwrap_or(started);
        let done = record.done.get(nth).copied();
        spans.push(Span {
            instruction,
            pipe,
            queued,
            ready: queued.max(before).min(started),
            started,
            ended: done.map_or(recording.cycles, |done| done + 1).max(started + 1),
            finished: done.is_some(),
            lane: 0,
            taken: Vec::new(),
        });
        before = started + 1;
    }
    spans
}

/// For each of the pieces (start, end), sorted by start, the first row in which none before it is in its way.
pub fn lanes(pieces: impl IntoIterator<Item = (u64, u64)>) -> Vec<usize> {
    let mut free: Vec<u64> = Vec::new();
    let place = |(start, end)| {
        let lane = free.iter().position(|&from| from <= start).unwrap_or(free.len());
        match free.get_mut(lane) {
            Some(from) => *from = end,
            None => free.push(end),
        }
        lane
    };
    pieces.into_iter().map(place).collect()
}

/// The n-th take of a flag takes what the n-th set of it raised: both pipes are in order.
fn take_flags(spans: &mut [Span], program: &[Inst], recording: &Recording) {
    let mut raises: BTreeMap<Flag, Vec<(u64, usize)>> = BTreeMap::new();
    let early = recording
        .pipes
        .each_ref()
        .map(|pipe| -> BTreeMap<usize, u64> { pipe.early.iter().map(|&(cycle, nth)| (nth, cycle)).collect() });
    let mut nth = [0; Pipe::WORKERS.len()];
    for (at, span) in spans.iter().enumerate() {
        let index = span.pipe.worker_index().expect("operations are of workers");
        let early = early[index].get(&nth[index]).copied();
        nth[index] += 1;
        let Some(inst) = program.get(span.instruction) else { continue };
        for signal in &inst.sets {
            let raised = if signal.early { early } else { span.finished.then(|| span.ended - 1) };
            if let Some(raised) = raised {
                raises.entry(signal.flag(span.pipe)).or_default().push((raised, at));
            }
        }
    }
    let mut taken: BTreeMap<Flag, usize> = BTreeMap::new();
    for span in spans.iter_mut() {
        let Some(inst) = program.get(span.instruction) else { continue };
        for flag in inst.wait_flags() {
            let count = taken.entry(flag).or_default();
            if let Some(&(raised, raised_by)) = raises.get(&flag).and_then(|raises| raises.get(*count)) {
                span.taken.push(Taken { flag, raised_by, raised });
            }
            *count += 1;
        }
    }
}
