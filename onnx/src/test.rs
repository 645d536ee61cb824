// SPDX-License-Identifier: Apache-2.0
//! Node tests in folders, as ONNX writes its own: a model, and data sets with inputs and the output that is right.
//!
//! ```text
//!  DIR/model.onnx    DIR/test_data_set_0/input_0.pb, input_1.pb, ..., output_0.pb    DIR/test_data_set_1/...
//! ```

use crate::error::{OnnxError, Result};
use crate::model::{self, Model, Values};
use crate::proto::TensorProto;
use crate::tensor::Tensor;
use std::fs;
use std::path::Path;

/// How the folder of a data set begins; a number follows.
const DATA_SET: &str = "test_data_set_";

/// A node test.
#[derive(Clone, Debug)]
pub struct NodeTest {
    /// The name of its folder.
    pub name: String,
    /// The model.
    pub model: Model,
    /// Its data, at least one set.
    pub sets: Vec<DataSet>,
}

/// Inputs and output.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// The name of its folder.
    pub name: String,
    /// The inputs.
    pub inputs: Values,
    /// The output that is right.
    pub expected: Tensor,
}

impl NodeTest {
    /// Reads the folder of a test.
    ///
    /// *Errors*: [`OnnxError::Folder`] if it is not one; as [`Model::read`] and for tensors.
    pub fn read(folder: &Path) -> Result<NodeTest> {
        let wrong = |reason: &str| OnnxError::Folder { path: folder.to_owned(), reason: reason.into() };
        if !folder.is_dir() {
            return Err(wrong("is not a folder"));
        }
        let file = folder.join("model.onnx");
        if !file.is_file() {
            return Err(wrong("has no model.onnx"));
        }
        let model = Model::read(&file)?;
        let mut numbered: Vec<(u64, String)> = names(folder)?
            .into_iter()
            .filter_map(|name| Some((name.strip_prefix(DATA_SET)?.parse().ok()?, name)))
            .collect();
        numbered.sort();
        if numbered.is_empty() {
            return Err(wrong("has no test_data_set_0"));
        }
        let sets = numbered.into_iter().map(|(_, name)| data_set(&folder.join(&name), name, &model));
        let sets = sets.collect::<Result<_>>()?;
        let absolute = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let name = absolute.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(NodeTest { name, model, sets })
    }
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let failed = |cause| OnnxError::Read { path: folder.to_owned(), cause };
    let entries = fs::read_dir(folder).map_err(failed)?;
    entries.map(|entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned())).collect()
}

fn data_set(folder: &Path, name: String, model: &Model) -> Result<DataSet> {
    let wrong = |reason: String| OnnxError::Folder { path: folder.to_owned(), reason };
    let count = names(folder)?.iter().filter(|name| name.starts_with("input_")).count();
    let mut inputs = Values::new();
    for index in 0..count {
        let file = folder.join(format!("input_{index}.pb"));
        if !file.is_file() {
            return Err(wrong(format!("has {count} inputs and no input_{index}.pb")));
        }
        let (own, tensor) = tensor(&file)?;
        // By its name, if the model knows it; else by its number.
        let known = model.inputs.iter().find(|name| **name == own).or(model.inputs.get(index));
        let Some(known) = known else {
            return Err(wrong(format!("has {count} inputs, and the model has {}", model.inputs.len())));
        };
        if inputs.insert(known.clone(), tensor).is_some() {
            return Err(wrong(format!("gives the input {known} twice")));
        }
    }
    let output = folder.join("output_0.pb");
    if !output.is_file() {
        return Err(wrong("has no output_0.pb".into()));
    }
    let (_, expected) = tensor(&output)?;
    Ok(DataSet { name, inputs, expected })
}

/// Name and contents.
fn tensor(file: &Path) -> Result<(String, Tensor)> {
    let proto: TensorProto = model::message(file, "a tensor")?;
    // A file is a better name than none.
    let shown = if proto.name.is_empty() { file.display().to_string() } else { proto.name.clone() };
    let tensor = Tensor::from_proto(&TensorProto { name: shown, ..proto.clone() })?;
    Ok((proto.name, tensor))
}
