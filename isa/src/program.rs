// SPDX-License-Identifier: Apache-2.0
//! The builder: instructions in program order in, a program with flags out.
//!
//! ```text
//! push(op) ──► effects ──► conflicts with earlier accesses of other pipes
//!                            │ ordered already (flags, barriers, transitively): nothing
//!                            │ read of an L0 tile that its producer still fills:  early flag
//!                            │ anything else (also write after read):             normal flag
//!                            └ no slot, id or counter left for it:                barrier
//! ```
//!
//! *Guarantee*: what the builder gives back passes [`mod@crate::check`] if its instructions do on their own (bounds, registers,
//! shapes). Every flag points forward in program order, so the program cannot deadlock, whatever the queue lengths.
//! Double buffering needs nothing special: using two halves in turn gives flags from the consumer back to the producer, and
//! the producer runs one half ahead.
//!
//! Early flags use the ids 0 to 3 of MTE1 to M and M to FIX, normal ones the ids 4 to 7 there and 0 to 7 elsewhere.

use crate::effects::{Access, effects};
use crate::inst::{Inst, Instruction};
use crate::limits::{FLAG_IDS, FLAG_LIMIT, SET_SLOTS, WAIT_SLOTS};
use crate::order::{Clock, Conflict, PIPES, Position, Tracker, chains};
use crate::pipe::{Flag, Pipe, Signal, Wait};
use crate::state::State;
use std::collections::{BTreeSet, HashMap};

/// Collects instructions and assigns their flags.
///
/// ```
/// use isa::*;
/// let mut builder = ProgramBuilder::new();
/// let (address, stride) = (0, 512);
/// builder.push(Instruction::Mte2Load(Mte2Load {
///     gm: GmAddress { base: 0, offset: 0 },
///     gm_stride: 32,
///     layout: Layout::Nz,
///     dst: LocalBuffer::L1,
///     dst_address: address,
///     dst_stride: stride,
///     rows: 16,
///     len_bytes: 32,
/// }));
/// builder.push(Instruction::Mte1Load(Mte1Load {
///     side: Side::A,
///     transpose: false,
///     dtype: Dtype::S8,
///     l1_address: address,
///     panel_stride: stride,
///     rows: 16,
///     k: 32,
///     fractal: 0,
/// }));
/// let program = builder.finish();
/// assert_eq!(program[0].sets, [Signal { to: Pipe::Mte1, id: 0, early: false }]);
/// assert_eq!(program[1].waits, [Wait { from: Pipe::Mte2, id: 0 }]);
/// assert_eq!(check(&program, &Config::tiny()), Ok(()));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ProgramBuilder {
    program: Vec<Inst>,
    state: State,
    tracker: Tracker,
    /// Index in `program` of every worker instruction, by pipe and sequence.
    indices: [Vec<usize>; PIPES],
    flags: HashMap<Flag, Use>,
    chaining: Chaining,
}

/// Whether the builder may use early flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Chaining {
    #[default]
    Early,
    Never,
}

/// The sets and waits of one flag so far: the n-th wait takes the n-th set.
#[derive(Clone, Debug, Default)]
struct Use {
    sets: Vec<u32>,
    waits: Vec<u32>,
}

/// One flag to be added: a set on `carrier`, a wait on the new instruction.
#[derive(Clone, Copy, Debug)]
struct Edge {
    carrier: Position,
    id: u8,
    early: bool,
}

/// An order that the new instruction needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// This instruction, and so all before it in its pipe, has finished.
    Finish(Position),
    /// This instruction has started, and is early.
    Chain(Position),
}

impl ProgramBuilder {
    /// An empty program.
    pub fn new() -> ProgramBuilder {
        ProgramBuilder::default()
    }

    /// An empty program that will have no early flags: every instruction waits for whole instructions. Slower, and useful to
    /// tell a fault of chaining from another one.
    pub fn without_chaining() -> ProgramBuilder {
        ProgramBuilder { chaining: Chaining::Never, ..ProgramBuilder::default() }
    }

