// SPDX-License-Identifier: Apache-2.0
//! The handwritten digits and the int8 network of the demo, as the files of `demo/` hold them.
//!
//! ```text
//! demo/digits.bin ──► Digits   pixels [samples, 64] u8, labels; the first 1,347 for training, the last 450 to count
//! demo/digits-mlp.bin ──► Mlp  float and int8 weights of 64 -> 90 -> 10, scales, hashes of NumPy's results
//! ```
//! Both files are compiled in. Their formats are in `demo/README.md`; a file that is cut off, damaged or of another kind is refused.
//!
//! ```
//! let digits = quader::digits::Digits::shipped();
//! assert_eq!((digits.samples(), digits.test().len(), digits.label(1347)), (1797, 450, 3));
//! ```

use sha2::{Digest as _, Sha256};
use std::fmt;
use std::ops::Range;

/// The shipped digits.
const DIGITS: &[u8] = include_bytes!("../demo/digits.bin");

/// The shipped network.
const MLP: &[u8] = include_bytes!("../demo/digits-mlp.bin");

/// Bytes of a SHA-256.
const HASH_BYTES: usize = 32;

/// A file that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DigitsError {
    /// The file does not begin with its magic bytes.
    Magic {
        /// What the file should hold.
        file: &'static str,
        /// The magic bytes.
        magic: &'static str,
    },
    /// The file has another length than its header asks for.
    Length {
        /// What the file should hold.
        file: &'static str,
        /// Bytes that its header asks for, or that a header has.
        expected: u64,
        /// Bytes that it has.
        got: u64,
    },
    /// The file's own checksum does not fit its bytes.
    Checksum {
        /// What the file should hold.
        file: &'static str,
    },
    /// A number in the file is impossible.
    Value {
        /// What the file should hold.
        file: &'static str,
        /// Which number, and what is wrong with it.
        what: String,
    },
    /// The network was trained on other digits.
    OtherDigits,
}

impl fmt::Display for DigitsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DigitsError::Magic { file, magic } => {
                write!(f, "this is no file of {file}: it does not begin with {magic}")
            }
            DigitsError::Length { file, expected, got } if got < expected => {
                write!(f, "the file of {file} is truncated: it has {got} of {expected} bytes")
            }
            DigitsError::Length { file, expected, got } => {
                write!(f, "the file of {file} is too long: it has {got} bytes, and its header asks for {expected}")
            }
            DigitsError::Checksum { file } => {
                write!(f, "the file of {file} is damaged: its checksum does not fit; get it again")
            }
            DigitsError::Value { file, what } => write!(f, "the file of {file} is damaged: {what}"),
            DigitsError::OtherDigits => f.write_str("the network was trained on another file of digits"),
        }
    }
}

impl std::error::Error for DigitsError {}

/// Fields of a file, read one after the other; the length was checked before.
struct Fields<'a> {
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (field, rest) = self.bytes.split_at(count);
        self.bytes = rest;
        field
    }

    fn words<T>(&mut self, count: usize, from: fn([u8; 4]) -> T) -> Vec<T> {
        let word = |piece: &[u8]| from(piece.try_into().expect("pieces of four bytes"));
        self.take(4 * count).chunks_exact(4).map(word).collect()
    }

    fn u32(&mut self) -> u32 {
        self.words(1, u32::from_le_bytes)[0]
    }

    fn i32(&mut self) -> i32 {
        self.words(1, i32::from_le_bytes)[0]
    }

    fn f32(&mut self) -> f32 {
        self.words(1, f32::from_le_bytes)[0]
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take(2).try_into().expect("a piece of two bytes"))
    }

    fn hash(&mut self) -> [u8; HASH_BYTES] {
        self.take(HASH_BYTES).try_into().expect("a piece of 32 bytes")
    }
}

