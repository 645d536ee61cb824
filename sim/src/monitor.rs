// SPDX-License-Identifier: Apache-2.0
//! Protocol monitor: looks at both sides of an AXI4 bus once per cycle and records every violation with cycle, channel and a sentence.
//!
//! It checks the master (the design) and the slave (the memory model, or the design's AXI-Lite side). It never changes anything.

use std::collections::VecDeque;
use std::fmt;

use crate::bus::{Address, AxiIn, AxiOut, ReadBeat, Resp, WriteAnswer, WriteBeat, mask};
use crate::gm::ADDRESS_BITS;

/// Violations kept; further ones are only counted.
const KEPT: usize = 1000;

/// A channel of the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Write address.
    Aw,
    /// Write data.
    W,
    /// Write response.
    B,
    /// Read address.
    Ar,
    /// Read data.
    R,
}

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Valid fell before ready came.
    ValidWithdrawn,
    /// A payload changed while valid waited for ready.
    PayloadChanged,
    /// Valid is high during reset.
    ValidInReset,
    /// A burst crosses a multiple of 4 KiB.
    Crosses4K,
    /// A burst leaves the address space of 40 bits.
    AddressSpace,
    /// AxBURST is reserved, or a FIXED or WRAP burst has an illegal length or start.
    BurstType,
    /// AxSIZE is more than the bus.
    Size,
    /// AxCACHE has a reserved value.
    Cache,
    /// An ID that this master does not own.
    Id,
    /// More bursts outstanding than allowed.
    Outstanding,
    /// WLAST or RLAST is not on the last beat, or not only there.
    Last,
    /// A strobe outside the lanes of its transfer.
    Strobe,
    /// A B without a complete write of its ID, or too early.
    StrayB,
    /// An R without a read of its ID, or too early.
    StrayR,
    /// EXOKAY to an access that is not exclusive.
    ExOkay,
    /// The test ended with bursts in flight.
    Unfinished,
}

/// One violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Cycle in which it was seen.
    pub cycle: u64,
    /// Channel.
    pub channel: Channel,
    /// Which rule.
    pub rule: Rule,
    /// What, with the values.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cycle {}, {:?}: {}", self.cycle, self.channel, self.text)
    }
}

/// What the monitor has to know about the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorConfig {
    /// Width of the data bus in bytes.
    pub bus_bytes: usize,
    /// IDs that the master may use; all if `None`.
    pub ids: Option<Vec<u32>>,
    /// Bursts that may be outstanding per direction; any number if `None`.
    pub outstanding: Option<usize>,
}

impl MonitorConfig {
    /// A bus of this width with any IDs and any number of bursts.
    #[must_use]
    pub fn new(bus_bytes: usize) -> MonitorConfig {
        MonitorConfig { bus_bytes, ids: None, outstanding: None }
    }
}

/// A write whose data is not complete.
struct OpenWrite {
    address: Address,
    beats: u32,
}

/// A read whose data is not complete.
struct OpenRead {
    address: Address,
    beats: u32,
}

/// The monitor of one bus.
pub struct Monitor {
    config: MonitorConfig,
    cycle: u64,
    violations: Vec<Violation>,
    dropped: u64,
    /// Payloads that waited for ready in the last cycle.
    aw: Option<Address>,
    w: Option<WriteBeat>,
    b: Option<WriteAnswer>,
    ar: Option<Address>,
    r: Option<ReadBeat>,
    open_writes: VecDeque<OpenWrite>,
    w_ahead: VecDeque<(u64, bool)>,
    complete_writes: Vec<Address>,
    open_reads: VecDeque<OpenRead>,
}

impl Monitor {
    /// A monitor at cycle 0 with nothing in flight.
    #[must_use]
    pub fn new(config: MonitorConfig) -> Monitor {
        Monitor {
            config,
            cycle: 0,
            violations: Vec::new(),
            dropped: 0,
            aw: None,
            w: None,
            b: None,
            ar: None,
            r: None,
            open_writes: VecDeque::new(),
            w_ahead: VecDeque::new(),
            complete_writes: Vec::new(),
            open_reads: VecDeque::new(),
        }
    }

