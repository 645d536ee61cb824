// SPDX-License-Identifier: Apache-2.0
//! A board on a serial line as a transport: the same programs as everywhere, on a real core.
//!
//! ```text
//!  Transport ─► Serial ─► Line ─► serial port ─► link, core, memory of the board (docs/board.md)
//! ```

mod error;
mod frame;
mod line;

pub use error::LinkError;
pub use line::{LineStatistics, SerialSettings};

use crate::error::{HostError, Result};
use crate::program::Program;
use crate::report::Report;
use crate::transport::{Transport, check_address};
use isa::csr::{DEVICE_PAGE, NO_PROGRESS_RESET, Status, context, context_address, device};
use isa::limits::{BASES, WINDOWS};
use isa::link::{BLOCK_BYTES, HELLO_BYTES, LinkStatus, Op, VERSION};
use isa::{Activity, Cause, Config, Counter, FaultRecord, Pipe};
use line::Line;
use std::path::Path;
use std::time::Duration;

/// Shortest piece that memory is cut into on a bad line.
const PIECE_MIN: usize = 32;

/// Times that a longer piece is sent before it is cut.
const ATTEMPTS_LONG: u32 = 4;

/// Good pieces after which longer ones are tried again.
const CALM: u32 = 32;

/// Longest sleep between two looks at the status.
const POLL_MAX: Duration = Duration::from_millis(50);

/// Looks at the status after which a core that should stop counts as stuck; it takes as many cycles as its memory needs for what is under way.
const STOP_LOOKS: u32 = 1_000;

/// Called with the bytes carried so far, both ways.
type Watch = Box<dyn FnMut(u64)>;

/// A core on a board.
pub struct Serial {
    line: Line,
    config: Config,
    memory_bytes: u64,
    clock_hz: u64,
    /// Bytes of memory per request, and good ones since the last change.
    piece: usize,
    calm: u32,
    watch: Watch,
}

impl Serial {
    /// Opens the port, says hello, compares the board's core with `config`, and stops what may still run there.
    ///
    /// *Errors*: [`HostError::Link`] with what is wrong; [`HostError::Config`] if the configuration is illegal.
    pub fn open(port: &Path, config: &Config, settings: SerialSettings) -> Result<Serial> {
        let config = config.clone().checked()?;
        let line = Line::open(port, settings)?;
        let watch = Box::new(|_| {});
        let mut serial = Serial { line, config, memory_bytes: 0, clock_hz: 0, piece: BLOCK_BYTES, calm: 0, watch };
        serial.hello()?;
        serial.compare()?;
        serial.soft_reset()?;
        Ok(serial)
    }

    /// Calls `watch` now and then with the bytes carried so far, both ways.
    #[must_use]
    pub fn on_progress(mut self, watch: impl FnMut(u64) + 'static) -> Serial {
        self.watch = Box::new(watch);
        self
    }

    /// Bytes of global memory, from address 0 on.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// Clock of the board, in Hz.
    #[must_use]
    pub fn clock_hz(&self) -> u64 {
        self.clock_hz
    }

    /// How the line has done so far.
    #[must_use]
    pub fn statistics(&self) -> LineStatistics {
        self.line.statistics
    }

