// SPDX-License-Identifier: Apache-2.0
//! Writes the tables of [`Combine`](super::Combine): 256 entries of each, one per cycle, 264 cycles in all.
//!
//! ```text
//!  start, ratio, second_ratio, offset ──►┌──────┐──► first_valid,  first_at,  first_value  = at ratio
//!  is_unsigned ─────────────────────────►│ fill │──► second_valid, second_at, second_value = RN24(at second_ratio + offset)
//!                                 busy ◄─└──────┘    4 cycles later
//! ```
//! Numbers are two's complement with 35 fraction bits. RN24 rounds to 24 significant bits, ties to even. Entries are made by
//! addition, from the lowest number upwards.

use super::super::delay::Delay;
use crate::prim::prelude::*;

/// Cycles from an entry of the first table to that of the second.
const ROUND_CYCLES: usize = 4;

/// Table writer.
#[derive(LogicBlock)]
pub struct Fill {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Stops.
    pub rst: Signal<In, Bit>,
    /// Begin; only when not `busy`.
    pub start: Signal<In, Bit>,
    /// Entries are for u8, else s8; with `start`.
    pub is_unsigned: Signal<In, Bit>,
    /// Below 2^43; holds while busy.
    pub ratio: Signal<In, Bits<56>>,
    /// Below 2^43; holds while busy.
    pub second_ratio: Signal<In, Bits<56>>,
    /// Magnitude below 2^53; with `start`.
    pub offset: Signal<In, Bits<56>>,
    /// Entries are to come.
    pub busy: Signal<Out, Bit>,
    /// An entry of the first table.
    pub first_valid: Signal<Out, Bit>,
    /// Its number.
    pub first_at: Signal<Out, Bits<8>>,
    /// The entry.
    pub first_value: Signal<Out, Bits<56>>,
    /// An entry of the second table.
    pub second_valid: Signal<Out, Bit>,
    /// Its number.
    pub second_at: Signal<Out, Bits<8>>,
    /// The entry.
    pub second_value: Signal<Out, Bits<56>>,
    active: Reg<Bit>,
    count: Reg<Bits<9>>,
    at: Reg<Bits<8>>,
    first: Reg<Bits<56>>,
    second: Reg<Bits<56>>,
    tag: Delay<9>,
    // Cycle 1: magnitude.
    magnitude: Reg<Bits<56>>,
    negative_1: Reg<Bit>,
    // Cycle 2: with every bit below the first one set.
    value: Reg<Bits<56>>,
    spread: Reg<Bits<56>>,
    negative_2: Reg<Bit>,
    // Cycle 3: rounded.
    rounded: Reg<Bits<56>>,
    negative_3: Reg<Bit>,
    // Cycle 4.
    result: Reg<Bits<56>>,
    valid: Signal<Local, Bit>,
    ratio_inverse: Signal<Local, Bits<56>>,
    second_inverse: Signal<Local, Bits<56>>,
    inverse: Signal<Local, Bits<56>>,
    spread_1: Signal<Local, Bits<56>>,
    spread_2: Signal<Local, Bits<56>>,
    spread_4: Signal<Local, Bits<56>>,
    spread_8: Signal<Local, Bits<56>>,
    spread_16: Signal<Local, Bits<56>>,
    drop: Signal<Local, Bits<56>>,
    half: Signal<Local, Bits<56>>,
    last: Signal<Local, Bits<56>>,
    below: Signal<Local, Bits<56>>,
    kept: Signal<Local, Bits<56>>,
    up: Signal<Local, Bit>,
    rounded_inverse: Signal<Local, Bits<56>>,
}

impl Default for Fill {
    fn default() -> Self {
        Fill {
            clk: Signal::default(),
            rst: Signal::default(),
            start: Signal::default(),
            is_unsigned: Signal::default(),
            ratio: Signal::default(),
            second_ratio: Signal::default(),
            offset: Signal::default(),
            busy: Signal::default(),
            first_valid: Signal::default(),
            first_at: Signal::default(),
            first_value: Signal::default(),
            second_valid: Signal::default(),
            second_at: Signal::default(),
            second_value: Signal::default(),
            active: Reg::default(),
            count: Reg::default(),
            at: Reg::default(),
            first: Reg::default(),
            second: Reg::default(),
            tag: Delay::new(ROUND_CYCLES),
            magnitude: Reg::default(),
            negative_1: Reg::default(),
            value: Reg::default(),
            spread: Reg::default(),
            negative_2: Reg::default(),
            rounded: Reg::default(),
            negative_3: Reg::default(),
            result: Reg::default(),
            valid: Signal::default(),
            ratio_inverse: Signal::default(),
            second_inverse: Signal::default(),
            inverse: Signal::default(),
            spread_1: Signal::default(),
            spread_2: Signal::default(),
            spread_4: Signal::default(),
            spread_8: Signal::default(),
            spread_16: Signal::default(),
            drop: Signal::default(),
            half: Signal::default(),
            last: Signal::default(),
            below: Signal::default(),
            kept: Signal::default(),
            up: Signal::default(),
            rounded_inverse: Signal::default(),
        }
    }
}

