// SPDX-License-Identifier: Apache-2.0
//! What a core does and holds, as text and as JSON.

use super::Answer;
use crate::cli::program;
use crate::cli::table::{self, grouped};
use host::{Burst, Debugger, Ended, Event};
use isa::limits::{FLAG_IDS, INSTRUCTION_BYTES};
use isa::state::{STATE_REGISTERS, fix};
use isa::{Activity, Flag, Pipe};
use serde_json::{Map, Value, json};

/// `0x0060 m.mmad ...`.
pub fn instruction(debugger: &Debugger, pc: u32) -> String {
    match debugger.instruction(pc) {
        Some(inst) => format!("{pc:#06x} {}", program::text(inst)),
        None => format!("{pc:#06x}"),
    }
}

/// One line for an event in a cycle.
pub fn event(debugger: &Debugger, cycle: u64, event: &Event) -> String {
    let text = |pc: &u32| instruction(debugger, *pc);
    let (who, what, detail) = match event {
        Event::Passed { pc } => (Pipe::S.name(), "passes", text(pc)),
        Event::Wrote { pipe, pc } => (pipe.name(), "sets", text(pc)),
        Event::Finished { pipe, pc } => (pipe.name(), "finishes", text(pc)),
        Event::Raised { flag, .. } => (flag.from.name(), "raises", flag.to_string()),
        Event::Taken { flag, .. } => (flag.to.name(), "takes", flag.to_string()),
        Event::Started { pipe, pc } => (pipe.name(), "starts", text(pc)),
        Event::Asked(burst) => ("bus", "asks", burst_text(debugger, burst)),
        Event::Ended(_) => (Pipe::S.name(), "ends", "the program".to_owned()),
    };
    format!("{cycle:>7}  {who:<4}  {what:<8}  {detail}\n")
}

/// The same for scripts.
pub fn event_value(debugger: &Debugger, cycle: u64, event: &Event) -> Value {
    let pc = |what: &str, pipe: Pipe, pc: u32| {
        let text = debugger.instruction(pc).map(program::text);
        json!({ "cycle": cycle, "event": what, "pipe": pipe.name(), "pc": pc, "instruction": text })
    };
    let flag =
        |what: &str, flag: Flag, pc: u32| json!({ "cycle": cycle, "event": what, "flag": flag.to_string(), "pc": pc });
    match event {
        Event::Passed { pc: at } => pc("passed", Pipe::S, *at),
        Event::Wrote { pipe, pc: at } => pc("wrote", *pipe, *at),
        Event::Finished { pipe, pc: at } => pc("finished", *pipe, *at),
        Event::Started { pipe, pc: at } => pc("started", *pipe, *at),
        Event::Raised { flag: which, pc } => flag("raised", *which, *pc),
        Event::Taken { flag: which, pc } => flag("taken", *which, *pc),
        Event::Asked(burst) => burst_value(burst),
        Event::Ended(ended) => ended_value(ended, cycle),
    }
}

/// How a program ended, for scripts.
pub fn ended_value(ended: &Ended, cycle: u64) -> Value {
    match ended {
        Ended::Done => json!({ "cycle": cycle, "event": "ended", "ended": "done" }),
        Ended::Fault(record) => json!({
            "cycle": cycle,
            "event": "ended",
            "ended": "fault",
            "cause": record.cause.name(),
            "pipe": record.pipe.name(),
            "pc": record.pc,
            "address": record.address,
        }),
    }
}

fn burst_text(debugger: &Debugger, burst: &Burst) -> String {
    let (kind, beats) = (if burst.write { "write" } else { "read" }, burst.beats);
    let (s, bytes) = (if beats == 1 { "" } else { "s" }, debugger.config().bus_bytes);
    format!("{kind} at {:#x}, {beats} word{s} of {bytes} bytes, for {}", burst.address, burst.requester())
}

fn burst_value(burst: &Burst) -> Value {
    json!({
        "cycle": burst.asked,
        "event": "asked",
        "write": burst.write,
        "address": burst.address,
        "beats": burst.beats,
        "requester": burst.requester().name(),
    })
}

