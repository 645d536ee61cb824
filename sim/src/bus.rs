// SPDX-License-Identifier: Apache-2.0
//! The signals of an AXI4 bus in one clock cycle, as plain values. AXI4-Lite is the same with bursts of one beat.
//!
//! The words `In` and `Out` are those of the design, which is the master of `m_axi_*`.

/// Widest data bus, in bytes (512 bit).
pub const MAX_BUS_BYTES: usize = 64;

/// The byte lanes of one beat; lane 0 is the lowest address. Lanes beyond the bus width are not looked at.
pub type Lanes = [u8; MAX_BUS_BYTES];

/// AxBURST of a burst whose address rises.
pub const INCR: u8 = 1;

/// What AW and AR carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Address {
    /// AxID.
    pub id: u32,
    /// AxADDR, byte address of the first beat.
    pub addr: u64,
    /// AxLEN: beats minus one.
    pub len: u8,
    /// AxSIZE: a beat has 2^size bytes.
    pub size: u8,
    /// AxBURST: 0 FIXED, 1 INCR, 2 WRAP.
    pub burst: u8,
    /// AxLOCK: exclusive access.
    pub lock: bool,
    /// AxCACHE.
    pub cache: u8,
    /// AxPROT.
    pub prot: u8,
    /// AxQOS.
    pub qos: u8,
}

impl Address {
    /// Beats of the burst.
    #[must_use]
    pub fn beats(&self) -> u32 {
        u32::from(self.len) + 1
    }

    /// Bytes of one beat.
    #[must_use]
    pub fn beat_bytes(&self) -> u64 {
        1 << self.size
    }

    /// Address of beat `index`, as the protocol computes it: the first as given, later ones aligned to the beat, WRAP around its boundary.
    #[must_use]
    pub fn beat_addr(&self, index: u32) -> u64 {
        let bytes = self.beat_bytes();
        let aligned = self.addr & !(bytes - 1);
        match self.burst {
            0 => self.addr,
            2 => {
                let span = bytes * u64::from(self.beats());
                let base = self.addr / span * span;
                base + (self.addr - base + u64::from(index) * bytes) % span
            }
            _ if index == 0 => self.addr,
            _ => aligned + u64::from(index) * bytes,
        }
    }

    /// Addresses that the burst touches, from the first to one past the last.
    #[must_use]
    pub fn span(&self) -> (u64, u64) {
        let bytes = self.beat_bytes();
        let aligned = self.addr & !(bytes - 1);
        match self.burst {
            0 => (self.addr, aligned + bytes),
            2 => {
                let span = bytes * u64::from(self.beats());
                let base = self.addr / span * span;
                (base, base + span)
            }
            _ => (self.addr, aligned + bytes * u64::from(self.beats())),
        }
    }

    /// Byte lanes of a bus of `bus_bytes` that beat `index` may use, as a mask.
    #[must_use]
    pub fn lanes(&self, index: u32, bus_bytes: usize) -> u64 {
        let addr = self.beat_addr(index);
        let end = (addr & !(self.beat_bytes() - 1)) + self.beat_bytes();
        let word = addr & !(bus_bytes as u64 - 1);
        mask((end - word).min(bus_bytes as u64)) & !mask(addr - word)
    }
}

/// The lowest `count` bits.
#[must_use]
#[inline]
pub fn mask(count: u64) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

/// What W carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteBeat {
    /// WDATA.
    pub data: Lanes,
    /// WSTRB: bit i says that lane i is to be written.
    pub strb: u64,
    /// WLAST.
    pub last: bool,
}

/// What R carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadBeat {
    /// RID.
    pub id: u32,
    /// RDATA.
    pub data: Lanes,
    /// RRESP.
    pub resp: Resp,
    /// RLAST.
    pub last: bool,
}

/// What B carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteAnswer {
    /// BID.
    pub id: u32,
    /// BRESP.
    pub resp: Resp,
}

