// SPDX-License-Identifier: Apache-2.0
//! Random products and convolutions with their result by `ndarray` and by plain loops, and runs on core and model together.

#![allow(dead_code)] // No test uses all of it.

pub mod conv;

use host::{FixedMode, Gemm, MemorySettings, Modelled, Multiplier, Output, Product, Program, Simulated, Transport};
use isa::{Config, Dtype};
use ndarray::Array2;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt;

/// A product with its operands.
pub struct Case {
    pub gemm: Gemm,
    pub a: Vec<u8>,
    pub b: Vec<u8>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Gemm { m, n, k, dtype_a, dtype_b, transposed_b, .. } = &self.gemm;
        let output = self.gemm.output.dtype();
        write!(f, "[{m}, {k}] {dtype_a} x [{k}, {n}] {dtype_b} (transposed: {transposed_b}) into {output}")
    }
}

fn number(rng: &mut impl Rng, dtype: Dtype) -> i32 {
    let (low, high) = dtype.range().unwrap();
    match rng.random_range(0..8) {
        0 => low,
        1 => high,
        _ => rng.random_range(low..=high),
    }
}

fn dtype(rng: &mut impl Rng) -> Dtype {
    if rng.random() { Dtype::S8 } else { Dtype::U8 }
}

impl Case {
    /// s8 x s8 into int32 and nothing else.
    pub fn plain(rng: &mut impl Rng, m: usize, n: usize, k: usize) -> Case {
        let mut bytes = |count| (0..count).map(|_| rng.random()).collect();
        Case { gemm: Gemm::new(m, n, k), a: bytes(m * k), b: bytes(k * n) }
    }

    /// Everything random but the shape.
    pub fn random(rng: &mut impl Rng, m: usize, n: usize, k: usize) -> Case {
        let mut case = Case::plain(rng, m, n, k);
        case.gemm.dtype_a = dtype(rng);
        case.gemm.dtype_b = dtype(rng);
        case.gemm.transposed_b = rng.random();
        case.gemm.zero_point_a = if rng.random() { 0 } else { number(rng, case.gemm.dtype_a) };
        let zero_points = [0, 1, n][rng.random_range(0..3)];
        case.gemm.zero_points_b = (0..zero_points).map(|_| number(rng, case.gemm.dtype_b)).collect();
        case.gemm.bias = rng.random::<bool>().then(|| (0..n).map(|_| rng.random::<i32>() >> 12).collect());
        case.gemm.relu = rng.random_ratio(1, 3);
        if rng.random() {
            let (dtype, per_channel) = (dtype(rng), rng.random());
            match rng.random_range(0..4) {
                0 => case.make_quantised(rng, dtype, per_channel),
                1 => case.make_fp32(rng, per_channel),
                2 => case.make_fixed(rng, dtype, FixedMode::Tflite, per_channel),
                _ => case.make_fixed(rng, dtype, FixedMode::Gemmlowp, per_channel),
            }
        }
        if rng.random_ratio(1, 4) && !matches!(case.gemm.output, Output::Fp32 { .. }) {
            case.gemm.clamp = Some((rng.random_range(-100..0), rng.random_range(0..90)));
        }
        case
    }

    /// As [`Case::random`] with every extent at most `most`, edges often.
    pub fn random_shape(rng: &mut impl Rng, most: usize) -> Case {
        let mut extent = || match rng.random_range(0..4) {
            0 => (16 * rng.random_range(1..=most / 16)).min(most),
            1 => rng.random_range(1..=9),
            2 => 16 * rng.random_range(1..=most / 16) + 1,
            _ => rng.random_range(1..=most),
        };
        let (m, n, k) = (extent(), extent(), extent());
        Case::random(rng, m, n, k)
    }

    /// Scales that keep most results in range.
    fn scales(&self, rng: &mut impl Rng, per_channel: bool) -> Vec<f32> {
        let size = 1.0 / (100.0 * (self.gemm.k as f32).sqrt());
        let count = if per_channel { self.gemm.n } else { 1 };
        (0..count).map(|_| size * rng.random_range(0.2..2.0)).collect()
    }

    /// Requantises in mode `onnx`.
    pub fn make_quantised(&mut self, rng: &mut impl Rng, dtype: Dtype, per_channel: bool) {
        let (scales, zero_point) = (self.scales(rng, per_channel), number(rng, dtype) / 2);
        self.gemm.output = Output::Quantised { dtype, scales, zero_point };
    }

    /// Requantises in mode `tflite` or `gemmlowp`.
    pub fn make_fixed(&mut self, rng: &mut impl Rng, dtype: Dtype, mode: FixedMode, per_channel: bool) {
        let scales = self.scales(rng, per_channel);
        let multipliers = scales.into_iter().map(|scale| Multiplier::of(scale.into()).unwrap()).collect();
        let zero_point = number(rng, dtype) / 2;
        self.gemm.output = Output::Fixed { dtype, mode, multipliers, zero_point };
    }

    /// fp32 results.
    pub fn make_fp32(&mut self, rng: &mut impl Rng, per_channel: bool) {
        self.gemm.output = Output::Fp32 { scales: self.scales(rng, per_channel) };
    }

    pub fn macs(&self) -> u64 {
        (self.gemm.m * self.gemm.n * self.gemm.k) as u64
    }

