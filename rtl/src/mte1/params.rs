// SPDX-License-Identifier: Apache-2.0
//! mte1.loadfb: reads a packed array from L1 and writes it to FB, one channel per cycle.
//!
//! ```text
//!  start, operands ──►┌────────┐──► read_valid, read_address     NB * K0 contiguous bytes (a slab)
//!  data_valid, data ─►│ params │──► write_valid, write_field, write_channel, write_data
//!                     └────────┘──► done
//! ```
//! The next slab is asked for when at most four writes of the present one are left, so that it arrives when they are done.

use super::Shape;
use crate::prim::prelude::*;

/// The loader of FB.
#[derive(LogicBlock)]
pub struct Params {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Stops.
    pub rst: Signal<In, Bit>,
    /// Starts with the operands below; only while not `busy`.
    pub start: Signal<In, Bit>,
    /// 0 bias, 1 scale, 2 shift, 3 zero point: 4, 4, 1, 2 bytes.
    pub in_field: Signal<In, Bits<2>>,
    /// L1 address, a multiple of 32.
    pub in_address: Signal<In, Bits<24>>,
    /// First channel.
    pub in_channel: Signal<In, Bits<16>>,
    /// Channels, at least 1.
    pub in_count: Signal<In, Bits<16>>,
    /// Do nothing (a fault).
    pub hold: Signal<In, Bit>,
    /// The read offered is accepted.
    pub read_ready: Signal<In, Bit>,
    /// The slab asked for is there.
    pub data_valid: Signal<In, Bit>,
    /// Its bytes.
    pub data: Vec<Signal<In, Bits<8>>>,
    /// Channels are left.
    pub busy: Signal<Out, Bit>,
    /// Reads a slab.
    pub read_valid: Signal<Out, Bit>,
    /// Its first byte.
    pub read_address: Signal<Out, Bits<24>>,
    /// Writes a channel.
    pub write_valid: Signal<Out, Bit>,
    /// Field.
    pub write_field: Signal<Out, Bits<2>>,
    /// Channel.
    pub write_channel: Signal<Out, Bits<16>>,
    /// Value.
    pub write_data: Signal<Out, Bits<32>>,
    /// This is the last write.
    pub done: Signal<Out, Bit>,
    /// The next slab is not in L1, or the next channel not in FB.
    pub outside: Signal<Out, Bit>,
    /// Address of the first byte wanted there, or that channel.
    pub outside_address: Signal<Out, Bits<26>>,
    running: Reg<Bit>,
    asked: Reg<Bit>,
    filled: Reg<Bit>,
    field: Reg<Bits<2>>,
    address: Reg<Bits<26>>,
    offset: Reg<Bits<16>>,
    channel: Reg<Bits<26>>,
    left: Reg<Bits<16>>,
    word: Vec<Reg<Bits<32>>>,
    pack: Vec<Join<8, 32>>,
    out_valid: Reg<Bit>,
    out_last: Reg<Bit>,
    out_field: Reg<Bits<2>>,
    out_channel: Reg<Bits<16>>,
    out_data: Reg<Bits<32>>,
    size_bits: Signal<Local, Bits<4>>,
    word_at: Signal<Local, Bits<8>>,
    shown: Vec<Signal<Local, Bits<32>>>,
    chosen: Signal<Local, Bits<32>>,
    next_offset: Signal<Local, Bits<16>>,
    in_slab: Signal<Local, Bits<16>>,
    beyond: Signal<Local, Bit>,
    no_channel: Signal<Local, Bit>,
    reading: Signal<Local, Bit>,
    writing: Signal<Local, Bit>,
    slab: Constant<Bits<16>>,
    slab_mask: Constant<Bits<24>>,
    l1_bits: Constant<Bits<8>>,
    channels: Constant<Bits<26>>,
    _words: usize,
}

impl Params {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        let slab = shape.nb * shape.k0;
        Params {
            clk: Signal::default(),
            rst: Signal::default(),
            start: Signal::default(),
            in_field: Signal::default(),
            in_address: Signal::default(),
            in_channel: Signal::default(),
            in_count: Signal::default(),
            hold: Signal::default(),
            read_ready: Signal::default(),
            data_valid: Signal::default(),
            data: vec![Signal::default(); slab],
            busy: Signal::default(),
            read_valid: Signal::default(),
            read_address: Signal::default(),
            write_valid: Signal::default(),
            write_field: Signal::default(),
            write_channel: Signal::default(),
            write_data: Signal::default(),
            done: Signal::default(),
            outside: Signal::default(),
            outside_address: Signal::default(),
            running: Reg::default(),
            asked: Reg::default(),
            filled: Reg::default(),
            field: Reg::default(),
            address: Reg::default(),
            offset: Reg::default(),
            channel: Reg::default(),
            left: Reg::default(),
            word: vec![Reg::default(); slab / 4],
            pack: vec![Join::default(); slab / 4],
            out_valid: Reg::default(),
            out_last: Reg::default(),
            out_field: Reg::default(),
            out_channel: Reg::default(),
            out_data: Reg::default(),
            size_bits: Signal::default(),
            word_at: Signal::default(),
            shown: vec![Signal::default(); slab / 4],
            chosen: Signal::default(),
            next_offset: Signal::default(),
            in_slab: Signal::default(),
            beyond: Signal::default(),
            no_channel: Signal::default(),
            reading: Signal::default(),
            writing: Signal::default(),
            slab: Constant::new((slab as u64).into()),
            slab_mask: Constant::new((slab as u64 - 1).into()),
            l1_bits: Constant::new(Shape::log(shape.l1_bytes).into()),
            channels: Constant::new((shape.channels as u64).into()),
            _words: slab / 4,
        }
    }
}

