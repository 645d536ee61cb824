// SPDX-License-Identifier: Apache-2.0
//! Which Verilator: found or set up, and the report of every tool for `quader doctor`.
//!
//! Order, first that applies:
//!
//! 1. `VERILATOR_ROOT`, if set: that one or an error, never another in silence;
//! 2. the one this project pins, in its tools folder, set up there if it is absent;
//! 3. `verilator_bin` on the search path, if it is 5.006 or later, with a line on standard error that says why not the pinned one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use crate::cache::{self, Usage};
use crate::compiler::Compiler;
use crate::error::{Error, Result};
use crate::place::Places;
use crate::process::run;
use crate::setup::VERILATOR;

/// The oldest Verilator whose output this crate drives.
const OLDEST: (u32, u32) = (5, 6);

/// Why a Verilator was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Named by `VERILATOR_ROOT` or by the caller.
    Named,
    /// The release that this project pins, in the project's tools folder.
    Pinned,
    /// Found on the search path.
    SearchPath,
}

/// A Verilator that was run once and is new enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// The folder with `include/` (and mostly `bin/`), which the program wants to know as `VERILATOR_ROOT`.
    pub root: PathBuf,
    /// The program `verilator_bin`.
    pub program: PathBuf,
    /// Version as `5.048`-like text: major, and minor in three digits.
    pub version: String,
    /// What the program calls itself, in its own words.
    pub version_text: String,
    /// Why this one.
    pub origin: Origin,
}

impl Tool {
    /// The Verilator that the environment of this process asks for; sets up the pinned one if needed.
    ///
    /// # Errors
    /// [`Error::BadVerilator`] if `VERILATOR_ROOT` names one that cannot be used, [`Error::NoVerilator`] if there is none and none can be set up.
    pub fn find() -> Result<Tool> {
        Tool::find_in(&Places::from_env())
    }

    /// As [`Tool::find`], for the given places.
    ///
    /// # Errors
    /// As [`Tool::find`].
    pub fn find_in(places: &Places) -> Result<Tool> {
        if let Some(root) = &places.verilator_root {
            return Tool::named(root, places);
        }
        let other = Tool::on_path(places);
        let mut tried = Vec::new();
        match VERILATOR.set_up_unless(places, other.is_ok()) {
            Ok(root) => match Tool::examine(root.join("bin").join("verilator_bin"), Some(root), Origin::Pinned) {
                Ok(tool) => return Ok(tool),
                Err(error) => tried.push(format!("the pinned release: {error}")),
            },
            Err(reason) => {
                tried.push(format!("the pinned release could not be set up in {}: {reason}", places.tools.display()))
            }
        }
        match other {
            Ok(tool) => {
                static SAID: Once = Once::new();
                SAID.call_once(|| {
                    eprintln!(
                        "verilated: using {} ({}): {}",
                        tool.program.display(),
                        tool.version_text,
                        tried.join("; ")
                    )
                });
                Ok(tool)
            }
            Err(error) => {
                tried.push(error);
                Err(Error::NoVerilator { tried })
            }
        }
    }

    /// The Verilator whose folder is `root`: its `bin/verilator_bin`, or the one on the search path for installations that keep programs elsewhere.
    ///
    /// # Errors
    /// [`Error::BadVerilator`] if there is no program, no `include/verilated.h`, or it is too old.
    pub fn named(root: &Path, places: &Places) -> Result<Tool> {
        let own = root.join("bin").join("verilator_bin");
        let program = if own.is_file() { Some(own) } else { places.on_path("verilator_bin") };
        let program = program.ok_or_else(|| Error::BadVerilator {
            path: root.to_owned(),
            reason: "there is no bin/verilator_bin in it and none on the search path (is VERILATOR_ROOT right?)"
                .to_owned(),
        })?;
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        Tool::examine(program, Some(root), Origin::Named)
    }

    fn on_path(places: &Places) -> std::result::Result<Tool, String> {
        let program = places.on_path("verilator_bin").ok_or("no `verilator_bin` on the search path")?;
        Tool::examine(program, None, Origin::SearchPath).map_err(|error| error.to_string())
    }

