// SPDX-License-Identifier: Apache-2.0
//! The event flags: a counter of 0 to 15 per (source pipe, destination pipe, id).

use crate::Trap;
use isa::limits::FLAG_LIMIT;
use isa::{Cause, Flag};

/// All counters.
#[derive(Clone, Debug)]
pub(crate) struct Flags {
    counts: [u8; Flag::COUNT],
}

impl Flags {
    /// All 0.
    pub(crate) fn new() -> Flags {
        Flags { counts: [0; Flag::COUNT] }
    }

    /// Takes one from each counter, or nothing and gives false if one is 0. No flag stands there twice: decode refuses that.
    pub(crate) fn take(&mut self, flags: impl Iterator<Item = Flag> + Clone) -> bool {
        if flags.clone().any(|flag| self.counts[index(flag)] == 0) {
            return false;
        }
        flags.for_each(|flag| self.counts[index(flag)] -= 1);
        true
    }

    /// Adds one.
    pub(crate) fn raise(&mut self, flag: Flag) -> Result<(), Trap> {
        let count = &mut self.counts[index(flag)];
        if *count == FLAG_LIMIT {
            return Err(Trap::new(Cause::FlagOverflow, 0));
        }
        *count += 1;
        Ok(())
    }

    /// True if some counter is not 0.
    pub(crate) fn any(&self) -> bool {
        self.counts.iter().any(|&count| count != 0)
    }
}

fn index(flag: Flag) -> usize {
    flag.index().expect("decode admits only flags between two different workers")
}
