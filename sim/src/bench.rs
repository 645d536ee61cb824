// SPDX-License-Identifier: Apache-2.0
//! A design with everything around it, and the order of one cycle.
//!
//! ```text
//! step():  drive inputs ─► settle (clock low) ─► sample outputs ─► monitors, memory, host ─► rise (clock high)
//! ```
//!
//! What memory and host decide at an edge is driven in the next step, so inputs change only after the edge, and outputs that depend on inputs
//! within the cycle are sampled just before the edge, settled.

use std::cell::Cell;
use std::rc::Rc;

use isa::{Config, Inst};
use verilated::{Clocked, Direction, Dut, Port};

use crate::axi::{AxiPorts, LitePorts};
use crate::axil::AxilDriver;
use crate::bus::{AxiIn, AxiOut};
use crate::dump::{Dump, Dumper, Written};
use crate::error::{Error, Result};
use crate::memory::AxiMemory;
use crate::monitor::{Monitor, MonitorConfig};
use crate::record::{Recorder, Recording};
use crate::waves::Run;

/// Period of the clock in waveforms, in nanoseconds.
const PERIOD_NS: u64 = 10;

/// Cycles that a register access may take.
const LITE_LIMIT: u64 = 10_000;

/// The memory side.
struct MemorySide {
    ports: AxiPorts,
    out: AxiOut,
    memory: AxiMemory,
    monitor: Monitor,
}

/// The register side.
struct LiteSide {
    ports: LitePorts,
    input: AxiIn,
    driver: AxilDriver,
    monitor: Monitor,
}

/// A design, its clock and reset, and optionally a memory on its AXI4 master and a host on its AXI4-Lite slave, both monitored.
pub struct Bench {
    sim: Clocked,
    reset: Port,
    memory: Option<MemorySide>,
    lite: Option<LiteSide>,
    /// A wave that begins with the first step.
    wave: Option<Dump>,
    dumper: Option<Dumper>,
    recorder: Option<Recorder>,
    last_cycle: Rc<Cell<u64>>,
}

impl Bench {
    /// A bench around `dut`, whose ports `clk` and `rst` (active high) it drives; all other inputs are 0 until something drives them.
    ///
    /// # Errors
    /// [`Error::Model`] if there are no such ports or the design stops itself at once.
    pub fn new(mut dut: Dut) -> Result<Bench> {
        let inputs: Vec<Port> = dut
            .model()
            .ports()
            .iter()
            .filter(|port| port.direction == Direction::Input)
            .map(|port| dut.port(&port.name))
            .collect::<verilated::Result<_>>()?;
        for port in inputs {
            dut.bytes_mut(port).fill(0);
        }
        let reset = dut.port("rst")?;
        dut.set(reset, 1);
        let sim = Clocked::new(dut, "clk", PERIOD_NS)?;
        Ok(Bench {
            sim,
            reset,
            memory: None,
            lite: None,
            wave: None,
            dumper: None,
            recorder: None,
            last_cycle: Rc::default(),
        })
    }

    /// Connects `memory` to the AXI4 master whose port names begin with `prefix`. To be called before the first step.
    ///
    /// # Errors
    /// [`Error::Ports`] if the ports are not such a bus; [`Error::Config`] if the memory has another width.
    pub fn with_memory(mut self, prefix: &str, memory: AxiMemory) -> Result<Bench> {
        let ports = AxiPorts::bind(self.sim.dut().model(), prefix)?;
        let (bus, wanted) = (ports.bus_bytes(), memory.config().bus_bytes);
        if bus != wanted {
            let reason =
                format!("the memory is {wanted} bytes wide and the bus {prefix}* is {bus}: they have to be the same");
            return Err(Error::Config { reason });
        }
        let monitor = Monitor::new(MonitorConfig::new(bus));
        self.memory = Some(MemorySide { ports, out: AxiOut::default(), memory, monitor });
        Ok(self)
    }

