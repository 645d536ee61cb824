// SPDX-License-Identifier: Apache-2.0
//! The command line from outside: what it prints, writes and refuses, and how it ends.

mod shell;

use serde_json::Value;
use shell::{Ended, Folder, npy, npy_data};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn help_version_and_completions() {
    let folder = Folder::new("help");
    let help = folder.quader("--help").good();
    let commands = [
        "demo",
        "gemm",
        "conv",
        "onnx-node",
        "asm",
        "disasm",
        "check",
        "run",
        "step",
        "trace",
        "verilog",
        "info",
        "doctor",
        "completions",
    ];
    for command in commands {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is listed");
        assert!(folder.quader(&format!("{command} --help")).good().contains("Usage: quader"), "{command}");
    }
    assert!(help.contains("Examples:") && help.contains("Exit status"));
    assert_eq!(folder.quader("--version").good(), format!("quader {}\n", env!("CARGO_PKG_VERSION")));
    for shell in ["bash", "zsh", "fish"] {
        let script = folder.quader(&format!("completions {shell}")).good();
        assert!(commands.iter().all(|command| script.contains(command)), "{shell}");
    }
}

#[test]
fn bad_words_on_the_command_line_are_refused() {
    let folder = Folder::new("words");
    folder.refuses("frobnicate", "frobnicate");
    folder.refuses("gemm --m 4 --n 4 --k 4 --config huge", "tiny, lite, max");
    folder.refuses("gemm --m 4 --n 4 --k 4 --backend fpga", "rtl, model");
    folder.refuses("gemm --m -4 --n 4 --k 4", "-4");
    folder.refuses("gemm --m 4.5 --n 4 --k 4", "4.5");
    folder.refuses("gemm --m 4 --n 4 --k 4 --dtype s4s4", "s8s8");
    folder.refuses("gemm --m 4 --n 4 --k 4 --clamp 5", "two integers");
    folder.refuses("run", "PROGRAM");
    folder.refuses("verilog --config tiny", "--out");
    folder.refuses("completions tcsh", "bash");
}

