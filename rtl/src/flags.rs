// SPDX-License-Identifier: Apache-2.0
//! The event flags: a counter of 0..15 for every ordered pair of different workers and every id.
//!
//! ```text
//!  raise[from, to, id], raise_early ──►┌───────┐──► present[to, from, id]     counter != 0
//!  take[to, from, id] ────────────────►│ flags │──► any                       some counter != 0, one cycle late
//!  oldest_pc[from], newest_pc ────────►└───────┘──► fault, fault_pipe, fault_pc
//! ```
//! Rule: `count(t+1) = count(t) + raise + raise_early - take`; a result above 15 is the fault FlagOverflow of pipe `from` and leaves
//! the counter undefined. A counter that both raises and is taken at 15 stays at 15 without a fault. `take` of an absent flag is the
//! issue stage's mistake and never happens. Indices: `raise[(from * 5 + to) * 8 + id]`, `take` and `present`
//! `[(to * 5 + from) * 8 + id]` (the vectors of the issue stages one after the other), `raise_early[0..8]` MTE1 to M,
//! `raise_early[8..16]` M to FIX. The diagonal is unused: its inputs are ignored, its `present` is false.
//!
//! Tests: `tests/units/flags.rs`. Page: `docs/units/flags.md`.

use crate::prim::prelude::*;
use isa::limits::{FLAG_IDS, FLAG_LIMIT};
use isa::{Flag, Pipe};

/// All flag counters of a core.
#[derive(LogicBlock)]
pub struct Flags {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Every counter to 0, no fault.
    pub rst: Signal<In, Bit>,
    /// Adds one; index `(from * 5 + to) * 8 + id`.
    pub raise: Vec<Signal<In, Bit>>,
    /// Adds one: 0..8 MTE1 to M, 8..16 M to FIX.
    pub raise_early: Vec<Signal<In, Bit>>,
    /// Takes one; index `(to * 5 + from) * 8 + id`.
    pub take: Vec<Signal<In, Bit>>,
    /// The counter is not 0; index `(to * 5 + from) * 8 + id`.
    pub present: Vec<Signal<Out, Bit>>,
    /// Some counter was not 0 one cycle ago.
    pub any: Signal<Out, Bit>,
    /// Program counter that belongs to the raises of each pipe.
    pub oldest_pc: Vec<Signal<In, Bits<32>>>,
    /// Program counter that belongs to the early raises of MTE1 and M.
    pub newest_pc: Vec<Signal<In, Bits<32>>>,
    /// Level until `rst`: a counter went above 15.
    pub fault: Signal<Out, Bit>,
    /// Worker that raised it, by engine index.
    pub fault_pipe: Signal<Out, Bits<3>>,
    /// Instruction that raised it.
    pub fault_pc: Signal<Out, Bits<32>>,
    count: Vec<Reg<Bits<4>>>,
    some: Reg<Bit>,
    failed: Reg<Bit>,
    failed_pipe: Reg<Bits<3>>,
    failed_pc: Reg<Bits<32>>,
    two_more: Vec<Signal<Local, Bit>>,
    one_more: Vec<Signal<Local, Bit>>,
    beyond: Vec<Signal<Local, Bit>>,
    change: Vec<Signal<Local, Bits<4>>>,
    early: Vec<Signal<Local, Bit>>,
    over: Vec<Signal<Local, Bit>>,
    over_early: Vec<Signal<Local, Bit>>,
    nonzero: Signal<Local, Bit>,
    limit: Constant<Bits<4>>,
    _pipes: usize,
    _ids: usize,
    _partners: usize,
}

impl Default for Flags {
    fn default() -> Self {
        let (pipes, ids) = (Pipe::WORKERS.len(), FLAG_IDS);
        // The kernel names the two chained pairs by worker number: MTE1 1, M 2, FIX 3.
        let chained = |from, to| Flag { from, to, id: 0 }.may_be_early();
        assert!(chained(Pipe::WORKERS[1], Pipe::WORKERS[2]) && chained(Pipe::WORKERS[2], Pipe::WORKERS[3]));
        let counters = pipes * (pipes - 1) * ids;
        Flags {
            clk: Signal::default(),
            rst: Signal::default(),
            raise: vec![Signal::default(); Flag::COUNT],
            raise_early: vec![Signal::default(); 2 * ids],
            take: vec![Signal::default(); Flag::COUNT],
            present: vec![Signal::default(); Flag::COUNT],
            any: Signal::default(),
            oldest_pc: vec![Signal::default(); pipes],
            newest_pc: vec![Signal::default(); 2],
            fault: Signal::default(),
            fault_pipe: Signal::default(),
            fault_pc: Signal::default(),
            count: vec![Reg::default(); counters],
            some: Reg::default(),
            failed: Reg::default(),
            failed_pipe: Reg::default(),
            failed_pc: Reg::default(),
            two_more: vec![Signal::default(); counters],
            one_more: vec![Signal::default(); counters],
            beyond: vec![Signal::default(); counters],
            change: vec![Signal::default(); counters],
            early: vec![Signal::default(); counters],
            over: vec![Signal::default(); pipes],
            over_early: vec![Signal::default(); 2],
            nonzero: Signal::default(),
            limit: Constant::new(u64::from(FLAG_LIMIT).into()),
            _pipes: pipes,
            _ids: ids,
            _partners: pipes,
        }
    }
}

