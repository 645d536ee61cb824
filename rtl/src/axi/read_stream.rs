// SPDX-License-Identifier: Apache-2.0
//! Rows of global memory as a stream of full words: `out_data` lane 0 of a row's first word is the row's first byte.
//!
//! ```text
//!  row_* ──► burst ──► request_*  (AxiRead)
//!              └─► ahead (what each burst in flight belongs to)
//!  data_*  (AxiRead) ──► justify ──► out_*
//! ```
//! One bus word per cycle, no gap between bursts or rows; words are full but for the last of a row. Test: `tests/units/axi/read_stream.rs`.

use super::{Burst, Justify};
use crate::prim::prelude::*;

/// Row reader of a bus of B bits.
#[derive(LogicBlock)]
pub struct ReadStream<const B: usize> {
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
    /// Goes along with its bursts.
    pub row_tag: Signal<In, Bits<3>>,
    /// To `AxiRead`.
    pub request_valid: Signal<Out, Bit>,
    /// From `AxiRead`.
    pub request_ready: Signal<In, Bit>,
    /// To `AxiRead`.
    pub request_address: Signal<Out, Bits<40>>,
    /// To `AxiRead`: words less 1.
    pub request_beats: Signal<Out, Bits<8>>,
    /// To `AxiRead`.
    pub request_skip: Signal<Out, Bits<8>>,
    /// To `AxiRead`.
    pub request_trim: Signal<Out, Bits<8>>,
    /// To `AxiRead`.
    pub request_tag: Signal<Out, Bits<3>>,
    /// From `AxiRead`.
    pub data_valid: Signal<In, Bit>,
    /// To `AxiRead`.
    pub data_ready: Signal<Out, Bit>,
    /// From `AxiRead`.
    pub data_last: Signal<In, Bit>,
    /// From `AxiRead`.
    pub data: Signal<In, Bits<B>>,
    /// A word is offered.
    pub out_valid: Signal<Out, Bit>,
    /// It is taken.
    pub out_ready: Signal<In, Bit>,
    /// The word.
    pub out_data: Vec<Signal<Out, Bits<8>>>,
    /// Bytes in it: W, or 1..=W in the last of a row.
    pub out_count: Signal<Out, Bits<8>>,
    /// Last word of its row.
    pub out_last: Signal<Out, Bit>,
    /// Every word that came has left.
    pub empty: Signal<Out, Bit>,
    /// Nothing is asked for that has not come.
    pub idle: Signal<Out, Bit>,
    burst: Burst,
    /// Per burst: offset, bytes of the row's last word, bit 0 last burst of its row, bit 1 flush.
    ahead: Fifo<8>,
    justify: Justify,
    offset: Signal<Local, Bits<8>>,
    rest: Signal<Local, Bits<8>>,
    flush: Signal<Local, Bit>,
    bytes: Constant<Bits<8>>,
    mask: Constant<Bits<8>>,
    wide: Constant<Bits<24>>,
    _bytes: usize,
}

impl<const B: usize> ReadStream<B> {
    /// A row reader that keeps track of up to `outstanding` (1 to 64) bursts in flight.
    pub fn new(outstanding: usize) -> Self {
        let bytes = B / 8;
        ReadStream {
            clk: Signal::default(),
            rst: Signal::default(),
            row_valid: Signal::default(),
            row_ready: Signal::default(),
            row_address: Signal::default(),
            row_length: Signal::default(),
            row_tag: Signal::default(),
            request_valid: Signal::default(),
            request_ready: Signal::default(),
            request_address: Signal::default(),
            request_beats: Signal::default(),
            request_skip: Signal::default(),
            request_trim: Signal::default(),
            request_tag: Signal::default(),
            data_valid: Signal::default(),
            data_ready: Signal::default(),
            data_last: Signal::default(),
            data: Signal::default(),
            out_valid: Signal::default(),
            out_ready: Signal::default(),
            out_data: vec![Signal::default(); bytes],
            out_count: Signal::default(),
            out_last: Signal::default(),
            empty: Signal::default(),
            idle: Signal::default(),
            burst: Burst::new(bytes, 4),
            // Three more wait in the gate.
            ahead: Fifo::new(outstanding + 4, 3),
            justify: Justify::new(bytes),
            offset: Signal::default(),
            rest: Signal::default(),
            flush: Signal::default(),
            bytes: Constant::new((bytes as u64).into()),
            mask: Constant::new((bytes as u64 - 1).into()),
            wide: Constant::new((bytes as u64).into()),
            _bytes: bytes,
        }
    }
}

