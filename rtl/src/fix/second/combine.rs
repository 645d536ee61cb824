// SPDX-License-Identifier: Apache-2.0
//! One requantised number and one of the second tensor to their sum or their maximum, bit for bit what fp32 arithmetic gives.
//!
//! ```text
//!  q1, q2 (t) ──►┌─────────┐──► combined (t + 7)     add: bound(rint(fma(q1, ratio, fma(q2, second_ratio, offset))))
//!  fill_* ──────►│ combine │                         max: bound(max(q1, q2))
//!                └─────────┘
//! ```
//! Each number has only 256 values, so its part of the sum stands in a table: `first[q1] = q1 ratio`, exact, and `second[q2] = q2
//! second_ratio + offset`, rounded to 24 significant bits as the inner fma does; both with 35 fraction bits. Their sum S is exact.
//! The outer fma rounds it to 24 bits, then it is rounded to an integer k or k + 1. With b the length of k in bits, the first
//! rounding moves S by at most 2^-(25 - b), half of its last place, and k + 1/2 is a value of 24 bits with an even last place: so
//! every S as near as that to k + 1/2 becomes the tie k + 1/2 and goes to even, and every other stays on its side. From 512 on the
//! result lies beyond every bound. One pair per cycle, no stall. Test: `tests/units/fix/combine.rs`.

use super::super::delay::Delay;
use crate::prim::prelude::*;

/// Cycles from `q1`, `q2` to `combined`.
pub const COMBINE_CYCLES: usize = 7;
/// Fraction bits of the tables.
pub const FRACTION_BITS: usize = 35;

/// Sum or maximum of two 8-bit numbers.
#[derive(LogicBlock)]
pub struct Combine {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Requantised number.
    pub q1: Signal<In, Bits<8>>,
    /// Number of the second tensor.
    pub q2: Signal<In, Bits<8>>,
    /// They are u8, else s8.
    pub is_unsigned: Signal<In, Bit>,
    /// The maximum, else the sum.
    pub is_max: Signal<In, Bit>,
    /// Lowest result.
    pub low: Signal<In, Int<12>>,
    /// Highest result, not below `low`.
    pub high: Signal<In, Int<12>>,
    /// Stored instead of a result below `low`.
    pub low_byte: Signal<In, Bits<8>>,
    /// Stored instead of a result above `high`.
    pub high_byte: Signal<In, Bits<8>>,
    /// An entry of the first table is written.
    pub fill_first: Signal<In, Bit>,
    /// Its q1.
    pub fill_first_at: Signal<In, Bits<8>>,
    /// The entry.
    pub fill_first_value: Signal<In, Bits<56>>,
    /// An entry of the second table is written.
    pub fill_second: Signal<In, Bit>,
    /// Its q2.
    pub fill_second_at: Signal<In, Bits<8>>,
    /// The entry.
    pub fill_second_value: Signal<In, Bits<56>>,
    /// The result, [`COMBINE_CYCLES`] after `q1`.
    pub combined: Signal<Out, Bits<8>>,
    first: Ram<56>,
    second: Ram<56>,
    /// The larger number, until the sum is rounded.
    larger: Delay<8>,
    // Cycle 2.
    sum: Reg<Bits<56>>,
    // Cycle 3.
    magnitude: Reg<Bits<56>>,
    negative_3: Reg<Bit>,
    // Cycle 4: integer part, fraction, and how far from 1/2 it still is a tie.
    whole_4: Reg<Bits<9>>,
    fraction: Reg<Bits<35>>,
    reach: Reg<Bits<35>>,
    huge: Reg<Bit>,
    negative_4: Reg<Bit>,
    // Cycle 5.
    whole_5: Reg<Bits<10>>,
    up: Reg<Bit>,
    negative_5: Reg<Bit>,
    // Cycle 6.
    chosen: Reg<Int<12>>,
    // Cycle 7.
    bounded: Reg<Bits<8>>,
    order_1: Signal<Local, Bits<8>>,
    order_2: Signal<Local, Bits<8>>,
    inverse: Signal<Local, Bits<56>>,
    whole: Signal<Local, Bits<9>>,
    spread_1: Signal<Local, Bits<9>>,
    spread_2: Signal<Local, Bits<9>>,
    spread_4: Signal<Local, Bits<9>>,
    spread_8: Signal<Local, Bits<9>>,
    past_half: Signal<Local, Bits<35>>,
    reached: Signal<Local, Bits<35>>,
    upper: Signal<Local, Bit>,
    clear: Signal<Local, Bit>,
    tie: Signal<Local, Bit>,
    none: Signal<Local, Int<12>>,
    rounded: Signal<Local, Int<12>>,
    larger_bits: Signal<Local, Bits<12>>,
    near: Signal<Local, Bits<8>>,
}

