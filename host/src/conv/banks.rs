// SPDX-License-Identifier: Apache-2.0
//! How fast `mte1.im2col` reads a feature map that lies in L1 with a given pitch, and which pitch is best.
//!
//! A read takes one chunk of K0 bytes from each of NB = max(M0, N0) banks; chunk c lies in bank (c + c / max(32 / K0, NB)) mod NB. A block of
//! M0 pixels x K0 bytes is read run by run of k inside a tap; a run takes as many reads as its most loaded bank has different chunks.
//!
//! Where blocks of groups are merged, a window may also lie packed: each block's channels as a map of their own, so that a kernel line is
//! one run of bytes. MTE3 lays it down so from UB, a row of one pixel's channels per cycle.

use super::{Conv, Parts};
use crate::bus::Bus;
use isa::Config;
use isa::limits::FRACTAL_ROW_BYTES;
use std::ops::Range;

/// Blocks of k that are looked at.
const MOST_BLOCKS: usize = 64;

/// How the pixels of a window lie in L1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Bytes from pixel to pixel; packed: of a whole block.
    pub(super) pitch: usize,
    /// Bytes from line to line.
    pub(super) line_stride: usize,
    /// Every block of groups is a map of its own.
    pub(super) packed: bool,
}

/// What is read: the kernel over the window, in lines, pixels and bytes.
#[derive(Clone, Copy, Debug)]
struct Walk {
    /// Output pixels of a line.
    columns: usize,
    /// Lines of the window from output line to output line, pixels from output to output.
    step: [usize; 2],
    /// Taps of a line.
    taps_x: usize,
    /// Lines and pixels from tap to tap.
    tap_step: [usize; 2],
    /// Contiguous bytes of a tap.
    tap_bytes: usize,
}

/// The layout of a piece's window, and what it costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chosen {
    pub(super) layout: Layout,
    /// Reads per block of M0 x K0.
    pub(super) reads: f64,
    /// Cycles to load a line of the window.
    pub(super) line_cycles: usize,
    /// Packed: cycles of MTE3 to lay it down in L1.
    pub(super) move_cycles: usize,
}

/// True if the taps of a kernel line are one run of bytes.
pub(super) fn is_run(conv: &Conv, channels: usize, taps_x: usize, pitch: usize) -> bool {
    pitch == channels && (conv.dilation[1] == 1 || taps_x == 1)
}

/// The layouts worth a try for windows of `pixels` pixels: the fastest, the smallest if that is another one, and the fastest packed one.
pub(super) fn layouts(
    conv: &Conv,
    parts: &Parts,
    (config, bus): (&Config, &Bus),
    columns: usize,
    pixels: usize,
) -> Vec<Chosen> {
    let widest = parts.pieces.iter().max_by_key(|piece| piece.channels.len()).expect("there is a piece");
    let channels = widest.channels.len();
    let (taps_y, taps_x) = (widest.taps[0].len(), widest.taps[1].len());
    let block = &parts.blocks[0];
    let slice = &block.slices[0];
    let line_step = super::maps::line_step(conv, taps_y);
    let blocks = |k: usize| k.div_ceil(config.k0);
    let map_lines = conv.n * conv.h.div_ceil(line_step);
    let row_blocks = conv.pixels().div_ceil(config.m0);
    let all: usize = parts.blocks.iter().flat_map(|block| &block.slices).map(|slice| blocks(slice.k)).sum();
    let chosen = |layout: Layout| {
        let own = slice.channels.len();
        let run = (layout.packed || own == channels) && is_run(conv, own, taps_x, layout.pitch);
        let walk = Walk {
            columns,
            step: [conv.stride[0] / line_step, conv.stride[1]],
            taps_x: if run { 1 } else { taps_x },
            tap_step: [conv.dilation[0] / line_step, conv.dilation[1]],
            tap_bytes: if run { taps_x * own } else { own },
        };
        let k = 0..slice.k.min(MOST_BLOCKS * config.k0);
        // From the start of a line, and over the end of one.
        let starts = [0, columns.saturating_sub(config.m0 / 2)];
        let reads: usize = starts.iter().map(|&x| reads(config, &layout, &walk, x, k.clone())).sum();
        let reads = reads as f64 / (starts.len() * blocks(k.len())) as f64;
        // Packed, UB holds the window as it lies in GM.
        let line_cycles =
            line_cycles(conv, (config, bus), channels, pixels, if layout.packed { channels } else { layout.pitch });
        let move_cycles = if layout.packed { pixels * channels.div_ceil(own) * row_cycles(config, own) } else { 0 };
        Chosen { layout, reads, line_cycles, move_cycles }
    };
    let unit = config.k0.max(FRACTAL_ROW_BYTES);
    // Whole chunks; and whole rows of the banks, of which an odd number turns every pixel to other banks than its neighbour's.
    let (aligned, row) = (channels.next_multiple_of(config.k0), config.k0 * config.m0.max(config.n0));
    let padded = [aligned, aligned + config.k0, channels.next_multiple_of(row), channels.next_multiple_of(row) + row];
    // Small pixels would become many times as large.
    let mut pitches = vec![channels];
    // With a stride it is the outputs' step that must be odd.
    let odd = |pitch: &usize| (pitch * conv.stride[1]).is_multiple_of(row) && pitch * conv.stride[1] / row % 2 == 1;
    let stepped = (aligned..=2 * channels).step_by(config.k0).find(odd);
    pitches.extend(padded.into_iter().chain(stepped).filter(|&pitch| pitch > channels && pitch <= 2 * channels));
    let fastest = |layouts: Vec<Chosen>| {
        let score = |chosen: &Chosen| {
            chosen.reads * (row_blocks * all) as f64 + (map_lines * chosen.line_cycles.max(chosen.move_cycles)) as f64
        };
        // The first of equal ones, which is the smallest.
        layouts.into_iter().reduce(|best, next| if score(&next) < score(&best) { next } else { best })
    };
    let strides = |line: usize, first: usize| {
        std::iter::once(first).chain((0..3).map(move |extra| line.next_multiple_of(unit) + extra * unit))
    };
    let mut plain = Vec::new();
    for pitch in pitches {
        let line = pixels * pitch;
        let dense = pitch == channels && channels == conv.cin;
        let first = if dense { line } else { line.next_multiple_of(unit) };
        plain.extend(strides(line, first).map(|line_stride| chosen(Layout { pitch, line_stride, packed: false })));
    }
    let smallest = plain.first().copied();
    let mut layouts: Vec<Chosen> = fastest(plain).into_iter().chain(smallest).collect();
    layouts.dedup_by_key(|chosen| chosen.layout);
    let pitch = slice.channels.len();
    if config.ub_bytes > 0 && pitch < channels {
        let line = pixels * pitch;
        let packed = strides(line, line).map(|line_stride| chosen(Layout { pitch, line_stride, packed: true }));
        layouts.extend(fastest(packed.collect()));
    }
    layouts
}

