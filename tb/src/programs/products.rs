// SPDX-License-Identifier: Apache-2.0
//! Tiles, parameters, products and results: the part of [`super::generate`] that keeps account of L0A, L0B, L0C and FB.

use super::arena::*;
use super::generate::{Generator, extent};
use isa::state::{fix, mte1};
use isa::*;
use rand::{Rng, RngExt};

/// Fractals of L0A and L0B, and of L0C, and channels of FB, as `tiny` has them.
const L0_FRACTALS: u16 = 16;
const L0C_FRACTALS: u16 = 32;
pub(super) const FB_CHANNELS: usize = 512;
/// Rows or columns of a product at most, and elements of k.
const MOST_ROWS: u16 = 48;
pub(super) const MOST_K: u16 = 100;

/// A tile in L0A or L0B.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tile {
    pub(super) first: u16,
    pub(super) rows: u16,
    pub(super) k: u16,
    dtype: Dtype,
}

impl Tile {
    fn across(&self) -> u16 {
        self.k.div_ceil(32)
    }

    fn fractals(&self) -> u16 {
        self.rows.div_ceil(16) * self.across()
    }
}

/// A tile in L0C.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    first: u16,
    m: u16,
    n: u16,
}

impl Product {
    fn across(&self) -> u16 {
        self.n.div_ceil(16)
    }

    fn fractals(&self) -> u16 {
        self.m.div_ceil(16) * self.across()
    }
}

/// What a channel's parameters are legal for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parameters {
    bias: bool,
    scale: Option<Factor>,
    shift: bool,
    zero_point: Option<Dtype>,
}

/// What a scale is legal as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Factor {
    Float,
    Integer,
}

impl Factor {
    fn of(rounding: Rounding) -> Factor {
        if rounding == Rounding::Onnx { Factor::Float } else { Factor::Integer }
    }
}

