// SPDX-License-Identifier: Apache-2.0
//! What the host programs before the start doorbell: program, base registers, memory windows.
//!
//! There is no limit of cycles without progress: the model knows at once that nothing can move any more, and then raises
//! `no_progress` (hardware with limit 0 stands still for ever instead).

use isa::csr::{PROGRAM_ALIGN_BYTES, RIGHT_EXECUTE, RIGHT_READ, RIGHT_WRITE};
use isa::limits::{BASES, GM_ADDRESS_BITS, INSTRUCTION_BYTES, WINDOWS};

const ADDRESS_MASK: u64 = (1 << GM_ADDRESS_BITS) - 1;

/// A memory window: GM bytes `first..=last` with their rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Window {
    /// First byte.
    pub first: u64,
    /// Last byte, inclusive.
    pub last: u64,
    /// [`RIGHT_READ`] for MTE2, [`RIGHT_WRITE`] for FIX and MTE3, [`RIGHT_EXECUTE`] for the fetch of instructions; 0 closes the window.
    pub rights: u32,
}

impl Window {
    /// True if all of `len` (at least 1) bytes from `address` on lie in the window and it grants `right`.
    pub fn allows(&self, address: u64, len: u64, right: u32) -> bool {
        self.rights & right != 0 && address >= self.first && address + (len - 1) <= self.last
    }
}

/// One run of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// GM address of the program. Bits 5:0 count as 0, as in the register.
    pub program: u64,
    /// Bytes of the program. Bits 4:0 count as 0, as in the register.
    pub length: u32,
    /// Base registers, 40 bits each.
    pub bases: [u64; BASES],
    /// Memory windows.
    pub windows: [Window; WINDOWS],
}

impl Run {
    /// A run with bases 0 and all windows closed, as after reset.
    pub fn new(program: u64, length: u32) -> Run {
        Run { program, length, bases: [0; BASES], windows: [Window::default(); WINDOWS] }
    }

    /// A run with bases 0 whose window 0 opens all of GM for everything.
    pub fn open(program: u64, length: u32) -> Run {
        let all = Window { first: 0, last: ADDRESS_MASK, rights: RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE };
        Run::new(program, length).with_window(0, all)
    }

    /// The run with base register `index`, below 16, at `address`.
    pub fn with_base(mut self, index: usize, address: u64) -> Run {
        self.bases[index] = address;
        self
    }

    /// The run with window `index`, below 8.
    pub fn with_window(mut self, index: usize, window: Window) -> Run {
        self.windows[index] = window;
        self
    }

    /// Address of the program as the hardware sees it.
    pub(crate) fn program_address(&self) -> u64 {
        self.program & ADDRESS_MASK & !u64::from(PROGRAM_ALIGN_BYTES - 1)
    }

    /// Bytes of the program as the hardware sees them.
    pub(crate) fn program_length(&self) -> u32 {
        self.length & !(INSTRUCTION_BYTES as u32 - 1)
    }

    /// Base register as the hardware sees it.
    pub(crate) fn base(&self, index: u8) -> u64 {
        self.bases[usize::from(index)] & ADDRESS_MASK
    }

    /// True if one window grants `right` for all of these bytes.
    pub(crate) fn allows(&self, address: u64, len: u64, right: u32) -> bool {
        self.windows.iter().any(|window| window.allows(address, len, right))
    }
}
