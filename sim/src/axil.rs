// SPDX-License-Identifier: Apache-2.0
//! An AXI4-Lite master: one read and one write at a time, with random delays on every channel.
//!
//! It speaks the structs of [`crate::bus`] with bursts of one beat, so the same [`crate::Monitor`] watches it.

use crate::bus::{Address, AxiIn, AxiOut, INCR, Resp};
use crate::chance::Chance;

/// An access on its way. Each channel waits its own number of cycles first.
#[derive(Debug, Clone, Copy)]
struct Transfer {
    address_delay: u64,
    data_delay: u64,
    answer_delay: u64,
    address_done: bool,
    data_done: bool,
}

/// The master. Start an access, call [`AxilDriver::clock`] every cycle, take the result.
#[derive(Debug)]
pub struct AxilDriver {
    out: AxiOut,
    write: Option<Transfer>,
    read: Option<Transfer>,
    write_result: Option<Resp>,
    read_result: Option<(u32, Resp)>,
    chance: Chance,
    draws: u64,
    max_delay: u64,
}

impl AxilDriver {
    /// A master that delays each channel by 0 to `max_delay` cycles, at random from `seed`.
    #[must_use]
    pub fn new(seed: u64, max_delay: u32) -> AxilDriver {
        AxilDriver {
            out: AxiOut::default(),
            write: None,
            read: None,
            write_result: None,
            read_result: None,
            chance: Chance::new(seed, 7, 0.5),
            draws: 0,
            max_delay: u64::from(max_delay),
        }
    }

    /// What the master drives in this cycle.
    #[must_use]
    #[inline]
    pub fn out(&self) -> &AxiOut {
        &self.out
    }

    /// True if no access is on its way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.write.is_none() && self.read.is_none()
    }

    /// Begins to write the bytes of `value` whose bit in `strb` is set. `addr` is a multiple of 4.
    ///
    /// # Panics
    /// If a write is on its way already.
    pub fn start_write(&mut self, addr: u32, value: u32, strb: u8) {
        assert!(self.write.is_none(), "one write at a time");
        self.write = Some(self.transfer());
        self.write_result = None;
        self.out.aw = single(addr);
        self.out.w.data[..4].copy_from_slice(&value.to_le_bytes());
        self.out.w.strb = u64::from(strb & 15);
        self.out.w.last = true;
        self.raise();
    }

    /// Begins to read the word at `addr`, a multiple of 4.
    ///
    /// # Panics
    /// If a read is on its way already.
    pub fn start_read(&mut self, addr: u32) {
        assert!(self.read.is_none(), "one read at a time");
        self.read = Some(self.transfer());
        self.read_result = None;
        self.out.ar = single(addr);
        self.raise();
    }

    /// The response of the last write, once.
    pub fn take_write(&mut self) -> Option<Resp> {
        self.write_result.take()
    }

    /// The word and response of the last read, once.
    pub fn take_read(&mut self) -> Option<(u32, Resp)> {
        self.read_result.take()
    }

    /// Forgets accesses on their way, as a reset does.
    pub fn reset(&mut self) {
        self.out = AxiOut::default();
        (self.write, self.read, self.write_result, self.read_result) = (None, None, None, None);
    }

    /// One rising edge: `input` is what the slave drove while [`AxilDriver::out`] was applied.
    #[inline]
    pub fn clock(&mut self, input: &AxiIn) {
        if self.is_idle() {
            return;
        }
        let out = &mut self.out;
        if let Some(write) = &mut self.write {
            if out.aw_valid && input.aw_ready {
                (out.aw_valid, write.address_done) = (false, true);
            }
            if out.w_valid && input.w_ready {
                (out.w_valid, write.data_done) = (false, true);
            }
            write.address_delay = write.address_delay.saturating_sub(1);
            write.data_delay = write.data_delay.saturating_sub(1);
            if input.b_valid && out.b_ready {
                out.b_ready = false;
                self.write_result = Some(input.b.resp);
                self.write = None;
            } else if input.b_valid {
                write.answer_delay = write.answer_delay.saturating_sub(1);
            }
        }
        if let Some(read) = &mut self.read {
            if out.ar_valid && input.ar_ready {
                (out.ar_valid, read.address_done) = (false, true);
            }
            read.address_delay = read.address_delay.saturating_sub(1);
            if input.r_valid && out.r_ready {
                out.r_ready = false;
                let word = u32::from_le_bytes([input.r.data[0], input.r.data[1], input.r.data[2], input.r.data[3]]);
                self.read_result = Some((word, input.r.resp));
                self.read = None;
            } else if input.r_valid {
                read.answer_delay = read.answer_delay.saturating_sub(1);
            }
        }
        self.raise();
    }

    /// Raises what has waited long enough.
    fn raise(&mut self) {
        let out = &mut self.out;
        if let Some(write) = self.write {
            out.aw_valid |= !write.address_done && write.address_delay == 0;
            out.w_valid |= !write.data_done && write.data_delay == 0;
            out.b_ready |= write.answer_delay == 0;
        }
        if let Some(read) = self.read {
            out.ar_valid |= !read.address_done && read.address_delay == 0;
            out.r_ready |= read.answer_delay == 0;
        }
    }

    fn transfer(&mut self) -> Transfer {
        let mut delay = || {
            self.draws += 1;
            self.chance.below(self.draws, self.max_delay + 1)
        };
        Transfer {
            address_delay: delay(),
            data_delay: delay(),
            answer_delay: delay(),
            address_done: false,
            data_done: false,
        }
    }
}

/// An access of one word.
fn single(addr: u32) -> Address {
    Address { addr: u64::from(addr), size: 2, burst: INCR, ..Address::default() }
}
