// SPDX-License-Identifier: Apache-2.0
//! Windows, errors, word order and halt of the write side.

use crate::axi::memory::{Memory, ORIGIN, Random, word};
use isa::Cause;
use rtl::axi::AxiWrite;
use rtl::twin::Twin;
use std::collections::VecDeque;

const B: usize = 64;
const MEMORY: usize = 16 << 10;

struct Run {
    twin: Twin<AxiWrite<B, 8>>,
    memory: Memory,
    answers: [u64; 2],
    words: [u64; 2],
    /// Bytes as the block counts them.
    written: u64,
    /// Requests taken in the last cycle, and the requester whose address the bus took.
    granted: [bool; 2],
    addressed: Option<usize>,
    /// In the last cycle: bursts admitted, words taken, and the bus took a word or would have.
    admitted: [bool; 2],
    sent: [bool; 2],
    open: bool,
}

/// One window with right W: [0x1004, 0x2fff].
fn start() -> Run {
    start_with(4)
}

fn start_with(outstanding: usize) -> Run {
    let mut twin = Twin::new(AxiWrite::<B, 8>::new(outstanding), |uut, level| uut.clk.next = level);
    for (n, lo, hi, rights) in [(0, 0, 0x3fff, 5u64), (3, 0x1004, 0x2fff, 2)] {
        twin.uut.lo[n].next = (ORIGIN + lo).into();
        twin.uut.hi[n].next = (ORIGIN + hi).into();
        twin.uut.rights[n].next = rights.into();
    }
    twin.uut.w_data[0].next = word::<B>(&[0xf1; 8]);
    twin.uut.w_data[1].next = word::<B>(&[0xe3; 8]);
    for n in 0..16 {
        twin.uut.w_strb[n].next = true;
    }
    twin.uut.rst.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    let memory = Memory::new(8, outstanding, vec![0x55; MEMORY], Random(3));
    Run {
        twin,
        memory,
        answers: [0; 2],
        words: [0; 2],
        written: 0,
        granted: [false; 2],
        addressed: None,
        admitted: [false; 2],
        sent: [false; 2],
        open: false,
    }
}

impl Run {
    fn cycle(&mut self) -> bool {
        drive_write!(self.twin, self.memory);
        self.twin.settle();
        finish_write!(self.twin, self.memory);
        let uut = &self.twin.uut;
        for n in 0..2 {
            self.answers[n] += u64::from(uut.response_valid[n].val());
            self.sent[n] = uut.w_valid[n].val() && uut.w_ready[n].val();
            self.words[n] += u64::from(self.sent[n]);
            self.admitted[n] = uut.admitted[n].val();
        }
        self.open = uut.m_axi_wready.val();
        self.written += uut.written.val().to_u64();
        self.granted = [0, 1].map(|n| uut.request_valid[n].val() && uut.request_ready[n].val());
        self.addressed =
            (uut.m_axi_awvalid.val() && uut.m_axi_awready.val()).then(|| uut.m_axi_awid.val().to_u64() as usize);
        self.twin.edge();
        self.granted != [false; 2]
    }

    fn ask(&mut self, who: usize, first: u64, last: u64) {
        let uut = &mut self.twin.uut;
        uut.request_address[who].next = (ORIGIN + first / 8 * 8).into();
        uut.request_beats[who].next = (last / 8 - first / 8).into();
        uut.request_skip[who].next = (first % 8).into();
        uut.request_trim[who].next = (7 - last % 8).into();
        uut.request_tag[who].next = 6u64.into();
        uut.request_valid[who].next = true;
        while !self.cycle() {}
        self.twin.uut.request_valid[who].next = false;
    }

    fn cycles(&mut self, count: usize) {
        for _ in 0..count {
            self.cycle();
        }
    }

    fn fault(&self) -> Option<(u64, u64, u64, u64)> {
        let uut = &self.twin.uut;
        uut.fault.val().then(|| {
            (
                uut.fault_requester.val().to_u64(),
                uut.fault_cause.val().to_u64(),
                uut.fault_address.val().to_u64() - ORIGIN,
                uut.fault_tag.val().to_u64(),
            )
        })
    }

