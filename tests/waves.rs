// SPDX-License-Identifier: Apache-2.0
//! Waveforms: the group `trace` is the timeline cycle by cycle, nets hold the model's values at named cycles, windows and scopes hold what they
//! say, and sizes stay within their bounds. Read back with `wellen`.

#![allow(clippy::unwrap_used)]

mod shell;
mod wave;

use host::{Dump, Gemm, MemorySettings, Observe, Product, Simulated, Span, Timeline, Trigger, gemm};
use isa::limits::INSTRUCTION_BYTES;
use isa::{Activity, Config, Instruction, Pipe};
use shell::Folder;
use sim::core::{Core, Run, model, recordable_model, wave_model};
use sim::{GlobalMemory, MemoryConfig, Poison};
use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use verilated::{Model, Reset};
use wave::Read;

/// Nanoseconds of a cycle.
const CYCLE: u64 = 10;

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at * 37 % 251) as u8).collect()
}

/// Products on one core with a wave; their results and timelines.
fn waved(dump: Dump, stall: f64, shapes: &[(usize, usize, usize)]) -> Vec<(Product, Timeline)> {
    let kept = Rc::new(RefCell::new(Vec::new()));
    let sink = Rc::clone(&kept);
    let timelines = Some(Box::new(move |run| sink.borrow_mut().push(run)) as host::Keep);
    let memory = MemorySettings { stall, seed: 3, ..MemorySettings::default() };
    let observe = Observe { wave: Some(dump), timelines };
    let mut core = Simulated::observed(&Config::tiny(), memory, observe).expect("it builds");
    let run = |&(m, n, k): &(usize, usize, usize)| {
        gemm(&mut core, &Gemm::new(m, n, k), &bytes(m * k), &bytes(k * n)).expect("it runs")
    };
    let products: Vec<Product> = shapes.iter().map(run).collect();
    let written = core.end_wave().expect("it can be written").expect("it was asked for");
    assert!(written.cycles > 0);
    products.into_iter().zip(kept.take()).collect()
}

/// The operation of a pipe that is oldest in the engine.
fn in_flight(run: &Timeline, pipe: Pipe, cycle: u64) -> Option<&Span> {
    run.spans.iter().find(|span| span.pipe == pipe && span.started <= cycle && cycle < span.ended)
}

fn activity(run: &Timeline, index: usize, cycle: u64) -> Activity {
    let record = &run.recording.pipes[index].activity;
    record[record.partition_point(|&(from, _)| from <= cycle) - 1].1
}

/// The group of one program, whose cycle 0 is at time `start`.
fn check_group(read: &mut Read, run: &Timeline, start: u64) {
    let cycles = 0..run.recording.cycles;
    let cycle = read.signal("trace.cycle");
    assert!(cycles.clone().all(|at| cycle.number(start + CYCLE * at) == Some(at)));
    for (index, pipe) in Pipe::WORKERS.into_iter().enumerate() {
        let signal = |name: &str| format!("trace.{pipe}.{name}");
        let [texts, states] = ["instruction", "state"].map(|name| read.text(&signal(name)));
        let pcs = read.signal(&signal("pc"));
        for at in cycles.clone() {
            let time = start + CYCLE * at;
            let span = in_flight(run, pipe, at);
            let text = span.map(|span| isa::asm::line(&run.program[span.instruction]).unwrap());
            assert_eq!(texts.at(time), text.unwrap_or("-".into()), "{pipe} in cycle {at}");
            assert_eq!(pcs.number(time), span.map(|span| (span.instruction * INSTRUCTION_BYTES) as u64));
            let state = states.at(time);
            match activity(run, index, at) {
                Activity::Busy => assert_eq!(state, "busy"),
                Activity::WaitBlock => assert_eq!(state, "waits for block"),
                Activity::WaitMemory => assert_eq!(state, "waits for memory"),
                Activity::WaitQueue => assert_eq!(state, "nothing queued"),
                Activity::WaitFlag => {
                    let next = run.spans.iter().find(|span| span.pipe == pipe && span.started > at).unwrap();
                    let missing = next.taken.iter().filter(|taken| taken.raised >= at);
                    let names: Vec<String> =
                        missing.map(|taken| format!(" {}.{}", taken.flag.from, taken.flag.id)).collect();
                    assert!(state.starts_with("waits for flag "), "{pipe} in cycle {at}: {state}");
                    if !names.is_empty() {
                        assert_eq!(state, format!("waits for flag{}", names.concat()), "{pipe} in cycle {at}");
                    }
                }
            }
        }
    }
    check_tiles(read, run, start);
    check_bus(read, run, start);
}

