// SPDX-License-Identifier: Apache-2.0
//! Program files: `.qasm` text or encoded `.bin`, told apart by what is in them.

use super::{Failure, Result, output};
use isa::asm::{Assembly, assemble};
use isa::limits::INSTRUCTION_BYTES;
use isa::{Inst, decode_program};
use std::path::{Path, PathBuf};

/// A program from a file, with the line of each instruction if it was text.
pub struct Source {
    /// The instructions.
    pub program: Vec<Inst>,
    lines: Option<Vec<usize>>,
    path: PathBuf,
}

impl Source {
    /// Reads a program: text if the name ends in `.qasm`, else encoded.
    ///
    /// *Errors*: [`Failure::Input`] if the file cannot be read, or is no program.
    pub fn read(path: &Path) -> Result<Source> {
        if path.extension().is_some_and(|extension| extension == "qasm") {
            let Assembly { program, lines } = read_text(path)?;
            return Ok(Source { program, lines: Some(lines), path: path.to_owned() });
        }
        Ok(Source { program: read_binary(path)?, lines: None, path: path.to_owned() })
    }

    /// Where instruction `index` stands: `file:line`, or `file, instruction i`.
    pub fn place(&self, index: usize) -> String {
        let path = self.path.display();
        match &self.lines {
            Some(lines) => format!("{path}:{}", lines.get(index).or(lines.last()).copied().unwrap_or(1)),
            None => format!("{path}, instruction {index} (pc {:#x})", index * INSTRUCTION_BYTES),
        }
    }
}

impl Source {
    /// A program that was read from an encoded file.
    pub fn encoded(program: Vec<Inst>, path: PathBuf) -> Source {
        Source { program, lines: None, path }
    }

    /// The line of instruction `index`; `None` if the program was not text.
    pub fn line(&self, index: usize) -> Option<usize> {
        self.lines.as_ref()?.get(index).copied()
    }
}

/// Assembles a text file; every bad line is named.
pub fn read_text(path: &Path) -> Result<Assembly> {
    let bytes = output::read(path)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::input(format!("{} is not text: assemble a .qasm file", path.display())))?;
    let assembly = assemble(&text, &path.display().to_string()).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::input(lines.join("\nquader: "))
    })?;
    if assembly.program.is_empty() {
        return Err(Failure::input(format!("{} has no instructions: a program ends with `end`", path.display())));
    }
    Ok(assembly)
}

/// Decodes an encoded program.
pub fn read_binary(path: &Path) -> Result<Vec<Inst>> {
    let bytes = output::read(path)?;
    if bytes.is_empty() {
        return Err(Failure::input(format!("{} is empty: a program has at least one instruction", path.display())));
    }
    decode_program(&bytes).map_err(|(index, error)| {
        let pc = index * INSTRUCTION_BYTES;
        Failure::input(format!("{} is no program, instruction {index} (pc {pc:#x}): {error}", path.display()))
    })
}

/// The text of one instruction.
pub fn text(inst: &Inst) -> String {
    isa::asm::line(inst).unwrap_or_else(|error| error.to_string())
}
