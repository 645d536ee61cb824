// SPDX-License-Identifier: Apache-2.0
//! Instructions to canonical text.

use super::{Form, Operand, operands};
use crate::encode::EncodeError;
use crate::field::Legal;
use crate::inst::{Inst, Instruction};
use crate::opcode::{Opcode, field};
use crate::pipe::Pipe;
use crate::state::state_register;
use std::fmt::Write;

/// The canonical text of one instruction, without line end.
///
/// *Errors*: the instruction has no encoding.
pub fn line(inst: &Inst) -> Result<String, EncodeError> {
    let words = inst.encode_words()?;
    let opcode = inst.op.opcode();
    if let Instruction::Set { pipe, register, value } = inst.op {
        return Ok(set_text(pipe, register, value));
    }
    let mut text = opcode.mnemonic().to_string();
    for operand in operands(opcode) {
        if let Some(shown) = operand_text(opcode, operand, &words) {
            text.push(' ');
            text.push_str(&shown);
        }
    }
    if !inst.waits.is_empty() {
        text.push_str(" wait");
    }
    for wait in &inst.waits {
        text.push_str(&format!(" {}.{}", wait.from, wait.id));
    }
    if !inst.sets.is_empty() {
        text.push_str(" set");
    }
    for signal in &inst.sets {
        let early = if signal.early { " early" } else { "" };
        text.push_str(&format!(" {}.{}{early}", signal.to, signal.id));
    }
    Ok(text)
}

/// The canonical text of a program, one line each.
///
/// *Errors*: index of the first instruction that has no encoding, and why.
pub fn disassemble(program: &[Inst]) -> Result<String, (usize, EncodeError)> {
    let mut text = String::new();
    for (index, inst) in program.iter().enumerate() {
        let line = line(inst).map_err(|error| (index, error))?;
        writeln!(text, "{line}").expect("a String takes every write");
    }
    Ok(text)
}

fn set_text(pipe: Pipe, register: u8, value: u32) -> String {
    let found = state_register(pipe, register).expect("an instruction with an encoding names a register that is there");
    let value = if found.is_fp32() { fp32_text(value) } else { found.number(value).to_string() };
    format!("set {pipe}.{} {value}", found.name)
}

/// A finite number by value, with a decimal point; anything else by its bits.
fn fp32_text(bits: u32) -> String {
    let number = f32::from_bits(bits);
    if !number.is_finite() {
        return format!("{bits:#x}");
    }
    let text = format!("{number:?}");
    if text.contains('.') { text } else { text.replace('e', ".0e") }
}

fn operand_text(opcode: Opcode, operand: &Operand, words: &[u32; 8]) -> Option<String> {
    let name = operand.name;
    let get = |field_name: &str| field(opcode, field_name).get(words);
    let gm = |low: &str| {
        format!("{name}=b{}[{:#x}]", get("base"), u64::from(get("gm_offset_hi")) << 32 | u64::from(get(low)))
    };
    let local = |is_ub: bool, address: u32| format!("{name}={}[{address:#x}]", if is_ub { "ub" } else { "l1" });
    if operand.optional && get(name) == 0 {
        return None;
    }
    Some(match operand.form {
        Form::Number => format!("{name}={}", get(name)),
        Form::Switch => name.to_string(),
        Form::Code => {
            let Legal::OneOf(values) = field(opcode, name).legal else {
                unreachable!("the operand table gives Form::Code to enumerations only")
            };
            let value = get(name);
            let (_, text) = values.iter().find(|(code, _)| *code == value).expect("the encoding is legal");
            format!("{name}={text}")
        }
        Form::Gm => gm("gm_offset_lo"),
        Form::Local(address) => local(get(name) == 1, get(address)),
        Form::Indexed { buffer: buffer @ ("l1" | "ub"), field } => local(buffer == "ub", get(field)),
        Form::Indexed { buffer, field } => format!("{name}={buffer}[{}]", get(field)),
        Form::FixTarget => match get("dst") {
            0 => gm("address"),
            dst => local(dst == 2, get("address")),
        },
    })
}
