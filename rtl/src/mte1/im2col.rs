// SPDX-License-Identifier: Apache-2.0
//! mte1.im2col: makes the blocks of A of a convolution from a feature map in L1, whatever way their bytes lie there.
//!
//! ```text
//!  set_*, accept, words ──►┌────────┐──► unset, bad, done    the instruction in the slot
//!  want, slot operands ───►│ im2col │──► begun               it has been taken over; the slot may be emptied
//!  open, read_ready ──────►│        │──► read_valid, word[]  L1, one word per bank
//!  data ──────────────────►└────────┘──► block_done, byte[], given[], outside
//! ```
//! ```text
//!  geometry ─► pixels ─► row 0..M0 (3 stages) ─► schedule ─► (L1) ─► assemble
//!      └─────► pieces ──────┘
//! ```
//! All before `schedule` runs ahead of the walk that sends the blocks off, also into the next instruction; `schedule` reads only while `open`.
//! `block_done` comes 2 cycles after the last read of a block was accepted, `byte` and `given` show the block 3 cycles after that.

mod assemble;
mod geometry;
mod pieces;
mod pixels;
mod product;
mod row;
mod schedule;

pub use assemble::Assemble;
pub use geometry::Geometry;
pub use pieces::Pieces;
pub use pixels::Pixels;
pub use product::Product;
pub use row::Row;
pub use schedule::Schedule;

use super::Shape;
use crate::prim::prelude::*;

/// The maker of blocks from a feature map.
#[derive(LogicBlock)]
pub struct Im2col {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Stops.
    pub rst: Signal<In, Bit>,
    /// A state register is written.
    pub set_valid: Signal<In, Bit>,
    /// Which.
    pub set_register: Signal<In, Bits<8>>,
    /// Its new value.
    pub set_value: Signal<In, Bits<32>>,
    /// An mte1.im2col is taken into the slot.
    pub accept: Signal<In, Bit>,
    /// Its words.
    pub op_word: Vec<Signal<In, Bits<32>>>,
    /// It has an illegal state register, or an operand that goes with it.
    pub bad: Signal<Out, Bit>,
    /// A state register that it uses was not written.
    pub unset: Signal<Out, Bit>,
    /// It may start.
    pub done: Signal<Out, Bit>,
    /// The slot holds an mte1.im2col that may start.
    pub want: Signal<In, Bit>,
    /// Its rows.
    pub rows: Signal<In, Bits<16>>,
    /// Its bytes of k.
    pub k: Signal<In, Bits<16>>,
    /// It is taken over, now or before.
    pub begun: Signal<Out, Bit>,
    /// The slot is emptied.
    pub free: Signal<In, Bit>,
    /// Do nothing (a fault).
    pub hold: Signal<In, Bit>,
    /// The walk is at an mte1.im2col.
    pub open: Signal<In, Bit>,
    /// The read offered is accepted.
    pub read_ready: Signal<In, Bit>,
    /// Reads.
    pub read_valid: Signal<Out, Bit>,
    /// Word of each bank.
    pub word: Vec<Signal<Out, Bits<16>>>,
    /// 3 cycles later: the word of bank b at `b * K0 ..`.
    pub data: Vec<Signal<In, Bits<8>>>,
    /// The walk may take a block (a pulse per block, in its order).
    pub block_done: Signal<Out, Bit>,
    /// Row r, byte c at `r * K0 + c`, 3 cycles after `block_done`.
    pub byte: Vec<Signal<Out, Bits<8>>>,
    /// That byte is real; else padding.
    pub given: Vec<Signal<Out, Bit>>,
    /// The walk's block wants a byte outside L1; all before it are taken.
    pub outside: Signal<Out, Bit>,
    /// The first such byte.
    pub outside_address: Signal<Out, Bits<26>>,
    geometry: Geometry,
    pixels: Pixels,
    pieces: Pieces,
    row: Vec<Row>,
    schedule: Schedule,
    assemble: Vec<Assemble>,
    /// The slot's instruction is with `pixels`; with `pieces`, too.
    started: Reg<Bit>,
    taken_over: Reg<Bit>,
    // Of the block of rows in work, and of the stages behind it.
    map_height: Vec<Reg<Bits<16>>>,
    map_width: Vec<Reg<Bits<24>>>,
    real: Vec<Reg<Bit>>,
    real_next: Vec<Reg<Bit>>,
    length: Reg<Bits<8>>,
    place: Vec<Reg<Bits<8>>>,
    valid: Vec<Reg<Bit>>,
    first: Vec<Reg<Bit>>,
    last: Vec<Reg<Bit>>,
    ended: Vec<Reg<Bit>>,
    // Beside the reads of L1.
    served: Vec<Reg<Bit>>,
    fresh: Vec<Reg<Bit>>,
    start: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    opening: Signal<Local, Bit>,
    opened: Signal<Local, Bit>,
    go: Signal<Local, Bit>,
    any_outside: Vec<Signal<Local, Bit>>,
    loading: Signal<Local, Bit>,
    stopped: Signal<Local, Bit>,
    _m0: usize,
    _nb: usize,
    _k0: usize,
    _lanes: usize,
}

