// SPDX-License-Identifier: Apache-2.0
//! FB, the parameter buffer: bias, scale, shift and zero point of every channel.
//!
//! ```text
//!  write_valid, write_field, write_channel, write_data ──►┌────┐──► fix_bias[i], fix_scale[i], fix_shift[i]     channel fix_channel + i,
//!  fix_channel ──────────────────────────────────────────►│ fb │                                                2 cycles later
//!  zero_channel ─────────────────────────────────────────►└────┘──► zero_point     2 cycles later
//! ```
//! Channel c lies in bank c mod C, so FIX gets any C = max(1, lanes/M0) consecutive channels per cycle. A channel beyond the
//! buffer wraps; the engines check before they ask. Reading a channel in the cycle in which it is written gives an undefined value.
//! Page: `docs/units/fb.md`. Test: `tests/units/fb.rs`.

use crate::prim::prelude::*;
use crate::rotate::Rotate;

/// The parameter buffer.
#[derive(LogicBlock)]
pub struct Fb {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Writes one value of one channel.
    pub write_valid: Signal<In, Bit>,
    /// Which: 0 bias, 1 scale, 2 shift, 3 zero point (`isa::FbField`).
    pub write_field: Signal<In, Bits<2>>,
    /// Channel, below the number of channels.
    pub write_channel: Signal<In, Bits<16>>,
    /// Value in the low bits: 32, 32, 8 or 9 are kept.
    pub write_data: Signal<In, Bits<32>>,
    /// First channel that FIX asks for, any number.
    pub fix_channel: Signal<In, Bits<16>>,
    /// Biases of channels `fix_channel + i`, 2 cycles later.
    pub fix_bias: Vec<Signal<Out, Bits<32>>>,
    /// Scales (fp32 bits) of channels `fix_channel + i`, 2 cycles later.
    pub fix_scale: Vec<Signal<Out, Bits<32>>>,
    /// Shifts of channels `fix_channel + i`, 2 cycles later.
    pub fix_shift: Vec<Signal<Out, Bits<8>>>,
    /// Channel whose zero point MTE1 asks for.
    pub zero_channel: Signal<In, Bits<16>>,
    /// That zero point (signed 9 bits), 2 cycles later.
    pub zero_point: Signal<Out, Bits<9>>,
    bias: Vec<Ram<32>>,
    scale: Vec<Ram<32>>,
    shift: Vec<Ram<8>>,
    zero: Ram<9>,
    bias_order: Rotate<32>,
    scale_order: Rotate<32>,
    shift_order: Rotate<8>,
    first_bank: Reg<Bits<4>>,
    bias_out: Vec<Reg<Bits<32>>>,
    scale_out: Vec<Reg<Bits<32>>>,
    shift_out: Vec<Reg<Bits<8>>>,
    zero_out: Reg<Bits<9>>,
    write_bank: Signal<Local, Bits<16>>,
    write_word: Signal<Local, Bits<16>>,
    bank_bits: Constant<Bits<4>>,
    bank_mask: Constant<Bits<16>>,
    _banks: usize,
}

impl Fb {
    /// The buffer of this core.
    pub fn new(config: &isa::Config) -> Self {
        let banks = (config.fix_lanes / config.m0).max(1);
        assert!(banks.is_power_of_two() && banks <= 16, "FIX asks for 1, 2, 4, 8 or 16 channels, not {banks}");
        let words = (config.fb_channels / banks).max(2);
        Fb {
            clk: Signal::default(),
            write_valid: Signal::default(),
            write_field: Signal::default(),
            write_channel: Signal::default(),
            write_data: Signal::default(),
            fix_channel: Signal::default(),
            fix_bias: vec![Signal::default(); banks],
            fix_scale: vec![Signal::default(); banks],
            fix_shift: vec![Signal::default(); banks],
            zero_channel: Signal::default(),
            zero_point: Signal::default(),
            bias: vec![Ram::whole(words, 1); banks],
            scale: vec![Ram::whole(words, 1); banks],
            shift: vec![Ram::whole(words, 1); banks],
            zero: Ram::whole(config.fb_channels, 1),
            bias_order: Rotate::new(banks),
            scale_order: Rotate::new(banks),
            shift_order: Rotate::new(banks),
            first_bank: Reg::default(),
            bias_out: vec![Reg::default(); banks],
            scale_out: vec![Reg::default(); banks],
            shift_out: vec![Reg::default(); banks],
            zero_out: Reg::default(),
            write_bank: Signal::default(),
            write_word: Signal::default(),
            bank_bits: Constant::new(u64::from(banks.trailing_zeros()).into()),
            bank_mask: Constant::new((banks as u64 - 1).into()),
            _banks: banks,
        }
    }
}

