// SPDX-License-Identifier: Apache-2.0
//! A random matrix product that fits every core from `tiny` on: its program, its operands in memory, and its result by `ndarray`.

use super::{multiply_exactly, requantise_exactly};
use isa::state::{fix, mte1};
use isa::*;
use model::*;
use ndarray::{Array1, Array2, s};
use rand::{Rng, RngExt};

/// Where things lie in L1 (tiny: 16 KiB): A, B, parameters, results.
const L1_A: u32 = 0;
const L1_B: u32 = 6 << 10;
const L1_BIAS: u32 = 12 << 10;
const L1_SCALE: u32 = L1_BIAS + 192;
const L1_ZERO_A: u32 = L1_SCALE + 192;
const L1_ZERO_B: u32 = L1_ZERO_A + 96;
const L1_SHIFT: u32 = L1_ZERO_B + 96;
const L1_OUT: u32 = 13 << 10;

/// Base registers of the operands.
const BASE_A: u8 = 2;
const BASE_B: u8 = 5;
const BASE_PARAMETERS: u8 = 9;
const BASE_C: u8 = 15;

/// An operand: dtype, orientation, zero points, its numbers.
#[derive(Clone, Debug)]
pub struct Operand {
    /// s8 or u8.
    pub dtype: Dtype,
    /// In memory \[k, rows\] instead of \[rows, k\].
    pub transposed: bool,
    /// Zero points from FB, one per row.
    pub per_row: bool,
    /// One per row, all the same unless `per_row`.
    pub zeros: Array1<i64>,
    /// \[rows, k\].
    pub values: Array2<i64>,
}

/// Where FIX writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// To GM.
    Gm,
    /// To L1, and MTE3 takes it to GM.
    L1,
}

/// The product.
#[derive(Clone, Debug)]
pub struct Gemm {
    /// A \[m, k\].
    pub a: Operand,
    /// B \[n, k\].
    pub b: Operand,
    /// Elements of k per m.mmad, a multiple of 32.
    pub k_step: usize,
    /// s8, u8, int32 or fp32.
    pub dtype_out: Dtype,
    /// How s8 and u8 are made.
    pub rounding: Rounding,
    /// Bias per column.
    pub bias: Option<Vec<i32>>,
    /// The scale of each column: fp32 bits, or the multiplier.
    pub scales: Vec<u32>,
    /// The shift of each column.
    pub shifts: Vec<i8>,
    /// Scales and shifts from FB.
    pub per_channel: bool,
    /// Of the result.
    pub zero_point: i32,
    /// ReLU.
    pub relu: bool,
    /// Bounds.
    pub clamp: Option<(i32, i32)>,
    /// Layout of the result.
    pub layout: Layout,
    /// How the result gets to GM.
    pub path: Path,
    /// First channel in FB.
    pub channel: u16,
    /// First fractals in L0A, L0B, L0C.
    pub fractals: [u16; 3],
    /// Added to every operand's place in GM, so that alignments vary.
    pub shift: u64,
    /// Bytes between rows or panels of the result.
    pub stride: u32,
    /// No early flags.
    pub unchained: bool,
}

impl Operand {
    fn random(rng: &mut impl Rng, rows: usize, k: usize) -> Operand {
        let dtype = if rng.random() { Dtype::S8 } else { Dtype::U8 };
        let (lowest, highest) = if dtype == Dtype::S8 { (-128, 127) } else { (0, 255) };
        let number = |rng: &mut _| match Rng::next_u32(rng) % 8 {
            0 => lowest,
            1 => highest,
            _ => RngExt::random_range(rng, lowest..=highest),
        };
        let values = Array2::from_shape_simple_fn((rows, k), || number(rng));
        let per_row = rng.random();
        let scalar = if rng.random() { number(rng) } else { 0 };
        let zeros = Array1::from_shape_simple_fn(rows, || if per_row { number(rng) } else { scalar });
        Operand { dtype, transposed: rng.random(), per_row, zeros, values }
    }

    fn rows(&self) -> usize {
        self.values.nrows()
    }

    fn k(&self) -> usize {
        self.values.ncols()
    }

    /// Rows and bytes per row of the matrix in memory.
    fn stored(&self) -> (usize, usize) {
        if self.transposed { (self.k(), self.rows()) } else { (self.rows(), self.k()) }
    }

    /// Bytes between rows in GM.
    fn gm_stride(&self) -> u64 {
        self.stored().1 as u64 + 7
    }

    /// Bytes between panels in L1.
    fn panel_stride(&self) -> u32 {
        (self.stored().0.div_ceil(16) * 512) as u32
    }

    /// Elements less their zero points.
    fn centred(&self) -> Array2<i64> {
        &self.values - &self.zeros.view().insert_axis(ndarray::Axis(1))
    }

