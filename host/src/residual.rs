// SPDX-License-Identifier: Apache-2.0
//! A second tensor of the result's shape that is joined with the results: what it needs, and how it comes to FIX.
//!
//! ```text
//!  GM ── MTE2 ──► slots in UB, a part of a tile each ── FIX: q1 + q2 or max(q1, q2), ReLU, clamp ──► GM
//! ```
//! A part is as many rows of a tile of C, a multiple of 16, as fit UB twice: one comes while FIX works on the other. Its rows lie
//! at multiples of 32 bytes. The builder adds the flags, since the second tensor is an operand like any other.

use crate::channels::{Output, check_zero_point};
use crate::emit::Tile;
use crate::error::{HostError, Result};
use isa::limits::FRACTAL_ROWS;
use isa::second::{SECOND_ALIGN, Sum, is_ratio};
use isa::{Config, Second};
use std::ops::Range;

/// Slots in UB at most: more would not be ahead of the operands of the next tile.
const MOST_SLOTS: usize = 4;

/// What is done with a tensor of the result's shape and dtype, before ReLU and clamp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Residual {
    /// The sum, bit for bit that of ONNX Runtime's `QLinearAdd` behind the product: `relu` is then that of the sum.
    Add {
        /// Scale of the results without it; their zero point is that of the output.
        scale: f32,
        /// Scale and zero point of the tensor.
        tensor: (f32, i32),
        /// Scale and zero point of the sum.
        sum: (f32, i32),
    },
    /// The larger number.
    Max,
}

impl Residual {
    /// *Errors*: [`HostError::ResidualOutput`], [`HostError::ZeroPoint`], [`HostError::ResidualScale`].
    pub(crate) fn validate(&self, output: &Output) -> Result<()> {
        let Output::Quantised { dtype, .. } = output else { return Err(HostError::ResidualOutput) };
        let Residual::Add { scale, tensor, sum } = *self else { return Ok(()) };
        check_zero_point("the residual", tensor.1, *dtype)?;
        check_zero_point("the sum", sum.1, *dtype)?;
        for (what, scale) in [("the result", scale), ("the residual", tensor.0)] {
            if !is_ratio((scale / sum.0).to_bits()) {
                return Err(HostError::ResidualScale { what, scale, sum: sum.0 });
            }
        }
        Ok(())
    }

    /// What the instruction does.
    pub(crate) fn second(&self) -> Second {
        match self {
            Residual::Add { .. } => Second::Add,
            Residual::Max => Second::Max,
        }
    }

    /// The factors of a sum.
    pub(crate) fn sum(&self, output: &Output) -> Option<Sum> {
        match (*self, output) {
            (Residual::Add { scale, tensor, sum }, Output::Quantised { zero_point, .. }) => {
                Some(Sum::of_scales((scale, *zero_point), tensor, sum))
            }
            _ => None,
        }
    }
}

/// Slots of UB for parts of tiles, used in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Staging {
    /// Rows of a part, a multiple of 16.
    rows: usize,
    /// Bytes from row to row.
    pub(crate) stride: usize,
    slots: usize,
    next: usize,
}

impl Staging {
    /// The slots for tiles of this size.
    ///
    /// *Errors*: [`HostError::NoTiling`] if UB does not hold 16 rows twice.
    pub(crate) fn new(tile: &Tile, config: &Config) -> Result<Staging> {
        let stride = tile.n.next_multiple_of(SECOND_ALIGN as usize);
        let most = config.ub_bytes / 2 / stride / FRACTAL_ROWS * FRACTAL_ROWS;
        let rows = tile.m.min(most);
        if rows == 0 {
            return Err(HostError::NoTiling { config: config.name.clone() });
        }
        Ok(Staging { rows, stride, slots: (config.ub_bytes / (rows * stride)).min(MOST_SLOTS), next: 0 })
    }

    /// The parts of a tile of `rows` rows: which rows, and where in UB.
    pub(crate) fn parts(&mut self, rows: usize) -> Vec<(Range<usize>, usize)> {
        let starts = (0..rows).step_by(self.rows);
        starts
            .map(|start| {
                let slot = self.next % self.slots;
                self.next += 1;
                (start..rows.min(start + self.rows), slot * self.rows * self.stride)
            })
            .collect()
    }
}
