// SPDX-License-Identifier: Apache-2.0
//! What programs have to meet, and how often they did.
//!
//! Every item is known beforehand: [`Coverage::new`] lists them with count 0, so what was never met is seen, and an item that the
//! list lacks is an error of the list. "Every combination" below means every legal one.
//!
//! | group | items |
//! |---|---|
//! | `opcode` | every opcode; every register for `set` |
//! | `mte2.load`, `mte3.store` | layout x alignment of the address, layout x relation of stride and length, layout x rows, layout x length |
//! | `mte2.fill` | stride, rows, length |
//! | `outer` | copy x buffer x which outer dimensions have several steps |
//! | `mte3.move` | layout x rows, layout x length |
//! | `im2col` | start, taps, output lines and padding by kind; rows and k are in `tile` |
//! | `mte1.load` | side x plain or transposed x dtype x source of the zero point |
//! | `mte1.loadfb` | field x count |
//! | `m.mmad` | dtype of A x dtype of B x accumulate |
//! | `fix.store` | destination x layout x dtype x bias x per_channel x relu x clamp |
//! | `fix.rounding` | dtype x rounding mode x source of scale and shift |
//! | `second` | sum or maximum x dtype x relu x destination, for UB in place or beside |
//! | `fix.address` | layout x alignment of the address in GM |
//! | `tile` | m, n and k of `m.mmad`, rows (plain, transposed) of `mte1.load`, m and n of `fix.store`, each by class |
//! | `flag` | pair of pipes x id x kind |
//! | `slots` | waits and sets of an instruction, by number |

use super::Arena;
use isa::*;
use std::collections::BTreeMap;
use std::fmt;

/// Items of one group, with how often each was met.
pub type Group = BTreeMap<String, u64>;

/// Counts of everything that has to be met.
#[derive(Clone, Debug)]
pub struct Coverage {
    groups: BTreeMap<&'static str, Group>,
    config: Config,
}

const ALIGNMENTS: [&str; 4] = ["64", "16", "4", "odd"];
const STRIDES: [&str; 4] = ["0", "below length", "length", "above length"];
const ROWS: [&str; 3] = ["1 row", "2..15 rows", "16 rows or more"];
const LENGTHS: [&str; 5] = ["1..7", "8..31", "32", "panels", "ragged panels"];
const COUNTS: [&str; 4] = ["1", "2..31", "32", "more"];
const OUTER: [&str; 4] = ["plain", "dimension 2", "dimension 3", "both dimensions"];
const MAPS: [&str; 13] = [
    "one tap a line",
    "taps of a line apart",
    "lines within a block",
    "longer lines",
    "taps below k0",
    "taps of k0",
    "taps above k0",
    "from the middle of a line",
    "from the middle of a tap",
    "padding as a whole",
    "no padding",
    "padding on the right",
    "padding on the left",
];
const CLASSES: [&str; 9] = [
    "1",
    "in a block",
    "a block",
    "blocks in a fractal",
    "ragged in a fractal",
    "a fractal",
    "fractals",
    "fractals and blocks",
    "fractals and a ragged rest",
];

/// How an extent cuts blocks of `block` and fractals of `fractal`.
fn class(extent: u16, block: usize, fractal: usize) -> &'static str {
    let extent = usize::from(extent);
    CLASSES[match extent {
        1 => 0,
        _ if extent < block => 1,
        _ if extent == block && block < fractal => 2,
        _ if extent == fractal => 5,
        _ if extent < fractal => 3 + usize::from(!extent.is_multiple_of(block)),
        _ if extent.is_multiple_of(fractal) => 6,
        _ => 7 + usize::from(!extent.is_multiple_of(block)),
    }]
}

/// The classes that there are for these sizes.
fn classes(block: usize, fractal: usize) -> impl Iterator<Item = &'static str> {
    let extents: Vec<&str> = (1..=4 * fractal as u16).map(|extent| class(extent, block, fractal)).collect();
    CLASSES.into_iter().filter(move |name| extents.contains(name))
}

fn alignment(address: u64) -> &'static str {
    ALIGNMENTS[match address.trailing_zeros() {
        6.. => 0,
        4 | 5 => 1,
        2 | 3 => 2,
        _ => 3,
    }]
}

fn stride(stride: u32, length: u32) -> &'static str {
    STRIDES[match stride {
        0 => 0,
        _ if stride < length => 1,
        _ => 2 + usize::from(stride > length),
    }]
}

