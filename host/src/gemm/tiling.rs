// SPDX-License-Identifier: Apache-2.0
//! How a product is cut: the sizes of a tile, and how many slots each operand has in L1, chosen by an estimate of the cycles.
//!
//! ```text
//!          n                      L1: │ A slot │ A slot │ ... │ B slot │ B slot │ ... │ 2 x parameters │
//!        ┌───┬───┬──              L0A, L0B: as many slots of one tile as fit
//!     tm │ ──┼──►│  C             L0C: two tiles, one filled while FIX empties the other
//!        ├───┼───┼──              order of tiles: along n forth and back, k forth and back within a tile, so that what
//!     m  │ ◄─┼── │              was used last is used next
//!        └───┴───┴──
//! ```

use super::Gemm;
use super::schedule::{self, FIRST_K};
use crate::bus::Bus;
use crate::emit::Tile;
use crate::error::{HostError, Result};
use crate::simulated::MemorySettings;
use crate::timing;
use isa::Config;
use isa::limits::{FRACTAL_ROW_BYTES, FRACTAL_ROWS, INSTRUCTION_BYTES, L0C_FRACTAL_COLUMNS};

/// Slots that an operand has at least in L1, L0A and L0B: one is used while the other is filled.
pub(crate) const LEAST_SLOTS: usize = 2;

/// Instructions per step of k, for the estimate of what fetch reads.
pub(crate) const INSTRUCTIONS_PER_STEP: usize = 4;

/// Tilings whose programs are looked at.
const CANDIDATES: usize = 24;

/// Instructions of all these programs after which no other one is looked at: long programs are alike, and users wait.
pub(crate) const MOST_INSTRUCTIONS: usize = 120_000;

/// Cycles that a step takes at least, however little it multiplies: fetch, dispatch and flags of its instructions.
pub(crate) const STEP_CYCLES: usize = 36;

/// Sizes of a tile and slots in L1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiling {
    /// Rows of C per tile, a multiple of 16.
    pub m: usize,
    /// Columns of C per tile, a multiple of 16.
    pub n: usize,
    /// Elements of k per step, a multiple of 32.
    pub k: usize,
    /// Slots of m x k in L1.
    pub a_slots: usize,
    /// Slots of k x n in L1.
    pub b_slots: usize,
    /// Tiles of L0C in turn: 1 if the product is one tile, else 2.
    pub c_slots: usize,
    /// Bytes of each of two places in UB where whole rows of C are gathered, until MTE3 takes them to GM; 0: FIX stores them there itself.
    pub landing_bytes: usize,
    /// Cycles that the product takes by the estimate: the busiest of cube, bus, MTE1 and FIX, and what cannot overlap.
    pub estimate: u64,
}

impl Tiling {
    /// The tiling with the least estimate on a core of this configuration behind this memory.
    ///
    /// *Errors*: [`HostError::NoTiling`] if the buffers hold no tile.
    pub fn choose(gemm: &Gemm, config: &Config, memory: &MemorySettings) -> Result<Tiling> {
        let mut tilings = vec![];
        for m in sizes(gemm.m, FRACTAL_ROWS) {
            for n in sizes(gemm.n, L0C_FRACTAL_COLUMNS) {
                for k in sizes(gemm.k, FRACTAL_ROW_BYTES) {
                    tilings.extend(Tiling::fitting(gemm, config, memory, m, n, k));
                }
            }
        }
        // The best by the rough estimate are worked out instruction by instruction.
        tilings.sort_by_key(|tiling| (tiling.estimate, std::cmp::Reverse(tiling.m * tiling.n * tiling.k)));
        tilings.dedup_by_key(|tiling| (tiling.m, tiling.n, tiling.k, tiling.landing_bytes));
        tilings.truncate(CANDIDATES);
        let (mut best, mut looked): (Option<Tiling>, usize) = (None, 0);
        for tiling in tilings {
            let program = schedule::program(gemm, &tiling, config, false)?;
            let tiling = Tiling { estimate: timing::cycles(&program, config, memory, 100), ..tiling };
            if best.is_none_or(|best| tiling.estimate < best.estimate) {
                best = Some(tiling);
            }
            looked += program.len();
            if looked > MOST_INSTRUCTIONS {
                break;
            }
        }
        best.ok_or_else(|| HostError::NoTiling { config: config.name.clone() })
    }

    /// The best tiling of an m x n x k tile, m and n multiples of 16 and k of 32, behind a memory.
    ///
    /// *Errors*: [`HostError::NoTiling`] if the buffers do not hold it, or a size is no such multiple.
    pub fn of_tile(gemm: &Gemm, config: &Config, memory: &MemorySettings, [m, n, k]: [usize; 3]) -> Result<Tiling> {
        let whole = |size: usize, unit| size != 0 && size.is_multiple_of(unit);
        let legal = whole(m, FRACTAL_ROWS) && whole(n, L0C_FRACTAL_COLUMNS) && whole(k, FRACTAL_ROW_BYTES);
        let tilings = if legal { Tiling::fitting(gemm, config, memory, m, n, k) } else { vec![] };
        let best = tilings.into_iter().min_by_key(|tiling| tiling.estimate);
        best.ok_or_else(|| HostError::NoTiling { config: config.name.clone() })
    }

