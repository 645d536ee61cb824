// SPDX-License-Identifier: Apache-2.0
//! Reads the rows of an instruction from L1 or UB as dense words of W bytes, from layout rows or nz.
//!
//! ```text
//!  op_* ─► pieces ─► walk ──► read_*, read_ub_*  (L1 port 1 or UB, R = NB * K0 bytes)
//!                     └─► plans ─┐
//!  read_data_* ──────► chunks ───┴─► unpack ─► justify ─► widen ──► out_*
//! ```
//! A piece is a run of bytes in L1: a row, or the part of it in one nz panel. Chunks of R bytes are asked for as long as there is room
//! for eight, and cut into words of S = min(W, R) bytes, one per cycle. Words that are shorter than W before the end of a row (W = 64:
//! the panels of nz, or R = 32) are 32 bytes, and two of them make a word.

use crate::axi::{Justify, log2};
use crate::nest::Nest;
use crate::prim::prelude::*;

/// Chunks asked for and not used up: covers L1's 3 cycles and its port's other user.
const CHUNKS: usize = 8;

/// Reader of the local buffers for words of W bytes.
#[derive(LogicBlock)]
pub struct Gather {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Drops what is inside.
    pub rst: Signal<In, Bit>,
    /// An instruction is offered.
    pub op_valid: Signal<In, Bit>,
    /// It is taken.
    pub op_ready: Signal<Out, Bit>,
    /// 0 rows, 1 nz.
    pub op_nz: Signal<In, Bit>,
    /// Rows, at least 1.
    pub op_rows: Signal<In, Bits<16>>,
    /// Bytes of a row, at least 1.
    pub op_length: Signal<In, Bits<24>>,
    /// It reads UB; none in a core without UB, as are the other ports of UB.
    pub op_ub: Vec<Signal<In, Bit>>,
    /// First byte there; nz: a multiple of 32.
    pub op_address: Signal<In, Bits<24>>,
    /// Bytes between rows, or between panels (a multiple of 32).
    pub op_stride: Signal<In, Bits<24>>,
    /// Matrices of rows per step of dimension 3, at least 1.
    pub op_count2: Signal<In, Bits<16>>,
    /// Steps of dimension 3, at least 1.
    pub op_count3: Signal<In, Bits<16>>,
    /// Bytes between matrices; nz: a multiple of 32.
    pub op_stride2: Signal<In, Bits<24>>,
    /// Bytes between steps of dimension 3; nz: a multiple of 32.
    pub op_stride3: Signal<In, Bits<24>>,
    /// Comes back with a fault.
    pub op_pc: Signal<In, Bits<32>>,
    /// A chunk of L1 is asked for.
    pub read_valid: Signal<Out, Bit>,
    /// L1 takes that.
    pub read_ready: Signal<In, Bit>,
    /// A chunk of UB is asked for.
    pub read_ub_valid: Vec<Signal<Out, Bit>>,
    /// UB takes that.
    pub read_ub_ready: Vec<Signal<In, Bit>>,
    /// Its address, a multiple of R.
    pub read_address: Signal<Out, Bits<24>>,
    /// A chunk arrives, in the order of the requests: always taken.
    pub read_data_valid: Signal<In, Bit>,
    /// Its R bytes.
    pub read_data: Vec<Signal<In, Bits<8>>>,
    /// A word is offered: full, but for the last of a row.
    pub out_valid: Signal<Out, Bit>,
    /// It is taken.
    pub out_ready: Signal<In, Bit>,
    /// The word.
    pub out_data: Vec<Signal<Out, Bits<8>>>,
    /// It is the last of its instruction.
    pub out_last: Signal<Out, Bit>,
    /// All that was asked for has left.
    pub empty: Signal<Out, Bit>,
    /// A byte would lie outside its buffer; level until reset.
    pub fault: Signal<Out, Bit>,
    /// That byte's address.
    pub fault_address: Signal<Out, Bits<40>>,
    /// That instruction's program counter.
    pub fault_pc: Signal<Out, Bits<32>>,
    // Pieces.
    nest: Nest<25, 24>,
    busy: Reg<Bit>,
    nz: Reg<Bit>,
    ub: Vec<Reg<Bit>>,
    rows: Reg<Bits<16>>,
    length: Reg<Bits<24>>,
    left: Reg<Bits<24>>,
    stride: Reg<Bits<24>>,
    count2: Reg<Bits<16>>,
    count3: Reg<Bits<16>>,
    stride2: Reg<Bits<24>>,
    stride3: Reg<Bits<24>>,
    pc: Reg<Bits<32>>,
    at: Reg<Bits<25>>,
    faulty: Reg<Bit>,
    short: Signal<Local, Bit>,
    reach_next: Signal<Local, Bits<24>>,
    top: Signal<Local, Bits<26>>,
    outside: Signal<Local, Bit>,
    row_end: Signal<Local, Bit>,
    piece_go: Signal<Local, Bit>,
    op_take: Signal<Local, Bit>,
    // Chunks of the present piece.
    walking: Reg<Bit>,
    fresh: Reg<Bit>,
    mark: Reg<Bit>,
    final_mark: Reg<Bit>,
    from_ub: Vec<Reg<Bit>>,
    first: Reg<Bits<24>>,
    end: Reg<Bits<24>>,
    reach: Reg<Bits<24>>,
    chunk: Reg<Bits<24>>,
    load: Signal<Local, Bit>,
    chunk_last: Signal<Local, Bit>,
    ready: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    offset: Signal<Local, Bits<8>>,
    rest: Signal<Local, Bits<8>>,
    flush: Signal<Local, Bit>,
    /// Per chunk: first part, last part, offset, bytes of the last word, bit 0 last chunk of its piece, bit 1 flush, bit 2 row's end,
    /// bit 3 instruction's end.
    plans: Fifo<8>,
    chunks: Fifo<8>,
    // Chunks to words.
    part: Reg<Bits<8>>,
    opened: Reg<Bit>,
    current: Signal<Local, Bits<8>>,
    used: Signal<Local, Bit>,
    taken: Signal<Local, Bit>,
    justify: Justify,
    // Halves to words of W = 64.
    pass: Signal<Local, Bit>,
    held: Reg<Bit>,
    hold: Vec<Reg<Bits<8>>>,
    segment_mask: Constant<Bits<8>>,
    segment: Constant<Bits<8>>,
    segment24: Constant<Bits<24>>,
    segment_shift: Constant<Bits<6>>,
    chunk_bytes: Constant<Bits<24>>,
    chunk_shift: Constant<Bits<6>>,
    part_mask: Constant<Bits<8>>,
    half: Constant<Bits<8>>,
    capacity_shift: Constant<Bits<6>>,
    capacity: Constant<Bits<40>>,
    ub_capacity: Vec<Constant<Bits<40>>>,
    _s: usize,
    _ub: usize,
    _r: usize,
    _parts: usize,
    _bytes: usize,
    _half: usize,
    _halves: usize,
}

