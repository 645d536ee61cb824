// SPDX-License-Identifier: Apache-2.0
//! Places: in a program, and in global memory.

use super::command::Refused;
use crate::cli;
use isa::limits::{GM_ADDRESS_BITS, INSTRUCTION_BYTES};

/// An instruction, as a user names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// By its program counter.
    Pc(u64),
    /// By its number in the program, from 0 on.
    Instruction(u64),
    /// By its line in the source.
    Line(u64),
}

impl Place {
    /// `0x60`, `@3` or `:12`.
    pub fn parse(word: &str) -> Refused<Place> {
        if let Some(index) = word.strip_prefix('@') {
            return Ok(Place::Instruction(number(index)?));
        }
        match word.strip_prefix(':') {
            Some(line) => Ok(Place::Line(number(line)?)),
            None => Ok(Place::Pc(number(word)?)),
        }
    }

    /// Its program counter in a program of `count` instructions; `line` tells the line of each, if the program was text.
    pub fn pc(self, count: usize, line: impl Fn(usize) -> Option<usize>) -> Refused<u32> {
        let size = INSTRUCTION_BYTES as u64;
        let last = (count as u64 - 1) * size;
        let found = match self {
            Place::Pc(pc) => (pc % size == 0).then_some(pc / size),
            Place::Instruction(index) => Some(index),
            Place::Line(wanted) => {
                if line(0).is_none() {
                    return Err(
                        "the program was not read from text, so it has no lines: name a program counter".to_owned()
                    );
                }
                (0..count)
                    .find(|&index| line(index).is_some_and(|line| line as u64 >= wanted))
                    .map(|index| index as u64)
            }
        };
        found.filter(|&index| index < count as u64).map(|index| (index * size) as u32).ok_or_else(|| match self {
            Place::Pc(pc) => {
                format!("there is no instruction at {pc:#x}: program counters are multiples of 32 up to {last:#x}")
            }
            Place::Instruction(index) => format!("there is no instruction {index}: the last one is {}", count - 1),
            Place::Line(line) => format!("there is no instruction in line {line} or behind it"),
        })
    }
}

/// A number as people write it.
pub fn number(word: &str) -> Refused<u64> {
    cli::number(word).map_err(|_| format!("`{word}` is no number: write 96, 0x60 or 4Ki"))
}

/// An address of global memory: a number, or a base register with an offset.
pub fn address(word: &str, bases: &[u64]) -> Refused<u64> {
    let based = word.strip_prefix('b').and_then(|rest| rest.strip_suffix(']')?.split_once('['));
    let address = match based {
        Some((register, offset)) => {
            let index = register.parse::<usize>().ok();
            let base = index.filter(|&index| index < isa::limits::BASES);
            let base = base.ok_or_else(|| format!("`{word}` names no base register: they are b0 to b15"))?;
            bases.get(base).copied().unwrap_or(0).wrapping_add(number(offset)?)
        }
        None => number(word)?,
    };
    if address >> GM_ADDRESS_BITS != 0 {
        return Err(format!("`{word}` is outside global memory: an address has {GM_ADDRESS_BITS} bits"));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_name_instructions() {
        let lines = [4, 7, 9];
        let pc = |word: &str| Place::parse(word).and_then(|place| place.pc(3, |index| lines.get(index).copied()));
        for (word, expected) in [("0x40", 64), ("0", 0), ("@1", 32), (":7", 32), (":8", 64), (":1", 0)] {
            assert_eq!(pc(word), Ok(expected), "{word}");
        }
        for (word, wanted) in [
            ("0x41", "multiples of 32 up to 0x40"),
            ("96", "no instruction at"),
            ("@3", "the last one is 2"),
            (":10", "line 10"),
        ] {
            assert!(pc(word).expect_err(word).contains(wanted), "{word}");
        }
        assert!(Place::Line(4).pc(3, |_| None).is_err_and(|error| error.contains("no lines")));
    }

    #[test]
    fn addresses_have_bases() {
        assert_eq!(address("b1[0x20]", &[5, 0x1000]), Ok(0x1020));
        assert_eq!(address("4Ki", &[]), Ok(4096));
        for word in ["b16[0]", "c0[1]", "b0[x]", "0x10000000000"] {
            assert!(address(word, &[0; 16]).is_err(), "{word}");
        }
    }
}
