// SPDX-License-Identifier: Apache-2.0
//! What memory holds before anybody writes it: bytes that follow from address and seed, so that a stale or stray read is seen and replays.

use crate::chance::mix;

/// Contents of never-written memory. Two seeds give unrelated bytes; zero is as rare as any other byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poison {
    seed: u64,
}

impl Poison {
    /// The pattern of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Poison {
        Poison { seed: mix(seed ^ 0x504F_4953_4F4E) }
    }

    /// The byte at `addr`.
    #[must_use]
    pub fn byte(&self, addr: u64) -> u8 {
        self.word(addr / 8)[(addr % 8) as usize]
    }

    /// Fills `bytes` with what stands from `addr` on.
    pub fn fill(&self, addr: u64, bytes: &mut [u8]) {
        let mut at = addr;
        let mut rest = bytes;
        while !rest.is_empty() {
            let word = self.word(at / 8);
            let from = (at % 8) as usize;
            let count = rest.len().min(8 - from);
            let (now, later) = rest.split_at_mut(count);
            now.copy_from_slice(&word[from..from + count]);
            at = at.wrapping_add(count as u64);
            rest = later;
        }
    }

    fn word(&self, index: u64) -> [u8; 8] {
        mix(self.seed ^ index).to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::Poison;

    #[test]
    fn any_cut_of_the_pattern_is_the_pattern() {
        let poison = Poison::new(9);
        let mut whole = [0; 64];
        poison.fill(1000, &mut whole);
        for (offset, byte) in whole.iter().enumerate() {
            assert_eq!(*byte, poison.byte(1000 + offset as u64));
        }
        let mut part = [0; 13];
        poison.fill(1003, &mut part);
        assert_eq!(part, whole[3..16]);
        assert!(whole.iter().filter(|byte| **byte == 0).count() < 4);
    }
}
