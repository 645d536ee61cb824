// SPDX-License-Identifier: Apache-2.0
//! A waveform that is being written.

use super::fst::FstSink;
use super::group::Group;
use super::save::saved;
use super::scopes::{chosen, cut};
use super::sink::{Sink, code_number, each_var, number_of};
use super::vcd::VcdSink;
use super::{Counted, Dump, Format, GROUP, Saved, Written};
use crate::bus::{AxiIn, AxiOut};
use crate::error::Result;
use isa::{Config, Inst};
use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use vcd::{Parser, ScopeItem};
use verilated::Dut;

/// Text that Verilator hands over, until the dumper takes it.
#[derive(Clone, Default)]
struct Text(Rc<RefCell<Vec<u8>>>);

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the cycles of its window; the file is complete when it is finished or dropped.
pub(crate) struct Dumper {
    dump: Dump,
    /// Where it is written.
    file: PathBuf,
    items: Vec<ScopeItem>,
    saved: Saved,
    /// The nets; `None` for the group alone.
    nets: Option<Text>,
    group: Option<Group>,
    /// `None` before the first cycle of the window and after the end.
    sink: Option<Box<dyn Sink>>,
    /// The present cycle is in the window.
    inside: bool,
    cycles: u64,
    /// When the present cycle began, and when the last one ends, in nanoseconds.
    began: u64,
    end: u64,
    failed: bool,
}

impl Dumper {
    /// A wave of `dut` that begins in a cycle to come.
    ///
    /// # Errors
    /// [`crate::Error::Model`] if the model is not traced, the scope is not there or the file cannot be written; [`crate::Error::Config`] for a
    /// file of neither format.
    pub(crate) fn new(dut: &mut Dut, dump: Dump) -> Result<Dumper> {
        let made = Dumper::open(dut, dump);
        if made.is_err() {
            // The next one finds no waveform open.
            dut.close_trace()?;
        }
        made
    }

