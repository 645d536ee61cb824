// SPDX-License-Identifier: Apache-2.0
//! The second tensor of FIX: its tables and sums against Rust's fp32 arithmetic, which is IEEE 754, its cycles and its faults.

use super::bench::{Bench, Job, Knobs, Random, SecondTensor, Target};
use super::with;
use isa::{Cause, Config};
use rtl::fix::{COMBINE_CYCLES, Combine, FRACTION_BITS, Fill, REQUEST_CYCLES};
use rtl::twin::Twin;
use std::collections::VecDeque;

/// ratio, second_ratio, offset.
type Factors = [f32; 3];

const LEAST: f32 = 1.0 / 4096.0;
const MOST: f32 = 256.0f32.next_down();
const MOST_OFFSET: f32 = 262_144.0f32.next_down();

/// The ends of the ranges, factors that make ties, and factors whose sums lie beside ties by few units in the last place.
fn directed() -> Vec<Factors> {
    let (half, quarter) = (0.5f32, 0.25f32);
    let grain = 2f32.powi(-35);
    vec![
        [1.0, 1.0, 0.0],
        [half, half, half],
        [half.next_up(), quarter, 0.0],
        [half.next_down(), half, -0.0],
        [half.next_up().next_up(), half.next_down(), 0.5],
        [1.0 + 2f32.powi(-17), half.next_up(), grain],
        [quarter, half + 2f32.powi(-20), -grain],
        [LEAST, LEAST, grain],
        [LEAST.next_up(), LEAST.next_up(), 0.5 + 2f32.powi(-24)],
        [MOST, MOST, MOST_OFFSET],
        [MOST, LEAST, -MOST_OFFSET],
        [LEAST, MOST, 0.1],
        [1.0 / 3.0, 2.0 / 3.0, -127.0],
    ]
}

fn random_factors(random: &mut Random) -> Factors {
    if random.below(3) == 0 {
        let unsigned = random.below(2) == 0;
        return SecondTensor::random_sum(random, unsigned).0;
    }
    let ratio = |random: &mut Random| {
        let bits = (115 + random.below(20)) << 23 | random.below(1 << 23) & (u64::MAX << random.below(24));
        f32::from_bits(bits as u32)
    };
    let grains = (random.next() as i64 >> 10) >> random.below(40);
    // Rounded to 24 bits it stays a multiple of 2^-35.
    let offset = grains as f32 * 2f32.powi(-35);
    [ratio(random), ratio(random), offset]
}

fn number(byte: u8, unsigned: bool) -> f32 {
    if unsigned { f32::from(byte) } else { f32::from(byte as i8) }
}

/// A number of few bits in units of 2^-35.
fn fixed(value: f64) -> i64 {
    let grains = value * (1u64 << FRACTION_BITS) as f64;
    assert_eq!(grains.fract(), 0.0, "{value:e} is no multiple of 2^-35");
    grains as i64
}

/// What the tables hold: exact products, and products plus offset in one fp32 rounding.
fn tables(factors: Factors, unsigned: bool) -> [Vec<i64>; 2] {
    let [ratio, second_ratio, offset] = factors;
    let numbers = || (0..=255u8).map(|byte| number(byte, unsigned));
    [
        numbers().map(|q| fixed(f64::from(q) * f64::from(ratio))).collect(),
        numbers().map(|q| fixed(q.mul_add(second_ratio, offset).into())).collect(),
    ]
}

#[test]
fn tables_hold_exact_products_and_rounded_sums() {
    let mut random = Random::new();
    let mut list = directed();
    list.extend((0..tb::rounds(60)).map(|_| random_factors(&mut random)));
    let mut twin = Twin::new(Fill::default(), |uut, level| uut.clk.next = level);
    twin.uut.rst.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    let bits = |value: i64| (value as u64 & ((1 << 56) - 1)).into();
    for (index, factors) in list.into_iter().enumerate() {
        let unsigned = index % 2 == 1;
        let uut = &mut twin.uut;
        uut.is_unsigned.next = unsigned;
        uut.ratio.next = bits(fixed(factors[0].into()));
        uut.second_ratio.next = bits(fixed(factors[1].into()));
        uut.offset.next = bits(fixed(factors[2].into()));
        uut.start.next = true;
        twin.edge();
        twin.uut.start.next = false;
        let mut found = [vec![None; 256], vec![None; 256]];
        let mut cycles = 0;
        twin.settle();
        while twin.uut.busy.val() {
            let uut = &twin.uut;
            let ports = [
                (uut.first_valid.val(), uut.first_at.val(), uut.first_value.val()),
                (uut.second_valid.val(), uut.second_at.val(), uut.second_value.val()),
            ];
            for (found, (valid, at, value)) in found.iter_mut().zip(ports) {
                if valid {
                    let sign_extended = (value.to_u64() << 8) as i64 >> 8;
                    assert_eq!(found[at.index()].replace(sign_extended), None, "an entry is written once");
                }
            }
            cycles += 1;
            twin.edge();
            twin.settle();
        }
        assert_eq!(cycles, 264);
        for (found, want) in found.iter().zip(tables(factors, unsigned)) {
            for (q, want) in want.into_iter().enumerate() {
                assert_eq!(found[q], Some(want), "{q:#x} with {factors:?}, {}", if unsigned { "u8" } else { "s8" });
            }
        }
    }
}

