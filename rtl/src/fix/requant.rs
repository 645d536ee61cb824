// SPDX-License-Identifier: Apache-2.0
//! One lane of FIX: an accumulator to its int32, its fp32 and its 8-bit result, bit for bit what the runtimes give.
//!
//! ```text
//!  value, bias (t) ───────────►┌─────────┐──► wide   (t + 2; fp32: t + 9)
//!  raw (t + 2, t + 7) ────────►│ requant │
//!  factor, exponent (t + 5) ──►│         │
//!  mode, zero_point, bounds ──►└─────────┘──► narrow (t + 11)
//! ```
//! With `acc = wrap32(value + bias)` and `bound(x) = min(max(x, low), high)`:
//!
//! | mode | wide | narrow |
//! |---|---|---|
//! | neither | `bound(acc)` | `bound(rint(f32(acc) * scale) + zero_point)` |
//! | `is_float` | `f32(acc) * scale`, with `low` not negative at least +0 | |
//! | `fixed` | | `bound(round(acc * m * 2^(shift - 31)) + zero_point)`, with `raw` rounded twice |
//!
//! Factor and exponent are the multiplier as [`Factor`](super::factor::Factor) gives it. One result per cycle, no stall: the caller delays its own
//! tags. Mode, zero point and bounds hold while anything is inside. Test: `tests/units/fix/requant.rs`.

use super::delay::Delay;
use super::product::Product;
use super::to_float::ToFloat;
use super::to_fp32::ToFp32;
use super::to_int::ToInt;
use crate::prim::prelude::*;

/// Cycles from `value` to `wide`, int32.
pub const WIDE_CYCLES: usize = 2;
/// Cycles from `value` to `wide`, fp32.
pub const FLOAT_CYCLES: usize = 9;
/// Cycles from `value` to `narrow`.
pub const NARROW_CYCLES: usize = 11;

/// A requantisation lane.
#[derive(LogicBlock)]
pub struct Requant {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Accumulator.
    pub value: Signal<In, Bits<32>>,
    /// Added to it, modulo 2^32.
    pub bias: Signal<In, Bits<32>>,
    /// The column's, 5 cycles after `value`.
    pub factor: Signal<In, Bits<32>>,
    /// The column's, as late.
    pub exponent: Signal<In, Int<10>>,
    /// The column's, 2 cycles after `value`.
    pub raw: Signal<In, Bit>,
    /// The same, 7 cycles after `value`.
    pub raw_late: Signal<In, Bit>,
    /// The multiplier is an integer.
    pub fixed: Signal<In, Bit>,
    /// `wide` is the fp32.
    pub is_float: Signal<In, Bit>,
    /// -128..=255.
    pub zero_point: Signal<In, Int<10>>,
    /// Lowest result; also the byte stored for it.
    pub low: Signal<In, Int<32>>,
    /// Highest result, not below `low`.
    pub high: Signal<In, Int<32>>,
    /// `low` saturated to 12 bits.
    pub low_near: Signal<In, Int<12>>,
    /// `high` saturated to 12 bits.
    pub high_near: Signal<In, Int<12>>,
    /// int32 result, [`WIDE_CYCLES`] after `value`, or fp32 result, [`FLOAT_CYCLES`] after it.
    pub wide: Signal<Out, Bits<32>>,
    /// 8-bit result, [`NARROW_CYCLES`] after `value`.
    pub narrow: Signal<Out, Bits<8>>,
    acc: Reg<Bits<32>>,
    bounded: Reg<Bits<32>>,
    to_float: ToFloat,
    multiplier: Product,
    to_int: ToInt,
    to_fp32: ToFp32,
    /// Sign, from the accumulator to its product.
    sign: Delay<1>,
    /// Exponent of the product, while it is made.
    power: Delay<10>,
    signed_acc: Signal<Local, Int<32>>,
    zeros: Signal<Local, Int<10>>,
    carry: Signal<Local, Int<10>>,
    sum: Signal<Local, Int<10>>,
}

