// SPDX-License-Identifier: Apache-2.0
//! Random convolutions, their result by plain loops, and, for dense ones, by `ndarray` over the gathered operand.

use super::Case;
use host::{Conv, Gemm, Reduce};
use isa::Dtype;
use rand::{Rng, RngExt};
use std::fmt;

/// A convolution with its operands, and the product that it is.
pub struct ConvCase {
    pub conv: Conv,
    pub x: Vec<u8>,
    pub weights: Vec<u8>,
    /// What is done to the sums; its B is the weights, its A is made by [`ConvCase::gathered`].
    product: Case,
}

impl fmt::Display for ConvCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brief = Conv { bias: None, zero_points_w: vec![], output: host::Output::Int32, ..self.conv.clone() };
        write!(f, "{brief:?} into {}", self.conv.output.dtype())
    }
}

impl ConvCase {
    /// Numbers, zero points, bias and output at random for a shape.
    pub fn random_numbers(rng: &mut impl Rng, shape: Conv) -> ConvCase {
        let k = shape.kernel[0] * shape.kernel[1] * shape.group_cin();
        let mut product = Case::random(rng, 1, shape.cout, k);
        product.gemm.m = shape.pixels();
        product.gemm.transposed_b = true;
        let Gemm { dtype_a, dtype_b, zero_point_a, relu, clamp, .. } = product.gemm;
        let Gemm { zero_points_b, bias, output, .. } = product.gemm.clone();
        let conv = Conv {
            dtype_x: dtype_a,
            dtype_w: dtype_b,
            zero_point_x: zero_point_a,
            zero_points_w: zero_points_b,
            bias,
            output,
            relu,
            clamp,
            ..shape
        };
        let mut bytes = |count| (0..count).map(|_| rng.random()).collect::<Vec<u8>>();
        let (x, weights) = (bytes(conv.x_bytes()), bytes(conv.w_bytes()));
        product.b.clone_from(&weights);
        ConvCase { conv, x, weights, product }
    }

    /// Everything at random, with at most `most` multiply-accumulates.
    pub fn random(rng: &mut impl Rng, most: u64) -> ConvCase {
        loop {
            let shape = random_shape(rng);
            if shape.validate().is_ok() && shape.macs() <= most {
                return ConvCase::random_numbers(rng, shape);
            }
        }
    }

    /// Element of x less its zero point; `None` in the padding.
    fn x_at(&self, image: usize, pixel: [usize; 2], tap: [usize; 2], channel: usize) -> Option<i64> {
        let conv = &self.conv;
        let place = |axis: usize, size: usize| {
            let at = pixel[axis] * conv.stride[axis] + tap[axis] * conv.dilation[axis];
            at.checked_sub(conv.pads[axis]).filter(|&at| at < size)
        };
        let (y, x) = (place(0, conv.h)?, place(1, conv.w)?);
        let byte = self.x[((image * conv.h + y) * conv.w + x) * conv.cin + channel];
        Some(number(byte, conv.dtype_x) - i64::from(conv.zero_point_x))
    }

