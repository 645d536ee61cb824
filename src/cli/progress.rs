// SPDX-License-Identifier: Apache-2.0
//! Progress of long work on a terminal; elsewhere nothing but one line where the wait is long.

use super::table::grouped;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::fmt;
use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often a moving sign moves.
const TICK: Duration = Duration::from_millis(100);

/// A simulation that comes from the cache is ready before this; one that has to be built takes about a minute.
const LONG: Duration = Duration::from_secs(3);

const CYCLES: &str = "{msg} [{bar:24}] {human_pos} of about {human_len} cycles, {rate} per second, {elapsed}";
const COUNT: &str = "{spinner} {msg}: {human_pos} cycles, {rate} per second, {elapsed}";
const ROWS: &str = "[{bar:24}] {pos} of {len}: {msg} ({elapsed}, about {eta} to go)";
const BYTES: &str = "{spinner} {msg}: {bytes} over the line, {bytes_per_sec}, {elapsed}";
const SPINNER: &str = "{spinner} {msg} ({elapsed})";

/// Shows the cursor again and clears the line of a bar, if there is a terminal.
pub fn restore_terminal() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K\x1b[?25h");
    }
}

/// A sign that moves while a core runs, with the number of its cycles; invisible where standard error is no terminal.
pub fn cycles() -> ProgressBar {
    signed(COUNT, "simulating")
}

/// A bar over so many works, with the present one as its message; invisible where standard error is no terminal.
pub fn rows(count: usize) -> ProgressBar {
    let bar = signed(SPINNER, "");
    bar.set_length(count as u64);
    bar.set_style(style(ROWS));
    bar
}

/// A sign that moves while a board works, with the bytes that went over its line; invisible where standard error is no terminal.
pub fn bytes() -> ProgressBar {
    signed(BYTES, "asking the board")
}

/// Makes a bar of the sign, that is full after about so many cycles.
pub fn expect(sign: &ProgressBar, cycles: u64) {
    sign.set_length(cycles);
    sign.set_style(style(CYCLES));
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is one of this file's, tested below").with_key(
        "rate",
        |state: &ProgressState, line: &mut dyn fmt::Write| {
            // A sign that cannot be drawn is no reason to stop.
            let _ = line.write_str(&grouped(state.per_sec() as u64));
        },
    )
}

fn signed(template: &str, message: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    bar.set_style(style(template));
    bar.set_message(message.to_owned());
    bar.enable_steady_tick(TICK);
    bar
}

/// Tells about a wait that is mostly short: a sign on a terminal, and one line elsewhere once it has become long.
pub struct Waiting {
    done: Option<Sender<()>>,
    watcher: Option<JoinHandle<()>>,
    sign: ProgressBar,
}

impl Waiting {
    /// Begins to wait; `long` is said when the wait has become long.
    pub fn begin(short: &str, long: String) -> Waiting {
        let sign = signed(SPINNER, short);
        let (done, told) = channel();
        let shown = sign.clone();
        let watcher = std::thread::spawn(move || {
            if told.recv_timeout(LONG) == Err(RecvTimeoutError::Timeout) {
                if shown.is_hidden() {
                    eprintln!("quader: {long}");
                } else {
                    shown.set_message(long);
                }
            }
        });
        Waiting { done: Some(done), watcher: Some(watcher), sign }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // The watcher wakes up when its other end goes.
        drop(self.done.take());
        if let Some(watcher) = self.watcher.take() {
            // It does not panic, and if it did there would be nothing to do.
            let _ = watcher.join();
        }
        self.sign.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_legal() {
        for template in [CYCLES, COUNT, ROWS, BYTES, SPINNER] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
