// SPDX-License-Identifier: Apache-2.0
//! The performance counters: 64 bits each, exact, all of one moment in a snapshot, at the cost of small counters and one memory.
//!
//! ```text
//!  running, classes[5 x 5], read_bytes, written_bytes,  ──►┌──────────┐──► snapshot_done
//!  cube_step, mmad (m, n, k), clear, snapshot            ──►│ counters │──► read_low, read_high  = snapshot[read_index]
//!                                                           └──────────┘
//! ```
//! Rule: every 32 cycles all small counters are latched and cleared at once; in the 32 cycles after that each is added to its 64-bit
//! word in the memory, and copied to a second memory if a snapshot was asked for. So a snapshot holds every counter as of one cycle,
//! and is complete (`snapshot_done`) at most 66 cycles after `snapshot`. Nothing is counted unless `running`. `clear` takes effect at
//! once: the first round after it writes zeros. Order of the words: `isa::Counter`. Useful MACs are multiplied out in steps of 6 bits,
//! which is never slower than the mmads come.
//!
//! Tests: `tests/units/counters.rs`. Page: `docs/units/csr.md`.

use crate::prim::prelude::*;
use isa::{Activity, Config, Counter, Pipe};

/// Cycles of a round; at least one per counter.
const ROUND: usize = 32;

/// Bits of the multiplier that the useful MACs take per cycle: with 6, no mmad takes more cycles than it has cube steps.
const DIGIT: usize = 6;

/// All counters of a core.
#[derive(LogicBlock)]
pub struct Counters {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// As `clear`, and no snapshot is pending.
    pub rst: Signal<In, Bit>,
    /// Every counter to 0.
    pub clear: Signal<In, Bit>,
    /// Count this cycle.
    pub running: Signal<In, Bit>,
    /// What each pipe does; index `pipe * 5 + activity`, one of five.
    pub activity: Vec<Signal<In, Bit>>,
    /// Bytes that MTE2 gets from GM this cycle, at most 64.
    pub read_bytes: Signal<In, Bits<8>>,
    /// Bytes that are written to GM this cycle, at most 64.
    pub written_bytes: Signal<In, Bits<8>>,
    /// A cube step happens.
    pub cube_step: Signal<In, Bit>,
    /// An mmad is handed over.
    pub mmad_valid: Signal<In, Bit>,
    /// Its rows.
    pub mmad_m: Signal<In, Bits<16>>,
    /// Its columns.
    pub mmad_n: Signal<In, Bits<16>>,
    /// Its depth in elements.
    pub mmad_k: Signal<In, Bits<16>>,
    /// Pulse: copy all counters.
    pub snapshot: Signal<In, Bit>,
    /// Pulse: the copy is there.
    pub snapshot_done: Signal<Out, Bit>,
    /// Counter to read.
    pub read_index: Signal<In, Bits<8>>,
    /// Bits 31:0 of its copy, in the same cycle.
    pub read_low: Signal<Out, Bits<32>>,
    /// Bits 63:32.
    pub read_high: Signal<Out, Bits<32>>,
    live: Lutram<32>,
    copy: Lutram<32>,
    index: Reg<Bits<8>>,
    fresh: Reg<Bit>,
    wanted: Reg<Bit>,
    copying: Reg<Bit>,
    /// Total, activities, cube steps.
    ticks: Vec<Reg<Bits<6>>>,
    latched: Vec<Reg<Bits<6>>>,
    /// Bytes read, bytes written.
    moved: Vec<Reg<Bits<12>>>,
    latched_moved: Vec<Reg<Bits<12>>>,
    useful: Reg<Bits<56>>,
    latched_useful: Reg<Bits<56>>,
    tick: Vec<Signal<Local, Bit>>,
    move_by: Vec<Signal<Local, Bits<12>>>,
    useful_by: Signal<Local, Bits<56>>,
    turn: Signal<Local, Bit>,
    low_bits: Signal<Local, Bits<6>>,
    mid_bits: Signal<Local, Bits<12>>,
    addend: Signal<Local, Bits<56>>,
    add_index: Reg<Bits<8>>,
    add_valid: Reg<Bit>,
    add_copy: Reg<Bit>,
    add_value: Reg<Bits<56>>,
    add_low: Reg<Bits<32>>,
    add_high: Reg<Bits<32>>,
    sum: Signal<Local, Bits<64>>,
    mmads: Fifo<16>,
    area_busy: Reg<Bit>,
    area_rows: Reg<Bits<16>>,
    area_columns: Reg<Bits<32>>,
    area_depth: Reg<Bits<16>>,
    area: Reg<Bits<32>>,
    area_part: Vec<Signal<Local, Bits<32>>>,
    area_sum: Signal<Local, Bits<32>>,
    area_last: Signal<Local, Bit>,
    area_free: Signal<Local, Bit>,
    volume_busy: Reg<Bit>,
    volume_depth: Reg<Bits<16>>,
    volume_area: Reg<Bits<48>>,
    volume: Reg<Bits<48>>,
    volume_part: Vec<Signal<Local, Bits<48>>>,
    volume_sum: Signal<Local, Bits<48>>,
    volume_last: Signal<Local, Bit>,
    volume_free: Signal<Local, Bit>,
    product: Reg<Bits<48>>,
    product_valid: Reg<Bit>,
    peak_log2: Constant<Bits<8>>,
    last: Constant<Bits<8>>,
    count_of_all: Constant<Bits<8>>,
    steps: Constant<Bits<8>>,
    useful_index: Constant<Bits<8>>,
    executed: Constant<Bits<8>>,
    _ticks: usize,
    _activities: usize,
    _moved: usize,
}

