// SPDX-License-Identifier: Apache-2.0
//! The write side of the AXI4 master: bursts of several requesters, their data in the order of the addresses, their answers back.
//!
//! ```text
//!  request_*[r] ──► gate ──► m_axi_aw*          r = 0 FIX, 1 MTE3 (both need W)
//!                     └──► order ─┐
//!  w_*[r] ──────────────────► choose ──► skid ──► m_axi_w*
//!  response_valid[r] ◄── m_axi_b*               by BID = r
//!  halt ──►                      ──► quiet, fault*
//! ```
//! Three cycles from a request to AWVALID, two from a word to WVALID; one burst and one word per cycle. At most `outstanding`
//! bursts are in flight, all requesters together. Words may be offered before their burst; they wait.
//! A burst outside the windows, or a B with SLVERR or DECERR, is a fault (level until `rst`). From then on no burst starts. What was asked
//! for before a burst outside the windows is still written, and an error that answers it, of the same requester, takes that fault's place.
//! After an error, and under `halt`, the words still missing of bursts that have started go out with strobes 0. `rst` may come only when
//! `quiet`.

use super::Gate;
use crate::prim::prelude::*;
use isa::Cause;

/// Write side for a bus of B bits with S = B / 8 strobes.
#[derive(LogicBlock)]
pub struct AxiWrite<const B: usize, const S: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Clears faults and requests.
    pub rst: Signal<In, Bit>,
    /// A burst is asked for.
    pub request_valid: Vec<Signal<In, Bit>>,
    /// It is taken.
    pub request_ready: Vec<Signal<Out, Bit>>,
    /// Its first word, a multiple of the bus bytes.
    pub request_address: Vec<Signal<In, Bits<40>>>,
    /// Its words less 1; it stays in its 4 KiB page.
    pub request_beats: Vec<Signal<In, Bits<8>>>,
    /// Bytes of the first word that are not written (they need no window).
    pub request_skip: Vec<Signal<In, Bits<8>>>,
    /// Bytes of the last word that are not written.
    pub request_trim: Vec<Signal<In, Bits<8>>>,
    /// Comes back in `fault_tag`.
    pub request_tag: Vec<Signal<In, Bits<3>>>,
    /// Requester r offers the next word of its bursts.
    pub w_valid: Vec<Signal<In, Bit>>,
    /// It is taken.
    pub w_ready: Vec<Signal<Out, Bit>>,
    /// The word of requester r.
    pub w_data: Vec<Signal<In, Bits<B>>>,
    /// Byte i of requester r is written: element r * S + i.
    pub w_strb: Vec<Signal<In, Bit>>,
    /// A burst of requester r is answered without error (pulse).
    pub response_valid: Vec<Signal<Out, Bit>>,
    /// A burst of requester r lies in a window and will go out (pulse, in their order).
    pub admitted: Vec<Signal<Out, Bit>>,
    /// A burst of requester r is in flight.
    pub flying: Vec<Signal<Out, Bit>>,
    /// A burst of requester r whose words are all sent is not answered.
    pub unanswered: Vec<Signal<Out, Bit>>,
    /// First byte of each window.
    pub lo: Vec<Signal<In, Bits<40>>>,
    /// Last byte of each window.
    pub hi: Vec<Signal<In, Bits<40>>>,
    /// Rights of each window: bit 0 read, 1 write, 2 execute.
    pub rights: Vec<Signal<In, Bits<3>>>,
    /// Start nothing new.
    pub halt: Signal<In, Bit>,
    /// No burst is in flight.
    pub quiet: Signal<Out, Bit>,
    /// Something went wrong; the four that follow hold.
    pub fault: Signal<Out, Bit>,
    /// Requester of the faulty burst.
    pub fault_requester: Signal<Out, Bits<3>>,
    /// `WindowWrite` or `BusWriteError`.
    pub fault_cause: Signal<Out, Bits<8>>,
    /// First byte written by that burst.
    pub fault_address: Signal<Out, Bits<40>>,
    /// Its tag.
    pub fault_tag: Signal<Out, Bits<3>>,
    /// The fault is an answer with an error: nothing of its requester can come before it.
    pub fault_answer: Signal<Out, Bit>,
    /// Bytes that the bus took with their strobe set, two cycles ago.
    pub written: Signal<Out, Bits<8>>,
    /// AXI write address.
    pub m_axi_awid: Signal<Out, Bits<4>>,
    /// AXI write address.
    pub m_axi_awaddr: Signal<Out, Bits<40>>,
    /// AXI write address: words less 1.
    pub m_axi_awlen: Signal<Out, Bits<8>>,
    /// AXI write address: the bus width.
    pub m_axi_awsize: Signal<Out, Bits<3>>,
    /// AXI write address: INCR.
    pub m_axi_awburst: Signal<Out, Bits<2>>,
    /// AXI write address: normal.
    pub m_axi_awlock: Signal<Out, Bit>,
    /// AXI write address: normal, modifiable, bufferable.
    pub m_axi_awcache: Signal<Out, Bits<4>>,
    /// AXI write address: secure, unprivileged data.
    pub m_axi_awprot: Signal<Out, Bits<3>>,
    /// AXI write address: no quality of service.
    pub m_axi_awqos: Signal<Out, Bits<4>>,
    /// AXI write address.
    pub m_axi_awvalid: Signal<Out, Bit>,
    /// AXI write address.
    pub m_axi_awready: Signal<In, Bit>,
    /// AXI write data.
    pub m_axi_wdata: Signal<Out, Bits<B>>,
    /// AXI write data.
    pub m_axi_wstrb: Signal<Out, Bits<S>>,
    /// AXI write data.
    pub m_axi_wlast: Signal<Out, Bit>,
    /// AXI write data.
    pub m_axi_wvalid: Signal<Out, Bit>,
    /// AXI write data.
    pub m_axi_wready: Signal<In, Bit>,
    /// AXI write answer.
    pub m_axi_bid: Signal<In, Bits<4>>,
    /// AXI write answer: bit 1 says error.
    pub m_axi_bresp: Signal<In, Bits<2>>,
    /// AXI write answer.
    pub m_axi_bvalid: Signal<In, Bit>,
    /// AXI write answer: always taken.
    pub m_axi_bready: Signal<Out, Bit>,
    gate: Gate,
    /// Bursts whose words are not all sent: requester (bits 2:0) and words less 1 (bits 10:3).
    order: Fifo<11>,
    words: Skid<B>,
    strobes: Skid<S>,
    lasts: Skid<1>,
    strobe_word: Vec<Join<1, S>>,
    /// First byte and tag of every burst in flight, per requester.
    flights: Vec<Fifo<43>>,
    beat: Reg<Bits<8>>,
    count: Reg<Bits<8>>,
    answered: Reg<Bit>,
    answered_id: Reg<Bits<4>>,
    answered_bad: Reg<Bit>,
    faulty: Reg<Bit>,
    /// The fault is an answer with an error.
    broken: Reg<Bit>,
    /// Bursts whose words are all sent and that are not answered, per requester.
    sent: Vec<Reg<Bits<8>>>,
    who: Reg<Bits<3>>,
    cause: Reg<Bits<8>>,
    place: Reg<Bits<40>>,
    tag: Reg<Bits<3>>,
    /// Strobes of the word that the bus took, counted by fours, and their sum.
    strobed: Vec<Reg<Bits<8>>>,
    strobed_sum: Vec<Signal<Local, Bits<8>>>,
    strobed_all: Reg<Bits<8>>,
    /// Strobes of that word, 0 if there is none.
    taken: Vec<Signal<Local, Bits<8>>>,
    stop: Signal<Local, Bit>,
    errs: Signal<Local, Bit>,
    owner: Signal<Local, Bits<3>>,
    offered: Signal<Local, Bit>,
    last: Signal<Local, Bit>,
    send: Signal<Local, Bit>,
    chosen: Signal<Local, Bits<B>>,
    chosen_strb: Signal<Local, Bits<S>>,
    limit: Constant<Bits<8>>,
    size: Constant<Bits<3>>,
    window_cause: Constant<Bits<8>>,
    bus_cause: Constant<Bits<8>>,
    _n: usize,
    _bytes: usize,
    _fours: usize,
    _windows: usize,
}

