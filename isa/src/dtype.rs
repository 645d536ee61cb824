// SPDX-License-Identifier: Apache-2.0
//! Number formats: the 4-bit dtype codes and the set that a core supports.

use std::fmt;

/// A number format; the value is its 4-bit code. Codes 10..16 are illegal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Dtype {
    /// Signed 8-bit integer.
    S8 = 0,
    /// Unsigned 8-bit integer.
    U8 = 1,
    /// Signed 4-bit integer, two per byte, low nibble first.
    S4 = 2,
    /// Unsigned 4-bit integer, two per byte, low nibble first.
    U4 = 3,
    /// IEEE 754 binary16.
    Fp16 = 4,
    /// bfloat16.
    Bf16 = 5,
    /// OCP 8-bit float E4M3.
    Fp8E4M3 = 6,
    /// OCP 8-bit float E5M2.
    Fp8E5M2 = 7,
    /// Signed 32-bit integer.
    Int32 = 8,
    /// IEEE 754 binary32.
    Fp32 = 9,
}

impl Dtype {
    /// Every dtype, in the order of the codes.
    pub const ALL: [Dtype; 10] = [
        Dtype::S8,
        Dtype::U8,
        Dtype::S4,
        Dtype::U4,
        Dtype::Fp16,
        Dtype::Bf16,
        Dtype::Fp8E4M3,
        Dtype::Fp8E5M2,
        Dtype::Int32,
        Dtype::Fp32,
    ];

    /// The 4-bit code.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The dtype with this code; `None` for 10 and above.
    pub fn from_code(code: u8) -> Option<Dtype> {
        Dtype::ALL.get(usize::from(code)).copied()
    }

    /// Lower-case name, as the assembler and the documents write it.
    pub const fn name(self) -> &'static str {
        match self {
            Dtype::S8 => "s8",
            Dtype::U8 => "u8",
            Dtype::S4 => "s4",
            Dtype::U4 => "u4",
            Dtype::Fp16 => "fp16",
            Dtype::Bf16 => "bf16",
            Dtype::Fp8E4M3 => "fp8e4m3",
            Dtype::Fp8E5M2 => "fp8e5m2",
            Dtype::Int32 => "int32",
            Dtype::Fp32 => "fp32",
        }
    }

    /// The dtype with this lower-case name.
    pub fn from_name(name: &str) -> Option<Dtype> {
        Dtype::ALL.into_iter().find(|dtype| dtype.name() == name)
    }

    /// Bits of one element.
    pub const fn bits(self) -> u32 {
        match self {
            Dtype::S4 | Dtype::U4 => 4,
            Dtype::S8 | Dtype::U8 | Dtype::Fp8E4M3 | Dtype::Fp8E5M2 => 8,
            Dtype::Fp16 | Dtype::Bf16 => 16,
            Dtype::Int32 | Dtype::Fp32 => 32,
        }
    }

    /// Bytes that `elements` packed elements take; a half byte at the end counts as one.
    pub const fn bytes(self, elements: u32) -> u32 {
        (elements as u64 * self.bits() as u64).div_ceil(8) as u32
    }

    /// True for integers.
    pub const fn is_integer(self) -> bool {
        matches!(self, Dtype::S8 | Dtype::U8 | Dtype::S4 | Dtype::U4 | Dtype::Int32)
    }

    /// Lowest and highest value of an integer dtype; `None` for floats.
    pub const fn range(self) -> Option<(i32, i32)> {
        match self {
            Dtype::S8 => Some((-128, 127)),
            Dtype::U8 => Some((0, 255)),
            Dtype::S4 => Some((-8, 7)),
            Dtype::U4 => Some((0, 15)),
            Dtype::Int32 => Some((i32::MIN, i32::MAX)),
            _ => None,
        }
    }

    /// True if a core of this configuration has the dtype; an instruction with another one traps
    /// ([`Cause::Unsupported`](crate::Cause::Unsupported)).
    pub fn supported(self, config: &crate::Config) -> bool {
        config.dtypes.contains(self)
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of dtypes; bit `code` of the value stands for the dtype.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct DtypeSet(u16);

impl DtypeSet {
    /// What this version of the hardware implements: s8 and u8, and as results of FIX also int32 and fp32.
    pub const VERSION_1: DtypeSet =
        DtypeSet::empty().with(Dtype::S8).with(Dtype::U8).with(Dtype::Int32).with(Dtype::Fp32);

    /// The empty set.
    pub const fn empty() -> DtypeSet {
        DtypeSet(0)
    }

    /// The set with `dtype` added.
    pub const fn with(self, dtype: Dtype) -> DtypeSet {
        DtypeSet(self.0 | 1 << dtype as u8)
    }

    /// True if the set holds `dtype`.
    pub const fn contains(self, dtype: Dtype) -> bool {
        self.0 >> (dtype as u8) & 1 == 1
    }

    /// The set as the CSR `dtypes` shows it.
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// The members, in the order of the codes.
    pub fn iter(self) -> impl Iterator<Item = Dtype> {
        Dtype::ALL.into_iter().filter(move |&dtype| self.contains(dtype))
    }
}
