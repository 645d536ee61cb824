// SPDX-License-Identifier: Apache-2.0
//! The hardware of Quader in Rust-HDL: `ls` of this folder is the data path.

/// A comment for the Verilog reader; the first one of a kernel names the module: `comment!("fifo_{data}: what it does")`.
#[macro_export]
macro_rules! comment {
    ($text:literal) => {};
}

pub mod emit;
pub mod prim;
pub mod twin;
