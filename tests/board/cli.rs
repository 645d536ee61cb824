// SPDX-License-Identifier: Apache-2.0
//! `quader ... --backend uart`: the same commands and the same JSON, on a board.

use super::bench::Served;
use super::noise::Noise;
use crate::shell::Folder;
use fpga::board::Board;
use isa::Config;
use serde_json::Value;

fn json(path: &std::path::Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn commands_run_on_a_board_as_they_run_on_a_simulated_core() {
    let folder = Folder::new("board");
    let served = Served::new(Board::Ulx3s, &Config::tiny(), 8, Noise::new(9, 1));
    let line = format!("--config tiny --backend uart --port {} --baud 2400", served.path.display());
    let gemm = "gemm --m 9 --n 6 --k 12 --seed 3";
    let said = folder.quader(&format!("{gemm} --out board.npy --json board.json {line}")).good();
    assert!(said.contains("on tiny (uart)") && said.contains("all 54 elements equal the model"), "{said}");
    assert!(said.contains("s with the line"), "{said}");
    folder.quader(&format!("{gemm} --out model.npy --json model.json --config tiny --backend model")).good();
    let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
    assert_eq!(read("board.npy"), read("model.npy"));
    let (board, model) = (json(&folder.path("board.json")), json(&folder.path("model.json")));
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&board), keys(&model));
    assert_eq!(board["backend"], "uart");
    assert!(board["cycles"].as_u64().unwrap() > 100);
    assert_eq!(board["counters"]["useful_macs"], 9 * 6 * 12);

    let said = folder.quader(&format!("conv --h 4 --w 4 --cin 3 --cout 5 --kh 3 --kw 3 --pad 1 {line}")).good();
    assert!(said.contains("all 80 elements equal the model"), "{said}");

    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    folder.quader(&format!("run {examples}/hello.qasm --mem {examples}/hello.txt --out hello-board.txt {line}")).good();
    folder
        .quader(&format!(
            "run {examples}/hello.qasm --mem {examples}/hello.txt --out hello.txt --config tiny --backend model"
        ))
        .good();
    assert_eq!(read("hello-board.txt"), read("hello.txt"));

    let said = folder.quader(&format!("demo {line}")).good();
    assert!(said.contains("on the board with the core tiny") && said.contains("bit for bit the model's"), "{said}");
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/qlinearconv");
    let said = folder.quader(&format!("onnx-node {examples} {line}")).good();
    assert!(said.contains("(uart)") && said.contains("elements equal output_0.pb"), "{said}");

    folder.refuses(&format!("{gemm} {}", line.replace("tiny", "lite")), "say --config tiny");
    served.off();
}

#[test]
fn lines_without_a_board_and_boards_without_a_line_are_refused() {
    let folder = Folder::new("board-refused");
    let gemm = "gemm --m 2 --n 2 --k 2";
    folder.refuses(&format!("{gemm} --backend uart"), "needs --port");
    folder.refuses(&format!("{gemm} --port /dev/ttyUSB0"), "needs --backend uart");
    folder.refuses(&format!("{gemm} --baud 9600 --backend model"), "needs --backend uart");
    folder.refuses(&format!("{gemm} --backend uart --port /dev/ttyNothing"), "there is no port /dev/ttyNothing");
    folder.refuses(&format!("{gemm} --backend uart --port /dev/x --baud 0"), "--baud is 0");
    folder.refuses(&format!("{gemm} --backend uart --port /dev/x --stall 0.5"), "a board has a memory of its own");
    folder.refuses(&format!("trace {gemm} --backend uart --port /dev/x"), "does not show every cycle");
}
