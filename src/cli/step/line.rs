// SPDX-License-Identifier: Apache-2.0
//! Where the commands come from: a terminal with editing, history and completion, or a script.

use super::command::{COMMANDS, Topic};
use super::matrix::BUFFERS;
use crate::cli::{Failure, Result};
use isa::Pipe;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{Context, Editor, Helper};
use std::io::{BufRead, IsTerminal, StdinLock, stdin};

/// What stands before a command.
pub const PROMPT: &str = "(step) ";

/// A source of lines.
pub enum Lines {
    /// A terminal.
    Terminal(Box<Editor<Words, MemHistory>>),
    /// Anything else.
    Script(StdinLock<'static>),
}

impl Lines {
    /// Standard input.
    pub fn open() -> Result<Lines> {
        if !(stdin().is_terminal() && std::io::stdout().is_terminal()) {
            return Ok(Lines::Script(stdin().lock()));
        }
        let broken = |error: ReadlineError| Failure::failed(format!("the terminal cannot be used: {error}"));
        let config = rustyline::Config::builder().auto_add_history(true).build();
        let mut editor = Editor::with_history(config, MemHistory::new()).map_err(broken)?;
        editor.set_helper(Some(Words));
        Ok(Lines::Terminal(Box::new(editor)))
    }

    /// True if a person types.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Lines::Terminal(_))
    }

    /// The next line; nothing at the end.
    pub fn next(&mut self) -> Result<Option<String>> {
        match self {
            Lines::Terminal(editor) => loop {
                match editor.readline(PROMPT) {
                    Ok(line) => return Ok(Some(line)),
                    // Ctrl-C at the prompt only leaves the line.
                    Err(ReadlineError::Interrupted) => {}
                    Err(ReadlineError::Eof) => return Ok(None),
                    Err(error) => return Err(Failure::failed(format!("the terminal cannot be read: {error}"))),
                }
            },
            Lines::Script(input) => {
                let mut line = Vec::new();
                let read = input.read_until(b'\n', &mut line);
                let read = read.map_err(|cause| Failure::failed(format!("standard input cannot be read: {cause}")))?;
                Ok((read > 0).then(|| String::from_utf8_lossy(&line).trim_end().to_owned()))
            }
        }
    }
}

/// Completes the words of commands.
pub struct Words;

impl Words {
    /// Words that may come at the end of `line`, which begin like its last one; and where that one begins.
    fn candidates(line: &str) -> (usize, Vec<&'static str>) {
        let start = line.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let before: Vec<&str> = line[..start].split_whitespace().collect();
        let pipes = || Pipe::WORKERS.map(Pipe::name).to_vec();
        let mut names: Vec<&'static str> = COMMANDS.iter().map(|entry| entry.name).collect();
        names.dedup();
        let words = match before[..] {
            [] | ["help" | "h"] => names,
            ["next" | "n"] | ["print" | "p", "regs"] => pipes(),
            ["break" | "b"] => vec!["pc", "addr", "flag", "fault", "cycle"],
            ["break" | "b", "addr", _] => vec!["read", "write"],
            ["info" | "i"] => Topic::ALL.map(|(name, _)| name).to_vec(),
            ["print" | "p"] => BUFFERS.iter().map(|(name, _)| *name).chain(["fb", "regs"]).collect(),
            ["print" | "p", ..] => {
                vec!["s8", "u8", "int32", "fp32", "hex", "nz", "rows", "stride", "of", "row", "col", "all"]
            }
            ["set"] => vec!["gm"],
            ["wave"] => vec!["off"],
            _ => Vec::new(),
        };
        (start, words.into_iter().filter(|word| word.starts_with(&line[start..])).collect())
    }
}

impl Completer for Words {
    type Candidate = String;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let (start, words) = Words::candidates(&line[..position]);
        Ok((start, words.into_iter().map(str::to_owned).collect()))
    }
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {}

impl Validator for Words {}

impl Helper for Words {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_completed_where_they_belong() {
        for (line, start, words) in [
            ("re", 0, vec!["restart"]),
            ("break f", 6, vec!["flag", "fault"]),
            ("p l0", 2, vec!["l0a", "l0b", "l0c"]),
            ("next mte", 5, vec!["mte2", "mte1", "mte3"]),
            ("print l1 0x40 4x4 st", 18, vec!["stride"]),
            ("info c", 5, vec!["counters"]),
            ("nonsense x", 9, vec![]),
        ] {
            assert_eq!(Words::candidates(line), (start, words), "{line}");
        }
    }
}
