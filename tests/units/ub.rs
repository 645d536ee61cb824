// SPDX-License-Identifier: Apache-2.0
//! UB: every byte comes back in exactly three cycles, a read in every cycle, FIX first, and neither writer starves.

use crate::common::{Random, compared, cubes, prints_and_lints};
use rtl::l1::L1;
use rtl::twin::Twin;
use rtl::ub::Ub;
use tb::Lockstep;

/// Random traffic on all ports.
fn follows_the_model(core: &isa::Config, cycles: usize, random: &mut Random) {
    let line = core.m0.max(core.n0) * core.k0;
    let s = L1::segment(core);
    let mut twin = Twin::new(Ub::new(core), |uut: &mut Ub, clk| uut.clk.next = clk);
    let mut bytes = vec![None::<u8>; core.ub_bytes];
    // The last kilobytes, so that reads meet earlier writes.
    let used = core.ub_bytes.min(4096);
    let first = core.ub_bytes - used;
    twin.uut.rst.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    let mut write: [Option<(usize, Vec<Option<u8>>)>; 2] = [None, None];
    let mut flight: Vec<(bool, Vec<Option<u8>>)> = vec![(false, vec![]); 3];
    let (mut waited, mut compared, mut served) = ([0; 2], 0, [0usize; 2]);
    for cycle in 0..cycles {
        for (port, write) in write.iter_mut().enumerate() {
            if write.is_none() && random.chance(70) {
                let data = (0..s).map(|_| random.chance(80).then(|| random.next() as u8)).collect();
                *write = Some((first + random.below(used / s) * s, data));
            }
            twin.uut.write_valid[port].next = write.is_some();
            if let Some((address, data)) = write {
                twin.uut.write_address[port].next = (*address as u64).into();
                for (at, byte) in data.iter().enumerate() {
                    twin.uut.write_enable[port * s + at].next = byte.is_some();
                    twin.uut.write_data[port * s + at].next = u64::from(byte.unwrap_or(0xA5)).into();
                }
            }
        }
        let [read, fix_read] =
            [80, 40].map(|percent| random.chance(percent).then(|| first + random.below(used / line) * line));
        twin.uut.read_valid.next = read.is_some();
        twin.uut.read_address.next = (read.unwrap_or(0) as u64).into();
        twin.uut.fix_read_valid.next = fix_read.is_some();
        twin.uut.fix_read_address.next = (fix_read.unwrap_or(0) as u64).into();
        twin.settle();
        assert_eq!(twin.uut.read_ready.val(), fix_read.is_none(), "cycle {cycle}: FIX reads first");
        let (of_mte3, data) = flight.pop().expect("three are in flight");
        assert_eq!(twin.uut.read_data_valid.val(), of_mte3, "cycle {cycle}");
        for (lane, want) in data.iter().enumerate() {
            if let Some(want) = want {
                assert_eq!(u64::from(twin.uut.read_data[lane].val()), u64::from(*want), "cycle {cycle}: lane {lane}");
                compared += 1;
            }
        }
        let taken = [0, 1].map(|port| twin.uut.write_ready[port].val() && write[port].is_some());
        assert!(taken != [true; 2], "cycle {cycle}: two grants");
        let mut written = 0..0;
        for port in 0..2 {
            waited[port] = if write[port].is_some() && !taken[port] { waited[port] + 1 } else { 0 };
            assert!(waited[port] <= 1, "cycle {cycle}: port {port} waits for more than one write");
            if taken[port] {
                let (address, data) = write[port].take().expect("taken");
                written = address..address + s;
                for (at, byte) in data.iter().enumerate() {
                    bytes[address + at] = byte.or(bytes[address + at]);
                }
                served[port] += 1;
            }
        }
        // Of a write accepted in the same cycle a read sees undefined bytes.
        let seen = |at: usize| if written.contains(&at) { None } else { bytes[at] };
        let line = fix_read.or(read).map(|address| (address..address + line).map(seen).collect());
        flight.insert(0, (read.is_some() && fix_read.is_none(), line.unwrap_or_default()));
        twin.edge();
    }
    assert!(compared > cycles, "only {compared} bytes were compared");
    assert!(served[0].abs_diff(served[1]) * 5 < served[0], "writes are not shared fairly: {served:?}");
}

#[test]
fn every_byte_comes_back_in_three_cycles() {
    let mut random = Random::seeded(41);
    for core in cubes() {
        let line = core.m0.max(core.n0) * core.k0;
        let core = isa::Config { ub_bytes: 3 * line.max(1 << 10), ..core };
        follows_the_model(&core, (60_000 / line).clamp(400, 2000), &mut random);
    }
}

#[test]
fn ub_is_the_same_in_verilog() {
    let mut random = Random::seeded(42);
    let [_, core] = compared();
    let lockstep = Lockstep::of(&core, "ub");
    lockstep.with(|uut: &Ub| uut, || follows_the_model(&core, 1_000, &mut random));
    lockstep.finish();
}

#[test]
fn prints() {
    let named = [(4 << 10, isa::Config::tiny()), (32 << 10, isa::Config::lite()), (192 << 10, isa::Config::max())];
    for (ub_bytes, core) in named {
        prints_and_lints(&mut Ub::new(&isa::Config { ub_bytes, ..core.clone() }), &format!("ub_{}", core.name));
    }
}
