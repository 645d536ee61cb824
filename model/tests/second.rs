// SPDX-License-Identifier: Apache-2.0
//! Claims: the sum of two tensors is what ONNX Runtime's `QLinearAdd` gives for every pair of numbers, and FIX takes the second
//! tensor from where the registers say.

#![allow(clippy::unwrap_used)]

mod common;

use common::{assemble, expect_fault, place, rng};
use isa::second::{Sum, is_offset, is_ratio};
use isa::{Cause, Config, Dtype, Pipe};
use model::numerics::{add_second, as_number, range};
use model::{Core, Memory, Outcome, SparseMemory};
use rand::RngExt;
use sha2::{Digest, Sha256};

#[test]
fn sums_equal_onnx_runtime() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/qlinear_add.bin");
    let bytes = std::fs::read(path).unwrap();
    let (data, end) = bytes.split_at(bytes.len() - 32);
    assert_eq!(Sha256::digest(data).as_slice(), end);
    assert_eq!(&data[..8], b"QADDONX1");
    let word = |at: usize| u32::from_le_bytes(data[at..at + 4].try_into().unwrap());
    let (sets, full) = (word(8) as usize, word(12) as usize);
    assert_eq!((sets, full, data.len()), (240, 2, 16 + 48 * 240 + 65_536 * 2));
    for set in 0..sets {
        let at = 16 + 48 * set;
        let dtype = [Dtype::S8, Dtype::U8][usize::from(data[at + 15])];
        let [a, b, c] =
            [0, 1, 2].map(|tensor| (f32::from_bits(word(at + 4 * tensor)), as_number(data[at + 12 + tensor], dtype)));
        let sum = Sum::of_scales(a, b, c);
        assert!(is_ratio(sum.ratio.to_bits()) && is_ratio(sum.second_ratio.to_bits()), "set {set}: {sum:?}");
        assert!(is_offset(sum.offset.to_bits()), "set {set}: {sum:?}");
        let pairs = (0..=u16::MAX).map(|pair| [(pair >> 8) as u8, pair as u8]);
        let results: Vec<u8> = pairs
            .map(|pair| pair.map(|byte| as_number(byte, dtype)))
            .map(|[a, b]| add_second(a, b, &sum, dtype) as u8)
            .collect();
        if set < full {
            let want = &data[16 + 48 * sets + 65_536 * set..][..65_536];
            let wrong = (0..65_536).find(|&pair| results[pair] != want[pair]);
            assert_eq!(wrong, None, "set {set}: {sum:?} of pair");
        }
        assert_eq!(Sha256::digest(&results).as_slice(), &data[at + 16..at + 48], "set {set}: {sum:?}");
    }
}

/// The sum in integers: t and y are multiples of 2^-35, rounded to 24 bits each.
fn exactly(q1: i32, q2: i32, sum: &Sum, dtype: Dtype) -> i32 {
    let fixed = |value: f32| (f64::from(value) * (1u64 << 35) as f64) as i64;
    let to_24_bits = |value: i64| {
        let drop = (64 - value.unsigned_abs().leading_zeros()).saturating_sub(24);
        nearest(value, drop) << drop
    };
    let t = to_24_bits(i64::from(q2) * fixed(sum.second_ratio) + fixed(sum.offset));
    let y = to_24_bits(i64::from(q1) * fixed(sum.ratio) + t);
    let (lowest, highest) = range(dtype);
    nearest(y, 35).clamp(lowest.into(), highest.into()) as i32
}

/// value / 2^drop, ties to even.
fn nearest(value: i64, drop: u32) -> i64 {
    let (floor, rest) = (value >> drop, value & ((1 << drop) - 1));
    let half = (1i64 << drop) / 2;
    floor + i64::from(drop > 0 && (rest > half || rest == half && floor & 1 == 1))
}

#[test]
fn sums_are_what_exact_integers_give() {
    let mut rng = rng(7);
    for case in 0..300_000 {
        let dtype = if rng.random() { Dtype::S8 } else { Dtype::U8 };
        let (lowest, highest) = range(dtype);
        let mut ratio = || {
            let mantissa = rng.random::<u32>() & 0x7F_FFFF & (u32::MAX << rng.random_range(0..24));
            f32::from_bits(rng.random_range(115..135) << 23 | mantissa)
        };
        let [ratio, second_ratio] = [ratio(), ratio()];
        let offset = (rng.random_range(-(1i64 << 52)..1 << 52) >> rng.random_range(0..53)) as f32 * 2f32.powi(-35);
        let sum = Sum { ratio, second_ratio, offset, zero_point: 0 };
        assert!(is_ratio(ratio.to_bits()) && is_offset(offset.to_bits()), "case {case}: {sum:?}");
        let (q1, q2) = (rng.random_range(lowest..=highest), rng.random_range(lowest..=highest));
        assert_eq!(add_second(q1, q2, &sum, dtype), exactly(q1, q2, &sum, dtype), "case {case}: {q1}, {q2}, {sum:?}");
    }
}

#[test]
fn the_ends_of_the_ranges_are_where_the_page_says() {
    let (least, most) = (1.0f32 / 4096.0, 256.0f32);
    for (value, legal) in [(least, true), (least.next_down(), false), (most.next_down(), true), (most, false)] {
        assert_eq!(is_ratio(value.to_bits()), legal, "{value:e}");
        assert!(!is_ratio((-value).to_bits()) && !is_ratio(f32::NAN.to_bits()));
    }
    let grain = 2f32.powi(-35);
    for (value, legal) in [
        (0.0, true),
        (grain, true),
        (grain / 2.0, false),
        (1.5 * grain, false),
        (least, true),
        (least.next_up(), true),
        (least.next_down(), false),
        (262_144f32.next_down(), true),
        (262_144.0, false),
        (f32::NAN, false),
        (f32::INFINITY, false),
    ] {
        assert_eq!(is_offset(value.to_bits()), legal, "{value:e}");
        assert_eq!(is_offset((-value).to_bits()), legal, "-{value:e}");
    }
}

