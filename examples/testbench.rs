// SPDX-License-Identifier: Apache-2.0
//! A unit of your own with its testbench: hardware in Rust-HDL, checked against plain Rust, in two simulations, with a waveform.
//!
//!     cargo run --release --example testbench
//!
//! 1. [`Peak`] is the hardware: a block with ports, a register, and a kernel that says what every cycle does.
//! 2. [`check`] drives it with random numbers. `tb::Cosim` runs the block in Rust-HDL's own simulation and, printed as Verilog by
//!    `rtl::emit`, in Verilator, and compares every output in every cycle; the test compares with what it should be.
//! 3. [`record`] runs the Verilog alone through `verilated` and writes a waveform for a viewer such as GTKWave or Surfer.

use quader::rtl::emit::emit;
use quader::rtl::prim::prelude::*;
use quader::verilated::{Build, Clocked, Reset};
use rand::RngExt;
use std::path::Path;
use tb::{Cosim, seed};

/// The largest sample so far: `largest(t+1) = clear ? 0 : max(largest(t), valid ? sample : 0)`.
#[derive(LogicBlock, Default)]
pub struct Peak {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets everything; stronger than `valid`.
    pub clear: Signal<In, Bit>,
    /// `sample` counts in this cycle.
    pub valid: Signal<In, Bit>,
    /// Unsigned.
    pub sample: Signal<In, Bits<12>>,
    /// The largest so far.
    pub largest: Signal<Out, Bits<12>>,
    held: Reg<Bits<12>>,
}

impl Logic for Peak {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("peak: the largest sample so far.");
        // Connects the clock and lets the register hold its value.
        dff_setup!(self, clk, held);
        if self.valid.val() & (self.sample.val() > self.held.q.val()) {
            self.held.d.next = self.sample.val();
        }
        if self.clear.val() {
            self.held.d.next = 0.into();
        }
        self.largest.next = self.held.q.val();
    }
}

/// Random cycles in both simulations against three lines of Rust; returns how often the peak rose.
pub fn check(cycles: u64) -> u64 {
    let mut both = Cosim::new(Peak::default(), "peak", Some(("clk", |uut, clk| uut.clk.next = clk)));
    let mut random = seed(1);
    let (mut expected, mut rises) = (0, 0);
    for cycle in 0..cycles {
        let (clear, valid) = (cycle == 0 || random.rng.random_ratio(1, 50), random.rng.random_ratio(1, 2));
        let sample = random.rng.random_range(0..4096u64);
        let uut = &mut both.twin.uut;
        (uut.clear.next, uut.valid.next, uut.sample.next) = (clear, valid, sample.into());
        both.edge();
        let before = expected;
        expected = if clear { 0 } else { expected.max(if valid { sample } else { 0 }) };
        rises += u64::from(expected > before);
        assert_eq!(both.twin.uut.largest.val(), bits(expected), "cycle {cycle}");
    }
    rises
}

/// A ramp through the Verilog alone, every signal written to `wave`; returns the Verilog text.
pub fn record(wave: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let mut peak = Peak::default();
    peak.connect_all();
    let design = emit(&peak, "peak")?;
    let mut dut = Build::new("peak").texts(design.files()).trace(true).build()?.instance(Reset::Zeros)?;
    dut.trace(wave)?;
    let [clear, valid, sample, output] = ["clear", "valid", "sample", "largest"].map(|name| dut.port(name));
    let (clear, valid, sample, output) = (clear?, valid?, sample?, output?);
    let mut sim = Clocked::new(dut, "clk", 10)?;
    for cycle in 0..40u64 {
        sim.dut_mut().set(clear, u64::from(cycle == 0 || cycle == 30));
        sim.dut_mut().set(valid, 1);
        sim.dut_mut().set(sample, cycle.abs_diff(20) * 100);
        sim.step()?;
    }
    assert_eq!(sim.dut().get(output), 1900, "the largest since the clear in cycle 30: |39 - 20| x 100");
    sim.finish()?;
    Ok(design.text())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("the peak rose {} times in 1000 cycles, the same in Rust, Rust-HDL and Verilog", check(1000));
    let wave = std::env::temp_dir().join("peak.vcd");
    println!("{}\nwaveform: {}", record(&wave)?, wave.display());
    Ok(())
}
