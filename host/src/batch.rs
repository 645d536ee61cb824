// SPDX-License-Identifier: Apache-2.0
//! Many small products, one after the other, whose operands lie in L1 before the first begins.
//!
//! ```text
//!  MTE2: all A, all B to L1 ─ barrier ─ per product:  MTE1 A, B ─► M ─► FIX: C to UB ─ per some of them:  MTE3: long rows to GM
//! ```
//! What remains between two products is then the core's own: how well loads, cube and FIX of different products overlap.

use crate::channels::check_length;
use crate::emit::{Emitter, Landing, Matrix, Step, Tile};
use crate::error::{HostError, Result};
use crate::gemm::Gemm;
use crate::placement::{self, Product, base};
use crate::program::Program;
use crate::slots::Place;
use crate::transport::Transport;
use isa::limits::{FRACTAL_ROW_BYTES, FRACTAL_ROWS, L0C_FRACTAL_COLUMNS};
use isa::{Config, GmAddress, Layout, LocalBuffer, Mte3Store, ProgramBuilder, Side};

/// Products of one shape: product i is A\[left(i)\] B\[right(i)\].
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// What each of them is; B is row-major, without parameters per column.
    pub gemm: Gemm,
    /// How many.
    pub count: usize,
    /// How many different A, and as many B.
    pub operands: usize,
}

impl Batch {
    /// Which A product `i` takes.
    pub fn left(&self, i: usize) -> usize {
        i % self.operands
    }

    /// Which B product `i` takes: no pair comes twice among the first `operands` squared.
    pub fn right(&self, i: usize) -> usize {
        (i + i / self.operands) % self.operands
    }

    /// Cube steps of all of them.
    pub fn cube_steps(&self, config: &Config) -> u64 {
        self.count as u64 * config.cube_steps(self.gemm.m, self.gemm.n, self.gemm.k)
    }

    /// Runs them: C \[count, m, n\].
    ///
    /// *Shapes*: `a` \[operands, m, k\], `b` \[operands, k, n\], row-major.
    /// *Errors*: as [`Gemm::validate`]; [`HostError::NoTiling`] if L1 does not hold the operands or a product is more than a tile;
    /// [`HostError::OperandLength`]; as [`Transport::run`].
    pub fn run(&self, transport: &mut dyn Transport, a: &[u8], b: &[u8]) -> Result<Product> {
        let gemm = &self.gemm;
        check_length("A", self.operands * gemm.a_bytes(), a.len())?;
        check_length("B", self.operands * gemm.b_bytes(), b.len())?;
        let program = self.program(transport.config())?;
        let operands = [
            ("a", gemm.dtype_a, vec![self.operands, gemm.m, gemm.k], a.into()),
            ("b", gemm.dtype_b, vec![self.operands, gemm.k, gemm.n], b.into()),
        ];
        let shape = vec![self.count, gemm.m, gemm.n];
        let job = placement::job(&program, operands, &[], "zero_point_b", shape, &gemm.channels());
        placement::run(&job, transport, &gemm.output)
    }

    /// Where in UB the results of product `i` are gathered with those of its neighbours; `None` if UB is too small.
    fn landing(&self, i: usize, config: &Config) -> Option<Landing> {
        let bytes = self.gemm.c_bytes();
        let together = (config.ub_bytes / 2 / bytes).min(GATHERED);
        let (group, at) = (i / together.max(1), i % together.max(1));
        let place = group % 2 * together * bytes;
        let store = Mte3Store {
            gm: GmAddress { base: base::C, offset: (group * together * bytes) as u64 },
            gm_stride: 0,
            layout: Layout::Rows,
            src: LocalBuffer::Ub,
            src_address: place as u32,
            src_stride: 0,
            rows: 1,
            len_bytes: ((at + 1) * bytes) as u32,
        };
        let last = at + 1 == together || i + 1 == self.count;
        let stride = self.gemm.n * self.gemm.output.bytes();
        let landing = Landing { address: place + at * bytes, stride, store: last.then_some(store) };
        (together > 0).then_some(landing)
    }

    fn program(&self, config: &Config) -> Result<Program> {
        let gemm = &self.gemm;
        gemm.validate()?;
        config.validate()?;
        let up = |size: usize, unit: usize| size.next_multiple_of(unit);
        let tile =
            Tile { m: up(gemm.m, FRACTAL_ROWS), n: up(gemm.n, L0C_FRACTAL_COLUMNS), k: up(gemm.k, FRACTAL_ROW_BYTES) };
        let (a_bytes, b_bytes) = (tile.m * tile.k, tile.k * up(tile.n, FRACTAL_ROW_BYTES));
        let slots = |fractals: usize, tile: usize| (fractals / tile).min(SLOTS);
        let (a_slots, b_slots) =
            (slots(config.l0a_fractals(), tile.a_fractals()), slots(config.l0b_fractals(), tile.b_fractals()));
        let c_slots = slots(config.l0c_fractals(), tile.c_fractals());
        let fits = self.operands * (a_bytes + b_bytes) <= config.l1_bytes;
        if !fits || a_slots < 2 || b_slots < 2 || c_slots < 2 || gemm.channels().has_parameters() {
            return Err(HostError::NoTiling { config: config.name.clone() });
        }
        let step = |i: usize| Step {
            rows: gemm.m,
            part: 0..gemm.m,
            columns: 0..gemm.n,
            k: gemm.k,
            first: true,
            last: true,
            row: i * gemm.m,
            l0a: i % a_slots,
            l0b: i % b_slots,
            landing: self.landing(i, config),
            fold: None,
        };
        let steps: Vec<Step> = (0..self.count).map(step).collect();
        let matrix = |side: Side, index: usize| match side {
            Side::A => Matrix {
                side,
                dtype: gemm.dtype_a,
                transpose: false,
                offset: index * gemm.m * gemm.k,
                pitch: gemm.k,
                outer: gemm.m,
                k: gemm.k,
                l1: index * a_bytes,
            },
            Side::B => Matrix {
                side,
                dtype: gemm.dtype_b,
                transpose: true,
                offset: index * gemm.k * gemm.n,
                pitch: gemm.n,
                outer: gemm.n,
                k: gemm.k,
                l1: self.operands * a_bytes + index * b_bytes,
            },
        };
        let emitter = Emitter {
            channels: gemm.channels(),
            dtype_a: gemm.dtype_a,
            tile,
            c_slots,
            parameters: 0,
            staging: None,
            builder: ProgramBuilder::new(),
        };
        let fb = vec![Place { slot: 0, load: false }; self.count];
        let instructions = emitter.program(gemm.zero_point_a, &steps, &fb, |emitter, i| {
            if i == 0 {
                for index in 0..self.operands {
                    for side in [Side::A, Side::B] {
                        emitter.load_matrix(&matrix(side, index), true, Place { slot: 0, load: false });
                    }
                }
                emitter.builder.barrier();
            }
            let place = |slot| Place { slot, load: true };
            emitter.load_matrix(&matrix(Side::A, self.left(i)), false, place(steps[i].l0a));
            emitter.load_matrix(&matrix(Side::B, self.right(i)), false, place(steps[i].l0b));
        });
        let sizes = [self.operands * gemm.a_bytes(), self.operands * gemm.b_bytes(), self.count * gemm.c_bytes()];
        placement::placed(instructions, sizes[0], sizes[1], sizes[2], &gemm.channels())
    }
}

/// Products at most whose results are gathered in UB.
const GATHERED: usize = 8;

/// Places for products in each of L0A, L0B and L0C at most: more would not be filled ahead.
const SLOTS: usize = 4;
