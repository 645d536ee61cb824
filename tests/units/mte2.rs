// SPDX-License-Identifier: Apache-2.0
//! MTE2 on the AXI read side against plain loops: every byte of L1 and UB, the order of `done`, faults, halts and cycles.

use crate::axi::engines::Mte2Bench;
use crate::axi::memory::{Memory, ORIGIN, Random, config};
use crate::outer::{Outer, Registers};
use isa::{Cause, Config, Opcode};
use rtl::twin::Twin;
use std::collections::BTreeMap;
use tb::Lockstep;

const MEMORY: u64 = 64 << 10;

/// One instruction as the test thinks of it.
#[derive(Clone, Debug)]
struct Op {
    fill: Option<u8>,
    nz: bool,
    rows: u64,
    len: u64,
    gm: u64,
    gm_stride: u64,
    dst: u64,
    dst_stride: u64,
    base: usize,
    ub: bool,
    outer: Outer,
}

impl Op {
    fn words(&self, bases: &[u64]) -> [u32; 8] {
        let opcode = if self.fill.is_some() { Opcode::Mte2Fill } else { Opcode::Mte2Load };
        let mut words = [0; 8];
        words[0] = u32::from(opcode.code());
        let mut put = |name: &str, value: u64| {
            isa::opcode::field(opcode, name).put(&mut words, value as u32);
        };
        put("dst", u64::from(self.ub));
        put("rows", self.rows);
        put("len_bytes", self.len);
        put("dst_address", self.dst);
        put("dst_stride", self.dst_stride);
        match self.fill {
            Some(byte) => put("byte", u64::from(byte)),
            None => {
                let offset = self.gm.wrapping_sub(bases[self.base]);
                put("base", self.base as u64);
                put("gm_offset_lo", offset & 0xffff_ffff);
                put("gm_offset_hi", offset >> 32 & 0xff);
                put("gm_stride", self.gm_stride);
                put("layout", u64::from(self.nz));
            }
        }
        words
    }

    /// (address in L1 or UB, byte) of everything it writes, in order.
    fn effect(&self, gm: &[u8]) -> Vec<(u64, u8)> {
        let mut out = vec![];
        for (src, dst) in self.outer.offsets() {
            for r in 0..self.rows {
                for c in 0..self.len {
                    let at = if self.nz {
                        self.dst + c / 32 * self.dst_stride + r * 32 + c % 32
                    } else {
                        self.dst + r * self.dst_stride + c
                    };
                    let from = self.gm + src + r * self.gm_stride + c;
                    out.push((dst + at, self.fill.unwrap_or_else(|| gm[(from - ORIGIN) as usize])));
                }
            }
        }
        out
    }

    /// A legal one.
    fn random(random: &mut Random, bus: u64, config: &Config) -> Op {
        loop {
            let ub = config.ub_bytes > 0 && random.chance(40);
            let room = if ub { config.ub_bytes } else { config.l1_bytes } as u64;
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
                2 => 0,
                _ => random.below(3 * len + 50),
            };
            let op = Op {
                fill: random.chance(15).then(|| random.next() as u8),
                nz,
                rows,
                len,
                gm: ORIGIN + random.below(MEMORY),
                gm_stride,
                dst: if nz { random.below(room / 32) * 32 } else { random.below(room) },
                dst_stride: if nz {
                    random.below(40) * 32
                } else {
                    [len, random.below(2 * len + 40)][random.below(2) as usize]
                },
                base: random.below(16) as usize,
                ub,
                outer: Outer::random(random, [4096, room / 8], [false, nz]),
            };
            let (src_reach, dst_reach) = op.outer.reach();
            let op = if op.fill.is_some() { Op { nz: false, dst_stride: len, ..op } } else { op };
            let in_gm = op.fill.is_some() || op.gm + src_reach + (rows - 1) * gm_stride + len <= ORIGIN + MEMORY;
            let last = |panel: u64| op.dst + dst_reach + panel * op.dst_stride + (rows - 1) * 32 + 32;
            let end = if op.nz { last((len - 1) / 32) } else { op.dst + dst_reach + (rows - 1) * op.dst_stride + len };
            if in_gm && end <= room {
                return op;
            }
        }
    }
}

struct Run<const B: usize> {
    twin: Twin<Mte2Bench<B>>,
    memory: Memory,
    /// L1 and UB.
    local: [Vec<u8>; 2],
    registers: Registers,
    bases: Vec<u64>,
    done: usize,
    write_stall: u64,
    segments: u64,
    held: Option<(bool, u64, Vec<u8>, Vec<bool>)>,
    stalled: u64,
}

