// SPDX-License-Identifier: Apache-2.0
//! One thousand random Rust-HDL expressions (`build.rs` makes them), to prove the printer with.
#![allow(unused_parens, unused_comparisons, clippy::all)]

use rtl::prim::prelude::*;

include!(concat!(env!("OUT_DIR"), "/trees.rs"));
