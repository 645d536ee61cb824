// SPDX-License-Identifier: Apache-2.0
//! The registers over AXI4-Lite with random timing of every channel, against a model that reads `isa::csr`'s tables.

use crate::common::{Random, compared, prints_and_lints};
use isa::counter::Counter;
use isa::csr::{
    Access, CONTEXT_PAGE, DEVICE_PAGE, IRQ_DONE, IRQ_FAULT, PAGE_BYTES, Status, at, context, context_address,
};
use isa::{Config, csr};
use rtl::csr::Csr as Registers;
use rtl::twin::Twin;
use std::collections::HashMap;
use tb::Lockstep;

/// The bus answers OKAY or SLVERR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Okay(u32),
    Refused,
}

struct Bench {
    twin: Twin<Registers>,
    random: Random,
    stall: usize,
    starts: usize,
    resets: usize,
    snapshots: usize,
    copy_in: Option<usize>,
    /// Cycle in which the program ends.
    event_at: Option<u64>,
}

impl Bench {
    fn new(config: &Config, seed: u64, stall: usize) -> Self {
        let mut twin = Twin::new(Registers::new(config), |uut, level| uut.clk.next = level);
        twin.uut.rst.next = true;
        twin.edge();
        twin.uut.rst.next = false;
        Bench {
            twin,
            random: Random::seeded(seed),
            stall,
            starts: 0,
            resets: 0,
            snapshots: 0,
            copy_in: None,
            event_at: None,
        }
    }

    /// One cycle; the counters behind the registers answer a snapshot after a while.
    fn edge(&mut self) {
        self.twin.settle();
        let index = self.twin.uut.counter_index.val().to_u64();
        self.twin.uut.counter_low.next = (0x1000 + index).into();
        self.twin.uut.counter_high.next = (0x2000 + index).into();
        self.twin.uut.snapshot_done.next = self.copy_in == Some(0);
        if let Some(event_at) = self.event_at {
            self.twin.uut.done_event.next = event_at == self.twin.cycle;
        }
        self.twin.settle();
        self.starts += usize::from(self.twin.uut.start.val());
        self.resets += usize::from(self.twin.uut.soft_reset.val());
        self.copy_in = self.copy_in.and_then(|left| left.checked_sub(1));
        if self.twin.uut.snapshot.val() {
            self.snapshots += 1;
            self.copy_in = Some(self.random.below(40));
        }
        self.twin.edge();
    }

    /// A write and, at the same time, a read; each channel starts and stalls when it likes.
    fn both(&mut self, write: Option<(u32, u32, u8)>, read: Option<u32>) -> (Option<Answer>, Option<Answer>) {
        let (mut aw, mut w, mut ar) = (write.is_some(), write.is_some(), read.is_some());
        let (mut aw_on, mut w_on, mut ar_on) = (false, false, false);
        let (mut wrote, mut got) = (None, None);
        let began = self.twin.cycle;
        while wrote.is_some() != write.is_some() || got.is_some() != read.is_some() {
            assert!(self.twin.cycle < began + 5_000, "no answer");
            let stall = self.stall;
            let random = &mut self.random;
            aw_on = aw && (aw_on || !random.chance(stall));
            w_on = w && (w_on || !random.chance(stall));
            ar_on = ar && (ar_on || !random.chance(stall));
            let uut = &mut self.twin.uut;
            uut.s_axil_awvalid.next = aw_on;
            uut.s_axil_wvalid.next = w_on;
            uut.s_axil_arvalid.next = ar_on;
            let (address, data, strobes) = write.unwrap_or((0, 0, 0));
            uut.s_axil_awaddr.next = u64::from(address).into();
            uut.s_axil_wdata.next = u64::from(data).into();
            uut.s_axil_wstrb.next = u64::from(strobes).into();
            uut.s_axil_araddr.next = u64::from(read.unwrap_or(0)).into();
            uut.s_axil_bready.next = !random.chance(stall);
            uut.s_axil_rready.next = !random.chance(stall);
            self.twin.settle();
            let uut = &self.twin.uut;
            aw &= !(aw_on && uut.s_axil_awready.val());
            w &= !(w_on && uut.s_axil_wready.val());
            ar &= !(ar_on && uut.s_axil_arready.val());
            if uut.s_axil_bvalid.val() {
                assert!(!aw && !w && write.is_some(), "an answer before the write");
                if uut.s_axil_bready.val() {
                    wrote = Some(if uut.s_axil_bresp.val() == 0 { Answer::Okay(0) } else { Answer::Refused });
                }
            }
            if uut.s_axil_rvalid.val() {
                assert!(!ar && read.is_some(), "an answer before the read");
                if uut.s_axil_rready.val() {
                    let value = uut.s_axil_rdata.val().to_u32();
                    if uut.s_axil_rresp.val() != 0 {
                        assert_eq!(value, 0, "a refused read gives 0");
                    }
                    got = Some(if uut.s_axil_rresp.val() == 0 { Answer::Okay(value) } else { Answer::Refused });
                }
            }
            self.edge();
        }
        let uut = &mut self.twin.uut;
        uut.s_axil_bready.next = false;
        uut.s_axil_rready.next = false;
        (wrote, got)
    }

