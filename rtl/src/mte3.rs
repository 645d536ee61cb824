// SPDX-License-Identifier: Apache-2.0
//! MTE3, the DMA engine from L1 out to global memory: strided stores, from layout rows or nz, into rows.
//!
//! ```text
//!  op_* ──┬─► gm_rows ─► write stream ◄─► AxiWrite         one bus word per cycle
//!         │                  ▲ dense words
//!         └─► gather ────────┘ ◄──► read_* (L1 port 1)     up to 7 instructions inside, in order
//! ```
//! The next instruction is read and sent while the last one waits for its answers. `done` comes with the instruction's last B.
//! Source UB traps as Unsupported. Page: `docs/units/mte3.md`, test: `tests/units/mte3.rs`.

mod gather;

pub use gather::Gather;

use crate::axi::{GmRows, WriteStream};
use crate::prim::prelude::*;
use isa::{Cause, Config};

/// The engine for a bus of B bits.
#[derive(LogicBlock)]
pub struct Mte3<const B: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Drops everything; only when `AxiWrite` is quiet.
    pub rst: Signal<In, Bit>,
    /// An instruction is offered.
    pub op_valid: Signal<In, Bit>,
    /// It is taken.
    pub op_ready: Signal<Out, Bit>,
    /// Its eight words.
    pub op_word: Vec<Signal<In, Bits<32>>>,
    /// Its program counter.
    pub op_pc: Signal<In, Bits<32>>,
    /// A state register is written (MTE3 has none).
    pub set_valid: Signal<In, Bit>,
    /// Which.
    pub set_register: Signal<In, Bits<8>>,
    /// Its value.
    pub set_value: Signal<In, Bits<32>>,
    /// Never: MTE3 has no early sets.
    pub early: Signal<Out, Bit>,
    /// An instruction is finished (pulse, in order).
    pub done: Signal<Out, Bit>,
    /// An instruction is inside.
    pub active: Signal<Out, Bit>,
    /// Never: MTE3 does not wait on full bits.
    pub stall_block: Signal<Out, Bit>,
    /// An instruction is inside, and no word moves towards the bus.
    pub stall_memory: Signal<Out, Bit>,
    /// The engine has stopped; the three that follow hold. Level until `rst`.
    pub fault: Signal<Out, Bit>,
    /// Why.
    pub fault_cause: Signal<Out, Bits<8>>,
    /// GM or L1 address.
    pub fault_address: Signal<Out, Bits<40>>,
    /// Program counter of the instruction.
    pub fault_pc: Signal<Out, Bits<32>>,
    /// Take no instruction.
    pub halt: Signal<In, Bit>,
    /// Base registers.
    pub base: Vec<Signal<In, Bits<40>>>,
    /// Tag of a faulty burst (from `AxiWrite`).
    pub bus_tag: Signal<In, Bits<3>>,
    /// Program counter of the instruction to which that burst belongs.
    pub bus_pc: Signal<Out, Bits<32>>,
    /// To `AxiWrite`, requester 1.
    pub request_valid: Signal<Out, Bit>,
    /// From `AxiWrite`.
    pub request_ready: Signal<In, Bit>,
    /// To `AxiWrite`.
    pub request_address: Signal<Out, Bits<40>>,
    /// To `AxiWrite`: words less 1.
    pub request_beats: Signal<Out, Bits<8>>,
    /// To `AxiWrite`.
    pub request_skip: Signal<Out, Bits<8>>,
    /// To `AxiWrite`.
    pub request_trim: Signal<Out, Bits<8>>,
    /// To `AxiWrite`.
    pub request_tag: Signal<Out, Bits<3>>,
    /// To `AxiWrite`.
    pub w_valid: Signal<Out, Bit>,
    /// From `AxiWrite`.
    pub w_ready: Signal<In, Bit>,
    /// To `AxiWrite`.
    pub w_data: Signal<Out, Bits<B>>,
    /// To `AxiWrite`, one per byte.
    pub w_strb: Vec<Signal<Out, Bit>>,
    /// From `AxiWrite`.
    pub response_valid: Signal<In, Bit>,
    /// A chunk of L1 is asked for (port 1).
    pub read_valid: Signal<Out, Bit>,
    /// L1 takes that.
    pub read_ready: Signal<In, Bit>,
    /// Its address, a multiple of NB * K0.
    pub read_address: Signal<Out, Bits<24>>,
    /// A chunk arrives.
    pub read_data_valid: Signal<In, Bit>,
    /// Its NB * K0 bytes.
    pub read_data: Vec<Signal<In, Bits<8>>>,
    gm_rows: GmRows,
    gather: Gather,
    stream: WriteStream<B>,
    /// Program counters of the last eight instructions, by tag.
    counters: Lutram<32>,
    tag: Reg<Bits<3>>,
    inside_count: Reg<Bits<3>>,
    gm_pc: Reg<Bits<32>>,
    faulty: Reg<Bit>,
    cause: Reg<Bits<8>>,
    place: Reg<Bits<40>>,
    fault_counter: Reg<Bits<32>>,
    unsupported: Signal<Local, Bit>,
    free: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    base_number: Signal<Local, Bits<4>>,
    cause_unsupported: Constant<Bits<8>>,
    cause_bounds: Constant<Bits<8>>,
    cause_address: Constant<Bits<8>>,
    _bytes: usize,
    _chunk: usize,
}

