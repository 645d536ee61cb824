// SPDX-License-Identifier: Apache-2.0
//! Instructions of a tiled product in program order; the builder adds the flags, and so the overlap of the pipes.
//!
//! ```text
//! per tile of C, per step of k:   operands that L1 lacks, then those that L0 lacks (the caller's part) ─► M: one mmad
//! after the last step:            parameters of the columns that FB lacks ─► FIX: the tile to GM, or to UB, and from there MTE3
//! ```
//! MTE2 runs ahead of the others as far as slots and queues reach, and the cube works on one tile while FIX empties the other.

use crate::channels::{Channels, Output};
use crate::placement::base;
use crate::residual::Staging;
use crate::slots::Place;
use isa::limits::{FRACTAL_ROW_BYTES, FRACTAL_ROWS, L0C_FRACTAL_COLUMNS};
use isa::state::{fix, mte1, outer};
use isa::{
    Dtype, FbField, FixStore, FixTarget, GmAddress, Inst, Instruction, Layout, LocalBuffer, Mmad, Mte1Load, Mte1LoadFb,
    Mte2Load, Mte3Store, Pipe, ProgramBuilder, Second, Side,
};
use std::ops::Range;

/// Sizes of a tile: m and n multiples of 16, k of 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
}

impl Tile {
    /// Fractals in L0A.
    pub(crate) fn a_fractals(&self) -> usize {
        self.m / FRACTAL_ROWS * (self.k / FRACTAL_ROW_BYTES)
    }

    /// Fractals in L0B.
    pub(crate) fn b_fractals(&self) -> usize {
        self.n / FRACTAL_ROWS * (self.k / FRACTAL_ROW_BYTES)
    }

    /// Fractals in L0C.
    pub(crate) fn c_fractals(&self) -> usize {
        self.m / FRACTAL_ROWS * (self.n / L0C_FRACTAL_COLUMNS)
    }
}

/// One mmad: a step of k of a tile of C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Rows of the tile.
    pub(crate) rows: usize,
    /// Those of them that are multiplied, from a multiple of 16 on: all, but for the very first.
    pub(crate) part: Range<usize>,
    /// Its columns of C.
    pub(crate) columns: Range<usize>,
    /// Elements of k.
    pub(crate) k: usize,
    /// First step of its tile.
    pub(crate) first: bool,
    /// Last step of its tile.
    pub(crate) last: bool,
    /// Row of C where the tile begins.
    pub(crate) row: usize,
    /// Slot in L0A.
    pub(crate) l0a: usize,
    /// Slot in L0B.
    pub(crate) l0b: usize,
    /// Where in UB its results are gathered; `None`: FIX stores them to GM.
    pub(crate) landing: Option<Landing>,
    /// Its results are those of one tap, of which the largest are kept.
    pub(crate) fold: Option<Fold>,
}

/// A tile of results whose largest are kept in UB from tap to tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fold {
    /// Where in UB they lie.
    pub(crate) ub: usize,
    /// Bytes from row to row, a multiple of 32.
    pub(crate) stride: usize,
    /// First tap: nothing lies there yet.
    pub(crate) first: bool,
    /// Last tap: the results go to GM.
    pub(crate) last: bool,
}

/// Results of several tiles side by side in UB, so that GM gets long rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Landing {
    /// UB address of the tile's first result.
    pub(crate) address: usize,
    /// Bytes from row to row.
    pub(crate) stride: usize,
    /// The tile is the last one of its rows: this takes all of them to GM.
    pub(crate) store: Option<Mte3Store>,
}

/// A tile of an operand that lies as rows in GM, as nz in L1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matrix {
    pub(crate) side: Side,
    pub(crate) dtype: Dtype,
    /// GM holds k rows, not rows of k.
    pub(crate) transpose: bool,
    /// Offset of its first byte in GM.
    pub(crate) offset: usize,
    /// Bytes from row to row in GM.
    pub(crate) pitch: usize,
    /// Rows of A, columns of B.
    pub(crate) outer: usize,
    pub(crate) k: usize,
    /// Address in L1, a multiple of 512.
    pub(crate) l1: usize,
}

/// A part of a matrix: where it begins in GM and in L1, and its rows as they lie in GM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    offset: usize,
    l1: usize,
    rows: usize,
    row: usize,
}

