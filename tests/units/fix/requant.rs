// SPDX-License-Identifier: Apache-2.0
//! The requantisation lane with the factor of its column: against Rust's fp32 arithmetic, which is IEEE 754, and against integers.

use rtl::emit::emit;
use rtl::fix::{FLOAT_CYCLES, Factor, Legal, NARROW_CYCLES, Requant, WIDE_CYCLES};
use rtl::prim::prelude::*;
use rtl::twin::Twin;
use std::collections::BTreeMap;
use stream::Mode;
use verilated::{Build, Clocked, Reset};

#[path = "../../vectors/stream.rs"]
mod stream;

const PER_BOUND: usize = 2_500;

/// One lane of one column.
#[derive(LogicBlock, Default)]
struct Lane {
    clk: Signal<In, Clock>,
    value: Signal<In, Bits<32>>,
    bias: Signal<In, Bits<32>>,
    scale: Signal<In, Bits<32>>,
    shift: Signal<In, Bits<8>>,
    fixed: Signal<In, Bit>,
    gemmlowp: Signal<In, Bit>,
    is_float: Signal<In, Bit>,
    zero_point: Signal<In, Int<10>>,
    low: Signal<In, Int<32>>,
    high: Signal<In, Int<32>>,
    low_near: Signal<In, Int<12>>,
    high_near: Signal<In, Int<12>>,
    wide: Signal<Out, Bits<32>>,
    narrow: Signal<Out, Bits<8>>,
    factor: Factor,
    requant: Requant,
}

impl Logic for Lane {
    #[hdl_gen]
    fn update(&mut self) {
        self.factor.clk.next = self.clk.val();
        self.factor.scale.next = self.scale.val();
        self.factor.shift.next = self.shift.val();
        self.factor.fixed.next = self.fixed.val();
        self.factor.gemmlowp.next = self.gemmlowp.val();
        self.requant.clk.next = self.clk.val();
        self.requant.value.next = self.value.val();
        self.requant.bias.next = self.bias.val();
        self.requant.factor.next = self.factor.factor.val();
        self.requant.exponent.next = self.factor.exponent.val();
        self.requant.raw.next = self.factor.raw.val();
        self.requant.raw_late.next = self.factor.raw_late.val();
        self.requant.fixed.next = self.fixed.val();
        self.requant.is_float.next = self.is_float.val();
        self.requant.zero_point.next = self.zero_point.val();
        self.requant.low.next = self.low.val();
        self.requant.high.next = self.high.val();
        self.requant.low_near.next = self.low_near.val();
        self.requant.high_near.next = self.high_near.val();
        self.wide.next = self.requant.wide.val();
        self.narrow.next = self.requant.narrow.val();
    }
}

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

    /// A legal multiplier and shift of the fixed-point modes, most with results in or near the range of 8 bits.
    fn multiplier(&mut self, acc: i32) -> (u32, i8) {
        let m = match self.below(8) {
            0 => 1 << 30,
            1 => (1 << 31) - 1 - self.below(3),
            2 => (1 << 30) + self.below(3),
            3 => 0,
            4 => 1 << 30 | self.below(64) << 24,
            _ => 1 << 30 | self.below(1 << 30),
        };
        let bits = 32 - acc.unsigned_abs().leading_zeros() as i32;
        let shift = match self.below(4) {
            0 => self.below(62) as i32 - 31,
            _ => self.below(12) as i32 - bits,
        };
        (m as u32, shift.clamp(-31, 30) as i8)
    }
}

/// One result of a lane.
#[derive(Clone, Copy, Debug)]
struct Vector {
    value: i32,
    bias: i32,
    scale: u32,
    shift: i8,
}

impl Vector {
    fn acc(&self) -> i32 {
        self.value.wrapping_add(self.bias)
    }
}

