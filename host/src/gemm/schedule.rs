// SPDX-License-Identifier: Apache-2.0
//! A tiled product as steps in program order, and what each of them loads.

use super::{Gemm, Tiling};
use crate::emit::{Emitter, Matrix, Step, part};
use crate::error::Result;
use crate::residual::Staging;
use crate::slots::{Place, places};
use isa::{Config, Inst, ProgramBuilder, Side};

/// One step of k of one tile: indices of the tile.
#[derive(Clone, Copy, Debug)]
struct At {
    row: usize,
    column: usize,
    k: usize,
    first: bool,
    last: bool,
}

/// The program of `gemm`, with END. `resident`: all operands are brought to L1, which has a slot for every tile, before anything else begins.
///
/// *Errors*: [`HostError::NoTiling`](crate::HostError::NoTiling) if UB is too small for a residual.
pub(super) fn program(gemm: &Gemm, tiling: &Tiling, config: &Config, resident: bool) -> Result<Vec<Inst>> {
    let ats = order(gemm, tiling);
    let tile = tiling.tile();
    let a: Vec<_> = ats.iter().map(|at| (at.row, at.k)).collect();
    let b: Vec<_> = ats.iter().map(|at| (at.column, at.k)).collect();
    let columns: Vec<_> = ats.iter().filter(|at| at.last).map(|at| at.column).collect();
    let (l1_a, l1_b) = (places(&a, tiling.a_slots), places(&b, tiling.b_slots));
    let l0_a = places(&a, config.l0a_fractals() / tile.a_fractals());
    let l0_b = places(&b, config.l0b_fractals() / tile.b_fractals());
    let fb = places(&columns, config.fb_channels / tiling.n);
    let step = |(index, at): (usize, &At)| {
        let rows = part(at.row, tiling.m, gemm.m);
        Step {
            rows: rows.len(),
            columns: part(at.column, tiling.n, gemm.n),
            k: part(at.k, tiling.k, gemm.k).len(),
            first: at.first,
            last: at.last,
            row: rows.start,
            l0a: l0_a[index].slot,
            l0b: l0_b[index].slot,
            landing: None,
            fold: None,
        }
    };
    let steps: Vec<Step> = ats.iter().enumerate().map(step).collect();
    let b_slots = tiling.a_slots * tiling.a_slot_bytes();
    let staging = gemm.residual.map(|_| Staging::new(&tile, config)).transpose()?;
    let emitter = Emitter {
        channels: gemm.channels(),
        dtype_a: gemm.dtype_a,
        tile,
        c_slots: tiling.c_slots,
        parameters: b_slots + tiling.b_slots * tiling.b_slot_bytes(gemm),
        staging,
        builder: ProgramBuilder::new(),
    };
    let operands = |index: usize| {
        let (at, step) = (&ats[index], &steps[index]);
        let k = part(at.k, tiling.k, gemm.k);
        let a = Matrix {
            side: Side::A,
            dtype: gemm.dtype_a,
            transpose: false,
            offset: step.row * gemm.k + k.start,
            pitch: gemm.k,
            outer: step.rows,
            k: k.len(),
            l1: l1_a[index].slot * tiling.a_slot_bytes(),
        };
        let first = step.columns.start;
        let (offset, pitch) = match gemm.transposed_b {
            true => (first * gemm.k + k.start, gemm.k),
            false => (k.start * gemm.n + first, gemm.n),
        };
        let b = Matrix {
            side: Side::B,
            dtype: gemm.dtype_b,
            transpose: !gemm.transposed_b,
            offset,
            pitch,
            outer: step.columns.len(),
            k: k.len(),
            l1: b_slots + l1_b[index].slot * tiling.b_slot_bytes(gemm),
        };
        [a, b]
    };
    let program = emitter.program(gemm.zero_point_a, &steps, &fb, |emitter, index| {
        if resident && index == 0 {
            for at in 0..ats.len() {
                let [a, b] = operands(at);
                emitter.load_matrix(&a, l1_a[at].load, Place { slot: 0, load: false });
                emitter.load_matrix(&b, l1_b[at].load, Place { slot: 0, load: false });
            }
            emitter.builder.barrier();
        }
        let [a, b] = operands(index);
        emitter.load_matrix(&a, l1_a[index].load && !resident, l0_a[index]);
        emitter.load_matrix(&b, l1_b[index].load && !resident, l0_b[index]);
    });
    Ok(program)
}

/// Tiles along n, forth in one row and back in the next, k likewise from tile to tile.
fn order(gemm: &Gemm, tiling: &Tiling) -> Vec<At> {
    let (columns, panel) = (gemm.n.div_ceil(tiling.n), gemm.k.div_ceil(tiling.k));
    let mut steps = Vec::new();
    for row in 0..gemm.m.div_ceil(tiling.m) {
        for nth in 0..columns {
            let column = if row % 2 == 0 { nth } else { columns - 1 - nth };
            for at in 0..panel {
                let k = if (row * columns + nth) % 2 == 0 { at } else { panel - 1 - at };
                steps.push(At { row, column, k, first: at == 0, last: at == panel - 1 });
            }
        }
    }
    steps
}
