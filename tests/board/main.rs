// SPDX-License-Identifier: Apache-2.0
//! Boards: the host link, global memory and the whole top, each against a plain Rust reference or the real code of the host.

#![allow(clippy::unwrap_used)]

mod link_parts;
mod sdram;
mod share;
mod verilog;
mod wires;
