// SPDX-License-Identifier: Apache-2.0
//! A multiplexer with a registered result: `chosen(t + 1) = choice[select(t)](t)`.

use crate::prim::prelude::*;

/// One of several W-bit numbers.
#[derive(LogicBlock)]
pub struct Pick<const W: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// What there is.
    pub choice: Vec<Signal<In, Bits<W>>>,
    /// Which one; below the number of choices.
    pub select: Signal<In, Bits<8>>,
    /// That one, one cycle later.
    pub chosen: Signal<Out, Bits<W>>,
    keep: Reg<Bits<W>>,
}

impl<const W: usize> Pick<W> {
    /// A multiplexer of `n` (at least 1) numbers.
    pub fn new(n: usize) -> Self {
        assert!(n >= 1, "a multiplexer has at least one choice");
        Pick {
            clk: Signal::default(),
            choice: vec![Signal::default(); n],
            select: Signal::default(),
            chosen: Signal::default(),
            keep: Reg::default(),
        }
    }
}

impl<const W: usize> Logic for Pick<W> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("pick_{choice[]}x{chosen}: one of several numbers, registered.");
        dff_setup!(self, clk, keep);
        self.keep.d.next = self.choice[self.select.val().index()].val();
        self.chosen.next = self.keep.q.val();
    }
}
