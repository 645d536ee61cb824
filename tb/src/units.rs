// SPDX-License-Identifier: Apache-2.0
//! All units of one core side by side in one Verilog model, each with a clock and ports of its own.
//!
//! ```text
//!   core(config) ─emit─► modules ─┬─► units_lite:  csr csr (.clk(csr_clk), ...);  l1 l1 (.clk(l1_clk), ...);  ...
//!                                 └─► the top of the core stays unused
//! ```
//! The modules are those of the core, printed once with it, so what is simulated is what the core consists of, and one build of
//! Verilator serves the tests of all units. Of a list of the same modules (`issue`) the first one stands for all.

use isa::Config;
use rtl::emit::{Design, Instance, emit};
use rtl::top::core;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use verilated::{Build, Model};

/// The units of `design`, a printed core: instances of its top. The first of a list has the name of the list.
fn units(design: &Design) -> Vec<Instance> {
    let top = design.module(&design.top).expect("a design holds its top");
    let mut units: Vec<Instance> = vec![];
    for instance in &top.instances {
        match instance.name.rsplit_once('_') {
            Some((list, "0")) => units.push(Instance { name: list.to_owned(), module: instance.module.clone() }),
            Some((list, number)) if number.parse::<usize>().is_ok() => {
                let first = units.iter().find(|unit| unit.name == list).expect("lists count from 0");
                assert!(first.module == instance.module, "`{}` differs from the first of its list", instance.name);
            }
            _ => units.push(instance.clone()),
        }
    }
    units
}

/// The module `name` that holds every unit of `design`, its ports called `<unit>_<port>`.
fn bench(design: &Design, name: &str) -> String {
    let mut ports = vec![];
    let mut bodies = String::new();
    for Instance { name: unit, module } in units(design) {
        let module = design.module(&module).expect("a design holds what it instantiates");
        let mut pins = vec![];
        for port in &module.ports {
            let way = if port.driven { "output" } else { "input " };
            let sign = if port.signed { "signed " } else { "" };
            let range = if port.width == 1 { String::new() } else { format!("[{}:0] ", port.width - 1) };
            ports.push(format!("    {way} wire {sign}{range}{unit}_{}", port.name));
            pins.push(format!("        .{0}({unit}_{0})", port.name));
        }
        // Writing to a String cannot fail.
        let _ = writeln!(bodies, "    {} {unit} (\n{}\n    );", module.name, pins.join(",\n"));
    }
    format!(
        "// {name}: the units of a core side by side.\nmodule {name} (\n{}\n);\n{bodies}endmodule\n",
        ports.join(",\n")
    )
}

/// The units of `config`'s core, in the order of its fields: what [`crate::Lockstep::of`] takes.
///
/// Panics if the configuration is illegal.
pub fn unit_names(config: &Config) -> Vec<String> {
    units(&printed(config)).into_iter().map(|unit| unit.name).collect()
}

fn printed(config: &Config) -> Design {
    let core = core(config).unwrap_or_else(|error| panic!("{error}"));
    emit(core.as_ref(), "quader").unwrap_or_else(|error| panic!("{error}"))
}

/// The model with all units of `config`, made at the first call for a configuration.
///
/// Other threads and processes wait for the one that builds. Panics if it cannot be built, with what to install.
pub(crate) fn model(config: &Config) -> Arc<Model> {
    static MODELS: Mutex<Vec<(Config, Arc<Model>)>> = Mutex::new(vec![]);
    // A panic while building leaves the list as it was.
    let mut models = MODELS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, model)) = models.iter().find(|(other, _)| other == config) {
        return Arc::clone(model);
    }
    let design = printed(config);
    let name = format!("units_{}", config.name);
    // The last module is the top of the core.
    let mut texts = design.files();
    texts.pop();
    texts.push((format!("{name}.v"), bench(&design, &name)));
    let model = Build::new(&name).texts(texts).cycles_hint(10_000).build().unwrap_or_else(|error| panic!("{error}"));
    models.push((config.clone(), Arc::clone(&model)));
    model
}
