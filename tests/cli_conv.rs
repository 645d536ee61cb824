// SPDX-License-Identifier: Apache-2.0
//! `quader conv` from outside: what it prints, writes and refuses.

mod shell;

use serde_json::Value;
use shell::{Folder, npy, npy_data};
use std::fs;

/// What the tests run on.
const BACKENDS: [&str; 2] = ["model", "rtl"];

#[test]
fn shapes_that_cannot_be_are_refused() {
    let folder = Folder::new("conv-shapes");
    let shape = "--h 5 --w 6 --cin 4 --cout 8 --kh 3 --kw 3 --out Y.npy";
    for (more, wanted) in [
        ("--stride 0", "stride in y of a convolution is 0"),
        ("--stride 1,2,3", "one number, or two"),
        ("--pad 1,2,3", "four for above, left, below, right"),
        ("--pad x", "one number"),
        ("--groups 3", "cin is 4, which 3 groups cannot share"),
        ("--dilation 1,3", "the kernel reaches over 7 in x and the padded map has only 6"),
        ("--n 0", "n of a convolution is 0"),
        ("--out-dtype i8", "--scale"),
        ("--zero-point-x 200", "zero point 200 of x"),
        ("--zero-point-w absent.npy", "neither a number nor a file"),
        ("--backend model --stall 0.1", "--backend rtl"),
        ("--net ds-cnn", "cannot be used with"),
    ] {
        folder.refuses(&format!("conv {shape} {more}"), wanted);
    }
    folder.refuses("conv --h 5 --w 6 --cin 4 --kh 3 --kw 3", "cout is not known");
    folder.refuses("conv --h 50000 --w 60000 --cin 400 --cout 8 --kh 3 --kw 3", "at most");
    folder.refuses("conv --h 5000 --w 6000 --cin 400 --cout 8 --kh 3 --kw 3", "at most 1073741824");
    folder.refuses("conv --net lenet", "ds-cnn, mobilenet, resnet-8");
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let folder = Folder::new("conv-files");
    folder.write("x.npy", npy("|i1", false, "(1, 2, 3, 2)", &[0; 12]));
    folder.write("w.npy", npy("|i1", false, "(4, 1, 2, 3)", &[0; 24]));
    folder.write("flat.npy", npy("|i1", false, "(2, 3)", &[0; 6]));
    folder.refuses("conv --x x.npy --weights w.npy --out Y.npy", "cin is 2 by x.npy and 3 by w.npy");
    folder.refuses("conv --x x.npy --weights w.npy --groups 2 --out Y.npy", "cin is 2 by x.npy and 6 by w.npy");
    folder.refuses("conv --x x.npy --cout 3 --kh 1 --kw 1 --h 3", "h is 3 by --h and 2 by x.npy");
    folder.refuses("conv --x flat.npy --cout 3 --kh 1 --kw 1", "an array of four dimensions is needed");
    folder.refuses("conv --x x.npy --cout 3 --kh 1 --kw 1 --dtype u8s8", "--dtype asks for x in u8");
}

#[test]
fn a_convolution_of_numpy_files_comes_back_as_a_numpy_file() {
    let folder = Folder::new("conv-npy");
    // One image [[1, 2, 3], [4, 5, 6]] of one channel, as Fortran would lay it; two kernels of 2 x 2.
    folder.write("x.npy", npy("|u1", true, "(1, 2, 3, 1)", &[1, 4, 2, 5, 3, 6]));
    folder.write("w.npy", npy("|i1", false, "(2, 2, 2, 1)", &[1, 0, 0, 255, 1, 1, 1, 1]));
    folder.write("bias.npy", npy("<i4", false, "(2,)", &[100, 0, 0, 0, 0, 0, 0, 0]));
    for backend in BACKENDS {
        let on = format!("--backend {backend} --config tiny --out y.npy");
        folder.quader(&format!("conv --x x.npy --weights w.npy {on}")).good();
        let sums: Vec<u8> = [-4, 12, -4, 16].iter().flat_map(|sum: &i32| sum.to_le_bytes()).collect();
        assert_eq!(npy_data(&folder.path("y.npy"), "<i4", "(1, 1, 2, 2)"), sums, "{on}");

        let padded = "--pad 0,1,0,0 --stride 1,2 --bias bias.npy --scale 0.5 --out-dtype u8 --zero-point-out 1";
        folder.quader(&format!("conv --x x.npy --weights w.npy {padded} {on}")).good();
        // Columns -1 and 1: [0 - 4, 0 + 1 + 0 + 4], [2 - 6, 2 + 3 + 5 + 6], plus bias, halved (2.5 to 2), plus 1.
        assert_eq!(npy_data(&folder.path("y.npy"), "|u1", "(1, 1, 2, 2)"), [49, 3, 49, 9], "{on}");
    }
    assert_eq!(folder.names().len(), 4, "nothing but inputs and y.npy");
}

