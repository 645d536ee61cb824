// SPDX-License-Identifier: Apache-2.0
//! State registers of the second tensor, and what an instruction does with them before it starts: checks, and tables anew where
//! a factor was set since they were written.
//!
//! ```text
//!  set_* ───────────────►┌───────────┐──► mode, address, stride, sum_zero_point (hold until the next is taken)
//!  taken, word_2, word_5►│ registers │──► busy, refused, cause, fault_address
//!                        └───────────┘──► fill_start, ratio, second_ratio, offset ──► fill ──► fill_busy
//! ```
//! Cycles from taking to not `busy`: 3 and one per bit of m - 1 (first byte of the last row, by addition); with new tables 1 to 30 for
//! the factors' fixed-point numbers and 265 for the tables more. Without second tensor it is never busy.

use super::super::shape::Shape;
use crate::prim::prelude::*;

/// Progress of an instruction.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum SecondPhase {
    /// None, or all is ready.
    Idle,
    /// Where is the last row?
    Extent,
    /// Factors to 35 fraction bits.
    Align,
    /// Is all of it legal?
    Check,
    /// Tables.
    Fill,
    /// It is not.
    Refused,
}

/// State registers and checks of the second tensor.
#[derive(LogicBlock)]
pub struct Registers {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Back to reset values.
    pub rst: Signal<In, Bit>,
    /// A state register is written.
    pub set_valid: Signal<In, Bit>,
    /// Its number.
    pub set_register: Signal<In, Bits<8>>,
    /// Its value.
    pub set_value: Signal<In, Bits<32>>,
    /// An instruction is taken; only when not `busy`.
    pub taken: Signal<In, Bit>,
    /// Its w2.
    pub word_2: Signal<In, Bits<32>>,
    /// Its w5.
    pub word_5: Signal<In, Bits<32>>,
    /// 0 no second tensor, 1 sum, 2 maximum.
    pub mode: Signal<Out, Bits<2>>,
    /// Results are u8.
    pub is_unsigned: Signal<Out, Bit>,
    /// First byte.
    pub address: Signal<Out, Bits<24>>,
    /// Bytes from row to row.
    pub stride: Signal<Out, Bits<24>>,
    /// Zero point of a sum.
    pub sum_zero_point: Signal<Out, Int<32>>,
    /// The instruction must not start yet.
    pub busy: Signal<Out, Bit>,
    /// It never may, until `rst`.
    pub refused: Signal<Out, Bit>,
    /// Why (`isa::Cause`).
    pub cause: Signal<Out, Bits<8>>,
    /// First byte of the last row outside UB, else 0.
    pub fault_address: Signal<Out, Bits<40>>,
    /// Write the tables.
    pub fill_start: Signal<Out, Bit>,
    /// Factor of q1, 35 fraction bits.
    pub ratio: Signal<Out, Bits<56>>,
    /// Factor of q2.
    pub second_ratio: Signal<Out, Bits<56>>,
    /// Constant, two's complement.
    pub offset: Signal<Out, Bits<56>>,
    /// Tables are being written.
    pub fill_busy: Signal<In, Bit>,
    address_state: Reg<Bits<24>>,
    stride_state: Reg<Bits<24>>,
    ratio_state: Reg<Bits<32>>,
    second_state: Reg<Bits<32>>,
    offset_state: Reg<Bits<32>>,
    zero_state: Reg<Bits<32>>,
    /// Set: address, stride, ratio, second_ratio, offset.
    known: Vec<Reg<Bit>>,
    /// A factor was set since the tables were written.
    dirty: Reg<Bit>,
    tables_unsigned: Reg<Bit>,
    phase: Reg<SecondPhase>,
    mode_r: Reg<Bits<2>>,
    unsigned_r: Reg<Bit>,
    relu: Reg<Bit>,
    complete: Reg<Bit>,
    address_r: Reg<Bits<24>>,
    stride_r: Reg<Bits<24>>,
    zero_r: Reg<Bits<32>>,
    columns: Reg<Bits<16>>,
    rows_left: Reg<Bits<16>>,
    step: Reg<Bits<40>>,
    last_row: Reg<Bits<41>>,
    renew: Reg<Bit>,
    factors_bad: Reg<Bit>,
    ratio_r: Reg<Bits<56>>,
    ratio_shift: Reg<Bits<5>>,
    second_r: Reg<Bits<56>>,
    second_shift: Reg<Bits<5>>,
    offset_r: Reg<Bits<56>>,
    offset_shift: Reg<Bits<5>>,
    offset_right: Reg<Bit>,
    offset_negative: Reg<Bit>,
    lost: Reg<Bit>,
    cause_r: Reg<Bits<8>>,
    fault_r: Reg<Bits<40>>,
    is_add: Signal<Local, Bit>,
    all_known: Signal<Local, Bit>,
    ratio_exponent: Signal<Local, Bits<8>>,
    second_exponent: Signal<Local, Bits<8>>,
    offset_exponent: Signal<Local, Bits<8>>,
    ratio_legal: Signal<Local, Bit>,
    second_legal: Signal<Local, Bit>,
    offset_zero: Signal<Local, Bit>,
    offset_legal: Signal<Local, Bit>,
    ratio_up: Signal<Local, Bits<8>>,
    second_up: Signal<Local, Bits<8>>,
    offset_up: Signal<Local, Bits<8>>,
    offset_down: Signal<Local, Bits<8>>,
    aligned: Signal<Local, Bit>,
    offset_inverse: Signal<Local, Bits<56>>,
    zero_point: Signal<Local, Int<32>>,
    lowest: Signal<Local, Int<32>>,
    highest: Signal<Local, Int<32>>,
    zero_bad: Signal<Local, Bit>,
    beyond: Signal<Local, Bits<42>>,
    sub_bytes: Signal<Local, Bits<10>>,
    capacity: Constant<Bits<42>>,
    /// Biased exponent of 2^-12, the least ratio: there a significand's last bit is 2^-35.
    least: Constant<Bits<8>>,
    /// Of the highest ratio, below 2^8.
    most: Constant<Bits<8>>,
    /// Of 2^-35, the least offset.
    least_offset: Constant<Bits<8>>,
    /// Of the highest offset, below 2^18.
    most_offset: Constant<Bits<8>>,
}

