// SPDX-License-Identifier: Apache-2.0
//! The table of performance: `docs/performance.json` holds what the simulated core does, and the page is made of it.

mod shell;

use serde_json::Value;
use shell::Folder;
use std::fs;
use std::path::Path;

/// Rows that took at most so many cycles are run again by every test run; `quader bench --check` runs all.
const MOST: &str = "11000";

fn docs() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs"))
}

fn committed() -> Value {
    let text = fs::read_to_string(docs().join("performance.json")).expect("it is in the tree");
    serde_json::from_str(&text).expect("it is JSON")
}

#[test]
fn short_rows_take_the_cycles_of_the_page() {
    let folder = Folder::new("bench-check");
    let docs = docs().display().to_string();
    let groups = "hot cold gemv resnet-8 ds-cnn mobilenet";
    let said = folder.quader(&format!("bench {groups} --check --most {MOST} --out {docs}")).good();
    assert!(said.contains(" 0 with other cycles"), "{said}");
}

#[test]
fn another_count_is_told_and_fails() {
    let folder = Folder::new("bench-other");
    let mut figures = committed();
    figures["hot"]["32^3"]["cycles"] = 1.into();
    fs::write(folder.path("performance.json"), figures.to_string()).expect("the folder is writable");
    let fails = |arguments: &str| {
        let ended = folder.quader(arguments);
        assert_eq!(ended.status(), 1, "{arguments}: {}", ended.stdout());
        ended.stderr()
    };
    let wrong = fails("bench hot --check --most 200 --out .");
    assert!(wrong.contains("hot 32^3: ") && wrong.contains(" cycles, before 1;"), "{wrong}");
    figures["hot"].as_object_mut().expect("a group").remove("32^3");
    fs::write(folder.path("performance.json"), figures.to_string()).expect("the folder is writable");
    let missing = fails("bench hot --check --out .");
    assert!(missing.contains("has no `32^3` in `hot`: make it anew with `quader bench`"), "{missing}");
}

/// Every row of the file stands on the page with its cycles, and no other.
#[test]
fn the_page_is_that_of_the_figures() {
    let page = fs::read_to_string(docs().join("performance.md")).expect("it is in the tree");
    let mut rows = 0;
    for (group, figures) in committed().as_object().expect("groups") {
        let section = page.split("\n## ").find(|section| section.contains(&format!("`quader bench {group}`")));
        let section = section.unwrap_or_else(|| panic!("{group} stands on the page"));
        for (name, row) in figures.as_object().expect("rows") {
            let cycles = row["cycles"].as_u64().expect("a number").to_string();
            let line = section.lines().find(|line| line.starts_with(&format!("| {name} |")));
            let told = line.unwrap_or_else(|| panic!("{group} {name} stands on the page")).split('|').nth(2);
            assert_eq!(told.expect("a column").trim().replace(',', ""), cycles, "{group} {name}");
            rows += 1;
        }
    }
    let lines = page.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() == 11);
    assert_eq!(lines.filter(|line| !line.starts_with("| work |")).count(), rows);
}