/// What the sequencer and every worker hold and wait for.
pub fn pipes(debugger: &Debugger) -> Answer {
    let mut text = String::new();
    let mut values = Vec::new();
    let next = debugger.look().sequencer().filter(|_| debugger.ended().is_none());
    match next {
        Some(next) => {
            let queue = debugger.instruction(next.pc).map_or(Pipe::S, |inst| inst.op.queue());
            let waits = match next.waits_for_all {
                true => "until every pipe is idle".to_owned(),
                false => format!("for room in the queue of {queue}, if it is full"),
            };
            text.push_str(&format!("  s     next      {}; it waits {waits}\n", instruction(debugger, next.pc)));
        }
        None if debugger.ended().is_some() => text.push_str("  s     the program has ended\n"),
        None => text.push_str("  s     has no instruction; it fetches\n"),
    }
    values.push(json!({ "pipe": "s", "next": next.map(|next| next.pc) }));
    for pipe in Pipe::WORKERS {
        let state = debugger.pipe(pipe);
        let activity = state.activity.map_or("-", Activity::name);
        let mut lines = Vec::new();
        for op in &state.in_flight {
            lines.push(format!("works     {}, since cycle {}", instruction(debugger, op.pc), op.started));
        }
        if state.activity == Some(Activity::WaitBlock) {
            let buffer = if pipe == Pipe::Fix { "L0C" } else { "L0A or L0B" };
            lines.push(format!("waits     for a block of {buffer} to become full"));
        }
        let open = debugger.outstanding().filter(|burst| burst.requester() == pipe).count();
        if open > 0 {
            lines.push(format!("waits     for {open} burst{} of memory", if open == 1 { "" } else { "s" }));
        }
        if let Some(head) = state.head {
            lines.push(format!("next      {}", instruction(debugger, head)));
        }
        if !state.missing.is_empty() {
            let missing: Vec<String> = state.missing.iter().map(Flag::to_string).collect();
            lines.push(format!("waits     for {}", missing.join(" and ")));
        }
        if state.queued > 0 {
            lines.push(format!("behind it {} in the queue", state.queued));
        }
        text.push_str(&format!("  {:<4}  {activity}\n", pipe.name()));
        lines.iter().for_each(|line| text.push_str(&format!("        {line}\n")));
        let in_flight = state.in_flight.iter().map(|op| json!({ "pc": op.pc, "started": op.started }));
        values.push(json!({
            "pipe": pipe.name(),
            "activity": state.activity.map(Activity::name),
            "in_flight": in_flight.collect::<Vec<Value>>(),
            "next": state.head,
            "missing": state.missing.iter().map(Flag::to_string).collect::<Vec<String>>(),
            "queued": state.queued,
            "bursts": open,
        }));
    }
    Answer::new(text, json!({ "pipes": values }))
}

/// Flag counters that are not 0.
pub fn flags(debugger: &Debugger) -> Answer {
    let look = debugger.look();
    let mut raised = Map::new();
    for (from, to) in Pipe::WORKERS.into_iter().flat_map(|from| Pipe::WORKERS.map(|to| (from, to))) {
        for flag in (0..FLAG_IDS as u8).map(|id| Flag { from, to, id }).filter(|flag| flag.index().is_some()) {
            let count = look.flag(flag);
            if count > 0 {
                raised.insert(flag.to_string(), count.into());
            }
        }
    }
    let text = match raised.is_empty() {
        true => "  no flag is raised\n".to_owned(),
        false => raised.iter().map(|(flag, count)| format!("  {flag} is {count}\n")).collect(),
    };
    Answer::new(text, json!({ "flags": raised }))
}

/// Cycles by activity, and the cube's steps, so far.
pub fn counters(debugger: &Debugger) -> Answer {
    let recording = debugger.recording();
    let cycles = recording.cycles;
    let mut rows = vec![vec!["pipe".to_owned()]];
    rows[0].extend(Activity::ALL.map(|activity| activity.name().to_owned()));
    let mut pipes = Map::new();
    for (pipe, record) in Pipe::WORKERS.into_iter().zip(&recording.pipes) {
        let spent = record.spent(cycles);
        rows.push([vec![pipe.name().to_owned()], spent.map(grouped).to_vec()].concat());
        let spent = Activity::ALL.into_iter().zip(spent);
        pipes.insert(pipe.name().into(), spent.map(|(activity, count)| (activity.name(), count)).collect::<Value>());
    }
    let bus = debugger.config().bus_bytes;
    let (steps, reads, writes) = (recording.steps.len(), recording.read_beats.len(), recording.write_beats.len());
    let moved = |beats: usize| format!("{} words of {bus} bytes", grouped(beats as u64));
    let text = format!(
        "{}  {} cycles, {} cube steps; read {}, written {}\n",
        table::table(&rows),
        grouped(cycles),
        grouped(steps as u64),
        moved(reads),
        moved(writes)
    );
    let value = json!({ "cycles": cycles, "steps": steps, "read_beats": reads, "write_beats": writes, "pipes": pipes });
    Answer::new(text, value)
}

/// Bursts that are not answered yet.
pub fn bus(debugger: &Debugger) -> Answer {
    let open: Vec<&Burst> = debugger.outstanding().collect();
    let line = |burst: &&Burst| {
        let first = burst.first.map_or("no word yet".to_owned(), |cycle| format!("first word in cycle {cycle}"));
        format!("  {}; asked in cycle {}, {first}\n", burst_text(debugger, burst), burst.asked)
    };
    let text = if open.is_empty() { "  nothing is outstanding\n".to_owned() } else { open.iter().map(line).collect() };
    Answer::new(text, json!({ "bursts": open.iter().map(|burst| burst_value(burst)).collect::<Vec<Value>>() }))
}

