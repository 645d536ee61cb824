// SPDX-License-Identifier: Apache-2.0
//! What can go wrong with a tool.

use std::fmt;
use std::path::PathBuf;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that this crate reports.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The tool is not there and cannot be set up.
    Missing {
        /// Its name.
        tool: &'static str,
        /// Why, and what to install.
        reason: String,
    },
    /// The tool cannot be run.
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The tool refused its input.
    Refused {
        /// Its name.
        tool: &'static str,
        /// Its last words.
        text: String,
    },
    /// The design needs more cells than the chip has.
    DoesNotFit {
        /// Name of the design.
        design: String,
        /// Name of the chip.
        chip: &'static str,
        /// The kind of cell, in the plural.
        what: &'static str,
        /// How many it needs.
        needed: usize,
        /// How many there are.
        there: usize,
    },
    /// No placement meets the clock of the board.
    TooSlow {
        /// Name of the design.
        design: String,
        /// Name of the board.
        board: &'static str,
        /// Frequency of the fastest placement, in MHz.
        mhz: f64,
        /// The board's clock, in MHz.
        wanted: f64,
    },
    /// The simulator cannot be built.
    Build {
        /// Why.
        cause: Box<verilated::Error>,
    },
    /// A file cannot be read.
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The properties cannot be read as they stand.
    Property {
        /// Why.
        text: String,
    },
    /// An assertion does not hold, or cannot be shown to.
    Disproved {
        /// Top module.
        block: String,
        /// Labels of the assertions that fail, separated by commas.
        failing: String,
        /// Part of the proof.
        place: &'static str,
        /// Cycle of the waves in which they fail, from 0.
        cycle: usize,
        /// The waves.
        vcd: PathBuf,
    },
    /// A file cannot be written.
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Missing { tool, reason } => write!(f, "{tool} is not there: {reason}"),
            Error::Run { program, cause } => write!(f, "cannot run {}: {cause}", program.display()),
            Error::Refused { tool, text } => write!(f, "{tool} refused its input:\n{text}"),
            Error::DoesNotFit { design, chip, what, needed, there } => {
                write!(
                    f,
                    "{design} needs {needed} {what} and {chip} has {there}: take a smaller core or a larger board"
                )
            }
            Error::TooSlow { design, board, mhz, wanted } => {
                write!(
                    f,
                    "{design} reaches {mhz:.1} MHz on {board}, whose clock is {wanted} MHz: try more seeds or a smaller core"
                )
            }
            Error::Build { cause } => cause.fmt(f),
            Error::Read { path, cause } => write!(f, "cannot read {}: {cause}", path.display()),
            Error::Property { text } => f.write_str(text),
            Error::Disproved { block, failing, place, cycle, vcd } => {
                write!(f, "{block}: {failing} fails {place}, in cycle {cycle} of {}", vcd.display())
            }
            Error::Write { path, cause } => write!(f, "cannot write {}: {cause}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Run { cause, .. } | Error::Read { cause, .. } | Error::Write { cause, .. } => Some(cause),
            Error::Build { cause } => Some(cause),
            Error::Missing { .. }
            | Error::Refused { .. }
            | Error::DoesNotFit { .. }
            | Error::TooSlow { .. }
            | Error::Property { .. }
            | Error::Disproved { .. } => None,
        }
    }
}
