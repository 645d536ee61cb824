// SPDX-License-Identifier: Apache-2.0
//! Splits a row of bytes into AXI bursts: whole bus words, at most 256 of them, never across a 4 KiB boundary.
//!
//! ```text
//!  row_*  ──►┌───────┐──► request_*     one burst per cycle, no gap between rows
//!            │ burst │
//!            └───────┘
//! ```
//! Bursts end at multiples of min(4096, 256 W) bytes, which keeps both rules at once, and at the row's last byte.

use super::log2;
use crate::prim::prelude::*;

/// Burst splitter of a bus of `bytes` bytes.
#[derive(LogicBlock)]
pub struct Burst {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Drops the row inside.
    pub rst: Signal<In, Bit>,
    /// A row is offered.
    pub row_valid: Signal<In, Bit>,
    /// It is taken.
    pub row_ready: Signal<Out, Bit>,
    /// Its first byte.
    pub row_address: Signal<In, Bits<40>>,
    /// Its bytes, at least 1; address + length is at most 2^40.
    pub row_length: Signal<In, Bits<24>>,
    /// Goes along with the row.
    pub row_note: Vec<Signal<In, Bits<8>>>,
    /// A burst is asked for.
    pub request_valid: Signal<Out, Bit>,
    /// It is taken.
    pub request_ready: Signal<In, Bit>,
    /// Address of its first word, a multiple of W.
    pub request_address: Signal<Out, Bits<40>>,
    /// Words less 1, as AXI counts.
    pub request_beats: Signal<Out, Bits<8>>,
    /// Bytes of the first word below the row's first byte.
    pub request_skip: Signal<Out, Bits<8>>,
    /// Bytes of the last word above the row's last byte.
    pub request_trim: Signal<Out, Bits<8>>,
    /// Last burst of the row.
    pub request_last: Signal<Out, Bit>,
    /// The row's note.
    pub request_note: Vec<Signal<Out, Bits<8>>>,
    busy: Reg<Bit>,
    at: Reg<Bits<40>>,
    end: Reg<Bits<40>>,
    note: Vec<Reg<Bits<8>>>,
    same: Signal<Local, Bit>,
    ready: Signal<Local, Bit>,
    at_word: Signal<Local, Bits<40>>,
    end_word: Signal<Local, Bits<40>>,
    word_shift: Constant<Bits<6>>,
    block_shift: Constant<Bits<6>>,
    block_words: Constant<Bits<8>>,
    byte_mask: Constant<Bits<8>>,
    _notes: usize,
}

impl Burst {
    /// A splitter for a bus of `bytes` (4 to 64) bytes that passes on `notes` bytes with every row.
    pub fn new(bytes: usize, notes: usize) -> Self {
        assert!((4..=64).contains(&bytes), "a bus has 4 to 64 bytes, not {bytes}");
        let block = (256 * bytes).min(4096);
        Burst {
            clk: Signal::default(),
            rst: Signal::default(),
            row_valid: Signal::default(),
            row_ready: Signal::default(),
            row_address: Signal::default(),
            row_length: Signal::default(),
            row_note: vec![Signal::default(); notes],
            request_valid: Signal::default(),
            request_ready: Signal::default(),
            request_address: Signal::default(),
            request_beats: Signal::default(),
            request_skip: Signal::default(),
            request_trim: Signal::default(),
            request_last: Signal::default(),
            request_note: vec![Signal::default(); notes],
            busy: Reg::default(),
            at: Reg::default(),
            end: Reg::default(),
            note: vec![Reg::default(); notes],
            same: Signal::default(),
            ready: Signal::default(),
            at_word: Signal::default(),
            end_word: Signal::default(),
            word_shift: Constant::new((log2(bytes) as u64).into()),
            block_shift: Constant::new((log2(block) as u64).into()),
            block_words: Constant::new((block as u64 / bytes as u64 - 1).into()),
            byte_mask: Constant::new((bytes as u64 - 1).into()),
            _notes: notes,
        }
    }
}

impl Logic for Burst {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("burst: splits rows of bytes into AXI bursts of up to 256 words inside 4 KiB pages.");
        dff_setup!(self, clk, busy, at, end);
        self.same.next = (self.at.q.val() >> self.block_shift.val()) == (self.end.q.val() >> self.block_shift.val());
        self.at_word.next = self.at.q.val() >> self.word_shift.val();
        self.end_word.next = self.end.q.val() >> self.word_shift.val();
        self.request_valid.next = self.busy.q.val();
        self.request_address.next = self.at_word.val() << self.word_shift.val();
        self.request_skip.next = self.at.q.val().get_bits::<8>(0) & self.byte_mask.val();
        self.request_last.next = self.same.val();
        if self.same.val() {
            self.request_beats.next = self.end_word.val().get_bits::<8>(0) - self.at_word.val().get_bits::<8>(0);
            self.request_trim.next = !self.end.q.val().get_bits::<8>(0) & self.byte_mask.val();
        } else {
            self.request_beats.next = !self.at_word.val().get_bits::<8>(0) & self.block_words.val();
            self.request_trim.next = 0.into();
        }
        self.ready.next = !self.busy.q.val() | (self.request_ready.val() & self.same.val());
        self.row_ready.next = self.ready.val();
        if self.busy.q.val() & self.request_ready.val() {
            self.at.d.next = ((self.at.q.val() >> self.block_shift.val()) + 1) << self.block_shift.val();
        }
        if self.ready.val() {
            self.busy.d.next = self.row_valid.val();
            self.at.d.next = self.row_address.val();
            self.end.d.next = self.row_address.val() + bit_cast::<40, 24>(self.row_length.val() - 1);
        }
        for i in 0..self._notes {
            self.note[i].clock.next = self.clk.val();
            self.note[i].d.next = self.note[i].q.val();
            self.request_note[i].next = self.note[i].q.val();
            if self.ready.val() {
                self.note[i].d.next = self.row_note[i].val();
            }
        }
        if self.rst.val() {
            self.busy.d.next = false;
        }
    }
}
