// SPDX-License-Identifier: Apache-2.0
//! `quader onnx-node`: node tests of ONNX on the core, every element checked.

use super::machine::Machine;
use super::output::{self, Output};
use super::product::{Memory, SHOWN, check_bytes, element, wrong};
use super::table::{self, grouped};
use super::wave::{Compared, Waving};
use super::{Backend, Failure, Result, Target, json, number};
use clap::Args;
use host::{MemorySettings, Report, Trigger};
use onnx::{CompiledPlan, NodeTest, OnnxError, Plan, Tensor};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Instant;

const DETAILS: &str = "\
Examples:
  quader onnx-node examples/qlinearconv
  quader onnx-node nodes/* --config tiny
  quader onnx-node test_qlinearmatmul_2D_uint8_float32 --backend model --json -

A folder has model.onnx and test_data_set_0/input_0.pb, ..., output_0.pb, as the backend node tests of ONNX. The model is one
node: MatMulInteger, ConvInteger, QLinearMatMul, QLinearConv, MaxPool, or QLinearGlobalAveragePool or QLinearAveragePool of
ONNX Runtime, alone or with Relu or Clip behind it (docs/onnx.md). Every element of the result has to be that of output_0.pb.";

/// Run single-node ONNX models with their test data on the core and check every element of the results
#[derive(Args, Debug)]
#[command(after_help = DETAILS)]
pub struct OnnxNode {
    /// Folders of node tests
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    memory: Memory,
    /// Seed of stalls and of the power-up state
    #[arg(long, default_value_t = 1, value_parser = number)]
    seed: u64,
    #[command(flatten)]
    waving: Waving,
    #[command(flatten)]
    target: Target,
}

/// A node with the inputs of one data set.
struct Case {
    /// Folder, and data set if there are several.
    name: String,
    operators: String,
    plan: Plan,
    expected: Tensor,
}

/// What became of it.
struct Outcome {
    report: Report,
    seconds: f64,
    /// Wrong elements.
    mismatches: usize,
    /// The first of them, in words.
    wrong: Vec<String>,
    /// The index of the first.
    first: Option<usize>,
}

impl From<OnnxError> for Failure {
    fn from(error: OnnxError) -> Failure {
        match error {
            OnnxError::Host(error) => error.into(),
            _ => Failure::input(error),
        }
    }
}

impl OnnxNode {
    /// The core that it runs on.
    pub fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    /// Runs the command.
    pub fn run(&self) -> Result {
        self.waving.check(&self.target)?;
        let settings = self.memory.settings(self.seed, self.target.backend)?;
        let cases = self.cases()?;
        let mut compiled = vec![];
        for case in &cases {
            compiled.push(case.plan.compile(&self.target.config).map_err(|error| about(&case.name, error))?);
        }
        let json = self.target.json.as_deref().map(Output::create_or_stdout).transpose()?;

        let work = |machine: &mut Machine| {
            let mut outcomes = vec![];
            for (case, compiled) in cases.iter().zip(&compiled) {
                let core = machine.doing(format!("simulating {}", case.name), Some(compiled.estimate()));
                let began = Instant::now();
                let (got, report) = compiled.run(core).map_err(|error| about(&case.name, error.into()))?;
                outcomes.push(case.outcome(&got, report, began.elapsed().as_secs_f64()));
            }
            Ok(outcomes)
        };
        let compared = Compared::With(&|outcomes: &Vec<Outcome>| Ok(first_wrong(&compiled, outcomes)));
        let outcomes = self.waving.simulate(&self.target, settings, &work, compared)?;

        if !json.as_ref().is_some_and(Output::is_stdout) {
            output::print(&self.text(&cases, &outcomes))?;
        }
        if let Some(json) = json {
            json::write(json, self.figures(&cases, &outcomes, &settings))?;
        }
        verdict(&cases, &outcomes)
    }

    fn cases(&self) -> Result<Vec<Case>> {
        let mut cases = vec![];
        for folder in &self.folders {
            let test = NodeTest::read(folder).map_err(|error| about(&folder.display().to_string(), error))?;
            let several = test.sets.len() > 1;
            for set in test.sets {
                let name = if several { format!("{}/{}", test.name, set.name) } else { test.name.clone() };
                let plan = Plan::new(&test.model, &set.inputs).map_err(|error| about(&name, error))?;
                check_bytes((&name, "operands and result"), plan.bytes())?;
                let operators = test.model.operators().join(" + ");
                cases.push(Case { name, operators, plan, expected: set.expected }.checked()?);
            }
        }
        Ok(cases)
    }

    fn text(&self, cases: &[Case], outcomes: &[Outcome]) -> String {
        let Target { config, backend, .. } = &self.target;
        let place = format!("on {} ({}), seed {}", config.name, backend.name(), self.seed);
        let (total, seconds) = sum(outcomes);
        let elements: usize = cases.iter().map(Case::elements).sum();
        let all_right = outcomes.iter().all(|outcome| outcome.mismatches == 0);
        let mut text = match cases {
            [case] => format!("{} {place}\n{}\n\n", case.name, case.plan.title()),
            _ => {
                let mut rows =
                    vec![["node", "operator", "elements", "wrong", "programs", "cycles"].map(str::to_owned).to_vec()];
                rows.extend(cases.iter().zip(outcomes).map(|(case, outcome)| {
                    let cycles = outcome.report.cycles().map_or("-".to_owned(), grouped);
                    let numbers = [case.elements(), outcome.mismatches, case.plan.programs()];
                    let mut row = vec![case.name.clone(), case.operators.clone()];
                    row.extend(numbers.map(|number| grouped(number as u64)));
                    row.push(cycles);
                    row
                }));
                format!("{} nodes of ONNX {place}\n\n{}\n", cases.len(), table::table(&rows))
            }
        };
        text.push_str(&table::summary(&total, seconds, *backend));
        let pipes = table::pipes(&total);
        if !pipes.is_empty() {
            text.push_str(&format!("\nwhere the cycles went\n{pipes}"));
        }
        if all_right {
            let whose = if cases.len() == 1 { "output_0.pb" } else { "the nodes' output_0.pb" };
            text.push_str(&format!("\nall {} elements equal {whose}\n", grouped(elements as u64)));
        }
        text
    }

    fn figures(&self, cases: &[Case], outcomes: &[Outcome], settings: &MemorySettings) -> json::Object {
        let mut object = json::head(&self.target);
        let node = |(case, outcome): (&Case, &Outcome)| {
            json!({
                "name": case.name,
                "operator": case.operators,
                "computes": case.plan.title(),
                "shape": case.plan.shape(),
                "macs": case.plan.macs(),
                "programs": case.plan.programs(),
                "elements": case.elements(),
                "mismatches": outcome.mismatches,
                "cycles": outcome.report.cycles(),
            })
        };
        let nodes: Vec<Value> = cases.iter().zip(outcomes).map(node).collect();
        object.insert("nodes".into(), nodes.into());
        let mismatches: usize = outcomes.iter().map(|outcome| outcome.mismatches).sum();
        object.insert("mismatches".into(), json!(mismatches));
        object.insert("seed".into(), json!(self.seed));
        if self.target.backend == Backend::Rtl {
            object.insert("memory".into(), json::memory(settings));
        }
        let (total, seconds) = sum(outcomes);
        json::figures(&mut object, &total, seconds);
        object
    }
}

impl Case {
    /// Refuses an expected output that cannot be the node's: that is no matter of elements.
    fn checked(self) -> Result<Case> {
        let Case { name, plan, expected, .. } = &self;
        if expected.shape == plan.shape() && expected.elements.dtype() == plan.dtype() {
            return Ok(self);
        }
        Err(Failure::input(format!("{name}: output_0.pb is {expected}, and the model gives {}", plan.title())))
    }

    fn elements(&self) -> usize {
        self.expected.elements.len()
    }

    fn outcome(&self, got: &Tensor, report: Report, seconds: f64) -> Outcome {
        let (mut mismatches, mut wrong, mut first) = (0, vec![], None);
        let numbers = |tensor: &Tensor| tensor.elements.integers().unwrap_or_default();
        for (index, (expected, got)) in numbers(&self.expected).into_iter().zip(numbers(got)).enumerate() {
            if expected == got {
                continue;
            }
            mismatches += 1;
            first.get_or_insert(index);
            if wrong.len() < SHOWN {
                wrong.push(format!("{}: expected {expected}, got {got}", element("y", &self.expected.shape, index)));
            }
        }
        Outcome { report, seconds, mismatches, wrong, first }
    }
}

/// Where the first wrong element is written.
fn first_wrong(compiled: &[CompiledPlan], outcomes: &[Outcome]) -> Option<Trigger> {
    let mut before = 0;
    for (plan, outcome) in compiled.iter().zip(outcomes) {
        if let Some((run, address)) = outcome.first.and_then(|index| plan.place(index)) {
            return Some(Trigger::Written { run: before + run, address });
        }
        before += plan.programs();
    }
    None
}

/// The error with the test in which it came up, unless it names a file.
fn about(name: &str, error: OnnxError) -> Failure {
    if matches!(error, OnnxError::Read { .. } | OnnxError::Message { .. } | OnnxError::Folder { .. }) {
        return error.into();
    }
    match Failure::from(error) {
        Failure::Input(sentence) => Failure::Input(format!("{name}: {sentence}")),
        Failure::Failed(sentence) => Failure::Failed(format!("{name}: {sentence}")),
    }
}

/// The counters of all, and the time.
fn sum(outcomes: &[Outcome]) -> (Report, f64) {
    let mut total = outcomes[0].report.clone();
    outcomes[1..].iter().for_each(|outcome| total.add(&outcome.report));
    (total, outcomes.iter().map(|outcome| outcome.seconds).sum())
}

fn verdict(cases: &[Case], outcomes: &[Outcome]) -> Result {
    let bad: Vec<(&Case, &Outcome)> =
        cases.iter().zip(outcomes).filter(|(_, outcome)| outcome.mismatches > 0).collect();
    let Some((case, outcome)) = bad.first() else { return Ok(()) };
    let others = match bad.len() {
        1 => String::new(),
        count => format!("; {count} of {} nodes are wrong", cases.len()),
    };
    let wrong = wrong(outcome.mismatches, case.elements(), &outcome.wrong);
    Err(Failure::failed(format!("{}: {wrong}{others}", case.name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use onnx::Elements;

    #[test]
    fn wrong_elements_are_counted_and_named() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/qlinearconv");
        let test = NodeTest::read(&folder).expect("it is in the tree");
        let set = &test.sets[0];
        let plan = Plan::new(&test.model, &set.inputs).expect("legal");
        let case = Case { name: "n".into(), operators: "o".into(), plan, expected: set.expected.clone() };
        let outcome = |got: &Tensor| case.outcome(got, Report::new(&isa::Config::tiny(), []), 1.0);
        assert_eq!(outcome(&set.expected).mismatches, 0);
        let mut changed = set.expected.clone();
        let Elements::Int8(values) = &mut changed.elements else { panic!("the example has int8 results") };
        let was = values[5 * 64 + 8 + 2];
        values[5 * 64 + 8 + 2] ^= 1;
        let outcome = outcome(&changed);
        assert_eq!(outcome.wrong, [format!("y[0, 5, 1, 2]: expected {was}, got {}", was ^ 1)]);
        let error = verdict(&[case], &[outcome]).expect_err("an element is wrong").to_string();
        assert!(error.starts_with("n: 1 of 384 elements are wrong: y[0, 5, 1, 2]"), "{error}");
    }
}