    fn write(&self, memory: &mut SparseMemory, address: u64) {
        let stored = if self.transposed { self.values.t() } else { self.values.view() };
        for (row, values) in stored.rows().into_iter().enumerate() {
            let bytes: Vec<u8> = values.iter().map(|&value| value as u8).collect();
            memory.write(address + row as u64 * self.gm_stride(), &bytes).unwrap();
        }
    }
}

impl Gemm {
    /// A random one.
    pub fn random(rng: &mut impl Rng) -> Gemm {
        // Small, ragged and whole extents alike; 3 panels of k and 3 rows of fractals at most.
        let mut extent = |most: usize| match Rng::next_u32(rng) % 4 {
            0 => 16 * RngExt::random_range(rng, 1..=most / 16),
            1 => RngExt::random_range(rng, 1..=7),
            _ => RngExt::random_range(rng, 1..=most),
        };
        let (m, n, k) = (extent(48), extent(48), extent(96));
        let dtype_out = [Dtype::Int32, Dtype::S8, Dtype::U8, Dtype::Fp32][rng.random_range(0..4)];
        let rounding = match dtype_out {
            Dtype::S8 | Dtype::U8 => Rounding::ALL[rng.random_range(0..3)],
            _ => Rounding::Onnx,
        };
        let (a, b) = (Operand::random(rng, m, k), Operand::random(rng, n, k));
        let per_channel = dtype_out != Dtype::Int32 && rng.random();
        let factor = |rng: &mut _| {
            let scale: f32 = 2f32.powi(RngExt::random_range(rng, -13..-7)) * RngExt::random_range(rng, 1.0..2.0);
            let multiplier: u32 = RngExt::random_range(rng, 1 << 30..1 << 31);
            let scale = if rounding == Rounding::Onnx { scale.to_bits() } else { multiplier };
            (scale, RngExt::random_range(rng, -12..-5i8))
        };
        let scalar = factor(rng);
        let (scales, shifts) = (0..n).map(|_| if per_channel { factor(rng) } else { scalar }).unzip();
        let layout = if rng.random() { Layout::Rows } else { Layout::Nz };
        let size = dtype_out.bytes(1);
        let row = n as u32 * size;
        let space = match layout {
            Layout::Rows => m as u32 * (row + 3),
            Layout::Nz => row.div_ceil(32) * 32 * m as u32,
        };
        let path = if rng.random() && space <= 3 << 10 { Path::L1 } else { Path::Gm };
        let stride = match layout {
            Layout::Rows => row + rng.random_range(0..4),
            Layout::Nz => 32 * m as u32 + if path == Path::L1 { 0 } else { 32 * rng.random_range(0..3) },
        };
        let bound = |rng: &mut _| {
            if dtype_out == Dtype::Int32 {
                RngExt::random_range(rng, -90_000..90_000)
            } else {
                RngExt::random_range(rng, -200..300)
            }
        };
        Gemm {
            k_step: 32 * rng.random_range(1..=3),
            bias: rng.random::<bool>().then(|| {
                let least = if dtype_out == Dtype::Int32 { 0 } else { 14 };
                (0..n).map(|_| rng.random::<i32>() >> rng.random_range(least..24)).collect()
            }),
            rounding,
            scales,
            shifts,
            per_channel,
            zero_point: match dtype_out {
                Dtype::S8 => rng.random_range(-128..128),
                Dtype::U8 => rng.random_range(0..256),
                _ => 0,
            },
            relu: rng.random_ratio(1, 3),
            clamp: (dtype_out != Dtype::Fp32 && rng.random_ratio(1, 4)).then(|| (bound(rng), bound(rng))),
            layout,
            path,
            channel: rng.random_range(0..=512 - 48),
            fractals: [rng.random_range(0..=7), rng.random_range(0..=7), rng.random_range(0..=23)],
            shift: rng.random_range(0..64),
            stride,
            unchained: rng.random_ratio(1, 4),
            dtype_out,
            a,
            b,
        }
    }

