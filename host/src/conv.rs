// SPDX-License-Identifier: Apache-2.0
//! Convolutions of any shape: a product whose operand A is made from a feature map while MTE1 loads it.
//!
//! ```text
//! row of A = output pixel, k = (kernel line, kernel column, input channel), column of B = output channel
//! ```
//! How it is cut, and why: `docs/convolution.md`.

mod banks;
mod maps;
mod parts;
mod schedule;
mod tiling;
mod ub;

pub use tiling::ConvTiling;

use crate::channels::{Channels, Output, check_dtype, check_length, check_size, check_zero_point};
use crate::emit::part;
use crate::error::{HostError, Result};
use crate::gemm::{self, Gemm};
use crate::job::Job;
use crate::placement::{self, Product, result_bytes};
use crate::program::Program;
use crate::residual::Residual;
use crate::simulated::MemorySettings;
use crate::transport::Transport;
use isa::limits::GM_ADDRESS_BITS;
use isa::{Config, Dtype};
use parts::{Parts, Slice};
use std::ops::Range;

/// The largest kernel, stride and dilation: 8 bits of `mte1.im2col`.
const STEP_LIMIT: u128 = 255;

/// The most padding on a side: the range of `origin_y`.
const PAD_LIMIT: u128 = 32767;

/// What is done with the taps of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduce {
    /// Their products are added, and the sum is requantised: a convolution.
    Sum,
    /// The products of each tap are requantised, bias and all, and the largest result is kept. It needs results of 8 bits and a core with UB.
    Max,
}

/// What is to be computed, in NHWC:
/// `y[i, oy, ox, c] = fix(sum over ky, kx, ci of (x[i, iy, ix, g cin/groups + ci] - zero_point_x) * (w[c, ky, kx, ci] - zero_points_w[c]) + bias[c])`
/// with `iy = oy stride_y + ky dilation_y - top`, `ix` likewise, `g` the group of channel c; outside the map a term is 0.
///
/// *Shapes*: x \[n, h, w, cin\], weights \[cout, kh, kw, cin / groups\], y \[n, out_h, out_w, cout\], all row-major; no size is 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    /// Images.
    pub n: usize,
    /// Lines of an image.
    pub h: usize,
    /// Pixels of a line.
    pub w: usize,
    /// Channels of a pixel; a multiple of `groups`.
    pub cin: usize,
    /// Channels of a result; a multiple of `groups`.
    pub cout: usize,
    /// Lines and columns of the kernel, at most 255.
    pub kernel: [usize; 2],
    /// Lines and pixels from one output to the next, at most 255.
    pub stride: [usize; 2],
    /// Lines and pixels from one tap to the next, at most 255.
    pub dilation: [usize; 2],
    /// Padding above, left, below, right, at most 32767.
    pub pads: [usize; 4],
    /// Groups of channels that do not mix: 1 for a dense convolution, `cin` for a depthwise one.
    pub groups: usize,
    /// s8 or u8.
    pub dtype_x: Dtype,
    /// s8 or u8.
    pub dtype_w: Dtype,
    /// Subtracted from every element of x; padding stands for it. In the range of its dtype.
    pub zero_point_x: i32,
    /// Subtracted from the weights: none for 0, one for all, or one per output channel.
    pub zero_points_w: Vec<i32>,
    /// Added to every sum, one per output channel.
    pub bias: Option<Vec<i32>>,
    /// What becomes of the sums.
    pub output: Output,
    /// Results not below the zero point (int32: 0).
    pub relu: bool,
    /// Lowest and highest result.
    pub clamp: Option<(i32, i32)>,
    /// A tensor of the result's shape and dtype that joins the results before ReLU and clamp; it needs a core with UB.
    pub residual: Option<Residual>,
    /// What is done with the taps.
    pub reduce: Reduce,
}