/// Blocks of every product of the cube, in order.
fn blocks(run: &Timeline) -> Vec<([u64; 3], String)> {
    let Config { m0, n0, k0, .. } = run.config;
    let mut blocks = Vec::new();
    for span in run.spans.iter().filter(|span| span.pipe == Pipe::M) {
        let Instruction::Mmad(mmad) = run.program[span.instruction].op else { panic!("the cube multiplies") };
        let (m, n, k) = (usize::from(mmad.m), usize::from(mmad.n), usize::from(mmad.k));
        for (i, j, l) in (0..m)
            .step_by(m0)
            .flat_map(|i| (0..n).step_by(n0).flat_map(move |j| (0..k).step_by(k0).map(move |l| (i, j, l))))
        {
            let range = |from: usize, size: usize, end: usize| format!("{from}..{}", (from + size).min(end));
            let text = format!("C[{}, {}] k {}", range(i, m0, m), range(j, n0, n), range(l, k0, k));
            blocks.push(([i / m0, j / n0, l / k0].map(|number| number as u64), text));
        }
    }
    blocks
}

fn check_tiles(read: &mut Read, run: &Timeline, start: u64) {
    let tiles = read.text("trace.m.tile");
    let numbers = ["m", "n", "k"].map(|name| read.signal(&format!("trace.m.block_{name}")));
    let blocks = blocks(run);
    assert_eq!(blocks.len(), run.recording.steps.len());
    let mut steps = run.recording.steps.iter().zip(&blocks).peekable();
    for at in 0..run.recording.cycles {
        let time = start + CYCLE * at;
        match steps.next_if(|(step, _)| **step == at) {
            Some((_, (number, text))) => {
                assert_eq!(tiles.at(time), text, "cycle {at}");
                assert_eq!(numbers.each_ref().map(|signal| signal.number(time)), number.map(Some));
            }
            None => assert_eq!((tiles.at(time), numbers[0].number(time)), ("-", None), "cycle {at}"),
        }
    }
}

fn check_bus(read: &mut Read, run: &Timeline, start: u64) {
    let recording = &run.recording;
    let [ar, r, aw, w, b] = ["ar", "r", "aw", "w", "b"].map(|name| read.text(&format!("trace.axi.{name}")));
    for burst in &recording.bursts {
        let (channel, signal) = if burst.write { ("AW", &aw) } else { ("AR", &ar) };
        let s = if burst.beats == 1 { "" } else { "s" };
        let (address, beats, id, by) = (burst.address, burst.beats, burst.id, burst.requester());
        let text = format!("{channel} {address:#x} {beats} beat{s} id {id} {by}");
        assert_eq!(signal.at(start + CYCLE * burst.asked), text);
        let (first, last) = (burst.first.unwrap(), burst.last.unwrap());
        let (channel, signal) = if burst.write { ("W", &w) } else { ("R", &r) };
        assert_eq!(
            signal.at(start + CYCLE * first),
            format!("{channel} {address:#x} beat 1 of {beats} id {id}"),
            "{burst:?}"
        );
        assert!(signal.at(start + CYCLE * last).contains(&format!(" beat {beats} of {beats} id {id}")), "{burst:?}");
        if burst.write {
            assert_eq!(b.at(start + CYCLE * burst.answered.unwrap()), format!("B {address:#x} Okay id {id}"));
        }
    }
    // A transfer is told without "waits", and nothing else is.
    for (signal, beats) in [(&r, &recording.read_beats), (&w, &recording.write_beats)] {
        let told = |at: &u64| {
            let text = signal.at(start + CYCLE * at);
            text != "-" && !text.ends_with(" waits")
        };
        assert_eq!(&(0..recording.cycles).filter(told).collect::<Vec<_>>(), beats);
    }
}

