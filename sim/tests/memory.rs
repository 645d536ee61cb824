// SPDX-License-Identifier: Apache-2.0
//! The memory's timing, order, errors and unkindness, with a master in Rust; the monitor watches every cycle.

use std::collections::VecDeque;

use rand::{Rng as _, RngExt as _};
use sim::bus::{Address, AxiOut, INCR, ReadBeat, WriteBeat};
use sim::memory::{Access, Hit};
use sim::seed::Seed;
use sim::{AxiMemory, GlobalMemory, Injection, MemoryConfig, Monitor, MonitorConfig, Order, Poison, Resp, Window};

/// A master that offers what stands in its queues, as early as it can, and notes what comes back with the cycle.
struct Master {
    memory: AxiMemory,
    monitor: Monitor,
    out: AxiOut,
    aw: VecDeque<Address>,
    w: VecDeque<WriteBeat>,
    ar: VecDeque<Address>,
    /// Cycles of handshakes.
    aw_at: Vec<u64>,
    w_at: Vec<u64>,
    ar_at: Vec<u64>,
    r: Vec<(u64, ReadBeat)>,
    b: Vec<(u64, u32, Resp)>,
}

impl Master {
    fn new(config: MemoryConfig) -> Master {
        let bus_bytes = config.bus_bytes;
        let memory = AxiMemory::new(config, GlobalMemory::new(Poison::new(1))).expect("legal");
        let out = AxiOut { b_ready: true, r_ready: true, ..AxiOut::default() };
        Master {
            memory,
            monitor: Monitor::new(MonitorConfig::new(bus_bytes)),
            out,
            aw: VecDeque::new(),
            w: VecDeque::new(),
            ar: VecDeque::new(),
            aw_at: Vec::new(),
            w_at: Vec::new(),
            ar_at: Vec::new(),
            r: Vec::new(),
            b: Vec::new(),
        }
    }

    fn step(&mut self) {
        let offer = |valid: &mut bool, slot: &mut Address, queue: &mut VecDeque<Address>| {
            if !*valid && let Some(next) = queue.pop_front() {
                (*valid, *slot) = (true, next);
            }
        };
        offer(&mut self.out.aw_valid, &mut self.out.aw, &mut self.aw);
        offer(&mut self.out.ar_valid, &mut self.out.ar, &mut self.ar);
        if !self.out.w_valid
            && let Some(beat) = self.w.pop_front()
        {
            (self.out.w_valid, self.out.w) = (true, beat);
        }
        let (input, cycle) = (*self.memory.input(), self.memory.cycle());
        self.monitor.sample(&input, &self.out);
        self.memory.clock(&self.out);
        for (valid, ready, times) in [
            (&mut self.out.aw_valid, input.aw_ready, &mut self.aw_at),
            (&mut self.out.w_valid, input.w_ready, &mut self.w_at),
            (&mut self.out.ar_valid, input.ar_ready, &mut self.ar_at),
        ] {
            if *valid && ready {
                *valid = false;
                times.push(cycle);
            }
        }
        if input.r_valid && self.out.r_ready {
            self.r.push((cycle, input.r));
        }
        if input.b_valid && self.out.b_ready {
            self.b.push((cycle, input.b.id, input.b.resp));
        }
    }

    fn run(&mut self, cycles: u64) {
        (0..cycles).for_each(|_| self.step());
    }

    fn drain(&mut self) {
        for _ in 0..1_000_000 {
            let waits = self.out.aw_valid || self.out.ar_valid || self.out.w_valid;
            if self.aw.is_empty() && self.ar.is_empty() && self.w.is_empty() && !waits && self.memory.is_idle() {
                return;
            }
            self.step();
        }
        panic!("the memory never became idle");
    }

    /// The test is over: no rule was broken by either side.
    fn check(mut self) {
        self.monitor.finish();
        assert_eq!(self.monitor.violations(), []);
    }

    fn r_cycles(&self) -> Vec<u64> {
        self.r.iter().map(|(cycle, _)| *cycle).collect()
    }
}

