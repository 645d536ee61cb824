// SPDX-License-Identifier: Apache-2.0
//! `quader check`: everything that is wrong with a program, without running it.

use super::program::Source;
use super::{Failure, Result, core, output};
use clap::Args;
use isa::Config;
use std::path::PathBuf;

const DETAILS: &str = "\
Examples:
  quader check hello.qasm
  quader check program.bin --config tiny

Found are: encodings and dtypes that the core lacks, registers that are not set, accesses outside a buffer, accesses
that no flag or barrier orders, flags that overflow, are left or never come. A program without findings gives the same
bits on every core that it fits.";

/// Check a program without running it
#[derive(Args, Debug)]
#[command(after_help = DETAILS)]
pub struct Check {
    /// Program: .qasm text, else encoded
    #[arg(value_name = "FILE")]
    program: PathBuf,
    /// Core whose buffers and queues the program has to fit
    #[arg(long, value_name = "CORE", default_value = "lite", value_parser = core())]
    config: Config,
}

impl Check {
    /// Runs the command.
    pub fn run(&self) -> Result {
        let source = Source::read(&self.program)?;
        let (file, core) = (self.program.display(), &self.config.name);
        match isa::check(&source.program, &self.config) {
            Ok(()) => {
                output::print(&format!("{file}: {} instructions, nothing found on {core}\n", source.program.len()))
            }
            Err(findings) => {
                let lines = findings.iter().map(|finding| format!("{}: {finding}\n", source.place(finding.index)));
                output::print(&lines.collect::<String>())?;
                let count = findings.len();
                Err(Failure::failed(format!(
                    "{file} has {count} finding{} on {core}",
                    if count == 1 { "" } else { "s" }
                )))
            }
        }
    }
}
