// SPDX-License-Identifier: Apache-2.0
//! mte1.im2col in plain Rust, straight from the instruction's definition, and random instances of it.

use super::bench::{Bench, Item};
use crate::common::Random;
use isa::{Dtype, Inst, Instruction, Mte1Im2col, state::mte1 as register};

/// The state registers of a feature map.
#[derive(Clone, Copy, Debug, Default)]
pub struct Map {
    pub height: u32,
    pub width: u32,
    pub line_stride: u32,
    pub out_width: u32,
    pub step_y: u32,
    pub step_x: u32,
    pub taps_x: u32,
    pub tap_bytes: u32,
    pub tap_step_y: u32,
    pub tap_step_x: u32,
    pub origin_y: i32,
    pub origin_x: i32,
}

/// A convolution over a map of `height` x `width` pixels of `channels` bytes, `pitch` apart.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    pub height: u32,
    pub width: u32,
    pub channels: u32,
    pub pitch: u32,
    pub kernel: [u32; 2],
    pub stride: [u32; 2],
    pub dilation: [u32; 2],
    /// Top, left.
    pub padding: [u32; 2],
    pub out_width: u32,
}

impl Layer {
    /// The map of all channels; a line follows the other after `gap` bytes. A dense kernel line becomes one tap.
    pub fn map(&self, gap: u32) -> Map {
        let dense = self.pitch == self.channels && self.dilation[1] == 1;
        let [_, kw] = self.kernel;
        Map {
            height: self.height,
            width: self.width * self.pitch,
            line_stride: self.width * self.pitch + gap,
            out_width: self.out_width,
            step_y: self.stride[0],
            step_x: self.stride[1] * self.pitch,
            taps_x: if dense { 1 } else { kw },
            tap_bytes: if dense { kw * self.channels } else { self.channels },
            tap_step_y: self.dilation[0],
            tap_step_x: self.dilation[1] * self.pitch,
            origin_y: -(self.padding[0] as i32),
            origin_x: -((self.padding[1] * self.pitch) as i32),
        }
    }

    pub fn k(&self) -> u16 {
        (self.kernel[0] * self.kernel[1] * self.channels) as u16
    }
}

impl Map {
    /// The SETs that bring it to MTE1.
    pub fn sets(&self) -> Vec<Item> {
        self.registers().into_iter().map(|(index, value)| Item::Set(index, value)).collect()
    }

    /// The state registers with their values.
    pub fn registers(&self) -> [(u8, u32); 12] {
        [
            (register::MAP_HEIGHT, self.height),
            (register::MAP_WIDTH, self.width),
            (register::LINE_STRIDE, self.line_stride),
            (register::OUT_WIDTH, self.out_width),
            (register::STEP_Y, self.step_y),
            (register::STEP_X, self.step_x),
            (register::TAPS_X, self.taps_x),
            (register::TAP_BYTES, self.tap_bytes),
            (register::TAP_STEP_Y, self.tap_step_y),
            (register::TAP_STEP_X, self.tap_step_x),
            (register::ORIGIN_Y, self.origin_y as u32),
            (register::ORIGIN_X, self.origin_x as u32),
        ]
    }

    pub fn of(registers: &[u32; 17]) -> Self {
        let get = |index: u8| registers[usize::from(index)];
        Map {
            height: get(register::MAP_HEIGHT),
            width: get(register::MAP_WIDTH),
            line_stride: get(register::LINE_STRIDE),
            out_width: get(register::OUT_WIDTH),
            step_y: get(register::STEP_Y),
            step_x: get(register::STEP_X),
            taps_x: get(register::TAPS_X),
            tap_bytes: get(register::TAP_BYTES),
            tap_step_y: get(register::TAP_STEP_Y),
            tap_step_x: get(register::TAP_STEP_X),
            origin_y: get(register::ORIGIN_Y) as i32,
            origin_x: get(register::ORIGIN_X) as i32,
        }
    }

