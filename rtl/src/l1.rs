// SPDX-License-Identifier: Apache-2.0
//! L1: the core's staging memory, NB = max(M0, N0) banks of K0 bytes, one read and one write per cycle.
//!
//! ```text
//!  write_*[0] (MTE2), [1] (FIX), [2] (MTE3) ►┌────┐► read0_data_valid, read0_data[i*K0+b]     3 cycles after the request
//!  read0_* (MTE1: fractal, or words) ────────►│ l1 │► read1_data_valid, read1_data[i]
//!  read1_* (MTE3: contiguous) ───────────────►└────┘
//! ```
//! Chunk c of K0 bytes lies in bank (c + c / max(P, NB)) mod NB at word c / NB, with P = 32/K0: the NB chunks of one column of
//! a fractal and NB contiguous chunks both hit every bank once, so either pattern is one read of NB * K0 bytes. Read port 0 may also
//! name a word for each bank (gather).
//! The write ports take turns; read port 0 goes first, but port 1 waits at most 15 cycles.
//! A read sees every write that was accepted in an earlier cycle; of a write accepted in the same cycle it sees undefined bytes.
//! Page: `docs/units/l1.md`. Test: `tests/units/l1.rs`.

mod read;
mod write;
mod write_turns;

pub use read::L1Read;
pub use write::L1Write;
pub use write_turns::WriteTurns;

use crate::prim::prelude::*;
use crate::rotate::Rotate;

/// The staging memory.
#[derive(LogicBlock)]
pub struct L1 {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets reads under way; the bytes stay.
    pub rst: Signal<In, Bit>,
    /// Port p wants to write (0 MTE2, 1 FIX; with a UB also 2 MTE3, which moves from there).
    pub write_valid: Vec<Signal<In, Bit>>,
    /// Port p may write.
    pub write_ready: Vec<Signal<Out, Bit>>,
    /// First byte, a multiple of S (`L1::segment`).
    pub write_address: Vec<Signal<In, Bits<24>>>,
    /// Byte i of port p is written: index `p * S + i`.
    pub write_enable: Vec<Signal<In, Bit>>,
    /// Byte i of port p: index `p * S + i`.
    pub write_data: Vec<Signal<In, Bits<8>>>,
    /// Port 0 wants to read.
    pub read0_valid: Signal<In, Bit>,
    /// Port 0 may read.
    pub read0_ready: Signal<Out, Bit>,
    /// First byte: with `read0_rows` a multiple of K0 in a 32-byte row whose number is a multiple of NB, else a multiple of NB * K0.
    pub read0_address: Signal<In, Bits<24>>,
    /// 1: NB chunks 32 bytes apart; 0: NB contiguous chunks.
    pub read0_rows: Signal<In, Bit>,
    /// 1: neither, but the words below.
    pub read0_gather: Signal<In, Bit>,
    /// Word of each bank.
    pub read0_word: Vec<Signal<In, Bits<16>>>,
    /// Data of port 0, exactly 3 cycles after the transfer of its request.
    pub read0_data_valid: Signal<Out, Bit>,
    /// Chunk i in `i * K0 ..`; gathered: the word of bank i.
    pub read0_data: Vec<Signal<Out, Bits<8>>>,
    /// Port 1 wants to read.
    pub read1_valid: Signal<In, Bit>,
    /// Port 1 may read.
    pub read1_ready: Signal<Out, Bit>,
    /// First byte, a multiple of NB * K0.
    pub read1_address: Signal<In, Bits<24>>,
    /// Data of port 1, exactly 3 cycles after the transfer of its request.
    pub read1_data_valid: Signal<Out, Bit>,
    /// NB * K0 contiguous bytes.
    pub read1_data: Vec<Signal<Out, Bits<8>>>,
    reader: L1Read,
    turns: WriteTurns,
    writer: L1Write,
    bank: Vec<Ram<8>>,
    out: Vec<Reg<Bits<8>>>,
    order: Vec<Rotate<8>>,
    first_bank: Vec<Reg<Bits<4>>>,
    rows: Vec<Reg<Bit>>,
    _nb: usize,
    _k0: usize,
    _panels: usize,
    _s: usize,
    _writers: usize,
}

impl L1 {
    /// Bytes of a write (S): a bus word, or a whole line of the banks if that is less. A legal core has at least min(bus bytes, 32).
    pub fn segment(config: &isa::Config) -> usize {
        config.bus_bytes.min(config.m0.max(config.n0) * config.k0)
    }

