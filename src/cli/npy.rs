// SPDX-License-Identifier: Apache-2.0
//! NumPy files as operands and results.
//!
//! | read | from | given as |
//! |---|---|---|
//! | array of int8 or uint8 | C or Fortran order, file versions 1.0, 2.0, 3.0 | bytes in C order |
//! | vector of int32, float32, int8, uint8 | both byte orders | numbers |
//!
//! Everything else is refused with a sentence that names the file, what is in it, and what to do. A file's header is believed only as far as
//! the file has the bytes.

use super::output::{self, Output};
use super::{Failure, Result};
use host::Product;
use isa::Dtype;
use ndarray::ArrayD;
use ndarray_npy::{ReadDataError, ReadNpyError, ReadNpyExt, ReadableElement, WriteNpyError, WriteNpyExt};
use py_literal::Value as PyValue;
use std::io;
use std::path::Path;

/// An array of int8 or uint8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// [`Dtype::S8`] or [`Dtype::U8`].
    pub dtype: Dtype,
    /// In C order, two's complement.
    pub bytes: Vec<u8>,
}

/// A number type of NumPy that this program reads.
trait Number: Sized {
    /// How NumPy writes the type in a header, little-endian and big-endian; types of one byte have more spellings, with one meaning.
    const LITTLE: &'static [&'static str];
    const BIG: &'static [&'static str];
    const BYTES: usize;
    fn from_little_endian(bytes: &[u8]) -> Self;
}

macro_rules! numbers {
    ($($type:ty, $little:expr, $big:expr;)+) => {
        $(impl Number for $type {
            const LITTLE: &'static [&'static str] = &$little;
            const BIG: &'static [&'static str] = &$big;
            const BYTES: usize = size_of::<$type>();
            fn from_little_endian(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("the caller cuts pieces of BYTES bytes"))
            }
        })+
    };
}

numbers! {
    i8, ["|i1", "<i1", ">i1", "i1"], [];
    u8, ["|u1", "<u1", ">u1", "u1"], [];
    i32, ["<i4"], [">i4"];
    f32, ["<f4"], [">f4"];
}

/// A number that is read only once the file is known to have all of them.
#[derive(Clone)]
struct Checked<T>(T);

impl<T: Number> ReadableElement for Checked<T> {
    fn read_to_end_exact_vec<R: io::Read>(
        mut reader: R,
        descriptor: &PyValue,
        length: usize,
    ) -> std::result::Result<Vec<Self>, ReadDataError> {
        let PyValue::String(name) = descriptor else { return Err(ReadDataError::WrongDescriptor(descriptor.clone())) };
        let is_big = T::BIG.contains(&name.as_str());
        if !is_big && !T::LITTLE.contains(&name.as_str()) {
            return Err(ReadDataError::WrongDescriptor(descriptor.clone()));
        }
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes)?;
        let wanted = length.checked_mul(T::BYTES).ok_or(ReadDataError::MissingData)?;
        if bytes.len() < wanted {
            return Err(ReadDataError::MissingData);
        }
        if bytes.len() > wanted {
            return Err(ReadDataError::ExtraBytes(bytes.len() - wanted));
        }
        if is_big {
            bytes.chunks_exact_mut(T::BYTES).for_each(<[u8]>::reverse);
        }
        Ok(bytes.chunks_exact(T::BYTES).map(|piece| Checked(T::from_little_endian(piece))).collect())
    }
}

fn array<T: Number>(bytes: &[u8]) -> std::result::Result<ArrayD<Checked<T>>, ReadNpyError> {
    ArrayD::<Checked<T>>::read_npy(bytes)
}

/// NumPy's name of the type behind a descriptor.
fn type_name(descriptor: &PyValue) -> String {
    let PyValue::String(name) = descriptor else { return "records".to_owned() };
    let kind = name.trim_start_matches(['<', '>', '|', '=']);
    let order = if name.starts_with('>') { " (big-endian)" } else { "" };
    let known = [
        ("i1", "int8"),
        ("u1", "uint8"),
        ("i2", "int16"),
        ("u2", "uint16"),
        ("i4", "int32"),
        ("u4", "uint32"),
        ("i8", "int64"),
        ("u8", "uint64"),
        ("f2", "float16"),
        ("f4", "float32"),
        ("f8", "float64"),
        ("b1", "bool"),
        ("c8", "complex64"),
        ("c16", "complex128"),
        ("O", "Python objects"),
    ];
    let text = if kind.starts_with(['U', 'S']) { "text" } else { name.as_str() };
    let name = known.iter().find(|(code, _)| *code == kind).map_or(text, |(_, name)| name);
    format!("{name}{order}")
}

