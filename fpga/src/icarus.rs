// SPDX-License-Identifier: Apache-2.0
//! Icarus Verilog: a second opinion on the text, from a simulator that shares nothing with Verilator.

use crate::debian::unpack;
use crate::error::{Error, Result};
use crate::run;
use rtl::emit::Design;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use verilated::place::Places;
use verilated::tool::ToolState;

const TOOL: &str = "Icarus";

/// Folder of Debian's package in the tools folder.
const UNPACKED: &str = "iverilog";

/// `iverilog`, ready to run.
#[derive(Debug, Clone)]
pub struct Icarus {
    program: PathBuf,
    /// Folder of its parts, if it is not where it was built for.
    parts: Option<PathBuf>,
}

impl Icarus {
    /// What `quader doctor` says of it; nothing is set up.
    pub fn state() -> ToolState {
        let places = Places::from_env();
        let unpacked = Some(places.tools.join(UNPACKED).join("usr/bin/iverilog")).filter(|path| path.is_file());
        let program = places.on_path("iverilog").or(unpacked);
        let found = program.and_then(|program| {
            let said = run(Command::new(&program).arg("-V")).ok()?;
            Some((said.text.lines().next().unwrap_or_default().to_owned(), program))
        });
        let found = found
            .ok_or_else(|| "not needed to simulate; a test uses it (Debian: `sudo apt install iverilog`)".to_owned());
        ToolState { name: TOOL, sets_itself_up: found.is_err(), found }
    }

    /// `iverilog` on the search path, or else Debian's package, fetched by `apt-get download` and unpacked into the tools folder, which needs no
    /// rights.
    ///
    /// *Errors*: [`Error::Missing`] with what to install.
    pub fn find() -> Result<Icarus> {
        let places = Places::from_env();
        if let Some(program) = places.on_path("iverilog") {
            return Ok(Icarus { program, parts: None });
        }
        let root = places.tools.join(UNPACKED);
        if !root.is_dir() {
            unpack("iverilog", &root, |root| parts_of(root).is_some()).map_err(|why| Error::Missing {
                tool: TOOL,
                reason: format!("`iverilog` is not on the search path and {why} (Debian: `sudo apt install iverilog`)"),
            })?;
        }
        let program = root.join("usr/bin/iverilog");
        let parts = parts_of(&root).ok_or_else(|| Error::Missing {
            tool: TOOL,
            reason: format!("{} is not whole: delete it", root.display()),
        })?;
        Ok(Icarus { program, parts: Some(parts) })
    }

    /// Compiles a design as Verilog 2005, written as files into `folder`, and gives every warning of `-Wall`.
    ///
    /// *Errors*: [`Error::Refused`] with what it said; [`Error::Write`].
    pub fn compile(&self, design: &Design, folder: &Path) -> Result<Vec<String>> {
        design.write(folder).map_err(|cause| Error::Write { path: folder.to_owned(), cause })?;
        let mut command = Command::new(&self.program);
        if let Some(parts) = &self.parts {
            command.arg("-B").arg(parts);
        }
        command.args(["-g2005", "-Wall", "-s", &design.top, "-o"]).arg(folder.join("design.vvp"));
        command.args(design.files().into_iter().map(|(name, _)| folder.join(name)));
        let outcome = run(&mut command)?;
        if !outcome.success {
            return Err(Error::Refused { tool: TOOL, text: outcome.text });
        }
        Ok(outcome.text.lines().map(str::to_owned).collect())
    }
}

/// `usr/lib/<system>/ivl`.
fn parts_of(root: &Path) -> Option<PathBuf> {
    let library = root.join("usr/lib");
    let beside = fs::read_dir(&library).ok()?.flatten().map(|entry| entry.path().join("ivl"));
    beside.chain([library.join("ivl")]).find(|path| path.is_dir())
}
