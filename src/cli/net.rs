// SPDX-License-Identifier: Apache-2.0
//! The convolutions of a network one by one: cycles and cube steps, beside the cube steps of a core that pads channels.
//!
//! | column | cube steps |
//! |---|---|
//! | steps | that the core took, from its counter |
//! | packed | with k packed over (kh, kw, cin), one group after the other |
//! | padded | with the channels of a group padded to K0, the depth of the cube; up to 4 channels to C0 = 4, as Da Vinci does in a first layer |
//! | C0 = 32 | with the channels of a group padded to 32, as Da Vinci keeps int8 maps behind the first layer |
//!
//! The bound of a column is the share of useful multiply-accumulates: MACs / (cube steps x M0 x K0 x N0), summed over layers.

use super::conv::{C0, differs, figures};
use super::machine::Machine;
use super::output::{self, Output};
use super::product::{Options, check_bytes};
use super::table::{grouped, percent, table};
use super::wave::Compared;
use super::{Result, json, reference};
use host::{Conv, Net, Report, Trigger};
use isa::{Config, Counter};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::time::Instant;

/// What is counted of a layer, or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Work {
    macs: u64,
    cycles: Option<u64>,
    steps: u64,
    packed: u64,
    padded: u64,
    c0_32: u64,
}

impl Work {
    fn of(conv: &Conv, config: &Config, report: &Report) -> Work {
        let few = conv.group_cin() <= C0[1];
        Work {
            macs: conv.macs(),
            cycles: report.cycles(),
            steps: report.get(Counter::CubeSteps).unwrap_or(0),
            packed: conv.packed_steps(config),
            padded: conv.padded_steps(config, if few { C0[1] } else { config.k0 }),
            c0_32: conv.padded_steps(config, C0[0]),
        }
    }

    fn sum(all: &[Work]) -> Work {
        all.iter().fold(Work { cycles: Some(0), ..Work::default() }, |sum, work| Work {
            macs: sum.macs + work.macs,
            cycles: sum.cycles.zip(work.cycles).map(|(sum, cycles)| sum + cycles),
            steps: sum.steps + work.steps,
            packed: sum.packed + work.packed,
            padded: sum.padded + work.padded,
            c0_32: sum.c0_32 + work.c0_32,
        })
    }

    /// The bounds: of the steps taken, packed, padded, with C0 = 32.
    fn bounds(&self, config: &Config) -> [Option<f64>; 4] {
        [self.steps, self.packed, self.padded, self.c0_32]
            .map(|steps| (steps != 0).then(|| self.macs as f64 / (steps * config.peak_macs() as u64) as f64))
    }

    fn row(&self, name: &str, shape: String) -> Vec<String> {
        let cycles = self.cycles.map_or("-".to_owned(), grouped);
        let steps = [self.steps, self.packed, self.padded, self.c0_32].map(grouped);
        [name.to_owned(), shape, grouped(self.macs), cycles].into_iter().chain(steps).collect()
    }
}

