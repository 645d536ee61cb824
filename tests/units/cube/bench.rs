// SPDX-License-Identifier: Apache-2.0
//! The bench of the cube engine: a model of L0A and L0B that may fill late, the real L0C, and a reader in the place of FIX.
//!
//! `super::Sim` says how the blocks run: `Twin` (Rust alone) or one that also runs their Verilog; it has `new`, `uut`, `settle`, `edge`.

use super::Sim;
use isa::Config;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rtl::cube::M;
use rtl::l0c::L0c;
use std::collections::VecDeque;

/// Seed of the random tests: `QUADER_SEED` or 1; printed so that a failure replays.
pub fn seed() -> u64 {
    let seed = std::env::var("QUADER_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    println!("QUADER_SEED={seed}");
    seed
}

/// A core with this cube and small buffers.
pub fn core(m0: usize, k0: usize, n0: usize) -> Config {
    let products = m0 * k0 * n0;
    Config {
        m0,
        k0,
        n0,
        l0a_bytes: 8 << 10,
        l0b_bytes: 8 << 10,
        l0c_bytes: 16 << 10,
        fix_lanes: 1,
        dsp_mults: products / 3 + 1,
        ..Config::tiny()
    }
}

/// The cubes under test: tiny, lite and two lopsided ones.
pub fn cores() -> [Config; 4] {
    [core(4, 4, 4), core(4, 16, 4), core(2, 8, 8), core(8, 4, 2)]
}

/// One m.mmad.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    pub accumulate: bool,
    pub early: bool,
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub a: usize,
    pub b: usize,
    pub c: usize,
}

impl Op {
    pub fn words(&self) -> [u32; 8] {
        // An early set is M to FIX with any id; it may stand in any slot.
        let sets = if self.early { 0x89 << (8 * (self.m % 3)) } else { 0x09 };
        let dtypes = 1 << 4;
        [
            0x30,
            sets,
            u32::from(self.accumulate) | dtypes,
            self.a as u32 | (self.b as u32) << 16,
            self.c as u32,
            self.m as u32 | (self.n as u32) << 16,
            self.k as u32,
            0,
        ]
    }

    pub fn steps(&self, config: &Config) -> usize {
        config.cube_steps(self.m, self.n, self.k) as usize
    }
}

/// L0A or L0B: blocks of `rows` x k0, filled by the test.
pub struct L0 {
    pub rows: usize,
    pub k0: usize,
    pub blocks: Vec<Vec<i16>>,
    pub full: Vec<bool>,
    pub pipe: [Option<usize>; 2],
}

impl L0 {
    pub fn new(rows: usize, k0: usize, fractals: usize) -> L0 {
        let count = fractals * (16 / rows) * (32 / k0);
        L0 { rows, k0, blocks: vec![vec![0; rows * k0]; count], full: vec![false; count], pipe: [None; 2] }
    }

    /// Block and place in it of row r, byte c of a tile of k bytes at fractal `base`.
    pub fn place(&self, base: usize, k: usize, r: usize, c: usize) -> (usize, usize) {
        let fractal = base + (r / 16) * k.div_ceil(32) + c / 32;
        let (row_blocks, k_blocks) = (16 / self.rows, 32 / self.k0);
        let block = fractal * row_blocks * k_blocks + (r % 16 / self.rows) * k_blocks + c % 32 / self.k0;
        (block, (r % self.rows) * self.k0 + c % self.k0)
    }

    /// Fills a tile with random numbers: zeros beyond k, anything beyond its rows. Gives its blocks.
    pub fn tile(&mut self, rng: &mut ChaCha8Rng, base: usize, rows: usize, k: usize) -> Vec<usize> {
        let mut blocks = vec![];
        for r in 0..rows.next_multiple_of(self.rows) {
            for c in 0..k.next_multiple_of(self.k0) {
                let (block, at) = self.place(base, k, r, c);
                let extreme = rng.random_bool(0.1);
                self.blocks[block][at] = match (c < k, extreme) {
                    (false, _) => 0,
                    (true, true) => [-256, 255][rng.random_range(0..2)],
                    (true, false) => rng.random_range(-256..256),
                };
                if at == 0 {
                    blocks.push(block);
                }
            }
        }
        blocks
    }
}

