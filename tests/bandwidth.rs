// SPDX-License-Identifier: Apache-2.0
//! How much of the bus the DMA engines use, and the exact cycles, from the first address to the last answer, behind a memory with a long latency.

#![allow(clippy::unwrap_used)]

use isa::csr::{RIGHT_EXECUTE, RIGHT_READ, RIGHT_WRITE};
use isa::{
    Config, GmAddress, Inst, Instruction, Layout, LocalBuffer, Mte2Load, Mte3Store, ProgramBuilder, encode_program,
};
use sim::core::{Core, Ended, Run};
use sim::memory::{Access, LogEntry};
use sim::{GlobalMemory, MemoryConfig, Poison};
use verilated::Reset;

const PROGRAM: u64 = 0x1_0000;
const SOURCE: u64 = 0x10_0000;
const TARGET: u64 = 0x80_0000;

/// A copy: rows of bytes through L1.
#[derive(Clone, Copy, Debug)]
struct Copy {
    rows: u16,
    len_bytes: u32,
    gm_stride: u32,
    shift: u64,
    latency: u32,
}

fn load(copy: Copy) -> Instruction {
    Instruction::Mte2Load(Mte2Load {
        gm: GmAddress { base: 0, offset: copy.shift },
        gm_stride: copy.gm_stride,
        layout: Layout::Rows,
        dst: LocalBuffer::L1,
        dst_address: 0,
        dst_stride: copy.len_bytes,
        rows: copy.rows,
        len_bytes: copy.len_bytes,
    })
}

fn store(copy: Copy) -> Instruction {
    Instruction::Mte3Store(Mte3Store {
        gm: GmAddress { base: 1, offset: copy.shift },
        gm_stride: copy.gm_stride,
        layout: Layout::Rows,
        src: LocalBuffer::L1,
        src_address: 0,
        src_stride: copy.len_bytes,
        rows: copy.rows,
        len_bytes: copy.len_bytes,
    })
}

/// Cycles that reading and writing took, from the first address to the last answer.
fn cycles(config: &Config, copy: Copy) -> (u64, u64) {
    let mut builder = ProgramBuilder::new();
    builder.push(load(copy));
    // Nothing of the store may run while the load is measured.
    builder.barrier();
    builder.push(store(copy));
    let program: Vec<Inst> = builder.finish();
    let code = encode_program(&program).unwrap();
    let memory = MemoryConfig { latency: copy.latency, ..MemoryConfig::ideal(config.bus_bytes) };
    let gm = GlobalMemory::new(Poison::new(5));
    let mut core = Core::new(config, memory, gm, Reset::Random(3)).unwrap_or_else(|error| panic!("{error}"));
    core.gm().write(PROGRAM, &code);
    core.bench_mut().memory_mut().keep_log();
    let windows = vec![
        (PROGRAM, PROGRAM + code.len() as u64 + 63, RIGHT_EXECUTE),
        (SOURCE, SOURCE + 0x3F_FFFF, RIGHT_READ),
        (TARGET, TARGET + 0x3F_FFFF, RIGHT_WRITE),
    ];
    let run = Run { program: PROGRAM, length: code.len() as u32, bases: vec![SOURCE, TARGET], windows, limit: 100_000 };
    assert_eq!(core.run(&run).unwrap(), Ended::Done);
    core.counters().unwrap();
    let rows = u64::from(copy.rows);
    for row in 0..rows {
        let at = copy.shift + row * u64::from(copy.gm_stride);
        let (from, to) = (
            core.gm().read(SOURCE + at, copy.len_bytes as usize),
            core.gm().read(TARGET + at, copy.len_bytes as usize),
        );
        assert_eq!(from, to, "row {row} of {copy:?}");
    }
    let memory = core.bench().memory();
    let since = |access, id, last: u64| {
        let asked = |entry: &&LogEntry| entry.access == access && entry.address.id == id;
        last - memory.log().iter().find(asked).unwrap().cycle + 1
    };
    let traffic = memory.traffic();
    (since(Access::Read, 1, traffic.last_read_beat), since(Access::Write, 1, traffic.last_write_answer))
}

/// The share of the bus is at least `least` percent both ways, and the cycles of loading and of storing are `exact`.
fn assert_shares(config: &Config, copy: Copy, least: f64, exact: (u64, u64)) {
    let name = format!("bandwidth-{}-{}", config.name, copy.rows);
    sim::waves::on_failure(&name, || measure(config, copy, least, exact));
}

fn measure(config: &Config, copy: Copy, least: f64, exact: (u64, u64)) {
    let took = cycles(config, copy);
    let words = (u64::from(copy.rows) * u64::from(copy.len_bytes)) as f64 / config.bus_bytes as f64;
    let (read, write) = (100.0 * words / took.0 as f64, 100.0 * words / took.1 as f64);
    println!("{} {copy:?}: MTE2 {read:.2} %, MTE3 {write:.2} % in {took:?} cycles", config.name);
    assert!(
        read >= least && write >= least,
        "{copy:?}: MTE2 {read:.2} %, MTE3 {write:.2} %, at least {least} % is asked for"
    );
    assert_eq!(took, exact, "{copy:?}: cycles of MTE2 and MTE3");
}

#[test]
fn lite_copies_64_kib_at_95_percent_of_the_bus() {
    let copy = Copy { rows: 1, len_bytes: 64 << 10, gm_stride: 0, shift: 0, latency: 100 };
    assert_shares(&Config::lite(), copy, 95.0, (4196, 4201));
}

#[test]
fn lite_copies_rows_of_256_bytes_at_odd_alignment_at_90_percent() {
    let copy = Copy { rows: 256, len_bytes: 256, gm_stride: 1003, shift: 5, latency: 100 };
    assert_shares(&Config::lite(), copy, 90.0, (4436, 4441));
}

#[test]
fn max_copies_256_kib_at_90_percent_of_the_bus() {
    let copy = Copy { rows: 1, len_bytes: 256 << 10, gm_stride: 0, shift: 0, latency: 200 };
    assert_shares(&Config::max(), copy, 90.0, (4296, 4301));
}
