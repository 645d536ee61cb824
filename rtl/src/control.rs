// SPDX-License-Identifier: Apache-2.0
//! The state of the context: start, first fault, halt, waiting for a quiet bus, soft reset, watchdog.
//!
//! ```text
//!            start                        done                      start
//!  Idle ──────────► Clear ► Launch ► Run ───────► Done ───────────────► Clear
//!                                     │ fault                            soft reset, from every state:
//!                                     └──────► Drain ─(quiet)─► Fault    Stop ─(quiet)─► Wipe ► Idle
//! ```
//! Rules: the first fault wins; of several in one cycle S, then MTE2, MTE1, M, FIX, MTE3, flags, AXI read, AXI write, watchdog. One
//! cycle after a fault `halt` is high and stays until soft reset. Quiet means 8 consecutive cycles without an outstanding AXI
//! transaction. `core_rst` resets engines, queues, flags and sequencer, not the registers and not the AXI blocks; it pulses at every
//! start too, so a second program begins in the same state and takes the same cycles. Start to fetch: 2 cycles.
//!
//! Tests: `tests/units/control.rs`. Page: `docs/units/csr.md`.

use crate::prim::prelude::*;
use isa::csr::Status;
use isa::{Cause, Pipe};

/// States of the context.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum Life {
    /// Nothing has run since reset.
    Idle,
    /// Start: reset pulse.
    Clear,
    /// Start: the sequencer is told.
    Launch,
    /// A program runs.
    Run,
    /// The program has ended.
    Done,
    /// After a fault, until AXI is quiet.
    Drain,
    /// The program has faulted.
    Fault,
    /// Soft reset, until AXI is quiet.
    Stop,
    /// Soft reset: reset pulse.
    Wipe,
}

