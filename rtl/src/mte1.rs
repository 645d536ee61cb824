// SPDX-License-Identifier: Apache-2.0
//! MTE1: loads operand tiles from L1 into L0A and L0B, plain, transposed or from a feature map, less their zero point, and
//! parameters into FB.
//!
//! ```text
//!  op_*, set_*, halt ──►┌──────┐──► l0a_*, l0b_* (write a block, clear full bits)
//!  early, done, ... ◄───│ mte1 │──► read0_* (L1), fb_write_*, zero_channel
//!  fault* ◄─────────────└──────┘◄── read0_data, zero_point
//! ```
//! ```text
//!  take ──► walk ───────────► delay ─────────► lanes ──► L0       plain: a step of the walk is a read of L1
//!     └───► fill ─► (L1) ─► turn ─► (L1 or turn) ┘                transposed: fill runs ahead, by up to two squares
//!     ├───► im2col ─► (L1) ─► im2col ────────────┘                feature map: the same, by what its pipeline holds
//!     └───► params ─► (L1) ─────────────────────────────► FB
//! ```
//! A block is in L0 and full 5 cycles after its read of L1 was accepted. Page: `docs/units/mte1.md`. Test: `tests/units/mte1.rs`.

mod clear;
mod delay;
mod fill;
pub mod im2col;
mod lanes;
mod params;
mod shape;
mod squares;
mod take;
mod turn;
mod walk;
mod zeros;

pub use clear::Clear;
pub use delay::Delay;
pub use fill::Fill;
pub use im2col::Im2col;
pub use lanes::{Element, Lanes};
pub use params::Params;
pub use shape::Shape;
pub use squares::Squares;
pub use take::Take;
pub use turn::Turn;
pub use walk::Walk;
pub use zeros::Zeros;

use crate::prim::prelude::*;
use isa::Cause;

