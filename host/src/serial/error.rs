// SPDX-License-Identifier: Apache-2.0
//! What can go wrong between a program and a board on a serial line.

use std::fmt;
use std::io;

/// Everything that a serial line and the board at its end can do wrong; `Display` is one sentence that the user can act on.
#[derive(Debug)]
#[non_exhaustive]
pub enum LinkError {
    /// There is no such port.
    NoPort {
        /// The port.
        port: String,
    },
    /// The port may not be opened.
    Forbidden {
        /// The port.
        port: String,
    },
    /// Another program uses the port.
    Busy {
        /// The port.
        port: String,
    },
    /// The port cannot be opened or set.
    Open {
        /// The port.
        port: String,
        /// Bits per second asked for.
        baud: u32,
        /// Why.
        cause: io::Error,
    },
    /// The port went away.
    Lost {
        /// The port.
        port: String,
        /// Why.
        cause: io::Error,
    },
    /// Nothing came back.
    Silent {
        /// The port.
        port: String,
        /// Bits per second.
        baud: u32,
        /// Requests sent in vain.
        attempts: u32,
    },
    /// Too much came back damaged.
    Noisy {
        /// The port.
        port: String,
        /// Bits per second.
        baud: u32,
        /// Requests sent in vain.
        attempts: u32,
    },
    /// The board speaks another version of the protocol.
    Version {
        /// Its version.
        version: u8,
    },
    /// The board has another core than the program was made for.
    WrongCore {
        /// The core asked for.
        wanted: String,
        /// What the board's core calls itself.
        found: String,
        /// The first register that differs, what it should be, and what it is.
        register: (&'static str, u32, u32),
    },
    /// The bytes do not fit the board's memory.
    Memory {
        /// The byte behind the last one that is needed.
        needed: u64,
        /// Bytes that the board has.
        has: u64,
    },
    /// The board was reset while a program used it.
    Reset,
    /// The core does not stop.
    Stuck,
    /// A request was answered with an error.
    Answered {
        /// What was asked for.
        what: &'static str,
        /// Its address.
        address: u64,
        /// The answer's status.
        status: u8,
    },
    /// The counters of the core contradict each other.
    Counters {
        /// How.
        what: String,
    },
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::NoPort { port } => {
                write!(
                    f,
                    "there is no port {port}: plug the board in, and look for it with `ls /dev/ttyUSB* /dev/ttyACM*`"
                )
            }
            LinkError::Forbidden { port } => {
                write!(f, "{port} may not be opened: add yourself to its group (often `dialout`) and log in again")
            }
            LinkError::Busy { port } => write!(f, "{port} is used by another program: end that one first"),
            LinkError::Open { port, baud, cause } => write!(f, "{port} cannot be set to {baud} baud: {cause}"),
            LinkError::Lost { port, cause } => write!(f, "{port} was lost ({cause}): is the board still plugged in?"),
            LinkError::Silent { port, baud, attempts } => write!(
                f,
                "nothing answers on {port}: {attempts} requests at {baud} baud were in vain; is it the right port and rate, and is the bitstream loaded?"
            ),
            LinkError::Noisy { port, baud, attempts } => write!(
                f,
                "the line on {port} is too noisy: {attempts} attempts in a row were damaged at {baud} baud; check cable and rate"
            ),
            LinkError::Version { version } => write!(
                f,
                "the board speaks version {version} of the protocol, and this program version {}: load its bitstream",
                isa::link::VERSION
            ),
            LinkError::WrongCore { wanted, found, register: (name, expected, got) } => write!(
                f,
                "the board has the core `{found}`, not `{wanted}` ({name} is {got}, not {expected}): say --config {found}, or load another bitstream"
            ),
            LinkError::Memory { needed, has } => {
                write!(f, "the job needs {needed} bytes of memory, and the board has {has}: take a smaller one")
            }
            LinkError::Reset => f.write_str("the board was reset while it was in use: run the command again"),
            LinkError::Stuck => {
                f.write_str("the core on the board does not stop: press its reset button and run the command again")
            }
            LinkError::Answered { what, address, status } => {
                let name = isa::link::LinkStatus::from_code(*status)
                    .map_or("unknown".to_owned(), |known| format!("{known:?}"));
                write!(f, "the board answered a {what} at {address:#x} with status {status} ({name})")
            }
            LinkError::Counters { what } => write!(f, "the counters of the core contradict each other: {what}"),
        }
    }
}

impl std::error::Error for LinkError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LinkError::Open { cause, .. } | LinkError::Lost { cause, .. } => Some(cause),
            _ => None,
        }
    }
}
