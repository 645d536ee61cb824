// SPDX-License-Identifier: Apache-2.0
//! A core between two shift registers: all of it can be placed and routed on five pins, before a board top surrounds it.
//!
//! ```text
//!  ftdi_txd ──► input words ──► core ──► seen words ──► folded words ──► ftdi_rxd
//! ```
//! Every input of the core comes from a register of its own, every output ends in one, so that a path is either inside the core or one of its port
//! registers'. Nothing can be optimised away: each output bit reaches `ftdi_rxd`. It measures; it is no host link. Clock: that of the board.

use rtl::prim::prelude::*;
use rtl::top::Core;

/// Words of 32 bits that the inputs other than `m_axi_rdata` come from.
const INPUTS: usize = 4;

/// Words of 32 bits that the outputs other than `m_axi_wdata` and `m_axi_wstrb` go to.
const OUTPUTS: usize = 5;

/// The core in its harness.
#[derive(LogicBlock)]
pub(super) struct Harness<const B: usize, const S: usize> {
    /// Clock, rising edge.
    pub clk_25mhz: Signal<In, Clock>,
    /// Bits of the inputs, one per cycle.
    pub ftdi_txd: Signal<In, Bit>,
    /// Folded bits of the outputs, one per cycle.
    pub ftdi_rxd: Signal<Out, Bit>,
    /// The core's interrupt.
    pub led: Signal<Out, Bit>,
    core: Core<B, S>,
    shift: Vec<Reg<Bits<32>>>,
    shift_data: Reg<Bits<B>>,
    flags: Join<1, 32>,
    seen: Vec<Reg<Bits<32>>>,
    seen_data: Reg<Bits<B>>,
    seen_strobe: Reg<Bits<S>>,
    fold: Vec<Reg<Bits<32>>>,
    fold_data: Reg<Bits<B>>,
    fold_strobe: Reg<Bits<S>>,
    received: Reg<Bit>,
    interrupt: Reg<Bit>,
    _inputs: usize,
    _outputs: usize,
    _last_bit: usize,
    _last_strobe: usize,
}

impl<const B: usize, const S: usize> Harness<B, S> {
    /// The harness of this core.
    pub fn new(core: Core<B, S>) -> Self {
        Harness {
            clk_25mhz: Signal::default(),
            ftdi_txd: Signal::default(),
            ftdi_rxd: Signal::default(),
            led: Signal::default(),
            core,
            shift: vec![Reg::default(); INPUTS],
            shift_data: Reg::default(),
            flags: Join::default(),
            seen: vec![Reg::default(); OUTPUTS],
            seen_data: Reg::default(),
            seen_strobe: Reg::default(),
            fold: vec![Reg::default(); OUTPUTS],
            fold_data: Reg::default(),
            fold_strobe: Reg::default(),
            received: Reg::default(),
            interrupt: Reg::default(),
            _inputs: INPUTS,
            _outputs: OUTPUTS,
            _last_bit: B - 1,
            _last_strobe: S - 1,
        }
    }
}

