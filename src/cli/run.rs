// SPDX-License-Identifier: Apache-2.0
//! `quader run`: a program on a memory image.

use super::image::{self, Image};
use super::machine::{self, Machine};
use super::output::{self, Output};
use super::program::Source;
use super::wave::{Compared, Waving};
use super::{Failure, Result, Target, json, table};
use clap::Args;
use host::{HostError, MemorySettings, Report};
use isa::FaultRecord;
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;

const DETAILS: &str = "\
Examples:
  quader run examples/hello.qasm --mem examples/hello.txt --out out.bin
  quader run program.bin --mem in.bin --out out.bin --mem-address 0x10000 --base 1=0x12000 --config tiny
  quader run program.qasm --mem in.bin --out out.bin --backend model --json -
  quader run program.qasm --mem in.bin --out out.bin --wave w.vcd --wave-trigger fault --wave-before 200

The image is raw bytes; the program may read and write it and nothing else. Base registers that are not given hold the
address of the image, so that `gm=b0[0x40]` is byte 0x40 of the image. A fault ends with exit status 1, a sentence and
no output image.";

/// Run a program on a memory image
#[derive(Args, Debug)]
#[command(after_help = DETAILS, mut_arg("mem", |arg| arg.required(true)))]
pub struct Run {
    /// Program: .qasm text, else encoded
    #[arg(value_name = "PROGRAM")]
    program: PathBuf,
    #[command(flatten)]
    image: Image,
    /// Image of the same range after the run
    #[arg(long, value_name = "IMAGE")]
    out: PathBuf,
    #[command(flatten)]
    waving: Waving,
    #[command(flatten)]
    target: Target,
}

impl Run {
    /// The core that it runs on.
    pub fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    /// Runs the command.
    pub fn run(&self) -> Result {
        let source = Source::read(&self.program)?;
        let image = self.image.read()?;
        let program = self.image.place(&source, image.len() as u64)?;
        self.waving.check(&self.target)?;
        let out = Output::create(&self.out)?;
        let json = self.target.json.as_deref().map(Output::create_or_stdout).transpose()?;
        if let Err(findings) = isa::check(&source.program, &self.target.config) {
            let count = findings.len();
            let (s, file) = (if count == 1 { "" } else { "s" }, self.program.display());
            eprintln!("quader: note: the checker has {count} finding{s} on this program; see `quader check {file}`");
        }

        let memory = machine::checked(MemorySettings { seed: self.image.seed, ..MemorySettings::default() })?;
        let work = |machine: &mut Machine| {
            let core = machine.doing("running the program", None);
            core.write(self.image.address(), &image)?;
            let began = Instant::now();
            let ended = core.run(&program);
            let seconds = began.elapsed().as_secs_f64();
            Ok((ended, core.read(self.image.address(), image.len())?, seconds))
        };
        let compared = Compared::Nothing("a program is compared with nothing; use fault or pc=ADDR");
        let (ended, after, seconds) = self.waving.simulate(&self.target, memory, &work, compared)?;
        let to_stdout = json.as_ref().is_some_and(Output::is_stdout);
        match ended {
            Ok(report) => {
                out.write(&after)?;
                if !to_stdout {
                    output::print(&self.text(&source, &report, seconds))?;
                }
                json.map_or(Ok(()), |json| json::write(json, self.figures(&report, seconds)))
            }
            Err(HostError::Fault(record)) => {
                if let Some(json) = json {
                    json::write(json, self.fault_figures(&source, &record))?;
                }
                Err(Failure::failed(image::sentence(&source, &record)))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn text(&self, source: &Source, report: &Report, seconds: f64) -> String {
        let (core, backend) = (&self.target.config.name, self.target.backend.name());
        let mut text = format!(
            "{}: {} instructions on {core} ({backend}), image in {}\n\n",
            self.program.display(),
            source.program.len(),
            self.out.display()
        );
        text.push_str(&table::summary(report, seconds, self.target.backend));
        let pipes = table::pipes(report);
        if !pipes.is_empty() {
            text.push_str("\nwhere the cycles went\n");
            text.push_str(&pipes);
        }
        text
    }

    fn figures(&self, report: &Report, seconds: f64) -> json::Object {
        let mut object = json::head(&self.target);
        object.insert("ended".into(), json!("done"));
        object.insert("seed".into(), json!(self.image.seed));
        json::figures(&mut object, report, seconds);
        object
    }

    fn fault_figures(&self, source: &Source, record: &FaultRecord) -> json::Object {
        let mut object = json::head(&self.target);
        object.insert("ended".into(), json!("fault"));
        object.insert("seed".into(), json!(self.image.seed));
        let fault = json!({
            "cause": record.cause.name(),
            "pipe": record.pipe.name(),
            "pc": record.pc,
            "address": record.address,
            "instruction": image::instruction(source, record),
        });
        object.insert("fault".into(), fault);
        object
    }
}
