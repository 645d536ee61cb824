// SPDX-License-Identifier: Apache-2.0
//! Reads the source of a transposed load from L1, square by square, ahead of the walk that empties them.
//!
//! ```text
//!  start, operands ──►┌──────┐──► read_valid, read_address     NB rows of k, K0 bytes each
//!  read_ready, room ─►│ fill │──► accepted, opens, closes, slot, step
//!                     └──────┘
//! ```
//! Squares in the order of the walk: strips of T columns of the source outside, T rows of k inside. Steps without a real byte are left out.

use super::Shape;
use crate::prim::prelude::*;

/// The reader of squares.
#[derive(LogicBlock)]
pub struct Fill {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Stops; square 0 is the next.
    pub rst: Signal<In, Bit>,
    /// Starts with the operands below; only while not `busy`, or `finishing`.
    pub start: Signal<In, Bit>,
    /// L1 address, a multiple of 512.
    pub in_address: Signal<In, Bits<24>>,
    /// Panel stride.
    pub in_stride: Signal<In, Bits<24>>,
    /// Rows of the tile = columns of the source.
    pub in_rows: Signal<In, Bits<16>>,
    /// Bytes of k = rows of the source.
    pub in_k: Signal<In, Bits<16>>,
    /// Do nothing.
    pub hold: Signal<In, Bit>,
    /// The read offered is accepted.
    pub read_ready: Signal<In, Bit>,
    /// A square is free.
    pub room: Signal<In, Bit>,
    /// Squares are left to read.
    pub busy: Signal<Out, Bit>,
    /// The read accepted this cycle is the last.
    pub finishing: Signal<Out, Bit>,
    /// Reads.
    pub read_valid: Signal<Out, Bit>,
    /// First byte.
    pub read_address: Signal<Out, Bits<24>>,
    /// The next read would leave L1.
    pub outside: Signal<Out, Bit>,
    /// Its address.
    pub outside_address: Signal<Out, Bits<26>>,
    /// A read is accepted; what follows belongs to it.
    pub accepted: Signal<Out, Bit>,
    /// It is the first of its square.
    pub opens: Signal<Out, Bit>,
    /// It is the last of its square.
    pub closes: Signal<Out, Bit>,
    /// Square.
    pub slot: Signal<Out, Bit>,
    /// Step in the square.
    pub step: Signal<Out, Bits<4>>,
    running: Reg<Bit>,
    stride: Reg<Bits<26>>,
    k: Reg<Bits<16>>,
    strip_rows: Reg<Bits<16>>,
    step_rows: Reg<Bits<16>>,
    bytes: Reg<Bits<16>>,
    column: Reg<Bits<8>>,
    panel_address: Reg<Bits<26>>,
    row_address: Reg<Bits<26>>,
    at_step: Reg<Bits<8>>,
    at_slot: Reg<Bit>,
    last_k: Signal<Local, Bit>,
    last_step: Signal<Local, Bit>,
    last_strip: Signal<Local, Bit>,
    beyond: Signal<Local, Bit>,
    reading: Signal<Local, Bit>,
    taken: Signal<Local, Bit>,
    next_panel: Signal<Local, Bits<26>>,
    next_column: Signal<Local, Bits<8>>,
    column_here: Signal<Local, Bits<8>>,
    address_here: Signal<Local, Bits<26>>,
    k0: Constant<Bits<16>>,
    k0_bits: Constant<Bits<4>>,
    nb: Constant<Bits<16>>,
    nb_bytes: Constant<Bits<26>>,
    square: Constant<Bits<16>>,
    square8: Constant<Bits<8>>,
    step_last: Constant<Bits<8>>,
    l1_bits: Constant<Bits<8>>,
    /// K0 >= NB.
    wide: Constant<Bit>,
}

impl Fill {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        Fill {
            clk: Signal::default(),
            rst: Signal::default(),
            start: Signal::default(),
            in_address: Signal::default(),
            in_stride: Signal::default(),
            in_rows: Signal::default(),
            in_k: Signal::default(),
            hold: Signal::default(),
            read_ready: Signal::default(),
            room: Signal::default(),
            busy: Signal::default(),
            finishing: Signal::default(),
            read_valid: Signal::default(),
            read_address: Signal::default(),
            outside: Signal::default(),
            outside_address: Signal::default(),
            accepted: Signal::default(),
            opens: Signal::default(),
            closes: Signal::default(),
            slot: Signal::default(),
            step: Signal::default(),
            running: Reg::default(),
            stride: Reg::default(),
            k: Reg::default(),
            strip_rows: Reg::default(),
            step_rows: Reg::default(),
            bytes: Reg::default(),
            column: Reg::default(),
            panel_address: Reg::default(),
            row_address: Reg::default(),
            at_step: Reg::default(),
            at_slot: Reg::default(),
            last_k: Signal::default(),
            last_step: Signal::default(),
            last_strip: Signal::default(),
            beyond: Signal::default(),
            reading: Signal::default(),
            taken: Signal::default(),
            next_panel: Signal::default(),
            next_column: Signal::default(),
            column_here: Signal::default(),
            address_here: Signal::default(),
            k0: Constant::new((shape.k0 as u64).into()),
            k0_bits: Constant::new(Shape::log(shape.k0).into()),
            nb: Constant::new((shape.nb as u64).into()),
            nb_bytes: Constant::new((shape.nb as u64 * 32).into()),
            square: Constant::new((shape.square as u64).into()),
            square8: Constant::new((shape.square as u64).into()),
            step_last: Constant::new((shape.group as u64 - 1).into()),
            l1_bits: Constant::new(Shape::log(shape.l1_bytes).into()),
            wide: Constant::new(shape.k0 >= shape.nb),
        }
    }
}

