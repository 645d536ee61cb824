// SPDX-License-Identifier: Apache-2.0
//! What a run tells: the counters, and utilisation as SU, TU and OU.
//!
//! | figure | is |
//! |---|---|
//! | SU, spatial | useful MACs / (cube steps x M0 x K0 x N0): what rounding to blocks leaves |
//! | TU, temporal | cube steps / total cycles: how often the cube steps |
//! | OU, overall | SU x TU = useful MACs / (total cycles x M0 x K0 x N0) |

use isa::{Activity, Config, Counter, Pipe};
use std::collections::BTreeMap;
use std::fmt;

/// The counters of one run, or of several added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    peak_macs: u64,
    counters: BTreeMap<Counter, u64>,
}

impl Report {
    /// The report of a core of this configuration; counters that are not known are left out.
    pub fn new(config: &Config, counters: impl IntoIterator<Item = (Counter, u64)>) -> Report {
        Report { peak_macs: config.peak_macs() as u64, counters: counters.into_iter().collect() }
    }

    /// The value of a counter; `None` if it is not known (cycles on a model).
    pub fn get(&self, counter: Counter) -> Option<u64> {
        self.counters.get(&counter).copied()
    }

    /// Every counter that is known, in the order of the registers.
    pub fn counters(&self) -> impl Iterator<Item = (Counter, u64)> + '_ {
        self.counters.iter().map(|(&counter, &value)| (counter, value))
    }

    /// Cycles from the start doorbell to the end of the program, its last write answered.
    pub fn cycles(&self) -> Option<u64> {
        self.get(Counter::TotalCycles)
    }

    /// int8 multiply-accumulates of one cube step.
    pub fn peak_macs_per_cycle(&self) -> u64 {
        self.peak_macs
    }

    /// Spatial utilisation, 0 to 1; `None` without a cube step.
    pub fn su(&self) -> Option<f64> {
        self.ratio(self.get(Counter::UsefulMacs)?, self.get(Counter::CubeSteps)? * self.peak_macs)
    }

    /// Temporal utilisation, 0 to 1; `None` if cycles are not known.
    pub fn tu(&self) -> Option<f64> {
        self.ratio(self.get(Counter::CubeSteps)?, self.cycles()?)
    }

    /// Overall utilisation, 0 to 1; `None` if cycles are not known.
    pub fn ou(&self) -> Option<f64> {
        self.ratio(self.get(Counter::UsefulMacs)?, self.cycles()? * self.peak_macs)
    }

    /// Adds the counters of another run; a counter that one of them does not know is not known of both.
    pub fn add(&mut self, other: &Report) {
        self.counters.retain(|counter, _| other.counters.contains_key(counter));
        for (counter, value) in &mut self.counters {
            *value += other.counters[counter];
        }
    }

    fn ratio(&self, part: u64, whole: u64) -> Option<f64> {
        (whole != 0).then(|| part as f64 / whole as f64)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{:.2} %", 100.0 * value));
        let (su, tu, ou) = (percent(self.su()), percent(self.tu()), percent(self.ou()));
        match self.cycles() {
            Some(cycles) => writeln!(f, "{cycles} cycles, SU {su}, TU {tu}, OU {ou}")?,
            None => writeln!(f, "cycles not known, SU {su}")?,
        }
        if self.cycles().is_some() {
            write!(f, "{:>6}", "")?;
            Activity::ALL.iter().try_for_each(|activity| write!(f, "{:>13}", activity.name()))?;
            for pipe in Pipe::WORKERS {
                write!(f, "\n{:>6}", pipe.name())?;
                for activity in Activity::ALL {
                    write!(f, "{:>13}", self.get(Counter::Pipe(pipe, activity)).unwrap_or(0))?;
                }
            }
            writeln!(f)?;
        }
        let value = |counter| self.get(counter).unwrap_or(0);
        write!(
            f,
            "{} bytes read, {} written, {} cube steps, {} useful of {} MACs",
            value(Counter::BytesRead),
            value(Counter::BytesWritten),
            value(Counter::CubeSteps),
            value(Counter::UsefulMacs),
            value(Counter::ExecutedMacs)
        )
    }
}
