// SPDX-License-Identifier: Apache-2.0
//! Writes the rows of an instruction into L1 or UB: dense words in, segments of S bytes out, in layout rows or nz.
//!
//! ```text
//!  op_*  ──►┌─────────┐
//!  src_* ──►│ scatter │──► write_*, ub_write_*      one segment per cycle
//!           └─────────┘──► done, fault
//! ```
//! A segment is up to S bytes at a multiple of S. In rows it is S bytes of a word, in nz at most the 32 bytes of a panel's row: with
//! S = 64 nz writes half a segment per cycle. A fill makes its words itself. The next instruction begins in the cycle after the last
//! word of the one before.

use crate::axi::Align;
use crate::axi::log2;
use crate::nest::Nest;
use crate::prim::prelude::*;

/// Writer of a local buffer for words of W bytes.
#[derive(LogicBlock)]
pub struct Scatter {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Drops what is inside.
    pub rst: Signal<In, Bit>,
    /// An instruction is offered.
    pub op_valid: Signal<In, Bit>,
    /// It is taken.
    pub op_ready: Signal<Out, Bit>,
    /// Its words come from `op_byte`, not from `src`.
    pub op_fill: Signal<In, Bit>,
    /// 0 rows, 1 nz.
    pub op_nz: Signal<In, Bit>,
    /// Fill byte.
    pub op_byte: Signal<In, Bits<8>>,
    /// Rows, at least 1.
    pub op_rows: Signal<In, Bits<16>>,
    /// Bytes of a row, at least 1.
    pub op_length: Signal<In, Bits<24>>,
    /// It goes to UB; none in a core without UB, as are the other ports of UB.
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
    /// A word is offered: full, but for the last of a row.
    pub src_valid: Signal<In, Bit>,
    /// It is taken.
    pub src_ready: Signal<Out, Bit>,
    /// The word.
    pub src_data: Vec<Signal<In, Bits<8>>>,
    /// A segment is offered to L1.
    pub write_valid: Signal<Out, Bit>,
    /// L1 takes it.
    pub write_ready: Signal<In, Bit>,
    /// A segment is offered to UB.
    pub ub_write_valid: Vec<Signal<Out, Bit>>,
    /// UB takes it.
    pub ub_write_ready: Vec<Signal<In, Bit>>,
    /// Its address, a multiple of S.
    pub write_address: Signal<Out, Bits<24>>,
    /// Bytes of it that are written.
    pub write_enable: Vec<Signal<Out, Bit>>,
    /// Its bytes.
    pub write_data: Vec<Signal<Out, Bits<8>>>,
    /// The last segment of an instruction was taken (pulse).
    pub done: Signal<Out, Bit>,
    /// A segment goes in.
    pub moves: Signal<Out, Bit>,
    /// The instruction at hand takes words.
    pub loads: Signal<Out, Bit>,
    /// A byte would lie outside its buffer; level until reset.
    pub fault: Signal<Out, Bit>,
    /// That byte's address.
    pub fault_address: Signal<Out, Bits<40>>,
    /// That instruction's program counter.
    pub fault_pc: Signal<Out, Bits<32>>,
    align: Align,
    nest: Nest<25, 24>,
    busy: Reg<Bit>,
    fill: Reg<Bit>,
    nz: Reg<Bit>,
    ub: Vec<Reg<Bit>>,
    byte: Reg<Bits<8>>,
    rows: Reg<Bits<16>>,
    length: Reg<Bits<24>>,
    left: Reg<Bits<24>>,
    stride: Reg<Bits<24>>,
    count2: Reg<Bits<16>>,
    count3: Reg<Bits<16>>,
    stride2: Reg<Bits<24>>,
    stride3: Reg<Bits<24>>,
    pc: Reg<Bits<32>>,
    panel: Reg<Bits<25>>,
    at: Reg<Bits<25>>,
    /// Half of the word that comes next, if it goes in halves of 32 bytes.
    part: Reg<Bits<1>>,
    faulty: Reg<Bit>,
    width: Signal<Local, Bits<8>>,
    last: Signal<Local, Bit>,
    word_end: Signal<Local, Bit>,
    op_end: Signal<Local, Bit>,
    count: Signal<Local, Bits<8>>,
    top: Signal<Local, Bits<26>>,
    outside: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    sent: Signal<Local, Bit>,
    next_panel: Signal<Local, Bits<25>>,
    next_at: Signal<Local, Bits<25>>,
    segment: Constant<Bits<8>>,
    segment24: Constant<Bits<24>>,
    segment_mask: Constant<Bits<8>>,
    panel_width: Constant<Bits<8>>,
    final_part: Constant<Bits<1>>,
    /// In rows a word is one segment.
    whole: Constant<Bit>,
    capacity_shift: Constant<Bits<6>>,
    capacity: Constant<Bits<40>>,
    ub_capacity: Vec<Constant<Bits<40>>>,
    _s: usize,
    _ub: usize,
    _half: usize,
    _parts: usize,
}

