// SPDX-License-Identifier: Apache-2.0
//! A node as products and convolutions of the core, and the tensor that is put together from their results.

use crate::bound;
use crate::conv;
use crate::error::Result;
use crate::matmul;
use crate::model::{Model, Values};
use crate::node::Node;
use crate::pool;
use crate::tensor::{Elements, Shape, Tensor};
use host::{Compiled, CompiledConv, Conv, Gemm, Product, Report, Transport};
use isa::{Config, Dtype};

/// A program of the core and where its results go.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) work: Work,
    /// A, or the map.
    pub(crate) first: Vec<u8>,
    /// B, or the weights.
    pub(crate) second: Vec<u8>,
    /// Where its results go.
    pub(crate) places: Places,
}

/// Of each element of a product its index in the result.
#[derive(Clone, Debug)]
pub(crate) enum Places {
    /// Rows of a matrix are these rows of the result, `[.., columns]`.
    Rows { rows: Vec<usize>, columns: usize },
    /// Columns of a matrix are.
    Columns { rows: Vec<usize>, columns: usize },
    /// Pixels, channels last, are a region of the images of the result, which has its channels last or second.
    Map { channels: usize, channels_last: bool, out: [usize; 2], region: Region },
}

/// A part of an image: its first line and column, its lines and columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    pub(crate) first: [usize; 2],
    pub(crate) size: [usize; 2],
}

impl Places {
    fn of(&self, index: usize) -> usize {
        match self {
            Places::Rows { rows, columns } => rows[index / columns] * columns + index % columns,
            Places::Columns { rows, columns } => rows[index % rows.len()] * columns + index / rows.len(),
            Places::Map { channels, channels_last, out: [out_h, out_w], region: Region { first, size } } => {
                let (pixel, channel) = (index / channels, index % channels);
                let (x, line) = (first[1] + pixel % size[1], pixel / size[1]);
                let (y, image) = (first[0] + line % size[0], line / size[0]);
                match channels_last {
                    true => ((image * out_h + y) * out_w + x) * channels + channel,
                    false => ((image * channels + channel) * out_h + y) * out_w + x,
                }
            }
        }
    }
}

/// What a piece computes.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Gemm(Gemm),
    Conv(Conv),
}

impl Work {
    fn dtype(&self) -> Dtype {
        match self {
            Work::Gemm(gemm) => gemm.output.dtype(),
            Work::Conv(conv) => conv.output.dtype(),
        }
    }

    fn set_clamp(&mut self, clamp: Option<(i32, i32)>) {
        match self {
            Work::Gemm(gemm) => gemm.clamp = clamp,
            Work::Conv(conv) => conv.clamp = clamp,
        }
    }

    fn macs(&self) -> u64 {
        match self {
            Work::Gemm(gemm) => (gemm.m * gemm.n) as u64 * gemm.k as u64,
            Work::Conv(conv) => conv.macs(),
        }
    }
}

/// A node with its inputs, as work for a core.
#[derive(Clone, Debug)]
pub struct Plan {
    title: String,
    shape: Vec<usize>,
    dtype: Dtype,
    pieces: Vec<Piece>,
}

impl Plan {
    /// The work of a model with these inputs; its constants need not be among them.
    ///
    /// *Errors*: [`OnnxError::Node`](crate::OnnxError::Node) for inputs and attributes that the operator or the core does not admit;
    /// [`OnnxError::Host`](crate::OnnxError::Host) for sizes that cannot be.
    pub fn new(model: &Model, inputs: &Values) -> Result<Plan> {
        let mut values = model.constants.clone();
        values.extend(inputs.iter().map(|(name, tensor)| (name.clone(), tensor.clone())));
        let node = &model.node;
        let built = match node.op.as_str() {
            "MatMulInteger" => matmul::integer(node, &values)?,
            "QLinearMatMul" => matmul::quantised(node, &values)?,
            "ConvInteger" => conv::integer(node, &values)?,
            "QLinearConv" => conv::quantised(node, &values)?,
            "MaxPool" => pool::maximum(node, &values)?,
            "QLinearGlobalAveragePool" => pool::global(node, &values)?,
            _ => pool::average(node, &values)?,
        };
        let Built { operands, shape, mut pieces } = built;
        let dtype = pieces.first().map_or(Dtype::Int32, |piece| piece.work.dtype());
        if let Some(bound) = &model.bound {
            let clamp = bound::bounds(bound, &values, dtype)?;
            pieces.iter_mut().for_each(|piece| piece.work.set_clamp(Some(clamp)));
        }
        let operators = model.operators().join(" + ");
        let title = format!("y{} {} = {operators}({operands})", Shape(&shape), format_name(dtype));
        Ok(Plan { title, shape, dtype, pieces })
    }

    /// What is computed, in a line.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The shape of the result.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// What ONNX calls the number format of the result.
    pub fn dtype(&self) -> &'static str {
        format_name(self.dtype)
    }

    /// How many programs the core runs for it.
    pub fn programs(&self) -> usize {
        self.pieces.len()
    }

    /// Multiplications of numbers that the operator's definition has.
    pub fn macs(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.work.macs()).sum()
    }

    /// Bytes of all operands and results.
    pub fn bytes(&self) -> u128 {
        let size = self.dtype.bytes(1) as u128;
        let operands: usize = self.pieces.iter().map(|piece| piece.first.len() + piece.second.len()).sum();
        operands as u128 + self.shape.iter().product::<usize>() as u128 * size
    }

    /// The programs for a core.
    ///
    /// *Errors*: [`OnnxError::Host`](crate::OnnxError::Host).
    pub fn compile(&self, config: &Config) -> Result<CompiledPlan<'_>> {
        let compile = |piece: &Piece| {
            Ok(match &piece.work {
                Work::Gemm(gemm) => Program::Gemm(Box::new(gemm.compile(config)?)),
                Work::Conv(conv) => Program::Conv(Box::new(conv.compile(config)?)),
            })
        };
        let programs = self.pieces.iter().map(compile).collect::<Result<_>>()?;
        Ok(CompiledPlan { plan: self, programs })
    }
}

