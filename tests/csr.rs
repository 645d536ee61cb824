// SPDX-License-Identifier: Apache-2.0
//! The register space in Verilator, all of it: every address, every strobe pattern, every status. What is refused answers SLVERR and
//! changes nothing.

#![allow(clippy::unwrap_used)]

use isa::Config;
use isa::csr::{Access, CONTEXT_PAGE, Csr, DEVICE_PAGE, PAGE_BYTES, Status, at, context, context_address};
use rust_hdl::prelude::Block;
use sim::axil::AxilDriver;
use sim::{Bench, Resp};
use verilated::{Build, Port, Reset};

/// Bytes of the register space.
const SPACE: u32 = 1 << 16;

/// What the tables list at an address.
fn register(address: u32) -> Option<&'static Csr> {
    match address / PAGE_BYTES {
        0 => at(DEVICE_PAGE, address % PAGE_BYTES),
        1 => at(CONTEXT_PAGE, address % PAGE_BYTES),
        _ => None,
    }
    .map(|found| found.0)
}

/// True if a write of all four bytes is obeyed.
fn obeyed(address: u32, status: Status) -> bool {
    let started = status == Status::Running || status == Status::Fault;
    register(address).is_some_and(|csr| match csr.access {
        Access::Ro => false,
        Access::RwIdle => status != Status::Running,
        _ => !(started && address == context_address(0, context::START)),
    })
}

struct Registers {
    bench: Bench,
    status: Port,
    pulses: [Port; 3],
    /// Cycles in which something was started, reset or copied.
    pulsed: u64,
}

impl Registers {
    fn new(config: &Config) -> Registers {
        let mut csr = rtl::csr::Csr::new(config);
        csr.connect_all();
        let design = rtl::emit::emit(&csr, "csr").unwrap_or_else(|error| panic!("{error}"));
        let model = Build::new("csr").texts(design.files()).build().unwrap_or_else(|error| panic!("{error}"));
        let dut = model.instance(Reset::Random(4)).unwrap();
        let mut bench = Bench::new(dut).unwrap().with_lite("s_axil_", AxilDriver::new(1, 0)).unwrap();
        bench.reset(2).unwrap();
        let status = bench.dut().port("status").unwrap();
        let pulses = ["start", "soft_reset", "snapshot"].map(|name| bench.dut().port(name).unwrap());
        Registers { bench, status, pulses, pulsed: 0 }
    }

    fn wait(&mut self) {
        while !self.bench.driver().is_idle() {
            self.bench.step().unwrap();
            self.pulsed += self.pulses.iter().map(|&pulse| self.bench.dut().get(pulse)).sum::<u64>();
        }
    }

    fn write(&mut self, address: u32, value: u32, strobes: u8) -> Resp {
        self.bench.driver_mut().start_write(address, value, strobes);
        self.wait();
        self.bench.driver_mut().take_write().unwrap()
    }

    fn read(&mut self, address: u32) -> (u32, Resp) {
        self.bench.driver_mut().start_read(address);
        self.wait();
        self.bench.driver_mut().take_read().unwrap()
    }

    /// Every register, by address.
    fn contents(&mut self) -> Vec<u32> {
        let listed: Vec<u32> = (0..2 * PAGE_BYTES).filter(|&address| register(address).is_some()).collect();
        listed.into_iter().map(|address| self.read(address).0).collect()
    }
}

#[test]
fn every_refused_access_answers_slverr_and_changes_nothing() {
    let mut registers = Registers::new(&Config::tiny());
    // Something to lose in every register that keeps what is written.
    for address in (0..2 * PAGE_BYTES).step_by(4) {
        if register(address).is_some_and(|csr| matches!(csr.access, Access::Rw | Access::RwIdle)) {
            assert_eq!(registers.write(address, 0x9E37_79B9u32.rotate_left(address / 4), 15), Resp::Okay);
        }
    }
    let before = registers.contents();
    for address in 0..SPACE {
        let (value, resp) = registers.read(address);
        match register(address) {
            Some(_) => assert_eq!(resp, Resp::Okay, "read of {address:#x}"),
            None => assert_eq!((value, resp), (0, Resp::SlvErr), "read of {address:#x}"),
        }
    }
    let mut refused = 0;
    for status in [Status::Idle, Status::Running, Status::Done, Status::Fault] {
        let port = registers.status;
        registers.bench.dut_mut().set(port, status as u64);
        for address in 0..SPACE {
            // All strobes at every word once; whole words at every byte, and at every register in every status.
            let aligned = address % 4 == 0 && status == Status::Idle;
            for strobes in if aligned { 0..16 } else { 15..16 } {
                let skip =
                    (status != Status::Idle && register(address).is_none()) || strobes == 15 && obeyed(address, status);
                if !skip {
                    let resp = registers.write(address, u32::MAX, strobes);
                    assert_eq!(resp, Resp::SlvErr, "write of {address:#x} with strobes {strobes:04b}, {status:?}");
                    refused += 1;
                }
            }
        }
    }
    registers.bench.dut_mut().set(registers.status, 0);
    assert_eq!(registers.pulsed, 0, "a refused write started, reset or copied something");
    assert_eq!(registers.contents(), before);
    println!("{SPACE} addresses read, {refused} writes refused");
    // Four strobes at an address within a word are against the rules of the bus, and were meant to be.
    let mut violations = registers.bench.violations();
    violations.retain(|violation| !violation.contains("lie outside its lanes"));
    assert_eq!(violations, Vec::<String>::new());
}