impl Logic for Fb {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("fb_{fix_bias[]}: bias, scale, shift and zero point of every channel.");
        dff_setup!(self, clk, first_bank, zero_out);
        self.write_bank.next = self.write_channel.val() & self.bank_mask.val();
        self.write_word.next = self.write_channel.val() >> self.bank_bits.val();
        self.first_bank.d.next = bit_cast::<4, 16>(self.fix_channel.val() & self.bank_mask.val());
        self.bias_order.amount.next = self.first_bank.q.val();
        self.scale_order.amount.next = self.first_bank.q.val();
        self.shift_order.amount.next = self.first_bank.q.val();
        for n in self._banks..(self._banks + 1) {
            for b in 0..self._banks {
                self.bias[b].clock.next = self.clk.val();
                self.scale[b].clock.next = self.clk.val();
                self.shift[b].clock.next = self.clk.val();
                self.bias[b].write_enable[0].next = self.write_valid.val()
                    & (self.write_field.val() == 0)
                    & (self.write_bank.val() == b.to_bits::<16>());
                self.scale[b].write_enable[0].next = self.write_valid.val()
                    & (self.write_field.val() == 1)
                    & (self.write_bank.val() == b.to_bits::<16>());
                self.shift[b].write_enable[0].next = self.write_valid.val()
                    & (self.write_field.val() == 2)
                    & (self.write_bank.val() == b.to_bits::<16>());
                self.bias[b].write_address.next = self.write_word.val();
                self.scale[b].write_address.next = self.write_word.val();
                self.shift[b].write_address.next = self.write_word.val();
                self.bias[b].write[0].next = self.write_data.val();
                self.scale[b].write[0].next = self.write_data.val();
                self.shift[b].write[0].next = bit_cast::<8, 32>(self.write_data.val());
                self.bias[b].read_enable.next = true;
                self.scale[b].read_enable.next = true;
                self.shift[b].read_enable.next = true;
                // Banks below the first one hold channels of the next word.
                self.bias[b].read_address.next =
                    (self.fix_channel.val() + (n - 1 - b).to_bits::<16>()) >> self.bank_bits.val();
                self.scale[b].read_address.next =
                    (self.fix_channel.val() + (n - 1 - b).to_bits::<16>()) >> self.bank_bits.val();
                self.shift[b].read_address.next =
                    (self.fix_channel.val() + (n - 1 - b).to_bits::<16>()) >> self.bank_bits.val();
                self.bias_order.lane[b].next = self.bias[b].read[0].val();
                self.scale_order.lane[b].next = self.scale[b].read[0].val();
                self.shift_order.lane[b].next = self.shift[b].read[0].val();
                self.bias_out[b].clock.next = self.clk.val();
                self.scale_out[b].clock.next = self.clk.val();
                self.shift_out[b].clock.next = self.clk.val();
                self.bias_out[b].d.next = self.bias_order.turned[b].val();
                self.scale_out[b].d.next = self.scale_order.turned[b].val();
                self.shift_out[b].d.next = self.shift_order.turned[b].val();
                self.fix_bias[b].next = self.bias_out[b].q.val();
                self.fix_scale[b].next = self.scale_out[b].q.val();
                self.fix_shift[b].next = self.shift_out[b].q.val();
            }
        }
        self.zero.clock.next = self.clk.val();
        self.zero.write_enable[0].next = self.write_valid.val() & (self.write_field.val() == 3);
        self.zero.write_address.next = self.write_channel.val();
        self.zero.write[0].next = bit_cast::<9, 32>(self.write_data.val());
        self.zero.read_enable.next = true;
        self.zero.read_address.next = self.zero_channel.val();
        self.zero_out.d.next = self.zero.read[0].val();
        self.zero_point.next = self.zero_out.q.val();
    }
}
