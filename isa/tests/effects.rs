// SPDX-License-Identifier: Apache-2.0
//! Claims: effects name exactly the bytes, fractals and channels that an instruction touches.

#![allow(clippy::unwrap_used)]
#![allow(clippy::single_range_in_vec_init)] // Lists of one range are meant here.

mod common;

use common::{numbers, seed};
use isa::asm::assemble;
use isa::effects::{matrix_ranges, overlaps_itself};
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
    let mut overlapping = 0;
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
        let expected = (bytes.len() as u64) < rows * row_bytes;
        // Sparse overlaps of the last narrow panel count as none only if no byte is hit twice.
        if expected {
            assert!(overlaps_itself(layout, stride, rows, row_bytes));
            overlapping += 1;
        } else if layout == Layout::Rows {
            assert!(!overlaps_itself(layout, stride, rows, row_bytes));
        }
    }
    assert!(overlapping > 300);
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
        shown("mte3.store gm=b1[5] src=l1[3] rows=2 len_bytes=3 gm_stride=3 src_stride=10"),
        ["read l1 3..6 13..16", "write gm base 1 5..11"]
    );
    assert!(shown("barrier").is_empty() && shown("set mte2.fill 1").is_empty());
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
