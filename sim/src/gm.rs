// SPDX-License-Identifier: Apache-2.0
//! Global memory: a sparse, byte-addressed space of 40 bits, poisoned where nobody wrote.

use crate::poison::Poison;

/// Bits of an address.
pub const ADDRESS_BITS: u32 = 40;

/// Bytes of a page.
pub const PAGE_BYTES: usize = 4096;

/// Pages per region, and regions: 14 + 14 + 12 bits of address.
const REGION_PAGES: usize = 1 << 14;

struct Page {
    bytes: [u8; PAGE_BYTES],
    /// Bit per byte: somebody wrote it.
    written: [u64; PAGE_BYTES / 64],
}

type Region = Vec<Option<Box<Page>>>;

/// Bytes by address. Only pages that were written take room; every access costs two look-ups.
///
/// Addresses are taken modulo 2^40.
pub struct GlobalMemory {
    regions: Vec<Option<Region>>,
    poison: Poison,
}

/// Where two memories differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Byte address.
    pub addr: u64,
    /// The byte in the memory asked.
    pub here: u8,
    /// The byte in the other one.
    pub there: u8,
}

impl GlobalMemory {
    /// An unwritten memory with this poison.
    #[must_use]
    pub fn new(poison: Poison) -> GlobalMemory {
        GlobalMemory { regions: (0..REGION_PAGES).map(|_| None).collect(), poison }
    }

    /// The poison of never-written bytes.
    #[must_use]
    pub fn poison(&self) -> Poison {
        self.poison
    }

    fn page(&self, addr: u64) -> Option<&Page> {
        let (region, page) = index(addr);
        self.regions[region].as_ref()?[page].as_deref()
    }

    fn page_mut(&mut self, addr: u64) -> &mut Page {
        let (region, page) = index(addr);
        let poison = self.poison;
        let pages = self.regions[region].get_or_insert_with(|| (0..REGION_PAGES).map(|_| None).collect());
        pages[page].get_or_insert_with(|| {
            let mut fresh = Box::new(Page { bytes: [0; PAGE_BYTES], written: [0; PAGE_BYTES / 64] });
            poison.fill(wrap(addr) & !(PAGE_BYTES as u64 - 1), &mut fresh.bytes);
            fresh
        })
    }

    /// Reads `bytes.len()` bytes from `addr` on.
    pub fn read_into(&self, addr: u64, bytes: &mut [u8]) {
        for_each_page(addr, bytes.len(), |at, range| {
            let part = &mut bytes[range];
            let offset = (at % PAGE_BYTES as u64) as usize;
            match self.page(at) {
                Some(page) => part.copy_from_slice(&page.bytes[offset..offset + part.len()]),
                None => self.poison.fill(at, part),
            }
        });
    }

    /// The `count` bytes from `addr` on.
    #[must_use]
    pub fn read(&self, addr: u64, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.read_into(addr, &mut bytes);
        bytes
    }

    /// Writes all of `bytes` from `addr` on.
    pub fn write(&mut self, addr: u64, bytes: &[u8]) {
        for_each_page(addr, bytes.len(), |at, range| {
            let part = &bytes[range];
            let offset = (at % PAGE_BYTES as u64) as usize;
            let page = self.page_mut(at);
            page.bytes[offset..offset + part.len()].copy_from_slice(part);
            for byte in offset..offset + part.len() {
                page.written[byte / 64] |= 1 << (byte % 64);
            }
        });
    }

    /// Writes those of at most 64 `bytes` whose bit in `strb` is set; they may not cross a multiple of 64.
    #[inline]
    pub fn write_masked(&mut self, addr: u64, bytes: &[u8], strb: u64) {
        let offset = (addr % PAGE_BYTES as u64) as usize;
        debug_assert!(bytes.len() + offset % 64 <= 64, "one bus word");
        let page = self.page_mut(addr);
        let here = &mut page.bytes[offset..offset + bytes.len()];
        let all = crate::bus::mask(bytes.len() as u64);
        if strb & all == all {
            here.copy_from_slice(bytes);
        } else {
            for (lane, byte) in bytes.iter().enumerate().filter(|(lane, _)| strb >> lane & 1 != 0) {
                here[lane] = *byte;
            }
        }
        page.written[offset / 64] |= (strb & all) << (offset % 64);
    }

