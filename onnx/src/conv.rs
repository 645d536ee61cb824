// SPDX-License-Identifier: Apache-2.0
//! ConvInteger and QLinearConv: one convolution of the core, its map turned from NCHW to NHWC and its result back.

use crate::error::Result;
use crate::model::Values;
use crate::node::Node;
use crate::plan::{Built, Piece, Places, Region, Work, check_result};
use crate::quantised::{self, combined, per_channel, requantised, single};
use crate::tensor::{Shape, Tensor};
use host::{Conv, Output};

/// What says how a kernel goes over a map.
pub(crate) const ATTRIBUTES: [&str; 6] = ["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"];

/// ConvInteger: x, w, x_zero_point, w_zero_point.
pub(crate) fn integer(node: &Node, values: &Values) -> Result<Built> {
    node.check_inputs(4)?;
    let (x, w) = (node.required(values, 0, "x")?, node.required(values, 1, "w")?);
    let zero = |index, name, of| quantised::zero_points(node, name, node.optional(values, index, name)?, of);
    built(node, x, w, zero(2, "x_zero_point", x)?, zero(3, "w_zero_point", w)?, |_| Ok((None, Output::Int32)))
}

/// QLinearConv: each of x, w, y with scale and zero point; B.
pub(crate) fn quantised(node: &Node, values: &Values) -> Result<Built> {
    node.check_inputs(9)?;
    let (x, w) = (node.required(values, 0, "x")?, node.required(values, 3, "w")?);
    let zero = |index, name, of| quantised::zero_points(node, name, Some(node.required(values, index, name)?), of);
    let scale = |index, name| quantised::scales(node, name, node.required(values, index, name)?, &["float32"]);
    let y = node.required(values, 7, "y_zero_point")?;
    built(node, x, w, zero(2, "x_zero_point", x)?, zero(5, "w_zero_point", w)?, |cout| {
        let ((x_scale, x_shape), (y_scale, y_shape)) = (scale(1, "x_scale")?, scale(6, "y_scale")?);
        let x_scale = single(node, "x_scale", &x_scale, &x_shape)?;
        let y_scale = single(node, "y_scale", &y_scale, &y_shape)?;
        let w_scale = per_channel(node, "w_scale", scale(4, "w_scale")?, cout)?;
        let scales = w_scale.into_iter().map(|w_scale| combined(node, x_scale, w_scale, y_scale));
        let (zero_y, shape) = zero(7, "y_zero_point", y)?;
        let zero_y = single(node, "y_zero_point", &zero_y, &shape)?;
        let dtype = quantised::dtype(node, "y_zero_point", y)?;
        let output = requantised(dtype, scales.collect::<Result<_>>()?, zero_y);
        Ok((node.optional(values, 8, "B")?.map(|bias| self::bias(node, bias, cout)).transpose()?, output))
    })
}

fn bias(node: &Node, tensor: &Tensor, cout: usize) -> Result<Vec<i32>> {
    match tensor.elements.integers() {
        Some(values) if tensor.elements.dtype() == "int32" && tensor.shape == [cout] => Ok(values),
        _ => Err(node.refused(format!("B is {tensor}, and it must be [{cout}] int32"))),
    }
}

/// Values with the shape of the tensor they come from.
type Given = (Vec<i32>, Vec<usize>);

