// SPDX-License-Identifier: Apache-2.0
//! Claims: matrix products are those of `ndarray`, whatever the shape, orientation, dtype, zero points, split of k and activation;
//! and one program gives the same memory on every core.

#![allow(clippy::unwrap_used)]

mod common;

use common::gemm::{Gemm, Path};
use common::{assemble, place, rng, run_done};
use isa::*;
use model::*;
use rand::{Rng, RngExt};
use std::collections::BTreeSet;

#[test]
fn products_equal_ndarray_and_one_program_gives_the_same_memory_on_every_core() {
    let mut rng = rng(3);
    let mut classes = BTreeSet::new();
    let mut distinct = 0;
    for case in 0..400 {
        let gemm = Gemm::random(&mut rng);
        let program = gemm.program();
        if let Err(findings) = check(&program, &Config::tiny()) {
            panic!("case {case}: {}, {gemm:?}", findings[0]);
        }
        let mut start = SparseMemory::new(rng.next_u64());
        let run = gemm.place(&mut start, Run::new(0, 0));
        let opened = place(&program, &mut start);
        let run = Run { bases: run.bases, ..opened };
        let mut expected = start.clone();
        gemm.expect(&mut expected);
        let (m, n, k) = (gemm.a.values.nrows(), gemm.b.values.nrows(), gemm.a.values.ncols());
        for config in [Config::tiny(), Config::lite(), Config::max(), random_config(&mut rng)] {
            let mut core = Core::new(config.clone()).unwrap();
            core.poison(rng.next_u64());
            let mut memory = start.clone();
            let counts = match core.run(&mut memory, &run) {
                Outcome::Done(counts) => counts,
                Outcome::Fault(fault) => panic!("case {case} on {}: {fault}, {gemm:?}", config.name),
            };
            let difference = memory.first_difference(&expected);
            assert_eq!(difference, None, "case {case} on {}: (address, got, expected), {gemm:?}", config.name);
            let steps: u64 =
                (0..k).step_by(gemm.k_step).map(|at| config.cube_steps(m, n, gemm.k_step.min(k - at))).sum();
            assert_eq!(counts.cube_steps, steps, "case {case} on {}", config.name);
            assert_eq!(counts.executed_macs, steps * config.peak_macs() as u64);
            assert_eq!(counts.useful_macs, (m * n * k) as u64);
            assert_eq!(counts.bytes_written, (m * n) as u64 * u64::from(gemm.dtype_out.bytes(1)));
            assert_eq!(counts.instructions, program.len() as u64);
        }
        distinct += usize::from(gemm.distinct_results() > n / 2);
        classes.insert(("dtypes", 4 * gemm.a.dtype.code() + gemm.b.dtype.code()));
        classes.insert(("out", gemm.dtype_out.code()));
        classes.insert(("rounding", gemm.rounding.code()));
        classes.insert(("turned", u8::from(gemm.a.transposed) + 2 * u8::from(gemm.b.transposed)));
        classes.insert(("per row", u8::from(gemm.a.per_row) + 2 * u8::from(gemm.b.per_row)));
        classes.insert(("to", 2 * u8::from(gemm.path == Path::Gm) + gemm.layout.code()));
        classes.insert(("splits", k.div_ceil(gemm.k_step).min(3) as u8));
        classes.insert(("ragged", u8::from(m % 16 != 0) + 2 * u8::from(n % 16 != 0) + 4 * u8::from(k % 32 != 0)));
    }
    assert_eq!(classes.len(), 4 + 4 + 3 + 4 + 4 + 4 + 3 + 8, "{classes:?}");
    assert!(distinct > 160, "only {distinct} of 400 products have many different results");
}

/// A random core with at least the buffers of `tiny`.
fn random_config(rng: &mut impl Rng) -> Config {
    let config = Config::random(|| rng.next_u64());
    let tiny = Config::tiny();
    Config {
        l1_bytes: config.l1_bytes.max(tiny.l1_bytes),
        l0a_bytes: config.l0a_bytes.max(tiny.l0a_bytes),
        l0b_bytes: config.l0b_bytes.max(tiny.l0b_bytes),
        l0c_bytes: config.l0c_bytes.max(tiny.l0c_bytes),
        ..config
    }
    .checked()
    .unwrap()
}

#[test]
fn accumulation_wraps_modulo_2_to_the_32() {
    // 255 * 255 * 96 per product, 400 times: 2.5e9 exceeds int32.
    let product = "m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=16 n=16 k=96 dtype_a=u8 dtype_b=u8";
    let program = assemble(&format!(
        "mte2.fill dst=l1[0] byte=0xFF rows=1 len_bytes=1536 dst_stride=0 set mte1.0
         mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=16 k=96 dtype=u8 wait mte2.0
         mte1.loadb dst=l0b[0] src=l1[0] panel_stride=512 rows=16 k=96 dtype=u8 set m.0
         {product} wait mte1.0\n{}{product} accumulate set fix.0
         fix.store dst=b0[0] src=l0c[0] m=16 n=16 dst_stride=64 dtype_out=int32 wait m.0\nend",
        format!("{product} accumulate\n").repeat(398)
    ));
    let mut core = Core::new(Config::tiny()).unwrap();
    let mut memory = SparseMemory::new(1);
    run_done(&mut core, &mut memory, &program);
    let expected = (255i64 * 255 * 96 * 400) as i32;
    assert!(expected < 0);
    for element in memory.bytes(0, 1024).chunks(4) {
        assert_eq!(i32::from_le_bytes(element.try_into().unwrap()), expected);
    }
}

