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
