// SPDX-License-Identifier: Apache-2.0
//! MTE3 on the AXI write side against plain loops: every byte of the memory, the order of `done`, faults, halts and cycles.

use crate::axi::engines::Mte3Bench;
use crate::axi::memory::{Memory, ORIGIN, Random, config};
use isa::{Cause, Config, Opcode};
use rtl::twin::Twin;
use std::collections::{BTreeMap, VecDeque};
use tb::Lockstep;

const MEMORY: u64 = 64 << 10;

/// One instruction as the test thinks of it.
#[derive(Clone, Debug)]
struct Op {
    nz: bool,
    rows: u64,
    len: u64,
    gm: u64,
    gm_stride: u64,
    src: u64,
    src_stride: u64,
    base: usize,
}

impl Op {
    fn words(&self, bases: &[u64]) -> [u32; 8] {
        let mut words = [0; 8];
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
        ] {
            isa::opcode::field(Opcode::Mte3Store, name).put(&mut words, value as u32);
        }
        words
    }

    /// GM address and byte of everything it writes; the last one written counts.
    fn effect(&self, l1: &[u8]) -> BTreeMap<u64, u8> {
        let mut out = BTreeMap::new();
        for r in 0..self.rows {
            for c in 0..self.len {
                let at = if self.nz {
                    self.src + c / 32 * self.src_stride + r * 32 + c % 32
                } else {
                    self.src + r * self.src_stride + c
                };
                out.insert(self.gm + r * self.gm_stride + c, l1[at as usize]);
            }
        }
        out
    }

    /// A legal one.
    fn random(random: &mut Random, bus: u64, l1: u64) -> Op {
        loop {
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
                src: if nz { random.below(l1 / 32) * 32 } else { random.below(l1) },
                src_stride: if nz {
                    random.below(40) * 32
                } else {
                    [len, random.below(2 * len + 40)][random.below(2) as usize]
                },
                base: random.below(16) as usize,
            };
            let in_gm = op.gm + (rows - 1) * gm_stride + len <= ORIGIN + MEMORY;
            let last = |panel: u64| op.src + panel * op.src_stride + (rows - 1) * 32 + 32;
            let in_l1 =
                if op.nz { last((len - 1) / 32) <= l1 } else { op.src + (rows - 1) * op.src_stride + len <= l1 };
            if in_gm && in_l1 {
                return op;
            }
        }
    }
}

struct Run<const B: usize, const S: usize> {
    twin: Twin<Mte3Bench<B, S>>,
    memory: Memory,
    l1: Vec<u8>,
    chunk: usize,
    /// L1's answers on their way, newest last.
    reads: VecDeque<Option<usize>>,
    bases: Vec<u64>,
    done: usize,
    read_stall: u64,
    waited: u64,
    wants: Option<u64>,
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
        let l1 = random.bytes(config.l1_bytes);
        let memory = Memory::new(S, config.outstanding, bytes, random);
        let chunk = config.m0.max(config.n0) * config.k0;
        let reads = VecDeque::from([None, None]);
        Run { twin, memory, l1, chunk, reads, bases, done: 0, read_stall: 0, waited: 0, wants: None }
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
            let byte = answer.map_or(0xee, |at| self.l1[at + lane]);
            uut.read_data[lane].next = u64::from(byte).into();
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
        self.reads.push_back(asked.filter(|_| ready).map(|at| {
            assert_eq!(at as usize % self.chunk, 0, "chunk address {at:x}");
            assert!(at as usize + self.chunk <= self.l1.len(), "chunk address {at:x}");
            at as usize
        }));
        self.done += usize::from(uut.done.val());
        self.twin.edge();
        taken
    }

    /// Runs `ops`, checks the memory at the end and each op's bytes when it is done; gives the cycles.
    fn run(&mut self, ops: &[Op]) -> u64 {
        let (start, done) = (self.memory.cycle, self.done);
        let effects: Vec<BTreeMap<u64, u8>> = ops.iter().map(|op| op.effect(&self.l1)).collect();
        let mut want = self.memory.bytes.clone();
        let mut owner = vec![usize::MAX; want.len()];
        for (n, effect) in effects.iter().enumerate() {
            for (at, byte) in effect {
                want[(at - ORIGIN) as usize] = *byte;
                owner[(at - ORIGIN) as usize] = n;
            }
        }
        let (mut next, mut checked) = (0, 0);
        while self.done - done < ops.len() {
            assert!(!self.twin.uut.fault.val() && !self.twin.uut.inner_fault.val(), "fault in {:?}", ops[checked]);
            let offer = ops.get(next).map(|op| (op.words(&self.bases), next as u32 * 32));
            next += usize::from(self.cycle(offer));
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
        self.cycle(None);
        assert!(!self.twin.uut.active.val() && self.twin.uut.quiet.val() && self.memory.idle());
        cycles
    }
}

