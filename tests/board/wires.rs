// SPDX-License-Identifier: Apache-2.0
//! An SDRAM chip behind wires that take time, in half cycles of the board's clock.

use sim::{Poison, SdramChip, SdramLimits, SdramPins};

/// The chip, its clock the board's inverted, and what it drives: a half cycle begins with every edge of the board's clock.
pub struct Chip {
    pub chip: SdramChip,
    /// Half cycles from the chip's edge to its data at the far end of the wires.
    delay: u64,
    /// Data with the half cycles in which they stand there.
    driven: Vec<(u64, u64, u16)>,
}

impl Chip {
    /// A chip whose data come so late that an edge `capture_halves` after the READ is in the middle of them.
    pub fn new(clock_hz: u32, capture_halves: u32, seed: u64) -> Chip {
        let chip = SdramChip::new(SdramLimits::MT48LC16M16A2_75, clock_hz, Poison::new(seed));
        Chip { chip, delay: u64::from(capture_halves) - 4, driven: vec![] }
    }

    /// The chip's rising edge at the beginning of half cycle `half`.
    pub fn edge(&mut self, half: u64, pins: &SdramPins) {
        self.driven.retain(|&(_, end, _)| end + 4 > half);
        if let Some(data) = self.chip.clock(pins) {
            self.driven.push((half + self.delay, half + self.delay + 2, data));
        }
    }

    /// What stands on the wires in half cycle `half`; noise if the chip drives nothing.
    pub fn level(&self, half: u64) -> u16 {
        let data = self.driven.iter().find(|&&(from, end, _)| (from..end).contains(&half));
        data.map_or((half as u16).wrapping_mul(0x9e37), |&(_, _, data)| data)
    }

    /// Panics if a rule of the chip was broken.
    pub fn check(&self) {
        let broken = self.chip.violations();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }
}
