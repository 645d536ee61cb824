// SPDX-License-Identifier: Apache-2.0
//! Quantised tensors: bytes, their zero points, their scales, and the scale of a result.

use crate::error::Result;
use crate::node::Node;
use crate::tensor::{Elements, Shape, Tensor};
use host::Output;
use isa::{Dtype, Rounding};

/// The number format of a tensor's bytes.
///
/// *Errors*: it is neither int8 nor uint8.
pub(crate) fn dtype(node: &Node, name: &str, tensor: &Tensor) -> Result<Dtype> {
    match tensor.elements {
        Elements::Int8(_) => Ok(Dtype::S8),
        Elements::Uint8(_) => Ok(Dtype::U8),
        _ => Err(node.refused(format!("{name} is {}, and it must be int8 or uint8", tensor.elements.dtype()))),
    }
}

/// The bytes of a tensor with their format.
pub(crate) fn bytes(node: &Node, name: &str, tensor: &Tensor) -> Result<(Dtype, Vec<u8>)> {
    Ok((dtype(node, name, tensor)?, tensor.elements.bytes().unwrap_or_default()))
}

/// The zero points of `of`, 0 if there are none, with their shape.
///
/// *Errors*: another format than that of the tensor.
pub(crate) fn zero_points(
    node: &Node,
    name: &str,
    tensor: Option<&Tensor>,
    of: &Tensor,
) -> Result<(Vec<i32>, Vec<usize>)> {
    let Some(tensor) = tensor else { return Ok((vec![0], vec![])) };
    let (is, must) = (tensor.elements.dtype(), of.elements.dtype());
    match tensor.elements.integers() {
        Some(values) if is == must => Ok((values, tensor.shape.clone())),
        _ => Err(node.refused(format!("{name} is {is}, and it must be {must}, as what it belongs to"))),
    }
}

/// The only one of some values.
pub(crate) fn single<T: Copy>(node: &Node, name: &str, values: &[T], shape: &[usize]) -> Result<T> {
    match values {
        [one] => Ok(*one),
        _ => Err(node.refused(format!("{name} has the shape {}, and it must be one number", Shape(shape)))),
    }
}

/// One value, or one per output channel.
pub(crate) fn per_channel<T: Copy>(
    node: &Node,
    name: &str,
    (values, shape): (Vec<T>, Vec<usize>),
    channels: usize,
) -> Result<Vec<T>> {
    if values.len() == 1 || shape == [channels] {
        return Ok(values);
    }
    let shape = Shape(&shape);
    Err(node.refused(format!(
        "{name} has the shape {shape}, and it must be one number or [{channels}], one per output channel"
    )))
}

/// The scales of an input with their shape, as float32, which holds every number of the narrower formats exactly; `formats` are those
/// that the operator takes.
pub(crate) fn scales(node: &Node, name: &str, tensor: &Tensor, formats: &[&str]) -> Result<(Vec<f32>, Vec<usize>)> {
    let dtype = tensor.elements.dtype();
    let values = match &tensor.elements {
        Elements::Float32(values) => values.clone(),
        Elements::Float16(values) => values.iter().map(|value| value.to_f32()).collect(),
        Elements::Bfloat16(values) => values.iter().map(|value| value.to_f32()).collect(),
        _ => vec![],
    };
    if !formats.contains(&dtype) {
        return Err(node.refused(format!("{name} is {dtype}, and it must be {}", formats.join(", "))));
    }
    Ok((values, tensor.shape.clone()))
}

/// What a sum is multiplied with, as ONNX Runtime makes it: (a b) / y, each step rounded to float32.
///
/// *Errors*: a result that is not finite, positive and normal.
pub(crate) fn combined(node: &Node, a: f32, b: f32, y: f32) -> Result<f32> {
    positive(node, (a * b) / y)
}

/// The scale, if the core can multiply a sum with it.
pub(crate) fn positive(node: &Node, scale: f32) -> Result<f32> {
    if Rounding::Onnx.admits_scale(scale.to_bits()) {
        return Ok(scale);
    }
    Err(node.refused(format!(
        "its scales together make {scale:e}, by which a sum is multiplied, and that must be finite, positive and normal"
    )))
}

/// Requantised results; one scale if all are the same.
pub(crate) fn requantised(dtype: Dtype, mut scales: Vec<f32>, zero_point: i32) -> Output {
    if scales.iter().all(|scale| *scale == scales[0]) {
        scales.truncate(1);
    }
    Output::Quantised { dtype, scales, zero_point }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::NodeProto;

    fn node() -> Node {
        Node::from_proto(NodeProto { op_type: "QLinearMatMul".into(), ..NodeProto::default() })
    }

    #[test]
    fn the_order_of_the_roundings_is_that_of_onnx_runtime() {
        // (a b) / y and a (b / y) differ in the last bit for these.
        let (a, b, y) = (0.1f32, 0.3f32, 0.7f32);
        assert_ne!((a * b) / y, a * (b / y));
        assert_eq!(combined(&node(), a, b, y).expect("normal"), (a * b) / y);
    }

    #[test]
    fn scales_that_the_core_cannot_take_are_refused() {
        for (a, b, y) in [
            (0.0, 1.0, 1.0),
            (-1.0, 1.0, 1.0),
            (f32::NAN, 1.0, 1.0),
            (1.0, 1.0, 0.0),
            (1e-30, 1e-9, 1.0),
            (1.0, 1.0, f32::INFINITY),
        ] {
            let error = combined(&node(), a, b, y).expect_err("not normal").to_string();
            assert!(error.contains("finite, positive and normal"), "{error}");
        }
    }
}
