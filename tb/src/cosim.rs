// SPDX-License-Identifier: Apache-2.0
//! The same block twice: in Rust-HDL's own simulation and, emitted, in Verilator. Same inputs, same outputs, every cycle.
//!
//! ```text
//!   test sets twin.uut inputs ─► edge(): copies them to the Verilog, settles both, compares every output, clocks both, compares again
//! ```
//! Memories start as zeros on both sides, because what a memory holds after power-up is not part of the comparison.

use rtl::emit::emit;
use rtl::twin::Twin;
use rust_hdl::prelude::{Atom, AtomKind, Block, Clock, Probe};
use verilated::{Build, Dut, Port, Reset};

/// Name of the clock port and the way to set it on the Rust side.
pub type ClockPort<U> = (&'static str, fn(&mut U, Clock));

/// A block in both simulations.
pub struct Cosim<U: Block> {
    /// The Rust side: set `twin.uut.port.next`, read `twin.uut.port.val()`.
    pub twin: Twin<U>,
    dut: Dut,
    clock: Option<Port>,
    ports: Vec<Port>,
}

/// One top-level signal as the probe finds it.
struct Value {
    name: String,
    driven: bool,
    width: usize,
    words: Vec<u32>,
}

#[derive(Default)]
struct Values {
    depth: usize,
    space: Vec<String>,
    found: Vec<Value>,
}

impl Probe for Values {
    fn visit_start_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth += 1;
    }

    fn visit_start_namespace(&mut self, name: &str, _node: &dyn Block) {
        self.space.push(name.to_owned());
    }

    fn visit_atom(&mut self, name: &str, atom: &dyn Atom) {
        let driven = match atom.kind() {
            AtomKind::InputParameter => false,
            AtomKind::OutputParameter => true,
            _ => return,
        };
        if self.depth != 1 {
            return;
        }
        let mut path = self.space.clone();
        path.push(name.to_owned());
        self.found.push(Value {
            name: path.join("_").replace('$', "_"),
            driven,
            width: atom.bits(),
            words: words(&format!("{:x}", atom.verilog()), atom.bits()),
        });
    }

    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {
        self.space.pop();
    }

    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth -= 1;
    }
}

/// `width'hdigits` as 32-bit words, lowest first.
fn words(literal: &str, width: usize) -> Vec<u32> {
    let digits = literal.split_once("'h").map_or(literal, |(_, digits)| digits);
    let (negative, digits) = digits.strip_prefix('-').map_or((false, digits), |digits| (true, digits));
    let mut words = vec![0u32; width.div_ceil(32)];
    for (place, digit) in digits.chars().rev().enumerate() {
        let digit = digit.to_digit(16).expect("literals are printed in hexadecimal");
        if digit != 0 {
            words[place / 8] |= digit << (place % 8 * 4);
        }
    }
    if negative {
        let mut carry = true;
        for word in &mut words {
            let (sum, overflow) = (!*word).overflowing_add(u32::from(carry));
            (*word, carry) = (sum, overflow);
        }
        if !width.is_multiple_of(32) {
            *words.last_mut().expect("a signal has at least one bit") &= (1 << (width % 32)) - 1;
        }
    }
    words
}

impl<U: Block> Cosim<U> {
    /// Emits `uut` as module `name`, builds it with Verilator and sets both to their start.
    ///
    /// `clock` names the clock port and sets it on the Rust side; a block without a clock gives `None` and is only settled.
    /// Panics if the block cannot be printed or built.
    pub fn new(uut: U, name: &str, clock: Option<ClockPort<U>>) -> Self {
        let twin = Twin::new(uut, clock.map_or(|_: &mut U, _| (), |(_, set)| set));
        let design = emit(&twin.uut, name).unwrap_or_else(|error| panic!("{error}"));
        let model = Build::new(name).texts(design.files()).cycles_hint(10_000).build();
        let model = model.unwrap_or_else(|error| panic!("{error}"));
        let dut = model.instance(Reset::Zeros).unwrap_or_else(|error| panic!("{error}"));
        let clock = clock.map(|(port, _)| dut.port(port).unwrap_or_else(|error| panic!("{error}")));
        let mut cosim = Cosim { twin, dut, clock, ports: vec![] };
        let values = cosim.values();
        cosim.ports =
            values.iter().map(|v| cosim.dut.port(&v.name).unwrap_or_else(|error| panic!("{error}"))).collect();
        cosim.compare();
        cosim
    }

    fn values(&self) -> Vec<Value> {
        let mut values = Values::default();
        self.twin.uut.accept("top", &mut values);
        values.found
    }

    /// Lets the inputs act on both sides and compares every output.
    ///
    /// Panics at the first difference with the port, both values and the cycle.
    pub fn compare(&mut self) {
        self.twin.settle();
        let values = self.values();
        for (at, value) in values.iter().enumerate() {
            let port = self.ports[at];
            if !value.driven && Some(port) != self.clock {
                self.write(port, value);
            }
        }
        self.eval();
        for (value, port) in values.iter().zip(&self.ports) {
            if value.driven {
                let got = self.read(*port, value.width);
                assert!(
                    got == value.words,
                    "cycle {}: output `{}` is {:x?} in Rust and {got:x?} in Verilog (32-bit words, lowest first)",
                    self.twin.cycle,
                    value.name,
                    value.words,
                );
            }
        }
    }

    /// One rising clock edge on both sides, outputs compared before and after.
    pub fn edge(&mut self) {
        self.compare();
        let clock = self.clock.expect("a block without a clock has no edges");
        self.twin.edge();
        self.dut.set(clock, 1);
        self.eval();
        self.dut.set(clock, 0);
        self.compare();
    }

    fn eval(&mut self) {
        if let Err(error) = self.dut.eval() {
            panic!("cycle {}: {error}", self.twin.cycle);
        }
    }

    fn write(&mut self, port: Port, value: &Value) {
        if value.width <= 64 {
            let high = value.words.get(1).copied().unwrap_or(0);
            self.dut.set(port, u64::from(high) << 32 | u64::from(value.words[0]));
        } else {
            self.dut.words_mut(port).copy_from_slice(&value.words);
        }
    }

    fn read(&self, port: Port, width: usize) -> Vec<u32> {
        if width <= 32 {
            vec![self.dut.get(port) as u32]
        } else if width <= 64 {
            let value = self.dut.get(port);
            vec![value as u32, (value >> 32) as u32]
        } else {
            self.dut.words(port).to_vec()
        }
    }
}
