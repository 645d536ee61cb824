// SPDX-License-Identifier: Apache-2.0
//! MTE2 and MTE3 on their AXI blocks, requester 0 free for the test.
#![allow(missing_docs)]

use isa::Config;
use rtl::axi::{AxiRead, AxiWrite};
use rtl::l1::L1;
use rtl::mte2::Mte2;
use rtl::mte3::Mte3;
use rtl::prim::prelude::*;

/// MTE2 on AxiRead.
#[derive(LogicBlock)]
pub struct Mte2Bench<const B: usize> {
    /// Clock.
    pub clk: Signal<In, Clock>,
    /// Reset.
    pub rst: Signal<In, Bit>,
    /// Windows.
    pub lo: Vec<Signal<In, Bits<40>>>,
    /// Windows.
    pub hi: Vec<Signal<In, Bits<40>>>,
    /// Windows.
    pub rights: Vec<Signal<In, Bits<3>>>,
    /// Of the AXI block.
    pub halt: Signal<In, Bit>,
    /// Of the AXI block.
    pub quiet: Signal<Out, Bit>,
    /// Of the AXI block.
    pub fault: Signal<Out, Bit>,
    /// Of the AXI block.
    pub fault_requester: Signal<Out, Bits<3>>,
    /// Of the AXI block.
    pub fault_cause: Signal<Out, Bits<8>>,
    /// Of the AXI block.
    pub fault_address: Signal<Out, Bits<40>>,
    /// Of the AXI block.
    pub fault_tag: Signal<Out, Bits<3>>,
    /// AXI.
    pub m_axi_arid: Signal<Out, Bits<4>>,
    /// AXI.
    pub m_axi_araddr: Signal<Out, Bits<40>>,
    /// AXI.
    pub m_axi_arlen: Signal<Out, Bits<8>>,
    /// AXI.
    pub m_axi_arsize: Signal<Out, Bits<3>>,
    /// AXI.
    pub m_axi_arburst: Signal<Out, Bits<2>>,
    /// AXI.
    pub m_axi_arvalid: Signal<Out, Bit>,
    /// AXI.
    pub m_axi_arready: Signal<In, Bit>,
    /// AXI.
    pub m_axi_rid: Signal<In, Bits<4>>,
    /// AXI.
    pub m_axi_rdata: Signal<In, Bits<B>>,
    /// AXI.
    pub m_axi_rresp: Signal<In, Bits<2>>,
    /// AXI.
    pub m_axi_rlast: Signal<In, Bit>,
    /// AXI.
    pub m_axi_rvalid: Signal<In, Bit>,
    /// AXI.
    pub m_axi_rready: Signal<Out, Bit>,
    /// Of the unit.
    pub op_valid: Signal<In, Bit>,
    /// Of the unit.
    pub op_ready: Signal<Out, Bit>,
    /// Of the unit.
    pub op_word: Vec<Signal<In, Bits<32>>>,
    /// Of the unit.
    pub op_pc: Signal<In, Bits<32>>,
    /// Of the unit.
    pub set_valid: Signal<In, Bit>,
    /// Of the unit.
    pub set_register: Signal<In, Bits<8>>,
    /// Of the unit.
    pub set_value: Signal<In, Bits<32>>,
    /// Of the unit.
    pub done: Signal<Out, Bit>,
    /// Of the unit.
    pub active: Signal<Out, Bit>,
    /// Of the unit.
    pub stall_memory: Signal<Out, Bit>,
    /// Of the unit.
    pub base: Vec<Signal<In, Bits<40>>>,
    /// Of the unit.
    pub inner_fault: Signal<Out, Bit>,
    /// Of the unit.
    pub inner_fault_cause: Signal<Out, Bits<8>>,
    /// Of the unit.
    pub inner_fault_address: Signal<Out, Bits<40>>,
    /// Of the unit.
    pub write_valid: Signal<Out, Bit>,
    /// Of the unit.
    pub write_ready: Signal<In, Bit>,
    /// Of the unit.
    pub ub_write_valid: Vec<Signal<Out, Bit>>,
    /// Of the unit.
    pub ub_write_ready: Vec<Signal<In, Bit>>,
    /// Of the unit.
    pub write_address: Signal<Out, Bits<24>>,
    /// Of the unit.
    pub write_enable: Vec<Signal<Out, Bit>>,
    /// Of the unit.
    pub write_data: Vec<Signal<Out, Bits<8>>>,
    /// Requester 0.
    pub raw_request_valid: Signal<In, Bit>,
    /// Requester 0.
    pub raw_request_address: Signal<In, Bits<40>>,
    /// Requester 0.
    pub raw_request_beats: Signal<In, Bits<8>>,
    /// Requester 0.
    pub raw_request_skip: Signal<In, Bits<8>>,
    /// Requester 0.
    pub raw_request_trim: Signal<In, Bits<8>>,
    /// Requester 0.
    pub raw_request_tag: Signal<In, Bits<3>>,
    /// Requester 0.
    pub raw_request_ready: Signal<Out, Bit>,
    /// Requester 0.
    pub raw_data_valid: Signal<Out, Bit>,
    /// Requester 0.
    pub raw_data_ready: Signal<In, Bit>,
    /// Requester 0.
    pub raw_data_last: Signal<Out, Bit>,
    /// Requester 0.
    pub raw_data: Signal<Out, Bits<B>>,
    /// Program counters.
    pub bus_pc: Signal<Out, Bits<32>>,
    pub inner_fault_pc: Signal<Out, Bits<32>>,
    pub axi: AxiRead<B>,
    pub engine: Mte2<B>,
    _bytes: usize,
    _s: usize,
    _chunk: usize,
    _ub: usize,
}

