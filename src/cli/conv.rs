// SPDX-License-Identifier: Apache-2.0
//! `quader conv`: one convolution on the core, every element checked; or all of a network.

use super::job::{Computed, Given};
use super::product::{Options, Work, check_bytes, size, zero_points};
use super::table::grouped;
use super::{Failure, Result, Target, job, json, net, npy, reference};
use clap::Args;
use clap::builder::PossibleValuesParser;
use host::{Net, Transport};
use isa::Config;
use serde_json::json;
use std::path::PathBuf;

/// Channels of the units in which Da Vinci keeps int8 feature maps, and those of its first layer.
pub const C0: [usize; 2] = [32, 4];

const EXAMPLES: &str = "\
Examples:
  quader conv --h 32 --w 32 --cin 16 --cout 16 --kh 3 --kw 3 --pad 1
  quader conv --h 25 --w 5 --cin 64 --cout 64 --kh 3 --kw 3 --pad 1 --groups 64
  quader conv --h 49 --w 10 --cin 1 --cout 64 --kh 10 --kw 4 --stride 2 --pad 4,1,5,1
  quader conv --x X.npy --weights W.npy --pad 1 --scale 0.01 --out-dtype i8 --relu --out Y.npy
  quader conv --net mobilenet
  quader conv --x X.npy --weights W.npy --config tiny --program job

y = sum over the kernel of (x - zx) (w - zw), plus bias, in int32 or requantised as by `quader gemm`; x is n x h x w x cin,
w is cout x kh x kw x cin/groups. The result is checked against the model and an independent convolution. With --program nothing
runs: the folder gets the program, the operands as they lie in memory, and job.json, which says where everything lies and what is
computed (docs/job.md).";

/// Convolve feature maps on the core and check every element of the result
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Conv {
    /// Images [default: 1]
    #[arg(long)]
    n: Option<usize>,
    /// Lines of an image
    #[arg(long)]
    h: Option<usize>,
    /// Pixels of a line
    #[arg(long)]
    w: Option<usize>,
    /// Channels of a pixel
    #[arg(long)]
    cin: Option<usize>,
    /// Channels of the result
    #[arg(long)]
    cout: Option<usize>,
    /// Lines of the kernel
    #[arg(long)]
    kh: Option<usize>,
    /// Columns of the kernel
    #[arg(long)]
    kw: Option<usize>,
    /// From output to output, in lines and pixels
    #[arg(long, value_name = "S|Y,X", default_value = "1", value_parser = pair)]
    stride: [usize; 2],
    /// Padding: on all sides, above and below and at the sides, or above, left, below, right
    #[arg(long, value_name = "P|Y,X|T,L,B,R", default_value = "0", value_parser = sides)]
    pad: [usize; 4],
    /// From tap to tap of the kernel, in lines and pixels
    #[arg(long, value_name = "D|Y,X", default_value = "1", value_parser = pair)]
    dilation: [usize; 2],
    /// Groups of channels that do not mix; cin for a depthwise convolution
    #[arg(long, default_value_t = 1)]
    groups: usize,
    /// x, n x h x w x cin, int8 or uint8; random from the seed if not given
    #[arg(long, value_name = "X.npy")]
    x: Option<PathBuf>,
    /// Weights, cout x kh x kw x cin/groups, int8 or uint8; random from the seed if not given
    #[arg(long, value_name = "W.npy")]
    weights: Option<PathBuf>,
    /// Zero point of x
    #[arg(long, value_name = "Z", default_value_t = 0, allow_negative_numbers = true)]
    zero_point_x: i32,
    /// Zero point of the weights: a number, or a file of cout integers
    #[arg(long, value_name = "Z|Z.npy", default_value = "0", allow_hyphen_values = true)]
    zero_point_w: String,
    /// Run every convolution of a network of MLPerf Tiny, on random numbers, and show its cube steps beside those with padded channels
    #[arg(long, value_parser = PossibleValuesParser::new(Net::NAMES),
          conflicts_with_all = ["n", "h", "w", "cin", "cout", "kh", "kw", "stride", "pad", "dilation", "groups", "x", "weights",
                                "zero_point_x", "zero_point_w", "bias", "scale", "out", "dtype", "out_dtype",
                                "rounding", "zero_point_out", "relu", "clamp", "program"])]
    net: Option<String>,
    #[command(flatten)]
    options: Options,
}

fn numbers(text: &str) -> Option<Vec<usize>> {
    text.split(',').map(|number| number.trim().parse().ok()).collect()
}

