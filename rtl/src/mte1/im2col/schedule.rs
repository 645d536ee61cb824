// SPDX-License-Identifier: Apache-2.0
//! Reads the chunks that a piece wants, from all banks of L1 at once.
//!
//! ```text
//!  load, wanted[r], both[r], chunk[r] ──►┌──────────┐──► read_valid, word[bank]
//!  open, read_ready ────────────────────►│ schedule │──► serve, served[q], serve_first, serve_last
//!                                        └──────────┘──► busy, finishing
//! ```
//! Request q = r is the first chunk of row r, q = M0 + r the second. In every cycle the first pending request of a bank leads, and all
//! that want the same chunk are served with it: a piece takes as many cycles as its busiest bank has distinct chunks, at least one.
//! Who shares a bank or a chunk with whom is worked out while the piece before is read.

use super::super::Shape;
use crate::prim::prelude::*;

/// The reader of a piece.
#[derive(LogicBlock)]
pub struct Schedule {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Stops.
    pub rst: Signal<In, Bit>,
    /// Takes the piece below; only while not `busy`, or `finishing`.
    pub load: Signal<In, Bit>,
    /// It is the first of its block.
    pub in_first: Signal<In, Bit>,
    /// It is the last of its block.
    pub in_last: Signal<In, Bit>,
    /// Row r wants bytes.
    pub wanted: Vec<Signal<In, Bit>>,
    /// Of two chunks.
    pub both: Vec<Signal<In, Bit>>,
    /// Number of the first.
    pub chunk: Vec<Signal<In, Bits<24>>>,
    /// Reads may go.
    pub open: Signal<In, Bit>,
    /// The read offered is accepted.
    pub read_ready: Signal<In, Bit>,
    /// A piece is being read.
    pub busy: Signal<Out, Bit>,
    /// This is its last cycle.
    pub finishing: Signal<Out, Bit>,
    /// Reads.
    pub read_valid: Signal<Out, Bit>,
    /// Word of each bank.
    pub word: Vec<Signal<Out, Bits<16>>>,
    /// A read is accepted, or nothing is to be read; what follows belongs to it.
    pub serve: Signal<Out, Bit>,
    /// The first of its block.
    pub serve_first: Signal<Out, Bit>,
    /// The last of its block.
    pub serve_last: Signal<Out, Bit>,
    /// Request q is served.
    pub served: Vec<Signal<Out, Bit>>,
    /// Its bank.
    pub bank: Vec<Signal<Out, Bits<4>>>,
    running: Reg<Bit>,
    opening: Reg<Bit>,
    closing: Reg<Bit>,
    pending: Reg<Bits<32>>,
    rivals: Vec<Reg<Bits<32>>>,
    twins: Vec<Reg<Bits<32>>>,
    bank_of: Vec<Reg<Bits<4>>>,
    place: Vec<Reg<Bits<16>>>,
    new_chunk: Vec<Signal<Local, Bits<24>>>,
    new_bank: Vec<Signal<Local, Bits<24>>>,
    new_word: Vec<Signal<Local, Bits<24>>>,
    new_pending: Vec<Signal<Local, Bits<32>>>,
    new_rivals: Vec<Signal<Local, Bits<32>>>,
    new_twins: Vec<Signal<Local, Bits<32>>>,
    leads: Vec<Signal<Local, Bit>>,
    leaders: Vec<Signal<Local, Bits<32>>>,
    serves: Vec<Signal<Local, Bits<32>>>,
    left: Signal<Local, Bits<32>>,
    serving: Signal<Local, Bit>,
    done: Signal<Local, Bit>,
    /// Request q alone; all requests before it.
    alone: Vec<Constant<Bits<32>>>,
    before: Vec<Constant<Bits<32>>>,
    nb_mask: Constant<Bits<24>>,
    nb_bits: Constant<Bits<4>>,
    skew_bits: Constant<Bits<4>>,
    _m0: usize,
    _nb: usize,
    _requests: usize,
}

