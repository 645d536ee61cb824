// SPDX-License-Identifier: Apache-2.0
//! The second tensor of FIX: joins the requantised numbers of a step with numbers from UB, one row per cycle.
//!
//! ```text
//!  set_*, taken ──►┌───────────┐ factors ┌──────┐ tables
//!                  │ registers │────────►│ fill │───────┐
//!                  └───────────┘         └──────┘       ▼
//!  narrow[R*C] ──► rows of the step ─── q1[C] ────►┌──────────┐
//!  step ─────────►┌───────┐                        │ combine  │──► rows of the step ──► combined[R*C], tag_out
//!  UB ◄──────────►│ fetch │─────────── q2[C] ─────►│  (C of)  │
//!                 └───────┘                        └──────────┘
//! ```
//! With a second tensor a step goes every R cycles (`hold` in between), since its R rows pass the C units one after the other; its
//! results come [`COMBINE_CYCLES`] + R cycles later than without. UB is asked for every row at a fixed time after its step, so nothing
//! behind ever waits. So that the other reader of UB gets its turn, the cycle in which a step could go passes unused when that reader
//! waits, once per step: it waits at most R + [`REQUEST_CYCLES`] cycles. An instruction with a second tensor starts when
//! all earlier ones that write UB are done. Page: `docs/units/fix.md`. Tests: `tests/units/fix/second.rs`.

mod combine;
mod fetch;
mod fill;
mod registers;

pub use combine::{COMBINE_CYCLES, Combine, FRACTION_BITS};
pub use fetch::{Fetch, REQUEST_CYCLES};
pub use fill::Fill;
pub use registers::Registers;

use super::delay::Delay;
use super::shape::Shape;
use crate::prim::prelude::*;

/// Everything of FIX that only a second tensor needs.
#[derive(LogicBlock)]
pub struct Second {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets everything; state registers get their reset values.
    pub rst: Signal<In, Bit>,
    /// A state register is written.
    pub set_valid: Signal<In, Bit>,
    /// Its number.
    pub set_register: Signal<In, Bits<8>>,
    /// Its value.
    pub set_value: Signal<In, Bits<32>>,
    /// An instruction is taken.
    pub taken: Signal<In, Bit>,
    /// Its w2.
    pub word_2: Signal<In, Bits<32>>,
    /// Its w5.
    pub word_5: Signal<In, Bits<32>>,
    /// 0 no second tensor, 1 sum, 2 maximum.
    pub mode: Signal<Out, Bits<2>>,
    /// Zero point of a sum.
    pub sum_zero_point: Signal<Out, Int<32>>,
    /// Instructions inside, that one left out.
    pub older: Signal<In, Bits<4>>,
    /// The oldest of them is done.
    pub done: Signal<In, Bit>,
    /// The instruction must not start yet.
    pub busy: Signal<Out, Bit>,
    /// It never may, until `rst`.
    pub refused: Signal<Out, Bit>,
    /// Why.
    pub cause: Signal<Out, Bits<8>>,
    /// With which address.
    pub fault_address: Signal<Out, Bits<40>>,
    /// Its steps begin.
    pub start: Signal<In, Bit>,
    /// As `Steps::walk`, when a step goes.
    pub step: Signal<In, Bits<8>>,
    /// No step may go.
    pub hold: Signal<Out, Bit>,
    /// Lowest result.
    pub low: Signal<In, Int<12>>,
    /// Highest result.
    pub high: Signal<In, Int<12>>,
    /// Stored instead of a result below `low`.
    pub low_byte: Signal<In, Bits<8>>,
    /// Stored instead of a result above `high`.
    pub high_byte: Signal<In, Bits<8>>,
    /// As `Steps::tag`, in the cycle of `narrow`.
    pub tag: Signal<In, Bits<18>>,
    /// Requantised numbers of a step, row r and column c at `r * C + c`.
    pub narrow: Vec<Signal<In, Bits<8>>>,
    /// The tag, in the cycle of `combined`; 0 without second tensor.
    pub tag_out: Signal<Out, Bits<18>>,
    /// The step's results.
    pub combined: Vec<Signal<Out, Bits<8>>>,
    /// A line of UB is asked for: taken at once.
    pub ub_read_valid: Signal<Out, Bit>,
    /// Its first byte.
    pub ub_read_address: Signal<Out, Bits<24>>,
    /// The line, 3 cycles later.
    pub ub_read_data: Vec<Signal<In, Bits<8>>>,
    /// The other reader of UB waits in this cycle.
    pub ub_waits: Signal<In, Bit>,
    registers: Registers,
    fill: Fill,
    fetch: Fetch,
    unit: Vec<Combine>,
    /// The rows of a step that have not passed the units; row 0 is next.
    ahead: Vec<Reg<Bits<8>>>,
    /// Those that have, but for the last one.
    behind: Vec<Reg<Bits<8>>>,
    after: Vec<Signal<Local, Bits<8>>>,
    tag_delay: Delay<18>,
    /// Instructions inside up to the last one that writes UB, and up to the last such one before the present one.
    writers: Reg<Bits<4>>,
    older_writers: Reg<Bits<4>>,
    pace: Reg<Bits<5>>,
    waits: Reg<Bit>,
    rested: Reg<Bit>,
    active: Signal<Local, Bit>,
    writers_now: Signal<Local, Bits<4>>,
    older_now: Signal<Local, Bits<4>>,
    between: Constant<Bits<5>>,
    _columns: usize,
    _lanes: usize,
    _line: usize,
    _others: usize,
}

