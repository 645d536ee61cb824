// SPDX-License-Identifier: Apache-2.0
//! What Verilator wrote: the ports in the header and the lists of C++ files. The forms are the same in 5.006 and 5.048.

use std::fmt::Write as _;

/// One port as the header declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderPort {
    /// Name of the C++ member.
    pub(crate) member: String,
    /// Name in the Verilog text.
    pub(crate) name: String,
    /// 0 input, 1 output, 2 inout.
    pub(crate) direction: u8,
    pub(crate) msb: i32,
    pub(crate) lsb: i32,
}

/// The ports in `Vdut.h`, or the first declaration that is not a packed vector.
pub(crate) fn ports(header: &str) -> Result<Vec<HeaderPort>, String> {
    let section = header.split("// PORTS").nth(1).unwrap_or(header);
    let section = section.split("// CELLS").next().unwrap_or(section);
    let lines = section.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.map(|line| port(line).ok_or_else(|| line.to_owned())).collect()
}

/// `VL_INW(&data,511,0,16);` as a port.
fn port(line: &str) -> Option<HeaderPort> {
    let (macro_name, rest) = line.split_once('(')?;
    let direction = match macro_name.trim_end_matches(|c: char| c.is_ascii_digit() || c == 'W') {
        "VL_IN" => 0,
        "VL_OUT" => 1,
        "VL_INOUT" => 2,
        _ => return None,
    };
    let mut fields = rest.strip_suffix(");")?.split(',');
    let member = fields.next()?.trim().strip_prefix('&')?;
    if !member.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    let msb = fields.next()?.trim().parse().ok()?;
    let lsb = fields.next()?.trim().parse().ok()?;
    Some(HeaderPort { member: member.to_owned(), name: verilog_name(member), direction, msb, lsb })
}

/// Undoes Verilator's encoding: `__0HH` is the character HH, `__SYM__` marks a word that C++ keeps for itself.
fn verilog_name(member: &str) -> String {
    let mut name = String::new();
    let mut rest = member.strip_prefix("__SYM__").unwrap_or(member);
    while let Some(at) = rest.find("__0") {
        let code = rest.get(at + 3..at + 5).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(code) = code else { break };
        name.push_str(&rest[..at]);
        name.push(char::from(code));
        rest = &rest[at + 5..];
    }
    name + rest
}

/// The table that shim.cpp includes.
pub(crate) fn ports_include(ports: &[HeaderPort]) -> String {
    let mut text = String::new();
    for (index, port) in ports.iter().enumerate() {
        let escaped = port.name.replace('\\', "\\\\").replace('"', "\\\"");
        let _ = writeln!(
            text,
            "PORT({index}, {}, \"{escaped}\", {}, {}, {})",
            port.member, port.direction, port.msb, port.lsb
        );
    }
    text
}

/// The names in the lists `variables` of `Vdut_classes.mk`.
pub(crate) fn list(classes_mk: &str, variables: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in classes_mk.lines() {
        let (start, item) = match line.split_once("+=") {
            Some((name, rest)) => (Some(name.trim()), rest),
            None => (None, line),
        };
        inside = start.map_or(inside, |name| variables.contains(&name));
        if inside {
            names.extend(
                item.split_whitespace().filter(|word| *word != "\\" && !word.starts_with('#')).map(str::to_owned),
            );
        }
        // A list ends with the first line that does not go on.
        inside &= line.trim_end().ends_with('\\');
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_every_size_are_read_with_their_verilog_names() {
        let header = "    // PORTS\n    // words\n    VL_IN8(&clk,0,0);\n    VL_OUTW(&q,511,0,16);\n    VL_IN64(&a___05Fb,39,0);\n\
                      VL_IN(&__SYM__double,31,0);\n    // CELLS\n    Vdut___024root* const rootp;\n";
        let read = ports(header).expect("all are packed");
        let summary: Vec<(&str, u8, i32)> = read.iter().map(|p| (p.name.as_str(), p.direction, p.msb)).collect();
        assert_eq!(summary, [("clk", 0, 0), ("q", 1, 511), ("a__b", 0, 39), ("double", 0, 31)]);
        assert_eq!(ports_include(&read[..1]), "PORT(0, clk, \"clk\", 0, 0, 0)\n");
    }

    #[test]
    fn unpacked_arrays_of_either_form_are_refused_with_their_line() {
        for line in ["VL_IN8((&arr)[4],7,0);", "VlUnpacked<CData/*7:0*/, 4> &arr;"] {
            assert_eq!(ports(&format!("// PORTS\n{line}\n// CELLS\n")), Err(line.to_owned()));
        }
    }

    #[test]
    fn lists_end_where_their_lines_end() {
        let text =
            "VM_CLASSES_FAST += \\\n\tVdut \\\n\tVdut__0 \\\n\nVM_CLASSES_SLOW += \\\n\tVdut__Slow \\\n\nVM_X = 1\n";
        assert_eq!(list(text, &["VM_CLASSES_FAST"]), ["Vdut", "Vdut__0"]);
        assert_eq!(list(text, &["VM_CLASSES_SLOW"]), ["Vdut__Slow"]);
    }
}
