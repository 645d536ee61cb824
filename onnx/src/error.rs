// SPDX-License-Identifier: Apache-2.0
//! What can go wrong between a model in a file and a node on the core.

use host::HostError;
use std::fmt;
use std::path::PathBuf;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, OnnxError>;

/// Everything that this crate reports; `Display` is one sentence that the user can act on.
#[derive(Debug)]
#[non_exhaustive]
pub enum OnnxError {
    /// A file or folder cannot be read.
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A file is not the message that its name says.
    Message {
        /// Which.
        path: PathBuf,
        /// `a model` or `a tensor`.
        what: &'static str,
        /// Why.
        cause: prost::DecodeError,
    },
    /// A folder has not the files of a node test.
    Folder {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A tensor cannot be read as it stands.
    Tensor {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A model that is not a node, or a node that the operator's definition or the core does not admit.
    Node {
        /// The operator; `the model` if it is not about one.
        op: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The product or convolution that the node is cannot be compiled, or its run failed.
    Host(HostError),
}

impl fmt::Display for OnnxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OnnxError::Read { path, cause } => write!(f, "cannot read {}: {cause}", path.display()),
            OnnxError::Message { path, what, cause } => {
                write!(f, "{} is not {what} of ONNX: {cause}", path.display())
            }
            OnnxError::Folder { path, reason } => write!(f, "{} {reason}", path.display()),
            OnnxError::Tensor { name, reason } => write!(f, "the tensor {name} {reason}"),
            OnnxError::Node { op, reason } => write!(f, "{op}: {reason}"),
            OnnxError::Host(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OnnxError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OnnxError::Read { cause, .. } => Some(cause),
            OnnxError::Message { cause, .. } => Some(cause),
            OnnxError::Host(error) => Some(error),
            OnnxError::Folder { .. } | OnnxError::Tensor { .. } | OnnxError::Node { .. } => None,
        }
    }
}

impl From<HostError> for OnnxError {
    fn from(error: HostError) -> OnnxError {
        OnnxError::Host(error)
    }
}
