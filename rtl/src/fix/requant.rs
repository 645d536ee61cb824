// SPDX-License-Identifier: Apache-2.0
//! One lane of FIX: an accumulator to its int32 and its 8-bit result, bit for bit what fp32 arithmetic gives.
//!
//! ```text
//!  value, bias (t) ──►┌─────────┐──► wide   (t + 2)     wide   = bound(wrap32(value + bias))
//!  scale   (t + 5) ──►│ requant │
//!  zero_point, bounds►└─────────┘──► narrow (t + 11)    narrow = bound(rint(f32(wrap32(value + bias)) * scale) + zero_point)
//! ```
//! `bound(x) = min(max(x, low), high)`. `scale` is a positive normal fp32; other bit patterns give some number. One result per cycle,
//! no stall: the caller delays its own tags. Zero point and bounds hold while anything is inside. Test: `tests/units/fix/requant.rs`.

use super::delay::Delay;
use super::product::Product;
use super::to_float::ToFloat;
use super::to_int::ToInt;
use crate::prim::prelude::*;

/// Cycles from `value` to `scale`.
pub const SCALE_CYCLES: usize = 5;
/// Cycles from `value` to `wide`.
pub const WIDE_CYCLES: usize = 2;
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
    /// fp32 without its sign, [`SCALE_CYCLES`] after `value`.
    pub scale: Signal<In, Bits<31>>,
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
    /// int32 result, [`WIDE_CYCLES`] after `value`.
    pub wide: Signal<Out, Bits<32>>,
    /// 8-bit result, [`NARROW_CYCLES`] after `value`.
    pub narrow: Signal<Out, Bits<8>>,
    acc: Reg<Bits<32>>,
    bounded: Reg<Bits<32>>,
    to_float: ToFloat,
    multiplier: Product,
    to_int: ToInt,
    /// Sign, from the accumulator to the zero point.
    sign: Delay<1>,
    exponent: Delay<10>,
    signed_acc: Signal<Local, Int<32>>,
    biased: Signal<Local, Int<10>>,
    zeros: Signal<Local, Int<10>>,
    carry: Signal<Local, Int<10>>,
    offset: Signal<Local, Int<10>>,
    sum: Signal<Local, Int<10>>,
}

impl Default for Requant {
    fn default() -> Self {
        Requant {
            clk: Signal::default(),
            value: Signal::default(),
            bias: Signal::default(),
            scale: Signal::default(),
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
            sign: Delay::new(8),
            exponent: Delay::new(2),
            signed_acc: Signal::default(),
            biased: Signal::default(),
            zeros: Signal::default(),
            carry: Signal::default(),
            offset: Signal::default(),
            sum: Signal::default(),
        }
    }
}

impl Logic for Requant {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("requant: an accumulator to its int32 and its 8-bit result, as fp32 arithmetic gives them.");
        dff_setup!(self, clk, acc, bounded);
        self.to_float.clk.next = self.clk.val();
        self.multiplier.clk.next = self.clk.val();
        self.to_int.clk.next = self.clk.val();
        self.sign.clk.next = self.clk.val();
        self.exponent.clk.next = self.clk.val();
        self.sign.clear.next = false;
        self.exponent.clear.next = false;
        self.acc.d.next = self.value.val() + self.bias.val();
        self.signed_acc.next = signed_cast_int(self.acc.q.val());
        if self.signed_acc.val() > self.high.val() {
            self.bounded.d.next = unsigned_cast_int(self.high.val());
        } else if self.signed_acc.val() < self.low.val() {
            self.bounded.d.next = unsigned_cast_int(self.low.val());
        } else {
            self.bounded.d.next = self.acc.q.val();
        }
        self.wide.next = self.bounded.q.val();
        self.to_float.acc.next = self.acc.q.val();
        self.sign.now.next = self.acc.q.val().get_bits::<1>(31);
        self.multiplier.a.next = self.to_float.mantissa.val();
        self.multiplier.b.next = bit_cast::<24, 23>(self.scale.val().get_bits::<23>(0)) | 0x80_0000;
        // |acc| = mantissa * 2^(8 - zeros + carry), scale = b * 2^(biased - 150): a product below 2^47 is y * 2^23 with
        // y * 2^(sum - 24).
        self.biased.next = signed_cast_int(bit_cast::<10, 8>(self.scale.val().get_bits::<8>(23)));
        self.zeros.next = signed_cast_int(bit_cast::<10, 5>(self.to_float.zeros.val()));
        self.carry.next = signed_cast_int(bit_cast::<10, 1>(self.to_float.carry.val().into()));
        self.offset.next = 95.into();
        self.sum.next = (self.biased.val() - self.zeros.val() + self.carry.val() - self.offset.val()).into();
        self.exponent.now.next = unsigned_cast_int(self.sum.val());
        self.to_int.product.next = self.multiplier.product.val();
        self.to_int.exponent.next = signed_cast_int(self.exponent.later.val());
        self.to_int.negative.next = self.sign.later.val().get_bit(0);
        self.to_int.zero_point.next = self.zero_point.val();
        self.to_int.low.next = self.low_near.val();
        self.to_int.high.next = self.high_near.val();
        self.to_int.low_byte.next = unsigned_cast_int(self.low.val()).get_bits::<8>(0);
        self.to_int.high_byte.next = unsigned_cast_int(self.high.val()).get_bits::<8>(0);
        self.narrow.next = self.to_int.narrow.val();
    }
}
