// SPDX-License-Identifier: Apache-2.0
//! Residual blocks equal ONNX Runtime bit for bit, and products with a residual of any shape equal the product and the join one after
//! the other: on the model for every kind of core, and on the simulated hardware.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Case, core_for, on_both};
use host::{Conv, Gemm, HostError, Modelled, Output, Residual, Transport, conv2d, conv2d_with, gemm, gemm_with};
use isa::{Config, Dtype, check};
use rand::{Rng, RngExt};

/// A block of `tests/vectors/qlinear_block.bin`.
struct Block {
    first: Conv,
    second: Conv,
    weights: [Vec<u8>; 2],
    x: Vec<u8>,
    inner: Vec<u8>,
    y: Vec<u8>,
}

/// Takes the file apart.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at(count);
        self.0 = rest;
        head
    }

    fn words(&mut self, count: usize) -> Vec<u32> {
        self.bytes(4 * count).as_chunks().0.iter().map(|&word| u32::from_le_bytes(word)).collect()
    }

    fn floats(&mut self, count: usize) -> Vec<f32> {
        self.words(count).into_iter().map(f32::from_bits).collect()
    }

    fn ints(&mut self, count: usize) -> Vec<i32> {
        self.words(count).into_iter().map(|word| word as i32).collect()
    }
}

fn blocks() -> Vec<Block> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/qlinear_block.bin");
    let file = std::fs::read(path).unwrap();
    let mut reader = Reader(&file[..file.len() - 32]);
    assert_eq!(reader.bytes(8), b"QBLKONX1");
    let count = reader.words(1)[0];
    let blocks = (0..count).map(|_| block(&mut reader)).collect();
    assert!(reader.0.is_empty(), "the file ends with its last block");
    blocks
}

fn block(reader: &mut Reader) -> Block {
    let [kind, c, h, w] = reader.words(4)[..] else { unreachable!("four were asked for") };
    let (dtype, [c, h, w]) = ([Dtype::S8, Dtype::U8][kind as usize], [c, h, w].map(|size| size as usize));
    let (scales, zeros) = (reader.floats(4), reader.ints(4));
    let mut convolution = |source: usize, target: usize| {
        let (w_scales, bias) = (reader.floats(c), reader.ints(c));
        let weights = reader.bytes(9 * c * c).to_vec();
        let scales = w_scales.iter().map(|scale| scales[source] * scale / scales[target]).collect();
        let conv = Conv {
            pads: [1; 4],
            dtype_x: dtype,
            zero_point_x: zeros[source],
            bias: Some(bias),
            output: Output::Quantised { dtype, scales, zero_point: zeros[target] },
            relu: true,
            ..Conv::new([h, w, c], [c, 3, 3])
        };
        (conv, weights)
    };
    let (first, second) = (convolution(0, 1), convolution(1, 2));
    let residual = Residual::Add { scale: scales[2], tensor: (scales[0], zeros[0]), sum: (scales[3], zeros[3]) };
    let [x, inner, y] = [0; 3].map(|_| reader.bytes(h * w * c).to_vec());
    Block {
        first: first.0,
        second: Conv { residual: Some(residual), ..second.0 },
        weights: [first.1, second.1],
        x,
        inner,
        y,
    }
}

fn blocks_equal_onnx_runtime(core: &mut dyn Transport) {
    for (number, block) in blocks().iter().enumerate() {
        let inner = conv2d(core, &block.first, &block.x, &block.weights[0]).unwrap();
        assert!(inner.c == block.inner, "block {number}, first convolution, on {}", core.config().name);
        let program = block.second.compile(core.config()).unwrap();
        let found = check(program.program().instructions(), core.config());
        assert!(found.is_ok(), "block {number} on {}: {}", core.config().name, found.unwrap_err()[0]);
        let y = conv2d_with(core, &block.second, &inner.c, &block.weights[1], &block.x).unwrap();
        let wrong = y.c.iter().zip(&block.y).position(|(got, want)| got != want);
        assert_eq!(wrong, None, "block {number} on {}: first wrong byte", core.config().name);
    }
}

#[test]
fn residual_blocks_on_the_model_equal_onnx_runtime() {
    for config in [Config::tiny(), Config::lite(), Config::max()] {
        blocks_equal_onnx_runtime(&mut Modelled::new(&config, 5).unwrap());
    }
}

#[test]
fn residual_blocks_on_the_simulated_cores_equal_onnx_runtime() {
    for config in [Config::tiny(), Config::lite()] {
        sim::waves::on_failure(&format!("residual-block-{}", config.name), || {
            let mut rng = tb::seed(61).rng;
            blocks_equal_onnx_runtime(core_for(&mut None, &config, 0, &mut rng));
        });
    }
}

/// A random product of 8-bit results with a residual.
fn random_case(rng: &mut impl Rng, most: usize) -> (Case, Vec<u8>) {
    let mut case = Case::random_shape(rng, most);
    let dtype = if rng.random() { Dtype::S8 } else { Dtype::U8 };
    let per_channel = rng.random();
    case.make_quantised(rng, dtype, per_channel);
    let (low, high) = dtype.range().unwrap();
    let mut term = || (rng.random_range(0.1..2.0f32), rng.random_range(low..=high));
    let (scale, tensor, sum) = (term().0, term(), term());
    case.gemm.residual =
        Some(if rng.random_ratio(1, 3) { Residual::Max } else { Residual::Add { scale, tensor, sum } });
    let residual = (0..case.gemm.m * case.gemm.n).map(|_| rng.random()).collect();
    (case, residual)
}

