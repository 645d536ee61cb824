// SPDX-License-Identifier: Apache-2.0
//! The next m.mmad: taken, decoded and kept until the loop counters load it, so that no cycle passes between two instructions.
//!
//! ```text
//!  op_valid, word[8], pc ──►┌────────┐──► valid, counts and bases of the next instruction
//!  op_ready ◄───────────────│ decode │◄── load (it is taken over), block (take nothing)
//!                           └────────┘
//! ```
//! Every count is "blocks minus one", which needs no adder where it is used.

use crate::prim::prelude::*;
use isa::Config;

/// Decoder and register of the next instruction.
#[derive(LogicBlock)]
pub struct Decode {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forget the next instruction.
    pub rst: Signal<In, Bit>,
    /// An instruction is offered.
    pub op_valid: Signal<In, Bit>,
    /// It is taken.
    pub op_ready: Signal<Out, Bit>,
    /// Words w0 to w7.
    pub op_word: Vec<Signal<In, Bits<32>>>,
    /// Its program counter.
    pub op_pc: Signal<In, Bits<32>>,
    /// Take nothing in this cycle.
    pub block: Signal<In, Bit>,
    /// The loop counters take the next instruction over.
    pub load: Signal<In, Bit>,
    /// An instruction was taken.
    pub taken: Signal<Out, Bit>,
    /// There is a next instruction.
    pub valid: Signal<Out, Bit>,
    /// A dtype is not s8 or u8.
    pub unsupported: Signal<Out, Bit>,
    /// Add to what L0C holds.
    pub accumulate: Signal<Out, Bit>,
    /// One of its sets is early.
    pub early: Signal<Out, Bit>,
    /// First fractals of A, B and C.
    pub base_a: Signal<Out, Bits<16>>,
    /// See `base_a`.
    pub base_b: Signal<Out, Bits<16>>,
    /// See `base_a`.
    pub base_c: Signal<Out, Bits<16>>,
    /// Fractals along k.
    pub k_fractals: Signal<Out, Bits<16>>,
    /// Fractals along n.
    pub n_fractals: Signal<Out, Bits<16>>,
    /// Fractals along m, minus 1.
    pub m_fractals_last: Signal<Out, Bits<16>>,
    /// Blocks along m, minus 1.
    pub m_last: Signal<Out, Bits<16>>,
    /// Blocks along n, minus 1.
    pub n_last: Signal<Out, Bits<16>>,
    /// Blocks along k, minus 1.
    pub k_last: Signal<Out, Bits<16>>,
    /// Real rows in the last block along m.
    pub m_tail: Signal<Out, Bits<5>>,
    /// Real columns in the last block along n.
    pub n_tail: Signal<Out, Bits<5>>,
    /// Real elements in the last block along k.
    pub k_tail: Signal<Out, Bits<6>>,
    /// Program counter.
    pub pc: Signal<Out, Bits<32>>,
    held: Reg<Bit>,
    bad_dtype: Reg<Bit>,
    adds: Reg<Bit>,
    is_early: Reg<Bit>,
    a: Reg<Bits<16>>,
    b: Reg<Bits<16>>,
    c: Reg<Bits<16>>,
    k_panels: Reg<Bits<16>>,
    n_panels: Reg<Bits<16>>,
    m_panels: Reg<Bits<16>>,
    m_blocks: Reg<Bits<16>>,
    n_blocks: Reg<Bits<16>>,
    k_blocks: Reg<Bits<16>>,
    m_rest: Reg<Bits<5>>,
    n_rest: Reg<Bits<5>>,
    k_rest: Reg<Bits<6>>,
    counter: Reg<Bits<32>>,
    take: Signal<Local, Bit>,
    early_sets: Signal<Local, Bit>,
    m_less: Signal<Local, Bits<16>>,
    n_less: Signal<Local, Bits<16>>,
    k_less: Signal<Local, Bits<16>>,
    m0_bits: Constant<Bits<4>>,
    n0_bits: Constant<Bits<4>>,
    k0_bits: Constant<Bits<4>>,
    m0_mask: Constant<Bits<16>>,
    n0_mask: Constant<Bits<16>>,
    k0_mask: Constant<Bits<16>>,
}

