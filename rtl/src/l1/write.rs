// SPDX-License-Identifier: Apache-2.0
//! The write side of L1: which bytes of which bank.
//!
//! ```text
//!  valid, address, ──►┌──────────┐──► word                  same word of every bank
//!  in_enable[i],      │ l1_write │──► enable[bank*K0+k],
//!  in_data[i] ───────►└──────────┘    data[bank*K0+k]       combinational
//! ```
//! The write comes from [`super::WriteTurns`].

use crate::prim::prelude::*;

/// Steering of writes of S bytes.
#[derive(LogicBlock)]
pub struct L1Write {
    /// There is a write.
    pub valid: Signal<In, Bit>,
    /// First byte, a multiple of S.
    pub address: Signal<In, Bits<24>>,
    /// Byte i is written.
    pub in_enable: Vec<Signal<In, Bit>>,
    /// Byte i.
    pub in_data: Vec<Signal<In, Bits<8>>>,
    /// Word of every bank.
    pub word: Signal<Out, Bits<16>>,
    /// Byte k of bank b is written.
    pub enable: Vec<Signal<Out, Bit>>,
    /// Byte k of bank b.
    pub data: Vec<Signal<Out, Bits<8>>>,
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
            valid: Signal::default(),
            address: Signal::default(),
            in_enable: vec![Signal::default(); s],
            in_data: vec![Signal::default(); s],
            word: Signal::default(),
            enable: vec![Signal::default(); nb * k0],
            data: vec![Signal::default(); nb * k0],
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
        comment!("l1_write_{in_data[]}to{data[]}: which bytes of which bank a write of L1 goes to.");
        // The write is part of NB contiguous chunks: bank b holds the chunk at place (b - first) mod NB of them.
        self.chunk.next = self.address.val() >> self.k0_bits.val();
        self.word.next = bit_cast::<16, 24>(self.chunk.val() >> self.nb_bits.val());
        self.first.next = bit_cast::<4, 24>(self.chunk.val() >> self.skew_bits.val());
        self.piece.next = (self.address.val() & self.k0_mask.val()) >> self.s_bits.val();
        for k0 in self._k0..(self._k0 + 1) {
            for s in self._s..(self._s + 1) {
                for b in 0..self._nb {
                    self.place[b].next = (b.to_bits::<4>() - self.first.val()) & self.nb_mask.val();
                    self.hit[b].next = self.valid.val()
                        & ((self.place[b].val() >> self.group_bits.val())
                            == ((bit_cast::<4, 24>(self.chunk.val()) & self.nb_mask.val()) >> self.group_bits.val()));
                    for h in 0..self._pieces {
                        for j in 0..self._span {
                            self.enable[b * k0 + h * s + j].next = false;
                            self.data[b * k0 + h * s + j].next = self.in_data[j].val();
                            for g in 0..self._group {
                                if (self.place[b].val() & self.group_mask.val()) == g.to_bits::<4>() {
                                    self.data[b * k0 + h * s + j].next = self.in_data[g * k0 + j].val();
                                    self.enable[b * k0 + h * s + j].next = self.hit[b].val()
                                        & self.in_enable[g * k0 + j].val()
                                        & (self.piece.val() == h.to_bits::<24>());
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
