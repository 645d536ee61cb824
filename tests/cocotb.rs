// SPDX-License-Identifier: Apache-2.0
//! The emitted Verilog of `tiny` in the hands of strangers: cocotb drives it, `cocotbext-axi` is its memory and its host, NumPy knows the answers.
//!
//! `quader gemm --program` and `quader conv --program` write the jobs to files; nothing else of this project takes part. What is checked stands in `tests/cocotb/judge.py`.

#![allow(clippy::unwrap_used)]

use fpga::{Cocotb, Session, Verdict};
use isa::Config;
use ndarray::Array1;
use ndarray_npy::write_npy;
use rand::{Rng, RngExt};
use rtl::emit::{Design, emit};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Behaviours of memory and host in `tests/cocotb/bus.py`.
const STALLS: [&str; 4] = ["none", "some", "many", "bursts"];

/// Lines of the log that a failure shows.
const SHOWN: usize = 30;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An empty folder for a test.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cocotb").join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn cocotb() -> &'static Cocotb {
    static COCOTB: OnceLock<Cocotb> = OnceLock::new();
    COCOTB.get_or_init(|| Cocotb::find().unwrap_or_else(|error| panic!("{error}")))
}

/// Tiny, printed once, and its simulator, built once.
fn tiny() -> &'static (Design, PathBuf) {
    static TINY: OnceLock<(Design, PathBuf)> = OnceLock::new();
    TINY.get_or_init(|| {
        let core = rtl::top::core(&Config::tiny()).unwrap();
        let design = emit(&*core, "quader").unwrap_or_else(|error| panic!("{error}"));
        let simulator = cocotb().build(&design).unwrap_or_else(|error| panic!("{error}"));
        (design, simulator)
    })
}

/// Writes a job for tiny into `jobs/name`.
fn job(jobs: &Path, name: &str, options: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quader"));
    command.args(options.split_whitespace()).args(["--config", "tiny", "--program", name]);
    let ended = command.current_dir(jobs).output().unwrap();
    assert!(ended.status.success(), "{name}: {}", String::from_utf8_lossy(&ended.stderr));
}

