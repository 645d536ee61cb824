// SPDX-License-Identifier: Apache-2.0
//! Random decisions as a function of (seed, stream, index): no state, so one channel's stalls do not depend on another's traffic, and any cycle
//! can be replayed by itself.

/// A stream of independent decisions.
#[derive(Debug, Clone, Copy)]
pub struct Chance {
    key: u64,
    threshold: u64,
}

impl Chance {
    /// Decisions that are true with `probability` (clamped to 0..=1); streams of the same seed are independent of each other.
    #[must_use]
    pub fn new(seed: u64, stream: u64, probability: f64) -> Chance {
        // 2^64 does not fit: probability 1 becomes "always" by saturation.
        let threshold = (probability.clamp(0.0, 1.0) * 2f64.powi(64)) as u64;
        Chance { key: mix(seed ^ mix(stream.wrapping_add(1))), threshold }
    }

    /// The decision with this index.
    #[must_use]
    #[inline]
    pub fn at(&self, index: u64) -> bool {
        self.threshold != 0 && (self.threshold == u64::MAX || mix(self.key ^ index) < self.threshold)
    }

    /// A number below `limit` with this index; `limit` must not be 0.
    #[must_use]
    #[inline]
    pub fn below(&self, index: u64, limit: u64) -> u64 {
        ((u128::from(mix(self.key ^ index)) * u128::from(limit)) >> 64) as u64
    }
}

/// A bijection of 64 bits that leaves no visible relation between input and output (the finaliser of SplitMix64 over a Weyl step).
#[must_use]
#[inline]
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn probabilities_come_out_and_the_ends_are_exact() {
        for (probability, low, high) in
            [(0.0, 0, 0), (1.0, 100_000, 100_000), (0.25, 24_000, 26_000), (0.9, 89_000, 91_000)]
        {
            let chance = Chance::new(7, 3, probability);
            let hits = (0..100_000).filter(|&index| chance.at(index)).count();
            assert!((low..=high).contains(&hits), "{probability}: {hits}");
        }
    }

    #[test]
    fn streams_and_seeds_differ_and_repeat() {
        let pattern = |seed, stream| (0..64).map(|i| Chance::new(seed, stream, 0.5).at(i)).collect::<Vec<_>>();
        assert_eq!(pattern(1, 0), pattern(1, 0));
        assert_ne!(pattern(1, 0), pattern(1, 1));
        assert_ne!(pattern(1, 0), pattern(2, 0));
    }
}
