// SPDX-License-Identifier: Apache-2.0
//! Nodes of ONNX on the core: ONNX's own node tests, and nodes that ONNX Runtime and `onnx.reference` computed.
//!
//! `quader onnx-node` runs them, so that the program is tested as it is used; what it refuses stands in `tests/cli_onnx.rs`.

mod shell;

use fpga::Onnx;
use serde_json::Value;
use shell::Folder;
use std::fs;
use std::path::{Path, PathBuf};

/// The operators, by the beginnings of the vectors' names, and how many vectors each has.
const VECTORS: [(&str, usize); 6] = [
    ("matmulinteger_", 23),
    ("qlinearmatmul_", 21),
    ("convinteger_", 17),
    ("qlinearconv_", 21),
    ("qlinearglobalaveragepool_", 5),
    ("qlinearaveragepool_", 6),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folders in a folder, by name.
fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).expect("it was made").flatten().map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// Runs nodes on a core, prints each with its result, and gives what JSON tells of them.
fn run(folder: &Folder, nodes: &[PathBuf], on: &str) -> Vec<Value> {
    let words: Vec<String> = nodes.iter().map(|path| path.display().to_string()).collect();
    let told = folder.quader(&format!("onnx-node {} {on} --json figures.json", words.join(" ")));
    let figures = fs::read(folder.path("figures.json")).unwrap_or_else(|_| panic!("{on}: {}", told.stderr()));
    let figures: Value = serde_json::from_slice(&figures).expect("JSON");
    let nodes = figures["nodes"].as_array().expect("a list").clone();
    for node in &nodes {
        let verdict = if node["mismatches"] == 0 { "right" } else { "WRONG" };
        let cycles = node["cycles"].as_u64().map_or(String::new(), |cycles| format!(", {cycles} cycles"));
        println!("{on}: {}: {verdict}, {} elements{cycles}", node["name"], node["elements"]);
    }
    told.good();
    nodes
}

/// Runs nodes on the model and on both simulated cores; every one has to be right everywhere.
fn everywhere(folder: &Folder, nodes: &[PathBuf]) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for on in ["--backend model", "--config tiny --stall 0.1", "--config lite"] {
        let figures = run(folder, nodes, on);
        assert!(figures.iter().all(|node| node["mismatches"] == 0 && node["elements"].as_u64() > Some(0)), "{on}");
        names = figures.iter().filter_map(|node| Some(node["name"].as_str()?.to_owned())).collect();
        assert_eq!(names.len(), nodes.len(), "{on}");
    }
    names
}

/// All node tests of the package `onnx` for the four operators, each of which stands in the table of `docs/onnx.md`.
#[test]
fn node_tests_of_onnx_pass() {
    let folder = Folder::new("onnx-nodes");
    let onnx = Onnx::find().unwrap_or_else(|error| panic!("{error}"));
    let out = folder.path("nodes");
    let script = root().join("tests/onnx/nodes.py");
    let said = onnx.script(&script, &[out.display().to_string()]).unwrap_or_else(|error| panic!("{error}"));
    let names = everywhere(&folder, &folders(&out));
    let mut told: Vec<&str> = said.lines().collect();
    told.sort_unstable();
    assert_eq!(names, told);
    let page = fs::read_to_string(root().join("docs/onnx.md")).expect("the page is there");
    let mut listed: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.starts_with("test_"))
        .collect();
    listed.sort_unstable();
    assert_eq!(names, listed, "the table of docs/onnx.md");
}

/// The vectors of `tests/onnx/vectors.py`: every one on the model, on `tiny` and on `lite`.
#[test]
fn nodes_that_onnx_runtime_computed_are_right() {
    let folder = Folder::new("onnx-vectors");
    let out = folder.path("vectors");
    unzip(&root().join("tests/onnx/vectors.zip"), &out);
    let names = everywhere(&folder, &folders(&out));
    for (operator, count) in VECTORS {
        assert_eq!(names.iter().filter(|name| name.starts_with(operator)).count(), count, "{operator}");
    }
    assert_eq!(names.len(), VECTORS.iter().map(|(_, count)| count).sum::<usize>());
}

/// The zip of the vectors is not compressed: its local headers with the files behind them, one after the other.
fn unzip(zip: &Path, out: &Path) {
    let bytes = fs::read(zip).expect("it is in the tree");
    let number =
        |at: usize, size: usize| bytes[at..at + size].iter().rev().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
    let mut at = 0;
    while bytes[at..].starts_with(b"PK\x03\x04") {
        assert_eq!(number(at + 8, 2), 0, "no compression");
        let (size, name_size, extra) = (number(at + 18, 4), number(at + 26, 2), number(at + 28, 2));
        let name = std::str::from_utf8(&bytes[at + 30..at + 30 + name_size]).expect("names are plain");
        let path = out.join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("the temporary folder is writable");
        at += 30 + name_size + extra;
        fs::write(path, &bytes[at..at + size]).expect("the temporary folder is writable");
        at += size;
    }
    assert!(at > 0 && bytes[at..].starts_with(b"PK\x01\x02"), "the list of files follows the files");
}