/// What an operator's inputs make.
pub(crate) struct Built {
    /// Its operands, in words.
    pub(crate) operands: String,
    /// The shape of the result.
    pub(crate) shape: Vec<usize>,
    /// The programs that compute it, none of another format than the first.
    pub(crate) pieces: Vec<Piece>,
}

/// The most elements of a result.
const RESULT_LIMIT: u128 = 1 << 28;

/// Refuses a result that no simulation ends with.
pub(crate) fn check_result(node: &Node, shape: &[usize]) -> Result<()> {
    let elements = shape.iter().fold(1u128, |product, &size| product.saturating_mul(size as u128));
    if elements <= RESULT_LIMIT {
        return Ok(());
    }
    Err(node.refused(format!(
        "its result is {}, {elements} elements, and at most {RESULT_LIMIT} are possible",
        Shape(shape)
    )))
}

/// A program of a piece.
#[derive(Clone, Debug)]
enum Program {
    Gemm(Box<Compiled>),
    Conv(Box<CompiledConv>),
}

/// A plan made into programs.
#[derive(Clone, Debug)]
pub struct CompiledPlan<'a> {
    plan: &'a Plan,
    programs: Vec<Program>,
}

impl CompiledPlan<'_> {
    /// How many programs the core runs.
    pub fn programs(&self) -> usize {
        self.programs.len()
    }

    /// Estimated cycles of all programs.
    pub fn estimate(&self) -> u64 {
        let estimate = |program: &Program| match program {
            Program::Gemm(compiled) => compiled.tiling().estimate,
            Program::Conv(compiled) => compiled.estimate(),
        };
        self.programs.iter().map(estimate).sum()
    }

    /// Where element `index` of the result, row-major, is computed: the program that writes it, and the address of its first byte in GM.
    pub fn place(&self, index: usize) -> Option<(usize, u64)> {
        let size = u64::from(self.plan.dtype.bytes(1));
        let pieces: Vec<_> = self.plan.pieces.iter().zip(&self.programs).enumerate().collect();
        pieces.into_iter().rev().find_map(|(at, (piece, program))| {
            let (address, elements) = match program {
                Program::Gemm(compiled) => (compiled.result_address(), compiled.gemm().c_bytes()),
                Program::Conv(compiled) => (compiled.result_address(), compiled.conv().y_bytes()),
            };
            let elements = elements / size as usize;
            let within = (0..elements).find(|&within| piece.places.of(within) == index)?;
            Some((at, address + within as u64 * size))
        })
    }

    /// Runs the programs one after the other: the result, and the counters of all of them added up.
    ///
    /// *Errors*: as [`Transport::run`].
    pub fn run(&self, transport: &mut dyn Transport) -> host::Result<(Tensor, Report)> {
        let Plan { shape, dtype, pieces, .. } = self.plan;
        let mut values = vec![0; shape.iter().product()];
        let mut total: Option<Report> = None;
        for (piece, program) in pieces.iter().zip(&self.programs) {
            let product: Product = match program {
                Program::Gemm(compiled) => compiled.run(transport, &piece.first, &piece.second)?,
                Program::Conv(compiled) => compiled.run(transport, &piece.first, &piece.second)?,
            };
            for (index, value) in product.values().into_iter().enumerate() {
                values[piece.places.of(index)] = value;
            }
            match &mut total {
                Some(total) => total.add(&product.report),
                None => total = Some(product.report),
            }
        }
        let elements = match dtype {
            Dtype::S8 => Elements::Int8(values.iter().map(|&value| value as i8).collect()),
            Dtype::U8 => Elements::Uint8(values.iter().map(|&value| value as u8).collect()),
            _ => Elements::Int32(values),
        };
        let report = total.unwrap_or_else(|| Report::new(transport.config(), []));
        Ok((Tensor { shape: shape.clone(), elements }, report))
    }
}

/// What ONNX calls the format of a result.
fn format_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::S8 => "int8",
        Dtype::U8 => "uint8",
        _ => "int32",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_result() {
        let places = |places: Places, count| (0..count).map(|index| places.of(index)).collect::<Vec<_>>();
        // Rows 4 and 1 of a result with three columns.
        assert_eq!(places(Places::Rows { rows: vec![4, 1], columns: 3 }, 6), [12, 13, 14, 3, 4, 5]);
        assert_eq!(places(Places::Columns { rows: vec![4, 1], columns: 3 }, 6), [12, 3, 13, 4, 14, 5]);
        // Two images of two pixels and three channels.
        let whole = Region { first: [0, 0], size: [1, 2] };
        let map = |channels_last, out, region| Places::Map { channels: 3, channels_last, out, region };
        assert_eq!(places(map(false, [1, 2], whole), 12), [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
        assert_eq!(places(map(true, [1, 2], whole), 12), (0..12).collect::<Vec<_>>());
        // The lower right pixel of 2 x 3, of two images.
        let corner = Region { first: [1, 2], size: [1, 1] };
        assert_eq!(places(map(false, [2, 3], corner), 6), [5, 11, 17, 23, 29, 35]);
        assert_eq!(places(map(true, [2, 3], corner), 6), [15, 16, 17, 33, 34, 35]);
    }
}