    /// The program; the same for every core.
    pub fn program(&self) -> Vec<Inst> {
        let mut builder = if self.unchained { ProgramBuilder::without_chaining() } else { ProgramBuilder::new() };
        let n = self.b.rows();
        self.load_operand(&mut builder, &self.a, BASE_A, L1_A);
        self.load_operand(&mut builder, &self.b, BASE_B, L1_B);
        self.load_parameters(&mut builder);
        for first in (0..self.a.k()).step_by(self.k_step) {
            let k = self.k_step.min(self.a.k() - first);
            for (side, operand, l1, fractal) in
                [(Side::A, &self.a, L1_A, self.fractals[0]), (Side::B, &self.b, L1_B, self.fractals[1])]
            {
                let offset = match operand.transposed {
                    true => 32 * first as u32,
                    false => first as u32 / 32 * operand.panel_stride(),
                };
                builder.push(Instruction::Mte1Load(Mte1Load {
                    side,
                    transpose: operand.transposed,
                    dtype: operand.dtype,
                    l1_address: l1 + offset,
                    panel_stride: operand.panel_stride(),
                    rows: operand.rows() as u16,
                    k: k as u16,
                    fractal,
                }));
            }
            builder.push(Instruction::Mmad(Mmad {
                accumulate: first != 0,
                dtype_a: self.a.dtype,
                dtype_b: self.b.dtype,
                l0a: self.fractals[0],
                l0b: self.fractals[1],
                l0c: self.fractals[2],
                m: self.a.rows() as u16,
                n: n as u16,
                k: k as u16,
            }));
        }
        self.store(&mut builder);
        builder.finish()
    }

    fn load_operand(&self, builder: &mut ProgramBuilder, operand: &Operand, base: u8, l1: u32) {
        let (rows, bytes) = operand.stored();
        builder.push(Instruction::Mte2Load(Mte2Load {
            gm: GmAddress { base, offset: self.shift },
            gm_stride: operand.gm_stride() as u32,
            layout: Layout::Nz,
            dst: LocalBuffer::L1,
            dst_address: l1,
            dst_stride: operand.panel_stride(),
            rows: rows as u16,
            len_bytes: bytes as u32,
        }));
    }

    /// All parameters lie packed in GM as they shall lie in L1.
    fn load_parameters(&self, builder: &mut ProgramBuilder) {
        builder.push(Instruction::Mte2Load(Mte2Load {
            gm: GmAddress { base: BASE_PARAMETERS, offset: self.shift },
            gm_stride: 0,
            layout: Layout::Rows,
            dst: LocalBuffer::L1,
            dst_address: L1_BIAS,
            dst_stride: 0,
            rows: 1,
            len_bytes: L1_OUT - L1_BIAS,
        }));
        let (m, n) = (self.a.rows() as u16, self.b.rows() as u16);
        let mut load = |field, l1_address, channel, count| {
            builder.push(Instruction::Mte1LoadFb(Mte1LoadFb { field, l1_address, channel, count }));
        };
        load(FbField::Bias, L1_BIAS, self.channel, n);
        load(FbField::Scale, L1_SCALE, self.channel, n);
        load(FbField::Shift, L1_SHIFT, self.channel, n);
        if self.a.per_row {
            // Beside those of B, wherever these are.
            load(FbField::ZeroPoint, L1_ZERO_A, self.channel_a(), m);
        }
        load(FbField::ZeroPoint, L1_ZERO_B, self.channel, n);
        let set = |builder: &mut ProgramBuilder, register, value| builder.set(Pipe::Mte1, register, value);
        set(builder, mte1::ZERO_POINT_SOURCE, u32::from(self.a.per_row) | u32::from(self.b.per_row) << 1);
        set(builder, mte1::ZERO_POINT_CHANNEL_A, self.channel_a().into());
        set(builder, mte1::ZERO_POINT_CHANNEL_B, self.channel.into());
        // Zero points that are not used may be anything.
        let unused = 1 << 30;
        set(builder, mte1::ZERO_POINT_A, if self.a.per_row { unused } else { self.a.zeros[0] as u32 });
        set(builder, mte1::ZERO_POINT_B, if self.b.per_row { unused } else { self.b.zeros[0] as u32 });
    }

    fn channel_a(&self) -> u16 {
        if self.channel >= 256 { self.channel - 256 } else { self.channel + 200 }
    }

    fn store(&self, builder: &mut ProgramBuilder) {
        let (m, n) = (self.a.rows() as u16, self.b.rows() as u16);
        if self.dtype_out != Dtype::Int32 {
            if !self.per_channel {
                builder.set(Pipe::Fix, fix::SCALE, self.scales[0]);
                if self.rounding != Rounding::Onnx {
                    builder.set(Pipe::Fix, fix::SHIFT, u32::from(self.shifts[0] as u8));
                }
            }
            builder.set(Pipe::Fix, fix::ZERO_POINT, self.zero_point as u32);
        }
        if let Some((low, high)) = self.clamp {
            builder.set(Pipe::Fix, fix::CLAMP_LOW, low as u32);
            builder.set(Pipe::Fix, fix::CLAMP_HIGH, high as u32);
        }
        let gm = GmAddress { base: BASE_C, offset: self.out_offset() };
        let store = FixStore {
            dst: if self.path == Path::Gm { FixTarget::Gm(gm) } else { FixTarget::L1(L1_OUT) },
            layout: self.layout,
            dst_stride: self.stride,
            dtype_out: self.dtype_out,
            bias: self.bias.is_some(),
            per_channel: self.per_channel,
            rounding: self.rounding,
            relu: self.relu,
            clamp: self.clamp.is_some(),
            second: Second::None,
            m,
            n,
            l0c: self.fractals[2],
            channel: self.channel,
        };
        builder.push(Instruction::FixStore(store));
        if self.path == Path::L1 {
            builder.push(Instruction::Mte3Store(Mte3Store {
                gm,
                gm_stride: store.row_bytes() + 5,
                layout: self.layout,
                src: LocalBuffer::L1,
                src_address: L1_OUT,
                src_stride: self.stride,
                rows: m,
                len_bytes: store.row_bytes(),
            }));
        }
    }

