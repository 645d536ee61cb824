// SPDX-License-Identifier: Apache-2.0
//! Running tools: captured output, commands that can be shown, and a limit on how many compilers run at once.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};

/// Lines of tool output that an error carries; Verilator can say thousands.
const SHOWN_LINES: usize = 40;

/// Compilers that run at once in this process; more only makes the others slower and the machine unusable.
const COMPILERS_AT_ONCE: usize = 2;

/// Runs a command with nothing on standard input and its output captured.
pub(crate) fn run(command: &mut Command) -> std::io::Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).output()
}

/// A command as it could be typed into a shell.
pub(crate) fn shown(command: &Command) -> String {
    let mut text = String::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            let _ = write!(text, "{}={} ", name.to_string_lossy(), quoted(&value.to_string_lossy()));
        }
    }
    text.push_str(&quoted(&command.get_program().to_string_lossy()));
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&quoted(&argument.to_string_lossy()));
    }
    text
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+/.,:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The first lines of what a tool said, errors first.
pub(crate) fn first_lines(output: &Output) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    let total = text.lines().count();
    let mut kept = text.lines().take(SHOWN_LINES).collect::<Vec<_>>().join("\n");
    if total > SHOWN_LINES {
        let _ = write!(kept, "\n({} more lines)", total - SHOWN_LINES);
    }
    if kept.is_empty() {
        kept = format!("(it said nothing; {})", output.status);
    }
    kept
}

/// `verilator_bin` started as its wrapper script would: with as much stack as the system allows, which very deep designs need.
pub(crate) fn with_deep_stack(program: &Path) -> Command {
    if cfg!(unix) {
        let mut shell = Command::new("sh");
        shell
            .args([
                "-c",
                r#"ulimit -s unlimited 2>/dev/null || ulimit -s "$(ulimit -H -s)" 2>/dev/null; exec "$0" "$@""#,
            ])
            .arg(program);
        shell
    } else {
        Command::new(program)
    }
}

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

/// Permission to run one compiler; given back when dropped.
pub(crate) struct CompilerSlot;

impl CompilerSlot {
    /// Waits until fewer than [`COMPILERS_AT_ONCE`] compilers run in this process.
    pub(crate) fn wait() -> CompilerSlot {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        while *running >= COMPILERS_AT_ONCE {
            running = ENDED.wait(running).unwrap_or_else(PoisonError::into_inner);
        }
        *running += 1;
        CompilerSlot
    }
}

impl Drop for CompilerSlot {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ENDED.notify_one();
    }
}
