// SPDX-License-Identifier: Apache-2.0
//! The frames between a host and a board on a serial line: the host asks, the board answers.
//!
//! ```text
//!  FLAG | op, sequence, count (2), address (5) | data of a write | CRC-32 (4) | FLAG              request
//!  FLAG | op + ANSWER, sequence, count, address, status | data of a read | CRC-32 (4) | FLAG      answer
//! ```
//! Numbers are little-endian. Between the flags FLAG and ESCAPE are sent as ESCAPE and the byte XOR [`ESCAPE_FLIP`], as in HDLC (RFC 1662).
//! The CRC is CRC-32/ISO-HDLC over all that stands before it. The page is `docs/board.md`.

use std::fmt::Write as _;

/// Version of the protocol; the answer to a hello holds it.
pub const VERSION: u8 = 1;
/// Begins and ends a frame.
pub const FLAG: u8 = 0x7e;
/// Says that the next byte is flipped.
pub const ESCAPE: u8 = 0x7d;
/// What a byte behind an [`ESCAPE`] is flipped by.
pub const ESCAPE_FLIP: u8 = 0x20;
/// Bytes of a request before its data.
pub const REQUEST_HEADER: usize = 9;
/// Bytes of an answer before its data.
pub const ANSWER_HEADER: usize = 10;
/// Bytes of the CRC.
pub const CRC_BYTES: usize = 4;
/// Bytes of an aligned block of addresses; one request stays inside one.
pub const BLOCK_BYTES: usize = 1024;
/// This bit of the op makes a request an answer.
pub const ANSWER: u8 = 0x80;
/// Op of an answer to a frame that came damaged; its other fields mean nothing.
pub const DAMAGED: u8 = 0xff;
/// Bytes of data in the answer to a hello.
pub const HELLO_BYTES: usize = 8;
/// What the CRC register holds, before its last inversion, after data and their CRC.
pub const CRC_RESIDUE: u32 = 0xdebb_20e3;
/// The polynomial of the CRC, lowest power in the highest bit.
pub const CRC_POLYNOMIAL: u32 = 0xedb8_8320;

/// What a request asks for. Bit 0: write. Bit 1: memory, otherwise registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Registers of the core, 32 bits each, from `address` on.
    ReadRegisters = 0,
    /// The same, written one after the other until one answers an error.
    WriteRegisters = 1,
    /// Bytes of global memory.
    ReadMemory = 2,
    /// Bytes of global memory.
    WriteMemory = 3,
    /// Begins a session: the board forgets the sequence number before. Count is 8, the address is any number and comes back.
    Hello = 4,
}

impl Op {
    /// All of them, in the order of their codes.
    pub const ALL: [Op; 5] = [Op::ReadRegisters, Op::WriteRegisters, Op::ReadMemory, Op::WriteMemory, Op::Hello];

    /// True if the request has data.
    #[must_use]
    pub fn is_write(self) -> bool {
        matches!(self, Op::WriteRegisters | Op::WriteMemory)
    }

    fn row(self) -> (&'static str, &'static str) {
        match self {
            Op::ReadRegisters => {
                ("read registers", "`count` bytes of registers of the core, a multiple of 4, from `address` on")
            }
            Op::WriteRegisters => {
                ("write registers", "the same, in order of their addresses, until one answers an error")
            }
            Op::ReadMemory => ("read memory", "`count` bytes of global memory from `address` on"),
            Op::WriteMemory => ("write memory", "the same"),
            Op::Hello => ("hello", "begins a session; `count` is 8, `address` any number"),
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkStatus {
    /// As asked.
    Done = 0,
    /// The request breaks a rule of this page; nothing was done.
    Refused = 1,
    /// A register or the memory answered SLVERR.
    SlaveError = 2,
    /// There is no memory at that address.
    DecodeError = 3,
    /// No hello came since the board's reset; nothing was done.
    Stranger = 4,
}

impl LinkStatus {
    /// All of them, in the order of their codes.
    pub const ALL: [LinkStatus; 5] =
        [LinkStatus::Done, LinkStatus::Refused, LinkStatus::SlaveError, LinkStatus::DecodeError, LinkStatus::Stranger];

    /// The status with this code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<LinkStatus> {
        LinkStatus::ALL.get(usize::from(code)).copied()
    }

    fn row(self) -> (&'static str, &'static str) {
        match self {
            LinkStatus::Done => ("done", "as asked; the answer to a read or a hello has its data"),
            LinkStatus::Refused => ("refused", "the request breaks a rule; nothing was done"),
            LinkStatus::SlaveError => ("slave error", "a register or the memory answered SLVERR"),
            LinkStatus::DecodeError => ("decode error", "there is no memory at that address"),
            LinkStatus::Stranger => ("stranger", "no hello came since the board's reset; nothing was done"),
        }
    }
}

/// The tables of `docs/board.md`: fields of a frame, ops, statuses, data of a hello.
#[must_use]
pub fn tables() -> String {
    let mut text = String::from("| offset | bytes | field | request | answer |\n|---|---|---|---|---|\n");
    let answer =
        format!("op + {ANSWER:#04x}; {DAMAGED:#04x}: a request came damaged, and the other fields mean nothing");
    let data = format!("{ANSWER_HEADER} on");
    for (offset, bytes, field, request, answer) in [
        ("0", "1", "op", "see below", answer.as_str()),
        ("1", "1", "sequence", "another number than the request before", "the same"),
        ("2", "2", "count", "bytes to read or write", "the same"),
        ("4", "5", "address", "of the first byte", "the same"),
        ("9", "1", "status", "is not there; data begin here", "see below"),
        (data.as_str(), "count", "data", "of a write", "of a read or a hello whose status is 0"),
        ("end", "4", "CRC-32", "over all before it", "over all before it"),
    ] {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {offset} | {bytes} | {field} | {request} | {answer} |");
    }
    text.push_str("\n| op | name | asks for |\n|---|---|---|\n");
    for op in Op::ALL {
        let (name, meaning) = op.row();
        let _ = writeln!(text, "| {} | {name} | {meaning} |", op as u8);
    }
    text.push_str("\n| status | name | means |\n|---|---|---|\n");
    for status in LinkStatus::ALL {
        let (name, meaning) = status.row();
        let _ = writeln!(text, "| {} | {name} | {meaning} |", status as u8);
    }
    let _ = write!(
        text,
        "\n| byte of a hello's answer | is |\n|---|---|\n| 0 | {VERSION}, the version of this protocol |\n\
         | 1 | n: global memory has 2^n bytes, from address 0 on |\n| 2 to 3 | 0 |\n| 4 to 7 | clock of the board in kHz |\n"
    );
    text
}
