// SPDX-License-Identifier: Apache-2.0
//! Rows through `WriteStream` while requester 0 of the same `AxiWrite` writes bursts of its own; faults and halts of `AxiWrite`.

use crate::axi::memory::{Memory, ORIGIN, Random, config, word};
use crate::axi::streams::WriteBench;
use isa::Config;
use rtl::twin::Twin;
use std::collections::{HashMap, VecDeque};

/// Rows go to the lower half, requester 0 to the upper one.
const MEMORY: u64 = 64 << 10;

fn rows_are_written<const B: usize, const S: usize>(seed: u64, small: bool) {
    rows_are_written_by::<B, S>(&config(S, small), seed, small, 40);
}

/// `count` rows for each kind of stalls; with `small` the rate is not checked.
pub fn rows_are_written_by<const B: usize, const S: usize>(config: &Config, seed: u64, small: bool, count: usize) {
    let mut random = Random::new(seed);
    let width = S as u64;
    let mut twin = Twin::new(WriteBench::<B, S>::new(config), |uut, level| uut.clk.next = level);
    twin.uut.lo[7].next = ORIGIN.into();
    twin.uut.hi[7].next = (ORIGIN + MEMORY - 1).into();
    twin.uut.rights[7].next = 2u64.into();
    twin.uut.rst.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    let mut want = random.bytes(MEMORY as usize);
    let mut memory = Memory::new(S, config.outstanding, want.clone(), Random(random.next()));
    for (stall, in_stall, latency, raw) in [(0, 0, 10, false), (0, 0, 30, true), (40, 30, 7, true), (20, 70, 1, true)] {
        (memory.stall, memory.latency, memory.jitter) = (stall, latency, stall / 4);
        let start = want.clone();
        // (address, length, last of an instruction)
        let rows: Vec<(u64, u64, bool)> = (0..count)
            .map(|n| {
                let length =
                    1 + [random.below(width), random.below(6 * width), random.below(1500)][random.below(3) as usize];
                (ORIGIN + random.below(MEMORY / 2 - length), length, n + 1 == count || random.chance(30))
            })
            .collect();
        let instructions = rows.iter().filter(|row| row.2).count();
        let mut words: VecDeque<Vec<u8>> = VecDeque::new();
        // Memory after each instruction.
        let mut after: VecDeque<Vec<u8>> = VecDeque::new();
        // What each byte is set to, by which instruction.
        let mut history: HashMap<usize, Vec<(usize, u8)>> = HashMap::new();
        for (address, length, last) in &rows {
            let row = random.bytes(*length as usize);
            let first = (address - ORIGIN) as usize;
            want[first..first + row.len()].copy_from_slice(&row);
            for (n, byte) in row.iter().enumerate() {
                history.entry(first + n).or_default().push((after.len(), *byte));
            }
            words.extend(row.chunks(S).map(|word| word.to_vec()));
            if *last {
                after.push_back(want[..MEMORY as usize / 2].to_vec());
            }
        }
        let (mut next, mut cycles, mut retired) = (0, 0u64, 0);
        let mut burst: Option<(u64, u64)> = None;
        let mut raw_words: VecDeque<(Vec<u8>, Vec<bool>)> = VecDeque::new();
        let (mut raw_bursts, mut raw_answers) = (0, 0);
        let mut offered = false;
        while retired < instructions || burst.is_some() || raw_answers < raw_bursts {
            if raw && burst.is_none() && retired < instructions && random.chance(10) {
                let beats = 1 + random.below(8);
                let page = MEMORY / 2 + random.below(MEMORY / 8192) * 4096;
                let first = page + random.below(4096 / width - beats) * width;
                burst = Some((ORIGIN + first, beats));
                for n in 0..beats {
                    let data = random.bytes(S);
                    let strobe: Vec<bool> = (0..S).map(|_| random.chance(60)).collect();
                    for at in 0..S {
                        if strobe[at] {
                            want[(first + n * width) as usize + at] = data[at];
                        }
                    }
                    raw_words.push_back((data, strobe));
                }
                raw_bursts += 1;
            }
            // A word once offered stays.
            offered = !words.is_empty() && (offered || !random.chance(in_stall));
            drive_write!(twin, memory);
            let uut = &mut twin.uut;
            uut.row_valid.next = next < rows.len();
            let (address, length, last) = rows.get(next).copied().unwrap_or((0, 1, false));
            uut.row_address.next = address.into();
            uut.row_length.next = length.into();
            uut.row_last.next = last;
            uut.in_valid.next = offered;
            for (lane, byte) in words.front().into_iter().flatten().enumerate() {
                uut.in_data[lane].next = u64::from(*byte).into();
            }
            uut.raw_request_valid.next = burst.is_some();
            let (address, beats) = burst.unwrap_or((0, 1));
            uut.raw_request_address.next = address.into();
            uut.raw_request_beats.next = (beats - 1).into();
            uut.raw_w_valid.next = !raw_words.is_empty();
            if let Some((data, strobe)) = raw_words.front() {
                uut.raw_w_data.next = word::<B>(data);
                for (lane, on) in strobe.iter().enumerate() {
                    uut.raw_w_strb[lane].next = *on;
                }
            }
            twin.settle();
            finish_write!(twin, memory);
            let uut = &twin.uut;
            assert!(!uut.fault.val());
            if burst.is_some() && uut.raw_request_ready.val() {
                burst = None;
            }
            if !raw_words.is_empty() && uut.raw_w_ready.val() {
                raw_words.pop_front();
            }
            raw_answers += usize::from(uut.raw_response_valid.val());
            if offered && uut.in_ready.val() {
                words.pop_front();
                offered = false;
            }
            next += usize::from(next < rows.len() && uut.row_ready.val());
            if uut.retired.val() {
                retired += 1;
                let then = after.pop_front().expect("an instruction was left");
                for (at, expected) in then.iter().enumerate() {
                    let now = memory.bytes[at];
                    // A later instruction may have written already.
                    let later = || history[&at].iter().any(|&(n, byte)| n >= retired && byte == now);
                    assert!(now == *expected || later(), "GM +{at:#x} when instruction {retired} is retired");
                }
            }
            twin.edge();
            cycles += 1;
            assert!(cycles < 100_000, "no end");
        }
        if let Some(at) = (0..want.len()).find(|&at| memory.bytes[at] != want[at]) {
            panic!("GM +{at:#x}: was {:#x}, expected {:#x}, got {:#x}", start[at], want[at], memory.bytes[at]);
        }
        if stall + in_stall == 0 && !raw && !small {
            let ideal: u64 = rows.iter().map(|(a, l, _)| (a + l - 1) / width - a / width + 1).sum();
            println!("{B} bits: {cycles} cycles for {ideal} words in {} bursts", memory.bursts);
            assert!(cycles <= ideal + latency + 12, "{cycles} cycles for {ideal} words");
        }
    }
    assert!(twin.uut.quiet.val() && memory.idle());
}

#[test]
fn rows_are_written_on_32_bits() {
    rows_are_written::<32, 4>(1, true);
}

#[test]
fn rows_are_written_on_64_bits() {
    rows_are_written::<64, 8>(2, false);
}

#[test]
fn rows_are_written_on_128_bits() {
    rows_are_written::<128, 16>(3, false);
}

#[test]
fn rows_are_written_on_512_bits() {
    rows_are_written::<512, 64>(4, false);
}
