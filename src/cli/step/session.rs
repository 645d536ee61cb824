// SPDX-License-Identifier: Apache-2.0
//! One debugging session: commands in, answers out.

use super::command::{self, Command, Refused, Stop, Topic};
use super::matrix::{Buffer, Wanted};
use super::operand::{Operand, operand};
use super::place::{Place, address};
use super::{Answer, show};
use crate::cli::output::{self, Output};
use crate::cli::program::Source;
use crate::cli::{Failure, progress};
use host::{Breakpoint, Debugger, Dump, Ended, Event, Format};
use isa::Pipe;
use isa::limits::INSTRUCTION_BYTES;
use serde_json::{Value, json};
use std::path::Path;

/// Cycles between two looks at whether the user wants to stop.
const LOOK: u64 = 1024;

/// Why a command gave no answer.
#[derive(Debug)]
pub enum Trouble {
    /// It cannot be done; the session goes on.
    Refused(String),
    /// The session cannot go on.
    Broken(Failure),
}

impl From<String> for Trouble {
    fn from(sentence: String) -> Trouble {
        Trouble::Refused(sentence)
    }
}

impl From<host::HostError> for Trouble {
    fn from(error: host::HostError) -> Trouble {
        Trouble::Broken(error.into())
    }
}

type Outcome = std::result::Result<Answer, Trouble>;

/// Why a run stopped.
enum Why {
    /// Breakpoints, by their numbers.
    Hit(Vec<usize>),
    /// It was asked for no more.
    Enough,
    /// Ctrl-C.
    Interrupted,
    /// The program has ended.
    Ended,
}

/// A program under control, with breakpoints and perhaps a waveform.
pub struct Session {
    debugger: Debugger,
    source: Source,
    breakpoints: Vec<(usize, Breakpoint)>,
    /// Breakpoints made so far.
    made: usize,
    wave: Option<Output>,
    /// Memory was changed by hand since the last start.
    changed: bool,
}

impl Session {
    /// A session before the first cycle.
    pub fn new(debugger: Debugger, source: Source) -> Session {
        Session { debugger, source, breakpoints: Vec::new(), made: 0, wave: None, changed: false }
    }

    /// What is said at the beginning.
    pub fn welcome(&self) -> Answer {
        let (count, core) = (self.source.program.len(), &self.debugger.config().name);
        let s = if count == 1 { "" } else { "s" };
        Answer::new(
            format!("{count} instruction{s} on {core}, before cycle 0; `help` lists the commands\n"),
            json!({ "cycle": 0 }),
        )
    }

    /// Does what a command says.
    pub fn execute(&mut self, command: Command) -> Outcome {
        match command {
            Command::Run => {
                if self.debugger.cycle() > 0 {
                    self.restart()?;
                }
                self.go(u64::MAX, |_| false, false)
            }
            Command::Continue => self.go(u64::MAX, |_| false, false),
            Command::Step(count) => self.go(count, |_| false, true),
            Command::Next(pipe) => {
                let wanted = move |event: &Event| match event {
                    Event::Started { pipe: own, .. } | Event::Finished { pipe: own, .. } => {
                        pipe.is_none_or(|pipe| pipe == *own)
                    }
                    _ => false,
                };
                self.go(u64::MAX, wanted, false)
            }
            Command::Back(count) => self.back(count),
            Command::Restart => {
                self.restart()?;
                Ok(self.place("", Vec::new(), ""))
            }
            Command::Break(stop) => self.stop(stop),
            Command::Delete(number) => self.delete(number),
            Command::Info(topic) => Ok(self.info(topic)),
            Command::List(place, count) => self.list(place, count),
            Command::Print(wanted) => self.print(&wanted),
            Command::Parameters(first, count) => {
                let channels = self.debugger.config().fb_channels;
                if first >= channels {
                    return Err(format!("there is no channel {first}: this core has {channels}").into());
                }
                Ok(show::parameters(&self.debugger, first, count))
            }
            Command::Registers(pipe) => Ok(show::registers(&self.debugger, pipe)),
            Command::Set(place, bytes) => {
                let address = address(&place, self.debugger.program().bases())?;
                self.debugger.write(address, &bytes).map_err(|error| error.to_string())?;
                self.changed = true;
                let count = bytes.len();
                let text = format!("  gm[{address:#x}] has {count} new byte{}\n", if count == 1 { "" } else { "s" });
                Ok(Answer::new(text, json!({ "address": address, "bytes": count })))
            }
            Command::Wave(file) => self.wave(&file),
            Command::WaveOff => {
                let open = self.wave.is_some();
                self.end_wave()?;
                let text = if open { "  the waveform is complete\n" } else { "  no waveform was being written\n" };
                Ok(Answer::new(text.to_owned(), json!({ "wave": null })))
            }
            Command::Help(name) => Ok(Answer::new(command::help(name.as_deref()), json!({ "help": name }))),
            Command::Quit => Ok(Answer::new(String::new(), Value::Null)),
        }
    }

