// SPDX-License-Identifier: Apache-2.0
//! The core as a Rust value: generated, built by Verilator, wired to memory and host, ready to run programs.
//!
//! ```text
//!  Config ─► rtl::top ─► emit ─► verilated ─► Core { Bench } ──run(program)──► Ended::Done | Ended::Fault, counters
//! ```
//! Everything goes the way that a driver on a board would go: over the AXI4-Lite registers and through GM.

use crate::axil::AxilDriver;
use crate::bench::Bench;
use crate::dump::{Dump, Written};
use crate::error::{Error, Result};
use crate::inside::{Inside, Look, PATTERNS};
use crate::memory::{AxiMemory, MemoryConfig};
use crate::record::Recording;
use crate::{GlobalMemory, waves};
use isa::csr::{Status, context, context_address};
use isa::{Activity, Cause, Config, ConfigError, Counter, FaultRecord, Inst, Pipe};
use rtl::prim::prelude::Block;
use std::sync::Arc;
use verilated::{Build, Model, Port, Reset};

/// The port that says that a program runs.
const RUNNING: &str = "trace_running_0";

/// Cycles within which a start is taken.
const START_LIMIT: u64 = 10_000;

/// Bytes of a program that a waveform tells at most.
const TOLD_BYTES: usize = 64 << 20;

/// Cycles between two looks at the status register.
const POLL: u64 = 16;

/// What a program run needs besides its bytes in GM.
#[derive(Debug, Clone)]
pub struct Run {
    /// GM address of the program, a multiple of 64.
    pub program: u64,
    /// Bytes of the program.
    pub length: u32,
    /// Values of the GM base registers, from register 0 on; at most 16.
    pub bases: Vec<u64>,
    /// Windows: lowest address, highest address, rights (1 read, 2 write, 4 execute); at most 8.
    pub windows: Vec<(u64, u64, u32)>,
    /// Cycles after which a run that has not ended is given up.
    pub limit: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// END was reached.
    Done,
    /// The core stopped with this record.
    Fault(FaultRecord),
}

/// A simulated core with its memory and its host.
pub struct Core {
    bench: Bench,
    config: Config,
    inside: Option<Inside>,
    /// Program counters of the heads of the pipes, in a core that has the ports.
    heads: Vec<Port>,
    /// Says that a program runs, in a core that has it.
    running: Option<Port>,
    /// Address and bytes of the program that was started, until it is known to have ended.
    program: Option<(u64, u32)>,
}

/// Builds the Verilator model of a core, or loads it from the cache.
///
/// # Errors
/// [`Error::Config`] for an illegal configuration or a design that cannot be printed; [`Error::Model`] if it cannot be built.
pub fn model(config: &Config, traced: bool) -> Result<Arc<Model>> {
    // A failed test runs again with waves, which explain themselves.
    match waves::current().is_some_and(|run| run.is_traced()) {
        true => wave_model(config),
        false => built(rtl::top::core(config), traced, &[]),
    }
}

/// As [`model`], of the core with the ports that a [`Recording`] is made from.
///
/// # Errors
/// As [`model`].
pub fn recordable_model(config: &Config, traced: bool) -> Result<Arc<Model>> {
    let traced = traced || waves::current().is_some_and(|run| run.is_traced());
    built(rtl::top::traced_core(config), traced, &[])
}

/// As [`model`], of the core whose waves have the group `trace`.
///
/// # Errors
/// As [`model`].
pub fn wave_model(config: &Config) -> Result<Arc<Model>> {
    recordable_model(config, true)
}

/// As [`recordable_model`], of a core that can be looked into ([`Core::looked_into`]).
///
/// # Errors
/// As [`model`].
pub fn open_model(config: &Config, traced: bool) -> Result<Arc<Model>> {
    let traced = traced || waves::current().is_some_and(|run| run.is_traced());
    built(rtl::top::traced_core(config), traced, &PATTERNS)
}

