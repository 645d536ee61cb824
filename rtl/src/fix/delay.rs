// SPDX-License-Identifier: Apache-2.0
//! A delay line: `later(t + n) = now(t)`. No reset: users delay a valid bit that is known from the first edges on.

use crate::prim::prelude::*;

/// `n` registers of W bits in a row.
#[derive(LogicBlock)]
pub struct Delay<const W: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Every stage becomes 0.
    pub clear: Signal<In, Bit>,
    /// The value now.
    pub now: Signal<In, Bits<W>>,
    /// The value `n` cycles ago.
    pub later: Signal<Out, Bits<W>>,
    stage: Vec<Reg<Bits<W>>>,
    _n: usize,
}

impl<const W: usize> Delay<W> {
    /// A delay of `n` (at least 1) cycles.
    pub fn new(n: usize) -> Self {
        assert!(n >= 1, "a delay line has at least one register");
        Delay {
            clk: Signal::default(),
            clear: Signal::default(),
            now: Signal::default(),
            later: Signal::default(),
            stage: (0..n).map(|_| Reg::default()).collect(),
            _n: n,
        }
    }
}

impl<const W: usize> Logic for Delay<W> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("delay_{stage[]}x{now}: a value some cycles later.");
        for i in 0..self._n {
            self.stage[i].clock.next = self.clk.val();
        }
        self.stage[0].d.next = self.now.val();
        for i in 1..self._n {
            self.stage[i].d.next = self.stage[i - 1].q.val();
        }
        if self.clear.val() {
            for i in 0..self._n {
                self.stage[i].d.next = 0.into();
            }
        }
        for n in self._n..(self._n + 1) {
            self.later.next = self.stage[n - 1].q.val();
        }
    }
}
