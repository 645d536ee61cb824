// SPDX-License-Identifier: Apache-2.0
//! Flags beyond what the builder assigns: other ids, and flags that only order.
//!
//! Every flag that is added points forward in program order, and the n-th wait of a flag takes its n-th set, so no program deadlocks
//! and no flag is left or overflows.

use isa::limits::{FLAG_IDS, SET_SLOTS, WAIT_SLOTS};
use isa::{Flag, Inst, Pipe, Signal, Wait};
use rand::{Rng, RngExt};
use std::collections::HashMap;

/// Renames the ids of every pair of pipes by a random permutation.
pub(super) fn rename(program: &mut [Inst], rng: &mut impl Rng) {
    let mut names: HashMap<(Pipe, Pipe), Vec<u8>> = HashMap::new();
    let mut name = |from: Pipe, to: Pipe, id: u8| {
        let ids = names.entry((from, to)).or_insert_with(|| {
            let mut ids: Vec<u8> = (0..FLAG_IDS as u8).collect();
            (1..ids.len()).for_each(|at| ids.swap(at, rng.random_range(0..=at)));
            ids
        });
        ids[usize::from(id)]
    };
    for inst in program {
        let own = inst.op.pipe();
        inst.waits.iter_mut().for_each(|wait| wait.id = name(wait.from, own, wait.id));
        inst.sets.iter_mut().for_each(|signal| signal.id = name(own, signal.to, signal.id));
    }
}

/// Adds up to `count` flags of pairs and ids that the program does not use yet, each with one to three sets.
pub(super) fn add(program: &mut [Inst], count: usize, rng: &mut impl Rng) {
    for _ in 0..count {
        let from = Pipe::WORKERS[rng.random_range(0..Pipe::WORKERS.len())];
        let to = Pipe::WORKERS[rng.random_range(0..Pipe::WORKERS.len())];
        let id = rng.random_range(0..FLAG_IDS as u8);
        let flag = Flag { from, to, id };
        if from == to || program.iter().any(|inst| inst.set_flags().any(|set| set == flag)) {
            continue;
        }
        let early = flag.may_be_early() && rng.random();
        let (mut after_set, mut after_wait) = (0, 0);
        for _ in 0..rng.random_range(1..=3) {
            let set = |at: &usize| program[*at].op.pipe() == from && program[*at].sets.len() < SET_SLOTS;
            let Some(setter) = pick((after_set..program.len()).filter(set), rng) else { break };
            let wait = |at: &usize| program[*at].op.pipe() == to && program[*at].waits.len() < WAIT_SLOTS;
            let Some(waiter) = pick((after_wait.max(setter)..program.len()).filter(wait), rng) else { break };
            program[setter].sets.push(Signal { to, id, early });
            program[waiter].waits.push(Wait { from, id });
            (after_set, after_wait) = (setter + 1, waiter + 1);
        }
    }
}

/// One of them, the first ones more often, so that some are left for the next.
fn pick(candidates: impl Iterator<Item = usize>, rng: &mut impl Rng) -> Option<usize> {
    let candidates: Vec<usize> = candidates.collect();
    let most = candidates.len().min(6);
    (most > 0).then(|| candidates[rng.random_range(0..most)])
}