#[test]
fn the_group_tells_what_the_timeline_tells_in_both_formats() {
    let folder = Folder::new("waves-group");
    for (name, stall) in [("group.vcd", 0.3), ("group.fst", 0.0)] {
        let dump = Dump { scope: Some("trace".into()), ..Dump::new(folder.path(name)) };
        let runs = waved(dump, stall, &[(37, 21, 70), (24, 40, 16)]);
        let mut read = Read::file(&folder.path(name));
        assert!(read.names().all(|name| name.starts_with("trace.")));
        let program = read.signal("trace.program");
        for (number, (_, run)) in (1..).zip(&runs) {
            let start = program.first(|value| u64::from_str_radix(value, 2) == Ok(number)).expect("it ran");
            check_group(&mut read, run, start);
            // The value before and after is z.
            assert_eq!(program.number(start - CYCLE), None);
            assert_eq!(program.number(start + CYCLE * run.recording.cycles), None);
        }
    }
}

#[test]
fn nets_hold_the_models_values_at_named_cycles() {
    let folder = Folder::new("waves-nets");
    // A single instruction of the cube: its first rows and its first 32 of k are all that there is.
    let (m, n, k) = (14, 12, 30);
    let Config { m0, n0, .. } = Config::tiny();
    for name in ["nets.vcd", "nets.fst"] {
        let dump = Dump { depth: Some(2), ..Dump::new(folder.path(name)) };
        let runs = waved(dump, 0.0, &[(m, n, k)]);
        let (product, run) = &runs[0];
        let c = product.values();
        let mut read = Read::file(&folder.path(name));
        let start = read.signal("trace.program").first(|value| value.ends_with('1')).unwrap();
        let valid = read.signal("TOP.quader.m_l0c_write_valid");
        let data: Vec<_> =
            (0..m0 * n0).map(|lane| read.signal(&format!("TOP.quader.m_l0c_write_data_{lane}"))).collect();
        let blocks = blocks(run);
        let last_k = k.div_ceil(run.config.k0) as u64 - 1;
        let mut checked = 0;
        for (step, ([i, j, l], _)) in run.recording.steps.iter().zip(&blocks) {
            if *l != last_k {
                continue;
            }
            // docs/units/cube.md: with L0's data at t + 2 the totals are written at t + 5 + T, and T is 1 for tiny.
            let time = start + CYCLE * (step - 2 + 5 + 1);
            assert_eq!(valid.number(time), Some(1), "block {i}, {j}");
            for (lane, data) in data.iter().enumerate() {
                let (row, column) = (*i as usize * m0 + lane / n0, *j as usize * n0 + lane % n0);
                if row < m && column < n {
                    assert_eq!(data.number(time), Some(u64::from(c[row * n + column] as u32)), "C[{row}, {column}]");
                    checked += 1;
                }
            }
        }
        assert_eq!(checked, m * n, "every element once");
    }
}

