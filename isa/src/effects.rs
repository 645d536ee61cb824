// SPDX-License-Identifier: Apache-2.0
//! What an instruction reads and writes, exactly: the bytes, fractals or channels, gaps between rows and panels left out.
//!
//! | buffer | unit | read by | written by |
//! |---|---|---|---|
//! | GM, per base register | byte offset from the base | `mte2.load` | `fix.store`, `mte3.store` |
//! | L1 | byte | `mte1.*`, `mte3.store` | `mte2.*`, `fix.store`, `mte3.move` |
//! | UB | byte | `mte3.*`, `fix.store` with a second tensor | `mte2.*`, `fix.store` |
//! | L0A, L0B | fractal | `m.mmad` | `mte1.loada`, `mte1.loadb`, `mte1.im2col` |
//! | L0C | fractal | `fix.store`, accumulating `m.mmad` | `m.mmad` |
//! | FB, per parameter | channel | `fix.store`, `mte1.loada`, `mte1.loadb` | `mte1.loadfb` |

use crate::config::Config;
use crate::geometry::{Im2col, Outer};
use crate::inst::*;
use crate::limits::{FRACTAL_ROW_BYTES, FRACTAL_ROWS, GM_ADDRESS_BITS, L0C_FRACTAL_COLUMNS};
use crate::pipe::Pipe;
use crate::second::SecondTensor;
use crate::state::{State, mte1};
use std::fmt;
use std::ops::Range;

/// A memory that instructions touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Buffer {
    /// Global memory through this base register. Different bases count as different memories, since their values are unknown
    /// before the run.
    Gm(u8),
    /// L1.
    L1,
    /// UB.
    Ub,
    /// L0A.
    L0a,
    /// L0B.
    L0b,
    /// L0C.
    L0c,
    /// One parameter of FB.
    Fb(FbField),
}

impl Buffer {
    /// How many units the buffer has in a core of this configuration.
    pub fn capacity(self, config: &Config) -> u64 {
        match self {
            Buffer::Gm(_) => 1 << GM_ADDRESS_BITS,
            Buffer::L1 => config.l1_bytes as u64,
            Buffer::Ub => config.ub_bytes as u64,
            Buffer::L0a => config.l0a_fractals() as u64,
            Buffer::L0b => config.l0b_fractals() as u64,
            Buffer::L0c => config.l0c_fractals() as u64,
            Buffer::Fb(_) => config.fb_channels as u64,
        }
    }

    /// What the addresses count: `"byte"`, `"fractal"` or `"channel"`.
    pub const fn unit(self) -> &'static str {
        match self {
            Buffer::Gm(_) | Buffer::L1 | Buffer::Ub => "byte",
            Buffer::L0a | Buffer::L0b | Buffer::L0c => "fractal",
            Buffer::Fb(_) => "channel",
        }
    }
}

impl fmt::Display for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Buffer::Gm(base) => write!(f, "gm base {base}"),
            Buffer::L1 => f.write_str("l1"),
            Buffer::Ub => f.write_str("ub"),
            Buffer::L0a => f.write_str("l0a"),
            Buffer::L0b => f.write_str("l0b"),
            Buffer::L0c => f.write_str("l0c"),
            Buffer::Fb(field) => write!(f, "fb {field}"),
        }
    }
}

/// One access of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Where.
    pub buffer: Buffer,
    /// Which units: sorted, disjoint, none adjacent, never empty.
    pub ranges: Vec<Range<u64>>,
    /// True for a write.
    pub write: bool,
}

impl Access {
    /// One more than the highest unit touched.
    pub fn end(&self) -> u64 {
        self.ranges.last().map_or(0, |range| range.end)
    }

    /// True if every unit lies inside the buffer.
    pub fn fits(&self, config: &Config) -> bool {
        self.end() <= self.buffer.capacity(config)
    }

    /// True if every unit of `other` is one of this access, in the same buffer.
    pub fn covers(&self, other: &Access) -> bool {
        let inside = |range: &Range<u64>| {
            let next = self.ranges.partition_point(|own| own.end < range.end);
            self.ranges.get(next).is_some_and(|own| own.start <= range.start)
        };
        self.buffer == other.buffer && other.ranges.iter().all(inside)
    }
}

