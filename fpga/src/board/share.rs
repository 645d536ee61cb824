// SPDX-License-Identifier: Apache-2.0
//! One memory for two AXI4 masters: the core and the link.
//!
//! ```text
//!  core (0) ─ AR, R ─┐  ┌─ read side: address, words left ───┐
//!  link (1) ─ AR, R ─┴──┤                                     ├── word_* ──► memory, a word at a time
//!  core (0) ─ AW, W, B ─┼─ write side: address, words left ──┘    get_* ◄── read words, in order
//!  link (1) ─ AW, W, B ─┘
//! ```
//! Each side takes one burst at a time, of its masters in turn; both sides share the memory word by word. A write waits for its words
//! without keeping reads from the memory, and read data that nobody takes do not keep writes from it, so a master may make either wait for
//! the other, as AXI allows. A side that ends a burst lets the other one go first.
//!
//! Bursts are what the core uses: INCR, words of the whole bus, aligned, inside one 4 KiB page. One that begins outside the memory is
//! answered DECERR and does not touch it. At most `DEPTH` read words are on their way, so the memory need not be able to wait.

use rtl::prim::prelude::*;

/// Read words on their way.
pub const DEPTH: usize = 8;

/// The turns at a memory of words of B bits in S bytes.
#[derive(LogicBlock)]
pub struct Share<const B: usize, const S: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Forgets every burst; only while the memory is reset too.
    pub rst: Signal<In, Bit>,
    /// Write address of each master.
    pub aw_valid: Vec<Signal<In, Bit>>,
    /// It is taken.
    pub aw_ready: Vec<Signal<Out, Bit>>,
    /// First byte.
    pub aw_address: Vec<Signal<In, Bits<40>>>,
    /// Words less 1.
    pub aw_len: Vec<Signal<In, Bits<8>>>,
    /// Comes back with the answer.
    pub aw_id: Vec<Signal<In, Bits<4>>>,
    /// Write word of each master.
    pub w_valid: Vec<Signal<In, Bit>>,
    /// It is taken.
    pub w_ready: Vec<Signal<Out, Bit>>,
    /// The word.
    pub w_data: Vec<Signal<In, Bits<B>>>,
    /// Bytes to write.
    pub w_strb: Vec<Signal<In, Bits<S>>>,
    /// Answer to a write, for each master.
    pub b_valid: Vec<Signal<Out, Bit>>,
    /// It is taken.
    pub b_ready: Vec<Signal<In, Bit>>,
    /// ID of that burst.
    pub b_id: Signal<Out, Bits<4>>,
    /// 0 OKAY, 3 DECERR.
    pub b_resp: Signal<Out, Bits<2>>,
    /// Read address of each master.
    pub ar_valid: Vec<Signal<In, Bit>>,
    /// It is taken.
    pub ar_ready: Vec<Signal<Out, Bit>>,
    /// First byte.
    pub ar_address: Vec<Signal<In, Bits<40>>>,
    /// Words less 1.
    pub ar_len: Vec<Signal<In, Bits<8>>>,
    /// Comes back with the data.
    pub ar_id: Vec<Signal<In, Bits<4>>>,
    /// Read word, for each master.
    pub r_valid: Vec<Signal<Out, Bit>>,
    /// It is taken.
    pub r_ready: Vec<Signal<In, Bit>>,
    /// The word.
    pub r_data: Signal<Out, Bits<B>>,
    /// ID of its burst.
    pub r_id: Signal<Out, Bits<4>>,
    /// 0 OKAY, 3 DECERR.
    pub r_resp: Signal<Out, Bits<2>>,
    /// It is the last one of its burst.
    pub r_last: Signal<Out, Bit>,
    /// A word is to be read or written.
    pub word_valid: Signal<Out, Bit>,
    /// The memory takes it on.
    pub word_ready: Signal<In, Bit>,
    /// It is written.
    pub word_write: Signal<Out, Bit>,
    /// Its first byte.
    pub word_address: Signal<Out, Bits<32>>,
    /// What is written.
    pub word_data: Signal<Out, Bits<B>>,
    /// Which bytes are written.
    pub word_strb: Signal<Out, Bits<S>>,
    /// A word was read (pulse).
    pub get_valid: Signal<In, Bit>,
    /// That word.
    pub get_data: Signal<In, Bits<B>>,
    read_arbiter: Arbiter,
    write_arbiter: Arbiter,
    words: Fifo<B>,
    /// Of every read word asked for: ID (3:0), master (4), last (5), outside (6).
    tags: Fifo<7>,
    reading: Reg<Bit>,
    read_address: Reg<Bits<32>>,
    read_left: Reg<Bits<8>>,
    read_id: Reg<Bits<4>>,
    read_master: Reg<Bit>,
    read_outside: Reg<Bit>,
    writing: Reg<Bit>,
    write_address: Reg<Bits<32>>,
    write_left: Reg<Bits<8>>,
    write_id: Reg<Bits<4>>,
    write_master: Reg<Bit>,
    write_outside: Reg<Bit>,
    answering: Reg<Bit>,
    answer_id: Reg<Bits<4>>,
    answer_master: Reg<Bit>,
    answer_outside: Reg<Bit>,
    /// Reads go first.
    reads_first: Reg<Bit>,
    may_read: Signal<Local, Bit>,
    may_write: Signal<Local, Bit>,
    want_read: Signal<Local, Bit>,
    want_write: Signal<Local, Bit>,
    turn_read: Signal<Local, Bit>,
    turn_write: Signal<Local, Bit>,
    read_done: Signal<Local, Bit>,
    write_done: Signal<Local, Bit>,
    offered: Signal<Local, Bit>,
    tag: Signal<Local, Bits<7>>,
    shown: Signal<Local, Bit>,
    taken: Signal<Local, Bit>,
    memory_bits: Constant<Bits<40>>,
    step: Constant<Bits<32>>,
}

