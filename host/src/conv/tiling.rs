// SPDX-License-Identifier: Apache-2.0
//! How a convolution is cut, chosen by an estimate of the cycles.
//!
//! ```text
//! L1: │ window of a map │ ... │ B slot │ B slot │ ... │ 2 x parameters │      L0A, L0B, L0C, FB: as for a product
//! UB: │ landing │ landing │ batch │ batch │                                  results on their way out, lines on their way in
//! ```
//! First all channels, all taps and whole lines are tried, and lines or channels cut; only if no such window fits into L1, both, and then
//! taps.

use super::Conv;
use super::banks::{self, Chosen, Layout};
use super::maps::line_step;
use super::parts::{Block, Cut, Parts, merged_groups};
use super::schedule::{self, fold_bytes};
use crate::bus::Bus;
use crate::emit::Tile;
use crate::error::{HostError, Result};
use crate::gemm::{INSTRUCTIONS_PER_STEP, LEAST_SLOTS, MOST_INSTRUCTIONS, STEP_CYCLES, sizes};
use crate::simulated::MemorySettings;
use crate::timing;
use isa::Config;
use isa::geometry::IM2COL_BITS;
use isa::limits::{FRACTAL_BYTES, FRACTAL_ROW_BYTES, FRACTAL_ROWS, INSTRUCTION_BYTES, L0C_FRACTAL_COLUMNS};
use std::cmp::Reverse;
use std::collections::HashMap;

/// Tilings of each way to use UB whose programs are looked at.
const CANDIDATES: usize = 6;

/// Cycles of a `fix.store` before its first result and behind its last one.
const FIX_CYCLES: usize = 10;

/// Cycles from one `fix.store` to the next that reads what it wrote to UB.
const JOIN_CYCLES: usize = 40;

/// Cycles that FIX takes for M0 rows at least, however short they are: its four row buffers go round in so many quarters.
const FIX_ROWS_CYCLES: usize = 7;

/// Sizes of tiles and windows, and slots in L1 and UB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTiling {
    /// Groups that are multiplied together.
    pub groups: usize,
    /// Lines and columns of the kernel for which a window is loaded: the kernel's, if L1 is large enough.
    pub taps: [usize; 2],
    /// Channels that are loaded together: all, if L1 is large enough.
    pub channels: usize,
    /// Output columns of a strip, whose window is loaded once.
    pub columns: usize,
    /// Tiles of a strip; output lines, if it has not all columns.
    pub units: usize,
    /// Output pixels per tile, a multiple of 16.
    pub m: usize,
    /// Output channels per tile, a multiple of 16.
    pub n: usize,
    /// Elements of k per step, a multiple of 32.
    pub k: usize,
    /// Bytes from pixel to pixel in L1; packed: of a whole block.
    pub pitch: usize,
    /// Bytes from line to line in L1.
    pub line_stride: usize,
    /// Packed: every block of groups lies in a window as a map of its own, which has so many bytes, a multiple of 32. Else 0.
    pub plane_bytes: usize,
    /// Bytes of a window in L1, a multiple of 512.
    pub window_bytes: usize,
    /// Windows in L1.
    pub windows: usize,
    /// Slots of k x n in L1.
    pub b_slots: usize,
    /// Tiles of L0C in turn: 1 if the result is one tile, else 2.
    pub c_slots: usize,
    /// Bytes of each of two places in UB where the results of a tile of pixels are gathered, all their channels, before MTE3 takes them to
    /// GM; 0: FIX stores them there itself.
    pub landing_bytes: usize,
    /// Packed: bytes of each of two places in UB where lines of the map wait to be laid down in L1. Else 0.
    pub batch_bytes: usize,
    /// Reads of L1 per block of A, in hundredths.
    pub reads: u32,
    /// Cycles that the convolution takes by the estimate: the busiest of cube, bus, MTE1, MTE3 and FIX, and what cannot overlap.
    pub estimate: u64,
    /// Cycles of it in which the bus reads, by the estimate.
    pub read_words: u64,
}

/// A way to cut channels, columns and taps, before the tiles are cut.
struct Plan<'a> {
    conv: &'a Conv,
    config: &'a Config,
    bus: &'a Bus,
    parts: Parts,
    cut: Cut,
    columns: usize,
    /// Pixels of a line of a window.
    pixels: usize,
    chosen: Chosen,
    /// k of the largest slice.
    most_k: usize,
    /// Output channels of the largest block.
    most_n: usize,
}

