// SPDX-License-Identifier: Apache-2.0
//! Convolutions of any shape equal plain loops over their definition, and `ndarray` over the gathered operand: on the model for every kind of core.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "conv/simulated.rs"]
mod simulated;

use common::conv::ConvCase;
use host::{CompiledConv, Conv, ConvTiling, Modelled, Net, Output, Report};
use isa::state::outer;
use isa::{Config, Counter, Dtype, Instruction, Pipe, check};
use rand::Rng;

/// Compiles, checks and runs a convolution on the model, and compares every element.
fn run_on_model(config: &Config, case: &ConvCase) -> (CompiledConv, Report) {
    let compiled = case.conv.compile(config).unwrap_or_else(|error| panic!("{case}: {error}"));
    let found = check(compiled.program().instructions(), config);
    assert!(found.is_ok(), "{case} on {config:?}\n{:?}\n{:?}", compiled.tiling(), found.unwrap_err()[0]);
    let mut core = Modelled::new(config, 3).unwrap();
    let product = compiled
        .run(&mut core, &case.x, &case.weights)
        .unwrap_or_else(|error| panic!("{case}: {error}\n{:?}", compiled.tiling()));
    case.compare(&product.values());
    if let Some(gathered) = case.gathered() {
        gathered.compare(&product.values());
    }
    (compiled, product.report)
}

/// Bytes that MTE2 reads through the base of x, by the instructions.
fn x_bytes_read(compiled: &CompiledConv) -> usize {
    let (mut matrices, mut bytes) = (1, 0);
    for inst in compiled.program().instructions() {
        match &inst.op {
            Instruction::Set { pipe: Pipe::Mte2, register: outer::COUNT2, value } => matrices = *value as usize,
            Instruction::Mte2Load(load) if load.gm.base == 0 => {
                bytes += matrices * usize::from(load.rows) * load.len_bytes as usize;
            }
            _ => {}
        }
    }
    bytes
}

/// How many of `size` lines or pixels lie between the first and the last that outputs `first` to `last` read, both included.
fn reach(conv: &Conv, axis: usize, size: usize, first: usize, last: usize) -> usize {
    let pad = conv.pads[axis] as isize;
    let from = (first * conv.stride[axis]) as isize - pad;
    let to = (last * conv.stride[axis] + (conv.kernel[axis] - 1) * conv.dilation[axis]) as isize - pad;
    (to.min(size as isize - 1) - from.max(0) + 1).max(0) as usize
}

/// Bytes of x if every strip of output pixels reads its lines, halo included, once.
fn halo_once(conv: &Conv, tiling: &ConvTiling) -> usize {
    let [out_h, out_w] = conv.out();
    let lines = |first: usize, last: usize| reach(conv, 0, conv.h, first, last);
    let strips: usize = if tiling.columns == out_w {
        let strip = tiling.units * tiling.m;
        let pixels = (0..out_h * out_w).step_by(strip);
        pixels.map(|from| lines(from / out_w, ((from + strip).min(out_h * out_w) - 1) / out_w) * conv.w).sum()
    } else {
        let columns = (0..out_w).step_by(tiling.columns);
        let last = |x: usize| (x + tiling.columns).min(out_w) - 1;
        let pixels: usize = columns.map(|x| reach(conv, 1, conv.w, x, last(x))).sum();
        let starts = (0..out_h).step_by(tiling.units);
        starts.map(|y| lines(y, (y + tiling.units).min(out_h) - 1) * pixels).sum()
    };
    conv.n * strips * conv.cin
}

/// That cube steps are few, and that no strip reads a line twice. Returns true if something could be said of the lines.
fn check_work(config: &Config, case: &ConvCase, compiled: &CompiledConv, report: &Report) -> bool {
    let (conv, steps) = (&case.conv, report.get(Counter::CubeSteps).unwrap());
    let Some(tiling) = compiled.tiling() else {
        // One matrix product: images are not told apart.
        assert!(steps <= conv.packed_steps(config), "{case}: {steps} steps");
        return false;
    };
    // Kernel and channels in one piece, or in pieces of whole blocks: k is not cut.
    let whole = tiling.taps == conv.kernel && tiling.channels >= tiling.groups * conv.group_cin();
    if whole {
        let [out_h, out_w] = conv.out();
        let mut packed = conv.packed_steps(config);
        // Strips of some columns end within a block of rows: that of every line, and if L1 holds no M0 columns, each its own.
        if tiling.columns < out_w {
            let strip = |columns: usize| columns.div_ceil(config.m0);
            let rows = out_h * (out_w / tiling.columns * strip(tiling.columns) + strip(out_w % tiling.columns));
            packed = packed / (out_h * out_w).div_ceil(config.m0) as u64 * rows as u64;
        }
        assert!(10 * steps <= 11 * packed, "{case}: {steps} steps, {packed} packed\n{tiling:?}");
    }
    let (read, bound) = (x_bytes_read(compiled), halo_once(conv, tiling));
    assert!(!whole || read <= bound, "{case}: {read} bytes of x read, {bound} allowed\n{tiling:?}");
    whole
}

