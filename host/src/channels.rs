// SPDX-License-Identifier: Apache-2.0
//! What is done per column of C, the same for products and convolutions: zero points of B, bias, requantisation, ReLU, clamp.

use crate::error::{HostError, Result};
use crate::multiplier::Multiplier;
use crate::residual::Residual;
use isa::{Dtype, FbField, Rounding};

/// The parameter arrays lie at multiples of this many bytes.
const PARAMETER_ALIGN: usize = 64;

/// Bytes of bias, scale and zero point of one column, in GM and in L1.
const PARAMETER_BYTES: usize = 4 + 4 + 2;

/// The same with a shift, and one byte more: 16 columns take a multiple of 32 bytes.
const SHIFTED_BYTES: usize = PARAMETER_BYTES + 2;

/// What FIX makes of the int32 sums.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// They stay int32, modulo 2^32.
    Int32,
    /// As fp32, times a scale: each rounded to nearest even. There is no clamp.
    Fp32 {
        /// One, or one per column; finite, positive and normal.
        scales: Vec<f32>,
    },
    /// Times a scale, rounded half to even, plus zero point, saturated: mode `onnx`.
    Quantised {
        /// s8 or u8.
        dtype: Dtype,
        /// One, or one per column; finite, positive and normal.
        scales: Vec<f32>,
        /// In the range of dtype.
        zero_point: i32,
    },
    /// Times an integer and a power of two, rounded as the mode says, plus zero point, saturated: mode `tflite` or `gemmlowp`.
    Fixed {
        /// s8 or u8.
        dtype: Dtype,
        /// How it is rounded.
        mode: FixedMode,
        /// One, or one per column.
        multipliers: Vec<Multiplier>,
        /// In the range of dtype.
        zero_point: i32,
    },
}

/// How a product with a [`Multiplier`] is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixedMode {
    /// Once, half up: TFLite built with single rounding.
    Tflite,
    /// After the multiplication half up, after the shift to the right half away from zero: TFLite as it is built by default.
    Gemmlowp,
}

impl Output {
    /// The dtype of the results.
    pub fn dtype(&self) -> Dtype {
        match self {
            Output::Int32 => Dtype::Int32,
            Output::Fp32 { .. } => Dtype::Fp32,
            Output::Quantised { dtype, .. } | Output::Fixed { dtype, .. } => *dtype,
        }
    }

    /// The rounding mode of the core.
    pub fn rounding(&self) -> Rounding {
        match self {
            Output::Fixed { mode: FixedMode::Tflite, .. } => Rounding::Tflite,
            Output::Fixed { mode: FixedMode::Gemmlowp, .. } => Rounding::Gemmlowp,
            _ => Rounding::Onnx,
        }
    }

    /// The zero point of the results; 0 for int32 and fp32.
    pub fn zero_point(&self) -> i32 {
        match self {
            Output::Int32 | Output::Fp32 { .. } => 0,
            Output::Quantised { zero_point, .. } | Output::Fixed { zero_point, .. } => *zero_point,
        }
    }

    /// The scales as the core takes them: fp32 bits or multipliers, and the shifts of these.
    pub(crate) fn factors(&self) -> Vec<(u32, Option<i8>)> {
        match self {
            Output::Int32 => vec![],
            Output::Fp32 { scales } | Output::Quantised { scales, .. } => {
                scales.iter().map(|scale| (scale.to_bits(), None)).collect()
            }
            Output::Fixed { multipliers, .. } => {
                multipliers.iter().map(|one| (one.m.to_bits() as u32, Some(one.shift))).collect()
            }
        }
    }

    /// Scales or multipliers: how many there are.
    fn count(&self) -> usize {
        match self {
            Output::Int32 => 0,
            Output::Fp32 { scales } | Output::Quantised { scales, .. } => scales.len(),
            Output::Fixed { multipliers, .. } => multipliers.len(),
        }
    }

    /// Bytes of a result.
    pub(crate) fn bytes(&self) -> usize {
        self.dtype().bytes(1) as usize
    }
}

/// The columns of C: how many, and what is done to each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Channels<'a> {
    /// Columns of C.
    pub(crate) n: usize,
    /// What the errors call the operand that has a zero point per column.
    pub(crate) operand: &'static str,
    /// Its dtype.
    pub(crate) dtype: Dtype,
    /// Its zero points: none for 0, one for all, or one per column.
    pub(crate) zero_points: &'a [i32],
    pub(crate) bias: Option<&'a [i32]>,
    pub(crate) output: &'a Output,
    pub(crate) relu: bool,
    pub(crate) clamp: Option<(i32, i32)>,
    pub(crate) residual: Option<Residual>,
}

/// Where a parameter array lies, one number per column.
pub(crate) struct Parameter {
    /// Bytes per column.
    pub(crate) bytes: usize,
    /// Bytes per column of the arrays before it.
    before: usize,
}

impl Parameter {
    pub(crate) fn gm_offset(&self, n: usize) -> usize {
        self.before * n.next_multiple_of(PARAMETER_ALIGN)
    }

    pub(crate) fn l1_offset(&self, n: usize) -> usize {
        self.before * n
    }
}