fn burst(id: u32, addr: u64, beats: u32, size: u8) -> Address {
    Address { id, addr, len: (beats - 1) as u8, size, burst: INCR, ..Address::default() }
}

fn beat(value: u8, strb: u64, last: bool) -> WriteBeat {
    WriteBeat { data: [value; 64], strb, last }
}

fn ideal() -> MemoryConfig {
    MemoryConfig::ideal(16)
}

#[test]
fn the_first_beat_comes_exactly_latency_cycles_after_the_address() {
    for latency in [1, 2, 30, 100] {
        let mut master = Master::new(MemoryConfig { latency, ..ideal() });
        master.run(5);
        master.ar.push_back(burst(1, 0x1000, 4, 4));
        master.drain();
        let at = master.ar_at[0] + u64::from(latency);
        assert_eq!(master.r_cycles(), [at, at + 1, at + 2, at + 3]);
        assert_eq!(master.r.iter().map(|(_, r)| r.last).collect::<Vec<_>>(), [false, false, false, true]);
        master.check();
    }
}

#[test]
fn any_number_of_requests_is_in_flight_each_with_the_same_latency() {
    let mut master = Master::new(MemoryConfig { latency: 100, ..ideal() });
    master.ar.extend((0..200).map(|i| burst(i % 3, 0x1000 + u64::from(i) * 16, 1, 4)));
    master.aw.extend((0..200).map(|i| burst(i % 3, 0x9000 + u64::from(i) * 16, 1, 4)));
    master.w.extend((0..200).map(|i| beat(i as u8, 0xFFFF, true)));
    master.drain();
    assert_eq!(master.ar_at.len(), 200);
    assert_eq!(master.ar_at[199] - master.ar_at[0], 199, "an address per cycle");
    for (asked, (came, _)) in master.ar_at.iter().zip(&master.r) {
        assert_eq!(*came, asked + 100);
    }
    for (sent, (came, ..)) in master.w_at.iter().zip(&master.b) {
        assert_eq!(*came, sent + 100);
    }
    master.check();
}

#[test]
fn the_response_comes_latency_cycles_after_the_last_beat_or_the_address_if_that_is_later() {
    for address_first in [true, false] {
        let mut master = Master::new(MemoryConfig { latency: 7, ..ideal() });
        let data = [beat(1, 0xFFFF, false), beat(2, 0xFFFF, true)];
        if address_first {
            master.aw.push_back(burst(4, 0x2000, 2, 4));
            master.run(10);
            master.w.extend(data);
        } else {
            master.w.extend(data);
            master.run(10);
            master.aw.push_back(burst(4, 0x2000, 2, 4));
        }
        master.drain();
        let last = master.aw_at[0].max(master.w_at[1]);
        assert_eq!(master.b, [(last + 7, 4, Resp::Okay)]);
        assert_eq!(master.memory.gm.read(0x2000, 32), [[1; 16], [2; 16]].concat());
        master.check();
    }
}

/// Beats of R and of W in 1,000 cycles of a master that always wants both.
fn beats_in_1000_cycles(bytes_per_cycle: f64, shared: bool) -> (u64, u64) {
    let mut master = Master::new(MemoryConfig { bytes_per_cycle, shared, ..ideal() });
    master.ar.extend((0..20).map(|i| burst(0, i * 4096, 256, 4)));
    master.aw.extend((0..20).map(|i| burst(0, i * 4096, 256, 4)));
    master.w.extend((0..5120u32).map(|i| beat(i as u8, 0xFFFF, i % 256 == 255)));
    master.run(100);
    let before = *master.memory.traffic();
    master.run(1000);
    let after = *master.memory.traffic();
    (after.read_beats - before.read_beats, after.write_beats - before.write_beats)
}

