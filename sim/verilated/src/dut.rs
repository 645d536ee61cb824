// SPDX-License-Identifier: Apache-2.0
//! One running instance of a model, its ports as plain memory.
//!
//! The order in every clock cycle: set inputs with the clock low, [`Dut::eval`], read outputs, raise the clock, `eval`. The first `eval` of an
//! instance never sees a rising edge, so the first one has the clock low. [`crate::Clocked`] keeps that order by itself.

use std::ffi::{CStr, c_void};
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::inner::InnerSlot;
use crate::model::Model;

/// State of registers and memories before anything drives them, and of every x that the design assigns. Inputs start in it too, so with
/// [`Reset::Random`] a test has to drive every input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// All bits 0.
    Zeros,
    /// All bits 1.
    Ones,
    /// Random bits; the same seed gives the same bits with the same build.
    Random(u32),
}

/// Which way a port goes, seen from the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Driven by the testbench.
    Input,
    /// Driven by the design.
    Output,
    /// Either; can be read and written.
    Inout,
}

/// What is known about a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortInfo {
    /// Name in the Verilog text.
    pub name: String,
    /// Which way it goes.
    pub direction: Direction,
    /// Width in bits.
    pub bits: u32,
    /// Size of its memory in bytes: 1, 2, 4, 8, or 4 per started 32 bits above 64.
    pub bytes: u32,
}

impl fmt::Display for PortInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Direction::Input => "input",
            Direction::Output => "output",
            Direction::Inout => "inout",
        };
        write!(f, "{direction} {}[{}]", self.name, self.bits)
    }
}

/// A port of a model, found by name once; valid for every instance of that model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    pub(crate) index: u32,
    pub(crate) bits: u32,
}

impl Port {
    /// Width in bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.bits
    }
}

/// Where a port of this instance lives.
struct Slot {
    address: *mut u8,
    bytes: u32,
    bits: u32,
    writable: bool,
}

/// Where the text of a waveform goes.
struct Stream {
    to: Box<dyn Write>,
    /// What it is called in errors.
    name: PathBuf,
    /// The first write that failed; nothing is written after it.
    failed: Option<io::Error>,
}

/// One instance of a [`Model`]. It stays on the thread that made it; dropping it runs the design's `final` blocks and closes the waveform.
pub struct Dut {
    model: Arc<Model>,
    raw: *mut c_void,
    slots: Vec<Slot>,
    pub(crate) inner_slots: Vec<InnerSlot>,
    time: u64,
    /// The open waveform, a box that C++ has the address of, so that nothing else refers to it before it is closed.
    wave: Option<NonNull<Stream>>,
    /// Whether [`Dut::dump`] writes.
    paused: bool,
    stopped: bool,
    ended: bool,
}

impl Dut {
    pub(crate) fn new(model: Arc<Model>, reset: Reset) -> Result<Dut> {
        let (mode, seed) = match reset {
            Reset::Zeros => (0, 1),
            Reset::Ones => (1, 1),
            // The runtime takes seeds of 1 to 2^31 - 1 and reads 0 as "choose one".
            Reset::Random(seed) => (2, 1 + (seed % 0x7FFF_FFFE) as i32),
        };
        let raw = (model.api.create)(mode, seed, print_text);
        if raw.is_null() {
            // SAFETY: without an instance, shim.cpp returns this thread's buffer, which ends with a zero.
            let message = unsafe { CStr::from_ptr((model.api.error)(raw)) }.to_string_lossy().into_owned();
            return Err(Error::Simulation { top: model.top().to_owned(), time: 0, message });
        }
        let mut addresses = vec![std::ptr::null_mut(); model.ports().len()];
        (model.api.addresses)(raw, addresses.as_mut_ptr());
        let slot = |(port, address): (&PortInfo, *mut u8)| Slot {
            address,
            bytes: port.bytes,
            bits: port.bits,
            writable: port.direction != Direction::Output,
        };
        let slots = model.ports().iter().zip(addresses).map(slot).collect();
        Ok(Dut {
            model,
            raw,
            slots,
            inner_slots: Vec::new(),
            time: 0,
            wave: None,
            paused: false,
            stopped: false,
            ended: false,
        })
    }

