// SPDX-License-Identifier: Apache-2.0
//! Turns squares of bytes: what comes in row by row goes out column by column.
//!
//! ```text
//!  write_valid, write_slot, write_step, ──►┌──────┐◄── read_slot, read_step
//!  in_data[i*K0+b]                         │ turn │──► out_data[r*K0+c]       same cycle as read_step
//!                                          └──────┘
//! ```
//! A square has T x T bytes, T = max(NB, K0); two of them alternate (slots). A step moves NB * K0 bytes, G = T/U steps in and G steps out,
//! U = min(NB, K0). The bytes of step s fall into G groups j of U x U bytes; group j leaves in step j. Group j of step s lies in
//! look-up-table RAM (s + j) mod G at word s: a step in writes one word of every RAM, a step out reads one word of every RAM.

use super::Shape;
use crate::prim::prelude::*;
use crate::rotate::Rotate;

/// Two squares, one filled while the other empties.
#[derive(LogicBlock)]
pub struct Turn {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// A step comes in.
    pub write_valid: Signal<In, Bit>,
    /// Into which square.
    pub write_slot: Signal<In, Bit>,
    /// Which step: NB rows of k (K0 >= NB), or K0 columns of NB rows of k.
    pub write_step: Signal<In, Bits<4>>,
    /// Row i of k, byte b at `i * K0 + b`.
    pub in_data: Vec<Signal<In, Bits<8>>>,
    /// From which square a step goes out.
    pub read_slot: Signal<In, Bit>,
    /// Which step: NB rows of the tile (K0 >= NB), or K0 bytes of k of NB rows.
    pub read_step: Signal<In, Bits<4>>,
    /// Row r of the tile, byte c of k at `r * K0 + c`.
    pub out_data: Vec<Signal<Out, Bits<8>>>,
    store: Vec<Lutram<8>>,
    spread: Vec<Rotate<8>>,
    gather: Vec<Rotate<8>>,
    write_word: Signal<Local, Bits<8>>,
    read_base: Signal<Local, Bits<8>>,
    read_wide: Signal<Local, Bits<8>>,
    group_bits: Constant<Bits<4>>,
    group_mask: Constant<Bits<8>>,
    _group: usize,
    _unit: usize,
    _k0: usize,
    _pitch: usize,
}

impl Turn {
    /// For this shape.
    pub fn new(shape: &Shape) -> Self {
        let lanes = shape.nb * shape.k0;
        let places = shape.unit * shape.unit;
        Turn {
            clk: Signal::default(),
            write_valid: Signal::default(),
            write_slot: Signal::default(),
            write_step: Signal::default(),
            in_data: vec![Signal::default(); lanes],
            read_slot: Signal::default(),
            read_step: Signal::default(),
            out_data: vec![Signal::default(); lanes],
            store: vec![Lutram::new(2 * shape.group, places); shape.group],
            spread: (0..places).map(|_| Rotate::new(shape.group)).collect(),
            gather: (0..places).map(|_| Rotate::new(shape.group)).collect(),
            write_word: Signal::default(),
            read_base: Signal::default(),
            read_wide: Signal::default(),
            group_bits: Constant::new(Shape::log(shape.group).into()),
            group_mask: Constant::new((shape.group as u64 - 1).into()),
            _group: shape.group,
            _unit: shape.unit,
            _k0: shape.k0,
            // Lanes from one group to the next, in and out.
            _pitch: if shape.k0 >= shape.nb { shape.unit } else { shape.unit * shape.k0 },
        }
    }
}

impl Logic for Turn {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("mte1_turn_{in_data[]}by{store[]}: turns squares of bytes, in row by row, out column by column.");
        self.write_word.next = (bit_cast::<8, 1>(self.write_slot.val().into()) << self.group_bits.val())
            | bit_cast::<8, 4>(self.write_step.val());
        self.read_base.next = bit_cast::<8, 1>(self.read_slot.val().into()) << self.group_bits.val();
        self.read_wide.next = bit_cast::<8, 4>(self.read_step.val());
        for x in 0..self._group {
            self.store[x].clock.next = self.clk.val();
            self.store[x].write_enable.next = self.write_valid.val();
            self.store[x].write_address.next = self.write_word.val();
            self.store[x].read_address.next =
                self.read_base.val() | ((x.to_bits::<8>() - self.read_wide.val()) & self.group_mask.val());
        }
        for unit in self._unit..(self._unit + 1) {
            for k0 in self._k0..(self._k0 + 1) {
                for pitch in self._pitch..(self._pitch + 1) {
                    for u in 0..self._unit {
                        for v in 0..self._unit {
                            self.spread[u * unit + v].amount.next = bits::<4>(0) - self.write_step.val();
                            self.gather[u * unit + v].amount.next = self.read_step.val();
                            for x in 0..self._group {
                                self.spread[u * unit + v].lane[x].next = self.in_data[x * pitch + u * k0 + v].val();
                                self.store[x].write[u * unit + v].next = self.spread[u * unit + v].turned[x].val();
                                self.gather[u * unit + v].lane[x].next = self.store[x].read[u * unit + v].val();
                                self.out_data[x * pitch + v * k0 + u].next = self.gather[u * unit + v].turned[x].val();
                            }
                        }
                    }
                }
            }
        }
    }
}
