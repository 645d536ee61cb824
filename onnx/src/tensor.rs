// SPDX-License-Identifier: Apache-2.0
//! Tensors in memory: a shape and elements of one of the number formats that the operators take.

use crate::error::{OnnxError, Result};
use crate::proto::TensorProto;
use half::{bf16, f16};
use std::fmt;

/// The elements of a tensor, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// `int8`.
    Int8(Vec<i8>),
    /// `uint8`.
    Uint8(Vec<u8>),
    /// `int32`.
    Int32(Vec<i32>),
    /// `float32`.
    Float32(Vec<f32>),
    /// `float16`.
    Float16(Vec<f16>),
    /// `bfloat16`.
    Bfloat16(Vec<bf16>),
}

/// A number format of ONNX: its code in files and its name.
type Format = (i32, &'static str);

const FLOAT32: Format = (1, "float32");
const UINT8: Format = (2, "uint8");
const INT8: Format = (3, "int8");
const INT32: Format = (6, "int32");
const FLOAT16: Format = (10, "float16");
const BFLOAT16: Format = (16, "bfloat16");

/// The formats that no operator of this crate takes, for the sentence that refuses them.
const OTHERS: [Format; 12] = [
    (4, "uint16"),
    (5, "int16"),
    (7, "int64"),
    (8, "text"),
    (9, "bool"),
    (11, "float64"),
    (12, "uint32"),
    (13, "uint64"),
    (17, "float8e4m3fn"),
    (18, "float8e4m3fnuz"),
    (19, "float8e5m2"),
    (20, "float8e5m2fnuz"),
];

impl Elements {
    /// What ONNX and NumPy call the format.
    pub fn dtype(&self) -> &'static str {
        match self {
            Elements::Int8(_) => INT8.1,
            Elements::Uint8(_) => UINT8.1,
            Elements::Int32(_) => INT32.1,
            Elements::Float32(_) => FLOAT32.1,
            Elements::Float16(_) => FLOAT16.1,
            Elements::Bfloat16(_) => BFLOAT16.1,
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Elements::Int8(values) => values.len(),
            Elements::Uint8(values) => values.len(),
            Elements::Int32(values) => values.len(),
            Elements::Float32(values) => values.len(),
            Elements::Float16(values) => values.len(),
            Elements::Bfloat16(values) => values.len(),
        }
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The integers as numbers; `None` for floats.
    pub fn integers(&self) -> Option<Vec<i32>> {
        match self {
            Elements::Int8(values) => Some(values.iter().copied().map(i32::from).collect()),
            Elements::Uint8(values) => Some(values.iter().copied().map(i32::from).collect()),
            Elements::Int32(values) => Some(values.clone()),
            Elements::Float32(_) | Elements::Float16(_) | Elements::Bfloat16(_) => None,
        }
    }

    /// The bytes of int8 or uint8; `None` for the others.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Elements::Int8(values) => Some(values.iter().map(|&value| value as u8).collect()),
            Elements::Uint8(values) => Some(values.clone()),
            _ => None,
        }
    }
}

/// A tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its dimensions; none for a scalar.
    pub shape: Vec<usize>,
    /// As many as the shape says.
    pub elements: Elements,
}

impl Tensor {
    /// A tensor from its message.
    ///
    /// *Errors*: [`OnnxError::Tensor`] for a format that no operator of this crate takes, elements in another file, a negative
    /// dimension, and a number of elements that is not that of the shape.
    pub(crate) fn from_proto(proto: &TensorProto) -> Result<Tensor> {
        let refused = |reason: String| OnnxError::Tensor { name: shown(&proto.name), reason };
        if proto.data_location != 0 {
            return Err(refused("has its elements in another file: save the model with all data inside".into()));
        }
        if proto.segment.is_some() {
            return Err(refused("is only a segment of a tensor: save it whole".into()));
        }
        let size = |&dim: &i64| usize::try_from(dim).map_err(|_| refused(format!("has a dimension of {dim}")));
        let shape = proto.dims.iter().map(size).collect::<Result<Vec<usize>>>()?;
        let elements = elements(proto).map_err(refused)?;
        let wanted = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        if wanted != Some(elements.len()) {
            return Err(refused(format!("has {} elements, and its shape is {}", elements.len(), Shape(&shape))));
        }
        Ok(Tensor { shape, elements })
    }
}

impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Shape(&self.shape), self.elements.dtype())
    }
}

/// A shape as people write it: `[2, 3]`.
pub(crate) struct Shape<'a>(pub(crate) &'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<String> = self.0.iter().map(usize::to_string).collect();
        write!(f, "[{}]", sizes.join(", "))
    }
}

/// A name, also if there is none.
fn shown(name: &str) -> String {
    if name.is_empty() { "without a name".into() } else { name.into() }
}