impl Conv {
    /// The dense convolution of one s8 image with s8 weights into int32: stride and dilation 1, no padding, no zero points, no bias.
    ///
    /// *Shapes*: `x` \[h, w, cin\], `weights` \[cout, kh, kw\].
    pub fn new([h, w, cin]: [usize; 3], [cout, kh, kw]: [usize; 3]) -> Conv {
        Conv {
            n: 1,
            h,
            w,
            cin,
            cout,
            kernel: [kh, kw],
            stride: [1; 2],
            dilation: [1; 2],
            pads: [0; 4],
            groups: 1,
            dtype_x: Dtype::S8,
            dtype_w: Dtype::S8,
            zero_point_x: 0,
            zero_points_w: vec![],
            bias: None,
            output: Output::Int32,
            relu: false,
            clamp: None,
            residual: None,
            reduce: Reduce::Sum,
        }
    }

    /// The largest number of each window of every channel: a depthwise [`Reduce::Max`] whose weights, [`Conv::w_bytes`] of them, are all 1.
    /// Padding stands for the lowest number, so it never wins over a number of the map.
    ///
    /// *Shapes*: `x` and `y` of so many channels; stride, padding and dilation as of [`Conv::new`].
    pub fn max_pool([h, w, channels]: [usize; 3], [kh, kw]: [usize; 2], dtype: Dtype) -> Conv {
        let lowest = dtype.range().map_or(0, |(low, _)| low);
        Conv {
            groups: channels,
            dtype_x: dtype,
            zero_point_x: lowest,
            output: Output::Quantised { dtype, scales: vec![1.0], zero_point: lowest },
            reduce: Reduce::Max,
            ..Conv::new([h, w, channels], [channels, kh, kw])
        }
    }

