// SPDX-License-Identifier: Apache-2.0
//! Documents that follow from the tables: `docs/isa.md`, `docs/registers.md` and `include/quader.h`.
//!
//! A test compares them with the committed files; `QUADER_BLESS=1 cargo test -p isa` writes them anew.

mod header;
mod isa_page;
mod registers_page;

pub use header::c_header;
pub use isa_page::isa_markdown;
pub use registers_page::registers_markdown;

/// How to make the files again, as every one of them says.
pub const REGENERATE: &str = "QUADER_BLESS=1 cargo test -p isa";

/// A Markdown table; cells must not hold `|`.
fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        debug_assert!(row.len() == head.len() && row.iter().all(|cell| !cell.contains('|')));
        text.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    text
}

/// `[hi:lo]`, or `[bit]` for one bit.
fn bits(lo: u8, width: u8) -> String {
    if width == 1 { format!("[{lo}]") } else { format!("[{}:{lo}]", lo + width - 1) }
}
