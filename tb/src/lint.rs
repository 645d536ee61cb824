// SPDX-License-Identifier: Apache-2.0
//! The emitted Verilog under `verilator --lint-only -Wall`.

use rtl::emit::Design;
use verilated::Lint;

/// The one file of waivers, each with its reason.
const WAIVERS: &str = include_str!("../../rtl/lint.vlt");

/// Every message of `verilator --lint-only -Wall` that has no waiver, one line each; empty for clean text.
///
/// Panics if Verilator cannot be run, with what to install.
pub fn lint(design: &Design) -> Vec<String> {
    let messages = Lint::new(&design.top).texts(design.files()).waivers(WAIVERS).run();
    match messages {
        Ok(messages) => messages.iter().map(ToString::to_string).collect(),
        Err(error) => panic!("{error}"),
    }
}
