// SPDX-License-Identifier: Apache-2.0
//! The host's hand on a board: frames on a serial line become accesses to registers and memory, and answers go back.
//!
//! ```text
//!  rx ─► uart_rx ─► deframe ─► header, buffer ─┐           ┌─► m_axil_*    registers of the core
//!                                              ├─ link ◄───┤
//!  tx ◄─ uart_tx ◄─ enframe ◄─ header, buffer ─┘           └─► m_axi_*     global memory: INCR bursts, byte strobes
//! ```
//! Protocol: [`isa::link`], `docs/board.md`. Rules that make it safe on a bad line:
//!
//! * Nothing is done before the CRC of the whole request is right.
//! * A write with the sequence number of the request before is that request again: it is answered as then, and not done twice.
//! * Before the first hello after a reset nothing but hello is done, so a board that was reset does not go on in the midst of a job.
//! * A damaged frame is answered at once with `DAMAGED`, so the host need not wait for its time-out.
//!
//! One request at a time; what comes in meanwhile is dropped. 2 cycles per byte written, 1 per byte read, and those of the buses.

use super::frame::{Deframe, Enframe};
use super::uart::{UartRx, UartTx};
use isa::link::{ANSWER, BLOCK_BYTES, CRC_BYTES, DAMAGED, HELLO_BYTES, LinkStatus, Op, REQUEST_HEADER, VERSION};
use rtl::prim::prelude::*;

/// Bytes of a request without data.
const BARE: usize = REQUEST_HEADER + CRC_BYTES;

/// What the link is doing.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum Turn {
    /// It listens.
    Listen,
    /// It looks at a request.
    Check,
    /// It writes the answer to a hello into the buffer.
    Greet,
    /// It sends the address of an access.
    Aim,
    /// It reads the buffer for a write.
    Fetch,
    /// It puts that byte into the word.
    Take,
    /// It sends the word.
    Push,
    /// It waits for the answer to a write.
    Settle,
    /// It takes read data into the buffer, a byte per cycle.
    Pull,
    /// It sends the header of the answer.
    Head,
    /// It sends the status.
    Status,
    /// It reads the buffer for the answer.
    Load,
    /// It sends that byte.
    Send,
}

