// SPDX-License-Identifier: Apache-2.0
//! Reads the blocks of a tile from L0C in order, each as soon as its full bit is set, up to four ahead of their use.
//!
//! ```text
//!  start, fractal, m, n ──►┌────────┐──► read_valid, read_address ──► L0C
//!                          │ blocks │◄── read_ready, full           ◄── L0C
//!  block[M0*N0] ◄──────────│        │◄── read_data, 2 cycles after acceptance
//!  pop ───────────────────►└────────┘──► arrived (a block more can be picked from the next cycle on)
//! ```
//! Block rows outer, block columns inner. A fractal beyond L0C is never read: `fault` stays up with its number.

use super::shape::{Shape, log2};
use crate::prim::prelude::*;

/// Blocks on the way or waiting: two cycles of L0C, one in the queue, one being picked.
const AHEAD: usize = 4;

/// Block reader.
#[derive(LogicBlock)]
pub struct Blocks {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets everything.
    pub rst: Signal<In, Bit>,
    /// Begin no further read.
    pub stop: Signal<In, Bit>,
    /// Take the tile below; only when the last one is used up.
    pub start: Signal<In, Bit>,
    /// First fractal of the tile.
    pub fractal: Signal<In, Bits<16>>,
    /// Rows, at least 1.
    pub m: Signal<In, Bits<16>>,
    /// Columns, at least 1.
    pub n: Signal<In, Bits<16>>,
    /// A read is asked for.
    pub read_valid: Signal<Out, Bit>,
    /// It is taken.
    pub read_ready: Signal<In, Bit>,
    /// The block at `read_address` is full.
    pub full: Signal<In, Bit>,
    /// Block number.
    pub read_address: Signal<Out, Bits<16>>,
    /// The block, 2 cycles after the read was taken.
    pub read_data: Vec<Signal<In, Bits<32>>>,
    /// A block went into the queue.
    pub arrived: Signal<Out, Bit>,
    /// The oldest block.
    pub block: Vec<Signal<Out, Bits<32>>>,
    /// The oldest block is no longer needed.
    pub pop: Signal<In, Bit>,
    /// The next block is not full.
    pub waiting: Signal<Out, Bit>,
    /// The tile leaves L0C.
    pub fault: Signal<Out, Bit>,
    /// The first fractal outside.
    pub fault_address: Signal<Out, Bits<40>>,
    queue: Fifo<32>,
    active: Reg<Bit>,
    credit: Reg<Bits<3>>,
    columns: Reg<Bits<16>>,
    rows_left: Reg<Bits<16>>,
    columns_left: Reg<Bits<16>>,
    row_fractal: Reg<Bits<17>>,
    at_fractal: Reg<Bits<17>>,
    row_in_fractal: Reg<Bits<4>>,
    column_in_fractal: Reg<Bits<4>>,
    coming: Reg<Bit>,
    here: Reg<Bit>,
    exists: Signal<Local, Bit>,
    wants: Signal<Local, Bit>,
    taken: Signal<Local, Bit>,
    fractal_columns: Signal<Local, Bits<17>>,
    fractals: Constant<Bits<17>>,
    block_rows: Constant<Bits<16>>,
    block_columns: Constant<Bits<16>>,
    last_row: Constant<Bits<4>>,
    last_column: Constant<Bits<4>>,
    fractal_shift: Constant<Bits<4>>,
    row_shift: Constant<Bits<4>>,
    _block: usize,
}

impl Blocks {
    /// A reader of blocks of this shape.
    pub fn new(shape: &Shape) -> Self {
        let (rows, columns) = (16 / shape.m0, 16 / shape.n0);
        Blocks {
            clk: Signal::default(),
            rst: Signal::default(),
            stop: Signal::default(),
            start: Signal::default(),
            fractal: Signal::default(),
            m: Signal::default(),
            n: Signal::default(),
            read_valid: Signal::default(),
            read_ready: Signal::default(),
            full: Signal::default(),
            read_address: Signal::default(),
            read_data: vec![Signal::default(); shape.block()],
            arrived: Signal::default(),
            block: vec![Signal::default(); shape.block()],
            pop: Signal::default(),
            waiting: Signal::default(),
            fault: Signal::default(),
            fault_address: Signal::default(),
            queue: Fifo::new(AHEAD, shape.block()),
            active: Reg::default(),
            credit: Reg::default(),
            columns: Reg::default(),
            rows_left: Reg::default(),
            columns_left: Reg::default(),
            row_fractal: Reg::default(),
            at_fractal: Reg::default(),
            row_in_fractal: Reg::default(),
            column_in_fractal: Reg::default(),
            coming: Reg::default(),
            here: Reg::default(),
            exists: Signal::default(),
            wants: Signal::default(),
            taken: Signal::default(),
            fractal_columns: Signal::default(),
            fractals: Constant::new((shape.fractals as u64).into()),
            block_rows: Constant::new((shape.m0 as u64).into()),
            block_columns: Constant::new((shape.n0 as u64).into()),
            last_row: Constant::new((rows as u64 - 1).into()),
            last_column: Constant::new((columns as u64 - 1).into()),
            fractal_shift: Constant::new(log2(rows * columns).into()),
            row_shift: Constant::new(log2(columns).into()),
            _block: shape.block(),
        }
    }
}