impl Gather {
    /// A reader for words of `bytes` bytes from an L1 of `l1_bytes` that gives `chunk` bytes at once, all powers of two, and from a UB
    /// of `ub_bytes`, 0 if there is none.
    pub fn new(bytes: usize, l1_bytes: usize, ub_bytes: usize, chunk: usize) -> Self {
        let ub = usize::from(ub_bytes > 0);
        let s = bytes.min(chunk);
        let half = bytes.min(32);
        assert!(s >= half, "chunks of {chunk} bytes are too small for a bus of {bytes}");
        let parts = chunk / s;
        Gather {
            clk: Signal::default(),
            rst: Signal::default(),
            op_valid: Signal::default(),
            op_ready: Signal::default(),
            op_nz: Signal::default(),
            op_rows: Signal::default(),
            op_length: Signal::default(),
            op_ub: vec![Signal::default(); ub],
            op_address: Signal::default(),
            op_stride: Signal::default(),
            op_count2: Signal::default(),
            op_count3: Signal::default(),
            op_stride2: Signal::default(),
            op_stride3: Signal::default(),
            op_pc: Signal::default(),
            read_valid: Signal::default(),
            read_ready: Signal::default(),
            read_ub_valid: vec![Signal::default(); ub],
            read_ub_ready: vec![Signal::default(); ub],
            read_address: Signal::default(),
            read_data_valid: Signal::default(),
            read_data: vec![Signal::default(); chunk],
            out_valid: Signal::default(),
            out_ready: Signal::default(),
            out_data: vec![Signal::default(); bytes],
            out_last: Signal::default(),
            empty: Signal::default(),
            fault: Signal::default(),
            fault_address: Signal::default(),
            fault_pc: Signal::default(),
            nest: Nest::default(),
            busy: Reg::default(),
            nz: Reg::default(),
            ub: vec![Reg::default(); ub],
            rows: Reg::default(),
            length: Reg::default(),
            left: Reg::default(),
            stride: Reg::default(),
            count2: Reg::default(),
            count3: Reg::default(),
            stride2: Reg::default(),
            stride3: Reg::default(),
            pc: Reg::default(),
            at: Reg::default(),
            faulty: Reg::default(),
            short: Signal::default(),
            reach_next: Signal::default(),
            top: Signal::default(),
            outside: Signal::default(),
            row_end: Signal::default(),
            piece_go: Signal::default(),
            op_take: Signal::default(),
            walking: Reg::default(),
            fresh: Reg::default(),
            mark: Reg::default(),
            final_mark: Reg::default(),
            from_ub: vec![Reg::default(); ub],
            first: Reg::default(),
            end: Reg::default(),
            reach: Reg::default(),
            chunk: Reg::default(),
            load: Signal::default(),
            chunk_last: Signal::default(),
            ready: Signal::default(),
            accept: Signal::default(),
            offset: Signal::default(),
            rest: Signal::default(),
            flush: Signal::default(),
            plans: Fifo::new(CHUNKS, 5),
            chunks: Fifo::new(CHUNKS, chunk),
            part: Reg::default(),
            opened: Reg::default(),
            current: Signal::default(),
            used: Signal::default(),
            taken: Signal::default(),
            justify: Justify::new(s),
            held: Reg::default(),
            hold: vec![Reg::default(); bytes - half],
            pass: Signal::default(),
            segment_mask: Constant::new((s as u64 - 1).into()),
            segment: Constant::new((s as u64).into()),
            segment24: Constant::new((s as u64).into()),
            segment_shift: Constant::new((log2(s) as u64).into()),
            chunk_bytes: Constant::new((chunk as u64).into()),
            chunk_shift: Constant::new((log2(chunk) as u64).into()),
            part_mask: Constant::new((parts as u64 - 1).into()),
            half: Constant::new((half as u64).into()),
            capacity_shift: Constant::new((log2(l1_bytes) as u64).into()),
            capacity: Constant::new((l1_bytes as u64).into()),
            ub_capacity: vec![Constant::new((ub_bytes as u64).into()); ub],
            _s: s,
            _ub: ub,
            _r: chunk,
            _parts: parts,
            _bytes: bytes,
            _half: half,
            _halves: bytes / half - 1,
        }
    }
}

