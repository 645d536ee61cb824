// SPDX-License-Identifier: Apache-2.0
//! Controller of an SDR SDRAM of 16 bits, 4 banks x 8192 rows x 512 columns (32 MiB).
//!
//! ```text
//!  word_* ──►┌───────┐──► command, bank, row or column, mask, data    all from registers
//!  get_*  ◄──│ sdram │◄── data_in, taken `read_cycles` after READ
//!            └───────┘──► ready     the chip is set up
//! ```
//! Address: byte 0, column 9:1, bank 11:10, row 24:12, so a 4 KiB page is one row of all four banks. Rows stay open; a word in an open
//! row takes S / 2 cycles, 2 bytes per cycle, also across words. Burst length 1: every column is a command of its own, so bytes are masked one
//! by one and nothing has to be cut short. Reads and writes change over with 4 idle cycles after a read, so the chip has left the wires.
//! Refresh goes before everything and closes all rows. Times: [`Timing`]; `sim::sdram` checks them.

use super::timing::{Timing, chip};
use rtl::prim::prelude::*;

/// log2 of the bytes of the chip.
pub const SDRAM_BITS: u32 = 25;

/// What the controller does.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum Stage {
    /// It waits for the chip's power.
    Power,
    /// It closes all rows.
    Clear,
    /// It refreshes eight times.
    Warm,
    /// It sets burst length and latency.
    Mode,
    /// It works.
    Work,
    /// It refreshes.
    Refresh,
}

/// Controller for words of B bits in S bytes.
#[derive(LogicBlock)]
pub struct Sdram<const B: usize, const S: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Sets the chip up again.
    pub rst: Signal<In, Bit>,
    /// A word is to be read or written.
    pub word_valid: Signal<In, Bit>,
    /// It is taken on.
    pub word_ready: Signal<Out, Bit>,
    /// It is written.
    pub word_write: Signal<In, Bit>,
    /// Its first byte.
    pub word_address: Signal<In, Bits<32>>,
    /// What is written.
    pub word_data: Signal<In, Bits<B>>,
    /// Which bytes are written.
    pub word_strb: Signal<In, Bits<S>>,
    /// A word was read (pulse).
    pub get_valid: Signal<Out, Bit>,
    /// That word.
    pub get_data: Signal<Out, Bits<B>>,
    /// The chip is set up.
    pub ready: Signal<Out, Bit>,
    /// RAS, CAS, WE, low active, bits 2, 1, 0.
    pub command: Signal<Out, Bits<3>>,
    /// Bank.
    pub bank: Signal<Out, Bits<2>>,
    /// Row, column, or mode.
    pub row: Signal<Out, Bits<13>>,
    /// Bytes that are not written.
    pub mask: Signal<Out, Bits<2>>,
    /// Written data.
    pub data_out: Signal<Out, Bits<16>>,
    /// The controller drives the data wires.
    pub data_drive: Signal<Out, Bit>,
    /// Read data, behind a register of the pads.
    pub data_in: Signal<In, Bits<16>>,
    stage: Reg<Stage>,
    pause: Reg<Bits<16>>,
    since_active: Reg<Bits<4>>,
    since_write: Reg<Bits<4>>,
    refresh_in: Reg<Bits<12>>,
    warmed: Reg<Bits<3>>,
    have: Reg<Bit>,
    writes: Reg<Bit>,
    address: Reg<Bits<25>>,
    word: Reg<Bits<B>>,
    strobes: Reg<Bits<S>>,
    column: Reg<Bits<6>>,
    open: Vec<Reg<Bit>>,
    open_row: Vec<Reg<Bits<13>>>,
    /// Columns being read, by age.
    coming: Reg<Bits<4>>,
    got: Vec<Reg<Bits<16>>>,
    got_count: Reg<Bits<6>>,
    got_all: Reg<Bit>,
    whole: Join<16, B>,
    command_out: Reg<Bits<3>>,
    bank_out: Reg<Bits<2>>,
    row_out: Reg<Bits<13>>,
    mask_out: Reg<Bits<2>>,
    data: Reg<Bits<16>>,
    drive: Reg<Bit>,
    arrived: Signal<Local, Bit>,
    reads: Signal<Local, Bit>,
    bank_now: Signal<Local, Bits<2>>,
    row_now: Signal<Local, Bits<13>>,
    column_now: Signal<Local, Bits<9>>,
    hit: Signal<Local, Bit>,
    is_open: Signal<Local, Bit>,
    some_open: Signal<Local, Bit>,
    last: Signal<Local, Bit>,
    issue: Signal<Local, Bit>,
    closable: Signal<Local, Bit>,
    due: Signal<Local, Bit>,
    power_up: Constant<Bits<16>>,
    rcd: Constant<Bits<16>>,
    rp: Constant<Bits<16>>,
    rfc: Constant<Bits<16>>,
    mrd: Constant<Bits<16>>,
    ras: Constant<Bits<4>>,
    wr: Constant<Bits<4>>,
    refresh: Constant<Bits<12>>,
    mode: Constant<Bits<13>>,
    all_banks: Constant<Bits<13>>,
    columns_less_1: Constant<Bits<6>>,
    _columns: usize,
    _columns_less_1: usize,
    _capture: usize,
}

