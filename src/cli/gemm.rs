// SPDX-License-Identifier: Apache-2.0
//! `quader gemm`: one matrix product on the core, every element checked.

use super::machine::{self, Machine};
use super::output::{self, Output};
use super::table::{self, grouped};
use super::{Backend, Failure, Result, Target, job, json, npy, number, reference};
use clap::{Args, ValueEnum};
use host::{MemorySettings, Modelled, Product};
use isa::Dtype;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Bytes of A, B and C together that this command takes: beyond it the simulation would run for days.
const LIMIT_BYTES: u128 = 1 << 30;

/// Mismatches that are shown one by one.
const SHOWN: usize = 8;

const EXAMPLES: &str = "\
Examples:
  quader gemm --m 256 --n 256 --k 256
  quader gemm --a A.npy --b B.npy --out C.npy
  quader gemm --a A.npy --b B.npy --bias V.npy --scale 0.0125 --out-dtype i8 --relu --out C.npy
  quader gemm --m 64 --n 64 --k 64 --dtype u8s8 --config tiny --stall 0.3 --seed 7
  quader gemm --m 16 --n 16 --k 16 --wave gemm.vcd --json -
  quader gemm --a A.npy --b B.npy --config tiny --program job

C = (A - za) (B - zb) + bias, in int32 or requantised: round(C scale) + zc, saturated, as ONNX's QLinearMatMul.
The result is checked against the model and an independent product; files are written also if it is wrong
(exit status 1), so that they can be looked at. With --program nothing runs: the folder gets the program, the operands as
they lie in memory, and job.json, which says where everything lies and what is computed (docs/job.md).";

/// Number formats of A and B.
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
    fn dtypes(self) -> (Dtype, Dtype) {
        match self {
            Pair::S8s8 => (Dtype::S8, Dtype::S8),
            Pair::S8u8 => (Dtype::S8, Dtype::U8),
            Pair::U8s8 => (Dtype::U8, Dtype::S8),
            Pair::U8u8 => (Dtype::U8, Dtype::U8),
        }
    }
}

/// Number format of C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutDtype {
    /// int32, not requantised
    I32,
    /// int8
    I8,
    /// uint8
    U8,
}

impl OutDtype {
    fn name(self) -> &'static str {
        match self {
            OutDtype::I32 => "i32",
            OutDtype::I8 => "i8",
            OutDtype::U8 => "u8",
        }
    }
}

