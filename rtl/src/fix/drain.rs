// SPDX-License-Identifier: Apache-2.0
//! Reads segments out of the row buffer and hands each to its destination: a row with its words.
//!
//! ```text
//!  segment_* ──►┌───────┐──► read_enable, read_address ──► row buffer ──► read[W]
//!               │ drain │──► row_valid[2], row_address, row_length, row_last     destination 0: GM, 1: L1 or UB
//!  row_ready[2]►│       │──► word_valid[2], word[W]
//!  retired[2] ─►└───────┘──► done (one per instruction, in order)
//! ```
//! Bounds are checked before a row is offered. Rows of an instruction wait until those of the other destination are answered, so
//! `done` keeps the order. Words pass a skid buffer: 2 cycles, one per cycle.

use super::shape::{Shape, log2};
use crate::prim::prelude::*;

/// Row and word source.
#[derive(LogicBlock)]
pub struct Drain {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets everything.
    pub rst: Signal<In, Bit>,
    /// A segment is offered.
    pub segment_valid: Signal<In, Bit>,
    /// It is taken.
    pub segment_ready: Signal<Out, Bit>,
    /// First byte.
    pub segment_address: Signal<In, Bits<43>>,
    /// Bytes.
    pub segment_bytes: Signal<In, Bits<11>>,
    /// Slot of the row buffer.
    pub segment_slot: Signal<In, Bits<2>>,
    /// Row in it.
    pub segment_row: Signal<In, Bits<4>>,
    /// First unit of the row.
    pub segment_unit: Signal<In, Bits<6>>,
    /// `[0]` nz, `[1]` L1 or UB, `[2]` last of its instruction, `[3]` UB.
    pub segment_kind: Signal<In, Bits<4>>,
    /// Last of its slot.
    pub segment_last: Signal<In, Bit>,
    /// Program counter.
    pub segment_pc: Signal<In, Bits<32>>,
    /// The slot has been read.
    pub freed: Signal<Out, Bit>,
    /// Read the row buffer.
    pub read_enable: Signal<Out, Bit>,
    /// Its word.
    pub read_address: Signal<Out, Bits<16>>,
    /// The word, one cycle later.
    pub read: Vec<Signal<In, Bits<8>>>,
    /// A row for GM, for L1 or UB.
    pub row_valid: Vec<Signal<Out, Bit>>,
    /// It is taken.
    pub row_ready: Vec<Signal<In, Bit>>,
    /// Its first byte.
    pub row_address: Signal<Out, Bits<40>>,
    /// Its bytes.
    pub row_length: Signal<Out, Bits<24>>,
    /// It is its instruction's last.
    pub row_last: Signal<Out, Bit>,
    /// It goes to UB.
    pub row_ub: Signal<Out, Bit>,
    /// Program counter of its instruction.
    pub row_pc: Signal<Out, Bits<32>>,
    /// A word for GM, for L1 or UB.
    pub word_valid: Vec<Signal<Out, Bit>>,
    /// It is taken.
    pub word_ready: Vec<Signal<In, Bit>>,
    /// Lane 0 is the row's first byte; words are full but for a row's last.
    pub word: Vec<Signal<Out, Bits<8>>>,
    /// Everything up to a row marked last is answered.
    pub retired: Vec<Signal<In, Bit>>,
    /// An instruction is done.
    pub done: Signal<Out, Bit>,
    /// Something is inside or not answered.
    pub busy: Signal<Out, Bit>,
    /// The destination keeps it waiting.
    pub blocked: Signal<Out, Bit>,
    /// The segment inside leaves its buffer or the 40 bits.
    pub fault: Signal<Out, Bit>,
    /// It goes to L1 or UB.
    pub fault_in_local: Signal<Out, Bit>,
    /// The first address outside.
    pub fault_address: Signal<Out, Bits<40>>,
    /// Program counter of its instruction.
    pub fault_pc: Signal<Out, Bits<32>>,
    skid: Skid<8>,
    valid: Reg<Bit>,
    address: Reg<Bits<43>>,
    last_byte: Reg<Bits<43>>,
    bytes: Reg<Bits<11>>,
    slot: Reg<Bits<2>>,
    row: Reg<Bits<4>>,
    unit: Reg<Bits<6>>,
    units_left: Reg<Bits<6>>,
    kind: Reg<Bits<4>>,
    closes: Reg<Bit>,
    pc: Reg<Bits<32>>,
    row_sent: Reg<Bit>,
    words_read: Reg<Bit>,
    open: Reg<Bits<4>>,
    open_local: Reg<Bit>,
    fetched: Reg<Bit>,
    fetched_local: Reg<Bit>,
    fetched_upper: Reg<Bit>,
    answered: Reg<Bit>,
    to_local: Signal<Local, Bit>,
    outside: Signal<Local, Bit>,
    may: Signal<Local, Bit>,
    row_go: Signal<Local, Bit>,
    room: Signal<Local, Bit>,
    read_go: Signal<Local, Bit>,
    finish: Signal<Local, Bit>,
    retire: Signal<Local, Bit>,
    by_halves: Signal<Local, Bit>,
    starts_by_halves: Signal<Local, Bit>,
    word_number: Signal<Local, Bits<16>>,
    count: Signal<Local, Bits<11>>,
    shown_local: Signal<Local, Bit>,
    word_taken: Signal<Local, Bit>,
    two_halves: Constant<Bit>,
    word_shift: Constant<Bits<4>>,
    l1_shift: Constant<Bits<6>>,
    l1_bytes: Constant<Bits<40>>,
    ub_bytes: Vec<Constant<Bits<43>>>,
    slot_shift: Constant<Bits<4>>,
    _bus_bytes: usize,
    _lower: usize,
    _ub: usize,
}

