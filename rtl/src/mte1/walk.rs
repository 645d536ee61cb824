// SPDX-License-Identifier: Apache-2.0
//! Walks over the blocks of a tile: for every block its place in L0, what of it is real, and where its bytes come from.
//!
//! ```text
//!  start, operands ──►┌──────┐──► step, block, row, rows_here, bytes_here, last, ..     one block per step
//!  read_ready ───────►│ walk │──► read_valid, read_address                              plain: a step is a read of L1
//!  square_full ──────►└──────┘──► square_done                                           transposed: a step takes from a square
//!  block_done ───────►                                                                   im2col: a step takes the block assembled
//! ```
//! Four nested loops: strips of T = max(NB, K0) rows, row blocks of a strip, squares of T bytes of k, k blocks of a square.
//! Plain order, also of im2col, is strip, row block, square, k block: row blocks outside, k inside, as the cube reads. Transposed order is strip, square,
//! row block, k block. All addresses advance by additions to registers; `finishing` lets the next tile start without a bubble.

use super::Shape;
use crate::prim::prelude::*;

/// The walk over a tile.
#[derive(LogicBlock)]
pub struct Walk {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Stops.
    pub rst: Signal<In, Bit>,
    /// Starts with the operands below; only while not `busy`, or `finishing`.
    pub start: Signal<In, Bit>,
    /// Into L0B, else L0A.
    pub in_side_b: Signal<In, Bit>,
    /// Transposed.
    pub in_turned: Signal<In, Bit>,
    /// From a feature map: the blocks are made by `im2col`.
    pub in_mapped: Signal<In, Bit>,
    /// dtype s8, else u8.
    pub in_signed: Signal<In, Bit>,
    /// L1 address, a multiple of 512.
    pub in_address: Signal<In, Bits<24>>,
    /// Panel stride.
    pub in_stride: Signal<In, Bits<24>>,
    /// Rows of the tile, at least 1.
    pub in_rows: Signal<In, Bits<16>>,
    /// Bytes of k, at least 1.
    pub in_k: Signal<In, Bits<16>>,
    /// First fractal.
    pub in_fractal: Signal<In, Bits<16>>,
    /// ceil(k/32).
    pub in_fractals_k: Signal<In, Bits<16>>,
    /// Zero points per row.
    pub in_per_row: Signal<In, Bit>,
    /// The zero point otherwise.
    pub in_zero: Signal<In, Bits<9>>,
    /// Do nothing (a fault).
    pub hold: Signal<In, Bit>,
    /// The read offered is accepted.
    pub read_ready: Signal<In, Bit>,
    /// The next square has all its bytes.
    pub square_full: Signal<In, Bit>,
    /// The next block from a feature map has all its bytes (a pulse).
    pub block_done: Signal<In, Bit>,
    /// The zero points of the next strip are there.
    pub zeros_ready: Signal<In, Bit>,
    /// A tile is being walked.
    pub busy: Signal<Out, Bit>,
    /// It is transposed.
    pub turned: Signal<Out, Bit>,
    /// It comes from a feature map.
    pub mapped: Signal<Out, Bit>,
    /// This step is the tile's last.
    pub finishing: Signal<Out, Bit>,
    /// Reads a block from L1.
    pub read_valid: Signal<Out, Bit>,
    /// Its first byte.
    pub read_address: Signal<Out, Bits<24>>,
    /// The next read would leave L1.
    pub outside: Signal<Out, Bit>,
    /// Its address.
    pub outside_address: Signal<Out, Bits<26>>,
    /// A block is issued; everything below belongs to it.
    pub step: Signal<Out, Bit>,
    /// The step takes the first block of a strip with zero points per row.
    pub claim: Signal<Out, Bit>,
    /// The step takes the last block of a square.
    pub square_done: Signal<Out, Bit>,
    /// Bit 0 side B, 1 transposed, 2 signed, 3 zero points per row, 4 claim, 5 last of the tile, 6 from a feature map.
    pub flags: Signal<Out, Bits<8>>,
    /// Row of the block in the strip.
    pub row: Signal<Out, Bits<8>>,
    /// Step in which the block's bytes leave the square.
    pub square_step: Signal<Out, Bits<4>>,
    /// Real rows from the block's first one on, at most 32.
    pub rows_here: Signal<Out, Bits<8>>,
    /// Real bytes of k from the block's first one on, at most 32.
    pub bytes_here: Signal<Out, Bits<8>>,
    /// Block number in L0; may lie beyond the buffer.
    pub block: Signal<Out, Bits<24>>,
    /// Zero point of all rows.
    pub zero: Signal<Out, Bits<9>>,
    running: Reg<Bit>,
    side_b: Reg<Bit>,
    turning: Reg<Bit>,
    mapping: Reg<Bit>,
    is_signed: Reg<Bit>,
    per_row: Reg<Bit>,
    zero_point: Reg<Bits<9>>,
    stride: Reg<Bits<26>>,
    fractals_k: Reg<Bits<20>>,
    k: Reg<Bits<16>>,
    // Real rows and bytes left: from the strip, the block; from the square, the block.
    strip_rows: Reg<Bits<16>>,
    block_rows: Reg<Bits<16>>,
    square_bytes: Reg<Bits<16>>,
    block_bytes: Reg<Bits<16>>,
    row_at: Reg<Bits<8>>,
    k_block: Reg<Bits<8>>,
    first_of_strip: Reg<Bit>,
    // L1 addresses: of the strip, of the NB rows at hand, of those rows in the panel at hand.
    strip_address: Reg<Bits<26>>,
    row_address: Reg<Bits<26>>,
    panel_address: Reg<Bits<26>>,
    chunk: Reg<Bits<8>>,
    // Fractals: of the strip, of the panel at hand, of the panel at hand 16 rows below (T = 32 only); row in the fractal.
    strip_fractal: Reg<Bits<20>>,
    fractal: Reg<Bits<20>>,
    fractal_below: Reg<Bits<20>>,
    fractal_row: Reg<Bits<8>>,
    rows_step: Signal<Local, Bits<8>>,
    next_row: Signal<Local, Bits<8>>,
    last_k_block: Signal<Local, Bit>,
    last_row: Signal<Local, Bit>,
    last_square: Signal<Local, Bit>,
    last_strip: Signal<Local, Bit>,
    to_square: Signal<Local, Bit>,
    to_row: Signal<Local, Bit>,
    to_strip: Signal<Local, Bit>,
    to_end: Signal<Local, Bit>,
    may: Signal<Local, Bit>,
    plain: Signal<Local, Bit>,
    beyond: Signal<Local, Bit>,
    reading: Signal<Local, Bit>,
    stepping: Signal<Local, Bit>,
    chunk_here: Signal<Local, Bits<8>>,
    address_here: Signal<Local, Bits<26>>,
    line: Signal<Local, Bits<24>>,
    next_strip_address: Signal<Local, Bits<26>>,
    next_row_address: Signal<Local, Bits<26>>,
    next_strip_fractal: Signal<Local, Bits<20>>,
    next_fractal_row: Signal<Local, Bits<8>>,
    m0: Constant<Bits<8>>,
    n0: Constant<Bits<8>>,
    m0_bits: Constant<Bits<4>>,
    n0_bits: Constant<Bits<4>>,
    k0: Constant<Bits<16>>,
    k0_bits: Constant<Bits<4>>,
    nb_mask: Constant<Bits<8>>,
    nb_bits: Constant<Bits<4>>,
    nb_bytes: Constant<Bits<26>>,
    square: Constant<Bits<16>>,
    square8: Constant<Bits<8>>,
    strip_bytes: Constant<Bits<26>>,
    /// k blocks of a square, and the last of them.
    k_blocks: Constant<Bits<8>>,
    k_block_last: Constant<Bits<8>>,
    panels: Constant<Bits<8>>,
    panel_bits: Constant<Bits<4>>,
    l1_bits: Constant<Bits<8>>,
    /// T = 32: a strip is two fractals high.
    tall: Constant<Bit>,
    /// K0 >= NB.
    wide: Constant<Bit>,
}

