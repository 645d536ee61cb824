// SPDX-License-Identifier: Apache-2.0
//! A tiled product as instructions in program order; the builder adds the flags, and so the overlap of the pipes.
//!
//! ```text
//! per tile of C, per step of k:   MTE2: A and B tiles that L1 lacks ─► MTE1: those that L0 lacks ─► M: one mmad
//! after the last step:            parameters of the columns that FB lacks ─► FIX: the tile to GM
//! ```
//! MTE2 runs ahead of the others as far as slots and queues reach, and the cube works on one tile while FIX empties the other.

use super::slots::{Place, places};
use super::{Gemm, Output, Tiling};
use isa::limits::{FRACTAL_ROW_BYTES, FRACTAL_ROWS, L0C_FRACTAL_COLUMNS};
use isa::state::{fix, mte1};
use isa::{
    Config, FbField, FixStore, FixTarget, GmAddress, Inst, Instruction, Layout, LocalBuffer, Mmad, Mte1Load,
    Mte1LoadFb, Mte2Load, Pipe, ProgramBuilder, Rounding, Side,
};
use std::ops::Range;

/// Base registers of the operands.
pub(super) mod base {
    pub(crate) const A: u8 = 0;
    pub(crate) const B: u8 = 1;
    pub(crate) const C: u8 = 2;
    /// Bias int32, scale fp32, zero point s16, one array of n each, at multiples of 64 bytes.
    pub(crate) const PARAMETERS: u8 = 3;
}

/// One step of k of one tile: indices of the tile.
#[derive(Clone, Copy, Debug)]
struct Step {
    row: usize,
    column: usize,
    k: usize,
    first: bool,
    last: bool,
}

/// Where everything of every step lies.
struct Placed {
    l1_a: Vec<Place>,
    l1_b: Vec<Place>,
    l0_a: Vec<Place>,
    l0_b: Vec<Place>,
    /// Per tile of C: its columns' parameters in FB.
    fb: Vec<Place>,
}

/// The program of `gemm`, with END.
pub(super) fn program(gemm: &Gemm, tiling: &Tiling, config: &Config) -> Vec<Inst> {
    let steps = steps(gemm, tiling);
    let placed = place(tiling, config, &steps);
    let mut schedule = Schedule { gemm, tiling, builder: ProgramBuilder::new() };
    schedule.registers();
    let mut tile = 0;
    for (at, step) in steps.iter().enumerate() {
        if step.first && gemm.zero_points_b.len() > 1 && placed.fb[tile].load {
            schedule.parameters(tile, placed.fb[tile].slot, step.column, &[FbField::ZeroPoint]);
        }
        if gemm.zero_points_b.len() > 1 {
            schedule.builder.set(Pipe::Mte1, mte1::ZERO_POINT_CHANNEL_B, schedule.channel(placed.fb[tile].slot).into());
        }
        schedule.load(Side::A, step, placed.l1_a[at], placed.l0_a[at]);
        schedule.load(Side::B, step, placed.l1_b[at], placed.l0_b[at]);
        schedule.multiply(step, placed.l0_a[at].slot, placed.l0_b[at].slot, tile);
        if step.last {
            if placed.fb[tile].load {
                schedule.parameters(tile, placed.fb[tile].slot, step.column, &[FbField::Bias, FbField::Scale]);
            }
            schedule.store(step, tile, placed.fb[tile].slot);
            tile += 1;
        }
    }
    schedule.builder.finish()
}

/// Tiles along n, forth in one row and back in the next, k likewise from tile to tile.
fn steps(gemm: &Gemm, tiling: &Tiling) -> Vec<Step> {
    let (columns, panel) = (gemm.n.div_ceil(tiling.n), gemm.k.div_ceil(tiling.k));
    let mut steps = Vec::new();
    for row in 0..gemm.m.div_ceil(tiling.m) {
        for nth in 0..columns {
            let column = if row % 2 == 0 { nth } else { columns - 1 - nth };
            for at in 0..panel {
                let k = if (row * columns + nth) % 2 == 0 { at } else { panel - 1 - at };
                steps.push(Step { row, column, k, first: at == 0, last: at == panel - 1 });
            }
        }
    }
    steps
}

