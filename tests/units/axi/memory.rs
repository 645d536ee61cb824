// SPDX-License-Identifier: Apache-2.0
//! A plain Rust AXI memory with latency, stalls, interleaving, errors and protocol checks, and the units wired to it.
#![allow(dead_code, missing_docs)]

use isa::Config;
use rtl::prim::prelude::Bits;
use std::collections::VecDeque;

/// Where the memory begins.
pub const ORIGIN: u64 = 0x12_3456_0000;

/// Repeatable numbers (splitmix64).
pub struct Random(pub u64);

impl Random {
    /// The seed of `QUADER_SEED`, or `default`; printed.
    pub fn new(default: u64) -> Self {
        let seed = std::env::var("QUADER_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
        println!("QUADER_SEED={seed}");
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// Small cores of every bus width; `small` has L1 chunks narrower than the bus, a whole line of L1 just holds a bus word.
pub fn config(bus_bytes: usize, small: bool) -> Config {
    let mut config = match bus_bytes {
        4 | 8 => Config::tiny(),
        16 => Config::lite(),
        _ => Config { fix_lanes: 4, ..Config::lite() },
    };
    config.bus_bytes = bus_bytes;
    config.fix_lanes = 1;
    config.dsp_mults = 0;
    config.l1_bytes = 16 << 10;
    if small {
        (config.m0, config.k0, config.n0, config.outstanding) = (2, (bus_bytes.min(32) / 2).max(4), 2, 2);
    }
    config.checked().expect("legal core")
}

pub fn word<const B: usize>(bytes: &[u8]) -> Bits<B> {
    let mut word = Bits::<B>::default();
    for (at, byte) in bytes.iter().enumerate() {
        for bit in 0..8 {
            if byte >> bit & 1 == 1 {
                word = word.replace_bit(at * 8 + bit, true);
            }
        }
    }
    word
}

pub fn unword<const B: usize>(word: Bits<B>) -> Vec<u8> {
    (0..B / 8).map(|at| (0..8).fold(0, |byte, bit| byte | u8::from(word.get_bit(at * 8 + bit)) << bit)).collect()
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Address {
    pub valid: bool,
    pub id: u64,
    pub address: u64,
    pub len: u64,
    pub size: u64,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Beat {
    pub valid: bool,
    pub id: u64,
    pub data: Vec<u8>,
    pub strobe: Vec<bool>,
    pub error: bool,
    pub last: bool,
}

struct Burst {
    id: u64,
    address: u64,
    left: u64,
    due: u64,
}

/// What the model checks and how it behaves.
pub struct Memory {
    pub bytes: Vec<u8>,
    width: usize,
    limit: usize,
    pub latency: u64,
    pub jitter: u64,
    pub stall: u64,
    /// Addresses that answer with an error.
    pub error: Option<std::ops::Range<u64>>,
    pub random: Random,
    pub cycle: u64,
    pub bursts: u64,
    pub beats: u64,
    reads: VecDeque<Burst>,
    shown: Beat,
    writes: VecDeque<Burst>,
    words: VecDeque<Beat>,
    answers: VecDeque<(u64, u64, bool)>,
    write_error: bool,
    old_address: Address,
    old_word: Beat,
    pub address_ready: bool,
    pub word_ready: bool,
}

impl Memory {
    pub fn new(width: usize, limit: usize, bytes: Vec<u8>, random: Random) -> Self {
        Memory {
            bytes,
            width,
            limit,
            latency: 20,
            jitter: 0,
            stall: 0,
            error: None,
            random,
            cycle: 0,
            bursts: 0,
            beats: 0,
            reads: VecDeque::new(),
            shown: Beat::default(),
            writes: VecDeque::new(),
            words: VecDeque::new(),
            answers: VecDeque::new(),
            write_error: false,
            old_address: Address::default(),
            old_word: Beat::default(),
            address_ready: false,
            word_ready: false,
        }
    }

    fn failing(&self, address: u64) -> bool {
        self.error.as_ref().is_some_and(|range| range.contains(&address))
    }

    fn take_address(&mut self, pins: &Address) -> Option<Burst> {
        if self.old_address.valid && !self.address_ready {
            assert_eq!(*pins, self.old_address, "cycle {}: the address changed before it was taken", self.cycle);
        }
        self.old_address = pins.clone();
        if !(pins.valid && self.address_ready) {
            return None;
        }
        self.old_address.valid = false;
        let bytes = (pins.len + 1) * self.width as u64;
        assert_eq!(pins.address % self.width as u64, 0, "unaligned burst");
        assert_eq!(1 << pins.size, self.width, "burst size");
        assert!(pins.address % 4096 + bytes <= 4096, "burst {pins:x?} leaves its page");
        let first = pins.address.wrapping_sub(ORIGIN);
        assert!(
            first.checked_add(bytes).is_some_and(|end| end <= self.bytes.len() as u64),
            "burst {pins:x?} leaves the memory"
        );
        self.bursts += 1;
        let jitter = if self.jitter > 0 { self.random.below(self.jitter) } else { 0 };
        Some(Burst { id: pins.id, address: pins.address, left: pins.len + 1, due: self.cycle + self.latency + jitter })
    }

    /// Pins of the R channel for this cycle, and `address_ready`.
    pub fn drive_read(&mut self) -> Beat {
        self.address_ready = !self.random.chance(self.stall);
        if !self.shown.valid && !self.random.chance(self.stall) {
            let mut heads: Vec<usize> = vec![];
            for (at, burst) in self.reads.iter().enumerate() {
                if burst.due <= self.cycle && self.reads.iter().position(|other| other.id == burst.id) == Some(at) {
                    heads.push(at);
                }
            }
            if !heads.is_empty() {
                let pick = heads[self.random.below(heads.len() as u64) as usize];
                let error = self.failing(self.reads[pick].address);
                let burst = &mut self.reads[pick];
                let first = (burst.address - ORIGIN) as usize;
                self.shown = Beat {
                    valid: true,
                    id: burst.id,
                    data: self.bytes[first..first + self.width].to_vec(),
                    error,
                    last: burst.left == 1,
                    strobe: vec![],
                };
                burst.address += self.width as u64;
                burst.left -= 1;
                if burst.left == 0 {
                    self.reads.remove(pick);
                }
            }
        }
        self.shown.clone()
    }

    /// What happened in this cycle.
    pub fn finish_read(&mut self, pins: Address, rready: bool) {
        if let Some(burst) = self.take_address(&pins) {
            self.reads.push_back(burst);
        }
        let in_flight = self.reads.len() + usize::from(self.shown.valid && self.shown.last);
        assert!(in_flight <= self.limit, "{in_flight} bursts in flight, limit {}", self.limit);
        if self.shown.valid && rready {
            self.shown.valid = false;
            self.beats += 1;
        }
        self.cycle += 1;
    }

    /// Pins of the B channel (id, error) for this cycle, and the two readies.
    pub fn drive_write(&mut self) -> Option<(u64, bool)> {
        self.address_ready = !self.random.chance(self.stall);
        self.word_ready = !self.random.chance(self.stall);
        if !self.shown.valid {
            for at in 0..self.answers.len() {
                let (id, due, error) = self.answers[at];
                let first = self.answers.iter().position(|other| other.0 == id) == Some(at);
                if first && due <= self.cycle && !self.random.chance(self.stall) {
                    self.answers.remove(at);
                    self.shown = Beat { valid: true, id, error, ..Beat::default() };
                    break;
                }
            }
        }
        self.shown.valid.then_some((self.shown.id, self.shown.error))
    }

    /// What happened in this cycle.
    pub fn finish_write(&mut self, pins: Address, word: Beat, bready: bool) {
        if let Some(burst) = self.take_address(&pins) {
            self.writes.push_back(burst);
        }
        if self.old_word.valid && !self.word_ready {
            assert_eq!(word, self.old_word, "cycle {}: the word changed before it was taken", self.cycle);
        }
        self.old_word = word.clone();
        if word.valid && self.word_ready {
            self.old_word.valid = false;
            self.words.push_back(word);
            self.beats += 1;
        }
        while let (Some(burst), Some(_)) = (self.writes.front(), self.words.front()) {
            let (address, id, last) = (burst.address, burst.id, burst.left == 1);
            let word = self.words.pop_front().expect("a word is there");
            assert_eq!(word.last, last, "WLAST of the burst at {address:x}");
            self.write_error |= self.failing(address);
            let first = (address - ORIGIN) as usize;
            for at in 0..self.width {
                if word.strobe[at] {
                    self.bytes[first + at] = word.data[at];
                }
            }
            if last {
                let jitter = if self.jitter > 0 { self.random.below(self.jitter) } else { 0 };
                self.answers.push_back((id, self.cycle + self.latency + jitter, self.write_error));
                self.write_error = false;
                self.writes.pop_front();
            } else {
                let burst = self.writes.front_mut().expect("it is there");
                burst.address += self.width as u64;
                burst.left -= 1;
            }
        }
        let in_flight = self.writes.len() + self.answers.len();
        assert!(in_flight <= self.limit + 1, "{in_flight} bursts in flight, limit {}", self.limit);
        if self.shown.valid && bready {
            self.shown.valid = false;
        }
        self.cycle += 1;
    }

    /// Nothing in flight.
    pub fn idle(&self) -> bool {
        self.reads.is_empty()
            && self.writes.is_empty()
            && self.words.is_empty()
            && self.answers.is_empty()
            && !self.shown.valid
    }
}

/// Sets the R side's pins, settles.
macro_rules! drive_read {
    ($twin:expr, $memory:expr, $B:expr) => {{
        let beat = $memory.drive_read();
        $twin.uut.m_axi_arready.next = $memory.address_ready;
        $twin.uut.m_axi_rvalid.next = beat.valid;
        $twin.uut.m_axi_rid.next = beat.id.into();
        $twin.uut.m_axi_rdata.next = $crate::axi::memory::word::<{ $B }>(&beat.data);
        $twin.uut.m_axi_rresp.next = (if beat.error { 2u64 } else { 0 }).into();
        $twin.uut.m_axi_rlast.next = beat.last;
    }};
}

/// Tells the memory what the R side did, after settling.
macro_rules! finish_read {
    ($twin:expr, $memory:expr) => {{
        assert_eq!($twin.uut.m_axi_arburst.val().index(), 1);
        let pins = $crate::axi::memory::Address {
            valid: $twin.uut.m_axi_arvalid.val(),
            id: $twin.uut.m_axi_arid.val().index() as u64,
            address: $twin.uut.m_axi_araddr.val().to_u64(),
            len: $twin.uut.m_axi_arlen.val().to_u64(),
            size: $twin.uut.m_axi_arsize.val().to_u64(),
        };
        $memory.finish_read(pins, $twin.uut.m_axi_rready.val());
    }};
}

/// Sets the W side's pins.
macro_rules! drive_write {
    ($twin:expr, $memory:expr) => {{
        let answer = $memory.drive_write();
        $twin.uut.m_axi_awready.next = $memory.address_ready;
        $twin.uut.m_axi_wready.next = $memory.word_ready;
        $twin.uut.m_axi_bvalid.next = answer.is_some();
        let (id, error) = answer.unwrap_or_default();
        $twin.uut.m_axi_bid.next = id.into();
        $twin.uut.m_axi_bresp.next = (if error { 3u64 } else { 0 }).into();
    }};
}

/// Tells the memory what the W side did, after settling.
macro_rules! finish_write {
    ($twin:expr, $memory:expr) => {{
        assert_eq!($twin.uut.m_axi_awburst.val().index(), 1);
        let pins = $crate::axi::memory::Address {
            valid: $twin.uut.m_axi_awvalid.val(),
            id: $twin.uut.m_axi_awid.val().index() as u64,
            address: $twin.uut.m_axi_awaddr.val().to_u64(),
            len: $twin.uut.m_axi_awlen.val().to_u64(),
            size: $twin.uut.m_axi_awsize.val().to_u64(),
        };
        let strobe = $twin.uut.m_axi_wstrb.val();
        let data = $crate::axi::memory::unword($twin.uut.m_axi_wdata.val());
        let word = $crate::axi::memory::Beat {
            valid: $twin.uut.m_axi_wvalid.val(),
            strobe: (0..data.len()).map(|at| strobe.get_bit(at)).collect(),
            data,
            last: $twin.uut.m_axi_wlast.val(),
            id: 0,
            error: false,
        };
        $memory.finish_write(pins, word, $twin.uut.m_axi_bready.val());
    }};
}
