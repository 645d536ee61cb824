// SPDX-License-Identifier: Apache-2.0
//! One row of the tile: where its output pixel lies, and which bytes of L1 a piece of k takes from there.
//!
//! ```text
//!  load, move, by_* ──►┌─────┐◄── go, piece_*, row_real, length, map_*, place
//!  over ◄──────────────│ row │
//!  show ──────────────►└─────┘──► wanted, chunk, low, middle, high, turn, outside     3 steps of `go` after the piece
//! ```
//! The pixel of the next block of rows is worked out (`load`, `move`) while the present one, taken over with `show`, is in use.
//! A piece goes through three stages, all moved by `go`: its line, byte and address; the part of it that lies in the map; the bytes
//! wanted, which lie in one chunk of L1 or in two neighbours: columns low..middle of the block in the first, middle..high in the second.

use super::super::Shape;
use crate::prim::prelude::*;

/// Place and window of a row.
#[derive(Clone, LogicBlock)]
pub struct Row {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// The next pixel becomes the one below.
    pub load: Signal<In, Bit>,
    /// Place in its output line.
    pub in_x: Signal<In, Bits<17>>,
    /// Line of the map for the first tap, two's complement.
    pub in_y: Signal<In, Bits<26>>,
    /// Byte of that line for tap 0, two's complement.
    pub in_p: Signal<In, Bits<26>>,
    /// L1 address of that byte.
    pub in_a: Signal<In, Bits<26>>,
    /// The next pixel moves by the amounts below.
    pub moves: Signal<In, Bit>,
    /// Pixels.
    pub by_x: Signal<In, Bits<17>>,
    /// Lines.
    pub by_y: Signal<In, Bits<26>>,
    /// Bytes within the line.
    pub by_p: Signal<In, Bits<26>>,
    /// Bytes of L1.
    pub by_a: Signal<In, Bits<26>>,
    /// Output pixels of a line.
    pub width: Signal<In, Bits<17>>,
    /// The next pixel lies beyond the end of its line.
    pub over: Signal<Out, Bit>,
    /// The next pixel becomes the present one.
    pub show: Signal<In, Bit>,
    /// The stages move.
    pub go: Signal<In, Bit>,
    /// Stage 0: lines, bytes within the line and bytes of L1 from the pixel to the piece.
    pub piece_y: Signal<In, Bits<26>>,
    /// See `piece_y`.
    pub piece_p: Signal<In, Bits<26>>,
    /// See `piece_y`.
    pub piece_a: Signal<In, Bits<26>>,
    /// Stage 1: the row belongs to the tile.
    pub row_real: Signal<In, Bit>,
    /// Stage 1: bytes of the piece, 1 to K0.
    pub length: Signal<In, Bits<8>>,
    /// Stage 1: lines of the map.
    pub map_height: Signal<In, Bits<16>>,
    /// Stage 1: bytes of its lines.
    pub map_width: Signal<In, Bits<24>>,
    /// Stage 2: column of the block in which the piece starts.
    pub place: Signal<In, Bits<8>>,
    /// Stage 3: bytes are wanted.
    pub wanted: Signal<Out, Bit>,
    /// Stage 3: of two chunks.
    pub both: Signal<Out, Bit>,
    /// Stage 3: number of the first.
    pub chunk: Signal<Out, Bits<24>>,
    /// Stage 3: column of the block of the first.
    pub low: Signal<Out, Bits<8>>,
    /// Stage 3: column of the first byte that lies in the second chunk; `high` if none does.
    pub middle: Signal<Out, Bits<8>>,
    /// Stage 3: column behind the last.
    pub high: Signal<Out, Bits<8>>,
    /// Stage 3: column of the block less place in the chunk, modulo K0.
    pub turn: Signal<Out, Bits<8>>,
    /// Stage 3: a byte wanted lies outside L1.
    pub outside: Signal<Out, Bit>,
    /// Stage 3: the first such byte.
    pub outside_address: Signal<Out, Bits<26>>,
    next_x: Reg<Bits<17>>,
    next_y: Reg<Bits<26>>,
    next_p: Reg<Bits<26>>,
    next_a: Reg<Bits<26>>,
    row_y: Reg<Bits<26>>,
    row_p: Reg<Bits<26>>,
    row_a: Reg<Bits<26>>,
    line: Reg<Bits<26>>,
    byte_at: Reg<Bits<26>>,
    address: Reg<Bits<26>>,
    first: Reg<Bits<8>>,
    behind: Reg<Bits<8>>,
    in_map: Reg<Bit>,
    piece_start: Reg<Bits<26>>,
    any: Reg<Bit>,
    two: Reg<Bit>,
    start: Reg<Bits<26>>,
    low_at: Reg<Bits<8>>,
    middle_at: Reg<Bits<8>>,
    high_at: Reg<Bits<8>>,
    amount: Reg<Bits<8>>,
    lead: Signal<Local, Bits<26>>,
    room: Signal<Local, Bits<27>>,
    wide_byte: Signal<Local, Bits<27>>,
    first_here: Signal<Local, Bits<8>>,
    end_here: Signal<Local, Bits<8>>,
    skipped: Signal<Local, Bits<26>>,
    offset: Signal<Local, Bits<8>>,
    bytes: Signal<Local, Bits<8>>,
    reach: Signal<Local, Bits<8>>,
    low_here: Signal<Local, Bits<8>>,
    high_here: Signal<Local, Bits<8>>,
    k0: Constant<Bits<8>>,
    k0_mask: Constant<Bits<8>>,
    k0_bits: Constant<Bits<4>>,
    l1_bits: Constant<Bits<8>>,
    l1_bytes: Constant<Bits<26>>,
    last_chunk: Constant<Bits<26>>,
}

