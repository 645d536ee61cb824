// SPDX-License-Identifier: Apache-2.0
//! What the emitted Verilog is for: every tool, or the cells of one family of FPGAs.
//!
//! A target changes the text of leaves in [`prim`](crate::prim) and nothing else: the ports, the cycles and every other module stay. The generic text
//! is what is simulated and proved; a target's leaves are tested against it.

use crate::emit::Design;
use crate::prim::ecp5;
use std::fmt;

/// A family of FPGAs, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Target {
    /// Plain Verilog 2005 that every simulator and synthesis tool reads.
    #[default]
    Generic,
    /// Lattice ECP5: multipliers are MULT18X18D and CCU2C.
    Ecp5,
}

impl Target {
    /// Every target.
    pub const ALL: [Target; 2] = [Target::Generic, Target::Ecp5];

    /// The word on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Target::Generic => "generic",
            Target::Ecp5 => "ecp5",
        }
    }

    /// The design with the leaves of this target.
    pub fn apply(self, mut design: Design) -> Design {
        if self == Target::Ecp5 {
            for module in &mut design.modules {
                let (body, cells) = match module.name.as_str() {
                    "mul_block" => (ecp5::block(), "a MULT18X18D with its registers on both sides"),
                    "mul_row" => (ecp5::row(), "and-rows that are added in carry cells, two at a time"),
                    _ => continue,
                };
                module.text = replaced(&module.text, &body, cells);
            }
        }
        design
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The module with another body; `p` is a wire, the register is in the body.
fn replaced(text: &str, body: &str, cells: &str) -> String {
    let (head, _) = text.split_once(");\n").expect("a module has a list of ports");
    let head = match body.contains("assign p =") {
        true => head.replace("output reg ", "output wire "),
        false => head.to_owned(),
    };
    format!("{head});\n\n    // ECP5: {cells}.\n{body}endmodule\n")
}