impl Scatter {
    /// A writer for words of `bytes` (W) bytes and segments of `s` bytes, min(W, 32) to W, into an L1 of `l1_bytes`, a power of two,
    /// and a UB of `ub_bytes`, 0 if it never writes there.
    pub fn new(bytes: usize, s: usize, l1_bytes: usize, ub_bytes: usize) -> Self {
        let half = bytes.min(32);
        let ub = usize::from(ub_bytes > 0);
        let parts = bytes / half;
        Scatter {
            clk: Signal::default(),
            rst: Signal::default(),
            op_valid: Signal::default(),
            op_ready: Signal::default(),
            op_fill: Signal::default(),
            op_nz: Signal::default(),
            op_byte: Signal::default(),
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
            src_valid: Signal::default(),
            src_ready: Signal::default(),
            src_data: vec![Signal::default(); bytes],
            write_valid: Signal::default(),
            write_ready: Signal::default(),
            ub_write_valid: vec![Signal::default(); ub],
            ub_write_ready: vec![Signal::default(); ub],
            write_address: Signal::default(),
            write_enable: vec![Signal::default(); s],
            write_data: vec![Signal::default(); s],
            done: Signal::default(),
            moves: Signal::default(),
            loads: Signal::default(),
            fault: Signal::default(),
            fault_address: Signal::default(),
            fault_pc: Signal::default(),
            align: Align::new(s),
            nest: Nest::default(),
            busy: Reg::default(),
            fill: Reg::default(),
            nz: Reg::default(),
            ub: vec![Reg::default(); ub],
            byte: Reg::default(),
            rows: Reg::default(),
            length: Reg::default(),
            left: Reg::default(),
            stride: Reg::default(),
            count2: Reg::default(),
            count3: Reg::default(),
            stride2: Reg::default(),
            stride3: Reg::default(),
            pc: Reg::default(),
            panel: Reg::default(),
            at: Reg::default(),
            part: Reg::default(),
            faulty: Reg::default(),
            width: Signal::default(),
            last: Signal::default(),
            word_end: Signal::default(),
            op_end: Signal::default(),
            count: Signal::default(),
            top: Signal::default(),
            outside: Signal::default(),
            accept: Signal::default(),
            take: Signal::default(),
            sent: Signal::default(),
            next_panel: Signal::default(),
            next_at: Signal::default(),
            segment: Constant::new((s as u64).into()),
            segment24: Constant::new((s as u64).into()),
            segment_mask: Constant::new((s as u64 - 1).into()),
            panel_width: Constant::new((half as u64).into()),
            final_part: Constant::new((parts as u64 - 1).into()),
            whole: Constant::new(s == bytes),
            capacity_shift: Constant::new((log2(l1_bytes) as u64).into()),
            capacity: Constant::new((l1_bytes as u64).into()),
            ub_capacity: vec![Constant::new((ub_bytes as u64).into()); ub],
            _s: s,
            _ub: ub,
            _half: half,
            _parts: parts,
        }
    }
}