impl Row {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        Row {
            clk: Signal::default(),
            load: Signal::default(),
            in_x: Signal::default(),
            in_y: Signal::default(),
            in_p: Signal::default(),
            in_a: Signal::default(),
            moves: Signal::default(),
            by_x: Signal::default(),
            by_y: Signal::default(),
            by_p: Signal::default(),
            by_a: Signal::default(),
            width: Signal::default(),
            over: Signal::default(),
            show: Signal::default(),
            go: Signal::default(),
            piece_y: Signal::default(),
            piece_p: Signal::default(),
            piece_a: Signal::default(),
            row_real: Signal::default(),
            length: Signal::default(),
            map_height: Signal::default(),
            map_width: Signal::default(),
            place: Signal::default(),
            wanted: Signal::default(),
            both: Signal::default(),
            chunk: Signal::default(),
            low: Signal::default(),
            middle: Signal::default(),
            high: Signal::default(),
            turn: Signal::default(),
            outside: Signal::default(),
            outside_address: Signal::default(),
            next_x: Reg::default(),
            next_y: Reg::default(),
            next_p: Reg::default(),
            next_a: Reg::default(),
            row_y: Reg::default(),
            row_p: Reg::default(),
            row_a: Reg::default(),
            line: Reg::default(),
            byte_at: Reg::default(),
            address: Reg::default(),
            first: Reg::default(),
            behind: Reg::default(),
            in_map: Reg::default(),
            piece_start: Reg::default(),
            any: Reg::default(),
            two: Reg::default(),
            start: Reg::default(),
            low_at: Reg::default(),
            middle_at: Reg::default(),
            high_at: Reg::default(),
            amount: Reg::default(),
            lead: Signal::default(),
            room: Signal::default(),
            wide_byte: Signal::default(),
            first_here: Signal::default(),
            end_here: Signal::default(),
            skipped: Signal::default(),
            offset: Signal::default(),
            bytes: Signal::default(),
            reach: Signal::default(),
            low_here: Signal::default(),
            high_here: Signal::default(),
            k0: Constant::new((shape.k0 as u64).into()),
            k0_mask: Constant::new((shape.k0 as u64 - 1).into()),
            k0_bits: Constant::new(Shape::log(shape.k0).into()),
            l1_bits: Constant::new(Shape::log(shape.l1_bytes).into()),
            l1_bytes: Constant::new((shape.l1_bytes as u64).into()),
            last_chunk: Constant::new(((shape.l1_bytes / shape.k0) as u64 - 1).into()),
        }
    }
}

