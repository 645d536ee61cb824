// SPDX-License-Identifier: Apache-2.0
//! `docs/registers.md`.

use super::{REGENERATE, bits, table};
use crate::config::Config;
use crate::counter::{Activity, Counter};
use crate::csr::{CONTEXT_PAGE, Csr, DEVICE_PAGE, Reset, context};

const INTRODUCTION: &str = "\
The host reaches a core over AXI4-Lite with 32-bit data and byte addresses of 16 bits. Page 0 (4 KiB) is the device, page 1 + c \
is context c; this version has context 0 only, at 0x1000.

* An offset that this page does not list answers SLVERR: reads give 0, writes do nothing.
* A write whose strobes are not all 1, a write to a read-only register, and a write to an `RW idle` register while the context \
runs answer SLVERR and do nothing.
* Reserved bits read 0 and ignore writes; so do the low bits of an aligned address.

| access | means |
|---|---|
| RO | read only |
| RW | read and write at any time |
| RW idle | read at any time, write while the context does not run |
| W1C | read; a written 1 clears the bit |
| W1 | a written 1 does something once; reads 0 |

**To run a program:** write program and data to GM; set `program_lo`, `program_hi`, `program_length`, the bases that it uses, \
and windows with the rights it needs (all windows start without rights, so nothing can run before); write 1 to `start`; wait \
for `status.state` to be done or fault, or for the interrupt. After done, the next program may start at once. After a fault, read the \
record and write 1 to `soft_reset`. To read counters, write 1 to `snapshot` first.
";

/// The text of `docs/registers.md`.
pub fn registers_markdown() -> String {
    let mut text = format!(
        "<!-- SPDX-License-Identifier: Apache-2.0 -->\n<!-- Made from the tables of the crate `isa`: {REGENERATE} -->\n\n\
         # Registers\n\n{INTRODUCTION}\n"
    );
    text.push_str(&format!("## Device page (0x0000)\n\n{}\n", device()));
    text.push_str(&format!("## Context page (0x1000 + 0x1000 c)\n\n{}\n", contexts()));
    for csr in CONTEXT_PAGE.iter().filter(|csr| csr.fields.iter().any(|field| field.name != "value")) {
        let rows = csr
            .fields
            .iter()
            .map(|field| vec![bits(field.lo, field.width), format!("`{}`", field.name), field.doc.to_string()]);
        text.push_str(&format!("### {}\n\n{}\n", csr.name, table(&["bits", "field", "meaning"], rows)));
    }
    text.push_str(&counters());
    text
}

fn device() -> String {
    let cores = [Config::tiny(), Config::lite(), Config::max()];
    let rows = DEVICE_PAGE.iter().map(|csr| {
        let values = cores.iter().map(|core| shown(csr, csr.reset.value(core)));
        let mut row = vec![format!("{:#05x}", csr.offset), format!("`{}`", csr.name)];
        row.extend(values);
        row.push(csr.doc.to_string());
        row
    });
    let table = table(&["offset", "name", "`tiny`", "`lite`", "`max`", "meaning"], rows);
    format!("All of it is read only.\n\n{table}")
}

fn shown(csr: &Csr, value: u32) -> String {
    let hex = csr.name.starts_with("name")
        || ["magic", "isa_version", "build_hash", "features", "dtypes"].contains(&csr.name);
    if hex { format!("{value:#x}") } else { value.to_string() }
}

fn contexts() -> String {
    let rows = CONTEXT_PAGE.iter().map(|csr| {
        let (offset, name) = if csr.count == 1 {
            (format!("{:#05x}", csr.offset), format!("`{}`", csr.name))
        } else {
            (format!("{:#05x} + {} i", csr.offset, csr.stride), format!("`{}[{}]`", csr.name, csr.count))
        };
        let reset = match csr.reset {
            Reset::Value(value) => format!("{value:#x}"),
            Reset::Config(_) => "of the core".to_string(),
        };
        vec![offset, name, csr.access.name().to_string(), reset, csr.doc.to_string()]
    });
    table(&["offset", "name", "access", "reset", "meaning"], rows)
}

fn counters() -> String {
    let rows = Counter::all().enumerate().map(|(index, counter)| {
        let offset = context::COUNTER_LO + context::COUNTER_STRIDE * index as u32;
        vec![index.to_string(), format!("{offset:#05x}"), format!("`{}`", counter.name()), counter.doc()]
    });
    let order = [
        (Activity::WaitQueue, "the pipe holds no instruction: its queue is empty and it works on none"),
        (Activity::WaitFlag, "its next instruction has not started because a flag that it waits for is 0"),
        (Activity::WaitBlock, "its instruction has started and stands still because a full bit that it needs is clear"),
        (
            Activity::WaitMemory,
            "its instruction has started and stands still because of GM (read data, a request or write beat that is not \
             taken, an outstanding response) or a lost L1 access",
        ),
        (Activity::Busy, "everything else, pipeline fill and drain included"),
    ];
    let mut text = "## Counters\n\n64 bits each, cleared by start, counting while `status.state` is running: from the cycle \
                    after the doorbell was taken to the last cycle before done or fault. After that nothing counts. In every such \
                    cycle each pipe counts exactly one of these, the first that applies, so they add up to `total_cycles`:\n\n"
        .to_string();
    for (number, (activity, meaning)) in order.into_iter().enumerate() {
        text.push_str(&format!("{}. `{}`: {meaning}.\n", number + 1, activity.name()));
    }
    text.push_str(&format!("\n{}", table(&["i", "offset", "counter", "counts"], rows)));
    text
}
