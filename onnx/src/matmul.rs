// SPDX-License-Identifier: Apache-2.0
//! MatMulInteger and QLinearMatMul: matrices with any batch, zero points and scales per row or column.
//!
//! The core has one zero point of A and of the result, and one zero point and scale per column. So
//!
//! | of the result | is computed by |
//! |---|---|
//! | rows that share B and all that is per row, of any batch | one product |
//! | rows with zero points or scales of their own, columns with none | one product with A and B exchanged: rows become columns |
//! | rows with and columns with | one product for all rows that are alike |

use crate::error::Result;
use crate::model::Values;
use crate::node::Node;
use crate::plan::{Built, Piece, Places, Work, check_result};
use crate::quantised::{self, combined, requantised};
use crate::tensor::{Shape, Tensor};
use host::{Gemm, Output};
use isa::Dtype;
use std::collections::{BTreeMap, BTreeSet};

/// Formats of the scales of QLinearMatMul.
const SCALES: [&str; 3] = ["float32", "float16", "bfloat16"];

/// MatMulInteger: A, B, a_zero_point, b_zero_point.
pub(crate) fn integer(node: &Node, values: &Values) -> Result<Built> {
    node.check_inputs(4)?;
    node.check_attributes(&[])?;
    let (a, b) = (node.required(values, 0, "A")?, node.required(values, 1, "B")?);
    let product = MatMul::new(node, ["A", "B"], a, b)?;
    let zero = |index, name, of| quantised::zero_points(node, name, node.optional(values, index, name)?, of);
    product.pieces(&Parameters {
        zero_a: product.per_row("a_zero_point", zero(2, "a_zero_point", a)?)?,
        zero_b: product.per_column("b_zero_point", zero(3, "b_zero_point", b)?)?,
        result: None,
    })
}

/// QLinearMatMul: each of a, b, y with scale and zero point.
pub(crate) fn quantised(node: &Node, values: &Values) -> Result<Built> {
    node.check_inputs(8)?;
    node.check_attributes(&[])?;
    let (a, b) = (node.required(values, 0, "a")?, node.required(values, 3, "b")?);
    let product = MatMul::new(node, ["a", "b"], a, b)?;
    // All three scales have one format.
    let own = [node.required(values, 1, "a_scale")?.elements.dtype()];
    let scale =
        |index, name, formats: &[&str]| quantised::scales(node, name, node.required(values, index, name)?, formats);
    let zero = |index, name, of| quantised::zero_points(node, name, Some(node.required(values, index, name)?), of);
    let y = node.required(values, 7, "y_zero_point")?;
    product.pieces(&Parameters {
        zero_a: product.per_row("a_zero_point", zero(2, "a_zero_point", a)?)?,
        zero_b: product.per_column("b_zero_point", zero(5, "b_zero_point", b)?)?,
        result: Some(Quantisation {
            dtype: quantised::dtype(node, "y_zero_point", y)?,
            scale_a: product.per_row("a_scale", scale(1, "a_scale", &SCALES)?)?,
            scale_b: product.per_column("b_scale", scale(4, "b_scale", &own)?)?,
            scale_y: product.per_result_row("y_scale", scale(6, "y_scale", &own)?)?,
            zero_y: product.per_result_row("y_zero_point", zero(7, "y_zero_point", y)?)?,
        }),
    })
}

/// The shapes of a product of stacks of matrices.
struct MatMul<'a> {
    node: &'a Node,
    tensors: [&'a Tensor; 2],
    dtypes: [Dtype; 2],
    bytes: [Vec<u8>; 2],
    /// Sizes of the stacks: of A, of B, of the result.
    batch: [Vec<usize>; 3],
    m: usize,
    n: usize,
    k: usize,
    /// The shape of the result.
    shape: Vec<usize>,
}

/// Values with the shape of the tensor they come from.
type Given<T> = (Vec<T>, Vec<usize>);