impl<const B: usize> Mte3<B> {
    /// The engine of a core. Panics if the bus of `config` has not B bits.
    pub fn new(config: &Config) -> Self {
        assert_eq!(config.bus_bytes * 8, B, "the bus of the core and of the engine differ");
        let chunk = config.m0.max(config.n0) * config.k0;
        Mte3 {
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
            request_valid: Signal::default(),
            request_ready: Signal::default(),
            request_address: Signal::default(),
            request_beats: Signal::default(),
            request_skip: Signal::default(),
            request_trim: Signal::default(),
            request_tag: Signal::default(),
            w_valid: Signal::default(),
            w_ready: Signal::default(),
            w_data: Signal::default(),
            w_strb: vec![Signal::default(); config.bus_bytes],
            response_valid: Signal::default(),
            read_valid: Signal::default(),
            read_ready: Signal::default(),
            read_address: Signal::default(),
            read_data_valid: Signal::default(),
            read_data: vec![Signal::default(); chunk],
            gm_rows: GmRows::new(config.bus_bytes),
            gather: Gather::new(config.bus_bytes, config.l1_bytes, chunk),
            stream: WriteStream::new(config.outstanding),
            counters: Lutram::new(8, 1),
            tag: Reg::default(),
            inside_count: Reg::default(),
            gm_pc: Reg::default(),
            faulty: Reg::default(),
            cause: Reg::default(),
            place: Reg::default(),
            fault_counter: Reg::default(),
            unsupported: Signal::default(),
            free: Signal::default(),
            take: Signal::default(),
            base_number: Signal::default(),
            cause_unsupported: Constant::new(u64::from(Cause::Unsupported.code()).into()),
            cause_bounds: Constant::new(u64::from(Cause::OutOfBuffer.code()).into()),
            cause_address: Constant::new(u64::from(Cause::AddressOverflow.code()).into()),
            _bytes: config.bus_bytes,
            _chunk: chunk,
        }
    }
}

