// SPDX-License-Identifier: Apache-2.0
//! MaxPool, and QLinearGlobalAveragePool and QLinearAveragePool of ONNX Runtime: depthwise convolutions with ones.
//!
//! The largest number of a window is the largest of the results of its taps, one program of the core.
//!
//! y = requantised(sum of (x - zero point)) with scale x_scale / (y_scale count), each step rounded to float32: bit for bit what ONNX
//! Runtime computes. Where padding does not count, counts differ at the borders, and every region of one count is a convolution of its own.

use crate::conv::{ATTRIBUTES, Window, channels_last, sizes};
use crate::error::Result;
use crate::model::Values;
use crate::node::Node;
use crate::plan::{Built, Piece, Places, Region, Work, check_result};
use crate::quantised::{self, single};
use crate::tensor::Tensor;
use host::{Conv, Output};
use isa::Dtype;
use std::ops::Range;

/// QLinearGlobalAveragePool: X, x_scale, x_zero_point, y_scale, y_zero_point.
pub(crate) fn global(node: &Node, values: &Values) -> Result<Built> {
    node.check_attributes(&["channels_last"])?;
    let map = Map::new(node, values)?;
    let window = Window { kernel: [map.h, map.w], stride: [1; 2], dilation: [1; 2], pads: [0; 4] };
    map.pooled(node, values, &window, true)
}

/// QLinearAveragePool: the same inputs, and a window.
pub(crate) fn average(node: &Node, values: &Values) -> Result<Built> {
    // ONNX Runtime has no dilations of it.
    check_attributes(node, &["dilations"], &["channels_last", "count_include_pad"])?;
    let map = Map::new(node, values)?;
    map.pooled(node, values, &map.window(node)?, node.number("count_include_pad")?.unwrap_or(0) != 0)
}

/// MaxPool: X, and a window. Its second result, the places of the largest numbers, is not possible.
pub(crate) fn maximum(node: &Node, values: &Values) -> Result<Built> {
    // The order of storage is that of the places.
    check_attributes(node, &[], &["storage_order"])?;
    node.check_inputs(1)?;
    let map = Map::new(node, values)?;
    let window = map.window(node)?;
    let pool = Conv {
        n: map.n,
        stride: window.stride,
        dilation: window.dilation,
        pads: window.pads,
        ..Conv::max_pool([map.h, map.w, map.channels], window.kernel, map.dtype)
    };
    pool.validate()?;
    let out = pool.out();
    let shape = [&[map.n, map.channels][..], &out[2 - map.axes..]].concat();
    check_result(node, &shape)?;
    let reach = |axis: usize| (window.kernel[axis] - 1) * window.dilation[axis];
    if (0..4).any(|side| window.pads[side] > reach(side % 2)) {
        return Err(node.refused("a window lies in the padding alone, and there is nothing to take the largest of"));
    }
    let piece = Piece {
        second: vec![1; pool.w_bytes()],
        work: Work::Conv(pool),
        places: Places::Map {
            channels: map.channels,
            channels_last: false,
            out,
            region: Region { first: [0; 2], size: out },
        },
        first: map.bytes,
    };
    let operands = format!("X{}, kernel {:?}{window}", map.tensor, window.kernel);
    Ok(Built { operands, shape, pieces: vec![piece] })
}

/// Refuses attributes that no pool has, those left out, and windows that leave the padded map.
fn check_attributes(node: &Node, without: &[&str], own: &[&'static str]) -> Result<()> {
    let common = ATTRIBUTES.into_iter().filter(|name| *name != "group" && !without.contains(name));
    let known: Vec<&str> = common.chain(["ceil_mode"]).chain(own.iter().copied()).collect();
    node.check_attributes(&known)?;
    match node.number("ceil_mode")?.unwrap_or(0) {
        0 => Ok(()),
        _ => {
            Err(node.refused("its attribute ceil_mode is set, and windows that leave the padded map are not possible"))
        }
    }
}

/// The map that is pooled.
struct Map<'a> {
    tensor: &'a Tensor,
    dtype: Dtype,
    /// In NHWC.
    bytes: Vec<u8>,
    n: usize,
    h: usize,
    w: usize,
    channels: usize,
    /// Spatial axes: 1 or 2.
    axes: usize,
    channels_last: bool,
}

