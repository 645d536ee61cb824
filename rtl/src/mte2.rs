// SPDX-License-Identifier: Apache-2.0
//! MTE2, the DMA engine from global memory into L1 and UB: loads and fills in up to four dimensions, as rows or nz.
//!
//! ```text
//!  op_* ──┬─► gm_rows ─► read stream ◄─► AxiRead          one bus word per cycle
//!         │                  │ dense words
//!         └─► queue ──► scatter ──► write_*, ub_write_*   up to 6 instructions inside, in order
//! ```
//! The rows of the next instruction are asked for while the data of the last one still arrives. `done` comes when L1 or UB has taken
//! the last byte. The state registers (counts and strides of dimensions 2 and 3) are read when an instruction is taken; one that they
//! do not fit is BadRegister as soon as nothing else is inside. Without UB decode lets nothing through that names it.
//! GM is asked ahead of what the buffer has taken, but faults are told in the order of the runs, of each first that of GM: a fault of
//! the buffer waits for the rest of its run, one of GM (`bus_fault`, too) until the buffer has taken every run before it.
//! Page: `docs/units/mte2.md`, test: `tests/units/mte2.rs`.

mod scatter;

pub use scatter::Scatter;

use crate::axi::{GmRows, ReadStream};
use crate::l1::L1;
use crate::prim::prelude::*;
use isa::{Cause, Config, Opcode};

/// The engine for a bus of B bits.
#[derive(LogicBlock)]
pub struct Mte2<const B: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Drops everything; only when `AxiRead` is quiet.
    pub rst: Signal<In, Bit>,
    /// An instruction is offered.
    pub op_valid: Signal<In, Bit>,
    /// It is taken.
    pub op_ready: Signal<Out, Bit>,
    /// Its eight words.
    pub op_word: Vec<Signal<In, Bits<32>>>,
    /// Its program counter.
    pub op_pc: Signal<In, Bits<32>>,
    /// A state register is written.
    pub set_valid: Signal<In, Bit>,
    /// Which.
    pub set_register: Signal<In, Bits<8>>,
    /// Its value.
    pub set_value: Signal<In, Bits<32>>,
    /// Never: MTE2 has no early sets.
    pub early: Signal<Out, Bit>,
    /// An instruction is finished (pulse, in order).
    pub done: Signal<Out, Bit>,
    /// An instruction is inside.
    pub active: Signal<Out, Bit>,
    /// Never: MTE2 does not wait on full bits.
    pub stall_block: Signal<Out, Bit>,
    /// An instruction is inside, and no segment moves towards L1.
    pub stall_memory: Signal<Out, Bit>,
    /// The engine has stopped; the three that follow hold. Level until `rst`.
    pub fault: Signal<Out, Bit>,
    /// Why.
    pub fault_cause: Signal<Out, Bits<8>>,
    /// Address in GM, L1 or UB.
    pub fault_address: Signal<Out, Bits<40>>,
    /// Program counter of the instruction.
    pub fault_pc: Signal<Out, Bits<32>>,
    /// Take no instruction.
    pub halt: Signal<In, Bit>,
    /// Base registers.
    pub base: Vec<Signal<In, Bits<40>>>,
    /// Tag of a faulty burst (from `AxiRead`).
    pub bus_tag: Signal<In, Bits<3>>,
    /// Program counter of the instruction to which that burst belongs.
    pub bus_pc: Signal<Out, Bits<32>>,
    /// `AxiRead` has a settled fault of requester 1.
    pub bus_fault: Signal<In, Bit>,
    /// It is the next in the order of the program.
    pub bus_fault_due: Signal<Out, Bit>,
    /// Bytes of GM that go towards L1 or UB in this cycle.
    pub read_bytes: Signal<Out, Bits<8>>,
    /// To `AxiRead`, requester 1.
    pub request_valid: Signal<Out, Bit>,
    /// From `AxiRead`.
    pub request_ready: Signal<In, Bit>,
    /// To `AxiRead`.
    pub request_address: Signal<Out, Bits<40>>,
    /// To `AxiRead`: words less 1.
    pub request_beats: Signal<Out, Bits<8>>,
    /// To `AxiRead`.
    pub request_skip: Signal<Out, Bits<8>>,
    /// To `AxiRead`.
    pub request_trim: Signal<Out, Bits<8>>,
    /// To `AxiRead`.
    pub request_tag: Signal<Out, Bits<3>>,
    /// From `AxiRead`.
    pub data_valid: Signal<In, Bit>,
    /// To `AxiRead`.
    pub data_ready: Signal<Out, Bit>,
    /// From `AxiRead`.
    pub data_last: Signal<In, Bit>,
    /// From `AxiRead`.
    pub data: Signal<In, Bits<B>>,
    /// A segment is offered to L1 (port 0).
    pub write_valid: Signal<Out, Bit>,
    /// L1 takes it.
    pub write_ready: Signal<In, Bit>,
    /// A segment is offered to UB, if there is one; the three that follow are for both.
    pub ub_write_valid: Vec<Signal<Out, Bit>>,
    /// UB takes it.
    pub ub_write_ready: Vec<Signal<In, Bit>>,
    /// Its address, a multiple of S (`L1::segment`).
    pub write_address: Signal<Out, Bits<24>>,
    /// Bytes of it that are written, S of them.
    pub write_enable: Vec<Signal<Out, Bit>>,
    /// Its bytes.
    pub write_data: Vec<Signal<Out, Bits<8>>>,
    gm_rows: GmRows,
    stream: ReadStream<B>,
    /// Instructions for `scatter`: w2 with bit 0 = fill, w4, w5, w7, program counter, counts, strides of dimensions 2 and 3.
    queue: Fifo<32>,
    scatter: Scatter,
    /// Program counters of the last eight instructions, by tag.
    counters: Lutram<32>,
    count2: Reg<Bits<16>>,
    src_stride2: Reg<Bits<32>>,
    dst_stride2: Reg<Bits<24>>,
    count3: Reg<Bits<16>>,
    src_stride3: Reg<Bits<32>>,
    dst_stride3: Reg<Bits<24>>,
    tag: Reg<Bits<3>>,
    inside_count: Reg<Bits<3>>,
    gm_pc: Reg<Bits<32>>,
    finished: Reg<Bit>,
    /// All of the run in which a byte would lie outside has come.
    drained: Reg<Bit>,
    faulty: Reg<Bit>,
    cause: Reg<Bits<8>>,
    place: Reg<Bits<40>>,
    fault_counter: Reg<Bits<32>>,
    is_fill: Signal<Local, Bit>,
    starved: Signal<Local, Bit>,
    bad: Signal<Local, Bit>,
    free: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    base_number: Signal<Local, Bits<4>>,
    fill_code: Constant<Bits<8>>,
    cause_register: Constant<Bits<8>>,
    cause_bounds: Constant<Bits<8>>,
    cause_address: Constant<Bits<8>>,
    _bytes: usize,
    _s: usize,
    _ub: usize,
}

