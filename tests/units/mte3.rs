// SPDX-License-Identifier: Apache-2.0
//! MTE3 on the AXI write side against plain loops: every byte of the memory and of L1, the order of `done`, faults, halts and cycles.

use crate::axi::engines::Mte3Bench;
use crate::axi::memory::{Memory, ORIGIN, Random, config};
use crate::outer::{Outer, Registers};
use isa::{Cause, Config, Opcode};
use rtl::twin::Twin;
use std::collections::{BTreeMap, VecDeque};
use tb::Lockstep;

const MEMORY: u64 = 64 << 10;

/// One instruction as the test thinks of it: a store, or a move if it has a place in L1.
#[derive(Clone, Debug)]
struct Op {
    /// Layout of the side that may have one: the source of a store, the destination of a move.
    nz: bool,
    rows: u64,
    len: u64,
    gm: u64,
    gm_stride: u64,
    src: u64,
    src_stride: u64,
    base: usize,
    /// The source is UB.
    ub: bool,
    /// Destination address and stride in L1.
    to_l1: Option<(u64, u64)>,
    outer: Outer,
}

impl Op {
    fn words(&self, bases: &[u64]) -> [u32; 8] {
        let mut words = [0; 8];
        if let Some((address, stride)) = self.to_l1 {
            words[0] = u32::from(Opcode::Mte3Move.code());
            for (name, value) in [
                ("rows", self.rows),
                ("len_bytes", self.len),
                ("src_address", self.src),
                ("src_stride", self.src_stride),
                ("dst_address", address),
                ("dst_stride", stride),
                ("layout", u64::from(self.nz)),
            ] {
                isa::opcode::field(Opcode::Mte3Move, name).put(&mut words, value as u32);
            }
            return words;
        }
        words[0] = u32::from(Opcode::Mte3Store.code());
        let offset = self.gm.wrapping_sub(bases[self.base]);
        for (name, value) in [
            ("rows", self.rows),
            ("len_bytes", self.len),
            ("src_address", self.src),
            ("src_stride", self.src_stride),
            ("base", self.base as u64),
            ("gm_offset_lo", offset & 0xffff_ffff),
            ("gm_offset_hi", offset >> 32 & 0xff),
            ("gm_stride", self.gm_stride),
            ("layout", u64::from(self.nz)),
            ("src", u64::from(self.ub)),
        ] {
            isa::opcode::field(Opcode::Mte3Store, name).put(&mut words, value as u32);
        }
        words
    }

    /// Address, in GM or L1, and byte of everything it writes; the last one written counts.
    fn effect(&self, local: &[Vec<u8>; 2]) -> BTreeMap<u64, u8> {
        let place = |nz: bool, first: u64, stride: u64, r: u64, c: u64| {
            first + if nz { c / 32 * stride + r * 32 + c % 32 } else { r * stride + c }
        };
        let mut out = BTreeMap::new();
        for (src, dst) in self.outer.offsets() {
            for r in 0..self.rows {
                for c in 0..self.len {
                    let from = place(self.nz && self.to_l1.is_none(), self.src + src, self.src_stride, r, c);
                    let to = match self.to_l1 {
                        Some((address, stride)) => place(self.nz, address + dst, stride, r, c),
                        None => place(false, self.gm + dst, self.gm_stride, r, c),
                    };
                    out.insert(to, local[usize::from(self.ub)][from as usize]);
                }
            }
        }
        out
    }

