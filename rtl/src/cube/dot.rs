// SPDX-License-Identifier: Apache-2.0
//! One dot product of K0 pairs: `sum(t + 2 + T) = a(t)[0] b(t)[0] + .. + a(t)[K0-1] b(t)[K0-1]`, exact.
//!
//! ```text
//!  a[K0], b[K0] ──► K0 mul (2 registers) ──► 4:1 ──reg──► 4:1 or 2:1 ──reg──► 2:1 ──reg──► sum
//! ```
//! T, the registers of the tree, one per two levels: 1 for K0 = 4, 2 for 8 and 16, 3 for 32. Each stage has the width its sums need.

use crate::prim::prelude::*;

/// Registers of the adder tree for K0 pairs.
pub const fn tree_depth(k0: usize) -> usize {
    k0.trailing_zeros().div_ceil(2) as usize
}

/// A registered dot product, one per cycle.
#[derive(LogicBlock)]
pub struct Dot {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// K0 signed factors.
    pub a: Vec<Signal<In, Bits<9>>>,
    /// K0 signed factors.
    pub b: Vec<Signal<In, Bits<9>>>,
    /// The dot product of 2 + T cycles before.
    pub sum: Signal<Out, Int<24>>,
    block: Vec<Mul>,
    row: Vec<Mul>,
    product: Vec<Signal<Local, Int<18>>>,
    quad: Vec<Reg<Int<20>>>,
    group: Vec<Reg<Int<22>>>,
    whole: Vec<Reg<Int<24>>>,
    _blocks: usize,
    _rows: usize,
    /// Sums of 4 and of 2 in the second stage, sums of 2 in the third.
    _fours: usize,
    _pairs: usize,
    _halves: usize,
    /// One turn for the stage that is the last.
    _quad_last: usize,
    _group_last: usize,
}

impl Dot {
    /// A dot product of `k0` (4, 8, 16 or 32) pairs, the first `blocks` of them in multiplier blocks.
    pub fn new(k0: usize, blocks: usize) -> Self {
        assert!(matches!(k0, 4 | 8 | 16 | 32), "a dot product has 4, 8, 16 or 32 pairs, not {k0}");
        assert!(blocks <= k0, "{blocks} multiplier blocks for {k0} pairs");
        let fours = if k0 >= 16 { k0 / 16 } else { 0 };
        let pairs = usize::from(k0 == 8);
        let halves = usize::from(k0 == 32);
        Dot {
            clk: Signal::default(),
            a: vec![Signal::default(); k0],
            b: vec![Signal::default(); k0],
            sum: Signal::default(),
            block: vec![Mul::new(MulKind::Block); blocks],
            row: vec![Mul::new(MulKind::Row); k0 - blocks],
            product: vec![Signal::default(); k0],
            quad: vec![Reg::default(); k0 / 4],
            group: vec![Reg::default(); fours + pairs],
            whole: vec![Reg::default(); halves],
            _blocks: blocks,
            _rows: k0 - blocks,
            _fours: fours,
            _pairs: pairs,
            _halves: halves,
            _quad_last: usize::from(k0 == 4),
            _group_last: usize::from(k0 == 8 || k0 == 16),
        }
    }
}

impl Logic for Dot {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("dot_{a[]}_{block[]}: sum of {a[]} signed products, {block[]} of them made by multiplier blocks.");
        for i in 0..self._blocks {
            self.block[i].clock.next = self.clk.val();
            self.block[i].a.next = self.a[i].val();
            self.block[i].b.next = self.b[i].val();
            self.product[i].next = self.block[i].p.val();
        }
        for first in self._blocks..(self._blocks + 1) {
            for i in 0..self._rows {
                self.row[i].clock.next = self.clk.val();
                self.row[i].a.next = self.a[first + i].val();
                self.row[i].b.next = self.b[first + i].val();
                self.product[first + i].next = self.row[i].p.val();
            }
        }
        for i in 0..((self._blocks + self._rows) / 4) {
            self.quad[i].clock.next = self.clk.val();
            self.quad[i].d.next = ((self.product[4 * i].val() + self.product[4 * i + 1].val())
                + (self.product[4 * i + 2].val() + self.product[4 * i + 3].val()))
            .into();
        }
        for i in 0..self._fours {
            self.group[i].clock.next = self.clk.val();
            self.group[i].d.next = ((self.quad[4 * i].q.val() + self.quad[4 * i + 1].q.val())
                + (self.quad[4 * i + 2].q.val() + self.quad[4 * i + 3].q.val()))
            .into();
        }
        for i in 0..self._pairs {
            self.group[i].clock.next = self.clk.val();
            self.group[i].d.next = (self.quad[2 * i].q.val() + self.quad[2 * i + 1].q.val()).into();
        }
        for i in 0..self._halves {
            self.whole[i].clock.next = self.clk.val();
            self.whole[i].d.next = (self.group[2 * i].q.val() + self.group[2 * i + 1].q.val()).into();
            self.sum.next = self.whole[i].q.val();
        }
        for i in 0..self._quad_last {
            self.sum.next = signed_cast_ext(self.quad[i].q.val());
        }
        for i in 0..self._group_last {
            self.sum.next = signed_cast_ext(self.group[i].q.val());
        }
    }
}
