// SPDX-License-Identifier: Apache-2.0
//! Walks over k of a block of rows in pieces: maximal runs inside one block of K0 bytes and inside one tap.
//!
//! ```text
//!  open, operands ──►┌────────┐──► valid, y, p, a, place, length, first, last
//!  step ────────────►│ pieces │──► row_end
//!  again ───────────►└────────┘
//! ```
//! What a piece is, is the same for all rows: `y` lines and `p` bytes from tap 0 of the kernel's first line at hand, `a` the same in bytes of L1.

use super::super::Shape;
use crate::prim::prelude::*;

/// The walk over k.
#[derive(LogicBlock)]
pub struct Pieces {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Stops.
    pub rst: Signal<In, Bit>,
    /// Starts with the operands below, for the first block of rows of a tile; only while not `valid`, or with `step` and `row_end`.
    pub open: Signal<In, Bit>,
    /// Starts over with the operands of the last `open`, for a further block of rows; when `open` may come.
    pub again: Signal<In, Bit>,
    /// Bytes of k, at least 1.
    pub in_k: Signal<In, Bits<16>>,
    /// Taps per line of the kernel.
    pub in_taps_x: Signal<In, Bits<8>>,
    /// Bytes of a tap.
    pub in_tap_bytes: Signal<In, Bits<16>>,
    /// Lines from tap to tap.
    pub in_tap_step_y: Signal<In, Bits<8>>,
    /// Bytes from tap to tap.
    pub in_tap_step_x: Signal<In, Bits<24>>,
    /// L1 bytes from a line of taps to the next.
    pub in_tap_step_line: Signal<In, Bits<26>>,
    /// First tap: place in its line of taps.
    pub in_tap_x: Signal<In, Bits<8>>,
    /// Its first byte.
    pub in_tap_p: Signal<In, Bits<26>>,
    /// First byte within it.
    pub in_tap_byte: Signal<In, Bits<16>>,
    /// The piece is taken.
    pub step: Signal<In, Bit>,
    /// A piece is offered.
    pub valid: Signal<Out, Bit>,
    /// Lines from the pixel.
    pub y: Signal<Out, Bits<26>>,
    /// Bytes from the pixel.
    pub p: Signal<Out, Bits<26>>,
    /// L1 bytes from the pixel.
    pub a: Signal<Out, Bits<26>>,
    /// Column of the block in which the piece starts.
    pub place: Signal<Out, Bits<8>>,
    /// Its bytes, 1 to K0.
    pub length: Signal<Out, Bits<8>>,
    /// It is the first of its block.
    pub first: Signal<Out, Bit>,
    /// It is the last of its block.
    pub last: Signal<Out, Bit>,
    /// It is the last of the block of rows.
    pub row_end: Signal<Out, Bit>,
    running: Reg<Bit>,
    k: Reg<Bits<16>>,
    taps_x: Reg<Bits<8>>,
    tap_bytes: Reg<Bits<16>>,
    tap_step_y: Reg<Bits<8>>,
    tap_step_x: Reg<Bits<26>>,
    tap_step_line: Reg<Bits<26>>,
    start_x: Reg<Bits<8>>,
    start_p: Reg<Bits<26>>,
    start_byte: Reg<Bits<16>>,
    k_left: Reg<Bits<16>>,
    tap_left: Reg<Bits<16>>,
    tap_x: Reg<Bits<8>>,
    at: Reg<Bits<8>>,
    line_y: Reg<Bits<26>>,
    // Byte of the piece, of its tap, and L1 bytes of the piece, of its tap, of its line of taps.
    byte_at: Reg<Bits<26>>,
    tap_p: Reg<Bits<26>>,
    address: Reg<Bits<26>>,
    tap_a: Reg<Bits<26>>,
    line_a: Reg<Bits<26>>,
    room: Signal<Local, Bits<16>>,
    least: Signal<Local, Bits<16>>,
    run: Signal<Local, Bits<16>>,
    tap_end: Signal<Local, Bit>,
    line_end: Signal<Local, Bit>,
    k_end: Signal<Local, Bit>,
    block_end: Signal<Local, Bit>,
    next_tap_p: Signal<Local, Bits<26>>,
    next_tap_a: Signal<Local, Bits<26>>,
    starts: Signal<Local, Bit>,
    begin_x: Signal<Local, Bits<8>>,
    begin_p: Signal<Local, Bits<26>>,
    begin_byte: Signal<Local, Bits<16>>,
    begin_bytes: Signal<Local, Bits<16>>,
    begin_k: Signal<Local, Bits<16>>,
    k0: Constant<Bits<16>>,
}

