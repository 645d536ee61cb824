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
//! | `generate` | which instructions; numbers, layouts, strides |
//! | `transfers` | copies of MTE2 and MTE3 in up to four dimensions |
//! | `maps` | tiles of A from feature maps |
//! | `products` | tiles, parameters, products and results |
//! | `flags` | other ids than the builder's, and flags that no data needs |
//! | `coverage` | what has to be met, and what was |
//!
//! A program uses L1 and UB as the program before it left them, so whoever compares two machines runs [`prepare`] on both first: it
//! gives L1 and UB of `tiny` defined contents, and the last 3,328 bytes of L1 the parameters. No program writes these.

mod arena;
mod coverage;
mod flags;
mod generate;
mod maps;
mod products;
mod second;
mod transfers;

pub use arena::Arena;
pub use coverage::{Coverage, Group};
pub use generate::{prepare, program};
