// SPDX-License-Identifier: Apache-2.0
//! The registers that the host sees over AXI4-Lite: 32 bits, one access at a time.
//!
//! ```text
//!  s_axil_* ◄──────►┌─────┐──► start, soft_reset, snapshot        pulses
//!                   │ csr │──► program, bases, windows, limit      values, all at once
//!  status, fault,   │     │
//!  counters ───────►└─────┘──► irq
//! ```
//! Rules: those of [`isa::csr`], whose tables are the address map ([`Map`]) and the reset values. An access takes 4 cycles from its
//! last handshake to its answer; a snapshot up to 70, as its answer says that the copy is there. Reads and writes take turns when
//! both wait. AW and W may come in any order. `awprot` and `arprot` are ignored.
//!
//! Tests: `tests/units/csr.rs`. Page: `docs/units/csr.md`.

mod map;

pub use map::{Map, SPECIAL, Slot, slot_of, slots};

use crate::prim::prelude::*;
use isa::Config;
use isa::csr::{Status, context};
use isa::limits::{BASES, WINDOWS};

/// What the one access is doing.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum Turn {
    /// None.
    Idle,
    /// Its address is looked up.
    Look,
    /// It is done, and its value is chosen.
    Act,
    /// It waits for the snapshot.
    Copy,
    /// It is answered.
    Answer,
}

