// SPDX-License-Identifier: Apache-2.0
//! Lanes side by side in one word: `word = {lane[n-1], .., lane[1], lane[0]}`. No clock, no state.
//!
//! Splitting a word needs no block (`word.val().get_bits::<W>(..)`); joining does, because a kernel cannot assign part of a signal.

use rust_hdl::prelude::*;

/// Joins B / W lanes of W bits to a word of B bits.
#[derive(Clone, Debug, LogicBlock)]
pub struct Join<const W: usize, const B: usize> {
    /// Lane 0 is the lowest.
    pub lane: Vec<Signal<In, Bits<W>>>,
    /// All lanes.
    pub word: Signal<Out, Bits<B>>,
}

impl<const W: usize, const B: usize> Default for Join<W, B> {
    fn default() -> Self {
        assert!(W > 0 && B.is_multiple_of(W), "{B} bits are no whole number of {W} bit lanes");
        Join { lane: vec![Signal::default(); B / W], word: Signal::default() }
    }
}

impl<const W: usize, const B: usize> Logic for Join<W, B> {
    fn update(&mut self) {
        let mut word = Bits::<B>::default();
        for (at, lane) in self.lane.iter().enumerate() {
            for bit in 0..W {
                word = word.replace_bit(at * W + bit, lane.val().get_bit(bit));
            }
        }
        self.word.next = word;
    }

    fn connect(&mut self) {
        self.word.connect();
    }

    fn hdl(&self) -> Verilog {
        let lanes: Vec<String> = (0..self.lane.len()).rev().map(|lane| format!("lane_{lane}")).collect();
        Verilog::Custom(format!(
            "// join_{}x{W}: lanes of {W} bits side by side, lane 0 lowest.\nassign word = {{{}}};\n",
            self.lane.len(),
            lanes.join(", ")
        ))
    }
}