/// The bytes of a matrix of `rows` rows of `row_bytes` bytes at `address`.
///
/// *Guarantee*: sorted, disjoint, none adjacent.
pub fn matrix_ranges(layout: Layout, address: u64, stride: u64, rows: u64, row_bytes: u64) -> Vec<Range<u64>> {
    let panel = FRACTAL_ROW_BYTES as u64;
    let mut ranges = Vec::new();
    match layout {
        Layout::Rows if stride == row_bytes => ranges.push(address..address + rows * row_bytes),
        Layout::Rows => ranges.extend((0..rows).map(|row| {
            let start = address + row * stride;
            start..start + row_bytes
        })),
        Layout::Nz => {
            let full = row_bytes / panel;
            ranges.extend((0..full).map(|index| {
                let start = address + index * stride;
                start..start + rows * panel
            }));
            let rest = row_bytes % panel;
            if rest != 0 {
                ranges.extend((0..rows).map(|row| {
                    let start = address + full * stride + row * panel;
                    start..start + rest
                }));
            }
        }
    }
    coalesce(ranges)
}

fn coalesce(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Fractals of an L0A or L0B tile of `rows` rows and `k_bytes` bytes of k.
pub fn l0_tile_fractals(rows: u16, k_bytes: u32) -> u64 {
    u64::from(rows).div_ceil(FRACTAL_ROWS as u64) * u64::from(k_bytes).div_ceil(FRACTAL_ROW_BYTES as u64)
}

/// Fractals of an L0C tile of `m` rows and `n` columns.
pub fn l0c_tile_fractals(m: u16, n: u16) -> u64 {
    u64::from(m).div_ceil(FRACTAL_ROWS as u64) * u64::from(n).div_ceil(L0C_FRACTAL_COLUMNS as u64)
}

/// Above so many pieces the bytes of an access are given as one range from the first to the last.
const MOST_PIECES: u64 = 1 << 16;

/// Everything that the instruction reads and writes, given the state registers that it sees.
///
/// *Guarantee*: reads come before writes; nothing for END, BARRIER, NOP and SET, nor for what state registers forbid. An access
/// of more than 65,536 pieces is given with the gaps between them. The instruction is taken to be legal.
pub fn effects(op: &Instruction, state: &State) -> Vec<Access> {
    let units = |buffer, first: u64, count: u64, write| Access { buffer, ranges: span(first, count), write };
    match op {
        Instruction::End | Instruction::Barrier | Instruction::Nop | Instruction::Set { .. } => Vec::new(),
        Instruction::Mte2Load(load) => {
            let (rows, len) = (u64::from(load.rows), u64::from(load.len_bytes));
            let gm = Matrix::rows(load.gm.offset, load.gm_stride, rows, len);
            let local =
                Matrix { layout: load.layout, ..Matrix::rows(load.dst_address.into(), load.dst_stride, rows, len) };
            copy(op, state, Some((Buffer::Gm(load.gm.base), gm)), (local_buffer(load.dst), local))
        }
        Instruction::Mte2Fill(fill) => {
            let local = Matrix::rows(fill.dst_address.into(), fill.dst_stride, fill.rows.into(), fill.len_bytes.into());
            copy(op, state, None, (local_buffer(fill.dst), local))
        }
        Instruction::Mte1Load(load) => mte1_load(load, state),
        Instruction::Mte1Im2col(load) => im2col(load, state),
        Instruction::Mte1LoadFb(load) => {
            let bytes = u64::from(load.count) * u64::from(load.field.bytes());
            vec![
                units(Buffer::L1, load.l1_address.into(), bytes, false),
                units(Buffer::Fb(load.field), load.channel.into(), load.count.into(), true),
            ]
        }
        Instruction::Mmad(mmad) => {
            let k = u32::from(mmad.k);
            let c = |write| units(Buffer::L0c, mmad.l0c.into(), l0c_tile_fractals(mmad.m, mmad.n), write);
            let mut accesses = vec![
                units(Buffer::L0a, mmad.l0a.into(), l0_tile_fractals(mmad.m, mmad.dtype_a.bytes(k)), false),
                units(Buffer::L0b, mmad.l0b.into(), l0_tile_fractals(mmad.n, mmad.dtype_b.bytes(k)), false),
            ];
            if mmad.accumulate {
                accesses.push(c(false));
            }
            accesses.push(c(true));
            accesses
        }
        Instruction::FixStore(store) => fix_store(store, state),
        Instruction::Mte3Store(store) => {
            let (rows, len) = (u64::from(store.rows), u64::from(store.len_bytes));
            let local =
                Matrix { layout: store.layout, ..Matrix::rows(store.src_address.into(), store.src_stride, rows, len) };
            let gm = Matrix::rows(store.gm.offset, store.gm_stride, rows, len);
            copy(op, state, Some((local_buffer(store.src), local)), (Buffer::Gm(store.gm.base), gm))
        }
        Instruction::Mte3Move(copied) => {
            let (rows, len) = (u64::from(copied.rows), u64::from(copied.len_bytes));
            let ub = Matrix::rows(copied.src_address.into(), copied.src_stride, rows, len);
            let l1 = Matrix {
                layout: copied.layout,
                ..Matrix::rows(copied.dst_address.into(), copied.dst_stride, rows, len)
            };
            copy(op, state, Some((Buffer::Ub, ub)), (Buffer::L1, l1))
        }
    }
}

/// One matrix of a copy.
#[derive(Clone, Copy)]
struct Matrix {
    layout: Layout,
    address: u64,
    stride: u64,
    rows: u64,
    row_bytes: u64,
}

impl Matrix {
    fn rows(address: u64, stride: u32, rows: u64, row_bytes: u64) -> Matrix {
        Matrix { layout: Layout::Rows, address, stride: stride.into(), rows, row_bytes }
    }

    /// Its bytes, `offset` further on.
    fn ranges(&self, offset: u64) -> Vec<Range<u64>> {
        matrix_ranges(self.layout, self.address + offset, self.stride, self.rows, self.row_bytes)
    }
}

/// A copy of MTE2 or MTE3 with its outer dimensions.
fn copy(op: &Instruction, state: &State, src: Option<(Buffer, Matrix)>, dst: (Buffer, Matrix)) -> Vec<Access> {
    let Ok(Some(outer)) = Outer::of(op, state) else { return Vec::new() };
    let access = |(buffer, matrix): (Buffer, Matrix), strides: [u32; 2], write| {
        let pieces = matrix.ranges(0);
        let ranges = if outer.matrices() * pieces.len() as u64 > MOST_PIECES {
            let beyond: u64 = (0..2).map(|at| u64::from(outer.counts[at] - 1) * u64::from(strides[at])).sum();
            let end = pieces.last().map_or(0, |range| range.end);
            std::iter::once(pieces[0].start..end + beyond).collect()
        } else {
            let offsets = outer.offsets().map(|(src, dst)| if write { dst } else { src });
            coalesce(offsets.flat_map(|offset| matrix.ranges(offset)).collect())
        };
        Access { buffer, ranges, write }
    };
    let read = src.map(|src| access(src, outer.src_strides, false));
    read.into_iter().chain([access(dst, outer.dst_strides, true)]).collect()
}

fn im2col(load: &Mte1Im2col, state: &State) -> Vec<Access> {
    let Ok(map) = Im2col::of(load, state) else { return Vec::new() };
    let rows = u32::from(load.rows);
    let runs: Vec<_> = map.tap_runs(load).collect();
    let ranges = if u64::from(rows) * runs.len() as u64 > MOST_PIECES {
        let lines = u64::from(map.map_height.saturating_sub(1)) * u64::from(map.line_stride);
        let start = u64::from(load.l1_address);
        std::iter::once(start..start + lines + u64::from(map.map_width)).collect()
    } else {
        let bytes = |row| {
            let map = &map;
            runs.iter().map(move |run| map.in_map(load, row, run)).filter(|(part, _)| !part.is_empty())
        };
        coalesce((0..rows).flat_map(bytes).map(|(part, start)| start..start + part.len() as u64).collect())
    };
    let fractals = l0_tile_fractals(load.rows, load.dtype.bytes(load.k.into()));
    let write = Access { buffer: Buffer::L0a, ranges: span(load.fractal.into(), fractals), write: true };
    let read = Access { buffer: Buffer::L1, ranges, write: false };
    // A tile that is padding as a whole reads nothing.
    [read, write].into_iter().filter(|access| !access.ranges.is_empty()).collect()
}

/// `count` units from `first` on.
fn span(first: u64, count: u64) -> Vec<Range<u64>> {
    std::iter::once(first..first + count).collect()
}

fn local_buffer(buffer: LocalBuffer) -> Buffer {
    match buffer {
        LocalBuffer::L1 => Buffer::L1,
        LocalBuffer::Ub => Buffer::Ub,
    }
}

fn mte1_load(load: &Mte1Load, state: &State) -> Vec<Access> {
    let (rows, k) = (u32::from(load.rows), u32::from(load.k));
    let (l1_rows, l1_bytes) = match load.transpose {
        false => (rows, load.dtype.bytes(k)),
        true => (k, load.dtype.bytes(rows)),
    };
    let source =
        matrix_ranges(Layout::Nz, load.l1_address.into(), load.panel_stride.into(), l1_rows.into(), l1_bytes.into());
    let mut accesses = vec![Access { buffer: Buffer::L1, ranges: source, write: false }];
    let (bit, channel, target) = match load.side {
        Side::A => (0, mte1::ZERO_POINT_CHANNEL_A, Buffer::L0a),
        Side::B => (1, mte1::ZERO_POINT_CHANNEL_B, Buffer::L0b),
    };
    let register = |index| state.get(Pipe::Mte1, index).unwrap_or(0);
    if register(mte1::ZERO_POINT_SOURCE) >> bit & 1 == 1 {
        let first = u64::from(register(channel));
        let ranges = span(first, u64::from(rows));
        accesses.push(Access { buffer: Buffer::Fb(FbField::ZeroPoint), ranges, write: false });
    }
    let first = u64::from(load.fractal);
    let fractals = l0_tile_fractals(load.rows, load.dtype.bytes(k));
    accesses.push(Access { buffer: target, ranges: span(first, fractals), write: true });
    accesses
}

fn fix_store(store: &FixStore, state: &State) -> Vec<Access> {
    let first = u64::from(store.l0c);
    let tile = span(first, l0c_tile_fractals(store.m, store.n));
    let mut accesses = vec![Access { buffer: Buffer::L0c, ranges: tile, write: false }];
    let first = u64::from(store.channel);
    let mut channels = |field| {
        let ranges = span(first, u64::from(store.n));
        accesses.push(Access { buffer: Buffer::Fb(field), ranges, write: false });
    };
    if store.bias {
        channels(FbField::Bias);
    }
    if store.per_channel && store.scales() {
        channels(FbField::Scale);
        if store.shifts() {
            channels(FbField::Shift);
        }
    }
    let (rows, row_bytes) = (u64::from(store.m), u64::from(store.row_bytes()));
    if let Ok(Some(second)) = SecondTensor::of(store, state) {
        let ranges = matrix_ranges(Layout::Rows, second.address.into(), second.stride.into(), rows, row_bytes);
        accesses.push(Access { buffer: Buffer::Ub, ranges, write: false });
    }
    let (buffer, address) = match store.dst {
        FixTarget::Gm(gm) => (Buffer::Gm(gm.base), gm.offset),
        FixTarget::L1(address) => (Buffer::L1, u64::from(address)),
        FixTarget::Ub(address) => (Buffer::Ub, u64::from(address)),
    };
    let ranges = matrix_ranges(store.layout, address, store.dst_stride.into(), rows, row_bytes);
    accesses.push(Access { buffer, ranges, write: true });
    accesses
}
