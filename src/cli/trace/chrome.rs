// SPDX-License-Identifier: Apache-2.0
//! Timelines in the Trace Event Format, which Perfetto and chrome://tracing read; a microsecond of theirs is a cycle.
//!
//! A process per run: threads for the pipes (one per lane), for the AXI channels, flow arrows along the flags, and the bus's bytes per cycle
//! as counters.

use super::super::program;
use host::{Burst, Timeline, lanes};
use isa::limits::INSTRUCTION_BYTES;
use isa::{Flag, Pipe};
use serde_json::{Value, json};

/// Lanes that a pipe or channel may have, for the numbers of threads.
const LANES: usize = 64;

/// Cycles over which the bandwidth is averaged.
const BUCKET: u64 = 32;

/// The file.
pub fn events(runs: &[Timeline]) -> String {
    let mut events = Vec::new();
    let mut flow = 0;
    let mut from = 0;
    for (number, run) in runs.iter().enumerate() {
        one(&mut events, run, number + 1, from, &mut flow);
        // A gap, so that runs can be told apart.
        from += run.recording.cycles + 100;
    }
    let text = json!({ "traceEvents": events, "displayTimeUnit": "ns", "otherData": { "unit": "1 us is one cycle" } });
    format!("{text}\n")
}

/// `pipe 1 -> 2, id 3` as the assembler writes the wait.
pub fn flag_name(flag: Flag) -> String {
    format!("{}.{} -> {}", flag.from.name(), flag.id, flag.to.name())
}

fn one(events: &mut Vec<Value>, run: &Timeline, pid: usize, from: u64, flow: &mut u64) {
    let core = &run.config.name;
    events.push(
        json!({ "ph": "M", "pid": pid, "name": "process_name", "args": { "name": format!("{core}, run {pid}") } }),
    );
    for (index, pipe) in Pipe::WORKERS.into_iter().enumerate() {
        for lane in 0..run.lanes[index] {
            thread(events, pid, thread_of(pipe, lane), &lane_name(pipe.name(), lane));
        }
    }
    for span in &run.spans {
        let Some(inst) = run.program.get(span.instruction) else { continue };
        let text = program::text(inst);
        let waited: Vec<Value> = span
            .taken
            .iter()
            .map(|taken| json!({ "flag": flag_name(taken.flag), "raised": taken.raised, "by": run.spans[taken.raised_by].instruction }))
            .collect();
        events.push(json!({
            "ph": "X", "pid": pid, "tid": thread_of(span.pipe, span.lane), "ts": from + span.started,
            "dur": span.ended - span.started, "cat": span.pipe.name(), "name": inst.op.opcode().mnemonic(),
            "args": {
                "text": text, "instruction": span.instruction, "pc": span.instruction * INSTRUCTION_BYTES,
                "queued": span.queued, "ready": span.ready, "started": span.started, "ended": span.ended,
                "finished": span.finished, "flags": waited,
            },
        }));
        for taken in &span.taken {
            let by = &run.spans[taken.raised_by];
            let name = flag_name(taken.flag);
            *flow += 1;
            events.push(json!({ "ph": "s", "pid": pid, "tid": thread_of(by.pipe, by.lane), "ts": from + taken.raised, "id": *flow, "cat": "flag", "name": name }));
            events.push(json!({ "ph": "f", "bp": "e", "pid": pid, "tid": thread_of(span.pipe, span.lane), "ts": from + span.started, "id": *flow, "cat": "flag", "name": name }));
        }
    }
    bus(events, run, pid, from);
}

fn bus(events: &mut Vec<Value>, run: &Timeline, pid: usize, from: u64) {
    let end = run.recording.cycles;
    let mut channel = |number: usize, name: &str, write: bool, span: &dyn Fn(&Burst) -> Option<(u64, u64)>| {
        let bursts = run.recording.bursts.iter().filter(|burst| burst.write == write);
        let mut spans: Vec<_> =
            bursts.filter_map(|burst| span(burst).map(|(start, end)| (start, end, burst))).collect();
        spans.sort_by_key(|&(start, ..)| start);
        let lanes = lanes(spans.iter().map(|&(start, end, _)| (start, end)));
        let thread_of = |lane: usize| (8 + number) * LANES + lane.min(LANES - 1);
        for lane in 0..lanes.iter().max().map_or(0, |last| last + 1).min(LANES) {
            thread(events, pid, thread_of(lane), &lane_name(name, lane));
        }
        for (&(start, end, burst), lane) in spans.iter().zip(lanes) {
            events.push(json!({
                "ph": "X", "pid": pid, "tid": thread_of(lane), "ts": from + start, "dur": end - start, "cat": "axi",
                "name": format!("{} {} beats", burst.requester().name(), burst.beats),
                "args": { "address": format!("{:#x}", burst.address), "beats": burst.beats, "id": burst.id,
                          "asked": burst.asked, "first": burst.first, "answered": burst.answered },
            }));
        }
    };
    let asked = |burst: &Burst| Some((burst.asked, burst.asked + 1));
    let data = |burst: &Burst| burst.first.map(|first| (first, burst.last.map_or(end, |last| last + 1)));
    channel(0, "axi ar", false, &asked);
    channel(1, "axi r", false, &data);
    channel(2, "axi aw", true, &asked);
    channel(3, "axi w", true, &data);
    channel(4, "axi b", true, &|burst| burst.answered.map(|at| (at, at + 1)));
    let bytes = run.config.bus_bytes as f64;
    for (name, beats) in [("read", &run.recording.read_beats), ("written", &run.recording.write_beats)] {
        for (bucket, count) in buckets(beats, end, BUCKET).into_iter().enumerate() {
            let rate = count as f64 * bytes / BUCKET as f64;
            let ts = from + bucket as u64 * BUCKET;
            events.push(json!({ "ph": "C", "pid": pid, "ts": ts, "name": format!("bytes {name} per cycle"), "args": { "bytes": rate } }));
        }
    }
}

/// The name of a row of a pipe or channel.
fn lane_name(name: &str, lane: usize) -> String {
    if lane == 0 { name.to_owned() } else { format!("{name} +{lane}") }
}

/// How many of the cycles fall into each stretch of `width` cycles.
pub fn buckets(cycles: &[u64], end: u64, width: u64) -> Vec<u64> {
    let mut counts = vec![0; end.div_ceil(width) as usize];
    for &cycle in cycles {
        counts[(cycle / width) as usize] += 1;
    }
    counts
}

fn thread_of(pipe: Pipe, lane: usize) -> usize {
    usize::from(pipe.code()) * LANES + lane.min(LANES - 1)
}

fn thread(events: &mut Vec<Value>, pid: usize, tid: usize, name: &str) {
    events.push(json!({ "ph": "M", "pid": pid, "tid": tid, "name": "thread_name", "args": { "name": name } }));
    events
        .push(json!({ "ph": "M", "pid": pid, "tid": tid, "name": "thread_sort_index", "args": { "sort_index": tid } }));
}
