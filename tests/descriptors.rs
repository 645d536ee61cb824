// SPDX-License-Identifier: Apache-2.0
//! Random descriptors of MTE2 and MTE3 in four dimensions, by the thousand, in the whole core: the memory that a plain copy of bytes leaves.
//!
//! Each program loads and fills, then stores, then stores all of L1 and UB, so all memories are compared whole. The memory stalls, waits and
//! answers in any order. What a descriptor may not touch is known byte by byte: one written outside its rows fails.

#![allow(clippy::unwrap_used)]

use isa::csr::{RIGHT_EXECUTE, RIGHT_READ, RIGHT_WRITE};
use isa::state::outer;
use isa::{
    Config, GmAddress, Inst, Instruction, Layout, LocalBuffer, Mte2Fill, Mte2Load, Mte3Move, Mte3Store, Pipe, asm,
};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use sim::core::{Core, Ended, Run};
use sim::{GlobalMemory, MemoryConfig, Order, Poison, waves};
use std::collections::BTreeSet;
use tb::rounds;
use verilated::Reset;

/// Pages of the program, of what is read, of what is written; the windows begin and end within them.
const PROGRAM: u64 = 0x1_0000;
const SOURCE: u64 = 0x21_0000_0000;
const TARGET: u64 = 0x35_FFFF_0000;
const PAGES: u64 = 0x2_0000;
/// Bytes in front of the windows and behind them.
const GUARD: u64 = 1000;
/// Bytes of L1 and UB that are used: those of `tiny`.
const L1: u64 = 16 << 10;
const UB: u64 = 4 << 10;
/// Descriptors of each kind in a program.
const LOADS: usize = 12;
const STORES: usize = 12;

/// GM, L1 and UB as plain bytes.
struct Reference {
    source: Vec<u8>,
    target: Vec<u8>,
    l1: Vec<u8>,
    ub: Vec<u8>,
}

/// Where byte (row, column) of a matrix lies.
fn place(layout: Layout, address: u64, stride: u64, row: u64, column: u64) -> u64 {
    match layout {
        Layout::Rows => address + row * stride + column,
        Layout::Nz => address + column / 32 * stride + 32 * row + column % 32,
    }
}

/// Rows, bytes of a row, layout, and a stride that keeps the rows or panels apart.
#[derive(Clone, Copy, Debug)]
struct Shape {
    rows: u64,
    len: u64,
    layout: Layout,
    stride: u64,
}

impl Shape {
    /// A shape whose bytes lie within `most` bytes.
    fn random(rng: &mut impl Rng, nz: bool, most: u64) -> Shape {
        loop {
            let len = match rng.random_range(0..8) {
                0 => 1,
                1 => rng.random_range(1..9),
                2 => [31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 257][rng.random_range(0..11)],
                3 => 16 * rng.random_range(1..30),
                4..7 => rng.random_range(1..200),
                _ => rng.random_range(1..9000),
            };
            let rows = match rng.random_range(0..4) {
                0 => 1,
                1 => rng.random_range(2..5),
                2 => 16,
                _ => rng.random_range(1..60),
            };
            let layout = if nz && rng.random() { Layout::Nz } else { Layout::Rows };
            let extra = [0, rng.random_range(0..4), rng.random_range(0..100)][rng.random_range(0..3)];
            let stride = match layout {
                Layout::Rows => len + extra,
                Layout::Nz => 32 * (rows + extra % 8),
            };
            let shape = Shape { rows, len, layout, stride };
            if shape.extent() <= most && rows * len <= 12_000 {
                return shape;
            }
        }
    }

    /// Bytes from the first to the last.
    fn extent(self) -> u64 {
        let panels = (self.len - 1) / 32;
        match self.layout {
            Layout::Rows => (self.rows - 1) * self.stride + self.len,
            Layout::Nz => panels * self.stride + 32 * self.rows,
        }
    }

