// SPDX-License-Identifier: Apache-2.0
//! Happens-before between the pipes: vector clocks, and the shadow of the buffers that finds unordered accesses.
//!
//! The rules that [`mod@crate::check`] and [`crate::program`] share. An instruction has a start S and a finish F.
//!
//! * Instructions of one pipe start in order, finish in order, and touch memory and full bits as if one after the other; but
//!   a start does not wait for the finish of the instruction before. So an early instruction clears its full bits behind
//!   every block that earlier instructions of its pipe still write.
//! * A wait takes place before S. A normal set fires at F, an early set after S.
//! * An early instruction clears the full bits of its target tile at S. A consumer that starts later and reads blocks of
//!   that tile waits for each of them, so it needs S only; if it reads the whole tile, its F comes after the producer's F.
//! * A barrier comes after every F before it, and after the answer to every GM write; it comes before every S after it.
//! * A GM write is visible to other pipes only after a barrier: a flag says that the data has left the buffer, not that it
//!   has arrived.

use crate::effects::{Access, Buffer};
use crate::pipe::Pipe;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// Number of worker pipes.
pub(crate) const PIPES: usize = Pipe::WORKERS.len();

/// What an event knows of every worker pipe: how many of its instructions have started, and how many have finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) started: [u32; PIPES],
    pub(crate) finished: [u32; PIPES],
}

impl Clock {
    /// Learns what `other` knows.
    pub(crate) fn join(&mut self, other: &Clock) {
        for pipe in 0..PIPES {
            self.started[pipe] = self.started[pipe].max(other.started[pipe]);
            self.finished[pipe] = self.finished[pipe].max(other.finished[pipe]);
        }
    }
}

/// Position of an instruction: worker pipe, and how many instructions that pipe had before it. SET does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) pipe: usize,
    pub(crate) sequence: u32,
}

impl Position {
    /// True if `clock` knows that the instruction has finished.
    pub(crate) fn finished_in(self, clock: &Clock) -> bool {
        clock.finished[self.pipe] > self.sequence
    }

    /// True if `clock` knows that the instruction has started.
    pub(crate) fn started_in(self, clock: &Clock) -> bool {
        clock.started[self.pipe] > self.sequence
    }
}

/// True if full bits interlock a read of `buffer` by pipe `reader` with its writer in pipe `writer`.
pub(crate) fn chains(buffer: Buffer, writer: usize, reader: usize) -> bool {
    let pair = (Pipe::WORKERS[writer], Pipe::WORKERS[reader]);
    match buffer {
        Buffer::L0a | Buffer::L0b => pair == (Pipe::Mte1, Pipe::M),
        Buffer::L0c => pair == (Pipe::M, Pipe::Fix),
        _ => false,
    }
}

/// Who touched a range last: the last writer, and the last reader of each pipe since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Segment {
    end: u64,
    writer: Option<Position>,
    readers: [Option<u32>; PIPES],
}

/// An earlier access that a later one must be ordered after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Conflict {
    /// The earlier instruction.
    pub(crate) earlier: Position,
    /// True if the earlier access is a write.
    pub(crate) wrote: bool,
    /// True if the later access is a write.
    pub(crate) writes: bool,
    /// Where.
    pub(crate) buffer: Buffer,
    /// First unit of the first range found.
    pub(crate) start: u64,
    /// End of that range.
    pub(crate) end: u64,
}

/// The last accesses to every unit of every buffer since the last barrier.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shadow {
    buffers: HashMap<Buffer, BTreeMap<u64, Segment>>,
}

impl Shadow {
    /// The accesses of other pipes that an access by `pipe` conflicts with, one entry per earlier instruction and kind.
    pub(crate) fn conflicts(&self, pipe: usize, access: &Access) -> Vec<Conflict> {
        let mut found: Vec<Conflict> = Vec::new();
        let Some(segments) = self.buffers.get(&access.buffer) else { return found };
        let mut add = |earlier: Position, wrote, segment: Range<u64>| {
            let known = |other: &Conflict| other.earlier == earlier && other.wrote == wrote;
            if earlier.pipe != pipe && !found.iter().rev().any(known) {
                let (writes, buffer) = (access.write, access.buffer);
                found.push(Conflict { earlier, wrote, writes, buffer, start: segment.start, end: segment.end });
            }
        };
        for range in &access.ranges {
            let first = segments.range(..range.start).next_back();
            for (&start, segment) in first.into_iter().chain(segments.range(range.clone())) {
                let overlap = start.max(range.start)..segment.end.min(range.end);
                if overlap.is_empty() {
                    continue;
                }
                if let Some(writer) = segment.writer {
                    add(writer, true, overlap.clone());
                }
                for (reader, sequence) in segment.readers.iter().enumerate() {
                    if let (true, &Some(sequence)) = (access.write, sequence) {
                        add(Position { pipe: reader, sequence }, false, overlap.clone());
                    }
                }
            }
        }
        found
    }