impl Walk {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        let (square, k0) = (shape.square as u64, shape.k0 as u64);
        Walk {
            clk: Signal::default(),
            rst: Signal::default(),
            start: Signal::default(),
            in_side_b: Signal::default(),
            in_turned: Signal::default(),
            in_mapped: Signal::default(),
            in_signed: Signal::default(),
            in_address: Signal::default(),
            in_stride: Signal::default(),
            in_rows: Signal::default(),
            in_k: Signal::default(),
            in_fractal: Signal::default(),
            in_fractals_k: Signal::default(),
            in_per_row: Signal::default(),
            in_zero: Signal::default(),
            hold: Signal::default(),
            read_ready: Signal::default(),
            square_full: Signal::default(),
            block_done: Signal::default(),
            zeros_ready: Signal::default(),
            busy: Signal::default(),
            turned: Signal::default(),
            mapped: Signal::default(),
            finishing: Signal::default(),
            read_valid: Signal::default(),
            read_address: Signal::default(),
            outside: Signal::default(),
            outside_address: Signal::default(),
            step: Signal::default(),
            claim: Signal::default(),
            square_done: Signal::default(),
            flags: Signal::default(),
            row: Signal::default(),
            square_step: Signal::default(),
            rows_here: Signal::default(),
            bytes_here: Signal::default(),
            block: Signal::default(),
            zero: Signal::default(),
            running: Reg::default(),
            side_b: Reg::default(),
            turning: Reg::default(),
            mapping: Reg::default(),
            is_signed: Reg::default(),
            per_row: Reg::default(),
            zero_point: Reg::default(),
            stride: Reg::default(),
            fractals_k: Reg::default(),
            k: Reg::default(),
            strip_rows: Reg::default(),
            block_rows: Reg::default(),
            square_bytes: Reg::default(),
            block_bytes: Reg::default(),
            row_at: Reg::default(),
            k_block: Reg::default(),
            first_of_strip: Reg::default(),
            strip_address: Reg::default(),
            row_address: Reg::default(),
            panel_address: Reg::default(),
            chunk: Reg::default(),
            strip_fractal: Reg::default(),
            fractal: Reg::default(),
            fractal_below: Reg::default(),
            fractal_row: Reg::default(),
            rows_step: Signal::default(),
            next_row: Signal::default(),
            last_k_block: Signal::default(),
            last_row: Signal::default(),
            last_square: Signal::default(),
            last_strip: Signal::default(),
            to_square: Signal::default(),
            to_row: Signal::default(),
            to_strip: Signal::default(),
            to_end: Signal::default(),
            may: Signal::default(),
            plain: Signal::default(),
            beyond: Signal::default(),
            reading: Signal::default(),
            stepping: Signal::default(),
            chunk_here: Signal::default(),
            address_here: Signal::default(),
            line: Signal::default(),
            next_strip_address: Signal::default(),
            next_row_address: Signal::default(),
            next_strip_fractal: Signal::default(),
            next_fractal_row: Signal::default(),
            m0: Constant::new((shape.m0 as u64).into()),
            n0: Constant::new((shape.n0 as u64).into()),
            m0_bits: Constant::new(Shape::log(shape.m0).into()),
            n0_bits: Constant::new(Shape::log(shape.n0).into()),
            k0: Constant::new(k0.into()),
            k0_bits: Constant::new(Shape::log(shape.k0).into()),
            nb_mask: Constant::new((shape.nb as u64 - 1).into()),
            nb_bits: Constant::new(Shape::log(shape.nb).into()),
            nb_bytes: Constant::new((shape.nb as u64 * 32).into()),
            square: Constant::new(square.into()),
            square8: Constant::new(square.into()),
            strip_bytes: Constant::new((square * 32).into()),
            k_blocks: Constant::new((square / k0).into()),
            k_block_last: Constant::new((square / k0 - 1).into()),
            panels: Constant::new((shape.panels as u64).into()),
            panel_bits: Constant::new(Shape::log(shape.panels).into()),
            l1_bits: Constant::new(Shape::log(shape.l1_bytes).into()),
            tall: Constant::new(shape.square == 32),
            wide: Constant::new(shape.k0 >= shape.nb),
        }
    }
}

