// SPDX-License-Identifier: Apache-2.0
//! The FIX pipe: takes tiles of L0C through bias, requantisation, ReLU and clamp, and stores rows to GM, L1 or UB.
//!
//! ```text
//!              ┌───────┐ start  ┌────────┐ block  ┌──────┐ value ┌─────────┐ result ┌─────────┐ word ┌────────────┐
//!  op, set ───►│ setup │───────►│ blocks │───────►│ pick │──────►│ requant │───────►│ collect │─────►│ row buffer │
//!              └───────┘        └────────┘        └──────┘       └─────────┘        └─────────┘      └─────┬──────┘
//!                  │             L0C ▲ │ arrived      ▲ FB bias, scale ▲                                   ▼
//!                  │                   ▼              │ select         │ channel    ┌──────────┐      ┌───────┐──► GM row, word
//!                  └──────────────► steps ────────────┴────────────────┴───claim───►│ segments │─────►│ drain │
//!                                                                                   └──────────┘      └───────┘──► l1_rows ─► L1
//! ```
//! Rule: `dst(i, j) = clamp(relu(quantise(L0C(i, j) + bias(channel + j))))` for the m x n real elements and nothing else.
//! Rate: `min(lanes, bus word)` results per cycle for 8-bit results, a bus word of int32 per cycle (with at least a word's
//! worth of lanes), of fp32 likewise; one row per cycle at most. Latency of a step: 14 cycles to the row buffer (int32: 5, fp32: 12).
//! The next instruction is taken when the last one has left the pipe for the row buffer, while that still drains.
//! Test: `tests/units/fix.rs`. Page: `docs/units/fix.md`.

use super::blocks::Blocks;
use super::collect::Collect;
use super::delay::Delay;
use super::drain::Drain;
use super::factor::{Factor, Legal};
use super::l1_rows::L1Rows;
use super::pick::Pick;
use super::requant::{FLOAT_CYCLES, NARROW_CYCLES, Requant, WIDE_CYCLES};
use super::second::Second;
use super::segments::Segments;
use super::setup::Setup;
use super::shape::{CHUNK_WORDS, SLOTS, Shape};
use super::steps::Steps;
use crate::prim::prelude::*;
use isa::Config;