impl Decode {
    /// The decoder of this core.
    pub fn new(config: &Config) -> Self {
        let bits = |size: usize| Constant::new(u64::from(size.trailing_zeros()).into());
        let mask = |size: usize| Constant::new((size as u64 - 1).into());
        Decode {
            clk: Signal::default(),
            rst: Signal::default(),
            op_valid: Signal::default(),
            op_ready: Signal::default(),
            op_word: vec![Signal::default(); 8],
            op_pc: Signal::default(),
            block: Signal::default(),
            load: Signal::default(),
            taken: Signal::default(),
            valid: Signal::default(),
            unsupported: Signal::default(),
            accumulate: Signal::default(),
            early: Signal::default(),
            base_a: Signal::default(),
            base_b: Signal::default(),
            base_c: Signal::default(),
            k_fractals: Signal::default(),
            n_fractals: Signal::default(),
            m_fractals_last: Signal::default(),
            m_last: Signal::default(),
            n_last: Signal::default(),
            k_last: Signal::default(),
            m_tail: Signal::default(),
            n_tail: Signal::default(),
            k_tail: Signal::default(),
            pc: Signal::default(),
            held: Reg::default(),
            bad_dtype: Reg::default(),
            adds: Reg::default(),
            is_early: Reg::default(),
            a: Reg::default(),
            b: Reg::default(),
            c: Reg::default(),
            k_panels: Reg::default(),
            n_panels: Reg::default(),
            m_panels: Reg::default(),
            m_blocks: Reg::default(),
            n_blocks: Reg::default(),
            k_blocks: Reg::default(),
            m_rest: Reg::default(),
            n_rest: Reg::default(),
            k_rest: Reg::default(),
            counter: Reg::default(),
            take: Signal::default(),
            early_sets: Signal::default(),
            m_less: Signal::default(),
            n_less: Signal::default(),
            k_less: Signal::default(),
            m0_bits: bits(config.m0),
            n0_bits: bits(config.n0),
            k0_bits: bits(config.k0),
            m0_mask: mask(config.m0),
            n0_mask: mask(config.n0),
            k0_mask: mask(config.k0),
        }
    }
}

impl Logic for Decode {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("m_decode: takes and decodes the next m.mmad while the last one runs.");
        dff_setup!(self, clk, held, bad_dtype, adds, is_early, a, b, c, k_panels, n_panels, m_panels);
        dff_setup!(self, clk, m_blocks, n_blocks, k_blocks, m_rest, n_rest, k_rest, counter);
        self.take.next = self.op_valid.val() & !self.held.q.val() & !self.block.val();
        self.op_ready.next = !self.held.q.val() & !self.block.val();
        self.taken.next = self.take.val();
        self.m_less.next = self.op_word[5].val().get_bits::<16>(0) - 1;
        self.n_less.next = self.op_word[5].val().get_bits::<16>(16) - 1;
        self.k_less.next = self.op_word[6].val().get_bits::<16>(0) - 1;
        self.early_sets.next = (self.op_word[1].val().get_bit(0) & self.op_word[1].val().get_bit(7))
            | (self.op_word[1].val().get_bit(8) & self.op_word[1].val().get_bit(15))
            | (self.op_word[1].val().get_bit(16) & self.op_word[1].val().get_bit(23));
        if self.load.val() {
            self.held.d.next = false;
        }
        if self.take.val() {
            self.held.d.next = true;
            // s8 is 0 and u8 is 1; both are s9 in L0.
            self.bad_dtype.d.next =
                (self.op_word[2].val().get_bits::<3>(5) != 0) | (self.op_word[2].val().get_bits::<3>(9) != 0);
            self.adds.d.next = self.op_word[2].val().get_bit(0);
            self.is_early.d.next = self.early_sets.val();
            self.a.d.next = self.op_word[3].val().get_bits::<16>(0);
            self.b.d.next = self.op_word[3].val().get_bits::<16>(16);
            self.c.d.next = self.op_word[4].val().get_bits::<16>(0);
            self.k_panels.d.next = (self.k_less.val() >> 5) + 1;
            self.n_panels.d.next = (self.n_less.val() >> 4) + 1;
            self.m_panels.d.next = self.m_less.val() >> 4;
            self.m_blocks.d.next = self.m_less.val() >> self.m0_bits.val();
            self.n_blocks.d.next = self.n_less.val() >> self.n0_bits.val();
            self.k_blocks.d.next = self.k_less.val() >> self.k0_bits.val();
            self.m_rest.d.next = bit_cast::<5, 16>(self.m_less.val() & self.m0_mask.val()) + 1;
            self.n_rest.d.next = bit_cast::<5, 16>(self.n_less.val() & self.n0_mask.val()) + 1;
            self.k_rest.d.next = bit_cast::<6, 16>(self.k_less.val() & self.k0_mask.val()) + 1;
            self.counter.d.next = self.op_pc.val();
        }
        if self.rst.val() {
            self.held.d.next = false;
        }
        self.valid.next = self.held.q.val();
        self.unsupported.next = self.bad_dtype.q.val();
        self.accumulate.next = self.adds.q.val();
        self.early.next = self.is_early.q.val();
        self.base_a.next = self.a.q.val();
        self.base_b.next = self.b.q.val();
        self.base_c.next = self.c.q.val();
        self.k_fractals.next = self.k_panels.q.val();
        self.n_fractals.next = self.n_panels.q.val();
        self.m_fractals_last.next = self.m_panels.q.val();
        self.m_last.next = self.m_blocks.q.val();
        self.n_last.next = self.n_blocks.q.val();
        self.k_last.next = self.k_blocks.q.val();
        self.m_tail.next = self.m_rest.q.val();
        self.n_tail.next = self.n_rest.q.val();
        self.k_tail.next = self.k_rest.q.val();
        self.pc.next = self.counter.q.val();
    }
}