impl Pieces {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        Pieces {
            clk: Signal::default(),
            rst: Signal::default(),
            open: Signal::default(),
            again: Signal::default(),
            in_k: Signal::default(),
            in_taps_x: Signal::default(),
            in_tap_bytes: Signal::default(),
            in_tap_step_y: Signal::default(),
            in_tap_step_x: Signal::default(),
            in_tap_step_line: Signal::default(),
            in_tap_x: Signal::default(),
            in_tap_p: Signal::default(),
            in_tap_byte: Signal::default(),
            step: Signal::default(),
            valid: Signal::default(),
            y: Signal::default(),
            p: Signal::default(),
            a: Signal::default(),
            place: Signal::default(),
            length: Signal::default(),
            first: Signal::default(),
            last: Signal::default(),
            row_end: Signal::default(),
            running: Reg::default(),
            k: Reg::default(),
            taps_x: Reg::default(),
            tap_bytes: Reg::default(),
            tap_step_y: Reg::default(),
            tap_step_x: Reg::default(),
            tap_step_line: Reg::default(),
            start_x: Reg::default(),
            start_p: Reg::default(),
            start_byte: Reg::default(),
            k_left: Reg::default(),
            tap_left: Reg::default(),
            tap_x: Reg::default(),
            at: Reg::default(),
            line_y: Reg::default(),
            byte_at: Reg::default(),
            tap_p: Reg::default(),
            address: Reg::default(),
            tap_a: Reg::default(),
            line_a: Reg::default(),
            room: Signal::default(),
            least: Signal::default(),
            run: Signal::default(),
            tap_end: Signal::default(),
            line_end: Signal::default(),
            k_end: Signal::default(),
            block_end: Signal::default(),
            next_tap_p: Signal::default(),
            next_tap_a: Signal::default(),
            starts: Signal::default(),
            begin_x: Signal::default(),
            begin_p: Signal::default(),
            begin_byte: Signal::default(),
            begin_bytes: Signal::default(),
            begin_k: Signal::default(),
            k0: Constant::new((shape.k0 as u64).into()),
        }
    }
}

