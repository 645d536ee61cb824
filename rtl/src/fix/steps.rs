// SPDX-License-Identifier: Apache-2.0
//! Counts through a tile: which lanes of which block go into the pipe in this cycle, and where each chunk of rows will go.
//!
//! ```text
//!  start, m, n, .. ──►┌───────┐──► channel (now), select, pop, tag (next cycle)      a step = R rows x C columns of a block
//!  arrived, free ────►│ steps │
//!                     └───────┘──► claim, chunk_*                                    at the first step of a chunk
//! ```
//! Order: block rows, chunks of 16 bus words per row, blocks of the chunk, column groups, row groups. Nothing behind this block can stall:
//! a step goes only if its block is here, a slot of the row buffer is free, and a completed column of words comes no sooner after
//! the last one than that needs to be written (one row per cycle). Row groups and column groups outside the tile are skipped.

use super::shape::{CHUNK_WORDS, Shape, log2};
use crate::prim::prelude::*;

/// Step counter.
#[derive(LogicBlock)]
pub struct Steps {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets everything.
    pub rst: Signal<In, Bit>,
    /// Issue nothing.
    pub stop: Signal<In, Bit>,
    /// Take the tile below; only when not `running`.
    pub start: Signal<In, Bit>,
    /// Results have 4 bytes.
    pub is_wide: Signal<In, Bit>,
    /// Layout nz.
    pub nz: Signal<In, Bit>,
    /// Rows, at least 1.
    pub m: Signal<In, Bits<16>>,
    /// Columns, at least 1.
    pub n: Signal<In, Bits<16>>,
    /// FB channel of column 0.
    pub first_channel: Signal<In, Bits<16>>,
    /// Destination of row 0.
    pub address: Signal<In, Bits<43>>,
    /// Bytes between rows (rows) or panels (nz).
    pub stride: Signal<In, Bits<32>>,
    /// A block more is there.
    pub arrived: Signal<In, Bit>,
    /// A slot of the row buffer is free.
    pub free: Signal<In, Bit>,
    /// No step may go in this cycle.
    pub hold: Signal<In, Bit>,
    /// Steps are left.
    pub running: Signal<Out, Bit>,
    /// A step goes.
    pub issued: Signal<Out, Bit>,
    /// FB channel of the step's first column.
    pub channel: Signal<Out, Bits<16>>,
    /// Which lanes of the block, the cycle after.
    pub select: Signal<Out, Bits<8>>,
    /// The step is its block's last, the cycle after.
    pub pop: Signal<Out, Bit>,
    /// Real columns of the step, 0 without a step, the cycle after.
    pub real_columns: Signal<Out, Bits<8>>,
    /// The cycle after: `[0]` valid, `[1]` completes a column of words, `[2]` completes the chunk, `[7:3]` rows, `[11:8]` row group,
    /// `[17:12]` place in the word in units of C results.
    pub tag: Signal<Out, Bits<18>>,
    /// How the step goes on: `[0]` it goes, `[1]` it is the last row group of its columns, `[2]` the last one of its rows, `[7:3]` its
    /// real rows.
    pub walk: Signal<Out, Bits<8>>,
    /// The step is the first of a chunk: it takes a slot.
    pub claim: Signal<Out, Bit>,
    /// Destination of the chunk.
    pub chunk_address: Signal<Out, Bits<43>>,
    /// Bytes of each of its rows.
    pub chunk_bytes: Signal<Out, Bits<11>>,
    /// Its rows.
    pub chunk_rows: Signal<Out, Bits<5>>,
    /// It is the last of its instruction.
    pub chunk_last: Signal<Out, Bit>,
    active: Reg<Bit>,
    blocks: Reg<Bits<3>>,
    rows_left: Reg<Bits<16>>,
    columns_left: Reg<Bits<16>>,
    at_channel: Reg<Bits<16>>,
    row_group: Reg<Bits<4>>,
    column_group: Reg<Bits<4>>,
    place: Reg<Bits<6>>,
    word: Reg<Bits<4>>,
    first: Reg<Bit>,
    gap: Reg<Bits<5>>,
    row_address: Reg<Bits<43>>,
    at_address: Reg<Bits<43>>,
    select_r: Reg<Bits<8>>,
    pop_r: Reg<Bit>,
    real_r: Reg<Bits<8>>,
    tag_r: Reg<Bits<18>>,
    rows: Signal<Local, Bits<5>>,
    rows_below: Signal<Local, Bits<5>>,
    step_rows: Signal<Local, Bits<5>>,
    last_row_group: Signal<Local, Bit>,
    last_column: Signal<Local, Bit>,
    last_of_block: Signal<Local, Bit>,
    last_place: Signal<Local, Bits<6>>,
    word_end: Signal<Local, Bit>,
    complete: Signal<Local, Bit>,
    chunk_end: Signal<Local, Bit>,
    bytes_left: Signal<Local, Bits<18>>,
    go: Signal<Local, Bit>,
    last_rows: Signal<Local, Bit>,
    row_step: Signal<Local, Bits<43>>,
    chunk_step: Signal<Local, Bits<43>>,
    next_row: Signal<Local, Bits<43>>,
    block_rows: Constant<Bits<16>>,
    columns: Constant<Bits<16>>,
    most_rows: Constant<Bits<5>>,
    row_group_shift: Constant<Bits<4>>,
    row_groups_shift: Constant<Bits<4>>,
    last_group: Constant<Bits<4>>,
    narrow_place: Constant<Bits<6>>,
    wide_place: Constant<Bits<6>>,
    most_bytes: Constant<Bits<18>>,
    rows_shift: Constant<Bits<6>>,
    panels_shift: Constant<Bits<6>>,
    nz_row_step: Constant<Bits<43>>,
}

