// SPDX-License-Identifier: Apache-2.0
//! The pipe S: fetches the program, checks every instruction, hands it to the queue of its pipe, in order.
//!
//! ```text
//!  start, program_base, length ──►┌───────────────────────────────┐──► push_valid[pipe], word[8], pc ──► issue[pipe]
//!  AXI read requester 0 ◄───►│ fetch ► head ► check ► decided │◄── push_ready[pipe], idle[pipe]
//!  flags_any ───────────────►│                               │──► done, dispatched, fault
//!                            └───────────────────────────────┘
//! ```
//! Rule: instruction n goes out after n-1; SET goes to the queue of the pipe that it names; BARRIER and END wait until every pipe is
//! idle; END with a raised flag is the fault FlagLeft; running past the end of the program is WindowExecute. One instruction per
//! cycle; 3 cycles from its last beat to its queue. A full queue stops everything behind it.
//!
//! Tests: `tests/units/sequencer.rs`. Page: `docs/units/sequencer.md`.

mod check;
mod fetch;

pub use check::Check;
pub use fetch::Fetch;

use crate::prim::prelude::*;
use isa::{Cause, Config, Opcode, Pipe};

/// The sequencer of a core whose bus has B bits.
#[derive(LogicBlock)]
pub struct Sequencer<const B: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets the program, the fault and everything fetched. AXI must be quiet.
    pub rst: Signal<In, Bit>,
    /// No new requests, no dispatch.
    pub halt: Signal<In, Bit>,
    /// Pulse, at least one cycle after `rst`: begins the program.
    pub start: Signal<In, Bit>,
    /// GM address of the program, a multiple of 64.
    pub program_base: Signal<In, Bits<40>>,
    /// Bytes of the program, a multiple of 32.
    pub length: Signal<In, Bits<32>>,
    /// AXI read requester 0: a burst is asked for.
    pub request_valid: Signal<Out, Bit>,
    /// The request is taken.
    pub request_ready: Signal<In, Bit>,
    /// GM address of the burst.
    pub request_address: Signal<Out, Bits<40>>,
    /// Beats of the burst less 1.
    pub request_beats: Signal<Out, Bits<8>>,
    /// A beat is offered.
    pub data_valid: Signal<In, Bit>,
    /// The beat is taken.
    pub data_ready: Signal<Out, Bit>,
    /// The beat.
    pub data: Signal<In, Bits<B>>,
    /// An instruction for the queue of this worker; at most one of them.
    pub push_valid: Vec<Signal<Out, Bit>>,
    /// That queue has room.
    pub push_ready: Vec<Signal<In, Bit>>,
    /// The instruction, for all queues.
    pub word: Vec<Signal<Out, Bits<32>>>,
    /// Its byte offset from the start of the program; of the next instruction if none is decided.
    pub pc: Signal<Out, Bits<32>>,
    /// That worker holds no instruction.
    pub idle: Vec<Signal<In, Bit>>,
    /// Some flag counter is not 0.
    pub flags_any: Signal<In, Bit>,
    /// Pulse: an instruction has left.
    pub dispatched: Signal<Out, Bit>,
    /// Pulse: END is done.
    pub done: Signal<Out, Bit>,
    /// Level until `rst`: the instruction at `fault_pc` is refused.
    pub fault: Signal<Out, Bit>,
    /// Why.
    pub fault_cause: Signal<Out, Bits<8>>,
    /// Which.
    pub fault_pc: Signal<Out, Bits<32>>,
    /// GM address, for a fetch past the end; else 0.
    pub fault_address: Signal<Out, Bits<40>>,
    fetch: Fetch<B>,
    check: Check,
    head_valid: Reg<Bit>,
    head: Vec<Reg<Bits<32>>>,
    head_pc: Reg<Bits<32>>,
    next_pc: Reg<Bits<32>>,
    decided_valid: Reg<Bit>,
    decided: Vec<Reg<Bits<32>>>,
    decided_pc: Reg<Bits<32>>,
    is_opcode: Vec<Reg<Bit>>,
    illegal: Vec<Reg<Bit>>,
    unsupported: Vec<Reg<Bit>>,
    target: Vec<Reg<Bit>>,
    stop: Reg<Bit>,
    barrier: Reg<Bit>,
    all_idle: Reg<Bit>,
    waited: Reg<Bit>,
    ended: Reg<Bit>,
    refused: Reg<Bit>,
    cause: Reg<Bits<8>>,
    address: Reg<Bits<40>>,
    refused_pc: Reg<Bits<32>>,
    known: Signal<Local, Bit>,
    bad: Signal<Local, Bit>,
    lacking: Signal<Local, Bit>,
    legal: Signal<Local, Bit>,
    go: Signal<Local, Bit>,
    blocked: Signal<Local, Bit>,
    settled: Signal<Local, Bit>,
    leave: Signal<Local, Bit>,
    advance: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    every_idle: Signal<Local, Bit>,
    illegal_opcode: Constant<Bits<8>>,
    illegal_field: Constant<Bits<8>>,
    lacks: Constant<Bits<8>>,
    flag_left: Constant<Bits<8>>,
    past_end: Constant<Bits<8>>,
    _opcodes: usize,
    _pipes: usize,
}