    fn hello(&mut self) -> Result<()> {
        // Any number that an answer to somebody else does not hold.
        let nonce =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |time| time.as_nanos() as u64);
        let (status, data) = self.ask(Op::Hello, nonce & 0xff_ffff_ffff, HELLO_BYTES, &[])?;
        if status != LinkStatus::Done as u8 || data.len() != HELLO_BYTES {
            return Err(LinkError::Answered { what: "hello", address: 0, status }.into());
        }
        if data[0] != VERSION {
            return Err(LinkError::Version { version: data[0] }.into());
        }
        self.memory_bytes = 1 << data[1].min(40);
        self.clock_hz = u64::from(u32::from_le_bytes([data[4], data[5], data[6], data[7]])) * 1000;
        Ok(())
    }

    /// That the core on the board is the one asked for. How it makes its products does not matter to a program.
    fn compare(&mut self) -> Result<()> {
        let mut words = std::collections::BTreeMap::new();
        // Between the sizes and the name there is a hole.
        for (first, last) in [(device::MAGIC, device::DSP_MULTS), (device::NAME, device::NAME + 12)] {
            let read = self.read_registers(first, ((last - first) / 4 + 1) as usize)?;
            words.extend(read.into_iter().enumerate().map(|(at, word)| (first + 4 * at as u32, word)));
        }
        let name: Vec<u8> = (0..4).flat_map(|at| words[&(device::NAME + 4 * at)].to_le_bytes()).collect();
        let printable = |byte: &&u8| byte.is_ascii_graphic();
        let found: String = name.iter().take_while(printable).map(|&byte| char::from(byte)).collect();
        for csr in DEVICE_PAGE {
            if matches!(csr.offset, device::BUILD_HASH | device::CORE_ID | device::DSP_MULTS)
                || csr.offset >= device::NAME
            {
                continue;
            }
            let (expected, got) = (csr.reset.value(&self.config), words[&csr.offset]);
            if expected != got {
                let wanted = self.config.name.clone();
                return Err(LinkError::WrongCore { wanted, found, register: (csr.name, expected, got) }.into());
            }
        }
        Ok(())
    }

    /// A request and its answer; a board that does not know us any more is an error.
    fn ask(&mut self, op: Op, address: u64, count: usize, data: &[u8]) -> Result<(u8, Vec<u8>)> {
        match self.line.ask(self.line.attempts(), op, address, count, data)? {
            Ok((status, _)) if status == LinkStatus::Stranger as u8 => Err(LinkError::Reset.into()),
            Ok(answer) => {
                (self.watch)(self.line.statistics.bytes);
                Ok(answer)
            }
            Err(why) => Err(self.line.hopeless(why).into()),
        }
    }

    fn read_registers(&mut self, address: u32, count: usize) -> Result<Vec<u32>> {
        let (status, data) = self.ask(Op::ReadRegisters, address.into(), 4 * count, &[])?;
        match status {
            0 => Ok(data.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect()),
            _ => Err(LinkError::Answered { what: "read of registers", address: address.into(), status }.into()),
        }
    }

    fn write_registers(&mut self, address: u32, values: &[u32]) -> Result<()> {
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let (status, _) = self.ask(Op::WriteRegisters, address.into(), data.len(), &data)?;
        match status {
            0 => Ok(()),
            _ => Err(LinkError::Answered { what: "write of registers", address: address.into(), status }.into()),
        }
    }

    fn status(&mut self) -> Result<u32> {
        Ok(self.read_registers(context_address(0, context::STATUS), 1)?[0])
    }

    /// Stops whatever runs and waits until the core is idle.
    fn soft_reset(&mut self) -> Result<()> {
        self.write_registers(context_address(0, context::SOFT_RESET), &[1])?;
        for _ in 0..STOP_LOOKS {
            // The whole word: idle and no longer draining.
            if self.status()? == Status::Idle as u32 {
                return Ok(());
            }
        }
        Err(LinkError::Stuck.into())
    }

    /// Sets bases, windows and program, and rings the start doorbell.
    fn start(&mut self, program: &Program) -> Result<()> {
        let pair = |value: u64| [value as u32, (value >> 32) as u32];
        let at = |offset: u32| context_address(0, offset);
        let bases: Vec<u32> =
            (0..BASES).flat_map(|base| pair(program.bases().get(base).copied().unwrap_or(0))).collect();
        self.write_registers(at(context::BASE_LO), &bases)?;
        for window in 0..WINDOWS {
            let offset = context::WINDOW_FIRST_LO + window as u32 * context::WINDOW_STRIDE;
            // What the program before was allowed is over.
            let words = match program.windows().get(window) {
                Some(window) => [pair(window.first), pair(window.last), [window.rights, 0]].concat(),
                None => vec![0; 6],
            };
            self.write_registers(at(offset), &words[..5])?;
        }
        self.write_registers(at(context::NO_PROGRESS_LIMIT), &[NO_PROGRESS_RESET])?;
        let [low, high] = pair(program.address());
        self.write_registers(at(context::PROGRAM_LO), &[low, high, program.code().len() as u32])?;
        self.write_registers(at(context::START), &[1])
    }

    fn fault_record(&mut self) -> Result<FaultRecord> {
        let words = self.read_registers(context_address(0, context::FAULT_CAUSE), 4)?;
        let unknown = || LinkError::Counters { what: format!("a fault that nobody defined: {:#x}", words[0]) };
        Ok(FaultRecord {
            cause: Cause::from_code(words[0] as u8).ok_or_else(unknown)?,
            pipe: Pipe::from_code((words[0] >> 8 & 7) as u8).ok_or_else(unknown)?,
            pc: words[1],
            address: u64::from(words[3]) << 32 | u64::from(words[2]),
        })
    }

    fn counters(&mut self) -> Result<Vec<(Counter, u64)>> {
        self.write_registers(context_address(0, context::SNAPSHOT), &[1])?;
        let words = self.read_registers(context_address(0, context::COUNTER_LO), 2 * Counter::all().count())?;
        let value = |at: usize| u64::from(words[2 * at + 1]) << 32 | u64::from(words[2 * at]);
        let total = value(Counter::TotalCycles.index());
        for pipe in Pipe::WORKERS {
            let sum: u64 = Activity::ALL.into_iter().map(|of| value(Counter::Pipe(pipe, of).index())).sum();
            if sum != total {
                let what = format!("the activities of {pipe} add up to {sum}, not to the total {total}");
                return Err(LinkError::Counters { what }.into());
            }
        }
        Ok(Counter::all().map(|counter| (counter, value(counter.index()))).collect())
    }

    /// Bytes of the next piece of `left` bytes at `address`: it stays in its block.
    fn piece(&self, address: u64, left: usize) -> usize {
        left.min(self.piece).min(BLOCK_BYTES - address as usize % BLOCK_BYTES)
    }

    /// As [`Serial::ask`] for a piece of memory; on a bad line it says to try a shorter one instead of giving up.
    fn ask_piece(&mut self, op: Op, address: u64, count: usize, data: &[u8]) -> Result<Option<Vec<u8>>> {
        let shortest = count <= PIECE_MIN;
        let attempts = if shortest { self.line.attempts() } else { self.line.attempts().min(ATTEMPTS_LONG) };
        match self.line.ask(attempts, op, address, count, data)? {
            Ok((0, data)) => {
                self.calm += 1;
                if self.calm == CALM {
                    self.calm = 0;
                    self.piece = (2 * self.piece).min(BLOCK_BYTES);
                }
                (self.watch)(self.line.statistics.bytes);
                Ok(Some(data))
            }
            Ok((status, _)) if status == LinkStatus::Stranger as u8 => Err(LinkError::Reset.into()),
            Ok((status, _)) => Err(LinkError::Answered { what: "access to memory", address, status }.into()),
            Err(_) if !shortest => {
                self.calm = 0;
                self.piece = (count / 4).max(PIECE_MIN);
                Ok(None)
            }
            Err(why) => Err(self.line.hopeless(why).into()),
        }
    }

    fn check_memory(&self, address: u64, len: usize) -> Result<()> {
        check_address(address, len)?;
        let needed = address + len as u64;
        if needed > self.memory_bytes {
            return Err(LinkError::Memory { needed, has: self.memory_bytes }.into());
        }
        Ok(())
    }
}

