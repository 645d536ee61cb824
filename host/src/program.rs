// SPDX-License-Identifier: Apache-2.0
//! A program with all that a start needs: code and its address, base registers, memory windows.

use crate::error::{HostError, Result};
use isa::csr::{PROGRAM_ALIGN_BYTES, RIGHT_EXECUTE};
use isa::{Inst, encode_program};
use model::Window;

/// A program ready to be run by a [`Transport`](crate::Transport).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    instructions: Vec<Inst>,
    code: Vec<u8>,
    address: u64,
    bases: Vec<u64>,
    windows: Vec<Window>,
}

impl Program {
    /// A program whose code lies at `address`, a multiple of 64, with base registers from 0 on and memory windows.
    ///
    /// *Guarantee*: a window with the right to execute is added that holds the code, its length rounded up to 64 bytes, since
    /// fetch reads whole bus words.
    ///
    /// *Errors*: [`HostError::Encode`] if an instruction has no encoding.
    ///
    /// *Panics*: with more than 7 windows, more than 16 bases, or an address that is no multiple of 64.
    pub fn new(instructions: Vec<Inst>, address: u64, bases: Vec<u64>, mut windows: Vec<Window>) -> Result<Program> {
        assert!(windows.len() < isa::limits::WINDOWS, "one of the 8 windows is that of the code");
        assert!(bases.len() <= isa::limits::BASES, "there are 16 base registers");
        assert!(address.is_multiple_of(PROGRAM_ALIGN_BYTES.into()), "code lies at a multiple of 64");
        let code = encode_program(&instructions).map_err(|(index, error)| HostError::Encode { index, error })?;
        let room = (code.len() as u64).next_multiple_of(PROGRAM_ALIGN_BYTES.into());
        windows.push(Window { first: address, last: address + room - 1, rights: RIGHT_EXECUTE });
        Ok(Program { instructions, code, address, bases, windows })
    }

    /// The instructions, END last.
    pub fn instructions(&self) -> &[Inst] {
        &self.instructions
    }

    /// The encoded instructions, 32 bytes each.
    pub fn code(&self) -> &[u8] {
        &self.code
    }

    /// Where the code lies in global memory.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Values of the base registers, from register 0 on.
    pub fn bases(&self) -> &[u64] {
        &self.bases
    }

    /// Memory windows, at most 8.
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }
}