/// C as the program sees it: fractals of 16 x 16.
#[derive(Clone, PartialEq)]
pub struct Tile(pub Vec<[[u32; 16]; 16]>);

impl Tile {
    /// Blocks count whole: what lies beyond m and n in a block used is changed too, and means nothing to a program.
    pub fn apply(&mut self, op: &Op, a: &L0, b: &L0) {
        for i in 0..op.m.next_multiple_of(a.rows) {
            for j in 0..op.n.next_multiple_of(b.rows) {
                let mut sum = 0u32;
                for l in 0..op.k {
                    let (block_a, at_a) = a.place(op.a, op.k, i, l);
                    let (block_b, at_b) = b.place(op.b, op.k, j, l);
                    let product = i32::from(a.blocks[block_a][at_a]) * i32::from(b.blocks[block_b][at_b]);
                    sum = sum.wrapping_add(product as u32);
                }
                let c = &mut self.0[op.c + (i / 16) * op.n.div_ceil(16) + j / 16][i % 16][j % 16];
                *c = if op.accumulate { c.wrapping_add(sum) } else { sum };
            }
        }
    }
}

/// What one cycle showed.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub taken: bool,
    pub step: bool,
    pub written: Option<usize>,
    pub done: bool,
    pub early: bool,
    pub counted: bool,
    pub useful: u64,
}

/// A block of C that a reader must find full, once and with these numbers; checked where an element belongs to the tile.
pub struct Expect {
    pub block: usize,
    pub rows: usize,
    pub columns: usize,
    pub origin: (usize, usize),
    pub tile: usize,
}

pub struct Bench {
    pub config: Config,
    pub m: Sim<M>,
    pub l0c: Sim<L0c>,
    pub a: L0,
    pub b: L0,
    /// Blocks of L0C as written through the port.
    pub shadow: Vec<Vec<u32>>,
    /// Instructions not yet offered, and the results after each instruction not yet done.
    pub queue: VecDeque<(Op, u32)>,
    pub results: VecDeque<(Op, Tile)>,
    pub log: Vec<Seen>,
    pub rng: ChaCha8Rng,
    /// Probability that nothing is offered in a cycle.
    pub pause: f64,
    /// Probability that FIX asks for a block in a cycle.
    pub contention: f64,
    pub offered: bool,
    /// Fill requests: (is A, block).
    pub late: VecDeque<(bool, usize)>,
    pub fill_rate: f64,
    /// FIX: blocks to read when `early` was seen, and reads under way.
    pub reader: VecDeque<Expect>,
    pub reading: [Option<Expect>; 2],
    pub tiles: Vec<(Op, Tile)>,
    pub released: usize,
    pub read_back: usize,
}

impl Bench {
    pub fn new(config: Config, rng: ChaCha8Rng) -> Bench {
        let mut bench = Bench {
            m: Sim::new(M::new(&config), |uut, level| uut.clk.next = level),
            l0c: Sim::new(L0c::new(&config), |uut, level| uut.clk.next = level),
            a: L0::new(config.m0, config.k0, config.l0a_fractals()),
            b: L0::new(config.n0, config.k0, config.l0b_fractals()),
            shadow: vec![
                vec![0xdead_beef; config.m0 * config.n0];
                config.l0c_fractals() * config.l0c_blocks_per_fractal()
            ],
            queue: VecDeque::new(),
            results: VecDeque::new(),
            log: vec![],
            rng,
            pause: 0.0,
            contention: 0.0,
            offered: false,
            late: VecDeque::new(),
            fill_rate: 1.0,
            reader: VecDeque::new(),
            reading: [None, None],
            tiles: vec![],
            released: 0,
            read_back: 0,
            config,
        };
        bench.m.uut.rst.next = true;
        bench.l0c.uut.rst.next = true;
        bench.m.edge();
        bench.l0c.edge();
        bench.m.uut.rst.next = false;
        bench.l0c.uut.rst.next = false;
        bench
    }

