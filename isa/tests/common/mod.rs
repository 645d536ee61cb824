// SPDX-License-Identifier: Apache-2.0
//! Seeds of the random tests: printed, and replayed from `QUADER_SEED`.
#![allow(dead_code)] // Every test file uses another part.

pub mod programs;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The seed of this run: `QUADER_SEED` if it is set, else `default`. It is printed either way.
pub fn seed(default: u64) -> u64 {
    let seed = match std::env::var("QUADER_SEED") {
        Ok(text) => text.parse().expect("QUADER_SEED is a decimal number"),
        Err(_) => default,
    };
    println!("replay with QUADER_SEED={seed}");
    seed
}

/// Uniform 64-bit numbers from a seed.
pub fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    move || rng.next_u64()
}
