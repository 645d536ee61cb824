// SPDX-License-Identifier: Apache-2.0
//! A multiplier of two signed 9 bit numbers with registered operands and product: `p(t+2) = a(t) * b(t)`.
//!
//! ```text
//!   a ──►┌─────┐
//!        │ mul │──► p      exact: 18 bits hold every product; one product per cycle, no enable, no reset
//!   b ──►└─────┘
//! ```
//! Two kinds with the same ports: `block` is a plain `*`, which FPGA tools map to one multiplier block; `row` adds the nine rows
//! `a and b[i]` in a tree of look-up tables and carry chains, for what the blocks of a part do not suffice. Each is a module of its
//! own that a board may replace by its vendor's cell, registers included. Test: `tests/prim.rs`, all 512 x 512 products.

use super::int::Int;
use rust_hdl::prelude::*;

/// Which hardware makes the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MulKind {
    /// A multiplier block of the FPGA.
    Block,
    /// Look-up tables and carry chains.
    Row,
}

/// A registered 9 x 9 bit signed multiplier, latency 2.
#[derive(Clone, Debug, LogicBlock)]
pub struct Mul {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// First factor, two's complement.
    pub a: Signal<In, Bits<9>>,
    /// Second factor, two's complement.
    pub b: Signal<In, Bits<9>>,
    /// Product of the factors two cycles before.
    pub p: Signal<Out, Int<18>>,
    _x: Int<9>,
    _y: Int<9>,
    _kind: MulKind,
}

impl Mul {
    /// A multiplier of this kind.
    pub fn new(kind: MulKind) -> Self {
        Mul {
            clock: Signal::default(),
            a: Signal::default(),
            b: Signal::default(),
            p: Signal::default(),
            _x: Int::default(),
            _y: Int::default(),
            _kind: kind,
        }
    }
}

impl Logic for Mul {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.p.next = (self._x * self._y).into();
            self._x = Int::new(self.a.val().index() as i64);
            self._y = Int::new(self.b.val().index() as i64);
        }
    }

    fn connect(&mut self) {
        self.p.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(match self._kind {
            MulKind::Block => BLOCK.to_owned(),
            MulKind::Row => row_text(),
        })
    }
}

const BLOCK: &str = "\
// mul_block: signed 9 x 9 bit multiplier, p(t+2) = a(t) * b(t); its registers fit those of a multiplier block.
// reg: p
reg signed [8:0] x;
reg signed [8:0] y;
always @(posedge clock) begin
    x <= a;
    y <= b;
    p <= x * y;
end
";

/// Nine and-rows, added in pairs so that no sum is wider than its value: pair < 2^10, quad < 2^12, octet < 2^16.
fn row_text() -> String {
    let mut text = String::from(
        "// mul_row: signed 9 x 9 bit multiplier of look-up tables, p(t+2) = a(t) * b(t); masked_i is a if bit i of b is set.\n\
         // reg: p\n\
         reg [8:0] x;\nreg [8:0] y;\n",
    );
    for i in 0..9 {
        text += &format!("wire [8:0] masked_{i} = x & {{9{{y[{i}]}}}};\n");
    }
    // `high` counts 2^shift; both are brought to the width of the sum by their sign bit.
    let widened = |term: &str, width: usize, to: usize| match to - width {
        0 => term.to_owned(),
        more => format!("{{{more}{{{term}[{}]}}}}, {term}", width - 1),
    };
    let sum = |name: &str, width: usize, low: &str, high: &str, part: usize, shift: usize| {
        let (low, high) = (widened(low, part, width), widened(high, part, width - shift));
        format!("wire [{}:0] {name} = {{{low}}} + {{{high}, {shift}'d0}};\n", width - 1)
    };
    for i in 0..4 {
        text += &sum(&format!("pair_{i}"), 11, &format!("masked_{}", 2 * i), &format!("masked_{}", 2 * i + 1), 9, 1);
    }
    for i in 0..2 {
        text += &sum(&format!("quad_{i}"), 13, &format!("pair_{}", 2 * i), &format!("pair_{}", 2 * i + 1), 11, 2);
    }
    text += &sum("octet", 17, "quad_0", "quad_1", 13, 4);
    text += "// The highest bit of b counts negative.\n\
             always @(posedge clock) begin\n    x <= a;\n    y <= b;\n    p <= {octet[16], octet} - {masked_8[8], masked_8, 8'd0};\nend\n";
    text
}