#[test]
fn shapes_and_settings_that_cannot_be_are_refused() {
    let folder = Folder::new("shapes");
    folder.refuses("gemm --m 0 --n 4 --k 4 --out C.npy --json F.json", "at least 1");
    folder.refuses("gemm --m 4 --n 4 --out C.npy", "k is not known");
    folder.refuses("gemm --m 1000000 --n 1000000 --k 1000000 --out C.npy", "at most");
    folder.refuses("gemm --m 100000 --n 100000 --k 4 --out C.npy", "at most");
    folder.refuses("gemm --m 99999999999999999999 --n 4 --k 4", "99999999999999999999");
    folder.refuses("gemm --m 4 --n 4 --k 4 --out-dtype i8 --out C.npy", "--scale");
    folder.refuses("gemm --m 4 --n 4 --k 4 --scale 0.5 --out C.npy", "--out-dtype");
    folder.refuses("gemm --m 4 --n 4 --k 4 --out-dtype i8 --scale nan --out C.npy", "finite");
    folder.refuses("gemm --m 4 --n 4 --k 4 --out-dtype i8 --scale -1 --out C.npy", "positive");
    folder.refuses("gemm --m 4 --n 4 --k 4 --out-dtype i8 --scale absent.npy", "neither a number nor a file");
    folder.refuses("gemm --m 4 --n 4 --k 4 --out-dtype f32 --out C.npy", "--scale");
    folder.refuses("gemm --m 4 --n 4 --k 4 --out-dtype f32 --scale 0.5 --clamp 0,6 --out C.npy", "cannot be clamped");
    folder.refuses("gemm --m 4 --n 4 --k 4 --out-dtype f32 --scale 0.5 --zero-point-out 1", "--zero-point-out");
    folder.refuses("gemm --m 4 --n 4 --k 4 --out-dtype f32 --scale 0.5 --rounding tflite", "--rounding");
    folder.refuses("gemm --m 4 --n 4 --k 4 --rounding gemmlowp", "--rounding");
    folder.refuses("gemm --m 4 --n 4 --k 4 --out-dtype i8 --rounding nearest --scale 1", "gemmlowp");
    folder.refuses("gemm --m 4 --n 4 --k 4 --out-dtype i8 --rounding tflite --scale -1", "above 0");
    folder.refuses("gemm --m 4 --n 4 --k 4 --out-dtype i8 --rounding tflite --scale 2e9", "below 2^30");
    folder.refuses("gemm --m 4 --n 4 --k 4 --zero-point-a 200", "zero point 200");
    folder.refuses("gemm --m 4 --n 4 --k 4 --stall 1", "0 to 0.99");
    folder.refuses("gemm --m 4 --n 4 --k 4 --mem-latency 0", "at least 1");
    folder.refuses("gemm --m 4 --n 4 --k 4 --mem-bytes-per-cycle 0", "above 0");
    folder.refuses("gemm --m 4 --n 4 --k 4 --backend model --wave w.vcd", "--backend rtl");
    folder.refuses("gemm --m 4 --n 4 --k 4 --backend model --stall 0.1", "--backend rtl");
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let folder = Folder::new("files");
    folder.write("a.npy", npy("|i1", false, "(2, 3)", &[1, 2, 3, 4, 5, 6]));
    folder.write("b.npy", npy("|i1", false, "(4, 2)", &[0; 8]));
    folder.write("float.npy", npy("<f8", false, "(2, 3)", &[0; 48]));
    folder.write("cut.npy", &npy("|i1", false, "(2, 3)", &[1, 2, 3, 4, 5, 6])[..130]);
    folder.write("liar.npy", npy("|i1", false, "(1099511627776, 1024)", &[0; 6]));
    folder.write("text.npy", "1 2 3\n4 5 6\n");
    folder.write("bias.npy", npy("<i4", false, "(3,)", &[0; 12]));
    folder.refuses("gemm --a a.npy --b b.npy --out C.npy", "k is 3 by a.npy and 4 by b.npy");
    folder.refuses("gemm --a a.npy --n 4 --m 7 --out C.npy", "m is 7 by --m and 2 by a.npy");
    folder.refuses("gemm --a a.npy --n 4 --dtype u8s8 --out C.npy", "--dtype asks for A in u8");
    folder.refuses("gemm --a float.npy --n 4 --out C.npy", "float64");
    folder.refuses("gemm --a cut.npy --n 4 --out C.npy", "truncated");
    folder.refuses("gemm --a liar.npy --n 4 --out C.npy", "truncated");
    folder.refuses("gemm --a text.npy --n 4 --out C.npy", "not a file of numpy.save");
    folder.refuses("gemm --a absent.npy --n 4 --out C.npy", "cannot read absent.npy");
    folder.refuses("gemm --a a.npy --n 4 --bias bias.npy --out C.npy", "bias has 3 elements");
    folder.refuses("gemm --a a.npy --n 4 --bias a.npy --out C.npy", "one dimension");
    folder.refuses("gemm --a a.npy --n 4 --out absent/C.npy", "cannot write absent/C.npy");
    folder.refuses("gemm --a a.npy --n 4 --out .", "folder");
    folder.refuses("gemm --a a.npy --n 4 --out C.npy --json absent/F.json", "cannot write absent/F.json");
    folder.refuses("gemm --a a.npy --n 4 --out C.npy --json C.npy", "two outputs");
    folder.refuses("demo --json absent/F.json", "cannot write absent/F.json");
}

