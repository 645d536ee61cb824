// SPDX-License-Identifier: Apache-2.0
//! Boards: the host link, global memory and the whole top, each against a plain Rust reference or the real code of the host.

#![allow(clippy::unwrap_used)]

mod bench;
mod cli;
mod link_parts;
mod noise;
mod protocol;
mod sdram;
mod share;
#[path = "../shell/mod.rs"]
mod shell;
mod verilog;
mod whole;
mod wires;
