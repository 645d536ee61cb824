// SPDX-License-Identifier: Apache-2.0
//! Why a core stopped: fault causes and the fault record.
//!
//! The first fault wins. Opcode, field and support are checked at decode (the record then names pipe S), state registers when
//! the instruction reaches the head of its pipe, bounds and windows no later than the access that they forbid.

use crate::pipe::Pipe;
use std::fmt;

/// Cause of a fault; the value is its code in the fault record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Cause {
    /// No fault has been recorded.
    None = 0,
    /// The opcode is 0, unknown or reserved.
    IllegalOpcode = 1,
    /// A reserved bit is set, or a field has a value outside its legal ones.
    IllegalField = 2,
    /// Legal, but this core lacks the dtype, mode or buffer.
    Unsupported = 3,
    /// The instruction uses a state register that has no reset value and was not SET.
    UnsetRegister = 4,
    /// A buffer access would leave its buffer.
    OutOfBuffer = 5,
    /// A GM read outside every window with read right.
    WindowRead = 6,
    /// A GM write outside every window with write right.
    WindowWrite = 7,
    /// An instruction fetch outside every window with execute right, or past the end of the program.
    WindowExecute = 8,
    /// The bus answered a read with SLVERR or DECERR.
    BusReadError = 9,
    /// The bus answered a write with SLVERR or DECERR.
    BusWriteError = 10,
    /// A set would raise a flag counter above its limit.
    FlagOverflow = 11,
    /// A flag counter was not zero at END.
    FlagLeft = 12,
    /// The core made no progress for the programmed number of cycles.
    NoProgress = 13,
    /// A scale, a multiplier or shift of the modes tflite and gemmlowp, or a factor of a sum, that may not be used.
    BadScale = 14,
    /// A zero point outside the range of its dtype.
    BadZeroPoint = 15,
    /// Base + offset + extent leaves the 40-bit GM address space.
    AddressOverflow = 16,
    /// A state register that the instruction uses, or an operand that goes with it, has an illegal value.
    BadRegister = 17,
}

impl Cause {
    /// Every cause, in the order of the codes.
    pub const ALL: [Cause; 18] = [
        Cause::None,
        Cause::IllegalOpcode,
        Cause::IllegalField,
        Cause::Unsupported,
        Cause::UnsetRegister,
        Cause::OutOfBuffer,
        Cause::WindowRead,
        Cause::WindowWrite,
        Cause::WindowExecute,
        Cause::BusReadError,
        Cause::BusWriteError,
        Cause::FlagOverflow,
        Cause::FlagLeft,
        Cause::NoProgress,
        Cause::BadScale,
        Cause::BadZeroPoint,
        Cause::AddressOverflow,
        Cause::BadRegister,
    ];

    /// The 8-bit code.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The cause with this code; `None` for 18 and above.
    pub fn from_code(code: u8) -> Option<Cause> {
        Cause::ALL.get(usize::from(code)).copied()
    }

    /// Name in `lower_snake`, as the C header (upper-cased) and the documents write it.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::None => "none",
            Cause::IllegalOpcode => "illegal_opcode",
            Cause::IllegalField => "illegal_field",
            Cause::Unsupported => "unsupported",
            Cause::UnsetRegister => "unset_register",
            Cause::OutOfBuffer => "out_of_buffer",
            Cause::WindowRead => "window_read",
            Cause::WindowWrite => "window_write",
            Cause::WindowExecute => "window_execute",
            Cause::BusReadError => "bus_read_error",
            Cause::BusWriteError => "bus_write_error",
            Cause::FlagOverflow => "flag_overflow",
            Cause::FlagLeft => "flag_left",
            Cause::NoProgress => "no_progress",
            Cause::BadScale => "bad_scale",
            Cause::BadZeroPoint => "bad_zero_point",
            Cause::AddressOverflow => "address_overflow",
            Cause::BadRegister => "bad_register",
        }
    }

    /// What happened, as one lower-case sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Cause::None => "no fault",
            Cause::IllegalOpcode => "the opcode is 0, unknown or reserved",
            Cause::IllegalField => "a reserved bit is set or a field has an illegal value",
            Cause::Unsupported => "this core lacks the dtype, rounding mode or buffer that the instruction names",
            Cause::UnsetRegister => "the instruction uses a state register that has no reset value and was not set",
            Cause::OutOfBuffer => "a buffer access would leave its buffer",
            Cause::WindowRead => "a read outside every memory window with read right",
            Cause::WindowWrite => "a write outside every memory window with write right",
            Cause::WindowExecute => {
                "a fetch outside every memory window with execute right, or past the end of the program"
            }
            Cause::BusReadError => "the bus answered a read with an error",
            Cause::BusWriteError => "the bus answered a write with an error",
            Cause::FlagOverflow => "a set would raise a flag counter above 15",
            Cause::FlagLeft => "a flag counter was not zero at the end of the program",
            Cause::NoProgress => "the core made no progress for the programmed number of cycles",
            Cause::BadScale => {
                "a scale is not finite, positive and normal, or a multiplier, a shift or a factor of a sum is out of range"
            }
            Cause::BadZeroPoint => "a zero point is outside the range of its dtype",
            Cause::AddressOverflow => "a global-memory access leaves the 40-bit address space",
            Cause::BadRegister => {
                "a state register that the instruction uses, or an operand with it, has an illegal value"
            }
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

/// What a core keeps of its first fault, until soft reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FaultRecord {
    /// Why.
    pub cause: Cause,
    /// The pipe that found it (S for what decode and fetch find).
    pub pipe: Pipe,
    /// Byte offset of the instruction from the program's start.
    pub pc: u32,
    /// GM or buffer byte address (L0A, L0B, L0C: fractal; FB: channel) of the first offending access; 0 where there is none. In GM the first byte
    /// of the burst, but of [`Cause::BusReadError`] the first byte asked for in the bus word that came with the error, and of
    /// [`Cause::AddressOverflow`] that of the run (`docs/isa.md`).
    pub address: u64,
}

impl fmt::Display for FaultRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at program counter {:#x} in pipe {}, address {:#x}: {}",
            self.cause.name(),
            self.pc,
            self.pipe,
            self.address,
            self.cause
        )
    }
}
