// SPDX-License-Identifier: Apache-2.0
//! `quader fpga`: a core on the chip of a board, from Rust to a bitstream, and what it costs there.

use super::output;
use super::progress::Waiting;
use super::table::grouped;
use super::{Failure, Result, core};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use fpga::flow::{Board, Flow, Job, Report};
use isa::Config;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Folder of the builds, in the folder where the command runs.
const OUT: &str = "target/fpga";

/// Seeds of `--all`.
const ALL_SEEDS: u32 = 5;

const DETAILS: &str = "\
Examples:
  quader fpga --board ulx3s-85f --config tiny          one seed
  quader fpga --board ulx3s-85f --config lite --seeds 5
  quader fpga --all --out target/fpga                  every board with its default core, 5 seeds each, minutes to hours

Steps: print Verilog, synthesise (Yosys), place and route (nextpnr) once per seed, pack the fastest placement. Written into
DIR/<board>-<core>: rtl/, netlist.json, seed-<n>.cfg with log and timing report, <board>-<core>.bit, report.json.
Both tools set themselves up, pinned by version and hash, at the first use; the same inputs give the same bytes.
The core stands between two shift registers on the pins of the board's UART: it measures area and speed, it is no host link.

Exit status 1: it does not fit (report.json says by how much), misses the board's clock, or a tool failed; no bitstream is
written then.";

/// Build a core for the FPGA of a board: synthesis, place and route, bitstream, and a report of area and speed
#[derive(Args, Debug)]
#[command(after_help = DETAILS)]
pub struct Fpga {
    /// Board
    #[arg(long, value_name = "BOARD", default_value = Board::ALL[0].name, value_parser = board())]
    board: &'static Board,
    /// Core; if not given, the board's own
    #[arg(long, value_name = "CORE", value_parser = core())]
    config: Option<Config>,
    /// Every board with its own core
    #[arg(long, conflicts_with_all = ["board", "config"])]
    all: bool,
    /// Seed of the placement
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "seeds")]
    seed: u32,
    /// Place with the seeds 1 to K and take the fastest
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=100))]
    seeds: Option<u32>,
    /// Frequency in MHz that the placement works for
    #[arg(long, value_name = "MHZ", default_value_t = 100.0, value_parser = mhz)]
    aim: f64,
    /// Only synthesise: the cells, and whether they fit
    #[arg(long, conflicts_with_all = ["seed", "seeds", "aim"])]
    synth: bool,
    /// Folder of the builds
    #[arg(long, value_name = "DIR", default_value = OUT)]
    out: PathBuf,
    /// Copy the reports into this folder, as <board>-<core>.json
    #[arg(long, value_name = "DIR")]
    reports: Option<PathBuf>,
}

impl Fpga {
    /// Runs the command.
    pub fn run(&self) -> Result {
        let boards: Vec<&'static Board> =
            if self.all { const { &Board::ALL }.iter().collect() } else { vec![self.board] };
        // A folder that cannot be written is noticed before the tools are set up.
        for board in &boards {
            let folder = self.folder(board);
            std::fs::create_dir_all(&folder).map_err(|cause| cannot_write(&folder, &cause))?;
        }
        let flow = Flow::find().map_err(Failure::failed)?;
        let mut failed = vec![];
        for board in boards {
            match self.one(&flow, board) {
                Ok(()) => {}
                // The other boards are independent of this one.
                Err(failure) if self.all => {
                    eprintln!("quader: {failure}");
                    failed.push(board.name);
                }
                Err(failure) => return Err(failure),
            }
        }
        match failed.as_slice() {
            [] => Ok(()),
            boards => Err(Failure::failed(format!("not built: {}; see above for the reasons", boards.join(", ")))),
        }
    }

    /// `<out>/<board>-<core>`.
    fn folder(&self, board: &Board) -> PathBuf {
        let core = self.config.as_ref().map_or(board.core, |config| &config.name);
        self.out.join(format!("{}-{core}", board.name))
    }

