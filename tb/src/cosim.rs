// SPDX-License-Identifier: Apache-2.0
//! The same block twice: in Rust-HDL's own simulation and, emitted, in Verilator. Same inputs, same outputs, every cycle.
//!
//! ```text
//!   test sets twin.uut inputs ─► edge(): copies them to the Verilog, settles both, compares every output, clocks both, compares again
//! ```
//! Memories start as zeros on both sides, because what a memory holds after power-up is not part of the comparison. One model per
//! block: for the units of a core, which share one model, see [`crate::Lockstep`].

use crate::mirror::Mirror;
use rtl::emit::{Design, emit};
use rtl::twin::Twin;
use rust_hdl::prelude::{Block, Clock};
use verilated::Build;

/// Name of the clock port and the way to set it on the Rust side.
pub type ClockPort<U> = (&'static str, fn(&mut U, Clock));

/// A block in both simulations.
pub struct Cosim<U: Block> {
    /// The Rust side: set `twin.uut.port.next`, read `twin.uut.port.val()`.
    pub twin: Twin<U>,
    mirror: Mirror,
}

impl<U: Block + 'static> Cosim<U> {
    /// Emits `uut` as module `name`, builds it with Verilator and sets both to their start.
    ///
    /// `clock` names the clock port and sets it on the Rust side; a block without a clock gives `None` and is only settled.
    /// Panics if the block cannot be printed or built.
    pub fn new(uut: U, name: &str, clock: Option<ClockPort<U>>) -> Self {
        Self::printed(uut, name, clock, |design| design.files())
    }

    /// As [`Cosim::new`]; `files` gives the Verilog of the emitted design, for example with the cells of a family of FPGAs.
    pub fn printed(
        uut: U,
        name: &str,
        clock: Option<ClockPort<U>>,
        files: impl FnOnce(Design) -> Vec<(String, String)>,
    ) -> Self {
        let twin = Twin::new(uut, clock.map_or(|_: &mut U, _| (), |(_, set)| set));
        let design = emit(&twin.uut, name).unwrap_or_else(|error| panic!("{error}"));
        let model = Build::new(name).texts(files(design)).cycles_hint(10_000).build();
        let model = model.unwrap_or_else(|error| panic!("{error}"));
        let mirror = Mirror::new(&model, "", clock.map(|(port, _)| port), &twin.uut);
        let mut cosim = Cosim { twin, mirror };
        cosim.compare();
        cosim
    }

    /// Lets the inputs act on both sides and compares every output.
    ///
    /// Panics at the first difference with the port, both values and the cycle.
    pub fn compare(&mut self) {
        self.twin.settle();
        self.mirror.compare(&self.twin.uut, self.twin.cycle);
    }

    /// One rising clock edge on both sides, outputs compared before and after.
    pub fn edge(&mut self) {
        self.compare();
        self.mirror.rise(self.twin.cycle);
        self.twin.edge();
        self.compare();
    }
}
