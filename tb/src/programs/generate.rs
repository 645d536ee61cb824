// SPDX-License-Identifier: Apache-2.0
//! Random programs that are legal by construction: every operand is drawn from what the buffers hold so far.
//!
//! The steps of a program are independent draws (a load, a product, a store, ...), so tiles live on, are overwritten by halves and are
//! used in parts. The builder orders what conflicts. What may be anything is anything: registers that are not used, gaps, ids.

use super::arena::*;
use super::flags;
use super::products::{FB_CHANNELS, MOST_K, Parameters, Product, Tile};
use isa::state::{fix, mte1};
use isa::*;
use rand::{Rng, RngExt};

/// A program in the making.
pub(super) struct Generator<'a, R> {
    pub(super) rng: &'a mut R,
    pub(super) arena: &'a Arena,
    pub(super) builder: ProgramBuilder,
    pub(super) a: Vec<Tile>,
    pub(super) b: Vec<Tile>,
    pub(super) c: Vec<Product>,
    pub(super) channels: Vec<Parameters>,
    pub(super) zero_point_source: u32,
    /// The last feature map.
    pub(super) map: Option<isa::geometry::Im2col>,
}

/// A random program for data in `arena`.
///
/// *Guarantee*: it passes [`fn@isa::check`] for `tiny`, and so for every core whose buffers are at least as large.
pub fn program<R: Rng>(rng: &mut R, arena: &Arena) -> Vec<Inst> {
    let builder = if rng.random_ratio(1, 4) { ProgramBuilder::without_chaining() } else { ProgramBuilder::new() };
    let mut generator = Generator {
        rng,
        arena,
        builder,
        a: Vec::new(),
        b: Vec::new(),
        c: Vec::new(),
        channels: vec![Parameters::default(); FB_CHANNELS],
        zero_point_source: 0,
        map: None,
    };
    let steps = if generator.chance(16) { 40..100 } else { 3..20 };
    for _ in 0..generator.rng.random_range(steps) {
        generator.step();
    }
    generator.fix_store();
    generator.look();
    let mut program = generator.builder.finish();
    flags::rename(&mut program, rng);
    let count = rng.random_range(0..14);
    flags::add(&mut program, count, rng);
    program
}

/// A program that loads L1 and UB of `tiny`: data from the regions 1 to 5 of `arena`, parameters from region 0.
pub fn prepare(arena: &Arena) -> Vec<Inst> {
    let mut builder = ProgramBuilder::new();
    for at in (0..L1_PARAMETERS).step_by(Arena::USABLE as usize) {
        let base = 1 + (at / Arena::USABLE) as u8;
        builder.push(row(arena.place(base, 0), at, Arena::USABLE.min(L1_PARAMETERS - at)));
    }
    builder.push(row(arena.place(0, 0), L1_PARAMETERS, PARAMETER_BYTES));
    for (at, len) in [(0, Arena::USABLE), (Arena::USABLE, UB_BYTES - Arena::USABLE)] {
        let Instruction::Mte2Load(load) = row(arena.place(5, 0), at, len) else { unreachable!("row gives a load") };
        builder.push(Instruction::Mte2Load(Mte2Load { dst: LocalBuffer::Ub, ..load }));
    }
    builder.finish()
}

fn row(gm: GmAddress, dst_address: u32, len_bytes: u32) -> Instruction {
    Instruction::Mte2Load(Mte2Load {
        gm,
        gm_stride: 0,
        layout: Layout::Rows,
        dst: LocalBuffer::L1,
        dst_address,
        dst_stride: 0,
        rows: 1,
        len_bytes,
    })
}

/// Bytes from the first to the last of a matrix.
pub(super) fn extent(layout: Layout, stride: u32, rows: u32, len: u32) -> u32 {
    match layout {
        Layout::Rows => (rows - 1) * stride + len,
        Layout::Nz => {
            let last = (len - 1) / 32;
            let end = last * stride + (rows - 1) * 32 + len - 32 * last;
            if last == 0 { end } else { end.max((last - 1) * stride + 32 * rows) }
        }
    }
}