impl Im2col {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        let (m0, lanes) = (shape.m0, shape.nb * shape.k0);
        Im2col {
            clk: Signal::default(),
            rst: Signal::default(),
            set_valid: Signal::default(),
            set_register: Signal::default(),
            set_value: Signal::default(),
            accept: Signal::default(),
            op_word: vec![Signal::default(); 8],
            bad: Signal::default(),
            unset: Signal::default(),
            done: Signal::default(),
            want: Signal::default(),
            rows: Signal::default(),
            k: Signal::default(),
            begun: Signal::default(),
            free: Signal::default(),
            hold: Signal::default(),
            open: Signal::default(),
            read_ready: Signal::default(),
            read_valid: Signal::default(),
            word: vec![Signal::default(); shape.nb],
            data: vec![Signal::default(); lanes],
            block_done: Signal::default(),
            byte: vec![Signal::default(); m0 * shape.k0],
            given: vec![Signal::default(); m0 * shape.k0],
            outside: Signal::default(),
            outside_address: Signal::default(),
            geometry: Geometry::default(),
            pixels: Pixels::new(shape),
            pieces: Pieces::new(shape),
            row: (0..m0).map(|_| Row::new(shape)).collect(),
            schedule: Schedule::new(shape),
            assemble: (0..m0).map(|_| Assemble::new(shape)).collect(),
            started: Reg::default(),
            taken_over: Reg::default(),
            map_height: vec![Reg::default(); 2],
            map_width: vec![Reg::default(); 2],
            real: vec![Reg::default(); m0],
            real_next: vec![Reg::default(); m0],
            length: Reg::default(),
            place: vec![Reg::default(); 2],
            valid: vec![Reg::default(); 3],
            first: vec![Reg::default(); 3],
            last: vec![Reg::default(); 3],
            ended: vec![Reg::default(); 2],
            served: vec![Reg::default(); 4],
            fresh: vec![Reg::default(); 4],
            start: Signal::default(),
            take: Signal::default(),
            opening: Signal::default(),
            opened: Signal::default(),
            go: Signal::default(),
            any_outside: vec![Signal::default(); m0 + 1],
            loading: Signal::default(),
            stopped: Signal::default(),
            _m0: m0,
            _nb: shape.nb,
            _k0: shape.k0,
            _lanes: lanes,
        }
    }
}

impl Logic for Im2col {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte1_im2col_{byte[]}of{data[]}: makes blocks of A from a feature map in L1.");
        dff_setup!(self, clk, started, taken_over, length);
        for s in 0..2 {
            self.map_height[s].clock.next = self.clk.val();
            self.map_width[s].clock.next = self.clk.val();
            self.place[s].clock.next = self.clk.val();
            self.ended[s].clock.next = self.clk.val();
            self.map_height[s].d.next = self.map_height[s].q.val();
            self.map_width[s].d.next = self.map_width[s].q.val();
            self.place[s].d.next = self.place[s].q.val();
        }
        for s in 0..3 {
            self.valid[s].clock.next = self.clk.val();
            self.first[s].clock.next = self.clk.val();
            self.last[s].clock.next = self.clk.val();
            self.valid[s].d.next = self.valid[s].q.val();
            self.first[s].d.next = self.first[s].q.val();
            self.last[s].d.next = self.last[s].q.val();
        }

        // The stages of the rows move all at once, unless the last one wants a byte outside L1.
        self.outside_address.next = 0.into();
        self.any_outside[0].next = false;
        for r in 0..self._m0 {
            self.any_outside[r + 1].next = self.any_outside[r].val() | self.row[r].outside.val();
            if self.row[r].outside.val() & !self.any_outside[r].val() {
                self.outside_address.next = self.row[r].outside_address.val();
            }
        }
        for m in self._m0..(self._m0 + 1) {
            self.stopped.next = self.valid[2].q.val() & self.any_outside[m].val();
        }
        self.go.next = (!self.schedule.busy.val() | self.schedule.finishing.val()) & !self.stopped.val();
        // The next block of rows is taken over.
        self.take.next =
            self.pixels.ready.val() & (!self.pieces.valid.val() | (self.go.val() & self.pieces.row_end.val()));

