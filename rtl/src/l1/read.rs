// SPDX-License-Identifier: Apache-2.0
//! The read side of L1: which port reads, and which word of each bank.
//!
//! ```text
//!  valid0/1, address0/1, ─────────►┌─────────┐──► read_enable, word[bank], first_bank, rows     1 cycle after the transfer
//!  rows0, gather0, word0[bank] ───►│ l1_read │──► data_valid0/1                                 3 cycles after the transfer
//!  ready0/1 ◄──────────────────────└─────────┘
//! ```
//! In a contiguous read bank b holds chunk (b - first_bank) mod NB. With t = (b - first_bank) mod NB, a read of rows finds in bank b
//! row t (P >= NB), or the row at place t of the order that `l1.rs` undoes (P < NB).

use crate::prim::prelude::*;

/// Arbitration and addresses of reads.
#[derive(LogicBlock)]
pub struct L1Read {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets reads under way.
    pub rst: Signal<In, Bit>,
    /// Port 0 wants.
    pub valid0: Signal<In, Bit>,
    /// Port 0 may; from a register.
    pub ready0: Signal<Out, Bit>,
    /// First byte for port 0.
    pub address0: Signal<In, Bits<24>>,
    /// Port 0 reads rows.
    pub rows0: Signal<In, Bit>,
    /// Port 0 reads the words below, whatever else it says.
    pub gather0: Signal<In, Bit>,
    /// A word of each bank.
    pub word0: Vec<Signal<In, Bits<16>>>,
    /// Port 1 wants.
    pub valid1: Signal<In, Bit>,
    /// Port 1 may.
    pub ready1: Signal<Out, Bit>,
    /// First byte for port 1.
    pub address1: Signal<In, Bits<24>>,
    /// Banks read this cycle.
    pub read_enable: Signal<Out, Bit>,
    /// Word of each bank.
    pub word: Vec<Signal<Out, Bits<16>>>,
    /// Bank of the first chunk.
    pub first_bank: Signal<Out, Bits<4>>,
    /// The read is of rows.
    pub rows: Signal<Out, Bit>,
    /// Data for port 0 is at the end of the pipeline.
    pub data_valid0: Signal<Out, Bit>,
    /// Data for port 1 is at the end of the pipeline.
    pub data_valid1: Signal<Out, Bit>,
    waited: Reg<Bits<4>>,
    address: Reg<Bits<24>>,
    by_rows: Reg<Bit>,
    by_word: Reg<Bit>,
    words: Vec<Reg<Bits<16>>>,
    for0: Vec<Reg<Bit>>,
    for1: Vec<Reg<Bit>>,
    starved: Signal<Local, Bit>,
    take1: Signal<Local, Bit>,
    chunk: Signal<Local, Bits<24>>,
    row: Signal<Local, Bits<24>>,
    part: Signal<Local, Bits<24>>,
    first: Signal<Local, Bits<24>>,
    place: Vec<Signal<Local, Bits<24>>>,
    wide: Vec<Signal<Local, Bits<24>>>,
    /// log2 of K0, of NB, of P, of P/NB (0 if P < NB), of max(P, NB).
    k0_bits: Constant<Bits<4>>,
    nb_bits: Constant<Bits<4>>,
    p_bits: Constant<Bits<4>>,
    p_over_nb_bits: Constant<Bits<4>>,
    skew_bits: Constant<Bits<4>>,
    nb_mask: Constant<Bits<24>>,
    p_mask: Constant<Bits<24>>,
    /// P >= NB.
    narrow: Constant<Bit>,
    _nb: usize,
}

impl L1Read {
    /// For `nb` banks of `k0` bytes.
    pub fn new(nb: usize, k0: usize) -> Self {
        let p = isa::limits::FRACTAL_ROW_BYTES / k0;
        let bits = |x: usize| Constant::new(u64::from(x.trailing_zeros()).into());
        L1Read {
            clk: Signal::default(),
            rst: Signal::default(),
            valid0: Signal::default(),
            ready0: Signal::default(),
            address0: Signal::default(),
            rows0: Signal::default(),
            gather0: Signal::default(),
            word0: vec![Signal::default(); nb],
            valid1: Signal::default(),
            ready1: Signal::default(),
            address1: Signal::default(),
            read_enable: Signal::default(),
            word: vec![Signal::default(); nb],
            first_bank: Signal::default(),
            rows: Signal::default(),
            data_valid0: Signal::default(),
            data_valid1: Signal::default(),
            waited: Reg::default(),
            address: Reg::default(),
            by_rows: Reg::default(),
            by_word: Reg::default(),
            words: vec![Reg::default(); nb],
            for0: vec![Reg::default(); 3],
            for1: vec![Reg::default(); 3],
            starved: Signal::default(),
            take1: Signal::default(),
            chunk: Signal::default(),
            row: Signal::default(),
            part: Signal::default(),
            first: Signal::default(),
            place: vec![Signal::default(); nb],
            wide: vec![Signal::default(); nb],
            k0_bits: bits(k0),
            nb_bits: bits(nb),
            p_bits: bits(p),
            p_over_nb_bits: bits((p / nb).max(1)),
            skew_bits: bits(p.max(nb)),
            nb_mask: Constant::new((nb as u64 - 1).into()),
            p_mask: Constant::new((p as u64 - 1).into()),
            narrow: Constant::new(p >= nb),
            _nb: nb,
        }
    }
}

