// SPDX-License-Identifier: Apache-2.0
//! `print`: which part of which buffer, and how it looks as a matrix.

use super::command::Refused;
use super::operand::{Bytes, Kind, Memory, Operand, Tile};
use super::place::{Place, address, number};
use host::{Debugger, Look};
use isa::limits::{FRACTAL_ROW_BYTES, FRACTAL_ROWS, L0C_FRACTAL_COLUMNS};
use isa::{Layout, Side};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::ops::Range;

/// Rows and columns that are shown if nothing else is asked for.
const SHOWN: usize = 16;

/// Elements of one answer, so that a slip of the keyboard does not fill a terminal for minutes.
const MOST: usize = 1 << 20;

/// A buffer, by its word.
pub const BUFFERS: [(&str, Buffer); 6] = [
    ("l0a", Buffer::L0(Side::A)),
    ("l0b", Buffer::L0(Side::B)),
    ("l0c", Buffer::L0c),
    ("l1", Buffer::Bytes(Memory::L1)),
    ("ub", Buffer::Bytes(Memory::Ub)),
    ("gm", Buffer::Bytes(Memory::Gm)),
];

/// What has matrices in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffer {
    /// L0A, rows of A; L0B, columns of B.
    L0(Side),
    /// Sums.
    L0c,
    /// Bytes.
    Bytes(Memory),
}

/// What a user asks to see; what is `None` comes from an instruction.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    buffer: Buffer,
    address: Option<String>,
    shape: Option<(usize, usize)>,
    kind: Option<Kind>,
    layout: Option<Layout>,
    stride: Option<u64>,
    /// The instruction that tells the rest.
    pub of: Option<Place>,
    rows: Option<Range<usize>>,
    columns: Option<Range<usize>>,
    all: bool,
}

/// A matrix, or the part of it that is shown.
pub struct Matrix {
    /// What it is.
    title: String,
    /// Of the whole.
    shape: (usize, usize),
    rows: Range<usize>,
    columns: Range<usize>,
    /// Row by row what is shown; null where a block is not full.
    values: Vec<Vec<Value>>,
    hex: bool,
}

