// SPDX-License-Identifier: Apache-2.0
//! The group `trace`: signals beside the nets, made of what the core does.
//!
//! | signal | is |
//! |---|---|
//! | `program`, `cycle` | which program runs, the first of the wave is 1, and its cycle, as counters and timeline count it |
//! | `PIPE.instruction`, `PIPE.pc` | the oldest instruction in the engine, as the assembler writes it, and its program counter |
//! | `PIPE.state` | busy, or what the pipe waits for |
//! | `m.tile`, `m.block_m`, `_n`, `_k` | the block product whose operands L0A and L0B deliver: its place in C and its elements of k, and its number |
//! | `axi.ar`, `r`, `aw`, `w`, `b` | the transaction on the channel |
//!
//! A number that means nothing now is z, a text is `-`: not every reader takes an empty one. Values are those of the cycle whose beginning is their time.

use super::bus::{CHANNELS, Traffic};
use super::pipes::{Now, Pipes};
use super::sink::{Sink, scope};
use super::{Format, TEXT_BYTES};
use crate::bus::{AxiIn, AxiOut};
use crate::record::{PIPES, TracePorts};
use isa::limits::INSTRUCTION_BYTES;
use isa::{Config, Flag, Inst, Pipe};
use std::io;
use vcd::{IdCode, ReferenceIndex, ScopeItem, Var, VarType};
use verilated::Dut;

/// A signal's value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Number(Option<u64>),
    Text(String),
}

/// A signal of the group.
#[derive(Debug)]
struct Variable {
    code: u64,
    value: Value,
    changed: bool,
}

/// The text of what is not there.
const NOTHING: &str = "-";

/// The width that stands for a text.
const TEXT: u32 = 0;

/// Signals of a pipe, in their order.
const OF_PIPE: usize = 3;

/// Places in the list of signals.
const PROGRAM: usize = 0;
const CYCLE: usize = 1;
const PIPE: usize = 2;
const TILE: usize = PIPE + OF_PIPE * PIPES;
const BUS: usize = TILE + 4;
const SIGNALS: usize = BUS + CHANNELS.len();

/// The group over time.
#[derive(Debug)]
pub(crate) struct Group {
    pipes: Pipes,
    traffic: Traffic,
    variables: Vec<Variable>,
    /// What the texts of the pipes are of: program, instruction and activity, and the flags that are waited for.
    shown: [(u64, Now, Vec<Flag>); PIPES],
}

impl Group {
    /// The group of a traced core; `None` for any other design.
    pub(crate) fn of(dut: &Dut) -> Option<Group> {
        let pipes = Pipes::new(TracePorts::find(dut).ok()?);
        Some(Group { pipes, traffic: Traffic::default(), variables: Vec::new(), shown: Default::default() })
    }

    /// What the pipes do.
    pub(crate) fn pipes(&self) -> &Pipes {
        &self.pipes
    }

    /// The program that starts next.
    pub(crate) fn tell(&mut self, config: &Config, program: Vec<Option<Inst>>) {
        self.pipes.tell(config, program);
    }

    /// The declarations for a file of this format, with codes from `first` on.
    pub(crate) fn declare(&mut self, first: u64, format: Format) -> ScopeItem {
        self.variables.clear();
        let text_bits = match format {
            Format::Vcd => 1,
            Format::Fst => 8 * TEXT_BYTES as u32,
        };
        let mut var = |name: &str, width: u32| {
            let code = first + self.variables.len() as u64;
            let (kind, width, value) = match width {
                TEXT => (VarType::String, text_bits, Value::Text(NOTHING.to_owned())),
                _ => (VarType::Reg, width, Value::Number(None)),
            };
            self.variables.push(Variable { code, value, changed: true });
            let range = (width > 1).then(|| ReferenceIndex::Range(width as i32 - 1, 0));
            ScopeItem::Var(Var::new(kind, width, IdCode::from(code), name.to_owned(), range))
        };
        let mut items = vec![var("program", 16), var("cycle", 40)];
        for pipe in Pipe::WORKERS {
            let vars = vec![var("instruction", TEXT), var("pc", 32), var("state", TEXT)];
            items.push(scope(pipe.name(), vars));
        }
        let of_cube = vec![var("tile", TEXT), var("block_m", 16), var("block_n", 16), var("block_k", 16)];
        let of_bus = CHANNELS.map(|name| var(name, TEXT)).to_vec();
        debug_assert_eq!(self.variables.len(), SIGNALS);
        let m = items.iter_mut().find_map(|item| match item {
            ScopeItem::Scope(inner) if inner.identifier == Pipe::M.name() => Some(inner),
            _ => None,
        });
        if let Some(m) = m {
            m.items.extend(of_cube);
        }
        items.push(scope("axi", of_bus));
        scope(super::GROUP, items)
    }