impl<const B: usize> Sequencer<B> {
    /// The sequencer of a core of this configuration, whose bus has B bits.
    pub fn new(config: &Config) -> Self {
        let (opcodes, pipes) = (Opcode::ALL.len(), Pipe::WORKERS.len());
        let code = |cause: Cause| Constant::new(u64::from(cause.code()).into());
        Sequencer {
            clk: Signal::default(),
            rst: Signal::default(),
            halt: Signal::default(),
            start: Signal::default(),
            program_base: Signal::default(),
            length: Signal::default(),
            request_valid: Signal::default(),
            request_ready: Signal::default(),
            request_address: Signal::default(),
            request_beats: Signal::default(),
            data_valid: Signal::default(),
            data_ready: Signal::default(),
            data: Signal::default(),
            push_valid: vec![Signal::default(); pipes],
            push_ready: vec![Signal::default(); pipes],
            word: vec![Signal::default(); 8],
            pc: Signal::default(),
            idle: vec![Signal::default(); pipes],
            flags_any: Signal::default(),
            dispatched: Signal::default(),
            done: Signal::default(),
            fault: Signal::default(),
            fault_cause: Signal::default(),
            fault_pc: Signal::default(),
            fault_address: Signal::default(),
            fetch: Fetch::new(config),
            check: Check::new(config),
            head_valid: Reg::default(),
            head: vec![Reg::default(); 8],
            head_pc: Reg::default(),
            next_pc: Reg::default(),
            decided_valid: Reg::default(),
            decided: vec![Reg::default(); 8],
            decided_pc: Reg::default(),
            is_opcode: vec![Reg::default(); opcodes],
            illegal: vec![Reg::default(); opcodes],
            unsupported: vec![Reg::default(); opcodes],
            target: vec![Reg::default(); pipes],
            stop: Reg::default(),
            barrier: Reg::default(),
            all_idle: Reg::default(),
            waited: Reg::default(),
            ended: Reg::default(),
            refused: Reg::default(),
            cause: Reg::default(),
            address: Reg::default(),
            refused_pc: Reg::default(),
            known: Signal::default(),
            bad: Signal::default(),
            lacking: Signal::default(),
            legal: Signal::default(),
            go: Signal::default(),
            blocked: Signal::default(),
            settled: Signal::default(),
            leave: Signal::default(),
            advance: Signal::default(),
            accept: Signal::default(),
            every_idle: Signal::default(),
            illegal_opcode: code(Cause::IllegalOpcode),
            illegal_field: code(Cause::IllegalField),
            lacks: code(Cause::Unsupported),
            flag_left: code(Cause::FlagLeft),
            past_end: code(Cause::WindowExecute),
            _opcodes: opcodes,
            _pipes: pipes,
        }
    }
}

