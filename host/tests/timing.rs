// SPDX-License-Identifier: Apache-2.0
//! The cycles that a tiling is chosen by are those that the simulated core takes: within 10 % or 50 cycles.

#![allow(clippy::unwrap_used)]

use host::{Gemm, MemorySettings, Output, Simulated};
use isa::{Config, Dtype};
use rand::{Rng, RngExt};

/// A random product, sizes from 1 to 768 and latencies from 10 to 200, both log-uniform.
fn random_case(rng: &mut impl Rng) -> (Gemm, MemorySettings) {
    let mut log = |low: f64, high: f64| (low.ln() + rng.random::<f64>() * (high / low).ln()).exp();
    let mut size = || (log(1.0, 769.0) as usize).clamp(1, 768);
    let (m, n, k) = (size(), size(), size());
    let latency = log(10.0, 201.0) as u32;
    let output = match rng.random_range(0..3) {
        0 => Output::Quantised { dtype: Dtype::S8, scales: vec![0.01], zero_point: 3 },
        _ => Output::Int32,
    };
    let gemm = Gemm { transposed_b: rng.random(), output, ..Gemm::new(m, n, k) };
    (gemm, MemorySettings { latency, ..MemorySettings::default() })
}

/// Compares `count` predictions with the simulation; tells all that are off before it panics.
fn predictions(count: usize, most_macs: u64) {
    let mut rng = tb::seed(81).rng;
    let config = Config::lite();
    let (mut off, mut worst, mut sum) = (vec![], 0.0f64, 0.0);
    let mut done = 0;
    while done < count {
        let (gemm, memory) = random_case(&mut rng);
        if (gemm.m * gemm.n * gemm.k) as u64 > most_macs {
            continue;
        }
        done += 1;
        let compiled = gemm.compile_behind(&config, &memory).unwrap();
        let mut core = Simulated::new(&config, memory).unwrap();
        let mut bytes = |count: usize| (0..count).map(|_| rng.random()).collect::<Vec<u8>>();
        let (a, b) = (bytes(gemm.a_bytes()), bytes(gemm.b_bytes()));
        let cycles = compiled.run(&mut core, &a, &b).unwrap().report.cycles().unwrap();
        let estimate = compiled.tiling().estimate;
        let (apart, share) = (estimate.abs_diff(cycles), estimate.abs_diff(cycles) as f64 / cycles as f64);
        if apart > 50 {
            worst = worst.max(share);
        }
        sum += share;
        if apart > 50 && share > 0.1 {
            let Gemm { m, n, k, transposed_b, .. } = gemm;
            off.push(format!(
                "{m} x {n} x {k}, B transposed {transposed_b}, {}, latency {}: {cycles} cycles, estimate {estimate} ({:+.1} %), {:?}",
                gemm.output.dtype(),
                memory.latency,
                100.0 * (estimate as f64 / cycles as f64 - 1.0),
                compiled.tiling()
            ));
        }
    }
    println!(
        "{count} products: {:.2} % apart on the average, {:.2} % at most beyond 50 cycles",
        100.0 * sum / count as f64,
        100.0 * worst
    );
    assert!(off.is_empty(), "{} of {count} predictions are off:\n{}", off.len(), off.join("\n"));
}

#[test]
fn predictions_for_small_products_hold() {
    predictions(tb::rounds(30), 4_000_000);
}

#[test]
#[ignore = "minutes"]
fn predictions_for_all_products_hold() {
    predictions(200, u64::MAX);
}