    /// Checks everything that does not depend on the core.
    ///
    /// *Errors*: [`HostError::EmptyConv`], [`HostError::TooLarge`], [`HostError::Groups`], [`HostError::KernelOutside`],
    /// [`HostError::OperandLength`], [`HostError::OperandDtype`], [`HostError::ZeroPoint`], [`HostError::Scale`].
    pub fn validate(&self) -> Result<()> {
        let Conv { n, h, w, cin, cout, kernel, stride, dilation, pads, groups, .. } = *self;
        let sizes = [
            ("n", n),
            ("h", h),
            ("w", w),
            ("cin", cin),
            ("cout", cout),
            ("the kernel's height", kernel[0]),
            ("the kernel's width", kernel[1]),
            ("the stride in y", stride[0]),
            ("the stride in x", stride[1]),
            ("the dilation in y", dilation[0]),
            ("the dilation in x", dilation[1]),
            ("groups", groups),
        ];
        if let Some((what, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(HostError::EmptyConv { what });
        }
        for (what, size) in &sizes[5..11] {
            check_size(what, *size as u128, STEP_LIMIT)?;
        }
        for (what, pad) in
            ["the padding above", "the padding left", "the padding below", "the padding right"].iter().zip(pads)
        {
            check_size(what, pad as u128, PAD_LIMIT)?;
        }
        for (what, channels) in [("cin", cin), ("cout", cout)] {
            if !channels.is_multiple_of(groups) {
                return Err(HostError::Groups { what, channels, groups });
            }
        }
        // Lines of the map are stepped over by stride and dilation in one 32-bit stride.
        check_size("a line of x in bytes, times 255,", w as u128 * cin as u128 * STEP_LIMIT, u32::MAX.into())?;
        let limit = 1 << (GM_ADDRESS_BITS - 2);
        check_size("x in bytes", [n, h, w, cin].iter().map(|&size| size as u128).product(), limit)?;
        let taps = (kernel[0] * kernel[1]) as u128;
        // Zeros of merged groups included.
        check_size("the weights in bytes", cout as u128 * taps * cin as u128, limit)?;
        for (axis, size, before, after) in [(0, h, pads[0], pads[2]), (1, w, pads[1], pads[3])] {
            let (padded, reach) = (size + before + after, (kernel[axis] - 1) * dilation[axis] + 1);
            if padded < reach {
                return Err(HostError::KernelOutside { axis: ["y", "x"][axis], reach, padded });
            }
        }
        let [out_h, out_w] = self.out();
        check_size("the output's height", out_h as u128, u16::MAX.into())?;
        let result = [n, out_h, out_w, cout, self.output.bytes()].iter().map(|&size| size as u128).product();
        check_size("the result in bytes", result, limit)?;
        check_size("an output pixel in bytes", (cout * self.output.bytes()) as u128, u32::MAX.into())?;
        check_dtype("x", self.dtype_x)?;
        check_zero_point("x", self.zero_point_x, self.dtype_x)?;
        if self.reduce == Reduce::Max && (self.output.bytes() != 1 || self.residual.is_some()) {
            return Err(HostError::Maximum);
        }
        self.channels().validate()
    }

    /// Lines and pixels of the result; of a legal convolution.
    pub fn out(&self) -> [usize; 2] {
        let out = |axis: usize, size: usize| {
            let padded = size + self.pads[axis] + self.pads[axis + 2];
            (padded - (self.kernel[axis] - 1) * self.dilation[axis] - 1) / self.stride[axis] + 1
        };
        [out(0, self.h), out(1, self.w)]
    }

    /// Output pixels of all images: the rows of the product.
    pub fn pixels(&self) -> usize {
        let [out_h, out_w] = self.out();
        self.n * out_h * out_w
    }

    /// Input channels of a group.
    pub fn group_cin(&self) -> usize {
        self.cin / self.groups
    }

    /// Output channels of a group.
    pub fn group_cout(&self) -> usize {
        self.cout / self.groups
    }

    /// Multiply-accumulates, those with padding included.
    pub fn macs(&self) -> u64 {
        self.pixels() as u64 * self.w_bytes() as u64
    }

    /// Bytes of x.
    pub fn x_bytes(&self) -> usize {
        self.n * self.h * self.w * self.cin
    }

    /// Bytes of the weights.
    pub fn w_bytes(&self) -> usize {
        self.cout * self.kernel[0] * self.kernel[1] * self.group_cin()
    }

    /// Bytes of the result.
    pub fn y_bytes(&self) -> usize {
        result_bytes(self.pixels() * self.cout, &self.output)
    }

    /// Cube steps that a core of this configuration needs if it does one group and one image after the other:
    /// n groups ceil(out_h out_w / M0) ceil(cout of a group / N0) ceil(kh kw cin of a group / K0).
    pub fn packed_steps(&self, config: &Config) -> u64 {
        let k = self.kernel[0] * self.kernel[1] * self.group_cin();
        (self.n * self.groups) as u64 * config.cube_steps(self.pixels() / self.n, self.group_cout(), k)
    }

    /// Cube steps if the channels of a group were padded to a multiple of `c0` at every tap, as cores do that keep feature maps in units
    /// of c0 channels: n groups ceil(out_h out_w / M0) ceil(cout of a group / N0) ceil(kh kw ceil(cin of a group / c0) c0 / K0).
    pub fn padded_steps(&self, config: &Config, c0: usize) -> u64 {
        let k = self.kernel[0] * self.kernel[1] * self.group_cin().next_multiple_of(c0);
        (self.n * self.groups) as u64 * config.cube_steps(self.pixels() / self.n, self.group_cout(), k)
    }

    /// What is done per output channel.
    pub(crate) fn channels(&self) -> Channels<'_> {
        Channels {
            n: self.cout,
            operand: "the weights",
            dtype: self.dtype_w,
            zero_points: &self.zero_points_w,
            bias: self.bias.as_deref(),
            output: &self.output,
            relu: self.relu,
            clamp: self.clamp,
            residual: self.residual,
        }
    }

