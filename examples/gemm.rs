// SPDX-License-Identifier: Apache-2.0
//! A quantised layer on the core: C = requantise(A x B + bias) with ReLU, on the model and on the simulated hardware.
//!
//!     cargo run --release --example gemm
//!
//! The first run builds the simulation of the core, which takes about a minute; after that it comes from the cache.

use quader::host::{Gemm, MemorySettings, Modelled, Output, Simulated, gemm};
use quader::isa::{Config, Dtype};

/// The layer on both transports; returns C of the hardware, `[m, n]` row-major.
pub fn run(config: &Config) -> Result<Vec<i32>, Box<dyn std::error::Error>> {
    let (m, n, k) = (20, 12, 50);
    let layer = Gemm {
        dtype_a: Dtype::U8,
        zero_point_a: 128,
        bias: Some((0..n as i32).map(|column| 100 * column).collect()),
        output: Output::Quantised { dtype: Dtype::S8, scales: vec![0.004], zero_point: -3 },
        relu: true,
        ..Gemm::new(m, n, k)
    };
    // Operands are bytes, row-major; s8 as two's complement.
    let a: Vec<u8> = (0..m * k).map(|index| (index * 37 % 256) as u8).collect();
    let b: Vec<u8> = (0..k * n).map(|index| (index * 59 % 256) as u8).collect();

    let mut model = Modelled::new(config, 1)?;
    let expected = gemm(&mut model, &layer, &a, &b)?;

    // The same program on the printed hardware in Verilator, behind a memory that answers after 100 cycles.
    let mut core = Simulated::new(config, MemorySettings { latency: 100, ..MemorySettings::default() })?;
    let product = gemm(&mut core, &layer, &a, &b)?;
    assert_eq!(product.c, expected.c, "the hardware gives the model's bits");

    println!("C[0, ..] = {:?}\n{}", &product.values()[..n], product.report);
    Ok(product.values())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(&Config::tiny()).map(drop)
}
