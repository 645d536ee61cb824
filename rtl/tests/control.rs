// SPDX-License-Identifier: Apache-2.0
//! The state of the context, and the counters.

mod local;

use isa::csr::Status;
use isa::{Cause, Config, Counter, Pipe};
use local::{Random, prints_and_lints};
use rtl::control::Control;
use rtl::counters::Counters;
use rtl::twin::Twin;

fn control() -> Twin<Control> {
    let mut twin = Twin::new(Control::default(), |uut, level| uut.clk.next = level);
    twin.uut.rst.next = true;
    for index in 0..5 {
        twin.uut.idle[index].next = true;
        twin.uut.oldest_pc[index].next = (0x100 + 0x20 * index as u64).into();
    }
    twin.uut.mte2_bus_pc.next = 0x3E0u64.into();
    twin.uut.fix_bus_pc.next = 0x460u64.into();
    twin.uut.mte3_bus_pc.next = 0x480u64.into();
    twin.uut.program_base.next = 0x1_0000_1000u64.into();
    twin.uut.sequencer_pc.next = 0x40u64.into();
    twin.uut.read_quiet.next = true;
    twin.uut.write_quiet.next = true;
    twin.edge();
    twin.uut.rst.next = false;
    twin.settle();
    twin
}

fn status(twin: &Twin<Control>) -> Status {
    Status::from_bits(twin.uut.status.val().to_u32())
}

/// Starts and returns in the first cycle of `Run`.
fn start(twin: &mut Twin<Control>) {
    twin.uut.start.next = true;
    twin.settle();
    assert!(twin.uut.clear_counters.val() && !twin.uut.running.val());
    twin.edge();
    twin.uut.start.next = false;
    twin.settle();
    assert!(twin.uut.core_rst.val() && twin.uut.running.val() && !twin.uut.launch.val());
    twin.edge();
    assert!(!twin.uut.core_rst.val() && twin.uut.launch.val());
    twin.edge();
    assert!(!twin.uut.launch.val());
    assert_eq!(status(twin), Status::Running);
}

fn soft_reset(twin: &mut Twin<Control>) -> u64 {
    let begin = twin.cycle;
    twin.uut.soft_reset.next = true;
    twin.edge();
    twin.uut.soft_reset.next = false;
    let mut wiped = 0;
    while status(twin) != Status::Idle {
        twin.settle();
        assert!(twin.uut.halt.val() && twin.uut.draining.val());
        if twin.uut.wiped.val() {
            assert!(twin.uut.core_rst.val() && twin.uut.clear_counters.val());
            wiped += 1;
        }
        assert!(twin.cycle < begin + 100);
        twin.edge();
    }
    assert_eq!(wiped, 1);
    assert_eq!(twin.uut.fault_cause.val(), 0);
    assert!(!twin.uut.halt.val());
    twin.cycle - begin
}

type Record = (Cause, Pipe, u32, u64);

/// Runs to the fault and checks halt, draining and the record.
fn faults(twin: &mut Twin<Control>, wanted: Record) {
    twin.edge();
    assert!(twin.uut.halt.val() && twin.uut.draining.val(), "halt follows in one cycle");
    let mut events = 0;
    for _ in 0..12 {
        events += usize::from(twin.uut.fault_event.val());
        twin.edge();
    }
    assert_eq!(events, 1);
    assert_eq!(status(twin), Status::Fault);
    let uut = &twin.uut;
    let got = (
        uut.fault_cause.val().to_u64() as u8,
        uut.fault_pipe.val().to_u64() as u8,
        uut.fault_pc.val().to_u32(),
        uut.fault_address.val().to_u64(),
    );
    assert_eq!(got, (wanted.0.code(), wanted.1.code(), wanted.2, wanted.3));
    assert!(uut.halt.val() && !uut.running.val());
}

/// Sets or clears one source of a fault, in the order of priority; what it reports.
fn source(twin: &mut Twin<Control>, number: usize, on: bool) -> Record {
    let uut = &mut twin.uut;
    match number {
        0 => {
            uut.decode_fault.next = on;
            uut.decode_cause.next = 2u64.into();
            uut.decode_pc.next = 0x60u64.into();
            uut.decode_address.next = 7u64.into();
            (Cause::IllegalField, Pipe::S, 0x60, 7)
        }
        1..6 => {
            let index = number - 1;
            uut.engine_fault[index].next = on;
            uut.engine_cause[index].next = (4 + index as u64).into();
            uut.engine_pc[index].next = (0x1000 + index as u64).into();
            uut.engine_address[index].next = (0x2000 + index as u64).into();
            let cause = Cause::from_code(4 + index as u8).expect("a cause");
            (cause, Pipe::WORKERS[index], 0x1000 + index as u32, 0x2000 + index as u64)
        }
        6 => {
            uut.flags_fault.next = on;
            uut.flags_pipe.next = 2u64.into();
            uut.flags_pc.next = 0x220u64.into();
            (Cause::FlagOverflow, Pipe::M, 0x220, 0)
        }
        7 | 8 => {
            uut.read_fault.next = on;
            uut.read_requester.next = (number as u64 - 7).into();
            uut.read_cause.next = 9u64.into();
            uut.read_address.next = 0x1_0000_1480u64.into();
            let (pipe, pc) = if number == 7 { (Pipe::S, 0x480) } else { (Pipe::Mte2, 0x3E0) };
            (Cause::BusReadError, pipe, pc, 0x1_0000_1480)
        }
        _ => {
            uut.write_fault.next = on;
            uut.write_requester.next = (number as u64 - 9).into();
            uut.write_cause.next = 10u64.into();
            uut.write_address.next = 0x55u64.into();
            let (pipe, pc) = if number == 9 { (Pipe::Fix, 0x460) } else { (Pipe::Mte3, 0x480) };
            (Cause::BusWriteError, pipe, pc, 0x55)
        }
    }
}

