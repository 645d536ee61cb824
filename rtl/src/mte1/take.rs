// SPDX-License-Identifier: Apache-2.0
//! The head of MTE1: state registers, and the slot in which the next instruction waits, taken apart and checked.
//!
//! ```text
//!  op_valid, op_word, op_pc ──►┌──────┐──► ready, every operand      from the cycle after the transfer until `free`
//!  op_ready ◄──────────────────│ take │──► bad, cause                instead of ready: the instruction may not start
//!  set_* ─────────────────────►└──────┘──► fractals                  1 cycle after the operands
//! ```
//! The state registers of the feature map, their check and the time that their products take are those of `im2col`.
//! A SET acts on the instructions taken in later cycles.

use crate::prim::prelude::*;
use isa::{Cause, Dtype, state::mte1};

/// State registers and the waiting instruction.
#[derive(LogicBlock)]
pub struct Take {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Empties the slot, state registers to their reset values.
    pub rst: Signal<In, Bit>,
    /// An instruction is offered.
    pub op_valid: Signal<In, Bit>,
    /// It is taken.
    pub op_ready: Signal<Out, Bit>,
    /// Its words.
    pub op_word: Vec<Signal<In, Bits<32>>>,
    /// Its byte offset in the program.
    pub op_pc: Signal<In, Bits<32>>,
    /// A state register is written.
    pub set_valid: Signal<In, Bit>,
    /// Which.
    pub set_register: Signal<In, Bits<8>>,
    /// Its new value.
    pub set_value: Signal<In, Bits<32>>,
    /// Take nothing.
    pub hold: Signal<In, Bit>,
    /// The feature map of the mte1.im2col in the slot is illegal.
    pub map_bad: Signal<In, Bit>,
    /// State registers of the im2col in the slot were not written.
    pub map_unset: Signal<In, Bit>,
    /// It is ready.
    pub map_done: Signal<In, Bit>,
    /// The instruction in the slot starts this cycle.
    pub free: Signal<In, Bit>,
    /// An mte1.im2col goes into the slot this cycle.
    pub map_accept: Signal<Out, Bit>,
    /// An instruction is in the slot.
    pub full: Signal<Out, Bit>,
    /// It may start.
    pub ready: Signal<Out, Bit>,
    /// It may never start.
    pub bad: Signal<Out, Bit>,
    /// Why (`isa::Cause`).
    pub cause: Signal<Out, Bits<8>>,
    /// mte1.loadfb, else a tile load.
    pub is_fb: Signal<Out, Bit>,
    /// mte1.im2col.
    pub mapped: Signal<Out, Bit>,
    /// Into L0B, else L0A.
    pub side_b: Signal<Out, Bit>,
    /// Transposed.
    pub turned: Signal<Out, Bit>,
    /// dtype s8, else u8.
    pub is_signed: Signal<Out, Bit>,
    /// L1 address.
    pub address: Signal<Out, Bits<24>>,
    /// Panel stride.
    pub stride: Signal<Out, Bits<24>>,
    /// Rows, or first channel.
    pub rows: Signal<Out, Bits<16>>,
    /// Bytes of k, or channels.
    pub k: Signal<Out, Bits<16>>,
    /// First fractal.
    pub fractal: Signal<Out, Bits<16>>,
    /// Fractals per 16 rows: ceil(k/32).
    pub fractals_k: Signal<Out, Bits<16>>,
    /// Fractals of the tile, a cycle later than the other operands.
    pub fractals: Signal<Out, Bits<24>>,
    /// FB field.
    pub field: Signal<Out, Bits<2>>,
    /// One of the set slots is early.
    pub early: Signal<Out, Bit>,
    /// Zero points per row, from FB.
    pub per_row: Signal<Out, Bit>,
    /// The zero point of all rows otherwise.
    pub zero: Signal<Out, Bits<9>>,
    /// FB channel of row 0.
    pub zero_channel: Signal<Out, Bits<16>>,
    /// Byte offset in the program.
    pub pc: Signal<Out, Bits<32>>,
    zero_a: Reg<Bits<32>>,
    zero_b: Reg<Bits<32>>,
    source: Reg<Bits<2>>,
    channel_a: Reg<Bits<16>>,
    channel_b: Reg<Bits<16>>,
    held: Reg<Bit>,
    kind: Reg<Bits<2>>,
    w2: Reg<Bits<8>>,
    w3: Reg<Bits<24>>,
    w4: Reg<Bits<24>>,
    w5: Reg<Bits<32>>,
    w6: Reg<Bits<16>>,
    early_set: Reg<Bit>,
    word_pc: Reg<Bits<32>>,
    rows16: Reg<Bits<24>>,
    k32: Reg<Bits<24>>,
    product: Reg<Bits<24>>,
    rowwise: Reg<Bit>,
    zero_value: Reg<Bits<32>>,
    zero_first: Reg<Bits<16>>,
    accept: Signal<Local, Bit>,
    w1: Signal<Local, Bits<32>>,
    dtype: Signal<Local, Bits<8>>,
    rows_in: Signal<Local, Bits<24>>,
    k_in: Signal<Local, Bits<24>>,
    fits: Signal<Local, Bit>,
    wide_product: Signal<Local, Int<28>>,
    is_map: Signal<Local, Bit>,
    refused: Signal<Local, Bit>,
    register_zero_a: Constant<Bits<8>>,
    register_zero_b: Constant<Bits<8>>,
    register_source: Constant<Bits<8>>,
    register_channel_a: Constant<Bits<8>>,
    register_channel_b: Constant<Bits<8>>,
    dtype_s8: Constant<Bits<8>>,
    dtype_u8: Constant<Bits<8>>,
    cause_unsupported: Constant<Bits<8>>,
    cause_zero_point: Constant<Bits<8>>,
    cause_unset: Constant<Bits<8>>,
    cause_register: Constant<Bits<8>>,
}