/// The operand load engine.
#[derive(LogicBlock)]
pub struct Mte1 {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets everything, state registers to their reset values.
    pub rst: Signal<In, Bit>,
    /// An instruction is offered.
    pub op_valid: Signal<In, Bit>,
    /// It is taken.
    pub op_ready: Signal<Out, Bit>,
    /// Its words w0 to w7.
    pub op_word: Vec<Signal<In, Bits<32>>>,
    /// Its byte offset in the program.
    pub op_pc: Signal<In, Bits<32>>,
    /// A state register is written.
    pub set_valid: Signal<In, Bit>,
    /// Which (`isa::state::mte1`).
    pub set_register: Signal<In, Bits<8>>,
    /// Its new value.
    pub set_value: Signal<In, Bits<32>>,
    /// Take no new instruction.
    pub halt: Signal<In, Bit>,
    /// The instruction taken last, which has an early set, has cleared the full bits of its target; FB has none.
    pub early: Signal<Out, Bit>,
    /// An instruction is finished (a pulse per instruction, in order).
    pub done: Signal<Out, Bit>,
    /// Some instruction is inside.
    pub active: Signal<Out, Bit>,
    /// Never: MTE1 waits for no full bit.
    pub stall_block: Signal<Out, Bit>,
    /// A read offered to L1 is not accepted.
    pub stall_memory: Signal<Out, Bit>,
    /// Stopped by a fault, until `rst`.
    pub fault: Signal<Out, Bit>,
    /// Why (`isa::Cause`).
    pub fault_cause: Signal<Out, Bits<8>>,
    /// L1 byte address, L0 fractal or FB channel; 0 for causes without one.
    pub fault_address: Signal<Out, Bits<40>>,
    /// Byte offset of the instruction in the program.
    pub fault_pc: Signal<Out, Bits<32>>,
    /// Reads L1 (port 0).
    pub read0_valid: Signal<Out, Bit>,
    /// The read is accepted.
    pub read0_ready: Signal<In, Bit>,
    /// First byte.
    pub read0_address: Signal<Out, Bits<24>>,
    /// NB rows 32 bytes apart, else contiguous.
    pub read0_rows: Signal<Out, Bit>,
    /// A word of each bank.
    pub read0_gather: Signal<Out, Bit>,
    /// Which.
    pub read0_word: Vec<Signal<Out, Bits<16>>>,
    /// Data of a read, exactly 3 cycles after it was accepted.
    pub read0_data_valid: Signal<In, Bit>,
    /// Row i, byte c at `i * K0 + c`; gathered: bank i.
    pub read0_data: Vec<Signal<In, Bits<8>>>,
    /// Writes a block to L0A.
    pub l0a_write_valid: Signal<Out, Bit>,
    /// Block number.
    pub l0a_write_address: Signal<Out, Bits<16>>,
    /// M0 x K0 elements.
    pub l0a_write_data: Vec<Signal<Out, Bits<9>>>,
    /// Clears full bits of L0A.
    pub l0a_clear_valid: Signal<Out, Bit>,
    /// First fractal.
    pub l0a_clear_first: Signal<Out, Bits<16>>,
    /// Last fractal, inclusive.
    pub l0a_clear_last: Signal<Out, Bits<16>>,
    /// Writes a block to L0B.
    pub l0b_write_valid: Signal<Out, Bit>,
    /// Block number.
    pub l0b_write_address: Signal<Out, Bits<16>>,
    /// N0 x K0 elements.
    pub l0b_write_data: Vec<Signal<Out, Bits<9>>>,
    /// Clears full bits of L0B.
    pub l0b_clear_valid: Signal<Out, Bit>,
    /// First fractal.
    pub l0b_clear_first: Signal<Out, Bits<16>>,
    /// Last fractal, inclusive.
    pub l0b_clear_last: Signal<Out, Bits<16>>,
    /// Writes FB.
    pub fb_write_valid: Signal<Out, Bit>,
    /// Field.
    pub fb_write_field: Signal<Out, Bits<2>>,
    /// Channel.
    pub fb_write_channel: Signal<Out, Bits<16>>,
    /// Value.
    pub fb_write_data: Signal<Out, Bits<32>>,
    /// Asks FB for a zero point.
    pub zero_channel: Signal<Out, Bits<16>>,
    /// That zero point, 2 cycles later.
    pub zero_point: Signal<In, Bits<9>>,
    take: Take,
    walk: Walk,
    fill: Fill,
    im2col: Im2col,
    clear: Clear,
    squares: Squares,
    zeros: Zeros,
    turn: Turn,
    lanes: Lanes,
    params: Params,
    flags: Delay<8>,
    row: Delay<8>,
    rows_here: Delay<8>,
    bytes_here: Delay<8>,
    zero: Delay<9>,
    block: Delay<24>,
    square_step: Delay<8>,
    fill_tag: Delay<8>,
    valid: Vec<Reg<Bit>>,
    fill_valid: Vec<Reg<Bit>>,
    last: Reg<Bit>,
    to_b: Reg<Bit>,
    write_block: Reg<Bits<16>>,
    /// Fill works for the instruction in the slot.
    ahead: Reg<Bit>,
    pc: Reg<Bits<32>>,
    block_pc: Reg<Bits<32>>,
    faulted: Reg<Bit>,
    cause: Reg<Bits<8>>,
    address: Reg<Bits<40>>,
    faulted_pc: Reg<Bits<32>>,
    stops: Signal<Local, Bit>,
    stop_cause: Signal<Local, Bits<8>>,
    stop_address: Signal<Local, Bits<40>>,
    stop_pc: Signal<Local, Bits<32>>,
    drained: Signal<Local, Bit>,
    idle: Signal<Local, Bit>,
    start_tile: Signal<Local, Bit>,
    start_fill: Signal<Local, Bit>,
    start_params: Signal<Local, Bit>,
    offered: Signal<Local, Bit>,
    first_flags: Signal<Local, Bits<8>>,
    last_flags: Signal<Local, Bits<8>>,
    first_block: Signal<Local, Bits<24>>,
    last_block: Signal<Local, Bits<24>>,
    last_square_step: Signal<Local, Bits<8>>,
    last_fill_step: Signal<Local, Bits<8>>,
    middle_flags: Signal<Local, Bits<8>>,
    l0_outside: Signal<Local, Bit>,
    l0_fractal: Signal<Local, Bits<24>>,
    a_blocks: Constant<Bits<24>>,
    b_blocks: Constant<Bits<24>>,
    a_fractal_bits: Constant<Bits<4>>,
    b_fractal_bits: Constant<Bits<4>>,
    cause_outside: Constant<Bits<8>>,
    cause_zero_point: Constant<Bits<8>>,
    _nb: usize,
    _lanes: usize,
    _a_lanes: usize,
    _b_lanes: usize,
    _square: usize,
}

