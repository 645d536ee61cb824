// SPDX-License-Identifier: Apache-2.0
//! What a product or a convolution must be, by means that core and model do not use: `ndarray` over 64-bit integers, and requantisation in integers alone.
//!
//! Two roundings and two saturations, as `docs/numerics.md` has them; every float32 stands here as an integer significand with an exponent.

use host::{Conv, FixedMode, Gemm, Multiplier, Output};
use isa::Dtype;
use ndarray::Array2;

/// Bits of a float32 significand.
const SIGNIFICAND: u32 = 24;

/// The matrix C, `[m, n]` row-major, as numbers.
///
/// `a` is `[m, k]`, `b` is `[k, n]`, or `[n, k]` if `gemm` says so; row-major bytes.
pub fn product(gemm: &Gemm, a: &[u8], b: &[u8]) -> Vec<i32> {
    let (m, n, k) = (gemm.m, gemm.n, gemm.k);
    let a = matrix(m, k, a, gemm.dtype_a);
    let b =
        if gemm.transposed_b { matrix(n, k, b, gemm.dtype_b).reversed_axes() } else { matrix(k, n, b, gemm.dtype_b) };
    let zero_point_b = |column: usize| match gemm.zero_points_b[..] {
        [] => 0,
        [one] => i64::from(one),
        ref each => i64::from(each[column]),
    };
    let a = a.mapv(|value| value - i64::from(gemm.zero_point_a));
    let mut b = b;
    for (column, mut values) in b.columns_mut().into_iter().enumerate() {
        values.mapv_inplace(|value| value - zero_point_b(column));
    }
    let sums = a.dot(&b);
    let element = |((_, column), &sum): ((usize, usize), &i64)| {
        let bias = gemm.bias.as_ref().map_or(0, |bias| i64::from(bias[column]));
        // int32 addition wraps.
        let sum = (sum + bias) as i32;
        let of = |count: usize| if count == 1 { 0 } else { column };
        let zero_point = gemm.output.zero_point();
        let value = match &gemm.output {
            Output::Int32 => sum,
            Output::Fp32 { scales } => return float32(sum, scales[of(scales.len())], gemm.relu) as i32,
            Output::Quantised { dtype, scales, .. } => requantised(sum, scales[of(scales.len())], zero_point, *dtype),
            Output::Fixed { dtype, mode, multipliers, .. } => {
                finished(multiplied(sum, multipliers[of(multipliers.len())], *mode), zero_point, *dtype)
            }
        };
        let value = if gemm.relu { value.max(zero_point) } else { value };
        let value = gemm.clamp.map_or(value, |(low, high)| value.max(low).min(high));
        // Bounds outside the type leave the low byte.
        match gemm.output.dtype() {
            Dtype::U8 => i32::from(value as u8),
            Dtype::S8 => i32::from(value as i8),
            _ => value,
        }
    };
    sums.indexed_iter().map(element).collect()
}

