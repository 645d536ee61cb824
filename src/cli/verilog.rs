// SPDX-License-Identifier: Apache-2.0
//! `quader verilog`: the hardware of a core as Verilog files.

use super::folder::{Folder, Kind};
use super::output;
use super::progress::Waiting;
use super::{Failure, Result, core};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use isa::Config;
use rtl::target::Target;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The list of sources.
const LIST: &str = "quader.f";

/// Waivers for Verilator's lint, each with its reason.
const WAIVERS: (&str, &str) = ("quader.vlt", include_str!("../../rtl/lint.vlt"));

const KIND: Kind = Kind { command: "quader verilog", list: LIST, names };

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
    /// Whose cells the multipliers are made of; `generic` is plain Verilog for every tool
    #[arg(long, value_name = "TARGET", default_value = "generic", value_parser = target())]
    target: Target,
    /// Folder of the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Verilog {
    /// Runs the command.
    pub fn run(&self) -> Result {
        let folder = Folder::create(&self.out, &KIND)?;
        let waiting = Waiting::begin(
            &format!("printing {}", self.config.name),
            format!("printing {}, a few seconds", self.config.name),
        );
        let hardware = rtl::top::core(&self.config).map_err(Failure::failed)?;
        let design = rtl::emit::emit(&*hardware, "quader").map_err(Failure::failed)?;
        let design = self.target.apply(design);
        drop(waiting);
        design.write(folder.scratch()).map_err(|cause| folder.lost(&cause))?;
        folder.write(WAIVERS.0, WAIVERS.1)?;
        folder.keep()?;
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

/// Parses the name of a target.
fn target() -> impl TypedValueParser<Value = Target> {
    PossibleValuesParser::new(Target::ALL.map(Target::name)).map(|name| {
        let named = Target::ALL.into_iter().find(|target| target.name() == name);
        named.expect("the parser admits the names of targets only")
    })
}

/// The names in a list of sources.
fn names(list: &str) -> Option<BTreeSet<String>> {
    Some(list.lines().map(str::to_owned).chain([WAIVERS.0.to_owned()]).collect())
}
