// SPDX-License-Identifier: Apache-2.0
//! The read side of the AXI4 master: bursts of several requesters out, their data back, nothing outside the memory windows.
//!
//! ```text
//!  request_*[r] ──► gate ──► m_axi_ar*          r = 0 fetch (needs X), 1 MTE2 (needs R)
//!  data_*[r], data ◄── skid ◄── m_axi_r*        by RID = r
//!  halt ──►                 ──► quiet, fault*
//! ```
//! Three cycles from a request to ARVALID, one from an R beat to `data_valid`; one burst and one word per cycle. At most
//! `outstanding` bursts are in flight, all requesters together. A requester that does not take its data holds up the others' data:
//! who shares this block with others asks only for what it has room for, or always moves on.
//! A burst outside its windows, or an R beat with SLVERR or DECERR, is a fault (level until `rst`), at the first byte asked for in that
//! burst or in that beat. From then on no burst starts. What was asked for before a burst outside its windows is still handed on, and an
//! error that comes with it to the same requester takes that fault's place: `fault_settled` says that none can come any more. After an
//! error, and under `halt`, data that is not taken at once is dropped until `quiet`. `rst` may come only when `quiet`.

use super::Gate;
use crate::prim::prelude::*;
use isa::Cause;

/// Read side for a bus of B bits.
#[derive(LogicBlock)]
pub struct AxiRead<const B: usize> {
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
    /// Bytes of the first word that are not asked for (they need no window).
    pub request_skip: Vec<Signal<In, Bits<8>>>,
    /// Bytes of the last word that are not asked for.
    pub request_trim: Vec<Signal<In, Bits<8>>>,
    /// Comes back in `fault_tag`.
    pub request_tag: Vec<Signal<In, Bits<3>>>,
    /// `data` is for requester r.
    pub data_valid: Vec<Signal<Out, Bit>>,
    /// Requester r takes it.
    pub data_ready: Vec<Signal<In, Bit>>,
    /// Last word of a burst.
    pub data_last: Vec<Signal<Out, Bit>>,
    /// The word.
    pub data: Signal<Out, Bits<B>>,
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
    /// Window cause of that requester or `BusReadError`.
    pub fault_cause: Signal<Out, Bits<8>>,
    /// First byte asked for: of the burst outside its windows, of the word that came with an error.
    pub fault_address: Signal<Out, Bits<40>>,
    /// Its tag.
    pub fault_tag: Signal<Out, Bits<3>>,
    /// With `fault`: all that this requester asked for before was handed on.
    pub fault_settled: Signal<Out, Bit>,
    /// AXI read address.
    pub m_axi_arid: Signal<Out, Bits<4>>,
    /// AXI read address.
    pub m_axi_araddr: Signal<Out, Bits<40>>,
    /// AXI read address: words less 1.
    pub m_axi_arlen: Signal<Out, Bits<8>>,
    /// AXI read address: the bus width.
    pub m_axi_arsize: Signal<Out, Bits<3>>,
    /// AXI read address: INCR.
    pub m_axi_arburst: Signal<Out, Bits<2>>,
    /// AXI read address: normal.
    pub m_axi_arlock: Signal<Out, Bit>,
    /// AXI read address: normal, modifiable, bufferable.
    pub m_axi_arcache: Signal<Out, Bits<4>>,
    /// AXI read address: secure, unprivileged data.
    pub m_axi_arprot: Signal<Out, Bits<3>>,
    /// AXI read address: no quality of service.
    pub m_axi_arqos: Signal<Out, Bits<4>>,
    /// AXI read address.
    pub m_axi_arvalid: Signal<Out, Bit>,
    /// AXI read address.
    pub m_axi_arready: Signal<In, Bit>,
    /// AXI read data.
    pub m_axi_rid: Signal<In, Bits<4>>,
    /// AXI read data.
    pub m_axi_rdata: Signal<In, Bits<B>>,
    /// AXI read data: bit 1 says error.
    pub m_axi_rresp: Signal<In, Bits<2>>,
    /// AXI read data.
    pub m_axi_rlast: Signal<In, Bit>,
    /// AXI read data.
    pub m_axi_rvalid: Signal<In, Bit>,
    /// AXI read data.
    pub m_axi_rready: Signal<Out, Bit>,
    gate: Gate,
    words: Skid<B>,
    marks: Skid<8>,
    /// First byte and tag of every burst in flight, per requester.
    flights: Vec<Fifo<43>>,
    /// Words of the oldest of them that have come.
    came: Vec<Reg<Bits<8>>>,
    count: Reg<Bits<8>>,
    faulty: Reg<Bit>,
    /// The fault is an error of the bus.
    broken: Reg<Bit>,
    who: Reg<Bits<3>>,
    cause: Reg<Bits<8>>,
    place: Reg<Bits<40>>,
    tag: Reg<Bits<3>>,
    valid: Signal<Local, Bit>,
    last: Signal<Local, Bit>,
    bad: Signal<Local, Bit>,
    errs: Signal<Local, Bit>,
    drop: Signal<Local, Bit>,
    ready: Signal<Local, Bit>,
    finish: Signal<Local, Bit>,
    first: Signal<Local, Bits<40>>,
    beat: Signal<Local, Bits<8>>,
    limit: Constant<Bits<8>>,
    size: Constant<Bits<3>>,
    word_shift: Constant<Bits<6>>,
    window_cause: Vec<Constant<Bits<8>>>,
    bus_cause: Constant<Bits<8>>,
    _n: usize,
    _windows: usize,
}