/// Writes the tables of these factors.
fn write_tables(twin: &mut Twin<Combine>, factors: Factors, unsigned: bool) {
    let [first, second] = tables(factors, unsigned);
    (twin.uut.fill_first.next, twin.uut.fill_second.next) = (true, true);
    for q in 0..256 {
        let bits = |value: i64| (value as u64 & ((1 << 56) - 1)).into();
        let uut = &mut twin.uut;
        (uut.fill_first_at.next, uut.fill_second_at.next) = ((q as u64).into(), (q as u64).into());
        (uut.fill_first_value.next, uut.fill_second_value.next) = (bits(first[q]), bits(second[q]));
        twin.edge();
    }
    (twin.uut.fill_first.next, twin.uut.fill_second.next) = (false, false);
}

/// Sends pairs through a unit and compares; results are bounded by `low..=high`.
fn pairs(
    twin: &mut Twin<Combine>,
    unsigned: bool,
    (low, high): (i32, i32),
    list: impl Iterator<Item = (u8, u8)>,
    want: impl Fn(u8, u8) -> i32,
) {
    let uut = &mut twin.uut;
    uut.is_unsigned.next = unsigned;
    (uut.low.next, uut.high.next) = (low.into(), high.into());
    (uut.low_byte.next, uut.high_byte.next) = (u64::from(low as u8).into(), u64::from(high as u8).into());
    let mut flight: VecDeque<Option<(u8, u8)>> = vec![None; COMBINE_CYCLES].into();
    for pair in list.map(Some).chain(std::iter::repeat_n(None, COMBINE_CYCLES)) {
        let (q1, q2) = pair.unwrap_or_default();
        (twin.uut.q1.next, twin.uut.q2.next) = (u64::from(q1).into(), u64::from(q2).into());
        twin.settle();
        flight.push_back(pair);
        if let Some((q1, q2)) = flight.pop_front().expect("as many as cycles") {
            let want = want(q1, q2).max(low).min(high) as u8;
            assert_eq!(twin.uut.combined.val().to_u64() as u8, want, "{q1:#x}, {q2:#x}, {low}..={high}");
        }
        twin.edge();
    }
}

fn unit() -> Twin<Combine> {
    Twin::new(Combine::default(), |uut, level| uut.clk.next = level)
}

fn range(unsigned: bool) -> (i32, i32) {
    if unsigned { (0, 255) } else { (-128, 127) }
}

fn every_pair() -> impl Iterator<Item = (u8, u8)> {
    (0..=u16::MAX).map(|pair| ((pair >> 8) as u8, pair as u8))
}

/// Every pair with these factors, or every `step`-th one.
fn sums(twin: &mut Twin<Combine>, factors: Factors, unsigned: bool, step: usize) {
    write_tables(twin, factors, unsigned);
    twin.uut.is_max.next = false;
    let [ratio, second_ratio, offset] = factors;
    let sum = |q1: u8, q2: u8| {
        let inner = number(q2, unsigned).mul_add(second_ratio, offset);
        number(q1, unsigned).mul_add(ratio, inner).round_ties_even() as i32
    };
    pairs(twin, unsigned, range(unsigned), every_pair().step_by(step), sum);
}

#[test]
fn sums_equal_fp32() {
    let mut random = Random::new();
    let mut twin = unit();
    // One with every pair, the others with a prime step, so that all values of both sides occur.
    for (index, factors) in directed().into_iter().enumerate() {
        sums(&mut twin, factors, index % 2 == 1, if index == 2 { 1 } else { 41 });
    }
    for round in 0..tb::rounds(40) {
        sums(&mut twin, random_factors(&mut random), round % 2 == 0, 41);
    }
}

