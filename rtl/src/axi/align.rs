// SPDX-License-Identifier: Apache-2.0
//! From dense words to bus words: the counterpart of `Justify` for writing.
//!
//! ```text
//!  in_*: dense words of a row ──►┌───────┐──► out_*: bus words as they lie in memory, with a strobe per byte
//!  in_ready ◄────────────────────│ align │
//!                                └───────┘◄── out_ready
//! ```
//! Each dense word makes the bus word in which its first byte lies; what hangs over goes out with the next one, or after the last
//! one as an extra bus word, which costs a cycle. Latency 2 cycles, one bus word per cycle.

use super::Rotate;
use super::log2;
use crate::prim::prelude::*;

/// Realigner of `n` lanes for writing.
#[derive(LogicBlock)]
pub struct Align {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Drops what is inside.
    pub rst: Signal<In, Bit>,
    /// A dense word is offered.
    pub in_valid: Signal<In, Bit>,
    /// It is taken.
    pub in_ready: Signal<Out, Bit>,
    /// The dense word.
    pub in_data: Vec<Signal<In, Bits<8>>>,
    /// Bytes in it: n, but 1..=n in the last of a row.
    pub in_count: Signal<In, Bits<8>>,
    /// Last word of its row.
    pub in_last: Signal<In, Bit>,
    /// Lane in which the row's first byte goes out; the same for all words of a row.
    pub in_offset: Signal<In, Bits<8>>,
    /// Goes along with the word.
    pub in_note: Signal<In, Bits<32>>,
    /// A bus word is offered.
    pub out_valid: Signal<Out, Bit>,
    /// It is taken.
    pub out_ready: Signal<In, Bit>,
    /// The bus word.
    pub out_data: Vec<Signal<Out, Bits<8>>>,
    /// Bytes of it that are written.
    pub out_strobe: Vec<Signal<Out, Bit>>,
    /// Last bus word of its row.
    pub out_last: Signal<Out, Bit>,
    /// Note of the dense word whose first byte lies here, or hung over to here.
    pub out_note: Signal<Out, Bits<32>>,
    /// This is the extra bus word after the row's last dense word.
    pub out_extra: Signal<Out, Bit>,
    /// Nothing is inside.
    pub empty: Signal<Out, Bit>,
    rotate: Rotate,
    begun: Reg<Bit>,
    turned_valid: Reg<Bit>,
    turned: Vec<Reg<Bits<8>>>,
    turned_offset: Reg<Bits<8>>,
    turned_end: Reg<Bits<8>>,
    turned_first: Reg<Bit>,
    turned_last: Reg<Bit>,
    turned_note: Reg<Bits<32>>,
    kept: Vec<Reg<Bits<8>>>,
    /// The kept word hangs over and no other follows.
    extra: Reg<Bit>,
    extra_end: Reg<Bits<8>>,
    extra_note: Reg<Bits<32>>,
    shown: Reg<Bit>,
    show: Vec<Reg<Bits<8>>>,
    show_strobe: Vec<Reg<Bit>>,
    show_last: Reg<Bit>,
    show_note: Reg<Bits<32>>,
    show_extra: Reg<Bit>,
    room: Signal<Local, Bit>,
    consume: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    over: Signal<Local, Bit>,
    lanes: Constant<Bits<8>>,
    _n: usize,
}

impl Align {
    /// A realigner of `n` lanes, a power of two from 2 to 64.
    pub fn new(n: usize) -> Self {
        assert!((2..=64).contains(&n) && log2(n) > 0, "a realigner has 2 to 64 lanes, not {n}");
        Align {
            clk: Signal::default(),
            rst: Signal::default(),
            in_valid: Signal::default(),
            in_ready: Signal::default(),
            in_data: vec![Signal::default(); n],
            in_count: Signal::default(),
            in_last: Signal::default(),
            in_offset: Signal::default(),
            in_note: Signal::default(),
            out_valid: Signal::default(),
            out_ready: Signal::default(),
            out_data: vec![Signal::default(); n],
            out_strobe: vec![Signal::default(); n],
            out_last: Signal::default(),
            out_note: Signal::default(),
            out_extra: Signal::default(),
            empty: Signal::default(),
            rotate: Rotate::new(n),
            begun: Reg::default(),
            turned_valid: Reg::default(),
            turned: vec![Reg::default(); n],
            turned_offset: Reg::default(),
            turned_end: Reg::default(),
            turned_first: Reg::default(),
            turned_last: Reg::default(),
            turned_note: Reg::default(),
            kept: vec![Reg::default(); n],
            extra: Reg::default(),
            extra_end: Reg::default(),
            extra_note: Reg::default(),
            shown: Reg::default(),
            show: vec![Reg::default(); n],
            show_strobe: vec![Reg::default(); n],
            show_last: Reg::default(),
            show_note: Reg::default(),
            show_extra: Reg::default(),
            room: Signal::default(),
            consume: Signal::default(),
            accept: Signal::default(),
            over: Signal::default(),
            lanes: Constant::new((n as u64).into()),
            _n: n,
        }
    }
}

