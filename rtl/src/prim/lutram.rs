// SPDX-License-Identifier: Apache-2.0
//! A small memory that is read in the same cycle: look-up-table RAM, for queues and tables of up to 64 words.
//!
//! ```text
//!  read_address ──────────────────►┌─────┐──► read[lane]     read(t) = words[read_address(t)]
//!  write_enable, write_address,    │ mem │
//!  write[lane] ───────────────────►└─────┘                   words[write_address] = write   if write_enable, from t+1 on
//! ```

use super::leaf::{list, unused};
use rust_hdl::prelude::*;

/// `depth` words of `lanes` times W bits, read without a clock.
#[derive(Clone, Debug, LogicBlock)]
pub struct Lutram<const W: usize> {
    /// Clock, rising edge (writes).
    pub clock: Signal<In, Clock>,
    /// Word to read, below `depth`.
    pub read_address: Signal<In, Bits<8>>,
    /// That word, in the same cycle.
    pub read: Vec<Signal<Out, Bits<W>>>,
    /// Write this cycle.
    pub write_enable: Signal<In, Bit>,
    /// Word to write, below `depth`.
    pub write_address: Signal<In, Bits<8>>,
    /// New word.
    pub write: Vec<Signal<In, Bits<W>>>,
    _mem: Vec<Vec<Bits<W>>>,
}

impl<const W: usize> Lutram<W> {
    /// A memory of `depth` words (2 to 256) of `lanes` lanes (at least 1).
    pub fn new(depth: usize, lanes: usize) -> Self {
        assert!((2..=256).contains(&depth), "a table has 2 to 256 words, not {depth}");
        assert!(lanes >= 1, "a table has at least one lane");
        Lutram {
            clock: Signal::default(),
            read_address: Signal::default(),
            read: vec![Signal::default(); lanes],
            write_enable: Signal::default(),
            write_address: Signal::default(),
            write: vec![Signal::default(); lanes],
            _mem: vec![vec![Bits::default(); lanes]; depth],
        }
    }
}

impl<const W: usize> Logic for Lutram<W> {
    fn update(&mut self) {
        if self.clock.pos_edge() && self.write_enable.val() {
            let word = self.write_address.val().index() % self._mem.len();
            for (lane, write) in self.write.iter().enumerate() {
                self._mem[word][lane] = write.val();
            }
        }
        let word = self.read_address.val().index() % self._mem.len();
        for (lane, read) in self.read.iter_mut().enumerate() {
            read.next = self._mem[word][lane];
        }
    }

    fn connect(&mut self) {
        self.read.iter_mut().for_each(|read| read.connect());
    }

    fn hdl(&self) -> Verilog {
        let (depth, lanes) = (self._mem.len(), self.read.len());
        let high = depth.next_power_of_two().trailing_zeros() - 1;
        let mut text = format!(
            "// lutram_{depth}x{lanes}x{W}: {depth} words of {lanes} lanes of {W} bits, read in the same cycle.\n\
             (* ram_style = \"distributed\" *) reg [{0}:0] words [0:{1}];\n\
             assign {{{2}}} = words[read_address[{high}:0]];\n\
             always @(posedge clock) if (write_enable) words[write_address[{high}:0]] <= {{{3}}};\n",
            lanes * W - 1,
            depth - 1,
            list("read", lanes),
            list("write", lanes),
        );
        text += &unused(&["read_address", "write_address"], 8, high as usize + 1);
        Verilog::Custom(text)
    }
}
