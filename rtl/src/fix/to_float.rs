// SPDX-License-Identifier: Apache-2.0
//! An int32 to a normalised magnitude and its exponent: as fp32, rounded to 24 bits, ties to even; or as it is.
//!
//! ```text
//!  acc ──────────►┌──────────┐
//!  raw (1 later) ►│ to_float │──► mantissa, zeros, carry      |acc| = mantissa * 2^(carry - zeros), rounded without `fixed`
//!  fixed ────────►└──────────┘                                latency 4, one per cycle
//! ```
//! `mantissa` has its top bit set unless acc is 0 (then it is 0); with `raw` it is |acc| itself. Test: `tests/units/fix/requant.rs`.

use crate::prim::prelude::*;

/// Normalises and rounds.
#[derive(Default, LogicBlock)]
pub struct ToFloat {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Two's complement number.
    pub acc: Signal<In, Bits<32>>,
    /// Do not normalise (`zeros` is 0); the cycle after `acc`. Only with `fixed`.
    pub raw: Signal<In, Bit>,
    /// Do not round; holds.
    pub fixed: Signal<In, Bit>,
    /// Significand: 24 bits and eight zeros, or all 32.
    pub mantissa: Signal<Out, Bits<32>>,
    /// Leading zeros of |acc|, 31 if acc is 0.
    pub zeros: Signal<Out, Bits<5>>,
    /// Rounding went up to the next power of two.
    pub carry: Signal<Out, Bit>,
    magnitude: Reg<Bits<32>>,
    coarse: Reg<Bits<32>>,
    coarse_zeros: Reg<Bits<2>>,
    coarse_raw: Reg<Bit>,
    fine: Reg<Bits<32>>,
    fine_zeros: Reg<Bits<5>>,
    rounded: Reg<Bits<32>>,
    rounded_zeros: Reg<Bits<5>>,
    rounded_carry: Reg<Bit>,
    by16: Signal<Local, Bits<32>>,
    by8: Signal<Local, Bits<32>>,
    by4: Signal<Local, Bits<32>>,
    by2: Signal<Local, Bits<32>>,
    by1: Signal<Local, Bits<32>>,
    none16: Signal<Local, Bit>,
    none8: Signal<Local, Bit>,
    none4: Signal<Local, Bit>,
    none2: Signal<Local, Bit>,
    none1: Signal<Local, Bit>,
    up: Signal<Local, Bit>,
    sum: Signal<Local, Bits<25>>,
}

impl Logic for ToFloat {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("to_float: an int32 to a normalised magnitude and its exponent, as fp32 or exactly.");
        dff_setup!(self, clk, magnitude, coarse, coarse_zeros, coarse_raw, fine, fine_zeros);
        dff_setup!(self, clk, rounded, rounded_zeros, rounded_carry);
        if self.acc.val().get_bit(31) {
            self.magnitude.d.next = !self.acc.val() + 1;
        } else {
            self.magnitude.d.next = self.acc.val();
        }
        // Leading zeros, halving: 16 and 8 in one cycle, 4, 2 and 1 in the next.
        self.coarse_raw.d.next = self.raw.val();
        self.none16.next = !self.raw.val() & (self.magnitude.q.val().get_bits::<16>(16) == 0);
        if self.none16.val() {
            self.by16.next = self.magnitude.q.val() << 16;
        } else {
            self.by16.next = self.magnitude.q.val();
        }
        self.none8.next = !self.raw.val() & (self.by16.val().get_bits::<8>(24) == 0);
        if self.none8.val() {
            self.by8.next = self.by16.val() << 8;
        } else {
            self.by8.next = self.by16.val();
        }
        self.coarse.d.next = self.by8.val();
        self.coarse_zeros.d.next =
            (bit_cast::<2, 1>(self.none16.val().into()) << 1) | bit_cast::<2, 1>(self.none8.val().into());
        self.none4.next = !self.coarse_raw.q.val() & (self.coarse.q.val().get_bits::<4>(28) == 0);
        if self.none4.val() {
            self.by4.next = self.coarse.q.val() << 4;
        } else {
            self.by4.next = self.coarse.q.val();
        }
        self.none2.next = !self.coarse_raw.q.val() & (self.by4.val().get_bits::<2>(30) == 0);
        if self.none2.val() {
            self.by2.next = self.by4.val() << 2;
        } else {
            self.by2.next = self.by4.val();
        }
        self.none1.next = !self.coarse_raw.q.val() & !self.by2.val().get_bit(31);
        if self.none1.val() {
            self.by1.next = self.by2.val() << 1;
        } else {
            self.by1.next = self.by2.val();
        }
        self.fine.d.next = self.by1.val();
        self.fine_zeros.d.next = (bit_cast::<5, 2>(self.coarse_zeros.q.val()) << 3)
            | (bit_cast::<5, 1>(self.none4.val().into()) << 2)
            | (bit_cast::<5, 1>(self.none2.val().into()) << 1)
            | bit_cast::<5, 1>(self.none1.val().into());
        // Up if above the half, or at the half and odd.
        self.up.next =
            self.fine.q.val().get_bit(7) & ((self.fine.q.val().get_bits::<7>(0) != 0) | self.fine.q.val().get_bit(8));
        self.sum.next =
            bit_cast::<25, 24>(self.fine.q.val().get_bits::<24>(8)) + bit_cast::<25, 1>(self.up.val().into());
        self.rounded_carry.d.next = self.sum.val().get_bit(24) & !self.fixed.val();
        if self.fixed.val() {
            self.rounded.d.next = self.fine.q.val();
        } else if self.sum.val().get_bit(24) {
            self.rounded.d.next = bits::<32>(1) << 31;
        } else {
            self.rounded.d.next = bit_cast::<32, 24>(self.sum.val().get_bits::<24>(0)) << 8;
        }
        self.rounded_zeros.d.next = self.fine_zeros.q.val();
        self.mantissa.next = self.rounded.q.val();
        self.zeros.next = self.rounded_zeros.q.val();
        self.carry.next = self.rounded_carry.q.val();
    }
}