/// Checks magic bytes and that a header of `header` bytes is there.
fn begin<'a>(
    bytes: &'a [u8],
    file: &'static str,
    magic: &'static str,
    header: usize,
) -> Result<Fields<'a>, DigitsError> {
    let known = bytes.len().min(magic.len());
    if bytes[..known] != magic.as_bytes()[..known] {
        return Err(DigitsError::Magic { file, magic });
    }
    if bytes.len() < header {
        return Err(DigitsError::Length { file, expected: header as u64, got: bytes.len() as u64 });
    }
    Ok(Fields { bytes: &bytes[magic.len()..] })
}

/// Checks the length that a header asks for, and the checksum in the last bytes.
fn whole(bytes: &[u8], file: &'static str, expected: u64) -> Result<(), DigitsError> {
    let got = bytes.len() as u64;
    if got != expected {
        return Err(DigitsError::Length { file, expected, got });
    }
    let (content, checksum) = bytes.split_at(bytes.len() - HASH_BYTES);
    if Sha256::digest(content).as_slice() != checksum {
        return Err(DigitsError::Checksum { file });
    }
    Ok(())
}

/// Handwritten digits with their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digits {
    rows: usize,
    columns: usize,
    training: usize,
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl Digits {
    const FILE: &'static str = "digits";

    /// The 1,797 digits of the UCI set that this program carries.
    pub fn shipped() -> Digits {
        Digits::parse(DIGITS).expect("the shipped file is whole, as a test says")
    }

    /// Reads the bytes of a `digits.bin`.
    ///
    /// *Errors*: [`DigitsError`] if they are not such a file, or not all of it.
    pub fn parse(bytes: &[u8]) -> Result<Digits, DigitsError> {
        let file = Digits::FILE;
        let mut fields = begin(bytes, file, "QDIGITS1", 24)?;
        let (samples, rows, columns) = (fields.u32(), fields.u16(), fields.u16());
        let (training, largest) = (fields.u32(), fields.u32());
        let image = usize::from(rows) * usize::from(columns);
        whole(bytes, file, 24 + u64::from(samples) * (image as u64 + 1) + HASH_BYTES as u64)?;
        let refuse = |what: String| Err(DigitsError::Value { file, what });
        if training > samples {
            return refuse(format!("{training} of its {samples} samples are for training"));
        }
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for sample in 0..samples {
            let (image, label) = (fields.take(image), fields.take(1)[0]);
            if let Some(pixel) = image.iter().find(|&&pixel| u32::from(pixel) > largest) {
                return refuse(format!("sample {sample} has a pixel of {pixel}, and {largest} is the largest"));
            }
            if label > 9 {
                return refuse(format!("sample {sample} has the label {label}, and digits are 0 to 9"));
            }
            pixels.extend(image);
            labels.push(label);
        }
        Ok(Digits { rows: rows.into(), columns: columns.into(), training: training as usize, pixels, labels })
    }

    /// Number of digits.
    pub fn samples(&self) -> usize {
        self.labels.len()
    }

    /// Rows and columns of an image.
    pub fn size(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// The samples that nothing was trained or chosen with.
    pub fn test(&self) -> Range<usize> {
        self.training..self.samples()
    }

    /// Pixels of these samples: `[samples, rows * columns]` u8, row-major, 0 is paper.
    ///
    /// *Panics*: if there are no such samples.
    pub fn pixels(&self, samples: Range<usize>) -> &[u8] {
        let image = self.rows * self.columns;
        &self.pixels[samples.start * image..samples.end * image]
    }

    /// What the digit of sample `sample` is, 0 to 9.
    ///
    /// *Panics*: if there is no such sample.
    pub fn label(&self, sample: usize) -> usize {
        self.labels[sample].into()
    }
}

/// One layer of the network, in float and in integers; matrices are `[inputs, outputs]`, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Elements that go in.
    pub inputs: usize,
    /// Elements that come out.
    pub outputs: usize,
    /// Float weights.
    pub float_weights: Vec<f32>,
    /// Float bias, `[outputs]`.
    pub float_bias: Vec<f32>,
    /// int8 weights, two's complement.
    pub weights: Vec<u8>,
    /// Bias in units of the accumulator, `[outputs]`.
    pub bias: Vec<i32>,
    /// Factor of the requantisation, `[outputs]`.
    pub scales: Vec<f32>,
    /// Zero point of what comes out.
    pub zero_point: i32,
}