impl<const B: usize, const S: usize> Sdram<B, S> {
    /// A controller at this clock. Panics unless B = 8 S and the clock is one of [`Timing::at`].
    pub fn new(clock_hz: u32) -> Self {
        assert!(B == 8 * S, "a bus of {B} bits has not {S} bytes");
        let timing = Timing::at(clock_hz);
        // A command comes `cycles` after another if `cycles - 1` cycles are waited.
        let wait = |cycles: u32| Constant::new(u64::from(cycles - 1).into());
        Sdram {
            clk: Signal::default(),
            rst: Signal::default(),
            word_valid: Signal::default(),
            word_ready: Signal::default(),
            word_write: Signal::default(),
            word_address: Signal::default(),
            word_data: Signal::default(),
            word_strb: Signal::default(),
            get_valid: Signal::default(),
            get_data: Signal::default(),
            ready: Signal::default(),
            command: Signal::default(),
            bank: Signal::default(),
            row: Signal::default(),
            mask: Signal::default(),
            data_out: Signal::default(),
            data_drive: Signal::default(),
            data_in: Signal::default(),
            stage: Reg::default(),
            pause: Reg::default(),
            since_active: Reg::default(),
            since_write: Reg::default(),
            refresh_in: Reg::default(),
            warmed: Reg::default(),
            have: Reg::default(),
            writes: Reg::default(),
            address: Reg::default(),
            word: Reg::default(),
            strobes: Reg::default(),
            column: Reg::default(),
            open: vec![Reg::default(); 4],
            open_row: vec![Reg::default(); 4],
            coming: Reg::default(),
            got: vec![Reg::default(); S / 2],
            got_count: Reg::default(),
            got_all: Reg::default(),
            whole: Join::default(),
            command_out: Reg::default(),
            bank_out: Reg::default(),
            row_out: Reg::default(),
            mask_out: Reg::default(),
            data: Reg::default(),
            drive: Reg::default(),
            arrived: Signal::default(),
            reads: Signal::default(),
            bank_now: Signal::default(),
            row_now: Signal::default(),
            column_now: Signal::default(),
            hit: Signal::default(),
            is_open: Signal::default(),
            some_open: Signal::default(),
            last: Signal::default(),
            issue: Signal::default(),
            closable: Signal::default(),
            due: Signal::default(),
            power_up: wait(timing.power_up),
            rcd: wait(timing.rcd),
            rp: wait(timing.rp),
            rfc: wait(timing.rfc),
            mrd: wait(chip::MRD_CYCLES),
            ras: Constant::new(u64::from(timing.ras - 1).into()),
            wr: Constant::new(u64::from(timing.wr - 1).into()),
            refresh: Constant::new(u64::from(timing.refresh).into()),
            mode: Constant::new(u64::from(chip::CAS_CYCLES << 4).into()),
            all_banks: Constant::new((1u64 << 10).into()),
            columns_less_1: Constant::new((S as u64 / 2 - 1).into()),
            _columns: S / 2,
            _columns_less_1: S / 2 - 1,
            _capture: timing.read_cycles() as usize,
        }
    }
}

