// SPDX-License-Identifier: Apache-2.0
//! Tiles of A from feature maps: the part of [`super::generate`] that draws maps, kernels and padding.

use super::arena::*;
use super::generate::Generator;
use super::products::{MOST_K, Tile};
use isa::geometry::Im2col;
use isa::state::mte1;
use isa::*;
use rand::{Rng, RngExt};

impl<R: Rng> Generator<'_, R> {
    /// A tile of A of this k if one is given: from a feature map, or from nz.
    pub(super) fn load_a(&mut self, k: Option<u16>) -> Tile {
        if self.chance(3) { self.load_map(k) } else { self.load_tile(isa::Side::A, k) }
    }

    /// Loads a tile from a feature map somewhere in L1, the one before or another.
    fn load_map(&mut self, k: Option<u16>) -> Tile {
        let map = match self.map {
            Some(map) if self.rng.random() => map,
            _ => self.draw_map(),
        };
        self.map = Some(map);
        let k = k.unwrap_or_else(|| self.extent(MOST_K));
        let (tile, dtype) = self.new_tile(isa::Side::A, k);
        let span = (map.map_height - 1) * map.line_stride + map.map_width;
        let l1_address = self.place(L1_BYTES, span, 1);
        let zero = self.number(dtype) as u32;
        self.zero_point_source &= !1;
        let set = |builder: &mut ProgramBuilder, register, value| builder.set(Pipe::Mte1, register, value);
        let builder = &mut self.builder;
        set(builder, mte1::ZERO_POINT_A, zero);
        set(builder, mte1::ZERO_POINT_SOURCE, self.zero_point_source);
        set(builder, mte1::MAP_HEIGHT, map.map_height);
        set(builder, mte1::MAP_WIDTH, map.map_width);
        set(builder, mte1::LINE_STRIDE, map.line_stride);
        set(builder, mte1::OUT_WIDTH, map.out_width);
        set(builder, mte1::STEP_Y, map.step_y);
        set(builder, mte1::STEP_X, map.step_x);
        set(builder, mte1::TAPS_X, map.taps_x);
        set(builder, mte1::TAP_BYTES, map.tap_bytes);
        set(builder, mte1::TAP_STEP_Y, map.tap_step_y);
        set(builder, mte1::TAP_STEP_X, map.tap_step_x);
        set(builder, mte1::ORIGIN_Y, map.origin_y as u32);
        set(builder, mte1::ORIGIN_X, map.origin_x as u32);
        let start = !self.chance(3);
        let mut part = |limit: u32| if start { 0 } else { self.rng.random_range(0..limit) };
        let (tap_x, tap_byte) = (part(map.taps_x) as u8, part(map.tap_bytes) as u16);
        let (tap_y, out_y, out_x) = (part(3) as u8, part(6) as u16, part(map.out_width) as u16);
        self.builder.push(Instruction::Mte1Im2col(Mte1Im2col {
            dtype,
            l1_address,
            out_y,
            out_x,
            tap_y,
            tap_x,
            tap_byte,
            rows: tile.rows,
            k: tile.k,
            fractal: tile.first,
        }));
        tile
    }

    /// A map that L1 holds, with a kernel that reaches over its edges now and then.
    fn draw_map(&mut self) -> Im2col {
        let pixel = [1, 2, 3, 4, 8, 16, 19, 32][self.below(8) as usize];
        let pixels = 1 + self.below(14);
        let (width, stride) = (pixels * pixel, 1 + self.below(3));
        let whole_lines = self.rng.random::<bool>();
        let taps = 1 + self.below(4);
        let (taps_x, tap_bytes) = if whole_lines { (1, taps * pixel) } else { (taps, 1 + self.below(pixel)) };
        let dilation = 1 + self.below(2);
        let widest = if self.rng.random() { 4 } else { 20 };
        Im2col {
            map_height: 1 + self.below(9),
            map_width: width,
            line_stride: width + if self.rng.random() { 0 } else { self.below(40) },
            out_width: 1 + self.below(widest),
            step_y: self.below(4),
            step_x: if self.chance(6) { self.below(50) } else { stride * pixel },
            taps_x,
            tap_bytes,
            tap_step_y: self.below(3),
            tap_step_x: if self.chance(6) { self.below(50) } else { dilation * pixel },
            origin_y: self.below(5) as i32 - 3,
            origin_x: (self.below(5) as i32 - 3) * pixel as i32,
        }
    }
}
