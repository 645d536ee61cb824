// SPDX-License-Identifier: Apache-2.0
//! A job as a folder: a program with its data, for a core that is not simulated here.
//!
//! ```text
//! job.json     what is computed, and where everything lies (docs/job.md)
//! program.bin  the instructions
//! <name>.bin   one per operand: its bytes as they lie in memory; and what the program takes in another order, as it was given
//! ```

use super::folder::{Folder, Kind};
use super::json::Object;
use super::table::grouped;
use super::{Failure, Result, output, program};
use host::{Job, Operand, Program, Window};
use isa::csr::RIGHT_EXECUTE;
use isa::{Config, Inst};
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
    let given = description["given"].as_array()?;
    let operands = description["operands"].as_array()?.iter().chain(given).chain([&description["program"]]);
    operands.map(|item| item["file"].as_str().map(str::to_owned)).collect()
}

/// An array that the program takes in another order than it was given in.
pub struct Given<'a> {
    /// What it is: `w`.
    pub name: &'static str,
    /// Type of its elements, as NumPy calls it.
    pub dtype: &'static str,
    /// Its dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// What a job computes, so that somebody else can compute it too.
pub struct Computed<'a> {
    /// `gemm` or `conv`.
    pub kind: &'static str,
    /// All that tells one from another of the kind, besides the operands.
    pub figures: Object,
    /// Operands that do not lie in memory as they were given.
    pub given: Vec<Given<'a>>,
}