#[test]
fn random_convolutions_on_the_named_cores_of_the_model() {
    let mut rng = tb::seed(41).rng;
    let mut bounded = 0;
    for _ in 0..tb::rounds(60) {
        let case = ConvCase::random(&mut rng, 1_000_000);
        for config in [Config::tiny(), Config::lite(), Config::max()] {
            let (compiled, report) = run_on_model(&config, &case);
            bounded += usize::from(check_work(&config, &case, &compiled, &report));
        }
    }
    println!("{bounded} of 180 with a bound on what they read");
    assert!(tb::rounds(60) < 60 || bounded > 140);
}

#[test]
fn random_convolutions_on_random_cores_of_the_model() {
    let mut rng = tb::seed(42).rng;
    for _ in 0..tb::rounds(200) {
        let config = Config::random(|| rng.next_u64());
        let case = ConvCase::random(&mut rng, 600_000);
        let (compiled, report) = run_on_model(&config, &case);
        check_work(&config, &case, &compiled, &report);
    }
}

#[test]
fn a_program_for_tiny_runs_unchanged_on_lite_and_max() {
    let mut rng = tb::seed(49).rng;
    for _ in 0..10 {
        let case = ConvCase::random(&mut rng, 200_000);
        let compiled = case.conv.compile(&Config::tiny()).unwrap();
        for config in [Config::tiny(), Config::lite(), Config::max()] {
            let mut core = Modelled::new(&config, 5).unwrap();
            case.compare(&compiled.run(&mut core, &case.x, &case.weights).unwrap().values());
        }
    }
}

#[test]
fn windows_that_l1_cannot_hold_are_cut() {
    let mut rng = tb::seed(44).rng;
    let wide = |h, w, cin, cout, kernel| Conv { pads: [1, 2, 0, 1], ..Conv::new([h, w, cin], [cout, kernel, kernel]) };
    let small =
        Config { l1_bytes: 4 << 10, l0a_bytes: 1 << 10, l0b_bytes: 1 << 10, l0c_bytes: 2 << 10, ..Config::tiny() };
    small.validate().unwrap();
    let cut = |tiling: &ConvTiling, conv: &Conv| {
        [tiling.columns < conv.out()[1], tiling.channels < conv.cin, tiling.taps != conv.kernel]
    };
    let mut seen = [false; 3];
    for shape in [
        // A line, a pixel, a kernel that is too large.
        wide(5, 3000, 4, 5, 3),
        wide(3, 3, 5000, 3, 2),
        wide(9, 40, 300, 9, 3),
        Conv { dilation: [200, 250], pads: [100; 4], ..wide(420, 520, 2, 3, 3) },
        Conv { stride: [9, 200], ..wide(60, 1500, 3, 5, 4) },
        Conv { groups: 600, ..wide(7, 9, 600, 1200, 3) },
        Conv { pads: [30, 0, 0, 41], ..wide(2, 3, 7, 2, 3) },
    ] {
        let case = ConvCase::random_numbers(&mut rng, shape);
        for config in [Config::tiny(), small.clone()] {
            let (compiled, _) = run_on_model(&config, &case);
            for (seen, cut) in seen.iter_mut().zip(cut(compiled.tiling().unwrap(), &case.conv)) {
                *seen |= cut;
            }
        }
    }
    assert_eq!(seen, [true; 3], "lines, channels and taps are cut");
}

/// Cube steps of the layers of each network on `lite`: dense, depthwise one group after the other, depthwise as it is done.
const STEPS: [(&str, u64, u64, u64); 3] =
    [("ds-cnn", 9_728, 8_192, 6_144), ("mobilenet", 28_800, 22_464, 16_848), ("resnet-8", 49_152, 0, 0)];

/// Bytes of x that are read a second time, where strips of columns are worth it.
const TWICE: [(&str, usize); 1] = [("resnet-8 conv3a", 512)];