impl Mte1 {
    /// The engine of this core.
    pub fn new(config: &isa::Config) -> Self {
        let shape = Shape::of(config);
        let lanes = shape.nb * shape.k0;
        let [a_fractal_bits, b_fractal_bits] = shape.fractal_bits();
        Mte1 {
            clk: Signal::default(),
            rst: Signal::default(),
            op_valid: Signal::default(),
            op_ready: Signal::default(),
            op_word: vec![Signal::default(); 8],
            op_pc: Signal::default(),
            set_valid: Signal::default(),
            set_register: Signal::default(),
            set_value: Signal::default(),
            halt: Signal::default(),
            early: Signal::default(),
            done: Signal::default(),
            active: Signal::default(),
            stall_block: Signal::default(),
            stall_memory: Signal::default(),
            fault: Signal::default(),
            fault_cause: Signal::default(),
            fault_address: Signal::default(),
            fault_pc: Signal::default(),
            read0_valid: Signal::default(),
            read0_ready: Signal::default(),
            read0_address: Signal::default(),
            read0_rows: Signal::default(),
            read0_gather: Signal::default(),
            read0_word: vec![Signal::default(); shape.nb],
            read0_data_valid: Signal::default(),
            read0_data: vec![Signal::default(); lanes],
            l0a_write_valid: Signal::default(),
            l0a_write_address: Signal::default(),
            l0a_write_data: vec![Signal::default(); shape.m0 * shape.k0],
            l0a_clear_valid: Signal::default(),
            l0a_clear_first: Signal::default(),
            l0a_clear_last: Signal::default(),
            l0b_write_valid: Signal::default(),
            l0b_write_address: Signal::default(),
            l0b_write_data: vec![Signal::default(); shape.n0 * shape.k0],
            l0b_clear_valid: Signal::default(),
            l0b_clear_first: Signal::default(),
            l0b_clear_last: Signal::default(),
            fb_write_valid: Signal::default(),
            fb_write_field: Signal::default(),
            fb_write_channel: Signal::default(),
            fb_write_data: Signal::default(),
            zero_channel: Signal::default(),
            zero_point: Signal::default(),
            take: Take::default(),
            walk: Walk::new(&shape),
            fill: Fill::new(&shape),
            im2col: Im2col::new(&shape),
            clear: Clear::default(),
            squares: Squares::default(),
            zeros: Zeros::new(&shape),
            turn: Turn::new(&shape),
            lanes: Lanes::new(&shape),
            params: Params::new(&shape),
            flags: Delay::new(3),
            row: Delay::new(3),
            rows_here: Delay::new(3),
            bytes_here: Delay::new(3),
            zero: Delay::new(3),
            block: Delay::new(3),
            square_step: Delay::new(3),
            fill_tag: Delay::new(3),
            valid: vec![Reg::default(); 4],
            fill_valid: vec![Reg::default(); 3],
            last: Reg::default(),
            to_b: Reg::default(),
            write_block: Reg::default(),
            ahead: Reg::default(),
            pc: Reg::default(),
            block_pc: Reg::default(),
            faulted: Reg::default(),
            cause: Reg::default(),
            address: Reg::default(),
            faulted_pc: Reg::default(),
            stops: Signal::default(),
            stop_cause: Signal::default(),
            stop_address: Signal::default(),
            stop_pc: Signal::default(),
            drained: Signal::default(),
            idle: Signal::default(),
            start_tile: Signal::default(),
            start_fill: Signal::default(),
            start_params: Signal::default(),
            offered: Signal::default(),
            first_flags: Signal::default(),
            last_flags: Signal::default(),
            first_block: Signal::default(),
            last_block: Signal::default(),
            last_square_step: Signal::default(),
            last_fill_step: Signal::default(),
            middle_flags: Signal::default(),
            l0_outside: Signal::default(),
            l0_fractal: Signal::default(),
            a_blocks: Constant::new((shape.a_blocks as u64).into()),
            b_blocks: Constant::new((shape.b_blocks as u64).into()),
            a_fractal_bits: Constant::new(a_fractal_bits.into()),
            b_fractal_bits: Constant::new(b_fractal_bits.into()),
            cause_outside: Constant::new(u64::from(Cause::OutOfBuffer.code()).into()),
            cause_zero_point: Constant::new(u64::from(Cause::BadZeroPoint.code()).into()),
            _nb: shape.nb,
            _lanes: lanes,
            _a_lanes: shape.m0 * shape.k0,
            _b_lanes: shape.n0 * shape.k0,
            _square: shape.square,
        }
    }
}