impl<const B: usize> Run<B> {
    fn new(config: &Config, mut random: Random) -> Self {
        let mut twin = Twin::new(Mte2Bench::<B>::new(config), |uut, level| uut.clk.next = level);
        let bases: Vec<u64> = (0..16).map(|n| if n == 0 { 0 } else { random.below(ORIGIN) }).collect();
        for (n, base) in bases.iter().enumerate() {
            twin.uut.base[n].next = (*base).into();
        }
        // Windows 2 and 5 together hold the memory; a burst never lies in both, as they meet at a page.
        let middle = ORIGIN + MEMORY / 2;
        for (n, lo, hi, rights) in
            [(2, ORIGIN, middle - 1, 5u64), (5, middle, ORIGIN + MEMORY - 1, 1), (6, 0, (1 << 40) - 1, 2)]
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
        let memory = Memory::new(B / 8, config.outstanding, bytes, random);
        let registers = Registers::default();
        Run { twin, memory, local, registers, bases, done: 0, write_stall: 0, segments: 0, held: None, stalled: 0 }
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
        drive_read!(self.twin, self.memory, B);
        let ready = !self.memory.random.chance(self.write_stall);
        let uut = &mut self.twin.uut;
        uut.write_ready.next = ready;
        for port in &mut uut.ub_write_ready {
            port.next = ready;
        }
        uut.op_valid.next = op.is_some();
        if let Some((words, pc)) = op {
            for (n, word) in words.iter().enumerate() {
                uut.op_word[n].next = u64::from(*word).into();
            }
            uut.op_pc.next = u64::from(pc).into();
        }
        self.twin.settle();
        finish_read!(self.twin, self.memory);
        let uut = &self.twin.uut;
        let taken = op.is_some() && uut.op_ready.val();
        let to_ub = uut.ub_write_valid.iter().any(|port| port.val());
        assert!(!(to_ub && uut.write_valid.val()), "a segment goes to L1 or to UB");
        if uut.write_valid.val() || to_ub {
            let address = uut.write_address.val().to_u64();
            let data: Vec<u8> = uut.write_data.iter().map(|lane| lane.val().to_u64() as u8).collect();
            let enable: Vec<bool> = uut.write_enable.iter().map(|lane| lane.val()).collect();
            assert_eq!(address % data.len() as u64, 0, "segment address {address:x}");
            assert!(enable.iter().any(|&on| on), "an empty segment");
            let now = Some((to_ub, address, data.clone(), enable.clone()));
            if self.held.is_some() {
                assert_eq!(now, self.held, "the segment changed before it was taken");
            }
            self.held = now;
            if ready {
                self.held = None;
                self.segments += 1;
                for at in 0..data.len() {
                    if enable[at] {
                        self.local[usize::from(to_ub)][address as usize + at] = data[at];
                    }
                }
            }
        } else {
            assert!(self.held.is_none(), "the segment was withdrawn");
        }
        self.done += usize::from(uut.done.val());
        self.stalled += u64::from(uut.stall_memory.val());
        self.twin.edge();
        taken
    }

    /// Runs `ops`, checks L1 and UB at the end and each op's bytes when it is done; gives the cycles.
    fn run(&mut self, ops: &[Op]) -> u64 {
        let (start, done) = (self.memory.cycle, self.done);
        // Rows may overlap: the last byte written counts.
        let effects: Vec<BTreeMap<u64, u8>> =
            ops.iter().map(|op| op.effect(&self.memory.bytes).into_iter().collect()).collect();
        let mut want = self.local.clone();
        let mut owner = want.clone().map(|buffer| vec![usize::MAX; buffer.len()]);
        for (n, effect) in effects.iter().enumerate() {
            let buffer = usize::from(ops[n].ub);
            for (at, byte) in effect {
                want[buffer][*at as usize] = *byte;
                owner[buffer][*at as usize] = n;
            }
        }
        let (mut next, mut checked) = (0, 0);
        while self.done - done < ops.len() {
            assert!(!self.twin.uut.fault.val() && !self.twin.uut.inner_fault.val(), "fault in {:?}", ops[checked]);
            next += usize::from(self.step(ops.get(next).map(|op| (op, next as u32 * 32))));
            while checked < self.done - done {
                let buffer = usize::from(ops[checked].ub);
                for (at, byte) in &effects[checked] {
                    let at = *at as usize;
                    if owner[buffer][at] == checked {
                        assert_eq!(self.local[buffer][at], *byte, "{at:#x} when {:x?} is done", ops[checked]);
                    }
                }
                checked += 1;
            }
            assert!(self.memory.cycle - start < 400_000, "no end; done {} of {}", self.done - done, ops.len());
        }
        for (name, got, want) in [("L1", &self.local[0], &want[0]), ("UB", &self.local[1], &want[1])] {
            if let Some(at) = (0..want.len()).find(|&at| got[at] != want[at]) {
                panic!("{name} {at:#x}: expected {:#x}, got {:#x}", want[at], got[at]);
            }
        }
        for _ in 0..3 {
            self.cycle(None);
        }
        assert!(!self.twin.uut.active.val() && self.twin.uut.quiet.val() && self.memory.idle());
        self.memory.cycle - start - 3
    }
}