impl Default for Take {
    fn default() -> Self {
        let byte = |value: u8| Constant::new(u64::from(value).into());
        Take {
            clk: Signal::default(),
            rst: Signal::default(),
            op_valid: Signal::default(),
            op_ready: Signal::default(),
            op_word: vec![Signal::default(); 8],
            op_pc: Signal::default(),
            set_valid: Signal::default(),
            set_register: Signal::default(),
            set_value: Signal::default(),
            hold: Signal::default(),
            map_bad: Signal::default(),
            map_unset: Signal::default(),
            map_done: Signal::default(),
            free: Signal::default(),
            map_accept: Signal::default(),
            full: Signal::default(),
            ready: Signal::default(),
            bad: Signal::default(),
            cause: Signal::default(),
            is_fb: Signal::default(),
            mapped: Signal::default(),
            side_b: Signal::default(),
            turned: Signal::default(),
            is_signed: Signal::default(),
            address: Signal::default(),
            stride: Signal::default(),
            rows: Signal::default(),
            k: Signal::default(),
            fractal: Signal::default(),
            fractals_k: Signal::default(),
            fractals: Signal::default(),
            field: Signal::default(),
            early: Signal::default(),
            per_row: Signal::default(),
            zero: Signal::default(),
            zero_channel: Signal::default(),
            pc: Signal::default(),
            zero_a: Reg::default(),
            zero_b: Reg::default(),
            source: Reg::default(),
            channel_a: Reg::default(),
            channel_b: Reg::default(),
            held: Reg::default(),
            kind: Reg::default(),
            w2: Reg::default(),
            w3: Reg::default(),
            w4: Reg::default(),
            w5: Reg::default(),
            w6: Reg::default(),
            early_set: Reg::default(),
            word_pc: Reg::default(),
            rows16: Reg::default(),
            k32: Reg::default(),
            product: Reg::default(),
            rowwise: Reg::default(),
            zero_value: Reg::default(),
            zero_first: Reg::default(),
            accept: Signal::default(),
            w1: Signal::default(),
            dtype: Signal::default(),
            rows_in: Signal::default(),
            k_in: Signal::default(),
            fits: Signal::default(),
            wide_product: Signal::default(),
            is_map: Signal::default(),
            refused: Signal::default(),
            register_zero_a: byte(mte1::ZERO_POINT_A),
            register_zero_b: byte(mte1::ZERO_POINT_B),
            register_source: byte(mte1::ZERO_POINT_SOURCE),
            register_channel_a: byte(mte1::ZERO_POINT_CHANNEL_A),
            register_channel_b: byte(mte1::ZERO_POINT_CHANNEL_B),
            dtype_s8: byte(Dtype::S8.code()),
            dtype_u8: byte(Dtype::U8.code()),
            cause_unsupported: byte(Cause::Unsupported.code()),
            cause_zero_point: byte(Cause::BadZeroPoint.code()),
            cause_unset: byte(Cause::UnsetRegister.code()),
            cause_register: byte(Cause::BadRegister.code()),
        }
    }
}

