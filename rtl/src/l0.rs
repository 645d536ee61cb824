// SPDX-License-Identifier: Apache-2.0
//! L0A and L0B: the operand buffers of the cube, one block per cycle in and out, with a full bit per block.
//!
//! ```text
//!  write_valid, write_address, write_data[r*k0+c] ──►┌────┐──► read_full     same cycle: the block at read_address is full
//!  clear_valid, clear_first, clear_last ────────────►│ l0 │──► read_data[r*k0+c]     2 cycles after read_valid
//!  read_valid, read_address ────────────────────────►└────┘
//! ```
//! A block is rows x K0 signed 9-bit elements (M0 rows in L0A, N0 in L0B). Block number = fractal * BPF + row block in the fractal *
//! (32/K0) + k block, BPF = (16/rows)(32/K0). Reading the block that is written in the same cycle gives undefined data: readers wait for
//! the full bit, which shows from the cycle after the write, when the data can be read too.
//! Page: `docs/units/l0.md`. Test: `tests/units/l0.rs`.

use crate::full::Full;
use crate::prim::prelude::*;

/// An operand buffer of `fractals` fractals in blocks of `rows` x `k0`.
#[derive(LogicBlock)]
pub struct L0 {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Clears all full bits.
    pub rst: Signal<In, Bit>,
    /// Writes a block and sets its full bit.
    pub write_valid: Signal<In, Bit>,
    /// Block number, within the buffer.
    pub write_address: Signal<In, Bits<16>>,
    /// The block: row r, byte c at `r * k0 + c`.
    pub write_data: Vec<Signal<In, Bits<9>>>,
    /// Clears the full bits of a range of fractals; a write in the same cycle wins.
    pub clear_valid: Signal<In, Bit>,
    /// First fractal to clear.
    pub clear_first: Signal<In, Bits<16>>,
    /// Last fractal to clear, inclusive; may lie beyond the buffer.
    pub clear_last: Signal<In, Bits<16>>,
    /// Reads a block.
    pub read_valid: Signal<In, Bit>,
    /// Block number, within the buffer.
    pub read_address: Signal<In, Bits<16>>,
    /// The full bit of `read_address`, in the same cycle, whether or not `read_valid`.
    pub read_full: Signal<Out, Bit>,
    /// The block read 2 cycles ago; undefined if that cycle had no `read_valid`.
    pub read_data: Vec<Signal<Out, Bits<9>>>,
    full_bits: Full,
    ram: Ram<9>,
    out: Vec<Reg<Bits<9>>>,
    _lanes: usize,
}

impl L0 {
    /// A buffer of `fractals` (a power of two) fractals in blocks of `rows` (2, 4, 8, 16) x `k0` (4, 8, 16, 32) elements, at most
    /// 65,536 blocks.
    pub fn new(rows: usize, k0: usize, fractals: usize) -> Self {
        let blocks = (isa::limits::FRACTAL_ROWS / rows) * (isa::limits::FRACTAL_ROW_BYTES / k0);
        assert!(fractals * blocks <= 65_536, "an operand buffer has at most 65,536 blocks, not {}", fractals * blocks);
        let lanes = rows * k0;
        L0 {
            clk: Signal::default(),
            rst: Signal::default(),
            write_valid: Signal::default(),
            write_address: Signal::default(),
            write_data: vec![Signal::default(); lanes],
            clear_valid: Signal::default(),
            clear_first: Signal::default(),
            clear_last: Signal::default(),
            read_valid: Signal::default(),
            read_address: Signal::default(),
            read_full: Signal::default(),
            read_data: vec![Signal::default(); lanes],
            full_bits: Full::new(fractals, blocks),
            ram: Ram::whole(fractals * blocks, lanes),
            out: vec![Reg::default(); lanes],
            _lanes: lanes,
        }
    }

    /// L0A of this core.
    pub fn a(config: &isa::Config) -> Self {
        L0::new(config.m0, config.k0, config.l0a_fractals())
    }

    /// L0B of this core.
    pub fn b(config: &isa::Config) -> Self {
        L0::new(config.n0, config.k0, config.l0b_fractals())
    }
}

impl Logic for L0 {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("l0_{write_data[]}: operand buffer, one block per cycle in and out, with a full bit per block.");
        self.full_bits.clk.next = self.clk.val();
        self.full_bits.rst.next = self.rst.val();
        self.full_bits.write_valid.next = self.write_valid.val();
        self.full_bits.write_address.next = self.write_address.val();
        self.full_bits.clear_valid.next = self.clear_valid.val();
        self.full_bits.clear_first.next = self.clear_first.val();
        self.full_bits.clear_last.next = self.clear_last.val();
        self.full_bits.read_address.next = self.read_address.val();
        self.read_full.next = self.full_bits.full.val();
        self.ram.clock.next = self.clk.val();
        self.ram.write_enable[0].next = self.write_valid.val();
        self.ram.write_address.next = self.write_address.val();
        self.ram.read_enable.next = self.read_valid.val();
        self.ram.read_address.next = self.read_address.val();
        for i in 0..self._lanes {
            self.ram.write[i].next = self.write_data[i].val();
            self.out[i].clock.next = self.clk.val();
            self.out[i].d.next = self.ram.read[i].val();
            self.read_data[i].next = self.out[i].q.val();
        }
    }
}
