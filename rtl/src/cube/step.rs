// SPDX-License-Identifier: Apache-2.0
//! The loops of m.mmad: which blocks of A, B and C the present cube step uses. Order m, n, k with k inner.
//!
//! ```text
//!  load, the next instruction ──►┌──────┐──► valid, a/b/c_address, first, last_k, final_step
//!  go (the step is done) ───────►│ step │──► a/b/c_outside, outside_fractal
//!                                └──────┘──► m_count, n_count, k_count: real elements in this step
//! ```
//! All outputs come from registers. A fractal number is kept in 24 bits, wider than any legal step can carry it, so that nothing
//! wraps back into a buffer before it is seen to lie outside.
//! Address of a block: {fractal, row block in the fractal, k or column block in the fractal}.

use crate::prim::prelude::*;
use isa::Config;

/// Loop counters and block addresses.
#[derive(LogicBlock)]
pub struct Step {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Nothing to do.
    pub rst: Signal<In, Bit>,
    /// Start with the instruction below; only while not `valid` or with `go` and `final_step`.
    pub load: Signal<In, Bit>,
    /// First fractal of A.
    pub base_a: Signal<In, Bits<16>>,
    /// First fractal of B.
    pub base_b: Signal<In, Bits<16>>,
    /// First fractal of C.
    pub base_c: Signal<In, Bits<16>>,
    /// Fractals along k.
    pub k_fractals: Signal<In, Bits<16>>,
    /// Fractals along n.
    pub n_fractals: Signal<In, Bits<16>>,
    /// Blocks along m, minus 1.
    pub m_last: Signal<In, Bits<16>>,
    /// Blocks along n, minus 1.
    pub n_last: Signal<In, Bits<16>>,
    /// Blocks along k, minus 1.
    pub k_last: Signal<In, Bits<16>>,
    /// Real rows in the last block along m.
    pub m_tail: Signal<In, Bits<5>>,
    /// Real columns in the last block along n.
    pub n_tail: Signal<In, Bits<5>>,
    /// Real elements in the last block along k.
    pub k_tail: Signal<In, Bits<6>>,
    /// The present step is done: go on to the next.
    pub go: Signal<In, Bit>,
    /// There is a step to do.
    pub valid: Signal<Out, Bit>,
    /// First of its k-run.
    pub first: Signal<Out, Bit>,
    /// Last of its k-run.
    pub last_k: Signal<Out, Bit>,
    /// Last of the instruction.
    pub final_step: Signal<Out, Bit>,
    /// Block of L0A.
    pub a_address: Signal<Out, Bits<16>>,
    /// Block of L0B.
    pub b_address: Signal<Out, Bits<16>>,
    /// Block of L0C.
    pub c_address: Signal<Out, Bits<16>>,
    /// A block of this step lies outside its buffer.
    pub outside: Signal<Out, Bit>,
    /// The fractal that does.
    pub outside_fractal: Signal<Out, Bits<24>>,
    /// Real rows of this step's block of A.
    pub m_count: Signal<Out, Bits<5>>,
    /// Real columns of this step's block of C.
    pub n_count: Signal<Out, Bits<5>>,
    /// Real elements along k.
    pub k_count: Signal<Out, Bits<6>>,
    running: Reg<Bit>,
    starts: Reg<Bit>,
    // The instruction.
    b_base: Reg<Bits<16>>,
    k_panels: Reg<Bits<16>>,
    n_panels: Reg<Bits<16>>,
    n_blocks: Reg<Bits<16>>,
    k_blocks: Reg<Bits<16>>,
    m_rest: Reg<Bits<5>>,
    n_rest: Reg<Bits<5>>,
    k_rest: Reg<Bits<6>>,
    // Blocks left after this one.
    m_left: Reg<Bits<16>>,
    n_left: Reg<Bits<16>>,
    k_left: Reg<Bits<16>>,
    // Number of the block inside its fractal.
    m_in: Reg<Bits<3>>,
    n_in: Reg<Bits<3>>,
    k_in: Reg<Bits<3>>,
    // Fractals: the present one, and the first one of the present row of fractals.
    a_fractal: Reg<Bits<24>>,
    a_row: Reg<Bits<24>>,
    b_fractal: Reg<Bits<24>>,
    b_row: Reg<Bits<24>>,
    c_fractal: Reg<Bits<24>>,
    c_row: Reg<Bits<24>>,
    at_m: Signal<Local, Bit>,
    at_n: Signal<Local, Bit>,
    at_k: Signal<Local, Bit>,
    a_next_row: Signal<Local, Bits<24>>,
    b_next_row: Signal<Local, Bits<24>>,
    c_next_row: Signal<Local, Bits<24>>,
    a_block: Signal<Local, Bits<24>>,
    b_block: Signal<Local, Bits<24>>,
    c_block: Signal<Local, Bits<24>>,
    a_bad: Signal<Local, Bit>,
    b_bad: Signal<Local, Bit>,
    c_bad: Signal<Local, Bit>,
    m_in_last: Constant<Bits<3>>,
    n_in_last: Constant<Bits<3>>,
    k_in_last: Constant<Bits<3>>,
    m_in_bits: Constant<Bits<4>>,
    n_in_bits: Constant<Bits<4>>,
    k_in_bits: Constant<Bits<4>>,
    a_fractals: Constant<Bits<24>>,
    b_fractals: Constant<Bits<24>>,
    c_fractals: Constant<Bits<24>>,
    m0: Constant<Bits<5>>,
    n0: Constant<Bits<5>>,
    k0: Constant<Bits<6>>,
}