impl<const B: usize> Mte2Bench<B> {
    pub fn new(config: &Config) -> Self {
        let ub = usize::from(config.ub_bytes > 0);
        let chunk = config.m0.max(config.n0) * config.k0;
        Mte2Bench {
            clk: Signal::default(),
            rst: Signal::default(),
            lo: vec![Signal::default(); 8],
            hi: vec![Signal::default(); 8],
            rights: vec![Signal::default(); 8],
            halt: Signal::default(),
            quiet: Signal::default(),
            fault: Signal::default(),
            fault_requester: Signal::default(),
            fault_cause: Signal::default(),
            fault_address: Signal::default(),
            fault_tag: Signal::default(),
            m_axi_arid: Signal::default(),
            m_axi_araddr: Signal::default(),
            m_axi_arlen: Signal::default(),
            m_axi_arsize: Signal::default(),
            m_axi_arburst: Signal::default(),
            m_axi_arvalid: Signal::default(),
            m_axi_arready: Signal::default(),
            m_axi_rid: Signal::default(),
            m_axi_rdata: Signal::default(),
            m_axi_rresp: Signal::default(),
            m_axi_rlast: Signal::default(),
            m_axi_rvalid: Signal::default(),
            m_axi_rready: Signal::default(),
            op_valid: Signal::default(),
            op_ready: Signal::default(),
            op_word: vec![Signal::default(); 8],
            op_pc: Signal::default(),
            set_valid: Signal::default(),
            set_register: Signal::default(),
            set_value: Signal::default(),
            done: Signal::default(),
            active: Signal::default(),
            stall_memory: Signal::default(),
            base: vec![Signal::default(); 16],
            inner_fault: Signal::default(),
            inner_fault_cause: Signal::default(),
            inner_fault_address: Signal::default(),
            write_valid: Signal::default(),
            write_ready: Signal::default(),
            ub_write_valid: vec![Signal::default(); ub],
            ub_write_ready: vec![Signal::default(); ub],
            write_address: Signal::default(),
            write_enable: vec![Signal::default(); L1::segment(config)],
            write_data: vec![Signal::default(); L1::segment(config)],
            raw_request_valid: Signal::default(),
            raw_request_address: Signal::default(),
            raw_request_beats: Signal::default(),
            raw_request_skip: Signal::default(),
            raw_request_trim: Signal::default(),
            raw_request_tag: Signal::default(),
            raw_request_ready: Signal::default(),
            raw_data_valid: Signal::default(),
            raw_data_ready: Signal::default(),
            raw_data_last: Signal::default(),
            raw_data: Signal::default(),
            bus_pc: Signal::default(),
            inner_fault_pc: Signal::default(),
            axi: AxiRead::new(config.outstanding),
            engine: Mte2::new(config),
            _bytes: B / 8,
            _s: L1::segment(config),
            _chunk: chunk,
            _ub: ub,
        }
    }
}