impl ConvTiling {
    /// The tiling with the least estimate on a core of this configuration behind this memory.
    ///
    /// *Errors*: [`HostError::NoTiling`] if the buffers hold no tile.
    pub fn choose(conv: &Conv, config: &Config, memory: &MemorySettings) -> Result<ConvTiling> {
        let bus = Bus::new(config, memory);
        for level in levels(conv, config) {
            let plans = level.iter().flat_map(|(cut, columns)| Plan::all(conv, (config, &bus), *cut, *columns));
            let tilings = plans.flat_map(|plan| {
                let many = 10 * plan.steps() > 11 * conv.packed_steps(config);
                plan.tilings().into_iter().map(move |tiling| (many, tiling))
            });
            // The bus is not to be used for nothing, even where it has time. A tenth more cube steps than need be are too many, if
            // there is a choice.
            let key = |(many, tiling): &(bool, ConvTiling)| {
                (*many, tiling.estimate + tiling.read_words / 2, Reverse(tiling.m * tiling.n * tiling.k))
            };
            // MTE1 makes a block in two cycles, or in those that the cube takes for it; in three where it steps over pixels.
            let slow = |tiling: &ConvTiling| {
                let columns = tiling.n.min(tiling.groups * conv.group_cout());
                let rate = if conv.stride[1] == 1 { 2 } else { 3 };
                tiling.reads as usize > 100 * columns.div_ceil(config.n0).max(rate)
            };
            let mut tilings: Vec<_> = tilings.collect();
            tilings.sort_by_key(key);
            // The best by the rough estimate of each way to use UB are worked out instruction by instruction.
            let mut looked = HashMap::new();
            tilings.retain(|(_, tiling)| {
                let looked: &mut usize = looked.entry((tiling.landing_bytes > 0, tiling.packed())).or_default();
                *looked += 1;
                *looked <= CANDIDATES
            });
            let (mut looked, mut instructions) = (0, 0);
            for (_, tiling) in &mut tilings {
                let program = schedule::program(conv, tiling, &Parts::new(conv, &tiling.cut()), config)?;
                tiling.estimate = timing::cycles(&program, config, memory, tiling.reads);
                (looked, instructions) = (looked + 1, instructions + program.len());
                if instructions > MOST_INSTRUCTIONS {
                    break;
                }
            }
            tilings.truncate(looked);
            if let Some((_, best)) = tilings.into_iter().min_by_key(|tiling| (slow(&tiling.1), key(tiling))) {
                return Ok(best);
            }
        }
        Err(HostError::NoTiling { config: config.name.clone() })
    }

    pub(super) fn cut(&self) -> Cut {
        Cut { groups: self.groups, taps: self.taps, channels: self.channels }
    }

    /// True if windows are packed.
    pub(super) fn packed(&self) -> bool {
        self.plane_bytes > 0
    }

    /// Bytes from pixel to pixel of a slice's channels in a window of a piece with so many.
    pub(super) fn pitch_of(&self, slice_channels: usize) -> usize {
        if self.packed() { slice_channels } else { self.pitch }
    }

    pub(super) fn tile(&self) -> Tile {
        Tile { m: self.m, n: self.n, k: self.k }
    }

    /// Bytes of a tile of B in L1.
    pub(super) fn b_slot_bytes(&self) -> usize {
        self.n * self.k
    }
}