fn rows(rows: u16) -> &'static str {
    ROWS[usize::from(rows > 1) + usize::from(rows > 15)]
}

fn length(length: u32) -> &'static str {
    LENGTHS[match length {
        0..8 => 0,
        8..32 => 1,
        32 => 2,
        _ => 3 + usize::from(!length.is_multiple_of(32)),
    }]
}

fn count(count: u16) -> &'static str {
    COUNTS[match count {
        1 => 0,
        2..32 => 1,
        32 => 2,
        _ => 3,
    }]
}

fn flag_name(flag: Flag, early: bool) -> String {
    format!("{flag}{}", if early { " early" } else { "" })
}

/// Words that are said if a bit is set.
fn options(words: [(&str, bool); 4]) -> String {
    words.into_iter().filter(|(_, on)| *on).map(|(word, _)| format!(" {word}")).collect()
}

impl Coverage {
    /// Nothing met yet, of what programs on this core have to meet.
    pub fn new(config: &Config) -> Coverage {
        let mut coverage = Coverage { groups: BTreeMap::new(), config: config.clone() };
        for opcode in Opcode::ALL.into_iter().filter(|opcode| *opcode != Opcode::Set) {
            coverage.expect("opcode", opcode.mnemonic().to_owned());
        }
        for register in &isa::state::STATE_REGISTERS {
            coverage.expect("opcode", format!("set {}.{}", register.pipe, register.name));
        }
        coverage.expect_transfers();
        coverage.expect_products();
        coverage.expect_stores();
        for flag in flags() {
            coverage.expect("flag", flag_name(flag, false));
            if flag.may_be_early() {
                coverage.expect("flag", flag_name(flag, true));
            }
        }
        for number in 0..=isa::limits::WAIT_SLOTS {
            coverage.expect("slots", format!("{number} waits"));
            coverage.expect("slots", format!("{number} sets"));
        }
        coverage
    }

    fn expect_transfers(&mut self) {
        for layout in Layout::ALL {
            for group in ["mte2.load", "mte3.store"] {
                ALIGNMENTS.iter().for_each(|name| self.expect(group, format!("{layout} gm at {name}")));
                LENGTHS.iter().for_each(|name| self.expect(group, format!("{layout} {name} bytes")));
                ROWS.iter().for_each(|name| self.expect(group, format!("{layout} {name}")));
            }
            STRIDES.iter().for_each(|name| self.expect("mte2.load", format!("{layout} gm_stride {name}")));
            // Rows of a result may not overlap.
            STRIDES[2..].iter().for_each(|name| self.expect("mte3.store", format!("{layout} gm_stride {name}")));
            ALIGNMENTS.iter().for_each(|name| self.expect("fix.address", format!("{layout} at {name}")));
        }
        for layout in Layout::ALL {
            LENGTHS.iter().for_each(|name| self.expect("mte3.move", format!("{layout} {name} bytes")));
            ROWS.iter().for_each(|name| self.expect("mte3.move", format!("{layout} {name}")));
        }
        for copy in [Opcode::Mte2Load, Opcode::Mte2Fill, Opcode::Mte3Store] {
            for (buffer, several) in LocalBuffer::ALL.iter().flat_map(|buffer| OUTER.map(|several| (buffer, several))) {
                self.expect("outer", format!("{copy} {buffer} {several}"));
            }
        }
        OUTER.iter().for_each(|several| self.expect("outer", format!("{} l1 {several}", Opcode::Mte3Move)));
        LENGTHS.iter().for_each(|name| self.expect("mte2.fill", format!("{name} bytes")));
        ROWS.iter().for_each(|name| self.expect("mte2.fill", (*name).to_owned()));
        STRIDES.iter().for_each(|name| self.expect("mte2.fill", format!("dst_stride {name}")));
        for field in FbField::ALL {
            COUNTS.iter().for_each(|name| self.expect("mte1.loadfb", format!("{field} {name}")));
        }
    }