/// Runs the judge on the folders in `jobs`; `filter` is a regular expression for the names of its tests.
fn judged(name: &str, jobs: &Path, seed: u64, filter: &str) -> Verdict {
    let (design, simulator) = tiny();
    let variables = [
        ("QUADER_ROOT", root().display().to_string()),
        ("QUADER_JOBS", jobs.display().to_string()),
        ("QUADER_SEED", seed.to_string()),
        ("COCOTB_TEST_FILTER", filter.to_owned()),
    ];
    let (tests, out) = (root().join("tests/cocotb"), folder(name));
    let session = Session { folder: &tests, module: "judge", variables: &variables, seed, out: &out };
    cocotb().run(simulator, design, &session).unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

#[test]
fn products_and_convolutions_are_right_with_the_axi_models_and_the_numbers_of_others() {
    let tb::Seed { value: seed, mut rng } = tb::seed(1);
    let inputs = folder("inputs");
    let columns = 21;
    let vector = |name: &str| inputs.join(name).display().to_string();
    write_npy(vector("bias.npy"), &Array1::from_shape_fn(columns, |_| rng.random_range(-9000..9000))).unwrap();
    write_npy(vector("zero.npy"), &Array1::from_shape_fn(columns, |_| rng.random_range(0..256))).unwrap();
    write_npy(vector("scale.npy"), &Array1::from_shape_fn(columns, |_| rng.random_range(0.0005f32..0.004))).unwrap();
    let (bias, zero, scale) = (vector("bias.npy"), vector("zero.npy"), vector("scale.npy"));
    let mut random = || (0..3).map(|_| rng.random_range(1..48).to_string()).collect::<Vec<String>>();
    let [m, n, k] = &random()[..] else { unreachable!() };
    let cases = [
        ("blocks", "--m 16 --n 16 --k 16".to_owned()),
        ("partial", "--m 7 --n 13 --k 37".to_owned()),
        ("transposed", "--m 20 --n 9 --k 33 --b-transposed".to_owned()),
        (
            "zero_points",
            format!("--m 19 --n 21 --k 30 --dtype u8u8 --zero-point-a 117 --zero-point-b {zero} --bias {bias}"),
        ),
        (
            "int8",
            format!(
                "--m 18 --n 21 --k 40 --dtype u8s8 --zero-point-a 9 --zero-point-b -3 --bias {bias} --scale {scale} --out-dtype i8 --zero-point-out -5 --relu"
            ),
        ),
        (
            "uint8",
            "--m 33 --n 5 --k 64 --dtype s8u8 --scale 0.0004 --out-dtype u8 --zero-point-out 130 --clamp 20,220"
                .to_owned(),
        ),
        (
            "gemmlowp",
            format!(
                "--m 18 --n 21 --k 40 --bias {bias} --scale {scale} --out-dtype i8 --rounding gemmlowp --zero-point-out 5"
            ),
        ),
        (
            "tflite",
            "--m 9 --n 17 --k 33 --scale 0.0007 --out-dtype u8 --rounding tflite --zero-point-out 120".to_owned(),
        ),
        ("float32", format!("--m 11 --n 21 --k 20 --scale {scale} --out-dtype f32 --relu")),
        ("tiles", "--m 70 --n 40 --k 150".to_owned()),
        ("random", format!("--m {m} --n {n} --k {k}")),
    ];
    let products = cases.map(|(name, options)| (name, format!("gemm {options}")));
    let convolutions = [
        ("conv", "--h 6 --w 7 --cin 5 --cout 9 --kh 3 --kw 3 --pad 1".to_owned()),
        (
            "conv_int8",
            format!(
                "--n 2 --h 9 --w 8 --cin 3 --cout 21 --kh 3 --kw 2 --stride 2 --pad 2,1,0,1 --dtype u8s8 --zero-point-x 131 --bias {bias} --scale {scale} --out-dtype i8 --relu"
            ),
        ),
        (
            "conv_groups",
            "--h 7 --w 9 --cin 12 --cout 8 --kh 2 --kw 3 --groups 4 --dilation 2 --pad 2 --dtype u8u8 --zero-point-x 7 --zero-point-w 250".to_owned(),
        ),
        ("depthwise", "--h 8 --w 5 --cin 10 --cout 10 --kh 3 --kw 3 --groups 10 --pad 1".to_owned()),
        ("pointwise", "--h 5 --w 6 --cin 19 --cout 7 --kh 1 --kw 1".to_owned()),
    ];
    let convolutions = convolutions.map(|(name, options)| (name, format!("conv {options}")));
    let cases: Vec<(&str, String)> = products.into_iter().chain(convolutions).collect();
    let jobs = folder("jobs");
    for (name, options) in &cases {
        job(&jobs, name, &format!("{options} --seed {}", rng.next_u32()));
    }
    let Verdict { passed, failed, log, log_file } = judged("right", &jobs, seed, "");
    let complaints: Vec<&str> = log.lines().filter(|line| line.contains("Error")).take(SHOWN).collect();
    assert!(
        failed.is_empty(),
        "seed {seed}: {} of {} tests failed: {}; see {}\n{}",
        failed.len(),
        failed.len() + passed.len(),
        failed.join(", "),
        log_file.display(),
        complaints.join("\n")
    );
    for stall in STALLS {
        for (name, _) in &cases {
            assert!(passed.contains(&format!("computes/job={name}/stall={stall}")), "{passed:?}");
        }
        for test in ["says_what_it_is", "refuses_wrong_accesses", "stops_at_a_closed_window"] {
            assert!(passed.contains(&format!("{test}/stall={stall}")), "{passed:?}");
        }
    }
    for stall in ["none", "bursts"] {
        assert!(passed.contains(&format!("computes_one_after_the_other/stall={stall}")), "{passed:?}");
    }
    log.lines().filter(|line| line.contains("stalls none: right")).for_each(|line| println!("{line}"));
}

/// Changes one thing of a job that is right.
fn tampered(jobs: &Path, name: &str, change: impl FnOnce(&mut Value, &mut Vec<u8>)) {
    job(jobs, name, "gemm --m 7 --n 13 --k 37");
    let (text, code) = (jobs.join(name).join("job.json"), jobs.join(name).join("program.bin"));
    let mut description = serde_json::from_slice(&fs::read(&text).unwrap()).unwrap();
    let mut program = fs::read(&code).unwrap();
    change(&mut description, &mut program);
    fs::write(text, description.to_string()).unwrap();
    fs::write(code, program).unwrap();
}

#[test]
fn the_judge_finds_what_is_wrong() {
    let seed = tb::seed(1).value;
    let jobs = folder("tampered");
    // Bases and windows of a product: A, B, C.
    let cases = [
        ("zero_point", "elements are wrong"),
        ("operand", "elements are wrong"),
        ("window", "it ended with status 3"),
        ("end", "it ended with status 3"),
        ("result", "is outside the result and was written"),
        ("overwrite", "is outside the result and was written"),
    ];
    tampered(&jobs, "zero_point", |job, _| job["gemm"]["zero_point_a"] = json!(1));
    tampered(&jobs, "operand", |job, _| job["operands"][1]["address"] = json!(number(&job["bases"][1]) + 1));
    tampered(&jobs, "window", |job, _| job["windows"][0]["last"] = json!(number(&job["windows"][0]["last"]) - 1));
    tampered(&jobs, "end", |_, code| code.truncate(code.len() - isa::limits::INSTRUCTION_BYTES));
    tampered(&jobs, "result", |job, _| job["result"]["address"] = json!(number(&job["bases"][2]) + 4));
    tampered(&jobs, "overwrite", |job, _| {
        job["bases"][2] = job["bases"][1].clone();
        job["windows"][1] =
            json!({ "first": job["windows"][1]["first"], "last": job["windows"][2]["last"], "rights": 3 });
    });
    let Verdict { passed, failed, log, log_file } = judged("wrong", &jobs, seed, "computes/.*stall=none");
    assert_eq!(passed, Vec::<String>::new(), "{}", log_file.display());
    assert_eq!(failed.len(), cases.len(), "{failed:?}");
    for (name, words) in cases {
        let place = jobs.join(name);
        let told = log.lines().any(|line| line.contains(&format!("{},", place.display())) && line.contains(words));
        assert!(told, "{name}: nothing says `{words}` in {}", log_file.display());
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

#[test]
fn a_session_without_tests_is_not_a_success() {
    let jobs = folder("one");
    job(&jobs, "one", "gemm --m 4 --n 4 --k 4");
    let Verdict { passed, failed, .. } = judged("none", &jobs, 1, "no test has this name");
    assert_eq!((passed, failed), (vec![], vec![]));
}

#[test]
fn the_references_and_the_bus_rules_of_the_judge_are_right() {
    let seed = tb::seed(1).value;
    let script = |name: &str, arguments: &[String]| {
        let script = root().join("tests/cocotb").join(name);
        cocotb().script(&script, arguments).unwrap_or_else(|error| panic!("{error}"))
    };
    let said = script("test_reference.py", &[seed.to_string()]);
    let compared: usize = said.split_whitespace().nth(2).and_then(|word| word.parse().ok()).unwrap_or(0);
    assert!(compared > 3000, "{said}");
    let said = script("test_bus.py", &[]);
    assert!(said.contains("every broken rule was found"), "{said}");
}
