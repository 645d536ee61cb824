// SPDX-License-Identifier: Apache-2.0
//! Global memory (GM): the trait that the model reads and writes through, and a sparse memory behind it.
//!
//! The model asks row by row, so a row is one call; it asks for nothing that the memory windows forbid.

use crate::mix;
use isa::limits::GM_ADDRESS_BITS;
use std::collections::BTreeMap;
use std::fmt;

/// Bytes of the 40-bit address space.
pub const GM_BYTES: u64 = 1 << GM_ADDRESS_BITS;

/// The memory answered with an error (SLVERR, DECERR); the core turns it into `bus_read_error` or `bus_write_error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusError {
    /// First byte that cannot be read or written.
    pub address: u64,
}

impl fmt::Display for BusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the memory answers address {:#x} with an error", self.address)
    }
}

impl std::error::Error for BusError {}

/// Bytes behind the GM port of a core.
pub trait Memory {
    /// Reads `data.len()` bytes from `address` on.
    ///
    /// *Errors*: [`BusError`] with the first byte that answers with an error; what `data` then holds does not matter.
    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError>;

    /// Writes `data` from `address` on.
    ///
    /// *Errors*: [`BusError`] with the first byte that answers with an error; bytes before it may be written.
    fn write(&mut self, address: u64, data: &[u8]) -> Result<(), BusError>;
}

const PAGE_BYTES: usize = 4096;

/// The whole 40-bit space, of which only pages that were written take room.
///
/// *Guarantee*: a byte that was never written reads as poison, a fixed function of seed and address, so that whoever relies on it
/// gets another result with another seed.
#[derive(Clone, Debug)]
pub struct SparseMemory {
    seed: u64,
    pages: BTreeMap<u64, Box<[u8; PAGE_BYTES]>>,
}

impl SparseMemory {
    /// A memory full of poison.
    pub fn new(seed: u64) -> SparseMemory {
        SparseMemory { seed, pages: BTreeMap::new() }
    }

    /// The poison of a seed at an address.
    pub fn poison(seed: u64, address: u64) -> u8 {
        (mix(seed ^ mix(address / 8)) >> (address % 8 * 8)) as u8
    }

    /// A copy of `len` bytes from `address` on; bytes beyond the 40-bit space read as 0.
    pub fn bytes(&self, address: u64, len: usize) -> Vec<u8> {
        let byte = |address: u64| if address < GM_BYTES { self.byte(address) } else { 0 };
        (address..).take(len).map(byte).collect()
    }

    /// One byte.
    fn byte(&self, address: u64) -> u8 {
        let (page, offset) = place(address);
        self.pages.get(&page).map_or_else(|| SparseMemory::poison(self.seed, address), |page| page[offset])
    }

    /// Lowest address at which two memories differ, with both bytes; poison counts like data.
    pub fn first_difference(&self, other: &SparseMemory) -> Option<(u64, u8, u8)> {
        let mut pages: Vec<u64> = self.pages.keys().chain(other.pages.keys()).copied().collect();
        pages.sort_unstable();
        pages.dedup();
        let addresses = pages.into_iter().flat_map(|page| (page * PAGE_BYTES as u64..).take(PAGE_BYTES));
        addresses
            .map(|address| (address, self.byte(address), other.byte(address)))
            .find(|(_, own, others)| own != others)
    }

    fn page_mut(&mut self, page: u64) -> &mut [u8; PAGE_BYTES] {
        let seed = self.seed;
        self.pages.entry(page).or_insert_with(|| {
            let first = page * PAGE_BYTES as u64;
            Box::new(std::array::from_fn(|offset| SparseMemory::poison(seed, first + offset as u64)))
        })
    }
}

/// Page and offset of an address.
fn place(address: u64) -> (u64, usize) {
    (address / PAGE_BYTES as u64, (address % PAGE_BYTES as u64) as usize)
}

/// Cuts `len` bytes from `address` on at page boundaries: page, offset in it, range of the bytes.
fn pieces(address: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        (from < len).then(|| {
            let (page, offset) = place(address + from as u64);
            let to = len.min(from + PAGE_BYTES - offset);
            let piece = (page, offset, from..to);
            from = to;
            piece
        })
    })
}

fn check(address: u64, len: usize) -> Result<(), BusError> {
    let end = address.saturating_add(len as u64);
    if end > GM_BYTES { Err(BusError { address: address.max(GM_BYTES) }) } else { Ok(()) }
}

impl Memory for SparseMemory {
    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError> {
        check(address, data.len())?;
        for (page, offset, range) in pieces(address, data.len()) {
            let first = address + range.start as u64;
            let part = &mut data[range];
            match self.pages.get(&page) {
                Some(bytes) => part.copy_from_slice(&bytes[offset..offset + part.len()]),
                None => {
                    for (byte, at) in part.iter_mut().zip(first..) {
                        *byte = SparseMemory::poison(self.seed, at);
                    }
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, address: u64, data: &[u8]) -> Result<(), BusError> {
        check(address, data.len())?;
        for (page, offset, range) in pieces(address, data.len()) {
            let part = &data[range];
            self.page_mut(page)[offset..offset + part.len()].copy_from_slice(part);
        }
        Ok(())
    }
}
