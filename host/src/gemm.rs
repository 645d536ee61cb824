// SPDX-License-Identifier: Apache-2.0
//! Matrix products of any size: C = A x B with bias, requantisation and ReLU, as programs for a core.

mod schedule;
mod slots;
mod tiling;

pub use tiling::Tiling;

use crate::error::{HostError, Result};
use crate::job::{Job, Operand, ResultPlace};
use crate::program::Program;
use crate::report::Report;
use crate::transport::Transport;
use isa::csr::{RIGHT_READ, RIGHT_WRITE};
use isa::limits::GM_ADDRESS_BITS;
use isa::{Config, Dtype, FbField};
use model::Window;
use schedule::base;

/// Operands, results and code lie in GM at multiples of this, each beginning a page of its own.
const ALIGN: u64 = 4096;

/// The parameter arrays lie at multiples of this many bytes.
const PARAMETER_ALIGN: usize = 64;

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
}

/// What FIX makes of the int32 sums.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// They stay int32, modulo 2^32.
    Int32,
    /// Times a scale, rounded half to even, plus zero point, saturated: mode `onnx`.
    Quantised {
        /// s8 or u8.
        dtype: Dtype,
        /// One, or one per column; finite, positive and normal.
        scales: Vec<f32>,
        /// In the range of dtype.
        zero_point: i32,
    },
}

impl Output {
    /// The dtype of the results.
    pub fn dtype(&self) -> Dtype {
        match self {
            Output::Int32 => Dtype::Int32,
            Output::Quantised { dtype, .. } => *dtype,
        }
    }
}

/// Where a parameter array lies, one number per column.
pub(crate) struct Parameter {
    /// Bytes per column.
    bytes: usize,
    /// Bytes per column of the arrays before it.
    before: usize,
}

impl Parameter {
    fn gm_offset(&self, n: usize) -> usize {
        self.before * n.next_multiple_of(PARAMETER_ALIGN)
    }

    fn l1_offset(&self, n: usize) -> usize {
        self.before * n
    }
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
        let size = u128::from(self.output.dtype().bytes(1));
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
        check_dtype("B", self.dtype_b)?;
        check_zero_point("A", self.zero_point_a, self.dtype_a)?;
        if self.zero_points_b.len() > 1 {
            check_length("zero_points_b", n, self.zero_points_b.len())?;
        }
        self.zero_points_b.iter().try_for_each(|&zero_point| check_zero_point("B", zero_point, self.dtype_b))?;
        if let Some(bias) = &self.bias {
            check_length("bias", n, bias.len())?;
        }
        if let Output::Quantised { dtype, scales, zero_point } = &self.output {
            check_dtype("C", *dtype)?;
            check_zero_point("C", *zero_point, *dtype)?;
            if scales.len() != 1 {
                check_length("scales", n, scales.len())?;
            }
            let bad = scales.iter().position(|scale| !scale.is_normal() || *scale < 0.0);
            if let Some(channel) = bad {
                return Err(HostError::Scale { channel, value: scales[channel] });
            }
        }
        Ok(())
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
        self.m * self.n * self.output.dtype().bytes(1) as usize
    }

    /// The parameter array that goes into a field of FB, if the product has one.
    pub(crate) fn parameter(&self, field: FbField) -> Option<Parameter> {
        match (field, &self.output) {
            (FbField::Bias, _) if self.bias.is_some() => Some(Parameter { bytes: 4, before: 0 }),
            (FbField::Scale, Output::Quantised { scales, .. }) if scales.len() > 1 => {
                Some(Parameter { bytes: 4, before: 4 })
            }
            (FbField::ZeroPoint, _) if self.zero_points_b.len() > 1 => Some(Parameter { bytes: 2, before: 8 }),
            _ => None,
        }
    }

    /// The numbers of the parameter array that goes into a field of FB, little-endian; empty without them.
    fn parameter_bytes(&self, field: FbField) -> Vec<u8> {
        match (field, &self.output) {
            (FbField::Bias, _) => self.bias.iter().flatten().flat_map(|bias| bias.to_le_bytes()).collect(),
            (FbField::Scale, Output::Quantised { scales, .. }) => {
                scales.iter().flat_map(|scale| scale.to_le_bytes()).collect()
            }
            (FbField::ZeroPoint, _) => {
                self.zero_points_b.iter().flat_map(|&zero_point| (zero_point as i16).to_le_bytes()).collect()
            }
            _ => vec![],
        }
    }

    /// True if something goes through FB.
    pub(crate) fn has_parameters(&self) -> bool {
        FbField::ALL.iter().any(|&field| self.parameter(field).is_some())
    }

    /// The product as a program for a core; it runs with the same result on every core with buffers as large or larger.
    ///
    /// *Errors*: as [`Gemm::validate`]; [`HostError::NoTiling`] if the core is too small; [`HostError::Config`] if it is illegal.
    pub fn compile(&self, config: &Config) -> Result<Compiled> {
        self.validate()?;
        self.compile_tiled(config, Tiling::choose(self, config)?)
    }

    /// As [`Gemm::compile`] with a tiling made for the same product and core.
    ///
    /// *Errors*: as [`Gemm::compile`].
    pub fn compile_tiled(&self, config: &Config, tiling: Tiling) -> Result<Compiled> {
        self.validate()?;
        config.validate()?;
        let mut end = ALIGN;
        let mut region = |bytes: usize| {
            let first = end;
            end = (end + bytes.max(1) as u64).next_multiple_of(ALIGN);
            (first, first + bytes.max(1) as u64 - 1)
        };
        let a = region(self.a_bytes());
        let b = region(self.b_bytes());
        let c = region(self.c_bytes());
        let parameters = region(10 * self.n.next_multiple_of(PARAMETER_ALIGN));
        let mut bases = vec![0; 4];
        let mut windows = vec![];
        for (base, (first, last), rights) in [
            (base::A, a, RIGHT_READ),
            (base::B, b, RIGHT_READ),
            (base::C, c, RIGHT_WRITE),
            (base::PARAMETERS, parameters, RIGHT_READ),
        ] {
            bases[usize::from(base)] = first;
            windows.push(Window { first, last, rights });
        }
        let program = Program::new(schedule::program(self, &tiling, config), end, bases, windows)?;
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

    /// The program with these operands: all that memory has to hold before the start.
    ///
    /// *Shapes*: as [`Compiled::run`]. *Errors*: [`HostError::OperandLength`].
    pub fn job<'a>(&'a self, a: &'a [u8], b: &'a [u8]) -> Result<Job<'a>> {
        let gemm = &self.gemm;
        let Gemm { m, n, k, .. } = *gemm;
        check_length("A", gemm.a_bytes(), a.len())?;
        check_length("B", gemm.b_bytes(), b.len())?;
        let place = |base: u8| self.program.bases()[usize::from(base)];
        let matrix = |name, base, dtype, shape: [usize; 2], bytes: &'a [u8]| Operand {
            name,
            address: place(base),
            dtype: numpy_name(dtype),
            shape: shape.to_vec(),
            bytes: bytes.into(),
        };
        let b_shape = if gemm.transposed_b { [n, k] } else { [k, n] };
        let mut operands =
            vec![matrix("a", base::A, gemm.dtype_a, [m, k], a), matrix("b", base::B, gemm.dtype_b, b_shape, b)];
        for (field, name, dtype) in [
            (FbField::Bias, "bias", "int32"),
            (FbField::Scale, "scale", "float32"),
            (FbField::ZeroPoint, "zero_point_b", "int16"),
        ] {
            let Some(parameter) = gemm.parameter(field) else { continue };
            let address = place(base::PARAMETERS) + parameter.gm_offset(n) as u64;
            let bytes = gemm.parameter_bytes(field).into();
            operands.push(Operand { name, address, dtype, shape: vec![n], bytes });
        }
        let dtype = numpy_name(gemm.output.dtype());
        let result = ResultPlace { address: place(base::C), dtype, shape: vec![m, n], bytes: gemm.c_bytes() };
        Ok(Job { program: &self.program, operands, result })
    }

    /// Writes the operands, runs the program, reads the result.
    ///
    /// *Shapes*: `a` \[m, k\], `b` \[k, n\] or \[n, k\], row-major, a byte per element, s8 as two's complement.
    /// *Errors*: [`HostError::OperandLength`]; as [`Transport::run`].
    pub fn run(&self, transport: &mut dyn Transport, a: &[u8], b: &[u8]) -> Result<Product> {
        let (c, report) = self.job(a, b)?.run(transport)?;
        Ok(Product { dtype: self.gemm.output.dtype(), c, report })
    }
}