/// The FIX pipe of a core with a B-bit bus.
#[derive(LogicBlock)]
pub struct Fix<const B: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets everything; state registers get their reset values.
    pub rst: Signal<In, Bit>,
    /// An instruction is offered.
    pub op_valid: Signal<In, Bit>,
    /// It is taken.
    pub op_ready: Signal<Out, Bit>,
    /// w0 to w7.
    pub op_word: Vec<Signal<In, Bits<32>>>,
    /// Program counter.
    pub op_pc: Signal<In, Bits<32>>,
    /// A state register is written.
    pub set_valid: Signal<In, Bit>,
    /// Its number.
    pub set_register: Signal<In, Bits<8>>,
    /// Its value.
    pub set_value: Signal<In, Bits<32>>,
    /// GM base registers, 16.
    pub base: Vec<Signal<In, Bits<40>>>,
    /// Take no instruction.
    pub halt: Signal<In, Bit>,
    /// Never: FIX has no early sets.
    pub early: Signal<Out, Bit>,
    /// One cycle per instruction, in order, when all it wrote is answered.
    pub done: Signal<Out, Bit>,
    /// An instruction is inside.
    pub active: Signal<Out, Bit>,
    /// Nothing moves because a block is not full.
    pub stall_block: Signal<Out, Bit>,
    /// Nothing moves because of the destination.
    pub stall_memory: Signal<Out, Bit>,
    /// Stopped by a fault, until `rst`.
    pub fault: Signal<Out, Bit>,
    /// Which (`isa::Cause`).
    pub fault_cause: Signal<Out, Bits<8>>,
    /// GM or L1 address, L0C fractal, FB channel.
    pub fault_address: Signal<Out, Bits<40>>,
    /// Program counter of the instruction.
    pub fault_pc: Signal<Out, Bits<32>>,
    /// A block of L0C is asked for.
    pub l0c_read_valid: Signal<Out, Bit>,
    /// It is full and the port is free.
    pub l0c_read_ready: Signal<In, Bit>,
    /// It is full.
    pub l0c_full: Signal<In, Bit>,
    /// Block number.
    pub l0c_read_address: Signal<Out, Bits<16>>,
    /// M0 x N0 accumulators, row-major, 2 cycles after the read was taken.
    pub l0c_read_data: Vec<Signal<In, Bits<32>>>,
    /// First of the channels wanted.
    pub fb_channel: Signal<Out, Bits<16>>,
    /// Their biases, 2 cycles later.
    pub fb_bias: Vec<Signal<In, Bits<32>>>,
    /// Their scales, 2 cycles later.
    pub fb_scale: Vec<Signal<In, Bits<32>>>,
    /// Their shifts, 2 cycles later.
    pub fb_shift: Vec<Signal<In, Bits<8>>>,
    /// A row for GM.
    pub row_valid: Signal<Out, Bit>,
    /// It is taken.
    pub row_ready: Signal<In, Bit>,
    /// Its first byte.
    pub row_address: Signal<Out, Bits<40>>,
    /// Its bytes.
    pub row_length: Signal<Out, Bits<24>>,
    /// The last row of its instruction.
    pub row_last: Signal<Out, Bit>,
    /// A word for GM.
    pub word_valid: Signal<Out, Bit>,
    /// It is taken.
    pub word_ready: Signal<In, Bit>,
    /// Lane 0 is the row's first byte; words are full but for a row's last.
    pub word: Vec<Signal<Out, Bits<8>>>,
    /// Everything up to a row marked last is answered.
    pub retired: Signal<In, Bit>,
    /// Tag of a faulty burst (from `AxiWrite`).
    pub bus_tag: Signal<In, Bits<3>>,
    /// Program counter of the instruction to which that burst belongs.
    pub bus_pc: Signal<Out, Bits<32>>,
    /// A write to L1.
    pub l1_write_valid: Signal<Out, Bit>,
    /// It is taken.
    pub l1_write_ready: Signal<In, Bit>,
    /// A write to UB, if there is one; the three that follow are for both.
    pub ub_write_valid: Vec<Signal<Out, Bit>>,
    /// It is taken.
    pub ub_write_ready: Vec<Signal<In, Bit>>,
    /// A multiple of S.
    pub l1_write_address: Signal<Out, Bits<24>>,
    /// Bytes to write.
    pub l1_write_enable: Vec<Signal<Out, Bit>>,
    /// Their values.
    pub l1_write_data: Vec<Signal<Out, Bits<8>>>,
    /// A line of UB with numbers of a second tensor is asked for, and taken at once.
    pub ub_read_valid: Vec<Signal<Out, Bit>>,
    /// Its first byte.
    pub ub_read_address: Vec<Signal<Out, Bits<24>>>,
    /// The line, 3 cycles later.
    pub ub_read_data: Vec<Signal<In, Bits<8>>>,
    /// The other reader of UB waits in this cycle.
    pub ub_read_waits: Vec<Signal<In, Bit>>,
    setup: Setup,
    second: Vec<Second>,
    blocks: Blocks,
    steps: Steps,
    pick: Vec<Pick<32>>,
    lane: Vec<Requant>,
    factor: Vec<Factor>,
    legal: Vec<Legal>,
    real_delay: Delay<8>,
    wide_tag: Delay<18>,
    float_tag: Delay<18>,
    narrow_tag: Delay<18>,
    collect: Collect,
    buffer: Ram<8>,
    segments: Segments,
    drain: Drain,
    l1_rows: L1Rows,
    /// Program counters of the last eight instructions with rows for GM, by tag.
    counters: Lutram<32>,
    tag: Reg<Bits<3>>,
    open_chunks: Reg<Bits<3>>,
    inside: Reg<Bits<4>>,
    scale_fault: Reg<Bit>,
    scale_channel: Reg<Bits<16>>,
    channel_1: Reg<Bits<16>>,
    channel_2: Reg<Bits<16>>,
    faulty: Reg<Bit>,
    cause: Reg<Bits<8>>,
    at: Reg<Bits<40>>,
    at_pc: Reg<Bits<32>>,
    any_fault: Signal<Local, Bit>,
    moving: Signal<Local, Bit>,
    bad: Vec<Signal<Local, Bit>>,
    slot_shift: Constant<Bits<4>>,
    _rows: usize,
    _columns: usize,
    _lanes: usize,
    _n0: usize,
    _row_groups: usize,
    _column_groups: usize,
    _block: usize,
    _bus_bytes: usize,
    _l1_word: usize,
    _l1_segment: usize,
    _ub: usize,
    _ub_line: usize,
}

