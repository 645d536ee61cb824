// SPDX-License-Identifier: Apache-2.0
//! Bandwidth as a budget: every cycle earns, every beat costs.

use crate::memory::config::MemoryConfig;

/// Fractions of a byte in which bandwidth is counted.
pub(super) const FRACTION: f64 = 1024.0;

/// Bandwidth left, in fractions of a byte.
pub(super) struct Budget {
    credit: u64,
    income: u64,
    beat: u64,
}

impl Budget {
    pub(super) fn new(config: &MemoryConfig) -> Budget {
        let beat = config.bus_bytes as u64 * FRACTION as u64;
        // More than two beats per cycle cannot be used, in either direction or in both.
        let income = ((config.bytes_per_cycle * FRACTION).round().min(2.0 * beat as f64)) as u64;
        Budget { credit: if config.shared { income.max(beat) } else { beat }, income, beat }
    }

    /// Earns for the next cycle. What idle cycles earn beyond one cycle's worth is lost; fractions are kept while beats are waiting or going.
    #[inline]
    pub(super) fn earn(&mut self, in_use: bool) {
        let limit = if in_use { self.beat + self.income } else { self.beat.max(self.income) };
        self.credit = (self.credit + self.income).min(limit);
    }

    /// True if so many beats can go in one cycle.
    #[inline]
    pub(super) fn can_pay(&self, beats: u64) -> bool {
        self.credit >= beats * self.beat
    }

    #[inline]
    pub(super) fn pay(&mut self) {
        self.credit -= self.beat;
    }
}
