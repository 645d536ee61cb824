// SPDX-License-Identifier: Apache-2.0
//! The legality of eight words, as logic that is built from the tables of [`isa`].
//!
//! ```text
//!  word[8] ──►┌───────┐──► is_opcode[o], illegal[o], unsupported[o]     one bit per row of the opcode table
//!             │ check │──► target[pipe]                                 the queue the instruction goes to
//!             └───────┘──► stop, barrier                                combinational, no state
//! ```
//! `illegal[o]` and `unsupported[o]` only mean something where `is_opcode[o]`. Every output is an OR of cases, a case is an AND of
//! comparisons of instruction bits with constants: [`Case`] is built once from the tables, the Verilog is printed from it and the
//! simulation evaluates it, so nothing is copied by hand. Tests: `tests/units/sequencer.rs`. Page: `docs/units/sequencer.md`.

use isa::Config;
use isa::field::{Field, Legal};
use isa::inst::Inst;
use isa::limits::{SET_SLOTS, WAIT_SLOTS};
use isa::opcode::*;
use isa::pipe::{Flag, Pipe};
use isa::state::STATE_REGISTERS;
use rust_hdl::prelude::ast::{
    VerilogBlockOrConditional, VerilogConditional, VerilogExpression, VerilogOp, VerilogStatement,
};
use rust_hdl::prelude::*;

/// One comparison of instruction bits.
#[derive(Clone, Copy, Debug)]
enum Atom {
    /// `word & mask == value`, or `!=`.
    Bits { word: usize, mask: u32, value: u32, equal: bool },
    /// `width` bits from `lo` on are the same as those from `other` on.
    Same { word: usize, lo: u8, other: u8, width: u8 },
}

/// All comparisons hold.
type Case = Vec<Atom>;

/// Legality, target and kind of the instruction in `word`.
#[derive(LogicBlock)]
pub struct Check {
    /// The instruction.
    pub word: Vec<Signal<In, Bits<32>>>,
    /// Word 0 has the code of this row of [`Opcode::ALL`].
    pub is_opcode: Vec<Signal<Out, Bit>>,
    /// As this opcode it breaks a reserved bit, slot, field or rule.
    pub illegal: Vec<Signal<Out, Bit>>,
    /// As this opcode it asks for what the core lacks.
    pub unsupported: Vec<Signal<Out, Bit>>,
    /// It goes to the queue of this worker.
    pub target: Vec<Signal<Out, Bit>>,
    /// It ends the program.
    pub stop: Signal<Out, Bit>,
    /// It waits for all pipes.
    pub barrier: Signal<Out, Bit>,
    /// Cases of every output, in the order of the outputs.
    _cases: Vec<Vec<Case>>,
}

impl Check {
    /// The checks of a core of this configuration. Where the core lacks what field values of 0 ask for, it lacks the opcode.
    pub fn new(config: &Config) -> Self {
        let opcodes = Opcode::ALL.len();
        let mut cases: Vec<Vec<Case>> = vec![];
        cases.extend(Opcode::ALL.map(|opcode| vec![vec![has_code(opcode)]]));
        cases.extend(Opcode::ALL.map(illegal));
        cases.extend(Opcode::ALL.map(|opcode| unsupported(opcode, config)));
        cases.extend(Pipe::WORKERS.map(target));
        cases.push(vec![vec![has_code(Opcode::End)]]);
        cases.push(vec![vec![has_code(Opcode::Barrier)]]);
        Check {
            word: vec![Signal::default(); 8],
            is_opcode: vec![Signal::default(); opcodes],
            illegal: vec![Signal::default(); opcodes],
            unsupported: vec![Signal::default(); opcodes],
            target: vec![Signal::default(); Pipe::WORKERS.len()],
            stop: Signal::default(),
            barrier: Signal::default(),
            _cases: cases,
        }
    }

    /// Every output in the order of `_cases`.
    fn outputs(&mut self) -> impl Iterator<Item = &mut Signal<Out, Bit>> {
        let lists = [&mut self.is_opcode, &mut self.illegal, &mut self.unsupported, &mut self.target];
        lists.into_iter().flatten().chain([&mut self.stop, &mut self.barrier])
    }

    /// Paths of the outputs in the order of `_cases`.
    fn paths(&self) -> impl Iterator<Item = String> {
        let lists = [
            ("is_opcode", self.is_opcode.len()),
            ("illegal", self.illegal.len()),
            ("unsupported", self.unsupported.len()),
            ("target", self.target.len()),
        ];
        let elements = |(name, count)| (0..count).map(move |index| format!("{name}${index}"));
        lists.into_iter().flat_map(elements).chain(["stop".to_owned(), "barrier".to_owned()])
    }
}

impl Logic for Check {
    fn update(&mut self) {
        let words: [u32; 8] = std::array::from_fn(|word| self.word[word].val().to_u32());
        let cases = std::mem::take(&mut self._cases);
        for (output, cases) in self.outputs().zip(&cases) {
            output.next = cases.iter().any(|case| case.iter().all(|atom| atom.holds(&words)));
        }
        self._cases = cases;
    }

