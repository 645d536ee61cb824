// SPDX-License-Identifier: Apache-2.0
//! Timelines: every cycle of the recording is a cycle of the counters, every operation is there once, and `quader trace` writes what it says.

#![allow(clippy::unwrap_used)]

mod shell;

use host::{
    Burst, Conv, Gemm, HostError, MemorySettings, Observe, Program, Simulated, Timeline, Transport, conv2d, gemm,
};
use isa::asm::assemble;
use isa::{Activity, Config, Counter, Instruction, Pipe};
use serde_json::Value;
use shell::Folder;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::rc::Rc;

/// What `work` leaves on a recorded core.
fn recorded(config: &Config, memory: MemorySettings, work: impl FnOnce(&mut Simulated)) -> Vec<Timeline> {
    let kept = Rc::new(RefCell::new(Vec::new()));
    let sink = Rc::clone(&kept);
    let observe = Observe { timelines: Some(Box::new(move |run| sink.borrow_mut().push(run))), ..Observe::default() };
    let mut core = Simulated::observed(config, memory, observe).expect("it builds");
    work(&mut core);
    drop(core);
    kept.take()
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at * 37 % 251) as u8).collect()
}

/// Everything that must hold of the timeline of a run that ended well.
fn check(run: &Timeline) {
    let report = run.report.as_ref().expect("it ended well");
    let recording = &run.recording;
    let counter = |counter| report.get(counter).expect("the hardware counts it");
    assert_eq!(recording.cycles, counter(Counter::TotalCycles));
    assert_eq!(recording.steps.len() as u64, counter(Counter::CubeSteps));
    for (pipe, record) in Pipe::WORKERS.into_iter().zip(&recording.pipes) {
        let counted = Activity::ALL.map(|activity| counter(Counter::Pipe(pipe, activity)));
        assert_eq!(record.spent(recording.cycles), counted, "{}", pipe.name());
        let queue = run.program.iter().filter(|inst| inst.op.queue() == pipe).count();
        assert_eq!(record.queued.len(), queue, "{}: every instruction is queued once", pipe.name());
    }
    // Operations: each of the program once, in the order of its pipe.
    let is_operation = |at: &usize| {
        let op = &run.program[*at].op;
        Pipe::WORKERS.contains(&op.pipe()) && !matches!(op, Instruction::Set { .. })
    };
    let wanted: BTreeSet<usize> = (0..run.program.len()).filter(is_operation).collect();
    let got: BTreeSet<usize> = run.spans.iter().map(|span| span.instruction).collect();
    assert_eq!((got, run.spans.len()), (wanted.clone(), wanted.len()));
    let mut rows: BTreeMap<(Pipe, usize), u64> = BTreeMap::new();
    for span in &run.spans {
        let inst = &run.program[span.instruction];
        assert_eq!(span.pipe, inst.op.pipe());
        assert!(span.queued <= span.ready && span.ready <= span.started && span.started < span.ended, "{span:?}");
        assert!(span.finished && span.ended <= recording.cycles, "{span:?}");
        let free = rows.insert((span.pipe, span.lane), span.ended).unwrap_or(0);
        assert!(free <= span.started, "two operations in one row: {span:?}");
        // Every flag that it waits for was raised by an operation that sets it, and not later than it started.
        assert_eq!(span.taken.len(), inst.waits.len(), "{span:?}");
        for taken in &span.taken {
            let by = &run.spans[taken.raised_by];
            assert!(taken.raised < span.started, "{span:?}");
            assert!(run.program[by.instruction].set_flags().any(|flag| flag == taken.flag), "{span:?}");
            assert!(by.started <= taken.raised && taken.raised < by.ended, "{span:?} {by:?}");
        }
    }
    // The bus: every beat belongs to a burst, and the bursts bring at least what was asked for.
    let (reads, writes): (Vec<&Burst>, Vec<&Burst>) = recording.bursts.iter().partition(|burst| !burst.write);
    for (bursts, beats, moved) in [
        (reads, &recording.read_beats, counter(Counter::BytesRead)),
        (writes, &recording.write_beats, counter(Counter::BytesWritten)),
    ] {
        assert_eq!(bursts.iter().map(|burst| u64::from(burst.beats)).sum::<u64>(), beats.len() as u64);
        assert!(beats.len() as u64 * run.config.bus_bytes as u64 >= moved);
        for burst in bursts {
            let (first, last, answered) = (burst.first.unwrap(), burst.last.unwrap(), burst.answered.unwrap());
            assert!(first <= last && last <= answered && burst.asked < answered, "{burst:?}");
        }
    }
}

#[test]
fn every_cycle_and_every_operation_of_a_product_is_in_its_timeline() {
    for (config, stall) in [(Config::tiny(), 0.3), (Config::lite(), 0.0)] {
        let memory = MemorySettings { stall, seed: 3, ..MemorySettings::default() };
        let runs = recorded(&config, memory, |core| {
            for (m, n, k) in [(37, 21, 70), (64, 64, 64)] {
                gemm(core, &Gemm::new(m, n, k), &bytes(m * k), &bytes(k * n)).expect("it runs");
            }
        });
        assert_eq!(runs.len(), 2);
        runs.iter().for_each(check);
        // Chained: the cube starts before the operands are loaded whole.
        let chained = |run: &Timeline| {
            let waits = run.spans.iter().flat_map(|span| span.taken.iter().map(move |taken| (span, taken)));
            waits.filter(|(span, taken)| run.spans[taken.raised_by].ended > span.started).count()
        };
        assert!(runs.iter().all(|run| chained(run) > 0));
    }
}