    /// A legal one.
    fn random(random: &mut Random, bus: u64, config: &Config) -> Op {
        let l1 = config.l1_bytes as u64;
        loop {
            let moves = config.ub_bytes > 0 && random.chance(30);
            let ub = moves || (config.ub_bytes > 0 && random.chance(40));
            let room = if ub { config.ub_bytes } else { config.l1_bytes } as u64;
            let grain = |nz: bool| if nz { 32 } else { 1 };
            let nz = random.chance(40);
            let len = match random.below(4) {
                0 => 1 + random.below(bus),
                1 => 1 + random.below(5 * bus),
                2 => bus * (1 + random.below(12)),
                _ => 1 + random.below(900),
            };
            let rows = 1 + random.below(if len < 200 { 20 } else { 4 });
            let gm_stride = match random.below(5) {
                0 | 1 => len,
                2 => len / 2,
                _ => len + random.below(len + 50),
            };
            let op = Op {
                nz,
                rows,
                len,
                gm: ORIGIN + random.below(MEMORY),
                gm_stride,
                src: random.below(room / grain(nz && !moves)) * grain(nz && !moves),
                src_stride: if nz && !moves {
                    random.below(40) * 32
                } else {
                    [len, random.below(2 * len + 40)][random.below(2) as usize]
                },
                base: random.below(16) as usize,
                ub,
                to_l1: moves
                    .then(|| (random.below(l1 / grain(nz)) * grain(nz), random.below(1280 / grain(nz)) * grain(nz))),
                outer: Outer::random(
                    random,
                    [room / 8, if moves { l1 / 8 } else { 4096 }],
                    [nz && !moves, nz && moves],
                ),
            };
            let (src_reach, dst_reach) = op.outer.reach();
            let end = |nz: bool, first: u64, stride: u64| {
                first + if nz { (len - 1) / 32 * stride + rows * 32 } else { (rows - 1) * stride + len }
            };
            let fits = match op.to_l1 {
                Some((address, stride)) => end(nz, address + dst_reach, stride) <= l1,
                None => end(false, op.gm + dst_reach, gm_stride) <= ORIGIN + MEMORY,
            };
            if fits && end(nz && !moves, op.src + src_reach, op.src_stride) <= room {
                return op;
            }
        }
    }
}

struct Run<const B: usize, const S: usize> {
    twin: Twin<Mte3Bench<B, S>>,
    memory: Memory,
    /// L1 and UB.
    local: [Vec<u8>; 2],
    registers: Registers,
    chunk: usize,
    /// Answers of L1 and UB on their way, newest last: the bytes at the moment of the request.
    reads: VecDeque<Option<Vec<u8>>>,
    bases: Vec<u64>,
    done: usize,
    read_stall: u64,
    waited: u64,
    wants: Option<u64>,
    wants_ub: Option<u64>,
}

impl<const B: usize, const S: usize> Run<B, S> {
    fn new(config: &Config, mut random: Random) -> Self {
        let mut twin = Twin::new(Mte3Bench::<B, S>::new(config), |uut, level| uut.clk.next = level);
        let bases: Vec<u64> = (0..16).map(|n| if n == 0 { 0 } else { random.below(ORIGIN) }).collect();
        for (n, base) in bases.iter().enumerate() {
            twin.uut.base[n].next = (*base).into();
        }
        // Windows 2 and 5 together hold the memory; a burst never lies in both, as they meet at a page.
        let middle = ORIGIN + MEMORY / 2;
        for (n, lo, hi, rights) in
            [(2, ORIGIN, middle - 1, 2u64), (5, middle, ORIGIN + MEMORY - 1, 3), (6, 0, (1 << 40) - 1, 5)]
        {
            twin.uut.lo[n].next = lo.into();
            twin.uut.hi[n].next = hi.into();
            twin.uut.rights[n].next = rights.into();
        }
        twin.uut.rst.next = true;
        twin.edge();
        twin.uut.rst.next = false;
        let bytes = random.bytes(MEMORY as usize);
        let local = [config.l1_bytes, config.ub_bytes].map(|size| random.bytes(size));
        let memory = Memory::new(S, config.outstanding, bytes, random);
        let chunk = config.m0.max(config.n0) * config.k0;
        let reads = VecDeque::from([None, None]);
        let registers = Registers::default();
        let (wants, wants_ub) = (None, None);
        Run { twin, memory, local, registers, chunk, reads, bases, done: 0, read_stall: 0, waited: 0, wants, wants_ub }
    }

    /// One cycle with the SET that `op` needs first, or with `op`; true if that was taken.
    fn step(&mut self, op: Option<(&Op, u32)>) -> bool {
        let set = op.and_then(|(op, _)| self.registers.next(&op.outer));
        self.twin.uut.set_valid.next = set.is_some();
        if let Some((index, value)) = set {
            self.twin.uut.set_register.next = (index as u64).into();
            self.twin.uut.set_value.next = value.into();
        }
        let offer = op.filter(|_| set.is_none()).map(|(op, pc)| (op.words(&self.bases), pc));
        let taken = self.cycle(offer);
        self.twin.uut.set_valid.next = false;
        taken
    }

