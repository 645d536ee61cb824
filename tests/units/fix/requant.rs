// SPDX-License-Identifier: Apache-2.0
//! The requantisation lane against Rust's fp32 arithmetic, which is IEEE 754.

use rtl::emit::emit;
use rtl::fix::{NARROW_CYCLES, Requant, SCALE_CYCLES, WIDE_CYCLES};
use rtl::prim::prelude::*;
use rtl::twin::Twin;
use std::collections::VecDeque;

const PER_BOUND: usize = 2_500;

/// splitmix64; the seed comes from `QUADER_SEED` and is printed.
struct Random(u64);

impl Random {
    fn new() -> Random {
        let seed = std::env::var("QUADER_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0x5EED_F1C5);
        println!("QUADER_SEED={seed}");
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Numbers of every magnitude, near powers of two, and with few bits.
    fn acc(&mut self) -> i32 {
        let bits = self.below(32) as u32;
        let sign = if self.below(2) == 0 { 1i64 } else { -1 };
        let value = match self.below(6) {
            0 => 1i64 << bits,
            1 => (1i64 << bits) + self.below(7) as i64 - 3,
            2 => (1i64 << bits) + (1i64 << self.below(u64::from(bits) + 1)),
            3 => (0xFF_FFFE + self.below(5) as i64) << self.below(8),
            _ => (self.next() >> (63 - bits)) as i64,
        };
        (sign * value) as i32
    }

    fn scale(&mut self, acc: i32) -> f32 {
        let scale = match self.below(8) {
            0 => f32::from_bits(0x0080_0000 + self.below(0x7F00_0000) as u32),
            1 => f32::from_bits(((self.below(254) + 1) << 23) as u32),
            2 => f32::MIN_POSITIVE,
            3 => f32::MAX,
            // Products near a small number, a half of it and its neighbours: ties and saturation.
            4 | 5 => {
                let goal = self.below(1600) as f32 / 4.0;
                let near = (goal / (acc as f32).abs().max(1.0)).max(f32::MIN_POSITIVE);
                f32::from_bits((near.to_bits() + 2).saturating_sub(self.below(5) as u32))
            }
            6 => f32::from_bits((((self.below(40) + 95) << 23) | (self.below(8) << 20)) as u32),
            _ => f32::from_bits((((self.below(40) + 95) << 23) | self.below(1 << 23)) as u32),
        };
        if scale.is_normal() { scale } else { 1.0 }
    }
}

fn quantised(acc: i32, scale: f32, zero_point: i32, low: i32, high: i32) -> u8 {
    let rounded = ((acc as f32) * scale).round_ties_even() as i32;
    (i64::from(rounded) + i64::from(zero_point)).max(i64::from(low)).min(i64::from(high)) as u8
}

fn lane() -> Twin<Requant> {
    Twin::new(Requant::default(), |uut, level| uut.clk.next = level)
}

struct Bound {
    zero_point: i32,
    low: i32,
    high: i32,
}

fn run(twin: &mut Twin<Requant>, bound: &Bound, vectors: &[(i32, i32, f32)]) {
    let uut = &mut twin.uut;
    uut.zero_point.next = bound.zero_point.into();
    uut.low.next = bound.low.into();
    uut.high.next = bound.high.into();
    uut.low_near.next = bound.low.clamp(-2048, 2047).into();
    uut.high_near.next = bound.high.clamp(-2048, 2047).into();
    let mut scales: VecDeque<f32> = vec![1.0; SCALE_CYCLES].into();
    for cycle in 0..vectors.len() + NARROW_CYCLES + 1 {
        let (value, bias, scale) = vectors.get(cycle).copied().unwrap_or((0, 0, 1.0));
        scales.push_back(scale);
        twin.uut.value.next = u64::from(value as u32).into();
        twin.uut.bias.next = u64::from(bias as u32).into();
        twin.uut.scale.next = u64::from(scales.pop_front().expect("five wait").to_bits()).into();
        twin.settle();
        if cycle >= WIDE_CYCLES && cycle - WIDE_CYCLES < vectors.len() {
            let (value, bias, _) = vectors[cycle - WIDE_CYCLES];
            let expected = value.wrapping_add(bias).max(bound.low).min(bound.high);
            let got = twin.uut.wide.val().to_u64() as u32 as i32;
            assert_eq!(got, expected, "wide of {value} + {bias}, {}..={}", bound.low, bound.high);
        }
        if cycle >= NARROW_CYCLES && cycle - NARROW_CYCLES < vectors.len() {
            let (value, bias, scale) = vectors[cycle - NARROW_CYCLES];
            let acc = value.wrapping_add(bias);
            let expected = quantised(acc, scale, bound.zero_point, bound.low, bound.high);
            let got = twin.uut.narrow.val().to_u64() as u8;
            assert_eq!(
                got,
                expected,
                "acc {acc} * {scale:e} ({:#010x}) zero point {} bounds {}..={}",
                scale.to_bits(),
                bound.zero_point,
                bound.low,
                bound.high
            );
        }
        twin.edge();
    }
}

#[test]
fn directed_edges_match_fp32() {
    let mut twin = lane();
    let accs = [
        0,
        1,
        -1,
        2,
        3,
        5,
        127,
        128,
        255,
        256,
        511,
        512,
        513,
        0xFF_FFFF,
        0x100_0000,
        0x100_0001,
        0x100_0003,
        0x1FF_FFFF,
        0x200_0002,
        0x200_0006,
        0x7FFF_FF80,
        0x7FFF_FFC0,
        i32::MAX,
        i32::MIN,
        i32::MIN + 1,
        -0x100_0001,
        -513,
        -255,
    ];
    let scales = [
        0.5,
        0.25,
        1.5,
        0.1,
        1.0,
        2.0,
        1.0 / 512.0,
        1.0 / 3.0,
        f32::MIN_POSITIVE,
        f32::MAX,
        0.5f32.next_down(),
        0.5f32.next_up(),
        1.0f32.next_down(),
        1.0f32.next_up(),
        1e-30,
        1e30,
        2f32.powi(-32),
        2f32.powi(-31),
        2f32.powi(-23),
        2f32.powi(-24),
    ];
    let vectors: Vec<_> = accs.iter().flat_map(|acc| scales.iter().map(|scale| (*acc, 0, *scale))).collect();
    for (zero_point, low, high) in
        [(0, -128, 127), (3, -128, 127), (-128, -128, 127), (255, 0, 255), (0, 0, 255), (7, 9, 9)]
    {
        run(&mut twin, &Bound { zero_point, low, high }, &vectors);
    }
}

#[test]
fn random_numbers_match_fp32() {
    let mut random = Random::new();
    let mut twin = lane();
    for round in 0..80 {
        let unsigned = round % 2 == 1;
        let (floor, top) = if unsigned { (0, 255) } else { (-128, 127) };
        let zero_point = floor + random.below(256) as i32;
        let mut bound = Bound { zero_point, low: floor, high: top };
        if round % 4 >= 2 {
            bound.low = floor + random.below(256) as i32;
            bound.high = bound.low + random.below((top - bound.low) as u64 + 1) as i32;
        }
        if round % 10 == 9 {
            bound.low = (random.next() as i32).min(i32::MAX - 5);
            bound.high = bound.low;
        }
        let vectors: Vec<_> = (0..PER_BOUND)
            .map(|_| {
                let acc = random.acc();
                let bias = if random.below(2) == 0 { 0 } else { random.next() as i32 };
                (acc.wrapping_sub(bias), bias, random.scale(acc))
            })
            .collect();
        run(&mut twin, &bound, &vectors);
    }
}

#[test]
fn lane_prints() {
    let mut uut = Requant::default();
    uut.connect_all();
    let design = emit(&uut, "requant").expect("printable");
    assert_eq!(tb::lint(&design), [""; 0]);
    assert!(design.modules.iter().any(|module| module.name == "to_float"));
    if let Ok(dir) = std::env::var("QUADER_EMIT_DIR") {
        design.write(&std::path::Path::new(&dir).join("requant")).expect("writable folder");
    }
}
