// SPDX-License-Identifier: Apache-2.0
//! L0A and L0B: fractals of 16 rows x 32 signed 9-bit elements, and a full bit per block.
//!
//! A block is R0 rows x K0 elements, R0 = M0 for L0A and N0 for L0B; R0 divides 16 and K0 divides 32, so it lies in one fractal.

use crate::{Trap, mix};
use isa::limits::{FRACTAL_BYTES, FRACTAL_ROW_BYTES, FRACTAL_ROWS};

/// One of the two buffers.
#[derive(Clone, Debug)]
pub(crate) struct L0 {
    /// Rows of a block (R0).
    pub(crate) rows: usize,
    /// Elements of k of a block (K0).
    pub(crate) k0: usize,
    elements: Vec<i16>,
    full: Vec<bool>,
}

/// A tile in L0: its first fractal and how many fractals stand side by side along k.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile {
    pub(crate) first: u64,
    pub(crate) across: u64,
}

impl Tile {
    /// The tile at fractal `first` whose rows have `k_bytes` bytes.
    pub(crate) fn new(first: u16, k_bytes: u32) -> Tile {
        Tile { first: first.into(), across: u64::from(k_bytes.div_ceil(FRACTAL_ROW_BYTES as u32)) }
    }

    /// Fractal with element (row, k).
    pub(crate) fn fractal(&self, row: usize, k: usize) -> u64 {
        self.first + (row / FRACTAL_ROWS) as u64 * self.across + (k / FRACTAL_ROW_BYTES) as u64
    }
}

impl L0 {
    pub(crate) fn new(rows: usize, k0: usize, fractals: usize) -> L0 {
        let blocks = fractals * FRACTAL_BYTES / (rows * k0);
        L0 { rows, k0, elements: vec![0; fractals * FRACTAL_BYTES], full: vec![false; blocks] }
    }

    /// Fills the elements with a pattern; the full bits stay.
    pub(crate) fn poison(&mut self, seed: u64) {
        for (index, element) in self.elements.iter_mut().enumerate() {
            *element = (mix(seed ^ index as u64) % 511) as i16 - 255;
        }
    }

    fn fractals(&self) -> u64 {
        (self.elements.len() / FRACTAL_BYTES) as u64
    }

    /// Clears every full bit.
    pub(crate) fn clear_all(&mut self) {
        self.full.fill(false);
    }

    /// Clears the full bits of `count` fractals from `first` on.
    ///
    /// *Errors*: `out_of_buffer` with the first fractal outside; those before it are cleared.
    pub(crate) fn clear(&mut self, first: u64, count: u64) -> Result<(), Trap> {
        let per_fractal = FRACTAL_BYTES / (self.rows * self.k0);
        let end = (first + count).min(self.fractals());
        if first < end {
            self.full[first as usize * per_fractal..end as usize * per_fractal].fill(false);
        }
        if first + count > self.fractals() { Err(Trap::outside(first.max(self.fractals()))) } else { Ok(()) }
    }

    /// Index of the block with element (row, k).
    ///
    /// *Errors*: `out_of_buffer` with its fractal.
    fn block(&self, tile: Tile, row: usize, k: usize) -> Result<usize, Trap> {
        let fractal = tile.fractal(row, k);
        if fractal >= self.fractals() {
            return Err(Trap::outside(fractal));
        }
        let across = FRACTAL_ROW_BYTES / self.k0;
        let down = FRACTAL_ROWS / self.rows;
        let in_fractal = row % FRACTAL_ROWS / self.rows * across + k % FRACTAL_ROW_BYTES / self.k0;
        Ok(fractal as usize * down * across + in_fractal)
    }

    /// True if the block with element (row, k) is full.
    ///
    /// *Errors*: `out_of_buffer` with its fractal.
    pub(crate) fn is_full(&self, tile: Tile, row: usize, k: usize) -> Result<bool, Trap> {
        Ok(self.full[self.block(tile, row, k)?])
    }

    /// Writes the block whose first element is (row, k) and sets its full bit. `block`: \[R0, K0\].
    ///
    /// *Errors*: `out_of_buffer` with its fractal; nothing is written.
    pub(crate) fn write(&mut self, tile: Tile, row: usize, k: usize, block: &[i16]) -> Result<(), Trap> {
        let index = self.block(tile, row, k)?;
        self.full[index] = true;
        for (down, source) in block.chunks_exact(self.k0).enumerate() {
            let start = self.start(tile, row + down, k);
            self.elements[start..start + self.k0].copy_from_slice(source);
        }
        Ok(())
    }

    /// Row `row` of the fractal with element (row, k), which lies in the buffer: 32 elements.
    pub(crate) fn fractal_row(&self, tile: Tile, row: usize, k: usize) -> &[i16; FRACTAL_ROW_BYTES] {
        let start = self.start(tile, row, k - k % FRACTAL_ROW_BYTES);
        self.elements[start..].first_chunk().expect("a fractal has 32 elements per row")
    }

    fn start(&self, tile: Tile, row: usize, k: usize) -> usize {
        tile.fractal(row, k) as usize * FRACTAL_BYTES + row % FRACTAL_ROWS * FRACTAL_ROW_BYTES + k % FRACTAL_ROW_BYTES
    }
}
