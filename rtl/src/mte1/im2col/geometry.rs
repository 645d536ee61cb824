// SPDX-License-Identifier: Apache-2.0
//! The feature map of the mte1.im2col in the slot: its state registers, their check, and the products that it starts from.
//!
//! ```text
//!  set_* ─────────►┌──────────┐──► unset, bad               from the cycle after `accept`
//!  accept, words ─►│ geometry │──► done, every operand      some 20 cycles later, at most 40
//!                  └──────────┘
//! ```
//! Captured with the instruction, because a SET may follow it before it starts. Three serial multipliers work in three rounds:
//!
//! | round | `across` | `along` | `down` |
//! |---|---|---|---|
//! | 1 | p = origin_x + out_x step_x | tap p = tap_x tap_step_x | y = origin_y + out_y step_y |
//! | 2 | out_width step_x | step_y line_stride | y += tap_y tap_step_y |
//! | 3 | | tap_step_y line_stride | l1_address + y line_stride |

use super::Product;
use crate::prim::prelude::*;
use isa::state::mte1;

/// State registers, captured operands and products.
#[derive(LogicBlock)]
pub struct Geometry {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Not done.
    pub rst: Signal<In, Bit>,
    /// A state register is written.
    pub set_valid: Signal<In, Bit>,
    /// Which.
    pub set_register: Signal<In, Bits<8>>,
    /// Its new value.
    pub set_value: Signal<In, Bits<32>>,
    /// An mte1.im2col is taken into the slot.
    pub accept: Signal<In, Bit>,
    /// Its words.
    pub word: Vec<Signal<In, Bits<32>>>,
    /// A state register was not written since the reset.
    pub unset: Signal<Out, Bit>,
    /// A state register has an illegal value, or an operand that goes with it.
    pub bad: Signal<Out, Bit>,
    /// Everything below is there.
    pub done: Signal<Out, Bit>,
    /// Lines of the map.
    pub map_height: Signal<Out, Bits<16>>,
    /// Bytes of a line.
    pub map_width: Signal<Out, Bits<24>>,
    /// Output pixels of a line.
    pub out_width: Signal<Out, Bits<16>>,
    /// Taps per line of the kernel.
    pub taps_x: Signal<Out, Bits<8>>,
    /// Bytes of a tap.
    pub tap_bytes: Signal<Out, Bits<16>>,
    /// Lines from tap to tap.
    pub tap_step_y: Signal<Out, Bits<8>>,
    /// Bytes from tap to tap.
    pub tap_step_x: Signal<Out, Bits<24>>,
    /// L1 bytes from a line of taps to the next.
    pub tap_step_line: Signal<Out, Bits<26>>,
    /// Lines from output line to output line.
    pub step_y: Signal<Out, Bits<8>>,
    /// Bytes from output pixel to output pixel.
    pub step_x: Signal<Out, Bits<24>>,
    /// Bytes over all output pixels of a line: out_width step_x.
    pub line_x: Signal<Out, Bits<26>>,
    /// L1 bytes from the end of an output line to the start of the next: step_y line_stride - out_width step_x.
    pub turn_x: Signal<Out, Bits<26>>,
    /// First output pixel: place in its line.
    pub x: Signal<Out, Bits<16>>,
    /// Its line in the map for the first tap.
    pub y: Signal<Out, Bits<26>>,
    /// Its byte in that line, less the tap's.
    pub p: Signal<Out, Bits<26>>,
    /// L1 address of that byte.
    pub a: Signal<Out, Bits<26>>,
    /// First tap: place in its line of taps.
    pub tap_x: Signal<Out, Bits<8>>,
    /// Its first byte, counted from tap 0 of the line.
    pub tap_p: Signal<Out, Bits<26>>,
    /// First byte within the first tap.
    pub tap_byte: Signal<Out, Bits<16>>,
    registers: Vec<Reg<Bits<32>>>,
    held: Vec<Reg<Bits<32>>>,
    known: Vec<Reg<Bit>>,
    unset_held: Reg<Bit>,
    from_fb: Reg<Bit>,
    from_fb_held: Reg<Bit>,
    address: Reg<Bits<24>>,
    taps: Reg<Bits<16>>,
    outs: Reg<Bits<32>>,
    byte_at: Reg<Bits<16>>,
    round: Reg<Bits<3>>,
    finished: Reg<Bit>,
    start_p: Reg<Bits<26>>,
    start_y: Reg<Bits<26>>,
    start_tap: Reg<Bits<26>>,
    step_line: Reg<Bits<26>>,
    across: Product,
    along: Product,
    down: Product,
    some_unset: Signal<Local, Bit>,
    advance: Signal<Local, Bit>,
    origin_y: Signal<Local, Bits<32>>,
    origin_x: Signal<Local, Bits<32>>,
    stride: Signal<Local, Bits<24>>,
    index: Vec<Constant<Bits<8>>>,
    source: Constant<Bits<8>>,
}

