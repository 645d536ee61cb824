// SPDX-License-Identifier: Apache-2.0
//! Tables on a terminal, and the figures of a run as people read them.

use super::Backend;
use host::Report;
use isa::{Activity, Counter, Pipe};
use std::fmt::Write as _;

/// Rows in columns: the first column to the left, the others to the right; the first row is the head.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let written = match column {
                0 => write!(line, "  {cell:<width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
            written.expect("a String takes every write");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `1234567` as `1,234,567`.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share of 0 to 1 as per cent; unknown is a dash.
pub fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.2} %", 100.0 * share))
}

/// Cycles and utilisation in a few lines; on a model, what it knows. `seconds` are those of the simulation, or with the line those of a board.
pub fn summary(report: &Report, seconds: f64, backend: Backend) -> String {
    let useful = report.get(Counter::UsefulMacs).unwrap_or(0);
    let peak = report.peak_macs_per_cycle();
    let Some(cycles) = report.cycles() else {
        return format!(
            "cycles       not known: the model has no clock; {} MACs, SU {}\n",
            grouped(useful),
            percent(report.su())
        );
    };
    let time = match backend {
        Backend::Uart => format!("{seconds:.2} s with the line"),
        _ => format!("{} simulated per second", grouped((cycles as f64 / seconds) as u64)),
    };
    format!(
        "cycles       {} ({time})\n\
         MACs         {} useful, {:.1} of {peak} per cycle\n\
         utilisation  SU {} (space) x TU {} (time) = OU {}\n",
        grouped(cycles),
        grouped(useful),
        useful as f64 / cycles as f64,
        percent(report.su()),
        percent(report.tu()),
        percent(report.ou()),
    )
}

/// Where the cycles went, one row per pipe; empty where cycles are not known.
pub fn pipes(report: &Report) -> String {
    let Some(cycles) = report.cycles().filter(|&cycles| cycles > 0) else { return String::new() };
    let mut rows = vec![vec!["pipe".to_owned()]];
    rows[0].extend(Activity::ALL.map(|activity| activity.name().to_owned()));
    for pipe in Pipe::WORKERS {
        let share = |activity| {
            let spent = report.get(Counter::Pipe(pipe, activity)).unwrap_or(0);
            format!("{:.1} %", 100.0 * spent as f64 / cycles as f64)
        };
        let mut row = vec![pipe.name().to_owned()];
        row.extend(Activity::ALL.map(share));
        rows.push(row);
    }
    table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        for (value, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (16_777_216, "16,777,216")] {
            assert_eq!(grouped(value), text);
        }
    }

    #[test]
    fn columns_line_up() {
        let rows = [["a", "bb"], ["ccc", "d"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "  a    bb\n  ccc   d\n");
    }
}