#[test]
fn a_product_of_numpy_files_comes_back_as_a_numpy_file() {
    let folder = Folder::new("npy");
    // A = [[1, 2, 3], [4, 5, -6]] in Fortran order, B = [[1, 2], [3, 4], [5, 255]].
    folder.write("a.npy", npy("|i1", true, "(2, 3)", &[1, 4, 2, 5, 3, 250]));
    folder.write("b.npy", npy("|u1", false, "(3, 2)", &[1, 2, 3, 4, 5, 255]));
    folder.write("bt.npy", npy("|u1", false, "(2, 3)", &[1, 3, 5, 2, 4, 255]));
    let bias: Vec<u8> = [1000i32, -1].iter().flat_map(|value| value.to_be_bytes()).collect();
    folder.write("bias.npy", npy(">i4", false, "(2,)", &bias));
    let scales: Vec<u8> = [0.5f32, 0.25].iter().flat_map(|value| value.to_le_bytes()).collect();
    folder.write("scales.npy", npy("<f4", false, "(2,)", &scales));
    let sums = [22, 775, -11, -1502];
    for (backend, config) in [("model", "lite"), ("rtl", "tiny"), ("rtl", "lite")] {
        let on = format!("--backend {backend} --config {config}");
        folder.quader(&format!("gemm --a a.npy --b b.npy --out c.npy {on}")).good();
        let plain: Vec<u8> = sums.iter().flat_map(|sum: &i32| sum.to_le_bytes()).collect();
        assert_eq!(npy_data(&folder.path("c.npy"), "<i4", "(2, 2)"), plain, "{on}");

        folder
            .quader(&format!("gemm --a a.npy --b bt.npy --b-transposed --bias bias.npy --relu --out c.npy {on}"))
            .good();
        let biased: Vec<u8> = [1022, 774, 989, 0].iter().flat_map(|sum: &i32| sum.to_le_bytes()).collect();
        assert_eq!(npy_data(&folder.path("c.npy"), "<i4", "(2, 2)"), biased, "{on}");

        let scaled = "--scale scales.npy --out-dtype u8 --zero-point-out 10 --zero-point-a -1 --zero-point-b 2";
        folder.quader(&format!("gemm --a a.npy --b b.npy --out c.npy {scaled} {on}")).good();
        // (A + 1) (B - 2) = [[13, 1018], [-14, -1253]], halved and quartered, half to even, plus 10, saturated.
        assert_eq!(npy_data(&folder.path("c.npy"), "|u1", "(2, 2)"), [16, 255, 3, 0], "{on}");

        let clamped = "--scale 0.125 --out-dtype i8 --clamp -2,100";
        folder.quader(&format!("gemm --a a.npy --b b.npy --out c.npy {clamped} {on}")).good();
        // 22 / 8 = 2.75, 775 / 8 = 96.875, -11 / 8, -1502 / 8.
        assert_eq!(npy_data(&folder.path("c.npy"), "|i1", "(2, 2)"), [3, 97, 255, 254], "{on}");

        // Halves: -5.5 to -6 (even) or -5 (up). Sixteenths: 775 / 16 = 48.4; by 388 / 8 = 48.5 it becomes 49.
        for (rounding, scale, rounded) in [
            ("onnx", "0.5", [11, 127, -6i8, -128]),
            ("tflite", "0.5", [11, 127, -5, -128]),
            ("tflite", "0.0625", [1, 48, -1, -94]),
            ("gemmlowp", "0.0625", [1, 49, -1, -94]),
        ] {
            let options = format!("--scale {scale} --out-dtype i8 --rounding {rounding}");
            folder.quader(&format!("gemm --a a.npy --b b.npy --out c.npy {options} {on}")).good();
            let bytes = rounded.map(|value| value as u8);
            assert_eq!(npy_data(&folder.path("c.npy"), "|i1", "(2, 2)"), bytes, "{rounding} {on}");
        }
        // Halves and quarters by column: 22 / 2, 775 / 4 and so on.
        let options = "--scale scales.npy --out-dtype i8 --rounding gemmlowp --zero-point-out -100";
        folder.quader(&format!("gemm --a a.npy --b b.npy --out c.npy {options} {on}")).good();
        assert_eq!(
            npy_data(&folder.path("c.npy"), "|i1", "(2, 2)"),
            [-89i8, 94, -105, -128].map(|value| value as u8),
            "{on}"
        );

        for (relu, floor) in [("", f32::NEG_INFINITY), ("--relu", 0.0)] {
            folder
                .quader(&format!("gemm --a a.npy --b b.npy --out c.npy --scale 0.1 --out-dtype f32 {relu} {on}"))
                .good();
            let floats: Vec<u8> = sums.iter().flat_map(|&sum| (sum as f32 * 0.1).max(floor).to_le_bytes()).collect();
            assert_eq!(npy_data(&folder.path("c.npy"), "<f4", "(2, 2)"), floats, "{on}");
        }
    }
    assert_eq!(folder.names().len(), 6, "nothing but inputs and c.npy");
}

