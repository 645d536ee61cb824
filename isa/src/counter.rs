// SPDX-License-Identifier: Apache-2.0
//! The performance counters: what each one counts, and where it is.
//!
//! Counters are 64 bits, cleared by the start doorbell, and count while the context's status is `running`: from the cycle
//! after the start doorbell was taken to the last cycle before the status turns `done` or `fault`. After that nothing counts.
//!
//! In every such cycle each worker pipe (MTE2, MTE1, M, FIX, MTE3) counts exactly one of these, the first that applies:
//!
//! 1. `wait_queue`: it holds no instruction (its queue is empty, and it is working on none).
//! 2. `wait_flag`: its next instruction has not started because a flag that it waits for is 0.
//! 3. `wait_block`: its instruction has started and stands still this cycle because a full bit that it needs is clear.
//! 4. `wait_memory`: its instruction has started and stands still this cycle because of memory: GM read data that has not
//!    come, a GM request or write beat that is not taken, a write response that is outstanding, or a lost L1 access.
//! 5. `busy`: everything else, pipeline fill and drain included.
//!
//! So the five add up to `total_cycles` for every pipe.

use crate::pipe::Pipe;

/// What a worker pipe did in one cycle, in the order of their registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Activity {
    /// It worked.
    Busy = 0,
    /// It waited for a flag.
    WaitFlag = 1,
    /// It waited for a full bit.
    WaitBlock = 2,
    /// It waited for memory.
    WaitMemory = 3,
    /// It had nothing to do while the program went on.
    WaitQueue = 4,
}

impl Activity {
    /// Every activity, in the order of the registers.
    pub const ALL: [Activity; 5] =
        [Activity::Busy, Activity::WaitFlag, Activity::WaitBlock, Activity::WaitMemory, Activity::WaitQueue];

    /// Name in `lower_snake`.
    pub const fn name(self) -> &'static str {
        match self {
            Activity::Busy => "busy",
            Activity::WaitFlag => "wait_flag",
            Activity::WaitBlock => "wait_block",
            Activity::WaitMemory => "wait_memory",
            Activity::WaitQueue => "wait_queue",
        }
    }
}

/// A counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Counter {
    /// Cycles with status `running`.
    TotalCycles,
    /// Cycles that a worker pipe spent with one activity.
    Pipe(Pipe, Activity),
    /// Bytes that MTE2 brought in from GM: rows x len_bytes of every `mte2.load`, whatever the bus words around them. A byte that
    /// several rows ask for counts several times; instruction fetch does not count.
    BytesRead,
    /// Bytes that W beats carried with their strobe set: rows x row bytes of every `mte3.store` and every `fix.store` to GM.
    BytesWritten,
    /// Cube steps: M0 x K0 x N0 blocks multiplied.
    CubeSteps,
    /// Useful MACs: the sum of m n k over the mmads that started.
    UsefulMacs,
    /// Executed MACs: cube steps x M0 x K0 x N0 (in int8 MACs).
    ExecutedMacs,
}

impl Counter {
    /// Number of counters.
    pub const COUNT: usize = 6 + Pipe::WORKERS.len() * Activity::ALL.len();

    /// Every counter, in the order of the registers.
    pub fn all() -> impl Iterator<Item = Counter> {
        let pipes = Pipe::WORKERS
            .into_iter()
            .flat_map(|pipe| Activity::ALL.into_iter().map(move |activity| Counter::Pipe(pipe, activity)));
        std::iter::once(Counter::TotalCycles).chain(pipes).chain([
            Counter::BytesRead,
            Counter::BytesWritten,
            Counter::CubeSteps,
            Counter::UsefulMacs,
            Counter::ExecutedMacs,
        ])
    }

    /// Position of the counter: register pair `counter[index]` of the context page.
    pub fn index(self) -> usize {
        Counter::all().position(|counter| counter == self).expect("a pipe counter names a worker pipe")
    }

    /// Name in `lower_snake`, for example `mte2_wait_memory`.
    pub fn name(self) -> String {
        match self {
            Counter::TotalCycles => "total_cycles".into(),
            Counter::Pipe(pipe, activity) => format!("{}_{}", pipe.name(), activity.name()),
            Counter::BytesRead => "bytes_read".into(),
            Counter::BytesWritten => "bytes_written".into(),
            Counter::CubeSteps => "cube_steps".into(),
            Counter::UsefulMacs => "useful_macs".into(),
            Counter::ExecutedMacs => "executed_macs".into(),
        }
    }

    /// What it counts, one sentence.
    pub fn doc(self) -> String {
        match self {
            Counter::TotalCycles => "cycles with status running".into(),
            Counter::Pipe(pipe, activity) => {
                let what = match activity {
                    Activity::Busy => "worked, pipeline fill and drain included",
                    Activity::WaitFlag => "waited for a flag before an instruction",
                    Activity::WaitBlock => "stood still within an instruction for a full bit",
                    Activity::WaitMemory => "stood still within an instruction for GM or for an L1 access",
                    Activity::WaitQueue => "held no instruction while the program went on",
                };
                format!("cycles in which {pipe} {what}")
            }
            Counter::BytesRead => "bytes that MTE2 brought in from GM: rows x len_bytes of every mte2.load".into(),
            Counter::BytesWritten => {
                "bytes written to GM: rows x row bytes of every mte3.store and every fix.store to GM".into()
            }
            Counter::CubeSteps => "M0 x K0 x N0 blocks multiplied".into(),
            Counter::UsefulMacs => "sum of m n k over the mmads that started".into(),
            Counter::ExecutedMacs => "cube steps x M0 x K0 x N0".into(),
        }
    }
}
