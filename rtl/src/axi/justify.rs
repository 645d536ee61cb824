// SPDX-License-Identifier: Apache-2.0
//! From bus words to dense words: the bytes of a row that begins in any lane come out packed from lane 0.
//!
//! ```text
//!  in_*: bus words as they lie in memory ──►┌─────────┐──► out_*: lane 0 of the first word is the row's first byte, all words
//!  in_ready ◄───────────────────────────────│ justify │    of a row but its last are full
//!                                           └─────────┘◄── out_ready
//! ```
//! Word k of the row is the upper part of bus word k and the lower part of bus word k+1, so a register keeps the last bus word.
//! The word that is left after the last bus word comes out while the next row's first bus word goes in: a row takes as many cycles
//! as it has bus words, or dense words if these are more. Latency 2 cycles, one more for rows that do not begin in lane 0.

use super::Rotate;
use super::log2;
use crate::prim::prelude::*;

/// Realigner of `n` lanes for reading.
#[derive(LogicBlock)]
pub struct Justify {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Drops what is inside.
    pub rst: Signal<In, Bit>,
    /// A bus word is offered.
    pub in_valid: Signal<In, Bit>,
    /// It is taken.
    pub in_ready: Signal<Out, Bit>,
    /// The bus word.
    pub in_data: Vec<Signal<In, Bits<8>>>,
    /// It is the last of its row.
    pub in_last: Signal<In, Bit>,
    /// Lane of the row's first byte; the same for all bus words of a row.
    pub in_offset: Signal<In, Bits<8>>,
    /// Read with the last bus word: a dense word remains after it (offset + (length - 1) mod n < n, offset not 0, length > n).
    pub in_flush: Signal<In, Bit>,
    /// Read with the last bus word: bytes in the row's last dense word, 1..=n.
    pub in_count: Signal<In, Bits<8>>,
    /// Read with the last bus word: comes out with the row's last dense word.
    pub in_mark: Signal<In, Bits<2>>,
    /// A dense word is offered.
    pub out_valid: Signal<Out, Bit>,
    /// It is taken.
    pub out_ready: Signal<In, Bit>,
    /// The dense word; lanes from `out_count` on are anything.
    pub out_data: Vec<Signal<Out, Bits<8>>>,
    /// Bytes in it.
    pub out_count: Signal<Out, Bits<8>>,
    /// It is the row's last.
    pub out_last: Signal<Out, Bit>,
    /// Mark of the row with its last word, 0 with the others.
    pub out_mark: Signal<Out, Bits<2>>,
    /// Nothing is inside.
    pub empty: Signal<Out, Bit>,
    rotate: Rotate,
    /// No bus word of the present row was taken yet.
    begun: Reg<Bit>,
    turned_valid: Reg<Bit>,
    turned: Vec<Reg<Bits<8>>>,
    turned_offset: Reg<Bits<8>>,
    turned_first: Reg<Bit>,
    turned_last: Reg<Bit>,
    turned_flush: Reg<Bit>,
    turned_count: Reg<Bits<8>>,
    turned_mark: Reg<Bits<2>>,
    kept: Vec<Reg<Bits<8>>>,
    flush: Reg<Bit>,
    flush_count: Reg<Bits<8>>,
    flush_mark: Reg<Bits<2>>,
    shown: Reg<Bit>,
    show: Vec<Reg<Bits<8>>>,
    show_count: Reg<Bits<8>>,
    show_last: Reg<Bit>,
    show_mark: Reg<Bits<2>>,
    room: Signal<Local, Bit>,
    fills: Signal<Local, Bit>,
    consume: Signal<Local, Bit>,
    load: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    lanes: Constant<Bits<8>>,
    mask: Constant<Bits<8>>,
    _n: usize,
}

impl Justify {
    /// A realigner of `n` lanes, a power of two from 2 to 64.
    pub fn new(n: usize) -> Self {
        assert!((2..=64).contains(&n) && log2(n) > 0, "a realigner has 2 to 64 lanes, not {n}");
        Justify {
            clk: Signal::default(),
            rst: Signal::default(),
            in_valid: Signal::default(),
            in_ready: Signal::default(),
            in_data: vec![Signal::default(); n],
            in_last: Signal::default(),
            in_offset: Signal::default(),
            in_flush: Signal::default(),
            in_count: Signal::default(),
            in_mark: Signal::default(),
            out_valid: Signal::default(),
            out_ready: Signal::default(),
            out_data: vec![Signal::default(); n],
            out_count: Signal::default(),
            out_last: Signal::default(),
            out_mark: Signal::default(),
            empty: Signal::default(),
            rotate: Rotate::new(n),
            begun: Reg::default(),
            turned_valid: Reg::default(),
            turned: vec![Reg::default(); n],
            turned_offset: Reg::default(),
            turned_first: Reg::default(),
            turned_last: Reg::default(),
            turned_flush: Reg::default(),
            turned_count: Reg::default(),
            turned_mark: Reg::default(),
            kept: vec![Reg::default(); n],
            flush: Reg::default(),
            flush_count: Reg::default(),
            flush_mark: Reg::default(),
            shown: Reg::default(),
            show: vec![Reg::default(); n],
            show_count: Reg::default(),
            show_last: Reg::default(),
            show_mark: Reg::default(),
            room: Signal::default(),
            fills: Signal::default(),
            consume: Signal::default(),
            load: Signal::default(),
            accept: Signal::default(),
            lanes: Constant::new((n as u64).into()),
            mask: Constant::new((n as u64 - 1).into()),
            _n: n,
        }
    }
}

