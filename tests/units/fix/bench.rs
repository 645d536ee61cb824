// SPDX-License-Identifier: Apache-2.0
//! What surrounds FIX in its test: L0C with full bits, FB, a GM write stream, L1, UB, and the reference.

use isa::Config;
use rtl::fix::Fix;
use rtl::twin::Twin;
use std::collections::{BTreeMap, VecDeque};

/// splitmix64; the seed comes from `QUADER_SEED` and is printed.
pub struct Random(u64);

impl Random {
    pub fn new() -> Random {
        let seed = std::env::var("QUADER_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0xF1C5_5EED);
        println!("QUADER_SEED={seed}");
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn percent(&mut self, n: u64) -> bool {
        self.below(100) < n
    }
}

/// Channels below have an fp32 scale, from here on an integer.
const MULTIPLIERS: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Gm,
    L1,
    Ub,
}

/// One fix.store with the state registers it sees; `None` leaves a register as it is.
#[derive(Clone, Debug)]
pub struct Job {
    pub words: [u32; 8],
    pub pc: u32,
    pub scale: Option<f32>,
    /// With rounding `tflite` or `gemmlowp` it goes to the scale's register instead.
    pub multiplier: u32,
    pub shift: Option<i8>,
    pub zero_point: i32,
    pub clamp: Option<(i32, i32)>,
    pub bias: bool,
    pub second: Option<SecondTensor>,
    /// The factors of a sum are set already.
    pub keep_factors: bool,
}

/// A second tensor in UB; the maximum without factors.
#[derive(Clone, Copy, Debug)]
pub struct SecondTensor {
    pub address: u32,
    pub stride: u32,
    /// ratio, second_ratio, offset and the zero point of the sum.
    pub sum: Option<([f32; 3], i32)>,
}

impl SecondTensor {
    /// Factors as layers have them, of four scales and zero points.
    pub fn random_sum(random: &mut Random, unsigned: bool) -> ([f32; 3], i32) {
        let zero = |random: &mut Random| random.below(256) as i32 - if unsigned { 0 } else { 128 };
        let scale = |random: &mut Random| match random.below(3) {
            0 => (random.below(16) + 1) as f32 / 16.0,
            _ => 0.02 + random.below(1 << 20) as f32 / (1 << 20) as f32,
        };
        let (sum_scale, sum_zero) = (scale(random), zero(random));
        let [ratio, second_ratio] = [scale(random), scale(random)].map(|scale| scale / sum_scale);
        let offset = sum_zero as f32 - (ratio * zero(random) as f32 + second_ratio * zero(random) as f32);
        ([ratio, second_ratio, offset], sum_zero)
    }
}

impl Job {
    pub fn random(random: &mut Random, config: &Config, size: u64) -> Job {
        let zero_is_unsigned = random.below(2) == 1;
        let mut job = Job {
            words: [0x40, 0, 0, 0, 0, 0, 0, 0],
            pc: (random.next() as u32) & !31,
            scale: Some((random.below(1000) + 1) as f32 * 2f32.powi(-38 + random.below(8) as i32)),
            multiplier: 1 << 30 | random.below(1 << 30) as u32,
            shift: Some(random.below(8) as i8 - 26),
            zero_point: random.below(256) as i32 - if zero_is_unsigned { 0 } else { 128 },
            clamp: None,
            bias: random.below(2) == 0,
            second: None,
            keep_factors: false,
        };
        let wide = random.below(2) == 0;
        let targets = if config.ub_bytes > 0 { 3 } else { 2 };
        let target = [Target::Gm, Target::L1, Target::Ub][random.below(targets) as usize];
        job.words[2] = u32::from(zero_is_unsigned) << 16;
        let (m, n) = (random.below(size) + 1, random.below(size) + 1);
        let fractals = m.div_ceil(16) * n.div_ceil(16);
        let n = if fractals > config.l0c_fractals() as u64 { 16 } else { n };
        job.shape(m as u16, n as u16, wide, target, random.below(2) == 0);
        let float = wide && random.below(2) == 0;
        if float {
            job.words[2] |= 1 << 16;
        }
        if random.below(2) == 0 && (!wide || float) {
            job.words[2] |= 1 << 21;
        }
        if !wide {
            job.words[2] |= (random.below(3) as u32) << 22;
        }
        job.words[2] |= (random.below(2) as u32) << 24;
        if random.below(2) == 0 && !float {
            job.words[2] |= 1 << 25;
            job.clamp = Some(if wide || random.below(8) == 0 {
                (random.next() as i32 >> random.below(31), random.next() as i32 >> random.below(31))
            } else {
                (random.below(300) as i32 - 150, random.below(300) as i32 - 20)
            });
        }
        // Where: unaligned rows, or panels on 32 bytes; room between rows.
        let bytes = n as u32 * if wide { 4 } else { 1 };
        if job.nz() {
            job.words[4] = (m as u32 * 32).next_multiple_of(32) + 32 * random.below(3) as u32;
        } else {
            job.words[4] = bytes + random.below(40) as u32;
        }
        let panels = if job.nz() { bytes.div_ceil(32) } else { m as u32 };
        let extent = (panels - 1) * job.words[4] + if job.nz() { m as u32 * 32 } else { bytes };
        let grain = if job.nz() { 32 } else { 1 };
        let room = match job.target() {
            Target::Gm => 0,
            Target::L1 => config.l1_bytes as u32,
            Target::Ub => config.ub_bytes as u32,
        };
        if extent < room {
            job.words[3] = random.below(u64::from((room - extent) / grain) + 1) as u32 * grain;
        } else {
            job.words[2] = job.words[2] & !(3 << 5) | (random.below(16) as u32) | (random.below(128) as u32) << 8;
            job.words[3] = (random.next() as u32) / grain * grain;
        }
        let fractals = (m.div_ceil(16) * n.div_ceil(16)) as usize;
        let fractal = random.below((config.l0c_fractals() - fractals + 1) as u64) as u32;
        let channel = match (job.bit(21), job.rounding()) {
            (true, 0) => random.below(MULTIPLIERS as u64 - n + 1) as u32,
            (true, _) => MULTIPLIERS as u32 + random.below(512 - MULTIPLIERS as u64 - n + 1) as u32,
            (false, _) => random.below(512 - n + 1) as u32,
        };
        job.words[6] = fractal | channel << 16;
        if !wide && config.ub_bytes > 0 && random.below(2) == 0 {
            job.random_second(random, config, zero_is_unsigned);
        }
        job
    }

