// SPDX-License-Identifier: Apache-2.0
//! Board tops: a core with its global memory, a host on a serial line, lamps and reset, on one clock. Page: `docs/board.md`.
//!
//! | board | memory | wrapper |
//! |---|---|---|
//! | [`Board::Ulx3s`] | 32 MiB SDRAM | PLL, tri-state wires and clock of the SDRAM (`pads`) |
//! | [`Board::Bare`] | block RAM | none: clock, reset, serial line and lamps as they are |
//!
//! ```text
//!  uart ◄──► link ──AXI4-Lite──► core ──AXI4──► share ──► block_ram or sdram
//!              └────────AXI4───────────────────────┘
//! ```

mod block_ram;
mod crc32;
mod frame;
mod link;
mod pads;
mod sdram;
mod share;
mod timing;
mod top;
mod uart;

pub use block_ram::BlockRam;
pub use crc32::Crc32;
pub use frame::{Deframe, Enframe};
pub use link::Link;
pub use pads::{SIMULATED_CELLS, pll};
pub use sdram::{SDRAM_BITS, Sdram};
pub use share::Share;
pub use timing::{Timing, chip};
pub use top::Top;
pub use uart::{DIVIDER_MAX, DIVIDER_MIN, UartRx, UartTx};

use isa::{Config, ConfigError};
use rtl::emit::{Design, EmitError, emit};
use rust_hdl::prelude::Block;
use std::fmt;

/// Which board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    /// ULX3S by Radiona: ECP5, 32 MiB SDRAM, FT231X, 8 lamps.
    Ulx3s,
    /// Any board or chip: memory in block RAM, nothing of a vendor.
    Bare,
}

/// What global memory is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// 2^`bits` bytes of block RAM: 4 KiB to 65,536 words.
    Block {
        /// log2 of the bytes.
        bits: u32,
    },
    /// An SDR SDRAM of 32 MiB and 16 bits.
    Sdram,
}

/// Clock, serial line and memory of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Clock of everything, in Hz.
    pub clock_hz: u32,
    /// Bits per second of the serial line.
    pub baud: u32,
    /// Global memory.
    pub memory: Memory,
}

/// Why there is no such board.
#[derive(Clone, Debug, PartialEq)]
pub enum BoardError {
    /// The core is illegal.
    Config(ConfigError),
    /// The clock cannot make this baud rate within 2 %.
    Baud {
        /// The rate asked for.
        baud: u32,
        /// The clock.
        clock_hz: u32,
    },
    /// The clock is outside what SDRAM or PLL can do.
    Clock {
        /// The clock asked for.
        clock_hz: u32,
        /// Why not.
        reason: &'static str,
    },
    /// Block RAM of this size cannot be built.
    MemoryBits {
        /// log2 of the bytes asked for.
        bits: u32,
    },
    /// The board has another memory.
    WrongMemory,
    /// The design cannot be printed.
    Emit(EmitError),
}

impl fmt::Display for BoardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BoardError::Config(error) => write!(f, "the core cannot be built: {error}"),
            BoardError::Baud { baud, clock_hz } => write!(
                f,
                "a clock of {clock_hz} Hz cannot make {baud} baud within 2 %: take a rate that divides it into {DIVIDER_MIN} to {DIVIDER_MAX}"
            ),
            BoardError::Clock { clock_hz, reason } => write!(f, "a clock of {clock_hz} Hz is not possible: {reason}"),
            BoardError::MemoryBits { bits } => {
                write!(f, "a memory of 2^{bits} bytes is not possible in block RAM: take 4 KiB to 65,536 bus words")
            }
            BoardError::WrongMemory => {
                f.write_str("ULX3S has its SDRAM as global memory, and other boards have block RAM")
            }
            BoardError::Emit(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BoardError {}

impl Settings {
    /// Those of a board that nobody changed: 50 MHz and SDRAM on ULX3S, 25 MHz and 32 KiB of block RAM elsewhere, 1 Mbaud.
    #[must_use]
    pub fn of(board: Board) -> Settings {
        match board {
            Board::Ulx3s => Settings { clock_hz: 50_000_000, baud: 1_000_000, memory: Memory::Sdram },
            Board::Bare => Settings { clock_hz: 25_000_000, baud: 1_000_000, memory: Memory::Block { bits: 15 } },
        }
    }

    /// Cycles per bit of the serial line.
    #[must_use]
    pub fn divider(&self) -> usize {
        ((f64::from(self.clock_hz) / f64::from(self.baud.max(1))).round() as usize).max(1)
    }

    fn check(&self, config: &Config) -> Result<(), BoardError> {
        config.validate().map_err(BoardError::Config)?;
        let Settings { clock_hz, baud, .. } = *self;
        let made = f64::from(clock_hz) / self.divider() as f64;
        let off = (made / f64::from(baud) - 1.0).abs();
        if !(DIVIDER_MIN..=DIVIDER_MAX).contains(&self.divider()) || off.is_nan() || off > 0.02 {
            return Err(BoardError::Baud { baud, clock_hz });
        }
        match self.memory {
            Memory::Sdram if !(5_000_000..=chip::CLOCK_HZ_MAX).contains(&clock_hz) => {
                Err(BoardError::Clock { clock_hz, reason: "the SDRAM runs at 5 to 100 MHz" })
            }
            Memory::Block { bits } if !(12..=22).contains(&bits) || (1 << bits) / config.bus_bytes > 65_536 => {
                Err(BoardError::MemoryBits { bits })
            }
            _ => Ok(()),
        }
    }
}

/// The board of `config` without its wrapper, whatever its bus, connected: clock and pins as ports.
///
/// *Errors*: [`BoardError`] with what cannot be.
pub fn top(config: &Config, settings: &Settings) -> Result<Box<dyn Block>, BoardError> {
    settings.check(config)?;
    let mut top: Box<dyn Block> = match config.bus_bytes {
        4 => Box::new(Top::<32, 4>::new(config, settings)),
        8 => Box::new(Top::<64, 8>::new(config, settings)),
        16 => Box::new(Top::<128, 16>::new(config, settings)),
        32 => Box::new(Top::<256, 32>::new(config, settings)),
        64 => Box::new(Top::<512, 64>::new(config, settings)),
        other => unreachable!("a legal bus has 4 to 64 bytes, not {other}"),
    };
    top.connect_all();
    Ok(top)
}

/// The whole board as Verilog: for ULX3S the module `ulx3s` with the board's pins, for others the module `board`.
///
/// *Errors*: [`BoardError`] with what cannot be.
pub fn design(board: Board, config: &Config, settings: &Settings) -> Result<Design, BoardError> {
    if (board == Board::Ulx3s) != (settings.memory == Memory::Sdram) {
        return Err(BoardError::WrongMemory);
    }
    let design = emit(&*top(config, settings)?, "board").map_err(BoardError::Emit)?;
    match board {
        Board::Ulx3s => pads::ulx3s(design, settings.clock_hz),
        Board::Bare => Ok(design),
    }
}
