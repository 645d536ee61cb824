// SPDX-License-Identifier: Apache-2.0
//! Clears the full bits of an instruction's tile of L0C before its `early` sets may fire.
//!
//! ```text
//!  start, base, n_fractals, m_fractals_last ──►┌───────┐──► valid, first, last     one row of fractals per cycle
//!  ended (an instruction did its last step) ──►│ clear │──► pending, early, outside
//!                                              └───────┘
//! ```
//! Order: the writes of earlier instructions must land first, or they would set bits again that were cleared. They are done
//! 6 + T cycles after the last step of the instruction before, and `wait` counts these cycles. The instruction's own writes come no
//! earlier than that, row of fractals by row of fractals like the clears, and a write in the cycle of its clear wins.

use crate::prim::prelude::*;
use isa::Config;

/// Clears rows of fractals.
#[derive(LogicBlock)]
pub struct Clear {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Nothing to clear.
    pub rst: Signal<In, Bit>,
    /// An instruction with an early set begins.
    pub start: Signal<In, Bit>,
    /// Its first fractal.
    pub base: Signal<In, Bits<16>>,
    /// Its fractals along n.
    pub n_fractals: Signal<In, Bits<16>>,
    /// Its fractals along m, minus 1.
    pub m_fractals_last: Signal<In, Bits<16>>,
    /// The present instruction did its last step.
    pub ended: Signal<In, Bit>,
    /// Clear no more.
    pub stop: Signal<In, Bit>,
    /// The present instruction's clears are not finished.
    pub pending: Signal<Out, Bit>,
    /// Its last clear happens in this cycle.
    pub early: Signal<Out, Bit>,
    /// Clear these fractals.
    pub valid: Signal<Out, Bit>,
    /// First fractal to clear.
    pub first: Signal<Out, Bits<16>>,
    /// Last fractal to clear.
    pub last: Signal<Out, Bits<16>>,
    /// The tile leaves L0C; nothing is cleared in this cycle.
    pub outside: Signal<Out, Bit>,
    /// The fractal that does.
    pub outside_fractal: Signal<Out, Bits<24>>,
    owed: Reg<Bit>,
    wait_left: Reg<Bits<4>>,
    rows_left: Reg<Bits<16>>,
    row: Reg<Bits<24>>,
    width: Reg<Bits<16>>,
    row_next: Signal<Local, Bits<24>>,
    row_last: Signal<Local, Bits<24>>,
    now: Signal<Local, Bit>,
    bad: Signal<Local, Bit>,
    fractals: Constant<Bits<24>>,
    depth: Constant<Bits<4>>,
}

impl Clear {
    /// The clears of this core, whose adder tree has `tree` registers.
    pub fn new(config: &Config, tree: usize) -> Self {
        Clear {
            clk: Signal::default(),
            rst: Signal::default(),
            start: Signal::default(),
            base: Signal::default(),
            n_fractals: Signal::default(),
            m_fractals_last: Signal::default(),
            ended: Signal::default(),
            stop: Signal::default(),
            pending: Signal::default(),
            early: Signal::default(),
            valid: Signal::default(),
            first: Signal::default(),
            last: Signal::default(),
            outside: Signal::default(),
            outside_fractal: Signal::default(),
            owed: Reg::default(),
            wait_left: Reg::default(),
            rows_left: Reg::default(),
            row: Reg::default(),
            width: Reg::default(),
            row_next: Signal::default(),
            row_last: Signal::default(),
            now: Signal::default(),
            bad: Signal::default(),
            fractals: Constant::new((config.l0c_fractals() as u64).into()),
            depth: Constant::new((tree as u64 + 5).into()),
        }
    }
}

impl Logic for Clear {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "m_clear: clears the full bits of a tile of L0C, one row of fractals per cycle, after earlier writes landed."
        );
        dff_setup!(self, clk, owed, wait_left, rows_left, row, width);
        self.row_next.next = self.row.q.val() + bit_cast::<24, 16>(self.width.q.val());
        self.row_last.next = self.row_next.val() - 1;
        self.bad.next = self.row_last.val() >= self.fractals.val();
        self.now.next = self.owed.q.val() & (self.wait_left.q.val() == 0) & !self.stop.val();
        self.valid.next = self.now.val() & !self.bad.val();
        self.first.next = self.row.q.val().get_bits::<16>(0);
        self.last.next = self.row_last.val().get_bits::<16>(0);
        self.outside.next = self.now.val() & self.bad.val();
        self.outside_fractal.next = self.row_last.val();
        self.early.next = self.now.val() & !self.bad.val() & (self.rows_left.q.val() == 0);
        self.pending.next = self.owed.q.val();
        if self.wait_left.q.val() != 0 {
            self.wait_left.d.next = self.wait_left.q.val() - 1;
        }
        if self.now.val() & !self.bad.val() {
            self.row.d.next = self.row_next.val();
            self.rows_left.d.next = self.rows_left.q.val() - 1;
            if self.rows_left.q.val() == 0 {
                self.owed.d.next = false;
                // The steps may have ended already: their writes need at most this long.
                self.wait_left.d.next = self.depth.val();
            }
        }
        // While the own clears are owed, the own writes must not put them off.
        if self.ended.val() & !self.owed.q.val() {
            self.wait_left.d.next = self.depth.val();
        }
        if self.start.val() {
            self.owed.d.next = true;
            self.row.d.next = bit_cast::<24, 16>(self.base.val());
            self.rows_left.d.next = self.m_fractals_last.val();
            self.width.d.next = self.n_fractals.val();
        }
        if self.rst.val() {
            self.owed.d.next = false;
            self.wait_left.d.next = 0.into();
        }
    }
}