impl Transport for Serial {
    fn config(&self) -> &Config {
        &self.config
    }

    fn write(&mut self, mut address: u64, mut bytes: &[u8]) -> Result<()> {
        self.check_memory(address, bytes.len())?;
        while !bytes.is_empty() {
            let count = self.piece(address, bytes.len());
            if self.ask_piece(Op::WriteMemory, address, count, &bytes[..count])?.is_some() {
                address += count as u64;
                bytes = &bytes[count..];
            }
        }
        Ok(())
    }

    fn read(&mut self, address: u64, len: usize) -> Result<Vec<u8>> {
        self.check_memory(address, len)?;
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            let from = address + bytes.len() as u64;
            let count = self.piece(from, len - bytes.len());
            bytes.extend(self.ask_piece(Op::ReadMemory, from, count, &[])?.unwrap_or_default());
        }
        Ok(bytes)
    }

    fn run(&mut self, program: &Program) -> Result<Report> {
        for window in program.windows() {
            self.check_memory(window.first, (window.last - window.first + 1) as usize)?;
        }
        self.write(program.address(), program.code())?;
        self.start(program)?;
        let mut sleep = Duration::from_millis(1);
        loop {
            // The core's own watchdog ends a run that stands still.
            match Status::from_bits(self.status()?) {
                Status::Done => {
                    let counters = self.counters()?;
                    return Ok(Report::new(&self.config, counters));
                }
                Status::Fault => {
                    let record = self.fault_record()?;
                    self.soft_reset()?;
                    return Err(HostError::Fault(record));
                }
                Status::Idle => return Err(LinkError::Reset.into()),
                Status::Running => std::thread::sleep(sleep),
            }
            sleep = (2 * sleep).min(POLL_MAX);
        }
    }
}