    /// Ends the session: a waveform gets its name.
    pub fn end(mut self) -> crate::cli::Result {
        self.end_wave().map_err(|trouble| match trouble {
            Trouble::Refused(sentence) => Failure::input(sentence),
            Trouble::Broken(failure) => failure,
        })
    }

    fn restart(&mut self) -> std::result::Result<(), Trouble> {
        self.end_wave()?;
        self.debugger.restart()?;
        self.changed = false;
        Ok(())
    }

    /// Runs at most `count` cycles, until one has an event that is `wanted`, to a breakpoint or to the end. The answer has all events, or those of
    /// the last cycle.
    fn go(&mut self, count: u64, wanted: impl Fn(&Event) -> bool, all: bool) -> Outcome {
        if let Some(ended) = self.debugger.ended() {
            let how = if *ended == Ended::Done { "ended" } else { "stopped with a fault" };
            return Err(format!("the program has {how}: `restart`, `run` or `back` begin again").into());
        }
        // Shown once a run has become long.
        let mut sign = None;
        let bus = self.debugger.config().bus_bytes;
        let (mut shown, mut events) = (Vec::new(), Vec::new());
        let mut why = Why::Enough;
        for done in 0..count {
            let cycle = self.debugger.cycle();
            events = self.debugger.step()?;
            if all {
                shown.extend(events.iter().map(|event| (cycle, event.clone())));
            }
            let passed = self.debugger.cycle();
            let hit = self.breakpoints.iter().filter(|(_, stop)| stop.hits(&events, passed, bus));
            let hit: Vec<usize> = hit.map(|&(number, _)| number).collect();
            if self.debugger.ended().is_some() && hit.is_empty() {
                why = Why::Ended;
                break;
            }
            if !hit.is_empty() {
                why = Why::Hit(hit);
                break;
            }
            if events.iter().any(&wanted) {
                break;
            }
            if done % LOOK == LOOK - 1 {
                sign.get_or_insert_with(progress::cycles).set_position(passed);
                if output::interrupted() {
                    why = Why::Interrupted;
                    break;
                }
            }
        }
        if let Some(sign) = sign {
            sign.finish_and_clear();
        }
        if !all {
            let cycle = self.debugger.cycle().saturating_sub(1);
            shown.extend(events.into_iter().map(|event| (cycle, event)));
        }
        let (text, name) = self.reason(&why);
        Ok(self.place(&text, shown, name))
    }

    /// Why a run stopped, behind the number of the cycle, and as one word for scripts.
    fn reason(&self, why: &Why) -> (String, &'static str) {
        let (hit, name) = match why {
            Why::Enough => return (String::new(), ""),
            Why::Interrupted => return (", interrupted".to_owned(), "interrupted"),
            Why::Ended => (String::new(), "ended"),
            Why::Hit(numbers) => {
                let stops = self.breakpoints.iter().filter(|(number, _)| numbers.contains(number));
                (stops.map(|(number, stop)| format!(", breakpoint {number} ({stop})")).collect(), "breakpoint")
            }
        };
        let ended = match self.debugger.ended() {
            None => String::new(),
            Some(Ended::Done) => ", the program is done".to_owned(),
            Some(Ended::Fault(record)) => format!(", {}", crate::cli::image::sentence(&self.source, record)),
        };
        (hit + &ended, name)
    }

