// SPDX-License-Identifier: Apache-2.0
//! What state registers mean together: the outer dimensions of a copy, and the feature map that `mte1.im2col` reads.
//!
//! Both are checked when their instruction reaches the head of its pipe: first that every register was set, then that the
//! values, and the operands that go with them, are legal.

use crate::fault::Cause;
use crate::inst::*;
use crate::pipe::Pipe;
use crate::state::{State, StateRegister, mte1, outer, state_register};
use std::fmt;
use std::ops::Range;

/// Lines, byte positions and L1 addresses of `mte1.im2col` are sums modulo 2 to this power.
pub const IM2COL_BITS: u32 = 26;

/// Why the state registers do not fit an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// The register has no reset value and was not set.
    Unset(&'static StateRegister),
    /// The register, or an operand that goes with it, has an illegal value.
    Bad {
        /// The register.
        register: &'static StateRegister,
        /// What must hold, worded to follow "must".
        must: &'static str,
    },
    /// The register has an fp32 that is no legal factor or constant.
    BadFactor {
        /// The register.
        register: &'static StateRegister,
        /// Its bits.
        bits: u32,
        /// What must hold, worded to follow "must".
        must: &'static str,
    },
    /// The register has a zero point outside the range of the dtype.
    BadZeroPoint {
        /// The register.
        register: &'static StateRegister,
        /// Its value.
        value: i32,
        /// Lowest legal one.
        low: i32,
        /// Highest legal one.
        high: i32,
    },
}

impl Misuse {
    pub(crate) fn bad(pipe: Pipe, index: u8, must: &'static str) -> Misuse {
        Misuse::Bad { register: register(pipe, index), must }
    }

    /// The fault that the hardware raises, with address 0.
    pub fn cause(&self) -> Cause {
        match self {
            Misuse::Unset(_) => Cause::UnsetRegister,
            Misuse::Bad { .. } => Cause::BadRegister,
            Misuse::BadFactor { .. } => Cause::BadScale,
            Misuse::BadZeroPoint { .. } => Cause::BadZeroPoint,
        }
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misuse::Unset(register) => {
                write!(f, "uses {}.{}, which has no reset value and is not set before", register.pipe, register.name)
            }
            Misuse::Bad { register, must } => write!(f, "uses {}.{}, which must {must}", register.pipe, register.name),
            Misuse::BadFactor { register, bits, must } => {
                let (pipe, name, value) = (register.pipe, register.name, f32::from_bits(*bits));
                write!(f, "uses {pipe}.{name} = {value} ({bits:#010x}), which must {must}")
            }
            Misuse::BadZeroPoint { register, value, low, high } => {
                write!(f, "uses {}.{} = {value}, which is outside {low}..={high}", register.pipe, register.name)
            }
        }
    }
}

pub(crate) fn register(pipe: Pipe, index: u8) -> &'static StateRegister {
    state_register(pipe, index).expect("the index is a constant of the table")
}

pub(crate) fn value(state: &State, pipe: Pipe, index: u8) -> Result<u32, Misuse> {
    state.get(pipe, index).ok_or(Misuse::Unset(register(pipe, index)))
}

/// Dimensions 2 and 3 of a copy of MTE2 or MTE3, around its matrix of rows x bytes. Index 0 is dimension 2, index 1 dimension 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outer {
    /// Steps, each at least 1.
    pub counts: [u32; 2],
    /// Bytes from step to step in the source.
    pub src_strides: [u32; 2],
    /// Bytes from step to step in the destination.
    pub dst_strides: [u32; 2],
}