impl<const B: usize> Logic for Mte2Bench<B> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte2bench: a unit on the AXI master.");
        self.axi.clk.next = self.clk.val();
        self.axi.rst.next = self.rst.val();
        self.engine.clk.next = self.clk.val();
        self.engine.rst.next = self.rst.val();
        for i in 0..8 {
            self.axi.lo[i].next = self.lo[i].val();
            self.axi.hi[i].next = self.hi[i].val();
            self.axi.rights[i].next = self.rights[i].val();
        }
        self.axi.halt.next = self.halt.val();
        self.quiet.next = self.axi.quiet.val();
        // As in the core: the engine says when its turn is.
        self.fault.next =
            self.axi.fault.val() & ((self.axi.fault_requester.val() != 1) | self.engine.bus_fault_due.val());
        self.fault_requester.next = self.axi.fault_requester.val();
        self.fault_cause.next = self.axi.fault_cause.val();
        self.fault_address.next = self.axi.fault_address.val();
        self.fault_tag.next = self.axi.fault_tag.val();
        self.m_axi_arid.next = self.axi.m_axi_arid.val();
        self.m_axi_araddr.next = self.axi.m_axi_araddr.val();
        self.m_axi_arlen.next = self.axi.m_axi_arlen.val();
        self.m_axi_arsize.next = self.axi.m_axi_arsize.val();
        self.m_axi_arburst.next = self.axi.m_axi_arburst.val();
        self.m_axi_arvalid.next = self.axi.m_axi_arvalid.val();
        self.axi.m_axi_arready.next = self.m_axi_arready.val();
        self.axi.m_axi_rid.next = self.m_axi_rid.val();
        self.axi.m_axi_rdata.next = self.m_axi_rdata.val();
        self.axi.m_axi_rresp.next = self.m_axi_rresp.val();
        self.axi.m_axi_rlast.next = self.m_axi_rlast.val();
        self.axi.m_axi_rvalid.next = self.m_axi_rvalid.val();
        self.m_axi_rready.next = self.axi.m_axi_rready.val();
        self.engine.op_valid.next = self.op_valid.val();
        self.op_ready.next = self.engine.op_ready.val();
        for i in 0..8 {
            self.engine.op_word[i].next = self.op_word[i].val();
        }
        self.engine.op_pc.next = self.op_pc.val();
        self.done.next = self.engine.done.val();
        self.active.next = self.engine.active.val();
        self.stall_memory.next = self.engine.stall_memory.val();
        for i in 0..16 {
            self.engine.base[i].next = self.base[i].val();
        }
        self.inner_fault.next = self.engine.fault.val();
        self.inner_fault_cause.next = self.engine.fault_cause.val();
        self.inner_fault_address.next = self.engine.fault_address.val();
        self.write_valid.next = self.engine.write_valid.val();
        self.engine.write_ready.next = self.write_ready.val();
        for u in 0..self._ub {
            self.ub_write_valid[u].next = self.engine.ub_write_valid[u].val();
            self.engine.ub_write_ready[u].next = self.ub_write_ready[u].val();
        }
        self.write_address.next = self.engine.write_address.val();
        for i in 0..self._s {
            self.write_enable[i].next = self.engine.write_enable[i].val();
        }
        for i in 0..self._s {
            self.write_data[i].next = self.engine.write_data[i].val();
        }
        self.axi.request_valid[0].next = self.raw_request_valid.val();
        self.axi.request_valid[1].next = self.engine.request_valid.val();
        self.axi.request_address[0].next = self.raw_request_address.val();
        self.axi.request_address[1].next = self.engine.request_address.val();
        self.axi.request_beats[0].next = self.raw_request_beats.val();
        self.axi.request_beats[1].next = self.engine.request_beats.val();
        self.axi.request_skip[0].next = self.raw_request_skip.val();
        self.axi.request_skip[1].next = self.engine.request_skip.val();
        self.axi.request_trim[0].next = self.raw_request_trim.val();
        self.axi.request_trim[1].next = self.engine.request_trim.val();
        self.axi.request_tag[0].next = self.raw_request_tag.val();
        self.axi.request_tag[1].next = self.engine.request_tag.val();
        self.raw_request_ready.next = self.axi.request_ready[0].val();
        self.engine.request_ready.next = self.axi.request_ready[1].val();
        self.raw_data_valid.next = self.axi.data_valid[0].val();
        self.engine.data_valid.next = self.axi.data_valid[1].val();
        self.axi.data_ready[0].next = self.raw_data_ready.val();
        self.axi.data_ready[1].next = self.engine.data_ready.val();
        self.raw_data_last.next = self.axi.data_last[0].val();
        self.engine.data_last.next = self.axi.data_last[1].val();
        self.raw_data.next = self.axi.data.val();
        self.engine.data.next = self.axi.data.val();
        self.engine.set_valid.next = self.set_valid.val();
        self.engine.set_register.next = self.set_register.val();
        self.engine.set_value.next = self.set_value.val();
        self.engine.halt.next = self.halt.val();
        self.engine.bus_tag.next = self.axi.fault_tag.val();
        self.engine.bus_fault.next =
            self.axi.fault.val() & self.axi.fault_settled.val() & (self.axi.fault_requester.val() == 1);
        self.bus_pc.next = self.engine.bus_pc.val();
        self.inner_fault_pc.next = self.engine.fault_pc.val();
    }
}

