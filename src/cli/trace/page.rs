// SPDX-License-Identifier: Apache-2.0
//! Timelines as one page of HTML that needs nothing else: data, style and script are inside.
//!
//! The data are arrays rather than objects, so that a hundred thousand instructions stay a few megabytes; `page.js` says which place is what.

use super::super::program;
use super::chrome::{buckets, flag_name};
use host::{Burst, Timeline};
use isa::{Activity, Counter, Pipe};
use serde_json::{Value, json};

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Stretches of time that the bandwidth is shown in, at most.
const BUCKETS: u64 = 2048;

/// The page.
pub fn page(runs: &[Timeline]) -> String {
    let data: Vec<Value> = runs.iter().map(run).collect();
    // `</script>` in a string would end the element.
    let data = Value::from(data).to_string().replace("</", "<\\/");
    HTML.replace("/*STYLE*/", STYLE).replace("/*SCRIPT*/", SCRIPT).replace("/*DATA*/", &data)
}

fn run(run: &Timeline) -> Value {
    let recording = &run.recording;
    let texts: Vec<String> = run.program.iter().map(program::text).collect();
    let spans: Vec<Value> = run
        .spans
        .iter()
        .map(|span| {
            let taken: Vec<Value> =
                span.taken.iter().map(|taken| json!([flag_name(taken.flag), taken.raised_by, taken.raised])).collect();
            let pipe = span.pipe.worker_index().expect("operations are of workers");
            json!([
                span.instruction,
                pipe,
                span.queued,
                span.ready,
                span.started,
                span.ended,
                span.lane,
                taken,
                u8::from(span.finished)
            ])
        })
        .collect();
    let activity: Vec<Value> = recording
        .pipes
        .iter()
        .map(|pipe| {
            json!([
                pipe.activity.iter().map(|a| a.0).collect::<Vec<_>>(),
                pipe.activity.iter().map(|a| a.1 as u8).collect::<Vec<_>>()
            ])
        })
        .collect();
    let spent: Vec<_> = recording.pipes.iter().map(|pipe| pipe.spent(recording.cycles)).collect();
    let bursts: Vec<Value> = recording.bursts.iter().map(burst).collect();
    let width = recording.cycles.div_ceil(BUCKETS).max(16);
    let bytes = run.config.bus_bytes;
    let rate = |beats: &[u64]| -> Vec<f64> {
        let counts = buckets(beats, recording.cycles, width);
        counts.into_iter().map(|count| count as f64 * bytes as f64 / width as f64).collect()
    };
    let counter = |counter| run.report.as_ref().and_then(|report| report.get(counter));
    json!({
        "core": run.config.name,
        "cube": [run.config.m0, run.config.k0, run.config.n0],
        "peak": run.config.peak_macs(),
        "bus": bytes,
        "memory": { "latency": run.memory.latency, "stall": run.memory.stall,
                    "rate": Some(run.memory.bytes_per_cycle).filter(|rate| rate.is_finite()), "shared": run.memory.shared },
        "cycles": recording.cycles,
        "done": run.report.is_some(),
        "steps": recording.steps.len(),
        "macs": counter(Counter::UsefulMacs),
        "read": counter(Counter::BytesRead),
        "written": counter(Counter::BytesWritten),
        "pipes": Pipe::WORKERS.map(Pipe::name),
        "activities": Activity::ALL.map(Activity::name),
        "lanes": run.lanes,
        "spent": spent,
        "activity": activity,
        "texts": texts,
        "spans": spans,
        "bursts": bursts,
        "bandwidth": { "width": width, "read": rate(&recording.read_beats), "written": rate(&recording.write_beats) },
    })
}

fn burst(burst: &Burst) -> Value {
    let requester = burst.requester().name();
    json!([
        u8::from(burst.write),
        requester,
        burst.address,
        burst.beats,
        burst.asked,
        burst.first,
        burst.last,
        burst.answered
    ])
}