impl<const B: usize> Mte2<B> {
    /// The engine of a core. Panics if the bus of `config` has not B bits.
    pub fn new(config: &Config) -> Self {
        assert_eq!(config.bus_bytes * 8, B, "the bus of the core and of the engine differ");
        let s = L1::segment(config);
        let ub = usize::from(config.ub_bytes > 0);
        Mte2 {
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
            base: vec![Signal::default(); isa::limits::BASES],
            bus_tag: Signal::default(),
            bus_pc: Signal::default(),
            bus_fault: Signal::default(),
            bus_fault_due: Signal::default(),
            read_bytes: Signal::default(),
            request_valid: Signal::default(),
            request_ready: Signal::default(),
            request_address: Signal::default(),
            request_beats: Signal::default(),
            request_skip: Signal::default(),
            request_trim: Signal::default(),
            request_tag: Signal::default(),
            data_valid: Signal::default(),
            data_ready: Signal::default(),
            data_last: Signal::default(),
            data: Signal::default(),
            write_valid: Signal::default(),
            write_ready: Signal::default(),
            ub_write_valid: vec![Signal::default(); ub],
            ub_write_ready: vec![Signal::default(); ub],
            write_address: Signal::default(),
            write_enable: vec![Signal::default(); s],
            write_data: vec![Signal::default(); s],
            gm_rows: GmRows::new(config.bus_bytes),
            stream: ReadStream::new(config.outstanding),
            queue: Fifo::new(4, 8),
            scatter: Scatter::new(config.bus_bytes, s, config.l1_bytes, config.ub_bytes),
            counters: Lutram::new(8, 1),
            count2: Reg::default(),
            src_stride2: Reg::default(),
            dst_stride2: Reg::default(),
            count3: Reg::default(),
            src_stride3: Reg::default(),
            dst_stride3: Reg::default(),
            tag: Reg::default(),
            inside_count: Reg::default(),
            gm_pc: Reg::default(),
            finished: Reg::default(),
            drained: Reg::default(),
            faulty: Reg::default(),
            cause: Reg::default(),
            place: Reg::default(),
            fault_counter: Reg::default(),
            is_fill: Signal::default(),
            starved: Signal::default(),
            bad: Signal::default(),
            free: Signal::default(),
            take: Signal::default(),
            base_number: Signal::default(),
            fill_code: Constant::new(u64::from(Opcode::Mte2Fill.code()).into()),
            cause_register: Constant::new(u64::from(Cause::BadRegister.code()).into()),
            cause_bounds: Constant::new(u64::from(Cause::OutOfBuffer.code()).into()),
            cause_address: Constant::new(u64::from(Cause::AddressOverflow.code()).into()),
            _bytes: config.bus_bytes,
            _s: s,
            _ub: ub,
        }
    }
}

