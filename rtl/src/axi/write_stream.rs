// SPDX-License-Identifier: Apache-2.0
//! A stream of full words as rows of global memory: the counterpart of `ReadStream`.
//!
//! ```text
//!  row_* ──► burst ──► request_*  (AxiWrite)          in_* ──► align ──► w_*  (AxiWrite)
//!     └────► rows (length, first lane) ─────────────────────────┘
//!  response_valid (AxiWrite) ──► ends ──► retired
//! ```
//! One bus word per cycle, no gap between bursts; a row whose last bytes hang over into one more bus word costs that cycle. The
//! bytes of a row are counted here, so the words carry no length. Test: `tests/units/axi/write_stream.rs`.

use super::{Align, Burst};
use crate::prim::prelude::*;

/// Row writer of a bus of B bits.
#[derive(LogicBlock)]
pub struct WriteStream<const B: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Drops all rows inside.
    pub rst: Signal<In, Bit>,
    /// A row is offered.
    pub row_valid: Signal<In, Bit>,
    /// It is taken.
    pub row_ready: Signal<Out, Bit>,
    /// Its first byte.
    pub row_address: Signal<In, Bits<40>>,
    /// Its bytes, at least 1; address + length is at most 2^40.
    pub row_length: Signal<In, Bits<24>>,
    /// Last row of an instruction.
    pub row_last: Signal<In, Bit>,
    /// A word is offered: full, but for the last of a row.
    pub in_valid: Signal<In, Bit>,
    /// It is taken; never before its row.
    pub in_ready: Signal<Out, Bit>,
    /// The word; lane 0 of a row's first word is the row's first byte.
    pub in_data: Vec<Signal<In, Bits<8>>>,
    /// One more instruction is answered completely (pulse, in order).
    pub retired: Signal<Out, Bit>,
    /// To `AxiWrite`.
    pub request_valid: Signal<Out, Bit>,
    /// From `AxiWrite`.
    pub request_ready: Signal<In, Bit>,
    /// To `AxiWrite`.
    pub request_address: Signal<Out, Bits<40>>,
    /// To `AxiWrite`: words less 1.
    pub request_beats: Signal<Out, Bits<8>>,
    /// To `AxiWrite`.
    pub request_skip: Signal<Out, Bits<8>>,
    /// To `AxiWrite`.
    pub request_trim: Signal<Out, Bits<8>>,
    /// The burst asked for is the last of its row.
    pub request_end: Signal<Out, Bit>,
    /// To `AxiWrite`: number of the instruction modulo 8, counted from reset by `row_last`.
    pub request_tag: Signal<Out, Bits<3>>,
    /// The last word of a row is taken (pulse, in order).
    pub filled: Signal<Out, Bit>,
    /// Every word that was taken has been sent.
    pub empty: Signal<Out, Bit>,
    /// To `AxiWrite`.
    pub w_valid: Signal<Out, Bit>,
    /// From `AxiWrite`.
    pub w_ready: Signal<In, Bit>,
    /// To `AxiWrite`.
    pub w_data: Signal<Out, Bits<B>>,
    /// To `AxiWrite`, one per byte.
    pub w_strb: Vec<Signal<Out, Bit>>,
    /// From `AxiWrite`: a burst is answered.
    pub response_valid: Signal<In, Bit>,
    burst: Burst,
    /// Length (bits 23:0) and first lane (31:24) of rows whose words have not begun.
    rows: Fifo<32>,
    align: Align,
    joined: Join<8, B>,
    /// Per burst without answer: it is an instruction's last.
    ends: Fifo<1>,
    tag: Reg<Bits<3>>,
    busy: Reg<Bit>,
    left: Reg<Bits<24>>,
    offset: Reg<Bits<8>>,
    answered: Reg<Bit>,
    last: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    fetch: Signal<Local, Bit>,
    bytes: Constant<Bits<8>>,
    mask: Constant<Bits<8>>,
    wide: Constant<Bits<24>>,
    _bytes: usize,
}

impl<const B: usize> WriteStream<B> {
    /// A row writer that keeps track of up to `outstanding` (1 to 64) bursts in flight.
    pub fn new(outstanding: usize) -> Self {
        let bytes = B / 8;
        WriteStream {
            clk: Signal::default(),
            rst: Signal::default(),
            row_valid: Signal::default(),
            row_ready: Signal::default(),
            row_address: Signal::default(),
            row_length: Signal::default(),
            row_last: Signal::default(),
            in_valid: Signal::default(),
            in_ready: Signal::default(),
            in_data: vec![Signal::default(); bytes],
            retired: Signal::default(),
            request_valid: Signal::default(),
            request_ready: Signal::default(),
            request_address: Signal::default(),
            request_beats: Signal::default(),
            request_skip: Signal::default(),
            request_trim: Signal::default(),
            request_end: Signal::default(),
            request_tag: Signal::default(),
            filled: Signal::default(),
            empty: Signal::default(),
            w_valid: Signal::default(),
            w_ready: Signal::default(),
            w_data: Signal::default(),
            w_strb: vec![Signal::default(); bytes],
            response_valid: Signal::default(),
            burst: Burst::new(bytes, 1),
            // As many short rows as bursts may be on their way before their data.
            rows: Fifo::new(outstanding + 4, 1),
            align: Align::new(bytes),
            joined: Join::default(),
            ends: Fifo::new(outstanding + 4, 1),
            tag: Reg::default(),
            busy: Reg::default(),
            left: Reg::default(),
            offset: Reg::default(),
            answered: Reg::default(),
            last: Signal::default(),
            accept: Signal::default(),
            fetch: Signal::default(),
            bytes: Constant::new((bytes as u64).into()),
            mask: Constant::new((bytes as u64 - 1).into()),
            wide: Constant::new((bytes as u64).into()),
            _bytes: bytes,
        }
    }
}

