// SPDX-License-Identifier: Apache-2.0
//! Words to instructions: exact, everything undefined is refused.
//!
//! Order of the checks: opcode, reserved bits, slots, fields, rules, SET register. The first one broken is reported; in
//! hardware all but the first are the same cause, so the order cannot be observed there.

use crate::config::Config;
use crate::dtype::Dtype;
use crate::fault::Cause;
use crate::field::Legal;
use crate::inst::*;
use crate::limits::INSTRUCTION_BYTES;
use crate::opcode::*;
use crate::pipe::{Pipe, Signal, Wait};
use crate::state::state_register;
use std::fmt;

/// Why 32 bytes are not an instruction, or not one that a core has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes end inside an instruction (a file, never the hardware: there the length counts whole instructions).
    Truncated {
        /// Bytes that are there.
        len_bytes: usize,
    },
    /// No such opcode.
    UnknownOpcode {
        /// The code.
        code: u8,
    },
    /// Bits that must be 0 are not.
    ReservedBits {
        /// The opcode.
        opcode: Opcode,
        /// Word 0..8.
        word: usize,
        /// The offending bits.
        bits: u32,
    },
    /// A slot is malformed.
    BadSlot {
        /// The opcode.
        opcode: Opcode,
        /// `"wait"` or `"set"`.
        list: &'static str,
        /// Slot 0..3.
        slot: usize,
        /// What is wrong.
        problem: SlotProblem,
    },
    /// A field has an illegal value.
    BadField {
        /// The opcode.
        opcode: Opcode,
        /// Name of the field.
        field: &'static str,
        /// Its value.
        value: u32,
        /// What it may be.
        legal: Legal,
    },
    /// A field has a value that another field forbids.
    BrokenRule {
        /// The opcode.
        opcode: Opcode,
        /// Name of the field.
        field: &'static str,
        /// Its value.
        value: u32,
        /// What it may be.
        legal: Legal,
        /// The field that forbids it.
        because: &'static str,
        /// The value of that field.
        equals: u32,
    },
    /// SET names a register that the pipe does not have.
    UnknownRegister {
        /// The pipe.
        pipe: Pipe,
        /// The index.
        register: u8,
    },
    /// SET writes a value wider than the register.
    WideValue {
        /// The pipe.
        pipe: Pipe,
        /// Name of the register.
        register: &'static str,
        /// The value.
        value: u32,
        /// Bits of the register.
        width: u8,
    },
    /// Legal, but the core lacks it.
    Unsupported {
        /// The opcode.
        opcode: Opcode,
        /// Name of the field.
        field: &'static str,
        /// What it asks for.
        what: &'static str,
    },
}

/// What is wrong with a wait or set slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotProblem {
    /// Not valid, but another bit is set.
    NotZero,
    /// Valid, above a slot that is not.
    Gap,
    /// The pipe has no flags (S, V, code 7) or is the instruction's own.
    BadPipe(u8),
    /// Another slot of the list names the same flag.
    Twice,
    /// `early` on a flag other than MTE1 to M and M to FIX.
    NotEarly,
}

