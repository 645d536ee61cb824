// SPDX-License-Identifier: Apache-2.0
//! A serial line: start bit, 8 data bits, lowest first, one stop bit; the line rests at 1.
//!
//! ```text
//!  rx ──►┌─────────┐──► valid, data    pulse per byte            in_valid, in_data ──►┌─────────┐──► tx
//!        │ uart_rx │──► broken         pulse: stop bit was 0     in_ready ◄───────────│ uart_tx │
//!        └─────────┘                                                                  └─────────┘
//! ```
//! A bit lasts `divider` cycles. The receiver looks at three places of every bit, in the middle and an eighth of the bit to both
//! sides, and takes the majority, so a spike that hits one of them does nothing. Of the stop bit it looks at the middle only, to be ready for
//! the next start bit early: clocks may differ by 2 %, by 4 % if a bit lasts 25 cycles or more. `data` holds from `valid` to the next byte.

use rtl::prim::prelude::*;

/// Shortest bit, in cycles: three places to look at, and room around them.
pub const DIVIDER_MIN: usize = 8;
/// Longest bit, in cycles: what the counters hold.
pub const DIVIDER_MAX: usize = 4095;

fn checked(divider: usize) -> u64 {
    assert!((DIVIDER_MIN..=DIVIDER_MAX).contains(&divider), "a bit lasts 8 to 4095 cycles, not {divider}");
    divider as u64
}

/// Receiver.
#[derive(LogicBlock)]
pub struct UartRx {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets a byte that is coming in.
    pub rst: Signal<In, Bit>,
    /// The line, of any clock.
    pub rx: Signal<In, Bit>,
    /// A byte is there (pulse).
    pub valid: Signal<Out, Bit>,
    /// That byte.
    pub data: Signal<Out, Bits<8>>,
    /// A byte without stop bit went by (pulse).
    pub broken: Signal<Out, Bit>,
    early: Reg<Bit>,
    line: Reg<Bit>,
    busy: Reg<Bit>,
    count: Reg<Bits<12>>,
    place: Reg<Bits<4>>,
    highs: Reg<Bits<2>>,
    shift: Reg<Bits<8>>,
    level: Signal<Local, Bit>,
    look: Signal<Local, Bit>,
    first: Constant<Bits<12>>,
    second: Constant<Bits<12>>,
    third: Constant<Bits<12>>,
    judge: Constant<Bits<12>>,
    last: Constant<Bits<12>>,
}

impl UartRx {
    /// A receiver whose bits last `divider` cycles. Panics outside [`DIVIDER_MIN`] to [`DIVIDER_MAX`].
    pub fn new(divider: usize) -> Self {
        let divider = checked(divider);
        let (middle, aside) = (divider / 2, divider / 8);
        UartRx {
            clk: Signal::default(),
            rst: Signal::default(),
            rx: Signal::default(),
            valid: Signal::default(),
            data: Signal::default(),
            broken: Signal::default(),
            early: Reg::default(),
            line: Reg::default(),
            busy: Reg::default(),
            count: Reg::default(),
            place: Reg::default(),
            highs: Reg::default(),
            shift: Reg::default(),
            level: Signal::default(),
            look: Signal::default(),
            first: Constant::new((middle - aside).into()),
            second: Constant::new(middle.into()),
            third: Constant::new((middle + aside).into()),
            judge: Constant::new((middle + aside + 1).into()),
            last: Constant::new((divider - 1).into()),
        }
    }
}

impl Logic for UartRx {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("uart_rx: bytes from a serial line; every bit is the majority of three looks.");
        dff_setup!(self, clk, early, line, busy, count, place, highs, shift);
        self.early.d.next = self.rx.val();
        self.line.d.next = self.early.q.val();
        self.valid.next = false;
        self.broken.next = false;
        self.data.next = self.shift.q.val();
        self.look.next = false;
        self.level.next = self.highs.q.val().get_bit(1);
        if !self.busy.q.val() {
            self.count.d.next = 0.into();
            self.place.d.next = 0.into();
            self.highs.d.next = 0.into();
            self.busy.d.next = !self.line.q.val();
        } else {
            self.count.d.next = self.count.q.val() + 1;
            self.look.next = (self.count.q.val() == self.first.val())
                | (self.count.q.val() == self.second.val())
                | (self.count.q.val() == self.third.val());
            if self.look.val() & self.line.q.val() {
                self.highs.d.next = self.highs.q.val() + 1;
            }
            if self.count.q.val() == self.last.val() {
                self.count.d.next = 0.into();
                self.highs.d.next = 0.into();
                self.place.d.next = self.place.q.val() + 1;
            }
            if self.count.q.val() == self.judge.val() {
                if self.place.q.val() == 0 {
                    // A start bit that is high was a spike.
                    self.busy.d.next = !self.level.val();
                } else {
                    self.shift.d.next = (self.shift.q.val() >> 1) | (bit_cast::<8, 1>(self.level.val().into()) << 7);
                }
            }
            if (self.place.q.val() == 9) & (self.count.q.val() == self.second.val()) {
                self.busy.d.next = false;
                self.valid.next = self.line.q.val();
                self.broken.next = !self.line.q.val();
            }
        }
        if self.rst.val() {
            self.busy.d.next = false;
        }
    }
}

/// Transmitter.
#[derive(LogicBlock)]
pub struct UartTx {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// The line rests; a byte that is going out is lost.
    pub rst: Signal<In, Bit>,
    /// A byte is offered.
    pub in_valid: Signal<In, Bit>,
    /// It is taken; ten bits later the next one can be.
    pub in_ready: Signal<Out, Bit>,
    /// The byte.
    pub in_data: Signal<In, Bits<8>>,
    /// The line.
    pub tx: Signal<Out, Bit>,
    line: Reg<Bit>,
    count: Reg<Bits<12>>,
    left: Reg<Bits<4>>,
    shift: Reg<Bits<8>>,
    last: Constant<Bits<12>>,
}

impl UartTx {
    /// A transmitter whose bits last `divider` cycles. Panics outside [`DIVIDER_MIN`] to [`DIVIDER_MAX`].
    pub fn new(divider: usize) -> Self {
        UartTx {
            clk: Signal::default(),
            rst: Signal::default(),
            in_valid: Signal::default(),
            in_ready: Signal::default(),
            in_data: Signal::default(),
            tx: Signal::default(),
            line: Reg::default(),
            count: Reg::default(),
            left: Reg::default(),
            shift: Reg::default(),
            last: Constant::new((checked(divider) - 1).into()),
        }
    }
}

impl Logic for UartTx {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("uart_tx: bytes to a serial line.");
        dff_setup!(self, clk, line, count, left, shift);
        self.tx.next = self.line.q.val();
        self.in_ready.next = self.left.q.val() == 0;
        if self.left.q.val() == 0 {
            if self.in_valid.val() {
                self.left.d.next = 10.into();
                self.count.d.next = 0.into();
                self.line.d.next = false;
                self.shift.d.next = self.in_data.val();
            }
        } else {
            self.count.d.next = self.count.q.val() + 1;
            if self.count.q.val() == self.last.val() {
                self.count.d.next = 0.into();
                self.left.d.next = self.left.q.val() - 1;
                self.line.d.next = self.shift.q.val().get_bit(0);
                // Ones behind the data are the stop bit and the rest.
                self.shift.d.next = (self.shift.q.val() >> 1) | 128;
            }
        }
        if self.rst.val() {
            self.left.d.next = 0.into();
            self.line.d.next = true;
        }
    }
}
