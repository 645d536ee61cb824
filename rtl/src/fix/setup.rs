// SPDX-License-Identifier: Apache-2.0
//! State registers of FIX and the start of an instruction: checks, address, bounds; 6 cycles from taking it to `start`, more
//! while `Second` is busy.
//!
//! ```text
//!  set_* ────────────────────────►┌───────┐
//!  op_valid, op_word, op_pc ─────►│ setup │──► taken, start, parameters (hold until the next is taken)
//!  op_ready ◄── allowed ─────────►└───────┘──► fault, fault_cause, fault_address
//! ```
//! The steps `max(floor) .. min(ceiling)` of saturation, ReLU and clamp become one pair of bounds:
//! with `floor` = zero point (ReLU) or the type's lowest, `lower = max(floor, clamp_low)`: `high = min(max(highest, lower), clamp_high)`,
//! `low = min(lower, high)`, and `min(max(x, low), high)` is what the definition gives, also for bounds outside the type and
//! for clamp_low > clamp_high.

use super::factor::Legal;
use super::shape::Shape;
use crate::prim::prelude::*;

/// Progress of an instruction.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum Phase {
    /// None, or the last one is in the pipe.
    Idle,
    /// Fields become limits.
    Decode,
    /// Checks; `lower` and the address.
    Check,
    /// `max(highest, lower)`.
    Raise,
    /// `high`.
    Cut,
    /// `low`.
    Order,
    /// Bounds near zero.
    Start,
    /// A check failed.
    Fault,
}

