// SPDX-License-Identifier: Apache-2.0
//! MTE1: tiles from L1 into L0A and L0B less their zero points, parameters into FB.
//!
//! A tile is walked in blocks, row blocks outside, k blocks inside. Of each row block first the zero points are read; of each block
//! first L1 is read, then L0 is written, whole: what lies outside rows x k is 0, and so is padding. A block of `mte1.im2col` is read tap by
//! tap, of each tap row by row.

use crate::Trap;
use crate::fb::Fb;
use crate::l0::{L0, Tile};
use crate::l1::Local;
use isa::geometry::{Im2col, TapRun};
use isa::limits::{FRACTAL_ROW_BYTES, FRACTAL_ROWS};
use isa::state::mte1 as register;
use isa::{Cause, Dtype, Mte1Im2col, Mte1Load, Mte1LoadFb, Pipe, Side, State};

/// Where the zero points of a tile come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ZeroPoint {
    /// One for all rows.
    Scalar(i16),
    /// Of row i: that of FB channel `first + i`.
    PerRow { first: u64 },
}

/// The first check of a tile load: the zero point as the state registers say.
///
/// *Errors*: `bad_zero_point`, address 0.
pub(crate) fn zero_point(op: &Mte1Load, state: &State) -> Result<ZeroPoint, Trap> {
    let get = |index| state.get(Pipe::Mte1, index).expect("every register of MTE1 has a reset value");
    let (bit, value, channel) = match op.side {
        Side::A => (0, register::ZERO_POINT_A, register::ZERO_POINT_CHANNEL_A),
        Side::B => (1, register::ZERO_POINT_B, register::ZERO_POINT_CHANNEL_B),
    };
    if get(register::ZERO_POINT_SOURCE) >> bit & 1 == 1 {
        return Ok(ZeroPoint::PerRow { first: get(channel).into() });
    }
    in_range(op.dtype, get(value) as i32).map(ZeroPoint::Scalar)
}

/// A zero point that the dtype can have, so that every difference fits 9 bits.
fn in_range(dtype: Dtype, zero_point: i32) -> Result<i16, Trap> {
    let legal = match dtype {
        Dtype::S8 => i8::try_from(zero_point).is_ok(),
        _ => u8::try_from(zero_point).is_ok(),
    };
    if legal { Ok(zero_point as i16) } else { Err(Trap::new(Cause::BadZeroPoint, 0)) }
}

/// The first checks of an `mte1.im2col`: its geometry, then the zero point, which is a scalar.
///
/// *Errors*: `unset_register`, `bad_register`, `bad_zero_point`, address 0.
pub(crate) fn geometry(op: &Mte1Im2col, state: &State) -> Result<(Im2col, i16), Trap> {
    let map = Im2col::of(op, state).map_err(|misuse| Trap::new(misuse.cause(), 0))?;
    let zero = state.get(Pipe::Mte1, register::ZERO_POINT_A).expect("it has a reset value");
    Ok((map, in_range(op.dtype, zero as i32)?))
}

/// Clears the full bits of a target tile of rows x k from `fractal` on, as an early set demands.
///
/// *Errors*: `out_of_buffer` with the first fractal outside.
pub(crate) fn clear(fractal: u16, rows: u16, k_bytes: u32, l0: &mut L0) -> Result<(), Trap> {
    let tile = Tile::new(fractal, k_bytes);
    l0.clear(tile.first, u64::from(rows).div_ceil(FRACTAL_ROWS as u64) * tile.across)
}

/// `mte1.im2col`. Elements have one byte.
pub(crate) fn im2col(op: &Mte1Im2col, map: &Im2col, zero: i16, l1: &Local, l0: &mut L0) -> Result<(), Trap> {
    let (block_rows, k0) = (l0.rows as u32, l0.k0 as u32);
    let tile = Tile::new(op.fractal, op.dtype.bytes(op.k.into()));
    let runs: Vec<TapRun> = map.tap_runs(op).collect();
    let mut block = vec![0; l0.rows * l0.k0];
    for row in (0..u32::from(op.rows)).step_by(l0.rows) {
        for column in (0..u32::from(op.k)).step_by(l0.k0) {
            block.fill(0);
            for run in runs.iter().filter_map(|run| within(run, column, k0)) {
                for down in 0..block_rows.min(u32::from(op.rows) - row) {
                    let (part, address) = map.in_map(op, row + down, &run);
                    let bytes = l1.read(address, part.len())?;
                    let first = (down * k0 + run.first - column + part.start) as usize;
                    for (place, &byte) in block[first..].iter_mut().zip(bytes) {
                        *place = element(op.dtype, byte, zero);
                    }
                }
            }
            l0.write(tile, row as usize, column as usize, &block)?;
        }
    }
    Ok(())
}

