// SPDX-License-Identifier: Apache-2.0
//! Tokens to instructions, through the field table.

use super::lexer::{Located, Token, tokens};
use super::{AsmError, AsmProblem, Form, Operand, operands};
use crate::decode::DecodeError;
use crate::encode::EncodeError;
use crate::field::Legal;
use crate::inst::{Inst, Instruction};
use crate::opcode::{Opcode, field};
use crate::pipe::{Pipe, Signal, Wait};
use crate::state::{STATE_REGISTERS, StateRegister, state_register_named};
use std::collections::HashMap;

/// An assembled source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembly {
    /// The instructions.
    pub program: Vec<Inst>,
    /// Source line of each instruction, from 1.
    pub lines: Vec<usize>,
}

/// Assembles the text of a file; `file` is its name in messages.
///
/// *Errors*: the first problem of every bad line, in the order of the lines.
pub fn assemble(text: &str, file: &str) -> Result<Assembly, Vec<AsmError>> {
    let mut assembly = Assembly { program: Vec::new(), lines: Vec::new() };
    let mut constants = HashMap::new();
    let mut errors = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let parsed = tokens(line).and_then(|tokens| Parser { tokens, at: 0, constants: &mut constants }.line());
        match parsed {
            Ok(None) => {}
            Ok(Some(inst)) => {
                assembly.program.push(inst);
                assembly.lines.push(index + 1);
            }
            Err((column, problem)) => {
                errors.push(AsmError { file: file.to_string(), line: index + 1, column, problem });
            }
        }
    }
    if errors.is_empty() { Ok(assembly) } else { Err(errors) }
}

type Failure = (usize, AsmProblem);