impl Second {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        let others = (shape.rows - 1) * shape.columns;
        Second {
            clk: Signal::default(),
            rst: Signal::default(),
            set_valid: Signal::default(),
            set_register: Signal::default(),
            set_value: Signal::default(),
            taken: Signal::default(),
            word_2: Signal::default(),
            word_5: Signal::default(),
            mode: Signal::default(),
            sum_zero_point: Signal::default(),
            older: Signal::default(),
            done: Signal::default(),
            busy: Signal::default(),
            refused: Signal::default(),
            cause: Signal::default(),
            fault_address: Signal::default(),
            start: Signal::default(),
            step: Signal::default(),
            hold: Signal::default(),
            low: Signal::default(),
            high: Signal::default(),
            low_byte: Signal::default(),
            high_byte: Signal::default(),
            tag: Signal::default(),
            narrow: vec![Signal::default(); shape.lanes()],
            tag_out: Signal::default(),
            combined: vec![Signal::default(); shape.lanes()],
            ub_read_valid: Signal::default(),
            ub_read_address: Signal::default(),
            ub_read_data: vec![Signal::default(); shape.ub_line],
            ub_waits: Signal::default(),
            registers: Registers::new(shape),
            fill: Fill::default(),
            fetch: Fetch::new(shape),
            unit: (0..shape.columns).map(|_| Combine::default()).collect(),
            ahead: vec![Reg::default(); shape.lanes()],
            behind: vec![Reg::default(); others],
            after: vec![Signal::default(); shape.lanes()],
            tag_delay: Delay::new(COMBINE_CYCLES + shape.rows),
            writers: Reg::default(),
            older_writers: Reg::default(),
            pace: Reg::default(),
            waits: Reg::default(),
            rested: Reg::default(),
            active: Signal::default(),
            writers_now: Signal::default(),
            older_now: Signal::default(),
            between: Constant::new((shape.rows as u64 - 1).into()),
            _columns: shape.columns,
            _lanes: shape.lanes(),
            _line: shape.ub_line,
            _others: others,
        }
    }
}

