// SPDX-License-Identifier: Apache-2.0
//! Waveforms of a running design: the nets that Verilator dumps, cut to a window and to a part of the hierarchy, and beside them the group
//! `trace`, which says in words what the core does.
//!
//! ```text
//!  Dut ── VCD text ──► nets ──┐  scopes: which of them
//!                             ├─► window ─► Sink: .vcd or .fst, and its save files
//!  trace_*, bus ────► group ──┘
//! ```
//! A wave is written cycle by cycle and costs memory for one. A file gets its name when it is complete. Test: `tests/waves.rs`.

mod bus;
mod dumper;
mod fst;
mod group;
mod pipes;
mod save;
mod scopes;
mod sink;
mod vcd;

pub(crate) use dumper::Dumper;
pub use fst::TEXT_BYTES;

use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// Name of the group that says in words what the core does.
pub const GROUP: &str = "trace";

/// A file format, told by the end of the file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Value change dump, IEEE 1364: text. Texts of the group are strings.
    Vcd,
    /// GTKWave's fast signal trace: a tenth of the size. Texts of the group are vectors of [`TEXT_BYTES`] characters, to be shown as ASCII.
    Fst,
}

impl Format {
    /// The format of the file with this name.
    ///
    /// # Errors
    /// [`Error::Config`] if it ends in neither `.vcd` nor `.fst`.
    pub fn of(path: &Path) -> Result<Format> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("vcd") => Ok(Format::Vcd),
            Some("fst") => Ok(Format::Fst),
            _ => {
                let reason = format!("{} is no waveform: its name has to end in .vcd or .fst", path.display());
                Err(Error::Config { reason })
            }
        }
    }
}

/// What the cycles of a window count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counted {
    /// Rising edges of the bench's clock, reset and register accesses included.
    #[default]
    Edges,
    /// Cycles in which a program runs, as the counters and the timeline count them; a second program counts on.
    Running,
}

/// What of a run goes into which waveform. By default everything from the first cycle to the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    /// The file, in the format that its name tells.
    pub path: PathBuf,
    /// Where it is written instead, by somebody who gives it its name afterwards and writes the save files ([`Saved`]).
    pub scratch: Option<PathBuf>,
    /// First cycle of the window.
    pub from: u64,
    /// Last cycle of the window.
    pub to: Option<u64>,
    /// What these cycles count.
    pub counted: Counted,
    /// Only this scope and what is in it; a path like `TOP.quader.m`, or from the top module on (`m`), or [`GROUP`]. The group is always there.
    pub scope: Option<String>,
    /// Levels of scopes, from 1 on: the scope alone.
    pub depth: Option<u32>,
}

impl Dump {
    /// Everything, into the file `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Dump {
        Dump { path: path.into(), scratch: None, from: 0, to: None, counted: Counted::Edges, scope: None, depth: None }
    }

    /// True if only the group is wanted, which needs no model built with tracing.
    #[must_use]
    pub fn is_group_alone(&self) -> bool {
        self.scope.as_deref() == Some(GROUP)
    }

    /// True if cycle `now` is in the window.
    fn contains(&self, now: u64) -> bool {
        now >= self.from && self.to.is_none_or(|to| now <= to)
    }

    fn refused(&self, reason: impl std::fmt::Display) -> Error {
        Error::Model(verilated::Error::Wave { path: self.path.clone(), reason: reason.to_string() })
    }
}

/// How viewers show a wave at their best: files to be written beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// GTKWave's save file, `.gtkw`.
    pub gtkw: String,
    /// Commands for Surfer, `.sucl`.
    pub sucl: String,
}

impl Saved {
    /// True if there is no file `path` yet, or one that was written here: not one that a user arranged and saved.
    #[must_use]
    pub fn may_replace(path: &Path) -> bool {
        std::fs::read(path).map_or(true, |text| save::MARKS.iter().any(|mark| text.starts_with(mark.as_bytes())))
    }

    /// Writes them beside the wave `path`.
    fn write(&self, path: &Path) -> std::io::Result<()> {
        for (extension, text) in [("gtkw", &self.gtkw), ("sucl", &self.sucl)] {
            let file = path.with_extension(extension);
            if Saved::may_replace(&file) {
                std::fs::write(&file, text)?;
            }
        }
        Ok(())
    }
}

/// A complete waveform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Cycles in it; with none there is no file.
    pub cycles: u64,
    /// Its save files.
    pub saved: Saved,
}
