// SPDX-License-Identifier: Apache-2.0
//! Where in a buffer the operands of an instruction lie.

use super::command::Refused;
use super::matrix::Buffer;
use host::Debugger;
use isa::limits::{FRACTAL_ROW_BYTES, FRACTAL_ROWS, GM_ADDRESS_BITS};
use isa::{Dtype, FixTarget, GmAddress, Instruction, Layout, LocalBuffer, Mte1Load, Side};
use serde_json::{Value, json};

/// A memory of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// L1.
    L1,
    /// UB.
    Ub,
    /// Global memory.
    Gm,
}

/// How bytes are read as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// int8.
    S8,
    /// uint8.
    U8,
    /// int32.
    Int32,
    /// IEEE single.
    Fp32,
    /// A byte in hexadecimal.
    Hex,
}

/// A tile of fractals in L0A, L0B or L0C: rows and columns as they lie there (L0B: n x k).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Its first fractal.
    pub fractal: usize,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
}

/// A matrix in a memory of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// Which memory.
    pub memory: Memory,
    /// First byte.
    pub address: u64,
    /// How it lies.
    pub layout: Layout,
    /// Bytes from row to row, or from panel to panel.
    pub stride: u64,
    /// Rows.
    pub rows: usize,
    /// Elements of a row.
    pub columns: usize,
    /// What the elements are.
    pub kind: Kind,
}

/// An operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// In a buffer of the cube.
    Tile(Tile),
    /// Elsewhere.
    Bytes(Bytes),
}

impl Memory {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Memory::L1 => "l1",
            Memory::Ub => "ub",
            Memory::Gm => "gm",
        }
    }

    /// A byte of it.
    pub fn byte(self, debugger: &mut Debugger, address: u64) -> Refused<u8> {
        let local = |buffer| debugger.look().byte(buffer, usize::try_from(address).ok()?);
        let found = match self {
            Memory::L1 => local(LocalBuffer::L1),
            Memory::Ub => local(LocalBuffer::Ub),
            Memory::Gm => debugger.read(address, 1).ok().map(|bytes| bytes[0]),
        };
        found.ok_or_else(|| format!("the matrix leaves its buffer: there is no byte {}[{address:#x}]", self.name()))
    }
}

impl From<LocalBuffer> for Memory {
    fn from(buffer: LocalBuffer) -> Memory {
        match buffer {
            LocalBuffer::L1 => Memory::L1,
            LocalBuffer::Ub => Memory::Ub,
        }
    }
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::S8, Kind::U8, Kind::Int32, Kind::Fp32, Kind::Hex];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Kind::S8 => "s8",
            Kind::U8 => "u8",
            Kind::Int32 => "int32",
            Kind::Fp32 => "fp32",
            Kind::Hex => "hex",
        }
    }

    /// The kind with this word.
    pub fn parse(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == word)
    }

    /// Bytes of an element.
    pub fn bytes(self) -> usize {
        match self {
            Kind::S8 | Kind::U8 | Kind::Hex => 1,
            Kind::Int32 | Kind::Fp32 => 4,
        }
    }

    /// The number that these bytes are.
    pub fn value(self, bytes: [u8; 4]) -> Value {
        match self {
            Kind::S8 => json!(bytes[0] as i8),
            Kind::U8 | Kind::Hex => json!(bytes[0]),
            Kind::Int32 => json!(i32::from_le_bytes(bytes)),
            // JSON has no infinities: what is not finite is its bits.
            Kind::Fp32 => match f32::from_le_bytes(bytes) {
                value if value.is_finite() => json!(value),
                _ => json!(format!("{:#010x}", u32::from_le_bytes(bytes))),
            },
        }
    }

    fn of(dtype: Dtype) -> Kind {
        match dtype {
            Dtype::S8 => Kind::S8,
            Dtype::Int32 => Kind::Int32,
            Dtype::Fp32 => Kind::Fp32,
            _ => Kind::U8,
        }
    }
}

impl Bytes {
    /// Rows without gaps, at address 0.
    pub fn plain(memory: Memory, rows: usize, columns: usize, kind: Kind) -> Bytes {
        let mut bytes = Bytes { memory, address: 0, layout: Layout::Rows, stride: 0, rows, columns, kind };
        bytes.stride = bytes.packed_stride();
        bytes
    }

    /// The stride without gaps.
    pub fn packed_stride(&self) -> u64 {
        (match self.layout {
            Layout::Rows => self.columns * self.kind.bytes(),
            Layout::Nz => self.rows.next_multiple_of(FRACTAL_ROWS) * FRACTAL_ROW_BYTES,
        }) as u64
    }

