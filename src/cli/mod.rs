// SPDX-License-Identifier: Apache-2.0
//! What every subcommand shares: the tree of commands, how they fail, and the words of the command line.

mod asm;
mod bench;
mod check;
mod completions;
mod conv;
mod demo;
mod disasm;
mod doctor;
mod flash;
mod folder;
mod fpga;
mod gemm;
mod image;
mod info;
mod job;
mod json;
mod machine;
mod net;
mod npy;
mod onnx_node;
mod output;
mod product;
mod program;
mod progress;
mod reference;
mod run;
mod step;
mod table;
mod trace;
mod verilog;
mod wave;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use host::{HostError, LinkError, SerialSettings};
use isa::Config;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The input cannot be used; the sentence says what to change. Exit status 2.
    Input(String),
    /// The input was fine and the result is not, or a tool is missing. Exit status 1.
    Failed(String),
}

/// Result of a command.
pub type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    /// Bad input, as a sentence.
    pub fn input(sentence: impl fmt::Display) -> Failure {
        Failure::Input(sentence.to_string())
    }

    /// A failed run, as a sentence.
    pub fn failed(sentence: impl fmt::Display) -> Failure {
        Failure::Failed(sentence.to_string())
    }

    fn status(&self) -> u8 {
        match self {
            Failure::Failed(_) => 1,
            Failure::Input(_) => 2,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Failure::Input(sentence) | Failure::Failed(sentence)) = self;
        f.write_str(sentence)
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Failure {
        match error {
            HostError::Link(
                LinkError::NoPort { .. }
                | LinkError::Forbidden { .. }
                | LinkError::WrongCore { .. }
                | LinkError::Memory { .. },
            ) => Failure::input(error),
            HostError::Fault(_) | HostError::Simulation(_) | HostError::Link(_) => Failure::failed(error),
            _ => Failure::input(error),
        }
    }
}

/// Where a program or product runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// The hardware, simulated cycle by cycle in Verilator
    Rtl,
    /// The instruction-level model: the same bits, no cycles
    Model,
    /// A board on a serial line, see --port
    Uart,
}

impl Backend {
    /// The word on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Rtl => "rtl",
            Backend::Model => "model",
            Backend::Uart => "uart",
        }
    }
}

/// Options of every subcommand that runs a core.
#[derive(Args, Clone, Debug)]
pub struct Target {
    /// Core
    #[arg(long, value_name = "CORE", default_value = "lite", value_parser = core())]
    pub config: Config,
    /// Simulated hardware, model, or a board
    #[arg(long, value_enum, default_value_t = Backend::Rtl)]
    pub backend: Backend,
    /// Serial port of the board, for --backend uart
    #[arg(long, value_name = "PORT")]
    pub port: Option<PathBuf>,
    /// Bits per second of that port [default: 1000000]
    #[arg(long, value_name = "N")]
    pub baud: Option<u32>,
    /// Write the figures as JSON; `-` is standard output, which then has nothing else
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Where the timelines of its runs go, for `quader trace`.
    #[arg(skip)]
    pub trace: Option<trace::Sink>,
}

impl Target {
    /// The serial line to the board, port and rate, if that is the backend.
    ///
    /// *Errors*: no port for a board, or a port for something else.
    pub fn line(&self) -> Result<Option<(&Path, SerialSettings)>> {
        let usual = SerialSettings::default();
        match (self.backend, &self.port) {
            (Backend::Uart, None) => Err(Failure::input(
                "--backend uart needs --port: say where the board is, for example --port /dev/ttyUSB0",
            )),
            (Backend::Uart, Some(_)) if self.baud == Some(0) => Err(Failure::input(
                "--baud is 0, and nothing is sent at that rate: give the rate of the board, 1000000",
            )),
            (Backend::Uart, Some(port)) => {
                Ok(Some((port, SerialSettings { baud: self.baud.unwrap_or(usual.baud), ..usual })))
            }
            (_, Some(_)) => Err(Failure::input("--port needs --backend uart: only a board is at the end of a line")),
            (_, None) if self.baud.is_some() => {
                Err(Failure::input("--baud needs --backend uart: only a board is at the end of a line"))
            }
            (_, None) => Ok(None),
        }
    }
}

/// Parses the name of a core.
pub fn core() -> impl TypedValueParser<Value = Config> {
    clap::builder::PossibleValuesParser::new(Config::NAMES)
        .map(|name| Config::named(&name).expect("the parser admits the names of cores only"))
}

/// Parses a number as people write addresses and sizes: `4096`, `0x1000`, `4Ki`, `1_000`.
pub fn number(text: &str) -> std::result::Result<u64, String> {
    let plain: String = text.chars().filter(|&c| c != '_').collect();
    let (digits, unit) = match plain {
        ref p if p.ends_with("Ki") => (&plain[..plain.len() - 2], 1 << 10),
        ref p if p.ends_with("Mi") => (&plain[..plain.len() - 2], 1 << 20),
        ref p if p.ends_with("Gi") => (&plain[..plain.len() - 2], 1 << 30),
        _ => (plain.as_str(), 1u64),
    };
    let value = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    value
        .ok()
        .and_then(|value| value.checked_mul(unit))
        .ok_or_else(|| "it is not a number: write 4096, 0x1000, 4Ki, 1Mi".to_owned())
}

