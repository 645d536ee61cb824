// SPDX-License-Identifier: Apache-2.0
//! What the pipes hold: flag counters, state registers, queues, and where the sequencer is.

use super::Look;
use crate::error::Result;
use isa::limits::FLAG_IDS;
use isa::state::STATE_REGISTERS;
use isa::{Config, Flag, Pipe};

const PIPES: usize = Pipe::WORKERS.len();

/// A state register: its value, and the bit that says whether it was set, if it has no reset value.
#[derive(Debug)]
struct Register<S> {
    value: S,
    is_set: Option<S>,
}

/// Where the state of the pipes is.
#[derive(Debug)]
pub(super) struct Pipes<S> {
    flags: Vec<S>,
    /// In the order of [`STATE_REGISTERS`].
    registers: Vec<Option<Register<S>>>,
    head_valid: Vec<S>,
    level: Vec<S>,
    decided: [S; 4],
}

/// The instruction that the sequencer hands over next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequencer {
    /// Its program counter.
    pub pc: u32,
    /// It is BARRIER or END, which wait until every pipe is idle.
    pub waits_for_all: bool,
}

/// First register of FIX's second tensor, which only a core with UB has.
const SECOND: u8 = isa::state::fix::SECOND_ADDRESS;

/// Names of the register in the hardware: value, and whether it was set.
fn names(pipe: Pipe, index: u8, name: &str) -> (String, Option<String>) {
    match pipe {
        Pipe::Mte1 if index < 5 => {
            let own = ["zero_a", "zero_b", "source", "channel_a", "channel_b"][usize::from(index)];
            (format!("mte1.take.{own}_q"), None)
        }
        Pipe::Mte1 => {
            let at = index - 5;
            (format!("mte1.im2col.geometry.registers_{at}_q"), Some(format!("mte1.im2col.geometry.known_{at}_q")))
        }
        Pipe::Fix if index >= SECOND => {
            let at = index - SECOND;
            let own = ["address", "stride", "ratio", "second", "offset", "zero"][usize::from(at)];
            let registers = "fix.second_0.registers";
            (format!("{registers}.{own}_state_q"), (own != "zero").then(|| format!("{registers}.known_{at}_q")))
        }
        Pipe::Fix => {
            let own = ["scale", "shift", "zero", "low", "high"][usize::from(index)];
            (format!("fix.setup.{own}_state_q"), (own != "zero").then(|| format!("fix.setup.{own}_is_set_q")))
        }
        _ => (format!("{pipe}.{name}_q"), None),
    }
}

impl<S> Pipes<S> {
    pub(super) fn find(config: &Config, signal: &mut impl FnMut(&str) -> Result<S>) -> Result<Pipes<S>> {
        let mut find = |path: String| signal(&format!("quader.{path}"));
        let flags = (0..PIPES * (PIPES - 1) * FLAG_IDS).map(|at| find(format!("flags.count_{at}_q")));
        let flags = flags.collect::<Result<_>>()?;
        let mut registers = Vec::with_capacity(STATE_REGISTERS.len());
        for register in &STATE_REGISTERS {
            if register.pipe == Pipe::Fix && register.index >= SECOND && config.ub_bytes == 0 {
                registers.push(None);
                continue;
            }
            let (value, is_set) = names(register.pipe, register.index, register.name);
            registers.push(Some(Register { value: find(value)?, is_set: is_set.map(&mut find).transpose()? }));
        }
        let mut each =
            |name: &str| -> Result<Vec<S>> { (0..PIPES).map(|pipe| find(format!("issue_{pipe}.{name}"))).collect() };
        let (head_valid, level) = (each("head_valid_q")?, each("queue.level")?);
        let mut decided = |name: &str| find(format!("sequencer.{name}_q"));
        let decided = [decided("decided_valid")?, decided("decided_pc")?, decided("stop")?, decided("barrier")?];
        Ok(Pipes { flags, registers, head_valid, level, decided })
    }
}

impl Look<'_> {
    /// The counter of a flag; 0 for one that does not exist.
    #[must_use]
    pub fn flag(&self, flag: Flag) -> u8 {
        let (Some(from), Some(to), Some(_)) = (flag.from.worker_index(), flag.to.worker_index(), flag.index()) else {
            return 0;
        };
        // A pipe has a counter for each of the four others, by their distance.
        let distance = (to + PIPES - from) % PIPES;
        let at = (from * (PIPES - 1) + distance - 1) * FLAG_IDS + usize::from(flag.id);
        self.dut.peek(self.inside.pipes.flags[at], 0) as u8
    }

    /// The bits of a state register, as SET wrote them; `None` if it has no reset value and was not set, or does not exist.
    #[must_use]
    pub fn register(&self, pipe: Pipe, index: u8) -> Option<u32> {
        let at = STATE_REGISTERS.iter().position(|register| register.pipe == pipe && register.index == index)?;
        let register = self.inside.pipes.registers[at].as_ref()?;
        let is_set = register.is_set.is_none_or(|bit| self.dut.peek(bit, 0) == 1);
        is_set.then(|| self.dut.peek(register.value, 0) as u32)
    }

    /// The program counter at the head of a worker, which the engine takes next; `None` if there is none, or for another pipe.
    #[must_use]
    pub fn head(&self, pipe: Pipe) -> Option<u32> {
        let at = pipe.worker_index()?;
        (self.dut.peek(self.inside.pipes.head_valid[at], 0) == 1).then(|| self.dut.get(self.heads[at]) as u32)
    }

    /// Instructions that wait in the queue of a worker behind its head; 0 for another pipe.
    #[must_use]
    pub fn queued(&self, pipe: Pipe) -> usize {
        pipe.worker_index().map_or(0, |at| self.dut.peek(self.inside.pipes.level[at], 0) as usize)
    }

    /// What the sequencer hands over next; `None` while it has nothing.
    #[must_use]
    pub fn sequencer(&self) -> Option<Sequencer> {
        let [valid, pc, stop, barrier] = self.inside.pipes.decided.map(|inner| self.dut.peek(inner, 0) as u32);
        (valid == 1).then_some(Sequencer { pc, waits_for_all: stop == 1 || barrier == 1 })
    }
}
