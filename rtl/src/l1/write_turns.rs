// SPDX-License-Identifier: Apache-2.0
//! The write ports of a local memory: which of N writes, one at a time, in turns.
//!
//! ```text
//!  in_valid[p], in_address[p], ──►┌─────────────┐──► valid, address,
//!  in_enable[p*S+i], in_data[..]  │ write_turns │──► enable[i], data[i]     1 cycle after the transfer
//!  in_ready[p] ◄──────────────────└─────────────┘
//! ```
//! Round robin: a port that wants waits for at most N - 1 writes of others, that is N - 1 cycles, as a write is taken in every cycle.

use crate::prim::prelude::*;

/// Arbitration of writes of S bytes.
#[derive(LogicBlock)]
pub struct WriteTurns {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets a write under way.
    pub rst: Signal<In, Bit>,
    /// Port p wants.
    pub in_valid: Vec<Signal<In, Bit>>,
    /// Port p may.
    pub in_ready: Vec<Signal<Out, Bit>>,
    /// First byte, a multiple of S.
    pub in_address: Vec<Signal<In, Bits<24>>>,
    /// Byte i of port p is written.
    pub in_enable: Vec<Signal<In, Bit>>,
    /// Byte i of port p.
    pub in_data: Vec<Signal<In, Bits<8>>>,
    /// There is a write.
    pub valid: Signal<Out, Bit>,
    /// Its first byte.
    pub address: Signal<Out, Bits<24>>,
    /// Byte i is written, if there is a write.
    pub enable: Vec<Signal<Out, Bit>>,
    /// Byte i.
    pub data: Vec<Signal<Out, Bits<8>>>,
    arbiter: Arbiter,
    busy: Reg<Bit>,
    place: Reg<Bits<24>>,
    byte_enable: Vec<Reg<Bit>>,
    byte: Vec<Reg<Bits<8>>>,
    _s: usize,
    _ports: usize,
}

impl WriteTurns {
    /// For `ports` ports (2 to 8) and writes of `s` bytes.
    pub fn new(ports: usize, s: usize) -> Self {
        WriteTurns {
            clk: Signal::default(),
            rst: Signal::default(),
            in_valid: vec![Signal::default(); ports],
            in_ready: vec![Signal::default(); ports],
            in_address: vec![Signal::default(); ports],
            in_enable: vec![Signal::default(); ports * s],
            in_data: vec![Signal::default(); ports * s],
            valid: Signal::default(),
            address: Signal::default(),
            enable: vec![Signal::default(); s],
            data: vec![Signal::default(); s],
            arbiter: Arbiter::new(ports),
            busy: Reg::default(),
            place: Reg::default(),
            byte_enable: vec![Reg::default(); s],
            byte: vec![Reg::default(); s],
            _s: s,
            _ports: ports,
        }
    }
}

impl Logic for WriteTurns {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("write_turns_{in_valid[]}x{data[]}: which port of a local memory writes.");
        dff_setup!(self, clk, busy, place);
        self.arbiter.clk.next = self.clk.val();
        self.arbiter.rst.next = self.rst.val();
        self.arbiter.accept.next = true;
        self.busy.d.next = self.arbiter.any.val();
        self.place.d.next = self.in_address[0].val();
        for p in 0..self._ports {
            self.arbiter.request[p].next = self.in_valid[p].val();
            self.in_ready[p].next = self.arbiter.grant[p].val();
            if self.arbiter.grant[p].val() {
                self.place.d.next = self.in_address[p].val();
            }
        }
        for s in self._s..(self._s + 1) {
            for i in 0..self._s {
                self.byte_enable[i].clock.next = self.clk.val();
                self.byte[i].clock.next = self.clk.val();
                self.byte_enable[i].d.next = self.in_enable[i].val();
                self.byte[i].d.next = self.in_data[i].val();
                for p in 1..self._ports {
                    if self.arbiter.grant[p].val() {
                        self.byte_enable[i].d.next = self.in_enable[p * s + i].val();
                        self.byte[i].d.next = self.in_data[p * s + i].val();
                    }
                }
                self.enable[i].next = self.byte_enable[i].q.val();
                self.data[i].next = self.byte[i].q.val();
            }
        }
        self.valid.next = self.busy.q.val();
        self.address.next = self.place.q.val();
        if self.rst.val() {
            self.busy.d.next = false;
        }
    }
}