impl Layer {
    /// `input w + b` of one sample in float32.
    fn float(&self, input: &[f32]) -> Vec<f32> {
        let mut sums = self.float_bias.clone();
        for (value, row) in input.iter().zip(self.float_weights.chunks_exact(self.outputs)) {
            sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += value * weight);
        }
        sums
    }
}

/// The network: pixels u8, hidden u8 with ReLU, outputs s8; the class is the index of the largest output.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    /// Pixels to hidden activations, u8.
    pub hidden: Layer,
    /// Hidden activations to outputs, s8.
    pub output: Layer,
    /// What a pixel of 1 stands for.
    pub pixel_scale: f32,
    /// SHA-256 of the hidden activations of all test samples as NumPy computes them: `[450, 90]` u8, row-major.
    pub hidden_hash: [u8; 32],
    /// SHA-256 of the outputs of all test samples as NumPy computes them: `[450, 10]` s8, row-major.
    pub output_hash: [u8; 32],
}

impl Mlp {
    const FILE: &'static str = "the network";

    /// The network that this program carries.
    pub fn shipped() -> Mlp {
        Mlp::parse(MLP, DIGITS).expect("the shipped file is whole, as a test says")
    }

    /// Reads the bytes of a `digits-mlp.bin` that was trained on the bytes `digits` of a `digits.bin`.
    ///
    /// *Errors*: [`DigitsError`] if they are not such a file, not all of it, or of other digits.
    pub fn parse(bytes: &[u8], digits: &[u8]) -> Result<Mlp, DigitsError> {
        let file = Mlp::FILE;
        let mut fields = begin(bytes, file, "QDGTMLP1", 64)?;
        let sizes = [fields.u32(), fields.u32(), fields.u32()];
        let [inputs, hidden, outputs] = sizes.map(u128::from);
        // Float, bias and scales, three words and a bias word per channel; then the int8 weights and four hashes.
        let weights = inputs * hidden + hidden * outputs;
        let expected = 64 + 4 * weights + 16 * (hidden + outputs) + weights + 4 * HASH_BYTES as u128;
        whole(bytes, file, u64::try_from(expected).unwrap_or(u64::MAX))?;
        let [inputs, hidden, outputs] = sizes.map(|size| size as usize);
        // Sizes of the two parts, and counts that the program computes itself.
        fields.take(4 * 4);
        let (zero_point_hidden, zero_point_output, pixel_scale) = (fields.i32(), fields.i32(), fields.f32());
        // The scales of activations are in the factors already; seed and padding.
        fields.take(4 * 4);
        let w1 = fields.words(inputs * hidden, f32::from_le_bytes);
        let b1 = fields.words(hidden, f32::from_le_bytes);
        let w2 = fields.words(hidden * outputs, f32::from_le_bytes);
        let b2 = fields.words(outputs, f32::from_le_bytes);
        let (bias1, bias2) = (fields.words(hidden, i32::from_le_bytes), fields.words(outputs, i32::from_le_bytes));
        let (scale1, scale2) = (fields.words(hidden, f32::from_le_bytes), fields.words(outputs, f32::from_le_bytes));
        // The scales of the weights are in the factors already.
        fields.take(4 * (hidden + outputs));
        let (q1, q2) = (fields.take(inputs * hidden).to_vec(), fields.take(hidden * outputs).to_vec());
        let (trained_on, hidden_hash, output_hash) = (fields.hash(), fields.hash(), fields.hash());
        if Sha256::digest(digits).as_slice() != trained_on {
            return Err(DigitsError::OtherDigits);
        }
        Ok(Mlp {
            hidden: Layer {
                inputs,
                outputs: hidden,
                float_weights: w1,
                float_bias: b1,
                weights: q1,
                bias: bias1,
                scales: scale1,
                zero_point: zero_point_hidden,
            },
            output: Layer {
                inputs: hidden,
                outputs,
                float_weights: w2,
                float_bias: b2,
                weights: q2,
                bias: bias2,
                scales: scale2,
                zero_point: zero_point_output,
            },
            pixel_scale,
            hidden_hash,
            output_hash,
        })
    }

