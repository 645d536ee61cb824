// SPDX-License-Identifier: Apache-2.0
//! Instructions as typed values.
//!
//! [`Instruction`] is what to do, [`Inst`] adds the flags. Operands have the width of their fields or more; what does not
//! fit, or is illegal, is refused by [`Inst::encode`].

use crate::dtype::Dtype;
use crate::opcode::Opcode;
use crate::pipe::{Flag, Pipe, Signal, Wait};

macro_rules! coded_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal, $text:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$doc])* $variant = $code,)+ }

        impl $name {
            /// Every value, in the order of the codes.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The code in the instruction.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The value with this code.
            pub fn from_code(code: u8) -> Option<$name> {
                $name::ALL.iter().copied().find(|value| value.code() == code)
            }

            /// Lower-case name, as the assembler and the documents write it.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

coded_enum! {
    /// How the bytes (r, c) of a matrix lie in a buffer. `stride` is in bytes.
    Layout {
        /// Byte (r, c) at `address + r * stride + c`.
        Rows = 0, "rows";
        /// Byte (r, c) at `address + (c / 32) * stride + r * 32 + c % 32`: panels of 32 bytes, fractals of 16 rows x 32 bytes.
        Nz = 1, "nz";
    }
}

coded_enum! {
    /// A byte-addressed on-chip buffer.
    LocalBuffer {
        /// L1.
        L1 = 0, "l1";
        /// UB, if the core has one.
        Ub = 1, "ub";
    }
}

coded_enum! {
    /// A parameter of an FB channel.
    FbField {
        /// int32, 4 bytes in L1.
        Bias = 0, "bias";
        /// fp32, or the integer of the modes tflite and gemmlowp, 4 bytes in L1.
        Scale = 1, "scale";
        /// u8, 1 byte in L1.
        Shift = 2, "shift";
        /// 9 bits, 2 bytes in L1 of which bits 8:0 are kept.
        ZeroPoint = 3, "zero_point";
    }
}

impl FbField {
    /// Bytes per channel of the packed array in L1.
    pub const fn bytes(self) -> u32 {
        match self {
            FbField::Bias | FbField::Scale => 4,
            FbField::Shift => 1,
            FbField::ZeroPoint => 2,
        }
    }
}

coded_enum! {
    /// A requantisation mode, named after the runtime that it reproduces bit for bit.
    Rounding {
        /// int32 to fp32 RNE, fp32 multiply RNE, round half to even, add zero point, saturate.
        Onnx = 0, "onnx";
        /// Multiplier in Q0.31 and a shift, rounded once, half up (TFLite with single rounding).
        Tflite = 1, "tflite";
        /// Multiplier in Q0.31 and a shift, rounded after each, half up and half away from zero (TFLite's default).
        Gemmlowp = 2, "gemmlowp";
    }
}

impl Rounding {
    /// True if these bits may be the scale: onnx, a positive normal fp32; tflite and gemmlowp, 0 or an integer of 2^30..=2^31 - 1.
    pub const fn admits_scale(self, bits: u32) -> bool {
        match self {
            Rounding::Onnx => bits >> 23 >= 1 && bits >> 23 <= 254,
            Rounding::Tflite | Rounding::Gemmlowp => bits == 0 || bits >> 30 == 1,
        }
    }

    /// True if this may be the shift of tflite and gemmlowp: -31..=30, what TFLite itself makes.
    pub const fn admits_shift(shift: i8) -> bool {
        -31 <= shift && shift <= 30
    }
}

coded_enum! {
    /// What `fix.store` does with its second tensor, whose place and factors stand in state registers.
    Second {
        /// There is none.
        None = 0, "none";
        /// Adds it, each tensor with its own factor.
        Add = 1, "add";
        /// Takes the larger of the two numbers.
        Max = 2, "max";
    }
}

/// Which operand an MTE1 load fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// L0A.
    A,
    /// L0B.
    B,
}

/// A GM address: base register and byte offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GmAddress {
    /// Base register, 0..16.
    pub base: u8,
    /// Byte offset, below 2^40.
    pub offset: u64,
}