    /// As [`Bench::with_memory`], with limits for the monitor: the IDs that the master owns, and bursts outstanding per direction.
    ///
    /// # Errors
    /// As [`Bench::with_memory`].
    pub fn with_limited_memory(self, prefix: &str, memory: AxiMemory, limits: MonitorConfig) -> Result<Bench> {
        let mut bench = self.with_memory(prefix, memory)?;
        if let Some(side) = &mut bench.memory {
            side.monitor = Monitor::new(limits);
        }
        Ok(bench)
    }

    /// Connects a host to the AXI4-Lite slave whose port names begin with `prefix`. To be called before the first step.
    ///
    /// # Errors
    /// [`Error::Ports`] if the ports are not such a bus.
    pub fn with_lite(mut self, prefix: &str, driver: AxilDriver) -> Result<Bench> {
        let ports = LitePorts::bind(self.sim.dut().model(), prefix)?;
        let monitor = Monitor::new(MonitorConfig::new(4));
        self.lite = Some(LiteSide { ports, input: AxiIn::default(), driver, monitor });
        Ok(self)
    }

    /// Takes part in a run that is repeated with waves if it fails ([`crate::waves::observed`]).
    #[must_use]
    pub fn observed_by(mut self, run: &Run) -> Bench {
        self.last_cycle = run.last_cycle();
        self.wave = run.wave().map(|(path, from)| Dump { from, ..Dump::new(path) });
        self
    }

    /// Begins a waveform; the model has to be built with tracing, unless only the group of a traced core is wanted.
    ///
    /// # Errors
    /// [`Error::Model`] if it is not, if one is being written, the scope is not there, or the file cannot be written; [`Error::Config`] for a file
    /// of neither format.
    pub fn start_wave(&mut self, dump: Dump) -> Result<()> {
        if self.dumper.is_some() {
            return Err(Error::Config { reason: "a waveform is being written: end it first".to_owned() });
        }
        self.dumper = Some(Dumper::new(self.sim.dut_mut(), dump)?);
        Ok(())
    }

    /// Ends the waveform; `None` without one. Another may begin.
    ///
    /// # Errors
    /// [`Error::Model`] if the file cannot be written.
    pub fn end_wave(&mut self) -> Result<Option<Written>> {
        self.dumper.take().map(|dumper| dumper.finish(self.sim.dut_mut())).transpose()
    }

    /// Tells the waveform which program of a core starts next; an instruction that cannot be decoded is `None`.
    pub(crate) fn tell_wave(&mut self, config: &Config, program: impl FnOnce(&Bench) -> Vec<Option<Inst>>) {
        if self.dumper.is_none() {
            return;
        }
        let program = program(self);
        if let Some(dumper) = &mut self.dumper {
            dumper.tell(config, program);
        }
    }

    /// Records what pipes and bus do, from now on; the design has to be a traced core with a memory.
    ///
    /// # Errors
    /// [`Error::Model`] if it is not.
    pub fn recorded(mut self) -> Result<Bench> {
        self.recorder = Some(Recorder::new(self.sim.dut())?);
        Ok(self)
    }

    /// What was recorded since the last call; empty without [`Bench::recorded`].
    pub fn take_recording(&mut self) -> Recording {
        self.recorder.as_mut().map(Recorder::take).unwrap_or_default()
    }

    /// What has been recorded since the last [`Bench::take_recording`], while it goes on; `None` without [`Bench::recorded`].
    #[must_use]
    pub fn recording(&self) -> Option<&Recording> {
        self.recorder.as_ref().map(Recorder::now)
    }

