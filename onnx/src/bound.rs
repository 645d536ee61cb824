// SPDX-License-Identifier: Apache-2.0
//! Relu and Clip behind an operator: the clamp of FIX.

use crate::error::Result;
use crate::model::Values;
use crate::node::Node;
use isa::Dtype;

/// The lowest and the highest result that Relu or Clip leaves of numbers of this format.
///
/// *Errors*: a Relu of uint8, which ONNX does not have; bounds of another format, or more than one number.
pub(crate) fn bounds(node: &Node, values: &Values, dtype: Dtype) -> Result<(i32, i32)> {
    node.check_attributes(&[])?;
    let (lowest, highest, name) = match dtype {
        Dtype::S8 => (-128, 127, "int8"),
        Dtype::U8 => (0, 255, "uint8"),
        _ => (i32::MIN, i32::MAX, "int32"),
    };
    if node.op == "Relu" {
        node.check_inputs(1)?;
        // ReLU of the integers as they stand: it knows of no zero point.
        return match dtype {
            Dtype::U8 => Err(node.refused("it takes no uint8")),
            _ => Ok((0, highest)),
        };
    }
    node.check_inputs(3)?;
    let bound = |index, what, usual| {
        let Some(tensor) = node.optional(values, index, what)? else { return Ok(usual) };
        match tensor.elements.integers().as_deref() {
            Some(&[bound]) if tensor.elements.dtype() == name => Ok(bound),
            _ => Err(node.refused(format!("{what} is {tensor}, and it must be one {name} number"))),
        }
    };
    Ok((bound(1, "min", lowest)?, bound(2, "max", highest)?))
}
