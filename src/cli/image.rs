// SPDX-License-Identifier: Apache-2.0
//! The memory image that a program of a file runs on, and where the two lie.
//!
//! ```text
//!            mem-address              end            next multiple of 4 KiB
//!  GM  ──────┼──────── image ─────────┼──────────────┼── code ──┼──
//!            read and write                          execute
//! ```
//! Nothing else of global memory may be touched, so a wrong address is a fault and not silence.

use super::program::{self, Source};
use super::{Failure, Result, number, output};
use clap::Args;
use host::{Program, Window};
use isa::csr::{RIGHT_READ, RIGHT_WRITE};
use isa::limits::{BASES, GM_ADDRESS_BITS, INSTRUCTION_BYTES};
use isa::{FaultRecord, encode_program};
use std::path::PathBuf;

/// Images larger than this would take minutes to write out and back.
const LIMIT_BYTES: u64 = 1 << 30;

/// Options of the image.
#[derive(Args, Clone, Debug)]
pub struct Image {
    /// Image of global memory before the run, raw bytes
    #[arg(long, value_name = "IMAGE")]
    mem: Option<PathBuf>,
    /// Address of the image
    #[arg(long, value_name = "ADDR", default_value = "0", value_parser = number)]
    mem_address: u64,
    /// Bytes of the image; a shorter file is filled up with zeros [default: those of the file]
    #[arg(long, value_name = "BYTES", value_parser = number)]
    mem_size: Option<u64>,
    /// Value of a base register, 0 to 15; may be given several times [default: the address of the image]
    #[arg(long = "base", value_name = "N=ADDR", value_parser = base)]
    bases: Vec<(usize, u64)>,
    /// Seed of the power-up state of buffers and registers
    #[arg(long, default_value_t = 1, value_parser = number)]
    pub seed: u64,
}

fn base(text: &str) -> std::result::Result<(usize, u64), String> {
    let (register, address) = text.split_once('=').ok_or("write N=ADDR, for example 1=0x2000")?;
    let register: usize = register.trim().parse().map_err(|_| "write N=ADDR, for example 1=0x2000")?;
    if register >= BASES {
        return Err(format!("there are base registers 0 to {}", BASES - 1));
    }
    let address = number(address.trim())?;
    if address >> GM_ADDRESS_BITS != 0 {
        return Err(format!("an address has {GM_ADDRESS_BITS} bits"));
    }
    Ok((register, address))
}

impl Image {
    /// True if an image or an option of it was named.
    pub fn is_given(&self) -> bool {
        self.mem.is_some() || self.mem_size.is_some() || !self.bases.is_empty() || self.mem_address != 0
    }

    /// Address of its first byte.
    pub fn address(&self) -> u64 {
        self.mem_address
    }

    /// Its bytes, filled up as asked.
    ///
    /// *Errors*: [`Failure::Input`] if the file cannot be read, is empty or too large.
    pub fn read(&self) -> Result<Vec<u8>> {
        let file = self
            .mem
            .as_deref()
            .ok_or_else(|| Failure::input("give the memory image that it runs on by --mem IMAGE"))?;
        let mut image = output::read(file)?;
        let file = file.display();
        if let Some(size) = self.mem_size {
            if size < image.len() as u64 {
                let has = image.len();
                return Err(Failure::input(format!(
                    "--mem-size is {size}, and {file} has {has} bytes: give at least that"
                )));
            }
            if size > LIMIT_BYTES {
                return Err(Failure::input(format!(
                    "--mem-size is {size}, and an image has at most {LIMIT_BYTES} bytes"
                )));
            }
            image.resize(size as usize, 0);
        }
        let length = image.len() as u64;
        if length == 0 {
            return Err(Failure::input(format!("{file} is empty: give an image with bytes, or --mem-size")));
        }
        if length > LIMIT_BYTES {
            return Err(Failure::input(format!("{file} has {length} bytes, and an image has at most {LIMIT_BYTES}")));
        }
        Ok(image)
    }

    /// The program with its place behind the image, bases and windows.
    ///
    /// *Errors*: [`Failure::Input`] if the image leaves the address space.
    pub fn place(&self, source: &Source, length: u64) -> Result<Program> {
        let first = self.mem_address;
        let code = (source.program.len() * INSTRUCTION_BYTES) as u64;
        let space = 1u64 << GM_ADDRESS_BITS;
        let end = first.checked_add(length).filter(|&end| end <= space).ok_or_else(|| {
            Failure::input(format!(
                "{length} bytes from --mem-address {first:#x} on leave the {GM_ADDRESS_BITS}-bit address space"
            ))
        })?;
        // Behind the image, or at 0 if there is no room; one of the two is free, since both are small.
        let behind = end.next_multiple_of(4096);
        let address = if behind + code.next_multiple_of(4096) <= space { behind } else { 0 };
        let mut bases = vec![first; BASES];
        for &(register, address) in &self.bases {
            bases[register] = address;
        }
        // An instruction without encoding cannot come from a file.
        debug_assert!(encode_program(&source.program).is_ok());
        let window = Window { first, last: end - 1, rights: RIGHT_READ | RIGHT_WRITE };
        Ok(Program::new(source.program.clone(), address, bases, vec![window])?)
    }
}

/// The text of the instruction that the record names, if it is one of the program.
pub fn instruction(source: &Source, record: &FaultRecord) -> Option<String> {
    source.program.get(record.pc as usize / INSTRUCTION_BYTES).map(program::text)
}

/// What happened, where, and in which instruction.
pub fn sentence(source: &Source, record: &FaultRecord) -> String {
    let index = record.pc as usize / INSTRUCTION_BYTES;
    match instruction(source, record) {
        Some(text) => format!("fault {record}; in `{text}` ({})", source.place(index)),
        None => format!("fault {record}; behind the last instruction"),
    }
}