    /// A second tensor somewhere in UB, if it fits beside the results or they may replace it.
    fn random_second(&mut self, random: &mut Random, config: &Config, unsigned: bool) {
        let (m, n) = self.extents();
        let (m, n, ub) = (m as u32, n as u32, config.ub_bytes as u32);
        let stride = n.next_multiple_of(32) + 32 * random.below(2) as u32;
        let extent = (m - 1) * stride + n;
        if extent > ub {
            return;
        }
        let address = random.below(u64::from((ub - extent) / 32) + 1) as u32 * 32;
        if self.target() == Target::Ub {
            let results = if self.nz() { n.div_ceil(32) * self.words[4] } else { m * self.words[4] };
            let apart = self.words[3] + results <= address || address + extent <= self.words[3];
            if !apart {
                // In place.
                self.words[2] &= !(1 << 4);
                (self.words[3], self.words[4]) = (address, stride);
            }
        }
        let sum = (random.below(3) > 0).then(|| SecondTensor::random_sum(random, unsigned));
        self.set_second(SecondTensor { address, stride, sum });
    }

    /// Takes this second tensor.
    pub fn set_second(&mut self, second: SecondTensor) {
        self.words[2] = self.words[2] & !(3 << 26) | if second.sum.is_some() { 1 << 26 } else { 2 << 26 };
        self.second = Some(second);
    }

