// SPDX-License-Identifier: Apache-2.0
//! Frames out of bytes and bytes out of frames: flags, escapes, CRC, by the rules of [`isa::link`].
//!
//! ```text
//!  rx_* ──►┌─────────┐──► octet_valid, octet          in_valid, in_data, in_last ──►┌─────────┐──► tx_valid, tx_data
//!  listen ►│ deframe │──► frame_end, good             in_ready ◄────────────────────│ enframe │◄── tx_ready
//!          └─────────┘                                                              └─────────┘
//! ```
//! `deframe` hands on the bytes of a frame as they come, its CRC included, and says at its end whether all of it is right; empty frames do
//! not exist for it. What comes while `listen` is 0, and what remains of a frame that began meanwhile, is dropped up to the next flag.
//! Bytes may come every 9 cycles or more. `enframe` adds everything around the bytes of `in_data`.

use super::crc32::Crc32;
use isa::link::{ESCAPE, ESCAPE_FLIP, FLAG};
use rtl::prim::prelude::*;

fn constant(value: u8) -> Constant<Bits<8>> {
    Constant::new(u64::from(value).into())
}

/// Finds the frames.
#[derive(LogicBlock)]
pub struct Deframe {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Drops what is coming in, up to the next flag.
    pub rst: Signal<In, Bit>,
    /// A byte came (pulse).
    pub rx_valid: Signal<In, Bit>,
    /// The byte.
    pub rx_data: Signal<In, Bits<8>>,
    /// A byte came that is none (pulse).
    pub rx_broken: Signal<In, Bit>,
    /// Frames are wanted.
    pub listen: Signal<In, Bit>,
    /// The next byte of a frame is there (pulse).
    pub octet_valid: Signal<Out, Bit>,
    /// That byte.
    pub octet: Signal<Out, Bits<8>>,
    /// A frame is over (pulse).
    pub frame_end: Signal<Out, Bit>,
    /// It came undamaged.
    pub good: Signal<Out, Bit>,
    crc: Crc32,
    hunting: Reg<Bit>,
    some: Reg<Bit>,
    damaged: Reg<Bit>,
    escaped: Reg<Bit>,
    flag_byte: Constant<Bits<8>>,
    escape_byte: Constant<Bits<8>>,
    flip: Constant<Bits<8>>,
}

impl Default for Deframe {
    fn default() -> Self {
        Deframe {
            clk: Signal::default(),
            rst: Signal::default(),
            rx_valid: Signal::default(),
            rx_data: Signal::default(),
            rx_broken: Signal::default(),
            listen: Signal::default(),
            octet_valid: Signal::default(),
            octet: Signal::default(),
            frame_end: Signal::default(),
            good: Signal::default(),
            crc: Crc32::default(),
            hunting: Reg::default(),
            some: Reg::default(),
            damaged: Reg::default(),
            escaped: Reg::default(),
            flag_byte: constant(FLAG),
            escape_byte: constant(ESCAPE),
            flip: constant(ESCAPE_FLIP),
        }
    }
}

impl Logic for Deframe {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("deframe: finds frames in a row of bytes and says whether they came undamaged.");
        dff_setup!(self, clk, hunting, some, damaged, escaped);
        self.crc.clk.next = self.clk.val();
        self.crc.clear.next = false;
        self.crc.in_valid.next = false;
        self.octet_valid.next = false;
        self.frame_end.next = false;
        self.good.next = self.crc.good.val() & !self.damaged.q.val() & !self.escaped.q.val();
        self.octet.next = self.rx_data.val();
        self.crc.in_data.next = self.rx_data.val();
        if self.escaped.q.val() {
            self.octet.next = self.rx_data.val() ^ self.flip.val();
            self.crc.in_data.next = self.rx_data.val() ^ self.flip.val();
        }
        if self.rx_broken.val() {
            self.some.d.next = true;
            self.damaged.d.next = true;
        }
        if self.rx_valid.val() {
            if self.rx_data.val() == self.flag_byte.val() {
                self.frame_end.next = self.some.q.val() & !self.hunting.q.val() & self.listen.val();
                self.hunting.d.next = false;
                self.some.d.next = false;
                self.damaged.d.next = false;
                self.escaped.d.next = false;
                self.crc.clear.next = true;
            } else if self.rx_data.val() == self.escape_byte.val() {
                self.some.d.next = true;
                self.escaped.d.next = true;
                self.damaged.d.next = self.damaged.q.val() | self.escaped.q.val();
            } else {
                self.some.d.next = true;
                self.escaped.d.next = false;
                self.octet_valid.next = !self.hunting.q.val() & self.listen.val();
                self.crc.in_valid.next = true;
            }
        }
        if !self.listen.val() | self.rst.val() {
            self.hunting.d.next = true;
        }
    }
}

/// What the frame maker is sending.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum Part {
    /// Nothing, or the first flag.
    Open,
    /// Bytes handed in.
    Body,
    /// The CRC.
    Tail,
    /// The last flag.
    Close,
}