    fn connect(&mut self) {
        self.outputs().for_each(|output| output.connect());
    }

    fn hdl(&self) -> Verilog {
        let assign = |path: &str, value: bool| {
            VerilogStatement::Assignment(
                VerilogExpression::Signal(path.to_owned()),
                VerilogExpression::Literal(value.into()),
            )
        };
        let mut body = vec![VerilogStatement::Comment(
            "\"check: legality, target and kind of an instruction, from the opcode table.\"".into(),
        )];
        for (path, cases) in self.paths().zip(&self._cases) {
            body.push(assign(&path, false));
            for case in cases {
                let tests = case.iter().map(Atom::expression);
                let test = tests.reduce(|left, right| binary(left, VerilogOp::LogicalAnd, right));
                body.push(VerilogStatement::If(VerilogConditional {
                    test: test.expect("a case has at least one comparison"),
                    then: vec![assign(&path, true)],
                    otherwise: VerilogBlockOrConditional::None,
                }));
            }
        }
        Verilog::Combinatorial(body)
    }
}

fn binary(left: VerilogExpression, op: VerilogOp, right: VerilogExpression) -> VerilogExpression {
    VerilogExpression::Paren(Box::new(VerilogExpression::Binary(Box::new(left), op, Box::new(right))))
}

impl Atom {
    fn holds(&self, words: &[u32; 8]) -> bool {
        match *self {
            Atom::Bits { word, mask, value, equal } => (words[word] & mask == value) == equal,
            Atom::Same { word, lo, other, width } => {
                (words[word] >> lo ^ words[word] >> other) & (u32::MAX >> (32 - width)) == 0
            }
        }
    }

    fn expression(&self) -> VerilogExpression {
        let signal = |word: usize| VerilogExpression::Signal(format!("word${word}"));
        let slice = |word: usize, lo: u32, width: u32| {
            let offset = VerilogExpression::Literal(lo.into());
            VerilogExpression::Slice(Box::new(signal(word)), width as usize, Box::new(offset))
        };
        match *self {
            Atom::Bits { word, mask, value, equal } => {
                let op = if equal { VerilogOp::Eq } else { VerilogOp::Ne };
                let (lo, ones) = (mask.trailing_zeros(), mask.count_ones());
                let contiguous = mask == (u32::MAX >> (32 - ones)) << lo;
                let (left, value) = if ones == 32 {
                    (signal(word), value)
                } else if contiguous {
                    (slice(word, lo, ones), value >> lo)
                } else {
                    let mask = VerilogExpression::Literal(mask.into());
                    (binary(signal(word), VerilogOp::BitAnd, mask), value)
                };
                binary(left, op, VerilogExpression::Literal(value.into()))
            }
            Atom::Same { word, lo, other, width } => {
                let [left, right] = [lo, other].map(|lo| slice(word, lo.into(), width.into()));
                binary(left, VerilogOp::Eq, right)
            }
        }
    }
}

fn equal(word: usize, mask: u32, value: u32) -> Atom {
    Atom::Bits { word, mask, value, equal: true }
}

fn differ(word: usize, mask: u32, value: u32) -> Atom {
    Atom::Bits { word, mask, value, equal: false }
}

fn has_code(opcode: Opcode) -> Atom {
    equal(0, 0xFF, opcode.code().into())
}

fn has_value(field: &Field, value: u32) -> Atom {
    equal(field.word, field.mask(), value << field.lo)
}

/// Cases in which the value of `field` is not `legal`: at most one, as all its comparisons must hold.
fn breaks(field: &Field, legal: Legal) -> Option<Case> {
    let (word, mask) = (field.word, field.mask());
    let any_of = |bits: u32| match (bits << field.lo) & mask {
        0 => None,
        bits => Some(vec![differ(word, bits, 0)]),
    };
    match legal {
        Legal::Any => None,
        Legal::Zero => any_of(u32::MAX >> field.lo),
        Legal::NonZero => Some(vec![equal(word, mask, 0)]),
        Legal::Multiple(of) => any_of(of - 1),
        Legal::Below(limit) => any_of(!(limit - 1) & field.max()),
        Legal::OneOf(values) if values.len() as u64 == u64::from(field.max()) + 1 => None,
        Legal::OneOf(values) => {
            let no_value = |&(value, _): &(u32, &str)| differ(word, mask, value << field.lo);
            Some(values.iter().map(no_value).collect())
        }
    }
}

/// Cases in which words with the code of `opcode` are [`isa::Cause::IllegalField`].
fn illegal(opcode: Opcode) -> Vec<Case> {
    let mut cases: Vec<Case> = vec![];
    for (word, reserved) in opcode.reserved_mask().into_iter().enumerate() {
        if reserved != 0 {
            cases.push(vec![differ(word, reserved, 0)]);
        }
    }
    if opcode.has_slots() {
        slots(opcode.pipe(), &mut cases);
    }
    for field in opcode.fields() {
        cases.extend(breaks(field, field.legal));
    }
    for rule in opcode.rules() {
        if let Some(mut case) = breaks(field(opcode, rule.then), rule.legal) {
            case.push(has_value(field(opcode, rule.field), rule.equals));
            cases.push(case);
        }
    }
    if opcode == Opcode::Set {
        set_register(&mut cases);
    }
    cases
}

