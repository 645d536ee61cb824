// SPDX-License-Identifier: Apache-2.0
//! Building: the cache, builds at once in threads and processes, refusals, missing tools, lint, the report.

use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use verilated::place::Places;
use verilated::{Build, Error, Lint, Reset, Vpi, tool};

/// A module name that no other run used, so that its first build is a real one.
fn fresh(what: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
    format!("{what}_{}_{now}", std::process::id())
}

fn inverter(top: &str) -> Build {
    Build::new(top).text("top.v", format!("module {top}(input a, output q); assign q = ~a; endmodule")).cycles_hint(1)
}

/// How often `top` was really built, from the cache's own list.
fn builds(top: &str) -> usize {
    let log = std::fs::read_to_string(Places::from_env().cache.join("builds.log")).unwrap_or_default();
    log.lines().filter(|line| line.starts_with(&format!("{top}-"))).count()
}

fn temporary(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(fresh(name));
    std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
    folder
}

#[test]
fn the_same_content_is_built_once_and_any_change_again() -> verilated::Result<()> {
    let top = fresh("once");
    let first = inverter(&top).build()?;
    let library = first.info().folder.join("libdut.so");
    let written = std::fs::metadata(&library).and_then(|meta| meta.modified()).expect("it is there");
    let second = inverter(&top).build()?;
    assert!(first.info().built && !second.info().built);
    assert_eq!(std::fs::metadata(&library).and_then(|meta| meta.modified()).expect("still there"), written);
    assert_eq!(builds(&top), 1);
    let other = inverter(&top).assertions().build()?;
    assert_ne!(other.info().folder, first.info().folder);
    assert_eq!(builds(&top), 2);
    println!("warm build: {:.1} ms", second.info().seconds * 1e3);
    for model in [first, other] {
        std::fs::remove_dir_all(&model.info().folder).expect("removable");
    }
    Ok(())
}

#[test]
fn a_program_brings_its_own_main_and_is_built_once_for_each() -> verilated::Result<()> {
    let top = fresh("program");
    let main = |text: &str| Vpi {
        main: format!(
            r#"#include "Vinverter.h"
            #include <cstdio>
            #include <vpi_user.h>
            int main() {{
                Vinverter model;
                model.a = 0;
                model.eval();
                s_vpi_vlog_info info;
                vpi_get_vlog_info(&info);
                std::printf("{text} %d %s", model.q, info.product);
            }}"#
        ),
        prefix: "Vinverter".into(),
        link: vec![],
    };
    for (text, count) in [("first", 1), ("first", 1), ("second", 2)] {
        let program = inverter(&top).program(&main(text))?;
        assert_eq!(builds(&top), count);
        let output = Command::new(&program).output().expect("it is a program");
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{text} 1 Verilator"));
    }
    inverter(&top).build()?;
    assert_eq!(builds(&top), 3, "the library is another entry");
    for text in ["first", "second"] {
        let program = inverter(&top).program(&main(text))?;
        std::fs::remove_dir_all(program.parent().expect("it is in its entry")).expect("removable");
    }
    Ok(())
}

#[test]
fn threads_that_want_the_same_model_build_it_once() {
    let top = fresh("threads");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| drop(inverter(&top).build().expect("built").instance(Reset::Zeros).expect("made")));
        }
    });
    assert_eq!(builds(&top), 1);
    std::fs::remove_dir_all(&inverter(&top).build().expect("cached").info().folder).expect("removable");
}

const CHILD_TOP: &str = "VERILATED_TEST_CHILD_TOP";

#[test]
#[ignore = "run by processes_that_want_the_same_model_build_it_once, as its own process"]
fn child_process_builds() {
    let top = std::env::var(CHILD_TOP).expect("set by the parent");
    let model = inverter(&top).build().expect("built");
    let mut dut = model.instance(Reset::Zeros).expect("made");
    dut.eval().expect("evaluated");
    assert_eq!(dut.get(dut.port("q").expect("declared")), 1);
}

