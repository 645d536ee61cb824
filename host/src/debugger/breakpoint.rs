// SPDX-License-Identifier: Apache-2.0
//! Where a run stops.

use super::Event;
use isa::Flag;
use sim::core::Ended;
use std::fmt;

/// Which bursts are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads and writes.
    Any,
    /// Reads, instruction fetch included.
    Read,
    /// Writes.
    Write,
}

/// A place or an event at which a run stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakpoint {
    /// The instruction at this program counter starts: its engine takes it, its SET writes, or it leaves the sequencer.
    Pc(u32),
    /// A burst is asked for whose bus words hold this byte of global memory.
    Address(u64, Access),
    /// The flag is raised or taken.
    Flag(Flag),
    /// The program ends with a fault.
    Fault,
    /// So many cycles have passed.
    Cycle(u64),
}

impl Breakpoint {
    /// True if a run stops after a cycle with these events, after which `cycle` cycles have passed; the bus has words of `bus_bytes` bytes.
    pub fn hits(&self, events: &[Event], cycle: u64, bus_bytes: usize) -> bool {
        match *self {
            Breakpoint::Cycle(wanted) => cycle == wanted,
            Breakpoint::Pc(wanted) => events.iter().any(|event| {
                matches!(event, Event::Passed { pc } | Event::Wrote { pc, .. } | Event::Started { pc, .. } if *pc == wanted)
            }),
            Breakpoint::Flag(wanted) => events.iter().any(
                |event| matches!(event, Event::Raised { flag, .. } | Event::Taken { flag, .. } if *flag == wanted),
            ),
            Breakpoint::Fault => events.iter().any(|event| matches!(event, Event::Ended(Ended::Fault(_)))),
            Breakpoint::Address(wanted, access) => events.iter().any(|event| {
                let Event::Asked(burst) = event else { return false };
                let meant = match access {
                    Access::Any => true,
                    Access::Read => !burst.write,
                    Access::Write => burst.write,
                };
                let word = bus_bytes as u64;
                let first = burst.address - burst.address % word;
                meant && (first..first + u64::from(burst.beats) * word).contains(&wanted)
            }),
        }
    }
}

impl fmt::Display for Breakpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Breakpoint::Pc(pc) => write!(f, "pc {pc:#06x}"),
            Breakpoint::Address(address, access) => {
                write!(f, "addr {address:#x}")?;
                match access {
                    Access::Any => Ok(()),
                    Access::Read => f.write_str(" read"),
                    Access::Write => f.write_str(" write"),
                }
            }
            Breakpoint::Flag(flag) => write!(f, "flag {flag}"),
            Breakpoint::Fault => f.write_str("fault"),
            Breakpoint::Cycle(cycle) => write!(f, "cycle {cycle}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isa::Pipe;
    use sim::Burst;

    fn burst(write: bool, address: u64, beats: u32) -> Event {
        let (asked, first, last, answered) = (7, None, None, None);
        Event::Asked(Burst { write, id: 1, address, beats, asked, first, last, answered })
    }

    #[test]
    fn an_address_stops_at_every_burst_whose_words_hold_it() {
        // Three words of 16 bytes from the middle of the first one on: 0x100 to 0x12f.
        let events = [burst(true, 0x108, 3)];
        let hits = |address, access| Breakpoint::Address(address, access).hits(&events, 8, 16);
        for (address, expected) in [(0xff, false), (0x100, true), (0x108, true), (0x12f, true), (0x130, false)] {
            assert_eq!(hits(address, Access::Any), expected, "{address:#x}");
            assert_eq!(hits(address, Access::Write), expected, "{address:#x}");
            assert!(!hits(address, Access::Read), "{address:#x}");
        }
    }

    #[test]
    fn every_kind_of_start_is_a_program_counter() {
        let pipe = Pipe::Mte1;
        for event in [Event::Passed { pc: 64 }, Event::Wrote { pipe, pc: 64 }, Event::Started { pipe, pc: 64 }] {
            assert!(Breakpoint::Pc(64).hits(std::slice::from_ref(&event), 1, 16));
            assert!(!Breakpoint::Pc(96).hits(&[event], 1, 16));
        }
        assert!(!Breakpoint::Pc(64).hits(&[Event::Finished { pipe, pc: 64 }], 1, 16));
    }
}
