// SPDX-License-Identifier: Apache-2.0
//! Two masters at one memory: every burst does what it would do alone, nobody waits for ever, and neither direction waits for the other.

use fpga::board::Share;
use rand::RngExt;
use std::collections::VecDeque;
use tb::{Cosim, Seed, seed};

const MEMORY_BITS: u32 = 12;
const OUTSIDE: u64 = 1 << MEMORY_BITS;

/// A burst that is on its way.
#[derive(Clone, Debug)]
struct Burst {
    address: u64,
    left: usize,
    id: u64,
}

/// What one master has open.
#[derive(Default)]
struct Master {
    reads: VecDeque<Burst>,
    writes: VecDeque<Burst>,
    words: VecDeque<(u64, u64, u64)>,
    next_read: Option<Burst>,
    next_write: Option<Burst>,
    done: usize,
}

type Both = Cosim<Share<64, 8>>;

fn share() -> Both {
    let mut both = Cosim::new(Share::new(MEMORY_BITS), "share", Some(("clk", |uut, clk| uut.clk.next = clk)));
    both.twin.uut.rst.next = true;
    both.edge();
    both.twin.uut.rst.next = false;
    both
}

fn burst(random: &mut Seed, master: usize) -> Burst {
    // Each master has its half of the memory, so the order between them does not matter; some bursts are outside.
    let words = random.rng.random_range(1..=12usize);
    let outside = random.rng.random_range(0..8) == 0;
    let half = master as u64 * OUTSIDE / 2;
    let address = (half + random.rng.random_range(0..(OUTSIDE / 2 / 8 - 12)) * 8) + if outside { OUTSIDE } else { 0 };
    Burst { address, left: words, id: random.rng.random_range(0..16) }
}

