// SPDX-License-Identifier: Apache-2.0
//! The core that a command runs on: simulated, modelled, or on a board, with progress on a terminal.

use super::progress::Waiting;
use super::{Backend, Failure, Result, Target, progress};
use host::{
    Dump, HostError, Keep, MemorySettings, Modelled, Observe, Serial, SerialSettings, Simulated, Transport, Written,
};
use indicatif::ProgressBar;
use std::path::Path;

/// A core of any kind.
pub struct Machine {
    core: Core,
    sign: ProgressBar,
    counts_cycles: bool,
}

enum Core {
    Simulated(Box<Simulated>),
    Modelled(Box<Modelled>),
    Serial(Box<Serial>),
}

impl Machine {
    /// The core that `target` names. A simulated one is built now if it is not in the cache, and says so; `wave` is what it writes.
    pub fn new(target: &Target, memory: MemorySettings, wave: Option<Dump>) -> Result<Machine> {
        if let Some((port, settings)) = target.line()? {
            return on_board(target, port, settings);
        }
        match target.backend {
            Backend::Rtl | Backend::Uart => simulated(target, memory, wave),
            Backend::Model => {
                let core = Core::Modelled(Box::new(Modelled::new(&target.config, memory.seed)?));
                Ok(Machine { core, sign: ProgressBar::hidden(), counts_cycles: true })
            }
        }
    }

    /// The core, while `message` says what it does; in about so many cycles, if that is known.
    pub fn doing(&mut self, message: impl Into<String>, cycles: Option<u64>) -> &mut dyn Transport {
        self.sign.set_message(message.into());
        // A board tells bytes, not cycles.
        if let Some(cycles) = cycles.filter(|_| self.counts_cycles) {
            progress::expect(&self.sign, cycles);
        }
        match &mut self.core {
            Core::Simulated(core) => &mut **core,
            Core::Modelled(core) => &mut **core,
            Core::Serial(core) => &mut **core,
        }
    }

    /// Completes the waveform; `None` if none was asked for.
    pub fn end_wave(&mut self) -> Result<Option<Written>> {
        match &mut self.core {
            Core::Simulated(core) => Ok(core.end_wave()?),
            Core::Modelled(_) | Core::Serial(_) => Ok(None),
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.sign.finish_and_clear();
    }
}

fn simulated(target: &Target, memory: MemorySettings, wave: Option<Dump>) -> Result<Machine> {
    let config = &target.config;
    let name = &config.name;
    let time = if config.peak_macs() > 1024 { "several minutes" } else { "about a minute" };
    let waiting = Waiting::begin(
        &format!("preparing the simulation of {name}"),
        format!("building the simulation of {name}, {time}, once"),
    );
    let timelines = target.trace.clone().map(|sink| -> Keep { Box::new(move |run| sink.borrow_mut().push(run)) });
    let core = Simulated::observed(config, memory, Observe { wave, timelines }).map_err(refused)?;
    drop(waiting);
    let sign = progress::cycles();
    let shown = sign.clone();
    // Every program counts from 0; the bar counts on.
    let (mut before, mut last) = (0, 0);
    let core = core.on_progress(move |cycles| {
        if cycles < last {
            before += last;
        }
        last = cycles;
        shown.set_position(before + cycles);
    });
    Ok(Machine { core: Core::Simulated(Box::new(core)), sign, counts_cycles: true })
}

fn on_board(target: &Target, port: &Path, settings: SerialSettings) -> Result<Machine> {
    let sign = progress::bytes();
    let shown = sign.clone();
    let core = Serial::open(port, &target.config, settings);
    let core = core.inspect_err(|_| sign.finish_and_clear())?.on_progress(move |bytes| shown.set_position(bytes));
    Ok(Machine { core: Core::Serial(Box::new(core)), sign, counts_cycles: false })
}

/// A waveform that cannot be is bad input.
fn refused(error: HostError) -> Failure {
    match error {
        HostError::Simulation(error @ sim::Error::Model(verilated::Error::Wave { .. })) => Failure::input(error),
        other => other.into(),
    }
}

/// Refuses memory settings that cannot be, in the words of the command line.
pub fn checked(memory: MemorySettings) -> Result<MemorySettings> {
    if memory.latency == 0 {
        return Err(Failure::input(
            "--mem-latency is 0, and no memory answers in the cycle of the question: give at least 1",
        ));
    }
    if memory.bytes_per_cycle.is_nan() || memory.bytes_per_cycle <= 0.0 {
        return Err(Failure::input(format!(
            "--mem-bytes-per-cycle is {}: give a number above 0",
            memory.bytes_per_cycle
        )));
    }
    if !(0.0..=0.99).contains(&memory.stall) {
        return Err(Failure::input(format!("--stall is {}: give a probability from 0 to 0.99", memory.stall)));
    }
    Ok(memory)
}
