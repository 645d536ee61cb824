// SPDX-License-Identifier: Apache-2.0
//! The early clear: takes back the full bits of an instruction's target before its first block is written.
//!
//! ```text
//!  start_*, early, operands ──►┌───────┐──► early (a pulse), a_valid, b_valid, first, last
//!  on_way[s] ─────────────────►│ clear │──► waiting
//!                              └───────┘
//! ```
//! The number of fractals is ready in the cycle after the start. Blocks of earlier tiles that are on their way must land first, or they
//! would set bits again; the last of them is one cycle before the first block of this tile, and a write in the cycle of the clear wins.

use crate::prim::prelude::*;

/// The clearer of full bits.
#[derive(LogicBlock)]
pub struct Clear {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets everything.
    pub rst: Signal<In, Bit>,
    /// A tile starts.
    pub start_tile: Signal<In, Bit>,
    /// Parameters start: they clear nothing.
    pub start_params: Signal<In, Bit>,
    /// What starts has an early set.
    pub wanted: Signal<In, Bit>,
    /// Its target is L0B, else L0A.
    pub side_b: Signal<In, Bit>,
    /// Its first fractal.
    pub fractal: Signal<In, Bits<16>>,
    /// Its fractals, a cycle later.
    pub fractals: Signal<In, Bits<24>>,
    /// A block of the same buffer has 4, 3, 2 cycles to its write.
    pub on_way: Vec<Signal<In, Bit>>,
    /// A clear is to come, or comes now.
    pub waiting: Signal<Out, Bit>,
    /// The clear, or its time.
    pub early: Signal<Out, Bit>,
    /// Clears in L0A.
    pub a_valid: Signal<Out, Bit>,
    /// Clears in L0B.
    pub b_valid: Signal<Out, Bit>,
    /// First fractal.
    pub first: Signal<Out, Bits<16>>,
    /// Last fractal, inclusive.
    pub last: Signal<Out, Bits<16>>,
    asked: Reg<Bit>,
    valid: Reg<Bit>,
    for_b: Reg<Bit>,
    nothing: Reg<Bit>,
    earlier: Vec<Reg<Bit>>,
    from: Reg<Bits<16>>,
    to: Reg<Bits<16>>,
    goes: Signal<Local, Bit>,
    top: Signal<Local, Bits<24>>,
}

impl Default for Clear {
    fn default() -> Self {
        Clear {
            clk: Signal::default(),
            rst: Signal::default(),
            start_tile: Signal::default(),
            start_params: Signal::default(),
            wanted: Signal::default(),
            side_b: Signal::default(),
            fractal: Signal::default(),
            fractals: Signal::default(),
            on_way: vec![Signal::default(); 3],
            waiting: Signal::default(),
            early: Signal::default(),
            a_valid: Signal::default(),
            b_valid: Signal::default(),
            first: Signal::default(),
            last: Signal::default(),
            asked: Reg::default(),
            valid: Reg::default(),
            for_b: Reg::default(),
            nothing: Reg::default(),
            earlier: vec![Reg::default(); 3],
            from: Reg::default(),
            to: Reg::default(),
            goes: Signal::default(),
            top: Signal::default(),
        }
    }
}

impl Logic for Clear {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte1_clear: takes back the full bits of an instruction's target before its first block is written.");
        dff_setup!(self, clk, asked, valid, for_b, nothing, from, to);
        for s in 0..3 {
            self.earlier[s].clock.next = self.clk.val();
        }
        self.earlier[0].d.next = false;
        self.earlier[1].d.next = self.earlier[0].q.val();
        self.earlier[2].d.next = self.earlier[1].q.val();
        if self.start_tile.val() {
            for s in 0..3 {
                self.earlier[s].d.next = self.on_way[s].val();
            }
        }
        self.goes.next =
            self.asked.q.val() & !self.earlier[0].q.val() & !self.earlier[1].q.val() & !self.earlier[2].q.val();
        self.asked.d.next = ((self.start_tile.val() | self.start_params.val()) & self.wanted.val())
            | (self.asked.q.val() & !self.goes.val());
        self.valid.d.next = self.goes.val();
        if self.start_tile.val() | self.start_params.val() {
            self.nothing.d.next = self.start_params.val();
            self.for_b.d.next = self.side_b.val();
            self.from.d.next = self.fractal.val();
        }
        self.top.next = bit_cast::<24, 16>(self.from.q.val()) + self.fractals.val() - 1;
        self.to.d.next = bit_cast::<16, 24>(self.top.val());
        if (self.top.val() >> 16) != 0 {
            self.to.d.next = 0xFFFF.into();
        }
        self.waiting.next = self.asked.q.val() | self.valid.q.val();
        self.early.next = self.valid.q.val();
        self.a_valid.next = self.valid.q.val() & !self.nothing.q.val() & !self.for_b.q.val();
        self.b_valid.next = self.valid.q.val() & !self.nothing.q.val() & self.for_b.q.val();
        self.first.next = self.from.q.val();
        self.last.next = self.to.q.val();
        if self.rst.val() {
            self.asked.d.next = false;
            self.valid.d.next = false;
        }
    }
}
