// SPDX-License-Identifier: Apache-2.0
//! The same convolutions on the simulated hardware: all of memory and every counter equal the model's.

use super::common::conv::ConvCase;
use super::common::{core_for, on_both};
use host::{Conv, MemorySettings, Net, Report, Simulated, Transport};
use isa::{Activity, Config, Counter, Pipe};

/// Runs a convolution on the core and on the model, and compares every element, all of memory, and the counters.
fn run_on_core(core: &mut Simulated, case: &ConvCase) -> Report {
    let compiled = case.conv.compile(core.config()).unwrap_or_else(|error| panic!("{case}: {error}"));
    let product = on_both(core, compiled.program(), case, |core| compiled.run(core, &case.x, &case.weights));
    case.compare(&product.values());
    product.report
}

/// `count` random convolutions, a new power-up state and another memory every 8 of them.
fn random_convolutions(config: &Config, count: usize, seed_value: u64) {
    sim::waves::on_failure(&format!("conv-{}", config.name), || {
        let mut rng = tb::seed(seed_value).rng;
        let mut core = None;
        for number in 0..tb::rounds(count) {
            let core = core_for(&mut core, config, number, &mut rng);
            let most = if number % 8 == 7 { 400_000 } else { 60_000 };
            run_on_core(core, &ConvCase::random(&mut rng, most));
        }
    });
}

#[test]
fn random_convolutions_on_simulated_tiny() {
    random_convolutions(&Config::tiny(), 64, 45);
}

#[test]
fn random_convolutions_on_simulated_lite() {
    random_convolutions(&Config::lite(), 64, 46);
}

#[test]
fn random_convolutions_on_simulated_max() {
    random_convolutions(&Config::max(), 8, 47);
}

/// One block of A per two cycles and N0 output channels where MTE1 is busier than every other pipe. A stride of more than one with merged
/// groups is the exception that `docs/convolution.md` explains: a read per tap.
fn check_im2col(config: &Config, case: &ConvCase, report: &Report) {
    let (conv, compiled) = (&case.conv, case.conv.compile(config).unwrap_or_else(|error| panic!("{case}: {error}")));
    let Some(tiling) = compiled.tiling() else { return };
    // A tile of few pixels is over before the products of the next one are made, some 40 cycles.
    if tiling.m.min(conv.pixels()) < 32 {
        return;
    }
    let busy = |pipe| report.get(Counter::Pipe(pipe, Activity::Busy)).unwrap();
    let pipes = [Pipe::Mte2, Pipe::M, Pipe::Fix, Pipe::Mte3];
    if !pipes.into_iter().all(|pipe| busy(pipe) < busy(Pipe::Mte1)) {
        return;
    }
    // Cube steps are blocks of A times tiles of N0 columns.
    let columns = (tiling.groups * conv.group_cout()).div_ceil(config.n0) as u64;
    let blocks = report.get(Counter::CubeSteps).unwrap() / columns;
    let per_block = if tiling.groups > 1 && conv.stride[1] > 1 { 3 } else { columns.max(2) };
    // Operands of B and parameters besides, once per tile of them.
    let others = (conv.cout * (conv.kernel[0] * conv.kernel[1] * conv.group_cin() * tiling.groups)) as u64 / 16 + 1000;
    let bound = per_block * blocks + others;
    assert!(busy(Pipe::Mte1) <= bound, "{case}: {} cycles for {blocks} blocks\n{tiling:?}", busy(Pipe::Mte1));
}

/// Cycles of each layer on `lite`, cold and alone, with a memory of latency 100 and a bus word per cycle; printed beside its roof.
#[test]
fn layers_of_mlperf_tiny_on_simulated_lite() {
    let mut rng = tb::seed(48).rng;
    let memory = MemorySettings { latency: 100, ..MemorySettings::default() };
    let config = Config::lite();
    for name in Net::NAMES {
        let mut core = Simulated::new(&config, memory).unwrap_or_else(|error| panic!("{error}"));
        let mut seen: Vec<Conv> = Vec::new();
        for layer in Net::named(name).unwrap().layers {
            // Networks repeat layers.
            if seen.contains(&layer.conv) {
                continue;
            }
            seen.push(layer.conv.clone());
            let case = ConvCase::random_numbers(&mut rng, layer.conv);
            let report = run_on_core(&mut core, &case);
            let conv = &case.conv;
            let steps = report.get(Counter::CubeSteps).unwrap();
            let outputs = (conv.pixels() * conv.cout).div_ceil(config.fix_lanes);
            let words = [conv.x_bytes() + conv.w_bytes(), conv.y_bytes()].map(|bytes| bytes.div_ceil(config.bus_bytes));
            let roof = words.into_iter().chain([outputs]).fold(steps, |roof, other| roof.max(other as u64));
            let (cycles, estimate) = (report.cycles().unwrap(), case.conv.compile(&config).unwrap().estimate());
            println!("{name} {}: {cycles} cycles, estimate {estimate}, {steps} cube steps, roof {roof}", layer.name);
            assert!(cycles >= roof);
            check_im2col(&config, &case, &report);
        }
    }
}
