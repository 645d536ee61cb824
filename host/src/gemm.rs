// SPDX-License-Identifier: Apache-2.0
//! Matrix products of any size: C = A x B with bias, requantisation and ReLU, as programs for a core.

mod schedule;
mod tiling;

pub use tiling::Tiling;
pub(crate) use tiling::{INSTRUCTIONS_PER_STEP, LEAST_SLOTS, MOST_INSTRUCTIONS, STEP_CYCLES, sizes};

use crate::channels::{Channels, Output, check_dtype, check_length, check_size, check_zero_point};
use crate::error::{HostError, Result};
use crate::job::Job;
use crate::placement::{self, Product, result_bytes};
use crate::program::Program;
use crate::residual::Residual;
use crate::simulated::MemorySettings;
use crate::transport::Transport;
use isa::limits::GM_ADDRESS_BITS;
use isa::{Config, Dtype};

/// What is to be computed: `C[i, j] = fix(sum over l of (A[i, l] - zero_point_a) * (B[l, j] - zero_points_b[j]) + bias[j])`.
///
/// *Shapes*: A \[m, k\], B \[k, n\] or transposed \[n, k\], C \[m, n\], all row-major; m, n, k at least 1.
/// *Source* of the rules: `docs/numerics.md`.
#[derive(Clone, Debug, PartialEq)]
pub struct Gemm {
    /// Rows of A and C.
    pub m: usize,
    /// Columns of B and C.
    pub n: usize,
    /// Columns of A, rows of B.
    pub k: usize,
    /// s8 or u8.
    pub dtype_a: Dtype,
    /// s8 or u8.
    pub dtype_b: Dtype,
    /// B is stored \[n, k\].
    pub transposed_b: bool,
    /// Subtracted from every element of A; in the range of its dtype.
    pub zero_point_a: i32,
    /// Subtracted from the elements of B: none for 0, one for all, or one per column.
    pub zero_points_b: Vec<i32>,
    /// Added to every sum, one per column.
    pub bias: Option<Vec<i32>>,
    /// What becomes of the sums.
    pub output: Output,
    /// Results not below the zero point (int32: 0).
    pub relu: bool,
    /// Lowest and highest result.
    pub clamp: Option<(i32, i32)>,
    /// A tensor of the result's shape and dtype that joins the results before ReLU and clamp; it needs a core with UB.
    pub residual: Option<Residual>,
}

impl Gemm {
    /// The product of two s8 matrices into int32, without zero points and bias.
    pub fn new(m: usize, n: usize, k: usize) -> Gemm {
        Gemm {
            m,
            n,
            k,
            dtype_a: Dtype::S8,
            dtype_b: Dtype::S8,
            transposed_b: false,
            zero_point_a: 0,
            zero_points_b: vec![],
            bias: None,
            output: Output::Int32,
            relu: false,
            clamp: None,
            residual: None,
        }
    }

    /// Checks everything that does not depend on the core.
    ///
    /// *Errors*: [`HostError::EmptyShape`], [`HostError::TooLarge`], [`HostError::OperandLength`], [`HostError::OperandDtype`],
    /// [`HostError::ZeroPoint`], [`HostError::Scale`].
    pub fn validate(&self) -> Result<()> {
        let Gemm { m, n, k, .. } = *self;
        if m == 0 || n == 0 || k == 0 {
            return Err(HostError::EmptyShape { m, n, k });
        }
        let size = self.output.bytes() as u128;
        for (what, bytes) in [
            ("a row of A in bytes", k as u128),
            ("a row of B in bytes", if self.transposed_b { k } else { n } as u128),
            ("a row of C in bytes", n as u128 * size),
        ] {
            check_size(what, bytes, u32::MAX.into())?;
        }
        for (what, rows, row) in [("A", m, k as u128), ("B", k, n as u128), ("C", m, n as u128 * size)] {
            check_size(what, rows as u128 * row, 1 << (GM_ADDRESS_BITS - 2))?;
        }
        check_dtype("A", self.dtype_a)?;
        check_zero_point("A", self.zero_point_a, self.dtype_a)?;
        self.channels().validate()
    }

    /// Bytes of A.
    pub fn a_bytes(&self) -> usize {
        self.m * self.k
    }

    /// Bytes of B.
    pub fn b_bytes(&self) -> usize {
        self.k * self.n
    }

    /// Bytes of C.
    pub fn c_bytes(&self) -> usize {
        result_bytes(self.m * self.n, &self.output)
    }