        // The slot.
        self.geometry.clk.next = self.clk.val();
        self.geometry.rst.next = self.rst.val();
        self.geometry.set_valid.next = self.set_valid.val();
        self.geometry.set_register.next = self.set_register.val();
        self.geometry.set_value.next = self.set_value.val();
        self.geometry.accept.next = self.accept.val();
        for w in 0..8 {
            self.geometry.word[w].next = self.op_word[w].val();
        }
        self.bad.next = self.geometry.bad.val();
        self.unset.next = self.geometry.unset.val();
        self.done.next = self.geometry.done.val();
        // It is taken over in two steps, each as early as it can be: the pixels, then what is common to all rows.
        self.start.next = self.want.val() & !self.started.q.val() & !self.pixels.busy.val() & !self.hold.val();
        self.opening.next = self.take.val() & self.pixels.first.val();
        self.opened.next = self.opening.val() | self.taken_over.q.val();
        self.begun.next = self.opened.val();
        if self.start.val() {
            self.started.d.next = true;
        }
        self.taken_over.d.next = self.opened.val();
        if self.free.val() {
            self.started.d.next = false;
            self.taken_over.d.next = false;
        }

        // The next block of rows.
        self.pixels.clk.next = self.clk.val();
        self.pixels.rst.next = self.rst.val();
        self.pixels.start.next = self.start.val();
        self.pixels.in_rows.next = self.rows.val();
        self.pixels.in_width.next = self.geometry.out_width.val();
        self.pixels.in_step_x.next = self.geometry.step_x.val();
        self.pixels.in_step_y.next = self.geometry.step_y.val();
        self.pixels.in_line_x.next = self.geometry.line_x.val();
        self.pixels.in_turn_x.next = self.geometry.turn_x.val();
        self.pixels.take.next = self.take.val();
        self.pieces.clk.next = self.clk.val();
        self.pieces.rst.next = self.rst.val();
        self.pieces.open.next = self.opening.val();
        self.pieces.again.next = self.take.val() & !self.pixels.first.val();
        self.pieces.in_k.next = self.k.val();
        self.pieces.in_taps_x.next = self.geometry.taps_x.val();
        self.pieces.in_tap_bytes.next = self.geometry.tap_bytes.val();
        self.pieces.in_tap_step_y.next = self.geometry.tap_step_y.val();
        self.pieces.in_tap_step_x.next = self.geometry.tap_step_x.val();
        self.pieces.in_tap_step_line.next = self.geometry.tap_step_line.val();
        self.pieces.in_tap_x.next = self.geometry.tap_x.val();
        self.pieces.in_tap_p.next = self.geometry.tap_p.val();
        self.pieces.in_tap_byte.next = self.geometry.tap_byte.val();
        self.pieces.step.next = self.pieces.valid.val() & self.go.val();
        if self.opening.val() {
            self.map_height[0].d.next = self.geometry.map_height.val();
            self.map_width[0].d.next = self.geometry.map_width.val();
        }

