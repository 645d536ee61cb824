// SPDX-License-Identifier: Apache-2.0
//! The instruction-level, bit-exact model of a Quader core: what the answer is, without the question how long it takes.
//!
//! ```text
//!  Run (program, bases, windows) ──►┌──────┐◄──► Memory (GM)
//!                                   │ Core │
//!                                   └──────┘──► Outcome: Done(Counts) or Fault(FaultRecord)
//! ```
//! | module | holds |
//! |---|---|
//! | [`core`](mod@core) | the core: queues, scheduling, faults |
//! | [`csr`] | what the host programs before a start: program, bases, memory windows |
//! | [`memory`] | the trait behind which GM lies, and a sparse GM |
//! | [`counters`] | the counters that do not depend on timing |
//! | `sequencer`, `flags` | fetch, decode; event flags |
//! | `gm` | windows and the 40-bit address space in front of the memory |
//! | `mte2`, `mte1`, `m`, `fix`, `mte3` | what each instruction does |
//! | `l1`, `l0`, `l0c`, `fb` | the buffers, with the full bits; `l1` is UB too |
//! | [`numerics`] | requantisation |
//!
//! The files have the names of the hardware's, and share no code with it: only the crate `isa` (decoding, [`isa::Config`], tables).
//! The rules of the numbers are in `docs/numerics.md`.
//!
//! ```
//! use model::{Core, Memory, Outcome, Run, SparseMemory};
//! let mut memory = SparseMemory::new(1);
//! let program = isa::encode_program(&[isa::Instruction::End.into()]).expect("END has an encoding");
//! memory.write(0x1000, &program).expect("the address has 40 bits");
//! let mut core = Core::new(isa::Config::tiny()).expect("a named core is legal");
//! let outcome = core.run(&mut memory, &Run::open(0x1000, program.len() as u32));
//! assert!(matches!(outcome, Outcome::Done(counts) if counts.instructions == 1));
//! ```

pub mod core;
pub mod counters;
pub mod csr;
mod fb;
mod fix;
mod flags;
mod gm;
mod l0;
mod l0c;
mod l1;
mod m;
pub mod memory;
mod mte1;
mod mte2;
mod mte3;
pub mod numerics;
mod sequencer;

pub use self::core::{Core, Outcome};
pub use counters::Counts;
pub use csr::{Run, Window};
pub use fb::Channel;
pub use memory::{BusError, Memory, SparseMemory};

use isa::Cause;

/// Why an instruction stops: cause and address of the fault record; the core adds pipe and program counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trap {
    pub(crate) cause: Cause,
    pub(crate) address: u64,
}

impl Trap {
    pub(crate) fn new(cause: Cause, address: u64) -> Trap {
        Trap { cause, address }
    }

    /// Unit `address` lies outside its buffer.
    pub(crate) fn outside(address: u64) -> Trap {
        Trap::new(Cause::OutOfBuffer, address)
    }
}

/// One step of the sequence of Steele, Lea and Flood's SplitMix64: spreads a seed over poison patterns.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}
