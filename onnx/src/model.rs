// SPDX-License-Identifier: Apache-2.0
//! A model of one node, with a bound of its results behind it or not.
//!
//! ```text
//!  inputs, constants ──► MatMulInteger | ConvInteger | QLinearMatMul | QLinearConv | ... ──► [Relu | Clip] ──► output
//! ```

use crate::error::{OnnxError, Result};
use crate::node::Node;
use crate::proto::{GraphProto, ModelProto};
use crate::tensor::Tensor;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The operators that run on the core, with their domain if they are not ONNX's own.
pub const OPERATORS: [&str; 7] = [
    "MatMulInteger",
    "ConvInteger",
    "QLinearMatMul",
    "QLinearConv",
    "MaxPool",
    "com.microsoft.QLinearGlobalAveragePool",
    "com.microsoft.QLinearAveragePool",
];

/// The operators that may stand behind one of them.
pub const BOUNDS: [&str; 2] = ["Relu", "Clip"];

/// Tensors by their names.
pub type Values = BTreeMap<String, Tensor>;

/// A model of one node.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) node: Node,
    /// Relu or Clip of its result.
    pub(crate) bound: Option<Node>,
    /// Names of the inputs, in order; constants may be among them.
    pub(crate) inputs: Vec<String>,
    pub(crate) constants: Values,
}

impl Model {
    /// Reads a model.
    ///
    /// *Errors*: [`OnnxError::Read`], [`OnnxError::Message`]; [`OnnxError::Node`] if it is not one of [`OPERATORS`], alone or with one of
    /// [`BOUNDS`] behind it; [`OnnxError::Tensor`] for a constant that cannot be read.
    pub fn read(path: &Path) -> Result<Model> {
        let proto: ModelProto = message(path, "a model")?;
        Model::from_proto(proto.graph.unwrap_or_default())
    }

    pub(crate) fn from_proto(graph: GraphProto) -> Result<Model> {
        let mut nodes: Vec<Node> = graph.node.into_iter().map(Node::from_proto).collect();
        let [output] = &graph.output[..] else {
            return Err(refused(format!("it has {} outputs, and it must have one", graph.output.len())));
        };
        let bound = if nodes.len() == 2 { nodes.pop() } else { None };
        if nodes.len() != 1 {
            let count = if bound.is_some() { 2 } else { nodes.len() };
            return Err(refused(format!(
                "it has {count} nodes, and it must have one, or two if the second is {}",
                BOUNDS.join(" or ")
            )));
        }
        let node = nodes.remove(0);
        if !OPERATORS.contains(&node.full_name().as_str()) {
            let known = OPERATORS.join(", ");
            return Err(refused(format!("its operator is {}, and only these can be: {known}", node.full_name())));
        }
        let [result] = &node.outputs[..] else {
            return Err(node.refused(format!("it has {} outputs, and it must have one", node.outputs.len())));
        };
        let last = match &bound {
            None => result,
            Some(bound) => {
                let follows = bound.inputs.first() == Some(result) && bound.outputs.len() == 1;
                if !BOUNDS.contains(&bound.full_name().as_str()) || !follows {
                    return Err(refused(format!(
                        "its second node is {}, and only {} of the first one's result can be",
                        bound.full_name(),
                        BOUNDS.join(" or ")
                    )));
                }
                &bound.outputs[0]
            }
        };
        if *last != output.name {
            return Err(refused(format!("its output {} is not what its last node computes, {last}", output.name)));
        }
        let constant = |proto| Ok((crate::proto::TensorProto::clone(proto).name, Tensor::from_proto(proto)?));
        let constants = graph.initializer.iter().map(constant).collect::<Result<Values>>()?;
        let inputs = graph.input.into_iter().map(|input| input.name).collect();
        Ok(Model { node, bound, inputs, constants })
    }

    /// The operators, in order.
    pub fn operators(&self) -> Vec<&str> {
        [Some(&self.node), self.bound.as_ref()].into_iter().flatten().map(|node| node.op.as_str()).collect()
    }
}

/// Reads a message.
pub(crate) fn message<M: prost::Message + Default>(path: &Path, what: &'static str) -> Result<M> {
    let bytes = fs::read(path).map_err(|cause| OnnxError::Read { path: path.to_owned(), cause })?;
    M::decode(&bytes[..]).map_err(|cause| OnnxError::Message { path: path.to_owned(), what, cause })
}

fn refused(reason: String) -> OnnxError {
    OnnxError::Node { op: "the model".into(), reason }
}