    /// Sets extents, dtype, destination and layout; rows closely packed.
    pub fn shape(&mut self, m: u16, n: u16, wide: bool, target: Target, nz: bool) {
        let dtype = if wide { 8 } else { self.words[2] >> 16 & 1 };
        let row_bytes = u32::from(n) * if wide { 4 } else { 1 };
        self.words[2] = dtype << 16 | (target as u32) << 5 | u32::from(nz) << 4;
        self.words[4] = if nz { u32::from(m) * 32 } else { row_bytes };
        self.words[5] = u32::from(m) | u32::from(n) << 16;
        self.words[6] = 0;
        self.words[3] = 0;
        self.clamp = None;
        self.second = None;
        if wide {
            self.zero_point = 0;
        }
    }

    /// No bias, no clamp, no ReLU, s8 with zero point 0, mode onnx.
    pub fn plain(&mut self) {
        self.words[2] &= !(0xF << 16 | 0x3F << 20);
        self.zero_point = 0;
        self.bias = false;
    }

    fn bit(&self, bit: u32) -> bool {
        self.words[2] >> bit & 1 == 1
    }

    fn nz(&self) -> bool {
        self.bit(4)
    }

    /// Four bytes: int32 or fp32.
    fn wide(&self) -> bool {
        self.words[2] >> 17 & 7 == 4
    }

    fn float(&self) -> bool {
        self.words[2] >> 16 & 0xF == 9
    }

    /// 0 onnx, 1 tflite, 2 gemmlowp.
    fn rounding(&self) -> u32 {
        self.words[2] >> 22 & 3
    }

    /// Results as fp32 instead of int32.
    pub fn make_float(&mut self) {
        self.words[2] |= 9 << 16;
    }

    fn target(&self) -> Target {
        [Target::Gm, Target::L1, Target::Ub][(self.words[2] >> 5 & 3) as usize]
    }

    fn extents(&self) -> (usize, usize) {
        ((self.words[5] & 0xFFFF) as usize, (self.words[5] >> 16) as usize)
    }
}

/// Percent of cycles in which something does not go, and how late blocks fill (cycles).
#[derive(Clone, Copy, Debug, Default)]
pub struct Knobs {
    pub late: u64,
    pub port_busy: u64,
    pub gm_busy: u64,
    pub l1_busy: u64,
    /// How often the other reader of UB begins to wait.
    pub ub_wanted: u64,
}

pub struct Bench<const B: usize> {
    config: Config,
    twin: Twin<Fix<B>>,
    /// Blocks of L0C, and the cycle in which each becomes full.
    l0c: Vec<Vec<i32>>,
    full_from: Vec<u64>,
    pub fb_bias: Vec<i32>,
    pub fb_scale: Vec<u32>,
    pub fb_shift: Vec<i8>,
    bases: [u64; 16],
    gm: BTreeMap<u64, u8>,
    l1: Vec<u8>,
    ub: Vec<u8>,
    coming: VecDeque<Option<usize>>,
    channels: VecDeque<usize>,
    /// Lines of UB on their way, and how long the other reader has waited.
    lines: VecDeque<Option<Vec<u8>>>,
    ub_waited: Option<usize>,
    rows: VecDeque<(u64, u64, bool)>,
    row_done: u64,
    answers: VecDeque<u64>,
    done: usize,
}

impl<const B: usize> Bench<B> {
    pub fn new(config: &Config) -> Self {
        let blocks = config.l0c_fractals() * config.l0c_blocks_per_fractal();
        let mut bench = Bench {
            config: config.clone(),
            twin: Twin::new(Fix::new(config), |uut: &mut Fix<B>, level| uut.clk.next = level),
            l0c: vec![vec![0; config.m0 * config.n0]; blocks],
            full_from: vec![0; blocks],
            fb_bias: vec![0; config.fb_channels],
            fb_scale: vec![1.0f32.to_bits(); config.fb_channels],
            fb_shift: vec![0; config.fb_channels],
            bases: [0; 16],
            gm: BTreeMap::new(),
            l1: vec![],
            ub: vec![],
            coming: vec![None; 2].into(),
            channels: vec![0; 2].into(),
            lines: vec![None; 3].into(),
            ub_waited: None,
            rows: VecDeque::new(),
            row_done: 0,
            answers: VecDeque::new(),
            done: 0,
        };
        bench.twin.uut.rst.next = true;
        bench.twin.edge();
        bench.twin.uut.rst.next = false;
        for base in 0..16 {
            bench.set_base(base, 0x11_0000_0000 + base as u64 * 0x7_1234_5678);
        }
        bench
    }