    /// One cycle; true if an offered op was taken.
    fn cycle(&mut self, op: Option<([u32; 8], u32)>) -> bool {
        drive_write!(self.twin, self.memory);
        // Port 1 waits at most 15 cycles.
        let ready = self.waited >= 15 || !self.memory.random.chance(self.read_stall);
        let uut = &mut self.twin.uut;
        uut.read_ready.next = ready;
        let answer = self.reads.pop_front().expect("two places");
        uut.read_data_valid.next = answer.is_some();
        for lane in 0..self.chunk {
            let byte = answer.as_ref().map_or(0xee, |line| line[lane]);
            uut.read_data[lane].next = u64::from(byte).into();
        }
        let write_ready = !self.memory.random.chance(self.read_stall / 2);
        let uut = &mut self.twin.uut;
        for port in &mut uut.write_ready {
            port.next = write_ready;
        }
        // FIX reads UB first.
        let ub_ready = !self.memory.random.chance(self.read_stall);
        let uut = &mut self.twin.uut;
        for port in &mut uut.read_ub_ready {
            port.next = ub_ready;
        }
        uut.op_valid.next = op.is_some();
        if let Some((words, pc)) = op {
            for (n, word) in words.iter().enumerate() {
                uut.op_word[n].next = u64::from(*word).into();
            }
            uut.op_pc.next = u64::from(pc).into();
        }
        self.twin.settle();
        finish_write!(self.twin, self.memory);
        let uut = &self.twin.uut;
        let taken = op.is_some() && uut.op_ready.val();
        let asked = uut.read_valid.val().then(|| uut.read_address.val().to_u64());
        if self.wants.is_some() {
            assert_eq!(asked, self.wants, "the read changed before it was taken");
        }
        self.wants = if ready { None } else { asked };
        self.waited = if asked.is_some() && !ready { self.waited + 1 } else { 0 };
        let of_ub = uut.read_ub_valid.iter().any(|port| port.val()).then(|| uut.read_address.val().to_u64());
        if self.wants_ub.is_some() {
            assert_eq!(of_ub, self.wants_ub, "the read of UB changed before it was taken");
        }
        self.wants_ub = if ub_ready { None } else { of_ub };
        assert!(asked.is_none() || of_ub.is_none(), "a chunk comes from L1 or from UB");
        let request = asked.filter(|_| ready).map(|at| (0, at)).or(of_ub.filter(|_| ub_ready).map(|at| (1, at)));
        self.reads.push_back(request.map(|(buffer, at)| {
            let at = at as usize;
            assert_eq!(at % self.chunk, 0, "chunk address {at:x}");
            assert!(at + self.chunk <= self.local[buffer].len(), "chunk address {at:x}");
            self.local[buffer][at..at + self.chunk].to_vec()
        }));
        // A write is seen by the reads of later cycles.
        if write_ready && uut.write_valid.iter().any(|port| port.val()) {
            let at = uut.write_address[0].val().to_u64() as usize;
            assert_eq!(at % uut.write_data.len(), 0, "segment address {at:x}");
            for (lane, (data, enable)) in uut.write_data.iter().zip(&uut.write_enable).enumerate() {
                if enable.val() {
                    self.local[0][at + lane] = data.val().to_u64() as u8;
                }
            }
        }
        self.done += usize::from(uut.done.val());
        self.twin.edge();
        taken
    }

    /// Runs `ops`, checks the memory and L1 at the end and each op's bytes when it is done; gives the cycles.
    fn run(&mut self, ops: &[Op]) -> u64 {
        let (start, done) = (self.memory.cycle, self.done);
        // A store sees what the moves before it have written.
        let (mut want, mut local) = (self.memory.bytes.clone(), self.local.clone());
        let mut owner = vec![usize::MAX; want.len()];
        let mut effects: Vec<BTreeMap<u64, u8>> = vec![];
        for (n, op) in ops.iter().enumerate() {
            let effect = op.effect(&local);
            for (at, byte) in &effect {
                if op.to_l1.is_some() {
                    local[0][*at as usize] = *byte;
                } else {
                    want[(at - ORIGIN) as usize] = *byte;
                    owner[(at - ORIGIN) as usize] = n;
                }
            }
            effects.push(if op.to_l1.is_some() { BTreeMap::new() } else { effect });
        }
        let (mut next, mut checked) = (0, 0);
        while self.done - done < ops.len() {
            assert!(!self.twin.uut.fault.val() && !self.twin.uut.inner_fault.val(), "fault in {:?}", ops[checked]);
            next += usize::from(self.step(ops.get(next).map(|op| (op, next as u32 * 32))));
            while checked < self.done - done {
                for (at, byte) in &effects[checked] {
                    let at = (at - ORIGIN) as usize;
                    if owner[at] == checked {
                        assert_eq!(self.memory.bytes[at], *byte, "GM +{at:#x} when {:x?} is done", ops[checked]);
                    }
                }
                checked += 1;
            }
            assert!(self.memory.cycle - start < 400_000, "no end; done {} of {}", self.done - done, ops.len());
        }
        let cycles = self.memory.cycle - start;
        if let Some(at) = (0..want.len()).find(|&at| self.memory.bytes[at] != want[at]) {
            panic!("GM +{at:#x}: expected {:#x}, got {:#x}", want[at], self.memory.bytes[at]);
        }
        assert!(self.local == local, "L1 differs from what the moves write");
        self.cycle(None);
        assert!(!self.twin.uut.active.val() && self.twin.uut.quiet.val() && self.memory.idle());
        cycles
    }
}

