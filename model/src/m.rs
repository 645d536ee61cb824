// SPDX-License-Identifier: Apache-2.0
//! M: `C[m, n] = (accumulate ? C : 0) + A[m, k] B[n, k]^T` modulo 2^32, block by block.
//!
//! Blocks of C in the order m, n; each needs every block of its row of A and of B, so the work stops before the first C block
//! for which one is not full, and goes on there later. Blocks are computed whole: rows and k beyond the real ones are what L0 holds.

use crate::l0::{self, L0};
use crate::l0c::{self, L0c};
use crate::{Counts, Trap};
use isa::limits::{FRACTAL_ROW_BYTES, FRACTAL_ROWS};
use isa::{Config, Mmad};

/// Clears the full bits of the target tile, as an early set demands.
///
/// *Errors*: `out_of_buffer` with the first fractal outside.
pub(crate) fn clear(op: &Mmad, l0c: &mut L0c) -> Result<(), Trap> {
    let tile = l0c::Tile::new(op.l0c, op.n);
    l0c.clear(tile.first, u64::from(op.m).div_ceil(FRACTAL_ROWS as u64) * tile.across)
}

/// `m.mmad` over its buffers.
pub(crate) struct Work<'a> {
    pub(crate) op: &'a Mmad,
    pub(crate) config: &'a Config,
    pub(crate) l0a: &'a L0,
    pub(crate) l0b: &'a L0,
    pub(crate) l0c: &'a mut L0c,
}

impl Work<'_> {
    /// Computes blocks of C from number `done` on, as far as their operands are full; `done` follows. True when all are done.
    ///
    /// *Errors*: `out_of_buffer` with the fractal; in the order of cube steps (m, n, k), within a step A, B, C.
    pub(crate) fn advance(&mut self, done: &mut usize, counts: &mut Counts) -> Result<bool, Trap> {
        let Config { m0, n0, k0, .. } = *self.config;
        let (m, n, k) = (usize::from(self.op.m), usize::from(self.op.n), usize::from(self.op.k));
        if *done == 0 {
            counts.useful_macs += m as u64 * n as u64 * k as u64;
        }
        let (down, across) = (m.div_ceil(m0), n.div_ceil(n0));
        while *done < down * across {
            let (row, column) = (*done / across * m0, *done % across * n0);
            if !self.operands_full(row, column)? {
                return Ok(false);
            }
            self.block(row, column);
            *done += 1;
            counts.cube_steps += k.div_ceil(k0) as u64;
            counts.executed_macs += (k.div_ceil(k0) * self.config.peak_macs()) as u64;
        }
        Ok(true)
    }

    fn tiles(&self) -> (l0::Tile, l0::Tile, l0c::Tile) {
        let k = u32::from(self.op.k);
        let a = l0::Tile::new(self.op.l0a, self.op.dtype_a.bytes(k));
        let b = l0::Tile::new(self.op.l0b, self.op.dtype_b.bytes(k));
        (a, b, l0c::Tile::new(self.op.l0c, self.op.n))
    }

    fn operands_full(&self, row: usize, column: usize) -> Result<bool, Trap> {
        let (a, b, c) = self.tiles();
        for k in (0..usize::from(self.op.k)).step_by(self.config.k0) {
            let a_full = self.l0a.is_full(a, row, k)?;
            let b_full = self.l0b.is_full(b, column, k)?;
            self.l0c.block(c, row, column)?;
            if !(a_full && b_full) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// One block of C, whose operands are there.
    fn block(&mut self, row: usize, column: usize) {
        let (a, b, c) = self.tiles();
        let k = usize::from(self.op.k).next_multiple_of(self.config.k0);
        for i in row..row + self.config.m0 {
            for j in column..column + self.config.n0 {
                let mut sum = if self.op.accumulate { self.l0c.get(c, i, j) } else { 0 };
                for at in (0..k).step_by(FRACTAL_ROW_BYTES) {
                    let (left, right) = (self.l0a.fractal_row(a, i, at), self.l0b.fractal_row(b, j, at));
                    // 32 products of 9 x 9 bits stay below 2^21, so only the addition to C can wrap.
                    sum = sum.wrapping_add(match k - at {
                        rest @ 0..FRACTAL_ROW_BYTES => dot(&left[..rest], &right[..rest]),
                        _ => dot(left, right),
                    });
                }
                *self.l0c.get_mut(c, i, j) = sum;
            }
        }
        self.l0c.set_full(c, row, column);
    }
}

#[inline(always)]
fn dot(left: &[i16], right: &[i16]) -> i32 {
    left.iter().zip(right).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}
