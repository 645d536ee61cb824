// SPDX-License-Identifier: Apache-2.0
//! A rounded product to the bits of its fp32: `y * 2^(power - 24)` with its sign. Combinational.
//!
//! The power is at least -124: nothing is subnormal, because a scale is normal and an accumulator 0 or at least 1. Beyond the largest
//! fp32 it is infinity. Zero is +0. Test: `tests/units/fix/requant.rs`.

use crate::prim::prelude::*;

/// Packs.
#[derive(Default, LogicBlock)]
pub struct ToFp32 {
    /// 0 or 2^23..=2^24.
    pub y: Signal<In, Bits<25>>,
    /// -124..=161.
    pub power: Signal<In, Int<10>>,
    /// Negative.
    pub sign: Signal<In, Bit>,
    /// A negative number becomes +0.
    pub relu: Signal<In, Bit>,
    /// The fp32.
    pub fp32: Signal<Out, Bits<32>>,
    leading: Signal<Local, Int<10>>,
    offset: Signal<Local, Int<10>>,
    largest: Signal<Local, Int<10>>,
    exponent: Signal<Local, Int<10>>,
    magnitude: Signal<Local, Bits<31>>,
}

impl Logic for ToFp32 {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("to_fp32: a rounded product to the bits of its fp32.");
        // 126 + power, and one more for 2^24: bits 24:23 of y are 1 or 2.
        self.leading.next = signed_cast_int(bit_cast::<10, 2>(self.y.val().get_bits::<2>(23)));
        self.offset.next = 125.into();
        self.largest.next = 254.into();
        self.exponent.next = (self.power.val() + self.offset.val() + self.leading.val()).into();
        if self.exponent.val() > self.largest.val() {
            self.magnitude.next = bits::<31>(0x7F80_0000);
        } else {
            self.magnitude.next = (bit_cast::<31, 8>(unsigned_cast_int(self.exponent.val()).get_bits::<8>(0)) << 23)
                | bit_cast::<31, 23>(self.y.val().get_bits::<23>(0));
        }
        if (self.y.val().get_bits::<2>(23) == 0) | (self.sign.val() & self.relu.val()) {
            self.fp32.next = 0.into();
        } else {
            self.fp32.next =
                bit_cast::<32, 31>(self.magnitude.val()) | (bit_cast::<32, 1>(self.sign.val().into()) << 31);
        }
    }
}
