// SPDX-License-Identifier: Apache-2.0
//! Reads the program ahead of the decoder: bursts into a queue of 32-byte instructions.
//!
//! ```text
//!  start, program_base, length ──►┌───────┐──► request (address, beats)    requester 0 of the AXI read side
//!  halt, stop ──────────────►│ fetch │◄── data
//!  out_word[8], out_valid ◄──│       │──► exhausted, quiet, address
//!  out_ready ───────────────►└───────┘
//! ```
//! Rule: a burst is requested when the queue has room for all of it, so a beat is never refused for want of room and cannot block
//! the beats of other requesters. Bursts are min(256, fetch_bytes / 2) bytes, end at multiples of that size (hence never cross 4 KiB)
//! and never go past `program_base + length`, save that a bus of 64 bytes reads whole words: with an odd number of instructions the last
//! word reaches 32 bytes further, and its second half is dropped. Throughput one instruction per max(1, 32 / W) cycles.
//!
//! Test: `tests/units/sequencer.rs`. Page: `docs/units/sequencer.md`.

use crate::prim::prelude::*;
use isa::Config;
use isa::limits::INSTRUCTION_BYTES;

/// Largest burst in bytes.
const BURST_BYTES: usize = 256;

/// Fetches instructions over a bus of B bits.
#[derive(LogicBlock)]
pub struct Fetch<const B: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets everything.
    pub rst: Signal<In, Bit>,
    /// No new requests.
    pub halt: Signal<In, Bit>,
    /// Pulse: begins at `program_base`.
    pub start: Signal<In, Bit>,
    /// The program has ended: no new requests.
    pub stop: Signal<In, Bit>,
    /// GM address of the program, a multiple of 64.
    pub program_base: Signal<In, Bits<40>>,
    /// Bytes of the program, a multiple of 32.
    pub length: Signal<In, Bits<32>>,
    /// A burst is asked for.
    pub request_valid: Signal<Out, Bit>,
    /// The request is taken.
    pub request_ready: Signal<In, Bit>,
    /// GM address of the burst.
    pub request_address: Signal<Out, Bits<40>>,
    /// Beats of the burst less 1.
    pub request_beats: Signal<Out, Bits<8>>,
    /// A beat is offered.
    pub data_valid: Signal<In, Bit>,
    /// The beat is taken.
    pub data_ready: Signal<Out, Bit>,
    /// The beat.
    pub data: Signal<In, Bits<B>>,
    /// An instruction is offered.
    pub out_valid: Signal<Out, Bit>,
    /// The instruction is taken.
    pub out_ready: Signal<In, Bit>,
    /// The instruction.
    pub out_word: Vec<Signal<Out, Bits<32>>>,
    /// Every instruction up to the end of the program has been taken.
    pub exhausted: Signal<Out, Bit>,
    /// No requested beat is missing.
    pub quiet: Signal<Out, Bit>,
    /// Where the next burst begins; the end of the program when exhausted.
    pub address: Signal<Out, Bits<40>>,
    queue: Fifo<32>,
    held: Vec<Reg<Bits<32>>>,
    part: Reg<Bits<3>>,
    second: Reg<Bit>,
    active: Reg<Bit>,
    next: Reg<Bits<41>>,
    left: Reg<Bits<27>>,
    pending: Reg<Bits<8>>,
    offered: Reg<Bit>,
    offer_address: Reg<Bits<40>>,
    offer_count: Reg<Bits<8>>,
    /// Instructions up to the next multiple of the burst size.
    whole: Signal<Local, Bits<8>>,
    /// Instructions of the next burst.
    count: Signal<Local, Bits<8>>,
    room: Signal<Local, Bit>,
    ended: Signal<Local, Bit>,
    ask: Signal<Local, Bit>,
    push: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    burst: Constant<Bits<8>>,
    burst_mask: Constant<Bits<3>>,
    depth: Constant<Bits<8>>,
    last_part: Constant<Bits<3>>,
    beat_up: Constant<Bits<8>>,
    beat_down: Constant<Bits<8>>,
    beat_low: Constant<Bits<8>>,
    two_per_beat: Constant<Bit>,
    _held_parts: usize,
    _held_lanes: usize,
    _lanes: usize,
    _second_halves: usize,
}