#[cfg(test)]
mod tests {
    //! The page in a real browser: it is loaded from a file, moved about with real events, and read back.

    #![allow(clippy::unwrap_used)]

    use super::*;
    use host::{MemorySettings, PipeRecord, Program, Recording};
    use isa::asm::assemble;
    use isa::limits::INSTRUCTION_BYTES;
    use isa::{Activity, Config};
    use std::fs;
    use std::path::PathBuf;
    use std::process::Command;

    /// Names under which the browser may be installed.
    const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

    /// Set where a missing browser is a failure and not a remark.
    const NEED: &str = "QUADER_NEED_CHROMIUM";

    /// `mte2.load` and `mte3.store` in turn, `pairs` of each; every store waits for the load before it.
    fn ping_pong(pairs: usize) -> Timeline {
        let load = "mte2.load dst=l1[0] gm=b0[0] rows=1 len_bytes=8 gm_stride=8 dst_stride=8 wait mte3.1 set mte3.0\n";
        let store =
            "mte3.store gm=b1[0] src=l1[0] rows=1 len_bytes=8 gm_stride=8 src_stride=8 wait mte2.0 set mte2.1\n";
        let first = load.replace("wait mte3.1 ", "");
        let text = format!("{first}{store}{}end\n", format!("{load}{store}").repeat(pairs - 1));
        let instructions = assemble(&text, "test").expect("it is a program").program;
        let mut recording = Recording { cycles: 10 * pairs as u64 + 5, ..Recording::default() };
        let record = |from: u64, first: usize| PipeRecord {
            queued: (0..pairs as u64).map(|at| at / 2).collect(),
            started: (0..pairs)
                .map(|at| (10 * at as u64 + from, ((2 * at + first) * INSTRUCTION_BYTES) as u32))
                .collect(),
            done: (0..pairs as u64).map(|at| 10 * at + from + 3).collect(),
            early: vec![],
            activity: (0..pairs as u64)
                .flat_map(|at| [(10 * at, Activity::WaitFlag), (10 * at + from, Activity::Busy)])
                .collect(),
        };
        recording.pipes[0] = record(1, 0);
        recording.pipes[4] = record(6, 1);
        let program = Program::new(instructions, 0, vec![], vec![]).expect("it has an encoding");
        Timeline::new(&Config::tiny(), MemorySettings::default(), &program, recording, None)
    }