#[test]
fn bandwidth_holds_exactly_for_each_direction_or_for_both() {
    for (bytes_per_cycle, beats) in
        [(f64::INFINITY, 1000), (64.0, 1000), (16.0, 1000), (12.0, 750), (8.0, 500), (2.0, 125), (0.5, 31), (7.5, 468)]
    {
        let (read, write) = beats_in_1000_cycles(bytes_per_cycle, false);
        assert!(read.abs_diff(beats) <= 1 && write.abs_diff(beats) <= 1, "{bytes_per_cycle}: {read} {write}");
    }
    for (bytes_per_cycle, beats) in
        [(f64::INFINITY, 2000), (32.0, 2000), (16.0, 1000), (24.0, 1500), (8.0, 500), (2.0, 125)]
    {
        let (read, write) = beats_in_1000_cycles(bytes_per_cycle, true);
        assert!((read + write).abs_diff(beats) <= 2, "{bytes_per_cycle} shared: {read} {write}");
        // Between one and two beats per cycle reads go first; below, both get the same.
        let fair = bytes_per_cycle == 24.0 || read.abs_diff(write) <= 2;
        assert!(fair, "{bytes_per_cycle} shared fairly: {read} {write}");
    }
}

#[test]
fn two_bytes_per_cycle_on_a_bus_of_sixteen_is_a_beat_every_eight_cycles() {
    let mut master = Master::new(MemoryConfig { bytes_per_cycle: 2.0, latency: 10, ..ideal() });
    master.run(50);
    master.ar.push_back(burst(0, 0, 5, 4));
    master.drain();
    let first = master.ar_at[0] + 10;
    assert_eq!(master.r_cycles(), [0, 8, 16, 24, 32].map(|i| first + i));
    // A budget of one direction that only one direction uses is all its own.
    let mut master = Master::new(MemoryConfig { bytes_per_cycle: 2.0, shared: true, latency: 10, ..ideal() });
    master.run(50);
    master.ar.push_back(burst(0, 0, 5, 4));
    master.drain();
    let first = master.ar_at[0] + 10;
    assert_eq!(master.r_cycles(), [0, 8, 16, 24, 32].map(|i| first + i));
}

#[test]
fn a_read_sees_a_write_only_if_asked_after_its_response() {
    let mut master = Master::new(MemoryConfig { latency: 20, ..ideal() });
    master.aw.push_back(burst(0, 0x40, 1, 4));
    master.w.push_back(beat(0x77, 0xFFFF, true));
    master.run(10);
    master.ar.push_back(burst(1, 0x40, 1, 4));
    master.drain();
    let mut poison = [0; 16];
    master.memory.gm.poison().fill(0x40, &mut poison);
    assert_eq!(master.r[0].1.data[..16], poison, "asked before the response: the old bytes");
    master.ar.push_back(burst(1, 0x40, 1, 4));
    master.drain();
    assert_eq!(master.r[1].1.data[..16], [0x77; 16]);
    master.check();
}

#[test]
fn strobes_narrow_and_unaligned_and_wrapping_bursts_go_where_the_protocol_says() {
    let mut master = Master::new(ideal());
    master.aw.push_back(burst(0, 0x105, 3, 2));
    master.w.extend([beat(1, 0xE0, false), beat(2, 0xF00, false), beat(3, 0x1000, true)]);
    master.aw.push_back(Address { burst: 2, ..burst(0, 0x218, 4, 3) });
    master.w.extend([(4, 0xFF00), (5, 0xFF), (6, 0xFF00), (7, 0xFF)].map(|(v, strb)| beat(v, strb, v == 7)));
    master.drain();
    let gm = &master.memory.gm;
    assert_eq!(gm.read(0x105, 8), [1, 1, 1, 2, 2, 2, 2, 3]);
    assert_eq!(gm.written_bytes(), 8 + 32);
    assert_eq!(gm.read(0x200, 32), [[5; 8], [6; 8], [7; 8], [4; 8]].concat());
    master.ar.push_back(Address { burst: 2, ..burst(0, 0x210, 2, 4) });
    master.drain();
    assert_eq!(master.r[0].1.data[..16], [[7; 8], [4; 8]].concat());
    assert_eq!(master.r[1].1.data[..16], [[5; 8], [6; 8]].concat());
    master.check();
}