/// What becomes of a result and a number of the residual.
fn joined(gemm: &Gemm, q1: i32, q2: u8) -> i32 {
    let Output::Quantised { dtype, zero_point, .. } = gemm.output else { panic!("8-bit results") };
    let q2 = if dtype == Dtype::S8 { i32::from(q2 as i8) } else { i32::from(q2) };
    let (low, high) = dtype.range().unwrap();
    let (q, floor) = match gemm.residual.unwrap() {
        Residual::Max => (q1.max(q2), zero_point),
        Residual::Add { scale, tensor, sum } => {
            let (a, b) = (scale / sum.0, tensor.0 / sum.0);
            let known = a.mul_add(zero_point as f32, b * tensor.1 as f32);
            let inner = (q2 as f32).mul_add(b, sum.1 as f32 - known);
            let y = (q1 as f32).mul_add(a, inner).round_ties_even() as i32;
            (y.clamp(low, high), sum.1)
        }
    };
    let q = if gemm.relu { q.max(floor) } else { q };
    gemm.clamp.map_or(q, |(low, high)| q.max(low).min(high))
}

/// The results by the product alone, and the join behind it.
fn expected(config: &Config, case: &Case, residual: &[u8]) -> Vec<i32> {
    let alone = Gemm { residual: None, relu: false, clamp: None, ..case.gemm.clone() };
    let product = gemm(&mut Modelled::new(config, 8).unwrap(), &alone, &case.a, &case.b).unwrap();
    product.values().iter().zip(residual).map(|(&q1, &q2)| joined(&case.gemm, q1, q2)).collect()
}

/// Results as the dtype stores them: a clamp may leave its range.
fn stored(gemm: &Gemm, values: Vec<i32>) -> Vec<i32> {
    let signed = gemm.output.dtype() == Dtype::S8;
    values.into_iter().map(|value| if signed { i32::from(value as i8) } else { i32::from(value as u8) }).collect()
}

#[test]
fn random_residuals_on_random_cores_of_the_model() {
    let mut rng = tb::seed(62).rng;
    let (mut met, mut without) = (0, 0);
    for _ in 0..tb::rounds(120) {
        let config = Config::random(|| rng.next_u64());
        let (case, residual) = random_case(&mut rng, 90);
        let compiled = match case.gemm.compile(&config) {
            Err(HostError::NoTiling { .. }) => {
                without += 1;
                continue;
            }
            compiled => compiled.unwrap(),
        };
        let found = check(compiled.program().instructions(), &config);
        assert!(found.is_ok(), "{case} on {config:?}: {}", found.unwrap_err()[0]);
        let mut core = Modelled::new(&config, 9).unwrap();
        let product = gemm_with(&mut core, &case.gemm, &case.a, &case.b, &residual).unwrap();
        assert!(product.values() == stored(&case.gemm, expected(&config, &case, &residual)), "{case} on {config:?}");
        met += 1;
    }
    println!("{met} products, {without} cores without room for a residual");
    assert!(met > without, "{met} products, {without} cores without room");
}

fn random_residuals(config: &Config, count: usize, seed: u64) {
    sim::waves::on_failure(&format!("residual-{}", config.name), || {
        let mut rng = tb::seed(seed).rng;
        let mut core = None;
        for number in 0..tb::rounds(count) {
            let core = core_for(&mut core, config, number, &mut rng);
            let (case, residual) = random_case(&mut rng, 70);
            let compiled = case.gemm.compile(config).unwrap();
            let run = |core: &mut dyn Transport| gemm_with(core, &case.gemm, &case.a, &case.b, &residual);
            let product = on_both(core, compiled.program(), &case, run);
            assert!(product.values() == stored(&case.gemm, expected(config, &case, &residual)), "{case}");
        }
    });
}

#[test]
fn random_residuals_on_simulated_tiny() {
    random_residuals(&Config::tiny(), 24, 63);
}

#[test]
fn random_residuals_on_simulated_lite() {
    random_residuals(&Config::lite(), 24, 64);
}

#[test]
fn what_a_residual_needs_is_said() {
    let sum = |scale| Residual::Add { scale, tensor: (1.0, 0), sum: (1.0, 0) };
    let gemm = |output, residual| Gemm { output, residual: Some(residual), ..Gemm::new(4, 4, 4) };
    let quantised = || Output::Quantised { dtype: Dtype::S8, scales: vec![0.1], zero_point: 0 };
    let says = |gemm: Gemm, config: &Config| gemm.compile(config).unwrap_err().to_string();
    let tiny = Config::tiny();
    assert_eq!(
        says(gemm(Output::Int32, Residual::Max), &tiny),
        "a residual joins results of 8 bits: quantise the output or leave the residual away"
    );
    assert_eq!(
        says(gemm(quantised(), sum(300.0)), &tiny),
        "the scale 300 of the result is not within 2^-12 to 2^8 times the scale 1 of the sum: requantise one of them"
    );
    let outside = Residual::Add { scale: 1.0, tensor: (1.0, 200), sum: (1.0, 0) };
    assert_eq!(
        says(gemm(quantised(), outside), &tiny),
        "the zero point 200 of the residual is outside -128..=127, the range of s8"
    );
    let without_ub = Config { ub_bytes: 0, ..Config::tiny() };
    assert!(matches!(gemm(quantised(), sum(1.0)).compile(&without_ub), Err(HostError::NoTiling { .. })));
    let compiled = gemm(quantised(), sum(1.0)).compile(&tiny).unwrap();
    assert_eq!(
        compiled.job(&[0; 16], &[0; 16]).unwrap_err().to_string(),
        "the residual has 0 elements, and the shape asks for 16"
    );
}
