// SPDX-License-Identifier: Apache-2.0
//! Claims: loads, fills and stores move exactly the bytes that their layouts say, at any alignment, and touch no other byte.

#![allow(clippy::unwrap_used)]

mod common;

use common::{assemble, rng, run_done};
use isa::*;
use model::*;
use rand::{Rng, RngExt};

/// Where byte (r, c) lies.
fn place(layout: Layout, address: u64, stride: u64, r: u64, c: u64) -> usize {
    (match layout {
        Layout::Rows => address + r * stride + c,
        Layout::Nz => address + c / 32 * stride + 32 * r + c % 32,
    }) as usize
}

#[test]
fn loads_fills_and_stores_move_exactly_their_bytes() {
    let mut rng = rng(2);
    for case in 0..400 {
        let mut core = Core::new(Config::tiny()).unwrap();
        core.poison(rng.next_u64());
        let mut memory = SparseMemory::new(rng.next_u64());
        let layout = if rng.random() { Layout::Rows } else { Layout::Nz };
        let (rows, len) = (rng.random_range(1..=40u16), rng.random_range(1..=150u32));
        let (local, local_stride) = match layout {
            Layout::Rows => (rng.random_range(0..4000u32), len + rng.random_range(0..40)),
            Layout::Nz => (32 * rng.random_range(0..100u32), 32 * (u32::from(rows) + rng.random_range(0..4u32))),
        };
        let gm = |rng: &mut rand_chacha::ChaCha8Rng| GmAddress { base: 3, offset: rng.random_range(0..10_000) };
        let (source, target) = (gm(&mut rng), gm(&mut rng));
        let (gm_stride, out_stride) = (len + rng.random_range(0..70), len + rng.random_range(0..70));
        let fill = Mte2Fill {
            dst: LocalBuffer::L1,
            dst_address: local,
            dst_stride: local_stride,
            rows,
            len_bytes: len,
            byte: rng.random(),
        };
        let fills = layout == Layout::Rows && case % 3 == 0;
        let load = match fills {
            true => Instruction::Mte2Fill(fill),
            false => Instruction::Mte2Load(Mte2Load {
                gm: source,
                gm_stride,
                layout,
                dst: LocalBuffer::L1,
                dst_address: local,
                dst_stride: local_stride,
                rows,
                len_bytes: len,
            }),
        };
        let store = Mte3Store {
            gm: target,
            gm_stride: out_stride,
            layout,
            src: LocalBuffer::L1,
            src_address: local,
            src_stride: local_stride,
            rows,
            len_bytes: len,
        };
        let mut builder = ProgramBuilder::new();
        builder.push(load);
        builder.push(Instruction::Mte3Store(store));
        let program = builder.finish();
        let base = rng.random_range(0..1u64 << 39);
        let mut expected_l1 = core.l1().to_vec();
        let input = memory.clone();
        let run = common::place(&program, &mut memory).with_base(3, base);
        let mut expected = memory.clone();
        let Outcome::Done(counts) = core.run(&mut memory, &run) else { panic!("case {case} faults") };
        for r in 0..u64::from(rows) {
            let row = match fills {
                true => vec![fill.byte; len as usize],
                false => input.bytes(base + source.offset + r * u64::from(gm_stride), len as usize),
            };
            for (c, &byte) in row.iter().enumerate() {
                expected_l1[place(layout, local.into(), local_stride.into(), r, c as u64)] = byte;
            }
            expected.write(base + target.offset + r * u64::from(out_stride), &row).unwrap();
        }
        assert!(core.l1() == expected_l1, "case {case}: L1 differs, {load:?}");
        assert_eq!(memory.first_difference(&expected), None, "case {case}: (address, got, expected), {store:?}");
        let bytes = u64::from(rows) * u64::from(len);
        assert_eq!((counts.bytes_read, counts.bytes_written), (if fills { 0 } else { bytes }, bytes));
        assert_eq!(counts.instructions, 3);
    }
}

#[test]
fn nz_turns_into_rows_and_back() {
    let mut core = Core::new(Config::tiny()).unwrap();
    let mut memory = SparseMemory::new(5);
    // In as rows, read as nz, out as rows: panel p of 32 bytes of row r comes from where nz has it.
    let program = assemble(
        "mte2.load dst=l1[0] gm=b0[0x100] rows=64 len_bytes=32 gm_stride=32 dst_stride=32  set mte3.0
         mte3.store gm=b0[0x4001] src=l1[0] rows=16 len_bytes=128 gm_stride=128 src_stride=512 layout=nz  wait mte2.0
         end",
    );
    run_done(&mut core, &mut memory, &program);
    let input = memory.bytes(0x100, 2048);
    let turned: Vec<u8> =
        (0..16 * 128).map(|at| (at / 128, at % 128)).map(|(r, c)| input[c / 32 * 512 + 32 * r + c % 32]).collect();
    assert_eq!(memory.bytes(0x4001, 2048), turned);
}

