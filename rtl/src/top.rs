// SPDX-License-Identifier: Apache-2.0
//! The whole core: control side and data path, one AXI4 master, one AXI4-Lite slave, one interrupt.
//!
//! ```text
//!  s_axil_* ──► csr ──► control ──► halt, core_rst                 irq ◄── csr
//!               │ bases, windows          │ launch
//!  m_axi_r* ──► axi_read ──► sequencer ──► issue[pipe] ──► engine[pipe]      flags between the issues
//!                   │                                       mte2 ──► l1 ──► mte1 ──► l0a, l0b, fb ──► m ──► l0c ──► fix
//!                   └──────────────────────────────────────► mte2                                             fix ──► write_stream, l1
//!  m_axi_w* ◄── axi_write ◄── write_stream (fix), mte3 ◄── l1, ub       ub (if there is one): mte2, fix ──► ub ──► fix, mte3 ──► l1
//! ```
//! Only wiring stands here: every rule is in the unit that keeps it. `core_rst` resets everything but `csr` and `control`; it comes only
//! while the bus is quiet. Tests: `tests/core.rs`. Pages: `docs/units/`.

use crate::axi::{AxiRead, AxiWrite, WriteStream};
use crate::control::Control;
use crate::counters::Counters;
use crate::csr::Csr;
use crate::cube::M;
use crate::fb::Fb;
use crate::fix::Fix;
use crate::flags::Flags;
use crate::issue::Issue;
use crate::l0::L0;
use crate::l0c::L0c;
use crate::l1::L1;
use crate::mte1::Mte1;
use crate::mte2::Mte2;
use crate::mte3::Mte3;
use crate::prim::prelude::*;
use crate::sequencer::Sequencer;
use crate::ub::Ub;
use isa::Config;

/// A core whose bus has B bits in S bytes. Port names are the ones that AXI tools bind by prefix.
#[derive(LogicBlock)]
#[allow(missing_docs)] // The AXI ports are named by the AXI standard.
pub struct Core<const B: usize, const S: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Reset of everything, synchronous, active high.
    pub rst: Signal<In, Bit>,
    /// Interrupt, level.
    pub irq: Signal<Out, Bit>,
    /// Field `state` of the status register, for lamps and for logic beside the core.
    pub state: Signal<Out, Bits<2>>,
    pub s_axil_awaddr: Signal<In, Bits<16>>,
    pub s_axil_awprot: Signal<In, Bits<3>>,
    pub s_axil_awvalid: Signal<In, Bit>,
    pub s_axil_awready: Signal<Out, Bit>,
    pub s_axil_wdata: Signal<In, Bits<32>>,
    pub s_axil_wstrb: Signal<In, Bits<4>>,
    pub s_axil_wvalid: Signal<In, Bit>,
    pub s_axil_wready: Signal<Out, Bit>,
    pub s_axil_bresp: Signal<Out, Bits<2>>,
    pub s_axil_bvalid: Signal<Out, Bit>,
    pub s_axil_bready: Signal<In, Bit>,
    pub s_axil_araddr: Signal<In, Bits<16>>,
    pub s_axil_arprot: Signal<In, Bits<3>>,
    pub s_axil_arvalid: Signal<In, Bit>,
    pub s_axil_arready: Signal<Out, Bit>,
    pub s_axil_rdata: Signal<Out, Bits<32>>,
    pub s_axil_rresp: Signal<Out, Bits<2>>,
    pub s_axil_rvalid: Signal<Out, Bit>,
    pub s_axil_rready: Signal<In, Bit>,
    pub m_axi_awid: Signal<Out, Bits<4>>,
    pub m_axi_awaddr: Signal<Out, Bits<40>>,
    pub m_axi_awlen: Signal<Out, Bits<8>>,
    pub m_axi_awsize: Signal<Out, Bits<3>>,
    pub m_axi_awburst: Signal<Out, Bits<2>>,
    pub m_axi_awlock: Signal<Out, Bit>,
    pub m_axi_awcache: Signal<Out, Bits<4>>,
    pub m_axi_awprot: Signal<Out, Bits<3>>,
    pub m_axi_awqos: Signal<Out, Bits<4>>,
    pub m_axi_awvalid: Signal<Out, Bit>,
    pub m_axi_awready: Signal<In, Bit>,
    pub m_axi_wdata: Signal<Out, Bits<B>>,
    pub m_axi_wstrb: Signal<Out, Bits<S>>,
    pub m_axi_wlast: Signal<Out, Bit>,
    pub m_axi_wvalid: Signal<Out, Bit>,
    pub m_axi_wready: Signal<In, Bit>,
    pub m_axi_bid: Signal<In, Bits<4>>,
    pub m_axi_bresp: Signal<In, Bits<2>>,
    pub m_axi_bvalid: Signal<In, Bit>,
    pub m_axi_bready: Signal<Out, Bit>,
    pub m_axi_arid: Signal<Out, Bits<4>>,
    pub m_axi_araddr: Signal<Out, Bits<40>>,
    pub m_axi_arlen: Signal<Out, Bits<8>>,
    pub m_axi_arsize: Signal<Out, Bits<3>>,
    pub m_axi_arburst: Signal<Out, Bits<2>>,
    pub m_axi_arlock: Signal<Out, Bit>,
    pub m_axi_arcache: Signal<Out, Bits<4>>,
    pub m_axi_arprot: Signal<Out, Bits<3>>,
    pub m_axi_arqos: Signal<Out, Bits<4>>,
    pub m_axi_arvalid: Signal<Out, Bit>,
    pub m_axi_arready: Signal<In, Bit>,
    pub m_axi_rid: Signal<In, Bits<4>>,
    pub m_axi_rdata: Signal<In, Bits<B>>,
    pub m_axi_rresp: Signal<In, Bits<2>>,
    pub m_axi_rlast: Signal<In, Bit>,
    pub m_axi_rvalid: Signal<In, Bit>,
    pub m_axi_rready: Signal<Out, Bit>,
    /// The counters count this cycle; this port and the others `trace_*` exist in a traced core only.
    pub trace_running: Vec<Signal<Out, Bit>>,
    /// The cube makes a step.
    pub trace_step: Vec<Signal<Out, Bit>>,
    /// Program counter of the head of each pipe, in the order of `Pipe::WORKERS`; it means something with `trace_start`.
    pub trace_pc: Vec<Signal<Out, Bits<32>>>,
    /// An operation is handed to the engine.
    pub trace_start: Vec<Signal<Out, Bit>>,
    /// The oldest operation of the engine is finished.
    pub trace_done: Vec<Signal<Out, Bit>>,
    /// The operation handed over last raises its early flags.
    pub trace_early: Vec<Signal<Out, Bit>>,
    /// An instruction enters the queue.
    pub trace_queued: Vec<Signal<Out, Bit>>,
    /// The pipe waits for a flag; with none of the four waits it is busy.
    pub trace_wait_flag: Vec<Signal<Out, Bit>>,
    /// The engine waits for a full bit.
    pub trace_wait_block: Vec<Signal<Out, Bit>>,
    /// The engine waits for memory.
    pub trace_wait_memory: Vec<Signal<Out, Bit>>,
    /// The pipe holds no instruction.
    pub trace_wait_queue: Vec<Signal<Out, Bit>>,
    csr: Csr,
    control: Control,
    counters: Counters,
    axi_read: AxiRead<B>,
    axi_write: AxiWrite<B, S>,
    sequencer: Sequencer<B>,
    flags: Flags,
    issue: Vec<Issue>,
    mte2: Mte2<B>,
    l1: L1,
    ub: Vec<Ub>,
    mte1: Mte1,
    l0a: L0,
    l0b: L0,
    fb: Fb,
    m: M,
    l0c: L0c,
    fix: Fix<B>,
    write_stream: WriteStream<B>,
    mte3: Mte3<B>,
    core_rst: Signal<Local, Bit>,
    halt: Signal<Local, Bit>,
    read_beat: Signal<Local, Bit>,
    write_beat: Signal<Local, Bit>,
    some_busy: Signal<Local, Bit>,
    _pipes: usize,
    _traced: usize,
    _trace_core: usize,
    _windows: usize,
    _bases: usize,
    _bytes: usize,
    _segment: usize,
    _ub: usize,
    _a_lanes: usize,
    _b_lanes: usize,
    _c_lanes: usize,
    _l1_lanes: usize,
    _banks: usize,
    _columns: usize,
}