/// State registers and instruction start.
#[derive(LogicBlock)]
pub struct Setup {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Back to reset values.
    pub rst: Signal<In, Bit>,
    /// An instruction is offered.
    pub op_valid: Signal<In, Bit>,
    /// It is taken.
    pub op_ready: Signal<Out, Bit>,
    /// w0 to w7.
    pub op_word: Vec<Signal<In, Bits<32>>>,
    /// Program counter.
    pub op_pc: Signal<In, Bits<32>>,
    /// A state register is written.
    pub set_valid: Signal<In, Bit>,
    /// Its number.
    pub set_register: Signal<In, Bits<8>>,
    /// Its value.
    pub set_value: Signal<In, Bits<32>>,
    /// GM bases.
    pub base: Vec<Signal<In, Bits<40>>>,
    /// Second tensor of the instruction taken last: 0 none, 1 sum, 2 maximum; the ports that follow as `Second` has them.
    pub second_mode: Signal<In, Bits<2>>,
    /// Zero point of a sum.
    pub sum_zero_point: Signal<In, Int<32>>,
    /// The instruction must not start yet.
    pub second_busy: Signal<In, Bit>,
    /// It never may.
    pub second_refused: Signal<In, Bit>,
    /// Why.
    pub second_cause: Signal<In, Bits<8>>,
    /// With which address.
    pub second_address: Signal<In, Bits<40>>,
    /// The pipe can take another.
    pub allowed: Signal<In, Bit>,
    /// An instruction was taken.
    pub taken: Signal<Out, Bit>,
    /// Nothing is between taking and starting.
    pub idle: Signal<Out, Bit>,
    /// The parameters are there.
    pub start: Signal<Out, Bit>,
    /// Results have 4 bytes: int32 or fp32.
    pub is_wide: Signal<Out, Bit>,
    /// Results are fp32.
    pub is_float: Signal<Out, Bit>,
    /// Mode `tflite` or `gemmlowp`.
    pub fixed: Signal<Out, Bit>,
    /// Mode `gemmlowp`.
    pub gemmlowp: Signal<Out, Bit>,
    /// Bias from FB.
    pub bias: Signal<Out, Bit>,
    /// Scales from FB.
    pub per_channel: Signal<Out, Bit>,
    /// Scale of all channels: fp32, or the multiplier of `fixed`.
    pub scale: Signal<Out, Bits<32>>,
    /// Shift of all channels.
    pub shift: Signal<Out, Bits<8>>,
    /// Zero point, 0 for results of 4 bytes.
    pub zero_point: Signal<Out, Int<10>>,
    /// Lowest result of a lane.
    pub low: Signal<Out, Int<32>>,
    /// Highest result of a lane.
    pub high: Signal<Out, Int<32>>,
    /// `low` saturated to 12 bits.
    pub low_near: Signal<Out, Int<12>>,
    /// `high` saturated to 12 bits.
    pub high_near: Signal<Out, Int<12>>,
    /// Bounds behind a second tensor; those of the lanes are then the type's: lowest result, saturated.
    pub second_low: Signal<Out, Int<12>>,
    /// Highest result, saturated.
    pub second_high: Signal<Out, Int<12>>,
    /// Stored instead of a lower one.
    pub second_low_byte: Signal<Out, Bits<8>>,
    /// Stored instead of a higher one.
    pub second_high_byte: Signal<Out, Bits<8>>,
    /// First fractal.
    pub fractal: Signal<Out, Bits<16>>,
    /// Rows.
    pub m: Signal<Out, Bits<16>>,
    /// Columns.
    pub n: Signal<Out, Bits<16>>,
    /// FB channel of column 0.
    pub channel: Signal<Out, Bits<16>>,
    /// Destination.
    pub address: Signal<Out, Bits<43>>,
    /// Bytes between rows or panels.
    pub stride: Signal<Out, Bits<32>>,
    /// Layout nz.
    pub nz: Signal<Out, Bit>,
    /// Destination L1 or UB.
    pub to_local: Signal<Out, Bit>,
    /// Destination UB.
    pub to_ub: Signal<Out, Bit>,
    /// Program counter of the instruction taken last.
    pub pc: Signal<Out, Bits<32>>,
    /// A check failed.
    pub fault: Signal<Out, Bit>,
    /// Which.
    pub fault_cause: Signal<Out, Bits<8>>,
    /// FB channel outside, else 0.
    pub fault_address: Signal<Out, Bits<40>>,
    scale_state: Reg<Bits<32>>,
    scale_is_set: Reg<Bit>,
    shift_state: Reg<Bits<8>>,
    shift_is_set: Reg<Bit>,
    zero_state: Reg<Bits<32>>,
    low_state: Reg<Bits<32>>,
    low_is_set: Reg<Bit>,
    high_state: Reg<Bits<32>>,
    high_is_set: Reg<Bit>,
    phase: Reg<Phase>,
    w2: Reg<Bits<32>>,
    w3: Reg<Bits<32>>,
    w4: Reg<Bits<32>>,
    w5: Reg<Bits<32>>,
    w6: Reg<Bits<32>>,
    pc_r: Reg<Bits<32>>,
    scale_r: Reg<Bits<32>>,
    scale_known: Reg<Bit>,
    shift_r: Reg<Bits<8>>,
    shift_known: Reg<Bit>,
    zero_r: Reg<Int<32>>,
    bounds_known: Reg<Bit>,
    clamp_low: Reg<Int<32>>,
    clamp_high: Reg<Int<32>>,
    lowest: Reg<Int<32>>,
    highest: Reg<Int<32>>,
    floor: Reg<Int<32>>,
    lower: Reg<Int<32>>,
    raised: Reg<Int<32>>,
    high_r: Reg<Int<32>>,
    low_r: Reg<Int<32>>,
    high_near_r: Reg<Int<12>>,
    low_near_r: Reg<Int<12>>,
    base_r: Reg<Bits<40>>,
    address_r: Reg<Bits<43>>,
    start_r: Reg<Bit>,
    cause: Reg<Bits<8>>,
    beyond: Reg<Bits<40>>,
    legal: Legal,
    wide: Signal<Local, Bit>,
    float: Signal<Local, Bit>,
    by_integer: Signal<Local, Bit>,
    uses_scale: Signal<Local, Bit>,
    unsigned_8: Signal<Local, Bit>,
    clamp: Signal<Local, Bit>,
    relu: Signal<Local, Bit>,
    base_number: Signal<Local, Bits<4>>,
    type_lowest: Signal<Local, Int<32>>,
    type_highest: Signal<Local, Int<32>>,
    least: Signal<Local, Int<32>>,
    most: Signal<Local, Int<32>>,
    zero_bad: Signal<Local, Bit>,
    last_channel: Signal<Local, Bits<17>>,
    go: Signal<Local, Bit>,
    channels: Constant<Bits<17>>,
}

