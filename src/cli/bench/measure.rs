// SPDX-License-Identifier: Apache-2.0
//! Runs a row of the table, checks every element, and says how many cycles it took.

use super::rows::{Bar, Row, Work};
use crate::cli::{Failure, Result, reference};
use host::{Gemm, Observe, Report, Roof, Simulated, Timeline};
use isa::{Activity, Counter, Pipe};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The seed of all operands.
const SEED: u64 = 1;

/// What was measured of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Cycles, of the whole run or, hot, of the part that counts.
    pub cycles: u64,
    /// Useful multiply-accumulates.
    pub macs: u64,
    /// Multiply-accumulates per cycle of a full cube.
    pub peak: u64,
    /// The fewest cycles possible.
    pub roof: u64,
    /// What bounds them.
    pub bound: &'static str,
    /// Cycles in which the memory moves what has to be moved.
    pub memory_cycles: u64,
    /// Cycles in which the cube's queue was empty while the program went on; hot they are not told apart from those of the loads before.
    pub issue_stalls: Option<u64>,
    /// Cycles that the tiling was chosen for.
    pub estimate: Option<u64>,
}

impl Measured {
    /// OU, 0 to 1.
    pub fn utilisation(&self) -> f64 {
        self.macs as f64 / (self.cycles * self.peak) as f64
    }

    /// Roof over cycles, 0 to 1.
    pub fn of_roof(&self) -> f64 {
        self.roof as f64 / self.cycles as f64
    }

    /// True if the bar is reached; `None` if there is none.
    pub fn reaches(&self, bar: Bar) -> Option<bool> {
        match bar {
            Bar::Utilisation(bar) => Some(self.utilisation() >= bar),
            Bar::Roof(bar) => Some(self.of_roof() >= bar),
            Bar::Within(share, more) => Some(self.cycles as f64 <= self.roof as f64 / share + more as f64),
            Bar::None => None,
        }
    }
}

/// The cores that rows run on, each behind one memory at a time.
#[derive(Default)]
pub struct Cores {
    timelines: Rc<RefCell<Vec<Timeline>>>,
}

impl Cores {
    /// Runs a row on a core out of reset.
    ///
    /// *Errors*: a wrong element; as of the simulation.
    pub fn measure(&mut self, row: &Row) -> Result<Measured> {
        let Row { name, config, memory, work, .. } = row;
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        let mut bytes = |count: usize| {
            let mut bytes = vec![0; count];
            random.fill_bytes(&mut bytes);
            bytes
        };
        let hot = matches!(work, Work::Hot(_) | Work::Batch(_));
        let sink = Rc::clone(&self.timelines);
        let timelines: Option<host::Keep> =
            if hot { Some(Box::new(move |run| sink.borrow_mut().push(run))) } else { None };
        let mut core = Simulated::observed(config, *memory, Observe { timelines, ..Observe::default() })?;
        let (product, expected, roof, macs, estimate) = match work {
            Work::Hot(gemm) | Work::Cold(gemm) => {
                let (a, b) = (bytes(gemm.a_bytes()), bytes(gemm.b_bytes()));
                let compiled = if hot { gemm.compile_resident(config)? } else { gemm.compile_behind(config, memory)? };
                let product = compiled.run(&mut core, &a, &b)?;
                let estimate = (!hot).then_some(compiled.tiling().estimate);
                (product, reference::product(gemm, &a, &b), gemm.roof(config, memory), macs_of(gemm), estimate)
            }
            Work::Batch(batch) => {
                let gemm = &batch.gemm;
                let (a, b) = (bytes(batch.operands * gemm.a_bytes()), bytes(batch.operands * gemm.b_bytes()));
                let product = batch.run(&mut core, &a, &b)?;
                let mut expected = vec![];
                for i in 0..batch.count {
                    let (left, right) = (batch.left(i) * gemm.a_bytes(), batch.right(i) * gemm.b_bytes());
                    let (a, b) = (&a[left..left + gemm.a_bytes()], &b[right..right + gemm.b_bytes()]);
                    expected.extend(reference::product(gemm, a, b));
                }
                let roof = Roof { cube: batch.cube_steps(config), read: 0, write: 0, fix: 0, shared: false };
                (product, expected, roof, batch.count as u64 * macs_of(gemm), None)
            }
            Work::Conv(conv) => {
                let (x, weights) = (bytes(conv.x_bytes()), bytes(conv.w_bytes()));
                let compiled = conv.compile_behind(config, memory)?;
                let product = compiled.run(&mut core, &x, &weights)?;
                let expected = reference::convolution(conv, &x, &weights);
                (product, expected, conv.roof(config, memory), conv.macs(), Some(compiled.estimate()))
            }
        };
        if product.values() != expected {
            return Err(Failure::failed(format!(
                "{name}: the result differs from the reference, so its cycles mean nothing"
            )));
        }
        let report = &product.report;
        let total = report.cycles().expect("a simulated core counts cycles");
        let roof = if hot { Roof { read: 0, write: 0, fix: 0, ..roof } } else { roof };
        let cycles = if hot { hot_cycles(&self.timelines.borrow_mut().pop().expect("it was observed")) } else { total };
        Ok(Measured {
            cycles,
            macs,
            peak: config.peak_macs() as u64,
            roof: roof.cycles(),
            bound: roof.bound(),
            memory_cycles: roof.memory(),
            issue_stalls: (!hot).then(|| issue_stalls(report)),
            estimate,
        })
    }
}

fn macs_of(gemm: &Gemm) -> u64 {
    (gemm.m * gemm.n) as u64 * gemm.k as u64
}

/// From the start of the first load of L0 to the last result in L0C.
fn hot_cycles(timeline: &Timeline) -> u64 {
    let of = |pipe: Pipe| timeline.spans.iter().filter(move |span| span.pipe == pipe);
    let first = of(Pipe::Mte1).map(|span| span.started).min().expect("something was loaded");
    let last = of(Pipe::M).map(|span| span.ended).max().expect("something was multiplied");
    assert!(of(Pipe::Mte2).all(|span| span.ended <= first), "MTE2 is idle");
    last - first
}

/// Cycles in which the cube could have gone on and its queue was empty.
fn issue_stalls(report: &Report) -> u64 {
    report.get(Counter::Pipe(Pipe::M, Activity::WaitQueue)).unwrap_or(0)
}

/// Measurements by group and row.
pub type Results = BTreeMap<String, BTreeMap<String, Measured>>;
