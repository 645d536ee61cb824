// SPDX-License-Identifier: Apache-2.0
//! Full bits of a buffer's blocks: set one block at a time, cleared by ranges of fractals in one cycle.
//!
//! ```text
//!  write_valid, write_address ─────────────►┌──────┐
//!  clear_valid, clear_first, clear_last ───►│ full │
//!  read_address ───────────────────────────►└──────┘──► full     combinational: full(read_address) before this cycle's edge
//! ```
//! Rule: a write sets the bit of its block; a clear empties all blocks of the fractals first..=last; of both in one cycle the write
//! wins for its block. `rst` empties everything.
//!
//! A register per block would cost a decoder and a wide multiplexer per buffer. Instead a look-up-table RAM holds the bits, one
//! word per fractal, and one register per fractal says that its word is void; the first write after a clear replaces the word.

use crate::prim::prelude::*;

/// Words of one look-up-table RAM.
const BANK: usize = 256;

/// One full bit per block of a buffer.
#[derive(LogicBlock)]
pub struct Full {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Empties everything.
    pub rst: Signal<In, Bit>,
    /// Set the bit of `write_address`.
    pub write_valid: Signal<In, Bit>,
    /// Block address, below fractals x blocks per fractal.
    pub write_address: Signal<In, Bits<16>>,
    /// Empty a range of fractals.
    pub clear_valid: Signal<In, Bit>,
    /// First fractal of the range.
    pub clear_first: Signal<In, Bits<16>>,
    /// Last fractal of the range.
    pub clear_last: Signal<In, Bits<16>>,
    /// Block asked for; bits above the buffer's size are ignored.
    pub read_address: Signal<In, Bits<16>>,
    /// That block is full.
    pub full: Signal<Out, Bit>,
    /// Bits of the fractals, read for `full`.
    table: Vec<Lutram<1>>,
    /// The same bits, read for the fractal that is written.
    written: Vec<Lutram<1>>,
    void: Vec<Reg<Bit>>,
    read_fractal: Signal<Local, Bits<16>>,
    read_lane: Signal<Local, Bits<8>>,
    read_bank: Signal<Local, Bits<8>>,
    read_word: Signal<Local, Bits<8>>,
    read_bit: Vec<Signal<Local, Bit>>,
    is_void: Vec<Signal<Local, Bit>>,
    covered: Vec<Signal<Local, Bit>>,
    /// The clear begins at this fractal or before; ends at it or after.
    begun: Vec<Signal<Local, Bit>>,
    unended: Vec<Signal<Local, Bit>>,
    first: Signal<Local, Bits<16>>,
    last: Signal<Local, Bits<16>>,
    first_outside: Signal<Local, Bit>,
    write_fractal: Signal<Local, Bits<16>>,
    write_lane: Signal<Local, Bits<8>>,
    write_bank: Signal<Local, Bits<8>>,
    write_word: Signal<Local, Bits<8>>,
    write_void: Signal<Local, Bit>,
    old_bit: Vec<Signal<Local, Bit>>,
    new_bit: Vec<Signal<Local, Bits<1>>>,
    lane_bits: Constant<Bits<8>>,
    lane_mask: Constant<Bits<16>>,
    fractal_mask: Constant<Bits<16>>,
    word_mask: Constant<Bits<16>>,
    _fractals: usize,
    _lanes: usize,
    _banks: usize,
}

impl Full {
    /// Bits of `fractals` (2 to 4096) fractals of `blocks` (1 to 64) blocks each, both powers of two, 65,536 blocks in all.
    pub fn new(fractals: usize, blocks: usize) -> Self {
        assert!(fractals.is_power_of_two() && (2..=4096).contains(&fractals), "{fractals} fractals cannot be tracked");
        assert!(blocks.is_power_of_two() && blocks <= 64, "{blocks} blocks per fractal cannot be tracked");
        assert!(fractals * blocks <= 1 << 16, "{} blocks do not fit a block address of 16 bits", fractals * blocks);
        let banks = fractals.div_ceil(BANK);
        let words = fractals.min(BANK);
        let constant = |value: usize| Constant::new((value as u64).into());
        Full {
            clk: Signal::default(),
            rst: Signal::default(),
            write_valid: Signal::default(),
            write_address: Signal::default(),
            clear_valid: Signal::default(),
            clear_first: Signal::default(),
            clear_last: Signal::default(),
            read_address: Signal::default(),
            full: Signal::default(),
            table: vec![Lutram::new(words, blocks); banks],
            written: vec![Lutram::new(words, blocks); banks],
            void: vec![Reg::default(); fractals],
            read_fractal: Signal::default(),
            read_lane: Signal::default(),
            read_bank: Signal::default(),
            read_word: Signal::default(),
            read_bit: vec![Signal::default(); banks],
            is_void: vec![Signal::default(); fractals],
            covered: vec![Signal::default(); fractals],
            begun: vec![Signal::default(); fractals],
            unended: vec![Signal::default(); fractals],
            first: Signal::default(),
            last: Signal::default(),
            first_outside: Signal::default(),
            write_fractal: Signal::default(),
            write_lane: Signal::default(),
            write_bank: Signal::default(),
            write_word: Signal::default(),
            write_void: Signal::default(),
            old_bit: vec![Signal::default(); blocks],
            new_bit: vec![Signal::default(); blocks],
            lane_bits: Constant::new(u64::from(blocks.trailing_zeros()).into()),
            lane_mask: constant(blocks - 1),
            fractal_mask: constant(fractals - 1),
            word_mask: constant(words - 1),
            _fractals: fractals,
            _lanes: blocks,
            _banks: banks,
        }
    }
}

