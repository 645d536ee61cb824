// SPDX-License-Identifier: Apache-2.0
//! Nodes of ONNX on the core: quantised products and convolutions, exactly as the operators are defined.
//!
//! ```text
//!  model.onnx, input_0.pb ... ─► NodeTest ─► Plan: Gemm | Conv, one or more ─► Transport ─► Tensor, against output_0.pb
//! ```
//! What is possible and by which rules: `docs/onnx.md`.

mod bound;
mod conv;
mod error;
mod matmul;
mod model;
mod node;
mod plan;
mod pool;
mod proto;
mod quantised;
#[cfg(test)]
mod refusals;
mod tensor;
mod test;

pub use error::{OnnxError, Result};
pub use model::{BOUNDS, Model, OPERATORS, Values};
pub use plan::{CompiledPlan, Plan};
pub use tensor::{Elements, Tensor};
pub use test::{DataSet, NodeTest};
