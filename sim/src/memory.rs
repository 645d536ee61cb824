// SPDX-License-Identifier: Apache-2.0
//! Global memory as an AXI4 slave with an exact timing model.
//!
//! ```text
//!  AR ─► sample data ─► lanes by ID ─► after `latency` ─► budget ─► R
//!  AW ─► order ─┐
//!  W  ─► budget ┴► burst complete ─► after `latency` ─► commit ─► B
//! ```
//!
//! - **Latency** is the number of cycles from the AR handshake to the first R beat, and from the last W beat (or AW, if later) to B; the same
//!   for every request, any number in flight. 1 is the least: no path leads through the memory within a cycle.
//! - **Bandwidth**: a beat costs the bus width, whatever its size and strobes; each direction earns `bytes_per_cycle`, or both share it.
//! - **As unkind as AXI allows**: data of a read is taken when AR is accepted, data of a write becomes visible when B is presented. A master that
//!   reads before it has the response of its write gets old bytes, in every run.
//! - **Stalls** are a function of seed, channel and cycle; they do not depend on traffic.
//! - Each call is O(1) when nothing is in flight.

mod budget;
mod config;

use std::collections::VecDeque;

use crate::bus::{Address, AxiIn, AxiOut, Resp, WriteAnswer, WriteBeat};
use crate::chance::Chance;
use crate::error::Result;
use crate::gm::GlobalMemory;
use crate::memory::budget::Budget;

pub use config::{Access, Hit, Injection, LogEntry, MemoryConfig, Order, Traffic, Trespass, Window};

/// W beats taken before their AW is known; more would mean that the AW never comes.
const W_AHEAD: usize = 1024;

/// A read burst on its way.
struct ReadBurst {
    address: Address,
    due: u64,
    sent: u32,
    /// `bus_bytes` per beat, taken when the address was accepted.
    data: Vec<u8>,
    /// Beats that are answered with an error; mostly none.
    errors: Vec<(u32, Resp)>,
}

/// A write burst on its way.
struct WriteBurst {
    address: Address,
    due: u64,
    first_beat: u64,
    beats: Vec<WriteBeat>,
    resp: Resp,
}

/// Bursts of one ID (or of all, in order).
struct Lane<T> {
    id: u32,
    queue: VecDeque<T>,
}

/// The memory: contents, timing, counters. [`AxiMemory::clock`] is one rising edge.
pub struct AxiMemory {
    config: MemoryConfig,
    /// The bytes. A test writes operands here before it starts and reads results after the last response.
    pub gm: GlobalMemory,
    input: AxiIn,
    cycle: u64,
    traffic: Traffic,
    reads: Vec<Lane<ReadBurst>>,
    reads_pending: usize,
    /// The lane that a burst is being sent from, until its last beat.
    read_lane: Option<usize>,
    /// Bursts whose AW came, in that order, and whose last W beat did not.
    open_writes: VecDeque<WriteBurst>,
    w_ahead: VecDeque<WriteBeat>,
    writes: Vec<Lane<WriteBurst>>,
    writes_pending: usize,
    /// Of reads and writes, or of both together in the first.
    budgets: [Budget; 2],
    /// With one budget for less than a beat of each direction per cycle, reads and writes take turns while both want to go.
    served_read_last: bool,
    stalls: [Chance; 5],
    order: Chance,
    jitter: Chance,
    read_beats_accepted: u64,
    write_beats_accepted: u64,
    injections: Vec<Injection>,
    windows: Option<Vec<Window>>,
    trespasses: Vec<Trespass>,
    log: Option<Vec<LogEntry>>,
    spare_data: Vec<Vec<u8>>,
    spare_beats: Vec<Vec<WriteBeat>>,
}

/// Streams of stalls, in the order of `stalls`.
const AW: usize = 0;
const W: usize = 1;
const B: usize = 2;
const AR: usize = 3;
const R: usize = 4;