impl<R: Rng> Generator<'_, R> {
    /// A number of the dtype, its extremes often.
    pub(super) fn number(&mut self, dtype: Dtype) -> i32 {
        let (lowest, highest) = dtype.range().expect("an integer dtype");
        match self.below(5) {
            0 => 0,
            1 => lowest,
            2 => highest,
            _ => self.rng.random_range(lowest..=highest),
        }
    }

    fn dtype(&mut self) -> Dtype {
        if self.rng.random() { Dtype::S8 } else { Dtype::U8 }
    }

    /// A tile of about this k and its dtype, somewhere in L0A or L0B, whose old tiles there are forgotten.
    pub(super) fn new_tile(&mut self, side: Side, k: u16) -> (Tile, Dtype) {
        let (mut rows, dtype) = (self.extent(MOST_ROWS), self.dtype());
        while rows.div_ceil(16) * k.div_ceil(32) > L0_FRACTALS {
            rows = rows.div_ceil(2);
        }
        let mut tile = Tile { first: 0, rows, k: k.min(32 * L0_FRACTALS), dtype };
        tile.first = self.rng.random_range(0..=L0_FRACTALS - tile.fractals());
        let tiles = if side == Side::A { &mut self.a } else { &mut self.b };
        tiles.retain(|old| old.first + old.fractals() <= tile.first || tile.first + tile.fractals() <= old.first);
        tiles.push(tile);
        (tile, dtype)
    }

    /// Loads a tile from nz, of this k if one is given.
    pub(super) fn load_tile(&mut self, side: Side, k: Option<u16>) -> Tile {
        let k = k.unwrap_or_else(|| self.extent(MOST_K));
        let (tile, dtype) = self.new_tile(side, k);
        let (rows, k) = (tile.rows, tile.k);
        let transpose: bool = self.rng.random();
        let (l1_rows, l1_len) = if transpose { (k, rows) } else { (rows, k) };
        let (l1_rows, l1_len) = (u32::from(l1_rows), u32::from(l1_len));
        let panel_stride = match self.below(4) {
            0 => 512 * self.below(4),
            _ => 512 * l1_rows.div_ceil(16),
        };
        let bytes = extent(Layout::Nz, panel_stride, l1_rows, l1_len);
        let l1_address = self.place(L1_BYTES, bytes, 512);
        self.zero_points(side, rows, dtype);
        self.builder.push(Instruction::Mte1Load(Mte1Load {
            side,
            transpose,
            dtype,
            l1_address,
            panel_stride,
            rows,
            k,
            fractal: tile.first,
        }));
        tile
    }

    /// Makes the zero points of the next tile legal.
    fn zero_points(&mut self, side: Side, rows: u16, dtype: Dtype) {
        let (bit, register, channel_register) = match side {
            Side::A => (1, mte1::ZERO_POINT_A, mte1::ZERO_POINT_CHANNEL_A),
            Side::B => (2, mte1::ZERO_POINT_B, mte1::ZERO_POINT_CHANNEL_B),
        };
        self.zero_point_source &= !bit;
        if self.chance(3) {
            self.zero_point_source |= bit;
            let channel = self.channels_with(rows, |old| old.zero_point == Some(dtype));
            if !self.channels[channel..][..rows.into()].iter().all(|old| old.zero_point == Some(dtype)) {
                self.load_parameters(FbField::ZeroPoint, channel, rows, dtype, Factor::Float);
            }
            self.builder.set(Pipe::Mte1, channel_register, channel as u32);
        } else {
            let zero = self.number(dtype) as u32;
            self.builder.set(Pipe::Mte1, register, zero);
        }
        self.builder.set(Pipe::Mte1, mte1::ZERO_POINT_SOURCE, self.zero_point_source);
    }

    /// A first channel for `count` channels: one behind which all are good, or any.
    fn channels_with(&mut self, count: u16, good: impl Fn(&Parameters) -> bool) -> usize {
        let last = FB_CHANNELS - usize::from(count);
        if self.rng.random() {
            let start = self.rng.random_range(0..=last);
            let all = |first: &usize| self.channels[*first..][..count.into()].iter().all(&good);
            if let Some(first) = (start..=last).chain(0..start).find(all) {
                return first;
            }
        }
        // At the ends of FB more often than by chance.
        match self.below(8) {
            0 => 0,
            1 => last,
            _ => self.rng.random_range(0..=last),
        }
    }

    pub(super) fn load_any_parameters(&mut self) {
        let field = FbField::ALL[self.below(4) as usize];
        let count = match self.below(4) {
            0 => 1,
            1 => 2 + self.below(30),
            2 => 32,
            _ => 1 + self.below(CHANNELS),
        } as u16;
        let channel = self.channels_with(count, |_| true);
        let dtype = self.dtype();
        let factor = if self.rng.random() { Factor::Float } else { Factor::Integer };
        self.load_parameters(field, channel, count, dtype, factor);
    }

    /// Fills `count` channels, zero points with such as are legal for `dtype`, scales with such as are legal as `factor`.
    fn load_parameters(&mut self, field: FbField, channel: usize, count: u16, dtype: Dtype, factor: Factor) {
        let bytes = field.bytes() * u32::from(count);
        let integer = factor == Factor::Integer && u32::from(count) <= MULTIPLIER_CHANNELS;
        let array = match (field, dtype) {
            (FbField::Scale, _) if integer => Some(MULTIPLIERS),
            (FbField::Scale, _) => Some(SCALES),
            (FbField::ZeroPoint, Dtype::S8) => Some(ZEROS_S8),
            (FbField::ZeroPoint, _) => Some(ZEROS_U8),
            (FbField::Bias, _) => self.rng.random::<bool>().then_some(BIASES),
            (FbField::Shift, _) => self.rng.random::<bool>().then_some(SHIFTS),
        };
        let l1_address = match array {
            Some(start) => {
                let channels = if start == MULTIPLIERS { MULTIPLIER_CHANNELS } else { CHANNELS };
                let spare = channels * field.bytes() - bytes;
                L1_PARAMETERS + start + self.rng.random_range(0..=spare) / 32 * 32
            }
            None => self.place(L1_BYTES, bytes, 32),
        };
        self.builder.push(Instruction::Mte1LoadFb(Mte1LoadFb { field, l1_address, channel: channel as u16, count }));
        for known in &mut self.channels[channel..][..count.into()] {
            match field {
                FbField::Bias => known.bias = true,
                FbField::Scale => known.scale = Some(if integer { Factor::Integer } else { Factor::Float }),
                FbField::Shift => known.shift = array.is_some(),
                FbField::ZeroPoint => known.zero_point = Some(dtype),
            }
        }
    }

    pub(super) fn mmad(&mut self) {
        let a = match self.a.len() {
            0 => self.load_a(None),
            _ if self.chance(4) => self.load_a(None),
            len => self.a[self.rng.random_range(0..len)],
        };
        let fitting: Vec<Tile> = self.b.iter().copied().filter(|b| b.k == a.k).collect();
        let b = match fitting.len() {
            0 => self.load_tile(Side::B, Some(a.k)),
            _ if self.chance(4) => self.load_tile(Side::B, Some(a.k)),
            len => fitting[self.rng.random_range(0..len)],
        };
        // Whole tiles, or some of their rows from a fractal on.
        let (l0a, mut m) = self.part(a);
        let (l0b, mut n) = self.part(b);
        let mut accumulate = false;
        let mut first = None;
        if !self.c.is_empty() && self.rng.random() {
            let c = self.c[self.rng.random_range(0..self.c.len())];
            let (fewer_rows, fewer_columns) = (m.min(c.m), n.min(c.n));
            if fewer_rows <= 16 || fewer_columns.div_ceil(16) == c.across() {
                (m, n, first, accumulate) = (fewer_rows, fewer_columns, Some(c.first), true);
            }
        }
        let mut c = Product { first: 0, m, n };
        c.first = first.unwrap_or_else(|| self.rng.random_range(0..=L0C_FRACTALS - c.fractals()));
        self.builder.push(Instruction::Mmad(Mmad {
            accumulate,
            dtype_a: a.dtype,
            dtype_b: b.dtype,
            l0a,
            l0b,
            l0c: c.first,
            m,
            n,
            k: a.k,
        }));
        self.c.retain(|old| old.first + old.fractals() <= c.first || c.first + c.fractals() <= old.first);
        self.c.push(c);
    }

    /// First fractal and rows of a part of a tile.
    fn part(&mut self, tile: Tile) -> (u16, u16) {
        if !self.chance(3) {
            return (tile.first, tile.rows);
        }
        let down = self.rng.random_range(0..tile.rows.div_ceil(16));
        (tile.first + down * tile.across(), self.rng.random_range(1..=tile.rows - 16 * down))
    }

    /// First fractal, rows and columns of a part of a product.
    fn part_of_product(&mut self, c: Product) -> (u16, u16, u16) {
        if !self.chance(3) {
            return (c.first, c.m, c.n);
        }
        let down = self.rng.random_range(0..c.m.div_ceil(16));
        let m = self.rng.random_range(1..=c.m - 16 * down);
        let first = c.first + down * c.across();
        if m > 16 {
            // All columns of fractals, or the next row of fractals would not follow.
            let least = 16 * (c.across() - 1) + 1;
            return (first, m, self.rng.random_range(least..=c.n));
        }
        let right = self.rng.random_range(0..c.across());
        (first + right, m, self.rng.random_range(1..=c.n - 16 * right))
    }

    pub(super) fn fix_store(&mut self) {
        if self.c.is_empty() {
            self.mmad();
        }
        let c = self.c[self.rng.random_range(0..self.c.len())];
        let (l0c, mut m, n) = self.part_of_product(c);
        let dtype_out = [Dtype::S8, Dtype::U8, Dtype::Int32, Dtype::Fp32][self.below(4) as usize];
        let rounding = match dtype_out {
            Dtype::S8 | Dtype::U8 => Rounding::ALL[self.below(3) as usize],
            _ => Rounding::Onnx,
        };
        let layout = self.layout();
        let row_bytes = dtype_out.bytes(n.into());
        let space = |m: u16| if layout == Layout::Nz { row_bytes.div_ceil(32) * 32 } else { row_bytes } * u32::from(m);
        while space(m) > Arena::USABLE - 256 {
            m -= 1;
        }
        let mut dst_stride = self.stride(layout, m.into(), row_bytes);
        let mut bytes = extent(layout, dst_stride, m.into(), row_bytes);
        if bytes > Arena::USABLE {
            dst_stride = if layout == Layout::Nz { 32 * u32::from(m) } else { row_bytes };
            bytes = extent(layout, dst_stride, m.into(), row_bytes);
        }
        let unit = if layout == Layout::Nz { 32 } else { 1 };
        let dst = match self.below(6) {
            0 | 1 => FixTarget::L1(self.place(L1_PARAMETERS, bytes, unit)),
            2 => FixTarget::Ub(self.place(UB_BYTES, bytes, unit)),
            _ => FixTarget::Gm(self.gm(bytes, unit, true)),
        };
        let (bias, relu, clamp): (bool, bool, bool) = (self.rng.random(), self.rng.random(), self.rng.random());
        let per_channel = dtype_out != Dtype::Int32 && self.rng.random::<bool>();
        let mut store = FixStore {
            dst,
            layout,
            dst_stride,
            dtype_out,
            bias,
            per_channel,
            rounding,
            relu,
            clamp: clamp && dtype_out != Dtype::Fp32,
            second: Second::None,
            m,
            n,
            l0c,
            channel: 0,
        };
        store.channel = self.fix_registers(&store);
        let store = self.with_second(store);
        self.builder.push(Instruction::FixStore(store));
    }

    /// Makes what FIX reads besides L0C legal, and gives the first channel.
    fn fix_registers(&mut self, store: &FixStore) -> u16 {
        let FixStore { dtype_out, bias, per_channel, clamp, n, .. } = *store;
        let factor = Factor::of(store.rounding);
        let shifts = per_channel && store.shifts();
        let has = |old: &Parameters, field| match field {
            FbField::Bias => old.bias,
            FbField::Scale => old.scale == Some(factor),
            _ => old.shift,
        };
        let wanted = [(bias, FbField::Bias), (per_channel, FbField::Scale), (shifts, FbField::Shift)];
        let channel = self.channels_with(n, |old| wanted.iter().all(|&(wanted, field)| !wanted || has(old, field)));
        for (wanted, field) in wanted {
            while wanted && !self.channels[channel..][..n.into()].iter().all(|old| has(old, field)) {
                self.load_parameters(field, channel, n, Dtype::S8, factor);
            }
        }
        if store.scales() && !per_channel {
            let scale = if factor == Factor::Float { scale(self.rng) } else { multiplier(self.rng) };
            self.builder.set(Pipe::Fix, fix::SCALE, scale);
            if store.shifts() {
                let shift = shift(self.rng);
                self.builder.set(Pipe::Fix, fix::SHIFT, u32::from(shift as u8));
            }
        }
        if store.has_zero_point() {
            let zero = self.number(dtype_out) as u32;
            self.builder.set(Pipe::Fix, fix::ZERO_POINT, zero);
        }
        if clamp {
            for register in [fix::CLAMP_LOW, fix::CLAMP_HIGH] {
                let bound = self.bound(dtype_out);
                self.builder.set(Pipe::Fix, register, bound);
            }
        }
        // Without bias and scales from FB the channel is ignored.
        if bias || per_channel { channel as u16 } else { self.rng.random() }
    }

    fn bound(&mut self, dtype_out: Dtype) -> u32 {
        match (self.below(4), dtype_out) {
            (0, _) => self.rng.random(),
            (_, Dtype::Int32) => self.rng.random_range(-90_000..90_000) as u32,
            _ => self.rng.random_range(-200..300) as u32,
        }
    }
}