/// Register file of the device page and of context 0.
#[derive(LogicBlock)]
pub struct Csr {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Every register to its reset value.
    pub rst: Signal<In, Bit>,
    /// AXI4-Lite write address.
    pub s_axil_awaddr: Signal<In, Bits<16>>,
    /// Ignored.
    pub s_axil_awprot: Signal<In, Bits<3>>,
    /// Write address is valid.
    pub s_axil_awvalid: Signal<In, Bit>,
    /// Write address is taken.
    pub s_axil_awready: Signal<Out, Bit>,
    /// Write data.
    pub s_axil_wdata: Signal<In, Bits<32>>,
    /// Byte strobes; all four, or the write is refused.
    pub s_axil_wstrb: Signal<In, Bits<4>>,
    /// Write data is valid.
    pub s_axil_wvalid: Signal<In, Bit>,
    /// Write data is taken.
    pub s_axil_wready: Signal<Out, Bit>,
    /// 0 OKAY, 2 SLVERR.
    pub s_axil_bresp: Signal<Out, Bits<2>>,
    /// Write answer is valid.
    pub s_axil_bvalid: Signal<Out, Bit>,
    /// Write answer is taken.
    pub s_axil_bready: Signal<In, Bit>,
    /// AXI4-Lite read address.
    pub s_axil_araddr: Signal<In, Bits<16>>,
    /// Ignored.
    pub s_axil_arprot: Signal<In, Bits<3>>,
    /// Read address is valid.
    pub s_axil_arvalid: Signal<In, Bit>,
    /// Read address is taken.
    pub s_axil_arready: Signal<Out, Bit>,
    /// Read data.
    pub s_axil_rdata: Signal<Out, Bits<32>>,
    /// 0 OKAY, 2 SLVERR.
    pub s_axil_rresp: Signal<Out, Bits<2>>,
    /// Read data is valid.
    pub s_axil_rvalid: Signal<Out, Bit>,
    /// Read data is taken.
    pub s_axil_rready: Signal<In, Bit>,
    /// Level: `irq_mask & irq_cause` is not 0.
    pub irq: Signal<Out, Bit>,
    /// Pulse, only when the status is idle or done.
    pub start: Signal<Out, Bit>,
    /// Pulse.
    pub soft_reset: Signal<Out, Bit>,
    /// Pulse to the counters.
    pub snapshot: Signal<Out, Bit>,
    /// Pulse: the copy is there.
    pub snapshot_done: Signal<In, Bit>,
    /// Counter that the host reads.
    pub counter_index: Signal<Out, Bits<8>>,
    /// Its copy, bits 31:0.
    pub counter_low: Signal<In, Bits<32>>,
    /// Its copy, bits 63:32.
    pub counter_high: Signal<In, Bits<32>>,
    /// Field `state` of the status register.
    pub status: Signal<In, Bits<2>>,
    /// Field `draining` of the status register.
    pub draining: Signal<In, Bit>,
    /// Pulse: the program has ended.
    pub done_event: Signal<In, Bit>,
    /// Pulse: the program has faulted.
    pub fault_event: Signal<In, Bit>,
    /// Pulse: soft reset clears `irq_cause`.
    pub wiped: Signal<In, Bit>,
    /// Fault record: cause.
    pub fault_cause: Signal<In, Bits<8>>,
    /// Fault record: pipe.
    pub fault_pipe: Signal<In, Bits<3>>,
    /// Fault record: program counter.
    pub fault_pc: Signal<In, Bits<32>>,
    /// Fault record: address.
    pub fault_address: Signal<In, Bits<40>>,
    /// GM address of the program.
    pub program_base: Signal<Out, Bits<40>>,
    /// Bytes of the program.
    pub program_length: Signal<Out, Bits<32>>,
    /// Cycles without progress that make a fault; 0: never.
    pub no_progress_limit: Signal<Out, Bits<32>>,
    /// GM base registers.
    pub base: Vec<Signal<Out, Bits<40>>>,
    /// Windows: lowest address.
    pub window_first: Vec<Signal<Out, Bits<40>>>,
    /// Windows: highest address.
    pub window_last: Vec<Signal<Out, Bits<40>>>,
    /// Windows: bit 0 read, 1 write, 2 execute.
    pub window_rights: Vec<Signal<Out, Bits<3>>>,
    map: Map,
    kept: Vec<Reg<Bits<32>>>,
    wide_program: Join<8, 40>,
    wide_base: Vec<Join<8, 40>>,
    wide_first: Vec<Join<8, 40>>,
    wide_last: Vec<Join<8, 40>>,
    irq_cause: Reg<Bits<2>>,
    irq_level: Reg<Bit>,
    turn: Reg<Turn>,
    write: Reg<Bit>,
    address: Reg<Bits<16>>,
    aw_full: Reg<Bit>,
    aw_address: Reg<Bits<16>>,
    w_full: Reg<Bit>,
    w_data: Reg<Bits<32>>,
    w_whole: Reg<Bit>,
    ar_full: Reg<Bit>,
    ar_address: Reg<Bits<16>>,
    known: Reg<Bit>,
    writable: Reg<Bit>,
    idle_only: Reg<Bit>,
    is_kept: Reg<Bit>,
    slot: Reg<Bits<8>>,
    mask: Reg<Bits<32>>,
    constant: Reg<Bits<32>>,
    is_counter: Reg<Bit>,
    counter: Reg<Bits<8>>,
    high: Reg<Bit>,
    special: Vec<Reg<Bit>>,
    value: Reg<Bits<32>>,
    failed: Reg<Bit>,
    present: Vec<Signal<Local, Bits<32>>>,
    runs: Signal<Local, Bit>,
    startable: Signal<Local, Bit>,
    writes: Signal<Local, Bit>,
    obeyed: Signal<Local, Bit>,
    cleared: Signal<Local, Bits<2>>,
    raised: Signal<Local, Bits<2>>,
    resets: Vec<Constant<Bits<32>>>,
    status_idle: Constant<Bits<2>>,
    status_running: Constant<Bits<2>>,
    status_done: Constant<Bits<2>>,
    _slots: usize,
    _program_lo: usize,
    _program_hi: usize,
    _program_length: usize,
    _limit: usize,
    _irq_mask: usize,
    _base_lo: usize,
    _base_hi: usize,
    _first_lo: usize,
    _first_hi: usize,
    _last_lo: usize,
    _last_hi: usize,
    _rights: usize,
    _bases: usize,
    _windows: usize,
}

