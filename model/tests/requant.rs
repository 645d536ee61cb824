// SPDX-License-Identifier: Apache-2.0
//! Claims: requantisation is what ONNX Runtime, NumPy, TFLite and the TOSA reference model compute, what fp32 arithmetic gives, and what
//! exact integers give.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "../../tests/vectors/stream.rs"]
mod stream;

use common::{multiply_exactly, requantise_exactly, rng};
use isa::{Dtype, Rounding};
use model::numerics::{Multiplier, is_scale, range, requantise_gemmlowp, requantise_onnx, requantise_tflite, scaled};
use rand::RngExt;
use stream::{Case, Mode};

#[test]
fn requantisation_equals_the_outside_references() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/requant_onnx.bin");
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"QRQONNX1");
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let cases = word(8) as usize;
    assert_eq!((cases, word(12), bytes.len()), (20_000, 12, 16 + 12 * cases + 32));
    let mut seen = [0; 256];
    for case in 0..cases {
        let at = 16 + 12 * case;
        let (acc, scale) = (word(at) as i32, word(at + 4));
        let number = |byte: u8, dtype| if dtype == Dtype::S8 { i32::from(byte as i8) } else { i32::from(byte) };
        let dtype = [Dtype::S8, Dtype::U8][usize::from(bytes[at + 10])];
        let (zero_point, expected) = (number(bytes[at + 8], dtype), number(bytes[at + 9], dtype));
        assert!(is_scale(scale), "case {case}");
        let (lowest, highest) = range(dtype);
        let got = requantise_onnx(acc, f32::from_bits(scale), zero_point, dtype);
        assert_eq!(got, expected, "case {case}: {acc} * {:e} + {zero_point} as {dtype}", f32::from_bits(scale));
        assert_eq!(requantise_exactly(acc, scale, zero_point, lowest, highest), expected, "exact, case {case}");
        seen[usize::from(bytes[at + 11])] += 1;
    }
    assert_eq!(seen[..8], [3000, 5000, 4000, 2000, 1500, 500, 3000, 1000]);
}

/// The rounding mode of a stream of 8-bit results.
fn rounding(mode: Mode) -> Rounding {
    match mode {
        Mode::Onnx | Mode::Fp32 => Rounding::Onnx,
        Mode::Tflite => Rounding::Tflite,
        Mode::Gemmlowp => Rounding::Gemmlowp,
    }
}

/// The 8-bit result of a case.
fn result(mode: Mode, case: &Case) -> i32 {
    let multiplier = Multiplier::new(rounding(mode), case.scale, case.shift as u8).expect("a legal multiplier");
    multiplier.requantise(case.acc, case.zero_point, if case.unsigned { Dtype::U8 } else { Dtype::S8 })
}

/// A million results of each mode, as digests.
#[test]
fn a_million_results_per_mode_are_those_of_the_outside_references() {
    for mode in [Mode::Onnx, Mode::Fp32, Mode::Tflite, Mode::Gemmlowp] {
        let expected = stream::results(mode).digests;
        let mut seen = [false; 256];
        for (thousand, expected) in expected.iter().enumerate() {
            let cases = (0..stream::BLOCK).map(|index| mode.case(thousand * stream::BLOCK + index));
            let bytes: Vec<u8> = match mode {
                Mode::Fp32 => {
                    cases.flat_map(|case| scaled(case.acc, f32::from_bits(case.scale), false).to_le_bytes()).collect()
                }
                _ => cases.map(|case| result(mode, &case) as u8).collect(),
            };
            bytes.iter().for_each(|&byte| seen[usize::from(byte)] = true);
            assert_eq!(stream::digest(&bytes), *expected, "{mode:?}: a result of thousand {thousand} is wrong");
        }
        assert_eq!(seen, [true; 256], "{mode:?}");
    }
}