#[test]
fn processes_that_want_the_same_model_build_it_once() {
    let top = fresh("processes");
    let program = std::env::current_exe().expect("a test has a program");
    let child = || {
        Command::new(&program)
            .args(["--exact", "child_process_builds", "--ignored", "--nocapture"])
            .env(CHILD_TOP, &top)
            .env("VERILATED_CACHE", Places::from_env().cache)
            .spawn()
            .expect("it starts")
    };
    let children = [child(), child(), child()];
    for mut child in children {
        assert!(child.wait().expect("it ends").success());
    }
    assert_eq!(builds(&top), 1);
    std::fs::remove_dir_all(&inverter(&top).build().expect("cached").info().folder).expect("removable");
}

#[test]
fn a_refused_design_is_told_with_its_line_and_is_refused_again() {
    let top = fresh("refused");
    let broken = || {
        Build::new(&top)
            .text("broken.v", format!("module {top}(input a, output q);\n assign q = a +;\nendmodule"))
            .build()
    };
    for _ in 0..2 {
        let error = broken().expect_err("a syntax error");
        let Error::Tool { step, folder, output, command, .. } = &error else { panic!("{error}") };
        assert_eq!(*step, "Verilator");
        assert!(output.contains("broken.v:2:"), "{output}");
        assert!(folder.join("broken.v").is_file(), "the inputs are kept");
        assert!(command.contains("--top-module") && command.contains("VERILATOR_ROOT="));
    }
    assert_eq!(builds(&top), 0);
}

#[test]
fn a_build_that_was_killed_leaves_nothing_that_counts() -> verilated::Result<()> {
    let top = fresh("killed");
    let model = inverter(&top).build()?;
    let folder = model.info().folder.clone();
    // The state in which a killed build leaves the cache: a partial folder and no entry.
    let partial = folder.with_file_name(format!("{}.partial", folder.file_name().expect("named").to_string_lossy()));
    std::fs::rename(&folder, &partial).expect("renamed");
    // A new file: the old one is mapped into this process.
    std::fs::remove_file(partial.join("libdut.so")).expect("removable");
    std::fs::write(partial.join("libdut.so"), "half a library").expect("written");
    let again = inverter(&top).build()?;
    assert!(again.info().built && !partial.exists());
    std::fs::remove_dir_all(folder).expect("removable");
    Ok(())
}

#[test]
fn parameters_of_the_top_module_can_be_set() -> verilated::Result<()> {
    let text = "module sized #(parameter W = 4) (input [W-1:0] a, output [W-1:0] q); assign q = a; endmodule";
    let bits = |width: u32| {
        let model =
            Build::new("sized").text("sized.v", text).parameter("W", width).cycles_hint(1).build().expect("built");
        model.port("q").expect("declared").bits()
    };
    assert_eq!((bits(20), bits(100)), (20, 100));
    Ok(())
}

#[test]
fn bad_sources_and_unpacked_ports_are_refused_with_a_sentence() {
    let refused = |build: Build| build.build().expect_err("refused").to_string();
    assert!(refused(Build::new("empty")).contains("there are none"));
    assert!(refused(Build::new("x; rm").text("a.v", "")).contains("identifier"));
    assert!(refused(Build::new("t").text("../a.v", "")).contains("not a plain file name"));
    assert!(refused(Build::new("t").text("a.v", "").text("a.v", "")).contains("two sources"));
    let unpacked = "module unpacked(input [7:0] arr [0:3], output q); assign q = arr[0][0]; endmodule";
    let error = refused(Build::new("unpacked").text("unpacked.sv", unpacked));
    assert!(error.contains("not a packed vector") && error.contains("arr"), "{error}");
}

#[test]
fn a_missing_compiler_and_an_unusable_root_are_told_with_what_to_do() {
    let mut places = Places::from_env();
    places.compilers = vec!["no-such-compiler-anywhere".to_owned()];
    let error = inverter("x").places(places).build().expect_err("no compiler");
    assert!(matches!(error, Error::NoCompiler { .. }) && error.to_string().contains("apt install g++"), "{error}");

    let mut places = Places::from_env();
    places.verilator_root = Some(PathBuf::from("/nowhere/verilator"));
    places.path = "/nowhere".into();
    places.compilers = vec!["/usr/bin/c++".to_owned()];
    let error = tool::Tool::find_in(&places).expect_err("no such folder");
    assert!(matches!(error, Error::BadVerilator { .. }) && error.to_string().contains("VERILATOR_ROOT"), "{error}");
}

