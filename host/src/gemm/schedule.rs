// SPDX-License-Identifier: Apache-2.0
//! A tiled product as steps in program order, and what each of them loads.

use super::{Gemm, Tiling};
use crate::emit::{Emitter, Landing, Matrix, Step, part};
use crate::error::Result;
use crate::placement::base;
use crate::residual::Staging;
use crate::slots::{Place, places};
use isa::limits::{FRACTAL_ROW_BYTES, FRACTAL_ROWS};
use isa::{Config, GmAddress, Inst, Layout, LocalBuffer, Mte3Store, ProgramBuilder, Side};
use std::ops::Range;

/// One step of k of one tile: indices of the tile.
#[derive(Clone, Debug)]
struct At {
    row: usize,
    column: usize,
    k: usize,
    /// What of the step's k is multiplied: all, but in the first step of the program.
    piece: Range<usize>,
    /// And which of its rows.
    rows: Range<usize>,
    first: bool,
    last: bool,
}

/// Elements of k of a piece of the first step.
pub(super) const FIRST_K: usize = FRACTAL_ROW_BYTES;

/// The program of `gemm`, with END. `resident`: all operands are brought to L1, which has a slot for every tile, before anything else begins.
///
/// *Errors*: [`HostError::NoTiling`](crate::HostError::NoTiling) if UB is too small for a residual.
pub(super) fn program(gemm: &Gemm, tiling: &Tiling, config: &Config, resident: bool) -> Result<Vec<Inst>> {
    let (ats, pieces) = order(gemm, tiling);
    let tile = tiling.tile();
    let a: Vec<_> = ats.iter().map(|at| (at.row, at.k)).collect();
    let b: Vec<_> = ats.iter().map(|at| (at.column, at.k)).collect();
    let a_pieces: Vec<_> = ats.iter().map(|at| (at.row, at.k, at.piece.start, at.piece.end)).collect();
    let b_pieces: Vec<_> = ats.iter().map(|at| (at.column, at.k, at.piece.start, at.piece.end)).collect();
    let columns: Vec<_> = ats.iter().filter(|at| at.last).map(|at| at.column).collect();
    let (l1_a, l1_b) = (places(&a, tiling.a_slots), places(&b, tiling.b_slots));
    let l0_a = places(&a_pieces, config.l0a_fractals() / tile.a_fractals());
    let l0_b = places(&b_pieces, config.l0b_fractals() / tile.b_fractals());
    let fb = places(&columns, config.fb_channels / tiling.n);
    let step = |(index, at): (usize, &At)| {
        let rows = part(at.row, tiling.m, gemm.m);
        Step {
            rows: rows.len(),
            part: at.rows.clone(),
            columns: part(at.column, tiling.n, gemm.n),
            k: at.piece.len(),
            first: at.first,
            last: at.last,
            row: rows.start,
            l0a: l0_a[index].slot,
            l0b: l0_b[index].slot,
            landing: landing(gemm, tiling, at, at.last && ats.get(index + 1).is_none_or(|next| next.row != at.row)),
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
        let ([a, b], at) = (operands(index), &ats[index]);
        let (rows, piece) = (at.rows.clone(), at.piece.clone());
        // The first step of the program goes in pieces, each of which brings its own part of A's rows and of B's k.
        if index >= pieces {
            emitter.load_matrix(&a, l1_a[index].load && !resident, l0_a[index]);
            emitter.load_matrix(&b, l1_b[index].load && !resident, l0_b[index]);
            return;
        }
        if !resident && piece.start == 0 {
            emitter.load_l1(&a, rows.clone(), 0..a.k);
        }
        emitter.load_l0(&a, rows.clone(), piece.clone(), l0_a[index].slot);
        if rows.start == 0 {
            if !resident {
                emitter.load_l1(&b, 0..b.outer, piece.clone());
            }
            emitter.load_l0(&b, 0..b.outer, piece, l0_b[index].slot);
        }
    });
    Ok(program)
}

/// Where a tile's results are gathered with those of the other tiles of its rows; the last of them has the rows taken to GM.
fn landing(gemm: &Gemm, tiling: &Tiling, at: &At, last: bool) -> Option<Landing> {
    if tiling.landing_bytes == 0 {
        return None;
    }
    let stride = gemm.n * gemm.output.bytes();
    let place = at.row % 2 * tiling.landing_bytes;
    let rows = part(at.row, tiling.m, gemm.m);
    let store = Mte3Store {
        gm: GmAddress { base: base::C, offset: (rows.start * stride) as u64 },
        gm_stride: 0,
        layout: Layout::Rows,
        src: LocalBuffer::Ub,
        src_address: place as u32,
        src_stride: 0,
        rows: 1,
        len_bytes: (rows.len() * stride) as u32,
    };
    let address = place + at.column * tiling.n * gemm.output.bytes();
    Some(Landing { address, stride, store: last.then_some(store) })
}

/// Tiles along n, forth in one row and back in the next, k likewise from tile to tile.
///
/// The first step is cut, so that the cube starts early: into pieces of k, and the first of them into its first rows and the others.
/// Also tells how many these are.
fn order(gemm: &Gemm, tiling: &Tiling) -> (Vec<At>, usize) {
    let (columns, panel) = (gemm.n.div_ceil(tiling.n), gemm.k.div_ceil(tiling.k));
    let (mut steps, mut pieces) = (Vec::new(), 0);
    for row in 0..gemm.m.div_ceil(tiling.m) {
        for nth in 0..columns {
            let column = if row % 2 == 0 { nth } else { columns - 1 - nth };
            for at in 0..panel {
                let k = if (row * columns + nth) % 2 == 0 { at } else { panel - 1 - at };
                let (all, rows) = (part(k, tiling.k, gemm.k).len(), part(row, tiling.m, gemm.m).len());
                let step = At { row, column, k, piece: 0..all, rows: 0..rows, first: at == 0, last: at == panel - 1 };
                if steps.is_empty() {
                    steps = first_pieces(&step);
                    pieces = steps.len();
                } else {
                    steps.push(step);
                }
            }
        }
    }
    (steps, pieces)
}

/// The pieces of the first step.
fn first_pieces(step: &At) -> Vec<At> {
    let (k, rows) = (step.piece.len(), step.rows.len());
    let mut pieces = vec![];
    for at in 0..k.div_ceil(FIRST_K) {
        let piece = part(at, FIRST_K, k);
        let last = step.last && piece.end == k;
        let all = At { piece, first: at == 0, last, ..step.clone() };
        if at == 0 && rows > FRACTAL_ROWS {
            pieces.push(At { rows: 0..FRACTAL_ROWS, last: false, ..all.clone() });
            pieces.push(At { rows: FRACTAL_ROWS..rows, ..all });
        } else {
            pieces.push(all);
        }
    }
    pieces
}