    /// Steps of k of a slice, at most `size` elements each; where every tap has a result of its own, none goes over the end of a tap.
    fn k_steps<'a>(&self, slice: &'a Slice, size: usize) -> impl Iterator<Item = Range<usize>> + use<'a> {
        let run = match self.reduce {
            Reduce::Sum => slice.k,
            Reduce::Max => slice.channels.len(),
        };
        (0..slice.k).step_by(run.max(1)).flat_map(move |first| {
            (0..run.div_ceil(size)).map(move |index| {
                let step = part(index, size, run);
                first + step.start..first + step.end
            })
        })
    }

    /// Results that are made of every output: one per tap where the largest is kept.
    fn results(&self) -> usize {
        match self.reduce {
            Reduce::Sum => 1,
            Reduce::Max => self.kernel[0] * self.kernel[1],
        }
    }

    /// The product that this convolution is, if it is one without further ado: 1 x 1, dense, every pixel once.
    fn as_gemm(&self) -> Option<Gemm> {
        let plain = self.kernel == [1; 2] && self.stride == [1; 2] && self.pads == [0; 4] && self.groups == 1;
        plain.then(|| Gemm {
            dtype_a: self.dtype_x,
            dtype_b: self.dtype_w,
            transposed_b: true,
            zero_point_a: self.zero_point_x,
            zero_points_b: self.zero_points_w.clone(),
            bias: self.bias.clone(),
            output: self.output.clone(),
            relu: self.relu,
            clamp: self.clamp,
            residual: self.residual,
            ..Gemm::new(self.pixels(), self.cout, self.cin)
        })
    }

    /// The convolution as a program for a core; it runs with the same result on every core with buffers as large or larger.
    ///
    /// *Errors*: as [`Conv::validate`]; [`HostError::NoTiling`] if the core is too small; [`HostError::Config`] if it is illegal.
    pub fn compile(&self, config: &Config) -> Result<CompiledConv> {
        self.compile_behind(config, &MemorySettings::assumed())
    }

    /// As [`Conv::compile`], cut for a memory that behaves like this one.
    ///
    /// *Errors*: as [`Conv::compile`].
    pub fn compile_behind(&self, config: &Config, memory: &MemorySettings) -> Result<CompiledConv> {
        self.validate()?;
        config.validate()?;
        let maps = || -> Result<CompiledConv> {
            let tiling = ConvTiling::choose(self, config, memory)?;
            let parts = Parts::new(self, &tiling.cut());
            let instructions = schedule::program(self, &tiling, &parts, config)?;
            let sizes = (self.x_bytes(), parts.weight_bytes, self.y_bytes());
            let program = placement::placed(instructions, sizes.0, sizes.1, sizes.2, &self.channels())?;
            Ok(CompiledConv { conv: self.clone(), plan: Plan::Maps { tiling, parts, program } })
        };
        let Some(gemm) = self.as_gemm() else { return maps() };
        let product = CompiledConv { conv: self.clone(), plan: Plan::Gemm(gemm.compile_behind(config, memory)?) };
        // Pixels of few channels are rows too short for the bus, and a map comes in long ones.
        match maps() {
            Ok(maps) if maps.estimate() < product.estimate() => Ok(maps),
            _ => Ok(product),
        }
    }
}

/// A convolution made into a program.
#[derive(Clone, Debug)]
pub struct CompiledConv {
    conv: Conv,
    plan: Plan,
}

/// The two ways.
#[derive(Clone, Debug)]
enum Plan {
    /// A product of matrices that lie in memory.
    Gemm(gemm::Compiled),
    /// A product whose A is made from maps.
    Maps { tiling: ConvTiling, parts: Parts, program: Program },
}

impl CompiledConv {
    /// The convolution.
    pub fn conv(&self) -> &Conv {
        &self.conv
    }

    /// Where the first byte of the result lies in GM after the run.
    pub fn result_address(&self) -> u64 {
        match &self.plan {
            Plan::Gemm(compiled) => compiled.result_address(),
            Plan::Maps { program, .. } => placement::result_address(program),
        }
    }

