// SPDX-License-Identifier: Apache-2.0
//! CRC-32/ISO-HDLC of a row of bytes, a bit per cycle.
//!
//! ```text
//!  clear ──►┌───────┐──► value     the CRC of the bytes since `clear`
//!  in_*  ──►│ crc32 │──► good      the bytes were data followed by their CRC, lowest byte first
//!           └───────┘──► idle      8 cycles after a byte; until then value and good are none
//! ```

use isa::link::{CRC_POLYNOMIAL, CRC_RESIDUE};
use rtl::prim::prelude::*;

/// CRC unit. A byte may come when `idle`.
#[derive(LogicBlock)]
pub struct Crc32 {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Back to no byte.
    pub clear: Signal<In, Bit>,
    /// A byte comes.
    pub in_valid: Signal<In, Bit>,
    /// The byte.
    pub in_data: Signal<In, Bits<8>>,
    /// CRC of the bytes so far.
    pub value: Signal<Out, Bits<32>>,
    /// It is that of data with their CRC.
    pub good: Signal<Out, Bit>,
    /// All bytes are counted in.
    pub idle: Signal<Out, Bit>,
    state: Reg<Bits<32>>,
    shift: Reg<Bits<8>>,
    left: Reg<Bits<4>>,
    polynomial: Constant<Bits<32>>,
    residue: Constant<Bits<32>>,
    start: Constant<Bits<32>>,
}

impl Default for Crc32 {
    fn default() -> Self {
        Crc32 {
            clk: Signal::default(),
            clear: Signal::default(),
            in_valid: Signal::default(),
            in_data: Signal::default(),
            value: Signal::default(),
            good: Signal::default(),
            idle: Signal::default(),
            state: Reg::default(),
            shift: Reg::default(),
            left: Reg::default(),
            polynomial: Constant::new(u64::from(CRC_POLYNOMIAL).into()),
            residue: Constant::new(u64::from(CRC_RESIDUE).into()),
            start: Constant::new(u64::from(u32::MAX).into()),
        }
    }
}

impl Logic for Crc32 {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("crc32: CRC-32/ISO-HDLC of a row of bytes, a bit per cycle.");
        dff_setup!(self, clk, state, shift, left);
        self.value.next = !self.state.q.val();
        self.good.next = self.state.q.val() == self.residue.val();
        self.idle.next = self.left.q.val() == 0;
        if self.left.q.val() != 0 {
            self.left.d.next = self.left.q.val() - 1;
            self.shift.d.next = self.shift.q.val() >> 1;
            self.state.d.next = self.state.q.val() >> 1;
            if self.state.q.val().get_bit(0) ^ self.shift.q.val().get_bit(0) {
                self.state.d.next = (self.state.q.val() >> 1) ^ self.polynomial.val();
            }
        }
        if self.in_valid.val() {
            self.left.d.next = 8.into();
            self.shift.d.next = self.in_data.val();
        }
        if self.clear.val() {
            self.left.d.next = 0.into();
            self.state.d.next = self.start.val();
        }
    }
}