impl Default for Combine {
    fn default() -> Self {
        Combine {
            clk: Signal::default(),
            q1: Signal::default(),
            q2: Signal::default(),
            is_unsigned: Signal::default(),
            is_max: Signal::default(),
            low: Signal::default(),
            high: Signal::default(),
            low_byte: Signal::default(),
            high_byte: Signal::default(),
            fill_first: Signal::default(),
            fill_first_at: Signal::default(),
            fill_first_value: Signal::default(),
            fill_second: Signal::default(),
            fill_second_at: Signal::default(),
            fill_second_value: Signal::default(),
            combined: Signal::default(),
            first: Ram::whole(256, 1),
            second: Ram::whole(256, 1),
            larger: Delay::new(5),
            sum: Reg::default(),
            magnitude: Reg::default(),
            negative_3: Reg::default(),
            whole_4: Reg::default(),
            fraction: Reg::default(),
            reach: Reg::default(),
            huge: Reg::default(),
            negative_4: Reg::default(),
            whole_5: Reg::default(),
            up: Reg::default(),
            negative_5: Reg::default(),
            chosen: Reg::default(),
            bounded: Reg::default(),
            order_1: Signal::default(),
            order_2: Signal::default(),
            inverse: Signal::default(),
            whole: Signal::default(),
            spread_1: Signal::default(),
            spread_2: Signal::default(),
            spread_4: Signal::default(),
            spread_8: Signal::default(),
            past_half: Signal::default(),
            reached: Signal::default(),
            upper: Signal::default(),
            clear: Signal::default(),
            tie: Signal::default(),
            none: Signal::default(),
            rounded: Signal::default(),
            larger_bits: Signal::default(),
            near: Signal::default(),
        }
    }
}

