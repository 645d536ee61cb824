// SPDX-License-Identifier: Apache-2.0
//! Every unit on the way to global memory prints lint-clean Verilog, for every bus width of the named cores, and is the same in it.
//!
//! What each block does is tested in the modules below; `memory` is the other side of the AXI master.
//! With `QUADER_EMIT_DIR` set, the Verilog is written there, one folder per unit and width.

#[macro_use]
pub mod memory;

/// Two requesters on one side of the master, bursts of a few words from `$base` on: no request waits for more than four addresses of the bus,
/// and with both always asking one does. `$start` makes a run of the side under test with that many bursts in flight.
macro_rules! assert_turns {
    ($base:expr, $start:expr) => {
        for (limit, stall, pause) in [(64, 0, 0), (4, 0, 0), (64, 60, 0), (3, 80, 20), (16, 30, 60)] {
            let mut run = $start(limit);
            (run.memory.stall, run.memory.latency) = (stall, 9);
            // When the present request came, and when those that the gate has taken came: counted in addresses that the bus took.
            let (mut came, mut inside) = ([None; 2], [const { VecDeque::new() }; 2]);
            let (mut addresses, mut served, mut most) = (0u64, [0u64; 2], 0);
            for _ in 0..1500 {
                for (n, came) in came.iter_mut().enumerate() {
                    if came.is_none() && !run.memory.random.chance(pause) {
                        *came = Some(addresses);
                        run.twin.uut.request_address[n].next = (ORIGIN + $base + 8 * run.memory.random.below(64)).into();
                        run.twin.uut.request_beats[n].next = run.memory.random.below(3).into();
                    }
                    run.twin.uut.request_valid[n].next = came.is_some();
                }
                run.cycle();
                if let Some(n) = run.addressed {
                    let since: u64 = inside[n].pop_front().expect("an address that was asked for");
                    most = most.max(addresses - since);
                    served[n] += 1;
                    addresses += 1;
                }
                for n in 0..2 {
                    if run.granted[n] {
                        inside[n].push_back(came[n].take().expect("a request"));
                    }
                }
            }
            assert_eq!(run.fault(), None);
            assert!(served[0].min(served[1]) > 20, "{served:?} bursts");
            assert!(most <= 4, "limit {limit}, stall {stall}: {most} addresses came first");
            if pause == 0 {
                assert_eq!(most, 4, "limit {limit}, stall {stall}: the bound is tight");
                assert!(served[0].abs_diff(served[1]) <= 1, "limit {limit}, stall {stall}: {served:?}");
            }
        }
    };
}

mod burst;
pub mod engines;
mod read;
mod read_stream;
pub mod streams;
mod write;
mod write_stream;

use engines::{Mte2Bench, Mte3Bench};
use isa::Config;
use rtl::axi::{AxiRead, AxiWrite, Burst, GmRows, ReadStream, WriteStream};
use rtl::emit::emit;
use rtl::fix::Fix;
use rtl::mte2::Mte2;
use rtl::mte3::Mte3;
use rust_hdl::prelude::Block;
use std::path::Path;
use streams::{ReadBench, WriteBench};
use tb::Lockstep;

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
    let with_ub = Config { ub_bytes: 4 << 10, ..config.clone() };
    print(Mte2::<B>::new(&with_ub), &format!("mte2_ub_{B}"));
    print(Mte3::<B>::new(&with_ub), &format!("mte3_ub_{B}"));
    print(Fix::<B>::new(&with_ub), &format!("fix_ub_{B}"));
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

/// The fields of an address channel that say the same of every burst.
fn fixed(lockstep: Lockstep, channel: &str) -> Lockstep {
    ["burst", "cache", "lock", "prot", "qos", "size"].into_iter().fold(lockstep, |lockstep, field| {
        lockstep.constant(format!("m_axi_{channel}{field}"), "all bursts are of one kind")
    })
}

fn read_side<const B: usize>(config: &Config) {
    let lockstep = fixed(Lockstep::of(config, "axi_read"), "ar");
    lockstep.with(|uut: &ReadBench<B>| &uut.axi, || read_stream::rows_arrive_by::<B>(config, 31, true, 15));
    lockstep.with(|uut: &Mte2Bench<B>| &uut.axi, || crate::mte2::named_faults::<B>(config));
    lockstep.finish();
}

fn write_side<const B: usize, const S: usize>(config: &Config) {
    let axi = fixed(Lockstep::of(config, "axi_write"), "aw").constant("m_axi_bready", "there is room for every answer");
    let stream = Lockstep::of(config, "write_stream");
    axi.with(
        |uut: &WriteBench<B, S>| &uut.axi,
        || {
            stream.with(
                |uut: &WriteBench<B, S>| &uut.stream,
                || write_stream::rows_are_written_by::<B, S>(config, 32, true, 15),
            );
        },
    );
    axi.with(|uut: &Mte3Bench<B, S>| &uut.axi, || crate::mte3::named_faults::<B, S>(config));
    axi.finish();
    stream.finish();
}

#[test]
fn axi_is_the_same_in_verilog() {
    let [tiny, lite] = crate::common::compared();
    read_side::<64>(&tiny);
    read_side::<128>(&lite);
    write_side::<64, 8>(&tiny);
    write_side::<128, 16>(&lite);
}