impl DecodeError {
    /// The fault that the hardware raises.
    pub fn cause(&self) -> Cause {
        match self {
            DecodeError::Truncated { .. } | DecodeError::UnknownOpcode { .. } => Cause::IllegalOpcode,
            DecodeError::Unsupported { .. } => Cause::Unsupported,
            _ => Cause::IllegalField,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Truncated { len_bytes } => {
                write!(f, "the program ends after {len_bytes} of the 32 bytes of an instruction")
            }
            DecodeError::UnknownOpcode { code } => match RESERVED_OPCODES.iter().find(|row| row.0 == *code) {
                Some((_, name, _)) => write!(f, "opcode {code:#04x} ({name}) is reserved"),
                None => write!(f, "opcode {code:#04x} is unknown"),
            },
            DecodeError::ReservedBits { opcode, word, bits } => {
                write!(f, "{opcode}: bits {bits:#010x} of word {word} are reserved and must be 0")
            }
            DecodeError::BadSlot { opcode, list, slot, problem } => {
                write!(f, "{opcode}: {list} slot {slot} ")?;
                match problem {
                    SlotProblem::NotZero => f.write_str("is not valid and must be all 0"),
                    SlotProblem::Gap => f.write_str("is used above an empty slot: fill slots from 0 upwards"),
                    SlotProblem::BadPipe(code) => match Pipe::from_code(*code) {
                        Some(pipe) => write!(f, "names pipe {pipe}, which cannot share a flag with this instruction"),
                        None => write!(f, "names pipe code {code}, which does not exist"),
                    },
                    SlotProblem::Twice => f.write_str("names the same flag as an earlier slot"),
                    SlotProblem::NotEarly => f.write_str("is early, which only mte1 to m and m to fix may be"),
                }
            }
            DecodeError::BadField { opcode, field, value, legal } => {
                write!(f, "{opcode}: {field} is {value} but must be {legal}")
            }
            DecodeError::BrokenRule { opcode, field, value, legal, because, equals } => {
                write!(f, "{opcode}: {field} is {value} but must be {legal} where {because} is {equals}")
            }
            DecodeError::UnknownRegister { pipe, register } => {
                write!(f, "set: pipe {pipe} has no state register {register}")
            }
            DecodeError::WideValue { pipe, register, value, width } => {
                write!(f, "set: {value:#x} does not fit the {width} bits of {pipe}.{register}")
            }
            DecodeError::Unsupported { opcode, field, what } => {
                write!(f, "{opcode}: this core lacks {what}, which {field} asks for")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// The eight little-endian words of 32 bytes.
pub fn words_of(bytes: &[u8; INSTRUCTION_BYTES]) -> [u32; 8] {
    std::array::from_fn(|word| {
        u32::from_le_bytes([bytes[4 * word], bytes[4 * word + 1], bytes[4 * word + 2], bytes[4 * word + 3]])
    })
}

/// The 32 bytes of eight words, little-endian.
pub fn bytes_of(words: &[u32; 8]) -> [u8; INSTRUCTION_BYTES] {
    std::array::from_fn(|byte| words[byte / 4].to_le_bytes()[byte % 4])
}

impl Inst {
    /// Decodes 32 bytes.
    ///
    /// *Guarantee*: `decode(b) == Ok(i)` exactly if `i.encode() == Ok(b)`.
    /// *Errors*: everything that the hardware refuses with IllegalOpcode or IllegalField.
    pub fn decode(bytes: &[u8; INSTRUCTION_BYTES]) -> Result<Inst, DecodeError> {
        Inst::decode_words(&words_of(bytes))
    }

    /// Decodes eight words, as [`Inst::decode`].
    pub fn decode_words(words: &[u32; 8]) -> Result<Inst, DecodeError> {
        let code = words[0] as u8;
        let opcode = Opcode::from_code(code).ok_or(DecodeError::UnknownOpcode { code })?;
        for (word, reserved) in opcode.reserved_mask().into_iter().enumerate() {
            let bits = words[word] & reserved;
            if bits != 0 {
                return Err(DecodeError::ReservedBits { opcode, word, bits });
            }
        }
        let (waits, sets) = if opcode.has_slots() { slots(opcode, words)? } else { (Vec::new(), Vec::new()) };
        for field in opcode.fields() {
            let value = field.get(words);
            if !field.legal.admits(value) {
                return Err(DecodeError::BadField { opcode, field: field.name, value, legal: field.legal });
            }
        }
        for rule in opcode.rules() {
            let value = field(opcode, rule.then).get(words);
            if field(opcode, rule.field).get(words) == rule.equals && !rule.legal.admits(value) {
                return Err(DecodeError::BrokenRule {
                    opcode,
                    field: rule.then,
                    value,
                    legal: rule.legal,
                    because: rule.field,
                    equals: rule.equals,
                });
            }
        }
        let op = Reader { opcode, words }.instruction();
        if let Instruction::Set { pipe, register, value } = op {
            let found = state_register(pipe, register).ok_or(DecodeError::UnknownRegister { pipe, register })?;
            if !found.admits(value) {
                return Err(DecodeError::WideValue { pipe, register: found.name, value, width: found.width });
            }
        }
        Ok(Inst { op, waits, sets })
    }

    /// Checks that a core has the dtypes, the rounding mode and the buffers that the instruction names.
    ///
    /// *Errors*: [`DecodeError::Unsupported`], which the hardware raises at decode, after IllegalOpcode and IllegalField.
    pub fn check_supported(&self, config: &Config) -> Result<(), DecodeError> {
        let opcode = self.op.opcode();
        let refuse = |field, what| Err(DecodeError::Unsupported { opcode, field, what });
        let dtype = |field, dtype: Dtype| {
            if dtype.supported(config) { Ok(()) } else { refuse(field, dtype.name()) }
        };
        let buffer = |field, uses_ub: bool| {
            if uses_ub && config.ub_bytes == 0 { refuse(field, "ub") } else { Ok(()) }
        };
        match &self.op {
            Instruction::Mte2Load(load) => buffer("dst", load.dst == LocalBuffer::Ub),
            Instruction::Mte2Fill(fill) => buffer("dst", fill.dst == LocalBuffer::Ub),
            Instruction::Mte1Load(load) => dtype("dtype", load.dtype),
            Instruction::Mte1Im2col(load) => dtype("dtype", load.dtype),
            Instruction::Mmad(mmad) => {
                dtype("dtype_a", mmad.dtype_a)?;
                dtype("dtype_b", mmad.dtype_b)?;
                if mmad.dtype_a.is_integer() != mmad.dtype_b.is_integer() {
                    return refuse("dtype_b", "a mix of integer and float operands");
                }
                Ok(())
            }
            Instruction::FixStore(store) => {
                buffer("dst", matches!(store.dst, FixTarget::Ub(_)))?;
                buffer("second", store.second != Second::None)?;
                dtype("dtype_out", store.dtype_out)?;
                if !config.has_rounding(store.rounding) {
                    return refuse("rounding", store.rounding.name());
                }
                Ok(())
            }
            Instruction::Mte3Store(store) => buffer("src", store.src == LocalBuffer::Ub),
            Instruction::Mte3Move(_) => buffer("src_address", true),
            _ => Ok(()),
        }
    }
}

fn slots(opcode: Opcode, words: &[u32; 8]) -> Result<(Vec<Wait>, Vec<Signal>), DecodeError> {
    let own = opcode.pipe();
    let mut waits: Vec<Wait> = Vec::new();
    let mut sets: Vec<Signal> = Vec::new();
    for (slot, lo) in WAIT_SLOT_LO.into_iter().enumerate() {
        let bad = |problem| DecodeError::BadSlot { opcode, list: "wait", slot, problem };
        if let Some((from, id, _)) = slot_fields(words[0] >> lo & 0x7F, own, waits.len() == slot).map_err(bad)? {
            let wait = Wait { from, id };
            if waits.contains(&wait) {
                return Err(bad(SlotProblem::Twice));
            }
            waits.push(wait);
        }
    }
    for (slot, lo) in SET_SLOT_LO.into_iter().enumerate() {
        let bad = |problem| DecodeError::BadSlot { opcode, list: "set", slot, problem };
        if let Some((to, id, early)) = slot_fields(words[1] >> lo & 0xFF, own, sets.len() == slot).map_err(bad)? {
            let signal = Signal { to, id, early };
            if sets.iter().any(|other| other.flag(own) == signal.flag(own)) {
                return Err(bad(SlotProblem::Twice));
            }
            if early && !signal.flag(own).may_be_early() {
                return Err(bad(SlotProblem::NotEarly));
            }
            sets.push(signal);
        }
    }
    Ok((waits, sets))
}

fn slot_fields(bits: u32, own: Pipe, no_gap: bool) -> Result<Option<(Pipe, u8, bool)>, SlotProblem> {
    if bits >> SLOT_VALID_BIT & 1 == 0 {
        return if bits == 0 { Ok(None) } else { Err(SlotProblem::NotZero) };
    }
    if !no_gap {
        return Err(SlotProblem::Gap);
    }
    let code = (bits >> SLOT_PIPE_LO & 7) as u8;
    match Pipe::from_code(code) {
        Some(pipe) if pipe.worker_index().is_some() && pipe != own => {
            Ok(Some((pipe, (bits >> SLOT_ID_LO & 7) as u8, bits >> SLOT_EARLY_BIT & 1 == 1)))
        }
        _ => Err(SlotProblem::BadPipe(code)),
    }
}

/// Reads the fields of words whose legality has been checked.
struct Reader<'a> {
    opcode: Opcode,
    words: &'a [u32; 8],
}

impl Reader<'_> {
    fn u32(&self, name: &str) -> u32 {
        field(self.opcode, name).get(self.words)
    }

    fn u16(&self, name: &str) -> u16 {
        self.u32(name) as u16
    }

    fn u8(&self, name: &str) -> u8 {
        self.u32(name) as u8
    }

    fn bool(&self, name: &str) -> bool {
        self.u32(name) == 1
    }

    fn coded<T>(&self, name: &str, from_code: fn(u8) -> Option<T>) -> T {
        from_code(self.u8(name)).expect("the field table admits only codes that the enum has")
    }

    fn gm(&self) -> GmAddress {
        let offset = u64::from(self.u32("gm_offset_hi")) << 32 | u64::from(self.u32("gm_offset_lo"));
        GmAddress { base: self.u8("base"), offset }
    }

    fn instruction(&self) -> Instruction {
        match self.opcode {
            Opcode::End => Instruction::End,
            Opcode::Barrier => Instruction::Barrier,
            Opcode::Nop => Instruction::Nop,
            Opcode::Set => Instruction::Set {
                pipe: self.coded("pipe", Pipe::from_code),
                register: self.u8("register"),
                value: self.u32("value"),
            },
            Opcode::Mte2Load => Instruction::Mte2Load(Mte2Load {
                gm: self.gm(),
                gm_stride: self.u32("gm_stride"),
                layout: self.coded("layout", Layout::from_code),
                dst: self.coded("dst", LocalBuffer::from_code),
                dst_address: self.u32("dst_address"),
                dst_stride: self.u32("dst_stride"),
                rows: self.u16("rows"),
                len_bytes: self.u32("len_bytes"),
            }),
            Opcode::Mte2Fill => Instruction::Mte2Fill(Mte2Fill {
                dst: self.coded("dst", LocalBuffer::from_code),
                dst_address: self.u32("dst_address"),
                dst_stride: self.u32("dst_stride"),
                rows: self.u16("rows"),
                len_bytes: self.u32("len_bytes"),
                byte: self.u8("byte"),
            }),
            Opcode::Mte1LoadA | Opcode::Mte1LoadB => Instruction::Mte1Load(Mte1Load {
                side: if self.opcode == Opcode::Mte1LoadA { Side::A } else { Side::B },
                transpose: self.bool("transpose"),
                dtype: self.coded("dtype", Dtype::from_code),
                l1_address: self.u32("l1_address"),
                panel_stride: self.u32("panel_stride"),
                rows: self.u16("rows"),
                k: self.u16("k"),
                fractal: self.u16("fractal"),
            }),
            Opcode::Mte1LoadFb => Instruction::Mte1LoadFb(Mte1LoadFb {
                field: self.coded("field", FbField::from_code),
                l1_address: self.u32("l1_address"),
                channel: self.u16("channel"),
                count: self.u16("count"),
            }),
            Opcode::Mte1Im2col => Instruction::Mte1Im2col(Mte1Im2col {
                dtype: self.coded("dtype", Dtype::from_code),
                l1_address: self.u32("l1_address"),
                out_y: self.u16("out_y"),
                out_x: self.u16("out_x"),
                tap_y: self.u8("tap_y"),
                tap_x: self.u8("tap_x"),
                tap_byte: self.u16("tap_byte"),
                rows: self.u16("rows"),
                k: self.u16("k"),
                fractal: self.u16("fractal"),
            }),
            Opcode::Mmad => Instruction::Mmad(Mmad {
                accumulate: self.bool("accumulate"),
                dtype_a: self.coded("dtype_a", Dtype::from_code),
                dtype_b: self.coded("dtype_b", Dtype::from_code),
                l0a: self.u16("l0a"),
                l0b: self.u16("l0b"),
                l0c: self.u16("l0c"),
                m: self.u16("m"),
                n: self.u16("n"),
                k: self.u16("k"),
            }),
            Opcode::FixStore => Instruction::FixStore(self.fix_store()),
            Opcode::Mte3Store => Instruction::Mte3Store(Mte3Store {
                gm: self.gm(),
                gm_stride: self.u32("gm_stride"),
                layout: self.coded("layout", Layout::from_code),
                src: self.coded("src", LocalBuffer::from_code),
                src_address: self.u32("src_address"),
                src_stride: self.u32("src_stride"),
                rows: self.u16("rows"),
                len_bytes: self.u32("len_bytes"),
            }),
            Opcode::Mte3Move => Instruction::Mte3Move(Mte3Move {
                layout: self.coded("layout", Layout::from_code),
                dst_address: self.u32("dst_address"),
                dst_stride: self.u32("dst_stride"),
                src_address: self.u32("src_address"),
                src_stride: self.u32("src_stride"),
                rows: self.u16("rows"),
                len_bytes: self.u32("len_bytes"),
            }),
        }
    }

    fn fix_store(&self) -> FixStore {
        let address = self.u32("address");
        let offset = u64::from(self.u32("gm_offset_hi")) << 32 | u64::from(address);
        FixStore {
            dst: match self.u32("dst") {
                0 => FixTarget::Gm(GmAddress { base: self.u8("base"), offset }),
                1 => FixTarget::L1(address),
                _ => FixTarget::Ub(address),
            },
            layout: self.coded("layout", Layout::from_code),
            dst_stride: self.u32("dst_stride"),
            dtype_out: self.coded("dtype_out", Dtype::from_code),
            bias: self.bool("bias"),
            per_channel: self.bool("per_channel"),
            rounding: self.coded("rounding", Rounding::from_code),
            relu: self.bool("relu"),
            clamp: self.bool("clamp"),
            second: self.coded("second", Second::from_code),
            m: self.u16("m"),
            n: self.u16("n"),
            l0c: self.u16("l0c"),
            channel: self.u16("channel"),
        }
    }
}
