// SPDX-License-Identifier: Apache-2.0
//! `quader step` from outside: scripts and their transcripts, the session of the page, JSON, waveforms, jobs, and what is refused.

mod shell;

use serde_json::Value;
use shell::{Ended, Folder};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with the example.
fn example(name: &str) -> Folder {
    let folder = Folder::new(name);
    for file in ["hello.qasm", "hello.txt"] {
        fs::copy(root().join("examples").join(file), folder.path(file)).expect("the example is there");
    }
    folder
}

/// The example on `tiny`.
fn hello(folder: &Folder, script: &str) -> Ended {
    folder.feed("step hello.qasm --mem hello.txt --config tiny", script)
}

/// Answers in JSON, one per command.
fn answers(folder: &Folder, script: &str) -> Vec<Value> {
    let ended = folder.feed("step hello.qasm --mem hello.txt --core tiny --json", script);
    let text = ended.good();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn the_session_of_the_page_is_a_true_one() {
    let page = fs::read_to_string(root().join("docs/step.md")).expect("the page is there");
    let session = page.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("it has a session");
    let commands: String =
        session.lines().filter_map(|line| line.strip_prefix("(step) ")).map(|line| format!("{line}\n")).collect();
    assert!(commands.lines().count() > 10, "{commands}");
    let folder = example("step-page");
    assert_eq!(hello(&folder, &commands).good(), session);
}

#[test]
fn the_page_has_every_command_as_the_help_has_it() {
    let page = fs::read_to_string(root().join("docs/step.md")).expect("the page is there").replace("\\|", "|");
    let folder = example("step-help");
    let help = hello(&folder, "help\n").good();
    let commands: Vec<&str> = help.lines().filter(|line| line.starts_with("        ")).map(str::trim).collect();
    assert!(commands.len() >= 15, "{help}");
    for what in commands {
        assert!(page.contains(&format!("| {what} |")), "docs/step.md does not say: {what}");
    }
    let one = hello(&folder, "help wave\n").good();
    assert!(one.contains("wave FILE.vcd | FILE.fst | off") && !one.contains("delete"), "{one}");
}

#[test]
fn wrong_commands_are_one_sentence_each_and_a_status_at_the_end() {
    let folder = example("step-wrong");
    let ended = hello(
        &folder,
        "frobnicate\nstep 5\nbreak pc 0x61\nprint l1 0xfffff 1x1\nprint l0a 0xffffffffffffffff 65536x65536 row 65535\nset gm 0xffffffffff 1 2\nbreak flag m->m.1\n\ninfo flags\n",
    );
    assert_eq!(ended.status(), 2);
    let stderr = ended.stderr();
    let told: Vec<&str> = stderr.lines().filter(|line| !line.contains("building the simulation")).collect();
    assert_eq!(told.len(), 7, "{stderr}");
    for (line, wanted) in told.iter().zip([
        "quader: line 1: there is no command `frobnicate`",
        "quader: line 3: there is no instruction at 0x61",
        "quader: line 4: the matrix leaves its buffer",
        "quader: line 5: the tile leaves its buffer",
        "quader: line 6: 2 bytes from address 0xffffffffff on leave",
        "quader: line 7: `m->m.1` is no flag",
        "quader: 6 commands of the script were wrong",
    ]) {
        assert!(line.starts_with(wanted), "{line}");
    }
    // The others have been done.
    assert!(ended.stdout().contains("(step) step 5\ncycle 5\n") && ended.stdout().ends_with("no flag is raised\n"));
}

#[test]
fn every_kind_of_breakpoint_stops_and_can_be_deleted() {
    let folder = example("step-breaks");
    let script = "break pc @5\nbreak addr b0[0x187] write\nbreak flag m->fix.0\nbreak cycle 50\nbreak fault\ninfo breaks\nrun\ncontinue\ndelete 3\n\
                  continue\nstep\nrun\ndelete\ncontinue\n";
    let all = answers(&folder, script);
    let stops: Vec<&str> =
        all[5]["breakpoints"].as_array().expect("a list").iter().filter_map(|stop| stop["at"].as_str()).collect();
    assert_eq!(stops, ["pc 0x00a0", "addr 0x187 write", "flag m->fix.0", "cycle 50", "fault"]);
    let at = |index: usize| (all[index]["cycle"].as_u64(), all[index]["stopped"].as_str());
    assert_eq!(at(6), (Some(50), Some("breakpoint")));
    let first = &all[7]["events"];
    assert!(
        first
            .as_array()
            .is_some_and(|events| events.iter().any(|event| event["event"] == "started" && event["pc"] == 0xa0)),
        "{first}"
    );
    // The flag is forgotten, so the write to C is next.
    let write = &all[9]["events"][0];
    assert_eq!(
        (&write["event"], &write["write"], &write["requester"]),
        (&Value::from("asked"), &Value::from(true), &Value::from("fix"))
    );
    assert_eq!(all[10]["cycle"].as_u64(), all[9]["cycle"].as_u64().map(|cycle| cycle + 1));
    assert_eq!(at(11), (Some(50), Some("breakpoint")), "from the beginning");
    assert_eq!(all[12]["deleted"], 4);
    assert_eq!(all[13]["ended"]["ended"], "done");
}

#[test]
fn matrices_are_given_as_numbers() {
    let folder = example("step-matrices");
    let text = fs::read(folder.path("hello.txt")).expect("it is there");
    let line =
        |number: usize| text[17 * number..17 * number + 16].iter().map(|&byte| i64::from(byte)).collect::<Vec<i64>>();
    let all = answers(
        &folder,
        "break pc @8\nrun\nprint l0a of @7\nprint l0b of @7\nprint l0c\nprint l1 of @4 u8\nprint gm of @8\nprint l0a 3 16x32 all\n",
    );
    let rows = |index: usize| -> Vec<Vec<Option<i64>>> {
        let rows = all[index]["values"].as_array().expect("rows").iter();
        rows.map(|row| row.as_array().expect("a row").iter().map(Value::as_i64).collect()).collect()
    };
    let given = |numbers: Vec<i64>| numbers.into_iter().map(Some).collect::<Vec<Option<i64>>>();
    let (a, b): (Vec<Vec<i64>>, Vec<Vec<i64>>) = ((1..5).map(line).collect(), (6..22).map(line).collect());
    assert_eq!(rows(2), a.iter().cloned().map(given).collect::<Vec<_>>());
    let b01: Vec<Vec<i64>> = b.iter().map(|row| row.iter().map(|&value| value - 48).collect()).collect();
    assert_eq!(rows(3), b01.iter().cloned().map(given).collect::<Vec<_>>());
    let sums = |row: &Vec<i64>| (0..16).map(|n| (0..16).map(|k| row[k] * b01[k][n]).sum()).collect::<Vec<i64>>();
    assert_eq!(rows(4), a.iter().map(|row| given(sums(row))).collect::<Vec<_>>());
    assert_eq!(rows(5), b.iter().cloned().map(given).collect::<Vec<_>>());
    assert_eq!(rows(6), (23..27).map(|number| given(line(number))).collect::<Vec<_>>());
    assert_eq!((rows(7).len(), rows(7)[15].len()), (16, 32));
    assert!(rows(7).iter().flatten().all(Option::is_none), "nothing was loaded there");
}

/// Sixteen channels of parameters and a feature map, through L1 and UB.
const COPIES: &str = "\
mte2.load dst=ub[0x40] gm=b0[0] rows=3 len_bytes=16 gm_stride=17 dst_stride=32 set mte3.0
mte3.move dst=l1[0x200] src=ub[0x40] rows=3 len_bytes=16 src_stride=32 dst_stride=16 wait mte2.0 set mte1.0
mte1.loadfb field=bias src=l1[0x200] channel=4 count=12 wait mte3.0
nop
barrier
set fix.scale 0.5
set fix.shift -3
end
";

#[test]
fn ub_parameters_and_registers_are_shown() {
    let folder = example("step-copies");
    folder.write("copies.qasm", COPIES);
    let script = "break pc @1\nrun\nprint ub\nbreak pc :5\nbreak pc @5\nc\nc\nprint l1 of @1\nprint l1 of @2\nprint fb 4 12\nlist\nprint regs fix\nc\nprint regs fix\nlist 0\n";
    let ended = folder.feed("step copies.qasm --mem hello.txt --config tiny --json", script);
    let all: Vec<Value> = ended.good().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let text = fs::read(folder.path("hello.txt")).expect("it is there");
    let numbers = |row: &Value| row.as_array().expect("a row").iter().filter_map(Value::as_i64).collect::<Vec<i64>>();
    for row in 0..3 {
        let line: Vec<i64> = text[17 * row..17 * row + 16].iter().map(|&byte| i64::from(byte)).collect();
        assert_eq!(numbers(&all[2]["values"][row]), line, "row {row} of UB");
        assert_eq!(numbers(&all[7]["values"][row]), line, "row {row} in L1");
    }
    let packed: Vec<u8> = (0..3).flat_map(|row| text[17 * row..17 * row + 16].to_vec()).collect();
    let words: Vec<i64> =
        packed.chunks(4).map(|word| i64::from(i32::from_le_bytes(word.try_into().expect("four bytes")))).collect();
    assert_eq!(numbers(&all[8]["values"][0]), words);
    let biases: Vec<i64> = all[9]["channels"]
        .as_array()
        .expect("channels")
        .iter()
        .filter_map(|channel| channel["bias"].as_i64())
        .collect();
    assert_eq!(biases, words);
    // Where it stood: what is done, and the SET that has just written.
    let marks = |index: usize| {
        all[index]["program"]
            .as_array()
            .expect("lines")
            .iter()
            .map(|line| line["mark"].as_str().expect("a mark").to_owned())
            .collect::<Vec<String>>()
    };
    assert_eq!(marks(10)[..6], ["+", "+", "+", "+", "+", "+"].map(str::to_owned));
    assert_eq!(
        (&all[11]["registers"]["fix.scale"], &all[11]["registers"]["fix.clamp_low"]),
        (&Value::from(0x3f00_0000), &Value::Null)
    );
    assert_eq!(all[13]["registers"]["fix.shift"], -3);
    assert!(marks(14).iter().all(|mark| mark == "+"), "{:?}", marks(14));
}

#[test]
fn back_is_where_it_was_and_next_goes_on_from_there() {
    let folder = example("step-back");
    let all = answers(&folder, "next fix\nnext\nback 120\nnext fix\nset gm 0 1\nrestart\nback 0\n");
    let cycle = |index: usize| all[index]["cycle"].as_u64().expect("a cycle");
    assert_eq!(cycle(2), cycle(1) - 120);
    assert!(cycle(2) < cycle(0) && cycle(3) == cycle(0));
    assert_eq!(all[3]["events"], all[0]["events"]);
    assert_eq!(cycle(6), 0);
    let refused = hello(&folder, "step 9\nback 10\nset gm 0 1\nback 1\n");
    assert_eq!(refused.status(), 2);
    assert!(refused.stderr().contains("only 9 cycles have passed") && refused.stderr().contains("changed by `set`"));
}

#[test]
fn a_waveform_is_written_from_here_on_and_only_then_there() {
    let folder = example("step-wave");
    let ended = hello(
        &folder,
        "step 100\nwave part.vcd\nstep 50\nwave off\nwave again.txt\nrestart\nwave absent/x.vcd\nwave whole.vcd\nstep 3\nquit\nstep\n",
    );
    assert_eq!(ended.status(), 2, "{}", ended.stderr());
    assert!(
        ended.stderr().contains("line 5: ") && ended.stderr().contains("its name has to end in .vcd or .fst"),
        "{}",
        ended.stderr()
    );
    assert!(ended.stderr().contains("line 7: cannot write absent/x.vcd"), "{}", ended.stderr());
    assert_eq!(folder.names(), ["hello.qasm", "hello.txt", "part.vcd", "whole.vcd"]);
    let part = verilated::Wave::read(folder.path("part.vcd")).expect("it is a waveform");
    let whole = verilated::Wave::read(folder.path("whole.vcd")).expect("it is a waveform");
    assert!(clock_edges(&part) == 50 && clock_edges(&whole) == 3, "{} {}", clock_edges(&part), clock_edges(&whole));
}

/// Rising edges of the clock in a waveform.
fn clock_edges(wave: &verilated::Wave) -> usize {
    let clock = wave.signal("quader.clk").expect("it has a clock");
    clock.changes.windows(2).filter(|pair| clock.at(pair[0].0) == Some(0) && clock.at(pair[1].0) == Some(1)).count()
}

/// Ctrl-C while a long product runs: the run stops, the session goes on.
#[test]
fn an_interrupt_stops_a_run_and_not_the_session() {
    let folder = Folder::new("step-interrupt");
    folder.quader("gemm --m 512 --n 256 --k 256 --config tiny --program job").good();
    let mut command = Command::new(env!("CARGO_BIN_EXE_quader"));
    let mut child = command
        .args(["step", "job"])
        .current_dir(&folder.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("it is piped");
    let mut output = BufReader::new(child.stdout.take().expect("it is piped")).lines().map(|line| line.expect("text"));
    assert!(output.next().is_some_and(|line| line.contains("before cycle 0")));
    input.write_all(b"continue\n").expect("it reads");
    assert_eq!(output.next().as_deref(), Some("(step) continue"));
    std::thread::sleep(Duration::from_millis(300));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(sent.success());
    let stopped = output.find(|line| line.starts_with("cycle ")).expect("it stops");
    assert!(stopped.ends_with(", interrupted"), "{stopped}");
    input.write_all(b"step\n").expect("it reads");
    let cycle =
        |line: &str| line[6..].split(',').next().and_then(|number| number.parse::<u64>().ok()).expect("a cycle");
    let next = output.find(|line| line.starts_with("cycle ")).expect("it goes on");
    assert_eq!(cycle(&next), cycle(&stopped) + 1);
    drop(input);
    assert!(child.wait().expect("it ends").success());
}

/// A person at a terminal: Tab completes, an empty line does the last move again, arrows bring back what was typed, Ctrl-C leaves the line.
const PERSON: &str = r#"
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execv(sys.argv[1], [sys.argv[1], "step", "hello.qasm", "--mem", "hello.txt", "--config", "tiny"])
seen = b""
def wait(text):
    global seen
    end = time.time() + 300
    while text not in seen:
        if not select.select([fd], [], [], max(0, end - time.time()))[0]:
            sys.exit("no %r in %r" % (text, seen))
        seen += os.read(fd, 65536)
    seen = seen.split(text, 1)[1]
prompt = b"(step) \r"
wait(prompt)
for keys, answer in [(b"ste\t 7\r", b"cycle 7\r"), (b"\r", b"cycle 14\r"), (b"bogus\r", b"no command `bogus`"), (b"\x1b[A\x1b[A\r", b"cycle 21\r"), (b"ste\x03", b"ste"), (b"info fl\t\r", b"no flag is raised")]:
    os.write(fd, keys)
    wait(answer)
    wait(prompt)
os.write(fd, b"\x04")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

#[test]
fn a_terminal_completes_repeats_and_remembers() {
    let folder = example("step-terminal");
    let person =
        Command::new("python3").args(["-c", PERSON, env!("CARGO_BIN_EXE_quader")]).current_dir(&folder.0).output();
    let person = person.expect("python3 is there");
    assert!(person.status.success(), "{}", String::from_utf8_lossy(&person.stderr));
}

#[test]
fn a_fault_is_told_as_quader_run_tells_it() {
    let folder = example("step-fault");
    let text = fs::read_to_string(folder.path("hello.qasm")).expect("it is there");
    folder.write("bad.qasm", text.replace("dst_stride=LINE dtype_out", "dst_stride=4096 dtype_out"));
    let run = folder.quader("run bad.qasm --mem hello.txt --out out.bin --config tiny");
    assert_eq!(run.status(), 1);
    let stderr = run.stderr();
    let sentence = stderr.lines().find_map(|line| line.strip_prefix("quader: fault")).expect("it faults");
    let ended =
        folder.feed("step bad.qasm --mem hello.txt --config tiny", "continue\ninfo pipes\nprint l0c row 0\nstep\n");
    let stdout = ended.stdout();
    assert!(stdout.contains(&format!(", fault{sentence}\n")), "{stdout}\n{sentence}");
    // Afterwards everything can be looked at, and nothing goes on.
    assert!(stdout.contains("works     0x0100 fix.store") && stdout.contains("  0 |  72 101 108 108"), "{stdout}");
    assert!(ended.stderr().contains("line 4: the program has stopped with a fault"), "{}", ended.stderr());
}

#[test]
fn programs_with_errors_are_told_as_by_check() {
    let folder = example("step-check");
    folder.write("bad.qasm", "mte2.load x\nend\n");
    folder.refuses("step bad.qasm --mem hello.txt --config tiny", "bad.qasm:1:11");
    folder.write("loose.qasm", "fix.store dst=b0[0] src=l0c[0] m=4 n=16 dst_stride=17 dtype_out=int32 wait m.0\nend\n");
    let check = folder.quader("check loose.qasm --config tiny");
    assert_eq!(check.status(), 1);
    let findings = check.stdout();
    // It can be debugged all the same.
    let ended = folder.feed("step loose.qasm --mem hello.txt --config tiny", "step 60\ninfo pipes\n");
    assert_eq!(ended.status(), 0, "{}", ended.stderr());
    for finding in findings.lines() {
        assert!(ended.stderr().contains(&format!("quader: note: {finding}")), "{}", ended.stderr());
    }
    assert!(ended.stdout().contains("waits     for m->fix.0"), "{}", ended.stdout());
    folder.refuses("step hello.qasm", "--mem");
    folder.refuses("step absent.qasm --mem hello.txt", "absent.qasm");
    folder.refuses("step hello.qasm --mem hello.txt --mem-latency 0", "--mem-latency is 0");
    folder.refuses("step hello.qasm --mem hello.txt --config huge", "tiny, lite, max");
}

#[test]
fn the_job_of_a_product_brings_its_data() {
    let folder = Folder::new("step-job");
    folder.quader("gemm --m 9 --n 7 --k 5 --config tiny --program job").good();
    let all: Vec<Value> = {
        let ended = folder.feed("step job --json", "continue\nprint gm all\n");
        ended.good().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    assert_eq!(all[0]["ended"]["ended"], "done");
    let read = |name: &str| fs::read(folder.path("job").join(name)).expect("the job has it");
    let (a, b) = (read("a.bin"), read("b.bin"));
    let (a, b): (Vec<i64>, Vec<i64>) = (signed(&a), signed(&b));
    let c = |m: usize, n: usize| (0..5).map(|k| a[5 * m + k] * b[7 * k + n]).sum::<i64>();
    let rows = all[1]["values"].as_array().expect("rows");
    assert_eq!((rows.len(), rows[0].as_array().map(Vec::len)), (9, Some(7)));
    for (m, n) in (0..9).flat_map(|m| (0..7).map(move |n| (m, n))) {
        assert_eq!(rows[m][n].as_i64(), Some(c(m, n)), "row {m} column {n}");
    }
    folder.refuses("step job --mem job/a.bin", "leave --mem");
    fs::write(folder.path("job").join("job.json"), "{}").expect("it is writable");
    folder.refuses("step job", "no description of a job");
    fs::remove_file(folder.path("job").join("job.json")).expect("it is there");
    folder.refuses("step job", "job.json");
}

fn signed(bytes: &[u8]) -> Vec<i64> {
    bytes.iter().map(|&byte| i64::from(byte as i8)).collect()
}
