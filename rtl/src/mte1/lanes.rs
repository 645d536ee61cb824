// SPDX-License-Identifier: Apache-2.0
//! The data path of a tile load: choose the source and the rows, then subtract the zero point and blank what is not real.
//!
//! ```text
//!  from_l1[i*K0+c], from_turn[..], ──►┌───────┐──► element[r*K0+c]     1 cycle later: byte - zero point, 0 outside the tile
//!  from_map[r*K0+c], given[..]        │       │                                        and where nothing is given
//!  turned, row, rows_here, zero, ..   │ lanes │
//!                                     └───────┘
//! ```
//! First cycle: source multiplexer, row part (a block of M0 < NB or N0 < NB rows takes part of the NB rows), zero point of each row.
//! Second cycle, combinational towards L0's write port: extension by dtype, subtraction, mask.

use super::Shape;
use crate::prim::prelude::*;

/// One element: `byte - zero` in 9 bits, or 0.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Element {
    /// The byte.
    pub raw: Signal<In, Bits<8>>,
    /// The byte is signed.
    pub is_signed: Signal<In, Bit>,
    /// Zero point, signed 9 bits.
    pub zero: Signal<In, Bits<9>>,
    /// The byte lies inside the tile.
    pub present: Signal<In, Bit>,
    /// Signed 9 bits; cut to them if a zero point lies outside the dtype's range.
    pub element: Signal<Out, Bits<9>>,
    extended: Signal<Local, Bits<9>>,
}

impl Logic for Element {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte1_element: byte minus zero point in 9 bits, or 0.");
        self.extended.next = bit_cast::<9, 8>(self.raw.val());
        if self.is_signed.val() & self.raw.val().get_bit(7) {
            self.extended.next = bit_cast::<9, 8>(self.raw.val()) | 0x100;
        }
        self.element.next = 0.into();
        if self.present.val() {
            self.element.next = self.extended.val() - self.zero.val();
        }
    }
}

/// NB x K0 elements.
#[derive(LogicBlock)]
pub struct Lanes {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// NB rows from L1.
    pub from_l1: Vec<Signal<In, Bits<8>>>,
    /// NB rows from the square.
    pub from_turn: Vec<Signal<In, Bits<8>>>,
    /// A block of A from a feature map, M0 rows.
    pub from_map: Vec<Signal<In, Bits<8>>>,
    /// Which of its bytes are real.
    pub given: Vec<Signal<In, Bit>>,
    /// Take those from the square.
    pub turned: Signal<In, Bit>,
    /// Take those from the feature map.
    pub mapped: Signal<In, Bit>,
    /// dtype s8, else u8.
    pub is_signed: Signal<In, Bit>,
    /// Zero points per row, else `zero`.
    pub per_row: Signal<In, Bit>,
    /// Row of the block in the strip.
    pub row: Signal<In, Bits<8>>,
    /// Real rows of the block, more than NB counts as NB.
    pub rows_here: Signal<In, Bits<8>>,
    /// Real bytes of k, more than K0 counts as K0.
    pub bytes_here: Signal<In, Bits<8>>,
    /// Zero point of all rows.
    pub zero: Signal<In, Bits<9>>,
    /// Zero points of the strip.
    pub row_zero: Vec<Signal<In, Bits<9>>>,
    /// Row r, byte c at `r * K0 + c`, 1 cycle later.
    pub element: Vec<Signal<Out, Bits<9>>>,
    byte: Vec<Reg<Bits<8>>>,
    row_real: Vec<Reg<Bit>>,
    byte_real: Vec<Reg<Bit>>,
    /// Per byte of A: not padding.
    real: Vec<Reg<Bit>>,
    zero_of: Vec<Reg<Bits<9>>>,
    signed_bytes: Reg<Bit>,
    subtract: Vec<Element>,
    source: Vec<Signal<Local, Bits<8>>>,
    part: Signal<Local, Bits<8>>,
    nb_mask: Constant<Bits<8>>,
    _lanes: usize,
    _nb: usize,
    _k0: usize,
    _square: usize,
    _a_lanes: usize,
    /// Rows of the smaller block kind; parts of NB rows and of a strip that it has.
    _least: usize,
    _parts: usize,
    _places: usize,
}