#[test]
fn the_first_fault_wins_and_soft_reset_ends_it() {
    let mut random = Random::seeded(1);
    let mut twin = control();
    for first in 0..11 {
        start(&mut twin);
        twin.edge();
        let wanted = source(&mut twin, first, true);
        // Any of lower priority in the same cycle, all others a cycle later.
        let ports = |number: usize| if number > 6 { (number - 7) / 2 + 7 } else { number };
        for other in first + 1..11 {
            if ports(other) != ports(first) && random.chance(40) {
                source(&mut twin, other, true);
            }
        }
        twin.settle();
        faults(&mut twin, wanted);
        (0..11).for_each(|other| {
            source(&mut twin, other, true);
        });
        twin.edge();
        assert_eq!(twin.uut.fault_cause.val().to_u64() as u8, wanted.0.code(), "the record stays");
        (0..11).for_each(|other| {
            source(&mut twin, other, false);
        });
        soft_reset(&mut twin);
    }
}

#[test]
fn halt_and_soft_reset_wait_for_the_bus() {
    let mut twin = control();
    start(&mut twin);
    twin.uut.write_quiet.next = false;
    source(&mut twin, 0, true);
    for _ in 0..50 {
        twin.edge();
        assert_eq!(status(&twin), Status::Running);
    }
    twin.uut.write_quiet.next = true;
    for _ in 0..5 {
        twin.edge();
    }
    twin.uut.read_quiet.next = false;
    twin.edge();
    twin.uut.read_quiet.next = true;
    twin.settle();
    let since = twin.cycle;
    while status(&twin) == Status::Running {
        twin.edge();
    }
    assert_eq!(twin.cycle - since, 8, "quiet for 8 cycles in a row");
    source(&mut twin, 0, false);
    soft_reset(&mut twin);
    // While a program runs.
    start(&mut twin);
    twin.uut.read_quiet.next = false;
    twin.uut.soft_reset.next = true;
    twin.edge();
    twin.uut.soft_reset.next = false;
    for _ in 0..30 {
        twin.edge();
        assert!(twin.uut.halt.val() && twin.uut.draining.val() && !twin.uut.core_rst.val());
    }
    twin.uut.read_quiet.next = true;
    for _ in 0..12 {
        twin.edge();
    }
    assert_eq!(status(&twin), Status::Idle);
}

#[test]
fn a_second_program_starts_without_reset_and_the_same() {
    let mut twin = control();
    for _ in 0..3 {
        start(&mut twin);
        twin.edge();
        twin.uut.done.next = true;
        twin.settle();
        assert!(twin.uut.done_event.val());
        twin.edge();
        twin.uut.done.next = false;
        twin.settle();
        assert_eq!(status(&twin), Status::Done);
        assert!(!twin.uut.running.val() && !twin.uut.halt.val());
    }
}

#[test]
fn the_watchdog_counts_cycles_without_progress() {
    for (limit, stuck) in [(1u64, None), (10, None), (25, Some(2)), (0, None)] {
        let mut twin = control();
        twin.uut.no_progress_limit.next = limit.into();
        twin.uut.progress.next = true;
        start(&mut twin);
        for _ in 0..40 {
            twin.edge();
        }
        assert_eq!(status(&twin), Status::Running);
        // One pulse starts the count again.
        twin.uut.progress.next = false;
        for _ in 1..limit {
            twin.edge();
        }
        twin.uut.progress.next = true;
        twin.edge();
        twin.uut.progress.next = false;
        if let Some(index) = stuck {
            (index..5).for_each(|pipe: usize| twin.uut.idle[pipe].next = false);
        }
        if limit == 0 {
            (0..200).for_each(|_| twin.edge());
            assert_eq!(status(&twin), Status::Running, "0 is never");
            continue;
        }
        for _ in 0..limit {
            assert!(!twin.uut.halt.val());
            twin.edge();
        }
        let (pipe, pc) = stuck.map_or((Pipe::S, 0x40), |index| (Pipe::WORKERS[index], 0x100 + 0x20 * index as u32));
        faults(&mut twin, (Cause::NoProgress, pipe, pc, 0));
    }
}