    fn expect_products(&mut self) {
        let (m0, k0, n0) = (self.config.m0, self.config.k0, self.config.n0);
        for dtype in [Dtype::S8, Dtype::U8] {
            for (side, block) in [(Side::A, m0), (Side::B, n0)] {
                for turn in ["", " transpose"] {
                    for source in ["register", "fb"] {
                        self.expect("mte1.load", format!("{side:?} {dtype}{turn} zero from {source}"));
                    }
                    classes(block, 16).for_each(|name| self.expect("tile", format!("{side:?}{turn} rows: {name}")));
                    classes(k0, 32).for_each(|name| self.expect("tile", format!("{side:?}{turn} k: {name}")));
                }
            }
            for other in [Dtype::S8, Dtype::U8] {
                for accumulate in ["", " accumulate"] {
                    self.expect("m.mmad", format!("{dtype} {other}{accumulate}"));
                }
            }
        }
        MAPS.iter().for_each(|name| self.expect("im2col", (*name).to_owned()));
        classes(m0, 16).for_each(|name| self.expect("tile", format!("map rows: {name}")));
        classes(k0, 32).for_each(|name| self.expect("tile", format!("map k: {name}")));
        for (extent, block, fractal) in [("m", m0, 16), ("n", n0, 16), ("k", k0, 32)] {
            classes(block, fractal).for_each(|name| self.expect("tile", format!("mmad {extent}: {name}")));
        }
        for (extent, block) in [("m", m0), ("n", n0)] {
            classes(block, 16).for_each(|name| self.expect("tile", format!("store {extent}: {name}")));
        }
    }

    fn expect_stores(&mut self) {
        for (dst, dtype, bits) in ["gm", "l1", "ub"]
            .into_iter()
            .flat_map(|dst| [Dtype::S8, Dtype::U8, Dtype::Int32, Dtype::Fp32].map(|dtype| (dst, dtype)))
            .flat_map(|(dst, dtype)| (0..16).map(move |bits| (dst, dtype, bits)))
        {
            let words = ["bias", "relu", "clamp", "per_channel"];
            if dtype == Dtype::Int32 && bits & 8 != 0 || dtype == Dtype::Fp32 && bits & 4 != 0 {
                continue;
            }
            let options = options(std::array::from_fn(|at| (words[at], bits >> at & 1 == 1)));
            for layout in Layout::ALL {
                self.expect("fix.store", format!("{dst} {layout} {dtype}{options}"));
            }
        }
        for (dtype, source) in [Dtype::S8, Dtype::U8, Dtype::Fp32]
            .iter()
            .flat_map(|dtype| ["register", "fb"].map(|source| (dtype, source)))
        {
            for rounding in Rounding::ALL.iter().filter(|mode| *dtype != Dtype::Fp32 || **mode == Rounding::Onnx) {
                self.expect("fix.rounding", format!("{dtype} {rounding} from {source}"));
            }
        }
        for second in [Second::Add, Second::Max] {
            for (dtype, relu) in [(Dtype::S8, ""), (Dtype::S8, " relu"), (Dtype::U8, ""), (Dtype::U8, " relu")] {
                for place in ["gm", "l1", "ub beside", "ub in place"] {
                    self.expect("second", format!("{second} {dtype}{relu} {place}"));
                }
            }
        }
    }

    fn expect(&mut self, group: &'static str, item: String) {
        self.groups.entry(group).or_default().insert(item, 0);
    }

    /// Counts one item. Panics if the list of this group lacks it: then the list is wrong.
    fn meet(&mut self, group: &str, item: String) {
        let count = self.groups.get_mut(group).and_then(|items| items.get_mut(&item));
        *count.unwrap_or_else(|| panic!("`{item}` is no item of `{group}`")) += 1;
    }

    /// Counts everything in a program.
    pub fn program(&mut self, program: &[Inst], arena: &Arena) {
        let mut state = State::reset();
        for inst in program {
            match inst.op {
                Instruction::Set { pipe, register, value } => {
                    let name = isa::state::state_register(pipe, register).map_or("unknown", |register| register.name);
                    self.meet("opcode", format!("set {pipe}.{name}"));
                    state.set(pipe, register, value);
                }
                _ => self.meet("opcode", inst.op.opcode().mnemonic().to_owned()),
            }
            self.operands(&inst.op, &state, arena);
            for (signal, flag) in inst.sets.iter().zip(inst.set_flags()) {
                self.meet("flag", flag_name(flag, signal.early));
            }
            if inst.op.pipe().worker_index().is_some() {
                self.meet("slots", format!("{} waits", inst.waits.len()));
                self.meet("slots", format!("{} sets", inst.sets.len()));
            }
        }
    }

