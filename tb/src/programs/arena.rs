// SPDX-License-Identifier: Apache-2.0
//! Sixteen regions of GM, one per base register, and the parameters in the first.
//!
//! ```text
//!  region b: first + 4096 b ..+ 4096      base b points to it or far below it; its address modulo 64 is random
//!  region 0: 256 biases, 256 scales, 256 shifts, 256 zero points of s8, 256 of u8, 160 multipliers; the others: operands and results
//! ```
//! The arena does not begin at a page, so that every region crosses a 4 KiB boundary.

use isa::GmAddress;
use rand::{Rng, RngExt};

/// Channels of each packed array of parameters.
pub(super) const CHANNELS: u32 = 256;
/// Byte offsets of the arrays in region 0 and behind [`L1_PARAMETERS`].
pub(super) const BIASES: u32 = 0;
pub(super) const SCALES: u32 = 4 * CHANNELS;
pub(super) const SHIFTS: u32 = 8 * CHANNELS;
pub(super) const ZEROS_S8: u32 = 9 * CHANNELS;
pub(super) const ZEROS_U8: u32 = 11 * CHANNELS;
pub(super) const MULTIPLIERS: u32 = 13 * CHANNELS;
/// Channels of the array of multipliers: what the region has room for, and more than a product has columns.
pub(super) const MULTIPLIER_CHANNELS: u32 = 160;
pub(super) const PARAMETER_BYTES: u32 = MULTIPLIERS + 4 * MULTIPLIER_CHANNELS;

/// Bytes of L1 that a program may touch: that of `tiny`.
pub(super) const L1_BYTES: u32 = 16 << 10;
/// Bytes of UB that a program may touch: that of `tiny`.
pub(super) const UB_BYTES: u32 = 4 << 10;
/// Where the parameters lie in L1; below is the data.
pub(super) const L1_PARAMETERS: u32 = L1_BYTES - PARAMETER_BYTES;

/// Where the data of random programs lies in GM.
#[derive(Clone, Debug)]
pub struct Arena {
    /// The first byte.
    pub first: u64,
    /// Values of the base registers.
    pub bases: [u64; isa::limits::BASES],
    /// Distance of each region's first byte from its base.
    ahead: [u64; isa::limits::BASES],
}

impl Arena {
    /// Bytes of a region.
    pub const REGION: u64 = 4096;
    /// Bytes of the arena.
    pub const BYTES: usize = 16 * Arena::REGION as usize;
    /// Bytes of a region that every base reaches, whatever its alignment.
    pub(super) const USABLE: u32 = Arena::REGION as u32 - 64;

    /// An arena from `first` on, at least 2^33, with random bases.
    pub fn random(rng: &mut impl Rng, first: u64) -> Arena {
        let ahead = std::array::from_fn(|_| if rng.random() { 0 } else { 32 * rng.random_range(0..first >> 6) });
        let bases = std::array::from_fn(|base| {
            let shift = match rng.random_range(0..4) {
                0 => 0,
                1 => 16 * rng.random_range(0..4),
                2 => 4 * rng.random_range(0..16),
                _ => rng.random_range(0..64),
            };
            first + Arena::REGION * base as u64 + shift - ahead[base]
        });
        Arena { first, bases, ahead }
    }

    /// Byte `at` of the region of a base. Its offset from the base is `at` modulo 32.
    pub(super) fn place(&self, base: u8, at: u32) -> GmAddress {
        GmAddress { base, offset: self.ahead[usize::from(base)] + u64::from(at) }
    }

    /// The address behind base and offset.
    pub fn address(&self, gm: GmAddress) -> u64 {
        self.bases[usize::from(gm.base)] + gm.offset
    }

    /// New contents: random bytes, and legal parameters where region 0 has them. [`Arena::BYTES`] bytes.
    pub fn contents(&self, rng: &mut impl Rng) -> Vec<u8> {
        let mut bytes = vec![0; Arena::BYTES];
        rng.fill_bytes(&mut bytes);
        // Extremes often: they are where products overflow and results saturate.
        for byte in bytes.iter_mut().skip(Arena::REGION as usize) {
            match *byte % 16 {
                0 => *byte = 0x80,
                1 => *byte = 0x7F,
                _ => {}
            }
        }
        let start = (self.address(self.place(0, 0)) - self.first) as usize;
        let parameters = parameters(rng);
        bytes[start..start + parameters.len()].copy_from_slice(&parameters);
        bytes
    }
}

/// The packed arrays of region 0.
fn parameters(rng: &mut impl Rng) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PARAMETER_BYTES as usize);
    for _ in 0..CHANNELS {
        let bias = rng.random::<i32>() >> rng.random_range(0..24);
        bytes.extend(bias.to_le_bytes());
    }
    (0..CHANNELS).for_each(|_| bytes.extend(scale(rng).to_le_bytes()));
    (0..CHANNELS).for_each(|_| bytes.push(shift(rng) as u8));
    for (lowest, highest) in [(-128, 127), (0, 255)] {
        for _ in 0..CHANNELS {
            // Only bits 8:0 of a zero point count.
            let zero: i16 = rng.random_range(lowest..=highest);
            bytes.extend((zero & 0x1FF | (rng.random::<i16>() << 9)).to_le_bytes());
        }
    }
    (0..MULTIPLIER_CHANNELS).for_each(|_| bytes.extend(multiplier(rng).to_le_bytes()));
    bytes
}

/// A legal multiplier of the modes tflite and gemmlowp.
pub(super) fn multiplier(rng: &mut impl Rng) -> u32 {
    match rng.random_range(0..8) {
        0 => 0,
        1 => 1 << 30,
        2 => (1 << 31) - 1,
        _ => rng.random_range(1 << 30..1 << 31),
    }
}

/// A legal shift of these modes, mostly one that leaves something between saturation and zero.
pub(super) fn shift(rng: &mut impl Rng) -> i8 {
    match rng.random_range(0..8) {
        0 => 0,
        1 => rng.random_range(-31..=30),
        _ => rng.random_range(-13..-4),
    }
}

/// Bits of a legal scale, mostly one that leaves something between saturation and zero.
pub(super) fn scale(rng: &mut impl Rng) -> u32 {
    match rng.random_range(0..8) {
        0 => 1f32.to_bits(),
        1 => rng.random_range(0x0080_0000..0x7F80_0000),
        _ => (2f32.powi(rng.random_range(-14..-5)) * rng.random_range(1.0..2.0)).to_bits(),
    }
}
