// SPDX-License-Identifier: Apache-2.0
//! MTE1 between plain models of its neighbours: Issue, L1 with exact latency and random refusals, L0, FB.

use super::map::Map;
use crate::common::Random;
use isa::{Cause, FbField, Inst, Instruction, Mte1Im2col, Mte1Load, Mte1LoadFb, Side, state::mte1 as register};
use rtl::mte1::Mte1;
use rtl::twin::Twin;
use std::collections::VecDeque;

/// A write that an instruction must make.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    Block { side: Side, block: usize, elements: Vec<i32> },
    Channel { field: u64, channel: usize, value: u64 },
}

/// What Issue hands over.
#[derive(Clone, Debug)]
pub enum Item {
    Set(u8, u32),
    Op(Inst),
}

/// An instruction that is not done: its writes in program order, and whether their order is fixed.
pub struct Pending {
    pub writes: VecDeque<Write>,
    pub ordered: bool,
    /// To come, with what it clears.
    early: Option<Option<(Side, usize, usize)>>,
}

pub struct Bench {
    pub twin: Twin<Mte1>,
    pub core: isa::Config,
    pub l1: Vec<u8>,
    /// bias, scale, shift, zero point.
    pub fb: Vec<[u64; 4]>,
    pub registers: [u32; 17],
    /// Percentage of cycles in which L1 refuses.
    pub refuse: usize,
    /// Percentage of cycles in which Issue has nothing.
    pub pause: usize,
    flight: VecDeque<Option<Vec<u8>>>,
    zero_flight: VecDeque<u64>,
    pub pending: VecDeque<Pending>,
    pub done: usize,
    pub reads: usize,
    pub writes: usize,
    pub first_read: Option<u64>,
    pub first_write: Option<u64>,
    pub last_write: Option<u64>,
    pub early: usize,
    pub random: Random,
}

impl Bench {
    pub fn new(core: &isa::Config, seed: u64) -> Self {
        let mut random = Random::seeded(seed);
        let mut twin = Twin::new(Mte1::new(core), |uut: &mut Mte1, clk| uut.clk.next = clk);
        twin.uut.rst.next = true;
        twin.edge();
        twin.uut.rst.next = false;
        Bench {
            twin,
            core: core.clone(),
            l1: (0..core.l1_bytes).map(|_| random.next() as u8).collect(),
            fb: (0..core.fb_channels).map(|_| [0, 0, 0, random.next() & 0x7F]).collect(),
            registers: [0; 17],
            refuse: 0,
            pause: 0,
            flight: VecDeque::from(vec![None; 3]),
            zero_flight: VecDeque::from(vec![0; 2]),
            pending: VecDeque::new(),
            done: 0,
            reads: 0,
            writes: 0,
            first_read: None,
            first_write: None,
            last_write: None,
            early: 0,
            random,
        }
    }

    fn nb(&self) -> usize {
        self.core.m0.max(self.core.n0)
    }

    /// The writes of a load, from the definition of the instruction.
    fn tile_writes(&self, load: &Mte1Load) -> VecDeque<Write> {
        let (rows, k) = (usize::from(load.rows), usize::from(load.k));
        let side = usize::from(load.side == Side::B);
        let zero = |row: usize| -> i32 {
            if self.registers[2] >> side & 1 == 1 {
                let raw = self.fb.get(self.registers[3 + side] as usize + row).map_or(0, |channel| channel[3]);
                ((raw << 55) as i64 >> 55) as i32
            } else {
                self.registers[side] as i32
            }
        };
        let element = |row: usize, c: usize| -> i32 {
            if row >= rows || c >= k {
                return 0;
            }
            let (line, column) = if load.transpose { (c, row) } else { (row, c) };
            let at = load.l1_address as usize + column / 32 * load.panel_stride as usize + line * 32 + column % 32;
            // A load that faults is expected too, as far as it comes.
            let byte = self.l1.get(at).copied().unwrap_or(0);
            let value = if load.dtype == isa::Dtype::S8 { i32::from(byte as i8) } else { i32::from(byte) };
            value.wrapping_sub(zero(row))
        };
        self.block_writes(load.side, usize::from(load.fractal), [rows, k], element)
    }

