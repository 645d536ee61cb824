// SPDX-License-Identifier: Apache-2.0
//! The emitted Verilog of the named cores: the same text every time, clean under Verilator's lint, accepted by Yosys and by Icarus.

#![allow(clippy::unwrap_used)]

use fpga::{Icarus, Yosys};
use isa::Config;
use rtl::emit::{Design, emit};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Instant;

/// Set where every tool has to be there; elsewhere a missing Icarus, which comes from no package of PyPI, is said and passed over.
const NEED: &str = "QUADER_NEED_ICARUS";

/// Tiny, lite and max, printed once for all tests.
fn designs() -> impl Iterator<Item = (Config, &'static Design)> {
    static DESIGNS: [OnceLock<Design>; 3] = [const { OnceLock::new() }; 3];
    let cores = [Config::tiny(), Config::lite(), Config::max()];
    cores.into_iter().zip(&DESIGNS).map(|(config, cell)| {
        let design = cell.get_or_init(|| design(&config));
        (config, design)
    })
}

fn design(config: &Config) -> Design {
    let began = Instant::now();
    let core = rtl::top::core(config).unwrap();
    let design = emit(&*core, "quader").unwrap_or_else(|error| panic!("{error}"));
    let bytes: usize = design.modules.iter().map(|module| module.text.len()).sum();
    let seconds = began.elapsed().as_secs_f64();
    println!("{}: {} modules, {bytes} bytes, {seconds:.1} s", config.name, design.modules.len());
    design
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn every_core_is_lint_clean() {
    for (config, design) in designs() {
        let messages = tb::lint(design);
        let shown = &messages[..messages.len().min(20)];
        assert!(messages.is_empty(), "{}: {} messages\n{}", config.name, messages.len(), shown.join("\n"));
    }
}

#[test]
fn yosys_finds_no_latch_no_loop_and_one_driver_per_net() {
    let yosys = Yosys::find().unwrap_or_else(|error| panic!("{error}"));
    for (config, design) in designs() {
        let folder = folder(&format!("yosys-{}", config.name));
        let log = yosys.check(design, &folder).unwrap_or_else(|error| panic!("{}: {error}", config.name));
        let warnings: Vec<&str> = log.lines().filter(|line| line.contains("Warning")).collect();
        assert!(warnings.is_empty(), "{}: {}", config.name, warnings.join("\n"));
        assert!(log.contains("Found and reported 0 problems"), "{}: {log}", config.name);
    }
}

#[test]
fn icarus_compiles_every_core_without_a_warning() {
    let icarus = match Icarus::find() {
        Ok(icarus) => icarus,
        Err(error) if std::env::var_os(NEED).is_none() => return println!("not checked: {error}"),
        Err(error) => panic!("{error}"),
    };
    for (config, design) in designs() {
        let folder = folder(&format!("icarus-{}", config.name));
        let said = icarus.compile(design, &folder).unwrap_or_else(|error| panic!("{}: {error}", config.name));
        assert!(said.is_empty(), "{}: {}", config.name, said.join("\n"));
    }
}

#[test]
fn the_same_core_is_printed_the_same_way_every_time() {
    for (config, first) in designs().take(2) {
        assert_eq!(first.files(), design(&config).files(), "{}", config.name);
    }
}

#[test]
fn modules_are_distinct_named_and_described() {
    for (_, design) in designs() {
        for (at, module) in design.modules.iter().enumerate() {
            let system = |rest: &&str| ["signed(", "unsigned("].iter().any(|task| rest.starts_with(task));
            let other = module.text.split('$').skip(1).find(|rest| !system(rest));
            assert_eq!(other, None, "{}: a `$` in a name", module.name);
            let described = module.text.lines().any(|line| line.starts_with("//") && line.len() > 20);
            assert!(described, "{}: no header", module.name);
            let bodies = |text: &str, name: &str| text.replace(name, "");
            let twin = design.modules[..at]
                .iter()
                .find(|other| bodies(&other.text, &other.name) == bodies(&module.text, &module.name));
            assert!(twin.is_none(), "{} is {} under another name", module.name, twin.unwrap().name);
        }
    }
}

#[test]
fn no_signal_is_wider_than_the_bus() {
    for (config, design) in designs() {
        let limit = 8 * config.bus_bytes;
        for module in &design.modules {
            // Memories are words of joined lanes: the arrays themselves, and the register behind a block RAM.
            if module.name.starts_with("ram_") {
                continue;
            }
            let is_memory = |line: &&str| line.contains(" [0:");
            for line in
                module.text.lines().filter(|line| !is_memory(line) && (line.contains("wire") || line.contains("reg")))
            {
                let high = line.split_once('[').and_then(|(_, rest)| rest.split_once(":0]")).map(|(high, _)| high);
                let width = high.and_then(|high| high.parse::<usize>().ok()).map_or(1, |high| high + 1);
                assert!(width <= limit, "{} of {}: {line}", module.name, config.name);
            }
        }
    }
}