impl Map<'_> {
    fn new<'a>(node: &Node, values: &'a Values) -> Result<Map<'a>> {
        node.check_inputs(5)?;
        let tensor = node.required(values, 0, "X")?;
        let (dtype, bytes) = quantised::bytes(node, "X", tensor)?;
        let is_last = node.number("channels_last")?.unwrap_or(0) != 0;
        let axes = tensor.shape.len().saturating_sub(2);
        if tensor.elements.is_empty() {
            return Err(node.refused(format!("X is {tensor}: there is nothing to compute")));
        }
        let [n, second, third, fourth] = sizes(node, "X", tensor)?;
        let ([h, w, channels], bytes) = match (is_last, axes) {
            (false, _) => ([third, fourth, second], channels_last(&bytes, second, third * fourth)),
            (true, 1) => ([1, second, fourth], bytes),
            (true, _) => ([second, third, fourth], bytes),
        };
        Ok(Map { tensor, dtype, bytes, n, h, w, channels, axes, channels_last: is_last })
    }

    fn window(&self, node: &Node) -> Result<Window> {
        let kernel = match node.numbers("kernel_shape")?.as_deref() {
            Some(&[y, x]) if self.axes == 2 => [y, x],
            Some(&[x]) if self.axes == 1 => [1, x],
            _ => {
                let axes = self.axes;
                return Err(node.refused(format!("its attribute kernel_shape must be there and have {axes} numbers")));
            }
        };
        Window::new(node, self.axes, [self.h, self.w], kernel)
    }

    fn pooled(&self, node: &Node, values: &Values, window: &Window, padding_counts: bool) -> Result<Built> {
        let zero = |index, name| {
            let (values, shape) =
                quantised::zero_points(node, name, Some(node.required(values, index, name)?), self.tensor)?;
            single(node, name, &values, &shape)
        };
        let scale = |index, name| {
            let (values, shape) = quantised::scales(node, name, node.required(values, index, name)?, &["float32"])?;
            single(node, name, &values, &shape)
        };
        let (zero_x, zero_y) = (zero(2, "x_zero_point")?, zero(4, "y_zero_point")?);
        let (scale_x, scale_y) = (scale(1, "x_scale")?, scale(3, "y_scale")?);
        let conv = Conv {
            n: self.n,
            stride: window.stride,
            pads: window.pads,
            groups: self.channels,
            dtype_x: self.dtype,
            zero_point_x: zero_x,
            ..Conv::new([self.h, self.w, self.channels], [self.channels, window.kernel[0], window.kernel[1]])
        };
        conv.validate()?;
        let out = conv.out();
        let shape = match self.channels_last {
            false => [&[self.n, self.channels][..], &out[2 - self.axes..]].concat(),
            true => [&[self.n][..], &out[2 - self.axes..], &[self.channels]].concat(),
        };
        check_result(node, &shape)?;
        let [lines, columns] = [0, 1].map(|axis| runs(window, axis, [self.h, self.w][axis], out[axis], padding_counts));
        let mut pieces = vec![];
        for lines in &lines {
            for columns in &columns {
                let count = lines.count * columns.count;
                if count == 0 {
                    return Err(node.refused("a window lies in the padding alone, and there is nothing to average"));
                }
                let scale = quantised::positive(node, scale_x / (scale_y * count as f32))?;
                let conv = Conv {
                    h: lines.inputs.len(),
                    w: columns.inputs.len(),
                    pads: [lines.pads[0], columns.pads[0], lines.pads[1], columns.pads[1]],
                    output: Output::Quantised { dtype: self.dtype, scales: vec![scale], zero_point: zero_y },
                    ..conv.clone()
                };
                pieces.push(Piece {
                    first: self.cut(&lines.inputs, &columns.inputs),
                    second: vec![1; conv.w_bytes()],
                    work: Work::Conv(conv),
                    places: Places::Map {
                        channels: self.channels,
                        channels_last: self.channels_last,
                        out,
                        region: Region {
                            first: [lines.outputs.start, columns.outputs.start],
                            size: [lines.outputs.len(), columns.outputs.len()],
                        },
                    },
                });
            }
        }
        Ok(Built { operands: format!("X{}, kernel {:?}{window}", self.tensor, window.kernel), shape, pieces })
    }

    /// A part of every image.
    fn cut(&self, lines: &Range<usize>, columns: &Range<usize>) -> Vec<u8> {
        let mut bytes = vec![];
        for image in 0..self.n {
            for line in lines.clone() {
                let first = (image * self.h + line) * self.w;
                let range = (first + columns.start) * self.channels..(first + columns.end) * self.channels;
                bytes.extend_from_slice(&self.bytes[range]);
            }
        }
        bytes
    }
}

/// Outputs one after the other along an axis whose windows count as many elements.
struct Run {
    outputs: Range<usize>,
    count: usize,
    /// What they read of the map, and what is missing before and behind.
    inputs: Range<usize>,
    pads: [usize; 2],
}

/// The runs of an axis of `size` elements and `out` outputs.
fn runs(window: &Window, axis: usize, size: usize, out: usize, padding_counts: bool) -> Vec<Run> {
    let (kernel, stride, before) = (window.kernel[axis], window.stride[axis], window.pads[axis]);
    // From the beginning of the padding on, the map is before..before + size.
    let map = before..before + size;
    let inside = |range: &Range<usize>| range.end.min(map.end).saturating_sub(range.start.max(map.start));
    let count = |output: usize| match padding_counts {
        true => kernel,
        false => inside(&(output * stride..output * stride + kernel)),
    };
    let mut runs: Vec<Run> = vec![];
    let mut start = 0;
    for end in 1..=out {
        if end < out && count(end) == count(start) {
            continue;
        }
        let reads = start * stride..(end - 1) * stride + kernel;
        let inputs = reads.start.clamp(map.start, map.end) - before..reads.end.clamp(map.start, map.end) - before;
        let pads = [map.start.saturating_sub(reads.start), reads.end.saturating_sub(map.end)];
        runs.push(Run { outputs: start..end, count: count(start), inputs, pads });
        start = end;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_are_runs_of_their_own() {
        let window = Window { kernel: [3, 1], stride: [1; 2], dilation: [1; 2], pads: [1, 0, 1, 0] };
        let of = |axis, size, out, counts| {
            let runs = runs(&window, axis, size, out, counts);
            runs.into_iter().map(|run| (run.outputs, run.count, run.inputs, run.pads)).collect::<Vec<_>>()
        };
        let borders = [(0..1, 2, 0..2, [1, 0]), (1..4, 3, 0..5, [0, 0]), (4..5, 2, 3..5, [0, 1])];
        assert_eq!(of(0, 5, 5, false), borders);
        assert_eq!(of(0, 5, 5, true), [(0..5, 3, 0..5, [1, 1])]);
        assert_eq!(of(1, 7, 7, false), [(0..7, 1, 0..7, [0, 0])]);
        // One element with padding on both sides.
        assert_eq!(of(0, 1, 1, false), [(0..1, 1, 0..1, [1, 1])]);
    }
}
