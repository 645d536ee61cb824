// SPDX-License-Identifier: Apache-2.0
//! Signals inside a design: registers and memories of every width, in instances that Verilator dissolves, read in place.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use verilated::{Build, Clocked, Error, Model, Reset};

/// Two memories of other widths and a register that no port shows.
const KEEPER: &str = "
module store #(parameter W = 8) (input clk, input [2:0] at, input [W-1:0] value);
  reg [W-1:0] words [0:7];
  always @(posedge clk) words[at] <= value;
endmodule
module keeper(input clk, input [2:0] at, input [149:0] value, output any);
  reg [8:0] sum;
  reg [8:0] hidden;
  store #(.W(150)) wide (.clk(clk), .at(at), .value(value));
  store #(.W(9)) narrow (.clk(clk), .at(at), .value(value[8:0]));
  always @(posedge clk) begin sum <= sum + value[8:0]; hidden <= value[17:9]; end
  assign any = |sum;
endmodule";

fn keeper() -> Arc<Model> {
    let build = Build::new("keeper").text("keeper.v", KEEPER).cycles_hint(100);
    build.inner("store*", "words").inner("keeper", "su*").build().unwrap()
}

#[test]
fn memories_and_registers_inside_show_what_was_written() {
    let mut dut = keeper().instance(Reset::Random(3)).unwrap();
    let [wide, narrow, sum] =
        ["keeper.wide.words", "keeper.narrow.words", "keeper.sum"].map(|path| dut.inner(path).unwrap());
    assert_eq!([wide, narrow, sum].map(|inner| (inner.bits(), inner.elements())), [(150, 8), (9, 8), (9, 1)]);
    let (clk, at, value) = (dut.port("clk").unwrap(), dut.port("at").unwrap(), dut.port("value").unwrap());
    dut.set(clk, 0);
    dut.eval().unwrap();
    let before = dut.peek(sum, 0);
    let mut expected = before;
    for word in 0..8u64 {
        dut.set(at, word);
        let bytes: Vec<u8> = (0..19).map(|byte| (word as u8).wrapping_mul(37).wrapping_add(byte * 11)).collect();
        dut.bytes_mut(value).copy_from_slice(&bytes);
        dut.bytes_mut(value)[18] &= 0x3f;
        let low = u64::from(bytes[0]) | u64::from(bytes[1] & 1) << 8;
        dut.set(clk, 1);
        dut.eval().unwrap();
        dut.set(clk, 0);
        dut.eval().unwrap();
        expected = (expected + low) & 0x1ff;
        assert_eq!(dut.peek_bytes(wide, word as usize), dut.bytes(value), "word {word}");
        assert_eq!((dut.peek(narrow, word as usize), dut.peek(sum, 0)), (low, expected), "word {word}");
    }
}

#[test]
fn two_instances_have_their_own() {
    let model = keeper();
    let [mut one, mut other] =
        [(); 2].map(|()| Clocked::new(model.instance(Reset::Zeros).unwrap(), "clk", 10).unwrap());
    let (first, second) = (one.dut_mut().inner("keeper.sum").unwrap(), other.dut_mut().inner("keeper.sum").unwrap());
    let value = one.port("value").unwrap();
    one.dut_mut().bytes_mut(value)[0] = 5;
    one.run(3).unwrap();
    other.run(3).unwrap();
    assert_eq!((one.dut().peek(first, 0), other.dut().peek(second, 0)), (15, 0));
}

#[test]
fn what_was_not_named_is_refused_with_a_sentence() {
    let mut dut = keeper().instance(Reset::Zeros).unwrap();
    for (path, reason) in [
        ("keeper.hidden", "no such signal"),
        ("keeper.middle.words", "no such instance"),
        ("sum", "the path from the top module"),
    ] {
        let error = dut.inner(path).unwrap_err();
        assert!(matches!(error, Error::UnknownInner { .. }));
        assert!(error.to_string().contains(reason) && error.to_string().contains(path), "{error}");
    }
    let plain = Build::new("keeper").text("keeper.v", KEEPER).cycles_hint(100).build().unwrap();
    let error = plain.instance(Reset::Zeros).unwrap().inner("keeper.sum").unwrap_err();
    assert!(error.to_string().contains("built without any"), "{error}");
}

#[test]
#[should_panic(expected = "element 8 of a signal that has 8")]
fn elements_beyond_the_last_are_refused() {
    let mut dut = keeper().instance(Reset::Zeros).unwrap();
    let words = dut.inner("keeper.narrow.words").unwrap();
    let _ = dut.peek(words, 8);
}