impl<const B: usize> Fix<B> {
    /// The FIX pipe of `config`, whose bus must have B bits.
    ///
    /// Panics if it has not.
    pub fn new(config: &Config) -> Self {
        assert_eq!(config.bus_bytes * 8, B, "the bus width is a compile-time number");
        let shape = Shape::of(config);
        let ub = usize::from(config.ub_bytes > 0);
        let (lanes, word) = (shape.lanes(), shape.bus_bytes);
        let steps_per_block = shape.block() / lanes;
        Fix {
            clk: Signal::default(),
            rst: Signal::default(),
            op_valid: Signal::default(),
            op_ready: Signal::default(),
            op_word: vec![Signal::default(); 8],
            op_pc: Signal::default(),
            set_valid: Signal::default(),
            set_register: Signal::default(),
            set_value: Signal::default(),
            base: vec![Signal::default(); 16],
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
            l0c_read_valid: Signal::default(),
            l0c_read_ready: Signal::default(),
            l0c_full: Signal::default(),
            l0c_read_address: Signal::default(),
            l0c_read_data: vec![Signal::default(); shape.block()],
            fb_channel: Signal::default(),
            fb_bias: vec![Signal::default(); shape.fb_columns],
            fb_scale: vec![Signal::default(); shape.fb_columns],
            fb_shift: vec![Signal::default(); shape.fb_columns],
            row_valid: Signal::default(),
            row_ready: Signal::default(),
            row_address: Signal::default(),
            row_length: Signal::default(),
            row_last: Signal::default(),
            word_valid: Signal::default(),
            word_ready: Signal::default(),
            word: vec![Signal::default(); word],
            retired: Signal::default(),
            bus_tag: Signal::default(),
            bus_pc: Signal::default(),
            l1_write_valid: Signal::default(),
            l1_write_ready: Signal::default(),
            ub_write_valid: vec![Signal::default(); ub],
            ub_write_ready: vec![Signal::default(); ub],
            l1_write_address: Signal::default(),
            l1_write_enable: vec![Signal::default(); shape.l1_segment],
            l1_write_data: vec![Signal::default(); shape.l1_segment],
            ub_read_valid: vec![Signal::default(); ub],
            ub_read_address: vec![Signal::default(); ub],
            ub_read_data: vec![Signal::default(); ub * shape.ub_line],
            ub_read_waits: vec![Signal::default(); ub],
            setup: Setup::new(&shape),
            second: (0..ub).map(|_| Second::new(&shape)).collect(),
            blocks: Blocks::new(&shape),
            steps: Steps::new(&shape),
            pick: (0..lanes).map(|_| Pick::new(steps_per_block)).collect(),
            lane: (0..lanes).map(|_| Requant::default()).collect(),
            factor: (0..shape.columns).map(|_| Factor::default()).collect(),
            legal: (0..shape.columns).map(|_| Legal::default()).collect(),
            real_delay: Delay::new(1),
            // The tag leaves `steps` one cycle before its values leave `pick`.
            wide_tag: Delay::new(1 + WIDE_CYCLES),
            float_tag: Delay::new(FLOAT_CYCLES - WIDE_CYCLES),
            narrow_tag: Delay::new(NARROW_CYCLES - FLOAT_CYCLES),
            collect: Collect::new(&shape),
            buffer: Ram::whole(SLOTS * shape.m0 * CHUNK_WORDS, word),
            segments: Segments::new(&shape),
            drain: Drain::new(&shape),
            l1_rows: L1Rows::new(&shape),
            counters: Lutram::new(8, 1),
            tag: Reg::default(),
            open_chunks: Reg::default(),
            inside: Reg::default(),
            scale_fault: Reg::default(),
            scale_channel: Reg::default(),
            channel_1: Reg::default(),
            channel_2: Reg::default(),
            faulty: Reg::default(),
            cause: Reg::default(),
            at: Reg::default(),
            at_pc: Reg::default(),
            any_fault: Signal::default(),
            moving: Signal::default(),
            bad: vec![Signal::default(); shape.columns],
            slot_shift: Constant::new((4 + super::shape::log2(shape.m0)).into()),
            _rows: shape.rows,
            _columns: shape.columns,
            _lanes: lanes,
            _n0: shape.n0,
            _row_groups: shape.row_groups(),
            _column_groups: shape.column_groups(),
            _block: shape.block(),
            _bus_bytes: word,
            _l1_word: shape.l1_word(),
            _l1_segment: shape.l1_segment,
            _ub: ub,
            _ub_line: shape.ub_line,
        }
    }
}