    /// The class of one sample in float32: `h = max(0, x w1 + b1)`, `y = h w2 + b2`.
    pub fn float_class(&self, pixels: &[u8]) -> usize {
        let x: Vec<f32> = pixels.iter().map(|&pixel| f32::from(pixel) * self.pixel_scale).collect();
        let h: Vec<f32> = self.hidden.float(&x).into_iter().map(|sum| sum.max(0.0)).collect();
        class(&self.output.float(&h))
    }
}

/// Index of the largest output, of equal ones the lowest.
pub fn class<T: PartialOrd>(outputs: &[T]) -> usize {
    (1..outputs.len()).fold(0, |best, index| if outputs[index] > outputs[best] { index } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_digits_are_those_of_the_readme() {
        let digits = Digits::shipped();
        assert_eq!((digits.samples(), digits.size(), digits.test()), (1797, (8, 8), 1347..1797));
        assert_eq!((digits.label(1347), digits.pixels(1347..1348).len()), (3, 64));
    }

    #[test]
    fn the_float_network_is_right_436_times_of_450() {
        let (digits, mlp) = (Digits::shipped(), Mlp::shipped());
        assert_eq!((mlp.hidden.inputs, mlp.hidden.outputs, mlp.output.outputs), (64, 90, 10));
        assert_eq!((mlp.hidden.zero_point, mlp.output.zero_point, mlp.pixel_scale), (0, 7, 1.0 / 16.0));
        let right = digits.test().filter(|&at| mlp.float_class(digits.pixels(at..at + 1)) == digits.label(at)).count();
        assert_eq!(right, 436);
    }

    #[test]
    fn the_lowest_of_equal_outputs_wins() {
        assert_eq!((class(&[1, 3, 3, 2]), class(&[0.0, -1.0]), class(&[7])), (1, 0, 0));
    }

    #[test]
    fn every_cut_is_refused_as_truncated() {
        for cut in [0, 5, 8, 23, 24, 1000, DIGITS.len() - 1] {
            let error = Digits::parse(&DIGITS[..cut]).expect_err("cut off");
            assert!(error.to_string().contains("truncated"), "{cut}: {error}");
        }
        for cut in [0, 8, 63, 64, 30_000, MLP.len() - 1] {
            let error = Mlp::parse(&MLP[..cut], DIGITS).expect_err("cut off");
            assert!(error.to_string().contains("truncated"), "{cut}: {error}");
        }
        let long = [DIGITS, &[0]].concat();
        assert!(Digits::parse(&long).expect_err("too long").to_string().contains("too long"));
    }

    #[test]
    fn other_files_and_flipped_bits_are_refused() {
        assert_eq!(Digits::parse(MLP), Err(DigitsError::Magic { file: "digits", magic: "QDIGITS1" }));
        assert!(matches!(Mlp::parse(DIGITS, DIGITS), Err(DigitsError::Magic { .. })));
        let mut flipped = DIGITS.to_vec();
        flipped[500] ^= 1;
        assert_eq!(Digits::parse(&flipped), Err(DigitsError::Checksum { file: "digits" }));
        assert_eq!(Mlp::parse(MLP, &flipped), Err(DigitsError::OtherDigits));
        // A header that asks for more than there can be.
        let mut large = MLP.to_vec();
        large[8..20].fill(0xFF);
        assert!(matches!(Mlp::parse(&large, DIGITS), Err(DigitsError::Length { .. })));
    }

    #[test]
    fn impossible_numbers_are_refused_even_with_a_fitting_checksum() {
        for (at, value) in [(24, 17), (24 + 64, 10), (18, 1)] {
            let mut bytes = DIGITS[..DIGITS.len() - 32].to_vec();
            bytes[at] = value;
            let checksum = Sha256::digest(&bytes);
            bytes.extend(checksum);
            assert!(matches!(Digits::parse(&bytes), Err(DigitsError::Value { .. })), "byte {at}");
        }
    }
}
