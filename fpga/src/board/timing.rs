// SPDX-License-Identifier: Apache-2.0
//! The times that an SDR SDRAM asks for, in cycles of a clock.

/// Limits of a chip of 4 banks x 8192 rows x 512 columns x 16 bits, 32 MiB. Times in nanoseconds.
///
/// *Source*: the slowest of the grades -7 and -75 in the data sheets of the chips that ULX3S boards carry (MT48LC16M16A2, AS4C16M16SA, IS42S16160,
/// W9825G6): a controller that keeps these suits all of them.
pub mod chip {
    /// ACTIVE to READ or WRITE.
    pub const RCD_NS: f64 = 20.0;
    /// PRECHARGE to ACTIVE or REFRESH.
    pub const RP_NS: f64 = 20.0;
    /// ACTIVE to PRECHARGE.
    pub const RAS_NS: f64 = 45.0;
    /// ACTIVE to ACTIVE of the same bank.
    pub const RC_NS: f64 = 67.5;
    /// REFRESH to anything.
    pub const RFC_NS: f64 = 67.5;
    /// ACTIVE to ACTIVE of another bank.
    pub const RRD_NS: f64 = 15.0;
    /// Last written word to PRECHARGE; at least 2 cycles.
    pub const WR_NS: f64 = 15.0;
    /// LOAD MODE to anything, in cycles.
    pub const MRD_CYCLES: u32 = 2;
    /// Stable clock before the first command.
    pub const POWER_UP_NS: f64 = 200_000.0;
    /// 8192 rows in 64 ms.
    pub const REFRESH_NS: f64 = 7_812.5;
    /// READ to data, in cycles; 2 up to 100 MHz.
    pub const CAS_CYCLES: u32 = 2;
    /// Fastest clock at that latency.
    pub const CLOCK_HZ_MAX: u32 = 100_000_000;
    /// Clock to data of a read, at most.
    pub const ACCESS_NS: f64 = 6.0;
    /// Clock to the end of the data before.
    pub const HOLD_NS: f64 = 2.7;
}

/// What a register, its pad and the wire to the chip delay, one way: 4 ns out, 2 ns in, as `nextpnr` and the ECP5 data sheet (FPGA-DS-02012)
/// have them for LVCMOS33 without input delay, within a nanosecond.
const OUT_NS: f64 = 4.0;
const IN_NS: f64 = 2.0;

/// Those times in cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Cycles before the first command.
    pub power_up: u32,
    /// ACTIVE to READ or WRITE.
    pub rcd: u32,
    /// PRECHARGE to the next command.
    pub rp: u32,
    /// ACTIVE to PRECHARGE, long enough that [`chip::RC_NS`] is kept too.
    pub ras: u32,
    /// REFRESH to the next command.
    pub rfc: u32,
    /// WRITE to PRECHARGE.
    pub wr: u32,
    /// From one REFRESH to the wish for the next, less what may come before it.
    pub refresh: u32,
    /// Half cycles from the edge that puts READ on the pins to the one that takes its data: 4 and 6 are rising edges, 5 is a falling one.
    pub capture_halves: u32,
}

impl Timing {
    /// The times at this clock.
    ///
    /// Panics outside 5 MHz to [`chip::CLOCK_HZ_MAX`].
    #[must_use]
    pub fn at(clock_hz: u32) -> Timing {
        assert!(
            (5_000_000..=chip::CLOCK_HZ_MAX).contains(&clock_hz),
            "an SDRAM runs at 5 to 100 MHz here, not {clock_hz} Hz"
        );
        let period = 1e9 / f64::from(clock_hz);
        // A hair less, so that an exact multiple is not rounded up.
        let cycles = |ns: f64| (ns / period - 1e-9).ceil().max(1.0) as u32;
        let rp = cycles(chip::RP_NS);
        let ras = cycles(chip::RAS_NS.max(chip::RC_NS - f64::from(rp) * period));
        let (rcd, rfc, wr) = (cycles(chip::RCD_NS), cycles(chip::RFC_NS), cycles(chip::WR_NS).max(2));
        let before = rcd + ras + wr + rp + 4;
        // The chip's clock is the board's, inverted: it sees READ half a cycle after it is on its way, and the middle of the data is here.
        let middle = OUT_NS
            + IN_NS
            + period * (0.5 + f64::from(chip::CAS_CYCLES) - 0.5)
            + (chip::ACCESS_NS + chip::HOLD_NS) / 2.0;
        Timing {
            power_up: cycles(chip::POWER_UP_NS),
            rcd,
            rp,
            ras,
            rfc,
            wr,
            refresh: (chip::REFRESH_NS / period) as u32 - before,
            capture_halves: ((middle / period * 2.0).round() as u32).clamp(4, 6),
        }
    }

    /// Cycles from READ on the pins to its data in the register behind them.
    #[must_use]
    pub fn read_cycles(&self) -> u32 {
        self.capture_halves.div_ceil(2)
    }
}
