// SPDX-License-Identifier: Apache-2.0
//! A tiled convolution as steps in program order, and what each of them loads.
//!
//! Order: strips; in them sections of blocks; in them tiles of pixels; in them tiles of output channels, forth and back; in them k, forth
//! and back. The lines of a window are loaded when a tile needs them, those of the next tile right behind: so the first tile starts early,
//! and every line of a window is read once.

use super::banks::is_run;
use super::maps::{Strip, Window, strips};
use super::parts::{Parts, Piece, Slice};
use super::ub::{Batch, landings, lay_down};
use super::{Conv, ConvTiling};
use crate::emit::{Emitter, Fold, Matrix, Step, part};
use crate::error::Result;
use crate::placement::base;
use crate::residual::Staging;
use crate::slots::{Place, places};
use isa::second::SECOND_ALIGN;
use isa::state::mte1;
use isa::{
    Config, GmAddress, Inst, Instruction, Layout, LocalBuffer, Mte1Im2col, Mte2Load, Pipe, ProgramBuilder, Side,
};
use std::ops::Range;

/// One step of k of one tile, by indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) strip: usize,
    /// Tile of the strip.
    pub(super) tile: usize,
    pub(super) block: usize,
    /// Tile of the block's outputs.
    pub(super) column: usize,
    pub(super) slice: usize,
    /// First element of the slice's k, and how many.
    pub(super) k: usize,
    pub(super) k_len: usize,
    /// First and last step of a sum.
    pub(super) first: bool,
    pub(super) last: bool,
    /// The sum's number in the tile: the tap, if every tap has one.
    pub(super) sum: usize,
}

impl At {
    fn k(&self) -> Range<usize> {
        self.k..self.k + self.k_len
    }
}

/// The program of `conv`, with END.
///
/// *Errors*: [`HostError::NoTiling`](crate::HostError::NoTiling) if UB is too small for a residual.
pub(super) fn program(conv: &Conv, tiling: &ConvTiling, parts: &Parts, config: &Config) -> Result<Vec<Inst>> {
    let strips = strips(conv, tiling.columns, tiling.units, tiling.m);
    let ats = order(conv, tiling, parts, &strips);
    let tile = tiling.tile();
    let stride = fold_stride(tiling.n);
    let slice = |at: &At| &parts.blocks[at.block].slices[at.slice];
    let windows: Vec<_> = ats.iter().map(|at| (at.strip, slice(at).piece)).collect();
    let a: Vec<_> = ats.iter().map(|at| (at.strip, at.tile, at.block, at.slice, at.k)).collect();
    let b: Vec<_> = ats.iter().map(|at| (at.block, at.column, at.slice, at.k)).collect();
    let columns: Vec<_> = ats.iter().filter(|at| at.last).map(|at| (at.block, at.column)).collect();
    let (windows, l1_b) = (places(&windows, tiling.windows), places(&b, tiling.b_slots));
    let l0_a = places(&a, config.l0a_fractals() / tile.a_fractals());
    let l0_b = places(&b, config.l0b_fractals() / tile.b_fractals());
    let fb = places(&columns, config.fb_channels / tiling.n);
    let landings = landings(conv, tiling, parts, &ats, |at| {
        let pixels = &strips[at.strip].tiles[at.tile];
        pixels.first..pixels.first + pixels.rows
    });
    let mut tiles = 0;
    let step = |(index, at): (usize, &At)| {
        let (block, pixels) = (&parts.blocks[at.block], &strips[at.strip].tiles[at.tile]);
        let columns = part(at.column, tiling.n, block.outputs.len());
        let place = tiles % FOLDS;
        tiles += usize::from(at.last && at.sum + 1 == conv.results());
        Step {
            rows: pixels.rows,
            part: 0..pixels.rows,
            columns: block.outputs.start + columns.start..block.outputs.start + columns.end,
            k: at.k_len,
            first: at.first,
            last: at.last,
            row: pixels.first,
            l0a: l0_a[index].slot,
            l0b: l0_b[index].slot,
            landing: landings[index],
            fold: (conv.results() > 1).then(|| Fold {
                ub: place * tiling.m * stride,
                stride,
                first: at.sum == 0,
                last: at.sum + 1 == conv.results(),
            }),
        }
    };
    let steps: Vec<Step> = ats.iter().enumerate().map(step).collect();
    let b_slots = tiling.windows * tiling.window_bytes;
    let staging = conv.residual.map(|_| Staging::new(&tile, config)).transpose()?;
    let emitter = Emitter {
        channels: conv.channels(),
        dtype_a: conv.dtype_x,
        tile,
        c_slots: tiling.c_slots,
        parameters: b_slots + tiling.b_slots * tiling.b_slot_bytes(),
        staging,
        builder: ProgramBuilder::new(),
    };
    let mut maps = Maps { conv, tiling, parts, strips: &strips, loaded: vec![0..0; tiling.windows], batches: 0 };
    let program = emitter.program(conv.zero_point_x, &steps, &fb, |emitter, index| {
        let (at, step) = (&ats[index], &steps[index]);
        let (block, slice) = (&parts.blocks[at.block], slice(at));
        let k = at.k();
        maps.load(emitter, at, slice, windows[index]);
        if l0_a[index].load {
            maps.im2col(emitter, at, slice, &k, windows[index].slot, l0_a[index].slot);
        }
        let matrix = Matrix {
            side: Side::B,
            dtype: conv.dtype_w,
            transpose: false,
            offset: slice.offset + (step.columns.start - block.outputs.start) * slice.k + k.start,
            pitch: slice.k,
            outer: step.columns.len(),
            k: k.len(),
            l1: b_slots + l1_b[index].slot * tiling.b_slot_bytes(),
        };
        emitter.load_matrix(&matrix, l1_b[index].load, l0_b[index]);
        maps.load_ahead(emitter, at, slice, windows[index].slot);
    });
    Ok(program)
}

