// SPDX-License-Identifier: Apache-2.0
//! Text that several leaves share.

/// `port_3, port_2, port_1, port_0`.
pub(super) fn list(port: &str, lanes: usize) -> String {
    let names: Vec<String> = (0..lanes).rev().map(|lane| format!("{port}_{lane}")).collect();
    names.join(", ")
}

/// Tells the tools that the bits of `ports` from `used` up to `width` are the caller's business.
pub(super) fn unused(ports: &[&str], width: usize, used: usize) -> String {
    if used >= width {
        return String::new();
    }
    let bits: Vec<String> = ports.iter().map(|port| format!("{port}[{}:{used}]", width - 1)).collect();
    format!("wire unused = &{{1'b0, {}}};\n", bits.join(", "))
}