    /// Violations so far, at most 1000.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Violations beyond those kept.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// True if no burst is in flight.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.open_writes.is_empty()
            && self.w_ahead.is_empty()
            && self.complete_writes.is_empty()
            && self.open_reads.is_empty()
    }

    /// A cycle of a reset that is not its last, in place of [`Monitor::sample`]: nothing is looked at.
    pub fn skip(&mut self) {
        self.cycle += 1;
    }

    /// The last cycle of a reset, in place of [`Monitor::sample`]: no valid may be high, and whatever was in flight is forgotten.
    pub fn reset(&mut self, input: &AxiIn, out: &AxiOut) {
        let valids = [
            (Channel::Aw, out.aw_valid),
            (Channel::W, out.w_valid),
            (Channel::B, input.b_valid),
            (Channel::Ar, out.ar_valid),
            (Channel::R, input.r_valid),
        ];
        for (channel, _) in valids.into_iter().filter(|(_, valid)| *valid) {
            self.report(channel, Rule::ValidInReset, "valid is high during reset".to_owned());
        }
        (self.aw, self.w, self.b, self.ar, self.r) = (None, None, None, None, None);
        self.open_writes.clear();
        self.w_ahead.clear();
        self.complete_writes.clear();
        self.open_reads.clear();
        self.cycle += 1;
    }

    /// One cycle: both sides as they stand just before the rising edge.
    #[inline]
    pub fn sample(&mut self, input: &AxiIn, out: &AxiOut) {
        // The slave's side first: what it answers must follow from earlier cycles.
        if input.b_valid || self.b.is_some() {
            self.see_b(input, out);
        }
        if input.r_valid || self.r.is_some() {
            self.see_r(input, out);
        }
        if out.aw_valid || self.aw.is_some() {
            self.see_aw(input, out);
        }
        if out.w_valid || self.w.is_some() {
            self.see_w(input, out);
        }
        if out.ar_valid || self.ar.is_some() {
            self.see_ar(input, out);
        }
        self.cycle += 1;
    }

    /// Says that the test is over: everything in flight is a violation.
    pub fn finish(&mut self) {
        let unfinished = [
            (Channel::W, self.open_writes.len(), "write bursts lack data"),
            (Channel::Aw, self.w_ahead.len(), "data beats have no write address"),
            (Channel::B, self.complete_writes.len(), "write bursts have no response"),
            (Channel::R, self.open_reads.len(), "read bursts lack data"),
        ];
        for (channel, count, what) in unfinished.into_iter().filter(|(_, count, _)| *count != 0) {
            self.report(channel, Rule::Unfinished, format!("the test ended while {count} {what}"));
        }
    }

    #[cold]
    fn report(&mut self, channel: Channel, rule: Rule, text: String) {
        if self.violations.len() < KEPT {
            self.violations.push(Violation { cycle: self.cycle, channel, rule, text });
        } else {
            self.dropped += 1;
        }
    }

    /// Stability of one channel; returns what waits now.
    fn stable<T: PartialEq + Copy + fmt::Debug>(
        &mut self,
        channel: Channel,
        waited: Option<T>,
        valid: bool,
        ready: bool,
        now: &T,
    ) -> Option<T> {
        if let Some(before) = waited {
            if !valid {
                self.report(
                    channel,
                    Rule::ValidWithdrawn,
                    format!("valid fell before ready came, with {before:?} waiting"),
                );
            } else if before != *now {
                self.report(
                    channel,
                    Rule::PayloadChanged,
                    format!("the payload changed while valid waited: {before:?} became {now:?}"),
                );
            }
        }
        (valid && !ready).then_some(*now)
    }

    fn see_aw(&mut self, input: &AxiIn, out: &AxiOut) {
        let first = self.aw.is_none();
        self.aw = self.stable(Channel::Aw, self.aw, out.aw_valid, input.aw_ready, &out.aw);
        if !out.aw_valid {
            return;
        }
        if first {
            self.check_address(Channel::Aw, &out.aw);
        }
        if !input.aw_ready {
            return;
        }
        self.open_writes.push_back(OpenWrite { address: out.aw, beats: 0 });
        self.check_outstanding(Channel::Aw, self.open_writes.len() + self.complete_writes.len());
        while !self.open_writes.is_empty() {
            let Some((strb, last)) = self.w_ahead.pop_front() else { break };
            self.write_beat(strb, last);
        }
    }

    fn see_w(&mut self, input: &AxiIn, out: &AxiOut) {
        self.w = self.stable(Channel::W, self.w, out.w_valid, input.w_ready, &out.w);
        if !(out.w_valid && input.w_ready) {
            return;
        }
        if self.open_writes.is_empty() {
            self.w_ahead.push_back((out.w.strb, out.w.last));
        } else {
            self.write_beat(out.w.strb, out.w.last);
        }
    }

    /// Gives a data beat to the oldest write that lacks some.
    fn write_beat(&mut self, strb: u64, last: bool) {
        let bus_bytes = self.config.bus_bytes;
        let Some(write) = self.open_writes.front_mut() else { return };
        let (address, index) = (write.address, write.beats);
        write.beats += 1;
        let stray = strb & mask(bus_bytes as u64) & !address.lanes(index, bus_bytes);
        if stray != 0 {
            let text = format!(
                "strobes {stray:#x} of beat {index} lie outside its lanes {:#x}, in {address:?}",
                address.lanes(index, bus_bytes)
            );
            self.report(Channel::W, Rule::Strobe, text);
        }
        let is_final = index + 1 >= address.beats();
        if last != is_final {
            let text = format!("WLAST is {last} on beat {index} of {} of {address:?}", address.beats());
            self.report(Channel::W, Rule::Last, text);
        }
        if last || is_final {
            self.open_writes.pop_front();
            self.complete_writes.push(address);
        }
    }

    fn see_b(&mut self, input: &AxiIn, out: &AxiOut) {
        let first = self.b.is_none();
        self.b = self.stable(Channel::B, self.b, input.b_valid, out.b_ready, &input.b);
        if !input.b_valid {
            return;
        }
        let answer = input.b;
        let position = self.complete_writes.iter().position(|write| write.id == answer.id);
        if first {
            match position {
                None => {
                    let open = self.open_writes.iter().any(|write| write.address.id == answer.id);
                    let why =
                        if open { "before the last data beat of its write" } else { "and no write of this ID waits" };
                    self.report(Channel::B, Rule::StrayB, format!("a response came for ID {} {why}", answer.id));
                }
                Some(index) => self.check_exclusive(Channel::B, answer.resp, self.complete_writes[index]),
            }
        }
        if out.b_ready
            && let Some(index) = position
        {
            self.complete_writes.remove(index);
        }
    }

    fn see_ar(&mut self, input: &AxiIn, out: &AxiOut) {
        let first = self.ar.is_none();
        self.ar = self.stable(Channel::Ar, self.ar, out.ar_valid, input.ar_ready, &out.ar);
        if !out.ar_valid {
            return;
        }
        if first {
            self.check_address(Channel::Ar, &out.ar);
        }
        if input.ar_ready {
            self.open_reads.push_back(OpenRead { address: out.ar, beats: 0 });
            self.check_outstanding(Channel::Ar, self.open_reads.len());
        }
    }

    fn see_r(&mut self, input: &AxiIn, out: &AxiOut) {
        let first = self.r.is_none();
        self.r = self.stable(Channel::R, self.r, input.r_valid, out.r_ready, &input.r);
        if !input.r_valid {
            return;
        }
        let ReadBeat { id, resp, last, .. } = input.r;
        let Some(position) = self.open_reads.iter().position(|read| read.address.id == id) else {
            if first {
                self.report(Channel::R, Rule::StrayR, format!("data came for ID {id} and no read of this ID waits"));
            }
            return;
        };
        let OpenRead { address, beats } = self.open_reads[position];
        let is_final = beats + 1 >= address.beats();
        if first {
            if last != is_final {
                let text = format!("RLAST is {last} on beat {beats} of {} of {address:?}", address.beats());
                self.report(Channel::R, Rule::Last, text);
            }
            self.check_exclusive(Channel::R, resp, address);
        }
        if out.r_ready {
            if last || is_final {
                self.open_reads.remove(position);
            } else {
                self.open_reads[position].beats += 1;
            }
        }
    }

    fn check_exclusive(&mut self, channel: Channel, resp: Resp, address: Address) {
        if resp == Resp::ExOkay && !address.lock {
            self.report(channel, Rule::ExOkay, format!("EXOKAY answers an access that is not exclusive: {address:?}"));
        }
    }

    fn check_outstanding(&mut self, channel: Channel, count: usize) {
        if let Some(limit) = self.config.outstanding.filter(|limit| count > *limit) {
            self.report(channel, Rule::Outstanding, format!("{count} bursts are outstanding and {limit} are allowed"));
        }
    }

    fn check_address(&mut self, channel: Channel, a: &Address) {
        let bus_bytes = self.config.bus_bytes as u64;
        let mut broken = |rule, what: &str| self.report(channel, rule, format!("{what}: {a:?}"));
        if a.size > 7 || a.beat_bytes() > bus_bytes {
            broken(Rule::Size, "a beat is wider than the bus");
            return;
        }
        let legal = match a.burst {
            0 => a.len < 16,
            1 => true,
            2 => matches!(a.len, 1 | 3 | 7 | 15) && a.addr.is_multiple_of(a.beat_bytes()),
            _ => false,
        };
        if !legal {
            broken(Rule::BurstType, "the burst type is reserved, or its length or start is not allowed for it");
        }
        let (start, end) = a.span();
        if a.burst == 1 && start >> 12 != (end - 1) >> 12 {
            broken(Rule::Crosses4K, "the burst crosses a multiple of 4 KiB");
        }
        if (end - 1) >> ADDRESS_BITS != 0 {
            broken(Rule::AddressSpace, "the burst leaves the 40-bit address space");
        }
        if matches!(a.cache, 4 | 5 | 8 | 9 | 12 | 13) {
            broken(Rule::Cache, "AxCACHE has a reserved value");
        }
        if self.config.ids.as_ref().is_some_and(|ids| !ids.contains(&a.id)) {
            self.report(channel, Rule::Id, format!("the ID is not one of this master's: {a:?}"));
        }
    }
}
