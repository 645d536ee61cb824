// SPDX-License-Identifier: Apache-2.0
//! A register: `q(t+1) = d(t)`.
//!
//! ```text
//!   d ──►┌─┐──► q      No reset and no enable of its own: kernels write `if self.rst.val() { self.x.d.next = .. }` last and
//!  clk ─►└>┘           hold by the default of `dff_setup!`, so that the reset value stands where the state is used.
//! ```
//! After power-up `q` is anything (zero in the Rust simulation). Printed inside the module that uses it.

use rust_hdl::prelude::*;

/// A register of type `T`. Use `dff_setup!(self, clk, name, ...)`, then assign `name.d`.
#[derive(Clone, Debug, LogicBlock)]
pub struct Reg<T: Synth> {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Next value.
    pub d: Signal<In, T>,
    /// Present value.
    pub q: Signal<Out, T>,
}

impl<T: Synth> Default for Reg<T> {
    fn default() -> Self {
        Reg { clock: Signal::default(), d: Signal::default(), q: Signal::default() }
    }
}

impl<T: Synth> Logic for Reg<T> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.q.next = self.d.val();
        }
    }

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom("// inline\nalways @(posedge clock) q <= d;\n".into())
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "reg".into(),
            clock: "clock".into(),
            inputs: vec!["d".into()],
            outputs: vec!["q".into()],
        }]
    }
}