impl Counters {
    /// The counters of a core of this configuration.
    pub fn new(config: &Config) -> Self {
        let activities = Pipe::WORKERS.len() * Activity::ALL.len();
        let (ticks, moved) = (activities + 2, 2);
        let index = |counter: Counter| Constant::new((counter.index() as u64).into());
        const { assert!(Counter::COUNT <= ROUND, "a round has a cycle for each counter") };
        assert!(Counter::TotalCycles.index() == 0 && Counter::Pipe(Pipe::WORKERS[0], Activity::ALL[0]).index() == 1);
        assert_eq!(Counter::BytesRead.index() + 1, Counter::BytesWritten.index());
        assert!(config.peak_macs().is_power_of_two());
        Counters {
            clk: Signal::default(),
            rst: Signal::default(),
            clear: Signal::default(),
            running: Signal::default(),
            activity: vec![Signal::default(); activities],
            read_bytes: Signal::default(),
            written_bytes: Signal::default(),
            cube_step: Signal::default(),
            mmad_valid: Signal::default(),
            mmad_m: Signal::default(),
            mmad_n: Signal::default(),
            mmad_k: Signal::default(),
            snapshot: Signal::default(),
            snapshot_done: Signal::default(),
            read_index: Signal::default(),
            read_low: Signal::default(),
            read_high: Signal::default(),
            live: Lutram::new(ROUND, 2),
            copy: Lutram::new(ROUND, 2),
            index: Reg::default(),
            fresh: Reg::default(),
            wanted: Reg::default(),
            copying: Reg::default(),
            ticks: vec![Reg::default(); ticks],
            latched: vec![Reg::default(); ticks],
            moved: vec![Reg::default(); moved],
            latched_moved: vec![Reg::default(); moved],
            useful: Reg::default(),
            latched_useful: Reg::default(),
            tick: vec![Signal::default(); ticks],
            move_by: vec![Signal::default(); moved],
            useful_by: Signal::default(),
            turn: Signal::default(),
            low_bits: Signal::default(),
            mid_bits: Signal::default(),
            addend: Signal::default(),
            add_index: Reg::default(),
            add_valid: Reg::default(),
            add_copy: Reg::default(),
            add_value: Reg::default(),
            add_low: Reg::default(),
            add_high: Reg::default(),
            sum: Signal::default(),
            mmads: Fifo::new(16, 3),
            area_busy: Reg::default(),
            area_rows: Reg::default(),
            area_columns: Reg::default(),
            area_depth: Reg::default(),
            area: Reg::default(),
            area_part: vec![Signal::default(); DIGIT],
            area_sum: Signal::default(),
            area_last: Signal::default(),
            area_free: Signal::default(),
            volume_busy: Reg::default(),
            volume_depth: Reg::default(),
            volume_area: Reg::default(),
            volume: Reg::default(),
            volume_part: vec![Signal::default(); DIGIT],
            volume_sum: Signal::default(),
            volume_last: Signal::default(),
            volume_free: Signal::default(),
            product: Reg::default(),
            product_valid: Reg::default(),
            peak_log2: Constant::new(u64::from(config.peak_macs().trailing_zeros()).into()),
            last: Constant::new((ROUND as u64 - 1).into()),
            count_of_all: Constant::new((Counter::COUNT as u64).into()),
            steps: index(Counter::CubeSteps),
            useful_index: index(Counter::UsefulMacs),
            executed: index(Counter::ExecutedMacs),
            _ticks: ticks,
            _activities: activities,
            _moved: Counter::BytesRead.index(),
        }
    }
}

impl Logic for Counters {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("counters: exact 64-bit performance counters with a snapshot of one moment.");
        dff_setup!(
            self,
            clk,
            index,
            fresh,
            wanted,
            copying,
            useful,
            latched_useful,
            add_index,
            add_valid,
            add_copy,
            add_value,
            add_low,
            add_high,
            area_busy,
            area_rows,
            area_columns,
            area_depth,
            area,
            volume_busy,
            volume_depth,
            volume_area,
            volume,
            product,
            product_valid
        );

