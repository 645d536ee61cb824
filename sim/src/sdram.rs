// SPDX-License-Identifier: Apache-2.0
//! An SDR SDRAM chip as its data sheet describes it, with every rule that a controller can break.
//!
//! ```text
//!   pins at a rising edge of the chip's clock ──► Sdram::clock ──► what the chip drives from now to its next edge
//!                                                     └──► violations: what, in which cycle
//! ```
//! 4 banks x 8192 rows x 512 columns x 16 bits. *Source*: MT48LC16M16A2, grade -75, 256Mb SDR SDRAM data sheet (Micron). Only what the data sheet
//! promises is given: a READ before its time, of a closed bank or in a mode that was not set, is a violation and reads noise.

use crate::poison::Poison;
use std::collections::HashMap;

/// Banks.
const BANKS: usize = 4;
/// Columns of a row.
const COLUMNS: usize = 512;
/// Address bit that means all banks, or precharge by itself.
const ALL: u16 = 1 << 10;

/// Limits of a chip, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SdramLimits {
    /// ACTIVE to READ or WRITE.
    pub rcd: f64,
    /// PRECHARGE to ACTIVE, REFRESH or LOAD MODE.
    pub rp: f64,
    /// ACTIVE to PRECHARGE, at least.
    pub ras: f64,
    /// ACTIVE to PRECHARGE, at most.
    pub ras_max: f64,
    /// ACTIVE to ACTIVE of the same bank.
    pub rc: f64,
    /// ACTIVE to ACTIVE of another bank.
    pub rrd: f64,
    /// REFRESH to ACTIVE or REFRESH.
    pub rfc: f64,
    /// Last written word to PRECHARGE, besides one cycle.
    pub wr: f64,
    /// Clock before the first command.
    pub power_up: f64,
    /// Mean time between refreshes.
    pub refresh: f64,
    /// Shortest period of the clock at CAS latency 2.
    pub period_at_2: f64,
}

impl SdramLimits {
    /// MT48LC16M16A2-75.
    pub const MT48LC16M16A2_75: SdramLimits = SdramLimits {
        rcd: 20.0,
        rp: 20.0,
        ras: 44.0,
        ras_max: 120_000.0,
        rc: 66.0,
        rrd: 15.0,
        rfc: 66.0,
        wr: 7.5,
        power_up: 100_000.0,
        refresh: 7_812.5,
        period_at_2: 10.0,
    };
}

/// What stands on the pins at a rising edge; the chip is selected and its clock enabled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SdramPins {
    /// RAS, CAS, WE, low active, bits 2, 1, 0.
    pub command: u8,
    /// Bank.
    pub bank: u8,
    /// Row, column, or mode.
    pub address: u16,
    /// Bytes masked.
    pub mask: u8,
    /// The data wires, if somebody else than the chip drives them.
    pub data: Option<u16>,
}

/// An open row, or a closed bank.
#[derive(Clone, Copy, Debug, Default)]
struct Bank {
    row: Option<u16>,
    /// Cycles of the last ACTIVE, PRECHARGE and written word.
    active: Option<u64>,
    precharge: Option<u64>,
    written: Option<u64>,
}

/// The chip.
#[derive(Debug, Clone)]
pub struct SdramChip {
    limits: SdramLimits,
    period: f64,
    poison: Poison,
    words: HashMap<u32, u16>,
    cycle: u64,
    banks: [Bank; BANKS],
    last_active: Option<u64>,
    last_refresh: Option<u64>,
    refreshes: u64,
    closed_all: bool,
    mode: Option<u64>,
    latency: u64,
    /// Data to be driven, with the edge from which on.
    coming: Vec<(u64, u16)>,
    driven: bool,
    violations: Vec<String>,
}

impl SdramChip {
    /// A chip that was just powered, on a clock of this frequency; unwritten words hold `poison`.
    #[must_use]
    pub fn new(limits: SdramLimits, clock_hz: u32, poison: Poison) -> SdramChip {
        SdramChip {
            limits,
            period: 1e9 / f64::from(clock_hz),
            poison,
            words: HashMap::new(),
            cycle: 0,
            banks: [Bank::default(); BANKS],
            last_active: None,
            last_refresh: None,
            refreshes: 0,
            closed_all: false,
            mode: None,
            latency: 2,
            coming: vec![],
            driven: false,
            violations: vec![],
        }
    }

    /// Every rule broken so far, in order; at most 20 are kept.
    #[must_use]
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// Refreshes so far.
    #[must_use]
    pub fn refreshes(&self) -> u64 {
        self.refreshes
    }

    /// Edges so far.
    #[must_use]
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// The 16-bit word at a byte address, as a controller with column 9:1, bank 11:10, row 24:12 sees it.
    #[must_use]
    pub fn word(&self, address: u32) -> u16 {
        let at = address >> 1;
        self.words.get(&at).copied().unwrap_or_else(|| {
            let byte = |address: u32| u16::from(self.poison.byte(u64::from(address)));
            byte(at * 2) | byte(at * 2 + 1) << 8
        })
    }

    fn violation(&mut self, what: impl Into<String>) {
        if self.violations.len() < 20 {
            self.violations.push(format!("cycle {}: {}", self.cycle, what.into()));
        }
    }

    /// Notes a violation unless `limit` nanoseconds have passed since the cycle `since`.
    fn passed(&mut self, name: &str, since: Option<u64>, limit: f64) {
        if let Some(since) = since {
            let time = (self.cycle - since) as f64 * self.period;
            if time + 1e-6 < limit {
                self.violation(format!("{name} is {time:.1} ns, and at least {limit} ns are needed"));
            }
        }
    }