    /// Adds an instruction and the flags that it needs, and gives its index. A barrier may come before it.
    ///
    /// END is left to [`ProgramBuilder::finish`]: it is not added here, and the index is that of the next instruction.
    pub fn push(&mut self, op: Instruction) -> usize {
        match op {
            Instruction::End => {}
            Instruction::Barrier => self.barrier(),
            Instruction::Set { pipe, register, value } => {
                self.state.set(pipe, register, value);
                self.program.push(Inst::new(op));
            }
            _ => match op.pipe().worker_index() {
                Some(pipe) => self.push_worker(op, pipe),
                None => self.program.push(Inst::new(op)),
            },
        }
        self.program.len().saturating_sub(usize::from(op != Instruction::End))
    }

    /// Adds a SET, unless the register has this value already.
    pub fn set(&mut self, pipe: Pipe, register: u8, value: u32) {
        if self.state.get(pipe, register) != Some(value) {
            self.push(Instruction::Set { pipe, register, value });
        }
    }

    /// Adds a barrier, which also makes every GM write before it visible to every pipe after it.
    pub fn barrier(&mut self) {
        self.tracker.barrier();
        self.program.push(Inst::new(Instruction::Barrier));
    }

    /// The instructions so far; those already there may still get sets.
    pub fn instructions(&self) -> &[Inst] {
        &self.program
    }

    /// The program, with END.
    pub fn finish(mut self) -> Vec<Inst> {
        self.program.push(Inst::new(Instruction::End));
        self.program
    }

    fn push_worker(&mut self, op: Instruction, pipe: usize) {
        let accesses = effects(&op, &self.state);
        let edges = self.edges(pipe, &accesses).unwrap_or_else(|| {
            self.barrier();
            Vec::new()
        });
        let mut start = self.tracker.next_start(pipe);
        let mut inst = Inst::new(op);
        for edge in edges {
            let Edge { carrier, id, early } = edge;
            let flag = Flag { from: Pipe::WORKERS[carrier.pipe], to: Pipe::WORKERS[pipe], id };
            let used = self.flags.entry(flag).or_default();
            used.sets.push(carrier.sequence);
            used.waits.push(self.tracker.count(pipe));
            if early {
                self.tracker.mark_early(carrier);
            }
            start.join(&self.token(edge));
            inst.waits.push(Wait { from: flag.from, id });
            self.program[self.indices[carrier.pipe][carrier.sequence as usize]].sets.push(Signal {
                to: flag.to,
                id,
                early,
            });
        }
        debug_assert_eq!(self.tracker.unordered(pipe, &start, &accesses), []);
        self.tracker.take(pipe, start, &accesses, false);
        self.indices[pipe].push(self.program.len());
        self.program.push(inst);
    }

    /// What the wait at the end of an edge learns.
    fn token(&self, edge: Edge) -> Clock {
        *if edge.early { self.tracker.start(edge.carrier) } else { self.tracker.finish(edge.carrier) }
    }

    /// The flags that a new instruction of `pipe` needs; `None` if a barrier is needed.
    fn edges(&self, pipe: usize, accesses: &[Access]) -> Option<Vec<Edge>> {
        let start = self.tracker.next_start(pipe);
        let conflicts = self.tracker.unordered(pipe, &start, accesses);
        if conflicts.iter().any(|conflict| conflict.wrote && matches!(conflict.buffer, crate::Buffer::Gm(_))) {
            return None;
        }
        let chained = self.plan(pipe, &start, self.needs(pipe, &conflicts, self.chaining));
        // Many producers of one tile: one normal flag of the last of them serves for all.
        chained.or_else(|| self.plan(pipe, &start, self.needs(pipe, &conflicts, Chaining::Never)))
    }

    fn needs(&self, pipe: usize, conflicts: &[Conflict], chaining: Chaining) -> BTreeSet<Need> {
        let need = |conflict: &Conflict| {
            let earlier = conflict.earlier;
            let may_chain = conflict.wrote && !conflict.writes && chains(conflict.buffer, earlier.pipe, pipe);
            if may_chain && chaining == Chaining::Early { Need::Chain(earlier) } else { Need::Finish(earlier) }
        };
        conflicts.iter().map(need).collect()
    }

