// SPDX-License-Identifier: Apache-2.0
//! `quader gemm`: one matrix product on the core, every element checked.

use super::job::Computed;
use super::product::{Options, Work, check_bytes, size, zero_points};
use super::{Result, Target, job, json, npy, reference};
use clap::Args;
use host::{Compiled, Transport};
use serde_json::json;
use std::path::{Path, PathBuf};

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
    /// B is n x k, row-major
    #[arg(long)]
    b_transposed: bool,
    /// Zero point of A
    #[arg(long, value_name = "Z", default_value_t = 0, allow_negative_numbers = true)]
    zero_point_a: i32,
    /// Zero point of B: a number, or a file of n integers
    #[arg(long, value_name = "Z|Z.npy", default_value = "0", allow_hyphen_values = true)]
    zero_point_b: String,
    #[command(flatten)]
    options: Options,
}

/// A product to be computed, with its operands.
struct Case {
    gemm: host::Gemm,
    a: Vec<u8>,
    b: Vec<u8>,
}

impl Gemm {
    /// The core that it runs on.
    pub fn target_mut(&mut self) -> &mut Target {
        &mut self.options.target
    }

    /// Runs the command.
    pub fn run(&self) -> Result {
        let memory = self.options.settings()?;
        let case = self.case()?;
        let compiled = case.gemm.compile_behind(&self.options.target.config, &memory)?;
        if let Some(folder) = &self.options.program {
            return self.write_job(folder, &case, &compiled);
        }
        self.options.run(&self.work(
            &case,
            compiled.tiling().estimate,
            &|core| compiled.run(core, &case.a, &case.b),
            &|| reference::product(&case.gemm, &case.a, &case.b),
        ))
    }

    /// Writes the product as a job, for whoever has a core and wants to compute it, and to check it, on their own.
    fn write_job(&self, folder: &Path, case: &Case, compiled: &Compiled) -> Result {
        let config = &self.options.target.config;
        let product = compiled.job(&case.a, &case.b)?;
        let computed = Computed { kind: "gemm", figures: computed(&case.gemm), given: vec![] };
        job::write(folder, config, &product, &self.title(&case.gemm), computed)
    }

    fn title(&self, gemm: &host::Gemm) -> String {
        let host::Gemm { m, n, k, dtype_a, dtype_b, .. } = gemm;
        let out = self.options.out_dtype.name();
        format!("C[{m}, {n}] {out} = A[{m}, {k}] {dtype_a} x B[{k}, {n}] {dtype_b}")
    }

    fn case(&self) -> Result<Case> {
        let a = self.a.as_deref().map(|path| npy::read_tensor(path, 2)).transpose()?;
        let b = self.b.as_deref().map(|path| npy::read_tensor(path, 2)).transpose()?;
        let a_size = |axis: usize| (&self.a, a.as_ref().map(|a| a.shape[axis]));
        let b_size = |axis: usize| {
            let axis = if self.b_transposed { 1 - axis } else { axis };
            (&self.b, b.as_ref().map(|b| b.shape[axis]))
        };
        let m = size("m", self.m, &[a_size(0)], None)?;
        let n = size("n", self.n, &[b_size(1)], None)?;
        let k = size("k", self.k, &[a_size(1), b_size(0)], None)?;
        let mut gemm = host::Gemm::new(m, n, k);
        gemm.dtype_a = self.options.dtype(0, "A", &self.a, a.as_ref())?;
        gemm.dtype_b = self.options.dtype(1, "B", &self.b, b.as_ref())?;
        gemm.transposed_b = self.b_transposed;
        gemm.zero_point_a = self.zero_point_a;
        gemm.zero_points_b = zero_points("--zero-point-b", &self.zero_point_b)?;
        gemm.bias = self.options.bias()?;
        gemm.output = self.options.output()?;
        gemm.relu = self.options.relu;
        gemm.clamp = self.options.clamp;
        gemm.validate()?;
        let bytes = gemm.a_bytes() as u128 + gemm.b_bytes() as u128 + gemm.c_bytes() as u128;
        check_bytes((&format!("a product of m = {m}, n = {n}, k = {k}"), "A, B and C"), bytes)?;
        let [a, b] = self.options.operands([a, b], [gemm.a_bytes(), gemm.b_bytes()]);
        Ok(Case { gemm, a, b })
    }

