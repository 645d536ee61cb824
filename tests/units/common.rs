// SPDX-License-Identifier: Apache-2.0
//! What the tests of the local memories and of MTE1 share: seeded random numbers, configurations, printing and linting.
#![allow(dead_code)]

use rtl::emit::emit;
use rust_hdl::prelude::Block;

/// SplitMix64: uniform numbers from a seed that the environment variable `QUADER_SEED` replaces.
pub struct Random(u64);

impl Random {
    /// Prints the seed, so that a failure replays.
    pub fn seeded(default: u64) -> Self {
        let seed = std::env::var("QUADER_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
        println!("QUADER_SEED={seed}");
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `0..limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A core with this cube and small memories.
pub fn config(m0: usize, k0: usize, n0: usize, bus_bytes: usize) -> isa::Config {
    let mut config = isa::Config::tiny();
    (config.m0, config.k0, config.n0, config.bus_bytes) = (m0, k0, n0, bus_bytes);
    (config.l1_bytes, config.l0a_bytes, config.l0b_bytes) = (16 << 10, 8 << 10, 8 << 10);
    config.fix_lanes = config.fix_lanes.min(m0 * n0).min(bus_bytes);
    config.dsp_mults = config.dsp_mults.min(m0 * k0 * n0);
    config.checked().expect("a legal core")
}

/// The cores whose units are compared with their Verilog: without and with UB.
pub fn compared() -> [isa::Config; 2] {
    let [tiny, lite] = [isa::Config::tiny(), isa::Config::lite()];
    [isa::Config { ub_bytes: 0, ..tiny }, isa::Config { ub_bytes: 32 << 10, ..lite }]
}

/// The cubes that every test walks through: the named ones, odd ones, all relations of M0, N0, K0.
pub fn cubes() -> Vec<isa::Config> {
    vec![
        config(4, 4, 4, 8),
        config(4, 16, 4, 16),
        config(2, 8, 8, 16),
        config(8, 4, 2, 8),
        config(16, 4, 8, 32),
        config(2, 32, 4, 8),
        config(16, 8, 2, 64),
        config(8, 16, 16, 4),
        config(16, 32, 16, 64),
    ]
}

/// Prints `uut` as Verilog and lints it: no message is accepted that `rtl/lint.vlt` does not waive.
pub fn prints_and_lints(uut: &mut dyn Block, name: &str) {
    let start = std::time::Instant::now();
    uut.connect_all();
    let design = match emit(uut, name) {
        Ok(design) => design,
        Err(error) => panic!("{error}"),
    };
    let lines: usize = design.modules.iter().map(|module| module.text.lines().count()).sum();
    println!("{name}: {} modules, {lines} lines, {:?}", design.modules.len(), start.elapsed());
    assert_eq!(tb::lint(&design), [""; 0], "{name}");
}