fn random_ops<const B: usize, const S: usize>(seed: u64, small: bool, count: usize) {
    for ub_bytes in [0, 3 << 10] {
        random_ops_of::<B, S>(&Config { ub_bytes, ..config(S, small) }, seed, count / 2);
    }
}

fn random_ops_of<const B: usize, const S: usize>(config: &Config, seed: u64, count: usize) {
    let mut run = Run::<B, S>::new(config, Random::new(seed));
    for (stall, read_stall, latency, jitter) in [(0, 0, 3, 0), (30, 0, 20, 15), (10, 60, 5, 0), (70, 90, 1, 30)] {
        (run.memory.stall, run.read_stall) = (stall, read_stall);
        (run.memory.latency, run.memory.jitter) = (latency, jitter);
        let ops: Vec<Op> = (0..count).map(|_| Op::random(&mut run.memory.random, S as u64, config)).collect();
        run.run(&ops);
    }
}

#[test]
fn stores_agree_on_32_bits() {
    random_ops::<32, 4>(1, true, 10);
}

#[test]
fn stores_agree_on_64_bits() {
    random_ops::<64, 8>(2, false, 20);
}

#[test]
fn stores_agree_on_128_bits() {
    random_ops::<128, 16>(3, false, 20);
}

#[test]
fn stores_agree_on_128_bits_from_narrow_banks() {
    random_ops::<128, 16>(4, true, 20);
}

#[test]
fn stores_agree_on_256_bits() {
    random_ops::<256, 32>(11, false, 10);
}

#[test]
fn stores_agree_on_512_bits() {
    random_ops::<512, 64>(5, false, 10);
}

#[test]
fn stores_agree_on_512_bits_from_narrow_banks() {
    random_ops::<512, 64>(6, true, 10);
}

fn plain(rows: u64, len: u64, gm_stride: u64, src_stride: u64) -> Op {
    let (ub, to_l1, outer) = (false, None, Outer::ONE);
    Op { nz: false, rows, len, gm: ORIGIN, gm_stride, src: 0, src_stride, base: 0, ub, to_l1, outer }
}

/// Figures of the page `docs/units/mte3.md`; a change of them is a change of that page.
#[test]
fn aligned_copies_take_one_word_per_cycle() {
    let config = Config { l1_bytes: 128 << 10, ..Config::lite() };
    let mut run = Run::<128, 16>::new(&config, Random::new(7));
    run.memory.latency = 100;
    // 64 KiB are 4096 words; the rest is latency, pipeline and the cycles of the test around it.
    let one = run.run(&[plain(1, 65_536, 0, 0)]);
    let rows = run.run(&[plain(512, 128, 128, 128)]);
    let nz = run.run(&[Op { nz: true, ..plain(512, 128, 128, 512 * 32) }]);
    let apart = run.run(&[plain(256, 128, 256, 128)]);
    // The same rows in four dimensions.
    let outer = Outer { counts: [8, 4], src: [1024, 8192], dst: [2048, 16_384] };
    let four = run.run(&[Op { outer, ..plain(8, 128, 256, 128) }]);
    assert_eq!(four, apart + 6, "a SET takes a cycle");
    let many: Vec<Op> =
        (0..16).map(|n| Op { gm: ORIGIN + n * 4096, src: n * 4096, ..plain(32, 128, 128, 128) }).collect();
    let split = run.run(&many);
    println!(
        "64 KiB: one row {one}, 512 rows {rows}, nz {nz}, 16 instructions {split}; 32 KiB of 128 B rows apart {apart}"
    );
    assert!(one <= 4096 + 125 && rows <= 4096 + 125 && nz <= 4096 + 125, "{one} {rows} {nz}");
    assert!(split <= 4096 + 200, "{split}");
    assert!(apart <= 2048 + 150, "{apart}");
}