impl AxiMemory {
    /// A memory with these contents, at the beginning of cycle 0.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if the configuration cannot be.
    pub fn new(config: MemoryConfig, gm: GlobalMemory) -> Result<AxiMemory> {
        config.check()?;
        let stalls = [AW, W, B, AR, R].map(|channel| Chance::new(config.seed, channel as u64, config.stall));
        let mut memory = AxiMemory {
            gm,
            input: AxiIn::default(),
            cycle: 0,
            traffic: Traffic::default(),
            reads: Vec::new(),
            reads_pending: 0,
            read_lane: None,
            open_writes: VecDeque::new(),
            w_ahead: VecDeque::new(),
            writes: Vec::new(),
            writes_pending: 0,
            budgets: [Budget::new(&config), Budget::new(&config)],
            served_read_last: false,
            stalls,
            order: Chance::new(config.seed, 5, 0.5),
            jitter: Chance::new(config.seed, 6, 0.5),
            read_beats_accepted: 0,
            write_beats_accepted: 0,
            injections: Vec::new(),
            windows: None,
            trespasses: Vec::new(),
            log: None,
            spare_data: Vec::new(),
            spare_beats: Vec::new(),
            config,
        };
        memory.prepare(false);
        Ok(memory)
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &MemoryConfig {
        &self.config
    }

    /// Adds an error to be answered.
    pub fn inject(&mut self, injection: Injection) {
        self.injections.push(injection);
    }

    /// Forgets all errors that were to be answered.
    pub fn heal(&mut self) {
        self.injections.clear();
    }

    /// From now on records every access outside `windows`; bytes still go where the master wants them.
    pub fn watch(&mut self, windows: Vec<Window>) {
        self.windows = Some(windows);
    }

    /// Accesses outside the windows so far.
    #[must_use]
    pub fn trespasses(&self) -> &[Trespass] {
        &self.trespasses
    }

    /// From now on keeps a list of all bursts.
    pub fn keep_log(&mut self) {
        self.log.get_or_insert_with(Vec::new);
    }

    /// The bursts since [`AxiMemory::keep_log`], or since the log was taken last.
    pub fn take_log(&mut self) -> Vec<LogEntry> {
        self.log.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The bursts since [`AxiMemory::keep_log`].
    #[must_use]
    pub fn log(&self) -> &[LogEntry] {
        self.log.as_deref().unwrap_or_default()
    }

    /// What went over the bus so far.
    #[must_use]
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Rising edges so far: the number of the cycle that [`AxiMemory::input`] is for.
    #[must_use]
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// True if nothing is in flight: every accepted request has its whole response.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.reads_pending == 0
            && self.writes_pending == 0
            && self.open_writes.is_empty()
            && self.w_ahead.is_empty()
            && !self.input.r_valid
            && !self.input.b_valid
    }

    /// What the memory drives in this cycle.
    #[must_use]
    #[inline]
    pub fn input(&self) -> &AxiIn {
        &self.input
    }

    /// One rising edge under reset, in place of [`AxiMemory::clock`]: everything in flight is forgotten; contents and counters stay.
    pub fn reset(&mut self) {
        self.cycle += 1;
        self.reads.clear();
        self.writes.clear();
        self.open_writes.clear();
        self.w_ahead.clear();
        (self.reads_pending, self.writes_pending, self.read_lane) = (0, 0, None);
        self.input = AxiIn::default();
        self.prepare(false);
    }

    /// One rising edge: `out` is what the master drove while [`AxiMemory::input`] was applied.
    #[inline]
    pub fn clock(&mut self, out: &AxiOut) {
        let w_taken = self.input.w_ready && out.w_valid;
        let r_taken = self.input.r_valid && out.r_ready;
        let r_waited = self.reads_pending != 0 && !self.input.r_valid && self.any_read_due();
        if self.input.ar_ready && out.ar_valid {
            self.accept_read(out.ar);
        }
        if self.input.aw_ready && out.aw_valid {
            self.accept_write(out.aw);
        }
        if w_taken {
            self.budgets[usize::from(!self.config.shared)].pay();
            self.served_read_last = false;
            self.accept_beat(&out.w);
        }
        if r_taken {
            self.input.r_valid = false;
            self.traffic.last_read_beat = self.cycle;
        }
        if self.input.b_valid && out.b_ready {
            self.input.b_valid = false;
            self.traffic.last_write_answer = self.cycle;
        }
        self.cycle += 1;
        let w_waits = out.w_valid && !w_taken;
        let r_in_use = r_taken || r_waited;
        let w_in_use = w_taken || w_waits;
        if self.config.shared {
            self.budgets[0].earn(r_in_use || w_in_use);
        } else {
            self.budgets[0].earn(r_in_use);
            self.budgets[1].earn(w_in_use);
        }
        self.prepare(w_waits);
    }

    /// Decides what to drive in the cycle that begins. `w_waits`: a W beat stands there that was not taken.
    fn prepare(&mut self, w_waits: bool) {
        let cycle = self.cycle;
        self.input.ar_ready = !self.stalls[AR].at(cycle);
        self.input.aw_ready = !self.stalls[AW].at(cycle);
        let w_open = !self.stalls[W].at(cycle) && self.w_ahead.len() < W_AHEAD;
        let w_first = w_waits && self.served_read_last;
        if self.config.shared {
            self.input.w_ready = w_first && w_open && self.budgets[0].can_pay(1);
        }
        let reserved = u64::from(self.config.shared && self.input.w_ready);
        let r_open = !self.input.r_valid && self.reads_pending != 0 && !self.stalls[R].at(cycle);
        if r_open && self.budgets[0].can_pay(1 + reserved) && self.present_read() {
            self.budgets[0].pay();
            self.served_read_last = true;
        }
        if !self.config.shared {
            self.input.w_ready = w_open && self.budgets[1].can_pay(1);
        } else if !w_first {
            self.input.w_ready = w_open && self.budgets[0].can_pay(1);
        }
        if !self.input.b_valid && self.writes_pending != 0 && !self.stalls[B].at(cycle) {
            self.present_answer();
        }
    }

    fn due(&self, request: u64) -> u64 {
        let extra = match self.config.jitter {
            0 => 0,
            jitter => self.jitter.below(request, u64::from(jitter) + 1),
        };
        self.cycle + u64::from(self.config.latency) + extra
    }

    fn accept_read(&mut self, address: Address) {
        let first_beat = self.read_beats_accepted;
        self.read_beats_accepted += u64::from(address.beats());
        self.traffic.read_bursts += 1;
        self.note(Access::Read, address);
        let (start, end) = address.span();
        self.check_windows(Access::Read, address.id, start, end);
        let bus_bytes = self.config.bus_bytes;
        let mut data = self.spare_data.pop().unwrap_or_default();
        data.resize(address.beats() as usize * bus_bytes, 0);
        let mut errors = Vec::new();
        for (index, lanes) in (0..).zip(data.chunks_exact_mut(bus_bytes)) {
            let addr = address.beat_addr(index);
            let word = addr & !(bus_bytes as u64 - 1);
            let resp = self.injected(Access::Read, first_beat + u64::from(index), addr);
            if resp.is_error() {
                errors.push((index, resp));
                self.gm.poison().fill(!word, lanes);
            } else {
                self.gm.read_into(word, lanes);
            }
        }
        let due = self.due(self.traffic.read_bursts);
        let key = self.lane_key(address.id);
        lane(&mut self.reads, key).push_back(ReadBurst { address, due, sent: 0, data, errors });
        self.reads_pending += 1;
    }

    fn accept_write(&mut self, address: Address) {
        let first_beat = self.write_beats_accepted;
        self.write_beats_accepted += u64::from(address.beats());
        self.traffic.write_bursts += 1;
        self.note(Access::Write, address);
        let beats = self.spare_beats.pop().unwrap_or_default();
        self.open_writes.push_back(WriteBurst { address, due: 0, first_beat, beats, resp: Resp::Okay });
        while !self.open_writes.is_empty() {
            let Some(beat) = self.w_ahead.pop_front() else { break };
            self.feed(beat);
        }
    }

    fn accept_beat(&mut self, beat: &WriteBeat) {
        self.traffic.write_beats += 1;
        self.traffic.write_bytes += u64::from(beat.strb.count_ones());
        if self.open_writes.is_empty() {
            self.w_ahead.push_back(*beat);
        } else {
            self.feed(*beat);
        }
    }

    /// Gives the beat to the oldest burst that lacks some.
    fn feed(&mut self, beat: WriteBeat) {
        let Some(burst) = self.open_writes.front_mut() else { return };
        let index = burst.beats.len() as u32;
        let addr = burst.address.beat_addr(index);
        let number = burst.first_beat + u64::from(index);
        burst.beats.push(beat);
        // WLAST in the wrong place is the monitor's to report; a burst that ends early is still answered, so that the test goes on to say so.
        let complete = beat.last || index + 1 >= burst.address.beats();
        let id = burst.address.id;
        let resp = self.injected(Access::Write, number, addr);
        if beat.strb != 0 {
            let word = addr & !(self.config.bus_bytes as u64 - 1);
            let (start, end) =
                (word + u64::from(beat.strb.trailing_zeros()), word + 64 - u64::from(beat.strb.leading_zeros()));
            self.check_windows(Access::Write, id, start, end);
        }
        if let Some(burst) = self.open_writes.front_mut() {
            // The last error of a burst is as good as any.
            burst.resp = if resp.is_error() { resp } else { burst.resp };
        }
        if complete && let Some(mut burst) = self.open_writes.pop_front() {
            burst.due = self.due(!self.write_beats_accepted);
            let key = self.lane_key(id);
            lane(&mut self.writes, key).push_back(burst);
            self.writes_pending += 1;
        }
    }

    /// In order, all IDs share one lane.
    fn lane_key(&self, id: u32) -> u32 {
        if self.config.order == Order::InOrder { 0 } else { id }
    }

    fn any_read_due(&self) -> bool {
        self.reads.iter().any(|lane| lane.queue.front().is_some_and(|burst| burst.due <= self.cycle))
    }

    /// Puts the next R beat on the bus if one is due.
    fn present_read(&mut self) -> bool {
        let current = self.read_lane.filter(|_| self.config.order != Order::Interleaved);
        let Some(index) =
            current.or_else(|| choose(&self.reads, |burst| burst.due <= self.cycle, self.order, self.cycle))
        else {
            return false;
        };
        let bus_bytes = self.config.bus_bytes;
        let queue = &mut self.reads[index].queue;
        let Some(burst) = queue.front_mut() else { return false };
        let at = burst.sent as usize * bus_bytes;
        let error = burst.errors.iter().find(|(beat, _)| *beat == burst.sent);
        self.input.r.id = burst.address.id;
        self.input.r.data[..bus_bytes].copy_from_slice(&burst.data[at..at + bus_bytes]);
        self.input.r.resp = error.map_or(Resp::Okay, |(_, resp)| *resp);
        self.input.r.last = burst.sent == u32::from(burst.address.len);
        self.input.r_valid = true;
        self.traffic.read_beats += 1;
        self.traffic.read_bytes += burst.address.beat_bytes();
        burst.sent += 1;
        self.read_lane = Some(index);
        if self.input.r.last {
            self.read_lane = None;
            self.reads_pending -= 1;
            if let Some(done) = queue.pop_front() {
                self.spare_data.push(done.data);
            }
        }
        true
    }

    /// Puts the next B on the bus if one is due, and makes its data visible.
    fn present_answer(&mut self) {
        let Some(index) = choose(&self.writes, |burst| burst.due <= self.cycle, self.order, !self.cycle) else {
            return;
        };
        let Some(mut burst) = self.writes[index].queue.pop_front() else { return };
        self.writes_pending -= 1;
        if !burst.resp.is_error() {
            let bus_bytes = self.config.bus_bytes;
            for (beat, number) in burst.beats.iter().zip(0..) {
                let word = burst.address.beat_addr(number) & !(bus_bytes as u64 - 1);
                if beat.strb != 0 {
                    self.gm.write_masked(word, &beat.data[..bus_bytes], beat.strb);
                }
            }
        }
        self.input.b = WriteAnswer { id: burst.address.id, resp: burst.resp };
        self.input.b_valid = true;
        burst.beats.clear();
        self.spare_beats.push(burst.beats);
    }

    fn injected(&self, access: Access, number: u64, addr: u64) -> Resp {
        let hits = |injection: &&Injection| {
            injection.access == access
                && match injection.hit {
                    Hit::Beat(beat) => beat == number,
                    Hit::Range(start, end) => (start..end).contains(&addr),
                }
        };
        self.injections.iter().find(hits).map_or(Resp::Okay, |injection| injection.resp)
    }

    /// Records the access if some byte of `start..end` lies in no window that allows it.
    fn check_windows(&mut self, access: Access, id: u32, start: u64, end: u64) {
        let Some(windows) = &self.windows else { return };
        let mut at = start;
        while at < end {
            let allows =
                |w: &&Window| (w.start..w.end).contains(&at) && if access == Access::Read { w.read } else { w.write };
            match windows.iter().find(allows) {
                Some(window) => at = window.end,
                None => {
                    self.trespasses.push(Trespass { cycle: self.cycle, access, id, addr: at, end });
                    return;
                }
            }
        }
    }

    fn note(&mut self, access: Access, address: Address) {
        if let Some(log) = &mut self.log {
            log.push(LogEntry { cycle: self.cycle, access, address });
        }
    }
}

/// The queue of this ID, made if there is none yet.
fn lane<T>(lanes: &mut Vec<Lane<T>>, id: u32) -> &mut VecDeque<T> {
    let index = lanes.iter().position(|lane| lane.id == id).unwrap_or_else(|| {
        lanes.push(Lane { id, queue: VecDeque::new() });
        lanes.len() - 1
    });
    &mut lanes[index].queue
}

/// One of the lanes whose oldest burst is due; which one is random.
fn choose<T>(lanes: &[Lane<T>], due: impl Fn(&T) -> bool, order: Chance, index: u64) -> Option<usize> {
    let ready = |lane: &Lane<T>| lane.queue.front().is_some_and(&due);
    let count = lanes.iter().filter(|lane| ready(lane)).count() as u64;
    if count == 0 {
        return None;
    }
    let chosen = if count == 1 { 0 } else { order.below(index, count) };
    lanes.iter().enumerate().filter(|(_, lane)| ready(lane)).nth(chosen as usize).map(|(index, _)| index)
}
