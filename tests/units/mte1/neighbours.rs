// SPDX-License-Identifier: Apache-2.0
//! MTE1 wired to the real L1, L0A, L0B and FB: the same contract on both sides of every port.

use rtl::fb::Fb;
use rtl::l0::L0;
use rtl::l1::L1;
use rtl::mte1::Mte1;
use rtl::prim::prelude::*;

#[derive(LogicBlock)]
pub struct Neighbours {
    pub clk: Signal<In, Clock>,
    pub rst: Signal<In, Bit>,
    pub op_valid: Signal<In, Bit>,
    pub op_ready: Signal<Out, Bit>,
    pub op_word: Vec<Signal<In, Bits<32>>>,
    pub set_valid: Signal<In, Bit>,
    pub set_register: Signal<In, Bits<8>>,
    pub set_value: Signal<In, Bits<32>>,
    pub early: Signal<Out, Bit>,
    pub done: Signal<Out, Bit>,
    pub active: Signal<Out, Bit>,
    pub fault: Signal<Out, Bit>,
    pub write_valid: Signal<In, Bit>,
    pub write_ready: Signal<Out, Bit>,
    pub write_address: Signal<In, Bits<24>>,
    pub write_data: Vec<Signal<In, Bits<8>>>,
    pub read1_valid: Signal<In, Bit>,
    pub read1_address: Signal<In, Bits<24>>,
    pub look: Vec<Signal<In, Bits<16>>>,
    pub full: Vec<Signal<Out, Bit>>,
    pub a: Vec<Signal<Out, Bits<9>>>,
    pub b: Vec<Signal<Out, Bits<9>>>,
    mte1: Mte1,
    l1: L1,
    l0a: L0,
    l0b: L0,
    fb: Fb,
    _s: usize,
    _writers: usize,
    _nb: usize,
    _lanes: usize,
    _a_lanes: usize,
    _b_lanes: usize,
}

impl Neighbours {
    pub fn new(core: &isa::Config) -> Self {
        let s = L1::segment(core);
        let (a, b) = (core.m0 * core.k0, core.n0 * core.k0);
        let l1 = L1::new(core);
        let writers = l1.write_valid.len();
        Neighbours {
            clk: Signal::default(),
            rst: Signal::default(),
            op_valid: Signal::default(),
            op_ready: Signal::default(),
            op_word: vec![Signal::default(); 8],
            set_valid: Signal::default(),
            set_register: Signal::default(),
            set_value: Signal::default(),
            early: Signal::default(),
            done: Signal::default(),
            active: Signal::default(),
            fault: Signal::default(),
            write_valid: Signal::default(),
            write_ready: Signal::default(),
            write_address: Signal::default(),
            write_data: vec![Signal::default(); s],
            read1_valid: Signal::default(),
            read1_address: Signal::default(),
            look: vec![Signal::default(); 2],
            full: vec![Signal::default(); 2],
            a: vec![Signal::default(); a],
            b: vec![Signal::default(); b],
            mte1: Mte1::new(core),
            l1,
            l0a: L0::a(core),
            l0b: L0::b(core),
            fb: Fb::new(core),
            _s: s,
            _writers: writers,
            _nb: core.m0.max(core.n0),
            _lanes: core.m0.max(core.n0) * core.k0,
            _a_lanes: a,
            _b_lanes: b,
        }
    }
}