#[test]
#[ignore = "minutes: every pair of many factors"]
fn every_sum_equals_fp32() {
    let mut random = Random::new();
    let mut twin = unit();
    let list: Vec<Factors> = directed().into_iter().chain((0..200).map(|_| random_factors(&mut random))).collect();
    for factors in list {
        for unsigned in [false, true] {
            sums(&mut twin, factors, unsigned, 1);
        }
    }
}

#[test]
fn sums_equal_onnx_runtime() {
    let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/qlinear_add.bin")).expect("vectors");
    let sets = u32::from_le_bytes(file[8..12].try_into().expect("four bytes")) as usize;
    let mut twin = unit();
    twin.uut.is_max.next = false;
    for set in 0..2 {
        let at = 16 + 48 * set;
        let unsigned = file[at + 15] == 1;
        let [a, b, c] = [0, 1, 2].map(|tensor| {
            let scale = f32::from_le_bytes(file[at + 4 * tensor..][..4].try_into().expect("four bytes"));
            (scale, number(file[at + 12 + tensor], unsigned) as i32)
        });
        let factors = isa::second::Sum::of_scales(a, b, c);
        write_tables(&mut twin, [factors.ratio, factors.second_ratio, factors.offset], unsigned);
        let results = &file[16 + 48 * sets + 65_536 * set..][..65_536];
        let result = |q1: u8, q2: u8| number(results[usize::from(q1) << 8 | usize::from(q2)], unsigned) as i32;
        pairs(&mut twin, unsigned, range(unsigned), every_pair().step_by(3), result);
    }
}

#[test]
fn maxima_are_of_the_type() {
    let mut twin = unit();
    twin.uut.is_max.next = true;
    for unsigned in [false, true] {
        for bounds in [range(unsigned), (-3, 77)] {
            let larger = |q1: u8, q2: u8| number(q1, unsigned).max(number(q2, unsigned)) as i32;
            pairs(&mut twin, unsigned, bounds, every_pair().step_by(7), larger);
        }
    }
}

/// A job of m x n with a second tensor at 0.
fn job(random: &mut Random, config: &Config, m: u16, n: u16, sum: bool) -> Job {
    let mut job = Job::random(random, config, 16);
    job.shape(m, n, false, Target::Gm, false);
    job.plain();
    let sum = sum.then(|| SecondTensor::random_sum(random, false));
    job.set_second(SecondTensor { address: 0, stride: u32::from(n).next_multiple_of(32), sum });
    job
}

/// Cycles of the first and the second of two equal instructions: the second one finds its tables.
fn cycles<const B: usize>(config: &Config, m: u16, n: u16, sum: bool) -> [u64; 2] {
    let mut random = Random::new();
    let mut bench = Bench::<B>::new(config);
    let job = job(&mut random, config, m, n, sum);
    let again = Job { keep_factors: true, ..job.clone() };
    let first = bench.run(&mut random, &[job], Knobs::default());
    [first, bench.run(&mut random, &[again], Knobs::default())]
}

#[test]
fn a_second_tensor_takes_a_row_per_cycle() {
    let lite = Config::lite();
    for (m, n, sum) in [(64, 64, true), (64, 16, false), (1, 64, true)] {
        let [first, again] = cycles::<128>(&lite, m, n, sum);
        let rows = u64::from(m).next_multiple_of(4) * u64::from(n) / 2;
        println!("lite {m}x{n} {}: {first} cycles, again {again}, units {rows}", if sum { "sum" } else { "maximum" });
        assert!(again <= rows + 110, "lite {m}x{n}: {again} cycles, units {rows}");
        // 264 cycles of tables, and those that bring the factors to fixed point.
        assert!(
            first <= again + if sum { 300 } else { 0 },
            "lite {m}x{n}: {first} cycles with new tables, {again} without"
        );
    }
    let [first, again] = cycles::<64>(&Config::tiny(), 16, 64, true);
    println!("tiny 16x64 sum: {first} cycles, again {again}, units {}", 16 * 64);
    assert!(again <= 16 * 64 + 120, "tiny: {again} cycles");
}