    /// Begins a job, then resets everything after `cycles` cycles.
    pub fn run_and_reset(&mut self, random: &mut Random, job: &Job, cycles: u64) {
        self.fill(random, std::slice::from_ref(job), Knobs::default());
        self.twin.uut.set_valid.next = true;
        for (register, value) in registers(job) {
            self.twin.uut.set_register.next = u64::from(register).into();
            self.twin.uut.set_value.next = u64::from(value).into();
            self.cycle(random, Knobs::default());
        }
        self.twin.uut.set_valid.next = false;
        self.offer(job);
        self.twin.uut.halt.next = true;
        self.twin.uut.op_valid.next = true;
        for _ in 0..5 {
            assert!(!self.cycle(random, Knobs::default()), "nothing is taken with halt");
        }
        self.twin.uut.halt.next = false;
        for _ in 0..cycles {
            self.cycle(random, Knobs { gm_busy: 50, l1_busy: 50, ..Knobs::default() });
        }
        self.twin.uut.op_valid.next = false;
        self.twin.uut.rst.next = true;
        self.twin.edge();
        self.twin.uut.rst.next = false;
        assert!(!self.twin.uut.active.val() && !self.twin.uut.fault.val(), "reset forgets");
        self.coming = vec![None; 2].into();
        self.lines = vec![None; 3].into();
        self.rows.clear();
        self.answers.clear();
        self.row_done = 0;
    }

    pub fn set_base(&mut self, number: usize, address: u64) {
        self.bases[number] = address;
        self.twin.uut.base[number].next = address.into();
    }

    fn block_of(&self, job: &Job, i: usize, j: usize) -> usize {
        let (m0, n0) = (self.config.m0, self.config.n0);
        let (_, n) = job.extents();
        let fractal = (job.words[6] & 0xFFFF) as usize + (i / 16) * n.div_ceil(16) + j / 16;
        fractal * (16 / m0) * (16 / n0) + (i % 16 / m0) * (16 / n0) + j % 16 / n0
    }

    /// What the instruction writes, in order.
    fn expected(&self, job: &Job, ub: &[u8]) -> Vec<(u64, u8)> {
        let (m, n) = job.extents();
        let (m0, n0) = (self.config.m0, self.config.n0);
        let first = (job.words[6] >> 16) as usize;
        let size = if job.wide() { 4 } else { 1 };
        let start = match job.target() {
            Target::L1 | Target::Ub => u64::from(job.words[3]),
            Target::Gm => {
                self.bases[(job.words[2] & 15) as usize]
                    + (u64::from(job.words[2] >> 8 & 0xFF) << 32)
                    + u64::from(job.words[3])
            }
        };
        let stride = u64::from(job.words[4]);
        let mut bytes = vec![];
        for i in 0..m {
            for j in 0..n {
                let mut acc = self.l0c[self.block_of(job, i, j)][i % m0 * n0 + j % n0];
                if job.bias {
                    acc = acc.wrapping_add(self.fb_bias[first + j]);
                }
                let other =
                    job.second.as_ref().map(|second| ub[second.address as usize + i * second.stride as usize + j]);
                let value = self.value(job, acc, first + j, other);
                for byte in 0..size {
                    let (i, c) = (i as u64, (j * size + byte) as u64);
                    let at = match job.nz() {
                        true => start + c / 32 * stride + i * 32 + c % 32,
                        false => start + i * stride + c,
                    };
                    bytes.push((at, (value >> (8 * byte)) as u8));
                }
            }
        }
        bytes
    }

