// SPDX-License-Identifier: Apache-2.0
//! Moves the output pixels of the M0 rows from one block of rows to the next, all rows at once.
//!
//! ```text
//!  start, operands ──►┌────────┐──► load, moves[r], by_*      to the rows
//!  over[r] ──────────►│ pixels │──► ready, first, last, rows_here
//!  take ─────────────►└────────┘
//! ```
//! Row r starts at the first pixel and moves by r pixels, one bit of r per cycle; then every row beyond the end of its output line goes
//! to the next line, once per cycle until none is. A block of rows that is taken moves the rows on by M0 pixels in the same cycle: they are
//! ready again after two cycles if the output line is not shorter than M0, else later by the number of further line ends that a row passes.

use super::super::Shape;
use crate::prim::prelude::*;

/// Steps of all rows.
#[derive(LogicBlock)]
pub struct Pixels {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Stops.
    pub rst: Signal<In, Bit>,
    /// Starts with the operands below; only while not `busy`.
    pub start: Signal<In, Bit>,
    /// Rows of the tile, at least 1.
    pub in_rows: Signal<In, Bits<16>>,
    /// Output pixels of a line, at least 1.
    pub in_width: Signal<In, Bits<16>>,
    /// Bytes from pixel to pixel.
    pub in_step_x: Signal<In, Bits<24>>,
    /// Lines from output line to output line.
    pub in_step_y: Signal<In, Bits<8>>,
    /// Bytes over all pixels of an output line.
    pub in_line_x: Signal<In, Bits<26>>,
    /// L1 bytes from the end of an output line to the start of the next.
    pub in_turn_x: Signal<In, Bits<26>>,
    /// A row is beyond the end of its output line.
    pub over: Vec<Signal<In, Bit>>,
    /// The block of rows is taken; only while `ready`.
    pub take: Signal<In, Bit>,
    /// Rows are left.
    pub busy: Signal<Out, Bit>,
    /// The next block of rows is worked out.
    pub ready: Signal<Out, Bit>,
    /// It is the first of its tile.
    pub first: Signal<Out, Bit>,
    /// It is the last of its tile.
    pub last: Signal<Out, Bit>,
    /// Row r is real.
    pub real: Vec<Signal<Out, Bit>>,
    /// Output pixels of a line, for the rows.
    pub width: Signal<Out, Bits<17>>,
    /// Row r moves.
    pub moves: Vec<Signal<Out, Bit>>,
    /// By so many pixels.
    pub by_x: Signal<Out, Bits<17>>,
    /// By so many lines.
    pub by_y: Signal<Out, Bits<26>>,
    /// By so many bytes within the line.
    pub by_p: Signal<Out, Bits<26>>,
    /// By so many bytes of L1.
    pub by_a: Signal<Out, Bits<26>>,
    running: Reg<Bit>,
    spreading: Reg<Bit>,
    fresh: Reg<Bit>,
    rows: Reg<Bits<16>>,
    line: Reg<Bits<17>>,
    step_y: Reg<Bits<8>>,
    line_x: Reg<Bits<26>>,
    turn_x: Reg<Bits<26>>,
    /// Pixels of a move, 1, 2, .., M0, and their bytes.
    pixels: Reg<Bits<17>>,
    bytes: Reg<Bits<26>>,
    beyond: Vec<Signal<Local, Bit>>,
    wrapping: Signal<Local, Bit>,
    settled: Signal<Local, Bit>,
    m0: Constant<Bits<16>>,
    half: Constant<Bits<17>>,
    _m0: usize,
}

