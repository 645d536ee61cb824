// SPDX-License-Identifier: Apache-2.0
//! Walks through a finished chunk: one segment per row, for nz one per row and 32-byte panel.
//!
//! ```text
//!  claim, chunk_* ──►┌──────────┐──► free
//!  ready ───────────►│ segments │──► segment_* (valid/ready): address, length, place in the row buffer, where to
//!  freed ───────────►└──────────┘
//! ```
//! Slots in turn; a segment per cycle, no bubble between slots. A slot is claimed with what is known of it, becomes ready when
//! its last word is written, and free again when its last segment has been read (`freed`).

use super::shape::{SLOTS, Shape, log2};
use crate::prim::prelude::*;

/// Segment generator.
#[derive(LogicBlock)]
pub struct Segments {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets everything.
    pub rst: Signal<In, Bit>,
    /// Offer nothing new.
    pub stop: Signal<In, Bit>,
    /// What is below belongs to the next slot.
    pub claim: Signal<In, Bit>,
    /// Destination of its first byte.
    pub chunk_address: Signal<In, Bits<43>>,
    /// Bytes between rows or panels.
    pub chunk_stride: Signal<In, Bits<32>>,
    /// Bytes per row.
    pub chunk_bytes: Signal<In, Bits<11>>,
    /// Rows.
    pub chunk_rows: Signal<In, Bits<5>>,
    /// `[0]` layout nz, `[1]` to L1 or UB, `[2]` last chunk of its instruction, `[3]` to UB.
    pub chunk_kind: Signal<In, Bits<4>>,
    /// Program counter of its instruction.
    pub chunk_pc: Signal<In, Bits<32>>,
    /// The oldest slot that was not is filled.
    pub ready: Signal<In, Bit>,
    /// The oldest slot has been read.
    pub freed: Signal<In, Bit>,
    /// A slot is free.
    pub free: Signal<Out, Bit>,
    /// Something is left to walk through.
    pub busy: Signal<Out, Bit>,
    /// A segment is offered.
    pub segment_valid: Signal<Out, Bit>,
    /// It is taken.
    pub segment_ready: Signal<In, Bit>,
    /// Its first byte.
    pub segment_address: Signal<Out, Bits<43>>,
    /// Its length in bytes.
    pub segment_bytes: Signal<Out, Bits<11>>,
    /// Slot of the row buffer.
    pub segment_slot: Signal<Out, Bits<2>>,
    /// Row in it.
    pub segment_row: Signal<Out, Bits<4>>,
    /// First unit (a bus word, or half of a 64-byte word where the destination takes 32) of the row.
    pub segment_unit: Signal<Out, Bits<6>>,
    /// As `chunk_kind`, but `[2]` only for the last segment of its instruction.
    pub segment_kind: Signal<Out, Bits<4>>,
    /// The last one of its slot.
    pub segment_last: Signal<Out, Bit>,
    /// Program counter.
    pub segment_pc: Signal<Out, Bits<32>>,
    /// What is known of the claimed slots that are not walked through yet.
    waiting: Fifo<63>,
    used: Reg<Bits<3>>,
    filled: Reg<Bits<3>>,
    active: Reg<Bit>,
    slot: Reg<Bits<2>>,
    stride: Reg<Bits<32>>,
    rows: Reg<Bits<5>>,
    kind: Reg<Bits<4>>,
    pc: Reg<Bits<32>>,
    panel: Reg<Bits<43>>,
    at_address: Reg<Bits<43>>,
    left: Reg<Bits<11>>,
    row: Reg<Bits<5>>,
    unit: Reg<Bits<6>>,
    my_stride: Signal<Local, Bits<43>>,
    last_row: Signal<Local, Bit>,
    last_panel: Signal<Local, Bit>,
    go: Signal<Local, Bit>,
    turn: Signal<Local, Bit>,
    load: Signal<Local, Bit>,
    next_panel: Signal<Local, Bits<43>>,
    next_address: Signal<Local, Bits<43>>,
    slots: Constant<Bits<3>>,
    units_per_panel: Constant<Bits<6>>,
}

impl Segments {
    /// A generator for this shape.
    pub fn new(shape: &Shape) -> Self {
        Segments {
            clk: Signal::default(),
            rst: Signal::default(),
            stop: Signal::default(),
            claim: Signal::default(),
            chunk_address: Signal::default(),
            chunk_stride: Signal::default(),
            chunk_bytes: Signal::default(),
            chunk_rows: Signal::default(),
            chunk_kind: Signal::default(),
            chunk_pc: Signal::default(),
            ready: Signal::default(),
            freed: Signal::default(),
            free: Signal::default(),
            busy: Signal::default(),
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
            waiting: Fifo::new(SLOTS, 2),
            used: Reg::default(),
            filled: Reg::default(),
            active: Reg::default(),
            slot: Reg::default(),
            stride: Reg::default(),
            rows: Reg::default(),
            kind: Reg::default(),
            pc: Reg::default(),
            panel: Reg::default(),
            at_address: Reg::default(),
            left: Reg::default(),
            row: Reg::default(),
            unit: Reg::default(),
            my_stride: Signal::default(),
            last_row: Signal::default(),
            last_panel: Signal::default(),
            go: Signal::default(),
            turn: Signal::default(),
            load: Signal::default(),
            next_panel: Signal::default(),
            next_address: Signal::default(),
            slots: Constant::new((SLOTS as u64).into()),
            units_per_panel: Constant::new((1u64 << (5 - log2(shape.l1_word()))).into()),
        }
    }
}

