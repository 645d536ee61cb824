// SPDX-License-Identifier: Apache-2.0
//! Global memory in block RAM, for boards without any other.
//!
//! ```text
//!  word_* ──►┌───────────┐──► get_*      a word per cycle, read or written; a read word comes a cycle later
//!            │ block_ram │
//!            └───────────┘──► ready      always
//! ```

use rtl::prim::prelude::*;

/// Memory of words of B bits in S bytes.
#[derive(LogicBlock)]
pub struct BlockRam<const B: usize, const S: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Drops a word that is being read.
    pub rst: Signal<In, Bit>,
    /// A word is to be read or written.
    pub word_valid: Signal<In, Bit>,
    /// It is taken on.
    pub word_ready: Signal<Out, Bit>,
    /// It is written.
    pub word_write: Signal<In, Bit>,
    /// Its first byte.
    pub word_address: Signal<In, Bits<32>>,
    /// What is written.
    pub word_data: Signal<In, Bits<B>>,
    /// Which bytes are written.
    pub word_strb: Signal<In, Bits<S>>,
    /// A word was read (pulse).
    pub get_valid: Signal<Out, Bit>,
    /// That word.
    pub get_data: Signal<Out, Bits<B>>,
    ram: Ram<8>,
    whole: Join<8, B>,
    coming: Reg<Bit>,
    wide: Signal<Local, Bits<32>>,
    shift: Constant<Bits<32>>,
    _bytes: usize,
}

impl<const B: usize, const S: usize> BlockRam<B, S> {
    /// A memory of 2^`memory_bits` bytes, at most 65,536 words.
    pub fn new(memory_bits: u32) -> Self {
        assert!(B == 8 * S, "a bus of {B} bits has not {S} bytes");
        BlockRam {
            clk: Signal::default(),
            rst: Signal::default(),
            word_valid: Signal::default(),
            word_ready: Signal::default(),
            word_write: Signal::default(),
            word_address: Signal::default(),
            word_data: Signal::default(),
            word_strb: Signal::default(),
            get_valid: Signal::default(),
            get_data: Signal::default(),
            ram: Ram::masked((1 << memory_bits) / S, S),
            whole: Join::default(),
            coming: Reg::default(),
            wide: Signal::default(),
            shift: Constant::new(u64::from(S.trailing_zeros()).into()),
            _bytes: S,
        }
    }
}

impl<const B: usize, const S: usize> Logic for BlockRam<B, S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("block_ram_{get_data}: global memory in block RAM.");
        dff_setup!(self, clk, coming);
        self.wide.next = self.word_address.val() >> self.shift.val();
        self.word_ready.next = true;
        self.ram.clock.next = self.clk.val();
        self.ram.read_enable.next = self.word_valid.val() & !self.word_write.val();
        self.ram.read_address.next = self.wide.val().get_bits::<16>(0);
        self.ram.write_address.next = self.wide.val().get_bits::<16>(0);
        for i in 0..self._bytes {
            self.ram.write_enable[i].next =
                self.word_valid.val() & self.word_write.val() & self.word_strb.val().get_bit(i);
            self.ram.write[i].next = self.word_data.val().get_bits::<8>(i * 8);
            self.whole.lane[i].next = self.ram.read[i].val();
        }
        self.coming.d.next = self.word_valid.val() & !self.word_write.val() & !self.rst.val();
        self.get_valid.next = self.coming.q.val();
        self.get_data.next = self.whole.word.val();
    }
}