fn built(
    core: std::result::Result<Box<dyn Block>, ConfigError>,
    traced: bool,
    inside: &[(&str, &str)],
) -> Result<Arc<Model>> {
    let refuse = |reason: String| Error::Config { reason };
    let core = core.map_err(|error| refuse(error.to_string()))?;
    let design = rtl::emit::emit(&*core, "quader").map_err(|error| refuse(error.to_string()))?;
    let build = Build::new("quader").texts(design.files()).cycles_hint(1_000_000).trace(traced);
    let build = inside.iter().fold(build, |build, (module, signal)| build.inner(module, signal));
    build.build().map_err(Error::Model)
}

impl Core {
    /// A core of `config` on a memory that behaves like `memory` and holds `gm`; power-up state by `reset`. It is reset and idle.
    ///
    /// # Errors
    /// As [`model`]; [`Error::Config`] if the memory does not fit the core.
    pub fn new(config: &Config, memory: MemoryConfig, gm: GlobalMemory, reset: Reset) -> Result<Core> {
        Core::with_model(&model(config, false)?, config, memory, gm, reset)
    }

    /// As [`Core::new`] on a model built before.
    ///
    /// # Errors
    /// As [`Core::new`].
    pub fn with_model(
        model: &Arc<Model>,
        config: &Config,
        memory: MemoryConfig,
        gm: GlobalMemory,
        reset: Reset,
    ) -> Result<Core> {
        let seed = memory.seed;
        let dut = model.instance(reset).map_err(Error::Model)?;
        let bench = Bench::new(dut)?
            .with_memory("m_axi_", AxiMemory::new(memory, gm)?)?
            .with_lite("s_axil_", AxilDriver::new(seed, 0))?;
        let bench = match waves::current() {
            Some(run) => bench.observed_by(&run),
            None => bench,
        };
        let mut core = Core {
            running: bench.dut().port(RUNNING).ok(),
            heads: Vec::new(),
            bench,
            config: config.clone(),
            inside: None,
            program: None,
        };
        core.bench.reset(4)?;
        Ok(core)
    }

    /// Begins a waveform with the next cycle, before or while a program runs; the model must be a [`wave_model`], or a [`recordable_model`] if only
    /// the group is wanted. Of a program that runs already, the group knows what its pipes are given from now on.
    ///
    /// # Errors
    /// As [`Bench::start_wave`].
    pub fn start_wave(&mut self, dump: Dump) -> Result<()> {
        self.bench.start_wave(dump)?;
        self.tell_wave();
        Ok(())
    }

    /// Ends the waveform; `None` without one.
    ///
    /// # Errors
    /// As [`Bench::end_wave`].
    pub fn end_wave(&mut self) -> Result<Option<Written>> {
        self.bench.end_wave()
    }

    /// Records what pipes and bus do; the model must be a [`recordable_model`].
    ///
    /// # Errors
    /// [`Error::Model`] if it is not.
    pub fn recorded(mut self) -> Result<Core> {
        self.bench = self.bench.recorded()?;
        Ok(self)
    }

    /// Finds what [`Core::look`] shows; the model must be an [`open_model`].
    ///
    /// # Errors
    /// [`Error::Model`] if it is not.
    pub fn looked_into(mut self) -> Result<Core> {
        self.inside = Some(Inside::new(self.bench.dut_mut(), &self.config)?);
        let port = |pipe| self.bench.dut().port(&format!("trace_pc_{pipe}"));
        self.heads = (0..Pipe::WORKERS.len()).map(port).collect::<verilated::Result<_>>()?;
        Ok(self)
    }

