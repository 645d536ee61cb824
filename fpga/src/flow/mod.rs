// SPDX-License-Identifier: Apache-2.0
//! From Rust to a bitstream: print the Verilog, synthesise it (Yosys), place and route it (nextpnr), pack it, and say what it costs.
//!
//! ```text
//!  block ─► rtl/*.v ─► netlist.json ─► seed-1.cfg ─► <name>.bit        report: LUTs, flip-flops, block RAMs, multipliers, Fmax
//!           (target)   (Yosys)     └─► seed-2.cfg ...
//! ```
//! The same block, board, seeds and tools give the same bytes: the tools are pinned, run with relative names only, and use no clock and no thread.
//! What does not fit is refused after synthesis, before the long part begins.

mod board;
mod harness;
mod report;

pub use board::{Board, Chip};
pub use report::{Cells, Fmax, Report, Seed, table};

use crate::error::{Error, Result};
use crate::nextpnr::Nextpnr;
use crate::yosys::Yosys;
use rtl::emit::{Design, emit};
use rtl::prim::prelude::Block;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Lines of nextpnr's log that a refusal shows.
const LAST_LINES: usize = 4;

/// The tools, ready to run.
#[derive(Debug, Clone)]
pub struct Flow {
    yosys: Yosys,
    nextpnr: Nextpnr,
}

/// What to build, and how.
pub struct Job<'a> {
    /// Word of the design in reports and file names.
    pub name: &'a str,
    /// The board.
    pub board: &'a Board,
    /// Its top; the ports are those of the board's constraints.
    pub top: &'a dyn Block,
    /// Frequency in MHz that placement works for; more than can be met is no error, less than the board's clock is.
    pub aim_mhz: f64,
    /// Seeds of placement, at least one; the bitstream is that of the fastest.
    pub seeds: &'a [u32],
    /// Multiply-accumulates per cycle, for the report; 0 for what is no core.
    pub macs: usize,
    /// Folder of all files, which is created.
    pub folder: &'a Path,
}

/// What a build left.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// The bitstream of the fastest seed.
    pub bitstream: PathBuf,
    /// What it costs.
    pub report: Report,
}

impl Flow {
    /// The pinned tools, set up if they are not there yet.
    ///
    /// *Errors*: [`Error::Missing`] with what to install.
    pub fn find() -> Result<Flow> {
        Ok(Flow { yosys: Yosys::find()?, nextpnr: Nextpnr::find()? })
    }

    /// Places, routes and packs what [`Flow::synthesise`] left in the folder; `tell` gets the name of each step as it begins.
    ///
    /// *Errors*: [`Error::DoesNotFit`]; [`Error::TooSlow`] if no seed meets the board's clock; [`Error::Refused`] with the last words of a tool;
    /// [`Error::Write`]. There is a bitstream only if all steps succeeded.
    pub fn implement(&self, job: &Job<'_>, synthesised: &Report, tell: &dyn Fn(&str)) -> Result<Built> {
        job.board.chip.check(job.name, &synthesised.cells)?;
        let bitstream = job.folder.join(bitstream_name(job));
        if bitstream.exists() {
            fs::remove_file(&bitstream).map_err(|cause| Error::Write { path: bitstream.clone(), cause })?;
        }
        let began = Instant::now();
        let mut report = synthesised.clone();
        for (at, &seed) in job.seeds.iter().enumerate() {
            tell(&format!("placing and routing, seed {seed} ({} of {})", at + 1, job.seeds.len()));
            report.seeds.push(self.place_and_route(job, seed)?);
        }
        report.seconds += began.elapsed().as_secs();
        let best = report.fastest().expect("a job has at least one seed");
        if best.mhz < job.board.clock_mhz {
            let (mhz, wanted) = (best.mhz, job.board.clock_mhz);
            return Err(Error::TooSlow { design: job.name.into(), board: job.board.name, mhz, wanted });
        }
        tell("packing");
        self.nextpnr.pack(job.folder, &format!("seed-{}.cfg", best.seed), &bitstream_name(job))?;
        Ok(Built { bitstream, report })
    }

    /// Prints and synthesises; gives a report of the netlist `netlist.json`, without placements. It need not fit the chip.
    ///
    /// *Errors*: [`Error::Refused`] with the last words of a tool, [`Error::Write`].
    pub fn synthesise(&self, job: &Job<'_>, tell: &dyn Fn(&str)) -> Result<Report> {
        let began = Instant::now();
        tell("printing Verilog");
        let design =
            emit(job.top, "top").map_err(|error| Error::Refused { tool: "the printer", text: error.to_string() })?;
        let design = job.board.chip.target.apply(design);
        let sources = job.folder.join("rtl");
        clean(&sources)?;
        design.write(&sources).map_err(|cause| Error::Write { path: sources, cause })?;
        write(&job.folder.join("board.lpf"), &constraints(job))?;
        tell("synthesising");
        let log = self.yosys.run_in(job.folder, &synthesis(&design))?;
        write(&job.folder.join("synthesis.log"), &log)?;
        let stat = job.folder.join("cells.json");
        let text = fs::read_to_string(&stat).map_err(|cause| Error::Read { path: stat, cause })?;
        let cells = Cells::parse(&text);
        let cells = cells
            .ok_or_else(|| Error::Refused { tool: "Yosys", text: "its count of cells has another form".into() })?;
        Ok(Report::new(job, cells, began.elapsed().as_secs()))
    }