/// Malformed wait and set slots of an instruction of pipe `own`.
fn slots(own: Pipe, cases: &mut Vec<Case>) {
    let lists: [(usize, &[u8], u8); 2] = [(0, &WAIT_SLOT_LO, WAIT_SLOT_WIDTH), (1, &SET_SLOT_LO, SET_SLOT_WIDTH)];
    const { assert!(WAIT_SLOTS == 3 && SET_SLOTS == 3) };
    for (word, slots, width) in lists {
        let valid = |slot: usize| 1u32 << (slots[slot] + SLOT_VALID_BIT);
        let pipe = |slot: usize| 7u32 << (slots[slot] + SLOT_PIPE_LO);
        let names = |slot: usize, code: u8| u32::from(code) << (slots[slot] + SLOT_PIPE_LO);
        for slot in 0..slots.len() {
            let all = (u32::MAX >> (32 - width)) << slots[slot];
            cases.push(vec![equal(word, valid(slot), 0), differ(word, all & !valid(slot), 0)]);
            if slot > 0 {
                cases.push(vec![equal(word, valid(slot) | valid(slot - 1), valid(slot))]);
            }
            for code in 0..8u8 {
                let partner = Pipe::from_code(code).filter(|&pipe| pipe.worker_index().is_some() && pipe != own);
                if partner.is_none() {
                    let named = valid(slot) | names(slot, code);
                    cases.push(vec![equal(word, valid(slot) | pipe(slot), named)]);
                }
                if let (1, Some(to)) = (word, partner)
                    && !(Flag { from: own, to, id: 0 }).may_be_early()
                {
                    let early = valid(slot) | 1 << (slots[slot] + SLOT_EARLY_BIT);
                    cases.push(vec![equal(word, early | pipe(slot), early | names(slot, code))]);
                }
            }
            for other in 0..slot {
                let same = Atom::Same { word, lo: slots[other], other: slots[slot], width: SLOT_ID_LO + 3 };
                cases.push(vec![equal(word, valid(slot), valid(slot)), same]);
            }
        }
    }
}

/// SETs of registers that do not exist, and of values wider than the register.
fn set_register(cases: &mut Vec<Case>) {
    let field = |name| field(Opcode::Set, name);
    let (pipe, register, value) = (field("pipe"), field("register"), field("value"));
    let mut unknown = vec![];
    for state in &STATE_REGISTERS {
        let code = u32::from(state.pipe.code()) << pipe.lo | u32::from(state.index) << register.lo;
        let mask = pipe.mask() | register.mask();
        unknown.push(differ(pipe.word, mask, code));
        if state.width < 32 {
            let above = u32::MAX << state.width << value.lo;
            cases.push(vec![equal(pipe.word, mask, code), differ(value.word, above, 0)]);
        }
    }
    cases.push(unknown);
}

/// Cases in which a legal instruction is [`isa::Cause::Unsupported`]: what `Inst::check_supported` says of each value of each field,
/// and of each pair of values whose members it allows.
fn unsupported(opcode: Opcode, config: &Config) -> Vec<Case> {
    let mut plain = [0u32; 8];
    plain[0] = opcode.code().into();
    for field in opcode.fields() {
        match field.legal {
            Legal::NonZero => field.put(&mut plain, 1),
            Legal::OneOf(values) => field.put(&mut plain, values[0].0),
            _ => {}
        }
    }
    let refused = |choice: &[(&Field, u32)]| {
        let mut words = plain;
        choice.iter().for_each(|(field, value)| field.put(&mut words, *value));
        Inst::decode_words(&words).is_ok_and(|inst| inst.check_supported(config).is_err())
    };
    if refused(&[]) {
        return vec![vec![has_code(opcode)]];
    }
    let choices = |field: &'static Field| match field.legal {
        Legal::OneOf(values) => values,
        _ => &[],
    };
    let mut cases = vec![];
    for (index, one) in opcode.fields().iter().enumerate() {
        for &(value, _) in choices(one) {
            if refused(&[(one, value)]) {
                cases.push(vec![has_value(one, value)]);
                continue;
            }
            for two in &opcode.fields()[index + 1..] {
                for &(second, _) in choices(two) {
                    if !refused(&[(two, second)]) && refused(&[(one, value), (two, second)]) {
                        cases.push(vec![has_value(one, value), has_value(two, second)]);
                    }
                }
            }
        }
    }
    cases
}

/// Cases in which a legal instruction goes to the queue of `worker`.
fn target(worker: Pipe) -> Vec<Case> {
    let own = Opcode::ALL.into_iter().filter(|opcode| opcode.pipe() == worker);
    let mut cases: Vec<Case> = own.map(|opcode| vec![has_code(opcode)]).collect();
    if STATE_REGISTERS.iter().any(|state| state.pipe == worker) {
        let set = has_value(field(Opcode::Set, "pipe"), worker.code().into());
        cases.push(vec![has_code(Opcode::Set), set]);
    }
    cases
}