fn pair(text: &str) -> std::result::Result<[usize; 2], String> {
    match numbers(text).as_deref() {
        Some(&[both]) => Ok([both; 2]),
        Some(&[y, x]) => Ok([y, x]),
        _ => Err("write one number, or two for y and x, for example 2,1".to_owned()),
    }
}

fn sides(text: &str) -> std::result::Result<[usize; 4], String> {
    match numbers(text).as_deref() {
        Some(&[all]) => Ok([all; 4]),
        Some(&[y, x]) => Ok([y, x, y, x]),
        Some(&[top, left, bottom, right]) => Ok([top, left, bottom, right]),
        _ => {
            Err("write one number, two for y and x, or four for above, left, below, right, for example 0,1,2,1"
                .to_owned())
        }
    }
}

/// A convolution to be computed, with its operands.
struct Case {
    conv: host::Conv,
    x: Vec<u8>,
    weights: Vec<u8>,
}

impl Conv {
    /// The core that it runs on.
    pub fn target_mut(&mut self) -> &mut Target {
        &mut self.options.target
    }

    /// Runs the command.
    pub fn run(&self) -> Result {
        let memory = self.options.settings()?;
        if let Some(name) = &self.net {
            let net = Net::named(name).expect("the parser admits the names of networks only");
            return net::run(&net, &self.options);
        }
        let case = self.case()?;
        let compiled = case.conv.compile_behind(&self.options.target.config, &memory)?;
        if let Some(folder) = &self.options.program {
            let job = compiled.job(&case.x, &case.weights)?;
            let title = title(&case.conv, self.options.out_dtype.name());
            return job::write(folder, &self.options.target.config, &job, &title, computed(&case));
        }
        self.options.run(&self.work(
            &case,
            compiled.estimate(),
            &|core| compiled.run(core, &case.x, &case.weights),
            &|| reference::convolution(&case.conv, &case.x, &case.weights),
        ))
    }

    fn case(&self) -> Result<Case> {
        let x = self.x.as_deref().map(|path| npy::read_tensor(path, 4)).transpose()?;
        let weights = self.weights.as_deref().map(|path| npy::read_tensor(path, 4)).transpose()?;
        let groups = self.groups;
        let x_size = |axis: usize| (&self.x, x.as_ref().map(|x| x.shape[axis]));
        let w_size = |axis: usize| (&self.weights, weights.as_ref().map(|weights| weights.shape[axis]));
        let (by_weights, group_cin) = w_size(3);
        let cin = (by_weights, group_cin.map(|channels| channels.saturating_mul(groups)));
        let n = size("n", self.n, &[x_size(0)], Some(1))?;
        let h = size("h", self.h, &[x_size(1)], None)?;
        let w = size("w", self.w, &[x_size(2)], None)?;
        let cin = size("cin", self.cin, &[x_size(3), cin], None)?;
        let cout = size("cout", self.cout, &[w_size(0)], None)?;
        let kernel = [size("kh", self.kh, &[w_size(1)], None)?, size("kw", self.kw, &[w_size(2)], None)?];
        let conv = host::Conv {
            n,
            kernel,
            stride: self.stride,
            dilation: self.dilation,
            pads: self.pad,
            groups,
            dtype_x: self.options.dtype(0, "x", &self.x, x.as_ref())?,
            dtype_w: self.options.dtype(1, "the weights", &self.weights, weights.as_ref())?,
            zero_point_x: self.zero_point_x,
            zero_points_w: zero_points("--zero-point-w", &self.zero_point_w)?,
            bias: self.options.bias()?,
            output: self.options.output()?,
            relu: self.options.relu,
            clamp: self.options.clamp,
            ..host::Conv::new([h, w, cin], [cout, 1, 1])
        };
        conv.validate()?;
        let bytes = conv.x_bytes() as u128 + conv.w_bytes() as u128 * groups as u128 + conv.y_bytes() as u128;
        check_bytes(("the convolution", "x, weights and result"), bytes)?;
        let [x, weights] = self.options.operands([x, weights], [conv.x_bytes(), conv.w_bytes()]);
        Ok(Case { conv, x, weights })
    }