impl Logic for Fill {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "fix_fill: the products of every 8-bit number with two factors, one of them with a constant, rounded."
        );
        dff_setup!(self, clk, active, count, at, first, second, magnitude, negative_1, value, spread, negative_2);
        dff_setup!(self, clk, rounded, negative_3, result);
        self.tag.clk.next = self.clk.val();
        self.tag.clear.next = self.rst.val();
        self.busy.next = self.active.q.val();
        self.valid.next = self.active.q.val() & !self.count.q.val().get_bit(8);
        self.first_valid.next = self.valid.val();
        self.first_at.next = self.at.q.val();
        self.first_value.next = self.first.q.val();
        self.tag.now.next = bit_cast::<9, 8>(self.at.q.val()) | (bit_cast::<9, 1>(self.valid.val().into()) << 8);
        self.ratio_inverse.next = !(self.ratio.val() << 7);
        self.second_inverse.next = !(self.second_ratio.val() << 7);
        if self.active.q.val() {
            self.count.d.next = self.count.q.val() + 1;
            self.at.d.next = self.at.q.val() + 1;
            self.first.d.next = self.first.q.val() + self.ratio.val();
            self.second.d.next = self.second.q.val() + self.second_ratio.val();
            // 256 entries, and the cycles of the last rounding.
            if self.count.q.val() == 263 {
                self.active.d.next = false;
            }
        }
        if self.start.val() {
            self.active.d.next = true;
            self.count.d.next = 0.into();
            self.at.d.next = 0.into();
            self.first.d.next = 0.into();
            self.second.d.next = self.offset.val();
            if !self.is_unsigned.val() {
                self.at.d.next = 128.into();
                self.first.d.next = self.ratio_inverse.val() + 1;
                self.second.d.next = self.offset.val() + self.second_inverse.val() + 1;
            }
        }
        // Sign and magnitude.
        self.inverse.next = !self.second.q.val();
        self.negative_1.d.next = self.second.q.val().get_bit(55);
        self.magnitude.d.next = self.second.q.val();
        if self.second.q.val().get_bit(55) {
            self.magnitude.d.next = self.inverse.val() + 1;
        }
        // Where the first one is.
        self.spread_1.next = self.magnitude.q.val() | (self.magnitude.q.val() >> 1);
        self.spread_2.next = self.spread_1.val() | (self.spread_1.val() >> 2);
        self.spread_4.next = self.spread_2.val() | (self.spread_2.val() >> 4);
        self.spread_8.next = self.spread_4.val() | (self.spread_4.val() >> 8);
        self.spread_16.next = self.spread_8.val() | (self.spread_8.val() >> 16);
        self.spread.d.next = self.spread_16.val() | (self.spread_16.val() >> 32);
        self.value.d.next = self.magnitude.q.val();
        self.negative_2.d.next = self.negative_1.q.val();
        // Bits 24 and more places below it are dropped, the highest of them is the half, above it the last that is kept.
        self.drop.next = self.spread.q.val() >> 24;
        self.half.next = self.drop.val() ^ (self.drop.val() >> 1);
        self.last.next = self.half.val() << 1;
        self.below.next = self.value.q.val() & (self.drop.val() >> 1);
        self.kept.next = self.value.q.val() & !self.drop.val();
        self.up.next = ((self.value.q.val() & self.half.val()) != 0)
            & ((self.below.val() != 0) | ((self.value.q.val() & self.last.val()) != 0));
        self.rounded.d.next = self.kept.val();
        if self.up.val() {
            self.rounded.d.next = self.kept.val() + self.last.val();
        }
        self.negative_3.d.next = self.negative_2.q.val();
        self.rounded_inverse.next = !self.rounded.q.val();
        self.result.d.next = self.rounded.q.val();
        if self.negative_3.q.val() {
            self.result.d.next = self.rounded_inverse.val() + 1;
        }
        self.second_valid.next = self.tag.later.val().get_bit(8);
        self.second_at.next = self.tag.later.val().get_bits::<8>(0);
        self.second_value.next = self.result.q.val();
        if self.rst.val() {
            self.active.d.next = false;
        }
    }
}