    /// Events and where the program stands after them.
    fn place(&self, why: &str, events: Vec<(u64, Event)>, name: &str) -> Answer {
        let debugger = &self.debugger;
        let cycle = debugger.cycle();
        // The end is told by the last line.
        let told = events.iter().filter(|(_, event)| !matches!(event, Event::Ended(_)));
        let mut text: String = told.map(|(cycle, event)| show::event(debugger, *cycle, event)).collect();
        text.push_str(&format!("cycle {cycle}{why}\n"));
        let values: Vec<Value> =
            events.iter().map(|(cycle, event)| show::event_value(debugger, *cycle, event)).collect();
        let ended = debugger.ended().map(|ended| show::ended_value(ended, cycle));
        let name = if name.is_empty() { Value::Null } else { name.into() };
        Answer::new(text, json!({ "cycle": cycle, "stopped": name, "ended": ended, "events": values }))
    }

    fn back(&mut self, count: u64) -> Outcome {
        let cycle = self.debugger.cycle();
        if self.changed {
            return Err("there is no way back: memory was changed by `set` since the start".to_owned().into());
        }
        if self.wave.is_some() {
            return Err("there is no way back while a waveform is written: end it by `wave off`".to_owned().into());
        }
        let wanted = cycle.checked_sub(count);
        let wanted = wanted.ok_or_else(|| format!("only {cycle} cycles have passed"))?;
        self.restart()?;
        let mut sign = None;
        let mut why = Why::Enough;
        while self.debugger.cycle() < wanted {
            self.debugger.step()?;
            if self.debugger.cycle().is_multiple_of(LOOK) {
                sign.get_or_insert_with(progress::cycles).set_position(self.debugger.cycle());
                if output::interrupted() {
                    why = Why::Interrupted;
                    break;
                }
            }
        }
        if let Some(sign) = sign {
            sign.finish_and_clear();
        }
        let (text, name) = self.reason(&why);
        Ok(self.place(&text, Vec::new(), name))
    }

