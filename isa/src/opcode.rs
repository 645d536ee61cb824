// SPDX-License-Identifier: Apache-2.0
//! The opcodes and the table of their fields, rules, actions and cycles.
//!
//! ```text
//! w0  [7:0] opcode  [14:8] wait0  [21:15] wait1  [28:22] wait2  [31:29] 0
//! w1  [7:0] set0    [15:8] set1   [23:16] set2                  [31:24] 0
//! w2..w7  fields of the opcode; every bit that no field names must be 0
//! ```
//! A wait slot is `[0] valid, [3:1] source pipe, [6:4] id`, a set slot `[0] valid, [3:1] destination pipe, [6:4] id,
//! [7] early`. A slot that is not valid is all 0. Slots fill from 0 upwards: a valid slot above an empty one is illegal.

mod table;

use crate::fault::Cause;
use crate::field::{Field, Rule};
use crate::limits::{SET_SLOTS, WAIT_SLOTS};
use crate::pipe::Pipe;
use std::fmt;

/// Lowest bit of each wait slot in word 0.
pub const WAIT_SLOT_LO: [u8; WAIT_SLOTS] = [8, 15, 22];
/// Bits of a wait slot.
pub const WAIT_SLOT_WIDTH: u8 = 7;
/// Lowest bit of each set slot in word 1.
pub const SET_SLOT_LO: [u8; SET_SLOTS] = [0, 8, 16];
/// Bits of a set slot.
pub const SET_SLOT_WIDTH: u8 = 8;
/// Bit of a slot that says that it is used.
pub const SLOT_VALID_BIT: u8 = 0;
/// Lowest bit of the 3-bit pipe code in a slot.
pub const SLOT_PIPE_LO: u8 = 1;
/// Lowest bit of the 3-bit flag id in a slot.
pub const SLOT_ID_LO: u8 = 4;
/// Bit of a set slot that makes it early.
pub const SLOT_EARLY_BIT: u8 = 7;

/// An opcode; the value is its 8-bit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Opcode {
    /// End of the program.
    End = 0x01,
    /// Wait until every pipe is idle.
    Barrier = 0x02,
    /// Nothing.
    Nop = 0x03,
    /// Write a state register of a pipe, in that pipe's queue.
    Set = 0x04,
    /// DMA GM to L1 or UB.
    Mte2Load = 0x10,
    /// Fill L1 or UB with one byte value.
    Mte2Fill = 0x11,
    /// Operand load L1 to L0A.
    Mte1LoadA = 0x20,
    /// Operand load L1 to L0B.
    Mte1LoadB = 0x21,
    /// Parameter load L1 to FB.
    Mte1LoadFb = 0x22,
    /// Operand load L1 to L0A from a feature map.
    Mte1Im2col = 0x23,
    /// Matrix multiply-add.
    Mmad = 0x30,
    /// Requantise and store L0C.
    FixStore = 0x40,
    /// DMA L1 or UB to GM.
    Mte3Store = 0x60,
    /// DMA UB to L1.
    Mte3Move = 0x62,
}

/// Everything the documents and the decoders know about one opcode.
#[derive(Clone, Copy, Debug)]
pub struct OpcodeInfo {
    /// The opcode.
    pub opcode: Opcode,
    /// Assembler mnemonic, for example `mte2.load`.
    pub mnemonic: &'static str,
    /// The pipe that executes it.
    pub pipe: Pipe,
    /// True if it may carry wait and set slots.
    pub has_slots: bool,
    /// Its fields in words 2..8, in the order of words and bits.
    pub fields: &'static [Field],
    /// Legality rules between two fields.
    pub rules: &'static [Rule],
    /// What it is, one sentence.
    pub doc: &'static str,
    /// One line of pseudo-code.
    pub action: &'static str,
    /// Faults beyond IllegalOpcode and IllegalField, each with its condition.
    pub faults: &'static [(Cause, &'static str)],
    /// Cycle formula.
    pub cycles: &'static str,
}

impl Opcode {
    /// Every legal opcode, in the order of the codes.
    pub const ALL: [Opcode; 14] = [
        Opcode::End,
        Opcode::Barrier,
        Opcode::Nop,
        Opcode::Set,
        Opcode::Mte2Load,
        Opcode::Mte2Fill,
        Opcode::Mte1LoadA,
        Opcode::Mte1LoadB,
        Opcode::Mte1LoadFb,
        Opcode::Mte1Im2col,
        Opcode::Mmad,
        Opcode::FixStore,
        Opcode::Mte3Store,
        Opcode::Mte3Move,
    ];

    /// The 8-bit code.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The opcode with this code; `None` is [`Cause::IllegalOpcode`].
    pub fn from_code(code: u8) -> Option<Opcode> {
        Opcode::ALL.into_iter().find(|opcode| opcode.code() == code)
    }

    /// The opcode with this assembler mnemonic.
    pub fn from_mnemonic(mnemonic: &str) -> Option<Opcode> {
        Opcode::ALL.into_iter().find(|opcode| opcode.mnemonic() == mnemonic)
    }

    /// The row of the table.
    pub fn info(self) -> &'static OpcodeInfo {
        table::TABLE.iter().find(|info| info.opcode == self).expect("the table has a row for every opcode")
    }

    /// Assembler mnemonic.
    pub fn mnemonic(self) -> &'static str {
        self.info().mnemonic
    }

    /// The pipe that executes it.
    pub fn pipe(self) -> Pipe {
        self.info().pipe
    }

    /// True if it may carry wait and set slots: everything that is not executed by S.
    pub fn has_slots(self) -> bool {
        self.info().has_slots
    }

    /// Its fields in words 2..8, in the order of words and bits.
    pub fn fields(self) -> &'static [Field] {
        self.info().fields
    }

    /// Legality rules between two fields.
    pub fn rules(self) -> &'static [Rule] {
        self.info().rules
    }

    /// The field with this name, if the opcode has it.
    pub fn field(self, name: &str) -> Option<&'static Field> {
        self.fields().iter().find(|field| field.name == name)
    }

    /// Per word, the bits that must be 0.
    pub fn reserved_mask(self) -> [u32; 8] {
        let mut used = [0u32; 8];
        used[0] = 0xFF;
        if self.has_slots() {
            for lo in WAIT_SLOT_LO {
                used[0] |= ((1 << WAIT_SLOT_WIDTH) - 1) << lo;
            }
            for lo in SET_SLOT_LO {
                used[1] |= ((1 << SET_SLOT_WIDTH) - 1) << lo;
            }
        }
        for field in self.fields() {
            used[field.word] |= field.mask();
        }
        used.map(|bits| !bits)
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mnemonic())
    }
}

/// The field `name` of `opcode`.
///
/// *Panics* if the opcode has no such field: the caller writes both names, so that is a mistake in the program text.
pub fn field(opcode: Opcode, name: &str) -> &'static Field {
    opcode.field(name).unwrap_or_else(|| panic!("opcode {opcode} has no field `{name}`"))
}

/// Opcodes that are kept for later versions and trap as [`Cause::IllegalOpcode`]: code, name, what for.
pub const RESERVED_OPCODES: [(u8, &str, &str); 7] = [
    (0x05, "loop", "repeat a range of instructions"),
    (0x06, "add.base", "add to a base register"),
    (0x07, "branch", "jump"),
    (0x50, "v.unary", "elementwise vector work (0x50 to 0x5f)"),
    (0x41, "fix.atomic_add", "atomic add to GM"),
    (0x61, "mte3.atomic_add", "atomic add to GM"),
    (0x00, "zero", "never used: zeroed memory traps"),
];