/// Link to a bus of B bits in S bytes.
#[derive(LogicBlock)]
#[allow(missing_docs)] // The AXI ports are named by the AXI standard.
pub struct Link<const B: usize, const S: usize> {
    /// Clock, rising edge.
    pub clk: Signal<In, Clock>,
    /// Reset, synchronous: as if no host had ever come.
    pub rst: Signal<In, Bit>,
    /// Serial line from the host.
    pub rx: Signal<In, Bit>,
    /// Serial line to the host.
    pub tx: Signal<Out, Bit>,
    /// An undamaged frame came (pulse).
    pub heard: Signal<Out, Bit>,
    /// A damaged frame came (pulse).
    pub noise: Signal<Out, Bit>,
    /// A host said hello since the reset.
    pub greeted: Signal<Out, Bit>,
    pub m_axil_awaddr: Signal<Out, Bits<16>>,
    pub m_axil_awvalid: Signal<Out, Bit>,
    pub m_axil_awready: Signal<In, Bit>,
    pub m_axil_wdata: Signal<Out, Bits<32>>,
    pub m_axil_wvalid: Signal<Out, Bit>,
    pub m_axil_wready: Signal<In, Bit>,
    pub m_axil_bresp: Signal<In, Bits<2>>,
    pub m_axil_bvalid: Signal<In, Bit>,
    pub m_axil_bready: Signal<Out, Bit>,
    pub m_axil_araddr: Signal<Out, Bits<16>>,
    pub m_axil_arvalid: Signal<Out, Bit>,
    pub m_axil_arready: Signal<In, Bit>,
    pub m_axil_rdata: Signal<In, Bits<32>>,
    pub m_axil_rresp: Signal<In, Bits<2>>,
    pub m_axil_rvalid: Signal<In, Bit>,
    pub m_axil_rready: Signal<Out, Bit>,
    pub m_axi_awaddr: Signal<Out, Bits<40>>,
    pub m_axi_awlen: Signal<Out, Bits<8>>,
    pub m_axi_awvalid: Signal<Out, Bit>,
    pub m_axi_awready: Signal<In, Bit>,
    pub m_axi_wdata: Signal<Out, Bits<B>>,
    pub m_axi_wstrb: Signal<Out, Bits<S>>,
    pub m_axi_wlast: Signal<Out, Bit>,
    pub m_axi_wvalid: Signal<Out, Bit>,
    pub m_axi_wready: Signal<In, Bit>,
    pub m_axi_bresp: Signal<In, Bits<2>>,
    pub m_axi_bvalid: Signal<In, Bit>,
    pub m_axi_bready: Signal<Out, Bit>,
    pub m_axi_araddr: Signal<Out, Bits<40>>,
    pub m_axi_arlen: Signal<Out, Bits<8>>,
    pub m_axi_arvalid: Signal<Out, Bit>,
    pub m_axi_arready: Signal<In, Bit>,
    pub m_axi_rdata: Signal<In, Bits<B>>,
    pub m_axi_rresp: Signal<In, Bits<2>>,
    pub m_axi_rvalid: Signal<In, Bit>,
    pub m_axi_rready: Signal<Out, Bit>,
    uart_rx: UartRx,
    uart_tx: UartTx,
    deframe: Deframe,
    enframe: Enframe,
    buffer: Ram<8>,
    turn: Reg<Turn>,
    /// The header of the request: op, sequence, count, address, as they came.
    head: Vec<Reg<Bits<8>>>,
    /// Bytes of the frame so far, place in the buffer, byte of the header.
    at: Reg<Bits<11>>,
    /// Bytes still to be moved.
    left: Reg<Bits<11>>,
    /// Byte of the word.
    lane: Reg<Bits<6>>,
    /// Register of the next access, within its block.
    register: Reg<Bits<8>>,
    word: Vec<Reg<Bits<8>>>,
    strobe: Vec<Reg<Bit>>,
    address_gone: Reg<Bit>,
    word_gone: Reg<Bit>,
    status: Reg<Bits<8>>,
    damaged: Reg<Bit>,
    known: Reg<Bit>,
    last_sequence: Reg<Bits<8>>,
    last_status: Reg<Bits<8>>,
    /// The request may be done; settled long before its end.
    legal: Reg<Bit>,
    is_hello: Reg<Bit>,
    beats: Reg<Bits<8>>,
    address_word: Join<8, 40>,
    lite_word: Join<8, 32>,
    bus_word: Join<8, B>,
    strobe_word: Join<1, S>,
    address: Signal<Local, Bits<40>>,
    count: Signal<Local, Bits<11>>,
    first: Signal<Local, Bits<12>>,
    last: Signal<Local, Bits<12>>,
    length: Signal<Local, Bits<12>>,
    first_word: Signal<Local, Bits<12>>,
    last_word: Signal<Local, Bits<12>>,
    writes: Signal<Local, Bit>,
    memory: Signal<Local, Bit>,
    fits: Signal<Local, Bit>,
    has_data: Signal<Local, Bit>,
    octet: Signal<Local, Bits<8>>,
    there: Signal<Local, Bit>,
    bad: Signal<Local, Bits<8>>,
    lane_last: Signal<Local, Bit>,
    step: Signal<Local, Bit>,
    clear: Signal<Local, Bit>,
    spend: Signal<Local, Bit>,
    load: Signal<Local, Bit>,
    shift_head: Signal<Local, Bit>,
    next_register: Signal<Local, Bit>,
    picked: Signal<Local, Bits<B>>,
    picked_lite: Signal<Local, Bits<32>>,
    finished: Signal<Local, Bit>,
    bare: Constant<Bits<12>>,
    block: Constant<Bits<12>>,
    align: Constant<Bits<6>>,
    word_shift: Constant<Bits<12>>,
    address_shift: Constant<Bits<40>>,
    op_hello: Constant<Bits<8>>,
    hello_bytes: Constant<Bits<11>>,
    answer: Constant<Bits<8>>,
    damaged_op: Constant<Bits<8>>,
    refused: Constant<Bits<8>>,
    stranger: Constant<Bits<8>>,
    greeting: Vec<Constant<Bits<8>>>,
    _greeting: usize,
    _head: usize,
    _head_less_1: usize,
    _bytes: usize,
}

