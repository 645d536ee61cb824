// SPDX-License-Identifier: Apache-2.0
//! The one number that a random test starts from: printed, and taken from `QUADER_SEED` to replay.

use std::hash::{BuildHasher as _, RandomState};

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::chance::mix;

/// Name of the environment variable that fixes the seed, decimal or `0x` hexadecimal.
pub const VARIABLE: &str = "QUADER_SEED";

/// A seed, from which any number of unrelated generators follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed of `QUADER_SEED`, or a new one; either is printed with the name of the test, in a form that can be pasted to replay.
    ///
    /// # Panics
    /// If the variable is set to something that is not a number: silently taking another seed would not be a replay.
    #[must_use]
    pub fn of_test(test: &str) -> Seed {
        let seed = match std::env::var(VARIABLE) {
            Ok(text) => {
                parse(&text).unwrap_or_else(|| panic!("{VARIABLE}=`{text}` is not a number of at most 64 bits"))
            }
            Err(_) => RandomState::new().hash_one(test),
        };
        println!("{test}: {VARIABLE}={seed:#x}");
        Seed(seed)
    }

    /// The generator called `stream`; generators of other names are unrelated.
    #[must_use]
    pub fn rng(self, stream: &str) -> ChaCha8Rng {
        let key = stream.bytes().fold(mix(self.0), |key, byte| mix(key ^ u64::from(byte)));
        ChaCha8Rng::seed_from_u64(key)
    }

    /// The seed number `index` that follows from this one, for runs of many cases.
    #[must_use]
    pub fn case(self, index: u64) -> Seed {
        Seed(mix(self.0 ^ mix(index)))
    }
}

fn parse(text: &str) -> Option<u64> {
    let text = text.trim().replace('_', "");
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    #[test]
    fn seeds_are_read_in_both_bases() {
        assert_eq!((parse("12"), parse("0xff_00"), parse("x")), (Some(12), Some(0xff00), None));
    }

    #[test]
    fn streams_repeat_and_differ() {
        let first = |stream| Seed(5).rng(stream).next_u64();
        assert_eq!(first("a"), first("a"));
        assert_ne!(first("a"), first("b"));
        assert_ne!(Seed(5).case(0), Seed(5).case(1));
    }
}