    /// Records an access.
    pub(crate) fn record(&mut self, position: Position, access: &Access) {
        let segments = self.buffers.entry(access.buffer).or_default();
        for range in &access.ranges {
            split(segments, range.start);
            split(segments, range.end);
            if access.write {
                let covered: Vec<u64> = segments.range(range.clone()).map(|(&start, _)| start).collect();
                for start in covered {
                    segments.remove(&start);
                }
                let written = Segment { end: range.end, writer: Some(position), readers: [None; PIPES] };
                segments.insert(range.start, written);
                continue;
            }
            let mut gaps: Vec<Range<u64>> = Vec::new();
            let mut at = range.start;
            for (&start, segment) in segments.range_mut(range.clone()) {
                if at < start {
                    gaps.push(at..start);
                }
                segment.readers[position.pipe] = Some(position.sequence);
                at = segment.end;
            }
            if at < range.end {
                gaps.push(at..range.end);
            }
            for gap in gaps {
                let mut read = Segment { end: gap.end, ..Segment::default() };
                read.readers[position.pipe] = Some(position.sequence);
                segments.insert(gap.start, read);
            }
        }
    }

    /// Forgets everything: a barrier has ordered it.
    pub(crate) fn clear(&mut self) {
        self.buffers.clear();
    }
}

/// Makes `at` a boundary between segments.
fn split(segments: &mut BTreeMap<u64, Segment>, at: u64) {
    if let Some((_, segment)) = segments.range_mut(..at).next_back()
        && segment.end > at
    {
        let upper = *segment;
        segment.end = at;
        segments.insert(at, upper);
    }
}

/// Clocks and shadow of a program while its instructions are taken one by one, in an order that the flags allow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tracker {
    starts: [Vec<Clock>; PIPES],
    finishes: [Vec<Clock>; PIPES],
    early: [Vec<bool>; PIPES],
    targets: [Vec<Option<Access>>; PIPES],
    floor: Clock,
    shadow: Shadow,
}

impl Tracker {
    /// What the next instruction of `pipe` knows at its start before it has waited for any flag.
    pub(crate) fn next_start(&self, pipe: usize) -> Clock {
        let mut clock = self.starts[pipe].last().copied().unwrap_or_default();
        clock.join(&self.floor);
        clock
    }

    /// Instructions that `pipe` has had so far.
    pub(crate) fn count(&self, pipe: usize) -> u32 {
        self.starts[pipe].len() as u32
    }

    /// What an early set of the instruction tells.
    pub(crate) fn start(&self, position: Position) -> &Clock {
        &self.starts[position.pipe][position.sequence as usize]
    }

    /// What a normal set of the instruction tells.
    pub(crate) fn finish(&self, position: Position) -> &Clock {
        &self.finishes[position.pipe][position.sequence as usize]
    }

    /// True if the instruction clears the full bits of its target at its start.
    pub(crate) fn is_early(&self, position: Position) -> bool {
        self.early[position.pipe][position.sequence as usize]
    }

    /// Makes an instruction early, before a consumer that relies on it is taken.
    pub(crate) fn mark_early(&mut self, position: Position) {
        self.early[position.pipe][position.sequence as usize] = true;
    }

    /// The conflicts of an instruction of `pipe` that starts at `start` which nothing orders.
    pub(crate) fn unordered(&self, pipe: usize, start: &Clock, accesses: &[Access]) -> Vec<Conflict> {
        let conflicts = accesses.iter().flat_map(|access| self.shadow.conflicts(pipe, access));
        conflicts.filter(|conflict| !self.is_ordered(conflict, pipe, start)).collect()
    }

    /// True if a start at `start` in `pipe` comes after the earlier access, or is chained to it.
    pub(crate) fn is_ordered(&self, conflict: &Conflict, pipe: usize, start: &Clock) -> bool {
        if conflict.wrote && matches!(conflict.buffer, Buffer::Gm(_)) {
            return false; // Only a barrier orders it, and a barrier empties the shadow.
        }
        let earlier = conflict.earlier;
        let chained = conflict.wrote && !conflict.writes && chains(conflict.buffer, earlier.pipe, pipe);
        earlier.finished_in(start) || chained && self.is_early(earlier) && earlier.started_in(start)
    }

    /// Takes the instruction: `start` is [`Tracker::next_start`] joined with the flags that it waits for.
    pub(crate) fn take(&mut self, pipe: usize, mut start: Clock, accesses: &[Access], early: bool) -> Position {
        let position = Position { pipe, sequence: self.count(pipe) };
        start.started[pipe] = position.sequence + 1;
        let mut finish = start;
        if let Some(previous) = self.finishes[pipe].last() {
            finish.join(previous);
        }
        finish.finished[pipe] = position.sequence + 1;
        for access in accesses.iter().filter(|access| !access.write) {
            for conflict in self.shadow.conflicts(pipe, access) {
                let producer = conflict.earlier;
                let chained = chains(access.buffer, producer.pipe, pipe) && self.is_early(producer);
                if chained && producer.started_in(&start) && self.reads_all_of(access, producer) {
                    finish.join(&self.finishes[producer.pipe][producer.sequence as usize]);
                }
            }
        }
        for access in accesses {
            self.shadow.record(position, access);
        }
        let l0 = |access: &&Access| access.write && matches!(access.buffer, Buffer::L0a | Buffer::L0b | Buffer::L0c);
        self.starts[pipe].push(start);
        self.finishes[pipe].push(finish);
        self.early[pipe].push(early);
        self.targets[pipe].push(accesses.iter().find(l0).cloned());
        position
    }

    /// Takes a barrier.
    pub(crate) fn barrier(&mut self) {
        for pipe in 0..PIPES {
            self.floor.started[pipe] = self.count(pipe);
        }
        // What has finished need not be known: the shadow forgets everything that could ask.
        self.shadow.clear();
    }

    fn reads_all_of(&self, access: &Access, producer: Position) -> bool {
        self.targets[producer.pipe][producer.sequence as usize].as_ref().is_some_and(|target| access.covers(target))
    }
}
