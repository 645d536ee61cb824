// SPDX-License-Identifier: Apache-2.0
//! `quader demo`: real handwritten digits, classified by an int8 network on the core.
//!
//! ```text
//!  pixels u8 ─► GEMM + bias, requantise, ReLU ─► hidden u8 ─► GEMM + bias, requantise ─► output s8 ─► largest
//! ```
//! The samples are the rows of A, so each layer is one product. The same runs on the model, which has to give the same bits, and in
//! float32, which says what quantisation costs.

use super::machine::Machine;
use super::output::{self, Output};
use super::table::{self, percent};
use super::wave::{Compared, Waving};
use super::{Backend, Failure, Result, Target, json};
use clap::{Args, Parser};
use host::{Compiled, Gemm, MemorySettings, Modelled, Report, Transport, Trigger};
use isa::{Config, Dtype};
use quader::digits::{Digits, Layer, Mlp, class};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::ops::Range;
use std::time::Instant;

/// Samples without `--all`.
const FEW: usize = 64;

/// Digits that are drawn.
const DRAWN: usize = 8;

/// From paper to the most ink.
const SHADES: [char; 5] = [' ', '.', 'o', '#', '@'];

const DETAILS: &str = "\
Examples:
  quader demo
  quader demo --all --config tiny
  quader demo --backend model --json -

The digits are 450 of the UCI set (E. Alpaydin, C. Kaynak, CC BY 4.0) that nothing was trained or chosen with; the
network is 64 -> 90 -> 10, trained and quantised by demo/train.py. Exit status 1: core and model differ in a bit.";

/// Classify handwritten digits with an int8 network on the core
#[derive(Args, Clone, Debug)]
#[command(after_help = DETAILS)]
pub struct Demo {
    /// All 450 digits of the test part instead of the first 64
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    waving: Waving,
    #[command(flatten)]
    target: Target,
}

/// A command line with nothing but the demo's options, for the options' defaults.
#[derive(Parser)]
struct Alone {
    #[command(flatten)]
    demo: Demo,
}

impl Default for Demo {
    fn default() -> Demo {
        Alone::parse_from(["quader"]).demo
    }
}

/// What the integer network gives for some samples.
struct Answer {
    /// `[samples, 90]` u8.
    hidden: Vec<u8>,
    /// `[samples, 10]` s8.
    output: Vec<u8>,
    report: Report,
    seconds: f64,
    /// Where both lay in memory.
    addresses: [u64; 2],
}

impl Answer {
    fn compute(core: &mut dyn Transport, layers: &[Compiled; 2], mlp: &Mlp, pixels: &[u8]) -> Result<Answer> {
        let began = Instant::now();
        let hidden = layers[0].run(core, pixels, &mlp.hidden.weights)?;
        let output = layers[1].run(core, &hidden.c, &mlp.output.weights)?;
        let addresses = [hidden.address, output.address];
        let mut report = hidden.report;
        report.add(&output.report);
        let seconds = began.elapsed().as_secs_f64();
        Ok(Answer { hidden: hidden.c, output: output.c, report, seconds, addresses })
    }

    /// Where the first activation is written that is not the model's; each has a byte.
    fn first_wrong(&self, model: &Answer) -> Option<Trigger> {
        let layers = [(&self.hidden, &model.hidden), (&self.output, &model.output)];
        let of_layer = |(run, (own, models)): (usize, (&Vec<u8>, &Vec<u8>))| {
            let index = own.iter().zip(models).position(|(own, models)| own != models)?;
            Some(Trigger::Written { run, address: self.addresses[run] + index as u64 })
        };
        layers.into_iter().enumerate().find_map(of_layer)
    }

    fn classes(&self, mlp: &Mlp) -> Vec<usize> {
        let signed: Vec<i8> = self.output.iter().map(|&byte| byte as i8).collect();
        signed.chunks_exact(mlp.output.outputs).map(class).collect()
    }
}

/// `input w + bias`, requantised: one product, a sample per row. A layer with unsigned results has the ReLU.
fn compile(layer: &Layer, samples: usize, dtype: Dtype, config: &Config) -> Result<Compiled> {
    let mut gemm = Gemm::new(samples, layer.outputs, layer.inputs);
    gemm.dtype_a = Dtype::U8;
    gemm.bias = Some(layer.bias.clone());
    gemm.output = host::Output::Quantised { dtype, scales: layer.scales.clone(), zero_point: layer.zero_point };
    gemm.relu = dtype == Dtype::U8;
    Ok(gemm.compile(config)?)
}

/// How many of the samples each network gets right.
struct Score {
    samples: usize,
    float: usize,
    model: usize,
    core: usize,
}