/// What comes after the sum, as both kinds tell it.
pub fn finish(output: &host::Output, relu: bool, clamp: Option<(i32, i32)>) -> [(&'static str, Value); 7] {
    let scale = match output {
        host::Output::Quantised { scales, .. } | host::Output::Fp32 { scales } => {
            one(scales).map(|&scale| f64::from(scale))
        }
        _ => None,
    };
    let multiplier = match output {
        host::Output::Fixed { multipliers, .. } => one(multipliers),
        _ => None,
    };
    [
        ("rounding", json!(output.rounding().name())),
        ("scale", json!(scale)),
        ("multiplier", json!(multiplier.map(|multiplier| multiplier.m.to_bits()))),
        ("shift", json!(multiplier.map(|multiplier| multiplier.shift))),
        ("zero_point_out", json!(output.zero_point())),
        ("relu", json!(relu)),
        ("clamp", json!(clamp)),
    ]
}

/// A zero point that holds for all channels; none given is 0.
pub fn zero_point(zero_points: &[i32]) -> Value {
    json!(if zero_points.is_empty() { Some(&0) } else { one(zero_points) })
}

/// The number that holds for all channels, if it is one.
fn one<T>(numbers: &[T]) -> Option<&T> {
    if let [one] = numbers { Some(one) } else { None }
}

/// Writes a job for `config`, and says so on standard output; `title` is what is computed.
///
/// *Errors*: [`super::Failure::Input`] if `path` cannot be written, or is a folder with something else in it.
pub fn write(path: &Path, config: &Config, job: &Job, title: &str, computed: Computed) -> Result {
    let folder = Folder::create(path, &KIND)?;
    folder.write(PROGRAM, job.program.code())?;
    for operand in &job.operands {
        folder.write(&file(operand.name), &operand.bytes)?;
    }
    for array in &computed.given {
        folder.write(&file(array.name), array.bytes)?;
    }
    let mut text = serde_json::to_string_pretty(&description(config, job, computed)).expect("its keys are strings");
    text.push('\n');
    folder.write(DESCRIPTION, text)?;
    folder.keep()?;
    let (count, code) = (job.program.instructions().len(), grouped(job.program.code().len() as u64));
    let (folder, core) = (path.display(), &config.name);
    output::print(&format!("{folder}: {title} on {core}: {count} instructions, {code} bytes\n"))
}

/// A job that was read back.
pub struct Loaded {
    /// The core that it was made for.
    pub config: Config,
    /// Its instructions.
    pub instructions: Vec<Inst>,
    /// The program with its place.
    pub program: Program,
    /// What lies in memory: addresses and bytes.
    pub contents: Vec<(u64, Vec<u8>)>,
}

/// The file of the instructions of the job in a folder.
pub fn program_file(folder: &Path) -> std::path::PathBuf {
    folder.join(PROGRAM)
}

/// Reads the job in a folder.
///
/// *Errors*: [`Failure::Input`] if a file cannot be read, or is not what [`write()`] writes.
pub fn read(folder: &Path) -> Result<Loaded> {
    let path = folder.join(DESCRIPTION);
    let text = output::read(&path)?;
    let wrong = |what: &str| Failure::input(format!("{} is no description of a job: {what}", path.display()));
    let job: Value = serde_json::from_slice(&text).map_err(|error| wrong(&error.to_string()))?;
    let number = |value: &Value, what: &str| value.as_u64().ok_or_else(|| wrong(&format!("{what} is no number")));
    let list = |key: &str| job[key].as_array().ok_or_else(|| wrong(&format!("there are no {key}")));
    let config = job["config"]
        .as_str()
        .and_then(|name| Config::named(name).ok())
        .ok_or_else(|| wrong("its core is not known"))?;
    let address = number(&job["program"]["address"], "the address of the program")?;
    let instructions = program::read_binary(&program_file(folder))?;
    let bases = list("bases")?.iter().map(|base| number(base, "a base")).collect::<Result<Vec<u64>>>()?;
    let mut windows = Vec::new();
    for window in list("windows")? {
        let rights = number(&window["rights"], "the rights of a window")? as u32;
        let (first, last) = (number(&window["first"], "a window")?, number(&window["last"], "a window")?);
        // The one of the code is made with the program.
        if (first, rights) != (address, RIGHT_EXECUTE) {
            windows.push(Window { first, last, rights });
        }
    }
    let mut contents = Vec::new();
    for operand in list("operands")? {
        let file = operand["file"].as_str().filter(|file| !file.contains(['/', '\\']));
        let file = file.ok_or_else(|| wrong("an operand has no file in the folder"))?;
        contents.push((number(&operand["address"], "the address of an operand")?, output::read(&folder.join(file))?));
    }
    if bases.len() > isa::limits::BASES || windows.len() >= isa::limits::WINDOWS || !address.is_multiple_of(64) {
        return Err(wrong("it has more bases or windows than there are, or a program that is not at a multiple of 64"));
    }
    let program = Program::new(instructions.clone(), address, bases, windows)?;
    Ok(Loaded { config, instructions, program, contents })
}

fn file(name: &str) -> String {
    format!("{name}.bin")
}

fn description(config: &Config, job: &Job, computed: Computed) -> Value {
    let Job { program, operands, result } = job;
    let Computed { kind, figures, given } = computed;
    let array = |Given { name, dtype, shape, .. }: &Given| json!({ "name": name, "file": file(name), "dtype": dtype, "shape": shape });
    let window = |window: &Window| json!({ "first": window.first, "last": window.last, "rights": window.rights });
    let operand = |operand: &Operand| {
        let Operand { name, address, dtype, shape, .. } = operand;
        json!({ "name": name, "file": file(name), "address": address, "dtype": dtype, "shape": shape })
    };
    json!({
        "quader": env!("CARGO_PKG_VERSION"),
        "config": config.name,
        "kind": kind,
        kind: figures,
        "program": { "file": PROGRAM, "address": program.address() },
        "bases": program.bases(),
        "windows": program.windows().iter().map(window).collect::<Vec<Value>>(),
        "operands": operands.iter().map(operand).collect::<Vec<Value>>(),
        "given": given.iter().map(array).collect::<Vec<Value>>(),
        "result": { "address": result.address, "dtype": result.dtype, "shape": result.shape },
    })
}