    /// The result by the definition: loops over everything.
    pub fn expected(&self) -> Vec<i32> {
        let conv = &self.conv;
        let ([out_h, out_w], [kh, kw], group_cin) = (conv.out(), conv.kernel, conv.group_cin());
        let mut values = Vec::new();
        for image in 0..conv.n {
            for (oy, ox) in (0..out_h).flat_map(|oy| (0..out_w).map(move |ox| (oy, ox))) {
                for output in 0..conv.cout {
                    let first = output / conv.group_cout() * group_cin;
                    let zero = match conv.zero_points_w[..] {
                        [] => 0,
                        [one] => one,
                        ref each => each[output],
                    };
                    let taps = (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx)));
                    let products = taps.map(|(ky, kx)| {
                        let product = |c| {
                            let x = self.x_at(image, [oy, ox], [ky, kx], first + c)?;
                            let weight = self.weights[((output * kh + ky) * kw + kx) * group_cin + c];
                            Some(x * (number(weight, conv.dtype_w) - i64::from(zero)))
                        };
                        (0..group_cin).filter_map(product).sum::<i64>()
                    });
                    let fix = |sum: i64| self.product.fix(sum as i32, output);
                    values.push(match conv.reduce {
                        Reduce::Sum => fix(products.sum()),
                        Reduce::Max => products.map(fix).max().expect("a kernel has taps"),
                    });
                }
            }
        }
        values
    }

    /// The product of the gathered operand, in which padding is the zero point of x, for `ndarray`; `None` with groups.
    pub fn gathered(&self) -> Option<Case> {
        let conv = &self.conv;
        let ([out_h, out_w], [kh, kw]) = (conv.out(), conv.kernel);
        let mut a = Vec::new();
        for pixel in 0..conv.pixels() {
            let (image, oy, ox) = (pixel / (out_h * out_w), pixel / out_w % out_h, pixel % out_w);
            for k in 0..kh * kw * conv.cin {
                let (tap, channel) = ([k / conv.cin / kw, k / conv.cin % kw], k % conv.cin);
                let value = self.x_at(image, [oy, ox], tap, channel).unwrap_or(0);
                a.push((value + i64::from(conv.zero_point_x)) as u8);
            }
        }
        (conv.groups == 1 && conv.reduce == Reduce::Sum).then(|| Case {
            gemm: self.product.gemm.clone(),
            a,
            b: self.product.b.clone(),
        })
    }

    /// Panics at the first element that is not the expected one.
    pub fn compare(&self, values: &[i32]) {
        let expected = self.expected();
        assert_eq!(values.len(), expected.len(), "{self}");
        let [out_h, out_w] = self.conv.out();
        if let Some(at) = values.iter().zip(&expected).position(|(got, expected)| got != expected) {
            let (pixel, c) = (at / self.conv.cout, at % self.conv.cout);
            let (image, y, x) = (pixel / (out_h * out_w), pixel / out_w % out_h, pixel % out_w);
            panic!("{self}: y[{image}, {y}, {x}, {c}] is {} and should be {}", values[at], expected[at]);
        }
    }
}

fn number(byte: u8, dtype: Dtype) -> i64 {
    if dtype == Dtype::S8 { i64::from(byte as i8) } else { i64::from(byte) }
}

/// Odd sizes, all pads different, strides, dilations, groups; often not legal.
fn random_shape(rng: &mut impl Rng) -> Conv {
    let mut pick = |low: usize, high: usize| rng.random_range(low..=high);
    let groups = [1, 1, 1, 2, 3, 4, 8, 17, 33][pick(0, 8)];
    let (group_cin, group_cout) = match pick(0, 3) {
        // Depthwise, often without a multiplier.
        0 => (1, [1, 1, 2][pick(0, 2)]),
        _ if groups == 1 => (pick(1, 70), pick(1, 70)),
        _ => (pick(1, 9), pick(1, 9)),
    };
    let size = |pick: &mut dyn FnMut(usize, usize) -> usize| [pick(1, 6), pick(1, 20), pick(20, 40)][pick(0, 2)];
    let (h, w) = (size(&mut pick), size(&mut pick));
    let few = |pick: &mut dyn FnMut(usize, usize) -> usize| [1, 1, 2, 3][pick(0, 3)];
    Conv {
        n: [1, 1, 2][pick(0, 2)],
        kernel: [[1, 3, 3, pick(1, 7)][pick(0, 3)], [1, 3, 3, pick(1, 7)][pick(0, 3)]],
        stride: [few(&mut pick), few(&mut pick)],
        dilation: [few(&mut pick), few(&mut pick)],
        pads: [pick(0, 3), pick(0, 3), pick(0, 3), pick(0, 3)],
        groups,
        ..Conv::new([h, w, groups * group_cin], [groups * group_cout, 1, 1])
    }
}