impl Logic for Fill {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte1_fill: reads the source of a transposed load from L1, square by square.");
        dff_setup!(self, clk, running, stride, k, strip_rows, step_rows, bytes, column);
        dff_setup!(self, clk, panel_address, row_address, at_step, at_slot);
        // K0 >= NB: a step is NB rows of k of all columns of the square; else K0 columns of all rows of k.
        self.last_k.next = self.bytes.q.val() <= self.nb.val();
        self.last_strip.next = self.strip_rows.q.val() <= self.square.val();
        if self.wide.val() {
            self.last_step.next = (self.at_step.q.val() == self.step_last.val()) | self.last_k.val();
            self.column_here.next = self.column.q.val();
        } else {
            self.last_step.next =
                (self.at_step.q.val() == self.step_last.val()) | (self.step_rows.q.val() <= self.k0.val());
            self.column_here.next = self.column.q.val() + (self.at_step.q.val() << self.k0_bits.val());
        }
        self.address_here.next = self.row_address.q.val() | bit_cast::<26, 8>(self.column_here.val());
        self.beyond.next = (self.row_address.q.val() >> self.l1_bits.val()) != 0;
        self.reading.next = self.running.q.val()
            & !self.hold.val()
            & !self.beyond.val()
            & (self.room.val() | (self.at_step.q.val() != 0));
        self.taken.next = self.reading.val() & self.read_ready.val();
        self.busy.next = self.running.q.val();
        self.finishing.next = self.taken.val() & self.last_step.val() & self.last_k.val() & self.last_strip.val();
        self.read_valid.next = self.reading.val();
        self.read_address.next = bit_cast::<24, 26>(self.address_here.val());
        self.outside.next = self.running.q.val() & self.beyond.val();
        self.outside_address.next = self.address_here.val();
        self.accepted.next = self.taken.val();
        self.opens.next = self.taken.val() & (self.at_step.q.val() == 0);
        self.closes.next = self.taken.val() & self.last_step.val();
        self.slot.next = self.at_slot.q.val();
        self.step.next = bit_cast::<4, 8>(self.at_step.q.val());
        self.next_column.next = (self.column.q.val() + self.square8.val()) & 31;
        self.next_panel.next = self.panel_address.q.val();
        if self.next_column.val() == 0 {
            self.next_panel.next = self.panel_address.q.val() + self.stride.q.val();
        }
        if self.taken.val() {
            self.at_step.d.next = self.at_step.q.val() + 1;
            self.step_rows.d.next = self.step_rows.q.val() - self.k0.val();
            if self.last_step.val() {
                self.at_step.d.next = 0.into();
                self.at_slot.d.next = !self.at_slot.q.val();
                self.step_rows.d.next = self.strip_rows.q.val();
            }
            if self.wide.val() | self.last_step.val() {
                self.bytes.d.next = self.bytes.q.val() - self.nb.val();
                self.row_address.d.next = self.row_address.q.val() + self.nb_bytes.val();
            }
            if self.last_step.val() & self.last_k.val() {
                self.strip_rows.d.next = self.strip_rows.q.val() - self.square.val();
                self.step_rows.d.next = self.strip_rows.q.val() - self.square.val();
                self.bytes.d.next = self.k.q.val();
                self.column.d.next = self.next_column.val();
                self.panel_address.d.next = self.next_panel.val();
                self.row_address.d.next = self.next_panel.val();
                if self.last_strip.val() {
                    self.running.d.next = false;
                }
            }
        }
        if self.start.val() {
            self.running.d.next = true;
            self.stride.d.next = bit_cast::<26, 24>(self.in_stride.val());
            self.k.d.next = self.in_k.val();
            self.strip_rows.d.next = self.in_rows.val();
            self.step_rows.d.next = self.in_rows.val();
            self.bytes.d.next = self.in_k.val();
            self.column.d.next = 0.into();
            self.panel_address.d.next = bit_cast::<26, 24>(self.in_address.val());
            self.row_address.d.next = bit_cast::<26, 24>(self.in_address.val());
            self.at_step.d.next = 0.into();
        }
        if self.rst.val() {
            self.running.d.next = false;
            self.at_slot.d.next = false;
        }
    }
}
