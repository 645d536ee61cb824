// SPDX-License-Identifier: Apache-2.0
//! `quader trace`: any command that simulates, and afterwards its timeline as a page for people and as a file for Perfetto.

mod chrome;
mod page;

use super::output::Output;
use super::{Failure, Result, Target, conv, demo, gemm, onnx_node, run};
use clap::{Args, Subcommand};
use host::Timeline;
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

/// Where the simulated core of a command leaves the timelines of its runs.
pub type Sink = Rc<RefCell<Vec<Timeline>>>;

const DETAILS: &str = "\
Examples:
  quader trace gemm --m 128 --n 128 --k 128
  quader trace --html conv.html conv --n 1 --h 32 --w 32 --cin 16 --cout 16 --kh 3 --kw 3 --pad 1
  quader trace --perfetto demo.json demo --config tiny

The page is one file and needs no network: every pipe with its instructions, what each of them waited for, the memory bus
and its bandwidth, where the cycles went, and the point on the roofline. The other file opens in https://ui.perfetto.dev and
chrome://tracing; a microsecond there is a cycle. Both are written also if the program ends with a fault.";

/// Run a command on the simulated core and write its timeline
#[derive(Args, Debug)]
#[command(after_help = DETAILS, arg_required_else_help = false)]
pub struct Trace {
    /// The page
    #[arg(long, value_name = "FILE.html", default_value = "trace.html")]
    html: PathBuf,
    /// The file for Perfetto and chrome://tracing
    #[arg(long, value_name = "FILE.json", default_value = "trace.json")]
    perfetto: PathBuf,
    #[command(subcommand)]
    what: What,
}

/// The commands that run a core.
#[derive(Subcommand, Debug)]
enum What {
    Gemm(Box<gemm::Gemm>),
    Conv(Box<conv::Conv>),
    Demo(demo::Demo),
    OnnxNode(onnx_node::OnnxNode),
    Run(run::Run),
}

impl What {
    fn target(&mut self) -> &mut Target {
        match self {
            What::Gemm(command) => command.target_mut(),
            What::Conv(command) => command.target_mut(),
            What::Demo(command) => command.target_mut(),
            What::OnnxNode(command) => command.target_mut(),
            What::Run(command) => command.target_mut(),
        }
    }

    fn run(&self) -> Result {
        match self {
            What::Gemm(command) => command.run(),
            What::Conv(command) => command.run(),
            What::Demo(command) => command.run(),
            What::OnnxNode(command) => command.run(),
            What::Run(command) => command.run(),
        }
    }
}

impl Trace {
    /// Runs the command.
    pub fn run(mut self) -> Result {
        let target = self.what.target();
        let blind = match target.backend {
            super::Backend::Rtl => None,
            super::Backend::Model => Some("the model has no cycles"),
            super::Backend::Uart => Some("a board does not show every cycle"),
        };
        if let Some(why) = blind {
            return Err(Failure::input(format!("trace needs --backend rtl: {why}")));
        }
        let sink = Sink::default();
        target.trace = Some(Rc::clone(&sink));
        let to_stdout = target.json.as_deref().is_some_and(|path| path.as_os_str() == "-");
        let html = Output::create(&self.html)?;
        let perfetto = Output::create(&self.perfetto)?;
        let ended = self.what.run();
        let runs = sink.take();
        if runs.is_empty() {
            // Nothing ran, so the command has said why, or only wrote files.
            return ended.and(Err(Failure::input("nothing ran on a core, so there is no timeline")));
        }
        html.write(page::page(&runs).as_bytes())?;
        perfetto.write(chrome::events(&runs).as_bytes())?;
        if !to_stdout {
            let (html, perfetto) = (self.html.display(), self.perfetto.display());
            eprintln!("timeline in {html} (open it in a browser) and {perfetto} (for ui.perfetto.dev)");
        }
        ended
    }
}
