// SPDX-License-Identifier: Apache-2.0
//! Moments of a run that a waveform is wanted around.

use crate::timeline::Timeline;
use isa::limits::INSTRUCTION_BYTES;

/// Something that happens at most once, or first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A program ends with a fault.
    Fault,
    /// An engine takes the instruction with this program counter, in bytes.
    Pc(u32),
    /// The byte at `address` of GM is written, for the last time in run number `run`.
    Written {
        /// From 0 on.
        run: usize,
        /// Byte address.
        address: u64,
    },
}

impl Trigger {
    /// The cycle in which it happens, counted over the runs: those of the second one follow those of the first. `None` if it does not.
    pub fn cycle(self, runs: &[Timeline]) -> Option<u64> {
        let mut before = 0;
        for (at, run) in runs.iter().enumerate() {
            let recording = &run.recording;
            let cycle = match self {
                Trigger::Fault => run.report.is_none().then(|| recording.cycles.saturating_sub(1)),
                Trigger::Pc(pc) => {
                    let of_pc = run.spans.iter().filter(|span| span.instruction * INSTRUCTION_BYTES == pc as usize);
                    of_pc.map(|span| span.started).min()
                }
                Trigger::Written { run: wanted, address } => {
                    let bus = run.config.bus_bytes as u64;
                    (wanted == at).then(|| recording.written(address, bus)).flatten()
                }
            };
            if let Some(cycle) = cycle {
                return Some(before + cycle);
            }
            before += recording.cycles;
        }
        None
    }
}