/// Run, halt and reset of the core.
#[derive(LogicBlock)]
pub struct Control {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// To Idle.
    pub rst: Signal<In, Bit>,
    /// Pulse, only when Idle or Done: starts the program.
    pub start: Signal<In, Bit>,
    /// Pulse: stops everything and goes Idle.
    pub soft_reset: Signal<In, Bit>,
    /// GM address of the program.
    pub program_base: Signal<In, Bits<40>>,
    /// Cycles without progress that make a fault; 0: never.
    pub no_progress_limit: Signal<In, Bits<32>>,
    /// Pulse: END is done.
    pub done: Signal<In, Bit>,
    /// Some pipe is busy, an AXI beat moves or an instruction is dispatched.
    pub progress: Signal<In, Bit>,
    /// The sequencer refuses an instruction.
    pub decode_fault: Signal<In, Bit>,
    /// Why.
    pub decode_cause: Signal<In, Bits<8>>,
    /// Which.
    pub decode_pc: Signal<In, Bits<32>>,
    /// GM address or 0.
    pub decode_address: Signal<In, Bits<40>>,
    /// Program counter of the sequencer.
    pub sequencer_pc: Signal<In, Bits<32>>,
    /// An engine has found a fault.
    pub engine_fault: Vec<Signal<In, Bit>>,
    /// Why.
    pub engine_cause: Vec<Signal<In, Bits<8>>>,
    /// In which instruction.
    pub engine_pc: Vec<Signal<In, Bits<32>>>,
    /// At which address.
    pub engine_address: Vec<Signal<In, Bits<40>>>,
    /// That pipe holds no instruction.
    pub idle: Vec<Signal<In, Bit>>,
    /// Program counter of its oldest instruction.
    pub oldest_pc: Vec<Signal<In, Bits<32>>>,
    /// A flag went above its limit.
    pub flags_fault: Signal<In, Bit>,
    /// Worker that raised it, by engine index.
    pub flags_pipe: Signal<In, Bits<3>>,
    /// Instruction that raised it.
    pub flags_pc: Signal<In, Bits<32>>,
    /// The AXI read side has found a fault.
    pub read_fault: Signal<In, Bit>,
    /// Requester: 0 fetch, else MTE2.
    pub read_requester: Signal<In, Bits<4>>,
    /// Why.
    pub read_cause: Signal<In, Bits<8>>,
    /// At which address.
    pub read_address: Signal<In, Bits<40>>,
    /// In which instruction of MTE2, if not of the fetch.
    pub mte2_bus_pc: Signal<In, Bits<32>>,
    /// The AXI write side has found a fault.
    pub write_fault: Signal<In, Bit>,
    /// Requester: 0 FIX, else MTE3.
    pub write_requester: Signal<In, Bits<4>>,
    /// Why.
    pub write_cause: Signal<In, Bits<8>>,
    /// At which address.
    pub write_address: Signal<In, Bits<40>>,
    /// In which instruction, if of FIX.
    pub fix_bus_pc: Signal<In, Bits<32>>,
    /// In which instruction, if of MTE3.
    pub mte3_bus_pc: Signal<In, Bits<32>>,
    /// Nothing is outstanding on the AXI read side.
    pub read_quiet: Signal<In, Bit>,
    /// Nothing is outstanding on the AXI write side.
    pub write_quiet: Signal<In, Bit>,
    /// To everybody: start nothing new.
    pub halt: Signal<Out, Bit>,
    /// Resets engines, queues, flags and sequencer.
    pub core_rst: Signal<Out, Bit>,
    /// Pulse to the sequencer, the cycle after `core_rst`.
    pub launch: Signal<Out, Bit>,
    /// Pulse: clear the counters.
    pub clear_counters: Signal<Out, Bit>,
    /// Pulse: soft reset is done, clear `irq_cause`.
    pub wiped: Signal<Out, Bit>,
    /// Status is running: counters count.
    pub running: Signal<Out, Bit>,
    /// Field `state` of the status register.
    pub status: Signal<Out, Bits<2>>,
    /// Field `draining` of the status register.
    pub draining: Signal<Out, Bit>,
    /// Pulse: the status turns done.
    pub done_event: Signal<Out, Bit>,
    /// Pulse: the status turns fault.
    pub fault_event: Signal<Out, Bit>,
    /// Fault record: cause, 0 none.
    pub fault_cause: Signal<Out, Bits<8>>,
    /// Fault record: code of the pipe.
    pub fault_pipe: Signal<Out, Bits<3>>,
    /// Fault record: program counter.
    pub fault_pc: Signal<Out, Bits<32>>,
    /// Fault record: address.
    pub fault_address: Signal<Out, Bits<40>>,
    state: Reg<Life>,
    cause: Reg<Bits<8>>,
    pipe: Reg<Bits<3>>,
    pc: Reg<Bits<32>>,
    address: Reg<Bits<40>>,
    calm: Reg<Bits<3>>,
    still: Reg<Bits<32>>,
    expired: Reg<Bit>,
    any: Signal<Local, Bit>,
    new_cause: Signal<Local, Bits<8>>,
    new_pipe: Signal<Local, Bits<3>>,
    new_pc: Signal<Local, Bits<32>>,
    new_address: Signal<Local, Bits<40>>,
    quiet: Signal<Local, Bit>,
    settled: Signal<Local, Bit>,
    fetched: Signal<Local, Bits<40>>,
    no_progress: Constant<Bits<8>>,
    flag_overflow: Constant<Bits<8>>,
    sequencer: Constant<Bits<3>>,
    worker: Vec<Constant<Bits<3>>>,
    status_idle: Constant<Bits<2>>,
    status_running: Constant<Bits<2>>,
    status_done: Constant<Bits<2>>,
    status_fault: Constant<Bits<2>>,
    _pipes: usize,
    _mte2: usize,
    _fix: usize,
    _mte3: usize,
}

