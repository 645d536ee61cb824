// SPDX-License-Identifier: Apache-2.0
//! What goes through UB: results on their way to GM, and lines of a map on their way into a packed window.
//!
//! ```text
//! landing   FIX puts the columns of one tile beside those of the next; when all channels of the pixels are there, MTE3 stores long rows
//! batch     MTE2 puts lines as they lie in GM; MTE3 lays the channels of each block down as a map of their own
//! ```
//! Both have two places, used in turn: one is filled while the other is emptied.

use super::parts::Parts;
use super::schedule::At;
use super::{Conv, ConvTiling};
use crate::emit::{Emitter, Landing};
use crate::placement::base;
use isa::state::outer;
use isa::{GmAddress, Instruction, Layout, LocalBuffer, Mte3Move, Mte3Store, Pipe};
use std::ops::Range;

/// Where the results of every step's tile land, if they do.
pub(super) fn landings(
    conv: &Conv,
    tiling: &ConvTiling,
    parts: &Parts,
    ats: &[At],
    pixels: impl Fn(&At) -> Range<usize>,
) -> Vec<Option<Landing>> {
    if tiling.landing_bytes == 0 {
        return vec![None; ats.len()];
    }
    let size = conv.output.bytes();
    let section = |at: &At| parts.sections.partition_point(|blocks| blocks.end <= at.block);
    // Tiles of the same pixels and section land side by side.
    let group = |at: &At| (at.strip, at.tile, section(at));
    let mut place = 0;
    let landing = |(index, at): (usize, &At)| {
        let own = group(at);
        if index > 0 && group(&ats[index - 1]) != own {
            place = 1 - place;
        }
        let (outputs, rows) = (parts.outputs_of(own.2), pixels(at));
        let stride = outputs.len() * size;
        let first = parts.blocks[at.block].outputs.start + at.column * tiling.n;
        let address = place * tiling.landing_bytes;
        let whole = outputs.len() == conv.cout;
        let store = Mte3Store {
            gm: GmAddress { base: base::C, offset: ((rows.start * conv.cout + outputs.start) * size) as u64 },
            gm_stride: (conv.cout * size) as u32,
            layout: Layout::Rows,
            src: LocalBuffer::Ub,
            src_address: address as u32,
            src_stride: stride as u32,
            rows: if whole { 1 } else { rows.len() as u16 },
            len_bytes: (if whole { rows.len() * stride } else { stride }) as u32,
        };
        let last = ats.get(index + 1).is_none_or(|next| group(next) != own);
        let address = address + (first - outputs.start) * size;
        Some(Landing { address, stride, store: (at.last && last).then_some(store) })
    };
    ats.iter().enumerate().map(landing).collect()
}

/// Lines of a map as they lie in UB, dense, and where they go in L1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    pub(super) ub: usize,
    pub(super) lines: usize,
    pub(super) pixels: usize,
    pub(super) channels: usize,
    /// First line of the first block's map.
    pub(super) l1: usize,
}

/// Lays a batch down as a map of every block, each of `block` channels but perhaps the last. A move per block: the first block can be
/// worked on while the others are laid down.
pub(super) fn lay_down(emitter: &mut Emitter, tiling: &ConvTiling, batch: &Batch, block: usize) {
    let Batch { ub, lines, pixels, channels, l1 } = *batch;
    for (index, first) in (0..channels).step_by(block).enumerate() {
        let len = block.min(channels - first);
        // Lines that touch are one.
        let touch = tiling.line_stride == pixels * len && lines * pixels <= usize::from(u16::MAX);
        let (rows, count2) = if touch { (lines * pixels, 1) } else { (pixels, lines) };
        emitter.builder.set(Pipe::Mte3, outer::COUNT2, count2 as u32);
        if count2 > 1 {
            emitter.builder.set(Pipe::Mte3, outer::SRC_STRIDE2, (pixels * channels) as u32);
            emitter.builder.set(Pipe::Mte3, outer::DST_STRIDE2, tiling.line_stride as u32);
        }
        emitter.builder.push(Instruction::Mte3Move(Mte3Move {
            layout: Layout::Rows,
            dst_address: (l1 + index * tiling.plane_bytes) as u32,
            dst_stride: len as u32,
            src_address: (ub + first) as u32,
            src_stride: channels as u32,
            rows: rows as u16,
            len_bytes: len as u32,
        }));
    }
}