    /// The port called `name`.
    ///
    /// # Errors
    /// [`Error::UnknownPort`] with the list of all ports.
    pub fn port(&self, name: &str) -> Result<Port> {
        self.model.port(name)
    }

    /// The model that this is an instance of.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The instance as C++ knows it.
    pub(crate) fn raw(&self) -> *mut c_void {
        self.raw
    }

    /// The value of a port of at most 64 bits.
    ///
    /// # Panics
    /// If the port is wider: read [`Dut::words`] or [`Dut::bytes`].
    #[must_use]
    #[inline]
    pub fn get(&self, port: Port) -> u64 {
        let slot = &self.slots[port.index as usize];
        // SAFETY: the address is that of an aligned C++ member of `bytes` bytes that lives as long as the instance.
        unsafe {
            match slot.bytes {
                1 => u64::from(*slot.address),
                2 => u64::from(*slot.address.cast::<u16>()),
                4 => u64::from(*slot.address.cast::<u32>()),
                8 => *slot.address.cast::<u64>(),
                _ => self.too_wide(port),
            }
        }
    }

    /// Sets an input of at most 64 bits; it counts from the next [`Dut::eval`].
    ///
    /// # Panics
    /// If the port is an output or wider than 64 bits, or the value does not fit: the model computes nonsense from bits beyond a port's width.
    #[inline]
    pub fn set(&mut self, port: Port, value: u64) {
        let slot = &self.slots[port.index as usize];
        if !slot.writable || (slot.bits < 64 && value >> slot.bits != 0) {
            self.bad_write(port, value);
        }
        // SAFETY: as in `get`; `&mut self` excludes every other reference into this instance.
        unsafe {
            match slot.bytes {
                1 => *slot.address = value as u8,
                2 => *slot.address.cast::<u16>() = value as u16,
                4 => *slot.address.cast::<u32>() = value as u32,
                8 => *slot.address.cast::<u64>() = value,
                _ => drop(self.too_wide(port)),
            }
        }
    }

    /// A port of more than 16 bits in place: words of 32 bits, least significant first.
    ///
    /// # Panics
    /// If the port has 16 bits or less, which is not stored as words.
    #[must_use]
    #[inline]
    pub fn words(&self, port: Port) -> &[u32] {
        let slot = &self.slots[port.index as usize];
        assert!(slot.bytes >= 4, "a port of {} bits is not stored in words: use get", slot.bits);
        // SAFETY: as in `get`; members of 4 bytes and more are aligned to 4, and the host is little-endian (checked in `bytes`).
        unsafe { std::slice::from_raw_parts(slot.address.cast::<u32>(), slot.bytes as usize / 4) }
    }

    /// An input of more than 16 bits in place, to be written. Bits beyond the port's width in the last word have to be 0.
    ///
    /// # Panics
    /// If the port is an output, or has 16 bits or less.
    #[inline]
    pub fn words_mut(&mut self, port: Port) -> &mut [u32] {
        let slot = &self.slots[port.index as usize];
        assert!(slot.bytes >= 4, "a port of {} bits is not stored in words: use set", slot.bits);
        assert!(slot.writable, "an output cannot be written");
        // SAFETY: as in `words`; `&mut self` excludes every other reference into this instance.
        unsafe { std::slice::from_raw_parts_mut(slot.address.cast::<u32>(), slot.bytes as usize / 4) }
    }

    /// A port of any width in place: bytes, least significant first, one per started 8 bits.
    #[must_use]
    #[inline]
    pub fn bytes(&self, port: Port) -> &[u8] {
        const { assert!(cfg!(target_endian = "little"), "ports are read in place, least significant byte first") };
        let slot = &self.slots[port.index as usize];
        // SAFETY: as in `get`; `ceil(bits / 8) <= bytes`.
        unsafe { std::slice::from_raw_parts(slot.address, slot.bits.div_ceil(8) as usize) }
    }

