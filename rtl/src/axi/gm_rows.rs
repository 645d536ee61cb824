// SPDX-License-Identifier: Apache-2.0
//! Walks the rows of an instruction in global memory: base + offset + p3 * stride3 + p2 * stride2 + r * stride, r innermost.
//!
//! ```text
//!  start_* ──►┌─────────┐──► row_*         one row per cycle; the first 2 cycles after the start
//!             │ gm_rows │──► fault         a row that would leave 40 bits
//!             └─────────┘
//! ```
//! Rows of a matrix that touch (stride = length) and are whole bus words become one long row, so that bursts do not end at them. That
//! takes the product rows * length, made two bits of `rows` per cycle, because a DMA engine is not worth two multiplier blocks; a
//! product that does not fit 24 bits leaves the rows apart.

use crate::nest::Nest;
use crate::prim::prelude::*;

#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
enum State {
    Idle,
    Sum,
    Multiply,
    Run,
    Fault,
}

/// Row walker.
#[derive(LogicBlock)]
pub struct GmRows {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Drops what is inside.
    pub rst: Signal<In, Bit>,
    /// An instruction is offered.
    pub start_valid: Signal<In, Bit>,
    /// It is taken.
    pub start_ready: Signal<Out, Bit>,
    /// Its base register.
    pub start_base: Signal<In, Bits<40>>,
    /// Its offset.
    pub start_offset: Signal<In, Bits<40>>,
    /// Its rows, at least 1.
    pub start_rows: Signal<In, Bits<16>>,
    /// Bytes of a row, at least 1.
    pub start_length: Signal<In, Bits<24>>,
    /// Bytes between rows.
    pub start_stride: Signal<In, Bits<32>>,
    /// Its matrices of rows per step of dimension 3, at least 1.
    pub start_count2: Signal<In, Bits<16>>,
    /// Its steps of dimension 3, at least 1.
    pub start_count3: Signal<In, Bits<16>>,
    /// Bytes between matrices.
    pub start_stride2: Signal<In, Bits<32>>,
    /// Bytes between steps of dimension 3.
    pub start_stride3: Signal<In, Bits<32>>,
    /// Goes along with its rows.
    pub start_tag: Signal<In, Bits<3>>,
    /// A row is offered.
    pub row_valid: Signal<Out, Bit>,
    /// It is taken.
    pub row_ready: Signal<In, Bit>,
    /// Its first byte.
    pub row_address: Signal<Out, Bits<40>>,
    /// Its bytes.
    pub row_length: Signal<Out, Bits<24>>,
    /// Last row of the instruction.
    pub row_last: Signal<Out, Bit>,
    /// Tag of the instruction.
    pub row_tag: Signal<Out, Bits<3>>,
    /// A row leaves the 40-bit address space; level until reset.
    pub fault: Signal<Out, Bit>,
    /// Low 40 bits of that row's first address.
    pub fault_address: Signal<Out, Bits<40>>,
    state: Reg<State>,
    nest: Nest<41, 32>,
    base: Reg<Bits<40>>,
    offset: Reg<Bits<40>>,
    rows: Reg<Bits<16>>,
    length: Reg<Bits<24>>,
    stride: Reg<Bits<32>>,
    count2: Reg<Bits<16>>,
    count3: Reg<Bits<16>>,
    stride2: Reg<Bits<32>>,
    stride3: Reg<Bits<32>>,
    tag: Reg<Bits<3>>,
    product: Reg<Bits<40>>,
    addend: Reg<Bits<40>>,
    factor: Reg<Bits<16>>,
    top: Signal<Local, Bits<41>>,
    allowed: Signal<Local, Bit>,
    once: Signal<Local, Bits<40>>,
    twice: Signal<Local, Bits<40>>,
    total: Signal<Local, Bits<40>>,
    word_mask: Constant<Bits<24>>,
    limit: Constant<Bits<41>>,
}

impl GmRows {
    /// A walker for a bus of `bytes` bytes.
    pub fn new(bytes: usize) -> Self {
        GmRows {
            clk: Signal::default(),
            rst: Signal::default(),
            start_valid: Signal::default(),
            start_ready: Signal::default(),
            start_base: Signal::default(),
            start_offset: Signal::default(),
            start_rows: Signal::default(),
            start_length: Signal::default(),
            start_stride: Signal::default(),
            start_count2: Signal::default(),
            start_count3: Signal::default(),
            start_stride2: Signal::default(),
            start_stride3: Signal::default(),
            start_tag: Signal::default(),
            row_valid: Signal::default(),
            row_ready: Signal::default(),
            row_address: Signal::default(),
            row_length: Signal::default(),
            row_last: Signal::default(),
            row_tag: Signal::default(),
            fault: Signal::default(),
            fault_address: Signal::default(),
            state: Reg::default(),
            nest: Nest::default(),
            base: Reg::default(),
            offset: Reg::default(),
            rows: Reg::default(),
            length: Reg::default(),
            stride: Reg::default(),
            count2: Reg::default(),
            count3: Reg::default(),
            stride2: Reg::default(),
            stride3: Reg::default(),
            tag: Reg::default(),
            product: Reg::default(),
            addend: Reg::default(),
            factor: Reg::default(),
            top: Signal::default(),
            allowed: Signal::default(),
            once: Signal::default(),
            twice: Signal::default(),
            total: Signal::default(),
            word_mask: Constant::new((bytes as u64 - 1).into()),
            limit: Constant::new((1u64 << 40).into()),
        }
    }
}