    fn work<'a>(
        &self,
        case: &Case,
        estimate: u64,
        run: &'a dyn Fn(&mut dyn Transport) -> host::Result<host::Product>,
        expected: &'a dyn Fn() -> Vec<i32>,
    ) -> Work<'a> {
        let host::Gemm { m, n, k, dtype_a, dtype_b, transposed_b, .. } = case.gemm;
        let out = self.options.out_dtype.name();
        let mut figures = json::Object::new();
        for (key, value) in [
            ("m", json!(m)),
            ("n", json!(n)),
            ("k", json!(k)),
            ("dtype", json!(format!("{dtype_a}{dtype_b}"))),
            ("out_dtype", json!(out)),
            ("b_transposed", json!(transposed_b)),
            ("macs", json!(m as u64 * n as u64 * k as u64)),
        ] {
            figures.insert(key.into(), value);
        }
        Work {
            doing: "simulating the product",
            title: self.title(&case.gemm),
            result: ("C", vec![m, n]),
            reference: "product",
            estimate,
            run,
            expected,
            figures,
            notes: String::new(),
        }
    }
}

/// All that tells one product from another, besides its operands.
fn computed(gemm: &host::Gemm) -> json::Object {
    let mut object = json::Object::new();
    let product = [
        ("m", json!(gemm.m)),
        ("n", json!(gemm.n)),
        ("k", json!(gemm.k)),
        ("b_transposed", json!(gemm.transposed_b)),
        ("zero_point_a", json!(gemm.zero_point_a)),
        ("zero_point_b", job::zero_point(&gemm.zero_points_b)),
    ];
    for (key, value) in product.into_iter().chain(job::finish(&gemm.output, gemm.relu, gemm.clamp)) {
        object.insert(key.into(), value);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::super::{Failure, product::verdict};
    use super::*;
    use clap::Parser;
    use host::{MemorySettings, Modelled, Product};

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        gemm: Gemm,
    }

    fn command(words: &str) -> Gemm {
        Alone::parse_from(std::iter::once("quader").chain(words.split_whitespace())).gemm
    }

    /// The result on the model, changed, and then checked: how many elements are wrong, the verdict, the mismatches of the JSON.
    fn checked(words: &str, change: impl Fn(&mut Product)) -> (usize, Result, serde_json::Value) {
        let command = command(words);
        let case = command.case().expect("legal");
        let run = |core: &mut dyn Transport| host::gemm(core, &case.gemm, &case.a, &case.b);
        let expected = || reference::product(&case.gemm, &case.a, &case.b);
        let work = command.work(&case, 0, &run, &expected);
        let mut model = Modelled::new(&command.options.target.config, 1).expect("legal");
        let mut product = run(&mut model).expect("it runs");
        change(&mut product);
        let (count, first) = command.options.check(&work, &product).expect("it runs");
        let json = command.options.figures(&work, &product, 1.0, count, &MemorySettings::default());
        (count, verdict(&work, count, &first), json["mismatches"].clone())
    }

    #[test]
    fn a_wrong_element_is_found_and_named() {
        let by = "the independent product";
        for backend in ["rtl", "model"] {
            let words = format!("--m 5 --n 7 --k 9 --seed 3 --backend {backend}");
            let (count, right, _) = checked(&words, |_| {});
            assert!(count == 0 && right.is_ok());
            // Row 2, column 3: bit 0 of the lowest byte.
            let at = 2 * 7 + 3;
            let case = command(&words).case().expect("legal");
            let expected = reference::product(&case.gemm, &case.a, &case.b)[at];
            let (_, wrong, mismatches) = checked(&words, |product| product.c[4 * at] ^= 1);
            let Err(Failure::Failed(sentence)) = wrong else { panic!("it is wrong") };
            let got = expected ^ 1;
            assert_eq!(sentence, format!("1 of 35 elements are wrong: C[2, 3]: expected {expected} ({by}), got {got}"));
            assert_eq!(mismatches, 1);
        }
    }

    #[test]
    fn only_the_first_wrong_elements_are_shown() {
        let (count, wrong, _) = checked("--m 5 --n 7 --k 9 --backend model", |product| {
            product.c.iter_mut().step_by(4).for_each(|byte| *byte ^= 0x80);
        });
        let Err(failure) = wrong else { panic!("it is wrong") };
        let sentence = failure.to_string();
        assert!(count == 35 && sentence.ends_with("; ...") && sentence.matches("expected").count() == 8, "{sentence}");
    }

    #[test]
    fn operands_depend_on_the_seed_only() {
        let of = |seed| command(&format!("--m 5 --n 7 --k 9 --seed {seed}")).case().expect("legal");
        assert_eq!((of(1).a, of(1).b), (of(1).a, of(1).b));
        assert_ne!(of(1).a, of(2).a);
    }
}