    fn count(&self, byte: u8) -> usize {
        self.memory.bytes.iter().filter(|&&b| b == byte).count()
    }
}

#[test]
fn a_burst_needs_a_window_with_right_w_for_all_its_bytes() {
    let cause = u64::from(Cause::WindowWrite.code());
    for (first, last, want) in [
        (0x1004, 0x10ff, None),
        (0x1003, 0x1007, Some((1, cause, 0x1003, 6))),
        (0x2ff8, 0x2fff, None),
        (0x3000, 0x3007, Some((1, cause, 0x3000, 6))),
        (0x800, 0x807, Some((1, cause, 0x800, 6))),
    ] {
        let mut run = start();
        run.twin.uut.w_valid[1].next = true;
        run.ask(1, first, last);
        run.cycles(120);
        assert_eq!(run.fault(), want, "{first:x}..={last:x}");
        assert_eq!(run.memory.bursts, u64::from(want.is_none()), "{first:x}..={last:x}");
        assert_eq!(run.answers, [0, u64::from(want.is_none())]);
        assert!(run.twin.uut.quiet.val() && run.memory.idle());
    }
}

#[test]
fn words_follow_the_order_of_the_addresses() {
    let mut run = start();
    run.twin.uut.w_valid[0].next = true;
    run.ask(1, 0x1100, 0x111f);
    run.ask(0, 0x1200, 0x120f);
    run.cycles(60);
    assert_eq!(run.words, [0, 0], "requester 0 waits for the words of requester 1");
    run.twin.uut.w_valid[1].next = true;
    run.cycles(60);
    assert_eq!((run.words, run.answers), ([2, 4], [1, 1]));
    assert_eq!(run.memory.bytes[0x1100..0x1120], [0xe3; 32]);
    assert_eq!(run.memory.bytes[0x1200..0x1210], [0xf1; 16]);
    assert_eq!((run.count(0xe3), run.count(0xf1)), (32, 16));
    assert_eq!(run.written, 48);
}

#[test]
fn a_halt_completes_started_bursts_without_writing() {
    for wait in 0..12 {
        let mut run = start();
        run.memory.stall = 30;
        run.ask(0, 0x1100, 0x113f);
        run.ask(1, 0x1200, 0x127f);
        run.cycles(8);
        run.twin.uut.w_valid[0].next = true;
        run.cycles(wait);
        run.twin.uut.halt.next = true;
        run.cycles(1);
        let sent = run.words[0] as usize;
        run.ask(0, 0x1400, 0x1407);
        run.cycles(250);
        assert!(run.twin.uut.quiet.val() && run.memory.idle(), "halt after {wait} cycles");
        assert_eq!((run.memory.bursts, run.memory.beats), (2, 24));
        assert_eq!((run.count(0xf1), run.count(0xe3)), (8 * sent, 0), "halt after {wait} cycles");
        // Words without strobes do not count.
        assert_eq!(run.written, 8 * sent as u64, "halt after {wait} cycles");
        assert_eq!(run.fault(), None);
    }
}

#[test]
fn only_strobes_count_as_written() {
    let mut run = start();
    run.twin.uut.w_valid[0].next = true;
    // 5 of 8.
    for lane in [0, 4, 7] {
        run.twin.uut.w_strb[lane].next = false;
    }
    run.ask(0, 0x1100, 0x113f);
    run.cycles(80);
    assert_eq!((run.written, run.count(0xf1)), (40, 40));
}

#[test]
fn an_error_is_a_fault_with_the_address_of_its_burst() {
    let mut run = start();
    run.twin.uut.w_valid[0].next = true;
    run.memory.error = Some(ORIGIN + 0x1220..ORIGIN + 0x1221);
    run.ask(0, 0x1100, 0x113f);
    run.ask(0, 0x1203, 0x127f);
    run.ask(0, 0x1300, 0x137f);
    run.cycles(200);
    assert_eq!(run.fault(), Some((0, u64::from(Cause::BusWriteError.code()), 0x1203, 6)));
    assert_eq!(run.answers, [1, 0]);
    assert!(run.twin.uut.quiet.val() && run.memory.idle());
    run.memory.error = None;
    run.twin.uut.rst.next = true;
    run.cycle();
    run.twin.uut.rst.next = false;
    run.ask(0, 0x1300, 0x137f);
    run.cycles(100);
    assert_eq!((run.fault(), run.answers[0]), (None, 2));
}