impl Matrix {
    /// These rows of A, or columns of B, and these k. In the direction of GM's rows they begin at a multiple of 32, in the other one of 16.
    fn part(&self, outer: Range<usize>, k: Range<usize>) -> Part {
        let (rows, row) = if self.transpose { (k, outer) } else { (outer, k) };
        Part {
            offset: self.offset + rows.start * self.pitch + row.start,
            l1: self.l1 + row.start / FRACTAL_ROW_BYTES * self.panel_stride() + rows.start * FRACTAL_ROW_BYTES,
            rows: rows.len(),
            row: row.len(),
        }
    }

    /// Bytes from panel to panel in L1.
    fn panel_stride(&self) -> usize {
        let rows = if self.transpose { self.k } else { self.outer };
        rows.next_multiple_of(FRACTAL_ROWS) * FRACTAL_ROW_BYTES
    }
}

/// The program under construction.
pub(crate) struct Emitter<'a> {
    pub(crate) channels: Channels<'a>,
    pub(crate) dtype_a: Dtype,
    pub(crate) tile: Tile,
    /// Tiles of L0C in turn.
    pub(crate) c_slots: usize,
    /// Where the two slots of parameters lie in L1.
    pub(crate) parameters: usize,
    /// Where the parts of a residual lie in UB.
    pub(crate) staging: Option<Staging>,
    pub(crate) builder: ProgramBuilder,
}