impl<const B: usize, const S: usize> Core<B, S> {
    /// The core that `config` describes, with or without the ports `trace_*`; panics unless its bus has S bytes and B = 8 S.
    pub fn new(config: &Config, traced: bool) -> Self {
        assert!(config.bus_bytes == S && B == 8 * S, "the bus has {} bytes, not {S}", config.bus_bytes);
        let (m0, n0, k0) = (config.m0, config.n0, config.k0);
        let ub = usize::from(config.ub_bytes > 0);
        let traced = if traced { PIPES } else { 0 };
        Core {
            clk: Signal::default(),
            rst: Signal::default(),
            irq: Signal::default(),
            state: Signal::default(),
            s_axil_awaddr: Signal::default(),
            s_axil_awprot: Signal::default(),
            s_axil_awvalid: Signal::default(),
            s_axil_awready: Signal::default(),
            s_axil_wdata: Signal::default(),
            s_axil_wstrb: Signal::default(),
            s_axil_wvalid: Signal::default(),
            s_axil_wready: Signal::default(),
            s_axil_bresp: Signal::default(),
            s_axil_bvalid: Signal::default(),
            s_axil_bready: Signal::default(),
            s_axil_araddr: Signal::default(),
            s_axil_arprot: Signal::default(),
            s_axil_arvalid: Signal::default(),
            s_axil_arready: Signal::default(),
            s_axil_rdata: Signal::default(),
            s_axil_rresp: Signal::default(),
            s_axil_rvalid: Signal::default(),
            s_axil_rready: Signal::default(),
            m_axi_awid: Signal::default(),
            m_axi_awaddr: Signal::default(),
            m_axi_awlen: Signal::default(),
            m_axi_awsize: Signal::default(),
            m_axi_awburst: Signal::default(),
            m_axi_awlock: Signal::default(),
            m_axi_awcache: Signal::default(),
            m_axi_awprot: Signal::default(),
            m_axi_awqos: Signal::default(),
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
            m_axi_arid: Signal::default(),
            m_axi_araddr: Signal::default(),
            m_axi_arlen: Signal::default(),
            m_axi_arsize: Signal::default(),
            m_axi_arburst: Signal::default(),
            m_axi_arlock: Signal::default(),
            m_axi_arcache: Signal::default(),
            m_axi_arprot: Signal::default(),
            m_axi_arqos: Signal::default(),
            m_axi_arvalid: Signal::default(),
            m_axi_arready: Signal::default(),
            m_axi_rid: Signal::default(),
            m_axi_rdata: Signal::default(),
            m_axi_rresp: Signal::default(),
            m_axi_rlast: Signal::default(),
            m_axi_rvalid: Signal::default(),
            m_axi_rready: Signal::default(),
            trace_running: vec![Signal::default(); traced.min(1)],
            trace_step: vec![Signal::default(); traced.min(1)],
            trace_pc: vec![Signal::default(); traced],
            trace_start: vec![Signal::default(); traced],
            trace_done: vec![Signal::default(); traced],
            trace_early: vec![Signal::default(); traced],
            trace_queued: vec![Signal::default(); traced],
            trace_wait_flag: vec![Signal::default(); traced],
            trace_wait_block: vec![Signal::default(); traced],
            trace_wait_memory: vec![Signal::default(); traced],
            trace_wait_queue: vec![Signal::default(); traced],
            csr: Csr::new(config),
            control: Control::default(),
            counters: Counters::new(config),
            axi_read: AxiRead::new(config.outstanding),
            axi_write: AxiWrite::new(config.outstanding),
            sequencer: Sequencer::new(config),
            flags: Flags::default(),
            issue: (0..PIPES).map(|_| Issue::new(config)).collect(),
            mte2: Mte2::new(config),
            l1: L1::new(config),
            ub: (0..ub).map(|_| Ub::new(config)).collect(),
            mte1: Mte1::new(config),
            l0a: L0::a(config),
            l0b: L0::b(config),
            fb: Fb::new(config),
            m: M::new(config),
            l0c: L0c::new(config),
            fix: Fix::new(config),
            write_stream: WriteStream::new(config.outstanding),
            mte3: Mte3::new(config),
            core_rst: Signal::default(),
            halt: Signal::default(),
            read_beat: Signal::default(),
            write_beat: Signal::default(),
            some_busy: Signal::default(),
            _pipes: PIPES,
            _traced: traced,
            _trace_core: traced.min(1),
            _windows: 8,
            _bases: 16,
            _bytes: S,
            _segment: L1::segment(config),
            _ub: ub,
            _a_lanes: m0 * k0,
            _b_lanes: n0 * k0,
            _c_lanes: m0 * n0,
            _l1_lanes: m0.max(n0) * k0,
            _banks: m0.max(n0),
            _columns: (config.fix_lanes / m0).max(1),
        }
    }
}

