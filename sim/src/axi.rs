// SPDX-License-Identifier: Apache-2.0
//! From ports to plain values and back: an AXI4 master bus and an AXI4-Lite slave bus of a design, found by the prefix of their names.
//!
//! Widths are taken from the port table and checked once. Per cycle, payloads are copied only while their valid is high; what the design is shown
//! without a valid is garbage.

use verilated::{Direction, Dut, Model, Port};

use crate::bus::{Address, AxiIn, AxiOut, MAX_BUS_BYTES, Resp};
use crate::error::{Error, Result};

/// What stands on a payload while nothing is valid; a design that looks at it fails its test.
const GARBAGE: u8 = 0xA5;

/// Looks up the ports of one bus and checks directions and widths.
struct Finder<'a> {
    model: &'a Model,
    prefix: &'a str,
    /// Direction of what the master of the bus drives, seen from the design.
    master: Direction,
}

impl Finder<'_> {
    fn refuse<T>(&self, reason: String) -> Result<T> {
        Err(Error::Ports { prefix: self.prefix.to_owned(), reason })
    }

    fn find(&self, name: &str, by_master: bool, bits: Option<u32>) -> Result<Option<Port>> {
        let full = format!("{}{name}", self.prefix);
        let Some(info) = self.model.ports().iter().find(|port| port.name == full) else { return Ok(None) };
        let wanted = if by_master == (self.master == Direction::Output) { Direction::Output } else { Direction::Input };
        if info.direction != wanted {
            return self.refuse(format!("{info} has the wrong direction"));
        }
        if let Some(bits) = bits.filter(|bits| *bits != info.bits) {
            return self.refuse(format!("{info} should have {bits} bits"));
        }
        Ok(Some(self.model.port(&full)?))
    }

    /// A port that has to be there, driven by the master of the bus (`true`) or by its slave.
    fn need(&self, name: &str, by_master: bool, bits: Option<u32>) -> Result<Port> {
        match self.find(name, by_master, bits)? {
            Some(port) => Ok(port),
            None => self.refuse(format!("there is no `{}{name}`", self.prefix)),
        }
    }
}

/// The ports of AW or AR.
struct AddressPorts {
    valid: Port,
    ready: Port,
    addr: Port,
    len: Port,
    size: Port,
    burst: Port,
    id: Option<Port>,
    lock: Option<Port>,
    cache: Option<Port>,
    prot: Option<Port>,
    qos: Option<Port>,
}

impl AddressPorts {
    fn find(finder: &Finder<'_>, channel: &str) -> Result<AddressPorts> {
        let need = |name: &str, bits| finder.need(&format!("{channel}{name}"), true, bits);
        let maybe = |name: &str, bits| finder.find(&format!("{channel}{name}"), true, bits);
        let addr = need("addr", None)?;
        if addr.bits() > 64 {
            return finder.refuse(format!("an address of {} bits is too wide", addr.bits()));
        }
        Ok(AddressPorts {
            valid: need("valid", Some(1))?,
            ready: finder.need(&format!("{channel}ready"), false, Some(1))?,
            addr,
            len: need("len", Some(8))?,
            size: need("size", Some(3))?,
            burst: need("burst", Some(2))?,
            id: maybe("id", None)?,
            lock: maybe("lock", Some(1))?,
            cache: maybe("cache", Some(4))?,
            prot: maybe("prot", Some(3))?,
            qos: maybe("qos", Some(4))?,
        })
    }

    #[inline]
    fn sample(&self, dut: &Dut) -> Address {
        let optional = |port: Option<Port>| port.map_or(0, |port| dut.get(port));
        Address {
            id: optional(self.id) as u32,
            addr: dut.get(self.addr),
            len: dut.get(self.len) as u8,
            size: dut.get(self.size) as u8,
            burst: dut.get(self.burst) as u8,
            lock: optional(self.lock) != 0,
            cache: optional(self.cache) as u8,
            prot: optional(self.prot) as u8,
            qos: optional(self.qos) as u8,
        }
    }
}

/// The AXI4 master bus of a design.
pub struct AxiPorts {
    aw: AddressPorts,
    ar: AddressPorts,
    w_valid: Port,
    w_ready: Port,
    w_data: Port,
    w_strb: Port,
    w_last: Port,
    b_valid: Port,
    b_ready: Port,
    b_resp: Port,
    b_id: Option<Port>,
    r_valid: Port,
    r_ready: Port,
    r_data: Port,
    r_resp: Port,
    r_last: Port,
    r_id: Option<Port>,
    bus_bytes: usize,
    id_bits: u32,
    shown: [bool; 2],
}

