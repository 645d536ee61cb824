// SPDX-License-Identifier: Apache-2.0
//! The boards that the flow builds for: their chip, what the chip holds, their clock, pins and name at openFPGALoader.

use super::harness::Harness;
use isa::Config;
use rtl::prim::prelude::Block;
use rtl::target::Target;
use rtl::top::Core;

/// An FPGA and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chip {
    /// Name by its maker.
    pub name: &'static str,
    /// Its cells.
    pub target: Target,
    /// How nextpnr knows it.
    pub arguments: &'static [&'static str],
    /// Look-up tables of four inputs.
    pub luts: usize,
    /// Flip-flops.
    pub flip_flops: usize,
    /// Block RAMs of 18 Kbit.
    pub block_rams: usize,
    /// Multiplier blocks.
    pub multipliers: usize,
}

/// A board.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Board {
    /// The word on the command line, of its file of constraints and of its reports.
    pub name: &'static str,
    /// What it is, for a list.
    pub about: &'static str,
    /// The FPGA.
    pub chip: Chip,
    /// Core that is built if no other is asked for.
    pub core: &'static str,
    /// The port of the clock.
    pub clock: &'static str,
    /// Its frequency in MHz, which every build has to meet.
    pub clock_mhz: f64,
    /// Pins, as nextpnr reads them.
    pub constraints: &'static str,
    /// Its name at openFPGALoader.
    pub loader: &'static str,
}

const LFE5U_85F: Chip = Chip {
    name: "LFE5U-85F",
    target: Target::Ecp5,
    arguments: &["--85k", "--package", "CABGA381", "--speed", "6"],
    luts: 83_640,
    flip_flops: 83_640,
    block_rams: 208,
    multipliers: 156,
};

const LFE5U_25F: Chip = Chip {
    name: "LFE5U-25F",
    target: Target::Ecp5,
    arguments: &["--25k", "--package", "CABGA381", "--speed", "6"],
    luts: 24_288,
    flip_flops: 24_288,
    block_rams: 56,
    multipliers: 28,
};

impl Board {
    /// Every board, the default first.
    pub const ALL: [Board; 2] = [
        Board {
            name: "ulx3s-85f",
            about: "ULX3S with a Lattice ECP5 LFE5U-85F, speed grade 6",
            chip: LFE5U_85F,
            core: "lite",
            clock: "clk_25mhz",
            clock_mhz: 25.0,
            constraints: include_str!("../../../constraints/ulx3s-85f.lpf"),
            loader: "ulx3s",
        },
        Board {
            name: "ulx3s-25f",
            about: "ULX3S with a Lattice ECP5 LFE5U-25F, speed grade 6",
            chip: LFE5U_25F,
            core: "tiny",
            clock: "clk_25mhz",
            clock_mhz: 25.0,
            constraints: include_str!("../../../constraints/ulx3s-25f.lpf"),
            loader: "ulx3s",
        },
    ];

    /// The board of this name.
    pub fn named(name: &str) -> Option<&'static Board> {
        const { &Self::ALL }.iter().find(|board| board.name == name)
    }

    /// What is built for it: a core of `config` between shift registers that keep every port.
    ///
    /// *Errors*: the sentence why the configuration is illegal.
    pub fn top(&self, config: &Config) -> Result<Box<dyn Block>, isa::ConfigError> {
        config.validate()?;
        let mut top: Box<dyn Block> = match config.bus_bytes {
            4 => Box::new(Harness::new(Core::<32, 4>::new(config, false))),
            8 => Box::new(Harness::new(Core::<64, 8>::new(config, false))),
            16 => Box::new(Harness::new(Core::<128, 16>::new(config, false))),
            32 => Box::new(Harness::new(Core::<256, 32>::new(config, false))),
            64 => Box::new(Harness::new(Core::<512, 64>::new(config, false))),
            other => unreachable!("a legal bus has 4 to 64 bytes, not {other}"),
        };
        top.connect_all();
        Ok(top)
    }
}