#[test]
fn a_convolution_has_its_operations_on_every_pipe() {
    let conv = Conv::new([9, 9, 8], [8, 3, 3]);
    let runs = recorded(&Config::tiny(), MemorySettings::default(), |core| {
        conv2d(core, &conv, &bytes(9 * 9 * 8), &bytes(8 * 9 * 8)).expect("it runs");
    });
    check(&runs[0]);
    let pipes: BTreeSet<Pipe> = runs[0].spans.iter().map(|span| span.pipe).collect();
    assert!([Pipe::Mte2, Pipe::Mte1, Pipe::M, Pipe::Fix].iter().all(|pipe| pipes.contains(pipe)));
}

#[test]
fn recording_changes_no_cycle() {
    let shape = Gemm::new(48, 40, 56);
    let (a, b) = (bytes(48 * 56), bytes(56 * 40));
    let mut plain = Simulated::new(&Config::tiny(), MemorySettings::default()).expect("it builds");
    let wanted = gemm(&mut plain, &shape, &a, &b).expect("it runs");
    let runs = recorded(&Config::tiny(), MemorySettings::default(), |core| {
        let got = gemm(core, &shape, &a, &b).expect("it runs");
        assert_eq!((got.c, &got.report), (wanted.c.clone(), &wanted.report));
    });
    assert_eq!(Some(runs[0].recording.cycles), wanted.report.cycles());
}

#[test]
fn a_run_that_ends_with_a_fault_has_a_timeline_too() {
    let text = "mte2.fill dst=l1[0] rows=4 len_bytes=32 dst_stride=32 byte=1\n\
                mte2.fill dst=l1[0xfffff0] rows=4 len_bytes=32 dst_stride=32 byte=1\nend\n";
    let program = assemble(text, "fault.qasm").expect("it is a program").program;
    let runs = recorded(&Config::tiny(), MemorySettings::default(), |core| {
        let program = Program::new(program, 0x1000, vec![0; 16], vec![]).expect("it has an encoding");
        assert!(matches!(core.run(&program), Err(HostError::Fault(_))));
    });
    let [run] = &runs[..] else { panic!("one run") };
    assert!(run.report.is_none() && run.recording.cycles > 0);
    assert_eq!(run.spans.iter().map(|span| span.finished).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn the_command_writes_a_page_and_events_that_agree_with_its_figures() {
    let folder = Folder::new("trace");
    let ended = folder.quader("trace gemm --m 32 --n 24 --k 40 --config tiny --json figures.json");
    assert_eq!(ended.status(), 0, "{}", ended.stderr());
    let json = |name: &str| -> Value { serde_json::from_slice(&fs::read(folder.path(name)).unwrap()).unwrap() };
    let (figures, events) = (json("figures.json"), json("trace.json"));
    let events = events["traceEvents"].as_array().unwrap();
    let of = |kind: &'static str| events.iter().filter(move |event| event["ph"] == kind);
    // Arrows: each has both ends, in order.
    let ends = |kind| -> BTreeMap<u64, u64> {
        of(kind).map(|event| (event["id"].as_u64().unwrap(), event["ts"].as_u64().unwrap())).collect()
    };
    let (starts, finishes) = (ends("s"), ends("f"));
    assert!(!starts.is_empty() && starts.keys().eq(finishes.keys()));
    assert!(starts.iter().all(|(id, ts)| ts <= &finishes[id]));
    // Every thread has a name, pieces of a thread do not overlap and end within the run.
    let cycles = figures["cycles"].as_u64().unwrap();
    let named: BTreeSet<u64> =
        of("M").filter(|event| event["name"] == "thread_name").map(|event| event["tid"].as_u64().unwrap()).collect();
    let mut threads: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    for event in of("X") {
        let [tid, ts, dur] = ["tid", "ts", "dur"].map(|key| event[key].as_u64().unwrap());
        assert!(named.contains(&tid) && ts + dur <= cycles, "{event}");
        threads.entry(tid).or_default().push((ts, ts + dur));
    }
    for pieces in threads.values_mut() {
        pieces.sort_unstable();
        assert!(pieces.windows(2).all(|pair| pair[0].1 <= pair[1].0));
    }
    // The page carries the same run, and asks nobody for anything.
    let page = fs::read_to_string(folder.path("trace.html")).unwrap();
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("/*DATA*/"));
    let from = page.find("id=\"data\">").unwrap() + "id=\"data\">".len();
    let data = &page[from..from + page[from..].find("</script>").unwrap()];
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!((&data[0]["cycles"], &data[0]["macs"]), (&figures["cycles"], &figures["counters"]["useful_macs"]));
}

#[test]
fn what_cannot_be_traced_is_refused() {
    let folder = Folder::new("trace-bad");
    folder.refuses("trace gemm --m 4 --n 4 --k 4 --backend model", "the model has no cycles");
    folder.refuses("trace", "requires a subcommand");
    folder.refuses("trace --html absent/trace.html gemm --m 4 --n 4 --k 4", "absent");
    folder.refuses("trace gemm --m 0 --n 4 --k 4", "m ");
}