impl Drain {
    /// A source of rows for this shape.
    pub fn new(shape: &Shape) -> Self {
        let word = shape.bus_bytes;
        let ub = usize::from(shape.ub_bytes > 0);
        Drain {
            clk: Signal::default(),
            rst: Signal::default(),
            segment_valid: Signal::default(),
            segment_ready: Signal::default(),
            segment_address: Signal::default(),
            segment_bytes: Signal::default(),
            segment_slot: Signal::default(),
            segment_row: Signal::default(),
            segment_unit: Signal::default(),
            segment_kind: Signal::default(),
            segment_last: Signal::default(),
            segment_pc: Signal::default(),
            freed: Signal::default(),
            read_enable: Signal::default(),
            read_address: Signal::default(),
            read: vec![Signal::default(); word],
            row_valid: vec![Signal::default(); 2],
            row_ready: vec![Signal::default(); 2],
            row_address: Signal::default(),
            row_length: Signal::default(),
            row_last: Signal::default(),
            row_ub: Signal::default(),
            row_pc: Signal::default(),
            word_valid: vec![Signal::default(); 2],
            word_ready: vec![Signal::default(); 2],
            word: vec![Signal::default(); word],
            retired: vec![Signal::default(); 2],
            done: Signal::default(),
            busy: Signal::default(),
            blocked: Signal::default(),
            fault: Signal::default(),
            fault_in_local: Signal::default(),
            fault_address: Signal::default(),
            fault_pc: Signal::default(),
            skid: Skid::new(word + 1),
            valid: Reg::default(),
            address: Reg::default(),
            last_byte: Reg::default(),
            bytes: Reg::default(),
            slot: Reg::default(),
            row: Reg::default(),
            unit: Reg::default(),
            units_left: Reg::default(),
            kind: Reg::default(),
            closes: Reg::default(),
            pc: Reg::default(),
            row_sent: Reg::default(),
            words_read: Reg::default(),
            open: Reg::default(),
            open_local: Reg::default(),
            fetched: Reg::default(),
            fetched_local: Reg::default(),
            fetched_upper: Reg::default(),
            answered: Reg::default(),
            to_local: Signal::default(),
            outside: Signal::default(),
            may: Signal::default(),
            row_go: Signal::default(),
            room: Signal::default(),
            read_go: Signal::default(),
            finish: Signal::default(),
            retire: Signal::default(),
            by_halves: Signal::default(),
            starts_by_halves: Signal::default(),
            word_number: Signal::default(),
            count: Signal::default(),
            shown_local: Signal::default(),
            word_taken: Signal::default(),
            two_halves: Constant::new(word == 64),
            word_shift: Constant::new(log2(word).into()),
            l1_shift: Constant::new(log2(shape.l1_bytes).into()),
            l1_bytes: Constant::new((shape.l1_bytes as u64).into()),
            ub_bytes: vec![Constant::new((shape.ub_bytes as u64).into()); ub],
            slot_shift: Constant::new((4 + log2(shape.m0)).into()),
            _bus_bytes: word,
            _lower: word.min(32),
            _ub: ub,
        }
    }
}

