// SPDX-License-Identifier: Apache-2.0
//! The controller of the SDRAM against the chip of `sim`, at several clocks; and that the chip sees every broken rule.

use super::wires::Chip;
use fpga::board::{SDRAM_BITS, Sdram, Timing};
use rand::RngExt;
use rtl::emit::emit;
use rtl::prim::prelude::Block;
use sim::{Poison, SdramChip, SdramLimits, SdramPins};
use std::collections::HashMap;
use tb::seed;
use verilated::{Build, Dut, Port, Reset};

const CLOCKS: [u32; 6] = [6_000_000, 25_000_000, 50_000_000, 66_000_000, 80_000_000, 100_000_000];

/// A controller with its chip.
struct Bench {
    dut: Dut,
    chip: Chip,
    half: u64,
    fallen: u16,
    late: bool,
    clk: Port,
    valid: Port,
    ready: Port,
    write: Port,
    address: Port,
    data: Port,
    strb: Port,
    get_valid: Port,
    get_data: Port,
    up: Port,
    data_in: Port,
    pins: [Port; 6],
}

impl Bench {
    /// Of words of 8 or 16 bytes.
    fn new(bytes: usize, clock_hz: u32, random: u64) -> Bench {
        let timing = Timing::at(clock_hz);
        let mut sdram: Box<dyn Block> = match bytes {
            8 => Box::new(Sdram::<64, 8>::new(clock_hz)),
            _ => Box::new(Sdram::<128, 16>::new(clock_hz)),
        };
        sdram.connect_all();
        let design = emit(&*sdram, "sdram").unwrap_or_else(|error| panic!("{error}"));
        let model = Build::new("sdram").texts(design.files()).cycles_hint(10_000).build().unwrap();
        let dut = model.instance(Reset::Random(random as u32)).unwrap();
        let port = |name: &str| dut.port(name).unwrap();
        let pins = ["command", "bank", "row", "mask", "data_out", "data_drive"].map(port);
        let [clk, rst, valid, ready, write] = ["clk", "rst", "word_valid", "word_ready", "word_write"].map(port);
        let [address, data, strb] = ["word_address", "word_data", "word_strb"].map(port);
        let [get_valid, get_data, up, data_in] = ["get_valid", "get_data", "ready", "data_in"].map(port);
        let chip = Chip::new(clock_hz, timing.capture_halves, random);
        let late = timing.capture_halves == 5;
        let mut bench = Bench {
            dut,
            chip,
            half: 0,
            fallen: 0,
            late,
            clk,
            valid,
            ready,
            write,
            address,
            data,
            strb,
            get_valid,
            get_data,
            up,
            data_in,
            pins,
        };
        for port in [valid, write, address, data, strb, data_in] {
            bench.dut.bytes_mut(port).fill(0);
        }
        bench.dut.set(rst, 1);
        bench.low(false);
        bench.high();
        bench.low(false);
        bench.high();
        bench.dut.set(rst, 0);
        bench
    }

    /// Clock low, which is the chip's rising edge. Before the reset has worked, the pins are anything.
    fn low(&mut self, powered: bool) {
        self.fallen = self.chip.level(self.half.wrapping_sub(1));
        self.dut.set(self.clk, 0);
        self.dut.eval().unwrap();
        let [command, bank, address, mask, data, drive] = self.pins.map(|port| self.dut.get(port));
        if powered {
            let data = (drive == 1).then_some(data as u16);
            let pins =
                SdramPins { command: command as u8, bank: bank as u8, address: address as u16, mask: mask as u8, data };
            self.chip.edge(self.half, &pins);
        }
        self.half += 1;
    }

    /// Clock high: the board's rising edge, also of the register in the pads.
    fn high(&mut self) {
        let captured = if self.late { self.fallen } else { self.chip.level(self.half - 1) };
        self.dut.set(self.clk, 1);
        self.dut.eval().unwrap();
        self.dut.set(self.data_in, captured.into());
        self.half += 1;
    }

    fn get(&self) -> Option<u128> {
        let bytes = self.dut.bytes(self.get_data);
        (self.dut.get(self.get_valid) == 1)
            .then(|| bytes.iter().rev().fold(0, |word, &byte| word << 8 | u128::from(byte)))
    }

    /// What the controller is asked for.
    fn ask(&mut self, valid: bool, write: bool, address: u32, data: u128, strobes: u64) {
        for (port, value) in [
            (self.valid, u64::from(valid)),
            (self.write, u64::from(write)),
            (self.address, u64::from(address)),
            (self.strb, strobes),
        ] {
            self.dut.set(port, value);
        }
        let wide = self.dut.bytes_mut(self.data);
        let bytes = wide.len();
        wide.copy_from_slice(&data.to_le_bytes()[..bytes]);
    }

    /// Cycles until the chip is set up.
    fn start(&mut self) -> u64 {
        let mut cycles = 0;
        self.dut.set(self.valid, 0);
        loop {
            self.low(true);
            if self.dut.get(self.up) == 1 {
                self.high();
                return cycles;
            }
            self.high();
            cycles += 1;
            assert!(cycles < 30_000, "the chip is not set up");
        }
    }
}

