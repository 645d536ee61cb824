// SPDX-License-Identifier: Apache-2.0
//! Save files: which signals a viewer shows at first, grouped and coloured.
//!
//! GTKWave reads `.gtkw` (`gtkwave run.gtkw`), Surfer a list of commands (`surfer run.vcd -c run.sucl`).

use super::sink::is_text;
use super::{GROUP, Saved};
use isa::Pipe;
use std::fmt::Write as _;
use std::path::Path;
use vcd::{ReferenceIndex, ScopeItem, Var};

/// Nets of the top module that are shown, by the beginning of their names.
const BUS: [&str; 5] = ["m_axi_ar", "m_axi_r", "m_axi_aw", "m_axi_w", "m_axi_b"];

/// Ends of the names of nets of the bus that are shown.
const BUS_ENDS: [&str; 3] = ["valid", "ready", "addr"];

/// Signals of a chosen scope that are shown.
const OF_SCOPE: usize = 64;

/// First lines of the files that are written here.
pub(super) const MARKS: [&str; 2] = ["[*] signals of a Quader core", "# signals of a Quader core"];

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Text,
    Decimal,
    Hexadecimal,
    Bit,
}

/// Colours that both viewers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colour {
    Orange,
    Yellow,
    Green,
    Blue,
    Violet,
}

#[derive(Debug)]
enum Row {
    Head(String),
    Signal { path: String, index: Option<ReferenceIndex>, look: Look, colour: Colour },
}

/// The save files of a wave with these items.
pub(crate) fn saved(items: &[ScopeItem], wave: &Path) -> Saved {
    let rows = rows(items);
    Saved { gtkw: gtkw(&rows, wave), sucl: sucl(&rows) }
}

fn rows(items: &[ScopeItem]) -> Vec<Row> {
    let mut rows = Vec::new();
    for item in items {
        let ScopeItem::Scope(scope) = item else { continue };
        match scope.identifier == GROUP {
            true => group(&scope.items, &mut rows),
            false => nets(&scope.items, &scope.identifier, &mut rows),
        }
    }
    rows
}

/// The group: a heading per pipe, what it does in green, what it waits for in orange.
fn group(items: &[ScopeItem], rows: &mut Vec<Row>) {
    rows.push(Row::Head("program".to_owned()));
    signals(items, GROUP, rows, |_| Colour::Yellow);
    for item in items {
        let ScopeItem::Scope(scope) = item else { continue };
        let name = &scope.identifier;
        let is_pipe = Pipe::from_name(name).is_some();
        rows.push(Row::Head(if is_pipe { format!("pipe {name}") } else { "memory bus".to_owned() }));
        signals(&scope.items, &format!("{GROUP}.{name}"), rows, |var| match var.reference.as_str() {
            "instruction" | "pc" => Colour::Green,
            "state" => Colour::Orange,
            "tile" | "block_m" | "block_n" | "block_k" => Colour::Violet,
            _ => Colour::Blue,
        });
    }
}

/// The nets: clock, reset and the handshakes of the memory bus, or the signals of the first scope that has any.
fn nets(items: &[ScopeItem], path: &str, rows: &mut Vec<Row>) {
    let named = |name: &str| {
        let of_bus = BUS.iter().filter_map(|channel| name.strip_prefix(channel)).any(|end| BUS_ENDS.contains(&end));
        ["clk", "rst", "irq"].contains(&name) || of_bus
    };
    let has_signals = items.iter().any(|item| matches!(item, ScopeItem::Var(_)));
    if !has_signals {
        let inner = items.iter().find_map(|item| match item {
            ScopeItem::Scope(scope) => Some(scope),
            _ => None,
        });
        if let Some(scope) = inner {
            nets(&scope.items, &format!("{path}.{}", scope.identifier), rows);
        }
        return;
    }
    rows.push(Row::Head(format!("nets of {path}")));
    let top: Vec<ScopeItem> =
        items.iter().filter(|item| matches!(item, ScopeItem::Var(var) if named(&var.reference))).cloned().collect();
    let is_top = top.iter().any(|item| matches!(item, ScopeItem::Var(var) if var.reference.starts_with(BUS[0])));
    let shown = if is_top { top } else { items.iter().take(OF_SCOPE).cloned().collect() };
    signals(&shown, path, rows, |var| if var.size == 1 { Colour::Green } else { Colour::Blue });
}

fn signals(items: &[ScopeItem], path: &str, rows: &mut Vec<Row>, colour: impl Fn(&Var) -> Colour) {
    for item in items {
        let ScopeItem::Var(var) = item else { continue };
        let look = match var.reference.as_str() {
            _ if is_text(var) => Look::Text,
            "program" | "cycle" | "block_m" | "block_n" | "block_k" => Look::Decimal,
            _ if var.size == 1 => Look::Bit,
            _ => Look::Hexadecimal,
        };
        let path = format!("{path}.{}", var.reference);
        rows.push(Row::Signal { path, index: var.index, look, colour: colour(var) });
    }
}

