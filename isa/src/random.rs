// SPDX-License-Identifier: Apache-2.0
//! Random legal instructions for tests of decoders: every field takes its edge values often.
//!
//! They are legal encodings, not sensible programs: addresses may lie outside every buffer.

use crate::decode::words_of;
use crate::field::{Field, Legal};
use crate::inst::Inst;
use crate::opcode::*;
use crate::pipe::{Pipe, Signal, Wait};
use crate::state::STATE_REGISTERS;

/// A random legal instruction with random flags. `next` gives uniform 64-bit numbers.
pub fn inst(next: &mut impl FnMut() -> u64) -> Inst {
    let opcode = Opcode::ALL[below(next, Opcode::ALL.len() as u64) as usize];
    inst_of(opcode, next)
}

/// A random legal instruction of this opcode, with random flags.
pub fn inst_of(opcode: Opcode, next: &mut impl FnMut() -> u64) -> Inst {
    let mut words = [0u32; 8];
    words[0] = u32::from(opcode.code());
    for field in opcode.fields() {
        field.put(&mut words, value_of(field, next));
    }
    for rule in opcode.rules() {
        let target = field(opcode, rule.then);
        let value = target.get(&words);
        if field(opcode, rule.field).get(&words) == rule.equals && !rule.legal.admits(value) {
            target.put(&mut words, fit(rule.legal, value));
        }
    }
    if opcode == Opcode::Set {
        let register = &STATE_REGISTERS[below(next, STATE_REGISTERS.len() as u64) as usize];
        field(opcode, "pipe").put(&mut words, u32::from(register.pipe.code()));
        field(opcode, "register").put(&mut words, u32::from(register.index));
        let value = next() as u32 & (u32::MAX >> (32 - register.width));
        field(opcode, "value").put(&mut words, value);
    }
    let mut inst = Inst::decode_words(&words).expect("every field and rule of the table was satisfied");
    if opcode.has_slots() {
        add_slots(&mut inst, next);
    }
    debug_assert_eq!(inst.encode().map(|bytes| words_of(&bytes)[2..] == words[2..]), Ok(true));
    inst
}

fn add_slots(inst: &mut Inst, next: &mut impl FnMut() -> u64) {
    let own = inst.op.pipe();
    let others: Vec<Pipe> = Pipe::WORKERS.into_iter().filter(|&pipe| pipe != own).collect();
    for _ in 0..below(next, 4) {
        let wait = Wait { from: others[below(next, 4) as usize], id: below(next, 8) as u8 };
        if !inst.waits.contains(&wait) {
            inst.waits.push(wait);
        }
    }
    for _ in 0..below(next, 4) {
        let mut signal = Signal { to: others[below(next, 4) as usize], id: below(next, 8) as u8, early: false };
        signal.early = signal.flag(own).may_be_early() && below(next, 2) == 1;
        if !inst.sets.iter().any(|other| other.flag(own) == signal.flag(own)) {
            inst.sets.push(signal);
        }
    }
}

fn below(next: &mut impl FnMut() -> u64, limit: u64) -> u64 {
    next() % limit
}

fn value_of(field: &Field, next: &mut impl FnMut() -> u64) -> u32 {
    if let Legal::OneOf(values) = field.legal {
        return values[below(next, values.len() as u64) as usize].0;
    }
    let value = match below(next, 4) {
        0 => 0,
        1 => field.max(),
        2 => below(next, 64) as u32 & field.max(),
        _ => next() as u32 & field.max(),
    };
    if field.legal.admits(value) { value } else { fit(field.legal, value) }
}

fn fit(legal: Legal, value: u32) -> u32 {
    match legal {
        Legal::Any => value,
        Legal::Zero => 0,
        Legal::NonZero => value.max(1),
        Legal::Multiple(of) => value & !(of - 1),
        Legal::Below(limit) => value & (limit - 1),
        Legal::OneOf(values) => values[value as usize % values.len()].0,
    }
}