#[test]
fn parameters_reach_their_channels() {
    let mut core = Core::new(Config::tiny()).unwrap();
    let mut memory = SparseMemory::new(5);
    memory.write(0, &(0..=255u8).rev().collect::<Vec<u8>>()).unwrap();
    let program = assemble(
        "mte2.load dst=l1[0] gm=b0[0] rows=1 len_bytes=256 gm_stride=0 dst_stride=0  set mte1.0
         mte1.loadfb field=bias src=l1[32] channel=7 count=2  wait mte2.0
         mte1.loadfb field=scale src=l1[64] channel=7 count=2
         mte1.loadfb field=shift src=l1[96] channel=7 count=2
         mte1.loadfb field=zero_point src=l1[160] channel=7 count=2
         end",
    );
    let before = core.channel(9);
    run_done(&mut core, &mut memory, &program);
    let channel = |bias: u32, scale, shift, zero_point| Channel { bias: bias as i32, scale, shift, zero_point };
    // Bits 8:0 of 0x5E5F and 0x5C5D, sign-extended.
    assert_eq!(core.channel(7), Some(channel(0xDCDD_DEDF, 0xBCBD_BEBF, 0x9F, 0x05F)));
    assert_eq!(core.channel(8), Some(channel(0xD8D9_DADB, 0xB8B9_BABB, 0x9E, 0x05D)));
    assert_eq!(core.channel(9), before);
    assert_eq!(core.channel(512), None);
}

#[test]
fn what_no_program_wrote_stays_poison_and_l1_outlives_a_run() {
    let mut core = Core::new(Config::tiny()).unwrap();
    let mut memory = SparseMemory::new(5);
    memory.write(0x40, b"quader").unwrap();
    let load = assemble("mte2.load dst=l1[9] gm=b0[0x40] rows=1 len_bytes=6 gm_stride=0 dst_stride=0\nend");
    let store = assemble("mte3.store gm=b0[0x1FFD] src=l1[9] rows=1 len_bytes=6 gm_stride=0 src_stride=0\nend");
    run_done(&mut core, &mut memory, &load);
    run_done(&mut core, &mut memory, &store);
    assert_eq!(memory.bytes(0x1FFD, 6), b"quader");
    assert_eq!(memory.bytes(0x2003, 1), [SparseMemory::poison(5, 0x2003)]);
    let zeros = memory.bytes(0x10_0000, 4096).iter().filter(|&&byte| byte == 0).count();
    assert!((1..64).contains(&zeros), "poison has {zeros} zeros in 4096 bytes");
}

/// Four dimensions: counts and strides, from the outermost.
struct Walk {
    counts: [u64; 3],
    strides: [u64; 3],
}

impl Walk {
    /// What each row adds to an address, with the row's number.
    fn rows(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let [c3, c2, rows] = self.counts;
        let [s3, s2, _] = self.strides;
        (0..c3).flat_map(move |p3| (0..c2).flat_map(move |p2| (0..rows).map(move |row| (p3 * s3 + p2 * s2, row))))
    }
}

