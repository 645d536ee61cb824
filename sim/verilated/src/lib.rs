// SPDX-License-Identifier: Apache-2.0
//! Verilog as a Rust value: Verilator builds it when the test runs, the result is cached by content, loaded, and driven.
//!
//! ```text
//!  (file, text)… + top ─► Build ─► Verilator ─► C++ compiler ─► <cache>/<top>-<hash>/libdut.so
//!                           │ same content: nothing runs                    │ dlopen
//!                           └──────────────────► Model ◄────────────────────┘
//!                                                  │ instance(Reset)
//!                                                 Dut: ports as plain memory, eval, time, VCD
//! ```
//!
//! The rules the crate keeps:
//!
//! - **Nothing is skipped silently.** Without Verilator or a C++ compiler there is an [`Error`] that says what to install.
//! - **Nothing but a C++ compiler is needed.** Verilator itself is set up, pinned by version and hash, in a folder of the project ([`tool`]).
//! - **A design cannot end the process.** `$fatal`, `$stop`, failed assertions and loops that do not settle are an [`Error::Simulation`] of that
//!   instance; all others go on. `$display` goes through [`print!`], so `cargo test` captures it.
//! - **Any number of threads and processes** may build and run at once: one of them builds, the others wait and load.
//! - **A failed build is never taken for a good one**: an entry appears in the cache by one rename at the very end.
//!
//! ```
//! use verilated::{Build, Reset};
//! let model = Build::new("inc")
//!     .text("inc.v", "module inc(input [7:0] a, output [7:0] q); assign q = a + 8'd1; endmodule")
//!     .build()?;
//! let mut dut = model.instance(Reset::Zeros)?;
//! let [a, q] = [dut.port("a")?, dut.port("q")?];
//! dut.set(a, 41);
//! dut.eval()?;
//! assert_eq!(dut.get(q), 42);
//! # Ok::<(), verilated::Error>(())
//! ```
//!
//! It is the successor of the crate of this name on crates.io (0.1.2, 2021), which knows neither Verilator 5 nor ports above 64 bits;
//! no text of it is used and the interface is new.

pub mod build;
pub mod cache;
pub mod clock;
mod compiler;
pub mod dut;
pub mod error;
mod generated;
pub mod inner;
pub mod lint;
pub mod model;
pub mod place;
mod process;
mod runtime;
pub mod setup;
pub mod tool;
pub mod wave;

pub use build::{Build, Vpi};
pub use clock::Clocked;
pub use dut::{Direction, Dut, Port, PortInfo, Reset};
pub use error::{Error, Result};
pub use inner::Inner;
pub use lint::Lint;
pub use model::Model;
pub use wave::Wave;
