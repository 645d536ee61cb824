// SPDX-License-Identifier: Apache-2.0
//! The package `onnx`: the definition of its operators in Python, and its own tests of every node.

use crate::error::Result;
use crate::python::{self, Python};
use std::path::Path;
use verilated::setup::Wheels;
use verilated::tool::ToolState;

const PACKAGES: Wheels = Wheels {
    tool: "ONNX",
    main: ("onnx", "1.23.2"),
    requirements: include_str!("../../tests/onnx/requirements.txt"),
    megabytes: 40,
    needs: "onnx/__init__.py",
};

/// The pinned package, ready to be imported.
#[derive(Debug, Clone)]
pub struct Onnx {
    python: Python,
}

impl Onnx {
    /// What `quader doctor` says of it; nothing is set up.
    pub fn state() -> ToolState {
        python::state(&PACKAGES)
    }

    /// The package, set up if it is not there yet.
    ///
    /// *Errors*: [`Error::Missing`](crate::Error::Missing) with what to install.
    pub fn find() -> Result<Onnx> {
        let python = Python::find(&PACKAGES)?;
        let answer = python.ask("import onnx; print(onnx.__version__)")?;
        if answer.trim() != PACKAGES.main.1 {
            return Err(python.cannot_import(&answer));
        }
        Ok(Onnx { python })
    }

    /// Runs a script of Python with the package at hand, and gives what it printed.
    ///
    /// *Errors*: [`Error::Refused`](crate::Error::Refused) with all that it printed if it fails; [`Error::Run`](crate::Error::Run).
    pub fn script(&self, script: &Path, arguments: &[String]) -> Result<String> {
        self.python.script(script, arguments)
    }
}