impl Logic for Gather {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "mte3_gather_{out_data[]}_{read_data[]}: reads the rows of an instruction from L1 or UB as dense words."
        );
        dff_setup!(self, clk, busy, nz, rows, length, left, stride, pc, at, faulty);
        dff_setup!(self, clk, count2, count3, stride2, stride3);
        dff_setup!(self, clk, walking, fresh, mark, final_mark, first, end, reach, chunk, part, opened, held);
        self.plans.clk.next = self.clk.val();
        self.plans.clear.next = self.rst.val();
        self.chunks.clk.next = self.clk.val();
        self.chunks.clear.next = self.rst.val();
        self.justify.clk.next = self.clk.val();
        self.justify.rst.next = self.rst.val();
        // The present piece: reach_next + 1 bytes from `at` on.
        self.short.next = self.left.q.val() <= 32;
        self.row_end.next = !self.nz.q.val() | self.short.val();
        self.reach_next.next = 31.into();
        if self.row_end.val() {
            self.reach_next.next = self.left.q.val() - 1;
        }
        self.top.next = bit_cast::<26, 25>(self.at.q.val()) + bit_cast::<26, 24>(self.reach_next.val());
        self.outside.next = (self.top.val() >> self.capacity_shift.val()) != 0;
        self.fault_address.next = self.capacity.val();
        if (self.at.q.val() >> self.capacity_shift.val()) != 0 {
            self.fault_address.next = bit_cast::<40, 25>(self.at.q.val());
        }
        for u in 0..self._ub {
            if self.ub[u].q.val() {
                self.outside.next = bit_cast::<40, 26>(self.top.val()) >= self.ub_capacity[u].val();
                self.fault_address.next = self.ub_capacity[u].val();
                if bit_cast::<40, 25>(self.at.q.val()) >= self.ub_capacity[u].val() {
                    self.fault_address.next = bit_cast::<40, 25>(self.at.q.val());
                }
            }
        }
        self.nest.clk.next = self.clk.val();
        self.nest.rows.next = self.rows.q.val();
        self.nest.stride.next = self.stride.q.val();
        if self.nz.q.val() {
            self.nest.stride.next = 32.into();
        }
        self.nest.count2.next = self.count2.q.val();
        self.nest.stride2.next = self.stride2.q.val();
        self.nest.count3.next = self.count3.q.val();
        self.nest.stride3.next = self.stride3.q.val();
        // Chunks of the piece that is walked through.
        self.chunk_last.next =
            (self.chunk.q.val() >> self.chunk_shift.val()) == (self.end.q.val() >> self.chunk_shift.val());
        self.read_valid.next = self.walking.q.val() & self.plans.in_ready.val();
        self.ready.next = self.read_ready.val();
        for u in 0..self._ub {
            self.read_ub_valid[u].next = self.walking.q.val() & self.plans.in_ready.val() & self.from_ub[u].q.val();
            if self.from_ub[u].q.val() {
                self.read_valid.next = false;
                self.ready.next = self.read_ub_ready[u].val();
            }
        }
        self.read_address.next = self.chunk.q.val();
        self.accept.next = self.walking.q.val() & self.plans.in_ready.val() & self.ready.val();
        self.load.next = !self.walking.q.val() | (self.accept.val() & self.chunk_last.val());
        if self.load.val() {
            self.walking.d.next = self.busy.q.val() & !self.outside.val();
            self.fresh.d.next = true;
            self.mark.d.next = self.row_end.val();
            self.final_mark.d.next = self.row_end.val() & self.nest.last.val();
            self.first.d.next = self.at.q.val().get_bits::<24>(0);
            self.end.d.next = self.top.val().get_bits::<24>(0);
            self.reach.d.next = self.reach_next.val();
            self.chunk.d.next = (self.at.q.val().get_bits::<24>(0) >> self.chunk_shift.val()) << self.chunk_shift.val();
        } else if self.accept.val() {
            self.fresh.d.next = false;
            self.chunk.d.next = self.chunk.q.val() + self.chunk_bytes.val();
        }
        for u in 0..self._ub {
            self.from_ub[u].clock.next = self.clk.val();
            self.from_ub[u].d.next = self.from_ub[u].q.val();
            if self.load.val() {
                self.from_ub[u].d.next = self.ub[u].q.val();
            }
        }
        self.piece_go.next = self.load.val() & self.busy.q.val() & !self.outside.val();
        self.nest.next_row.next = self.piece_go.val() & self.row_end.val();
        if self.piece_go.val() {
            if self.row_end.val() {
                self.left.d.next = self.length.q.val();
                self.at.d.next = self.nest.following.val();
                if self.nest.last.val() {
                    self.busy.d.next = false;
                }
            } else {
                self.left.d.next = self.left.q.val() - 32;
                self.at.d.next = self.at.q.val() + bit_cast::<25, 24>(self.stride.q.val());
            }
        }
        self.op_take.next = !self.busy.q.val() & !self.faulty.q.val();
        self.op_ready.next = self.op_take.val();
        if self.op_take.val() {
            self.busy.d.next = self.op_valid.val();
            self.nz.d.next = self.op_nz.val();
            self.rows.d.next = self.op_rows.val();
            self.length.d.next = self.op_length.val();
            self.left.d.next = self.op_length.val();
            self.stride.d.next = self.op_stride.val();
            self.count2.d.next = self.op_count2.val();
            self.count3.d.next = self.op_count3.val();
            self.stride2.d.next = self.op_stride2.val();
            self.stride3.d.next = self.op_stride3.val();
            self.pc.d.next = self.op_pc.val();
            self.at.d.next = bit_cast::<25, 24>(self.op_address.val());
        }
        self.nest.load.next = self.op_take.val();
        self.nest.first.next = bit_cast::<25, 24>(self.op_address.val());
        for u in 0..self._ub {
            self.ub[u].clock.next = self.clk.val();
            self.ub[u].d.next = self.ub[u].q.val();
            if self.op_take.val() {
                self.ub[u].d.next = self.op_ub[u].val();
            }
        }
        // What to do with the chunk when it comes.
        self.offset.next = self.first.q.val().get_bits::<8>(0) & self.segment_mask.val();
        self.rest.next = self.reach.q.val().get_bits::<8>(0) & self.segment_mask.val();
        self.flush.next = (self.offset.val() != 0)
            & (self.offset.val() + self.rest.val() < self.segment.val())
            & (self.reach.q.val() >= self.segment24.val());
        self.plans.in_valid.next = self.walking.q.val() & self.ready.val();
        self.plans.in_data[0].next = 0.into();
        if self.fresh.q.val() {
            self.plans.in_data[0].next =
                (self.first.q.val() >> self.segment_shift.val()).get_bits::<8>(0) & self.part_mask.val();
        }
        self.plans.in_data[1].next = self.part_mask.val();
        if self.chunk_last.val() {
            self.plans.in_data[1].next =
                (self.end.q.val() >> self.segment_shift.val()).get_bits::<8>(0) & self.part_mask.val();
        }
        self.plans.in_data[2].next = self.offset.val();
        self.plans.in_data[3].next = self.rest.val() + 1;
        self.plans.in_data[4].next = bit_cast::<8, 1>(self.chunk_last.val().into())
            | (bit_cast::<8, 1>(self.flush.val().into()) << 1)
            | (bit_cast::<8, 1>(self.mark.q.val().into()) << 2)
            | (bit_cast::<8, 1>(self.final_mark.q.val().into()) << 3);
        self.chunks.in_valid.next = self.read_data_valid.val();
        for i in 0..self._r {
            self.chunks.in_data[i].next = self.read_data[i].val();
        }
        // Chunks to words of S bytes.
        self.current.next = self.plans.out_data[0].val();
        if self.opened.q.val() {
            self.current.next = self.part.q.val();
        }
        self.justify.in_valid.next = self.chunks.out_valid.val();
        self.taken.next = self.chunks.out_valid.val() & self.justify.in_ready.val();
        self.used.next = self.taken.val() & (self.current.val() == self.plans.out_data[1].val());
        self.chunks.out_ready.next = self.used.val();
        self.plans.out_ready.next = self.used.val();
        if self.taken.val() {
            self.opened.d.next = !self.used.val();
            self.part.d.next = self.current.val() + 1;
        }
        self.justify.in_offset.next = self.plans.out_data[2].val();
        self.justify.in_count.next = self.plans.out_data[3].val();
        self.justify.in_last.next =
            self.plans.out_data[4].val().get_bit(0) & (self.current.val() == self.plans.out_data[1].val());
        self.justify.in_flush.next = self.plans.out_data[4].val().get_bit(1);
        self.justify.in_mark.next = self.plans.out_data[4].val().get_bits::<2>(2);
        for n in self._s..(self._s + 1) {
            for i in 0..self._s {
                self.justify.in_data[i].next = self.chunks.out_data[i].val();
                for p in 1..self._parts {
                    if self.current.val() == p.to_bits::<8>() {
                        self.justify.in_data[i].next = self.chunks.out_data[p * n + i].val();
                    }
                }
            }
        }
        self.empty.next = !self.walking.q.val() & !self.plans.out_valid.val() & self.justify.empty.val();
        self.out_last.next = self.justify.out_mark.val().get_bit(1);
        // Words of S bytes to words of W bytes.
        self.pass.next = true;
        self.out_valid.next = self.justify.out_valid.val();
        self.justify.out_ready.next = self.out_ready.val();
        for n in self._s..(self._s + 1) {
            for i in 0..self._s {
                self.out_data[i].next = self.justify.out_data[i].val();
            }
            for i in self._s..self._bytes {
                self.out_data[i].next = self.justify.out_data[i - n].val();
            }
        }
        for h in 0..self._halves {
            self.pass.next = self.held.q.val()
                | self.justify.out_mark.val().get_bit(0)
                | (self.justify.out_count.val() > self.half.val());
            self.out_valid.next = self.justify.out_valid.val() & self.pass.val();
            self.justify.out_ready.next = self.out_ready.val() | !self.pass.val();
            if self.justify.out_valid.val() & (self.out_ready.val() | !self.pass.val()) {
                self.held.d.next = !self.pass.val();
            }
            for n in self._half..(self._half + 1) {
                for i in 0..self._half {
                    self.hold[h * n + i].clock.next = self.clk.val();
                    self.hold[h * n + i].d.next = self.hold[h * n + i].q.val();
                    if !self.held.q.val() {
                        self.hold[h * n + i].d.next = self.justify.out_data[i].val();
                    } else {
                        self.out_data[i].next = self.hold[h * n + i].q.val();
                        self.out_data[(h + 1) * n + i].next = self.justify.out_data[i].val();
                    }
                }
            }
        }
        // Bounds.
        if self.busy.q.val() & self.outside.val() {
            self.faulty.d.next = true;
        }
        self.fault.next = self.faulty.q.val();
        self.fault_pc.next = self.pc.q.val();
        if self.rst.val() {
            self.busy.d.next = false;
            self.faulty.d.next = false;
            self.walking.d.next = false;
            self.opened.d.next = false;
            self.held.d.next = false;
        }
    }
}