/// One sentence for each way in which a file is unfit; `wanted` names the types that would do.
fn refused(path: &Path, error: &ReadNpyError, wanted: &str) -> Failure {
    let path = path.display();
    Failure::input(match error {
        ReadNpyError::WrongDescriptor(descriptor) => {
            let cast = wanted.split(" or ").next().unwrap_or(wanted);
            let held = type_name(descriptor);
            format!("{path} holds {held}, and {wanted} is needed: save it with array.astype(numpy.{cast})")
        }
        ReadNpyError::MissingData => {
            format!("{path} is truncated: it has fewer bytes than its header says; save it again")
        }
        ReadNpyError::ExtraBytes(count) => {
            format!(
                "{path} has {count} bytes behind the array that its header describes; save it again with numpy.save"
            )
        }
        ReadNpyError::LengthOverflow => format!("{path} is damaged: its header gives an impossible shape"),
        ReadNpyError::Io(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
            format!("{path} is truncated: it ends inside its header; save it again")
        }
        other => format!("{path} is not a file of numpy.save: {other}"),
    })
}

/// Reads an array of int8 or uint8 of so many dimensions.
///
/// *Errors*: [`Failure::Input`] if the file cannot be read, is damaged, or holds something else.
pub fn read_tensor(path: &Path, dimensions: usize) -> Result<Tensor> {
    let file = output::read(path)?;
    match array::<i8>(&file) {
        Ok(array) => tensor(path, dimensions, &array, Dtype::S8, |value| value as u8),
        Err(ReadNpyError::WrongDescriptor(_)) => match array::<u8>(&file) {
            Ok(array) => tensor(path, dimensions, &array, Dtype::U8, |value| value),
            Err(error) => Err(refused(path, &error, "int8 or uint8")),
        },
        Err(error) => Err(refused(path, &error, "int8 or uint8")),
    }
}

fn tensor<T: Copy>(
    path: &Path,
    dimensions: usize,
    array: &ArrayD<Checked<T>>,
    dtype: Dtype,
    byte: fn(T) -> u8,
) -> Result<Tensor> {
    if array.ndim() != dimensions {
        let wanted = if dimensions == 2 { "a matrix of two dimensions" } else { "an array of four dimensions" };
        return Err(wrong_shape(path, array.shape(), wanted));
    }
    // The iterator goes by index, the first dimension first, whatever the order in memory.
    let bytes = array.iter().map(|&Checked(value)| byte(value)).collect();
    Ok(Tensor { shape: array.shape().to_vec(), dtype, bytes })
}

fn wrong_shape(path: &Path, shape: &[usize], wanted: &str) -> Failure {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    Failure::input(format!("{} has the shape ({}), and {wanted} is needed", path.display(), sizes.join(", ")))
}

fn vector<T: Copy, V>(path: &Path, array: &ArrayD<Checked<T>>, value: impl Fn(T) -> V) -> Result<Vec<V>> {
    if array.ndim() != 1 {
        return Err(wrong_shape(path, array.shape(), "a vector of one dimension"));
    }
    Ok(array.iter().map(|&Checked(number)| value(number)).collect())
}

/// Reads a vector of int32, int8 or uint8.
///
/// *Errors*: as [`read_tensor`].
pub fn read_integers(path: &Path) -> Result<Vec<i32>> {
    let file = output::read(path)?;
    if let Ok(array) = array::<i8>(&file) {
        return vector(path, &array, i32::from);
    }
    if let Ok(array) = array::<u8>(&file) {
        return vector(path, &array, i32::from);
    }
    let array = array::<i32>(&file).map_err(|error| refused(path, &error, "int32"))?;
    vector(path, &array, |value| value)
}

/// Reads a vector of float32.
///
/// *Errors*: as [`read_tensor`].
pub fn read_floats(path: &Path) -> Result<Vec<f32>> {
    let file = output::read(path)?;
    let array = array::<f32>(&file).map_err(|error| refused(path, &error, "float32"))?;
    vector(path, &array, |value| value)
}

/// Writes the result in C order: int32, int8, uint8 or float32, as the product gives it.
pub fn write_product(file: Output, product: &Product, shape: &[usize]) -> Result {
    let mut bytes = Vec::new();
    let values = product.values();
    let written = match product.dtype {
        Dtype::U8 => write_array(&mut bytes, shape, values.into_iter().map(|value| value as u8).collect()),
        Dtype::S8 => write_array(&mut bytes, shape, values.into_iter().map(|value| value as i8).collect()),
        Dtype::Fp32 => {
            write_array(&mut bytes, shape, values.into_iter().map(|bits| f32::from_bits(bits as u32)).collect())
        }
        _ => write_array(&mut bytes, shape, values),
    };
    written.map_err(|error| Failure::failed(format!("the result cannot be written as a NumPy file: {error}")))?;
    file.write(&bytes)
}

