// SPDX-License-Identifier: Apache-2.0
//! A memory with one read and one write port, its word divided into lanes.
//!
//! ```text
//!  read_enable, read_address ──►┌─────┐──► read[lane]     read(t+1) = words[read_address(t)]   if read_enable(t), else held
//!  write_enable[..],            │ mem │
//!  write_address, write[lane] ─►└─────┘                   words[write_address] = write         if write_enable
//! ```
//! `Ram::masked` has a write enable per lane, `Ram::whole` one for the word. Reading the address that is written in the same cycle
//! gives an undefined word (the Rust twin gives the old one, block RAM may give either): users must not depend on it. Words are
//! undefined after power-up. Inferred as block RAM; lanes of 9 bits use its parity bits.

use super::leaf::list;
use rust_hdl::prelude::*;

/// `depth` words of `lanes` times W bits.
#[derive(Clone, Debug, LogicBlock)]
pub struct Ram<const W: usize> {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Read this cycle.
    pub read_enable: Signal<In, Bit>,
    /// Word to read, below `depth`.
    pub read_address: Signal<In, Bits<16>>,
    /// Word read by the last enabled read.
    pub read: Vec<Signal<Out, Bits<W>>>,
    /// Lanes to write this cycle: one per lane (`masked`) or one (`whole`).
    pub write_enable: Vec<Signal<In, Bit>>,
    /// Word to write, below `depth`.
    pub write_address: Signal<In, Bits<16>>,
    /// New lanes.
    pub write: Vec<Signal<In, Bits<W>>>,
    _mem: Vec<Vec<Bits<W>>>,
}

impl<const W: usize> Ram<W> {
    /// A memory of `depth` words (2 to 65,536) of `lanes` lanes (at least 1) that are written separately.
    pub fn masked(depth: usize, lanes: usize) -> Self {
        Self::new(depth, lanes, lanes)
    }

    /// A memory of `depth` words (2 to 65,536) of `lanes` lanes (at least 1) that are written together.
    pub fn whole(depth: usize, lanes: usize) -> Self {
        Self::new(depth, lanes, 1)
    }

    fn new(depth: usize, lanes: usize, enables: usize) -> Self {
        assert!((2..=65_536).contains(&depth), "a memory has 2 to 65,536 words, not {depth}");
        assert!(lanes >= 1, "a memory has at least one lane");
        Ram {
            clock: Signal::default(),
            read_enable: Signal::default(),
            read_address: Signal::default(),
            read: vec![Signal::default(); lanes],
            write_enable: vec![Signal::default(); enables],
            write_address: Signal::default(),
            write: vec![Signal::default(); lanes],
            _mem: vec![vec![Bits::default(); lanes]; depth],
        }
    }
}

impl<const W: usize> Logic for Ram<W> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            if self.read_enable.val() {
                let word = self.read_address.val().index() % self._mem.len();
                for (lane, read) in self.read.iter_mut().enumerate() {
                    read.next = self._mem[word][lane];
                }
            }
            let word = self.write_address.val().index() % self._mem.len();
            for lane in 0..self.write.len() {
                if self.write_enable[lane % self.write_enable.len()].val() {
                    self._mem[word][lane] = self.write[lane].val();
                }
            }
        }
    }

    fn connect(&mut self) {
        self.read.iter_mut().for_each(|read| read.connect());
    }

    fn hdl(&self) -> Verilog {
        let (depth, lanes) = (self._mem.len(), self.read.len());
        let (width, kind) = (lanes * W, if self.write_enable.len() == lanes { "separately" } else { "together" });
        let high = depth.next_power_of_two().trailing_zeros() - 1;
        let mut text = format!(
            "// ram_{depth}x{lanes}x{W}_{kind}: {depth} words of {lanes} lanes of {W} bits written {kind}, one read and one write port.\n\
             (* no_rw_check, ram_style = \"block\" *) reg [{0}:0] words [0:{1}];\n\
             reg [{0}:0] word;\n\
             assign {{{2}}} = word;\n\
             always @(posedge clock) begin\n    if (read_enable) word <= words[read_address[{high}:0]];\n",
            width - 1,
            depth - 1,
            list("read", lanes),
        );
        if self.write_enable.len() == lanes {
            for lane in 0..lanes {
                text += &format!(
                    "    if (write_enable_{lane}) words[write_address[{high}:0]][{}:{}] <= write_{lane};\n",
                    (lane + 1) * W - 1,
                    lane * W
                );
            }
        } else {
            text +=
                &format!("    if (write_enable_0) words[write_address[{high}:0]] <= {{{}}};\n", list("write", lanes));
        }
        text += "end\n";
        text += &super::leaf::unused(&["read_address", "write_address"], 16, high as usize + 1);
        Verilog::Custom(text)
    }
}