fn random_ops<const B: usize>(seed: u64, small: bool, count: usize) {
    for ub_bytes in [0, 3 << 10] {
        random_ops_of::<B>(&Config { ub_bytes, ..config(B / 8, small) }, seed, count / 2);
    }
}

fn random_ops_of<const B: usize>(config: &Config, seed: u64, count: usize) {
    let mut run = Run::<B>::new(config, Random::new(seed));
    for (stall, write_stall, latency, jitter) in [(0, 0, 3, 0), (30, 0, 20, 15), (10, 60, 5, 0), (70, 20, 1, 30)] {
        (run.memory.stall, run.write_stall) = (stall, write_stall);
        (run.memory.latency, run.memory.jitter) = (latency, jitter);
        let ops: Vec<Op> = (0..count).map(|_| Op::random(&mut run.memory.random, B as u64 / 8, config)).collect();
        run.run(&ops);
    }
}

#[test]
fn loads_and_fills_agree_on_32_bits() {
    random_ops::<32>(1, true, 12);
}

#[test]
fn loads_and_fills_agree_on_64_bits() {
    random_ops::<64>(2, false, 25);
}

#[test]
fn loads_and_fills_agree_on_128_bits() {
    random_ops::<128>(3, false, 30);
}

#[test]
fn loads_and_fills_agree_on_256_bits() {
    random_ops::<256>(9, false, 12);
}

#[test]
fn loads_and_fills_agree_on_512_bits() {
    random_ops::<512>(4, true, 12);
}

fn plain(rows: u64, len: u64, gm_stride: u64, dst_stride: u64) -> Op {
    Op {
        fill: None,
        nz: false,
        rows,
        len,
        gm: ORIGIN,
        gm_stride,
        dst: 0,
        dst_stride,
        base: 0,
        ub: false,
        outer: Outer::ONE,
    }
}

/// Figures of the page `docs/units/mte2.md`; a change of them is a change of that page.
#[test]
fn aligned_copies_take_one_word_per_cycle() {
    let config = Config { l1_bytes: 128 << 10, ..Config::lite() };
    let mut run = Run::<128>::new(&config, Random::new(5));
    run.memory.latency = 100;
    // 64 KiB are 4096 words; the rest is latency, pipeline and the cycles of the test around it.
    let one = run.run(&[plain(1, 65_536, 0, 0)]);
    let rows = run.run(&[plain(512, 128, 128, 128)]);
    let nz = run.run(&[Op { nz: true, ..plain(512, 128, 128, 512 * 32) }]);
    let apart = run.run(&[plain(256, 128, 256, 128)]);
    // The same rows in four dimensions.
    let outer = Outer { counts: [8, 4], src: [2048, 16_384], dst: [1024, 8192] };
    let four = run.run(&[Op { outer, ..plain(8, 128, 256, 128) }]);
    assert_eq!(four, apart + 6, "a SET takes a cycle");
    let many: Vec<Op> =
        (0..16).map(|n| Op { gm: ORIGIN + n * 4096, dst: n * 4096, ..plain(32, 128, 128, 128) }).collect();
    let split = run.run(&many);
    println!(
        "64 KiB: one row {one}, 512 rows {rows}, nz {nz}, 16 instructions {split}; 32 KiB of 128 B rows apart {apart}"
    );
    assert_eq!((one, rows, nz), (4096 + 112, 4096 + 117, 4096 + 117));
    assert!(split <= 4096 + 130, "{split}");
    assert!(apart <= 2048 + 125, "{apart}");
}

