// SPDX-License-Identifier: Apache-2.0
//! A program on the simulated core, held between two cycles: step, look inside, stop where something happens.
//!
//! ```text
//!              step()                                   restart()
//!  cycle 0 ──► cycle 1 ──► ... ──► Ended::Done | Fault ──────────► cycle 0
//!     │  events: started, finished, set, taken, asked, ..
//!     └► look(): buffers, flags, registers    pipe(): instructions in flight, what they wait for    recording(): all that happened so far
//! ```
//! The core and its memory are those of [`Simulated`](crate::Simulated), so a program takes the same cycles here; `cycle()` is how many of them
//! the counters have counted. Everything shown is read from the hardware. Test: `tests/step.rs`.

mod breakpoint;
mod event;

pub use breakpoint::{Access, Breakpoint};
pub use event::Event;

use crate::error::Result;
use crate::program::Program;
use crate::simulated::{MemorySettings, start_of};
use crate::transport::check_address;
use event::Mark;
use isa::{Activity, Config, Flag, Inst, Pipe};
use sim::core::{Core, Ended, open_model};
use sim::{Burst, Dump, GlobalMemory, Look, Poison, Recording, Written};
use std::sync::Arc;
use verilated::{Model, Reset};

/// Cycles that a core may take to come to rest after its program has ended.
const REST: u64 = 1_000_000;

/// An operation that an engine holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Its program counter.
    pub pc: u32,
    /// Cycle at which the engine took it.
    pub started: u64,
}

/// What a worker pipe holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipeState {
    /// The pipe.
    pub pipe: Pipe,
    /// What the counters counted for it in the last cycle; `None` before the first.
    pub activity: Option<Activity>,
    /// The operations of the engine, oldest first.
    pub in_flight: Vec<InFlight>,
    /// Program counter of the instruction that comes next, if it is there.
    pub head: Option<u32>,
    /// Flags that this one waits for and that are 0.
    pub missing: Vec<Flag>,
    /// Instructions in the queue behind it.
    pub queued: usize,
}

/// A program under control, on a core of its own.
pub struct Debugger {
    model: Arc<Model>,
    config: Config,
    memory: MemorySettings,
    program: Program,
    /// What memory holds before the start.
    contents: Vec<(u64, Vec<u8>)>,
    core: Core,
    ended: Option<Ended>,
}

impl Debugger {
    /// A core of `config` whose memory holds `contents` (address, bytes) and the code of `program`; it stands before cycle 0. `waves`: it can
    /// write waveforms, which makes it slower. *Cost*: each of the two kinds is built once for a configuration, as by
    /// [`Simulated::new`](crate::Simulated::new).
    ///
    /// *Errors*: as [`Simulated::new`](crate::Simulated::new); [`HostError::Address`](crate::HostError::Address) for contents outside the address space.
    pub fn new(
        config: &Config,
        memory: MemorySettings,
        program: Program,
        contents: Vec<(u64, Vec<u8>)>,
        waves: bool,
    ) -> Result<Debugger> {
        let config = config.clone().checked()?;
        for (address, bytes) in &contents {
            check_address(*address, bytes.len())?;
        }
        let model = open_model(&config, waves)?;
        let core = begin(&model, &config, memory, &program, &contents)?;
        Ok(Debugger { model, config, memory, program, contents, core, ended: None })
    }

    /// Begins again before cycle 0, with the contents of memory that [`Debugger::new`] got; a waveform is closed.
    ///
    /// *Errors*: as [`Debugger::new`].
    pub fn restart(&mut self) -> Result<()> {
        self.core = begin(&self.model, &self.config, self.memory, &self.program, &self.contents)?;
        self.ended = None;
        Ok(())
    }

    /// The core.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The instruction at a program counter.
    pub fn instruction(&self, pc: u32) -> Option<&Inst> {
        event::instruction(self.program.instructions(), pc)
    }

    /// Cycles of the program that have passed.
    pub fn cycle(&self) -> u64 {
        self.recording().cycles
    }