    /// Looks at one cycle, after the outputs have settled; with `told` in words.
    pub(crate) fn sample(&mut self, dut: &Dut, answer: &AxiIn, ask: &AxiOut, told: bool) {
        self.pipes.sample(dut);
        let channels = self.traffic.sample(answer, ask, told);
        if !told {
            return;
        }
        let running = self.pipes.is_running();
        self.number(PROGRAM, running.then(|| self.pipes.programs()));
        self.number(CYCLE, self.pipes.cycle());
        for index in 0..PIPES {
            self.pipe(index);
        }
        let (tile, block) = match self.pipes.block() {
            Some((tile, block)) => (Some(tile), block.map(Some)),
            None => (None, [None; 3]),
        };
        self.text(TILE, tile);
        for (at, number) in block.into_iter().enumerate() {
            self.number(TILE + 1 + at, number);
        }
        for (at, text) in channels.texts.into_iter().enumerate() {
            self.text(BUS + at, text);
        }
    }

    fn pipe(&mut self, index: usize) {
        let place = PIPE + OF_PIPE * index;
        let (program, now) = (self.pipes.programs(), self.pipes.now(index));
        let (shown_program, shown, missing) = &mut self.shown[index];
        // Texts cost more than everything else here, so they are made only when they may differ.
        let is_other = *shown_program != program || shown.instruction != now.instruction;
        let waits_for_others = missing.as_slice() != self.pipes.missing(index);
        let is_changed = shown.activity != now.activity || waits_for_others;
        (*shown_program, *shown) = (program, now);
        if waits_for_others {
            *missing = self.pipes.missing(index).to_vec();
        }
        if is_other {
            self.text(place, now.instruction.map(|at| self.pipes.text(at)));
            self.number(place + 1, now.instruction.map(|at| (at * INSTRUCTION_BYTES) as u64));
        }
        let is_unknown = matches!(&self.variables[place + 2].value, Value::Text(text) if text == NOTHING);
        if is_changed || is_unknown {
            self.text(place + 2, Some(self.pipes.state(index)));
        }
    }

    fn number(&mut self, at: usize, value: Option<u64>) {
        self.set(at, Value::Number(value));
    }

    fn text(&mut self, at: usize, value: Option<String>) {
        match (&self.variables[at].value, value) {
            (Value::Text(text), None) if text == NOTHING => {}
            (_, value) => self.set(at, Value::Text(value.unwrap_or_else(|| NOTHING.to_owned()))),
        }
    }

    fn set(&mut self, at: usize, value: Value) {
        let variable = &mut self.variables[at];
        if variable.value != value {
            variable.value = value;
            variable.changed = true;
        }
    }

    /// Writes what changed since the last call; everything the first time.
    pub(crate) fn write(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        for variable in self.variables.iter_mut().filter(|variable| variable.changed) {
            variable.changed = false;
            match &variable.value {
                Value::Number(Some(number)) => sink.bits(variable.code, format!("{number:b}").as_bytes())?,
                // One of them stands for all bits.
                Value::Number(None) => sink.bits(variable.code, b"z")?,
                Value::Text(text) => sink.text(variable.code, text)?,
            }
        }
        Ok(())
    }
}
