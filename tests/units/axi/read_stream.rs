// SPDX-License-Identifier: Apache-2.0
//! Rows through `ReadStream` while requester 0 of the same `AxiRead` reads bursts of its own.

use crate::axi::memory::{Memory, ORIGIN, Random, config, unword};
use crate::axi::streams::ReadBench;
use isa::Config;
use rtl::twin::Twin;
use std::collections::VecDeque;

const MEMORY: u64 = 32 << 10;

fn rows_arrive<const B: usize>(seed: u64, small: bool) {
    rows_arrive_by::<B>(&config(B / 8, small), seed, small, 40);
}

/// `count` rows for each kind of stalls; with `small` the rate is not checked.
pub fn rows_arrive_by<const B: usize>(config: &Config, seed: u64, small: bool, count: usize) {
    let mut random = Random::new(seed);
    let width = B as u64 / 8;
    let mut twin = Twin::new(ReadBench::<B>::new(config), |uut, level| uut.clk.next = level);
    twin.uut.lo[7].next = ORIGIN.into();
    twin.uut.hi[7].next = (ORIGIN + MEMORY - 1).into();
    twin.uut.rights[7].next = 5u64.into();
    twin.uut.rst.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    let bytes = random.bytes(MEMORY as usize);
    let at =
        |address: u64, count: u64| bytes[(address - ORIGIN) as usize..(address - ORIGIN + count) as usize].to_vec();
    let mut memory = Memory::new(B / 8, config.outstanding, bytes.clone(), Random(random.next()));
    for (stall, out_stall, latency, raw) in [(0, 0, 10, false), (0, 0, 30, true), (40, 30, 7, true), (20, 70, 1, true)]
    {
        (memory.stall, memory.latency, memory.jitter) = (stall, latency, stall / 4);
        let rows: Vec<(u64, u64)> = (0..count)
            .map(|_| {
                let length =
                    1 + [random.below(width), random.below(6 * width), random.below(1500)][random.below(3) as usize];
                (ORIGIN + random.below(MEMORY - length), length)
            })
            .collect();
        let mut want: VecDeque<(Vec<u8>, bool)> = VecDeque::new();
        for (address, length) in &rows {
            let row = at(*address, *length);
            let words = row.chunks(width as usize).count();
            want.extend(row.chunks(width as usize).enumerate().map(|(n, word)| (word.to_vec(), n + 1 == words)));
        }
        let (mut next, mut cycles) = (0, 0);
        // Requester 0: bursts of 1 to 8 words inside a page; what it must get, in order.
        let mut burst: Option<(u64, u64)> = None;
        let mut raw_want: VecDeque<(Vec<u8>, bool)> = VecDeque::new();
        while !want.is_empty() || !raw_want.is_empty() || burst.is_some() {
            if raw && burst.is_none() && !want.is_empty() && random.chance(20) {
                let words = 1 + random.below(8);
                burst = Some((
                    ORIGIN + random.below(MEMORY / 4096) * 4096 + random.below(4096 / width - words) * width,
                    words,
                ));
            }
            let (ready, raw_ready) = (!random.chance(out_stall), !random.chance(out_stall));
            drive_read!(twin, memory, B);
            let uut = &mut twin.uut;
            uut.out_ready.next = ready;
            uut.raw_data_ready.next = raw_ready;
            uut.row_valid.next = next < rows.len();
            let (address, length) = rows.get(next).copied().unwrap_or((0, 1));
            uut.row_address.next = address.into();
            uut.row_length.next = length.into();
            uut.raw_request_valid.next = burst.is_some();
            let (address, words) = burst.unwrap_or((0, 1));
            uut.raw_request_address.next = address.into();
            uut.raw_request_beats.next = (words - 1).into();
            twin.settle();
            finish_read!(twin, memory);
            let uut = &twin.uut;
            assert!(!uut.fault.val());
            if burst.is_some() && uut.raw_request_ready.val() {
                for n in 0..words {
                    raw_want.push_back((at(address + n * width, width), n + 1 == words));
                }
                burst = None;
            }
            if uut.raw_data_valid.val() && raw_ready {
                let got = (unword(uut.raw_data.val()), uut.raw_data_last.val());
                assert_eq!(Some(got), raw_want.pop_front(), "word of requester 0");
            }
            if uut.out_valid.val() && ready {
                let count = uut.out_count.val().to_u64() as usize;
                let got: Vec<u8> = uut.out_data[..count].iter().map(|lane| lane.val().to_u64() as u8).collect();
                assert_eq!(Some((got, uut.out_last.val())), want.pop_front(), "{} words left", want.len());
            }
            next += usize::from(next < rows.len() && uut.row_ready.val());
            twin.edge();
            cycles += 1;
            assert!(cycles < 100_000, "no end");
        }
        if stall + out_stall == 0 && !raw && !small {
            // A row takes as many cycles as it touches bus words, which are never fewer than its dense words.
            let ideal: u64 = rows.iter().map(|(a, l)| (a + l - 1) / width - a / width + 1).sum();
            println!("{B} bits: {cycles} cycles for {ideal} words in {} bursts", memory.bursts);
            assert!(cycles <= ideal + latency + 12, "{cycles} cycles for {ideal} words");
        }
    }
    assert!(twin.uut.quiet.val() && memory.idle());
}

#[test]
fn rows_arrive_on_32_bits() {
    rows_arrive::<32>(1, true);
}

#[test]
fn rows_arrive_on_64_bits() {
    rows_arrive::<64>(2, false);
}

#[test]
fn rows_arrive_on_128_bits() {
    rows_arrive::<128>(3, false);
}

#[test]
fn rows_arrive_on_512_bits() {
    rows_arrive::<512>(4, false);
}