    fn write(&mut self, address: u32, data: u32) -> Answer {
        self.both(Some((address, data, 15)), None).0.expect("written")
    }

    fn read(&mut self, address: u32) -> Answer {
        self.both(None, Some(address)).1.expect("read")
    }

    fn status(&mut self, status: Status) {
        self.twin.uut.status.next = (status as u64).into();
    }
}

/// What the tables say of an address: its register, or `None` for SLVERR.
fn register(address: u32) -> Option<&'static csr::Csr> {
    let (page, offset) = (address / PAGE_BYTES, address % PAGE_BYTES);
    let table = match page {
        0 => DEVICE_PAGE,
        1 => CONTEXT_PAGE,
        _ => return None,
    };
    at(table, offset).map(|found| found.0)
}

#[test]
fn every_offset_of_the_map_reads_its_reset_value_and_every_other_one_is_refused() {
    reset_values([Config::tiny(), Config::lite(), Config::max()]);
}

fn reset_values(configs: impl IntoIterator<Item = Config>) {
    for config in configs {
        let mut bench = Bench::new(&config, 1, 0);
        // The whole map on one core, what is listed on the others.
        let whole = config == Config::lite();
        let aligned = (0..2 * PAGE_BYTES).step_by(4).filter(|address| whole || register(*address).is_some());
        let others = [1, 2, 3, 0x22, 0x1001, 0x1083, 0x2000, 0x2008, 0x5104, 0xF000, 0xFFFC];
        for address in aligned.chain(others) {
            let counter = (context_address(0, context::COUNTER_LO)..).step_by(4).take(2 * Counter::COUNT);
            let wanted = match register(address) {
                None => Answer::Refused,
                Some(_) if counter.clone().any(|counter| counter == address) => {
                    let index = (address - context_address(0, context::COUNTER_LO)) / 4;
                    Answer::Okay(0x1000 * (1 + index % 2) + index / 2)
                }
                Some(found) => Answer::Okay(found.reset.value(&config)),
            };
            assert_eq!(bench.read(address), wanted, "{address:#x}");
        }
        assert_eq!((bench.starts, bench.resets, bench.snapshots), (0, 0, 0));
    }
}

#[test]
fn random_accesses_follow_the_tables() {
    accesses(&Config::lite(), &[(2, 0), (3, 40), (4, 70)]);
}