impl Logic for Drain {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("fix_drain_{read[]}: rows and words out of the row buffer, to GM, L1 or UB.");
        dff_setup!(
            self,
            clk,
            valid,
            address,
            last_byte,
            bytes,
            slot,
            row,
            unit,
            units_left,
            kind,
            closes,
            pc,
            row_sent,
            words_read,
            open,
            open_local,
            fetched,
            fetched_local,
            fetched_upper,
            answered
        );
        self.to_local.next = self.kind.q.val().get_bit(1);
        if self.to_local.val() {
            self.outside.next = (self.last_byte.q.val() >> self.l1_shift.val()) != 0;
        } else {
            self.outside.next = self.last_byte.q.val().get_bits::<3>(40) != 0;
        }
        self.fault_in_local.next = self.to_local.val();
        self.fault_pc.next = self.pc.q.val();
        self.fault_address.next = self.address.q.val().get_bits::<40>(0);
        if self.to_local.val() & ((self.address.q.val() >> self.l1_shift.val()) == 0) {
            self.fault_address.next = self.l1_bytes.val();
        }
        for u in 0..self._ub {
            if self.kind.q.val().get_bit(3) {
                self.outside.next = self.last_byte.q.val() >= self.ub_bytes[u].val();
                self.fault_address.next = self.address.q.val().get_bits::<40>(0);
                if self.address.q.val() < self.ub_bytes[u].val() {
                    self.fault_address.next = self.ub_bytes[u].val().get_bits::<40>(0);
                }
            }
        }
        self.fault.next = self.valid.q.val() & self.outside.val();
        // The row.
        self.may.next = self.valid.q.val()
            & !self.outside.val()
            & ((self.open.q.val() == 0) | (self.open_local.q.val() == self.to_local.val()));
        self.row_valid[0].next = self.may.val() & !self.row_sent.q.val() & !self.to_local.val();
        self.row_valid[1].next = self.may.val() & !self.row_sent.q.val() & self.to_local.val();
        self.row_go.next = self.may.val()
            & !self.row_sent.q.val()
            & ((self.to_local.val() & self.row_ready[1].val()) | (!self.to_local.val() & self.row_ready[0].val()));
        self.row_address.next = self.address.q.val().get_bits::<40>(0);
        self.row_length.next = bit_cast::<24, 11>(self.bytes.q.val());
        self.row_last.next = self.kind.q.val().get_bit(2);
        self.row_ub.next = self.kind.q.val().get_bit(3);
        self.row_pc.next = self.pc.q.val();
        // Its words.
        self.skid.clk.next = self.clk.val();
        self.skid.clear.next = self.rst.val();
        self.room.next = !self.fetched.q.val() | self.skid.in_ready.val();
        self.read_go.next = self.may.val() & !self.words_read.q.val() & self.room.val();
        self.by_halves.next = self.two_halves.val() & (self.kind.q.val().get_bits::<2>(0) != 0);
        if self.by_halves.val() {
            self.word_number.next = bit_cast::<16, 6>(self.unit.q.val()) >> 1;
        } else {
            self.word_number.next = bit_cast::<16, 6>(self.unit.q.val());
        }
        self.read_enable.next = self.read_go.val();
        self.read_address.next = (bit_cast::<16, 2>(self.slot.q.val()) << self.slot_shift.val())
            | (bit_cast::<16, 4>(self.row.q.val()) << 4)
            | self.word_number.val();
        self.finish.next = (self.row_sent.q.val() | self.row_go.val())
            & (self.words_read.q.val() | (self.read_go.val() & (self.units_left.q.val() == 0)));
        self.freed.next = self.finish.val() & self.closes.q.val();
        if self.row_go.val() {
            self.row_sent.d.next = true;
        }
        if self.read_go.val() {
            self.unit.d.next = self.unit.q.val() + 1;
            self.units_left.d.next = self.units_left.q.val() - 1;
            if self.units_left.q.val() == 0 {
                self.words_read.d.next = true;
            }
        }
        // The next segment.
        self.segment_ready.next = !self.valid.q.val() | self.finish.val();
        self.starts_by_halves.next = self.two_halves.val() & (self.segment_kind.val().get_bits::<2>(0) != 0);
        self.count.next = self.segment_bytes.val() - 1;
        if !self.valid.q.val() | self.finish.val() {
            self.valid.d.next = self.segment_valid.val();
            self.address.d.next = self.segment_address.val();
            self.last_byte.d.next = self.segment_address.val() + bit_cast::<43, 11>(self.count.val());
            self.bytes.d.next = self.segment_bytes.val();
            self.slot.d.next = self.segment_slot.val();
            self.row.d.next = self.segment_row.val();
            self.unit.d.next = self.segment_unit.val();
            if self.starts_by_halves.val() {
                self.units_left.d.next = self.count.val().get_bits::<6>(5);
            } else {
                self.units_left.d.next = bit_cast::<6, 11>(self.count.val() >> self.word_shift.val());
            }
            self.kind.d.next = self.segment_kind.val();
            self.closes.d.next = self.segment_last.val();
            self.pc.d.next = self.segment_pc.val();
            self.row_sent.d.next = false;
            self.words_read.d.next = false;
        }
        // Row buffer to skid buffer; for destinations of 32 bytes the upper half of a word may come down.
        if self.room.val() {
            self.fetched.d.next = self.read_go.val();
            self.fetched_local.d.next = self.to_local.val();
            self.fetched_upper.d.next = self.by_halves.val() & self.unit.q.val().get_bit(0);
        }
        self.skid.in_valid.next = self.fetched.q.val();
        for n in self._bus_bytes..(self._bus_bytes + 1) {
            for i in 0..self._bus_bytes {
                self.skid.in_data[i].next = self.read[i].val();
                self.word[i].next = self.skid.out_data[i].val();
            }
            for low in self._lower..(self._lower + 1) {
                for i in 0..self._lower {
                    if self.fetched_upper.q.val() {
                        self.skid.in_data[i].next = self.read[(i + low) % n].val();
                    }
                }
            }
            self.skid.in_data[n].next = bit_cast::<8, 1>(self.fetched_local.q.val().into());
            self.shown_local.next = self.skid.out_data[n].val().get_bit(0);
        }
        self.word_valid[0].next = self.skid.out_valid.val() & !self.shown_local.val();
        self.word_valid[1].next = self.skid.out_valid.val() & self.shown_local.val();
        if self.shown_local.val() {
            self.word_taken.next = self.word_ready[1].val();
        } else {
            self.word_taken.next = self.word_ready[0].val();
        }
        self.skid.out_ready.next = self.word_taken.val();
        // Instructions whose last row is on its way.
        self.retire.next = self.retired[0].val() | self.retired[1].val();
        self.answered.d.next = self.retire.val();
        self.done.next = self.answered.q.val();
        if self.row_go.val() {
            self.open_local.d.next = self.to_local.val();
        }
        if self.row_go.val() & self.kind.q.val().get_bit(2) & !self.retire.val() {
            self.open.d.next = self.open.q.val() + 1;
        }
        if !(self.row_go.val() & self.kind.q.val().get_bit(2)) & self.retire.val() {
            self.open.d.next = self.open.q.val() - 1;
        }
        self.busy.next =
            self.valid.q.val() | (self.open.q.val() != 0) | self.fetched.q.val() | self.skid.out_valid.val();
        self.blocked.next = (self.may.val() & !self.row_sent.q.val() & !self.row_go.val())
            | (self.skid.out_valid.val() & !self.word_taken.val());
        if self.rst.val() {
            self.valid.d.next = false;
            self.open.d.next = 0.into();
            self.fetched.d.next = false;
            self.answered.d.next = false;
        }
    }
}
