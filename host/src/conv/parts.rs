// SPDX-License-Identifier: Apache-2.0
//! How channels and taps of a convolution are cut, and how its weights are arranged for that.
//!
//! ```text
//! blocks    groups that are multiplied together: B has a group's weights on its diagonal and zeros beside them
//! pieces    what is loaded of a feature map at once: channels, and the taps that it is loaded for
//! slices    k of a block that comes from one piece; the block's sum is over its slices
//! sections  blocks that read the same pieces
//! ```
//! Mostly there is one piece, all channels for all taps, and one slice per block. Where L1 is too small for that, either the blocks are
//! spread over several pieces, or a block is cut into several slices.

use super::Conv;
use crate::emit::part;
use isa::Config;
use isa::limits::FRACTAL_ROW_BYTES;
use std::ops::Range;

/// The sizes of blocks and pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// Groups of a block.
    pub(super) groups: usize,
    /// Lines and columns of the kernel for which a piece is loaded.
    pub(super) taps: [usize; 2],
    /// Channels of a piece: whole blocks, or part of one.
    pub(super) channels: usize,
}

/// Groups that are multiplied together.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) outputs: Range<usize>,
    pub(super) slices: Vec<Slice>,
}

/// k of a block that comes from one piece, in the order kernel line, kernel column, channel.
#[derive(Clone, Debug)]
pub(super) struct Slice {
    /// Index of the piece.
    pub(super) piece: usize,
    /// Input channels.
    pub(super) channels: Range<usize>,
    /// How many k.
    pub(super) k: usize,
    /// Where its weights begin: \[outputs, k\], row-major.
    pub(super) offset: usize,
}

/// What is loaded of a feature map at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) taps: [Range<usize>; 2],
    pub(super) channels: Range<usize>,
}

/// A convolution cut up.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) blocks: Vec<Block>,
    pub(super) pieces: Vec<Piece>,
    /// Blocks, by index.
    pub(super) sections: Vec<Range<usize>>,
    /// Bytes of the arranged weights.
    pub(super) weight_bytes: usize,
}

impl Parts {
    pub(super) fn new(conv: &Conv, cut: &Cut) -> Parts {
        let (group_cin, group_cout) = (conv.group_cin(), conv.group_cout());
        let block_channels = cut.groups * group_cin;
        let count = conv.groups.div_ceil(cut.groups);
        let per_section = (cut.channels / block_channels).max(1);
        let mut parts = Parts { blocks: vec![], pieces: vec![], sections: vec![], weight_bytes: 0 };
        for section in 0..count.div_ceil(per_section) {
            let blocks = part(section, per_section, count);
            let groups = blocks.start * cut.groups..(blocks.end * cut.groups).min(conv.groups);
            let channels = groups.start * group_cin..groups.end * group_cin;
            let first = parts.pieces.len();
            let across = if cut.channels < block_channels { channels.len().div_ceil(cut.channels) } else { 1 };
            let width = channels.len().min(if across == 1 { usize::MAX } else { cut.channels });
            for taps_y in ranges(conv.kernel[0], cut.taps[0]) {
                for taps_x in ranges(conv.kernel[1], cut.taps[1]) {
                    parts.pieces.extend((0..across).map(|index| {
                        let cut = part(index, width, channels.len());
                        let channels = channels.start + cut.start..channels.start + cut.end;
                        Piece { taps: [taps_y.clone(), taps_x.clone()], channels }
                    }));
                }
            }
            for block in blocks.clone() {
                let groups = part(block, cut.groups, conv.groups);
                let own = groups.start * group_cin..groups.end * group_cin;
                let outputs = groups.start * group_cout..groups.end * group_cout;
                let slice = |piece: usize| {
                    let Piece { taps, channels } = &parts.pieces[piece];
                    let channels = channels.start.max(own.start)..channels.end.min(own.end);
                    let k = taps[0].len() * taps[1].len() * channels.len();
                    Slice { piece, channels, k, offset: 0 }
                };
                let mut slices: Vec<Slice> = (first..parts.pieces.len()).map(slice).collect();
                for slice in &mut slices {
                    slice.offset = parts.weight_bytes;
                    parts.weight_bytes += outputs.len() * slice.k;
                }
                parts.blocks.push(Block { outputs, slices });
            }
            parts.sections.push(blocks);
        }
        parts
    }