impl Logic for Row {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "mte1_row: where the output pixel of a row lies, and which bytes of L1 a piece of k takes from there."
        );
        dff_setup!(self, clk, next_x, next_y, next_p, next_a, row_y, row_p, row_a, line, byte_at, address);
        dff_setup!(self, clk, first, behind, in_map, piece_start);
        dff_setup!(self, clk, any, two, start, low_at, middle_at, high_at, amount);
        // The next pixel.
        self.over.next = self.next_x.q.val() >= self.width.val();
        if self.moves.val() {
            self.next_x.d.next = self.next_x.q.val() + self.by_x.val();
            self.next_y.d.next = self.next_y.q.val() + self.by_y.val();
            self.next_p.d.next = self.next_p.q.val() + self.by_p.val();
            self.next_a.d.next = self.next_a.q.val() + self.by_a.val();
        }
        if self.load.val() {
            self.next_x.d.next = self.in_x.val();
            self.next_y.d.next = self.in_y.val();
            self.next_p.d.next = self.in_p.val();
            self.next_a.d.next = self.in_a.val();
        }
        if self.show.val() {
            self.row_y.d.next = self.next_y.q.val();
            self.row_p.d.next = self.next_p.q.val();
            self.row_a.d.next = self.next_a.q.val();
        }
        // Stage 1 to 2: bytes first..end of the piece lie in the map.
        self.lead.next = bits::<26>(0) - self.byte_at.q.val();
        self.first_here.next = 0.into();
        if self.byte_at.q.val().get_bit(25) {
            self.first_here.next = 32.into();
            if (self.lead.val() >> 5) == 0 {
                self.first_here.next = bit_cast::<8, 5>(self.lead.val().get_bits::<5>(0));
            }
        }
        self.wide_byte.next = bit_cast::<27, 26>(self.byte_at.q.val());
        if self.byte_at.q.val().get_bit(25) {
            self.wide_byte.next = bit_cast::<27, 26>(self.byte_at.q.val()) | 0x400_0000;
        }
        self.room.next = bit_cast::<27, 24>(self.map_width.val()) - self.wide_byte.val();
        self.end_here.next = self.length.val();
        if self.room.val().get_bit(26) {
            self.end_here.next = 0.into();
        } else if ((self.room.val() >> 6) == 0)
            & (bit_cast::<8, 6>(self.room.val().get_bits::<6>(0)) < self.length.val())
        {
            self.end_here.next = bit_cast::<8, 6>(self.room.val().get_bits::<6>(0));
        }
        // Stage 2 to 3: where they lie.
        self.skipped.next = self.piece_start.q.val() + bit_cast::<26, 8>(self.first.q.val());
        self.offset.next = self.skipped.val().get_bits::<8>(0) & self.k0_mask.val();
        self.bytes.next = self.behind.q.val() - self.first.q.val();
        self.reach.next = self.offset.val() + self.bytes.val();
        self.low_here.next = self.place.val() + self.first.q.val();
        self.high_here.next = self.place.val() + self.behind.q.val();
        if self.go.val() {
            self.line.d.next = self.row_y.q.val() + self.piece_y.val();
            self.byte_at.d.next = self.row_p.q.val() + self.piece_p.val();
            self.address.d.next = self.row_a.q.val() + self.piece_a.val();
            self.first.d.next = self.first_here.val();
            self.behind.d.next = self.end_here.val();
            self.piece_start.d.next = self.address.q.val();
            self.in_map.d.next = self.row_real.val()
                & (self.line.q.val() < bit_cast::<26, 16>(self.map_height.val()))
                & (self.first_here.val() < self.end_here.val());
            self.any.d.next = self.in_map.q.val();
            self.two.d.next = self.in_map.q.val() & (self.reach.val() > self.k0.val());
            self.start.d.next = self.skipped.val();
            self.low_at.d.next = self.low_here.val();
            self.high_at.d.next = self.high_here.val();
            self.middle_at.d.next = self.high_here.val();
            if self.reach.val() > self.k0.val() {
                self.middle_at.d.next = self.low_here.val() + self.k0.val() - self.offset.val();
            }
            self.amount.d.next = (self.place.val() - self.piece_start.q.val().get_bits::<8>(0)) & self.k0_mask.val();
            if !self.in_map.q.val() {
                self.low_at.d.next = 0.into();
                self.middle_at.d.next = 0.into();
                self.high_at.d.next = 0.into();
            }
        }
        // Stage 3.
        self.wanted.next = self.any.q.val();
        self.both.next = self.two.q.val();
        self.chunk.next = bit_cast::<24, 26>(self.start.q.val() >> self.k0_bits.val());
        self.low.next = self.low_at.q.val();
        self.middle.next = self.middle_at.q.val();
        self.high.next = self.high_at.q.val();
        self.turn.next = self.amount.q.val();
        self.outside.next = false;
        self.outside_address.next = self.l1_bytes.val();
        if (self.start.q.val() >> self.l1_bits.val()) != 0 {
            self.outside.next = self.any.q.val();
            self.outside_address.next = self.start.q.val();
        } else if (self.start.q.val() >> self.k0_bits.val()) == self.last_chunk.val() {
            self.outside.next = self.two.q.val();
        }
    }
}
