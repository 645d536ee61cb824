// SPDX-License-Identifier: Apache-2.0
//! `ReadStream` and `WriteStream` on their AXI blocks, requester 0 free for the test.
#![allow(missing_docs)]

use isa::Config;
use rtl::axi::{AxiRead, AxiWrite, ReadStream, WriteStream};
use rtl::prim::prelude::*;

/// ReadStream on AxiRead.
#[derive(LogicBlock)]
pub struct ReadBench<const B: usize> {
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
    pub row_valid: Signal<In, Bit>,
    /// Of the unit.
    pub row_ready: Signal<Out, Bit>,
    /// Of the unit.
    pub row_address: Signal<In, Bits<40>>,
    /// Of the unit.
    pub row_length: Signal<In, Bits<24>>,
    /// Of the unit.
    pub row_tag: Signal<In, Bits<3>>,
    /// Of the unit.
    pub out_valid: Signal<Out, Bit>,
    /// Of the unit.
    pub out_ready: Signal<In, Bit>,
    /// Of the unit.
    pub out_data: Vec<Signal<Out, Bits<8>>>,
    /// Of the unit.
    pub out_count: Signal<Out, Bits<8>>,
    /// Of the unit.
    pub out_last: Signal<Out, Bit>,
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
    pub axi: AxiRead<B>,
    pub stream: ReadStream<B>,
    _bytes: usize,
    _s: usize,
    _chunk: usize,
}

impl<const B: usize> ReadBench<B> {
    pub fn new(config: &Config) -> Self {
        let chunk = config.m0.max(config.n0) * config.k0;
        ReadBench {
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
            row_valid: Signal::default(),
            row_ready: Signal::default(),
            row_address: Signal::default(),
            row_length: Signal::default(),
            row_tag: Signal::default(),
            out_valid: Signal::default(),
            out_ready: Signal::default(),
            out_data: vec![Signal::default(); B / 8],
            out_count: Signal::default(),
            out_last: Signal::default(),
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
            axi: AxiRead::new(config.outstanding),
            stream: ReadStream::new(config.outstanding),
            _bytes: B / 8,
            _s: (B / 8).min(32),
            _chunk: chunk,
        }
    }
}

impl<const B: usize> Logic for ReadBench<B> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("readbench: a unit on the AXI master.");
        self.axi.clk.next = self.clk.val();
        self.axi.rst.next = self.rst.val();
        self.stream.clk.next = self.clk.val();
        self.stream.rst.next = self.rst.val();
        for i in 0..8 {
            self.axi.lo[i].next = self.lo[i].val();
            self.axi.hi[i].next = self.hi[i].val();
            self.axi.rights[i].next = self.rights[i].val();
        }
        self.axi.halt.next = self.halt.val();
        self.quiet.next = self.axi.quiet.val();
        self.fault.next = self.axi.fault.val();
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
        self.stream.row_valid.next = self.row_valid.val();
        self.row_ready.next = self.stream.row_ready.val();
        self.stream.row_address.next = self.row_address.val();
        self.stream.row_length.next = self.row_length.val();
        self.stream.row_tag.next = self.row_tag.val();
        self.out_valid.next = self.stream.out_valid.val();
        self.stream.out_ready.next = self.out_ready.val();
        for i in 0..self._bytes {
            self.out_data[i].next = self.stream.out_data[i].val();
        }
        self.out_count.next = self.stream.out_count.val();
        self.out_last.next = self.stream.out_last.val();
        self.axi.request_valid[0].next = self.raw_request_valid.val();
        self.axi.request_valid[1].next = self.stream.request_valid.val();
        self.axi.request_address[0].next = self.raw_request_address.val();
        self.axi.request_address[1].next = self.stream.request_address.val();
        self.axi.request_beats[0].next = self.raw_request_beats.val();
        self.axi.request_beats[1].next = self.stream.request_beats.val();
        self.axi.request_skip[0].next = self.raw_request_skip.val();
        self.axi.request_skip[1].next = self.stream.request_skip.val();
        self.axi.request_trim[0].next = self.raw_request_trim.val();
        self.axi.request_trim[1].next = self.stream.request_trim.val();
        self.axi.request_tag[0].next = self.raw_request_tag.val();
        self.axi.request_tag[1].next = self.stream.request_tag.val();
        self.raw_request_ready.next = self.axi.request_ready[0].val();
        self.stream.request_ready.next = self.axi.request_ready[1].val();
        self.raw_data_valid.next = self.axi.data_valid[0].val();
        self.stream.data_valid.next = self.axi.data_valid[1].val();
        self.axi.data_ready[0].next = self.raw_data_ready.val();
        self.axi.data_ready[1].next = self.stream.data_ready.val();
        self.raw_data_last.next = self.axi.data_last[0].val();
        self.stream.data_last.next = self.axi.data_last[1].val();
        self.raw_data.next = self.axi.data.val();
        self.stream.data.next = self.axi.data.val();
    }
}

