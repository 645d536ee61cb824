// SPDX-License-Identifier: Apache-2.0
//! Every unit on the way to global memory prints lint-clean Verilog, for every bus width of the named cores.
//!
//! With `QUADER_EMIT_DIR` set, the Verilog is written there, one folder per unit and width.

use isa::Config;
use rtl::axi::{AxiRead, AxiWrite, Burst, GmRows, ReadStream, WriteStream};
use rtl::emit::emit;
use rtl::mte2::Mte2;
use rtl::mte3::Mte3;
use rust_hdl::prelude::Block;
use std::path::Path;

fn print(mut uut: impl Block, name: &str) {
    uut.connect_all();
    let design = emit(&uut, name).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(design.top, name);
    assert_eq!(tb::lint(&design), [""; 0], "{name}");
    if let Ok(dir) = std::env::var("QUADER_EMIT_DIR") {
        design.write(&Path::new(&dir).join(name)).expect("the folder is writable");
    }
}

fn units<const B: usize, const S: usize>(config: &Config) {
    let outstanding = config.outstanding;
    print(Mte2::<B>::new(config), &format!("mte2_{B}"));
    print(Mte3::<B>::new(config), &format!("mte3_{B}"));
    print(AxiRead::<B>::new(outstanding), &format!("axi_read_{B}"));
    print(AxiWrite::<B, S>::new(outstanding), &format!("axi_write_{B}"));
    print(Burst::new(S, 1), &format!("burst_{B}"));
    print(GmRows::new(S), &format!("gm_rows_{B}"));
    print(ReadStream::<B>::new(outstanding), &format!("read_stream_{B}"));
    print(WriteStream::<B>::new(outstanding), &format!("write_stream_{B}"));
}

#[test]
fn units_print_for_32_bit_buses() {
    let config = Config { bus_bytes: 4, fix_lanes: 1, outstanding: 2, m0: 2, n0: 2, dsp_mults: 0, ..Config::tiny() };
    units::<32, 4>(&config);
}

#[test]
fn units_print_for_tiny() {
    units::<64, 8>(&Config::tiny());
}

#[test]
fn units_print_for_lite() {
    units::<128, 16>(&Config::lite());
}

#[test]
fn units_print_for_256_bit_buses() {
    units::<256, 32>(&Config { bus_bytes: 32, ..Config::lite() });
}

#[test]
fn units_print_for_max() {
    units::<512, 64>(&Config::max());
}
