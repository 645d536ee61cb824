// SPDX-License-Identifier: Apache-2.0
//! Rows to writes of L1 or UB: shifts bytes to their place in words of N bytes, and these to their place in writes of S bytes.
//!
//! ```text
//!  row_valid/ready, row_address, row_length, row_last ──►┌─────────┐──► write_valid/ready, write_address
//!  word_valid/ready, word[N] (lane 0 = first byte) ─────►│ l1_rows │──► write_enable[S], write_data[S]
//!                                                        └─────────┘──► retired: the row marked last is written
//! ```
//! Any alignment, one write of a word (at most 32 bytes) per cycle; no cycle between rows. Bytes outside the row are not enabled. If
//! L1 takes more bytes than a word at once, the word fills a part of them.

use super::shape::{Shape, log2};
use crate::prim::prelude::*;

/// Row writer.
#[derive(LogicBlock)]
pub struct L1Rows {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets the row.
    pub rst: Signal<In, Bit>,
    /// A row is offered.
    pub row_valid: Signal<In, Bit>,
    /// It is taken.
    pub row_ready: Signal<Out, Bit>,
    /// First byte.
    pub row_address: Signal<In, Bits<24>>,
    /// Bytes, at least 1.
    pub row_length: Signal<In, Bits<11>>,
    /// Last of its instruction.
    pub row_last: Signal<In, Bit>,
    /// It goes to UB; none in a core without UB, as are the other ports of UB.
    pub row_ub: Vec<Signal<In, Bit>>,
    /// A word is offered.
    pub word_valid: Signal<In, Bit>,
    /// It is taken.
    pub word_ready: Signal<Out, Bit>,
    /// N bytes of the row.
    pub word: Vec<Signal<In, Bits<8>>>,
    /// A write of L1 is offered.
    pub write_valid: Signal<Out, Bit>,
    /// It is taken.
    pub write_ready: Signal<In, Bit>,
    /// A write of UB is offered.
    pub ub_write_valid: Vec<Signal<Out, Bit>>,
    /// It is taken.
    pub ub_write_ready: Vec<Signal<In, Bit>>,
    /// A multiple of S.
    pub write_address: Signal<Out, Bits<24>>,
    /// Bytes to write.
    pub write_enable: Vec<Signal<Out, Bit>>,
    /// Their values.
    pub write_data: Vec<Signal<Out, Bits<8>>>,
    /// The last write of a row marked last was taken.
    pub retired: Signal<Out, Bit>,
    active: Reg<Bit>,
    first: Reg<Bit>,
    address: Reg<Bits<24>>,
    offset: Reg<Bits<6>>,
    /// Bytes from the word's first byte to the row's end.
    to_end: Reg<Bits<12>>,
    /// Bytes of the row not yet taken.
    to_take: Reg<Bits<12>>,
    last: Reg<Bit>,
    ub: Vec<Reg<Bit>>,
    carry: Vec<Reg<Bits<8>>>,
    merged: Vec<Signal<Local, Bits<8>>>,
    enabled: Vec<Signal<Local, Bit>>,
    part: Signal<Local, Bits<24>>,
    by1: Vec<Signal<Local, Bits<8>>>,
    by2: Vec<Signal<Local, Bits<8>>>,
    by4: Vec<Signal<Local, Bits<8>>>,
    by8: Vec<Signal<Local, Bits<8>>>,
    by16: Vec<Signal<Local, Bits<8>>>,
    takes: Signal<Local, Bit>,
    ready: Signal<Local, Bit>,
    offers: Signal<Local, Bit>,
    writes: Signal<Local, Bit>,
    ends: Signal<Local, Bit>,
    start: Signal<Local, Bits<12>>,
    mask: Constant<Bits<24>>,
    word_bytes: Constant<Bits<12>>,
    segment_mask: Constant<Bits<24>>,
    _bytes: usize,
    _words: usize,
    _ub: usize,
}

impl L1Rows {
    /// A writer for this shape.
    pub fn new(shape: &Shape) -> Self {
        let bytes = shape.l1_word();
        let ub = usize::from(shape.ub_bytes > 0);
        assert!((1..=5).contains(&log2(bytes)), "L1 words have 2 to 32 bytes");
        L1Rows {
            clk: Signal::default(),
            rst: Signal::default(),
            row_valid: Signal::default(),
            row_ready: Signal::default(),
            row_address: Signal::default(),
            row_length: Signal::default(),
            row_last: Signal::default(),
            row_ub: vec![Signal::default(); ub],
            word_valid: Signal::default(),
            word_ready: Signal::default(),
            word: vec![Signal::default(); bytes],
            write_valid: Signal::default(),
            write_ready: Signal::default(),
            ub_write_valid: vec![Signal::default(); ub],
            ub_write_ready: vec![Signal::default(); ub],
            write_address: Signal::default(),
            write_enable: vec![Signal::default(); shape.l1_segment],
            write_data: vec![Signal::default(); shape.l1_segment],
            retired: Signal::default(),
            active: Reg::default(),
            first: Reg::default(),
            address: Reg::default(),
            offset: Reg::default(),
            to_end: Reg::default(),
            to_take: Reg::default(),
            last: Reg::default(),
            ub: vec![Reg::default(); ub],
            carry: (0..bytes).map(|_| Reg::default()).collect(),
            merged: vec![Signal::default(); bytes],
            enabled: vec![Signal::default(); bytes],
            part: Signal::default(),
            by1: vec![Signal::default(); bytes],
            by2: vec![Signal::default(); bytes],
            by4: vec![Signal::default(); bytes],
            by8: vec![Signal::default(); bytes],
            by16: vec![Signal::default(); bytes],
            takes: Signal::default(),
            ready: Signal::default(),
            offers: Signal::default(),
            writes: Signal::default(),
            ends: Signal::default(),
            start: Signal::default(),
            mask: Constant::new((bytes as u64 - 1).into()),
            word_bytes: Constant::new((bytes as u64).into()),
            segment_mask: Constant::new((shape.l1_segment as u64 - 1).into()),
            _bytes: bytes,
            _words: shape.l1_segment / bytes,
            _ub: ub,
        }
    }
}

