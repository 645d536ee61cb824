// SPDX-License-Identifier: Apache-2.0
//! `quader disasm`: an encoded program to text.

use super::output::{self, Output};
use super::{Failure, Result, program};
use clap::Args;
use isa::asm::disassemble;
use std::path::PathBuf;

/// Print a program as text
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  quader disasm hello.bin -o hello.qasm\n\nThe text assembles to the same bytes again."
)]
pub struct Disasm {
    /// Encoded program
    #[arg(value_name = "FILE")]
    program: PathBuf,
    /// Program text [default: standard output]
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
}

impl Disasm {
    /// Runs the command.
    pub fn run(&self) -> Result {
        let program = program::read_binary(&self.program)?;
        let text = disassemble(&program).map_err(|(index, error)| {
            Failure::input(format!("{}, instruction {index}: {error}", self.program.display()))
        })?;
        match &self.output {
            Some(target) => Output::create(target)?.write(text.as_bytes()),
            None => output::print(&text),
        }
    }
}
