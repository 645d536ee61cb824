// SPDX-License-Identifier: Apache-2.0
//! What a field of an instruction is: position, legal values, meaning. The table of all fields is [`crate::opcode`].
//!
//! Encoder, decoder, RTL decoder, documents and C header derive from these values, so a field stands in one place only.

use std::fmt;

/// The values a field may take; anything else is [`Cause::IllegalField`](crate::Cause::IllegalField).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Legal {
    /// Every value of the width.
    Any,
    /// Only 0 (used by rules: a field that has no meaning in this combination).
    Zero,
    /// Every value but 0.
    NonZero,
    /// A multiple of this power of two.
    Multiple(u32),
    /// Below this power of two, where the field is wider than the value.
    Below(u32),
    /// One of the named values.
    OneOf(&'static [(u32, &'static str)]),
}

impl Legal {
    /// True if the value is legal.
    pub fn admits(self, value: u32) -> bool {
        match self {
            Legal::Any => true,
            Legal::Zero => value == 0,
            Legal::NonZero => value != 0,
            Legal::Multiple(of) => value.is_multiple_of(of),
            Legal::Below(limit) => value < limit,
            Legal::OneOf(values) => values.iter().any(|&(legal, _)| legal == value),
        }
    }
}

impl fmt::Display for Legal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Legal::Any => f.write_str("any value"),
            Legal::Zero => f.write_str("0"),
            Legal::NonZero => f.write_str("at least 1"),
            Legal::Multiple(of) => write!(f, "a multiple of {of}"),
            Legal::Below(limit) => write!(f, "below {limit:#x}"),
            Legal::OneOf(values) => {
                for (index, (value, name)) in values.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{value} {name}")?;
                }
                Ok(())
            }
        }
    }
}

/// One field: bits `lo + width - 1 : lo` of word `word` of the instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name in `lower_snake`, unique in its opcode; the same name means the same thing in every opcode.
    pub name: &'static str,
    /// Word 0..8.
    pub word: usize,
    /// Lowest bit.
    pub lo: u8,
    /// Bits, 1..=32.
    pub width: u8,
    /// Legal values.
    pub legal: Legal,
    /// Meaning and unit, one sentence.
    pub doc: &'static str,
}

impl Field {
    /// Highest value that fits the width.
    pub const fn max(&self) -> u32 {
        u32::MAX >> (32 - self.width)
    }

    /// The bits that the field takes in its word.
    pub const fn mask(&self) -> u32 {
        self.max() << self.lo
    }

    /// The value of the field in an instruction.
    pub const fn get(&self, words: &[u32; 8]) -> u32 {
        words[self.word] >> self.lo & self.max()
    }

    /// Writes the field. The caller guarantees `value <= self.max()`; higher bits are cut off.
    pub const fn put(&self, words: &mut [u32; 8], value: u32) {
        words[self.word] = words[self.word] & !self.mask() | (value & self.max()) << self.lo;
    }
}

/// A legality rule between two fields: if `field` equals `equals`, then `then` must satisfy `legal`
/// ([`Cause::IllegalField`](crate::Cause::IllegalField) otherwise).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The field that decides.
    pub field: &'static str,
    /// The value that makes the rule apply.
    pub equals: u32,
    /// The field that is restricted.
    pub then: &'static str,
    /// What it must satisfy, besides its own [`Field::legal`].
    pub legal: Legal,
    /// Why, one sentence.
    pub doc: &'static str,
}