#[test]
fn bursts_of_both_masters_do_what_they_would_do_alone() {
    let mut both = share();
    let mut random = seed(1);
    let mut memory: Vec<u64> = (0..OUTSIDE / 8).map(|word| word.wrapping_mul(0x0123_4567_89ab_cdef)).collect();
    // What reads of a master have to give: the memory as that master's answered writes left it, since it waits for them.
    let mut masters = [Master::default(), Master::default()];
    let mut coming: VecDeque<(u64, u64)> = VecDeque::new();
    for cycle in 0..12_000u64 {
        let stall = |random: &mut Seed, of: u32| random.rng.random_range(0..of) == 0;
        let uut = &mut both.twin.uut;
        for (at, master) in masters.iter_mut().enumerate() {
            // One direction at a time, so that what is read is known.
            let free = master.reads.is_empty()
                && master.writes.is_empty()
                && master.next_read.is_none()
                && master.next_write.is_none();
            if free && !stall(&mut random, 3) {
                let next = burst(&mut random, at);
                if random.rng.random() {
                    master.next_read = Some(next);
                } else {
                    let strobes =
                        |random: &mut Seed| if random.rng.random() { 0xff } else { random.rng.random_range(0..256) };
                    for word in 0..next.left as u64 {
                        master.words.push_back((next.address + 8 * word, random.rng.random(), strobes(&mut random)));
                    }
                    master.next_write = Some(next);
                }
            }
            let read = master.next_read.clone().unwrap_or(Burst { address: 0, left: 1, id: 0 });
            uut.ar_valid[at].next = master.next_read.is_some();
            uut.ar_address[at].next = read.address.into();
            uut.ar_len[at].next = (read.left as u64 - 1).into();
            uut.ar_id[at].next = read.id.into();
            let write = master.next_write.clone().unwrap_or(Burst { address: 0, left: 1, id: 0 });
            uut.aw_valid[at].next = master.next_write.is_some();
            uut.aw_address[at].next = write.address.into();
            uut.aw_len[at].next = (write.left as u64 - 1).into();
            uut.aw_id[at].next = write.id.into();
            let (_, data, strobes) = master.words.front().copied().unwrap_or((0, 0, 0));
            uut.w_valid[at].next = !master.words.is_empty() && !stall(&mut random, 3);
            uut.w_data[at].next = data.into();
            uut.w_strb[at].next = strobes.into();
            uut.b_ready[at].next = !stall(&mut random, 3);
            uut.r_ready[at].next = !stall(&mut random, 3);
        }
        uut.word_ready.next = !stall(&mut random, 4);
        let due = coming.front().filter(|(when, _)| *when <= cycle).copied();
        uut.get_valid.next = due.is_some();
        uut.get_data.next = due.map_or(0xdead, |(_, data)| data).into();
        both.compare();
        let uut = &both.twin.uut;
        if due.is_some() {
            coming.pop_front();
        }
        if uut.word_valid.val() && uut.word_ready.val() {
            let address: rtl::prim::prelude::Bits<32> = uut.word_address.val();
            let at = address.index();
            assert!((at as u64) < OUTSIDE, "cycle {cycle}: {at:#x} is outside");
            if uut.word_write.val() {
                let (new, strobes) = (value64(uut.word_data.val()), uut.word_strb.val().index());
                for byte in (0..8).filter(|byte| strobes >> byte & 1 == 1) {
                    let mask = 0xffu64 << (8 * byte);
                    memory[at / 8] = memory[at / 8] & !mask | new & mask;
                }
            } else {
                coming.push_back((cycle + 2, memory[at / 8]));
            }
        }
        for (at, master) in masters.iter_mut().enumerate() {
            if uut.ar_valid[at].val() && uut.ar_ready[at].val() {
                master.reads.extend(master.next_read.take());
            }
            if uut.aw_valid[at].val() && uut.aw_ready[at].val() {
                master.writes.extend(master.next_write.take());
            }
            if uut.w_valid[at].val() && uut.w_ready[at].val() {
                master.words.pop_front();
            }
            if uut.r_valid[at].val() && uut.r_ready[at].val() {
                let burst = master.reads.front_mut().expect("a word for somebody who asked");
                let outside = burst.address >= OUTSIDE;
                assert_eq!(uut.r_resp.val().index(), if outside { 3 } else { 0 }, "cycle {cycle}");
                assert_eq!(uut.r_id.val().index() as u64, burst.id, "cycle {cycle}");
                assert_eq!(uut.r_last.val(), burst.left == 1, "cycle {cycle}");
                if !outside {
                    assert_eq!(value64(uut.r_data.val()), memory[burst.address as usize / 8], "cycle {cycle}");
                }
                burst.address += 8;
                burst.left -= 1;
                if burst.left == 0 {
                    master.reads.pop_front();
                    master.done += 1;
                }
            }
            if uut.b_valid[at].val() && uut.b_ready[at].val() {
                let burst = master.writes.pop_front().expect("an answer for somebody who wrote");
                assert!(master.words.is_empty(), "cycle {cycle}: answered before its words were taken");
                assert_eq!(uut.b_resp.val().index(), if burst.address >= OUTSIDE { 3 } else { 0 }, "cycle {cycle}");
                assert_eq!(uut.b_id.val().index() as u64, burst.id, "cycle {cycle}");
                master.done += 1;
            }
        }
        both.edge();
    }
    assert!(masters.iter().all(|master| master.done > 250), "{:?}", masters.map(|master| master.done));
}

/// The value of a word of 64 bits.
fn value64(word: rtl::prim::prelude::Bits<64>) -> u64 {
    (0..64).fold(0, |value, bit| value | u64::from(word.get_bit(bit)) << bit)
}

#[test]
fn a_write_without_words_does_not_keep_reads_away_nor_the_other_way_round() {
    let mut both = share();
    let uut = &mut both.twin.uut;
    uut.word_ready.next = true;
    uut.aw_valid[0].next = true;
    uut.aw_address[0].next = 64u64.into();
    both.edge();
    both.twin.uut.aw_valid[0].next = false;
    // The word of that write does not come. Reads of both masters go on.
    for at in [0, 1] {
        both.twin.uut.ar_valid[at].next = true;
        both.edge();
        both.twin.uut.ar_valid[at].next = false;
        both.compare();
        assert!(both.twin.uut.word_valid.val() && !both.twin.uut.word_write.val(), "master {at} reads");
        both.edge();
    }
    // Nobody takes the read words. The write goes on.
    both.twin.uut.get_valid.next = true;
    both.edge();
    both.edge();
    both.twin.uut.get_valid.next = false;
    both.twin.uut.w_valid[0].next = true;
    both.compare();
    assert!(both.twin.uut.word_valid.val() && both.twin.uut.word_write.val() && both.twin.uut.w_ready[0].val());
}