impl Pixels {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        Pixels {
            clk: Signal::default(),
            rst: Signal::default(),
            start: Signal::default(),
            in_rows: Signal::default(),
            in_width: Signal::default(),
            in_step_x: Signal::default(),
            in_step_y: Signal::default(),
            in_line_x: Signal::default(),
            in_turn_x: Signal::default(),
            over: vec![Signal::default(); shape.m0],
            take: Signal::default(),
            busy: Signal::default(),
            ready: Signal::default(),
            first: Signal::default(),
            last: Signal::default(),
            real: vec![Signal::default(); shape.m0],
            width: Signal::default(),
            moves: vec![Signal::default(); shape.m0],
            by_x: Signal::default(),
            by_y: Signal::default(),
            by_p: Signal::default(),
            by_a: Signal::default(),
            running: Reg::default(),
            spreading: Reg::default(),
            fresh: Reg::default(),
            rows: Reg::default(),
            line: Reg::default(),
            step_y: Reg::default(),
            line_x: Reg::default(),
            turn_x: Reg::default(),
            pixels: Reg::default(),
            bytes: Reg::default(),
            beyond: vec![Signal::default(); shape.m0 + 1],
            wrapping: Signal::default(),
            settled: Signal::default(),
            m0: Constant::new((shape.m0 as u64).into()),
            half: Constant::new((shape.m0 as u64 / 2).into()),
            _m0: shape.m0,
        }
    }
}

impl Logic for Pixels {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte1_pixels_{over[]}: moves the output pixels of the rows from one block of rows to the next.");
        dff_setup!(self, clk, running, spreading, fresh, rows, line, step_y, line_x, turn_x, pixels, bytes);
        self.beyond[0].next = false;
        for r in 0..self._m0 {
            self.beyond[r + 1].next = self.beyond[r].val() | self.over[r].val();
        }
        for m in self._m0..(self._m0 + 1) {
            self.wrapping.next = self.running.q.val() & !self.spreading.q.val() & self.beyond[m].val();
            self.settled.next = self.running.q.val() & !self.spreading.q.val() & !self.beyond[m].val();
        }
        self.busy.next = self.running.q.val();
        self.ready.next = self.settled.val();
        self.first.next = self.fresh.q.val();
        self.last.next = self.rows.q.val() <= self.m0.val();
        self.width.next = self.line.q.val();
        self.by_x.next = self.pixels.q.val();
        self.by_y.next = 0.into();
        self.by_p.next = self.bytes.q.val();
        self.by_a.next = self.bytes.q.val();
        if self.wrapping.val() {
            self.by_x.next = bits::<17>(0) - self.line.q.val();
            self.by_y.next = bit_cast::<26, 8>(self.step_y.q.val());
            self.by_p.next = bits::<26>(0) - self.line_x.q.val();
            self.by_a.next = self.turn_x.q.val();
        }
        for r in 0..self._m0 {
            self.real[r].next = r.to_bits::<16>() < self.rows.q.val();
            self.moves[r].next = self.take.val()
                | (self.wrapping.val() & self.over[r].val())
                | (self.spreading.q.val() & ((r.to_bits::<17>() & self.pixels.q.val()) != 0));
        }
        if self.spreading.q.val() {
            self.pixels.d.next = self.pixels.q.val() << 1;
            self.bytes.d.next = self.bytes.q.val() << 1;
            self.spreading.d.next = self.pixels.q.val() != self.half.val();
        }
        if self.take.val() {
            self.fresh.d.next = false;
            self.rows.d.next = self.rows.q.val() - self.m0.val();
            if self.rows.q.val() <= self.m0.val() {
                self.running.d.next = false;
            }
        }
        if self.start.val() {
            self.running.d.next = true;
            self.spreading.d.next = true;
            self.fresh.d.next = true;
            self.rows.d.next = self.in_rows.val();
            self.line.d.next = bit_cast::<17, 16>(self.in_width.val());
            self.step_y.d.next = self.in_step_y.val();
            self.line_x.d.next = self.in_line_x.val();
            self.turn_x.d.next = self.in_turn_x.val();
            self.pixels.d.next = 1.into();
            self.bytes.d.next = bit_cast::<26, 24>(self.in_step_x.val());
        }
        if self.rst.val() {
            self.running.d.next = false;
            self.spreading.d.next = false;
        }
    }
}
