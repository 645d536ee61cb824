// SPDX-License-Identifier: Apache-2.0
//! The counters whose values do not depend on timing.

use isa::Counter;

/// What a run did, in the units of [`isa::Counter`]. Cycles are the hardware's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Instructions that left the sequencer, END included.
    pub instructions: u64,
    /// Bytes that MTE2 read from GM.
    pub bytes_read: u64,
    /// Bytes that FIX and MTE3 wrote to GM.
    pub bytes_written: u64,
    /// Blocks of M0 x K0 x N0 multiplied.
    pub cube_steps: u64,
    /// Sum of m n k over the mmads that started.
    pub useful_macs: u64,
    /// Cube steps x M0 x K0 x N0.
    pub executed_macs: u64,
}

impl Counts {
    /// The value of a hardware counter; `None` for one that counts cycles.
    pub fn get(&self, counter: Counter) -> Option<u64> {
        match counter {
            Counter::TotalCycles | Counter::Pipe(..) => None,
            Counter::BytesRead => Some(self.bytes_read),
            Counter::BytesWritten => Some(self.bytes_written),
            Counter::CubeSteps => Some(self.cube_steps),
            Counter::UsefulMacs => Some(self.useful_macs),
            Counter::ExecutedMacs => Some(self.executed_macs),
        }
    }
}