#[test]
fn the_moment_of_an_element_is_that_of_its_bytes_on_the_bus() {
    let folder = Folder::new("waves-moment");
    let (m, n, k) = (20, 13, 24);
    let dump = Dump { depth: Some(1), ..Dump::new(folder.path("w.vcd")) };
    let runs = waved(dump, 0.4, &[(8, 8, 8), (m, n, k)]);
    let (product, _) = &runs[1];
    let c = product.values();
    let mut read = Read::file(&folder.path("w.vcd"));
    let [first, second] = [1, 2].map(|number| {
        let program = read.signal("trace.program");
        program.first(|value| u64::from_str_radix(value, 2) == Ok(number)).unwrap()
    });
    let data = read.signal("TOP.m_axi_wdata");
    let [valid, ready] = ["TOP.m_axi_wvalid", "TOP.m_axi_wready"].map(|name| read.signal(name));
    let timelines: Vec<Timeline> = runs.iter().map(|(_, run)| run.clone()).collect();
    let before = timelines[0].recording.cycles;
    for (index, &value) in c.iter().enumerate() {
        let address = product.address_of(index);
        let written = |byte| Trigger::Written { run: 1, address: address + byte }.cycle(&timelines).unwrap();
        let mut bytes = [0; 4];
        for byte in 0..4 {
            let time = second + CYCLE * (written(byte) - before);
            assert_eq!((valid.number(time), ready.number(time)), (Some(1), Some(1)));
            let bits = data.at(time);
            let lane = ((address + byte) % 8) as usize;
            bytes[byte as usize] =
                u8::from_str_radix(&bits[bits.len() - 8 * lane - 8..bits.len() - 8 * lane], 2).unwrap();
        }
        assert_eq!(i32::from_le_bytes(bytes), value, "element {index}");
    }
    // Those of the first run are in its own cycles, and what was never written has no moment.
    let own = Trigger::Written { run: 0, address: runs[0].0.address }.cycle(&timelines).unwrap();
    assert!(own < before && valid.number(first + CYCLE * own) == Some(1));
    assert_eq!(Trigger::Written { run: 1, address: 7 }.cycle(&timelines), None);
    assert_eq!(Trigger::Fault.cycle(&timelines), None);
    let pc = Trigger::Pc(0).cycle(&timelines).unwrap();
    assert_eq!(Some(pc), timelines[0].spans.iter().filter(|span| span.instruction == 0).map(|span| span.started).min());
}

#[test]
fn the_wave_of_a_product_is_small_and_its_save_files_name_what_is_in_it() {
    let folder = Folder::new("waves-size");
    for (name, limit) in [("w.vcd", 20_000_000), ("w.fst", 2_000_000)] {
        folder.quader(&format!("gemm --m 64 --n 64 --k 64 --config tiny --wave {name}")).good();
        let size = fs::metadata(folder.path(name)).unwrap().len();
        println!("{name}: {size} bytes");
        assert!(size < limit, "{name} has {size} bytes");
        let mut read = Read::file(&folder.path(name));
        // Ports, core, units, and nothing below.
        let levels = read.names().filter(|name| name.starts_with("TOP")).map(|name| name.matches('.').count());
        assert_eq!(levels.max(), Some(3));
        assert!(read.text("trace.m.instruction").first(|text| text.starts_with("m.mmad ")).is_some());
        for (file, prefix) in [("w.gtkw", ""), ("w.sucl", "variable_add ")] {
            let text = fs::read_to_string(folder.path(file)).unwrap();
            let signals = text.lines().filter_map(|line| line.strip_prefix(prefix));
            let signals: Vec<&str> =
                signals.filter(|line| line.starts_with("trace.") || line.starts_with("TOP.")).collect();
            assert!(signals.len() > 30, "{text}");
            for signal in signals {
                let path = signal.split('[').next().unwrap();
                assert!(read.names().any(|name| name == path), "{file} names {path}");
            }
        }
    }
    assert_eq!(folder.names(), ["w.fst", "w.gtkw", "w.sucl", "w.vcd"]);
}

/// First and last cycle of the group in a file.
fn cycles(path: &Path) -> (Option<u64>, Option<u64>) {
    let mut read = Read::file(path);
    let cycle = read.signal("trace.cycle");
    (cycle.number(cycle.begin()), cycle.number(read.span().1 - CYCLE))
}