    /// What the core holds now.
    ///
    /// # Panics
    /// Without [`Core::looked_into`].
    #[must_use]
    pub fn look(&self) -> Look<'_> {
        let inside = self.inside.as_ref().expect("the core was prepared by looked_into");
        Look { inside, dut: self.bench.dut(), heads: &self.heads }
    }

    /// What was recorded of the last run; empty without [`Core::recorded`].
    pub fn take_recording(&mut self) -> Recording {
        self.bench.take_recording()
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Everything around the core.
    #[must_use]
    pub fn bench(&self) -> &Bench {
        &self.bench
    }

    /// Everything around the core, to inject errors, to keep a log of bursts, or to write other registers.
    pub fn bench_mut(&mut self) -> &mut Bench {
        &mut self.bench
    }

    /// Global memory.
    pub fn gm(&mut self) -> &mut GlobalMemory {
        &mut self.bench.memory_mut().gm
    }

    fn write(&mut self, offset: u32, value: u32) -> Result<()> {
        self.bench.write32(context_address(0, offset), value)
    }

    fn read(&mut self, offset: u32) -> Result<u32> {
        self.bench.read32(context_address(0, offset))
    }

    fn write_pair(&mut self, low: u32, high: u32, value: u64) -> Result<()> {
        self.write(low, value as u32)?;
        self.write(high, (value >> 32) as u32)
    }

    /// Sets bases, windows and program, starts, and waits for the end; after a fault the core is soft-reset.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `run.limit` cycles, [`Error::Protocol`] if the bus was used against its rules, as [`Bench::step`].
    pub fn run(&mut self, run: &Run) -> Result<Ended> {
        self.run_watched(run, &mut |_| {})
    }

    /// As [`Core::run`], and tells `watch` every now and then how many cycles have passed since the start.
    ///
    /// # Errors
    /// As [`Core::run`].
    pub fn run_watched(&mut self, run: &Run, watch: &mut dyn FnMut(u64)) -> Result<Ended> {
        let ended = self.run_to_end(run, watch)?;
        if ended != Ended::Done {
            self.soft_reset(run.limit)?;
        }
        self.judge()?;
        Ok(ended)
    }

    /// What monitors and memory windows have seen on the buses so far.
    ///
    /// # Errors
    /// [`Error::Protocol`] if a rule was broken.
    pub fn judge(&self) -> Result<()> {
        let violations = self.bench.violations();
        if violations.is_empty() { Ok(()) } else { Err(Error::Protocol { violations }) }
    }

    /// As [`Core::run_watched`], but leaves a core that has faulted as it is, and judges nothing.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `run.limit` cycles, as [`Bench::step`].
    pub fn run_to_end(&mut self, run: &Run, watch: &mut dyn FnMut(u64)) -> Result<Ended> {
        self.start(run)?;
        self.wait_for_end(run.limit, watch)
    }

    /// Waits for the end of a program that was started.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `limit` cycles, as [`Bench::step`].
    pub fn wait_for_end(&mut self, limit: u64, watch: &mut dyn FnMut(u64)) -> Result<Ended> {
        let began = self.bench.cycle();
        loop {
            match Status::from_bits(self.read(context::STATUS)?) {
                Status::Done => {
                    self.program = None;
                    return Ok(Ended::Done);
                }
                Status::Fault => {
                    self.program = None;
                    return Ok(Ended::Fault(self.fault_record()?));
                }
                Status::Idle | Status::Running => {}
            }
            let waited = self.bench.cycle() - began;
            if waited > limit {
                let what = "the end of the program".to_owned();
                return Err(Error::Timeout { what, waited, cycle: self.bench.cycle() });
            }
            watch(waited);
            for _ in 0..POLL {
                self.bench.step()?;
            }
        }
    }

    /// Sets bases, windows and program, and rings the start doorbell.
    ///
    /// # Errors
    /// As [`Bench::write32`].
    pub fn start(&mut self, run: &Run) -> Result<()> {
        self.prepare(run)?;
        self.write(context::START, 1)
    }

    /// As [`Core::start`], and stands still before the first cycle that the counters count.
    ///
    /// # Errors
    /// [`Error::Model`] if the core has no ports `trace_*`; as [`Bench::write32`].
    pub fn start_held(&mut self, run: &Run) -> Result<()> {
        let running = self.running()?;
        self.prepare(run)?;
        self.bench.driver_mut().start_write(context_address(0, context::START), 1, 15);
        self.bench.run_until("the start of the program", START_LIMIT, |bench| bench.dut().get(running) == 1)?;
        Ok(())
    }

    /// True while the counters count, so that another [`Bench::step`] belongs to the program; for a core with ports `trace_*`.
    ///
    /// # Errors
    /// [`Error::Model`] if it has none.
    pub fn is_running(&self) -> Result<bool> {
        Ok(self.bench.dut().get(self.running()?) == 1)
    }

    fn running(&self) -> Result<Port> {
        // Asked again, the model says what it has instead.
        self.running.map_or_else(|| Ok(self.bench.dut().port(RUNNING)?), Ok)
    }

    fn prepare(&mut self, run: &Run) -> Result<()> {
        for (at, &base) in run.bases.iter().enumerate() {
            let step = at as u32 * context::BASE_STRIDE;
            self.write_pair(context::BASE_LO + step, context::BASE_HI + step, base)?;
        }
        for (at, &(first, last, rights)) in run.windows.iter().enumerate() {
            let step = at as u32 * context::WINDOW_STRIDE;
            self.write_pair(context::WINDOW_FIRST_LO + step, context::WINDOW_FIRST_HI + step, first)?;
            self.write_pair(context::WINDOW_LAST_LO + step, context::WINDOW_LAST_HI + step, last)?;
            self.write(context::WINDOW_RIGHTS + step, rights)?;
        }
        self.program = Some((run.program, run.length));
        self.tell_wave();
        self.write_pair(context::PROGRAM_LO, context::PROGRAM_HI, run.program)?;
        self.write(context::PROGRAM_LENGTH, run.length)
    }

    /// Tells the waveform which program it shows.
    fn tell_wave(&mut self) {
        let Some((address, length)) = self.program else { return };
        self.bench.tell_wave(&self.config, |bench| {
            let bytes = bench.memory().gm.read(address, (length as usize).min(TOLD_BYTES));
            bytes.as_chunks().0.iter().map(|bytes| Inst::decode(bytes).ok()).collect()
        });
    }

    /// Stops whatever runs and waits until the core is idle.
    ///
    /// # Errors
    /// [`Error::Timeout`] after about `limit` cycles, as [`Bench::step`].
    pub fn soft_reset(&mut self, limit: u64) -> Result<()> {
        self.program = None;
        self.write(context::SOFT_RESET, 1)?;
        let began = self.bench.cycle();
        // The whole word: idle and no longer draining.
        while self.read(context::STATUS)? != Status::Idle as u32 {
            let waited = self.bench.cycle() - began;
            if waited > limit {
                let what = "the end of the soft reset".to_owned();
                return Err(Error::Timeout { what, waited, cycle: self.bench.cycle() });
            }
        }
        Ok(())
    }

    fn fault_record(&mut self) -> Result<FaultRecord> {
        let word = self.read(context::FAULT_CAUSE)?;
        let unknown = |what: &str| Error::Config {
            reason: format!("the core reports a fault {what} that nobody defined: {word:#x}"),
        };
        let low = self.read(context::FAULT_ADDRESS_LO)?;
        let high = self.read(context::FAULT_ADDRESS_HI)?;
        Ok(FaultRecord {
            cause: Cause::from_code(word as u8).ok_or_else(|| unknown("cause"))?,
            pipe: Pipe::from_code((word >> 8 & 7) as u8).ok_or_else(|| unknown("pipe"))?,
            pc: self.read(context::FAULT_PC)?,
            address: u64::from(high) << 32 | u64::from(low),
        })
    }

    /// Every counter of the last run, in the order of `Counter::all`.
    ///
    /// # Errors
    /// [`Error::Protocol`] if the five activities of a pipe do not add up to the total; as [`Bench::read32`].
    pub fn counters(&mut self) -> Result<Vec<(Counter, u64)>> {
        self.write(context::SNAPSHOT, 1)?;
        let mut values = vec![];
        for (at, counter) in Counter::all().enumerate() {
            let step = at as u32 * context::COUNTER_STRIDE;
            let low = self.read(context::COUNTER_LO + step)?;
            let high = self.read(context::COUNTER_HI + step)?;
            values.push((counter, u64::from(high) << 32 | u64::from(low)));
        }
        let value = |wanted: Counter| values[wanted.index()].1;
        let total = value(Counter::TotalCycles);
        let sum =
            |pipe: Pipe| Activity::ALL.into_iter().map(|activity| value(Counter::Pipe(pipe, activity))).sum::<u64>();
        let wrong = Pipe::WORKERS.into_iter().filter(|&pipe| sum(pipe) != total);
        let violations: Vec<String> = wrong
            .map(|pipe| format!("the activities of {pipe} add up to {}, not to the total {total}", sum(pipe)))
            .collect();
        if violations.is_empty() { Ok(values) } else { Err(Error::Protocol { violations }) }
    }
}
