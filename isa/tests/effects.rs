// SPDX-License-Identifier: Apache-2.0
//! Claims: effects name exactly the bytes, fractals and channels that an instruction touches.

#![allow(clippy::unwrap_used)]
#![allow(clippy::single_range_in_vec_init)] // Lists of one range are meant here.

mod common;

use common::{numbers, seed};
use isa::asm::assemble;
use isa::effects::matrix_ranges;
use isa::geometry::IM2COL_BITS;
use isa::state::{mte1, outer};
use isa::*;
use std::collections::BTreeSet;
use std::ops::Range;

/// Effects of the last line, as text: `read l1 0..512`.
fn shown(text: &str) -> Vec<String> {
    let program = assemble(text, "test.qasm").unwrap_or_else(|errors| panic!("{}", errors[0])).program;
    let mut state = State::reset();
    for inst in &program {
        if let Instruction::Set { pipe, register, value } = inst.op {
            state.set(pipe, register, value);
        }
    }
    let one = |access: Access| {
        let verb = if access.write { "write" } else { "read" };
        let ranges: Vec<String> = access.ranges.iter().map(|range| format!("{}..{}", range.start, range.end)).collect();
        format!("{verb} {} {}", access.buffer, ranges.join(" "))
    };
    effects(&program.last().unwrap().op, &state).into_iter().map(one).collect()
}

#[test]
fn ranges_are_the_set_of_bytes_of_the_layout() {
    let mut next = numbers(seed(40));
    for _ in 0..3_000 {
        let mut pick = |limit: u64| next() % limit;
        let (rows, row_bytes, address) = (1 + pick(20), 1 + pick(100), pick(1000));
        let layout = if pick(2) == 0 { Layout::Rows } else { Layout::Nz };
        let stride = match layout {
            Layout::Rows if pick(4) == 0 => row_bytes,
            Layout::Rows => pick(150),
            Layout::Nz => 32 * pick(25),
        };
        let mut bytes = BTreeSet::new();
        for (row, column) in (0..rows).flat_map(|row| (0..row_bytes).map(move |column| (row, column))) {
            bytes.insert(match layout {
                Layout::Rows => address + row * stride + column,
                Layout::Nz => address + column / 32 * stride + row * 32 + column % 32,
            });
        }
        let ranges: Vec<Range<u64>> = matrix_ranges(layout, address, stride, rows, row_bytes);
        assert!(
            ranges.iter().cloned().flatten().eq(bytes.iter().copied()),
            "{layout} {rows} x {row_bytes}, stride {stride}"
        );
        assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
    }
}

/// The bytes of the access, one by one.
fn bytes(access: &Access) -> BTreeSet<u64> {
    access.ranges.iter().cloned().flatten().collect()
}