impl Demo {
    /// The core that it runs on.
    pub fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    /// Runs the command.
    pub fn run(&self) -> Result {
        self.waving.check(&self.target)?;
        let json = self.target.json.as_deref().map(Output::create_or_stdout).transpose()?;
        let (digits, mlp) = (Digits::shipped(), Mlp::shipped());
        let test = digits.test();
        let samples = if self.all { test } else { test.start..test.start + FEW };
        let pixels = digits.pixels(samples.clone());

        let settings = MemorySettings::default();
        let config = &self.target.config;
        let layers = [
            compile(&mlp.hidden, samples.len(), Dtype::U8, config)?,
            compile(&mlp.output, samples.len(), Dtype::S8, config)?,
        ];
        let cycles = layers.iter().map(|layer| layer.tiling().estimate).sum();
        let model = Answer::compute(&mut Modelled::new(config, settings.seed)?, &layers, &mlp, pixels)?;
        let work = |machine: &mut Machine| {
            let core = machine.doing(format!("classifying {} digits", samples.len()), Some(cycles));
            Answer::compute(core, &layers, &mlp, pixels)
        };
        let compared = Compared::With(&|core: &Answer| Ok(core.first_wrong(&model)));
        let core = self.waving.simulate(&self.target, settings, &work, compared)?;

        let labels: Vec<usize> = samples.clone().map(|sample| digits.label(sample)).collect();
        let right = |classes: &[usize]| classes.iter().zip(&labels).filter(|(class, label)| class == label).count();
        let float: Vec<usize> = samples.clone().map(|at| mlp.float_class(digits.pixels(at..at + 1))).collect();
        let classes = core.classes(&mlp);
        let score = Score {
            samples: samples.len(),
            float: right(&float),
            model: right(&model.classes(&mlp)),
            core: right(&classes),
        };
        let differing = different(&core.hidden, &model.hidden) + different(&core.output, &model.output);
        let numpy = self.all.then(|| is_numpys(&core, &mlp));

        if !json.as_ref().is_some_and(Output::is_stdout) {
            let drawing = draw(&digits, samples, &classes);
            output::print(&self.text(&drawing, &core, &score, differing, numpy))?;
        }
        if let Some(json) = json {
            json::write(json, self.figures(&core, &score, differing, numpy))?;
        }
        if differing > 0 {
            let elements = core.hidden.len() + core.output.len();
            return Err(Failure::failed(format!(
                "{differing} of {elements} activations differ between core and model"
            )));
        }
        if numpy == Some(false) {
            return Err(Failure::failed("the activations are not those that NumPy computed when the network was made"));
        }
        Ok(())
    }

    fn text(&self, drawing: &str, core: &Answer, score: &Score, differing: usize, numpy: Option<bool>) -> String {
        let Target { config, backend, .. } = &self.target;
        let (m0, k0, n0) = (config.m0, config.k0, config.n0);
        let place = match backend {
            Backend::Rtl => "the simulated core",
            Backend::Model => "the model of the core",
            Backend::Uart => "the board with the core",
        };
        let mut text = format!(
            "{} handwritten digits, network 64 -> 90 -> 10 in int8, on {place} {} (cube {m0} x {k0} x {n0})\n\n{drawing}\n",
            score.samples, config.name
        );
        let share = |right: usize| percent(Some(right as f64 / score.samples as f64));
        let row = |name: &str, right: usize, note: &str| {
            format!("{name:<13}{right} of {} right, {}{note}\n", score.samples, share(right))
        };
        text.push_str(&row("float32", score.float, ""));
        text.push_str(&row("model", score.model, ""));
        let elements = core.hidden.len() + core.output.len();
        let equal = match differing {
            0 => format!("; all {} activations bit for bit the model's", table::grouped(elements as u64)),
            count => format!("; {count} activations differ from the model's"),
        };
        let numpys = if numpy == Some(true) { " and NumPy's" } else { "" };
        text.push_str(&row("core", score.core, &format!("{equal}{numpys}")));
        text.push('\n');
        text.push_str(&table::summary(&core.report, core.seconds, *backend));
        text
    }

    fn figures(&self, core: &Answer, score: &Score, differing: usize, numpy: Option<bool>) -> json::Object {
        let mut object = json::head(&self.target);
        let accuracy = |right: usize| json!(right as f64 / score.samples as f64);
        object.insert("samples".into(), json!(score.samples));
        for (name, right) in [("float", score.float), ("model", score.model), ("core", score.core)] {
            object.insert(format!("correct_{name}"), json!(right));
            object.insert(format!("accuracy_{name}"), accuracy(right));
        }
        object.insert("mismatches".into(), json!(differing));
        object.insert("equals_numpy".into(), json!(numpy));
        json::figures(&mut object, &core.report, core.seconds);
        object
    }
}

fn different(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).filter(|(one, other)| one != other).count() + one.len().abs_diff(other.len())
}

/// True if all test samples gave what NumPy computed when the network was made.
fn is_numpys(answer: &Answer, mlp: &Mlp) -> bool {
    Sha256::digest(&answer.hidden).as_slice() == mlp.hidden_hash
        && Sha256::digest(&answer.output).as_slice() == mlp.output_hash
}

/// The first digits side by side, with what the core takes them for.
fn draw(digits: &Digits, samples: Range<usize>, classes: &[usize]) -> String {
    let shown = samples.start..samples.end.min(samples.start + DRAWN);
    let (rows, columns) = digits.size();
    let mut text = String::new();
    for row in 0..rows {
        let mut line = String::from(" ");
        for sample in shown.clone() {
            let pixels = &digits.pixels(sample..sample + 1)[row * columns..(row + 1) * columns];
            line.push(' ');
            line.extend(pixels.iter().map(|&pixel| SHADES[usize::from(pixel).div_ceil(4).min(4)]));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let mut line = String::from(" ");
    for (sample, class) in shown.zip(classes) {
        let verdict = if *class == digits.label(sample) { "" } else { "!" };
        line.push_str(&format!(" {:^columns$}", format!("{class}{verdict}")));
    }
    text.push_str(line.trim_end());
    text.push('\n');
    text
}
