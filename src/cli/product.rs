// SPDX-License-Identifier: Apache-2.0
//! What `quader gemm` and `quader conv` share: options, the run, the check of every element, figures.

use super::machine::{self, Machine};
use super::output::{self, Output};
use super::table::{self, grouped};
use super::wave::{Compared, Waving};
use super::{Backend, Failure, Result, Target, json, npy, number};
use clap::{Args, ValueEnum};
use host::{MemorySettings, Modelled, Multiplier, Product, Transport, Trigger};
use isa::Dtype;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Bytes of operands and result together that these commands take: beyond it the simulation would run for days.
const LIMIT_BYTES: u128 = 1 << 30;

/// Mismatches that are shown one by one.
pub const SHOWN: usize = 8;

/// Number formats of the two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pair {
    /// int8 x int8
    S8s8,
    /// int8 x uint8
    S8u8,
    /// uint8 x int8
    U8s8,
    /// uint8 x uint8
    U8u8,
}

impl Pair {
    /// Those of the first and of the second operand.
    pub fn dtypes(self) -> [Dtype; 2] {
        match self {
            Pair::S8s8 => [Dtype::S8, Dtype::S8],
            Pair::S8u8 => [Dtype::S8, Dtype::U8],
            Pair::U8s8 => [Dtype::U8, Dtype::S8],
            Pair::U8u8 => [Dtype::U8, Dtype::U8],
        }
    }
}

/// Number format of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutDtype {
    /// int32, not requantised
    I32,
    /// int8
    I8,
    /// uint8
    U8,
    /// float32: the sum as float32 times the scale
    F32,
}

/// How an i8 or u8 result is rounded, named after the runtime that does so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rounding {
    /// In float32, half to even
    Onnx,
    /// By an integer multiplier and a shift, once, half up
    Tflite,
    /// By an integer multiplier and a shift, after each of them: what TFLite does by default
    Gemmlowp,
}

impl OutDtype {
    /// The word on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            OutDtype::I32 => "i32",
            OutDtype::I8 => "i8",
            OutDtype::U8 => "u8",
            OutDtype::F32 => "f32",
        }
    }
}

/// Options of every product.
#[derive(Args, Debug)]
pub struct Options {
    /// Bias, one int32 number per column or output channel
    #[arg(long, value_name = "V.npy")]
    bias: Option<PathBuf>,
    /// Scale of the requantisation: a number, or a file of float32 numbers, one per column or output channel
    #[arg(long, value_name = "S|S.npy", allow_hyphen_values = true)]
    scale: Option<String>,
    /// Write the result as a NumPy file
    #[arg(long, value_name = "OUT.npy")]
    out: Option<PathBuf>,
    /// Number formats of the two operands; those of the files, else s8s8
    #[arg(long, value_enum)]
    dtype: Option<Pair>,
    /// Number format of the result; i8, u8 and f32 need --scale
    #[arg(long, value_enum, default_value_t = OutDtype::I32)]
    pub out_dtype: OutDtype,
    /// How an i8 or u8 result is rounded; tflite and gemmlowp make a multiplier and a shift of each scale, as TFLite does
    #[arg(long, value_enum, default_value_t = Rounding::Onnx)]
    rounding: Rounding,
    /// Zero point of the result
    #[arg(long, value_name = "Z", default_value_t = 0, allow_negative_numbers = true)]
    zero_point_out: i32,
    /// No result below its zero point, or below 0 for i32 and f32
    #[arg(long)]
    pub relu: bool,
    /// No result outside these bounds
    #[arg(long, value_name = "LOW,HIGH", value_parser = bounds, allow_hyphen_values = true)]
    pub clamp: Option<(i32, i32)>,
    #[command(flatten)]
    memory: Memory,
    /// Seed of random operands, of stalls and of the power-up state
    #[arg(long, default_value_t = 1, value_parser = number)]
    pub seed: u64,
    #[command(flatten)]
    pub waving: Waving,
    /// Write the program with its data into a folder instead of running it, for a core of your own
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "wave", "json", "backend", "port", "baud", "Memory"])]
    pub program: Option<PathBuf>,
    #[command(flatten)]
    pub target: Target,
}

/// The memory behind the simulated core.
#[derive(Args, Debug)]
pub struct Memory {
    /// Cycles from a request to its answer [default: 30]
    #[arg(long, value_name = "N")]
    mem_latency: Option<u32>,
    /// Bytes per cycle, in each direction [default: a bus word]
    #[arg(long, value_name = "N")]
    mem_bytes_per_cycle: Option<f64>,
    /// Both directions share the bytes per cycle
    #[arg(long)]
    mem_shared: bool,
    /// Probability that a bus channel stalls in a cycle, 0 to 0.99 [default: 0]
    #[arg(long, value_name = "P")]
    stall: Option<f64>,
}