impl<const B: usize> Fetch<B> {
    /// The fetch unit of a core of this configuration, whose bus has B bits.
    pub fn new(config: &Config) -> Self {
        let bus_bytes = B / 8;
        assert_eq!(bus_bytes, config.bus_bytes, "the bus width is fixed at compile time");
        let burst = (config.fetch_bytes / 2).clamp(INSTRUCTION_BYTES, BURST_BYTES) / INSTRUCTION_BYTES;
        let depth = config.fetch_bytes / INSTRUCTION_BYTES;
        let parts = INSTRUCTION_BYTES.div_ceil(bus_bytes);
        let lanes = bus_bytes.min(INSTRUCTION_BYTES) / 4;
        let two_per_beat = bus_bytes > INSTRUCTION_BYTES;
        Fetch {
            clk: Signal::default(),
            rst: Signal::default(),
            halt: Signal::default(),
            start: Signal::default(),
            stop: Signal::default(),
            program_base: Signal::default(),
            length: Signal::default(),
            request_valid: Signal::default(),
            request_ready: Signal::default(),
            request_address: Signal::default(),
            request_beats: Signal::default(),
            data_valid: Signal::default(),
            data_ready: Signal::default(),
            data: Signal::default(),
            out_valid: Signal::default(),
            out_ready: Signal::default(),
            out_word: vec![Signal::default(); 8],
            exhausted: Signal::default(),
            quiet: Signal::default(),
            address: Signal::default(),
            queue: Fifo::new(depth, 8),
            held: vec![Reg::default(); (parts - 1) * lanes],
            part: Reg::default(),
            second: Reg::default(),
            active: Reg::default(),
            next: Reg::default(),
            left: Reg::default(),
            pending: Reg::default(),
            offered: Reg::default(),
            offer_address: Reg::default(),
            offer_count: Reg::default(),
            whole: Signal::default(),
            count: Signal::default(),
            room: Signal::default(),
            ended: Signal::default(),
            ask: Signal::default(),
            push: Signal::default(),
            take: Signal::default(),
            burst: Constant::new((burst as u64).into()),
            burst_mask: Constant::new((burst as u64 - 1).into()),
            depth: Constant::new((depth as u64).into()),
            last_part: Constant::new((parts as u64 - 1).into()),
            beat_up: Constant::new(u64::from(parts.trailing_zeros()).into()),
            beat_down: Constant::new(u64::from(two_per_beat).into()),
            beat_low: Constant::new((parts as u64 - 1).into()),
            two_per_beat: Constant::new(two_per_beat),
            _held_parts: parts - 1,
            _held_lanes: (parts - 1) * lanes,
            _lanes: lanes,
            _second_halves: if two_per_beat { 2 } else { 1 },
        }
    }
}