    /// How the program ended, once it has.
    pub fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    /// What the core holds now.
    pub fn look(&self) -> Look<'_> {
        self.core.look()
    }

    /// What has happened since the start.
    pub fn recording(&self) -> &Recording {
        self.core.bench().recording().expect("every core here is recorded")
    }

    /// One cycle: what happened in it, in the order of the pipes. When the program ends the core comes to rest, which takes cycles that
    /// nothing counts. Nothing happens after the end.
    ///
    /// *Errors*: [`HostError::Simulation`](crate::HostError::Simulation) if the simulation fails or the core used the bus against its rules.
    pub fn step(&mut self) -> Result<Vec<Event>> {
        if self.ended.is_some() {
            return Ok(Vec::new());
        }
        let look = self.core.look();
        let before = Mark::of(self.recording(), &look);
        self.core.bench_mut().step()?;
        let instructions = self.program.instructions();
        let mut events = before.events(self.recording(), &self.core.look(), instructions);
        if !self.core.is_running()? {
            let ended = self.core.wait_for_end(REST, &mut |_| {})?;
            let violations = self.core.bench().violations();
            if !violations.is_empty() {
                return Err(sim::Error::Protocol { violations }.into());
            }
            events.push(Event::Ended(ended.clone()));
            self.ended = Some(ended);
        }
        Ok(events)
    }

    /// A worker pipe; an empty state for another one.
    pub fn pipe(&self, pipe: Pipe) -> PipeState {
        let look = self.look();
        let record = pipe.worker_index().map(|at| &self.recording().pipes[at]);
        let in_flight = record.map_or(Vec::new(), |record| {
            let open = record.started.get(record.done.len()..).unwrap_or_default();
            open.iter().map(|&(started, pc)| InFlight { pc, started }).collect()
        });
        let head = look.head(pipe);
        let waits = head.and_then(|pc| self.instruction(pc)).map(|inst| inst.wait_flags().collect::<Vec<Flag>>());
        PipeState {
            pipe,
            activity: record.and_then(|record| Some(record.activity.last()?.1)),
            in_flight,
            head,
            missing: waits.unwrap_or_default().into_iter().filter(|&flag| look.flag(flag) == 0).collect(),
            queued: look.queued(pipe),
        }
    }

    /// Bursts on the memory bus that are not answered yet, in the order of their addresses' handshakes.
    pub fn outstanding(&self) -> impl Iterator<Item = &Burst> {
        self.recording().bursts.iter().filter(|burst| burst.answered.is_none())
    }

    /// Reads global memory, as it is behind the bus.
    ///
    /// *Errors*: [`HostError::Address`](crate::HostError::Address) outside the address space.
    pub fn read(&mut self, address: u64, len: usize) -> Result<Vec<u8>> {
        check_address(address, len)?;
        Ok(self.core.gm().read(address, len))
    }

    /// Writes global memory behind the back of the core, until the next [`Debugger::restart`].
    ///
    /// *Errors*: as [`Debugger::read`].
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
        check_address(address, bytes.len())?;
        self.core.gm().write(address, bytes);
        Ok(())
    }

    /// Writes a waveform from now on.
    ///
    /// *Errors*: [`HostError::Simulation`](crate::HostError::Simulation) if the core was made without waves, writes one already, or the file cannot be written.
    pub fn start_wave(&mut self, dump: Dump) -> Result<()> {
        Ok(self.core.start_wave(dump)?)
    }

    /// Completes the waveform, if one is being written.
    ///
    /// *Errors*: [`HostError::Simulation`](crate::HostError::Simulation) if it cannot be written.
    pub fn end_wave(&mut self) -> Result<Option<Written>> {
        Ok(self.core.end_wave()?)
    }
}

/// A core that stands before cycle 0 of the program.
fn begin(
    model: &Arc<Model>,
    config: &Config,
    memory: MemorySettings,
    program: &Program,
    contents: &[(u64, Vec<u8>)],
) -> Result<Core> {
    let gm = GlobalMemory::new(Poison::new(memory.seed));
    let reset = Reset::Random(memory.seed as u32);
    let mut core = Core::with_model(model, config, memory.behaviour(config), gm, reset)?.recorded()?.looked_into()?;
    for (address, bytes) in contents {
        core.gm().write(*address, bytes);
    }
    core.gm().write(program.address(), program.code());
    core.start_held(&start_of(program))?;
    Ok(core)
}
