// SPDX-License-Identifier: Apache-2.0
//! Copies of MTE2 and MTE3: the part of [`super::generate`] that draws matrices in up to four dimensions.

use super::arena::*;
use super::generate::{Generator, extent};
use isa::state::outer;
use isa::*;
use rand::{Rng, RngExt};

/// Counts of a copy: rows, matrices, steps of dimension 3; and the bytes of a row.
#[derive(Clone, Copy)]
struct Shape {
    rows: u32,
    len: u32,
    counts: [u32; 2],
}

/// One side of a copy: bytes from row to row or panel to panel, and from step to step of the outer dimensions.
#[derive(Clone, Copy)]
struct Side {
    layout: Layout,
    stride: u32,
    outer: [u32; 2],
}

impl Side {
    /// Bytes from the first to the last.
    fn extent(&self, shape: &Shape) -> u32 {
        let beyond: u32 = (0..2).map(|at| (shape.counts[at] - 1) * self.outer[at]).sum();
        beyond + extent(self.layout, self.stride, shape.rows, shape.len)
    }

    fn unit(&self) -> u32 {
        if self.layout == Layout::Nz { 32 } else { 1 }
    }
}

impl<R: Rng> Generator<'_, R> {
    /// A matrix of at most `most` bytes, mostly alone.
    fn shape(&mut self, most: u32) -> Shape {
        let len = match self.below(6) {
            0 => 1 + self.below(7),
            1 => 8 * (1 + self.below(8)),
            2 => 32,
            3 => 32 * (1 + self.below(5)),
            4 => 33 + self.below(70),
            _ => 1 + self.below(400),
        };
        let rows = match self.below(4) {
            0 => 1,
            1 => 2 + self.below(7),
            2 => 16,
            _ => 1 + self.below(40),
        };
        let mut counts = [1, 1];
        for count in &mut counts {
            if self.chance(3) {
                *count = 1 + self.below(5);
            }
        }
        let most = if self.chance(20) { most } else { most.min(900) };
        let matrices = counts[0] * counts[1];
        let rows = rows.min(most / (len * matrices)).max(1);
        Shape { rows, len, counts }
    }

    /// Strides of a side that is written: nothing falls on the same byte. Of rows any dimension may be the innermost.
    fn apart(&mut self, layout: Layout, shape: &Shape) -> Side {
        let gap = |this: &mut Self| if this.rng.random() { 0 } else { this.below(30) };
        if layout == Layout::Nz {
            let stride = self.stride(layout, shape.rows, shape.len);
            let matrix = extent(layout, stride, shape.rows, shape.len).next_multiple_of(32);
            let step = matrix + 32 * self.below(3);
            return Side { layout, stride, outer: [step, shape.counts[0] * step + 32 * self.below(2)] };
        }
        let counts = [shape.rows, shape.counts[0], shape.counts[1]];
        let mut order = [0, 1, 2];
        if self.chance(3) {
            order = [[1, 0, 2], [2, 1, 0], [1, 2, 0]][self.below(3) as usize];
        }
        let (mut strides, mut size) = ([0; 3], shape.len);
        for at in order {
            strides[at] = size + gap(self);
            size += strides[at] * (counts[at] - 1);
        }
        Side { layout, stride: strides[0], outer: [strides[1], strides[2]] }
    }

    /// Strides of a side that is read.
    fn loose(&mut self, layout: Layout, shape: &Shape) -> Side {
        let unit = if layout == Layout::Nz { 32 } else { 1 };
        let stride = match (layout, self.below(5)) {
            (Layout::Nz, _) => 32 * self.below(shape.rows + 5),
            (_, 0) => 0,
            (_, 1) => self.below(shape.len),
            (_, 2) => shape.len,
            _ => shape.len + self.below(70),
        };
        let step = |this: &mut Self| this.below(1 + 400 / unit) * unit;
        Side { layout, stride, outer: [step(self), step(self)] }
    }

    /// Sets the outer dimensions of a pipe. Strides of a dimension of one step are as good as any.
    fn outer(&mut self, pipe: Pipe, shape: &Shape, src: Option<&Side>, dst: &Side) {
        let registers = [
            (outer::COUNT2, shape.counts[0]),
            (outer::COUNT3, shape.counts[1]),
            (outer::DST_STRIDE2, dst.outer[0]),
            (outer::DST_STRIDE3, dst.outer[1]),
        ];
        let sources = src.map(|src| [(outer::SRC_STRIDE2, src.outer[0]), (outer::SRC_STRIDE3, src.outer[1])]);
        for (register, value) in registers.into_iter().chain(sources.into_iter().flatten()) {
            self.builder.set(pipe, register, value);
        }
    }

    /// A place for a transfer in GM: mostly the lower regions are read and the upper ones written, so that not every transfer
    /// needs a barrier.
    pub(super) fn gm(&mut self, bytes: u32, unit: u32, write: bool) -> GmAddress {
        let base = match (self.chance(12), write) {
            (true, _) => self.rng.random_range(1..16),
            (false, false) => self.rng.random_range(0..8),
            (false, true) => self.rng.random_range(8..16),
        };
        let at = self.place(Arena::USABLE, bytes, unit);
        self.arena.place(base, at)
    }

    /// A buffer and the bytes of it that may be written, or read.
    fn buffer(&mut self, write: bool) -> (LocalBuffer, u32) {
        match self.chance(4) {
            true => (LocalBuffer::Ub, UB_BYTES),
            false => (LocalBuffer::L1, if write { L1_PARAMETERS } else { L1_BYTES }),
        }
    }

    pub(super) fn mte2_load(&mut self) {
        let layout = self.layout();
        let (dst, room) = self.buffer(true);
        let shape = self.shape(Arena::USABLE.min(room));
        let (from, to) = (self.loose(Layout::Rows, &shape), self.apart(layout, &shape));
        let (bytes, gm_bytes) = (to.extent(&shape), from.extent(&shape));
        if bytes > room || gm_bytes > Arena::USABLE {
            return;
        }
        let dst_address = self.place(room, bytes, to.unit());
        let gm = self.gm(gm_bytes, 1, false);
        self.outer(Pipe::Mte2, &shape, Some(&from), &to);
        self.builder.push(Instruction::Mte2Load(Mte2Load {
            gm,
            gm_stride: from.stride,
            layout,
            dst,
            dst_address,
            dst_stride: to.stride,
            rows: shape.rows as u16,
            len_bytes: shape.len,
        }));
    }

    pub(super) fn mte2_fill(&mut self) {
        let (dst, room) = self.buffer(true);
        let shape = self.shape(900);
        let mut to = self.apart(Layout::Rows, &shape);
        if self.chance(3) {
            // Fills may overlap.
            to.stride = self.below(shape.len);
        }
        let bytes = to.extent(&shape);
        if bytes > room {
            return;
        }
        let dst_address = self.place(room, bytes, 1);
        let byte = self.rng.random();
        self.outer(Pipe::Mte2, &shape, None, &to);
        self.builder.push(Instruction::Mte2Fill(Mte2Fill {
            dst,
            dst_address,
            dst_stride: to.stride,
            rows: shape.rows as u16,
            len_bytes: shape.len,
            byte,
        }));
    }

    pub(super) fn mte3_store(&mut self) {
        let layout = self.layout();
        let (src, room) = self.buffer(false);
        let shape = self.shape(Arena::USABLE / 2);
        let (from, to) = (self.loose(layout, &shape), self.apart(Layout::Rows, &shape));
        let (bytes, gm_bytes) = (from.extent(&shape), to.extent(&shape));
        if bytes > room || gm_bytes > Arena::USABLE {
            return;
        }
        let src_address = self.place(room, bytes, from.unit());
        let gm = self.gm(gm_bytes, 1, true);
        self.outer(Pipe::Mte3, &shape, Some(&from), &to);
        self.builder.push(Instruction::Mte3Store(Mte3Store {
            gm,
            gm_stride: to.stride,
            layout,
            src,
            src_address,
            src_stride: from.stride,
            rows: shape.rows as u16,
            len_bytes: shape.len,
        }));
    }

    pub(super) fn mte3_move(&mut self) {
        let layout = self.layout();
        let shape = self.shape(UB_BYTES);
        let (from, to) = (self.loose(Layout::Rows, &shape), self.apart(layout, &shape));
        let (ub_bytes, l1_bytes) = (from.extent(&shape), to.extent(&shape));
        if ub_bytes > UB_BYTES || l1_bytes > L1_PARAMETERS {
            return;
        }
        let src_address = self.place(UB_BYTES, ub_bytes, 1);
        let dst_address = self.place(L1_PARAMETERS, l1_bytes, to.unit());
        self.outer(Pipe::Mte3, &shape, Some(&from), &to);
        self.builder.push(Instruction::Mte3Move(Mte3Move {
            layout,
            dst_address,
            dst_stride: to.stride,
            src_address,
            src_stride: from.stride,
            rows: shape.rows as u16,
            len_bytes: shape.len,
        }));
    }

    /// Stores some of L1, or of UB, as it is, so that what went wrong in it is seen soon.
    pub(super) fn look(&mut self) {
        let (src, room) = self.buffer(false);
        let shape = Shape { rows: 1, len: 1024, counts: [1, 1] };
        let src_address = self.below(room - shape.len);
        let gm = self.gm(shape.len, 1, true);
        let side = Side { layout: Layout::Rows, stride: 0, outer: [0, 0] };
        self.outer(Pipe::Mte3, &shape, Some(&side), &side);
        self.builder.push(Instruction::Mte3Store(Mte3Store {
            gm,
            gm_stride: 0,
            layout: Layout::Rows,
            src,
            src_address,
            src_stride: 0,
            rows: 1,
            len_bytes: shape.len,
        }));
    }
}
