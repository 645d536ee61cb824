// SPDX-License-Identifier: Apache-2.0
//! The way to GM: base registers, the 40-bit address space, memory windows, bus errors.
//!
//! A row is checked as a whole before any of it is touched: it must lie in the 40-bit space and in one window with the right. (Hardware
//! checks each burst, so of a row that is longer than a burst it may have done the bursts before the offending one.)

use crate::csr::Run;
use crate::memory::{GM_BYTES, Memory};
use crate::{Counts, Trap};
use isa::csr::{RIGHT_EXECUTE, RIGHT_READ, RIGHT_WRITE};
use isa::limits::INSTRUCTION_BYTES;
use isa::{Cause, GmAddress};

/// GM as the pipes of one run see it.
pub(crate) struct Gm<'a> {
    pub(crate) memory: &'a mut dyn Memory,
    pub(crate) run: &'a Run,
}

impl Gm<'_> {
    /// Base + offset: below 2^41, so that adding rows and panels cannot overflow 64 bits.
    pub(crate) fn address(&self, gm: GmAddress) -> u64 {
        self.run.base(gm.base) + gm.offset
    }

    /// The one place where pipes read: a row for MTE2.
    pub(crate) fn read_row(&mut self, address: u64, row: &mut [u8], counts: &mut Counts) -> Result<(), Trap> {
        self.admit(address, row.len(), RIGHT_READ, Cause::WindowRead)?;
        self.memory.read(address, row).map_err(|error| Trap::new(Cause::BusReadError, error.address))?;
        counts.bytes_read += row.len() as u64;
        Ok(())
    }

    /// The one place where pipes write: a row for FIX or MTE3.
    pub(crate) fn write_row(&mut self, address: u64, row: &[u8], counts: &mut Counts) -> Result<(), Trap> {
        self.admit(address, row.len(), RIGHT_WRITE, Cause::WindowWrite)?;
        self.memory.write(address, row).map_err(|error| Trap::new(Cause::BusWriteError, error.address))?;
        counts.bytes_written += row.len() as u64;
        Ok(())
    }

    /// Reads an instruction for the sequencer.
    pub(crate) fn fetch(&mut self, address: u64) -> Result<[u8; INSTRUCTION_BYTES], Trap> {
        let mut bytes = [0; INSTRUCTION_BYTES];
        if !self.run.allows(address, bytes.len() as u64, RIGHT_EXECUTE) {
            return Err(Trap::new(Cause::WindowExecute, address));
        }
        self.memory.read(address, &mut bytes).map_err(|error| Trap::new(Cause::BusReadError, error.address))?;
        Ok(bytes)
    }

    fn admit(&self, address: u64, len: usize, right: u32, cause: Cause) -> Result<(), Trap> {
        let len = len as u64;
        if address + len > GM_BYTES {
            return Err(Trap::new(Cause::AddressOverflow, address % GM_BYTES));
        }
        if !self.run.allows(address, len, right) {
            return Err(Trap::new(cause, address));
        }
        Ok(())
    }
}
