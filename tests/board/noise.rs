// SPDX-License-Identifier: Apache-2.0
//! A bad line: bytes are changed, lost, inserted, or come without a stop bit, by a seed.

use rand::RngExt;
use tb::{Seed, seed};

/// What happens to bytes, and how often it did.
pub struct Noise {
    random: Seed,
    /// Of a thousand bytes so many are disturbed.
    per_thousand: u32,
    pub passed: u64,
    pub changed: u64,
    pub lost: u64,
    pub inserted: u64,
    pub broken: u64,
}

impl Noise {
    pub fn none() -> Noise {
        Noise::new(0, 0)
    }

    pub fn new(number: u64, per_thousand: u32) -> Noise {
        Noise { random: seed(number), per_thousand, passed: 0, changed: 0, lost: 0, inserted: 0, broken: 0 }
    }

    /// Hands a byte on, or what has become of it; false for one whose stop bit is 0.
    pub fn disturb(&mut self, byte: u8, pass: &mut dyn FnMut(u8, bool)) {
        if self.random.rng.random_range(0..1000) >= self.per_thousand {
            self.passed += 1;
            return pass(byte, true);
        }
        match self.random.rng.random_range(0..6) {
            0 => self.lost += 1,
            1 => {
                self.inserted += 1;
                pass(self.random.rng.random(), true);
                pass(byte, true);
            }
            // A flag is what hurts most.
            2 => {
                self.inserted += 1;
                pass(isa::link::FLAG, true);
                pass(byte, true);
            }
            3 => {
                self.broken += 1;
                pass(byte, false);
            }
            _ => {
                self.changed += 1;
                pass(byte ^ (1 << self.random.rng.random_range(0..8)), true);
            }
        }
    }
}
