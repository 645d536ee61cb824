// SPDX-License-Identifier: Apache-2.0
//! The FIX pipe against a plain reference: every byte of GM, L1 and UB after random programs, and what it refuses.

mod bench;
mod requant;
mod second;

use bench::{Bench, Job, Knobs, Random, Target};
use isa::{Cause, Config};
use rtl::emit::emit;
use rtl::fix::{FLOAT_CYCLES, Fix, WIDE_CYCLES};
use rust_hdl::prelude::Block;
use tb::Lockstep;

fn with(m0: usize, k0: usize, n0: usize, fix_lanes: usize, bus_bytes: usize) -> Config {
    Config {
        name: format!("{m0}x{n0}_{fix_lanes}_{bus_bytes}"),
        m0,
        k0,
        n0,
        fix_lanes,
        bus_bytes,
        fetch_bytes: 2 * bus_bytes.max(64),
        dsp_mults: 0,
        l1_bytes: 16 << 10,
        ub_bytes: 3 << 10,
        ..Config::tiny()
    }
    .checked()
    .expect("a legal configuration")
}

fn random_program<const B: usize>(config: Config, rounds: usize, jobs: usize, size: u64) {
    let mut random = Random::new();
    let mut bench = Bench::<B>::new(&config);
    for round in 0..tb::rounds(rounds) {
        // Six rounds meet every pair of stalls of GM and L1.
        let knobs = Knobs {
            late: if round % 2 == 0 { 0 } else { 60 },
            port_busy: random.below(40),
            gm_busy: [0, 30, 80][round % 3],
            l1_busy: [0, 50][round % 2],
            ub_wanted: [0, 20, 100][round % 3],
        };
        let list: Vec<Job> = (0..jobs).map(|_| Job::random(&mut random, &config, size)).collect();
        bench.run(&mut random, &list, knobs);
    }
}

#[test]
fn tiny_matches_the_reference() {
    random_program::<64>(Config::tiny(), 6, 5, 40);
}

#[test]
fn lite_matches_the_reference() {
    random_program::<128>(Config::lite(), 6, 5, 70);
}

#[test]
fn max_matches_the_reference() {
    random_program::<512>(Config { ub_bytes: 192 << 10, ..Config::max() }, 4, 4, 100);
}

#[test]
fn flat_blocks_match_the_reference() {
    random_program::<64>(with(2, 8, 8, 4, 8), 6, 5, 40);
}

#[test]
fn tall_blocks_match_the_reference() {
    random_program::<256>(with(8, 4, 2, 16, 32), 6, 5, 40);
}

#[test]
fn one_lane_matches_the_reference() {
    random_program::<32>(with(16, 4, 2, 1, 4), 4, 4, 20);
}

#[test]
fn more_lanes_than_int32_columns_match_the_reference() {
    random_program::<128>(with(2, 4, 16, 16, 16), 6, 5, 40);
}

#[test]
fn rows_wider_than_the_row_buffer_match_the_reference() {
    let config = Config::tiny();
    let mut random = Random::new();
    let mut bench = Bench::<64>::new(&config);
    let mut list = vec![];
    for (wide, float) in [(false, false), (true, false), (true, true)] {
        for target in [Target::Gm, Target::L1] {
            for nz in [false, true] {
                let mut job = Job::random(&mut random, &config, 20);
                job.shape(5, 150, wide, target, nz);
                if float {
                    job.make_float();
                }
                list.push(job);
            }
        }
    }
    bench.run(&mut random, &list, Knobs::default());
}

#[test]
fn reset_at_any_cycle_leaves_nothing() {
    let config = Config::tiny();
    let mut random = Random::new();
    let mut bench = Bench::<64>::new(&config);
    for _ in 0..40 {
        let job = Job::random(&mut random, &config, 30);
        let cycles = random.below(300);
        bench.run_and_reset(&mut random, &job, cycles);
        let mut job = Job::random(&mut random, &config, 16);
        // What the last program set is forgotten, too: this one sets all that it uses.
        job.scale = Some(0.001);
        bench.run(&mut random, &[job], Knobs { gm_busy: 20, l1_busy: 20, ..Knobs::default() });
    }
}

/// What comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Out {
    Int32,
    Fp32,
    Onnx,
    Tflite,
    Gemmlowp,
}

/// Cycles of one instruction of m x n, destination always ready, blocks full.
fn cycles<const B: usize>(config: &Config, m: u16, n: u16, out: Out, target: Target) -> u64 {
    let mut random = Random::new();
    let mut bench = Bench::<B>::new(config);
    let mut job = Job::random(&mut random, config, 16);
    job.shape(m, n, matches!(out, Out::Int32 | Out::Fp32), target, false);
    match out {
        Out::Fp32 => job.make_float(),
        Out::Tflite => job.words[2] |= 1 << 22,
        Out::Gemmlowp => job.words[2] |= 2 << 22,
        Out::Int32 | Out::Onnx => {}
    }
    job.bias = true;
    bench.run(&mut random, &[job], Knobs::default())
}