/// Offers `ops` until a fault, and gives (cause, address, pc).
fn fault<const B: usize>(run: &mut Run<B>, ops: &[Op]) -> (u64, u64, u64) {
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

fn drain<const B: usize>(run: &mut Run<B>) {
    run.twin.uut.halt.next = true;
    for _ in 0..3000 {
        run.cycle(None);
        if run.twin.uut.quiet.val() {
            break;
        }
    }
    assert!(run.twin.uut.quiet.val(), "not quiet after a halt");
    let bursts = run.memory.bursts;
    for _ in 0..50 {
        run.cycle(None);
    }
    assert_eq!(run.memory.bursts, bursts, "a burst after a halt");
    assert!(run.memory.idle());
    run.twin.uut.halt.next = false;
    run.twin.uut.rst.next = true;
    run.twin.settle();
    run.twin.edge();
    run.twin.uut.rst.next = false;
    run.held = None;
    run.registers = Registers::default();
}

#[test]
fn faults_name_cause_address_and_instruction() {
    named_faults::<128>(&Config { ub_bytes: 3 << 10, ..config(16, false) });
}

/// Each fault, told by the engine or by the AXI block, then a soft reset and an instruction that works.
pub fn named_faults<const B: usize>(config: &Config) {
    let l1 = config.l1_bytes as u64;
    let mut run = Run::<B>::new(config, Random::new(6));
    let good = plain(4, 512, 512, 512);
    let code = |cause: Cause| u64::from(cause.code());
    let mut check = |op: Op, cause: Cause, address: u64| {
        run.memory.error = Some(ORIGIN + 0x2000..ORIGIN + 0x2100);
        let got = fault(&mut run, &[good.clone(), good.clone(), good.clone(), op.clone(), good.clone()]);
        assert_eq!(got, (code(cause), address, 0x160), "{op:x?}");
        drain(&mut run);
        run.memory.error = None;
        run.run(std::slice::from_ref(&good));
    };
    check(Op { dst: l1 - 100, ..plain(1, 101, 0, 0) }, Cause::OutOfBuffer, l1);
    check(Op { dst: 64, ..plain(3, 16, 16, l1) }, Cause::OutOfBuffer, l1 + 64);
    check(Op { nz: true, dst: 32, dst_stride: l1 / 2, ..plain(2, 65, 65, 0) }, Cause::OutOfBuffer, l1 + 32);
    check(Op { fill: Some(3), dst: l1 - 8, ..plain(2, 9, 0, 9) }, Cause::OutOfBuffer, l1);
    check(Op { gm: (1 << 40) - 50, base: 3, ..plain(1, 51, 0, 0) }, Cause::AddressOverflow, (1 << 40) - 50);
    check(Op { gm: ORIGIN + MEMORY - 32, ..plain(1, 33, 0, 0) }, Cause::WindowRead, ORIGIN + MEMORY);
    check(Op { gm: ORIGIN - 5, ..plain(1, 5, 0, 0) }, Cause::WindowRead, ORIGIN - 5);
    // In the last of the rows of the last matrices, and in the first of their step.
    let outer = |counts, src, dst| Outer { counts, src, dst };
    let far = outer([3, 2], [64, 128], [l1 / 4, l1 / 2 - 16]);
    check(Op { outer: far, ..plain(2, 16, 16, 16) }, Cause::OutOfBuffer, l1);
    let far = outer([2, 2], [0; 2], [l1 / 2, l1]);
    check(Op { fill: Some(3), dst: 8, outer: far, ..plain(2, 9, 0, 9) }, Cause::OutOfBuffer, l1 + 8);
    for op in [
        Op { outer: outer([0, 1], [0; 2], [0; 2]), ..plain(1, 8, 0, 0) },
        Op { outer: outer([1, 0], [0; 2], [0; 2]), fill: Some(1), ..plain(1, 8, 0, 0) },
        Op { outer: outer([1, 1], [0; 2], [16, 0]), nz: true, ..plain(1, 8, 0, 32) },
        Op { outer: outer([1, 1], [0; 2], [0, 31]), nz: true, ..plain(1, 8, 0, 32) },
    ] {
        check(op, Cause::BadRegister, 0);
    }
    if config.ub_bytes > 0 {
        let size = config.ub_bytes as u64;
        check(Op { ub: true, dst: size - 100, ..plain(1, 101, 0, 0) }, Cause::OutOfBuffer, size);
        check(Op { ub: true, dst: 64, ..plain(3, 16, 16, size) }, Cause::OutOfBuffer, size + 64);
    }
    check(Op { gm: ORIGIN + 0x1fe3, ..plain(1, 0x200, 0, 0) }, Cause::BusReadError, ORIGIN + 0x2000);
    // Both sides at once, run by run, of each first GM: rows 64 bytes apart of which one leaves the window, and one L1.
    let end = ORIGIN + MEMORY;
    for (outside, stride, cause, address) in [
        (2, l1, Cause::OutOfBuffer, l1 + 8),
        (1, l1, Cause::WindowRead, end),
        (1, l1 / 2, Cause::WindowRead, end),
        (3, l1 / 2, Cause::OutOfBuffer, l1 + 8),
    ] {
        check(Op { gm: end - outside * 64, dst: 8, ..plain(4, 16, 64, stride) }, cause, address);
    }
    // Rows that touch are one run, of which GM comes first as a whole, whatever the second row finds in L1.
    check(Op { gm: end - 1024, dst: 8, ..plain(4, 512, 512, l1) }, Cause::WindowRead, end);
    check(Op { gm: end - 2048, dst: 8, ..plain(4, 512, 512, l1) }, Cause::OutOfBuffer, l1 + 8);
    // An error of the bus in the same run, before, and behind.
    let bad = ORIGIN + 0x2000;
    check(Op { gm: bad - 0x100, dst: l1 - 16, ..plain(1, 0x200, 0, 0) }, Cause::BusReadError, bad);
    check(Op { gm: bad, dst: 8, ..plain(2, 16, 64, l1) }, Cause::BusReadError, bad);
    check(Op { gm: bad - 64, dst: l1 - 8, ..plain(2, 16, 64, 16) }, Cause::OutOfBuffer, l1);
    // An error of the bus before a row outside the windows that the gate meets first.
    check(Op { gm: bad, ..plain(2, 16, MEMORY - 0x2000, 16) }, Cause::BusReadError, bad);
}

fn same_in_verilog<const B: usize>(config: &Config) {
    let lockstep = Lockstep::of(config, "mte2")
        .constant("early", "it sets no early flags")
        .constant("stall_block", "it waits for no blocks");
    lockstep.with(
        |uut: &Mte2Bench<B>| &uut.engine,
        || {
            random_ops_of::<B>(config, 21, 6);
            named_faults::<B>(config);
        },
    );
    lockstep.finish();
}

#[test]
fn mte2_is_the_same_in_verilog() {
    let [tiny, lite] = crate::common::compared();
    same_in_verilog::<64>(&tiny);
    same_in_verilog::<128>(&lite);
}

#[test]
fn a_halt_at_any_moment_ends_quiet_and_leaves_a_working_engine() {
    let config = Config { ub_bytes: 1 << 10, ..config(16, true) };
    let mut run = Run::<128>::new(&config, Random::new(8));
    for wait in (0..150).step_by(7) {
        (run.memory.stall, run.memory.jitter, run.write_stall) = (wait % 40, 9, 30);
        let ops: Vec<Op> = (0..4).map(|_| Op::random(&mut run.memory.random, 16, &config)).collect();
        let mut next = 0;
        for _ in 0..wait {
            next += usize::from(run.step(ops.get(next).map(|op| (op, 0))));
        }
        drain(&mut run);
        let op = Op::random(&mut run.memory.random, 16, &config);
        run.run(&[op]);
    }
}

/// The numbers in the kernels are those of the table in `isa`.
#[test]
fn fields_stand_where_the_isa_says() {
    let place = |opcode, name| {
        let field = isa::opcode::field(opcode, name);
        (field.word, field.lo, field.width)
    };
    for (name, want) in [
        ("base", (2, 0, 4)),
        ("layout", (2, 4, 1)),
        ("dst", (2, 5, 1)),
        ("gm_offset_hi", (2, 8, 8)),
        ("rows", (2, 16, 16)),
        ("gm_offset_lo", (3, 0, 32)),
        ("dst_address", (4, 0, 24)),
        ("len_bytes", (5, 0, 24)),
        ("gm_stride", (6, 0, 32)),
        ("dst_stride", (7, 0, 24)),
    ] {
        assert_eq!(place(Opcode::Mte2Load, name), want, "mte2.load {name}");
    }
    for (name, want) in [
        ("dst", (2, 5, 1)),
        ("byte", (2, 8, 8)),
        ("rows", (2, 16, 16)),
        ("dst_address", (4, 0, 24)),
        ("len_bytes", (5, 0, 24)),
        ("dst_stride", (7, 0, 24)),
    ] {
        assert_eq!(place(Opcode::Mte2Fill, name), want, "mte2.fill {name}");
    }
}
