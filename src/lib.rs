// SPDX-License-Identifier: Apache-2.0
//! Quader: an open matrix-cube accelerator. This crate is the facade: what a user programs, simulates and builds with.
//!
//! | module | is |
//! |---|---|
//! | [`host`] | matrix products and convolutions of any size on a core, simulated or modelled |
//! | [`onnx`] | nodes of ONNX on a core |
//! | [`isa`] | cores, instructions, assembler, program checker |
//! | [`model`] | what the answer is, instruction by instruction |
//! | [`rtl`] | the hardware in Rust-HDL, and the printer to Verilog |
//! | [`sim`] | a simulated core in its surroundings |
//! | [`verilated`] | Verilog as a Rust value |
//! | [`digits`] | the data of the demo |
//!
//! The command line `quader` is the program of this package.

pub mod digits;

pub use host;
pub use isa;
pub use model;
pub use onnx;
pub use rtl;
pub use sim;
pub use verilated;