/// xRESP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resp {
    /// Success.
    #[default]
    Okay,
    /// Success of an exclusive access.
    ExOkay,
    /// The slave refused.
    SlvErr,
    /// There is no slave.
    DecErr,
}

impl Resp {
    /// The two bits on the bus.
    #[must_use]
    pub fn bits(self) -> u64 {
        self as u64
    }

    /// From the two bits on the bus; higher bits are ignored.
    #[must_use]
    pub fn from_bits(bits: u64) -> Resp {
        [Resp::Okay, Resp::ExOkay, Resp::SlvErr, Resp::DecErr][(bits & 3) as usize]
    }

    /// True for SLVERR and DECERR.
    #[must_use]
    pub fn is_error(self) -> bool {
        matches!(self, Resp::SlvErr | Resp::DecErr)
    }
}

/// What the master drives. A payload only means something while its valid is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AxiOut {
    /// AWVALID.
    pub aw_valid: bool,
    /// The write address.
    pub aw: Address,
    /// WVALID.
    pub w_valid: bool,
    /// The write data.
    pub w: WriteBeat,
    /// BREADY.
    pub b_ready: bool,
    /// ARVALID.
    pub ar_valid: bool,
    /// The read address.
    pub ar: Address,
    /// RREADY.
    pub r_ready: bool,
}

/// What the slave drives. A payload only means something while its valid is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AxiIn {
    /// AWREADY.
    pub aw_ready: bool,
    /// WREADY.
    pub w_ready: bool,
    /// BVALID.
    pub b_valid: bool,
    /// The write response.
    pub b: WriteAnswer,
    /// ARREADY.
    pub ar_ready: bool,
    /// RVALID.
    pub r_valid: bool,
    /// The read data.
    pub r: ReadBeat,
}

impl Default for WriteBeat {
    fn default() -> WriteBeat {
        WriteBeat { data: [0; MAX_BUS_BYTES], strb: 0, last: false }
    }
}

impl Default for ReadBeat {
    fn default() -> ReadBeat {
        ReadBeat { id: 0, data: [0; MAX_BUS_BYTES], resp: Resp::Okay, last: false }
    }
}

impl Default for AxiOut {
    /// Nothing valid, nothing ready.
    fn default() -> AxiOut {
        AxiOut {
            aw_valid: false,
            aw: Address::default(),
            w_valid: false,
            w: WriteBeat::default(),
            b_ready: false,
            ar_valid: false,
            ar: Address::default(),
            r_ready: false,
        }
    }
}

impl Default for AxiIn {
    /// Nothing valid, nothing ready.
    fn default() -> AxiIn {
        AxiIn {
            aw_ready: false,
            w_ready: false,
            b_valid: false,
            b: WriteAnswer::default(),
            ar_ready: false,
            r_valid: false,
            r: ReadBeat::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_follow_the_protocols_address_arithmetic() {
        let incr = Address { addr: 0x1005, len: 3, size: 2, burst: INCR, ..Address::default() };
        assert_eq!([0, 1, 3].map(|i| incr.beat_addr(i)), [0x1005, 0x1008, 0x1010]);
        assert_eq!(incr.span(), (0x1005, 0x1014));
        assert_eq!((incr.lanes(0, 16), incr.lanes(1, 16)), (0b1110_0000, 0xF00));
        let wrap = Address { addr: 0x1018, len: 3, size: 3, burst: 2, ..Address::default() };
        assert_eq!([0, 1, 2].map(|i| wrap.beat_addr(i)), [0x1018, 0x1000, 0x1008]);
        assert_eq!(wrap.span(), (0x1000, 0x1020));
        let fixed = Address { addr: 0x2004, len: 7, size: 2, burst: 0, ..Address::default() };
        assert_eq!((fixed.beat_addr(5), fixed.span()), (0x2004, (0x2004, 0x2008)));
        let full = Address { addr: 0x40, len: 0, size: 6, burst: INCR, ..Address::default() };
        assert_eq!(full.lanes(0, 64), u64::MAX);
    }
}
