// SPDX-License-Identifier: Apache-2.0
//! Yosys, as the package `pyosys` brings it: natively built, driven by a few lines of Python.

use crate::error::{Error, Result};
use crate::run;
use rtl::emit::Design;
use std::path::{Path, PathBuf};
use std::process::Command;
use verilated::place::Places;
use verilated::setup::Wheel;
use verilated::tool::ToolState;

const PACKAGE: Wheel = Wheel {
    tool: "Yosys",
    package: "pyosys",
    version: "0.70",
    // CPython 3.10 to 3.14: Linux x86_64, Linux aarch64, macOS arm64 each.
    sha256: &[
        "9011e9eb8ae89f03afff9a59dc5046e7d322997d3b919e04b0ef8a305fd040bc",
        "743beaa799f1574688bd8d36467798fc7daf48ad215a07707835a7224c0e934f",
        "603820acce3b2b0e3fe71cd357c8f910abb488707566d206b1a023ec7c811dee",
        "b562ff8435c71871c4d12f4ed80ca24f0f4a59c6beaab8fbe20efe4c84006f78",
        "2baa3d256fa1f8a103103dc3bcf083f2564c2001c550e900bc771c9bcd9328d0",
        "47fc45f81e4912178daedfbf438e9ce128cf4428e50a1d77ae39d8698996839e",
        "cbc53ab06994646e1cf06a478a53be061b0626c85166f88f6254e7d2539156ec",
        "2f29d3c38bdd5656847f286cd8c1f0aa459edd94e75d98aa404d1898bce59875",
        "6914c966fbb653ecaafd2b9b0a7e8c34f0b0b6b07c4b8c889fc9ebee404d0714",
        "b9f2be9dbb508d41a94072fbcc79c2a94afcf01183b06a6ac39a8d58d96b0781",
        "79c543b5a9deb1ff2bb14bc98bb6f66802cfdd8cdc2edd5d4b31363af3ecab19",
        "d6de7c19a94612e2a53dafee7e89c83159b949993e21305d0448c7db9caac739",
        "ad7ff719e5b1ece0e9e8697fe12f58d59a5af85f115742c702edaa1e7255aacb",
        "ceca189601df14cf647c2e59915340dfa3492d91d70fe8f7810d09cbc1c38bdf",
        "9f62e3a2ca72e6f91f42d65e0db29198945811da302368a025b093d8654fb53c",
    ],
    megabytes: 34,
    inside: "",
    needs: "pyosys/__init__.py",
};

/// Runs every argument after the first as a command of Yosys; the first is the folder of the package.
const DRIVER: &str = "
import sys
sys.path.insert(0, sys.argv[1])
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[2:]:
    libyosys.run_pass(command, design)
";

/// Lines of a log that a refusal shows.
const LAST_LINES: usize = 20;

/// Yosys, ready to run.
#[derive(Debug, Clone)]
pub struct Yosys {
    python: PathBuf,
    root: PathBuf,
}

impl Yosys {
    /// Release of the package.
    pub const VERSION: &str = PACKAGE.version;

    /// What `quader doctor` says of it; nothing is set up.
    pub fn state() -> ToolState {
        let root = PACKAGE.root(&Places::from_env());
        let found = match root.is_dir() {
            true => Ok((PACKAGE.version.to_owned(), root)),
            false => Err(format!("not needed to simulate; the tests set it up in {}", root.display())),
        };
        ToolState { name: PACKAGE.tool, sets_itself_up: found.is_err(), found }
    }

    /// The pinned Yosys, set up if it is not there yet.
    ///
    /// *Errors*: [`Error::Missing`] with what to install.
    pub fn find() -> Result<Yosys> {
        let places = Places::from_env();
        let missing = |reason| Error::Missing { tool: PACKAGE.tool, reason };
        let root = PACKAGE.set_up(&places).map_err(missing)?;
        let python = places.python().ok_or_else(|| missing("no python3 was found".into()))?;
        Ok(Yosys { python, root })
    }

    /// Runs commands one after the other on one design, and gives the log.
    ///
    /// *Errors*: [`Error::Refused`] with the end of the log if a command fails.
    pub fn run(&self, commands: &[String]) -> Result<String> {
        self.run_in(Path::new("."), commands)
    }

    /// As [`Yosys::run`], with the names of files relative to `folder`.
    ///
    /// *Errors*: as [`Yosys::run`].
    pub fn run_in(&self, folder: &Path, commands: &[String]) -> Result<String> {
        let mut command = Command::new(&self.python);
        command.args(["-c", DRIVER]).arg(&self.root).args(commands).current_dir(folder);
        let outcome = run(&mut command)?;
        if outcome.success {
            return Ok(outcome.text);
        }
        let lines: Vec<&str> = outcome.text.lines().collect();
        let text = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
        Err(Error::Refused { tool: PACKAGE.tool, text })
    }

    /// Reads a design, written as files into `folder`, and checks that it can be synthesised: every module is there, nothing is a latch, no
    /// combinational loop, no net with two drivers or none. Gives the log with the number of cells.
    ///
    /// *Errors*: as [`Yosys::run`]; [`Error::Write`].
    pub fn check(&self, design: &Design, folder: &Path) -> Result<String> {
        design.write(folder).map_err(|cause| Error::Write { path: folder.to_owned(), cause })?;
        let files: Vec<String> = design.files().into_iter().map(|(name, _)| quoted(&folder.join(name))).collect();
        self.run(&[
            format!("read_verilog -nolatches {}", files.join(" ")),
            format!("hierarchy -check -top {}", design.top),
            "proc".into(),
            "check -assert".into(),
            "stat".into(),
        ])
    }
}

/// A path as Yosys' commands want it.
pub(crate) fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display())
}