/// The result of a convolution, `[n, out_h, out_w, cout]`, as numbers: group by group the product of the gathered operand.
///
/// `x` is `[n, h, w, cin]`, `weights` is `[cout, kh, kw, cin / groups]`.
pub fn convolution(conv: &Conv, x: &[u8], weights: &[u8]) -> Vec<i32> {
    let ([out_h, out_w], [kh, kw]) = (conv.out(), conv.kernel);
    let (cin, cout, k) = (conv.group_cin(), conv.group_cout(), kh * kw * conv.group_cin());
    let mut result = vec![0; conv.pixels() * conv.cout];
    for group in 0..conv.groups {
        // Padding is the byte that the zero point makes 0.
        let mut a = vec![conv.zero_point_x as u8; conv.pixels() * k];
        for (pixel, row) in a.chunks_exact_mut(k).enumerate() {
            let (image, oy, ox) = (pixel / (out_h * out_w), pixel / out_w % out_h, pixel % out_w);
            for (tap, bytes) in row.chunks_exact_mut(cin).enumerate() {
                let y = (oy * conv.stride[0] + tap / kw * conv.dilation[0]).checked_sub(conv.pads[0]);
                let x_at = (ox * conv.stride[1] + tap % kw * conv.dilation[1]).checked_sub(conv.pads[1]);
                let (Some(y), Some(x_at)) = (y.filter(|&y| y < conv.h), x_at.filter(|&x| x < conv.w)) else { continue };
                let first = ((image * conv.h + y) * conv.w + x_at) * conv.cin + group * cin;
                bytes.copy_from_slice(&x[first..first + cin]);
            }
        }
        let outputs = group * cout..(group + 1) * cout;
        let each = |all: &[i32]| if all.len() > 1 { all[outputs.clone()].to_vec() } else { all.to_vec() };
        let output = match &conv.output {
            Output::Quantised { dtype, scales, zero_point } if scales.len() > 1 => {
                Output::Quantised { dtype: *dtype, scales: scales[outputs.clone()].to_vec(), zero_point: *zero_point }
            }
            Output::Fp32 { scales } if scales.len() > 1 => Output::Fp32 { scales: scales[outputs.clone()].to_vec() },
            Output::Fixed { dtype, mode, multipliers, zero_point } if multipliers.len() > 1 => Output::Fixed {
                dtype: *dtype,
                mode: *mode,
                multipliers: multipliers[outputs.clone()].to_vec(),
                zero_point: *zero_point,
            },
            output => output.clone(),
        };
        let gemm = Gemm {
            dtype_a: conv.dtype_x,
            dtype_b: conv.dtype_w,
            transposed_b: true,
            zero_point_a: conv.zero_point_x,
            zero_points_b: each(&conv.zero_points_w),
            bias: conv.bias.as_ref().map(|bias| bias[outputs.clone()].to_vec()),
            output,
            relu: conv.relu,
            clamp: conv.clamp,
            ..Gemm::new(conv.pixels(), cout, k)
        };
        let values = product(&gemm, &a, &weights[outputs.start * k..outputs.end * k]);
        for (row, values) in values.chunks_exact(cout).enumerate() {
            result[row * conv.cout + outputs.start..][..cout].copy_from_slice(values);
        }
    }
    result
}

fn matrix(rows: usize, columns: usize, bytes: &[u8], dtype: Dtype) -> Array2<i64> {
    let number = |&byte: &u8| if dtype == Dtype::U8 { i64::from(byte) } else { i64::from(byte as i8) };
    Array2::from_shape_vec((rows, columns), bytes.iter().map(number).collect()).expect("the shape was checked before")
}

/// `value / 2^drop` rounded half to even.
fn halved(value: u128, drop: u32) -> u128 {
    if drop == 0 {
        return value;
    }
    if drop >= 127 {
        // Below 2^126 everything is less than half.
        return 0;
    }
    let (whole, rest, half) = (value >> drop, value & ((1 << drop) - 1), 1u128 << (drop - 1));
    whole + u128::from(rest > half || (rest == half && whole & 1 == 1))
}

/// `value 2^exponent` as a float32: at most 24 significant bits.
fn rounded(value: u128, exponent: i32) -> (u128, i32) {
    let drop = (128 - value.leading_zeros()).saturating_sub(SIGNIFICAND);
    // Rounding up to 2^24 is one bit too long and still exact.
    (halved(value, drop), exponent + drop as i32)
}

/// |sum scale| with both roundings to float32: significand of at most 24 bits and exponent.
fn scaled(sum: i32, scale: f32) -> (u128, i32) {
    let bits = scale.to_bits();
    let (significand, exponent) = (u128::from(bits & 0x7F_FFFF | 0x80_0000), (bits >> 23) as i32 - 127 - 23);
    let (x, x_exponent) = rounded(sum.unsigned_abs().into(), 0);
    rounded(x * significand, x_exponent + exponent)
}

