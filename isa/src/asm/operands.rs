// SPDX-License-Identifier: Apache-2.0
//! How the fields of each opcode are written as operands; assembler, disassembler and documents read this table.

use crate::opcode::Opcode;

/// How an operand is written, and the fields it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `name=number`: the field of the same name.
    Number,
    /// `name=word`: the field of the same name, by the names of its values.
    Code,
    /// `name` alone: the field of the same name, 1 if it stands there.
    Switch,
    /// `name=b3[offset]`: base register and 40-bit GM offset.
    Gm,
    /// `name=l1[address]` or `name=ub[address]`: the field of the same name and this address field.
    Local(&'static str),
    /// `name=buffer[number]`: this field, in this buffer.
    Indexed {
        /// The word before the bracket.
        buffer: &'static str,
        /// The field.
        field: &'static str,
    },
    /// `name=b3[offset]`, `name=l1[address]` or `name=ub[address]` of `fix.store`.
    FixTarget,
}

/// One operand of an opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub form: Form,
    /// True if it may be left out; its field is then 0.
    pub optional: bool,
}

const fn needed(name: &'static str, form: Form) -> Operand {
    Operand { name, form, optional: false }
}

const fn optional(name: &'static str, form: Form) -> Operand {
    Operand { name, form, optional: true }
}

const fn number(name: &'static str) -> Operand {
    needed(name, Form::Number)
}

const fn indexed(name: &'static str, buffer: &'static str, field: &'static str) -> Operand {
    needed(name, Form::Indexed { buffer, field })
}

const LAYOUT: Operand = optional("layout", Form::Code);
const L1_SOURCE: Operand = indexed("src", "l1", "l1_address");

static MTE2_LOAD: [Operand; 7] = [
    needed("dst", Form::Local("dst_address")),
    needed("gm", Form::Gm),
    number("rows"),
    number("len_bytes"),
    number("gm_stride"),
    number("dst_stride"),
    LAYOUT,
];
static MTE2_FILL: [Operand; 5] = [
    needed("dst", Form::Local("dst_address")),
    number("byte"),
    number("rows"),
    number("len_bytes"),
    number("dst_stride"),
];
static MTE1_LOADA: [Operand; 7] = mte1_load("l0a");
static MTE1_LOADB: [Operand; 7] = mte1_load("l0b");
static MTE1_LOADFB: [Operand; 4] =
    [needed("field", Form::Code), L1_SOURCE, optional("channel", Form::Number), number("count")];
static MTE1_IM2COL: [Operand; 10] = [
    indexed("dst", "l0a", "fractal"),
    L1_SOURCE,
    number("out_y"),
    number("out_x"),
    number("rows"),
    number("k"),
    needed("dtype", Form::Code),
    optional("tap_y", Form::Number),
    optional("tap_x", Form::Number),
    optional("tap_byte", Form::Number),
];
static MMAD: [Operand; 9] = [
    indexed("c", "l0c", "l0c"),
    indexed("a", "l0a", "l0a"),
    indexed("b", "l0b", "l0b"),
    number("m"),
    number("n"),
    number("k"),
    needed("dtype_a", Form::Code),
    needed("dtype_b", Form::Code),
    optional("accumulate", Form::Switch),
];
static FIX_STORE: [Operand; 14] = [
    needed("dst", Form::FixTarget),
    indexed("src", "l0c", "l0c"),
    number("m"),
    number("n"),
    number("dst_stride"),
    needed("dtype_out", Form::Code),
    LAYOUT,
    optional("rounding", Form::Code),
    optional("bias", Form::Switch),
    optional("per_channel", Form::Switch),
    optional("relu", Form::Switch),
    optional("clamp", Form::Switch),
    optional("second", Form::Code),
    optional("channel", Form::Number),
];
static MTE3_STORE: [Operand; 7] = [
    needed("gm", Form::Gm),
    needed("src", Form::Local("src_address")),
    number("rows"),
    number("len_bytes"),
    number("gm_stride"),
    number("src_stride"),
    LAYOUT,
];

static MTE3_MOVE: [Operand; 7] = [
    indexed("dst", "l1", "dst_address"),
    indexed("src", "ub", "src_address"),
    number("rows"),
    number("len_bytes"),
    number("dst_stride"),
    number("src_stride"),
    LAYOUT,
];

const fn mte1_load(buffer: &'static str) -> [Operand; 7] {
    [
        indexed("dst", buffer, "fractal"),
        L1_SOURCE,
        number("panel_stride"),
        number("rows"),
        number("k"),
        needed("dtype", Form::Code),
        optional("transpose", Form::Switch),
    ]
}

/// The operands of an opcode, in the order of the canonical text. SET is written in its own way: `set pipe.register value`.
pub fn operands(opcode: Opcode) -> &'static [Operand] {
    match opcode {
        Opcode::End | Opcode::Barrier | Opcode::Nop | Opcode::Set => &[],
        Opcode::Mte2Load => &MTE2_LOAD,
        Opcode::Mte2Fill => &MTE2_FILL,
        Opcode::Mte1LoadA => &MTE1_LOADA,
        Opcode::Mte1LoadB => &MTE1_LOADB,
        Opcode::Mte1LoadFb => &MTE1_LOADFB,
        Opcode::Mte1Im2col => &MTE1_IM2COL,
        Opcode::Mmad => &MMAD,
        Opcode::FixStore => &FIX_STORE,
        Opcode::Mte3Store => &MTE3_STORE,
        Opcode::Mte3Move => &MTE3_MOVE,
    }
}

impl Operand {
    /// The fields that the operand stands for.
    pub fn fields(&self) -> Vec<&'static str> {
        match self.form {
            Form::Number | Form::Code | Form::Switch => vec![self.name],
            Form::Gm => vec!["base", "gm_offset_hi", "gm_offset_lo"],
            Form::Local(address) => vec![self.name, address],
            Form::Indexed { field, .. } => vec![field],
            Form::FixTarget => vec!["dst", "base", "gm_offset_hi", "address"],
        }
    }

    /// How it is written, for messages and documents.
    pub fn pattern(&self) -> String {
        let name = self.name;
        match self.form {
            Form::Number => format!("{name}=NUMBER"),
            Form::Code => format!("{name}=WORD"),
            Form::Switch => name.to_string(),
            Form::Gm => format!("{name}=bBASE[OFFSET]"),
            Form::Local(_) => format!("{name}=l1[ADDRESS]"),
            Form::Indexed { buffer, .. } => format!("{name}={buffer}[NUMBER]"),
            Form::FixTarget => format!("{name}=bBASE[OFFSET] or {name}=l1[ADDRESS]"),
        }
    }
}
