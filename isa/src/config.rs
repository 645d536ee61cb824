// SPDX-License-Identifier: Apache-2.0
//! A core as a value: every size that may differ between cores, its legality rules, and the named cores.
//!
//! | core | cube M0 x K0 x N0 | L1 / L0A / L0B / L0C / UB KiB | FIX lanes | outstanding | bus |
//! |---|---|---|---|---|---|
//! | `tiny` | 4 x 4 x 4 | 16 / 8 / 8 / 32 / 4 | 2 | 8 | 8 B |
//! | `lite` | 4 x 16 x 4 | 128 / 32 / 32 / 32 / 32 | 8 | 16 | 16 B |
//! | `max` | 16 x 32 x 16 | 512 / 64 / 64 / 128 / 192 | 64 | 64 | 64 B |

mod rules;

pub use rules::ConfigError;

use crate::dtype::DtypeSet;
use crate::inst::Rounding;
use crate::limits::{
    FRACTAL_BYTES, FRACTAL_ROW_BYTES, FRACTAL_ROWS, ISA_VERSION, L0C_FRACTAL_BYTES, L0C_FRACTAL_COLUMNS,
};

/// Every size of one core. The fields are public so that a user can start from a named core and change one;
/// [`Config::checked`] or [`Config::validate`] then says whether the combination is legal, and everything that builds a
/// core calls it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// 1 to 16 printable ASCII characters; shown by the device page, not part of [`Config::hash`].
    pub name: String,
    /// Rows of A that one cube step takes: 2, 4, 8 or 16.
    pub m0: usize,
    /// Bytes of k that one cube step takes: 4, 8, 16 or 32.
    pub k0: usize,
    /// Columns of B that one cube step takes: 2, 4, 8 or 16.
    pub n0: usize,
    /// Bytes of L1: a power of two, 4 KiB to 16 MiB.
    pub l1_bytes: usize,
    /// Bytes of int8 data in L0A (512 per fractal): a power of two, 1 KiB to 1 MiB.
    pub l0a_bytes: usize,
    /// Bytes of int8 data in L0B (512 per fractal): a power of two, 1 KiB to 1 MiB.
    pub l0b_bytes: usize,
    /// Bytes of L0C (1024 per fractal): a power of two, 2 KiB to 4 MiB.
    pub l0c_bytes: usize,
    /// Bytes of UB: 0, a core without UB, on which every access to it traps as unsupported; or a multiple of 1 KiB up to 1 MiB.
    pub ub_bytes: usize,
    /// Results that FIX requantises per cycle: a power of two, at most M0 x N0 and at most `bus_bytes`.
    pub fix_lanes: usize,
    /// AXI transactions in flight per direction: a power of two, 1 to 64.
    pub outstanding: usize,
    /// Bytes of the GM bus: 4, 8, 16, 32 or 64; at most max(M0, N0) x K0 unless that is 32 or more. The only size that is fixed at
    /// compile time in the hardware source.
    pub bus_bytes: usize,
    /// Instructions that each pipe's queue holds: a power of two, 2 to 64.
    pub queue_len: usize,
    /// Bytes of the instruction fetch FIFO: a power of two, 64 to 4096 and at least two bus words.
    pub fetch_bytes: usize,
    /// How many of the M0 x K0 x N0 products use FPGA multiplier blocks; the others become LUT row multipliers. MTE1 takes one block and FIX four per
    /// lane beside these: 28 in all on an ECP5-25F (`tiny`), 156 on an 85F (`lite`).
    pub dsp_mults: usize,
    /// Channels of FB, each bias 32, scale 32, shift 8, zero point 9 bit: a power of two, 16 to 4096.
    pub fb_channels: usize,
    /// The dtypes that the core has. This version builds exactly s8, u8 and int32.
    pub dtypes: DtypeSet,
}