        // Small counters.
        self.turn.next = self.index.q.val() == self.last.val();
        self.tick[0].next = self.running.val();
        for i in 0..self._activities {
            self.tick[i + 1].next = self.running.val() & self.activity[i].val();
        }
        for n in self._activities..(self._activities + 1) {
            self.tick[n + 1].next = self.running.val() & self.cube_step.val();
        }
        self.move_by[0].next = 0.into();
        self.move_by[1].next = 0.into();
        if self.running.val() {
            self.move_by[0].next = bit_cast::<12, 8>(self.read_bytes.val());
            self.move_by[1].next = bit_cast::<12, 8>(self.written_bytes.val());
        }
        for i in 0..self._ticks {
            self.ticks[i].clock.next = self.clk.val();
            self.latched[i].clock.next = self.clk.val();
            self.latched[i].d.next = self.latched[i].q.val();
            self.ticks[i].d.next = self.ticks[i].q.val() + self.tick[i].val();
            if self.turn.val() {
                self.latched[i].d.next = self.ticks[i].q.val() + self.tick[i].val();
                self.ticks[i].d.next = 0.into();
            }
            if self.clear.val() | self.rst.val() {
                self.latched[i].d.next = 0.into();
                self.ticks[i].d.next = 0.into();
            }
        }
        for i in 0..2 {
            self.moved[i].clock.next = self.clk.val();
            self.latched_moved[i].clock.next = self.clk.val();
            self.latched_moved[i].d.next = self.latched_moved[i].q.val();
            self.moved[i].d.next = self.moved[i].q.val() + self.move_by[i].val();
            if self.turn.val() {
                self.latched_moved[i].d.next = self.moved[i].q.val() + self.move_by[i].val();
                self.moved[i].d.next = 0.into();
            }
            if self.clear.val() | self.rst.val() {
                self.latched_moved[i].d.next = 0.into();
                self.moved[i].d.next = 0.into();
            }
        }

        // Useful MACs: rows times columns, then that times depth, 6 bits of the multiplier per cycle until the rest of it is 0.
        self.mmads.clk.next = self.clk.val();
        self.mmads.clear.next = self.clear.val() | self.rst.val();
        self.mmads.in_valid.next = self.mmad_valid.val() & self.running.val();
        self.mmads.in_data[0].next = self.mmad_m.val();
        self.mmads.in_data[1].next = self.mmad_n.val();
        self.mmads.in_data[2].next = self.mmad_k.val();
        for i in 0..6 {
            self.area_part[i].next = 0.into();
            self.volume_part[i].next = 0.into();
            if self.area_rows.q.val().get_bit(i) {
                self.area_part[i].next = self.area_columns.q.val() << i.to_bits::<3>();
            }
            if self.volume_depth.q.val().get_bit(i) {
                self.volume_part[i].next = self.volume_area.q.val() << i.to_bits::<3>();
            }
        }
        self.area_sum.next = self.area.q.val()
            + self.area_part[0].val()
            + self.area_part[1].val()
            + self.area_part[2].val()
            + self.area_part[3].val()
            + self.area_part[4].val()
            + self.area_part[5].val();
        self.volume_sum.next = self.volume.q.val()
            + self.volume_part[0].val()
            + self.volume_part[1].val()
            + self.volume_part[2].val()
            + self.volume_part[3].val()
            + self.volume_part[4].val()
            + self.volume_part[5].val();
        self.area_last.next = self.area_rows.q.val().get_bits::<10>(6) == 0;
        self.volume_last.next = self.volume_depth.q.val().get_bits::<10>(6) == 0;
        self.volume_free.next = !self.volume_busy.q.val() | self.volume_last.val();
        self.area_free.next = !self.area_busy.q.val() | (self.area_last.val() & self.volume_free.val());
        self.mmads.out_ready.next = self.area_free.val();
        if self.area_free.val() {
            self.area_busy.d.next = self.mmads.out_valid.val();
            self.area_rows.d.next = self.mmads.out_data[0].val();
            self.area_columns.d.next = bit_cast::<32, 16>(self.mmads.out_data[1].val());
            self.area_depth.d.next = self.mmads.out_data[2].val();
            self.area.d.next = 0.into();
        } else if !self.area_last.val() {
            self.area_rows.d.next = self.area_rows.q.val() >> 6;
            self.area_columns.d.next = self.area_columns.q.val() << 6;
            self.area.d.next = self.area_sum.val();
        }
        if self.volume_free.val() {
            self.volume_busy.d.next = self.area_busy.q.val() & self.area_last.val();
            self.volume_depth.d.next = self.area_depth.q.val();
            self.volume_area.d.next = bit_cast::<48, 32>(self.area_sum.val());
            self.volume.d.next = 0.into();
        } else {
            self.volume_depth.d.next = self.volume_depth.q.val() >> 6;
            self.volume_area.d.next = self.volume_area.q.val() << 6;
            self.volume.d.next = self.volume_sum.val();
        }
        self.product.d.next = self.volume_sum.val();
        self.product_valid.d.next = self.volume_busy.q.val() & self.volume_last.val();
        self.useful_by.next = 0.into();
        if self.product_valid.q.val() {
            self.useful_by.next = bit_cast::<56, 48>(self.product.q.val());
        }
        self.useful.d.next = self.useful.q.val() + self.useful_by.val();
        if self.turn.val() {
            self.latched_useful.d.next = self.useful.q.val() + self.useful_by.val();
            self.useful.d.next = 0.into();
        }

