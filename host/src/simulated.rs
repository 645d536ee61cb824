// SPDX-License-Identifier: Apache-2.0
//! The simulated core as a transport: the printed hardware in Verilator, cycle by cycle, behind an AXI4 memory.

use crate::error::{HostError, Result};
use crate::program::Program;
use crate::report::Report;
use crate::timeline::Timeline;
use crate::transport::{Transport, check_address};
use isa::Config;
use sim::core::{Core, Ended, Run, model, recordable_model};
use sim::{Dump, GlobalMemory, MemoryConfig, Poison, Written};
use std::sync::Arc;
use verilated::{Model, Reset};

/// How the memory behind the core behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemorySettings {
    /// Cycles from a request to its first read beat, or from the last write beat to the response; at least 1.
    pub latency: u32,
    /// Bytes per cycle and direction; infinite for a bus word per cycle.
    pub bytes_per_cycle: f64,
    /// Both directions share one budget of `bytes_per_cycle`.
    pub shared: bool,
    /// Probability, 0 to 0.99, that a channel stalls in a cycle.
    pub stall: f64,
    /// Seed of stalls, of the power-up state and of what unwritten memory holds.
    pub seed: u64,
}

impl MemorySettings {
    /// The memory that work is cut for if nothing is said of it: latency 100, which costs little behind a faster one.
    pub fn assumed() -> MemorySettings {
        MemorySettings { latency: 100, ..MemorySettings::default() }
    }
}

impl Default for MemorySettings {
    /// Latency 30, a bus word per cycle and direction, no stalls, seed 1.
    fn default() -> MemorySettings {
        MemorySettings { latency: 30, bytes_per_cycle: f64::INFINITY, shared: false, stall: 0.0, seed: 1 }
    }
}

impl MemorySettings {
    /// The memory behind a core of this configuration.
    pub(crate) fn behaviour(&self, config: &Config) -> MemoryConfig {
        let &MemorySettings { latency, bytes_per_cycle, shared, stall, seed } = self;
        MemoryConfig { latency, bytes_per_cycle, shared, stall, seed, ..MemoryConfig::ideal(config.bus_bytes) }
    }
}

/// What the core has to be told of a program.
pub(crate) fn start_of(program: &Program) -> Run {
    Run {
        program: program.address(),
        length: program.code().len() as u32,
        bases: program.bases().to_vec(),
        windows: program.windows().iter().map(|window| (window.first, window.last, window.rights)).collect(),
        // The core's own watchdog ends a run that stands still.
        limit: u64::MAX,
    }
}

/// Called with the timeline of every run, also of one that ended with a fault.
pub type Keep = Box<dyn FnMut(Timeline)>;

/// What is looked at while a simulated core works; by default nothing.
#[derive(Default)]
pub struct Observe {
    /// A waveform; it is complete with [`Simulated::end_wave`], or when the core is dropped.
    pub wave: Option<Dump>,
    /// Gets the timeline of every run.
    pub timelines: Option<Keep>,
}

/// Called every now and then while a program runs, with the cycles since its start.
type Watch = Box<dyn FnMut(u64)>;

/// A simulated core with its memory.
pub struct Simulated {
    core: Core,
    memory: MemorySettings,
    watch: Watch,
    keep: Option<Keep>,
}

impl Simulated {
    /// A core of this configuration, out of reset. *Cost*: the first time for a configuration, Verilator builds it, which takes
    /// a minute or so; after that it comes from the cache.
    ///
    /// *Errors*: [`HostError::Config`] for an illegal configuration, [`HostError::Simulation`] if it cannot be built or the
    /// memory settings are out of range.
    pub fn new(config: &Config, memory: MemorySettings) -> Result<Simulated> {
        Simulated::build(config, memory, Observe::default())
    }

    /// As [`Simulated::new`], looked at as `observe` says. Each kind of observed core is built separately; waves are slow, timelines are not.
    ///
    /// *Errors*: as [`Simulated::new`].
    pub fn observed(config: &Config, memory: MemorySettings, observe: Observe) -> Result<Simulated> {
        Simulated::build(config, memory, observe)
    }

    /// Calls `watch` every now and then while a program runs, with the cycles since its start.
    pub fn on_progress(mut self, watch: impl FnMut(u64) + 'static) -> Simulated {
        self.watch = Box::new(watch);
        self
    }

    /// As [`Simulated::observed`], of a model that somebody built: of the core that `config` describes, or of a changed copy. It has to be traced as
    /// what is observed needs it ([`sim::core`]).
    ///
    /// *Errors*: as [`Simulated::new`]; [`HostError::Simulation`] if the model is not traced enough.
    pub fn of_model(
        model: &Arc<Model>,
        config: &Config,
        memory: MemorySettings,
        observe: Observe,
    ) -> Result<Simulated> {
        let Observe { wave, timelines } = observe;
        let gm = GlobalMemory::new(Poison::new(memory.seed));
        let mut core =
            Core::with_model(model, config, memory.behaviour(config), gm, Reset::Random(memory.seed as u32))?;
        if let Some(dump) = wave {
            core.start_wave(dump)?;
        }
        let core = if timelines.is_some() { core.recorded()? } else { core };
        Ok(Simulated { core, memory, watch: Box::new(|_| {}), keep: timelines })
    }

    fn build(config: &Config, memory: MemorySettings, observe: Observe) -> Result<Simulated> {
        let config = config.clone().checked()?;
        // Verilator's tracing is compiled in where nets are wanted; the group needs the ports only.
        let nets = observe.wave.as_ref().is_some_and(|dump| !dump.is_group_alone());
        let model = match observe.timelines.is_some() || observe.wave.is_some() {
            true => recordable_model(&config, nets)?,
            false => model(&config, false)?,
        };
        Simulated::of_model(&model, &config, memory, observe)
    }

    /// Completes the waveform; `None` without one.
    ///
    /// *Errors*: [`HostError::Simulation`] if its file cannot be written.
    pub fn end_wave(&mut self) -> Result<Option<Written>> {
        Ok(self.core.end_wave()?)
    }

    /// Cycles simulated so far, those of the register accesses included.
    pub fn cycle(&self) -> u64 {
        self.core.bench().cycle()
    }
}

impl Transport for Simulated {
    fn config(&self) -> &Config {
        self.core.config()
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
        check_address(address, bytes.len())?;
        self.core.gm().write(address, bytes);
        Ok(())
    }

    fn read(&mut self, address: u64, len: usize) -> Result<Vec<u8>> {
        check_address(address, len)?;
        Ok(self.core.gm().read(address, len))
    }

    fn run(&mut self, program: &Program) -> Result<Report> {
        self.write(program.address(), program.code())?;
        let run = start_of(program);
        // What register accesses before the start left is not part of the run.
        self.core.take_recording();
        let ended = self.core.run_to_end(&run, &mut self.watch)?;
        let recording = self.core.take_recording();
        if ended != Ended::Done {
            self.core.soft_reset(run.limit)?;
        }
        self.core.judge()?;
        let outcome = match ended {
            Ended::Done => {
                let counters = self.core.counters()?;
                Ok(Report::new(self.core.config(), counters))
            }
            Ended::Fault(record) => Err(HostError::Fault(record)),
        };
        if let Some(keep) = &mut self.keep {
            let report = outcome.as_ref().ok().cloned();
            keep(Timeline::new(self.core.config(), self.memory, program, recording, report));
        }
        outcome
    }
}
