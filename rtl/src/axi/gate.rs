// SPDX-License-Identifier: Apache-2.0
//! The gate in front of an address channel: takes turns between requesters, lets only bursts through that lie in a memory window,
//! and none while it is told to stop.
//!
//! ```text
//!  request_*[n] ─► arbiter ─► register ─► comparisons ─► register ─► allowed? ─► ax_* register ─► AR or AW
//!  windows ─────────────────────────────────┘                           └──► violation (the burst stays here, so do those behind)
//! ```
//! Three cycles from a request to `ax_valid`, one burst per cycle. The bytes asked for must lie in one window with the right of that
//! requester; the rest of the first and the last bus word need not.

use super::log2;
use crate::prim::prelude::*;

/// Number of memory windows.
const WINDOWS: usize = 8;

/// Gate of `n` requesters.
#[derive(LogicBlock)]
pub struct Gate {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Drops all bursts inside.
    pub rst: Signal<In, Bit>,
    /// A burst is asked for.
    pub request_valid: Vec<Signal<In, Bit>>,
    /// It is taken.
    pub request_ready: Vec<Signal<Out, Bit>>,
    /// Its first word, a multiple of the bus bytes.
    pub request_address: Vec<Signal<In, Bits<40>>>,
    /// Its words less 1.
    pub request_beats: Vec<Signal<In, Bits<8>>>,
    /// Bytes of the first word not asked for.
    pub request_skip: Vec<Signal<In, Bits<8>>>,
    /// Bytes of the last word not asked for.
    pub request_trim: Vec<Signal<In, Bits<8>>>,
    /// Comes back with a fault.
    pub request_tag: Vec<Signal<In, Bits<3>>>,
    /// First byte of each window.
    pub lo: Vec<Signal<In, Bits<40>>>,
    /// Last byte of each window.
    pub hi: Vec<Signal<In, Bits<40>>>,
    /// Rights of each window: bit 0 read, 1 write, 2 execute.
    pub rights: Vec<Signal<In, Bits<3>>>,
    /// No burst goes through.
    pub stop: Signal<In, Bit>,
    /// The address channel is valid.
    pub ax_valid: Signal<Out, Bit>,
    /// The bus takes it.
    pub ax_ready: Signal<In, Bit>,
    /// Address of the burst.
    pub ax_address: Signal<Out, Bits<40>>,
    /// Words less 1.
    pub ax_len: Signal<Out, Bits<8>>,
    /// Requester.
    pub ax_id: Signal<Out, Bits<3>>,
    /// A burst goes to the channel's register in this cycle.
    pub go: Signal<Out, Bit>,
    /// That burst, or the one in violation: requester.
    pub next_id: Signal<Out, Bits<3>>,
    /// Its words less 1.
    pub next_beats: Signal<Out, Bits<8>>,
    /// Its first byte asked for.
    pub next_first: Signal<Out, Bits<40>>,
    /// Its tag.
    pub next_tag: Signal<Out, Bits<3>>,
    /// The burst lies in no window that allows it.
    pub violation: Signal<Out, Bit>,
    arbiter: Arbiter,
    asked: Reg<Bit>,
    asked_first: Reg<Bits<40>>,
    asked_last: Reg<Bits<40>>,
    asked_beats: Reg<Bits<8>>,
    asked_id: Reg<Bits<3>>,
    asked_tag: Reg<Bits<3>>,
    asked_right: Reg<Bits<3>>,
    checked: Reg<Bit>,
    checked_first: Reg<Bits<40>>,
    checked_beats: Reg<Bits<8>>,
    checked_id: Reg<Bits<3>>,
    checked_tag: Reg<Bits<3>>,
    above: Vec<Reg<Bit>>,
    below: Vec<Reg<Bit>>,
    valid: Reg<Bit>,
    address: Reg<Bits<40>>,
    len: Reg<Bits<8>>,
    id: Reg<Bits<3>>,
    choice_address: Signal<Local, Bits<40>>,
    choice_beats: Signal<Local, Bits<8>>,
    choice_skip: Signal<Local, Bits<8>>,
    choice_trim: Signal<Local, Bits<8>>,
    last_low: Signal<Local, Bits<12>>,
    allowed: Signal<Local, Bit>,
    pass: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    right: Vec<Constant<Bits<3>>>,
    word_shift: Constant<Bits<6>>,
    byte_mask: Constant<Bits<12>>,
    _n: usize,
    _windows: usize,
}