impl<const B: usize> Logic for Fetch<B> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("fetch_{data}: reads the program ahead of the decoder in bursts.");
        dff_setup!(self, clk, part, second, active, next, left, pending, offered, offer_address, offer_count);

        // Requests. The count of a burst ends it at a multiple of the burst size or at the end of the program.
        self.whole.next =
            self.burst.val() - bit_cast::<8, 3>(self.next.q.val().get_bits::<3>(5) & self.burst_mask.val());
        self.count.next = self.whole.val();
        if self.left.q.val() < bit_cast::<27, 8>(self.whole.val()) {
            self.count.next = self.left.q.val().get_bits::<8>(0);
        }
        self.room.next = bit_cast::<10, 8>(self.pending.q.val())
            + bit_cast::<10, 8>(self.queue.level.val())
            + bit_cast::<10, 8>(self.count.val())
            <= bit_cast::<10, 8>(self.depth.val());
        self.ended.next = (self.left.q.val() == 0) | self.next.q.val().get_bit(40);
        self.ask.next = self.active.q.val()
            & !self.offered.q.val()
            & !self.halt.val()
            & !self.stop.val()
            & !self.ended.val()
            & self.room.val();
        if self.ask.val() {
            self.offered.d.next = true;
            self.offer_address.d.next = self.next.q.val().get_bits::<40>(0);
            self.offer_count.d.next = self.count.val();
            self.next.d.next = self.next.q.val() + (bit_cast::<41, 8>(self.count.val()) << 5);
            self.left.d.next = self.left.q.val() - bit_cast::<27, 8>(self.count.val());
        } else if self.request_ready.val() {
            self.offered.d.next = false;
        }
        self.request_valid.next = self.offered.q.val();
        self.request_address.next = self.offer_address.q.val();
        self.request_beats.next =
            (((self.offer_count.q.val() - 1) << self.beat_up.val()) >> self.beat_down.val()) | self.beat_low.val();

        // Gathering: words narrower than an instruction wait in `held`, a wider word goes in twice.
        self.take.next = self.data_valid.val() & (!self.two_per_beat.val() | self.second.q.val());
        self.data_ready.next = !self.two_per_beat.val() | self.second.q.val();
        self.push.next =
            self.data_valid.val() & (self.part.q.val() == self.last_part.val()) & (self.pending.q.val() != 0);
        self.queue.clk.next = self.clk.val();
        self.queue.clear.next = self.rst.val();
        self.queue.in_valid.next = self.push.val();
        for i in 0..self._held_lanes {
            self.queue.in_data[i].next = self.held[i].q.val();
            self.held[i].clock.next = self.clk.val();
            self.held[i].d.next = self.held[i].q.val();
        }
        for p in 0..self._held_parts {
            for n in self._lanes..(self._lanes + 1) {
                for l in 0..self._lanes {
                    if self.data_valid.val() & (self.part.q.val() == p.to_bits()) {
                        self.held[p * n + l].d.next = self.data.val().get_bits::<32>(l * 32);
                    }
                }
            }
        }
        for n in self._held_lanes..(self._held_lanes + 1) {
            for l in 0..self._lanes {
                self.queue.in_data[n + l].next = self.data.val().get_bits::<32>(l * 32);
            }
        }
        for h in 1..self._second_halves {
            for l in 0..self._lanes {
                if self.second.q.val() {
                    self.queue.in_data[l].next = self.data.val().get_bits::<32>(h * 256 + l * 32);
                }
            }
        }
        if self.data_valid.val() {
            self.part.d.next = self.part.q.val() + 1;
            if self.part.q.val() == self.last_part.val() {
                self.part.d.next = 0.into();
            }
            self.second.d.next = self.two_per_beat.val() & !self.second.q.val();
        }
        if self.ask.val() & self.push.val() {
            self.pending.d.next = self.pending.q.val() + self.count.val() - 1;
        } else if self.ask.val() {
            self.pending.d.next = self.pending.q.val() + self.count.val();
        } else if self.push.val() {
            self.pending.d.next = self.pending.q.val() - 1;
        }

        // The decoder's side.
        self.out_valid.next = self.queue.out_valid.val();
        self.queue.out_ready.next = self.out_ready.val();
        for i in 0..8 {
            self.out_word[i].next = self.queue.out_data[i].val();
        }
        self.quiet.next = self.pending.q.val() == 0;
        self.exhausted.next =
            self.active.q.val() & self.ended.val() & (self.pending.q.val() == 0) & !self.queue.out_valid.val();
        self.address.next = self.next.q.val().get_bits::<40>(0);

        if self.start.val() {
            self.active.d.next = true;
            self.next.d.next = bit_cast::<41, 40>(self.program_base.val());
            self.left.d.next = self.length.val().get_bits::<27>(5);
        }
        if self.rst.val() {
            self.part.d.next = 0.into();
            self.second.d.next = false;
            self.active.d.next = false;
            self.pending.d.next = 0.into();
            self.offered.d.next = false;
        }
    }
}
