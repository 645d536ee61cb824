// SPDX-License-Identifier: Apache-2.0
//! The multiplier leaf: every product of two 9 bit numbers, both kinds, latency 2.

use rtl::prim::{Mul, MulKind};
use rtl::twin::Twin;

/// All 512 x 512 pairs of factors, `b` fastest, each -256 to 255.
fn all_factors() -> impl Iterator<Item = (i64, i64)> {
    (-256..256).flat_map(|a| (-256..256).map(move |b| (a, b)))
}

/// A signed number as the 9 bits of a port.
fn nine_bits(value: i64) -> u64 {
    (value as u64) & 0x1ff
}

#[test]
fn mul_gives_every_product_two_cycles_later() {
    for kind in [MulKind::Block, MulKind::Row] {
        let mut twin = Twin::new(Mul::new(kind), |uut, level| uut.clock.next = level);
        let mut expected = std::collections::VecDeque::new();
        for (a, b) in all_factors() {
            twin.uut.a.next = nine_bits(a).into();
            twin.uut.b.next = nine_bits(b).into();
            expected.push_back((a, b));
            twin.edge();
            if expected.len() == 2 {
                let (a, b) = expected.pop_front().expect("two pairs are inside");
                assert_eq!(twin.uut.p.val().value(), a * b, "{kind:?}: {a} * {b}");
            }
        }
    }
}

/// The row kind's Verilog adds and-rows of fixed widths; the same sums here show that no width cuts a value.
#[test]
fn mul_row_sums_fit_their_widths() {
    let fits = |value: i64, bits: u32| value >= -(1 << (bits - 1)) && value < (1 << (bits - 1));
    for (a, b) in all_factors() {
        let bit = |i: i64| (b >> i) & 1;
        let row: Vec<i64> = (0..9).map(|i| a * bit(i)).collect();
        let pair: Vec<i64> = (0..4).map(|i| row[2 * i] + 2 * row[2 * i + 1]).collect();
        let quad: Vec<i64> = (0..2).map(|i| pair[2 * i] + 4 * pair[2 * i + 1]).collect();
        let octet = quad[0] + 16 * quad[1];
        assert!(pair.iter().all(|&v| fits(v, 11)) && quad.iter().all(|&v| fits(v, 13)) && fits(octet, 17), "{a} * {b}");
        assert_eq!(octet - 256 * row[8], a * b, "{a} * {b}");
    }
}
