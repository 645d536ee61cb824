// SPDX-License-Identifier: Apache-2.0
//! Equal slots of a buffer as a cache whose whole future is known: what to keep is decided while the program is made.
//!
//! On a miss the slot whose tile is needed again last is taken (Belady's rule), but never one of the `GUARD` used last: the
//! pipes still read those, and a load into one of them would wait instead of running ahead.

use std::collections::HashMap;
use std::hash::Hash;

/// Slots used last that are not taken, if there are others.
const GUARD: usize = 2;

/// Where a tile lies, and whether it has to be loaded first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) slot: usize,
    pub(crate) load: bool,
}

#[derive(Clone, Copy, Debug)]
struct Slot<Tile> {
    tile: Option<Tile>,
    next_use: usize,
    last_use: usize,
}

/// The places of every access of a sequence, in order, with `slots` slots; at least 1.
pub(crate) fn places<Tile: Copy + Eq + Hash>(accesses: &[Tile], slots: usize) -> Vec<Place> {
    let mut coming = HashMap::new();
    let mut next_uses = vec![usize::MAX; accesses.len()];
    for (at, tile) in accesses.iter().enumerate().rev() {
        if let Some(next) = coming.insert(*tile, at) {
            next_uses[at] = next;
        }
    }
    let mut cache = vec![Slot { tile: None, next_use: usize::MAX, last_use: 0 }; slots];
    let mut slot_of: HashMap<Tile, usize> = HashMap::new();
    let mut places = Vec::with_capacity(accesses.len());
    for (at, (&tile, &next_use)) in accesses.iter().zip(&next_uses).enumerate() {
        let (slot, load) = match slot_of.get(&tile) {
            Some(&slot) => (slot, false),
            None => (victim(&cache), true),
        };
        if let (true, Some(old)) = (load, cache[slot].tile) {
            slot_of.remove(&old);
        }
        cache[slot] = Slot { tile: Some(tile), next_use, last_use: at + 1 };
        slot_of.insert(tile, slot);
        places.push(Place { slot, load });
    }
    places
}

fn victim<Tile>(cache: &[Slot<Tile>]) -> usize {
    let guarded = GUARD.min(cache.len() - 1);
    let mut order: Vec<usize> = (0..cache.len()).collect();
    order.sort_by_key(|&slot| std::cmp::Reverse(cache[slot].last_use));
    // Of those needed again last, the one used longest ago: its readers are done first.
    let candidates = order[guarded..].iter().copied();
    candidates.max_by_key(|&slot| (cache[slot].next_use, std::cmp::Reverse(cache[slot].last_use))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loads(accesses: &[u32], slots: usize) -> usize {
        places(accesses, slots).iter().filter(|place| place.load).count()
    }

    #[test]
    fn everything_that_fits_is_loaded_once() {
        assert_eq!(loads(&[1, 2, 3, 1, 2, 3, 3, 2, 1], 3), 3);
    }

    #[test]
    fn the_tile_needed_last_goes() {
        // 5 takes the place of 3, which never comes back; 2 stays although it was used before.
        assert_eq!(loads(&[1, 2, 3, 4, 1, 5, 2], 4), 5);
        // Neither 3 nor 4 comes back, but both were used just now: 2 goes, and comes again.
        assert_eq!(loads(&[1, 2, 3, 4, 5, 1, 2], 4), 6);
    }

    #[test]
    fn tiles_in_use_are_not_overwritten() {
        let accesses: Vec<u32> = (0..40).map(|at| at % 7).collect();
        for slots in 3..6 {
            let places = places(&accesses, slots);
            for window in places.windows(3) {
                assert!(!window[2].load || window[0].slot != window[2].slot && window[1].slot != window[2].slot);
            }
        }
    }

    #[test]
    fn one_slot_works() {
        assert_eq!(loads(&[1, 1, 2, 1], 1), 3);
    }
}