    /// What is done per column.
    pub(crate) fn channels(&self) -> Channels<'_> {
        Channels {
            n: self.n,
            operand: "B",
            dtype: self.dtype_b,
            zero_points: &self.zero_points_b,
            bias: self.bias.as_deref(),
            output: &self.output,
            relu: self.relu,
            clamp: self.clamp,
            residual: self.residual,
        }
    }

    /// The product as a program for a core; it runs with the same result on every core with buffers as large or larger.
    ///
    /// *Errors*: as [`Gemm::validate`]; [`HostError::NoTiling`] if the core is too small; [`HostError::Config`] if it is illegal.
    pub fn compile(&self, config: &Config) -> Result<Compiled> {
        self.compile_behind(config, &MemorySettings::assumed())
    }

    /// As [`Gemm::compile`], cut for a memory that behaves like this one.
    ///
    /// *Errors*: as [`Gemm::compile`].
    pub fn compile_behind(&self, config: &Config, memory: &MemorySettings) -> Result<Compiled> {
        self.validate()?;
        self.compile_tiled(config, Tiling::choose(self, config, memory)?)
    }

    /// As [`Gemm::compile`] with a tiling made for the same product and core.
    ///
    /// *Errors*: as [`Gemm::compile`].
    pub fn compile_tiled(&self, config: &Config, tiling: Tiling) -> Result<Compiled> {
        self.validate()?;
        config.validate()?;
        self.scheduled(config, tiling, false)
    }

    /// The product with all operands in L1 before it begins: MTE2 brings them, then a barrier, then the rest of the program, in which
    /// MTE2 does nothing. So products are measured that find their operands in L1.
    ///
    /// *Errors*: as [`Gemm::compile`]; [`HostError::NoTiling`] also if L1 does not hold both operands.
    pub fn compile_resident(&self, config: &Config) -> Result<Compiled> {
        self.validate()?;
        config.validate()?;
        self.scheduled(config, Tiling::resident(self, config)?, true)
    }

    fn scheduled(&self, config: &Config, tiling: Tiling, resident: bool) -> Result<Compiled> {
        let instructions = schedule::program(self, &tiling, config, resident)?;
        let sizes = (self.a_bytes(), self.b_bytes(), self.c_bytes());
        let program = placement::placed(instructions, sizes.0, sizes.1, sizes.2, &self.channels())?;
        Ok(Compiled { gemm: self.clone(), tiling, program })
    }
}

/// A product made into a program.
#[derive(Clone, Debug)]
pub struct Compiled {
    gemm: Gemm,
    tiling: Tiling,
    program: Program,
}

impl Compiled {
    /// The product.
    pub fn gemm(&self) -> &Gemm {
        &self.gemm
    }

    /// How it is cut.
    pub fn tiling(&self) -> &Tiling {
        &self.tiling
    }

    /// The program with its place in GM.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Where the first byte of C lies in GM after the run.
    pub fn result_address(&self) -> u64 {
        placement::result_address(&self.program)
    }

    /// The program with these operands: all that memory has to hold before the start.
    ///
    /// *Shapes*: as [`Compiled::run`]. *Errors*: [`HostError::OperandLength`].
    pub fn job<'a>(&'a self, a: &'a [u8], b: &'a [u8]) -> Result<Job<'a>> {
        self.job_with(a, b, &[])
    }

    /// As [`Compiled::job`], of a product with a residual \[m, n\].
    ///
    /// *Errors*: [`HostError::OperandLength`].
    pub fn job_with<'a>(&'a self, a: &'a [u8], b: &'a [u8], residual: &'a [u8]) -> Result<Job<'a>> {
        let gemm = &self.gemm;
        let Gemm { m, n, k, .. } = *gemm;
        check_length("A", gemm.a_bytes(), a.len())?;
        check_length("B", gemm.b_bytes(), b.len())?;
        placement::check_residual(&gemm.channels(), m * n, residual)?;
        let b_shape = if gemm.transposed_b { [n, k] } else { [k, n] };
        let operands = [("a", gemm.dtype_a, vec![m, k], a.into()), ("b", gemm.dtype_b, b_shape.to_vec(), b.into())];
        Ok(placement::job(&self.program, operands, residual, "zero_point_b", vec![m, n], &gemm.channels()))
    }

    /// Writes the operands, runs the program, reads the result.
    ///
    /// *Shapes*: `a` \[m, k\], `b` \[k, n\] or \[n, k\], row-major, a byte per element, s8 as two's complement.
    /// *Errors*: [`HostError::OperandLength`]; as [`Transport::run`].
    pub fn run(&self, transport: &mut dyn Transport, a: &[u8], b: &[u8]) -> Result<Product> {
        placement::run(&self.job(a, b)?, transport, &self.gemm.output)
    }
}

/// As [`gemm`], of a product with a residual \[m, n\].
///
/// *Shapes* and *errors*: as [`Gemm::compile`] and [`Compiled::job_with`].
pub fn gemm_with(transport: &mut dyn Transport, gemm: &Gemm, a: &[u8], b: &[u8], residual: &[u8]) -> Result<Product> {
    let compiled = gemm.compile(transport.config())?;
    placement::run(&compiled.job_with(a, b, residual)?, transport, &gemm.output)
}

/// Compiles a product for the core behind `transport` and runs it.
///
/// *Shapes* and *errors*: as [`Gemm::compile`] and [`Compiled::run`].
pub fn gemm(transport: &mut dyn Transport, gemm: &Gemm, a: &[u8], b: &[u8]) -> Result<Product> {
    gemm.compile(transport.config())?.run(transport, a, b)
}