impl Logic for L1Read {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("l1_read_{word[]}: which port reads L1, and which word of each bank.");
        dff_setup!(self, clk, waited, address, by_rows, by_word);
        // Port 0 first, unless port 1 has waited 15 cycles.
        self.starved.next = self.waited.q.val() == 15;
        self.take1.next = self.valid1.val() & (self.starved.val() | !self.valid0.val());
        self.ready0.next = !self.starved.val();
        self.ready1.next = self.starved.val() | !self.valid0.val();
        if self.take1.val() | !self.valid1.val() {
            self.waited.d.next = 0.into();
        } else {
            self.waited.d.next = self.waited.q.val() + 1;
        }
        if self.take1.val() {
            self.address.d.next = self.address1.val();
            self.by_rows.d.next = false;
            self.by_word.d.next = false;
        } else {
            self.address.d.next = self.address0.val();
            self.by_rows.d.next = self.rows0.val() & !self.gather0.val();
            self.by_word.d.next = self.gather0.val();
        }
        for s in 0..3 {
            self.for0[s].clock.next = self.clk.val();
            self.for1[s].clock.next = self.clk.val();
        }
        self.for0[0].d.next = self.valid0.val() & !self.starved.val();
        self.for1[0].d.next = self.take1.val();
        for s in 1..3 {
            self.for0[s].d.next = self.for0[s - 1].q.val();
            self.for1[s].d.next = self.for1[s - 1].q.val();
        }
        self.read_enable.next = self.for0[0].q.val() | self.for1[0].q.val();
        self.data_valid0.next = self.for0[2].q.val();
        self.data_valid1.next = self.for1[2].q.val();
        // Chunk number, row of 32 bytes, chunk within the row.
        self.chunk.next = self.address.q.val() >> self.k0_bits.val();
        self.row.next = self.address.q.val() >> 5;
        self.part.next = self.chunk.val() & self.p_mask.val();
        if self.by_rows.q.val() {
            if self.narrow.val() {
                self.first.next = self.part.val() & self.nb_mask.val();
            } else {
                self.first.next = (self.part.val() + ((self.row.val() >> self.nb_bits.val()) << self.p_bits.val()))
                    & self.nb_mask.val();
            }
        } else {
            self.first.next = (self.chunk.val() >> self.skew_bits.val()) & self.nb_mask.val();
        }
        self.first_bank.next = bit_cast::<4, 24>(self.first.val());
        // A gathered read leaves the banks in their own order.
        if self.by_word.q.val() {
            self.first_bank.next = 0.into();
        }
        self.rows.next = self.by_rows.q.val();
        for b in 0..self._nb {
            self.place[b].next = (b.to_bits::<24>() - self.first.val()) & self.nb_mask.val();
            if !self.by_rows.q.val() {
                self.wide[b].next = self.chunk.val() >> self.nb_bits.val();
            } else if self.narrow.val() {
                self.wide[b].next = ((self.row.val() | self.place[b].val()) << self.p_over_nb_bits.val())
                    | (self.part.val() >> self.nb_bits.val());
            } else {
                self.wide[b].next = ((self.row.val() >> self.nb_bits.val()) << self.p_bits.val())
                    | (self.place[b].val() & self.p_mask.val());
            }
            self.words[b].clock.next = self.clk.val();
            self.words[b].d.next = self.word0[b].val();
            self.word[b].next = self.wide[b].val().get_bits::<16>(0);
            if self.by_word.q.val() {
                self.word[b].next = self.words[b].q.val();
            }
        }
        if self.rst.val() {
            self.waited.d.next = 0.into();
            for s in 0..3 {
                self.for0[s].d.next = false;
                self.for1[s].d.next = false;
            }
        }
    }
}
