// SPDX-License-Identifier: Apache-2.0
//! The head of one pipe: queue, SETs, flag waits, hand-over to the engine, flag raises, and what the pipe's cycles were spent on.
//!
//! ```text
//!  in (8 words, pc) ──►┌──────────────────────┐──► op (8 words, pc), set (register, value)    ──► engine
//!  present[from, id] ─►│ queue ► head ► flight │◄── early, done, active, stall_block/memory   ◄── engine
//!                      │                      │──► take[from, id], raise[to, id], raise_early[id] ──► flags
//!                      └──────────────────────┘──► busy, wait_*, idle
//! ```
//! Rules: in order. A SET goes to the engine as one pulse. An operation is offered when every flag it names is present and takes one
//! of each in the cycle of its hand-over. `early` raises the early sets of the operation handed over last, `done` the other sets of
//! the oldest one in flight; both may come in one cycle and go out on separate vectors, so none is lost. Latency 2 cycles from `in`
//! to `op`; one instruction per cycle. Each cycle exactly one of busy, wait_flag, wait_block, wait_memory, wait_queue is high.
//!
//! Tests: `tests/units/issue.rs`. Page: `docs/units/issue.md`.

use crate::prim::prelude::*;
use isa::limits::{FLAG_IDS, SET_SLOTS, WAIT_SLOTS};
use isa::opcode::{SET_SLOT_LO, WAIT_SLOT_LO};
use isa::{Config, Opcode, Pipe};

/// Operations in flight between hand-over and `done`.
const FLIGHT: usize = 8;

/// Issue stage of one worker pipe.
#[derive(LogicBlock)]
pub struct Issue {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets everything.
    pub rst: Signal<In, Bit>,
    /// Hands nothing over.
    pub halt: Signal<In, Bit>,
    /// An instruction of this pipe, or a SET that names it.
    pub in_valid: Signal<In, Bit>,
    /// The queue has room.
    pub in_ready: Signal<Out, Bit>,
    /// The instruction.
    pub in_word: Vec<Signal<In, Bits<32>>>,
    /// Its byte offset from the start of the program.
    pub in_pc: Signal<In, Bits<32>>,
    /// An operation for the engine.
    pub op_valid: Signal<Out, Bit>,
    /// The engine takes it.
    pub op_ready: Signal<In, Bit>,
    /// The operation.
    pub op_word: Vec<Signal<Out, Bits<32>>>,
    /// Its byte offset from the start of the program.
    pub op_pc: Signal<Out, Bits<32>>,
    /// A state register is written.
    pub set_valid: Signal<Out, Bit>,
    /// Its index.
    pub set_register: Signal<Out, Bits<8>>,
    /// Its new value.
    pub set_value: Signal<Out, Bits<32>>,
    /// Pulse: the operation handed over last has cleared its target.
    pub early: Signal<In, Bit>,
    /// Pulse: the oldest operation is finished.
    pub done: Signal<In, Bit>,
    /// The engine holds an operation.
    pub active: Signal<In, Bit>,
    /// The engine stands still for a full bit.
    pub stall_block: Signal<In, Bit>,
    /// The engine stands still for memory.
    pub stall_memory: Signal<In, Bit>,
    /// Counter (from, this pipe, id) is not 0; index `from * 8 + id`.
    pub present: Vec<Signal<In, Bit>>,
    /// Takes one from that counter.
    pub take: Vec<Signal<Out, Bit>>,
    /// Adds one to counter (this pipe, to, id); index `to * 8 + id`.
    pub raise: Vec<Signal<Out, Bit>>,
    /// Adds one to counter (this pipe, the only pipe it may chain to, id).
    pub raise_early: Vec<Signal<Out, Bit>>,
    /// Byte offset of the operation that `raise` belongs to: the oldest in flight, else the next one.
    pub oldest_pc: Signal<Out, Bits<32>>,
    /// Byte offset of the operation that `raise_early` belongs to.
    pub newest_pc: Signal<Out, Bits<32>>,
    /// Nothing is queued, offered or in flight.
    pub idle: Signal<Out, Bit>,
    /// It works.
    pub busy: Signal<Out, Bit>,
    /// Its next operation waits for a flag and nothing is in flight.
    pub wait_flag: Signal<Out, Bit>,
    /// The engine stands still for a full bit.
    pub wait_block: Signal<Out, Bit>,
    /// The engine stands still for memory.
    pub wait_memory: Signal<Out, Bit>,
    /// It holds no instruction.
    pub wait_queue: Signal<Out, Bit>,
    queue: Fifo<32>,
    /// Sets (3 lanes) and program counter (4 lanes) of the operations in flight.
    flight: Fifo<8>,
    joined_pc: Join<8, 32>,
    head_valid: Reg<Bit>,
    head: Vec<Reg<Bits<32>>>,
    newest: Reg<Bits<32>>,
    newest_sets: Reg<Bits<32>>,
    is_set: Signal<Local, Bit>,
    missing: Signal<Local, Bit>,
    working: Signal<Local, Bit>,
    offer: Signal<Local, Bit>,
    start: Signal<Local, Bit>,
    write: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    needs: Vec<Signal<Local, Bit>>,
    set_code: Constant<Bits<8>>,
    /// Code of each worker as it stands in slots.
    worker: Vec<Constant<Bits<3>>>,
    _pipes: usize,
    _ids: usize,
}

