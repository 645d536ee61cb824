// SPDX-License-Identifier: Apache-2.0
//! How many of a step's M0 x K0 x N0 products belong to real elements: `macs(t+2) = m(t) n(t) k(t)`, with `step(t+2) = go(t)`.
//!
//! Shifted sums instead of `*`, so that no multiplier block of a small FPGA goes to a statistic.

use crate::prim::prelude::*;
use isa::Config;

/// Counts useful multiply-accumulates.
#[derive(LogicBlock)]
pub struct Useful {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// No step.
    pub rst: Signal<In, Bit>,
    /// A step is done.
    pub go: Signal<In, Bit>,
    /// Real rows.
    pub m_count: Signal<In, Bits<5>>,
    /// Real columns.
    pub n_count: Signal<In, Bits<5>>,
    /// Real elements along k.
    pub k_count: Signal<In, Bits<6>>,
    /// A step was done two cycles ago.
    pub step: Signal<Out, Bit>,
    /// Its useful products, 0 without a step.
    pub macs: Signal<Out, Bits<16>>,
    went: Reg<Bit>,
    area: Reg<Bits<16>>,
    height: Reg<Bits<6>>,
    stepped: Reg<Bit>,
    volume: Reg<Bits<16>>,
    area_part: Vec<Signal<Local, Bits<16>>>,
    volume_part: Vec<Signal<Local, Bits<16>>>,
    _m_bits: usize,
    _k_bits: usize,
}

impl Useful {
    /// The counter of this core.
    pub fn new(config: &Config) -> Self {
        let bits = |size: usize| size.trailing_zeros() as usize + 1;
        let (m_bits, k_bits) = (bits(config.m0), bits(config.k0));
        Useful {
            clk: Signal::default(),
            rst: Signal::default(),
            go: Signal::default(),
            m_count: Signal::default(),
            n_count: Signal::default(),
            k_count: Signal::default(),
            step: Signal::default(),
            macs: Signal::default(),
            went: Reg::default(),
            area: Reg::default(),
            height: Reg::default(),
            stepped: Reg::default(),
            volume: Reg::default(),
            area_part: vec![Signal::default(); m_bits + 1],
            volume_part: vec![Signal::default(); k_bits + 1],
            _m_bits: m_bits,
            _k_bits: k_bits,
        }
    }
}

impl Logic for Useful {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("m_useful: products of real elements in each cube step.");
        dff_setup!(self, clk, went, area, height, stepped, volume);
        self.area_part[0].next = 0.into();
        for i in 0..self._m_bits {
            self.area_part[i + 1].next = self.area_part[i].val();
            if self.m_count.val().get_bit(i) {
                self.area_part[i + 1].next =
                    self.area_part[i].val() + (bit_cast::<16, 5>(self.n_count.val()) << i.to_bits::<3>());
            }
        }
        self.volume_part[0].next = 0.into();
        for i in 0..self._k_bits {
            self.volume_part[i + 1].next = self.volume_part[i].val();
            if self.height.q.val().get_bit(i) {
                self.volume_part[i + 1].next = self.volume_part[i].val() + (self.area.q.val() << i.to_bits::<3>());
            }
        }
        self.went.d.next = self.go.val() & !self.rst.val();
        self.height.d.next = self.k_count.val();
        self.stepped.d.next = self.went.q.val() & !self.rst.val();
        for i in self._m_bits..(self._m_bits + 1) {
            self.area.d.next = self.area_part[i].val();
        }
        self.volume.d.next = 0.into();
        for i in self._k_bits..(self._k_bits + 1) {
            if self.went.q.val() {
                self.volume.d.next = self.volume_part[i].val();
            }
        }
        self.step.next = self.stepped.q.val();
        self.macs.next = self.volume.q.val();
    }
}
