// SPDX-License-Identifier: Apache-2.0
//! The table of works: what is run, behind which memory, and what it has to reach.

use host::{Batch, Conv, Gemm, MemorySettings, Net, Output, resnet_50};
use isa::{Config, Dtype};

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name, which is never another row's of the same group.
    pub name: String,
    /// The core.
    pub config: Config,
    /// The memory behind it.
    pub memory: MemorySettings,
    /// What is run.
    pub work: Work,
    /// What it has to reach.
    pub bar: Bar,
}

/// What a row runs.
#[derive(Clone, Debug)]
pub enum Work {
    /// A product with its operands in L1: cycles from the first load of L0 to the last result in L0C.
    Hot(Gemm),
    /// Products with their operands in L1, likewise.
    Batch(Batch),
    /// A product in global memory: cycles of the whole run.
    Cold(Gemm),
    /// A convolution in global memory, likewise.
    Conv(Box<Conv>),
}

/// What a row has to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bar {
    /// OU, 0 to 1.
    Utilisation(f64),
    /// Roof over cycles, 0 to 1.
    Roof(f64),
    /// Cycles of roof / share + the number.
    Within(f64, u64),
    /// It is reported.
    None,
}

/// Rows that are told together.
#[derive(Clone, Debug)]
pub struct Group {
    /// The word by which the command line chooses it.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// The memory of the table: latency 100, a bus word per cycle and direction.
fn memory(latency: u32) -> MemorySettings {
    MemorySettings { latency, ..MemorySettings::default() }
}

/// A 16-bit SDRAM at the core's clock: 2 bytes per cycle for both directions; a closed row, its opening and the way there and back take
/// about 12 cycles.
fn ulx3s() -> MemorySettings {
    MemorySettings { latency: 12, bytes_per_cycle: 2.0, shared: true, ..MemorySettings::default() }
}

fn row(name: impl Into<String>, work: Work, bar: Bar) -> Row {
    Row { name: name.into(), config: Config::lite(), memory: memory(100), work, bar }
}

fn int8(scale: f32) -> Output {
    Output::Quantised { dtype: Dtype::S8, scales: vec![scale], zero_point: 0 }
}

fn hot() -> Vec<Row> {
    let cube = |size, bar| row(format!("{size}^3"), Work::Hot(Gemm::new(size, size, size)), Bar::Utilisation(bar));
    let batch = |m, k, n, operands, bar| {
        let gemm = Gemm { output: int8(0.002), ..Gemm::new(m, n, k) };
        let name = format!("100 x {m}x{k}x{n}, int8 to GM");
        row(name, Work::Batch(Batch { gemm, count: 100, operands }), Bar::Utilisation(bar))
    };
    let mut rows = vec![cube(256, 0.995), cube(192, 0.995), cube(128, 0.995), cube(64, 0.975), cube(32, 0.88)];
    rows.extend([batch(32, 32, 32, 60, 0.97), batch(16, 64, 16, 40, 0.94)]);
    rows
}

fn cold() -> Vec<Row> {
    let cube = |size, bar| row(format!("{size}^3"), Work::Cold(Gemm::new(size, size, size)), Bar::Utilisation(bar));
    vec![cube(512, 0.99), cube(256, 0.97), cube(128, 0.88)]
}

fn gemv() -> Vec<Row> {
    let gemv = |name: &str, transposed_b| {
        row(name, Work::Cold(Gemm { transposed_b, ..Gemm::new(1, 1024, 1024) }), Bar::Roof(0.95))
    };
    vec![gemv("1x1024x1024, B row-major", false), gemv("1x1024x1024, B transposed", true)]
}

fn large() -> Vec<Row> {
    let max = |row: Row, latency| Row { config: Config::max(), memory: memory(latency), ..row };
    vec![
        max(row("hot 512^3", Work::Hot(Gemm::new(512, 512, 512)), Bar::Utilisation(0.993)), 200),
        max(row("cold 1024^3", Work::Cold(Gemm::new(1024, 1024, 1024)), Bar::Utilisation(0.94)), 200),
    ]
}

fn tiny_layers(net: &str) -> Vec<Row> {
    layers(Net::named(net).expect("the name is one of the table"))
}

fn layers(net: Net) -> Vec<Row> {
    let layer = |layer: host::Layer| {
        // Sums of k products of random int8 numbers spread as the root of k.
        let k = layer.conv.kernel[0] * layer.conv.kernel[1] * layer.conv.group_cin();
        let conv = Conv { output: int8(0.007 / (k as f32).sqrt()), ..layer.conv };
        row(layer.name, Work::Conv(Box::new(conv)), Bar::Within(0.95, 500))
    };
    net.layers.into_iter().map(layer).collect()
}

/// Projections of transformers: \[tokens, from\] x \[from, to\].
fn projections() -> Vec<Row> {
    let shapes = [
        ("BERT-base, 128 x 768 x 768", 128, 768, 768),
        ("BERT-base, 128 x 768 x 3072", 128, 768, 3072),
        ("ViT-B/16, 197 x 768 x 768", 197, 768, 768),
        ("ViT-B/16, 197 x 768 x 3072", 197, 768, 3072),
    ];
    let projection = |(name, m, k, n)| {
        let gemm = Gemm { output: int8(0.0003), ..Gemm::new(m, n, k) };
        row(name, Work::Cold(gemm), Bar::Roof(0.98))
    };
    shapes.map(projection).into()
}

fn reported(rows: Vec<Row>, config: &Config, memory: MemorySettings) -> Vec<Row> {
    rows.into_iter().map(|row| Row { config: config.clone(), memory, bar: Bar::None, ..row }).collect()
}

/// The whole table.
pub fn groups() -> Vec<Group> {
    let group = |name, title, rows| Group { name, title, rows };
    let slow = |rows| reported(rows, &Config::lite(), ulx3s());
    let cold_works = || [cold(), gemv()].concat();
    let networks = || {
        let named = |net: &'static str| {
            tiny_layers(net).into_iter().map(move |row| Row { name: format!("{net} {}", row.name), ..row })
        };
        ["resnet-8", "ds-cnn", "mobilenet"].into_iter().flat_map(named).collect()
    };
    vec![
        group("hot", "Products with operands in L1", hot()),
        group("cold", "Products in global memory, int32 results", cold()),
        group("gemv", "Matrix times vector", gemv()),
        group("resnet-8", "ResNet-8, every convolution alone", tiny_layers("resnet-8")),
        group("ds-cnn", "DS-CNN, every convolution alone", tiny_layers("ds-cnn")),
        group("mobilenet", "MobileNetV1 0.25 on 96 x 96, every convolution alone", tiny_layers("mobilenet")),
        group("resnet-50", "Six convolutions of ResNet-50", layers(resnet_50())),
        group("projections", "Projections of transformers, int8 results", projections()),
        group("max", "Products on max, 64 bytes per cycle and direction, latency 200", large()),
        group(
            "max-projections",
            "Projections of transformers on max",
            reported(projections(), &Config::max(), memory(200)),
        ),
        group("ulx3s", "Products behind an SDRAM", slow(cold_works())),
        group("ulx3s-layers", "Convolutions of the small networks behind an SDRAM", slow(networks())),
        group("ulx3s-projections", "Projections of transformers behind an SDRAM", slow(projections())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_told_apart() {
        let groups = groups();
        let names: BTreeSet<_> = groups.iter().map(|group| group.name).collect();
        assert_eq!(names.len(), groups.len());
        for group in &groups {
            let rows: BTreeSet<_> = group.rows.iter().map(|row| &row.name).collect();
            assert_eq!(rows.len(), group.rows.len(), "{}", group.name);
        }
    }
}