        // The round, stage 1: the counter's word and what is added to it.
        self.low_bits.next = 0.into();
        self.mid_bits.next = 0.into();
        for i in 0..self._moved {
            if self.index.q.val() == i.to_bits() {
                self.low_bits.next = self.latched[i].q.val();
            }
        }
        for b in self._moved..(self._moved + 1) {
            for i in 0..2 {
                if self.index.q.val() == (b + i).to_bits() {
                    self.mid_bits.next = self.latched_moved[i].q.val();
                }
            }
        }
        for n in self._activities..(self._activities + 1) {
            if (self.index.q.val() == self.steps.val()) | (self.index.q.val() == self.executed.val()) {
                self.low_bits.next = self.latched[n + 1].q.val();
            }
        }
        self.addend.next = bit_cast::<56, 6>(self.low_bits.val()) | bit_cast::<56, 12>(self.mid_bits.val());
        if self.index.q.val() == self.executed.val() {
            self.addend.next = bit_cast::<56, 6>(self.low_bits.val()) << self.peak_log2.val();
        }
        if self.index.q.val() == self.useful_index.val() {
            self.addend.next = self.latched_useful.q.val();
        }
        self.live.read_address.next = self.index.q.val();
        self.add_value.d.next = self.addend.val();
        self.add_low.d.next = self.live.read[0].val();
        self.add_high.d.next = self.live.read[1].val();
        if self.fresh.q.val() {
            self.add_low.d.next = 0.into();
            self.add_high.d.next = 0.into();
        }
        self.add_index.d.next = self.index.q.val();
        self.add_valid.d.next = self.index.q.val() < self.count_of_all.val();
        self.add_copy.d.next = self.copying.q.val();

        // Stage 2: add and write back.
        self.sum.next = ((bit_cast::<64, 32>(self.add_high.q.val()) << 32) | bit_cast::<64, 32>(self.add_low.q.val()))
            + bit_cast::<64, 56>(self.add_value.q.val());
        self.live.clock.next = self.clk.val();
        self.live.write_enable.next = self.add_valid.q.val();
        self.live.write_address.next = self.add_index.q.val();
        self.live.write[0].next = self.sum.val().get_bits::<32>(0);
        self.live.write[1].next = self.sum.val().get_bits::<32>(32);
        self.copy.clock.next = self.clk.val();
        self.copy.write_enable.next = self.add_valid.q.val() & self.add_copy.q.val();
        self.copy.write_address.next = self.add_index.q.val();
        self.copy.write[0].next = self.sum.val().get_bits::<32>(0);
        self.copy.write[1].next = self.sum.val().get_bits::<32>(32);
        self.snapshot_done.next = self.add_copy.q.val() & (self.add_index.q.val() == self.last.val());

        self.index.d.next = self.index.q.val() + 1;
        self.wanted.d.next = self.wanted.q.val() | self.snapshot.val();
        if self.turn.val() {
            self.index.d.next = 0.into();
            self.fresh.d.next = false;
            self.copying.d.next = self.wanted.q.val();
            if self.wanted.q.val() {
                self.wanted.d.next = self.snapshot.val();
            }
        }
        self.copy.read_address.next = self.read_index.val();
        self.read_low.next = self.copy.read[0].val();
        self.read_high.next = self.copy.read[1].val();

        if self.clear.val() | self.rst.val() {
            self.index.d.next = 0.into();
            self.fresh.d.next = true;
            self.wanted.d.next = self.wanted.q.val() | self.copying.q.val() | self.snapshot.val();
            self.copying.d.next = false;
            self.add_valid.d.next = false;
            self.add_copy.d.next = false;
            self.useful.d.next = 0.into();
            self.latched_useful.d.next = 0.into();
            self.area_busy.d.next = false;
            self.volume_busy.d.next = false;
            self.product_valid.d.next = false;
        }
        if self.rst.val() {
            self.wanted.d.next = false;
        }
    }
}
