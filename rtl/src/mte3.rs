// SPDX-License-Identifier: Apache-2.0
//! MTE3, the DMA engine from L1 and UB out to global memory, and from UB to L1, in up to four dimensions.
//!
//! ```text
//!  op_* ──┬─► gm_rows ─► write stream ◄─► AxiWrite         one bus word per cycle
//!         │                  ▲ dense words
//!         ├─► gather ────────┤ ◄──► read_*, read_ub_*      up to 7 instructions inside, in order
//!         └─► moves ──► scatter ──► write_* (L1 port 2)    only in a core with UB
//! ```
//! The next instruction is read and sent while the last one waits for its answers. `done` comes with the instruction's last B, or when
//! L1 has taken the last byte of a move, in order. The state registers (counts and strides of dimensions 2 and 3) are read when an
//! instruction is taken; one that they do not fit is BadRegister as soon as nothing else is inside. Without UB decode lets nothing
//! through that names it. GM is asked ahead of what the buffer gives and answers behind it, but faults are told in the order of the
//! runs, of each first windows, then the buffer, then the answers. Page: `docs/units/mte3.md`, test: `tests/units/mte3.rs`.

mod gather;

pub use gather::Gather;

use crate::axi::{GmRows, WriteStream};
use crate::l1::L1;
use crate::mte2::Scatter;
use crate::prim::prelude::*;
use isa::{Cause, Config, Opcode};

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
    /// A state register is written.
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
    /// An instruction is inside, and no word moves towards the bus or L1.
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
    /// Tag of a faulty burst (from `AxiWrite`).
    pub bus_tag: Signal<In, Bits<3>>,
    /// Program counter of the instruction to which that burst belongs.
    pub bus_pc: Signal<Out, Bits<32>>,
    /// `AxiWrite` has a fault of requester 1.
    pub bus_fault: Signal<In, Bit>,
    /// It is an answer with an error.
    pub bus_answer: Signal<In, Bit>,
    /// It is the next in the order of the program.
    pub bus_fault_due: Signal<Out, Bit>,
    /// From `AxiWrite`: a burst lies in a window.
    pub admitted: Signal<In, Bit>,
    /// From `AxiWrite`: a burst is in flight.
    pub flying: Signal<In, Bit>,
    /// From `AxiWrite`: a burst whose words are all sent is not answered.
    pub unanswered: Signal<In, Bit>,
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
    /// A line of UB is asked for, until it is taken; none in a core without UB, as are the ports of moves.
    pub read_ub_valid: Vec<Signal<Out, Bit>>,
    /// UB takes that.
    pub read_ub_ready: Vec<Signal<In, Bit>>,
    /// Its address, a multiple of NB * K0.
    pub read_address: Signal<Out, Bits<24>>,
    /// A chunk arrives from L1 or UB, in the order of the requests.
    pub read_data_valid: Signal<In, Bit>,
    /// Its NB * K0 bytes.
    pub read_data: Vec<Signal<In, Bits<8>>>,
    /// A segment is offered to L1 (port 2).
    pub write_valid: Vec<Signal<Out, Bit>>,
    /// L1 takes it.
    pub write_ready: Vec<Signal<In, Bit>>,
    /// Its address, a multiple of S (`L1::segment`).
    pub write_address: Vec<Signal<Out, Bits<24>>>,
    /// Bytes of it that are written, S of them.
    pub write_enable: Vec<Signal<Out, Bit>>,
    /// Its bytes.
    pub write_data: Vec<Signal<Out, Bits<8>>>,
    gm_rows: GmRows,
    gather: Gather,
    stream: WriteStream<B>,
    /// Moves for `scatter`: w2, w3, w5, w6, program counter, counts, strides of dimensions 2 and 3.
    moves: Vec<Fifo<32>>,
    scatter: Vec<Scatter>,
    /// 1 for a move: instructions whose words have not all come out of `gather`, and instructions that are not finished.
    routes: Vec<Fifo<1>>,
    order: Vec<Fifo<1>>,
    /// Stores and moves that are finished behind one that is not.
    stores_ended: Vec<Reg<Bits<3>>>,
    moves_ended: Vec<Reg<Bits<3>>>,
    /// Moves of which L1 has not taken the last byte: no store from L1 begins before, as it may read what they write.
    moves_inside: Vec<Reg<Bits<3>>>,
    /// The instruction taken last is a move.
    last_move: Vec<Reg<Bit>>,
    /// Bursts that are asked for and not admitted: 1 for the last one of its run. The gate has room for two.
    asked: Fifo<1>,
    /// Runs all of whose bursts are admitted, less runs that the buffer has given, in two's complement.
    lead: Reg<Bits<8>>,
    /// Program counters of the last eight instructions, by tag.
    counters: Lutram<32>,
    count2: Reg<Bits<16>>,
    src_stride2: Reg<Bits<24>>,
    dst_stride2: Reg<Bits<32>>,
    count3: Reg<Bits<16>>,
    src_stride3: Reg<Bits<24>>,
    dst_stride3: Reg<Bits<32>>,
    tag: Reg<Bits<3>>,
    inside_count: Reg<Bits<3>>,
    gm_pc: Reg<Bits<32>>,
    faulty: Reg<Bit>,
    cause: Reg<Bits<8>>,
    place: Reg<Bits<40>>,
    fault_counter: Reg<Bits<32>>,
    is_move: Signal<Local, Bit>,
    bad: Signal<Local, Bit>,
    room: Signal<Local, Bit>,
    finish: Signal<Local, Bit>,
    flows: Signal<Local, Bit>,
    write_fault: Signal<Local, Bit>,
    read_fault: Signal<Local, Bit>,
    behind: Signal<Local, Bit>,
    given: Signal<Local, Bit>,
    stuck: Signal<Local, Bit>,
    gm_turn: Signal<Local, Bit>,
    admits_run: Signal<Local, Bit>,
    head_moves: Signal<Local, Bit>,
    ends_store: Vec<Signal<Local, Bit>>,
    ends_move: Vec<Signal<Local, Bit>>,
    word_go: Vec<Signal<Local, Bit>>,
    free: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    base_number: Signal<Local, Bits<4>>,
    move_code: Constant<Bits<8>>,
    cause_register: Constant<Bits<8>>,
    cause_bounds: Constant<Bits<8>>,
    cause_address: Constant<Bits<8>>,
    _bytes: usize,
    _chunk: usize,
    _s: usize,
    _ub: usize,
}