impl<const B: usize> Logic for Mte3<B> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte3_{w_data}: DMA engine from L1 to global memory.");
        dff_setup!(self, clk, tag, inside_count, gm_pc, faulty, cause, place, fault_counter);
        self.gm_rows.clk.next = self.clk.val();
        self.gm_rows.rst.next = self.rst.val();
        self.gather.clk.next = self.clk.val();
        self.gather.rst.next = self.rst.val();
        self.stream.clk.next = self.clk.val();
        self.stream.rst.next = self.rst.val();
        // An instruction goes to both sides at once.
        self.unsupported.next = self.op_word[2].val().get_bit(5);
        self.free.next = !self.halt.val()
            & !self.faulty.q.val()
            & self.gm_rows.start_ready.val()
            & self.gather.op_ready.val()
            & (self.inside_count.q.val() != 7);
        self.op_ready.next = self.free.val();
        self.take.next = self.free.val() & self.op_valid.val() & !self.unsupported.val();
        self.base_number.next = self.op_word[2].val().get_bits::<4>(0);
        self.gm_rows.start_valid.next = self.take.val();
        self.gm_rows.start_base.next = self.base[self.base_number.val().index()].val();
        self.gm_rows.start_offset.next = bit_cast::<40, 32>(self.op_word[3].val())
            | (bit_cast::<40, 8>(self.op_word[2].val().get_bits::<8>(8)) << 32);
        self.gm_rows.start_rows.next = self.op_word[2].val().get_bits::<16>(16);
        self.gm_rows.start_length.next = self.op_word[5].val().get_bits::<24>(0);
        self.gm_rows.start_stride.next = self.op_word[6].val();
        self.gm_rows.start_tag.next = self.tag.q.val();
        self.gather.op_valid.next = self.take.val();
        self.gather.op_nz.next = self.op_word[2].val().get_bit(4);
        self.gather.op_rows.next = self.op_word[2].val().get_bits::<16>(16);
        self.gather.op_address.next = self.op_word[4].val().get_bits::<24>(0);
        self.gather.op_length.next = self.op_word[5].val().get_bits::<24>(0);
        self.gather.op_stride.next = self.op_word[7].val().get_bits::<24>(0);
        self.gather.op_pc.next = self.op_pc.val();
        if self.take.val() {
            self.tag.d.next = self.tag.q.val() + 1;
            self.gm_pc.d.next = self.op_pc.val();
        }
        self.counters.clock.next = self.clk.val();
        self.counters.write_enable.next = self.take.val();
        self.counters.write_address.next = bit_cast::<8, 3>(self.tag.q.val());
        self.counters.write[0].next = self.op_pc.val();
        self.counters.read_address.next = bit_cast::<8, 3>(self.bus_tag.val());
        self.bus_pc.next = self.counters.read[0].val();
        // L1 side.
        self.read_valid.next = self.gather.read_valid.val();
        self.gather.read_ready.next = self.read_ready.val();
        self.read_address.next = self.gather.read_address.val();
        self.gather.read_data_valid.next = self.read_data_valid.val();
        for i in 0..self._chunk {
            self.gather.read_data[i].next = self.read_data[i].val();
        }
        // Global memory side.
        self.stream.row_valid.next = self.gm_rows.row_valid.val();
        self.gm_rows.row_ready.next = self.stream.row_ready.val();
        self.stream.row_address.next = self.gm_rows.row_address.val();
        self.stream.row_length.next = self.gm_rows.row_length.val();
        self.stream.row_last.next = self.gm_rows.row_last.val();
        self.stream.in_valid.next = self.gather.out_valid.val();
        self.gather.out_ready.next = self.stream.in_ready.val();
        self.request_valid.next = self.stream.request_valid.val();
        self.stream.request_ready.next = self.request_ready.val();
        self.request_address.next = self.stream.request_address.val();
        self.request_beats.next = self.stream.request_beats.val();
        self.request_skip.next = self.stream.request_skip.val();
        self.request_trim.next = self.stream.request_trim.val();
        self.request_tag.next = self.stream.request_tag.val();
        self.w_valid.next = self.stream.w_valid.val();
        self.stream.w_ready.next = self.w_ready.val();
        self.w_data.next = self.stream.w_data.val();
        self.stream.response_valid.next = self.response_valid.val();
        for i in 0..self._bytes {
            self.stream.in_data[i].next = self.gather.out_data[i].val();
            self.w_strb[i].next = self.stream.w_strb[i].val();
        }
        // Book-keeping.
        self.done.next = self.stream.retired.val();
        if self.take.val() & !self.stream.retired.val() {
            self.inside_count.d.next = self.inside_count.q.val() + 1;
        }
        if !self.take.val() & self.stream.retired.val() {
            self.inside_count.d.next = self.inside_count.q.val() - 1;
        }
        self.active.next = self.inside_count.q.val() != 0;
        self.stall_memory.next = (self.inside_count.q.val() != 0) & !(self.stream.w_valid.val() & self.w_ready.val());
        self.stall_block.next = false;
        self.early.next = false;
        // The first fault stays.
        if !self.faulty.q.val() {
            if self.gather.fault.val() {
                self.faulty.d.next = true;
                self.cause.d.next = self.cause_bounds.val();
                self.place.d.next = self.gather.fault_address.val();
                self.fault_counter.d.next = self.gather.fault_pc.val();
            } else if self.gm_rows.fault.val() {
                self.faulty.d.next = true;
                self.cause.d.next = self.cause_address.val();
                self.place.d.next = self.gm_rows.fault_address.val();
                self.fault_counter.d.next = self.gm_pc.q.val();
            } else if self.free.val() & self.op_valid.val() & self.unsupported.val() {
                self.faulty.d.next = true;
                self.cause.d.next = self.cause_unsupported.val();
                self.place.d.next = 0.into();
                self.fault_counter.d.next = self.op_pc.val();
            }
        }
        self.fault.next = self.faulty.q.val();
        self.fault_cause.next = self.cause.q.val();
        self.fault_address.next = self.place.q.val();
        self.fault_pc.next = self.fault_counter.q.val();
        if self.rst.val() {
            self.tag.d.next = 0.into();
            self.inside_count.d.next = 0.into();
            self.faulty.d.next = false;
        }
    }
}