/// WriteStream on AxiWrite.
#[derive(LogicBlock)]
pub struct WriteBench<const B: usize, const S: usize> {
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
    pub row_valid: Signal<In, Bit>,
    /// Of the unit.
    pub row_ready: Signal<Out, Bit>,
    /// Of the unit.
    pub row_address: Signal<In, Bits<40>>,
    /// Of the unit.
    pub row_length: Signal<In, Bits<24>>,
    /// Of the unit.
    pub row_last: Signal<In, Bit>,
    /// Of the unit.
    pub in_valid: Signal<In, Bit>,
    /// Of the unit.
    pub in_ready: Signal<Out, Bit>,
    /// Of the unit.
    pub in_data: Vec<Signal<In, Bits<8>>>,
    /// Of the unit.
    pub retired: Signal<Out, Bit>,
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
    pub axi: AxiWrite<B, S>,
    pub stream: WriteStream<B>,
    _bytes: usize,
    _s: usize,
    _chunk: usize,
}

impl<const B: usize, const S: usize> WriteBench<B, S> {
    pub fn new(config: &Config) -> Self {
        let chunk = config.m0.max(config.n0) * config.k0;
        WriteBench {
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
            row_valid: Signal::default(),
            row_ready: Signal::default(),
            row_address: Signal::default(),
            row_length: Signal::default(),
            row_last: Signal::default(),
            in_valid: Signal::default(),
            in_ready: Signal::default(),
            in_data: vec![Signal::default(); B / 8],
            retired: Signal::default(),
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
            axi: AxiWrite::new(config.outstanding),
            stream: WriteStream::new(config.outstanding),
            _bytes: B / 8,
            _s: (B / 8).min(32),
            _chunk: chunk,
        }
    }
}

impl<const B: usize, const S: usize> Logic for WriteBench<B, S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("writebench: a unit on the AXI master.");
        self.axi.clk.next = self.clk.val();
        self.axi.rst.next = self.rst.val();
        self.stream.clk.next = self.clk.val();
        self.stream.rst.next = self.rst.val();
        for i in 0..8 {
            self.axi.lo[i].next = self.lo[i].val();
            self.axi.hi[i].next = self.hi[i].val();
            self.axi.rights[i].next = self.rights[i].val();
        }
        self.axi.halt.next = self.halt.val();
        self.quiet.next = self.axi.quiet.val();
        self.fault.next = self.axi.fault.val();
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
        self.stream.row_valid.next = self.row_valid.val();
        self.row_ready.next = self.stream.row_ready.val();
        self.stream.row_address.next = self.row_address.val();
        self.stream.row_length.next = self.row_length.val();
        self.stream.row_last.next = self.row_last.val();
        self.stream.in_valid.next = self.in_valid.val();
        self.in_ready.next = self.stream.in_ready.val();
        for i in 0..self._bytes {
            self.stream.in_data[i].next = self.in_data[i].val();
        }
        self.retired.next = self.stream.retired.val();
        self.axi.request_valid[0].next = self.raw_request_valid.val();
        self.axi.request_valid[1].next = self.stream.request_valid.val();
        self.axi.request_address[0].next = self.raw_request_address.val();
        self.axi.request_address[1].next = self.stream.request_address.val();
        self.axi.request_beats[0].next = self.raw_request_beats.val();
        self.axi.request_beats[1].next = self.stream.request_beats.val();
        self.axi.request_skip[0].next = self.raw_request_skip.val();
        self.axi.request_skip[1].next = self.stream.request_skip.val();
        self.axi.request_trim[0].next = self.raw_request_trim.val();
        self.axi.request_trim[1].next = self.stream.request_trim.val();
        self.axi.request_tag[0].next = self.raw_request_tag.val();
        self.axi.request_tag[1].next = self.stream.request_tag.val();
        self.raw_request_ready.next = self.axi.request_ready[0].val();
        self.stream.request_ready.next = self.axi.request_ready[1].val();
        self.axi.w_valid[0].next = self.raw_w_valid.val();
        self.axi.w_valid[1].next = self.stream.w_valid.val();
        self.raw_w_ready.next = self.axi.w_ready[0].val();
        self.stream.w_ready.next = self.axi.w_ready[1].val();
        self.axi.w_data[0].next = self.raw_w_data.val();
        self.axi.w_data[1].next = self.stream.w_data.val();
        self.raw_response_valid.next = self.axi.response_valid[0].val();
        self.stream.response_valid.next = self.axi.response_valid[1].val();
        for n in self._bytes..(self._bytes + 1) {
            for i in 0..self._bytes {
                self.axi.w_strb[i].next = self.raw_w_strb[i].val();
                self.axi.w_strb[n + i].next = self.stream.w_strb[i].val();
            }
        }
    }
}