impl<const B: usize, const S: usize> AxiWrite<B, S> {
    /// A write side with FIX as requester 0 and MTE3 as requester 1 and at most `outstanding` (1 to 64) bursts in flight.
    pub fn new(outstanding: usize) -> Self {
        Self::with_requesters(outstanding, 2)
    }

    /// A write side of `n` requesters.
    pub fn with_requesters(outstanding: usize, n: usize) -> Self {
        assert!(S * 8 == B, "a bus of {B} bits has {} strobes, not {S}", B / 8);
        assert!((1..=64).contains(&outstanding), "1 to 64 bursts are in flight, not {outstanding}");
        let gate = Gate::new(S, &vec![1; n]);
        AxiWrite {
            clk: Signal::default(),
            rst: Signal::default(),
            request_valid: vec![Signal::default(); n],
            request_ready: vec![Signal::default(); n],
            request_address: vec![Signal::default(); n],
            request_beats: vec![Signal::default(); n],
            request_skip: vec![Signal::default(); n],
            request_trim: vec![Signal::default(); n],
            request_tag: vec![Signal::default(); n],
            w_valid: vec![Signal::default(); n],
            w_ready: vec![Signal::default(); n],
            w_data: vec![Signal::default(); n],
            w_strb: vec![Signal::default(); n * S],
            response_valid: vec![Signal::default(); n],
            admitted: vec![Signal::default(); n],
            flying: vec![Signal::default(); n],
            unanswered: vec![Signal::default(); n],
            lo: vec![Signal::default(); gate.lo.len()],
            hi: vec![Signal::default(); gate.lo.len()],
            rights: vec![Signal::default(); gate.lo.len()],
            halt: Signal::default(),
            quiet: Signal::default(),
            fault: Signal::default(),
            fault_requester: Signal::default(),
            fault_cause: Signal::default(),
            fault_address: Signal::default(),
            fault_tag: Signal::default(),
            fault_answer: Signal::default(),
            written: Signal::default(),
            m_axi_awid: Signal::default(),
            m_axi_awaddr: Signal::default(),
            m_axi_awlen: Signal::default(),
            m_axi_awsize: Signal::default(),
            m_axi_awburst: Signal::default(),
            m_axi_awlock: Signal::default(),
            m_axi_awcache: Signal::default(),
            m_axi_awprot: Signal::default(),
            m_axi_awqos: Signal::default(),
            m_axi_awvalid: Signal::default(),
            m_axi_awready: Signal::default(),
            m_axi_wdata: Signal::default(),
            m_axi_wstrb: Signal::default(),
            m_axi_wlast: Signal::default(),
            m_axi_wvalid: Signal::default(),
            m_axi_wready: Signal::default(),
            m_axi_bid: Signal::default(),
            m_axi_bresp: Signal::default(),
            m_axi_bvalid: Signal::default(),
            m_axi_bready: Signal::default(),
            _windows: gate.lo.len(),
            gate,
            order: Fifo::new(outstanding.max(2), 1),
            words: Skid::new(1),
            strobes: Skid::new(1),
            lasts: Skid::new(1),
            strobe_word: (0..n).map(|_| Join::default()).collect(),
            flights: (0..n).map(|_| Fifo::new(outstanding.max(2), 1)).collect(),
            beat: Reg::default(),
            count: Reg::default(),
            answered: Reg::default(),
            answered_id: Reg::default(),
            answered_bad: Reg::default(),
            faulty: Reg::default(),
            broken: Reg::default(),
            sent: vec![Reg::default(); n],
            who: Reg::default(),
            cause: Reg::default(),
            place: Reg::default(),
            tag: Reg::default(),
            strobed: vec![Reg::default(); S / 4],
            strobed_sum: vec![Signal::default(); S / 4 + 1],
            strobed_all: Reg::default(),
            taken: vec![Signal::default(); S],
            stop: Signal::default(),
            errs: Signal::default(),
            owner: Signal::default(),
            offered: Signal::default(),
            last: Signal::default(),
            send: Signal::default(),
            chosen: Signal::default(),
            chosen_strb: Signal::default(),
            limit: Constant::new((outstanding as u64).into()),
            size: Constant::new((super::log2(S) as u64).into()),
            window_cause: Constant::new(u64::from(Cause::WindowWrite.code()).into()),
            bus_cause: Constant::new(u64::from(Cause::BusWriteError.code()).into()),
            _n: n,
            _bytes: S,
            _fours: S / 4,
        }
    }
}

