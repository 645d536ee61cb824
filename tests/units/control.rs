// SPDX-License-Identifier: Apache-2.0
//! The state of the context: start, faults, halt, soft reset, watchdog.

use crate::common::{Random, compared, prints_and_lints};
use isa::csr::Status;
use isa::{Cause, Pipe};
use rtl::control::Control;
use rtl::twin::Twin;
use tb::Lockstep;

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

/// Every input random in every cycle: what no program does, too.
fn noise(cycles: usize) {
    let mut random = Random::seeded(10);
    let mut twin = control();
    for _ in 0..cycles {
        let uut = &mut twin.uut;
        uut.rst.next = random.chance(1);
        uut.start.next = random.chance(20);
        uut.soft_reset.next = random.chance(1);
        uut.done.next = random.chance(2);
        uut.progress.next = random.chance(50);
        uut.no_progress_limit.next = 5u64.into();
        uut.program_base.next = (random.next() & 0xFF_FFFF_FFFF).into();
        uut.sequencer_pc.next = (random.next() & 0xFFFF_FFFF).into();
        for (fault, cause) in [
            (&mut uut.decode_fault, &mut uut.decode_cause),
            (&mut uut.read_fault, &mut uut.read_cause),
            (&mut uut.write_fault, &mut uut.write_cause),
        ] {
            fault.next = random.chance(2);
            cause.next = (random.next() & 255).into();
        }
        uut.decode_pc.next = (random.next() & 0xFFFF_FFFF).into();
        uut.flags_fault.next = random.chance(2);
        uut.flags_pipe.next = (random.next() % 5).into();
        uut.flags_pc.next = (random.next() & 0xFFFF_FFFF).into();
        uut.read_requester.next = (random.next() & 1).into();
        uut.write_requester.next = (random.next() & 1).into();
        uut.read_address.next = (random.next() & 0xFF_FFFF_FFFF).into();
        uut.write_address.next = (random.next() & 0xFF_FFFF_FFFF).into();
        uut.read_quiet.next = random.chance(97);
        uut.write_quiet.next = random.chance(97);
        for pipe in 0..5 {
            uut.engine_fault[pipe].next = random.chance(2);
            uut.engine_cause[pipe].next = (random.next() & 255).into();
            uut.engine_pc[pipe].next = (random.next() & 0xFFFF_FFFF).into();
            uut.engine_address[pipe].next = (random.next() & 0xFF_FFFF_FFFF).into();
            uut.oldest_pc[pipe].next = (random.next() & 0xFFFF_FFFF).into();
            uut.idle[pipe].next = random.chance(50);
        }
        twin.edge();
    }
}

#[test]
fn control_is_the_same_in_verilog() {
    for config in compared() {
        let lockstep = Lockstep::of(&config, "control");
        lockstep.with(
            |uut: &Control| uut,
            || {
                the_first_fault_wins_and_soft_reset_ends_it();
                halt_and_soft_reset_wait_for_the_bus();
                a_second_program_starts_without_reset_and_the_same();
                the_watchdog_counts_cycles_without_progress();
                noise(4_000);
            },
        );
        lockstep.finish();
    }
}

#[test]
fn control_prints_and_lints() {
    prints_and_lints(&mut Control::default(), "control");
}
