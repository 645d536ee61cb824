// SPDX-License-Identifier: Apache-2.0
//! 24 x 24 bit product in two cycles: `product(t + 2) = a(t) * b(t)`.
//!
//! Four 12 x 12 bit products, registered, then their sum: each part fits one 18 x 18 multiplier block of an FPGA (16 x 16 on iCE40),
//! and no path holds a multiplier and an adder.

use crate::prim::prelude::*;

/// Unsigned multiplier.
#[derive(Default, LogicBlock)]
pub struct Product {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// One factor.
    pub a: Signal<In, Bits<24>>,
    /// The other.
    pub b: Signal<In, Bits<24>>,
    /// Their product.
    pub product: Signal<Out, Bits<48>>,
    a_low: Signal<Local, Int<13>>,
    a_high: Signal<Local, Int<13>>,
    b_low: Signal<Local, Int<13>>,
    b_high: Signal<Local, Int<13>>,
    low: Reg<Int<26>>,
    cross_ab: Reg<Int<26>>,
    cross_ba: Reg<Int<26>>,
    high: Reg<Int<26>>,
    middle: Signal<Local, Bits<25>>,
    outer: Signal<Local, Bits<48>>,
    sum: Reg<Bits<48>>,
}

impl Logic for Product {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("product: 24 x 24 bits from four 12 x 12 bit multipliers, two cycles.");
        dff_setup!(self, clk, low, cross_ab, cross_ba, high, sum);
        // 13 bits signed: the top bit is 0.
        self.a_low.next = signed_cast_int(bit_cast::<13, 12>(self.a.val().get_bits::<12>(0)));
        self.a_high.next = signed_cast_int(bit_cast::<13, 12>(self.a.val().get_bits::<12>(12)));
        self.b_low.next = signed_cast_int(bit_cast::<13, 12>(self.b.val().get_bits::<12>(0)));
        self.b_high.next = signed_cast_int(bit_cast::<13, 12>(self.b.val().get_bits::<12>(12)));
        self.low.d.next = (self.a_low.val() * self.b_low.val()).into();
        self.cross_ab.d.next = (self.a_low.val() * self.b_high.val()).into();
        self.cross_ba.d.next = (self.a_high.val() * self.b_low.val()).into();
        self.high.d.next = (self.a_high.val() * self.b_high.val()).into();
        self.outer.next = (bit_cast::<48, 26>(unsigned_cast_int(self.high.q.val())) << 24)
            | bit_cast::<48, 26>(unsigned_cast_int(self.low.q.val()));
        self.middle.next = bit_cast::<25, 26>(unsigned_cast_int(self.cross_ab.q.val()))
            + bit_cast::<25, 26>(unsigned_cast_int(self.cross_ba.q.val()));
        self.sum.d.next = self.outer.val() + (bit_cast::<48, 25>(self.middle.val()) << 12);
        self.product.next = self.sum.q.val();
    }
}