    /// An input of any width in place, to be written. Bits beyond the port's width in the last byte have to be 0.
    ///
    /// # Panics
    /// If the port is an output.
    #[inline]
    pub fn bytes_mut(&mut self, port: Port) -> &mut [u8] {
        let slot = &self.slots[port.index as usize];
        assert!(slot.writable, "an output cannot be written");
        // SAFETY: as in `bytes`; `&mut self` excludes every other reference into this instance.
        unsafe { std::slice::from_raw_parts_mut(slot.address, slot.bits.div_ceil(8) as usize) }
    }

    /// Computes everything that follows from the inputs as they stand now.
    ///
    /// # Errors
    /// [`Error::Simulation`] if the design stops itself (`$fatal`, `$stop`, `$error`, a failed assertion, a loop that does not settle); every
    /// later call then repeats that error. Other instances are not affected.
    #[inline]
    pub fn eval(&mut self) -> Result<()> {
        if self.stopped || (self.model.api.eval)(self.raw) != 0 {
            return Err(self.stop());
        }
        Ok(())
    }

    /// Sets the time that `$time` and waveforms show, in nanoseconds.
    #[inline]
    pub fn set_time(&mut self, nanoseconds: u64) {
        self.time = nanoseconds;
        (self.model.api.set_time)(self.raw, nanoseconds);
    }

    /// The time set last, in nanoseconds.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.time
    }

    /// True once the design executed `$finish`.
    #[must_use]
    pub fn finished(&self) -> bool {
        (self.model.api.finished)(self.raw) != 0
    }

    /// Starts a waveform of all signals in VCD; the folder is made if needed. Call [`Dut::dump`] after every `eval`.
    ///
    /// # Errors
    /// As [`Dut::trace_to`]; [`Error::Wave`] if the file cannot be written.
    pub fn trace(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        }
        self.can_trace(path)?;
        let refused =
            |cause: io::Error| Error::Wave { path: path.to_owned(), reason: format!("it cannot be written: {cause}") };
        let file = File::create(path).map_err(refused)?;
        self.trace_to(path, BufWriter::new(file))
    }

    /// As [`Dut::trace`], with the text of the VCD file going to `to`: the header now, changes when they are dumped and at the latest with
    /// [`Dut::flush_trace`]. `name` is what errors call it. A waveform can be started again after the last one was closed.
    ///
    /// # Errors
    /// [`Error::Wave`] if the model was built without tracing, or a waveform is open.
    pub fn trace_to(&mut self, name: impl Into<PathBuf>, to: impl Write + 'static) -> Result<()> {
        let name = name.into();
        self.can_trace(&name)?;
        let stream = NonNull::from(Box::leak(Box::new(Stream { to: Box::new(to), name, failed: None })));
        self.wave = Some(stream);
        self.paused = false;
        if (self.model.api.trace_open)(self.raw, write_wave, stream.as_ptr().cast()) != 0 {
            let path = self.take_stream().map_or_else(PathBuf::new, |stream| stream.name);
            return Err(Error::Wave { path, reason: "Verilator's runtime did not open it".to_owned() });
        }
        Ok(())
    }

    fn can_trace(&self, path: &Path) -> Result<()> {
        let refused = |reason: &str| Err(Error::Wave { path: path.to_owned(), reason: reason.to_owned() });
        match (self.model.is_traced(), &self.wave) {
            (false, _) => refused("the model was built without tracing; build it with `trace(true)`"),
            (_, Some(_)) => refused("this instance has a waveform already"),
            _ => Ok(()),
        }
    }

    /// Writes what changed since the last call, at the time set last; nothing without [`Dut::trace`].
    #[inline]
    pub fn dump(&mut self) {
        if self.wave.is_some() && !self.paused {
            (self.model.api.trace_dump)(self.raw);
        }
    }

    /// From now on [`Dut::dump`] writes nothing (`true`) or all that changed since it last did (`false`). The first dump of a waveform writes
    /// every value, so one that begins paused is complete from where it goes on.
    #[inline]
    pub fn pause_trace(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Hands all text of the dumps so far to where the waveform goes.
    pub fn flush_trace(&mut self) {
        if self.wave.is_some() {
            (self.model.api.trace_flush)(self.raw);
        }
    }

    /// Closes the waveform, which makes the file complete; nothing without one. Dropping the instance does it too.
    ///
    /// # Errors
    /// [`Error::Wave`] if not all of it could be written.
    pub fn close_trace(&mut self) -> Result<()> {
        if self.wave.is_none() {
            return Ok(());
        }
        (self.model.api.trace_close)(self.raw);
        let Some(mut wave) = self.take_stream() else { return Ok(()) };
        match wave.failed.take().map_or_else(|| wave.to.flush(), Err) {
            Ok(()) => Ok(()),
            Err(cause) => Err(Error::Wave { path: wave.name, reason: format!("it cannot be written: {cause}") }),
        }
    }

    /// Ends the simulation: runs `final` blocks and closes the waveform.
    ///
    /// # Errors
    /// [`Error::Simulation`] if the design stopped itself before, or does in a `final` block.
    pub fn finish(mut self) -> Result<()> {
        self.ended = true;
        if self.stopped || (self.model.api.finish)(self.raw) != 0 {
            return Err(self.stop());
        }
        Ok(())
    }

    #[cold]
    fn stop(&mut self) -> Error {
        if !self.stopped {
            self.stopped = true;
            // What led here should be in the file even if the test now ends.
            self.dump();
            self.close_trace_or_tell();
        }
        // SAFETY: the text belongs to the instance and ends with a zero.
        let message = unsafe { CStr::from_ptr((self.model.api.error)(self.raw)) }.to_string_lossy().into_owned();
        Error::Simulation { top: self.model.top().to_owned(), time: self.time, message }
    }

    fn take_stream(&mut self) -> Option<Box<Stream>> {
        // SAFETY: the pointer is that of the box that `trace_to` leaked, and is taken once; C++ does not write to a closed waveform.
        self.wave.take().map(|stream| unsafe { Box::from_raw(stream.as_ptr()) })
    }

    fn close_trace_or_tell(&mut self) {
        if let Err(error) = self.close_trace() {
            eprintln!("verilated: {error}");
        }
    }

    #[cold]
    fn too_wide(&self, port: Port) -> u64 {
        let info = &self.model.ports()[port.index as usize];
        panic!("{info} of `{}` is wider than 64 bits: use words or bytes", self.model.top());
    }

    #[cold]
    fn bad_write(&self, port: Port, value: u64) -> ! {
        let info = &self.model.ports()[port.index as usize];
        panic!("{info} of `{}` cannot be set to {value:#x}: it is an output or too narrow", self.model.top());
    }
}