/// Rows or columns of a stack of matrices: given may be one number for all, one per line as a vector, or a tensor that broadcasts.
struct Lines<'a> {
    batch: &'a [usize],
    /// The last two sizes of the tensor.
    last: [usize; 2],
    /// True if a vector is possible.
    vector: bool,
}

/// What is added, subtracted and multiplied: one per row of all A, per column of all B, per row of the result.
struct Parameters {
    zero_a: Vec<i32>,
    zero_b: Vec<i32>,
    /// None for int32 results.
    result: Option<Quantisation>,
}

struct Quantisation {
    dtype: Dtype,
    scale_a: Vec<f32>,
    scale_b: Vec<f32>,
    scale_y: Vec<f32>,
    zero_y: Vec<i32>,
}

/// Rows of the result that are alike: zero point of A, bits of its scale, bits of the result's scale, zero point of the result.
type Alike = (i32, u32, u32, i32);

impl<'a> MatMul<'a> {
    fn new(node: &'a Node, names: [&'static str; 2], a: &'a Tensor, b: &'a Tensor) -> Result<MatMul<'a>> {
        let ((dtype_a, bytes_a), (dtype_b, bytes_b)) =
            (quantised::bytes(node, names[0], a)?, quantised::bytes(node, names[1], b)?);
        let refused = |what| node.refused(format!("{} is {a} and {} is {b}: {what}", names[0], names[1]));
        // A vector is a matrix of one row, or of one column, whose size the result does not have.
        let (a_batch, m, k) = match a.shape[..] {
            [] => return Err(refused("neither can be a scalar")),
            [k] => (vec![], 1, k),
            [ref batch @ .., m, k] => (batch.to_vec(), m, k),
        };
        let (b_batch, b_k, n) = match b.shape[..] {
            [] => return Err(refused("neither can be a scalar")),
            [k] => (vec![], k, 1),
            [ref batch @ .., k, n] => (batch.to_vec(), k, n),
        };
        if a.elements.is_empty() || b.elements.is_empty() {
            return Err(refused("there is nothing to compute"));
        }
        if k != b_k {
            return Err(refused("the columns of the first must be the rows of the second"));
        }
        let batch = broadcast(&a_batch, &b_batch).ok_or_else(|| refused("their stacks cannot be broadcast"))?;
        let mut shape = batch.clone();
        shape.extend((a.shape.len() > 1).then_some(m));
        shape.extend((b.shape.len() > 1).then_some(n));
        check_result(node, &shape)?;
        Ok(MatMul {
            node,
            tensors: [a, b],
            dtypes: [dtype_a, dtype_b],
            bytes: [bytes_a, bytes_b],
            batch: [a_batch, b_batch, batch],
            m,
            n,
            k,
            shape,
        })
    }

    /// One value per row of A.
    fn per_row<T: Copy>(&self, name: &str, given: Given<T>) -> Result<Vec<T>> {
        self.spread(name, given, &Lines { batch: &self.batch[0], last: [self.m, 1], vector: true })
    }

    /// One value per column of B.
    fn per_column<T: Copy>(&self, name: &str, given: Given<T>) -> Result<Vec<T>> {
        self.spread(name, given, &Lines { batch: &self.batch[1], last: [1, self.n], vector: true })
    }

    /// One value per row of the result. A vector could be one of rows or of columns: ONNX does not say.
    fn per_result_row<T: Copy>(&self, name: &str, given: Given<T>) -> Result<Vec<T>> {
        self.spread(name, given, &Lines { batch: &self.batch[2], last: [self.m, 1], vector: false })
    }

    fn spread<T: Copy>(&self, name: &str, (values, shape): Given<T>, lines: &Lines) -> Result<Vec<T>> {
        let Lines { batch, last: [rows, columns], vector } = *lines;
        let (stack, count) = (batch.iter().product(), rows * columns);
        if let [one] = values[..] {
            return Ok(vec![one; stack * count]);
        }
        if vector && shape == [count] {
            return Ok(values.repeat(stack));
        }
        if let [outer @ .., last_rows, last_columns] = &shape[..]
            && (*last_rows, *last_columns) == (rows, columns)
            && broadcast(outer, batch).is_some_and(|both| both == batch)
        {
            let of = |index: usize| &values[index * count..][..count];
            return Ok((0..stack).flat_map(|index| of(broadcast_index(index, batch, outer))).copied().collect());
        }
        let word = if vector { format!("[{count}] or ") } else { String::new() };
        Err(self.node.refused(format!(
            "{name} has the shape {}, and it must be one number, {word}[.., {rows}, {columns}] with the stack {}",
            Shape(&shape),
            Shape(batch)
        )))
    }

    /// The products; every row of the result is in one of them.
    fn pieces(&self, parameters: &Parameters) -> Result<Built> {
        let mut pieces = vec![];
        let [a_batch, b_batch, batch] = &self.batch;
        let stack: usize = batch.iter().product();
        // By the matrix B: rows of the result with their rows of A.
        let mut users: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
        for index in 0..stack {
            let (a, b) = (broadcast_index(index, batch, a_batch), broadcast_index(index, batch, b_batch));
            users.entry(b).or_default().extend((0..self.m).map(|row| (index * self.m + row, a * self.m + row)));
        }
        for (b, rows) in users {
            let mut alike: BTreeMap<Alike, Vec<(usize, usize)>> = BTreeMap::new();
            for &(y, a) in &rows {
                alike.entry(parameters.alike(y, a)).or_default().push((y, a));
            }
            let zeros: BTreeSet<i32> = alike.keys().map(|&(_, _, _, zero_y)| zero_y).collect();
            if alike.len() > zeros.len() && parameters.columns_are_alike(b * self.n..(b + 1) * self.n) {
                for zero in zeros {
                    let of_zero = rows.iter().filter(|&&(y, a)| parameters.alike(y, a).3 == zero);
                    pieces.push(self.exchanged(b, &of_zero.copied().collect::<Vec<_>>(), parameters)?);
                }
            } else {
                for rows in alike.values() {
                    pieces.push(self.straight(b, rows, parameters)?);
                }
            }
        }
        let [a, b] = self.tensors;
        Ok(Built { operands: format!("a{a}, b{b}"), shape: self.shape.clone(), pieces })
    }

    /// Rows that are alike by a matrix of B.
    fn straight(&self, b: usize, rows: &[(usize, usize)], parameters: &Parameters) -> Result<Piece> {
        let (y, a) = rows[0];
        let columns = b * self.n..(b + 1) * self.n;
        let gemm = Gemm {
            dtype_a: self.dtypes[0],
            dtype_b: self.dtypes[1],
            zero_point_a: parameters.zero_a[a],
            zero_points_b: parameters.zero_b[columns.clone()].to_vec(),
            output: self.output(parameters, y, columns.map(|column| (y, a, column)))?,
            ..Gemm::new(rows.len(), self.n, self.k)
        };
        let places = Places::Rows { rows: rows.iter().map(|(y, _)| *y).collect(), columns: self.n };
        let (first, second) = (self.gathered(rows), self.matrix_b(b).to_vec());
        Ok(Piece { work: Work::Gemm(gemm), first, second, places })
    }

    /// Rows that have only the result's zero point in common, by a matrix of B whose columns are alike: B transposed by A transposed.
    fn exchanged(&self, b: usize, rows: &[(usize, usize)], parameters: &Parameters) -> Result<Piece> {
        let column = b * self.n;
        let gemm = Gemm {
            dtype_a: self.dtypes[1],
            dtype_b: self.dtypes[0],
            transposed_b: true,
            zero_point_a: parameters.zero_b[column],
            zero_points_b: rows.iter().map(|&(_, a)| parameters.zero_a[a]).collect(),
            output: self.output(parameters, rows[0].0, rows.iter().map(|&(y, a)| (y, a, column)))?,
            ..Gemm::new(self.n, rows.len(), self.k)
        };
        let places = Places::Columns { rows: rows.iter().map(|(y, _)| *y).collect(), columns: self.n };
        let matrix = self.matrix_b(b);
        let first = (0..self.n).flat_map(|column| matrix.iter().skip(column).step_by(self.n)).copied().collect();
        Ok(Piece { work: Work::Gemm(gemm), first, second: self.gathered(rows), places })
    }

    fn output(
        &self,
        parameters: &Parameters,
        y: usize,
        columns: impl Iterator<Item = (usize, usize, usize)>,
    ) -> Result<Output> {
        let Some(result) = &parameters.result else { return Ok(Output::Int32) };
        let scale = |(y, a, b): (usize, usize, usize)| {
            combined(self.node, result.scale_a[a], result.scale_b[b], result.scale_y[y])
        };
        Ok(requantised(result.dtype, columns.map(scale).collect::<Result<_>>()?, result.zero_y[y]))
    }

    fn gathered(&self, rows: &[(usize, usize)]) -> Vec<u8> {
        rows.iter().flat_map(|(_, a)| &self.bytes[0][a * self.k..(a + 1) * self.k]).copied().collect()
    }

    fn matrix_b(&self, index: usize) -> &[u8] {
        let size = self.k * self.n;
        &self.bytes[1][index * size..(index + 1) * size]
    }
}

