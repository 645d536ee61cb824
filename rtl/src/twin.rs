// SPDX-License-Identifier: Apache-2.0
//! A block in Rust-HDL's own simulation, cycle by cycle: what the Verilog is compared with.
//!
//! ```text
//!   set inputs ─► settle() ─► read outputs ─► edge() ─► set inputs ─► ...
//! ```
//! Half as simple and fifty times as fast as the crate's threaded `Simulation`.

use rust_hdl::prelude::{Block, Clock, check_all, simulate};

/// Rounds after which a block that still changes is a combinational loop.
const ROUNDS: usize = 1_000;

/// A block and the way to its clock.
pub struct Twin<U: Block> {
    /// The block: set `uut.port.next`, read `uut.port.val()`.
    pub uut: U,
    clock: fn(&mut U, Clock),
    /// Rising edges so far.
    pub cycle: u64,
}

impl<U: Block> Twin<U> {
    /// Connects and checks `uut`; `clock` sets its clock port (`|uut, level| uut.clk.next = level`).
    ///
    /// Panics if a signal is not driven or the block does not settle.
    pub fn new(mut uut: U, clock: fn(&mut U, Clock)) -> Self {
        uut.connect_all();
        if let Err(error) = check_all(&uut) {
            panic!("the block is not wired completely: {error:?}");
        }
        let mut twin = Twin { uut, clock, cycle: 0 };
        twin.level(false);
        twin
    }

    /// Lets the inputs act on the combinational outputs.
    pub fn settle(&mut self) {
        assert!(simulate(&mut self.uut, ROUNDS), "cycle {}: the block does not settle", self.cycle);
    }

    /// One rising edge; inputs that were set before it act on it.
    pub fn edge(&mut self) {
        self.settle();
        self.level(true);
        self.level(false);
        self.cycle += 1;
    }

    fn level(&mut self, clk: bool) {
        (self.clock)(&mut self.uut, Clock { clk });
        self.settle();
    }
}