/// Figures of the page `docs/units/mte3.md`, too.
#[test]
fn moves_take_one_word_per_cycle() {
    let config = Config { ub_bytes: 32 << 10, ..Config::lite() };
    let mut run = Run::<128, 16>::new(&config, Random::new(12));
    let moved = |rows, len| Op { ub: true, to_l1: Some((0, len)), ..plain(rows, len, 0, len) };
    // 16 KiB are 1024 words.
    let one = run.run(&[moved(1, 16 << 10)]);
    let nz = run.run(&[Op { nz: true, to_l1: Some((0, 128 * 32)), ..moved(128, 128) }]);
    let many: Vec<Op> = (0..16).map(|n| Op { src: n << 10, to_l1: Some((n << 10, 128)), ..moved(8, 128) }).collect();
    let split = run.run(&many);
    println!("16 KiB: one row {one}, 128 rows to nz {nz}, 16 instructions {split}");
    assert_eq!((one, nz, split), (1034, 1034, 1034));
}

/// Offers `ops` until a fault, and gives (cause, address, pc).
fn fault<const B: usize, const S: usize>(run: &mut Run<B, S>, ops: &[Op]) -> (u64, u64, u64) {
    let mut next = 0;
    for _ in 0..4000 {
        next += usize::from(run.step(ops.get(next).map(|op| (op, 0x100 + next as u32 * 32))));
        let uut = &run.twin.uut;
        if uut.inner_fault.val() {
            return (
                uut.inner_fault_cause.val().to_u64(),
                uut.inner_fault_address.val().to_u64(),
                uut.inner_fault_pc.val().to_u64(),
            );
        }
        if uut.fault.val() {
            assert_eq!(uut.fault_requester.val().to_u64(), 1);
            return (uut.fault_cause.val().to_u64(), uut.fault_address.val().to_u64(), uut.bus_pc.val().to_u64());
        }
    }
    panic!("no fault");
}

fn drain<const B: usize, const S: usize>(run: &mut Run<B, S>) {
    run.twin.uut.halt.next = true;
    for _ in 0..3000 {
        run.cycle(None);
        if run.twin.uut.quiet.val() {
            break;
        }
    }
    assert!(run.twin.uut.quiet.val(), "not quiet after a halt");
    let (bursts, bytes) = (run.memory.bursts, run.memory.bytes.clone());
    for _ in 0..50 {
        run.cycle(None);
    }
    assert_eq!(run.memory.bursts, bursts, "a burst after a halt");
    assert_eq!(run.memory.bytes, bytes, "a write after a halt");
    assert!(run.memory.idle());
    run.twin.uut.halt.next = false;
    run.twin.uut.rst.next = true;
    run.twin.settle();
    run.twin.edge();
    run.twin.uut.rst.next = false;
    // The reset is that of the buffers too: what a move had asked for never comes.
    run.reads = VecDeque::from([None, None]);
    (run.wants, run.wants_ub) = (None, None);
    run.registers = Registers::default();
}

#[test]
fn faults_name_cause_address_and_instruction() {
    named_faults::<128, 16>(&Config { ub_bytes: 3 << 10, ..config(16, false) });
}

