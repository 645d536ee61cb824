// SPDX-License-Identifier: Apache-2.0
//! A skid buffer: cuts a stream's combinational paths in both directions.
//!
//! ```text
//!  in_valid, in_data[lane] ──►┌──────┐──► out_valid, out_data[lane]     latency 1, one transfer per cycle,
//!  in_ready ◄─────────────────│ skid │◄── out_ready                     all outputs from registers
//!                             └──────┘
//! ```
//! Two registers per lane: one shows, one catches what arrives in the cycle in which the consumer stops.

use super::prelude::*;

/// A two-entry buffer of `lanes` times W bits.
#[derive(LogicBlock)]
pub struct Skid<const W: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Drops what is inside.
    pub clear: Signal<In, Bit>,
    /// A word is offered.
    pub in_valid: Signal<In, Bit>,
    /// There is room.
    pub in_ready: Signal<Out, Bit>,
    /// The word offered.
    pub in_data: Vec<Signal<In, Bits<W>>>,
    /// The word shown is valid.
    pub out_valid: Signal<Out, Bit>,
    /// The word shown is taken.
    pub out_ready: Signal<In, Bit>,
    /// The word shown.
    pub out_data: Vec<Signal<Out, Bits<W>>>,
    shown: Reg<Bit>,
    caught: Reg<Bit>,
    show: Vec<Reg<Bits<W>>>,
    catch: Vec<Reg<Bits<W>>>,
    advance: Signal<Local, Bit>,
    _lanes: usize,
}

impl<const W: usize> Skid<W> {
    /// A buffer of `lanes` (at least 1) lanes.
    pub fn new(lanes: usize) -> Self {
        Skid {
            clk: Signal::default(),
            clear: Signal::default(),
            in_valid: Signal::default(),
            in_ready: Signal::default(),
            in_data: vec![Signal::default(); lanes],
            out_valid: Signal::default(),
            out_ready: Signal::default(),
            out_data: vec![Signal::default(); lanes],
            shown: Reg::default(),
            caught: Reg::default(),
            show: vec![Reg::default(); lanes],
            catch: vec![Reg::default(); lanes],
            advance: Signal::default(),
            _lanes: lanes,
        }
    }
}

impl<const W: usize> Logic for Skid<W> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("skid_{in_data[]}x{in_data}: two-entry buffer that cuts the paths of a stream in both directions.");
        dff_setup!(self, clk, shown, caught);
        self.in_ready.next = !self.caught.q.val();
        self.out_valid.next = self.shown.q.val();
        self.advance.next = self.out_ready.val() | !self.shown.q.val();
        if self.advance.val() {
            self.shown.d.next = self.caught.q.val() | self.in_valid.val();
            self.caught.d.next = false;
        } else if self.in_valid.val() {
            self.caught.d.next = true;
        }
        for i in 0..self._lanes {
            self.show[i].clock.next = self.clk.val();
            self.catch[i].clock.next = self.clk.val();
            self.out_data[i].next = self.show[i].q.val();
            self.show[i].d.next = self.show[i].q.val();
            self.catch[i].d.next = self.catch[i].q.val();
            if self.advance.val() {
                if self.caught.q.val() {
                    self.show[i].d.next = self.catch[i].q.val();
                } else {
                    self.show[i].d.next = self.in_data[i].val();
                }
            }
            if !self.caught.q.val() {
                self.catch[i].d.next = self.in_data[i].val();
            }
        }
        if self.clear.val() {
            self.shown.d.next = false;
            self.caught.d.next = false;
        }
    }
}
