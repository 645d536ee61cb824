// SPDX-License-Identifier: Apache-2.0
//! `quader verilog`: the hardware of a core as Verilog files.

use super::output::{self, Temporary};
use super::progress::Waiting;
use super::{Failure, Result, core};
use clap::Args;
use isa::Config;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The list of sources.
const LIST: &str = "quader.f";

/// Waivers for Verilator's lint, each with its reason.
const WAIVERS: (&str, &str) = ("quader.vlt", include_str!("../../rtl/lint.vlt"));

const DETAILS: &str = "\
Examples:
  quader verilog --config tiny --out rtl-tiny
  cd rtl-tiny && verilator --lint-only -Wall quader.vlt -f quader.f --top-module quader

Written are one file per module, the list quader.f, and quader.vlt with the waivers for `verilator -Wall`. The top module
is `quader`; its ports are described in docs/integration.md. A folder that this command wrote before is replaced; any
other folder that is not empty is refused.";

/// Print the hardware of a core as Verilog
#[derive(Args, Debug)]
#[command(after_help = DETAILS)]
pub struct Verilog {
    /// Core
    #[arg(long, value_name = "CORE", default_value = "lite", value_parser = core())]
    config: Config,
    /// Folder of the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Verilog {
    /// Runs the command.
    pub fn run(&self) -> Result {
        let out = absolute(&self.out)?;
        let cannot = |cause: std::io::Error| Failure::input(format!("cannot write {}: {cause}", self.out.display()));
        let is_old = refuse_foreign(&out)?;
        let folder = Temporary::folder(&out).map_err(cannot)?;
        let waiting = Waiting::begin(
            &format!("printing {}", self.config.name),
            format!("printing {}, a few seconds", self.config.name),
        );
        let hardware = rtl::top::core(&self.config).map_err(Failure::failed)?;
        let design = rtl::emit::emit(&*hardware, "quader").map_err(Failure::failed)?;
        drop(waiting);
        design.write(folder.path()).map_err(cannot)?;
        fs::write(folder.path().join(WAIVERS.0), WAIVERS.1).map_err(cannot)?;
        if is_old {
            fs::remove_dir_all(&out).map_err(cannot)?;
        }
        folder.rename(&out).map_err(cannot)?;
        let bytes: usize = design.modules.iter().map(|module| module.text.len()).sum();
        output::print(&format!(
            "{}: {} modules of {}, {bytes} bytes, top module {}, list {LIST}\n",
            self.out.display(),
            design.modules.len(),
            self.config.name,
            design.top
        ))
    }
}

/// The folder without `..` or a slash at its end, so that it has a name.
fn absolute(path: &Path) -> Result<PathBuf> {
    let cannot = |reason: &str| Failure::input(format!("cannot write {}: {reason}", path.display()));
    let full = fs::canonicalize(path).or_else(|_| std::path::absolute(path)).map_err(|_| cannot("it is no path"))?;
    if full.file_name().is_none() {
        return Err(cannot("it does not name a folder of its own"));
    }
    Ok(full)
}

/// True if the folder was written by this command before; false if it is absent or empty.
fn refuse_foreign(out: &Path) -> Result<bool> {
    let refuse = |reason: String| Err(Failure::input(format!("{} {reason}: name another folder", out.display())));
    let items = match fs::read_dir(out) {
        Ok(items) => items,
        Err(_) if out.exists() => return refuse("is no folder, or cannot be read".to_owned()),
        Err(_) => return Ok(false),
    };
    let names: BTreeSet<String> = items.flatten().map(|item| item.file_name().to_string_lossy().into_owned()).collect();
    if names.is_empty() {
        return Ok(false);
    }
    let Ok(list) = fs::read_to_string(out.join(LIST)) else {
        return refuse(format!("is not empty and was not written by `quader verilog` (it has no {LIST})"));
    };
    let own: BTreeSet<String> = list.lines().map(str::to_owned).chain([LIST, WAIVERS.0].map(str::to_owned)).collect();
    match names.difference(&own).next() {
        Some(foreign) => refuse(format!("holds {foreign}, which `quader verilog` did not write")),
        None => Ok(true),
    }
}