    /// An address within `room` bytes where it fits.
    fn address(self, rng: &mut impl Rng, room: u64) -> u64 {
        let at = rng.random_range(0..=room - self.extent());
        match (self.layout, rng.random_range(0..4)) {
            (Layout::Nz, _) => at / 32 * 32,
            (_, 0) => at / 64 * 64,
            _ => at,
        }
    }
}

/// The outer dimensions: counts, and strides on the side that is read and on the side that is written.
#[derive(Clone, Copy, Debug)]
struct Outer {
    counts: [u64; 2],
    read: [u64; 2],
    written: [u64; 2],
}

impl Outer {
    /// Outer dimensions that keep matrices of `written` bytes apart within `room`, and read ones of `read` bytes within theirs, as
    /// `(bytes, room, unit of strides)`.
    fn random(rng: &mut impl Rng, written: (u64, u64, u64), read: (u64, u64, u64)) -> Outer {
        loop {
            let mut count = || if rng.random() { 1 } else { rng.random_range(1..5u64) };
            let counts = [count(), count()];
            let apart = |rng: &mut dyn Rng, bytes: u64| {
                let more = if rng.next_u32().is_multiple_of(2) { 0 } else { u64::from(rng.next_u32() % 90) };
                (bytes + more).next_multiple_of(written.2)
            };
            let inner = apart(rng, written.0);
            let outer = apart(rng, (counts[0] - 1) * inner + written.0);
            let spare = (read.1 - read.0) / (counts[0] + counts[1]);
            let mut near = || rng.random_range(0..=spare) / read.2 * read.2;
            let this = Outer { counts, read: [near(), near()], written: [inner, outer] };
            if this.extent(this.written) + written.0 <= written.1 {
                return this;
            }
        }
    }

    /// From the first matrix to the last.
    fn extent(&self, strides: [u64; 2]) -> u64 {
        (self.counts[0] - 1) * strides[0] + (self.counts[1] - 1) * strides[1]
    }

    /// Distances of every matrix from the first: read, written.
    fn offsets(self) -> impl Iterator<Item = (u64, u64)> {
        let at = move |strides: [u64; 2], p2, p3| p2 * strides[0] + p3 * strides[1];
        let all = (0..self.counts[1]).flat_map(move |p3| (0..self.counts[0]).map(move |p2| (p2, p3)));
        all.map(move |(p2, p3)| (at(self.read, p2, p3), at(self.written, p2, p3)))
    }

    /// The state registers that say so.
    fn set(self, pipe: Pipe) -> impl Iterator<Item = Inst> {
        let values = [
            (outer::COUNT2, self.counts[0]),
            (outer::SRC_STRIDE2, self.read[0]),
            (outer::DST_STRIDE2, self.written[0]),
            (outer::COUNT3, self.counts[1]),
            (outer::SRC_STRIDE3, self.read[1]),
            (outer::DST_STRIDE3, self.written[1]),
        ];
        values.into_iter().map(move |(register, value)| Instruction::Set { pipe, register, value: value as u32 }.into())
    }
}

/// A buffer, and how many of its bytes are used.
fn buffer(rng: &mut impl Rng) -> (LocalBuffer, u64) {
    if rng.random_ratio(2, 3) { (LocalBuffer::L1, L1) } else { (LocalBuffer::Ub, UB) }
}

fn unit(layout: Layout) -> u64 {
    if layout == Layout::Nz { 32 } else { 1 }
}