impl Logic for Neighbours {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("neighbours: MTE1 between L1, L0A, L0B and FB.");
        self.mte1.clk.next = self.clk.val();
        self.l1.clk.next = self.clk.val();
        self.l0a.clk.next = self.clk.val();
        self.l0b.clk.next = self.clk.val();
        self.fb.clk.next = self.clk.val();
        self.mte1.rst.next = self.rst.val();
        self.l1.rst.next = self.rst.val();
        self.l0a.rst.next = self.rst.val();
        self.l0b.rst.next = self.rst.val();
        self.mte1.op_valid.next = self.op_valid.val();
        self.op_ready.next = self.mte1.op_ready.val();
        for w in 0..8 {
            self.mte1.op_word[w].next = self.op_word[w].val();
        }
        self.mte1.op_pc.next = 0.into();
        self.mte1.set_valid.next = self.set_valid.val();
        self.mte1.set_register.next = self.set_register.val();
        self.mte1.set_value.next = self.set_value.val();
        self.mte1.halt.next = false;
        self.early.next = self.mte1.early.val();
        self.done.next = self.mte1.done.val();
        self.active.next = self.mte1.active.val();
        self.fault.next = self.mte1.fault.val();
        self.l1.write_valid[0].next = self.write_valid.val();
        self.write_ready.next = self.l1.write_ready[0].val();
        self.l1.write_address[0].next = self.write_address.val();
        for p in 1..self._writers {
            self.l1.write_valid[p].next = false;
            self.l1.write_address[p].next = 0.into();
        }
        for s in self._s..(self._s + 1) {
            for i in 0..self._s {
                self.l1.write_enable[i].next = true;
                self.l1.write_data[i].next = self.write_data[i].val();
                for p in 1..self._writers {
                    self.l1.write_enable[p * s + i].next = false;
                    self.l1.write_data[p * s + i].next = 0.into();
                }
            }
        }
        self.l1.read1_valid.next = self.read1_valid.val();
        self.l1.read1_address.next = self.read1_address.val();
        self.l1.read0_valid.next = self.mte1.read0_valid.val();
        self.l1.read0_address.next = self.mte1.read0_address.val();
        self.l1.read0_rows.next = self.mte1.read0_rows.val();
        self.l1.read0_gather.next = self.mte1.read0_gather.val();
        for b in 0..self._nb {
            self.l1.read0_word[b].next = self.mte1.read0_word[b].val();
        }
        self.mte1.read0_ready.next = self.l1.read0_ready.val();
        self.mte1.read0_data_valid.next = self.l1.read0_data_valid.val();
        for i in 0..self._lanes {
            self.mte1.read0_data[i].next = self.l1.read0_data[i].val();
        }
        self.l0a.write_valid.next = self.mte1.l0a_write_valid.val();
        self.l0a.write_address.next = self.mte1.l0a_write_address.val();
        self.l0a.clear_valid.next = self.mte1.l0a_clear_valid.val();
        self.l0a.clear_first.next = self.mte1.l0a_clear_first.val();
        self.l0a.clear_last.next = self.mte1.l0a_clear_last.val();
        self.l0b.write_valid.next = self.mte1.l0b_write_valid.val();
        self.l0b.write_address.next = self.mte1.l0b_write_address.val();
        self.l0b.clear_valid.next = self.mte1.l0b_clear_valid.val();
        self.l0b.clear_first.next = self.mte1.l0b_clear_first.val();
        self.l0b.clear_last.next = self.mte1.l0b_clear_last.val();
        self.l0a.read_valid.next = true;
        self.l0a.read_address.next = self.look[0].val();
        self.l0b.read_valid.next = true;
        self.l0b.read_address.next = self.look[1].val();
        self.full[0].next = self.l0a.read_full.val();
        self.full[1].next = self.l0b.read_full.val();
        for i in 0..self._a_lanes {
            self.l0a.write_data[i].next = self.mte1.l0a_write_data[i].val();
            self.a[i].next = self.l0a.read_data[i].val();
        }
        for i in 0..self._b_lanes {
            self.l0b.write_data[i].next = self.mte1.l0b_write_data[i].val();
            self.b[i].next = self.l0b.read_data[i].val();
        }
        self.fb.write_valid.next = self.mte1.fb_write_valid.val();
        self.fb.write_field.next = self.mte1.fb_write_field.val();
        self.fb.write_channel.next = self.mte1.fb_write_channel.val();
        self.fb.write_data.next = self.mte1.fb_write_data.val();
        self.fb.fix_channel.next = 0.into();
        self.fb.zero_channel.next = self.mte1.zero_channel.val();
        self.mte1.zero_point.next = self.fb.zero_point.val();
    }
}
