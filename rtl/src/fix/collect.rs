// SPDX-License-Identifier: Apache-2.0
//! Puts the results of steps side by side to one bus word per row, then hands the words on, one row per cycle.
//!
//! ```text
//!  tag, narrow[R*C], wide[R*C] ──►┌─────────┐──► write_valid, write_slot, write_row, write_word, write[W]
//!                                 │ collect │
//!                                 └─────────┘──► ready: with the last word of a chunk
//! ```
//! The words of M0 rows fill together. A step that completes them moves them to a second set of registers, which is written row by row
//! while the first fills again; the steps come so that the second set is always empty in time. Nothing stalls.

use super::shape::Shape;
use crate::prim::prelude::*;

/// Transposer in front of the row buffer.
#[derive(LogicBlock)]
pub struct Collect {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets everything.
    pub rst: Signal<In, Bit>,
    /// Results have 4 bytes.
    pub is_wide: Signal<In, Bit>,
    /// As `Steps::tag`, in the cycle of its results.
    pub tag: Signal<In, Bits<18>>,
    /// 8-bit results, row r and column c of the step at `r * C + c`.
    pub narrow: Vec<Signal<In, Bits<8>>>,
    /// int32 results.
    pub wide: Vec<Signal<In, Bits<32>>>,
    /// A word is written.
    pub write_valid: Signal<Out, Bit>,
    /// Slot of the row buffer.
    pub write_slot: Signal<Out, Bits<2>>,
    /// Row of the block.
    pub write_row: Signal<Out, Bits<4>>,
    /// Word of the row.
    pub write_word: Signal<Out, Bits<4>>,
    /// The word.
    pub write: Vec<Signal<Out, Bits<8>>>,
    /// A slot is complete with this cycle's word.
    pub ready: Signal<Out, Bit>,
    gather: Vec<Reg<Bits<8>>>,
    leave: Vec<Reg<Bits<8>>>,
    merged: Vec<Signal<Local, Bits<8>>>,
    hit: Vec<Signal<Local, Bit>>,
    hit_wide: Vec<Signal<Local, Bit>>,
    valid: Signal<Local, Bit>,
    load: Signal<Local, Bit>,
    row_group: Signal<Local, Bits<4>>,
    place: Signal<Local, Bits<6>>,
    rows_left: Reg<Bits<5>>,
    row: Reg<Bits<4>>,
    word: Reg<Bits<4>>,
    slot: Reg<Bits<2>>,
    last: Reg<Bit>,
    next_word: Reg<Bits<4>>,
    next_slot: Reg<Bits<2>>,
    _bus_bytes: usize,
    _bus_words: usize,
    _rows: usize,
    _columns: usize,
    _m0: usize,
    _row_groups: usize,
    _narrow_places: usize,
    _wide_places: usize,
}

impl Collect {
    /// A transposer for this shape.
    pub fn new(shape: &Shape) -> Self {
        let bytes = shape.m0 * shape.bus_bytes;
        let narrow_places = shape.bus_bytes / shape.columns;
        let wide_places = narrow_places / 4;
        Collect {
            clk: Signal::default(),
            rst: Signal::default(),
            is_wide: Signal::default(),
            tag: Signal::default(),
            narrow: vec![Signal::default(); shape.lanes()],
            wide: vec![Signal::default(); shape.lanes()],
            write_valid: Signal::default(),
            write_slot: Signal::default(),
            write_row: Signal::default(),
            write_word: Signal::default(),
            write: vec![Signal::default(); shape.bus_bytes],
            ready: Signal::default(),
            gather: (0..bytes).map(|_| Reg::default()).collect(),
            leave: (0..bytes).map(|_| Reg::default()).collect(),
            merged: vec![Signal::default(); bytes],
            hit: vec![Signal::default(); shape.row_groups() * narrow_places],
            hit_wide: vec![Signal::default(); shape.row_groups() * wide_places],
            valid: Signal::default(),
            load: Signal::default(),
            row_group: Signal::default(),
            place: Signal::default(),
            rows_left: Reg::default(),
            row: Reg::default(),
            word: Reg::default(),
            slot: Reg::default(),
            last: Reg::default(),
            next_word: Reg::default(),
            next_slot: Reg::default(),
            _bus_bytes: shape.bus_bytes,
            _bus_words: shape.bus_bytes / 4,
            _rows: shape.rows,
            _columns: shape.columns,
            _m0: shape.m0,
            _row_groups: shape.row_groups(),
            _narrow_places: narrow_places,
            _wide_places: wide_places,
        }
    }
}