    /// Address of byte `byte` of a row.
    pub fn place(&self, row: usize, byte: usize) -> u64 {
        let (row, byte, panel) = (row as u64, byte as u64, FRACTAL_ROW_BYTES as u64);
        let offset = match self.layout {
            Layout::Rows => row.wrapping_mul(self.stride).wrapping_add(byte),
            Layout::Nz => (byte / panel).wrapping_mul(self.stride).wrapping_add(row * panel + byte % panel),
        };
        self.address.wrapping_add(offset)
    }
}

/// What an instruction has in a buffer, source or destination; of a copy in more than two dimensions the first matrix.
pub fn operand(inst: &Instruction, buffer: Buffer, bases: &[u64]) -> Option<Operand> {
    match buffer {
        Buffer::L0(side) => l0(inst, side).map(Operand::Tile),
        Buffer::L0c => match inst {
            Instruction::Mmad(op) => Some(tile(op.l0c, op.m, op.n)),
            Instruction::FixStore(op) => Some(tile(op.l0c, op.m, op.n)),
            _ => None,
        }
        .map(Operand::Tile),
        Buffer::Bytes(Memory::Gm) => gm(inst, bases).map(Operand::Bytes),
        Buffer::Bytes(memory) => {
            local(inst).filter(|bytes| bytes.memory == memory).or_else(|| moved(inst, memory)).map(Operand::Bytes)
        }
    }
}

fn tile(fractal: u16, rows: u16, columns: u16) -> Tile {
    Tile { fractal: fractal.into(), rows: rows.into(), columns: columns.into() }
}

fn l0(inst: &Instruction, side: Side) -> Option<Tile> {
    match (inst, side) {
        (Instruction::Mmad(op), Side::A) => Some(tile(op.l0a, op.m, op.k)),
        (Instruction::Mmad(op), Side::B) => Some(tile(op.l0b, op.n, op.k)),
        (Instruction::Mte1Load(op), _) if op.side == side => Some(tile(op.fractal, op.rows, op.k)),
        (Instruction::Mte1Im2col(op), Side::A) => Some(tile(op.fractal, op.rows, op.k)),
        _ => None,
    }
}

fn gm(inst: &Instruction, bases: &[u64]) -> Option<Bytes> {
    let at = |address: GmAddress| {
        let base = bases.get(usize::from(address.base)).copied().unwrap_or(0);
        base.wrapping_add(address.offset) & ((1 << GM_ADDRESS_BITS) - 1)
    };
    let (memory, layout) = (Memory::Gm, Layout::Rows);
    Some(match inst {
        Instruction::Mte2Load(op) => Bytes {
            memory,
            address: at(op.gm),
            layout,
            stride: op.gm_stride.into(),
            rows: op.rows.into(),
            columns: op.len_bytes as usize,
            kind: Kind::U8,
        },
        Instruction::Mte3Store(op) => Bytes {
            memory,
            address: at(op.gm),
            layout,
            stride: op.gm_stride.into(),
            rows: op.rows.into(),
            columns: op.len_bytes as usize,
            kind: Kind::U8,
        },
        Instruction::FixStore(op) => {
            let FixTarget::Gm(address) = op.dst else { return None };
            let (stride, rows, columns) = (op.dst_stride.into(), op.m.into(), op.n.into());
            Bytes {
                memory,
                address: at(address),
                layout: op.layout,
                stride,
                rows,
                columns,
                kind: Kind::of(op.dtype_out),
            }
        }
        _ => return None,
    })
}

