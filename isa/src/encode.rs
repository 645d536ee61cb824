// SPDX-License-Identifier: Apache-2.0
//! Instructions to words. What the decoder would refuse is refused here, by the decoder itself.

use crate::decode::{DecodeError, bytes_of};
use crate::inst::*;
use crate::limits::{INSTRUCTION_BYTES, SET_SLOTS, WAIT_SLOTS};
use crate::opcode::*;
use std::fmt;

/// Why an instruction has no encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// More than three waits or three sets, or any on an instruction of S.
    TooManySlots {
        /// The opcode.
        opcode: Opcode,
        /// `"wait"` or `"set"`.
        list: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A flag id of 8 or more.
    BadId {
        /// The opcode.
        opcode: Opcode,
        /// The id.
        id: u8,
    },
    /// An operand is wider than its field.
    TooWide {
        /// The opcode.
        opcode: Opcode,
        /// Name of the field.
        field: &'static str,
        /// The value.
        value: u64,
        /// The highest value of the field.
        max: u64,
    },
    /// The encoding would be illegal.
    Illegal(DecodeError),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncodeError::TooManySlots { opcode, list, count, limit: 0 } => {
                write!(f, "{opcode}: has {count} {list} flags but instructions of pipe s carry none")
            }
            EncodeError::TooManySlots { opcode, list, count, limit } => {
                write!(f, "{opcode}: has {count} {list} flags but an instruction carries at most {limit}")
            }
            EncodeError::BadId { opcode, id } => write!(f, "{opcode}: flag id {id} is not below 8"),
            EncodeError::TooWide { opcode, field, value, max } => {
                write!(f, "{opcode}: {field} is {value} but its field holds at most {max}")
            }
            EncodeError::Illegal(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EncodeError {}

impl Inst {
    /// The 32 bytes of the instruction.
    ///
    /// *Guarantee*: decoding them gives an equal value.
    /// *Errors*: an operand that does not fit, or an encoding that [`Inst::decode`] refuses.
    pub fn encode(&self) -> Result<[u8; INSTRUCTION_BYTES], EncodeError> {
        self.encode_words().map(|words| bytes_of(&words))
    }

    /// The eight words of the instruction, as [`Inst::encode`].
    pub fn encode_words(&self) -> Result<[u32; 8], EncodeError> {
        let words = self.pack()?;
        Inst::decode_words(&words).map_err(EncodeError::Illegal)?;
        Ok(words)
    }

    fn pack(&self) -> Result<[u32; 8], EncodeError> {
        let opcode = self.op.opcode();
        let mut writer = Writer { opcode, words: [0; 8], error: None };
        writer.words[0] = u32::from(opcode.code());
        let limit = |slots| if opcode.has_slots() { slots } else { 0 };
        for (list, count, limit) in
            [("wait", self.waits.len(), limit(WAIT_SLOTS)), ("set", self.sets.len(), limit(SET_SLOTS))]
        {
            if count > limit {
                return Err(EncodeError::TooManySlots { opcode, list, count, limit });
            }
        }
        let ids = self.waits.iter().map(|wait| wait.id).chain(self.sets.iter().map(|signal| signal.id));
        if let Some(id) = ids.into_iter().find(|&id| id > 7) {
            return Err(EncodeError::BadId { opcode, id });
        }
        for (wait, lo) in self.waits.iter().zip(WAIT_SLOT_LO) {
            writer.words[0] |= slot(wait.from.code(), wait.id, false) << lo;
        }
        for (signal, lo) in self.sets.iter().zip(SET_SLOT_LO) {
            writer.words[1] |= slot(signal.to.code(), signal.id, signal.early) << lo;
        }
        writer.instruction(&self.op);
        writer.error.map_or(Ok(writer.words), Err)
    }
}

fn slot(pipe: u8, id: u8, early: bool) -> u32 {
    1 << SLOT_VALID_BIT
        | u32::from(pipe) << SLOT_PIPE_LO
        | u32::from(id) << SLOT_ID_LO
        | u32::from(early) << SLOT_EARLY_BIT
}

/// Writes fields by name and keeps the first one that does not fit.
struct Writer {
    opcode: Opcode,
    words: [u32; 8],
    error: Option<EncodeError>,
}

impl Writer {
    fn put(&mut self, name: &'static str, value: impl Into<u64>) {
        let (field, value) = (field(self.opcode, name), value.into());
        let max = u64::from(field.max());
        if value > max {
            self.error.get_or_insert(EncodeError::TooWide { opcode: self.opcode, field: name, value, max });
        }
        field.put(&mut self.words, value as u32);
    }

    fn gm(&mut self, gm: &GmAddress, low: &'static str) {
        self.put("base", gm.base);
        if gm.offset >> 40 != 0 {
            let max = (1 << 40) - 1;
            let error = EncodeError::TooWide { opcode: self.opcode, field: "gm_offset", value: gm.offset, max };
            self.error.get_or_insert(error);
        }
        self.put("gm_offset_hi", gm.offset >> 32 & 0xFF);
        self.put(low, gm.offset & 0xFFFF_FFFF);
    }

    fn instruction(&mut self, op: &Instruction) {
        match op {
            Instruction::End | Instruction::Barrier | Instruction::Nop => {}
            Instruction::Set { pipe, register, value } => {
                self.put("pipe", pipe.code());
                self.put("register", *register);
                self.put("value", *value);
            }
            Instruction::Mte2Load(load) => {
                self.gm(&load.gm, "gm_offset_lo");
                self.put("gm_stride", load.gm_stride);
                self.put("layout", load.layout.code());
                self.put("dst", load.dst.code());
                self.put("dst_address", load.dst_address);
                self.put("dst_stride", load.dst_stride);
                self.put("rows", load.rows);
                self.put("len_bytes", load.len_bytes);
            }
            Instruction::Mte2Fill(fill) => {
                self.put("dst", fill.dst.code());
                self.put("dst_address", fill.dst_address);
                self.put("dst_stride", fill.dst_stride);
                self.put("rows", fill.rows);
                self.put("len_bytes", fill.len_bytes);
                self.put("byte", fill.byte);
            }
            Instruction::Mte1Load(load) => {
                self.put("transpose", load.transpose);
                self.put("dtype", load.dtype.code());
                self.put("l1_address", load.l1_address);
                self.put("panel_stride", load.panel_stride);
                self.put("rows", load.rows);
                self.put("k", load.k);
                self.put("fractal", load.fractal);
            }
            Instruction::Mte1LoadFb(load) => {
                self.put("field", load.field.code());
                self.put("l1_address", load.l1_address);
                self.put("channel", load.channel);
                self.put("count", load.count);
            }
            Instruction::Mte1Im2col(load) => {
                self.put("dtype", load.dtype.code());
                self.put("tap_y", load.tap_y);
                self.put("tap_x", load.tap_x);
                self.put("l1_address", load.l1_address);
                self.put("out_y", load.out_y);
                self.put("out_x", load.out_x);
                self.put("rows", load.rows);
                self.put("k", load.k);
                self.put("fractal", load.fractal);
                self.put("tap_byte", load.tap_byte);
            }
            Instruction::Mmad(mmad) => {
                self.put("accumulate", mmad.accumulate);
                self.put("dtype_a", mmad.dtype_a.code());
                self.put("dtype_b", mmad.dtype_b.code());
                self.put("l0a", mmad.l0a);
                self.put("l0b", mmad.l0b);
                self.put("l0c", mmad.l0c);
                self.put("m", mmad.m);
                self.put("n", mmad.n);
                self.put("k", mmad.k);
            }
            Instruction::FixStore(store) => self.fix_store(store),
            Instruction::Mte3Store(store) => {
                self.gm(&store.gm, "gm_offset_lo");
                self.put("gm_stride", store.gm_stride);
                self.put("layout", store.layout.code());
                self.put("src", store.src.code());
                self.put("src_address", store.src_address);
                self.put("src_stride", store.src_stride);
                self.put("rows", store.rows);
                self.put("len_bytes", store.len_bytes);
            }
            Instruction::Mte3Move(copy) => {
                self.put("layout", copy.layout.code());
                self.put("dst_address", copy.dst_address);
                self.put("dst_stride", copy.dst_stride);
                self.put("src_address", copy.src_address);
                self.put("src_stride", copy.src_stride);
                self.put("rows", copy.rows);
                self.put("len_bytes", copy.len_bytes);
            }
        }
    }

    fn fix_store(&mut self, store: &FixStore) {
        match store.dst {
            FixTarget::Gm(gm) => self.gm(&gm, "address"),
            FixTarget::L1(address) => {
                self.put("dst", 1u8);
                self.put("address", address);
            }
            FixTarget::Ub(address) => {
                self.put("dst", 2u8);
                self.put("address", address);
            }
        }
        self.put("layout", store.layout.code());
        self.put("dst_stride", store.dst_stride);
        self.put("dtype_out", store.dtype_out.code());
        self.put("bias", store.bias);
        self.put("per_channel", store.per_channel);
        self.put("rounding", store.rounding.code());
        self.put("relu", store.relu);
        self.put("clamp", store.clamp);
        self.put("second", store.second.code());
        self.put("m", store.m);
        self.put("n", store.n);
        self.put("l0c", store.l0c);
        self.put("channel", store.channel);
    }
}

/// The bytes of a program: its instructions one after the other.
///
/// *Errors*: index of the first instruction that has no encoding, and why.
pub fn encode_program(program: &[Inst]) -> Result<Vec<u8>, (usize, EncodeError)> {
    let mut bytes = Vec::with_capacity(program.len() * INSTRUCTION_BYTES);
    for (index, inst) in program.iter().enumerate() {
        bytes.extend(inst.encode().map_err(|error| (index, error))?);
    }
    Ok(bytes)
}

/// The instructions of a program's bytes.
///
/// *Errors*: index of the first instruction that is illegal, and why; a rest of fewer than 32 bytes is
/// [`DecodeError::Truncated`].
pub fn decode_program(bytes: &[u8]) -> Result<Vec<Inst>, (usize, DecodeError)> {
    bytes
        .chunks(INSTRUCTION_BYTES)
        .enumerate()
        .map(|(index, chunk)| {
            let bytes = chunk.try_into().map_err(|_| (index, DecodeError::Truncated { len_bytes: chunk.len() }))?;
            Inst::decode(bytes).map_err(|error| (index, error))
        })
        .collect()
}