#[test]
fn steady_rate_is_the_bus_or_the_lanes() {
    let first_chunk_fills = 90;
    // fp32 results leave the lane later than int32, and the first chunk with them.
    let later = |out| if out == Out::Fp32 { (FLOAT_CYCLES - WIDE_CYCLES) as u64 } else { 0 };
    let lite = Config::lite();
    for (m, n, out, ideal) in [
        (64, 64, Out::Int32, 64 * 64 / 4),
        (64, 64, Out::Fp32, 64 * 64 / 4),
        (64, 64, Out::Onnx, 64 * 64 / 8),
        (64, 64, Out::Tflite, 64 * 64 / 8),
        (64, 64, Out::Gemmlowp, 64 * 64 / 8),
        (64, 16, Out::Int32, 64 * 16 / 4),
        (64, 16, Out::Fp32, 64 * 16 / 4),
        (64, 16, Out::Onnx, 64 * 16 / 8),
        (1, 64, Out::Onnx, 64 / 2),
        (1, 64, Out::Int32, 64 / 4 * 2),
    ] {
        let got = cycles::<128>(&lite, m, n, out, Target::Gm);
        println!("lite {m}x{n} {out:?}: {got} cycles, ideal {ideal}");
        let most = ideal + first_chunk_fills + later(out);
        assert!(got <= most, "lite {m}x{n} {out:?}: {got} cycles, ideal {ideal}");
    }
    let tiny = Config::tiny();
    for (m, n, out, ideal) in [
        (64, 64, Out::Int32, 64 * 64 / 2),
        (64, 64, Out::Fp32, 64 * 64 / 2),
        (64, 64, Out::Onnx, 64 * 64 / 2),
        (64, 64, Out::Gemmlowp, 64 * 64 / 2),
        (64, 16, Out::Int32, 64 * 16 / 2),
    ] {
        let got = cycles::<64>(&tiny, m, n, out, Target::Gm);
        println!("tiny {m}x{n} {out:?}: {got} cycles, ideal {ideal}");
        assert!(got <= ideal + first_chunk_fills + later(out), "tiny {m}x{n} {out:?}: {got} cycles, ideal {ideal}");
    }
    let max = Config::max();
    for (out, ideal) in [(Out::Int32, 64 * 64 / 16), (Out::Fp32, 64 * 64 / 16), (Out::Onnx, 64), (Out::Tflite, 64)] {
        let got = cycles::<512>(&max, 64, 64, out, Target::Gm);
        println!("max 64x64 {out:?}: {got} cycles, ideal {ideal}");
        assert!(got <= ideal + first_chunk_fills + later(out), "max {out:?}: {got} cycles, ideal {ideal}");
    }
    let got = cycles::<128>(&lite, 64, 64, Out::Int32, Target::L1);
    println!("lite 64x64 int32 to L1: {got} cycles");
    assert!(got <= 64 * 64 / 4 + first_chunk_fills, "lite to L1: {got} cycles");
    // The modes differ in nothing but numbers.
    let each = [Out::Onnx, Out::Tflite, Out::Gemmlowp].map(|out| cycles::<128>(&lite, 64, 64, out, Target::Gm));
    assert_eq!([each[1], each[2]], [each[0]; 2]);
}

fn refused(change: impl Fn(&mut Bench<64>, &mut Job), cause: Cause, address: u64) {
    let config = Config::tiny();
    let mut random = Random::new();
    let mut bench = Bench::<64>::new(&config);
    let mut job = Job::random(&mut random, &config, 16);
    job.shape(20, 20, false, Target::Gm, false);
    job.plain();
    change(&mut bench, &mut job);
    let (got, at, pc) = bench.run_to_fault(&mut random, &job);
    assert_eq!((Cause::from_code(got), at, pc), (Some(cause), address, job.pc));
}

