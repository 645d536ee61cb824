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
    /// True if the value is a two's complement number of `width` bits.
    pub signed: bool,
    /// Value after start, or `None`.
    pub reset: Option<u32>,
    /// Meaning and legal values, one sentence.
    pub doc: &'static str,
}

impl StateRegister {
    /// Lowest and highest value as a number.
    pub fn range(&self) -> (i64, i64) {
        if self.signed { (-1 << (self.width - 1), (1 << (self.width - 1)) - 1) } else { (0, (1 << self.width) - 1) }
    }

    /// The bits of a value within [`StateRegister::range`], as SET takes them.
    pub fn bits(&self, number: i64) -> u32 {
        number as u32 & u32::MAX >> (32 - self.width)
    }

    /// The number that these bits are; the inverse of [`StateRegister::bits`].
    pub fn number(&self, bits: u32) -> i64 {
        let unused = 32 - u32::from(self.width);
        if self.signed { i64::from((bits << unused) as i32 >> unused) } else { bits.into() }
    }

    /// True if a SET may write these bits.
    pub fn admits(&self, value: u32) -> bool {
        self.width >= 32 || value >> self.width == 0
    }

    /// True if the value is an fp32, which may be written with a decimal point.
    pub fn is_fp32(&self) -> bool {
        const FP32: [u8; 4] = [fix::SCALE, fix::RATIO, fix::SECOND_RATIO, fix::OFFSET];
        self.pipe == Pipe::Fix && FP32.contains(&self.index)
    }
}

/// Indices of the registers of MTE2 and MTE3 that give a copy its two outer dimensions.
pub mod outer {
    /// Matrices per step of dimension 3.
    pub const COUNT2: u8 = 0;
    /// Bytes from one matrix to the next in the source.
    pub const SRC_STRIDE2: u8 = 1;
    /// Bytes from one matrix to the next in the destination.
    pub const DST_STRIDE2: u8 = 2;
    /// Steps of dimension 3.
    pub const COUNT3: u8 = 3;
    /// Bytes from one step of dimension 3 to the next in the source.
    pub const SRC_STRIDE3: u8 = 4;
    /// Bytes from one step of dimension 3 to the next in the destination.
    pub const DST_STRIDE3: u8 = 5;
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
    /// Lines of the feature map in L1.
    pub const MAP_HEIGHT: u8 = 5;
    /// Bytes of a line of the map.
    pub const MAP_WIDTH: u8 = 6;
    /// Bytes from line to line in L1.
    pub const LINE_STRIDE: u8 = 7;
    /// Output pixels per output line.
    pub const OUT_WIDTH: u8 = 8;
    /// Lines from one output line to the next.
    pub const STEP_Y: u8 = 9;
    /// Bytes from one output pixel to the next.
    pub const STEP_X: u8 = 10;
    /// Taps of a line of the kernel.
    pub const TAPS_X: u8 = 11;
    /// Contiguous bytes of a tap.
    pub const TAP_BYTES: u8 = 12;
    /// Lines from tap to tap.
    pub const TAP_STEP_Y: u8 = 13;
    /// Bytes from tap to tap.
    pub const TAP_STEP_X: u8 = 14;
    /// Line of tap 0 of output line 0.
    pub const ORIGIN_Y: u8 = 15;
    /// Byte of tap 0 of output pixel 0 in its line.
    pub const ORIGIN_X: u8 = 16;
}