impl<R: Rng> Generator<'_, R> {
    fn step(&mut self) {
        match self.rng.random_range(0..32) {
            0..5 => self.mte2_load(),
            5..7 => self.mte2_fill(),
            7 => drop(self.load_a(None)),
            8 => drop(self.load_tile(Side::B, None)),
            9..11 => self.load_any_parameters(),
            11..18 => self.mmad(),
            18..24 => self.fix_store(),
            24..27 => self.mte3_store(),
            27 => self.mte3_move(),
            28 => self.builder.barrier(),
            29 => drop(self.builder.push(Instruction::Nop)),
            _ => self.set_anything(),
        }
    }

    pub(super) fn chance(&mut self, one_in: u32) -> bool {
        self.rng.random_ratio(1, one_in)
    }

    pub(super) fn below(&mut self, limit: u32) -> u32 {
        self.rng.random_range(0..limit)
    }

    /// A number up to `most`: 1, a part of a block, blocks, fractals, ragged ones.
    pub(super) fn extent(&mut self, most: u16) -> u16 {
        let rng = &mut *self.rng;
        let value = match rng.random_range(0..14) {
            0 | 1 => 1,
            2 | 3 => rng.random_range(2..4),
            4 | 5 => 4 * rng.random_range(1..4),
            6 | 7 => rng.random_range(5..16),
            8 | 9 => 16,
            10 => 16 * rng.random_range(2..7),
            11 => rng.random_range(17..32),
            12 => 4 * rng.random_range(5..25),
            _ => rng.random_range(17..=MOST_K),
        };
        if value > most { rng.random_range(1..=most) } else { value }
    }

    pub(super) fn layout(&mut self) -> Layout {
        if self.rng.random() { Layout::Rows } else { Layout::Nz }
    }

    /// A stride that keeps the rows or panels of a written matrix apart.
    pub(super) fn stride(&mut self, layout: Layout, rows: u32, len: u32) -> u32 {
        match layout {
            Layout::Rows if rows == 1 => self.below(70),
            Layout::Rows => len + if self.rng.random() { 0 } else { self.below(40) },
            Layout::Nz if len <= 32 => 32 * self.below(40),
            Layout::Nz => 32 * (rows + if self.rng.random() { 0 } else { self.below(5) }),
        }
    }

    /// A place for `bytes` bytes in `room` bytes, at a multiple of `unit`.
    pub(super) fn place(&mut self, room: u32, bytes: u32, unit: u32) -> u32 {
        let at = self.rng.random_range(0..=room - bytes);
        let unit = match self.below(4) {
            0 => unit.max(512),
            1 => unit.max(32),
            _ => unit,
        };
        at / unit * unit
    }

    /// A register that is set again before it is used.
    fn set_anything(&mut self) {
        let (pipe, register) = match self.below(10) {
            0 => ([Pipe::Mte2, Pipe::Mte3][self.below(2) as usize], self.below(6) as u8),
            1 => (Pipe::Mte1, mte1::ZERO_POINT_A),
            2 => (Pipe::Mte1, mte1::ZERO_POINT_B),
            3 => (Pipe::Mte1, mte1::ZERO_POINT_CHANNEL_A),
            4 => (Pipe::Mte1, mte1::ZERO_POINT_CHANNEL_B),
            5 => (Pipe::Fix, fix::SCALE),
            6 => (Pipe::Fix, fix::SHIFT),
            7 => (Pipe::Fix, fix::ZERO_POINT),
            _ => (Pipe::Fix, [fix::CLAMP_LOW, fix::CLAMP_HIGH][self.below(2) as usize]),
        };
        let width = isa::state::state_register(pipe, register).expect("these registers exist").width;
        let value = self.rng.random::<u32>() >> (32 - width);
        self.builder.push(Instruction::Set { pipe, register, value });
    }
}