impl Registers {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        Registers {
            clk: Signal::default(),
            rst: Signal::default(),
            set_valid: Signal::default(),
            set_register: Signal::default(),
            set_value: Signal::default(),
            taken: Signal::default(),
            word_2: Signal::default(),
            word_5: Signal::default(),
            mode: Signal::default(),
            is_unsigned: Signal::default(),
            address: Signal::default(),
            stride: Signal::default(),
            sum_zero_point: Signal::default(),
            busy: Signal::default(),
            refused: Signal::default(),
            cause: Signal::default(),
            fault_address: Signal::default(),
            fill_start: Signal::default(),
            ratio: Signal::default(),
            second_ratio: Signal::default(),
            offset: Signal::default(),
            fill_busy: Signal::default(),
            address_state: Reg::default(),
            stride_state: Reg::default(),
            ratio_state: Reg::default(),
            second_state: Reg::default(),
            offset_state: Reg::default(),
            zero_state: Reg::default(),
            known: vec![Reg::default(); 5],
            dirty: Reg::default(),
            tables_unsigned: Reg::default(),
            phase: Reg::default(),
            mode_r: Reg::default(),
            unsigned_r: Reg::default(),
            relu: Reg::default(),
            complete: Reg::default(),
            address_r: Reg::default(),
            stride_r: Reg::default(),
            zero_r: Reg::default(),
            columns: Reg::default(),
            rows_left: Reg::default(),
            step: Reg::default(),
            last_row: Reg::default(),
            renew: Reg::default(),
            factors_bad: Reg::default(),
            ratio_r: Reg::default(),
            ratio_shift: Reg::default(),
            second_r: Reg::default(),
            second_shift: Reg::default(),
            offset_r: Reg::default(),
            offset_shift: Reg::default(),
            offset_right: Reg::default(),
            offset_negative: Reg::default(),
            lost: Reg::default(),
            cause_r: Reg::default(),
            fault_r: Reg::default(),
            is_add: Signal::default(),
            all_known: Signal::default(),
            ratio_exponent: Signal::default(),
            second_exponent: Signal::default(),
            offset_exponent: Signal::default(),
            ratio_legal: Signal::default(),
            second_legal: Signal::default(),
            offset_zero: Signal::default(),
            offset_legal: Signal::default(),
            ratio_up: Signal::default(),
            second_up: Signal::default(),
            offset_up: Signal::default(),
            offset_down: Signal::default(),
            aligned: Signal::default(),
            offset_inverse: Signal::default(),
            zero_point: Signal::default(),
            lowest: Signal::default(),
            highest: Signal::default(),
            zero_bad: Signal::default(),
            beyond: Signal::default(),
            sub_bytes: Signal::default(),
            capacity: Constant::new((shape.ub_bytes as u64).into()),
            least: Constant::new((127 - 12_u64).into()),
            most: Constant::new((127 + 7_u64).into()),
            least_offset: Constant::new((127 - 35_u64).into()),
            most_offset: Constant::new((127 + 17_u64).into()),
        }
    }
}