    /// Where element (i, j) of an m x n tile lies: block and place in it.
    pub fn c_place(&self, op: &Op, i: usize, j: usize) -> (usize, usize) {
        let (m0, n0) = (self.config.m0, self.config.n0);
        let fractal = op.c + (i / 16) * op.n.div_ceil(16) + j / 16;
        let block = fractal * self.config.l0c_blocks_per_fractal() + (i % 16 / m0) * (16 / n0) + j % 16 / n0;
        (block, (i % m0) * n0 + j % n0)
    }

    /// Queues an instruction whose operands are in L0 (or in `late`) and computes what it must give.
    pub fn push(&mut self, tile: &mut Tile, op: Op) {
        tile.apply(&op, &self.a, &self.b);
        let pc = 32 * self.tiles.len() as u32 + 0x100;
        self.queue.push_back((op, pc));
        self.results.push_back((op, tile.clone()));
        self.tiles.push((op, tile.clone()));
    }

    pub fn cycle(&mut self) {
        let mut seen = Seen::default();
        let rng = &mut self.rng;
        // Stream rule: what was offered stays.
        let offer = self.offered || !rng.random_bool(self.pause);
        let next = self.queue.front().copied().filter(|_| offer);
        let m = &mut self.m.uut;
        m.op_valid.next = next.is_some();
        let (words, pc) = next.map_or(([rng.random(); 8], 0), |(op, pc)| (op.words(), pc));
        for (port, word) in m.op_word.iter_mut().zip(words) {
            port.next = u64::from(word).into();
        }
        m.op_pc.next = u64::from(pc).into();
        self.m.settle();

        let m = &mut self.m.uut;
        let at = (m.l0a_read_address.val().index(), m.l0b_read_address.val().index());
        m.l0a_read_full.next = self.a.full.get(at.0).copied().unwrap_or(false);
        m.l0b_read_full.next = self.b.full.get(at.1).copied().unwrap_or(false);
        // Outside its cycle, data is noise.
        for (l0, ports) in [(&self.a, &mut m.l0a_read_data), (&self.b, &mut m.l0b_read_data)] {
            for (e, port) in ports.iter_mut().enumerate() {
                let value = l0.pipe[1].map_or_else(|| rng.random(), |block| l0.blocks[block][e]);
                port.next = (u64::from(value as u16) & 0x1ff).into();
            }
        }
        for (from, to) in self.l0c.uut.m_read_data.iter().zip(&mut m.l0c_m_read_data) {
            to.next = from.val();
        }
        self.m.settle();

        // L0C sees what M drives.
        let m = &self.m.uut;
        let l0c = &mut self.l0c.uut;
        l0c.write_valid.next = m.l0c_write_valid.val();
        l0c.write_address.next = m.l0c_write_address.val();
        for (from, to) in m.l0c_write_data.iter().zip(&mut l0c.write_data) {
            to.next = from.val();
        }
        l0c.clear_valid.next = m.l0c_clear_valid.val();
        l0c.clear_first.next = m.l0c_clear_first.val();
        l0c.clear_last.next = m.l0c_clear_last.val();
        l0c.m_read_valid.next = m.l0c_m_read_valid.val();
        l0c.m_read_address.next = m.l0c_m_read_address.val();
        let wanted = self.reader.front().map(|expect| expect.block);
        let asks = rng.random_bool(self.contention);
        let any = rng.random_range(0..self.shadow.len());
        l0c.fix_read_valid.next = asks;
        l0c.fix_read_address.next = (wanted.unwrap_or(any) as u64).into();
        self.l0c.settle();

        // FIX: the block accepted two cycles ago.
        if let Some(expect) = self.reading[1].take() {
            let got: Vec<u32> = self.l0c.uut.fix_read_data.iter().map(|port| port.val().index() as u32).collect();
            let (op, tile) = &self.tiles[expect.tile];
            for i in 0..expect.rows {
                for j in 0..expect.columns {
                    let (r, c) = (expect.origin.0 + i, expect.origin.1 + j);
                    let want = tile.0[op.c + (r / 16) * op.n.div_ceil(16) + c / 16][r % 16][c % 16];
                    let value = got[i * self.config.n0 + j];
                    assert_eq!(
                        value,
                        want,
                        "cycle {}: FIX read ({r}, {c}) of instruction {}",
                        self.log.len(),
                        expect.tile
                    );
                }
            }
            self.read_back += 1;
        }
        self.reading[1] = self.reading[0].take();
        if asks && self.l0c.uut.fix_read_ready.val() && wanted.is_some() {
            self.reading[0] = self.reader.pop_front();
        }

        let m = &self.m.uut;
        seen.taken = m.op_valid.val() && m.op_ready.val();
        seen.step = m.l0a_read_valid.val();
        assert_eq!(m.l0b_read_valid.val(), seen.step, "A and B are read together");
        seen.done = m.done.val();
        seen.early = m.early.val();
        seen.counted = m.step.val();
        seen.useful = m.useful_macs.val().index() as u64;
        if seen.done {
            self.check_done();
        }
        let m = &self.m.uut;
        if m.l0c_write_valid.val() {
            let block = m.l0c_write_address.val().index();
            seen.written = Some(block);
            self.shadow[block] = m.l0c_write_data.iter().map(|port| port.val().index() as u32).collect();
        }
        for (l0, at) in [(&mut self.a, at.0), (&mut self.b, at.1)] {
            assert!(!seen.step || l0.full[at], "cycle {}: block {at} is read but not full", self.log.len());
            l0.pipe = [seen.step.then_some(at), l0.pipe[0]];
        }
        if seen.early {
            self.release();
        }
        self.offered = next.is_some() && !seen.taken;
        if seen.taken {
            self.queue.pop_front();
        }
        if self.rng.random_bool(self.fill_rate)
            && let Some((is_a, block)) = self.late.pop_front()
        {
            if is_a { &mut self.a } else { &mut self.b }.full[block] = true;
        }
        self.log.push(seen);
        self.m.edge();
        self.l0c.edge();
    }

