// SPDX-License-Identifier: Apache-2.0
//! What an address of the register map means, as logic that is built from the tables of [`isa::csr`].
//!
//! ```text
//!  address ──►┌─────┐──► known, writable, idle_only, mask, constant
//!             │ map │──► stored, slot                          a register that keeps what is written
//!             └─────┘──► counter, counter_index, counter_high, special[s]        combinational
//! ```
//! Registers of access RW and RW idle get slots 0.. in the order of the table; [`slot_of`] finds them by offset. Constants (the device
//! page and what reads 0) stand in the Verilog as numbers. All lookups are printed as one `case` per output.

use isa::Config;
use isa::counter::Counter;
use isa::csr::{Access, CONTEXT_PAGE, CONTEXTS, DEVICE_PAGE, context, context_address};
use rust_hdl::prelude::ast::{VerilogCase, VerilogExpression, VerilogMatch, VerilogStatement};
use rust_hdl::prelude::*;

/// Registers that are neither constants nor slots nor counters, by offset in the context page: the order of `special`.
pub const SPECIAL: [u32; 9] = [
    context::START,
    context::SOFT_RESET,
    context::SNAPSHOT,
    context::IRQ_CAUSE,
    context::STATUS,
    context::FAULT_CAUSE,
    context::FAULT_PC,
    context::FAULT_ADDRESS_LO,
    context::FAULT_ADDRESS_HI,
];

/// One register that keeps what is written.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// Byte address.
    pub address: u32,
    /// Bits that it has.
    pub mask: u32,
    /// Value after `rst`.
    pub reset: u32,
    /// Writes are refused while the context runs.
    pub idle_only: bool,
}

/// Every slot of context 0, in order.
pub fn slots(config: &Config) -> Vec<Slot> {
    let kept = CONTEXT_PAGE.iter().filter(|csr| matches!(csr.access, Access::Rw | Access::RwIdle));
    kept.flat_map(|csr| {
        csr.offsets().map(|offset| Slot {
            address: context_address(0, offset),
            mask: csr.mask(),
            reset: csr.reset.value(config),
            idle_only: csr.access == Access::RwIdle,
        })
    })
    .collect()
}

/// Number of the slot at `offset` of the context page.
///
/// *Panics* if the register there keeps nothing.
pub fn slot_of(config: &Config, offset: u32) -> usize {
    let address = context_address(0, offset);
    let found = slots(config).iter().position(|slot| slot.address == address);
    found.expect("the register is listed as RW or RW idle")
}

/// One address and its value of one output.
type Row = (u32, u32);

/// Meaning of an address.
#[derive(LogicBlock)]
pub struct Map {
    /// Byte address.
    pub address: Signal<In, Bits<16>>,
    /// There is a register.
    pub known: Signal<Out, Bit>,
    /// It may be written.
    pub writable: Signal<Out, Bit>,
    /// Only while the context does not run.
    pub idle_only: Signal<Out, Bit>,
    /// It keeps what is written.
    pub stored: Signal<Out, Bit>,
    /// Its number among those.
    pub slot: Signal<Out, Bits<8>>,
    /// Its bits.
    pub mask: Signal<Out, Bits<32>>,
    /// Its value if it is constant, else 0.
    pub constant: Signal<Out, Bits<32>>,
    /// It is a counter.
    pub counter: Signal<Out, Bit>,
    /// Which.
    pub counter_index: Signal<Out, Bits<8>>,
    /// Which half.
    pub counter_high: Signal<Out, Bit>,
    /// It is this one of [`SPECIAL`].
    pub special: Vec<Signal<Out, Bit>>,
    /// Rows of every output in the order of the outputs; what no row names is 0.
    _rows: Vec<Vec<Row>>,
}