    /// Holds reset for `cycles` cycles (at least 1) and releases it; memory and host forget what was on its way.
    ///
    /// # Errors
    /// [`Error::Model`] if the design stops itself.
    pub fn reset(&mut self, cycles: u64) -> Result<()> {
        let cycles = cycles.max(1);
        self.sim.dut_mut().set(self.reset, 1);
        for cycle in 0..cycles {
            let is_last = cycle + 1 == cycles;
            self.begin_wave()?;
            if let Some(side) = &mut self.memory {
                side.ports.drive(self.sim.dut_mut(), &AxiIn::default());
            }
            if let Some(side) = &mut self.lite {
                side.driver.reset();
                side.ports.drive(self.sim.dut_mut(), &AxiOut::default());
            }
            self.sim.settle()?;
            let dut = self.sim.dut();
            if let Some(side) = &mut self.memory {
                side.ports.sample(dut, &mut side.out);
                if is_last {
                    side.monitor.reset(&AxiIn::default(), &side.out)
                } else {
                    side.monitor.skip()
                }
                side.memory.reset();
            }
            if let Some(side) = &mut self.lite {
                side.ports.sample(dut, &mut side.input);
                if is_last { side.monitor.reset(&side.input, &AxiOut::default()) } else { side.monitor.skip() }
            }
            if let Some(dumper) = &mut self.dumper {
                dumper.observe(self.sim.dut(), &AxiIn::default(), &AxiOut::default());
                dumper.settled(self.sim.dut_mut())?;
            }
            self.rise()?;
        }
        self.sim.dut_mut().set(self.reset, 0);
        Ok(())
    }

    /// One clock cycle.
    ///
    /// # Errors
    /// [`Error::Model`] if the design stops itself, or the waveform cannot be started.
    #[inline]
    pub fn step(&mut self) -> Result<()> {
        self.begin_wave()?;
        if let Some(side) = &mut self.memory {
            side.ports.drive(self.sim.dut_mut(), side.memory.input());
        }
        if let Some(side) = &mut self.lite {
            side.ports.drive(self.sim.dut_mut(), side.driver.out());
        }
        self.sim.settle()?;
        let dut = self.sim.dut();
        if let Some(side) = &mut self.memory {
            side.ports.sample(dut, &mut side.out);
            side.monitor.sample(side.memory.input(), &side.out);
            if let Some(recorder) = &mut self.recorder {
                recorder.sample(dut, side.memory.input(), &side.out);
            }
            if let Some(dumper) = &mut self.dumper {
                dumper.observe(dut, side.memory.input(), &side.out);
            }
            side.memory.clock(&side.out);
        }
        if let Some(side) = &mut self.lite {
            side.ports.sample(dut, &mut side.input);
            side.monitor.sample(&side.input, side.driver.out());
            side.driver.clock(&side.input);
        }
        self.last_cycle.set(self.sim.cycle());
        if let Some(dumper) = &mut self.dumper {
            dumper.settled(self.sim.dut_mut())?;
        }
        self.rise()
    }

    #[inline]
    fn rise(&mut self) -> Result<()> {
        self.sim.rise()?;
        match &mut self.dumper {
            Some(dumper) => dumper.risen(self.sim.dut_mut()),
            None => Ok(()),
        }
    }

    /// Before the inputs of a cycle are driven.
    #[inline]
    fn begin_wave(&mut self) -> Result<()> {
        if let Some(dump) = self.wave.take() {
            self.start_wave(dump)?;
        }
        if let Some(dumper) = &mut self.dumper {
            let edge = self.sim.cycle();
            dumper.begin(self.sim.dut_mut(), edge);
        }
        Ok(())
    }

    /// Steps until `done` holds after a step, and returns how many steps that took.
    ///
    /// # Errors
    /// [`Error::Timeout`] naming `what` after `limit` steps; as [`Bench::step`].
    pub fn run_until(&mut self, what: &str, limit: u64, mut done: impl FnMut(&Bench) -> bool) -> Result<u64> {
        for waited in 1..=limit {
            self.step()?;
            if done(self) {
                return Ok(waited);
            }
        }
        Err(Error::Timeout { what: what.to_owned(), waited: limit, cycle: self.cycle() })
    }