/// Tiles of which the largest results are kept in UB, in turn.
const FOLDS: usize = 2;

/// Bytes from row to row of such a tile.
fn fold_stride(n: usize) -> usize {
    n.next_multiple_of(SECOND_ALIGN as usize)
}

/// Bytes of UB for such tiles.
pub(super) fn fold_bytes(m: usize, n: usize) -> usize {
    FOLDS * m * fold_stride(n)
}

fn order(conv: &Conv, tiling: &ConvTiling, parts: &Parts, strips: &[Strip]) -> Vec<At> {
    let mut ats: Vec<At> = Vec::new();
    let (mut rows, mut tiles) = (0, 0);
    for (strip, pixels) in strips.iter().enumerate() {
        for blocks in &parts.sections {
            let column = |block: usize| {
                (0..parts.blocks[block].outputs.len().div_ceil(tiling.n)).map(move |column| (block, column))
            };
            let columns: Vec<(usize, usize)> = blocks.clone().flat_map(column).collect();
            for tile in 0..pixels.tiles.len() {
                for nth in 0..columns.len() {
                    let (block, column) = columns[if rows % 2 == 0 { nth } else { columns.len() - 1 - nth }];
                    let slices = parts.blocks[block].slices.iter().enumerate();
                    let mut ks: Vec<(usize, Range<usize>)> = slices
                        .flat_map(|(index, slice)| conv.k_steps(slice, tiling.k).map(move |k| (index, k)))
                        .collect();
                    if tiles % 2 == 1 {
                        ks.reverse();
                    }
                    let steps = ks.len() / conv.results();
                    let at = |(index, (slice, k)): (usize, (usize, Range<usize>))| At {
                        strip,
                        tile,
                        block,
                        column,
                        slice,
                        k: k.start,
                        k_len: k.len(),
                        first: index % steps == 0,
                        last: index % steps == steps - 1,
                        sum: index / steps,
                    };
                    ats.extend(ks.into_iter().enumerate().map(at));
                    tiles += 1;
                }
                rows += 1;
            }
        }
    }
    ats
}