impl Reference {
    fn load(&mut self, rng: &mut impl Rng, program: &mut Vec<Inst>) {
        let (dst_buffer, local) = buffer(rng);
        let shape = Shape::random(rng, true, local);
        let room = PAGES - 2 * GUARD;
        // Source rows may lie apart, touch, overlap, or be the same one.
        let gm_stride = match rng.random_range(0..6) {
            0 => 0,
            1 => rng.random_range(0..shape.len),
            2 | 3 => shape.len,
            4 => shape.len + rng.random_range(0..300),
            _ => rng.random_range(0..5000),
        };
        let gm_stride = if (shape.rows - 1) * gm_stride + shape.len > room { shape.len } else { gm_stride };
        let source = (shape.rows - 1) * gm_stride + shape.len;
        let outer = Outer::random(rng, (shape.extent(), local, unit(shape.layout)), (source, room, 1));
        let dst = shape.address(rng, local - outer.extent(outer.written));
        let gm = rng.random_range(0..=room - outer.extent(outer.read) - source);
        for (read, written) in outer.offsets() {
            for row in 0..shape.rows {
                for column in 0..shape.len {
                    let to = place(shape.layout, dst + written, shape.stride, row, column) as usize;
                    let byte = self.source[(GUARD + gm + read + row * gm_stride + column) as usize];
                    self.bytes(dst_buffer)[to] = byte;
                }
            }
        }
        program.extend(outer.set(Pipe::Mte2));
        let load = Instruction::Mte2Load(Mte2Load {
            gm: GmAddress { base: 0, offset: gm },
            gm_stride: gm_stride as u32,
            layout: shape.layout,
            dst: dst_buffer,
            dst_address: dst as u32,
            dst_stride: shape.stride as u32,
            rows: shape.rows as u16,
            len_bytes: shape.len as u32,
        });
        program.push(load.into());
    }

    fn fill(&mut self, rng: &mut impl Rng, program: &mut Vec<Inst>) {
        let (dst_buffer, local) = buffer(rng);
        let shape = Shape::random(rng, false, local);
        let outer = Outer::random(rng, (shape.extent(), local, 1), (0, local, 1));
        let dst = shape.address(rng, local - outer.extent(outer.written));
        let byte = rng.random();
        for (_, written) in outer.offsets() {
            for row in 0..shape.rows {
                let first = (dst + written + row * shape.stride) as usize;
                self.bytes(dst_buffer)[first..first + shape.len as usize].fill(byte);
            }
        }
        program.extend(outer.set(Pipe::Mte2));
        let fill = Instruction::Mte2Fill(Mte2Fill {
            dst: dst_buffer,
            dst_address: dst as u32,
            dst_stride: shape.stride as u32,
            rows: shape.rows as u16,
            len_bytes: shape.len as u32,
            byte,
        });
        program.push(fill.into());
    }

    fn store(&mut self, rng: &mut impl Rng, program: &mut Vec<Inst>) {
        let room = PAGES - 2 * GUARD;
        let (src_buffer, local) = buffer(rng);
        let target = loop {
            let target = Shape::random(rng, false, room);
            if target.len.max(32 * target.rows) <= local {
                break target;
            }
        };
        let Shape { rows, len, stride: gm_stride, .. } = target;
        // The rows in L1 may do anything, as they are read.
        let layout = if rng.random() { Layout::Nz } else { Layout::Rows };
        let most =
            if layout == Layout::Nz { (local - 32 * rows) / ((len - 1) / 32).max(1) } else { (local - len) / rows };
        let stride = match rng.random_range(0..3) {
            0 if layout == Layout::Nz => 32 * rows,
            0 => len,
            1 => 0,
            _ => rng.random_range(0..=most),
        };
        let stride = stride.min(most) / unit(layout) * unit(layout);
        let source = Shape { rows, len, layout, stride };
        let outer = Outer::random(rng, (target.extent(), room, 1), (source.extent(), local, unit(layout)));
        let gm = target.address(rng, room - outer.extent(outer.written));
        let src =
            rng.random_range(0..=local - outer.extent(outer.read) - source.extent()) / unit(layout) * unit(layout);
        for (read, written) in outer.offsets() {
            for row in 0..rows {
                for column in 0..len {
                    let from = place(layout, src + read, stride, row, column) as usize;
                    self.target[(GUARD + gm + written + row * gm_stride + column) as usize] =
                        self.bytes(src_buffer)[from];
                }
            }
        }
        program.extend(outer.set(Pipe::Mte3));
        let store = Instruction::Mte3Store(Mte3Store {
            gm: GmAddress { base: 1, offset: gm },
            gm_stride: gm_stride as u32,
            layout,
            src: src_buffer,
            src_address: src as u32,
            src_stride: stride as u32,
            rows: rows as u16,
            len_bytes: len as u32,
        });
        program.push(store.into());
    }

