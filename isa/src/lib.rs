// SPDX-License-Identifier: Apache-2.0
//! What may be asked of a Quader core: the single source of truth for every size, opcode, register and layout.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | a core as a value, the named cores, the legality rules |
//! | [`limits`] | the sizes that are the same on every core |
//! | [`pipe`], [`dtype`], [`fault`] | pipes and flags, number formats, fault causes |
//! | [`field`], [`opcode`] | the table of opcodes and their fields |
//! | [`inst`], [`encode`], [`decode`] | instructions as typed values, to bytes and back |
//! | [`state`] | the state registers of the pipes |
//! | [`geometry`], [`second`] | what the state registers mean together: outer dimensions, feature maps; the second tensor of FIX |
//! | [`csr`], [`counter`] | the register map that the host sees |
//! | [`mod@effects`] | what an instruction reads and writes, exactly |
//! | [`asm`] | the text form of programs: assembler, disassembler |
//! | [`mod@check`] | the program checker |
//! | [`link`] | the frames between a host and a board |
//! | [`program`] | the builder that assigns the flags |
//! | [`docgen`] | `docs/isa.md`, `docs/registers.md` and `include/quader.h`, made from the tables |
//! | [`random`] | random legal instructions for tests |
//!
//! RTL generator, model, assembler, host, register document and C header derive from these tables.

pub mod asm;
pub mod check;
pub mod config;
pub mod counter;
pub mod csr;
pub mod decode;
pub mod docgen;
pub mod dtype;
pub mod effects;
pub mod encode;
pub mod fault;
pub mod field;
pub mod geometry;
pub mod inst;
pub mod limits;
pub mod link;
pub mod opcode;
mod order;
pub mod pipe;
pub mod program;
pub mod random;
pub mod second;
pub mod state;

pub use check::{Finding, check};
pub use config::{Config, ConfigError};
pub use counter::{Activity, Counter};
pub use decode::DecodeError;
pub use dtype::{Dtype, DtypeSet};
pub use effects::{Access, Buffer, effects};
pub use encode::{EncodeError, decode_program, encode_program};
pub use fault::{Cause, FaultRecord};
pub use field::{Field, Legal, Rule};
pub use inst::{
    FbField, FixStore, FixTarget, GmAddress, Inst, Instruction, Layout, LocalBuffer, Mmad, Mte1Im2col, Mte1Load,
    Mte1LoadFb, Mte2Fill, Mte2Load, Mte3Move, Mte3Store, Rounding, Second, Side,
};
pub use opcode::Opcode;
pub use pipe::{Flag, Pipe, Signal, Wait};
pub use program::ProgramBuilder;
pub use state::{STATE_REGISTERS, State, StateRegister};
