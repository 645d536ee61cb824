// SPDX-License-Identifier: Apache-2.0
//! The pipes of the core, and the event flags between them.
//!
//! Pipes run asynchronously, each in order. A flag is a counter between 0 and [`FLAG_LIMIT`](crate::limits::FLAG_LIMIT)
//! named by (source pipe, destination pipe, id): a set adds one, a wait takes one, zero makes the waiting pipe stand still.

use crate::limits::FLAG_IDS;
use std::fmt;

/// A pipe of the core; the value is its code in instructions, in the fault record and in counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Pipe {
    /// Sequencer: fetch, decode, dispatch.
    S = 0,
    /// DMA in: GM to L1 or UB.
    Mte2 = 1,
    /// Operand load: L1 to L0A, L0B or FB.
    Mte1 = 2,
    /// The cube: L0A x L0B to L0C.
    M = 3,
    /// Fixpipe: L0C to GM, L1 or UB.
    Fix = 4,
    /// Vector unit (reserved: no core of this version has it).
    V = 5,
    /// DMA out: L1 or UB to GM.
    Mte3 = 6,
}

impl Pipe {
    /// Every pipe, in the order of the codes.
    pub const ALL: [Pipe; 7] = [Pipe::S, Pipe::Mte2, Pipe::Mte1, Pipe::M, Pipe::Fix, Pipe::V, Pipe::Mte3];

    /// The pipes that have a queue and may set and wait on flags in this version, in the order of the codes.
    pub const WORKERS: [Pipe; 5] = [Pipe::Mte2, Pipe::Mte1, Pipe::M, Pipe::Fix, Pipe::Mte3];

    /// The 3-bit code of the pipe.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The pipe with this code, or `None` for code 7 and above.
    pub fn from_code(code: u8) -> Option<Pipe> {
        Pipe::ALL.get(usize::from(code)).copied()
    }

    /// Position of the pipe in [`Pipe::WORKERS`], or `None` for S and V.
    pub fn worker_index(self) -> Option<usize> {
        Pipe::WORKERS.iter().position(|&pipe| pipe == self)
    }

    /// Lower-case name, as the assembler and the documents write it.
    pub const fn name(self) -> &'static str {
        match self {
            Pipe::S => "s",
            Pipe::Mte2 => "mte2",
            Pipe::Mte1 => "mte1",
            Pipe::M => "m",
            Pipe::Fix => "fix",
            Pipe::V => "v",
            Pipe::Mte3 => "mte3",
        }
    }

    /// The pipe with this lower-case name.
    pub fn from_name(name: &str) -> Option<Pipe> {
        Pipe::ALL.into_iter().find(|pipe| pipe.name() == name)
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One event flag: the counter that pipe `from` raises and pipe `to` lowers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flag {
    /// The pipe that sets.
    pub from: Pipe,
    /// The pipe that waits.
    pub to: Pipe,
    /// 0..8.
    pub id: u8,
}

impl Flag {
    /// Number of flag counters of a core, counting every ordered pair of workers: 5 x 5 x 8 (the diagonal is never used).
    pub const COUNT: usize = Pipe::WORKERS.len() * Pipe::WORKERS.len() * FLAG_IDS;

    /// Dense index of the flag, below [`Flag::COUNT`]: `(from * 5 + to) * 8 + id` with worker indices.
    /// `None` if a pipe has no flags, or the pipes are the same, or the id is not below 8.
    pub fn index(self) -> Option<usize> {
        let (from, to) = (self.from.worker_index()?, self.to.worker_index()?);
        (from != to && usize::from(self.id) < FLAG_IDS)
            .then_some((from * Pipe::WORKERS.len() + to) * FLAG_IDS + usize::from(self.id))
    }

    /// True if a set of this flag may carry `early`: MTE1 to M and M to FIX only.
    pub fn may_be_early(self) -> bool {
        matches!((self.from, self.to), (Pipe::Mte1, Pipe::M) | (Pipe::M, Pipe::Fix))
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}->{}.{}", self.from, self.to, self.id)
    }
}

/// A wait slot: takes one from the counter (`from` -> the pipe of the instruction, `id`) before the instruction starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wait {
    /// The pipe that sets the flag.
    pub from: Pipe,
    /// 0..8.
    pub id: u8,
}

impl Wait {
    /// The flag that this slot takes from, in an instruction of pipe `own`.
    pub fn flag(self, own: Pipe) -> Flag {
        Flag { from: self.from, to: own, id: self.id }
    }
}

/// A set slot: adds one to the counter (the pipe of the instruction -> `to`, `id`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal {
    /// The pipe that waits for the flag.
    pub to: Pipe,
    /// 0..8.
    pub id: u8,
    /// False: fires when the instruction has finished. True: fires once the instruction has cleared the full bits of its
    /// target tile; the consumer then waits block by block.
    pub early: bool,
}

impl Signal {
    /// The flag that this slot raises, in an instruction of pipe `own`.
    pub fn flag(self, own: Pipe) -> Flag {
        Flag { from: own, to: self.to, id: self.id }
    }
}
