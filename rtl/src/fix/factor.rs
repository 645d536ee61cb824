// SPDX-License-Identifier: Apache-2.0
//! The multiplier of a column: what the scale's 32 bits and the shift mean in each mode, and whether they may be used.
//!
//! ```text
//!  scale, shift (t) ──►┌────────┐──► factor, exponent (t + 5)       onnx:             2^(biased - 158) * factor, the fp32 itself
//!  fixed, gemmlowp ───►│ factor │──► raw (t + 2), raw_late (t + 7)  tflite, gemmlowp: 2^(shift - 32) * factor, factor = 2 m
//!                      └────────┘
//! ```
//! `raw`: the product is first rounded at its point, so the accumulator must come unscaled: mode `gemmlowp` with a shift to the
//! right. In that mode a shift to the left, or none, gives the number of `tflite`. Mode bits hold while anything is inside.

use super::delay::Delay;
use crate::prim::prelude::*;

/// Cycles from `scale` to `factor` and `exponent`.
pub const FACTOR_CYCLES: usize = 5;
/// Cycles from `scale` to `raw`.
pub const RAW_CYCLES: usize = 2;
/// Cycles from `scale` to `raw_late`.
pub const RAW_LATE_CYCLES: usize = 7;

/// May scale and shift be used?
#[derive(Default, LogicBlock)]
pub struct Legal {
    /// fp32, or an integer.
    pub scale: Signal<In, Bits<32>>,
    /// Exponent of two, two's complement; only with `fixed`.
    pub shift: Signal<In, Bits<8>>,
    /// Mode `tflite` or `gemmlowp`.
    pub fixed: Signal<In, Bit>,
    /// No.
    pub bad: Signal<Out, Bit>,
}

impl Logic for Legal {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("legal: a positive normal fp32; or 0 or 2^30 to 2^31 - 1 with a shift of -31 to 30.");
        if self.fixed.val() {
            self.bad.next = ((self.scale.val().get_bits::<2>(30) != 1) & (self.scale.val() != 0))
                | (self.shift.val() == 31)
                | (self.shift.val() == 224)
                | ((self.shift.val().get_bits::<3>(5) != 0) & (self.shift.val().get_bits::<3>(5) != 7));
        } else {
            self.bad.next = self.scale.val().get_bit(31)
                | (self.scale.val().get_bits::<8>(23) == 0)
                | (self.scale.val().get_bits::<8>(23) == 255);
        }
    }
}

/// Decodes and delays.
#[derive(LogicBlock)]
pub struct Factor {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// fp32, or an integer.
    pub scale: Signal<In, Bits<32>>,
    /// Exponent of two, two's complement.
    pub shift: Signal<In, Bits<8>>,
    /// Mode `tflite` or `gemmlowp`.
    pub fixed: Signal<In, Bit>,
    /// Mode `gemmlowp`.
    pub gemmlowp: Signal<In, Bit>,
    /// Top bit set unless it is 0; `FACTOR_CYCLES` after `scale`.
    pub factor: Signal<Out, Bits<32>>,
    /// |acc| scaled is `a * factor * 2^(exponent - zeros - 63)` with `a = |acc| << zeros`; as late as `factor`.
    pub exponent: Signal<Out, Int<10>>,
    /// Do not shift the accumulator; `RAW_CYCLES` after `scale`.
    pub raw: Signal<Out, Bit>,
    /// The same, `RAW_LATE_CYCLES` after `scale`.
    pub raw_late: Signal<Out, Bit>,
    scale_delay: Delay<32>,
    shift_delay: Delay<6>,
    early: Delay<1>,
    late: Delay<1>,
    is_raw: Signal<Local, Bit>,
    biased: Signal<Local, Int<10>>,
    power: Signal<Local, Int<10>>,
    float_offset: Signal<Local, Int<10>>,
    fixed_offset: Signal<Local, Int<10>>,
}

impl Default for Factor {
    fn default() -> Self {
        Factor {
            clk: Signal::default(),
            scale: Signal::default(),
            shift: Signal::default(),
            fixed: Signal::default(),
            gemmlowp: Signal::default(),
            factor: Signal::default(),
            exponent: Signal::default(),
            raw: Signal::default(),
            raw_late: Signal::default(),
            scale_delay: Delay::new(FACTOR_CYCLES),
            shift_delay: Delay::new(FACTOR_CYCLES),
            early: Delay::new(RAW_CYCLES),
            late: Delay::new(RAW_LATE_CYCLES - RAW_CYCLES),
            is_raw: Signal::default(),
            biased: Signal::default(),
            power: Signal::default(),
            float_offset: Signal::default(),
            fixed_offset: Signal::default(),
        }
    }
}

impl Logic for Factor {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("factor: scale and shift of a column to the factor of its products and their exponent.");
        self.scale_delay.clk.next = self.clk.val();
        self.shift_delay.clk.next = self.clk.val();
        self.early.clk.next = self.clk.val();
        self.late.clk.next = self.clk.val();
        self.scale_delay.clear.next = false;
        self.shift_delay.clear.next = false;
        self.early.clear.next = false;
        self.late.clear.next = false;
        self.scale_delay.now.next = self.scale.val();
        self.shift_delay.now.next = self.shift.val().get_bits::<6>(0);
        self.is_raw.next = self.gemmlowp.val() & self.shift.val().get_bit(7);
        self.early.now.next = self.is_raw.val().into();
        self.late.now.next = self.early.later.val();
        self.raw.next = self.early.later.val().get_bit(0);
        self.raw_late.next = self.late.later.val().get_bit(0);
        // fp32: 2^(biased - 158) * factor; 63 - 158 = -95. Integer: 2^(shift - 32) * factor; 63 - 32 = 31.
        self.biased.next = signed_cast_int(bit_cast::<10, 8>(self.scale_delay.later.val().get_bits::<8>(23)));
        self.power.next = signed_cast_ext(signed_cast_int(self.shift_delay.later.val()));
        self.float_offset.next = 95.into();
        self.fixed_offset.next = 31.into();
        if self.fixed.val() {
            self.factor.next = self.scale_delay.later.val() << 1;
            self.exponent.next = (self.power.val() + self.fixed_offset.val()).into();
        } else {
            self.factor.next =
                (bit_cast::<32, 23>(self.scale_delay.later.val().get_bits::<23>(0)) << 8) | (bits::<32>(1) << 31);
            self.exponent.next = (self.biased.val() - self.float_offset.val()).into();
        }
    }
}