impl Logic for Second {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "fix_second_{narrow[]}x{unit[]}x{ub_read_data[]}: joins requantised numbers with those of a second tensor."
        );
        dff_setup!(self, clk, writers, older_writers, pace, waits, rested);
        self.registers.clk.next = self.clk.val();
        self.registers.rst.next = self.rst.val();
        self.fill.clk.next = self.clk.val();
        self.fill.rst.next = self.rst.val();
        self.fetch.clk.next = self.clk.val();
        self.fetch.rst.next = self.rst.val();
        self.tag_delay.clk.next = self.clk.val();
        self.tag_delay.clear.next = self.rst.val();
        // Registers, and tables.
        self.registers.set_valid.next = self.set_valid.val();
        self.registers.set_register.next = self.set_register.val();
        self.registers.set_value.next = self.set_value.val();
        self.registers.taken.next = self.taken.val();
        self.registers.word_2.next = self.word_2.val();
        self.registers.word_5.next = self.word_5.val();
        self.mode.next = self.registers.mode.val();
        self.active.next = self.registers.mode.val() != 0;
        self.sum_zero_point.next = self.registers.sum_zero_point.val();
        // A second tensor may be what earlier instructions write to UB: they come first.
        self.writers_now.next = self.writers.q.val();
        self.older_now.next = self.older.val();
        if self.done.val() {
            self.older_now.next = self.older.val() - 1;
            if self.writers.q.val() != 0 {
                self.writers_now.next = self.writers.q.val() - 1;
            }
            if self.older_writers.q.val() != 0 {
                self.older_writers.d.next = self.older_writers.q.val() - 1;
            }
        }
        self.writers.d.next = self.writers_now.val();
        if self.taken.val() {
            self.older_writers.d.next = self.writers_now.val();
            if self.word_2.val().get_bit(6) {
                self.writers.d.next = self.older_now.val() + 1;
            }
        }
        self.busy.next = self.registers.busy.val() | (self.active.val() & (self.older_writers.q.val() != 0));
        self.refused.next = self.registers.refused.val();
        self.cause.next = self.registers.cause.val();
        self.fault_address.next = self.registers.fault_address.val();
        self.registers.fill_busy.next = self.fill.busy.val();
        self.fill.start.next = self.registers.fill_start.val();
        self.fill.is_unsigned.next = self.registers.is_unsigned.val();
        self.fill.ratio.next = self.registers.ratio.val();
        self.fill.second_ratio.next = self.registers.second_ratio.val();
        self.fill.offset.next = self.registers.offset.val();
        // Steps: the R rows of one before the next, and a rest where the other reader waits.
        self.waits.d.next = self.ub_waits.val();
        self.hold.next = self.active.val() & ((self.pace.q.val() != 0) | (self.waits.q.val() & !self.rested.q.val()));
        if self.pace.q.val() == 0 {
            self.rested.d.next = !self.step.val().get_bit(0);
        } else {
            self.pace.d.next = self.pace.q.val() - 1;
        }
        if self.active.val() & self.step.val().get_bit(0) {
            self.pace.d.next = self.between.val();
        }
        self.fetch.start.next = self.start.val() & self.active.val();
        self.fetch.address.next = self.registers.address.val();
        self.fetch.stride.next = self.registers.stride.val();
        self.fetch.step.next = 0.into();
        if self.active.val() {
            self.fetch.step.next = self.step.val();
        }
        self.ub_read_valid.next = self.fetch.read_valid.val();
        self.ub_read_address.next = self.fetch.read_address.val();
        for i in 0..self._line {
            self.fetch.read_data[i].next = self.ub_read_data[i].val();
        }
        // The rows of a step pass the units one after the other.
        for others in self._others..(self._others + 1) {
            for c in 0..self._columns {
                self.unit[c].clk.next = self.clk.val();
                self.unit[c].q1.next = self.ahead[c].q.val();
                self.unit[c].q2.next = self.fetch.q2[c].val();
                self.after[others + c].next = self.unit[c].combined.val();
                self.unit[c].is_unsigned.next = self.registers.is_unsigned.val();
                self.unit[c].is_max.next = self.registers.mode.val() == 2;
                self.unit[c].low.next = self.low.val();
                self.unit[c].high.next = self.high.val();
                self.unit[c].low_byte.next = self.low_byte.val();
                self.unit[c].high_byte.next = self.high_byte.val();
                self.unit[c].fill_first.next = self.fill.first_valid.val();
                self.unit[c].fill_first_at.next = self.fill.first_at.val();
                self.unit[c].fill_first_value.next = self.fill.first_value.val();
                self.unit[c].fill_second.next = self.fill.second_valid.val();
                self.unit[c].fill_second_at.next = self.fill.second_at.val();
                self.unit[c].fill_second_value.next = self.fill.second_value.val();
            }
        }
        for i in 0..self._others {
            self.after[i].next = self.behind[i].q.val();
        }
        // Ahead of the units they move up, behind them they gather.
        for l in self._lanes..(self._lanes + 1) {
            for n in self._columns..(self._columns + 1) {
                for k in 0..self._lanes {
                    self.ahead[k].clock.next = self.clk.val();
                    self.ahead[k].d.next = self.ahead[(k + n) % l].q.val();
                    if self.tag.val().get_bit(0) {
                        self.ahead[k].d.next = self.narrow[k].val();
                    }
                    self.combined[k].next = self.after[k].val();
                }
                for k in 0..self._others {
                    self.behind[k].clock.next = self.clk.val();
                    self.behind[k].d.next = self.after[k + n].val();
                }
            }
        }
        self.tag_delay.now.next = 0.into();
        if self.active.val() {
            self.tag_delay.now.next = self.tag.val();
        }
        self.tag_out.next = self.tag_delay.later.val();
        if self.rst.val() {
            self.writers.d.next = 0.into();
            self.older_writers.d.next = 0.into();
            self.pace.d.next = 0.into();
            self.rested.d.next = false;
        }
    }
}