fn random_ops<const B: usize, const S: usize>(seed: u64, small: bool, count: usize) {
    random_ops_of::<B, S>(&config(S, small), seed, count);
}

fn random_ops_of<const B: usize, const S: usize>(config: &Config, seed: u64, count: usize) {
    let mut run = Run::<B, S>::new(config, Random::new(seed));
    for (stall, read_stall, latency, jitter) in [(0, 0, 3, 0), (30, 0, 20, 15), (10, 60, 5, 0), (70, 90, 1, 30)] {
        (run.memory.stall, run.read_stall) = (stall, read_stall);
        (run.memory.latency, run.memory.jitter) = (latency, jitter);
        let ops: Vec<Op> =
            (0..count).map(|_| Op::random(&mut run.memory.random, S as u64, config.l1_bytes as u64)).collect();
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
    Op { nz: false, rows, len, gm: ORIGIN, gm_stride, src: 0, src_stride, base: 0 }
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

/// Offers `ops` until a fault, and gives (cause, address, pc).
fn fault<const B: usize, const S: usize>(run: &mut Run<B, S>, ops: &[Op]) -> (u64, u64, u64) {
    let mut next = 0;
    for _ in 0..4000 {
        let offer = ops.get(next).map(|op| (op.words(&run.bases), 0x100 + next as u32 * 32));
        next += usize::from(run.cycle(offer));
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
    run.wants = None;
}

#[test]
fn faults_name_cause_address_and_instruction() {
    named_faults::<128, 16>(&config(16, false));
}

/// Each fault, told by the engine or by the AXI block, then a soft reset and an instruction that works.
pub fn named_faults<const B: usize, const S: usize>(config: &Config) {
    let l1 = config.l1_bytes as u64;
    let mut run = Run::<B, S>::new(config, Random::new(8));
    let good = plain(4, 512, 512, 512);
    let code = |cause: Cause| u64::from(cause.code());
    let mut check = |op: Op, cause: Cause, address: u64| {
        run.memory.error = (cause == Cause::BusWriteError).then_some(ORIGIN + 0x2000..ORIGIN + 0x2100);
        let before = run.memory.bytes.clone();
        let got = fault(&mut run, &[good.clone(), good.clone(), good.clone(), op.clone(), good.clone()]);
        assert_eq!(got, (code(cause), address, 0x160), "{op:x?}");
        drain(&mut run);
        let allowed = good.effect(&run.l1).into_keys().chain(op.gm..op.gm + op.len).collect::<Vec<u64>>();
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
    check(Op { gm: ORIGIN + 0x1fe3, ..plain(1, 0x200, 0, 0) }, Cause::BusWriteError, ORIGIN + 0x2000);
}

#[test]
fn ub_traps_as_unsupported() {
    let mut run = Run::<64, 8>::new(&config(8, false), Random::new(9));
    let mut words = plain(1, 8, 8, 8).words(&run.bases);
    isa::opcode::field(Opcode::Mte3Store, "src").put(&mut words, 1);
    assert!(run.cycle(Some((words, 0x40))));
    run.cycle(None);
    assert!(run.twin.uut.inner_fault.val() && !run.twin.uut.active.val());
    assert_eq!(run.twin.uut.inner_fault_cause.val().to_u64(), u64::from(Cause::Unsupported.code()));
    assert_eq!(run.twin.uut.inner_fault_pc.val().to_u64(), 0x40);
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
    same_in_verilog::<64, 8>(&Config::tiny());
    same_in_verilog::<128, 16>(&Config::lite());
}

#[test]
fn a_halt_at_any_moment_ends_quiet_and_writes_nothing_foreign() {
    let config = config(16, true);
    let mut run = Run::<128, 16>::new(&config, Random::new(10));
    for wait in (0..150).step_by(7) {
        (run.memory.stall, run.memory.jitter, run.read_stall) = (wait % 40, 9, 30);
        let ops: Vec<Op> = (0..4).map(|_| Op::random(&mut run.memory.random, 16, config.l1_bytes as u64)).collect();
        let before = run.memory.bytes.clone();
        let mut next = 0;
        for _ in 0..wait {
            let offer = ops.get(next).map(|op| (op.words(&run.bases), 0));
            next += usize::from(run.cycle(offer));
        }
        drain(&mut run);
        let effects: Vec<BTreeMap<u64, u8>> = ops.iter().map(|op| op.effect(&run.l1)).collect();
        for (at, old) in before.iter().enumerate() {
            if *old != run.memory.bytes[at] {
                let gm = ORIGIN + at as u64;
                assert!(effects.iter().any(|effect| effect.contains_key(&gm)), "GM +{at:#x} was written");
            }
        }
        let op = Op::random(&mut run.memory.random, 16, config.l1_bytes as u64);
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
}
