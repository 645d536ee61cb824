// SPDX-License-Identifier: Apache-2.0
//! The rows of the register map.

use super::{Access, Csr, CsrField, MAGIC, NO_PROGRESS_RESET, Reset, context as c, device as d};
use crate::counter::Counter;
use crate::limits::{BASES, ISA_VERSION, WINDOWS};

const fn f(name: &'static str, lo: u8, width: u8, doc: &'static str) -> CsrField {
    CsrField { name, lo, width, doc }
}

const fn ro(offset: u32, name: &'static str, reset: Reset, doc: &'static str) -> Csr {
    Csr { offset, name, count: 1, stride: 0, access: Access::Ro, reset, fields: VALUE, doc }
}

const fn csr(offset: u32, name: &'static str, access: Access, fields: &'static [CsrField], doc: &'static str) -> Csr {
    Csr { offset, name, count: 1, stride: 0, access, reset: Reset::Value(0), fields, doc }
}

const fn array(
    offset: u32,
    name: &'static str,
    (count, stride): (usize, u32),
    access: Access,
    fields: &'static [CsrField],
    doc: &'static str,
) -> Csr {
    Csr { offset, name, count: count as u32, stride, access, reset: Reset::Value(0), fields, doc }
}

const VALUE: &[CsrField] = &[f("value", 0, 32, "value")];
const HIGH: &[CsrField] = &[f("value", 0, 8, "bits 39:32")];
const DONE_FAULT: &[CsrField] = &[f("done", 0, 1, "the program ended"), f("fault", 1, 1, "the program faulted")];

/// The registers of page 0, by offset.
pub static DEVICE_PAGE: &[Csr] = &[
    ro(d::MAGIC, "magic", Reset::Value(MAGIC), "the bytes QUAD, the first one lowest"),
    ro(d::ISA_VERSION, "isa_version", Reset::Value(ISA_VERSION), "major version in bits 31:16, minor in 15:0"),
    ro(d::BUILD_HASH, "build_hash", Reset::Config(|config| config.hash()), "FNV-1a over ISA version and configuration"),
    ro(d::CONTEXTS, "contexts", Reset::Value(super::CONTEXTS), "contexts that the core has"),
    ro(d::CORE_ID, "core_id", Reset::Value(0), "number of this core; 0 in this version"),
    ro(d::CORE_COUNT, "core_count", Reset::Value(1), "cores that share the memory; 1 in this version"),
    ro(d::FEATURES, "features", Reset::Config(|config| config.features()), "bit r: rounding mode r is there"),
    ro(d::DTYPES, "dtypes", Reset::Config(|config| config.dtypes.bits()), "bit t: dtype code t is there"),
    ro(d::M0, "m0", Reset::Config(|config| config.m0 as u32), "rows of a cube step"),
    ro(d::K0, "k0", Reset::Config(|config| config.k0 as u32), "bytes of k of a cube step"),
    ro(d::N0, "n0", Reset::Config(|config| config.n0 as u32), "columns of a cube step"),
    ro(d::FIX_LANES, "fix_lanes", Reset::Config(|config| config.fix_lanes as u32), "results requantised per cycle"),
    ro(d::L1_BYTES, "l1_bytes", Reset::Config(|config| config.l1_bytes as u32), "bytes of L1"),
    ro(d::L0A_BYTES, "l0a_bytes", Reset::Config(|config| config.l0a_bytes as u32), "bytes of L0A, 512 per fractal"),
    ro(d::L0B_BYTES, "l0b_bytes", Reset::Config(|config| config.l0b_bytes as u32), "bytes of L0B, 512 per fractal"),
    ro(d::L0C_BYTES, "l0c_bytes", Reset::Config(|config| config.l0c_bytes as u32), "bytes of L0C, 1024 per fractal"),
    ro(d::UB_BYTES, "ub_bytes", Reset::Config(|config| config.ub_bytes as u32), "bytes of UB; 0: the core has none"),
    ro(d::FB_CHANNELS, "fb_channels", Reset::Config(|config| config.fb_channels as u32), "channels of FB"),
    ro(d::BUS_BYTES, "bus_bytes", Reset::Config(|config| config.bus_bytes as u32), "bytes of the GM bus"),
    ro(
        d::OUTSTANDING,
        "outstanding",
        Reset::Config(|config| config.outstanding as u32),
        "AXI transactions in flight per direction",
    ),
    ro(
        d::QUEUE_LEN,
        "queue_len",
        Reset::Config(|config| config.queue_len as u32),
        "instructions that a pipe's queue holds",
    ),
    ro(d::FETCH_BYTES, "fetch_bytes", Reset::Config(|config| config.fetch_bytes as u32), "bytes of the fetch FIFO"),
    ro(d::DSP_MULTS, "dsp_mults", Reset::Config(|config| config.dsp_mults as u32), "products on multiplier blocks"),
    ro(
        d::NAME,
        "name_0",
        Reset::Config(|config| name_word(config, 0)),
        "name of the core, characters 0 to 3, the first one lowest",
    ),
    ro(d::NAME + 4, "name_1", Reset::Config(|config| name_word(config, 1)), "characters 4 to 7"),
    ro(d::NAME + 8, "name_2", Reset::Config(|config| name_word(config, 2)), "characters 8 to 11"),
    ro(d::NAME + 12, "name_3", Reset::Config(|config| name_word(config, 3)), "characters 12 to 15"),
];

fn name_word(config: &crate::Config, word: usize) -> u32 {
    let byte = |index: usize| config.name.as_bytes().get(4 * word + index).copied().unwrap_or(0);
    u32::from_le_bytes(std::array::from_fn(byte))
}