impl Memory {
    /// The memory behind a core.
    ///
    /// *Errors*: settings that cannot be, or that a model does not have.
    pub fn settings(&self, seed: u64, backend: Backend) -> Result<MemorySettings> {
        let usual = MemorySettings::default();
        let settings = machine::checked(MemorySettings {
            latency: self.mem_latency.unwrap_or(usual.latency),
            bytes_per_cycle: self.mem_bytes_per_cycle.unwrap_or(usual.bytes_per_cycle),
            shared: self.mem_shared,
            stall: self.stall.unwrap_or(usual.stall),
            seed,
        })?;
        if backend == Backend::Rtl {
            return Ok(settings);
        }
        let given = [
            ("--mem-latency", self.mem_latency.is_some()),
            ("--mem-bytes-per-cycle", self.mem_bytes_per_cycle.is_some()),
            ("--mem-shared", self.mem_shared),
            ("--stall", self.stall.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((option, _)) => {
                let why = match backend {
                    Backend::Uart => "a board has a memory of its own, and its signals are inside",
                    _ => "the model has no clock and no bus",
                };
                Err(Failure::input(format!("{option} needs --backend rtl: {why}")))
            }
            None => Ok(settings),
        }
    }
}

fn bounds(text: &str) -> std::result::Result<(i32, i32), String> {
    let parsed =
        text.split_once(',').and_then(|(low, high)| Some((low.trim().parse().ok()?, high.trim().parse().ok()?)));
    match parsed {
        Some((low, high)) if low <= high => Ok((low, high)),
        Some((low, high)) => Err(format!("{low} is above {high}")),
        None => Err("write two integers, for example 0,6".to_owned()),
    }
}

/// A product ready to run.
pub struct Work<'a> {
    /// What is going on, for the progress bar.
    pub doing: &'static str,
    /// The first line of the text, up to the core.
    pub title: String,
    /// The name of the result, and its shape.
    pub result: (&'static str, Vec<usize>),
    /// What the result is compared with besides the model, to follow "the" and "an".
    pub reference: &'static str,
    /// Estimated cycles.
    pub estimate: u64,
    /// Runs it on a core.
    pub run: &'a dyn Fn(&mut dyn Transport) -> host::Result<Product>,
    /// What the elements must be, by means that core and model do not use; the bits of float32.
    pub expected: &'a dyn Fn() -> Vec<i32>,
    /// What JSON tells of it.
    pub figures: json::Object,
    /// Lines of the text behind the summary.
    pub notes: String,
}

/// A wrong element.
#[derive(Debug)]
pub struct Mismatch {
    index: usize,
    expected: String,
    by: String,
    got: String,
}

impl Options {
    /// Runs the work, checks every element, prints the figures, writes the files.
    pub fn run(&self, work: &Work) -> Result {
        let settings = self.settings()?;
        let out = self.out.as_deref().map(Output::create).transpose()?;
        let json = self.target.json.as_deref().map(Output::create_or_stdout).transpose()?;
        let run = |machine: &mut Machine| {
            let began = Instant::now();
            let product = (work.run)(machine.doing(work.doing, Some(work.estimate)))?;
            Ok((product, began.elapsed().as_secs_f64()))
        };
        let compared = Compared::With(&|(product, _): &(Product, f64)| self.first_wrong(work, product));
        let (product, seconds) = self.waving.simulate(&self.target, settings, &run, compared)?;
        let (mismatches, first) = self.check(work, &product)?;

        let to_stdout = json.as_ref().is_some_and(Output::is_stdout);
        if !to_stdout {
            output::print(&self.text(work, &product, seconds, mismatches))?;
        }
        if let Some(out) = out {
            npy::write_product(out, &product, &work.result.1)?;
        }
        if let Some(json) = json {
            json::write(json, self.figures(work, &product, seconds, mismatches, &settings))?;
        }
        verdict(work, mismatches, &first)
    }

    /// The memory behind the core.
    ///
    /// *Errors*: settings that cannot be, or that a model does not have.
    pub fn settings(&self) -> Result<MemorySettings> {
        self.waving.check(&self.target)?;
        self.memory.settings(self.seed, self.target.backend)
    }

    /// The dtype of an operand, 0 or 1: its file's, which has to be the one asked for.
    pub fn dtype(
        &self,
        operand: usize,
        name: &str,
        path: &Option<PathBuf>,
        file: Option<&npy::Tensor>,
    ) -> Result<Dtype> {
        let asked = self.dtype.map(|pair| pair.dtypes()[operand]);
        match (asked, path, file) {
            (Some(asked), Some(path), Some(file)) if asked != file.dtype => Err(Failure::input(format!(
                "{} holds {}, and --dtype asks for {name} in {asked}: leave out --dtype or convert the file",
                path.display(),
                file.dtype
            ))),
            (_, _, Some(file)) => Ok(file.dtype),
            (asked, ..) => Ok(asked.unwrap_or(Dtype::S8)),
        }
    }