    fn line(&self) -> impl Fn(usize) -> Option<usize> + use<'_> {
        |index| self.source.line(index)
    }

    fn pc(&self, place: Place) -> Refused<u32> {
        place.pc(self.source.program.len(), self.line())
    }

    fn stop(&mut self, stop: Stop) -> Outcome {
        let breakpoint = match stop {
            Stop::At(place) => Breakpoint::Pc(self.pc(place)?),
            Stop::When(breakpoint) => breakpoint,
            Stop::Address(word, access) => {
                Breakpoint::Address(address(&word, self.debugger.program().bases())?, access)
            }
        };
        self.made += 1;
        self.breakpoints.push((self.made, breakpoint));
        Ok(Answer::new(
            format!("  breakpoint {}: {}\n", self.made, self.describe(&breakpoint)),
            json!({ "breakpoint": self.made, "at": breakpoint.to_string() }),
        ))
    }

    fn describe(&self, breakpoint: &Breakpoint) -> String {
        match breakpoint {
            Breakpoint::Pc(pc) => format!("pc {}", show::instruction(&self.debugger, *pc)),
            other => other.to_string(),
        }
    }

    fn delete(&mut self, number: Option<usize>) -> Outcome {
        let before = self.breakpoints.len();
        self.breakpoints.retain(|&(own, _)| number.is_some_and(|number| number != own));
        let gone = before - self.breakpoints.len();
        if let (0, Some(number)) = (gone, number) {
            return Err(format!("there is no breakpoint {number}; `info breaks` lists them").into());
        }
        let s = if gone == 1 { "" } else { "s" };
        Ok(Answer::new(format!("  {gone} breakpoint{s} deleted\n"), json!({ "deleted": gone })))
    }

    fn info(&self, topic: Topic) -> Answer {
        let debugger = &self.debugger;
        match topic {
            Topic::Pipes => show::pipes(debugger),
            Topic::Flags => show::flags(debugger),
            Topic::Counters => show::counters(debugger),
            Topic::Bus => show::bus(debugger),
            Topic::Breaks => self.breaks(),
            Topic::All => {
                let place = self.place(&self.reason(&Why::Ended).0, Vec::new(), "");
                [show::pipes(debugger), show::flags(debugger), show::bus(debugger)].into_iter().fold(place, Answer::and)
            }
        }
    }

    fn breaks(&self) -> Answer {
        let line = |(number, stop): &(usize, Breakpoint)| format!("  {number}: {}\n", self.describe(stop));
        let text: String = self.breakpoints.iter().map(line).collect();
        let text = if text.is_empty() { "  there are no breakpoints\n".to_owned() } else { text };
        let value = |(number, stop): &(usize, Breakpoint)| json!({ "breakpoint": number, "at": stop.to_string() });
        Answer::new(text, json!({ "breakpoints": self.breakpoints.iter().map(value).collect::<Vec<Value>>() }))
    }

    /// Program counters of what is at work or comes next, oldest operation first.
    fn at_work(&self) -> Vec<u32> {
        let states = Pipe::WORKERS.map(|pipe| self.debugger.pipe(pipe));
        let work = states.iter().flat_map(|state| state.in_flight.iter().map(|op| op.pc));
        let heads = states.iter().filter_map(|state| state.head);
        work.chain(heads).collect()
    }

    fn list(&self, place: Option<Place>, count: usize) -> Outcome {
        let pc = match place {
            Some(place) => self.pc(place)?,
            None => {
                let next = self.debugger.look().sequencer().map(|next| next.pc);
                self.at_work().into_iter().min().or(next).unwrap_or(0)
            }
        };
        let last = (self.source.program.len() - 1) * INSTRUCTION_BYTES;
        let pc = pc.min(last as u32);
        let stops = |pc: u32| self.breakpoints.iter().any(|(_, stop)| *stop == Breakpoint::Pc(pc));
        Ok(show::list(&self.debugger, pc, count, stops, self.line()))
    }

    /// What the instruction that is meant has in a buffer, and its text.
    fn operand(&self, wanted: &Wanted) -> Refused<Option<(Operand, String)>> {
        if !wanted.needs_instruction() {
            return Ok(None);
        }
        let bases = self.debugger.program().bases();
        let at = |pc: u32| {
            let inst = self.debugger.instruction(pc)?;
            Some((operand(&inst.op, wanted.buffer(), bases)?, format!("`{}`", show::instruction(&self.debugger, pc))))
        };
        if let Some(place) = wanted.of {
            let pc = self.pc(place)?;
            let text = show::instruction(&self.debugger, pc);
            return at(pc).map(Some).ok_or_else(|| format!("`{text}` has nothing in that buffer"));
        }
        // The operation that was started last, else the one that comes next.
        let pipes = self.debugger.recording().pipes.iter();
        let mut started: Vec<(u64, u32)> = pipes.flat_map(|pipe| pipe.started.iter().copied()).collect();
        started.sort_unstable_by(|one, other| other.cmp(one));
        let candidates = started.into_iter().map(|(_, pc)| pc).chain(self.at_work());
        let found = candidates.into_iter().find_map(at);
        found.map(Some).ok_or_else(|| {
            "no instruction has used that buffer yet: give an address and ROWSxCOLUMNS, or an instruction by `of PLACE`".to_owned()
        })
    }

    fn print(&mut self, wanted: &Wanted) -> Outcome {
        if wanted.buffer() == Buffer::Bytes(super::operand::Memory::Ub) && self.debugger.config().ub_bytes == 0 {
            return Err("this core has no UB".to_owned().into());
        }
        let operand = self.operand(wanted)?;
        let matrix = wanted.read(&mut self.debugger, operand)?;
        Ok(Answer::new(matrix.text(), matrix.value()))
    }

    fn wave(&mut self, file: &Path) -> Outcome {
        if self.wave.is_some() {
            return Err("a waveform is being written: end it by `wave off`".to_owned().into());
        }
        Format::of(file).map_err(|reason| reason.to_string())?;
        let output = Output::create(file).map_err(|failure| failure.to_string())?;
        let dump = Dump { scratch: Some(output.scratch().to_owned()), ..Dump::new(file) };
        self.debugger.start_wave(dump).map_err(|error| error.to_string())?;
        self.wave = Some(output);
        let cycle = self.debugger.cycle();
        let text = format!("  {} gets every signal from cycle {cycle} on\n", file.display());
        Ok(Answer::new(text, json!({ "wave": file.display().to_string(), "cycle": cycle })))
    }

    fn end_wave(&mut self) -> std::result::Result<(), Trouble> {
        self.debugger.end_wave().map_err(|error| Trouble::Broken(error.into()))?;
        match self.wave.take() {
            Some(output) => output.keep().map_err(Trouble::Broken),
            None => Ok(()),
        }
    }
}