/// Every tie and the ends of the ranges, one by one.
#[test]
fn explicit_cases_of_the_fixed_point_modes_are_those_of_the_outside_references() {
    for (mode, least) in [(Mode::Tflite, 12_000), (Mode::Gemmlowp, 12_000)] {
        let explicit = stream::results(mode).explicit;
        assert!(explicit.len() > least, "{mode:?}: {}", explicit.len());
        for (case, expected) in &explicit {
            assert_eq!(result(mode, case), *expected, "{mode:?} {case:?}");
        }
        // The file tells the modes apart.
        let other = if mode == Mode::Tflite { Mode::Gemmlowp } else { Mode::Tflite };
        assert!(explicit.iter().filter(|(case, expected)| result(other, case) != *expected).count() > 1_000);
    }
}

/// The definitions of the fixed-point modes in integers: no fixed-point library.
#[test]
fn fixed_point_modes_equal_exact_integers_on_random_numbers() {
    let mut rng = rng(2);
    let mut inside = 0;
    for case in 0..200_000 {
        let acc = rng.random::<i32>() >> rng.random_range(0..32);
        let m = match case % 8 {
            0 => 0,
            1 => i32::MAX,
            2 => 1 << 30,
            _ => 1 << 30 | rng.random_range(0..1 << 30),
        };
        let bits = 32 - acc.unsigned_abs().leading_zeros() as i32;
        let near = rng.random_range(0..12) - bits;
        let shift = if rng.random() { near.clamp(-31, 30) as i8 } else { rng.random_range(-31..=30) };
        let dtype = if rng.random() { Dtype::S8 } else { Dtype::U8 };
        let (lowest, highest) = range(dtype);
        let zero_point = rng.random_range(lowest..=highest);
        let finish = |r: i128| {
            let r = r.clamp(i32::MIN.into(), i32::MAX.into());
            (r + i128::from(zero_point)).clamp(lowest.into(), highest.into()) as i32
        };
        let exactly = |rounding| finish(multiply_exactly(rounding, acc, m as u32, shift));
        let (tflite, gemmlowp) = (exactly(Rounding::Tflite), exactly(Rounding::Gemmlowp));
        let context = format!("case {case}: {acc} * {m} * 2^({shift} - 31) + {zero_point} as {dtype}");
        assert_eq!(requantise_tflite(acc, m, shift, zero_point, dtype), tflite, "tflite, {context}");
        assert_eq!(requantise_gemmlowp(acc, m, shift, zero_point, dtype), gemmlowp, "gemmlowp, {context}");
        inside += u32::from(tflite > lowest && tflite < highest && acc != 0);
    }
    assert!(inside > 40_000, "only {inside} results are not saturated");
}

#[test]
fn fp32_results_are_the_product_and_never_below_zero_with_relu() {
    assert_eq!(scaled(3, 0.1, false).to_bits(), (3.0f32 * 0.1).to_bits());
    assert_eq!(scaled(i32::MIN, f32::MAX, false), f32::NEG_INFINITY);
    assert_eq!(scaled(i32::MAX, f32::MAX, true), f32::INFINITY);
    assert_eq!(scaled(-1, f32::MIN_POSITIVE, false).to_bits(), 0x8080_0000);
    for relu in [false, true] {
        assert_eq!(scaled(0, 1.0, relu).to_bits(), 0);
    }
    assert_eq!(scaled(-7, 1.0, true).to_bits(), 0);
    // 2^24 + 1 is rounded before the product.
    assert_eq!(scaled((1 << 24) + 1, 3.0, false), 3.0 * 16_777_216.0);
}

/// The rule in plain fp32.
fn in_f32(acc: i32, scale: f32, zero_point: i32, dtype: Dtype) -> i32 {
    let (lowest, highest) = range(dtype);
    let r = (acc as f32 * scale).round_ties_even() as i32;
    (i64::from(r) + i64::from(zero_point)).clamp(lowest.into(), highest.into()) as i32
}