    /// The weights \[cout, kh, kw, cin / groups\] as B of every slice: its outputs' rows of its k, zero where output and input channel
    /// are of different groups.
    pub(super) fn arrange(&self, conv: &Conv, weights: &[u8]) -> Vec<u8> {
        let (group_cin, group_cout) = (conv.group_cin(), conv.group_cout());
        let mut arranged = Vec::with_capacity(self.weight_bytes);
        for block in &self.blocks {
            for slice in &block.slices {
                let [taps_y, taps_x] = &self.pieces[slice.piece].taps;
                for output in block.outputs.clone() {
                    // What its zero point makes 0.
                    let zero = match conv.zero_points_w[..] {
                        [] => 0,
                        [one] => one,
                        ref each => each[output],
                    } as u8;
                    let first = output / group_cout * group_cin;
                    let own = first.max(slice.channels.start)..(first + group_cin).min(slice.channels.end);
                    for (y, x) in taps_y.clone().flat_map(|y| taps_x.clone().map(move |x| (y, x))) {
                        let row = ((output * conv.kernel[0] + y) * conv.kernel[1] + x) * group_cin;
                        if own.is_empty() {
                            arranged.extend(slice.channels.clone().map(|_| zero));
                            continue;
                        }
                        arranged.extend((slice.channels.start..own.start).map(|_| zero));
                        arranged.extend_from_slice(&weights[row + own.start - first..row + own.end - first]);
                        arranged.extend((own.end..slice.channels.end).map(|_| zero));
                    }
                }
            }
        }
        arranged
    }

    /// The output channels of a section's blocks.
    pub(super) fn outputs_of(&self, section: usize) -> Range<usize> {
        let blocks = &self.blocks[self.sections[section].clone()];
        let (first, last) = (blocks.first(), blocks.last());
        first.map_or(0, |block| block.outputs.start)..last.map_or(0, |block| block.outputs.end)
    }

    /// Sum over the blocks of their steps for one block of rows: ceil(outputs / N0) ceil(k / K0).
    pub(super) fn column_steps(&self, config: &Config) -> usize {
        let steps = |block: &Block| {
            let k: usize = block.slices.iter().map(|slice| slice.k.div_ceil(config.k0)).sum();
            block.outputs.len().div_ceil(config.n0) * k
        };
        self.blocks.iter().map(steps).sum()
    }
}

fn ranges(extent: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..extent.div_ceil(size)).map(move |index| part(index, size, extent))
}

/// Taps that are looked at, for the estimate of reads.
const MOST_TAPS: usize = 64;

/// How many groups a block has: no more cube steps than a tenth above those of one group after the other; of what that leaves, the least
/// work of cube and MTE1 together, since longer runs of channels make fewer reads.
pub(super) fn merged_groups(conv: &Conv, config: &Config) -> usize {
    let (all_taps, cin, cout) = (conv.kernel[0] * conv.kernel[1], conv.group_cin(), conv.group_cout());
    let taps = all_taps.min(MOST_TAPS);
    let block_steps =
        |groups: usize| (groups * cout).div_ceil(config.n0) * (all_taps * groups * cin).div_ceil(config.k0);
    let steps = |groups: usize| {
        let rest = conv.groups % groups;
        conv.groups / groups * block_steps(groups) + if rest == 0 { 0 } else { block_steps(rest) }
    };
    // The chunks that a row reads, run by run of k inside a tap and a block of the cube, if pixels begin with a chunk.
    let reads = |groups: usize| {
        let chunks = |first: usize, tap: usize| {
            let (mut at, mut chunks) = (0, 0);
            while at < taps * tap {
                let len = (config.k0 - at % config.k0).min(tap - at % tap);
                let from = first + at % tap;
                chunks += (from + len).div_ceil(config.k0) - from / config.k0;
                at += len;
            }
            chunks
        };
        let block = |block: usize| {
            let first = block * groups;
            chunks(first * cin, groups.min(conv.groups - first) * cin)
        };
        (0..conv.groups.div_ceil(groups)).map(block).sum::<usize>() * all_taps / taps
    };
    if conv.results() > 1 {
        // FIX sets the pace, and does best with whole rows of a fractal.
        return (FRACTAL_ROW_BYTES / cin.max(cout)).clamp(1, conv.groups);
    }
    // Beyond a block of the cube in both directions nothing is left to fill.
    let most = conv.groups.min(config.n0.max(config.k0));
    let allowed = |groups: &usize| 10 * steps(*groups) <= 11 * steps(1);
    let key = |groups: &usize| (steps(*groups) + reads(*groups), *groups);
    (1..=most).filter(allowed).min_by_key(key).unwrap_or(1)
}

/// The greatest common divisor.
pub(super) fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