/// GTKWave: flags of the form `@hex` before the names, `[color]` for the next one.
fn gtkw(rows: &[Row], wave: &Path) -> String {
    let file = wave.file_name().unwrap_or_default().to_string_lossy();
    let mut text = format!("{}\n[dumpfile] \"{file}\"\n[size] 1600 1000\n[sst_expanded] 1\n", MARKS[0]);
    let mut put = |line: std::fmt::Arguments| writeln!(text, "{line}").expect("a String takes every write");
    for row in rows {
        match row {
            Row::Head(head) => put(format_args!("@200\n-{head}")),
            Row::Signal { path, index, look, colour } => {
                let flags = match look {
                    Look::Text => "820",
                    Look::Decimal => "24",
                    Look::Hexadecimal => "22",
                    Look::Bit => "28",
                };
                let colour = match colour {
                    Colour::Orange => 2,
                    Colour::Yellow => 3,
                    Colour::Green => 4,
                    Colour::Blue => 5,
                    Colour::Violet => 7,
                };
                let index = index.map_or_else(String::new, |index| index.to_string());
                put(format_args!("@{flags}\n[color] {colour}\n{path}{index}"));
            }
        }
    }
    text
}

/// Surfer: all items first, then each of them again by its letters, which depend on how many there are.
fn sucl(rows: &[Row]) -> String {
    let mut text = format!("{}\n", MARKS[1]);
    let mut put = |line: std::fmt::Arguments| writeln!(text, "{line}").expect("a String takes every write");
    for row in rows {
        match row {
            // A name is one word.
            Row::Head(head) => put(format_args!("divider_add {}", head.replace(' ', "_"))),
            Row::Signal { path, .. } => put(format_args!("variable_add {path}")),
        }
    }
    for (at, row) in rows.iter().enumerate() {
        let Row::Signal { look, colour, .. } = row else { continue };
        put(format_args!("item_focus {}", letters(at, rows.len())));
        put(format_args!("item_set_color {colour:?}"));
        match look {
            Look::Text => put(format_args!("item_set_format ASCII")),
            Look::Decimal => put(format_args!("item_set_format Unsigned")),
            Look::Hexadecimal => put(format_args!("item_set_format Hexadecimal")),
            Look::Bit => {}
        }
    }
    put(format_args!("item_unfocus\nzoom_fit"));
    text
}

/// Hexadecimal with the letters a to p, as many as the largest number needs.
fn letters(at: usize, count: usize) -> String {
    let width = count.max(1).ilog(16) as usize + 1;
    let digits = format!("{at:0width$x}");
    digits.chars().map(|digit| char::from(b'a' + digit.to_digit(16).unwrap_or(0) as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sink::scope;
    use super::*;
    use vcd::{IdCode, VarType};

    #[test]
    fn every_row_is_in_both_files() {
        let var = |kind, size, name: &str| {
            let index = (size > 1).then_some(ReferenceIndex::Range(size as i32 - 1, 0));
            ScopeItem::Var(Var::new(kind, size, IdCode::FIRST, name.to_owned(), index))
        };
        let m = scope("m", vec![var(VarType::String, 1, "instruction"), var(VarType::Reg, 32, "pc")]);
        let trace = scope(GROUP, vec![var(VarType::Reg, 40, "cycle"), m]);
        let top = scope(
            "TOP",
            vec![var(VarType::Wire, 1, "clk"), var(VarType::Wire, 40, "m_axi_araddr"), var(VarType::Wire, 9, "other")],
        );
        let Saved { gtkw, sucl } = saved(&[trace, top], Path::new("out/run.vcd"));
        for line in [
            "[dumpfile] \"run.vcd\"",
            "@200\n-pipe m",
            "@820\n[color] 4\ntrace.m.instruction",
            "@22\n[color] 4\ntrace.m.pc[31:0]",
            "@24\n[color] 3\ntrace.cycle[39:0]",
            "@28\n[color] 4\nTOP.clk",
            "TOP.m_axi_araddr[39:0]",
        ] {
            assert!(gtkw.contains(line), "{line} in {gtkw}");
        }
        assert!(!gtkw.contains("other"));
        for line in ["divider_add pipe_m", "variable_add trace.m.instruction", "item_focus b\nitem_set_color Yellow"] {
            assert!(sucl.contains(line), "{line} in {sucl}");
        }
        assert_eq!((letters(0, 15), letters(15, 16), letters(17, 17)), ("a".into(), "ap".into(), "bb".into()));
    }
}