impl Logic for Mte1 {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "mte1_{l0a_write_data[]}_{l0b_write_data[]}: loads tiles from L1 into L0A and L0B, parameters into FB."
        );
        dff_setup!(self, clk, last, to_b, write_block, ahead);
        dff_setup!(self, clk, pc, block_pc, faulted, cause, address, faulted_pc);
        for s in 0..4 {
            self.valid[s].clock.next = self.clk.val();
        }
        for s in 0..3 {
            self.fill_valid[s].clock.next = self.clk.val();
        }

        // The slot.
        self.take.clk.next = self.clk.val();
        self.take.rst.next = self.rst.val();
        self.take.op_valid.next = self.op_valid.val();
        for w in 0..8 {
            self.take.op_word[w].next = self.op_word[w].val();
        }
        self.take.op_pc.next = self.op_pc.val();
        self.take.set_valid.next = self.set_valid.val();
        self.take.set_register.next = self.set_register.val();
        self.take.set_value.next = self.set_value.val();
        // `early` speaks of the instruction taken last, so the next one is not taken before it.
        self.take.hold.next = self.halt.val() | self.faulted.q.val() | self.clear.waiting.val();
        self.op_ready.next = self.take.op_ready.val();
        self.take.map_bad.next = self.im2col.bad.val();
        self.take.map_unset.next = self.im2col.unset.val();
        self.take.map_done.next = self.im2col.done.val();

        // What starts. Tiles follow each other without a gap; parameters wait until the pipeline is empty.
        self.drained.next = !self.valid[0].q.val()
            & !self.valid[1].q.val()
            & !self.valid[2].q.val()
            & !self.valid[3].q.val()
            & !self.params.busy.val();
        self.idle.next = self.drained.val() & !self.walk.busy.val() & !self.faulted.q.val();
        self.start_tile.next = self.take.ready.val()
            & !self.take.is_fb.val()
            & !self.faulted.q.val()
            & !self.params.busy.val()
            & (!self.take.mapped.val() | self.im2col.begun.val())
            & (!self.walk.busy.val() | self.walk.finishing.val());
        self.start_params.next = self.take.ready.val() & self.take.is_fb.val() & self.idle.val();
        self.start_fill.next = self.take.ready.val()
            & !self.take.is_fb.val()
            & self.take.turned.val()
            & !self.ahead.q.val()
            & (!self.fill.busy.val() | self.fill.finishing.val())
            & !self.faulted.q.val()
            & !self.params.busy.val()
            & (!self.walk.busy.val() | self.walk.turned.val() | self.walk.finishing.val());
        self.take.free.next = self.start_tile.val() | self.start_params.val();
        if self.start_fill.val() {
            self.ahead.d.next = true;
        }
        if self.start_tile.val() {
            self.ahead.d.next = false;
        }
        if self.start_tile.val() | self.start_params.val() {
            self.pc.d.next = self.take.pc.val();
        }

        // The walk.
        self.walk.clk.next = self.clk.val();
        self.walk.rst.next = self.rst.val();
        self.walk.start.next = self.start_tile.val();
        self.walk.in_side_b.next = self.take.side_b.val();
        self.walk.in_turned.next = self.take.turned.val();
        self.walk.in_mapped.next = self.take.mapped.val();
        self.walk.in_signed.next = self.take.is_signed.val();
        self.walk.in_address.next = self.take.address.val();
        self.walk.in_stride.next = self.take.stride.val();
        self.walk.in_rows.next = self.take.rows.val();
        self.walk.in_k.next = self.take.k.val();
        self.walk.in_fractal.next = self.take.fractal.val();
        self.walk.in_fractals_k.next = self.take.fractals_k.val();
        self.walk.in_per_row.next = self.take.per_row.val();
        self.walk.in_zero.next = self.take.zero.val();
        self.walk.hold.next = self.faulted.q.val();
        self.walk.read_ready.next = self.read0_ready.val();
        self.walk.square_full.next = self.squares.full.val();
        self.walk.block_done.next = self.im2col.block_done.val();
        self.walk.zeros_ready.next = self.zeros.ready.val();

        // The reader of squares.
        self.fill.clk.next = self.clk.val();
        self.fill.rst.next = self.rst.val();
        self.fill.start.next = self.start_fill.val();
        self.fill.in_address.next = self.take.address.val();
        self.fill.in_stride.next = self.take.stride.val();
        self.fill.in_rows.next = self.take.rows.val();
        self.fill.in_k.next = self.take.k.val();
        self.fill.hold.next = self.faulted.q.val();
        self.fill.room.next = self.squares.room.val();
        self.fill.read_ready.next = self.read0_ready.val() & !self.walk.read_valid.val();
        self.squares.clk.next = self.clk.val();
        self.squares.rst.next = self.rst.val();
        self.squares.opens.next = self.fill.opens.val();
        self.squares.closes.next = self.fill.closes.val();
        self.squares.empties.next = self.walk.square_done.val();

        // The maker of blocks from a feature map.
        self.im2col.clk.next = self.clk.val();
        self.im2col.rst.next = self.rst.val();
        self.im2col.set_valid.next = self.set_valid.val();
        self.im2col.set_register.next = self.set_register.val();
        self.im2col.set_value.next = self.set_value.val();
        self.im2col.accept.next = self.take.map_accept.val();
        for w in 0..8 {
            self.im2col.op_word[w].next = self.op_word[w].val();
        }
        self.im2col.want.next = self.take.ready.val() & self.take.mapped.val();
        self.im2col.rows.next = self.take.rows.val();
        self.im2col.k.next = self.take.k.val();
        self.im2col.free.next = self.start_tile.val();
        self.im2col.hold.next = self.faulted.q.val();
        self.im2col.open.next = self.walk.busy.val() & self.walk.mapped.val();
        self.im2col.read_ready.next = self.read0_ready.val();
        self.read0_gather.next = self.im2col.read_valid.val();
        for b in 0..self._nb {
            self.read0_word[b].next = self.im2col.word[b].val();
        }

        // The loader of parameters.
        self.params.clk.next = self.clk.val();
        self.params.rst.next = self.rst.val();
        self.params.start.next = self.start_params.val();
        self.params.in_field.next = self.take.field.val();
        self.params.in_address.next = self.take.address.val();
        self.params.in_channel.next = self.take.rows.val();
        self.params.in_count.next = self.take.k.val();
        self.params.hold.next = self.faulted.q.val();
        self.params.read_ready.next =
            self.read0_ready.val() & !self.walk.read_valid.val() & !self.fill.read_valid.val();
        self.params.data_valid.next = self.read0_data_valid.val();
        self.fb_write_valid.next = self.params.write_valid.val();
        self.fb_write_field.next = self.params.write_field.val();
        self.fb_write_channel.next = self.params.write_channel.val();
        self.fb_write_data.next = self.params.write_data.val();

        // One read of L1 per cycle; at most one of the four wants.
        self.offered.next = self.walk.read_valid.val()
            | self.fill.read_valid.val()
            | self.im2col.read_valid.val()
            | self.params.read_valid.val();
        self.read0_valid.next = self.offered.val();
        self.read0_rows.next = self.walk.read_valid.val() | self.fill.read_valid.val();
        self.read0_address.next = self.params.read_address.val();
        if self.fill.read_valid.val() {
            self.read0_address.next = self.fill.read_address.val();
        }
        if self.walk.read_valid.val() {
            self.read0_address.next = self.walk.read_address.val();
        }
        self.stall_memory.next = self.offered.val() & !self.read0_ready.val();
        self.stall_block.next = false;

        // Beside the three cycles of L1 travels what is to be done with the data.
        self.flags.clk.next = self.clk.val();
        self.row.clk.next = self.clk.val();
        self.rows_here.clk.next = self.clk.val();
        self.bytes_here.clk.next = self.clk.val();
        self.zero.clk.next = self.clk.val();
        self.block.clk.next = self.clk.val();
        self.square_step.clk.next = self.clk.val();
        self.fill_tag.clk.next = self.clk.val();
        self.flags.value.next = self.walk.flags.val();
        self.row.value.next = self.walk.row.val();
        self.rows_here.value.next = self.walk.rows_here.val();
        self.bytes_here.value.next = self.walk.bytes_here.val();
        self.zero.value.next = self.walk.zero.val();
        self.block.value.next = self.walk.block.val();
        self.square_step.value.next =
            bit_cast::<8, 4>(self.walk.square_step.val()) | (bit_cast::<8, 1>(self.squares.slot.val().into()) << 4);
        self.fill_tag.value.next =
            bit_cast::<8, 4>(self.fill.step.val()) | (bit_cast::<8, 1>(self.fill.slot.val().into()) << 4);
        self.fill_valid[0].d.next = self.fill.accepted.val();
        for s in 1..3 {
            self.fill_valid[s].d.next = self.fill_valid[s - 1].q.val();
        }
        self.block_pc.d.next = self.pc.q.val();
        // A block beyond L0 stops here, before its data come.
        self.first_flags.next = self.flags.tap[0].val();
        self.first_block.next = self.block.tap[0].val();
        if self.first_flags.val().get_bit(0) {
            self.l0_outside.next = self.valid[0].q.val() & (self.first_block.val() >= self.b_blocks.val());
            self.l0_fractal.next = self.first_block.val() >> self.b_fractal_bits.val();
        } else {
            self.l0_outside.next = self.valid[0].q.val() & (self.first_block.val() >= self.a_blocks.val());
            self.l0_fractal.next = self.first_block.val() >> self.a_fractal_bits.val();
        }
        self.valid[0].d.next = self.walk.step.val();
        self.valid[1].d.next = self.valid[0].q.val() & !self.l0_outside.val() & !self.faulted.q.val();
        self.valid[2].d.next = self.valid[1].q.val();
        self.valid[3].d.next = self.valid[2].q.val();

        // Zero points per row.
        self.middle_flags.next = self.flags.tap[1].val();
        self.zeros.clk.next = self.clk.val();
        self.zeros.rst.next = self.rst.val();
        self.zeros.start.next = self.start_tile.val();
        self.zeros.in_per_row.next = self.take.per_row.val();
        self.zeros.in_signed.next = self.take.is_signed.val();
        self.zeros.in_channel.next = self.take.zero_channel.val();
        self.zeros.in_rows.next = self.take.rows.val();
        self.zeros.claim.next = self.walk.claim.val();
        self.zeros.copy.next = self.valid[1].q.val() & self.middle_flags.val().get_bit(4);
        self.zeros.zero_point.next = self.zero_point.val();
        self.zero_channel.next = self.zeros.zero_channel.val();

        // The data.
        self.last_flags.next = self.flags.tap[2].val();
        self.last_block.next = self.block.tap[2].val();
        self.last_square_step.next = self.square_step.tap[2].val();
        self.last_fill_step.next = self.fill_tag.tap[2].val();
        self.turn.clk.next = self.clk.val();
        self.turn.write_valid.next = self.fill_valid[2].q.val();
        self.turn.write_slot.next = self.last_fill_step.val().get_bit(4);
        self.turn.write_step.next = self.last_fill_step.val().get_bits::<4>(0);
        self.turn.read_slot.next = self.last_square_step.val().get_bit(4);
        self.turn.read_step.next = self.last_square_step.val().get_bits::<4>(0);
        self.lanes.clk.next = self.clk.val();
        self.lanes.turned.next = self.last_flags.val().get_bit(1);
        self.lanes.mapped.next = self.last_flags.val().get_bit(6);
        self.lanes.is_signed.next = self.last_flags.val().get_bit(2);
        self.lanes.per_row.next = self.last_flags.val().get_bit(3);
        self.lanes.row.next = self.row.tap[2].val();
        self.lanes.rows_here.next = self.rows_here.tap[2].val();
        self.lanes.bytes_here.next = self.bytes_here.tap[2].val();
        self.lanes.zero.next = self.zero.tap[2].val();
        for r in 0..self._square {
            self.lanes.row_zero[r].next = self.zeros.current[r].val();
        }
        for i in 0..self._lanes {
            self.params.data[i].next = self.read0_data[i].val();
            self.turn.in_data[i].next = self.read0_data[i].val();
            self.im2col.data[i].next = self.read0_data[i].val();
            self.lanes.from_l1[i].next = self.read0_data[i].val();
            self.lanes.from_turn[i].next = self.turn.out_data[i].val();
        }
        self.last.d.next = self.last_flags.val().get_bit(5);
        self.to_b.d.next = self.last_flags.val().get_bit(0);
        self.write_block.d.next = bit_cast::<16, 24>(self.last_block.val());
        self.l0a_write_valid.next = self.valid[3].q.val() & !self.to_b.q.val();
        self.l0b_write_valid.next = self.valid[3].q.val() & self.to_b.q.val();
        self.l0a_write_address.next = self.write_block.q.val();
        self.l0b_write_address.next = self.write_block.q.val();
        for i in 0..self._a_lanes {
            self.lanes.from_map[i].next = self.im2col.byte[i].val();
            self.lanes.given[i].next = self.im2col.given[i].val();
            self.l0a_write_data[i].next = self.lanes.element[i].val();
        }
        for i in 0..self._b_lanes {
            self.l0b_write_data[i].next = self.lanes.element[i].val();
        }

        // The early clear.
        self.clear.clk.next = self.clk.val();
        self.clear.rst.next = self.rst.val();
        self.clear.start_tile.next = self.start_tile.val();
        self.clear.start_params.next = self.start_params.val();
        self.clear.wanted.next = self.take.early.val();
        self.clear.side_b.next = self.take.side_b.val();
        self.clear.fractal.next = self.take.fractal.val();
        self.clear.fractals.next = self.take.fractals.val();
        self.clear.on_way[0].next = self.walk.step.val() & (self.walk.flags.val().get_bit(0) == self.take.side_b.val());
        self.clear.on_way[1].next =
            self.valid[0].q.val() & (self.first_flags.val().get_bit(0) == self.take.side_b.val());
        self.clear.on_way[2].next =
            self.valid[1].q.val() & (self.middle_flags.val().get_bit(0) == self.take.side_b.val());
        self.early.next = self.clear.early.val();
        self.l0a_clear_valid.next = self.clear.a_valid.val();
        self.l0b_clear_valid.next = self.clear.b_valid.val();
        self.l0a_clear_first.next = self.clear.first.val();
        self.l0b_clear_first.next = self.clear.first.val();
        self.l0a_clear_last.next = self.clear.last.val();
        self.l0b_clear_last.next = self.clear.last.val();

        // What Issue sees.
        self.done.next = (self.valid[3].q.val() & self.last.q.val()) | self.params.done.val();
        self.active.next = self.take.full.val()
            | self.walk.busy.val()
            | self.fill.busy.val()
            | !self.drained.val()
            | self.clear.waiting.val();

        // Faults, in program order: a block on its way, then the walk at hand, then the instruction in the slot.
        self.stops.next = true;
        self.stop_cause.next = self.cause_outside.val();
        self.stop_address.next = 0.into();
        self.stop_pc.next = self.pc.q.val();
        if self.l0_outside.val() {
            self.stop_address.next = bit_cast::<40, 24>(self.l0_fractal.val());
            self.stop_pc.next = self.block_pc.q.val();
        } else if self.zeros.bad.val() {
            self.stop_cause.next = self.cause_zero_point.val();
        } else if self.zeros.outside.val() {
            self.stop_address.next = bit_cast::<40, 24>(self.zeros.outside_channel.val());
        } else if self.walk.outside.val() {
            self.stop_address.next = bit_cast::<40, 26>(self.walk.outside_address.val());
        } else if self.fill.outside.val()
            & self.walk.busy.val()
            & self.walk.turned.val()
            & !self.ahead.q.val()
            & !self.squares.full.val()
        {
            self.stop_address.next = bit_cast::<40, 26>(self.fill.outside_address.val());
        } else if self.im2col.outside.val() {
            self.stop_address.next = bit_cast::<40, 26>(self.im2col.outside_address.val());
        } else if self.params.outside.val() {
            self.stop_address.next = bit_cast::<40, 26>(self.params.outside_address.val());
        } else if self.take.bad.val() & self.idle.val() {
            self.stop_cause.next = self.take.cause.val();
            self.stop_pc.next = self.take.pc.val();
        } else {
            self.stops.next = false;
        }
        if self.stops.val() & !self.faulted.q.val() {
            self.faulted.d.next = true;
            self.cause.d.next = self.stop_cause.val();
            self.address.d.next = self.stop_address.val();
            self.faulted_pc.d.next = self.stop_pc.val();
        }
        self.fault.next = self.faulted.q.val();
        self.fault_cause.next = self.cause.q.val();
        self.fault_address.next = self.address.q.val();
        self.fault_pc.next = self.faulted_pc.q.val();
        if self.rst.val() {
            for s in 0..4 {
                self.valid[s].d.next = false;
            }
            for s in 0..3 {
                self.fill_valid[s].d.next = false;
            }
            self.ahead.d.next = false;
            self.faulted.d.next = false;
            self.cause.d.next = 0.into();
            self.address.d.next = 0.into();
            self.faulted_pc.d.next = 0.into();
        }
    }
}