impl Wanted {
    /// Understands the words behind `print`.
    pub fn parse(buffer: &str, words: &[&str]) -> Refused<Wanted> {
        let known = || BUFFERS.map(|(name, _)| name).join(", ");
        let found = BUFFERS.into_iter().find(|(name, _)| *name == buffer);
        let (_, buffer) =
            found.ok_or_else(|| format!("`{buffer}` is no buffer: they are {}, and fb and regs", known()))?;
        let mut wanted = Wanted {
            buffer,
            address: None,
            shape: None,
            kind: None,
            layout: None,
            stride: None,
            of: None,
            rows: None,
            columns: None,
            all: false,
        };
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            let mut value = || words.next().copied().ok_or_else(|| format!("`{word}` needs a value behind it"));
            match word {
                "of" => wanted.of = Some(Place::parse(value()?)?),
                "row" => wanted.rows = Some(range(value()?)?),
                "col" => wanted.columns = Some(range(value()?)?),
                "stride" => wanted.stride = Some(number(value()?)?),
                "nz" => wanted.layout = Some(Layout::Nz),
                "rows" => wanted.layout = Some(Layout::Rows),
                "all" => wanted.all = true,
                _ => match (shape(word), Kind::parse(word)) {
                    (Some(shape), _) => wanted.shape = Some(shape?),
                    (_, Some(kind)) => wanted.kind = Some(kind),
                    _ if wanted.address.is_none() => wanted.address = Some(word.to_owned()),
                    _ => return Err(format!("`print` does not know `{word}`; `help print` shows how it is written")),
                },
            }
        }
        if !matches!(buffer, Buffer::Bytes(_))
            && (wanted.kind.is_some() || wanted.layout.is_some() || wanted.stride.is_some())
        {
            return Err("l0a, l0b and l0c have their type and layout: name a fractal and ROWSxCOLUMNS".to_owned());
        }
        Ok(wanted)
    }

    /// The buffer.
    pub fn buffer(&self) -> Buffer {
        self.buffer
    }

    /// True if an instruction has to tell what is not given.
    pub fn needs_instruction(&self) -> bool {
        self.of.is_some() || (self.address.is_none() && self.shape.is_none())
    }

    /// Reads it; `operand` is what the instruction has in this buffer, `from` its text.
    pub fn read(&self, debugger: &mut Debugger, operand: Option<(Operand, String)>) -> Refused<Matrix> {
        let (operand, from) = match operand {
            Some((operand, from)) => (Some(operand), format!("\n  as {from} has it")),
            None => (None, String::new()),
        };
        match self.buffer {
            Buffer::Bytes(memory) => {
                let base = match operand {
                    Some(Operand::Bytes(bytes)) => bytes,
                    _ => Bytes::plain(memory, 8, 16, Kind::Hex),
                };
                self.bytes(debugger, base, operand.is_some(), &from)
            }
            Buffer::L0(_) | Buffer::L0c => {
                let base = match (operand, self.buffer) {
                    (Some(Operand::Tile(tile)), _) => tile,
                    (_, Buffer::L0c) => Tile { fractal: 0, rows: FRACTAL_ROWS, columns: L0C_FRACTAL_COLUMNS },
                    _ => Tile { fractal: 0, rows: FRACTAL_ROWS, columns: FRACTAL_ROW_BYTES },
                };
                self.tile(debugger, base, &from)
            }
        }
    }

    fn bytes(&self, debugger: &mut Debugger, base: Bytes, given: bool, from: &str) -> Refused<Matrix> {
        let mut bytes = base;
        if let Some(word) = &self.address {
            bytes.address = match bytes.memory {
                Memory::Gm => address(word, debugger.program().bases())?,
                _ => number(word)?,
            };
        }
        bytes.layout = self.layout.unwrap_or(bytes.layout);
        let kind = self.kind.unwrap_or(bytes.kind);
        // The same bytes as other elements.
        let width = bytes.columns * bytes.kind.bytes();
        (bytes.columns, bytes.kind) = (width / kind.bytes(), kind);
        let reshaped = self.shape.is_some() || self.layout.is_some();
        (bytes.rows, bytes.columns) = self.shape.unwrap_or((bytes.rows, bytes.columns));
        if reshaped || !given {
            bytes.stride = bytes.packed_stride();
        }
        bytes.stride = self.stride.unwrap_or(bytes.stride);
        let (rows, columns) = self.window(bytes.rows, bytes.columns)?;
        let mut values = Vec::with_capacity(rows.len());
        for row in rows.clone() {
            let mut line = Vec::with_capacity(columns.len());
            for column in columns.clone() {
                let mut element = [0; 4];
                for (at, byte) in element.iter_mut().enumerate().take(kind.bytes()) {
                    let place = bytes.place(row, column * kind.bytes() + at);
                    *byte = bytes.memory.byte(debugger, place)?;
                }
                line.push(kind.value(element));
            }
            values.push(line);
        }
        let memory = bytes.memory.name();
        let layout = match bytes.layout {
            Layout::Nz => format!("nz, panels {:#x} apart", bytes.stride),
            Layout::Rows => format!("rows {:#x} apart", bytes.stride),
        };
        let title = format!("{memory}[{:#x}], {}, {layout}{from}", bytes.address, kind.name());
        Ok(Matrix { title, shape: (bytes.rows, bytes.columns), rows, columns, values, hex: kind == Kind::Hex })
    }

    fn tile(&self, debugger: &Debugger, base: Tile, from: &str) -> Refused<Matrix> {
        let look = debugger.look();
        let fractal = self.address.as_deref().map(number).transpose()?.map_or(base.fractal, |fractal| fractal as usize);
        // B is shown as k x n, as it is multiplied.
        let turned = self.buffer == Buffer::L0(Side::B);
        let (rows, columns) = match self.shape {
            Some((k, n)) if turned => (n, k),
            Some(shape) => shape,
            None => (base.rows, base.columns),
        };
        let shape = if turned { (columns, rows) } else { (rows, columns) };
        let (shown_rows, shown_columns) = self.window(shape.0, shape.1)?;
        let tile = Tile { fractal, rows, columns };
        let mut values = Vec::with_capacity(shown_rows.len());
        for row in shown_rows.clone() {
            let element = |column: usize| {
                let (row, column) = if turned { (column, row) } else { (row, column) };
                self.element(&look, tile, row, column)
            };
            values.push(shown_columns.clone().map(element).collect::<Refused<Vec<Value>>>()?);
        }
        let (name, kind) = match self.buffer {
            Buffer::L0(Side::A) => ("l0a", "m x k, s9"),
            Buffer::L0(Side::B) => ("l0b", "k x n, s9"),
            _ => ("l0c", "m x n, int32"),
        };
        let title = format!("{name}[{fractal}], {kind}{from}");
        Ok(Matrix { title, shape, rows: shown_rows, columns: shown_columns, values, hex: false })
    }

    /// An element of a tile; null if its block is not full.
    fn element(&self, look: &Look, tile: Tile, row: usize, column: usize) -> Refused<Value> {
        let width = if self.buffer == Buffer::L0c { L0C_FRACTAL_COLUMNS } else { FRACTAL_ROW_BYTES };
        let fractal = tile.fractal.saturating_add(row / FRACTAL_ROWS * tile.columns.div_ceil(width) + column / width);
        let (row, column) = (row % FRACTAL_ROWS, column % width);
        let found = match self.buffer {
            Buffer::L0(side) => {
                look.l0(side, fractal, row, column).map(|element| (i32::from(element.value), element.full))
            }
            _ => look.l0c(fractal, row, column).map(|element| (element.value, element.full)),
        };
        let (value, full) =
            found.ok_or_else(|| format!("the tile leaves its buffer: there is no fractal {fractal}"))?;
        Ok(if full { json!(value) } else { Value::Null })
    }

    /// The rows and columns to show.
    fn window(&self, rows: usize, columns: usize) -> Refused<(Range<usize>, Range<usize>)> {
        let part = |wanted: &Option<Range<usize>>, size: usize, what: &str| match wanted {
            Some(range) if range.end > size => {
                Err(format!("{what} {}..{} are not there: there are {size}", range.start, range.end))
            }
            Some(range) => Ok(range.clone()),
            None if self.all => Ok(0..size),
            None => Ok(0..size.min(SHOWN)),
        };
        let (rows, columns) = (part(&self.rows, rows, "rows")?, part(&self.columns, columns, "columns")?);
        if rows.len().saturating_mul(columns.len()) > MOST {
            return Err(format!(
                "that are {} x {} elements: choose some with `row A..B` and `col A..B`",
                rows.len(),
                columns.len()
            ));
        }
        Ok((rows, columns))
    }
}

