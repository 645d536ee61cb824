// SPDX-License-Identifier: Apache-2.0
//! What a simulated core holds inside: buffers with their layout undone, state registers, flags, queues, read in place from the hardware.
//!
//! ```text
//!  Dut ── registers and memories named in PATTERNS ──► Inside ──► Look: l0(side, fractal, row, k), l0c, l1, ub, channel   here
//!                                                                       flag, register, head, sequencer               pipes
//! ```
//! Nothing is computed from the program: every value is that of the RAM word or register of the Verilog after the last clock edge, so it is
//! also right where the hardware is wrong. The address rules are those of the units (`docs/units/l0.md`, `l0c.md`, `l1.md`, `ub.md`, `fb.md`,
//! `flags.md`). Test: `tests/inside.rs`.

mod pipes;

pub use pipes::Sequencer;

use crate::error::Result;
use isa::limits::{FRACTAL_ROW_BYTES, FRACTAL_ROWS, L0C_FRACTAL_COLUMNS};
use isa::{Config, LocalBuffer, Side};
use pipes::Pipes;
use verilated::{Dut, Inner, Port};

/// Modules and signals that a core to be looked into keeps, as patterns.
pub(crate) const PATTERNS: [(&str, &str); 17] = [
    ("ram_*", "words"),
    // Full bits: a table per buffer, and whether its words are void.
    ("lutram_*x1", "words"),
    ("full_*", "void_*_q"),
    ("flags*", "count_*_q"),
    ("issue*", "head_valid_q"),
    ("fifo_9x32*", "level"),
    ("sequencer_*", "decided_*_q"),
    ("sequencer_*", "stop_q"),
    ("sequencer_*", "barrier_q"),
    ("mte?_*", "count?_q"),
    ("mte?_*", "*_stride?_q"),
    ("mte1_take*", "*_q"),
    ("mte1_geometry*", "*_q"),
    ("fix_setup*", "*_state_q"),
    ("fix_setup*", "*_is_set_q"),
    ("fix_registers*", "*_state_q"),
    ("fix_registers*", "known_*_q"),
];

/// A value of a block, and whether the block's full bit is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<T> {
    /// The value.
    pub value: T,
    /// The full bit of its block.
    pub full: bool,
}

/// The parameters of one channel in FB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channel {
    /// Added to the sum.
    pub bias: i32,
    /// The bits of an fp32, or the multiplier of the modes tflite and gemmlowp.
    pub scale: u32,
    /// Shift of the modes tflite and gemmlowp.
    pub shift: i8,
    /// 9 bits, -256 to 255.
    pub zero_point: i16,
}

/// Full bits of the blocks of a buffer.
#[derive(Debug)]
struct Full<S> {
    tables: Vec<S>,
    void: Vec<S>,
    /// Blocks per fractal.
    blocks: usize,
}

/// Where everything is in one instance of a core.
#[derive(Debug)]
pub(crate) struct Inside<S = Inner> {
    config: Config,
    l0: [(S, Full<S>); 2],
    l0c: (Vec<S>, Full<S>),
    l1: Vec<S>,
    ub: Vec<S>,
    fb: [Vec<S>; 4],
    pipes: Pipes<S>,
}

impl<S> Full<S> {
    fn find(find: &mut impl FnMut(&str) -> Result<S>, path: &str, fractals: usize, blocks: usize) -> Result<Full<S>> {
        let tables =
            (0..fractals.div_ceil(256)).map(|at| find(&format!("{path}.table_{at}.words"))).collect::<Result<_>>()?;
        let void = (0..fractals).map(|at| find(&format!("{path}.void_{at}_q"))).collect::<Result<_>>()?;
        Ok(Full { tables, void, blocks })
    }
}

impl Full<Inner> {
    fn is_full(&self, dut: &Dut, block: usize) -> bool {
        let (fractal, bit) = (block / self.blocks, block % self.blocks);
        let table = self.tables[fractal / 256];
        let word = dut.peek_bytes(table, fractal % table.elements());
        word[bit / 8] >> (bit % 8) & 1 == 1 && dut.peek(self.void[fractal], 0) == 0
    }
}