impl Steps {
    /// A counter for this shape.
    pub fn new(shape: &Shape) -> Self {
        let word = shape.bus_bytes;
        Steps {
            clk: Signal::default(),
            rst: Signal::default(),
            stop: Signal::default(),
            start: Signal::default(),
            is_wide: Signal::default(),
            nz: Signal::default(),
            m: Signal::default(),
            n: Signal::default(),
            first_channel: Signal::default(),
            address: Signal::default(),
            stride: Signal::default(),
            arrived: Signal::default(),
            free: Signal::default(),
            hold: Signal::default(),
            running: Signal::default(),
            issued: Signal::default(),
            channel: Signal::default(),
            select: Signal::default(),
            pop: Signal::default(),
            real_columns: Signal::default(),
            tag: Signal::default(),
            walk: Signal::default(),
            claim: Signal::default(),
            chunk_address: Signal::default(),
            chunk_bytes: Signal::default(),
            chunk_rows: Signal::default(),
            chunk_last: Signal::default(),
            active: Reg::default(),
            blocks: Reg::default(),
            rows_left: Reg::default(),
            columns_left: Reg::default(),
            at_channel: Reg::default(),
            row_group: Reg::default(),
            column_group: Reg::default(),
            place: Reg::default(),
            word: Reg::default(),
            first: Reg::default(),
            gap: Reg::default(),
            row_address: Reg::default(),
            at_address: Reg::default(),
            select_r: Reg::default(),
            pop_r: Reg::default(),
            real_r: Reg::default(),
            tag_r: Reg::default(),
            rows: Signal::default(),
            rows_below: Signal::default(),
            step_rows: Signal::default(),
            last_row_group: Signal::default(),
            last_column: Signal::default(),
            last_of_block: Signal::default(),
            last_place: Signal::default(),
            word_end: Signal::default(),
            complete: Signal::default(),
            chunk_end: Signal::default(),
            bytes_left: Signal::default(),
            go: Signal::default(),
            last_rows: Signal::default(),
            row_step: Signal::default(),
            chunk_step: Signal::default(),
            next_row: Signal::default(),
            block_rows: Constant::new((shape.m0 as u64).into()),
            columns: Constant::new((shape.columns as u64).into()),
            most_rows: Constant::new((shape.rows as u64).into()),
            row_group_shift: Constant::new(log2(shape.rows).into()),
            row_groups_shift: Constant::new(log2(shape.row_groups()).into()),
            last_group: Constant::new((shape.column_groups() as u64 - 1).into()),
            narrow_place: Constant::new((word as u64 / shape.columns as u64 - 1).into()),
            wide_place: Constant::new((word as u64 / (4 * shape.columns as u64) - 1).into()),
            most_bytes: Constant::new(((word * CHUNK_WORDS) as u64).into()),
            rows_shift: Constant::new(log2(shape.m0).into()),
            panels_shift: Constant::new(log2(word * CHUNK_WORDS / 32).into()),
            nz_row_step: Constant::new((shape.m0 as u64 * 32).into()),
        }
    }
}