    /// At `done` every element of the tile has been written, the last in an earlier cycle.
    pub fn check_done(&mut self) {
        let (op, tile) = self.results.pop_front().expect("an instruction is under way");
        for i in 0..op.m {
            for j in 0..op.n {
                let (block, at) = self.c_place(&op, i, j);
                let want = tile.0[op.c + (i / 16) * op.n.div_ceil(16) + j / 16][i % 16][j % 16];
                assert_eq!(self.shadow[block][at], want, "cycle {}: ({i}, {j}) of {op:?}", self.log.len());
            }
        }
    }

    /// After `early`, FIX reads the tile of the instruction taken last, block by block, as each gets full.
    pub fn release(&mut self) {
        let tile = self.tiles.len() - self.queue.len() - 1;
        let op = self.tiles[tile].0;
        assert!(op.early, "early for an instruction without an early set");
        let (m0, n0) = (self.config.m0, self.config.n0);
        for i in (0..op.m).step_by(m0) {
            for j in (0..op.n).step_by(n0) {
                let block = self.c_place(&op, i, j).0;
                let (rows, columns) = (m0.min(op.m - i), n0.min(op.n - j));
                self.reader.push_back(Expect { block, rows, columns, origin: (i, j), tile });
            }
        }
        self.released += 1;
    }

    /// Runs until every instruction is done and every released block was read.
    pub fn drain(&mut self, limit: usize) {
        for _ in 0..limit {
            if self.results.is_empty() && self.reader.is_empty() && self.reading.iter().all(Option::is_none) {
                return;
            }
            self.cycle();
        }
        panic!("{} instructions and {} reads left after {limit} cycles", self.results.len(), self.reader.len());
    }