impl Step {
    /// The loops of this core.
    ///
    /// Panics if a buffer has more blocks than a block address of 16 bits can tell apart.
    pub fn new(config: &Config) -> Self {
        let blocks = [
            ("L0A", config.l0a_fractals() * config.l0a_blocks_per_fractal()),
            ("L0B", config.l0b_fractals() * config.l0b_blocks_per_fractal()),
            ("L0C", config.l0c_fractals() * config.l0c_blocks_per_fractal()),
        ];
        for (buffer, blocks) in blocks {
            assert!(blocks <= 1 << 16, "{buffer} has {blocks} blocks, more than an address of 16 bits reaches");
        }
        let (m_in, n_in, k_in) = (16 / config.m0, 16 / config.n0, 32 / config.k0);
        let number = |value: usize| Constant::new((value as u64).into());
        let bits = |count: usize| Constant::new(u64::from(count.trailing_zeros()).into());
        let fractals = |count: usize| Constant::new((count as u64).into());
        let extent = |size: usize| Constant::new((size as u64).into());
        Step {
            clk: Signal::default(),
            rst: Signal::default(),
            load: Signal::default(),
            base_a: Signal::default(),
            base_b: Signal::default(),
            base_c: Signal::default(),
            k_fractals: Signal::default(),
            n_fractals: Signal::default(),
            m_last: Signal::default(),
            n_last: Signal::default(),
            k_last: Signal::default(),
            m_tail: Signal::default(),
            n_tail: Signal::default(),
            k_tail: Signal::default(),
            go: Signal::default(),
            valid: Signal::default(),
            first: Signal::default(),
            last_k: Signal::default(),
            final_step: Signal::default(),
            a_address: Signal::default(),
            b_address: Signal::default(),
            c_address: Signal::default(),
            outside: Signal::default(),
            outside_fractal: Signal::default(),
            m_count: Signal::default(),
            n_count: Signal::default(),
            k_count: Signal::default(),
            running: Reg::default(),
            starts: Reg::default(),
            b_base: Reg::default(),
            k_panels: Reg::default(),
            n_panels: Reg::default(),
            n_blocks: Reg::default(),
            k_blocks: Reg::default(),
            m_rest: Reg::default(),
            n_rest: Reg::default(),
            k_rest: Reg::default(),
            m_left: Reg::default(),
            n_left: Reg::default(),
            k_left: Reg::default(),
            m_in: Reg::default(),
            n_in: Reg::default(),
            k_in: Reg::default(),
            a_fractal: Reg::default(),
            a_row: Reg::default(),
            b_fractal: Reg::default(),
            b_row: Reg::default(),
            c_fractal: Reg::default(),
            c_row: Reg::default(),
            at_m: Signal::default(),
            at_n: Signal::default(),
            at_k: Signal::default(),
            a_next_row: Signal::default(),
            b_next_row: Signal::default(),
            c_next_row: Signal::default(),
            a_block: Signal::default(),
            b_block: Signal::default(),
            c_block: Signal::default(),
            a_bad: Signal::default(),
            b_bad: Signal::default(),
            c_bad: Signal::default(),
            m_in_last: number(m_in - 1),
            n_in_last: number(n_in - 1),
            k_in_last: number(k_in - 1),
            m_in_bits: bits(m_in),
            n_in_bits: bits(n_in),
            k_in_bits: bits(k_in),
            a_fractals: fractals(config.l0a_fractals()),
            b_fractals: fractals(config.l0b_fractals()),
            c_fractals: fractals(config.l0c_fractals()),
            m0: extent(config.m0),
            n0: extent(config.n0),
            k0: Constant::new((config.k0 as u64).into()),
        }
    }
}