    /// L1 address of element (i, j), `None` if it is padding. The line of the action, literally.
    pub fn source(&self, op: &Mte1Im2col, i: usize, j: usize) -> Option<usize> {
        let cut = |sum: i64| sum.rem_euclid(1 << 26);
        let signed = |sum: i64| if cut(sum) < 1 << 25 { cut(sum) } else { cut(sum) - (1 << 26) };
        let [w, taps_x, tap_bytes] = [self.out_width, self.taps_x, self.tap_bytes].map(i64::from);
        let pixel = i64::from(op.out_x) + i as i64;
        let (q, x) = (pixel / w, pixel % w);
        let t = (i64::from(op.tap_y) * taps_x + i64::from(op.tap_x)) * tap_bytes + i64::from(op.tap_byte) + j as i64;
        let (ty, tx, b) = (t / tap_bytes / taps_x, t / tap_bytes % taps_x, t % tap_bytes);
        let y = i64::from(self.origin_y)
            + (i64::from(op.out_y) + q) * i64::from(self.step_y)
            + ty * i64::from(self.tap_step_y);
        let p = i64::from(self.origin_x) + x * i64::from(self.step_x) + tx * i64::from(self.tap_step_x) + b;
        let (y, p) = (signed(y), signed(p));
        let inside = (0..i64::from(self.height)).contains(&y) && (0..i64::from(self.width)).contains(&p);
        inside.then(|| cut(i64::from(op.l1_address) + y * i64::from(self.line_stride) + p) as usize)
    }

    /// The pieces of a tile in order: first row and its block of rows' length, first k, length.
    fn pieces(&self, op: &Mte1Im2col, m0: usize, k0: usize) -> Vec<(usize, usize, usize, usize)> {
        let (rows, k, tap) = (usize::from(op.rows), usize::from(op.k), self.tap_bytes as usize);
        let mut pieces = vec![];
        for row in (0..rows).step_by(m0) {
            let mut at = 0;
            while at < k {
                let tap_end = tap - (usize::from(op.tap_byte) + at) % tap;
                let length = tap_end.min(k0 - at % k0).min(k - at);
                pieces.push((row, m0.min(rows - row), at, length));
                at += length;
            }
        }
        pieces
    }

    /// The first byte wanted that lies outside L1, and the number of blocks before its own.
    pub fn fault(&self, op: &Mte1Im2col, core: &isa::Config) -> Option<(usize, usize)> {
        let across = usize::from(op.k).div_ceil(core.k0);
        for (row, rows, at, length) in self.pieces(op, core.m0, core.k0) {
            for i in row..row + rows {
                for j in at..at + length {
                    if let Some(address) = self.source(op, i, j).filter(|address| *address >= core.l1_bytes) {
                        return Some((address, row / core.m0 * across + at / core.k0));
                    }
                }
            }
        }
        None
    }

    /// Cycles in which the tile's pieces are read if L1 is always ready, each with the number of its block: as many as there are
    /// chunks that one bank has to give, at least one.
    pub fn reads(&self, op: &Mte1Im2col, core: &isa::Config) -> Vec<(usize, usize)> {
        let across = usize::from(op.k).div_ceil(core.k0);
        let nb = core.m0.max(core.n0);
        let skew = nb.max(32 / core.k0);
        let reads = |(row, rows, at, length): (usize, usize, usize, usize)| {
            let mut chunks: Vec<usize> = (row..row + rows)
                .flat_map(|i| (at..at + length).map(move |j| (i, j)))
                .filter_map(|(i, j)| self.source(op, i, j))
                .map(|address| address / core.k0)
                .collect();
            chunks.sort_unstable();
            chunks.dedup();
            let of = |bank: usize| chunks.iter().filter(|chunk| (*chunk + *chunk / skew) % nb == bank).count();
            (row / core.m0 * across + at / core.k0, (0..nb).map(of).fold(1, usize::max))
        };
        self.pieces(op, core.m0, core.k0).into_iter().map(reads).collect()
    }
}

/// An instruction with its own operands at their simplest.
pub fn im2col(rows: u16, k: u16) -> Mte1Im2col {
    Mte1Im2col {
        dtype: Dtype::S8,
        l1_address: 0,
        out_y: 0,
        out_x: 0,
        tap_y: 0,
        tap_x: 0,
        tap_byte: 0,
        rows,
        k,
        fractal: 0,
    }
}

pub fn op(load: Mte1Im2col) -> Item {
    Item::Op(Inst::new(Instruction::Mte1Im2col(load)))
}