impl<const B: usize> AxiRead<B> {
    /// A read side with fetch as requester 0 and MTE2 as requester 1 and at most `outstanding` (1 to 64) bursts in flight.
    pub fn new(outstanding: usize) -> Self {
        Self::with_rights(outstanding, &[2, 0])
    }

    /// A read side whose requester r needs the right `rights[r]` (0 read, 2 execute).
    pub fn with_rights(outstanding: usize, rights: &[usize]) -> Self {
        assert!((1..=64).contains(&outstanding), "1 to 64 bursts are in flight, not {outstanding}");
        let n = rights.len();
        let cause = |right: &usize| if *right == 2 { Cause::WindowExecute } else { Cause::WindowRead };
        let gate = Gate::new(B / 8, rights);
        AxiRead {
            clk: Signal::default(),
            rst: Signal::default(),
            request_valid: vec![Signal::default(); n],
            request_ready: vec![Signal::default(); n],
            request_address: vec![Signal::default(); n],
            request_beats: vec![Signal::default(); n],
            request_skip: vec![Signal::default(); n],
            request_trim: vec![Signal::default(); n],
            request_tag: vec![Signal::default(); n],
            data_valid: vec![Signal::default(); n],
            data_ready: vec![Signal::default(); n],
            data_last: vec![Signal::default(); n],
            data: Signal::default(),
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
            fault_settled: Signal::default(),
            m_axi_arid: Signal::default(),
            m_axi_araddr: Signal::default(),
            m_axi_arlen: Signal::default(),
            m_axi_arsize: Signal::default(),
            m_axi_arburst: Signal::default(),
            m_axi_arlock: Signal::default(),
            m_axi_arcache: Signal::default(),
            m_axi_arprot: Signal::default(),
            m_axi_arqos: Signal::default(),
            m_axi_arvalid: Signal::default(),
            m_axi_arready: Signal::default(),
            m_axi_rid: Signal::default(),
            m_axi_rdata: Signal::default(),
            m_axi_rresp: Signal::default(),
            m_axi_rlast: Signal::default(),
            m_axi_rvalid: Signal::default(),
            m_axi_rready: Signal::default(),
            _windows: gate.lo.len(),
            gate,
            words: Skid::new(1),
            marks: Skid::new(1),
            flights: (0..n).map(|_| Fifo::new(outstanding.max(2), 1)).collect(),
            came: vec![Reg::default(); n],
            count: Reg::default(),
            faulty: Reg::default(),
            broken: Reg::default(),
            who: Reg::default(),
            cause: Reg::default(),
            place: Reg::default(),
            tag: Reg::default(),
            valid: Signal::default(),
            last: Signal::default(),
            bad: Signal::default(),
            errs: Signal::default(),
            drop: Signal::default(),
            ready: Signal::default(),
            finish: Signal::default(),
            first: Signal::default(),
            beat: Signal::default(),
            limit: Constant::new((outstanding as u64).into()),
            size: Constant::new((super::log2(B / 8) as u64).into()),
            word_shift: Constant::new((super::log2(B / 8) as u64).into()),
            window_cause: rights.iter().map(|right| Constant::new(u64::from(cause(right).code()).into())).collect(),
            bus_cause: Constant::new(u64::from(Cause::BusReadError.code()).into()),
            _n: n,
        }
    }
}

