// SPDX-License-Identifier: Apache-2.0
//! UB: the unified buffer between global memory, FIX and L1, one read and one write per cycle.
//!
//! ```text
//!  write_*[0] (MTE2), write_*[1] (FIX) ──►┌────┐
//!  read_* (MTE3), fix_read_* (FIX) ──────►│ ub │──► read_data_valid, read_data[i]     3 cycles after the request
//!                                         └────┘
//! ```
//! A line of NB * K0 bytes, NB = max(M0, N0), lies in NB banks of K0 bytes, chunk b of it in bank b: nobody reads columns here, so it
//! needs no skew. The write ports take turns; of the readers FIX goes first, whose moments are fixed. A read sees every write that was accepted in an earlier cycle; of a write accepted
//! in the same cycle it sees undefined bytes. Page: `docs/units/ub.md`. Test: `tests/units/ub.rs`.

use crate::axi::log2;
use crate::l1::{L1, WriteTurns};
use crate::prim::prelude::*;

/// The unified buffer.
#[derive(LogicBlock)]
pub struct Ub {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets what is under way; the bytes stay.
    pub rst: Signal<In, Bit>,
    /// Port p wants to write (0 MTE2, 1 FIX).
    pub write_valid: Vec<Signal<In, Bit>>,
    /// Port p may write.
    pub write_ready: Vec<Signal<Out, Bit>>,
    /// First byte, a multiple of S (`L1::segment`).
    pub write_address: Vec<Signal<In, Bits<24>>>,
    /// Byte i of port p is written: index `p * S + i`.
    pub write_enable: Vec<Signal<In, Bit>>,
    /// Byte i of port p: index `p * S + i`.
    pub write_data: Vec<Signal<In, Bits<8>>>,
    /// MTE3 asks for a line.
    pub read_valid: Signal<In, Bit>,
    /// It is taken: FIX does not ask in this cycle.
    pub read_ready: Signal<Out, Bit>,
    /// First byte, a multiple of NB * K0.
    pub read_address: Signal<In, Bits<24>>,
    /// FIX asks for a line, and it is taken at once.
    pub fix_read_valid: Signal<In, Bit>,
    /// First byte, a multiple of NB * K0.
    pub fix_read_address: Signal<In, Bits<24>>,
    /// The line of MTE3, exactly 3 cycles after its request was taken; that of FIX comes without.
    pub read_data_valid: Signal<Out, Bit>,
    /// Its NB * K0 bytes.
    pub read_data: Vec<Signal<Out, Bits<8>>>,
    turns: WriteTurns,
    bank: Vec<Ram<8>>,
    out: Vec<Reg<Bits<8>>>,
    address: Reg<Bits<24>>,
    under_way: Vec<Reg<Bit>>,
    reading: Reg<Bit>,
    piece: Signal<Local, Bits<24>>,
    read_word: Signal<Local, Bits<16>>,
    write_word: Signal<Local, Bits<16>>,
    line_shift: Constant<Bits<6>>,
    line_mask: Constant<Bits<24>>,
    /// Where in a line the write must lie that reaches bank b with its piece h: index `b * pieces + h`.
    spot: Vec<Constant<Bits<24>>>,
    _nb: usize,
    _k0: usize,
    _s: usize,
    /// Chunks of K0 bytes per write and writes per chunk; one of them is 1.
    _group: usize,
    _pieces: usize,
    _span: usize,
}

