// SPDX-License-Identifier: Apache-2.0
//! Reading a waveform back, for tests that claim something about one.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use vcd::{Command, IdCode, Parser, ScopeItem, Value};

use crate::error::{Error, Result};

/// A VCD file in memory: every signal with all its changes. The trace has to be closed before it is read.
#[derive(Debug, Clone)]
pub struct Wave {
    path: PathBuf,
    signals: Vec<Signal>,
}

/// One signal of a [`Wave`].
#[derive(Debug, Clone)]
pub struct Signal {
    /// Scopes and name, joined by dots: `TOP.adder.sum`.
    pub path: String,
    /// Width in bits.
    pub bits: u32,
    /// Time in units of the file (1 ns for this crate's models) and bits, most significant first, in order of time.
    pub changes: Vec<(u64, Vec<Value>)>,
}

impl Wave {
    /// Reads a whole file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened, [`Error::Wave`] if it is not complete, correct VCD.
    pub fn read(path: impl AsRef<Path>) -> Result<Wave> {
        let path = path.as_ref();
        let file = File::open(path).map_err(Error::io("open", path))?;
        let refused = |cause: std::io::Error| Error::Wave { path: path.to_owned(), reason: cause.to_string() };
        let mut parser = Parser::new(BufReader::new(file));
        let header = parser.parse_header().map_err(refused)?;
        let mut wave = Wave { path: path.to_owned(), signals: Vec::new() };
        let mut by_code = HashMap::new();
        wave.declare("", &header.items, &mut by_code);
        let mut time = 0;
        for command in parser {
            let (code, bits) = match command.map_err(refused)? {
                Command::Timestamp(stamp) => {
                    time = stamp;
                    continue;
                }
                Command::ChangeScalar(code, bit) => (code, vec![bit]),
                Command::ChangeVector(code, bits) => (code, bits.iter().collect()),
                _ => continue,
            };
            for &index in by_code.get(&code).into_iter().flatten() {
                wave.signals[index].changes.push((time, bits.clone()));
            }
        }
        Ok(wave)
    }

    /// One code can stand for several names of the same signal.
    fn declare(&mut self, scope: &str, items: &[ScopeItem], by_code: &mut HashMap<IdCode, Vec<usize>>) {
        let join = |name: &str| if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") };
        for item in items {
            match item {
                ScopeItem::Scope(inner) => self.declare(&join(&inner.identifier), &inner.items, by_code),
                ScopeItem::Var(var) => {
                    by_code.entry(var.code).or_default().push(self.signals.len());
                    self.signals.push(Signal { path: join(&var.reference), bits: var.size, changes: Vec::new() });
                }
                _ => {}
            }
        }
    }

    /// All signals, in the order of the file.
    #[must_use]
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }

    /// The signal with this full path, or the first whose path ends with `.path`.
    ///
    /// # Errors
    /// [`Error::Wave`] with all paths if there is none.
    pub fn signal(&self, path: &str) -> Result<&Signal> {
        let ends = |signal: &&Signal| {
            signal.path.strip_suffix(path).is_some_and(|head| head.is_empty() || head.ends_with('.'))
        };
        self.signals.iter().find(|signal| signal.path == path).or_else(|| self.signals.iter().find(ends)).ok_or_else(
            || {
                let all: Vec<&str> = self.signals.iter().map(|signal| signal.path.as_str()).collect();
                Error::Wave {
                    path: self.path.clone(),
                    reason: format!("it has no signal `{path}`; it has {}", all.join(", ")),
                }
            },
        )
    }
}

impl Signal {
    /// The value at `time` (changes at that very time included); `None` before the first change, for more than 64 bits, or with x or z in it.
    #[must_use]
    pub fn at(&self, time: u64) -> Option<u64> {
        let (_, bits) = &self.changes[..self.changes.partition_point(|(when, _)| *when <= time)].last()?;
        if bits.len() > 64 {
            return None;
        }
        bits.iter().try_fold(0, |value, bit| match bit {
            Value::V0 => Some(value << 1),
            Value::V1 => Some(value << 1 | 1),
            Value::X | Value::Z => None,
        })
    }
}
