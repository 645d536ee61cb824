// SPDX-License-Identifier: Apache-2.0
//! M, the cube engine: `C[m, n] = (accumulate ? C[m, n] : 0) + A[m, k] B[n, k]^T`, one M0 x K0 x N0 block product per cycle.
//!
//! ```text
//!              ┌────────┐   ┌──────┐ go ┌──────┐
//!  op_* ──────►│ decode │──►│ step │───►│ line │──► l0c_m_read, l0c_write, done
//!              └────────┘   └──┬───┘    └──┬───┘
//!                 l0a/l0b_read │           │ add, keep, load
//!                              ▼           ▼
//!  l0a/l0b_read_data ────► mul ► tree ► accumulate ──► l0c_write_data        (array: M0 rows of N0 dot products)
//! ```
//! A step goes when both blocks are full, whatever is behind it drains. A k-run reads C at most once and writes it once. Cycles, with T
//! the registers of the adder tree ([`tree_depth`]): instruction taken c; its first step c+2 if the cube is idle, else the cycle
//! after the last step of the one before; L0 data 2 after a step; totals written 5 + T after the last step of a k-run; `done` 6 + T
//! after the last step of the instruction. From taking it to the last write: steps + 6 + T cycles.
//! Tests: `tests/units/cube.rs`. Page: `docs/units/cube.md`.

mod accumulate;
mod array;
mod clear;
mod decode;
mod dot;
mod line;
mod row;
mod step;
mod useful;

pub use accumulate::Accumulate;
pub use array::Array;
pub use clear::Clear;
pub use decode::Decode;
pub use dot::{Dot, tree_depth};
pub use line::Line;
pub use row::Row;
pub use step::Step;
pub use useful::Useful;

use crate::prim::prelude::*;
use isa::{Cause, Config};