    /// One seed: `seed-<n>.cfg`, its log, and nextpnr's own report with the critical paths.
    fn place_and_route(&self, job: &Job<'_>, seed: u32) -> Result<Seed> {
        let file = |end: &str| format!("seed-{seed}.{end}");
        let mut arguments: Vec<String> = job.board.chip.arguments.iter().map(|&word| word.to_owned()).collect();
        let frequency = job.aim_mhz.to_string();
        let seed_text = seed.to_string();
        let (configuration, report) = (file("cfg"), file("json"));
        let options = [
            ["--json", "netlist.json"],
            ["--lpf", "board.lpf"],
            ["--textcfg", &configuration],
            ["--report", &report],
            ["--seed", &seed_text],
            ["--freq", &frequency],
            // router1 is 1.3 times as good on small designs and does not end on large ones.
            ["--router", "router2"],
        ];
        arguments.extend(options.as_flattened().iter().map(|&word| word.to_owned()));
        arguments.push("--timing-allow-fail".into());
        let outcome = self.nextpnr.place_and_route(job.folder, &arguments)?;
        write(&job.folder.join(file("log")), &outcome.text)?;
        if !outcome.success {
            let said: Vec<&str> = outcome.text.lines().filter(|line| line.starts_with("ERROR")).collect();
            let said = if said.is_empty() { outcome.text.lines().collect() } else { said };
            let text = said[said.len().saturating_sub(LAST_LINES)..].join("\n");
            return Err(Error::Refused { tool: "nextpnr", text });
        }
        let path = job.folder.join(&report);
        let text = fs::read_to_string(&path).map_err(|cause| Error::Read { path, cause })?;
        let report: Option<Value> = serde_json::from_str(&text).ok();
        report
            .and_then(|report| Seed::parse(seed, &report))
            .ok_or_else(|| Error::Refused { tool: "nextpnr", text: "its report has another form".into() })
    }
}

/// `<board>-<design>.bit`.
fn bitstream_name(job: &Job<'_>) -> String {
    format!("{}-{}.bit", job.board.name, job.name)
}

/// The board's pins and the frequency that is aimed at.
fn constraints(job: &Job<'_>) -> String {
    format!("{}\nFREQUENCY PORT \"{}\" {} MHZ;\n", job.board.constraints, job.board.clock, job.aim_mhz)
}

/// The commands of Yosys, with names relative to the folder of the job.
fn synthesis(design: &Design) -> Vec<String> {
    let files: Vec<String> = design.files().into_iter().map(|(name, _)| format!("rtl/{name}")).collect();
    vec![
        format!("read_verilog -nolatches {}", files.join(" ")),
        // Memories promise nothing about a word that is read while it is written (`prim::Ram`), so no logic has to make a promise true.
        format!("hierarchy -top {}", design.top),
        "proc".into(),
        // A choice by number is a tree of two-way multiplexers, not a row of comparisons: pick_8 takes 296 LUT4 without this and 195 with it.
        "pmux2shiftx".into(),
        // Wide functions out of PFUMX and L6MUX21 are what abc9 takes for speed, at three times the area: pick_8 takes 972 LUT4 with them.
        format!("synth_ecp5 -no-rw-check -nowidelut -top {} -json netlist.json", design.top),
        "check -assert".into(),
        "tee -q -o cells.json stat -json".into(),
    ]
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|cause| Error::Write { path: path.to_owned(), cause })
}

/// An empty folder: no source of an older design is read along with the new ones.
fn clean(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).map_err(|cause| Error::Write { path: path.to_owned(), cause })?;
    }
    fs::create_dir_all(path).map_err(|cause| Error::Write { path: path.to_owned(), cause })
}

impl Chip {
    /// That the chip has the cells that a design needs.
    ///
    /// *Errors*: [`Error::DoesNotFit`] for the first kind of cell of which there are not enough.
    pub fn check(&self, design: &str, cells: &Cells) -> Result<()> {
        let kinds = [
            ("multiplier blocks", cells.multipliers, self.multipliers),
            ("block RAMs", cells.block_rams, self.block_rams),
            ("look-up tables", cells.luts, self.luts),
            ("flip-flops", cells.flip_flops, self.flip_flops),
        ];
        match kinds.into_iter().find(|(_, needed, there)| needed > there) {
            None => Ok(()),
            Some((what, needed, there)) => {
                Err(Error::DoesNotFit { design: design.into(), chip: self.name, what, needed, there })
            }
        }
    }
}
