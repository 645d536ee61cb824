// SPDX-License-Identifier: Apache-2.0
//! The transactions of the memory bus by name, as its monitor sees them.

use crate::bus::{Address, AxiIn, AxiOut};
use crate::record::requester;
use std::collections::VecDeque;

/// A burst on its way, and its beats so far.
#[derive(Debug, Clone, Copy)]
struct Underway {
    address: Address,
    beats: u32,
}

/// What the five channels carry in one cycle; `None` without valid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Channels {
    /// AR, R, AW, W, B.
    pub(crate) texts: [Option<String>; 5],
}

/// Names of the channels, in the order of [`Channels`].
pub(crate) const CHANNELS: [&str; 5] = ["ar", "r", "aw", "w", "b"];

/// The bursts that are open.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    reading: VecDeque<Underway>,
    writing: VecDeque<Underway>,
    unanswered: VecDeque<Underway>,
    /// W may come before its AW: beats of it, and whether it is whole.
    ahead: VecDeque<(u32, bool)>,
}

impl Traffic {
    /// Looks at one cycle; with `told` in words.
    pub(crate) fn sample(&mut self, answer: &AxiIn, ask: &AxiOut, told: bool) -> Channels {
        let channels = match told {
            true => Channels {
                texts: [
                    ar(answer, ask),
                    self.r(answer, ask),
                    aw(answer, ask),
                    self.w(answer, ask),
                    self.b(answer, ask),
                ],
            },
            false => Channels::default(),
        };
        self.advance(answer, ask);
        channels
    }

    fn r(&self, answer: &AxiIn, ask: &AxiOut) -> Option<String> {
        let burst = self.reading.iter().find(|burst| burst.address.id == answer.r.id);
        answer.r_valid.then(|| beat("R", burst, answer.r.id, ask.r_ready))
    }

    fn w(&self, answer: &AxiIn, ask: &AxiOut) -> Option<String> {
        // With its address it belongs to that.
        let beside = Underway { address: ask.aw, beats: self.ahead.front().map_or(0, |&(beats, _)| beats) };
        let beside = (ask.aw_valid && self.ahead.len() < 2).then_some(&beside);
        ask.w_valid.then(|| match self.writing.front().or(beside) {
            Some(burst) => beat("W", Some(burst), burst.address.id, answer.w_ready),
            None => format!("W before its address{}", waits(answer.w_ready)),
        })
    }

    fn b(&self, answer: &AxiIn, ask: &AxiOut) -> Option<String> {
        let burst = self.unanswered.iter().find(|burst| burst.address.id == answer.b.id);
        answer.b_valid.then(|| {
            let address = burst.map_or_else(String::new, |burst| format!(" {:#x}", burst.address.addr));
            format!("B{address} {:?} id {}{}", answer.b.resp, answer.b.id, waits(ask.b_ready))
        })
    }

    fn advance(&mut self, answer: &AxiIn, ask: &AxiOut) {
        if answer.b_valid
            && ask.b_ready
            && let Some(at) = self.unanswered.iter().position(|burst| burst.address.id == answer.b.id)
        {
            self.unanswered.remove(at);
        }
        if answer.r_valid
            && ask.r_ready
            && let Some(at) = self.reading.iter().position(|burst| burst.address.id == answer.r.id)
        {
            self.reading[at].beats += 1;
            if answer.r.last {
                self.reading.remove(at);
            }
        }
        if ask.w_valid && answer.w_ready {
            match self.writing.front_mut() {
                Some(burst) => burst.beats += 1,
                None => match self.ahead.back_mut().filter(|(_, whole)| !whole) {
                    Some((beats, _)) => *beats += 1,
                    None => self.ahead.push_back((1, false)),
                },
            }
            if ask.w.last {
                match self.writing.pop_front() {
                    Some(burst) => self.unanswered.push_back(burst),
                    None => self.ahead.iter_mut().for_each(|(_, whole)| *whole = true),
                }
            }
        }
        if ask.aw_valid && answer.aw_ready {
            match self.ahead.pop_front() {
                Some((beats, true)) => self.unanswered.push_back(Underway { address: ask.aw, beats }),
                Some((beats, false)) => self.writing.push_back(Underway { address: ask.aw, beats }),
                None => self.writing.push_back(Underway { address: ask.aw, beats: 0 }),
            }
        }
        if ask.ar_valid && answer.ar_ready {
            self.reading.push_back(Underway { address: ask.ar, beats: 0 });
        }
    }
}

fn ar(answer: &AxiIn, ask: &AxiOut) -> Option<String> {
    ask.ar_valid.then(|| address("AR", false, &ask.ar, answer.ar_ready))
}

fn aw(answer: &AxiIn, ask: &AxiOut) -> Option<String> {
    ask.aw_valid.then(|| address("AW", true, &ask.aw, answer.aw_ready))
}

/// `AR 0x1000 16 beats id 3 mte2`.
fn address(channel: &str, write: bool, address: &Address, ready: bool) -> String {
    let Address { addr, id, .. } = address;
    let (beats, by) = (address.beats(), requester(write, *id));
    let s = if beats == 1 { "" } else { "s" };
    format!("{channel} {addr:#x} {beats} beat{s} id {id} {by}{}", waits(ready))
}

/// `R 0x1010 beat 2 of 16 id 3`.
fn beat(channel: &str, burst: Option<&Underway>, id: u32, ready: bool) -> String {
    match burst {
        Some(Underway { address, beats }) => {
            let (at, all) = (address.beat_addr(*beats), address.beats());
            format!("{channel} {at:#x} beat {} of {all} id {id}{}", beats + 1, waits(ready))
        }
        None => format!("{channel} id {id}, nobody asked{}", waits(ready)),
    }
}

fn waits(ready: bool) -> &'static str {
    if ready { "" } else { " waits" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::INCR;

    #[test]
    fn a_read_and_a_write_are_told_from_address_to_answer() {
        let address = |addr, id| Address { addr, id, len: 1, size: 4, burst: INCR, ..Address::default() };
        let mut traffic = Traffic::default();
        let mut told = |answer: AxiIn, ask: AxiOut| {
            let texts = traffic.sample(&answer, &ask, true).texts;
            texts.into_iter().flatten().collect::<Vec<_>>()
        };
        let (quiet, none) = (AxiOut::default(), AxiIn::default());
        let asks = AxiOut { ar_valid: true, ar: address(0x1008, 3), ..quiet };
        assert_eq!(told(none, asks), ["AR 0x1008 2 beats id 3 mte2 waits"]);
        let writes = AxiOut { aw_valid: true, aw: address(0x2000, 0), w_valid: true, ..asks };
        let ready = AxiIn { ar_ready: true, aw_ready: true, w_ready: true, ..none };
        assert_eq!(
            told(ready, writes),
            ["AR 0x1008 2 beats id 3 mte2", "AW 0x2000 2 beats id 0 fix", "W 0x2000 beat 1 of 2 id 0"]
        );
        let mut last = AxiOut { w_valid: true, r_ready: true, b_ready: true, ..quiet };
        last.w.last = true;
        let mut answer = AxiIn { r_valid: true, w_ready: true, ..none };
        answer.r.id = 3;
        assert_eq!(told(answer, last), ["R 0x1008 beat 1 of 2 id 3", "W 0x2010 beat 2 of 2 id 0"]);
        answer.r.last = true;
        answer.b_valid = true;
        last.w_valid = false;
        assert_eq!(told(answer, last), ["R 0x1010 beat 2 of 2 id 3", "B 0x2000 Okay id 0"]);
        assert_eq!(told(answer, last), ["R id 3, nobody asked", "B Okay id 0"]);
    }
}