#[test]
fn the_extremes_of_nine_bits_are_exact() {
    // 0 - 255 in A, 255 - 0 in B.
    let program = assemble(
        "mte2.fill dst=l1[0] byte=0 rows=1 len_bytes=512 dst_stride=0
         mte2.fill dst=l1[512] byte=255 rows=1 len_bytes=512 dst_stride=0 set mte1.0
         set mte1.zero_point_a 255
         mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=16 k=32 dtype=u8 wait mte2.0
         mte1.loadb dst=l0b[0] src=l1[512] panel_stride=512 rows=16 k=32 dtype=u8 set m.0
         m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=16 n=16 k=32 dtype_a=u8 dtype_b=u8 wait mte1.0 set fix.0
         fix.store dst=b0[0] src=l0c[0] m=16 n=16 dst_stride=64 dtype_out=int32 wait m.0\nend",
    );
    let mut core = Core::new(Config::max()).unwrap();
    let mut memory = SparseMemory::new(1);
    run_done(&mut core, &mut memory, &program);
    assert_eq!(memory.bytes(0, 1024), (-255i32 * 255 * 32).to_le_bytes().repeat(256));
}

#[test]
fn smaller_products_read_only_their_part_of_a_tile() {
    // Tiles of 16 rows, a product of 5 x 3 of them; the rest of the memory stays as it was.
    let mut rng = rng(4);
    let text = "mte2.load dst=l1[0] gm=b0[0] rows=16 len_bytes=32 gm_stride=32 dst_stride=32 set mte1.0
         mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=16 k=32 dtype=s8 wait mte2.0
         mte1.loadb dst=l0b[0] src=l1[0] panel_stride=512 rows=16 k=32 dtype=s8 set m.0
         m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=5 n=3 k=32 dtype_a=s8 dtype_b=s8 wait mte1.0 set fix.0
         fix.store dst=b0[0x1000] src=l0c[0] m=5 n=3 dst_stride=12 dtype_out=int32 wait m.0\nend";
    let mut core = Core::new(Config::lite()).unwrap();
    let mut memory = SparseMemory::new(1);
    let numbers: Vec<i8> = (0..512).map(|_| rng.random()).collect();
    memory.write(0, &numbers.iter().map(|&number| number as u8).collect::<Vec<u8>>()).unwrap();
    run_done(&mut core, &mut memory, &assemble(text));
    let row = |i: usize| &numbers[32 * i..32 * i + 32];
    let dot =
        |i: usize, j: usize| -> i32 { row(i).iter().zip(row(j)).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum() };
    let expected: Vec<u8> = (0..15).flat_map(|at| dot(at / 3, at % 3).to_le_bytes()).collect();
    assert_eq!(memory.bytes(0x1000, 60), expected);
    assert_eq!(memory.bytes(0x103C, 1), [SparseMemory::poison(1, 0x103C)]);
}

/// `cargo test -p model --release --test gemm -- --ignored --nocapture`: MACs per second of the model.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let (tiles, repeat) = (64, 400);
    let load = "mte2.fill dst=l1[0] byte=3 rows=1 len_bytes=8192 dst_stride=0 set mte1.0
         mte1.loada dst=l0a[0] src=l1[0] panel_stride=2048 rows=64 k=128 dtype=s8 wait mte2.0
         mte1.loadb dst=l0b[0] src=l1[0] panel_stride=2048 rows=64 k=128 dtype=s8 set m.0\n";
    let product = "m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=64 n=64 k=128 dtype_a=s8 dtype_b=s8";
    let store = format!(
        "set fix.scale 0.01\nbarrier\nfix.store dst=b0[0] src=l0c[0] m={tiles} n=64 dst_stride=64 dtype_out=s8\nend"
    );
    let cube = assemble(&format!("{load}{product} wait mte1.0\n{}{store}", format!("{product}\n").repeat(repeat)));
    for config in [Config::lite(), Config::max()] {
        let mut core = Core::new(config).unwrap();
        let mut memory = SparseMemory::new(1);
        let start = std::time::Instant::now();
        let counts = run_done(&mut core, &mut memory, &cube);
        let rate = counts.executed_macs as f64 / start.elapsed().as_secs_f64();
        println!("{}: {:.2e} MAC/s in the cube", core.config().name, rate);
    }
}