impl Drop for Dut {
    fn drop(&mut self) {
        if !self.stopped && !self.ended && (self.model.api.finish)(self.raw) != 0 {
            eprintln!("verilated: {}", self.stop());
        }
        self.close_trace_or_tell();
        (self.model.api.destroy)(self.raw);
    }
}

impl fmt::Debug for Dut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dut")
            .field("top", &self.model.top())
            .field("time", &self.time)
            .field("stopped", &self.stopped)
            .finish()
    }
}

/// Text of a waveform, to where it goes.
extern "C" fn write_wave(stream: *mut c_void, text: *const u8, length: u64) {
    // SAFETY: shim.cpp passes the address that `trace_to` gave it, of a box that lives until the waveform is closed and that nothing
    // else refers to.
    let stream = unsafe { &mut *stream.cast::<Stream>() };
    // SAFETY: shim.cpp passes a buffer of this length that lives during the call.
    let bytes = unsafe { std::slice::from_raw_parts(text, length as usize) };
    if stream.failed.is_none() {
        // A panic may not cross into C++.
        let written = catch_unwind(AssertUnwindSafe(|| stream.to.write_all(bytes)));
        stream.failed = written.unwrap_or_else(|_| Err(io::Error::other("its writer panicked"))).err();
    }
}

/// Text of `$display`, to where the test harness captures it.
extern "C" fn print_text(text: *const u8, length: u64) {
    // SAFETY: shim.cpp passes a buffer of this length that lives during the call.
    let bytes = unsafe { std::slice::from_raw_parts(text, length as usize) };
    // A closed standard output panics, and a panic may not cross into C++.
    let _ = catch_unwind(|| print!("{}", String::from_utf8_lossy(bytes)));
}
