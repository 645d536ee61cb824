// SPDX-License-Identifier: Apache-2.0
//! A first-in first-out queue whose head shows without a request.
//!
//! ```text
//!  in_valid, in_data[lane] ──►┌──────┐──► out_valid, out_data[lane]     order kept; nothing lost, nothing twice
//!  in_ready ◄─────────────────│ fifo │◄── out_ready
//!                             └──────┘──► level                         0..=depth
//! ```
//! Latency 1 cycle, one transfer per cycle on both sides, `in_ready` and `out_valid` come from registers: no combinational path
//! goes through. `clear` empties it. Storage is look-up-table RAM. Test: `tests/prim.rs`.

use super::prelude::*;

/// A queue of `depth` words of `lanes` times W bits.
#[derive(LogicBlock)]
pub struct Fifo<const W: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Empties the queue.
    pub clear: Signal<In, Bit>,
    /// A word is offered.
    pub in_valid: Signal<In, Bit>,
    /// There is room.
    pub in_ready: Signal<Out, Bit>,
    /// The word offered.
    pub in_data: Vec<Signal<In, Bits<W>>>,
    /// The head is valid.
    pub out_valid: Signal<Out, Bit>,
    /// The head is taken.
    pub out_ready: Signal<In, Bit>,
    /// The head.
    pub out_data: Vec<Signal<Out, Bits<W>>>,
    /// Words inside.
    pub level: Signal<Out, Bits<8>>,
    mem: Lutram<W>,
    head: Reg<Bits<8>>,
    tail: Reg<Bits<8>>,
    count: Reg<Bits<8>>,
    push: Signal<Local, Bit>,
    pop: Signal<Local, Bit>,
    depth: Constant<Bits<8>>,
    last: Constant<Bits<8>>,
    /// The bits that a place and that a level can have: synthesis drops the others, which it cannot know to be 0 by itself.
    place_bits: Constant<Bits<8>>,
    level_bits: Constant<Bits<8>>,
    change: Signal<Local, Bits<8>>,
    _lanes: usize,
}

impl<const W: usize> Fifo<W> {
    /// A queue of `depth` (2 to 128) words of `lanes` (at least 1) lanes.
    pub fn new(depth: usize, lanes: usize) -> Self {
        assert!((2..=128).contains(&depth), "a queue has 2 to 128 words, not {depth}");
        Fifo {
            clk: Signal::default(),
            clear: Signal::default(),
            in_valid: Signal::default(),
            in_ready: Signal::default(),
            in_data: vec![Signal::default(); lanes],
            out_valid: Signal::default(),
            out_ready: Signal::default(),
            out_data: vec![Signal::default(); lanes],
            level: Signal::default(),
            mem: Lutram::new(depth, lanes),
            head: Reg::default(),
            tail: Reg::default(),
            count: Reg::default(),
            push: Signal::default(),
            pop: Signal::default(),
            depth: Constant::new((depth as u64).into()),
            last: Constant::new((depth as u64 - 1).into()),
            place_bits: Constant::new((depth.next_power_of_two() as u64 - 1).into()),
            level_bits: Constant::new(((depth + 1).next_power_of_two() as u64 - 1).into()),
            change: Signal::default(),
            _lanes: lanes,
        }
    }
}

impl<const W: usize> Logic for Fifo<W> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("fifo_{in_data[]}x{in_data}: first in, first out; the head shows without a request.");
        dff_setup!(self, clk, head, tail, count);
        self.in_ready.next = self.count.q.val() != self.depth.val();
        self.out_valid.next = self.count.q.val() != 0;
        self.level.next = self.count.q.val();
        self.push.next = self.in_valid.val() & (self.count.q.val() != self.depth.val());
        self.pop.next = self.out_ready.val() & (self.count.q.val() != 0);
        self.mem.clock.next = self.clk.val();
        self.mem.write_enable.next = self.push.val();
        self.mem.write_address.next = self.tail.q.val();
        self.mem.read_address.next = self.head.q.val();
        for i in 0..self._lanes {
            self.mem.write[i].next = self.in_data[i].val();
            self.out_data[i].next = self.mem.read[i].val();
        }
        if self.push.val() {
            self.tail.d.next = (self.tail.q.val() + 1) & self.place_bits.val();
            if self.tail.q.val() == self.last.val() {
                self.tail.d.next = 0.into();
            }
        }
        if self.pop.val() {
            self.head.d.next = (self.head.q.val() + 1) & self.place_bits.val();
            if self.head.q.val() == self.last.val() {
                self.head.d.next = 0.into();
            }
        }
        // One adder: +1, -1 or 0.
        self.change.next = 0.into();
        if self.push.val() & !self.pop.val() {
            self.change.next = 1.into();
        }
        if !self.push.val() & self.pop.val() {
            self.change.next = 0xFF.into();
        }
        self.count.d.next = (self.count.q.val() + self.change.val()) & self.level_bits.val();
        if self.clear.val() {
            self.head.d.next = 0.into();
            self.tail.d.next = 0.into();
            self.count.d.next = 0.into();
        }
    }
}