/// Indices of the FIX registers.
pub mod fix {
    /// Scale, the bits of an fp32; in the modes tflite and gemmlowp the multiplier, an integer.
    pub const SCALE: u8 = 0;
    /// Shift of the modes tflite and gemmlowp.
    pub const SHIFT: u8 = 1;
    /// Zero point of the results.
    pub const ZERO_POINT: u8 = 2;
    /// Lowest result with clamp.
    pub const CLAMP_LOW: u8 = 3;
    /// Highest result with clamp.
    pub const CLAMP_HIGH: u8 = 4;
    /// First byte of the second tensor in UB.
    pub const SECOND_ADDRESS: u8 = 5;
    /// Bytes from row to row of the second tensor.
    pub const SECOND_STRIDE: u8 = 6;
    /// Factor of the requantised number in a sum, the bits of an fp32.
    pub const RATIO: u8 = 7;
    /// Factor of the second tensor in a sum, the bits of an fp32.
    pub const SECOND_RATIO: u8 = 8;
    /// Constant of a sum, the bits of an fp32.
    pub const OFFSET: u8 = 9;
    /// Zero point of a sum.
    pub const SUM_ZERO_POINT: u8 = 10;
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

const SRC2: &str = "bytes from one matrix of rows x len_bytes to the next in the source; nz: a multiple of 32";
const DST2: &str = "bytes from one matrix of rows x len_bytes to the next in the destination; nz: a multiple of 32";
const SRC3: &str = "bytes from one step of dimension 3 to the next in the source; nz: a multiple of 32";
const DST3: &str = "bytes from one step of dimension 3 to the next in the destination; nz: a multiple of 32";
const COUNT2: &str = "matrices per step of dimension 3, at least 1";
const COUNT3: &str = "steps of dimension 3, at least 1";

/// Every state register, by pipe and index; within a pipe the indices run from 0 without gaps.
pub static STATE_REGISTERS: [StateRegister; 40] = [
    unsigned(Pipe::Mte2, outer::COUNT2, "count2", 16, Some(1), COUNT2),
    unsigned(Pipe::Mte2, outer::SRC_STRIDE2, "src_stride2", 32, Some(0), SRC2),
    unsigned(Pipe::Mte2, outer::DST_STRIDE2, "dst_stride2", 24, Some(0), DST2),
    unsigned(Pipe::Mte2, outer::COUNT3, "count3", 16, Some(1), COUNT3),
    unsigned(Pipe::Mte2, outer::SRC_STRIDE3, "src_stride3", 32, Some(0), SRC3),
    unsigned(Pipe::Mte2, outer::DST_STRIDE3, "dst_stride3", 24, Some(0), DST3),
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
    unsigned(Pipe::Mte1, mte1::MAP_HEIGHT, "map_height", 16, None, "lines of the feature map in L1"),
    unsigned(
        Pipe::Mte1,
        mte1::MAP_WIDTH,
        "map_width",
        24,
        None,
        "bytes of a line of the map: pixels x bytes from pixel to pixel",
    ),
    unsigned(Pipe::Mte1, mte1::LINE_STRIDE, "line_stride", 24, None, "bytes from line to line in L1"),
    unsigned(Pipe::Mte1, mte1::OUT_WIDTH, "out_width", 16, None, "output pixels per output line, at least 1"),
    unsigned(Pipe::Mte1, mte1::STEP_Y, "step_y", 8, None, "lines from one output line to the next: the stride in y"),
    unsigned(
        Pipe::Mte1,
        mte1::STEP_X,
        "step_x",
        24,
        None,
        "bytes from one output pixel to the next: the stride in x times the bytes from pixel to pixel",
    ),
    unsigned(
        Pipe::Mte1,
        mte1::TAPS_X,
        "taps_x",
        8,
        None,
        "taps per line of the kernel, at least 1; 1 where the taps of a line are one contiguous run",
    ),
    unsigned(Pipe::Mte1, mte1::TAP_BYTES, "tap_bytes", 16, None, "contiguous bytes of a tap, at least 1"),
    unsigned(Pipe::Mte1, mte1::TAP_STEP_Y, "tap_step_y", 8, None, "lines from tap to tap: the dilation in y"),
    unsigned(
        Pipe::Mte1,
        mte1::TAP_STEP_X,
        "tap_step_x",
        24,
        None,
        "bytes from tap to tap: the dilation in x times the bytes from pixel to pixel",
    ),
    signed(
        Pipe::Mte1,
        mte1::ORIGIN_Y,
        "origin_y",
        None,
        "line of tap 0 of output line 0, -32768..32767: less than 0 is padding above the map",
    ),
    signed(
        Pipe::Mte1,
        mte1::ORIGIN_X,
        "origin_x",
        None,
        "byte in its line of tap 0 of output pixel 0, -8388608..8388607: less than 0 is padding left of the map",
    ),
    unsigned(
        Pipe::Fix,
        fix::SCALE,
        "scale",
        32,
        None,
        "scale, fp32 bits; finite, positive and normal; tflite and gemmlowp: multiplier, 0 or 2^30..2^31-1; checked when it is used",
    ),
    StateRegister {
        pipe: Pipe::Fix,
        index: fix::SHIFT,
        name: "shift",
        width: 8,
        signed: true,
        reset: None,
        doc: "tflite and gemmlowp: exponent of two of the multiplier, -31..30, negative is to the right; checked when it is used",
    },
    signed(
        Pipe::Fix,
        fix::ZERO_POINT,
        "zero_point",
        Some(0),
        "zero point of the results: s8 -128..127, u8 0..255, checked when it is used",
    ),
    signed(Pipe::Fix, fix::CLAMP_LOW, "clamp_low", None, "lowest result with clamp"),
    signed(Pipe::Fix, fix::CLAMP_HIGH, "clamp_high", None, "highest result with clamp"),
    unsigned(
        Pipe::Fix,
        fix::SECOND_ADDRESS,
        "second_address",
        24,
        None,
        "first byte of the second tensor in UB, a multiple of 32",
    ),
    unsigned(
        Pipe::Fix,
        fix::SECOND_STRIDE,
        "second_stride",
        24,
        None,
        "bytes from one row of the second tensor to the next, a multiple of 32",
    ),
    unsigned(
        Pipe::Fix,
        fix::RATIO,
        "ratio",
        32,
        None,
        "add: factor of the requantised number, fp32 bits; 2^-12 <= ratio < 2^8",
    ),
    unsigned(
        Pipe::Fix,
        fix::SECOND_RATIO,
        "second_ratio",
        32,
        None,
        "add: factor of the second tensor, fp32 bits; 2^-12 <= ratio < 2^8",
    ),
    unsigned(
        Pipe::Fix,
        fix::OFFSET,
        "offset",
        32,
        None,
        "add: constant of the sum, fp32 bits; a multiple of 2^-35, magnitude below 2^18",
    ),
    signed(
        Pipe::Fix,
        fix::SUM_ZERO_POINT,
        "sum_zero_point",
        Some(0),
        "zero point of a sum, below which relu lets none: s8 -128..127, u8 0..255, checked when add uses it with relu",
    ),
    unsigned(Pipe::Mte3, outer::COUNT2, "count2", 16, Some(1), COUNT2),
    unsigned(Pipe::Mte3, outer::SRC_STRIDE2, "src_stride2", 24, Some(0), SRC2),
    unsigned(Pipe::Mte3, outer::DST_STRIDE2, "dst_stride2", 32, Some(0), DST2),
    unsigned(Pipe::Mte3, outer::COUNT3, "count3", 16, Some(1), COUNT3),
    unsigned(Pipe::Mte3, outer::SRC_STRIDE3, "src_stride3", 24, Some(0), SRC3),
    unsigned(Pipe::Mte3, outer::DST_STRIDE3, "dst_stride3", 32, Some(0), DST3),
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