impl Parameters {
    fn alike(&self, y: usize, a: usize) -> Alike {
        match &self.result {
            None => (self.zero_a[a], 0, 0, 0),
            Some(result) => {
                (self.zero_a[a], result.scale_a[a].to_bits(), result.scale_y[y].to_bits(), result.zero_y[y])
            }
        }
    }

    fn columns_are_alike(&self, columns: std::ops::Range<usize>) -> bool {
        let zeros = &self.zero_b[columns.clone()];
        let same = zeros.iter().all(|zero| *zero == zeros[0]);
        let scales = self.result.as_ref().map_or(&[][..], |result| &result.scale_b[columns]);
        same && scales.iter().all(|scale| scale.to_bits() == scales[0].to_bits())
    }
}

/// The sizes that two stacks have together, by the rules of NumPy.
fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size = |shape: &[usize], axis: usize| {
        let missing = rank - shape.len();
        if axis < missing { 1 } else { shape[axis - missing] }
    };
    let axis = |axis| match (size(a, axis), size(b, axis)) {
        (1, size) | (size, 1) => Some(size),
        (a, b) => (a == b).then_some(a),
    };
    (0..rank).map(axis).collect()
}

/// Which matrix of the stack `shape` is used for matrix `index` of the stack `whole`, to which it broadcasts.
fn broadcast_index(index: usize, whole: &[usize], shape: &[usize]) -> usize {
    let missing = whole.len() - shape.len();
    let (mut rest, mut found, mut stride) = (index, 0, 1);
    for (axis, size) in whole.iter().enumerate().rev() {
        let digit = rest % size;
        rest /= size;
        if axis >= missing {
            let own = shape[axis - missing];
            if own > 1 {
                found += digit * stride;
            }
            stride *= own;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_broadcast_as_in_numpy() {
        assert_eq!(broadcast(&[2, 1], &[3]), Some(vec![2, 3]));
        assert_eq!(broadcast(&[], &[4, 1]), Some(vec![4, 1]));
        assert_eq!(broadcast(&[2], &[3]), None);
        let used = |shape: &[usize]| (0..6).map(|index| broadcast_index(index, &[2, 3], shape)).collect::<Vec<_>>();
        assert_eq!(used(&[2, 3]), [0, 1, 2, 3, 4, 5]);
        assert_eq!(used(&[2, 1]), [0, 0, 0, 1, 1, 1]);
        assert_eq!(used(&[3]), [0, 1, 2, 0, 1, 2]);
        assert_eq!(used(&[]), [0; 6]);
    }
}