#[test]
fn outer_dimensions_repeat_the_matrix() {
    let mut next = numbers(seed(41));
    for _ in 0..500 {
        let mut pick = |limit: u64| next() % limit;
        let (rows, len) = (1 + pick(4), 1 + pick(70));
        let counts = [1 + pick(3), 1 + pick(3)];
        let (src, dst) = ([pick(400), pick(900)], [32 * pick(9), 32 * pick(30)]);
        let mut state = State::reset();
        let registers = [counts[0], src[0], dst[0], counts[1], src[1], dst[1]];
        for (index, value) in (outer::COUNT2..=outer::DST_STRIDE3).zip(registers) {
            state.set(Pipe::Mte2, index, value as u32);
        }
        let text =
            format!("mte2.load dst=l1[64] gm=b1[7] rows={rows} len_bytes={len} gm_stride=50 dst_stride=96 layout=nz");
        let op = assemble(&text, "test.qasm").unwrap().program.remove(0).op;
        let (mut read, mut written) = (BTreeSet::new(), BTreeSet::new());
        for p3 in 0..counts[1] {
            for p2 in 0..counts[0] {
                for (r, c) in (0..rows).flat_map(|r| (0..len).map(move |c| (r, c))) {
                    read.insert(7 + p3 * src[1] + p2 * src[0] + r * 50 + c);
                    written.insert(64 + p3 * dst[1] + p2 * dst[0] + c / 32 * 96 + r * 32 + c % 32);
                }
            }
        }
        let accesses = effects(&op, &state);
        assert_eq!(bytes(&accesses[0]), read);
        assert_eq!(bytes(&accesses[1]), written);
        assert!(accesses[1].ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
    }
}

#[test]
fn a_copy_of_very_many_pieces_is_given_with_its_gaps() {
    let mut state = State::reset();
    for (index, value) in (outer::COUNT2..).zip([0xFFFF, 2, 0xFF_FFFF, 0xFFFF, 3, 0xFF_FFFF]) {
        state.set(Pipe::Mte2, index, value);
    }
    let op =
        assemble("mte2.fill dst=l1[5] byte=1 rows=2 len_bytes=3 dst_stride=10", "test.qasm").unwrap().program[0].op;
    let end = 5 + 10 + 3 + 2 * 0xFFFE * 0xFF_FFFF;
    assert_eq!(effects(&op, &state)[0].ranges, [5..end]);
}

#[test]
fn im2col_reads_the_bytes_of_its_action() {
    let mut next = numbers(seed(42));
    let mut padded = 0;
    for _ in 0..500 {
        let mut pick = |limit: u64| next() % limit;
        let [height, width, out_width, step_y, step_x] = [1 + pick(9), 1 + pick(60), 1 + pick(9), pick(4), pick(20)];
        let [taps_x, tap_bytes, tap_step_y, tap_step_x] = [1 + pick(4), 1 + pick(20), pick(4), pick(20)];
        let (origin_y, origin_x) = (pick(10) as i64 - 5, pick(60) as i64 - 30);
        let [out_y, out_x, tap_y, tap_x, tap_byte] = [pick(5), pick(out_width), pick(3), pick(taps_x), pick(tap_bytes)];
        let (rows, k, line_stride) = (1 + pick(30), 1 + pick(90), width + pick(9));
        let registers = [
            height,
            width,
            line_stride,
            out_width,
            step_y,
            step_x,
            taps_x,
            tap_bytes,
            tap_step_y,
            tap_step_x,
            origin_y as u32 as u64,
            origin_x as u32 as u64,
        ];
        let mut state = State::reset();
        for (index, value) in (mte1::MAP_HEIGHT..=mte1::ORIGIN_X).zip(registers) {
            state.set(Pipe::Mte1, index, value as u32);
        }
        let text = format!(
            "mte1.im2col dst=l0a[3] src=l1[1000] out_y={out_y} out_x={out_x} rows={rows} k={k} dtype=u8 tap_y={tap_y} tap_x={tap_x} tap_byte={tap_byte}"
        );
        let op = assemble(&text, "test.qasm").unwrap().program.remove(0).op;
        let mut read = BTreeSet::new();
        for (i, j) in (0..rows).flat_map(|i| (0..k).map(move |j| (i, j))) {
            let (q, x) = ((out_x + i) / out_width, (out_x + i) % out_width);
            let t = (tap_y * taps_x + tap_x) * tap_bytes + tap_byte + j;
            let (ty, tx, b) = (t / tap_bytes / taps_x, t / tap_bytes % taps_x, t % tap_bytes);
            let y = origin_y + ((out_y + q) * step_y + ty * tap_step_y) as i64;
            let p = origin_x + (x * step_x + tx * tap_step_x + b) as i64;
            if (0..height as i64).contains(&y) && (0..width as i64).contains(&p) {
                read.insert(1000 + y as u64 * line_stride + p as u64);
            } else {
                padded += 1;
            }
        }
        let accesses = effects(&op, &state);
        let (l0a, l1) = (accesses.last().unwrap(), &accesses[..accesses.len() - 1]);
        assert_eq!(l1.iter().flat_map(bytes).collect::<BTreeSet<_>>(), read, "{text}");
        assert_eq!((l0a.buffer, l0a.write), (Buffer::L0a, true));
        assert_eq!(l0a.ranges, [3..3 + rows.div_ceil(16) * k.div_ceil(32)]);
    }
    assert!(padded > 1000);
    assert_eq!(IM2COL_BITS, 26);
}

#[test]
fn every_instruction_names_what_it_touches() {
    assert_eq!(
        shown("mte2.load dst=l1[0x200] gm=b3[0x1000] rows=2 len_bytes=40 gm_stride=100 dst_stride=512 layout=nz"),
        ["read gm base 3 4096..4136 4196..4236", "write l1 512..576 1024..1032 1056..1064"]
    );
    assert_eq!(shown("mte2.fill dst=l1[8] byte=1 rows=2 len_bytes=4 dst_stride=8"), ["write l1 8..12 16..20"]);
    assert_eq!(
        shown("mte1.loada dst=l0a[3] src=l1[0] panel_stride=1024 rows=17 k=64 dtype=s8"),
        ["read l1 0..544 1024..1568", "write l0a 3..7"]
    );
    assert_eq!(
        shown("mte1.loadb dst=l0b[3] src=l1[0] panel_stride=1024 rows=64 k=2 dtype=s8 transpose"),
        ["read l1 0..64 1024..1088", "write l0b 3..7"]
    );
    assert_eq!(
        shown(
            "set mte1.zero_point_source 2\nset mte1.zero_point_channel_b 7\nmte1.loadb dst=l0b[0] src=l1[0] panel_stride=512 rows=16 k=32 dtype=u8"
        ),
        ["read l1 0..512", "read fb zero_point 7..23", "write l0b 0..1"]
    );
    assert_eq!(
        shown("set mte1.zero_point_source 2\nmte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=16 k=32 dtype=u8"),
        ["read l1 0..512", "write l0a 0..1"]
    );
    assert_eq!(
        shown("mte1.loadfb field=zero_point src=l1[64] channel=5 count=3"),
        ["read l1 64..70", "write fb zero_point 5..8"]
    );
    assert_eq!(
        shown("m.mmad c=l0c[1] a=l0a[2] b=l0b[3] m=17 n=33 k=33 dtype_a=s8 dtype_b=u8"),
        ["read l0a 2..6", "read l0b 3..9", "write l0c 1..7"]
    );
    assert_eq!(
        shown("m.mmad c=l0c[1] a=l0a[2] b=l0b[3] m=1 n=1 k=1 dtype_a=s8 dtype_b=u8 accumulate"),
        ["read l0a 2..3", "read l0b 3..4", "read l0c 1..2", "write l0c 1..2"]
    );
    assert_eq!(
        shown("fix.store dst=b2[16] src=l0c[4] m=2 n=20 dst_stride=100 dtype_out=int32 bias channel=9"),
        ["read l0c 4..6", "read fb bias 9..29", "write gm base 2 16..96 116..196"]
    );
    assert_eq!(
        shown("fix.store dst=l1[0] src=l0c[4] m=2 n=20 dst_stride=512 dtype_out=s8 layout=nz per_channel channel=9"),
        ["read l0c 4..6", "read fb scale 9..29", "write l1 0..20 32..52"]
    );
    assert_eq!(
        shown(
            "set fix.second_address 64\nset fix.second_stride 96\n\
             fix.store dst=ub[1024] src=l0c[4] m=2 n=20 dst_stride=32 dtype_out=s8 second=max"
        ),
        ["read l0c 4..6", "read ub 64..84 160..180", "write ub 1024..1044 1056..1076"]
    );
    assert_eq!(
        shown("mte3.store gm=b1[5] src=l1[3] rows=2 len_bytes=3 gm_stride=3 src_stride=10"),
        ["read l1 3..6 13..16", "write gm base 1 5..11"]
    );
    assert_eq!(
        shown(
            "set mte3.count2 2\nset mte3.src_stride2 100\nset mte3.dst_stride2 64\nmte3.move dst=l1[32] src=ub[3] rows=1 len_bytes=40 dst_stride=256 src_stride=0 layout=nz"
        ),
        ["read ub 3..43 103..143", "write l1 32..64 96..128 288..296 352..360"]
    );
    assert!(shown("barrier").is_empty() && shown("set mte2.count2 1").is_empty());
}

#[test]
fn covers_is_inclusion() {
    let access = |ranges: &[Range<u64>]| Access { buffer: Buffer::L1, ranges: ranges.to_vec(), write: false };
    let outer = access(&[0..10, 20..30]);
    assert!(outer.covers(&outer) && outer.covers(&access(&[2..5, 20..21])));
    assert!(!outer.covers(&access(&[9..11])) && !outer.covers(&access(&[10..20])) && !outer.covers(&access(&[25..31])));
    assert!(!outer.covers(&Access { buffer: Buffer::Ub, ..outer.clone() }));
    assert_eq!(outer.end(), 30);
    assert!(outer.fits(&Config::tiny()));
}
