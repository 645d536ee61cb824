// SPDX-License-Identifier: Apache-2.0
//! Claims: the committed documents are those that the tables give, and the C header compiles.
//!
//! After a change of the tables: `QUADER_BLESS=1 cargo test -p isa`, and look at the difference.

#![allow(clippy::unwrap_used)]

use isa::docgen::{REGENERATE, c_header, isa_markdown, registers_markdown};
use std::path::PathBuf;
use std::process::Command;

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn is_fresh(path: &str, made: String) {
    let path = repository().join(path);
    if std::env::var_os("QUADER_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let line = made.lines().zip(committed.lines()).position(|(made, committed)| made != committed);
    assert!(
        made == committed,
        "{} is stale from line {}: run {REGENERATE}",
        path.display(),
        1 + line.unwrap_or(made.lines().count().min(committed.lines().count()))
    );
}

#[test]
fn the_instruction_page_is_fresh() {
    is_fresh("docs/isa.md", isa_markdown());
}

#[test]
fn the_register_page_is_fresh() {
    is_fresh("docs/registers.md", registers_markdown());
}

#[test]
fn the_c_header_is_fresh_and_compiles() {
    is_fresh("include/quader.h", c_header());
    let header = repository().join("include/quader.h");
    for (compiler, language, standard) in [("cc", "c", "-std=c11"), ("c++", "c++", "-std=c++11")] {
        let run = Command::new(compiler)
            .args(["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror", standard, "-x", language])
            .arg(&header)
            .output();
        match run {
            // `#pragma once` is not used, so a header alone is a legal translation unit.
            Ok(output) => {
                assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stderr));
            }
            Err(_) => println!("no {compiler} here: the header was not compiled as {language}"),
        }
    }
}

#[test]
fn every_mnemonic_and_register_stands_in_the_documents() {
    let (page, registers) = (isa_markdown(), registers_markdown());
    for opcode in isa::Opcode::ALL {
        assert!(page.contains(&format!("### {opcode}\n")));
    }
    for csr in isa::csr::DEVICE_PAGE.iter().chain(isa::csr::CONTEXT_PAGE) {
        assert!(registers.contains(&format!("`{}", csr.name)));
    }
    assert!(!page.contains("TODO") && page.is_ascii());
}

#[test]
fn the_frames_of_the_link_stand_on_the_page_of_boards() {
    let page = std::fs::read_to_string(repository().join("docs/board.md")).unwrap();
    let tables = isa::link::tables();
    assert!(page.contains(&tables), "docs/board.md does not hold these tables:\n{tables}");
}