impl Logic for Collect {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("fix_collect_{narrow[]}x{write[]}: results side by side to one bus word per row, then row by row.");
        dff_setup!(self, clk, rows_left, row, word, slot, last, next_word, next_slot);
        self.valid.next = self.tag.val().get_bit(0);
        self.load.next = self.valid.val() & self.tag.val().get_bit(1);
        self.row_group.next = self.tag.val().get_bits::<4>(8);
        self.place.next = self.tag.val().get_bits::<6>(12);
        for places in self._narrow_places..(self._narrow_places + 1) {
            for g in 0..self._row_groups {
                for p in 0..self._narrow_places {
                    self.hit[g * places + p].next = self.valid.val()
                        & !self.is_wide.val()
                        & (self.row_group.val() == g.to_bits())
                        & (self.place.val() == p.to_bits());
                }
            }
        }
        for places in self._wide_places..(self._wide_places + 1) {
            for g in 0..self._row_groups {
                for p in 0..self._wide_places {
                    self.hit_wide[g * places + p].next = self.valid.val()
                        & self.is_wide.val()
                        & (self.row_group.val() == g.to_bits())
                        & (self.place.val() == p.to_bits());
                }
            }
        }
        for w in self._bus_bytes..(self._bus_bytes + 1) {
            for rr in self._rows..(self._rows + 1) {
                for cc in self._columns..(self._columns + 1) {
                    for r in 0..self._m0 {
                        for b in 0..self._bus_bytes {
                            self.gather[r * w + b].clock.next = self.clk.val();
                            self.merged[r * w + b].next = self.gather[r * w + b].q.val();
                            if self.hit[(r / rr) * (w / cc) + b / cc].val() {
                                self.merged[r * w + b].next = self.narrow[(r % rr) * cc + b % cc].val();
                            }
                        }
                        for q in 0..self._bus_words {
                            for k in 0..4 {
                                if self.hit_wide[(r / rr) * (w / (4 * cc)) + q / cc].val() {
                                    self.merged[r * w + q * 4 + k].next =
                                        self.wide[(r % rr) * cc + q % cc].val().get_bits::<8>(k * 8);
                                }
                            }
                        }
                        for b in 0..self._bus_bytes {
                            self.gather[r * w + b].d.next = self.merged[r * w + b].val();
                        }
                    }
                    // Row 0 is written; the others move down.
                    for n in self._m0..(self._m0 + 1) {
                        for b in 0..self._bus_bytes {
                            for r in 0..self._m0 {
                                self.leave[r * w + b].clock.next = self.clk.val();
                                self.leave[r * w + b].d.next = self.leave[((r + 1) % n) * w + b].q.val();
                                if self.load.val() {
                                    self.leave[r * w + b].d.next = self.merged[r * w + b].val();
                                }
                            }
                            self.write[b].next = self.leave[b].q.val();
                        }
                    }
                }
            }
        }
        self.write_valid.next = self.rows_left.q.val() != 0;
        self.write_slot.next = self.slot.q.val();
        self.write_row.next = self.row.q.val();
        self.write_word.next = self.word.q.val();
        self.ready.next = self.last.q.val() & (self.rows_left.q.val() == 1);
        if self.rows_left.q.val() != 0 {
            self.rows_left.d.next = self.rows_left.q.val() - 1;
            self.row.d.next = self.row.q.val() + 1;
        }
        if self.load.val() {
            self.rows_left.d.next = self.tag.val().get_bits::<5>(3);
            self.row.d.next = 0.into();
            self.word.d.next = self.next_word.q.val();
            self.slot.d.next = self.next_slot.q.val();
            self.last.d.next = self.tag.val().get_bit(2);
            self.next_word.d.next = self.next_word.q.val() + 1;
            if self.tag.val().get_bit(2) {
                self.next_word.d.next = 0.into();
                self.next_slot.d.next = self.next_slot.q.val() + 1;
            }
        }
        if self.rst.val() {
            self.rows_left.d.next = 0.into();
            self.next_word.d.next = 0.into();
            self.next_slot.d.next = 0.into();
        }
    }
}
