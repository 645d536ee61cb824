// SPDX-License-Identifier: Apache-2.0
//! The write side of L1: which port writes, and which bytes of which bank.
//!
//! ```text
//!  in_valid[p], in_address[p], ──►┌──────────┐──► word                  same word of every bank
//!  in_enable[p*S+i], in_data[..]  │ l1_write │──► enable[bank*K0+k],
//!  in_ready[p] ◄──────────────────└──────────┘    data[bank*K0+k]       1 cycle after the transfer
//! ```
//! When both ports want, they take turns.

use crate::prim::prelude::*;

/// Arbitration and steering of writes of S bytes.
#[derive(LogicBlock)]
pub struct L1Write {
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
    /// Word of every bank.
    pub word: Signal<Out, Bits<16>>,
    /// Byte k of bank b is written.
    pub enable: Vec<Signal<Out, Bit>>,
    /// Byte k of bank b.
    pub data: Vec<Signal<Out, Bits<8>>>,
    busy: Reg<Bit>,
    prefer1: Reg<Bit>,
    address: Reg<Bits<24>>,
    byte_enable: Vec<Reg<Bit>>,
    byte: Vec<Reg<Bits<8>>>,
    take1: Signal<Local, Bit>,
    chunk: Signal<Local, Bits<24>>,
    first: Signal<Local, Bits<4>>,
    piece: Signal<Local, Bits<24>>,
    place: Vec<Signal<Local, Bits<4>>>,
    hit: Vec<Signal<Local, Bit>>,
    k0_bits: Constant<Bits<4>>,
    nb_bits: Constant<Bits<4>>,
    skew_bits: Constant<Bits<4>>,
    nb_mask: Constant<Bits<4>>,
    /// log2 and mask of the chunks per write, max(S/K0, 1).
    group_bits: Constant<Bits<4>>,
    group_mask: Constant<Bits<4>>,
    /// Mask of the byte within a chunk, log2 of S.
    k0_mask: Constant<Bits<24>>,
    s_bits: Constant<Bits<4>>,
    _nb: usize,
    _k0: usize,
    _s: usize,
    /// Writes per chunk, max(K0/S, 1), and bytes of one that go to one bank, min(S, K0).
    _pieces: usize,
    _span: usize,
    _group: usize,
}

impl L1Write {
    /// For `nb` banks of `k0` bytes and writes of `s` bytes.
    pub fn new(nb: usize, k0: usize, s: usize) -> Self {
        let p = isa::limits::FRACTAL_ROW_BYTES / k0;
        let group = (s / k0).max(1);
        let bits = |x: usize| Constant::new(u64::from(x.trailing_zeros()).into());
        L1Write {
            clk: Signal::default(),
            rst: Signal::default(),
            in_valid: vec![Signal::default(); 2],
            in_ready: vec![Signal::default(); 2],
            in_address: vec![Signal::default(); 2],
            in_enable: vec![Signal::default(); 2 * s],
            in_data: vec![Signal::default(); 2 * s],
            word: Signal::default(),
            enable: vec![Signal::default(); nb * k0],
            data: vec![Signal::default(); nb * k0],
            busy: Reg::default(),
            prefer1: Reg::default(),
            address: Reg::default(),
            byte_enable: vec![Reg::default(); s],
            byte: vec![Reg::default(); s],
            take1: Signal::default(),
            chunk: Signal::default(),
            first: Signal::default(),
            piece: Signal::default(),
            place: vec![Signal::default(); nb],
            hit: vec![Signal::default(); nb],
            k0_bits: bits(k0),
            nb_bits: bits(nb),
            skew_bits: bits(p.max(nb)),
            nb_mask: Constant::new((nb as u64 - 1).into()),
            group_bits: bits(group),
            group_mask: Constant::new((group as u64 - 1).into()),
            k0_mask: Constant::new((k0 as u64 - 1).into()),
            s_bits: bits(s),
            _nb: nb,
            _k0: k0,
            _s: s,
            _pieces: (k0 / s).max(1),
            _span: s.min(k0),
            _group: group,
        }
    }
}

impl Logic for L1Write {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("l1_write_{in_data[]}to{data[]}: which port writes L1, and which bytes of which bank.");
        dff_setup!(self, clk, busy, prefer1, address);
        self.take1.next = self.in_valid[1].val() & (self.prefer1.q.val() | !self.in_valid[0].val());
        self.in_ready[0].next = !(self.in_valid[1].val() & self.prefer1.q.val());
        self.in_ready[1].next = self.prefer1.q.val() | !self.in_valid[0].val();
        self.busy.d.next = self.in_valid[0].val() | self.in_valid[1].val();
        if self.in_valid[0].val() | self.in_valid[1].val() {
            self.prefer1.d.next = !self.take1.val();
        }
        if self.take1.val() {
            self.address.d.next = self.in_address[1].val();
        } else {
            self.address.d.next = self.in_address[0].val();
        }
        for s in self._s..(self._s + 1) {
            for i in 0..self._s {
                self.byte_enable[i].clock.next = self.clk.val();
                self.byte[i].clock.next = self.clk.val();
                if self.take1.val() {
                    self.byte_enable[i].d.next = self.in_enable[s + i].val();
                    self.byte[i].d.next = self.in_data[s + i].val();
                } else {
                    self.byte_enable[i].d.next = self.in_enable[i].val();
                    self.byte[i].d.next = self.in_data[i].val();
                }
            }
        }
        // The write is part of NB contiguous chunks: bank b holds the chunk at place (b - first) mod NB of them.
        self.chunk.next = self.address.q.val() >> self.k0_bits.val();
        self.word.next = bit_cast::<16, 24>(self.chunk.val() >> self.nb_bits.val());
        self.first.next = bit_cast::<4, 24>(self.chunk.val() >> self.skew_bits.val());
        self.piece.next = (self.address.q.val() & self.k0_mask.val()) >> self.s_bits.val();
        for k0 in self._k0..(self._k0 + 1) {
            for s in self._s..(self._s + 1) {
                for b in 0..self._nb {
                    self.place[b].next = (b.to_bits::<4>() - self.first.val()) & self.nb_mask.val();
                    self.hit[b].next = self.busy.q.val()
                        & ((self.place[b].val() >> self.group_bits.val())
                            == ((bit_cast::<4, 24>(self.chunk.val()) & self.nb_mask.val()) >> self.group_bits.val()));
                    for h in 0..self._pieces {
                        for j in 0..self._span {
                            self.enable[b * k0 + h * s + j].next = false;
                            self.data[b * k0 + h * s + j].next = self.byte[j].q.val();
                            for g in 0..self._group {
                                if (self.place[b].val() & self.group_mask.val()) == g.to_bits::<4>() {
                                    self.data[b * k0 + h * s + j].next = self.byte[g * k0 + j].q.val();
                                    self.enable[b * k0 + h * s + j].next = self.hit[b].val()
                                        & self.byte_enable[g * k0 + j].q.val()
                                        & (self.piece.val() == h.to_bits::<24>());
                                }
                            }
                        }
                    }
                }
            }
        }
        if self.rst.val() {
            self.busy.d.next = false;
            self.prefer1.d.next = false;
        }
    }
}