impl<const B: usize> Logic for AxiRead<B> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "axi_read_{data}: read side of the AXI master; bursts of several requesters inside the memory windows."
        );
        dff_setup!(self, clk, count, faulty, broken, who, cause, place, tag);
        self.gate.clk.next = self.clk.val();
        self.gate.rst.next = self.rst.val();
        self.words.clk.next = self.clk.val();
        self.words.clear.next = self.rst.val();
        self.marks.clk.next = self.clk.val();
        self.marks.clear.next = self.rst.val();
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
        self.gate.stop.next = self.halt.val() | self.faulty.q.val() | (self.count.q.val() == self.limit.val());
        self.gate.ax_ready.next = self.m_axi_arready.val();
        self.m_axi_arvalid.next = self.gate.ax_valid.val();
        self.m_axi_araddr.next = self.gate.ax_address.val();
        self.m_axi_arlen.next = self.gate.ax_len.val();
        self.m_axi_arid.next = bit_cast::<4, 3>(self.gate.ax_id.val());
        self.m_axi_arsize.next = self.size.val();
        self.m_axi_arburst.next = 1.into();
        self.m_axi_arlock.next = false;
        self.m_axi_arcache.next = 3.into();
        self.m_axi_arprot.next = 0.into();
        self.m_axi_arqos.next = 0.into();
        // Data.
        self.words.in_valid.next = self.m_axi_rvalid.val();
        self.words.in_data[0].next = self.m_axi_rdata.val();
        self.marks.in_valid.next = self.m_axi_rvalid.val();
        self.marks.in_data[0].next = bit_cast::<8, 4>(self.m_axi_rid.val())
            | (bit_cast::<8, 1>(self.m_axi_rlast.val().into()) << 4)
            | (bit_cast::<8, 1>(self.m_axi_rresp.val().get_bit(1).into()) << 5);
        self.m_axi_rready.next = self.words.in_ready.val();
        self.valid.next = self.marks.out_valid.val();
        self.last.next = self.marks.out_data[0].val().get_bit(4);
        self.bad.next = self.marks.out_data[0].val().get_bit(5);
        self.drop.next = self.bad.val() | self.broken.q.val();
        self.data.next = self.words.out_data[0].val();
        self.ready.next = self.drop.val() | self.halt.val();
        for i in 0..self._n {
            self.data_valid[i].next = self.valid.val()
                & !self.drop.val()
                & (self.marks.out_data[0].val().get_bits::<4>(0) == i.to_bits::<4>());
            self.data_last[i].next = self.last.val();
            if self.data_ready[i].val() & (self.marks.out_data[0].val().get_bits::<4>(0) == i.to_bits::<4>()) {
                self.ready.next = true;
            }
        }
        self.words.out_ready.next = self.ready.val();
        self.marks.out_ready.next = self.ready.val();
        self.finish.next = self.valid.val() & self.ready.val() & self.last.val();
        // Bursts in flight.
        for i in 0..self._n {
            self.flights[i].clk.next = self.clk.val();
            self.flights[i].clear.next = self.rst.val();
            self.flights[i].in_valid.next = self.gate.go.val() & (self.gate.next_id.val() == i.to_bits::<3>());
            self.flights[i].in_data[0].next =
                bit_cast::<43, 40>(self.gate.next_first.val()) | (bit_cast::<43, 3>(self.gate.next_tag.val()) << 40);
            self.flights[i].out_ready.next =
                self.finish.val() & (self.marks.out_data[0].val().get_bits::<4>(0) == i.to_bits::<4>());
        }
        // The word that is there now: its burst, and which word of it.
        self.first.next = 0.into();
        self.beat.next = 0.into();
        for i in 0..self._n {
            self.came[i].clock.next = self.clk.val();
            self.came[i].d.next = self.came[i].q.val();
            if self.marks.out_data[0].val().get_bits::<4>(0) == i.to_bits::<4>() {
                self.first.next = self.flights[i].out_data[0].val().get_bits::<40>(0);
                self.beat.next = self.came[i].q.val();
                if self.valid.val() & self.ready.val() {
                    self.came[i].d.next = self.came[i].q.val() + 1;
                    if self.last.val() {
                        self.came[i].d.next = 0.into();
                    }
                }
            }
            if self.rst.val() {
                self.came[i].d.next = 0.into();
            }
        }
        if self.gate.go.val() & !self.finish.val() {
            self.count.d.next = self.count.q.val() + 1;
        }
        if !self.gate.go.val() & self.finish.val() {
            self.count.d.next = self.count.q.val() - 1;
        }
        self.quiet.next = self.count.q.val() == 0;
        // The first fault stays, in the order in which its requester asked.
        self.errs.next = self.valid.val()
            & self.bad.val()
            & !self.broken.q.val()
            & (!self.faulty.q.val() | (self.marks.out_data[0].val().get_bits::<3>(0) == self.who.q.val()));
        if self.errs.val() | !self.faulty.q.val() {
            if self.errs.val() {
                self.faulty.d.next = true;
                self.broken.d.next = true;
                self.cause.d.next = self.bus_cause.val();
                self.who.d.next = self.marks.out_data[0].val().get_bits::<3>(0);
                self.place.d.next = self.first.val();
                if self.beat.val() != 0 {
                    self.place.d.next = ((self.first.val() >> self.word_shift.val())
                        + bit_cast::<40, 8>(self.beat.val()))
                        << self.word_shift.val();
                }
                for i in 0..self._n {
                    if self.marks.out_data[0].val().get_bits::<4>(0) == i.to_bits::<4>() {
                        self.tag.d.next = self.flights[i].out_data[0].val().get_bits::<3>(40);
                    }
                }
            } else if self.gate.violation.val() {
                self.faulty.d.next = true;
                self.who.d.next = self.gate.next_id.val();
                self.place.d.next = self.gate.next_first.val();
                self.tag.d.next = self.gate.next_tag.val();
                for i in 0..self._n {
                    if self.gate.next_id.val() == i.to_bits::<3>() {
                        self.cause.d.next = self.window_cause[i].val();
                    }
                }
            }
        }
        self.fault.next = self.faulty.q.val();
        self.fault_settled.next = self.broken.q.val();
        for i in 0..self._n {
            if (self.who.q.val() == i.to_bits::<3>()) & !self.flights[i].out_valid.val() {
                self.fault_settled.next = true;
            }
        }
        self.fault_requester.next = self.who.q.val();
        self.fault_cause.next = self.cause.q.val();
        self.fault_address.next = self.place.q.val();
        self.fault_tag.next = self.tag.q.val();
        if self.rst.val() {
            self.count.d.next = 0.into();
            self.faulty.d.next = false;
            self.broken.d.next = false;
        }
    }
}