impl<const B: usize, const S: usize> Link<B, S> {
    /// A link whose bits last `divider` cycles, on a board of `clock_hz` with 2^`memory_bits` bytes of global memory.
    ///
    /// Panics unless B = 8 S, S is 4 to 64, and the divider is legal.
    pub fn new(divider: usize, clock_hz: u32, memory_bits: u32) -> Self {
        assert!(B == 8 * S && (4..=64).contains(&S), "a bus of {B} bits has not {S} bytes");
        let khz = (clock_hz / 1000).to_le_bytes();
        let mut greeting = vec![VERSION, memory_bits as u8, 0, 0];
        greeting.extend(khz);
        assert_eq!(greeting.len(), HELLO_BYTES, "the greeting has as many bytes as the protocol says");
        let byte = |value: u8| Constant::new(u64::from(value).into());
        Link {
            clk: Signal::default(),
            rst: Signal::default(),
            rx: Signal::default(),
            tx: Signal::default(),
            heard: Signal::default(),
            noise: Signal::default(),
            greeted: Signal::default(),
            m_axil_awaddr: Signal::default(),
            m_axil_awvalid: Signal::default(),
            m_axil_awready: Signal::default(),
            m_axil_wdata: Signal::default(),
            m_axil_wvalid: Signal::default(),
            m_axil_wready: Signal::default(),
            m_axil_bresp: Signal::default(),
            m_axil_bvalid: Signal::default(),
            m_axil_bready: Signal::default(),
            m_axil_araddr: Signal::default(),
            m_axil_arvalid: Signal::default(),
            m_axil_arready: Signal::default(),
            m_axil_rdata: Signal::default(),
            m_axil_rresp: Signal::default(),
            m_axil_rvalid: Signal::default(),
            m_axil_rready: Signal::default(),
            m_axi_awaddr: Signal::default(),
            m_axi_awlen: Signal::default(),
            m_axi_awvalid: Signal::default(),
            m_axi_awready: Signal::default(),
            m_axi_wdata: Signal::default(),
            m_axi_wstrb: Signal::default(),
            m_axi_wlast: Signal::default(),
            m_axi_wvalid: Signal::default(),
            m_axi_wready: Signal::default(),
            m_axi_bresp: Signal::default(),
            m_axi_bvalid: Signal::default(),
            m_axi_bready: Signal::default(),
            m_axi_araddr: Signal::default(),
            m_axi_arlen: Signal::default(),
            m_axi_arvalid: Signal::default(),
            m_axi_arready: Signal::default(),
            m_axi_rdata: Signal::default(),
            m_axi_rresp: Signal::default(),
            m_axi_rvalid: Signal::default(),
            m_axi_rready: Signal::default(),
            uart_rx: UartRx::new(divider),
            uart_tx: UartTx::new(divider),
            deframe: Deframe::default(),
            enframe: Enframe::default(),
            // The frame as it came: header, data, CRC. The answer's data begin at 0.
            buffer: Ram::whole(2 * BLOCK_BYTES, 1),
            turn: Reg::default(),
            head: vec![Reg::default(); REQUEST_HEADER],
            at: Reg::default(),
            left: Reg::default(),
            lane: Reg::default(),
            register: Reg::default(),
            word: vec![Reg::default(); S],
            strobe: vec![Reg::default(); S],
            address_gone: Reg::default(),
            word_gone: Reg::default(),
            status: Reg::default(),
            damaged: Reg::default(),
            known: Reg::default(),
            last_sequence: Reg::default(),
            last_status: Reg::default(),
            legal: Reg::default(),
            is_hello: Reg::default(),
            beats: Reg::default(),
            address_word: Join::default(),
            lite_word: Join::default(),
            bus_word: Join::default(),
            strobe_word: Join::default(),
            address: Signal::default(),
            count: Signal::default(),
            first: Signal::default(),
            last: Signal::default(),
            length: Signal::default(),
            first_word: Signal::default(),
            last_word: Signal::default(),
            writes: Signal::default(),
            memory: Signal::default(),
            fits: Signal::default(),
            has_data: Signal::default(),
            octet: Signal::default(),
            there: Signal::default(),
            bad: Signal::default(),
            lane_last: Signal::default(),
            step: Signal::default(),
            clear: Signal::default(),
            spend: Signal::default(),
            load: Signal::default(),
            shift_head: Signal::default(),
            next_register: Signal::default(),
            picked: Signal::default(),
            picked_lite: Signal::default(),
            finished: Signal::default(),
            bare: Constant::new((BARE as u64).into()),
            block: Constant::new((BLOCK_BYTES as u64).into()),
            align: Constant::new((S as u64 - 1).into()),
            word_shift: Constant::new(u64::from(S.trailing_zeros()).into()),
            address_shift: Constant::new(u64::from(S.trailing_zeros()).into()),
            op_hello: byte(Op::Hello as u8),
            hello_bytes: Constant::new((HELLO_BYTES as u64).into()),
            answer: byte(ANSWER),
            damaged_op: byte(DAMAGED),
            refused: byte(LinkStatus::Refused as u8),
            stranger: byte(LinkStatus::Stranger as u8),
            greeting: greeting.into_iter().map(byte).collect(),
            _greeting: HELLO_BYTES,
            _head: REQUEST_HEADER,
            _head_less_1: REQUEST_HEADER - 1,
            _bytes: S,
        }
    }
}