    /// The blocks of a tile in row-major order, from its elements.
    fn block_writes(
        &self,
        side: Side,
        first: usize,
        [rows, k]: [usize; 2],
        element: impl Fn(usize, usize) -> i32,
    ) -> VecDeque<Write> {
        let k0 = self.core.k0;
        let r0 = if side == Side::A { self.core.m0 } else { self.core.n0 };
        let per_fractal = (16 / r0) * (32 / k0);
        let mut writes = VecDeque::new();
        for row in (0..rows).step_by(r0) {
            for c in (0..k).step_by(k0) {
                let fractal = first + row / 16 * k.div_ceil(32) + c / 32;
                let block = fractal * per_fractal + row % 16 / r0 * (32 / k0) + c % 32 / k0;
                let elements = (0..r0 * k0).map(|lane| element(row + lane / k0, c + lane % k0)).collect();
                writes.push_back(Write::Block { side, block, elements });
            }
        }
        writes
    }

    /// The writes of an im2col, from the definition of the instruction.
    fn map_writes(&self, load: &Mte1Im2col) -> VecDeque<Write> {
        let (map, rows, k) = (Map::of(&self.registers), usize::from(load.rows), usize::from(load.k));
        if [map.out_width, map.taps_x, map.tap_bytes].contains(&0) {
            // It will be refused.
            return VecDeque::new();
        }
        let zero = self.registers[usize::from(register::ZERO_POINT_A)] as i32;
        let element = |i: usize, j: usize| -> i32 {
            let real = (i < rows && j < k).then(|| map.source(load, i, j)).flatten();
            let Some(byte) = real.and_then(|at| self.l1.get(at).copied()) else { return 0 };
            let value = if load.dtype == isa::Dtype::S8 { i32::from(byte as i8) } else { i32::from(byte) };
            value.wrapping_sub(zero)
        };
        self.block_writes(Side::A, usize::from(load.fractal), [rows, k], element)
    }

    fn channel_writes(&self, load: &Mte1LoadFb) -> VecDeque<Write> {
        let (field, bytes) = match load.field {
            FbField::Bias => (0, 4),
            FbField::Scale => (1, 4),
            FbField::Shift => (2, 1),
            FbField::ZeroPoint => (3, 2),
        };
        (0..usize::from(load.count))
            .map(|i| {
                let at = load.l1_address as usize + i * bytes;
                let value = (0..bytes)
                    .fold(0, |value, b| value | u64::from(self.l1.get(at + b).copied().unwrap_or(0)) << (8 * b));
                let value = if field == 3 { value & 0x1FF } else { value };
                Write::Channel { field, channel: usize::from(load.channel) + i, value }
            })
            .collect()
    }

    fn expect(&mut self, inst: &Inst) {
        let early = inst.is_early();
        let clears = |side, fractal: u16, rows: u16, k: u16| {
            let tile = usize::from(rows).div_ceil(16) * usize::from(k).div_ceil(32);
            early.then(|| Some((side, usize::from(fractal), usize::from(fractal) + tile - 1)))
        };
        let pending = match &inst.op {
            Instruction::Mte1Load(load) => Pending {
                writes: self.tile_writes(load),
                ordered: !load.transpose,
                early: clears(load.side, load.fractal, load.rows, load.k),
            },
            Instruction::Mte1Im2col(load) => Pending {
                writes: self.map_writes(load),
                ordered: true,
                early: clears(Side::A, load.fractal, load.rows, load.k),
            },
            Instruction::Mte1LoadFb(load) => {
                let writes = self.channel_writes(load);
                for write in &writes {
                    if let Write::Channel { field, channel, value } = write
                        && let Some(fields) = self.fb.get_mut(*channel)
                    {
                        fields[*field as usize] = *value;
                    }
                }
                Pending { writes, ordered: true, early: early.then_some(None) }
            }
            other => panic!("{other:?} is not for MTE1"),
        };
        self.pending.push_back(pending);
    }

    fn wrote(&mut self, write: Write) {
        let cycle = self.twin.cycle;
        let pending = self.pending.front_mut().unwrap_or_else(|| panic!("cycle {cycle}: nobody asked for {write:?}"));
        assert!(!matches!(pending.early, Some(Some(_))), "cycle {cycle}: a write before the early clear");
        let same = |other: &Write| match (other, &write) {
            (Write::Block { side, block, .. }, Write::Block { side: s, block: b, .. }) => side == s && block == b,
            (Write::Channel { field, channel, .. }, Write::Channel { field: f, channel: c, .. }) => {
                field == f && channel == c
            }
            _ => false,
        };
        let at = if pending.ordered { 0 } else { pending.writes.iter().position(same).unwrap_or(usize::MAX) };
        let want = pending.writes.remove(at).unwrap_or_else(|| panic!("cycle {cycle}: not wanted: {write:?}"));
        assert_eq!(write, want, "cycle {cycle}, got left, expected right");
        self.writes += 1;
        self.first_write.get_or_insert(cycle);
        self.last_write = Some(cycle);
    }

