// SPDX-License-Identifier: Apache-2.0
//! A unit of a named core in both simulations, under the stimuli of the unit's own tests.
//!
//! ```text
//!   Lockstep::of(lite, "fix").with(|uut: &Fix<128>| uut, || random_program(lite))     the test drives and checks the Rust side as ever
//!       └─► every Twin<Fix<128>> made in there: inputs copied to the Verilog of all units, outputs equal whenever it settles
//!   finish()     every output has changed at least once, or the test was no proof
//! ```
//! The unit may be a part of what the test simulates: the function that finds it says which. Registers and memories start as zeros on
//! both sides.

use crate::mirror::{Mirror, Pin};
use crate::units;
use isa::Config;
use rtl::twin::{Companion, accompanied};
use rust_hdl::prelude::Block;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use verilated::Model;

/// A unit of a core whose two simulations are compared.
pub struct Lockstep {
    unit: String,
    core: String,
    model: Arc<Model>,
    constant: Vec<(String, &'static str)>,
    seen: Rc<RefCell<Seen>>,
}

/// What was compared.
#[derive(Default)]
struct Seen {
    cycles: u64,
    comparisons: u64,
    /// One per port, in the order of the block; known from the first twin on.
    ports: Vec<Toggles>,
}

/// The values that a port had.
struct Toggles {
    pin: Pin,
    /// Bits that were 0, bits that were 1.
    low: Vec<u32>,
    high: Vec<u32>,
}

impl Toggles {
    /// Bits that were both.
    fn both(&self) -> usize {
        self.low.iter().zip(&self.high).map(|(low, high)| (low & high).count_ones() as usize).sum()
    }
}

/// What a lockstep compared; `Display` is one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Name of the unit in the core.
    pub unit: String,
    /// Name of the core.
    pub core: String,
    /// Rising edges, of all runs together.
    pub cycles: u64,
    /// Values of outputs that were compared.
    pub comparisons: u64,
    /// Outputs of the unit.
    pub outputs: usize,
    /// Bits of all outputs.
    pub bits: usize,
    /// Bits that were 0 in one comparison and 1 in another one.
    pub toggled: usize,
    /// Outputs that never changed.
    pub constant: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { unit, core, cycles, comparisons, outputs, bits, toggled, .. } = self;
        write!(f, "{unit} of {core}: {cycles} cycles, {comparisons} values of {outputs} outputs equal, ")?;
        write!(f, "{toggled} of {bits} bits were 0 and 1")
    }
}

impl Lockstep {
    /// The unit called `unit` in the top of the core that `config` describes (`rtl/src/top.rs`; of a list: the name of the list).
    ///
    /// All units of a core are one Verilog model, built once and cached. Panics if it cannot be built, with what to install.
    pub fn of(config: &Config, unit: &str) -> Lockstep {
        let (model, core) = (units::model(config), config.name.clone());
        Lockstep { unit: unit.to_owned(), core, model, constant: vec![], seen: Rc::default() }
    }

    /// Says that the output called `name` keeps one value whatever happens, and why.
    pub fn constant(mut self, name: impl Into<String>, reason: &'static str) -> Lockstep {
        self.constant.push((name.into(), reason));
        self
    }

    /// Runs `body`; in every `Twin<U>` that it makes, the unit that `find` finds is compared with its Verilog in every cycle.
    ///
    /// Panics at the first difference with the output, both values and the cycle; also if the ports are not those of the unit.
    pub fn with<U: Block + 'static, R>(&self, find: fn(&U) -> &dyn Block, body: impl FnOnce() -> R) -> R {
        let (unit, model, seen) = (self.unit.clone(), Arc::clone(&self.model), Rc::clone(&self.seen));
        let maker = move || -> Box<dyn Companion<U>> {
            Box::new(Follower {
                find,
                unit: unit.clone(),
                model: Arc::clone(&model),
                mirror: None,
                cycle: 0,
                seen: Rc::clone(&seen),
            })
        };
        accompanied(maker, body)
    }

    /// Ends the comparison: prints and gives what was compared.
    ///
    /// Panics if an output never changed in all runs, or if one changed that was said to be constant.
    pub fn finish(self) -> Report {
        let seen = self.seen.borrow();
        let outputs = || seen.ports.iter().filter(|port| port.pin.driven);
        let still = outputs().filter(|port| port.both() == 0).map(|port| port.pin.name.clone());
        let report = Report {
            unit: self.unit,
            core: self.core,
            cycles: seen.cycles,
            comparisons: seen.comparisons,
            outputs: outputs().count(),
            bits: outputs().map(|port| port.pin.width).sum(),
            toggled: outputs().map(Toggles::both).sum(),
            constant: still.collect(),
        };
        println!("{report}");
        assert!(report.cycles > 0, "no twin of {} was simulated", report.unit);
        let unexplained = |name: &&String| !self.constant.iter().any(|(constant, _)| constant == *name);
        let unexplained: Vec<&String> = report.constant.iter().filter(unexplained).collect();
        assert!(unexplained.is_empty(), "{report}, but these outputs never changed: {unexplained:?}");
        for (name, reason) in &self.constant {
            assert!(report.constant.contains(name), "{report}, but `{name}` is no output that stays, though {reason}");
        }
        report
    }
}

/// The companion of one twin.
struct Follower<U> {
    find: fn(&U) -> &dyn Block,
    unit: String,
    model: Arc<Model>,
    /// Made when the block is seen first.
    mirror: Option<Mirror>,
    cycle: u64,
    seen: Rc<RefCell<Seen>>,
}

impl<U> Companion<U> for Follower<U> {
    fn settled(&mut self, uut: &U, cycle: u64) {
        self.cycle = cycle;
        let block = (self.find)(uut);
        let make = || Mirror::new(&self.model, &format!("{}_", self.unit), Some("clk"), block);
        let mirror = self.mirror.get_or_insert_with(make);
        mirror.compare(block, cycle);
        let mut seen = self.seen.borrow_mut();
        let seen = &mut *seen;
        if seen.ports.is_empty() {
            let blank = |(pin, words): (&Pin, &[u32])| {
                let zeros = vec![0; words.len()];
                Toggles { pin: pin.clone(), low: zeros.clone(), high: zeros }
            };
            seen.ports = mirror.values().map(blank).collect();
        }
        for ((_, words), port) in mirror.values().zip(&mut seen.ports).filter(|((pin, _), _)| pin.driven) {
            seen.comparisons += 1;
            for (at, word) in words.iter().enumerate() {
                port.low[at] |= !word;
                port.high[at] |= word;
            }
        }
    }

    fn rise(&mut self) {
        self.seen.borrow_mut().cycles += 1;
        self.mirror.as_mut().expect("seen before its first edge").rise(self.cycle);
    }
}