impl<const B: usize> Logic for Mte2<B> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte2_{data}: DMA engine from global memory into L1 and UB.");
        dff_setup!(self, clk, tag, inside_count, gm_pc, finished, drained, faulty, cause, place, fault_counter);
        dff_setup!(self, clk, count2, src_stride2, dst_stride2, count3, src_stride3, dst_stride3);
        self.gm_rows.clk.next = self.clk.val();
        self.gm_rows.rst.next = self.rst.val();
        self.stream.clk.next = self.clk.val();
        self.stream.rst.next = self.rst.val();
        self.queue.clk.next = self.clk.val();
        self.queue.clear.next = self.rst.val();
        self.scatter.clk.next = self.clk.val();
        self.scatter.rst.next = self.rst.val();
        // State registers, numbered as in `isa::state::outer`.
        if self.set_valid.val() {
            if self.set_register.val() == 0 {
                self.count2.d.next = self.set_value.val().get_bits::<16>(0);
            }
            if self.set_register.val() == 1 {
                self.src_stride2.d.next = self.set_value.val();
            }
            if self.set_register.val() == 2 {
                self.dst_stride2.d.next = self.set_value.val().get_bits::<24>(0);
            }
            if self.set_register.val() == 3 {
                self.count3.d.next = self.set_value.val().get_bits::<16>(0);
            }
            if self.set_register.val() == 4 {
                self.src_stride3.d.next = self.set_value.val();
            }
            if self.set_register.val() == 5 {
                self.dst_stride3.d.next = self.set_value.val().get_bits::<24>(0);
            }
        }
        // An instruction goes to both sides at once.
        self.is_fill.next = self.op_word[0].val().get_bits::<8>(0) == self.fill_code.val();
        self.bad.next = (self.count2.q.val() == 0)
            | (self.count3.q.val() == 0)
            | (self.op_word[2].val().get_bit(4)
                & ((self.dst_stride2.q.val() | self.dst_stride3.q.val()).get_bits::<5>(0) != 0));
        self.free.next = !self.halt.val()
            & !self.faulty.q.val()
            & self.gm_rows.start_ready.val()
            & self.queue.in_ready.val()
            & (self.inside_count.q.val() != 7);
        self.op_ready.next = self.free.val() & (!self.bad.val() | (self.inside_count.q.val() == 0));
        self.take.next = self.free.val() & self.op_valid.val() & !self.bad.val();
        self.base_number.next = self.op_word[2].val().get_bits::<4>(0);
        self.gm_rows.start_valid.next = self.take.val() & !self.is_fill.val();
        self.gm_rows.start_base.next = self.base[self.base_number.val().index()].val();
        self.gm_rows.start_offset.next = bit_cast::<40, 32>(self.op_word[3].val())
            | (bit_cast::<40, 8>(self.op_word[2].val().get_bits::<8>(8)) << 32);
        self.gm_rows.start_rows.next = self.op_word[2].val().get_bits::<16>(16);
        self.gm_rows.start_length.next = self.op_word[5].val().get_bits::<24>(0);
        self.gm_rows.start_stride.next = self.op_word[6].val();
        self.gm_rows.start_count2.next = self.count2.q.val();
        self.gm_rows.start_count3.next = self.count3.q.val();
        self.gm_rows.start_stride2.next = self.src_stride2.q.val();
        self.gm_rows.start_stride3.next = self.src_stride3.q.val();
        self.gm_rows.start_tag.next = self.tag.q.val();
        self.queue.in_valid.next = self.take.val();
        self.queue.in_data[0].next = ((self.op_word[2].val() >> 1) << 1) | bit_cast::<32, 1>(self.is_fill.val().into());
        self.queue.in_data[1].next = self.op_word[4].val();
        self.queue.in_data[2].next = self.op_word[5].val();
        self.queue.in_data[3].next = self.op_word[7].val();
        self.queue.in_data[4].next = self.op_pc.val();
        self.queue.in_data[5].next =
            bit_cast::<32, 16>(self.count2.q.val()) | (bit_cast::<32, 16>(self.count3.q.val()) << 16);
        self.queue.in_data[6].next = bit_cast::<32, 24>(self.dst_stride2.q.val());
        self.queue.in_data[7].next = bit_cast::<32, 24>(self.dst_stride3.q.val());
        if self.take.val() {
            self.tag.d.next = self.tag.q.val() + 1;
            if !self.is_fill.val() {
                self.gm_pc.d.next = self.op_pc.val();
            }
        }
        self.counters.clock.next = self.clk.val();
        self.counters.write_enable.next = self.take.val();
        self.counters.write_address.next = bit_cast::<8, 3>(self.tag.q.val());
        self.counters.write[0].next = self.op_pc.val();
        self.counters.read_address.next = bit_cast::<8, 3>(self.bus_tag.val());
        self.bus_pc.next = self.counters.read[0].val();
        // Global memory side.
        self.stream.row_valid.next = self.gm_rows.row_valid.val();
        self.gm_rows.row_ready.next = self.stream.row_ready.val();
        self.stream.row_address.next = self.gm_rows.row_address.val();
        self.stream.row_length.next = self.gm_rows.row_length.val();
        self.stream.row_tag.next = self.gm_rows.row_tag.val();
        self.request_valid.next = self.stream.request_valid.val();
        self.stream.request_ready.next = self.request_ready.val();
        self.request_address.next = self.stream.request_address.val();
        self.request_beats.next = self.stream.request_beats.val();
        self.request_skip.next = self.stream.request_skip.val();
        self.request_trim.next = self.stream.request_trim.val();
        self.request_tag.next = self.stream.request_tag.val();
        self.stream.data_valid.next = self.data_valid.val();
        self.data_ready.next = self.stream.data_ready.val();
        self.stream.data_last.next = self.data_last.val();
        self.stream.data.next = self.data.val();
        self.read_bytes.next = 0.into();
        if self.stream.out_valid.val() & self.scatter.src_ready.val() {
            self.read_bytes.next = self.stream.out_count.val();
        }
        // Local side.
        self.scatter.op_valid.next = self.queue.out_valid.val();
        self.queue.out_ready.next = self.scatter.op_ready.val();
        self.scatter.op_fill.next = self.queue.out_data[0].val().get_bit(0);
        self.scatter.op_nz.next = self.queue.out_data[0].val().get_bit(4);
        self.scatter.op_byte.next = self.queue.out_data[0].val().get_bits::<8>(8);
        self.scatter.op_rows.next = self.queue.out_data[0].val().get_bits::<16>(16);
        self.scatter.op_address.next = self.queue.out_data[1].val().get_bits::<24>(0);
        self.scatter.op_length.next = self.queue.out_data[2].val().get_bits::<24>(0);
        self.scatter.op_stride.next = self.queue.out_data[3].val().get_bits::<24>(0);
        self.scatter.op_pc.next = self.queue.out_data[4].val();
        self.scatter.op_count2.next = self.queue.out_data[5].val().get_bits::<16>(0);
        self.scatter.op_count3.next = self.queue.out_data[5].val().get_bits::<16>(16);
        self.scatter.op_stride2.next = self.queue.out_data[6].val().get_bits::<24>(0);
        self.scatter.op_stride3.next = self.queue.out_data[7].val().get_bits::<24>(0);
        for u in 0..self._ub {
            self.scatter.op_ub[u].next = self.queue.out_data[0].val().get_bit(5);
            self.ub_write_valid[u].next = self.scatter.ub_write_valid[u].val();
            self.scatter.ub_write_ready[u].next = self.ub_write_ready[u].val();
        }
        self.scatter.src_valid.next = self.stream.out_valid.val();
        self.stream.out_ready.next = self.scatter.src_ready.val();
        // A byte outside: what else comes of its run is dropped, since the run may end with a fault of GM, which is first.
        if self.scatter.fault.val() & self.scatter.loads.val() & !self.drained.q.val() {
            self.stream.out_ready.next = true;
            if self.stream.out_valid.val() & self.stream.out_last.val() {
                self.drained.d.next = true;
            }
        }
        // All that came is taken, and more is wanted: what is missing is what GM did not give.
        self.starved.next =
            self.scatter.loads.val() & self.stream.empty.val() & !self.stream.out_valid.val() & !self.drained.q.val();
        self.bus_fault_due.next = self.bus_fault.val() & self.starved.val();
        for i in 0..self._bytes {
            self.scatter.src_data[i].next = self.stream.out_data[i].val();
        }
        self.write_valid.next = self.scatter.write_valid.val();
        self.scatter.write_ready.next = self.write_ready.val();
        self.write_address.next = self.scatter.write_address.val();
        for i in 0..self._s {
            self.write_enable[i].next = self.scatter.write_enable[i].val();
            self.write_data[i].next = self.scatter.write_data[i].val();
        }
        // Book-keeping.
        self.finished.d.next = self.scatter.done.val();
        self.done.next = self.finished.q.val();
        if self.take.val() & !self.finished.q.val() {
            self.inside_count.d.next = self.inside_count.q.val() + 1;
        }
        if !self.take.val() & self.finished.q.val() {
            self.inside_count.d.next = self.inside_count.q.val() - 1;
        }
        self.active.next = self.inside_count.q.val() != 0;
        self.stall_memory.next = (self.inside_count.q.val() != 0) & !self.scatter.moves.val();
        self.stall_block.next = false;
        self.early.next = false;
        // The first fault stays.
        if !self.faulty.q.val() {
            if self.scatter.fault.val() & (!self.scatter.loads.val() | self.drained.q.val()) {
                self.faulty.d.next = true;
                self.cause.d.next = self.cause_bounds.val();
                self.place.d.next = self.scatter.fault_address.val();
                self.fault_counter.d.next = self.scatter.fault_pc.val();
            } else if self.gm_rows.fault.val() & self.stream.idle.val() & self.starved.val() {
                self.faulty.d.next = true;
                self.cause.d.next = self.cause_address.val();
                self.place.d.next = self.gm_rows.fault_address.val();
                self.fault_counter.d.next = self.gm_pc.q.val();
            } else if self.free.val() & self.op_valid.val() & self.bad.val() & (self.inside_count.q.val() == 0) {
                self.faulty.d.next = true;
                self.cause.d.next = self.cause_register.val();
                self.place.d.next = 0.into();
                self.fault_counter.d.next = self.op_pc.val();
            }
        }
        self.fault.next = self.faulty.q.val();
        self.fault_cause.next = self.cause.q.val();
        self.fault_address.next = self.place.q.val();
        self.fault_pc.next = self.fault_counter.q.val();
        if self.rst.val() {
            self.count2.d.next = 1.into();
            self.src_stride2.d.next = 0.into();
            self.dst_stride2.d.next = 0.into();
            self.count3.d.next = 1.into();
            self.src_stride3.d.next = 0.into();
            self.dst_stride3.d.next = 0.into();
            self.tag.d.next = 0.into();
            self.inside_count.d.next = 0.into();
            self.finished.d.next = false;
            self.drained.d.next = false;
            self.faulty.d.next = false;
        }
    }
}