impl<const B: usize, const S: usize> Logic for Harness<B, S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("harness: a core between two shift registers, to be placed and routed without a board top.");
        self.core.clk.next = self.clk_25mhz.val();
        self.shift_data.clock.next = self.clk_25mhz.val();
        self.seen_data.clock.next = self.clk_25mhz.val();
        self.seen_strobe.clock.next = self.clk_25mhz.val();
        self.fold_data.clock.next = self.clk_25mhz.val();
        self.fold_strobe.clock.next = self.clk_25mhz.val();
        self.received.clock.next = self.clk_25mhz.val();
        self.interrupt.clock.next = self.clk_25mhz.val();
        // Inputs.
        self.received.d.next = self.ftdi_txd.val();
        for i in 0..self._inputs {
            self.shift[i].clock.next = self.clk_25mhz.val();
        }
        self.shift[0].d.next = self.shift[0].q.val() << 1;
        if self.received.q.val() {
            self.shift[0].d.next = (self.shift[0].q.val() << 1) | 1;
        }
        for i in 1..self._inputs {
            self.shift[i].d.next = (self.shift[i].q.val() << 1) | (self.shift[i - 1].q.val() >> 31);
        }
        self.shift_data.d.next = self.shift_data.q.val() << 1;
        if self.shift[3].q.val().get_bit(31) {
            self.shift_data.d.next = (self.shift_data.q.val() << 1) | 1;
        }
        self.core.s_axil_wdata.next = self.shift[0].q.val();
        self.core.s_axil_awaddr.next = self.shift[1].q.val().get_bits::<16>(0);
        self.core.s_axil_araddr.next = self.shift[1].q.val().get_bits::<16>(16);
        self.core.s_axil_awprot.next = self.shift[2].q.val().get_bits::<3>(0);
        self.core.s_axil_arprot.next = self.shift[2].q.val().get_bits::<3>(3);
        self.core.s_axil_wstrb.next = self.shift[2].q.val().get_bits::<4>(6);
        self.core.s_axil_awvalid.next = self.shift[2].q.val().get_bit(10);
        self.core.s_axil_wvalid.next = self.shift[2].q.val().get_bit(11);
        self.core.s_axil_bready.next = self.shift[2].q.val().get_bit(12);
        self.core.s_axil_arvalid.next = self.shift[2].q.val().get_bit(13);
        self.core.s_axil_rready.next = self.shift[2].q.val().get_bit(14);
        self.core.m_axi_awready.next = self.shift[2].q.val().get_bit(15);
        self.core.m_axi_wready.next = self.shift[2].q.val().get_bit(16);
        self.core.m_axi_bid.next = self.shift[2].q.val().get_bits::<4>(17);
        self.core.m_axi_bresp.next = self.shift[2].q.val().get_bits::<2>(21);
        self.core.m_axi_bvalid.next = self.shift[2].q.val().get_bit(23);
        self.core.m_axi_arready.next = self.shift[2].q.val().get_bit(24);
        self.core.m_axi_rid.next = self.shift[2].q.val().get_bits::<4>(25);
        self.core.m_axi_rresp.next = self.shift[2].q.val().get_bits::<2>(29);
        self.core.m_axi_rlast.next = self.shift[2].q.val().get_bit(31);
        self.core.m_axi_rvalid.next = self.shift[3].q.val().get_bit(0);
        self.core.rst.next = self.shift[3].q.val().get_bit(1);
        self.core.m_axi_rdata.next = self.shift_data.q.val();
        // Outputs.
        for i in 0..32 {
            self.flags.lane[i].next = false.into();
        }
        self.flags.lane[0].next = self.core.s_axil_awready.val().into();
        self.flags.lane[1].next = self.core.s_axil_wready.val().into();
        self.flags.lane[2].next = self.core.s_axil_bvalid.val().into();
        self.flags.lane[3].next = self.core.s_axil_arready.val().into();
        self.flags.lane[4].next = self.core.s_axil_rvalid.val().into();
        self.flags.lane[5].next = self.core.m_axi_awvalid.val().into();
        self.flags.lane[6].next = self.core.m_axi_wlast.val().into();
        self.flags.lane[7].next = self.core.m_axi_wvalid.val().into();
        self.flags.lane[8].next = self.core.m_axi_bready.val().into();
        self.flags.lane[9].next = self.core.m_axi_arvalid.val().into();
        self.flags.lane[10].next = self.core.m_axi_rready.val().into();
        self.flags.lane[11].next = self.core.s_axil_bresp.val().get_bits::<1>(1);
        self.flags.lane[12].next = self.core.s_axil_rresp.val().get_bits::<1>(1);
        for i in 0..self._outputs {
            self.seen[i].clock.next = self.clk_25mhz.val();
            self.fold[i].clock.next = self.clk_25mhz.val();
        }
        self.seen[0].d.next = self.flags.word.val();
        self.seen[1].d.next = self.core.s_axil_rdata.val();
        self.seen[2].d.next = self.core.m_axi_awaddr.val().get_bits::<32>(0);
        self.seen[3].d.next = self.core.m_axi_araddr.val().get_bits::<32>(0);
        self.seen[4].d.next = (bit_cast::<32, 8>(self.core.m_axi_awaddr.val().get_bits::<8>(32)) << 24)
            | (bit_cast::<32, 8>(self.core.m_axi_araddr.val().get_bits::<8>(32)) << 16)
            | (bit_cast::<32, 8>(self.core.m_axi_awlen.val()) << 8)
            | bit_cast::<32, 8>(
                self.core.m_axi_arlen.val()
                    ^ (bit_cast::<8, 4>(self.core.m_axi_awid.val()) << 4)
                    ^ bit_cast::<8, 4>(self.core.m_axi_arid.val()),
            );
        self.seen_data.d.next = self.core.m_axi_wdata.val();
        self.seen_strobe.d.next = self.core.m_axi_wstrb.val();
        self.fold[0].d.next = (self.fold[0].q.val() << 1) ^ self.seen[0].q.val();
        for i in 1..self._outputs {
            self.fold[i].d.next =
                ((self.fold[i].q.val() << 1) | (self.fold[i - 1].q.val() >> 31)) ^ self.seen[i].q.val();
        }
        self.fold_data.d.next = (self.fold_data.q.val() << 1) ^ self.seen_data.q.val();
        self.fold_strobe.d.next = (self.fold_strobe.q.val() << 1) ^ self.seen_strobe.q.val();
        self.ftdi_rxd.next = false;
        for d in self._last_bit..(self._last_bit + 1) {
            for s in self._last_strobe..(self._last_strobe + 1) {
                self.ftdi_rxd.next = self.fold[4].q.val().get_bit(31)
                    ^ self.fold_data.q.val().get_bit(d)
                    ^ self.fold_strobe.q.val().get_bit(s);
            }
        }
        self.interrupt.d.next = self.core.irq.val();
        self.led.next = self.interrupt.q.val();
    }
}