    /// One result; the bits of an fp32.
    fn value(&self, job: &Job, acc: i32, channel: usize, other: Option<u8>) -> i64 {
        let (scale, shift) = match (job.bit(21), job.rounding()) {
            (true, _) => (self.fb_scale[channel], self.fb_shift[channel]),
            (false, 0) => (job.scale.map_or(0, f32::to_bits), 0),
            (false, _) => (job.multiplier, job.shift.expect("a shift")),
        };
        let scaled = acc as f32 * f32::from_bits(scale);
        if job.float() {
            let y = if acc == 0 || job.bit(24) && scaled < 0.0 { 0.0 } else { scaled };
            return y.to_bits().into();
        }
        let mut value = i64::from(acc);
        let mut zero = 0;
        if !job.wide() {
            zero = i64::from(job.zero_point);
            let (lowest, highest) = if job.words[2] >> 16 & 1 == 1 { (0, 255) } else { (-128, 127) };
            let rounded = match job.rounding() {
                0 => (scaled.round_ties_even() as i32).into(),
                mode => fixed(mode, acc, scale, shift),
            };
            value = (rounded + zero).clamp(lowest, highest);
            if let (Some(second), Some(byte)) = (&job.second, other) {
                let other = if highest == 255 { i64::from(byte) } else { i64::from(byte as i8) };
                value = match second.sum {
                    None => value.max(other),
                    Some(([ratio, second_ratio, offset], sum_zero)) => {
                        zero = i64::from(sum_zero);
                        let inner = (other as f32).mul_add(second_ratio, offset);
                        let sum = (value as f32).mul_add(ratio, inner);
                        (sum.round_ties_even() as i64).clamp(lowest, highest)
                    }
                };
            }
        }
        if job.bit(24) {
            value = value.max(zero);
        }
        job.clamp.map_or(value, |(low, high)| value.max(low.into()).min(high.into()))
    }

    /// Runs the jobs back to back and compares GM, L1 and UB; cycles from the first instruction taken to the last done.
    pub fn run(&mut self, random: &mut Random, jobs: &[Job], knobs: Knobs) -> u64 {
        self.fill(random, jobs, knobs);
        let mut gm = BTreeMap::new();
        let (mut l1, mut ub) = (self.l1.clone(), self.ub.clone());
        for job in jobs {
            for (at, byte) in self.expected(job, &ub) {
                match job.target() {
                    Target::Gm => drop(gm.insert(at, byte)),
                    Target::L1 => l1[at as usize] = byte,
                    Target::Ub => ub[at as usize] = byte,
                }
            }
        }
        let mut taken = 0;
        let mut first_taken = 0;
        let mut waiting: VecDeque<(u8, u32)> = registers(&jobs[0]);
        let begin = self.twin.cycle;
        while self.done < jobs.len() {
            if let Some((register, value)) = waiting.pop_front() {
                self.twin.uut.set_valid.next = true;
                self.twin.uut.set_register.next = u64::from(register).into();
                self.twin.uut.set_value.next = u64::from(value).into();
                self.twin.uut.op_valid.next = false;
            } else {
                self.twin.uut.set_valid.next = false;
                self.twin.uut.op_valid.next = taken < jobs.len();
                if let Some(job) = jobs.get(taken) {
                    self.offer(job);
                }
            }
            if self.cycle(random, knobs) {
                if taken == 0 {
                    first_taken = self.twin.cycle;
                }
                taken += 1;
                if let Some(job) = jobs.get(taken) {
                    waiting = registers(job);
                }
            }
            let uut = &self.twin.uut;
            assert!(!uut.fault.val(), "fault {:?} of {jobs:?}", uut.fault_cause.val());
            assert!(self.twin.cycle - begin < 400_000, "cycle {}: no end of {jobs:?}", self.twin.cycle);
        }
        assert_eq!(taken, jobs.len());
        let cycles = self.twin.cycle - first_taken;
        self.twin.uut.op_valid.next = false;
        for _ in 0..20 {
            self.cycle(random, knobs);
        }
        assert_eq!(self.done, jobs.len(), "one done per instruction");
        assert!(!self.twin.uut.active.val(), "nothing left inside");
        for (at, (got, expected)) in self.l1.iter().zip(&l1).enumerate() {
            assert_eq!(got, expected, "L1 byte {at:#x} of {jobs:?}");
        }
        for (at, (got, expected)) in self.ub.iter().zip(&ub).enumerate() {
            assert_eq!(got, expected, "UB byte {at:#x} of {jobs:?}");
        }
        for (at, expected) in &gm {
            assert_eq!(self.gm.get(at), Some(expected), "GM byte {at:#x} of {jobs:?}");
        }
        assert_eq!(self.gm.len(), gm.len(), "bytes written to GM that nobody asked for, {jobs:?}");
        cycles
    }