#[test]
fn errors_hit_their_beats_and_only_those() {
    let mut master = Master::new(ideal());
    master.memory.gm.write(0, &[9; 256]);
    master.memory.inject(Injection { access: Access::Read, hit: Hit::Beat(2), resp: Resp::SlvErr });
    master.memory.inject(Injection { access: Access::Write, hit: Hit::Range(0x80, 0x90), resp: Resp::DecErr });
    master.ar.push_back(burst(0, 0, 4, 4));
    master.aw.extend([burst(0, 0x60, 2, 4), burst(0, 0x70, 2, 4)]);
    master.w.extend([beat(1, 0xFFFF, false), beat(2, 0xFFFF, true), beat(3, 0xFFFF, false), beat(4, 0xFFFF, true)]);
    master.drain();
    let resps: Vec<Resp> = master.r.iter().map(|(_, r)| r.resp).collect();
    assert_eq!(resps, [Resp::Okay, Resp::Okay, Resp::SlvErr, Resp::Okay]);
    assert_ne!(master.r[2].1.data[..16], [9; 16]);
    assert_eq!(master.b.iter().map(|(_, _, resp)| *resp).collect::<Vec<_>>(), [Resp::Okay, Resp::DecErr]);
    assert_eq!(
        master.memory.gm.read(0x60, 48),
        [[1; 16], [2; 16], [9; 16]].concat(),
        "the refused burst wrote nothing"
    );
    master.check();
}

#[test]
fn accesses_outside_the_windows_are_recorded_with_what_lies_outside() {
    let mut master = Master::new(ideal());
    let window = |start, end, read, write| Window { start, end, read, write };
    master.memory.watch(vec![window(0x100, 0x200, true, false), window(0x200, 0x300, true, true)]);
    master.ar.extend([burst(0, 0x1F0, 2, 4), burst(3, 0x2F0, 2, 4)]);
    master.aw.extend([burst(1, 0x1F0, 2, 4), burst(2, 0x2F0, 2, 4)]);
    master.w.extend([beat(1, 0x0F00, false), beat(1, 0xFFFF, true), beat(1, 0xFFFF, false), beat(1, 0, true)]);
    master.drain();
    let found: Vec<_> = master.memory.trespasses().iter().map(|t| (t.access, t.id, t.addr, t.end)).collect();
    assert_eq!(found, [(Access::Write, 1, 0x1F8, 0x1FC), (Access::Read, 3, 0x300, 0x310)]);
    master.check();
}

