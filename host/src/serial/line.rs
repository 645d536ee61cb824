// SPDX-License-Identifier: Apache-2.0
//! Requests over a serial port, each sent until its answer comes.
//!
//! ```text
//!  request ─► frame ─► port ─► board ─► port ─► judge ─► answer
//!     ▲                                           │ damaged, or nothing in time
//!     └──────────── the same bytes again ◄────────┘
//! ```
//! The same bytes, sequence number included: a board that did the request already answers it again and does it no more.

use super::error::LinkError;
use super::frame::{Heard, Request};
use isa::link::Op;
use serial2::SerialPort;
use std::collections::VecDeque;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes without a flag after which what came is no frame.
const FRAME_LIMIT: usize = 4096;

/// A serial line, and how patient its user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SerialSettings {
    /// Bits per second.
    pub baud: u32,
    /// How long to wait for an answer, besides the time that its bytes and those of the request take.
    pub patience: Duration,
    /// Times that a request is sent before the line counts as broken.
    pub attempts: u32,
}

impl Default for SerialSettings {
    /// 1 Mbaud, 250 ms, 12 attempts.
    fn default() -> SerialSettings {
        SerialSettings { baud: 1_000_000, patience: Duration::from_millis(250), attempts: 12 }
    }
}

/// How a line has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineStatistics {
    /// Requests answered.
    pub requests: u64,
    /// Bytes of memory and registers carried.
    pub bytes: u64,
    /// Requests that had to be sent again.
    pub resent: u64,
    /// Damaged frames, as either side noticed.
    pub damaged: u64,
}

/// Why a request got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// Nothing came back.
    Silence,
    /// Only damaged frames.
    Noise,
}

/// A port with a board at its end.
pub(super) struct Line {
    port: SerialPort,
    /// Holds the lock on the port.
    _lock: File,
    name: String,
    settings: SerialSettings,
    sequence: u8,
    /// Bytes read and not yet looked at, and those since the last flag.
    unread: VecDeque<u8>,
    open: Vec<u8>,
    pub statistics: LineStatistics,
}

impl Line {
    /// Opens the port for this process alone.
    pub fn open(path: &Path, settings: SerialSettings) -> Result<Line, LinkError> {
        let name = path.display().to_string();
        let refused = |cause: io::Error| match cause.kind() {
            io::ErrorKind::NotFound => LinkError::NoPort { port: name.clone() },
            io::ErrorKind::PermissionDenied => LinkError::Forbidden { port: name.clone() },
            io::ErrorKind::ResourceBusy => LinkError::Busy { port: name.clone() },
            _ => LinkError::Open { port: name.clone(), baud: settings.baud, cause },
        };
        let port = SerialPort::open(path, settings.baud).map_err(refused)?;
        let lock = lock(&port).map_err(|error| match error {
            TryLockError::WouldBlock => LinkError::Busy { port: name.clone() },
            TryLockError::Error(cause) => refused(cause),
        })?;
        port.discard_buffers().map_err(refused)?;
        // Any number will do that the last session did not end with.
        let sequence = std::process::id() as u8;
        let (unread, open) = (VecDeque::new(), vec![]);
        Ok(Line { port, _lock: lock, name, settings, sequence, unread, open, statistics: LineStatistics::default() })
    }

    fn lost(&self, cause: io::Error) -> LinkError {
        LinkError::Lost { port: self.name.clone(), cause }
    }

    /// Times that a request is sent before the line counts as broken.
    pub fn attempts(&self) -> u32 {
        self.settings.attempts
    }

    /// The error of a request that nothing helped.
    pub fn hopeless(&self, why: Unanswered) -> LinkError {
        let (port, SerialSettings { baud, attempts, .. }) = (self.name.clone(), self.settings);
        match why {
            Unanswered::Silence => LinkError::Silent { port, baud, attempts },
            Unanswered::Noise => LinkError::Noisy { port, baud, attempts },
        }
    }