impl Logic for Blocks {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("fix_blocks_{block[]}: reads the blocks of a tile from L0C, each when its full bit is set.");
        dff_setup!(
            self,
            clk,
            active,
            credit,
            columns,
            rows_left,
            columns_left,
            row_fractal,
            at_fractal,
            row_in_fractal,
            column_in_fractal,
            coming,
            here
        );
        self.exists.next = self.at_fractal.q.val() < self.fractals.val();
        self.fault.next = self.active.q.val() & !self.exists.val();
        self.fault_address.next = bit_cast::<40, 17>(self.at_fractal.q.val());
        self.wants.next = self.active.q.val() & self.exists.val() & (self.credit.q.val() != 0) & !self.stop.val();
        self.read_valid.next = self.wants.val();
        self.read_address.next = (bit_cast::<16, 17>(self.at_fractal.q.val()) << self.fractal_shift.val())
            | (bit_cast::<16, 4>(self.row_in_fractal.q.val()) << self.row_shift.val())
            | bit_cast::<16, 4>(self.column_in_fractal.q.val());
        self.waiting.next = self.wants.val() & !self.full.val();
        self.taken.next = self.wants.val() & self.read_ready.val();
        self.coming.d.next = self.taken.val();
        self.here.d.next = self.coming.q.val();
        self.queue.clk.next = self.clk.val();
        self.queue.clear.next = self.rst.val();
        self.queue.in_valid.next = self.here.q.val();
        self.queue.out_ready.next = self.pop.val();
        for i in 0..self._block {
            self.queue.in_data[i].next = self.read_data[i].val();
            self.block[i].next = self.queue.out_data[i].val();
        }
        self.arrived.next = self.here.q.val();
        if self.taken.val() & !self.pop.val() {
            self.credit.d.next = self.credit.q.val() - 1;
        }
        if !self.taken.val() & self.pop.val() {
            self.credit.d.next = self.credit.q.val() + 1;
        }
        // ceil(n / 16).
        self.fractal_columns.next = (bit_cast::<17, 16>(self.columns.q.val()) + 15) >> 4;
        if self.taken.val() {
            self.columns_left.d.next = self.columns_left.q.val() - self.block_columns.val();
            self.column_in_fractal.d.next = self.column_in_fractal.q.val() + 1;
            if self.column_in_fractal.q.val() == self.last_column.val() {
                self.column_in_fractal.d.next = 0.into();
                self.at_fractal.d.next = self.at_fractal.q.val() + 1;
            }
            if self.columns_left.q.val() <= self.block_columns.val() {
                self.columns_left.d.next = self.columns.q.val();
                self.column_in_fractal.d.next = 0.into();
                self.at_fractal.d.next = self.row_fractal.q.val();
                self.row_in_fractal.d.next = self.row_in_fractal.q.val() + 1;
                if self.row_in_fractal.q.val() == self.last_row.val() {
                    self.row_in_fractal.d.next = 0.into();
                    self.row_fractal.d.next = self.row_fractal.q.val() + self.fractal_columns.val();
                    self.at_fractal.d.next = self.row_fractal.q.val() + self.fractal_columns.val();
                }
                self.rows_left.d.next = self.rows_left.q.val() - self.block_rows.val();
                if self.rows_left.q.val() <= self.block_rows.val() {
                    self.active.d.next = false;
                }
            }
        }
        if self.start.val() {
            self.active.d.next = true;
            self.columns.d.next = self.n.val();
            self.rows_left.d.next = self.m.val();
            self.columns_left.d.next = self.n.val();
            self.row_fractal.d.next = bit_cast::<17, 16>(self.fractal.val());
            self.at_fractal.d.next = bit_cast::<17, 16>(self.fractal.val());
            self.row_in_fractal.d.next = 0.into();
            self.column_in_fractal.d.next = 0.into();
        }
        if self.rst.val() {
            self.active.d.next = false;
            self.credit.d.next = 4.into();
            self.coming.d.next = false;
            self.here.d.next = false;
        }
    }
}