/// State registers of the map, in the order of the table `registers`.
const REGISTERS: [u8; 12] = [
    mte1::MAP_HEIGHT,
    mte1::MAP_WIDTH,
    mte1::LINE_STRIDE,
    mte1::OUT_WIDTH,
    mte1::STEP_Y,
    mte1::STEP_X,
    mte1::TAPS_X,
    mte1::TAP_BYTES,
    mte1::TAP_STEP_Y,
    mte1::TAP_STEP_X,
    mte1::ORIGIN_Y,
    mte1::ORIGIN_X,
];

impl Default for Geometry {
    fn default() -> Self {
        Geometry {
            clk: Signal::default(),
            rst: Signal::default(),
            set_valid: Signal::default(),
            set_register: Signal::default(),
            set_value: Signal::default(),
            accept: Signal::default(),
            word: vec![Signal::default(); 8],
            unset: Signal::default(),
            bad: Signal::default(),
            done: Signal::default(),
            map_height: Signal::default(),
            map_width: Signal::default(),
            out_width: Signal::default(),
            taps_x: Signal::default(),
            tap_bytes: Signal::default(),
            tap_step_y: Signal::default(),
            tap_step_x: Signal::default(),
            tap_step_line: Signal::default(),
            step_y: Signal::default(),
            step_x: Signal::default(),
            line_x: Signal::default(),
            turn_x: Signal::default(),
            x: Signal::default(),
            y: Signal::default(),
            p: Signal::default(),
            a: Signal::default(),
            tap_x: Signal::default(),
            tap_p: Signal::default(),
            tap_byte: Signal::default(),
            registers: vec![Reg::default(); REGISTERS.len()],
            held: vec![Reg::default(); REGISTERS.len()],
            known: vec![Reg::default(); REGISTERS.len()],
            unset_held: Reg::default(),
            from_fb: Reg::default(),
            from_fb_held: Reg::default(),
            address: Reg::default(),
            taps: Reg::default(),
            outs: Reg::default(),
            byte_at: Reg::default(),
            round: Reg::default(),
            finished: Reg::default(),
            start_p: Reg::default(),
            start_y: Reg::default(),
            start_tap: Reg::default(),
            step_line: Reg::default(),
            across: Product::default(),
            along: Product::default(),
            down: Product::default(),
            some_unset: Signal::default(),
            advance: Signal::default(),
            origin_y: Signal::default(),
            origin_x: Signal::default(),
            stride: Signal::default(),
            index: REGISTERS.iter().map(|index| Constant::new(u64::from(*index).into())).collect(),
            source: Constant::new(u64::from(mte1::ZERO_POINT_SOURCE).into()),
        }
    }
}

