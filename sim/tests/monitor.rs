// SPDX-License-Identifier: Apache-2.0
//! Every rule of the monitor: a trace that breaks it is told, with cycle and channel, and the same trace without the break is not.

use sim::bus::{Address, AxiIn, AxiOut, INCR, ReadBeat, WriteAnswer, WriteBeat};
use sim::monitor::Channel;
use sim::{Monitor, MonitorConfig, Resp, Rule};

/// One cycle of both sides, built up from nothing.
#[derive(Clone, Copy, Default)]
struct Cycle {
    input: AxiIn,
    out: AxiOut,
}

impl Cycle {
    fn aw(mut self, address: Address, ready: bool) -> Cycle {
        (self.out.aw_valid, self.out.aw, self.input.aw_ready) = (true, address, ready);
        self
    }
    fn w(mut self, strb: u64, last: bool, ready: bool) -> Cycle {
        (self.out.w_valid, self.out.w, self.input.w_ready) = (true, WriteBeat { data: [1; 64], strb, last }, ready);
        self
    }
    fn b(mut self, id: u32, resp: Resp, ready: bool) -> Cycle {
        (self.input.b_valid, self.input.b, self.out.b_ready) = (true, WriteAnswer { id, resp }, ready);
        self
    }
    fn ar(mut self, address: Address, ready: bool) -> Cycle {
        (self.out.ar_valid, self.out.ar, self.input.ar_ready) = (true, address, ready);
        self
    }
    fn r(mut self, id: u32, last: bool, ready: bool) -> Cycle {
        (self.input.r_valid, self.input.r, self.out.r_ready) =
            (true, ReadBeat { id, data: [2; 64], resp: Resp::Okay, last }, ready);
        self
    }
}

fn idle() -> Cycle {
    Cycle::default()
}

fn burst(id: u32, addr: u64, beats: u32) -> Address {
    Address { id, addr, len: (beats - 1) as u8, size: 4, burst: INCR, ..Address::default() }
}

/// What the monitor of a 128-bit bus says about a trace.
fn seen(trace: &[Cycle]) -> Vec<(u64, Channel, Rule)> {
    seen_by(MonitorConfig::new(16), trace)
}

fn seen_by(config: MonitorConfig, trace: &[Cycle]) -> Vec<(u64, Channel, Rule)> {
    let mut monitor = Monitor::new(config);
    trace.iter().for_each(|cycle| monitor.sample(&cycle.input, &cycle.out));
    monitor.violations().iter().map(|v| (v.cycle, v.channel, v.rule)).collect()
}

const FULL: u64 = 0xFFFF;

#[test]
fn correct_traffic_in_any_arrangement_is_silent() {
    let (a, b) = (burst(1, 0x100, 2), burst(2, 0x2000, 1));
    let trace = [
        // Data before, with and after the address; waiting; interleaved reads; responses out of order.
        idle().w(FULL, false, true).ar(a, false),
        idle().w(FULL, true, false).ar(a, true),
        idle().w(FULL, true, true).aw(a, false).ar(b, true),
        idle().aw(a, true).r(1, false, false),
        idle().aw(b, true).w(FULL, true, true).r(1, false, true),
        idle().b(2, Resp::SlvErr, false).r(2, true, true),
        idle().b(2, Resp::SlvErr, true).r(1, true, true),
        idle().b(1, Resp::Okay, true),
    ];
    let mut monitor = Monitor::new(MonitorConfig { ids: Some(vec![1, 2]), outstanding: Some(2), bus_bytes: 16 });
    trace.iter().for_each(|cycle| monitor.sample(&cycle.input, &cycle.out));
    assert!(monitor.is_idle());
    monitor.finish();
    assert_eq!(monitor.violations(), []);
}

#[test]
fn a_valid_that_falls_is_told_on_every_channel() {
    let a = burst(1, 0, 1);
    let start = [idle().aw(a, true).ar(a, true), idle().w(FULL, true, true)];
    for (waiting, channel) in [
        (idle().aw(a, false), Channel::Aw),
        (idle().w(FULL, true, false), Channel::W),
        (idle().b(1, Resp::Okay, false), Channel::B),
        (idle().ar(a, false), Channel::Ar),
        (idle().r(1, true, false), Channel::R),
    ] {
        let trace = [start[0], start[1], waiting, idle()];
        assert_eq!(seen(&trace), [(3, channel, Rule::ValidWithdrawn)]);
        let kept = [start[0], start[1], waiting, waiting];
        assert_eq!(seen(&kept), []);
    }
}

