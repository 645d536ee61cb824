// SPDX-License-Identifier: Apache-2.0
//! The cube engine against a plain Rust product, in Rust-HDL's simulation.

mod bench;
mod claims;

use rtl::twin::Twin as Sim;

/// One module per distinct thing: the text does not grow with the 8192 multipliers.
#[test]
fn every_core_prints_small_verilog() {
    use rust_hdl::prelude::Block;
    for (config, modules, bytes) in
        [(isa::Config::tiny(), 16, 80_000), (isa::Config::lite(), 16, 130_000), (isa::Config::max(), 16, 600_000)]
    {
        let mut m = rtl::cube::M::new(&config);
        m.connect_all();
        let design = rtl::emit::emit(&m, "m").expect("M can be printed");
        assert_eq!(tb::lint(&design), [""; 0], "{}", config.name);
        assert!(design.modules.len() <= modules, "{}: {} modules", config.name, design.modules.len());
        assert!(design.text().len() <= bytes, "{}: {} bytes", config.name, design.text().len());
    }
}
