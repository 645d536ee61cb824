// SPDX-License-Identifier: Apache-2.0
//! Seeds, printed by every random test and replayed by `QUADER_SEED`; and how long random tests are.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A seed and the generator that it starts; the same seed gives the same numbers on every machine.
pub struct Seed {
    /// The seed, as `QUADER_SEED` takes it.
    pub value: u64,
    /// Random numbers.
    pub rng: ChaCha8Rng,
}

/// The seed of a random test: `QUADER_SEED` if set, else `default`. Prints it, so that a failure says how to replay it.
///
/// Panics if `QUADER_SEED` is no number.
pub fn seed(default: u64) -> Seed {
    let value = match std::env::var("QUADER_SEED") {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("QUADER_SEED is `{text}`; give a number from 0 to 2^64-1")),
        Err(_) => default,
    };
    println!("seed {value} (replay with QUADER_SEED={value})");
    Seed { value, rng: ChaCha8Rng::seed_from_u64(value) }
}

/// How many rounds a random test runs: `QUADER_ROUNDS` if it is a number, else `default`.
pub fn rounds(default: usize) -> usize {
    std::env::var("QUADER_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