/// The convolution, whose bias and output come from the number of its channels.
fn built(
    node: &Node,
    x: &Tensor,
    w: &Tensor,
    (zero_x, zero_x_shape): Given,
    zero_w: Given,
    finish: impl FnOnce(usize) -> Result<(Option<Vec<i32>>, Output)>,
) -> Result<Built> {
    node.check_attributes(&ATTRIBUTES)?;
    let ((dtype_x, x_bytes), (dtype_w, w_bytes)) = (quantised::bytes(node, "x", x)?, quantised::bytes(node, "w", w)?);
    let [n, cin, h, width] = sizes(node, "x", x)?;
    let [cout, group_cin, kernel_h, kernel_w] = sizes(node, "w", w)?;
    let axes = x.shape.len() - 2;
    if w.shape.len() != x.shape.len() {
        return Err(node.refused(format!("x is {x} and w is {w}: they must have the same number of dimensions")));
    }
    let groups = node.number("group")?.unwrap_or(1);
    if group_cin.checked_mul(groups) != Some(cin) {
        return Err(node.refused(format!(
            "x is {x}, w is {w} and group is {groups}: the channels of x must be those of w times the groups"
        )));
    }
    let window = Window::new(node, axes, [h, width], [kernel_h, kernel_w])?;
    let (bias, output) = finish(cout)?;
    let conv = Conv {
        n,
        stride: window.stride,
        dilation: window.dilation,
        pads: window.pads,
        groups,
        dtype_x,
        dtype_w,
        zero_point_x: single(node, "x_zero_point", &zero_x, &zero_x_shape)?,
        zero_points_w: per_channel(node, "w_zero_point", zero_w, cout)?,
        bias,
        output,
        ..Conv::new([h, width, cin], [cout, kernel_h, kernel_w])
    };
    conv.validate()?;
    let [out_h, out_w] = conv.out();
    let shape = [&[n, cout][..], &[out_h, out_w][2 - axes..]].concat();
    check_result(node, &shape)?;
    let piece = Piece {
        first: channels_last(&x_bytes, cin, h * width),
        second: channels_last(&w_bytes, group_cin, kernel_h * kernel_w),
        places: Places::Map {
            channels: cout,
            channels_last: false,
            out: conv.out(),
            region: Region { first: [0; 2], size: conv.out() },
        },
        work: Work::Conv(conv),
    };
    let operands =
        format!("x{x}, w{w}{window}{}", if groups > 1 { format!(", group {groups}") } else { String::new() });
    Ok(Built { operands, shape, pieces: vec![piece] })
}

/// The four sizes of a map or of weights; of one spatial axis, the lines are 1.
pub(crate) fn sizes(node: &Node, name: &str, tensor: &Tensor) -> Result<[usize; 4]> {
    match tensor.shape[..] {
        [outer, channels, width] => Ok([outer, channels, 1, width]),
        [outer, channels, height, width] => Ok([outer, channels, height, width]),
        ref shape => {
            Err(node
                .refused(format!("{name} has the shape {}, and one or two spatial axes are possible", Shape(shape))))
        }
    }
}

/// `[.., channels, pixels]` as `[.., pixels, channels]`.
pub(crate) fn channels_last(bytes: &[u8], channels: usize, pixels: usize) -> Vec<u8> {
    let image = |image: &[u8]| -> Vec<u8> {
        (0..pixels).flat_map(|pixel| image.iter().skip(pixel).step_by(pixels)).copied().collect()
    };
    bytes.chunks_exact((channels * pixels).max(1)).flat_map(image).collect()
}

/// How the kernel goes over the map.
pub(crate) struct Window {
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Above, left, below, right.
    pub(crate) pads: [usize; 4],
}

