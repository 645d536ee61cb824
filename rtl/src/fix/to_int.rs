// SPDX-License-Identifier: Apache-2.0
//! A product to a bounded 8-bit result: round it, round it to an integer, add the zero point, bound.
//!
//! ```text
//!  product, more, exponent ──►┌────────┐──► y, power, sign (1 later): y as fp32 takes it
//!  negative, raw ────────────►│ to_int │
//!  fixed, zero_point, .. ────►└────────┘──► narrow        latency 4, one per cycle
//! ```
//! With `P` the 64-bit product of which `product` and `more` are left, `|value| = P * 2^(exponent - 63)`.
//!
//! | mode | first rounding | second, to an integer |
//! |---|---|---|
//! | onnx | to 24 bits, ties to even | ties to even |
//! | `fixed` | none: bits below the 24th are or-ed into it, which keeps every comparison with a half | ties up |
//! | `raw` | at bit 32, ties up; then the value is this integer * 2^(exponent - 31) | ties away from zero |
//!
//! Up is towards +infinity, so for a negative value a tie goes down in magnitude. Magnitudes of 512 and more may become any such
//! number: with a zero point in -128..=255 they all lie beyond both bounds. Test: `tests/units/fix/requant.rs`.

use crate::prim::prelude::*;

/// Rounds twice and bounds.
#[derive(Default, LogicBlock)]
pub struct ToInt {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Bits 63:16 of P. Without `raw` P is 0 or at least 2^62, with it less than 2^63.
    pub product: Signal<In, Bits<48>>,
    /// A bit of P's 15:0 is set.
    pub more: Signal<In, Bit>,
    /// Exponent of the value.
    pub exponent: Signal<In, Int<10>>,
    /// Sign of the value.
    pub negative: Signal<In, Bit>,
    /// Round at bit 32 first; `exponent` is 0..=30. Only with `fixed`.
    pub raw: Signal<In, Bit>,
    /// Multiplier in fixed point; holds.
    pub fixed: Signal<In, Bit>,
    /// Zero point, -128..=255.
    pub zero_point: Signal<In, Int<10>>,
    /// Lowest result.
    pub low: Signal<In, Int<12>>,
    /// Highest result, not below `low`.
    pub high: Signal<In, Int<12>>,
    /// Stored instead of a result below `low`.
    pub low_byte: Signal<In, Bits<8>>,
    /// Stored instead of a result above `high`.
    pub high_byte: Signal<In, Bits<8>>,
    /// The result's low 8 bits.
    pub narrow: Signal<Out, Bits<8>>,
    /// Mode onnx: |value| rounded is `y * 2^(power - 24)`, 0 or 2^23..=2^24.
    pub y: Signal<Out, Bits<25>>,
    /// Its exponent.
    pub power: Signal<Out, Int<10>>,
    /// Its sign.
    pub sign: Signal<Out, Bit>,
    // Cycle 1: y, or the integer of the first rounding.
    first: Reg<Bits<32>>,
    first_power: Reg<Int<10>>,
    right: Reg<Bits<5>>,
    huge: Reg<Bit>,
    tiny: Reg<Bit>,
    was_raw: Reg<Bit>,
    sign_1: Reg<Bit>,
    // Cycle 2: integer part and whether the fraction rounds up.
    whole: Reg<Bits<10>>,
    up: Reg<Bit>,
    sign_2: Reg<Bit>,
    // Cycle 3: with zero point.
    moved: Reg<Int<12>>,
    // Cycle 4.
    bounded: Reg<Bits<8>>,
    top: Signal<Local, Bits<24>>,
    half: Signal<Local, Bit>,
    rest: Signal<Local, Bit>,
    kept: Signal<Local, Bits<32>>,
    add: Signal<Local, Bit>,
    extra: Signal<Local, Int<10>>,
    scale: Signal<Local, Int<10>>,
    point: Signal<Local, Int<10>>,
    distance: Signal<Local, Int<10>>,
    shifted: Signal<Local, Bits<32>>,
    lost: Signal<Local, Bits<9>>,
    below: Signal<Local, Bit>,
    rounded: Signal<Local, Int<12>>,
    near: Signal<Local, Bits<8>>,
}

