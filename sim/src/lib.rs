// SPDX-License-Identifier: Apache-2.0
//! A Verilated design in its surroundings: clock, reset, AXI memory, AXI-Lite host, protocol monitors, waves.
//!
//! ```text
//!             AxiOut ┌─────────┐ settle, rise
//!   ┌──────────────► │   Dut   │ ◄──────────────┐
//!   │         AxiIn  │         │  s_axil_*      │
//!   │  ┌───────────► └─────────┘                │
//!   │  │   m_axi_*                              │
//!  Monitor ◄─ AxiPorts ─► AxiMemory        AxilDriver ─► Monitor
//!                            │
//!                       GlobalMemory (sparse, poisoned)
//! ```
//!
//! [`Bench`] holds all of it and keeps the order within a cycle: inputs change just after the rising edge, outputs are sampled just before the
//! next one. Memory and monitor see only the plain structs of [`bus`], so they are tested without any Verilog.
//!
//! [`Core`] is a whole core in it; [`inside`] reads what that core holds, from the registers and memories of the Verilog.
//!
//! Randomness is always a function of a seed that is printed ([`seed`]), and, for stalls, of channel and cycle only ([`chance`]).

pub mod axi;
pub mod axil;
pub mod bench;
pub mod bus;
pub mod chance;
pub mod core;
pub mod dump;
pub mod error;
pub mod gm;
pub mod inside;
pub mod memory;
pub mod monitor;
pub mod poison;
pub mod record;
pub mod sdram;
pub mod seed;
pub mod waves;

pub use axi::AxiPorts;
pub use axil::AxilDriver;
pub use bench::Bench;
pub use bus::{Address, AxiIn, AxiOut, Resp};
pub use core::{Core, Ended, Run};
pub use dump::{Counted, Dump, Format, Saved, Written};
pub use error::{Error, Result};
pub use gm::GlobalMemory;
pub use inside::{Channel, Element, Look};
pub use memory::{AxiMemory, Injection, MemoryConfig, Order, Window};
pub use monitor::{Monitor, MonitorConfig, Rule, Violation};
pub use poison::Poison;
pub use record::{Burst, PipeRecord, Recording};
pub use sdram::{SdramChip, SdramLimits, SdramPins};