    /// The bias from its file.
    pub fn bias(&self) -> Result<Option<Vec<i32>>> {
        self.bias.as_deref().map(npy::read_integers).transpose()
    }

    /// What becomes of the sums.
    pub fn output(&self) -> Result<host::Output> {
        let dtype = match self.out_dtype {
            OutDtype::I32 if self.scale.is_some() => {
                return Err(Failure::input("--scale needs --out-dtype i8, u8 or f32: an i32 result is not scaled"));
            }
            OutDtype::I8 => Some(Dtype::S8),
            OutDtype::U8 => Some(Dtype::U8),
            OutDtype::I32 | OutDtype::F32 => None,
        };
        let name = self.out_dtype.name();
        if dtype.is_none() && self.zero_point_out != 0 {
            return Err(Failure::input(format!(
                "--zero-point-out needs --out-dtype i8 or u8: an {name} result has none"
            )));
        }
        if dtype.is_none() && self.rounding != Rounding::Onnx {
            return Err(Failure::input(format!(
                "--rounding needs --out-dtype i8 or u8: an {name} result is no rounded integer"
            )));
        }
        if self.out_dtype == OutDtype::I32 {
            return Ok(host::Output::Int32);
        }
        let Some(scale) = &self.scale else {
            return Err(Failure::input(format!("--out-dtype {name} needs --scale: give a number, for example 0.01")));
        };
        let mode = match self.rounding {
            Rounding::Onnx => None,
            Rounding::Tflite => Some(host::FixedMode::Tflite),
            Rounding::Gemmlowp => Some(host::FixedMode::Gemmlowp),
        };
        let zero_point = self.zero_point_out;
        if let (Some(mode), Some(dtype)) = (mode, dtype) {
            let multipliers = match scale.parse::<f64>() {
                Ok(one) => vec![multiplier(one)?],
                Err(_) => {
                    let scales = npy::read_floats(file("--scale", scale)?)?;
                    scales.into_iter().map(|scale| multiplier(scale.into())).collect::<Result<_>>()?
                }
            };
            return Ok(host::Output::Fixed { dtype, mode, multipliers, zero_point });
        }
        let scales = match scale.parse() {
            Ok(one) => vec![one],
            Err(_) => npy::read_floats(file("--scale", scale)?)?,
        };
        Ok(match dtype {
            Some(dtype) => host::Output::Quantised { dtype, scales, zero_point },
            None => host::Output::Fp32 { scales },
        })
    }

    /// Both operands: the bytes of their files, or random ones of these lengths.
    pub fn operands(&self, files: [Option<npy::Tensor>; 2], lengths: [usize; 2]) -> [Vec<u8>; 2] {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let [first, second] = files;
        let mut bytes = |file: Option<npy::Tensor>, length: usize| match file {
            Some(file) => file.bytes,
            None => {
                let mut bytes = vec![0; length];
                random.fill_bytes(&mut bytes);
                bytes
            }
        };
        [bytes(first, lengths[0]), bytes(second, lengths[1])]
    }

    /// Compares with the model and with the independent result: how many elements are wrong, and the first of them.
    pub fn check(&self, work: &Work, product: &Product) -> Result<(usize, Vec<Mismatch>)> {
        let got = product.values();
        let mut references = vec![(format!("the independent {}", work.reference), (work.expected)())];
        if self.target.backend != Backend::Model {
            let mut model = Modelled::new(&self.target.config, self.seed)?;
            references.push(("the model".to_owned(), (work.run)(&mut model)?.values()));
        }
        let (mut count, mut first) = (0, Vec::new());
        for (index, &got) in got.iter().enumerate() {
            let wrong = references.iter().find(|(_, expected)| expected[index] != got);
            let Some((by, expected)) = wrong else { continue };
            count += 1;
            if first.len() < SHOWN {
                let [expected, got] = [expected[index], got].map(|value| match product.dtype {
                    Dtype::Fp32 => format!("{:?}", f32::from_bits(value as u32)),
                    _ => value.to_string(),
                });
                first.push(Mismatch { index, expected, by: by.clone(), got });
            }
        }
        Ok((count, first))
    }

    /// Where the first wrong element is written.
    fn first_wrong(&self, work: &Work, product: &Product) -> Result<Option<Trigger>> {
        let (_, first) = self.check(work, product)?;
        Ok(first.first().map(|wrong| Trigger::Written { run: 0, address: product.address_of(wrong.index) }))
    }