    /// A rising edge. Gives what the chip drives from here to its next edge; the access time is the caller's business.
    pub fn clock(&mut self, pins: &SdramPins) -> Option<u16> {
        self.cycle += 1;
        if self.driven && pins.data.is_some() {
            self.violation("chip and controller drive the data wires at once");
        }
        match pins.command & 7 {
            7 => {}
            command => self.command(command, pins),
        }
        if let Some(last) = self.last_refresh
            && self.mode.is_some()
            && (self.cycle - last) as f64 * self.period > self.limits.refresh + 1e-6
        {
            self.violation("no refresh for longer than the mean time between them");
            self.last_refresh = Some(self.cycle);
        }
        for bank in 0..BANKS {
            if let (Some(_), Some(since)) = (self.banks[bank].row, self.banks[bank].active)
                && (self.cycle - since) as f64 * self.period > self.limits.ras_max
            {
                self.violation(format!("bank {bank} is open for longer than tRAS allows"));
                self.banks[bank].active = Some(self.cycle);
            }
        }
        let now = self.cycle;
        let data = self.coming.iter().find(|&&(from, _)| from == now).map(|&(_, data)| data);
        self.coming.retain(|&(from, _)| from > now);
        self.driven = data.is_some();
        data
    }

    fn command(&mut self, command: u8, pins: &SdramPins) {
        if self.cycle as f64 * self.period < self.limits.power_up {
            self.violation("a command before the clock was stable for long enough");
        }
        if let Some(mode) = self.mode
            && self.cycle - mode < 2
        {
            self.violation("a command in the cycle after LOAD MODE");
        }
        let bank = usize::from(pins.bank & 3);
        match command {
            3 => self.activate(bank, pins.address),
            5 | 4 => self.access(bank, command == 4, pins),
            2 => {
                let all = pins.address & ALL != 0;
                for at in 0..BANKS {
                    if all || at == bank {
                        self.precharge(at);
                    }
                }
                self.closed_all |= all;
            }
            1 => self.refresh(),
            0 => self.load_mode(pins.address),
            _ => self.violation("BURST TERMINATE, which nobody uses"),
        }
    }

    fn activate(&mut self, bank: usize, row: u16) {
        if self.mode.is_none() {
            self.violation("ACTIVE before LOAD MODE");
        }
        let Bank { row: open, active, precharge, .. } = self.banks[bank];
        if let Some(open) = open {
            self.violation(format!("ACTIVE of bank {bank}, whose row {open} is open"));
        }
        self.passed("tRC", active, self.limits.rc);
        self.passed("tRP", precharge, self.limits.rp);
        self.passed("tRRD", self.last_active, self.limits.rrd);
        self.passed("tRFC", self.last_refresh, self.limits.rfc);
        self.banks[bank].row = Some(row & 0x1fff);
        self.banks[bank].active = Some(self.cycle);
        self.last_active = Some(self.cycle);
    }

    fn access(&mut self, bank: usize, write: bool, pins: &SdramPins) {
        let Bank { row, active, .. } = self.banks[bank];
        let Some(row) = row else {
            self.violation(format!("{} of bank {bank}, which is closed", if write { "WRITE" } else { "READ" }));
            return;
        };
        self.passed("tRCD", active, self.limits.rcd);
        if pins.address & ALL != 0 {
            self.violation("precharge by itself, which nobody uses");
        }
        let column = u32::from(pins.address) & (COLUMNS as u32 - 1);
        let at = (u32::from(row) << 11) | (bank as u32) << 9 | column;
        if !write {
            let word = self.word(at << 1);
            self.coming.push((self.cycle + self.latency - 1, word));
            return;
        }
        let Some(data) = pins.data else {
            self.violation("WRITE, and nobody drives the data wires");
            return;
        };
        if !self.coming.is_empty() {
            self.violation("WRITE while read data are on their way");
        }
        let keep = [0xffffu16, 0xff00, 0x00ff, 0][usize::from(!pins.mask & 3)];
        let word = (self.word(at << 1) & keep) | (data & !keep);
        self.words.insert(at, word);
        self.banks[bank].written = Some(self.cycle);
    }

    fn precharge(&mut self, bank: usize) {
        let Bank { row, active, written, .. } = self.banks[bank];
        if row.is_some() {
            self.passed("tRAS", active, self.limits.ras);
            // tWR counts from the last written word, and is a time besides one cycle.
            self.passed("tWR", written, self.limits.wr + self.period);
            self.banks[bank].precharge = Some(self.cycle);
        }
        self.banks[bank].row = None;
        self.banks[bank].written = None;
        if self.mode.is_none() {
            self.banks[bank].precharge = Some(self.cycle);
        }
    }

    fn all_closed(&mut self, what: &str) {
        for bank in 0..BANKS {
            if self.banks[bank].row.is_some() {
                self.violation(format!("{what} while bank {bank} is open"));
            }
            let precharge = self.banks[bank].precharge;
            self.passed("tRP", precharge, self.limits.rp);
        }
        self.passed("tRFC", self.last_refresh, self.limits.rfc);
    }

    fn refresh(&mut self) {
        if !self.closed_all {
            self.violation("REFRESH before any PRECHARGE ALL");
        }
        self.all_closed("REFRESH");
        self.last_refresh = Some(self.cycle);
        self.refreshes += 1;
    }

    fn load_mode(&mut self, mode: u16) {
        self.all_closed("LOAD MODE");
        if self.refreshes < 2 {
            self.violation("LOAD MODE before two refreshes");
        }
        match mode {
            0x20 if self.period + 1e-6 >= self.limits.period_at_2 => self.latency = 2,
            0x30 => self.latency = 3,
            _ => self.violation(format!("mode {mode:#x}: not burst length 1 with a latency that this clock allows")),
        }
        self.mode = Some(self.cycle);
    }
}
