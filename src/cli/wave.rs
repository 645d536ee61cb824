// SPDX-License-Identifier: Apache-2.0
//! `--wave` and what belongs to it: a waveform of what a command simulates, whole, in a window, or around a moment.
//!
//! A moment is found in a first run, which records what pipes and bus do and costs little; the second one is the same to the bit and writes the
//! window around it.

use super::machine::Machine;
use super::output::Output;
use super::trace::Sink;
use super::{Backend, Failure, Result, Target, number};
use clap::Args;
use host::{Counted, Dump, Format, MemorySettings, Saved, Timeline, Trigger, Written};
use isa::limits::INSTRUCTION_BYTES;
use std::fmt;
use std::path::PathBuf;

/// Cycles before and after a moment, unless asked otherwise.
const AROUND: u64 = 500;

/// Levels of the hierarchy without `--wave-scope` and `--wave-depth`: the core's ports, the nets between its units, those of the units. Everything
/// below takes seven times the space, most of it in the adders of the cube.
const DEPTH: u32 = 3;

/// Options for waveforms.
#[derive(Args, Clone, Debug, Default)]
pub struct Waving {
    /// Write the simulation as a waveform, with save files for GTKWave (.gtkw) and Surfer (.sucl) beside it
    #[arg(long, value_name = "F.vcd|F.fst")]
    wave: Option<PathBuf>,
    /// First cycle of the waveform; cycles count while a program runs, as in the report and in `quader trace`
    #[arg(long, value_name = "CYCLE", requires = "wave", value_parser = number)]
    wave_from: Option<u64>,
    /// Last cycle of the waveform
    #[arg(long, value_name = "CYCLE", requires = "wave", value_parser = number)]
    wave_to: Option<u64>,
    /// Only this part of the hierarchy, such as `m` or `TOP.quader.m`; `trace` for what the core does in words, without nets
    #[arg(long, value_name = "PATH", requires = "wave")]
    wave_scope: Option<String>,
    /// Only so many levels of the hierarchy [default: 3, ports, core and units; all of a --wave-scope]
    #[arg(long, value_name = "N", requires = "wave", value_parser = clap::value_parser!(u32).range(1..))]
    wave_depth: Option<u32>,
    /// Only the cycles around a moment: `fault`, `mismatch` (the first wrong element is written), or `pc=ADDR` (that instruction starts)
    #[arg(long, value_name = "MOMENT", requires = "wave", conflicts_with_all = ["wave_from", "wave_to"], value_parser = moment)]
    wave_trigger: Option<Moment>,
    /// Cycles before the moment [default: 500]
    #[arg(long, value_name = "N", requires = "wave_trigger", value_parser = number)]
    wave_before: Option<u64>,
    /// Cycles after the moment [default: 500]
    #[arg(long, value_name = "N", requires = "wave_trigger", value_parser = number)]
    wave_after: Option<u64>,
}

/// A moment, as the command line says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Fault,
    Mismatch,
    Pc(u32),
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::Fault => f.write_str("fault"),
            Moment::Mismatch => f.write_str("mismatch"),
            Moment::Pc(pc) => write!(f, "pc={pc:#x}"),
        }
    }
}

fn moment(text: &str) -> std::result::Result<Moment, String> {
    match (text, text.strip_prefix("pc=")) {
        ("fault", _) => Ok(Moment::Fault),
        ("mismatch", _) => Ok(Moment::Mismatch),
        (_, Some(pc)) => {
            let pc = number(pc)?;
            match u32::try_from(pc) {
                Ok(pc) if (pc as usize).is_multiple_of(INSTRUCTION_BYTES) => Ok(Moment::Pc(pc)),
                _ => Err(format!("a program counter is a multiple of {INSTRUCTION_BYTES}, of 32 bits")),
            }
        }
        _ => Err("write fault, mismatch or pc=ADDR, for example pc=0x40".to_owned()),
    }
}