impl Logic for Take {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "mte1_take: state registers, and the slot in which the next instruction waits, taken apart and checked."
        );
        dff_setup!(self, clk, zero_a, zero_b, source, channel_a, channel_b);
        dff_setup!(self, clk, held, kind, w2, w3, w4, w5, w6, early_set, word_pc);
        dff_setup!(self, clk, rows16, k32, product, rowwise, zero_value, zero_first);
        if self.set_valid.val() {
            if self.set_register.val() == self.register_zero_a.val() {
                self.zero_a.d.next = self.set_value.val();
            }
            if self.set_register.val() == self.register_zero_b.val() {
                self.zero_b.d.next = self.set_value.val();
            }
            if self.set_register.val() == self.register_source.val() {
                self.source.d.next = bit_cast::<2, 32>(self.set_value.val());
            }
            if self.set_register.val() == self.register_channel_a.val() {
                self.channel_a.d.next = bit_cast::<16, 32>(self.set_value.val());
            }
            if self.set_register.val() == self.register_channel_b.val() {
                self.channel_b.d.next = bit_cast::<16, 32>(self.set_value.val());
            }
        }
        // Taking: everything an instruction needs is captured in one cycle.
        self.op_ready.next = !self.held.q.val() & !self.hold.val();
        self.accept.next = self.op_valid.val() & !self.held.q.val() & !self.hold.val();
        self.map_accept.next = self.accept.val() & (self.op_word[0].val().get_bits::<2>(0) == 3);
        self.w1.next = self.op_word[1].val();
        self.rows_in.next = bit_cast::<24, 16>(self.op_word[5].val().get_bits::<16>(0));
        self.k_in.next = bit_cast::<24, 16>(self.op_word[5].val().get_bits::<16>(16));
        if self.accept.val() {
            self.held.d.next = true;
            self.kind.d.next = self.op_word[0].val().get_bits::<2>(0);
            self.w2.d.next = self.op_word[2].val().get_bits::<8>(0);
            self.w3.d.next = self.op_word[3].val().get_bits::<24>(0);
            self.w4.d.next = self.op_word[4].val().get_bits::<24>(0);
            self.w5.d.next = self.op_word[5].val();
            self.w6.d.next = self.op_word[6].val().get_bits::<16>(0);
            self.word_pc.d.next = self.op_pc.val();
            self.early_set.d.next = (self.w1.val().get_bit(0) & self.w1.val().get_bit(7))
                | (self.w1.val().get_bit(8) & self.w1.val().get_bit(15))
                | (self.w1.val().get_bit(16) & self.w1.val().get_bit(23));
            self.rows16.d.next = (self.rows_in.val() + 15) >> 4;
            self.k32.d.next = (self.k_in.val() + 31) >> 5;
            if self.op_word[0].val().get_bits::<2>(0) == 1 {
                self.rowwise.d.next = self.source.q.val().get_bit(1);
                self.zero_value.d.next = self.zero_b.q.val();
                self.zero_first.d.next = self.channel_b.q.val();
            } else {
                self.rowwise.d.next = self.source.q.val().get_bit(0);
                self.zero_value.d.next = self.zero_a.q.val();
                self.zero_first.d.next = self.channel_a.q.val();
            }
        }
        self.wide_product.next = (signed_cast_int(bit_cast::<14, 24>(self.rows16.q.val()))
            * signed_cast_int(bit_cast::<14, 24>(self.k32.q.val())))
        .into();
        self.product.d.next = bit_cast::<24, 28>(unsigned_cast_int(self.wide_product.val()));
        // Checking.
        self.dtype.next = self.w2.q.val() >> 4;
        if self.dtype.val() == self.dtype_s8.val() {
            self.fits.next = ((self.zero_value.q.val() >> 7) == 0) | ((self.zero_value.q.val() >> 7) == 0x1FF_FFFF);
        } else {
            self.fits.next = (self.zero_value.q.val() >> 8) == 0;
        }
        self.refused.next = false;
        self.cause.next = 0.into();
        self.is_map.next = self.kind.q.val() == 3;
        if self.kind.q.val() != 2 {
            if (self.dtype.val() != self.dtype_s8.val()) & (self.dtype.val() != self.dtype_u8.val()) {
                self.refused.next = true;
                self.cause.next = self.cause_unsupported.val();
            } else if self.is_map.val() & self.map_unset.val() {
                self.refused.next = true;
                self.cause.next = self.cause_unset.val();
            } else if self.is_map.val() & self.map_bad.val() {
                self.refused.next = true;
                self.cause.next = self.cause_register.val();
            } else if !self.rowwise.q.val() & !self.fits.val() {
                self.refused.next = true;
                self.cause.next = self.cause_zero_point.val();
            }
        }
        self.full.next = self.held.q.val();
        self.ready.next = self.held.q.val() & !self.refused.val() & (self.map_done.val() | !self.is_map.val());
        self.bad.next = self.held.q.val() & self.refused.val();
        self.is_fb.next = self.kind.q.val() == 2;
        self.mapped.next = self.is_map.val();
        self.side_b.next = self.kind.q.val() == 1;
        self.turned.next = self.w2.q.val().get_bit(0);
        self.is_signed.next = self.dtype.val() == self.dtype_s8.val();
        self.address.next = self.w3.q.val();
        self.stride.next = self.w4.q.val();
        self.rows.next = self.w5.q.val().get_bits::<16>(0);
        self.k.next = self.w5.q.val().get_bits::<16>(16);
        self.fractal.next = self.w6.q.val();
        self.fractals_k.next = bit_cast::<16, 24>(self.k32.q.val());
        self.fractals.next = self.product.q.val();
        self.field.next = self.w2.q.val().get_bits::<2>(0);
        self.early.next = self.early_set.q.val();
        self.per_row.next = self.rowwise.q.val();
        self.zero.next = bit_cast::<9, 32>(self.zero_value.q.val());
        self.zero_channel.next = self.zero_first.q.val();
        self.pc.next = self.word_pc.q.val();
        if self.free.val() {
            self.held.d.next = false;
        }
        if self.rst.val() {
            self.held.d.next = false;
            self.zero_a.d.next = 0.into();
            self.zero_b.d.next = 0.into();
            self.source.d.next = 0.into();
            self.channel_a.d.next = 0.into();
            self.channel_b.d.next = 0.into();
        }
    }
}