impl Default for Control {
    fn default() -> Self {
        let pipes = Pipe::WORKERS.len();
        let index = |pipe: Pipe| pipe.worker_index().expect("a worker has an index");
        let status = |status: Status| Constant::new((status as u64).into());
        Control {
            clk: Signal::default(),
            rst: Signal::default(),
            start: Signal::default(),
            soft_reset: Signal::default(),
            program_base: Signal::default(),
            no_progress_limit: Signal::default(),
            done: Signal::default(),
            progress: Signal::default(),
            decode_fault: Signal::default(),
            decode_cause: Signal::default(),
            decode_pc: Signal::default(),
            decode_address: Signal::default(),
            sequencer_pc: Signal::default(),
            engine_fault: vec![Signal::default(); pipes],
            engine_cause: vec![Signal::default(); pipes],
            engine_pc: vec![Signal::default(); pipes],
            engine_address: vec![Signal::default(); pipes],
            idle: vec![Signal::default(); pipes],
            oldest_pc: vec![Signal::default(); pipes],
            flags_fault: Signal::default(),
            flags_pipe: Signal::default(),
            flags_pc: Signal::default(),
            read_fault: Signal::default(),
            read_requester: Signal::default(),
            read_cause: Signal::default(),
            read_address: Signal::default(),
            mte2_bus_pc: Signal::default(),
            write_fault: Signal::default(),
            write_requester: Signal::default(),
            write_cause: Signal::default(),
            write_address: Signal::default(),
            fix_bus_pc: Signal::default(),
            mte3_bus_pc: Signal::default(),
            read_quiet: Signal::default(),
            write_quiet: Signal::default(),
            halt: Signal::default(),
            core_rst: Signal::default(),
            launch: Signal::default(),
            clear_counters: Signal::default(),
            wiped: Signal::default(),
            running: Signal::default(),
            status: Signal::default(),
            draining: Signal::default(),
            done_event: Signal::default(),
            fault_event: Signal::default(),
            fault_cause: Signal::default(),
            fault_pipe: Signal::default(),
            fault_pc: Signal::default(),
            fault_address: Signal::default(),
            state: Reg::default(),
            cause: Reg::default(),
            pipe: Reg::default(),
            pc: Reg::default(),
            address: Reg::default(),
            calm: Reg::default(),
            still: Reg::default(),
            expired: Reg::default(),
            any: Signal::default(),
            new_cause: Signal::default(),
            new_pipe: Signal::default(),
            new_pc: Signal::default(),
            new_address: Signal::default(),
            quiet: Signal::default(),
            settled: Signal::default(),
            fetched: Signal::default(),
            no_progress: Constant::new(u64::from(Cause::NoProgress.code()).into()),
            flag_overflow: Constant::new(u64::from(Cause::FlagOverflow.code()).into()),
            sequencer: Constant::new(u64::from(Pipe::S.code()).into()),
            worker: Pipe::WORKERS.map(|pipe| Constant::new(u64::from(pipe.code()).into())).to_vec(),
            status_idle: status(Status::Idle),
            status_running: status(Status::Running),
            status_done: status(Status::Done),
            status_fault: status(Status::Fault),
            _pipes: pipes,
            _mte2: index(Pipe::Mte2),
            _fix: index(Pipe::Fix),
            _mte3: index(Pipe::Mte3),
        }
    }
}

impl Logic for Control {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("control: start, first fault, halt, quiet bus, soft reset, watchdog of the context.");
        dff_setup!(self, clk, state, cause, pipe, pc, address, calm, still, expired);

        // The fault of this cycle; later assignments win, so the lowest priority stands first.
        self.any.next = self.expired.q.val();
        self.new_cause.next = self.no_progress.val();
        self.new_pipe.next = self.sequencer.val();
        self.new_pc.next = self.sequencer_pc.val();
        self.new_address.next = 0.into();
        self.fetched.next = self.read_address.val() - self.program_base.val();
        for n in self._pipes..(self._pipes + 1) {
            for i in 0..self._pipes {
                if !self.idle[n - 1 - i].val() {
                    self.new_pipe.next = self.worker[n - 1 - i].val();
                    self.new_pc.next = self.oldest_pc[n - 1 - i].val();
                }
            }
        }
        for f in self._fix..(self._fix + 1) {
            for t in self._mte3..(self._mte3 + 1) {
                if self.write_fault.val() {
                    self.any.next = true;
                    self.new_cause.next = self.write_cause.val();
                    self.new_address.next = self.write_address.val();
                    if self.write_requester.val() == 0 {
                        self.new_pipe.next = self.worker[f].val();
                        self.new_pc.next = self.fix_bus_pc.val();
                    } else {
                        self.new_pipe.next = self.worker[t].val();
                        self.new_pc.next = self.mte3_bus_pc.val();
                    }
                }
            }
        }
        for l in self._mte2..(self._mte2 + 1) {
            if self.read_fault.val() {
                self.any.next = true;
                self.new_cause.next = self.read_cause.val();
                self.new_address.next = self.read_address.val();
                if self.read_requester.val() == 0 {
                    self.new_pipe.next = self.sequencer.val();
                    // The error may be in the middle of an instruction.
                    self.new_pc.next = (self.fetched.val().get_bits::<32>(0) >> 5) << 5;
                } else {
                    self.new_pipe.next = self.worker[l].val();
                    self.new_pc.next = self.mte2_bus_pc.val();
                }
            }
        }
        if self.flags_fault.val() {
            self.any.next = true;
            self.new_cause.next = self.flag_overflow.val();
            self.new_pc.next = self.flags_pc.val();
            self.new_address.next = 0.into();
            for i in 0..self._pipes {
                if self.flags_pipe.val() == i.to_bits() {
                    self.new_pipe.next = self.worker[i].val();
                }
            }
        }
        for n in self._pipes..(self._pipes + 1) {
            for i in 0..self._pipes {
                if self.engine_fault[n - 1 - i].val() {
                    self.any.next = true;
                    self.new_cause.next = self.engine_cause[n - 1 - i].val();
                    self.new_pipe.next = self.worker[n - 1 - i].val();
                    self.new_pc.next = self.engine_pc[n - 1 - i].val();
                    self.new_address.next = self.engine_address[n - 1 - i].val();
                }
            }
        }
        if self.decode_fault.val() {
            self.any.next = true;
            self.new_cause.next = self.decode_cause.val();
            self.new_pipe.next = self.sequencer.val();
            self.new_pc.next = self.decode_pc.val();
            self.new_address.next = self.decode_address.val();
        }

