// SPDX-License-Identifier: Apache-2.0
//! The Verilog side of a co-simulation: a block's input values go in, its output values are compared.
//!
//! ```text
//!   block (Rust-HDL, settled) ──inputs──► Verilator model ──outputs──► equal to the block's, or panic with port, values, cycle
//! ```
//! The model may hold more than this block: then the ports of this one carry a prefix.

use rust_hdl::prelude::{Atom, AtomKind, Block, Probe, VCDValue};
use std::ops::Range;
use std::sync::Arc;
use verilated::{Dut, Model, Port, Reset};

/// A port of a block and where its value stands.
#[derive(Clone)]
pub(crate) struct Pin {
    /// Name as the Verilog text has it.
    pub name: String,
    /// True for an output.
    pub driven: bool,
    /// Width in bits.
    pub width: usize,
    /// Place of its 32-bit words, lowest first, among those of all ports.
    words: Range<usize>,
}

/// Visits the ports of the outermost block.
struct Ports<'a> {
    depth: usize,
    /// Values, cleared before.
    words: &'a mut Vec<u32>,
    /// Names of interfaces around the port, and the ports; only if asked for.
    pins: Option<(Vec<String>, Vec<Pin>)>,
}

impl Probe for Ports<'_> {
    fn visit_start_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth += 1;
    }

    fn visit_start_namespace(&mut self, name: &str, _node: &dyn Block) {
        if self.depth == 1
            && let Some((space, _)) = &mut self.pins
        {
            space.push(name.to_owned());
        }
    }

    fn visit_atom(&mut self, name: &str, atom: &dyn Atom) {
        if self.depth != 1 {
            return;
        }
        let driven = match atom.kind() {
            AtomKind::InputParameter => false,
            AtomKind::OutputParameter => true,
            _ => return,
        };
        let first = self.words.len();
        push_value(atom, self.words);
        if let Some((space, pins)) = &mut self.pins {
            let path: Vec<&str> = space.iter().map(String::as_str).chain([name]).collect();
            let name = path.join("_").replace('$', "_");
            pins.push(Pin { name, driven, width: atom.bits(), words: first..self.words.len() });
        }
    }

    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {
        if self.depth == 1
            && let Some((space, _)) = &mut self.pins
        {
            space.pop();
        }
    }

    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth -= 1;
    }
}

/// Appends the value of `atom` in 32-bit words, lowest first.
fn push_value(atom: &dyn Atom, words: &mut Vec<u32>) {
    // The value for waveforms is the cheapest way to the bits; the type of a bit belongs to a crate of the crate.
    let high = VCDValue::from(true);
    let VCDValue::Single(one) = high else { unreachable!("a bool is a single bit") };
    match atom.vcd() {
        VCDValue::Single(bit) => words.push(u32::from(bit == one)),
        VCDValue::Vector(bits) => {
            let word = |bits: &[_]| bits.iter().fold(0, |word, bit| word << 1 | u32::from(*bit == one));
            // Most significant bit first.
            words.extend(bits.rchunks(32).map(word));
        }
        VCDValue::String(_) | VCDValue::Composite(_) => {
            push_literal(&format!("{:x}", atom.verilog()), atom.bits(), words)
        }
    }
}

/// Appends `width'hdigits`, for enums, which waveforms show by name.
fn push_literal(literal: &str, width: usize, words: &mut Vec<u32>) {
    let digits = literal.split_once("'h").map_or(literal, |(_, digits)| digits);
    let first = words.len();
    words.resize(first + width.div_ceil(32), 0);
    for (place, digit) in digits.chars().rev().enumerate() {
        let digit = digit.to_digit(16).expect("literals are printed in hexadecimal");
        if digit != 0 {
            words[first + place / 8] |= digit << (place % 8 * 4);
        }
    }
}