impl<const B: usize, const S: usize> Share<B, S> {
    /// Turns at a memory of 2^`memory_bits` (4 KiB to 2 GiB) bytes from address 0 on. Panics outside of that, or unless B = 8 S.
    pub fn new(memory_bits: u32) -> Self {
        assert!(B == 8 * S, "a bus of {B} bits has not {S} bytes");
        assert!((12..=31).contains(&memory_bits), "a memory has 4 KiB to 2 GiB, not 2^{memory_bits} bytes");
        Share {
            clk: Signal::default(),
            rst: Signal::default(),
            aw_valid: vec![Signal::default(); 2],
            aw_ready: vec![Signal::default(); 2],
            aw_address: vec![Signal::default(); 2],
            aw_len: vec![Signal::default(); 2],
            aw_id: vec![Signal::default(); 2],
            w_valid: vec![Signal::default(); 2],
            w_ready: vec![Signal::default(); 2],
            w_data: vec![Signal::default(); 2],
            w_strb: vec![Signal::default(); 2],
            b_valid: vec![Signal::default(); 2],
            b_ready: vec![Signal::default(); 2],
            b_id: Signal::default(),
            b_resp: Signal::default(),
            ar_valid: vec![Signal::default(); 2],
            ar_ready: vec![Signal::default(); 2],
            ar_address: vec![Signal::default(); 2],
            ar_len: vec![Signal::default(); 2],
            ar_id: vec![Signal::default(); 2],
            r_valid: vec![Signal::default(); 2],
            r_ready: vec![Signal::default(); 2],
            r_data: Signal::default(),
            r_id: Signal::default(),
            r_resp: Signal::default(),
            r_last: Signal::default(),
            word_valid: Signal::default(),
            word_ready: Signal::default(),
            word_write: Signal::default(),
            word_address: Signal::default(),
            word_data: Signal::default(),
            word_strb: Signal::default(),
            get_valid: Signal::default(),
            get_data: Signal::default(),
            read_arbiter: Arbiter::new(2),
            write_arbiter: Arbiter::new(2),
            words: Fifo::new(DEPTH, 1),
            tags: Fifo::new(DEPTH, 1),
            reading: Reg::default(),
            read_address: Reg::default(),
            read_left: Reg::default(),
            read_id: Reg::default(),
            read_master: Reg::default(),
            read_outside: Reg::default(),
            writing: Reg::default(),
            write_address: Reg::default(),
            write_left: Reg::default(),
            write_id: Reg::default(),
            write_master: Reg::default(),
            write_outside: Reg::default(),
            answering: Reg::default(),
            answer_id: Reg::default(),
            answer_master: Reg::default(),
            answer_outside: Reg::default(),
            reads_first: Reg::default(),
            may_read: Signal::default(),
            may_write: Signal::default(),
            want_read: Signal::default(),
            want_write: Signal::default(),
            turn_read: Signal::default(),
            turn_write: Signal::default(),
            read_done: Signal::default(),
            write_done: Signal::default(),
            offered: Signal::default(),
            tag: Signal::default(),
            shown: Signal::default(),
            taken: Signal::default(),
            memory_bits: Constant::new(u64::from(memory_bits).into()),
            step: Constant::new((S as u64).into()),
        }
    }
}

