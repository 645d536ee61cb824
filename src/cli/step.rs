// SPDX-License-Identifier: Apache-2.0
//! `quader step`: a debugger for programs on the simulated core, for people and for scripts.
//!
//! ```text
//!  terminal ─┐ lines   command::parse         Session::execute
//!  script   ─┴───────► Command ─────────────► host::Debugger ─► Answer ─► text, or a line of JSON
//! ```

mod command;
mod line;
mod matrix;
mod operand;
mod place;
mod session;
mod show;

use super::image::Image;
use super::job::{self, Loaded};
use super::output;
use super::program::Source;
use super::progress::Waiting;
use super::{Failure, Result, core, machine};
use clap::Args;
use command::Command;
use host::{Debugger, MemorySettings, Program};
use isa::Config;
use line::{Lines, PROMPT};
use serde_json::{Value, json};
use session::{Session, Trouble};
use std::path::PathBuf;

const DETAILS: &str = "\
Examples:
  quader step examples/hello.qasm --mem examples/hello.txt
  quader step examples/hello.qasm --mem examples/hello.txt --config tiny < script
  quader gemm --m 64 --n 64 --k 64 --program job && quader step job
  echo 'break pc @7
  run
  print l0c' | quader step examples/hello.qasm --mem examples/hello.txt --json

The program stands before its first cycle, as after the start doorbell. `help` lists the commands; `step`, `next`, `break`, `info`
and `print` are most of it. Everything shown is read from the simulated hardware. A script gets its commands repeated in front of the
answers. Exit status: 0, or 2 if a command of a script was wrong.";

/// Step through a program on the simulated core and look inside: a debugger
#[derive(Args, Debug)]
#[command(after_help = DETAILS)]
pub struct Step {
    /// Program: .qasm text, else encoded; or the folder of a job, which has its data
    #[arg(value_name = "PROGRAM")]
    program: PathBuf,
    #[command(flatten)]
    image: Image,
    /// Core [default: that of the job, else lite]
    #[arg(long, visible_alias = "core", value_name = "CORE", value_parser = core())]
    config: Option<Config>,
    /// Cycles from a memory request to its first answer
    #[arg(long, value_name = "CYCLES", default_value_t = MemorySettings::default().latency)]
    mem_latency: u32,
    /// Answer every command with a line of JSON
    #[arg(long)]
    json: bool,
}

/// The core, the program as it was read and with its place, and what lies in memory.
type Case = (Config, Source, Program, Vec<(u64, Vec<u8>)>);

/// Says what `quader check` would say; a program that has to be debugged may have every reason to be there.
fn note_findings(source: &Source, config: &Config) {
    let Err(findings) = isa::check(&source.program, config) else { return };
    for finding in findings {
        eprintln!("quader: note: {}: {finding}", source.place(finding.index));
    }
}

/// What a command gives.
pub struct Answer {
    text: String,
    value: Value,
}

impl Answer {
    fn new(text: String, value: Value) -> Answer {
        Answer { text, value }
    }

    /// Both, one after the other.
    fn and(mut self, other: Answer) -> Answer {
        self.text.push_str(&other.text);
        if let (Value::Object(own), Value::Object(other)) = (&mut self.value, other.value) {
            own.extend(other);
        }
        self
    }
}

impl Step {
    /// Runs the command.
    pub fn run(&self) -> Result {
        let session = self.session()?;
        self.converse(session)
    }

    fn session(&self) -> Result<Session> {
        let (config, source, program, contents) = match self.program.is_dir() {
            true => self.job()?,
            false => self.file()?,
        };
        note_findings(&source, &config);
        let (seed, latency) = (self.image.seed, self.mem_latency);
        let memory = machine::checked(MemorySettings { seed, latency, ..MemorySettings::default() })?;
        let name = &config.name;
        let time = if config.peak_macs() > 1024 { "many minutes" } else { "a minute or two" };
        let waiting = Waiting::begin(
            &format!("preparing the simulation of {name}"),
            format!("building the simulation of {name} for the debugger, {time}, once"),
        );
        let debugger = Debugger::new(&config, memory, program, contents, true)?;
        drop(waiting);
        Ok(Session::new(debugger, source))
    }

    /// A program with an image.
    fn file(&self) -> Result<Case> {
        let source = Source::read(&self.program)?;
        let image = self.image.read()?;
        let program = self.image.place(&source, image.len() as u64)?;
        let contents = vec![(self.image.address(), image)];
        Ok((self.config.clone().unwrap_or_else(Config::lite), source, program, contents))
    }

    /// A program with the data of its job.
    fn job(&self) -> Result<Case> {
        if self.image.is_given() {
            let folder = self.program.display();
            return Err(Failure::input(format!(
                "{folder} is a job, which has its data and its place: leave --mem and its like away"
            )));
        }
        let Loaded { config, instructions, program, contents } = job::read(&self.program)?;
        let source = Source::encoded(instructions, job::program_file(&self.program));
        Ok((self.config.clone().unwrap_or(config), source, program, contents))
    }

    /// Command by command to the end.
    fn converse(&self, mut session: Session) -> Result {
        let mut lines = Lines::open()?;
        let terminal = lines.is_terminal();
        output::catch_interrupts();
        if !self.json {
            self.tell(&session.welcome())?;
        }
        let (mut number, mut wrong) = (0, 0);
        let mut last = None;
        while let Some(line) = lines.next()? {
            number += 1;
            // What is pressed from here on is meant for this command.
            output::forget_interrupt();
            let parsed = command::parse(&line);
            if !terminal && !self.json && !line.trim().is_empty() {
                output::print(&format!("{PROMPT}{line}\n"))?;
            }
            let command = match parsed {
                // An empty line on a terminal does the last move again.
                Ok(None) if terminal && line.trim().is_empty() => last.clone(),
                Ok(command) => command,
                Err(sentence) => {
                    self.refuse(terminal, number, &sentence)?;
                    wrong += 1;
                    continue;
                }
            };
            let Some(command) = command else { continue };
            if command == Command::Quit {
                break;
            }
            let moves = matches!(command, Command::Step(_) | Command::Next(_) | Command::Continue);
            last = moves.then(|| command.clone());
            match session.execute(command) {
                Ok(answer) => self.tell(&answer)?,
                Err(Trouble::Refused(sentence)) => {
                    self.refuse(terminal, number, &sentence)?;
                    wrong += 1;
                }
                // What led here should be in the waveform.
                Err(Trouble::Broken(failure)) => return session.end().and(Err(failure)),
            }
        }
        session.end()?;
        match wrong {
            0 => Ok(()),
            _ if terminal => Ok(()),
            1 => Err(Failure::input("a command of the script was wrong")),
            _ => Err(Failure::input(format!("{wrong} commands of the script were wrong"))),
        }
    }

    fn tell(&self, answer: &Answer) -> Result {
        match self.json {
            true => output::print(&format!("{}\n", answer.value)),
            false => output::print(&answer.text),
        }
    }

    /// Tells what is wrong with a command.
    fn refuse(&self, terminal: bool, number: usize, sentence: &str) -> Result {
        if self.json {
            output::print(&format!("{}\n", json!({ "line": number, "error": sentence })))?;
        }
        match terminal {
            true => eprintln!("{sentence}"),
            false => eprintln!("quader: line {number}: {sentence}"),
        }
        Ok(())
    }
}
