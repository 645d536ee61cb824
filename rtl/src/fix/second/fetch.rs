// SPDX-License-Identifier: Apache-2.0
//! Reads the numbers of the second tensor from UB, row by row of each step, at a fixed time after the step.
//!
//! ```text
//!  start, address, stride ──►┌───────┐──► read_valid, read_address ──► UB      rows of a step in cycles t + REQUEST_CYCLES + 0, 1, ..
//!  step_* (t) ──────────────►│ fetch │◄── read_data, 3 cycles later
//!                            └───────┘──► q2[C], 4 cycles after the request
//! ```
//! It walks as `steps` does. A step's C numbers of a row lie in one line of UB: address and stride are multiples of 32, steps begin
//! at multiples of C, and C divides both 32 and the line. UB takes every request at once. Only rows of the tile are read.

use super::super::delay::Delay;
use super::super::pick::Pick;
use super::super::requant::NARROW_CYCLES;
use super::super::shape::{Shape, log2};
use crate::prim::prelude::*;

/// From the request to `q2`: three cycles of UB, one of the selection.
const READ_CYCLES: usize = 4;
/// From a step to the request of its first row, so that `q2` is there one cycle after the step's results: the cycle in which
/// they are registered.
pub const REQUEST_CYCLES: usize = 2 + NARROW_CYCLES + 1 - READ_CYCLES;

/// Reader of the second tensor.
#[derive(LogicBlock)]
pub struct Fetch {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets everything.
    pub rst: Signal<In, Bit>,
    /// Begin with the tensor below; only when the last one is used up.
    pub start: Signal<In, Bit>,
    /// Its first byte, a multiple of 32.
    pub address: Signal<In, Bits<24>>,
    /// Bytes from row to row, a multiple of 32; holds.
    pub stride: Signal<In, Bits<24>>,
    /// `[0]` a step goes, `[1]` the last row group of its columns, `[2]` the last step of its rows, `[7:3]` its real rows, at least 1.
    /// No sooner than R cycles after the last one.
    pub step: Signal<In, Bits<8>>,
    /// A line is asked for.
    pub read_valid: Signal<Out, Bit>,
    /// Its first byte.
    pub read_address: Signal<Out, Bits<24>>,
    /// The line, 3 cycles later.
    pub read_data: Vec<Signal<In, Bits<8>>>,
    /// The numbers of a row.
    pub q2: Vec<Signal<Out, Bits<8>>>,
    step_delay: Delay<8>,
    place: Delay<8>,
    pick: Vec<Pick<8>>,
    row_start: Reg<Bits<24>>,
    group_start: Reg<Bits<24>>,
    column: Reg<Bits<24>>,
    at: Reg<Bits<24>>,
    rows_left: Reg<Bits<5>>,
    next_rows: Signal<Local, Bits<24>>,
    columns: Constant<Bits<24>>,
    columns_shift: Constant<Bits<6>>,
    group_shift: Constant<Bits<6>>,
    rows_shift: Constant<Bits<6>>,
    line_shift: Constant<Bits<6>>,
    line_mask: Constant<Bits<24>>,
    _columns: usize,
    _places: usize,
}

impl Fetch {
    /// A reader for this shape.
    pub fn new(shape: &Shape) -> Self {
        let (line, columns) = (shape.ub_line, shape.columns);
        assert!(line % columns == 0 && 32 % columns == 0, "the columns of a step lie in one line of UB");
        Fetch {
            clk: Signal::default(),
            rst: Signal::default(),
            start: Signal::default(),
            address: Signal::default(),
            stride: Signal::default(),
            step: Signal::default(),
            read_valid: Signal::default(),
            read_address: Signal::default(),
            read_data: vec![Signal::default(); line],
            q2: vec![Signal::default(); columns],
            // The request leaves a register.
            step_delay: Delay::new(REQUEST_CYCLES - 1),
            place: Delay::new(READ_CYCLES - 1),
            pick: (0..columns).map(|_| Pick::new(line / columns)).collect(),
            row_start: Reg::default(),
            group_start: Reg::default(),
            column: Reg::default(),
            at: Reg::default(),
            rows_left: Reg::default(),
            next_rows: Signal::default(),
            columns: Constant::new((columns as u64).into()),
            columns_shift: Constant::new(log2(columns).into()),
            group_shift: Constant::new(log2(shape.rows).into()),
            rows_shift: Constant::new(log2(shape.m0).into()),
            line_shift: Constant::new(log2(line).into()),
            line_mask: Constant::new((line as u64 - 1).into()),
            _columns: columns,
            _places: line / columns,
        }
    }
}

impl Logic for Fetch {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("fix_fetch_{q2[]}x{read_data[]}: reads the second tensor from UB, row by row of each step.");
        dff_setup!(self, clk, row_start, group_start, column, at, rows_left);
        self.step_delay.clk.next = self.clk.val();
        self.step_delay.clear.next = self.rst.val();
        self.step_delay.now.next = self.step.val();
        self.next_rows.next = self.row_start.q.val() + (self.stride.val() << self.rows_shift.val());
        // Row by row.
        self.at.d.next = self.at.q.val() + self.stride.val();
        if self.rows_left.q.val() != 0 {
            self.rows_left.d.next = self.rows_left.q.val() - 1;
        }
        // Step by step.
        if self.step_delay.later.val().get_bit(0) {
            self.at.d.next = self.group_start.q.val() + self.column.q.val();
            self.rows_left.d.next = self.step_delay.later.val().get_bits::<5>(3);
            self.group_start.d.next = self.group_start.q.val() + (self.stride.val() << self.group_shift.val());
            if self.step_delay.later.val().get_bit(1) {
                self.group_start.d.next = self.row_start.q.val();
                self.column.d.next = self.column.q.val() + self.columns.val();
            }
            if self.step_delay.later.val().get_bit(2) {
                self.row_start.d.next = self.next_rows.val();
                self.group_start.d.next = self.next_rows.val();
                self.column.d.next = 0.into();
            }
        }
        if self.start.val() {
            self.row_start.d.next = self.address.val();
            self.group_start.d.next = self.address.val();
            self.column.d.next = 0.into();
        }
        self.read_valid.next = self.rows_left.q.val() != 0;
        self.read_address.next = (self.at.q.val() >> self.line_shift.val()) << self.line_shift.val();
        // Out of the line.
        self.place.clk.next = self.clk.val();
        self.place.clear.next = false;
        self.place.now.next = bit_cast::<8, 24>((self.at.q.val() & self.line_mask.val()) >> self.columns_shift.val());
        for n in self._columns..(self._columns + 1) {
            for c in 0..self._columns {
                self.pick[c].clk.next = self.clk.val();
                self.pick[c].select.next = self.place.later.val();
                for p in 0..self._places {
                    self.pick[c].choice[p].next = self.read_data[p * n + c].val();
                }
                self.q2[c].next = self.pick[c].chosen.val();
            }
        }
        if self.rst.val() {
            self.rows_left.d.next = 0.into();
        }
    }
}