    /// The tiling with the fewest steps that leaves both operands whole in L1.
    ///
    /// *Errors*: [`HostError::NoTiling`] if the buffers do not hold them.
    pub(super) fn resident(gemm: &Gemm, config: &Config) -> Result<Tiling> {
        let mut best: Option<(usize, Tiling)> = None;
        for m in sizes(gemm.m, FRACTAL_ROWS) {
            for n in sizes(gemm.n, L0C_FRACTAL_COLUMNS) {
                for k in sizes(gemm.k, FRACTAL_ROW_BYTES) {
                    let (rows, columns, panel) = (gemm.m.div_ceil(m), gemm.n.div_ceil(n), gemm.k.div_ceil(k));
                    let (a_slots, b_slots) = (rows * panel, columns * panel);
                    let steps = rows * columns * panel;
                    let whole = |tiling: &Tiling| {
                        let parameters = 2 * gemm.channels().parameter_slot_bytes(n);
                        let operands = a_slots * tiling.a_slot_bytes() + b_slots * tiling.b_slot_bytes(gemm);
                        parameters + operands <= config.l1_bytes
                    };
                    let c_slots = if rows * columns == 1 { 1 } else { 2 };
                    let tile = Tile { m, n, k };
                    let fits = tile.a_fractals() * a_slots.min(LEAST_SLOTS) <= config.l0a_fractals()
                        && tile.b_fractals() * b_slots.min(LEAST_SLOTS) <= config.l0b_fractals()
                        && tile.c_fractals() * c_slots <= config.l0c_fractals()
                        && n <= config.fb_channels;
                    let estimate = config.cube_steps(gemm.m, gemm.n, gemm.k);
                    let tiling = Tiling { m, n, k, a_slots, b_slots, c_slots, landing_bytes: 0, estimate };
                    if fits && whole(&tiling) && best.is_none_or(|(least, _)| steps < least) {
                        best = Some((steps, tiling));
                    }
                }
            }
        }
        best.map(|(_, tiling)| tiling).ok_or_else(|| HostError::NoTiling { config: config.name.clone() })
    }

    /// Every way to give L1 to tiles of this size that is worth a look.
    fn fitting(gemm: &Gemm, config: &Config, memory: &MemorySettings, m: usize, n: usize, k: usize) -> Vec<Tiling> {
        let tile = Tile { m, n, k };
        let one_tile = m >= gemm.m && n >= gemm.n;
        let c_slots = if one_tile { 1 } else { 2 };
        let fits = tile.a_fractals() * LEAST_SLOTS <= config.l0a_fractals()
            && tile.b_fractals() * LEAST_SLOTS <= config.l0b_fractals()
            && tile.c_fractals() * c_slots <= config.l0c_fractals()
            && n <= config.fb_channels;
        let tiling = Tiling { m, n, k, a_slots: 0, b_slots: 0, c_slots, landing_bytes: 0, estimate: 0 };
        let room = config.l1_bytes.saturating_sub(2 * gemm.channels().parameter_slot_bytes(n));
        let (a, b) = (tiling.a_slot_bytes(), tiling.b_slot_bytes(gemm));
        if !fits || LEAST_SLOTS * (a + b) > room {
            return vec![];
        }
        // Either operand gets just enough to stay, or to stream, and the other one the rest.
        let panel = gemm.k.div_ceil(k);
        let most_a = ((room - LEAST_SLOTS * b) / a).min(gemm.m.div_ceil(m) * panel).max(LEAST_SLOTS);
        let mut choices = vec![LEAST_SLOTS, LEAST_SLOTS + 1, panel + 1, panel + LEAST_SLOTS, most_a];
        choices.retain(|&slots| (LEAST_SLOTS..=most_a).contains(&slots));
        choices.sort_unstable();
        choices.dedup();
        let bus = Bus::new(config, memory);
        let with_slots = |a_slots: usize| {
            let most_b = (gemm.n.div_ceil(n) * panel).max(LEAST_SLOTS);
            let b_slots = ((room - a_slots * a) / b).min(most_b);
            let landings = [0, tiling.landing(gemm)];
            landings.into_iter().filter(|landing| landings_fit(gemm, *landing, config)).map(move |landing_bytes| {
                let tiling = Tiling { a_slots, b_slots, landing_bytes, ..tiling };
                Tiling { estimate: tiling.cycles(gemm, config, &bus), ..tiling }
            })
        };
        choices.into_iter().flat_map(with_slots).collect()
    }

    /// Bytes of a place for whole rows of a tile of C.
    fn landing(&self, gemm: &Gemm) -> usize {
        (self.m.min(gemm.m) * gemm.n * gemm.output.bytes()).next_multiple_of(FRACTAL_ROW_BYTES)
    }