impl Outer {
    /// The outer dimensions that this instruction sees; `None` if it is not a copy of MTE2 or MTE3.
    ///
    /// *Errors*: a count is 0, or a stride is illegal on its side.
    pub fn of(op: &Instruction, state: &State) -> Result<Option<Outer>, Misuse> {
        let (nz_src, nz_dst) = match op {
            Instruction::Mte2Load(load) => (false, load.layout == Layout::Nz),
            Instruction::Mte2Fill(_) => (false, false),
            Instruction::Mte3Store(store) => (store.layout == Layout::Nz, false),
            Instruction::Mte3Move(copy) => (false, copy.layout == Layout::Nz),
            _ => return Ok(None),
        };
        let pipe = op.pipe();
        let get = |indices: [u8; 2]| -> Result<[u32; 2], Misuse> {
            Ok([value(state, pipe, indices[0])?, value(state, pipe, indices[1])?])
        };
        const COUNTS: [u8; 2] = [outer::COUNT2, outer::COUNT3];
        const SRC: [u8; 2] = [outer::SRC_STRIDE2, outer::SRC_STRIDE3];
        const DST: [u8; 2] = [outer::DST_STRIDE2, outer::DST_STRIDE3];
        let found = Outer { counts: get(COUNTS)?, src_strides: get(SRC)?, dst_strides: get(DST)? };
        let local_dst = matches!(op, Instruction::Mte3Move(_));
        for at in 0..2 {
            if found.counts[at] == 0 {
                return Err(Misuse::bad(pipe, COUNTS[at], "be at least 1"));
            }
            for (nz, strides, indices) in [(nz_src, found.src_strides, SRC), (nz_dst, found.dst_strides, DST)] {
                if nz && strides[at] % 32 != 0 {
                    return Err(Misuse::bad(pipe, indices[at], "be a multiple of 32 where that side is nz"));
                }
            }
            if local_dst && found.dst_strides[at] >> 24 != 0 {
                return Err(Misuse::bad(pipe, DST[at], "be below 2^24 where the destination is L1"));
            }
        }
        Ok(Some(found))
    }

    /// How many matrices are copied.
    pub fn matrices(&self) -> u64 {
        u64::from(self.counts[0]) * u64::from(self.counts[1])
    }

    /// What is added to source and destination address for each matrix, in the order in which they are copied.
    pub fn offsets(&self) -> impl Iterator<Item = (u64, u64)> + use<> {
        let Outer { counts, src_strides, dst_strides } = *self;
        let offset = |strides: [u32; 2], p2: u32, p3: u32| {
            u64::from(p2) * u64::from(strides[0]) + u64::from(p3) * u64::from(strides[1])
        };
        (0..counts[1]).flat_map(move |p3| {
            (0..counts[0]).map(move |p2| (offset(src_strides, p2, p3), offset(dst_strides, p2, p3)))
        })
    }
}

/// The feature map and the kernel of an `mte1.im2col`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Im2col {
    /// Lines of the map.
    pub map_height: u32,
    /// Bytes of a line of the map.
    pub map_width: u32,
    /// Bytes from line to line in L1.
    pub line_stride: u32,
    /// Output pixels per output line.
    pub out_width: u32,
    /// Lines from one output line to the next.
    pub step_y: u32,
    /// Bytes from one output pixel to the next.
    pub step_x: u32,
    /// Taps of a line of the kernel.
    pub taps_x: u32,
    /// Contiguous bytes of a tap.
    pub tap_bytes: u32,
    /// Lines from tap to tap.
    pub tap_step_y: u32,
    /// Bytes from tap to tap.
    pub tap_step_x: u32,
    /// Line of tap 0 of output line 0.
    pub origin_y: i32,
    /// Byte of tap 0 of output pixel 0.
    pub origin_x: i32,
}

/// Consecutive k inside one tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapRun {
    /// First k of the run, counted from the first k of the tile.
    pub first: u32,
    /// How many.
    pub len: u32,
    /// Line of the tap.
    pub tap_y: u32,
    /// Place of the tap in its line.
    pub tap_x: u32,
    /// Byte of the first k in the tap.
    pub byte: u32,
}

