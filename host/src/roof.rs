// SPDX-License-Identifier: Apache-2.0
//! The fewest cycles that work can take on a core with a memory: no program gets below its roof.
//!
//! | bound | cycles |
//! |---|---|
//! | cube | cube steps, with rounding to M0, K0 and N0 |
//! | read | bytes that have to be read, each once, over the memory's bytes per cycle |
//! | write | bytes of the result over the same |
//! | fix | results over the lanes of FIX |
//!
//! The program's own bytes do not count. If both directions share the memory's bytes per cycle, their sum is one bound.

use crate::channels::Channels;
use crate::conv::Conv;
use crate::gemm::Gemm;
use crate::simulated::MemorySettings;
use isa::Config;

/// What bounds the cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roof {
    /// Cube steps.
    pub cube: u64,
    /// Cycles of compulsory reads.
    pub read: u64,
    /// Cycles of compulsory writes.
    pub write: u64,
    /// Cycles of FIX.
    pub fix: u64,
    /// Reads and writes come one after the other.
    pub shared: bool,
}

impl Roof {
    fn new(config: &Config, memory: &MemorySettings, cube: u64, [read, write, results]: [usize; 3]) -> Roof {
        let rate = memory.bytes_per_cycle.min(config.bus_bytes as f64);
        let cycles = |bytes: usize| (bytes as f64 / rate).ceil() as u64;
        Roof {
            cube,
            read: cycles(read),
            write: cycles(write),
            fix: results.div_ceil(config.fix_lanes) as u64,
            shared: memory.shared,
        }
    }

    /// Cycles of the memory.
    pub fn memory(&self) -> u64 {
        if self.shared { self.read + self.write } else { self.read.max(self.write) }
    }

    /// The fewest cycles.
    pub fn cycles(&self) -> u64 {
        self.cube.max(self.memory()).max(self.fix)
    }

    /// What bounds them.
    pub fn bound(&self) -> &'static str {
        match self.cycles() {
            cycles if cycles == self.cube => "cube",
            cycles if cycles == self.fix && cycles > self.memory() => "FIX",
            _ => "memory",
        }
    }
}

/// Bytes of bias, scales and zero points.
fn parameters(channels: &Channels) -> usize {
    channels.parameter_arrays().iter().map(|(_, _, bytes)| bytes.len()).sum()
}

impl Gemm {
    /// The roof of the product.
    pub fn roof(&self, config: &Config, memory: &MemorySettings) -> Roof {
        let read = self.a_bytes() + self.b_bytes() + parameters(&self.channels());
        let cube = config.cube_steps(self.m, self.n, self.k);
        Roof::new(config, memory, cube, [read, self.c_bytes(), self.m * self.n])
    }
}

impl Conv {
    /// The roof of the convolution: of the ways to multiply groups together that with the fewest cube steps counts, and of x what its
    /// kernel touches.
    pub fn roof(&self, config: &Config, memory: &MemorySettings) -> Roof {
        let read = self.touched_bytes() + self.w_bytes() + parameters(&self.channels());
        Roof::new(config, memory, self.fewest_steps(config), [read, self.y_bytes(), self.pixels() * self.cout])
    }

    /// Bytes of x under the kernel for at least one output.
    fn touched_bytes(&self) -> usize {
        let out = self.out();
        let touched = |axis: usize, size: usize| {
            let reach = |at: usize| {
                let mut under = (0..out[axis]).flat_map(|output| {
                    let first = output * self.stride[axis];
                    (0..self.kernel[axis]).map(move |tap| first + tap * self.dilation[axis])
                });
                under.any(|place| place == at + self.pads[axis])
            };
            (0..size).filter(|&at| reach(at)).count()
        };
        self.n * touched(0, self.h) * touched(1, self.w) * self.cin
    }

    /// Cube steps if as many groups are multiplied together as is best.
    fn fewest_steps(&self, config: &Config) -> u64 {
        let taps = self.kernel[0] * self.kernel[1];
        let pixels = self.pixels() / self.n;
        let steps = |groups: usize| {
            let block =
                |groups: usize| config.cube_steps(pixels, groups * self.group_cout(), taps * groups * self.group_cin());
            let rest = self.groups % groups;
            (self.groups / groups) as u64 * block(groups) + if rest == 0 { 0 } else { block(rest) }
        };
        self.n as u64 * (1..=self.groups.min(config.n0.max(config.k0))).map(steps).min().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::Output;
    use isa::Dtype;

    #[test]
    fn roofs_by_hand() {
        let (lite, memory) = (Config::lite(), MemorySettings::default());
        // 4 x 16 x 4: 16 x 16 x 4 steps; 64 KiB of 16 bytes per cycle; 64 x 64 int32 are 1,024 words; 8 lanes.
        let gemm = Gemm::new(64, 64, 64);
        let roof = gemm.roof(&lite, &memory);
        assert_eq!((roof.cube, roof.read, roof.write, roof.fix), (1024, 512, 1024, 512));
        assert_eq!((roof.cycles(), roof.bound()), (1024, "cube"));
        let slow = MemorySettings { bytes_per_cycle: 2.0, shared: true, ..memory };
        assert_eq!(gemm.roof(&lite, &slow).cycles(), 4096 + 8192);
        // Depthwise, 8 channels of 8 x 8: four groups together take 16 x ceil(36 / 16) steps for 4 channels, one takes 16 each.
        let output = Output::Quantised { dtype: Dtype::S8, scales: vec![0.1], zero_point: 0 };
        let conv = Conv { groups: 8, pads: [1; 4], output, ..Conv::new([8, 8, 8], [8, 3, 3]) };
        assert_eq!(conv.roof(&lite, &memory).cube, 2 * 16 * 3);
        // 1 x 1 with stride 2 touches every second pixel of every second line.
        let skip = Conv { stride: [2; 2], ..Conv::new([9, 8, 16], [16, 1, 1]) };
        assert_eq!(skip.touched_bytes(), 5 * 4 * 16);
    }
}