impl Logic for Walk {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte1_walk: walks over the blocks of a tile: place in L0, real extent, source.");
        dff_setup!(self, clk, running, side_b, turning, mapping, is_signed, per_row, zero_point, stride, fractals_k, k);
        dff_setup!(self, clk, strip_rows, block_rows, square_bytes, block_bytes, row_at, k_block, first_of_strip);
        dff_setup!(self, clk, strip_address, row_address, panel_address, chunk);
        dff_setup!(self, clk, strip_fractal, fractal, fractal_below, fractal_row);
        // Where the loops stand.
        self.rows_step.next = self.m0.val();
        if self.side_b.q.val() {
            self.rows_step.next = self.n0.val();
        }
        self.next_row.next = self.row_at.q.val() + self.rows_step.val();
        self.last_k_block.next =
            (self.k_block.q.val() == self.k_block_last.val()) | (self.block_bytes.q.val() <= self.k0.val());
        self.last_row.next = (self.next_row.val() == self.square8.val())
            | (self.block_rows.q.val() <= bit_cast::<16, 8>(self.rows_step.val()));
        self.last_square.next = self.square_bytes.q.val() <= self.square.val();
        self.last_strip.next = self.strip_rows.q.val() <= self.square.val();
        self.to_square.next =
            self.last_k_block.val() & !self.last_square.val() & (!self.turning.q.val() | self.last_row.val());
        self.to_row.next =
            self.last_k_block.val() & !self.last_row.val() & (self.turning.q.val() | self.last_square.val());
        self.to_strip.next =
            self.last_k_block.val() & self.last_row.val() & self.last_square.val() & !self.last_strip.val();
        self.to_end.next =
            self.last_k_block.val() & self.last_row.val() & self.last_square.val() & self.last_strip.val();
        // May a block go?
        self.chunk_here.next = self.chunk.q.val() + self.k_block.q.val();
        self.address_here.next =
            self.panel_address.q.val() | (bit_cast::<26, 8>(self.chunk_here.val()) << self.k0_bits.val());
        self.beyond.next = (self.panel_address.q.val() >> self.l1_bits.val()) != 0;
        self.may.next = self.running.q.val()
            & !self.hold.val()
            & (self.zeros_ready.val() | !self.per_row.q.val() | !self.first_of_strip.q.val());
        self.plain.next = !self.turning.q.val() & !self.mapping.q.val();
        self.reading.next = self.may.val() & self.plain.val() & !self.beyond.val();
        self.stepping.next = (self.reading.val() & self.read_ready.val())
            | (self.may.val() & self.turning.q.val() & self.square_full.val())
            | (self.may.val() & self.mapping.q.val() & self.block_done.val());
        self.busy.next = self.running.q.val();
        self.turned.next = self.turning.q.val();
        self.mapped.next = self.mapping.q.val();
        self.finishing.next = self.stepping.val() & self.to_end.val();
        self.read_valid.next = self.reading.val();
        self.read_address.next = bit_cast::<24, 26>(self.address_here.val());
        self.outside.next = self.may.val() & self.plain.val() & self.beyond.val();
        self.outside_address.next =
            self.address_here.val() | (bit_cast::<26, 8>(self.row_at.q.val() & self.nb_mask.val()) << 5);
        // What the block is.
        self.step.next = self.stepping.val();
        self.claim.next = self.stepping.val() & self.per_row.q.val() & self.first_of_strip.q.val();
        self.square_done.next = self.stepping.val()
            & self.turning.q.val()
            & (self.to_square.val() | self.to_strip.val() | self.to_end.val());
        self.flags.next = bit_cast::<8, 1>(self.side_b.q.val().into())
            | (bit_cast::<8, 1>(self.turning.q.val().into()) << 1)
            | (bit_cast::<8, 1>(self.is_signed.q.val().into()) << 2)
            | (bit_cast::<8, 1>(self.per_row.q.val().into()) << 3)
            | (bit_cast::<8, 1>((self.per_row.q.val() & self.first_of_strip.q.val()).into()) << 4)
            | (bit_cast::<8, 1>(self.to_end.val().into()) << 5)
            | (bit_cast::<8, 1>(self.mapping.q.val().into()) << 6);
        self.row.next = self.row_at.q.val();
        if self.wide.val() {
            self.square_step.next = bit_cast::<4, 8>(self.row_at.q.val() >> self.nb_bits.val());
        } else {
            self.square_step.next = bit_cast::<4, 8>(self.k_block.q.val());
        }
        self.rows_here.next = bit_cast::<8, 16>(self.block_rows.q.val());
        if (self.block_rows.q.val() >> 5) != 0 {
            self.rows_here.next = 32.into();
        }
        self.bytes_here.next = bit_cast::<8, 16>(self.block_bytes.q.val());
        if (self.block_bytes.q.val() >> 5) != 0 {
            self.bytes_here.next = 32.into();
        }
        self.zero.next = self.zero_point.q.val();
        // Rows of 32 bytes counted through all fractals; a block is (line / rows) * (32/K0) + chunk.
        self.line.next = (bit_cast::<24, 20>(self.fractal.q.val()) << 4)
            | bit_cast::<24, 8>(self.fractal_row.q.val() | (self.row_at.q.val() & 15));
        if self.tall.val() & self.row_at.q.val().get_bit(4) {
            self.line.next =
                (bit_cast::<24, 20>(self.fractal_below.q.val()) << 4) | bit_cast::<24, 8>(self.row_at.q.val() & 15);
        }
        if self.side_b.q.val() {
            self.block.next = ((self.line.val() >> self.n0_bits.val()) << self.panel_bits.val())
                | bit_cast::<24, 8>(self.chunk_here.val());
        } else {
            self.block.next = ((self.line.val() >> self.m0_bits.val()) << self.panel_bits.val())
                | bit_cast::<24, 8>(self.chunk_here.val());
        }
        // The step.
        self.next_strip_address.next = self.strip_address.q.val() + self.strip_bytes.val();
        self.next_row_address.next = self.row_address.q.val();
        if (self.next_row.val() & self.nb_mask.val()) == 0 {
            self.next_row_address.next = self.row_address.q.val() + self.nb_bytes.val();
        }
        self.next_fractal_row.next = (self.fractal_row.q.val() + self.square8.val()) & 15;
        self.next_strip_fractal.next = self.strip_fractal.q.val();
        if self.tall.val() {
            self.next_strip_fractal.next = self.strip_fractal.q.val() + (self.fractals_k.q.val() << 1);
        } else if self.next_fractal_row.val() == 0 {
            self.next_strip_fractal.next = self.strip_fractal.q.val() + self.fractals_k.q.val();
        }
        if self.stepping.val() {
            self.first_of_strip.d.next = false;
            self.k_block.d.next = self.k_block.q.val() + 1;
            self.block_bytes.d.next = self.block_bytes.q.val() - self.k0.val();
            if self.last_k_block.val() {
                self.k_block.d.next = 0.into();
            }
            if self.to_square.val() {
                self.square_bytes.d.next = self.square_bytes.q.val() - self.square.val();
                self.block_bytes.d.next = self.square_bytes.q.val() - self.square.val();
                self.chunk.d.next = self.chunk.q.val() + self.k_blocks.val();
                if (self.chunk.q.val() + self.k_blocks.val()) == self.panels.val() {
                    self.chunk.d.next = 0.into();
                    self.panel_address.d.next = self.panel_address.q.val() + self.stride.q.val();
                    self.fractal.d.next = self.fractal.q.val() + 1;
                    self.fractal_below.d.next = self.fractal_below.q.val() + 1;
                }
                if self.turning.q.val() {
                    self.row_at.d.next = 0.into();
                    self.block_rows.d.next = self.strip_rows.q.val();
                }
            }
            if self.to_row.val() {
                self.row_at.d.next = self.next_row.val();
                self.block_rows.d.next = self.block_rows.q.val() - bit_cast::<16, 8>(self.rows_step.val());
                self.block_bytes.d.next = self.square_bytes.q.val();
                if !self.turning.q.val() {
                    self.square_bytes.d.next = self.k.q.val();
                    self.block_bytes.d.next = self.k.q.val();
                    self.chunk.d.next = 0.into();
                    self.row_address.d.next = self.next_row_address.val();
                    self.panel_address.d.next = self.next_row_address.val();
                    self.fractal.d.next = self.strip_fractal.q.val();
                    self.fractal_below.d.next = self.strip_fractal.q.val() + self.fractals_k.q.val();
                }
            }
            if self.to_strip.val() {
                self.first_of_strip.d.next = true;
                self.row_at.d.next = 0.into();
                self.strip_rows.d.next = self.strip_rows.q.val() - self.square.val();
                self.block_rows.d.next = self.strip_rows.q.val() - self.square.val();
                self.square_bytes.d.next = self.k.q.val();
                self.block_bytes.d.next = self.k.q.val();
                self.chunk.d.next = 0.into();
                self.strip_address.d.next = self.next_strip_address.val();
                self.row_address.d.next = self.next_strip_address.val();
                self.panel_address.d.next = self.next_strip_address.val();
                self.fractal_row.d.next = self.next_fractal_row.val();
                self.strip_fractal.d.next = self.next_strip_fractal.val();
                self.fractal.d.next = self.next_strip_fractal.val();
                self.fractal_below.d.next = self.next_strip_fractal.val() + self.fractals_k.q.val();
            }
            if self.to_end.val() {
                self.running.d.next = false;
            }
        }
        if self.start.val() {
            self.running.d.next = true;
            self.side_b.d.next = self.in_side_b.val();
            self.turning.d.next = self.in_turned.val();
            self.mapping.d.next = self.in_mapped.val();
            self.is_signed.d.next = self.in_signed.val();
            self.per_row.d.next = self.in_per_row.val();
            self.zero_point.d.next = self.in_zero.val();
            self.stride.d.next = bit_cast::<26, 24>(self.in_stride.val());
            self.fractals_k.d.next = bit_cast::<20, 16>(self.in_fractals_k.val());
            self.k.d.next = self.in_k.val();
            self.strip_rows.d.next = self.in_rows.val();
            self.block_rows.d.next = self.in_rows.val();
            self.square_bytes.d.next = self.in_k.val();
            self.block_bytes.d.next = self.in_k.val();
            self.row_at.d.next = 0.into();
            self.k_block.d.next = 0.into();
            self.first_of_strip.d.next = true;
            self.strip_address.d.next = bit_cast::<26, 24>(self.in_address.val());
            self.row_address.d.next = bit_cast::<26, 24>(self.in_address.val());
            self.panel_address.d.next = bit_cast::<26, 24>(self.in_address.val());
            self.chunk.d.next = 0.into();
            self.strip_fractal.d.next = bit_cast::<20, 16>(self.in_fractal.val());
            self.fractal.d.next = bit_cast::<20, 16>(self.in_fractal.val());
            self.fractal_below.d.next =
                bit_cast::<20, 16>(self.in_fractal.val()) + bit_cast::<20, 16>(self.in_fractals_k.val());
            self.fractal_row.d.next = 0.into();
        }
        if self.rst.val() {
            self.running.d.next = false;
        }
    }
}
