// SPDX-License-Identifier: Apache-2.0
//! The register map that the host sees over AXI4-Lite.
//!
//! Page 0 (4 KiB) is the device, page 1 + c is context c; this version has context 0 only. Registers are 32 bits.
//!
//! Rules for every access:
//! * An offset that the tables do not list answers SLVERR; reads give 0, writes do nothing.
//! * A write whose strobes are not all 1, to a read-only register, or to an idle-only register while the context runs,
//!   answers SLVERR and does nothing.
//! * A reserved bit reads 0 and ignores writes; so do the low bits of an aligned address.

mod table;

pub use table::{CONTEXT_PAGE, DEVICE_PAGE};

use crate::config::Config;
use crate::limits::{BASES, WINDOWS};

/// Bytes of a page.
pub const PAGE_BYTES: u32 = 0x1000;
/// Bits of an AXI4-Lite byte address: the device page and up to 15 contexts.
pub const CSR_ADDRESS_BITS: u32 = 16;
/// Contexts of this version.
pub const CONTEXTS: u32 = 1;
/// Value of the register `magic`: the bytes `QUAD`, the first one lowest.
pub const MAGIC: u32 = u32::from_le_bytes(*b"QUAD");

/// Byte address of a register of context `context` at `offset` in its page.
pub const fn context_address(context: u32, offset: u32) -> u32 {
    PAGE_BYTES * (1 + context) + offset
}

/// Offsets in the device page.
pub mod device {
    /// Identity.
    pub const MAGIC: u32 = 0x000;
    /// Version of the instruction set.
    pub const ISA_VERSION: u32 = 0x004;
    /// Build id.
    pub const BUILD_HASH: u32 = 0x008;
    /// Number of contexts.
    pub const CONTEXTS: u32 = 0x00C;
    /// Number of this core.
    pub const CORE_ID: u32 = 0x010;
    /// Number of cores.
    pub const CORE_COUNT: u32 = 0x014;
    /// Features.
    pub const FEATURES: u32 = 0x018;
    /// dtypes.
    pub const DTYPES: u32 = 0x01C;
    /// M0.
    pub const M0: u32 = 0x020;
    /// K0.
    pub const K0: u32 = 0x024;
    /// N0.
    pub const N0: u32 = 0x028;
    /// FIX lanes.
    pub const FIX_LANES: u32 = 0x02C;
    /// Bytes of L1.
    pub const L1_BYTES: u32 = 0x030;
    /// Bytes of L0A.
    pub const L0A_BYTES: u32 = 0x034;
    /// Bytes of L0B.
    pub const L0B_BYTES: u32 = 0x038;
    /// Bytes of L0C.
    pub const L0C_BYTES: u32 = 0x03C;
    /// Bytes of UB.
    pub const UB_BYTES: u32 = 0x040;
    /// Channels of FB.
    pub const FB_CHANNELS: u32 = 0x044;
    /// Bytes of the bus.
    pub const BUS_BYTES: u32 = 0x048;
    /// Transactions in flight.
    pub const OUTSTANDING: u32 = 0x04C;
    /// Queue length.
    pub const QUEUE_LEN: u32 = 0x050;
    /// Fetch FIFO.
    pub const FETCH_BYTES: u32 = 0x054;
    /// Products on multiplier blocks.
    pub const DSP_MULTS: u32 = 0x058;
    /// Name of the core, four words of ASCII.
    pub const NAME: u32 = 0x060;
}

/// Offsets in a context page.
pub mod context {
    /// Start doorbell.
    pub const START: u32 = 0x000;
    /// Soft reset.
    pub const SOFT_RESET: u32 = 0x004;
    /// Status.
    pub const STATUS: u32 = 0x008;
    /// Counter snapshot.
    pub const SNAPSHOT: u32 = 0x00C;
    /// Interrupt mask.
    pub const IRQ_MASK: u32 = 0x010;
    /// Interrupt cause.
    pub const IRQ_CAUSE: u32 = 0x014;
    /// Cycles without progress that make a fault.
    pub const NO_PROGRESS_LIMIT: u32 = 0x018;
    /// Program address, low word.
    pub const PROGRAM_LO: u32 = 0x020;
    /// Program address, high word.
    pub const PROGRAM_HI: u32 = 0x024;
    /// Program length in bytes.
    pub const PROGRAM_LENGTH: u32 = 0x028;
    /// Fault cause and pipe.
    pub const FAULT_CAUSE: u32 = 0x030;
    /// Fault program counter.
    pub const FAULT_PC: u32 = 0x034;
    /// Fault address, low word.
    pub const FAULT_ADDRESS_LO: u32 = 0x038;
    /// Fault address, high word.
    pub const FAULT_ADDRESS_HI: u32 = 0x03C;
    /// Remote flag (reserved).
    pub const REMOTE_FLAG: u32 = 0x040;
    /// Base registers, low words, 8 bytes apart.
    pub const BASE_LO: u32 = 0x080;
    /// Base registers, high words, 8 bytes apart.
    pub const BASE_HI: u32 = 0x084;
    /// Windows: lowest address, low words, 32 bytes apart.
    pub const WINDOW_FIRST_LO: u32 = 0x100;
    /// Windows: lowest address, high words, 32 bytes apart.
    pub const WINDOW_FIRST_HI: u32 = 0x104;
    /// Windows: highest address, low words, 32 bytes apart.
    pub const WINDOW_LAST_LO: u32 = 0x108;
    /// Windows: highest address, high words, 32 bytes apart.
    pub const WINDOW_LAST_HI: u32 = 0x10C;
    /// Windows: rights, 32 bytes apart.
    pub const WINDOW_RIGHTS: u32 = 0x110;
    /// Counter snapshot, low words, 8 bytes apart.
    pub const COUNTER_LO: u32 = 0x200;
    /// Counter snapshot, high words, 8 bytes apart.
    pub const COUNTER_HI: u32 = 0x204;
    /// Bytes between two base registers.
    pub const BASE_STRIDE: u32 = 8;
    /// Bytes between two windows.
    pub const WINDOW_STRIDE: u32 = 32;
    /// Bytes between two counters.
    pub const COUNTER_STRIDE: u32 = 8;
}