/// The part of a run in k `column .. column + k0`.
fn within(run: &TapRun, column: u32, k0: u32) -> Option<TapRun> {
    let first = run.first.max(column);
    let end = (run.first + run.len).min(column + k0);
    (first < end).then(|| TapRun { first, len: end - first, byte: run.byte + first - run.first, ..*run })
}

/// A byte less its zero point.
fn element(dtype: Dtype, byte: u8, zero: i16) -> i16 {
    match dtype {
        Dtype::S8 => i16::from(byte as i8) - zero,
        _ => i16::from(byte) - zero,
    }
}

/// `mte1.loada`, `mte1.loadb`. Elements have one byte: the sequencer refuses every other dtype.
pub(crate) fn load(op: &Mte1Load, zero_point: ZeroPoint, l1: &Local, fb: &Fb, l0: &mut L0) -> Result<(), Trap> {
    let (rows, k) = (usize::from(op.rows), usize::from(op.k));
    let (block_rows, k0) = (l0.rows, l0.k0);
    let tile = Tile::new(op.fractal, op.dtype.bytes(op.k.into()));
    let mut block = vec![0; block_rows * k0];
    for row in (0..rows).step_by(block_rows) {
        let rows_here = block_rows.min(rows - row);
        let mut zeros = [0; FRACTAL_ROWS];
        for (down, zero) in zeros.iter_mut().enumerate().take(rows_here) {
            *zero = match zero_point {
                ZeroPoint::Scalar(value) => value,
                ZeroPoint::PerRow { first } => {
                    in_range(op.dtype, fb.channel(first + (row + down) as u64)?.zero_point.into())?
                }
            };
        }
        for column in (0..k).step_by(k0) {
            let source = Source { op, row, column, rows: rows_here, columns: k0.min(k - column) };
            block.fill(0);
            source.copy(l1, &zeros, &mut block, k0)?;
            l0.write(tile, row, column, &block)?;
        }
    }
    Ok(())
}

/// The real elements of one block in L1.
struct Source<'a> {
    op: &'a Mte1Load,
    row: usize,
    column: usize,
    rows: usize,
    columns: usize,
}

impl Source<'_> {
    /// Byte (r, c) of the nz matrix in L1.
    fn address(&self, r: usize, c: usize) -> u64 {
        let panel = (c / FRACTAL_ROW_BYTES) as u64;
        u64::from(self.op.l1_address)
            + panel * u64::from(self.op.panel_stride)
            + (r * FRACTAL_ROW_BYTES + c % FRACTAL_ROW_BYTES) as u64
    }

    /// Reads L1 row by row of what lies there: rows of k, or transposed k rows of tile rows. A block lies in one panel.
    fn copy(&self, l1: &Local, zeros: &[i16], block: &mut [i16], k0: usize) -> Result<(), Trap> {
        if self.op.transpose {
            for l in 0..self.columns {
                let bytes = l1.read(self.address(self.column + l, self.row), self.rows)?;
                for (i, (&byte, &zero)) in bytes.iter().zip(zeros).enumerate() {
                    block[i * k0 + l] = element(self.op.dtype, byte, zero);
                }
            }
        } else {
            for i in 0..self.rows {
                let bytes = l1.read(self.address(self.row + i, self.column), self.columns)?;
                for (place, &byte) in block[i * k0..].iter_mut().zip(bytes) {
                    *place = element(self.op.dtype, byte, zeros[i]);
                }
            }
        }
        Ok(())
    }
}

/// `mte1.loadfb`: channel by channel, first the read, then the write.
pub(crate) fn load_fb(op: &Mte1LoadFb, l1: &Local, fb: &mut Fb) -> Result<(), Trap> {
    let bytes = u64::from(op.field.bytes());
    for index in 0..u64::from(op.count) {
        let source = l1.read(u64::from(op.l1_address) + index * bytes, bytes as usize)?;
        fb.write(u64::from(op.channel) + index, op.field, source)?;
    }
    Ok(())
}