    /// UB to L1.
    fn copy(&mut self, rng: &mut impl Rng, program: &mut Vec<Inst>) {
        let shape = loop {
            let shape = Shape::random(rng, true, L1);
            if shape.len <= UB {
                break shape;
            }
        };
        let stride = rng.random_range(0..=(UB - shape.len) / shape.rows);
        let source = (shape.rows - 1) * stride + shape.len;
        let outer = Outer::random(rng, (shape.extent(), L1, unit(shape.layout)), (source, UB, 1));
        let dst = shape.address(rng, L1 - outer.extent(outer.written));
        let src = rng.random_range(0..=UB - outer.extent(outer.read) - source);
        for (read, written) in outer.offsets() {
            for row in 0..shape.rows {
                for column in 0..shape.len {
                    let to = place(shape.layout, dst + written, shape.stride, row, column) as usize;
                    self.l1[to] = self.ub[(src + read + row * stride + column) as usize];
                }
            }
        }
        program.extend(outer.set(Pipe::Mte3));
        let copy = Instruction::Mte3Move(Mte3Move {
            layout: shape.layout,
            dst_address: dst as u32,
            dst_stride: shape.stride as u32,
            src_address: src as u32,
            src_stride: stride as u32,
            rows: shape.rows as u16,
            len_bytes: shape.len as u32,
        });
        program.push(copy.into());
    }

    /// Stores of all of L1 and UB, rows at an odd distance.
    fn dump(&mut self) -> Vec<Inst> {
        let rows: Vec<u8> = self.l1.iter().chain(&self.ub).copied().collect();
        for (row, bytes) in rows.chunks(4096).enumerate() {
            self.target[(GUARD + 3) as usize + 4099 * row..][..4096].copy_from_slice(bytes);
        }
        let text = "mte3.store gm=b1[3] src=l1[0] rows=4 len_bytes=4096 gm_stride=4099 src_stride=4096
             mte3.store gm=b1[16399] src=ub[0] rows=1 len_bytes=4096 gm_stride=0 src_stride=0\nend";
        asm::assemble(text, "dump").unwrap().program
    }

    fn bytes(&mut self, buffer: LocalBuffer) -> &mut [u8] {
        if buffer == LocalBuffer::L1 { &mut self.l1 } else { &mut self.ub }
    }

    /// A program; barriers part loads from stores, within a pipe they follow each other at once.
    fn program(&mut self, rng: &mut impl Rng) -> Vec<Inst> {
        let mut program: Vec<Inst> = vec![];
        for _ in 0..LOADS {
            if rng.random_ratio(1, 6) { self.fill(rng, &mut program) } else { self.load(rng, &mut program) }
        }
        program.push(Instruction::Barrier.into());
        for _ in 0..STORES {
            if rng.random_ratio(1, 6) { self.copy(rng, &mut program) } else { self.store(rng, &mut program) }
        }
        program.push(Instruction::End.into());
        program
    }
}

struct Machine {
    core: Core,
    pages: BTreeSet<u64>,
}

impl Machine {
    fn run(&mut self, program: &[Inst], reference: &Reference, what: &dyn Fn() -> String) {
        let code = isa::encode_program(program).unwrap();
        self.core.gm().write(PROGRAM, &code);
        let run = Run { length: code.len() as u32, ..run() };
        let text = || format!("{}\n{}", what(), asm::disassemble(program).unwrap());
        let ended = self.core.run(&run).unwrap_or_else(|error| panic!("{error}\n{}", text()));
        assert_eq!(ended, Ended::Done, "{}", text());
        assert_eq!(self.core.gm().pages().collect::<BTreeSet<_>>(), self.pages, "pages that were written\n{}", text());
        for (first, expected) in [(SOURCE, &reference.source), (TARGET, &reference.target)] {
            let got = self.core.gm().read(first, PAGES as usize);
            if let Some(at) = (0..got.len()).find(|&at| got[at] != expected[at]) {
                let count = (at..got.len()).filter(|&at| got[at] != expected[at]).count();
                let at_bytes = (got[at], expected[at]);
                panic!("{:#x}: {at_bytes:#04x?} (is, should be), and {count} in all\n{}", first + at as u64, text());
            }
        }
    }
}