#[test]
fn four_dimensions_ub_and_moves_touch_exactly_their_bytes() {
    let mut rng = rng(3);
    let config = Config::tiny();
    for case in 0..300 {
        let mut core = Core::new(config.clone()).unwrap();
        core.poison(rng.next_u64());
        let mut memory = SparseMemory::new(rng.next_u64());
        let counts = [rng.random_range(1..4u64), rng.random_range(1..4), rng.random_range(1..4)];
        let len = rng.random_range(1..50u64);
        let mut walk = |unit: u64, most: u64| {
            // Rows of up to `most` bytes apart, matrices and steps further, in any order of size.
            let stride = |rng: &mut rand_chacha::ChaCha8Rng| unit * rng.random_range(0..most / unit);
            Walk { counts, strides: [stride(&mut rng), stride(&mut rng), stride(&mut rng)] }
        };
        let (source, ub, l1, target) = (walk(1, 300), walk(1, 200), walk(32, 600), walk(1, 400));
        let layout = if case % 2 == 0 { Layout::Nz } else { Layout::Rows };
        let [c3, c2, rows] = counts;
        let sets = |pipe: &str, src: &Walk, dst: &Walk| {
            format!(
                "set {pipe}.count3 {c3}\nset {pipe}.count2 {c2}\nset {pipe}.src_stride3 {}\nset {pipe}.src_stride2 {}\n\
                 set {pipe}.dst_stride3 {}\nset {pipe}.dst_stride2 {}\n",
                src.strides[0], src.strides[1], dst.strides[0], dst.strides[1]
            )
        };
        let program = assemble(&format!(
            "{}mte2.load dst=ub[7] gm=b0[0x1003] rows={rows} len_bytes={len} gm_stride={} dst_stride={} set mte3.0\n\
             {}mte3.move dst=l1[64] src=ub[7] rows={rows} len_bytes={len} dst_stride={} src_stride={} layout={layout} wait mte2.0\n\
             {}mte3.store gm=b0[0x4005] src=l1[64] rows={rows} len_bytes={len} gm_stride={} src_stride={} layout={layout}\nend",
            sets("mte2", &source, &ub),
            source.strides[2],
            ub.strides[2],
            sets("mte3", &ub, &l1),
            l1.strides[2],
            ub.strides[2],
            sets("mte3", &l1, &target),
            target.strides[2],
            l1.strides[2],
        ));
        let input = memory.clone();
        let run = common::place(&program, &mut memory);
        let mut expected = memory.clone();
        let (mut in_ub, mut in_l1) = (core.ub().to_vec(), core.l1().to_vec());
        for ((from, row), (to, _)) in source.rows().zip(ub.rows()) {
            let data = input.bytes(0x1003 + from + row * source.strides[2], len as usize);
            let to = (7 + to + row * ub.strides[2]) as usize;
            in_ub[to..to + len as usize].copy_from_slice(&data);
        }
        for ((from, row), (to, _)) in ub.rows().zip(l1.rows()) {
            for c in 0..len {
                in_l1[place(layout, 64 + to, l1.strides[2], row, c)] =
                    in_ub[(7 + from + row * ub.strides[2] + c) as usize];
            }
        }
        for ((from, row), (to, _)) in l1.rows().zip(target.rows()) {
            let data: Vec<u8> = (0..len).map(|c| in_l1[place(layout, 64 + from, l1.strides[2], row, c)]).collect();
            expected.write(0x4005 + to + row * target.strides[2], &data).unwrap();
        }
        let outcome = core.run(&mut memory, &run);
        assert!(matches!(outcome, Outcome::Done(_)), "case {case}: {outcome:?}");
        assert!(core.ub() == in_ub, "case {case}: UB differs");
        assert!(core.l1() == in_l1, "case {case}: L1 differs");
        assert_eq!(memory.first_difference(&expected), None, "case {case}: (address, got, expected)");
    }
}

#[test]
fn outer_dimensions_that_mean_nothing_are_faults() {
    let load = "mte2.load dst=l1[0] gm=b0[0] rows=1 len_bytes=4 gm_stride=0 dst_stride=0";
    let store = "mte3.store gm=b0[0] src=l1[0] rows=1 len_bytes=4 gm_stride=0 src_stride=0";
    let bad = |set: &str, text: &str, pipe| {
        common::expect_fault(&format!("{set}\n{text}\nend"), Cause::BadRegister, pipe, 1, 0);
    };
    for register in ["count2", "count3"] {
        bad(&format!("set mte2.{register} 0"), load, Pipe::Mte2);
        bad(
            &format!("set mte2.{register} 0"),
            "mte2.fill dst=l1[0] byte=0 rows=1 len_bytes=4 dst_stride=0",
            Pipe::Mte2,
        );
        bad(&format!("set mte3.{register} 0"), store, Pipe::Mte3);
    }
    for register in ["stride2", "stride3"] {
        bad(&format!("set mte2.dst_{register} 16"), &format!("{load} layout=nz"), Pipe::Mte2);
        bad(&format!("set mte3.src_{register} 33"), &format!("{store} layout=nz"), Pipe::Mte3);
    }
    // The other side is rows, whatever the layout.
    let text =
        format!("set mte2.src_stride2 16\nset mte3.dst_stride3 16\n{load} layout=nz\nbarrier\n{store} layout=nz\nend");
    run_done(&mut Core::new(Config::tiny()).unwrap(), &mut SparseMemory::new(5), &assemble(&text));
    let core = Config::tiny();
    let moving = "mte3.move dst=l1[0] src=ub[0] rows=1 len_bytes=4 dst_stride=0 src_stride=0";
    let fault = |text: &str| {
        common::run_fault(&mut Core::new(core.clone()).unwrap(), &mut SparseMemory::new(5), &assemble(text))
    };
    let record = fault(&format!("set mte3.dst_stride2 0x1000000\n{moving}\nend"));
    assert_eq!(record, FaultRecord { cause: Cause::BadRegister, pipe: Pipe::Mte3, pc: 32, address: 0 });
    let record = fault("mte3.move dst=l1[0] src=ub[4090] rows=1 len_bytes=8 dst_stride=0 src_stride=0\nend");
    assert_eq!(record, FaultRecord { cause: Cause::OutOfBuffer, pipe: Pipe::Mte3, pc: 0, address: 4096 });
}
