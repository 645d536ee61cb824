// SPDX-License-Identifier: Apache-2.0
//! The M0 x K0 x N0 multipliers: one block product per cycle, `total[i][j] = base[i][j] + a[i] . b[j]`.
//!
//! ```text
//!  a[M0*K0], b[N0*K0] at t ──────► 2 + T cycles ──┐
//!  enable, keep, load, c[M0*N0] at t + 2 + T ─────┴──► total[M0*N0] at t + 3 + T
//! ```

use super::row::Row;
use crate::prim::prelude::*;
use isa::Config;

/// M0 rows of N0 dot products of K0 pairs.
#[derive(LogicBlock)]
pub struct Array {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Add what arrives in this cycle.
    pub enable: Signal<In, Bit>,
    /// Go on from the totals.
    pub keep: Signal<In, Bit>,
    /// Start from `c`; neither: start from 0.
    pub load: Signal<In, Bit>,
    /// A block of A: row i, element c at i * K0 + c.
    pub a: Vec<Signal<In, Bits<9>>>,
    /// A block of B: row j, element c at j * K0 + c.
    pub b: Vec<Signal<In, Bits<9>>>,
    /// A block of C: row i, column j at i * N0 + j.
    pub c: Vec<Signal<In, Bits<32>>>,
    /// The totals, ordered like `c`.
    pub total: Vec<Signal<Out, Bits<32>>>,
    row: Vec<Row>,
    _m0: usize,
    _k0: usize,
    _n0: usize,
}

impl Array {
    /// The multipliers of this core; the first `config.dsp_mults` use multiplier blocks.
    pub fn new(config: &Config) -> Self {
        let (m0, k0, n0) = (config.m0, config.k0, config.n0);
        let blocks = |i: usize| config.dsp_mults.saturating_sub(i * k0 * n0).min(k0 * n0);
        Array {
            clk: Signal::default(),
            enable: Signal::default(),
            keep: Signal::default(),
            load: Signal::default(),
            a: vec![Signal::default(); m0 * k0],
            b: vec![Signal::default(); n0 * k0],
            c: vec![Signal::default(); m0 * n0],
            total: vec![Signal::default(); m0 * n0],
            row: (0..m0).map(|i| Row::new(k0, n0, blocks(i))).collect(),
            _m0: m0,
            _k0: k0,
            _n0: n0,
        }
    }
}

impl Logic for Array {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("cube_array: {row[]} rows of dot products, one block product per cycle.");
        for k in self._k0..(self._k0 + 1) {
            for n in self._n0..(self._n0 + 1) {
                for i in 0..self._m0 {
                    self.row[i].clk.next = self.clk.val();
                    self.row[i].enable.next = self.enable.val();
                    self.row[i].keep.next = self.keep.val();
                    self.row[i].load.next = self.load.val();
                    for e in 0..self._k0 {
                        self.row[i].a[e].next = self.a[i * k + e].val();
                    }
                    for e in 0..(self._n0 * self._k0) {
                        self.row[i].b[e].next = self.b[e].val();
                    }
                    for j in 0..self._n0 {
                        self.row[i].c[j].next = self.c[i * n + j].val();
                        self.total[i * n + j].next = self.row[i].total[j].val();
                    }
                }
            }
        }
    }
}
