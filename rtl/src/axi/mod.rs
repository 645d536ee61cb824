// SPDX-License-Identifier: Apache-2.0
//! The way to global memory: one AXI4 master, seen by the engines as rows of bytes.
//!
//! ```text
//!  MTE2 rows ─► ReadStream ──bursts──►┐                  FIX rows ──► WriteStream ──bursts──►┐
//!      fetch ───────────bursts──────►AxiRead ◄─► AR, R   MTE3 rows ─► WriteStream ──bursts──►AxiWrite ◄─► AW, W, B
//! ```
//! [`AxiRead`] and [`AxiWrite`] own the pins, the memory windows ([`Gate`]), the limit of bursts in flight, and the faults of the
//! bus. [`ReadStream`] and [`WriteStream`] turn rows of any alignment into bursts ([`Burst`]) and whole words ([`Justify`],
//! [`Align`]). [`GmRows`] walks the rows of an instruction. Page: `docs/units/axi.md`.

mod align;
mod axi_read;
mod axi_write;
mod burst;
mod gate;
mod gm_rows;
mod justify;
mod read_stream;
mod rotate;
mod write_stream;

pub use align::Align;
pub use axi_read::AxiRead;
pub use axi_write::AxiWrite;
pub use burst::Burst;
pub use gate::Gate;
pub use gm_rows::GmRows;
pub use justify::Justify;
pub use read_stream::ReadStream;
pub use rotate::Rotate;
pub use write_stream::WriteStream;

/// Binary logarithm of a power of two. Panics if it is none: sizes come from a checked `isa::Config`.
pub(crate) fn log2(size: usize) -> usize {
    assert!(size.is_power_of_two(), "{size} is no power of two");
    size.trailing_zeros() as usize
}