/// State registers of one pipe or of all.
pub fn registers(debugger: &Debugger, pipe: Option<Pipe>) -> Answer {
    let look = debugger.look();
    let (mut rows, mut values) = (Vec::new(), Map::new());
    for register in STATE_REGISTERS.iter().filter(|register| pipe.is_none_or(|pipe| pipe == register.pipe)) {
        let name = format!("{}.{}", register.pipe, register.name);
        let bits = look.register(register.pipe, register.index);
        let is_scale = (register.pipe, register.index) == (Pipe::Fix, fix::SCALE);
        let shown = match bits {
            None => "not set".to_owned(),
            Some(bits) if is_scale => format!("{bits:#010x} ({:?})", f32::from_bits(bits)),
            Some(bits) => register.number(bits).to_string(),
        };
        rows.push(format!("  {name:<26}  {shown}\n"));
        values.insert(name, bits.map(|bits| if is_scale { i64::from(bits) } else { register.number(bits) }).into());
    }
    let text = if rows.is_empty() { "  that pipe has no state registers\n".to_owned() } else { rows.concat() };
    Answer::new(text, json!({ "registers": values }))
}

/// Channels of FB.
pub fn parameters(debugger: &Debugger, first: usize, count: usize) -> Answer {
    let look = debugger.look();
    let channels = (first..first.saturating_add(count)).map_while(|index| Some((index, look.channel(index)?)));
    let mut rows = vec![["channel", "bias", "scale", "as fp32", "shift", "zero_point"].map(str::to_owned).to_vec()];
    let mut values = Vec::new();
    for (index, channel) in channels {
        let fp32 = f32::from_bits(channel.scale);
        rows.push(vec![
            index.to_string(),
            channel.bias.to_string(),
            format!("{:#010x}", channel.scale),
            format!("{fp32:e}"),
            channel.shift.to_string(),
            channel.zero_point.to_string(),
        ]);
        values.push(json!({
            "channel": index,
            "bias": channel.bias,
            "scale": channel.scale,
            "shift": channel.shift,
            "zero_point": channel.zero_point,
        }));
    }
    Answer::new(table::table(&rows), json!({ "channels": values }))
}

/// How far an instruction is, as one mark.
fn mark(debugger: &Debugger, pc: u32) -> &'static str {
    let program = debugger.program().instructions();
    let index = pc as usize / INSTRUCTION_BYTES;
    let Some(queue) = program.get(index).map(|inst| inst.op.queue()) else { return " " };
    let Some(at) = queue.worker_index() else {
        let next = debugger.look().sequencer().map(|next| next.pc);
        return match (debugger.ended(), next) {
            (Some(Ended::Done), _) => "+",
            (_, Some(next)) if next == pc => ">",
            (_, Some(next)) if next > pc => "+",
            _ => " ",
        };
    };
    let state = debugger.pipe(queue);
    if state.in_flight.iter().any(|op| op.pc == pc) {
        return "*";
    }
    // Which instruction of its pipe it is, and how many of them have left the queue, SETs included.
    let nth = program[..index].iter().filter(|inst| inst.op.queue() == queue).count();
    let queued = debugger.recording().pipes[at].queued.len();
    let left = queued - state.queued - usize::from(state.head.is_some());
    match nth {
        nth if nth < left => "+",
        _ if state.head == Some(pc) => ">",
        nth if nth < queued => "=",
        _ => " ",
    }
}

/// `count` instructions around `pc`, with what is at work.
pub fn list(
    debugger: &Debugger,
    pc: u32,
    count: usize,
    stops: impl Fn(u32) -> bool,
    line: impl Fn(usize) -> Option<usize>,
) -> Answer {
    let total = debugger.program().instructions().len();
    let index = pc as usize / INSTRUCTION_BYTES;
    let first = index.saturating_sub(count / 2).min(total.saturating_sub(count));
    let (mut text, mut values) = (String::new(), Vec::new());
    for index in first..(first + count).min(total) {
        let pc = (index * INSTRUCTION_BYTES) as u32;
        let (stop, mark) = (if stops(pc) { "b" } else { " " }, mark(debugger, pc));
        let source = line(index).map_or(String::new(), |line| format!("{line:>5}: "));
        text.push_str(&format!("  {stop}{mark} {source}{}\n", instruction(debugger, pc)));
        let inst = debugger.instruction(pc).map(program::text);
        values.push(
            json!({ "pc": pc, "line": line(index), "instruction": inst, "mark": mark.trim(), "break": stop == "b" }),
        );
    }
    text.push_str("  + done, * at work, > next of its pipe, = behind it in the queue, b breakpoint\n");
    Answer::new(text, json!({ "program": values }))
}