        // A transaction that was accepted in the cycle of the halt shows as outstanding a little later, hence the 8 cycles.
        self.quiet.next = self.read_quiet.val() & self.write_quiet.val();
        self.settled.next = self.quiet.val() & (self.calm.q.val() == 7);
        self.calm.d.next = 0.into();
        if self.quiet.val() & ((self.state.q.val() == Life::Drain) | (self.state.q.val() == Life::Stop)) {
            self.calm.d.next = self.calm.q.val() + 1;
        }

        // Watchdog.
        self.still.d.next = 0.into();
        self.expired.d.next = false;
        if (self.state.q.val() == Life::Run) & !self.progress.val() & (self.no_progress_limit.val() != 0) {
            self.still.d.next = self.still.q.val() + 1;
            self.expired.d.next = self.still.q.val() + 1 == self.no_progress_limit.val();
        }

        self.halt.next = false;
        self.core_rst.next = false;
        self.launch.next = false;
        self.clear_counters.next = false;
        self.wiped.next = false;
        self.running.next = true;
        self.status.next = self.status_running.val();
        self.draining.next = false;
        self.done_event.next = false;
        self.fault_event.next = false;
        match self.state.q.val() {
            Life::Idle => {
                self.running.next = false;
                self.status.next = self.status_idle.val();
                self.clear_counters.next = self.start.val();
                if self.start.val() {
                    self.state.d.next = Life::Clear;
                }
            }
            Life::Clear => {
                self.core_rst.next = true;
                self.state.d.next = Life::Launch;
            }
            Life::Launch => {
                self.launch.next = true;
                self.state.d.next = Life::Run;
            }
            Life::Run => {
                if self.any.val() {
                    self.state.d.next = Life::Drain;
                    self.cause.d.next = self.new_cause.val();
                    self.pipe.d.next = self.new_pipe.val();
                    self.pc.d.next = self.new_pc.val();
                    self.address.d.next = self.new_address.val();
                } else if self.done.val() {
                    self.state.d.next = Life::Done;
                    self.done_event.next = true;
                }
            }
            Life::Done => {
                self.running.next = false;
                self.status.next = self.status_done.val();
                self.clear_counters.next = self.start.val();
                if self.start.val() {
                    self.state.d.next = Life::Clear;
                }
            }
            Life::Drain => {
                self.halt.next = true;
                self.draining.next = true;
                if self.settled.val() {
                    self.state.d.next = Life::Fault;
                    self.fault_event.next = true;
                }
            }
            Life::Fault => {
                self.halt.next = true;
                self.running.next = false;
                self.status.next = self.status_fault.val();
            }
            Life::Stop => {
                self.halt.next = true;
                self.draining.next = true;
                if self.settled.val() {
                    self.state.d.next = Life::Wipe;
                }
            }
            // Life::Wipe, and encodings that never occur.
            _ => {
                self.halt.next = true;
                self.core_rst.next = true;
                self.draining.next = true;
                self.clear_counters.next = true;
                self.wiped.next = true;
                self.state.d.next = Life::Idle;
                self.cause.d.next = 0.into();
                self.pipe.d.next = 0.into();
                self.pc.d.next = 0.into();
                self.address.d.next = 0.into();
            }
        }
        if self.soft_reset.val() & (self.state.q.val() != Life::Wipe) {
            self.state.d.next = Life::Stop;
            self.calm.d.next = 0.into();
        }
        if self.rst.val() {
            self.core_rst.next = true;
            self.clear_counters.next = true;
            self.state.d.next = Life::Idle;
            self.cause.d.next = 0.into();
            self.pipe.d.next = 0.into();
            self.pc.d.next = 0.into();
            self.address.d.next = 0.into();
        }
        self.fault_cause.next = self.cause.q.val();
        self.fault_pipe.next = self.pipe.q.val();
        self.fault_pc.next = self.pc.q.val();
        self.fault_address.next = self.address.q.val();
    }
}