impl Logic for Geometry {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "mte1_geometry: the feature map of the im2col in the slot, its check and the products that it starts from."
        );
        dff_setup!(self, clk, unset_held, from_fb, from_fb_held, address, taps, outs, byte_at, round, finished);
        dff_setup!(self, clk, start_p, start_y, start_tap, step_line);
        self.some_unset.next = false;
        for i in 0..12 {
            self.registers[i].clock.next = self.clk.val();
            self.registers[i].d.next = self.registers[i].q.val();
            self.known[i].clock.next = self.clk.val();
            self.known[i].d.next = self.known[i].q.val();
            if self.set_valid.val() & (self.set_register.val() == self.index[i].val()) {
                self.registers[i].d.next = self.set_value.val();
                self.known[i].d.next = true;
            }
            if self.rst.val() {
                self.known[i].d.next = false;
            }
            if !self.known[i].q.val() {
                self.some_unset.next = true;
            }
            self.held[i].clock.next = self.clk.val();
            self.held[i].d.next = self.held[i].q.val();
            if self.accept.val() {
                self.held[i].d.next = self.registers[i].q.val();
            }
        }
        if self.set_valid.val() & (self.set_register.val() == self.source.val()) {
            self.from_fb.d.next = self.set_value.val().get_bit(0);
        }
        self.map_height.next = self.held[0].q.val().get_bits::<16>(0);
        self.map_width.next = self.held[1].q.val().get_bits::<24>(0);
        self.stride.next = self.held[2].q.val().get_bits::<24>(0);
        self.out_width.next = self.held[3].q.val().get_bits::<16>(0);
        self.step_y.next = self.held[4].q.val().get_bits::<8>(0);
        self.step_x.next = self.held[5].q.val().get_bits::<24>(0);
        self.taps_x.next = self.held[6].q.val().get_bits::<8>(0);
        self.tap_bytes.next = self.held[7].q.val().get_bits::<16>(0);
        self.tap_step_y.next = self.held[8].q.val().get_bits::<8>(0);
        self.tap_step_x.next = self.held[9].q.val().get_bits::<24>(0);
        self.origin_y.next = self.held[10].q.val();
        self.origin_x.next = self.held[11].q.val();
        // The check.
        self.unset.next = self.unset_held.q.val();
        self.bad.next = self.from_fb_held.q.val()
            | (self.held[3].q.val() == 0)
            | (self.held[6].q.val() == 0)
            | (self.held[7].q.val() == 0)
            | (bit_cast::<32, 16>(self.outs.q.val().get_bits::<16>(16)) >= self.held[3].q.val())
            | (bit_cast::<32, 8>(self.taps.q.val().get_bits::<8>(8)) >= self.held[6].q.val())
            | (bit_cast::<32, 16>(self.byte_at.q.val()) >= self.held[7].q.val())
            | (((self.origin_y.val() >> 15) != 0) & ((self.origin_y.val() >> 15) != 0x1_FFFF))
            | (((self.origin_x.val() >> 23) != 0) & ((self.origin_x.val() >> 23) != 0x1FF));
        // The rounds.
        self.advance.next =
            (self.round.q.val() != 0) & !self.across.busy.val() & !self.along.busy.val() & !self.down.busy.val();
        self.across.clk.next = self.clk.val();
        self.along.clk.next = self.clk.val();
        self.down.clk.next = self.clk.val();
        self.across.start.next = self.advance.val() & ((self.round.q.val() == 1) | (self.round.q.val() == 2));
        self.along.start.next = self.advance.val() & (self.round.q.val() != 4);
        self.down.start.next = self.advance.val() & (self.round.q.val() != 4);
        self.across.addend.next = bit_cast::<26, 24>(self.step_x.val());
        self.along.base.next = 0.into();
        if self.round.q.val() == 1 {
            self.across.base.next = self.origin_x.val().get_bits::<26>(0);
            self.across.factor.next = bit_cast::<24, 16>(self.outs.q.val().get_bits::<16>(16));
            self.along.addend.next = bit_cast::<26, 24>(self.tap_step_x.val());
            self.along.factor.next = bit_cast::<24, 8>(self.taps.q.val().get_bits::<8>(8));
            self.down.base.next = self.origin_y.val().get_bits::<26>(0);
            self.down.addend.next = bit_cast::<26, 16>(self.outs.q.val().get_bits::<16>(0));
            self.down.factor.next = bit_cast::<24, 8>(self.step_y.val());
        } else if self.round.q.val() == 2 {
            self.across.base.next = 0.into();
            self.across.factor.next = bit_cast::<24, 16>(self.out_width.val());
            self.along.addend.next = bit_cast::<26, 24>(self.stride.val());
            self.along.factor.next = bit_cast::<24, 8>(self.step_y.val());
            self.down.base.next = self.down.total.val();
            self.down.addend.next = bit_cast::<26, 8>(self.tap_step_y.val());
            self.down.factor.next = bit_cast::<24, 8>(self.taps.q.val().get_bits::<8>(0));
        } else {
            self.across.base.next = 0.into();
            self.across.factor.next = 0.into();
            self.along.addend.next = bit_cast::<26, 24>(self.stride.val());
            self.along.factor.next = bit_cast::<24, 8>(self.tap_step_y.val());
            self.down.base.next = bit_cast::<26, 24>(self.address.q.val());
            self.down.addend.next = self.down.total.val();
            self.down.factor.next = self.stride.val();
        }
        if self.advance.val() {
            self.round.d.next = self.round.q.val() + 1;
            if self.round.q.val() == 2 {
                self.start_p.d.next = self.across.total.val();
                self.start_tap.d.next = self.along.total.val();
            }
            if self.round.q.val() == 3 {
                self.start_y.d.next = self.down.total.val();
                self.step_line.d.next = self.along.total.val();
            }
            if self.round.q.val() == 4 {
                self.round.d.next = 0.into();
                self.finished.d.next = true;
            }
        }
        if self.accept.val() {
            self.unset_held.d.next = self.some_unset.val();
            self.from_fb_held.d.next = self.from_fb.q.val();
            self.taps.d.next = self.word[2].val().get_bits::<16>(8);
            self.address.d.next = self.word[3].val().get_bits::<24>(0);
            self.outs.d.next = self.word[4].val();
            self.byte_at.d.next = self.word[6].val().get_bits::<16>(16);
            self.round.d.next = 1.into();
            self.finished.d.next = false;
        }
        self.done.next = self.finished.q.val();
        self.line_x.next = self.across.total.val();
        self.turn_x.next = self.step_line.q.val() - self.across.total.val();
        self.tap_step_line.next = self.along.total.val();
        self.x.next = self.outs.q.val().get_bits::<16>(16);
        self.y.next = self.start_y.q.val();
        self.p.next = self.start_p.q.val();
        self.a.next = self.down.total.val() + self.start_p.q.val();
        self.tap_x.next = self.taps.q.val().get_bits::<8>(8);
        self.tap_p.next = self.start_tap.q.val();
        self.tap_byte.next = self.byte_at.q.val();
        if self.rst.val() {
            self.round.d.next = 0.into();
            self.finished.d.next = false;
            self.from_fb.d.next = false;
        }
    }
}
