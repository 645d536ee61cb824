// SPDX-License-Identifier: Apache-2.0
//! A counterexample as waves.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;
use vcd::{IdCode, TimescaleUnit, Value, Writer};

/// Values of signals, cycle by cycle.
pub(crate) struct Trace<'a> {
    top: &'a str,
    signals: &'a [(String, usize)],
    cycles: Vec<Vec<String>>,
}

impl<'a> Trace<'a> {
    /// No cycle yet. Signals of instances are called `instance.signal`.
    pub(crate) fn new(top: &'a str, signals: &'a [(String, usize)]) -> Trace<'a> {
        Trace { top, signals, cycles: Vec::new() }
    }

    /// One more cycle: the bits of every signal, most significant first.
    pub(crate) fn cycle(&mut self, values: Vec<String>) {
        self.cycles.push(values);
    }

    /// Writes the file, ten time units to a cycle. The clock has no value of its own in a proof: its edges are the cycles.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let mut writer = Writer::new(BufWriter::new(File::create(path)?));
        writer.timescale(1, TimescaleUnit::NS)?;
        writer.add_module(self.top)?;
        let cycle = writer.add_wire(32, "cycle")?;
        let wires: Vec<IdCode> = self
            .signals
            .iter()
            .map(|(name, width)| writer.add_wire(u32::try_from(*width).unwrap_or(u32::MAX), name))
            .collect::<io::Result<_>>()?;
        writer.upscope()?;
        writer.enddefinitions()?;
        for (number, values) in self.cycles.iter().enumerate() {
            writer.timestamp(10 * number as u64)?;
            writer.change_vector(cycle, (0..32).rev().map(|bit| Value::from(number >> bit & 1 == 1)))?;
            for (wire, value) in wires.iter().zip(values) {
                writer.change_vector(*wire, value.chars().map(|bit| Value::from(bit == '1')))?;
            }
        }
        writer.timestamp(10 * self.cycles.len() as u64)
    }
}