impl<S> Inside<S> {
    /// Finds everything in a core of `config`, signal by signal.
    ///
    /// # Errors
    /// Those of `find`.
    pub(crate) fn find(config: &Config, find: &mut impl FnMut(&str) -> Result<S>) -> Result<Inside<S>> {
        let mut banks = |path: &str, count: usize| -> Result<Vec<S>> {
            (0..count).map(|at| find(&format!("quader.{path}_{at}.words"))).collect()
        };
        let wide = config.m0.max(config.n0);
        let l1 = banks("l1.bank", wide)?;
        let ub = banks("ub_0.bank", if config.ub_bytes > 0 { wide } else { 0 })?;
        let l0c = banks("l0c.bank", config.m0)?;
        let channels = (config.fix_lanes / config.m0).max(1);
        let [bias, scale, shift] =
            [banks("fb.bias", channels)?, banks("fb.scale", channels)?, banks("fb.shift", channels)?];
        let fb = [bias, scale, shift, vec![find("quader.fb.zero.words")?]];
        let blocks = |rows: usize| FRACTAL_ROWS / rows * (FRACTAL_ROW_BYTES / config.k0);
        let mut l0 = |name: &str, fractals: usize, rows: usize| -> Result<(S, Full<S>)> {
            let ram = find(&format!("quader.{name}.ram.words"))?;
            Ok((ram, Full::find(find, &format!("quader.{name}.full_bits"), fractals, blocks(rows))?))
        };
        let l0 = [l0("l0a", config.l0a_fractals(), config.m0)?, l0("l0b", config.l0b_fractals(), config.n0)?];
        let filled = Full::find(find, "quader.l0c.filled", config.l0c_fractals(), config.l0c_blocks_per_fractal())?;
        let pipes = Pipes::find(config, find)?;
        Ok(Inside { config: config.clone(), l0, l0c: (l0c, filled), l1, ub, fb, pipes })
    }
}

impl Inside {
    /// Finds everything in an instance of a core of `config`.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) if it was not built to be looked into.
    pub(crate) fn new(dut: &mut Dut, config: &Config) -> Result<Inside> {
        Inside::find(config, &mut |path| Ok(dut.inner(path)?))
    }
}

/// A look into a core, between two clock cycles.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    pub(crate) inside: &'a Inside,
    pub(crate) dut: &'a Dut,
    /// Program counters of the heads of the pipes.
    pub(crate) heads: &'a [Port],
}

impl Look<'_> {
    /// Element (row, k) of a fractal of L0A or L0B, row 0..16, k 0..32; `None` outside the buffer.
    #[must_use]
    pub fn l0(&self, side: Side, fractal: usize, row: usize, k: usize) -> Option<Element<i16>> {
        let config = &self.inside.config;
        let (index, rows, fractals) = match side {
            Side::A => (0, config.m0, config.l0a_fractals()),
            Side::B => (1, config.n0, config.l0b_fractals()),
        };
        if fractal >= fractals || row >= FRACTAL_ROWS || k >= FRACTAL_ROW_BYTES {
            return None;
        }
        let (ram, full) = &self.inside.l0[index];
        let k0 = config.k0;
        let block = fractal * full.blocks + row / rows * (FRACTAL_ROW_BYTES / k0) + k / k0;
        let bits = self.bits(*ram, block, 9 * (row % rows * k0 + k % k0), 9);
        Some(Element { value: nine_bits(bits), full: full.is_full(self.dut, block) })
    }

    /// Element (row, column) of a fractal of L0C, both 0..16; `None` outside the buffer.
    #[must_use]
    pub fn l0c(&self, fractal: usize, row: usize, column: usize) -> Option<Element<i32>> {
        let config = &self.inside.config;
        if fractal >= config.l0c_fractals() || row >= FRACTAL_ROWS || column >= L0C_FRACTAL_COLUMNS {
            return None;
        }
        let (m0, n0) = (config.m0, config.n0);
        let (banks, full) = &self.inside.l0c;
        let block = fractal * full.blocks + row / m0 * (L0C_FRACTAL_COLUMNS / n0) + column / n0;
        let bits = self.bits(banks[row % m0], block, 32 * (column % n0), 32);
        Some(Element { value: bits as i32, full: full.is_full(self.dut, block) })
    }

    /// A byte of L1 or UB; `None` outside the buffer.
    #[must_use]
    pub fn byte(&self, buffer: LocalBuffer, address: usize) -> Option<u8> {
        let config = &self.inside.config;
        let (k0, nb) = (config.k0, config.m0.max(config.n0));
        let chunk = address / k0;
        let (banks, size, bank) = match buffer {
            // Skewed, so that columns of fractals hit every bank too.
            LocalBuffer::L1 => (&self.inside.l1, config.l1_bytes, chunk + chunk / (FRACTAL_ROW_BYTES / k0).max(nb)),
            LocalBuffer::Ub => (&self.inside.ub, config.ub_bytes, chunk),
        };
        (address < size).then(|| self.dut.peek_bytes(banks[bank % nb], chunk / nb)[address % k0])
    }

    /// A channel of FB; `None` outside the buffer.
    #[must_use]
    pub fn channel(&self, index: usize) -> Option<Channel> {
        let [bias, scale, shift, zero] = &self.inside.fb;
        let value = |banks: &[Inner]| self.dut.peek(banks[index % banks.len()], index / banks.len()) as u32;
        (index < self.inside.config.fb_channels).then(|| Channel {
            bias: value(bias) as i32,
            scale: value(scale),
            shift: value(shift) as i8,
            zero_point: nine_bits(value(zero)),
        })
    }

    /// `count` bits, at most 32, from bit `from` on of a word.
    fn bits(&self, memory: Inner, word: usize, from: usize, count: usize) -> u32 {
        let bytes = self.dut.peek_bytes(memory, word);
        let part = bytes[from / 8..].iter().take(5).rev().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
        (part >> (from % 8) & ((1 << count) - 1)) as u32
    }
}