impl Csr {
    /// The registers of a core of this configuration.
    pub fn new(config: &Config) -> Self {
        let slots = slots(config);
        let slot = |offset: u32| slot_of(config, offset);
        let status = |status: Status| Constant::new((status as u64).into());
        Csr {
            clk: Signal::default(),
            rst: Signal::default(),
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
            irq: Signal::default(),
            start: Signal::default(),
            soft_reset: Signal::default(),
            snapshot: Signal::default(),
            snapshot_done: Signal::default(),
            counter_index: Signal::default(),
            counter_low: Signal::default(),
            counter_high: Signal::default(),
            status: Signal::default(),
            draining: Signal::default(),
            done_event: Signal::default(),
            fault_event: Signal::default(),
            wiped: Signal::default(),
            fault_cause: Signal::default(),
            fault_pipe: Signal::default(),
            fault_pc: Signal::default(),
            fault_address: Signal::default(),
            program_base: Signal::default(),
            program_length: Signal::default(),
            no_progress_limit: Signal::default(),
            base: vec![Signal::default(); BASES],
            window_first: vec![Signal::default(); WINDOWS],
            window_last: vec![Signal::default(); WINDOWS],
            window_rights: vec![Signal::default(); WINDOWS],
            map: Map::new(config),
            kept: vec![Reg::default(); slots.len()],
            wide_program: Join::default(),
            wide_base: vec![Join::default(); BASES],
            wide_first: vec![Join::default(); WINDOWS],
            wide_last: vec![Join::default(); WINDOWS],
            irq_cause: Reg::default(),
            irq_level: Reg::default(),
            turn: Reg::default(),
            write: Reg::default(),
            address: Reg::default(),
            aw_full: Reg::default(),
            aw_address: Reg::default(),
            w_full: Reg::default(),
            w_data: Reg::default(),
            w_whole: Reg::default(),
            ar_full: Reg::default(),
            ar_address: Reg::default(),
            known: Reg::default(),
            writable: Reg::default(),
            idle_only: Reg::default(),
            is_kept: Reg::default(),
            slot: Reg::default(),
            mask: Reg::default(),
            constant: Reg::default(),
            is_counter: Reg::default(),
            counter: Reg::default(),
            high: Reg::default(),
            special: vec![Reg::default(); SPECIAL.len()],
            value: Reg::default(),
            failed: Reg::default(),
            present: vec![Signal::default(); slots.len()],
            runs: Signal::default(),
            startable: Signal::default(),
            writes: Signal::default(),
            obeyed: Signal::default(),
            cleared: Signal::default(),
            raised: Signal::default(),
            resets: slots.iter().map(|slot| Constant::new(u64::from(slot.reset).into())).collect(),
            status_idle: status(Status::Idle),
            status_running: status(Status::Running),
            status_done: status(Status::Done),
            _slots: slots.len(),
            _program_lo: slot(context::PROGRAM_LO),
            _program_hi: slot(context::PROGRAM_HI),
            _program_length: slot(context::PROGRAM_LENGTH),
            _limit: slot(context::NO_PROGRESS_LIMIT),
            _irq_mask: slot(context::IRQ_MASK),
            _base_lo: slot(context::BASE_LO),
            _base_hi: slot(context::BASE_HI),
            _first_lo: slot(context::WINDOW_FIRST_LO),
            _first_hi: slot(context::WINDOW_FIRST_HI),
            _last_lo: slot(context::WINDOW_LAST_LO),
            _last_hi: slot(context::WINDOW_LAST_HI),
            _rights: slot(context::WINDOW_RIGHTS),
            _bases: BASES,
            _windows: WINDOWS,
        }
    }
}

impl Logic for Csr {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("csr: the registers of the device and of context 0 over AXI4-Lite.");
        dff_setup!(
            self, clk, irq_cause, irq_level, turn, write, address, aw_full, aw_address, w_full, w_data, w_whole,
            ar_full, ar_address, known, writable, idle_only, is_kept, slot, mask, constant, is_counter, counter, high,
            value, failed
        );

        // Channels: each holds one transfer.
        self.s_axil_awready.next = !self.aw_full.q.val();
        self.s_axil_wready.next = !self.w_full.q.val();
        self.s_axil_arready.next = !self.ar_full.q.val();
        if self.s_axil_awvalid.val() & !self.aw_full.q.val() {
            self.aw_full.d.next = true;
            self.aw_address.d.next = self.s_axil_awaddr.val();
        }
        if self.s_axil_wvalid.val() & !self.w_full.q.val() {
            self.w_full.d.next = true;
            self.w_data.d.next = self.s_axil_wdata.val();
            self.w_whole.d.next = self.s_axil_wstrb.val() == 15;
        }
        if self.s_axil_arvalid.val() & !self.ar_full.q.val() {
            self.ar_full.d.next = true;
            self.ar_address.d.next = self.s_axil_araddr.val();
        }

