// SPDX-License-Identifier: Apache-2.0
//! One accumulator: `total(t+1) = base + sum(t)` modulo 2^32 if `enable`, where base is `total` (keep), `c` (load) or 0.

use crate::prim::prelude::*;

/// A 32 bit accumulator that may start from a stored result.
#[derive(LogicBlock)]
pub struct Accumulate {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Add this cycle; else hold.
    pub enable: Signal<In, Bit>,
    /// Go on from the present total.
    pub keep: Signal<In, Bit>,
    /// Start from `c`; not together with `keep`.
    pub load: Signal<In, Bit>,
    /// Stored result.
    pub c: Signal<In, Bits<32>>,
    /// What is added.
    pub sum: Signal<In, Int<24>>,
    /// The total so far.
    pub total: Signal<Out, Bits<32>>,
    held: Reg<Int<32>>,
    base: Signal<Local, Int<32>>,
}

impl Accumulate {
    /// An accumulator.
    pub fn new() -> Self {
        Accumulate {
            clk: Signal::default(),
            enable: Signal::default(),
            keep: Signal::default(),
            load: Signal::default(),
            c: Signal::default(),
            sum: Signal::default(),
            total: Signal::default(),
            held: Reg::default(),
            base: Signal::default(),
        }
    }
}

impl Default for Accumulate {
    fn default() -> Self {
        Self::new()
    }
}

impl Logic for Accumulate {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("accumulate: a 32 bit accumulator that goes on, starts from a stored result, or starts from 0.");
        dff_setup!(self, clk, held);
        self.base.next = 0.into();
        if self.keep.val() {
            self.base.next = self.held.q.val();
        } else if self.load.val() {
            self.base.next = signed_cast_int(self.c.val());
        }
        if self.enable.val() {
            self.held.d.next = (self.base.val() + self.sum.val()).into();
        }
        self.total.next = unsigned_cast_int(self.held.q.val());
    }
}