#[test]
fn figures_of_a_convolution_are_in_its_json() {
    let folder = Folder::new("conv-json");
    let shape = "conv --n 2 --h 9 --w 8 --cin 8 --cout 8 --kh 3 --kw 3 --pad 1 --stride 2,1 --groups 8 --dtype u8s8";
    for backend in BACKENDS {
        let json = folder.quader(&format!("{shape} --seed 9 --backend {backend} --json -")).json();
        let numbers =
            ["n", "h", "w", "cin", "cout", "kh", "kw", "groups", "out_h", "out_w", "macs", "mismatches", "seed"];
        let values = numbers.map(|name| json[name].as_u64().unwrap_or(u64::MAX));
        assert_eq!(values, [2, 9, 8, 8, 8, 3, 3, 8, 5, 8, 2 * 40 * 8 * 9, 0, 9]);
        assert_eq!((&json["stride"], &json["pad"]), (&Value::from(vec![2, 1]), &Value::from(vec![1; 4])));
        assert_eq!(
            (&json["dtype"], &json["out_dtype"], &json["config"]),
            (&"u8s8".into(), &"i32".into(), &"lite".into())
        );
        // 2 images of 10 blocks of rows: 8 groups of one block of k; 2 blocks of 4 groups of 3; 9 taps of 32 or of 4 channels.
        let steps = ["cube_steps_packed", "cube_steps_c0_32", "cube_steps_c0_4"].map(|name| json[name].as_u64());
        assert_eq!(steps, [Some(160), Some(20 * 8 * 18), Some(20 * 8 * 3)]);
        assert_eq!(json["counters"]["cube_steps"], 120);
        assert_eq!(json["bytes_written"], 4 * 2 * 40 * 8);
        assert_eq!(json["cycles"].is_null(), backend == "model");
    }
    let text = folder.quader("conv --h 12 --w 12 --cin 3 --cout 8 --kh 3 --kw 3 --backend model --json f.json").good();
    assert!(
        text.contains("y[1, 10, 10, 8] i32 = x[1, 12, 12, 3] s8 * w[8, 3, 3, 3] s8 on lite (model), seed 1"),
        "{text}"
    );
    assert!(text.contains("cube steps   100 with k packed, group by group; channels padded to C0 = 32: 900, as in a first layer to C0 = 4: 150"), "{text}");
    assert!(text.contains("all 800 elements equal an independent convolution"), "{text}");
    assert!(fs::read(folder.path("f.json")).is_ok());
}

/// The share of useful multiply-accumulates that packed k leaves on `lite`, and that padded channels would, for the dense layers.
#[test]
fn networks_of_mlperf_tiny_have_the_bounds_of_packed_k() {
    let folder = Folder::new("conv-net");
    for (net, layers, packed, padded) in [
        ("ds-cnn", 9, "95.09 %", "69.49 %"),
        ("mobilenet", 27, "90.75 %", "87.26 %"),
        ("resnet-8", 9, "99.35 %", "97.32 %"),
    ] {
        let text = folder.quader(&format!("conv --net {net} --backend model --json f.json")).good();
        let line = text.lines().find(|line| line.trim_start().starts_with("bound")).unwrap_or_default();
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells[1..7].join(" "), format!("{packed} {packed} {padded}"), "{text}");
        let json: Value = serde_json::from_slice(&fs::read(folder.path("f.json")).expect("written")).expect("JSON");
        assert_eq!(json["layers"].as_array().map(Vec::len), Some(layers));
        assert_eq!((&json["net"], &json["mismatches"]), (&net.into(), &0.into()));
        let first = &json["layers"][0];
        assert_eq!(first["cube_steps"], first["cube_steps_packed"]);
    }
}