impl<const B: usize, const S: usize> Logic for Link<B, S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("link_{m_axi_wdata}: frames on a serial line become accesses to registers and memory.");
        dff_setup!(self, clk, turn, at, left, lane, register, address_gone, word_gone, status);
        dff_setup!(self, clk, damaged, known, last_sequence, last_status, legal, is_hello, beats);
        self.uart_rx.clk.next = self.clk.val();
        self.uart_rx.rst.next = self.rst.val();
        self.uart_tx.clk.next = self.clk.val();
        self.uart_tx.rst.next = self.rst.val();
        self.deframe.clk.next = self.clk.val();
        self.deframe.rst.next = self.rst.val();
        self.enframe.clk.next = self.clk.val();
        self.enframe.rst.next = self.rst.val();
        self.uart_rx.rx.next = self.rx.val();
        self.tx.next = self.uart_tx.tx.val();
        self.deframe.rx_valid.next = self.uart_rx.valid.val();
        self.deframe.rx_data.next = self.uart_rx.data.val();
        self.deframe.rx_broken.next = self.uart_rx.broken.val();
        self.deframe.listen.next = self.turn.q.val() == Turn::Listen;
        self.uart_tx.in_valid.next = self.enframe.tx_valid.val();
        self.uart_tx.in_data.next = self.enframe.tx_data.val();
        self.enframe.tx_ready.next = self.uart_tx.in_ready.val();
        self.heard.next = self.deframe.frame_end.val() & self.deframe.good.val();
        self.noise.next = self.deframe.frame_end.val() & !self.deframe.good.val();
        self.greeted.next = self.known.q.val();

        // What the header asks for. All of it stands still long before the frame ends, so registers cost nothing.
        for i in 0..5 {
            self.address_word.lane[i].next = self.head[4 + i].q.val();
        }
        self.address.next = self.address_word.word.val();
        self.count.next =
            bit_cast::<11, 8>(self.head[2].q.val()) | (bit_cast::<11, 3>(self.head[3].q.val().get_bits::<3>(0)) << 8);
        self.writes.next = self.head[0].q.val().get_bit(0);
        self.memory.next = self.head[0].q.val().get_bit(1);
        self.first.next = bit_cast::<12, 10>(self.address.val().get_bits::<10>(0));
        self.last.next = self.first.val() + bit_cast::<12, 11>(self.count.val()) - 1;
        self.length.next = self.bare.val();
        if self.writes.val() {
            self.length.next = self.bare.val() + bit_cast::<12, 11>(self.count.val());
        }
        self.fits.next = (self.last.val() < self.block.val())
            & (self.count.val() != 0)
            & (self.head[3].q.val().get_bits::<5>(3) == 0)
            & (bit_cast::<12, 11>(self.at.q.val()) == self.length.val());
        self.legal.d.next = self.fits.val()
            & (self.head[0].q.val().get_bits::<6>(2) == 0)
            & (self.memory.val()
                | ((self.address.val().get_bits::<24>(16) == 0)
                    & (self.address.val().get_bits::<2>(0) == 0)
                    & (self.count.val().get_bits::<2>(0) == 0)));
        self.is_hello.d.next = (self.head[0].q.val() == self.op_hello.val())
            & (self.count.val() == self.hello_bytes.val())
            & (self.head[3].q.val() == 0)
            & (bit_cast::<12, 11>(self.at.q.val()) == self.bare.val());
        self.last_word.next = self.last.val() >> self.word_shift.val();
        self.first_word.next = self.first.val() >> self.word_shift.val();
        self.beats.d.next = self.last_word.val().get_bits::<8>(0) - self.first_word.val().get_bits::<8>(0);

        // The buffer.
        self.buffer.clock.next = self.clk.val();
        self.buffer.read_enable.next = (self.turn.q.val() == Turn::Fetch) | (self.turn.q.val() == Turn::Load);
        self.buffer.read_address.next = bit_cast::<16, 11>(self.at.q.val());
        if self.turn.q.val() == Turn::Fetch {
            self.buffer.read_address.next = bit_cast::<16, 11>(self.at.q.val() + 9);
        }
        self.buffer.write_enable[0].next = false;
        self.buffer.write_address.next = bit_cast::<16, 11>(self.at.q.val());

        self.picked.next = self.m_axi_rdata.val() >> (bit_cast::<B, 6>(self.lane.q.val()) << 3);
        self.picked_lite.next = self.m_axil_rdata.val() >> (bit_cast::<32, 2>(self.lane.q.val().get_bits::<2>(0)) << 3);
        // The byte that comes in: of the line, of a register, of memory, of the greeting.
        self.octet.next = self.deframe.octet.val();
        self.there.next = false;
        self.bad.next = 0.into();
        if self.turn.q.val() == Turn::Greet {
            for i in 0..self._greeting {
                if self.at.q.val() == i.to_bits::<11>() {
                    self.octet.next = self.greeting[i].val();
                }
            }
        }
        if self.turn.q.val() == Turn::Pull {
            if self.memory.val() {
                self.there.next = self.m_axi_rvalid.val();
                self.bad.next = bit_cast::<8, 2>(self.m_axi_rresp.val());
                self.octet.next = self.picked.val().get_bits::<8>(0);
            } else {
                self.there.next = self.m_axil_rvalid.val();
                self.bad.next = bit_cast::<8, 2>(self.m_axil_rresp.val());
                self.octet.next = self.picked_lite.val().get_bits::<8>(0);
            }
        }
        self.buffer.write[0].next = self.octet.val();
        self.lane_last.next = (self.lane.q.val() == self.align.val()) | (self.left.q.val() == 1);
        if !self.memory.val() {
            self.lane_last.next = self.lane.q.val() == 3;
        }

        // The buses.
        self.m_axil_awaddr.next = (bit_cast::<16, 6>(self.address.val().get_bits::<6>(10)) << 10)
            | (bit_cast::<16, 8>(self.register.q.val()) << 2);
        self.m_axil_araddr.next = (bit_cast::<16, 6>(self.address.val().get_bits::<6>(10)) << 10)
            | (bit_cast::<16, 8>(self.register.q.val()) << 2);
        self.m_axil_awvalid.next = false;
        self.m_axil_wvalid.next = false;
        self.m_axil_arvalid.next = false;
        self.m_axil_bready.next = false;
        self.m_axil_rready.next = false;
        self.m_axi_awaddr.next = (self.address.val() >> self.address_shift.val()) << self.address_shift.val();
        self.m_axi_araddr.next = (self.address.val() >> self.address_shift.val()) << self.address_shift.val();
        self.m_axi_awlen.next = self.beats.q.val();
        self.m_axi_arlen.next = self.beats.q.val();
        self.m_axi_awvalid.next = false;
        self.m_axi_wvalid.next = false;
        self.m_axi_arvalid.next = false;
        self.m_axi_bready.next = false;
        self.m_axi_rready.next = false;
        self.m_axi_wlast.next = self.left.q.val() == 0;
        for i in 0..4 {
            self.lite_word.lane[i].next = self.word[i].q.val();
        }
        self.m_axil_wdata.next = self.lite_word.word.val();
        for i in 0..self._bytes {
            self.word[i].clock.next = self.clk.val();
            self.word[i].d.next = self.word[i].q.val();
            self.strobe[i].clock.next = self.clk.val();
            self.strobe[i].d.next = self.strobe[i].q.val();
            self.bus_word.lane[i].next = self.word[i].q.val();
            self.strobe_word.lane[i].next = self.strobe[i].q.val().into();
            if (self.turn.q.val() == Turn::Take) & (self.lane.q.val() == i.to_bits::<6>()) {
                self.word[i].d.next = self.buffer.read[0].val();
                self.strobe[i].d.next = true;
            }
            if (self.turn.q.val() == Turn::Check) | ((self.turn.q.val() == Turn::Push) & self.m_axi_wready.val()) {
                self.strobe[i].d.next = false;
            }
        }
        self.m_axi_wdata.next = self.bus_word.word.val();
        self.m_axi_wstrb.next = self.strobe_word.word.val();

        // The answer.
        self.has_data.next = (self.status.q.val() == 0) & !self.writes.val() & !self.damaged.q.val();
        self.enframe.in_valid.next = false;
        self.enframe.in_last.next = false;
        self.enframe.in_data.next = self.head[0].q.val();
        self.finished.next = false;
        // What the counters do: written once each, which keeps them small.
        self.step.next = false;
        self.clear.next = false;
        self.spend.next = false;
        self.shift_head.next = false;
        self.next_register.next = false;
        self.load.next = (self.turn.q.val() == Turn::Check) | (self.turn.q.val() == Turn::Status);

        match self.turn.q.val() {
            Turn::Listen => {
                self.status.d.next = 0.into();
                self.buffer.write_enable[0].next = self.deframe.octet_valid.val();
                // It stops at 2047, which is the length of no request.
                self.step.next = self.deframe.octet_valid.val() & (self.at.q.val() != 2047);
                self.shift_head.next = self.deframe.octet_valid.val() & (self.at.q.val() < 9);
                if self.deframe.frame_end.val() {
                    self.turn.d.next = Turn::Check;
                    self.damaged.d.next =
                        !self.deframe.good.val() | (bit_cast::<12, 11>(self.at.q.val()) < self.bare.val());
                }
            }
            Turn::Check => {
                self.address_gone.d.next = false;
                self.word_gone.d.next = false;
                self.clear.next = true;
                if self.damaged.q.val() {
                    self.turn.d.next = Turn::Head;
                } else if self.is_hello.q.val() {
                    self.known.d.next = true;
                    self.last_sequence.d.next = self.head[1].q.val();
                    self.turn.d.next = Turn::Greet;
                } else if !self.known.q.val() {
                    self.status.d.next = self.stranger.val();
                    self.turn.d.next = Turn::Head;
                } else if !self.legal.q.val() {
                    self.status.d.next = self.refused.val();
                    self.turn.d.next = Turn::Head;
                } else if self.writes.val() & (self.head[1].q.val() == self.last_sequence.q.val()) {
                    self.status.d.next = self.last_status.q.val();
                    self.turn.d.next = Turn::Head;
                } else {
                    self.last_sequence.d.next = self.head[1].q.val();
                    self.turn.d.next = Turn::Aim;
                }
            }
            Turn::Greet => {
                self.buffer.write_enable[0].next = true;
                self.step.next = true;
                self.finished.next = self.at.q.val() == 7;
            }
            Turn::Aim => {
                if self.memory.val() {
                    self.m_axi_awvalid.next = self.writes.val();
                    self.m_axi_arvalid.next = !self.writes.val();
                    if self.writes.val() & self.m_axi_awready.val() {
                        self.turn.d.next = Turn::Fetch;
                    }
                    if !self.writes.val() & self.m_axi_arready.val() {
                        self.turn.d.next = Turn::Pull;
                    }
                } else if self.writes.val() {
                    self.turn.d.next = Turn::Fetch;
                } else {
                    self.m_axil_arvalid.next = true;
                    if self.m_axil_arready.val() {
                        self.turn.d.next = Turn::Pull;
                    }
                }
            }
            Turn::Fetch => {
                self.turn.d.next = Turn::Take;
            }
            Turn::Take => {
                self.step.next = true;
                self.spend.next = true;
                self.turn.d.next = Turn::Fetch;
                if self.lane_last.val() {
                    self.turn.d.next = Turn::Push;
                }
            }
            Turn::Push => {
                if self.memory.val() {
                    self.m_axi_wvalid.next = true;
                    if self.m_axi_wready.val() {
                        self.turn.d.next = Turn::Fetch;
                        if self.left.q.val() == 0 {
                            self.turn.d.next = Turn::Settle;
                        }
                    }
                } else {
                    self.m_axil_awvalid.next = !self.address_gone.q.val();
                    self.m_axil_wvalid.next = !self.word_gone.q.val();
                    self.address_gone.d.next = self.address_gone.q.val() | self.m_axil_awready.val();
                    self.word_gone.d.next = self.word_gone.q.val() | self.m_axil_wready.val();
                    if self.address_gone.q.val() & self.word_gone.q.val() {
                        self.turn.d.next = Turn::Settle;
                        self.address_gone.d.next = false;
                        self.word_gone.d.next = false;
                    }
                }
            }
            Turn::Settle => {
                self.m_axi_bready.next = self.memory.val();
                self.m_axil_bready.next = !self.memory.val();
                if self.memory.val() & self.m_axi_bvalid.val() {
                    self.status.d.next = bit_cast::<8, 2>(self.m_axi_bresp.val());
                    self.last_status.d.next = bit_cast::<8, 2>(self.m_axi_bresp.val());
                    self.finished.next = true;
                }
                if !self.memory.val() & self.m_axil_bvalid.val() {
                    self.status.d.next = bit_cast::<8, 2>(self.m_axil_bresp.val());
                    self.last_status.d.next = bit_cast::<8, 2>(self.m_axil_bresp.val());
                    self.next_register.next = true;
                    self.turn.d.next = Turn::Fetch;
                    if (self.left.q.val() == 0) | (self.m_axil_bresp.val() != 0) {
                        self.finished.next = true;
                    }
                }
            }
            Turn::Pull => {
                if self.there.val() {
                    self.buffer.write_enable[0].next = true;
                    self.step.next = true;
                    self.spend.next = true;
                    // The worse of two errors is the one with the larger number.
                    if self.bad.val() > self.status.q.val() {
                        self.status.d.next = self.bad.val();
                    }
                    if self.lane_last.val() {
                        self.m_axi_rready.next = self.memory.val();
                        self.m_axil_rready.next = !self.memory.val();
                        if !self.memory.val() {
                            self.next_register.next = true;
                            self.turn.d.next = Turn::Aim;
                        }
                        if (self.left.q.val() == 1) | (!self.memory.val() & (self.bad.val() != 0)) {
                            self.finished.next = true;
                        }
                    }
                }
            }
            Turn::Head => {
                self.enframe.in_valid.next = true;
                if self.at.q.val() == 0 {
                    self.enframe.in_data.next = self.head[0].q.val() | self.answer.val();
                    if self.damaged.q.val() {
                        self.enframe.in_data.next = self.damaged_op.val();
                    }
                }
                // Once around, so the header is as before when its last byte is gone.
                self.shift_head.next = self.enframe.in_ready.val();
                self.step.next = self.enframe.in_ready.val();
                if self.enframe.in_ready.val() & (self.at.q.val() == 8) {
                    self.turn.d.next = Turn::Status;
                }
            }
            Turn::Status => {
                self.clear.next = true;
                self.enframe.in_valid.next = true;
                self.enframe.in_data.next = self.status.q.val();
                self.enframe.in_last.next = !self.has_data.val();
                if self.enframe.in_ready.val() {
                    self.turn.d.next = Turn::Listen;
                    if self.has_data.val() {
                        self.turn.d.next = Turn::Load;
                    }
                }
            }
            Turn::Load => {
                self.turn.d.next = Turn::Send;
            }
            Turn::Send => {
                self.enframe.in_valid.next = true;
                self.enframe.in_data.next = self.buffer.read[0].val();
                self.enframe.in_last.next = self.left.q.val() == 1;
                if self.enframe.in_ready.val() {
                    self.step.next = true;
                    self.spend.next = true;
                    self.turn.d.next = Turn::Load;
                    if self.left.q.val() == 1 {
                        self.clear.next = true;
                        self.turn.d.next = Turn::Listen;
                    }
                }
            }
        }
        if self.step.val() {
            self.at.d.next = self.at.q.val() + 1;
        }
        if self.clear.val() | self.finished.val() {
            self.at.d.next = 0.into();
        }
        if self.finished.val() {
            self.turn.d.next = Turn::Head;
        }
        if self.spend.val() {
            self.left.d.next = self.left.q.val() - 1;
            // Only as many bits as the bus needs: the mask makes the others constant.
            self.lane.d.next = (self.lane.q.val() + 1) & self.align.val();
            if self.lane_last.val() {
                self.lane.d.next = 0.into();
            }
        }
        if self.next_register.val() {
            self.register.d.next = self.register.q.val() + 1;
        }
        if self.load.val() {
            self.left.d.next = self.count.val();
            self.register.d.next = self.address.val().get_bits::<8>(2);
            self.lane.d.next = 0.into();
            if self.memory.val() {
                self.lane.d.next = self.address.val().get_bits::<6>(0) & self.align.val();
            }
        }
        for i in 0..self._head {
            self.head[i].clock.next = self.clk.val();
            self.head[i].d.next = self.head[i].q.val();
        }
        if self.shift_head.val() {
            for i in 0..self._head_less_1 {
                self.head[i].d.next = self.head[i + 1].q.val();
            }
            self.head[8].d.next = self.head[0].q.val();
            if self.turn.q.val() == Turn::Listen {
                self.head[8].d.next = self.deframe.octet.val();
            }
        }
        if self.rst.val() {
            self.turn.d.next = Turn::Listen;
            self.at.d.next = 0.into();
            self.known.d.next = false;
        }
    }
}