/// Multiply two matrices on the core and check every element of the result
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Gemm {
    /// Rows of A and C
    #[arg(long)]
    m: Option<usize>,
    /// Columns of B and C
    #[arg(long)]
    n: Option<usize>,
    /// Columns of A, rows of B
    #[arg(long)]
    k: Option<usize>,
    /// A, m x k, int8 or uint8; random from the seed if not given
    #[arg(long, value_name = "A.npy")]
    a: Option<PathBuf>,
    /// B, k x n, or n x k with --b-transposed; random from the seed if not given
    #[arg(long, value_name = "B.npy")]
    b: Option<PathBuf>,
    /// Bias, n int32 numbers
    #[arg(long, value_name = "V.npy")]
    bias: Option<PathBuf>,
    /// Scale of the requantisation: a number, or a file of n float32 numbers
    #[arg(long, value_name = "S|S.npy", allow_hyphen_values = true)]
    scale: Option<String>,
    /// Write C as a NumPy file
    #[arg(long, value_name = "C.npy")]
    out: Option<PathBuf>,
    /// B is n x k, row-major
    #[arg(long)]
    b_transposed: bool,
    /// Number formats of A and B; those of the files, else s8s8
    #[arg(long, value_enum)]
    dtype: Option<Pair>,
    /// Number format of C; i8 and u8 need --scale
    #[arg(long, value_enum, default_value_t = OutDtype::I32)]
    out_dtype: OutDtype,
    /// Zero point of A
    #[arg(long, value_name = "Z", default_value_t = 0, allow_negative_numbers = true)]
    zero_point_a: i32,
    /// Zero point of B: a number, or a file of n integers
    #[arg(long, value_name = "Z|Z.npy", default_value = "0", allow_hyphen_values = true)]
    zero_point_b: String,
    /// Zero point of C
    #[arg(long, value_name = "Z", default_value_t = 0, allow_negative_numbers = true)]
    zero_point_out: i32,
    /// No result below the zero point of C, or below 0 for i32
    #[arg(long)]
    relu: bool,
    /// No result outside these bounds
    #[arg(long, value_name = "LOW,HIGH", value_parser = bounds, allow_hyphen_values = true)]
    clamp: Option<(i32, i32)>,
    #[command(flatten)]
    memory: Memory,
    /// Seed of random operands, of stalls and of the power-up state
    #[arg(long, default_value_t = 1, value_parser = number)]
    seed: u64,
    /// Write every signal of the simulation as a waveform; large and slow
    #[arg(long, value_name = "F.vcd")]
    wave: Option<PathBuf>,
    /// Write the program with its data into a folder instead of running it, for a core of your own
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "wave", "json", "backend", "Memory"])]
    program: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
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
    fn settings(&self, seed: u64) -> Result<MemorySettings> {
        let usual = MemorySettings::default();
        machine::checked(MemorySettings {
            latency: self.mem_latency.unwrap_or(usual.latency),
            bytes_per_cycle: self.mem_bytes_per_cycle.unwrap_or(usual.bytes_per_cycle),
            shared: self.mem_shared,
            stall: self.stall.unwrap_or(usual.stall),
            seed,
        })
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

/// A product to be computed, with its operands.
struct Case {
    gemm: host::Gemm,
    a: Vec<u8>,
    b: Vec<u8>,
}

/// A wrong element.
struct Mismatch {
    row: usize,
    column: usize,
    expected: i32,
    by: &'static str,
    got: i32,
}

impl Gemm {
    /// Runs the command.
    pub fn run(&self) -> Result {
        let settings = self.memory.settings(self.seed)?;
        self.refuse_simulation_options()?;
        let case = self.case()?;
        if let Some(folder) = &self.program {
            return self.write_job(folder, &case);
        }
        let out = self.out.as_deref().map(Output::create).transpose()?;
        let json = self.target.json.as_deref().map(Output::create_or_stdout).transpose()?;
        let wave = self.wave.as_deref().map(Output::create).transpose()?;

        let mut machine = Machine::new(&self.target, settings, wave.as_ref().map(Output::scratch))?;
        let began = Instant::now();
        let compiled = case.gemm.compile(&self.target.config)?;
        let core = machine.doing("simulating the product", Some(compiled.tiling().estimate));
        let product = compiled.run(core, &case.a, &case.b)?;
        let seconds = began.elapsed().as_secs_f64();
        // The waveform is complete once the simulation is gone.
        drop(machine);
        let (mismatches, first) = self.check(&case, &product)?;

        let to_stdout = json.as_ref().is_some_and(Output::is_stdout);
        if !to_stdout {
            output::print(&self.text(&case, &product, seconds, mismatches))?;
        }
        if let Some(wave) = wave {
            wave.keep()?;
        }
        if let Some(out) = out {
            npy::write_product(out, &product, &case.gemm.output, case.gemm.m, case.gemm.n)?;
        }
        if let Some(json) = json {
            json::write(json, self.figures(&case, &product, seconds, mismatches, &settings))?;
        }
        self.verdict(mismatches, &first, case.gemm.m * case.gemm.n)
    }

    /// Writes the product as a job, for whoever has a core and wants to compute it, and to check it, on their own.
    fn write_job(&self, folder: &Path, case: &Case) -> Result {
        let config = &self.target.config;
        let compiled = case.gemm.compile(config)?;
        let product = compiled.job(&case.a, &case.b)?;
        job::write(folder, config, &product, "gemm", self.computed(&case.gemm))?;
        let (count, code) = (product.program.instructions().len(), grouped(product.program.code().len() as u64));
        let (folder, title) = (folder.display(), self.title(case));
        output::print(&format!("{folder}: {title}: {count} instructions, {code} bytes\n"))
    }

    /// All that tells one product from another, besides its operands.
    fn computed(&self, gemm: &host::Gemm) -> json::Object {
        let (scale, zero_point_out) = match &gemm.output {
            host::Output::Quantised { scales, zero_point, .. } => {
                (one(scales).map(|&scale| f64::from(scale)), *zero_point)
            }
            host::Output::Int32 => (None, 0),
        };
        let zero_point_b = if gemm.zero_points_b.is_empty() { Some(&0) } else { one(&gemm.zero_points_b) };
        let mut object = json::Object::new();
        for (key, value) in [
            ("m", json!(gemm.m)),
            ("n", json!(gemm.n)),
            ("k", json!(gemm.k)),
            ("b_transposed", json!(gemm.transposed_b)),
            ("zero_point_a", json!(gemm.zero_point_a)),
            ("zero_point_b", json!(zero_point_b)),
            ("scale", json!(scale)),
            ("zero_point_out", json!(zero_point_out)),
            ("relu", json!(gemm.relu)),
            ("clamp", json!(gemm.clamp)),
        ] {
            object.insert(key.into(), value);
        }
        object
    }

    fn refuse_simulation_options(&self) -> Result {
        if self.target.backend == Backend::Rtl {
            return Ok(());
        }
        let given = [
            ("--wave", self.wave.is_some()),
            ("--mem-latency", self.memory.mem_latency.is_some()),
            ("--mem-bytes-per-cycle", self.memory.mem_bytes_per_cycle.is_some()),
            ("--mem-shared", self.memory.mem_shared),
            ("--stall", self.memory.stall.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((option, _)) => {
                Err(Failure::input(format!("{option} needs --backend rtl: the model has no clock and no bus")))
            }
            None => Ok(()),
        }
    }

    fn case(&self) -> Result<Case> {
        let a = self.a.as_deref().map(npy::read_matrix).transpose()?;
        let b = self.b.as_deref().map(npy::read_matrix).transpose()?;
        let a_shape = a.as_ref().map(|a| (a.rows, a.columns));
        let b_shape = b.as_ref().map(|b| if self.b_transposed { (b.columns, b.rows) } else { (b.rows, b.columns) });
        let m = size("m", self.m, [(&self.a, a_shape.map(|(m, _)| m)), (&None, None)])?;
        let n = size("n", self.n, [(&None, None), (&self.b, b_shape.map(|(_, n)| n))])?;
        let k = size("k", self.k, [(&self.a, a_shape.map(|(_, k)| k)), (&self.b, b_shape.map(|(k, _)| k))])?;
        let mut gemm = host::Gemm::new(m, n, k);
        gemm.dtype_a = self.dtype("A", &self.a, a.as_ref(), |(a, _)| a)?;
        gemm.dtype_b = self.dtype("B", &self.b, b.as_ref(), |(_, b)| b)?;
        gemm.transposed_b = self.b_transposed;
        gemm.zero_point_a = self.zero_point_a;
        gemm.zero_points_b = match self.zero_point_b.parse() {
            Ok(one) => vec![one],
            Err(_) => npy::read_integers(file("--zero-point-b", &self.zero_point_b)?)?,
        };
        gemm.bias = self.bias.as_deref().map(npy::read_integers).transpose()?;
        gemm.output = self.output()?;
        gemm.relu = self.relu;
        gemm.clamp = self.clamp;
        gemm.validate()?;
        let (m, n, k) = (m as u128, n as u128, k as u128);
        let c_bytes = if self.out_dtype == OutDtype::I32 { 4 } else { 1 };
        let bytes = m * k + k * n + c_bytes * m * n;
        if bytes > LIMIT_BYTES {
            return Err(Failure::input(format!(
                "a product of m = {m}, n = {n}, k = {k} has {bytes} bytes of A, B and C, and this command takes at most {LIMIT_BYTES}"
            )));
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut filled = |length: u128| {
            let mut bytes = vec![0; length as usize];
            random.fill_bytes(&mut bytes);
            bytes
        };
        let a = a.map_or_else(|| filled(m * k), |a| a.bytes);
        let b = b.map_or_else(|| filled(k * n), |b| b.bytes);
        Ok(Case { gemm, a, b })
    }

    /// The dtype of an operand: its file's, which has to be the one asked for.
    fn dtype(
        &self,
        operand: &str,
        path: &Option<PathBuf>,
        matrix: Option<&npy::Matrix>,
        side: fn((Dtype, Dtype)) -> Dtype,
    ) -> Result<Dtype> {
        let asked = self.dtype.map(|pair| side(pair.dtypes()));
        match (asked, path, matrix) {
            (Some(asked), Some(path), Some(matrix)) if asked != matrix.dtype => Err(Failure::input(format!(
                "{} holds {}, and --dtype asks for {operand} in {asked}: leave out --dtype or convert the file",
                path.display(),
                matrix.dtype
            ))),
            (_, _, Some(matrix)) => Ok(matrix.dtype),
            (asked, ..) => Ok(asked.unwrap_or(Dtype::S8)),
        }
    }

    fn output(&self) -> Result<host::Output> {
        let dtype = match self.out_dtype {
            OutDtype::I32 if self.scale.is_some() => {
                return Err(Failure::input("--scale needs --out-dtype i8 or u8: an i32 result is not scaled"));
            }
            OutDtype::I32 if self.zero_point_out != 0 => {
                return Err(Failure::input("--zero-point-out needs --out-dtype i8 or u8: an i32 result has none"));
            }
            OutDtype::I32 => return Ok(host::Output::Int32),
            OutDtype::I8 => Dtype::S8,
            OutDtype::U8 => Dtype::U8,
        };
        let Some(scale) = &self.scale else {
            let name = self.out_dtype.name();
            return Err(Failure::input(format!("--out-dtype {name} needs --scale: give a number, for example 0.01")));
        };
        let scales = match scale.parse() {
            Ok(one) => vec![one],
            Err(_) => npy::read_floats(file("--scale", scale)?)?,
        };
        Ok(host::Output::Quantised { dtype, scales, zero_point: self.zero_point_out })
    }

    /// Compares with the model and with the independent product: how many elements are wrong, and the first of them.
    fn check(&self, case: &Case, product: &Product) -> Result<(usize, Vec<Mismatch>)> {
        let got = product.values();
        let mut references = vec![("the independent product", reference::product(&case.gemm, &case.a, &case.b))];
        if self.target.backend == Backend::Rtl {
            let mut model = Modelled::new(&self.target.config, self.seed)?;
            references.push(("the model", host::gemm(&mut model, &case.gemm, &case.a, &case.b)?.values()));
        }
        let (mut count, mut first) = (0, Vec::new());
        for (index, &got) in got.iter().enumerate() {
            let wrong = references.iter().find(|(_, expected)| expected[index] != got);
            let Some((by, expected)) = wrong else { continue };
            count += 1;
            if first.len() < SHOWN {
                let (row, column) = (index / case.gemm.n, index % case.gemm.n);
                first.push(Mismatch { row, column, expected: expected[index], by, got });
            }
        }
        Ok((count, first))
    }

    fn verdict(&self, mismatches: usize, first: &[Mismatch], elements: usize) -> Result {
        if mismatches == 0 {
            return Ok(());
        }
        let line = |wrong: &Mismatch| {
            let Mismatch { row, column, expected, by, got } = wrong;
            format!("C[{row}, {column}]: expected {expected} ({by}), got {got}")
        };
        let lines: Vec<String> = first.iter().map(line).collect();
        let more = if mismatches > first.len() { "; ..." } else { "" };
        Err(Failure::failed(format!("{mismatches} of {elements} elements are wrong: {}{more}", lines.join("; "))))
    }

    fn title(&self, case: &Case) -> String {
        let host::Gemm { m, n, k, dtype_a, dtype_b, .. } = case.gemm;
        let (core, out) = (&self.target.config.name, self.out_dtype.name());
        format!("C[{m}, {n}] {out} = A[{m}, {k}] {dtype_a} x B[{k}, {n}] {dtype_b} on {core}")
    }

    fn text(&self, case: &Case, product: &Product, seconds: f64, mismatches: usize) -> String {
        let host::Gemm { m, n, .. } = case.gemm;
        let (title, backend, seed) = (self.title(case), self.target.backend.name(), self.seed);
        let mut text = format!("{title} ({backend}), seed {seed}\n\n");
        text.push_str(&table::summary(&product.report, seconds));
        let pipes = table::pipes(&product.report);
        if !pipes.is_empty() {
            text.push_str("\nwhere the cycles went\n");
            text.push_str(&pipes);
        }
        if mismatches == 0 {
            let elements = grouped((m * n) as u64);
            let against = if self.target.backend == Backend::Rtl {
                "the model and an independent product"
            } else {
                "an independent product"
            };
            text.push_str(&format!("\nall {elements} elements equal {against}\n"));
        }
        text
    }

    fn figures(
        &self,
        case: &Case,
        product: &Product,
        seconds: f64,
        mismatches: usize,
        settings: &MemorySettings,
    ) -> json::Object {
        let mut object = json::head(&self.target);
        let gemm = &case.gemm;
        let mut put = |key: &str, value: serde_json::Value| {
            object.insert(key.into(), value);
        };
        put("m", json!(gemm.m));
        put("n", json!(gemm.n));
        put("k", json!(gemm.k));
        put("dtype", json!(format!("{}{}", gemm.dtype_a, gemm.dtype_b)));
        put("out_dtype", json!(self.out_dtype.name()));
        put("b_transposed", json!(gemm.transposed_b));
        put("macs", json!(gemm.m as u64 * gemm.n as u64 * gemm.k as u64));
        put("mismatches", json!(mismatches));
        put("seed", json!(self.seed));
        if self.target.backend == Backend::Rtl {
            put("memory", json::memory(settings));
        }
        json::figures(&mut object, &product.report, seconds);
        object
    }
}

/// The number that holds for all columns, if it is one.
fn one<T>(numbers: &[T]) -> Option<&T> {
    if let [one] = numbers { Some(one) } else { None }
}

/// A word that is no number has to be a file that is there.
fn file<'a>(option: &str, word: &'a str) -> Result<&'a Path> {
    let path = Path::new(word);
    if path.exists() {
        return Ok(path);
    }
    Err(Failure::input(format!("{option} {word} is neither a number nor a file that is there")))
}

/// One dimension: from the command line and the files, which have to agree.
fn size(name: &str, given: Option<usize>, files: [(&Option<PathBuf>, Option<usize>); 2]) -> Result<usize> {
    let known = files.iter().filter_map(|(path, size)| Some((format!("{}", path.as_ref()?.display()), (*size)?)));
    let mut known: Vec<(String, usize)> = known.collect();
    if let Some(given) = given {
        known.insert(0, (format!("--{name}"), given));
    }
    let Some((first, size)) = known.first().cloned() else {
        return Err(Failure::input(format!(
            "{name} is not known: give --{name} or the file of an operand that has it"
        )));
    };
    match known.iter().find(|(_, other)| *other != size) {
        Some((other, differs)) => Err(Failure::input(format!(
            "{name} is {size} by {first} and {differs} by {other}: they have to be the same"
        ))),
        None => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        gemm: Gemm,
    }

    fn command(words: &str) -> Gemm {
        Alone::parse_from(std::iter::once("quader").chain(words.split_whitespace())).gemm
    }

    #[test]
    fn a_wrong_element_is_found_and_named() {
        let by = "the independent product";
        for backend in ["rtl", "model"] {
            let command = command(&format!("--m 5 --n 7 --k 9 --seed 3 --backend {backend}"));
            let case = command.case().expect("legal");
            let mut model = Modelled::new(&command.target.config, 1).expect("legal");
            let mut product = host::gemm(&mut model, &case.gemm, &case.a, &case.b).expect("it runs");
            let right = command.check(&case, &product).expect("it runs");
            assert_eq!(right.0, 0);
            assert!(command.verdict(0, &right.1, 35).is_ok());
            // Row 2, column 3: bit 0 of the lowest byte.
            let at = 2 * 7 + 3;
            let expected = product.values()[at];
            product.c[4 * at] ^= 1;
            let (count, first) = command.check(&case, &product).expect("it runs");
            let Err(Failure::Failed(sentence)) = command.verdict(count, &first, 35) else { panic!("it is wrong") };
            let got = expected ^ 1;
            assert_eq!(sentence, format!("1 of 35 elements are wrong: C[2, 3]: expected {expected} ({by}), got {got}"));
            let json = command.figures(&case, &product, 1.0, count, &MemorySettings::default());
            assert_eq!(json["mismatches"], 1);
        }
    }

    #[test]
    fn only_the_first_wrong_elements_are_shown() {
        let command = command("--m 5 --n 7 --k 9 --backend model");
        let case = command.case().expect("legal");
        let mut model = Modelled::new(&command.target.config, 1).expect("legal");
        let mut product = host::gemm(&mut model, &case.gemm, &case.a, &case.b).expect("it runs");
        product.c.iter_mut().step_by(4).for_each(|byte| *byte ^= 0x80);
        let (count, first) = command.check(&case, &product).expect("it runs");
        assert_eq!((count, first.len()), (35, SHOWN));
        let Err(failure) = command.verdict(count, &first, 35) else { panic!("it is wrong") };
        assert!(failure.to_string().ends_with("; ..."), "{failure}");
    }

    #[test]
    fn operands_depend_on_the_seed_only() {
        let of = |seed| command(&format!("--m 5 --n 7 --k 9 --seed {seed}")).case().expect("legal");
        assert_eq!((of(1).a, of(1).b), (of(1).a, of(1).b));
        assert_ne!(of(1).a, of(2).a);
    }
}