impl Setup {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        Setup {
            clk: Signal::default(),
            rst: Signal::default(),
            op_valid: Signal::default(),
            op_ready: Signal::default(),
            op_word: vec![Signal::default(); 8],
            op_pc: Signal::default(),
            set_valid: Signal::default(),
            set_register: Signal::default(),
            set_value: Signal::default(),
            base: vec![Signal::default(); 16],
            second_mode: Signal::default(),
            sum_zero_point: Signal::default(),
            second_busy: Signal::default(),
            second_refused: Signal::default(),
            second_cause: Signal::default(),
            second_address: Signal::default(),
            allowed: Signal::default(),
            taken: Signal::default(),
            idle: Signal::default(),
            start: Signal::default(),
            is_wide: Signal::default(),
            is_float: Signal::default(),
            fixed: Signal::default(),
            gemmlowp: Signal::default(),
            bias: Signal::default(),
            per_channel: Signal::default(),
            scale: Signal::default(),
            shift: Signal::default(),
            zero_point: Signal::default(),
            low: Signal::default(),
            high: Signal::default(),
            low_near: Signal::default(),
            high_near: Signal::default(),
            second_low: Signal::default(),
            second_high: Signal::default(),
            second_low_byte: Signal::default(),
            second_high_byte: Signal::default(),
            fractal: Signal::default(),
            m: Signal::default(),
            n: Signal::default(),
            channel: Signal::default(),
            address: Signal::default(),
            stride: Signal::default(),
            nz: Signal::default(),
            to_local: Signal::default(),
            to_ub: Signal::default(),
            pc: Signal::default(),
            fault: Signal::default(),
            fault_cause: Signal::default(),
            fault_address: Signal::default(),
            scale_state: Reg::default(),
            scale_is_set: Reg::default(),
            shift_state: Reg::default(),
            shift_is_set: Reg::default(),
            zero_state: Reg::default(),
            low_state: Reg::default(),
            low_is_set: Reg::default(),
            high_state: Reg::default(),
            high_is_set: Reg::default(),
            phase: Reg::default(),
            w2: Reg::default(),
            w3: Reg::default(),
            w4: Reg::default(),
            w5: Reg::default(),
            w6: Reg::default(),
            pc_r: Reg::default(),
            scale_r: Reg::default(),
            scale_known: Reg::default(),
            shift_r: Reg::default(),
            shift_known: Reg::default(),
            zero_r: Reg::default(),
            bounds_known: Reg::default(),
            clamp_low: Reg::default(),
            clamp_high: Reg::default(),
            lowest: Reg::default(),
            highest: Reg::default(),
            floor: Reg::default(),
            lower: Reg::default(),
            raised: Reg::default(),
            high_r: Reg::default(),
            low_r: Reg::default(),
            high_near_r: Reg::default(),
            low_near_r: Reg::default(),
            base_r: Reg::default(),
            address_r: Reg::default(),
            start_r: Reg::default(),
            cause: Reg::default(),
            beyond: Reg::default(),
            legal: Legal::default(),
            wide: Signal::default(),
            float: Signal::default(),
            by_integer: Signal::default(),
            uses_scale: Signal::default(),
            unsigned_8: Signal::default(),
            clamp: Signal::default(),
            relu: Signal::default(),
            base_number: Signal::default(),
            type_lowest: Signal::default(),
            type_highest: Signal::default(),
            least: Signal::default(),
            most: Signal::default(),
            zero_bad: Signal::default(),
            last_channel: Signal::default(),
            go: Signal::default(),
            channels: Constant::new((shape.fb_channels as u64).into()),
        }
    }
}