impl Logic for Step {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("m_step: loops over the blocks of one m.mmad, m outside, then n, then k.");
        dff_setup!(self, clk, running, starts, b_base, k_panels, n_panels, n_blocks, k_blocks, m_rest, n_rest, k_rest);
        dff_setup!(self, clk, m_left, n_left, k_left, m_in, n_in, k_in);
        dff_setup!(self, clk, a_fractal, a_row, b_fractal, b_row, c_fractal, c_row);
        self.at_m.next = self.m_left.q.val() == 0;
        self.at_n.next = self.n_left.q.val() == 0;
        self.at_k.next = self.k_left.q.val() == 0;
        self.a_next_row.next = self.a_row.q.val() + bit_cast::<24, 16>(self.k_panels.q.val());
        self.b_next_row.next = self.b_row.q.val() + bit_cast::<24, 16>(self.k_panels.q.val());
        self.c_next_row.next = self.c_row.q.val() + bit_cast::<24, 16>(self.n_panels.q.val());
        if self.go.val() {
            self.starts.d.next = self.at_k.val();
            if !self.at_k.val() {
                self.k_left.d.next = self.k_left.q.val() - 1;
                self.k_in.d.next = self.k_in.q.val() + 1;
                if self.k_in.q.val() == self.k_in_last.val() {
                    self.k_in.d.next = 0.into();
                    self.a_fractal.d.next = self.a_fractal.q.val() + 1;
                    self.b_fractal.d.next = self.b_fractal.q.val() + 1;
                }
            } else {
                self.k_left.d.next = self.k_blocks.q.val();
                self.k_in.d.next = 0.into();
                self.a_fractal.d.next = self.a_row.q.val();
                self.b_fractal.d.next = self.b_row.q.val();
                if !self.at_n.val() {
                    self.n_left.d.next = self.n_left.q.val() - 1;
                    self.n_in.d.next = self.n_in.q.val() + 1;
                    if self.n_in.q.val() == self.n_in_last.val() {
                        self.n_in.d.next = 0.into();
                        self.b_row.d.next = self.b_next_row.val();
                        self.b_fractal.d.next = self.b_next_row.val();
                        self.c_fractal.d.next = self.c_fractal.q.val() + 1;
                    }
                } else {
                    self.n_left.d.next = self.n_blocks.q.val();
                    self.n_in.d.next = 0.into();
                    self.b_row.d.next = bit_cast::<24, 16>(self.b_base.q.val());
                    self.b_fractal.d.next = bit_cast::<24, 16>(self.b_base.q.val());
                    self.c_fractal.d.next = self.c_row.q.val();
                    self.m_left.d.next = self.m_left.q.val() - 1;
                    self.m_in.d.next = self.m_in.q.val() + 1;
                    if self.m_in.q.val() == self.m_in_last.val() {
                        self.m_in.d.next = 0.into();
                        self.a_row.d.next = self.a_next_row.val();
                        self.a_fractal.d.next = self.a_next_row.val();
                        self.c_row.d.next = self.c_next_row.val();
                        self.c_fractal.d.next = self.c_next_row.val();
                    }
                    if self.at_m.val() {
                        self.running.d.next = false;
                    }
                }
            }
        }
        if self.load.val() {
            self.running.d.next = true;
            self.starts.d.next = true;
            self.b_base.d.next = self.base_b.val();
            self.k_panels.d.next = self.k_fractals.val();
            self.n_panels.d.next = self.n_fractals.val();
            self.n_blocks.d.next = self.n_last.val();
            self.k_blocks.d.next = self.k_last.val();
            self.m_rest.d.next = self.m_tail.val();
            self.n_rest.d.next = self.n_tail.val();
            self.k_rest.d.next = self.k_tail.val();
            self.m_left.d.next = self.m_last.val();
            self.n_left.d.next = self.n_last.val();
            self.k_left.d.next = self.k_last.val();
            self.m_in.d.next = 0.into();
            self.n_in.d.next = 0.into();
            self.k_in.d.next = 0.into();
            self.a_fractal.d.next = bit_cast::<24, 16>(self.base_a.val());
            self.a_row.d.next = bit_cast::<24, 16>(self.base_a.val());
            self.b_fractal.d.next = bit_cast::<24, 16>(self.base_b.val());
            self.b_row.d.next = bit_cast::<24, 16>(self.base_b.val());
            self.c_fractal.d.next = bit_cast::<24, 16>(self.base_c.val());
            self.c_row.d.next = bit_cast::<24, 16>(self.base_c.val());
        }
        if self.rst.val() {
            self.running.d.next = false;
        }
        self.valid.next = self.running.q.val();
        self.first.next = self.starts.q.val();
        self.last_k.next = self.at_k.val();
        self.final_step.next = self.at_k.val() & self.at_n.val() & self.at_m.val();
        self.a_block.next = (((self.a_fractal.q.val() << self.m_in_bits.val()) | bit_cast::<24, 3>(self.m_in.q.val()))
            << self.k_in_bits.val())
            | bit_cast::<24, 3>(self.k_in.q.val());
        self.b_block.next = (((self.b_fractal.q.val() << self.n_in_bits.val()) | bit_cast::<24, 3>(self.n_in.q.val()))
            << self.k_in_bits.val())
            | bit_cast::<24, 3>(self.k_in.q.val());
        self.c_block.next = (((self.c_fractal.q.val() << self.m_in_bits.val()) | bit_cast::<24, 3>(self.m_in.q.val()))
            << self.n_in_bits.val())
            | bit_cast::<24, 3>(self.n_in.q.val());
        self.a_address.next = self.a_block.val().get_bits::<16>(0);
        self.b_address.next = self.b_block.val().get_bits::<16>(0);
        self.c_address.next = self.c_block.val().get_bits::<16>(0);
        self.a_bad.next = self.a_fractal.q.val() >= self.a_fractals.val();
        self.b_bad.next = self.b_fractal.q.val() >= self.b_fractals.val();
        self.c_bad.next = self.c_fractal.q.val() >= self.c_fractals.val();
        self.outside.next = self.a_bad.val() | self.b_bad.val() | self.c_bad.val();
        if self.a_bad.val() {
            self.outside_fractal.next = self.a_fractal.q.val();
        } else if self.b_bad.val() {
            self.outside_fractal.next = self.b_fractal.q.val();
        } else {
            self.outside_fractal.next = self.c_fractal.q.val();
        }
        self.m_count.next = self.m0.val();
        if self.at_m.val() {
            self.m_count.next = self.m_rest.q.val();
        }
        self.n_count.next = self.n0.val();
        if self.at_n.val() {
            self.n_count.next = self.n_rest.q.val();
        }
        self.k_count.next = self.k0.val();
        if self.at_k.val() {
            self.k_count.next = self.k_rest.q.val();
        }
    }
}
