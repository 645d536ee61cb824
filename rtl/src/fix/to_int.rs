// SPDX-License-Identifier: Apache-2.0
//! A 48-bit product to a bounded 8-bit result: round to fp32, round to an integer, add the zero point, bound.
//!
//! ```text
//!  product, exponent ──►┌────────┐
//!  negative (2 later) ─►│ to_int │──► narrow        latency 4, one per cycle
//!  zero_point, bounds ─►└────────┘
//! ```
//! `y = product * 2^(exponent - 47)`: to 24 bits, ties to even; then to an integer, ties to even. Both roundings are needed: they are what the
//! runtime does, and together they differ from one. Magnitudes of 512 and more stay 512: with a zero point in -128..=255 every such
//! number lies beyond both bounds, so nothing changes. Test: `tests/units/fix/requant.rs`.

use crate::prim::prelude::*;

/// Rounds twice and bounds.
#[derive(Default, LogicBlock)]
pub struct ToInt {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Significand product, 0 or at least 2^46.
    pub product: Signal<In, Bits<48>>,
    /// The value is `product * 2^(exponent - 47)`.
    pub exponent: Signal<In, Int<10>>,
    /// Sign of the value, presented 2 cycles after the product.
    pub negative: Signal<In, Bit>,
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
    // Cycle 1: y, 25 bits because rounding may reach 2^24.
    y: Reg<Bits<25>>,
    shift: Reg<Bits<4>>,
    huge: Reg<Bit>,
    tiny: Reg<Bit>,
    // Cycle 2: integer part and whether the fraction rounds up.
    whole: Reg<Bits<10>>,
    up: Reg<Bit>,
    // Cycle 3: with zero point.
    moved: Reg<Int<12>>,
    // Cycle 4.
    bounded: Reg<Bits<8>>,
    top: Signal<Local, Bits<24>>,
    half: Signal<Local, Bit>,
    below: Signal<Local, Bit>,
    extra: Signal<Local, Int<10>>,
    scale: Signal<Local, Int<10>>,
    fixed: Signal<Local, Bits<34>>,
    rounded: Signal<Local, Int<12>>,
    near: Signal<Local, Bits<8>>,
}

impl Logic for ToInt {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("to_int: a 48-bit product to a bounded 8-bit result, ties to even.");
        dff_setup!(self, clk, y, shift, huge, tiny, whole, up, moved, bounded);
        if self.product.val().get_bit(47) {
            self.top.next = self.product.val().get_bits::<24>(24);
            self.half.next = self.product.val().get_bit(23);
            self.below.next = self.product.val().get_bits::<23>(0) != 0;
        } else {
            self.top.next = self.product.val().get_bits::<24>(23);
            self.half.next = self.product.val().get_bit(22);
            self.below.next = self.product.val().get_bits::<22>(0) != 0;
        }
        self.extra.next = signed_cast_int(bit_cast::<10, 1>(self.product.val().get_bits::<1>(47)));
        self.scale.next = (self.exponent.val() + self.extra.val()).into();
        self.y.d.next = bit_cast::<25, 24>(self.top.val())
            + bit_cast::<25, 1>((self.half.val() & (self.below.val() | self.top.val().get_bit(0))).into());
        // The value is y * 2^(scale - 24): below 2^-1 it rounds to 0 (2^-1 itself too), from 2^9 on it stays 512.
        self.shift.d.next = unsigned_cast_int(self.scale.val()).get_bits::<4>(0);
        self.tiny.d.next = self.scale.val() < 0.into();
        self.huge.d.next = (self.scale.val() > 9.into()) & (self.product.val().get_bits::<2>(46) != 0);
        self.fixed.next = bit_cast::<34, 25>(self.y.q.val()) << self.shift.q.val();
        if self.huge.q.val() {
            self.whole.d.next = 512.into();
            self.up.d.next = false;
        } else if self.tiny.q.val() {
            self.whole.d.next = 0.into();
            self.up.d.next = false;
        } else {
            self.whole.d.next = self.fixed.val().get_bits::<10>(24);
            self.up.d.next = self.fixed.val().get_bit(23)
                & ((self.fixed.val().get_bits::<23>(0) != 0) | self.fixed.val().get_bit(24));
        }
        self.rounded.next =
            signed_cast_int(bit_cast::<12, 10>(self.whole.q.val()) + bit_cast::<12, 1>(self.up.q.val().into()));
        if self.negative.val() {
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