impl Logic for Flags {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("flags: the event counters between the pipes.");
        dff_setup!(self, clk, some, failed, failed_pipe, failed_pc);

        // Partner d of pipe i is pipe (i + d) mod 5, so that the diagonal has no counter: number (i * 4 + d - 1) * 8 + j.
        for i in 0..160 {
            self.early[i].next = false;
        }
        for j in 0..self._ids {
            self.early[4 * 8 + j].next = self.raise_early[j].val();
            self.early[2 * 4 * 8 + j].next = self.raise_early[8 + j].val();
        }
        self.nonzero.next = false;
        for i in 0..self._pipes {
            self.over[i].next = false;
            for j in 0..self._ids {
                self.present[(i * 5 + i) * 8 + j].next = false;
            }
            for d in 1..self._partners {
                for j in 0..self._ids {
                    self.count[(i * 4 + d - 1) * 8 + j].clock.next = self.clk.val();
                    self.two_more[(i * 4 + d - 1) * 8 + j].next = self.raise[(i * 5 + (i + d) % 5) * 8 + j].val()
                        & self.early[(i * 4 + d - 1) * 8 + j].val()
                        & !self.take[(((i + d) % 5) * 5 + i) * 8 + j].val();
                    self.one_more[(i * 4 + d - 1) * 8 + j].next = (self.raise[(i * 5 + (i + d) % 5) * 8 + j].val()
                        ^ self.early[(i * 4 + d - 1) * 8 + j].val()
                        ^ self.take[(((i + d) % 5) * 5 + i) * 8 + j].val())
                        & (self.raise[(i * 5 + (i + d) % 5) * 8 + j].val() | self.early[(i * 4 + d - 1) * 8 + j].val());
                    // One adder: +2, +1, -1 or 0.
                    self.change[(i * 4 + d - 1) * 8 + j].next = 0.into();
                    if self.two_more[(i * 4 + d - 1) * 8 + j].val() {
                        self.change[(i * 4 + d - 1) * 8 + j].next = 2.into();
                    } else if self.one_more[(i * 4 + d - 1) * 8 + j].val() {
                        self.change[(i * 4 + d - 1) * 8 + j].next = 1.into();
                    } else if self.take[(((i + d) % 5) * 5 + i) * 8 + j].val()
                        & !self.raise[(i * 5 + (i + d) % 5) * 8 + j].val()
                        & !self.early[(i * 4 + d - 1) * 8 + j].val()
                    {
                        self.change[(i * 4 + d - 1) * 8 + j].next = 15.into();
                    }
                    self.count[(i * 4 + d - 1) * 8 + j].d.next =
                        self.count[(i * 4 + d - 1) * 8 + j].q.val() + self.change[(i * 4 + d - 1) * 8 + j].val();
                    if self.rst.val() {
                        self.count[(i * 4 + d - 1) * 8 + j].d.next = 0.into();
                    }
                    self.present[(((i + d) % 5) * 5 + i) * 8 + j].next =
                        self.count[(i * 4 + d - 1) * 8 + j].q.val() != 0;
                    if self.count[(i * 4 + d - 1) * 8 + j].q.val() != 0 {
                        self.nonzero.next = true;
                    }
                    self.beyond[(i * 4 + d - 1) * 8 + j].next = (self.one_more[(i * 4 + d - 1) * 8 + j].val()
                        & (self.count[(i * 4 + d - 1) * 8 + j].q.val() == self.limit.val()))
                        | (self.two_more[(i * 4 + d - 1) * 8 + j].val()
                            & (self.count[(i * 4 + d - 1) * 8 + j].q.val() >= self.limit.val() - 1));
                    if self.beyond[(i * 4 + d - 1) * 8 + j].val() {
                        self.over[i].next = true;
                    }
                }
            }
        }
        for i in 0..2 {
            self.over_early[i].next = false;
            for j in 0..self._ids {
                if self.raise_early[i * 8 + j].val() & self.beyond[((i + 1) * 4) * 8 + j].val() {
                    self.over_early[i].next = true;
                }
            }
        }

        if !self.failed.q.val() {
            for i in 0..self._pipes {
                if self.over[i].val() {
                    self.failed.d.next = true;
                    self.failed_pipe.d.next = i.to_bits();
                    self.failed_pc.d.next = self.oldest_pc[i].val();
                }
            }
            for i in 0..2 {
                if self.over_early[i].val() {
                    self.failed_pipe.d.next = (i + 1).to_bits();
                    self.failed_pc.d.next = self.newest_pc[i].val();
                }
            }
        }
        self.some.d.next = self.nonzero.val();
        self.any.next = self.some.q.val();
        self.fault.next = self.failed.q.val();
        self.fault_pipe.next = self.failed_pipe.q.val();
        self.fault_pc.next = self.failed_pc.q.val();
        if self.rst.val() {
            self.some.d.next = false;
            self.failed.d.next = false;
        }
    }
}