fn run() -> Run {
    let window = |first: u64, rights| (first + GUARD, first + PAGES - GUARD - 1, rights);
    Run {
        program: PROGRAM,
        length: 0,
        bases: vec![SOURCE + GUARD, TARGET + GUARD],
        windows: vec![
            (PROGRAM, PROGRAM + 0x1FFF, RIGHT_EXECUTE),
            window(SOURCE, RIGHT_READ),
            window(TARGET, RIGHT_WRITE),
        ],
        limit: 2_000_000,
    }
}

fn memory(config: &Config, number: usize, rng: &mut ChaCha8Rng) -> MemoryConfig {
    MemoryConfig {
        latency: [1, 15, 90][number % 3],
        stall: [0.0, 0.3, 0.7][number / 2 % 3],
        order: [Order::InOrder, Order::OutOfOrder, Order::Interleaved][number / 3 % 3],
        jitter: [0, 20][number % 2],
        seed: rng.random(),
        ..MemoryConfig::ideal(config.bus_bytes)
    }
}

/// Programs until `descriptors` are done; a new core and memory every three programs.
fn descriptors(config: &Config, seed: u64, descriptors: usize) {
    waves::on_failure(&format!("descriptors-{}", config.name), || {
        let model = sim::core::model(config, false).unwrap_or_else(|error| panic!("{error}"));
        let mut rng = tb::seed(seed).rng;
        let (mut done, mut cycles, mut batch) = (0, 0, 0);
        while done < descriptors {
            let memory = memory(config, batch, &mut rng);
            let mut bytes = || {
                let mut bytes = vec![0; PAGES as usize];
                rng.fill_bytes(&mut bytes);
                bytes
            };
            let mut reference =
                Reference { source: bytes(), target: bytes(), l1: vec![0; L1 as usize], ub: vec![0; UB as usize] };
            let mut gm = GlobalMemory::new(Poison::new(seed));
            gm.write(PROGRAM, &[0; 0x2000]);
            gm.write(SOURCE, &reference.source);
            gm.write(TARGET, &reference.target);
            let pages = gm.pages().collect();
            let core = Core::with_model(&model, config, memory.clone(), gm, Reset::Random(rng.next_u32()));
            let mut machine = Machine { core: core.unwrap_or_else(|error| panic!("{error}")), pages };
            let what = || format!("batch {batch} on {}, {memory:?}", config.name);
            // L1 and UB are known from here on.
            let zero = "mte2.fill dst=l1[0] byte=0 rows=1 len_bytes=0x4000 dst_stride=0
                mte2.fill dst=ub[0] byte=0 rows=1 len_bytes=0x1000 dst_stride=0\nend";
            machine.run(&asm::assemble(zero, "zero").unwrap().program, &reference, &what);
            for _ in 0..3 {
                let program = reference.program(&mut rng);
                machine.run(&program, &reference, &what);
                let dump = reference.dump();
                machine.run(&dump, &reference, &what);
                done += LOADS + STORES + 2;
            }
            cycles += machine.core.bench().cycle();
            batch += 1;
        }
        println!("{}: {done} descriptors, {batch} memories, {cycles} cycles", config.name);
    });
}

#[test]
fn random_descriptors_on_tiny_copy_their_bytes_and_no_others() {
    descriptors(&Config::tiny(), 71, rounds(2000));
}

#[test]
fn random_descriptors_on_lite_copy_their_bytes_and_no_others() {
    descriptors(&Config::lite(), 72, rounds(1500));
}

#[test]
fn random_descriptors_on_max_copy_their_bytes_and_no_others() {
    descriptors(&Config::max(), 73, rounds(1500).min(75));
}
