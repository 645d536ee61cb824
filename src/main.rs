// SPDX-License-Identifier: Apache-2.0
//! The command line `quader`: matrix products, programs and Verilog of the Quader cores.
//!
//! Exit status: 0 done, 1 a mismatch, a failed check, a fault or a tool that is missing, 2 bad input. What went wrong is one sentence on
//! standard error.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
