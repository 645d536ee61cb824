// SPDX-License-Identifier: Apache-2.0
//! Where operands, results, parameters and code lie in GM, as a program and as a job.

use crate::channels::{Channels, Output, check_length};
use crate::error::Result;
use crate::job::{Job, Operand, ResultPlace};
use crate::program::Program;
use crate::report::Report;
use crate::transport::Transport;
use isa::csr::{RIGHT_READ, RIGHT_WRITE};
use isa::{Dtype, FbField, Inst};
use model::Window;
use std::borrow::Cow;

/// Operands, results and code lie in GM at multiples of this, each beginning a page of its own.
const ALIGN: u64 = 4096;

/// Base registers of the operands.
pub(crate) mod base {
    pub(crate) const A: u8 = 0;
    pub(crate) const B: u8 = 1;
    pub(crate) const C: u8 = 2;
    /// Bias int32, scale fp32 or multiplier int32, zero point s16, shift s8, one array of n each, at multiples of 64 bytes.
    pub(crate) const PARAMETERS: u8 = 3;
    /// The residual, if there is one.
    pub(crate) const RESIDUAL: u8 = 4;
}

/// The instructions as a program over operands of these sizes in bytes.
pub(crate) fn placed(instructions: Vec<Inst>, a: usize, b: usize, c: usize, channels: &Channels) -> Result<Program> {
    let mut end = ALIGN;
    let mut bases = vec![];
    let mut windows = vec![];
    let residual = channels.residual.map(|_| (base::RESIDUAL, c, RIGHT_READ));
    let places = [
        (base::A, a, RIGHT_READ),
        (base::B, b, RIGHT_READ),
        (base::C, c, RIGHT_WRITE),
        (base::PARAMETERS, channels.parameter_bytes(), RIGHT_READ),
    ];
    for (base, bytes, rights) in places.into_iter().chain(residual) {
        let bytes = bytes.max(1) as u64;
        assert_eq!(bases.len(), usize::from(base), "places stand in the order of their bases");
        bases.push(end);
        windows.push(Window { first: end, last: end + bytes - 1, rights });
        end = (end + bytes).next_multiple_of(ALIGN);
    }
    Program::new(instructions, end, bases, windows)
}

/// Where the result of a program made by [`placed`] begins.
pub(crate) fn result_address(program: &Program) -> u64 {
    program.bases()[usize::from(base::C)]
}

/// An operand: name, dtype, shape, bytes.
pub(crate) type Array<'a> = (&'static str, Dtype, Vec<usize>, Cow<'a, [u8]>);

/// A program made by [`placed`] with its operands A and B, its residual (empty if there is none) and its parameters; `zero_point` is the
/// name of those of B.
pub(crate) fn job<'a>(
    program: &'a Program,
    [a, b]: [Array<'a>; 2],
    residual: &'a [u8],
    zero_point: &'static str,
    shape: Vec<usize>,
    channels: &Channels,
) -> Job<'a> {
    let place = |base: u8| program.bases()[usize::from(base)];
    let operand = |base, (name, dtype, shape, bytes): Array<'a>| Operand {
        name,
        address: place(base),
        dtype: numpy_name(dtype),
        shape,
        bytes,
    };
    let mut operands = vec![operand(base::A, a), operand(base::B, b)];
    for (field, offset, bytes) in channels.parameter_arrays() {
        let (name, dtype) = match field {
            FbField::Bias => ("bias", "int32"),
            FbField::Scale if matches!(channels.output, Output::Fixed { .. }) => ("multiplier", "int32"),
            FbField::Scale => ("scale", "float32"),
            FbField::Shift => ("shift", "int8"),
            FbField::ZeroPoint => (zero_point, "int16"),
        };
        let address = place(base::PARAMETERS) + offset;
        operands.push(Operand { name, address, dtype, shape: vec![channels.n], bytes: bytes.into() });
    }
    if channels.residual.is_some() {
        operands.push(operand(base::RESIDUAL, ("residual", channels.output.dtype(), shape.clone(), residual.into())));
    }
    let bytes = result_bytes(shape.iter().product(), channels.output);
    let result = ResultPlace { address: place(base::C), dtype: numpy_name(channels.output.dtype()), shape, bytes };
    Job { program, operands, result }
}

/// Checks that a residual is there where one is needed: as many elements as the result has.
pub(crate) fn check_residual(channels: &Channels, elements: usize, residual: &[u8]) -> Result<()> {
    let expected = if channels.residual.is_some() { elements } else { 0 };
    check_length("the residual", expected, residual.len())
}

/// Runs a job, whose result is that of `output`.
pub(crate) fn run(job: &Job, transport: &mut dyn Transport, output: &Output) -> Result<Product> {
    let (c, report) = job.run(transport)?;
    Ok(Product { dtype: output.dtype(), c, report, address: job.result.address })
}

/// What NumPy calls the numbers of operands and results.
fn numpy_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::S8 => "int8",
        Dtype::U8 => "uint8",
        Dtype::Fp32 => "float32",
        _ => "int32",
    }
}

/// A result with its counters.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// dtype of the result.
    pub dtype: Dtype,
    /// C \[m, n\] of a product, \[n, out_h, out_w, cout\] of a convolution; row-major, little-endian.
    pub c: Vec<u8>,
    /// Counters of the run.
    pub report: Report,
    /// Where the first byte of `c` lay in GM.
    pub address: u64,
}

impl Product {
    /// The first byte in GM of element `index`, row-major.
    pub fn address_of(&self, index: usize) -> u64 {
        self.address + index as u64 * u64::from(self.dtype.bytes(1))
    }

    /// The elements, row-major; of fp32 results the bits.
    pub fn values(&self) -> Vec<i32> {
        match self.dtype {
            Dtype::S8 => self.c.iter().map(|&byte| i32::from(byte as i8)).collect(),
            Dtype::U8 => self.c.iter().map(|&byte| i32::from(byte)).collect(),
            _ => self.c.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes)).collect(),
        }
    }
}

/// Bytes of `elements` results.
pub(crate) fn result_bytes(elements: usize, output: &Output) -> usize {
    elements * output.bytes()
}
