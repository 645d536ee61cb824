// SPDX-License-Identifier: Apache-2.0
//! Waves of a failed test: it runs without tracing, which is fast; if it fails it runs again, traced, and the last cycles before the failure are
//! written.
//!
//! Nothing random may differ between the two runs, so a test takes its seed before ([`crate::seed`]).

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use verilated::place::Places;

/// Cycles before the failure that the waveform shows; `QUADER_WAVE_CYCLES` overrides.
const SHOWN_CYCLES: u64 = 2000;

/// One of the two runs of a test: tells whether to build with tracing, and takes note of how far it came.
#[derive(Debug, Clone)]
pub struct Run {
    wave: Option<(PathBuf, u64)>,
    last_cycle: Rc<Cell<u64>>,
}

impl Run {
    /// True if the model has to be built with tracing (`Build::trace(run.is_traced())`).
    #[must_use]
    pub fn is_traced(&self) -> bool {
        self.wave.is_some()
    }

    /// Path of the waveform and the cycle at which it begins, in the traced run.
    #[must_use]
    pub fn wave(&self) -> Option<(PathBuf, u64)> {
        self.wave.clone()
    }

    /// Where a bench notes its last cycle.
    pub(crate) fn last_cycle(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.last_cycle)
    }
}

thread_local! {
    /// The run of the test that this thread is in.
    static CURRENT: RefCell<Option<Run>> = const { RefCell::new(None) };
}

/// The run that [`observed`] has begun in this thread and not ended.
pub(crate) fn current() -> Option<Run> {
    CURRENT.with_borrow(Clone::clone)
}

/// As [`observed`] for a test that panics and returns nothing. Simulated cores made by [`crate::core`] need not be told of the run.
pub fn on_failure(name: &str, test: impl Fn()) {
    let outcome: Result<(), Infallible> = observed(name, |_| {
        test();
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

/// Runs `test`; if it fails or panics, runs it again with tracing and prints where the waveform of its last cycles is. The first failure is
/// passed on.
///
/// # Errors
/// What `test` returned in its first run.
pub fn observed<T, E: Debug>(name: &str, test: impl Fn(&Run) -> Result<T, E>) -> Result<T, E> {
    observed_in(&folder(), name, test)
}

/// As [`observed`], with the folder of the waveform.
///
/// # Errors
/// As [`observed`].
pub fn observed_in<T, E: Debug>(folder: &Path, name: &str, test: impl Fn(&Run) -> Result<T, E>) -> Result<T, E> {
    let test = |run: &Run| {
        let before = CURRENT.replace(Some(run.clone()));
        let outcome = catch_unwind(AssertUnwindSafe(|| test(run)));
        CURRENT.set(before);
        outcome
    };
    let first = Run { wave: None, last_cycle: Rc::default() };
    let outcome = test(&first);
    let failure: Result<E, Box<dyn Any + Send>> = match outcome {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => Ok(error),
        Err(panic) => Err(panic),
    };
    let last = first.last_cycle.get();
    let shown = std::env::var("QUADER_WAVE_CYCLES").ok().and_then(|text| text.parse().ok()).unwrap_or(SHOWN_CYCLES);
    let from = last.saturating_sub(shown);
    let path =
        folder.join(format!("{}.vcd", name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_', "_")));
    println!("{name}: failed at cycle {last}; running it again with waves from cycle {from}");
    // A file of an earlier failure would pass for this one's.
    let _ = std::fs::remove_file(&path);
    let second = Run { wave: Some((path.clone(), from)), last_cycle: Rc::default() };
    if matches!(test(&second), Ok(Ok(_))) {
        println!("{name}: the second run did not fail; is its seed fixed?");
    }
    match path.is_file() {
        true => println!("{name}: the waveform is {}", path.display()),
        false => println!("{name}: no waveform was written"),
    }
    match failure {
        Ok(error) => Err(error),
        Err(panic) => resume_unwind(panic),
    }
}

/// The folder of the waveforms: beside the cache of models, in Cargo's target folder.
#[must_use]
pub fn folder() -> PathBuf {
    let cache = Places::from_env().cache;
    cache.parent().map_or_else(|| cache.join("waves"), |target| target.join("waves"))
}