impl<const B: usize> Mte3<B> {
    /// The engine of a core. Panics if the bus of `config` has not B bits.
    pub fn new(config: &Config) -> Self {
        assert_eq!(config.bus_bytes * 8, B, "the bus of the core and of the engine differ");
        let chunk = config.m0.max(config.n0) * config.k0;
        let s = L1::segment(config);
        let ub = usize::from(config.ub_bytes > 0);
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
            bus_fault: Signal::default(),
            bus_answer: Signal::default(),
            bus_fault_due: Signal::default(),
            admitted: Signal::default(),
            flying: Signal::default(),
            unanswered: Signal::default(),
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
            read_ub_valid: vec![Signal::default(); ub],
            read_ub_ready: vec![Signal::default(); ub],
            read_address: Signal::default(),
            read_data_valid: Signal::default(),
            read_data: vec![Signal::default(); chunk],
            write_valid: vec![Signal::default(); ub],
            write_ready: vec![Signal::default(); ub],
            write_address: vec![Signal::default(); ub],
            write_enable: vec![Signal::default(); ub * s],
            write_data: vec![Signal::default(); ub * s],
            gm_rows: GmRows::new(config.bus_bytes),
            gather: Gather::new(config.bus_bytes, config.l1_bytes, config.ub_bytes, chunk),
            stream: WriteStream::new(config.outstanding),
            moves: (0..ub).map(|_| Fifo::new(4, 8)).collect(),
            scatter: (0..ub).map(|_| Scatter::new(config.bus_bytes, s, config.l1_bytes, 0)).collect(),
            routes: (0..ub).map(|_| Fifo::new(8, 1)).collect(),
            order: (0..ub).map(|_| Fifo::new(8, 1)).collect(),
            stores_ended: vec![Reg::default(); ub],
            moves_ended: vec![Reg::default(); ub],
            moves_inside: vec![Reg::default(); ub],
            last_move: vec![Reg::default(); ub],
            asked: Fifo::new(4, 1),
            lead: Reg::default(),
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
            faulty: Reg::default(),
            cause: Reg::default(),
            place: Reg::default(),
            fault_counter: Reg::default(),
            is_move: Signal::default(),
            bad: Signal::default(),
            room: Signal::default(),
            finish: Signal::default(),
            flows: Signal::default(),
            write_fault: Signal::default(),
            read_fault: Signal::default(),
            behind: Signal::default(),
            given: Signal::default(),
            stuck: Signal::default(),
            gm_turn: Signal::default(),
            admits_run: Signal::default(),
            head_moves: Signal::default(),
            ends_store: vec![Signal::default(); ub],
            ends_move: vec![Signal::default(); ub],
            word_go: vec![Signal::default(); ub],
            free: Signal::default(),
            take: Signal::default(),
            base_number: Signal::default(),
            move_code: Constant::new(u64::from(Opcode::Mte3Move.code()).into()),
            cause_register: Constant::new(u64::from(Cause::BadRegister.code()).into()),
            cause_bounds: Constant::new(u64::from(Cause::OutOfBuffer.code()).into()),
            cause_address: Constant::new(u64::from(Cause::AddressOverflow.code()).into()),
            _bytes: config.bus_bytes,
            _chunk: chunk,
            _s: s,
            _ub: ub,
        }
    }
}