/// The bound of `docs/units/axi.md`: three bursts are in the gate, and the other requester has one turn.
#[test]
fn a_request_waits_for_at_most_four_addresses_of_the_bus() {
    assert_turns!(0x1800, |limit| {
        let mut run = start_with(limit);
        run.twin.uut.w_valid[0].next = true;
        run.twin.uut.w_valid[1].next = true;
        run
    });
}

/// A burst that was admitted, and words of it that are not sent.
struct Admitted {
    who: usize,
    left: u64,
    /// Words to be sent before it, and how often the bus was open since.
    ahead: u64,
    open: u64,
}

/// The bound of `docs/units/axi.md`: a requester that offers its words waits for those of the bursts admitted before its own, and for no
/// others, however long these are.
#[test]
fn words_wait_for_those_of_the_bursts_before_and_no_others() {
    for (limit, stall, pause) in [(8, 0, 0), (3, 0, 0), (8, 60, 0), (4, 30, 70)] {
        let mut run = start_with(limit);
        run.twin.uut.w_valid[0].next = true;
        run.twin.uut.w_valid[1].next = true;
        (run.memory.stall, run.memory.latency) = (stall, 9);
        let (mut asks, mut asked) = ([false; 2], [const { VecDeque::new() }; 2]);
        let mut order: VecDeque<Admitted> = VecDeque::new();
        let (mut most, mut least_spare, mut bursts) = (0, u64::MAX, 0);
        for _ in 0..4000 {
            for (n, asked) in asked.iter_mut().enumerate() {
                if !asks[n] && !run.memory.random.chance(pause) {
                    // FIX's bursts are long, MTE3's short.
                    let beats = run.memory.random.below(if n == 0 { 16 } else { 2 });
                    run.twin.uut.request_address[n].next = (ORIGIN + 0x1800).into();
                    run.twin.uut.request_beats[n].next = beats.into();
                    run.twin.uut.request_valid[n].next = true;
                    asks[n] = true;
                    asked.push_back(beats + 1);
                }
            }
            run.cycle();
            for (n, asks) in asks.iter_mut().enumerate() {
                if run.granted[n] {
                    run.twin.uut.request_valid[n].next = false;
                    *asks = false;
                }
                if run.sent[n] {
                    let burst = order.front_mut().expect("a word of a burst that was admitted");
                    assert_eq!(burst.who, n, "words in the order of the bursts");
                    if burst.open < u64::MAX {
                        assert!(burst.open <= burst.ahead + 1, "{} words ahead, {} sent", burst.ahead, burst.open);
                        least_spare = least_spare.min(burst.ahead + 1 - burst.open);
                        most = most.max(if n == 1 { burst.ahead } else { 0 });
                        burst.open = u64::MAX;
                    }
                    burst.left -= 1;
                    if burst.left == 0 {
                        order.pop_front();
                    }
                }
            }
            order.iter_mut().filter(|burst| burst.open < u64::MAX).for_each(|burst| burst.open += u64::from(run.open));
            for (n, asked) in asked.iter_mut().enumerate() {
                if run.admitted[n] {
                    let ahead = order.iter().map(|burst| burst.left).sum();
                    let left = asked.pop_front().expect("a burst that was asked for");
                    order.push_back(Admitted { who: n, left, ahead, open: 0 });
                    bursts += 1;
                }
            }
        }
        assert_eq!(run.fault(), None);
        println!("limit {limit}, stall {stall}: {bursts} bursts, MTE3 waited for up to {most} words");
        assert!(bursts > 100 && least_spare <= 1, "{bursts} bursts, {least_spare} cycles to spare");
        assert!((1..=(limit as u64 - 1) * 16).contains(&most), "{most} words ahead");
    }
}