impl<const B: usize> Logic for Fix<B> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!(
            "fix_{l0c_read_data[]}x{word[]}: L0C through bias, requantisation, relu and clamp to rows in GM or L1."
        );
        dff_setup!(
            self,
            clk,
            tag,
            open_chunks,
            inside,
            scale_fault,
            scale_channel,
            channel_1,
            channel_2,
            faulty,
            cause,
            at,
            at_pc
        );
        self.setup.clk.next = self.clk.val();
        self.setup.rst.next = self.rst.val();
        self.blocks.clk.next = self.clk.val();
        self.blocks.rst.next = self.rst.val();
        self.steps.clk.next = self.clk.val();
        self.steps.rst.next = self.rst.val();
        self.real_delay.clk.next = self.clk.val();
        self.real_delay.clear.next = self.rst.val();
        self.wide_tag.clk.next = self.clk.val();
        self.wide_tag.clear.next = self.rst.val();
        self.float_tag.clk.next = self.clk.val();
        self.float_tag.clear.next = self.rst.val();
        self.narrow_tag.clk.next = self.clk.val();
        self.narrow_tag.clear.next = self.rst.val();
        self.collect.clk.next = self.clk.val();
        self.collect.rst.next = self.rst.val();
        self.buffer.clock.next = self.clk.val();
        self.segments.clk.next = self.clk.val();
        self.segments.rst.next = self.rst.val();
        self.drain.clk.next = self.clk.val();
        self.drain.rst.next = self.rst.val();
        self.l1_rows.clk.next = self.clk.val();
        self.l1_rows.rst.next = self.rst.val();
        // Instructions.
        self.setup.op_valid.next = self.op_valid.val();
        self.op_ready.next = self.setup.op_ready.val();
        for i in 0..8 {
            self.setup.op_word[i].next = self.op_word[i].val();
        }
        self.setup.op_pc.next = self.op_pc.val();
        self.setup.set_valid.next = self.set_valid.val();
        self.setup.set_register.next = self.set_register.val();
        self.setup.set_value.next = self.set_value.val();
        for i in 0..16 {
            self.setup.base[i].next = self.base[i].val();
        }
        self.setup.allowed.next = !self.halt.val()
            & !self.faulty.q.val()
            & !self.steps.running.val()
            & self.setup.idle.val()
            & (self.open_chunks.q.val() == 0)
            & (self.inside.q.val() != 12);
        self.early.next = false;
        self.done.next = self.drain.done.val();
        self.active.next = self.inside.q.val() != 0;
        if self.setup.taken.val() & !self.drain.done.val() {
            self.inside.d.next = self.inside.q.val() + 1;
        }
        if !self.setup.taken.val() & self.drain.done.val() {
            self.inside.d.next = self.inside.q.val() - 1;
        }
        // Second tensor.
        self.setup.second_mode.next = 0.into();
        self.setup.sum_zero_point.next = 0.into();
        self.setup.second_busy.next = false;
        self.setup.second_refused.next = false;
        self.setup.second_cause.next = 0.into();
        self.setup.second_address.next = 0.into();
        self.steps.hold.next = false;
        for u in 0..self._ub {
            self.second[u].clk.next = self.clk.val();
            self.second[u].rst.next = self.rst.val();
            self.second[u].set_valid.next = self.set_valid.val();
            self.second[u].set_register.next = self.set_register.val();
            self.second[u].set_value.next = self.set_value.val();
            self.second[u].taken.next = self.setup.taken.val();
            self.second[u].word_2.next = self.op_word[2].val();
            self.second[u].word_5.next = self.op_word[5].val();
            self.setup.second_mode.next = self.second[u].mode.val();
            self.setup.sum_zero_point.next = self.second[u].sum_zero_point.val();
            self.setup.second_busy.next = self.second[u].busy.val();
            self.setup.second_refused.next = self.second[u].refused.val();
            self.setup.second_cause.next = self.second[u].cause.val();
            self.setup.second_address.next = self.second[u].fault_address.val();
            self.second[u].older.next = self.inside.q.val();
            self.second[u].done.next = self.drain.done.val();
            self.second[u].start.next = self.setup.start.val();
            self.second[u].step.next = self.steps.walk.val();
            self.steps.hold.next = self.second[u].hold.val();
            self.second[u].low.next = self.setup.second_low.val();
            self.second[u].high.next = self.setup.second_high.val();
            self.second[u].low_byte.next = self.setup.second_low_byte.val();
            self.second[u].high_byte.next = self.setup.second_high_byte.val();
            self.second[u].tag.next = self.narrow_tag.later.val();
            self.ub_read_valid[u].next = self.second[u].ub_read_valid.val();
            self.ub_read_address[u].next = self.second[u].ub_read_address.val();
            self.second[u].ub_waits.next = self.ub_read_waits[u].val();
            for i in 0..self._ub_line {
                self.second[u].ub_read_data[i].next = self.ub_read_data[i].val();
            }
            for i in 0..self._lanes {
                self.second[u].narrow[i].next = self.lane[i].narrow.val();
            }
        }
        // Blocks of L0C.
        self.blocks.stop.next = self.faulty.q.val();
        self.blocks.start.next = self.setup.start.val();
        self.blocks.fractal.next = self.setup.fractal.val();
        self.blocks.m.next = self.setup.m.val();
        self.blocks.n.next = self.setup.n.val();
        self.l0c_read_valid.next = self.blocks.read_valid.val();
        self.blocks.read_ready.next = self.l0c_read_ready.val();
        self.blocks.full.next = self.l0c_full.val();
        self.l0c_read_address.next = self.blocks.read_address.val();
        for i in 0..self._block {
            self.blocks.read_data[i].next = self.l0c_read_data[i].val();
        }
        self.blocks.pop.next = self.steps.pop.val();
        // Steps.
        self.steps.stop.next = self.faulty.q.val();
        self.steps.start.next = self.setup.start.val();
        self.steps.is_wide.next = self.setup.is_wide.val();
        self.steps.nz.next = self.setup.nz.val();
        self.steps.m.next = self.setup.m.val();
        self.steps.n.next = self.setup.n.val();
        self.steps.first_channel.next = self.setup.channel.val();
        self.steps.address.next = self.setup.address.val();
        self.steps.stride.next = self.setup.stride.val();
        self.steps.arrived.next = self.blocks.arrived.val();
        self.fb_channel.next = self.steps.channel.val();
        // Lanes: row r and column c of a step; the block's step (g, s) is column group g, row group s.
        for rr in self._rows..(self._rows + 1) {
            for cc in self._columns..(self._columns + 1) {
                for nn in self._n0..(self._n0 + 1) {
                    for groups in self._row_groups..(self._row_groups + 1) {
                        for r in 0..self._rows {
                            for c in 0..self._columns {
                                for g in 0..self._column_groups {
                                    for s in 0..self._row_groups {
                                        self.pick[r * cc + c].choice[g * groups + s].next =
                                            self.blocks.block[(s * rr + r) * nn + g * cc + c].val();
                                    }
                                }
                                self.lane[r * cc + c].bias.next = 0.into();
                                if self.setup.bias.val() {
                                    self.lane[r * cc + c].bias.next = self.fb_bias[c].val();
                                }
                                self.lane[r * cc + c].factor.next = self.factor[c].factor.val();
                                self.lane[r * cc + c].exponent.next = self.factor[c].exponent.val();
                                self.lane[r * cc + c].raw.next = self.factor[c].raw.val();
                                self.lane[r * cc + c].raw_late.next = self.factor[c].raw_late.val();
                            }
                        }
                    }
                }
            }
        }
        for i in 0..self._lanes {
            self.pick[i].clk.next = self.clk.val();
            self.pick[i].select.next = self.steps.select.val();
            self.lane[i].clk.next = self.clk.val();
            self.lane[i].value.next = self.pick[i].chosen.val();
            self.lane[i].fixed.next = self.setup.fixed.val();
            self.lane[i].is_float.next = self.setup.is_float.val();
            self.lane[i].zero_point.next = self.setup.zero_point.val();
            self.lane[i].low.next = self.setup.low.val();
            self.lane[i].high.next = self.setup.high.val();
            self.lane[i].low_near.next = self.setup.low_near.val();
            self.lane[i].high_near.next = self.setup.high_near.val();
            self.collect.narrow[i].next = self.lane[i].narrow.val();
            self.collect.wide[i].next = self.lane[i].wide.val();
        }
        // A scale from FB is checked when it arrives, if its column is real.
        self.real_delay.now.next = self.steps.real_columns.val();
        self.channel_1.d.next = self.steps.channel.val();
        self.channel_2.d.next = self.channel_1.q.val();
        self.scale_channel.d.next = self.channel_2.q.val();
        self.scale_fault.d.next = false;
        for n in self._columns..(self._columns + 1) {
            for i in 0..self._columns {
                self.factor[i].clk.next = self.clk.val();
                self.factor[i].fixed.next = self.setup.fixed.val();
                self.factor[i].gemmlowp.next = self.setup.gemmlowp.val();
                self.factor[i].scale.next = self.setup.scale.val();
                self.factor[i].shift.next = self.setup.shift.val();
                if self.setup.per_channel.val() {
                    self.factor[i].scale.next = self.fb_scale[i].val();
                    self.factor[i].shift.next = self.fb_shift[i].val();
                }
                self.legal[i].scale.next = self.fb_scale[i].val();
                self.legal[i].shift.next = self.fb_shift[i].val();
                self.legal[i].fixed.next = self.setup.fixed.val();
                self.bad[i].next = self.setup.per_channel.val()
                    & (self.real_delay.later.val() > i.to_bits())
                    & self.legal[i].bad.val();
            }
            // The lowest channel wins.
            for i in 0..self._columns {
                if self.bad[n - 1 - i].val() {
                    self.scale_fault.d.next = true;
                    self.scale_channel.d.next = self.channel_2.q.val() + (n - 1 - i).to_bits::<16>();
                }
            }
        }
        // Words of rows.
        self.wide_tag.now.next = self.steps.tag.val();
        // Nothing of an instruction may come out again once the next one has changed the mode.
        self.float_tag.now.next = 0.into();
        if !self.setup.is_wide.val() | self.setup.is_float.val() {
            self.float_tag.now.next = self.wide_tag.later.val();
        }
        self.narrow_tag.now.next = 0.into();
        if !self.setup.is_wide.val() {
            self.narrow_tag.now.next = self.float_tag.later.val();
        }
        if self.setup.is_float.val() {
            self.collect.tag.next = self.float_tag.later.val();
        } else if self.setup.is_wide.val() {
            self.collect.tag.next = self.wide_tag.later.val();
        } else {
            self.collect.tag.next = self.narrow_tag.later.val();
        }
        self.collect.is_wide.next = self.setup.is_wide.val();
        for u in 0..self._ub {
            if self.second[u].mode.val() != 0 {
                self.collect.tag.next = self.second[u].tag_out.val();
                for i in 0..self._lanes {
                    self.collect.narrow[i].next = self.second[u].combined[i].val();
                }
            }
        }
        self.buffer.write_enable[0].next = self.collect.write_valid.val();
        self.buffer.write_address.next = (bit_cast::<16, 2>(self.collect.write_slot.val()) << self.slot_shift.val())
            | (bit_cast::<16, 4>(self.collect.write_row.val()) << 4)
            | bit_cast::<16, 4>(self.collect.write_word.val());
        self.buffer.read_enable.next = self.drain.read_enable.val();
        self.buffer.read_address.next = self.drain.read_address.val();
        for i in 0..self._bus_bytes {
            self.buffer.write[i].next = self.collect.write[i].val();
            self.drain.read[i].next = self.buffer.read[i].val();
        }
        // Chunks: claimed by their first step, ready with their last word.
        self.segments.stop.next = self.faulty.q.val();
        self.segments.chunk_address.next = self.steps.chunk_address.val();
        self.segments.chunk_stride.next = self.setup.stride.val();
        self.segments.chunk_bytes.next = self.steps.chunk_bytes.val();
        self.segments.chunk_rows.next = self.steps.chunk_rows.val();
        self.segments.chunk_kind.next = bit_cast::<4, 1>(self.setup.nz.val().into())
            | (bit_cast::<4, 1>(self.setup.to_local.val().into()) << 1)
            | (bit_cast::<4, 1>(self.steps.chunk_last.val().into()) << 2)
            | (bit_cast::<4, 1>(self.setup.to_ub.val().into()) << 3);
        self.segments.chunk_pc.next = self.setup.pc.val();
        self.steps.free.next = self.segments.free.val();
        self.segments.claim.next = self.steps.claim.val();
        self.segments.ready.next = self.collect.ready.val();
        self.segments.freed.next = self.drain.freed.val();
        if self.steps.claim.val() & !self.collect.ready.val() {
            self.open_chunks.d.next = self.open_chunks.q.val() + 1;
        }
        if !self.steps.claim.val() & self.collect.ready.val() {
            self.open_chunks.d.next = self.open_chunks.q.val() - 1;
        }
        self.drain.segment_valid.next = self.segments.segment_valid.val();
        self.segments.segment_ready.next = self.drain.segment_ready.val();
        self.drain.segment_address.next = self.segments.segment_address.val();
        self.drain.segment_bytes.next = self.segments.segment_bytes.val();
        self.drain.segment_slot.next = self.segments.segment_slot.val();
        self.drain.segment_row.next = self.segments.segment_row.val();
        self.drain.segment_unit.next = self.segments.segment_unit.val();
        self.drain.segment_kind.next = self.segments.segment_kind.val();
        self.drain.segment_last.next = self.segments.segment_last.val();
        self.drain.segment_pc.next = self.segments.segment_pc.val();
        // Destinations.
        self.row_valid.next = self.drain.row_valid[0].val();
        self.drain.row_ready[0].next = self.row_ready.val();
        self.row_address.next = self.drain.row_address.val();
        self.row_length.next = self.drain.row_length.val();
        self.row_last.next = self.drain.row_last.val();
        self.word_valid.next = self.drain.word_valid[0].val();
        self.drain.word_ready[0].next = self.word_ready.val();
        for i in 0..self._bus_bytes {
            self.word[i].next = self.drain.word[i].val();
        }
        self.drain.retired[0].next = self.retired.val();
        // `WriteStream` counts the instructions by their last rows; so does this. At most eight are not answered.
        self.counters.clock.next = self.clk.val();
        self.counters.write_enable.next = self.drain.row_valid[0].val() & self.row_ready.val();
        self.counters.write_address.next = bit_cast::<8, 3>(self.tag.q.val());
        self.counters.write[0].next = self.drain.row_pc.val();
        self.counters.read_address.next = bit_cast::<8, 3>(self.bus_tag.val());
        self.bus_pc.next = self.counters.read[0].val();
        if self.drain.row_valid[0].val() & self.row_ready.val() & self.drain.row_last.val() {
            self.tag.d.next = self.tag.q.val() + 1;
        }
        self.l1_rows.row_valid.next = self.drain.row_valid[1].val();
        self.drain.row_ready[1].next = self.l1_rows.row_ready.val();
        self.l1_rows.row_address.next = self.drain.row_address.val().get_bits::<24>(0);
        self.l1_rows.row_length.next = self.drain.row_length.val().get_bits::<11>(0);
        self.l1_rows.row_last.next = self.drain.row_last.val();
        self.l1_rows.word_valid.next = self.drain.word_valid[1].val();
        self.drain.word_ready[1].next = self.l1_rows.word_ready.val();
        self.drain.retired[1].next = self.l1_rows.retired.val();
        self.l1_write_valid.next = self.l1_rows.write_valid.val();
        self.l1_rows.write_ready.next = self.l1_write_ready.val();
        self.l1_write_address.next = self.l1_rows.write_address.val();
        for u in 0..self._ub {
            self.l1_rows.row_ub[u].next = self.drain.row_ub.val();
            self.ub_write_valid[u].next = self.l1_rows.ub_write_valid[u].val();
            self.l1_rows.ub_write_ready[u].next = self.ub_write_ready[u].val();
        }
        for i in 0..self._l1_word {
            self.l1_rows.word[i].next = self.drain.word[i].val();
        }
        for i in 0..self._l1_segment {
            self.l1_write_enable[i].next = self.l1_rows.write_enable[i].val();
            self.l1_write_data[i].next = self.l1_rows.write_data[i].val();
        }
        // Why nothing moves.
        self.moving.next = self.steps.issued.val() | (self.open_chunks.q.val() != 0);
        self.stall_memory.next = !self.steps.issued.val()
            & (self.drain.blocked.val() | (self.drain.busy.val() & !self.moving.val() & !self.segments.busy.val()));
        self.stall_block.next =
            !self.steps.issued.val() & self.blocks.waiting.val() & !self.drain.busy.val() & !self.segments.busy.val();
        // The first fault stays, the oldest instruction first.
        self.any_fault.next =
            self.drain.fault.val() | self.scale_fault.q.val() | self.blocks.fault.val() | self.setup.fault.val();
        self.faulty.d.next = self.faulty.q.val() | self.any_fault.val();
        if !self.faulty.q.val() {
            self.at_pc.d.next = self.setup.pc.val();
            if self.drain.fault.val() {
                self.cause.d.next = 16.into();
                if self.drain.fault_in_local.val() {
                    self.cause.d.next = 5.into();
                }
                self.at.d.next = self.drain.fault_address.val();
                self.at_pc.d.next = self.drain.fault_pc.val();
            } else if self.scale_fault.q.val() {
                self.cause.d.next = 14.into();
                self.at.d.next = bit_cast::<40, 16>(self.scale_channel.q.val());
            } else if self.blocks.fault.val() {
                self.cause.d.next = 5.into();
                self.at.d.next = self.blocks.fault_address.val();
            } else {
                self.cause.d.next = self.setup.fault_cause.val();
                self.at.d.next = self.setup.fault_address.val();
            }
        }
        self.fault.next = self.faulty.q.val();
        self.fault_cause.next = self.cause.q.val();
        self.fault_address.next = self.at.q.val();
        self.fault_pc.next = self.at_pc.q.val();
        if self.rst.val() {
            self.tag.d.next = 0.into();
            self.open_chunks.d.next = 0.into();
            self.inside.d.next = 0.into();
            self.scale_fault.d.next = false;
            self.faulty.d.next = false;
        }
    }
}