/// The cube engine.
#[derive(LogicBlock)]
pub struct M {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forget every instruction and fault.
    pub rst: Signal<In, Bit>,
    /// An instruction is offered.
    pub op_valid: Signal<In, Bit>,
    /// It is taken.
    pub op_ready: Signal<Out, Bit>,
    /// Words w0 to w7 of an m.mmad.
    pub op_word: Vec<Signal<In, Bits<32>>>,
    /// Its program counter.
    pub op_pc: Signal<In, Bits<32>>,
    /// A state register is written; M has none, so this does nothing.
    pub set_valid: Signal<In, Bit>,
    /// See `set_valid`.
    pub set_register: Signal<In, Bits<8>>,
    /// See `set_valid`.
    pub set_value: Signal<In, Bits<32>>,
    /// Pulse: the instruction taken last has cleared the full bits of its target.
    pub early: Signal<Out, Bit>,
    /// Pulse per finished instruction: its results are in L0C.
    pub done: Signal<Out, Bit>,
    /// An instruction is inside.
    pub active: Signal<Out, Bit>,
    /// Waiting for a full bit of L0A or L0B.
    pub stall_block: Signal<Out, Bit>,
    /// Never: M uses no memory that can be busy.
    pub stall_memory: Signal<Out, Bit>,
    /// M has stopped at a fault; until `rst`.
    pub fault: Signal<Out, Bit>,
    /// `isa::Cause` of the fault.
    pub fault_cause: Signal<Out, Bits<8>>,
    /// The fractal outside its buffer.
    pub fault_address: Signal<Out, Bits<40>>,
    /// Program counter of the instruction.
    pub fault_pc: Signal<Out, Bits<32>>,
    /// Start no new instruction.
    pub halt: Signal<In, Bit>,
    /// Read a block of A.
    pub l0a_read_valid: Signal<Out, Bit>,
    /// Block of A; stands before `l0a_read_valid`, for the full bit.
    pub l0a_read_address: Signal<Out, Bits<16>>,
    /// The block at `l0a_read_address` is full (combinational).
    pub l0a_read_full: Signal<In, Bit>,
    /// The block read two cycles ago: row i, element c at i * K0 + c.
    pub l0a_read_data: Vec<Signal<In, Bits<9>>>,
    /// Read a block of B.
    pub l0b_read_valid: Signal<Out, Bit>,
    /// Block of B; stands before `l0b_read_valid`, for the full bit.
    pub l0b_read_address: Signal<Out, Bits<16>>,
    /// The block at `l0b_read_address` is full (combinational).
    pub l0b_read_full: Signal<In, Bit>,
    /// The block read two cycles ago: row j, element c at j * K0 + c.
    pub l0b_read_data: Vec<Signal<In, Bits<9>>>,
    /// Write a block of C and set its full bit.
    pub l0c_write_valid: Signal<Out, Bit>,
    /// Block of C.
    pub l0c_write_address: Signal<Out, Bits<16>>,
    /// The block: row i, column j at i * N0 + j.
    pub l0c_write_data: Vec<Signal<Out, Bits<32>>>,
    /// Clear full bits.
    pub l0c_clear_valid: Signal<Out, Bit>,
    /// First fractal to clear.
    pub l0c_clear_first: Signal<Out, Bits<16>>,
    /// Last fractal to clear.
    pub l0c_clear_last: Signal<Out, Bits<16>>,
    /// Read a block of C.
    pub l0c_m_read_valid: Signal<Out, Bit>,
    /// Block of C.
    pub l0c_m_read_address: Signal<Out, Bits<16>>,
    /// The block read two cycles ago.
    pub l0c_m_read_data: Vec<Signal<In, Bits<32>>>,
    /// Counter: a cube step was done (two cycles ago).
    pub step: Signal<Out, Bit>,
    /// Counter: products of real elements in that step, 0 without one; each step executes M0 * K0 * N0.
    pub useful_macs: Signal<Out, Bits<16>>,
    decode: Decode,
    steps: Step,
    clear: Clear,
    line: Line,
    tally: Useful,
    array: Array,
    inside: Reg<Bits<5>>,
    accumulate: Reg<Bit>,
    pc: Reg<Bits<32>>,
    recent_valid: Reg<Bit>,
    /// Block of C that the accumulators hold.
    recent: Reg<Bits<16>>,
    faulted: Reg<Bit>,
    cause: Reg<Bits<8>>,
    place: Reg<Bits<24>>,
    stopped: Signal<Local, Bit>,
    ready: Signal<Local, Bit>,
    full: Signal<Local, Bit>,
    wanted: Signal<Local, Bit>,
    same: Signal<Local, Bit>,
    fetch: Signal<Local, Bit>,
    go: Signal<Local, Bit>,
    ended: Signal<Local, Bit>,
    free: Signal<Local, Bit>,
    head: Signal<Local, Bit>,
    load: Signal<Local, Bit>,
    unsupported: Constant<Bits<8>>,
    out_of_buffer: Constant<Bits<8>>,
    _a_lanes: usize,
    _b_lanes: usize,
    _c_lanes: usize,
}

impl M {
    /// The cube engine of this core.
    ///
    /// Panics if L0A, L0B or L0C has more than 65,536 blocks.
    pub fn new(config: &Config) -> Self {
        let (m0, k0, n0) = (config.m0, config.k0, config.n0);
        let tree = tree_depth(k0);
        let cause = |cause: Cause| Constant::new(u64::from(cause.code()).into());
        M {
            clk: Signal::default(),
            rst: Signal::default(),
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
            fault: Signal::default(),
            fault_cause: Signal::default(),
            fault_address: Signal::default(),
            fault_pc: Signal::default(),
            halt: Signal::default(),
            l0a_read_valid: Signal::default(),
            l0a_read_address: Signal::default(),
            l0a_read_full: Signal::default(),
            l0a_read_data: vec![Signal::default(); m0 * k0],
            l0b_read_valid: Signal::default(),
            l0b_read_address: Signal::default(),
            l0b_read_full: Signal::default(),
            l0b_read_data: vec![Signal::default(); n0 * k0],
            l0c_write_valid: Signal::default(),
            l0c_write_address: Signal::default(),
            l0c_write_data: vec![Signal::default(); m0 * n0],
            l0c_clear_valid: Signal::default(),
            l0c_clear_first: Signal::default(),
            l0c_clear_last: Signal::default(),
            l0c_m_read_valid: Signal::default(),
            l0c_m_read_address: Signal::default(),
            l0c_m_read_data: vec![Signal::default(); m0 * n0],
            step: Signal::default(),
            useful_macs: Signal::default(),
            decode: Decode::new(config),
            steps: Step::new(config),
            clear: Clear::new(config, tree),
            line: Line::new(tree),
            tally: Useful::new(config),
            array: Array::new(config),
            inside: Reg::default(),
            accumulate: Reg::default(),
            pc: Reg::default(),
            recent_valid: Reg::default(),
            recent: Reg::default(),
            faulted: Reg::default(),
            cause: Reg::default(),
            place: Reg::default(),
            stopped: Signal::default(),
            ready: Signal::default(),
            full: Signal::default(),
            wanted: Signal::default(),
            same: Signal::default(),
            fetch: Signal::default(),
            go: Signal::default(),
            ended: Signal::default(),
            free: Signal::default(),
            head: Signal::default(),
            load: Signal::default(),
            unsupported: cause(Cause::Unsupported),
            out_of_buffer: cause(Cause::OutOfBuffer),
            _a_lanes: m0 * k0,
            _b_lanes: n0 * k0,
            _c_lanes: m0 * n0,
        }
    }
}

