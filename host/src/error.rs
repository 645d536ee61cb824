// SPDX-License-Identifier: Apache-2.0
//! What can go wrong between a user's matrices and a core's answer.

use crate::serial::LinkError;
use isa::{ConfigError, Dtype, EncodeError, FaultRecord};
use std::fmt;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, HostError>;

/// Everything that this crate reports; `Display` is one sentence that the user can act on.
#[derive(Debug)]
#[non_exhaustive]
pub enum HostError {
    /// A dimension of the product is 0.
    EmptyShape {
        /// Rows of A and C.
        m: usize,
        /// Columns of B and C.
        n: usize,
        /// Columns of A, rows of B.
        k: usize,
    },
    /// A size of a convolution is 0.
    EmptyConv {
        /// Which.
        what: &'static str,
    },
    /// The channels cannot be divided among the groups.
    Groups {
        /// Which channels.
        what: &'static str,
        /// How many.
        channels: usize,
        /// Groups.
        groups: usize,
    },
    /// The kernel is larger than the padded map.
    KernelOutside {
        /// `y` or `x`.
        axis: &'static str,
        /// Lines or pixels from the first tap to the last one.
        reach: usize,
        /// Lines or pixels of the map with its padding.
        padded: usize,
    },
    /// A matrix is too large for a field or for the address space.
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it is.
        size: u128,
        /// The largest that is possible.
        limit: u128,
    },
    /// A slice does not have the length that the shape asks for.
    OperandLength {
        /// Which operand.
        operand: &'static str,
        /// Elements that the shape asks for.
        expected: usize,
        /// Elements given.
        got: usize,
    },
    /// A dtype that the operand cannot have.
    OperandDtype {
        /// Which operand.
        operand: &'static str,
        /// The dtype asked for.
        dtype: Dtype,
    },
    /// A zero point outside the range of its dtype.
    ZeroPoint {
        /// Whose zero point.
        operand: &'static str,
        /// The value.
        value: i32,
        /// The dtype.
        dtype: Dtype,
    },
    /// A scale that is not finite, positive and normal.
    Scale {
        /// Column of C, output channel; 0 for a scale of the whole tensor.
        channel: usize,
        /// The value.
        value: f32,
    },
    /// A multiplier that is neither 0 nor within 1/2 to 1, or a shift outside -31..=30.
    Multiplier {
        /// Column of C, output channel; 0 for a multiplier of the whole tensor.
        channel: usize,
        /// The multiplier in units of 2^-31.
        bits: i32,
        /// The shift.
        shift: i8,
    },
    /// fp32 results with bounds.
    FloatClamp,
    /// A residual of results that are not of 8 bits.
    ResidualOutput,
    /// A maximum over taps of results that are not of 8 bits, or with a residual.
    Maximum,
    /// The scale of a term of a sum is too far from that of the sum.
    ResidualScale {
        /// Which term.
        what: &'static str,
        /// Its scale.
        scale: f32,
        /// The scale of the sum.
        sum: f32,
    },
    /// The buffers of the core hold no tile of the product.
    NoTiling {
        /// The core.
        config: String,
    },
    /// The configuration of the core is illegal.
    Config(ConfigError),
    /// An instruction that has no encoding.
    Encode {
        /// Its index in the program.
        index: usize,
        /// Why.
        error: EncodeError,
    },
    /// The core stopped with a fault.
    Fault(FaultRecord),
    /// Bytes outside the 40-bit address space were to be read or written.
    Address {
        /// First byte.
        address: u64,
        /// Bytes.
        len: usize,
    },
    /// The board or the line to it.
    Link(LinkError),
    /// The simulation could not be built or run.
    Simulation(sim::Error),
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostError::EmptyShape { m, n, k } => {
                write!(f, "a product of m = {m}, n = {n}, k = {k} has no elements: each must be at least 1")
            }
            HostError::EmptyConv { what } => {
                write!(f, "{what} of a convolution is 0: it must be at least 1")
            }
            HostError::Groups { what, channels, groups } => {
                write!(f, "{what} is {channels}, which {groups} groups cannot share: make it a multiple of the groups")
            }
            HostError::KernelOutside { axis, reach, padded } => write!(
                f,
                "the kernel reaches over {reach} in {axis} and the padded map has only {padded}: pad more or take a smaller kernel or dilation"
            ),
            HostError::TooLarge { what, size, limit } => write!(f, "{what} is {size}, and at most {limit} is possible"),
            HostError::OperandLength { operand, expected, got } => {
                write!(f, "{operand} has {got} elements, and the shape asks for {expected}")
            }
            HostError::OperandDtype { operand, dtype } => write!(f, "{operand} cannot be {dtype}: it must be s8 or u8"),
            HostError::ZeroPoint { operand, value, dtype } => match dtype.range() {
                Some((low, high)) => {
                    write!(f, "the zero point {value} of {operand} is outside {low}..={high}, the range of {dtype}")
                }
                None => write!(f, "{operand} has dtype {dtype}, which has no zero point"),
            },
            HostError::Scale { channel, value } => {
                write!(f, "the scale {value} of channel {channel} is not finite, positive and normal")
            }
            HostError::Multiplier { channel, bits, shift } => write!(
                f,
                "multiplier {bits} with shift {shift} of channel {channel} cannot be used: the multiplier must be 0 or 2^30 to 2^31 - 1, the shift -31 to 30"
            ),
            HostError::FloatClamp => f.write_str("fp32 results cannot be clamped: the bounds are integers"),
            HostError::ResidualOutput => {
                f.write_str("a residual joins results of 8 bits: quantise the output or leave the residual away")
            }
            HostError::Maximum => f.write_str(
                "the largest result of the taps is kept of results of 8 bits without a residual: quantise the output and leave the residual away",
            ),
            HostError::ResidualScale { what, scale, sum } => write!(
                f,
                "the scale {scale} of {what} is not within 2^-12 to 2^8 times the scale {sum} of the sum: requantise one of them"
            ),
            HostError::NoTiling { config } => {
                write!(f, "the buffers of the core `{config}` hold no tile of the product: take a larger core")
            }
            HostError::Config(error) => write!(f, "the core cannot be built: {error}"),
            HostError::Encode { index, error } => write!(f, "instruction {index} cannot be encoded: {error}"),
            HostError::Fault(record) => write!(f, "the core stopped: {record}"),
            HostError::Address { address, len } => {
                write!(f, "{len} bytes from address {address:#x} on leave the 40-bit address space")
            }
            HostError::Link(error) => error.fmt(f),
            HostError::Simulation(error) => write!(f, "the simulation failed: {error}"),
        }
    }
}

impl std::error::Error for HostError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            HostError::Config(error) => Some(error),
            HostError::Encode { error, .. } => Some(error),
            HostError::Link(error) => Some(error),
            HostError::Simulation(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ConfigError> for HostError {
    fn from(error: ConfigError) -> HostError {
        HostError::Config(error)
    }
}

impl From<sim::Error> for HostError {
    fn from(error: sim::Error) -> HostError {
        HostError::Simulation(error)
    }
}

impl From<LinkError> for HostError {
    fn from(error: LinkError) -> HostError {
        HostError::Link(error)
    }
}