#[test]
fn refuses_what_the_specification_refuses() {
    refused(|_, job| job.words[2] |= 3 << 22, Cause::Unsupported, 0);
    refused(|_, job| job.words[2] |= 4 << 16, Cause::Unsupported, 0);
    refused(|_, job| job.words[2] |= 10 << 16, Cause::Unsupported, 0);
    refused(|_, job| job.scale = None, Cause::UnsetRegister, 0);
    for mode in [1, 2] {
        let set = |job: &mut Job, m: u32, shift: Option<i8>| {
            job.words[2] |= mode << 22;
            (job.multiplier, job.shift) = (m, shift);
        };
        refused(|_, job| set(job, 1 << 30, None), Cause::UnsetRegister, 0);
        for (m, shift) in [(1, 0), ((1 << 30) - 1, 0), (1 << 31, 0), (u32::MAX, 0), (1 << 30, 31), (0, -32), (0, 127)] {
            refused(|_, job| set(job, m, Some(shift)), Cause::BadScale, 0);
        }
        for (m, shift) in [(1 << 29, -3), (1 << 30, 31)] {
            refused(
                |bench, job| {
                    job.words[2] |= mode << 22 | 1 << 21;
                    job.words[6] = job.words[6] & 0xFFFF | 300 << 16;
                    bench.fb_scale[300..320].fill(1 << 30);
                    (bench.fb_scale[300 + 13], bench.fb_shift[300 + 13]) = (m, shift);
                },
                Cause::BadScale,
                313,
            );
        }
    }
    refused(
        |_, job| {
            job.words[2] |= 9 << 16;
            job.scale = Some(f32::INFINITY);
        },
        Cause::BadScale,
        0,
    );
    refused(|_, job| job.words[2] |= 1 << 25, Cause::UnsetRegister, 0);
    for bad in [-1.0, 0.0, 1e-39, f32::INFINITY, f32::NAN] {
        refused(|_, job| job.scale = Some(bad), Cause::BadScale, 0);
    }
    refused(|_, job| job.zero_point = 128, Cause::BadZeroPoint, 0);
    refused(|_, job| job.zero_point = -129, Cause::BadZeroPoint, 0);
    refused(
        |bench, job| {
            job.words[2] |= 1 << 21;
            job.words[6] = job.words[6] & 0xFFFF | 40 << 16;
            bench.fb_scale[40 + 19] = 0;
            bench.fb_scale[40 + 20] = 0;
        },
        Cause::BadScale,
        59,
    );
    refused(
        |_, job| {
            job.words[2] |= 1 << 20;
            job.words[6] = job.words[6] & 0xFFFF | 493 << 16;
        },
        Cause::OutOfBuffer,
        512,
    );
    // 20 x 20 takes four fractals; L0C of tiny has 32.
    refused(|_, job| job.words[6] = 29, Cause::OutOfBuffer, 32);
    refused(
        |bench, job| {
            job.words[2] = job.words[2] & !0xFF0F | 3 | 1 << 8;
            job.words[3] = 0;
            job.words[4] = 0x100;
            bench.set_base(3, (0xFF << 32) - 5 * 0x100 - 3);
        },
        Cause::AddressOverflow,
        (0x100u64 << 32) - 3,
    );
    refused(
        |_, job| {
            job.words[2] = job.words[2] & !0xFF0F | 1 << 5;
            job.words[3] = (16 << 10) - 7 * 64 - 19;
            job.words[4] = 64;
        },
        Cause::OutOfBuffer,
        16 << 10,
    );
}

/// Faults of the decoder, of a scale and of an address, each of a new engine.
fn faults<const B: usize>(config: &Config) {
    let mut random = Random::new();
    for (cause, bits, fractal, scale) in [
        (Cause::Unsupported, 3 << 22, 0, 0.001),
        (Cause::BadScale, 0, 0, -1.0),
        (Cause::OutOfBuffer, 0, config.l0c_fractals() as u32 - 3, 0.001),
        (Cause::OutOfBuffer, 2 << 5, 0, 0.001),
    ] {
        if bits == 2 << 5 && config.ub_bytes == 0 {
            continue;
        }
        let mut bench = Bench::<B>::new(config);
        let mut job = Job::random(&mut random, config, 16);
        job.shape(20, 20, false, Target::Gm, false);
        job.plain();
        job.words[2] |= bits;
        job.words[6] = fractal;
        job.scale = Some(scale);
        if bits == 2 << 5 {
            job.words[3] = config.ub_bytes as u32 - 100;
        }
        let (got, address, pc) = bench.run_to_fault(&mut random, &job);
        assert_eq!((Cause::from_code(got), pc), (Some(cause), job.pc));
        if bits == 2 << 5 {
            assert_eq!(address, config.ub_bytes as u64, "the first byte outside UB");
        }
    }
}

fn same_in_verilog<const B: usize>(config: &Config) {
    let lockstep = Lockstep::of(config, "fix").constant("early", "it sets no early flags");
    lockstep.with(
        |uut: &Fix<B>| uut,
        || {
            random_program::<B>(config.clone(), 6, 3, 40);
            faults::<B>(config);
        },
    );
    lockstep.finish();
}

#[test]
fn fix_is_the_same_in_verilog() {
    let [tiny, lite] = crate::common::compared();
    same_in_verilog::<64>(&tiny);
    same_in_verilog::<128>(&lite);
}

fn prints<const B: usize>(config: &Config) {
    let mut uut = Fix::<B>::new(config);
    uut.connect_all();
    let begin = std::time::Instant::now();
    let design = emit(&uut, "fix").expect("printable");
    let bytes: usize = design.modules.iter().map(|module| module.text.len()).sum();
    println!("{}: {} modules, {} bytes of Verilog, {:?}", config.name, design.modules.len(), bytes, begin.elapsed());
    assert_eq!(tb::lint(&design), [""; 0], "{}", config.name);
    assert!(design.modules.iter().any(|module| module.name == "requant"));
    if let Ok(dir) = std::env::var("QUADER_EMIT_DIR") {
        let dir = std::path::Path::new(&dir).join(format!("fix_{}", config.name));
        design.write(&dir).expect("writable folder");
    }
}

#[test]
fn every_core_prints() {
    prints::<64>(&Config::tiny());
    prints::<128>(&Config::lite());
    prints::<512>(&Config::max());
    prints::<64>(&with(2, 8, 8, 4, 8));
    prints::<256>(&with(8, 4, 2, 16, 32));
    prints::<32>(&with(16, 4, 2, 1, 4));
}