    /// Writes a register and waits for the response.
    ///
    /// # Errors
    /// [`Error::Lite`] on SLVERR or DECERR, [`Error::Timeout`], as [`Bench::step`].
    ///
    /// # Panics
    /// If the bench was made without a host.
    pub fn write32(&mut self, addr: u32, value: u32) -> Result<()> {
        self.driver_mut().start_write(addr, value, 15);
        let waited = self.run_until("the response to a register write", LITE_LIMIT, |bench| bench.driver().is_idle());
        waited?;
        match self.driver_mut().take_write() {
            Some(resp) if resp.is_error() => Err(Error::Lite { addr, write: true, resp }),
            _ => Ok(()),
        }
    }

    /// Reads a register.
    ///
    /// # Errors
    /// As [`Bench::write32`].
    ///
    /// # Panics
    /// If the bench was made without a host.
    pub fn read32(&mut self, addr: u32) -> Result<u32> {
        self.driver_mut().start_read(addr);
        self.run_until("the response to a register read", LITE_LIMIT, |bench| bench.driver().is_idle())?;
        match self.driver_mut().take_read() {
            Some((word, resp)) if !resp.is_error() => Ok(word),
            Some((_, resp)) => Err(Error::Lite { addr, write: false, resp }),
            None => {
                Err(Error::Timeout { what: format!("the read of register {addr:#x}"), waited: 0, cycle: self.cycle() })
            }
        }
    }

    /// Rising edges so far, reset included.
    #[must_use]
    #[inline]
    pub fn cycle(&self) -> u64 {
        self.sim.cycle()
    }

    /// The design, to read ports.
    #[must_use]
    pub fn dut(&self) -> &Dut {
        self.sim.dut()
    }

    /// The design, to set ports that nothing here drives.
    pub fn dut_mut(&mut self) -> &mut Dut {
        self.sim.dut_mut()
    }

    /// The memory.
    ///
    /// # Panics
    /// If the bench was made without one.
    #[must_use]
    pub fn memory(&self) -> &AxiMemory {
        &self.memory.as_ref().expect("the bench was made with a memory").memory
    }

    /// The memory, to change its contents or what it watches.
    ///
    /// # Panics
    /// If the bench was made without one.
    pub fn memory_mut(&mut self) -> &mut AxiMemory {
        &mut self.memory.as_mut().expect("the bench was made with a memory").memory
    }

    /// The host on the AXI4-Lite bus.
    ///
    /// # Panics
    /// If the bench was made without one.
    #[must_use]
    pub fn driver(&self) -> &AxilDriver {
        &self.lite.as_ref().expect("the bench was made with a host").driver
    }

    /// The host on the AXI4-Lite bus, to start accesses without waiting for them.
    ///
    /// # Panics
    /// If the bench was made without one.
    pub fn driver_mut(&mut self) -> &mut AxilDriver {
        &mut self.lite.as_mut().expect("the bench was made with a host").driver
    }

    /// What the monitors and the memory's windows have recorded, one line each; empty if all is well.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(side) = &self.memory {
            lines.extend(side.monitor.violations().iter().map(|violation| format!("memory bus, {violation}")));
            lines.extend(side.memory.trespasses().iter().map(|trespass| format!("memory bus, {trespass}")));
        }
        if let Some(side) = &self.lite {
            lines.extend(side.monitor.violations().iter().map(|violation| format!("register bus, {violation}")));
        }
        lines
    }

    /// The monitor of the memory bus.
    ///
    /// # Panics
    /// If the bench was made without a memory.
    #[must_use]
    pub fn monitor(&self) -> &Monitor {
        &self.memory.as_ref().expect("the bench was made with a memory").monitor
    }

    /// Ends the test: nothing may be in flight, no rule may have been broken, and the design's `final` blocks run.
    ///
    /// # Errors
    /// [`Error::Protocol`] with all violations; [`Error::Model`] if the design stops itself at its end.
    pub fn finish(mut self) -> Result<()> {
        if let Some(side) = &mut self.memory {
            side.monitor.finish();
        }
        if let Some(side) = &mut self.lite {
            side.monitor.finish();
        }
        let violations = self.violations();
        if !violations.is_empty() {
            return Err(Error::Protocol { violations });
        }
        Ok(self.sim.finish()?)
    }
}