impl Schedule {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        let (m0, requests) = (shape.m0, 2 * shape.m0);
        Schedule {
            clk: Signal::default(),
            rst: Signal::default(),
            load: Signal::default(),
            in_first: Signal::default(),
            in_last: Signal::default(),
            wanted: vec![Signal::default(); m0],
            both: vec![Signal::default(); m0],
            chunk: vec![Signal::default(); m0],
            open: Signal::default(),
            read_ready: Signal::default(),
            busy: Signal::default(),
            finishing: Signal::default(),
            read_valid: Signal::default(),
            word: vec![Signal::default(); shape.nb],
            serve: Signal::default(),
            serve_first: Signal::default(),
            serve_last: Signal::default(),
            served: vec![Signal::default(); requests],
            bank: vec![Signal::default(); requests],
            running: Reg::default(),
            opening: Reg::default(),
            closing: Reg::default(),
            pending: Reg::default(),
            rivals: vec![Reg::default(); requests],
            twins: vec![Reg::default(); requests],
            bank_of: vec![Reg::default(); requests],
            place: vec![Reg::default(); requests],
            new_chunk: vec![Signal::default(); requests],
            new_bank: vec![Signal::default(); requests],
            new_word: vec![Signal::default(); requests],
            new_pending: vec![Signal::default(); requests + 1],
            new_rivals: vec![Signal::default(); requests * (requests + 1)],
            new_twins: vec![Signal::default(); requests * (requests + 1)],
            leads: vec![Signal::default(); requests],
            leaders: vec![Signal::default(); requests + 1],
            serves: vec![Signal::default(); requests + 1],
            left: Signal::default(),
            serving: Signal::default(),
            done: Signal::default(),
            alone: (0..requests).map(|q| Constant::new((1u64 << q).into())).collect(),
            before: (0..requests).map(|q| Constant::new(((1u64 << q) - 1).into())).collect(),
            nb_mask: Constant::new((shape.nb as u64 - 1).into()),
            nb_bits: Constant::new(Shape::log(shape.nb).into()),
            skew_bits: Constant::new(Shape::log(shape.panels.max(shape.nb)).into()),
            _m0: m0,
            _nb: shape.nb,
            _requests: requests,
        }
    }
}