impl Logic for Scatter {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte2_scatter_{src_data[]}: writes the rows of an instruction into L1 or UB, as rows or nz.");
        dff_setup!(self, clk, busy, fill, nz, byte, rows, length, left, stride, pc, panel, at, part, faulty);
        dff_setup!(self, clk, count2, count3, stride2, stride3);
        self.nest.clk.next = self.clk.val();
        self.align.clk.next = self.clk.val();
        self.align.rst.next = self.rst.val();
        // The present segment: `count` bytes that go to `at`.
        self.width.next = self.segment.val();
        if self.nz.q.val() {
            self.width.next = self.panel_width.val();
        }
        self.last.next = self.left.q.val() <= bit_cast::<24, 8>(self.width.val());
        self.count.next = self.width.val();
        if self.last.val() {
            self.count.next = self.left.q.val().get_bits::<8>(0);
        }
        self.word_end.next =
            self.last.val() | (self.part.q.val() == self.final_part.val()) | (self.whole.val() & !self.nz.q.val());
        self.op_end.next = self.last.val() & self.nest.last.val();
        self.top.next = bit_cast::<26, 25>(self.at.q.val()) + bit_cast::<26, 8>(self.count.val() - 1);
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
        self.accept.next = self.busy.q.val()
            & (self.fill.q.val() | self.src_valid.val())
            & !self.outside.val()
            & self.align.in_ready.val();
        self.moves.next = self.accept.val();
        self.align.in_valid.next = self.busy.q.val() & (self.fill.q.val() | self.src_valid.val()) & !self.outside.val();
        self.align.in_count.next = self.count.val();
        self.align.in_last.next = self.last.val() | self.nz.q.val();
        self.align.in_offset.next = self.at.q.val().get_bits::<8>(0) & self.segment_mask.val();
        self.align.in_note.next =
            bit_cast::<32, 24>(self.at.q.val().get_bits::<24>(0)) | (bit_cast::<32, 1>(self.op_end.val().into()) << 24);
        for u in 0..self._ub {
            if self.ub[u].q.val() {
                self.align.in_note.next = bit_cast::<32, 24>(self.at.q.val().get_bits::<24>(0))
                    | (bit_cast::<32, 1>(self.op_end.val().into()) << 24)
                    | (bits::<32>(1) << 25);
            }
        }
        self.src_ready.next = self.accept.val() & !self.fill.q.val() & self.word_end.val();
        for i in 0..self._s {
            self.align.in_data[i].next = self.src_data[i].val();
        }
        for n in self._half..(self._half + 1) {
            for i in 0..self._half {
                for p in 1..self._parts {
                    if self.part.q.val() == p.to_bits::<1>() {
                        self.align.in_data[i].next = self.src_data[p * n + i].val();
                    }
                }
            }
        }
        for i in 0..self._s {
            if self.fill.q.val() {
                self.align.in_data[i].next = self.byte.q.val();
            }
        }
        // Where the next segment goes.
        self.nest.rows.next = self.rows.q.val();
        self.nest.stride.next = self.stride.q.val();
        if self.nz.q.val() {
            self.nest.stride.next = 32.into();
        }
        self.nest.count2.next = self.count2.q.val();
        self.nest.stride2.next = self.stride2.q.val();
        self.nest.count3.next = self.count3.q.val();
        self.nest.stride3.next = self.stride3.q.val();
        self.nest.next_row.next = self.accept.val() & self.last.val();
        self.next_panel.next = self.panel.q.val() + bit_cast::<25, 24>(self.stride.q.val());
        self.next_at.next = self.at.q.val() + bit_cast::<25, 8>(self.width.val());
        if self.accept.val() {
            if self.last.val() {
                self.left.d.next = self.length.q.val();
                self.panel.d.next = self.nest.following.val();
                self.at.d.next = self.nest.following.val();
                self.part.d.next = 0.into();
            } else {
                self.left.d.next = self.left.q.val() - bit_cast::<24, 8>(self.width.val());
                self.part.d.next = 0.into();
                if !self.word_end.val() {
                    self.part.d.next = self.part.q.val() + 1;
                }
                self.at.d.next = self.next_at.val();
                if self.nz.q.val() & (self.next_at.val().get_bits::<5>(0) == 0) {
                    self.at.d.next = self.next_panel.val();
                    self.panel.d.next = self.next_panel.val();
                }
            }
        }
        self.take.next = !self.busy.q.val() | (self.accept.val() & self.op_end.val());
        self.op_ready.next = self.take.val() & !self.faulty.q.val();
        if self.take.val() {
            self.busy.d.next = self.op_valid.val() & !self.faulty.q.val();
            self.fill.d.next = self.op_fill.val();
            self.nz.d.next = self.op_nz.val();
            self.byte.d.next = self.op_byte.val();
            self.rows.d.next = self.op_rows.val();
            self.length.d.next = self.op_length.val();
            self.left.d.next = self.op_length.val();
            self.stride.d.next = self.op_stride.val();
            self.count2.d.next = self.op_count2.val();
            self.count3.d.next = self.op_count3.val();
            self.stride2.d.next = self.op_stride2.val();
            self.stride3.d.next = self.op_stride3.val();
            self.pc.d.next = self.op_pc.val();
            self.panel.d.next = bit_cast::<25, 24>(self.op_address.val());
            self.at.d.next = bit_cast::<25, 24>(self.op_address.val());
            self.part.d.next = 0.into();
        }
        self.nest.load.next = self.take.val();
        self.nest.first.next = bit_cast::<25, 24>(self.op_address.val());
        for u in 0..self._ub {
            self.ub[u].clock.next = self.clk.val();
            self.ub[u].d.next = self.ub[u].q.val();
            if self.take.val() {
                self.ub[u].d.next = self.op_ub[u].val();
            }
        }
        // Out to L1 or UB.
        self.write_valid.next = self.align.out_valid.val();
        self.sent.next = self.write_ready.val();
        for u in 0..self._ub {
            self.ub_write_valid[u].next = self.align.out_valid.val() & self.align.out_note.val().get_bit(25);
            if self.align.out_note.val().get_bit(25) {
                self.write_valid.next = false;
                self.sent.next = self.ub_write_ready[u].val();
            }
        }
        self.align.out_ready.next = self.sent.val();
        self.write_address.next =
            self.align.out_note.val().get_bits::<24>(0) & !bit_cast::<24, 8>(self.segment_mask.val());
        if self.align.out_extra.val() {
            self.write_address.next = (self.align.out_note.val().get_bits::<24>(0)
                & !bit_cast::<24, 8>(self.segment_mask.val()))
                + self.segment24.val();
        }
        for i in 0..self._s {
            self.write_enable[i].next = self.align.out_strobe[i].val();
            self.write_data[i].next = self.align.out_data[i].val();
        }
        self.done.next = self.align.out_valid.val()
            & self.sent.val()
            & self.align.out_last.val()
            & self.align.out_note.val().get_bit(24);
        if self.busy.q.val() & self.outside.val() {
            self.faulty.d.next = true;
        }
        self.loads.next = self.busy.q.val() & !self.fill.q.val();
        self.fault.next = self.faulty.q.val();
        self.fault_pc.next = self.pc.q.val();
        if self.rst.val() {
            self.busy.d.next = false;
            self.faulty.d.next = false;
        }
    }
}
