// SPDX-License-Identifier: Apache-2.0
//! Copies in up to four dimensions between GM, L1 and UB: the core in Verilator and the model leave the same bytes and counts.
//!
//! A program fills the first bytes of L1 and UB, then loads, fills, moves and stores at random, then stores both. Flags come from
//! [`ProgramBuilder`], so MTE2 and MTE3 work at the same time where nothing stands against it.

#![allow(clippy::unwrap_used)]

mod machine;

use isa::state::outer;
use isa::{
    Config, GmAddress, Inst, Instruction, Layout, LocalBuffer, Mte2Fill, Mte2Load, Mte3Move, Mte3Store, Pipe,
    ProgramBuilder, asm,
};
use machine::Machine;
use rand::{Rng, RngExt};
use tb::programs::Arena;

/// Bytes of L1, and of UB, that a program uses.
const LOCAL: u32 = 4 << 10;
/// Programs of a behaviour of the memory.
const PROGRAMS: usize = 4;
/// Copies of a program.
const COPIES: usize = 8;

/// One side of a copy: rows, or nz, in one of the buffers or in GM.
#[derive(Clone, Copy)]
struct Side {
    nz: bool,
    stride: u32,
    /// Of dimensions 2 and 3.
    outer: [u32; 2],
    /// Bytes from the first to the last.
    extent: u32,
}

/// What both sides share.
#[derive(Clone, Copy)]
struct Form {
    rows: u32,
    len: u32,
    counts: [u32; 2],
}

impl Form {
    /// A few hundred bytes, in one dimension or four.
    fn random(rng: &mut impl Rng) -> Form {
        let counts = if rng.random() { [1, 1] } else { [rng.random_range(1..4), rng.random_range(1..4)] };
        Form { rows: rng.random_range(1..6), len: rng.random_range(1..100), counts }
    }

    /// A side in a local buffer, where rows may overlap; it may be too large.
    fn local(&self, rng: &mut impl Rng, nz: bool) -> Side {
        let grain = if nz { 32 } else { 1 };
        let stride = rng.random_range(0..200 / grain) * grain;
        let outer = [0; 2].map(|_| rng.random_range(0..500 / grain) * grain);
        let matrix =
            if nz { (self.len - 1) / 32 * stride + self.rows * 32 } else { (self.rows - 1) * stride + self.len };
        Side { nz, stride, outer, extent: matrix + self.reach(outer) }
    }

    /// A side in GM, where nothing overlaps.
    fn gm(&self, rng: &mut impl Rng) -> Side {
        let stride = self.len + rng.random_range(0..30);
        let stride2 = self.rows * stride + rng.random_range(0..30);
        let outer = [stride2, self.counts[0] * stride2 + rng.random_range(0..30)];
        Side { nz: false, stride, outer, extent: (self.rows - 1) * stride + self.len + self.reach(outer) }
    }

    fn reach(&self, outer: [u32; 2]) -> u32 {
        (self.counts[0] - 1) * outer[0] + (self.counts[1] - 1) * outer[1]
    }
}

/// A place for a side of `extent` bytes among the first `LOCAL` ones.
fn place(rng: &mut impl Rng, side: Side) -> u32 {
    let grain = if side.nz { 32 } else { 1 };
    rng.random_range(0..(LOCAL - side.extent) / grain + 1) * grain
}

fn set(builder: &mut ProgramBuilder, pipe: Pipe, form: Form, src: Side, dst: Side) {
    for (register, value) in [
        (outer::COUNT2, form.counts[0]),
        (outer::COUNT3, form.counts[1]),
        (outer::SRC_STRIDE2, src.outer[0]),
        (outer::SRC_STRIDE3, src.outer[1]),
        (outer::DST_STRIDE2, dst.outer[0]),
        (outer::DST_STRIDE3, dst.outer[1]),
    ] {
        builder.set(pipe, register, value);
    }
}

