// SPDX-License-Identifier: Apache-2.0
//! What L0A, L0B, L0C and FB hold: a read of what was never written, or written with another shape, is a finding.
//!
//! A tile of k bytes leaves zeros behind its ragged k in the last M0 x K0 block only, and the cube does not mask, so `m.mmad`
//! must use exactly the k that its tiles were loaded with; m and n may be smaller.

use super::Problem;
use crate::effects::{Buffer, effects};
use crate::inst::*;
use crate::limits::{FRACTAL_ROW_BYTES, FRACTAL_ROWS, L0C_FRACTAL_COLUMNS};
use crate::state::State;
use std::collections::{HashMap, HashSet};

/// Shapes of the fractals and channels written so far.
#[derive(Default)]
pub(super) struct Contents {
    fractals: HashMap<(Buffer, u64), (u8, u8)>,
    channels: HashSet<(Buffer, u64)>,
}

/// A tile of fractals: `rows` x `columns`, the columns in bytes for L0A and L0B.
struct Tile {
    buffer: Buffer,
    first: u16,
    rows: u32,
    columns: u32,
    exact_columns: bool,
}

impl Tile {
    /// Fractal index, and the rows and columns of the tile in it.
    fn fractals(&self) -> impl Iterator<Item = (u64, (u8, u8))> + use<> {
        let width = if self.buffer == Buffer::L0c { L0C_FRACTAL_COLUMNS } else { FRACTAL_ROW_BYTES } as u32;
        let height = FRACTAL_ROWS as u32;
        let (first, rows, columns) = (u64::from(self.first), self.rows, self.columns);
        let across = columns.div_ceil(width);
        (0..rows.div_ceil(height) * across).map(move |index| {
            let (down, right) = (index / across * height, index % across * width);
            (first + u64::from(index), ((rows - down).min(height) as u8, (columns - right).min(width) as u8))
        })
    }
}

impl Contents {
    /// Runs an instruction: the problems of what it reads, then what it writes.
    pub(super) fn run(&mut self, op: &Instruction, state: &State) -> Vec<Problem> {
        let mut problems = Vec::new();
        for access in effects(op, state).into_iter().filter(|access| matches!(access.buffer, Buffer::Fb(_))) {
            let units = access.ranges.iter().cloned().flatten();
            if access.write {
                self.channels.extend(units.map(|unit| (access.buffer, unit)));
            } else if let Some(unit) = units.into_iter().find(|&unit| !self.channels.contains(&(access.buffer, unit))) {
                problems.push(Problem::NeverWritten { buffer: access.buffer, unit });
            }
        }
        let tile = |buffer, first, rows: u16, columns, exact_columns| Tile {
            buffer,
            first,
            rows: rows.into(),
            columns,
            exact_columns,
        };
        match op {
            Instruction::Mte1Load(load) => {
                let buffer = if load.side == Side::A { Buffer::L0a } else { Buffer::L0b };
                self.write(&tile(buffer, load.fractal, load.rows, load.dtype.bytes(load.k.into()), true));
            }
            Instruction::Mte1Im2col(load) => {
                self.write(&tile(Buffer::L0a, load.fractal, load.rows, load.dtype.bytes(load.k.into()), true));
            }
            Instruction::Mmad(mmad) => {
                let k = u32::from(mmad.k);
                problems.extend(self.read(&tile(Buffer::L0a, mmad.l0a, mmad.m, mmad.dtype_a.bytes(k), true)));
                problems.extend(self.read(&tile(Buffer::L0b, mmad.l0b, mmad.n, mmad.dtype_b.bytes(k), true)));
                let c = tile(Buffer::L0c, mmad.l0c, mmad.m, mmad.n.into(), false);
                if mmad.accumulate {
                    problems.extend(self.read(&c));
                }
                self.write(&c);
            }
            Instruction::FixStore(store) => {
                problems.extend(self.read(&tile(Buffer::L0c, store.l0c, store.m, store.n.into(), false)));
            }
            _ => {}
        }
        problems
    }

    fn write(&mut self, tile: &Tile) {
        self.fractals.extend(tile.fractals().map(|(unit, shape)| ((tile.buffer, unit), shape)));
    }

    /// The first fractal of the tile that does not hold what is read.
    fn read(&self, tile: &Tile) -> Option<Problem> {
        let buffer = tile.buffer;
        tile.fractals().find_map(|(unit, reads)| match self.fractals.get(&(buffer, unit)) {
            None => Some(Problem::NeverWritten { buffer, unit }),
            Some(&holds) => {
                let wide_enough = if tile.exact_columns { holds.1 == reads.1 } else { holds.1 >= reads.1 };
                (holds.0 < reads.0 || !wide_enough).then_some(Problem::WrongShape { buffer, unit, holds, reads })
            }
        })
    }
}