    /// Panics at the first element of C that `ndarray` computes otherwise.
    pub fn compare(&self, values: &[i32]) {
        let expected = self.expected();
        assert_eq!(values.len(), expected.len(), "{self}");
        for ((row, column), &expected) in expected.indexed_iter() {
            let got = values[row * self.gemm.n + column];
            assert_eq!(got, expected, "{self}: C[{row}, {column}] (left: got, right: expected)");
        }
    }

    fn expected(&self) -> Array2<i32> {
        let Gemm { m, n, k, .. } = self.gemm;
        let element = |byte: u8, dtype| if dtype == Dtype::S8 { i64::from(byte as i8) } else { i64::from(byte) };
        let a = Array2::from_shape_fn((m, k), |(row, l)| {
            element(self.a[row * k + l], self.gemm.dtype_a) - i64::from(self.gemm.zero_point_a)
        });
        let b = Array2::from_shape_fn((k, n), |(l, column)| {
            let at = if self.gemm.transposed_b { column * k + l } else { l * n + column };
            let zero_point = match &self.gemm.zero_points_b[..] {
                [] => 0,
                [zero_point] => *zero_point,
                all => all[column],
            };
            element(self.b[at], self.gemm.dtype_b) - i64::from(zero_point)
        });
        let sums = a.dot(&b);
        Array2::from_shape_fn((m, n), |(row, column)| self.fix(sums[(row, column)] as i32, column))
    }

    /// Bias, requantisation, ReLU and clamp. float64 holds the fp32 product of the rule exactly before its one rounding to fp32.
    pub fn fix(&self, sum: i32, column: usize) -> i32 {
        let acc = sum.wrapping_add(self.gemm.bias.as_ref().map_or(0, |bias| bias[column]));
        let scaled = |scales: &[f32]| {
            let scale = if scales.len() == 1 { scales[0] } else { scales[column] };
            (f64::from(acc as f32) * f64::from(scale)) as f32
        };
        let zero_point = self.gemm.output.zero_point();
        let rounded: i64 = match &self.gemm.output {
            Output::Int32 => acc.into(),
            Output::Fp32 { scales } => {
                let y = if acc == 0 { 0.0 } else { scaled(scales) };
                return if self.gemm.relu && y < 0.0 { 0.0f32 } else { y }.to_bits() as i32;
            }
            Output::Quantised { scales, .. } => (scaled(scales).round_ties_even() as i32).into(),
            Output::Fixed { mode, multipliers, .. } => {
                let Multiplier { m, shift } = multipliers[if multipliers.len() == 1 { 0 } else { column }];
                // Scales are far below 1: the shift is to the right, and the product has at most 62 bits.
                assert!(shift < 0);
                let (product, right) = (i64::from(acc) * i64::from(m.to_bits()), -i32::from(shift));
                match mode {
                    FixedMode::Tflite => ((product >> (30 + right)) + 1) >> 1,
                    FixedMode::Gemmlowp => {
                        let high = ((product >> 30) + 1) >> 1;
                        ((high.abs() + (1 << (right - 1))) >> right) * high.signum()
                    }
                }
            }
        };
        let value = match self.gemm.output.dtype().range() {
            Some((low, high)) if self.gemm.output.dtype() != Dtype::Int32 => {
                (rounded + i64::from(zero_point)).clamp(low.into(), high.into()) as i32
            }
            _ => rounded as i32,
        };
        let value = if self.gemm.relu { value.max(zero_point) } else { value };
        self.gemm.clamp.map_or(value, |(low, high)| value.max(low).min(high))
    }
}

/// Runs a program on the core and on the model, over the same contents of all memory up to a page behind the program: all of it has to be
/// the same afterwards, and every counter that the model has.
pub fn on_both(
    core: &mut Simulated,
    program: &Program,
    case: &dyn fmt::Display,
    run: impl Fn(&mut dyn Transport) -> host::Result<Product>,
) -> Product {
    let end = (program.address() + program.code().len() as u64).next_multiple_of(4096) as usize + 4096;
    let mut contents = vec![0; end];
    ChaCha8Rng::seed_from_u64(end as u64).fill_bytes(&mut contents);
    let mut model = Modelled::new(core.config(), 7).unwrap();
    core.write(0, &contents).unwrap();
    model.write(0, &contents).unwrap();
    let product = run(core).unwrap_or_else(|error| panic!("{case}: {error}"));
    let expected = run(&mut model).unwrap_or_else(|error| panic!("{case}: {error}"));
    let (got, wanted) = (core.read(0, end).unwrap(), model.read(0, end).unwrap());
    let wrong = got.iter().zip(&wanted).position(|(got, wanted)| got != wanted);
    assert_eq!(wrong, None, "{case}: the first byte of memory that differs from the model's");
    for (counter, value) in expected.report.counters() {
        assert_eq!(product.report.get(counter), Some(value), "{case}: {}", counter.name());
    }
    product
}

/// The core for random case `number`: every 8 cases another one, with a new power-up state and another memory.
pub fn core_for<'a>(
    core: &'a mut Option<Simulated>,
    config: &Config,
    number: usize,
    rng: &mut impl Rng,
) -> &'a mut Simulated {
    if number.is_multiple_of(8) {
        let memory = MemorySettings {
            latency: [1, 100][number / 8 % 2],
            stall: [0.0, 0.5][number / 16 % 2],
            seed: rng.next_u64(),
            ..MemorySettings::default()
        };
        *core = Some(Simulated::new(config, memory).unwrap_or_else(|error| panic!("{error}")));
    }
    core.as_mut().expect("case 0 makes one")
}