#[test]
fn the_other_reader_of_ub_slows_a_second_tensor_by_one_cycle_per_step() {
    let config = Config::lite();
    let mut random = Random::new();
    let mut bench = Bench::<128>::new(&config);
    let job = job(&mut random, &config, 64, 64, false);
    let alone = bench.run(&mut random, std::slice::from_ref(&job), Knobs::default());
    let shared = bench.run(&mut random, &[job], Knobs { ub_wanted: 100, ..Knobs::default() });
    let steps = 64 * 64 / 8;
    println!("lite 64x64 maximum: {alone} cycles alone, {shared} with a reader that always wants, {steps} steps");
    assert!((alone + steps * 3 / 4..=alone + steps).contains(&shared), "{shared} cycles, alone {alone}");
    assert_eq!(REQUEST_CYCLES, 10, "the figure in docs/units/ub.md");
}

#[test]
fn what_an_instruction_writes_is_the_second_tensor_of_the_next() {
    let config = Config::tiny();
    let mut random = Random::new();
    let mut bench = Bench::<64>::new(&config);
    for round in 0..4 {
        let mut list = vec![];
        for _ in 0..3 {
            let mut link = job(&mut random, &config, 9, 33, round % 2 == 0);
            link.words[2] |= 2 << 5;
            link.words[4] = 64;
            list.push(link);
        }
        bench.run(&mut random, &list, Knobs { l1_busy: [0, 80][round / 2], ..Knobs::default() });
    }
}

fn refused(change: impl Fn(&mut Job), cause: Cause, address: u64) {
    let config = Config::tiny();
    let mut random = Random::new();
    let mut bench = Bench::<64>::new(&config);
    let mut job = job(&mut random, &config, 20, 20, true);
    change(&mut job);
    let (got, at, pc) = bench.run_to_fault(&mut random, &job);
    assert_eq!((Cause::from_code(got), at, pc), (Some(cause), address, job.pc), "{job:?}");
}

fn factors(job: &mut Job, index: usize, value: f32) {
    let second = job.second.as_mut().expect("a second tensor");
    second.sum.as_mut().expect("a sum").0[index] = value;
}

#[test]
fn refuses_factors_and_places_that_are_not_legal() {
    for bad in [0.0, -1.0, LEAST.next_down(), 256.0, f32::INFINITY, f32::NAN] {
        refused(|job| factors(job, 0, bad), Cause::BadScale, 0);
        refused(|job| factors(job, 1, bad), Cause::BadScale, 0);
    }
    // Too large, and with bits below 2^-35: in the last place, and everywhere.
    let grain = 2f32.powi(-35);
    for bad in [262_144.0, -262_144.0, f32::NAN, LEAST.next_down(), -LEAST.next_down(), 1.5 * grain, grain / 2.0, 1e-40]
    {
        refused(|job| factors(job, 2, bad), Cause::BadScale, 0);
    }
    let second = |change: fn(&mut SecondTensor)| move |job: &mut Job| change(job.second.as_mut().expect("one"));
    refused(second(|second| second.address += 16), Cause::BadRegister, 0);
    refused(second(|second| second.stride += 8), Cause::BadRegister, 0);
    refused(second(|second| second.address = 4096 - 19 * 32), Cause::OutOfBuffer, 4096);
    refused(second(|second| second.stride = 1 << 20), Cause::OutOfBuffer, 19 << 20);
    refused(
        |job| {
            job.words[2] |= 1 << 24;
            job.second.as_mut().and_then(|second| second.sum.as_mut()).expect("a sum").1 = 128;
        },
        Cause::BadZeroPoint,
        0,
    );
    // Not set at all: the sum finds no factors, the maximum no place.
    refused(|job| job.second.as_mut().expect("one").sum = None, Cause::UnsetRegister, 0);
    refused(
        |job| {
            job.second = None;
            job.words[2] = job.words[2] & !(3 << 26) | 2 << 26;
        },
        Cause::UnsetRegister,
        0,
    );
    // What is wrong without a second tensor comes first.
    refused(
        |job| {
            job.scale = Some(-1.0);
            job.second = None;
        },
        Cause::BadScale,
        0,
    );
}

#[test]
fn factors_at_the_ends_of_their_ranges_are_legal() {
    let config = with(4, 4, 4, 8, 8);
    let mut random = Random::new();
    let mut bench = Bench::<64>::new(&config);
    let list: Vec<Job> = directed()
        .into_iter()
        .enumerate()
        .map(|(index, factors)| {
            let mut job = job(&mut random, &config, 9, 33, true);
            job.words[2] |= (index as u32 & 1) << 16;
            job.second.as_mut().and_then(|second| second.sum.as_mut()).expect("a sum").0 = factors;
            job
        })
        .collect();
    bench.run(&mut random, &list, Knobs::default());
}
