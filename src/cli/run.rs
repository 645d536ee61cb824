// SPDX-License-Identifier: Apache-2.0
//! `quader run`: a program on a memory image.
//!
//! ```text
//!            mem-address              end            next multiple of 4 KiB
//!  GM  ──────┼──────── image ─────────┼──────────────┼── code ──┼──
//!            read and write                          execute
//! ```
//! Nothing else of global memory may be touched, so a wrong address is a fault and not silence.

use super::machine::{self, Machine};
use super::output::{self, Output};
use super::program::{self, Source};
use super::wave::{Compared, Waving};
use super::{Failure, Result, Target, json, number, table};
use clap::Args;
use host::{HostError, MemorySettings, Program, Report, Window};
use isa::csr::{RIGHT_READ, RIGHT_WRITE};
use isa::limits::{BASES, GM_ADDRESS_BITS, INSTRUCTION_BYTES};
use isa::{FaultRecord, encode_program};
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;

/// Images larger than this would take minutes to write out and back.
const LIMIT_BYTES: u64 = 1 << 30;

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
#[command(after_help = DETAILS)]
pub struct Run {
    /// Program: .qasm text, else encoded
    #[arg(value_name = "PROGRAM")]
    program: PathBuf,
    /// Image of global memory before the run, raw bytes
    #[arg(long, value_name = "IMAGE")]
    mem: PathBuf,
    /// Image of the same range after the run
    #[arg(long, value_name = "IMAGE")]
    out: PathBuf,
    /// Address of the image
    #[arg(long, value_name = "ADDR", default_value = "0", value_parser = number)]
    mem_address: u64,
    /// Bytes of the image; a shorter file is filled up with zeros [default: those of the file]
    #[arg(long, value_name = "BYTES", value_parser = number)]
    mem_size: Option<u64>,
    /// Value of a base register, 0 to 15; may be given several times [default: the address of the image]
    #[arg(long = "base", value_name = "N=ADDR", value_parser = base)]
    bases: Vec<(usize, u64)>,
    /// Seed of the power-up state of buffers and registers
    #[arg(long, default_value_t = 1, value_parser = number)]
    seed: u64,
    #[command(flatten)]
    waving: Waving,
    #[command(flatten)]
    target: Target,
}

fn base(text: &str) -> std::result::Result<(usize, u64), String> {
    let (register, address) = text.split_once('=').ok_or("write N=ADDR, for example 1=0x2000")?;
    let register: usize = register.trim().parse().map_err(|_| "write N=ADDR, for example 1=0x2000")?;
    if register >= BASES {
        return Err(format!("there are base registers 0 to {}", BASES - 1));
    }
    let address = number(address.trim())?;
    if address >> GM_ADDRESS_BITS != 0 {
        return Err(format!("an address has {GM_ADDRESS_BITS} bits"));
    }
    Ok((register, address))
}

impl Run {
    /// The core that it runs on.
    pub fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    /// Runs the command.
    pub fn run(&self) -> Result {
        let source = Source::read(&self.program)?;
        let image = self.image()?;
        let program = self.place(&source, image.len() as u64)?;
        self.waving.check(&self.target)?;
        let out = Output::create(&self.out)?;
        let json = self.target.json.as_deref().map(Output::create_or_stdout).transpose()?;
        if let Err(findings) = isa::check(&source.program, &self.target.config) {
            let count = findings.len();
            let (s, file) = (if count == 1 { "" } else { "s" }, self.program.display());
            eprintln!("quader: note: the checker has {count} finding{s} on this program; see `quader check {file}`");
        }

        let memory = machine::checked(MemorySettings { seed: self.seed, ..MemorySettings::default() })?;
        let work = |machine: &mut Machine| {
            let core = machine.doing("running the program", None);
            core.write(self.mem_address, &image)?;
            let began = Instant::now();
            let ended = core.run(&program);
            let seconds = began.elapsed().as_secs_f64();
            Ok((ended, core.read(self.mem_address, image.len())?, seconds))
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
                Err(Failure::failed(sentence(&source, &record)))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn image(&self) -> Result<Vec<u8>> {
        let mut image = output::read(&self.mem)?;
        let file = self.mem.display();
        if let Some(size) = self.mem_size {
            if size < image.len() as u64 {
                let has = image.len();
                return Err(Failure::input(format!(
                    "--mem-size is {size}, and {file} has {has} bytes: give at least that"
                )));
            }
            if size > LIMIT_BYTES {
                return Err(Failure::input(format!(
                    "--mem-size is {size}, and an image has at most {LIMIT_BYTES} bytes"
                )));
            }
            image.resize(size as usize, 0);
        }
        let length = image.len() as u64;
        if length == 0 {
            return Err(Failure::input(format!("{file} is empty: give an image with bytes, or --mem-size")));
        }
        if length > LIMIT_BYTES {
            return Err(Failure::input(format!("{file} has {length} bytes, and an image has at most {LIMIT_BYTES}")));
        }
        Ok(image)
    }

    fn place(&self, source: &Source, length: u64) -> Result<Program> {
        let first = self.mem_address;
        let code = (source.program.len() * INSTRUCTION_BYTES) as u64;
        let space = 1u64 << GM_ADDRESS_BITS;
        let end = first.checked_add(length).filter(|&end| end <= space).ok_or_else(|| {
            Failure::input(format!(
                "{length} bytes from --mem-address {first:#x} on leave the {GM_ADDRESS_BITS}-bit address space"
            ))
        })?;
        // Behind the image, or at 0 if there is no room; one of the two is free, since both are small.
        let behind = end.next_multiple_of(4096);
        let address = if behind + code.next_multiple_of(4096) <= space { behind } else { 0 };
        let mut bases = vec![first; BASES];
        for &(register, address) in &self.bases {
            bases[register] = address;
        }
        // An instruction without encoding cannot come from a file.
        debug_assert!(encode_program(&source.program).is_ok());
        let window = Window { first, last: end - 1, rights: RIGHT_READ | RIGHT_WRITE };
        Ok(Program::new(source.program.clone(), address, bases, vec![window])?)
    }

    fn text(&self, source: &Source, report: &Report, seconds: f64) -> String {
        let (core, backend) = (&self.target.config.name, self.target.backend.name());
        let mut text = format!(
            "{}: {} instructions on {core} ({backend}), image in {}\n\n",
            self.program.display(),
            source.program.len(),
            self.out.display()
        );
        text.push_str(&table::summary(report, seconds));
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
        object.insert("seed".into(), json!(self.seed));
        json::figures(&mut object, report, seconds);
        object
    }

    fn fault_figures(&self, source: &Source, record: &FaultRecord) -> json::Object {
        let mut object = json::head(&self.target);
        object.insert("ended".into(), json!("fault"));
        object.insert("seed".into(), json!(self.seed));
        let fault = json!({
            "cause": record.cause.name(),
            "pipe": record.pipe.name(),
            "pc": record.pc,
            "address": record.address,
            "instruction": instruction(source, record),
        });
        object.insert("fault".into(), fault);
        object
    }
}

fn instruction(source: &Source, record: &FaultRecord) -> Option<String> {
    source.program.get(record.pc as usize / INSTRUCTION_BYTES).map(program::text)
}

/// What happened, where, and in which instruction.
fn sentence(source: &Source, record: &FaultRecord) -> String {
    let index = record.pc as usize / INSTRUCTION_BYTES;
    match instruction(source, record) {
        Some(text) => format!("fault {record}; in `{text}` ({})", source.place(index)),
        None => format!("fault {record}; behind the last instruction"),
    }
}
