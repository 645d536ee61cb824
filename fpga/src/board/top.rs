// SPDX-License-Identifier: Apache-2.0
//! A board: core, global memory, host link, lamps, reset, on one clock.
//!
//! ```text
//!  uart ◄──► link ──AXI4-Lite──► core ──AXI4──► share ──► block_ram or sdram ◄──► pins
//!              └────────AXI4───────────────────────┘                        led ◄── all of them
//! ```
//! Only wiring stands here, and what lamps and reset need. Everything outside a plain clock is in the board's wrapper (`pads`).

use super::block_ram::BlockRam;
use super::link::Link;
use super::sdram::{SDRAM_BITS, Sdram};
use super::share::Share;
use super::{Memory, Settings};
use isa::Config;
use isa::csr::Status;
use rtl::prim::prelude::*;
use rtl::top::Core;

/// log2 of the cycles that the lamp of the link stays on after a frame.
const BLINK_BITS: usize = 21;

/// A board whose core's bus has B bits in S bytes. The ports `sdram_*` are there if the memory is one.
#[derive(LogicBlock)]
pub struct Top<const B: usize, const S: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Everything is reset while this is 1, and 16 cycles longer; of any clock.
    pub hold: Signal<In, Bit>,
    /// Serial line from the host.
    pub uart_rx: Signal<In, Bit>,
    /// Serial line to the host.
    pub uart_tx: Signal<Out, Bit>,
    /// Lamps: heart beat, running, done, fault, link, noise, memory ready, host known.
    pub led: Signal<Out, Bits<8>>,
    /// RAS, CAS, WE, low active, bits 2, 1, 0.
    pub sdram_command: Vec<Signal<Out, Bits<3>>>,
    /// Bank.
    pub sdram_bank: Vec<Signal<Out, Bits<2>>>,
    /// Row, column, or mode.
    pub sdram_row: Vec<Signal<Out, Bits<13>>>,
    /// Bytes that are not written.
    pub sdram_mask: Vec<Signal<Out, Bits<2>>>,
    /// Written data.
    pub sdram_data_out: Vec<Signal<Out, Bits<16>>>,
    /// The board drives the data wires.
    pub sdram_data_drive: Vec<Signal<Out, Bit>>,
    /// Read data, behind a register of the pads.
    pub sdram_data_in: Vec<Signal<In, Bits<16>>>,
    core: Core<B, S>,
    link: Link<B, S>,
    share: Share<B, S>,
    ram: Vec<BlockRam<B, S>>,
    sdram: Vec<Sdram<B, S>>,
    lamps: Join<1, 8>,
    held: Reg<Bit>,
    held_still: Reg<Bit>,
    waited: Reg<Bits<4>>,
    beat: Reg<Bits<26>>,
    blink: Reg<Bits<22>>,
    noisy: Reg<Bit>,
    lit: Reg<Bits<8>>,
    rst: Signal<Local, Bit>,
    memory_ready: Signal<Local, Bit>,
    blink_start: Constant<Bits<22>>,
    running: Constant<Bits<2>>,
    done: Constant<Bits<2>>,
    fault: Constant<Bits<2>>,
    _ram: usize,
    _sdram: usize,
}

impl<const B: usize, const S: usize> Top<B, S> {
    /// The board of a legal `config` and checked `settings`; panics unless the core's bus has S bytes and B = 8 S.
    pub fn new(config: &Config, settings: &Settings) -> Self {
        let (ram, memory_bits) = match settings.memory {
            Memory::Block { bits } => (1, bits),
            Memory::Sdram => (0, SDRAM_BITS),
        };
        let sdram = 1 - ram;
        let state = |state: Status| Constant::new((state as u64).into());
        Top {
            clk: Signal::default(),
            hold: Signal::default(),
            uart_rx: Signal::default(),
            uart_tx: Signal::default(),
            led: Signal::default(),
            sdram_command: vec![Signal::default(); sdram],
            sdram_bank: vec![Signal::default(); sdram],
            sdram_row: vec![Signal::default(); sdram],
            sdram_mask: vec![Signal::default(); sdram],
            sdram_data_out: vec![Signal::default(); sdram],
            sdram_data_drive: vec![Signal::default(); sdram],
            sdram_data_in: vec![Signal::default(); sdram],
            core: Core::new(config, false),
            link: Link::new(settings.divider(), settings.clock_hz, memory_bits),
            share: Share::new(memory_bits),
            ram: (0..ram).map(|_| BlockRam::new(memory_bits)).collect(),
            sdram: (0..sdram).map(|_| Sdram::new(settings.clock_hz)).collect(),
            lamps: Join::default(),
            held: Reg::default(),
            held_still: Reg::default(),
            waited: Reg::default(),
            beat: Reg::default(),
            blink: Reg::default(),
            noisy: Reg::default(),
            lit: Reg::default(),
            rst: Signal::default(),
            memory_ready: Signal::default(),
            blink_start: Constant::new((1u64 << BLINK_BITS).into()),
            running: state(Status::Running),
            done: state(Status::Done),
            fault: state(Status::Fault),
            _ram: ram,
            _sdram: sdram,
        }
    }
}