impl Lanes {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        let lanes = shape.nb * shape.k0;
        Lanes {
            clk: Signal::default(),
            from_l1: vec![Signal::default(); lanes],
            from_turn: vec![Signal::default(); lanes],
            from_map: vec![Signal::default(); shape.m0 * shape.k0],
            given: vec![Signal::default(); shape.m0 * shape.k0],
            turned: Signal::default(),
            mapped: Signal::default(),
            is_signed: Signal::default(),
            per_row: Signal::default(),
            row: Signal::default(),
            rows_here: Signal::default(),
            bytes_here: Signal::default(),
            zero: Signal::default(),
            row_zero: vec![Signal::default(); shape.square],
            element: vec![Signal::default(); lanes],
            byte: vec![Reg::default(); lanes],
            row_real: vec![Reg::default(); shape.nb],
            byte_real: vec![Reg::default(); shape.k0],
            real: vec![Reg::default(); shape.m0 * shape.k0],
            zero_of: vec![Reg::default(); shape.nb],
            signed_bytes: Reg::default(),
            subtract: vec![Element::default(); lanes],
            source: vec![Signal::default(); lanes],
            part: Signal::default(),
            nb_mask: Constant::new((shape.nb as u64 - 1).into()),
            _lanes: lanes,
            _nb: shape.nb,
            _k0: shape.k0,
            _square: shape.square,
            _a_lanes: shape.m0 * shape.k0,
            _least: shape.least_rows(),
            _parts: shape.nb / shape.least_rows(),
            _places: shape.square / shape.least_rows(),
        }
    }
}

impl Logic for Lanes {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte1_lanes_{element[]}: chooses source and rows, subtracts the zero point, blanks what is not real.");
        dff_setup!(self, clk, signed_bytes);
        self.signed_bytes.d.next = self.is_signed.val();
        self.part.next = self.row.val() & self.nb_mask.val();
        for c in 0..self._k0 {
            self.byte_real[c].clock.next = self.clk.val();
            self.byte_real[c].d.next = c.to_bits::<8>() < self.bytes_here.val();
        }
        for nb in self._nb..(self._nb + 1) {
            for k0 in self._k0..(self._k0 + 1) {
                for least in self._least..(self._least + 1) {
                    for square in self._square..(self._square + 1) {
                        for i in 0..self._lanes {
                            self.source[i].next = self.from_l1[i].val();
                            if self.turned.val() {
                                self.source[i].next = self.from_turn[i].val();
                            }
                        }
                        for r in 0..self._nb {
                            self.row_real[r].clock.next = self.clk.val();
                            self.row_real[r].d.next = r.to_bits::<8>() < self.rows_here.val();
                            self.zero_of[r].clock.next = self.clk.val();
                            self.zero_of[r].d.next = self.zero.val();
                            if self.per_row.val() {
                                for p in 0..self._places {
                                    if self.row.val() == (p * least).to_bits::<8>() {
                                        self.zero_of[r].d.next = self.row_zero[(p * least + r) % square].val();
                                    }
                                }
                            }
                            for c in 0..self._k0 {
                                self.byte[r * k0 + c].clock.next = self.clk.val();
                                self.byte[r * k0 + c].d.next = self.source[r * k0 + c].val();
                                for p in 1..self._parts {
                                    if self.part.val() == (p * least).to_bits::<8>() {
                                        self.byte[r * k0 + c].d.next =
                                            self.source[((p * least + r) % nb) * k0 + c].val();
                                    }
                                }
                                self.subtract[r * k0 + c].raw.next = self.byte[r * k0 + c].q.val();
                                self.subtract[r * k0 + c].is_signed.next = self.signed_bytes.q.val();
                                self.subtract[r * k0 + c].zero.next = self.zero_of[r].q.val();
                                self.subtract[r * k0 + c].present.next =
                                    self.row_real[r].q.val() & self.byte_real[c].q.val();
                                self.element[r * k0 + c].next = self.subtract[r * k0 + c].element.val();
                            }
                        }
                        for i in 0..self._a_lanes {
                            self.real[i].clock.next = self.clk.val();
                            self.real[i].d.next = true;
                            if self.mapped.val() {
                                self.real[i].d.next = self.given[i].val();
                                self.byte[i].d.next = self.from_map[i].val();
                            }
                            self.subtract[i].present.next =
                                self.row_real[i / k0].q.val() & self.byte_real[i % k0].q.val() & self.real[i].q.val();
                        }
                    }
                }
            }
        }
    }
}