/// Runs every convolution of the network on random numbers, checks it, and prints the table.
pub fn run(net: &Net, options: &Options) -> Result {
    let (target, config) = (&options.target, &options.target.config);
    let settings = options.settings()?;
    for layer in &net.layers {
        check_bytes((&layer.name, "x, weights and result"), (layer.conv.x_bytes() + layer.conv.w_bytes()) as u128)?;
    }
    let json = target.json.as_deref().map(Output::create_or_stdout).transpose()?;
    let run = |machine: &mut Machine| {
        let mut random = ChaCha8Rng::seed_from_u64(options.seed);
        let began = Instant::now();
        let mut reports = vec![];
        for layer in &net.layers {
            let conv = &layer.conv;
            let (mut x, mut weights) = (vec![0; conv.x_bytes()], vec![0; conv.w_bytes()]);
            random.fill_bytes(&mut x);
            random.fill_bytes(&mut weights);
            let core = machine.doing(format!("simulating {} {}", net.name, layer.name), None);
            let product = host::conv2d(core, conv, &x, &weights)?;
            let wanted = reference::convolution(conv, &x, &weights);
            if let Some(index) = product.values().iter().zip(&wanted).position(|(got, wanted)| got != wanted) {
                let (run, address) = (reports.len(), product.address_of(index));
                return Ok(Err((&layer.name, Trigger::Written { run, address })));
            }
            reports.push(product.report);
        }
        Ok(Ok((reports, began.elapsed().as_secs_f64())))
    };
    type Done<'a> = std::result::Result<(Vec<Report>, f64), (&'a String, Trigger)>;
    let first_wrong = |done: &Done| Ok(done.as_ref().err().map(|(_, trigger)| *trigger));
    let (reports, seconds) = match options.waving.simulate(target, settings, &run, Compared::With(&first_wrong))? {
        Ok(done) => done,
        Err((layer, _)) => return Err(differs(layer)),
    };
    let (mut total, mut works, mut layers) = (None::<Report>, vec![], vec![]);
    for (layer, report) in net.layers.iter().zip(reports) {
        let conv = &layer.conv;
        let work = Work::of(conv, config, &report);
        let mut object = json::Object::new();
        object.insert("name".into(), json!(layer.name));
        object.extend(figures(conv, config, "i32"));
        object.insert("cycles".into(), json!(work.cycles));
        object.insert("cube_steps".into(), json!(work.steps));
        object.insert("cube_steps_padded".into(), json!(work.padded));
        object.insert("bytes_read".into(), json!(report.get(Counter::BytesRead)));
        layers.push(Value::Object(object));
        works.push((conv.groups, work));
        match &mut total {
            Some(total) => total.add(&report),
            None => total = Some(report),
        }
    }
    let of = |dense: bool| {
        let chosen = works.iter().filter(|(groups, _)| (*groups == 1) == dense);
        Work::sum(&chosen.map(|(_, work)| *work).collect::<Vec<_>>())
    };
    let [dense, grouped] = [of(true), of(false)];
    if !json.as_ref().is_some_and(Output::is_stdout) {
        output::print(&text(net, options, &works, [dense, grouped]))?;
    }
    if let Some(json) = json {
        let mut object = json::head(target);
        object.insert("net".into(), json!(net.name));
        object.insert("layers".into(), layers.into());
        let names = ["bound_taken", "bound_packed", "bound_padded", "bound_c0_32"];
        for (name, bound) in names.into_iter().zip(dense.bounds(config)) {
            object.insert(name.into(), json!(bound));
        }
        object.insert("mismatches".into(), json!(0));
        object.insert("seed".into(), json!(options.seed));
        if let Some(total) = &total {
            json::figures(&mut object, total, seconds);
        }
        json::write(json, object)?;
    }
    Ok(())
}

fn text(net: &Net, options: &Options, works: &[(usize, Work)], [dense, grouped]: [Work; 2]) -> String {
    let (target, config) = (&options.target, &options.target.config);
    let head = ["layer", "x, kernel/stride", "MACs", "cycles", "steps", "packed", "padded", "C0 = 32"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (layer, (_, work)) in net.layers.iter().zip(works) {
        let Conv { h, w, cin, cout, kernel: [kh, kw], stride: [stride, _], .. } = layer.conv;
        rows.push(work.row(&layer.name, format!("{h}x{w}x{cin} {kh}x{kw}/{stride} {cout}")));
    }
    let bounds = |work: Work| {
        let bounds = work.bounds(config).map(percent);
        ["bound", "", "", ""].map(str::to_owned).into_iter().chain(bounds).collect::<Vec<_>>()
    };
    rows.push(dense.row("dense", String::new()));
    rows.push(bounds(dense));
    if grouped.macs > 0 {
        rows.push(grouped.row("depthwise", String::new()));
        rows.push(bounds(grouped));
    }
    let Config { name, m0, k0, n0, .. } = config;
    format!(
        "{}: {} convolutions on {name} ({}), cube {m0} x {k0} x {n0}, seed {}\n\n{}\n\
         packed: k over (kh, kw, cin), group by group; padded: channels to {k0}, up to 4 to C0 = 4; bound: MACs / (steps x {})\n\
         all elements of all layers equal an independent convolution\n",
        net.title,
        net.layers.len(),
        target.backend.name(),
        options.seed,
        table(&rows),
        config.peak_macs()
    )
}