impl Logic for GmRows {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("gm_rows: walks the rows of an instruction in global memory; rows that touch become one.");
        dff_setup!(self, clk, state, base, offset, rows, length, stride, tag, product, addend, factor);
        dff_setup!(self, clk, count2, count3, stride2, stride3);
        self.nest.clk.next = self.clk.val();
        self.nest.load.next = self.state.q.val() == State::Sum;
        self.nest.first.next = bit_cast::<41, 40>(self.base.q.val()) + bit_cast::<41, 40>(self.offset.q.val());
        self.nest.rows.next = self.rows.q.val();
        self.nest.stride.next = self.stride.q.val();
        self.nest.count2.next = self.count2.q.val();
        self.nest.stride2.next = self.stride2.q.val();
        self.nest.count3.next = self.count3.q.val();
        self.nest.stride3.next = self.stride3.q.val();
        self.top.next = self.nest.row.val() + bit_cast::<41, 24>(self.length.q.val());
        self.allowed.next = !self.nest.row.val().get_bit(40) & (self.top.val() <= self.limit.val());
        self.nest.next_row.next = (self.state.q.val() == State::Run) & self.allowed.val() & self.row_ready.val();
        self.once.next = 0.into();
        if self.factor.q.val().get_bit(0) {
            self.once.next = self.addend.q.val();
        }
        self.twice.next = 0.into();
        if self.factor.q.val().get_bit(1) {
            self.twice.next = self.addend.q.val() << 1;
        }
        self.total.next = self.product.q.val() + self.once.val() + self.twice.val();
        self.start_ready.next = self.state.q.val() == State::Idle;
        self.row_valid.next = (self.state.q.val() == State::Run) & self.allowed.val();
        self.row_address.next = self.nest.row.val().get_bits::<40>(0);
        self.row_length.next = self.length.q.val();
        self.row_last.next = self.nest.last.val();
        self.row_tag.next = self.tag.q.val();
        self.fault.next = self.state.q.val() == State::Fault;
        self.fault_address.next = self.nest.row.val().get_bits::<40>(0);
        match self.state.q.val() {
            State::Idle => {
                self.base.d.next = self.start_base.val();
                self.offset.d.next = self.start_offset.val();
                self.rows.d.next = self.start_rows.val();
                self.length.d.next = self.start_length.val();
                self.stride.d.next = self.start_stride.val();
                self.count2.d.next = self.start_count2.val();
                self.count3.d.next = self.start_count3.val();
                self.stride2.d.next = self.start_stride2.val();
                self.stride3.d.next = self.start_stride3.val();
                self.tag.d.next = self.start_tag.val();
                if self.start_valid.val() {
                    self.state.d.next = State::Sum;
                }
            }
            State::Sum => {
                self.product.d.next = 0.into();
                self.addend.d.next = bit_cast::<40, 24>(self.length.q.val());
                self.factor.d.next = self.rows.q.val();
                self.state.d.next = State::Run;
                if (self.rows.q.val() != 1)
                    & (self.stride.q.val() == bit_cast::<32, 24>(self.length.q.val()))
                    & ((self.length.q.val() & self.word_mask.val()) == 0)
                {
                    self.state.d.next = State::Multiply;
                }
            }
            State::Multiply => {
                self.product.d.next = self.total.val();
                self.addend.d.next = self.addend.q.val() << 2;
                self.factor.d.next = self.factor.q.val() >> 2;
                if (self.factor.q.val() >> 2) == 0 {
                    self.state.d.next = State::Run;
                    if (self.total.val() >> 24) == 0 {
                        self.rows.d.next = 1.into();
                        self.length.d.next = self.total.val().get_bits::<24>(0);
                    }
                }
            }
            State::Run => {
                if !self.allowed.val() {
                    self.state.d.next = State::Fault;
                } else if self.row_ready.val() & self.nest.last.val() {
                    self.state.d.next = State::Idle;
                }
            }
            State::Fault => {}
        }
        if self.rst.val() {
            self.state.d.next = State::Idle;
        }
    }
}
