// SPDX-License-Identifier: Apache-2.0
//! The seeded requantisations of `stream.py` and the files of their results: the same million cases per mode, the same digests.
//!
//! A module of the tests that use the vectors (`#[path]`); the rules are stated in `stream.py`.

#![allow(dead_code)]

use sha2::{Digest, Sha256};
use std::path::Path;

/// Cases per mode.
pub const CASES: usize = 1_000_000;
/// Cases per digest.
pub const BLOCK: usize = 1_000;

/// Which results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Onnx,
    Fp32,
    Tflite,
    Gemmlowp,
}

/// One requantisation.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub acc: i32,
    /// fp32 bits, or the multiplier.
    pub scale: u32,
    pub shift: i8,
    pub zero_point: i32,
    /// u8, else s8.
    pub unsigned: bool,
}

impl Mode {
    /// The name of the file of the results.
    pub fn file(self) -> &'static str {
        match self {
            Mode::Onnx => "requant_onnx_stream.bin",
            Mode::Fp32 => "requant_fp32.bin",
            Mode::Tflite => "requant_tflite.bin",
            Mode::Gemmlowp => "requant_gemmlowp.bin",
        }
    }

    fn magic(self) -> &'static [u8; 8] {
        match self {
            Mode::Onnx => b"QRONNXS1",
            Mode::Fp32 => b"QRFP32S1",
            Mode::Tflite => b"QRTFLIT1",
            Mode::Gemmlowp => b"QRGEMML1",
        }
    }

    /// Number `n` of the mode's SplitMix64.
    fn number(self, n: usize) -> u64 {
        let seed = 1 + self as u64;
        let mut z = seed.wrapping_add((n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// Case `index` of the million.
    pub fn case(self, index: usize) -> Case {
        let word = |index: usize, k: usize| self.number(4 * index + k);
        let field = |word: u64, low: u32, values: u64| ((word >> low & 0xFFFF) % values) as i64;
        let w: [u64; 4] = std::array::from_fn(|k| word(index, k));
        let first = index / BLOCK * BLOCK;
        let common = if self == Mode::Gemmlowp { word(first, 0) } else { w[0] };
        let unsigned = field(common, 0, 2) == 1;
        let zero_point = field(common, 16, 256) as i32 - if unsigned { 0 } else { 128 };
        let acc = w[1] as i32 >> field(w[0], 32, 32);
        let length = i64::from(32 - acc.unsigned_abs().leading_zeros());
        let (near, anywhere) = (field(w[2], 0, 12), field(w[2], 16, 8) == 0);
        let keep = -1i64 << field(w[2], 32, 32);
        let low_bits = |bits: u32| (w[3] & ((1 << bits) - 1)) as i64 & keep;
        let (scale, shift) = match self {
            Mode::Onnx | Mode::Fp32 => {
                let exponent = if anywhere { 1 + field(w[2], 48, 254) } else { 126 - length + near };
                ((exponent << 23 | low_bits(23)) as u32, 0)
            }
            Mode::Tflite => {
                let m = if field(w[3], 48, 64) == 0 { 0 } else { 1 << 30 | low_bits(30) };
                let shift = if anywhere { field(w[2], 48, 61) - 31 } else { near - length };
                (m as u32, shift.clamp(-31, 29).min(30 - length) as i8)
            }
            Mode::Gemmlowp => {
                let a = 0x3F80_0000 | (word(first, 3) >> 32) as u32 & 0x7F_FFFF;
                let a = if (index / BLOCK).is_multiple_of(2) { 1.0 } else { f32::from_bits(a) };
                let exponent = if anywhere { field(w[2], 48, 61) - 33 } else { near - length - 1 };
                let exponent = exponent.max(-36).min(28 - length) + 127;
                let f = f32::from_bits((exponent << 23 | low_bits(23)) as u32);
                quantised_multiplier(f64::from(a) * f64::from(f))
            }
        };
        Case { acc, scale, shift, zero_point, unsigned }
    }
}

/// Multiplier and shift of a positive normal scale, by the rule of TFLite's QuantizeMultiplier.
fn quantised_multiplier(scale: f64) -> (u32, i8) {
    let exponent = (scale.to_bits() >> 52) as i32 - 1022;
    let fraction = f64::from_bits(scale.to_bits() & ((1 << 52) - 1) | 1022 << 52);
    let m = (fraction * 2f64.powi(31)).round() as i64;
    let (m, shift) = if m == 1 << 31 { (1 << 30, exponent + 1) } else { (m, exponent) };
    if shift < -31 { (0, 0) } else { (m as u32, shift as i8) }
}

/// A file of results.
pub struct Results {
    /// Explicit cases and their results.
    pub explicit: Vec<(Case, i32)>,
    /// Per thousand of the million.
    pub digests: Vec<[u8; 8]>,
}

/// Reads the file of a mode.
///
/// Panics if it is not what `stream.py` writes.
pub fn results(mode: Mode) -> Results {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = path.ancestors().map(|at| at.join("tests/vectors").join(mode.file())).find(|path| path.exists());
    let bytes = std::fs::read(path.expect("the vectors are beside this file")).expect("a readable file");
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let (explicit, digests) = (word(8) as usize, word(12) as usize);
    let at = 16 + 12 * explicit;
    let end = at + 8 * digests;
    assert_eq!((&bytes[..8], digests, bytes.len()), (&mode.magic()[..], CASES / BLOCK, end + 32));
    assert_eq!(Sha256::digest(&bytes[..end])[..], bytes[end..], "{}", mode.file());
    let case = |at: usize| {
        let unsigned = bytes[at + 11] == 1;
        let number = |byte: u8| if unsigned { i32::from(byte) } else { i32::from(byte as i8) };
        let (acc, scale, shift) = (word(at) as i32, word(at + 4), bytes[at + 8] as i8);
        (Case { acc, scale, shift, zero_point: number(bytes[at + 9]), unsigned }, number(bytes[at + 10]))
    };
    let digest = |at: usize| bytes[at..at + 8].try_into().expect("eight bytes");
    Results {
        explicit: (0..explicit).map(|index| case(16 + 12 * index)).collect(),
        digests: (0..digests).map(|index| digest(at + 8 * index)).collect(),
    }
}

/// The digest of the results of a thousand cases.
pub fn digest(results: &[u8]) -> [u8; 8] {
    Sha256::digest(results)[..8].try_into().expect("eight bytes")
}