    /// Runs one job until it faults: cause, address, pc.
    pub fn run_to_fault(&mut self, random: &mut Random, job: &Job) -> (u8, u64, u32) {
        self.l1 = vec![0xA5; self.config.l1_bytes];
        self.ub = vec![0xA5; self.config.ub_bytes];
        self.twin.uut.set_valid.next = true;
        for (register, value) in registers(job) {
            self.twin.uut.set_register.next = u64::from(register).into();
            self.twin.uut.set_value.next = u64::from(value).into();
            self.cycle(random, Knobs::default());
        }
        self.twin.uut.set_valid.next = false;
        self.offer(job);
        self.twin.uut.op_valid.next = true;
        let begin = self.twin.cycle;
        while !self.twin.uut.fault.val() {
            if self.cycle(random, Knobs::default()) {
                self.twin.uut.op_valid.next = false;
            }
            assert!(self.twin.cycle - begin < 2000, "no fault from {job:?}");
        }
        for _ in 0..200 {
            self.cycle(random, Knobs::default());
        }
        assert_eq!(self.done, 0, "a faulty instruction is never done");
        let uut = &self.twin.uut;
        (uut.fault_cause.val().to_u64() as u8, uut.fault_address.val().to_u64(), uut.fault_pc.val().to_u64() as u32)
    }

    /// New numbers everywhere; blocks of the jobs fill one after the other.
    fn fill(&mut self, random: &mut Random, jobs: &[Job], knobs: Knobs) {
        for block in &mut self.l0c {
            for value in block {
                *value = random.next() as i32 >> random.below(28);
            }
        }
        for channel in 0..self.fb_bias.len() {
            self.fb_bias[channel] = random.next() as i32 >> random.below(28);
            self.fb_scale[channel] = match channel < MULTIPLIERS {
                true => ((random.below(1000) + 1) as f32 * 2f32.powi(-38 + random.below(12) as i32)).to_bits(),
                false => 1 << 30 | random.below(1 << 30) as u32,
            };
            self.fb_shift[channel] = random.below(8) as i8 - 26;
        }
        let mut at = self.twin.cycle;
        self.full_from.fill(0);
        if knobs.late > 0 {
            self.full_from.fill(u64::MAX);
            for job in jobs {
                let (m, n) = job.extents();
                for i in 0..m {
                    for j in 0..n {
                        let block = self.block_of(job, i, j);
                        if self.full_from[block] == u64::MAX {
                            let most = if random.percent(10) { knobs.late } else { 8 };
                            at += random.below(most);
                            self.full_from[block] = at;
                        }
                    }
                }
            }
        }
        self.l1 = (0..self.config.l1_bytes).map(|_| random.next() as u8).collect();
        self.ub = (0..self.config.ub_bytes).map(|_| random.next() as u8).collect();
        self.gm.clear();
        self.done = 0;
    }

