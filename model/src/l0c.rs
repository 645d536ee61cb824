// SPDX-License-Identifier: Apache-2.0
//! L0C: fractals of 16 x 16 int32, and a full bit per block of M0 x N0.

use crate::{Trap, mix};
use isa::Config;
use isa::limits::{FRACTAL_ROWS, L0C_FRACTAL_COLUMNS};

const FRACTAL_ELEMENTS: usize = FRACTAL_ROWS * L0C_FRACTAL_COLUMNS;

/// The buffer.
#[derive(Clone, Debug)]
pub(crate) struct L0c {
    m0: usize,
    n0: usize,
    elements: Vec<i32>,
    full: Vec<bool>,
}

/// A tile in L0C: its first fractal and how many fractals stand side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile {
    pub(crate) first: u64,
    pub(crate) across: u64,
}

impl Tile {
    /// The tile of `n` columns at fractal `first`.
    pub(crate) fn new(first: u16, n: u16) -> Tile {
        Tile { first: first.into(), across: u64::from(n.div_ceil(L0C_FRACTAL_COLUMNS as u16)) }
    }

    /// Fractal with element (row, column).
    pub(crate) fn fractal(&self, row: usize, column: usize) -> u64 {
        self.first + (row / FRACTAL_ROWS) as u64 * self.across + (column / L0C_FRACTAL_COLUMNS) as u64
    }
}

impl L0c {
    pub(crate) fn new(config: &Config) -> L0c {
        let fractals = config.l0c_fractals();
        L0c {
            m0: config.m0,
            n0: config.n0,
            elements: vec![0; fractals * FRACTAL_ELEMENTS],
            full: vec![false; fractals * config.l0c_blocks_per_fractal()],
        }
    }

    /// Fills the elements with a pattern; the full bits stay.
    pub(crate) fn poison(&mut self, seed: u64) {
        for (index, element) in self.elements.iter_mut().enumerate() {
            *element = mix(seed ^ index as u64) as i32;
        }
    }

    fn fractals(&self) -> u64 {
        (self.elements.len() / FRACTAL_ELEMENTS) as u64
    }

    /// Clears every full bit.
    pub(crate) fn clear_all(&mut self) {
        self.full.fill(false);
    }

    /// Clears the full bits of `count` fractals from `first` on.
    ///
    /// *Errors*: `out_of_buffer` with the first fractal outside; those before it are cleared.
    pub(crate) fn clear(&mut self, first: u64, count: u64) -> Result<(), Trap> {
        let per_fractal = FRACTAL_ELEMENTS / (self.m0 * self.n0);
        let end = (first + count).min(self.fractals());
        if first < end {
            self.full[first as usize * per_fractal..end as usize * per_fractal].fill(false);
        }
        if first + count > self.fractals() { Err(Trap::outside(first.max(self.fractals()))) } else { Ok(()) }
    }

    /// Index of the block with element (row, column).
    ///
    /// *Errors*: `out_of_buffer` with its fractal.
    pub(crate) fn block(&self, tile: Tile, row: usize, column: usize) -> Result<usize, Trap> {
        let fractal = tile.fractal(row, column);
        if fractal >= self.fractals() {
            return Err(Trap::outside(fractal));
        }
        let (down, across) = (FRACTAL_ROWS / self.m0, L0C_FRACTAL_COLUMNS / self.n0);
        let in_fractal = row % FRACTAL_ROWS / self.m0 * across + column % L0C_FRACTAL_COLUMNS / self.n0;
        Ok(fractal as usize * down * across + in_fractal)
    }

    /// True if the block with element (row, column) is full.
    ///
    /// *Errors*: `out_of_buffer` with its fractal.
    pub(crate) fn is_full(&self, tile: Tile, row: usize, column: usize) -> Result<bool, Trap> {
        Ok(self.full[self.block(tile, row, column)?])
    }

    /// Sets the full bit of the block with element (row, column), which lies in the buffer.
    pub(crate) fn set_full(&mut self, tile: Tile, row: usize, column: usize) {
        let index = self.block(tile, row, column).expect("the caller has checked that the block is in L0C");
        self.full[index] = true;
    }

    /// Element (row, column) of a tile, which lies in the buffer.
    pub(crate) fn get(&self, tile: Tile, row: usize, column: usize) -> i32 {
        self.elements[place(tile, row, column)]
    }

    /// The same, to write.
    pub(crate) fn get_mut(&mut self, tile: Tile, row: usize, column: usize) -> &mut i32 {
        &mut self.elements[place(tile, row, column)]
    }
}

fn place(tile: Tile, row: usize, column: usize) -> usize {
    tile.fractal(row, column) as usize * FRACTAL_ELEMENTS
        + row % FRACTAL_ROWS * L0C_FRACTAL_COLUMNS
        + column % L0C_FRACTAL_COLUMNS
}