/// `mte2.load`: strided DMA from GM into L1 or UB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mte2Load {
    /// First byte of row 0 in GM.
    pub gm: GmAddress,
    /// Bytes from one row to the next in GM.
    pub gm_stride: u32,
    /// Layout in the destination.
    pub layout: Layout,
    /// Destination buffer.
    pub dst: LocalBuffer,
    /// Byte address in the destination, 24 bits.
    pub dst_address: u32,
    /// Bytes from row to row (rows) or panel to panel (nz), 24 bits.
    pub dst_stride: u32,
    /// Rows, at least 1.
    pub rows: u16,
    /// Bytes of one row, at least 1, 24 bits.
    pub len_bytes: u32,
}

/// `mte2.fill`: rows of L1 or UB filled with one byte value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mte2Fill {
    /// Destination buffer.
    pub dst: LocalBuffer,
    /// Byte address in the destination, 24 bits.
    pub dst_address: u32,
    /// Bytes from row to row, 24 bits.
    pub dst_stride: u32,
    /// Rows, at least 1.
    pub rows: u16,
    /// Bytes of one row, at least 1, 24 bits.
    pub len_bytes: u32,
    /// The value.
    pub byte: u8,
}

/// `mte1.loada`, `mte1.loadb`: a tile from L1 (nz) into L0A or L0B, less its zero point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mte1Load {
    /// L0A or L0B.
    pub side: Side,
    /// False: L1 holds `rows` rows of `k` elements. True: L1 holds `k` rows of `rows` elements.
    pub transpose: bool,
    /// dtype of the elements.
    pub dtype: Dtype,
    /// Byte address in L1, a multiple of 512, 24 bits.
    pub l1_address: u32,
    /// Bytes from panel to panel in L1, a multiple of 512, 24 bits.
    pub panel_stride: u32,
    /// Rows of the tile (m for A, n for B), at least 1.
    pub rows: u16,
    /// Elements of k, at least 1.
    pub k: u16,
    /// First fractal in L0A or L0B.
    pub fractal: u16,
}

/// `mte1.loadfb`: one parameter of consecutive channels from a packed array in L1 into FB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mte1LoadFb {
    /// Which parameter.
    pub field: FbField,
    /// Byte address in L1, a multiple of 32, 24 bits.
    pub l1_address: u32,
    /// First channel.
    pub channel: u16,
    /// Channels, at least 1.
    pub count: u16,
}

/// `mte1.im2col`: a tile of A for a convolution from a feature map in L1 (rows) into L0A; its geometry stands in state registers,
/// see [`crate::geometry::Im2col`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mte1Im2col {
    /// dtype of the elements.
    pub dtype: Dtype,
    /// Byte address in L1 of byte 0 of line 0 of the map, 24 bits.
    pub l1_address: u32,
    /// Output line of row 0.
    pub out_y: u16,
    /// Output pixel of row 0 in its line.
    pub out_x: u16,
    /// Line of the tap of the first k.
    pub tap_y: u8,
    /// Place of that tap in its line.
    pub tap_x: u8,
    /// Byte of the first k in its tap.
    pub tap_byte: u16,
    /// Rows of the tile: output pixels, at least 1.
    pub rows: u16,
    /// Elements of k, at least 1.
    pub k: u16,
    /// First fractal in L0A.
    pub fractal: u16,
}

/// `m.mmad`: C\[m, n\] = or += A\[m, k\] * B\[n, k\] transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mmad {
    /// False: C = A B. True: C += A B.
    pub accumulate: bool,
    /// dtype of A.
    pub dtype_a: Dtype,
    /// dtype of B.
    pub dtype_b: Dtype,
    /// First fractal of A in L0A.
    pub l0a: u16,
    /// First fractal of B in L0B.
    pub l0b: u16,
    /// First fractal of C in L0C.
    pub l0c: u16,
    /// Rows of A and C, at least 1.
    pub m: u16,
    /// Rows of B in L0B, columns of C, at least 1.
    pub n: u16,
    /// Elements of k, at least 1; the k that both tiles were loaded with.
    pub k: u16,
}