    fn offer(&mut self, job: &Job) {
        let mut words = job.words;
        words[2] |= u32::from(job.bias) << 20;
        for (port, word) in self.twin.uut.op_word.iter_mut().zip(words) {
            port.next = u64::from(word).into();
        }
        self.twin.uut.op_pc.next = u64::from(job.pc).into();
    }

    /// One cycle of everything around; true when an instruction was taken.
    fn cycle(&mut self, random: &mut Random, knobs: Knobs) -> bool {
        let word = self.config.bus_bytes as u64;
        let columns = self.twin.uut.fb_bias.len();
        if let Some(Some(block)) = self.coming.pop_front() {
            for (port, value) in self.twin.uut.l0c_read_data.iter_mut().zip(&self.l0c[block]) {
                port.next = u64::from(*value as u32).into();
            }
        } else {
            for port in &mut self.twin.uut.l0c_read_data {
                port.next = 0xDEAD_BEEFu64.into();
            }
        }
        let channel = self.channels.pop_front().expect("two on the way");
        for c in 0..columns {
            let at = (channel + c) % self.fb_bias.len();
            self.twin.uut.fb_bias[c].next = u64::from(self.fb_bias[at] as u32).into();
            self.twin.uut.fb_scale[c].next = u64::from(self.fb_scale[at]).into();
            self.twin.uut.fb_shift[c].next = u64::from(self.fb_shift[at] as u8).into();
        }
        let free = !random.percent(knobs.port_busy);
        self.twin.uut.row_ready.next = self.rows.len() < 3 && !random.percent(knobs.gm_busy);
        // Words may be taken only for a row that is known.
        self.twin.uut.word_ready.next = !self.rows.is_empty() && !random.percent(knobs.gm_busy);
        self.twin.uut.l1_write_ready.next = !random.percent(knobs.l1_busy);
        for ready in &mut self.twin.uut.ub_write_ready {
            ready.next = !random.percent(knobs.l1_busy);
        }
        if let Some(Some(line)) = self.lines.pop_front() {
            for (port, byte) in self.twin.uut.ub_read_data.iter_mut().zip(line) {
                port.next = u64::from(byte).into();
            }
        } else {
            for port in &mut self.twin.uut.ub_read_data {
                port.next = 0xEEu64.into();
            }
        }
        if self.ub_waited.is_none() && random.percent(knobs.ub_wanted) {
            self.ub_waited = Some(0);
        }
        let now = self.twin.cycle;
        let answered = self.answers.front().is_some_and(|at| *at <= now);
        self.twin.uut.retired.next = answered;
        if answered {
            self.answers.pop_front();
        }
        self.twin.settle();
        let block = self.twin.uut.l0c_read_address.val().to_u64() as usize;
        let full = self.full_from.get(block).is_some_and(|from| *from <= now);
        self.twin.uut.l0c_full.next = full;
        self.twin.uut.l0c_read_ready.next = full && free;
        let reads_ub = self.twin.uut.ub_read_valid.iter().any(|port| port.val());
        for port in &mut self.twin.uut.ub_read_waits {
            port.next = reads_ub && self.ub_waited.is_some();
        }
        self.twin.settle();
        if !reads_ub {
            self.ub_waited = None;
        }
        if let Some(cycles) = &mut self.ub_waited {
            *cycles += 1;
            let most = self.config.m0.min(self.config.fix_lanes) + rtl::fix::REQUEST_CYCLES;
            assert!(*cycles <= most, "the other reader of UB waits for more than {most} cycles");
        }
        let uut = &self.twin.uut;
        let read = uut.l0c_read_valid.val() && full && free;
        if uut.l0c_read_valid.val() {
            assert!(block < self.l0c.len(), "L0C block {block} does not exist");
        }
        self.coming.push_back(read.then_some(block));
        self.channels.push_back(uut.fb_channel.val().to_u64() as usize);
        if uut.word_valid.val() && uut.word_ready.val() {
            let (address, length, last) = self.rows[0];
            for lane in 0..word.min(length - self.row_done) {
                let byte = uut.word[lane as usize].val().to_u64() as u8;
                self.gm.insert(address + self.row_done + lane, byte);
            }
            self.row_done += word;
            if self.row_done >= length {
                self.rows.pop_front();
                self.row_done = 0;
                if last {
                    let late = if knobs.gm_busy == 0 { 1 } else { random.below(60) };
                    let at = (now + late).max(self.answers.back().copied().unwrap_or(0) + 1);
                    self.answers.push_back(at);
                }
            }
        }
        if uut.row_valid.val() && uut.row_ready.val() {
            let (address, length) = (uut.row_address.val().to_u64(), uut.row_length.val().to_u64());
            assert!(length >= 1 && address + length <= 1 << 40, "row {address:#x} of {length} bytes");
            self.rows.push_back((address, length, uut.row_last.val()));
        }
        let line_before = reads_ub.then(|| {
            let (address, bytes) = (uut.ub_read_address[0].val().to_u64() as usize, uut.ub_read_data.len());
            assert_eq!(address % bytes, 0, "lines are aligned");
            (address, self.ub[address..address + bytes].to_vec())
        });
        let to_l1 = uut.l1_write_valid.val() && uut.l1_write_ready.val();
        let to_ub = uut.ub_write_valid.iter().zip(&uut.ub_write_ready).any(|(valid, ready)| valid.val() && ready.val());
        assert!(!(to_l1 && to_ub), "a write goes to L1 or to UB");
        for (_, buffer) in [(to_l1, &mut self.l1), (to_ub, &mut self.ub)].into_iter().filter(|(writes, _)| *writes) {
            let address = uut.l1_write_address.val().to_u64() as usize;
            assert_eq!(address % uut.l1_write_data.len(), 0, "writes are aligned");
            for (lane, (data, enable)) in uut.l1_write_data.iter().zip(&uut.l1_write_enable).enumerate() {
                if enable.val() {
                    buffer[address + lane] = data.val().to_u64() as u8;
                }
            }
        }
        // What is written in the cycle of a read is undefined for it.
        self.lines.push_back(line_before.map(|(address, mut line)| {
            for (byte, after) in line.iter_mut().zip(&self.ub[address..]) {
                if byte != after {
                    *byte = !*byte;
                }
            }
            line
        }));
        if uut.done.val() {
            self.done += 1;
        }
        let taken = uut.op_valid.val() && uut.op_ready.val();
        self.twin.edge();
        taken
    }
}

fn registers(job: &Job) -> VecDeque<(u8, u32)> {
    let mut list = VecDeque::new();
    if let Some(scale) = job.scale {
        list.push_back((0, if job.rounding() == 0 { scale.to_bits() } else { job.multiplier }));
    }
    if let Some(shift) = job.shift {
        list.push_back((1, u32::from(shift as u8)));
    }
    list.push_back((2, job.zero_point as u32));
    if let Some((low, high)) = job.clamp {
        list.push_back((3, low as u32));
        list.push_back((4, high as u32));
    }
    if let Some(second) = &job.second {
        list.extend([(5, second.address), (6, second.stride)]);
        if let (Some((factors, zero)), false) = (second.sum, job.keep_factors) {
            list.extend((7..).zip(factors.map(f32::to_bits)));
            list.push_back((10, zero as u32));
        }
    }
    list
}

/// Modes `tflite` (1) and `gemmlowp` (2), for shifts to the right.
fn fixed(mode: u32, acc: i32, m: u32, shift: i8) -> i64 {
    let (product, right) = (i64::from(acc) * i64::from(m), -i32::from(shift));
    assert!(right > 0);
    if mode == 1 {
        return ((product >> (30 + right)) + 1) >> 1;
    }
    let high = ((product >> 30) + 1) >> 1;
    ((high.abs() + (1 << (right - 1))) >> right) * high.signum()
}