    /// Bytes of one tile of A in L1.
    pub(super) fn a_slot_bytes(&self) -> usize {
        self.m * self.k
    }

    /// Bytes of one tile of B in L1: n rows of k if it is transposed, else k rows of n, whole panels of 32 bytes.
    pub(super) fn b_slot_bytes(&self, gemm: &Gemm) -> usize {
        if gemm.transposed_b { self.n * self.k } else { self.k * self.n.next_multiple_of(FRACTAL_ROW_BYTES) }
    }

    /// Its sizes.
    pub(super) fn tile(&self) -> Tile {
        Tile { m: self.m, n: self.n, k: self.k }
    }

    /// Estimated cycles. What counts is that better tilings get lower numbers.
    fn cycles(&self, gemm: &Gemm, config: &Config, bus: &Bus) -> u64 {
        let (rows, columns, panel) = (gemm.m.div_ceil(self.m), gemm.n.div_ceil(self.n), gemm.k.div_ceil(self.k));
        let steps = rows * columns * panel;
        let (m, n, k) = (self.m.min(gemm.m), self.n.min(gemm.n), self.k.min(gemm.k));
        let a_words = bus.copy(m, k, gemm.k);
        let b_words = if gemm.transposed_b { bus.copy(n, k, gemm.k) } else { bus.copy(k, n, gemm.n) };
        // A tile that has been used stays until as many others have come as there are slots.
        let kept = |slots: usize| slots - 1;
        let a_loads = if self.a_slots > panel {
            rows * panel
        } else {
            steps - (rows * columns - rows) * kept(self.a_slots).min(panel)
        };
        let b_loads = if self.b_slots > columns * panel {
            columns * panel
        } else {
            steps - (rows - 1) * kept(self.b_slots).min(columns * panel)
        };
        let fetch = bus.words(steps * INSTRUCTIONS_PER_STEP * INSTRUCTION_BYTES / config.bus_bytes);
        let read = a_loads * a_words + b_loads * b_words + fetch;
        let size = gemm.output.bytes();
        let write = match self.landing_bytes {
            0 => rows * columns * bus.copy(m, n * size, gemm.n * size),
            _ => rows * bus.copy(1, m * gemm.n * size, 1),
        };
        let lanes = config.fix_lanes.min((config.bus_bytes / size).max(1));
        let fix = |rows: usize, columns: usize| (rows * columns).div_ceil(lanes);
        let cube = |k: usize| config.cube_steps(m, n, k) as usize;
        let blocks = m.div_ceil(config.m0) * k.div_ceil(config.k0) + n.div_ceil(config.n0) * k.div_ceil(config.k0);
        let multiply = (config.cube_steps(gemm.m, gemm.n, gemm.k) as usize).max(steps * STEP_CYCLES) + steps;
        let busiest = [multiply, bus.both(read, write), steps * blocks, fix(gemm.m, gemm.n)];
        // The first instructions come, then the first rows of A and the first piece of B.
        let piece = FIRST_K.min(k);
        let b_piece = if gemm.transposed_b { bus.copy(n, piece, gemm.k) } else { bus.copy(piece, n, gemm.n) };
        let start = 2 * bus.latency + bus.copy(m.min(FRACTAL_ROWS), k, gemm.k) + b_piece;
        let last_k = gemm.k - (panel - 1) * self.k;
        let drain = if self.landing_bytes == 0 { 0 } else { bus.copy(1, m * gemm.n * size, 1) };
        let end = fix(m, n).saturating_sub(cube(last_k)) + fix(config.m0.min(m), n) + drain + bus.latency;
        let steady = busiest.into_iter().fold(0, usize::max) + start;
        // The first row of tiles needs all of B, and may have to wait for it.
        let row = columns * ((config.cube_steps(m, gemm.n, gemm.k) as usize / columns).max(panel * STEP_CYCLES));
        let first = panel * (a_words + columns * b_words);
        let slow = 2 * bus.latency + first + cube(last_k) + multiply.saturating_sub(row);
        (steady.max(slow) + end) as u64
    }
}

/// True if two places of so many bytes are in UB, and no residual needs it.
fn landings_fit(gemm: &Gemm, landing_bytes: usize, config: &Config) -> bool {
    landing_bytes == 0 || gemm.residual.is_none() && 2 * landing_bytes <= config.ub_bytes
}

/// Tile sizes worth a look: the whole extent, and multiples of `unit` below it, ever coarser.
pub(crate) fn sizes(extent: usize, unit: usize) -> Vec<usize> {
    let units = extent.div_ceil(unit);
    let mut sizes: Vec<usize> =
        [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].into_iter().filter(|&size| size <= units).collect();
    if units <= 64 && !sizes.contains(&units) {
        sizes.push(units);
    }
    // Cutting evenly: 5 units as 3 + 2 rather than 4 + 1.
    sizes.extend((2..=8).map(|parts| units.div_ceil(parts)).filter(|&size| size <= 64));
    sizes.sort_unstable();
    sizes.dedup();
    sizes.into_iter().map(|size| size * unit).collect()
}
