// SPDX-License-Identifier: Apache-2.0
//! Stepping a program: the same cycles and the same memory as in one run, every event once, flags that follow from the events in every cycle,
//! and buffers that hold what the program put there, when it put it there.

#![allow(clippy::unwrap_used)]

use host::{
    Access, Breakpoint, Debugger, Ended, Event, Gemm, MemorySettings, Program, Report, Simulated, Transport, Window,
};
use isa::asm::assemble;
use isa::csr::{RIGHT_READ, RIGHT_WRITE};
use isa::{Cause, Config, Counter, Flag, Inst, Instruction, LocalBuffer, Pipe, Side};
use std::collections::BTreeMap;
use std::fs;

/// Operands of a product: every value occurs.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at * 37 % 251) as u8).collect()
}

/// Bytes, and where they lie.
type Contents = Vec<(u64, Vec<u8>)>;

/// The product as a program with the memory it starts from, and where its result lies.
fn product(config: &Config, m: usize, n: usize, k: usize) -> (Program, Contents, (u64, usize)) {
    let compiled = Gemm::new(m, n, k).compile(config).unwrap();
    let (a, b) = (bytes(m * k), bytes(k * n));
    let job = compiled.job(&a, &b).unwrap();
    let contents = job.operands.iter().map(|operand| (operand.address, operand.bytes.to_vec())).collect();
    (job.program.clone(), contents, (job.result.address, job.result.bytes))
}

/// `examples/hello.qasm` on its image at address 0.
fn hello(text: &str) -> (Program, Contents) {
    let image = fs::read("examples/hello.txt").unwrap();
    let window = Window { first: 0, last: image.len() as u64 - 1, rights: RIGHT_READ | RIGHT_WRITE };
    let program = assemble(text, "hello").unwrap_or_else(|errors| panic!("{}", errors[0])).program;
    (Program::new(program, 4096, vec![0; 16], vec![window]).unwrap(), vec![(0, image)])
}

fn hello_text() -> String {
    fs::read_to_string("examples/hello.qasm").unwrap()
}

/// A debugger; on `tiny` with the simulation that `quader step` builds, so that it is one less to build.
fn stepped(config: &Config, memory: MemorySettings, program: Program, contents: Contents) -> Debugger {
    Debugger::new(config, memory, program, contents, config.name == "tiny").unwrap_or_else(|error| panic!("{error}"))
}

/// The same in one run.
fn whole_run(
    config: &Config,
    memory: MemorySettings,
    program: &Program,
    contents: &[(u64, Vec<u8>)],
) -> (Simulated, Report) {
    let mut core = Simulated::new(config, memory).unwrap();
    for (address, bytes) in contents {
        core.write(*address, bytes).unwrap();
    }
    let report = core.run(program).unwrap();
    (core, report)
}

/// Steps to the end; every cycle the flags of the hardware are those that the events make.
fn step_through(debugger: &mut Debugger) -> Vec<(u64, Event)> {
    let mut flags: BTreeMap<Flag, u8> = BTreeMap::new();
    let mut all = Vec::new();
    while debugger.ended().is_none() {
        let cycle = debugger.cycle();
        let events = debugger.step().unwrap();
        for event in &events {
            match event {
                Event::Raised { flag, .. } => *flags.entry(*flag).or_default() += 1,
                Event::Taken { flag, .. } => *flags.get_mut(flag).expect("it was raised before") -= 1,
                _ => {}
            }
        }
        let look = debugger.look();
        for (&flag, &count) in &flags {
            assert_eq!(look.flag(flag), count, "{flag} after cycle {cycle}");
        }
        all.extend(events.into_iter().map(|event| (cycle, event)));
    }
    all
}

