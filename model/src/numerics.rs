// SPDX-License-Identifier: Apache-2.0
//! Requantisation, sums of two tensors, ReLU and clamp, one element at a time; every rule with its bounds is in `docs/numerics.md`.

use fixed::types::I64F64;
use isa::second::Sum;
use isa::{Dtype, Rounding};

/// True if the bits are those of a scale that an instruction may use: finite, positive, normal.
pub fn is_scale(bits: u32) -> bool {
    let scale = f32::from_bits(bits);
    scale.is_normal() && scale.is_sign_positive()
}

/// The numbers that an 8-bit dtype holds, lowest and highest.
///
/// Every dtype that is not `u8` counts as `s8`: a core refuses the others before they get here.
pub fn range(dtype: Dtype) -> (i32, i32) {
    match dtype {
        Dtype::U8 => (0, 255),
        _ => (-128, 127),
    }
}

/// Mode `onnx`: an int32 accumulator, bias already added, to a number of `dtype`.
///
/// `x = f32(acc)` rounded to nearest even, `y = x * scale` rounded to nearest even, `r = y` rounded half to even and saturated to
/// int32, then `r + zero_point` saturated to the range of `dtype`.
///
/// *Guarantee*: defined for every accumulator and zero point, and for every scale that [`is_scale`] admits.
pub fn requantise_onnx(acc: i32, scale: f32, zero_point: i32, dtype: Dtype) -> i32 {
    let y = acc as f32 * scale;
    // 64.64 bits hold y exactly wherever |y| is from 2^-40 (24 significant bits) to 2^63. Below, the nearest integer is 0 either
    // way; above, and at infinity, the conversion and the one to int32 saturate.
    with_zero_point(I64F64::saturating_from_num(y).saturating_round_ties_even(), zero_point, dtype)
}

/// Mode `tflite`: `r = floor(acc * m * 2^(shift - 31) + 1/2)`, then as [`requantise_onnx`].
///
/// *Guarantee*: defined for every accumulator and zero point, for `m` of 0..=2^31 - 1 and `shift` of -31..=30.
pub fn requantise_tflite(acc: i32, m: i32, shift: i8, zero_point: i32, dtype: Dtype) -> i32 {
    // |acc m| <= 2^62, and 62 + 33 + 30 bits fit 64.64.
    let exact = I64F64::from_bits((i128::from(acc) * i128::from(m)) << (33 + i32::from(shift)));
    with_zero_point((exact + HALF).floor(), zero_point, dtype)
}

/// Mode `gemmlowp`: `h = floor(acc * 2^max(shift, 0) * m * 2^-31 + 1/2)`, `r = h * 2^min(shift, 0)` rounded half away from zero, then as
/// [`requantise_onnx`].
///
/// *Guarantee*: as [`requantise_tflite`].
pub fn requantise_gemmlowp(acc: i32, m: i32, shift: i8, zero_point: i32, dtype: Dtype) -> i32 {
    let left = i128::from(acc) << shift.max(0);
    let high = (I64F64::from_bits((left * i128::from(m)) << 33) + HALF).floor();
    with_zero_point((high >> (-shift).max(0) as u32).round(), zero_point, dtype)
}

const HALF: I64F64 = I64F64::from_bits(1 << 63);

/// An integer, saturated to int32, plus the zero point, saturated to the dtype.
fn with_zero_point(r: I64F64, zero_point: i32, dtype: Dtype) -> i32 {
    let r: i32 = r.saturating_to_num();
    let (lowest, highest) = range(dtype);
    r.saturating_add(zero_point).clamp(lowest, highest)
}

/// What an accumulator is multiplied with: scale and shift, as legal in their mode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Multiplier {
    /// Mode `onnx`.
    Onnx(f32),
    /// Mode `tflite`: `m * 2^(shift - 31)`.
    Tflite(i32, i8),
    /// Mode `gemmlowp`: as `tflite`.
    Gemmlowp(i32, i8),
}

impl Multiplier {
    /// The multiplier of a mode from its 32 bits and its shift; none if it may not be used.
    pub fn new(rounding: Rounding, bits: u32, shift: u8) -> Option<Multiplier> {
        let (m, shift) = (bits as i32, shift as i8);
        let legal = match rounding {
            Rounding::Onnx => is_scale(bits),
            Rounding::Tflite | Rounding::Gemmlowp => (m == 0 || m >= 1 << 30) && (-31..=30).contains(&shift),
        };
        legal.then_some(match rounding {
            Rounding::Onnx => Multiplier::Onnx(f32::from_bits(bits)),
            Rounding::Tflite => Multiplier::Tflite(m, shift),
            Rounding::Gemmlowp => Multiplier::Gemmlowp(m, shift),
        })
    }

    /// An accumulator to a number of an 8-bit dtype.
    pub fn requantise(self, acc: i32, zero_point: i32, dtype: Dtype) -> i32 {
        match self {
            Multiplier::Onnx(scale) => requantise_onnx(acc, scale, zero_point, dtype),
            Multiplier::Tflite(m, shift) => requantise_tflite(acc, m, shift, zero_point, dtype),
            Multiplier::Gemmlowp(m, shift) => requantise_gemmlowp(acc, m, shift, zero_point, dtype),
        }
    }
}

/// fp32 results: `f32(acc) * scale`, each rounded to nearest even; with `relu` at least +0.
///
/// *Guarantee*: for a scale that [`is_scale`] admits never NaN, subnormal or -0.
pub fn scaled(acc: i32, scale: f32, relu: bool) -> f32 {
    let y = if acc == 0 { 0.0 } else { acc as f32 * scale };
    if relu && y < 0.0 { 0.0 } else { y }
}

/// The number that a byte of this 8-bit dtype holds.
pub fn as_number(byte: u8, dtype: Dtype) -> i32 {
    match dtype {
        Dtype::U8 => byte.into(),
        _ => (byte as i8).into(),
    }
}

/// The sum of a requantised number and one of the second tensor, of `dtype` like both.
///
/// `t = fma(q2, second_ratio, offset)`, `y = fma(q1, ratio, t)`, both fp32 with one rounding to nearest even, then y rounded half to
/// even and saturated to the range of `dtype`.
pub fn add_second(q1: i32, q2: i32, sum: &Sum, dtype: Dtype) -> i32 {
    let t = (q2 as f32).mul_add(sum.second_ratio, sum.offset);
    let y = (q1 as f32).mul_add(sum.ratio, t);
    let (lowest, highest) = range(dtype);
    // With legal factors |y| < 2^20: the conversion is exact.
    (y.round_ties_even() as i32).clamp(lowest, highest)
}

/// What comes after the conversion, for 8-bit and int32 results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Results not below this (ReLU): the zero point, or 0 for int32.
    pub floor: Option<i32>,
    /// Lowest and highest result (clamp); if they are crossed, the highest wins.
    pub clamp: Option<(i32, i32)>,
}

impl Activation {
    /// `min(max(max(q, floor), low), high)`.
    pub fn apply(&self, q: i32) -> i32 {
        let q = self.floor.map_or(q, |floor| q.max(floor));
        self.clamp.map_or(q, |(low, high)| q.max(low).min(high))
    }
}
