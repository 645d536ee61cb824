// SPDX-License-Identifier: Apache-2.0
//! Turns the lanes of a word: `lane_out[(i + amount) mod n] = lane_in[i]`. No clock; log2(n) multiplexers deep.

use super::log2;
use crate::prim::prelude::*;

/// Byte rotator of `n` lanes.
#[derive(LogicBlock)]
pub struct Rotate {
    /// Bytes to turn.
    pub lane_in: Vec<Signal<In, Bits<8>>>,
    /// Lanes to turn by, modulo the number of lanes.
    pub amount: Signal<In, Bits<8>>,
    /// Turned bytes.
    pub lane_out: Vec<Signal<Out, Bits<8>>>,
    stage: Vec<Signal<Local, Bits<8>>>,
    _n: usize,
    _steps: usize,
}

impl Rotate {
    /// A rotator of `n` lanes, a power of two from 2 to 128.
    pub fn new(n: usize) -> Self {
        assert!((2..=128).contains(&n), "a rotator has 2 to 128 lanes, not {n}");
        Rotate {
            lane_in: vec![Signal::default(); n],
            amount: Signal::default(),
            lane_out: vec![Signal::default(); n],
            stage: vec![Signal::default(); n * (log2(n) + 1)],
            _n: n,
            _steps: log2(n),
        }
    }
}

impl Logic for Rotate {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("rotate_{lane_in[]}: turns the lanes of a word upwards by a run-time amount.");
        for n in self._n..(self._n + 1) {
            for i in 0..self._n {
                self.stage[i].next = self.lane_in[i].val();
            }
            for k in 0..self._steps {
                for i in 0..self._n {
                    if self.amount.val().get_bit(k) {
                        self.stage[(k + 1) * n + i].next = self.stage[k * n + (i + n - (1 << k)) % n].val();
                    } else {
                        self.stage[(k + 1) * n + i].next = self.stage[k * n + i].val();
                    }
                }
            }
            for s in self._steps..(self._steps + 1) {
                for i in 0..self._n {
                    self.lane_out[i].next = self.stage[s * n + i].val();
                }
            }
        }
    }
}
