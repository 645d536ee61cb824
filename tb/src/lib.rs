// SPDX-License-Identifier: Apache-2.0
//! Where the hardware meets what it is compared with: co-simulation, lint, random programs, seeds.

mod cosim;
mod lint;
mod lockstep;
mod mirror;
pub mod programs;
mod seed;
mod units;

pub use cosim::{ClockPort, Cosim};
pub use lint::lint;
pub use lockstep::{Lockstep, Report};
pub use seed::{Seed, rounds, seed};
pub use units::unit_names;