impl Logic for Steps {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("fix_steps: which lanes of which block go into the pipe, and where their rows will go.");
        dff_setup!(
            self,
            clk,
            active,
            blocks,
            rows_left,
            columns_left,
            at_channel,
            row_group,
            column_group,
            place,
            word,
            first,
            gap,
            row_address,
            at_address,
            select_r,
            pop_r,
            real_r,
            tag_r
        );
        // Where this step stands.
        self.last_rows.next = self.rows_left.q.val() <= self.block_rows.val();
        if self.last_rows.val() {
            self.rows.next = self.rows_left.q.val().get_bits::<5>(0);
        } else {
            self.rows.next = self.block_rows.val().get_bits::<5>(0);
        }
        self.last_row_group.next =
            bit_cast::<5, 4>(self.row_group.q.val()) == ((self.rows.val() - 1) >> self.row_group_shift.val());
        self.last_column.next = self.columns_left.q.val() <= self.columns.val();
        self.last_of_block.next =
            self.last_row_group.val() & ((self.column_group.q.val() == self.last_group.val()) | self.last_column.val());
        if self.is_wide.val() {
            self.last_place.next = self.wide_place.val();
            self.bytes_left.next = bit_cast::<18, 16>(self.columns_left.q.val()) << 2;
        } else {
            self.last_place.next = self.narrow_place.val();
            self.bytes_left.next = bit_cast::<18, 16>(self.columns_left.q.val());
        }
        self.word_end.next = (self.place.q.val() == self.last_place.val()) | self.last_column.val();
        self.complete.next = self.last_row_group.val() & self.word_end.val();
        self.chunk_end.next = self.complete.val() & ((self.word.q.val() == 15) | self.last_column.val());
        // May it go?
        self.go.next = self.active.q.val()
            & !self.stop.val()
            & !self.hold.val()
            & (self.blocks.q.val() != 0)
            & (!self.first.q.val() | self.free.val())
            & (!self.complete.val() | (self.gap.q.val() == 0));
        self.running.next = self.active.q.val();
        self.issued.next = self.go.val();
        self.channel.next = self.at_channel.q.val();
        self.claim.next = self.go.val() & self.first.q.val();
        self.chunk_address.next = self.at_address.q.val();
        self.chunk_rows.next = self.rows.val();
        self.chunk_last.next = self.last_rows.val() & (self.bytes_left.val() <= self.most_bytes.val());
        if self.bytes_left.val() <= self.most_bytes.val() {
            self.chunk_bytes.next = self.bytes_left.val().get_bits::<11>(0);
        } else {
            self.chunk_bytes.next = self.most_bytes.val().get_bits::<11>(0);
        }
        self.select_r.d.next = (bit_cast::<8, 4>(self.column_group.q.val()) << self.row_groups_shift.val())
            | bit_cast::<8, 4>(self.row_group.q.val());
        self.pop_r.d.next = self.go.val() & self.last_of_block.val();
        self.real_r.d.next = 0.into();
        if self.go.val() {
            self.real_r.d.next = self.columns.val().get_bits::<8>(0);
            if self.last_column.val() {
                self.real_r.d.next = self.columns_left.q.val().get_bits::<8>(0);
            }
        }
        self.tag_r.d.next = bit_cast::<18, 1>(self.go.val().into())
            | (bit_cast::<18, 1>(self.complete.val().into()) << 1)
            | (bit_cast::<18, 1>(self.chunk_end.val().into()) << 2)
            | (bit_cast::<18, 5>(self.rows.val()) << 3)
            | (bit_cast::<18, 4>(self.row_group.q.val()) << 8)
            | (bit_cast::<18, 6>(self.place.q.val()) << 12);
        self.rows_below.next =
            self.rows.val() - (bit_cast::<5, 4>(self.row_group.q.val()) << self.row_group_shift.val());
        self.step_rows.next = self.rows_below.val();
        if self.rows_below.val() > self.most_rows.val() {
            self.step_rows.next = self.most_rows.val();
        }
        self.walk.next = bit_cast::<8, 1>(self.go.val().into())
            | (bit_cast::<8, 1>(self.last_row_group.val().into()) << 1)
            | (bit_cast::<8, 1>((self.chunk_end.val() & self.last_column.val()).into()) << 2)
            | (bit_cast::<8, 5>(self.step_rows.val()) << 3);
        self.select.next = self.select_r.q.val();
        self.pop.next = self.pop_r.q.val();
        self.real_columns.next = self.real_r.q.val();
        self.tag.next = self.tag_r.q.val();
        // On to the next one.
        if self.nz.val() {
            self.row_step.next = self.nz_row_step.val();
            self.chunk_step.next = bit_cast::<43, 32>(self.stride.val()) << self.panels_shift.val();
        } else {
            self.row_step.next = bit_cast::<43, 32>(self.stride.val()) << self.rows_shift.val();
            self.chunk_step.next = bit_cast::<43, 18>(self.most_bytes.val());
        }
        self.next_row.next = self.row_address.q.val() + self.row_step.val();
        if self.gap.q.val() != 0 {
            self.gap.d.next = self.gap.q.val() - 1;
        }
        if self.arrived.val() & !(self.go.val() & self.last_of_block.val()) {
            self.blocks.d.next = self.blocks.q.val() + 1;
        }
        if !self.arrived.val() & self.go.val() & self.last_of_block.val() {
            self.blocks.d.next = self.blocks.q.val() - 1;
        }
        if self.go.val() {
            self.first.d.next = self.chunk_end.val();
            self.row_group.d.next = self.row_group.q.val() + 1;
            if self.complete.val() {
                self.gap.d.next = self.rows.val() - 1;
                self.word.d.next = self.word.q.val() + 1;
            }
            if self.last_row_group.val() {
                self.row_group.d.next = 0.into();
                self.columns_left.d.next = self.columns_left.q.val() - self.columns.val();
                self.at_channel.d.next = self.at_channel.q.val() + self.columns.val();
                self.column_group.d.next = self.column_group.q.val() + 1;
                self.place.d.next = self.place.q.val() + 1;
                if self.column_group.q.val() == self.last_group.val() {
                    self.column_group.d.next = 0.into();
                }
                if self.word_end.val() {
                    self.place.d.next = 0.into();
                }
            }
            if self.chunk_end.val() {
                self.word.d.next = 0.into();
                self.at_address.d.next = self.at_address.q.val() + self.chunk_step.val();
                if self.last_column.val() {
                    self.column_group.d.next = 0.into();
                    self.columns_left.d.next = self.n.val();
                    self.at_channel.d.next = self.first_channel.val();
                    self.rows_left.d.next = self.rows_left.q.val() - self.block_rows.val();
                    self.row_address.d.next = self.next_row.val();
                    self.at_address.d.next = self.next_row.val();
                    if self.last_rows.val() {
                        self.active.d.next = false;
                    }
                }
            }
        }
        if self.start.val() {
            self.active.d.next = true;
            self.rows_left.d.next = self.m.val();
            self.columns_left.d.next = self.n.val();
            self.at_channel.d.next = self.first_channel.val();
            self.row_group.d.next = 0.into();
            self.column_group.d.next = 0.into();
            self.place.d.next = 0.into();
            self.word.d.next = 0.into();
            self.first.d.next = true;
            self.row_address.d.next = self.address.val();
            self.at_address.d.next = self.address.val();
        }
        if self.rst.val() {
            self.active.d.next = false;
            self.blocks.d.next = 0.into();
            self.gap.d.next = 0.into();
            self.pop_r.d.next = false;
            self.real_r.d.next = 0.into();
            self.tag_r.d.next = 0.into();
        }
    }
}