impl<const B: usize> Logic for ReadStream<B> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("read_stream_{data}: rows of global memory as a stream of full words.");
        self.burst.clk.next = self.clk.val();
        self.burst.rst.next = self.rst.val();
        self.ahead.clk.next = self.clk.val();
        self.ahead.clear.next = self.rst.val();
        self.justify.clk.next = self.clk.val();
        self.justify.rst.next = self.rst.val();
        // Rows to bursts. The notes say how the row lies in the bus words.
        self.offset.next = self.row_address.val().get_bits::<8>(0) & self.mask.val();
        self.rest.next = (self.row_length.val() - 1).get_bits::<8>(0) & self.mask.val();
        self.flush.next = (self.offset.val() != 0)
            & (self.offset.val() + self.rest.val() < self.bytes.val())
            & (self.row_length.val() > self.wide.val());
        self.burst.row_valid.next = self.row_valid.val();
        self.row_ready.next = self.burst.row_ready.val();
        self.burst.row_address.next = self.row_address.val();
        self.burst.row_length.next = self.row_length.val();
        self.burst.row_note[0].next = self.offset.val();
        self.burst.row_note[1].next = self.rest.val() + 1;
        self.burst.row_note[2].next = bit_cast::<8, 1>(self.flush.val().into()) << 1;
        self.burst.row_note[3].next = bit_cast::<8, 3>(self.row_tag.val());
        // A request goes out with its entry in `ahead`.
        self.request_valid.next = self.burst.request_valid.val() & self.ahead.in_ready.val();
        self.burst.request_ready.next = self.request_ready.val() & self.ahead.in_ready.val();
        self.ahead.in_valid.next = self.burst.request_valid.val() & self.request_ready.val();
        self.ahead.in_data[0].next = self.burst.request_note[0].val();
        self.ahead.in_data[1].next = self.burst.request_note[1].val();
        self.ahead.in_data[2].next =
            self.burst.request_note[2].val() | bit_cast::<8, 1>(self.burst.request_last.val().into());
        self.request_address.next = self.burst.request_address.val();
        self.request_beats.next = self.burst.request_beats.val();
        self.request_skip.next = self.burst.request_skip.val();
        self.request_trim.next = self.burst.request_trim.val();
        self.request_tag.next = self.burst.request_note[3].val().get_bits::<3>(0);
        // Data to dense words.
        self.justify.in_valid.next = self.data_valid.val();
        self.data_ready.next = self.justify.in_ready.val();
        self.ahead.out_ready.next = self.data_valid.val() & self.justify.in_ready.val() & self.data_last.val();
        self.justify.in_offset.next = self.ahead.out_data[0].val();
        self.justify.in_count.next = self.ahead.out_data[1].val();
        self.justify.in_flush.next = self.ahead.out_data[2].val().get_bit(1);
        self.justify.in_last.next = self.data_last.val() & self.ahead.out_data[2].val().get_bit(0);
        self.justify.in_mark.next = 0.into();
        for i in 0..self._bytes {
            self.justify.in_data[i].next = self.data.val().get_bits::<8>(i * 8);
            self.out_data[i].next = self.justify.out_data[i].val();
        }
        self.out_valid.next = self.justify.out_valid.val();
        self.justify.out_ready.next = self.out_ready.val();
        self.out_count.next = self.justify.out_count.val();
        self.out_last.next = self.justify.out_last.val();
        self.empty.next = self.justify.empty.val();
        self.idle.next = !self.burst.request_valid.val() & !self.ahead.out_valid.val();
    }
}
