// SPDX-License-Identifier: Apache-2.0
//! Where the hardware meets what it is compared with: co-simulation, lint, random programs, seeds.

mod cosim;
mod lint;
pub mod programs;
mod seed;

pub use cosim::{ClockPort, Cosim};
pub use lint::lint;
pub use seed::{Seed, seed};