impl Channels<'_> {
    /// *Errors*: [`HostError::OperandLength`], [`HostError::OperandDtype`], [`HostError::ZeroPoint`], [`HostError::Scale`],
    /// [`HostError::Multiplier`], [`HostError::FloatClamp`]; as [`Residual::validate`].
    pub(crate) fn validate(&self) -> Result<()> {
        let n = self.n;
        check_dtype(self.operand, self.dtype)?;
        if self.zero_points.len() > 1 {
            check_length("the zero points", n, self.zero_points.len())?;
        }
        if let Some(residual) = &self.residual {
            residual.validate(self.output)?;
        }
        self.zero_points.iter().try_for_each(|&zero| check_zero_point(self.operand, zero, self.dtype))?;
        if let Some(bias) = self.bias {
            check_length("bias", n, bias.len())?;
        }
        if let Output::Quantised { dtype, zero_point, .. } | Output::Fixed { dtype, zero_point, .. } = self.output {
            check_dtype("the result", *dtype)?;
            check_zero_point("the result", *zero_point, *dtype)?;
        }
        match self.output {
            Output::Int32 => {}
            Output::Fp32 { .. } if self.clamp.is_some() => return Err(HostError::FloatClamp),
            Output::Fp32 { scales } | Output::Quantised { scales, .. } => {
                let bad = scales.iter().position(|scale| !Rounding::Onnx.admits_scale(scale.to_bits()));
                if let Some(channel) = bad {
                    return Err(HostError::Scale { channel, value: scales[channel] });
                }
            }
            Output::Fixed { multipliers, .. } => {
                if let Some(channel) = multipliers.iter().position(|multiplier| !multiplier.is_legal()) {
                    let Multiplier { m, shift } = multipliers[channel];
                    return Err(HostError::Multiplier { channel, bits: m.to_bits(), shift });
                }
            }
        }
        if !matches!(self.output, Output::Int32) && self.output.count() != 1 {
            check_length("scales", n, self.output.count())?;
        }
        Ok(())
    }

    /// True if every column has its own zero point.
    pub(crate) fn zero_point_per_column(&self) -> bool {
        self.zero_points.len() > 1
    }

    /// True if every column has its own scale.
    pub(crate) fn scale_per_column(&self) -> bool {
        self.output.count() > 1
    }

    /// True if every column has its own shift.
    fn shift_per_column(&self) -> bool {
        matches!(self.output, Output::Fixed { .. }) && self.scale_per_column()
    }

    /// Bytes of all parameters of a column.
    fn column_bytes(&self) -> usize {
        if self.shift_per_column() { SHIFTED_BYTES } else { PARAMETER_BYTES }
    }

    /// The parameter array that goes into a field of FB, if there is one.
    pub(crate) fn parameter(&self, field: FbField) -> Option<Parameter> {
        match field {
            FbField::Bias if self.bias.is_some() => Some(Parameter { bytes: 4, before: 0 }),
            FbField::Scale if self.scale_per_column() => Some(Parameter { bytes: 4, before: 4 }),
            FbField::ZeroPoint if self.zero_point_per_column() => Some(Parameter { bytes: 2, before: 8 }),
            FbField::Shift if self.shift_per_column() => Some(Parameter { bytes: 1, before: PARAMETER_BYTES }),
            _ => None,
        }
    }

    /// The arrays that there are: field of FB, offset in GM, little-endian bytes.
    pub(crate) fn parameter_arrays(&self) -> Vec<(FbField, u64, Vec<u8>)> {
        let factors = self.output.factors();
        let bytes = |field| match field {
            FbField::Bias => self.bias.iter().copied().flatten().flat_map(|bias| bias.to_le_bytes()).collect(),
            FbField::Scale => factors.iter().flat_map(|(scale, _)| scale.to_le_bytes()).collect(),
            FbField::Shift => factors.iter().filter_map(|(_, shift)| shift.map(|shift| shift as u8)).collect(),
            FbField::ZeroPoint => {
                self.zero_points.iter().flat_map(|&zero_point| (zero_point as i16).to_le_bytes()).collect()
            }
        };
        let array = |&field| Some((field, self.parameter(field)?.gm_offset(self.n) as u64, bytes(field)));
        FbField::ALL.iter().filter_map(array).collect()
    }

    /// Bytes of all parameter arrays in GM.
    pub(crate) fn parameter_bytes(&self) -> usize {
        self.column_bytes() * self.n.next_multiple_of(PARAMETER_ALIGN)
    }

    /// Bytes of the parameters of `columns` columns in L1, a multiple of 16: a multiple of 32, as MTE1 needs.
    pub(crate) fn parameter_slot_bytes(&self, columns: usize) -> usize {
        if self.has_parameters() { columns * self.column_bytes() } else { 0 }
    }

    /// True if something goes through FB.
    pub(crate) fn has_parameters(&self) -> bool {
        FbField::ALL.iter().any(|&field| self.parameter(field).is_some())
    }
}

pub(crate) fn check_size(what: &'static str, size: u128, limit: u128) -> Result<()> {
    if size <= limit { Ok(()) } else { Err(HostError::TooLarge { what, size, limit }) }
}

pub(crate) fn check_length(operand: &'static str, expected: usize, got: usize) -> Result<()> {
    if expected == got { Ok(()) } else { Err(HostError::OperandLength { operand, expected, got }) }
}

pub(crate) fn check_dtype(operand: &'static str, dtype: Dtype) -> Result<()> {
    if matches!(dtype, Dtype::S8 | Dtype::U8) { Ok(()) } else { Err(HostError::OperandDtype { operand, dtype }) }
}

pub(crate) fn check_zero_point(operand: &'static str, value: i32, dtype: Dtype) -> Result<()> {
    let fits = dtype.range().is_some_and(|(low, high)| (low..=high).contains(&value));
    if fits { Ok(()) } else { Err(HostError::ZeroPoint { operand, value, dtype }) }
}