    /// Sends a request until it is answered, `attempts` times at most: status and data, or why there is no answer.
    pub fn ask(
        &mut self,
        attempts: u32,
        op: Op,
        address: u64,
        count: usize,
        data: &[u8],
    ) -> Result<Result<(u8, Vec<u8>), Unanswered>, LinkError> {
        self.sequence = self.sequence.wrapping_add(1);
        let request = Request { op, sequence: self.sequence, count, address, data };
        let frame = request.frame();
        let wire = (frame.len() + request.answer_bytes()) as f64 * 10.0 / f64::from(self.settings.baud);
        // Half as much again for escapes and for a clock of the board that is a little slow.
        let time = self.settings.patience + Duration::from_secs_f64(1.5 * wire);
        let mut why = Unanswered::Silence;
        for attempt in 0..attempts {
            self.statistics.resent += u64::from(attempt > 0);
            self.send(&frame)?;
            match self.listen(&request, Instant::now() + time)? {
                Some(Heard::Answer { status, data }) => {
                    self.statistics.requests += 1;
                    self.statistics.bytes += count as u64;
                    return Ok(Ok((status, data)));
                }
                Some(_) => {
                    why = Unanswered::Noise;
                    self.statistics.damaged += 1;
                    self.drain()?;
                }
                None => {}
            }
        }
        Ok(Err(why))
    }

    fn send(&mut self, mut bytes: &[u8]) -> Result<(), LinkError> {
        while !bytes.is_empty() {
            match self.port.write(bytes) {
                Ok(0) => return Err(self.lost(io::ErrorKind::WriteZero.into())),
                Ok(sent) => bytes = &bytes[sent..],
                // The line takes its time.
                Err(cause) if matches!(cause.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted) => {}
                Err(cause) => return Err(self.lost(cause)),
            }
        }
        Ok(())
    }

    /// The first frame that is no answer to something else; nothing if none comes in time.
    fn listen(&mut self, request: &Request, until: Instant) -> Result<Option<Heard>, LinkError> {
        loop {
            while let Some(byte) = self.unread.pop_front() {
                if byte != isa::link::FLAG {
                    self.open.push(byte);
                    if self.open.len() > FRAME_LIMIT {
                        return Ok(Some(Heard::Damaged));
                    }
                    continue;
                }
                let between = std::mem::take(&mut self.open);
                if between.is_empty() {
                    continue;
                }
                match request.judge(&between) {
                    Heard::Stale => {}
                    heard => return Ok(Some(heard)),
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || !self.read(left)? {
                return Ok(None);
            }
        }
    }

    /// Reads what is there, or waits for something; false if nothing came.
    fn read(&mut self, wait: Duration) -> Result<bool, LinkError> {
        // The port counts milliseconds, and 0 of them would not wait at all.
        self.port.set_read_timeout(wait.max(Duration::from_millis(1))).map_err(|cause| self.lost(cause))?;
        let mut bytes = [0; 4096];
        match self.port.read(&mut bytes) {
            Ok(0) => Err(self.lost(io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => {
                self.unread.extend(&bytes[..count]);
                Ok(true)
            }
            Err(cause) if cause.kind() == io::ErrorKind::TimedOut => Ok(false),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(cause) => Err(self.lost(cause)),
        }
    }

    /// Forgets what comes until the line has been quiet for a while.
    fn drain(&mut self) -> Result<(), LinkError> {
        let quiet = (self.settings.patience / 16).max(Duration::from_millis(2));
        let until = Instant::now() + self.settings.patience;
        while Instant::now() < until && self.read(quiet)? {}
        self.unread.clear();
        self.open.clear();
        Ok(())
    }
}

/// A lock that other processes with this code respect, for as long as the file is there.
fn lock(port: &SerialPort) -> Result<File, TryLockError> {
    #[cfg(unix)]
    let file = {
        use std::os::fd::AsFd;
        File::from(port.as_fd().try_clone_to_owned().map_err(TryLockError::Error)?)
    };
    #[cfg(windows)]
    let file = {
        use std::os::windows::io::AsHandle;
        File::from(port.as_handle().try_clone_to_owned().map_err(TryLockError::Error)?)
    };
    file.try_lock()?;
    Ok(file)
}
