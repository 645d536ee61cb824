// SPDX-License-Identifier: Apache-2.0
//! Rights, windows, errors, limit and halt of the read side.

use crate::axi::memory::{Memory, ORIGIN, Random};
use isa::Cause;
use rtl::axi::AxiRead;
use rtl::twin::Twin;
use std::collections::VecDeque;

const B: usize = 64;
const MEMORY: u64 = 16 << 10;

struct Run {
    twin: Twin<AxiRead<B>>,
    memory: Memory,
    words: [u64; 2],
    /// Requests taken in the last cycle, and the requester whose address the bus took.
    granted: [bool; 2],
    addressed: Option<usize>,
}

/// Windows: 0 = [0x800, 0xfff] read, 1 = [0x1004, 0x1fff] execute, 2 = [0x2000, 0x2fff] both, 3 = [0, 0x3fff] write.
fn start(outstanding: usize) -> Run {
    let mut twin = Twin::new(AxiRead::<B>::new(outstanding), |uut, level| uut.clk.next = level);
    for (n, lo, hi, rights) in
        [(0, 0x800, 0xfff, 1u64), (1, 0x1004, 0x1fff, 4), (2, 0x2000, 0x2fff, 5), (3, 0, 0x3fff, 2)]
    {
        twin.uut.lo[n].next = (ORIGIN + lo).into();
        twin.uut.hi[n].next = (ORIGIN + hi).into();
        twin.uut.rights[n].next = rights.into();
    }
    twin.uut.rst.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    let mut random = Random(9);
    let memory = Memory::new(8, outstanding, random.bytes(MEMORY as usize), random);
    Run { twin, memory, words: [0; 2], granted: [false; 2], addressed: None }
}

impl Run {
    fn cycle(&mut self) -> bool {
        drive_read!(self.twin, self.memory, B);
        self.twin.settle();
        finish_read!(self.twin, self.memory);
        for n in 0..2 {
            self.words[n] += u64::from(self.twin.uut.data_valid[n].val() && self.twin.uut.data_ready[n].val());
        }
        let uut = &self.twin.uut;
        self.granted = [0, 1].map(|n| uut.request_valid[n].val() && uut.request_ready[n].val());
        self.addressed =
            (uut.m_axi_arvalid.val() && uut.m_axi_arready.val()).then(|| uut.m_axi_arid.val().to_u64() as usize);
        self.twin.edge();
        self.granted != [false; 2]
    }

    /// Requester `who` asks for the words of bytes `first..=last`.
    fn ask(&mut self, who: usize, first: u64, last: u64) {
        let uut = &mut self.twin.uut;
        uut.request_address[who].next = (ORIGIN + first / 8 * 8).into();
        uut.request_beats[who].next = (last / 8 - first / 8).into();
        uut.request_skip[who].next = (first % 8).into();
        uut.request_trim[who].next = (7 - last % 8).into();
        uut.request_tag[who].next = 5u64.into();
        uut.request_valid[who].next = true;
        while !self.cycle() {}
        self.twin.uut.request_valid[who].next = false;
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
}

#[test]
fn a_burst_needs_one_window_with_its_right_for_all_its_bytes() {
    let execute = u64::from(Cause::WindowExecute.code());
    let read = u64::from(Cause::WindowRead.code());
    for (who, first, last, want) in [
        (1, 0x800, 0xfff, None),
        (1, 0x7ff, 0x800, Some((1, read, 0x7ff, 5))),
        (1, 0xff9, 0xfff, None),
        (0, 0x800, 0x80f, Some((0, execute, 0x800, 5))),
        (0, 0x1004, 0x17ff, None),
        (0, 0x1800, 0x1fff, None),
        (0, 0x1003, 0x100b, Some((0, execute, 0x1003, 5))),
        (1, 0x1008, 0x100f, Some((1, read, 0x1008, 5))),
        (1, 0x2000, 0x20ff, None),
        (0, 0x2000, 0x20ff, None),
        (0, 0x2fff, 0x2fff, None),
        (0, 0x3000, 0x3000, Some((0, execute, 0x3000, 5))),
    ] {
        let mut run = start(4);
        run.twin.uut.data_ready[0].next = true;
        run.twin.uut.data_ready[1].next = true;
        run.ask(who, first, last);
        for _ in 0..600 {
            run.cycle();
        }
        assert_eq!(run.fault(), want, "requester {who}, {first:x}..={last:x}");
        assert_eq!(run.memory.bursts, u64::from(want.is_none()), "requester {who}, {first:x}..={last:x}");
        assert_eq!(run.words[who], if want.is_none() { last / 8 - first / 8 + 1 } else { 0 });
        assert!(run.twin.uut.quiet.val());
    }
}

#[test]
fn an_error_stops_new_bursts_and_lets_the_others_end() {
    let mut run = start(4);
    run.twin.uut.data_ready[0].next = true;
    run.memory.error = Some(ORIGIN + 0x2100..ORIGIN + 0x2108);
    run.ask(0, 0x2000, 0x203f);
    run.ask(0, 0x20c0, 0x213f);
    // In flight when the error comes, and never taken.
    for _ in 0..15 {
        run.cycle();
    }
    run.ask(1, 0x2200, 0x223f);
    for _ in 0..25 {
        run.cycle();
    }
    assert_eq!(run.memory.bursts, 3);
    run.ask(0, 0x2300, 0x233f);
    for _ in 0..200 {
        run.cycle();
    }
    assert_eq!(run.fault(), Some((0, u64::from(Cause::BusReadError.code()), 0x2100, 5)));
    assert_eq!(run.words, [8 + 8, 0], "requester 1 never took its data, but it is gone");
    assert!(run.twin.uut.quiet.val() && run.memory.idle());
    let bursts = run.memory.bursts;
    run.ask(0, 0x2300, 0x233f);
    for _ in 0..50 {
        run.cycle();
    }
    assert_eq!(run.memory.bursts, bursts, "a burst after the fault");
    run.memory.error = None;
    run.twin.uut.rst.next = true;
    run.cycle();
    run.twin.uut.rst.next = false;
    run.ask(0, 0x2300, 0x233f);
    for _ in 0..50 {
        run.cycle();
    }
    assert_eq!((run.fault(), run.words[0]), (None, 24));
}

#[test]
fn both_requesters_get_their_turn_within_the_limit() {
    let mut run = start(3);
    run.memory.latency = 40;
    run.twin.uut.data_ready[0].next = true;
    run.twin.uut.data_ready[1].next = true;
    for n in 0..2 {
        run.twin.uut.request_valid[n].next = true;
        run.twin.uut.request_address[n].next = (ORIGIN + 0x2000).into();
        run.twin.uut.request_beats[n].next = 1u64.into();
    }
    for _ in 0..2000 {
        run.cycle();
    }
    // Three bursts each time the latency passes, in turns.
    let [a, b] = run.words;
    assert!(a.abs_diff(b) <= 4 && a + b > 2000 / 50 * 6, "{a} and {b} words");
}

/// The bound of `docs/units/axi.md`: three bursts are in the gate, and the other requester has one turn.
#[test]
fn a_request_waits_for_at_most_four_addresses_of_the_bus() {
    assert_turns!(0x2000, |limit| {
        let mut run = start(limit);
        run.twin.uut.data_ready[0].next = true;
        run.twin.uut.data_ready[1].next = true;
        run
    });
}