    fn operands(&mut self, op: &Instruction, state: &State, arena: &Arena) {
        self.outer(op, state);
        let (m0, k0, n0) = (self.config.m0, self.config.k0, self.config.n0);
        match op {
            Instruction::Mte2Load(load) => {
                let at = alignment(arena.address(load.gm));
                self.transfer("mte2.load", load.layout, at, load.gm_stride, load.rows, load.len_bytes);
            }
            Instruction::Mte3Store(store) => {
                let at = alignment(arena.address(store.gm));
                self.transfer("mte3.store", store.layout, at, store.gm_stride, store.rows, store.len_bytes);
            }
            Instruction::Mte2Fill(fill) => {
                self.meet("mte2.fill", format!("{} bytes", length(fill.len_bytes)));
                self.meet("mte2.fill", rows(fill.rows).to_owned());
                if fill.rows > 1 {
                    self.meet("mte2.fill", format!("dst_stride {}", stride(fill.dst_stride, fill.len_bytes)));
                }
            }
            Instruction::Mte1Load(load) => {
                let (bit, block) = if load.side == Side::A { (0, m0) } else { (1, n0) };
                let turn = if load.transpose { " transpose" } else { "" };
                let source = state.get(Pipe::Mte1, isa::state::mte1::ZERO_POINT_SOURCE).unwrap_or(0);
                let from = if source >> bit & 1 == 1 { "fb" } else { "register" };
                self.meet("mte1.load", format!("{:?} {}{turn} zero from {from}", load.side, load.dtype));
                self.meet("tile", format!("{:?}{turn} rows: {}", load.side, class(load.rows, block, 16)));
                self.meet("tile", format!("{:?}{turn} k: {}", load.side, class(load.k, k0, 32)));
            }
            Instruction::Mte1LoadFb(load) => {
                self.meet("mte1.loadfb", format!("{} {}", load.field, count(load.count)));
            }
            Instruction::Mmad(mmad) => {
                let accumulate = if mmad.accumulate { " accumulate" } else { "" };
                self.meet("m.mmad", format!("{} {}{accumulate}", mmad.dtype_a, mmad.dtype_b));
                self.meet("tile", format!("mmad m: {}", class(mmad.m, m0, 16)));
                self.meet("tile", format!("mmad n: {}", class(mmad.n, n0, 16)));
                self.meet("tile", format!("mmad k: {}", class(mmad.k, k0, 32)));
            }
            Instruction::FixStore(store) => {
                let dst = match store.dst {
                    FixTarget::Gm(gm) => {
                        let at = alignment(arena.address(gm));
                        self.meet("fix.address", format!("{} at {at}", store.layout));
                        "gm"
                    }
                    FixTarget::L1(_) => "l1",
                    FixTarget::Ub(_) => "ub",
                };
                let options = options([
                    ("bias", store.bias),
                    ("relu", store.relu),
                    ("clamp", store.clamp),
                    ("per_channel", store.per_channel),
                ]);
                self.meet("fix.store", format!("{dst} {} {}{options}", store.layout, store.dtype_out));
                if store.scales() {
                    let source = if store.per_channel { "fb" } else { "register" };
                    self.meet("fix.rounding", format!("{} {} from {source}", store.dtype_out, store.rounding));
                }
                if store.second != Second::None {
                    let own = state.get(Pipe::Fix, isa::state::fix::SECOND_ADDRESS);
                    let place = match store.dst {
                        FixTarget::Ub(at) if own == Some(at) => "ub in place",
                        FixTarget::Ub(_) => "ub beside",
                        _ => dst,
                    };
                    let relu = if store.relu { " relu" } else { "" };
                    self.meet("second", format!("{} {}{relu} {place}", store.second, store.dtype_out));
                }
                self.meet("tile", format!("store m: {}", class(store.m, m0, 16)));
                self.meet("tile", format!("store n: {}", class(store.n, n0, 16)));
            }
            Instruction::Mte3Move(copy) => {
                self.meet("mte3.move", format!("{} {} bytes", copy.layout, length(copy.len_bytes)));
                self.meet("mte3.move", format!("{} {}", copy.layout, rows(copy.rows)));
            }
            Instruction::Mte1Im2col(load) => {
                self.meet("tile", format!("map rows: {}", class(load.rows, m0, 16)));
                self.meet("tile", format!("map k: {}", class(load.k, k0, 32)));
                self.map(load, state);
            }
            Instruction::End | Instruction::Barrier | Instruction::Nop | Instruction::Set { .. } => {}
        }
    }