impl Logic for Params {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte1_params_{data[]}: reads a packed array from L1 and writes it to FB, one channel per cycle.");
        dff_setup!(self, clk, running, asked, filled, field, address, offset, channel, left);
        dff_setup!(self, clk, out_valid, out_last, out_field, out_channel, out_data);
        self.size_bits.next = 2.into();
        if self.field.q.val() == 2 {
            self.size_bits.next = 0.into();
        }
        if self.field.q.val() == 3 {
            self.size_bits.next = 1.into();
        }
        self.next_offset.next = self.offset.q.val() + (bits::<16>(1) << self.size_bits.val());
        self.in_slab.next = (self.slab.val() - self.offset.q.val()) >> self.size_bits.val();
        self.beyond.next = (self.address.q.val() >> self.l1_bits.val()) != 0;
        self.no_channel.next = self.channel.q.val() >= self.channels.val();
        self.reading.next = self.running.q.val()
            & !self.hold.val()
            & !self.asked.q.val()
            & !self.beyond.val()
            & (!self.filled.q.val() | ((self.in_slab.val() <= 4) & (self.left.q.val() > self.in_slab.val())));
        self.writing.next = self.running.q.val() & !self.hold.val() & self.filled.q.val() & !self.no_channel.val();
        self.busy.next = self.running.q.val() | self.out_valid.q.val();
        self.read_valid.next = self.reading.val();
        self.read_address.next = bit_cast::<24, 26>(self.address.q.val());
        self.outside.next = self.running.q.val()
            & ((self.filled.q.val() & self.no_channel.val())
                | (!self.filled.q.val() & !self.asked.q.val() & self.beyond.val()));
        self.outside_address.next = self.address.q.val() | bit_cast::<26, 16>(self.offset.q.val());
        if self.filled.q.val() {
            self.outside_address.next = self.channel.q.val();
        }
        if self.reading.val() & self.read_ready.val() {
            self.asked.d.next = true;
            self.address.d.next = self.address.q.val() + bit_cast::<26, 16>(self.slab.val());
        }
        if self.writing.val() {
            self.offset.d.next = self.next_offset.val();
            self.channel.d.next = self.channel.q.val() + 1;
            self.left.d.next = self.left.q.val() - 1;
            if self.next_offset.val() == self.slab.val() {
                self.offset.d.next = 0.into();
                self.filled.d.next = false;
            }
            if self.left.q.val() == 1 {
                self.running.d.next = false;
            }
        }
        // The value: a word of the slab, shifted to its byte.
        for i in 0..self._words {
            for b in 0..4 {
                self.pack[i].lane[b].next = self.data[i * 4 + b].val();
            }
            self.word[i].clock.next = self.clk.val();
            self.word[i].d.next = self.word[i].q.val();
            self.shown[i].next = self.word[i].q.val();
            if self.data_valid.val() & self.asked.q.val() {
                self.word[i].d.next = self.pack[i].word.val();
            }
        }
        if self.data_valid.val() & self.asked.q.val() {
            self.asked.d.next = false;
            self.filled.d.next = true;
        }
        self.word_at.next = (self.offset.q.val() >> 2).get_bits::<8>(0);
        self.chosen.next = self.shown[self.word_at.val().index()].val();
        self.out_valid.d.next = self.writing.val();
        self.out_last.d.next = self.left.q.val() == 1;
        self.out_field.d.next = self.field.q.val();
        self.out_channel.d.next = bit_cast::<16, 26>(self.channel.q.val());
        self.out_data.d.next = self.chosen.val() >> ((self.offset.q.val() & 3) << 3);
        self.write_valid.next = self.out_valid.q.val();
        self.write_field.next = self.out_field.q.val();
        self.write_channel.next = self.out_channel.q.val();
        self.write_data.next = self.out_data.q.val();
        self.done.next = self.out_valid.q.val() & self.out_last.q.val();
        if self.start.val() {
            self.running.d.next = true;
            self.asked.d.next = false;
            self.filled.d.next = false;
            self.field.d.next = self.in_field.val();
            self.address.d.next = bit_cast::<26, 24>(self.in_address.val() & !self.slab_mask.val());
            self.offset.d.next = bit_cast::<16, 24>(self.in_address.val() & self.slab_mask.val());
            self.channel.d.next = bit_cast::<26, 16>(self.in_channel.val());
            self.left.d.next = self.in_count.val();
        }
        if self.rst.val() {
            self.running.d.next = false;
            self.out_valid.d.next = false;
            self.asked.d.next = false;
            self.filled.d.next = false;
            self.offset.d.next = 0.into();
        }
    }
}