impl Logic for Combine {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("fix_combine: the sum, as fp32 arithmetic gives it, or the maximum of two 8-bit numbers.");
        dff_setup!(self, clk, sum, magnitude, negative_3, whole_4, fraction, reach, huge, negative_4);
        dff_setup!(self, clk, whole_5, up, negative_5, chosen, bounded);
        // Tables.
        self.first.clock.next = self.clk.val();
        self.first.write_enable[0].next = self.fill_first.val();
        self.first.write_address.next = bit_cast::<16, 8>(self.fill_first_at.val());
        self.first.write[0].next = self.fill_first_value.val();
        self.first.read_enable.next = true;
        self.first.read_address.next = bit_cast::<16, 8>(self.q1.val());
        self.second.clock.next = self.clk.val();
        self.second.write_enable[0].next = self.fill_second.val();
        self.second.write_address.next = bit_cast::<16, 8>(self.fill_second_at.val());
        self.second.write[0].next = self.fill_second_value.val();
        self.second.read_enable.next = true;
        self.second.read_address.next = bit_cast::<16, 8>(self.q2.val());
        // The larger one: with their top bits inverted, s8 have the order of u8.
        self.larger.clk.next = self.clk.val();
        self.larger.clear.next = false;
        self.order_1.next = self.q1.val();
        self.order_2.next = self.q2.val();
        if !self.is_unsigned.val() {
            self.order_1.next = self.q1.val() ^ 0x80;
            self.order_2.next = self.q2.val() ^ 0x80;
        }
        self.larger.now.next = self.q1.val();
        if self.order_2.val() > self.order_1.val() {
            self.larger.now.next = self.q2.val();
        }
        // Sum, then sign and magnitude.
        self.sum.d.next = self.first.read[0].val() + self.second.read[0].val();
        self.inverse.next = !self.sum.q.val();
        self.negative_3.d.next = self.sum.q.val().get_bit(55);
        self.magnitude.d.next = self.sum.q.val();
        if self.sum.q.val().get_bit(55) {
            self.magnitude.d.next = self.inverse.val() + 1;
        }
        // 2^(10 + b), b the length of the integer part: `spread` has b ones.
        self.whole.next = self.magnitude.q.val().get_bits::<9>(35);
        self.spread_1.next = self.whole.val() | (self.whole.val() >> 1);
        self.spread_2.next = self.spread_1.val() | (self.spread_1.val() >> 2);
        self.spread_4.next = self.spread_2.val() | (self.spread_2.val() >> 4);
        self.spread_8.next = self.spread_4.val() | (self.spread_4.val() >> 8);
        self.reach.d.next = (bit_cast::<35, 9>(self.spread_8.val()) + 1) << 10;
        self.whole_4.d.next = self.whole.val();
        self.fraction.d.next = self.magnitude.q.val().get_bits::<35>(0);
        self.huge.d.next = self.magnitude.q.val().get_bits::<12>(44) != 0;
        self.negative_4.d.next = self.negative_3.q.val();
        // Above 1/2 by more than the reach, or as near as that.
        self.upper.next = self.fraction.q.val().get_bit(34);
        self.past_half.next = bit_cast::<35, 34>(self.fraction.q.val().get_bits::<34>(0));
        self.reached.next = self.past_half.val() + self.reach.q.val();
        self.clear.next = self.past_half.val() > self.reach.q.val();
        self.tie.next = (self.upper.val() & !self.clear.val()) | (!self.upper.val() & self.reached.val().get_bit(34));
        self.whole_5.d.next = bit_cast::<10, 9>(self.whole_4.q.val());
        self.up.d.next = (self.upper.val() & self.clear.val()) | (self.tie.val() & self.whole_4.q.val().get_bit(0));
        if self.huge.q.val() {
            self.whole_5.d.next = 512.into();
            self.up.d.next = false;
        }
        self.negative_5.d.next = self.negative_4.q.val();
        // Sum or maximum.
        self.none.next = 0.into();
        self.rounded.next =
            signed_cast_int(bit_cast::<12, 10>(self.whole_5.q.val()) + bit_cast::<12, 1>(self.up.q.val().into()));
        self.larger_bits.next = bit_cast::<12, 8>(self.larger.later.val());
        if !self.is_unsigned.val() & self.larger.later.val().get_bit(7) {
            self.larger_bits.next = bit_cast::<12, 8>(self.larger.later.val()) | 0xF00;
        }
        if self.is_max.val() {
            self.chosen.d.next = signed_cast_int(self.larger_bits.val());
        } else if self.negative_5.q.val() {
            self.chosen.d.next = (self.none.val() - self.rounded.val()).into();
        } else {
            self.chosen.d.next = self.rounded.val();
        }
        self.near.next = unsigned_cast_int(self.chosen.q.val()).get_bits::<8>(0);
        if self.chosen.q.val() > self.high.val() {
            self.bounded.d.next = self.high_byte.val();
        } else if self.chosen.q.val() < self.low.val() {
            self.bounded.d.next = self.low_byte.val();
        } else {
            self.bounded.d.next = self.near.val();
        }
        self.combined.next = self.bounded.q.val();
    }
}
