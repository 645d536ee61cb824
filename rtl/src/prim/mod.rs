// SPDX-License-Identifier: Apache-2.0
//! Building blocks that know nothing of matrices: number types, registers, memories, streams.
//!
//! The leaves whose Verilog is written by hand (`Verilog::Custom`) live here and nowhere else: [`Reg`], [`Ram`], [`Lutram`], [`Join`], [`Mul`].
//!
//! A stream transfers when `valid` and `ready`; `valid` once raised stays and its payload holds; `valid` never waits for `ready`.

mod arbiter;
pub(crate) mod ecp5;
mod fifo;
mod int;
mod join;
mod leaf;
mod lutram;
mod mul;
mod ram;
mod reg;
mod skid;

pub use arbiter::Arbiter;
pub use fifo::Fifo;
pub use int::{Int, Wide, signed_cast_ext, signed_cast_int, unsigned_cast_int};
pub use join::Join;
pub use lutram::Lutram;
pub use mul::{Mul, MulKind};
pub use ram::Ram;
pub use reg::Reg;
pub use skid::Skid;

/// What a hardware file imports: the language and the building blocks.
pub mod prelude {
    pub use super::{
        Arbiter, Fifo, Int, Join, Lutram, Mul, MulKind, Ram, Reg, Skid, Wide, signed_cast_ext, signed_cast_int,
        unsigned_cast_int,
    };
    pub use crate::comment;
    pub use rust_hdl::prelude::*;
}
