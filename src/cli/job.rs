// SPDX-License-Identifier: Apache-2.0
//! A job as a folder: a program with its data, for a core that is not simulated here.
//!
//! ```text
//! job.json     what is computed, and where everything lies (docs/job.md)
//! program.bin  the instructions
//! <name>.bin   one per operand: its bytes as they lie in memory
//! ```

use super::Result;
use super::folder::{Folder, Kind};
use super::json::Object;
use host::{Job, Operand, Window};
use isa::Config;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// The description of the folder.
const DESCRIPTION: &str = "job.json";

/// The instructions.
const PROGRAM: &str = "program.bin";

const KIND: Kind = Kind { command: "quader ... --program", list: DESCRIPTION, names };

/// The files that a description names.
fn names(text: &str) -> Option<BTreeSet<String>> {
    let description: Value = serde_json::from_str(text).ok()?;
    let operands = description["operands"].as_array()?.iter().chain([&description["program"]]);
    operands.map(|item| item["file"].as_str().map(str::to_owned)).collect()
}

/// Writes a job for `config`. `kind` and `computed` say what it computes, so that somebody else can compute it too.
///
/// *Errors*: [`super::Failure::Input`] if `path` cannot be written, or is a folder with something else in it.
pub fn write(path: &Path, config: &Config, job: &Job, kind: &str, computed: Object) -> Result {
    let folder = Folder::create(path, &KIND)?;
    folder.write(PROGRAM, job.program.code())?;
    for operand in &job.operands {
        folder.write(&file(operand), &operand.bytes)?;
    }
    let mut text =
        serde_json::to_string_pretty(&description(config, job, kind, computed)).expect("its keys are strings");
    text.push('\n');
    folder.write(DESCRIPTION, text)?;
    folder.keep()
}

fn file(operand: &Operand) -> String {
    format!("{}.bin", operand.name)
}

fn description(config: &Config, job: &Job, kind: &str, computed: Object) -> Value {
    let Job { program, operands, result } = job;
    let window = |window: &Window| json!({ "first": window.first, "last": window.last, "rights": window.rights });
    let operand = |operand: &Operand| {
        let Operand { name, address, dtype, shape, .. } = operand;
        json!({ "name": name, "file": file(operand), "address": address, "dtype": dtype, "shape": shape })
    };
    json!({
        "quader": env!("CARGO_PKG_VERSION"),
        "config": config.name,
        "kind": kind,
        kind: computed,
        "program": { "file": PROGRAM, "address": program.address() },
        "bases": program.bases(),
        "windows": program.windows().iter().map(window).collect::<Vec<Value>>(),
        "operands": operands.iter().map(operand).collect::<Vec<Value>>(),
        "result": { "address": result.address, "dtype": result.dtype, "shape": result.shape },
    })
}
