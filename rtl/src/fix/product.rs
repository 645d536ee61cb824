// SPDX-License-Identifier: Apache-2.0
//! 32 x 32 bit product in two cycles: `product(t + 2)` is `a(t) * b(t)` without its low 16 bits, `more(t + 2)` whether one of those is set.
//!
//! Four 16 x 16 bit products, registered, then their sum: each part, 17 bits with a sign, fits one 18 x 18 multiplier block of an
//! FPGA, and no path holds a multiplier and an adder. Of the low bits nobody wants to know more than whether they are 0.

use crate::prim::prelude::*;

/// Unsigned multiplier.
#[derive(Default, LogicBlock)]
pub struct Product {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// One factor.
    pub a: Signal<In, Bits<32>>,
    /// The other.
    pub b: Signal<In, Bits<32>>,
    /// Bits 63:16 of their product.
    pub product: Signal<Out, Bits<48>>,
    /// A bit of 15:0 is set.
    pub more: Signal<Out, Bit>,
    a_low: Signal<Local, Int<17>>,
    a_high: Signal<Local, Int<17>>,
    b_low: Signal<Local, Int<17>>,
    b_high: Signal<Local, Int<17>>,
    low: Reg<Int<34>>,
    cross_ab: Reg<Int<34>>,
    cross_ba: Reg<Int<34>>,
    high: Reg<Int<34>>,
    low_bits: Signal<Local, Bits<34>>,
    middle: Signal<Local, Bits<33>>,
    outer: Signal<Local, Bits<48>>,
    sum: Reg<Bits<48>>,
    rest: Reg<Bit>,
}

impl Logic for Product {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("product: 32 x 32 bits from four 16 x 16 bit multipliers, two cycles.");
        dff_setup!(self, clk, low, cross_ab, cross_ba, high, sum, rest);
        // 17 bits signed: the top bit is 0.
        self.a_low.next = signed_cast_int(bit_cast::<17, 16>(self.a.val().get_bits::<16>(0)));
        self.a_high.next = signed_cast_int(bit_cast::<17, 16>(self.a.val().get_bits::<16>(16)));
        self.b_low.next = signed_cast_int(bit_cast::<17, 16>(self.b.val().get_bits::<16>(0)));
        self.b_high.next = signed_cast_int(bit_cast::<17, 16>(self.b.val().get_bits::<16>(16)));
        self.low.d.next = (self.a_low.val() * self.b_low.val()).into();
        self.cross_ab.d.next = (self.a_low.val() * self.b_high.val()).into();
        self.cross_ba.d.next = (self.a_high.val() * self.b_low.val()).into();
        self.high.d.next = (self.a_high.val() * self.b_high.val()).into();
        self.low_bits.next = unsigned_cast_int(self.low.q.val());
        self.outer.next = (bit_cast::<48, 34>(unsigned_cast_int(self.high.q.val())) << 16)
            | bit_cast::<48, 16>(self.low_bits.val().get_bits::<16>(16));
        self.middle.next = bit_cast::<33, 34>(unsigned_cast_int(self.cross_ab.q.val()))
            + bit_cast::<33, 34>(unsigned_cast_int(self.cross_ba.q.val()));
        self.sum.d.next = self.outer.val() + bit_cast::<48, 33>(self.middle.val());
        self.rest.d.next = self.low_bits.val().get_bits::<16>(0) != 0;
        self.product.next = self.sum.q.val();
        self.more.next = self.rest.q.val();
    }
}