    /// The bytes of a word of each bank.
    fn gather(&self, words: &[usize]) -> Vec<u8> {
        let (nb, k0) = (self.nb(), self.core.k0);
        let skew = nb.max(32 / k0);
        let chunk = |(bank, word): (usize, &usize)| -> &[u8] {
            assert!(*word < self.l1.len() / nb / k0, "cycle {}: word {word} of bank {bank}", self.twin.cycle);
            let chunk = (word * nb..word * nb + nb).find(|chunk| (chunk + chunk / skew) % nb == bank);
            let at = chunk.expect("every bank has one of NB chunks") * k0;
            &self.l1[at..at + k0]
        };
        words.iter().enumerate().flat_map(chunk).copied().collect()
    }

    /// One cycle; `item` is what Issue offers; true if it was taken.
    pub fn cycle(&mut self, item: Option<&Item>, pc: u32) -> bool {
        let uut = &mut self.twin.uut;
        uut.op_valid.next = matches!(item, Some(Item::Op(_)));
        uut.set_valid.next = matches!(item, Some(Item::Set(..)));
        match item {
            Some(Item::Op(inst)) => {
                let words = inst.encode_words().expect("legal");
                for (port, word) in uut.op_word.iter_mut().zip(words) {
                    port.next = u64::from(word).into();
                }
                uut.op_pc.next = u64::from(pc).into();
            }
            Some(Item::Set(register, value)) => {
                uut.set_register.next = u64::from(*register).into();
                uut.set_value.next = u64::from(*value).into();
            }
            None => {}
        }
        uut.read0_ready.next = !self.random.chance(self.refuse);
        let data = self.flight.pop_front().expect("three");
        uut.read0_data_valid.next = data.is_some();
        for (lane, port) in uut.read0_data.iter_mut().enumerate() {
            let byte = data.as_ref().map_or(self.random.next() as u8, |data| data[lane]);
            port.next = u64::from(byte).into();
        }
        let zero = self.zero_flight.pop_front().expect("two");
        uut.zero_point.next = zero.into();
        self.twin.settle();
        let uut = &self.twin.uut;
        // Outputs of this cycle.
        let read = (uut.read0_valid.val() && uut.read0_ready.val())
            .then(|| (u64::from(uut.read0_address.val()) as usize, uut.read0_rows.val()));
        let gathered: Option<Vec<usize>> =
            uut.read0_gather.val().then(|| uut.read0_word.iter().map(|word| u64::from(word.val()) as usize).collect());
        assert_eq!(uut.stall_memory.val(), uut.read0_valid.val() && !uut.read0_ready.val());
        let channel = u64::from(uut.zero_channel.val()) as usize;
        let early = uut.early.val();
        let clear = [
            uut.l0a_clear_valid.val().then(|| (uut.l0a_clear_first.val(), uut.l0a_clear_last.val())),
            uut.l0b_clear_valid.val().then(|| (uut.l0b_clear_first.val(), uut.l0b_clear_last.val())),
        ];
        let signed = |bits: u64| ((bits << 55) as i64 >> 55) as i32;
        let mut writes = vec![];
        if uut.l0a_write_valid.val() {
            writes.push(Write::Block {
                side: Side::A,
                block: u64::from(uut.l0a_write_address.val()) as usize,
                elements: uut.l0a_write_data.iter().map(|e| signed(e.val().into())).collect(),
            });
        }
        if uut.l0b_write_valid.val() {
            writes.push(Write::Block {
                side: Side::B,
                block: u64::from(uut.l0b_write_address.val()) as usize,
                elements: uut.l0b_write_data.iter().map(|e| signed(e.val().into())).collect(),
            });
        }
        if uut.fb_write_valid.val() {
            let field: u64 = uut.fb_write_field.val().into();
            let value: u64 = uut.fb_write_data.val().into();
            let value = value & [0xFFFF_FFFF, 0xFFFF_FFFF, 0xFF, 0x1FF][field as usize];
            let channel = u64::from(uut.fb_write_channel.val()) as usize;
            writes.push(Write::Channel { field, channel, value });
        }
        let done = uut.done.val();
        let taken = match item {
            Some(Item::Op(_)) => uut.op_ready.val(),
            other => other.is_some(),
        };
        if !self.pending.is_empty() {
            assert!(uut.active.val(), "cycle {}: inactive with work inside", self.twin.cycle);
        }
        // What the neighbours make of them.
        if early {
            let landed = self.pending.iter().rev().skip(1).all(|pending| {
                !pending.writes.iter().any(|write| matches!(write, Write::Block { side, .. } if clear[usize::from(*side == Side::B)].is_some()))
            });
            assert!(landed, "cycle {}: a clear before earlier blocks of the buffer have landed", self.twin.cycle);
            let want = self.pending.back_mut().and_then(|pending| pending.early.take());
            let want = want.expect("only the op taken last, if it has an early set");
            let wanted =
                |own| want.filter(|(side, ..)| *side == own).map(|(_, first, last)| (first as u64, last as u64));
            assert_eq!(clear.map(|got| got.map(|(a, b)| (u64::from(a), u64::from(b)))), [Side::A, Side::B].map(wanted));
            self.early += 1;
        } else {
            assert!(clear[0].is_none() && clear[1].is_none());
        }
        for write in writes {
            self.wrote(write);
        }
        if done {
            let pending = self.pending.pop_front().expect("something to be done");
            assert!(pending.early.is_none(), "cycle {}: done without its early pulse", self.twin.cycle);
            assert!(
                pending.writes.is_empty(),
                "cycle {}: done with {} writes left",
                self.twin.cycle,
                pending.writes.len()
            );
            self.done += 1;
        }
        let (nb, k0) = (self.nb(), self.core.k0);
        let data = read.map(|(address, rows)| {
            if let Some(words) = &gathered {
                return self.gather(words);
            }
            let place = |lane: usize| address + lane % k0 + lane / k0 * if rows { 32 } else { k0 };
            if rows {
                assert!(address % k0 == 0 && address / 32 % nb == 0, "misaligned rows at {address:#x}");
            } else {
                assert!(address % (nb * k0) == 0, "misaligned slab at {address:#x}");
            }
            assert!(place(nb * k0 - 1) < self.l1.len(), "read beyond L1 at {address:#x}");
            (0..nb * k0).map(|lane| self.l1[place(lane)]).collect()
        });
        if data.is_some() {
            self.reads += 1;
            self.first_read.get_or_insert(self.twin.cycle);
        }
        self.flight.push_back(data);
        self.zero_flight.push_back(self.fb.get(channel).map_or(0x155, |c| c[3]));
        self.twin.edge();
        if taken {
            match item {
                Some(Item::Op(inst)) => self.expect(&inst.clone()),
                Some(Item::Set(register, value)) => self.registers[usize::from(*register)] = *value,
                None => {}
            }
        }
        taken
    }

