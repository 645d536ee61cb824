// SPDX-License-Identifier: Apache-2.0
//! VCD: bits shortened as the format allows, blanks in texts written as `\x20`.

use super::sink::{Sink, each_var, number_of};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use vcd::{Header, IdCode, ScopeItem, TimescaleUnit, Writer};

/// A VCD file.
pub(crate) struct VcdSink {
    writer: Writer<BufWriter<File>>,
    /// Code as text and whether it is of a single bit, by number; empty for what is not declared.
    codes: Vec<(Vec<u8>, bool)>,
    now: Option<u64>,
    /// The time in the file.
    written: Option<u64>,
}

impl VcdSink {
    pub(crate) fn create(path: &Path, items: &[ScopeItem]) -> io::Result<VcdSink> {
        let mut writer = Writer::new(BufWriter::with_capacity(1 << 20, File::create(path)?));
        let mut header = Header::default();
        header.version = Some(concat!("quader ", env!("CARGO_PKG_VERSION")).to_owned());
        header.timescale = Some((1, TimescaleUnit::NS));
        header.items = items.to_vec();
        writer.header(&header)?;
        let mut codes: Vec<(Vec<u8>, bool)> = Vec::new();
        each_var(items, &mut |var| {
            let number = number_of(var) as usize;
            codes.resize(codes.len().max(number + 1), Default::default());
            codes[number] = (var.code.to_string().into_bytes(), var.size == 1);
        });
        Ok(VcdSink { writer, codes, now: None, written: None })
    }

    /// The code, after the time stands in the file; `None` if it is not declared.
    fn code(&mut self, code: u64) -> io::Result<Option<usize>> {
        let code = code as usize;
        if self.codes.get(code).is_none_or(|(code, _)| code.is_empty()) {
            return Ok(None);
        }
        if self.written != self.now {
            self.writer.timestamp(self.now.unwrap_or(0))?;
            self.written = self.now;
        }
        Ok(Some(code))
    }
}

impl Sink for VcdSink {
    fn time(&mut self, time: u64) -> io::Result<()> {
        self.now = Some(time);
        Ok(())
    }

    fn bits(&mut self, code: u64, bits: &[u8]) -> io::Result<()> {
        let Some(code) = self.code(code)? else { return Ok(()) };
        let (code, is_bit) = &self.codes[code];
        let file = self.writer.writer();
        match is_bit {
            true => file.write_all(bits)?,
            false => {
                // Readers put zeros before a 1 or a 0: one of the leading ones is enough.
                let zeros = bits.iter().take_while(|&&bit| bit == b'0').count();
                let skipped = match bits.get(zeros) {
                    Some(b'1') => zeros,
                    _ => zeros.saturating_sub(1),
                };
                file.write_all(b"b")?;
                file.write_all(&bits[skipped..])?;
                file.write_all(b" ")?;
            }
        }
        file.write_all(code)?;
        file.write_all(b"\n")
    }

    fn text(&mut self, code: u64, text: &str) -> io::Result<()> {
        let Some(code) = self.code(code)? else { return Ok(()) };
        // A blank would end the text; viewers know the escapes of C.
        let text = text.replace('\\', "\\\\").replace(' ', "\\x20");
        self.writer.change_string(IdCode::from(code as u64), &text)
    }

    fn finish(mut self: Box<Self>, end: u64) -> io::Result<()> {
        self.writer.timestamp(end)?;
        self.writer.flush()
    }
}