        // The address, looked up and held.
        self.map.address.next = self.address.q.val();
        self.known.d.next = self.map.known.val();
        self.writable.d.next = self.map.writable.val();
        self.idle_only.d.next = self.map.idle_only.val();
        self.is_kept.d.next = self.map.stored.val();
        self.slot.d.next = self.map.slot.val();
        self.mask.d.next = self.map.mask.val();
        self.constant.d.next = self.map.constant.val();
        self.is_counter.d.next = self.map.counter.val();
        self.counter.d.next = self.map.counter_index.val();
        self.high.d.next = self.map.counter_high.val();
        for i in 0..9 {
            self.special[i].clock.next = self.clk.val();
            self.special[i].d.next = self.map.special[i].val();
        }

        // Writes.
        self.runs.next = self.status.val() == self.status_running.val();
        self.startable.next =
            (self.status.val() == self.status_idle.val()) | (self.status.val() == self.status_done.val());
        self.writes.next = (self.turn.q.val() == Turn::Act) & self.write.q.val();
        self.obeyed.next = self.writes.val()
            & self.known.q.val()
            & self.writable.q.val()
            & self.w_whole.q.val()
            & !(self.idle_only.q.val() & self.runs.val())
            & !(self.special[0].q.val() & !self.startable.val());
        self.start.next = self.obeyed.val() & self.special[0].q.val() & self.w_data.q.val().get_bit(0);
        self.soft_reset.next = self.obeyed.val() & self.special[1].q.val() & self.w_data.q.val().get_bit(0);
        self.snapshot.next = self.obeyed.val() & self.special[2].q.val() & self.w_data.q.val().get_bit(0);
        for i in 0..self._slots {
            self.kept[i].clock.next = self.clk.val();
            self.kept[i].d.next = self.kept[i].q.val();
            self.present[i].next = self.kept[i].q.val();
            if self.obeyed.val() & self.is_kept.q.val() & (self.slot.q.val() == i.to_bits()) {
                self.kept[i].d.next = self.w_data.q.val() & self.mask.q.val();
            }
            if self.rst.val() {
                self.kept[i].d.next = self.resets[i].val();
            }
        }
        self.cleared.next = 0.into();
        if self.wiped.val() {
            self.cleared.next = 3.into();
        } else if self.obeyed.val() & self.special[3].q.val() {
            self.cleared.next = self.w_data.q.val().get_bits::<2>(0);
        }
        self.raised.next =
            bit_cast::<2, 1>(self.done_event.val().into()) | (bit_cast::<2, 1>(self.fault_event.val().into()) << 1);
        self.irq_cause.d.next = (self.irq_cause.q.val() & !self.cleared.val()) | self.raised.val();

        // The value read: exactly one of these is not 0.
        self.counter_index.next = self.counter.q.val();
        self.value.d.next = self.constant.q.val();
        if self.is_kept.q.val() {
            self.value.d.next = self.present[self.slot.q.val().index()].val();
        }
        if self.is_counter.q.val() {
            self.value.d.next = self.counter_low.val();
            if self.high.q.val() {
                self.value.d.next = self.counter_high.val();
            }
        }
        if self.special[3].q.val() {
            self.value.d.next = bit_cast::<32, 2>(self.irq_cause.q.val());
        }
        if self.special[4].q.val() {
            self.value.d.next =
                bit_cast::<32, 2>(self.status.val()) | (bit_cast::<32, 1>(self.draining.val().into()) << 4);
        }
        if self.special[5].q.val() {
            self.value.d.next =
                bit_cast::<32, 8>(self.fault_cause.val()) | (bit_cast::<32, 3>(self.fault_pipe.val()) << 8);
        }
        if self.special[6].q.val() {
            self.value.d.next = self.fault_pc.val();
        }
        if self.special[7].q.val() {
            self.value.d.next = self.fault_address.val().get_bits::<32>(0);
        }
        if self.special[8].q.val() {
            self.value.d.next = bit_cast::<32, 8>(self.fault_address.val().get_bits::<8>(32));
        }

