// SPDX-License-Identifier: Apache-2.0
//! Puts the bytes of a row that come from L1 to their columns of the block.
//!
//! ```text
//!  load, low, middle, high, turn ──►┌──────────┐
//!  served[2], bank[2] ─────────────►│ assemble │──► byte[c], given[c]     5 cycles after served, 2 after its data
//!  place, clear, data[b*K0+c] ─────►└──────────┘
//! ```
//! Columns low..middle lie in the row's first chunk, middle..high in its second; either may come earlier, or both at once. First cycle:
//! the two chunks are joined, since of the two at most one has the byte wanted at a given place. Second: a rotator turns them to their
//! columns. What is not given after a `clear` is padding, or outside the tile.

use super::super::{Delay, Shape};
use crate::axi::Rotate;
use crate::prim::prelude::*;

/// The assembler of a row.
#[derive(LogicBlock)]
pub struct Assemble {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// The piece below is the next to be read.
    pub load: Signal<In, Bit>,
    /// First column.
    pub low: Signal<In, Bits<8>>,
    /// First column that lies in the second chunk.
    pub middle: Signal<In, Bits<8>>,
    /// Column behind the last.
    pub high: Signal<In, Bits<8>>,
    /// Column less place in the chunk, modulo K0.
    pub turn: Signal<In, Bits<8>>,
    /// The row's first, second chunk is read.
    pub served: Vec<Signal<In, Bit>>,
    /// From that bank.
    pub bank: Vec<Signal<In, Bits<4>>>,
    /// 3 cycles later: chunk of bank b at `b * K0 ..`.
    pub data: Vec<Signal<In, Bits<8>>>,
    /// 4 cycles later: the bytes go to their columns.
    pub place: Signal<In, Bit>,
    /// With `place`: they are the first of a block.
    pub clear: Signal<In, Bit>,
    /// The row of the block.
    pub byte: Vec<Signal<Out, Bits<8>>>,
    /// That byte came from L1.
    pub given: Vec<Signal<Out, Bit>>,
    low_at: Reg<Bits<8>>,
    middle_at: Reg<Bits<8>>,
    high_at: Reg<Bits<8>>,
    amount: Reg<Bits<8>>,
    /// Of one read, bits 5:0 and 11:6: columns it gives; 17:12: bytes of the second chunk; 22:18: turn; 26:23, 30:27: banks.
    note: Delay<32>,
    now: Signal<Local, Bits<32>>,
    then: Signal<Local, Bits<32>>,
    low_here: Signal<Local, Bits<8>>,
    high_here: Signal<Local, Bits<8>>,
    second: Signal<Local, Bits<8>>,
    bank_first: Signal<Local, Bits<4>>,
    bank_second: Signal<Local, Bits<4>>,
    bytes_second: Signal<Local, Bits<8>>,
    from_bank: Vec<Signal<Local, Bits<4>>>,
    joined: Vec<Reg<Bits<8>>>,
    turns: Rotate,
    first_column: Signal<Local, Bits<8>>,
    end_column: Signal<Local, Bits<8>>,
    bytes: Vec<Reg<Bits<8>>>,
    has: Vec<Reg<Bit>>,
    _k0: usize,
    _nb: usize,
}

impl Assemble {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        let k0 = shape.k0;
        Assemble {
            clk: Signal::default(),
            load: Signal::default(),
            low: Signal::default(),
            middle: Signal::default(),
            high: Signal::default(),
            turn: Signal::default(),
            served: vec![Signal::default(); 2],
            bank: vec![Signal::default(); 2],
            data: vec![Signal::default(); shape.nb * k0],
            place: Signal::default(),
            clear: Signal::default(),
            byte: vec![Signal::default(); k0],
            given: vec![Signal::default(); k0],
            low_at: Reg::default(),
            middle_at: Reg::default(),
            high_at: Reg::default(),
            amount: Reg::default(),
            note: Delay::new(4),
            now: Signal::default(),
            then: Signal::default(),
            low_here: Signal::default(),
            high_here: Signal::default(),
            second: Signal::default(),
            bank_first: Signal::default(),
            bank_second: Signal::default(),
            bytes_second: Signal::default(),
            from_bank: vec![Signal::default(); k0],
            joined: vec![Reg::default(); k0],
            turns: Rotate::new(k0),
            first_column: Signal::default(),
            end_column: Signal::default(),
            bytes: vec![Reg::default(); k0],
            has: vec![Reg::default(); k0],
            _k0: k0,
            _nb: shape.nb,
        }
    }
}