#[test]
fn a_job_holds_all_that_a_core_needs() {
    let folder = Folder::new("job");
    folder.write("a.npy", npy("|u1", false, "(2, 3)", &[1, 2, 3, 4, 5, 255]));
    folder.write("b.npy", npy("|i1", false, "(2, 3)", &[1, 0, 2, 0, 1, 255]));
    folder.write("bias.npy", npy("<i4", false, "(2,)", &[100, 0, 0, 0, 156, 255, 255, 255]));
    folder.write("scale.npy", npy("<f4", false, "(2,)", &[0, 0, 0, 63, 0, 0, 128, 62]));
    let product = "gemm --a a.npy --b b.npy --b-transposed --bias bias.npy --scale scale.npy --out-dtype i8 \
        --zero-point-a 7 --zero-point-b -2 --zero-point-out 3 --clamp -90,90 --config tiny";
    // Twice: the second replaces the first.
    folder.quader(&format!("{product} --seed 2 --program jobs-1")).good();
    let text = folder.quader(&format!("{product} --program jobs-1")).good();
    assert!(text.starts_with("jobs-1: C[2, 2] i8 = A[2, 3] u8 x B[3, 2] s8 on tiny: "), "{text}");
    let file = |name: &str| fs::read(folder.path("jobs-1").join(name)).expect("it was written");
    let job: Value = serde_json::from_slice(&file("job.json")).expect("it is JSON");
    let wanted = serde_json::json!({
        "m": 2, "n": 2, "k": 3, "b_transposed": true, "zero_point_a": 7, "zero_point_b": -2,
        "rounding": "onnx", "scale": null, "multiplier": null, "shift": null, "zero_point_out": 3, "relu": false,
        "clamp": [-90, 90],
    });
    assert_eq!((&job["config"], &job["kind"], &job["gemm"]), (&"tiny".into(), &"gemm".into(), &wanted));
    let operands = job["operands"].as_array().expect("it is a list");
    let kinds: Vec<String> =
        operands.iter().map(|operand| format!("{} {}", operand["dtype"], operand["shape"])).collect();
    assert_eq!(kinds, [r#""uint8" [2,3]"#, r#""int8" [2,3]"#, r#""int32" [2]"#, r#""float32" [2]"#]);

    // Everything by hand: the image, the bases; the result lies where the job says.
    let number = |value: &Value| value.as_u64().expect("it is a number") as usize;
    let end = job["windows"].as_array().expect("it is a list").iter().map(|window| number(&window["last"])).max();
    let mut image = vec![0; end.expect("there are windows") + 1];
    for operand in operands {
        let bytes = file(operand["file"].as_str().expect("it is a name"));
        image[number(&operand["address"])..][..bytes.len()].copy_from_slice(&bytes);
    }
    folder.write("image", &image);
    let bases = job["bases"].as_array().expect("it is a list").iter().enumerate();
    let bases: String = bases.map(|(index, base)| format!(" --base {index}={base}")).collect();
    folder
        .quader(&format!("run jobs-1/program.bin --mem image --out after{bases} --config tiny --backend model"))
        .good();
    folder.quader(&format!("{product} --backend model --out C.npy")).good();
    let after = fs::read(folder.path("after")).expect("it was written");
    let result = &job["result"];
    assert_eq!((&result["dtype"], &result["shape"]), (&"int8".into(), &serde_json::json!([2, 2])));
    assert_eq!(after[number(&result["address"])..][..4], npy_data(&folder.path("C.npy"), "|i1", "(2, 2)"));

    folder.write("other", "");
    folder.refuses("gemm --m 4 --n 4 --k 4 --program .", "not written by `quader ... --program`");
    folder.refuses("gemm --m 4 --n 4 --k 4 --program other", "is no folder");
    folder.refuses("gemm --m 4 --n 4 --k 4 --program absent/job", "cannot write absent/job");
    folder.refuses("gemm --m 4 --n 4 --k 4 --program job --wave w.vcd", "--wave");
    folder.refuses("gemm --m 4 --n 4 --k 4 --program job --stall 0.5", "--stall");
    folder.refuses("gemm --m 4 --n 4 --k 4 --program job --backend model", "--backend");
    fs::write(folder.path("jobs-1").join("mine.txt"), "").expect("writable");
    folder.refuses("gemm --m 4 --n 4 --k 4 --program jobs-1", "holds mine.txt");
}

#[test]
fn figures_of_a_product_are_in_its_json() {
    let folder = Folder::new("json");
    let of = |more: &str| folder.quader(&format!("gemm --m 30 --n 20 --k 50 --json - {more}")).json();
    let rtl =
        of("--config tiny --seed 9 --mem-latency 100 --mem-bytes-per-cycle 4 --mem-shared --stall 0.2 --dtype u8s8");
    let model = of("--backend model --seed 9 --dtype u8s8");
    for (json, config, backend) in [(&rtl, "tiny", "rtl"), (&model, "lite", "model")] {
        assert_eq!((json["config"].as_str(), json["backend"].as_str()), (Some(config), Some(backend)));
        assert_eq!(
            (&json["m"], &json["n"], &json["k"], &json["macs"]),
            (&30.into(), &20.into(), &50.into(), &30_000.into())
        );
        assert_eq!((&json["mismatches"], &json["seed"], &json["dtype"]), (&0.into(), &9.into(), &"u8s8".into()));
        assert!(json["su"].as_f64().is_some_and(|su| su > 0.5 && su <= 1.0));
        assert!(json["bytes_written"].as_u64() == Some(2400), "{}", json["bytes_written"]);
    }
    assert_eq!(rtl["peak_macs_per_cycle"], 64);
    let (cycles, tu, ou) = (rtl["cycles"].as_u64(), rtl["tu"].as_f64(), rtl["ou"].as_f64());
    // 1,500 + 1,000 bytes in, 2,400 out at 4 per cycle together.
    assert!(cycles.is_some_and(|cycles| cycles > 1225), "{cycles:?}");
    assert!(tu > ou && ou.is_some_and(|ou| (ou - 30_000.0 / 64.0 / cycles.unwrap_or(1) as f64).abs() < 1e-9));
    assert_eq!(rtl["bytes_read"], model["bytes_read"]);
    assert_eq!((&model["cycles"], &model["tu"], &model["ou"]), (&Value::Null, &Value::Null, &Value::Null));
    let pipes: u64 = ["busy", "wait_flag", "wait_block", "wait_memory", "wait_queue"]
        .iter()
        .map(|activity| rtl["counters"][format!("m_{activity}")].as_u64().expect("a number"))
        .sum();
    assert_eq!(Some(pipes), cycles, "what M did adds up");

    let text = folder.quader("gemm --m 30 --n 20 --k 50 --config tiny --json f.json").good();
    assert!(text.contains("all 600 elements equal the model and an independent product"), "{text}");
    let file: Value = serde_json::from_slice(&fs::read(folder.path("f.json")).expect("written")).expect("JSON");
    assert!(file["cycles"].as_u64() < cycles, "no stalls, a faster memory");
    let again = of("--config tiny");
    assert_eq!((&again["cycles"], &again["counters"]), (&file["cycles"], &file["counters"]), "a seed replays");
}

/// `isa::Counter`: what MTE2 read without the fetch, and what was written by its strobes.
#[test]
fn the_byte_counters_of_hardware_and_model_agree() {
    let folder = Folder::new("bytes");
    let of =
        |on: &str| folder.quader(&format!("gemm --m 5 --n 7 --k 9 --out-dtype i8 --scale 0.01 --json - {on}")).json();
    let (rtl, model) = (of("--config tiny"), of("--config tiny --backend model"));
    for counter in ["bytes_read", "bytes_written"] {
        assert_eq!(rtl[counter], model[counter], "{counter}");
    }
}

#[test]
fn a_waveform_is_complete() {
    let folder = Folder::new("wave");
    folder.quader("gemm --m 4 --n 4 --k 4 --config tiny --wave w.vcd").good();
    let wave = verilated::wave::Wave::read(folder.path("w.vcd")).expect("complete VCD");
    let clock = wave.signals().iter().find(|signal| signal.path.ends_with(".clk")).expect("there is a clock");
    assert!(clock.changes.len() > 200);
    assert_eq!(folder.names(), ["w.gtkw", "w.sucl", "w.vcd"]);
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    let folder = Folder::new("interrupted");
    folder.quader("gemm --m 4 --n 4 --k 4 --config tiny").good();
    for signal in ["INT", "TERM"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_quader"))
            .args([
                "gemm", "--m", "1000", "--n", "1000", "--k", "1000", "--config", "tiny", "--out", "C.npy", "--json",
                "F",
            ])
            .current_dir(&folder.0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program is there");
        let began = Instant::now();
        while folder.names().len() < 2 {
            assert!(began.elapsed() < Duration::from_secs(60), "temporary files appear");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(folder.names().iter().all(|name| name.starts_with('.')), "nothing has its name yet");
        let killed = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
        assert!(killed.expect("there is a `kill`").success());
        let status = child.wait().expect("it ends");
        assert!(!status.success() && status.code().is_none(), "it ends by the signal: {status}");
        assert_eq!(folder.names(), Vec::<String>::new());
    }
}

const HALT: &str = "nop\nend\n";

#[test]
fn programs_survive_assembler_and_disassembler() {
    let folder = Folder::new("asm");
    let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hello.qasm");
    folder.write("hello.qasm", fs::read(hello).expect("the example is there"));
    assert!(folder.quader("asm hello.qasm").good().contains("hello.bin: 10 instructions, 320 bytes"));
    let text = folder.quader("disasm hello.bin").good();
    folder.write("again.qasm", &text);
    folder.quader("asm again.qasm -o again").good();
    assert_eq!(fs::read(folder.path("hello.bin")).expect("written"), fs::read(folder.path("again")).expect("written"));
    folder.quader("disasm again -o last.qasm").good();
    assert_eq!(fs::read_to_string(folder.path("last.qasm")).expect("written"), text);

    folder.write("bad.qasm", "nop\nmte2.load dst=l1[0]\nend\n");
    folder.refuses("asm bad.qasm", "bad.qasm:2:");
    folder.write("empty.qasm", "; nothing\n");
    folder.refuses("asm empty.qasm", "no instructions");
    folder.refuses("asm hello.qasm -o hello.qasm", "overwritten");
    folder.refuses("asm absent.qasm", "cannot read");
    folder.write("bad.bin", [0; 32]);
    folder.refuses("disasm bad.bin", "instruction 0");
    folder.write("short.bin", &fs::read(folder.path("hello.bin")).expect("written")[..40]);
    folder.refuses("disasm short.bin", "instruction 1");
}

#[test]
fn the_checker_lists_every_finding() {
    let folder = Folder::new("check");
    folder.write("good.qasm", HALT);
    assert!(folder.quader("check good.qasm").good().contains("nothing found on lite"));
    folder.write("bad.qasm", "mte2.fill dst=l1[64Ki] rows=1 len_bytes=32 dst_stride=32 byte=0 set mte1.0\nend\n");
    let lite = folder.quader("check bad.qasm");
    assert_eq!(lite.status(), 1, "{}", lite.stderr());
    assert!(lite.stderr().contains("bad.qasm has 1 finding on lite"), "{}", lite.stderr());
    let tiny = folder.quader("check bad.qasm --config tiny");
    assert_eq!((tiny.status(), tiny.stdout().lines().count()), (1, 2), "{}", tiny.stdout());
    assert!(tiny.stdout().lines().all(|line| line.starts_with("bad.qasm:1: ")), "{}", tiny.stdout());
    folder.quader("asm bad.qasm").good();
    assert!(folder.quader("check bad.bin").stdout().contains("instruction 0 (pc 0x0)"));
}

/// Copies 64 bytes of the image from 0 to 128 by way of L1.
const COPY: &str = "\
mte2.load dst=l1[0] gm=b0[0] rows=1 len_bytes=64 gm_stride=64 dst_stride=64 set mte3.0
mte3.store gm=b1[0] src=l1[0] rows=1 len_bytes=64 gm_stride=64 src_stride=64 wait mte2.0
end
";

#[test]
fn a_program_gives_the_same_image_on_both_backends() {
    let folder = Folder::new("run");
    folder.write("copy.qasm", COPY);
    folder.quader("asm copy.qasm").good();
    let image: Vec<u8> = (0..192u32).map(|byte| (byte * 7 % 251) as u8).collect();
    folder.write("in.bin", &image);
    let expected = [&image[..128], &image[..64]].concat();
    let place = "--mem-address 0x12340 --base 1=0x123c0";
    for (program, on) in [
        ("copy.qasm", "--backend model"),
        ("copy.qasm", "--config tiny"),
        ("copy.bin", "--config lite"),
        ("copy.bin", "--backend model --config max"),
    ] {
        folder.quader(&format!("run {program} --mem in.bin --out out.bin {place} {on}")).good();
        assert_eq!(fs::read(folder.path("out.bin")).expect("written"), expected, "{program} {on}");
        fs::remove_file(folder.path("out.bin")).expect("removable");
    }
    let run =
        |on: &str| folder.quader(&format!("run copy.bin --mem in.bin --out out.bin {place} --json - {on}")).json();
    let (rtl, model) = (run("--config tiny"), run("--backend model"));
    assert_eq!(
        (&model["ended"], &model["bytes_read"], &model["bytes_written"]),
        (&"done".into(), &64.into(), &64.into())
    );
    assert_eq!((&rtl["ended"], &rtl["bytes_read"], &rtl["bytes_written"]), (&"done".into(), &64.into(), &64.into()));
    assert!(rtl["cycles"].as_u64() > Some(60), "two latencies of 30 cycles");
    // A shorter file filled up with zeros, at the end of the address space.
    folder.write("short.bin", &image[..64]);
    let place = "--mem-address 0xffffffff40 --mem-size 192 --base 1=0xffffffffc0";
    folder.quader(&format!("run copy.bin --mem short.bin --out out.bin {place} --config tiny")).good();
    let filled = fs::read(folder.path("out.bin")).expect("written");
    assert_eq!((&filled[..64], &filled[64..128], &filled[128..]), (&image[..64], &[0; 64][..], &image[..64]));
}

#[test]
fn a_fault_is_one_sentence_with_its_instruction() {
    let folder = Folder::new("fault");
    folder.write("in.bin", [1; 128]);
    folder.write("copy.qasm", COPY);
    // b1 is the image's address, so the copy fits; with b1 behind the image it does not.
    for on in ["--backend model", "--config tiny"] {
        let ended = folder.quader(&format!("run copy.qasm --mem in.bin --out out.bin --base 1=0x2000 {on}"));
        let sentence = ended.stderr();
        assert_eq!((ended.status(), sentence.lines().count()), (1, 1), "{sentence}");
        for wanted in ["window_write", "mte3", "0x20", "`mte3.store gm=b1[0x0]", "copy.qasm:2"] {
            assert!(sentence.contains(wanted), "`{sentence}` should contain `{wanted}`");
        }
        assert_eq!(folder.names(), ["copy.qasm", "in.bin"], "no image after a fault");
    }
    let ended = folder.quader("run copy.qasm --mem in.bin --out out.bin --base 1=0x2000 --config tiny --json f.json");
    assert_eq!(ended.status(), 1);
    let json: Value = serde_json::from_slice(&fs::read(folder.path("f.json")).expect("written")).expect("JSON");
    assert_eq!(
        (&json["ended"], &json["fault"]["cause"], &json["fault"]["pc"]),
        (&"fault".into(), &"window_write".into(), &32.into())
    );
    fs::remove_file(folder.path("f.json")).expect("removable");

    folder.write("empty.bin", []);
    folder.refuses("run copy.qasm --mem empty.bin --out out.bin", "empty");
    folder.refuses("run copy.qasm --mem absent.bin --out out.bin", "cannot read absent.bin");
    folder.refuses("run copy.qasm --mem in.bin --out absent/out.bin", "cannot write absent/out.bin");
    folder.refuses("run copy.qasm --mem in.bin --out out.bin --base 16=0", "0 to 15");
    folder.refuses("run copy.qasm --mem in.bin --out out.bin --base one=0", "N=ADDR");
    folder.refuses("run copy.qasm --mem in.bin --out out.bin --mem-address 0xfffffffff0", "address space");
    folder.refuses("run copy.qasm --mem in.bin --out out.bin --mem-size 5", "at least that");
    folder.refuses("run in.bin --mem in.bin --out out.bin", "instruction 0");
}

#[test]
fn the_verilog_is_lint_clean_and_the_same_every_time() {
    let folder = Folder::new("verilog");
    let text = folder.quader("verilog --config tiny --out one").good();
    assert!(text.contains("top module quader"), "{text}");
    folder.quader("verilog --config tiny --out two").good();
    let read = |name: &str, file: &str| fs::read_to_string(folder.path(name).join(file)).expect("written");
    let list: Vec<String> = read("one", "quader.f").lines().map(str::to_owned).collect();
    assert!(list.len() > 50 && list.iter().any(|file| file == "quader.v"), "{} files", list.len());
    for file in list.iter().map(String::as_str).chain(["quader.f", "quader.vlt"]) {
        assert_eq!(read("one", file), read("two", file), "{file}");
    }
    assert_eq!(fs::read_dir(folder.path("one")).expect("there").count(), list.len() + 2);
    let sources = list.iter().map(|file| (file.clone(), read("one", file)));
    let lint = verilated::Lint::new("quader").texts(sources).waivers(&read("one", "quader.vlt"));
    assert_eq!(lint.run().expect("Verilator runs"), []);

    // Its own folder is replaced, any other is refused and left alone.
    folder.quader("verilog --config lite --out two").good();
    assert_ne!(read("one", "quader.v"), read("two", "quader.v"));
    fs::write(folder.path("one").join("mine.v"), "mine").expect("writable");
    folder.refuses("verilog --config tiny --out one", "mine.v");
    fs::create_dir(folder.path("three")).expect("writable");
    fs::write(folder.path("three").join("notes"), "mine").expect("writable");
    folder.refuses("verilog --config tiny --out three", "not empty");
    folder.refuses("verilog --config tiny --out three/notes", "no folder");
    folder.refuses("verilog --config tiny --out absent/four", "cannot write absent/four");
    assert_eq!(folder.names(), ["one", "three", "two"]);
}

#[test]
fn the_demo_is_as_accurate_as_the_model() {
    let folder = Folder::new("demo");
    let text = folder.quader("demo --config tiny --json f.json").good();
    assert!(text.contains("bit for bit the model's"), "{text}");
    let rtl: Value = serde_json::from_slice(&fs::read(folder.path("f.json")).expect("written")).expect("JSON");
    assert_eq!((&rtl["samples"], &rtl["mismatches"], &rtl["backend"]), (&64.into(), &0.into(), &"rtl".into()));
    assert_eq!(rtl["correct_core"], rtl["correct_model"]);
    assert!(rtl["accuracy_core"].as_f64() > Some(0.95), "{}", rtl["accuracy_core"]);
    // 64 x (64 x 90 + 90 x 10) products, on 64 multipliers.
    assert_eq!(rtl["counters"]["useful_macs"], 426_240);
    assert!(rtl["cycles"].as_u64() > Some(426_240 / 64));

    let all = folder.quader("demo --all --config lite --json -").json();
    assert_eq!((&all["backend"], &all["mismatches"], &all["correct_model"]), (&"rtl".into(), &0.into(), &436.into()));
    assert_eq!((&all["samples"], &all["correct_core"], &all["correct_float"]), (&450.into(), &436.into(), &436.into()));
    assert_eq!(all["equals_numpy"], true);
}

#[test]
fn info_and_doctor_say_what_there_is() {
    let folder = Folder::new("info");
    let text = folder.quader("info").good();
    assert!(["tiny", "lite", "max", "16 x 32 x 16", "8192", "onnx"].iter().all(|word| text.contains(word)), "{text}");
    let json = folder.quader("info --json -").json();
    assert_eq!(json["cores"].as_array().map(Vec::len), Some(3));
    assert_eq!((&json["cores"][1]["name"], &json["cores"][1]["peak_macs_per_cycle"]), (&"lite".into(), &256.into()));

    let text = folder.quader("doctor").good();
    assert!(
        ["Verilator", "C++ compiler", "Python", "cocotb", "cache", "--clear-cache"]
            .iter()
            .all(|word| text.contains(word)),
        "{text}"
    );
    // Another cache, so that the one of the tests stays.
    let mut command = Command::new(env!("CARGO_BIN_EXE_quader"));
    let other = folder.path("cache");
    fs::create_dir_all(other.join("quader-0123")).expect("writable");
    fs::write(other.join("quader-0123/libdut.so"), [0; 1000]).expect("writable");
    let output = command.args(["doctor", "--clear-cache", "--json", "-"]).env("VERILATED_CACHE", &other).output();
    let ended = Ended { arguments: "doctor --clear-cache".into(), output: output.expect("the program is there") };
    let json = ended.json();
    assert_eq!(
        (&json["cleared"]["entries"], &json["cache"]["entries"], &json["ready"]),
        (&1.into(), &0.into(), &true.into())
    );
    assert!(!other.join("quader-0123").exists());
}

#[test]
fn a_missing_compiler_is_one_answer_with_status_1() {
    let folder = Folder::new("compiler");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quader"));
        command.args(arguments).current_dir(&folder.0).env("CXX", "no-such-compiler");
        command.output().expect("the program is there")
    };
    let doctor = run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));
    let gemm = run(&["gemm", "--m", "4", "--n", "4", "--k", "4", "--config", "tiny", "--out", "C.npy"]);
    let said = String::from_utf8_lossy(&gemm.stderr).into_owned();
    assert_eq!(gemm.status.code(), Some(1), "{said}");
    assert!(said.contains("g++") && said.contains("no-such-compiler"), "{said}");
    assert_eq!(folder.names(), Vec::<String>::new());
}