/// A block's Verilog in an instance of a model.
pub(crate) struct Mirror {
    dut: Dut,
    clock: Option<Port>,
    pins: Vec<Pin>,
    ports: Vec<Port>,
    /// Values of all ports in the block, and what the model was given or gave last.
    now: Vec<u32>,
    given: Vec<u32>,
}

impl Mirror {
    /// An instance of `model` that follows `block`, whose ports are called `prefix` and their name there; all registers and memories are 0.
    ///
    /// Panics if a port is missing or has another width.
    pub(crate) fn new(model: &Arc<Model>, prefix: &str, clock: Option<&str>, block: &dyn Block) -> Mirror {
        let dut = model.instance(Reset::Zeros).unwrap_or_else(|error| panic!("{error}"));
        let port = |name: &str| dut.port(&format!("{prefix}{name}")).unwrap_or_else(|error| panic!("{error}"));
        let mut now = vec![];
        let mut probe = Ports { depth: 0, words: &mut now, pins: Some((vec![], vec![])) };
        block.accept("top", &mut probe);
        let (_, pins) = probe.pins.expect("asked for");
        let ports: Vec<Port> = pins.iter().map(|pin| port(&pin.name)).collect();
        for (pin, port) in pins.iter().zip(&ports) {
            let bits = port.bits() as usize;
            assert!(bits == pin.width, "`{prefix}{}` has {bits} bits in Verilog and {} in Rust", pin.name, pin.width);
        }
        let clock = clock.map(port);
        let given = vec![0; now.len()];
        Mirror { dut, clock, pins, ports, now, given }
    }

    /// Gives the model the inputs of the settled `block` with the clock low and compares every output.
    ///
    /// Panics at the first difference with the port, both values and the cycle.
    pub(crate) fn compare(&mut self, block: &dyn Block, cycle: u64) {
        self.now.clear();
        block.accept("top", &mut Ports { depth: 0, words: &mut self.now, pins: None });
        if let Some(clock) = self.clock {
            self.dut.set(clock, 0);
        }
        for (pin, port) in self.pins.iter().zip(&self.ports).filter(|(pin, _)| !pin.driven) {
            let value = &self.now[pin.words.clone()];
            if Some(*port) != self.clock && *value != self.given[pin.words.clone()] {
                write(&mut self.dut, *port, value);
                self.given[pin.words.clone()].copy_from_slice(value);
            }
        }
        self.eval(cycle);
        for (pin, port) in self.pins.iter().zip(&self.ports).filter(|(pin, _)| pin.driven) {
            let value = &self.now[pin.words.clone()];
            let got = &mut self.given[pin.words.clone()];
            read(&self.dut, *port, got);
            assert!(
                got == value,
                "cycle {cycle}: output `{}` is {value:x?} in Rust and {got:x?} in Verilog (32-bit words, lowest first)",
                pin.name,
            );
        }
    }

    /// The clock rises; inputs are those of the last comparison.
    pub(crate) fn rise(&mut self, cycle: u64) {
        let clock = self.clock.expect("a block without a clock has no edges");
        self.dut.set(clock, 1);
        self.eval(cycle);
    }

    /// The ports with their values at the last comparison.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&Pin, &[u32])> {
        self.pins.iter().map(|pin| (pin, &self.now[pin.words.clone()]))
    }

    fn eval(&mut self, cycle: u64) {
        if let Err(error) = self.dut.eval() {
            panic!("cycle {cycle}: {error}");
        }
    }
}

fn write(dut: &mut Dut, port: Port, value: &[u32]) {
    match *value {
        [low] => dut.set(port, u64::from(low)),
        [low, high] => dut.set(port, u64::from(high) << 32 | u64::from(low)),
        _ => dut.words_mut(port).copy_from_slice(value),
    }
}

fn read(dut: &Dut, port: Port, value: &mut [u32]) {
    match value {
        [low] => *low = dut.get(port) as u32,
        [low, high] => (*low, *high) = (dut.get(port) as u32, (dut.get(port) >> 32) as u32),
        _ => value.copy_from_slice(dut.words(port)),
    }
}