/// Values of `status.state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Status {
    /// Nothing has run since reset; start is accepted.
    Idle = 0,
    /// A program runs, or drains after a fault.
    Running = 1,
    /// The last program ended; start is accepted.
    Done = 2,
    /// The last program faulted; soft reset is needed.
    Fault = 3,
}

impl Status {
    /// The status in bits 1:0 of the register.
    pub fn from_bits(bits: u32) -> Status {
        [Status::Idle, Status::Running, Status::Done, Status::Fault][(bits & 3) as usize]
    }
}

/// Bit of `irq_mask` and `irq_cause`: the program ended.
pub const IRQ_DONE: u32 = 1;
/// Bit of `irq_mask` and `irq_cause`: the program faulted.
pub const IRQ_FAULT: u32 = 2;
/// Bit of `window_rights`: reads by MTE2.
pub const RIGHT_READ: u32 = 1;
/// Bit of `window_rights`: writes by FIX and MTE3.
pub const RIGHT_WRITE: u32 = 2;
/// Bit of `window_rights`: instruction fetch.
pub const RIGHT_EXECUTE: u32 = 4;
/// Reset value of `no_progress_limit`.
pub const NO_PROGRESS_RESET: u32 = 1 << 20;
/// The program's address is a multiple of this many bytes.
pub const PROGRAM_ALIGN_BYTES: u32 = 64;

/// How the host may use a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Read only.
    Ro,
    /// Read and write at any time.
    Rw,
    /// Read at any time, write while the context does not run.
    RwIdle,
    /// Read; a written 1 clears the bit.
    W1c,
    /// A written 1 does something once; reads 0.
    Doorbell,
}

impl Access {
    /// Short name, as the documents write it.
    pub const fn name(self) -> &'static str {
        match self {
            Access::Ro => "RO",
            Access::Rw => "RW",
            Access::RwIdle => "RW idle",
            Access::W1c => "W1C",
            Access::Doorbell => "W1",
        }
    }
}

/// What a register holds after reset (`rst` and soft reset alike, unless its text says otherwise).
#[derive(Clone, Copy, Debug)]
pub enum Reset {
    /// This value.
    Value(u32),
    /// A value that follows from the configuration.
    Config(fn(&Config) -> u32),
}

impl Reset {
    /// The value for a core of this configuration.
    pub fn value(self, config: &Config) -> u32 {
        match self {
            Reset::Value(value) => value,
            Reset::Config(value_of) => value_of(config),
        }
    }
}

/// Bits `lo + width - 1 : lo` of a register; bits that no field names are reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsrField {
    /// Name in `lower_snake`.
    pub name: &'static str,
    /// Lowest bit.
    pub lo: u8,
    /// Bits, 1..=32.
    pub width: u8,
    /// Meaning.
    pub doc: &'static str,
}

impl CsrField {
    /// The bits that the field takes.
    pub const fn mask(&self) -> u32 {
        (u32::MAX >> (32 - self.width)) << self.lo
    }
}

/// A register, or an array of registers.
#[derive(Clone, Copy, Debug)]
pub struct Csr {
    /// Byte offset in its page (of element 0).
    pub offset: u32,
    /// Name in `lower_snake`.
    pub name: &'static str,
    /// Elements; 1 for a single register.
    pub count: u32,
    /// Bytes from one element to the next; 0 for a single register.
    pub stride: u32,
    /// Use.
    pub access: Access,
    /// Reset value.
    pub reset: Reset,
    /// Fields.
    pub fields: &'static [CsrField],
    /// Meaning.
    pub doc: &'static str,
}

impl Csr {
    /// The bits that some field names.
    pub fn mask(&self) -> u32 {
        self.fields.iter().fold(0, |mask, field| mask | field.mask())
    }

    /// The offsets of its elements.
    pub fn offsets(&self) -> impl Iterator<Item = u32> + use<> {
        let (offset, stride) = (self.offset, self.stride);
        (0..self.count).map(move |index| offset + index * stride)
    }
}

/// The register of a page that covers `offset`, and the index of its element; `None` answers SLVERR.
pub fn at(page: &'static [Csr], offset: u32) -> Option<(&'static Csr, u32)> {
    page.iter().find_map(|csr| csr.offsets().position(|element| element == offset).map(|index| (csr, index as u32)))
}

const _: () = assert!(BASES == 16 && WINDOWS == 8, "the address map leaves room for 16 bases and 8 windows");