/// One random copy. Base 1 is the source; what is stored goes to base 2, behind `stored`, which counts its bytes.
fn copy(rng: &mut impl Rng, builder: &mut ProgramBuilder, stored: &mut u32) {
    let buffer = [LocalBuffer::L1, LocalBuffer::Ub][rng.random_range(0..2)];
    let kind = rng.random_range(0..4);
    let (form, src, dst) = loop {
        let form = Form::random(rng);
        let nz = rng.random::<bool>();
        let (src, dst) = match kind {
            0 => (form.gm(rng), form.local(rng, nz)),
            1 => (form.gm(rng), form.local(rng, false)),
            2 => (form.local(rng, false), form.local(rng, nz)),
            _ => (form.local(rng, nz), form.gm(rng)),
        };
        if src.extent <= LOCAL && dst.extent <= LOCAL {
            break (form, src, dst);
        }
    };
    let layout = |side: Side| if side.nz { Layout::Nz } else { Layout::Rows };
    let (rows, len_bytes) = (form.rows as u16, form.len);
    let op = match kind {
        0 => Instruction::Mte2Load(Mte2Load {
            gm: GmAddress { base: 1, offset: place(rng, src).into() },
            gm_stride: src.stride,
            layout: layout(dst),
            dst: buffer,
            dst_address: place(rng, dst),
            dst_stride: dst.stride,
            rows,
            len_bytes,
        }),
        1 => Instruction::Mte2Fill(Mte2Fill {
            byte: rng.random(),
            dst: buffer,
            dst_address: place(rng, dst),
            dst_stride: dst.stride,
            rows,
            len_bytes,
        }),
        2 => Instruction::Mte3Move(Mte3Move {
            layout: layout(dst),
            dst_address: place(rng, dst),
            dst_stride: dst.stride,
            src_address: place(rng, src),
            src_stride: src.stride,
            rows,
            len_bytes,
        }),
        _ => {
            let offset = (*stored + rng.random_range(0..40)).into();
            *stored += dst.extent + 40;
            Instruction::Mte3Store(Mte3Store {
                gm: GmAddress { base: 2, offset },
                gm_stride: dst.stride,
                layout: layout(src),
                src: buffer,
                src_address: place(rng, src),
                src_stride: src.stride,
                rows,
                len_bytes,
            })
        }
    };
    set(builder, if kind < 2 { Pipe::Mte2 } else { Pipe::Mte3 }, form, src, dst);
    builder.push(op);
}

/// Loads the first `LOCAL` bytes of both buffers, or stores them to base 2 from byte `at` on.
fn whole(builder: &mut ProgramBuilder, load: bool, at: u32) {
    let one = Side { nz: false, stride: 0, outer: [0; 2], extent: LOCAL };
    let form = Form { rows: 1, len: LOCAL, counts: [1; 2] };
    set(builder, if load { Pipe::Mte2 } else { Pipe::Mte3 }, form, one, one);
    for (index, buffer) in [LocalBuffer::L1, LocalBuffer::Ub].into_iter().enumerate() {
        let offset = u64::from(at + index as u32 * LOCAL);
        builder.push(if load {
            Instruction::Mte2Load(Mte2Load {
                gm: GmAddress { base: 1, offset },
                gm_stride: 0,
                layout: Layout::Rows,
                dst: buffer,
                dst_address: 0,
                dst_stride: 0,
                rows: 1,
                len_bytes: LOCAL,
            })
        } else {
            Instruction::Mte3Store(Mte3Store {
                gm: GmAddress { base: 2, offset },
                gm_stride: 0,
                layout: Layout::Rows,
                src: buffer,
                src_address: 0,
                src_stride: 0,
                rows: 1,
                len_bytes: LOCAL,
            })
        });
    }
}

fn program(rng: &mut impl Rng) -> Vec<Inst> {
    let mut builder = ProgramBuilder::new();
    whole(&mut builder, true, 0);
    let mut stored = 0;
    for _ in 0..COPIES {
        copy(rng, &mut builder, &mut stored);
    }
    whole(&mut builder, false, stored);
    builder.finish()
}

/// Regions 1 to 4 are the source, those from 5 on the target.
fn copies_equal_the_model(config: &Config, seed: u64) {
    let model = sim::core::model(config, false).unwrap_or_else(|error| panic!("{error}"));
    let mut rng = tb::seed(seed).rng;
    for number in 0..8 {
        let memory = machine::memory(config, number, &mut rng);
        let mut machine = Machine::new(&model, config, memory.clone(), &mut rng);
        machine.run.bases[1] = machine.arena.first + Arena::REGION + 7 * number as u64;
        machine.run.bases[2] = machine.arena.first + 5 * Arena::REGION + 5 * number as u64;
        machine.replace();
        for _ in 0..tb::rounds(PROGRAMS) {
            machine.refill(&mut rng);
            let program = program(&mut rng);
            let what = || format!("{}\non {}, {memory:?}", asm::disassemble(&program).unwrap(), config.name);
            machine.compare(&program, &what);
        }
    }
}

#[test]
fn copies_in_four_dimensions_equal_the_model() {
    let config = Config { ub_bytes: 32 << 10, ..Config::lite() };
    sim::waves::on_failure("copies", || copies_equal_the_model(&config, 31));
}