/// Channels and columns to try, the least cut ones first.
fn levels(conv: &Conv, config: &Config) -> Vec<Vec<(Cut, usize)>> {
    let groups = merged_groups(conv, config);
    let out_w = conv.out()[1];
    let block = groups * conv.group_cin();
    let mut narrow: Vec<usize> =
        [2, 3, 4, 8, 16].iter().map(|parts| out_w.div_ceil(*parts).next_multiple_of(16)).collect();
    narrow.extend([64, 32, 16, config.m0, 1]);
    narrow.retain(|&columns| columns < out_w && columns <= usize::from(u16::MAX));
    narrow.sort_unstable_by_key(|&columns| Reverse(columns));
    narrow.dedup();
    // Whole blocks, or parts of one that fill blocks of the cube.
    let mut few: Vec<usize> =
        [2, 4, 8, 16, 32].iter().map(|parts| (conv.cin / parts).next_multiple_of(block)).collect();
    few.extend([2, 3, 4, 6, 8].iter().map(|parts| block.div_ceil(*parts).next_multiple_of(FRACTAL_ROW_BYTES)));
    few.extend([block, 32, 16, 8, 4, 1]);
    few.retain(|&channels| (1..conv.cin).contains(&channels) && (channels <= block || channels.is_multiple_of(block)));
    // Where every tap has a result of its own, its channels come from one piece.
    few.retain(|&channels| conv.results() == 1 || channels >= block);
    few.sort_unstable_by_key(|&channels| Reverse(channels));
    few.dedup();
    let cut = |taps, channels| Cut { groups, taps, channels };
    let [kh, kw] = conv.kernel;
    let mut levels = vec![vec![]];
    if out_w <= usize::from(u16::MAX) {
        levels[0].push((cut([kh, kw], conv.cin), out_w));
        levels[0].extend(few.iter().map(|&channels| (cut([kh, kw], channels), out_w)));
    }
    levels[0].extend(narrow.iter().map(|&columns| (cut([kh, kw], conv.cin), columns)));
    let columns = if narrow.is_empty() { vec![out_w] } else { narrow };
    for taps in [[kh, kw], [1, kw], [1, 1]] {
        let all: Vec<usize> = std::iter::once(conv.cin).chain(few.iter().copied()).collect();
        let pairs = all.iter().flat_map(|&channels| columns.iter().map(move |&columns| (cut(taps, channels), columns)));
        levels.push(pairs.collect());
    }
    levels
}

