// SPDX-License-Identifier: Apache-2.0
//! What the assembler says about a bad line.

use crate::encode::EncodeError;
use std::fmt;

/// Something wrong in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsmError {
    /// File name as given to the assembler.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: AsmProblem,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AsmProblem {
    /// A character that no token begins with.
    BadCharacter(char),
    /// A number that cannot be read.
    BadNumber(String),
    /// A result of arithmetic that leaves 64 bits.
    ArithmeticOverflow,
    /// A constant that is not defined above.
    UnknownConstant(String),
    /// A constant that is defined twice.
    RepeatedConstant(String),
    /// No such instruction or directive.
    UnknownMnemonic(String),
    /// The opcode has no such operand.
    UnknownOperand {
        /// Mnemonic.
        mnemonic: &'static str,
        /// The word.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// An operand stands there twice.
    RepeatedOperand(String),
    /// An operand is missing.
    MissingOperand {
        /// Mnemonic.
        mnemonic: &'static str,
        /// How to write it.
        pattern: String,
    },
    /// Something else should stand here.
    Expected {
        /// What.
        what: String,
        /// What stands there.
        found: String,
    },
    /// A number outside its range.
    OutOfRange {
        /// Of what.
        name: String,
        /// The number.
        value: i64,
        /// Lowest legal number.
        low: i64,
        /// Highest legal number.
        high: i64,
    },
    /// A word that is none of the names of a field's values.
    UnknownWord {
        /// Of what.
        name: String,
        /// The word.
        word: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The instruction has no encoding.
    Illegal(EncodeError),
}

impl fmt::Display for AsmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.problem)
    }
}

impl fmt::Display for AsmProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AsmProblem::BadCharacter(character) => {
                write!(f, "unexpected character `{character}`: remove it, or put it in a comment behind `;`")
            }
            AsmProblem::BadNumber(text) => {
                write!(f, "`{text}` is not a number: write 12, 0x1f, 0b101, 4K, 4Ki, 1Mi or, for a scale, 0.5")
            }
            AsmProblem::ArithmeticOverflow => f.write_str("the result does not fit 64 bits: use smaller numbers"),
            AsmProblem::UnknownConstant(name) => {
                write!(f, "constant `{name}` is not defined: put `.equ {name} VALUE` above this line")
            }
            AsmProblem::RepeatedConstant(name) => {
                write!(f, "constant `{name}` is defined twice: choose another name")
            }
            AsmProblem::UnknownMnemonic(word) => {
                let known: Vec<&str> = crate::Opcode::ALL.iter().map(|opcode| opcode.mnemonic()).collect();
                write!(f, "unknown instruction `{word}`: use one of {}, or .equ", known.join(", "))
            }
            AsmProblem::UnknownOperand { mnemonic, name, known } if known.is_empty() => {
                write!(f, "`{name}` cannot stand here: {mnemonic} takes no operands")
            }
            AsmProblem::UnknownOperand { mnemonic, name, known } => {
                write!(f, "{mnemonic} has no operand `{name}`: use {}", known.join(", "))
            }
            AsmProblem::RepeatedOperand(name) => write!(f, "operand `{name}` stands here twice: remove one"),
            AsmProblem::MissingOperand { mnemonic, pattern } => write!(f, "{mnemonic} needs {pattern}: add it"),
            AsmProblem::Expected { what, found } => write!(f, "expected {what}, but found {found}"),
            AsmProblem::OutOfRange { name, value, low, high } => {
                write!(f, "{name} is {value} but must be from {low} to {high}")
            }
            AsmProblem::UnknownWord { name, word, known } => {
                write!(f, "`{word}` is no {name}: use {}", known.join(", "))
            }
            AsmProblem::Illegal(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AsmError {}
