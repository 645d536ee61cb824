// SPDX-License-Identifier: Apache-2.0
//! Products of any shape, cut into tiles, equal `ndarray`: on the model for every kind of core, and on the simulated hardware.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Case, core_for, on_both};
use host::{Compiled, MemorySettings, Modelled, Report, Simulated, Transport};
use isa::{Config, Counter, Dtype, check};
use rand::Rng;

/// Shapes that are hard to cut: single elements, primes, one more than a block, a fractal, a tile, a buffer.
const SHAPES: [(usize, usize, usize); 14] = [
    (1, 1, 1),
    (1, 1, 257),
    (1, 129, 1),
    (131, 1, 1),
    (2, 3, 5),
    (17, 17, 33),
    (31, 37, 41),
    (64, 64, 128),
    (65, 65, 129),
    (64, 64, 8193),
    (1, 300, 700),
    (97, 2, 1009),
    (5, 600, 3),
    (129, 130, 131),
];

fn run_on_model(config: &Config, case: &Case) {
    let compiled = case.gemm.compile(config).unwrap_or_else(|error| panic!("{case}: {error}"));
    let found = check(compiled.program().instructions(), config);
    assert!(found.is_ok(), "{case} on {config:?}\n{:?}\n{:?}", compiled.tiling(), found.unwrap_err()[0]);
    let mut core = Modelled::new(config, 3).unwrap();
    let product = compiled.run(&mut core, &case.a, &case.b).unwrap_or_else(|error| panic!("{case}: {error}"));
    case.compare(&product.values());
    assert_eq!(product.report.get(Counter::UsefulMacs), Some(case.macs()), "{case}");
}

fn run_on_core(core: &mut Simulated, case: &Case) -> Report {
    let compiled = case.gemm.compile(core.config()).unwrap_or_else(|error| panic!("{case}: {error}"));
    run_compiled(core, case, &compiled)
}

/// Runs a product on the core and on the model, and compares every element, all of memory, and the counters.
fn run_compiled(core: &mut Simulated, case: &Case, compiled: &Compiled) -> Report {
    let product = on_both(core, compiled.program(), case, |core| compiled.run(core, &case.a, &case.b));
    case.compare(&product.values());
    assert_eq!(product.report.get(Counter::UsefulMacs), Some(case.macs()), "{case}");
    product.report
}

#[test]
fn hard_shapes_on_every_named_core_of_the_model() {
    let mut rng = tb::seed(21).rng;
    for config in [Config::tiny(), Config::lite(), Config::max()] {
        for (m, n, k) in SHAPES {
            run_on_model(&config, &Case::random(&mut rng, m, n, k));
        }
    }
}

#[test]
fn random_shapes_on_random_cores_of_the_model() {
    let mut rng = tb::seed(22).rng;
    for _ in 0..300 {
        let config = Config::random(|| rng.next_u64());
        let case = Case::random_shape(&mut rng, 150);
        run_on_model(&config, &case);
    }
}

#[test]
fn columns_beyond_the_parameter_buffer() {
    let mut rng = tb::seed(23).rng;
    let mut case = Case::random(&mut rng, 70, 1300, 40);
    case.make_quantised(&mut rng, Dtype::U8, true);
    for config in [Config::tiny(), Config::lite(), Config::max()] {
        run_on_model(&config, &case);
    }
}

#[test]
fn a_program_for_tiny_runs_unchanged_on_lite_and_max() {
    let mut rng = tb::seed(24).rng;
    for _ in 0..10 {
        let case = Case::random_shape(&mut rng, 70);
        let compiled = case.gemm.compile(&Config::tiny()).unwrap();
        for config in [Config::tiny(), Config::lite(), Config::max()] {
            let product = compiled.run(&mut Modelled::new(&config, 5).unwrap(), &case.a, &case.b).unwrap();
            case.compare(&product.values());
            let mut core = Simulated::new(&config, MemorySettings::default()).unwrap_or_else(|error| panic!("{error}"));
            run_compiled(&mut core, &case, &compiled);
        }
    }
}

/// `count` random shapes on a simulated core, a new power-up state and another memory every 8 of them.
fn simulate_random_shapes(config: &Config, count: usize, seed_value: u64) {
    sim::waves::on_failure(&format!("shapes-{}", config.name), || run_random_shapes(config, count, seed_value));
}

fn run_random_shapes(config: &Config, count: usize, seed_value: u64) {
    let mut rng = tb::seed(seed_value).rng;
    let mut core = None;
    for number in 0..tb::rounds(count) {
        let core = core_for(&mut core, config, number, &mut rng);
        let most = if number % 8 == 7 { 130 } else { 49 };
        let case = Case::random_shape(&mut rng, most);
        run_on_core(core, &case);
    }
}

#[test]
fn random_shapes_on_simulated_tiny() {
    simulate_random_shapes(&Config::tiny(), 256, 25);
}

#[test]
fn random_shapes_on_simulated_lite() {
    simulate_random_shapes(&Config::lite(), 256, 28);
}

#[test]
fn random_shapes_on_simulated_max() {
    simulate_random_shapes(&Config::max(), 20, 30);
}

#[test]
fn hard_shapes_on_the_simulated_cores() {
    let mut rng = tb::seed(29).rng;
    for config in [Config::tiny(), Config::lite(), Config::max()] {
        let mut core = Simulated::new(&config, MemorySettings::default()).unwrap_or_else(|error| panic!("{error}"));
        for (m, n, k) in SHAPES {
            run_on_core(&mut core, &Case::random(&mut rng, m, n, k));
        }
        // More columns than FB has channels.
        let mut wide = Case::random(&mut rng, 20, 600, 40);
        wide.make_quantised(&mut rng, Dtype::U8, true);
        run_on_core(&mut core, &wide);
    }
}

#[test]
fn neither_the_power_up_state_nor_an_earlier_program_changes_a_cycle() {
    let mut rng = tb::seed(31).rng;
    let (case, other) = (Case::random(&mut rng, 50, 70, 90), Case::random(&mut rng, 33, 17, 65));
    for config in [Config::tiny(), Config::lite(), Config::max()] {
        let mut cycles = None;
        for power_up in 0..10 {
            let memory = MemorySettings { seed: power_up, ..MemorySettings::default() };
            let mut core = Simulated::new(&config, memory).unwrap_or_else(|error| panic!("{error}"));
            for _ in 0..2 {
                let report = run_on_core(&mut core, &case);
                let name = &config.name;
                assert_eq!(
                    *cycles.get_or_insert(report.cycles()),
                    report.cycles(),
                    "{name}, power-up state {power_up}"
                );
                run_on_core(&mut core, &other);
            }
        }
    }
}

#[test]
fn cold_products_keep_the_cube_of_lite_busy() {
    let mut rng = tb::seed(26).rng;
    // Exact: a change of the hardware or of the tiling that changes them changes docs/overview.md too.
    for (size, cycles) in [(128, 8_759), (256, 66_271)] {
        let case = Case::plain(&mut rng, size, size, size);
        let mut core =
            Simulated::new(&Config::lite(), MemorySettings::default()).unwrap_or_else(|error| panic!("{error}"));
        let report = run_on_core(&mut core, &case);
        println!("{size}^3 {:?}\n{report}", case.gemm.compile(core.config()).unwrap().tiling());
        assert_eq!(report.cycles(), Some(cycles), "{report}");
    }
}
