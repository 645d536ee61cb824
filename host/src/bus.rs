// SPDX-License-Identifier: Apache-2.0
//! What copies cost on the bus of a core behind a memory, for the estimates by which tilings are chosen.
//!
//! Every row is a burst, also if it touches the next one. A burst occupies one of the places for outstanding requests from its address to its last beat or answer, so that short rows
//! come at `outstanding` per latency at best, however short they are.

use crate::simulated::MemorySettings;
use isa::Config;

/// A bus with its memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bus {
    /// Bytes of a word.
    bytes: usize,
    /// Cycles per word.
    word: f64,
    /// Cycles from a request to its answer.
    pub(crate) latency: usize,
    /// Bursts in flight.
    outstanding: usize,
    /// Both directions share the memory's bytes per cycle.
    pub(crate) shared: bool,
}

impl Bus {
    pub(crate) fn new(config: &Config, memory: &MemorySettings) -> Bus {
        Bus {
            bytes: config.bus_bytes,
            word: (config.bus_bytes as f64 / memory.bytes_per_cycle).max(1.0),
            latency: memory.latency as usize,
            outstanding: config.outstanding,
            shared: memory.shared,
        }
    }

    /// Cycles in which `rows` rows of `row` bytes come, one after the other, from row to row `pitch` bytes.
    pub(crate) fn copy(&self, rows: usize, row: usize, pitch: usize) -> usize {
        let words = (row_words(self.bytes, row, pitch) * rows as f64 * self.word) as usize;
        words.max(rows * self.burst())
    }

    /// Cycles from burst to burst, if bursts are short.
    pub(crate) fn burst(&self) -> usize {
        self.latency / self.outstanding
    }

    /// Cycles of words that come one after the other.
    pub(crate) fn words(&self, words: usize) -> usize {
        (words as f64 * self.word) as usize
    }

    /// Cycles in which both directions are served.
    pub(crate) fn both(&self, read: usize, write: usize) -> usize {
        if self.shared { read + write } else { read.max(write) }
    }
}

/// Bus words of a row of `row` bytes, on the average: rows may start and end in the middle of a word.
pub(crate) fn row_words(bus: usize, row: usize, pitch: usize) -> f64 {
    if pitch.is_multiple_of(bus) { row.div_ceil(bus) as f64 } else { 1.0 + row.saturating_sub(1) as f64 / bus as f64 }
}
