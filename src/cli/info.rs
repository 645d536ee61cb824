// SPDX-License-Identifier: Apache-2.0
//! `quader info`: the cores and what they can do.

use super::output::{self, Output};
use super::{Result, json, table};
use clap::Args;
use isa::{Config, Rounding};
use serde_json::json;
use std::path::PathBuf;

/// List the cores and what they can do
#[derive(Args, Debug)]
pub struct Info {
    /// Write the table as JSON; `-` is standard output, which then has nothing else
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Info {
    /// Runs the command.
    pub fn run(&self) -> Result {
        let cores: Vec<Config> =
            Config::NAMES.iter().map(|name| Config::named(name).expect("a name from the list of names")).collect();
        let file = self.json.as_deref().map(Output::create_or_stdout).transpose()?;
        if !file.as_ref().is_some_and(Output::is_stdout) {
            output::print(&text(&cores))?;
        }
        let Some(file) = file else { return Ok(()) };
        let mut object = json::Object::new();
        object.insert("quader".into(), env!("CARGO_PKG_VERSION").into());
        object.insert("isa_version".into(), json!(isa::limits::ISA_VERSION));
        object.insert("cores".into(), cores.iter().map(core).collect());
        json::write(file, object)
    }
}

fn roundings(config: &Config) -> Vec<&'static str> {
    Rounding::ALL.iter().filter(|&&mode| config.has_rounding(mode)).map(|mode| mode.name()).collect()
}

fn dtypes(config: &Config) -> Vec<&'static str> {
    config.dtypes.iter().map(|dtype| dtype.name()).collect()
}

fn core(config: &Config) -> serde_json::Value {
    json!({
        "name": config.name,
        "m0": config.m0,
        "k0": config.k0,
        "n0": config.n0,
        "peak_macs_per_cycle": config.peak_macs(),
        "l1_bytes": config.l1_bytes,
        "l0a_bytes": config.l0a_bytes,
        "l0b_bytes": config.l0b_bytes,
        "l0c_bytes": config.l0c_bytes,
        "ub_bytes": config.ub_bytes,
        "bus_bytes": config.bus_bytes,
        "outstanding": config.outstanding,
        "queue_len": config.queue_len,
        "fetch_bytes": config.fetch_bytes,
        "fix_lanes": config.fix_lanes,
        "fb_channels": config.fb_channels,
        "dsp_mults": config.dsp_mults,
        "dtypes": dtypes(config),
        "roundings": roundings(config),
        "hash": format!("{:#010x}", config.hash()),
    })
}

fn text(cores: &[Config]) -> String {
    let kib = |bytes: usize| format!("{} KiB", bytes >> 10);
    let row = |name: &str, value: &dyn Fn(&Config) -> String| {
        std::iter::once(name.to_owned()).chain(cores.iter().map(value)).collect::<Vec<String>>()
    };
    let rows = [
        row("core", &|config| config.name.clone()),
        row("cube M0 x K0 x N0", &|config| format!("{} x {} x {}", config.m0, config.k0, config.n0)),
        row("int8 MAC per cycle", &|config| config.peak_macs().to_string()),
        row("multipliers in DSP blocks", &|config| config.dsp_mults.to_string()),
        row("L1", &|config| kib(config.l1_bytes)),
        row("L0A", &|config| kib(config.l0a_bytes)),
        row("L0B", &|config| kib(config.l0b_bytes)),
        row("L0C", &|config| kib(config.l0c_bytes)),
        row("FB channels", &|config| config.fb_channels.to_string()),
        row("results per cycle of FIX", &|config| config.fix_lanes.to_string()),
        row("AXI4 data bus", &|config| format!("{} bit", 8 * config.bus_bytes)),
        row("bursts in flight per direction", &|config| config.outstanding.to_string()),
        row("queue of a pipe", &|config| format!("{} instructions", config.queue_len)),
        row("number formats", &|config| dtypes(config).join(" ")),
        row("requantisation", &|config| roundings(config).join(" ")),
        row("configuration hash", &|config| format!("{:#010x}", config.hash())),
    ];
    format!("Quader {}\n\n{}", env!("CARGO_PKG_VERSION"), table::table(&rows))
}