        // The stages of the rows.
        if self.go.val() {
            self.map_height[1].d.next = self.map_height[0].q.val();
            self.map_width[1].d.next = self.map_width[0].q.val();
            self.length.d.next = self.pieces.length.val();
            self.place[0].d.next = self.pieces.place.val();
            self.place[1].d.next = self.place[0].q.val();
            self.valid[0].d.next = self.pieces.valid.val();
            self.first[0].d.next = self.pieces.first.val();
            self.last[0].d.next = self.pieces.last.val();
            for s in 1..3 {
                self.valid[s].d.next = self.valid[s - 1].q.val();
                self.first[s].d.next = self.first[s - 1].q.val();
                self.last[s].d.next = self.last[s - 1].q.val();
            }
        }
        for r in 0..self._m0 {
            self.real[r].clock.next = self.clk.val();
            self.real_next[r].clock.next = self.clk.val();
            self.real[r].d.next = self.real[r].q.val();
            self.real_next[r].d.next = self.real_next[r].q.val();
            if self.take.val() {
                self.real_next[r].d.next = self.pixels.real[r].val();
            }
            if self.go.val() {
                self.real[r].d.next = self.real_next[r].q.val();
            }
            self.pixels.over[r].next = self.row[r].over.val();
            self.row[r].clk.next = self.clk.val();
            self.row[r].load.next = self.start.val();
            self.row[r].in_x.next = bit_cast::<17, 16>(self.geometry.x.val());
            self.row[r].in_y.next = self.geometry.y.val();
            self.row[r].in_p.next = self.geometry.p.val();
            self.row[r].in_a.next = self.geometry.a.val();
            self.row[r].moves.next = self.pixels.moves[r].val();
            self.row[r].by_x.next = self.pixels.by_x.val();
            self.row[r].by_y.next = self.pixels.by_y.val();
            self.row[r].by_p.next = self.pixels.by_p.val();
            self.row[r].by_a.next = self.pixels.by_a.val();
            self.row[r].width.next = self.pixels.width.val();
            self.row[r].show.next = self.take.val();
            self.row[r].go.next = self.go.val();
            self.row[r].piece_y.next = self.pieces.y.val();
            self.row[r].piece_p.next = self.pieces.p.val();
            self.row[r].piece_a.next = self.pieces.a.val();
            self.row[r].row_real.next = self.real[r].q.val();
            self.row[r].length.next = self.length.q.val();
            self.row[r].map_height.next = self.map_height[1].q.val();
            self.row[r].map_width.next = self.map_width[1].q.val();
            self.row[r].place.next = self.place[1].q.val();
            self.schedule.wanted[r].next = self.row[r].wanted.val();
            self.schedule.both[r].next = self.row[r].both.val();
            self.schedule.chunk[r].next = self.row[r].chunk.val();
        }

        // Reading and assembling.
        self.schedule.clk.next = self.clk.val();
        self.schedule.rst.next = self.rst.val();
        self.loading.next = self.go.val() & self.valid[2].q.val();
        self.schedule.load.next = self.loading.val();
        self.schedule.in_first.next = self.first[2].q.val();
        self.schedule.in_last.next = self.last[2].q.val();
        self.schedule.open.next = self.open.val() & !self.hold.val();
        self.schedule.read_ready.next = self.read_ready.val();
        self.read_valid.next = self.schedule.read_valid.val();
        for b in 0..self._nb {
            self.word[b].next = self.schedule.word[b].val();
        }
        for s in 0..4 {
            self.served[s].clock.next = self.clk.val();
            self.fresh[s].clock.next = self.clk.val();
        }
        self.served[0].d.next = self.schedule.serve.val();
        self.fresh[0].d.next = self.schedule.serve_first.val();
        for s in 1..4 {
            self.served[s].d.next = self.served[s - 1].q.val();
            self.fresh[s].d.next = self.fresh[s - 1].q.val();
        }
        for m0 in self._m0..(self._m0 + 1) {
            for k0 in self._k0..(self._k0 + 1) {
                for r in 0..self._m0 {
                    self.assemble[r].clk.next = self.clk.val();
                    self.assemble[r].load.next = self.loading.val();
                    self.assemble[r].low.next = self.row[r].low.val();
                    self.assemble[r].middle.next = self.row[r].middle.val();
                    self.assemble[r].high.next = self.row[r].high.val();
                    self.assemble[r].turn.next = self.row[r].turn.val();
                    self.assemble[r].served[0].next = self.schedule.served[r].val();
                    self.assemble[r].served[1].next = self.schedule.served[m0 + r].val();
                    self.assemble[r].bank[0].next = self.schedule.bank[r].val();
                    self.assemble[r].bank[1].next = self.schedule.bank[m0 + r].val();
                    self.assemble[r].place.next = self.served[3].q.val();
                    self.assemble[r].clear.next = self.fresh[3].q.val();
                    for i in 0..self._lanes {
                        self.assemble[r].data[i].next = self.data[i].val();
                    }
                    for c in 0..self._k0 {
                        self.byte[r * k0 + c].next = self.assemble[r].byte[c].val();
                        self.given[r * k0 + c].next = self.assemble[r].given[c].val();
                    }
                }
            }
        }
        self.ended[0].d.next = self.schedule.serve_last.val();
        self.ended[1].d.next = self.ended[0].q.val();
        self.block_done.next = self.ended[1].q.val();
        self.outside.next = self.stopped.val()
            & self.open.val()
            & !self.schedule.busy.val()
            & !self.ended[0].q.val()
            & !self.ended[1].q.val();
        if self.rst.val() {
            self.started.d.next = false;
            self.taken_over.d.next = false;
            for s in 0..3 {
                self.valid[s].d.next = false;
            }
            for s in 0..4 {
                self.served[s].d.next = false;
            }
            for s in 0..2 {
                self.ended[s].d.next = false;
            }
        }
    }
}