    /// How it is cut; `None` if it runs as a matrix product.
    pub fn tiling(&self) -> Option<&ConvTiling> {
        match &self.plan {
            Plan::Gemm(_) => None,
            Plan::Maps { tiling, .. } => Some(tiling),
        }
    }

    /// Estimated cycles.
    pub fn estimate(&self) -> u64 {
        match &self.plan {
            Plan::Gemm(compiled) => compiled.tiling().estimate,
            Plan::Maps { tiling, .. } => tiling.estimate,
        }
    }

    /// The program with its place in GM.
    pub fn program(&self) -> &Program {
        match &self.plan {
            Plan::Gemm(compiled) => compiled.program(),
            Plan::Maps { program, .. } => program,
        }
    }

    /// Writes the operands, runs the program, reads the result.
    ///
    /// *Shapes*: `x` \[n, h, w, cin\], `weights` \[cout, kh, kw, cin / groups\], row-major, a byte per element, s8 as two's complement.
    /// *Errors*: [`HostError::OperandLength`]; as [`Transport::run`].
    pub fn run(&self, transport: &mut dyn Transport, x: &[u8], weights: &[u8]) -> Result<Product> {
        placement::run(&self.job(x, weights)?, transport, &self.conv.output)
    }

    /// The program with these operands. `x` lies in memory as it is; the weights lie there as the program takes them, which for most
    /// convolutions is another order, with zeros where groups do not mix.
    ///
    /// *Shapes*: as [`CompiledConv::run`].
    /// *Errors*: [`HostError::OperandLength`].
    pub fn job<'a>(&'a self, x: &'a [u8], weights: &'a [u8]) -> Result<Job<'a>> {
        self.job_with(x, weights, &[])
    }

    /// As [`CompiledConv::job`], of a convolution with a residual \[n, out_h, out_w, cout\].
    ///
    /// *Errors*: [`HostError::OperandLength`].
    pub fn job_with<'a>(&'a self, x: &'a [u8], weights: &'a [u8], residual: &'a [u8]) -> Result<Job<'a>> {
        let conv = &self.conv;
        check_length("x", conv.x_bytes(), x.len())?;
        check_length("the weights", conv.w_bytes(), weights.len())?;
        placement::check_residual(&conv.channels(), conv.pixels() * conv.cout, residual)?;
        // As MTE2 takes them: the weights of one slice after the other.
        let (program, bytes, arranged) = match &self.plan {
            Plan::Gemm(compiled) => (compiled.program(), weights.len(), weights.into()),
            Plan::Maps { parts, program, .. } => (program, parts.weight_bytes, parts.arrange(conv, weights).into()),
        };
        let map = ("x", conv.dtype_x, vec![conv.n, conv.h, conv.w, conv.cin], x.into());
        let arranged = ("w_arranged", conv.dtype_w, vec![bytes], arranged);
        let [out_h, out_w] = conv.out();
        let shape = vec![conv.n, out_h, out_w, conv.cout];
        Ok(placement::job(program, [map, arranged], residual, "zero_point_w", shape, &conv.channels()))
    }
}

/// As [`conv2d`], of a convolution with a residual \[n, out_h, out_w, cout\].
///
/// *Shapes* and *errors*: as [`Conv::compile`] and [`CompiledConv::job_with`].
pub fn conv2d_with(
    transport: &mut dyn Transport,
    conv: &Conv,
    x: &[u8],
    weights: &[u8],
    residual: &[u8],
) -> Result<Product> {
    let compiled = conv.compile(transport.config())?;
    placement::run(&compiled.job_with(x, weights, residual)?, transport, &conv.output)
}

/// Compiles a convolution for the core behind `transport` and runs it.
///
/// *Shapes* and *errors*: as [`Conv::compile`] and [`CompiledConv::run`].
pub fn conv2d(transport: &mut dyn Transport, conv: &Conv, x: &[u8], weights: &[u8]) -> Result<Product> {
    conv.compile(transport.config())?.run(transport, x, weights)
}