impl Gate {
    /// A gate of a bus of `bytes` bytes; `rights[r]` is the bit of `rights` that requester r needs (0 read, 1 write, 2 execute).
    pub fn new(bytes: usize, rights: &[usize]) -> Self {
        let n = rights.len();
        Gate {
            clk: Signal::default(),
            rst: Signal::default(),
            request_valid: vec![Signal::default(); n],
            request_ready: vec![Signal::default(); n],
            request_address: vec![Signal::default(); n],
            request_beats: vec![Signal::default(); n],
            request_skip: vec![Signal::default(); n],
            request_trim: vec![Signal::default(); n],
            request_tag: vec![Signal::default(); n],
            lo: vec![Signal::default(); WINDOWS],
            hi: vec![Signal::default(); WINDOWS],
            rights: vec![Signal::default(); WINDOWS],
            stop: Signal::default(),
            ax_valid: Signal::default(),
            ax_ready: Signal::default(),
            ax_address: Signal::default(),
            ax_len: Signal::default(),
            ax_id: Signal::default(),
            go: Signal::default(),
            next_id: Signal::default(),
            next_beats: Signal::default(),
            next_first: Signal::default(),
            next_tag: Signal::default(),
            violation: Signal::default(),
            arbiter: Arbiter::new(n),
            asked: Reg::default(),
            asked_first: Reg::default(),
            asked_last: Reg::default(),
            asked_beats: Reg::default(),
            asked_id: Reg::default(),
            asked_tag: Reg::default(),
            asked_right: Reg::default(),
            checked: Reg::default(),
            checked_first: Reg::default(),
            checked_beats: Reg::default(),
            checked_id: Reg::default(),
            checked_tag: Reg::default(),
            above: vec![Reg::default(); WINDOWS],
            below: vec![Reg::default(); WINDOWS],
            valid: Reg::default(),
            address: Reg::default(),
            len: Reg::default(),
            id: Reg::default(),
            choice_address: Signal::default(),
            choice_beats: Signal::default(),
            choice_skip: Signal::default(),
            choice_trim: Signal::default(),
            last_low: Signal::default(),
            allowed: Signal::default(),
            pass: Signal::default(),
            take: Signal::default(),
            right: rights.iter().map(|&bit| Constant::new((1u64 << bit).into())).collect(),
            word_shift: Constant::new((log2(bytes) as u64).into()),
            byte_mask: Constant::new((bytes as u64 - 1).into()),
            _n: n,
            _windows: WINDOWS,
        }
    }
}