impl Map {
    /// The register map of a core of this configuration.
    pub fn new(config: &Config) -> Self {
        assert_eq!(CONTEXTS, 1, "the hardware has one context");
        let slots = slots(config);
        let all =
            DEVICE_PAGE.iter().map(|csr| (csr, 0)).chain(CONTEXT_PAGE.iter().map(|csr| (csr, context_address(0, 0))));
        let elements: Vec<_> =
            all.flat_map(|(csr, page)| csr.offsets().map(move |offset| (csr, page + offset))).collect();
        let special = SPECIAL.map(|offset| context_address(0, offset));
        let where_ = |wanted: &dyn Fn(Access) -> bool| -> Vec<Row> {
            elements.iter().filter(|(csr, _)| wanted(csr.access)).map(|&(_, address)| (address, 1)).collect()
        };
        let counters = |base: u32| {
            (0..Counter::COUNT as u32)
                .map(move |index| (context_address(0, base + index * context::COUNTER_STRIDE), index))
        };
        let both = || counters(context::COUNTER_LO).chain(counters(context::COUNTER_HI));
        let is_counter = |address: u32| both().any(|(counter, _)| counter == address);
        let mut rows = vec![
            where_(&|_| true),
            where_(&|access| access != Access::Ro),
            where_(&|access| access == Access::RwIdle),
            slots.iter().map(|slot| (slot.address, 1)).collect(),
            slots.iter().enumerate().map(|(number, slot)| (slot.address, number as u32)).collect(),
            slots.iter().map(|slot| (slot.address, slot.mask)).collect(),
            elements
                .iter()
                .filter(|(csr, address)| {
                    csr.access == Access::Ro && !is_counter(*address) && !special.contains(address)
                })
                .map(|(csr, address)| (*address, csr.reset.value(config)))
                .collect(),
            both().map(|(address, _)| (address, 1)).collect(),
            both().collect(),
            counters(context::COUNTER_HI).map(|(address, _)| (address, 1)).collect(),
        ];
        rows.extend(special.map(|address| vec![(address, 1)]));
        for output in &mut rows {
            output.retain(|&(_, value)| value != 0);
        }
        Map {
            address: Signal::default(),
            known: Signal::default(),
            writable: Signal::default(),
            idle_only: Signal::default(),
            stored: Signal::default(),
            slot: Signal::default(),
            mask: Signal::default(),
            constant: Signal::default(),
            counter: Signal::default(),
            counter_index: Signal::default(),
            counter_high: Signal::default(),
            special: vec![Signal::default(); SPECIAL.len()],
            _rows: rows,
        }
    }
}

/// Names of the outputs before `special`, in the order of their rows.
const OUTPUTS: [&str; 10] = [
    "known",
    "writable",
    "idle_only",
    "stored",
    "slot",
    "mask",
    "constant",
    "counter",
    "counter_index",
    "counter_high",
];

impl Logic for Map {
    fn update(&mut self) {
        let address = self.address.val().to_u32();
        let find = |rows: &Vec<Row>| rows.iter().find(|row| row.0 == address).map_or(0, |row| u64::from(row.1));
        let values: Vec<u64> = self._rows.iter().map(find).collect();
        self.known.next = values[0] == 1;
        self.writable.next = values[1] == 1;
        self.idle_only.next = values[2] == 1;
        self.stored.next = values[3] == 1;
        self.slot.next = values[4].into();
        self.mask.next = values[5].into();
        self.constant.next = values[6].into();
        self.counter.next = values[7] == 1;
        self.counter_index.next = values[8].into();
        self.counter_high.next = values[9] == 1;
        for (special, value) in self.special.iter_mut().zip(&values[OUTPUTS.len()..]) {
            special.next = *value == 1;
        }
    }

    fn connect(&mut self) {
        self.known.connect();
        self.writable.connect();
        self.idle_only.connect();
        self.stored.connect();
        self.slot.connect();
        self.mask.connect();
        self.constant.connect();
        self.counter.connect();
        self.counter_index.connect();
        self.counter_high.connect();
        self.special.iter_mut().for_each(|special| special.connect());
    }

    fn hdl(&self) -> Verilog {
        let assign = |path: &str, value: u32| {
            VerilogStatement::Assignment(
                VerilogExpression::Signal(path.to_owned()),
                VerilogExpression::Literal(value.into()),
            )
        };
        let specials = (0..SPECIAL.len()).map(|index| format!("special${index}"));
        let paths = OUTPUTS.map(str::to_owned).into_iter().chain(specials);
        let mut body = vec![VerilogStatement::Comment(
            "\"map: what an address of the register map means, from the register tables.\"".into(),
        )];
        for (path, rows) in paths.zip(&self._rows) {
            body.push(assign(&path, 0));
            body.push(VerilogStatement::Match(VerilogMatch {
                test: VerilogExpression::Signal("address".into()),
                cases: rows
                    .iter()
                    .map(|&(address, value)| VerilogCase {
                        condition: address.to_string(),
                        block: vec![assign(&path, value)],
                    })
                    .chain([VerilogCase { condition: "default".into(), block: vec![] }])
                    .collect(),
            }));
        }
        Verilog::Combinatorial(body)
    }
}