/// *Errors*: the reason.
fn elements(proto: &TensorProto) -> std::result::Result<Elements, String> {
    let held = [INT8, UINT8, INT32, FLOAT32, FLOAT16, BFLOAT16].into_iter().find(|(code, _)| *code == proto.data_type);
    Ok(match held {
        Some(INT8) => {
            Elements::Int8(numbers(proto, INT8, |[byte]| i8::from_le_bytes([byte]), |value| value.try_into().ok())?)
        }
        Some(UINT8) => Elements::Uint8(numbers(proto, UINT8, |[byte]| byte, |value| value.try_into().ok())?),
        Some(INT32) => Elements::Int32(numbers(proto, INT32, i32::from_le_bytes, Some)?),
        Some(FLOAT16) => Elements::Float16(numbers(proto, FLOAT16, f16::from_le_bytes, |value| {
            value.try_into().ok().map(f16::from_bits)
        })?),
        Some(BFLOAT16) => Elements::Bfloat16(numbers(proto, BFLOAT16, bf16::from_le_bytes, |value| {
            value.try_into().ok().map(bf16::from_bits)
        })?),
        Some(_) => match &proto.raw_data {
            Some(raw) => Elements::Float32(pieces(raw, FLOAT32.1, f32::from_le_bytes)?),
            None => Elements::Float32(proto.float_data.clone()),
        },
        None => {
            let name = OTHERS.iter().find(|(code, _)| *code == proto.data_type).map(|(_, name)| (*name).to_owned());
            let name = name.unwrap_or_else(|| format!("of the format with number {}", proto.data_type));
            return Err(format!(
                "is {name}, which is not possible here: int8, uint8, int32, float32, float16, bfloat16 are"
            ));
        }
    })
}

/// Numbers of N bytes in `raw_data`, or one by one in `int32_data`.
fn numbers<T, const N: usize>(
    proto: &TensorProto,
    (_, name): Format,
    from_bytes: impl Fn([u8; N]) -> T,
    from_number: impl Fn(i32) -> Option<T>,
) -> std::result::Result<Vec<T>, String> {
    if let Some(raw) = &proto.raw_data {
        return pieces(raw, name, from_bytes);
    }
    let number = |&value: &i32| from_number(value).ok_or_else(|| format!("is {name} and holds {value}"));
    proto.int32_data.iter().map(number).collect()
}

fn pieces<T, const N: usize>(
    raw: &[u8],
    name: &str,
    from_bytes: impl Fn([u8; N]) -> T,
) -> std::result::Result<Vec<T>, String> {
    match raw.as_chunks() {
        (pieces, []) => Ok(pieces.iter().map(|&piece| from_bytes(piece)).collect()),
        _ => Err(format!("has {} bytes, which are no whole number of {name}", raw.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proto(dims: &[i64], data_type: i32) -> TensorProto {
        TensorProto { name: "t".into(), dims: dims.to_vec(), data_type, ..TensorProto::default() }
    }

    #[test]
    fn elements_are_raw_or_typed() {
        let raw = |dims: &[i64], data_type, bytes: &[u8]| {
            let proto = TensorProto { raw_data: Some(bytes.to_vec()), ..proto(dims, data_type) };
            Tensor::from_proto(&proto).expect("legal").elements
        };
        let typed = |dims: &[i64], data_type, numbers: &[i32]| {
            let proto = TensorProto { int32_data: numbers.to_vec(), ..proto(dims, data_type) };
            Tensor::from_proto(&proto).expect("legal").elements
        };
        assert_eq!(raw(&[2], 3, &[255, 127]), Elements::Int8(vec![-1, 127]));
        assert_eq!(typed(&[2], 3, &[-1, 127]), Elements::Int8(vec![-1, 127]));
        assert_eq!(raw(&[2, 1], 2, &[255, 127]), typed(&[2, 1], 2, &[255, 127]));
        assert_eq!(raw(&[], 6, &[0xFE, 0xFF, 0xFF, 0xFF]), typed(&[1, 1], 6, &[-2]));
        assert_eq!(raw(&[1], 10, &[0x00, 0x3E]), typed(&[1], 10, &[0x3E00]));
        assert_eq!(typed(&[1], 10, &[0x3E00]), Elements::Float16(vec![f16::from_f32(1.5)]));
        assert_eq!(raw(&[1], 16, &[0xC0, 0x3F]), Elements::Bfloat16(vec![bf16::from_f32(1.5)]));
        assert_eq!(raw(&[1], 1, &1.5f32.to_le_bytes()), Elements::Float32(vec![1.5]));
        let floats = TensorProto { float_data: vec![1.5], ..proto(&[1], 1) };
        assert_eq!(Tensor::from_proto(&floats).expect("legal").elements, Elements::Float32(vec![1.5]));
        assert_eq!(raw(&[0, 3], 3, &[]), Elements::Int8(vec![]));
    }

    #[test]
    fn tensors_that_are_not_whole_are_refused() {
        let empty = |dims: &[i64], data_type| TensorProto { raw_data: Some(vec![]), ..proto(dims, data_type) };
        let numbers = |data_type, number| TensorProto { int32_data: vec![number], ..proto(&[1], data_type) };
        for (proto, wanted) in [
            (TensorProto { data_location: 1, ..empty(&[0], 3) }, "in another file"),
            (TensorProto { segment: Some(crate::proto::Segment {}), ..empty(&[0], 3) }, "segment"),
            (empty(&[-1], 3), "a dimension of -1"),
            (empty(&[2], 3), "has 0 elements, and its shape is [2]"),
            (empty(&[i64::MAX, i64::MAX], 3), "has 0 elements"),
            (
                TensorProto { raw_data: Some(vec![0; 5]), ..proto(&[1], 6) },
                "5 bytes, which are no whole number of int32",
            ),
            (numbers(3, 128), "is int8 and holds 128"),
            (numbers(2, -1), "is uint8 and holds -1"),
            (numbers(10, 65536), "is float16 and holds 65536"),
            (empty(&[0], 11), "is float64"),
            (empty(&[0], 99), "the format with number 99"),
        ] {
            let error = Tensor::from_proto(&proto).expect_err(wanted).to_string();
            assert!(error.starts_with("the tensor t ") && error.contains(wanted), "{error}");
        }
    }
}
