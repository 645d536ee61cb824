// SPDX-License-Identifier: Apache-2.0
//! A small serial multiplier: `total = base + addend * factor` modulo 2^26, two bits of the factor per cycle.
//!
//! ```text
//!  start, base, addend, factor ──►┌─────────┐──► busy      from the cycle after start, ceil(bits of the factor / 2) cycles
//!                                 │ product │──► total     stays until the next start
//!                                 └─────────┘
//! ```
//! It ends with the highest 1 of the factor, so the shorter operand is the factor.

use crate::prim::prelude::*;

/// The multiplier.
#[derive(Default, LogicBlock)]
pub struct Product {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Starts with the operands below, also while busy.
    pub start: Signal<In, Bit>,
    /// What the product is added to.
    pub base: Signal<In, Bits<26>>,
    /// One operand.
    pub addend: Signal<In, Bits<26>>,
    /// The other.
    pub factor: Signal<In, Bits<24>>,
    /// The total is not there yet.
    pub busy: Signal<Out, Bit>,
    /// The total.
    pub total: Signal<Out, Bits<26>>,
    sum: Reg<Bits<26>>,
    multiple: Reg<Bits<26>>,
    left: Reg<Bits<24>>,
    once: Signal<Local, Bits<26>>,
    twice: Signal<Local, Bits<26>>,
}

impl Logic for Product {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte1_product: base + addend * factor, two bits of the factor per cycle.");
        dff_setup!(self, clk, sum, multiple, left);
        self.once.next = 0.into();
        if self.left.q.val().get_bit(0) {
            self.once.next = self.multiple.q.val();
        }
        self.twice.next = 0.into();
        if self.left.q.val().get_bit(1) {
            self.twice.next = self.multiple.q.val() << 1;
        }
        self.busy.next = self.left.q.val() != 0;
        self.total.next = self.sum.q.val();
        if self.left.q.val() != 0 {
            self.sum.d.next = self.sum.q.val() + self.once.val() + self.twice.val();
            self.multiple.d.next = self.multiple.q.val() << 2;
            self.left.d.next = self.left.q.val() >> 2;
        }
        if self.start.val() {
            self.sum.d.next = self.base.val();
            self.multiple.d.next = self.addend.val();
            self.left.d.next = self.factor.val();
        }
    }
}