impl Logic for Setup {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("fix_setup: state registers of FIX; checks, address and bounds of an instruction.");
        dff_setup!(self, clk, scale_state, scale_is_set, shift_state, shift_is_set);
        dff_setup!(self, clk, zero_state, low_state, low_is_set, high_state, high_is_set);
        dff_setup!(self, clk, phase, w2, w3, w4, w5, w6, pc_r, scale_r, scale_known, zero_r, bounds_known);
        dff_setup!(self, clk, shift_r, shift_known);
        dff_setup!(self, clk, clamp_low, clamp_high, lowest, highest, floor, lower, raised, high_r, low_r);
        dff_setup!(self, clk, high_near_r, low_near_r, base_r, address_r, start_r, cause, beyond);
        if self.set_valid.val() {
            if self.set_register.val() == 0 {
                self.scale_state.d.next = self.set_value.val();
                self.scale_is_set.d.next = true;
            }
            if self.set_register.val() == 1 {
                self.shift_state.d.next = self.set_value.val().get_bits::<8>(0);
                self.shift_is_set.d.next = true;
            }
            if self.set_register.val() == 2 {
                self.zero_state.d.next = self.set_value.val();
            }
            if self.set_register.val() == 3 {
                self.low_state.d.next = self.set_value.val();
                self.low_is_set.d.next = true;
            }
            if self.set_register.val() == 4 {
                self.high_state.d.next = self.set_value.val();
                self.high_is_set.d.next = true;
            }
        }
        // Fields.
        self.base_number.next = self.w2.q.val().get_bits::<4>(0);
        self.wide.next = self.w2.q.val().get_bits::<3>(17) == 4;
        self.float.next = self.wide.val() & self.w2.q.val().get_bit(16);
        self.by_integer.next = self.w2.q.val().get_bits::<2>(22) != 0;
        self.uses_scale.next = (!self.wide.val() | self.float.val()) & !self.w2.q.val().get_bit(21);
        self.unsigned_8.next = self.w2.q.val().get_bits::<4>(16) == 1;
        self.relu.next = self.w2.q.val().get_bit(24);
        self.clamp.next = self.w2.q.val().get_bit(25);
        self.least.next = signed_cast_int(bits::<32>(1) << 31);
        self.most.next = 0x7FFF_FFFF.into();
        if self.wide.val() {
            self.type_lowest.next = self.least.val();
            self.type_highest.next = self.most.val();
        } else if self.unsigned_8.val() {
            self.type_lowest.next = 0.into();
            self.type_highest.next = 255.into();
        } else {
            self.type_lowest.next = (-128).into();
            self.type_highest.next = 127.into();
        }
        // Checks.
        self.legal.scale.next = self.scale_r.q.val();
        self.legal.shift.next = self.shift_r.q.val();
        self.legal.fixed.next = self.by_integer.val();
        self.zero_bad.next = (self.zero_r.q.val() < self.lowest.q.val()) | (self.zero_r.q.val() > self.highest.q.val());
        self.last_channel.next = bit_cast::<17, 16>(self.w6.q.val().get_bits::<16>(16))
            + bit_cast::<17, 16>(self.w5.q.val().get_bits::<16>(16));
        self.go.next = (self.phase.q.val() == Phase::Idle) & self.allowed.val() & self.op_valid.val();
        self.op_ready.next = (self.phase.q.val() == Phase::Idle) & self.allowed.val();
        self.taken.next = self.go.val();
        self.start_r.d.next = false;
        match self.phase.q.val() {
            Phase::Idle => {
                if self.go.val() {
                    self.phase.d.next = Phase::Decode;
                    self.w2.d.next = self.op_word[2].val();
                    self.w3.d.next = self.op_word[3].val();
                    self.w4.d.next = self.op_word[4].val();
                    self.w5.d.next = self.op_word[5].val();
                    self.w6.d.next = self.op_word[6].val();
                    self.pc_r.d.next = self.op_pc.val();
                    self.scale_r.d.next = self.scale_state.q.val();
                    self.scale_known.d.next = self.scale_is_set.q.val();
                    self.shift_r.d.next = self.shift_state.q.val();
                    self.shift_known.d.next = self.shift_is_set.q.val();
                    self.zero_r.d.next = signed_cast_int(self.zero_state.q.val());
                    self.clamp_low.d.next = signed_cast_int(self.low_state.q.val());
                    self.clamp_high.d.next = signed_cast_int(self.high_state.q.val());
                    self.bounds_known.d.next = self.low_is_set.q.val() & self.high_is_set.q.val();
                }
            }
            Phase::Decode => {
                self.phase.d.next = Phase::Check;
                self.lowest.d.next = self.type_lowest.val();
                self.highest.d.next = self.type_highest.val();
                self.floor.d.next = self.type_lowest.val();
                if self.wide.val() {
                    self.zero_r.d.next = 0.into();
                    if self.relu.val() {
                        self.floor.d.next = 0.into();
                    }
                } else if self.relu.val() {
                    self.floor.d.next = self.zero_r.q.val();
                    if self.second_mode.val() == 1 {
                        self.floor.d.next = self.sum_zero_point.val();
                    }
                }
                if !self.clamp.val() {
                    self.clamp_low.d.next = self.least.val();
                    self.clamp_high.d.next = self.most.val();
                }
                self.base_r.d.next = self.base[self.base_number.val().index()].val();
            }
            Phase::Check => {
                self.phase.d.next = Phase::Raise;
                self.lower.d.next = self.floor.q.val();
                if self.clamp_low.q.val() > self.floor.q.val() {
                    self.lower.d.next = self.clamp_low.q.val();
                }
                if self.w2.q.val().get_bits::<2>(5) != 0 {
                    self.address_r.d.next = bit_cast::<43, 24>(self.w3.q.val().get_bits::<24>(0));
                } else {
                    self.address_r.d.next = bit_cast::<43, 40>(self.base_r.q.val())
                        + ((bit_cast::<43, 8>(self.w2.q.val().get_bits::<8>(8)) << 32)
                            | bit_cast::<43, 32>(self.w3.q.val()));
                }
                self.beyond.d.next = 0.into();
                // Unsupported 3, UnsetRegister 4, BadScale 14, BadZeroPoint 15, OutOfBuffer 5.
                if (self.w2.q.val().get_bits::<2>(22) == 3)
                    | (!self.wide.val() & (self.w2.q.val().get_bits::<3>(17) != 0))
                {
                    self.cause.d.next = 3.into();
                    self.phase.d.next = Phase::Fault;
                } else if (self.uses_scale.val()
                    & (!self.scale_known.q.val() | (self.by_integer.val() & !self.shift_known.q.val())))
                    | (self.clamp.val() & !self.bounds_known.q.val())
                {
                    self.cause.d.next = 4.into();
                    self.phase.d.next = Phase::Fault;
                } else if self.uses_scale.val() & self.legal.bad.val() {
                    self.cause.d.next = 14.into();
                    self.phase.d.next = Phase::Fault;
                } else if !self.wide.val() & self.zero_bad.val() {
                    self.cause.d.next = 15.into();
                    self.phase.d.next = Phase::Fault;
                } else if (self.w2.q.val().get_bits::<2>(20) != 0) & (self.last_channel.val() > self.channels.val()) {
                    self.cause.d.next = 5.into();
                    self.phase.d.next = Phase::Fault;
                    self.beyond.d.next = bit_cast::<40, 17>(self.channels.val());
                    if bit_cast::<17, 16>(self.w6.q.val().get_bits::<16>(16)) > self.channels.val() {
                        self.beyond.d.next = bit_cast::<40, 16>(self.w6.q.val().get_bits::<16>(16));
                    }
                }
            }
            Phase::Raise => {
                self.phase.d.next = Phase::Cut;
                self.raised.d.next = self.highest.q.val();
                if self.lower.q.val() > self.highest.q.val() {
                    self.raised.d.next = self.lower.q.val();
                }
            }
            Phase::Cut => {
                self.phase.d.next = Phase::Order;
                self.high_r.d.next = self.raised.q.val();
                if self.clamp_high.q.val() < self.raised.q.val() {
                    self.high_r.d.next = self.clamp_high.q.val();
                }
            }
            Phase::Order => {
                self.phase.d.next = Phase::Start;
                self.low_r.d.next = self.lower.q.val();
                if self.lower.q.val() > self.high_r.q.val() {
                    self.low_r.d.next = self.high_r.q.val();
                }
            }
            Phase::Start => {
                if self.second_refused.val() {
                    self.phase.d.next = Phase::Fault;
                    self.cause.d.next = self.second_cause.val();
                    self.beyond.d.next = self.second_address.val();
                } else if !self.second_busy.val() {
                    self.phase.d.next = Phase::Idle;
                    self.start_r.d.next = true;
                }
                self.low_near_r.d.next = signed_cast_int(unsigned_cast_int(self.low_r.q.val()).get_bits::<12>(0));
                if self.low_r.q.val() < (-2048).into() {
                    self.low_near_r.d.next = (-2048).into();
                }
                if self.low_r.q.val() > 2047.into() {
                    self.low_near_r.d.next = 2047.into();
                }
                self.high_near_r.d.next = signed_cast_int(unsigned_cast_int(self.high_r.q.val()).get_bits::<12>(0));
                if self.high_r.q.val() < (-2048).into() {
                    self.high_near_r.d.next = (-2048).into();
                }
                if self.high_r.q.val() > 2047.into() {
                    self.high_near_r.d.next = 2047.into();
                }
            }
            Phase::Fault => {}
        }
        self.idle.next = (self.phase.q.val() == Phase::Idle) & !self.start_r.q.val();
        self.start.next = self.start_r.q.val();
        self.is_wide.next = self.wide.val();
        self.bias.next = self.w2.q.val().get_bit(20);
        self.per_channel.next = self.w2.q.val().get_bit(21);
        self.is_float.next = self.float.val();
        self.fixed.next = self.by_integer.val();
        self.gemmlowp.next = self.w2.q.val().get_bit(23);
        self.scale.next = self.scale_r.q.val();
        self.shift.next = self.shift_r.q.val();
        self.zero_point.next = signed_cast_int(unsigned_cast_int(self.zero_r.q.val()).get_bits::<10>(0));
        self.low.next = self.low_r.q.val();
        self.high.next = self.high_r.q.val();
        self.low_near.next = self.low_near_r.q.val();
        self.high_near.next = self.high_near_r.q.val();
        self.second_low.next = self.low_near_r.q.val();
        self.second_high.next = self.high_near_r.q.val();
        self.second_low_byte.next = unsigned_cast_int(self.low_r.q.val()).get_bits::<8>(0);
        self.second_high_byte.next = unsigned_cast_int(self.high_r.q.val()).get_bits::<8>(0);
        if self.second_mode.val() != 0 {
            self.low.next = self.lowest.q.val();
            self.high.next = self.highest.q.val();
            self.low_near.next = signed_cast_int(unsigned_cast_int(self.lowest.q.val()).get_bits::<12>(0));
            self.high_near.next = signed_cast_int(unsigned_cast_int(self.highest.q.val()).get_bits::<12>(0));
        }
        self.fractal.next = self.w6.q.val().get_bits::<16>(0);
        self.m.next = self.w5.q.val().get_bits::<16>(0);
        self.n.next = self.w5.q.val().get_bits::<16>(16);
        self.channel.next = self.w6.q.val().get_bits::<16>(16);
        self.address.next = self.address_r.q.val();
        self.stride.next = self.w4.q.val();
        self.nz.next = self.w2.q.val().get_bit(4);
        self.to_local.next = self.w2.q.val().get_bits::<2>(5) != 0;
        self.to_ub.next = self.w2.q.val().get_bit(6);
        self.pc.next = self.pc_r.q.val();
        self.fault.next = self.phase.q.val() == Phase::Fault;
        self.fault_cause.next = self.cause.q.val();
        self.fault_address.next = self.beyond.q.val();
        if self.rst.val() {
            self.phase.d.next = Phase::Idle;
            self.scale_is_set.d.next = false;
            self.shift_is_set.d.next = false;
            self.low_is_set.d.next = false;
            self.high_is_set.d.next = false;
            self.zero_state.d.next = 0.into();
            self.start_r.d.next = false;
        }
    }
}