impl<const B: usize, const S: usize> Logic for Sdram<B, S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("sdram_{get_data}: controller of an SDR SDRAM of 16 bits.");
        dff_setup!(self, clk, stage, pause, since_active, since_write, refresh_in, warmed, have, writes, address);
        dff_setup!(self, clk, word, strobes, column, coming, got_count, got_all);
        dff_setup!(self, clk, command_out, bank_out, row_out, mask_out, data, drive);
        self.ready.next = (self.stage.q.val() == Stage::Work) | (self.stage.q.val() == Stage::Refresh);
        self.command.next = self.command_out.q.val();
        self.bank.next = self.bank_out.q.val();
        self.row.next = self.row_out.q.val();
        self.mask.next = self.mask_out.q.val();
        self.data_out.next = self.data.q.val();
        self.data_drive.next = self.drive.q.val();

        // Where the word at hand lies.
        self.column_now.next = self.address.q.val().get_bits::<9>(1) | bit_cast::<9, 6>(self.column.q.val());
        self.bank_now.next = self.address.q.val().get_bits::<2>(10);
        self.row_now.next = self.address.q.val().get_bits::<13>(12);
        self.hit.next = false;
        self.is_open.next = false;
        self.some_open.next = false;
        for i in 0..4 {
            self.open[i].clock.next = self.clk.val();
            self.open[i].d.next = self.open[i].q.val();
            self.open_row[i].clock.next = self.clk.val();
            self.open_row[i].d.next = self.open_row[i].q.val();
            if self.open[i].q.val() {
                self.some_open.next = true;
                if self.bank_now.val() == i.to_bits::<2>() {
                    self.is_open.next = true;
                    self.hit.next = self.open_row[i].q.val() == self.row_now.val();
                }
            }
        }

        // Times that run.
        if self.pause.q.val() != 0 {
            self.pause.d.next = self.pause.q.val() - 1;
        }
        if self.since_active.q.val() != 0 {
            self.since_active.d.next = self.since_active.q.val() - 1;
        }
        if self.since_write.q.val() != 0 {
            self.since_write.d.next = self.since_write.q.val() - 1;
        }
        self.due.next = self.refresh_in.q.val() == 0;
        if !self.due.val() {
            self.refresh_in.d.next = self.refresh_in.q.val() - 1;
        }
        self.closable.next = (self.since_active.q.val() == 0) & (self.since_write.q.val() == 0);

        // The next command.
        self.command_out.d.next = 7.into();
        self.bank_out.d.next = self.bank_now.val();
        self.row_out.d.next = self.row_now.val();
        self.mask_out.d.next = 0.into();
        self.drive.d.next = false;
        self.reads.next = false;
        self.issue.next = false;
        self.last.next = self.column.q.val() == self.columns_less_1.val();
        for i in 0..self._columns {
            if self.column.q.val() == i.to_bits::<6>() {
                self.data.d.next = self.word.q.val().get_bits::<16>(i * 16);
            }
        }
        if self.pause.q.val() == 0 {
            match self.stage.q.val() {
                Stage::Power => {
                    self.stage.d.next = Stage::Clear;
                }
                Stage::Clear => {
                    self.command_out.d.next = 2.into();
                    self.row_out.d.next = self.all_banks.val();
                    self.pause.d.next = self.rp.val();
                    self.stage.d.next = Stage::Warm;
                }
                Stage::Warm => {
                    self.command_out.d.next = 1.into();
                    self.pause.d.next = self.rfc.val();
                    self.warmed.d.next = self.warmed.q.val() + 1;
                    self.refresh_in.d.next = self.refresh.val();
                    if self.warmed.q.val() == 7 {
                        self.stage.d.next = Stage::Mode;
                    }
                }
                Stage::Mode => {
                    self.command_out.d.next = 0.into();
                    self.bank_out.d.next = 0.into();
                    self.row_out.d.next = self.mode.val();
                    self.pause.d.next = self.mrd.val();
                    self.stage.d.next = Stage::Work;
                }
                Stage::Refresh => {
                    self.command_out.d.next = 1.into();
                    self.pause.d.next = self.rfc.val();
                    self.refresh_in.d.next = self.refresh.val();
                    self.stage.d.next = Stage::Work;
                }
                Stage::Work => {
                    if self.due.val() {
                        if !self.some_open.val() {
                            self.stage.d.next = Stage::Refresh;
                        } else if self.closable.val() {
                            self.command_out.d.next = 2.into();
                            self.row_out.d.next = self.all_banks.val();
                            self.pause.d.next = self.rp.val();
                            self.stage.d.next = Stage::Refresh;
                            for i in 0..4 {
                                self.open[i].d.next = false;
                            }
                        }
                    } else if self.have.q.val() {
                        if self.hit.val() {
                            self.row_out.d.next = bit_cast::<13, 9>(self.column_now.val());
                            if !self.writes.q.val() {
                                self.command_out.d.next = 5.into();
                                self.reads.next = true;
                                self.issue.next = true;
                            } else if self.coming.q.val() == 0 {
                                self.command_out.d.next = 4.into();
                                self.drive.d.next = true;
                                self.since_write.d.next = self.wr.val();
                                self.issue.next = true;
                                for i in 0..self._columns {
                                    if self.column.q.val() == i.to_bits::<6>() {
                                        self.mask_out.d.next = !self.strobes.q.val().get_bits::<2>(i * 2);
                                    }
                                }
                            }
                        } else if !self.is_open.val() {
                            self.command_out.d.next = 3.into();
                            self.pause.d.next = self.rcd.val();
                            self.since_active.d.next = self.ras.val();
                            for i in 0..4 {
                                if self.bank_now.val() == i.to_bits::<2>() {
                                    self.open[i].d.next = true;
                                    self.open_row[i].d.next = self.row_now.val();
                                }
                            }
                        } else if self.closable.val() {
                            self.command_out.d.next = 2.into();
                            self.row_out.d.next = 0.into();
                            self.pause.d.next = self.rp.val();
                            for i in 0..4 {
                                if self.bank_now.val() == i.to_bits::<2>() {
                                    self.open[i].d.next = false;
                                }
                            }
                        }
                    }
                }
            }
        }

        // The next word comes in when the last column of this one goes out.
        self.word_ready.next = !self.have.q.val() | (self.issue.val() & self.last.val());
        if self.issue.val() {
            self.column.d.next = self.column.q.val() + 1;
            if self.last.val() {
                self.column.d.next = 0.into();
                self.have.d.next = false;
            }
        }
        if self.word_valid.val() & (!self.have.q.val() | (self.issue.val() & self.last.val())) {
            self.have.d.next = true;
            self.writes.d.next = self.word_write.val();
            self.address.d.next = self.word_address.val().get_bits::<25>(0);
            self.word.d.next = self.word_data.val();
            self.strobes.d.next = self.word_strb.val();
        }

        // Read data. Bit n of `coming`: READ has been on the pins for n cycles.
        self.coming.d.next = (self.coming.q.val() << 1) | bit_cast::<4, 1>(self.reads.val().into());
        self.arrived.next = false;
        for n in self._capture..(self._capture + 1) {
            self.arrived.next = self.coming.q.val().get_bit(n);
        }
        self.got_all.d.next = false;
        for n in self._columns..(self._columns + 1) {
            for i in 0..self._columns {
                self.got[i].clock.next = self.clk.val();
                self.got[i].d.next = self.got[i].q.val();
                self.whole.lane[i].next = self.got[i].q.val();
            }
            if self.arrived.val() {
                for i in 0..self._columns_less_1 {
                    self.got[i].d.next = self.got[i + 1].q.val();
                }
                self.got[n - 1].d.next = self.data_in.val();
                self.got_count.d.next = self.got_count.q.val() + 1;
                if self.got_count.q.val() == self.columns_less_1.val() {
                    self.got_count.d.next = 0.into();
                    self.got_all.d.next = true;
                }
            }
        }
        self.get_valid.next = self.got_all.q.val();
        self.get_data.next = self.whole.word.val();

        if self.rst.val() {
            self.stage.d.next = Stage::Power;
            self.pause.d.next = self.power_up.val();
            self.since_active.d.next = 0.into();
            self.since_write.d.next = 0.into();
            self.warmed.d.next = 0.into();
            self.have.d.next = false;
            self.column.d.next = 0.into();
            self.coming.d.next = 0.into();
            self.got_count.d.next = 0.into();
            self.got_all.d.next = false;
            self.command_out.d.next = 7.into();
            self.drive.d.next = false;
            for i in 0..4 {
                self.open[i].d.next = false;
            }
        }
    }
}