/// The definition in integers that cannot overflow.
fn rounded(mode: Mode, acc: i32, scale: u32, shift: i8) -> i32 {
    let product = i128::from(acc) * i128::from(scale);
    let right = 31 - i32::from(shift);
    let r = match mode {
        Mode::Onnx | Mode::Fp32 => return (acc as f32 * f32::from_bits(scale)).round_ties_even() as i32,
        Mode::Gemmlowp if shift < 0 => {
            let high = (product + (1 << 30)) >> 31;
            let half = 1 << (-shift - 1);
            ((high.abs() + half) >> -shift) * high.signum()
        }
        Mode::Tflite | Mode::Gemmlowp => (product + (1 << (right - 1))) >> right,
    };
    r.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

fn lane() -> Twin<Lane> {
    Twin::new(Lane::default(), |uut, level| uut.clk.next = level)
}

struct Bound {
    zero_point: i32,
    low: i32,
    high: i32,
}

/// Sends the vectors through: 8-bit results, or fp32 results. Compares int32 results on the way.
fn through(twin: &mut Twin<Lane>, mode: Mode, bound: &Bound, vectors: &[Vector]) -> Vec<u32> {
    let uut = &mut twin.uut;
    uut.fixed.next = matches!(mode, Mode::Tflite | Mode::Gemmlowp);
    uut.gemmlowp.next = mode == Mode::Gemmlowp;
    uut.is_float.next = mode == Mode::Fp32;
    uut.zero_point.next = bound.zero_point.into();
    uut.low.next = bound.low.into();
    uut.high.next = bound.high.into();
    uut.low_near.next = bound.low.clamp(-2048, 2047).into();
    uut.high_near.next = bound.high.clamp(-2048, 2047).into();
    let cycles = if mode == Mode::Fp32 { FLOAT_CYCLES } else { NARROW_CYCLES };
    let mut results = vec![];
    for cycle in 0..vectors.len() + cycles {
        let idle = Vector { value: 0, bias: 0, scale: 1 << 30, shift: 0 };
        let vector = vectors.get(cycle).copied().unwrap_or(idle);
        twin.uut.value.next = u64::from(vector.value as u32).into();
        twin.uut.bias.next = u64::from(vector.bias as u32).into();
        twin.uut.scale.next = u64::from(vector.scale).into();
        twin.uut.shift.next = u64::from(vector.shift as u8).into();
        twin.settle();
        let wide = twin.uut.wide.val().to_u64() as u32;
        if mode == Mode::Fp32 {
            results.push(wide);
        } else {
            results.push(twin.uut.narrow.val().to_u64() as u32);
            if let Some(vector) = cycle.checked_sub(WIDE_CYCLES).and_then(|at| vectors.get(at)) {
                let expected = vector.acc().max(bound.low).min(bound.high);
                assert_eq!(wide as i32, expected, "wide of {vector:?}, {}..={}", bound.low, bound.high);
            }
        }
        twin.edge();
    }
    results.split_off(cycles)
}

/// Sends the vectors through and compares with the definition.
fn run(twin: &mut Twin<Lane>, mode: Mode, bound: &Bound, vectors: &[Vector]) {
    let Bound { zero_point, low, high } = *bound;
    let results = through(twin, mode, bound, vectors);
    assert_eq!(results.len(), vectors.len());
    for (got, vector) in results.into_iter().zip(vectors) {
        if mode == Mode::Fp32 {
            let y = vector.acc() as f32 * f32::from_bits(vector.scale);
            let y = if vector.acc() == 0 || (low >= 0 && y < 0.0) { 0.0 } else { y };
            assert_eq!(got, y.to_bits(), "{vector:?}: {:e}, not {y:e}", f32::from_bits(got));
        } else {
            let r = rounded(mode, vector.acc(), vector.scale, vector.shift);
            let expected = (i64::from(r) + i64::from(zero_point)).max(low.into()).min(high.into());
            assert_eq!(got as u8, expected as u8, "{mode:?} {vector:x?} zero point {zero_point} bounds {low}..={high}");
        }
    }
}

const BOUNDS: [(i32, i32, i32); 6] =
    [(0, -128, 127), (3, -128, 127), (-128, -128, 127), (255, 0, 255), (0, 0, 255), (7, 9, 9)];

fn directed(mode: Mode, scales: &[(u32, i8)], bounds: &[(i32, i32, i32)]) {
    let mut twin = lane();
    let mut vectors = vec![];
    for value in ACCS {
        vectors.extend(scales.iter().map(|&(scale, shift)| Vector { value, bias: 0, scale, shift }));
    }
    for (zero_point, low, high) in bounds.iter().copied() {
        run(&mut twin, mode, &Bound { zero_point, low, high }, &vectors);
    }
}

const ACCS: [i32; 28] = [
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

#[test]
fn directed_edges_match_fp32() {
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
    let scales = scales.map(|scale: f32| (scale.to_bits(), 77));
    directed(Mode::Onnx, &scales, &BOUNDS);
    directed(Mode::Fp32, &scales, &[(0, i32::MIN, i32::MAX), (0, 0, i32::MAX)]);
}

#[test]
fn directed_edges_match_integers() {
    let mut scales = vec![];
    for m in [0, 1 << 30, (1 << 30) + 1, 3 << 29, 5 << 28, 0x5555_5555, i32::MAX as u32 - 1, i32::MAX as u32] {
        scales.extend((-31..=30).map(|shift| (m, shift)));
    }
    directed(Mode::Tflite, &scales, &BOUNDS[..1]);
    directed(Mode::Gemmlowp, &scales, &BOUNDS[3..4]);
}

/// Every (j + 1/2) from beyond one end of 8 bits to beyond the other, by every shift that can make it.
#[test]
fn every_tie_is_rounded_as_the_mode_says() {
    let mut vectors = vec![];
    for shift in -31..=0i8 {
        for odd in (-513..=513i64).step_by(2) {
            // odd / 2 = acc * 2^-1 * 2^shift with m = 2^30; with m = 3 * 2^29 where a third of it is whole.
            for (m, odd) in [(1 << 30, odd), (3 << 29, odd)] {
                let divisor = if m == 1 << 30 { 1 } else { 3 };
                let extra = if m == 1 << 30 { 0 } else { 1 };
                let acc = (odd << (extra - shift)) / divisor;
                if odd % divisor == 0 && i32::try_from(acc).is_ok() {
                    vectors.push(Vector { value: acc as i32, bias: 0, scale: m, shift });
                }
            }
        }
    }
    assert!(vectors.len() > 15_000, "{}", vectors.len());
    let mut twin = lane();
    for mode in [Mode::Tflite, Mode::Gemmlowp] {
        {
            let (zero_point, low, high) = (0, -128, 127);
            run(&mut twin, mode, &Bound { zero_point, low, high }, &vectors);
        }
    }
}

fn random_numbers(mode: Mode, rounds: u64) {
    let mut random = Random::new();
    let mut twin = lane();
    for round in 0..rounds {
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
        if mode == Mode::Fp32 {
            bound.low = if round % 2 == 0 { i32::MIN } else { 0 };
        }
        let vectors: Vec<_> = (0..PER_BOUND)
            .map(|_| {
                let acc = random.acc();
                let bias = if random.below(2) == 0 { 0 } else { random.next() as i32 };
                let (scale, shift) = match mode {
                    Mode::Onnx | Mode::Fp32 => (random.scale(acc).to_bits(), random.next() as i8),
                    Mode::Tflite | Mode::Gemmlowp => random.multiplier(acc),
                };
                Vector { value: acc.wrapping_sub(bias), bias, scale, shift }
            })
            .collect();
        run(&mut twin, mode, &bound, &vectors);
    }
}

#[test]
fn random_numbers_match_fp32() {
    random_numbers(Mode::Onnx, 16);
    random_numbers(Mode::Fp32, 6);
}

#[test]
fn random_numbers_match_integers() {
    random_numbers(Mode::Tflite, 10);
    random_numbers(Mode::Gemmlowp, 10);
}

/// The lane in Verilator, as it is printed: fast enough for many numbers.
struct Printed(Clocked);

impl Printed {
    fn new() -> Printed {
        let mut uut = Lane::default();
        uut.connect_all();
        let design = emit(&uut, "lane").expect("printable");
        let model = Build::new("lane").texts(design.files()).build().unwrap_or_else(|error| panic!("{error}"));
        Printed(Clocked::new(model.instance(Reset::Zeros).expect("an instance"), "clk", 10).expect("a clock"))
    }

    fn set(&mut self, port: &str, value: i64) {
        let port = self.0.port(port).expect("a port of the lane");
        self.0.dut_mut().set(port, value as u64 & (u64::MAX >> (64 - port.bits())));
    }

    /// As [`through`], without the comparison of int32 results.
    fn through(&mut self, mode: Mode, bound: &Bound, vectors: &[Vector]) -> Vec<u32> {
        self.set("fixed", matches!(mode, Mode::Tflite | Mode::Gemmlowp).into());
        self.set("gemmlowp", (mode == Mode::Gemmlowp).into());
        self.set("is_float", (mode == Mode::Fp32).into());
        self.set("zero_point", bound.zero_point.into());
        self.set("low", bound.low.into());
        self.set("high", bound.high.into());
        self.set("low_near", bound.low.clamp(-2048, 2047).into());
        self.set("high_near", bound.high.clamp(-2048, 2047).into());
        self.set("bias", 0);
        let [value, scale, shift] = ["value", "scale", "shift"].map(|name| self.0.port(name).expect("an input"));
        let (name, cycles) = if mode == Mode::Fp32 { ("wide", FLOAT_CYCLES) } else { ("narrow", NARROW_CYCLES) };
        let result = self.0.port(name).expect("an output");
        let mut results = vec![];
        for cycle in 0..vectors.len() + cycles {
            if let Some(vector) = vectors.get(cycle) {
                let dut = self.0.dut_mut();
                dut.set(value, u64::from(vector.value as u32));
                dut.set(scale, vector.scale.into());
                dut.set(shift, u64::from(vector.shift as u8));
            }
            self.0.settle().expect("the simulation goes on");
            results.push(self.0.dut().get(result) as u32);
            self.0.rise().expect("the simulation goes on");
        }
        results.split_off(cycles)
    }
}

/// A tenth of the million that outside references computed, as digests, and every explicit case.
#[test]
fn the_outside_references_agree() {
    let mut lane = Printed::new();
    for mode in [Mode::Onnx, Mode::Fp32, Mode::Tflite, Mode::Gemmlowp] {
        let results = stream::results(mode);

        for thousand in (0..results.digests.len()).step_by(10) {
            let cases: Vec<_> = (0..stream::BLOCK).map(|index| mode.case(thousand * stream::BLOCK + index)).collect();
            let bytes = outputs(&mut lane, mode, &cases);
            assert_eq!(stream::digest(&bytes), results.digests[thousand], "{mode:?}: thousand {thousand}");
        }
        let explicit: Vec<_> = results.explicit.iter().map(|&(case, _)| case).collect();
        for ((got, (case, expected)), number) in
            outputs(&mut lane, mode, &explicit).iter().zip(&results.explicit).zip(0..)
        {
            assert_eq!(*got, *expected as u8, "{mode:?} explicit case {number}: {case:?}");
        }
    }
}

/// The bytes of the results of cases; zero points and types vary from case to case, so they are sorted by these.
fn outputs(lane: &mut Printed, mode: Mode, cases: &[stream::Case]) -> Vec<u8> {
    if mode == Mode::Fp32 {
        let vectors: Vec<_> = cases.iter().map(vector).collect();
        let bound = Bound { zero_point: 0, low: i32::MIN, high: i32::MAX };
        return lane.through(mode, &bound, &vectors).iter().flat_map(|bits| bits.to_le_bytes()).collect();
    }
    let mut groups: BTreeMap<(bool, i32), Vec<usize>> = BTreeMap::new();
    for (index, case) in cases.iter().enumerate() {
        groups.entry((case.unsigned, case.zero_point)).or_default().push(index);
    }
    let mut bytes = vec![0; cases.len()];
    for ((unsigned, zero_point), members) in groups {
        let (low, high) = if unsigned { (0, 255) } else { (-128, 127) };
        let vectors: Vec<_> = members.iter().map(|&index| vector(&cases[index])).collect();
        let results = lane.through(mode, &Bound { zero_point, low, high }, &vectors);
        members.iter().zip(results).for_each(|(&index, result)| bytes[index] = result as u8);
    }
    bytes
}

fn vector(case: &stream::Case) -> Vector {
    Vector { value: case.acc, bias: 0, scale: case.scale, shift: case.shift }
}

/// Next to every boundary of what is legal, and by the definition's words.
#[test]
fn illegal_multipliers_are_bad() {
    let mut uut = Legal::default();
    uut.connect_all();
    let floats =
        [0, 1, 0x7F_FFFF, 0x80_0000, 0x3F80_0000, 0x7F7F_FFFF, 0x7F80_0000, 0x7FC0_0000, 0x8000_0000, 0xBF80_0000];
    let integers = [0, 1, (1 << 30) - 1, 1 << 30, (1 << 30) + 1, i32::MAX as u32, 1 << 31, 3 << 30, u32::MAX];
    for (fixed, bits) in floats.map(|bits| (false, bits)).into_iter().chain(integers.map(|bits| (true, bits))) {
        for shift in -128..=127i8 {
            uut.scale.next = u64::from(bits).into();
            uut.shift.next = u64::from(shift as u8).into();
            uut.fixed.next = fixed;
            assert!(simulate(&mut uut, 10));
            let scale = f32::from_bits(bits);
            let legal = match fixed {
                false => scale.is_normal() && scale > 0.0,
                true => (bits == 0 || (bits as i32) >= 1 << 30) && (-31..=30).contains(&shift),
            };
            assert_eq!(uut.bad.val(), !legal, "fixed {fixed} {bits:#x} {shift}");
        }
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