/// The rounding mode `onnx` for a scale that is finite, positive and normal.
fn requantised(sum: i32, scale: f32, zero_point: i32, dtype: Dtype) -> i32 {
    let (y, y_exponent) = scaled(sum, scale);
    let size = match y_exponent {
        // Far beyond int32, infinity included; 0 stays 0.
        64.. => y << 63,
        0..64 => y << y_exponent,
        _ => halved(y, y_exponent.unsigned_abs()),
    };
    // Both ends of int32 are far outside the range of the type, whatever the zero point.
    let size = size.min(1 << 31) as i128;
    finished(if sum < 0 { -size } else { size }, zero_point, dtype)
}

/// The bits of the float32 result for such a scale.
fn float32(sum: i32, scale: f32, relu: bool) -> u32 {
    let (y, exponent) = scaled(sum, scale);
    if y == 0 || (relu && sum < 0) {
        return 0;
    }
    // To 24 bits exactly: the product is normal.
    let up = y.leading_zeros() - (128 - SIGNIFICAND);
    let biased = exponent - up as i32 + 127 + 23;
    let magnitude = if biased > 254 { 0x7F80_0000 } else { (biased as u32) << 23 | (y << up) as u32 & 0x7F_FFFF };
    magnitude | u32::from(sum < 0) << 31
}

/// The rounding modes `tflite` and `gemmlowp`: floor(x + 1/2) once, or of the product and then of the size of what is shifted.
fn multiplied(sum: i32, multiplier: Multiplier, mode: FixedMode) -> i128 {
    let Multiplier { m, shift } = multiplier;
    let shift = i32::from(shift);
    let product = i128::from(sum) * i128::from(m.to_bits());
    let half_up = |value: i128, drop: i32| (value + ((1i128 << drop) >> 1)).div_euclid(1 << drop);
    match mode {
        FixedMode::Tflite => half_up(product, 31 - shift),
        FixedMode::Gemmlowp => {
            let high = half_up(product << shift.max(0), 31);
            high.signum() * half_up(high.abs(), (-shift).max(0))
        }
    }
}