fn place(tiling: &Tiling, config: &Config, steps: &[Step]) -> Placed {
    let a: Vec<_> = steps.iter().map(|step| (step.row, step.k)).collect();
    let b: Vec<_> = steps.iter().map(|step| (step.column, step.k)).collect();
    let columns: Vec<_> = steps.iter().filter(|step| step.last).map(|step| step.column).collect();
    let l0_slots = |fractals: usize, rows: usize| fractals / tile_fractals(rows, tiling.k);
    Placed {
        l1_a: places(&a, tiling.a_slots),
        l1_b: places(&b, tiling.b_slots),
        l0_a: places(&a, l0_slots(config.l0a_fractals(), tiling.m)),
        l0_b: places(&b, l0_slots(config.l0b_fractals(), tiling.n)),
        fb: places(&columns, config.fb_channels / tiling.n),
    }
}

/// Fractals of rows x k in L0A or L0B.
fn tile_fractals(rows: usize, k: usize) -> usize {
    rows / FRACTAL_ROWS * (k / FRACTAL_ROW_BYTES)
}

struct Schedule<'a> {
    gemm: &'a Gemm,
    tiling: &'a Tiling,
    builder: ProgramBuilder,
}

impl Schedule<'_> {
    /// State registers that keep their value for the whole program.
    fn registers(&mut self) {
        let gemm = self.gemm;
        let mut set = |pipe, register, value| self.builder.set(pipe, register, value);
        set(Pipe::Mte1, mte1::ZERO_POINT_A, gemm.zero_point_a as u32);
        match gemm.zero_points_b[..] {
            [] => {}
            [zero_point] => set(Pipe::Mte1, mte1::ZERO_POINT_B, zero_point as u32),
            _ => set(Pipe::Mte1, mte1::ZERO_POINT_SOURCE, 2),
        }
        if let Output::Quantised { scales, zero_point, .. } = &gemm.output {
            if let [scale] = scales[..] {
                set(Pipe::Fix, fix::SCALE, scale.to_bits());
            }
            set(Pipe::Fix, fix::ZERO_POINT, *zero_point as u32);
        }
        if let Some((low, high)) = gemm.clamp {
            set(Pipe::Fix, fix::CLAMP_LOW, low as u32);
            set(Pipe::Fix, fix::CLAMP_HIGH, high as u32);
        }
    }

    fn rows(&self, step: &Step) -> Range<usize> {
        part(step.row, self.tiling.m, self.gemm.m)
    }

    fn columns(&self, column: usize) -> Range<usize> {
        part(column, self.tiling.n, self.gemm.n)
    }

    /// One operand of a step into L1 and into L0, where it is not there yet.
    fn load(&mut self, side: Side, step: &Step, l1: Place, l0: Place) {
        let (gemm, tiling) = (self.gemm, self.tiling);
        let k = part(step.k, tiling.k, gemm.k);
        let (outer, pitch, transpose, dtype, base, l1_address) = match side {
            Side::A => (self.rows(step), gemm.k, false, gemm.dtype_a, base::A, l1.slot * tiling.a_slot_bytes()),
            Side::B => {
                let l1_address = tiling.a_slots * tiling.a_slot_bytes() + l1.slot * tiling.b_slot_bytes(gemm);
                let pitch = if gemm.transposed_b { gemm.k } else { gemm.n };
                (self.columns(step.column), pitch, !gemm.transposed_b, gemm.dtype_b, base::B, l1_address)
            }
        };
        // What lies in GM, and so in L1: rows of k, or k rows.
        let (stored_rows, stored_columns) =
            if transpose { (k.clone(), outer.clone()) } else { (outer.clone(), k.clone()) };
        let panel_stride = (stored_rows.len().next_multiple_of(FRACTAL_ROWS) * FRACTAL_ROW_BYTES) as u32;
        if l1.load {
            self.builder.push(Instruction::Mte2Load(Mte2Load {
                gm: GmAddress { base, offset: (stored_rows.start * pitch + stored_columns.start) as u64 },
                gm_stride: pitch as u32,
                layout: Layout::Nz,
                dst: LocalBuffer::L1,
                dst_address: l1_address as u32,
                dst_stride: panel_stride,
                rows: stored_rows.len() as u16,
                len_bytes: stored_columns.len() as u32,
            }));
        }
        if l0.load {
            let outer_size = if side == Side::A { tiling.m } else { tiling.n };
            self.builder.push(Instruction::Mte1Load(Mte1Load {
                side,
                transpose,
                dtype,
                l1_address: l1_address as u32,
                panel_stride,
                rows: outer.len() as u16,
                k: k.len() as u16,
                fractal: (l0.slot * tile_fractals(outer_size, tiling.k)) as u16,
            }));
        }
    }

    fn multiply(&mut self, step: &Step, a_slot: usize, b_slot: usize, tile: usize) {
        let (gemm, tiling) = (self.gemm, self.tiling);
        self.builder.push(Instruction::Mmad(Mmad {
            accumulate: !step.first,
            dtype_a: gemm.dtype_a,
            dtype_b: gemm.dtype_b,
            l0a: (a_slot * tile_fractals(tiling.m, tiling.k)) as u16,
            l0b: (b_slot * tile_fractals(tiling.n, tiling.k)) as u16,
            l0c: self.l0c(tile),
            m: self.rows(step).len() as u16,
            n: self.columns(step.column).len() as u16,
            k: part(step.k, tiling.k, gemm.k).len() as u16,
        }));
    }

    fn l0c(&self, tile: usize) -> u16 {
        let fractals = self.tiling.m / FRACTAL_ROWS * (self.tiling.n / L0C_FRACTAL_COLUMNS);
        (tile % self.tiling.c_slots * fractals) as u16
    }

    /// First channel of a slot of FB.
    fn channel(&self, slot: usize) -> u16 {
        (slot * self.tiling.n) as u16
    }

    /// Takes parameters of a tile's columns from GM over L1 into FB, those that the product has.
    fn parameters(&mut self, tile: usize, slot: usize, column: usize, fields: &[FbField]) {
        let (gemm, tiling) = (self.gemm, self.tiling);
        let columns = self.columns(column);
        let operands = tiling.a_slots * tiling.a_slot_bytes() + tiling.b_slots * tiling.b_slot_bytes(gemm);
        let l1_slot = operands + tile % 2 * tiling.parameter_slot_bytes(gemm);
        for &field in fields {
            let Some(array) = gemm.parameter(field) else { continue };
            let l1_address = (l1_slot + array.l1_offset(tiling.n)) as u32;
            self.builder.push(Instruction::Mte2Load(Mte2Load {
                gm: GmAddress {
                    base: base::PARAMETERS,
                    offset: (array.gm_offset(gemm.n) + columns.start * array.bytes) as u64,
                },
                gm_stride: 0,
                layout: Layout::Rows,
                dst: LocalBuffer::L1,
                dst_address: l1_address,
                dst_stride: 0,
                rows: 1,
                len_bytes: (columns.len() * array.bytes) as u32,
            }));
            let (channel, count) = (self.channel(slot), columns.len() as u16);
            self.builder.push(Instruction::Mte1LoadFb(Mte1LoadFb { field, l1_address, channel, count }));
        }
    }

    fn store(&mut self, step: &Step, tile: usize, fb_slot: usize) {
        let gemm = self.gemm;
        let (rows, columns) = (self.rows(step), self.columns(step.column));
        let size = gemm.output.dtype().bytes(1) as usize;
        self.builder.push(Instruction::FixStore(FixStore {
            dst: FixTarget::Gm(GmAddress {
                base: base::C,
                offset: ((rows.start * gemm.n + columns.start) * size) as u64,
            }),
            layout: Layout::Rows,
            dst_stride: (gemm.n * size) as u32,
            dtype_out: gemm.output.dtype(),
            bias: gemm.bias.is_some(),
            per_channel: matches!(&gemm.output, Output::Quantised { scales, .. } if scales.len() > 1),
            rounding: Rounding::Onnx,
            relu: gemm.relu,
            clamp: gemm.clamp.is_some(),
            m: rows.len() as u16,
            n: columns.len() as u16,
            l0c: self.l0c(tile),
            channel: if gemm.has_parameters() { self.channel(fb_slot) } else { 0 },
        }));
    }
}

/// Part `index` of an extent cut into parts of `size`.
fn part(index: usize, size: usize, extent: usize) -> Range<usize> {
    index * size..((index + 1) * size).min(extent)
}
