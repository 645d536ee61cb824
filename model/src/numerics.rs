// SPDX-License-Identifier: Apache-2.0
//! Requantisation, ReLU and clamp, one element at a time; every rule with its bounds is in `docs/numerics.md`.

use fixed::types::I64F64;
use isa::Dtype;

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
    let r: i32 = I64F64::saturating_from_num(y).saturating_round_ties_even().saturating_to_num();
    let (lowest, highest) = range(dtype);
    r.saturating_add(zero_point).clamp(lowest, highest)
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
