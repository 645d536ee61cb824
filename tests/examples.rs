// SPDX-License-Identifier: Apache-2.0
//! The examples run, and do what they say.

#[allow(dead_code)]
#[path = "../examples/gemm.rs"]
mod gemm;
#[allow(dead_code)]
#[path = "../examples/testbench.rs"]
mod testbench;

use isa::Config;
use std::path::Path;
use std::process::Command;
use verilated::wave::Wave;

#[test]
fn the_gemm_example_gives_the_same_bits_on_hardware_and_model() {
    let c = gemm::run(&Config::tiny()).expect("it runs");
    assert_eq!(c.len(), 20 * 12);
    assert!(c.iter().all(|&value| (-3..=127).contains(&value)), "ReLU at the zero point -3");
    assert!(c.iter().any(|&value| value > 0));
}

#[test]
fn the_testbench_example_checks_and_writes_a_waveform() {
    assert!(testbench::check(1000) > 20);
    let wave = std::env::temp_dir().join(format!("quader-peak-{}.vcd", std::process::id()));
    let text = testbench::record(&wave).expect("it runs");
    assert!(text.contains("module peak"));
    let read = Wave::read(&wave).expect("it is complete VCD");
    std::fs::remove_file(&wave).expect("removable");
    let largest = read.signals().iter().find(|signal| signal.path.ends_with("largest")).expect("the output is in it");
    assert!(largest.changes.len() > 10, "{} changes", largest.changes.len());
}

#[test]
fn hello_puts_the_text_in_order_on_both_backends() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for backend in ["rtl", "model"] {
        let out = std::env::temp_dir().join(format!("quader-hello-{backend}-{}.txt", std::process::id()));
        let ended = Command::new(env!("CARGO_BIN_EXE_quader"))
            .arg("run")
            .arg(root.join("hello.qasm"))
            .arg("--mem")
            .arg(root.join("hello.txt"))
            .arg("--out")
            .arg(&out)
            .args(["--backend", backend, "--config", "tiny"])
            .output()
            .expect("the program is there");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        let text = std::fs::read_to_string(&out).expect("the image is a text");
        std::fs::remove_file(&out).expect("removable");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[23..], ["Hello!_This_text", "was_put_in_order", "by_a_real_matrix", "product:_C_=_A_B"]);
        let before = std::fs::read_to_string(root.join("hello.txt")).expect("it is a text");
        assert_eq!(lines[..23], before.lines().collect::<Vec<_>>()[..23], "nothing else changed");
    }
}