    /// Runs items until everything is done or MTE1 faults; program counters count 32 per item. Cycles used.
    pub fn run(&mut self, items: &[Item]) -> u64 {
        let start = self.twin.cycle;
        let mut at = 0;
        let mut idle = 0;
        while at < items.len() || !self.pending.is_empty() {
            let offer = at < items.len() && !self.random.chance(self.pause);
            let before = (self.writes, self.reads);
            if self.cycle(offer.then(|| &items[at]), at as u32 * 32) {
                at += 1;
            }
            self.twin.settle();
            if self.twin.uut.fault.val() {
                return self.twin.cycle - start;
            }
            idle = if (self.writes, self.reads) == before { idle + 1 } else { 0 };
            assert!(idle < 400, "cycle {}: nothing moves", self.twin.cycle);
        }
        let cycles = self.twin.cycle - start;
        for _ in 0..10 {
            self.cycle(None, 0);
        }
        self.twin.settle();
        assert!(!self.twin.uut.active.val(), "active after everything is done");
        cycles
    }

    /// Runs and expects a fault at the item with that number.
    pub fn run_to_fault(&mut self, items: &[Item], at: usize, cause: Cause, address: u64) {
        self.run(items);
        for _ in 0..6 {
            // Blocks that were on their way arrive.
            self.cycle(None, 0);
        }
        self.twin.settle();
        let uut = &self.twin.uut;
        assert!(uut.fault.val(), "no fault, {cause:?} expected");
        let got = (u64::from(uut.fault_cause.val()), u64::from(uut.fault_address.val()), u64::from(uut.fault_pc.val()));
        assert_eq!(got, (u64::from(cause.code()), address, at as u64 * 32), "{cause:?} at item {at}");
        // Stopped until reset.
        assert_eq!(
            self.done,
            items[..at].iter().filter(|item| matches!(item, Item::Op(_))).count(),
            "earlier instructions are done"
        );
        assert!(!uut.op_ready.val() && !uut.read0_valid.val(), "stopped");
    }

