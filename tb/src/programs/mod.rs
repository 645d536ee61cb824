// SPDX-License-Identifier: Apache-2.0
//! Random legal programs for whole cores, and the record of what they cover.
//!
//! ```text
//!  Arena (where data lies in GM) ─┐
//!  seeded numbers ────────────────┴─► program() ─► Vec<Inst> that passes isa::check for tiny ─► Coverage::program
//! ```
//! | file | holds |
//! |---|---|
//! | `arena` | the places in GM that programs read and write, and parameters that are legal as such |
//! | `generate` | which instructions; transfers and their operands |
//! | `products` | tiles, parameters, products and results |
//! | `flags` | other ids than the builder's, and flags that no data needs |
//! | `coverage` | what has to be met, and what was |
//!
//! A program uses L1 as the program before it left it, so whoever compares two machines runs [`prepare`] on both first: it gives
//! the L1 of `tiny` defined contents and its last 3,328 bytes the parameters. No program writes these.

mod arena;
mod coverage;
mod flags;
mod generate;
mod products;

pub use arena::Arena;
pub use coverage::{Coverage, Group};
pub use generate::{prepare, program};