impl<const B: usize, const S: usize> Logic for Share<B, S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("share_{r_data}: two AXI4 masters take turns at one memory.");
        dff_setup!(self, clk, reading, read_address, read_left, read_id, read_master, read_outside, reads_first);
        dff_setup!(self, clk, writing, write_address, write_left, write_id, write_master, write_outside);
        dff_setup!(self, clk, answering, answer_id, answer_master, answer_outside);
        self.read_arbiter.clk.next = self.clk.val();
        self.read_arbiter.rst.next = self.rst.val();
        self.write_arbiter.clk.next = self.clk.val();
        self.write_arbiter.rst.next = self.rst.val();
        self.words.clk.next = self.clk.val();
        self.words.clear.next = self.rst.val();
        self.tags.clk.next = self.clk.val();
        self.tags.clear.next = self.rst.val();

        // A free side takes the next burst.
        self.read_arbiter.accept.next = !self.reading.q.val();
        self.write_arbiter.accept.next = !self.writing.q.val();
        for i in 0..2 {
            self.read_arbiter.request[i].next = self.ar_valid[i].val();
            self.ar_ready[i].next = self.read_arbiter.grant[i].val() & !self.reading.q.val();
            self.write_arbiter.request[i].next = self.aw_valid[i].val();
            self.aw_ready[i].next = self.write_arbiter.grant[i].val() & !self.writing.q.val();
            if !self.reading.q.val() & self.read_arbiter.grant[i].val() {
                self.reading.d.next = true;
                self.read_address.d.next = self.ar_address[i].val().get_bits::<32>(0);
                self.read_left.d.next = self.ar_len[i].val();
                self.read_id.d.next = self.ar_id[i].val();
                self.read_outside.d.next = (self.ar_address[i].val() >> self.memory_bits.val()) != 0;
            }
            if !self.writing.q.val() & self.write_arbiter.grant[i].val() {
                self.writing.d.next = true;
                self.write_address.d.next = self.aw_address[i].val().get_bits::<32>(0);
                self.write_left.d.next = self.aw_len[i].val();
                self.write_id.d.next = self.aw_id[i].val();
                self.write_outside.d.next = (self.aw_address[i].val() >> self.memory_bits.val()) != 0;
            }
        }
        if !self.reading.q.val() {
            self.read_master.d.next = self.read_arbiter.grant[1].val();
        }
        if !self.writing.q.val() {
            self.write_master.d.next = self.write_arbiter.grant[1].val();
        }

        // The memory's next word. A burst outside the memory moves on without it.
        self.offered.next = self.w_valid[0].val();
        self.word_data.next = self.w_data[0].val();
        self.word_strb.next = self.w_strb[0].val();
        if self.write_master.q.val() {
            self.offered.next = self.w_valid[1].val();
            self.word_data.next = self.w_data[1].val();
            self.word_strb.next = self.w_strb[1].val();
        }
        self.may_read.next = self.reading.q.val() & self.tags.in_ready.val();
        // The last word waits until its answer has a place.
        self.may_write.next = self.writing.q.val() & self.offered.val() & !self.answering.q.val();
        self.want_read.next = self.may_read.val() & !self.read_outside.q.val();
        self.want_write.next = self.may_write.val() & !self.write_outside.q.val();
        self.turn_read.next = self.want_read.val() & (self.reads_first.q.val() | !self.want_write.val());
        self.turn_write.next = self.want_write.val() & (!self.reads_first.q.val() | !self.want_read.val());
        self.word_valid.next = self.turn_read.val() | self.turn_write.val();
        self.word_write.next = self.turn_write.val();
        self.word_address.next = self.read_address.q.val();
        if self.turn_write.val() {
            self.word_address.next = self.write_address.q.val();
        }
        self.read_done.next =
            (self.turn_read.val() & self.word_ready.val()) | (self.may_read.val() & self.read_outside.q.val());
        self.write_done.next =
            (self.turn_write.val() & self.word_ready.val()) | (self.may_write.val() & self.write_outside.q.val());

        self.tags.in_valid.next = self.read_done.val();
        self.tags.in_data[0].next = bit_cast::<7, 4>(self.read_id.q.val())
            | (bit_cast::<7, 1>(self.read_master.q.val().into()) << 4)
            | (bit_cast::<7, 1>((self.read_left.q.val() == 0).into()) << 5)
            | (bit_cast::<7, 1>(self.read_outside.q.val().into()) << 6);
        if self.read_done.val() {
            self.read_address.d.next = self.read_address.q.val() + self.step.val();
            self.read_left.d.next = self.read_left.q.val() - 1;
            if self.read_left.q.val() == 0 {
                self.reading.d.next = false;
                self.reads_first.d.next = false;
            }
        }
        self.w_ready[0].next = self.write_done.val() & !self.write_master.q.val();
        self.w_ready[1].next = self.write_done.val() & self.write_master.q.val();
        if self.write_done.val() {
            self.write_address.d.next = self.write_address.q.val() + self.step.val();
            self.write_left.d.next = self.write_left.q.val() - 1;
            if self.write_left.q.val() == 0 {
                self.writing.d.next = false;
                self.reads_first.d.next = true;
                self.answering.d.next = true;
                self.answer_id.d.next = self.write_id.q.val();
                self.answer_master.d.next = self.write_master.q.val();
                self.answer_outside.d.next = self.write_outside.q.val();
            }
        }

        // Answers.
        self.b_id.next = self.answer_id.q.val();
        self.b_resp.next = 0.into();
        if self.answer_outside.q.val() {
            self.b_resp.next = 3.into();
        }
        self.b_valid[0].next = self.answering.q.val() & !self.answer_master.q.val();
        self.b_valid[1].next = self.answering.q.val() & self.answer_master.q.val();
        if self.answering.q.val()
            & ((self.b_ready[0].val() & !self.answer_master.q.val())
                | (self.b_ready[1].val() & self.answer_master.q.val()))
        {
            self.answering.d.next = false;
        }

        // Read words go back in the order in which they were asked for.
        self.words.in_valid.next = self.get_valid.val();
        self.words.in_data[0].next = self.get_data.val();
        self.tag.next = self.tags.out_data[0].val();
        self.shown.next = self.tags.out_valid.val() & (self.words.out_valid.val() | self.tag.val().get_bit(6));
        self.r_valid[0].next = self.shown.val() & !self.tag.val().get_bit(4);
        self.r_valid[1].next = self.shown.val() & self.tag.val().get_bit(4);
        self.taken.next = self.shown.val()
            & ((self.r_ready[0].val() & !self.tag.val().get_bit(4))
                | (self.r_ready[1].val() & self.tag.val().get_bit(4)));
        self.tags.out_ready.next = self.taken.val();
        self.words.out_ready.next = self.taken.val() & !self.tag.val().get_bit(6);
        self.r_data.next = self.words.out_data[0].val();
        self.r_id.next = self.tag.val().get_bits::<4>(0);
        self.r_last.next = self.tag.val().get_bit(5);
        self.r_resp.next = 0.into();
        if self.tag.val().get_bit(6) {
            self.r_resp.next = 3.into();
        }
        if self.rst.val() {
            self.reading.d.next = false;
            self.writing.d.next = false;
            self.answering.d.next = false;
            self.reads_first.d.next = true;
        }
    }
}
