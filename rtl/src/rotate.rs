// SPDX-License-Identifier: Apache-2.0
//! Turns a ring of lanes: output `i` is input `(i + amount) mod n`. No clock, no state.
//!
//! ```text
//!  lane[n] ──►┌────────┐──► turned[n]     turned[i] = lane[(i + amount) mod n]
//!  amount ───►│ rotate │
//!             └────────┘
//! ```
//! log2(n) levels of two-way multiplexers. L1 and FB use it to bring bank order back to address order, MTE1 to turn squares.

use crate::prim::prelude::*;

/// Rotates n (1, 2, 4, 8 or 16) lanes of W bits.
#[derive(LogicBlock)]
pub struct Rotate<const W: usize> {
    /// What is turned.
    pub lane: Vec<Signal<In, Bits<W>>>,
    /// By how many lanes; only the low log2(n) bits count.
    pub amount: Signal<In, Bits<4>>,
    /// The turned ring.
    pub turned: Vec<Signal<Out, Bits<W>>>,
    stage: Vec<Signal<Local, Bits<W>>>,
    _lanes: usize,
    _stages: usize,
}

impl<const W: usize> Rotate<W> {
    /// A ring of `lanes` (a power of two, at most 16) lanes.
    pub fn new(lanes: usize) -> Self {
        assert!(lanes.is_power_of_two() && lanes <= 16, "a ring has 1, 2, 4, 8 or 16 lanes, not {lanes}");
        let stages = lanes.trailing_zeros() as usize;
        Rotate {
            lane: vec![Signal::default(); lanes],
            amount: Signal::default(),
            turned: vec![Signal::default(); lanes],
            stage: vec![Signal::default(); lanes * (stages + 1)],
            _lanes: lanes,
            _stages: stages,
        }
    }
}

impl<const W: usize> Logic for Rotate<W> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("rotate_{lane[]}x{lane}: output i is input (i + amount) mod the number of lanes.");
        for n in self._lanes..(self._lanes + 1) {
            for i in 0..self._lanes {
                self.stage[i].next = self.lane[i].val();
            }
            for s in 0..self._stages {
                for i in 0..self._lanes {
                    if self.amount.val().get_bit(s) {
                        self.stage[(s + 1) * n + i].next = self.stage[s * n + (i + (1 << s)) % n].val();
                    } else {
                        self.stage[(s + 1) * n + i].next = self.stage[s * n + i].val();
                    }
                }
            }
            for s in self._stages..(self._stages + 1) {
                for i in 0..self._lanes {
                    self.turned[i].next = self.stage[s * n + i].val();
                }
            }
        }
    }
}