impl Logic for ToInt {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("to_int: a product to a bounded 8-bit result, rounded as the mode asks.");
        dff_setup!(
            self,
            clk,
            first,
            first_power,
            right,
            huge,
            tiny,
            was_raw,
            sign_1,
            whole,
            up,
            sign_2,
            moved,
            bounded
        );
        self.sign_1.d.next = self.negative.val();
        self.sign_2.d.next = self.sign_1.q.val();
        self.was_raw.d.next = self.raw.val();
        if self.product.val().get_bit(47) {
            self.top.next = self.product.val().get_bits::<24>(24);
            self.half.next = self.product.val().get_bit(23);
            self.rest.next = (self.product.val().get_bits::<23>(0) != 0) | self.more.val();
        } else {
            self.top.next = self.product.val().get_bits::<24>(23);
            self.half.next = self.product.val().get_bit(22);
            self.rest.next = (self.product.val().get_bits::<22>(0) != 0) | self.more.val();
        }
        if self.raw.val() {
            self.kept.next = self.product.val().get_bits::<32>(16);
            self.add.next = self.product.val().get_bit(15)
                & (!self.negative.val() | (self.product.val().get_bits::<15>(0) != 0) | self.more.val());
        } else if self.fixed.val() {
            self.kept.next =
                bit_cast::<32, 24>(self.top.val()) | bit_cast::<32, 1>((self.half.val() | self.rest.val()).into());
            self.add.next = false;
        } else {
            self.kept.next = bit_cast::<32, 24>(self.top.val());
            self.add.next = self.half.val() & (self.rest.val() | self.top.val().get_bit(0));
        }
        self.first.d.next = self.kept.val() + bit_cast::<32, 1>(self.add.val().into());
        self.extra.next = signed_cast_int(bit_cast::<10, 1>(self.product.val().get_bits::<1>(47)));
        self.scale.next = (self.exponent.val() + self.extra.val()).into();
        self.first_power.d.next = self.scale.val();
        // The value is first * 2^(scale - 24): below 2^-1 it rounds to 0 (for onnx 2^-1 itself too), from 2^9 on it stays that large.
        // Bit 0 of first >> right is the half: right is 23 - scale, with raw 30 - scale.
        if self.raw.val() {
            self.point.next = 30.into();
        } else {
            self.point.next = 23.into();
        }
        self.distance.next = (self.point.val() - self.scale.val()).into();
        self.right.d.next = unsigned_cast_int(self.distance.val()).get_bits::<5>(0);
        self.tiny.d.next = !self.raw.val() & (self.scale.val() < 0.into());
        self.huge.d.next =
            !self.raw.val() & (self.scale.val() > 9.into()) & (self.product.val().get_bits::<2>(46) != 0);
        self.y.next = self.first.q.val().get_bits::<25>(0);
        self.power.next = self.first_power.q.val();
        self.sign.next = self.sign_1.q.val();
        self.shifted.next = self.first.q.val() >> self.right.q.val();
        // Without raw 14 to 23 bits are shifted out: 13:0 always, of 22:14 those below the half. Raw ties need no more than the half.
        self.lost.next =
            self.first.q.val().get_bits::<9>(14) << unsigned_cast_int(self.first_power.q.val()).get_bits::<4>(0);
        self.below.next = (self.first.q.val().get_bits::<14>(0) != 0) | (self.lost.val() != 0);
        if self.huge.q.val() | (self.was_raw.q.val() & (self.shifted.val().get_bits::<21>(11) != 0)) {
            self.whole.d.next = 512.into();
            self.up.d.next = false;
        } else if self.tiny.q.val() {
            self.whole.d.next = 0.into();
            self.up.d.next = false;
        } else {
            self.whole.d.next = self.shifted.val().get_bits::<10>(1);
            if self.was_raw.q.val() {
                self.up.d.next = self.shifted.val().get_bit(0);
            } else if self.fixed.val() {
                self.up.d.next = self.shifted.val().get_bit(0) & (self.below.val() | !self.sign_1.q.val());
            } else {
                self.up.d.next = self.shifted.val().get_bit(0) & (self.below.val() | self.shifted.val().get_bit(1));
            }
        }
        self.rounded.next =
            signed_cast_int(bit_cast::<12, 10>(self.whole.q.val()) + bit_cast::<12, 1>(self.up.q.val().into()));
        if self.sign_2.q.val() {
            self.moved.d.next = (self.zero_point.val() - self.rounded.val()).into();
        } else {
            self.moved.d.next = (self.zero_point.val() + self.rounded.val()).into();
        }
        self.near.next = unsigned_cast_int(self.moved.q.val()).get_bits::<8>(0);
        if self.moved.q.val() > self.high.val() {
            self.bounded.d.next = self.high_byte.val();
        } else if self.moved.q.val() < self.low.val() {
            self.bounded.d.next = self.low_byte.val();
        } else {
            self.bounded.d.next = self.near.val();
        }
        self.narrow.next = self.bounded.q.val();
    }
}