#[test]
fn a_payload_that_changes_while_it_waits_is_told_on_every_channel() {
    let a = burst(1, 0, 1);
    let start = [idle().aw(a, true).ar(a, true), idle().w(FULL, true, true)];
    for (waiting, changed, channel) in [
        (idle().aw(a, false), idle().aw(Address { qos: 1, ..a }, false), Channel::Aw),
        (idle().w(FULL, true, false), idle().w(0xFF, true, true), Channel::W),
        (idle().b(1, Resp::Okay, false), idle().b(1, Resp::SlvErr, true), Channel::B),
        (idle().ar(a, false), idle().ar(burst(1, 16, 1), true), Channel::Ar),
        (idle().r(1, true, false), idle().r(1, false, false), Channel::R),
    ] {
        let trace = [start[0], start[1], waiting, changed];
        assert_eq!(seen(&trace), [(3, channel, Rule::PayloadChanged)]);
    }
    let mut data = idle().r(1, true, true);
    data.input.r.data[15] = 9;
    assert_eq!(seen(&[start[0], idle().r(1, true, false), data]), [(2, Channel::R, Rule::PayloadChanged)]);
}

#[test]
fn bad_addresses_are_told_by_their_rule_on_both_address_channels() {
    let good = burst(1, 0x1000, 16);
    for (address, rule) in [
        (burst(1, 0x2F10, 16), Rule::Crosses4K),
        (burst(1, (1 << 40) - 16, 1).with(|a| a.addr += 16), Rule::AddressSpace),
        (good.with(|a| a.burst = 3), Rule::BurstType),
        (good.with(|a| (a.burst, a.len) = (0, 16)), Rule::BurstType),
        (good.with(|a| (a.burst, a.len) = (2, 4)), Rule::BurstType),
        (good.with(|a| (a.burst, a.len, a.addr) = (2, 3, 0x1008)), Rule::BurstType),
        (good.with(|a| a.size = 5), Rule::Size),
        (good.with(|a| a.cache = 4), Rule::Cache),
        (good.with(|a| a.id = 9), Rule::Id),
    ] {
        let config = MonitorConfig { ids: Some(vec![1]), ..MonitorConfig::new(16) };
        assert_eq!(
            seen_by(config.clone(), &[idle(), idle().aw(address, false)]),
            [(1, Channel::Aw, rule)],
            "{address:?}"
        );
        assert_eq!(seen_by(config, &[idle(), idle().ar(address, true)]), [(1, Channel::Ar, rule)], "{address:?}");
    }
    // The last burst that fits, up to the boundary.
    assert_eq!(seen(&[idle().ar(burst(1, 0x2F00, 16), true), idle().ar(burst(1, (1 << 40) - 256, 16), true)]), []);
}

trait With: Sized {
    fn with(self, change: impl FnOnce(&mut Self)) -> Self;
}
impl With for Address {
    fn with(mut self, change: impl FnOnce(&mut Address)) -> Address {
        change(&mut self);
        self
    }
}

#[test]
fn wlast_early_late_or_missing_is_told_even_if_data_comes_first() {
    let a = burst(1, 0, 3);
    let beats = |lasts: &[bool]| lasts.iter().map(|last| idle().w(FULL, *last, true)).collect::<Vec<_>>();
    let address = [idle().aw(a, true)];
    for data_first in [false, true] {
        let told = |lasts: &[bool]| {
            let parts = if data_first { [beats(lasts), address.to_vec()] } else { [address.to_vec(), beats(lasts)] };
            seen(&parts.concat()).iter().map(|(_, channel, rule)| (*channel, *rule)).collect::<Vec<_>>()
        };
        assert_eq!(told(&[false, false, true]), []);
        assert_eq!(told(&[false, true]), [(Channel::W, Rule::Last)]);
        assert_eq!(told(&[false, false, false]), [(Channel::W, Rule::Last)]);
    }
}

#[test]
fn strobes_outside_the_lanes_are_told() {
    let narrow = Address { size: 2, ..burst(1, 0x105, 2) };
    let told =
        |first, second| seen(&[idle().aw(narrow, true), idle().w(first, false, true), idle().w(second, true, true)]);
    assert_eq!(told(0xE0, 0xF00), []);
    assert_eq!(told(0x00, 0x100), [], "fewer strobes are legal");
    assert_eq!(told(0xF0, 0xF00), [(1, Channel::W, Rule::Strobe)]);
    assert_eq!(told(0xE0, 0xF0), [(2, Channel::W, Rule::Strobe)]);
}