impl Issue {
    /// The issue stage of a worker of a core of this configuration; the same for every worker.
    pub fn new(config: &Config) -> Self {
        let (pipes, ids) = (Pipe::WORKERS.len(), FLAG_IDS);
        // The kernel names the slot positions as numbers, which is only right for these.
        const { assert!(WAIT_SLOTS == 3 && WAIT_SLOT_LO[0] == 8 && WAIT_SLOT_LO[1] == 15 && WAIT_SLOT_LO[2] == 22) };
        const { assert!(SET_SLOTS == 3 && SET_SLOT_LO[0] == 0 && SET_SLOT_LO[1] == 8 && SET_SLOT_LO[2] == 16) };
        Issue {
            clk: Signal::default(),
            rst: Signal::default(),
            halt: Signal::default(),
            in_valid: Signal::default(),
            in_ready: Signal::default(),
            in_word: vec![Signal::default(); 8],
            in_pc: Signal::default(),
            op_valid: Signal::default(),
            op_ready: Signal::default(),
            op_word: vec![Signal::default(); 8],
            op_pc: Signal::default(),
            set_valid: Signal::default(),
            set_register: Signal::default(),
            set_value: Signal::default(),
            early: Signal::default(),
            done: Signal::default(),
            active: Signal::default(),
            stall_block: Signal::default(),
            stall_memory: Signal::default(),
            present: vec![Signal::default(); pipes * ids],
            take: vec![Signal::default(); pipes * ids],
            raise: vec![Signal::default(); pipes * ids],
            raise_early: vec![Signal::default(); ids],
            oldest_pc: Signal::default(),
            newest_pc: Signal::default(),
            idle: Signal::default(),
            busy: Signal::default(),
            wait_flag: Signal::default(),
            wait_block: Signal::default(),
            wait_memory: Signal::default(),
            wait_queue: Signal::default(),
            queue: Fifo::new(config.queue_len, 9),
            flight: Fifo::new(FLIGHT, 7),
            joined_pc: Join::default(),
            head_valid: Reg::default(),
            head: vec![Reg::default(); 9],
            newest: Reg::default(),
            newest_sets: Reg::default(),
            is_set: Signal::default(),
            missing: Signal::default(),
            working: Signal::default(),
            offer: Signal::default(),
            start: Signal::default(),
            write: Signal::default(),
            accept: Signal::default(),
            needs: vec![Signal::default(); pipes * ids],
            set_code: Constant::new(u64::from(Opcode::Set.code()).into()),
            worker: Pipe::WORKERS.map(|pipe| Constant::new(u64::from(pipe.code()).into())).to_vec(),
            _pipes: pipes,
            _ids: ids,
        }
    }
}

impl Logic for Issue {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("issue: queue, flag waits, hand-over and flag raises of one pipe.");
        dff_setup!(self, clk, head_valid, newest, newest_sets);

        // Which flags the head names.
        for i in 0..self._pipes {
            for j in 0..self._ids {
                self.needs[i * 8 + j].next = false;
                for s in 0..3 {
                    if self.head[0].q.val().get_bit(s * 7 + 8)
                        & (self.head[0].q.val().get_bits::<3>(s * 7 + 9) == self.worker[i].val())
                        & (self.head[0].q.val().get_bits::<3>(s * 7 + 12) == j.to_bits())
                    {
                        self.needs[i * 8 + j].next = true;
                    }
                }
            }
        }
        self.missing.next = false;
        for i in 0..40 {
            if self.needs[i].val() & !self.present[i].val() {
                self.missing.next = true;
            }
        }

