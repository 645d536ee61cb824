// SPDX-License-Identifier: Apache-2.0
//! The FIX pipe: [`Fix`] and its parts, in the order of the data: `setup`, `blocks` and `steps`, `pick`, [`Factor`] and [`Requant`]
//! (`to_float`, `product`, `to_int`, `to_fp32`), [`Second`], `collect`, `segments`, `drain`, `l1_rows`.

mod blocks;
mod collect;
mod delay;
mod drain;
mod engine;
mod factor;
mod l1_rows;
mod pick;
mod product;
mod requant;
mod second;
mod segments;
mod setup;
mod shape;
mod steps;
mod to_float;
mod to_fp32;
mod to_int;

pub use engine::Fix;
pub use factor::{Factor, Legal};
pub use requant::{FLOAT_CYCLES, NARROW_CYCLES, Requant, WIDE_CYCLES};
pub use second::{COMBINE_CYCLES, Combine, FRACTION_BITS, Fill, REQUEST_CYCLES, Second};
pub use shape::{CHUNK_WORDS, SLOTS, Shape};
