// SPDX-License-Identifier: Apache-2.0
//! Dimensions 2 and 3 of the copies of MTE2 and MTE3, as their tests think of them.

use crate::axi::memory::Random;

/// Counts and strides; index 0 is dimension 2, index 1 dimension 3.
#[derive(Clone, Debug, PartialEq)]
pub struct Outer {
    pub counts: [u64; 2],
    pub src: [u64; 2],
    pub dst: [u64; 2],
}

impl Outer {
    /// One matrix.
    pub const ONE: Outer = Outer { counts: [1; 2], src: [0; 2], dst: [0; 2] };

    /// One matrix in half of the cases, else a few with strides of up to `reach` bytes, multiples of 32 for a side in nz.
    pub fn random(random: &mut Random, reach: [u64; 2], nz: [bool; 2]) -> Outer {
        if random.chance(50) {
            return Outer::ONE;
        }
        let mut strides = |side: usize| {
            let grain = if nz[side] { 32 } else { 1 };
            [random.below(reach[side] / grain) * grain, random.below(reach[side] / grain) * grain]
        };
        let (src, dst) = (strides(0), strides(1));
        Outer { counts: [1 + random.below(4), 1 + random.below(3)], src, dst }
    }

    /// What is added to source and destination address, in the order of the copies.
    pub fn offsets(&self) -> Vec<(u64, u64)> {
        let at = |strides: [u64; 2], p2: u64, p3: u64| p2 * strides[0] + p3 * strides[1];
        (0..self.counts[1])
            .flat_map(|p3| (0..self.counts[0]).map(move |p2| (p2, p3)))
            .map(|(p2, p3)| (at(self.src, p2, p3), at(self.dst, p2, p3)))
            .collect()
    }

    /// The largest offsets of source and destination.
    pub fn reach(&self) -> (u64, u64) {
        *self.offsets().last().expect("at least one matrix")
    }

    /// The values of the state registers, by index.
    pub fn registers(&self) -> [u64; 6] {
        [self.counts[0], self.src[0], self.dst[0], self.counts[1], self.src[1], self.dst[1]]
    }
}

/// The state registers of the engine, and the SETs that bring them to what an instruction wants.
#[derive(Clone, Debug)]
pub struct Registers([u64; 6]);

impl Default for Registers {
    fn default() -> Self {
        Registers(Outer::ONE.registers())
    }
}

impl Registers {
    /// The next SET that is missing: (index, value).
    pub fn next(&mut self, want: &Outer) -> Option<(usize, u64)> {
        let want = want.registers();
        let index = (0..6).find(|&index| self.0[index] != want[index])?;
        self.0[index] = want[index];
        Some((index, want[index]))
    }
}
