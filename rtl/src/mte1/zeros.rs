// SPDX-License-Identifier: Apache-2.0
//! Fetches the zero points of a strip of rows from FB while the strip before is loaded.
//!
//! ```text
//!  start, operands ──►┌───────┐──► zero_channel ──► FB ──► zero_point (2 cycles later)
//!  claim, copy ──────►│ zeros │──► ready                 the next strip's zero points are there
//!                     └───────┘──► current[r]            from the cycle after copy
//! ```
//! One channel per cycle. A strip is claimed by the step that issues its first block; `copy`, two cycles later, moves its zero points
//! to `current` and lets the strip after it begin. Zero points outside the dtype's range and channels outside FB are faults.

use super::Shape;
use crate::prim::prelude::*;

/// The fetcher of zero points.
#[derive(LogicBlock)]
pub struct Zeros {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Stops.
    pub rst: Signal<In, Bit>,
    /// Starts with the operands below if `in_per_row`.
    pub start: Signal<In, Bit>,
    /// The tile has zero points per row.
    pub in_per_row: Signal<In, Bit>,
    /// dtype s8, else u8.
    pub in_signed: Signal<In, Bit>,
    /// Channel of row 0.
    pub in_channel: Signal<In, Bits<16>>,
    /// Rows.
    pub in_rows: Signal<In, Bits<16>>,
    /// The strip's first block is issued.
    pub claim: Signal<In, Bit>,
    /// The claimed strip becomes `current`.
    pub copy: Signal<In, Bit>,
    /// To FB.
    pub zero_channel: Signal<Out, Bits<16>>,
    /// From FB, 2 cycles later.
    pub zero_point: Signal<In, Bits<9>>,
    /// A whole strip waits to be claimed.
    pub ready: Signal<Out, Bit>,
    /// Zero points of the strip at hand.
    pub current: Vec<Signal<Out, Bits<9>>>,
    /// The next channel is not in FB.
    pub outside: Signal<Out, Bit>,
    /// That channel.
    pub outside_channel: Signal<Out, Bits<24>>,
    /// A zero point is outside the dtype's range (a pulse).
    pub bad: Signal<Out, Bit>,
    loading: Reg<Bit>,
    resume: Reg<Bit>,
    is_ready: Reg<Bit>,
    is_signed: Reg<Bit>,
    channel: Reg<Bits<24>>,
    rows: Reg<Bits<16>>,
    index: Reg<Bits<8>>,
    valid: Vec<Reg<Bit>>,
    final_one: Vec<Reg<Bit>>,
    place: Vec<Reg<Bits<8>>>,
    waiting: Vec<Reg<Bits<9>>>,
    shown: Vec<Reg<Bits<9>>>,
    beyond: Signal<Local, Bit>,
    asking: Signal<Local, Bit>,
    last: Signal<Local, Bit>,
    square_last: Constant<Bits<8>>,
    channels: Constant<Bits<24>>,
    _square: usize,
}

impl Zeros {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        Zeros {
            clk: Signal::default(),
            rst: Signal::default(),
            start: Signal::default(),
            in_per_row: Signal::default(),
            in_signed: Signal::default(),
            in_channel: Signal::default(),
            in_rows: Signal::default(),
            claim: Signal::default(),
            copy: Signal::default(),
            zero_channel: Signal::default(),
            zero_point: Signal::default(),
            ready: Signal::default(),
            current: vec![Signal::default(); shape.square],
            outside: Signal::default(),
            outside_channel: Signal::default(),
            bad: Signal::default(),
            loading: Reg::default(),
            resume: Reg::default(),
            is_ready: Reg::default(),
            is_signed: Reg::default(),
            channel: Reg::default(),
            rows: Reg::default(),
            index: Reg::default(),
            valid: vec![Reg::default(); 2],
            final_one: vec![Reg::default(); 2],
            place: vec![Reg::default(); 2],
            waiting: vec![Reg::default(); shape.square],
            shown: vec![Reg::default(); shape.square],
            beyond: Signal::default(),
            asking: Signal::default(),
            last: Signal::default(),
            square_last: Constant::new((shape.square as u64 - 1).into()),
            channels: Constant::new((shape.channels as u64).into()),
            _square: shape.square,
        }
    }
}

impl Logic for Zeros {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte1_zeros_{current[]}: fetches the zero points of a strip of rows from FB.");
        dff_setup!(self, clk, loading, resume, is_ready, is_signed, channel, rows, index);
        self.beyond.next = self.channel.q.val() >= self.channels.val();
        self.asking.next = self.loading.q.val() & !self.beyond.val();
        self.last.next = (self.index.q.val() == self.square_last.val()) | (self.rows.q.val() == 1);
        self.zero_channel.next = bit_cast::<16, 24>(self.channel.q.val());
        self.outside.next = self.loading.q.val() & self.beyond.val();
        self.outside_channel.next = self.channel.q.val();
        self.ready.next = self.is_ready.q.val();
        for s in 0..2 {
            self.valid[s].clock.next = self.clk.val();
            self.final_one[s].clock.next = self.clk.val();
            self.place[s].clock.next = self.clk.val();
        }
        self.valid[0].d.next = self.asking.val();
        self.final_one[0].d.next = self.last.val();
        self.place[0].d.next = self.index.q.val();
        self.valid[1].d.next = self.valid[0].q.val();
        self.final_one[1].d.next = self.final_one[0].q.val();
        self.place[1].d.next = self.place[0].q.val();
        if self.asking.val() {
            self.channel.d.next = self.channel.q.val() + 1;
            self.rows.d.next = self.rows.q.val() - 1;
            self.index.d.next = self.index.q.val() + 1;
            if self.last.val() {
                self.loading.d.next = false;
            }
        }
        if self.valid[1].q.val() & self.final_one[1].q.val() {
            self.is_ready.d.next = true;
        }
        if self.is_signed.q.val() {
            self.bad.next =
                self.valid[1].q.val() & (self.zero_point.val().get_bit(8) != self.zero_point.val().get_bit(7));
        } else {
            self.bad.next = self.valid[1].q.val() & self.zero_point.val().get_bit(8);
        }
        for r in 0..self._square {
            self.waiting[r].clock.next = self.clk.val();
            self.shown[r].clock.next = self.clk.val();
            self.current[r].next = self.shown[r].q.val();
            self.waiting[r].d.next = self.waiting[r].q.val();
            self.shown[r].d.next = self.shown[r].q.val();
            if self.valid[1].q.val() & (self.place[1].q.val() == r.to_bits::<8>()) {
                self.waiting[r].d.next = self.zero_point.val();
            }
            if self.copy.val() {
                self.shown[r].d.next = self.waiting[r].q.val();
            }
        }
        if self.claim.val() {
            self.is_ready.d.next = false;
            self.resume.d.next = self.rows.q.val() != 0;
        }
        if self.copy.val() & self.resume.q.val() {
            self.resume.d.next = false;
            self.loading.d.next = true;
            self.index.d.next = 0.into();
        }
        if self.start.val() {
            self.loading.d.next = self.in_per_row.val();
            self.resume.d.next = false;
            self.is_ready.d.next = false;
            self.is_signed.d.next = self.in_signed.val();
            self.channel.d.next = bit_cast::<24, 16>(self.in_channel.val());
            self.rows.d.next = self.in_rows.val();
            self.index.d.next = 0.into();
        }
        if self.rst.val() {
            self.loading.d.next = false;
            self.resume.d.next = false;
            self.is_ready.d.next = false;
            for s in 0..2 {
                self.valid[s].d.next = false;
            }
        }
    }
}
