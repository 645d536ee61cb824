// SPDX-License-Identifier: Apache-2.0
//! Counts the two squares between the reader of a transposed load and the walk that empties them.
//!
//! ```text
//!  opens, closes (fill) ──►┌─────────┐──► room      a square is free: fill may open one
//!  empties (walk) ────────►│ squares │──► full      a square has all its bytes: the walk may take from it
//!                          └─────────┘──► slot      which one the walk takes from
//! ```

use crate::prim::prelude::*;

/// The counters.
#[derive(Default, LogicBlock)]
pub struct Squares {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Both are free; square 0 is the next.
    pub rst: Signal<In, Bit>,
    /// Fill reads the first bytes of a square.
    pub opens: Signal<In, Bit>,
    /// Fill reads the last bytes of a square.
    pub closes: Signal<In, Bit>,
    /// The walk takes the last block of a square.
    pub empties: Signal<In, Bit>,
    /// A square is free.
    pub room: Signal<Out, Bit>,
    /// A square is full.
    pub full: Signal<Out, Bit>,
    /// The square to empty.
    pub slot: Signal<Out, Bit>,
    opened: Reg<Bits<2>>,
    closed: Reg<Bits<2>>,
    turn: Reg<Bit>,
}

impl Logic for Squares {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte1_squares: counts the two squares between the reader of a transposed load and the walk.");
        dff_setup!(self, clk, opened, closed, turn);
        self.room.next = self.opened.q.val() != 2;
        self.full.next = self.closed.q.val() != 0;
        self.slot.next = self.turn.q.val();
        if self.opens.val() & !self.empties.val() {
            self.opened.d.next = self.opened.q.val() + 1;
        }
        if !self.opens.val() & self.empties.val() {
            self.opened.d.next = self.opened.q.val() - 1;
        }
        if self.closes.val() & !self.empties.val() {
            self.closed.d.next = self.closed.q.val() + 1;
        }
        if !self.closes.val() & self.empties.val() {
            self.closed.d.next = self.closed.q.val() - 1;
        }
        if self.empties.val() {
            self.turn.d.next = !self.turn.q.val();
        }
        if self.rst.val() {
            self.opened.d.next = 0.into();
            self.closed.d.next = 0.into();
            self.turn.d.next = false;
        }
    }
}