#[test]
fn windows_scopes_and_depths_hold_what_they_say() {
    let folder = Folder::new("waves-window");
    for name in ["w.vcd", "w.fst"] {
        folder
            .quader(&format!("gemm --m 16 --n 16 --k 16 --config tiny --wave {name} --wave-from 100 --wave-to 149"))
            .good();
        assert_eq!(cycles(&folder.path(name)), (Some(100), Some(149)), "{name}");
    }
    let scoped = "gemm --m 4 --n 4 --k 4 --config tiny --wave s.vcd --wave-scope m";
    for (more, below) in [("", true), (" --wave-depth 1", false)] {
        folder.quader(&format!("{scoped}{more}")).good();
        let read = Read::file(&folder.path("s.vcd"));
        let nets: Vec<&str> = read.names().filter(|name| !name.starts_with("trace.")).collect();
        assert!(nets.contains(&"TOP.quader.m.step") && nets.iter().all(|net| net.starts_with("TOP.quader.m.")));
        assert_eq!(nets.contains(&"TOP.quader.m.steps.go"), below, "{nets:?}");
    }
    // What somebody arranged and saved stays.
    folder.write("s.gtkw", "[*] mine\n");
    folder.quader(scoped).good();
    assert_eq!(fs::read_to_string(folder.path("s.gtkw")).unwrap(), "[*] mine\n");
}

#[test]
fn what_cannot_be_waved_is_refused_in_a_sentence() {
    let folder = Folder::new("waves-bad");
    let product = "gemm --m 4 --n 4 --k 4 --config tiny";
    for (options, wanted) in [
        ("--wave w.txt", "w.txt is no waveform: its name has to end in .vcd or .fst"),
        ("--wave w.vcd --wave-from 9 --wave-to 8", "--wave-from is 9 and --wave-to is 8"),
        ("--wave w.vcd --wave-depth 0", "0 is not in 1.."),
        ("--wave w.vcd --wave-trigger never", "write fault, mismatch or pc=ADDR"),
        ("--wave w.vcd --wave-trigger pc=0x41", "a program counter is a multiple of 32"),
        ("--wave w.vcd --wave-trigger fault --wave-from 3", "cannot be used with"),
        ("--wave w.vcd --wave-before 3", "--wave-trigger"),
        ("--wave-from 3", "--wave <F.vcd|F.fst>"),
        ("--wave absent/w.vcd", "absent"),
        ("--wave w.vcd --backend model", "--backend rtl"),
    ] {
        folder.refuses(&format!("{product} {options}"), wanted);
    }
    // Scopes are known when the simulation is there, before it runs.
    let ended = folder.quader(&format!("{product} --wave w.vcd --wave-scope m.stop"));
    let wanted = "quader: waveform w.vcd: there is no scope `stop` in `TOP.quader.m`; there are array, clear, decode, ";
    assert_eq!((ended.status(), ended.stdout().as_str(), folder.names()), (2, "", vec![]));
    assert!(ended.stderr().lines().last().is_some_and(|line| line.starts_with(wanted)), "{}", ended.stderr());
    let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let run = format!("run {0}/hello.qasm --mem {0}/hello.txt --out o.bin --config tiny", hello.display());
    folder.refuses(&format!("{run} --wave w.vcd --wave-trigger mismatch"), "a program is compared with nothing");
    // A window behind the end and a moment that never comes: the rest is done, the wave is not there.
    for (options, wanted) in [
        ("--wave w.vcd --wave-from 1000000", "--wave-from 1000000 is behind the last cycle, so there is no w.vcd"),
        ("--wave w.vcd --wave-trigger fault", "--wave-trigger fault did not happen in "),
        ("--wave w.vcd --wave-trigger mismatch", "--wave-trigger mismatch did not happen in "),
        ("--wave w.vcd --wave-trigger pc=0xfffffe0", "--wave-trigger pc=0xfffffe0 did not happen in "),
    ] {
        let ended = folder.quader(&format!("{product} {options}"));
        assert_eq!((ended.status(), folder.names()), (1, vec![]), "{options}: {}", ended.stderr());
        assert!(ended.stderr().contains(wanted), "{}", ended.stderr());
    }
}