impl Logic for L1Rows {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("fix_l1_rows_{word[]}: rows of any alignment to aligned writes with byte enables.");
        dff_setup!(self, clk, active, first, address, offset, to_end, to_take, last);
        // Lane i of the turned word is lane (i - offset) mod S. A step by S or more turns nothing (its offset bit is 0).
        for n in self._bytes..(self._bytes + 1) {
            for i in 0..self._bytes {
                self.by1[i].next = self.word[i].val();
                if self.offset.q.val().get_bit(0) {
                    self.by1[i].next = self.word[(i + n - 1) % n].val();
                }
            }
            for i in 0..self._bytes {
                self.by2[i].next = self.by1[i].val();
                if self.offset.q.val().get_bit(1) {
                    self.by2[i].next = self.by1[(i + 32 * n - 2) % n].val();
                }
            }
            for i in 0..self._bytes {
                self.by4[i].next = self.by2[i].val();
                if self.offset.q.val().get_bit(2) {
                    self.by4[i].next = self.by2[(i + 32 * n - 4) % n].val();
                }
            }
            for i in 0..self._bytes {
                self.by8[i].next = self.by4[i].val();
                if self.offset.q.val().get_bit(3) {
                    self.by8[i].next = self.by4[(i + 32 * n - 8) % n].val();
                }
            }
            for i in 0..self._bytes {
                self.by16[i].next = self.by8[i].val();
                if self.offset.q.val().get_bit(4) {
                    self.by16[i].next = self.by8[(i + 32 * n - 16) % n].val();
                }
            }
        }
        self.takes.next = self.to_take.q.val() != 0;
        self.offers.next = self.active.q.val() & (self.word_valid.val() | !self.takes.val());
        self.ready.next = self.write_ready.val();
        self.write_valid.next = self.offers.val();
        for u in 0..self._ub {
            self.ub_write_valid[u].next = self.offers.val() & self.ub[u].q.val();
            if self.ub[u].q.val() {
                self.write_valid.next = false;
                self.ready.next = self.ub_write_ready[u].val();
            }
        }
        self.writes.next = self.offers.val() & self.ready.val();
        self.ends.next = self.writes.val() & (self.to_end.q.val() <= self.word_bytes.val());
        self.write_address.next = self.address.q.val() & !self.segment_mask.val();
        self.part.next = self.address.q.val() & self.segment_mask.val();
        self.word_ready.next = self.active.q.val() & self.takes.val() & self.ready.val();
        self.retired.next = self.ends.val() & self.last.q.val();
        for i in 0..self._bytes {
            self.carry[i].clock.next = self.clk.val();
            self.carry[i].d.next = self.carry[i].q.val();
            self.merged[i].next = self.by16[i].val();
            if i.to_bits::<6>() < self.offset.q.val() {
                self.merged[i].next = self.carry[i].q.val();
            }
            self.enabled[i].next = (i.to_bits::<12>() < self.to_end.q.val())
                & (!self.first.q.val() | (i.to_bits::<6>() >= self.offset.q.val()));
            if self.writes.val() {
                self.carry[i].d.next = self.by16[i].val();
            }
        }
        for n in self._bytes..(self._bytes + 1) {
            for w in 0..self._words {
                for i in 0..self._bytes {
                    self.write_data[w * n + i].next = self.merged[i].val();
                    self.write_enable[w * n + i].next =
                        self.enabled[i].val() & (self.part.val() == (w * n).to_bits::<24>());
                }
            }
        }
        if self.writes.val() {
            self.first.d.next = false;
            self.address.d.next = self.address.q.val() + bit_cast::<24, 12>(self.word_bytes.val());
            self.to_end.d.next = self.to_end.q.val() - self.word_bytes.val();
            if self.to_take.q.val() <= self.word_bytes.val() {
                self.to_take.d.next = 0.into();
            } else {
                self.to_take.d.next = self.to_take.q.val() - self.word_bytes.val();
            }
        }
        self.row_ready.next = !self.active.q.val() | self.ends.val();
        self.start.next = bit_cast::<12, 24>(self.row_address.val() & self.mask.val());
        if !self.active.q.val() | self.ends.val() {
            self.active.d.next = self.row_valid.val();
            self.first.d.next = true;
            self.address.d.next = self.row_address.val() & !self.mask.val();
            self.offset.d.next = bit_cast::<6, 12>(self.start.val());
            self.to_end.d.next = self.start.val() + bit_cast::<12, 11>(self.row_length.val());
            self.to_take.d.next = bit_cast::<12, 11>(self.row_length.val());
            self.last.d.next = self.row_last.val();
        }
        for u in 0..self._ub {
            self.ub[u].clock.next = self.clk.val();
            self.ub[u].d.next = self.ub[u].q.val();
            if !self.active.q.val() | self.ends.val() {
                self.ub[u].d.next = self.row_ub[u].val();
            }
        }
        if self.rst.val() {
            self.active.d.next = false;
        }
    }
}