    fn text(&self, work: &Work, product: &Product, seconds: f64, mismatches: usize) -> String {
        let Target { config, backend, .. } = &self.target;
        let mut text = format!("{} on {} ({}), seed {}\n\n", work.title, config.name, backend.name(), self.seed);
        text.push_str(&table::summary(&product.report, seconds, *backend));
        text.push_str(&work.notes);
        let pipes = table::pipes(&product.report);
        if !pipes.is_empty() {
            text.push_str("\nwhere the cycles went\n");
            text.push_str(&pipes);
        }
        if mismatches == 0 {
            let elements = grouped(work.result.1.iter().product::<usize>() as u64);
            let model = if self.target.backend != Backend::Model { "the model and " } else { "" };
            text.push_str(&format!("\nall {elements} elements equal {model}an independent {}\n", work.reference));
        }
        text
    }

    /// The figures for scripts.
    pub fn figures(
        &self,
        work: &Work,
        product: &Product,
        seconds: f64,
        mismatches: usize,
        settings: &MemorySettings,
    ) -> json::Object {
        let mut object = json::head(&self.target);
        object.extend(work.figures.clone());
        object.insert("mismatches".into(), json!(mismatches));
        object.insert("seed".into(), json!(self.seed));
        if self.target.backend == Backend::Rtl {
            object.insert("memory".into(), json::memory(settings));
        }
        json::figures(&mut object, &product.report, seconds);
        object
    }
}

/// An error that names the first wrong elements, if there are any.
pub fn verdict(work: &Work, mismatches: usize, first: &[Mismatch]) -> Result {
    if mismatches == 0 {
        return Ok(());
    }
    let (name, shape) = &work.result;
    let line = |wrong: &Mismatch| {
        let Mismatch { index, expected, by, got } = wrong;
        format!("{}: expected {expected} ({by}), got {got}", element(name, shape, *index))
    };
    let lines: Vec<String> = first.iter().map(line).collect();
    Err(Failure::failed(wrong(mismatches, shape.iter().product(), &lines)))
}

/// How many elements are wrong, and the first of them, as a clause.
pub fn wrong(mismatches: usize, elements: usize, first: &[String]) -> String {
    let more = if mismatches > first.len() { "; ..." } else { "" };
    format!("{mismatches} of {elements} elements are wrong: {}{more}", first.join("; "))
}

/// An element of a tensor in words: `y[1, 2]`.
pub fn element(name: &str, shape: &[usize], mut index: usize) -> String {
    let mut digits: Vec<String> = shape
        .iter()
        .rev()
        .map(|size| {
            let digit = index % size;
            index /= size;
            digit.to_string()
        })
        .collect();
    digits.reverse();
    format!("{name}[{}]", digits.join(", "))
}

/// Refuses what would run for days; `what` says what it is and of what the bytes are.
pub fn check_bytes(what: (&str, &str), bytes: u128) -> Result {
    if bytes > LIMIT_BYTES {
        let (what, of) = what;
        return Err(Failure::input(format!(
            "{what} has {bytes} bytes of {of}, and this command takes at most {LIMIT_BYTES}"
        )));
    }
    Ok(())
}

/// Zero points: a number, or a file of one per column or output channel.
pub fn zero_points(option: &str, word: &str) -> Result<Vec<i32>> {
    match word.parse() {
        Ok(one) => Ok(vec![one]),
        Err(_) => npy::read_integers(file(option, word)?),
    }
}

/// The multiplier of a scale.
fn multiplier(scale: f64) -> Result<Multiplier> {
    Multiplier::of(scale).ok_or_else(|| {
        Failure::input(format!("scale {scale} cannot be used: it must be above 0 and below 2^30 for this rounding"))
    })
}

/// A word that is no number has to be a file that is there.
fn file<'a>(option: &str, word: &'a str) -> Result<&'a Path> {
    let path = Path::new(word);
    if path.exists() {
        return Ok(path);
    }
    Err(Failure::input(format!("{option} {word} is neither a number nor a file that is there")))
}

/// One dimension: from the command line and the files, which have to agree; `usual` if neither knows it.
pub fn size(
    name: &str,
    given: Option<usize>,
    files: &[(&Option<PathBuf>, Option<usize>)],
    usual: Option<usize>,
) -> Result<usize> {
    let known = files.iter().filter_map(|(path, size)| Some((format!("{}", path.as_ref()?.display()), (*size)?)));
    let mut known: Vec<(String, usize)> = known.collect();
    if let Some(given) = given {
        known.insert(0, (format!("--{name}"), given));
    }
    let Some((first, size)) = known.first().cloned() else {
        return usual.ok_or_else(|| {
            Failure::input(format!("{name} is not known: give --{name} or the file of an operand that has it"))
        });
    };
    match known.iter().find(|(_, other)| *other != size) {
        Some((other, differs)) => Err(Failure::input(format!(
            "{name} is {size} by {first} and {differs} by {other}: they have to be the same"
        ))),
        None => Ok(size),
    }
}