/// Where `fix.store` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FixTarget {
    /// Global memory.
    Gm(GmAddress),
    /// L1, byte address of 24 bits.
    L1(u32),
    /// UB, byte address of 24 bits.
    Ub(u32),
}

/// `fix.store`: a tile of L0C through bias, requantisation, ReLU and clamp, out to GM, L1 or UB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FixStore {
    /// Destination of element (0, 0).
    pub dst: FixTarget,
    /// Layout in the destination.
    pub layout: Layout,
    /// Bytes from row to row (rows) or panel to panel (nz).
    pub dst_stride: u32,
    /// dtype of the results.
    pub dtype_out: Dtype,
    /// Add the bias of FB channel `channel + j` to column j.
    pub bias: bool,
    /// Scale and shift of FB channel `channel + j` for column j, not of the state registers.
    pub per_channel: bool,
    /// Requantisation mode; `onnx` with int32 and fp32 results.
    pub rounding: Rounding,
    /// Results not below the zero point (int32, fp32: not below 0).
    pub relu: bool,
    /// Results within the state registers `clamp_low` and `clamp_high`; never with fp32 results.
    pub clamp: bool,
    /// What to do with the second tensor; 8-bit results only.
    pub second: Second,
    /// Rows, at least 1.
    pub m: u16,
    /// Columns, at least 1.
    pub n: u16,
    /// First fractal in L0C.
    pub l0c: u16,
    /// FB channel of column 0; ignored without `bias` and `per_channel`.
    pub channel: u16,
}

impl FixStore {
    /// True if the instruction multiplies by a scale: every dtype but int32.
    pub fn scales(&self) -> bool {
        self.dtype_out != Dtype::Int32
    }

    /// True if it multiplies by an integer and a shift: the modes tflite and gemmlowp.
    pub fn shifts(&self) -> bool {
        self.rounding != Rounding::Onnx
    }

    /// True if it adds the zero point: results of 8 bits and less.
    pub fn has_zero_point(&self) -> bool {
        !matches!(self.dtype_out, Dtype::Int32 | Dtype::Fp32)
    }

    /// True if it reads FB.
    pub fn reads_fb(&self) -> bool {
        self.bias || self.per_channel
    }

    /// Bytes of one row of results.
    pub fn row_bytes(&self) -> u32 {
        self.dtype_out.bytes(u32::from(self.n))
    }
}

/// `mte3.store`: strided DMA from L1 or UB out to GM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mte3Store {
    /// First byte of row 0 in GM.
    pub gm: GmAddress,
    /// Bytes from one row to the next in GM.
    pub gm_stride: u32,
    /// Layout in the source.
    pub layout: Layout,
    /// Source buffer.
    pub src: LocalBuffer,
    /// Byte address in the source, 24 bits.
    pub src_address: u32,
    /// Bytes from row to row (rows) or panel to panel (nz), 24 bits.
    pub src_stride: u32,
    /// Rows, at least 1.
    pub rows: u16,
    /// Bytes of one row, at least 1, 24 bits.
    pub len_bytes: u32,
}

/// `mte3.move`: strided DMA from UB to L1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mte3Move {
    /// Layout in L1.
    pub layout: Layout,
    /// Byte address in L1, 24 bits.
    pub dst_address: u32,
    /// Bytes from row to row (rows) or panel to panel (nz) in L1, 24 bits.
    pub dst_stride: u32,
    /// Byte address in UB, 24 bits.
    pub src_address: u32,
    /// Bytes from row to row in UB, 24 bits.
    pub src_stride: u32,
    /// Rows, at least 1.
    pub rows: u16,
    /// Bytes of one row, at least 1, 24 bits.
    pub len_bytes: u32,
}

