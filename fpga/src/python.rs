// SPDX-License-Identifier: Apache-2.0
//! Packages of PyPI in a folder of their own, and programs of Python that import them.

use crate::error::{Error, Result};
use crate::run;
use std::path::{Path, PathBuf};
use std::process::Command;
use verilated::place::Places;
use verilated::setup::Wheels;
use verilated::tool::ToolState;

/// What `quader doctor` says of the packages; nothing is set up.
pub(crate) fn state(wheels: &Wheels) -> ToolState {
    let root = wheels.root(&Places::from_env());
    let found = match root.is_dir() {
        true => Ok((wheels.main.1.to_owned(), root)),
        false => Err(format!("not needed to simulate; a test sets it up in {}", root.display())),
    };
    ToolState { name: wheels.tool, sets_itself_up: found.is_err(), found }
}

/// An interpreter with packages.
#[derive(Debug, Clone)]
pub(crate) struct Python {
    tool: &'static str,
    interpreter: PathBuf,
    packages: PathBuf,
}

impl Python {
    /// The interpreter and the packages, set up if they are not there yet.
    ///
    /// *Errors*: [`Error::Missing`] with what to install.
    pub(crate) fn find(wheels: &Wheels) -> Result<Python> {
        let places = Places::from_env();
        let missing = |reason| Error::Missing { tool: wheels.tool, reason };
        let packages = wheels.set_up(&places).map_err(missing)?;
        let interpreter = places.python().ok_or_else(|| missing("no python3 was found".into()))?;
        Ok(Python { tool: wheels.tool, interpreter, packages })
    }

    /// The folder of the packages.
    pub(crate) fn packages(&self) -> &Path {
        &self.packages
    }

    /// What a few lines of Python print, also if they fail.
    ///
    /// *Errors*: [`Error::Run`].
    pub(crate) fn ask(&self, program: &str) -> Result<String> {
        Ok(run(self.command().args(["-W", "ignore", "-c", program]))?.text)
    }

    /// That the packages are not those of this interpreter, by what it said.
    pub(crate) fn cannot_import(&self, answer: &str) -> Error {
        let last = answer.lines().last().unwrap_or("it says nothing");
        let (interpreter, packages) = (self.interpreter.display(), self.packages.display());
        let reason =
            format!("{interpreter} cannot import it: {last}; delete {packages}, which may be another Python's");
        Error::Missing { tool: self.tool, reason }
    }

    /// Runs a script, and gives what it printed.
    ///
    /// *Errors*: [`Error::Refused`] with all that it printed if it fails; [`Error::Run`].
    pub(crate) fn script(&self, script: &Path, arguments: &[String]) -> Result<String> {
        let outcome = run(self.command().arg(script).args(arguments))?;
        match outcome.success {
            true => Ok(outcome.text),
            false => Err(Error::Refused { tool: self.tool, text: outcome.text }),
        }
    }

    /// The interpreter, with the packages at hand.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.interpreter);
        command.env("PYTHONPATH", &self.packages).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}
