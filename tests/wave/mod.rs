// SPDX-License-Identifier: Apache-2.0
//! Waveforms read by somebody else: `wellen`, the reader of the viewer Surfer, for VCD and FST alike.

#![allow(dead_code)] // No test uses all of it.

use std::collections::BTreeMap;
use std::path::Path;
use wellen::simple::{Waveform, read};
use wellen::{SignalRef, SignalValueRef, VarRef};

/// A waveform with the changes of the signals that were asked for.
pub struct Read {
    wave: Waveform,
    signals: BTreeMap<String, SignalRef>,
}

/// A signal over time: bits as characters, or the text itself.
pub struct Signal(Vec<(u64, String)>);

impl Read {
    pub fn file(path: &Path) -> Read {
        let wave = read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let hierarchy = wave.hierarchy();
        let named = |var: VarRef| (hierarchy[var].full_name(hierarchy), hierarchy[var].signal_ref());
        let signals = hierarchy.all_vars().map(named).collect();
        Read { wave, signals }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.signals.keys().map(String::as_str)
    }

    /// First and last time in the file.
    pub fn span(&self) -> (u64, u64) {
        let times = self.wave.time_table();
        (times[0], *times.last().expect("there are times"))
    }

    pub fn signal(&mut self, path: &str) -> Signal {
        let id = *self.signals.get(path).unwrap_or_else(|| panic!("no {path}"));
        self.wave.load_signals(&[id]);
        let times = self.wave.time_table();
        let signal = self.wave.get_signal(id).expect("it was loaded");
        let value = |value: SignalValueRef| match value {
            SignalValueRef::String(text) => text.to_owned(),
            other => other.to_bit_string().expect("it is of bits"),
        };
        Signal(signal.iter_changes().map(|(at, change)| (times[at as usize], value(change))).collect())
    }

    /// A text of the group: a string in VCD, eight bits per character in FST.
    pub fn text(&mut self, path: &str) -> Signal {
        let Signal(changes) = self.signal(path);
        let is_bits = |text: &str| text.len() == 8 * sim::dump::TEXT_BYTES;
        let text = |text: String| if is_bits(&text) { characters(&text) } else { text };
        Signal(changes.into_iter().map(|(time, change)| (time, text(change))).collect())
    }
}

fn characters(bits: &str) -> String {
    let bytes = bits.as_bytes().chunks(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | (bit & 1)));
    bytes.filter(|&byte| byte != 0).map(char::from).collect()
}

impl Signal {
    /// The value at a time, changes at that very time included.
    pub fn at(&self, time: u64) -> &str {
        let Signal(changes) = self;
        let before = changes.partition_point(|(when, _)| *when <= time);
        &changes[before.checked_sub(1).expect("it has a value by then")].1
    }

    /// The number at a time; `None` for z.
    pub fn number(&self, time: u64) -> Option<u64> {
        u64::from_str_radix(self.at(time), 2).ok()
    }

    /// When its first value stands, which the file has from the first cycle of its window on; x is none.
    pub fn begin(&self) -> u64 {
        self.first(|value| !value.contains('x')).expect("it has a value")
    }

    /// The first time with this value.
    pub fn first(&self, wanted: impl Fn(&str) -> bool) -> Option<u64> {
        self.0.iter().find(|(_, value)| wanted(value)).map(|(time, _)| *time)
    }

    pub fn changes(&self) -> usize {
        self.0.len()
    }
}