impl<const B: usize, const S: usize> Logic for Top<B, S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("board: core, global memory and host link.");
        dff_setup!(self, clk, held, held_still, waited, beat, blink, noisy, lit);
        // Reset.
        self.held.d.next = self.hold.val();
        self.held_still.d.next = self.held.q.val();
        self.rst.next = self.waited.q.val() != 15;
        if self.waited.q.val() != 15 {
            self.waited.d.next = self.waited.q.val() + 1;
        }
        if self.held_still.q.val() {
            self.waited.d.next = 0.into();
        }
        self.core.clk.next = self.clk.val();
        self.core.rst.next = self.rst.val();
        self.link.clk.next = self.clk.val();
        self.link.rst.next = self.rst.val();
        self.share.clk.next = self.clk.val();
        self.share.rst.next = self.rst.val();

        // Host to registers.
        self.link.rx.next = self.uart_rx.val();
        self.uart_tx.next = self.link.tx.val();
        self.core.s_axil_awaddr.next = self.link.m_axil_awaddr.val();
        self.core.s_axil_awprot.next = 0.into();
        self.core.s_axil_awvalid.next = self.link.m_axil_awvalid.val();
        self.link.m_axil_awready.next = self.core.s_axil_awready.val();
        self.core.s_axil_wdata.next = self.link.m_axil_wdata.val();
        self.core.s_axil_wstrb.next = 15.into();
        self.core.s_axil_wvalid.next = self.link.m_axil_wvalid.val();
        self.link.m_axil_wready.next = self.core.s_axil_wready.val();
        self.link.m_axil_bresp.next = self.core.s_axil_bresp.val();
        self.link.m_axil_bvalid.next = self.core.s_axil_bvalid.val();
        self.core.s_axil_bready.next = self.link.m_axil_bready.val();
        self.core.s_axil_araddr.next = self.link.m_axil_araddr.val();
        self.core.s_axil_arprot.next = 0.into();
        self.core.s_axil_arvalid.next = self.link.m_axil_arvalid.val();
        self.link.m_axil_arready.next = self.core.s_axil_arready.val();
        self.link.m_axil_rdata.next = self.core.s_axil_rdata.val();
        self.link.m_axil_rresp.next = self.core.s_axil_rresp.val();
        self.link.m_axil_rvalid.next = self.core.s_axil_rvalid.val();
        self.core.s_axil_rready.next = self.link.m_axil_rready.val();

        // Core and host to memory.
        self.share.aw_valid[0].next = self.core.m_axi_awvalid.val();
        self.core.m_axi_awready.next = self.share.aw_ready[0].val();
        self.share.aw_address[0].next = self.core.m_axi_awaddr.val();
        self.share.aw_len[0].next = self.core.m_axi_awlen.val();
        self.share.aw_id[0].next = self.core.m_axi_awid.val();
        self.share.w_valid[0].next = self.core.m_axi_wvalid.val();
        self.core.m_axi_wready.next = self.share.w_ready[0].val();
        self.share.w_data[0].next = self.core.m_axi_wdata.val();
        self.share.w_strb[0].next = self.core.m_axi_wstrb.val();
        self.core.m_axi_bvalid.next = self.share.b_valid[0].val();
        self.share.b_ready[0].next = self.core.m_axi_bready.val();
        self.core.m_axi_bid.next = self.share.b_id.val();
        self.core.m_axi_bresp.next = self.share.b_resp.val();
        self.share.ar_valid[0].next = self.core.m_axi_arvalid.val();
        self.core.m_axi_arready.next = self.share.ar_ready[0].val();
        self.share.ar_address[0].next = self.core.m_axi_araddr.val();
        self.share.ar_len[0].next = self.core.m_axi_arlen.val();
        self.share.ar_id[0].next = self.core.m_axi_arid.val();
        self.core.m_axi_rvalid.next = self.share.r_valid[0].val();
        self.share.r_ready[0].next = self.core.m_axi_rready.val();
        self.core.m_axi_rdata.next = self.share.r_data.val();
        self.core.m_axi_rid.next = self.share.r_id.val();
        self.core.m_axi_rresp.next = self.share.r_resp.val();
        self.core.m_axi_rlast.next = self.share.r_last.val();
        self.share.aw_valid[1].next = self.link.m_axi_awvalid.val();
        self.link.m_axi_awready.next = self.share.aw_ready[1].val();
        self.share.aw_address[1].next = self.link.m_axi_awaddr.val();
        self.share.aw_len[1].next = self.link.m_axi_awlen.val();
        self.share.aw_id[1].next = 0.into();
        self.share.w_valid[1].next = self.link.m_axi_wvalid.val();
        self.link.m_axi_wready.next = self.share.w_ready[1].val();
        self.share.w_data[1].next = self.link.m_axi_wdata.val();
        self.share.w_strb[1].next = self.link.m_axi_wstrb.val();
        self.link.m_axi_bvalid.next = self.share.b_valid[1].val();
        self.share.b_ready[1].next = self.link.m_axi_bready.val();
        self.link.m_axi_bresp.next = self.share.b_resp.val();
        self.share.ar_valid[1].next = self.link.m_axi_arvalid.val();
        self.link.m_axi_arready.next = self.share.ar_ready[1].val();
        self.share.ar_address[1].next = self.link.m_axi_araddr.val();
        self.share.ar_len[1].next = self.link.m_axi_arlen.val();
        self.share.ar_id[1].next = 0.into();
        self.link.m_axi_rvalid.next = self.share.r_valid[1].val();
        self.share.r_ready[1].next = self.link.m_axi_rready.val();
        self.link.m_axi_rdata.next = self.share.r_data.val();
        self.link.m_axi_rresp.next = self.share.r_resp.val();

        // The memory.
        self.memory_ready.next = true;
        self.share.word_ready.next = false;
        self.share.get_valid.next = false;
        self.share.get_data.next = 0.into();
        for u in 0..self._ram {
            self.ram[u].clk.next = self.clk.val();
            self.ram[u].rst.next = self.rst.val();
            self.ram[u].word_valid.next = self.share.word_valid.val();
            self.ram[u].word_write.next = self.share.word_write.val();
            self.ram[u].word_address.next = self.share.word_address.val();
            self.ram[u].word_data.next = self.share.word_data.val();
            self.ram[u].word_strb.next = self.share.word_strb.val();
            self.share.word_ready.next = self.ram[u].word_ready.val();
            self.share.get_valid.next = self.ram[u].get_valid.val();
            self.share.get_data.next = self.ram[u].get_data.val();
        }
        for u in 0..self._sdram {
            self.sdram[u].clk.next = self.clk.val();
            self.sdram[u].rst.next = self.rst.val();
            self.sdram[u].word_valid.next = self.share.word_valid.val();
            self.sdram[u].word_write.next = self.share.word_write.val();
            self.sdram[u].word_address.next = self.share.word_address.val();
            self.sdram[u].word_data.next = self.share.word_data.val();
            self.sdram[u].word_strb.next = self.share.word_strb.val();
            self.share.word_ready.next = self.sdram[u].word_ready.val();
            self.share.get_valid.next = self.sdram[u].get_valid.val();
            self.share.get_data.next = self.sdram[u].get_data.val();
            self.memory_ready.next = self.sdram[u].ready.val();
            self.sdram_command[u].next = self.sdram[u].command.val();
            self.sdram_bank[u].next = self.sdram[u].bank.val();
            self.sdram_row[u].next = self.sdram[u].row.val();
            self.sdram_mask[u].next = self.sdram[u].mask.val();
            self.sdram_data_out[u].next = self.sdram[u].data_out.val();
            self.sdram_data_drive[u].next = self.sdram[u].data_drive.val();
            self.sdram[u].data_in.next = self.sdram_data_in[u].val();
        }

        // Lamps.
        self.beat.d.next = self.beat.q.val() + 1;
        if self.blink.q.val() != 0 {
            self.blink.d.next = self.blink.q.val() - 1;
        }
        if self.link.heard.val() {
            self.blink.d.next = self.blink_start.val();
        }
        if self.link.noise.val() {
            self.noisy.d.next = true;
        }
        self.lamps.lane[0].next = self.beat.q.val().get_bit(25).into();
        self.lamps.lane[1].next = (self.core.state.val() == self.running.val()).into();
        self.lamps.lane[2].next = (self.core.state.val() == self.done.val()).into();
        self.lamps.lane[3].next = (self.core.state.val() == self.fault.val()).into();
        self.lamps.lane[4].next = (self.blink.q.val() != 0).into();
        self.lamps.lane[5].next = self.noisy.q.val().into();
        self.lamps.lane[6].next = self.memory_ready.val().into();
        self.lamps.lane[7].next = self.link.greeted.val().into();
        self.lit.d.next = self.lamps.word.val();
        self.led.next = self.lit.q.val();
        if self.rst.val() {
            self.beat.d.next = 0.into();
            self.blink.d.next = 0.into();
            self.noisy.d.next = false;
        }
    }
}