/// Each fault, told by the engine or by the AXI block, then a soft reset and an instruction that works.
pub fn named_faults<const B: usize, const S: usize>(config: &Config) {
    let l1 = config.l1_bytes as u64;
    let mut run = Run::<B, S>::new(config, Random::new(8));
    let good = plain(4, 512, 512, 512);
    let code = |cause: Cause| u64::from(cause.code());
    let mut check = |op: Op, cause: Cause, address: u64| {
        run.memory.error = Some(ORIGIN + 0x2000..ORIGIN + 0x2100);
        let before = run.memory.bytes.clone();
        let got = fault(&mut run, &[good.clone(), good.clone(), good.clone(), op.clone(), good.clone()]);
        assert_eq!(got, (code(cause), address, 0x160), "{op:x?}");
        drain(&mut run);
        let stored = if op.to_l1.is_some() || op.outer.counts.contains(&0) { 0 } else { op.len };
        let row = |dst: u64, row: u64| op.gm + dst + row * op.gm_stride..op.gm + dst + row * op.gm_stride + stored;
        let rows = op.outer.offsets().into_iter().flat_map(|(_, dst)| (0..op.rows).flat_map(move |at| row(dst, at)));
        let allowed = good.effect(&run.local).into_keys().chain(rows).collect::<Vec<u64>>();
        for (at, old) in before.iter().enumerate() {
            if *old != run.memory.bytes[at] {
                assert!(allowed.contains(&(ORIGIN + at as u64)), "GM +{at:#x} was written");
            }
        }
        run.memory.error = None;
        run.run(std::slice::from_ref(&good));
    };
    check(Op { src: l1 - 100, ..plain(1, 101, 0, 0) }, Cause::OutOfBuffer, l1);
    check(Op { src: 64, ..plain(3, 16, 16, l1) }, Cause::OutOfBuffer, l1 + 64);
    check(Op { nz: true, src: 32, src_stride: l1 / 2, ..plain(2, 65, 65, 0) }, Cause::OutOfBuffer, l1 + 32);
    check(Op { gm: (1 << 40) - 50, base: 3, ..plain(1, 51, 0, 0) }, Cause::AddressOverflow, (1 << 40) - 50);
    check(Op { gm: ORIGIN + MEMORY - 32, ..plain(1, 33, 0, 0) }, Cause::WindowWrite, ORIGIN + MEMORY);
    check(Op { gm: ORIGIN - 5, ..plain(1, 5, 0, 0) }, Cause::WindowWrite, ORIGIN - 5);
    let outer = |counts, src, dst| Outer { counts, src, dst };
    let far = outer([3, 2], [l1 / 4, l1 / 2 - 8], [64, 128]);
    check(Op { outer: far, ..plain(1, 16, 16, 16) }, Cause::OutOfBuffer, l1);
    for op in [
        Op { outer: outer([0, 1], [0; 2], [0; 2]), ..plain(1, 8, 0, 0) },
        Op { outer: outer([1, 0], [0; 2], [0; 2]), ..plain(1, 8, 0, 0) },
        Op { outer: outer([1, 1], [16, 0], [0; 2]), nz: true, ..plain(1, 8, 0, 32) },
    ] {
        check(op, Cause::BadRegister, 0);
    }
    if config.ub_bytes > 0 {
        let size = config.ub_bytes as u64;
        check(Op { ub: true, src: size - 100, ..plain(1, 101, 0, 0) }, Cause::OutOfBuffer, size);
        check(Op { ub: true, src: 64, ..plain(3, 16, 16, size) }, Cause::OutOfBuffer, size + 64);
        let moved = |address, stride| Op { ub: true, to_l1: Some((address, stride)), ..plain(2, 16, 0, 16) };
        check(Op { src: size - 31, ..moved(0, 16) }, Cause::OutOfBuffer, size);
        check(moved(l1 - 31, 16), Cause::OutOfBuffer, l1);
        // A row is read as a whole before it is written: the second one fails on both sides, then only the first fails to write.
        check(Op { src: size - 16, ..moved(l1 - 16, 16) }, Cause::OutOfBuffer, size);
        check(Op { src: size - 16, ..moved(l1 - 8, 16) }, Cause::OutOfBuffer, l1);
        check(Op { outer: outer([1, 1], [0; 2], [1 << 24, 0]), ..moved(0, 16) }, Cause::BadRegister, 0);
        check(Op { outer: outer([1, 1], [0; 2], [0, 8]), nz: true, ..moved(0, 32) }, Cause::BadRegister, 0);
    }
    check(Op { gm: ORIGIN + 0x1fe3, ..plain(1, 0x200, 0, 0) }, Cause::BusWriteError, ORIGIN + 0x2000);
    // Both sides at once, run by run, of each first the windows: rows 64 bytes apart of which one leaves the window, and one L1.
    let end = ORIGIN + MEMORY;
    for (outside, stride, cause, address) in [
        (2, l1, Cause::OutOfBuffer, l1 + 8),
        (1, l1, Cause::WindowWrite, end),
        (1, l1 / 2, Cause::WindowWrite, end),
        (3, l1 / 2, Cause::OutOfBuffer, l1 + 8),
    ] {
        check(Op { gm: end - outside * 64, src: 8, ..plain(4, 16, 64, stride) }, cause, address);
    }
    // Rows that touch are one run, whose windows come first as a whole, whatever the second row finds in L1.
    check(Op { gm: end - 1024, src: 8, ..plain(4, 512, 512, l1) }, Cause::WindowWrite, end);
    check(Op { gm: end - 2048, src: 8, ..plain(4, 512, 512, l1) }, Cause::OutOfBuffer, l1 + 8);
    // An answer with an error: before what comes in later runs, behind the buffer of its own.
    let bad = ORIGIN + 0x2000;
    check(Op { gm: bad, src: 8, ..plain(2, 16, 64, l1) }, Cause::BusWriteError, bad);
    check(Op { gm: bad, src: l1 - 8, ..plain(2, 16, 64, 0) }, Cause::OutOfBuffer, l1);
    check(Op { gm: bad, ..plain(2, 16, MEMORY - 0x2000, 16) }, Cause::BusWriteError, bad);
}