    fn work<'a>(
        &self,
        case: &Case,
        estimate: u64,
        run: &'a dyn Fn(&mut dyn Transport) -> host::Result<host::Product>,
        expected: &'a dyn Fn() -> Vec<i32>,
    ) -> Work<'a> {
        let (conv, config) = (&case.conv, &self.options.target.config);
        let [out_h, out_w] = conv.out();
        let out = self.options.out_dtype.name();
        Work {
            doing: "simulating the convolution",
            title: title(conv, out),
            result: ("y", vec![conv.n, out_h, out_w, conv.cout]),
            reference: "convolution",
            estimate,
            run,
            expected,
            figures: figures(conv, config, out),
            notes: notes(conv, config),
        }
    }
}

fn title(conv: &host::Conv, out_dtype: &str) -> String {
    let host::Conv { n, h, w, cin, cout, kernel: [kh, kw], dtype_x, dtype_w, .. } = *conv;
    let ([out_h, out_w], group_cin) = (conv.out(), conv.group_cin());
    format!(
        "y[{n}, {out_h}, {out_w}, {cout}] {out_dtype} = x[{n}, {h}, {w}, {cin}] {dtype_x} * w[{cout}, {kh}, {kw}, {group_cin}] {dtype_w}"
    )
}

/// What a job of a convolution tells of it.
fn computed(case: &Case) -> Computed<'_> {
    let conv = &case.conv;
    let mut figures = json::Object::new();
    let own = [
        ("stride", json!(conv.stride)),
        ("pad", json!(conv.pads)),
        ("dilation", json!(conv.dilation)),
        ("groups", json!(conv.groups)),
        ("zero_point_x", json!(conv.zero_point_x)),
        ("zero_point_w", job::zero_point(&conv.zero_points_w)),
    ];
    for (key, value) in own.into_iter().chain(job::finish(&conv.output, conv.relu, conv.clamp)) {
        figures.insert(key.into(), value);
    }
    let shape = vec![conv.cout, conv.kernel[0], conv.kernel[1], conv.group_cin()];
    let dtype = if conv.dtype_w == isa::Dtype::S8 { "int8" } else { "uint8" };
    Computed { kind: "conv", figures, given: vec![Given { name: "w", dtype, shape, bytes: &case.weights }] }
}

/// What the channel rules of Da Vinci would cost.
fn notes(conv: &host::Conv, config: &Config) -> String {
    let [usual, first] = C0.map(|c0| grouped(conv.padded_steps(config, c0)));
    let packed = grouped(conv.packed_steps(config));
    format!(
        "cube steps   {packed} with k packed, group by group; channels padded to C0 = {}: {usual}, as in a first layer to C0 = {}: {first}\n",
        C0[0], C0[1]
    )
}

/// What JSON tells of a convolution.
pub fn figures(conv: &host::Conv, config: &Config, out_dtype: &str) -> json::Object {
    let [out_h, out_w] = conv.out();
    let mut figures = json::Object::new();
    for (key, value) in [
        ("n", json!(conv.n)),
        ("h", json!(conv.h)),
        ("w", json!(conv.w)),
        ("cin", json!(conv.cin)),
        ("cout", json!(conv.cout)),
        ("kh", json!(conv.kernel[0])),
        ("kw", json!(conv.kernel[1])),
        ("stride", json!(conv.stride)),
        ("pad", json!(conv.pads)),
        ("dilation", json!(conv.dilation)),
        ("groups", json!(conv.groups)),
        ("out_h", json!(out_h)),
        ("out_w", json!(out_w)),
        ("dtype", json!(format!("{}{}", conv.dtype_x, conv.dtype_w))),
        ("out_dtype", json!(out_dtype)),
        ("macs", json!(conv.macs())),
        ("cube_steps_packed", json!(conv.packed_steps(config))),
        ("cube_steps_c0_32", json!(conv.padded_steps(config, C0[0]))),
        ("cube_steps_c0_4", json!(conv.padded_steps(config, C0[1]))),
    ] {
        figures.insert(key.into(), value);
    }
    figures
}

/// A convolution that is wrong is a failure of the run.
pub fn differs(name: &str) -> Failure {
    Failure::failed(format!("{name}: the result is not that of the independent convolution"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_sides_are_read() {
        assert_eq!((pair("2"), pair("2, 1")), (Ok([2, 2]), Ok([2, 1])));
        assert_eq!((sides("3"), sides("1,2"), sides("1,2,3,4")), (Ok([3; 4]), Ok([1, 2, 1, 2]), Ok([1, 2, 3, 4])));
        for text in ["", "x", "1,", "1,2,3", "-1", "1.5"] {
            assert!(pair(text).is_err() && sides(text).is_err(), "{text}");
        }
    }
}