fn nine_bits(bits: u32) -> i16 {
    ((bits << 7) as i16) >> 7
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    /// True if `text` is like `pattern`, whose `*` stands for any letters and `?` for one.
    fn is_like(pattern: &str, text: &str) -> bool {
        match (pattern.chars().next(), text.chars().next()) {
            (None, None) => true,
            (Some('*'), _) => is_like(&pattern[1..], text) || (!text.is_empty() && is_like(pattern, &text[1..])),
            (Some(wanted), Some(letter)) => (wanted == '?' || wanted == letter) && is_like(&pattern[1..], &text[1..]),
            _ => false,
        }
    }

    /// Every signal is in the Verilog of the core, and one of the patterns keeps it.
    fn is_there(config: &Config) {
        let core = rtl::top::traced_core(config).unwrap_or_else(|error| panic!("{error}"));
        let design = rtl::emit::emit(&*core, "quader").unwrap_or_else(|error| panic!("{error}"));
        let refuse =
            |path: &str, reason: String| Error::Config { reason: format!("{path} on {}: {reason}", config.name) };
        let mut count = 0;
        let found = Inside::find(config, &mut |path| {
            count += 1;
            let mut parts: Vec<&str> = path.split('.').collect();
            let signal = parts.pop().unwrap_or_default();
            let mut module = design.module("quader").ok_or_else(|| refuse(path, "no top".to_owned()))?;
            for part in &parts[1..] {
                let instance = module.instances.iter().find(|instance| instance.name == *part);
                let instance =
                    instance.ok_or_else(|| refuse(path, format!("no instance {part} in {}", module.name)))?;
                module = design.module(&instance.module).expect("the module of an instance was printed");
            }
            let declares = |line: &str| {
                let line = line.trim().trim_end_matches([';', ',']);
                let line = line.rsplit_once(" [0:").map_or(line, |(before, _)| before);
                line.contains("reg ") && line.ends_with(&format!(" {signal}"))
            };
            if !module.text.lines().any(declares) {
                return Err(refuse(path, format!("no register {signal} in {}", module.name)));
            }
            let kept = PATTERNS.iter().any(|(of, what)| is_like(of, &module.name) && is_like(what, signal));
            if kept { Ok(()) } else { Err(refuse(path, format!("no pattern keeps {signal} of {}", module.name))) }
        });
        let inside = found.unwrap_or_else(|error| panic!("{error}"));
        assert!(count > 250 && inside.has_every_bank(), "{count}");
    }

    impl Inside<()> {
        fn has_every_bank(&self) -> bool {
            self.l1.len() == self.config.m0.max(self.config.n0) && self.l0c.0.len() == self.config.m0
        }
    }

    #[test]
    fn everything_is_found_in_every_core() {
        for name in Config::NAMES {
            is_there(&Config::named(name).unwrap_or_else(|error| panic!("{error}")));
        }
        // No UB; another shape of blocks; more than 256 fractals.
        let other = Config {
            name: "other".to_owned(),
            ub_bytes: 0,
            m0: 8,
            n0: 4,
            fix_lanes: 8,
            l0a_bytes: 256 << 10,
            ..Config::lite()
        };
        is_there(&other.checked().unwrap_or_else(|error| panic!("{error}")));
    }
}
