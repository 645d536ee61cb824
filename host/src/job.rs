// SPDX-License-Identifier: Apache-2.0
//! A program with its data: what lies in global memory before it starts, and where the result lies after it ended.

use crate::error::Result;
use crate::program::Program;
use crate::report::Report;
use crate::transport::Transport;
use std::borrow::Cow;

/// An array of numbers in global memory, row-major and little-endian, without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operand<'a> {
    /// What it is: `a`, `b`, `bias`.
    pub name: &'static str,
    /// Address of its first byte.
    pub address: u64,
    /// Type of its elements, as NumPy calls it: `int8`, `uint8`, `int16`, `int32`, `float32`.
    pub dtype: &'static str,
    /// Its dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Its bytes as they lie in memory.
    pub bytes: Cow<'a, [u8]>,
}

/// The place of a result in global memory, row-major and little-endian, without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultPlace {
    /// Address of its first byte.
    pub address: u64,
    /// Type of its elements, as NumPy calls it.
    pub dtype: &'static str,
    /// Its dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Bytes of it.
    pub bytes: usize,
}

/// Everything that a core needs for one answer, and where the answer will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job<'a> {
    /// The program, with bases and windows.
    pub program: &'a Program,
    /// What lies in memory before the start, besides the code.
    pub operands: Vec<Operand<'a>>,
    /// Where the result lies after the end.
    pub result: ResultPlace,
}

impl Job<'_> {
    /// Writes the operands, runs the program, reads the bytes of the result.
    ///
    /// *Errors*: as [`Transport::run`].
    pub fn run(&self, transport: &mut dyn Transport) -> Result<(Vec<u8>, Report)> {
        for operand in &self.operands {
            transport.write(operand.address, &operand.bytes)?;
        }
        let report = transport.run(self.program)?;
        Ok((transport.read(self.result.address, self.result.bytes)?, report))
    }
}
