// SPDX-License-Identifier: Apache-2.0
//! Models of the cells of FPGA families, as Verilog text, for simulations of what is made of them.

/// The cells of Lattice ECP5 that Quader and its netlists use: LUT4, PFUMX, L6MUX21, CCU2C, TRELLIS_FF, TRELLIS_DPR16X4, MULT18X18D.
pub const ECP5: &str = include_str!("../cells/ecp5.v");