impl Window {
    pub(crate) fn new(node: &Node, axes: usize, map: [usize; 2], kernel: [usize; 2]) -> Result<Window> {
        let list =
            |name: &str, count: usize| match node.numbers(name)? {
                Some(values) if values.len() != count => Err(node
                    .refused(format!("its attribute {name} has {} numbers, and it must have {count}", values.len()))),
                found => Ok(found),
            };
        // An axis that is not there has one line.
        let pair = |name: &str| -> Result<[usize; 2]> {
            Ok(match list(name, axes)?.as_deref() {
                Some(&[y, x]) => [y, x],
                Some(&[x]) => [1, x],
                _ => [1; 2],
            })
        };
        let (stride, dilation) = (pair("strides")?, pair("dilations")?);
        if list("kernel_shape", axes)?.is_some_and(|shape| shape != kernel[2 - axes..]) {
            return Err(
                node.refused(format!("its attribute kernel_shape is not that of w, {}", Shape(&kernel[2 - axes..])))
            );
        }
        let given = list("pads", 2 * axes)?;
        let word = node.text("auto_pad")?.unwrap_or_else(|| "NOTSET".into());
        if word != "NOTSET" && given.is_some() {
            return Err(node.refused(format!("its attributes pads and auto_pad, which is {word}, exclude each other")));
        }
        let same = |axis: usize, lower: bool| {
            let reach = (kernel[axis].saturating_sub(1)).saturating_mul(dilation[axis]).saturating_add(1);
            let outputs = map[axis].div_ceil(stride[axis].max(1));
            let padding =
                outputs.saturating_sub(1).saturating_mul(stride[axis]).saturating_add(reach).saturating_sub(map[axis]);
            let (less, more) = (padding / 2, padding.div_ceil(2));
            if lower { [more, less] } else { [less, more] }
        };
        let pads = match (word.as_str(), given.as_deref()) {
            ("NOTSET", Some(&[top, left, bottom, right])) => [top, left, bottom, right],
            ("NOTSET", Some(&[left, right])) => [0, left, 0, right],
            ("NOTSET" | "VALID", _) => [0; 4],
            ("SAME_UPPER" | "SAME_LOWER", _) => {
                let [[top, bottom], [left, right]] = [0, 1].map(|axis| same(axis, word == "SAME_LOWER"));
                [top, left, bottom, right]
            }
            _ => return Err(node.refused(format!("its attribute auto_pad is {word}, which is not known"))),
        };
        Ok(Window { kernel, stride, dilation, pads })
    }
}

impl std::fmt::Display for Window {
    /// What is not as usual.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, values, usual) in
            [("strides", &self.stride[..], 1), ("dilations", &self.dilation, 1), ("pads", &self.pads, 0)]
        {
            if values.iter().any(|&value| value != usual) {
                write!(f, ", {name} {}", Shape(values))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{AttributeProto, NodeProto};

    fn node(auto_pad: &str, strides: [i64; 2], dilations: [i64; 2]) -> Node {
        let ints = |name: &str, values: [i64; 2]| AttributeProto {
            name: name.into(),
            ints: values.to_vec(),
            r#type: 7,
            ..AttributeProto::default()
        };
        let word =
            AttributeProto { name: "auto_pad".into(), s: auto_pad.into(), r#type: 3, ..AttributeProto::default() };
        let attribute = vec![word, ints("strides", strides), ints("dilations", dilations)];
        Node::from_proto(NodeProto { op_type: "ConvInteger".into(), attribute, ..NodeProto::default() })
    }

    #[test]
    fn padding_that_is_left_to_the_operator_gives_the_sizes_of_onnx() {
        // 5 lines by a kernel of 4: outputs 3 with stride 2, so (3 - 1) 2 + 4 - 5 = 3; 7 pixels by a kernel of 2 with dilation 3: 3.
        let of = |word, strides, dilations| {
            Window::new(&node(word, strides, dilations), 2, [5, 7], [4, 2]).expect("legal").pads
        };
        assert_eq!(of("SAME_UPPER", [2, 1], [1, 3]), [1, 1, 2, 2]);
        assert_eq!(of("SAME_LOWER", [2, 1], [1, 3]), [2, 2, 1, 1]);
        assert_eq!(of("VALID", [2, 1], [1, 3]), [0; 4]);
        // With more stride than kernel nothing is padded.
        assert_eq!(of("SAME_UPPER", [5, 7], [1, 1]), [0; 4]);
        assert!(Window::new(&node("SAME", [1; 2], [1; 2]), 2, [5, 7], [4, 2]).is_err());
    }

    #[test]
    fn maps_are_turned() {
        // Two images of two channels and three pixels.
        let bytes = [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32];
        assert_eq!(channels_last(&bytes, 2, 3), [0, 10, 1, 11, 2, 12, 20, 30, 21, 31, 22, 32]);
    }
}