impl Logic for Assemble {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "mte1_assemble_{byte[]}of{data[]}: puts the bytes of a row that come from L1 to their columns of the block."
        );
        dff_setup!(self, clk, low_at, middle_at, high_at, amount);
        if self.load.val() {
            self.low_at.d.next = self.low.val();
            self.middle_at.d.next = self.middle.val();
            self.high_at.d.next = self.high.val();
            self.amount.d.next = self.turn.val();
        }
        // What this read gives.
        self.low_here.next = self.middle_at.q.val();
        if self.served[0].val() {
            self.low_here.next = self.low_at.q.val();
        }
        self.high_here.next = self.middle_at.q.val();
        if self.served[1].val() {
            self.high_here.next = self.high_at.q.val();
        }
        self.second.next = self.high_here.val() - self.middle_at.q.val();
        self.bank_first.next = self.bank[0].val();
        self.bank_second.next = self.bank[1].val();
        self.note.clk.next = self.clk.val();
        self.note.value.next = bit_cast::<32, 8>(self.low_here.val())
            | (bit_cast::<32, 8>(self.high_here.val()) << 6)
            | (bit_cast::<32, 8>(self.second.val()) << 12)
            | (bit_cast::<32, 8>(self.amount.q.val()) << 18)
            | (bit_cast::<32, 4>(self.bank_first.val()) << 23)
            | (bit_cast::<32, 4>(self.bank_second.val()) << 27);
        // Its data: joined, then turned.
        self.now.next = self.note.tap[2].val();
        self.then.next = self.note.tap[3].val();
        self.bytes_second.next = bit_cast::<8, 6>(self.now.val().get_bits::<6>(12));
        for k0 in self._k0..(self._k0 + 1) {
            for c in 0..self._k0 {
                self.from_bank[c].next = self.now.val().get_bits::<4>(23);
                if c.to_bits::<8>() < self.bytes_second.val() {
                    self.from_bank[c].next = self.now.val().get_bits::<4>(27);
                }
                self.joined[c].clock.next = self.clk.val();
                self.joined[c].d.next = self.data[c].val();
                for b in 1..self._nb {
                    if self.from_bank[c].val() == b.to_bits::<4>() {
                        self.joined[c].d.next = self.data[b * k0 + c].val();
                    }
                }
                self.turns.lane_in[c].next = self.joined[c].q.val();
            }
        }
        self.turns.amount.next = bit_cast::<8, 5>(self.then.val().get_bits::<5>(18));
        self.first_column.next = bit_cast::<8, 6>(self.then.val().get_bits::<6>(0));
        self.end_column.next = bit_cast::<8, 6>(self.then.val().get_bits::<6>(6));
        for c in 0..self._k0 {
            self.bytes[c].clock.next = self.clk.val();
            self.has[c].clock.next = self.clk.val();
            self.bytes[c].d.next = self.bytes[c].q.val();
            self.has[c].d.next = self.has[c].q.val() & !(self.place.val() & self.clear.val());
            if self.place.val()
                & (c.to_bits::<8>() >= self.first_column.val())
                & (c.to_bits::<8>() < self.end_column.val())
            {
                self.has[c].d.next = true;
                self.bytes[c].d.next = self.turns.lane_out[c].val();
            }
            self.byte[c].next = self.bytes[c].q.val();
            self.given[c].next = self.has[c].q.val();
        }
    }
}
