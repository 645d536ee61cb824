// SPDX-License-Identifier: Apache-2.0
//! The second tensor of `fix.store`: what its state registers say together, and which of them are legal.
//!
//! ```text
//! q2(i, j) = UB[second_address + i second_stride + j]
//! add: q = the number of dtype_out nearest to fma(q1, ratio, fma(q2, second_ratio, offset)), fp32, ties to even
//! max: q = max(q1, q2)
//! ```
//! The bounds of the factors make q ratio and q second_ratio + offset exact multiples of 2^-35 below 2^20 (`docs/numerics.md`).

use crate::geometry::{Misuse, register, value};
use crate::inst::{FixStore, Second};
use crate::pipe::Pipe;
use crate::state::{State, fix};

/// Address and stride of the second tensor are multiples of this many bytes.
pub const SECOND_ALIGN: u32 = 32;

/// A second tensor with what is done to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SecondTensor {
    /// First byte in UB.
    pub address: u32,
    /// Bytes from row to row.
    pub stride: u32,
    /// Factors of a sum; `None` takes the maximum.
    pub sum: Option<Sum>,
}

/// Factors of a sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sum {
    /// Factor of the requantised number.
    pub ratio: f32,
    /// Factor of the second tensor.
    pub second_ratio: f32,
    /// Constant.
    pub offset: f32,
    /// Zero point of the sum, the floor of ReLU.
    pub zero_point: i32,
}

impl Sum {
    /// The factors that add a tensor of `scale` and `zero_point` and a second one of `second_scale` and `second_zero_point` to a sum
    /// of `sum_scale` and `sum_zero_point`, with the roundings of ONNX Runtime's `QLinearAdd`:
    /// `offset = sum_zero_point - fma(ratio, zero_point, second_ratio second_zero_point)`.
    ///
    /// They are legal wherever both ratios are ([`is_ratio`]).
    pub fn of_scales(
        (scale, zero_point): (f32, i32),
        (second_scale, second_zero_point): (f32, i32),
        (sum_scale, sum_zero_point): (f32, i32),
    ) -> Sum {
        let (ratio, second_ratio) = (scale / sum_scale, second_scale / sum_scale);
        let offset = sum_zero_point as f32 - ratio.mul_add(zero_point as f32, second_ratio * second_zero_point as f32);
        Sum { ratio, second_ratio, offset, zero_point: sum_zero_point }
    }
}

impl SecondTensor {
    /// The second tensor that this instruction sees; `None` if it has none.
    ///
    /// *Errors*, in this order: a register is unset; address or stride is no multiple of 32; a factor is illegal; the zero point of
    /// the sum, if ReLU uses it, is outside the range of the results.
    pub fn of(store: &FixStore, state: &State) -> Result<Option<SecondTensor>, Misuse> {
        if store.second == Second::None {
            return Ok(None);
        }
        let get = |index| value(state, Pipe::Fix, index);
        let (address, stride) = (get(fix::SECOND_ADDRESS)?, get(fix::SECOND_STRIDE)?);
        let factors = match store.second {
            Second::Add => Some([get(fix::RATIO)?, get(fix::SECOND_RATIO)?, get(fix::OFFSET)?]),
            _ => None,
        };
        for (index, bytes) in [(fix::SECOND_ADDRESS, address), (fix::SECOND_STRIDE, stride)] {
            if bytes % SECOND_ALIGN != 0 {
                return Err(Misuse::bad(Pipe::Fix, index, "be a multiple of 32"));
            }
        }
        let Some([ratio, second_ratio, offset]) = factors else {
            return Ok(Some(SecondTensor { address, stride, sum: None }));
        };
        const RATIO: &str = "be at least 2^-12 and below 2^8";
        const OFFSET: &str = "be a multiple of 2^-35 with a magnitude below 2^18";
        for (index, bits, legal, must) in [
            (fix::RATIO, ratio, is_ratio(ratio), RATIO),
            (fix::SECOND_RATIO, second_ratio, is_ratio(second_ratio), RATIO),
            (fix::OFFSET, offset, is_offset(offset), OFFSET),
        ] {
            if !legal {
                return Err(Misuse::BadFactor { register: register(Pipe::Fix, index), bits, must });
            }
        }
        let zero_point = get(fix::SUM_ZERO_POINT)? as i32;
        let (low, high) = store.dtype_out.range().expect("the encoding admits integers of 8 bits only");
        if store.relu && !(low..=high).contains(&zero_point) {
            let register = register(Pipe::Fix, fix::SUM_ZERO_POINT);
            return Err(Misuse::BadZeroPoint { register, value: zero_point, low, high });
        }
        let [ratio, second_ratio, offset] = [ratio, second_ratio, offset].map(f32::from_bits);
        Ok(Some(SecondTensor { address, stride, sum: Some(Sum { ratio, second_ratio, offset, zero_point }) }))
    }
}

/// True if the bits are those of a legal `ratio` or `second_ratio`: from 2^-12 to just below 2^8.
pub fn is_ratio(bits: u32) -> bool {
    let ratio = f32::from_bits(bits);
    (1.0 / 4096.0..256.0).contains(&ratio)
}

/// True if the bits are those of a legal `offset`: a multiple of 2^-35 with a magnitude below 2^18.
pub fn is_offset(bits: u32) -> bool {
    let offset = f64::from(f32::from_bits(bits));
    let grains = offset * (1u64 << 35) as f64;
    offset.abs() < f64::from(1 << 18) && grains.fract() == 0.0
}
