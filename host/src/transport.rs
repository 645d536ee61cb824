// SPDX-License-Identifier: Apache-2.0
//! The way to a core: global memory to fill and read, a program to run. The same program takes every way.
//!
//! | transport | is | cycles |
//! |---|---|---|
//! | [`Simulated`](crate::Simulated) | the hardware in Verilator, behind an AXI4 memory | yes |
//! | [`Modelled`](crate::Modelled) | the instruction-level model | no |
//! | [`Serial`](crate::Serial) | a board on a serial line | yes |

use crate::error::{HostError, Result};
use crate::program::Program;
use crate::report::Report;
use isa::Config;
use isa::limits::GM_ADDRESS_BITS;

/// A core and its global memory, wherever they are.
pub trait Transport {
    /// The configuration of the core.
    fn config(&self) -> &Config;

    /// Writes bytes into global memory, while no program runs.
    ///
    /// *Errors*: [`HostError::Address`] if they leave the 40-bit address space.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()>;

    /// Reads bytes from global memory, while no program runs.
    ///
    /// *Errors*: as [`Transport::write`].
    fn read(&mut self, address: u64, len: usize) -> Result<Vec<u8>>;

    /// Writes the code of a program into global memory, runs it, and waits for its end. After a fault the core is ready again.
    ///
    /// *Errors*: [`HostError::Fault`] with the fault record; [`HostError::Simulation`] if the simulation fails or the core used
    /// the bus against its rules; [`HostError::Link`] if the board or its line fails.
    fn run(&mut self, program: &Program) -> Result<Report>;
}

/// That `len` bytes from `address` on exist.
pub(crate) fn check_address(address: u64, len: usize) -> Result<()> {
    let inside = address.checked_add(len as u64).is_some_and(|end| end <= 1 << GM_ADDRESS_BITS);
    if inside { Ok(()) } else { Err(HostError::Address { address, len }) }
}