#[test]
fn without_python_and_without_verilator_the_error_says_what_to_install() {
    let folder = temporary("nothing");
    let mut places = Places::from_env();
    places.verilator_root = None;
    places.tools = folder.clone();
    places.path = "/nowhere".into();
    let text = tool::Tool::find_in(&places).expect_err("nothing there").to_string();
    for part in ["apt install verilator", "python3-venv", "VERILATOR_ROOT", "search path"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let report = tool::report_of(&places);
    assert!(!report.is_ready());
    std::fs::remove_dir_all(folder).expect("removable");
}

/// A program on a search path of its own that answers like the real one, but says `version`.
#[cfg(unix)]
fn search_path_with(version: &str) -> (PathBuf, Places) {
    use std::os::unix::fs::PermissionsExt as _;
    let real = tool::Tool::find().expect("the tests need one");
    let folder = temporary("path");
    let script = folder.join("verilator_bin");
    let text = format!(
        "#!/bin/sh\ncase $1 in --getenv) echo '{0}';; --version) echo '{version}';; *) VERILATOR_ROOT='{0}' exec '{1}' \"$@\";; esac\n",
        real.root.display(),
        real.program.display()
    );
    std::fs::write(&script, text).expect("written");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("made executable");
    let mut places = Places::from_env();
    places.verilator_root = None;
    places.tools = folder.join("tools");
    places.pythons = Vec::new();
    let usual = std::env::var_os("PATH").expect("there is one");
    places.path =
        std::env::join_paths(std::iter::once(folder.clone()).chain(std::env::split_paths(&usual))).expect("joined");
    (folder, places)
}

#[cfg(unix)]
#[test]
fn without_python_a_verilator_on_the_search_path_serves_if_it_is_new_enough() -> verilated::Result<()> {
    let (folder, places) = search_path_with("Verilator 5.006 2023-01-22");
    let found = tool::Tool::find_in(&places)?;
    assert_eq!((found.origin, found.version.as_str()), (tool::Origin::SearchPath, "5.006"));
    let top = fresh("fallback");
    let model = inverter(&top).places(places).build()?;
    assert!(model.info().built);
    std::fs::remove_dir_all(&model.info().folder).expect("removable");
    std::fs::remove_dir_all(folder).expect("removable");

    let (folder, places) = search_path_with("Verilator 4.038 2020-07-11");
    let text = tool::Tool::find_in(&places).expect_err("too old").to_string();
    assert!(text.contains("4.038; 5.006 or later is needed") && text.contains("no python3"), "{text}");
    std::fs::remove_dir_all(folder).expect("removable");
    Ok(())
}

#[test]
fn the_report_names_every_tool_the_cache_and_its_size() {
    inverter("reported").build().expect("built");
    let report = tool::report();
    let names: Vec<&str> = report.tools.iter().map(|tool| tool.name).collect();
    assert_eq!(names, ["Verilator", "C++ compiler", "Python"]);
    assert!(report.is_ready(), "{report}");
    assert!(report.cache.entries >= 2 && report.cache.bytes > 10_000, "{report}");
    assert!(report.to_string().contains(&report.cache.folder.display().to_string()));
    println!("{report}");
}

#[test]
fn lint_finds_a_width_problem_and_a_waiver_silences_it() -> verilated::Result<()> {
    let text = "module narrow(input clk, input [7:0] a, output reg [3:0] q, output p);\n always @(posedge clk) q <= a;\n assign p = ^a;\nendmodule\n";
    let lint = Lint::new("narrow").text("narrow.v", text);
    let messages = lint.run()?;
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].rule.starts_with("WIDTH") && messages[0].place.starts_with("narrow.v:2:"), "{}", messages[0]);
    assert!(!messages[0].is_error && messages[0].text.contains("8 bits"));
    assert_eq!(lint.clone().waivers("lint_off -rule WIDTH -file \"*narrow.v\"\n").run()?, []);
    let clean = Lint::new("clean").text("clean.v", "module clean(input a, output q);\n assign q = ~a;\nendmodule\n");
    assert_eq!(clean.run()?, []);
    Ok(())
}

#[test]
fn lint_reports_errors_of_the_design_as_messages() -> verilated::Result<()> {
    let messages =
        Lint::new("bad").text("bad.v", "module bad(input a, output q); assign q = nosuch(a); endmodule\n").run()?;
    assert!(messages.iter().any(|message| message.is_error && message.place.starts_with("bad.v:1:")), "{messages:?}");
    Ok(())
}