/// MTE3 on AxiWrite.
#[derive(LogicBlock)]
pub struct Mte3Bench<const B: usize, const S: usize> {
    /// Clock.
    pub clk: Signal<In, Clock>,
    /// Reset.
    pub rst: Signal<In, Bit>,
    /// Windows.
    pub lo: Vec<Signal<In, Bits<40>>>,
    /// Windows.
    pub hi: Vec<Signal<In, Bits<40>>>,
    /// Windows.
    pub rights: Vec<Signal<In, Bits<3>>>,
    /// Of the AXI block.
    pub halt: Signal<In, Bit>,
    /// Of the AXI block.
    pub quiet: Signal<Out, Bit>,
    /// Of the AXI block.
    pub fault: Signal<Out, Bit>,
    /// Of the AXI block.
    pub fault_requester: Signal<Out, Bits<3>>,
    /// Of the AXI block.
    pub fault_cause: Signal<Out, Bits<8>>,
    /// Of the AXI block.
    pub fault_address: Signal<Out, Bits<40>>,
    /// Of the AXI block.
    pub fault_tag: Signal<Out, Bits<3>>,
    /// AXI.
    pub m_axi_awid: Signal<Out, Bits<4>>,
    /// AXI.
    pub m_axi_awaddr: Signal<Out, Bits<40>>,
    /// AXI.
    pub m_axi_awlen: Signal<Out, Bits<8>>,
    /// AXI.
    pub m_axi_awsize: Signal<Out, Bits<3>>,
    /// AXI.
    pub m_axi_awburst: Signal<Out, Bits<2>>,
    /// AXI.
    pub m_axi_awvalid: Signal<Out, Bit>,
    /// AXI.
    pub m_axi_awready: Signal<In, Bit>,
    /// AXI.
    pub m_axi_wdata: Signal<Out, Bits<B>>,
    /// AXI.
    pub m_axi_wstrb: Signal<Out, Bits<S>>,
    /// AXI.
    pub m_axi_wlast: Signal<Out, Bit>,
    /// AXI.
    pub m_axi_wvalid: Signal<Out, Bit>,
    /// AXI.
    pub m_axi_wready: Signal<In, Bit>,
    /// AXI.
    pub m_axi_bid: Signal<In, Bits<4>>,
    /// AXI.
    pub m_axi_bresp: Signal<In, Bits<2>>,
    /// AXI.
    pub m_axi_bvalid: Signal<In, Bit>,
    /// AXI.
    pub m_axi_bready: Signal<Out, Bit>,
    /// Of the unit.
    pub op_valid: Signal<In, Bit>,
    /// Of the unit.
    pub op_ready: Signal<Out, Bit>,
    /// Of the unit.
    pub op_word: Vec<Signal<In, Bits<32>>>,
    /// Of the unit.
    pub op_pc: Signal<In, Bits<32>>,
    /// Of the unit.
    pub set_valid: Signal<In, Bit>,
    /// Of the unit.
    pub set_register: Signal<In, Bits<8>>,
    /// Of the unit.
    pub set_value: Signal<In, Bits<32>>,
    /// Of the unit.
    pub done: Signal<Out, Bit>,
    /// Of the unit.
    pub active: Signal<Out, Bit>,
    /// Of the unit.
    pub stall_memory: Signal<Out, Bit>,
    /// Of the unit.
    pub base: Vec<Signal<In, Bits<40>>>,
    /// Of the unit.
    pub inner_fault: Signal<Out, Bit>,
    /// Of the unit.
    pub inner_fault_cause: Signal<Out, Bits<8>>,
    /// Of the unit.
    pub inner_fault_address: Signal<Out, Bits<40>>,
    /// Of the unit.
    pub read_valid: Signal<Out, Bit>,
    /// Of the unit.
    pub read_ready: Signal<In, Bit>,
    /// Of the unit.
    pub read_ub_valid: Vec<Signal<Out, Bit>>,
    pub read_ub_ready: Vec<Signal<In, Bit>>,
    /// Of the unit.
    pub write_valid: Vec<Signal<Out, Bit>>,
    /// Of the unit.
    pub write_ready: Vec<Signal<In, Bit>>,
    /// Of the unit.
    pub write_address: Vec<Signal<Out, Bits<24>>>,
    /// Of the unit.
    pub write_enable: Vec<Signal<Out, Bit>>,
    /// Of the unit.
    pub write_data: Vec<Signal<Out, Bits<8>>>,
    /// Of the unit.
    pub read_address: Signal<Out, Bits<24>>,
    /// Of the unit.
    pub read_data_valid: Signal<In, Bit>,
    /// Of the unit.
    pub read_data: Vec<Signal<In, Bits<8>>>,
    /// Requester 0.
    pub raw_request_valid: Signal<In, Bit>,
    /// Requester 0.
    pub raw_request_address: Signal<In, Bits<40>>,
    /// Requester 0.
    pub raw_request_beats: Signal<In, Bits<8>>,
    /// Requester 0.
    pub raw_request_skip: Signal<In, Bits<8>>,
    /// Requester 0.
    pub raw_request_trim: Signal<In, Bits<8>>,
    /// Requester 0.
    pub raw_request_tag: Signal<In, Bits<3>>,
    /// Requester 0.
    pub raw_request_ready: Signal<Out, Bit>,
    /// Requester 0.
    pub raw_w_valid: Signal<In, Bit>,
    /// Requester 0.
    pub raw_w_ready: Signal<Out, Bit>,
    /// Requester 0.
    pub raw_w_data: Signal<In, Bits<B>>,
    /// Requester 0.
    pub raw_response_valid: Signal<Out, Bit>,
    /// Requester 0.
    pub raw_w_strb: Vec<Signal<In, Bit>>,
    /// Program counters.
    pub bus_pc: Signal<Out, Bits<32>>,
    pub inner_fault_pc: Signal<Out, Bits<32>>,
    pub axi: AxiWrite<B, S>,
    pub engine: Mte3<B>,
    _bytes: usize,
    _s: usize,
    _chunk: usize,
    _ub: usize,
}