        // One access at a time.
        match self.turn.q.val() {
            Turn::Idle => {
                if self.aw_full.q.val() & self.w_full.q.val() & (!self.write.q.val() | !self.ar_full.q.val()) {
                    self.turn.d.next = Turn::Look;
                    self.write.d.next = true;
                    self.address.d.next = self.aw_address.q.val();
                } else if self.ar_full.q.val() {
                    self.turn.d.next = Turn::Look;
                    self.write.d.next = false;
                    self.address.d.next = self.ar_address.q.val();
                }
            }
            Turn::Look => {
                self.turn.d.next = Turn::Act;
            }
            Turn::Act => {
                self.turn.d.next = Turn::Answer;
                if self.write.q.val() {
                    self.failed.d.next = !self.obeyed.val();
                    if self.snapshot.val() {
                        self.turn.d.next = Turn::Copy;
                    }
                } else {
                    self.failed.d.next = !self.known.q.val();
                }
            }
            Turn::Copy => {
                if self.snapshot_done.val() {
                    self.turn.d.next = Turn::Answer;
                }
            }
            Turn::Answer => {
                self.value.d.next = self.value.q.val();
                if self.write.q.val() & self.s_axil_bready.val() {
                    self.turn.d.next = Turn::Idle;
                    self.aw_full.d.next = false;
                    self.w_full.d.next = false;
                }
                if !self.write.q.val() & self.s_axil_rready.val() {
                    self.turn.d.next = Turn::Idle;
                    self.ar_full.d.next = false;
                }
            }
        }
        self.s_axil_bvalid.next = (self.turn.q.val() == Turn::Answer) & self.write.q.val();
        self.s_axil_rvalid.next = (self.turn.q.val() == Turn::Answer) & !self.write.q.val();
        self.s_axil_bresp.next = 0.into();
        self.s_axil_rresp.next = 0.into();
        if self.failed.q.val() {
            self.s_axil_bresp.next = 2.into();
            self.s_axil_rresp.next = 2.into();
        }
        self.s_axil_rdata.next = self.value.q.val();

        // Registers to their users.
        for m in self._irq_mask..(self._irq_mask + 1) {
            self.irq_level.d.next = (self.irq_cause.q.val() & self.kept[m].q.val().get_bits::<2>(0)) != 0;
        }
        self.irq.next = self.irq_level.q.val();
        for n in self._limit..(self._limit + 1) {
            self.no_progress_limit.next = self.kept[n].q.val();
        }
        for n in self._program_length..(self._program_length + 1) {
            self.program_length.next = self.kept[n].q.val();
        }
        for l in self._program_lo..(self._program_lo + 1) {
            for h in self._program_hi..(self._program_hi + 1) {
                self.wide_program.lane[4].next = self.kept[h].q.val().get_bits::<8>(0);
                for b in 0..4 {
                    self.wide_program.lane[b].next = self.kept[l].q.val().get_bits::<8>(b * 8);
                }
            }
        }
        self.program_base.next = self.wide_program.word.val();
        for l in self._base_lo..(self._base_lo + 1) {
            for h in self._base_hi..(self._base_hi + 1) {
                for i in 0..self._bases {
                    self.wide_base[i].lane[4].next = self.kept[h + i].q.val().get_bits::<8>(0);
                    for b in 0..4 {
                        self.wide_base[i].lane[b].next = self.kept[l + i].q.val().get_bits::<8>(b * 8);
                    }
                    self.base[i].next = self.wide_base[i].word.val();
                }
            }
        }
        for l in self._first_lo..(self._first_lo + 1) {
            for h in self._first_hi..(self._first_hi + 1) {
                for i in 0..self._windows {
                    self.wide_first[i].lane[4].next = self.kept[h + i].q.val().get_bits::<8>(0);
                    for b in 0..4 {
                        self.wide_first[i].lane[b].next = self.kept[l + i].q.val().get_bits::<8>(b * 8);
                    }
                    self.window_first[i].next = self.wide_first[i].word.val();
                }
            }
        }
        for l in self._last_lo..(self._last_lo + 1) {
            for h in self._last_hi..(self._last_hi + 1) {
                for i in 0..self._windows {
                    self.wide_last[i].lane[4].next = self.kept[h + i].q.val().get_bits::<8>(0);
                    for b in 0..4 {
                        self.wide_last[i].lane[b].next = self.kept[l + i].q.val().get_bits::<8>(b * 8);
                    }
                    self.window_last[i].next = self.wide_last[i].word.val();
                }
            }
        }
        for r in self._rights..(self._rights + 1) {
            for i in 0..self._windows {
                self.window_rights[i].next = self.kept[r + i].q.val().get_bits::<3>(0);
            }
        }

        if self.rst.val() {
            self.irq_cause.d.next = 0.into();
            self.irq_level.d.next = false;
            self.turn.d.next = Turn::Idle;
            self.write.d.next = false;
            self.aw_full.d.next = false;
            self.w_full.d.next = false;
            self.ar_full.d.next = false;
        }
    }
}
