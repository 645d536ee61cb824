// SPDX-License-Identifier: Apache-2.0
//! An instance with one clock: the order of setting, evaluating and sampling, and time.
//!
//! ```text
//!            ┌─────────┐         ┌──
//!  clock ────┘         └─────────┘
//!        ▲ ▲           ▲ ▲
//!        │ └ rise()    │ └ rise()      registers take their new values, cycle() counts
//!        └ settle()    └ settle()      inputs set before are seen; outputs read after it are what the edge will see
//! ```

use crate::dut::{Dut, Port};
use crate::error::Result;

/// A [`Dut`] whose port `clock` is driven here. Cycle `n` lasts from `n * period` to `(n + 1) * period` nanoseconds.
#[derive(Debug)]
pub struct Clocked {
    dut: Dut,
    clock: Port,
    half_period: u64,
    cycle: u64,
}

impl Clocked {
    /// Drives the input `clock` of `dut` with a period of `period_ns` nanoseconds (rounded down to even, at least 2), and evaluates once with
    /// the clock low, since the first evaluation sees no edge.
    ///
    /// # Errors
    /// [`crate::Error::UnknownPort`], or [`crate::Error::Simulation`] if the design stops itself at once.
    pub fn new(mut dut: Dut, clock: &str, period_ns: u64) -> Result<Clocked> {
        let clock = dut.port(clock)?;
        dut.set(clock, 0);
        dut.eval()?;
        Ok(Clocked { dut, clock, half_period: (period_ns / 2).max(1), cycle: 0 })
    }

    /// The instance, to read ports.
    #[must_use]
    #[inline]
    pub fn dut(&self) -> &Dut {
        &self.dut
    }

    /// The instance, to set ports.
    #[inline]
    pub fn dut_mut(&mut self) -> &mut Dut {
        &mut self.dut
    }

    /// The port called `name`.
    ///
    /// # Errors
    /// [`crate::Error::UnknownPort`].
    pub fn port(&self, name: &str) -> Result<Port> {
        self.dut.port(name)
    }

    /// Rising edges so far.
    #[must_use]
    #[inline]
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// Clock low: the inputs as set now reach all combinational logic. Outputs read after this are those that the coming edge sees.
    ///
    /// # Errors
    /// [`crate::Error::Simulation`] if the design stops itself.
    #[inline]
    pub fn settle(&mut self) -> Result<()> {
        self.dut.set_time(self.cycle * 2 * self.half_period);
        self.dut.set(self.clock, 0);
        self.dut.eval()?;
        self.dut.dump();
        Ok(())
    }

    /// Clock high: the rising edge.
    ///
    /// # Errors
    /// [`crate::Error::Simulation`] if the design stops itself.
    #[inline]
    pub fn rise(&mut self) -> Result<()> {
        self.dut.set_time((self.cycle * 2 + 1) * self.half_period);
        self.dut.set(self.clock, 1);
        self.dut.eval()?;
        self.dut.dump();
        self.cycle += 1;
        Ok(())
    }

    /// One whole cycle: [`Clocked::settle`], [`Clocked::rise`].
    ///
    /// # Errors
    /// As these.
    #[inline]
    pub fn step(&mut self) -> Result<()> {
        self.settle()?;
        self.rise()
    }

    /// `cycles` whole cycles.
    ///
    /// # Errors
    /// As [`Clocked::step`].
    pub fn run(&mut self, cycles: u64) -> Result<()> {
        (0..cycles).try_for_each(|_| self.step())
    }

    /// Ends the simulation ([`Dut::finish`]).
    ///
    /// # Errors
    /// As [`Dut::finish`].
    pub fn finish(self) -> Result<()> {
        self.dut.finish()
    }
}