    /// Fills random tiles of A and B at once and gives the instruction on them.
    pub fn ready_op(&mut self, m: usize, n: usize, k: usize, c: usize) -> Op {
        let mut rng = self.rng.clone();
        let (a, b) = self.bases(&mut rng, m, n, k);
        for block in self.a.tile(&mut rng, a, m, k) {
            self.a.full[block] = true;
        }
        for block in self.b.tile(&mut rng, b, n, k) {
            self.b.full[block] = true;
        }
        self.rng = rng;
        Op { accumulate: false, early: false, m, n, k, a, b, c }
    }

    pub fn bases(&self, rng: &mut ChaCha8Rng, m: usize, n: usize, k: usize) -> (usize, usize) {
        let spare = |fractals: usize, rows: usize| fractals - rows.div_ceil(16) * k.div_ceil(32);
        (
            rng.random_range(0..=spare(self.config.l0a_fractals(), m)),
            rng.random_range(0..=spare(self.config.l0b_fractals(), n)),
        )
    }

    pub fn blank(&self) -> Tile {
        Tile(vec![[[0; 16]; 16]; self.config.l0c_fractals()])
    }

    pub fn cycles_with(&self, what: impl Fn(&Seen) -> bool) -> Vec<usize> {
        self.log.iter().enumerate().filter(|(_, seen)| what(seen)).map(|(cycle, _)| cycle).collect()
    }
}

/// Random programs: late operands, pauses, a FIX that takes the port, early sets that release tiles to it.
pub fn random_program(config: Config, ops: usize, rng: ChaCha8Rng, largest: usize) -> Bench {
    let mut bench = Bench::new(config, rng);
    let mut tile = bench.blank();
    bench.contention = bench.rng.random_range(0.1..1.0);
    for round in 0..ops {
        bench.pause = [0.0, 0.5, 0.9][round % 3];
        bench.fill_rate = [1.0, 0.3, 0.7, 1.0][round % 4];
        let mut rng = bench.rng.clone();
        // A burst of instructions on one pair of tiles, some of them on the same tile of C.
        let mut size = |limit: usize| match rng.random_range(0..4) {
            0 => rng.random_range(1..=4.min(limit)),
            1 => 16.min(limit),
            _ => rng.random_range(1..=limit),
        };
        let (m, n, k) = (size(largest), size(largest), size(64));
        let (a, b) = bench.bases(&mut rng, m, n, k);
        bench.a.full.fill(false);
        bench.b.full.fill(false);
        let blocks_a = bench.a.tile(&mut rng, a, m, k);
        let blocks_b = bench.b.tile(&mut rng, b, n, k);
        let mut order: Vec<(bool, usize)> = blocks_a.into_iter().map(|block| (true, block)).collect();
        order.extend(blocks_b.into_iter().map(|block| (false, block)));
        for at in (1..order.len()).rev() {
            order.swap(at, rng.random_range(0..=at));
        }
        if rng.random_bool(0.3) {
            for (is_a, block) in order.drain(..) {
                if is_a { &mut bench.a } else { &mut bench.b }.full[block] = true;
            }
        }
        bench.late = order.into();
        let spare = bench.config.l0c_fractals() - m.div_ceil(16) * n.div_ceil(16);
        let targets = [rng.random_range(0..=spare), rng.random_range(0..=spare)];
        let burst = rng.random_range(1..6);
        for number in 0..burst {
            let c = targets[rng.random_range(0..2)];
            // FIX reads a released tile while nothing else writes it: the last of a burst only.
            let early = number + 1 == burst && rng.random_bool(0.7);
            // A part of the tile, so that steps, k-runs and fractals differ.
            let part = |rng: &mut ChaCha8Rng, size: usize| {
                if rng.random_bool(0.6) { size } else { rng.random_range(1..=size) }
            };
            let op =
                Op { accumulate: rng.random_bool(0.6), early, m: part(&mut rng, m), n: part(&mut rng, n), k, a, b, c };
            bench.push(&mut tile, op);
        }
        bench.rng = rng;
        bench.drain(40_000);
    }
    bench
}
