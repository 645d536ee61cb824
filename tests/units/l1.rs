// SPDX-License-Identifier: Apache-2.0
//! L1: every byte comes back through all patterns and both ports, in exactly three cycles, and nobody starves.

use crate::common::{Random, compared, cubes, prints_and_lints};
use rtl::l1::L1;
use rtl::twin::Twin;
use tb::Lockstep;

/// What a read is of.
enum Kind {
    Rows,
    Contiguous,
    /// A word of each bank.
    Words(Vec<usize>),
}

/// Random traffic on all four ports; `busy0` is the percentage of cycles in which read port 0 wants.
fn follows_the_model(core: &isa::Config, cycles: usize, busy0: usize, random: &mut Random) {
    let nb = core.m0.max(core.n0);
    let k0 = core.k0;
    let s = L1::segment(core);
    let mut twin = Twin::new(L1::new(core), |uut: &mut L1, clk| uut.clk.next = clk);
    let mut bytes = vec![None::<u8>; core.l1_bytes];
    // A few kilobytes, so that reads meet earlier writes.
    let used = 4096;
    twin.uut.rst.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    let writers = twin.uut.write_valid.len();
    let mut write: Vec<Option<(usize, Vec<Option<u8>>)>> = vec![None; writers];
    let mut delayed = vec![0; writers];
    // A read gives the address of every chunk; port 0 may have one of its own for every bank.
    let skew = nb.max(32 / k0);
    let mut read: [Option<(usize, Kind)>; 2] = [None, None];
    let mut gathers = 0;
    let mut flight: Vec<[Option<Vec<Option<u8>>>; 2]> = vec![[None, None]; 3];
    let (mut waited, mut waited0, mut compared, mut served) = (0, 0, 0, vec![0usize; writers]);
    for cycle in 0..cycles {
        for (port, write) in write.iter_mut().enumerate() {
            if write.is_none() && random.chance(70) {
                let data = (0..s).map(|_| random.chance(80).then(|| random.next() as u8)).collect();
                *write = Some((random.below(used / s) * s, data));
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
        if read[0].is_none() && random.chance(busy0) {
            let rows = random.chance(40);
            let group = random.below(used / (nb * 32)) * nb * 32;
            let address =
                if rows { group + random.below(32 / k0) * k0 } else { random.below(used / (nb * k0)) * nb * k0 };
            read[0] = Some((address, if rows { Kind::Rows } else { Kind::Contiguous }));
            if random.chance(40) {
                let words: Vec<usize> = (0..nb).map(|_| random.below(used / (nb * k0))).collect();
                read[0] = Some((address, Kind::Words(words)));
                gathers += 1;
            }
        }
        if read[1].is_none() && random.chance(50) {
            read[1] = Some((random.below(used / (nb * k0)) * nb * k0, Kind::Contiguous));
        }
        twin.uut.read0_valid.next = read[0].is_some();
        twin.uut.read1_valid.next = read[1].is_some();
        if let Some((address, kind)) = &read[0] {
            twin.uut.read0_address.next = (*address as u64).into();
            twin.uut.read0_rows.next = matches!(kind, Kind::Rows);
            twin.uut.read0_gather.next = matches!(kind, Kind::Words(_));
            if let Kind::Words(words) = kind {
                for (port, word) in twin.uut.read0_word.iter_mut().zip(words) {
                    port.next = (*word as u64).into();
                }
            }
        }
        if let Some((address, _)) = &read[1] {
            twin.uut.read1_address.next = (*address as u64).into();
        }
        twin.settle();
        let [data0, data1] = flight.pop().expect("three are in flight");
        assert_eq!(twin.uut.read0_data_valid.val(), data0.is_some(), "cycle {cycle}: port 0");
        assert_eq!(twin.uut.read1_data_valid.val(), data1.is_some(), "cycle {cycle}: port 1");
        for (port, want) in [(0, data0), (1, data1)] {
            let got = if port == 0 { &twin.uut.read0_data } else { &twin.uut.read1_data };
            for (lane, want) in want.iter().flatten().enumerate() {
                if let Some(want) = want {
                    assert_eq!(u64::from(got[lane].val()), u64::from(*want), "cycle {cycle}: port {port} lane {lane}");
                    compared += 1;
                }
            }
        }
        let write_taken: Vec<bool> =
            (0..writers).map(|port| twin.uut.write_ready[port].val() && write[port].is_some()).collect();
        let read_taken =
            [twin.uut.read0_ready.val() && read[0].is_some(), twin.uut.read1_ready.val() && read[1].is_some()];
        let grants = write_taken.iter().filter(|taken| **taken).count();
        assert!(read_taken != [true; 2], "cycle {cycle}: two grants");
        assert_eq!(grants, usize::from(write.iter().any(Option::is_some)), "cycle {cycle}: writes taken");
        for port in 0..writers {
            delayed[port] = if write[port].is_some() && !write_taken[port] { delayed[port] + 1 } else { 0 };
            assert!(delayed[port] < writers, "cycle {cycle}: write port {port} waited {} cycles", delayed[port]);
        }
        waited0 = if read[0].is_some() && !read_taken[0] { waited0 + 1 } else { 0 };
        assert!(waited0 <= 1, "cycle {cycle}: read port 0 waited {waited0} cycles");
        waited = if read[1].is_some() && !read_taken[1] { waited + 1 } else { 0 };
        assert!(waited <= 15, "cycle {cycle}: read port 1 waited {waited} cycles");
        let mut starting = [None, None];
        let written: Vec<usize> = (0..writers)
            .filter(|port| write_taken[*port])
            .flat_map(|port| {
                let (address, _) = write[port].as_ref().expect("taken");
                *address..*address + s
            })
            .collect();
        for port in 0..2 {
            if read_taken[port] {
                let (address, kind) = read[port].take().expect("taken");
                let place = |i: usize, b: usize| match &kind {
                    Kind::Rows => address + b + i * 32,
                    Kind::Contiguous => address + b + i * k0,
                    // The chunk that lies in bank i at that word.
                    Kind::Words(words) => {
                        let mut chunks = words[i] * nb..words[i] * nb + nb;
                        b + k0 * chunks.find(|chunk| (chunk + chunk / skew) % nb == i).expect("one of them")
                    }
                };
                starting[port] = Some(
                    (0..nb * k0)
                        .map(|lane| place(lane / k0, lane % k0))
                        .map(|at| if written.contains(&at) { None } else { bytes[at] })
                        .collect(),
                );
            }
        }
        for port in (0..writers).filter(|port| write_taken[*port]) {
            let (address, data) = write[port].take().expect("taken");
            for (at, byte) in data.iter().enumerate() {
                bytes[address + at] = byte.or(bytes[address + at]);
            }
            served[port] += 1;
        }
        flight.insert(0, starting);
        twin.edge();
    }
    assert!(gathers > 10, "only {gathers} gathered reads");
    assert!(compared > cycles, "only {compared} bytes were compared");
    assert!(served.iter().all(|n| n.abs_diff(served[0]) * 5 < served[0]), "writes are not shared fairly: {served:?}");
}

#[test]
fn every_byte_comes_back_in_three_cycles() {
    let mut random = Random::seeded(31);
    for core in cubes() {
        let line = core.m0.max(core.n0) * core.k0;
        for ub_bytes in [0, line.max(1 << 10)] {
            let core = isa::Config { ub_bytes, ..core.clone() };
            follows_the_model(&core, (30_000 / line).clamp(300, 1000), 60, &mut random);
        }
    }
}

#[test]
fn port_one_is_served_beside_a_saturated_port_zero() {
    let mut random = Random::seeded(32);
    follows_the_model(&crate::common::config(4, 16, 4, 16), 1000, 100, &mut random);
}

#[test]
fn l1_is_the_same_in_verilog() {
    let mut random = Random::seeded(33);
    for core in compared() {
        let lockstep = Lockstep::of(&core, "l1");
        for busy0 in [60, 100] {
            lockstep.with(|uut: &L1| uut, || follows_the_model(&core, 1_000, busy0, &mut random));
        }
        lockstep.finish();
    }
}

#[test]
fn prints() {
    for (name, core) in [("tiny", isa::Config::tiny()), ("lite", isa::Config::lite()), ("max", isa::Config::max())] {
        prints_and_lints(&mut L1::new(&core), &format!("l1_{name}"));
    }
    for core in cubes() {
        prints_and_lints(&mut L1::new(&core), &format!("l1_{}x{}x{}", core.m0, core.k0, core.n0));
    }
}