/// Cycles of MTE3 for a row of `len` bytes from UB to L1: the segments that it touches, on the average rounded up.
fn row_cycles(config: &Config, len: usize) -> usize {
    let segment = config.bus_bytes.min(config.k0 * config.m0.max(config.n0));
    if len.is_multiple_of(segment) || segment.is_multiple_of(len) {
        len.div_ceil(segment)
    } else {
        (len - 1).div_ceil(segment) + 1
    }
}

/// Cycles that a line of a window takes on the bus and into L1.
fn line_cycles(conv: &Conv, (config, bus): (&Config, &Bus), channels: usize, pixels: usize, pitch: usize) -> usize {
    let contiguous = channels == conv.cin;
    let words = bus.copy(pixels, channels, conv.cin);
    let segment = config.bus_bytes.min(32);
    let segments = if contiguous && pitch == channels {
        (pixels * channels).div_ceil(segment)
    } else if pitch.is_multiple_of(segment) {
        pixels * channels.div_ceil(segment)
    } else {
        pixels * (channels + segment - 1).div_ceil(segment)
    };
    words.max(segments)
}

/// Reads for a block of M0 rows, from output column `x` on, over these k.
fn reads(config: &Config, layout: &Layout, walk: &Walk, x: usize, k: Range<usize>) -> usize {
    let mut sum = 0;
    let mut at = k.start;
    while at < k.end {
        let in_block = config.k0 - (at - k.start) % config.k0;
        let (tap, byte) = (at / walk.tap_bytes, at % walk.tap_bytes);
        let len = in_block.min(walk.tap_bytes - byte).min(k.end - at);
        let (tap_y, tap_x) = (tap / walk.taps_x, tap % walk.taps_x);
        let address = |row: usize| {
            let (line, pixel) = ((x + row) / walk.columns, (x + row) % walk.columns);
            let y = line * walk.step[0] + tap_y * walk.tap_step[0];
            let pixel = pixel * walk.step[1] + tap_x * walk.tap_step[1];
            y * layout.line_stride + pixel * layout.pitch + byte
        };
        sum += run_reads(config, (0..config.m0).map(address), len);
        at += len;
    }
    sum
}

