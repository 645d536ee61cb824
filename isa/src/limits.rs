// SPDX-License-Identifier: Apache-2.0
//! The fixed sizes of the instruction set: what no [`Config`](crate::Config) may change.
//!
//! A program that fits the buffers of a small core runs unchanged on every larger one because everything here is the
//! same on all of them: instruction size, fractal shapes, address widths, flag limits.

/// Version of the instruction set, register map and layouts: major in bits 31:16, minor in bits 15:0.
pub const ISA_VERSION: u32 = 0x0001_0000;

/// Bytes of one instruction.
pub const INSTRUCTION_BYTES: usize = 32;
/// 32-bit little-endian words of one instruction.
pub const INSTRUCTION_WORDS: usize = 8;

/// Wait slots of an instruction.
pub const WAIT_SLOTS: usize = 3;
/// Set slots of an instruction.
pub const SET_SLOTS: usize = 3;
/// Flag ids per (source pipe, destination pipe): 0..8.
pub const FLAG_IDS: usize = 8;
/// Highest value of a flag counter; one more set is a fault ([`Cause::FlagOverflow`](crate::Cause::FlagOverflow)).
pub const FLAG_LIMIT: u8 = 15;

/// Rows of a fractal, in every buffer.
pub const FRACTAL_ROWS: usize = 16;
/// Bytes of one row of an L1, L0A or L0B fractal.
pub const FRACTAL_ROW_BYTES: usize = 32;
/// Bytes of one L1, L0A or L0B fractal: 16 rows x 32 bytes.
pub const FRACTAL_BYTES: usize = FRACTAL_ROWS * FRACTAL_ROW_BYTES;
/// Columns of an L0C fractal.
pub const L0C_FRACTAL_COLUMNS: usize = 16;
/// Bytes of one L0C element (int32).
pub const L0C_ELEMENT_BYTES: usize = 4;
/// Bytes of one L0C fractal: 16 x 16 x 4 bytes.
pub const L0C_FRACTAL_BYTES: usize = FRACTAL_ROWS * L0C_FRACTAL_COLUMNS * L0C_ELEMENT_BYTES;

/// Bits of a global-memory (GM) byte address.
pub const GM_ADDRESS_BITS: u32 = 40;
/// Bits of a byte address in L1 or UB.
pub const LOCAL_ADDRESS_BITS: u32 = 24;
/// Base registers that a GM address may name.
pub const BASES: usize = 16;
/// Memory windows of one context.
pub const WINDOWS: usize = 8;
/// An AXI burst never crosses a multiple of this many bytes.
pub const AXI_BOUNDARY_BYTES: usize = 4096;
