// SPDX-License-Identifier: Apache-2.0
//! The program checker: what is wrong with a program, found before it runs.
//!
//! For a core of a given [`Config`] it proves that
//!
//! * every instruction has an encoding and the core has what it names; END stands last;
//! * every access lies inside its buffer, and GM accesses inside 40 bits (base registers are unknown, so only the offset counts);
//! * every state register is set before it is used, and scale and zero points that are known are legal;
//! * L0A, L0B, L0C and FB are written before they are read, with the shape they are read with;
//! * the program ends: no deadlock with the queues of the core, every flag zero at END, no flag ever above 15 whatever the timing;
//! * no two pipes touch the same bytes unordered, a write among them. A chained read (early set, MTE1 to M or M to FIX) counts
//!   as ordered after the blocks that its producer writes. Base registers are taken to point to disjoint memory, and a GM
//!   write is seen by other pipes only after a barrier.
//!
//! What it cannot know: memory windows, bus errors, values of data (a scale in FB).

mod finding;
mod l0;
mod local;
mod tokens;

pub use finding::{Finding, Problem};

use crate::config::Config;
use crate::effects::effects;
use crate::inst::{Inst, Instruction};
use crate::limits::FLAG_LIMIT;
use crate::order::{Clock, Position, Tracker};
use crate::pipe::Flag;
use crate::state::State;
use l0::Contents;
use std::collections::{BTreeSet, HashMap, VecDeque};
use tokens::Step;

/// Checks a program for a core.
///
/// *Errors*: every finding, sorted by instruction. While an instruction has no encoding only such findings are given, and
/// while the program deadlocks nothing about order; order is about what runs.
pub fn check(program: &[Inst], config: &Config) -> Result<(), Vec<Finding>> {
    let mut findings = local::encodings(program, config);
    if findings.is_empty() {
        findings.extend(local::operands(program, config));
        findings.extend(order(program, config));
    }
    findings.sort_by_key(|finding| finding.index);
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// Tokens of one flag while the game is played.
#[derive(Default)]
struct FlagTokens {
    /// What each set that has not been taken tells.
    tokens: VecDeque<Clock>,
    /// Sets so far.
    sets: u32,
    /// Sequence numbers of the instructions that took one, in order.
    takers: Vec<u32>,
    /// Kinds of sets seen: normal, early.
    kinds: [bool; 2],
    /// The last instruction that set it.
    setter: usize,
}

fn order(program: &[Inst], config: &Config) -> Vec<Finding> {
    let mut steps = Vec::new();
    if let Err(stuck) = tokens::play(program, config.queue_len, |step| steps.push(step)) {
        let report = |stuck: &tokens::Stuck| {
            Finding::new(program, stuck.index, Problem::Deadlock { flag: stuck.flag, setter: stuck.setter })
        };
        return stuck.iter().map(report).collect();
    }
    let states = states(program);
    let mut run = Run { program, findings: Vec::new(), flags: HashMap::new(), tracker: Tracker::default() };
    let mut indices: HashMap<Position, usize> = HashMap::new();
    let mut contents = Contents::default();
    for step in steps {
        match step {
            Step::Barrier => run.tracker.barrier(),
            Step::Run(index) => {
                for problem in contents.run(&program[index].op, &states[index]) {
                    run.findings.push(Finding::new(program, index, problem));
                }
                run.step(index, &states[index], &mut indices);
            }
        }
    }
    for (&flag, state) in &run.flags {
        if !state.tokens.is_empty() {
            let problem = Problem::FlagLeft { flag, count: state.tokens.len() };
            run.findings.push(Finding::new(program, state.setter, problem));
        }
        if state.kinds == [true, true] {
            run.findings.push(Finding::new(program, state.setter, Problem::MixedFlag { flag }));
        }
    }
    run.findings
}

struct Run<'a> {
    program: &'a [Inst],
    findings: Vec<Finding>,
    flags: HashMap<Flag, FlagTokens>,
    tracker: Tracker,
}

impl Run<'_> {
    fn step(&mut self, index: usize, state: &State, indices: &mut HashMap<Position, usize>) {
        let inst = &self.program[index];
        let Some(pipe) = inst.op.pipe().worker_index() else { return };
        let mut start = self.tracker.next_start(pipe);
        for flag in inst.wait_flags() {
            let flag = self.flags.entry(flag).or_default();
            let token = flag.tokens.pop_front().expect("the token game ran this instruction, so the token is there");
            start.join(&token);
            flag.takers.push(self.tracker.count(pipe));
        }
        let accesses = effects(&inst.op, state);
        let mut reported = BTreeSet::new();
        for conflict in self.tracker.unordered(pipe, &start, &accesses) {
            let earlier = indices[&conflict.earlier];
            if !reported.insert((earlier, conflict.buffer)) {
                continue;
            }
            // Nothing orders them, so the one that stands later in the program is the one to blame.
            let (first, last) = (earlier.min(index), earlier.max(index));
            let swapped = earlier > index;
            let problem = Problem::Unordered {
                other: first,
                other_text: finding::text(&self.program[first]),
                other_writes: if swapped { conflict.writes } else { conflict.wrote },
                writes: if swapped { conflict.wrote } else { conflict.writes },
                buffer: conflict.buffer,
                start: conflict.start,
                end: conflict.end,
            };
            self.findings.push(Finding::new(self.program, last, problem));
        }
        let position = self.tracker.take(pipe, start, &accesses, inst.is_early());
        indices.insert(position, index);
        for (signal, flag) in inst.sets.iter().zip(inst.set_flags()) {
            let clock = if signal.early { self.tracker.start(position) } else { self.tracker.finish(position) };
            let consumer = flag.to.worker_index().expect("a legal set names a worker pipe");
            let tokens = self.flags.entry(flag).or_default();
            tokens.sets += 1;
            tokens.kinds[usize::from(signal.early)] = true;
            tokens.setter = index;
            let taken = tokens.takers.partition_point(|&taker| taker < clock.started[consumer]) as u32;
            if tokens.sets - taken > u32::from(FLAG_LIMIT) {
                let count = tokens.sets - taken;
                self.findings.push(Finding::new(self.program, index, Problem::FlagOverflow { flag, count }));
            }
            tokens.tokens.push_back(*clock);
        }
    }
}

/// The state registers that every instruction sees.
pub(crate) fn states(program: &[Inst]) -> Vec<State> {
    let mut state = State::reset();
    program
        .iter()
        .map(|inst| {
            if let Instruction::Set { pipe, register, value } = inst.op {
                state.set(pipe, register, value);
            }
            state.clone()
        })
        .collect()
}