impl Logic for Pieces {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte1_pieces: walks over k in runs inside one block and one tap.");
        dff_setup!(self, clk, running, k, taps_x, tap_bytes, tap_step_y, tap_step_x, tap_step_line);
        dff_setup!(self, clk, start_x, start_p, start_byte, k_left, tap_left, tap_x, at, line_y);
        dff_setup!(self, clk, byte_at, tap_p, address, tap_a, line_a);
        // How long the piece is, and what ends with it.
        self.room.next = self.k0.val() - bit_cast::<16, 8>(self.at.q.val());
        self.least.next = self.room.val();
        if self.k_left.q.val() < self.room.val() {
            self.least.next = self.k_left.q.val();
        }
        self.run.next = self.least.val();
        if self.tap_left.q.val() < self.least.val() {
            self.run.next = self.tap_left.q.val();
        }
        self.tap_end.next = self.tap_left.q.val() <= self.least.val();
        self.line_end.next = (self.tap_x.q.val() + 1) == self.taps_x.q.val();
        self.k_end.next = self.run.val() == self.k_left.q.val();
        self.block_end.next = (self.run.val() == self.room.val()) | self.k_end.val();
        self.valid.next = self.running.q.val();
        self.y.next = self.line_y.q.val();
        self.p.next = self.byte_at.q.val();
        self.a.next = self.address.q.val();
        self.place.next = self.at.q.val();
        self.length.next = bit_cast::<8, 16>(self.run.val());
        self.first.next = self.at.q.val() == 0;
        self.last.next = self.block_end.val();
        self.row_end.next = self.k_end.val();
        self.next_tap_p.next = self.tap_p.q.val() + self.tap_step_x.q.val();
        self.next_tap_a.next = self.tap_a.q.val() + self.tap_step_x.q.val();
        if self.line_end.val() {
            self.next_tap_p.next = 0.into();
            self.next_tap_a.next = self.line_a.q.val() + self.tap_step_line.q.val();
        }
        if self.step.val() {
            self.at.d.next = self.at.q.val() + bit_cast::<8, 16>(self.run.val());
            if self.block_end.val() {
                self.at.d.next = 0.into();
            }
            self.k_left.d.next = self.k_left.q.val() - self.run.val();
            self.tap_left.d.next = self.tap_left.q.val() - self.run.val();
            self.byte_at.d.next = self.byte_at.q.val() + bit_cast::<26, 16>(self.run.val());
            self.address.d.next = self.address.q.val() + bit_cast::<26, 16>(self.run.val());
            if self.tap_end.val() {
                self.tap_left.d.next = self.tap_bytes.q.val();
                self.tap_x.d.next = self.tap_x.q.val() + 1;
                self.tap_p.d.next = self.next_tap_p.val();
                self.byte_at.d.next = self.next_tap_p.val();
                self.tap_a.d.next = self.next_tap_a.val();
                self.address.d.next = self.next_tap_a.val();
                if self.line_end.val() {
                    self.tap_x.d.next = 0.into();
                    self.line_y.d.next = self.line_y.q.val() + bit_cast::<26, 8>(self.tap_step_y.q.val());
                    self.line_a.d.next = self.next_tap_a.val();
                }
            }
            if self.k_end.val() {
                self.running.d.next = false;
            }
        }
        // The next block of rows.
        self.starts.next = self.open.val() | self.again.val();
        self.begin_x.next = self.start_x.q.val();
        self.begin_p.next = self.start_p.q.val();
        self.begin_byte.next = self.start_byte.q.val();
        self.begin_bytes.next = self.tap_bytes.q.val();
        self.begin_k.next = self.k.q.val();
        if self.open.val() {
            self.begin_x.next = self.in_tap_x.val();
            self.begin_p.next = self.in_tap_p.val();
            self.begin_byte.next = self.in_tap_byte.val();
            self.begin_bytes.next = self.in_tap_bytes.val();
            self.begin_k.next = self.in_k.val();
            self.taps_x.d.next = self.in_taps_x.val();
            self.tap_step_y.d.next = self.in_tap_step_y.val();
            self.tap_step_x.d.next = bit_cast::<26, 24>(self.in_tap_step_x.val());
            self.tap_step_line.d.next = self.in_tap_step_line.val();
        }
        if self.starts.val() {
            self.running.d.next = true;
            self.start_x.d.next = self.begin_x.val();
            self.start_p.d.next = self.begin_p.val();
            self.start_byte.d.next = self.begin_byte.val();
            self.tap_bytes.d.next = self.begin_bytes.val();
            self.k.d.next = self.begin_k.val();
            self.k_left.d.next = self.begin_k.val();
            self.tap_left.d.next = self.begin_bytes.val() - self.begin_byte.val();
            self.tap_x.d.next = self.begin_x.val();
            self.at.d.next = 0.into();
            self.line_y.d.next = 0.into();
            self.tap_p.d.next = self.begin_p.val();
            self.tap_a.d.next = self.begin_p.val();
            self.byte_at.d.next = self.begin_p.val() + bit_cast::<26, 16>(self.begin_byte.val());
            self.address.d.next = self.begin_p.val() + bit_cast::<26, 16>(self.begin_byte.val());
            self.line_a.d.next = 0.into();
        }
        if self.rst.val() {
            self.running.d.next = false;
        }
    }
}