/// Bytes of the word that a strobe selects.
fn merged(old: u128, new: u128, strobes: u64) -> u128 {
    (0..16).fold(0, |word, byte| {
        let from = if strobes >> byte & 1 == 1 { new } else { old };
        word | (from & 0xff << (8 * byte))
    })
}

/// Random words at a controller, all of which have to come back; every rule of the chip has to be kept.
fn traffic(bytes: u32, clock_hz: u32) {
    let words = (1 << SDRAM_BITS) / bytes;
    let (all, whole) = (u64::MAX >> (64 - bytes), u128::MAX >> (128 - 8 * bytes));
    let mut rng = seed(u64::from(clock_hz + bytes)).rng;
    let mut bench = Bench::new(bytes as usize, clock_hz, u64::from(clock_hz));
    bench.start();
    let (mut model, mut asked, mut answered) = (HashMap::<u32, u128>::new(), vec![], 0usize);
    let (mut at, mut write) = (0u32, false);
    for cycle in 0..30_000 {
        // Runs of words in a row, some jumps inside a bank, some far away; reads and writes take turns.
        if rng.random_range(0..12) == 0 {
            at = match rng.random_range(0..3) {
                0 => at ^ (1 << rng.random_range(10..SDRAM_BITS)),
                1 => rng.random_range(0..64),
                _ => rng.random_range(0..words),
            } % words;
            write = rng.random();
        }
        let valid = rng.random_range(0..8) > 0;
        let data = rng.random::<u128>() & whole;
        let strobes = if rng.random() { all } else { rng.random::<u64>() & all };
        bench.ask(valid, write, at * bytes, data, strobes);
        bench.low(true);
        if let Some(word) = bench.get() {
            let (address, expected): (u32, u128) = asked[answered];
            assert_eq!(word, expected, "{clock_hz} Hz, cycle {cycle}: word at {address:#x}");
            answered += 1;
        }
        if valid && bench.dut.get(bench.ready) == 1 {
            let unwritten = |chip: &SdramChip| {
                (0..bytes / 2).fold(0, |word, lane| word | u128::from(chip.word(at * bytes + 2 * lane)) << (16 * lane))
            };
            let old = *model.entry(at).or_insert_with(|| unwritten(&bench.chip.chip));
            if write {
                model.insert(at, merged(old, data, strobes) & whole);
            } else {
                asked.push((at * bytes, old));
            }
            at = (at + 1) % words;
        }
        bench.high();
    }
    bench.chip.check();
    assert!(answered > 500 && asked.len() - answered <= 3, "{} asked, {answered} answered", asked.len());
    let period = 1e9 / f64::from(clock_hz);
    let least = (30_000.0 * period / 7_812.5) as u64;
    assert!(bench.chip.chip.refreshes() >= least, "{} refreshes", bench.chip.chip.refreshes());
}

#[test]
fn every_word_comes_back_and_no_rule_of_the_chip_is_broken() {
    for clock_hz in CLOCKS {
        traffic(8, clock_hz);
    }
    traffic(16, 75_000_000);
}

#[test]
fn words_in_an_open_row_take_a_cycle_per_two_bytes() {
    for (bytes, write) in [(8u32, false), (8, true), (16, false), (16, true)] {
        let mut bench = Bench::new(bytes as usize, 50_000_000, 3);
        assert_eq!(bench.start(), 10_034, "200 us, a PRECHARGE, eight refreshes, the mode");
        let mut taken = vec![];
        for cycle in 0..900u64 {
            bench.ask(true, write, taken.len() as u32 * bytes, cycle.into(), u64::MAX >> (64 - bytes));
            bench.low(true);
            if bench.dut.get(bench.ready) == 1 {
                taken.push(cycle);
            }
            bench.high();
        }
        bench.chip.check();
        // Within the first row of the first bank; a refresh may come between.
        let gaps: Vec<u64> = taken.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let slow = gaps[1..60].iter().filter(|&&gap| gap != u64::from(bytes) / 2).count();
        assert!(slow <= 1, "{gaps:?}");
    }
}

#[test]
fn rows_cost_what_the_page_says() {
    for (clock_hz, closed, other) in [(50_000_000, 1, 2), (75_000_000, 2, 4)] {
        let mut bench = Bench::new(8, clock_hz, 4);
        bench.start();
        // Cycles from the acceptance of a read to its word.
        let mut read = |address: u32| {
            let (mut taken, mut cycles) = (false, 0);
            loop {
                bench.ask(!taken, false, address, 0, 0xff);
                bench.low(true);
                let word = bench.get();
                taken |= bench.dut.get(bench.ready) == 1;
                bench.high();
                if word.is_some() {
                    return cycles;
                }
                cycles += u64::from(taken);
                assert!(cycles < 50, "no word");
            }
        };
        // The first refresh is far away: all rows are closed.
        let first = read(0);
        let open = read(8);
        assert_eq!(first - open, closed, "{clock_hz} Hz: a closed row");
        assert_eq!(read(16), open);
        assert_eq!(read(1 << 12) - open, other, "{clock_hz} Hz: another row of the bank");
        assert_eq!(read(1 << 10) - open, closed, "{clock_hz} Hz: a bank that was not used yet");
        bench.chip.check();
    }
}