#[test]
fn requantisation_equals_f32_and_exact_integers_on_random_numbers() {
    let mut rng = rng(1);
    let mut inside = 0;
    for case in 0..200_000 {
        let acc = rng.random::<i32>() >> rng.random_range(0..32);
        // Half of the scales bring the result near the range of 8 bits, the others are any legal bits.
        let exponent = match case % 2 {
            0 => (127 + 7 - (32 - acc.unsigned_abs().leading_zeros()) as i32 + rng.random_range(-3..3)) as u32,
            _ => rng.random_range(1..255),
        };
        let mantissa = rng.random::<u32>() & 0x7F_FFFF & (u32::MAX << rng.random_range(0..24));
        let scale = exponent << 23 | mantissa;
        let dtype = if rng.random() { Dtype::S8 } else { Dtype::U8 };
        let (lowest, highest) = range(dtype);
        let zero_point = rng.random_range(lowest..=highest);
        let got = requantise_onnx(acc, f32::from_bits(scale), zero_point, dtype);
        let context = format!("case {case}: {acc} * {:e} + {zero_point} as {dtype}", f32::from_bits(scale));
        assert_eq!(got, in_f32(acc, f32::from_bits(scale), zero_point, dtype), "f32, {context}");
        assert_eq!(got, requantise_exactly(acc, scale, zero_point, lowest, highest), "exact, {context}");
        inside += u32::from(got > lowest && got < highest && acc != 0);
    }
    assert!(inside > 40_000, "only {inside} results are not saturated");
}

#[test]
fn the_hard_cases_of_rounding_come_out_right() {
    let onnx = |acc, scale| requantise_onnx(acc, scale, 0, Dtype::S8);
    // Ties go to even, on both sides of zero.
    assert_eq!([1, 3, 5, -1, -3, -5].map(|acc| onnx(acc, 0.5)), [0, 2, 2, 0, -2, -2]);
    // The largest fp32 below one half is not a tie.
    assert_eq!(onnx(1, f32::from_bits(0x3EFF_FFFF)), 0);
    assert_eq!(onnx(1, f32::from_bits(0x3F00_0001)), 1);
    // The smallest scale, the largest one, and an infinite product.
    assert_eq!(onnx(i32::MIN, f32::MIN_POSITIVE), 0);
    assert_eq!([onnx(1, f32::MAX), onnx(-1, f32::MAX), onnx(i32::MIN, f32::MAX)], [127, -128, -128]);
    // int32 to fp32 rounds to even: 2^24 + 1 becomes 2^24, and 2^-25 of that is a tie, which 2^24 + 1 itself would not be.
    assert_eq!([onnx((1 << 24) + 1, 2f32.powi(-25)), onnx((1 << 24) + 3, 2f32.powi(-25))], [0, 1]);
    // Saturation to int32 comes before the zero point, which cannot wrap it.
    assert_eq!(requantise_onnx(i32::MAX, f32::MAX, 255, Dtype::U8), 255);
    assert_eq!(requantise_onnx(i32::MIN, f32::MAX, -128, Dtype::S8), -128);
}

#[test]
fn only_multipliers_of_the_mode_are_legal() {
    for legal in [f32::MIN_POSITIVE, 1.0, f32::MAX] {
        assert!(is_scale(legal.to_bits()), "{legal:e}");
    }
    for (bits, shift, legal) in [
        (0, 0, true),
        (1, 0, false),
        ((1 << 30) - 1, 0, false),
        (1 << 30, 30, true),
        (i32::MAX as u32, -31, true),
        (1 << 31, 0, false),
        (1 << 30, 31, false),
        (1 << 30, -32, false),
    ] {
        for rounding in [Rounding::Tflite, Rounding::Gemmlowp] {
            assert_eq!(Multiplier::new(rounding, bits, shift as i8 as u8).is_some(), legal, "{bits:#x}, {shift}");
        }
    }
    for illegal in [0.0, -0.0, -1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::from_bits(0x7F_FFFF)] {
        assert!(!is_scale(illegal.to_bits()), "{illegal:e}");
    }
}
