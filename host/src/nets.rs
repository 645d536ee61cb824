// SPDX-License-Identifier: Apache-2.0
//! The convolutions of the MLPerf Tiny reference models, and one of each sort of ResNet-50, for tests and tables.
//!
//! *Sources*: K. He and others, Deep Residual Learning for Image Recognition, 2015, table 1, with the stride on the 3 x 3 convolutions; <https://github.com/mlcommons/tiny>, `benchmark/training`: `keyword_spotting/keras_model.py` (DS-CNN),
//! `visual_wake_words/vww_model.py` (MobileNetV1 with width 0.25, 96 x 96), `image_classification/keras_model.py` (ResNet with 16 filters).
//! All layers have padding `same`.

use crate::conv::Conv;

/// A network's convolutions in the order in which they run.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    /// As the command line calls it.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// The convolutions: s8 into int32, without zero points and bias.
    pub layers: Vec<Layer>,
}

/// A convolution of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name in this table.
    pub name: String,
    /// The convolution.
    pub conv: Conv,
}

impl Net {
    /// The names that [`Net::named`] knows.
    pub const NAMES: [&'static str; 3] = ["ds-cnn", "mobilenet", "resnet-8"];

    /// The network of this name.
    pub fn named(name: &str) -> Option<Net> {
        match name {
            "ds-cnn" => Some(ds_cnn()),
            "mobilenet" => Some(mobilenet()),
            "resnet-8" => Some(resnet_8()),
            _ => None,
        }
    }
}

/// Padding `same`: the output has ceil(size / stride) pixels, and of an odd number of padding pixels one more is behind.
fn same([h, w, cin]: [usize; 3], kernel: [usize; 2], cout: usize, stride: usize, groups: usize) -> Conv {
    let pad = |size: usize, kernel: usize| ((size.div_ceil(stride) - 1) * stride + kernel).saturating_sub(size);
    let (pad_y, pad_x) = (pad(h, kernel[0]), pad(w, kernel[1]));
    let pads = [pad_y / 2, pad_x / 2, pad_y - pad_y / 2, pad_x - pad_x / 2];
    Conv { stride: [stride; 2], pads, groups, ..Conv::new([h, w, cin], [cout, kernel[0], kernel[1]]) }
}

fn layer(name: impl Into<String>, conv: Conv) -> Layer {
    Layer { name: name.into(), conv }
}

fn ds_cnn() -> Net {
    let mut layers = vec![layer("conv", same([49, 10, 1], [10, 4], 64, 2, 1))];
    for block in 1..=4 {
        layers.push(layer(format!("dw{block}"), same([25, 5, 64], [3, 3], 64, 1, 64)));
        layers.push(layer(format!("pw{block}"), same([25, 5, 64], [1, 1], 64, 1, 1)));
    }
    Net { name: "ds-cnn", title: "DS-CNN, keyword spotting", layers }
}

fn mobilenet() -> Net {
    let mut layers = vec![layer("conv", same([96, 96, 3], [3, 3], 8, 2, 1))];
    let (mut size, mut channels) = (48, 8);
    let blocks = [(1, 16), (2, 32), (1, 32), (2, 64), (1, 64), (2, 128)].into_iter();
    let blocks = blocks.chain([(1, 128); 5]).chain([(2, 256), (1, 256)]);
    for (block, (stride, outputs)) in (1..).zip(blocks) {
        let depthwise = same([size, size, channels], [3, 3], channels, stride, channels);
        size = depthwise.out()[0];
        layers.push(layer(format!("dw{block}"), depthwise));
        layers.push(layer(format!("pw{block}"), same([size, size, channels], [1, 1], outputs, 1, 1)));
        channels = outputs;
    }
    Net { name: "mobilenet", title: "MobileNetV1 0.25, visual wake words", layers }
}

fn resnet_8() -> Net {
    let mut layers = vec![layer("conv", same([32, 32, 3], [3, 3], 16, 1, 1))];
    let (mut size, mut channels) = (32, 16);
    for (stack, stride, outputs) in [(1, 1, 16), (2, 2, 32), (3, 2, 64)] {
        let first = same([size, size, channels], [3, 3], outputs, stride, 1);
        let out = first.out()[0];
        layers.push(layer(format!("conv{stack}a"), first));
        layers.push(layer(format!("conv{stack}b"), same([out, out, outputs], [3, 3], outputs, 1, 1)));
        if stride > 1 {
            layers.push(layer(format!("skip{stack}"), same([size, size, channels], [1, 1], outputs, stride, 1)));
        }
        (size, channels) = (out, outputs);
    }
    Net { name: "resnet-8", title: "ResNet-8, image classification", layers }
}

/// Six convolutions of ResNet-50: the first, a narrowing and a widening one, and a 3 x 3 of three of the four stages.
pub fn resnet_50() -> Net {
    let layers = vec![
        layer("conv1", same([224, 224, 3], [7, 7], 64, 2, 1)),
        layer("conv2 3x3", same([56, 56, 64], [3, 3], 64, 1, 1)),
        layer("conv2 widen", same([56, 56, 64], [1, 1], 256, 1, 1)),
        layer("conv3 3x3/2", same([56, 56, 128], [3, 3], 128, 2, 1)),
        layer("conv4 narrow", same([14, 14, 1024], [1, 1], 256, 1, 1)),
        layer("conv5 3x3", same([7, 7, 512], [3, 3], 512, 1, 1)),
    ];
    Net { name: "resnet-50", title: "ResNet-50, six of its convolutions", layers }
}