#[test]
fn waves_around_a_fault_and_an_instruction_have_their_windows() {
    let folder = Folder::new("waves-fault");
    let text = "mte2.fill dst=l1[0] rows=4 len_bytes=32 dst_stride=32 byte=1\n\
                mte2.fill dst=l1[0xfffff0] rows=4 len_bytes=32 dst_stride=32 byte=1\nend\n";
    folder.write("p.qasm", text);
    folder.write("in.bin", [0; 64]);
    let run = "run p.qasm --mem in.bin --out o.bin --config tiny --wave f.fst --wave-before 20 --wave-after 5";
    let ended = folder.quader(&format!("{run} --wave-trigger fault"));
    assert_eq!(ended.status(), 1, "{}", ended.stderr());
    assert!(ended.stderr().contains("in `mte2.fill dst=l1[0xfffff0]"), "{}", ended.stderr());
    let cycle = |text: &str, moment: &str| -> u64 {
        let from = text.find(&format!("{moment} is in cycle ")).unwrap() + moment.len() + " is in cycle ".len();
        text[from..].split(';').next().unwrap().parse().unwrap()
    };
    let fault = cycle(&ended.stderr(), "fault");
    let mut read = Read::file(&folder.path("f.fst"));
    let number = read.signal("trace.cycle");
    let (first, last) = (number.begin(), read.span().1);
    assert_eq!(
        (number.number(first), number.number(last)),
        (Some(fault - 20), None),
        "to the end of the run and beyond"
    );
    let instruction = read.text("trace.mte2.instruction");
    let time = first + CYCLE * 20;
    assert_eq!(instruction.at(time), "mte2.fill dst=l1[0xfffff0] byte=1 rows=4 len_bytes=32 dst_stride=32");

    let ended = folder.quader(&format!("{run} --wave-trigger pc=0x20"));
    let started = cycle(&ended.stderr(), "pc=0x20");
    assert!(started < fault);
    assert_eq!(cycles(&folder.path("f.fst")).0, Some(started.saturating_sub(20)));
}

fn core(model: &Arc<Model>) -> sim::Result<Core> {
    let config = Config::tiny();
    let memory = MemoryConfig::ideal(config.bus_bytes);
    Core::with_model(model, &config, memory, GlobalMemory::new(Poison::new(1)), Reset::Random(1))
}

#[test]
fn a_wave_can_begin_and_end_while_a_program_runs() {
    let folder = Folder::new("waves-session");
    let mut core = core(&wave_model(&Config::tiny()).unwrap()).unwrap();
    let compiled = Gemm::new(64, 64, 64).compile(&Config::tiny()).unwrap();
    let program = compiled.program();
    core.gm().write(program.address(), program.code());
    let windows = program.windows().iter().map(|window| (window.first, window.last, window.rights)).collect();
    let (address, length) = (program.address(), program.code().len() as u32);
    let run = Run { program: address, length, bases: program.bases().to_vec(), windows, limit: 100_000 };
    core.start(&run).unwrap();
    let steps = |core: &mut Core, count| (0..count).for_each(|_| core.bench_mut().step().unwrap());
    steps(&mut core, 200);
    let absent = core.start_wave(Dump { scope: Some("absent".into()), ..Dump::new(folder.path("first.vcd")) });
    assert!(absent.is_err_and(|error| error.to_string().contains("no scope `absent` in `TOP.quader`")));
    let files = ["first.vcd", "second.fst"];
    for name in files {
        core.start_wave(Dump { depth: Some(1), ..Dump::new(folder.path(name)) }).unwrap();
        let again = core.start_wave(Dump::new(folder.path("third.vcd")));
        assert!(again.is_err_and(|error| error.to_string().contains("end it first")));
        let edge = core.bench().cycle();
        steps(&mut core, 900);
        assert_eq!(core.end_wave().unwrap().unwrap().cycles, 900);
        let mut read = Read::file(&folder.path(name));
        let clock = read.signal("TOP.clk");
        assert_eq!((clock.begin(), read.span().1), (CYCLE * edge, CYCLE * (edge + 900)), "{name}");
        // What was started before is not known; what starts now is.
        let mut starts = |pipe| read.text(&format!("trace.{pipe}.instruction")).first(|text| text != "-").is_some();
        assert!(starts("mte1") || starts("fix"), "{name}");
        assert!(read.signal("trace.cycle").first(|value| !value.contains(['x', 'z'])).is_none());
    }
    assert!(core.end_wave().unwrap().is_none());
}

