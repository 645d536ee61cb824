// SPDX-License-Identifier: Apache-2.0
//! The way to GM: base registers, the 40-bit address space, memory windows, bus errors.
//!
//! The bus moves *bursts*, and they are what windows admit and what a record names: a run of bytes is cut at multiples of
//! min(4096, 256 bus words); a run is a row, or all rows of a transfer that touch and are whole bus words. Windows and errors are
//! met burst by burst, in order. A read error names the first byte asked for in the bad bus word, everything else the burst's first.

use crate::csr::Run;
use crate::memory::{BusError, GM_BYTES, Memory};
use crate::{Counts, Trap};
use isa::csr::{RIGHT_EXECUTE, RIGHT_READ, RIGHT_WRITE};
use isa::limits::INSTRUCTION_BYTES;
use isa::{Cause, Config, GmAddress};
use std::ops::Range;

/// GM as the pipes of one run see it.
pub(crate) struct Gm<'a> {
    memory: &'a mut dyn Memory,
    run: &'a Run,
    bus_bytes: u64,
    /// The fetch asks for bursts that end at multiples of this.
    fetch_burst: u64,
}

impl<'a> Gm<'a> {
    /// GM behind the bus of a core.
    pub(crate) fn new(memory: &'a mut dyn Memory, run: &'a Run, config: &Config) -> Gm<'a> {
        let fetch_burst = (config.fetch_bytes / 2).clamp(INSTRUCTION_BYTES, 256) as u64;
        Gm { memory, run, bus_bytes: config.bus_bytes as u64, fetch_burst }
    }

    /// The run with what the host programmed.
    pub(crate) fn run(&self) -> &Run {
        self.run
    }

    /// Base + offset: below 2^41, so that adding rows and panels cannot overflow 64 bits.
    pub(crate) fn address(&self, gm: GmAddress) -> u64 {
        self.run.base(gm.base) + gm.offset
    }

    /// How many rows of a DMA transfer make one run: all of them, or 1.
    pub(crate) fn rows_per_run(&self, rows: u16, len: u32, stride: u32) -> u64 {
        let touch = stride == len && u64::from(len).is_multiple_of(self.bus_bytes);
        if touch && u64::from(rows) * u64::from(len) < 1 << 24 { rows.into() } else { 1 }
    }

    /// The one place where pipes read: a run for MTE2.
    pub(crate) fn read(&mut self, address: u64, data: &mut [u8], counts: &mut Counts) -> Result<(), Trap> {
        for (first, range) in self.bursts(address, data.len() as u64)? {
            let part = &mut data[range];
            self.admit(first, part.len() as u64, RIGHT_READ, Cause::WindowRead)?;
            let bad = |error: BusError| first.max(error.address / self.bus_bytes * self.bus_bytes);
            self.memory.read(first, part).map_err(|error| Trap::new(Cause::BusReadError, bad(error)))?;
        }
        counts.bytes_read += data.len() as u64;
        Ok(())
    }

    /// Checks a run for MTE3, whose bursts are asked for before its bytes are there.
    pub(crate) fn may_write(&self, address: u64, len: u64) -> Result<(), Trap> {
        let mut bursts = self.bursts(address, len)?;
        bursts.try_for_each(|(first, range)| self.admit(first, range.len() as u64, RIGHT_WRITE, Cause::WindowWrite))
    }

    /// The one place where pipes write: a run for FIX or MTE3.
    pub(crate) fn write(&mut self, address: u64, data: &[u8], counts: &mut Counts) -> Result<(), Trap> {
        for (first, range) in self.bursts(address, data.len() as u64)? {
            self.admit(first, range.len() as u64, RIGHT_WRITE, Cause::WindowWrite)?;
            self.memory.write(first, &data[range]).map_err(|_| Trap::new(Cause::BusWriteError, first))?;
        }
        counts.bytes_written += data.len() as u64;
        Ok(())
    }

    /// Reads the instruction at offset `pc` of the program for the sequencer.
    pub(crate) fn fetch(&mut self, pc: u32) -> Result<[u8; INSTRUCTION_BYTES], Trap> {
        let start = self.run.program_address();
        let address = start + u64::from(pc);
        if pc == 0 || address.is_multiple_of(self.fetch_burst) {
            let end = (address + 1).next_multiple_of(self.fetch_burst);
            let end = end.min(start + u64::from(self.run.program_length()));
            self.admit(address, end - address, RIGHT_EXECUTE, Cause::WindowExecute)?;
        }
        let mut bytes = [0; INSTRUCTION_BYTES];
        let bad = |error: BusError| address.max(error.address / self.bus_bytes * self.bus_bytes);
        self.memory.read(address, &mut bytes).map_err(|error| Trap::new(Cause::BusReadError, bad(error)))?;
        Ok(bytes)
    }

    /// The bursts of a run: first byte, and which of its bytes.
    fn bursts(&self, address: u64, len: u64) -> Result<impl Iterator<Item = (u64, Range<usize>)> + use<>, Trap> {
        let end = address + len;
        if end > GM_BYTES {
            return Err(Trap::new(Cause::AddressOverflow, address % GM_BYTES));
        }
        let most = (256 * self.bus_bytes).min(4096);
        let mut at = address;
        Ok(std::iter::from_fn(move || {
            let first = at;
            at = end.min((first + 1).next_multiple_of(most));
            (first < end).then(|| (first, (first - address) as usize..(at - address) as usize))
        }))
    }

    fn admit(&self, address: u64, len: u64, right: u32, cause: Cause) -> Result<(), Trap> {
        if self.run.allows(address, len, right) { Ok(()) } else { Err(Trap::new(cause, address % GM_BYTES)) }
    }
}