#[test]
fn a_stepped_product_takes_the_same_cycles_and_tells_every_instruction_once() {
    let config = Config::lite();
    let memory = MemorySettings { stall: 0.3, latency: 20, ..MemorySettings::default() };
    let (program, contents, (address, len)) = product(&config, 70, 40, 90);
    let (mut core, report) = whole_run(&config, memory, &program, &contents);
    let mut debugger = stepped(&config, memory, program.clone(), contents);
    assert_eq!((debugger.cycle(), debugger.recording().cycles), (0, 0));
    let events = step_through(&mut debugger);
    assert_eq!(debugger.ended(), Some(&Ended::Done));
    assert_eq!(debugger.cycle(), report.get(Counter::TotalCycles).unwrap());
    assert_eq!(debugger.read(address, len).unwrap(), core.read(address, len).unwrap());
    assert!(debugger.step().unwrap().is_empty(), "nothing happens after the end");

    let instructions = program.instructions();
    let pcs = |wanted: &dyn Fn(&Inst) -> bool| -> Vec<u32> {
        (0..instructions.len()).filter(|&at| wanted(&instructions[at])).map(|at| 32 * at as u32).collect()
    };
    let sorted = |found: &dyn Fn(&Event) -> Option<u32>| {
        let mut found: Vec<u32> = events.iter().filter_map(|(_, event)| found(event)).collect();
        found.sort_unstable();
        found
    };
    let is_set = |inst: &Inst| matches!(inst.op, Instruction::Set { .. });
    let of_s = |inst: &Inst| inst.op.queue() == Pipe::S;
    let operations = pcs(&|inst| !is_set(inst) && !of_s(inst));
    assert!(operations.len() > 20, "{operations:?}");
    assert_eq!(sorted(&|event| if let Event::Started { pc, .. } = event { Some(*pc) } else { None }), operations);
    assert_eq!(sorted(&|event| if let Event::Finished { pc, .. } = event { Some(*pc) } else { None }), operations);
    assert_eq!(sorted(&|event| if let Event::Wrote { pc, .. } = event { Some(*pc) } else { None }), pcs(&is_set));
    assert_eq!(sorted(&|event| if let Event::Passed { pc } = event { Some(*pc) } else { None }), pcs(&of_s));
    let asked = events.iter().filter(|(_, event)| matches!(event, Event::Asked(_))).count();
    assert_eq!(asked, debugger.recording().bursts.len());
    assert_eq!(debugger.outstanding().count(), 0);
    let raised: usize = instructions.iter().map(|inst| inst.sets.len()).sum();
    let found = events.iter().filter(|(_, event)| matches!(event, Event::Raised { .. })).count();
    assert!(raised > 10 && raised == found, "{raised} {found}");

    // Again, and the same.
    debugger.restart().unwrap();
    assert_eq!((debugger.cycle(), debugger.ended()), (0, None));
    assert_eq!(step_through(&mut debugger), events);
}

/// Steps until a breakpoint is hit.
fn run_to(debugger: &mut Debugger, breakpoint: Breakpoint) {
    let bus = debugger.config().bus_bytes;
    loop {
        let events = debugger.step().unwrap();
        if breakpoint.hits(&events, debugger.cycle(), bus) {
            return;
        }
        assert!(debugger.ended().is_none(), "{breakpoint} was never hit");
    }
}

/// Program counter of the first instruction with this opcode.
fn pc_of(program: &Program, mnemonic: &str) -> u32 {
    let instructions = program.instructions();
    let at = instructions.iter().position(|inst| inst.op.opcode().mnemonic() == mnemonic);
    32 * at.expect("the program has one") as u32
}

#[test]
fn buffers_of_tiny_hold_each_operand_when_its_reader_starts() {
    buffers_hold_each_operand_when_its_reader_starts(&Config::tiny());
}

#[test]
fn buffers_of_lite_hold_each_operand_when_its_reader_starts() {
    buffers_hold_each_operand_when_its_reader_starts(&Config::lite());
}