impl Logic for Full {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("full_{void[]}x{new_bit[]}: one full bit per block, set by writes, cleared by ranges of fractals.");
        for f in 0..self._fractals {
            self.is_void[f].next = self.void[f].q.val();
        }
        self.read_fractal.next = (self.read_address.val() >> self.lane_bits.val()) & self.fractal_mask.val();
        self.read_lane.next = bit_cast::<8, 16>(self.read_address.val() & self.lane_mask.val());
        self.read_bank.next = self.read_fractal.val().get_bits::<8>(8);
        self.read_word.next = bit_cast::<8, 16>(self.read_fractal.val() & self.word_mask.val());
        self.write_fractal.next = (self.write_address.val() >> self.lane_bits.val()) & self.fractal_mask.val();
        self.write_lane.next = bit_cast::<8, 16>(self.write_address.val() & self.lane_mask.val());
        self.write_bank.next = self.write_fractal.val().get_bits::<8>(8);
        self.write_word.next = bit_cast::<8, 16>(self.write_fractal.val() & self.word_mask.val());
        for b in 0..self._banks {
            self.table[b].clock.next = self.clk.val();
            self.written[b].clock.next = self.clk.val();
            self.table[b].read_address.next = self.read_word.val();
            self.written[b].read_address.next = self.write_word.val();
            self.table[b].write_address.next = self.write_word.val();
            self.written[b].write_address.next = self.write_word.val();
            self.table[b].write_enable.next = self.write_valid.val() & (self.write_bank.val() == b.to_bits());
            self.written[b].write_enable.next = self.write_valid.val() & (self.write_bank.val() == b.to_bits());
            self.read_bit[b].next = self.table[b].read[self.read_lane.val().index()].val() == 1;
        }
        self.full.next =
            self.read_bit[self.read_bank.val().index()].val() & !self.is_void[self.read_fractal.val().index()].val();
        // What a clear has beyond the last fractal is nothing: the comparisons are as wide as a fractal's number.
        self.first_outside.next = (self.clear_first.val() & !self.fractal_mask.val()) != 0;
        self.first.next = self.clear_first.val() & self.fractal_mask.val();
        self.last.next = self.clear_last.val() & self.fractal_mask.val();
        if (self.clear_last.val() & !self.fractal_mask.val()) != 0 {
            self.last.next = self.fractal_mask.val();
        }
        for f in 0..self._fractals {
            self.begun[f].next = self.first.val() == f.to_bits();
            self.unended[f].next = self.last.val() == f.to_bits();
        }
        for f in 1..self._fractals {
            self.begun[f].next = self.begun[f - 1].val() | (self.first.val() == f.to_bits());
        }
        for n in self._fractals..(self._fractals + 1) {
            for f in 1..self._fractals {
                self.unended[n - 1 - f].next = self.unended[n - f].val() | (self.last.val() == (n - 1 - f).to_bits());
            }
        }
        for f in 0..self._fractals {
            self.covered[f].next = self.begun[f].val() & self.unended[f].val() & !self.first_outside.val();
        }
        // A write in the cycle of a clear starts from an empty word, like one after it.
        self.write_void.next = self.is_void[self.write_fractal.val().index()].val()
            | (self.clear_valid.val() & self.covered[self.write_fractal.val().index()].val());
        for i in 0..self._lanes {
            self.old_bit[i].next = false;
            for b in 0..self._banks {
                if self.write_bank.val() == b.to_bits() {
                    self.old_bit[i].next = self.written[b].read[i].val() == 1;
                }
            }
            self.new_bit[i].next =
                ((self.old_bit[i].val() & !self.write_void.val()) | (self.write_lane.val() == i.to_bits())).into();
            for b in 0..self._banks {
                self.table[b].write[i].next = self.new_bit[i].val();
                self.written[b].write[i].next = self.new_bit[i].val();
            }
        }
        for f in 0..self._fractals {
            self.void[f].clock.next = self.clk.val();
            self.void[f].d.next = self.void[f].q.val();
            if self.clear_valid.val() & self.covered[f].val() {
                self.void[f].d.next = true;
            }
            if self.write_valid.val() & (self.write_fractal.val() == f.to_bits()) {
                self.void[f].d.next = false;
            }
            if self.rst.val() {
                self.void[f].d.next = true;
            }
        }
    }
}
