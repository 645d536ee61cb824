// SPDX-License-Identifier: Apache-2.0
//! Lint as a call of its own: every message that `verilator --lint-only -Wall` has on a design, minus what a waiver file allows.
//!
//! Simulation builds are silent about lint, so that a design under test can be rough while it grows; this call is what a test asserts on.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::build::check_sources;
use crate::error::{Error, Result};
use crate::place::Places;
use crate::process::{first_lines, run, shown, with_deep_stack};
use crate::tool::Tool;

/// One message of the linter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// True for an error (the design is refused), false for a warning.
    pub is_error: bool,
    /// The rule, as a waiver names it: `WIDTHTRUNC`, `UNUSEDSIGNAL`; empty for plain errors. 5.006 says `WIDTH` for all of its kind.
    pub rule: String,
    /// Where: `file:line:column`, or empty.
    pub place: String,
    /// What.
    pub text: String,
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_error { "error" } else { "warning" };
        write!(f, "{}: {kind} {}: {}", self.place, self.rule, self.text)
    }
}

/// A design to be linted.
#[derive(Debug, Clone)]
pub struct Lint {
    top: String,
    sources: Vec<(String, String)>,
    waivers: Option<String>,
    places: Option<Places>,
}

impl Lint {
    /// A design whose top module is `top`, without sources yet.
    #[must_use]
    pub fn new(top: &str) -> Lint {
        Lint { top: top.to_owned(), sources: Vec::new(), waivers: None, places: None }
    }

    /// Adds a source; `name` is a plain file name and appears in messages.
    #[must_use]
    pub fn text(mut self, name: impl Into<String>, text: impl Into<String>) -> Lint {
        self.sources.push((name.into(), text.into()));
        self
    }

    /// Adds many sources of (name, text).
    #[must_use]
    pub fn texts<N: Into<String>, T: Into<String>>(mut self, sources: impl IntoIterator<Item = (N, T)>) -> Lint {
        self.sources.extend(sources.into_iter().map(|(name, text)| (name.into(), text.into())));
        self
    }

    /// The text of a waiver file: lines like ``lint_off -rule WIDTH -file "*x.v" -match "*"``; the line `` `verilator_config `` is put in front if it
    /// is missing.
    #[must_use]
    pub fn waivers(mut self, text: &str) -> Lint {
        let head = if text.trim_start().starts_with("`verilator_config") { "" } else { "`verilator_config\n" };
        self.waivers = Some(format!("{head}{text}"));
        self
    }

    /// Uses these places instead of the environment's.
    #[must_use]
    pub fn places(mut self, places: Places) -> Lint {
        self.places = Some(places);
        self
    }

    /// All messages, in the order given; none means clean. Errors in the design are messages, not `Err`.
    ///
    /// # Errors
    /// As [`crate::Build::build`] for missing tools and bad sources; [`Error::Tool`] if Verilator fails without saying why in its usual form.
    pub fn run(&self) -> Result<Vec<Message>> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        check_sources(&self.top, &self.sources)?;
        let places = self.places.clone().unwrap_or_else(Places::from_env);
        let tool = Tool::find_in(&places)?;
        let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = Scratch(places.cache.join("lint").join(name));
        fs::create_dir_all(&folder.0).map_err(Error::io("create the folder", &folder.0))?;
        let waivers = self.waivers.iter().map(|text| ("waivers.vlt", text.as_str()));
        let sources = self.sources.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let mut command = with_deep_stack(&tool.program);
        command.current_dir(&folder.0).env("VERILATOR_ROOT", &tool.root);
        command.args(["--lint-only", "-Wall", "-Wno-fatal", "--top-module", &self.top]);
        for (name, text) in waivers.chain(sources) {
            let path = folder.0.join(name);
            fs::write(&path, text).map_err(Error::io("write", &path))?;
            command.arg(name);
        }
        let output = run(&mut command).map_err(Error::io("run", &tool.program))?;
        let messages = parse(&String::from_utf8_lossy(&output.stderr));
        if !output.status.success() && !messages.iter().any(|message| message.is_error) {
            return Err(Error::Tool {
                step: "Verilator",
                top: self.top.clone(),
                command: shown(&command),
                folder: folder.0.clone(),
                output: first_lines(&output),
            });
        }
        Ok(messages)
    }
}

/// A folder that goes when it is no longer needed.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `%Warning-RULE: file:line:column: text` and `%Error: ...` lines as messages.
fn parse(output: &str) -> Vec<Message> {
    output.lines().filter_map(message).collect()
}

fn message(line: &str) -> Option<Message> {
    let (head, rest) = line.strip_prefix('%')?.split_once(": ")?;
    let (kind, rule) = head.split_once('-').unwrap_or((head, ""));
    let is_error = match kind {
        "Error" => true,
        "Warning" => false,
        _ => return None,
    };
    if rest.starts_with("Exiting due to") {
        return None;
    }
    let is_place = |place: &&str| {
        place.contains(':')
            && place.chars().all(|c| !c.is_whitespace())
            && place.ends_with(|c: char| c.is_ascii_digit())
    };
    let (place, text) = rest.split_once(": ").filter(|(place, _)| is_place(place)).unwrap_or(("", rest));
    Some(Message { is_error, rule: rule.to_owned(), place: place.to_owned(), text: text.to_owned() })
}