impl Default for Requant {
    fn default() -> Self {
        Requant {
            clk: Signal::default(),
            value: Signal::default(),
            bias: Signal::default(),
            factor: Signal::default(),
            exponent: Signal::default(),
            raw: Signal::default(),
            raw_late: Signal::default(),
            fixed: Signal::default(),
            is_float: Signal::default(),
            zero_point: Signal::default(),
            low: Signal::default(),
            high: Signal::default(),
            low_near: Signal::default(),
            high_near: Signal::default(),
            wide: Signal::default(),
            narrow: Signal::default(),
            acc: Reg::default(),
            bounded: Reg::default(),
            to_float: ToFloat::default(),
            multiplier: Product::default(),
            to_int: ToInt::default(),
            to_fp32: ToFp32::default(),
            sign: Delay::new(6),
            power: Delay::new(2),
            signed_acc: Signal::default(),
            zeros: Signal::default(),
            carry: Signal::default(),
            sum: Signal::default(),
        }
    }
}

impl Logic for Requant {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("requant: an accumulator to its int32, its fp32 and its 8-bit result, as the runtimes give them.");
        dff_setup!(self, clk, acc, bounded);
        self.to_float.clk.next = self.clk.val();
        self.multiplier.clk.next = self.clk.val();
        self.to_int.clk.next = self.clk.val();
        self.sign.clk.next = self.clk.val();
        self.power.clk.next = self.clk.val();
        self.sign.clear.next = false;
        self.power.clear.next = false;
        self.acc.d.next = self.value.val() + self.bias.val();
        self.signed_acc.next = signed_cast_int(self.acc.q.val());
        if self.is_float.val() {
            self.bounded.d.next = self.to_fp32.fp32.val();
        } else if self.signed_acc.val() > self.high.val() {
            self.bounded.d.next = unsigned_cast_int(self.high.val());
        } else if self.signed_acc.val() < self.low.val() {
            self.bounded.d.next = unsigned_cast_int(self.low.val());
        } else {
            self.bounded.d.next = self.acc.q.val();
        }
        self.wide.next = self.bounded.q.val();
        self.to_float.acc.next = self.acc.q.val();
        self.to_float.raw.next = self.raw.val();
        self.to_float.fixed.next = self.fixed.val();
        self.sign.now.next = self.acc.q.val().get_bits::<1>(31);
        self.multiplier.a.next = self.to_float.mantissa.val();
        self.multiplier.b.next = self.factor.val();
        // |acc| = mantissa * 2^(carry - zeros).
        self.zeros.next = signed_cast_int(bit_cast::<10, 5>(self.to_float.zeros.val()));
        self.carry.next = signed_cast_int(bit_cast::<10, 1>(self.to_float.carry.val().into()));
        self.sum.next = (self.exponent.val() - self.zeros.val() + self.carry.val()).into();
        self.power.now.next = unsigned_cast_int(self.sum.val());
        self.to_int.product.next = self.multiplier.product.val();
        self.to_int.more.next = self.multiplier.more.val();
        self.to_int.exponent.next = signed_cast_int(self.power.later.val());
        self.to_int.negative.next = self.sign.later.val().get_bit(0);
        self.to_int.raw.next = self.raw_late.val();
        self.to_int.fixed.next = self.fixed.val();
        self.to_int.zero_point.next = self.zero_point.val();
        self.to_int.low.next = self.low_near.val();
        self.to_int.high.next = self.high_near.val();
        self.to_int.low_byte.next = unsigned_cast_int(self.low.val()).get_bits::<8>(0);
        self.to_int.high_byte.next = unsigned_cast_int(self.high.val()).get_bits::<8>(0);
        self.to_fp32.y.next = self.to_int.y.val();
        self.to_fp32.power.next = self.to_int.power.val();
        self.to_fp32.sign.next = self.to_int.sign.val();
        self.to_fp32.relu.next = self.low.val() >= 0.into();
        self.narrow.next = self.to_int.narrow.val();
    }
}