/// A result with its counters.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// dtype of C.
    pub dtype: Dtype,
    /// C \[m, n\], row-major, little-endian.
    pub c: Vec<u8>,
    /// Counters of the run.
    pub report: Report,
}

impl Product {
    /// The elements of C \[m, n\], row-major.
    pub fn values(&self) -> Vec<i32> {
        match self.dtype {
            Dtype::S8 => self.c.iter().map(|&byte| i32::from(byte as i8)).collect(),
            Dtype::U8 => self.c.iter().map(|&byte| i32::from(byte)).collect(),
            _ => self.c.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes)).collect(),
        }
    }
}

/// Compiles a product for the core behind `transport` and runs it.
///
/// *Shapes* and *errors*: as [`Gemm::compile`] and [`Compiled::run`].
pub fn gemm(transport: &mut dyn Transport, gemm: &Gemm, a: &[u8], b: &[u8]) -> Result<Product> {
    gemm.compile(transport.config())?.run(transport, a, b)
}

fn check_size(what: &'static str, size: u128, limit: u128) -> Result<()> {
    if size <= limit { Ok(()) } else { Err(HostError::TooLarge { what, size, limit }) }
}

fn check_length(operand: &'static str, expected: usize, got: usize) -> Result<()> {
    if expected == got { Ok(()) } else { Err(HostError::OperandLength { operand, expected, got }) }
}

fn check_dtype(operand: &'static str, dtype: Dtype) -> Result<()> {
    if matches!(dtype, Dtype::S8 | Dtype::U8) { Ok(()) } else { Err(HostError::OperandDtype { operand, dtype }) }
}

fn check_zero_point(operand: &'static str, value: i32, dtype: Dtype) -> Result<()> {
    let fits = dtype.range().is_some_and(|(low, high)| (low..=high).contains(&value));
    if fits { Ok(()) } else { Err(HostError::ZeroPoint { operand, value, dtype }) }
}

/// What NumPy calls the numbers of operands and results.
fn numpy_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::S8 => "int8",
        Dtype::U8 => "uint8",
        _ => "int32",
    }
}
