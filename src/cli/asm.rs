// SPDX-License-Identifier: Apache-2.0
//! `quader asm`: text to an encoded program.

use super::output::{self, Output};
use super::{Failure, Result, program};
use clap::Args;
use isa::encode_program;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  quader asm hello.qasm               writes hello.bin
  quader asm hello.qasm -o program

The language is described in docs/isa.md and in the crate `isa`, module `asm`.";

/// Assemble a program
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Asm {
    /// Program text (.qasm)
    #[arg(value_name = "FILE")]
    source: PathBuf,
    /// Encoded program [default: FILE with the ending .bin]
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
}

impl Asm {
    /// Runs the command.
    pub fn run(&self) -> Result {
        let target = self.output.clone().unwrap_or_else(|| self.source.with_extension("bin"));
        if target == self.source {
            return Err(Failure::input(format!(
                "{} would be overwritten: name another file with -o",
                target.display()
            )));
        }
        let program = program::read_text(&self.source)?.program;
        let code = encode_program(&program).map_err(|(index, error)| {
            Failure::input(format!("{}, instruction {index}: {error}", self.source.display()))
        })?;
        let (count, length) = (program.len(), code.len());
        Output::create(&target)?.write(&code)?;
        output::print(&format!("{}: {count} instructions, {length} bytes\n", target.display()))
    }
}