impl<const B: usize> Logic for Mte3<B> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte3_{w_data}: DMA engine from L1 and UB to global memory, and from UB to L1.");
        dff_setup!(self, clk, tag, inside_count, gm_pc, faulty, cause, place, fault_counter);
        dff_setup!(self, clk, count2, src_stride2, dst_stride2, count3, src_stride3, dst_stride3, lead);
        self.gm_rows.clk.next = self.clk.val();
        self.gm_rows.rst.next = self.rst.val();
        self.gather.clk.next = self.clk.val();
        self.gather.rst.next = self.rst.val();
        self.stream.clk.next = self.clk.val();
        self.stream.rst.next = self.rst.val();
        // State registers, numbered as in `isa::state::outer`.
        if self.set_valid.val() {
            if self.set_register.val() == 0 {
                self.count2.d.next = self.set_value.val().get_bits::<16>(0);
            }
            if self.set_register.val() == 1 {
                self.src_stride2.d.next = self.set_value.val().get_bits::<24>(0);
            }
            if self.set_register.val() == 2 {
                self.dst_stride2.d.next = self.set_value.val();
            }
            if self.set_register.val() == 3 {
                self.count3.d.next = self.set_value.val().get_bits::<16>(0);
            }
            if self.set_register.val() == 4 {
                self.src_stride3.d.next = self.set_value.val().get_bits::<24>(0);
            }
            if self.set_register.val() == 5 {
                self.dst_stride3.d.next = self.set_value.val();
            }
        }
        // An instruction goes to both sides at once.
        self.is_move.next = false;
        self.room.next = self.gm_rows.start_ready.val();
        self.bad.next = (self.count2.q.val() == 0)
            | (self.count3.q.val() == 0)
            | (self.op_word[2].val().get_bit(4)
                & ((self.src_stride2.q.val() | self.src_stride3.q.val()).get_bits::<5>(0) != 0));
        for u in 0..self._ub {
            if !self.op_word[2].val().get_bit(5) & (self.moves_inside[u].q.val() != 0) {
                self.room.next = false;
            }
            self.is_move.next = self.op_word[0].val().get_bits::<8>(0) == self.move_code.val();
            if self.op_word[0].val().get_bits::<8>(0) == self.move_code.val() {
                self.room.next = self.moves[u].in_ready.val();
                self.bad.next = (self.count2.q.val() == 0)
                    | (self.count3.q.val() == 0)
                    | ((self.dst_stride2.q.val() | self.dst_stride3.q.val()).get_bits::<8>(24) != 0)
                    | (self.op_word[2].val().get_bit(4)
                        & ((self.dst_stride2.q.val() | self.dst_stride3.q.val()).get_bits::<5>(0) != 0));
            }
        }
        self.free.next = !self.halt.val()
            & !self.faulty.q.val()
            & self.room.val()
            & self.gather.op_ready.val()
            & (self.inside_count.q.val() != 7);
        self.op_ready.next = self.free.val() & (!self.bad.val() | (self.inside_count.q.val() == 0));
        self.take.next = self.free.val() & self.op_valid.val() & !self.bad.val();
        self.base_number.next = self.op_word[2].val().get_bits::<4>(0);
        self.gm_rows.start_valid.next = self.take.val() & !self.is_move.val();
        self.gm_rows.start_base.next = self.base[self.base_number.val().index()].val();
        self.gm_rows.start_offset.next = bit_cast::<40, 32>(self.op_word[3].val())
            | (bit_cast::<40, 8>(self.op_word[2].val().get_bits::<8>(8)) << 32);
        self.gm_rows.start_rows.next = self.op_word[2].val().get_bits::<16>(16);
        self.gm_rows.start_length.next = self.op_word[5].val().get_bits::<24>(0);
        self.gm_rows.start_stride.next = self.op_word[6].val();
        self.gm_rows.start_count2.next = self.count2.q.val();
        self.gm_rows.start_count3.next = self.count3.q.val();
        self.gm_rows.start_stride2.next = self.dst_stride2.q.val();
        self.gm_rows.start_stride3.next = self.dst_stride3.q.val();
        self.gm_rows.start_tag.next = self.tag.q.val();
        self.gather.op_valid.next = self.take.val();
        self.gather.op_nz.next = self.op_word[2].val().get_bit(4) & !self.is_move.val();
        for u in 0..self._ub {
            self.gather.op_ub[u].next = self.op_word[2].val().get_bit(5) | self.is_move.val();
        }
        self.gather.op_rows.next = self.op_word[2].val().get_bits::<16>(16);
        self.gather.op_address.next = self.op_word[4].val().get_bits::<24>(0);
        self.gather.op_length.next = self.op_word[5].val().get_bits::<24>(0);
        self.gather.op_stride.next = self.op_word[7].val().get_bits::<24>(0);
        self.gather.op_count2.next = self.count2.q.val();
        self.gather.op_count3.next = self.count3.q.val();
        self.gather.op_stride2.next = self.src_stride2.q.val();
        self.gather.op_stride3.next = self.src_stride3.q.val();
        self.gather.op_pc.next = self.op_pc.val();
        // `stream` counts stores: their tags are its tags.
        if self.take.val() & !self.is_move.val() {
            self.tag.d.next = self.tag.q.val() + 1;
            self.gm_pc.d.next = self.op_pc.val();
        }
        self.counters.clock.next = self.clk.val();
        self.counters.write_enable.next = self.take.val() & !self.is_move.val();
        self.counters.write_address.next = bit_cast::<8, 3>(self.tag.q.val());
        self.counters.write[0].next = self.op_pc.val();
        self.counters.read_address.next = bit_cast::<8, 3>(self.bus_tag.val());
        self.bus_pc.next = self.counters.read[0].val();
        // Local side.
        self.read_valid.next = self.gather.read_valid.val();
        self.gather.read_ready.next = self.read_ready.val();
        for u in 0..self._ub {
            self.read_ub_valid[u].next = self.gather.read_ub_valid[u].val();
            self.gather.read_ub_ready[u].next = self.read_ub_ready[u].val();
        }
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
        // Moves: words of `gather` go to `scatter`, and instructions of both kinds finish in order.
        self.finish.next = self.stream.retired.val();
        self.flows.next = self.stream.w_valid.val() & self.w_ready.val();
        // How far the two sides are, in runs. `gm_turn`: the run that GM refuses is the next one, or the buffer has given it already.
        self.asked.clk.next = self.clk.val();
        self.asked.clear.next = self.rst.val();
        self.asked.in_valid.next = self.stream.request_valid.val() & self.request_ready.val();
        self.asked.in_data[0].next = self.stream.request_end.val().into();
        self.asked.out_ready.next = self.admitted.val();
        self.admits_run.next = self.admitted.val() & (self.asked.out_data[0].val() != 0);
        if self.admits_run.val() & !self.stream.filled.val() {
            self.lead.d.next = self.lead.q.val() + 1;
        }
        if !self.admits_run.val() & self.stream.filled.val() {
            self.lead.d.next = self.lead.q.val() - 1;
        }
        self.head_moves.next = false;
        for u in 0..self._ub {
            self.head_moves.next = self.routes[u].out_valid.val() & (self.routes[u].out_data[0].val() != 0);
        }
        self.behind.next = self.lead.q.val().get_bit(7);
        self.gm_turn.next = self.behind.val() | ((self.lead.q.val() == 0) & !self.head_moves.val());
        // All that the buffer has given is sent, admitted and answered.
        self.given.next = self.stream.empty.val() & !self.unanswered.val() & !self.behind.val();
        self.stuck.next = self.gather.fault.val() & self.gather.empty.val() & self.given.val();
        self.bus_fault_due.next = self.bus_fault.val()
            & (self.bus_answer.val() | (self.gm_turn.val() & (!self.flying.val() | self.stuck.val())));
        self.read_fault.next = self.stuck.val() & (self.lead.q.val() != 0);
        self.write_fault.next = false;
        for u in 0..self._ub {
            self.moves[u].clk.next = self.clk.val();
            self.moves[u].clear.next = self.rst.val();
            self.routes[u].clk.next = self.clk.val();
            self.routes[u].clear.next = self.rst.val();
            self.order[u].clk.next = self.clk.val();
            self.order[u].clear.next = self.rst.val();
            self.scatter[u].clk.next = self.clk.val();
            self.scatter[u].rst.next = self.rst.val();
            self.stores_ended[u].clock.next = self.clk.val();
            self.moves_ended[u].clock.next = self.clk.val();
            self.last_move[u].clock.next = self.clk.val();
            self.moves_inside[u].clock.next = self.clk.val();
            self.moves[u].in_valid.next = self.take.val() & self.is_move.val();
            self.moves[u].in_data[0].next = self.op_word[2].val();
            self.moves[u].in_data[1].next = self.op_word[3].val();
            self.moves[u].in_data[2].next = self.op_word[5].val();
            self.moves[u].in_data[3].next = self.op_word[6].val();
            self.moves[u].in_data[4].next = self.op_pc.val();
            self.moves[u].in_data[5].next =
                bit_cast::<32, 16>(self.count2.q.val()) | (bit_cast::<32, 16>(self.count3.q.val()) << 16);
            self.moves[u].in_data[6].next = self.dst_stride2.q.val();
            self.moves[u].in_data[7].next = self.dst_stride3.q.val();
            self.scatter[u].op_valid.next = self.moves[u].out_valid.val();
            self.moves[u].out_ready.next = self.scatter[u].op_ready.val();
            self.scatter[u].op_fill.next = false;
            self.scatter[u].op_byte.next = 0.into();
            self.scatter[u].op_nz.next = self.moves[u].out_data[0].val().get_bit(4);
            self.scatter[u].op_rows.next = self.moves[u].out_data[0].val().get_bits::<16>(16);
            self.scatter[u].op_address.next = self.moves[u].out_data[1].val().get_bits::<24>(0);
            self.scatter[u].op_length.next = self.moves[u].out_data[2].val().get_bits::<24>(0);
            self.scatter[u].op_stride.next = self.moves[u].out_data[3].val().get_bits::<24>(0);
            self.scatter[u].op_pc.next = self.moves[u].out_data[4].val();
            self.scatter[u].op_count2.next = self.moves[u].out_data[5].val().get_bits::<16>(0);
            self.scatter[u].op_count3.next = self.moves[u].out_data[5].val().get_bits::<16>(16);
            self.scatter[u].op_stride2.next = self.moves[u].out_data[6].val().get_bits::<24>(0);
            self.scatter[u].op_stride3.next = self.moves[u].out_data[7].val().get_bits::<24>(0);
            for i in 0..self._bytes {
                self.scatter[u].src_data[i].next = self.gather.out_data[i].val();
            }
            self.write_valid[u].next = self.scatter[u].write_valid.val();
            self.scatter[u].write_ready.next = self.write_ready[u].val();
            self.write_address[u].next = self.scatter[u].write_address.val();
            for s in self._s..(self._s + 1) {
                for i in 0..self._s {
                    self.write_enable[u * s + i].next = self.scatter[u].write_enable[i].val();
                    self.write_data[u * s + i].next = self.scatter[u].write_data[i].val();
                }
            }
            // The word at the head belongs to the oldest instruction of `routes`.
            self.routes[u].in_valid.next = self.take.val();
            self.routes[u].in_data[0].next = self.is_move.val().into();
            self.word_go[u].next = self.gather.out_valid.val() & self.stream.in_ready.val();
            self.scatter[u].src_valid.next = false;
            if self.routes[u].out_data[0].val() != 0 {
                self.stream.in_valid.next = false;
                self.scatter[u].src_valid.next = self.gather.out_valid.val();
                self.gather.out_ready.next = self.scatter[u].src_ready.val();
                self.word_go[u].next = self.gather.out_valid.val() & self.scatter[u].src_ready.val();
            }
            self.routes[u].out_ready.next = self.word_go[u].val() & self.gather.out_last.val();
            // A move that is finished waits for the stores before it, and the other way round.
            self.order[u].in_valid.next = self.take.val();
            self.order[u].in_data[0].next = self.is_move.val().into();
            self.ends_store[u].next = self.order[u].out_valid.val()
                & (self.order[u].out_data[0].val() == 0)
                & (self.stream.retired.val() | (self.stores_ended[u].q.val() != 0));
            self.ends_move[u].next = self.order[u].out_valid.val()
                & (self.order[u].out_data[0].val() != 0)
                & (self.moves_ended[u].q.val() != 0);
            self.finish.next = self.ends_store[u].val() | self.ends_move[u].val();
            self.order[u].out_ready.next = self.ends_store[u].val() | self.ends_move[u].val();
            self.stores_ended[u].d.next = self.stores_ended[u].q.val();
            if self.stream.retired.val() & !self.ends_store[u].val() {
                self.stores_ended[u].d.next = self.stores_ended[u].q.val() + 1;
            }
            if !self.stream.retired.val() & self.ends_store[u].val() {
                self.stores_ended[u].d.next = self.stores_ended[u].q.val() - 1;
            }
            self.moves_ended[u].d.next = self.moves_ended[u].q.val();
            if self.scatter[u].done.val() & !self.ends_move[u].val() {
                self.moves_ended[u].d.next = self.moves_ended[u].q.val() + 1;
            }
            if !self.scatter[u].done.val() & self.ends_move[u].val() {
                self.moves_ended[u].d.next = self.moves_ended[u].q.val() - 1;
            }
            self.moves_inside[u].d.next = self.moves_inside[u].q.val();
            if self.take.val() & self.is_move.val() & !self.scatter[u].done.val() {
                self.moves_inside[u].d.next = self.moves_inside[u].q.val() + 1;
            }
            if !(self.take.val() & self.is_move.val()) & self.scatter[u].done.val() {
                self.moves_inside[u].d.next = self.moves_inside[u].q.val() - 1;
            }
            // Row by row: first what a row reads is checked, then what it writes. A row of which words come out has been read.
            self.last_move[u].d.next = self.last_move[u].q.val();
            if self.take.val() {
                self.last_move[u].d.next = self.is_move.val();
            }
            if self.last_move[u].q.val() {
                self.read_fault.next = self.stuck.val();
            }
            self.write_fault.next = self.scatter[u].fault.val()
                & self.gather.out_valid.val()
                & (self.routes[u].out_data[0].val() != 0)
                & self.given.val();
            self.flows.next = (self.stream.w_valid.val() & self.w_ready.val()) | self.scatter[u].moves.val();
            if self.rst.val() {
                self.stores_ended[u].d.next = 0.into();
                self.moves_ended[u].d.next = 0.into();
                self.last_move[u].d.next = false;
                self.moves_inside[u].d.next = 0.into();
            }
        }
        // Book-keeping.
        self.done.next = self.finish.val();
        if self.take.val() & !self.finish.val() {
            self.inside_count.d.next = self.inside_count.q.val() + 1;
        }
        if !self.take.val() & self.finish.val() {
            self.inside_count.d.next = self.inside_count.q.val() - 1;
        }
        self.active.next = self.inside_count.q.val() != 0;
        self.stall_memory.next = (self.inside_count.q.val() != 0) & !self.flows.val();
        self.stall_block.next = false;
        self.early.next = false;
        // The first fault stays.
        if !self.faulty.q.val() {
            for u in 0..self._ub {
                if self.write_fault.val() {
                    self.faulty.d.next = true;
                    self.cause.d.next = self.cause_bounds.val();
                    self.place.d.next = self.scatter[u].fault_address.val();
                    self.fault_counter.d.next = self.scatter[u].fault_pc.val();
                }
            }
            if self.read_fault.val() {
                self.faulty.d.next = true;
                self.cause.d.next = self.cause_bounds.val();
                self.place.d.next = self.gather.fault_address.val();
                self.fault_counter.d.next = self.gather.fault_pc.val();
            } else if self.gm_rows.fault.val()
                & !self.stream.request_valid.val()
                & !self.asked.out_valid.val()
                & self.gm_turn.val()
                & (!self.flying.val() | self.stuck.val())
            {
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
            self.lead.d.next = 0.into();
            self.faulty.d.next = false;
        }
    }
}