    /// True if somebody wrote the byte at `addr`.
    #[must_use]
    pub fn is_written(&self, addr: u64) -> bool {
        let bit = (addr % PAGE_BYTES as u64) as usize;
        self.page(addr).is_some_and(|page| page.written[bit / 64] >> (bit % 64) & 1 != 0)
    }

    /// Bytes that somebody wrote.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        let bits = |page: &Page| page.written.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        self.regions.iter().flatten().flatten().flatten().map(|page| bits(page)).sum()
    }

    /// Addresses of the pages that were written, ascending.
    pub fn pages(&self) -> impl Iterator<Item = u64> + '_ {
        self.regions.iter().enumerate().filter_map(|(region, pages)| Some((region, pages.as_ref()?))).flat_map(
            |(region, pages)| {
                let number = move |page: usize| ((region * REGION_PAGES + page) * PAGE_BYTES) as u64;
                pages.iter().enumerate().filter(|(_, page)| page.is_some()).map(move |(page, _)| number(page))
            },
        )
    }

    /// The lowest address at which the two memories differ, over the whole space if both have the same poison.
    #[must_use]
    pub fn first_difference(&self, other: &GlobalMemory) -> Option<Difference> {
        let mut pages: Vec<u64> = self.pages().chain(other.pages()).collect();
        pages.sort_unstable();
        pages.dedup();
        let (mut here, mut there) = ([0; PAGE_BYTES], [0; PAGE_BYTES]);
        pages.into_iter().find_map(|page| {
            self.read_into(page, &mut here);
            other.read_into(page, &mut there);
            let at = here.iter().zip(&there).position(|(a, b)| a != b)?;
            Some(Difference { addr: page + at as u64, here: here[at], there: there[at] })
        })
    }
}

fn wrap(addr: u64) -> u64 {
    addr & ((1 << ADDRESS_BITS) - 1)
}

#[inline]
fn index(addr: u64) -> (usize, usize) {
    let page = (wrap(addr) / PAGE_BYTES as u64) as usize;
    (page / REGION_PAGES, page % REGION_PAGES)
}

/// Calls `part` with the address and range of each piece of `count` bytes from `addr` on that lies in one page.
fn for_each_page(addr: u64, count: usize, mut part: impl FnMut(u64, std::ops::Range<usize>)) {
    let mut done = 0;
    while done < count {
        let at = wrap(addr.wrapping_add(done as u64));
        let room = PAGE_BYTES - (at % PAGE_BYTES as u64) as usize;
        let end = count.min(done + room);
        part(at, done..end);
        done = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> GlobalMemory {
        GlobalMemory::new(Poison::new(1))
    }

    #[test]
    fn written_bytes_read_back_and_their_neighbours_stay_poison() {
        let mut gm = memory();
        let far = (1 << 40) - 5000;
        let text: Vec<u8> = (0..9000u32).map(|i| (i % 251) as u8).collect();
        for addr in [0x1234, far - 4001] {
            gm.write(addr, &text);
            assert_eq!(gm.read(addr, text.len()), text);
            assert_eq!(gm.read(addr - 1, 1)[0], gm.poison().byte(addr - 1));
            assert_eq!(gm.read(addr + 9000, 1)[0], gm.poison().byte(addr + 9000));
            assert!(gm.is_written(addr) && gm.is_written(addr + 8999) && !gm.is_written(addr + 9000));
        }
        assert_eq!(gm.written_bytes(), 18_000);
    }

    #[test]
    fn strobes_choose_the_bytes() {
        let mut gm = memory();
        gm.write_masked(0x2030, &[1; 16], 0x8001);
        let got = gm.read(0x2030, 16);
        assert_eq!((got[0], got[15], got[1]), (1, 1, gm.poison().byte(0x2031)));
        assert_eq!((gm.written_bytes(), gm.is_written(0x203F), gm.is_written(0x203E)), (2, true, false));
    }

    #[test]
    fn the_first_difference_is_found_and_equal_memories_have_none() {
        let (mut a, mut b) = (memory(), memory());
        a.write(0x9000, &[5, 6]);
        b.write(0x9000, &[5, 6]);
        b.write(0x20_0000, &[a.poison().byte(0x20_0000)]);
        assert_eq!(a.first_difference(&b), None, "poison written as poison is the same");
        b.write(0x9001, &[7]);
        assert_eq!(a.first_difference(&b), Some(Difference { addr: 0x9001, here: 6, there: 7 }));
        assert_eq!(b.pages().collect::<Vec<_>>(), [0x9000, 0x20_0000]);
    }
}