impl Logic for Registers {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("fix_registers: state registers of the second tensor, their checks, and when to write the tables.");
        dff_setup!(self, clk, address_state, stride_state, ratio_state, second_state, offset_state, zero_state, dirty);
        dff_setup!(self, clk, tables_unsigned, phase, mode_r, unsigned_r, relu, complete, address_r, stride_r, zero_r);
        dff_setup!(self, clk, columns, rows_left, step, last_row, renew, factors_bad, ratio_r, ratio_shift, second_r);
        dff_setup!(self, clk, second_shift, offset_r, offset_shift, offset_right, offset_negative, lost);
        dff_setup!(self, clk, cause_r, fault_r);
        for i in 0..5 {
            self.known[i].clock.next = self.clk.val();
            self.known[i].d.next = self.known[i].q.val();
        }
        // What the registers hold now.
        self.ratio_exponent.next = self.ratio_state.q.val().get_bits::<8>(23);
        self.second_exponent.next = self.second_state.q.val().get_bits::<8>(23);
        self.offset_exponent.next = self.offset_state.q.val().get_bits::<8>(23);
        self.ratio_legal.next = !self.ratio_state.q.val().get_bit(31)
            & (self.ratio_exponent.val() >= self.least.val())
            & (self.ratio_exponent.val() <= self.most.val());
        self.second_legal.next = !self.second_state.q.val().get_bit(31)
            & (self.second_exponent.val() >= self.least.val())
            & (self.second_exponent.val() <= self.most.val());
        self.offset_zero.next = self.offset_state.q.val().get_bits::<31>(0) == 0;
        self.offset_legal.next = self.offset_zero.val()
            | ((self.offset_exponent.val() >= self.least_offset.val())
                & (self.offset_exponent.val() <= self.most_offset.val()));
        self.ratio_up.next = self.ratio_exponent.val() - self.least.val();
        self.second_up.next = self.second_exponent.val() - self.least.val();
        self.offset_up.next = self.offset_exponent.val() - self.least.val();
        self.offset_down.next = self.least.val() - self.offset_exponent.val();
        // The instruction.
        self.is_add.next = self.mode_r.q.val() == 1;
        self.all_known.next = self.known[0].q.val() & self.known[1].q.val();
        if self.word_2.val().get_bits::<2>(26) == 1 {
            self.all_known.next = self.known[0].q.val()
                & self.known[1].q.val()
                & self.known[2].q.val()
                & self.known[3].q.val()
                & self.known[4].q.val();
        }
        self.aligned.next =
            (self.ratio_shift.q.val() == 0) & (self.second_shift.q.val() == 0) & (self.offset_shift.q.val() == 0);
        self.zero_point.next = signed_cast_int(self.zero_r.q.val());
        self.lowest.next = (-128).into();
        self.highest.next = 127.into();
        if self.unsigned_r.q.val() {
            self.lowest.next = 0.into();
            self.highest.next = 255.into();
        }
        self.zero_bad.next = self.is_add.val()
            & self.relu.q.val()
            & ((self.zero_point.val() < self.lowest.val()) | (self.zero_point.val() > self.highest.val()));
        self.beyond.next = bit_cast::<42, 41>(self.last_row.q.val()) + bit_cast::<42, 16>(self.columns.q.val());
        self.sub_bytes.next = (bit_cast::<10, 5>(self.address_r.q.val().get_bits::<5>(0)) << 5)
            | bit_cast::<10, 5>(self.stride_r.q.val().get_bits::<5>(0));
        self.fill_start.next = false;
        match self.phase.q.val() {
            SecondPhase::Idle => {
                if self.taken.val() {
                    self.mode_r.d.next = self.word_2.val().get_bits::<2>(26);
                    self.unsigned_r.d.next = self.word_2.val().get_bits::<4>(16) == 1;
                    self.relu.d.next = self.word_2.val().get_bit(24);
                    self.complete.d.next = self.all_known.val();
                    self.address_r.d.next = self.address_state.q.val();
                    self.stride_r.d.next = self.stride_state.q.val();
                    self.zero_r.d.next = self.zero_state.q.val();
                    self.columns.d.next = self.word_5.val().get_bits::<16>(16);
                    self.rows_left.d.next = self.word_5.val().get_bits::<16>(0) - 1;
                    self.step.d.next = bit_cast::<40, 24>(self.stride_state.q.val());
                    self.last_row.d.next = bit_cast::<41, 24>(self.address_state.q.val());
                    self.renew.d.next = false;
                    self.factors_bad.d.next = false;
                    self.lost.d.next = false;
                    if self.word_2.val().get_bits::<2>(26) != 0 {
                        self.phase.d.next = SecondPhase::Extent;
                    }
                    if (self.word_2.val().get_bits::<2>(26) == 1)
                        & (self.dirty.q.val()
                            | ((self.word_2.val().get_bits::<4>(16) == 1) ^ self.tables_unsigned.q.val()))
                    {
                        self.renew.d.next = true;
                        self.dirty.d.next = false;
                        self.factors_bad.d.next =
                            !self.ratio_legal.val() | !self.second_legal.val() | !self.offset_legal.val();
                        self.ratio_r.d.next =
                            bit_cast::<56, 23>(self.ratio_state.q.val().get_bits::<23>(0)) | 0x80_0000;
                        self.second_r.d.next =
                            bit_cast::<56, 23>(self.second_state.q.val().get_bits::<23>(0)) | 0x80_0000;
                        self.offset_r.d.next =
                            bit_cast::<56, 23>(self.offset_state.q.val().get_bits::<23>(0)) | 0x80_0000;
                        self.offset_negative.d.next = self.offset_state.q.val().get_bit(31);
                        self.offset_right.d.next = self.offset_exponent.val() < self.least.val();
                        self.ratio_shift.d.next = self.ratio_up.val().get_bits::<5>(0);
                        self.second_shift.d.next = self.second_up.val().get_bits::<5>(0);
                        self.offset_shift.d.next = self.offset_up.val().get_bits::<5>(0);
                        if self.offset_exponent.val() < self.least.val() {
                            self.offset_shift.d.next = self.offset_down.val().get_bits::<5>(0);
                        }
                        if self.offset_zero.val() {
                            self.offset_r.d.next = 0.into();
                            self.offset_shift.d.next = 0.into();
                        }
                    }
                }
            }
            SecondPhase::Extent => {
                self.step.d.next = self.step.q.val() << 1;
                self.rows_left.d.next = self.rows_left.q.val() >> 1;
                if self.rows_left.q.val().get_bit(0) {
                    self.last_row.d.next = self.last_row.q.val() + bit_cast::<41, 40>(self.step.q.val());
                }
                if self.rows_left.q.val() == 0 {
                    self.phase.d.next = SecondPhase::Check;
                    if self.renew.q.val() {
                        self.phase.d.next = SecondPhase::Align;
                    }
                }
            }
            SecondPhase::Align => {
                if self.ratio_shift.q.val() != 0 {
                    self.ratio_shift.d.next = self.ratio_shift.q.val() - 1;
                    self.ratio_r.d.next = self.ratio_r.q.val() << 1;
                }
                if self.second_shift.q.val() != 0 {
                    self.second_shift.d.next = self.second_shift.q.val() - 1;
                    self.second_r.d.next = self.second_r.q.val() << 1;
                }
                if self.offset_shift.q.val() != 0 {
                    self.offset_shift.d.next = self.offset_shift.q.val() - 1;
                    if self.offset_right.q.val() {
                        self.offset_r.d.next = self.offset_r.q.val() >> 1;
                        self.lost.d.next = self.lost.q.val() | self.offset_r.q.val().get_bit(0);
                    } else {
                        self.offset_r.d.next = self.offset_r.q.val() << 1;
                    }
                }
                if self.aligned.val() {
                    self.phase.d.next = SecondPhase::Check;
                }
            }
            SecondPhase::Check => {
                self.phase.d.next = SecondPhase::Idle;
                self.fault_r.d.next = 0.into();
                // UnsetRegister 4, BadRegister 17, BadScale 14, BadZeroPoint 15, OutOfBuffer 5.
                if !self.complete.q.val() {
                    self.cause_r.d.next = 4.into();
                    self.phase.d.next = SecondPhase::Refused;
                } else if self.sub_bytes.val() != 0 {
                    self.cause_r.d.next = 17.into();
                    self.phase.d.next = SecondPhase::Refused;
                } else if self.factors_bad.q.val() | self.lost.q.val() {
                    self.cause_r.d.next = 14.into();
                    self.phase.d.next = SecondPhase::Refused;
                } else if self.zero_bad.val() {
                    self.cause_r.d.next = 15.into();
                    self.phase.d.next = SecondPhase::Refused;
                } else if self.beyond.val() > self.capacity.val() {
                    self.cause_r.d.next = 5.into();
                    self.phase.d.next = SecondPhase::Refused;
                    self.fault_r.d.next = self.capacity.val().get_bits::<40>(0);
                    if bit_cast::<42, 41>(self.last_row.q.val()) > self.capacity.val() {
                        self.fault_r.d.next = self.last_row.q.val().get_bits::<40>(0);
                    }
                } else if self.renew.q.val() {
                    self.phase.d.next = SecondPhase::Fill;
                    self.tables_unsigned.d.next = self.unsigned_r.q.val();
                    self.fill_start.next = true;
                }
            }
            SecondPhase::Fill => {
                if !self.fill_busy.val() {
                    self.phase.d.next = SecondPhase::Idle;
                }
            }
            SecondPhase::Refused => {}
        }
        if self.set_valid.val() {
            if self.set_register.val() == 5 {
                self.address_state.d.next = self.set_value.val().get_bits::<24>(0);
            }
            if self.set_register.val() == 6 {
                self.stride_state.d.next = self.set_value.val().get_bits::<24>(0);
            }
            if self.set_register.val() == 7 {
                self.ratio_state.d.next = self.set_value.val();
                self.dirty.d.next = true;
            }
            if self.set_register.val() == 8 {
                self.second_state.d.next = self.set_value.val();
                self.dirty.d.next = true;
            }
            if self.set_register.val() == 9 {
                self.offset_state.d.next = self.set_value.val();
                self.dirty.d.next = true;
            }
            if self.set_register.val() == 10 {
                self.zero_state.d.next = self.set_value.val();
            }
            for i in 0..5 {
                if self.set_register.val() == (i + 5).to_bits() {
                    self.known[i].d.next = true;
                }
            }
        }
        self.mode.next = self.mode_r.q.val();
        self.is_unsigned.next = self.unsigned_r.q.val();
        self.address.next = self.address_r.q.val();
        self.stride.next = self.stride_r.q.val();
        self.sum_zero_point.next = self.zero_point.val();
        self.busy.next = self.phase.q.val() != SecondPhase::Idle;
        self.refused.next = self.phase.q.val() == SecondPhase::Refused;
        self.cause.next = self.cause_r.q.val();
        self.fault_address.next = self.fault_r.q.val();
        self.ratio.next = self.ratio_r.q.val();
        self.second_ratio.next = self.second_r.q.val();
        self.offset_inverse.next = !self.offset_r.q.val();
        self.offset.next = self.offset_r.q.val();
        if self.offset_negative.q.val() {
            self.offset.next = self.offset_inverse.val() + 1;
        }
        if self.rst.val() {
            self.phase.d.next = SecondPhase::Idle;
            self.mode_r.d.next = 0.into();
            self.dirty.d.next = true;
            self.zero_state.d.next = 0.into();
            for i in 0..5 {
                self.known[i].d.next = false;
            }
        }
    }
}