/// The windows in L1, and what MTE1 makes of them.
struct Maps<'a> {
    conv: &'a Conv,
    tiling: &'a ConvTiling,
    parts: &'a Parts,
    strips: &'a [Strip],
    /// Lines that each slot holds of its window.
    loaded: Vec<Range<usize>>,
    /// Batches that went through UB.
    batches: usize,
}

impl<'a> Maps<'a> {
    fn piece(&self, slice: &Slice) -> &'a Piece {
        &self.parts.pieces[slice.piece]
    }

    /// Loads what a tile needs of its window and the slot lacks.
    fn load(&mut self, emitter: &mut Emitter, at: &At, slice: &Slice, place: Place) {
        if place.load {
            self.loaded[place.slot] = 0..0;
        }
        self.load_lines(emitter, at.strip, at.tile, slice, place.slot);
    }

    /// Loads what the next tile of the strip will need besides, if the window will still be there.
    fn load_ahead(&mut self, emitter: &mut Emitter, at: &At, slice: &Slice, slot: usize) {
        let stays = self.tiling.windows >= self.parts.blocks[at.block].slices.len();
        if stays && at.tile + 1 < self.strips[at.strip].tiles.len() {
            self.load_lines(emitter, at.strip, at.tile + 1, slice, slot);
        }
    }

    fn load_lines(&mut self, emitter: &mut Emitter, strip: usize, tile: usize, slice: &Slice, slot: usize) {
        let (conv, strip, piece) = (self.conv, &self.strips[strip], self.piece(slice));
        let window = Window::of(conv, strip, piece);
        let needed = window.lines_of(conv, strip, piece, &strip.tiles[tile]);
        let held = self.loaded[slot].clone();
        // Tiles go down the window, so what is missing lies below what is there.
        let lines = if held.is_empty() { needed } else { held.end.max(needed.start)..needed.end };
        if lines.is_empty() {
            return;
        }
        if !self.tiling.packed() {
            let l1 = slot * self.tiling.window_bytes + lines.start * self.tiling.line_stride;
            self.copy(emitter, strip, piece, &window, &lines, (LocalBuffer::L1, l1));
        } else {
            self.copy_packed(emitter, strip, piece, &window, &lines, slot);
        }
        self.loaded[slot] = if held.is_empty() { lines } else { held.start..lines.end };
    }

    /// Copies lines of a window into its slot by way of UB, so that every block's channels are a map of their own.
    fn copy_packed(
        &mut self,
        emitter: &mut Emitter,
        strip: &Strip,
        piece: &Piece,
        window: &Window,
        lines: &Range<usize>,
        slot: usize,
    ) {
        let tiling = self.tiling;
        let (pixels, channels) = (window.x.len(), piece.channels.len());
        let most = tiling.batch_bytes / (pixels * channels);
        for start in lines.clone().step_by(most) {
            let lines = start..(start + most).min(lines.end);
            let ub = 2 * tiling.landing_bytes + self.batches % 2 * tiling.batch_bytes;
            self.batches += 1;
            self.copy(emitter, strip, piece, window, &lines, (LocalBuffer::Ub, ub));
            let l1 = slot * tiling.window_bytes + lines.start * tiling.line_stride;
            let batch = Batch { ub, lines: lines.len(), pixels, channels, l1 };
            lay_down(emitter, tiling, &batch, tiling.groups * self.conv.group_cin());
        }
    }

    /// Copies lines of a window, with its layout to L1 or dense to UB.
    fn copy(
        &self,
        emitter: &mut Emitter,
        strip: &Strip,
        piece: &Piece,
        window: &Window,
        lines: &Range<usize>,
        (dst, dst_address): (LocalBuffer, usize),
    ) {
        let conv = self.conv;
        let (pixels, channels) = (window.x.len(), piece.channels.len());
        let (pitch, line_stride) = match dst {
            LocalBuffer::L1 => (self.tiling.pitch, self.tiling.line_stride),
            LocalBuffer::Ub => (channels, pixels * channels),
        };
        let first =
            ((strip.image * conv.h + window.y + lines.start * window.step) * conv.w + window.x.start) * conv.cin;
        let line = window.step * conv.w * conv.cin;
        let load = Mte2Load {
            gm: GmAddress { base: base::A, offset: (first + piece.channels.start) as u64 },
            gm_stride: line as u32,
            layout: Layout::Rows,
            dst,
            dst_address: dst_address as u32,
            dst_stride: line_stride as u32,
            rows: lines.len() as u16,
            len_bytes: (pixels * channels) as u32,
        };
        if channels == conv.cin && pitch == channels {
            return emitter.copy(load, 1, 0, 0);
        }
        let by_pixel = Mte2Load {
            gm_stride: conv.cin as u32,
            dst_stride: pitch as u32,
            rows: pixels as u16,
            len_bytes: channels as u32,
            ..load
        };
        let all = pixels * lines.len();
        if line == pixels * conv.cin && line_stride == pixels * pitch && all <= usize::from(u16::MAX) {
            return emitter.copy(Mte2Load { rows: all as u16, ..by_pixel }, 1, 0, 0);
        }
        emitter.copy(by_pixel, lines.len(), line, line_stride);
    }

    /// Makes a tile of A.
    fn im2col(&self, emitter: &mut Emitter, at: &At, slice: &Slice, k: &Range<usize>, window_slot: usize, slot: usize) {
        let (conv, strip, piece) = (self.conv, &self.strips[at.strip], self.piece(slice));
        let window = Window::of(conv, strip, piece);
        let (pixels, tiling) = (&strip.tiles[at.tile], self.tiling);
        let channels = slice.channels.len();
        let taps_x = piece.taps[1].len();
        let pitch = tiling.pitch_of(channels);
        // A kernel line is one run of bytes if all that lies between its taps is part of it.
        let run = (tiling.packed() || channels == piece.channels.len()) && is_run(conv, channels, taps_x, pitch);
        let (taps_x, tap_bytes) = if run { (1, taps_x * channels) } else { (taps_x, channels) };
        let origin = [window.origin[0], window.origin[1] * pitch as isize];
        for (register, value) in [
            (mte1::MAP_HEIGHT, window.lines),
            (mte1::MAP_WIDTH, window.x.len() * pitch),
            (mte1::LINE_STRIDE, tiling.line_stride),
            (mte1::OUT_WIDTH, strip.columns),
            (mte1::STEP_Y, conv.stride[0] / window.step),
            (mte1::STEP_X, conv.stride[1] * pitch),
            (mte1::TAPS_X, taps_x),
            (mte1::TAP_BYTES, tap_bytes),
            (mte1::TAP_STEP_Y, conv.dilation[0] / window.step),
            (mte1::TAP_STEP_X, conv.dilation[1] * pitch),
            (mte1::ORIGIN_Y, origin[0] as usize),
            (mte1::ORIGIN_X, origin[1] as usize),
        ] {
            emitter.builder.set(Pipe::Mte1, register, value as u32);
        }
        let tap = k.start / tap_bytes;
        let channel = slice.channels.start - piece.channels.start;
        let place = match tiling.packed() {
            true => channel / (tiling.groups * conv.group_cin()) * tiling.plane_bytes,
            false => channel,
        };
        let l1_address = window_slot * tiling.window_bytes + place;
        emitter.builder.push(Instruction::Mte1Im2col(Mte1Im2col {
            dtype: conv.dtype_x,
            l1_address: l1_address as u32,
            out_y: pixels.y as u16,
            out_x: pixels.x as u16,
            rows: pixels.rows as u16,
            k: k.len() as u16,
            fractal: (slot * tiling.tile().a_fractals()) as u16,
            tap_y: (tap / taps_x) as u8,
            tap_x: (tap % taps_x) as u8,
            tap_byte: (k.start % tap_bytes) as u16,
        }));
    }
}