/// The chip at 100 MHz after the commands that set it up, at a cycle from which everything may come.
fn ready_chip() -> SdramChip {
    let mut chip = SdramChip::new(SdramLimits::MT48LC16M16A2_75, 100_000_000, Poison::new(1));
    idle(&mut chip, 10_000);
    chip.clock(&pins(2, 0, 1 << 10));
    for _ in 0..2 {
        idle(&mut chip, 10);
        chip.clock(&pins(1, 0, 0));
    }
    idle(&mut chip, 10);
    chip.clock(&pins(0, 0, 0x20));
    idle(&mut chip, 10);
    assert!(chip.violations().is_empty(), "{:?}", chip.violations());
    chip
}

fn pins(command: u8, bank: u8, address: u16) -> SdramPins {
    SdramPins { command, bank, address, mask: 0, data: (command == 4).then_some(0x1234) }
}

fn idle(chip: &mut SdramChip, cycles: u32) {
    for _ in 0..cycles {
        chip.clock(&pins(7, 0, 0));
    }
}

/// Commands with the idle cycles before each.
fn said(commands: &[(u32, SdramPins)]) -> Vec<String> {
    let mut chip = ready_chip();
    for (before, pins) in commands {
        idle(&mut chip, *before);
        chip.clock(pins);
    }
    chip.violations().to_vec()
}

#[test]
fn the_chip_sees_every_broken_rule_and_lets_the_limits_pass() {
    let (active, read, write, close, refresh) =
        (pins(3, 1, 7), pins(5, 1, 3), pins(4, 1, 3), pins(2, 1, 0), pins(1, 0, 0));
    // 100 MHz: tRCD 2, tRP 2, tRAS 5, tRC 7, tRRD 2, tRFC 7, tWR 2 cycles.
    let legal = [
        (0, active),
        (1, write),
        (2, close),
        (1, active),
        (1, read),
        (2, close),
        (1, refresh),
        (6, active),
        (1, pins(3, 2, 9)),
        (4, close),
    ];
    let broken = said(&legal);
    assert!(broken.is_empty(), "{broken:?}");
    for (what, commands) in [
        ("tRCD", vec![(0, active), (0, read)]),
        ("tRAS", vec![(0, active), (3, close)]),
        ("tRP", vec![(0, active), (4, close), (0, active)]),
        ("tRC", vec![(0, active), (3, close), (1, active)]),
        ("tRRD", vec![(0, active), (0, pins(3, 2, 9))]),
        ("tWR", vec![(0, active), (3, write), (0, close)]),
        ("tRFC", vec![(0, refresh), (5, active)]),
        ("is closed", vec![(0, read)]),
        ("is closed", vec![(0, active), (4, close), (2, write)]),
        ("is open", vec![(0, active), (4, pins(3, 1, 8))]),
        ("is open", vec![(0, active), (9, refresh)]),
        ("no refresh", vec![(800, active)]),
        ("on their way", vec![(0, active), (1, read), (0, write)]),
        ("at once", vec![(0, active), (1, read), (1, write), (0, write)]),
        ("by itself", vec![(0, active), (1, pins(5, 1, 1 << 10))]),
        ("nobody uses", vec![(0, active), (1, pins(6, 1, 0))]),
        ("mode", vec![(0, pins(0, 0, 0x21))]),
        ("nobody drives", vec![(0, active), (1, SdramPins { data: None, ..write })]),
    ] {
        let broken = said(&commands);
        assert!(broken.iter().any(|text| text.contains(what)), "{what}: {broken:?}");
    }
    let mut early = SdramChip::new(SdramLimits::MT48LC16M16A2_75, 100_000_000, Poison::new(1));
    early.clock(&pins(2, 0, 1 << 10));
    early.clock(&pins(0, 0, 0x20));
    early.clock(&active);
    let broken = early.violations().join("\n");
    for what in ["stable", "two refreshes", "after LOAD MODE"] {
        assert!(broken.contains(what), "{what}: {broken}");
    }
}

#[test]
fn read_data_are_taken_in_the_middle_of_their_time() {
    for clock_hz in CLOCKS {
        let timing = Timing::at(clock_hz);
        let period = 1e9 / f64::from(clock_hz);
        let at = f64::from(timing.capture_halves) / 2.0 * period;
        // From the access time after one edge to the hold time after the next, 6 ns of registers, pads and wires later.
        let (from, to) = (1.5 * period + 6.0 + 6.0, 2.5 * period + 2.7 + 6.0);
        assert!(from < at && at < to, "{clock_hz} Hz: {from:.1} < {at:.1} < {to:.1}");
    }
}