const EXAMPLES: &str = "\
Examples:
  quader                                        classify handwritten digits on the simulated core `lite`
  quader gemm --m 256 --n 256 --k 256           multiply random int8 matrices, check every element
  quader gemm --a A.npy --b B.npy --out C.npy   the same with matrices from NumPy
  quader conv --h 32 --w 32 --cin 16 --cout 16 --kh 3 --kw 3 --pad 1
  quader conv --net resnet-8                    every convolution of a network of MLPerf Tiny
  quader onnx-node examples/qlinearconv         a node of ONNX with its test data
  quader run examples/hello.qasm --mem examples/hello.txt --out out.bin
  quader step examples/hello.qasm --mem examples/hello.txt
                                                step through a program, look into the buffers
  quader trace gemm --m 64 --n 64 --k 64        a timeline of every instruction, as a page
  quader gemm --backend uart --port /dev/ttyUSB0 --config tiny --m 32 --n 32 --k 32   on a board
  quader gemm --m 64 --n 64 --k 64 --wave w.fst  a waveform that says what the core does
  quader verilog --config tiny --out rtl-tiny   the hardware as Verilog
  quader fpga --config tiny                     a bitstream for the ULX3S-85F, its area and speed
  quader doctor                                 which tools are there

Exit status: 0 done; 1 mismatch, failed check, fault or missing tool; 2 bad input.";

/// An open matrix-cube accelerator: multiply and convolve on its simulated core, write programs for it, print its Verilog
#[derive(Parser)]
#[command(name = "quader", version, after_help = EXAMPLES, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Classify handwritten digits with an int8 network on the core (what `quader` alone does)
    Demo(demo::Demo),
    /// Multiply two matrices on the core and check every element of the result
    Gemm(Box<gemm::Gemm>),
    /// Convolve feature maps on the core and check every element of the result
    Conv(Box<conv::Conv>),
    /// Run single-node ONNX models with their test data on the core and check every element of the results
    OnnxNode(onnx_node::OnnxNode),
    /// Assemble a program
    Asm(asm::Asm),
    /// Print a program as text
    Disasm(disasm::Disasm),
    /// Check a program without running it
    Check(check::Check),
    /// Run a program on a memory image
    Run(run::Run),
    /// Measure a table of products, layers and networks: exact cycles, utilisation, distance from the roofline
    Bench(bench::Bench),
    /// Step through a program on the simulated core and look inside: a debugger
    Step(step::Step),
    /// Run a command on the simulated core and write its timeline
    Trace(trace::Trace),
    /// Print the hardware of a core as Verilog
    Verilog(verilog::Verilog),
    /// Build a core for the FPGA of a board: synthesis, place and route, bitstream, and a report of area and speed
    Fpga(fpga::Fpga),
    /// Load a bitstream into a board with openFPGALoader
    Flash(flash::Flash),
    /// List the cores and what they can do
    Info(info::Info),
    /// Show the tools that simulations need, and the cache of built simulations
    Doctor(doctor::Doctor),
    /// Print completions for a shell
    Completions(completions::Completions),
}

/// Parses the command line, runs the command, and tells how it ended.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    output::guard_signals();
    let result = match cli.command.unwrap_or_else(|| Command::Demo(demo::Demo::default())) {
        Command::Demo(command) => command.run(),
        Command::Gemm(command) => command.run(),
        Command::Conv(command) => command.run(),
        Command::OnnxNode(command) => command.run(),
        Command::Bench(command) => command.run(),
        Command::Asm(command) => command.run(),
        Command::Disasm(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Run(command) => command.run(),
        Command::Step(command) => command.run(),
        Command::Trace(command) => command.run(),
        Command::Verilog(command) => command.run(),
        Command::Fpga(command) => command.run(),
        Command::Flash(command) => command.run(),
        Command::Info(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Completions(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("quader: {failure}");
            ExitCode::from(failure.status())
        }
    }
}

/// Help and version as they are; every mistake as one sentence.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A reader that closed the pipe has seen what it wanted.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let said = text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    let words: Vec<&str> = said.map(str::trim).filter(|line| !line.is_empty()).collect();
    let sentence = words.join(" ");
    eprintln!("quader: {}; see `quader --help`", sentence.trim_start_matches("error: "));
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_tree_of_commands_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn numbers_have_bases_and_units() {
        for (text, value) in
            [("12", 12), ("0x1f", 31), ("4Ki", 4096), ("1_000", 1000), ("2Mi", 2 << 20), ("1Gi", 1 << 30)]
        {
            assert_eq!(number(text), Ok(value), "{text}");
        }
        for text in ["", "x", "-1", "0x", "99999999999Gi", "1.5"] {
            assert!(number(text).is_err(), "{text}");
        }
    }
}