#[test]
fn layers_of_mlperf_tiny_equal_plain_loops_with_few_steps_and_every_line_read_once() {
    let mut rng = tb::seed(43).rng;
    let config = Config::lite();
    for (name, dense, apart, depthwise) in STEPS {
        let (mut steps, mut packed) = ([0; 2], [0; 2]);
        for layer in Net::named(name).unwrap().layers {
            let case = ConvCase::random_numbers(&mut rng, layer.conv);
            let (conv, what) = (&case.conv, format!("{name} {}", layer.name));
            let (compiled, report) = run_on_model(&config, &case);
            let kind = usize::from(conv.groups > 1);
            steps[kind] += report.get(Counter::CubeSteps).unwrap();
            packed[kind] += conv.packed_steps(&config);
            let Some(tiling) = compiled.tiling() else { continue };
            check_work(&config, &case, &compiled, &report);
            // A kernel of one line leaves out the lines that the stride jumps over.
            let lines = if conv.kernel[0] == 1 { conv.out()[0] } else { conv.h };
            let x_bytes = lines * conv.w * conv.cin;
            let again = TWICE.iter().find(|(layer, _)| *layer == what).map_or(0, |(_, again)| *again);
            assert_eq!(x_bytes_read(&compiled), x_bytes + again, "{what}: every line of x once\n{tiling:?}");
            // With the zeros beside the weights of merged groups, and the parameters that it has.
            let group = conv.w_bytes() / conv.groups;
            let rest = conv.groups % tiling.groups;
            let weights = conv.groups / tiling.groups * tiling.groups.pow(2) * group + rest.pow(2) * group;
            let factor = match &conv.output {
                Output::Quantised { scales, .. } | Output::Fp32 { scales } if scales.len() > 1 => 4,
                Output::Fixed { multipliers, .. } if multipliers.len() > 1 => 5,
                _ => 0,
            };
            let zero_points = if conv.zero_points_w.len() > 1 { 2 } else { 0 };
            let parameters = 4 * usize::from(conv.bias.is_some()) + factor + zero_points;
            let read = report.get(Counter::BytesRead).unwrap() as usize;
            let expected = x_bytes + again + weights + parameters * conv.cout;
            assert_eq!(read, expected, "{what}: x, weights, parameters once\n{tiling:?}");
        }
        println!("{name}: {steps:?} steps of dense and depthwise layers, {packed:?} group by group");
        assert_eq!((packed, steps), ([dense, apart], [dense, depthwise]), "{name}");
        assert!(10 * depthwise <= 11 * apart);
    }
}

#[test]
fn what_cannot_be_convolved_is_refused_with_a_sentence() {
    let conv = Conv::new([5, 6, 4], [8, 3, 3]);
    let refused = |change: Conv, wanted: &str| {
        let sentence = change.validate().unwrap_err().to_string();
        assert!(sentence.contains(wanted) && !sentence.contains('\n'), "`{sentence}` should contain `{wanted}`");
        assert_eq!(change.compile(&Config::lite()).unwrap_err().to_string(), sentence);
    };
    conv.validate().unwrap();
    refused(Conv { w: 0, ..conv.clone() }, "w of a convolution is 0");
    refused(Conv { stride: [1, 0], ..conv.clone() }, "the stride in x");
    refused(Conv { dilation: [256, 1], pads: [600; 4], ..conv.clone() }, "the dilation in y is 256, and at most 255");
    refused(Conv { pads: [0, 0, 40_000, 0], ..conv.clone() }, "the padding below is 40000");
    refused(Conv { groups: 3, ..conv.clone() }, "cin is 4, which 3 groups cannot share");
    refused(Conv { groups: 4, cout: 6, ..conv.clone() }, "cout is 6");
    refused(Conv { dilation: [1, 3], ..conv.clone() }, "the kernel reaches over 7 in x and the padded map has only 6");
    refused(Conv { zero_points_w: vec![0; 5], ..conv.clone() }, "the zero points has 5 elements");
    refused(Conv { bias: Some(vec![]), ..conv.clone() }, "bias has 0 elements");
    refused(Conv { zero_point_x: 128, ..conv.clone() }, "the zero point 128 of x");
    refused(Conv { dtype_w: Dtype::Int32, ..conv.clone() }, "the weights cannot be int32");
    let compiled = conv.compile(&Config::lite()).unwrap();
    let mut core = Modelled::new(&Config::lite(), 1).unwrap();
    let error = compiled.run(&mut core, &[0; 3], &[0; 288]).unwrap_err().to_string();
    assert_eq!(error, "x has 3 elements, and the shape asks for 120");
}