/// Makes the frames.
#[derive(LogicBlock)]
pub struct Enframe {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Drops the frame that is going out.
    pub rst: Signal<In, Bit>,
    /// A byte is offered.
    pub in_valid: Signal<In, Bit>,
    /// It is taken.
    pub in_ready: Signal<Out, Bit>,
    /// The byte.
    pub in_data: Signal<In, Bits<8>>,
    /// It is the last one of the frame.
    pub in_last: Signal<In, Bit>,
    /// A byte for the line.
    pub tx_valid: Signal<Out, Bit>,
    /// It is taken.
    pub tx_ready: Signal<In, Bit>,
    /// The byte.
    pub tx_data: Signal<Out, Bits<8>>,
    crc: Crc32,
    part: Reg<Part>,
    escaped: Reg<Bit>,
    at: Reg<Bits<2>>,
    octet: Signal<Local, Bits<8>>,
    special: Signal<Local, Bit>,
    sent: Signal<Local, Bit>,
    flag_byte: Constant<Bits<8>>,
    escape_byte: Constant<Bits<8>>,
    flip: Constant<Bits<8>>,
}

impl Default for Enframe {
    fn default() -> Self {
        Enframe {
            clk: Signal::default(),
            rst: Signal::default(),
            in_valid: Signal::default(),
            in_ready: Signal::default(),
            in_data: Signal::default(),
            in_last: Signal::default(),
            tx_valid: Signal::default(),
            tx_ready: Signal::default(),
            tx_data: Signal::default(),
            crc: Crc32::default(),
            part: Reg::default(),
            escaped: Reg::default(),
            at: Reg::default(),
            octet: Signal::default(),
            special: Signal::default(),
            sent: Signal::default(),
            flag_byte: constant(FLAG),
            escape_byte: constant(ESCAPE),
            flip: constant(ESCAPE_FLIP),
        }
    }
}

impl Logic for Enframe {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("enframe: flags, escapes and CRC around the bytes of a frame.");
        dff_setup!(self, clk, part, escaped, at);
        self.crc.clk.next = self.clk.val();
        self.crc.clear.next = self.part.q.val() == Part::Open;
        self.crc.in_valid.next = false;
        self.crc.in_data.next = self.in_data.val();
        self.in_ready.next = false;
        // The byte that is due: one of those handed in, or one of the CRC.
        self.octet.next = self.in_data.val();
        if self.part.q.val() == Part::Tail {
            self.octet.next = self.crc.value.val().get_bits::<8>(0);
            if self.at.q.val() == 1 {
                self.octet.next = self.crc.value.val().get_bits::<8>(8);
            }
            if self.at.q.val() == 2 {
                self.octet.next = self.crc.value.val().get_bits::<8>(16);
            }
            if self.at.q.val() == 3 {
                self.octet.next = self.crc.value.val().get_bits::<8>(24);
            }
        }
        self.special.next = ((self.octet.val() == self.flag_byte.val()) | (self.octet.val() == self.escape_byte.val()))
            & !self.escaped.q.val();
        self.tx_valid.next = false;
        self.tx_data.next = self.flag_byte.val();
        self.sent.next = false;
        match self.part.q.val() {
            Part::Open => {
                self.tx_valid.next = self.in_valid.val();
                self.at.d.next = 0.into();
                self.escaped.d.next = false;
                if self.in_valid.val() & self.tx_ready.val() {
                    self.part.d.next = Part::Body;
                }
            }
            Part::Body => {
                self.tx_valid.next = self.in_valid.val() & self.crc.idle.val();
                self.sent.next = self.in_valid.val() & self.crc.idle.val() & self.tx_ready.val();
            }
            Part::Tail => {
                self.tx_valid.next = self.crc.idle.val();
                self.sent.next = self.crc.idle.val() & self.tx_ready.val();
            }
            Part::Close => {
                self.tx_valid.next = true;
                if self.tx_ready.val() {
                    self.part.d.next = Part::Open;
                }
            }
        }
        if (self.part.q.val() == Part::Body) | (self.part.q.val() == Part::Tail) {
            self.tx_data.next = self.octet.val();
            if self.special.val() {
                self.tx_data.next = self.escape_byte.val();
            } else if self.escaped.q.val() {
                self.tx_data.next = self.octet.val() ^ self.flip.val();
            }
        }
        if self.sent.val() {
            self.escaped.d.next = self.special.val();
            if !self.special.val() {
                if self.part.q.val() == Part::Body {
                    self.in_ready.next = true;
                    self.crc.in_valid.next = true;
                    if self.in_last.val() {
                        self.part.d.next = Part::Tail;
                    }
                } else {
                    self.at.d.next = self.at.q.val() + 1;
                    if self.at.q.val() == 3 {
                        self.part.d.next = Part::Close;
                    }
                }
            }
        }
        if self.rst.val() {
            self.part.d.next = Part::Open;
        }
    }
}
