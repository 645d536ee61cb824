// SPDX-License-Identifier: Apache-2.0
//! L0C, the buffer of results: M0 x N0 blocks of int32 with a full bit per block.
//!
//! ```text
//!  write_* (M) ────────►┌─────┐──► m_read_data      2 cycles after m_read_valid, never refused
//!  clear_* (M) ────────►│ l0c │
//!  m_read_* (M) ───────►│     │──► fix_read_data    2 cycles after fix_read_valid and fix_read_ready
//!  fix_read_* (FIX) ───►└─────┘──► fix_read_ready, fix_full
//! ```
//! One write and one read per cycle. The read port belongs to M when M wants it, else to FIX; `fix_read_ready` says that the port
//! is free and the block that FIX asks for is full. Both data outputs are the same register and hold only in the cycle named.
//! Reading a block in the cycle of its write gives an undefined block: the cube orders its own reads, FIX waits for the full bit.
//! M0 banks of N0 lanes. Test: `tests/units/l0c.rs`. Page: `docs/units/l0c.md`.

use crate::full::Full;
use crate::prim::prelude::*;
use isa::Config;

/// The buffer of results.
#[derive(LogicBlock)]
pub struct L0c {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Clears all full bits.
    pub rst: Signal<In, Bit>,
    /// M writes a block, which sets its full bit.
    pub write_valid: Signal<In, Bit>,
    /// Block written.
    pub write_address: Signal<In, Bits<16>>,
    /// The block: row i, column j at i * N0 + j.
    pub write_data: Vec<Signal<In, Bits<32>>>,
    /// M clears full bits; a write in the same cycle wins for its block.
    pub clear_valid: Signal<In, Bit>,
    /// First fractal to clear.
    pub clear_first: Signal<In, Bits<16>>,
    /// Last fractal to clear.
    pub clear_last: Signal<In, Bits<16>>,
    /// M reads a block, whether full or not.
    pub m_read_valid: Signal<In, Bit>,
    /// Block that M reads.
    pub m_read_address: Signal<In, Bits<16>>,
    /// Block that M read two cycles ago.
    pub m_read_data: Vec<Signal<Out, Bits<32>>>,
    /// FIX wants to read a block.
    pub fix_read_valid: Signal<In, Bit>,
    /// Block that FIX wants.
    pub fix_read_address: Signal<In, Bits<16>>,
    /// FIX gets it: the port is free and the block full.
    pub fix_read_ready: Signal<Out, Bit>,
    /// The block that FIX wants is full.
    pub fix_full: Signal<Out, Bit>,
    /// Block that FIX got two cycles ago.
    pub fix_read_data: Vec<Signal<Out, Bits<32>>>,
    bank: Vec<Ram<32>>,
    filled: Full,
    /// Output registers of the banks.
    word: Vec<Reg<Bits<32>>>,
    ready: Signal<Local, Bit>,
    read_address: Signal<Local, Bits<16>>,
    _m0: usize,
    _n0: usize,
}

impl L0c {
    /// The L0C of this core.
    ///
    /// Panics if it has more than 65,536 blocks.
    pub fn new(config: &Config) -> Self {
        let (m0, n0) = (config.m0, config.n0);
        let (fractals, blocks) = (config.l0c_fractals(), config.l0c_blocks_per_fractal());
        L0c {
            clk: Signal::default(),
            rst: Signal::default(),
            write_valid: Signal::default(),
            write_address: Signal::default(),
            write_data: vec![Signal::default(); m0 * n0],
            clear_valid: Signal::default(),
            clear_first: Signal::default(),
            clear_last: Signal::default(),
            m_read_valid: Signal::default(),
            m_read_address: Signal::default(),
            m_read_data: vec![Signal::default(); m0 * n0],
            fix_read_valid: Signal::default(),
            fix_read_address: Signal::default(),
            fix_read_ready: Signal::default(),
            fix_full: Signal::default(),
            fix_read_data: vec![Signal::default(); m0 * n0],
            bank: vec![Ram::whole(fractals * blocks, n0); m0],
            filled: Full::new(fractals, blocks),
            word: vec![Reg::default(); m0 * n0],
            ready: Signal::default(),
            read_address: Signal::default(),
            _m0: m0,
            _n0: n0,
        }
    }
}

impl Logic for L0c {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "l0c: the cube's results, {bank[]} banks, one block read and one written per cycle, a full bit per block."
        );
        self.filled.clk.next = self.clk.val();
        self.filled.rst.next = self.rst.val();
        self.filled.write_valid.next = self.write_valid.val();
        self.filled.write_address.next = self.write_address.val();
        self.filled.clear_valid.next = self.clear_valid.val();
        self.filled.clear_first.next = self.clear_first.val();
        self.filled.clear_last.next = self.clear_last.val();
        self.filled.read_address.next = self.fix_read_address.val();
        self.fix_full.next = self.filled.full.val();
        self.ready.next = self.filled.full.val() & !self.m_read_valid.val();
        self.fix_read_ready.next = self.ready.val();
        self.read_address.next = self.fix_read_address.val();
        if self.m_read_valid.val() {
            self.read_address.next = self.m_read_address.val();
        }
        for n in self._n0..(self._n0 + 1) {
            for i in 0..self._m0 {
                self.bank[i].clock.next = self.clk.val();
                self.bank[i].read_enable.next =
                    self.m_read_valid.val() | (self.fix_read_valid.val() & self.ready.val());
                self.bank[i].read_address.next = self.read_address.val();
                self.bank[i].write_enable[0].next = self.write_valid.val();
                self.bank[i].write_address.next = self.write_address.val();
                for j in 0..self._n0 {
                    self.bank[i].write[j].next = self.write_data[i * n + j].val();
                    self.word[i * n + j].clock.next = self.clk.val();
                    self.word[i * n + j].d.next = self.bank[i].read[j].val();
                    self.m_read_data[i * n + j].next = self.word[i * n + j].q.val();
                    self.fix_read_data[i * n + j].next = self.word[i * n + j].q.val();
                }
            }
        }
    }
}