impl Logic for Justify {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("justify_{in_data[]}: packs the bytes of a row that begins in any lane from lane 0 on.");
        dff_setup!(self, clk, begun, turned_valid, turned_offset, turned_first, turned_last, turned_flush);
        dff_setup!(self, clk, turned_count, turned_mark, flush, flush_count, flush_mark, shown);
        dff_setup!(self, clk, show_count, show_last, show_mark);
        // What the word in `turned` does: the first of several with an offset is only kept, every other one makes a dense word.
        self.room.next = !self.shown.q.val() | self.out_ready.val();
        self.fills.next = self.turned_first.q.val() & !self.turned_last.q.val() & (self.turned_offset.q.val() != 0);
        if self.flush.q.val() {
            self.consume.next = self.turned_valid.q.val() & self.fills.val() & self.room.val();
            self.load.next = self.room.val();
        } else {
            self.consume.next = self.turned_valid.q.val() & (self.fills.val() | self.room.val());
            self.load.next = self.turned_valid.q.val() & !self.fills.val() & self.room.val();
        }
        self.accept.next = self.in_valid.val() & (!self.turned_valid.q.val() | self.consume.val());
        self.in_ready.next = !self.turned_valid.q.val() | self.consume.val();
        // Rotator and its register. Turning down by the offset is turning up by its negative.
        self.rotate.amount.next = (bits::<8>(0) - self.in_offset.val()) & self.mask.val();
        if self.consume.val() {
            self.turned_valid.d.next = false;
        }
        if self.accept.val() {
            self.turned_valid.d.next = true;
            self.turned_offset.d.next = self.in_offset.val();
            self.turned_first.d.next = !self.begun.q.val();
            self.turned_last.d.next = self.in_last.val();
            self.turned_flush.d.next = self.in_flush.val();
            self.turned_count.d.next = self.in_count.val();
            self.turned_mark.d.next = self.in_mark.val();
            self.begun.d.next = !self.in_last.val();
        }
        // The word shown.
        if self.out_ready.val() {
            self.shown.d.next = false;
        }
        if self.load.val() {
            self.shown.d.next = true;
            self.show_count.d.next = self.lanes.val();
            self.show_last.d.next = false;
            self.show_mark.d.next = 0.into();
            if self.flush.q.val() {
                self.show_count.d.next = self.flush_count.q.val();
                self.show_last.d.next = true;
                self.show_mark.d.next = self.flush_mark.q.val();
            } else if self.turned_last.q.val() & !self.turned_flush.q.val() {
                self.show_count.d.next = self.turned_count.q.val();
                self.show_last.d.next = true;
                self.show_mark.d.next = self.turned_mark.q.val();
            }
            self.flush.d.next = !self.flush.q.val() & self.turned_last.q.val() & self.turned_flush.q.val();
            self.flush_count.d.next = self.turned_count.q.val();
            self.flush_mark.d.next = self.turned_mark.q.val();
        }
        for i in 0..self._n {
            self.turned[i].clock.next = self.clk.val();
            self.kept[i].clock.next = self.clk.val();
            self.show[i].clock.next = self.clk.val();
            self.turned[i].d.next = self.turned[i].q.val();
            self.kept[i].d.next = self.kept[i].q.val();
            self.show[i].d.next = self.show[i].q.val();
            self.rotate.lane_in[i].next = self.in_data[i].val();
            self.out_data[i].next = self.show[i].q.val();
            if self.accept.val() {
                self.turned[i].d.next = self.rotate.lane_out[i].val();
            }
            if self.consume.val() {
                self.kept[i].d.next = self.turned[i].q.val();
            }
            if self.load.val() {
                self.show[i].d.next = self.turned[i].q.val();
                if self.flush.q.val()
                    | (!self.turned_first.q.val()
                        & (self.turned_offset.q.val() != 0)
                        & (i.to_bits::<8>() + self.turned_offset.q.val() < self.lanes.val()))
                {
                    self.show[i].d.next = self.kept[i].q.val();
                }
            }
        }
        self.out_valid.next = self.shown.q.val();
        self.out_count.next = self.show_count.q.val();
        self.out_last.next = self.show_last.q.val();
        self.out_mark.next = self.show_mark.q.val();
        self.empty.next = !self.turned_valid.q.val() & !self.flush.q.val() & !self.shown.q.val();
        if self.rst.val() {
            self.begun.d.next = false;
            self.turned_valid.d.next = false;
            self.flush.d.next = false;
            self.shown.d.next = false;
        }
    }
}