impl<const B: usize> Logic for Sequencer<B> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("sequencer_{data}: fetches, checks and dispatches instructions in program order.");
        dff_setup!(
            self,
            clk,
            head_valid,
            head_pc,
            next_pc,
            decided_valid,
            decided_pc,
            stop,
            barrier,
            all_idle,
            waited,
            ended,
            refused,
            cause,
            address,
            refused_pc
        );

        self.fetch.clk.next = self.clk.val();
        self.fetch.rst.next = self.rst.val();
        self.fetch.halt.next = self.halt.val();
        self.fetch.start.next = self.start.val();
        self.fetch.stop.next = self.ended.q.val() | self.refused.q.val();
        self.fetch.program_base.next = self.program_base.val();
        self.fetch.length.next = self.length.val();
        self.request_valid.next = self.fetch.request_valid.val();
        self.fetch.request_ready.next = self.request_ready.val();
        self.request_address.next = self.fetch.request_address.val();
        self.request_beats.next = self.fetch.request_beats.val();
        self.fetch.data_valid.next = self.data_valid.val();
        self.data_ready.next = self.fetch.data_ready.val();
        self.fetch.data.next = self.data.val();

        // What the tables say of the decided instruction.
        self.known.next = false;
        self.bad.next = false;
        self.lacking.next = false;
        for i in 0..self._opcodes {
            if self.is_opcode[i].q.val() {
                self.known.next = true;
            }
            if self.is_opcode[i].q.val() & self.illegal[i].q.val() {
                self.bad.next = true;
            }
            if self.is_opcode[i].q.val() & self.unsupported[i].q.val() {
                self.lacking.next = true;
            }
        }
        self.legal.next = self.known.val() & !self.bad.val() & !self.lacking.val();
        self.go.next = self.decided_valid.q.val() & !self.halt.val() & !self.refused.q.val() & !self.ended.q.val();

        // Dispatch. `all_idle` is one cycle late, hence `waited`: what left just before is in it by then, and so are its flags.
        self.every_idle.next = true;
        self.blocked.next = false;
        for i in 0..self._pipes {
            if !self.idle[i].val() {
                self.every_idle.next = false;
            }
            if self.target[i].q.val() & !self.push_ready[i].val() {
                self.blocked.next = true;
            }
            self.push_valid[i].next = self.go.val() & self.legal.val() & self.target[i].q.val();
        }
        self.all_idle.d.next = self.every_idle.val();
        self.waited.d.next = self.go.val() & (self.stop.q.val() | self.barrier.q.val());
        self.settled.next = self.waited.q.val() & self.all_idle.q.val();
        self.leave.next = self.go.val()
            & self.legal.val()
            & !self.blocked.val()
            & (!self.barrier.q.val() | self.settled.val())
            & (!self.stop.q.val() | (self.settled.val() & !self.flags_any.val() & self.fetch.quiet.val()));
        if self.leave.val() {
            self.waited.d.next = false;
        }
        self.dispatched.next = self.leave.val();
        self.done.next = self.leave.val() & self.stop.q.val();
        if self.leave.val() & self.stop.q.val() {
            self.ended.d.next = true;
        }

        // Two elastic stages: `head` feeds the checks, `decided` holds their results.
        self.advance.next = self.leave.val() | !self.decided_valid.q.val();
        self.accept.next = self.advance.val() | !self.head_valid.q.val();
        self.fetch.out_ready.next = self.accept.val();
        if self.accept.val() {
            self.head_valid.d.next = self.fetch.out_valid.val();
            self.head_pc.d.next = self.next_pc.q.val();
            if self.fetch.out_valid.val() {
                self.next_pc.d.next = self.next_pc.q.val() + 32;
            }
        }
        if self.advance.val() {
            self.decided_valid.d.next = self.head_valid.q.val();
            self.decided_pc.d.next = self.head_pc.q.val();
            self.stop.d.next = self.check.stop.val();
            self.barrier.d.next = self.check.barrier.val();
        }
        for i in 0..8 {
            self.head[i].clock.next = self.clk.val();
            self.decided[i].clock.next = self.clk.val();
            self.head[i].d.next = self.head[i].q.val();
            self.decided[i].d.next = self.decided[i].q.val();
            if self.accept.val() {
                self.head[i].d.next = self.fetch.out_word[i].val();
            }
            if self.advance.val() {
                self.decided[i].d.next = self.head[i].q.val();
            }
            self.check.word[i].next = self.head[i].q.val();
            self.word[i].next = self.decided[i].q.val();
        }
        for i in 0..self._opcodes {
            self.is_opcode[i].clock.next = self.clk.val();
            self.illegal[i].clock.next = self.clk.val();
            self.unsupported[i].clock.next = self.clk.val();
            self.is_opcode[i].d.next = self.is_opcode[i].q.val();
            self.illegal[i].d.next = self.illegal[i].q.val();
            self.unsupported[i].d.next = self.unsupported[i].q.val();
            if self.advance.val() {
                self.is_opcode[i].d.next = self.check.is_opcode[i].val();
                self.illegal[i].d.next = self.check.illegal[i].val();
                self.unsupported[i].d.next = self.check.unsupported[i].val();
            }
        }
        for i in 0..self._pipes {
            self.target[i].clock.next = self.clk.val();
            self.target[i].d.next = self.target[i].q.val();
            if self.advance.val() {
                self.target[i].d.next = self.check.target[i].val();
            }
        }
        self.pc.next = self.next_pc.q.val();
        if self.decided_valid.q.val() {
            self.pc.next = self.decided_pc.q.val();
        } else if self.head_valid.q.val() {
            self.pc.next = self.head_pc.q.val();
        }

        // Faults.
        if self.go.val() {
            self.refused_pc.d.next = self.decided_pc.q.val();
            self.address.d.next = 0.into();
            if !self.known.val() {
                self.refused.d.next = true;
                self.cause.d.next = self.illegal_opcode.val();
            } else if self.bad.val() {
                self.refused.d.next = true;
                self.cause.d.next = self.illegal_field.val();
            } else if self.lacking.val() {
                self.refused.d.next = true;
                self.cause.d.next = self.lacks.val();
            } else if self.stop.q.val() & self.settled.val() & self.flags_any.val() {
                self.refused.d.next = true;
                self.cause.d.next = self.flag_left.val();
            }
        } else if self.fetch.exhausted.val()
            & !self.head_valid.q.val()
            & !self.decided_valid.q.val()
            & !self.halt.val()
            & !self.refused.q.val()
            & !self.ended.q.val()
        {
            self.refused.d.next = true;
            self.refused_pc.d.next = self.next_pc.q.val();
            self.cause.d.next = self.past_end.val();
            self.address.d.next = self.fetch.address.val();
        }
        self.fault.next = self.refused.q.val();
        self.fault_cause.next = self.cause.q.val();
        self.fault_pc.next = self.refused_pc.q.val();
        self.fault_address.next = self.address.q.val();

        if self.start.val() {
            self.next_pc.d.next = 0.into();
        }
        if self.rst.val() {
            self.head_valid.d.next = false;
            self.decided_valid.d.next = false;
            self.waited.d.next = false;
            self.ended.d.next = false;
            self.refused.d.next = false;
        }
    }
}