        // Hand-over.
        self.is_set.next = self.head[0].q.val().get_bits::<8>(0) == self.set_code.val();
        self.offer.next = self.head_valid.q.val()
            & !self.is_set.val()
            & !self.missing.val()
            & self.flight.in_ready.val()
            & !self.halt.val();
        self.start.next = self.offer.val() & self.op_ready.val();
        self.write.next = self.head_valid.q.val() & self.is_set.val() & !self.halt.val();
        self.op_valid.next = self.offer.val();
        self.set_valid.next = self.write.val();
        self.set_register.next = self.head[2].q.val().get_bits::<8>(8);
        self.set_value.next = self.head[3].q.val();
        self.op_pc.next = self.head[8].q.val();
        for i in 0..40 {
            self.take[i].next = self.start.val() & self.needs[i].val();
        }

        // Queue and head.
        self.accept.next = self.start.val() | self.write.val() | !self.head_valid.q.val();
        self.queue.clk.next = self.clk.val();
        self.queue.clear.next = self.rst.val();
        self.queue.in_valid.next = self.in_valid.val();
        self.queue.in_data[8].next = self.in_pc.val();
        self.queue.out_ready.next = self.accept.val();
        self.in_ready.next = self.queue.in_ready.val();
        for i in 0..8 {
            self.queue.in_data[i].next = self.in_word[i].val();
            self.op_word[i].next = self.head[i].q.val();
        }
        for i in 0..9 {
            self.head[i].clock.next = self.clk.val();
            self.head[i].d.next = self.head[i].q.val();
            if self.accept.val() {
                self.head[i].d.next = self.queue.out_data[i].val();
            }
        }
        if self.accept.val() {
            self.head_valid.d.next = self.queue.out_valid.val();
        }

        // In flight.
        self.flight.clk.next = self.clk.val();
        self.flight.clear.next = self.rst.val();
        self.flight.in_valid.next = self.start.val();
        self.flight.out_ready.next = self.done.val();
        for i in 0..3 {
            self.flight.in_data[i].next = self.head[1].q.val().get_bits::<8>(i * 8);
        }
        for i in 0..4 {
            self.flight.in_data[i + 3].next = self.head[8].q.val().get_bits::<8>(i * 8);
            self.joined_pc.lane[i].next = self.flight.out_data[i + 3].val();
        }
        if self.start.val() {
            self.newest.d.next = self.head[8].q.val();
            self.newest_sets.d.next = self.head[1].q.val();
        }
        self.newest_pc.next = self.newest.q.val();
        self.oldest_pc.next = self.head[8].q.val();
        if self.flight.out_valid.val() {
            self.oldest_pc.next = self.joined_pc.word.val();
        }
        for i in 0..self._pipes {
            for j in 0..self._ids {
                self.raise[i * 8 + j].next = false;
                for s in 0..3 {
                    if self.done.val()
                        & self.flight.out_valid.val()
                        & self.flight.out_data[s].val().get_bit(0)
                        & !self.flight.out_data[s].val().get_bit(7)
                        & (self.flight.out_data[s].val().get_bits::<3>(1) == self.worker[i].val())
                        & (self.flight.out_data[s].val().get_bits::<3>(4) == j.to_bits())
                    {
                        self.raise[i * 8 + j].next = true;
                    }
                }
            }
        }
        for j in 0..self._ids {
            self.raise_early[j].next = false;
            for s in 0..3 {
                if self.early.val()
                    & self.newest_sets.q.val().get_bit(s * 8)
                    & self.newest_sets.q.val().get_bit(s * 8 + 7)
                    & (self.newest_sets.q.val().get_bits::<3>(s * 8 + 4) == j.to_bits())
                {
                    self.raise_early[j].next = true;
                }
            }
        }

        // What this cycle was spent on.
        self.working.next = self.flight.out_valid.val() | self.active.val();
        self.idle.next = !self.working.val() & !self.head_valid.q.val() & !self.queue.out_valid.val();
        self.busy.next = false;
        self.wait_flag.next = false;
        self.wait_block.next = false;
        self.wait_memory.next = false;
        self.wait_queue.next = false;
        if self.working.val() {
            if self.stall_block.val() {
                self.wait_block.next = true;
            } else if self.stall_memory.val() {
                self.wait_memory.next = true;
            } else {
                self.busy.next = true;
            }
        } else if self.head_valid.q.val() & !self.is_set.val() & self.missing.val() {
            self.wait_flag.next = true;
        } else if self.head_valid.q.val() | self.queue.out_valid.val() {
            self.busy.next = true;
        } else {
            self.wait_queue.next = true;
        }

        if self.rst.val() {
            self.head_valid.d.next = false;
        }
    }
}
