// SPDX-License-Identifier: Apache-2.0
//! Addresses of the rows of a copy in four dimensions: first + p3 * stride3 + p2 * stride2 + r * stride, r innermost, p3 outermost.
//!
//! ```text
//!  load, first ──►┌──────┐──► row, row_last, last      the present row; the first one in the cycle after `load`
//!  rows, counts ─►│ nest │──► following                where the next row begins
//!  next ─────────►└──────┘
//! ```
//! The global side (A = 41 bits, S = 32) and the local side (A = 25, S = 24) of a copy walk in the same order, because both walk with
//! this. There is one adder: a step goes from the present row, or from the first row of its matrix or of its step of dimension 3.
//! Who checks every row before it asks for the next needs one bit more than an address has: each sum begins at a row that was
//! checked.

use crate::prim::prelude::*;

/// Row walker with addresses of A bits and strides of S bits.
#[derive(LogicBlock)]
pub struct Nest<const A: usize, const S: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Begin at `first`.
    pub load: Signal<In, Bit>,
    /// First byte of the first row.
    pub first: Signal<In, Bits<A>>,
    /// Rows of a matrix, at least 1; this and the five that follow hold from the cycle after `load` to the last row.
    pub rows: Signal<In, Bits<16>>,
    /// Matrices of a step of dimension 3, at least 1.
    pub count2: Signal<In, Bits<16>>,
    /// Steps of dimension 3, at least 1.
    pub count3: Signal<In, Bits<16>>,
    /// Bytes from row to row.
    pub stride: Signal<In, Bits<S>>,
    /// Bytes from matrix to matrix.
    pub stride2: Signal<In, Bits<S>>,
    /// Bytes from step to step of dimension 3.
    pub stride3: Signal<In, Bits<S>>,
    /// On to the next row.
    pub next_row: Signal<In, Bit>,
    /// First byte of the present row.
    pub row: Signal<Out, Bits<A>>,
    /// First byte of the row after it; anything after the last one.
    pub following: Signal<Out, Bits<A>>,
    /// The present row is the last one.
    pub last: Signal<Out, Bit>,
    at: Reg<Bits<A>>,
    matrix: Reg<Bits<A>>,
    outer: Reg<Bits<A>>,
    /// Numbers of the present row, matrix and step, from 1 on.
    place: Reg<Bits<16>>,
    place2: Reg<Bits<16>>,
    place3: Reg<Bits<16>>,
    ends: Signal<Local, Bit>,
    ends2: Signal<Local, Bit>,
    from: Signal<Local, Bits<A>>,
    by: Signal<Local, Bits<S>>,
    sum: Signal<Local, Bits<A>>,
}

impl<const A: usize, const S: usize> Default for Nest<A, S> {
    fn default() -> Self {
        Nest {
            clk: Signal::default(),
            load: Signal::default(),
            first: Signal::default(),
            rows: Signal::default(),
            count2: Signal::default(),
            count3: Signal::default(),
            stride: Signal::default(),
            stride2: Signal::default(),
            stride3: Signal::default(),
            next_row: Signal::default(),
            row: Signal::default(),
            following: Signal::default(),
            last: Signal::default(),
            at: Reg::default(),
            matrix: Reg::default(),
            outer: Reg::default(),
            place: Reg::default(),
            place2: Reg::default(),
            place3: Reg::default(),
            ends: Signal::default(),
            ends2: Signal::default(),
            from: Signal::default(),
            by: Signal::default(),
            sum: Signal::default(),
        }
    }
}

impl<const A: usize, const S: usize> Logic for Nest<A, S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("nest_{row}_{stride}: addresses of the rows of a copy in four dimensions.");
        dff_setup!(self, clk, at, matrix, outer, place, place2, place3);
        self.ends.next = self.place.q.val() == self.rows.val();
        self.ends2.next = self.place2.q.val() == self.count2.val();
        self.from.next = self.at.q.val();
        self.by.next = self.stride.val();
        if self.ends.val() {
            self.from.next = self.matrix.q.val();
            self.by.next = self.stride2.val();
            if self.ends2.val() {
                self.from.next = self.outer.q.val();
                self.by.next = self.stride3.val();
            }
        }
        self.sum.next = self.from.val() + bit_cast::<A, S>(self.by.val());
        self.row.next = self.at.q.val();
        self.following.next = self.sum.val();
        self.last.next = self.ends.val() & self.ends2.val() & (self.place3.q.val() == self.count3.val());
        if self.load.val() {
            self.at.d.next = self.first.val();
            self.matrix.d.next = self.first.val();
            self.outer.d.next = self.first.val();
            self.place.d.next = 1.into();
            self.place2.d.next = 1.into();
            self.place3.d.next = 1.into();
        } else if self.next_row.val() {
            self.at.d.next = self.sum.val();
            self.place.d.next = self.place.q.val() + 1;
            if self.ends.val() {
                self.matrix.d.next = self.sum.val();
                self.place.d.next = 1.into();
                self.place2.d.next = self.place2.q.val() + 1;
                if self.ends2.val() {
                    self.outer.d.next = self.sum.val();
                    self.place2.d.next = 1.into();
                    self.place3.d.next = self.place3.q.val() + 1;
                }
            }
        }
    }
}
