// SPDX-License-Identifier: Apache-2.0
//! The burst splitter against a byte-by-byte reading of the AXI rules.

use crate::axi::memory::Random;
use rtl::axi::Burst;
use rtl::twin::Twin;

/// (address, beats - 1, skip, trim, last, note)
type Request = (u64, u64, u64, u64, bool, u64);

fn split(bytes: u64, address: u64, length: u64, note: u64) -> Vec<Request> {
    let mut words: Vec<u64> = (address..address + length).map(|at| at / bytes).collect();
    words.dedup();
    let mut bursts: Vec<(u64, u64)> = vec![];
    for word in words {
        match bursts.last_mut() {
            Some((first, count)) if !((*first + *count) * bytes).is_multiple_of((256 * bytes).min(4096)) => *count += 1,
            _ => bursts.push((word, 1)),
        }
    }
    let end = address + length;
    let last = bursts.len() - 1;
    bursts
        .iter()
        .enumerate()
        .map(|(n, (first, count))| {
            let skip = if n == 0 { address % bytes } else { 0 };
            let trim = if n == last { (first + count) * bytes - end } else { 0 };
            (first * bytes, count - 1, skip, trim, n == last, note)
        })
        .collect()
}

fn rows_split(bytes: usize, seed: u64) {
    let mut random = Random::new(seed);
    let mut twin = Twin::new(Burst::new(bytes, 1), |uut, level| uut.clk.next = level);
    twin.uut.rst.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    for stall in [0, 50] {
        let rows: Vec<(u64, u64)> = (0..60)
            .map(|_| {
                let length = 1 + [random.below(64), random.below(3000), random.below(20_000)][random.below(3) as usize];
                (random.below((1 << 40) - length + 1), length)
            })
            .chain([((1 << 40) - 1, 1), ((1 << 40) - 5000, 5000), (0, 1)])
            .collect();
        let want: Vec<Request> =
            rows.iter().enumerate().flat_map(|(n, row)| split(bytes as u64, row.0, row.1, n as u64)).collect();
        let (mut next, mut got, mut cycles) = (0, vec![], 0);
        while got.len() < want.len() {
            let ready = !random.chance(stall);
            let uut = &mut twin.uut;
            uut.request_ready.next = ready;
            uut.row_valid.next = next < rows.len();
            let (address, length) = rows.get(next).copied().unwrap_or((0, 1));
            uut.row_address.next = address.into();
            uut.row_length.next = length.into();
            uut.row_note[0].next = (next as u64).into();
            twin.settle();
            let uut = &twin.uut;
            if uut.request_valid.val() && ready {
                got.push((
                    uut.request_address.val().to_u64(),
                    uut.request_beats.val().to_u64(),
                    uut.request_skip.val().to_u64(),
                    uut.request_trim.val().to_u64(),
                    uut.request_last.val(),
                    uut.request_note[0].val().to_u64(),
                ));
                assert_eq!(got.last(), want.get(got.len() - 1), "burst {}", got.len());
            }
            next += usize::from(next < rows.len() && uut.row_ready.val());
            twin.edge();
            cycles += 1;
            assert!(cycles < 20_000, "no end");
        }
        if stall == 0 {
            assert_eq!(cycles, want.len() + 1, "one burst per cycle, no gap between rows");
        }
    }
}

#[test]
fn rows_split_on_every_bus() {
    for bytes in [4, 8, 16, 32, 64] {
        rows_split(bytes, bytes as u64);
    }
}
