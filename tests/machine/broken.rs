// SPDX-License-Identifier: Apache-2.0
//! GM of the model of which some bytes answer with an error.

use model::{BusError, Memory, SparseMemory};
use sim::memory::Access;
use std::ops::Range;

/// Bytes that answer one direction with an error, once they have been moved `passes` times.
pub struct Broken<'a> {
    pub memory: &'a mut SparseMemory,
    pub access: Access,
    pub bytes: Range<u64>,
    pub passes: usize,
}

impl Broken<'_> {
    fn answer(&mut self, access: Access, address: u64, len: usize) -> Result<(), BusError> {
        let first = address.max(self.bytes.start);
        let hit = access == self.access && first < self.bytes.end.min(address + len as u64);
        if hit && self.passes == 0 {
            return Err(BusError { address: first });
        }
        self.passes -= usize::from(hit);
        Ok(())
    }
}

impl Memory for Broken<'_> {
    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError> {
        self.answer(Access::Read, address, data.len())?;
        self.memory.read(address, data)
    }

    fn write(&mut self, address: u64, data: &[u8]) -> Result<(), BusError> {
        self.answer(Access::Write, address, data.len())?;
        self.memory.write(address, data)
    }
}