fn same_in_verilog<const B: usize, const S: usize>(config: &Config) {
    let lockstep = Lockstep::of(config, "mte3")
        .constant("early", "it sets no early flags")
        .constant("stall_block", "it waits for no blocks");
    lockstep.with(
        |uut: &Mte3Bench<B, S>| &uut.engine,
        || {
            random_ops_of::<B, S>(config, 21, 6);
            named_faults::<B, S>(config);
        },
    );
    lockstep.finish();
}

#[test]
fn mte3_is_the_same_in_verilog() {
    let [tiny, lite] = crate::common::compared();
    same_in_verilog::<64, 8>(&tiny);
    same_in_verilog::<128, 16>(&lite);
}

#[test]
fn a_halt_at_any_moment_ends_quiet_and_writes_nothing_foreign() {
    let config = Config { ub_bytes: 1 << 10, ..config(16, true) };
    let mut run = Run::<128, 16>::new(&config, Random::new(10));
    for wait in (0..150).step_by(7) {
        (run.memory.stall, run.memory.jitter, run.read_stall) = (wait % 40, 9, 30);
        let ops: Vec<Op> = (0..4).map(|_| Op::random(&mut run.memory.random, 16, &config)).collect();
        let before = run.memory.bytes.clone();
        let mut next = 0;
        for _ in 0..wait {
            next += usize::from(run.step(ops.get(next).map(|op| (op, 0))));
        }
        drain(&mut run);
        let stores = ops.iter().filter(|op| op.to_l1.is_none());
        let effects: Vec<BTreeMap<u64, u8>> = stores.map(|op| op.effect(&run.local)).collect();
        for (at, old) in before.iter().enumerate() {
            if *old != run.memory.bytes[at] {
                let gm = ORIGIN + at as u64;
                assert!(effects.iter().any(|effect| effect.contains_key(&gm)), "GM +{at:#x} was written");
            }
        }
        let op = Op::random(&mut run.memory.random, 16, &config);
        run.run(&[op]);
    }
}

/// The numbers in the kernels are those of the table in `isa`.
#[test]
fn fields_stand_where_the_isa_says() {
    for (name, want) in [
        ("base", (2, 0, 4)),
        ("layout", (2, 4, 1)),
        ("src", (2, 5, 1)),
        ("gm_offset_hi", (2, 8, 8)),
        ("rows", (2, 16, 16)),
        ("gm_offset_lo", (3, 0, 32)),
        ("src_address", (4, 0, 24)),
        ("len_bytes", (5, 0, 24)),
        ("gm_stride", (6, 0, 32)),
        ("src_stride", (7, 0, 24)),
    ] {
        let field = isa::opcode::field(Opcode::Mte3Store, name);
        assert_eq!((field.word, field.lo, field.width), want, "mte3.store {name}");
    }
    for (name, want) in [
        ("layout", (2, 4, 1)),
        ("rows", (2, 16, 16)),
        ("dst_address", (3, 0, 24)),
        ("src_address", (4, 0, 24)),
        ("len_bytes", (5, 0, 24)),
        ("dst_stride", (6, 0, 24)),
        ("src_stride", (7, 0, 24)),
    ] {
        let field = isa::opcode::field(Opcode::Mte3Move, name);
        assert_eq!((field.word, field.lo, field.width), want, "mte3.move {name}");
    }
}
