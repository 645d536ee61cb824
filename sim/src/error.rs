// SPDX-License-Identifier: Apache-2.0
//! What can go wrong around a running design.

use std::fmt;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that this crate reports. `Debug` is the same text as `Display`, since that is what a failed test shows.
#[non_exhaustive]
pub enum Error {
    /// Building, loading or running the model failed.
    Model(verilated::Error),
    /// The ports of a bus do not fit together.
    Ports {
        /// What all names of the bus begin with (`m_axi_`).
        prefix: String,
        /// What does not fit.
        reason: String,
    },
    /// A configuration of the surroundings that cannot be.
    Config {
        /// Which value, why, and what would be right.
        reason: String,
    },
    /// Something did not happen within the cycles allowed.
    Timeout {
        /// What was waited for.
        what: String,
        /// Cycles waited.
        waited: u64,
        /// Cycle at which the wait ended.
        cycle: u64,
    },
    /// A bus was used against its protocol, or memory was accessed outside the allowed windows.
    Protocol {
        /// One line per violation: cycle, channel, sentence.
        violations: Vec<String>,
    },
    /// The slave answered an AXI-Lite access with an error.
    Lite {
        /// Byte address.
        addr: u32,
        /// True for a write.
        write: bool,
        /// The response.
        resp: crate::bus::Resp,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Model(error) => error.fmt(f),
            Error::Ports { prefix, reason } => write!(f, "the ports {prefix}* do not make a bus: {reason}"),
            Error::Config { reason } => f.write_str(reason),
            Error::Timeout { what, waited, cycle } => {
                write!(f, "{what} did not happen within {waited} cycles (now cycle {cycle})")
            }
            Error::Protocol { violations } => {
                write!(f, "{} violations on the bus:", violations.len())?;
                violations.iter().try_for_each(|line| write!(f, "\n  {line}"))
            }
            Error::Lite { addr, write, resp } => {
                let access = if *write { "write to" } else { "read of" };
                write!(f, "the {access} register {addr:#x} was answered {resp:?}")
            }
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Model(error) => Some(error),
            _ => None,
        }
    }
}

impl From<verilated::Error> for Error {
    fn from(error: verilated::Error) -> Error {
        Error::Model(error)
    }
}