impl<const B: usize> Logic for WriteStream<B> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("write_stream_{w_data}: a stream of full words as rows of global memory.");
        dff_setup!(self, clk, tag, busy, left, offset, answered);
        self.burst.clk.next = self.clk.val();
        self.burst.rst.next = self.rst.val();
        self.rows.clk.next = self.clk.val();
        self.rows.clear.next = self.rst.val();
        self.align.clk.next = self.clk.val();
        self.align.rst.next = self.rst.val();
        self.ends.clk.next = self.clk.val();
        self.ends.clear.next = self.rst.val();
        // Rows go to the burst splitter and to the data side together.
        self.row_ready.next = self.burst.row_ready.val() & self.rows.in_ready.val();
        self.burst.row_valid.next = self.row_valid.val() & self.rows.in_ready.val();
        self.rows.in_valid.next = self.row_valid.val() & self.burst.row_ready.val();
        self.burst.row_address.next = self.row_address.val();
        self.burst.row_length.next = self.row_length.val();
        self.burst.row_note[0].next = bit_cast::<8, 1>(self.row_last.val().into());
        self.rows.in_data[0].next = bit_cast::<32, 24>(self.row_length.val())
            | (bit_cast::<32, 8>(self.row_address.val().get_bits::<8>(0) & self.mask.val()) << 24);
        // A request goes out with its entry in `ends`.
        self.request_valid.next = self.burst.request_valid.val() & self.ends.in_ready.val();
        self.burst.request_ready.next = self.request_ready.val() & self.ends.in_ready.val();
        self.ends.in_valid.next = self.burst.request_valid.val() & self.request_ready.val();
        self.ends.in_data[0].next =
            (self.burst.request_last.val() & self.burst.request_note[0].val().get_bit(0)).into();
        self.request_address.next = self.burst.request_address.val();
        self.request_beats.next = self.burst.request_beats.val();
        self.request_skip.next = self.burst.request_skip.val();
        self.request_trim.next = self.burst.request_trim.val();
        self.request_end.next = self.burst.request_last.val();
        self.request_tag.next = self.tag.q.val();
        if self.burst.request_valid.val()
            & self.request_ready.val()
            & self.ends.in_ready.val()
            & self.burst.request_last.val()
            & self.burst.request_note[0].val().get_bit(0)
        {
            self.tag.d.next = self.tag.q.val() + 1;
        }
        // Words of the present row.
        self.last.next = self.left.q.val() <= self.wide.val();
        self.accept.next = self.busy.q.val() & self.in_valid.val() & self.align.in_ready.val();
        self.in_ready.next = self.busy.q.val() & self.align.in_ready.val();
        self.align.in_valid.next = self.busy.q.val() & self.in_valid.val();
        self.align.in_last.next = self.last.val();
        self.align.in_offset.next = self.offset.q.val();
        self.align.in_note.next = 0.into();
        self.align.in_count.next = self.bytes.val();
        if self.last.val() {
            self.align.in_count.next = self.left.q.val().get_bits::<8>(0);
        }
        self.fetch.next = !self.busy.q.val() | (self.accept.val() & self.last.val());
        self.rows.out_ready.next = self.fetch.val();
        if self.accept.val() {
            self.left.d.next = self.left.q.val() - self.wide.val();
        }
        if self.fetch.val() {
            self.busy.d.next = self.rows.out_valid.val();
            self.left.d.next = self.rows.out_data[0].val().get_bits::<24>(0);
            self.offset.d.next = self.rows.out_data[0].val().get_bits::<8>(24);
        }
        self.filled.next = self.accept.val() & self.last.val();
        self.empty.next = self.align.empty.val();
        self.w_valid.next = self.align.out_valid.val();
        self.align.out_ready.next = self.w_ready.val();
        for i in 0..self._bytes {
            self.align.in_data[i].next = self.in_data[i].val();
            self.joined.lane[i].next = self.align.out_data[i].val();
            self.w_strb[i].next = self.align.out_strobe[i].val();
        }
        self.w_data.next = self.joined.word.val();
        // Answers.
        self.ends.out_ready.next = self.response_valid.val();
        self.answered.d.next = self.response_valid.val() & (self.ends.out_data[0].val() != 0);
        self.retired.next = self.answered.q.val();
        if self.rst.val() {
            self.tag.d.next = 0.into();
            self.busy.d.next = false;
            self.answered.d.next = false;
        }
    }
}