/// Pipes with a queue: MTE2, MTE1, M, FIX, MTE3.
const PIPES: usize = 5;

impl<const B: usize, const S: usize> Logic for Core<B, S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("quader: the whole core.");
        self.core_rst.next = self.control.core_rst.val();
        self.halt.next = self.control.halt.val();
        self.csr.clk.next = self.clk.val();
        self.csr.rst.next = self.rst.val();
        self.control.clk.next = self.clk.val();
        self.control.rst.next = self.rst.val();
        self.counters.clk.next = self.clk.val();
        self.counters.rst.next = self.rst.val();
        self.axi_read.clk.next = self.clk.val();
        self.axi_read.rst.next = self.core_rst.val();
        self.axi_write.clk.next = self.clk.val();
        self.axi_write.rst.next = self.core_rst.val();
        self.sequencer.clk.next = self.clk.val();
        self.sequencer.rst.next = self.core_rst.val();
        self.flags.clk.next = self.clk.val();
        self.flags.rst.next = self.core_rst.val();
        self.mte2.clk.next = self.clk.val();
        self.mte2.rst.next = self.core_rst.val();
        self.l1.clk.next = self.clk.val();
        self.l1.rst.next = self.core_rst.val();
        self.mte1.clk.next = self.clk.val();
        self.mte1.rst.next = self.core_rst.val();
        self.l0a.clk.next = self.clk.val();
        self.l0a.rst.next = self.core_rst.val();
        self.l0b.clk.next = self.clk.val();
        self.l0b.rst.next = self.core_rst.val();
        self.m.clk.next = self.clk.val();
        self.m.rst.next = self.core_rst.val();
        self.l0c.clk.next = self.clk.val();
        self.l0c.rst.next = self.core_rst.val();
        self.fix.clk.next = self.clk.val();
        self.fix.rst.next = self.core_rst.val();
        self.write_stream.clk.next = self.clk.val();
        self.write_stream.rst.next = self.core_rst.val();
        self.mte3.clk.next = self.clk.val();
        self.mte3.rst.next = self.core_rst.val();
        self.fb.clk.next = self.clk.val();
        // The host's side.
        self.csr.s_axil_awaddr.next = self.s_axil_awaddr.val();
        self.csr.s_axil_awprot.next = self.s_axil_awprot.val();
        self.csr.s_axil_awvalid.next = self.s_axil_awvalid.val();
        self.s_axil_awready.next = self.csr.s_axil_awready.val();
        self.csr.s_axil_wdata.next = self.s_axil_wdata.val();
        self.csr.s_axil_wstrb.next = self.s_axil_wstrb.val();
        self.csr.s_axil_wvalid.next = self.s_axil_wvalid.val();
        self.s_axil_wready.next = self.csr.s_axil_wready.val();
        self.s_axil_bresp.next = self.csr.s_axil_bresp.val();
        self.s_axil_bvalid.next = self.csr.s_axil_bvalid.val();
        self.csr.s_axil_bready.next = self.s_axil_bready.val();
        self.csr.s_axil_araddr.next = self.s_axil_araddr.val();
        self.csr.s_axil_arprot.next = self.s_axil_arprot.val();
        self.csr.s_axil_arvalid.next = self.s_axil_arvalid.val();
        self.s_axil_arready.next = self.csr.s_axil_arready.val();
        self.s_axil_rdata.next = self.csr.s_axil_rdata.val();
        self.s_axil_rresp.next = self.csr.s_axil_rresp.val();
        self.s_axil_rvalid.next = self.csr.s_axil_rvalid.val();
        self.csr.s_axil_rready.next = self.s_axil_rready.val();
        self.irq.next = self.csr.irq.val();
        self.state.next = self.control.status.val();
        self.csr.snapshot_done.next = self.counters.snapshot_done.val();
        self.csr.counter_low.next = self.counters.read_low.val();
        self.csr.counter_high.next = self.counters.read_high.val();
        self.csr.status.next = self.control.status.val();
        self.csr.draining.next = self.control.draining.val();
        self.csr.done_event.next = self.control.done_event.val();
        self.csr.fault_event.next = self.control.fault_event.val();
        self.csr.wiped.next = self.control.wiped.val();
        self.csr.fault_cause.next = self.control.fault_cause.val();
        self.csr.fault_pipe.next = self.control.fault_pipe.val();
        self.csr.fault_pc.next = self.control.fault_pc.val();
        self.csr.fault_address.next = self.control.fault_address.val();
        // Run, halt, fault.
        self.control.start.next = self.csr.start.val();
        self.control.soft_reset.next = self.csr.soft_reset.val();
        self.control.program_base.next = self.csr.program_base.val();
        self.control.no_progress_limit.next = self.csr.no_progress_limit.val();
        self.control.done.next = self.sequencer.done.val();
        self.control.decode_fault.next = self.sequencer.fault.val();
        self.control.decode_cause.next = self.sequencer.fault_cause.val();
        self.control.decode_pc.next = self.sequencer.fault_pc.val();
        self.control.decode_address.next = self.sequencer.fault_address.val();
        self.control.sequencer_pc.next = self.sequencer.pc.val();
        self.control.flags_fault.next = self.flags.fault.val();
        self.control.flags_pipe.next = self.flags.fault_pipe.val();
        self.control.flags_pc.next = self.flags.fault_pc.val();
        // Requester 1 tells its own faults in the order of its runs: the bus waits for its word.
        self.control.read_fault.next =
            self.axi_read.fault.val() & ((self.axi_read.fault_requester.val() != 1) | self.mte2.bus_fault_due.val());
        self.control.read_cause.next = self.axi_read.fault_cause.val();
        self.control.read_address.next = self.axi_read.fault_address.val();
        self.control.write_fault.next =
            self.axi_write.fault.val() & ((self.axi_write.fault_requester.val() != 1) | self.mte3.bus_fault_due.val());
        self.control.write_cause.next = self.axi_write.fault_cause.val();
        self.control.write_address.next = self.axi_write.fault_address.val();
        self.control.read_quiet.next = self.axi_read.quiet.val();
        self.control.write_quiet.next = self.axi_write.quiet.val();
        self.control.read_requester.next = bit_cast::<4, 3>(self.axi_read.fault_requester.val());
        self.control.write_requester.next = bit_cast::<4, 3>(self.axi_write.fault_requester.val());
        self.read_beat.next = self.m_axi_rvalid.val() & self.axi_read.m_axi_rready.val();
        self.write_beat.next = self.axi_write.m_axi_wvalid.val() & self.m_axi_wready.val();
        self.some_busy.next = self.issue[0].busy.val()
            | self.issue[1].busy.val()
            | self.issue[2].busy.val()
            | self.issue[3].busy.val()
            | self.issue[4].busy.val();
        self.control.progress.next =
            self.some_busy.val() | self.read_beat.val() | self.write_beat.val() | self.sequencer.dispatched.val();
        // Counters.
        self.counters.clear.next = self.control.clear_counters.val();
        self.counters.running.next = self.control.running.val();
        self.counters.cube_step.next = self.m.step.val();
        self.counters.snapshot.next = self.csr.snapshot.val();
        self.counters.read_index.next = self.csr.counter_index.val();
        self.counters.read_bytes.next = self.mte2.read_bytes.val();
        self.counters.written_bytes.next = self.axi_write.written.val();
        self.counters.mmad_valid.next = self.issue[2].op_valid.val() & self.m.op_ready.val();
        self.counters.mmad_m.next = self.issue[2].op_word[5].val().get_bits::<16>(0);
        self.counters.mmad_n.next = self.issue[2].op_word[5].val().get_bits::<16>(16);
        self.counters.mmad_k.next = self.issue[2].op_word[6].val().get_bits::<16>(0);
        for p in 0..self._pipes {
            self.counters.activity[p * 5].next = self.issue[p].busy.val();
            self.counters.activity[p * 5 + 1].next = self.issue[p].wait_flag.val();
            self.counters.activity[p * 5 + 2].next = self.issue[p].wait_block.val();
            self.counters.activity[p * 5 + 3].next = self.issue[p].wait_memory.val();
            self.counters.activity[p * 5 + 4].next = self.issue[p].wait_queue.val();
        }
        // The bus.
        self.axi_read.halt.next = self.halt.val();
        self.axi_write.halt.next = self.halt.val();
        self.m_axi_arid.next = self.axi_read.m_axi_arid.val();
        self.m_axi_araddr.next = self.axi_read.m_axi_araddr.val();
        self.m_axi_arlen.next = self.axi_read.m_axi_arlen.val();
        self.m_axi_arsize.next = self.axi_read.m_axi_arsize.val();
        self.m_axi_arburst.next = self.axi_read.m_axi_arburst.val();
        self.m_axi_arlock.next = self.axi_read.m_axi_arlock.val();
        self.m_axi_arcache.next = self.axi_read.m_axi_arcache.val();
        self.m_axi_arprot.next = self.axi_read.m_axi_arprot.val();
        self.m_axi_arqos.next = self.axi_read.m_axi_arqos.val();
        self.m_axi_arvalid.next = self.axi_read.m_axi_arvalid.val();
        self.axi_read.m_axi_arready.next = self.m_axi_arready.val();
        self.axi_read.m_axi_rid.next = self.m_axi_rid.val();
        self.axi_read.m_axi_rdata.next = self.m_axi_rdata.val();
        self.axi_read.m_axi_rresp.next = self.m_axi_rresp.val();
        self.axi_read.m_axi_rlast.next = self.m_axi_rlast.val();
        self.axi_read.m_axi_rvalid.next = self.m_axi_rvalid.val();
        self.m_axi_rready.next = self.axi_read.m_axi_rready.val();
        self.m_axi_awid.next = self.axi_write.m_axi_awid.val();
        self.m_axi_awaddr.next = self.axi_write.m_axi_awaddr.val();
        self.m_axi_awlen.next = self.axi_write.m_axi_awlen.val();
        self.m_axi_awsize.next = self.axi_write.m_axi_awsize.val();
        self.m_axi_awburst.next = self.axi_write.m_axi_awburst.val();
        self.m_axi_awlock.next = self.axi_write.m_axi_awlock.val();
        self.m_axi_awcache.next = self.axi_write.m_axi_awcache.val();
        self.m_axi_awprot.next = self.axi_write.m_axi_awprot.val();
        self.m_axi_awqos.next = self.axi_write.m_axi_awqos.val();
        self.m_axi_awvalid.next = self.axi_write.m_axi_awvalid.val();
        self.axi_write.m_axi_awready.next = self.m_axi_awready.val();
        self.m_axi_wdata.next = self.axi_write.m_axi_wdata.val();
        self.m_axi_wstrb.next = self.axi_write.m_axi_wstrb.val();
        self.m_axi_wlast.next = self.axi_write.m_axi_wlast.val();
        self.m_axi_wvalid.next = self.axi_write.m_axi_wvalid.val();
        self.axi_write.m_axi_wready.next = self.m_axi_wready.val();
        self.axi_write.m_axi_bid.next = self.m_axi_bid.val();
        self.axi_write.m_axi_bresp.next = self.m_axi_bresp.val();
        self.axi_write.m_axi_bvalid.next = self.m_axi_bvalid.val();
        self.m_axi_bready.next = self.axi_write.m_axi_bready.val();
        for w in 0..self._windows {
            self.axi_read.lo[w].next = self.csr.window_first[w].val();
            self.axi_read.hi[w].next = self.csr.window_last[w].val();
            self.axi_read.rights[w].next = self.csr.window_rights[w].val();
            self.axi_write.lo[w].next = self.csr.window_first[w].val();
            self.axi_write.hi[w].next = self.csr.window_last[w].val();
            self.axi_write.rights[w].next = self.csr.window_rights[w].val();
        }
        for b in 0..self._bases {
            self.mte2.base[b].next = self.csr.base[b].val();
            self.fix.base[b].next = self.csr.base[b].val();
            self.mte3.base[b].next = self.csr.base[b].val();
        }
        self.axi_read.request_valid[0].next = self.sequencer.request_valid.val();
        self.axi_read.request_address[0].next = self.sequencer.request_address.val();
        self.axi_read.request_beats[0].next = self.sequencer.request_beats.val();
        self.axi_read.request_skip[0].next = 0.into();
        self.axi_read.request_trim[0].next = 0.into();
        self.axi_read.request_tag[0].next = 0.into();
        self.sequencer.request_ready.next = self.axi_read.request_ready[0].val();
        self.sequencer.data_valid.next = self.axi_read.data_valid[0].val();
        self.axi_read.data_ready[0].next = self.sequencer.data_ready.val();
        self.sequencer.data.next = self.axi_read.data.val();
        self.axi_read.request_valid[1].next = self.mte2.request_valid.val();
        self.axi_read.request_address[1].next = self.mte2.request_address.val();
        self.axi_read.request_beats[1].next = self.mte2.request_beats.val();
        self.axi_read.request_skip[1].next = self.mte2.request_skip.val();
        self.axi_read.request_trim[1].next = self.mte2.request_trim.val();
        self.axi_read.request_tag[1].next = self.mte2.request_tag.val();
        self.mte2.request_ready.next = self.axi_read.request_ready[1].val();
        self.mte2.data_valid.next = self.axi_read.data_valid[1].val();
        self.axi_read.data_ready[1].next = self.mte2.data_ready.val();
        self.mte2.data.next = self.axi_read.data.val();
        self.mte2.data_last.next = self.axi_read.data_last[1].val();
        self.mte2.bus_tag.next = self.axi_read.fault_tag.val();
        self.mte2.bus_fault.next =
            self.axi_read.fault.val() & self.axi_read.fault_settled.val() & (self.axi_read.fault_requester.val() == 1);
        self.fix.bus_tag.next = self.axi_write.fault_tag.val();
        self.mte3.bus_tag.next = self.axi_write.fault_tag.val();
        self.mte3.bus_fault.next = self.axi_write.fault.val() & (self.axi_write.fault_requester.val() == 1);
        self.mte3.bus_answer.next = self.axi_write.fault_answer.val();
        self.mte3.admitted.next = self.axi_write.admitted[1].val();
        self.mte3.flying.next = self.axi_write.flying[1].val();
        self.mte3.unanswered.next = self.axi_write.unanswered[1].val();
        self.control.mte2_bus_pc.next = self.mte2.bus_pc.val();
        self.control.fix_bus_pc.next = self.fix.bus_pc.val();
        self.control.mte3_bus_pc.next = self.mte3.bus_pc.val();
        self.axi_write.request_valid[0].next = self.write_stream.request_valid.val();
        self.axi_write.request_address[0].next = self.write_stream.request_address.val();
        self.axi_write.request_beats[0].next = self.write_stream.request_beats.val();
        self.axi_write.request_skip[0].next = self.write_stream.request_skip.val();
        self.axi_write.request_trim[0].next = self.write_stream.request_trim.val();
        self.axi_write.request_tag[0].next = self.write_stream.request_tag.val();
        self.write_stream.request_ready.next = self.axi_write.request_ready[0].val();
        self.axi_write.w_valid[0].next = self.write_stream.w_valid.val();
        self.axi_write.w_data[0].next = self.write_stream.w_data.val();
        self.write_stream.w_ready.next = self.axi_write.w_ready[0].val();
        self.write_stream.response_valid.next = self.axi_write.response_valid[0].val();
        self.axi_write.request_valid[1].next = self.mte3.request_valid.val();
        self.axi_write.request_address[1].next = self.mte3.request_address.val();
        self.axi_write.request_beats[1].next = self.mte3.request_beats.val();
        self.axi_write.request_skip[1].next = self.mte3.request_skip.val();
        self.axi_write.request_trim[1].next = self.mte3.request_trim.val();
        self.axi_write.request_tag[1].next = self.mte3.request_tag.val();
        self.mte3.request_ready.next = self.axi_write.request_ready[1].val();
        self.axi_write.w_valid[1].next = self.mte3.w_valid.val();
        self.axi_write.w_data[1].next = self.mte3.w_data.val();
        self.mte3.w_ready.next = self.axi_write.w_ready[1].val();
        self.mte3.response_valid.next = self.axi_write.response_valid[1].val();
        for n in self._bytes..(self._bytes + 1) {
            for i in 0..self._bytes {
                self.axi_write.w_strb[i].next = self.write_stream.w_strb[i].val();
                self.axi_write.w_strb[n + i].next = self.mte3.w_strb[i].val();
            }
        }
        // Program to pipes.
        self.sequencer.halt.next = self.halt.val();
        self.sequencer.start.next = self.control.launch.val();
        self.sequencer.program_base.next = self.csr.program_base.val();
        self.sequencer.length.next = self.csr.program_length.val();
        self.sequencer.flags_any.next = self.flags.any.val();
        for p in 0..self._pipes {
            self.issue[p].clk.next = self.clk.val();
            self.issue[p].rst.next = self.core_rst.val();
            self.issue[p].halt.next = self.halt.val();
            self.issue[p].in_valid.next = self.sequencer.push_valid[p].val();
            self.sequencer.push_ready[p].next = self.issue[p].in_ready.val();
            self.sequencer.idle[p].next = self.issue[p].idle.val();
            self.control.idle[p].next = self.issue[p].idle.val();
            self.issue[p].in_pc.next = self.sequencer.pc.val();
            self.control.oldest_pc[p].next = self.issue[p].oldest_pc.val();
            self.flags.oldest_pc[p].next = self.issue[p].oldest_pc.val();
            for i in 0..8 {
                self.issue[p].in_word[i].next = self.sequencer.word[i].val();
            }
            for i in 0..40 {
                self.issue[p].present[i].next = self.flags.present[p * 40 + i].val();
                self.flags.take[p * 40 + i].next = self.issue[p].take[i].val();
                self.flags.raise[p * 40 + i].next = self.issue[p].raise[i].val();
            }
        }
        for i in 0..8 {
            self.flags.raise_early[i].next = self.issue[1].raise_early[i].val();
            self.flags.raise_early[i + 8].next = self.issue[2].raise_early[i].val();
        }
        self.flags.newest_pc[0].next = self.issue[1].newest_pc.val();
        self.flags.newest_pc[1].next = self.issue[2].newest_pc.val();
        self.mte2.op_valid.next = self.issue[0].op_valid.val();
        self.mte2.op_pc.next = self.issue[0].op_pc.val();
        self.mte2.set_valid.next = self.issue[0].set_valid.val();
        self.mte2.set_register.next = self.issue[0].set_register.val();
        self.mte2.set_value.next = self.issue[0].set_value.val();
        self.mte2.halt.next = self.halt.val();
        self.issue[0].op_ready.next = self.mte2.op_ready.val();
        self.issue[0].early.next = self.mte2.early.val();
        self.issue[0].done.next = self.mte2.done.val();
        self.issue[0].active.next = self.mte2.active.val();
        self.issue[0].stall_block.next = self.mte2.stall_block.val();
        self.issue[0].stall_memory.next = self.mte2.stall_memory.val();
        self.control.engine_fault[0].next = self.mte2.fault.val();
        self.control.engine_cause[0].next = self.mte2.fault_cause.val();
        self.control.engine_pc[0].next = self.mte2.fault_pc.val();
        self.control.engine_address[0].next = self.mte2.fault_address.val();
        self.mte1.op_valid.next = self.issue[1].op_valid.val();
        self.mte1.op_pc.next = self.issue[1].op_pc.val();
        self.mte1.set_valid.next = self.issue[1].set_valid.val();
        self.mte1.set_register.next = self.issue[1].set_register.val();
        self.mte1.set_value.next = self.issue[1].set_value.val();
        self.mte1.halt.next = self.halt.val();
        self.issue[1].op_ready.next = self.mte1.op_ready.val();
        self.issue[1].early.next = self.mte1.early.val();
        self.issue[1].done.next = self.mte1.done.val();
        self.issue[1].active.next = self.mte1.active.val();
        self.issue[1].stall_block.next = self.mte1.stall_block.val();
        self.issue[1].stall_memory.next = self.mte1.stall_memory.val();
        self.control.engine_fault[1].next = self.mte1.fault.val();
        self.control.engine_cause[1].next = self.mte1.fault_cause.val();
        self.control.engine_pc[1].next = self.mte1.fault_pc.val();
        self.control.engine_address[1].next = self.mte1.fault_address.val();
        self.m.op_valid.next = self.issue[2].op_valid.val();
        self.m.op_pc.next = self.issue[2].op_pc.val();
        self.m.set_valid.next = self.issue[2].set_valid.val();
        self.m.set_register.next = self.issue[2].set_register.val();
        self.m.set_value.next = self.issue[2].set_value.val();
        self.m.halt.next = self.halt.val();
        self.issue[2].op_ready.next = self.m.op_ready.val();
        self.issue[2].early.next = self.m.early.val();
        self.issue[2].done.next = self.m.done.val();
        self.issue[2].active.next = self.m.active.val();
        self.issue[2].stall_block.next = self.m.stall_block.val();
        self.issue[2].stall_memory.next = self.m.stall_memory.val();
        self.control.engine_fault[2].next = self.m.fault.val();
        self.control.engine_cause[2].next = self.m.fault_cause.val();
        self.control.engine_pc[2].next = self.m.fault_pc.val();
        self.control.engine_address[2].next = self.m.fault_address.val();
        self.fix.op_valid.next = self.issue[3].op_valid.val();
        self.fix.op_pc.next = self.issue[3].op_pc.val();
        self.fix.set_valid.next = self.issue[3].set_valid.val();
        self.fix.set_register.next = self.issue[3].set_register.val();
        self.fix.set_value.next = self.issue[3].set_value.val();
        self.fix.halt.next = self.halt.val();
        self.issue[3].op_ready.next = self.fix.op_ready.val();
        self.issue[3].early.next = self.fix.early.val();
        self.issue[3].done.next = self.fix.done.val();
        self.issue[3].active.next = self.fix.active.val();
        self.issue[3].stall_block.next = self.fix.stall_block.val();
        self.issue[3].stall_memory.next = self.fix.stall_memory.val();
        self.control.engine_fault[3].next = self.fix.fault.val();
        self.control.engine_cause[3].next = self.fix.fault_cause.val();
        self.control.engine_pc[3].next = self.fix.fault_pc.val();
        self.control.engine_address[3].next = self.fix.fault_address.val();
        self.mte3.op_valid.next = self.issue[4].op_valid.val();
        self.mte3.op_pc.next = self.issue[4].op_pc.val();
        self.mte3.set_valid.next = self.issue[4].set_valid.val();
        self.mte3.set_register.next = self.issue[4].set_register.val();
        self.mte3.set_value.next = self.issue[4].set_value.val();
        self.mte3.halt.next = self.halt.val();
        self.issue[4].op_ready.next = self.mte3.op_ready.val();
        self.issue[4].early.next = self.mte3.early.val();
        self.issue[4].done.next = self.mte3.done.val();
        self.issue[4].active.next = self.mte3.active.val();
        self.issue[4].stall_block.next = self.mte3.stall_block.val();
        self.issue[4].stall_memory.next = self.mte3.stall_memory.val();
        self.control.engine_fault[4].next = self.mte3.fault.val();
        self.control.engine_cause[4].next = self.mte3.fault_cause.val();
        self.control.engine_pc[4].next = self.mte3.fault_pc.val();
        self.control.engine_address[4].next = self.mte3.fault_address.val();
        for i in 0..8 {
            self.mte2.op_word[i].next = self.issue[0].op_word[i].val();
            self.mte1.op_word[i].next = self.issue[1].op_word[i].val();
            self.m.op_word[i].next = self.issue[2].op_word[i].val();
            self.fix.op_word[i].next = self.issue[3].op_word[i].val();
            self.mte3.op_word[i].next = self.issue[4].op_word[i].val();
        }
        // L1.
        self.l1.write_valid[0].next = self.mte2.write_valid.val();
        self.l1.write_address[0].next = self.mte2.write_address.val();
        self.mte2.write_ready.next = self.l1.write_ready[0].val();
        self.l1.write_valid[1].next = self.fix.l1_write_valid.val();
        self.l1.write_address[1].next = self.fix.l1_write_address.val();
        self.fix.l1_write_ready.next = self.l1.write_ready[1].val();
        for n in self._segment..(self._segment + 1) {
            for i in 0..self._segment {
                self.l1.write_enable[i].next = self.mte2.write_enable[i].val();
                self.l1.write_data[i].next = self.mte2.write_data[i].val();
                self.l1.write_enable[n + i].next = self.fix.l1_write_enable[i].val();
                self.l1.write_data[n + i].next = self.fix.l1_write_data[i].val();
            }
        }
        self.l1.read0_valid.next = self.mte1.read0_valid.val();
        self.l1.read0_address.next = self.mte1.read0_address.val();
        self.l1.read0_rows.next = self.mte1.read0_rows.val();
        self.l1.read0_gather.next = self.mte1.read0_gather.val();
        for b in 0..self._banks {
            self.l1.read0_word[b].next = self.mte1.read0_word[b].val();
        }
        self.mte1.read0_ready.next = self.l1.read0_ready.val();
        self.mte1.read0_data_valid.next = self.l1.read0_data_valid.val();
        self.l1.read1_valid.next = self.mte3.read_valid.val();
        self.l1.read1_address.next = self.mte3.read_address.val();
        self.mte3.read_ready.next = self.l1.read1_ready.val();
        self.mte3.read_data_valid.next = self.l1.read1_data_valid.val();
        for i in 0..self._l1_lanes {
            self.mte1.read0_data[i].next = self.l1.read0_data[i].val();
            self.mte3.read_data[i].next = self.l1.read1_data[i].val();
        }
        // UB, and the way from there to L1.
        for u in 0..self._ub {
            self.ub[u].clk.next = self.clk.val();
            self.ub[u].rst.next = self.core_rst.val();
            self.ub[u].write_valid[0].next = self.mte2.ub_write_valid[u].val();
            self.ub[u].write_address[0].next = self.mte2.write_address.val();
            self.mte2.ub_write_ready[u].next = self.ub[u].write_ready[0].val();
            self.ub[u].write_valid[1].next = self.fix.ub_write_valid[u].val();
            self.ub[u].write_address[1].next = self.fix.l1_write_address.val();
            self.fix.ub_write_ready[u].next = self.ub[u].write_ready[1].val();
            self.l1.write_valid[2].next = self.mte3.write_valid[u].val();
            self.l1.write_address[2].next = self.mte3.write_address[u].val();
            self.mte3.write_ready[u].next = self.l1.write_ready[2].val();
            for n in self._segment..(self._segment + 1) {
                for i in 0..self._segment {
                    self.ub[u].write_enable[i].next = self.mte2.write_enable[i].val();
                    self.ub[u].write_data[i].next = self.mte2.write_data[i].val();
                    self.ub[u].write_enable[n + i].next = self.fix.l1_write_enable[i].val();
                    self.ub[u].write_data[n + i].next = self.fix.l1_write_data[i].val();
                    self.l1.write_enable[2 * n + i].next = self.mte3.write_enable[u * n + i].val();
                    self.l1.write_data[2 * n + i].next = self.mte3.write_data[u * n + i].val();
                }
            }
            // Both buffers answer after three cycles, so their chunks never meet.
            self.ub[u].read_valid.next = self.mte3.read_ub_valid[u].val();
            self.ub[u].read_address.next = self.mte3.read_address.val();
            self.mte3.read_ub_ready[u].next = self.ub[u].read_ready.val();
            self.ub[u].fix_read_valid.next = self.fix.ub_read_valid[u].val();
            self.ub[u].fix_read_address.next = self.fix.ub_read_address[u].val();
            self.fix.ub_read_waits[u].next = self.mte3.read_ub_valid[u].val() & !self.ub[u].read_ready.val();
            self.mte3.read_data_valid.next = self.l1.read1_data_valid.val() | self.ub[u].read_data_valid.val();
            for i in 0..self._l1_lanes {
                self.fix.ub_read_data[i].next = self.ub[u].read_data[i].val();
                if self.ub[u].read_data_valid.val() {
                    self.mte3.read_data[i].next = self.ub[u].read_data[i].val();
                }
            }
        }
        // L0A, L0B, FB.
        self.l0a.write_valid.next = self.mte1.l0a_write_valid.val();
        self.l0a.write_address.next = self.mte1.l0a_write_address.val();
        self.l0a.clear_valid.next = self.mte1.l0a_clear_valid.val();
        self.l0a.clear_first.next = self.mte1.l0a_clear_first.val();
        self.l0a.clear_last.next = self.mte1.l0a_clear_last.val();
        self.l0a.read_valid.next = self.m.l0a_read_valid.val();
        self.l0a.read_address.next = self.m.l0a_read_address.val();
        self.m.l0a_read_full.next = self.l0a.read_full.val();
        for i in 0..self._a_lanes {
            self.l0a.write_data[i].next = self.mte1.l0a_write_data[i].val();
            self.m.l0a_read_data[i].next = self.l0a.read_data[i].val();
        }
        self.l0b.write_valid.next = self.mte1.l0b_write_valid.val();
        self.l0b.write_address.next = self.mte1.l0b_write_address.val();
        self.l0b.clear_valid.next = self.mte1.l0b_clear_valid.val();
        self.l0b.clear_first.next = self.mte1.l0b_clear_first.val();
        self.l0b.clear_last.next = self.mte1.l0b_clear_last.val();
        self.l0b.read_valid.next = self.m.l0b_read_valid.val();
        self.l0b.read_address.next = self.m.l0b_read_address.val();
        self.m.l0b_read_full.next = self.l0b.read_full.val();
        for i in 0..self._b_lanes {
            self.l0b.write_data[i].next = self.mte1.l0b_write_data[i].val();
            self.m.l0b_read_data[i].next = self.l0b.read_data[i].val();
        }
        self.fb.write_valid.next = self.mte1.fb_write_valid.val();
        self.fb.write_field.next = self.mte1.fb_write_field.val();
        self.fb.write_channel.next = self.mte1.fb_write_channel.val();
        self.fb.write_data.next = self.mte1.fb_write_data.val();
        self.fb.zero_channel.next = self.mte1.zero_channel.val();
        self.mte1.zero_point.next = self.fb.zero_point.val();
        self.fb.fix_channel.next = self.fix.fb_channel.val();
        for i in 0..self._columns {
            self.fix.fb_bias[i].next = self.fb.fix_bias[i].val();
            self.fix.fb_scale[i].next = self.fb.fix_scale[i].val();
            self.fix.fb_shift[i].next = self.fb.fix_shift[i].val();
        }
        // L0C.
        self.l0c.write_valid.next = self.m.l0c_write_valid.val();
        self.l0c.write_address.next = self.m.l0c_write_address.val();
        self.l0c.clear_valid.next = self.m.l0c_clear_valid.val();
        self.l0c.clear_first.next = self.m.l0c_clear_first.val();
        self.l0c.clear_last.next = self.m.l0c_clear_last.val();
        self.l0c.m_read_valid.next = self.m.l0c_m_read_valid.val();
        self.l0c.m_read_address.next = self.m.l0c_m_read_address.val();
        self.l0c.fix_read_valid.next = self.fix.l0c_read_valid.val();
        self.l0c.fix_read_address.next = self.fix.l0c_read_address.val();
        self.fix.l0c_read_ready.next = self.l0c.fix_read_ready.val();
        self.fix.l0c_full.next = self.l0c.fix_full.val();
        for i in 0..self._c_lanes {
            self.l0c.write_data[i].next = self.m.l0c_write_data[i].val();
            self.m.l0c_m_read_data[i].next = self.l0c.m_read_data[i].val();
            self.fix.l0c_read_data[i].next = self.l0c.fix_read_data[i].val();
        }
        // Results to GM.
        self.write_stream.row_valid.next = self.fix.row_valid.val();
        self.write_stream.row_address.next = self.fix.row_address.val();
        self.write_stream.row_length.next = self.fix.row_length.val();
        self.write_stream.row_last.next = self.fix.row_last.val();
        self.fix.row_ready.next = self.write_stream.row_ready.val();
        self.write_stream.in_valid.next = self.fix.word_valid.val();
        self.fix.word_ready.next = self.write_stream.in_ready.val();
        self.fix.retired.next = self.write_stream.retired.val();
        for i in 0..self._bytes {
            self.write_stream.in_data[i].next = self.fix.word[i].val();
        }
        // What the pipes do, for whoever looks on.
        for t in 0..self._trace_core {
            self.trace_running[t].next = self.control.running.val();
            self.trace_step[t].next = self.m.step.val();
        }
        for p in 0..self._traced {
            self.trace_pc[p].next = self.issue[p].op_pc.val();
            self.trace_start[p].next = self.issue[p].op_valid.val() & self.issue[p].op_ready.val();
            self.trace_done[p].next = self.issue[p].done.val();
            self.trace_early[p].next = self.issue[p].early.val();
            self.trace_queued[p].next = self.sequencer.push_valid[p].val() & self.issue[p].in_ready.val();
            self.trace_wait_flag[p].next = self.issue[p].wait_flag.val();
            self.trace_wait_block[p].next = self.issue[p].wait_block.val();
            self.trace_wait_memory[p].next = self.issue[p].wait_memory.val();
            self.trace_wait_queue[p].next = self.issue[p].wait_queue.val();
        }
    }
}

/// The core of `config`, whatever its bus, connected; `Err` has the sentence why the configuration is illegal.
pub fn core(config: &Config) -> Result<Box<dyn Block>, isa::ConfigError> {
    build(config, false)
}

/// As [`core()`], with the ports `trace_*`, which tell what every pipe does in every cycle.
pub fn traced_core(config: &Config) -> Result<Box<dyn Block>, isa::ConfigError> {
    build(config, true)
}

fn build(config: &Config, traced: bool) -> Result<Box<dyn Block>, isa::ConfigError> {
    config.validate()?;
    let mut core: Box<dyn Block> = match config.bus_bytes {
        4 => Box::new(Core::<32, 4>::new(config, traced)),
        8 => Box::new(Core::<64, 8>::new(config, traced)),
        16 => Box::new(Core::<128, 16>::new(config, traced)),
        32 => Box::new(Core::<256, 32>::new(config, traced)),
        64 => Box::new(Core::<512, 64>::new(config, traced)),
        other => unreachable!("a legal bus has 4 to 64 bytes, not {other}"),
    };
    core.connect_all();
    Ok(core)
}