impl<const B: usize, const S: usize> Logic for AxiWrite<B, S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "axi_write_{m_axi_wdata}: write side of the AXI master; bursts of several requesters inside the memory windows."
        );
        dff_setup!(self, clk, beat, count, answered, answered_id, answered_bad, faulty, who, cause, place, tag);
        dff_setup!(self, clk, strobed_all, broken);
        self.gate.clk.next = self.clk.val();
        self.gate.rst.next = self.rst.val();
        self.order.clk.next = self.clk.val();
        self.order.clear.next = self.rst.val();
        self.words.clk.next = self.clk.val();
        self.words.clear.next = self.rst.val();
        self.strobes.clk.next = self.clk.val();
        self.strobes.clear.next = self.rst.val();
        self.lasts.clk.next = self.clk.val();
        self.lasts.clear.next = self.rst.val();
        // Requests.
        for i in 0..self._windows {
            self.gate.lo[i].next = self.lo[i].val();
            self.gate.hi[i].next = self.hi[i].val();
            self.gate.rights[i].next = self.rights[i].val();
        }
        for i in 0..self._n {
            self.gate.request_valid[i].next = self.request_valid[i].val();
            self.request_ready[i].next = self.gate.request_ready[i].val();
            self.gate.request_address[i].next = self.request_address[i].val();
            self.gate.request_beats[i].next = self.request_beats[i].val();
            self.gate.request_skip[i].next = self.request_skip[i].val();
            self.gate.request_trim[i].next = self.request_trim[i].val();
            self.gate.request_tag[i].next = self.request_tag[i].val();
        }
        self.stop.next = self.halt.val() | self.broken.q.val();
        self.gate.stop.next = self.stop.val() | self.faulty.q.val() | (self.count.q.val() == self.limit.val());
        self.gate.ax_ready.next = self.m_axi_awready.val();
        self.m_axi_awvalid.next = self.gate.ax_valid.val();
        self.m_axi_awaddr.next = self.gate.ax_address.val();
        self.m_axi_awlen.next = self.gate.ax_len.val();
        self.m_axi_awid.next = bit_cast::<4, 3>(self.gate.ax_id.val());
        self.m_axi_awsize.next = self.size.val();
        self.m_axi_awburst.next = 1.into();
        self.m_axi_awlock.next = false;
        self.m_axi_awcache.next = 3.into();
        self.m_axi_awprot.next = 0.into();
        self.m_axi_awqos.next = 0.into();
        // Words, in the order of the addresses. WVALID does not wait for AWREADY: a slave may want to see both.
        self.order.in_valid.next = self.gate.go.val();
        self.order.in_data[0].next =
            bit_cast::<11, 3>(self.gate.next_id.val()) | (bit_cast::<11, 8>(self.gate.next_beats.val()) << 3);
        self.owner.next = self.order.out_data[0].val().get_bits::<3>(0);
        self.last.next = self.beat.q.val() == self.order.out_data[0].val().get_bits::<8>(3);
        self.offered.next = self.stop.val();
        self.chosen.next = self.w_data[0].val();
        self.chosen_strb.next = 0.into();
        for i in 0..self._n {
            for j in 0..self._bytes {
                for s in self._bytes..(self._bytes + 1) {
                    self.strobe_word[i].lane[j].next = self.w_strb[i * s + j].val().into();
                }
            }
            self.w_ready[i].next = self.order.out_valid.val()
                & (self.owner.val() == i.to_bits::<3>())
                & self.words.in_ready.val()
                & !self.stop.val();
            if self.owner.val() == i.to_bits::<3>() {
                self.chosen.next = self.w_data[i].val();
                if self.w_valid[i].val() {
                    self.offered.next = true;
                }
                if !self.stop.val() {
                    self.chosen_strb.next = self.strobe_word[i].word.val();
                }
            }
        }
        self.send.next = self.order.out_valid.val() & self.offered.val() & self.words.in_ready.val();
        self.words.in_valid.next = self.order.out_valid.val() & self.offered.val();
        self.strobes.in_valid.next = self.order.out_valid.val() & self.offered.val();
        self.lasts.in_valid.next = self.order.out_valid.val() & self.offered.val();
        self.words.in_data[0].next = self.chosen.val();
        self.strobes.in_data[0].next = self.chosen_strb.val();
        self.lasts.in_data[0].next = self.last.val().into();
        self.order.out_ready.next = self.send.val() & self.last.val();
        if self.send.val() {
            self.beat.d.next = self.beat.q.val() + 1;
            if self.last.val() {
                self.beat.d.next = 0.into();
            }
        }
        self.m_axi_wvalid.next = self.words.out_valid.val();
        self.m_axi_wdata.next = self.words.out_data[0].val();
        self.m_axi_wstrb.next = self.strobes.out_data[0].val();
        self.m_axi_wlast.next = self.lasts.out_data[0].val() != 0;
        self.words.out_ready.next = self.m_axi_wready.val();
        self.strobes.out_ready.next = self.m_axi_wready.val();
        self.lasts.out_ready.next = self.m_axi_wready.val();
        // Bytes written. Counting up to 64 strobes takes a second cycle.
        for j in 0..self._bytes {
            self.taken[j].next = 0.into();
            if self.words.out_valid.val() & self.m_axi_wready.val() & self.strobes.out_data[0].val().get_bit(j) {
                self.taken[j].next = 1.into();
            }
        }
        self.strobed_sum[0].next = 0.into();
        for i in 0..self._fours {
            self.strobed[i].clock.next = self.clk.val();
            self.strobed[i].d.next = self.taken[i * 4].val()
                + self.taken[i * 4 + 1].val()
                + self.taken[i * 4 + 2].val()
                + self.taken[i * 4 + 3].val();
            self.strobed_sum[i + 1].next = self.strobed_sum[i].val() + self.strobed[i].q.val();
        }
        for n in self._fours..(self._fours + 1) {
            self.strobed_all.d.next = self.strobed_sum[n].val();
        }
        self.written.next = self.strobed_all.q.val();
        // Answers.
        self.m_axi_bready.next = true;
        self.answered.d.next = self.m_axi_bvalid.val();
        self.answered_id.d.next = self.m_axi_bid.val();
        self.answered_bad.d.next = self.m_axi_bresp.val().get_bit(1);
        for i in 0..self._n {
            self.response_valid[i].next = self.answered.q.val()
                & !self.answered_bad.q.val()
                & !self.stop.val()
                & (self.answered_id.q.val() == i.to_bits::<4>());
            self.flights[i].clk.next = self.clk.val();
            self.flights[i].clear.next = self.rst.val();
            self.flights[i].in_valid.next = self.gate.go.val() & (self.gate.next_id.val() == i.to_bits::<3>());
            self.flights[i].in_data[0].next =
                bit_cast::<43, 40>(self.gate.next_first.val()) | (bit_cast::<43, 3>(self.gate.next_tag.val()) << 40);
            self.flights[i].out_ready.next = self.answered.q.val() & (self.answered_id.q.val() == i.to_bits::<4>());
            self.admitted[i].next = self.gate.go.val() & (self.gate.next_id.val() == i.to_bits::<3>());
            self.flying[i].next = self.flights[i].out_valid.val();
            self.sent[i].clock.next = self.clk.val();
            self.sent[i].d.next = self.sent[i].q.val();
            if self.send.val() & self.last.val() & (self.owner.val() == i.to_bits::<3>()) {
                if !(self.answered.q.val() & (self.answered_id.q.val() == i.to_bits::<4>())) {
                    self.sent[i].d.next = self.sent[i].q.val() + 1;
                }
            } else if self.answered.q.val() & (self.answered_id.q.val() == i.to_bits::<4>()) {
                self.sent[i].d.next = self.sent[i].q.val() - 1;
            }
            self.unanswered[i].next = self.sent[i].q.val() != 0;
            if self.rst.val() {
                self.sent[i].d.next = 0.into();
            }
        }
        if self.gate.go.val() & !self.answered.q.val() {
            self.count.d.next = self.count.q.val() + 1;
        }
        if !self.gate.go.val() & self.answered.q.val() {
            self.count.d.next = self.count.q.val() - 1;
        }
        self.quiet.next = self.count.q.val() == 0;
        // The first fault stays, in the order in which its requester asked.
        self.errs.next = self.answered.q.val()
            & self.answered_bad.q.val()
            & !self.broken.q.val()
            & (!self.faulty.q.val() | (self.answered_id.q.val().get_bits::<3>(0) == self.who.q.val()));
        if self.errs.val() | !self.faulty.q.val() {
            if self.errs.val() {
                self.faulty.d.next = true;
                self.broken.d.next = true;
                self.cause.d.next = self.bus_cause.val();
                self.who.d.next = self.answered_id.q.val().get_bits::<3>(0);
                for i in 0..self._n {
                    if self.answered_id.q.val() == i.to_bits::<4>() {
                        self.place.d.next = self.flights[i].out_data[0].val().get_bits::<40>(0);
                        self.tag.d.next = self.flights[i].out_data[0].val().get_bits::<3>(40);
                    }
                }
            } else if self.gate.violation.val() {
                self.faulty.d.next = true;
                self.cause.d.next = self.window_cause.val();
                self.who.d.next = self.gate.next_id.val();
                self.place.d.next = self.gate.next_first.val();
                self.tag.d.next = self.gate.next_tag.val();
            }
        }
        self.fault.next = self.faulty.q.val();
        self.fault_requester.next = self.who.q.val();
        self.fault_cause.next = self.cause.q.val();
        self.fault_address.next = self.place.q.val();
        self.fault_tag.next = self.tag.q.val();
        self.fault_answer.next = self.broken.q.val();
        if self.rst.val() {
            self.beat.d.next = 0.into();
            self.count.d.next = 0.into();
            self.answered.d.next = false;
            self.faulty.d.next = false;
            self.broken.d.next = false;
        }
    }
}