impl Logic for Gate {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "gate_{request_valid[]}: lets bursts of several requesters through to an address channel if a memory window allows them."
        );
        dff_setup!(self, clk, asked, asked_first, asked_last, asked_beats, asked_id, asked_tag, asked_right);
        dff_setup!(self, clk, checked, checked_first, checked_beats, checked_id, checked_tag, valid, address, len, id);
        self.arbiter.clk.next = self.clk.val();
        self.arbiter.rst.next = self.rst.val();
        // Last stage: the check.
        self.allowed.next = false;
        for i in 0..self._windows {
            if self.above[i].q.val() & self.below[i].q.val() {
                self.allowed.next = true;
            }
        }
        self.pass.next =
            self.checked.q.val() & self.allowed.val() & !self.stop.val() & (!self.valid.q.val() | self.ax_ready.val());
        self.violation.next = self.checked.q.val() & !self.allowed.val() & !self.stop.val();
        self.go.next = self.pass.val();
        self.next_id.next = self.checked_id.q.val();
        self.next_beats.next = self.checked_beats.q.val();
        self.next_first.next = self.checked_first.q.val();
        self.next_tag.next = self.checked_tag.q.val();
        if self.ax_ready.val() {
            self.valid.d.next = false;
        }
        if self.pass.val() {
            self.valid.d.next = true;
            self.address.d.next = (self.checked_first.q.val() >> self.word_shift.val()) << self.word_shift.val();
            self.len.d.next = self.checked_beats.q.val();
            self.id.d.next = self.checked_id.q.val();
        }
        self.ax_valid.next = self.valid.q.val();
        self.ax_address.next = self.address.q.val();
        self.ax_len.next = self.len.q.val();
        self.ax_id.next = self.id.q.val();
        // Middle stage: the comparisons.
        self.take.next = !self.checked.q.val() | self.pass.val();
        for i in 0..self._windows {
            self.above[i].clock.next = self.clk.val();
            self.below[i].clock.next = self.clk.val();
            self.above[i].d.next = self.above[i].q.val();
            self.below[i].d.next = self.below[i].q.val();
            if self.take.val() {
                self.above[i].d.next = (self.asked_first.q.val() >= self.lo[i].val())
                    & ((self.rights[i].val() & self.asked_right.q.val()) != 0);
                self.below[i].d.next = self.asked_last.q.val() <= self.hi[i].val();
            }
        }
        if self.take.val() {
            self.checked.d.next = self.asked.q.val();
            self.checked_first.d.next = self.asked_first.q.val();
            self.checked_beats.d.next = self.asked_beats.q.val();
            self.checked_id.d.next = self.asked_id.q.val();
            self.checked_tag.d.next = self.asked_tag.q.val();
        }
        // First stage: the choice. A burst stays in its 4 KiB page, so the low 12 bits are enough for its last byte.
        self.choice_address.next = self.request_address[0].val();
        self.choice_beats.next = self.request_beats[0].val();
        self.choice_skip.next = self.request_skip[0].val();
        self.choice_trim.next = self.request_trim[0].val();
        self.arbiter.accept.next = !self.asked.q.val() | self.take.val();
        for i in 0..self._n {
            self.arbiter.request[i].next = self.request_valid[i].val();
            self.request_ready[i].next = self.arbiter.grant[i].val() & (!self.asked.q.val() | self.take.val());
            if self.arbiter.grant[i].val() {
                self.choice_address.next = self.request_address[i].val();
                self.choice_beats.next = self.request_beats[i].val();
                self.choice_skip.next = self.request_skip[i].val();
                self.choice_trim.next = self.request_trim[i].val();
            }
        }
        self.last_low.next = self.choice_address.val().get_bits::<12>(0)
            + (bit_cast::<12, 8>(self.choice_beats.val()) << self.word_shift.val())
            + (self.byte_mask.val() - bit_cast::<12, 8>(self.choice_trim.val()));
        if !self.asked.q.val() | self.take.val() {
            self.asked.d.next = self.arbiter.any.val();
            self.asked_first.d.next = self.choice_address.val() | bit_cast::<40, 8>(self.choice_skip.val());
            self.asked_last.d.next =
                ((self.choice_address.val() >> 12) << 12) | bit_cast::<40, 12>(self.last_low.val());
            self.asked_beats.d.next = self.choice_beats.val();
            self.asked_id.d.next = self.arbiter.granted.val();
            for i in 0..self._n {
                if self.arbiter.grant[i].val() {
                    self.asked_tag.d.next = self.request_tag[i].val();
                    self.asked_right.d.next = self.right[i].val();
                }
            }
        }
        if self.rst.val() {
            self.asked.d.next = false;
            self.checked.d.next = false;
            self.valid.d.next = false;
        }
    }
}