impl Logic for Schedule {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "mte1_schedule_{wanted[]}of{word[]}: reads the chunks that a piece wants, from all banks of L1 at once."
        );
        dff_setup!(self, clk, running, opening, closing, pending);
        for q in 0..self._requests {
            self.rivals[q].clock.next = self.clk.val();
            self.twins[q].clock.next = self.clk.val();
            self.bank_of[q].clock.next = self.clk.val();
            self.place[q].clock.next = self.clk.val();
            self.rivals[q].d.next = self.rivals[q].q.val();
            self.twins[q].d.next = self.twins[q].q.val();
            self.bank_of[q].d.next = self.bank_of[q].q.val();
            self.bank[q].next = self.bank_of[q].q.val();
            self.place[q].d.next = self.place[q].q.val();
        }
        // The piece to come: for each request the earlier ones of its bank, and those for its chunk.
        self.new_pending[0].next = 0.into();
        for m0 in self._m0..(self._m0 + 1) {
            for r in 0..self._m0 {
                self.new_chunk[r].next = self.chunk[r].val();
                self.new_chunk[m0 + r].next = self.chunk[r].val() + 1;
                self.new_pending[r + 1].next = self.new_pending[r].val();
                if self.wanted[r].val() {
                    self.new_pending[r + 1].next = self.new_pending[r].val() | self.alone[r].val();
                }
            }
            for r in 0..self._m0 {
                self.new_pending[m0 + r + 1].next = self.new_pending[m0 + r].val();
                if self.both[r].val() {
                    self.new_pending[m0 + r + 1].next = self.new_pending[m0 + r].val() | self.alone[m0 + r].val();
                }
            }
        }
        for q in 0..self._requests {
            self.new_bank[q].next =
                (self.new_chunk[q].val() + (self.new_chunk[q].val() >> self.skew_bits.val())) & self.nb_mask.val();
            self.new_word[q].next = self.new_chunk[q].val() >> self.nb_bits.val();
        }
        for n in (self._requests + 1)..(self._requests + 2) {
            for q in 0..self._requests {
                self.new_rivals[q * n].next = 0.into();
                self.new_twins[q * n].next = 0.into();
                for p in 0..self._requests {
                    self.new_rivals[q * n + p + 1].next = self.new_rivals[q * n + p].val();
                    if self.new_bank[p].val() == self.new_bank[q].val() {
                        self.new_rivals[q * n + p + 1].next = self.new_rivals[q * n + p].val() | self.alone[p].val();
                    }
                    self.new_twins[q * n + p + 1].next = self.new_twins[q * n + p].val();
                    if self.new_chunk[p].val() == self.new_chunk[q].val() {
                        self.new_twins[q * n + p + 1].next = self.new_twins[q * n + p].val() | self.alone[p].val();
                    }
                }
            }
        }
        // The piece at hand.
        self.leaders[0].next = 0.into();
        self.serves[0].next = 0.into();
        for q in 0..self._requests {
            self.leads[q].next =
                self.pending.q.val().get_bit(q) & ((self.pending.q.val() & self.rivals[q].q.val()) == 0);
            self.leaders[q + 1].next = self.leaders[q].val();
            if self.leads[q].val() {
                self.leaders[q + 1].next = self.leaders[q].val() | self.alone[q].val();
            }
        }
        for n in self._requests..(self._requests + 1) {
            for q in 0..self._requests {
                self.serves[q + 1].next = self.serves[q].val();
                if self.pending.q.val().get_bit(q) & ((self.leaders[n].val() & self.twins[q].q.val()) != 0) {
                    self.serves[q + 1].next = self.serves[q].val() | self.alone[q].val();
                }
            }
            self.left.next = self.pending.q.val() & !self.serves[n].val();
        }
        for b in 0..self._nb {
            self.word[b].next = 0.into();
            for q in 0..self._requests {
                if self.leads[q].val() & (self.bank_of[q].q.val() == b.to_bits::<4>()) {
                    self.word[b].next = self.place[q].q.val();
                }
            }
        }
        self.read_valid.next = self.running.q.val() & self.open.val() & (self.pending.q.val() != 0);
        self.serving.next =
            self.running.q.val() & self.open.val() & (self.read_ready.val() | (self.pending.q.val() == 0));
        self.done.next = self.serving.val() & (self.left.val() == 0);
        self.busy.next = self.running.q.val();
        self.finishing.next = self.done.val();
        self.serve.next = self.serving.val();
        self.serve_first.next = self.opening.q.val();
        self.serve_last.next = self.done.val() & self.closing.q.val();
        for q in 0..self._requests {
            self.served[q].next = self.serves[q + 1].val().get_bit(q);
        }
        if self.serving.val() {
            self.pending.d.next = self.left.val();
            self.opening.d.next = false;
            if self.done.val() {
                self.running.d.next = false;
            }
        }
        if self.load.val() {
            self.running.d.next = true;
            self.opening.d.next = self.in_first.val();
            self.closing.d.next = self.in_last.val();
            for n in self._requests..(self._requests + 1) {
                self.pending.d.next = self.new_pending[n].val();
            }
            for n in (self._requests + 1)..(self._requests + 2) {
                for q in 0..self._requests {
                    self.rivals[q].d.next = self.new_rivals[q * n + n - 1].val() & self.before[q].val();
                    self.twins[q].d.next = self.new_twins[q * n + n - 1].val();
                    self.bank_of[q].d.next = self.new_bank[q].val().get_bits::<4>(0);
                    self.place[q].d.next = self.new_word[q].val().get_bits::<16>(0);
                }
            }
        }
        if self.rst.val() {
            self.running.d.next = false;
        }
    }
}