impl Config {
    /// The names that [`Config::named`] knows, smallest core first.
    pub const NAMES: [&'static str; 3] = ["tiny", "lite", "max"];

    /// 64 int8 MAC per cycle, for ECP5-25F and GW2A-18 boards.
    pub fn tiny() -> Config {
        Config {
            name: "tiny".into(),
            m0: 4,
            k0: 4,
            n0: 4,
            l1_bytes: 16 << 10,
            l0a_bytes: 8 << 10,
            l0b_bytes: 8 << 10,
            l0c_bytes: 32 << 10,
            ub_bytes: 4 << 10,
            fix_lanes: 2,
            outstanding: 8,
            bus_bytes: 8,
            queue_len: 8,
            fetch_bytes: 256,
            dsp_mults: 19,
            fb_channels: 512,
            dtypes: DtypeSet::VERSION_1,
        }
    }

    /// 256 int8 MAC per cycle, for ECP5-85F boards; the default everywhere.
    pub fn lite() -> Config {
        Config {
            name: "lite".into(),
            m0: 4,
            k0: 16,
            n0: 4,
            l1_bytes: 128 << 10,
            l0a_bytes: 32 << 10,
            l0b_bytes: 32 << 10,
            l0c_bytes: 32 << 10,
            ub_bytes: 32 << 10,
            fix_lanes: 8,
            outstanding: 16,
            bus_bytes: 16,
            queue_len: 16,
            fetch_bytes: 1024,
            dsp_mults: 123,
            fb_channels: 512,
            dtypes: DtypeSet::VERSION_1,
        }
    }

    /// 8192 int8 MAC per cycle, the class of one 910B AI core; for simulation.
    pub fn max() -> Config {
        Config {
            name: "max".into(),
            m0: 16,
            k0: 32,
            n0: 16,
            l1_bytes: 512 << 10,
            l0a_bytes: 64 << 10,
            l0b_bytes: 64 << 10,
            l0c_bytes: 128 << 10,
            ub_bytes: 192 << 10,
            fix_lanes: 64,
            outstanding: 64,
            bus_bytes: 64,
            queue_len: 16,
            fetch_bytes: 1024,
            dsp_mults: 8192,
            fb_channels: 512,
            dtypes: DtypeSet::VERSION_1,
        }
    }

    /// The named core.
    ///
    /// *Errors*: [`ConfigError::UnknownName`] with the names there are.
    pub fn named(name: &str) -> Result<Config, ConfigError> {
        match name {
            "tiny" => Ok(Config::tiny()),
            "lite" => Ok(Config::lite()),
            "max" => Ok(Config::max()),
            _ => Err(ConfigError::UnknownName { name: name.into() }),
        }
    }

    /// A legal configuration that is small enough to simulate: at most 1024 MAC per cycle, L1 8 to 64 KiB, L0A and L0B 1 to
    /// 16 KiB, L0C 2 to 32 KiB, UB none or 1 to 16 KiB, bus 8 to 64 bytes.
    ///
    /// `next` gives uniform 64-bit numbers; the same numbers give the same configuration.
    pub fn random(mut next: impl FnMut() -> u64) -> Config {
        loop {
            let mut power =
                |lowest: u32, highest: u32| 1usize << (lowest as u64 + next() % u64::from(highest - lowest + 1));
            let (m0, k0, n0) = (power(1, 4), power(2, 5), power(1, 4));
            let config = Config {
                name: "random".into(),
                m0,
                k0,
                n0,
                l1_bytes: power(13, 16),
                l0a_bytes: power(10, 14),
                l0b_bytes: power(10, 14),
                l0c_bytes: power(11, 15),
                // 512 counts as none.
                ub_bytes: power(9, 14) >> 10 << 10,
                fix_lanes: power(0, 4),
                outstanding: power(0, 5),
                bus_bytes: power(3, 6),
                queue_len: power(1, 5),
                fetch_bytes: power(6, 10),
                dsp_mults: next() as usize % (m0 * k0 * n0 + 1),
                fb_channels: 512,
                dtypes: DtypeSet::VERSION_1,
            };
            if config.peak_macs() <= 1024 && config.validate().is_ok() {
                return config;
            }
        }
    }

    /// Checks every rule and gives the configuration back.
    ///
    /// *Errors*: as [`Config::validate`].
    pub fn checked(self) -> Result<Config, ConfigError> {
        self.validate()?;
        Ok(self)
    }

    /// int8 multiply-accumulates per cube step: M0 x K0 x N0.
    pub fn peak_macs(&self) -> usize {
        self.m0 * self.k0 * self.n0
    }

    /// Fractals (16 rows x 32 B) in L0A.
    pub fn l0a_fractals(&self) -> usize {
        self.l0a_bytes / FRACTAL_BYTES
    }

    /// Fractals (16 rows x 32 B) in L0B.
    pub fn l0b_fractals(&self) -> usize {
        self.l0b_bytes / FRACTAL_BYTES
    }

    /// Fractals (16 x 16 int32) in L0C.
    pub fn l0c_fractals(&self) -> usize {
        self.l0c_bytes / L0C_FRACTAL_BYTES
    }

    /// M0 x K0 blocks in one L0A fractal.
    pub fn l0a_blocks_per_fractal(&self) -> usize {
        (FRACTAL_ROWS / self.m0) * (FRACTAL_ROW_BYTES / self.k0)
    }

    /// N0 x K0 blocks in one L0B fractal.
    pub fn l0b_blocks_per_fractal(&self) -> usize {
        (FRACTAL_ROWS / self.n0) * (FRACTAL_ROW_BYTES / self.k0)
    }

    /// M0 x N0 blocks in one L0C fractal.
    pub fn l0c_blocks_per_fractal(&self) -> usize {
        (FRACTAL_ROWS / self.m0) * (L0C_FRACTAL_COLUMNS / self.n0)
    }

    /// Bytes of one M0 x K0 block of A.
    pub fn a_block_bytes(&self) -> usize {
        self.m0 * self.k0
    }

    /// Bytes of one N0 x K0 block of B.
    pub fn b_block_bytes(&self) -> usize {
        self.n0 * self.k0
    }

    /// Cube steps that an int8 product of this shape takes: every block used counts whole.
    pub fn cube_steps(&self, m: usize, n: usize, k_bytes: usize) -> u64 {
        m.div_ceil(self.m0) as u64 * n.div_ceil(self.n0) as u64 * k_bytes.div_ceil(self.k0) as u64
    }

    /// True if the core has this rounding mode. Every core of this version has all three.
    pub fn has_rounding(&self, mode: Rounding) -> bool {
        matches!(mode, Rounding::Onnx | Rounding::Tflite | Rounding::Gemmlowp)
    }

    /// The CSR `features`: bit `code` for each rounding mode that the core has.
    pub fn features(&self) -> u32 {
        Rounding::ALL.iter().filter(|&&mode| self.has_rounding(mode)).map(|&mode| 1 << mode as u32).sum()
    }

    /// The build id that the CSR `build_hash` shows: FNV-1a, 32 bits (offset basis 0x811c9dc5, prime 0x01000193), over
    /// these 32-bit little-endian numbers in order: ISA version, m0, k0, n0, l1, l0a, l0b, l0c and ub bytes, FIX lanes,
    /// outstanding, bus bytes, queue length, fetch bytes, dsp_mults, FB channels, dtype bits. The name is not part of it.
    pub fn hash(&self) -> u32 {
        let numbers = [
            ISA_VERSION,
            self.m0 as u32,
            self.k0 as u32,
            self.n0 as u32,
            self.l1_bytes as u32,
            self.l0a_bytes as u32,
            self.l0b_bytes as u32,
            self.l0c_bytes as u32,
            self.ub_bytes as u32,
            self.fix_lanes as u32,
            self.outstanding as u32,
            self.bus_bytes as u32,
            self.queue_len as u32,
            self.fetch_bytes as u32,
            self.dsp_mults as u32,
            self.fb_channels as u32,
            self.dtypes.bits(),
        ];
        numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    }
}