    fn one(&self, flow: &Flow, board: &'static Board) -> Result {
        let named = || Config::named(board.core).expect("the core of a board is a named one");
        let config = self.config.clone().unwrap_or_else(named);
        let top = board.top(&config).map_err(Failure::input)?;
        let count = self.seeds.or(self.all.then_some(ALL_SEEDS));
        let seeds: Vec<u32> = count.map_or_else(|| vec![self.seed], |count| (1..=count).collect());
        let folder = self.folder(board);
        let job = Job {
            name: &config.name,
            board,
            top: &*top,
            aim_mhz: self.aim,
            seeds: &seeds,
            macs: config.peak_macs(),
            folder: &folder,
        };
        let steps = Steps::begin(format!("{} on {}", config.name, board.name));
        let netlist = flow.synthesise(&job, &|step| steps.step(step)).map_err(Failure::failed)?;
        steps.end();
        // What does not fit has a report as well: by how much is what one wants to know.
        self.keep(&folder, &netlist)?;
        board.chip.check(&config.name, &netlist.cells).map_err(Failure::failed)?;
        if self.synth {
            return output::print(&text(&netlist));
        }
        let built = flow.implement(&job, &netlist, &|step| steps.step(step)).map_err(Failure::failed)?;
        steps.end();
        self.keep(&folder, &built.report)?;
        output::print(&format!("{}\nbitstream {}\n", text(&built.report), built.bitstream.display()))
    }

    /// Writes the report beside the bitstream, and where else it is wanted.
    fn keep(&self, folder: &Path, report: &Report) -> Result {
        let mut files = vec![folder.join("report.json")];
        if let Some(reports) = &self.reports {
            std::fs::create_dir_all(reports).map_err(|cause| cannot_write(reports, &cause))?;
            files.push(reports.join(format!("{}-{}.json", report.board, report.design)));
        }
        for file in files {
            std::fs::write(&file, report.json()).map_err(|cause| cannot_write(&file, &cause))?;
        }
        Ok(())
    }
}

fn cannot_write(path: &Path, cause: &std::io::Error) -> Failure {
    Failure::input(format!("cannot write {}: {cause}", path.display()))
}

/// Parses the name of a board.
pub fn board() -> impl TypedValueParser<Value = &'static Board> {
    let names = const { &Board::ALL }.iter().map(|board| PossibleValue::new(board.name).help(board.about));
    PossibleValuesParser::new(names)
        .map(|name| Board::named(&name).expect("the parser admits the names of boards only"))
}

/// Parses a frequency in MHz.
fn mhz(text: &str) -> std::result::Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "it is not a number of MHz".to_owned())?;
    match (1.0..=1000.0).contains(&value) {
        true => Ok(value),
        false => Err("it is not between 1 and 1000 MHz".to_owned()),
    }
}

/// Tells the running step; a finished one with its time.
struct Steps {
    what: String,
    now: RefCell<Option<(String, Instant, Waiting)>>,
}

impl Steps {
    fn begin(what: String) -> Steps {
        Steps { what, now: RefCell::new(None) }
    }

    fn step(&self, name: &str) {
        self.end();
        let waiting = Waiting::begin(&format!("{}: {name}", self.what), format!("{}: {name}, minutes", self.what));
        *self.now.borrow_mut() = Some((name.to_owned(), Instant::now(), waiting));
    }

    fn end(&self) {
        if let Some((name, began, waiting)) = self.now.borrow_mut().take() {
            drop(waiting);
            eprintln!("{}: {name} took {:.1} s", self.what, began.elapsed().as_secs_f64());
        }
    }
}

fn text(report: &Report) -> String {
    let Report { cells, there, .. } = report;
    let part = |used: usize, all: usize| {
        format!("{} of {} ({:.1} %)", grouped(used as u64), grouped(all as u64), 100.0 * used as f64 / all as f64)
    };
    let mut text = format!(
        "{} on {} ({})\n\nlook-up tables  {}\nflip-flops      {}\nblock RAMs      {}\nmultipliers     {}\n",
        report.design,
        report.board,
        report.chip,
        part(cells.luts, there.luts),
        part(cells.flip_flops, there.flip_flops),
        part(cells.block_rams, there.block_rams),
        part(cells.multipliers, there.multipliers),
    );
    if let (Some(fmax), Some(gops), Some(density)) = (report.fmax(), report.gops(), report.gops_per_kilolut()) {
        text += &format!(
            "Fmax            {:.1} / {:.1} / {:.1} MHz (minimum / median / maximum of {} seed{})\n\
             int8            {gops:.1} GOPS, {density:.2} per thousand look-up tables\n",
            fmax.minimum,
            fmax.median,
            fmax.maximum,
            report.seeds.len(),
            if report.seeds.len() == 1 { "" } else { "s" },
        );
    }
    text
}