/// Reads for a run of `len` bytes at every address.
fn run_reads(config: &Config, addresses: impl Iterator<Item = usize>, len: usize) -> usize {
    let (k0, banks) = (config.k0, config.m0.max(config.n0));
    let mut chunks: Vec<usize> = addresses.flat_map(|first| first / k0..(first + len).div_ceil(k0)).collect();
    chunks.sort_unstable();
    chunks.dedup();
    let mut load = vec![0; banks];
    for chunk in chunks {
        load[(chunk + chunk / (FRACTAL_ROW_BYTES / k0).max(banks)) % banks] += 1;
    }
    load.into_iter().fold(1, usize::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::MemorySettings;

    fn bus() -> Bus {
        Bus::new(&Config::lite(), &MemorySettings::assumed())
    }

    fn neighbours(pitch: usize, len: usize) -> usize {
        run_reads(&Config::lite(), (0..4).map(|row| row * pitch), len)
    }

    #[test]
    fn neighbouring_pixels_of_lite_by_hand() {
        // Chunk c of 16 bytes lies in bank (c + c / 4) mod 4. Pitch 64: chunks 0, 4, 8, 12, banks 0, 1, 2, 3.
        assert_eq!(neighbours(64, 16), 1);
        // Pitch 128: chunks 0, 8, 16, 24, banks 0, 2, 0, 2. Pitch 256: chunks 0, 16, 32, 48, all in bank 0.
        assert_eq!(neighbours(128, 16), 2);
        assert_eq!(neighbours(256, 16), 4);
        // An odd number of four chunks: 0, 12, 24, 36 in banks 0, 3, 2, 1; wherever they begin.
        for first in 0..20 {
            assert_eq!(run_reads(&Config::lite(), (0..4).map(|row| 16 * first + row * 192), 16), 1);
        }
        // One chunk more than 128 is not enough: 1, 10, 19, 28 in banks 1, 0, 3, 3.
        assert_eq!(run_reads(&Config::lite(), (0..4).map(|row| 16 + row * 144), 16), 2);
        // Pitch 16: neighbours of one another.
        assert_eq!(neighbours(16, 16), 1);
        // Bytes 0, 4, 8, 12: all in one chunk, or over the end of it.
        assert_eq!(neighbours(4, 4), 1);
        assert_eq!(neighbours(3, 9), 1);
        // A run of two chunks each: 8 chunks in 4 banks at best.
        assert_eq!(run_reads(&Config::lite(), (0..4).map(|row| row * 64 + 8), 16), 2);
    }

    #[test]
    fn wide_pixels_get_a_pitch_without_conflicts() {
        for (channels, pitch) in [(64, 64), (128, 192), (256, 320)] {
            let conv = Conv { pads: [1; 4], ..Conv::new([8, 8, channels], [16, 3, 3]) };
            let cut = super::super::parts::Cut { groups: 1, taps: [3, 3], channels };
            let parts = Parts::new(&conv, &cut);
            let layouts = layouts(&conv, &parts, (&Config::lite(), &bus()), 8, 8);
            assert_eq!(layouts[0].layout.pitch, pitch, "{channels} channels: {layouts:?}");
            assert!(layouts[0].reads <= 1.25, "{channels} channels: {layouts:?}");
        }
    }

    /// Reads per block of the fastest layout as pixels lie and of the fastest packed one, on `lite` for windows of whole lines.
    fn plain_and_packed(conv: &Conv) -> (f64, Option<f64>) {
        let config = Config::lite();
        let cut = super::super::parts::Cut {
            groups: super::super::parts::merged_groups(conv, &config),
            taps: conv.kernel,
            channels: conv.cin,
        };
        let parts = Parts::new(conv, &cut);
        let layouts = layouts(conv, &parts, (&config, &bus()), conv.out()[1], conv.w);
        let reads = |packed| layouts.iter().find(|chosen| chosen.layout.packed == packed).map(|chosen| chosen.reads);
        (reads(false).expect("not packed is always possible"), reads(true))
    }

    #[test]
    fn packed_groups_take_at_most_two_reads_a_block() {
        let grouped = |groups, size, kernel: usize, stride| Conv {
            groups,
            stride: [stride; 2],
            pads: [kernel / 2; 4],
            ..Conv::new([24, 24, groups * size], [groups * size, kernel, kernel])
        };
        // Depthwise 3 x 3 by hand: 9 taps of 4 bytes for 3 blocks; packed 12 bytes in a run, cut 12 + 4, 8 + 8, 4: 5 for 3.
        let (plain, packed) = plain_and_packed(&grouped(32, 1, 3, 1));
        assert!(plain >= 3.0 && packed.is_some_and(|packed| packed < 1.8), "{plain} {packed:?}");
        for (size, kernel, stride) in [1, 2, 4, 8]
            .into_iter()
            .flat_map(|size| [3, 5, 7].map(|kernel| (size, kernel)))
            .flat_map(|(size, kernel)| [1, 2].map(|stride| (size, kernel, stride)))
        {
            let (plain, packed) = plain_and_packed(&grouped(32 / size, size, kernel, stride));
            let reads = packed.unwrap_or(plain).min(plain);
            assert!(reads <= 2.0, "groups of {size}, kernel {kernel}, stride {stride}: {plain} {packed:?}");
        }
        // Groups that fill a block of the cube need no packing.
        assert!(plain_and_packed(&grouped(4, 16, 3, 1)).0 <= 1.25);
    }
}
