// SPDX-License-Identifier: Apache-2.0
//! One row of the cube: N0 dot products of the same K0 elements of A, each with its accumulator.

use super::accumulate::Accumulate;
use super::dot::Dot;
use crate::prim::prelude::*;

/// N0 dot products and accumulators.
#[derive(LogicBlock)]
pub struct Row {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// The accumulators add the dot products that arrive in this cycle.
    pub enable: Signal<In, Bit>,
    /// They go on from their totals.
    pub keep: Signal<In, Bit>,
    /// They start from `c`.
    pub load: Signal<In, Bit>,
    /// One row of a block of A: K0 elements.
    pub a: Vec<Signal<In, Bits<9>>>,
    /// A block of B: row j, element c at j * K0 + c.
    pub b: Vec<Signal<In, Bits<9>>>,
    /// One row of a block of C.
    pub c: Vec<Signal<In, Bits<32>>>,
    /// The N0 totals.
    pub total: Vec<Signal<Out, Bits<32>>>,
    dot: Vec<Dot>,
    accumulate: Vec<Accumulate>,
    _k0: usize,
    _n0: usize,
}

impl Row {
    /// A row of `n0` dot products of `k0` pairs, the first `blocks` products in multiplier blocks.
    pub fn new(k0: usize, n0: usize, blocks: usize) -> Self {
        Row {
            clk: Signal::default(),
            enable: Signal::default(),
            keep: Signal::default(),
            load: Signal::default(),
            a: vec![Signal::default(); k0],
            b: vec![Signal::default(); n0 * k0],
            c: vec![Signal::default(); n0],
            total: vec![Signal::default(); n0],
            dot: (0..n0).map(|j| Dot::new(k0, blocks.saturating_sub(j * k0).min(k0))).collect(),
            accumulate: (0..n0).map(|_| Accumulate::new()).collect(),
            _k0: k0,
            _n0: n0,
        }
    }
}

impl Logic for Row {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("cube_row_{a[]}x{c[]}: {c[]} dot products of the same {a[]} elements of A, with their accumulators.");
        for k in self._k0..(self._k0 + 1) {
            for j in 0..self._n0 {
                self.dot[j].clk.next = self.clk.val();
                for i in 0..self._k0 {
                    self.dot[j].a[i].next = self.a[i].val();
                    self.dot[j].b[i].next = self.b[j * k + i].val();
                }
                self.accumulate[j].clk.next = self.clk.val();
                self.accumulate[j].enable.next = self.enable.val();
                self.accumulate[j].keep.next = self.keep.val();
                self.accumulate[j].load.next = self.load.val();
                self.accumulate[j].c.next = self.c[j].val();
                self.accumulate[j].sum.next = self.dot[j].sum.val();
                self.total[j].next = self.accumulate[j].total.val();
            }
        }
    }
}