impl AxiPorts {
    /// The bus whose port names begin with `prefix` (`m_axi_`). ID, lock, cache, prot and qos may be absent.
    ///
    /// # Errors
    /// [`Error::Ports`] if a port is missing, has the wrong direction or width, or the data bus is not 32, 64, 128, 256 or 512 bit.
    pub fn bind(model: &Model, prefix: &str) -> Result<AxiPorts> {
        let finder = Finder { model, prefix, master: Direction::Output };
        let w_data = finder.need("wdata", true, None)?;
        let bits = w_data.bits();
        if !matches!(bits, 32 | 64 | 128 | 256 | 512) {
            return finder.refuse(format!("a data bus of {bits} bits is none: it is 32, 64, 128, 256 or 512"));
        }
        let aw = AddressPorts::find(&finder, "aw")?;
        let id_bits = aw.id.map_or(0, Port::bits);
        if id_bits > 32 {
            return finder.refuse(format!("an ID of {id_bits} bits is too wide"));
        }
        let id = |name: &str, by_master| finder.find(name, by_master, (id_bits != 0).then_some(id_bits));
        let ids = [id("arid", true)?, id("bid", false)?, id("rid", false)?];
        if ids.iter().any(|port| port.is_some() != (id_bits != 0)) {
            return finder.refuse("some of awid, arid, bid and rid are there and some are not".to_owned());
        }
        let [_, b_id, r_id] = ids;
        let (one, two) = (Some(1), Some(2));
        Ok(AxiPorts {
            aw,
            ar: AddressPorts::find(&finder, "ar")?,
            w_valid: finder.need("wvalid", true, one)?,
            w_ready: finder.need("wready", false, one)?,
            w_data,
            w_strb: finder.need("wstrb", true, Some(bits / 8))?,
            w_last: finder.need("wlast", true, one)?,
            b_valid: finder.need("bvalid", false, one)?,
            b_ready: finder.need("bready", true, one)?,
            b_resp: finder.need("bresp", false, two)?,
            b_id,
            r_valid: finder.need("rvalid", false, one)?,
            r_ready: finder.need("rready", true, one)?,
            r_data: finder.need("rdata", false, Some(bits))?,
            r_resp: finder.need("rresp", false, two)?,
            r_last: finder.need("rlast", false, one)?,
            r_id,
            bus_bytes: bits as usize / 8,
            id_bits,
            shown: [true; 2],
        })
    }

    /// Width of the data bus in bytes.
    #[must_use]
    pub fn bus_bytes(&self) -> usize {
        self.bus_bytes
    }

    /// Width of the IDs in bits; 0 if there are none.
    #[must_use]
    pub fn id_bits(&self) -> u32 {
        self.id_bits
    }

    /// Sets the inputs of the design.
    #[inline]
    pub fn drive(&mut self, dut: &mut Dut, input: &AxiIn) {
        dut.set(self.aw.ready, u64::from(input.aw_ready));
        dut.set(self.w_ready, u64::from(input.w_ready));
        dut.set(self.ar.ready, u64::from(input.ar_ready));
        dut.set(self.b_valid, u64::from(input.b_valid));
        dut.set(self.r_valid, u64::from(input.r_valid));
        if input.b_valid {
            dut.set(self.b_resp, input.b.resp.bits());
            if let Some(port) = self.b_id {
                dut.set(port, u64::from(input.b.id));
            }
        } else if self.shown[0] {
            dut.set(self.b_resp, 3);
        }
        if input.r_valid {
            dut.bytes_mut(self.r_data).copy_from_slice(&input.r.data[..self.bus_bytes]);
            dut.set(self.r_resp, input.r.resp.bits());
            dut.set(self.r_last, u64::from(input.r.last));
            if let Some(port) = self.r_id {
                dut.set(port, u64::from(input.r.id));
            }
        } else if self.shown[1] {
            dut.bytes_mut(self.r_data).fill(GARBAGE);
            dut.set(self.r_resp, 3);
            dut.set(self.r_last, 1);
        }
        self.shown = [input.b_valid, input.r_valid];
    }

