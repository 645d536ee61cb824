// SPDX-License-Identifier: Apache-2.0
//! The state registers of the pipes: what does not fit into an instruction.
//!
//! `SET pipe, register, value` writes one, in the order of the pipe's queue: it acts on the pipe's later instructions and on
//! no earlier one. A register without reset value that is used before it was SET is
//! [`Cause::UnsetRegister`](crate::Cause::UnsetRegister). The start doorbell puts every register back to its reset state.

use crate::pipe::Pipe;

/// One state register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateRegister {
    /// The pipe that has it.
    pub pipe: Pipe,
    /// Index within the pipe.
    pub index: u8,
    /// Name in `lower_snake`, unique within the pipe.
    pub name: &'static str,
    /// Bits, 1..=32. A SET with a higher bit is [`Cause::IllegalField`](crate::Cause::IllegalField).
    pub width: u8,
    /// True if the value is a two's complement number (all such registers are 32 bits wide).
    pub signed: bool,
    /// Value after start, or `None`.
    pub reset: Option<u32>,
    /// Meaning and legal values, one sentence.
    pub doc: &'static str,
}

impl StateRegister {
    /// True if a SET may write this value.
    pub fn admits(&self, value: u32) -> bool {
        self.width >= 32 || value >> self.width == 0
    }
}

/// Indices of the MTE2 registers.
pub mod mte2 {
    /// Fill byte of padding (reserved for later padding modes; no instruction of this version reads it).
    pub const FILL: u8 = 0;
}

/// Indices of the MTE1 registers.
pub mod mte1 {
    /// Zero point of A.
    pub const ZERO_POINT_A: u8 = 0;
    /// Zero point of B.
    pub const ZERO_POINT_B: u8 = 1;
    /// Bit 0: the zero points of A come from FB, one per row; bit 1: those of B.
    pub const ZERO_POINT_SOURCE: u8 = 2;
    /// FB channel of row 0 of A.
    pub const ZERO_POINT_CHANNEL_A: u8 = 3;
    /// FB channel of row 0 of B.
    pub const ZERO_POINT_CHANNEL_B: u8 = 4;
}

/// Indices of the FIX registers.
pub mod fix {
    /// Scale, the bits of an fp32.
    pub const SCALE: u8 = 0;
    /// Shift of the tflite and gemmlowp modes.
    pub const SHIFT: u8 = 1;
    /// Zero point of the results.
    pub const ZERO_POINT: u8 = 2;
    /// Lowest result with clamp.
    pub const CLAMP_LOW: u8 = 3;
    /// Highest result with clamp.
    pub const CLAMP_HIGH: u8 = 4;
}

const fn unsigned(
    pipe: Pipe,
    index: u8,
    name: &'static str,
    width: u8,
    reset: Option<u32>,
    doc: &'static str,
) -> StateRegister {
    StateRegister { pipe, index, name, width, signed: false, reset, doc }
}

const fn signed(pipe: Pipe, index: u8, name: &'static str, reset: Option<u32>, doc: &'static str) -> StateRegister {
    StateRegister { pipe, index, name, width: 32, signed: true, reset, doc }
}

/// Every state register, by pipe and index; within a pipe the indices run from 0 without gaps.
pub static STATE_REGISTERS: [StateRegister; 11] = [
    unsigned(
        Pipe::Mte2,
        mte2::FILL,
        "fill",
        8,
        Some(0),
        "fill byte of padding; no instruction of this version reads it",
    ),
    signed(
        Pipe::Mte1,
        mte1::ZERO_POINT_A,
        "zero_point_a",
        Some(0),
        "zero point of A: s8 -128..127, u8 0..255, checked when it is used",
    ),
    signed(
        Pipe::Mte1,
        mte1::ZERO_POINT_B,
        "zero_point_b",
        Some(0),
        "zero point of B: s8 -128..127, u8 0..255, checked when it is used",
    ),
    unsigned(
        Pipe::Mte1,
        mte1::ZERO_POINT_SOURCE,
        "zero_point_source",
        2,
        Some(0),
        "bit 0: zero points of A from FB, one per row; bit 1: of B from FB, one per row of B (output channel)",
    ),
    unsigned(Pipe::Mte1, mte1::ZERO_POINT_CHANNEL_A, "zero_point_channel_a", 16, Some(0), "FB channel of row 0 of A"),
    unsigned(Pipe::Mte1, mte1::ZERO_POINT_CHANNEL_B, "zero_point_channel_b", 16, Some(0), "FB channel of row 0 of B"),
    unsigned(
        Pipe::Fix,
        fix::SCALE,
        "scale",
        32,
        None,
        "scale, fp32 bits; finite, positive and normal, checked when it is used",
    ),
    unsigned(Pipe::Fix, fix::SHIFT, "shift", 8, None, "right shift of the tflite and gemmlowp modes"),
    signed(
        Pipe::Fix,
        fix::ZERO_POINT,
        "zero_point",
        Some(0),
        "zero point of the results: s8 -128..127, u8 0..255, checked when it is used",
    ),
    signed(Pipe::Fix, fix::CLAMP_LOW, "clamp_low", None, "lowest result with clamp"),
    signed(Pipe::Fix, fix::CLAMP_HIGH, "clamp_high", None, "highest result with clamp"),
];

/// The register `index` of `pipe`, if there is one.
pub fn state_register(pipe: Pipe, index: u8) -> Option<&'static StateRegister> {
    STATE_REGISTERS.iter().find(|register| register.pipe == pipe && register.index == index)
}

/// The register of `pipe` with this name, if there is one.
pub fn state_register_named(pipe: Pipe, name: &str) -> Option<&'static StateRegister> {
    STATE_REGISTERS.iter().find(|register| register.pipe == pipe && register.name == name)
}

/// The values of all state registers at one point of every pipe's instruction stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    values: [Option<u32>; STATE_REGISTERS.len()],
}

impl State {
    /// The state after the start doorbell.
    pub fn reset() -> State {
        State { values: std::array::from_fn(|index| STATE_REGISTERS[index].reset) }
    }

    fn position(pipe: Pipe, index: u8) -> Option<usize> {
        STATE_REGISTERS.iter().position(|register| register.pipe == pipe && register.index == index)
    }

    /// The value of a register; `None` if it is unset (or does not exist).
    pub fn get(&self, pipe: Pipe, index: u8) -> Option<u32> {
        self.values[State::position(pipe, index)?]
    }

    /// Writes a register, as SET does. A register that does not exist is left alone: decode refuses such a SET.
    pub fn set(&mut self, pipe: Pipe, index: u8, value: u32) {
        if let Some(position) = State::position(pipe, index) {
            self.values[position] = Some(value);
        }
    }
}

impl Default for State {
    fn default() -> State {
        State::reset()
    }
}