    /// Runs `script` behind the page and gives what it says as JSON; `None` without a browser.
    fn in_browser(name: &str, timeline: Timeline, script: &str) -> Option<Value> {
        let there = |name: &&&str| Command::new(name).arg("--version").output().is_ok_and(|said| said.status.success());
        let Some(browser) = BROWSERS.iter().find(there) else {
            assert!(std::env::var_os(NEED).is_none(), "{NEED} is set and there is no browser: install chromium");
            println!("no browser: the page was not looked at (Debian: `sudo apt install chromium`)");
            return None;
        };
        let folder: PathBuf = std::env::temp_dir().join(format!("quader-page-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the temporary folder is writable");
        let tools = include_str!("page_test.js");
        let page = page(&[timeline]).replace("</body>", &format!("<script>{tools}\n{{{script}}}</script></body>"));
        let file = folder.join("page.html");
        fs::write(&file, page).expect("the temporary folder is writable");
        let mut command = Command::new(browser);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.args(["--window-size=1300,900", "--virtual-time-budget=60000", "--dump-dom"]);
        command
            .arg(format!("--user-data-dir={}", folder.join("profile").display()))
            .arg(format!("file://{}", file.display()));
        let said = command.output().expect("the browser runs");
        let _ = fs::remove_dir_all(&folder);
        let dom = String::from_utf8_lossy(&said.stdout).into_owned();
        let (_, verdict) = dom.rsplit_once("<pre id=\"verdict\">").unwrap_or_else(|| panic!("no verdict in {dom}"));
        let verdict = verdict
            .split("</pre>")
            .next()
            .unwrap_or_default()
            .replace("&gt;", ">")
            .replace("&lt;", "<")
            .replace("&amp;", "&");
        Some(serde_json::from_str(&verdict).unwrap_or_else(|error| panic!("{error}: {verdict}")))
    }

    #[test]
    fn a_click_shows_the_instruction_and_what_it_waited_for() {
        let script = "
            painted('painted');
            click(span => span[PIPE] === 4, 7);
            say.details = $('details').textContent; say.selected = selected.span;
            const wide = view.to - view.from;
            wheel(-300, 600); say.zoomed = (view.to - view.from) / wide; say.held = cycleAt(600) - say.under;
            const from = view.from; press('ArrowRight'); say.moved = (view.from - from) / (view.to - view.from);
            press('n'); say.next = selected.span;
            press('p'); press('p'); say.before = selected.span;
            press('f'); say.fits = view.from <= run.spans[selected.span][STARTED] && view.to >= run.spans[selected.span][ENDED] && view.to - view.from < 100;
            press('0'); say.whole = view.from <= 0 && view.to >= run.cycles;
            $('search').value = '0x0'; $('search').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
            say.found = selected.span;
            const link = $('details').querySelector('a.go'); link.click(); say.followed = selected.span;
            press('Escape'); say.none = selected;
            verdict();";
        let Some(say) = in_browser("click", ping_pong(40), script) else { return };
        assert!(say["painted"].as_u64().unwrap() > 2_000, "something is drawn: {say}");
        let details = say["details"].as_str().unwrap();
        // Store 7 is instruction 15, waits for load 7, which is done in cycle 74; it started in 76, ready since 67.
        for wanted in [
            "mte3, instruction 15, pc 0x1e0",
            "mte3.store",
            "len_bytes",
            "started76",
            "mte2.0 -> mte3",
            "instruction 14",
            "waited 7 cycles for it",
        ] {
            assert!(details.contains(wanted), "{wanted} in {details}");
        }
        assert_eq!(say["selected"], 40 + 7);
        assert!(
            (say["zoomed"].as_f64().unwrap() - 0.5).abs() < 0.01 && say["held"].as_f64().unwrap().abs() < 0.01,
            "{say}"
        );
        assert!((say["moved"].as_f64().unwrap() - 0.2).abs() < 0.01, "{say}");
        assert_eq!((&say["next"], &say["before"]), (&json!(48), &json!(46)));
        assert_eq!((&say["fits"], &say["whole"]), (&json!(true), &json!(true)));
        // The first load waits for nothing, and the first store takes its flag.
        assert_eq!((&say["found"], &say["followed"], &say["none"]), (&json!(0), &json!(40), &Value::Null));
    }

    #[test]
    fn a_frame_of_a_hundred_thousand_instructions_costs_what_its_width_costs() {
        // Calls of the canvas are counted, not milliseconds: they do not depend on the machine.
        let script = "
            const frames = [];
            for (let i = 0; i < 40; i++) { zoom(.75, run.cycles * .6); frames.push(calls(draw)); }
            whole(); frames.push(calls(draw));
            say.most = Math.max(...frames); say.rows = rows.length; say.width = canvas.clientWidth; say.spans = run.spans.length;
            click(span => span[PIPE] === 0, 25000); say.details = $('details').textContent;
            verdict();";
        let Some(say) = in_browser("many", ping_pong(50_000), script) else { return };
        assert_eq!(say["spans"], 100_000);
        let [most, rows, width] = ["most", "rows", "width"].map(|key| say[key].as_u64().unwrap());
        assert!(most <= 2 * rows * width, "{most} calls for {rows} rows of {width} pixels");
        assert!(say["details"].as_str().unwrap().contains("mte2, instruction 50000"), "{say}");
    }
}
