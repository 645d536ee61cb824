// SPDX-License-Identifier: Apache-2.0
//! Findings of the checker, each one sentence.

use crate::asm;
use crate::decode::DecodeError;
use crate::effects::Buffer;
use crate::encode::EncodeError;
use crate::geometry::Misuse;
use crate::inst::Inst;
use crate::limits::{FLAG_LIMIT, INSTRUCTION_BYTES};
use crate::pipe::Flag;
use std::fmt;

/// Something wrong with a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Index of the instruction (its program counter is 32 times that).
    pub index: usize,
    /// Its text.
    pub text: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The instruction has no encoding.
    Encoding(EncodeError),
    /// The core lacks what the instruction names.
    Unsupported(DecodeError),
    /// The program has no END.
    NoEnd,
    /// An instruction after END.
    AfterEnd,
    /// State registers do not fit the instruction.
    Misuse(Misuse),
    /// A scale that is not finite, positive and normal.
    BadScale {
        /// Its bits.
        bits: u32,
    },
    /// A multiplier of the modes tflite and gemmlowp that is neither 0 nor within 2^30..=2^31 - 1.
    BadMultiplier {
        /// The multiplier.
        value: u32,
    },
    /// A shift of the modes tflite and gemmlowp outside -31..=30.
    BadShift {
        /// The shift.
        value: i8,
    },
    /// A zero point outside the range of its dtype.
    BadZeroPoint {
        /// The zero point.
        value: i32,
        /// Lowest legal one.
        low: i32,
        /// Highest legal one.
        high: i32,
    },
    /// An access leaves its buffer, or GM its 40 bits.
    OutOfBuffer {
        /// Where.
        buffer: Buffer,
        /// One more than the highest unit touched.
        end: u64,
        /// Units that there are.
        capacity: u64,
    },
    /// Two parts of one write fall on the same bytes.
    SelfOverlap {
        /// Where.
        buffer: Buffer,
    },
    /// A unit of L0A, L0B, L0C or FB is read that nothing has written.
    NeverWritten {
        /// Where.
        buffer: Buffer,
        /// The first such unit.
        unit: u64,
    },
    /// A fractal is read with another shape than it was written with.
    WrongShape {
        /// Where.
        buffer: Buffer,
        /// The fractal.
        unit: u64,
        /// Rows and columns (L0A and L0B: bytes of k) that it holds.
        holds: (u8, u8),
        /// Rows and columns that are read.
        reads: (u8, u8),
    },
    /// The pipe stands still for ever.
    Deadlock {
        /// The flag that stays 0.
        flag: Flag,
        /// The next instruction that would set it, which cannot run.
        setter: Option<usize>,
    },
    /// A flag may exceed its limit.
    FlagOverflow {
        /// The flag.
        flag: Flag,
        /// The value that it may reach.
        count: u32,
    },
    /// A flag is not zero at END.
    FlagLeft {
        /// The flag.
        flag: Flag,
        /// Sets without wait.
        count: usize,
    },
    /// Normal and early sets of one flag, whose order is not defined.
    MixedFlag {
        /// The flag.
        flag: Flag,
    },
    /// Two pipes touch the same bytes in no defined order.
    Unordered {
        /// The other instruction.
        other: usize,
        /// Its text.
        other_text: String,
        /// True if the other one writes.
        other_writes: bool,
        /// True if this one writes.
        writes: bool,
        /// Where.
        buffer: Buffer,
        /// First unit of the first common range.
        start: u64,
        /// Its end.
        end: u64,
    },
}

impl Finding {
    pub(super) fn new(program: &[Inst], index: usize, problem: Problem) -> Finding {
        Finding { index, text: program.get(index).map_or_else(String::new, text), problem }
    }
}

/// The text of an instruction; only its mnemonic if it has no encoding.
pub(super) fn text(inst: &Inst) -> String {
    asm::line(inst).unwrap_or_else(|_| inst.op.opcode().mnemonic().to_string())
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { index, text, problem } = self;
        if *problem == Problem::NoEnd {
            return write!(f, "the program of {index} instructions has no end: put `end` behind the last one");
        }
        write!(f, "instruction {index} `{text}` {problem}")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Encoding(error) => write!(f, "has no encoding: {error}"),
            Problem::Unsupported(error) => write!(f, "cannot run on this core: {error}"),
            Problem::NoEnd => f.write_str("is the last one, but not end"),
            Problem::AfterEnd => f.write_str("stands after end and never runs"),
            Problem::Misuse(misuse) => misuse.fmt(f),
            Problem::BadScale { bits } => {
                write!(
                    f,
                    "uses scale {} ({bits:#010x}), which is not finite, positive and normal",
                    f32::from_bits(*bits)
                )
            }
            Problem::BadMultiplier { value } => {
                write!(f, "uses multiplier {value}, which is neither 0 nor within 2^30..=2^31 - 1")
            }
            Problem::BadShift { value } => write!(f, "uses shift {value}, which is outside -31..=30"),
            Problem::BadZeroPoint { value, low, high } => {
                write!(f, "uses zero point {value}, which is outside {low}..={high}")
            }
            Problem::OutOfBuffer { buffer, end, capacity } => {
                let unit = buffer.unit();
                write!(f, "touches {buffer} up to {unit} {:#x}, but there are only {capacity:#x} {unit}s", end - 1)
            }
            Problem::SelfOverlap { buffer } => {
                write!(f, "writes some bytes of {buffer} twice, in no defined order: its stride is too small")
            }
            Problem::NeverWritten { buffer, unit } => {
                write!(f, "reads {buffer} {} {unit}, which nothing has written", buffer.unit())
            }
            Problem::WrongShape { buffer, unit, holds, reads } => write!(
                f,
                "reads {} x {} of {buffer} fractal {unit}, which was written as {} x {}",
                reads.0, reads.1, holds.0, holds.1
            ),
            Problem::Deadlock { flag, setter: None } => write!(f, "waits for ever: nothing more sets flag {flag}"),
            Problem::Deadlock { flag, setter: Some(setter) } => {
                write!(f, "waits for ever: flag {flag} would be set by instruction {setter}, which cannot run before")
            }
            Problem::FlagOverflow { flag, count } => {
                write!(f, "may raise flag {flag} to {count}, above {FLAG_LIMIT}, if the waiting pipe is slow")
            }
            Problem::FlagLeft { flag, count } => {
                write!(f, "sets flag {flag}, of which {count} sets have no wait before end")
            }
            Problem::MixedFlag { flag } => {
                write!(f, "sets flag {flag}, which has early and normal sets: their order is not defined, use two ids")
            }
            Problem::Unordered { other, other_text, other_writes, writes, buffer, start, end } => {
                let verb = |write: bool| if write { "writes" } else { "reads" };
                write!(
                    f,
                    "{} {buffer} {}s {start:#x}..{end:#x}, which instruction {other} `{other_text}` {} in no defined order",
                    verb(*writes),
                    buffer.unit(),
                    verb(*other_writes)
                )?;
                if matches!(buffer, Buffer::Gm(_)) && *other_writes {
                    f.write_str(": only a barrier orders gm writes")
                } else {
                    Ok(())
                }
            }
        }
    }
}

impl std::error::Error for Finding {}

const _: () = assert!(INSTRUCTION_BYTES == 32, "the documentation of Finding::index says 32");