/// Zero point and range of the type.
fn finished(value: i128, zero_point: i32, dtype: Dtype) -> i32 {
    let value = value.clamp(i32::MIN.into(), i32::MAX.into()) + i128::from(zero_point);
    let (lowest, highest) = if dtype == Dtype::U8 { (0, 255) } else { (-128, 127) };
    value.clamp(lowest, highest) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 20,000 cases on which NumPy and ONNX Runtime agree; the format is in `tests/vectors/README.md`.
    #[test]
    fn the_stored_vectors_of_numpy_and_onnx_runtime_agree() {
        let bytes = include_bytes!("../../tests/vectors/requant_onnx.bin");
        let cases = &bytes[16..bytes.len() - 32];
        assert_eq!(cases.len(), 20_000 * 12);
        for case in cases.chunks_exact(12) {
            let word = |at: usize| [case[at], case[at + 1], case[at + 2], case[at + 3]];
            let (sum, scale) = (i32::from_le_bytes(word(0)), f32::from_le_bytes(word(4)));
            let unsigned = case[10] == 1;
            let number = |byte: u8| if unsigned { i32::from(byte) } else { i32::from(byte as i8) };
            let dtype = if unsigned { Dtype::U8 } else { Dtype::S8 };
            let got = requantised(sum, scale, number(case[8]), dtype);
            assert_eq!(got, number(case[9]), "{sum} x {scale:e} + {} as {dtype}", number(case[8]));
        }
    }

    #[test]
    fn the_fixed_point_modes_by_hand() {
        let half = Multiplier::of(0.5).expect("a scale in range");
        let eighth = Multiplier::of(0.125).expect("a scale in range");
        let both =
            |sum, multiplier| [FixedMode::Tflite, FixedMode::Gemmlowp].map(|mode| multiplied(sum, multiplier, mode));
        assert_eq!([both(1, half), both(-1, half), both(3, half), both(-3, half)], [[1, 1], [0, 0], [2, 2], [-1, -1]]);
        // 11 / 8 = 1.375, but 11 / 2 = 6 after the first rounding, and 6 / 4 = 2 away from zero.
        assert_eq!([both(11, eighth), both(-12, eighth), both(-13, eighth)], [[1, 2], [-1, -2], [-2, -2]]);
        assert_eq!(both(i32::MIN, Multiplier::of(2f64.powi(29)).expect("a scale in range")), [-1 << 60; 2]);
    }

    #[test]
    fn float32_results_are_those_of_the_processor() {
        for sum in [0, 1, -1, 3, 0x100_0001, -0x7FFF_FFC1, i32::MAX, i32::MIN] {
            for scale in [f32::MIN_POSITIVE, 1e-20, 0.1, 0.5, 1.0, 1.0f32.next_down(), 3.0e30, f32::MAX] {
                let y = sum as f32 * scale + 0.0;
                assert_eq!(float32(sum, scale, false), y.to_bits(), "{sum} x {scale:e}");
                assert_eq!(float32(sum, scale, true), y.max(0.0).to_bits(), "{sum} x {scale:e}");
            }
        }
    }

    #[test]
    fn convolutions_by_hand() {
        // x = [[1, 2], [3, 4]] with a border of padding, kernel [[1, 2], [3, 4]].
        let mut conv = Conv { pads: [1; 4], ..Conv::new([2, 2, 1], [1, 2, 2]) };
        let (x, weights) = ([1, 2, 3, 4], [1, 2, 3, 4]);
        assert_eq!(convolution(&conv, &x, &weights), [4, 11, 6, 14, 30, 14, 6, 11, 4]);
        conv.stride = [2, 1];
        conv.zero_point_x = 1;
        // x - 1 = [[0, 1], [2, 3]].
        assert_eq!(convolution(&conv, &x, &weights), [0, 4, 3, 4, 8, 3]);
        // Two groups of one pixel: channels 1 and 2 by 3 and -1.
        let conv = Conv { groups: 2, bias: Some(vec![10, 20]), ..Conv::new([1, 1, 2], [2, 1, 1]) };
        assert_eq!(convolution(&conv, &[1, 2], &[3, 255]), [13, 18]);
    }

    #[test]
    fn products_by_hand() {
        let mut gemm = Gemm::new(2, 2, 3);
        let (a, b) = ([1, 2, 3, 4, 5, 6], [1, 0, 0, 1, 255, 1]);
        assert_eq!(product(&gemm, &a, &b), [-2, 5, -2, 11]);
        gemm.transposed_b = true;
        // B transposed: columns [1, 0, 0] and [1, -1, 1].
        assert_eq!(product(&gemm, &a, &b), [1, 2, 4, 5]);
        gemm.bias = Some(vec![10, i32::MAX]);
        assert_eq!(product(&gemm, &a, &b), [11, i32::MIN + 1, 14, i32::MIN + 4]);
        gemm.relu = true;
        assert_eq!(product(&gemm, &a, &b), [11, 0, 14, 0]);
        gemm.zero_point_a = 1;
        gemm.zero_points_b = vec![1, 0];
        gemm.bias = None;
        // A - 1 = [[0, 1, 2], [3, 4, 5]], B - [1, 0] = columns [0, -1, -1] and [1, -1, 1].
        assert_eq!(product(&gemm, &a, &b), [0, 1, 0, 4]);
        gemm.output = Output::Quantised { dtype: Dtype::S8, scales: vec![0.5], zero_point: -3 };
        gemm.clamp = Some((-2, 0));
        // [-3, 1, -9, 4] / 2 half to even = [-2, 0, -4, 2], - 3, ReLU at -3, clamp.
        assert_eq!(product(&gemm, &a, &b), [-2, -2, -2, -1]);
    }
}