    fn open(dut: &mut Dut, dump: Dump) -> Result<Dumper> {
        let format = Format::of(&dump.path)?;
        let mut group = Group::of(dut);
        if group.is_none() && (dump.counted == Counted::Running || dump.is_group_alone()) {
            return Err(dump.refused("the design is no traced core, so nothing is known of its programs"));
        }
        let (nets, header) = match dump.is_group_alone() {
            true => (None, Vec::new()),
            false => {
                let text = Text::default();
                dut.trace_to(&dump.path, text.clone())?;
                dut.pause_trace(true);
                dut.flush_trace();
                let header = Parser::new(&text.0.take()[..]).parse_header().map_err(|cause| dump.refused(cause))?;
                (Some(text), header.items)
            }
        };
        let mut first = 0;
        each_var(&header, &mut |var| first = first.max(number_of(var) + 1));
        let mut items = match &dump.scope {
            Some(path) if path != GROUP => chosen(&header, path, dump.depth).map_err(|reason| dump.refused(reason))?,
            // The root is no level of its own.
            _ => cut(&header, dump.depth.map(|depth| depth.saturating_add(1))),
        };
        if let Some(group) = &mut group {
            items.insert(0, group.declare(first, format));
        }
        let file = dump.scratch.clone().unwrap_or_else(|| {
            let name = dump.path.file_name().unwrap_or_default().to_string_lossy();
            dump.path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
        });
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|cause| dump.refused(cause))?;
        }
        let saved = saved(&items, &dump.path);
        let (sink, inside, cycles, began, end, failed) = (None, false, 0, 0, 0, false);
        Ok(Dumper { dump, file, items, saved, nets, group, sink, inside, cycles, began, end, failed })
    }

    /// The program that starts next.
    pub(crate) fn tell(&mut self, config: &Config, program: Vec<Option<Inst>>) {
        if let Some(group) = &mut self.group {
            group.tell(config, program);
        }
    }

    /// Before the inputs of edge number `edge` are seen: whether it is in the window.
    pub(crate) fn begin(&mut self, dut: &mut Dut, edge: u64) {
        let now = match (self.dump.counted, &self.group) {
            (Counted::Running, Some(group)) => group.pipes().total(),
            _ => edge,
        };
        self.inside = self.dump.contains(now) && !self.failed;
        dut.pause_trace(!self.inside);
    }

    /// With settled outputs: what the core does in this cycle.
    pub(crate) fn observe(&mut self, dut: &Dut, answer: &AxiIn, ask: &AxiOut) {
        if let Some(group) = &mut self.group {
            group.sample(dut, answer, ask, self.inside);
        }
    }

    /// After the outputs have settled and been dumped.
    ///
    /// # Errors
    /// [`crate::Error::Model`] if the file cannot be written.
    pub(crate) fn settled(&mut self, dut: &mut Dut) -> Result<()> {
        if !self.inside {
            return Ok(());
        }
        self.cycles += 1;
        let time = dut.time();
        self.began = time;
        // Should the design stop itself now, the file ends after this.
        self.end = time + 1;
        dut.flush_trace();
        self.write(|this| {
            if this.sink.is_none() {
                this.sink = Some(this.create(time)?);
            }
            let Some(sink) = &mut this.sink else { return Ok(()) };
            sink.time(time)?;
            copy(&this.nets, &mut **sink)?;
            this.group.as_mut().map_or(Ok(()), |group| group.write(&mut **sink))
        })
    }

    /// After the rising edge.
    ///
    /// # Errors
    /// As [`Dumper::settled`].
    pub(crate) fn risen(&mut self, dut: &mut Dut) -> Result<()> {
        if !self.inside {
            return Ok(());
        }
        // The edge lies in the middle of the cycle.
        self.end = 2 * dut.time() - self.began;
        dut.flush_trace();
        self.write(|this| match &mut this.sink {
            Some(sink) => copy(&this.nets, &mut **sink),
            None => Ok(()),
        })
    }

    /// Completes the file.
    ///
    /// # Errors
    /// As [`Dumper::settled`]; what was written is removed then.
    pub(crate) fn finish(mut self, dut: &mut Dut) -> Result<Written> {
        dut.close_trace()?;
        self.complete()
    }

    fn create(&self, start: u64) -> io::Result<Box<dyn Sink>> {
        Ok(match Format::of(&self.dump.path) {
            Ok(Format::Fst) => Box::new(FstSink::create(&self.file, &self.items, start)?),
            _ => Box::new(VcdSink::create(&self.file, &self.items)?),
        })
    }

    fn complete(&mut self) -> Result<Written> {
        let written = Written { cycles: self.cycles, saved: self.saved.clone() };
        self.write(|this| {
            let Some(mut sink) = this.sink.take() else { return Ok(()) };
            // What a design that stopped itself left.
            copy(&this.nets, &mut *sink)?;
            sink.finish(this.end)?;
            if this.dump.scratch.is_none() {
                this.saved.write(&this.dump.path)?;
                std::fs::rename(&this.file, &this.dump.path)?;
            }
            Ok(())
        })?;
        Ok(written)
    }

    /// Does what may fail; after a failure nothing is written any more, and nothing stays.
    fn write(&mut self, what: impl FnOnce(&mut Dumper) -> io::Result<()>) -> Result<()> {
        let Err(cause) = what(self) else { return Ok(()) };
        self.failed = true;
        self.sink = None;
        if self.dump.scratch.is_none() {
            let _ = std::fs::remove_file(&self.file);
        }
        Err(self.dump.refused(format!("it cannot be written: {cause}")))
    }
}

impl Drop for Dumper {
    fn drop(&mut self) {
        if let Err(error) = self.complete() {
            eprintln!("sim: {error}");
        }
    }
}

/// Hands the changes in Verilator's text on.
fn copy(nets: &Option<Text>, sink: &mut dyn Sink) -> io::Result<()> {
    let Some(nets) = nets else { return Ok(()) };
    let mut text = nets.0.borrow_mut();
    for line in text.split(|&byte| byte == b'\n') {
        match line {
            [b'#', digits @ ..] => {
                let time = std::str::from_utf8(digits).ok().and_then(|digits| digits.trim().parse().ok());
                sink.time(time.ok_or_else(|| strange(line))?)?;
            }
            [b'b' | b'B', rest @ ..] => {
                let blank = rest.iter().position(|&byte| byte == b' ').ok_or_else(|| strange(line))?;
                let code = code_number(&rest[blank + 1..]).ok_or_else(|| strange(line))?;
                sink.bits(code, &rest[..blank])?;
            }
            [b'0' | b'1' | b'x' | b'z', code @ ..] => {
                sink.bits(code_number(code).ok_or_else(|| strange(line))?, &line[..1])?;
            }
            _ => {}
        }
    }
    text.clear();
    Ok(())
}

fn strange(line: &[u8]) -> io::Error {
    io::Error::other(format!("Verilator's runtime wrote `{}`", String::from_utf8_lossy(line)))
}
