// SPDX-License-Identifier: Apache-2.0
//! The hardware of Quader in Rust-HDL: `ls` of this folder is the data path.

/// A comment for the Verilog reader; the first one of a kernel names the module: `comment!("fifo_{data}: what it does")`.
#[macro_export]
macro_rules! comment {
    ($text:literal) => {};
}

pub mod axi;
pub mod control;
pub mod counters;
pub mod csr;
pub mod cube;
pub mod emit;
pub mod fb;
pub mod fix;
pub mod flags;
pub mod full;
pub mod issue;
pub mod l0;
pub mod l0c;
pub mod l1;
pub mod mte1;
pub mod mte2;
pub mod mte3;
pub mod nest;
pub mod prim;
pub mod rotate;
pub mod sequencer;
pub mod target;
pub mod top;
pub mod twin;
pub mod ub;