#[test]
fn stalls_depend_on_seed_channel_and_cycle_only() {
    let readies = |seed: u64, busy: bool| {
        let mut master = Master::new(MemoryConfig { stall: 0.5, seed, ..ideal() });
        if busy {
            master.ar.extend((0..50).map(|i| burst(0, i * 64, 2, 4)));
        }
        (0..300)
            .map(|_| {
                master.step();
                let input = master.memory.input();
                (input.aw_ready, input.w_ready, input.ar_ready)
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(readies(1, false), readies(1, true));
    assert_ne!(readies(1, false), readies(2, false));
    let low = readies(1, false).iter().filter(|(aw, ..)| !aw).count();
    assert!((120..180).contains(&low), "{low} of 300");
    assert!(readies(1, false).iter().any(|(aw, w, _)| aw != w));
}

#[test]
fn impossible_configurations_are_refused_with_a_sentence() {
    let refused =
        |config| AxiMemory::new(config, GlobalMemory::new(Poison::new(0))).err().expect("refused").to_string();
    assert!(refused(MemoryConfig { bus_bytes: 24, ..ideal() }).contains("24 bytes"));
    assert!(refused(MemoryConfig { latency: 0, ..ideal() }).contains("the least is 1"));
    assert!(refused(MemoryConfig { bytes_per_cycle: 0.0, ..ideal() }).contains("never answers"));
    assert!(refused(MemoryConfig { stall: 1.0, ..ideal() }).contains("0.99"));
}

/// Random traffic in disjoint regions per ID, against a shadow: everything read back is what was written, in order within each ID.
#[test]
fn random_traffic_is_right_in_every_order_and_never_breaks_a_rule() {
    let seed = Seed::of_test("random_traffic_is_right_in_every_order_and_never_breaks_a_rule");
    let (mut reordered, mut interleaved) = (0, 0);
    for case in 0..120 {
        let interleaved_before = interleaved;
        let mut rng = seed.case(case).rng("traffic");
        let order = [Order::InOrder, Order::OutOfOrder, Order::Interleaved][case as usize % 3];
        let config = MemoryConfig {
            latency: rng.random_range(1..60),
            bytes_per_cycle: [1.0, 9.0, 16.0, f64::INFINITY][rng.random_range(0..4)],
            shared: rng.random(),
            stall: [0.0, 0.3, 0.8][rng.random_range(0..3)],
            jitter: [0, 40][rng.random_range(0..2)],
            order,
            seed: seed.case(case).0,
            ..ideal()
        };
        let mut master = Master::new(config);
        let mut shadow = GlobalMemory::new(Poison::new(1));
        let random_burst = |rng: &mut rand_chacha::ChaCha8Rng| {
            let (id, size) = (rng.random_range(0..4u32), rng.random_range(0..5u8));
            let addr = (u64::from(id) << 20) + rng.random_range(0..4096u64);
            let room = (4096 - addr % 4096).div_ceil(1 << size).max(1);
            burst(id, addr, rng.random_range(1..=room.min(256)) as u32, size)
        };
        for _ in 0..25 {
            let address = random_burst(&mut rng);
            for index in 0..address.beats() {
                let mut data = [0; 64];
                rng.fill_bytes(&mut data[..16]);
                let strb = address.lanes(index, 16) & rng.random::<u64>();
                let word = address.beat_addr(index) & !15;
                (0..16)
                    .filter(|lane| strb >> lane & 1 != 0)
                    .for_each(|lane| shadow.write(word + lane, &data[lane as usize..=lane as usize]));
                master.w.push_back(WriteBeat { data, strb, last: index + 1 == address.beats() });
            }
            master.aw.push_back(address);
            for _ in 0..rng.random_range(0..30) {
                master.out.b_ready = rng.random();
                master.step();
            }
        }
        master.out.b_ready = true;
        master.drain();
        assert_eq!(master.memory.gm.first_difference(&shadow), None, "case {case}");
        assert_eq!(master.memory.gm.written_bytes(), shadow.written_bytes());

        let asked: Vec<Address> = (0..40).map(|_| random_burst(&mut rng)).collect();
        master.ar.extend(&asked);
        for _ in 0..400 {
            master.out.r_ready = rng.random();
            master.step();
        }
        master.out.r_ready = true;
        master.drain();
        let mut next: [VecDeque<(Address, u32)>; 4] = Default::default();
        for address in &asked {
            next[address.id as usize].extend((0..address.beats()).map(|index| (*address, index)));
        }
        for (_, r) in &master.r {
            let (address, index) = next[r.id as usize].pop_front().expect("no more beats than asked for");
            let word = address.beat_addr(index) & !15;
            let lanes = address.lanes(index, 16);
            let expected = shadow.read(word, 16);
            assert!(
                (0..16).all(|lane| lanes >> lane & 1 == 0 || r.data[lane] == expected[lane]),
                "case {case}, {address:?}, beat {index}"
            );
        }
        assert!(next.iter().all(VecDeque::is_empty));
        let came: Vec<u32> = master.r.iter().filter(|(_, r)| r.last).map(|(_, r)| r.id).collect();
        let sent: Vec<u32> = asked.iter().map(|address| address.id).collect();
        let switched = |pair: &[(u64, ReadBeat)]| !pair[0].1.last && pair[0].1.id != pair[1].1.id;
        interleaved += master.r.windows(2).filter(|pair| switched(pair)).count();
        assert!(order == Order::Interleaved || interleaved == interleaved_before, "{order:?} never interleaves");
        if order == Order::InOrder {
            assert_eq!(came, sent);
        } else {
            reordered += u32::from(came != sent);
        }
        master.check();
    }
    assert!(reordered > 40, "only {reordered} of 80 cases came in another order");
    assert!(interleaved > 100, "only {interleaved} switches within bursts");
}