/// A product of 2 x 3 zeros, requantised to the zero point, with a second tensor of rows 64 bytes apart.
fn stored(registers: &str, store: &str) -> (Vec<u8>, Core) {
    let mut memory = SparseMemory::new(3);
    memory.write(0x100, &[5, 250, 7]).unwrap();
    memory.write(0x140, &[200, 100, 30]).unwrap();
    let text = format!(
        "mte2.fill dst=l1[0] byte=0 rows=1 len_bytes=1024 dst_stride=0 set mte1.0
         mte2.load dst=ub[32] gm=b0[0x100] rows=2 len_bytes=3 gm_stride=64 dst_stride=64 set fix.0
         mte1.loada dst=l0a[0] src=l1[0] panel_stride=512 rows=2 k=4 dtype=s8 wait mte2.0
         mte1.loadb dst=l0b[0] src=l1[512] panel_stride=512 rows=3 k=4 dtype=s8 set m.0
         m.mmad c=l0c[0] a=l0a[0] b=l0b[0] m=2 n=3 k=4 dtype_a=s8 dtype_b=s8 wait mte1.0 set fix.0
         set fix.scale 1.0\n set fix.second_address 32\n set fix.second_stride 64\n{registers}
         {store} wait mte2.0 m.0\nend"
    );
    let mut core = Core::new(Config::tiny()).unwrap();
    let run = place(&assemble(&text), &mut memory);
    match core.run(&mut memory, &run) {
        Outcome::Done(_) => (memory.bytes(0x400, 6), core),
        Outcome::Fault(fault) => panic!("{fault:?}"),
    }
}

#[test]
fn the_second_tensor_comes_from_ub() {
    let store = "fix.store dst=b0[0x400] src=l0c[0] m=2 n=3 dst_stride=3 dtype_out=u8";
    let zero = "set fix.zero_point 100";
    assert_eq!(stored(zero, &format!("{store} second=max")).0, [100, 250, 100, 200, 100, 100]);
    // 100 / 2 + q2 / 4 + 10.
    let sum = format!("{zero}\nset fix.ratio 0.5\nset fix.second_ratio 0.25\nset fix.offset 10.0\n");
    assert_eq!(stored(&sum, &format!("{store} second=add")).0, [61, 122, 62, 110, 85, 68]);
    let relu = format!("{sum}set fix.sum_zero_point 80\n");
    assert_eq!(stored(&relu, &format!("{store} second=add relu")).0, [80, 122, 80, 110, 85, 80]);
    // The maximum is not below the zero point of the product.
    let text = "set fix.zero_point 100\nset fix.sum_zero_point 255";
    assert_eq!(stored(text, &format!("{store} second=max relu")).0, [100, 250, 100, 200, 100, 100]);
    // In the place of the second tensor.
    let in_place = "fix.store dst=ub[32] src=l0c[0] m=2 n=3 dst_stride=64 dtype_out=u8 second=add";
    let (_, core) = stored(&sum, in_place);
    assert_eq!([&core.ub()[32..35], &core.ub()[96..99]], [[61, 122, 62], [110, 85, 68]]);
}

#[test]
fn registers_and_place_are_checked_when_the_instruction_starts() {
    let store = "fix.store dst=b0[0] src=l0c[0] m=3 n=5 dst_stride=5 dtype_out=s8";
    let place = "set fix.scale 1.0\nset fix.second_address 64\nset fix.second_stride 32\n";
    let factors = "set fix.ratio 1.0\nset fix.second_ratio 0.5\nset fix.offset -3.5\n";
    let fault = |text: String, cause, address| {
        let pc = text.lines().count() as u32 - 1;
        expect_fault(&format!("{text}\nend"), cause, Pipe::Fix, pc, address);
    };
    fault(format!("set fix.scale 1.0\nset fix.second_stride 32\n{store} second=max"), Cause::UnsetRegister, 0);
    fault(format!("set fix.scale 1.0\nset fix.second_address 32\n{store} second=max"), Cause::UnsetRegister, 0);
    for missing in factors.lines() {
        let others = factors.replace(missing, "nop");
        fault(format!("{place}{others}{store} second=add"), Cause::UnsetRegister, 0);
    }
    for (register, bad, cause) in [
        ("second_address", "48", Cause::BadRegister),
        ("second_stride", "16", Cause::BadRegister),
        ("ratio", "256.0", Cause::BadScale),
        ("second_ratio", "-1.0", Cause::BadScale),
        ("offset", "1.0e-20", Cause::BadScale),
    ] {
        fault(format!("{place}{factors}set fix.{register} {bad}\n{store} second=add"), cause, 0);
    }
    fault(format!("{place}{factors}set fix.sum_zero_point 128\n{store} second=add relu"), Cause::BadZeroPoint, 0);
    // UB of 4096 bytes: the last row begins at 4096, and beyond.
    let far = |address: u32, stride: u32| {
        place.replace("64", &address.to_string()).replace("stride 32", &format!("stride {stride}"))
    };
    fault(format!("{}{factors}{store} second=add", far(4032, 32)), Cause::OutOfBuffer, 4096);
    fault(format!("{}{store} second=max", far(0, 4096)), Cause::OutOfBuffer, 8192);
    let wide = store.replace("n=5", "n=40").replace("dst_stride=5", "dst_stride=40");
    fault(format!("{}{wide} second=max", far(4000, 32)), Cause::OutOfBuffer, 4096);
}