/// `16x32`, if it begins like a shape.
fn shape(word: &str) -> Option<Refused<(usize, usize)>> {
    if word.starts_with("0x") || !word.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (rows, columns) = word.split_once('x')?;
    let size = |text: &str| text.parse::<usize>().ok().filter(|&size| (1..=1 << 16).contains(&size));
    let both = size(rows).zip(size(columns));
    Some(both.ok_or_else(|| format!("`{word}` is no shape: write ROWSxCOLUMNS, each 1 to 65536")))
}

/// `4..8` or `4`.
fn range(word: &str) -> Refused<Range<usize>> {
    let bound = |text: &str| number(text).map(|value| value as usize);
    let range = match word.split_once("..") {
        Some((from, to)) => bound(from)?..bound(to)?,
        None => bound(word)?..bound(word)?.saturating_add(1),
    };
    if range.is_empty() { Err(format!("`{word}` is empty: write A..B with A below B")) } else { Ok(range) }
}

impl Matrix {
    /// As people read it.
    pub fn text(&self) -> String {
        let (rows, columns) = self.shape;
        let mut text = format!("{rows} x {columns} of {}\n", self.title);
        let cell = |value: &Value| match value {
            Value::Null => ".".to_owned(),
            Value::String(bits) => bits.clone(),
            Value::Number(number) if self.hex => format!("{:02x}", number.as_u64().unwrap_or(0)),
            other => other.to_string(),
        };
        let cells: Vec<Vec<String>> = self.values.iter().map(|row| row.iter().map(cell).collect()).collect();
        let heads: Vec<String> = self.columns.clone().map(|column| column.to_string()).collect();
        let longest = cells.iter().flatten().chain(&heads).map(String::len).max().unwrap_or(1);
        let first = self.rows.end.saturating_sub(1).to_string().len();
        let mut line = |head: &str, row: &[String]| {
            write!(text, "  {head:>first$} |").expect("a String takes every write");
            row.iter().for_each(|cell| write!(text, " {cell:>longest$}").expect("a String takes every write"));
            text.push('\n');
        };
        line("", &heads);
        for (row, cells) in self.rows.clone().zip(&cells) {
            line(&row.to_string(), cells);
        }
        if (self.rows.len(), self.columns.len()) != self.shape {
            let part = |range: &Range<usize>, size: usize| format!("{}..{} of {size}", range.start, range.end);
            let (rows, columns) = (part(&self.rows, rows), part(&self.columns, columns));
            text.push_str(&format!("  rows {rows}, columns {columns}; `row A..B`, `col A..B` and `all` show others\n"));
        }
        text
    }

    /// For scripts.
    pub fn value(&self) -> Value {
        json!({
            "what": self.title,
            "shape": [self.shape.0, self.shape.1],
            "row": self.rows.start,
            "column": self.columns.start,
            "values": self.values,
        })
    }
}
