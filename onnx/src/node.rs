// SPDX-License-Identifier: Apache-2.0
//! A node with its inputs and attributes, as an operator looks for them.

use crate::error::{OnnxError, Result};
use crate::model::Values;
use crate::proto::{AttributeProto, NodeProto, attribute};
use crate::tensor::Tensor;
use std::fmt;

/// A node of a graph.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) op: String,
    domain: String,
    /// Names; empty for an input that is left out.
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    attributes: Vec<AttributeProto>,
}

impl Node {
    pub(crate) fn from_proto(proto: NodeProto) -> Node {
        let NodeProto { input, output, op_type, attribute, domain } = proto;
        Node { op: op_type, domain, inputs: input, outputs: output, attributes: attribute }
    }

    /// Domain and name; the name alone of an operator of ONNX itself.
    pub(crate) fn full_name(&self) -> String {
        match self.domain.as_str() {
            "" | "ai.onnx" => self.op.clone(),
            domain => format!("{domain}.{}", self.op),
        }
    }

    /// An error about this node.
    pub(crate) fn refused(&self, reason: impl fmt::Display) -> OnnxError {
        OnnxError::Node { op: self.op.clone(), reason: reason.to_string() }
    }

    /// Refuses attributes that the operator does not have.
    pub(crate) fn check_attributes(&self, known: &[&str]) -> Result<()> {
        match self.attributes.iter().find(|attribute| !known.contains(&attribute.name.as_str())) {
            None => Ok(()),
            Some(other) => Err(self.refused(format!("it has the attribute {}, which is not known", other.name))),
        }
    }

    fn attribute(&self, name: &str, kind: i32, word: &str) -> Result<Option<&AttributeProto>> {
        let Some(found) = self.attributes.iter().find(|attribute| attribute.name == name) else { return Ok(None) };
        // Files of the first version of the format leave the type out.
        if found.r#type != kind && found.r#type != 0 {
            return Err(self.refused(format!("its attribute {name} is not {word}")));
        }
        Ok(Some(found))
    }

    /// An attribute that is a number, not negative.
    pub(crate) fn number(&self, name: &str) -> Result<Option<usize>> {
        let found = self.attribute(name, attribute::INT, "an integer")?;
        found.map(|attribute| self.size(name, attribute.i)).transpose()
    }

    /// An attribute that is a list of numbers, none negative.
    pub(crate) fn numbers(&self, name: &str) -> Result<Option<Vec<usize>>> {
        let found = self.attribute(name, attribute::INTS, "a list of integers")?;
        let sizes = |found: &AttributeProto| found.ints.iter().map(|&value| self.size(name, value)).collect();
        found.map(sizes).transpose()
    }

    fn size(&self, name: &str, value: i64) -> Result<usize> {
        usize::try_from(value)
            .map_err(|_| self.refused(format!("its attribute {name} holds {value}, which is below 0")))
    }

    /// An attribute that is text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>> {
        let found = self.attribute(name, attribute::STRING, "text")?;
        Ok(found.map(|attribute| String::from_utf8_lossy(&attribute.s).into_owned()))
    }

    /// Input `index`, which the operator calls `name`; `None` if it is left out.
    pub(crate) fn optional<'a>(&self, values: &'a Values, index: usize, name: &str) -> Result<Option<&'a Tensor>> {
        let Some(given) = self.inputs.get(index).filter(|given| !given.is_empty()) else { return Ok(None) };
        match values.get(given) {
            Some(tensor) => Ok(Some(tensor)),
            None => Err(self.refused(format!("nothing gives its input {name}, which the model calls {given}"))),
        }
    }

    /// As [`Node::optional`] for an input that must be there.
    pub(crate) fn required<'a>(&self, values: &'a Values, index: usize, name: &str) -> Result<&'a Tensor> {
        self.optional(values, index, name)?.ok_or_else(|| self.refused(format!("its input {name} is left out")))
    }

    /// Refuses more inputs than the operator has.
    pub(crate) fn check_inputs(&self, most: usize) -> Result<()> {
        match self.inputs.len() {
            count if count > most => {
                Err(self.refused(format!("it has {count} inputs, and at most {most} are possible")))
            }
            _ => Ok(()),
        }
    }
}
