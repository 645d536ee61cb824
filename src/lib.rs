// SPDX-License-Identifier: Apache-2.0
//! Quader: an open matrix-cube accelerator. This crate is the facade: what a user programs, simulates and builds with.

pub use isa;
pub use rtl;
pub use verilated;
