// SPDX-License-Identifier: Apache-2.0
//! What can happen in a cycle, found by comparing the core before and after it.

use isa::limits::INSTRUCTION_BYTES;
use isa::{Flag, Inst, Instruction, Pipe};
use sim::core::Ended;
use sim::{Burst, Look, Recording};

const PIPES: usize = Pipe::WORKERS.len();

/// Something that happened in one cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An instruction of the sequencer (NOP, BARRIER, END) has left it.
    Passed {
        /// Its program counter.
        pc: u32,
    },
    /// A SET has written its register.
    Wrote {
        /// The pipe of the register.
        pipe: Pipe,
        /// Its program counter.
        pc: u32,
    },
    /// A pipe has finished its oldest operation.
    Finished {
        /// The pipe.
        pipe: Pipe,
        /// Program counter of the operation.
        pc: u32,
    },
    /// A flag counter has gone up by one.
    Raised {
        /// The flag.
        flag: Flag,
        /// Program counter of the operation that raised it.
        pc: u32,
    },
    /// A flag counter has gone down by one.
    Taken {
        /// The flag.
        flag: Flag,
        /// Program counter of the operation that took it.
        pc: u32,
    },
    /// An engine has taken an operation.
    Started {
        /// The pipe.
        pipe: Pipe,
        /// Program counter of the operation.
        pc: u32,
    },
    /// The address of a burst was taken by the memory bus.
    Asked(Burst),
    /// The program has ended.
    Ended(Ended),
}

/// The instruction at a program counter.
pub(super) fn instruction(program: &[Inst], pc: u32) -> Option<&Inst> {
    program.get(pc as usize / INSTRUCTION_BYTES)
}

/// How far everything was before a cycle.
pub(super) struct Mark {
    started: [usize; PIPES],
    done: [usize; PIPES],
    early: [usize; PIPES],
    heads: [Option<u32>; PIPES],
    next: Option<u32>,
    bursts: usize,
}

impl Mark {
    /// How far it is now.
    pub(super) fn of(recording: &Recording, look: &Look) -> Mark {
        let pipes = recording.pipes.each_ref();
        Mark {
            started: pipes.map(|pipe| pipe.started.len()),
            done: pipes.map(|pipe| pipe.done.len()),
            early: pipes.map(|pipe| pipe.early.len()),
            heads: Pipe::WORKERS.map(|pipe| look.head(pipe)),
            next: look.sequencer().map(|sequencer| sequencer.pc),
            bursts: recording.bursts.len(),
        }
    }

    /// What has happened since, in one cycle: the sequencer first, then pipe by pipe, then the bus.
    pub(super) fn events(&self, recording: &Recording, look: &Look, program: &[Inst]) -> Vec<Event> {
        let after = Mark::of(recording, look);
        let mut events = Vec::new();
        if let Some(pc) = self.next.filter(|_| self.next != after.next) {
            let own = instruction(program, pc).is_some_and(|inst| inst.op.queue() == Pipe::S);
            events.extend(own.then_some(Event::Passed { pc }));
        }
        for (at, pipe) in Pipe::WORKERS.into_iter().enumerate() {
            let record = &recording.pipes[at];
            if let Some(pc) = self.heads[at].filter(|_| self.heads[at] != after.heads[at]) {
                let is_set = instruction(program, pc).is_some_and(|inst| matches!(inst.op, Instruction::Set { .. }));
                events.extend(is_set.then_some(Event::Wrote { pipe, pc }));
            }
            let raised = |nth: usize, early: bool| {
                let pc = record.started.get(nth).map(|&(_, pc)| pc);
                let sets = pc.and_then(|pc| Some((pc, instruction(program, pc)?)));
                sets.into_iter().flat_map(move |(pc, inst)| {
                    let own = inst.sets.iter().filter(move |signal| signal.early == early);
                    own.map(move |signal| Event::Raised { flag: signal.flag(pipe), pc })
                })
            };
            for &(_, nth) in &record.early[self.early[at]..] {
                events.extend(raised(nth, true));
            }
            for nth in self.done[at]..record.done.len() {
                events.extend(record.started.get(nth).map(|&(_, pc)| Event::Finished { pipe, pc }));
                events.extend(raised(nth, false));
            }
            for &(_, pc) in &record.started[self.started[at]..] {
                let flags = instruction(program, pc).into_iter().flat_map(|inst| inst.wait_flags());
                events.extend(flags.map(|flag| Event::Taken { flag, pc }));
                events.push(Event::Started { pipe, pc });
            }
        }
        events.extend(recording.bursts[self.bursts..].iter().map(|&burst| Event::Asked(burst)));
        events
    }
}
