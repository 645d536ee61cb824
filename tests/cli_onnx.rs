// SPDX-License-Identifier: Apache-2.0
//! `quader onnx-node` from outside: what it prints, writes and refuses. That its answers are right is claimed in `tests/onnx.rs`.

mod shell;

use serde_json::Value;
use shell::Folder;
use std::fs;
use std::path::Path;

/// A copy of the example in the folder, as `node`.
fn example(folder: &Folder) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/qlinearconv");
    fs::create_dir_all(folder.path("node/test_data_set_0")).expect("the temporary folder is writable");
    let data = fs::read_dir(from.join("test_data_set_0")).expect("it is in the tree").flatten();
    let data = data.map(|entry| format!("test_data_set_0/{}", entry.file_name().to_string_lossy()));
    for name in data.chain(["model.onnx".to_owned()]) {
        fs::copy(from.join(&name), folder.path("node").join(&name)).expect("the temporary folder is writable");
    }
}

#[test]
fn one_node_is_told_in_full_and_several_in_a_table() {
    let folder = Folder::new("onnx-told");
    example(&folder);
    let text = folder.quader("onnx-node node --config tiny").good();
    assert!(text.starts_with("node on tiny (rtl), seed 1\n"), "{text}");
    assert!(
        text.contains(
            "y[1, 6, 8, 8] int8 = QLinearConv + Relu(x[1, 5, 8, 8] int8, w[6, 5, 3, 3] int8, pads [1, 1, 1, 1])"
        ),
        "{text}"
    );
    assert!(text.contains("where the cycles went") && text.contains("all 384 elements equal output_0.pb"), "{text}");
    let text = folder.quader("onnx-node node node --backend model").good();
    let rows: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with("node ")).collect();
    assert_eq!(rows.len(), 3, "{text}");
    assert_eq!(
        rows[1].split_whitespace().collect::<Vec<_>>(),
        ["node", "QLinearConv", "+", "Relu", "384", "0", "1", "-"]
    );
    assert!(text.contains("all 768 elements equal the nodes' output_0.pb"), "{text}");
}

#[test]
fn figures_are_json() {
    let folder = Folder::new("onnx-json");
    example(&folder);
    let json = folder.quader("onnx-node node --backend model --json -").json();
    let node = &json["nodes"][0];
    assert_eq!((&node["name"], &node["operator"]), (&"node".into(), &"QLinearConv + Relu".into()));
    assert_eq!(node["macs"], 8 * 8 * 6 * 5 * 9);
    assert_eq!((&node["elements"], &node["programs"], &node["cycles"]), (&384.into(), &1.into(), &Value::Null));
    assert_eq!((&json["mismatches"], &json["backend"]), (&0.into(), &"model".into()));
    assert!(json["counters"]["useful_macs"].as_u64() > Some(0), "{json}");
}

/// The last byte of an output is its last element.
#[test]
fn a_wrong_element_is_named_and_ends_with_status_1() {
    let folder = Folder::new("onnx-wrong");
    example(&folder);
    let path = folder.path("node/test_data_set_0/output_0.pb");
    let mut bytes = fs::read(&path).expect("it is there");
    *bytes.last_mut().expect("it has bytes") ^= 1;
    fs::write(path, bytes).expect("the temporary folder is writable");
    let ended = folder.quader("onnx-node node --backend model --json figures.json");
    assert_eq!(ended.status(), 1, "{}", ended.stderr());
    assert!(
        ended.stderr().contains("node: 1 of 384 elements are wrong: y[0, 5, 7, 7]: expected "),
        "{}",
        ended.stderr()
    );
    let figures: Value =
        serde_json::from_slice(&fs::read(folder.path("figures.json")).expect("written")).expect("JSON");
    assert_eq!((&figures["mismatches"], &figures["nodes"][0]["mismatches"]), (&1.into(), &1.into()));
}

#[test]
fn folders_that_are_no_node_tests_are_refused() {
    let folder = Folder::new("onnx-refused");
    example(&folder);
    folder.refuses("onnx-node", "DIR");
    folder.refuses("onnx-node absent", "absent is not a folder");
    folder.refuses("onnx-node .", "has no model.onnx");
    folder.refuses("onnx-node node --backend model --stall 0.1", "--backend rtl");
    let whole = |name: &str| fs::read(folder.path(name)).expect("it is there");
    let model = whole("node/model.onnx");
    let with = |name: &str, bytes: &[u8], wanted: &str| {
        let before = whole(name);
        folder.write(name, bytes);
        folder.refuses("onnx-node node --json f.json", wanted);
        folder.write(name, before);
    };
    let output = "node/test_data_set_0/output_0.pb";
    with("node/model.onnx", &model[..model.len() / 2], "model.onnx is not a model of ONNX");
    with("node/model.onnx", b"", "it has 0 outputs");
    with("node/test_data_set_0/input_1.pb", &whole(output)[..40], "input_1.pb is not a tensor of ONNX");
    with(
        output,
        &whole("node/test_data_set_0/input_0.pb"),
        "output_0.pb is [1, 5, 8, 8] int8, and the model gives y[1, 6, 8, 8] int8",
    );
    fs::remove_file(folder.path("node/test_data_set_0/input_1.pb")).expect("it was there");
    folder.refuses("onnx-node node", "inputs and no input_1.pb");
    fs::remove_file(folder.path(output)).expect("it was there");
    fs::remove_file(folder.path("node/test_data_set_0/input_2.pb")).expect("it was there");
    fs::remove_file(folder.path("node/test_data_set_0/input_3.pb")).expect("it was there");
    folder.refuses("onnx-node node", "has no output_0.pb");
    fs::remove_dir_all(folder.path("node/test_data_set_0")).expect("it was there");
    folder.refuses("onnx-node node", "node has no test_data_set_0");
}
