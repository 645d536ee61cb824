// SPDX-License-Identifier: Apache-2.0
//! What the tests share: seeds, a machine with a program in its memory, and an exact reference for requantisation.

#![allow(dead_code, clippy::unwrap_used)]

pub mod gemm;

use isa::csr::{RIGHT_EXECUTE, RIGHT_READ, RIGHT_WRITE};
use isa::*;
use model::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Where programs lie; data lies below.
pub const PROGRAM: u64 = 0x80_0000;

/// The seed of `QUADER_SEED`, or else `default`; printed, so that a failure can be replayed.
pub fn rng(default: u64) -> ChaCha8Rng {
    let seed = std::env::var("QUADER_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    println!("QUADER_SEED={seed}");
    ChaCha8Rng::seed_from_u64(seed)
}

/// A program from its text.
pub fn assemble(text: &str) -> Vec<Inst> {
    isa::asm::assemble(text, "test.qasm").unwrap_or_else(|errors| panic!("{}", errors[0])).program
}

/// Puts a program into memory and gives a run with all of GM open and base 0 at 0.
pub fn place(program: &[Inst], memory: &mut SparseMemory) -> Run {
    let bytes = encode_program(program).unwrap();
    memory.write(PROGRAM, &bytes).unwrap();
    Run::open(PROGRAM, bytes.len() as u32)
}

/// Runs a program that must end well.
pub fn run_done(core: &mut Core, memory: &mut SparseMemory, program: &[Inst]) -> Counts {
    let run = place(program, memory);
    match core.run(memory, &run) {
        Outcome::Done(counts) => counts,
        Outcome::Fault(fault) => panic!("{fault}"),
    }
}

/// Runs a program that must fault.
pub fn run_fault(core: &mut Core, memory: &mut SparseMemory, program: &[Inst]) -> FaultRecord {
    let run = place(program, memory);
    match core.run(memory, &run) {
        Outcome::Done(_) => panic!("the program ends without a fault"),
        Outcome::Fault(fault) => fault,
    }
}

/// The program `text` on `tiny`, which must fault so: cause, pipe, index of the instruction, address.
pub fn expect_fault(text: &str, cause: Cause, pipe: Pipe, index: u32, address: u64) {
    let mut core = Core::new(Config::tiny()).unwrap();
    let mut memory = SparseMemory::new(11);
    let fault = run_fault(&mut core, &mut memory, &assemble(text));
    assert_eq!(fault, FaultRecord { cause, pipe, pc: 32 * index, address }, "{text}");
}

/// A window with all rights.
pub fn window(first: u64, last: u64) -> Window {
    Window { first, last, rights: RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE }
}

/// Mode `onnx` in integers only: no float, no fixed-point library.
pub fn requantise_exactly(acc: i32, scale_bits: u32, zero_point: i32, lowest: i32, highest: i32) -> i32 {
    // |acc| = mantissa * 2^shift with at most 24 bits, to nearest even.
    let (mantissa, shift) = round_to_24_bits(u128::from(acc.unsigned_abs()));
    let scale_mantissa = u128::from(scale_bits & 0x7F_FFFF | 0x80_0000);
    let scale_exponent = (scale_bits >> 23) as i32 - 127 - 23;
    let (product, more) = round_to_24_bits(mantissa * scale_mantissa);
    let exponent = shift + scale_exponent + more;
    let magnitude: u128 = if product == 0 {
        0
    } else if exponent >= 40 {
        1 << 64
    } else if exponent >= 0 {
        product << exponent
    } else {
        half_even(product, (-exponent) as u32)
    };
    let limit = if acc < 0 { 1 << 31 } else { (1u128 << 31) - 1 };
    let r = magnitude.min(limit) as i64;
    let r = if acc < 0 { -r } else { r };
    (r + i64::from(zero_point)).clamp(lowest.into(), highest.into()) as i32
}

/// Modes `tflite` and `gemmlowp` in integers only; the result is not yet saturated to int32.
pub fn multiply_exactly(rounding: Rounding, acc: i32, m: u32, shift: i8) -> i128 {
    let product = i128::from(acc) * i128::from(m);
    let half_up = |x: i128, right: u32| if right == 0 { x } else { ((x >> (right - 1)) + 1) >> 1 };
    match rounding {
        Rounding::Gemmlowp => {
            let high = half_up(product << shift.max(0), 31);
            high.signum() * half_up(high.abs(), (-shift).max(0) as u32)
        }
        _ => half_up(product, (31 - i32::from(shift)) as u32),
    }
}

fn round_to_24_bits(value: u128) -> (u128, i32) {
    let bits = 128 - value.leading_zeros();
    let shift = bits.saturating_sub(24);
    (half_even(value, shift), shift as i32)
}

fn half_even(value: u128, shift: u32) -> u128 {
    if shift == 0 {
        return value;
    }
    if shift > 100 {
        return 0;
    }
    let (whole, rest, half) = (value >> shift, value & ((1 << shift) - 1), 1 << (shift - 1));
    whole + u128::from(rest > half || rest == half && whole & 1 == 1)
}
