// SPDX-License-Identifier: Apache-2.0
//! FST: the same changes, compressed. The writer knows bits only, so texts are bits too: 8 per character, the last one lowest, zeros before
//! the first, as Verilog keeps strings.

use super::sink::{Sink, number_of};
use fst_writer::{
    FstBodyWriter, FstFileType, FstHeaderWriter, FstInfo, FstScopeType, FstSignalId, FstSignalType, FstVarDirection,
    FstVarType, FstWriteError, open_fst,
};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use vcd::{ScopeItem, VarType};

/// Characters of a text; what is longer ends in `~`.
pub const TEXT_BYTES: usize = 160;

/// Changes are compressed and written when they have taken this much memory.
const BLOCK_BYTES: usize = 64 << 20;

/// What the writer writes to.
type Buffered = BufWriter<File>;

/// An FST file.
pub(crate) struct FstSink {
    body: FstBodyWriter<Buffered>,
    /// By number of the code.
    ids: Vec<Option<FstSignalId>>,
    now: u64,
    block_bytes: usize,
    /// The bits of a text, kept to be used again.
    text: Vec<u8>,
}

impl FstSink {
    /// The file, whose first time will be `start`.
    pub(crate) fn create(path: &Path, items: &[ScopeItem], start: u64) -> io::Result<FstSink> {
        let info = FstInfo {
            start_time: start,
            timescale_exponent: -9,
            version: concat!("quader ", env!("CARGO_PKG_VERSION")).to_owned(),
            date: String::new(),
            file_type: FstFileType::Verilog,
        };
        let mut header = open_fst(path, &info).map_err(failed)?;
        let mut ids = Vec::new();
        declare(&mut header, items, &mut ids)?;
        Ok(FstSink { body: header.finish().map_err(failed)?, ids, now: 0, block_bytes: BLOCK_BYTES, text: Vec::new() })
    }

    fn id(&self, code: u64) -> Option<FstSignalId> {
        self.ids.get(code as usize).copied().flatten()
    }
}

fn declare(
    header: &mut FstHeaderWriter<Buffered>,
    items: &[ScopeItem],
    ids: &mut Vec<Option<FstSignalId>>,
) -> io::Result<()> {
    for item in items {
        match item {
            ScopeItem::Scope(scope) => {
                header.scope(&scope.identifier, "", FstScopeType::Module).map_err(failed)?;
                declare(header, &scope.items, ids)?;
                header.up_scope().map_err(failed)?;
            }
            ScopeItem::Var(var) => {
                let number = number_of(var) as usize;
                ids.resize(ids.len().max(number + 1), None);
                let kind = match var.var_type {
                    VarType::Reg | VarType::String => FstVarType::Reg,
                    _ => FstVarType::Wire,
                };
                let name = match var.index {
                    Some(index) => format!("{} {index}", var.reference),
                    None => var.reference.clone(),
                };
                let signal = FstSignalType::bit_vec(var.size);
                let id = header.var(name, signal, kind, FstVarDirection::Implicit, ids[number]).map_err(failed)?;
                ids[number] = Some(id);
            }
            _ => {}
        }
    }
    Ok(())
}

fn failed(error: FstWriteError) -> io::Error {
    match error {
        FstWriteError::Io(cause) => cause,
        other => io::Error::other(other.to_string()),
    }
}

impl Sink for FstSink {
    fn time(&mut self, time: u64) -> io::Result<()> {
        // A block ends where a new time begins.
        if self.body.size() > self.block_bytes && time > self.now {
            self.body.flush().map_err(failed)?;
        }
        self.now = time;
        self.body.time_change(time).map_err(failed)
    }

    fn bits(&mut self, code: u64, bits: &[u8]) -> io::Result<()> {
        let Some(id) = self.id(code) else { return Ok(()) };
        self.body.signal_change(id, bits).map_err(failed)
    }

    fn text(&mut self, code: u64, text: &str) -> io::Result<()> {
        let Some(id) = self.id(code) else { return Ok(()) };
        let whole = text.as_bytes();
        let (shown, mark) = match whole.len() > TEXT_BYTES {
            true => (&whole[..TEXT_BYTES - 1], "~".as_bytes()),
            false => (whole, [].as_slice()),
        };
        let bytes = || shown.iter().chain(mark);
        self.text.clear();
        self.text.resize(8 * (TEXT_BYTES - bytes().count()), b'0');
        for byte in bytes() {
            self.text.extend((0..8).rev().map(|bit| b'0' + (byte >> bit & 1)));
        }
        self.body.signal_change(id, &self.text).map_err(failed)
    }

    fn finish(mut self: Box<Self>, end: u64) -> io::Result<()> {
        self.body.time_change(end).map_err(failed)?;
        self.body.finish().map_err(failed)?.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sink::scope;
    use super::*;
    use vcd::{IdCode, Var};
    use wellen::{SignalValueRef, simple};

    #[test]
    fn changes_in_many_blocks_are_read_back_and_long_texts_are_cut() {
        let path = std::env::temp_dir().join(format!("sim-fst-{}.fst", std::process::id()));
        let var = |kind, size, code: u32, name: &str| {
            ScopeItem::Var(Var::new(kind, size, IdCode::from(code), name.to_owned(), None))
        };
        let text_bits = 8 * TEXT_BYTES as u32;
        let vars = vec![var(VarType::Wire, 13, 0, "n"), var(VarType::String, text_bits, 1, "text")];
        let mut sink = FstSink::create(&path, &[scope("top", vars)], 0).expect("writable");
        sink.block_bytes = 1000;
        let mut sink = Box::new(sink);
        for step in 0..2000u64 {
            sink.time(step * 10).expect("writable");
            // A time may be told twice, a code that is not declared is dropped.
            sink.time(step * 10).expect("writable");
            sink.bits(0, format!("{step:b}").as_bytes()).expect("writable");
            sink.bits(7, b"1").expect("writable");
            sink.text(1, &"ab".repeat(step as usize % 90)).expect("writable");
        }
        sink.finish(20_000).expect("writable");
        let mut wave = simple::read(&path).expect("it is complete");
        let ids: Vec<_> = wave.hierarchy().all_vars().map(|var| wave.hierarchy()[var].signal_ref()).collect();
        wave.load_signals(&ids);
        let times = wave.time_table().to_vec();
        let changes = |id| {
            let signal = wave.get_signal(id).expect("it was loaded");
            let bits = |value: SignalValueRef| value.to_bit_string().expect("it is of bits");
            signal.iter_changes().map(|(at, value)| (times[at as usize], bits(value))).collect::<Vec<_>>()
        };
        let numbers = (0..2000).map(|step| (step * 10, format!("{step:013b}"))).collect::<Vec<_>>();
        assert_eq!(changes(ids[0]), numbers);
        let texts = changes(ids[1]);
        let at = |step: usize| &texts[texts.partition_point(|(time, _)| *time <= step as u64 * 10) - 1].1;
        assert!(at(0).bytes().all(|bit| bit == b'0'));
        assert!(at(1001).ends_with("0110000101100010") && at(85).ends_with("0110000101111110"), "ab, and a~");
        std::fs::remove_file(path).expect("removable");
    }
}