    /// Chooses flags for the needs, as few as possible; `None` if they do not fit.
    fn plan(&self, pipe: usize, start: &Clock, needs: BTreeSet<Need>) -> Option<Vec<Edge>> {
        let mut edges: Vec<Edge> = Vec::new();
        // Later instructions of a pipe first: their flags often make those of earlier ones needless.
        for need in needs.iter().rev() {
            let mut clock = *start;
            edges.iter().for_each(|edge| clock.join(&self.token(*edge)));
            if !self.is_met(*need, &clock, &edges) {
                edges.push(self.edge(*need, pipe, &edges)?);
            }
        }
        // An edge chosen early may have become needless by one of another pipe.
        let mut index = 0;
        while index < edges.len() {
            let mut others = edges.clone();
            others.remove(index);
            let mut clock = *start;
            others.iter().for_each(|edge| clock.join(&self.token(*edge)));
            if needs.iter().all(|need| self.is_met(*need, &clock, &others)) {
                edges = others;
            } else {
                index += 1;
            }
        }
        (edges.len() <= WAIT_SLOTS).then_some(edges)
    }

    fn is_met(&self, need: Need, clock: &Clock, edges: &[Edge]) -> bool {
        match need {
            Need::Finish(position) => position.finished_in(clock),
            Need::Chain(position) => {
                let early =
                    self.tracker.is_early(position) || edges.iter().any(|edge| edge.early && edge.carrier == position);
                position.finished_in(clock) || early && position.started_in(clock)
            }
        }
    }

    /// A flag for one need, besides those already chosen for the same instruction.
    fn edge(&self, need: Need, pipe: usize, chosen: &[Edge]) -> Option<Edge> {
        if let Need::Chain(position) = need
            && let Some(edge) = self.free_id(position, pipe, true, chosen)
        {
            return Some(edge);
        }
        let (Need::Chain(position) | Need::Finish(position)) = need;
        // A later instruction of the pipe can carry the flag if this one has no slot or id left.
        let last = self.tracker.count(position.pipe);
        let carriers = (position.sequence..last).map(|sequence| Position { pipe: position.pipe, sequence });
        carriers.into_iter().find_map(|carrier| self.free_id(carrier, pipe, false, chosen))
    }

    /// An edge from `carrier` to the next instruction of `pipe`, if the carrier has a slot and some id keeps its order and limit.
    fn free_id(&self, carrier: Position, pipe: usize, early: bool, chosen: &[Edge]) -> Option<Edge> {
        let inst = &self.program[self.indices[carrier.pipe][carrier.sequence as usize]];
        let pending = chosen.iter().filter(|edge| edge.carrier == carrier).count();
        if inst.sets.len() + pending >= SET_SLOTS {
            return None;
        }
        let event = if early { self.tracker.start(carrier) } else { self.tracker.finish(carrier) };
        let (from, to) = (Pipe::WORKERS[carrier.pipe], Pipe::WORKERS[pipe]);
        let fits = |id: &u8| {
            let flag = Flag { from, to, id: *id };
            if chosen.iter().any(|edge| edge.carrier.pipe == carrier.pipe && edge.id == *id) {
                return false;
            }
            let Some(used) = self.flags.get(&flag) else { return true };
            // The n-th wait takes the n-th set, so sets must be added in the order of the pipe.
            let in_order = used.sets.last().is_none_or(|&last| last < carrier.sequence);
            let taken = used.waits.partition_point(|&taker| taker < event.started[pipe]);
            in_order && used.sets.len() + 1 - taken <= usize::from(FLAG_LIMIT)
        };
        let id = ids(from, to, early).find(fits)?;
        Some(Edge { carrier, id, early })
    }
}

/// The ids that the builder uses for a kind of flag: one flag never has both kinds.
fn ids(from: Pipe, to: Pipe, early: bool) -> std::ops::Range<u8> {
    let all = FLAG_IDS as u8;
    match (Flag { from, to, id: 0 }.may_be_early(), early) {
        (false, _) => 0..all,
        (true, true) => 0..all / 2,
        (true, false) => all / 2..all,
    }
}