struct Parser<'a> {
    tokens: Vec<Located>,
    at: usize,
    constants: &'a mut HashMap<String, i64>,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn column(&self) -> usize {
        self.tokens[self.at].1
    }

    fn advance(&mut self) {
        // The last token is End, and stays.
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn expected<T>(&self, what: impl Into<String>) -> Result<T, Failure> {
        Err((self.column(), AsmProblem::Expected { what: what.into(), found: self.peek().to_string() }))
    }

    fn word(&mut self, what: &str) -> Result<(String, usize), Failure> {
        let column = self.column();
        match self.peek().clone() {
            Token::Word(word) => {
                self.advance();
                Ok((word, column))
            }
            _ => self.expected(what),
        }
    }

    fn take(&mut self, mark: char) -> bool {
        let found = *self.peek() == Token::Mark(mark);
        if found {
            self.advance();
        }
        found
    }

    fn mark(&mut self, mark: char) -> Result<(), Failure> {
        if self.take(mark) { Ok(()) } else { self.expected(format!("`{mark}`")) }
    }

    fn line(&mut self) -> Result<Option<Inst>, Failure> {
        if *self.peek() == Token::End {
            return Ok(None);
        }
        let (mnemonic, column) = self.word("an instruction")?;
        let inst = match mnemonic.as_str() {
            ".equ" => {
                self.equ()?;
                None
            }
            "set" => Some(self.set(column)?),
            _ => {
                let opcode = Opcode::from_mnemonic(&mnemonic).ok_or((column, AsmProblem::UnknownMnemonic(mnemonic)))?;
                Some(self.instruction(opcode, column)?)
            }
        };
        if *self.peek() == Token::End { Ok(inst) } else { self.expected("the end of the line") }
    }

    fn equ(&mut self) -> Result<(), Failure> {
        let (name, column) = self.word("a name")?;
        self.take('=');
        let value = self.sum()?;
        if name.contains('.') {
            let found = format!("`{name}`");
            return Err((column, AsmProblem::Expected { what: "a name without `.`".into(), found }));
        }
        if self.constants.insert(name.clone(), value).is_some() {
            return Err((column, AsmProblem::RepeatedConstant(name)));
        }
        Ok(())
    }

    fn set(&mut self, column: usize) -> Result<Inst, Failure> {
        let (name, name_column) = self.word("a state register, for example fix.scale")?;
        let found = name
            .split_once('.')
            .and_then(|(pipe, register)| state_register_named(Pipe::from_name(pipe)?, register))
            .ok_or_else(|| {
                let all = STATE_REGISTERS.iter().map(|register| format!("{}.{}", register.pipe, register.name));
                let pipe = name.split('.').next().unwrap_or_default();
                let of_pipe: Vec<String> = all.clone().filter(|known| known.split('.').next() == Some(pipe)).collect();
                let known = if of_pipe.is_empty() { all.collect() } else { of_pipe };
                (name_column, unknown_word("state register", &name, known))
            })?;
        self.take('=');
        let value = self.register_value(found)?;
        let inst = Inst::new(Instruction::Set { pipe: found.pipe, register: found.index, value });
        inst.encode().map_err(|error| (column, AsmProblem::Illegal(error)))?;
        Ok(inst)
    }

    fn register_value(&mut self, register: &StateRegister) -> Result<u32, Failure> {
        let column = self.column();
        let is_fp32 = register.is_fp32();
        let negative = is_fp32 && matches!(self.tokens.get(self.at + 1), Some((Token::Float(_), _))) && self.take('-');
        if let (true, &Token::Float(value)) = (is_fp32, self.peek()) {
            self.advance();
            return Ok(if negative { -value } else { value }.to_bits());
        }
        let (low, high) = register.range();
        let value = self.sum()?;
        let name = format!("{}.{}", register.pipe, register.name);
        in_range(&name, value, low, high, column).map(|value| register.bits(value))
    }

    fn instruction(&mut self, opcode: Opcode, column: usize) -> Result<Inst, Failure> {
        let mut words = [0u32; 8];
        words[0] = u32::from(opcode.code());
        let mut given: HashMap<&'static str, usize> = HashMap::new();
        let (mut waits, mut sets) = (Vec::new(), Vec::new());
        while *self.peek() != Token::End {
            let (name, name_column) = self.word("an operand, `wait` or `set`")?;
            match name.as_str() {
                "wait" if opcode.has_slots() => {
                    for (from, id, _) in self.flags(false)? {
                        waits.push(Wait { from, id });
                    }
                }
                "set" if opcode.has_slots() => {
                    for (to, id, early) in self.flags(true)? {
                        sets.push(Signal { to, id, early });
                    }
                }
                _ => {
                    let known = operands(opcode);
                    let operand = known.iter().find(|operand| operand.name == name).ok_or_else(|| {
                        let known = known.iter().map(|operand| operand.name.to_string()).collect();
                        let mnemonic = opcode.mnemonic();
                        (name_column, AsmProblem::UnknownOperand { mnemonic, name: name.clone(), known })
                    })?;
                    if given.insert(operand.name, name_column).is_some() {
                        return Err((name_column, AsmProblem::RepeatedOperand(name)));
                    }
                    self.operand(opcode, operand, &mut words)?;
                }
            }
        }
        if let Some(missing) = operands(opcode).iter().find(|one| !one.optional && !given.contains_key(one.name)) {
            let (mnemonic, pattern) = (opcode.mnemonic(), missing.pattern());
            return Err((column, AsmProblem::MissingOperand { mnemonic, pattern }));
        }
        let located = |error: EncodeError| {
            let field = match &error {
                EncodeError::Illegal(DecodeError::BadField { field, .. } | DecodeError::BrokenRule { field, .. }) => {
                    Some(*field)
                }
                _ => None,
            };
            let operand = operands(opcode).iter().find(|one| field.is_some_and(|field| one.fields().contains(&field)));
            let column = operand.and_then(|operand| given.get(operand.name)).copied().unwrap_or(column);
            (column, AsmProblem::Illegal(error))
        };
        let mut inst = Inst::decode_words(&words).map_err(|error| located(EncodeError::Illegal(error)))?;
        (inst.waits, inst.sets) = (waits, sets);
        inst.encode().map_err(located)?;
        Ok(inst)
    }

    fn operand(&mut self, opcode: Opcode, operand: &Operand, words: &mut [u32; 8]) -> Result<(), Failure> {
        let name = operand.name;
        if operand.form == Form::Switch {
            field(opcode, name).put(words, 1);
            return Ok(());
        }
        self.mark('=')?;
        let mut put = |field_name: &str, value: u64| field(opcode, field_name).put(words, value as u32);
        match operand.form {
            Form::Switch => {}
            Form::Number => {
                let value = self.ranged(name, u64::from(field(opcode, name).max()))?;
                put(name, value);
            }
            Form::Code => {
                let (word, column) = self.word("a word")?;
                let Legal::OneOf(values) = field(opcode, name).legal else {
                    unreachable!("the operand table gives Form::Code to enumerations only")
                };
                let code = values.iter().find(|(_, text)| *text == word).ok_or_else(|| {
                    let known = values.iter().map(|(_, text)| text.to_string()).collect();
                    (column, unknown_word(name, &word, known))
                })?;
                put(name, code.0.into());
            }
            Form::Gm => {
                let (base, offset) = self.gm()?;
                put("base", base);
                put("gm_offset_hi", offset >> 32);
                put("gm_offset_lo", offset & 0xFFFF_FFFF);
            }
            Form::Local(address_field) => {
                let (buffer, address) = self.bracketed(&["l1", "ub"], (1 << 24) - 1)?;
                put(name, u64::from(buffer == "ub"));
                put(address_field, address);
            }
            Form::Indexed { buffer, field: field_name } => {
                let (_, value) = self.bracketed(&[buffer], u64::from(field(opcode, field_name).max()))?;
                put(field_name, value);
            }
            Form::FixTarget => match self.peek() {
                Token::Word(word) if word == "l1" || word == "ub" => {
                    let (buffer, address) = self.bracketed(&["l1", "ub"], (1 << 24) - 1)?;
                    put("dst", if buffer == "ub" { 2 } else { 1 });
                    put("address", address);
                }
                _ => {
                    let (base, offset) = self.gm()?;
                    put("base", base);
                    put("gm_offset_hi", offset >> 32);
                    put("address", offset & 0xFFFF_FFFF);
                }
            },
        }
        Ok(())
    }

    /// `b3[offset]`.
    fn gm(&mut self) -> Result<(u64, u64), Failure> {
        let (word, column) = self.word("a base register, b0 to b15")?;
        let base = word.strip_prefix('b').and_then(|digits| digits.parse().ok()).filter(|&base: &u64| base < 16);
        let base = base.ok_or_else(|| {
            let what = "a base register b0 to b15, for example b0[0x100]".to_string();
            (column, AsmProblem::Expected { what, found: format!("`{word}`") })
        })?;
        self.mark('[')?;
        let offset = self.ranged("offset", (1 << 40) - 1)?;
        self.mark(']')?;
        Ok((base, offset))
    }

    /// `buffer[number]`.
    fn bracketed(&mut self, buffers: &[&'static str], max: u64) -> Result<(String, u64), Failure> {
        let what = format!("{}[NUMBER]", buffers.join("[NUMBER] or "));
        let (word, column) = self.word(&what)?;
        if !buffers.contains(&word.as_str()) {
            return Err((column, AsmProblem::Expected { what, found: format!("`{word}`") }));
        }
        self.mark('[')?;
        let value = self.ranged(&word, max)?;
        self.mark(']')?;
        Ok((word, value))
    }

    /// One or more `pipe.id`, each followed by `early` where that is allowed.
    fn flags(&mut self, may_be_early: bool) -> Result<Vec<(Pipe, u8, bool)>, Failure> {
        let mut flags = Vec::new();
        loop {
            let is_flag = |word: &str| word.split_once('.').and_then(|(pipe, _)| Pipe::from_name(pipe)).is_some();
            match self.peek().clone() {
                Token::Word(word) if may_be_early && word == "early" && !flags.is_empty() => {
                    let last: &mut (Pipe, u8, bool) = flags.last_mut().expect("the guard says so");
                    last.2 = true;
                    self.advance();
                }
                Token::Word(word) if is_flag(&word) => {
                    let flag = word.split_once('.').and_then(|(pipe, id)| {
                        Some((Pipe::from_name(pipe)?, id.parse().ok().filter(|&id: &u8| id < 8)?, false))
                    });
                    let Some(flag) = flag else { return self.expected("a flag id from 0 to 7, for example m.0") };
                    flags.push(flag);
                    self.advance();
                }
                _ if flags.is_empty() => return self.expected("a flag, for example m.0"),
                _ => return Ok(flags),
            }
        }
    }

    fn ranged(&mut self, name: &str, max: u64) -> Result<u64, Failure> {
        let column = self.column();
        let value = self.sum()?;
        in_range(name, value, 0, max as i64, column).map(|value| value as u64)
    }

    fn sum(&mut self) -> Result<i64, Failure> {
        let mut value = self.product()?;
        loop {
            let column = self.column();
            let result = if self.take('+') {
                value.checked_add(self.product()?)
            } else if self.take('-') {
                value.checked_sub(self.product()?)
            } else {
                return Ok(value);
            };
            value = result.ok_or((column, AsmProblem::ArithmeticOverflow))?;
        }
    }

    fn product(&mut self) -> Result<i64, Failure> {
        let mut value = self.atom()?;
        loop {
            let column = self.column();
            if !self.take('*') {
                return Ok(value);
            }
            value = value.checked_mul(self.atom()?).ok_or((column, AsmProblem::ArithmeticOverflow))?;
        }
    }

    fn atom(&mut self) -> Result<i64, Failure> {
        let column = self.column();
        if self.take('-') {
            return self.atom()?.checked_neg().ok_or((column, AsmProblem::ArithmeticOverflow));
        }
        if self.take('(') {
            let value = self.sum()?;
            self.mark(')')?;
            return Ok(value);
        }
        match self.peek().clone() {
            Token::Integer(value) => {
                self.advance();
                Ok(value)
            }
            Token::Word(name) => {
                self.advance();
                self.constants.get(&name).copied().ok_or((column, AsmProblem::UnknownConstant(name)))
            }
            _ => self.expected("a number"),
        }
    }
}

fn in_range(name: &str, value: i64, low: i64, high: i64, column: usize) -> Result<i64, Failure> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    Err((column, AsmProblem::OutOfRange { name: name.to_string(), value, low, high }))
}

fn unknown_word(name: &str, word: &str, known: Vec<String>) -> AsmProblem {
    AsmProblem::UnknownWord { name: name.to_string(), word: word.to_string(), known }
}