/// Random accesses for each seed and percentage of stalls.
fn accesses(config: &Config, runs: &[(u64, usize)]) {
    for &(seed, stall) in runs {
        let mut bench = Bench::new(config, seed, stall);
        let mut random = Random::seeded(seed + 100);
        let mut model: HashMap<u32, u32> = HashMap::new();
        let listed: Vec<u32> = (0..2 * PAGE_BYTES).step_by(4).filter(|address| register(*address).is_some()).collect();
        let writable: Vec<u32> = (0..2 * PAGE_BYTES)
            .filter(|address| register(*address).is_some_and(|csr| matches!(csr.access, Access::Rw | Access::RwIdle)))
            .collect();
        assert_eq!(writable.len(), 1 + 1 + 3 + 2 * 16 + 5 * 8);
        let pulses = [context::START, context::SOFT_RESET, context::SNAPSHOT].map(|offset| context_address(0, offset));
        let (mut starts, mut resets, mut snapshots, mut refused) = (0, 0, 0, 0);
        for _ in 0..500 {
            let status = Status::from_bits(random.next() as u32);
            bench.status(status);
            let pick = |random: &mut Random| match random.below(10) {
                0 => random.below(1 << 16) as u32,
                1 => random.below(1 << 13) as u32 & !3,
                2 | 3 => pulses[random.below(pulses.len())],
                4 => listed[random.below(listed.len())],
                _ => writable[random.below(writable.len())],
            };
            let strobes = if random.chance(90) { 15 } else { random.below(15) as u8 };
            let write = random.chance(60).then(|| (pick(&mut random), random.next() as u32, strobes));
            let read = random.chance(60).then(|| pick(&mut random));
            // An access of each kind to one register has no order.
            let read = read.filter(|read| write.is_none_or(|write| write.0 != *read));
            let (wrote, got) = bench.both(write, read);
            if let Some((address, data, strobes)) = write {
                let found = register(address);
                let special = |offset| address == context_address(0, offset);
                let ok = strobes == 15
                    && found.is_some_and(|csr| match csr.access {
                        Access::Ro => false,
                        Access::RwIdle => status != Status::Running,
                        _ => true,
                    })
                    && (!special(context::START) || matches!(status, Status::Idle | Status::Done));
                assert_eq!(wrote, Some(if ok { Answer::Okay(0) } else { Answer::Refused }), "{address:#x} {status:?}");
                refused += usize::from(!ok);
                if ok {
                    let csr = found.expect("listed");
                    if matches!(csr.access, Access::Rw | Access::RwIdle) {
                        model.insert(address, data & csr.mask());
                    }
                    starts += usize::from(special(context::START) && data & 1 == 1);
                    resets += usize::from(special(context::SOFT_RESET) && data & 1 == 1);
                    snapshots += usize::from(special(context::SNAPSHOT) && data & 1 == 1);
                }
            }
            if let Some(address) = read {
                match register(address) {
                    None => assert_eq!(got, Some(Answer::Refused), "{address:#x}"),
                    Some(csr) if matches!(csr.access, Access::Rw | Access::RwIdle) => {
                        let value = model.get(&address).copied().unwrap_or(csr.reset.value(config));
                        assert_eq!(got, Some(Answer::Okay(value)), "{address:#x}");
                    }
                    Some(_) if address == context_address(0, context::STATUS) => {
                        assert_eq!(got, Some(Answer::Okay(status as u32)));
                    }
                    Some(_) => assert!(matches!(got, Some(Answer::Okay(_)))),
                }
            }
            assert_eq!((bench.starts, bench.resets, bench.snapshots), (starts, resets, snapshots));
        }
        assert!(refused > 50, "{refused}");
        // The values stand on the ports.
        let value = |offset: u32, index: u32, stride: u32| {
            let address = context_address(0, offset + index * stride);
            u64::from(model.get(&address).copied().unwrap_or(0))
        };
        let uut = &bench.twin.uut;
        for index in 0..16 {
            let wanted = value(context::BASE_HI, index, 8) << 32 | value(context::BASE_LO, index, 8);
            assert_eq!(uut.base[index as usize].val().to_u64(), wanted);
        }
        for index in 0..8u32 {
            let window = |lo, hi| value(hi, index, 32) << 32 | value(lo, index, 32);
            let at = index as usize;
            let first = window(context::WINDOW_FIRST_LO, context::WINDOW_FIRST_HI);
            let last = window(context::WINDOW_LAST_LO, context::WINDOW_LAST_HI);
            assert_eq!(uut.window_first[at].val().to_u64(), first);
            assert_eq!(uut.window_last[at].val().to_u64(), last);
            assert_eq!(uut.window_rights[at].val().to_u64(), value(context::WINDOW_RIGHTS, index, 32));
        }
        let program = value(context::PROGRAM_HI, 0, 0) << 32 | value(context::PROGRAM_LO, 0, 0);
        assert_eq!(uut.program_base.val().to_u64(), program);
        assert_eq!(program % 64, 0);
        assert_eq!(u64::from(uut.program_length.val().to_u32()), value(context::PROGRAM_LENGTH, 0, 0));
    }
}