impl Logic for Align {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("align_{in_data[]}: lays the dense words of a row into bus words from any lane on.");
        dff_setup!(self, clk, begun, turned_valid, turned_offset, turned_end, turned_first, turned_last);
        dff_setup!(self, clk, turned_note, extra, extra_end, extra_note, shown, show_last, show_note, show_extra);
        self.room.next = !self.shown.q.val() | self.out_ready.val();
        self.consume.next = self.turned_valid.q.val() & self.room.val() & !self.extra.q.val();
        self.accept.next = self.in_valid.val() & (!self.turned_valid.q.val() | self.consume.val());
        self.in_ready.next = !self.turned_valid.q.val() | self.consume.val();
        self.over.next = self.turned_end.q.val() > self.lanes.val();
        self.rotate.amount.next = self.in_offset.val();
        if self.consume.val() {
            self.turned_valid.d.next = false;
        }
        if self.accept.val() {
            self.turned_valid.d.next = true;
            self.turned_offset.d.next = self.in_offset.val();
            self.turned_end.d.next = self.in_offset.val() + self.in_count.val();
            self.turned_first.d.next = !self.begun.q.val();
            self.turned_last.d.next = self.in_last.val();
            self.turned_note.d.next = self.in_note.val();
            self.begun.d.next = !self.in_last.val();
        }
        if self.out_ready.val() {
            self.shown.d.next = false;
        }
        if self.room.val() & self.extra.q.val() {
            self.shown.d.next = true;
            self.show_last.d.next = true;
            self.show_note.d.next = self.extra_note.q.val();
            self.show_extra.d.next = true;
            self.extra.d.next = false;
        } else if self.consume.val() {
            self.shown.d.next = true;
            self.show_last.d.next = self.turned_last.q.val() & !self.over.val();
            self.show_note.d.next = self.turned_note.q.val();
            self.show_extra.d.next = false;
            self.extra.d.next = self.turned_last.q.val() & self.over.val();
            self.extra_end.d.next = self.turned_end.q.val() - self.lanes.val();
            self.extra_note.d.next = self.turned_note.q.val();
        }
        for i in 0..self._n {
            self.turned[i].clock.next = self.clk.val();
            self.kept[i].clock.next = self.clk.val();
            self.show[i].clock.next = self.clk.val();
            self.show_strobe[i].clock.next = self.clk.val();
            self.turned[i].d.next = self.turned[i].q.val();
            self.kept[i].d.next = self.kept[i].q.val();
            self.show[i].d.next = self.show[i].q.val();
            self.show_strobe[i].d.next = self.show_strobe[i].q.val();
            self.rotate.lane_in[i].next = self.in_data[i].val();
            self.out_data[i].next = self.show[i].q.val();
            self.out_strobe[i].next = self.show_strobe[i].q.val();
            if self.accept.val() {
                self.turned[i].d.next = self.rotate.lane_out[i].val();
            }
            if self.consume.val() {
                self.kept[i].d.next = self.turned[i].q.val();
            }
            if self.room.val() & self.extra.q.val() {
                self.show[i].d.next = self.kept[i].q.val();
                self.show_strobe[i].d.next = i.to_bits::<8>() < self.extra_end.q.val();
            } else if self.consume.val() {
                if i.to_bits::<8>() >= self.turned_offset.q.val() {
                    self.show[i].d.next = self.turned[i].q.val();
                    self.show_strobe[i].d.next = i.to_bits::<8>() < self.turned_end.q.val();
                } else {
                    self.show[i].d.next = self.kept[i].q.val();
                    self.show_strobe[i].d.next = !self.turned_first.q.val();
                }
            }
        }
        self.out_valid.next = self.shown.q.val();
        self.out_last.next = self.show_last.q.val();
        self.out_note.next = self.show_note.q.val();
        self.out_extra.next = self.show_extra.q.val();
        self.empty.next = !self.turned_valid.q.val() & !self.extra.q.val() & !self.shown.q.val();
        if self.rst.val() {
            self.begun.d.next = false;
            self.turned_valid.d.next = false;
            self.extra.d.next = false;
            self.shown.d.next = false;
        }
    }
}