    /// MTE1 forgets everything; the memories stay.
    pub fn reset(&mut self) {
        self.twin.uut.rst.next = true;
        self.twin.edge();
        self.twin.uut.rst.next = false;
        self.registers = [0; 17];
        self.pending.clear();
        self.flight = VecDeque::from(vec![None; 3]);
        self.done = 0;
    }

    /// A legal load that fits; addresses reach the end of L1 now and then.
    pub fn random_load(&mut self, most_rows: usize, most_k: usize) -> Mte1Load {
        let core = self.core.clone();
        let random = &mut self.random;
        loop {
            let side = if random.chance(50) { Side::A } else { Side::B };
            let transpose = random.chance(50);
            let (rows, k) = (1 + random.below(most_rows), 1 + random.below(most_k));
            let fractals = if side == Side::A { core.l0a_fractals() } else { core.l0b_fractals() };
            let tile = rows.div_ceil(16) * k.div_ceil(32);
            let (lines, columns) = if transpose { (k, rows) } else { (rows, k) };
            let stride = lines.div_ceil(16) * 512 * (1 + random.below(2));
            let end = (columns.div_ceil(32) - 1) * stride + lines * 32;
            if tile > fractals || end > core.l1_bytes {
                continue;
            }
            let spots = (core.l1_bytes - end) / 512 + 1;
            let spot = if random.chance(25) { spots - 1 } else { random.below(spots) };
            return Mte1Load {
                side,
                transpose,
                dtype: if random.chance(50) { isa::Dtype::S8 } else { isa::Dtype::U8 },
                l1_address: spot as u32 * 512,
                panel_stride: stride as u32,
                rows: rows as u16,
                k: k as u16,
                fractal: random.below(fractals - tile + 1) as u16,
            };
        }
    }

    /// A legal loadfb whose values are legal zero points if that is the field.
    pub fn random_loadfb(&mut self) -> Mte1LoadFb {
        let random = &mut self.random;
        let field = [FbField::Bias, FbField::Scale, FbField::Shift, FbField::ZeroPoint][random.below(4)];
        let bytes = [4, 4, 1, 2][field as usize];
        let count = 1 + random.below(40);
        let channel = random.below(self.core.fb_channels - count + 1);
        let spots = (self.core.l1_bytes - count * bytes) / 32 + 1;
        let spot = if random.chance(25) { spots - 1 } else { random.below(spots) };
        let l1_address = spot * 32;
        if field == FbField::ZeroPoint {
            for i in 0..count {
                self.l1[l1_address + 2 * i] &= 0x7F;
                self.l1[l1_address + 2 * i + 1] &= 0xFE;
            }
        }
        Mte1LoadFb { field, l1_address: l1_address as u32, channel: channel as u16, count: count as u16 }
    }

    /// SETs that give a load of this dtype legal zero points.
    pub fn random_sets(&mut self, load: &Mte1Load) -> Vec<Item> {
        let random = &mut self.random;
        let side = u8::from(load.side == Side::B);
        let zero = match load.dtype {
            isa::Dtype::S8 => random.below(256) as i32 - 128,
            _ => random.below(256) as i32,
        };
        let per_row = random.chance(35);
        let source = (u32::from(per_row) << side) | (random.below(2) as u32) << (1 - side);
        let channel = random.below(self.core.fb_channels - usize::from(load.rows) + 1) as u32;
        vec![
            Item::Set(if side == 1 { register::ZERO_POINT_B } else { register::ZERO_POINT_A }, zero as u32),
            Item::Set(register::ZERO_POINT_SOURCE, source),
            Item::Set(if side == 1 { register::ZERO_POINT_CHANNEL_B } else { register::ZERO_POINT_CHANNEL_A }, channel),
        ]
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.random.chance(percent)
    }
}