    /// Reads the outputs of the design; payloads only where valid.
    #[inline]
    pub fn sample(&self, dut: &Dut, out: &mut AxiOut) {
        out.b_ready = dut.get(self.b_ready) != 0;
        out.r_ready = dut.get(self.r_ready) != 0;
        out.aw_valid = dut.get(self.aw.valid) != 0;
        out.ar_valid = dut.get(self.ar.valid) != 0;
        out.w_valid = dut.get(self.w_valid) != 0;
        if out.aw_valid {
            out.aw = self.aw.sample(dut);
        }
        if out.ar_valid {
            out.ar = self.ar.sample(dut);
        }
        if out.w_valid {
            out.w.data[..self.bus_bytes].copy_from_slice(dut.bytes(self.w_data));
            out.w.strb = dut.get(self.w_strb);
            out.w.last = dut.get(self.w_last) != 0;
        }
    }
}

/// The AXI4-Lite slave bus of a design: 32-bit data, addresses of at most 32 bits.
pub struct LitePorts {
    aw: [Port; 3],
    aw_prot: Option<Port>,
    w: [Port; 4],
    b: [Port; 3],
    ar: [Port; 3],
    ar_prot: Option<Port>,
    r: [Port; 4],
}

impl LitePorts {
    /// The bus whose port names begin with `prefix` (`s_axil_`). The prot signals may be absent.
    ///
    /// # Errors
    /// [`Error::Ports`] if a port is missing or has the wrong direction or width.
    pub fn bind(model: &Model, prefix: &str) -> Result<LitePorts> {
        let finder = Finder { model, prefix, master: Direction::Input };
        let need = |name, by_master, bits| finder.need(name, by_master, Some(bits));
        let addresses = [finder.need("awaddr", true, None)?, finder.need("araddr", true, None)?];
        if addresses.iter().any(|port| port.bits() > 32) {
            return finder.refuse("an address is wider than 32 bits".to_owned());
        }
        Ok(LitePorts {
            aw: [need("awvalid", true, 1)?, need("awready", false, 1)?, addresses[0]],
            aw_prot: finder.find("awprot", true, Some(3))?,
            w: [need("wvalid", true, 1)?, need("wready", false, 1)?, need("wdata", true, 32)?, need("wstrb", true, 4)?],
            b: [need("bvalid", false, 1)?, need("bready", true, 1)?, need("bresp", false, 2)?],
            ar: [need("arvalid", true, 1)?, need("arready", false, 1)?, addresses[1]],
            ar_prot: finder.find("arprot", true, Some(3))?,
            r: [
                need("rvalid", false, 1)?,
                need("rready", true, 1)?,
                need("rdata", false, 32)?,
                need("rresp", false, 2)?,
            ],
        })
    }

    /// Sets the inputs of the design; addresses are cut to the width of the port.
    #[inline]
    pub fn drive(&self, dut: &mut Dut, out: &AxiOut) {
        let garbage = u64::from_le_bytes([GARBAGE; 8]);
        for (ports, prot, valid, address) in
            [(&self.aw, self.aw_prot, out.aw_valid, &out.aw), (&self.ar, self.ar_prot, out.ar_valid, &out.ar)]
        {
            dut.set(ports[0], u64::from(valid));
            let addr = if valid { address.addr } else { garbage };
            dut.set(ports[2], addr & crate::bus::mask(u64::from(ports[2].bits())));
            if let Some(port) = prot {
                dut.set(port, u64::from(address.prot & 7));
            }
        }
        dut.set(self.w[0], u64::from(out.w_valid));
        let word = u32::from_le_bytes([out.w.data[0], out.w.data[1], out.w.data[2], out.w.data[3]]);
        dut.set(self.w[2], if out.w_valid { u64::from(word) } else { garbage & 0xFFFF_FFFF });
        dut.set(self.w[3], if out.w_valid { out.w.strb & 15 } else { 15 });
        dut.set(self.b[1], u64::from(out.b_ready));
        dut.set(self.r[1], u64::from(out.r_ready));
    }

    /// Reads the outputs of the design, as a bus whose bursts have one beat.
    #[inline]
    pub fn sample(&self, dut: &Dut, input: &mut AxiIn) {
        input.aw_ready = dut.get(self.aw[1]) != 0;
        input.w_ready = dut.get(self.w[1]) != 0;
        input.ar_ready = dut.get(self.ar[1]) != 0;
        input.b_valid = dut.get(self.b[0]) != 0;
        input.r_valid = dut.get(self.r[0]) != 0;
        if input.b_valid {
            input.b.resp = Resp::from_bits(dut.get(self.b[2]));
        }
        if input.r_valid {
            input.r.data[..4].copy_from_slice(dut.bytes(self.r[2]));
            input.r.resp = Resp::from_bits(dut.get(self.r[3]));
            input.r.last = true;
        }
    }
}

const _: () = assert!(MAX_BUS_BYTES == 64, "the widest data bus is 512 bit");