    /// Which outer dimensions a copy has.
    fn outer(&mut self, op: &Instruction, state: &State) {
        let Ok(Some(outer)) = isa::geometry::Outer::of(op, state) else { return };
        let buffer = match op {
            Instruction::Mte2Load(Mte2Load { dst: buffer, .. })
            | Instruction::Mte2Fill(Mte2Fill { dst: buffer, .. })
            | Instruction::Mte3Store(Mte3Store { src: buffer, .. }) => buffer.name(),
            _ => "l1",
        };
        let several = OUTER[usize::from(outer.counts[0] > 1) + 2 * usize::from(outer.counts[1] > 1)];
        self.meet("outer", format!("{} {buffer} {several}", op.opcode()));
    }

    /// What a tile of a feature map meets.
    fn map(&mut self, load: &Mte1Im2col, state: &State) {
        let Ok(map) = isa::geometry::Im2col::of(load, state) else { return };
        let mut met = vec![if map.taps_x == 1 { "one tap a line" } else { "taps of a line apart" }];
        met.push(if map.out_width < self.config.m0 as u32 { "lines within a block" } else { "longer lines" });
        met.push(match map.tap_bytes.cmp(&(self.config.k0 as u32)) {
            std::cmp::Ordering::Less => "taps below k0",
            std::cmp::Ordering::Equal => "taps of k0",
            std::cmp::Ordering::Greater => "taps above k0",
        });
        if load.out_x > 0 {
            met.push("from the middle of a line");
        }
        if load.tap_byte > 0 {
            met.push("from the middle of a tap");
        }
        let runs: Vec<_> = map.tap_runs(load).collect();
        let parts = (0..u32::from(load.rows)).flat_map(|row| runs.iter().map(move |run| (row, run)));
        for (row, run) in parts {
            let (part, _) = map.in_map(load, row, run);
            met.push(match (part.start, part.len() as u32) {
                (_, 0) => "padding as a whole",
                (0, len) if len == run.len => "no padding",
                (0, _) => "padding on the right",
                _ => "padding on the left",
            });
        }
        met.sort_unstable();
        met.dedup();
        met.into_iter().for_each(|name| self.meet("im2col", name.to_owned()));
    }

    fn transfer(&mut self, group: &str, layout: Layout, at: &str, gm_stride: u32, height: u16, len: u32) {
        self.meet(group, format!("{layout} gm at {at}"));
        self.meet(group, format!("{layout} {} bytes", length(len)));
        self.meet(group, format!("{layout} {}", rows(height)));
        if height > 1 {
            self.meet(group, format!("{layout} gm_stride {}", stride(gm_stride, len)));
        }
    }

    /// Adds what other programs met; both are of the same core.
    pub fn join(&mut self, other: &Coverage) {
        for (group, items) in &other.groups {
            for (item, count) in items {
                *self.groups.entry(group).or_default().entry(item.clone()).or_default() += count;
            }
        }
    }

    /// What was never met: group and item.
    pub fn missing(&self) -> Vec<String> {
        let items = self.groups.iter().flat_map(|(group, items)| items.iter().map(move |item| (group, item)));
        items.filter(|(_, (_, count))| **count == 0).map(|(group, (item, _))| format!("{group}: {item}")).collect()
    }
}

impl fmt::Display for Coverage {
    /// A line per group: items met of all, and the rarest with its count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (group, items) in &self.groups {
            let met = items.values().filter(|count| **count > 0).count();
            let rarest = items.iter().min_by_key(|(_, count)| **count).expect("no group is empty");
            writeln!(f, "{group:12} {met:4} of {:4}, rarest {} x `{}`", items.len(), rarest.1, rarest.0)?;
        }
        Ok(())
    }
}

/// Every legal flag.
fn flags() -> impl Iterator<Item = Flag> {
    let pairs = Pipe::WORKERS.into_iter().flat_map(|from| Pipe::WORKERS.map(|to| (from, to)));
    let pairs = pairs.filter(|(from, to)| from != to);
    pairs.flat_map(|(from, to)| (0..isa::limits::FLAG_IDS as u8).map(move |id| Flag { from, to, id }))
}