/// The side of an instruction that lies in L1 or UB; of `mte3.move` the destination.
fn local(inst: &Instruction) -> Option<Bytes> {
    let bytes = |memory: Memory, address: u32, layout: Layout, stride: u32, rows: usize, columns: usize, kind: Kind| {
        Bytes { memory, address: address.into(), layout, stride: stride.into(), rows, columns, kind }
    };
    Some(match inst {
        Instruction::Mte2Load(op) => bytes(
            op.dst.into(),
            op.dst_address,
            op.layout,
            op.dst_stride,
            op.rows.into(),
            op.len_bytes as usize,
            Kind::U8,
        ),
        Instruction::Mte2Fill(op) => bytes(
            op.dst.into(),
            op.dst_address,
            Layout::Rows,
            op.dst_stride,
            op.rows.into(),
            op.len_bytes as usize,
            Kind::U8,
        ),
        Instruction::Mte1Load(Mte1Load { transpose, dtype, l1_address, panel_stride, rows, k, .. }) => {
            let (rows, columns) = if *transpose { (*k, *rows) } else { (*rows, *k) };
            bytes(Memory::L1, *l1_address, Layout::Nz, *panel_stride, rows.into(), columns.into(), Kind::of(*dtype))
        }
        Instruction::Mte1LoadFb(op) => {
            let kind = if op.field.bytes() == 4 { Kind::Int32 } else { Kind::U8 };
            let columns = usize::from(op.count) * op.field.bytes() as usize / kind.bytes();
            bytes(Memory::L1, op.l1_address, Layout::Rows, 0, 1, columns, kind)
        }
        Instruction::FixStore(op) => {
            let (memory, address) = match op.dst {
                FixTarget::L1(address) => (Memory::L1, address),
                FixTarget::Ub(address) => (Memory::Ub, address),
                FixTarget::Gm(_) => return None,
            };
            bytes(memory, address, op.layout, op.dst_stride, op.m.into(), op.n.into(), Kind::of(op.dtype_out))
        }
        Instruction::Mte3Store(op) => bytes(
            op.src.into(),
            op.src_address,
            op.layout,
            op.src_stride,
            op.rows.into(),
            op.len_bytes as usize,
            Kind::U8,
        ),
        Instruction::Mte3Move(op) => {
            bytes(Memory::L1, op.dst_address, op.layout, op.dst_stride, op.rows.into(), op.len_bytes as usize, Kind::U8)
        }
        _ => return None,
    })
}

/// The source of `mte3.move`.
fn moved(inst: &Instruction, memory: Memory) -> Option<Bytes> {
    let Instruction::Mte3Move(op) = inst else { return None };
    (memory == Memory::Ub).then(|| Bytes {
        memory,
        address: op.src_address.into(),
        layout: Layout::Rows,
        stride: op.src_stride.into(),
        rows: op.rows.into(),
        columns: op.len_bytes as usize,
        kind: Kind::U8,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use isa::asm::assemble;

    fn first(text: &str) -> Instruction {
        assemble(&format!("{text}\nend\n"), "test").unwrap_or_else(|errors| panic!("{}", errors[0])).program[0].op
    }

    #[test]
    fn both_sides_of_a_load_are_found() {
        let load = first("mte2.load dst=l1[0x40] gm=b1[8] rows=4 len_bytes=70 gm_stride=96 dst_stride=512 layout=nz");
        let Some(Operand::Bytes(source)) = operand(&load, Buffer::Bytes(Memory::Gm), &[0, 0x1000]) else {
            panic!("none")
        };
        assert_eq!((source.address, source.stride, source.rows, source.columns), (0x1008, 96, 4, 70));
        assert_eq!((source.place(0, 0), source.place(2, 5)), (0x1008, 0x1008 + 192 + 5));
        let Some(Operand::Bytes(target)) = operand(&load, Buffer::Bytes(Memory::L1), &[]) else { panic!("none") };
        assert_eq!((target.place(3, 31), target.place(3, 33)), (0x40 + 3 * 32 + 31, 0x40 + 512 + 3 * 32 + 1));
        assert_eq!(operand(&load, Buffer::Bytes(Memory::Ub), &[]), None);
        assert_eq!(operand(&load, Buffer::L0c, &[]), None);
    }

    #[test]
    fn tiles_have_the_shape_of_the_product() {
        let mmad = first("m.mmad c=l0c[3] a=l0a[1] b=l0b[2] m=20 n=30 k=40 dtype_a=s8 dtype_b=s8");
        let tiles = [Buffer::L0(Side::A), Buffer::L0(Side::B), Buffer::L0c].map(|buffer| operand(&mmad, buffer, &[]));
        let expected = [(1, 20, 40), (2, 30, 40), (3, 20, 30)];
        let expected = expected.map(|(fractal, rows, columns)| Some(Operand::Tile(Tile { fractal, rows, columns })));
        assert_eq!(tiles, expected);
    }

    #[test]
    fn elements_are_little_endian() {
        assert_eq!(Kind::Int32.value([0xfe, 0xff, 0xff, 0xff]), json!(-2));
        assert_eq!(Kind::Fp32.value([0, 0, 0x80, 0x3f]), json!(1.0));
        assert_eq!(Kind::Fp32.value([0, 0, 0x80, 0x7f]), json!("0x7f800000"));
        assert_eq!(Kind::S8.value([0x80, 1, 1, 1]), json!(-128));
    }
}