#[test]
fn interrupts_are_masked_and_cleared_by_ones_and_setting_wins() {
    interrupts(&Config::tiny());
}

fn interrupts(config: &Config) {
    let mut bench = Bench::new(config, 5, 20);
    let cause = context_address(0, context::IRQ_CAUSE);
    bench.twin.uut.done_event.next = true;
    bench.edge();
    bench.twin.uut.done_event.next = false;
    bench.twin.uut.fault_event.next = true;
    bench.edge();
    bench.twin.uut.fault_event.next = false;
    bench.edge();
    assert!(!bench.twin.uut.irq.val(), "masked after reset");
    assert_eq!(bench.read(cause), Answer::Okay(IRQ_DONE | IRQ_FAULT));
    bench.write(context_address(0, context::IRQ_MASK), IRQ_FAULT);
    assert!(bench.twin.uut.irq.val());
    bench.write(cause, IRQ_FAULT);
    bench.edge();
    assert!(!bench.twin.uut.irq.val());
    assert_eq!(bench.read(cause), Answer::Okay(IRQ_DONE));
    // An event before, in and after the cycle of the clear, which is the third after the handshake of an unstalled write.
    bench.stall = 0;
    for offset in 0..6 {
        bench.event_at = Some(bench.twin.cycle + offset);
        bench.write(cause, IRQ_DONE);
        bench.edge();
        bench.edge();
        assert_eq!(bench.read(cause), Answer::Okay(if offset < 3 { 0 } else { IRQ_DONE }), "event {offset}");
    }
    bench.twin.uut.wiped.next = true;
    bench.edge();
    bench.twin.uut.wiped.next = false;
    assert_eq!(bench.read(cause), Answer::Okay(0));
    assert_eq!(bench.read(context_address(0, context::IRQ_MASK)), Answer::Okay(IRQ_FAULT), "soft reset keeps it");
}

#[test]
fn status_and_fault_record_read_what_control_says() {
    records(&Config::tiny());
}

fn records(config: &Config) {
    let mut bench = Bench::new(config, 6, 30);
    let uut = &mut bench.twin.uut;
    uut.status.next = 3u64.into();
    uut.draining.next = true;
    uut.fault_cause.next = 0x0Cu64.into();
    uut.fault_pipe.next = 6u64.into();
    uut.fault_pc.next = 0xDEAD_BEE0u64.into();
    uut.fault_address.next = 0x9A_8765_4321u64.into();
    let mut read = |offset| bench.read(context_address(0, offset));
    assert_eq!(read(context::STATUS), Answer::Okay(0x13));
    assert_eq!(read(context::FAULT_CAUSE), Answer::Okay(0x60C));
    assert_eq!(read(context::FAULT_PC), Answer::Okay(0xDEAD_BEE0));
    assert_eq!(read(context::FAULT_ADDRESS_LO), Answer::Okay(0x8765_4321));
    assert_eq!(read(context::FAULT_ADDRESS_HI), Answer::Okay(0x9A));
}

/// Every writable register: random bits, then the other ones.
fn every_bit(config: &Config) {
    let mut bench = Bench::new(config, 7, 10);
    for address in (0..2 * PAGE_BYTES).step_by(4) {
        let found = register(address);
        if found.is_some_and(|csr| matches!(csr.access, Access::Rw | Access::RwIdle)) {
            let bits = bench.random.next() as u32;
            for value in [bits, !bits] {
                assert_eq!(bench.write(address, value), Answer::Okay(0), "{address:#x}");
            }
        }
    }
}

#[test]
fn csr_is_the_same_in_verilog() {
    for config in compared() {
        let lockstep = Lockstep::of(&config, "csr");
        lockstep.with(
            |uut: &Registers| uut,
            || {
                every_bit(&config);
                accesses(&config, &[(3, 40)]);
                interrupts(&config);
                records(&config);
            },
        );
        lockstep.finish();
    }
}

#[test]
fn csr_prints_and_lints() {
    for config in [Config::tiny(), Config::lite(), Config::max()] {
        prints_and_lints(&mut Registers::new(&config), &format!("csr_{}", config.name));
    }
}
