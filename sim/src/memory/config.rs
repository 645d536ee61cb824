// SPDX-License-Identifier: Apache-2.0
//! What can be asked of the memory, and what it tells: configuration, injected errors, windows, log, counters.

use crate::bus::{Address, Resp};
use crate::error::{Error, Result};
use crate::memory::budget::FRACTION;

/// In which order responses of different IDs come. Within an ID it is always that of the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As requested, over all IDs.
    InOrder,
    /// Any burst that is due may come next, chosen at random.
    OutOfOrder,
    /// As `OutOfOrder`, and R beats of different bursts alternate at random.
    Interleaved,
}

/// How the memory behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryConfig {
    /// Width of the data bus in bytes: 4, 8, 16, 32 or 64.
    pub bus_bytes: usize,
    /// Cycles from a request to its response, at least 1.
    pub latency: u32,
    /// Bytes per cycle and direction; infinite for one beat per cycle. Fractions count: 2.0 on a bus of 16 bytes is a beat every 8 cycles.
    pub bytes_per_cycle: f64,
    /// Both directions share one budget of `bytes_per_cycle`.
    pub shared: bool,
    /// Probability that a channel stalls in a cycle: its ready is low, or its next valid comes later.
    pub stall: f64,
    /// Order of responses.
    pub order: Order,
    /// Up to this many cycles are added to the latency of each request, at random; 0 for measurements.
    pub jitter: u32,
    /// Seed of stalls, order and jitter.
    pub seed: u64,
}

impl MemoryConfig {
    /// A bus of `bus_bytes` with latency 1, a beat per cycle and direction, in order, no stalls.
    #[must_use]
    pub fn ideal(bus_bytes: usize) -> MemoryConfig {
        MemoryConfig {
            bus_bytes,
            latency: 1,
            bytes_per_cycle: f64::INFINITY,
            shared: false,
            stall: 0.0,
            order: Order::InOrder,
            jitter: 0,
            seed: 0,
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::Config { reason });
        if !matches!(self.bus_bytes, 4 | 8 | 16 | 32 | 64) {
            return refuse(format!("a memory bus of {} bytes cannot be: it is 4, 8, 16, 32 or 64", self.bus_bytes));
        }
        if self.latency == 0 {
            return refuse("a memory latency of 0 cycles cannot be: the least is 1".to_owned());
        }
        if self.bytes_per_cycle.is_nan() || self.bytes_per_cycle * FRACTION < 1.0 {
            return refuse(format!(
                "a memory of {} bytes per cycle never answers: it takes at least 1/1024",
                self.bytes_per_cycle
            ));
        }
        if !(0.0..=0.99).contains(&self.stall) {
            return refuse(format!("a stall probability of {} cannot be: it is from 0 to 0.99", self.stall));
        }
        Ok(())
    }
}

/// Direction of an access, seen from the master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// AR, R.
    Read,
    /// AW, W, B.
    Write,
}

/// Which beats an injected error hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// The beat with this number, counted over its direction in order of the addresses accepted, from 0.
    Beat(u64),
    /// Every beat that starts in `start..end`.
    Range(u64, u64),
}

/// An error to be answered instead of doing the access. Reads then carry poison, writes change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injection {
    /// Reads or writes.
    pub access: Access,
    /// Which beats.
    pub hit: Hit,
    /// The answer.
    pub resp: Resp,
}

/// Addresses that may be accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// Reads are allowed.
    pub read: bool,
    /// Writes are allowed.
    pub write: bool,
}

/// An access outside the allowed windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trespass {
    /// Cycle of the address handshake (reads) or data handshake (writes).
    pub cycle: u64,
    /// Direction.
    pub access: Access,
    /// AxID.
    pub id: u32,
    /// First byte touched outside.
    pub addr: u64,
    /// One past the last byte touched.
    pub end: u64,
}

impl std::fmt::Display for Trespass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Trespass { cycle, access, id, addr, end } = self;
        write!(f, "cycle {cycle}, {access:?} of ID {id}: bytes {addr:#x}..{end:#x} lie outside the allowed windows")
    }
}

/// One accepted burst, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEntry {
    /// Cycle of the address handshake.
    pub cycle: u64,
    /// Direction.
    pub access: Access,
    /// The address channel's payload.
    pub address: Address,
}

/// What went over the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Read bursts accepted.
    pub read_bursts: u64,
    /// R beats transferred.
    pub read_beats: u64,
    /// Bytes of these beats (2^size each).
    pub read_bytes: u64,
    /// Write bursts accepted.
    pub write_bursts: u64,
    /// W beats transferred.
    pub write_beats: u64,
    /// Bytes strobed in these beats.
    pub write_bytes: u64,
    /// Cycle of the last B handshake.
    pub last_write_answer: u64,
    /// Cycle of the last R handshake.
    pub last_read_beat: u64,
}
