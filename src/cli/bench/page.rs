// SPDX-License-Identifier: Apache-2.0
//! The page `docs/performance.md` and the file `docs/performance.json`, made from the measurements.

use super::measure::{Measured, Results};
use super::rows::{Bar, Group, Row};
use crate::cli::table::grouped;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

const HEAD: &str = "\
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Made by `quader bench`; do not edit. -->
# Performance

Every number here was counted in the simulated hardware, and every element of every result was compared with an independent product or convolution. Cycle counts
are exact: `quader bench --check` runs the table again and fails at the first difference from [performance.json](performance.json), and a test does so for the short rows.

![Measured points under the peak of the cube and the bytes per cycle of the memory](roofline.svg)

| word | is |
|---|---|
| hot | operands in L1, MTE2 idle: cycles from the start of the first load of L0 to the last result in L0C |
| cold | operands in global memory: cycles from the start doorbell to the last answer of the memory |
| OU | useful multiply-accumulates / (cycles x multipliers of the cube) |
| roof | the fewest cycles possible: the largest of cube steps, compulsory reads, compulsory writes (each byte once, over the bytes per cycle), results over the lanes of FIX; hot: cube steps |
| of roof | roof / cycles |
| issue | cycles in which the cube's queue was empty while the program went on, of all |
| estimate | cycles by which the tiling was chosen, less the measured ones, of these |

";

/// The page.
pub fn page(groups: &[Group], results: &Results) -> String {
    let mut text = HEAD.to_owned();
    for group in groups {
        let Some(measured) = results.get(group.name) else { continue };
        let first = &group.rows[0];
        let memory = &first.memory;
        let rate = if memory.bytes_per_cycle.is_finite() {
            format!("{} bytes per cycle", memory.bytes_per_cycle)
        } else {
            format!("{} bytes per cycle", first.config.bus_bytes)
        };
        let way = if memory.shared { "shared by both directions" } else { "and direction" };
        writeln!(
            text,
            "## {}\n\n`quader bench {}`: `{}`, latency {}, {rate} {way}.\n",
            group.title, group.name, first.config.name, memory.latency
        )
        .expect("a String takes every write");
        text.push_str("| work | cycles | OU | roof | of roof | bound by | issue | estimate | bar | |\n|---|---|---|---|---|---|---|---|---|---|\n");
        for row in &group.rows {
            if let Some(measured) = measured.get(&row.name) {
                text.push_str(&line(row, measured));
            }
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// What a row has to reach, in words.
pub fn bar(bar: Bar) -> String {
    match bar {
        Bar::Utilisation(bar) => format!("OU >= {:.1} %", 100.0 * bar),
        Bar::Roof(bar) => format!("of roof >= {:.0} %", 100.0 * bar),
        Bar::Within(share, more) => format!("<= roof / {share} + {more}"),
        Bar::None => "-".to_owned(),
    }
}

/// Whether it does, in a word.
pub fn verdict(reaches: Option<bool>) -> &'static str {
    match reaches {
        Some(true) => "met",
        Some(false) => "**missed**",
        None => "",
    }
}

fn line(row: &Row, measured: &Measured) -> String {
    let Measured { cycles, roof, bound, issue_stalls, .. } = *measured;
    let estimate = measured.estimate.map_or("-".to_owned(), |estimate| {
        format!("{:+.1} %", 100.0 * (estimate as f64 - cycles as f64) / cycles as f64)
    });
    format!(
        "| {} | {} | {} | {} | {} | {bound} | {} | {estimate} | {} | {} |\n",
        row.name,
        grouped(cycles),
        percent(measured.utilisation()),
        grouped(roof),
        percent(measured.of_roof()),
        issue_stalls.map_or("-".to_owned(), |stalls| percent(stalls as f64 / cycles as f64)),
        bar(row.bar),
        verdict(measured.reaches(row.bar)),
    )
}

/// The measurements for scripts.
pub fn figures(groups: &[Group], results: &Results) -> Value {
    let mut all = Map::new();
    for group in groups {
        let Some(measured) = results.get(group.name) else { continue };
        let mut rows = Map::new();
        for row in &group.rows {
            let Some(measured) = measured.get(&row.name) else { continue };
            rows.insert(
                row.name.clone(),
                json!({
                    "config": row.config.name,
                    "cycles": measured.cycles,
                    "macs": measured.macs,
                    "ou": measured.utilisation(),
                    "roof": measured.roof,
                    "bound": measured.bound,
                    "memory_cycles": measured.memory_cycles,
                    "issue_stalls": measured.issue_stalls,
                    "estimate": measured.estimate,
                    "bar": bar(row.bar),
                    "met": measured.reaches(row.bar),
                }),
            );
        }
        all.insert(group.name.to_owned(), rows.into());
    }
    all.into()
}
