// SPDX-License-Identifier: Apache-2.0
//! A delay line: `tap[s](t + s + 1) = value(t)`. Payload only, no reset.

use crate::prim::prelude::*;

/// A delay line of W bits.
#[derive(LogicBlock)]
pub struct Delay<const W: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// What goes in.
    pub value: Signal<In, Bits<W>>,
    /// What went in 1, 2, .. cycles ago.
    pub tap: Vec<Signal<Out, Bits<W>>>,
    stage: Vec<Reg<Bits<W>>>,
    _stages: usize,
}

impl<const W: usize> Delay<W> {
    /// A line of `stages` cycles (at least 1).
    pub fn new(stages: usize) -> Self {
        Delay {
            clk: Signal::default(),
            value: Signal::default(),
            tap: vec![Signal::default(); stages],
            stage: vec![Reg::default(); stages],
            _stages: stages,
        }
    }
}

impl<const W: usize> Logic for Delay<W> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("delay_{tap[]}x{value}: what went in 1, 2, .. cycles ago.");
        for s in 0..self._stages {
            self.stage[s].clock.next = self.clk.val();
            self.tap[s].next = self.stage[s].q.val();
        }
        self.stage[0].d.next = self.value.val();
        for s in 1..self._stages {
            self.stage[s].d.next = self.stage[s - 1].q.val();
        }
    }
}