#[test]
fn responses_without_or_before_their_request_are_told() {
    let a = burst(1, 0, 2);
    let ok = |id| idle().b(id, Resp::Okay, true);
    assert_eq!(seen(&[ok(1)]), [(0, Channel::B, Rule::StrayB)]);
    assert_eq!(seen(&[idle().aw(a, true), idle().w(FULL, false, true), ok(1)]), [(2, Channel::B, Rule::StrayB)]);
    let last_with_b = idle().w(FULL, true, true).b(1, Resp::Okay, true);
    assert_eq!(
        seen(&[idle().aw(a, true), idle().w(FULL, false, true), last_with_b]),
        [(2, Channel::B, Rule::StrayB)],
        "in the cycle of the last beat"
    );
    let write = [idle().aw(a, true), idle().w(FULL, false, true), idle().w(FULL, true, true)];
    assert_eq!(seen(&[&write[..], &[ok(2)]].concat()), [(3, Channel::B, Rule::StrayB)], "another ID");
    assert_eq!(seen(&[&write[..], &[ok(1), ok(1)]].concat()), [(4, Channel::B, Rule::StrayB)], "twice");

    assert_eq!(seen(&[idle().r(1, true, true)]), [(0, Channel::R, Rule::StrayR)]);
    assert_eq!(
        seen(&[idle().ar(burst(1, 0, 1), true).r(1, true, true)]),
        [(0, Channel::R, Rule::StrayR)],
        "in the cycle of the address"
    );
    let read = [idle().ar(burst(1, 0, 1), true), idle().r(1, true, true)];
    assert_eq!(seen(&read), []);
    assert_eq!(seen(&[&read[..], &[idle().r(1, true, true)]].concat()), [(2, Channel::R, Rule::StrayR)]);
}

#[test]
fn rlast_in_the_wrong_place_is_told_once_per_beat() {
    let read = [idle().ar(burst(1, 0, 2), true)];
    let early = idle().r(1, true, false);
    assert_eq!(
        seen(&[&read[..], &[early, early]].concat()),
        [(1, Channel::R, Rule::Last)],
        "told when it appears, not every cycle it waits"
    );
    let late = [idle().r(1, false, true), idle().r(1, false, true)];
    assert_eq!(seen(&[&read[..], &late].concat()), [(2, Channel::R, Rule::Last)]);
}

#[test]
fn exokay_to_a_plain_access_is_told() {
    let write =
        |address| seen(&[idle().aw(address, true), idle().w(FULL, true, true), idle().b(1, Resp::ExOkay, true)]);
    assert_eq!(write(burst(1, 0, 1)), [(2, Channel::B, Rule::ExOkay)]);
    assert_eq!(write(Address { lock: true, ..burst(1, 0, 1) }), []);
    let mut read = idle().r(1, true, true);
    read.input.r.resp = Resp::ExOkay;
    assert_eq!(seen(&[idle().ar(burst(1, 0, 1), true), read]), [(1, Channel::R, Rule::ExOkay)]);
}

#[test]
fn too_many_outstanding_bursts_are_told() {
    let config = MonitorConfig { outstanding: Some(2), ..MonitorConfig::new(16) };
    let ars = [0, 1, 2].map(|i| idle().ar(burst(i, 0, 1), true));
    assert_eq!(seen_by(config.clone(), &ars), [(2, Channel::Ar, Rule::Outstanding)]);
    let aws = [0, 1, 2].map(|i| idle().aw(burst(i, 0, 1), true));
    assert_eq!(seen_by(config.clone(), &aws), [(2, Channel::Aw, Rule::Outstanding)]);
    assert_eq!(seen_by(config, &[ars[0], ars[1], idle().r(0, true, true), ars[2]]), []);
}

#[test]
fn a_valid_during_reset_is_told_and_reset_forgets_what_was_in_flight() {
    let mut monitor = Monitor::new(MonitorConfig::new(16));
    let before = idle().aw(burst(1, 0, 1), true).ar(burst(1, 0, 1), false);
    monitor.sample(&before.input, &before.out);
    monitor.skip();
    let under = idle().aw(burst(1, 0, 1), false);
    monitor.reset(&under.input, &under.out);
    assert!(monitor.is_idle());
    monitor.sample(&idle().input, &idle().out);
    let seen: Vec<_> = monitor.violations().iter().map(|v| (v.cycle, v.channel, v.rule)).collect();
    assert_eq!(seen, [(2, Channel::Aw, Rule::ValidInReset)]);
}

#[test]
fn what_is_in_flight_at_the_end_is_told_by_channel() {
    let mut monitor = Monitor::new(MonitorConfig::new(16));
    let (one, two) = (burst(1, 0, 1), burst(2, 0, 2));
    for cycle in
        [idle().aw(one, true).w(FULL, true, true), idle().aw(two, true).ar(one, true), idle().w(FULL, false, true)]
    {
        monitor.sample(&cycle.input, &cycle.out);
    }
    monitor.finish();
    let channels: Vec<_> = monitor.violations().iter().map(|v| (v.channel, v.rule)).collect();
    assert_eq!(channels, [Channel::W, Channel::B, Channel::R].map(|channel| (channel, Rule::Unfinished)));
    assert!(
        monitor.violations()[0].to_string().starts_with("cycle 3, W: the test ended while 1 write bursts lack data")
    );
}

#[test]
fn a_flood_of_violations_is_bounded_and_counted() {
    let mut monitor = Monitor::new(MonitorConfig::new(16));
    let stray = idle().r(1, true, true);
    (0..1500).for_each(|_| monitor.sample(&stray.input, &stray.out));
    assert_eq!((monitor.violations().len(), monitor.dropped()), (1000, 500));
}
