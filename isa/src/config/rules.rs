// SPDX-License-Identifier: Apache-2.0
//! The legality rules of a [`Config`], each with the sentence a user reads when it is broken.

use super::Config;
use crate::dtype::DtypeSet;
use std::fmt;

/// Bytes of UB: a multiple of this and of a line of L1, at most [`UB_MOST`].
const UB_UNIT: usize = 1 << 10;
/// The largest UB.
const UB_MOST: usize = 1 << 20;

/// Why a configuration is illegal, or unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// No core has this name.
    UnknownName {
        /// The name asked for.
        name: String,
    },
    /// The name of the core cannot be shown by the device page.
    BadName {
        /// The name given.
        name: String,
    },
    /// A size is not a power of two between two bounds.
    BadSize {
        /// Field of [`Config`].
        field: &'static str,
        /// Its value.
        value: usize,
        /// Lowest legal value.
        lowest: usize,
        /// Highest legal value.
        highest: usize,
    },
    /// A size is larger than another one allows.
    TooLarge {
        /// Field of [`Config`].
        field: &'static str,
        /// Its value.
        value: usize,
        /// Highest value that the other fields allow.
        limit: usize,
        /// Where the limit comes from.
        because: &'static str,
    },
    /// The fetch FIFO cannot hold two bus words.
    FetchTooSmall {
        /// `fetch_bytes`.
        fetch_bytes: usize,
        /// `bus_bytes`.
        bus_bytes: usize,
    },
    /// UB is neither absent nor whole lines.
    BadUb {
        /// `ub_bytes`.
        ub_bytes: usize,
        /// What it must be a multiple of.
        unit: usize,
    },
    /// A dtype set other than the one this version builds.
    BadDtypes {
        /// The dtypes asked for.
        dtypes: DtypeSet,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::UnknownName { name } => {
                write!(f, "unknown core `{name}`: choose one of {}", Config::NAMES.join(", "))
            }
            ConfigError::BadName { name } => {
                write!(f, "core name {name:?} must be 1 to 16 printable ascii characters")
            }
            ConfigError::BadSize { field, value, lowest, highest } => {
                write!(f, "{field} is {value} but must be a power of two from {lowest} to {highest}")
            }
            ConfigError::TooLarge { field, value, limit, because } => {
                write!(f, "{field} is {value} but may be at most {limit}: {because}")
            }
            ConfigError::FetchTooSmall { fetch_bytes, bus_bytes } => write!(
                f,
                "fetch_bytes is {fetch_bytes} but must be at least {}, two words of the {bus_bytes}-byte bus",
                2 * bus_bytes
            ),
            ConfigError::BadUb { ub_bytes, unit } => {
                write!(f, "ub_bytes is {ub_bytes} but must be 0 or a multiple of {unit} up to {UB_MOST}")
            }
            ConfigError::BadDtypes { dtypes } => {
                let names: Vec<&str> = dtypes.iter().map(|dtype| dtype.name()).collect();
                write!(f, "dtypes are {{{}}} but this version builds exactly {{s8, u8, int32, fp32}}", names.join(", "))
            }
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Checks every rule of the field documentation.
    ///
    /// *Errors*: the first rule broken, in the order of the fields.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let printable = self.name.bytes().all(|byte| byte.is_ascii_graphic());
        if !printable || self.name.is_empty() || self.name.len() > 16 {
            return Err(ConfigError::BadName { name: self.name.clone() });
        }
        let sizes = [
            // M0 and N0 divide the 16 rows of a fractal, K0 its 32 bytes: that is what makes programs portable.
            ("m0", self.m0, 2, 16),
            ("k0", self.k0, 4, 32),
            ("n0", self.n0, 2, 16),
            ("l1_bytes", self.l1_bytes, 4 << 10, 16 << 20),
            ("l0a_bytes", self.l0a_bytes, 1 << 10, 1 << 20),
            ("l0b_bytes", self.l0b_bytes, 1 << 10, 1 << 20),
            ("l0c_bytes", self.l0c_bytes, 2 << 10, 4 << 20),
            ("fix_lanes", self.fix_lanes, 1, 64),
            ("outstanding", self.outstanding, 1, 64),
            ("bus_bytes", self.bus_bytes, 4, 64),
            ("queue_len", self.queue_len, 2, 64),
            ("fetch_bytes", self.fetch_bytes, 64, 4096),
            ("fb_channels", self.fb_channels, 16, 4096),
        ];
        for (field, value, lowest, highest) in sizes {
            if !value.is_power_of_two() || value < lowest || value > highest {
                return Err(ConfigError::BadSize { field, value, lowest, highest });
            }
        }
        let at_most = |field, value, limit, because| {
            if value > limit { Err(ConfigError::TooLarge { field, value, limit, because }) } else { Ok(()) }
        };
        let line = self.m0.max(self.n0) * self.k0;
        let words = 1 << 16;
        at_most("l1_bytes", self.l1_bytes, words * line, "a bank of l1 has at most 65536 words")?;
        at_most("ub_bytes", self.ub_bytes, words * line, "a bank of ub has at most 65536 words")?;
        at_most("l0a_bytes", self.l0a_bytes, words * self.m0 * self.k0, "l0a has at most 65536 m0 x k0 blocks")?;
        at_most("l0b_bytes", self.l0b_bytes, words * self.n0 * self.k0, "l0b has at most 65536 n0 x k0 blocks")?;
        at_most("l0c_bytes", self.l0c_bytes, words * 4 * self.m0 * self.n0, "l0c has at most 65536 m0 x n0 blocks")?;
        // A word of 64 bytes may come in two pieces.
        at_most(
            "bus_bytes",
            self.bus_bytes.min(32),
            line,
            "a bus word must fit one line of l1, max(m0, n0) x k0 bytes",
        )?;
        at_most("fix_lanes", self.fix_lanes, self.m0 * self.n0, "fix takes its lanes from one m0 x n0 block")?;
        at_most("fix_lanes", self.fix_lanes, self.bus_bytes, "more results than bus bytes cannot leave in one cycle")?;
        at_most("dsp_mults", self.dsp_mults, self.peak_macs(), "the cube has m0 x k0 x n0 multipliers")?;
        if self.fetch_bytes < 2 * self.bus_bytes {
            return Err(ConfigError::FetchTooSmall { fetch_bytes: self.fetch_bytes, bus_bytes: self.bus_bytes });
        }
        let unit = line.max(UB_UNIT);
        if !self.ub_bytes.is_multiple_of(unit) || self.ub_bytes > UB_MOST {
            return Err(ConfigError::BadUb { ub_bytes: self.ub_bytes, unit });
        }
        if self.dtypes != DtypeSet::VERSION_1 {
            return Err(ConfigError::BadDtypes { dtypes: self.dtypes });
        }
        Ok(())
    }
}