    /// The staging memory of this core, at most 65,536 words per bank.
    pub fn new(config: &isa::Config) -> Self {
        let nb = config.m0.max(config.n0);
        let k0 = config.k0;
        let s = L1::segment(config);
        let writers = if config.ub_bytes > 0 { 3 } else { 2 };
        let words = config.l1_bytes / (nb * k0);
        assert!(words <= 65_536, "a bank of L1 has at most 65,536 words, not {words}");
        L1 {
            clk: Signal::default(),
            rst: Signal::default(),
            write_valid: vec![Signal::default(); writers],
            write_ready: vec![Signal::default(); writers],
            write_address: vec![Signal::default(); writers],
            write_enable: vec![Signal::default(); writers * s],
            write_data: vec![Signal::default(); writers * s],
            read0_valid: Signal::default(),
            read0_ready: Signal::default(),
            read0_address: Signal::default(),
            read0_rows: Signal::default(),
            read0_gather: Signal::default(),
            read0_word: vec![Signal::default(); nb],
            read0_data_valid: Signal::default(),
            read0_data: vec![Signal::default(); nb * k0],
            read1_valid: Signal::default(),
            read1_ready: Signal::default(),
            read1_address: Signal::default(),
            read1_data_valid: Signal::default(),
            read1_data: vec![Signal::default(); nb * k0],
            reader: L1Read::new(nb, k0),
            turns: WriteTurns::new(writers, s),
            writer: L1Write::new(nb, k0, s),
            bank: vec![Ram::masked(words, k0); nb],
            out: vec![Reg::default(); nb * k0],
            order: (0..k0).map(|_| Rotate::new(nb)).collect(),
            first_bank: vec![Reg::default(); 2],
            rows: vec![Reg::default(); 2],
            _nb: nb,
            _k0: k0,
            _panels: (isa::limits::FRACTAL_ROW_BYTES / k0).min(nb),
            _s: s,
            _writers: writers,
        }
    }
}

impl Logic for L1 {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("l1_{read0_data[]}: staging memory, banks of K0 bytes, one read and one write per cycle.");
        self.turns.clk.next = self.clk.val();
        self.turns.rst.next = self.rst.val();
        for p in 0..self._writers {
            self.turns.in_valid[p].next = self.write_valid[p].val();
            self.turns.in_address[p].next = self.write_address[p].val();
            self.write_ready[p].next = self.turns.in_ready[p].val();
        }
        for i in 0..(self._writers * self._s) {
            self.turns.in_enable[i].next = self.write_enable[i].val();
            self.turns.in_data[i].next = self.write_data[i].val();
        }
        self.writer.valid.next = self.turns.valid.val();
        self.writer.address.next = self.turns.address.val();
        for i in 0..self._s {
            self.writer.in_enable[i].next = self.turns.enable[i].val();
            self.writer.in_data[i].next = self.turns.data[i].val();
        }
        self.reader.clk.next = self.clk.val();
        self.reader.rst.next = self.rst.val();
        self.reader.valid0.next = self.read0_valid.val();
        self.reader.address0.next = self.read0_address.val();
        self.reader.rows0.next = self.read0_rows.val();
        self.reader.gather0.next = self.read0_gather.val();
        for b in 0..self._nb {
            self.reader.word0[b].next = self.read0_word[b].val();
        }
        self.reader.valid1.next = self.read1_valid.val();
        self.reader.address1.next = self.read1_address.val();
        self.read0_ready.next = self.reader.ready0.val();
        self.read1_ready.next = self.reader.ready1.val();
        self.read0_data_valid.next = self.reader.data_valid0.val();
        self.read1_data_valid.next = self.reader.data_valid1.val();
        // The bank order of a read travels beside its bytes.
        for s in 0..2 {
            self.first_bank[s].clock.next = self.clk.val();
            self.rows[s].clock.next = self.clk.val();
        }
        self.first_bank[0].d.next = self.reader.first_bank.val();
        self.first_bank[1].d.next = self.first_bank[0].q.val();
        self.rows[0].d.next = self.reader.rows.val();
        self.rows[1].d.next = self.rows[0].q.val();
        for k0 in self._k0..(self._k0 + 1) {
            for b in 0..self._nb {
                self.bank[b].clock.next = self.clk.val();
                self.bank[b].read_enable.next = self.reader.read_enable.val();
                self.bank[b].read_address.next = self.reader.word[b].val();
                self.bank[b].write_address.next = self.writer.word.val();
                for k in 0..self._k0 {
                    self.bank[b].write_enable[k].next = self.writer.enable[b * k0 + k].val();
                    self.bank[b].write[k].next = self.writer.data[b * k0 + k].val();
                    self.out[b * k0 + k].clock.next = self.clk.val();
                    self.out[b * k0 + k].d.next = self.bank[b].read[k].val();
                    self.order[k].lane[b].next = self.out[b * k0 + k].q.val();
                }
            }
            for k in 0..self._k0 {
                self.order[k].amount.next = self.first_bank[1].q.val();
            }
            // With P < NB, column chunk i = (NB/P) h + l comes out of the ring at place P l + h.
            for nb in self._nb..(self._nb + 1) {
                for p in self._panels..(self._panels + 1) {
                    for i in 0..self._nb {
                        for k in 0..self._k0 {
                            self.read1_data[i * k0 + k].next = self.order[k].turned[i].val();
                            if self.rows[1].q.val() {
                                self.read0_data[i * k0 + k].next =
                                    self.order[k].turned[(i % (nb / p)) * p + i / (nb / p)].val();
                            } else {
                                self.read0_data[i * k0 + k].next = self.order[k].turned[i].val();
                            }
                        }
                    }
                }
            }
        }
    }
}