impl Logic for M {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("m_engine: the cube engine, C = or += A B, one block product per cycle.");
        dff_setup!(self, clk, inside, accumulate, pc, recent_valid, recent, faulted, cause, place);
        self.stopped.next = self.faulted.q.val() | self.halt.val();

        // One step: both blocks full, and C not on its way to where this k-run reads it.
        self.full.next = self.l0a_read_full.val() & self.l0b_read_full.val();
        self.ready.next = self.steps.valid.val() & !self.steps.outside.val() & !self.faulted.q.val();
        self.wanted.next = self.steps.first.val() & self.accumulate.q.val();
        // The accumulators still hold the block of the last k-run: going on needs no read.
        self.same.next = self.recent_valid.q.val() & (self.recent.q.val() == self.steps.c_address.val());
        self.fetch.next = self.wanted.val() & !self.same.val();
        self.go.next = self.ready.val() & self.full.val() & !(self.fetch.val() & self.line.landing.val());
        self.ended.next = self.go.val() & self.steps.final_step.val();
        self.steps.clk.next = self.clk.val();
        self.steps.rst.next = self.rst.val();
        self.steps.go.next = self.go.val();
        self.l0a_read_valid.next = self.go.val();
        self.l0a_read_address.next = self.steps.a_address.val();
        self.l0b_read_valid.next = self.go.val();
        self.l0b_read_address.next = self.steps.b_address.val();
        self.stall_block.next = self.ready.val() & !self.full.val();
        self.stall_memory.next = false;
        if self.go.val() {
            self.recent.d.next = self.steps.c_address.val();
            self.recent_valid.d.next = true;
        }

        // The next instruction, decoded while this one runs; it starts when this one has done its steps and its clears.
        self.decode.clk.next = self.clk.val();
        self.decode.rst.next = self.rst.val();
        self.decode.op_valid.next = self.op_valid.val();
        self.op_ready.next = self.decode.op_ready.val();
        for i in 0..8 {
            self.decode.op_word[i].next = self.op_word[i].val();
        }
        self.decode.op_pc.next = self.op_pc.val();
        // `early` speaks of the instruction taken last, so none is taken before it.
        self.decode.block.next = self.stopped.val() | self.clear.pending.val();
        self.free.next = (!self.steps.valid.val() | self.ended.val())
            & (!self.clear.pending.val() | self.clear.early.val())
            & !self.stopped.val();
        self.head.next = self.decode.valid.val() & self.free.val();
        self.load.next = self.head.val() & !self.decode.unsupported.val();
        self.decode.load.next = self.load.val();
        self.steps.load.next = self.load.val();
        self.steps.base_a.next = self.decode.base_a.val();
        self.steps.base_b.next = self.decode.base_b.val();
        self.steps.base_c.next = self.decode.base_c.val();
        self.steps.k_fractals.next = self.decode.k_fractals.val();
        self.steps.n_fractals.next = self.decode.n_fractals.val();
        self.steps.m_last.next = self.decode.m_last.val();
        self.steps.n_last.next = self.decode.n_last.val();
        self.steps.k_last.next = self.decode.k_last.val();
        self.steps.m_tail.next = self.decode.m_tail.val();
        self.steps.n_tail.next = self.decode.n_tail.val();
        self.steps.k_tail.next = self.decode.k_tail.val();
        if self.load.val() {
            self.accumulate.d.next = self.decode.accumulate.val();
            self.pc.d.next = self.decode.pc.val();
        }