fn snapshot(twin: &mut Twin<Counters>) -> (Vec<u64>, u64) {
    twin.uut.snapshot.next = true;
    twin.edge();
    twin.uut.snapshot.next = false;
    twin.settle();
    let begin = twin.cycle;
    while !twin.uut.snapshot_done.val() {
        twin.edge();
        assert!(twin.cycle - begin < 70, "no snapshot");
    }
    twin.edge();
    let took = twin.cycle - begin;
    let read = |index: usize| {
        twin.uut.read_index.next = (index as u64).into();
        twin.settle();
        twin.uut.read_high.val().to_u64() << 32 | twin.uut.read_low.val().to_u64()
    };
    ((0..Counter::COUNT).map(read).collect(), took)
}

#[test]
fn counters_are_exact_and_a_snapshot_is_of_one_cycle() {
    let mut random = Random::seeded(9);
    for config in [Config::tiny(), Config::lite(), Config::max()] {
        let mut twin = Twin::new(Counters::new(&config), |uut, level| uut.clk.next = level);
        twin.uut.rst.next = true;
        twin.edge();
        twin.uut.rst.next = false;
        for length in [1usize, 31, 32, 33, 400, 3_000] {
            twin.uut.clear.next = true;
            twin.edge();
            twin.uut.clear.next = false;
            let mut wanted = vec![0u64; Counter::COUNT];
            let mut steps_left = 0u64;
            for cycle in 0..length + 200 {
                let running = cycle < length;
                let uut = &mut twin.uut;
                uut.running.next = running;
                uut.activity.iter_mut().for_each(|port| port.next = false);
                for pipe in 0..5 {
                    let class = random.below(5);
                    uut.activity[pipe * 5 + class].next = true;
                    wanted[1 + pipe * 5 + class] += u64::from(running);
                }
                wanted[0] += u64::from(running);
                let (read, written) = (random.below(65) as u64, 64 * random.below(2) as u64);
                uut.read_bytes.next = read.into();
                uut.written_bytes.next = written.into();
                // Mmads come back to back, none faster than its cube steps.
                let shape = [1 + random.below(20), 1 + random.below(20), 1 + random.below(300)];
                let shape = if random.chance(3) { [65_535, 1, 65_535] } else { shape };
                let begin = steps_left == 0 && running;
                uut.mmad_valid.next = begin;
                uut.mmad_m.next = (shape[0] as u64).into();
                uut.mmad_n.next = (shape[1] as u64).into();
                uut.mmad_k.next = (shape[2] as u64).into();
                if begin {
                    steps_left = config.cube_steps(shape[0], shape[1], shape[2]).min(40);
                    wanted[Counter::UsefulMacs.index()] += shape.iter().map(|size| *size as u64).product::<u64>();
                }
                uut.cube_step.next = steps_left > 0;
                if running {
                    wanted[Counter::BytesRead.index()] += read;
                    wanted[Counter::BytesWritten.index()] += written;
                    wanted[Counter::CubeSteps.index()] += u64::from(steps_left > 0);
                    wanted[Counter::ExecutedMacs.index()] += u64::from(steps_left > 0) * config.peak_macs() as u64;
                }
                steps_left = steps_left.saturating_sub(1);
                twin.edge();
                if cycle == 300 && running {
                    // In the middle: the five add up, although the snapshot takes many cycles.
                    let (counts, took) = snapshot_running(&mut twin);
                    assert!(took <= 66, "{took}");
                    let total = counts[0];
                    (0..5).for_each(|pipe| assert_eq!(counts[1 + pipe * 5..6 + pipe * 5].iter().sum::<u64>(), total));
                    assert!((301..301 + 70).contains(&total));
                    // Those cycles repeated the last one's inputs.
                    for pipe in 0..5 {
                        let class = (0..5).find(|class| twin.uut.activity[pipe * 5 + class].val()).expect("one");
                        wanted[1 + pipe * 5 + class] += took + 1;
                    }
                    wanted[0] += took + 1;
                    wanted[Counter::BytesRead.index()] += read * (took + 1);
                    wanted[Counter::BytesWritten.index()] += written * (took + 1);
                    let step = u64::from(twin.uut.cube_step.val());
                    wanted[Counter::CubeSteps.index()] += step * (took + 1);
                    wanted[Counter::ExecutedMacs.index()] += step * (took + 1) * config.peak_macs() as u64;
                }
            }
            let (got, _) = snapshot(&mut twin);
            for counter in Counter::all() {
                let index = counter.index();
                assert_eq!(got[index], wanted[index], "{} of {} after {length}", counter.name(), config.name);
            }
        }
    }
}

/// A snapshot while the counters run, without new mmads.
fn snapshot_running(twin: &mut Twin<Counters>) -> (Vec<u64>, u64) {
    twin.uut.mmad_valid.next = false;
    snapshot(twin)
}

#[test]
fn control_and_counters_print_and_lint() {
    prints_and_lints(&mut Control::default(), "control");
    for config in [Config::tiny(), Config::lite(), Config::max()] {
        prints_and_lints(&mut Counters::new(&config), &format!("counters_{}", config.name));
    }
}