/// A random map and tile; all of it lies in L1 unless `anywhere`.
pub fn random_map(
    core: &isa::Config,
    random: &mut Random,
    most_rows: usize,
    most_k: usize,
    anywhere: bool,
) -> (Map, Mte1Im2col) {
    loop {
        let mut up_to = |most: usize| 1 + random.below(most) as u32;
        let channels = [1, 3, 4, 8, 16, up_to(40)][up_to(6) as usize - 1];
        let layer = Layer {
            height: up_to(12),
            width: up_to(12),
            channels,
            pitch: channels + [0, 0, up_to(8), 16][up_to(4) as usize - 1],
            kernel: [up_to(4), up_to(4)],
            stride: [up_to(3), up_to(3)],
            dilation: if up_to(3) == 1 { [up_to(3), up_to(3)] } else { [1, 1] },
            padding: [up_to(4) - 1, up_to(4) - 1],
            out_width: up_to(14),
        };
        let mut map = layer.map([0, 16, up_to(40), 512][up_to(4) as usize - 1]);
        let mut load = im2col(up_to(most_rows) as u16, up_to(most_k) as u16);
        // A group of the channels, and now and then what no convolution would ask for.
        if map.tap_bytes == layer.channels {
            map.tap_bytes = up_to(layer.channels as usize);
            map.origin_x += up_to((layer.channels - map.tap_bytes + 1) as usize) as i32 - 1;
        }
        match up_to(12) {
            1 => map.step_x = 0,
            2 => map.step_y = 0,
            3 => map.origin_y = -32_768 + up_to(60_000) as i32,
            4 => map.origin_x = -(1 << 23) + up_to(1 << 23) as i32,
            5 => map.step_x = up_to((1 << 24) - 1),
            6 => map.width = up_to(300),
            7 => (map.height, load.out_y) = (0xFFFF, up_to(0xFFFF) as u16),
            _ => {}
        }
        load.dtype = if up_to(2) == 1 { Dtype::S8 } else { Dtype::U8 };
        load.out_x = up_to(map.out_width as usize) as u16 - 1;
        load.out_y += up_to(5) as u16 - 1;
        load.tap_y = up_to(3) as u8 - 1;
        load.tap_x = up_to(map.taps_x as usize) as u8 - 1;
        load.tap_byte = up_to(map.tap_bytes as usize) as u16 - 1;
        let fractals = usize::from(load.rows).div_ceil(16) * usize::from(load.k).div_ceil(32);
        if fractals > core.l0a_fractals() {
            continue;
        }
        load.fractal = random.below(core.l0a_fractals() - fractals + 1) as u16;
        let all = (0..usize::from(load.rows)).flat_map(|i| (0..usize::from(load.k)).map(move |j| (i, j)));
        let last = all.filter_map(|(i, j)| map.source(&load, i, j)).max();
        if anywhere {
            // Mostly a little too far.
            let last = last.unwrap_or(0);
            load.l1_address = match random.below(8) {
                0 => random.below(1 << 24),
                1 => random.below(core.l1_bytes),
                _ => core.l1_bytes.saturating_sub(last) + random.below(last / 4 + 1),
            } as u32;
            return (map, load);
        }
        // As far as the end of L1, now and then exactly.
        let room = match last {
            None => core.l1_bytes,
            Some(last) if last < core.l1_bytes => core.l1_bytes - last,
            Some(_) => continue,
        };
        load.l1_address = if random.chance(25) { room - 1 } else { random.below(room) } as u32;
        return (map, load);
    }
}

impl Bench {
    /// A random im2col that fits L1 and L0A, with all its SETs.
    pub fn random_im2col(&mut self, most_rows: usize, most_k: usize) -> (Vec<Item>, Mte1Im2col) {
        let core = self.core.clone();
        let (map, load) = random_map(&core, &mut self.random, most_rows, most_k, false);
        let mut items = map.sets();
        let zero = self.random.below(256) as i32 - if load.dtype == Dtype::S8 { 128 } else { 0 };
        items.push(Item::Set(register::ZERO_POINT_A, zero as u32));
        items.push(Item::Set(register::ZERO_POINT_SOURCE, 2 * self.random.below(2) as u32));
        (items, load)
    }
}
