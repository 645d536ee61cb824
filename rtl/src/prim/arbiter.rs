// SPDX-License-Identifier: Apache-2.0
//! A round-robin arbiter: of several requests it grants one, and the one granted last has the lowest priority next time.
//!
//! ```text
//!  request[n] ──►┌─────────┐──► grant[n]      at most one grant; a request that stays is granted within n accepted grants
//!  accept ──────►│ arbiter │──► any
//!                └─────────┘
//! ```
//! `grant` is combinational in `request`; the order moves on at the clock edge of a cycle with `accept` and a grant.

use super::prelude::*;

/// Arbiter of up to 8 requesters.
#[derive(LogicBlock)]
pub struct Arbiter {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Back to requester 0 first.
    pub rst: Signal<In, Bit>,
    /// Who wants.
    pub request: Vec<Signal<In, Bit>>,
    /// The grant of this cycle is used.
    pub accept: Signal<In, Bit>,
    /// Who gets.
    pub grant: Vec<Signal<Out, Bit>>,
    /// Number of who gets, 0 if nobody.
    pub granted: Signal<Out, Bits<3>>,
    /// Somebody gets.
    pub any: Signal<Out, Bit>,
    /// Requesters below this number come last.
    first: Reg<Bits<3>>,
    choice: Signal<Local, Bits<3>>,
    found: Signal<Local, Bit>,
    _n: usize,
}

impl Arbiter {
    /// An arbiter of `n` (2 to 8) requesters.
    pub fn new(n: usize) -> Self {
        assert!((2..=8).contains(&n), "an arbiter has 2 to 8 requesters, not {n}");
        Arbiter {
            clk: Signal::default(),
            rst: Signal::default(),
            request: vec![Signal::default(); n],
            accept: Signal::default(),
            grant: vec![Signal::default(); n],
            granted: Signal::default(),
            any: Signal::default(),
            first: Reg::default(),
            choice: Signal::default(),
            found: Signal::default(),
            _n: n,
        }
    }
}

impl Logic for Arbiter {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("arbiter_{request[]}: round robin; the one granted last has the lowest priority next time.");
        dff_setup!(self, clk, first);
        self.choice.next = 0.into();
        self.found.next = false;
        // Later assignments win: first those below `first` from high to low, then the others from high to low.
        for n in self._n..(self._n + 1) {
            for i in 0..self._n {
                if self.request[n - 1 - i].val() & ((n - 1 - i).to_bits::<3>() < self.first.q.val()) {
                    self.choice.next = (n - 1 - i).to_bits::<3>();
                    self.found.next = true;
                }
            }
            for i in 0..self._n {
                if self.request[n - 1 - i].val() & ((n - 1 - i).to_bits::<3>() >= self.first.q.val()) {
                    self.choice.next = (n - 1 - i).to_bits::<3>();
                    self.found.next = true;
                }
            }
        }
        self.granted.next = self.choice.val();
        self.any.next = self.found.val();
        for i in 0..self._n {
            self.grant[i].next = self.found.val() & (self.choice.val() == i.to_bits());
        }
        if self.accept.val() & self.found.val() {
            self.first.d.next = self.choice.val() + 1;
        }
        if self.rst.val() {
            self.first.d.next = 0.into();
        }
    }
}