/// What a command compares its results with, for the moment `mismatch`.
pub enum Compared<'a, T> {
    /// Nothing, and why not.
    Nothing(&'a str),
    /// The first wrong element of what the work gave.
    With(&'a dyn Fn(&T) -> Result<Option<Trigger>>),
}

/// A waveform that will be written: its files are reserved.
struct Plan {
    dump: Dump,
    wave: Output,
    beside: Vec<Output>,
    moment: Option<(Moment, u64, u64)>,
}

impl Waving {
    /// Refuses what no simulation gives, before anything is computed.
    ///
    /// *Errors*: no backend with cycles, neither format, an empty window.
    pub fn check(&self, target: &Target) -> Result {
        let Some(path) = &self.wave else { return Ok(()) };
        if target.backend == Backend::Model {
            return Err(Failure::input("--wave needs --backend rtl: the model has no clock and no bus"));
        }
        Format::of(path).map_err(Failure::input)?;
        match (self.wave_from, self.wave_to) {
            (Some(from), Some(to)) if from > to => Err(Failure::input(format!(
                "--wave-from is {from} and --wave-to is {to}: the first cycle cannot be behind the last"
            ))),
            _ => Ok(()),
        }
    }

    fn plan(&self, target: &Target) -> Result<Option<Plan>> {
        self.check(target)?;
        let Some(path) = &self.wave else { return Ok(None) };
        let wave = Output::create(path)?;
        let beside = ["gtkw", "sucl"].map(|extension| path.with_extension(extension));
        let beside = beside.iter().filter(|path| Saved::may_replace(path));
        let beside = beside.map(|path| Output::create(path)).collect::<Result<_>>()?;
        let dump = Dump {
            scratch: Some(wave.scratch().to_owned()),
            from: self.wave_from.unwrap_or(0),
            to: self.wave_to,
            counted: Counted::Running,
            scope: self.wave_scope.clone(),
            depth: self.wave_depth.or(self.wave_scope.is_none().then_some(DEPTH)),
            ..Dump::new(path)
        };
        let around = |cycles: Option<u64>| cycles.unwrap_or(AROUND);
        let moment = self.wave_trigger.map(|moment| (moment, around(self.wave_before), around(self.wave_after)));
        Ok(Some(Plan { dump, wave, beside, moment }))
    }

    /// Does `work` on the core that `target` names, and writes the waveform, also if the work ends with an error.
    ///
    /// *Errors*: those of the work, of building the core, and of the waveform.
    pub fn simulate<T>(
        &self,
        target: &Target,
        memory: MemorySettings,
        work: &dyn Fn(&mut Machine) -> Result<T>,
        compared: Compared<T>,
    ) -> Result<T> {
        let Some(plan) = self.plan(target)? else {
            return work(&mut Machine::new(target, memory, None)?);
        };
        let Some((moment, before, after)) = plan.moment else {
            let (done, written) = waved(target, memory, plan.dump.clone(), work)?;
            plan.keep(written, done.is_err())?;
            return done;
        };
        if let (Moment::Mismatch, Compared::Nothing(why)) = (moment, &compared) {
            return Err(Failure::input(format!("--wave-trigger mismatch cannot happen here: {why}")));
        }
        let sink = Sink::default();
        let first = Target { trace: Some(Sink::clone(&sink)), ..target.clone() };
        let done = work(&mut Machine::new(&first, memory, None)?);
        let runs = sink.take();
        let trigger = match (moment, &compared, &done) {
            (Moment::Fault, ..) => Some(Trigger::Fault),
            (Moment::Pc(pc), ..) => Some(Trigger::Pc(pc)),
            (Moment::Mismatch, Compared::With(first_wrong), Ok(done)) => first_wrong(done)?,
            (Moment::Mismatch, ..) => None,
        };
        let cycle = trigger.and_then(|trigger| trigger.cycle(&runs));
        let cycles: u64 = runs.iter().map(|run| run.recording.cycles).sum();
        keep_timelines(target, runs);
        let Some(cycle) = cycle else {
            // What else went wrong says more.
            let never = Failure::failed(format!(
                "--wave-trigger {moment} did not happen in {cycles} cycles, so there is no {}",
                plan.dump.path.display()
            ));
            return done.and(Err(never));
        };
        let (from, to) = (cycle.saturating_sub(before), cycle.saturating_add(after));
        let dump = Dump { from, to: Some(to), ..plan.dump.clone() };
        let second = Target { trace: None, ..target.clone() };
        // The same again, so its outcome is that of the first run.
        let (_, written) = waved(&second, memory, dump, work)?;
        let path = plan.dump.path.display().to_string();
        plan.keep(written, false)?;
        eprintln!("quader: {moment} is in cycle {cycle}; {path} has cycles {from} to {}", to.min(cycles.max(1) - 1));
        done
    }
}

/// Does the work with a waveform, which is complete in the end.
fn waved<T>(
    target: &Target,
    memory: MemorySettings,
    dump: Dump,
    work: &dyn Fn(&mut Machine) -> Result<T>,
) -> Result<(Result<T>, Written)> {
    let mut machine = Machine::new(target, memory, Some(dump))?;
    let done = work(&mut machine);
    let written = machine.end_wave()?.expect("the machine was made with a waveform");
    Ok((done, written))
}

/// `quader trace` wants the timelines too.
fn keep_timelines(target: &Target, runs: Vec<Timeline>) {
    if let Some(sink) = &target.trace {
        sink.borrow_mut().extend(runs);
    }
}

impl Plan {
    /// Gives the files their names; `excused` if the work went wrong, which says more than an empty waveform.
    fn keep(self, written: Written, excused: bool) -> Result {
        if written.cycles == 0 {
            return match excused {
                true => Ok(()),
                false => Err(Failure::failed(format!(
                    "--wave-from {} is behind the last cycle, so there is no {}",
                    self.dump.from,
                    self.dump.path.display()
                ))),
            };
        }
        self.wave.keep()?;
        let Saved { gtkw, sucl } = written.saved;
        for output in self.beside {
            let text = if output.named().extension().is_some_and(|end| end == "gtkw") { &gtkw } else { &sucl };
            output.write(text.as_bytes())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wrong_element_has_a_wave_around_it() {
        let folder = std::env::temp_dir().join(format!("quader-mismatch-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
        let path = folder.join("w.vcd");
        let config = isa::Config::tiny();
        let target = Target {
            config: config.clone(),
            backend: Backend::Rtl,
            port: None,
            baud: None,
            json: None,
            trace: Some(Sink::default()),
        };
        let waving = Waving {
            wave: Some(path.clone()),
            wave_trigger: Some(Moment::Mismatch),
            wave_before: Some(30),
            wave_after: Some(9),
            wave_depth: Some(1),
            ..Waving::default()
        };
        let gemm = host::Gemm::new(9, 6, 20);
        let work = |machine: &mut Machine| Ok(host::gemm(machine.doing("", None), &gemm, &[3; 180], &[5; 120])?);
        // As if row 7, column 2 were wrong.
        let wrong = |product: &host::Product| Ok(Some(Trigger::Written { run: 0, address: product.address_of(44) }));
        let memory = MemorySettings::default();
        let product = waving.simulate(&target, memory, &work, Compared::With(&wrong)).expect("it runs");
        let runs = target.trace.expect("it was given").take();
        assert_eq!(runs.len(), 1, "the timeline of one run, though there were two");
        let cycle = runs[0].recording.written(product.address_of(44), 8).expect("it was written");
        let wave = verilated::Wave::read(&path).expect("complete VCD");
        let cycles = wave.signal("trace.cycle").expect("the group is there");
        let start = cycles.changes[0].0;
        assert_eq!(cycles.at(start), Some(cycle - 30));
        assert_eq!(wave.signal("TOP.clk").expect("it is there").changes.len(), 2 * 40);
        let at = start + 30 * 10;
        let word = wave.signal("m_axi_wdata").expect("it is there").at(at).expect("64 bits");
        let lane = product.address_of(44) % 8;
        assert_eq!((word >> (8 * lane)) as u32, 20 * 15, "the element is on the bus");
        std::fs::remove_dir_all(folder).expect("removable");
    }

    #[test]
    fn moments_are_read() {
        assert_eq!(moment("fault"), Ok(Moment::Fault));
        assert_eq!(moment("pc=0x40"), Ok(Moment::Pc(64)));
        for text in ["", "faults", "pc=", "pc=7", "pc=0x100000000", "64"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
