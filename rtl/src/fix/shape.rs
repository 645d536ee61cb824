// SPDX-License-Identifier: Apache-2.0
//! How one step of FIX cuts a block of L0C: the sizes that all parts of the pipe share.

use crate::l1::L1;
use isa::Config;

/// Chunks that the row buffer holds: one leaves, one is complete, one fills, and one covers the latency of the pipe, so that
/// the bus does not wait. A block RAM of 512 words is deep enough for all with M0 up to 8.
pub const SLOTS: usize = 4;
/// Bus words per row in one slot of the row buffer.
pub const CHUNK_WORDS: usize = 16;

/// Rows and columns per step, and the sizes of what is around. All powers of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of a block.
    pub m0: usize,
    /// Columns of a block.
    pub n0: usize,
    /// Bus width in bytes (W).
    pub bus_bytes: usize,
    /// Rows per step (R).
    pub rows: usize,
    /// Columns per step (C).
    pub columns: usize,
    /// Channels that FB delivers per cycle, at least `columns`.
    pub fb_columns: usize,
    /// Fractals in L0C.
    pub fractals: usize,
    /// Bytes of an L1 write (S).
    pub l1_segment: usize,
    /// L1 size in bytes.
    pub l1_bytes: usize,
    /// UB size in bytes, 0 if there is none.
    pub ub_bytes: usize,
    /// Bytes of a line of UB, which a read gives.
    pub ub_line: usize,
    /// FB channels.
    pub fb_channels: usize,
}

impl Shape {
    /// The shape of a core.
    ///
    /// A step takes `min(M0, lanes)` rows and `lanes / M0` columns, at most a bus word of int32 columns: only a core with M0 = 2 and
    /// as many lanes as bus bytes has lanes that this leaves unused.
    pub fn of(config: &Config) -> Shape {
        let fb_columns = (config.fix_lanes / config.m0).max(1);
        Shape {
            m0: config.m0,
            n0: config.n0,
            bus_bytes: config.bus_bytes,
            rows: config.m0.min(config.fix_lanes),
            columns: fb_columns.min(config.bus_bytes / 4),
            fb_columns,
            fractals: config.l0c_fractals(),
            l1_segment: L1::segment(config),
            l1_bytes: config.l1_bytes,
            ub_bytes: config.ub_bytes,
            ub_line: config.m0.max(config.n0) * config.k0,
            fb_channels: config.fb_channels,
        }
    }

    /// Results per step.
    pub fn lanes(&self) -> usize {
        self.rows * self.columns
    }

    /// Numbers in a block.
    pub fn block(&self) -> usize {
        self.m0 * self.n0
    }

    /// Steps of a block side by side.
    pub fn column_groups(&self) -> usize {
        self.n0 / self.columns
    }

    /// Steps of a block one below the other.
    pub fn row_groups(&self) -> usize {
        self.m0 / self.rows
    }

    /// Bytes of a row that go to L1 per write: at most those of a panel.
    pub fn l1_word(&self) -> usize {
        self.bus_bytes.min(32)
    }
}

/// log2 of a power of two.
pub(super) fn log2(n: usize) -> u64 {
    assert!(n.is_power_of_two(), "{n} is no power of two");
    u64::from(n.trailing_zeros())
}