impl<const B: usize, const S: usize> Mte3Bench<B, S> {
    pub fn new(config: &Config) -> Self {
        let ub = usize::from(config.ub_bytes > 0);
        let chunk = config.m0.max(config.n0) * config.k0;
        Mte3Bench {
            clk: Signal::default(),
            rst: Signal::default(),
            lo: vec![Signal::default(); 8],
            hi: vec![Signal::default(); 8],
            rights: vec![Signal::default(); 8],
            halt: Signal::default(),
            quiet: Signal::default(),
            fault: Signal::default(),
            fault_requester: Signal::default(),
            fault_cause: Signal::default(),
            fault_address: Signal::default(),
            fault_tag: Signal::default(),
            m_axi_awid: Signal::default(),
            m_axi_awaddr: Signal::default(),
            m_axi_awlen: Signal::default(),
            m_axi_awsize: Signal::default(),
            m_axi_awburst: Signal::default(),
            m_axi_awvalid: Signal::default(),
            m_axi_awready: Signal::default(),
            m_axi_wdata: Signal::default(),
            m_axi_wstrb: Signal::default(),
            m_axi_wlast: Signal::default(),
            m_axi_wvalid: Signal::default(),
            m_axi_wready: Signal::default(),
            m_axi_bid: Signal::default(),
            m_axi_bresp: Signal::default(),
            m_axi_bvalid: Signal::default(),
            m_axi_bready: Signal::default(),
            op_valid: Signal::default(),
            op_ready: Signal::default(),
            op_word: vec![Signal::default(); 8],
            op_pc: Signal::default(),
            set_valid: Signal::default(),
            set_register: Signal::default(),
            set_value: Signal::default(),
            done: Signal::default(),
            active: Signal::default(),
            stall_memory: Signal::default(),
            base: vec![Signal::default(); 16],
            inner_fault: Signal::default(),
            inner_fault_cause: Signal::default(),
            inner_fault_address: Signal::default(),
            read_valid: Signal::default(),
            read_ready: Signal::default(),
            read_ub_valid: vec![Signal::default(); ub],
            read_ub_ready: vec![Signal::default(); ub],
            write_valid: vec![Signal::default(); ub],
            write_ready: vec![Signal::default(); ub],
            write_address: vec![Signal::default(); ub],
            write_enable: vec![Signal::default(); ub * L1::segment(config)],
            write_data: vec![Signal::default(); ub * L1::segment(config)],
            read_address: Signal::default(),
            read_data_valid: Signal::default(),
            read_data: vec![Signal::default(); chunk],
            raw_request_valid: Signal::default(),
            raw_request_address: Signal::default(),
            raw_request_beats: Signal::default(),
            raw_request_skip: Signal::default(),
            raw_request_trim: Signal::default(),
            raw_request_tag: Signal::default(),
            raw_request_ready: Signal::default(),
            raw_w_valid: Signal::default(),
            raw_w_ready: Signal::default(),
            raw_w_data: Signal::default(),
            raw_response_valid: Signal::default(),
            raw_w_strb: vec![Signal::default(); B / 8],
            bus_pc: Signal::default(),
            inner_fault_pc: Signal::default(),
            axi: AxiWrite::new(config.outstanding),
            engine: Mte3::new(config),
            _bytes: B / 8,
            _s: L1::segment(config),
            _chunk: chunk,
            _ub: ub,
        }
    }
}