fn write_array<T: ndarray_npy::WritableElement>(
    bytes: &mut Vec<u8>,
    shape: &[usize],
    values: Vec<T>,
) -> std::result::Result<(), WriteNpyError> {
    ArrayD::from_shape_vec(shape, values).expect("a product has as many elements as its shape").write_npy(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file as NumPy's format page describes it, by hand.
    fn file(version: u8, descriptor: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
        let order = if fortran { "True" } else { "False" };
        let mut header = format!("{{'descr': '{descriptor}', 'fortran_order': {order}, 'shape': {shape}, }}");
        let before = if version == 1 { 10 } else { 12 };
        while !(before + header.len() + 1).is_multiple_of(64) {
            header.push(' ');
        }
        header.push('\n');
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend((header.len() as u16).to_le_bytes()),
            _ => bytes.extend((header.len() as u32).to_le_bytes()),
        }
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn with_file<T>(bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("quader-npy-{}-{}.npy", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).expect("the temporary folder is writable");
        let result = read(&path);
        std::fs::remove_file(&path).expect("removable");
        result
    }

    fn read(path: &Path) -> Result<Tensor> {
        read_tensor(path, 2)
    }

    fn sentence<T: std::fmt::Debug>(result: Result<T>) -> String {
        match result {
            Err(Failure::Input(sentence)) => sentence,
            other => panic!("expected bad input, got {other:?}"),
        }
    }

    #[test]
    fn every_version_and_both_memory_orders_give_the_same_matrix() {
        for version in 1..=3 {
            for (descriptor, dtype) in [("|i1", Dtype::S8), ("|u1", Dtype::U8), ("<i1", Dtype::S8), (">u1", Dtype::U8)]
            {
                // [[1, 2, 3], [4, 5, 255]]
                let rows = file(version, descriptor, false, "(2, 3)", &[1, 2, 3, 4, 5, 255]);
                let columns = file(version, descriptor, true, "(2, 3)", &[1, 4, 2, 5, 3, 255]);
                let wanted = Tensor { shape: vec![2, 3], dtype, bytes: vec![1, 2, 3, 4, 5, 255] };
                assert_eq!(with_file(&rows, read).expect("legal"), wanted, "version {version} {descriptor}");
                assert_eq!(with_file(&columns, read).expect("legal"), wanted, "version {version} {descriptor}");
            }
        }
    }

    #[test]
    fn both_byte_orders_give_the_same_numbers() {
        let values = [1i32, -2, i32::MIN, 0x0102_0304];
        let little: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let big: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        for (descriptor, data) in [("<i4", &little), (">i4", &big)] {
            let bytes = file(1, descriptor, false, "(4,)", data);
            assert_eq!(with_file(&bytes, read_integers).expect("legal"), values);
        }
        let scales = [0.5f32, 1e-3];
        let big: Vec<u8> = scales.iter().flat_map(|value| value.to_be_bytes()).collect();
        assert_eq!(with_file(&file(1, ">f4", false, "(2,)", &big), read_floats).expect("legal"), scales);
        assert_eq!(with_file(&file(1, "|i1", false, "(2,)", &[1, 255]), read_integers).expect("legal"), [1, -1]);
    }

    #[test]
    fn unfit_files_are_refused_with_a_reason() {
        let good = file(1, "|i1", false, "(2, 2)", &[1, 2, 3, 4]);
        let cases: [(Vec<u8>, &str); 12] = [
            (good[..good.len() - 1].to_vec(), "truncated"),
            (good[..40].to_vec(), "truncated"),
            (good[..7].to_vec(), "truncated"),
            ([good.clone(), vec![0]].concat(), "1 bytes behind"),
            (vec![], "truncated"),
            (b"PK\x03\x04 this is a zip archive".to_vec(), "not a file of numpy.save"),
            (file(1, "<f8", false, "(2, 2)", &[0; 32]), "float64"),
            (file(1, ">i2", false, "(2, 2)", &[0; 8]), "int16 (big-endian)"),
            (file(1, "|i1", false, "(4,)", &[0; 4]), "shape (4)"),
            (file(1, "|i1", false, "(1, 2, 2)", &[0; 4]), "shape (1, 2, 2)"),
            (file(1, "|i1", false, "(4294967296, 4294967296)", &[]), "impossible shape"),
            (file(1, "|i1", false, "(1099511627776, 1024)", &[]), "truncated"),
        ];
        for (bytes, wanted) in cases {
            let got = sentence(with_file(&bytes, read));
            assert!(got.contains(wanted) && !got.contains('\n'), "{got} should contain `{wanted}`");
        }
        assert!(sentence(with_file(&file(9, "|i1", false, "(2, 2)", &[0; 4]), read)).contains("version"));
        assert!(
            sentence(with_file(&file(1, "<f8", false, "(2,)", &[0; 16]), read_floats))
                .contains("astype(numpy.float32)")
        );
        assert!(sentence(with_file(&file(1, "<i8", false, "(2,)", &[0; 16]), read_integers)).contains("int64"));
        assert!(sentence(read(Path::new("/nonexistent/a.npy"))).contains("cannot read"));
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut bytes = Vec::new();
        write_array(&mut bytes, &[2, 3], vec![1i8, -2, 3, 4, 5, -128]).expect("writable");
        let read = with_file(&bytes, read).expect("legal");
        assert_eq!((read.shape, read.bytes), (vec![2, 3], vec![1, 254, 3, 4, 5, 128]));
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    }
}