impl Plan<'_> {
    /// A cut with every layout that is worth a try.
    fn all<'a>(conv: &'a Conv, (config, bus): (&'a Config, &'a Bus), cut: Cut, columns: usize) -> Vec<Plan<'a>> {
        let parts = Parts::new(conv, &cut);
        let whole = columns == conv.out()[1] && cut.taps[1] == conv.kernel[1];
        let reach = (columns - 1) * conv.stride[1] + (cut.taps[1] - 1) * conv.dilation[1] + 1;
        let pixels = if whole { conv.w } else { conv.w.min(reach) };
        let slices = || parts.blocks.iter().flat_map(|block| &block.slices);
        let most_k = slices().map(|slice| slice.k).max().unwrap_or(0);
        let most_n = parts.blocks.iter().map(|block| block.outputs.len()).max().unwrap_or(0);
        let chosen = banks::layouts(conv, &parts, (config, bus), columns, pixels);
        let plan =
            |chosen| Plan { conv, config, bus, parts: parts.clone(), cut, columns, pixels, chosen, most_k, most_n };
        chosen.into_iter().map(plan).filter(Plan::is_encodable).collect()
    }

    /// True if copies and geometry fit their fields.
    fn is_encodable(&self) -> bool {
        let (conv, Layout { pitch, line_stride, packed }) = (self.conv, self.chosen.layout);
        let pad = conv.pads[1].max(conv.pads[3]) * pitch;
        let step_x = conv.stride[1] * pitch;
        let furthest = self.pixels * pitch + pad + conv.kernel[1] * conv.dilation[1] * pitch + step_x * self.columns;
        let widest = self.parts.pieces.iter().map(|piece| piece.channels.len()).max().unwrap_or(0);
        let whole_pixels = widest == conv.cin && pitch == widest;
        let blocks = widest.div_ceil(self.parts.blocks[0].slices[0].channels.len());
        (whole_pixels || self.pixels <= usize::from(u16::MAX))
            && (!packed || blocks <= usize::from(u16::MAX))
            && line_stride < 1 << 24
            && pad <= 1 << 23
            && step_x < 1 << 24
            && conv.dilation[1] * pitch < 1 << 24
            && furthest < 1 << (IM2COL_BITS - 1)
            && widest * conv.kernel[1] <= usize::from(u16::MAX)
    }

    /// Every tiling worth a look.
    fn tilings(&self) -> Vec<ConvTiling> {
        let (conv, config) = (self.conv, self.config);
        let [out_h, out_w] = conv.out();
        let rows = if self.columns == out_w { out_h * out_w } else { self.columns };
        let mut tilings = Vec::new();
        for m in sizes(rows, FRACTAL_ROWS) {
            for n in sizes(self.most_n, L0C_FRACTAL_COLUMNS) {
                for k in sizes(self.most_k, FRACTAL_ROW_BYTES) {
                    let tile = Tile { m, n, k };
                    let c_slots = if self.row_tiles(m) * self.column_tiles(n) == 1 { 1 } else { 2 };
                    let fits = tile.a_fractals() * LEAST_SLOTS <= config.l0a_fractals()
                        && tile.b_fractals() * LEAST_SLOTS <= config.l0b_fractals()
                        && tile.c_fractals() * c_slots <= config.l0c_fractals()
                        && n <= config.fb_channels
                        && (conv.results() == 1 || fold_bytes(m, n) <= config.ub_bytes);
                    if fits {
                        for (landing_bytes, batch_bytes) in self.ub_choices(m) {
                            tilings.extend(self.with_slots(tile, c_slots, landing_bytes, batch_bytes));
                        }
                    }
                }
            }
        }
        tilings
    }

    /// Every way to use UB with tiles of m pixels: bytes of a landing and of a batch.
    fn ub_choices(&self, m: usize) -> Vec<(usize, usize)> {
        // A residual has all of UB, and so have results that are kept from tap to tap.
        let own = self.conv.residual.is_some() || self.conv.results() > 1;
        let ub_bytes = if own { 0 } else { self.config.ub_bytes };
        let size = self.conv.output.bytes();
        let widest = self.parts.pieces.iter().map(|piece| piece.channels.len()).max().unwrap_or(0);
        let channels = (0..self.parts.sections.len()).map(|section| self.parts.outputs_of(section).len()).max();
        let landing = (m * channels.unwrap_or(0) * size).next_multiple_of(FRACTAL_ROW_BYTES);
        let choice = |landing: usize| {
            let room = ub_bytes.checked_sub(2 * landing)? / 2 / FRACTAL_ROW_BYTES * FRACTAL_ROW_BYTES;
            match self.chosen.layout.packed {
                false => Some((landing, 0)),
                true => (self.pixels * widest <= room).then_some((landing, room)),
            }
        };
        let mut choices: Vec<_> = choice(0).into_iter().collect();
        if ub_bytes > 0 {
            choices.extend(choice(landing));
        }
        choices
    }

    /// Every way to give L1 to tiles of this size that is worth a look.
    fn with_slots(&self, tile: Tile, c_slots: usize, landing_bytes: usize, batch_bytes: usize) -> Vec<ConvTiling> {
        let Tile { m, n, k } = tile;
        let b = n * k;
        let (tiles, panel) = (self.b_tiles(&tile), self.panel(k));
        let room = self.config.l1_bytes.saturating_sub(2 * self.conv.channels().parameter_slot_bytes(n));
        let mut b_choices =
            vec![LEAST_SLOTS, panel + 1, tiles].into_iter().map(|slots| slots.min(tiles)).collect::<Vec<_>>();
        b_choices.sort_unstable();
        b_choices.dedup();
        let pieces = self.parts.pieces.len();
        let mut tilings: Vec<ConvTiling> = Vec::new();
        for b_slots in b_choices {
            let Some(room) = room.checked_sub(b_slots * b) else { continue };
            for windows in [1, 2, pieces, pieces + 1, pieces * self.conv.n] {
                let Some(units) = self.most_units(m, room / windows) else { continue };
                let window_bytes = self.window_bytes(m, units);
                let windows = windows.min(pieces * self.strips(m, units));
                let tiling = ConvTiling {
                    groups: self.cut.groups,
                    taps: self.cut.taps,
                    channels: self.cut.channels,
                    columns: self.columns,
                    units,
                    m,
                    n,
                    k,
                    pitch: self.chosen.layout.pitch,
                    line_stride: self.chosen.layout.line_stride,
                    plane_bytes: if self.chosen.layout.packed { self.plane_bytes(m, units) } else { 0 },
                    window_bytes,
                    windows,
                    b_slots,
                    c_slots,
                    landing_bytes,
                    batch_bytes,
                    reads: (100.0 * self.chosen.reads.max(1.0)) as u32,
                    estimate: 0,
                    read_words: 0,
                };
                let (estimate, read_words) = self.cycles(&tiling);
                tilings.push(ConvTiling { estimate, read_words, ..tiling });
            }
        }
        tilings
    }

    /// Units of an image: tiles of m pixels, or lines.
    fn units(&self, m: usize) -> usize {
        let [out_h, out_w] = self.conv.out();
        if self.columns == out_w { (out_h * out_w).div_ceil(m) } else { out_h }
    }

    /// As many units per strip as a window of so many bytes allows, evenly cut.
    fn most_units(&self, m: usize, bytes: usize) -> Option<usize> {
        let all = self.units(m);
        let mut units = all;
        let fits = |units| self.window_bytes(m, units) <= bytes && self.window_lines(m, units) <= usize::from(u16::MAX);
        while !fits(units) {
            if units == 1 {
                return None;
            }
            let strips = all.div_ceil(units);
            units = all.div_ceil(strips + 1).min(units - 1);
        }
        Some(units)
    }

    /// Bytes of the largest window of strips with so many units.
    fn window_bytes(&self, m: usize, units: usize) -> usize {
        let bytes = match self.chosen.layout.packed {
            false => self.window_lines(m, units) * self.chosen.layout.line_stride,
            true => {
                let blocks = self.parts.sections.iter().map(|blocks| blocks.len()).max().unwrap_or(0);
                blocks * self.plane_bytes(m, units)
            }
        };
        bytes.next_multiple_of(FRACTAL_BYTES).max(FRACTAL_BYTES)
    }

    /// Bytes of a block's map in a packed window.
    fn plane_bytes(&self, m: usize, units: usize) -> usize {
        (self.window_lines(m, units) * self.chosen.layout.line_stride)
            .next_multiple_of(FRACTAL_ROW_BYTES)
            .max(FRACTAL_ROW_BYTES)
    }

    fn window_lines(&self, m: usize, units: usize) -> usize {
        let conv = self.conv;
        let [out_h, out_w] = conv.out();
        let lines = if self.columns == out_w { ((units * m - 1).div_ceil(out_w) + 1).min(out_h) } else { units };
        let most = |taps: usize| {
            let step = line_step(conv, taps);
            let reach = (lines - 1) * conv.stride[0] + (taps - 1) * conv.dilation[0] + 1;
            reach.div_ceil(step).min(conv.h.div_ceil(step))
        };
        self.parts.pieces.iter().map(|piece| most(piece.taps[0].len())).max().unwrap_or(0)
    }

    fn strips(&self, m: usize, units: usize) -> usize {
        self.conv.n * self.units(m).div_ceil(units) * self.conv.out()[1].div_ceil(self.columns)
    }

    /// Tiles of m pixels.
    fn row_tiles(&self, m: usize) -> usize {
        let [out_h, out_w] = self.conv.out();
        if self.columns == out_w {
            return self.conv.n * (out_h * out_w).div_ceil(m);
        }
        self.conv.n * out_h * self.segments(m)
    }

    /// Parts of an output line of at most `size` pixels, none of them over the end of a strip.
    fn segments(&self, size: usize) -> usize {
        let out_w = self.conv.out()[1];
        out_w / self.columns * self.columns.div_ceil(size) + (out_w % self.columns).div_ceil(size)
    }

    /// Blocks of M0 rows.
    fn row_blocks(&self) -> usize {
        let [out_h, out_w] = self.conv.out();
        let m0 = self.config.m0;
        let blocks = if self.columns == out_w { (out_h * out_w).div_ceil(m0) } else { out_h * self.segments(m0) };
        self.conv.n * blocks
    }

    /// Cube steps of it all.
    fn steps(&self) -> u64 {
        (self.row_blocks() * self.parts.column_steps(self.config)) as u64
    }

    fn column_tiles(&self, n: usize) -> usize {
        self.parts.blocks.iter().map(|block| block.outputs.len().div_ceil(n)).sum()
    }

    /// Steps of k of a tile, at most.
    fn panel(&self, k: usize) -> usize {
        self.parts.blocks.iter().map(|block| self.k_steps(block, k)).max().unwrap_or(0)
    }

    /// Tiles of B.
    fn b_tiles(&self, tile: &Tile) -> usize {
        let tiles = |block: &Block| block.outputs.len().div_ceil(tile.n) * self.k_steps(block, tile.k);
        self.parts.blocks.iter().map(tiles).sum()
    }

    /// Steps of k of a block.
    fn k_steps(&self, block: &Block, k: usize) -> usize {
        block.slices.iter().map(|slice| self.conv.k_steps(slice, k).count()).sum()
    }

    /// Estimated cycles, and those in which the bus reads. What counts is that better tilings get lower numbers.
    fn cycles(&self, tiling: &ConvTiling) -> (u64, u64) {
        let (conv, config, bus) = (self.conv, self.config, self.bus);
        let tile = tiling.tile();
        let (m, n, k) = (tiling.m, tiling.n.min(self.most_n), tiling.k.min(self.most_k));
        let rows = self.row_tiles(m);
        let (b_tiles, panel) = (self.b_tiles(&tile), self.panel(tiling.k));
        let steps = rows * b_tiles;
        let column_tiles = self.most_n.div_ceil(tiling.n);
        let cube = self.row_blocks() * self.parts.column_steps(config);
        let multiply = cube.max(steps * STEP_CYCLES) + steps;
        // A tile of A that L0A cannot keep is made again for every tile of columns.
        let passes = if config.l0a_fractals() / tile.a_fractals() > panel { 1 } else { column_tiles };
        let a_blocks: usize =
            self.parts.blocks.iter().flat_map(|block| &block.slices).map(|slice| slice.k.div_ceil(config.k0)).sum();
        let a_reads = (self.row_blocks() * a_blocks * passes) as f64 * self.chosen.reads.max(1.0);
        let b_blocks = n.div_ceil(config.n0) * k.div_ceil(config.k0);
        let b_fills = if config.l0b_fractals() / tile.b_fractals() > b_tiles { b_tiles } else { steps };
        let mte1 = a_reads as usize + b_fills * b_blocks;
        // Windows: once per strip, or, if there are too few for the pieces of a section, the lines of a tile again and again.
        let pieces = self.parts.pieces.len();
        let strips = self.strips(m, tiling.units);
        let section = pieces / self.parts.sections.len();
        let lines = if tiling.windows >= section {
            strips * pieces * self.window_lines(m, tiling.units)
        } else {
            let lines = if self.columns == conv.out()[1] { self.window_lines(m, 1) } else { conv.kernel[0] };
            let again = section - tiling.windows.saturating_sub(1).min(section - 1);
            rows * column_tiles * self.parts.sections.len() * again * lines
        };
        let b_words = bus.copy(n, k, self.most_k);
        let kept = (tiling.b_slots - 1).min(b_tiles);
        let b_loads = if tiling.b_slots >= b_tiles { b_tiles } else { steps - (rows - 1) * kept };
        let fetch = bus.words(steps * INSTRUCTIONS_PER_STEP * INSTRUCTION_BYTES / config.bus_bytes);
        let read = lines * self.chosen.line_cycles + b_loads * b_words + fetch;
        let size = conv.output.bytes();
        let lanes = config.fix_lanes.min((config.bus_bytes / size).max(1));
        let (mut write, mut fix, mut mte3) = (0, 0, lines * self.chosen.move_cycles);
        for block in &self.parts.blocks {
            for first in (0..block.outputs.len()).step_by(tiling.n) {
                let columns = tiling.n.min(block.outputs.len() - first);
                let row = (columns * size).div_ceil(config.bus_bytes);
                let short = self.row_blocks() * FIX_ROWS_CYCLES;
                let stored = (conv.pixels() * columns).div_ceil(lanes).max(conv.pixels() * row).max(short);
                // A second tensor is joined row by row, and its rows wait until those before them are in UB.
                let joined = (conv.pixels() * columns).div_ceil(lanes.div_ceil(config.m0)) + rows * JOIN_CYCLES;
                let joins = conv.results() - 1 + usize::from(conv.residual.is_some());
                fix += stored + rows * FIX_CYCLES + joins * joined;
                if tiling.landing_bytes == 0 {
                    write += bus.copy(conv.pixels(), columns * size, conv.cout * size);
                }
            }
        }
        if tiling.landing_bytes > 0 {
            for section in 0..self.parts.sections.len() {
                let row = self.parts.outputs_of(section).len() * size;
                let whole = row == conv.cout * size;
                let words = if whole { rows * bus.copy(1, m * row, 1) } else { bus.copy(conv.pixels(), row, 1) };
                write += words;
                mte3 += words;
            }
        }
        let busiest = [multiply, mte1, bus.both(read, write), fix, mte3].into_iter().fold(0, usize::max);
        // The first block can start when its own channels are laid down.
        let blocks = self.parts.blocks.len() / self.parts.sections.len();
        let first = self.chosen.line_cycles + self.chosen.move_cycles / blocks.max(1);
        let start = self.window_lines(m, 1) * first + b_words;
        // With a single window nothing is loaded while the last tile of a strip is worked on.
        let alone = if tiling.windows == 1 { (strips * pieces - 1) * start } else { 0 };
        let end = (m * n).div_ceil(lanes) + tiling.landing_bytes / config.bus_bytes;
        ((busiest + start + alone + end) as u64, read as u64)
    }
}