        self.clear.clk.next = self.clk.val();
        self.clear.rst.next = self.rst.val();
        self.clear.start.next = self.load.val() & self.decode.early.val();
        self.clear.base.next = self.decode.base_c.val();
        self.clear.n_fractals.next = self.decode.n_fractals.val();
        self.clear.m_fractals_last.next = self.decode.m_fractals_last.val();
        self.clear.ended.next = self.ended.val();
        self.clear.stop.next = self.faulted.q.val();
        self.l0c_clear_valid.next = self.clear.valid.val();
        self.l0c_clear_first.next = self.clear.first.val();
        self.l0c_clear_last.next = self.clear.last.val();
        self.early.next = self.clear.early.val();

        self.line.clk.next = self.clk.val();
        self.line.rst.next = self.rst.val();
        self.line.go.next = self.go.val();
        self.line.in_load.next = self.fetch.val();
        self.line.in_keep.next = !self.steps.first.val() | (self.wanted.val() & self.same.val());
        self.line.in_last.next = self.steps.last_k.val();
        self.line.in_final.next = self.steps.final_step.val();
        self.line.probe.next = self.steps.c_address.val();
        self.l0c_m_read_valid.next = self.line.read_valid.val();
        self.l0c_m_read_address.next = self.line.read_address.val();
        self.l0c_write_valid.next = self.line.write_valid.val();
        self.l0c_write_address.next = self.line.write_address.val();
        self.done.next = self.line.done.val();

        self.array.clk.next = self.clk.val();
        self.array.enable.next = self.line.add.val();
        self.array.keep.next = self.line.keep.val();
        self.array.load.next = self.line.load.val();
        for i in 0..self._a_lanes {
            self.array.a[i].next = self.l0a_read_data[i].val();
        }
        for i in 0..self._b_lanes {
            self.array.b[i].next = self.l0b_read_data[i].val();
        }
        for i in 0..self._c_lanes {
            self.array.c[i].next = self.l0c_m_read_data[i].val();
            self.l0c_write_data[i].next = self.array.total[i].val();
        }

        self.tally.clk.next = self.clk.val();
        self.tally.rst.next = self.rst.val();
        self.tally.go.next = self.go.val();
        self.tally.m_count.next = self.steps.m_count.val();
        self.tally.n_count.next = self.steps.n_count.val();
        self.tally.k_count.next = self.steps.k_count.val();
        self.step.next = self.tally.step.val();
        self.useful_macs.next = self.tally.macs.val();

        if self.decode.taken.val() & !self.line.done.val() {
            self.inside.d.next = self.inside.q.val() + 1;
        }
        if !self.decode.taken.val() & self.line.done.val() {
            self.inside.d.next = self.inside.q.val() - 1;
        }
        self.active.next = self.inside.q.val() != 0;

        // The first fault is kept; an instruction that begins cannot fault before the one whose steps still run.
        if !self.faulted.q.val() {
            if self.steps.valid.val() & self.steps.outside.val() {
                self.faulted.d.next = true;
                self.cause.d.next = self.out_of_buffer.val();
                self.place.d.next = self.steps.outside_fractal.val();
            } else if self.clear.outside.val() {
                self.faulted.d.next = true;
                self.cause.d.next = self.out_of_buffer.val();
                self.place.d.next = self.clear.outside_fractal.val();
            } else if self.head.val() & self.decode.unsupported.val() {
                self.faulted.d.next = true;
                self.cause.d.next = self.unsupported.val();
                self.place.d.next = 0.into();
                self.pc.d.next = self.decode.pc.val();
            }
        }
        self.fault.next = self.faulted.q.val();
        self.fault_cause.next = self.cause.q.val();
        self.fault_address.next = bit_cast::<40, 24>(self.place.q.val());
        self.fault_pc.next = self.pc.q.val();
        if self.rst.val() {
            self.inside.d.next = 0.into();
            self.recent_valid.d.next = false;
            self.faulted.d.next = false;
            self.cause.d.next = 0.into();
        }
    }
}
