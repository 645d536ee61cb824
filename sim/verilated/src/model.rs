// SPDX-License-Identifier: Apache-2.0
//! A built design, loaded: its ports and its constructor.

use std::ffi::{CStr, c_char, c_void};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use libloading::Library;

use crate::build::BuildInfo;
use crate::dut::{Direction, Dut, Port, PortInfo, Reset};
use crate::error::{Error, Result};
use crate::inner;

/// One row of the port table in shim.cpp.
#[repr(C)]
pub(crate) struct RawPort {
    name: *const c_char,
    bytes: u64,
    direction: i32,
    msb: i32,
    lsb: i32,
}

type Raw = *mut c_void;
type Print = extern "C" fn(*const u8, u64);
type Write = extern "C" fn(*mut c_void, *const u8, u64);

/// The function table of shim.cpp, field by field.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Api {
    version: u64,
    ports: extern "C" fn(*mut u64) -> *const RawPort,
    pub(crate) create: extern "C" fn(u32, i32, Print) -> Raw,
    pub(crate) addresses: extern "C" fn(Raw, *mut *mut u8),
    pub(crate) eval: extern "C" fn(Raw) -> i32,
    pub(crate) finish: extern "C" fn(Raw) -> i32,
    pub(crate) error: extern "C" fn(Raw) -> *const c_char,
    pub(crate) finished: extern "C" fn(Raw) -> i32,
    pub(crate) set_time: extern "C" fn(Raw, u64),
    pub(crate) trace_open: extern "C" fn(Raw, Write, *mut c_void) -> i32,
    pub(crate) trace_dump: extern "C" fn(Raw),
    pub(crate) trace_flush: extern "C" fn(Raw),
    pub(crate) trace_close: extern "C" fn(Raw),
    pub(crate) destroy: extern "C" fn(Raw),
}

/// The interface that this crate and shim.cpp agree on.
const API_VERSION: u64 = 2;

/// A built and loaded design. Make as many instances as wanted, on as many threads as wanted.
///
/// The library stays loaded until the process ends: C++ with per-thread state cannot be unloaded safely.
pub struct Model {
    top: String,
    ports: Vec<PortInfo>,
    info: BuildInfo,
    traced: bool,
    pub(crate) api: Api,
    /// Finds signals inside, if the build named any.
    pub(crate) inner: Option<inner::Find>,
}

impl Model {
    pub(crate) fn load(top: &str, library: &Path, traced: bool, info: BuildInfo) -> Result<Model> {
        let refused = |reason: String| Error::Load { path: library.to_owned(), reason };
        // SAFETY: the library was built by this crate; its initialisers are those of Verilator's runtime, which expect nothing of the caller.
        let loaded = unsafe { Library::new(library) }.map_err(|cause| refused(cause.to_string()))?;
        // SAFETY: shim.cpp defines this symbol with this type.
        let api = unsafe {
            let entry = loaded
                .get::<extern "C" fn() -> *const Api>(b"verilated_rs_api\0")
                .map_err(|cause| refused(cause.to_string()))?;
            *entry()
        };
        // SAFETY: inner.cpp defines this symbol with this type.
        let inner = unsafe { loaded.get::<inner::Find>(inner::SYMBOL) }.ok().map(|symbol| *symbol);
        std::mem::forget(loaded);
        if api.version != API_VERSION {
            return Err(refused(format!("it has interface {} instead of {API_VERSION}", api.version)));
        }
        let mut count = 0;
        let table = (api.ports)(&raw mut count);
        // SAFETY: the table is a static array of `count` rows (and one more) in the library, which is never unloaded.
        let rows = unsafe { std::slice::from_raw_parts(table, count as usize) };
        let ports = rows.iter().map(port_info).collect();
        Ok(Model { top: top.to_owned(), ports, info, traced, api, inner })
    }

    /// A new instance with its own simulation context, its registers in the power-up state `reset`, at time 0, not yet evaluated.
    ///
    /// # Errors
    /// [`Error::Simulation`] if the design stops itself while it is constructed.
    pub fn instance(self: &Arc<Self>, reset: Reset) -> Result<Dut> {
        Dut::new(Arc::clone(self), reset)
    }

    /// The port called `name` in the Verilog text.
    ///
    /// # Errors
    /// [`Error::UnknownPort`] with the list of all ports.
    pub fn port(&self, name: &str) -> Result<Port> {
        let index = self.ports.iter().position(|port| port.name == name).ok_or_else(|| Error::UnknownPort {
            top: self.top.clone(),
            port: name.to_owned(),
            ports: self.ports.iter().map(ToString::to_string).collect(),
        })?;
        Ok(Port { index: index as u32, bits: self.ports[index].bits })
    }

    /// All ports of the top module; the order is Verilator's.
    #[must_use]
    pub fn ports(&self) -> &[PortInfo] {
        &self.ports
    }

    /// Name of the top module.
    #[must_use]
    pub fn top(&self) -> &str {
        &self.top
    }

    /// True if instances can write waveforms.
    #[must_use]
    pub fn is_traced(&self) -> bool {
        self.traced
    }

    /// What the build did.
    #[must_use]
    pub fn info(&self) -> &BuildInfo {
        &self.info
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("top", &self.top)
            .field("ports", &self.ports.len())
            .field("info", &self.info)
            .finish()
    }
}

fn port_info(row: &RawPort) -> PortInfo {
    // SAFETY: the name is a string literal in the library.
    let name = unsafe { CStr::from_ptr(row.name) }.to_string_lossy().into_owned();
    let direction = match row.direction {
        0 => Direction::Input,
        1 => Direction::Output,
        _ => Direction::Inout,
    };
    PortInfo { name, direction, bits: row.msb.abs_diff(row.lsb) + 1, bytes: row.bytes as u32 }
}