impl<const B: usize, const S: usize> Logic for Mte3Bench<B, S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte3bench: a unit on the AXI master.");
        self.axi.clk.next = self.clk.val();
        self.axi.rst.next = self.rst.val();
        self.engine.clk.next = self.clk.val();
        self.engine.rst.next = self.rst.val();
        for i in 0..8 {
            self.axi.lo[i].next = self.lo[i].val();
            self.axi.hi[i].next = self.hi[i].val();
            self.axi.rights[i].next = self.rights[i].val();
        }
        self.axi.halt.next = self.halt.val();
        self.quiet.next = self.axi.quiet.val();
        // As in the core: the engine says when its turn is.
        self.fault.next =
            self.axi.fault.val() & ((self.axi.fault_requester.val() != 1) | self.engine.bus_fault_due.val());
        self.fault_requester.next = self.axi.fault_requester.val();
        self.fault_cause.next = self.axi.fault_cause.val();
        self.fault_address.next = self.axi.fault_address.val();
        self.fault_tag.next = self.axi.fault_tag.val();
        self.m_axi_awid.next = self.axi.m_axi_awid.val();
        self.m_axi_awaddr.next = self.axi.m_axi_awaddr.val();
        self.m_axi_awlen.next = self.axi.m_axi_awlen.val();
        self.m_axi_awsize.next = self.axi.m_axi_awsize.val();
        self.m_axi_awburst.next = self.axi.m_axi_awburst.val();
        self.m_axi_awvalid.next = self.axi.m_axi_awvalid.val();
        self.axi.m_axi_awready.next = self.m_axi_awready.val();
        self.m_axi_wdata.next = self.axi.m_axi_wdata.val();
        self.m_axi_wstrb.next = self.axi.m_axi_wstrb.val();
        self.m_axi_wlast.next = self.axi.m_axi_wlast.val();
        self.m_axi_wvalid.next = self.axi.m_axi_wvalid.val();
        self.axi.m_axi_wready.next = self.m_axi_wready.val();
        self.axi.m_axi_bid.next = self.m_axi_bid.val();
        self.axi.m_axi_bresp.next = self.m_axi_bresp.val();
        self.axi.m_axi_bvalid.next = self.m_axi_bvalid.val();
        self.m_axi_bready.next = self.axi.m_axi_bready.val();
        self.engine.op_valid.next = self.op_valid.val();
        self.op_ready.next = self.engine.op_ready.val();
        for i in 0..8 {
            self.engine.op_word[i].next = self.op_word[i].val();
        }
        self.engine.op_pc.next = self.op_pc.val();
        self.done.next = self.engine.done.val();
        self.active.next = self.engine.active.val();
        self.stall_memory.next = self.engine.stall_memory.val();
        for i in 0..16 {
            self.engine.base[i].next = self.base[i].val();
        }
        self.inner_fault.next = self.engine.fault.val();
        self.inner_fault_cause.next = self.engine.fault_cause.val();
        self.inner_fault_address.next = self.engine.fault_address.val();
        self.read_valid.next = self.engine.read_valid.val();
        self.engine.read_ready.next = self.read_ready.val();
        self.read_address.next = self.engine.read_address.val();
        for u in 0..self._ub {
            self.read_ub_valid[u].next = self.engine.read_ub_valid[u].val();
            self.engine.read_ub_ready[u].next = self.read_ub_ready[u].val();
            self.write_valid[u].next = self.engine.write_valid[u].val();
            self.engine.write_ready[u].next = self.write_ready[u].val();
            self.write_address[u].next = self.engine.write_address[u].val();
        }
        for i in 0..(self._ub * self._s) {
            self.write_enable[i].next = self.engine.write_enable[i].val();
            self.write_data[i].next = self.engine.write_data[i].val();
        }
        self.engine.read_data_valid.next = self.read_data_valid.val();
        for i in 0..self._chunk {
            self.engine.read_data[i].next = self.read_data[i].val();
        }
        self.axi.request_valid[0].next = self.raw_request_valid.val();
        self.axi.request_valid[1].next = self.engine.request_valid.val();
        self.axi.request_address[0].next = self.raw_request_address.val();
        self.axi.request_address[1].next = self.engine.request_address.val();
        self.axi.request_beats[0].next = self.raw_request_beats.val();
        self.axi.request_beats[1].next = self.engine.request_beats.val();
        self.axi.request_skip[0].next = self.raw_request_skip.val();
        self.axi.request_skip[1].next = self.engine.request_skip.val();
        self.axi.request_trim[0].next = self.raw_request_trim.val();
        self.axi.request_trim[1].next = self.engine.request_trim.val();
        self.axi.request_tag[0].next = self.raw_request_tag.val();
        self.axi.request_tag[1].next = self.engine.request_tag.val();
        self.raw_request_ready.next = self.axi.request_ready[0].val();
        self.engine.request_ready.next = self.axi.request_ready[1].val();
        self.axi.w_valid[0].next = self.raw_w_valid.val();
        self.axi.w_valid[1].next = self.engine.w_valid.val();
        self.raw_w_ready.next = self.axi.w_ready[0].val();
        self.engine.w_ready.next = self.axi.w_ready[1].val();
        self.axi.w_data[0].next = self.raw_w_data.val();
        self.axi.w_data[1].next = self.engine.w_data.val();
        self.raw_response_valid.next = self.axi.response_valid[0].val();
        self.engine.response_valid.next = self.axi.response_valid[1].val();
        for n in self._bytes..(self._bytes + 1) {
            for i in 0..self._bytes {
                self.axi.w_strb[i].next = self.raw_w_strb[i].val();
                self.axi.w_strb[n + i].next = self.engine.w_strb[i].val();
            }
        }
        self.engine.set_valid.next = self.set_valid.val();
        self.engine.set_register.next = self.set_register.val();
        self.engine.set_value.next = self.set_value.val();
        self.engine.halt.next = self.halt.val();
        self.engine.bus_tag.next = self.axi.fault_tag.val();
        self.engine.bus_fault.next = self.axi.fault.val() & (self.axi.fault_requester.val() == 1);
        self.engine.bus_answer.next = self.axi.fault_answer.val();
        self.engine.admitted.next = self.axi.admitted[1].val();
        self.engine.flying.next = self.axi.flying[1].val();
        self.engine.unanswered.next = self.axi.unanswered[1].val();
        self.bus_pc.next = self.engine.bus_pc.val();
        self.inner_fault_pc.next = self.engine.fault_pc.val();
    }
}
