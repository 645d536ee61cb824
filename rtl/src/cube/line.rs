// SPDX-License-Identifier: Apache-2.0
//! What goes along with a cube step through the pipeline: when to read, add to and write which block of L0C.
//!
//! ```text
//!  go(t): step done, its block of C
//!    ├─ t+2+T  read_valid, read_address     L0C is read (first step of a run that accumulates)
//!    ├─ t+4+T  add, keep, load              its dot products arrive at the accumulators
//!    ├─ t+5+T  write_valid, write_address   the run's totals go to L0C (last step of a run)
//!    └─ t+6+T  done                         they have landed (last step of an instruction)
//! ```
//! `landing`: a run that ended in the last three steps writes the block `probe`; its successor must not read it yet.

use crate::prim::prelude::*;

/// Delay line of the cube's control.
#[derive(LogicBlock)]
pub struct Line {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forget everything inside.
    pub rst: Signal<In, Bit>,
    /// A step enters.
    pub go: Signal<In, Bit>,
    /// It starts from L0C's block.
    pub in_load: Signal<In, Bit>,
    /// It goes on from the accumulators.
    pub in_keep: Signal<In, Bit>,
    /// It ends its k-run.
    pub in_last: Signal<In, Bit>,
    /// It ends its instruction.
    pub in_final: Signal<In, Bit>,
    /// Its block of C; also the block that `landing` is about.
    pub probe: Signal<In, Bits<16>>,
    /// A write to `probe` is too near for reading it.
    pub landing: Signal<Out, Bit>,
    /// Read L0C.
    pub read_valid: Signal<Out, Bit>,
    /// Block to read.
    pub read_address: Signal<Out, Bits<16>>,
    /// Dot products arrive.
    pub add: Signal<Out, Bit>,
    /// They go on from the totals.
    pub keep: Signal<Out, Bit>,
    /// They start from the block read.
    pub load: Signal<Out, Bit>,
    /// Write L0C.
    pub write_valid: Signal<Out, Bit>,
    /// Block to write.
    pub write_address: Signal<Out, Bits<16>>,
    /// An instruction's last block has landed.
    pub done: Signal<Out, Bit>,
    /// Stage s holds what entered s + 1 cycles ago.
    busy: Vec<Reg<Bit>>,
    loads: Vec<Reg<Bit>>,
    keeps: Vec<Reg<Bit>>,
    ends: Vec<Reg<Bit>>,
    finals: Vec<Reg<Bit>>,
    block: Vec<Reg<Bits<16>>>,
    _tree: usize,
}

impl Line {
    /// The line beside an adder tree of `tree` registers.
    pub fn new(tree: usize) -> Self {
        Line {
            clk: Signal::default(),
            rst: Signal::default(),
            go: Signal::default(),
            in_load: Signal::default(),
            in_keep: Signal::default(),
            in_last: Signal::default(),
            in_final: Signal::default(),
            probe: Signal::default(),
            landing: Signal::default(),
            read_valid: Signal::default(),
            read_address: Signal::default(),
            add: Signal::default(),
            keep: Signal::default(),
            load: Signal::default(),
            write_valid: Signal::default(),
            write_address: Signal::default(),
            done: Signal::default(),
            busy: vec![Reg::default(); tree + 4],
            loads: vec![Reg::default(); tree + 4],
            keeps: vec![Reg::default(); tree + 4],
            ends: vec![Reg::default(); tree + 5],
            finals: vec![Reg::default(); tree + 6],
            block: vec![Reg::default(); tree + 5],
            _tree: tree,
        }
    }
}

impl Logic for Line {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("m_line_{finals[]}: carries along with each cube step what to do with its block of C.");
        for s in 0..(self._tree + 4) {
            self.busy[s].clock.next = self.clk.val();
            self.loads[s].clock.next = self.clk.val();
            self.keeps[s].clock.next = self.clk.val();
        }
        for s in 0..(self._tree + 5) {
            self.ends[s].clock.next = self.clk.val();
            self.block[s].clock.next = self.clk.val();
        }
        for s in 0..(self._tree + 6) {
            self.finals[s].clock.next = self.clk.val();
        }
        self.busy[0].d.next = self.go.val() & !self.rst.val();
        self.loads[0].d.next = self.go.val() & self.in_load.val() & !self.rst.val();
        self.keeps[0].d.next = self.in_keep.val();
        self.ends[0].d.next = self.go.val() & self.in_last.val() & !self.rst.val();
        self.finals[0].d.next = self.go.val() & self.in_final.val() & !self.rst.val();
        self.block[0].d.next = self.probe.val();
        for s in 1..(self._tree + 4) {
            self.busy[s].d.next = self.busy[s - 1].q.val() & !self.rst.val();
            self.loads[s].d.next = self.loads[s - 1].q.val() & !self.rst.val();
            self.keeps[s].d.next = self.keeps[s - 1].q.val();
        }
        for s in 1..(self._tree + 5) {
            self.ends[s].d.next = self.ends[s - 1].q.val() & !self.rst.val();
            self.block[s].d.next = self.block[s - 1].q.val();
        }
        for s in 1..(self._tree + 6) {
            self.finals[s].d.next = self.finals[s - 1].q.val() & !self.rst.val();
        }
        self.landing.next = (self.ends[0].q.val() & (self.block[0].q.val() == self.probe.val()))
            | (self.ends[1].q.val() & (self.block[1].q.val() == self.probe.val()))
            | (self.ends[2].q.val() & (self.block[2].q.val() == self.probe.val()));
        for t in self._tree..(self._tree + 1) {
            self.read_valid.next = self.loads[t + 1].q.val();
            self.read_address.next = self.block[t + 1].q.val();
            self.add.next = self.busy[t + 3].q.val();
            self.keep.next = self.keeps[t + 3].q.val();
            self.load.next = self.loads[t + 3].q.val();
            self.write_valid.next = self.ends[t + 4].q.val();
            self.write_address.next = self.block[t + 4].q.val();
            self.done.next = self.finals[t + 5].q.val();
        }
    }
}