/// What an instruction does, without its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Instruction {
    /// End of the program.
    End,
    /// Dispatch waits until every pipe is idle.
    Barrier,
    /// Nothing.
    Nop,
    /// Write a state register in the order of the pipe's queue.
    Set {
        /// The pipe that has the register.
        pipe: Pipe,
        /// Index of the register, see [`crate::state`].
        register: u8,
        /// New value.
        value: u32,
    },
    /// GM to L1 or UB.
    Mte2Load(Mte2Load),
    /// Fill L1 or UB.
    Mte2Fill(Mte2Fill),
    /// L1 to L0A or L0B.
    Mte1Load(Mte1Load),
    /// L1 to FB.
    Mte1LoadFb(Mte1LoadFb),
    /// Feature map in L1 to L0A.
    Mte1Im2col(Mte1Im2col),
    /// The cube.
    Mmad(Mmad),
    /// L0C to GM, L1 or UB.
    FixStore(FixStore),
    /// L1 or UB to GM.
    Mte3Store(Mte3Store),
    /// UB to L1.
    Mte3Move(Mte3Move),
}

impl Instruction {
    /// The opcode.
    pub fn opcode(&self) -> Opcode {
        match self {
            Instruction::End => Opcode::End,
            Instruction::Barrier => Opcode::Barrier,
            Instruction::Nop => Opcode::Nop,
            Instruction::Set { .. } => Opcode::Set,
            Instruction::Mte2Load(_) => Opcode::Mte2Load,
            Instruction::Mte2Fill(_) => Opcode::Mte2Fill,
            Instruction::Mte1Load(Mte1Load { side: Side::A, .. }) => Opcode::Mte1LoadA,
            Instruction::Mte1Load(Mte1Load { side: Side::B, .. }) => Opcode::Mte1LoadB,
            Instruction::Mte1LoadFb(_) => Opcode::Mte1LoadFb,
            Instruction::Mte1Im2col(_) => Opcode::Mte1Im2col,
            Instruction::Mmad(_) => Opcode::Mmad,
            Instruction::FixStore(_) => Opcode::FixStore,
            Instruction::Mte3Store(_) => Opcode::Mte3Store,
            Instruction::Mte3Move(_) => Opcode::Mte3Move,
        }
    }

    /// The pipe that executes it; S for SET, which [`Instruction::queue`] hands on.
    pub fn pipe(&self) -> Pipe {
        self.opcode().pipe()
    }

    /// The pipe whose queue the instruction passes through: that of its register for SET, else [`Instruction::pipe`].
    pub fn queue(&self) -> Pipe {
        match self {
            Instruction::Set { pipe, .. } => *pipe,
            _ => self.pipe(),
        }
    }
}

/// An instruction with its flags: at most three waits and three sets, none for the instructions of S.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Inst {
    /// What to do.
    pub op: Instruction,
    /// Flags taken before it starts, in slot order.
    pub waits: Vec<Wait>,
    /// Flags raised, in slot order.
    pub sets: Vec<Signal>,
}

impl Inst {
    /// An instruction without flags.
    pub fn new(op: Instruction) -> Inst {
        Inst { op, waits: Vec::new(), sets: Vec::new() }
    }

    /// Adds a wait on flag (`from` -> this pipe, `id`).
    pub fn wait(mut self, from: Pipe, id: u8) -> Inst {
        self.waits.push(Wait { from, id });
        self
    }

    /// Adds a set of flag (this pipe -> `to`, `id`) when the instruction has finished.
    pub fn set(mut self, to: Pipe, id: u8) -> Inst {
        self.sets.push(Signal { to, id, early: false });
        self
    }

    /// Adds an early set of flag (this pipe -> `to`, `id`).
    pub fn set_early(mut self, to: Pipe, id: u8) -> Inst {
        self.sets.push(Signal { to, id, early: true });
        self
    }

    /// The flags that it takes.
    pub fn wait_flags(&self) -> impl Iterator<Item = Flag> + '_ {
        self.waits.iter().map(|wait| wait.flag(self.op.pipe()))
    }

    /// The flags that it raises.
    pub fn set_flags(&self) -> impl Iterator<Item = Flag> + '_ {
        self.sets.iter().map(|signal| signal.flag(self.op.pipe()))
    }

    /// True if it has an early set, so that it clears the full bits of its target tile first.
    pub fn is_early(&self) -> bool {
        self.sets.iter().any(|signal| signal.early)
    }
}

impl From<Instruction> for Inst {
    fn from(op: Instruction) -> Inst {
        Inst::new(op)
    }
}