const BASE: (usize, u32) = (BASES, c::BASE_STRIDE);
const WINDOW: (usize, u32) = (WINDOWS, c::WINDOW_STRIDE);
const COUNTER: (usize, u32) = (Counter::COUNT, c::COUNTER_STRIDE);

/// The registers of a context page, by offset (arrays by that of their element 0).
pub static CONTEXT_PAGE: &[Csr] = &[
    csr(
        c::START,
        "start",
        Access::Doorbell,
        &[f("start", 0, 1, "1: start the program")],
        "status idle or done: counters, flags, state registers and full bits are cleared, status becomes running, and the program starts at offset 0; status running or fault: SLVERR",
    ),
    csr(
        c::SOFT_RESET,
        "soft_reset",
        Access::Doorbell,
        &[f("reset", 0, 1, "1: stop and go idle")],
        "the core stops issuing, lets outstanding AXI transactions finish, clears fault record, irq_cause, counters, flags, state registers and full bits, and goes idle; program, bases, windows, irq_mask and no_progress_limit keep their values, buffers are undefined",
    ),
    csr(
        c::STATUS,
        "status",
        Access::Ro,
        &[
            f("state", 0, 2, "0 idle, 1 running, 2 done, 3 fault"),
            f("draining", 4, 1, "1: a fault or soft reset is letting AXI transactions finish"),
        ],
        "what the context does",
    ),
    csr(
        c::SNAPSHOT,
        "snapshot",
        Access::Doorbell,
        &[f("snapshot", 0, 1, "1: copy")],
        "copies all counters at once to where counter_lo and counter_hi read them; at any time",
    ),
    csr(
        c::IRQ_MASK,
        "irq_mask",
        Access::Rw,
        DONE_FAULT,
        "irq is high while irq_mask & irq_cause is not 0; soft reset keeps it",
    ),
    csr(
        c::IRQ_CAUSE,
        "irq_cause",
        Access::W1c,
        DONE_FAULT,
        "why irq may be high; setting wins over clearing in the same cycle",
    ),
    Csr {
        reset: Reset::Value(NO_PROGRESS_RESET),
        ..csr(
            c::NO_PROGRESS_LIMIT,
            "no_progress_limit",
            Access::RwIdle,
            VALUE,
            "a fault is raised after this many consecutive running cycles in which no pipe is busy, no AXI beat moves and nothing is dispatched; 0: never",
        )
    },
    csr(
        c::PROGRAM_LO,
        "program_lo",
        Access::RwIdle,
        &[f("value", 6, 26, "bits 31:6; the program lies at a multiple of 64 bytes")],
        "GM address of the program, low word",
    ),
    csr(c::PROGRAM_HI, "program_hi", Access::RwIdle, HIGH, "GM address of the program, high word"),
    csr(
        c::PROGRAM_LENGTH,
        "program_length",
        Access::RwIdle,
        &[f("value", 5, 27, "bits 31:5; whole instructions")],
        "bytes of the program; running past it, or starting with 0, is fault window_execute",
    ),
    csr(
        c::FAULT_CAUSE,
        "fault_cause",
        Access::Ro,
        &[f("cause", 0, 8, "0 none, else see the list of causes"), f("pipe", 8, 3, "pipe that found it")],
        "first fault since the last soft reset",
    ),
    csr(c::FAULT_PC, "fault_pc", Access::Ro, VALUE, "byte offset of the instruction from the program's start"),
    csr(c::FAULT_ADDRESS_LO, "fault_address_lo", Access::Ro, VALUE, "GM or buffer address of the fault, low word"),
    csr(c::FAULT_ADDRESS_HI, "fault_address_hi", Access::Ro, HIGH, "GM or buffer address of the fault, high word"),
    csr(
        c::REMOTE_FLAG,
        "remote_flag",
        Access::Ro,
        &[],
        "reserved for flags raised by other cores; reads 0 in this version",
    ),
    array(c::BASE_LO, "base_lo", BASE, Access::RwIdle, VALUE, "GM base register, low word"),
    array(c::BASE_HI, "base_hi", BASE, Access::RwIdle, HIGH, "GM base register, high word"),
    array(
        c::WINDOW_FIRST_LO,
        "window_first_lo",
        WINDOW,
        Access::RwIdle,
        VALUE,
        "lowest address of the window, low word",
    ),
    array(
        c::WINDOW_FIRST_HI,
        "window_first_hi",
        WINDOW,
        Access::RwIdle,
        HIGH,
        "lowest address of the window, high word",
    ),
    array(
        c::WINDOW_LAST_LO,
        "window_last_lo",
        WINDOW,
        Access::RwIdle,
        VALUE,
        "highest address of the window, low word",
    ),
    array(
        c::WINDOW_LAST_HI,
        "window_last_hi",
        WINDOW,
        Access::RwIdle,
        HIGH,
        "highest address of the window, high word",
    ),
    array(
        c::WINDOW_RIGHTS,
        "window_rights",
        WINDOW,
        Access::RwIdle,
        &[
            f("read", 0, 1, "reads by MTE2"),
            f("write", 1, 1, "writes by FIX and MTE3"),
            f("execute", 2, 1, "instruction fetch"),
        ],
        "what the window allows; all windows start without rights. Every burst of a load, a store or the fetch (instruction set, Faults) must lie in one window with the right",
    ),
    array(c::COUNTER_LO, "counter_lo", COUNTER, Access::Ro, VALUE, "counter as of the last snapshot, low word"),
    array(c::COUNTER_HI, "counter_hi", COUNTER, Access::Ro, VALUE, "counter as of the last snapshot, high word"),
];