impl Logic for Segments {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("fix_segments: the rows of a finished chunk one by one, for nz by panels of 32 bytes.");
        dff_setup!(self, clk, used, filled, active, slot, stride, rows, kind, pc);
        dff_setup!(self, clk, panel, at_address, left, row, unit);
        self.free.next = self.used.q.val() != self.slots.val();
        if self.claim.val() & !self.freed.val() {
            self.used.d.next = self.used.q.val() + 1;
        }
        if !self.claim.val() & self.freed.val() {
            self.used.d.next = self.used.q.val() - 1;
        }
        self.waiting.clk.next = self.clk.val();
        self.waiting.clear.next = self.rst.val();
        self.waiting.in_valid.next = self.claim.val();
        self.waiting.in_data[0].next = bit_cast::<63, 43>(self.chunk_address.val())
            | (bit_cast::<63, 11>(self.chunk_bytes.val()) << 43)
            | (bit_cast::<63, 5>(self.chunk_rows.val()) << 54)
            | (bit_cast::<63, 4>(self.chunk_kind.val()) << 59);
        // Program counters are even: bit 0 is left out.
        self.waiting.in_data[1].next = bit_cast::<63, 32>(self.chunk_stride.val())
            | (bit_cast::<63, 31>(self.chunk_pc.val().get_bits::<31>(1)) << 32);
        // The segment offered.
        self.my_stride.next = bit_cast::<43, 32>(self.stride.q.val());
        self.last_row.next = self.row.q.val() + 1 == self.rows.q.val();
        self.last_panel.next = !self.kind.q.val().get_bit(0) | (self.left.q.val() <= 32);
        self.segment_valid.next = self.active.q.val() & !self.stop.val();
        self.segment_address.next = self.at_address.q.val();
        if self.last_panel.val() {
            self.segment_bytes.next = self.left.q.val();
        } else {
            self.segment_bytes.next = 32.into();
        }
        self.segment_slot.next = self.slot.q.val();
        self.segment_row.next = self.row.q.val().get_bits::<4>(0);
        self.segment_unit.next = self.unit.q.val();
        self.segment_last.next = self.last_row.val() & self.last_panel.val();
        self.segment_kind.next = self.kind.q.val();
        if !(self.last_row.val() & self.last_panel.val()) {
            self.segment_kind.next = self.kind.q.val() & 11;
        }
        self.segment_pc.next = self.pc.q.val();
        // The next one.
        self.go.next = self.active.q.val() & !self.stop.val() & self.segment_ready.val();
        self.turn.next = self.go.val() & self.last_row.val() & self.last_panel.val();
        self.next_panel.next = self.panel.q.val() + self.my_stride.val();
        if self.go.val() {
            self.row.d.next = self.row.q.val() + 1;
            if self.kind.q.val().get_bit(0) {
                self.at_address.d.next = self.at_address.q.val() + 32;
            } else {
                self.at_address.d.next = self.at_address.q.val() + self.my_stride.val();
            }
            if self.last_row.val() {
                self.row.d.next = 0.into();
                self.left.d.next = self.left.q.val() - 32;
                self.unit.d.next = self.unit.q.val() + self.units_per_panel.val();
                self.panel.d.next = self.next_panel.val();
                self.at_address.d.next = self.next_panel.val();
            }
        }
        if self.turn.val() {
            self.active.d.next = false;
            self.slot.d.next = self.slot.q.val() + 1;
        }
        self.load.next = (self.turn.val() | !self.active.q.val()) & (self.filled.q.val() != 0);
        self.waiting.out_ready.next = self.load.val();
        self.next_address.next = self.waiting.out_data[0].val().get_bits::<43>(0);
        if self.load.val() {
            self.active.d.next = true;
            self.panel.d.next = self.next_address.val();
            self.at_address.d.next = self.next_address.val();
            self.left.d.next = self.waiting.out_data[0].val().get_bits::<11>(43);
            self.rows.d.next = self.waiting.out_data[0].val().get_bits::<5>(54);
            self.kind.d.next = self.waiting.out_data[0].val().get_bits::<4>(59);
            self.stride.d.next = self.waiting.out_data[1].val().get_bits::<32>(0);
            self.pc.d.next = bit_cast::<32, 31>(self.waiting.out_data[1].val().get_bits::<31>(32)) << 1;
            self.row.d.next = 0.into();
            self.unit.d.next = 0.into();
        }
        if self.ready.val() & !self.load.val() {
            self.filled.d.next = self.filled.q.val() + 1;
        }
        if !self.ready.val() & self.load.val() {
            self.filled.d.next = self.filled.q.val() - 1;
        }
        self.busy.next = self.active.q.val() | (self.filled.q.val() != 0);
        if self.rst.val() {
            self.active.d.next = false;
            self.slot.d.next = 0.into();
            self.used.d.next = 0.into();
            self.filled.d.next = 0.into();
        }
    }
}
