// SPDX-License-Identifier: Apache-2.0
//! Which output pixels are computed from the same part of a feature map, and which part that is.
//!
//! ```text
//!  strip: all columns          strip: some columns            window: the lines of the map that a strip reads, the halo
//!  ┌──────────────┐            ┌─────┬─────┬───┐              included, each once; a tile of pixels reads some of them
//!  │  ┌───────────┤ tile       │░░░░░│     │   │
//!  ├──┘           │            │░░░░░│     │   │              Lines that no tap reads are left out where stride and
//!  │      ┌───────┤ tile       ├─────┼─────┼───┤              dilation have a common divisor.
//!  └──────┘       ┘            │     │     │   │
//! ```
//! A strip of whole lines is any run of output pixels; one of some columns has tiles that end with their line.

use super::Conv;
use super::parts::{Piece, gcd};
use std::ops::Range;

/// Output pixels that are computed from one window.
#[derive(Clone, Debug)]
pub(super) struct Strip {
    pub(super) image: usize,
    /// First output line.
    pub(super) y: usize,
    /// Output lines.
    pub(super) lines: usize,
    /// First output column.
    pub(super) x: usize,
    /// Output columns.
    pub(super) columns: usize,
    pub(super) tiles: Vec<Pixels>,
}

/// A tile of A: output pixels in the order of their strip's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pixels {
    /// Line of the first, counted from the strip's.
    pub(super) y: usize,
    /// Column of the first, counted from the strip's.
    pub(super) x: usize,
    pub(super) rows: usize,
    /// The first in the order of the result.
    pub(super) first: usize,
}

/// The part of a map that a strip reads for a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// First line of the map.
    pub(super) y: usize,
    /// From one line to the next.
    pub(super) step: usize,
    /// How many.
    pub(super) lines: usize,
    /// Pixels of a line.
    pub(super) x: Range<usize>,
    /// Line and pixel of the first tap of the strip's first output, counted in the window; negative in the padding.
    pub(super) origin: [isize; 2],
}

/// The strips of a convolution: `units` tiles of `m` pixels each, or, with fewer columns than a line has, `units` lines.
pub(super) fn strips(conv: &Conv, columns: usize, units: usize, m: usize) -> Vec<Strip> {
    let [out_h, out_w] = conv.out();
    let mut strips = Vec::new();
    for image in 0..conv.n {
        let base = image * out_h * out_w;
        if columns >= out_w {
            let pixels = out_h * out_w;
            for from in (0..pixels).step_by(units * m) {
                let to = (from + units * m).min(pixels);
                let (y, end) = (from / out_w, to.div_ceil(out_w));
                let tile = |first: usize| Pixels {
                    y: first / out_w - y,
                    x: first % out_w,
                    rows: m.min(to - first),
                    first: base + first,
                };
                let tiles = (from..to).step_by(m).map(tile).collect();
                strips.push(Strip { image, y, lines: end - y, x: 0, columns: out_w, tiles });
            }
            continue;
        }
        for y in (0..out_h).step_by(units) {
            let lines = units.min(out_h - y);
            for x in (0..out_w).step_by(columns) {
                let columns = columns.min(out_w - x);
                let tile = |line: usize, column: usize| Pixels {
                    y: line,
                    x: column,
                    rows: m.min(columns - column),
                    first: base + (y + line) * out_w + x + column,
                };
                let tiles = (0..lines).flat_map(|line| (0..columns).step_by(m).map(move |column| tile(line, column)));
                strips.push(Strip { image, y, lines, x, columns, tiles: tiles.collect() });
            }
        }
    }
    strips
}

/// From one line to the next that taps read, if the kernel has so many lines.
pub(super) fn line_step(conv: &Conv, taps: usize) -> usize {
    gcd(conv.stride[0], if taps > 1 { conv.dilation[0] } else { 0 })
}

impl Window {
    pub(super) fn of(conv: &Conv, strip: &Strip, piece: &Piece) -> Window {
        let step = line_step(conv, piece.taps[0].len());
        let reach = |axis: usize, first: usize, count: usize| {
            let taps = &piece.taps[axis];
            let start = first * conv.stride[axis] + taps.start * conv.dilation[axis];
            let length = (count - 1) * conv.stride[axis] + (taps.len() - 1) * conv.dilation[axis] + 1;
            let start = start as isize - conv.pads[axis] as isize;
            (start, start + length as isize)
        };
        let (top, bottom) = reach(0, strip.y, strip.lines);
        let y = if top < 0 { top.rem_euclid(step as isize) } else { top };
        let end = bottom.min(conv.h as isize);
        let lines = if end > y { ((end - y) as usize).div_ceil(step) } else { 0 };
        let (left, right) = reach(1, strip.x, strip.columns);
        let whole = strip.columns == conv.out()[1] && piece.taps[1].len() == conv.kernel[1];
        let inside = |x: isize| x.clamp(0, conv.w as isize) as usize;
        let x = if whole { 0..conv.w } else { inside(left)..inside(right) };
        let origin = [(top - y) / step as isize, left - x.start as isize];
        Window { y: y as usize, step, lines: if x.is_empty() { 0 } else { lines }, x, origin }
    }

    /// The lines that a tile of the strip reads, counted in the window.
    pub(super) fn lines_of(&self, conv: &Conv, strip: &Strip, piece: &Piece, tile: &Pixels) -> Range<usize> {
        let last = tile.y + (tile.x + tile.rows - 1) / strip.columns;
        let line = |y: usize, tap: usize| {
            self.origin[0] + ((y * conv.stride[0] + tap * conv.dilation[0]) / self.step) as isize
        };
        let from = line(tile.y, 0).clamp(0, self.lines as isize);
        let to = (line(last, piece.taps[0].len() - 1) + 1).clamp(from, self.lines as isize);
        from as usize..to as usize
    }
}
