// SPDX-License-Identifier: Apache-2.0
//! The token game: the program played with unit instructions, in-order pipes, bounded queues and flag counters.
//!
//! Every pipe takes its own flags only and in a fixed order, so the game is confluent: one greedy run decides whether the
//! program ends.

use crate::inst::{Inst, Instruction};
use crate::pipe::{Flag, Pipe};
use std::collections::VecDeque;

/// One step of the game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Worker instruction `index` runs.
    Run(usize),
    /// Barrier `index` is passed.
    Barrier,
}

/// The head of a pipe that can never run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stuck {
    /// Index of the instruction.
    pub(crate) index: usize,
    /// The first flag that stays 0.
    pub(crate) flag: Flag,
    /// The next instruction that would set it, if there is one.
    pub(crate) setter: Option<usize>,
}

/// Plays the program up to its END or its last instruction.
///
/// *Errors*: the stuck heads, if it does not get there.
pub(crate) fn play(program: &[Inst], queue_len: usize, mut visit: impl FnMut(Step)) -> Result<(), Vec<Stuck>> {
    let mut queues: [VecDeque<usize>; Pipe::WORKERS.len()] = Default::default();
    let mut flags = [0u32; Flag::COUNT];
    let mut ran = vec![false; program.len()];
    let mut dispatched = 0;
    loop {
        let mut moved = false;
        while let Some(inst) = program.get(dispatched) {
            match inst.op {
                Instruction::Nop => {}
                Instruction::End => break,
                Instruction::Barrier if queues.iter().any(|queue| !queue.is_empty()) => break,
                Instruction::Barrier => visit(Step::Barrier),
                _ => match inst.op.queue().worker_index() {
                    Some(pipe) if queues[pipe].len() < queue_len => queues[pipe].push_back(dispatched),
                    Some(_) => break,
                    None => {}
                },
            }
            dispatched += 1;
            moved = true;
        }
        // The earliest one first: with flags that point forward, the game is the program order.
        let runnable = |queue: &VecDeque<usize>| {
            queue.front().copied().filter(|&index| missing(&program[index], &flags).is_none())
        };
        if let Some(index) = queues.iter().filter_map(runnable).min() {
            let inst = &program[index];
            inst.wait_flags().filter_map(Flag::index).for_each(|flag| flags[flag] -= 1);
            inst.set_flags().filter_map(Flag::index).for_each(|flag| flags[flag] += 1);
            if !matches!(inst.op, Instruction::Set { .. }) {
                visit(Step::Run(index));
            }
            ran[index] = true;
            for queue in &mut queues {
                queue.pop_front_if(|head| *head == index);
            }
            moved = true;
        }
        if !moved {
            break;
        }
    }
    let stuck: Vec<Stuck> = queues
        .iter()
        .filter_map(|queue| {
            let &index = queue.front()?;
            let flag = missing(&program[index], &flags)?;
            let sets = |other: &usize| !ran[*other] && program[*other].set_flags().any(|set| set == flag);
            Some(Stuck { index, flag, setter: (0..program.len()).find(sets) })
        })
        .collect();
    if stuck.is_empty() { Ok(()) } else { Err(stuck) }
}

/// The first flag that the instruction waits for and that is 0.
fn missing(inst: &Inst, flags: &[u32; Flag::COUNT]) -> Option<Flag> {
    inst.wait_flags().find(|flag| flag.index().is_some_and(|index| flags[index] == 0))
}