/// The product of `hello.qasm`, whose flags let each pipe start when the one before has finished.
fn buffers_hold_each_operand_when_its_reader_starts(config: &Config) {
    let (program, contents) = hello(&hello_text());
    let image = contents[0].1.clone();
    let line = |number: usize, at: usize| i32::from(image[17 * number + at]);
    let a = |row: usize, k: usize| line(1 + row, k);
    let b = |k: usize, column: usize| line(6 + k, column) - i32::from(b'0');
    let mut debugger = stepped(config, MemorySettings::default(), program, contents);

    let load_b = pc_of(debugger.program(), "mte1.loadb");
    run_to(&mut debugger, Breakpoint::Pc(load_b));
    for (row, k) in (0..16).flat_map(|row| (0..16).map(move |k| (row, k))) {
        // nz: rows of 32 bytes in a panel.
        let byte = debugger.look().byte(LocalBuffer::L1, 512 + 32 * row + k).unwrap();
        assert_eq!(i32::from(byte), line(6 + row, k), "L1 row {row} byte {k}");
    }
    let state = debugger.pipe(Pipe::Mte1);
    assert!(state.in_flight.iter().any(|op| op.pc == load_b && op.started == debugger.cycle() - 1), "{state:?}");
    assert!(!debugger.look().l0(Side::B, 0, 0, 0).unwrap().full, "nothing of B is there yet");
    let m = debugger.pipe(Pipe::M);
    let mmad = pc_of(debugger.program(), "m.mmad");
    assert_eq!((m.head, m.missing.last()), (Some(mmad), Some(&Flag { from: Pipe::Mte1, to: Pipe::M, id: 1 })));
    assert_eq!(debugger.look().register(Pipe::Mte1, isa::state::mte1::ZERO_POINT_B), Some(48));
    let scale = debugger.look().register(Pipe::Fix, isa::state::fix::SCALE);
    assert_eq!(scale, Some(1.0f32.to_bits()));
    assert_eq!(debugger.look().register(Pipe::Fix, isa::state::fix::CLAMP_LOW), None, "it was never set");

    run_to(&mut debugger, Breakpoint::Pc(mmad));
    for (row, k) in (0..16).flat_map(|row| (0..16).map(move |k| (row, k))) {
        let look = debugger.look();
        if row < 4 {
            let element = look.l0(Side::A, 0, row, k).unwrap();
            assert_eq!((i32::from(element.value), element.full), (a(row, k), true), "A row {row} k {k}");
        }
        let element = look.l0(Side::B, 0, row, k).unwrap();
        assert_eq!((i32::from(element.value), element.full), (b(k, row), true), "B column {row} k {k}");
    }

    let store = pc_of(debugger.program(), "fix.store");
    run_to(&mut debugger, Breakpoint::Pc(store));
    for (row, column) in (0..4).flat_map(|row| (0..16).map(move |column| (row, column))) {
        let sum: i32 = (0..16).map(|k| a(row, k) * b(k, column)).sum();
        let element = debugger.look().l0c(0, row, column).unwrap();
        assert_eq!((element.value, element.full), (sum, true), "C row {row} column {column}");
    }
    assert_eq!(debugger.read(17 * 23, 16).unwrap(), [b'.'; 16], "nothing is stored yet");
    run_to(&mut debugger, Breakpoint::Address(17 * 24, Access::Write));
    let burst = *debugger.outstanding().last().unwrap();
    assert!(burst.write && burst.asked == debugger.cycle() - 1, "{burst:?}");
}

#[test]
fn flags_and_cycles_stop_a_run_where_they_are() {
    let (program, contents) = hello(&hello_text());
    let mut debugger = stepped(&Config::tiny(), MemorySettings::default(), program, contents);
    run_to(&mut debugger, Breakpoint::Cycle(40));
    assert_eq!(debugger.cycle(), 40);
    let flag = Flag { from: Pipe::Mte1, to: Pipe::M, id: 1 };
    run_to(&mut debugger, Breakpoint::Flag(flag));
    assert_eq!(debugger.look().flag(flag), 1, "raised, not taken yet");
    let raised = debugger.cycle();
    run_to(&mut debugger, Breakpoint::Flag(flag));
    assert_eq!(debugger.look().flag(flag), 0);
    assert!(debugger.cycle() > raised);
}

#[test]
fn a_fault_leaves_its_record_and_the_core_as_it_was() {
    // The second row of C would leave the window.
    let text = hello_text().replace("dst_stride=LINE dtype_out", "dst_stride=4096 dtype_out");
    let (program, contents) = hello(&text);
    let store = pc_of(&program, "fix.store");
    let mut debugger = stepped(&Config::tiny(), MemorySettings::default(), program, contents);
    run_to(&mut debugger, Breakpoint::Fault);
    let Some(Ended::Fault(record)) = debugger.ended() else { panic!("{:?}", debugger.ended()) };
    assert_eq!((record.cause, record.pipe, record.pc), (Cause::WindowWrite, Pipe::Fix, store));
    assert_eq!(record.address, 17 * 23 + 4096);
    assert_eq!(debugger.pipe(Pipe::Fix).in_flight.first().map(|op| op.pc), Some(store));
    assert!(debugger.look().l0c(0, 0, 0).unwrap().full, "the sums are still there");
    debugger.restart().unwrap();
    assert_eq!((debugger.cycle(), debugger.ended()), (0, None));
}

#[test]
fn memory_can_be_changed_under_way() {
    let (program, contents) = hello(&hello_text());
    let mut debugger = stepped(&Config::tiny(), MemorySettings::default(), program, contents);
    // The permutation becomes the identity before it is read.
    for k in 0..16 {
        let row: Vec<u8> = (0..16).map(|column| if column == k { b'1' } else { b'0' }).collect();
        debugger.write(17 * (6 + k), &row).unwrap();
    }
    run_to(&mut debugger, Breakpoint::Cycle(300));
    while debugger.ended().is_none() {
        debugger.step().unwrap();
    }
    for row in 0..4 {
        assert_eq!(debugger.read(17 * (23 + row), 16).unwrap(), debugger.read(17 * (1 + row), 16).unwrap());
    }
    assert!(debugger.write(u64::MAX - 3, &[0; 8]).is_err());
}
