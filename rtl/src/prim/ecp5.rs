// SPDX-License-Identifier: Apache-2.0
//! The multipliers of a core in cells of Lattice's ECP5, cycle for cycle those of [`Mul`](super::Mul).
//!
//! | module | generic text, by Yosys 0.70 | here |
//! |---|---|---|
//! | `mul_block` | one MULT18X18D between 36 flip-flops of the fabric: Yosys packs no register into the block | one MULT18X18D, its own registers on both sides, no flip-flop |
//! | `mul_row` | 81 look-up tables for the and-rows and 44 carry cells | 4 look-up tables and the same 44 carry cells: each half adds two and-rows or one and a sum |
//!
//! One half of a CCU2C gives `sum = lut4(A, B, C, D) ^ carry` and, where that LUT is 0, `carry = lut4(A, B, 0, 0)`. So it adds `A & B` and
//! `C & D` (INIT 7888), `A` and `B` (66AA with C = 0, D = 1), or takes `B & C` from `A` (95AA with D = 1). Cells: Lattice TN1261 (sysDSP), FPGA-TN-02200
//! (ECP5 family data sheet). Test: `tests/ecp5.rs`, all 512 x 512 products with the models of `fpga/cells/ecp5.v`.

/// Both halves add two and-rows: `(A & B) + (C & D)`.
const ADD_ROWS: &str = "7888";

/// `A + B` with C = 0 and D = 1.
const ADD: &str = "66AA";

/// `A - (B & C)` with D = 1 and a first carry of 1.
const SUBTRACT_ROW: &str = "95AA";

/// The body of the module `mul_block`.
pub(crate) fn block() -> String {
    let factor = |port: char, name: &str| -> String {
        (0..18).map(|bit| format!(".{port}{bit}({name}[{}]), ", bit.min(8))).collect()
    };
    let zeros: String = (0..18).map(|bit| format!(".C{bit}(1'b0), ")).collect();
    let product: Vec<String> = (0..18).map(|bit| format!(".P{bit}(product[{bit}])")).collect();
    format!(
        "    wire [17:0] product;
    MULT18X18D #(
        .REG_INPUTA_CLK(\"CLK0\"), .REG_INPUTB_CLK(\"CLK0\"), .REG_OUTPUT_CLK(\"CLK0\"), .GSR(\"DISABLED\")
    ) block (
        .CLK0(clock), .CE0(1'b1), .RST0(1'b0), .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0), .SOURCEB(1'b0),
        {}
        {}
        {zeros}
        {}
    );
    assign p = product;
",
        factor('A', "a").trim_end(),
        factor('B', "b").trim_end(),
        product.join(", "),
    )
}

/// The body of the module `mul_row`. The names are those of the generic text; the lowest bits of a sum that only one term has are wires.
pub(crate) fn row() -> String {
    let mut text = String::from(
        "    reg [8:0] x;
    reg [8:0] y;
",
    );
    for i in 0..4 {
        let (low, high) = (2 * i, 2 * i + 1);
        text += &format!("    wire [10:0] pair_{i};\n    assign pair_{i}[0] = x[0] & y[{low}];\n");
        let operands = |bit: usize| {
            [
                format!("x[{}]", bit.min(8)),
                format!("y[{low}]"),
                format!("x[{}]", (bit - 1).min(8)),
                format!("y[{high}]"),
            ]
        };
        text += &chain(&format!("pair_{i}"), 1, 11, ADD_ROWS, false, operands);
    }
    for i in 0..2 {
        text += &sum(&format!("quad_{i}"), 13, &format!("pair_{}", 2 * i), &format!("pair_{}", 2 * i + 1), 11, 2);
    }
    text += &sum("octet", 17, "quad_0", "quad_1", 13, 4);
    text += "    // The highest bit of b counts negative.
    wire [17:0] product;
    assign product[7:0] = octet[7:0];
";
    text += &chain("product", 8, 18, SUBTRACT_ROW, true, |bit| {
        [format!("octet[{}]", bit.min(16)), format!("x[{}]", (bit - 8).min(8)), "y[8]".into(), "1'b1".into()]
    });
    text += "    always @(posedge clock) begin
        x <= a;
        y <= b;
        p <= product;
    end
";
    text
}

/// `name = low + high 2^shift`, both parts sign-extended.
fn sum(name: &str, width: usize, low: &str, high: &str, part: usize, shift: usize) -> String {
    let top = part - 1;
    let mut text = format!("    wire [{}:0] {name};\n", width - 1);
    text += &format!("    assign {name}[{0}:0] = {low}[{0}:0];\n", shift - 1);
    text + &chain(name, shift, width, ADD, false, |bit| {
        [
            format!("{low}[{}]", bit.min(top)),
            format!("{high}[{}]", (bit - shift).min(top)),
            "1'b0".into(),
            "1'b1".into(),
        ]
    })
}

/// Carry cells for the bits `from..to` of `name`; `operands` gives A, B, C and D of a bit.
fn chain(
    name: &str,
    from: usize,
    to: usize,
    init: &str,
    carry_in: bool,
    operands: impl Fn(usize) -> [String; 4],
) -> String {
    let cells = (to - from).div_ceil(2);
    let mut text =
        format!("    wire [{cells}:0] {name}_carry;\n    assign {name}_carry[0] = 1'b{};\n", u8::from(carry_in));
    for cell in 0..cells {
        let mut ports = String::new();
        for half in 0..2 {
            let bit = from + 2 * cell + half;
            // The second half of the last cell may have no bit: it adds nothing.
            let used = bit < to;
            let [a, b, c, d] = if used { operands(bit) } else { ["1'b0"; 4].map(str::to_owned) };
            let sum = if used { format!("{name}[{bit}]") } else { String::new() };
            ports += &format!(".A{half}({a}), .B{half}({b}), .C{half}({c}), .D{half}({d}), .S{half}({sum}),\n        ");
        }
        text += &format!(
            "    CCU2C #(.INIT0(16'h{init}), .INIT1(16'h{init}), .INJECT1_0(\"NO\"), .INJECT1_1(\"NO\")) {name}_{cell} (
        {ports}.CIN({name}_carry[{cell}]), .COUT({name}_carry[{}])
    );\n",
            cell + 1
        );
    }
    text
}