impl Ub {
    /// The unified buffer of this core, which has one; at most 65,536 lines.
    pub fn new(config: &isa::Config) -> Self {
        let nb = config.m0.max(config.n0);
        let k0 = config.k0;
        let s = L1::segment(config);
        let (group, pieces) = ((s / k0).max(1), (k0 / s).max(1));
        let lines = config.ub_bytes / (nb * k0);
        Ub {
            clk: Signal::default(),
            rst: Signal::default(),
            write_valid: vec![Signal::default(); 2],
            write_ready: vec![Signal::default(); 2],
            write_address: vec![Signal::default(); 2],
            write_enable: vec![Signal::default(); 2 * s],
            write_data: vec![Signal::default(); 2 * s],
            read_valid: Signal::default(),
            read_ready: Signal::default(),
            read_address: Signal::default(),
            fix_read_valid: Signal::default(),
            fix_read_address: Signal::default(),
            read_data_valid: Signal::default(),
            read_data: vec![Signal::default(); nb * k0],
            turns: WriteTurns::new(2, s),
            bank: vec![Ram::masked(lines, k0); nb],
            out: vec![Reg::default(); nb * k0],
            address: Reg::default(),
            under_way: vec![Reg::default(); 3],
            reading: Reg::default(),
            piece: Signal::default(),
            read_word: Signal::default(),
            write_word: Signal::default(),
            line_shift: Constant::new((log2(nb * k0) as u64).into()),
            line_mask: Constant::new((nb as u64 * k0 as u64 - 1).into()),
            spot: (0..nb * pieces)
                .map(|n| (n / pieces / group * group * k0 + n % pieces * s) as u64)
                .map(|place| Constant::new(place.into()))
                .collect(),
            _nb: nb,
            _k0: k0,
            _s: s,
            _group: group,
            _pieces: pieces,
            _span: s.min(k0),
        }
    }
}

impl Logic for Ub {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("ub_{read_data[]}: unified buffer, one read and one write per cycle.");
        dff_setup!(self, clk, address, reading);
        self.turns.clk.next = self.clk.val();
        self.turns.rst.next = self.rst.val();
        for p in 0..2 {
            self.turns.in_valid[p].next = self.write_valid[p].val();
            self.turns.in_address[p].next = self.write_address[p].val();
            self.write_ready[p].next = self.turns.in_ready[p].val();
        }
        for i in 0..(2 * self._s) {
            self.turns.in_enable[i].next = self.write_enable[i].val();
            self.turns.in_data[i].next = self.write_data[i].val();
        }
        // Request, banks, register behind the banks.
        for i in 0..3 {
            self.under_way[i].clock.next = self.clk.val();
        }
        self.read_ready.next = !self.fix_read_valid.val();
        self.under_way[0].d.next = self.read_valid.val() & !self.fix_read_valid.val();
        self.reading.d.next = self.read_valid.val() | self.fix_read_valid.val();
        self.under_way[1].d.next = self.under_way[0].q.val();
        self.under_way[2].d.next = self.under_way[1].q.val();
        self.address.d.next = self.read_address.val();
        if self.fix_read_valid.val() {
            self.address.d.next = self.fix_read_address.val();
        }
        self.read_data_valid.next = self.under_way[2].q.val();
        self.read_word.next = bit_cast::<16, 24>(self.address.q.val() >> self.line_shift.val());
        self.write_word.next = bit_cast::<16, 24>(self.turns.address.val() >> self.line_shift.val());
        self.piece.next = self.turns.address.val() & self.line_mask.val();
        for k0 in self._k0..(self._k0 + 1) {
            for s in self._s..(self._s + 1) {
                for g in self._group..(self._group + 1) {
                    for p in self._pieces..(self._pieces + 1) {
                        for b in 0..self._nb {
                            self.bank[b].clock.next = self.clk.val();
                            self.bank[b].read_enable.next = self.reading.q.val();
                            self.bank[b].read_address.next = self.read_word.val();
                            self.bank[b].write_address.next = self.write_word.val();
                            for h in 0..self._pieces {
                                for j in 0..self._span {
                                    self.bank[b].write[h * s + j].next = self.turns.data[(b % g) * k0 + j].val();
                                    self.bank[b].write_enable[h * s + j].next = self.turns.valid.val()
                                        & self.turns.enable[(b % g) * k0 + j].val()
                                        & (self.piece.val() == self.spot[b * p + h].val());
                                }
                            }
                            for k in 0..self._k0 {
                                self.out[b * k0 + k].clock.next = self.clk.val();
                                self.out[b * k0 + k].d.next = self.bank[b].read[k].val();
                                self.read_data[b * k0 + k].next = self.out[b * k0 + k].q.val();
                            }
                        }
                    }
                }
            }
        }
        if self.rst.val() {
            for i in 0..3 {
                self.under_way[i].d.next = false;
            }
        }
    }
}