impl Emitter<'_> {
    /// The program, with END. `load` brings the operands of a step, given by its index, into L0; `fb` says where the parameters
    /// of every tile of C lie.
    pub(crate) fn program(
        mut self,
        zero_point_a: i32,
        steps: &[Step],
        fb: &[Place],
        mut load: impl FnMut(&mut Self, usize),
    ) -> Vec<Inst> {
        self.registers(zero_point_a);
        let mut tile = 0;
        for (at, step) in steps.iter().enumerate() {
            let Place { slot, load: missing } = fb[tile];
            if self.channels.zero_point_per_column() {
                if step.first && step.part.start == 0 && missing {
                    self.load_parameters(tile, slot, &step.columns, &[FbField::ZeroPoint]);
                }
                self.builder.set(Pipe::Mte1, mte1::ZERO_POINT_CHANNEL_B, self.channel(slot).into());
            }
            load(&mut self, at);
            self.multiply(step, tile);
            if step.last {
                if missing {
                    self.load_parameters(tile, slot, &step.columns, &[FbField::Bias, FbField::Scale, FbField::Shift]);
                }
                self.store(step, tile, slot);
                tile += 1;
            }
        }
        self.builder.finish()
    }

    /// State registers that keep their value for the whole program.
    fn registers(&mut self, zero_point_a: i32) {
        let channels = self.channels;
        let mut set = |pipe, register, value| self.builder.set(pipe, register, value);
        set(Pipe::Mte1, mte1::ZERO_POINT_A, zero_point_a as u32);
        match channels.zero_points {
            [] => {}
            [zero_point] => set(Pipe::Mte1, mte1::ZERO_POINT_B, *zero_point as u32),
            _ => set(Pipe::Mte1, mte1::ZERO_POINT_SOURCE, 2),
        }
        if let [(scale, shift)] = channels.output.factors()[..] {
            set(Pipe::Fix, fix::SCALE, scale);
            if let Some(shift) = shift {
                set(Pipe::Fix, fix::SHIFT, u32::from(shift as u8));
            }
        }
        if let Output::Quantised { zero_point, .. } | Output::Fixed { zero_point, .. } = channels.output {
            set(Pipe::Fix, fix::ZERO_POINT, *zero_point as u32);
        }
        if let Some(staging) = self.staging {
            set(Pipe::Fix, fix::SECOND_STRIDE, staging.stride as u32);
        }
        if let Some(sum) = channels.residual.and_then(|residual| residual.sum(channels.output)) {
            set(Pipe::Fix, fix::RATIO, sum.ratio.to_bits());
            set(Pipe::Fix, fix::SECOND_RATIO, sum.second_ratio.to_bits());
            set(Pipe::Fix, fix::OFFSET, sum.offset.to_bits());
            set(Pipe::Fix, fix::SUM_ZERO_POINT, sum.zero_point as u32);
        }
        if let Some((low, high)) = channels.clamp {
            set(Pipe::Fix, fix::CLAMP_LOW, low as u32);
            set(Pipe::Fix, fix::CLAMP_HIGH, high as u32);
        }
    }

    /// A copy of `count2` matrices from GM to L1; the strides of dimension 2 are used if there is more than one.
    pub(crate) fn copy(&mut self, load: Mte2Load, count2: usize, src_stride2: usize, dst_stride2: usize) {
        self.builder.set(Pipe::Mte2, outer::COUNT2, count2 as u32);
        if count2 == 1 && load.layout == Layout::Nz {
            // A stride left over from other copies may be one that panels cannot have.
            self.builder.set(Pipe::Mte2, outer::DST_STRIDE2, 0);
        }
        if count2 > 1 {
            self.builder.set(Pipe::Mte2, outer::SRC_STRIDE2, src_stride2 as u32);
            self.builder.set(Pipe::Mte2, outer::DST_STRIDE2, dst_stride2 as u32);
        }
        self.builder.push(Instruction::Mte2Load(load));
    }

    /// One operand of a step into L1 and into L0, where it is not there yet.
    pub(crate) fn load_matrix(&mut self, matrix: &Matrix, l1_load: bool, l0: Place) {
        if l1_load {
            self.load_l1(matrix, 0..matrix.outer, 0..matrix.k);
        }
        if l0.load {
            self.load_l0(matrix, 0..matrix.outer, 0..matrix.k, l0.slot);
        }
    }

    /// These columns of B, or rows of A, and these k of a matrix from L1 into a slot of L0, from a multiple of 16 each.
    pub(crate) fn load_l0(&mut self, matrix: &Matrix, outer: Range<usize>, k: Range<usize>, slot: usize) {
        let fractals = match matrix.side {
            Side::A => self.tile.a_fractals(),
            Side::B => self.tile.b_fractals(),
        };
        let first = outer.start / FRACTAL_ROWS * k.len().div_ceil(FRACTAL_ROW_BYTES);
        self.builder.push(Instruction::Mte1Load(Mte1Load {
            side: matrix.side,
            transpose: matrix.transpose,
            dtype: matrix.dtype,
            l1_address: matrix.part(outer.clone(), k.clone()).l1 as u32,
            panel_stride: matrix.panel_stride() as u32,
            rows: outer.len() as u16,
            k: k.len() as u16,
            fractal: (slot * fractals + first) as u16,
        }));
    }

    /// These columns of B, or rows of A, and these k of a matrix from GM into L1.
    pub(crate) fn load_l1(&mut self, matrix: &Matrix, outer: Range<usize>, k: Range<usize>) {
        let part = matrix.part(outer, k);
        let base = match matrix.side {
            Side::A => base::A,
            Side::B => base::B,
        };
        let load = Mte2Load {
            gm: GmAddress { base, offset: part.offset as u64 },
            gm_stride: matrix.pitch as u32,
            layout: Layout::Nz,
            dst: LocalBuffer::L1,
            dst_address: part.l1 as u32,
            dst_stride: matrix.panel_stride() as u32,
            rows: part.rows as u16,
            len_bytes: part.row as u32,
        };
        self.copy(load, 1, 0, 0);
    }

    fn multiply(&mut self, step: &Step, tile: usize) {
        let fractals = |columns: usize, size: usize| step.part.start / FRACTAL_ROWS * columns.div_ceil(size);
        self.builder.push(Instruction::Mmad(Mmad {
            accumulate: !step.first,
            dtype_a: self.dtype_a,
            dtype_b: self.channels.dtype,
            l0a: (step.l0a * self.tile.a_fractals() + fractals(step.k, FRACTAL_ROW_BYTES)) as u16,
            l0b: (step.l0b * self.tile.b_fractals()) as u16,
            l0c: self.l0c(tile) + fractals(step.columns.len(), L0C_FRACTAL_COLUMNS) as u16,
            m: step.part.len() as u16,
            n: step.columns.len() as u16,
            k: step.k as u16,
        }));
    }

    fn l0c(&self, tile: usize) -> u16 {
        (tile % self.c_slots * self.tile.c_fractals()) as u16
    }

    /// First channel of a slot of FB.
    fn channel(&self, slot: usize) -> u16 {
        (slot * self.tile.n) as u16
    }

    /// Takes parameters of a tile's columns from GM over L1 into FB, those that there are.
    fn load_parameters(&mut self, tile: usize, slot: usize, columns: &Range<usize>, fields: &[FbField]) {
        let l1_slot = self.parameters + tile % 2 * self.channels.parameter_slot_bytes(self.tile.n);
        for &field in fields {
            let Some(array) = self.channels.parameter(field) else { continue };
            let l1_address = (l1_slot + array.l1_offset(self.tile.n)) as u32;
            let load = Mte2Load {
                gm: GmAddress {
                    base: base::PARAMETERS,
                    offset: (array.gm_offset(self.channels.n) + columns.start * array.bytes) as u64,
                },
                gm_stride: 0,
                layout: Layout::Rows,
                dst: LocalBuffer::L1,
                dst_address: l1_address,
                dst_stride: 0,
                rows: 1,
                len_bytes: (columns.len() * array.bytes) as u32,
            };
            self.copy(load, 1, 0, 0);
            let (channel, count) = (self.channel(slot), columns.len() as u16);
            self.builder.push(Instruction::Mte1LoadFb(Mte1LoadFb { field, l1_address, channel, count }));
        }
    }

    /// A tile of C to GM, in parts if a residual joins it; of all taps but the last to UB, if the largest results are kept.
    fn store(&mut self, step: &Step, tile: usize, fb_slot: usize) {
        if let Some(fold) = step.fold {
            self.builder.set(Pipe::Fix, fix::SECOND_STRIDE, fold.stride as u32);
            self.builder.set(Pipe::Fix, fix::SECOND_ADDRESS, fold.ub as u32);
        }
        let Some(mut staging) = self.staging else {
            return self.store_rows(step, tile, fb_slot, 0..step.rows);
        };
        for (rows, ub) in staging.parts(step.rows) {
            self.load_residual(step, &rows, ub, staging.stride);
            self.builder.set(Pipe::Fix, fix::SECOND_ADDRESS, ub as u32);
            self.store_rows(step, tile, fb_slot, rows);
        }
        self.staging = Some(staging);
    }

    /// These rows of a tile of the residual into UB.
    fn load_residual(&mut self, step: &Step, rows: &Range<usize>, ub: usize, stride: usize) {
        let n = self.channels.n;
        let load = Mte2Load {
            gm: GmAddress { base: base::RESIDUAL, offset: ((step.row + rows.start) * n + step.columns.start) as u64 },
            gm_stride: n as u32,
            layout: Layout::Rows,
            dst: LocalBuffer::Ub,
            dst_address: ub as u32,
            dst_stride: stride as u32,
            rows: rows.len() as u16,
            len_bytes: step.columns.len() as u32,
        };
        self.copy(load, 1, 0, 0);
    }

    /// Rows of a tile of C to GM, from a multiple of 16 on.
    fn store_rows(&mut self, step: &Step, tile: usize, fb_slot: usize, rows: Range<usize>) {
        let channels = self.channels;
        let size = channels.output.bytes();
        let fractals = rows.start / FRACTAL_ROWS * step.columns.len().div_ceil(L0C_FRACTAL_COLUMNS);
        let (dst, stride) = match (step.landing, step.fold) {
            (Some(landing), _) => (FixTarget::Ub(landing.address as u32), landing.stride),
            (None, Some(fold)) if !fold.last => (FixTarget::Ub(fold.ub as u32), fold.stride),
            _ => {
                let offset = (((step.row + rows.start) * channels.n + step.columns.start) * size) as u64;
                (FixTarget::Gm(GmAddress { base: base::C, offset }), channels.n * size)
            }
        };
        let second = match step.fold {
            Some(fold) if !fold.first => Second::Max,
            _ => channels.residual.map_or(Second::None, |residual| residual.second()),
        };
        self.builder.push(Instruction::FixStore(FixStore {
            dst,
            layout: Layout::Rows,
            dst_stride: stride as u32,
            dtype_out: channels.output.dtype(),
            bias: channels.bias.is_some(),
            per_channel: channels.scale_per_column(),
            rounding: channels.output.rounding(),
            relu: channels.relu,
            clamp: channels.clamp.is_some(),
            second,
            m: rows.len() as u16,
            n: step.columns.len() as u16,
            l0c: self.l0c(tile) + fractals as u16,
            channel: if channels.has_parameters() { self.channel(fb_slot) } else { 0 },
        }));
        if let Some(store) = step.landing.and_then(|landing| landing.store) {
            self.builder.set(Pipe::Mte3, outer::COUNT2, 1);
            self.builder.push(Instruction::Mte3Store(store));
        }
    }
}

/// Part `index` of an extent cut into parts of `size`.
pub(crate) fn part(index: usize, size: usize, extent: usize) -> Range<usize> {
    index * size..((index + 1) * size).min(extent)
}