    fn out_offset(&self) -> u64 {
        if self.layout == Layout::Nz && self.path == Path::Gm { 32 * self.shift } else { self.shift }
    }

    /// Puts the operands into memory and sets the bases.
    pub fn place(&self, memory: &mut SparseMemory, run: Run) -> Run {
        self.a.write(memory, 0x1_0000 + self.shift);
        self.b.write(memory, 0x2_0000 + self.shift);
        let mut parameters = |address: u32, bytes: Vec<u8>| {
            memory.write(0x3_0000 + self.shift + u64::from(address - L1_BIAS), &bytes).unwrap();
        };
        let bias = self.bias.clone().unwrap_or_else(|| vec![77; self.b.rows()]);
        parameters(L1_BIAS, bias.iter().flat_map(|bias| bias.to_le_bytes()).collect());
        parameters(L1_SCALE, self.scales.iter().flat_map(|bits| bits.to_le_bytes()).collect());
        parameters(L1_SHIFT, self.shifts.iter().map(|&shift| shift as u8).collect());
        let zeros = |operand: &Operand| operand.zeros.iter().flat_map(|&zero| (zero as i16).to_le_bytes()).collect();
        parameters(L1_ZERO_A, zeros(&self.a));
        parameters(L1_ZERO_B, zeros(&self.b));
        run.with_base(BASE_A.into(), 0x1_0000)
            .with_base(BASE_B.into(), 0x2_0000)
            .with_base(BASE_PARAMETERS.into(), 0x3_0000)
            .with_base(BASE_C.into(), 0x4_0000)
    }

    /// C \[m, n\] before FIX, modulo 2^32.
    pub fn product(&self) -> Array2<i32> {
        self.a.centred().dot(&self.b.centred().t()).mapv(|sum| sum as i32)
    }

    /// What FIX makes of an element; the bits of an fp32.
    pub fn fix(&self, value: i32, column: usize) -> i32 {
        let acc = value.wrapping_add(self.bias.as_ref().map_or(0, |bias| bias[column]));
        let (scale, shift) = (self.scales[column], self.shifts[column]);
        let q = match (self.dtype_out.range(), self.rounding) {
            // The processor's fp32 is IEEE 754; adding 0 makes +0 of -0.
            (None, _) => {
                let y = acc as f32 * f32::from_bits(scale) + 0.0;
                return if self.relu { y.max(0.0) } else { y }.to_bits() as i32;
            }
            (Some((i32::MIN, _)), _) => acc,
            (Some((low, high)), Rounding::Onnx) => requantise_exactly(acc, scale, self.zero_point, low, high),
            (Some((low, high)), rounding) => {
                let r = multiply_exactly(rounding, acc, scale, shift).clamp(i32::MIN.into(), i32::MAX.into());
                (r + i128::from(self.zero_point)).clamp(low.into(), high.into()) as i32
            }
        };
        let q = if self.relu { q.max(self.zero_point) } else { q };
        self.clamp.map_or(q, |(low, high)| q.max(low).min(high))
    }

    /// Writes the expected result into memory.
    pub fn expect(&self, memory: &mut SparseMemory) {
        let size = self.dtype_out.bytes(1) as usize;
        let product = self.product();
        for ((i, j), &value) in product.indexed_iter() {
            let column = (j * size) as u64;
            let at = match (self.path, self.layout) {
                (Path::L1, _) => i as u64 * ((product.ncols() * size) as u64 + 5) + column,
                (Path::Gm, Layout::Rows) => i as u64 * u64::from(self.stride) + column,
                (Path::Gm, Layout::Nz) => column / 32 * u64::from(self.stride) + 32 * i as u64 + column % 32,
            };
            let bytes = self.fix(value, j).to_le_bytes();
            memory.write(0x4_0000 + self.out_offset() + at, &bytes[..size]).unwrap();
        }
    }

    /// A rectangle of A times B, to see how much of the result is not trivial.
    pub fn distinct_results(&self) -> usize {
        let product = self.product();
        let row: std::collections::BTreeSet<i32> =
            product.slice(s![0, ..]).iter().enumerate().map(|(j, &value)| self.fix(value, j)).collect();
        row.len()
    }
}