impl Im2col {
    /// The geometry that this instruction sees.
    ///
    /// *Errors*: a register was not set; a value is 0 or out of range; an operand is not below its register; zero points of A
    /// come from FB.
    pub fn of(op: &Mte1Im2col, state: &State) -> Result<Im2col, Misuse> {
        let get = |index| value(state, Pipe::Mte1, index);
        let found = Im2col {
            map_height: get(mte1::MAP_HEIGHT)?,
            map_width: get(mte1::MAP_WIDTH)?,
            line_stride: get(mte1::LINE_STRIDE)?,
            out_width: get(mte1::OUT_WIDTH)?,
            step_y: get(mte1::STEP_Y)?,
            step_x: get(mte1::STEP_X)?,
            taps_x: get(mte1::TAPS_X)?,
            tap_bytes: get(mte1::TAP_BYTES)?,
            tap_step_y: get(mte1::TAP_STEP_Y)?,
            tap_step_x: get(mte1::TAP_STEP_X)?,
            origin_y: get(mte1::ORIGIN_Y)? as i32,
            origin_x: get(mte1::ORIGIN_X)? as i32,
        };
        let rules = [
            (found.out_width > u32::from(op.out_x), mte1::OUT_WIDTH, "be above the operand out_x"),
            (found.taps_x > u32::from(op.tap_x), mte1::TAPS_X, "be above the operand tap_x"),
            (found.tap_bytes > u32::from(op.tap_byte), mte1::TAP_BYTES, "be above the operand tap_byte"),
            (i16::try_from(found.origin_y).is_ok(), mte1::ORIGIN_Y, "lie in -32768..=32767"),
            ((-1 << 23..1 << 23).contains(&found.origin_x), mte1::ORIGIN_X, "lie in -8388608..=8388607"),
            (get(mte1::ZERO_POINT_SOURCE)? & 1 == 0, mte1::ZERO_POINT_SOURCE, "have bit 0 clear for im2col"),
        ];
        match rules.into_iter().find(|(holds, ..)| !holds) {
            Some((_, index, must)) => Err(Misuse::bad(Pipe::Mte1, index, must)),
            None => Ok(found),
        }
    }

    /// The k of a tile, cut where a tap ends.
    pub fn tap_runs(&self, op: &Mte1Im2col) -> impl Iterator<Item = TapRun> + use<> {
        let Im2col { taps_x, tap_bytes, .. } = *self;
        let (mut tap_y, mut tap_x, mut byte) = (u32::from(op.tap_y), u32::from(op.tap_x), u32::from(op.tap_byte));
        let (mut first, k) = (0, u32::from(op.k));
        std::iter::from_fn(move || {
            let len = (tap_bytes - byte).min(k - first);
            let run = TapRun { first, len, tap_y, tap_x, byte };
            (first, byte, tap_x) = (first + len, 0, tap_x + 1);
            if tap_x == taps_x {
                (tap_x, tap_y) = (0, tap_y + 1);
            }
            (len != 0).then_some(run)
        })
    }

    /// Which bytes of a run lie in the map for row `row` of the tile, counted from the run's first, and where the first of
    /// them lies in L1; an empty range if the run is padding as a whole.
    ///
    /// *Guarantee*: the bytes of the range are contiguous in L1, up to the wrap at 2^26 that lies outside every L1.
    pub fn in_map(&self, op: &Mte1Im2col, row: u32, run: &TapRun) -> (Range<u32>, u64) {
        let pixel = u64::from(op.out_x) + u64::from(row);
        let (line, x) = (pixel / u64::from(self.out_width), pixel % u64::from(self.out_width));
        let y = i64::from(self.origin_y)
            + (i64::from(op.out_y) + line as i64) * i64::from(self.step_y)
            + i64::from(run.tap_y) * i64::from(self.tap_step_y);
        let p = i64::from(self.origin_x)
            + x as i64 * i64::from(self.step_x)
            + i64::from(run.tap_x) * i64::from(self.tap_step_x)
            + i64::from(run.byte);
        let (y, p) = (wrapped(y), wrapped(p));
        let from = (-p).clamp(0, run.len.into());
        let to = (i64::from(self.map_width) - p).clamp(from, run.len.into());
        if y < 0 || y >= i64::from(self.map_height) || from == to {
            return (0..0, 0);
        }
        let address = i64::from(op.l1_address) + y * i64::from(self.line_stride) + p + from;
        (from as u32..to as u32, (address & ((1 << IM2COL_BITS) - 1)) as u64)
    }
}

/// A sum modulo 2^26, read as two's complement.
fn wrapped(sum: i64) -> i64 {
    sum << (64 - IM2COL_BITS) >> (64 - IM2COL_BITS)
}