/// A short program on a core made from a model.
fn hello(model: &Arc<Model>, wave: Option<Dump>) -> sim::Result<()> {
    let mut core = core(model)?;
    if let Some(dump) = wave {
        core.start_wave(dump)?;
    }
    let program =
        isa::asm::assemble("mte2.fill dst=l1[0] rows=4 len_bytes=32 dst_stride=32 byte=1\nend\n", "p").unwrap();
    let bytes = isa::encode_program(&program.program).unwrap();
    core.gm().write(0x1000, &bytes);
    let windows = vec![(0x1000, 0x1fff, 4)];
    let run = Run { program: 0x1000, length: bytes.len() as u32, bases: vec![0; 16], windows, limit: 100_000 };
    core.run(&run)?;
    core.end_wave()?;
    Ok(())
}

#[test]
fn a_failed_test_leaves_a_wave_that_explains_itself() {
    let folder = Folder::new("waves-failed");
    let fails = |_: &sim::waves::Run| -> Result<(), String> {
        hello(&model(&Config::tiny(), false).unwrap(), None).unwrap();
        Err("as an assertion would".to_owned())
    };
    sim::waves::observed_in(&folder.0, "fails", fails).expect_err("it fails");
    assert_eq!(folder.names(), ["fails.gtkw", "fails.sucl", "fails.vcd"]);
    let mut read = Read::file(&folder.path("fails.vcd"));
    let instruction = read.text("trace.mte2.instruction");
    assert!(instruction.first(|text| text.starts_with("mte2.fill dst=l1[0x0]")).is_some());
    assert!(read.names().any(|name| name.starts_with("TOP.quader.")));
}

#[test]
fn each_wave_has_the_model_that_it_needs_and_no_other() {
    let config = Config::tiny();
    let [plain, ports, nets] =
        [model(&config, false), recordable_model(&config, false), wave_model(&config)].map(|model| model.unwrap());
    let has_ports = |model: &Model| model.ports().iter().any(|port| port.name.starts_with("trace_"));
    assert_eq!(
        [&plain, &ports, &nets].map(|model| (has_ports(model), model.is_traced())),
        [(false, false), (true, false), (true, true)]
    );
    let folder = Folder::new("waves-models");
    let all = Dump::new(folder.path("w.vcd"));
    let group = Dump { scope: Some("trace".into()), ..all.clone() };
    for (model, dump, refused) in [
        (&plain, &all, Some("built without tracing")),
        (&plain, &group, Some("no traced core")),
        (&ports, &all, Some("built without tracing")),
        (&ports, &group, None),
        (&nets, &all, None),
    ] {
        let done = hello(model, Some(dump.clone())).map_err(|error| error.to_string());
        match refused {
            Some(reason) => assert!(done.as_ref().is_err_and(|error| error.contains(reason)), "{done:?}"),
            None => assert_eq!(done, Ok(())),
        }
        assert_eq!(folder.path("w.vcd").exists(), refused.is_none());
        let _ = fs::remove_file(folder.path("w.vcd"));
    }
}
