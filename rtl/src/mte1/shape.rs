// SPDX-License-Identifier: Apache-2.0
//! The sizes that MTE1's blocks share, derived once from the core's configuration.

use isa::limits::{FRACTAL_ROW_BYTES, FRACTAL_ROWS};

/// Sizes of MTE1. All are powers of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of an L0A block.
    pub m0: usize,
    /// Rows of an L0B block.
    pub n0: usize,
    /// Bytes of k in a block.
    pub k0: usize,
    /// Rows that one read of L1 gives: max(M0, N0).
    pub nb: usize,
    /// Blocks side by side in a 32-byte panel: 32/K0.
    pub panels: usize,
    /// Rows of a strip, and side of the square that is turned at once: max(NB, K0).
    pub square: usize,
    /// Side of the sub-squares that are turned byte by byte: min(NB, K0).
    pub unit: usize,
    /// Reads that fill a square, and reads' worth of blocks that leave it: square / unit.
    pub group: usize,
    /// Bytes of L1.
    pub l1_bytes: usize,
    /// Blocks of L0A.
    pub a_blocks: usize,
    /// Blocks of L0B.
    pub b_blocks: usize,
    /// Channels of FB.
    pub channels: usize,
}

impl Shape {
    /// The sizes of this core.
    pub fn of(config: &isa::Config) -> Self {
        let nb = config.m0.max(config.n0);
        let (square, unit) = (nb.max(config.k0), nb.min(config.k0));
        Shape {
            m0: config.m0,
            n0: config.n0,
            k0: config.k0,
            nb,
            panels: FRACTAL_ROW_BYTES / config.k0,
            square,
            unit,
            group: square / unit,
            l1_bytes: config.l1_bytes,
            a_blocks: config.l0a_fractals() * config.l0a_blocks_per_fractal(),
            b_blocks: config.l0b_fractals() * config.l0b_blocks_per_fractal(),
            channels: config.fb_channels,
        }
    }

    /// log2 of a size.
    pub(super) fn log(size: usize) -> u64 {
        debug_assert!(size.is_power_of_two());
        u64::from(size.trailing_zeros())
    }

    /// Rows of the smaller of the two block kinds.
    pub fn least_rows(&self) -> usize {
        self.m0.min(self.n0)
    }

    /// log2 of the row blocks of a fractal times 32 rows..: bits from a block number to its fractal, for L0A and L0B.
    pub(super) fn fractal_bits(&self) -> [u64; 2] {
        [self.m0, self.n0].map(|rows| Self::log(FRACTAL_ROWS / rows * self.panels))
    }
}