    /// Runs the program to learn its version, and its folder where that is not known.
    fn examine(program: PathBuf, root: Option<PathBuf>, origin: Origin) -> Result<Tool> {
        let bad = |reason: String| Error::BadVerilator { path: program.clone(), reason };
        let ask = |arguments: &[&str], root: Option<&Path>| {
            let mut command = Command::new(&program);
            command.args(arguments);
            if let Some(root) = root {
                command.env("VERILATOR_ROOT", root);
            }
            let output = run(&mut command).map_err(|cause| bad(format!("it cannot be run: {cause}")))?;
            Ok::<String, Error>(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let root = match root {
            Some(root) => root,
            None => PathBuf::from(ask(&["--getenv", "VERILATOR_ROOT"], None)?),
        };
        if !root.join("include").join("verilated.h").is_file() {
            return Err(bad(format!("its folder {} has no include/verilated.h", root.display())));
        }
        let version_text = ask(&["--version"], Some(&root))?;
        let config = root.join("include").join("verilated_config.h");
        let config = std::fs::read_to_string(&config).map_err(Error::io("read", &config))?;
        // A wheel says only " rev vUNKNOWN-built...": then the header knows better.
        let (major, minor) = parse_version(&version_text)
            .or_else(|| parse_version(config.split("VERILATOR_VERSION \"").nth(1)?))
            .ok_or_else(|| bad(format!("its version `{version_text}` cannot be read")))?;
        if (major, minor) < OLDEST {
            return Err(bad(format!("it is {major}.{minor:03}; 5.006 or later is needed")));
        }
        Ok(Tool { root, program, version: format!("{major}.{minor:03}"), version_text, origin })
    }

    /// Everything that tells this tool from another, for cache keys.
    pub(crate) fn identity(&self) -> String {
        let size = std::fs::metadata(&self.program).map_or(0, |meta| meta.len());
        format!("{} {} {} {size}", self.version, self.version_text, self.root.display())
    }
}

/// `Verilator 5.006 2023-01-22 ...` or `5.49 ...` as (major, minor).
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let number = text.strip_prefix("Verilator ").unwrap_or(text);
    let number = number.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let (major, minor) = number.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}

const PYTHON: &str = "Python";

/// What is known about one tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolState {
    /// What the tool is called ("Verilator", "C++ compiler", "Python").
    pub name: &'static str,
    /// Version in the tool's own words, and where it is; or a sentence that says what is missing and how to get it.
    pub found: std::result::Result<(String, PathBuf), String>,
    /// It is not there, and the first time that it is needed sets it up.
    pub sets_itself_up: bool,
}

/// Every tool, and the cache: the data of `quader doctor`.
#[derive(Debug, Clone)]
pub struct Report {
    /// Tools in the order in which they are needed.
    pub tools: Vec<ToolState>,
    /// The cache of built models.
    pub cache: Usage,
}

impl Report {
    /// The tools that a simulation needs and that are missing. One that sets itself up is not, as long as there is a Python to do it.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let set_up = self.tools.iter().any(|tool| tool.sets_itself_up);
        let needed = |tool: &&ToolState| tool.name != PYTHON || set_up;
        let missing = |tool: &&ToolState| tool.found.is_err() && !tool.sets_itself_up;
        self.tools.iter().filter(needed).filter(missing).map(|tool| tool.name).collect()
    }

    /// True if nothing is missing that a simulation needs.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.missing().is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for tool in &self.tools {
            match &tool.found {
                Ok((version, path)) => writeln!(f, "{:<14}{version}\n{:14}in {}", tool.name, "", path.display())?,
                Err(missing) => writeln!(f, "{:<14}{missing}", tool.name)?,
            }
        }
        let megabytes = self.cache.bytes as f64 / 1e6;
        writeln!(
            f,
            "{:<14}{} entries, {megabytes:.1} MB\n{:14}in {}, safe to delete at any time when nothing runs",
            "Model cache",
            self.cache.entries,
            "",
            self.cache.folder.display()
        )
    }
}

/// Looks at every tool without setting anything up.
#[must_use]
pub fn report() -> Report {
    report_of(&Places::from_env())
}

/// As [`report`], for the given places.
#[must_use]
pub fn report_of(places: &Places) -> Report {
    let pinned_root = VERILATOR.root(places);
    let verilator = if let Some(root) = &places.verilator_root {
        Tool::named(root, places).map_err(|error| error.to_string())
    } else if pinned_root.is_dir() {
        Tool::examine(pinned_root.join("bin").join("verilator_bin"), Some(pinned_root), Origin::Pinned)
            .map_err(|error| error.to_string())
    } else {
        Tool::on_path(places).map_err(|reason| {
            format!(
                "{reason}; the first simulation sets up the pinned {} in {}",
                VERILATOR.version,
                pinned_root.display()
            )
        })
    };
    let compiler = Compiler::find(places).map_err(|error| error.to_string());
    let python = places.python().ok_or_else(|| {
        "python3 is missing; it is needed once, to set up Verilator (Debian: `sudo apt install python3-venv`)"
            .to_owned()
    });
    let python = python.and_then(|path| {
        let output =
            run(Command::new(&path)
                .args(["-c", "import ensurepip, sys, venv; print('Python', sys.version.split()[0])"]))
            .map_err(|cause| format!("{} cannot be run: {cause}", path.display()))?;
        if !output.status.success() {
            return Err(format!("{} has no venv (Debian: `sudo apt install python3-venv`)", path.display()));
        }
        Ok((String::from_utf8_lossy(&output.stdout).trim().to_owned(), path))
    });
    let verilator = verilator.map(|tool| (format!("{} ({})", tool.version, tool.version_text), tool.program));
    let compiler = compiler.map(|found| {
        let path = found.path(places).unwrap_or_else(|| PathBuf::from(&found.words[0]));
        (found.version, path)
    });
    Report {
        tools: vec![
            ToolState {
                name: "Verilator",
                sets_itself_up: verilator.is_err() && places.verilator_root.is_none(),
                found: verilator,
            },
            ToolState { name: "C++ compiler", found: compiler, sets_itself_up: false },
            ToolState { name: PYTHON, found: python, sets_itself_up: false },
        ],
        cache: cache::usage_of(&places.cache),
    }
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_of_packages_and_of_the_wheels_header_are_read() {
        assert_eq!(parse_version("Verilator 5.006 2023-01-22 rev (Debian 5.006-3)"), Some((5, 6)));
        assert_eq!(parse_version("5.49\"\n"), Some((5, 49)));
        assert_eq!(parse_version("rev vUNKNOWN-built20260516-4e853d8"), None);
    }
}
