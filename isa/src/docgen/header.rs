// SPDX-License-Identifier: Apache-2.0
//! `include/quader.h`.

use super::REGENERATE;
use crate::counter::Counter;
use crate::csr::{self, CONTEXT_PAGE, Csr, DEVICE_PAGE};
use crate::dtype::Dtype;
use crate::fault::Cause;
use crate::field::Legal;
use crate::inst::{FbField, Layout, Rounding};
use crate::limits;
use crate::opcode::*;
use crate::pipe::Pipe;
use crate::state::STATE_REGISTERS;
use std::fmt::Write;

struct Header {
    text: String,
}

impl Header {
    fn line(&mut self, line: &str) {
        writeln!(self.text, "{line}").expect("a String takes every write");
    }

    fn section(&mut self, title: &str) {
        self.line("");
        self.line(&format!("/* {title} */"));
    }

    /// A number, in decimal.
    fn define(&mut self, name: &str, value: impl Into<u64>) {
        self.line(&format!("#define {} {}u", macro_name(name), value.into()));
    }

    /// An address, a code or a mask, in hexadecimal.
    fn define_hex(&mut self, name: &str, value: u32) {
        self.line(&format!("#define {} {value:#x}u", macro_name(name)));
    }
}

/// The macro for a dotted, lower-case name.
fn macro_name(name: &str) -> String {
    format!("QUADER_{}", name.to_uppercase().replace('.', "_"))
}

/// The text of `include/quader.h`: C11 and C++11.
pub fn c_header() -> String {
    let mut header = Header { text: String::new() };
    header.line("/* SPDX-License-Identifier: Apache-2.0 */");
    header.line(&format!(
        "/* Quader: instructions and registers. Made from the tables of the crate `isa`: {REGENERATE} */"
    ));
    header.line("#ifndef QUADER_H");
    header.line("#define QUADER_H");
    header.line("");
    header.line("#include <stdint.h>");
    header.line("");
    header.line("#ifdef __cplusplus");
    header.line("#define QUADER_STATIC_ASSERT(condition, text) static_assert(condition, text)");
    header.line("#else");
    header.line("#define QUADER_STATIC_ASSERT(condition, text) _Static_assert(condition, text)");
    header.line("#endif");
    sizes(&mut header);
    codes(&mut header);
    instructions(&mut header);
    registers(&mut header);
    header.line("");
    header.line("#endif");
    header.text
}

fn sizes(header: &mut Header) {
    header.section("Sizes that are the same on every core");
    header.define_hex("ISA_VERSION", limits::ISA_VERSION);
    header.define("INSTRUCTION_BYTES", limits::INSTRUCTION_BYTES as u64);
    header.define("FLAG_LIMIT", limits::FLAG_LIMIT);
    header.define("FLAG_IDS", limits::FLAG_IDS as u64);
    header.define("FRACTAL_ROWS", limits::FRACTAL_ROWS as u64);
    header.define("FRACTAL_ROW_BYTES", limits::FRACTAL_ROW_BYTES as u64);
    header.define("FRACTAL_BYTES", limits::FRACTAL_BYTES as u64);
    header.define("L0C_FRACTAL_BYTES", limits::L0C_FRACTAL_BYTES as u64);
    header.define("GM_ADDRESS_BITS", limits::GM_ADDRESS_BITS);
    header.define("LOCAL_ADDRESS_BITS", limits::LOCAL_ADDRESS_BITS);
    header.define("BASES", limits::BASES as u64);
    header.define("WINDOWS", limits::WINDOWS as u64);
    header.define("PROGRAM_ALIGN_BYTES", csr::PROGRAM_ALIGN_BYTES);
    header.line("");
    header.line("/* One instruction: eight words, each little-endian in memory. */");
    header.line("typedef struct quader_instruction {");
    header.line("    uint32_t word[8];");
    header.line("} quader_instruction;");
    header.line(
        "QUADER_STATIC_ASSERT(sizeof(quader_instruction) == QUADER_INSTRUCTION_BYTES, \"an instruction is 32 bytes\");",
    );
}

fn codes(header: &mut Header) {
    header.section("Pipes");
    for pipe in Pipe::ALL {
        header.define(&format!("PIPE_{pipe}"), pipe.code());
    }
    header.section("Number formats");
    for dtype in Dtype::ALL {
        header.define(&format!("DTYPE_{dtype}"), dtype.code());
    }
    header.section("Layouts, rounding modes, FB parameters");
    for layout in Layout::ALL {
        header.define(&format!("LAYOUT_{layout}"), layout.code());
    }
    for rounding in Rounding::ALL {
        header.define(&format!("ROUNDING_{rounding}"), rounding.code());
    }
    for field in FbField::ALL {
        header.define(&format!("FB_{field}"), field.code());
    }
    header.section("Fault causes");
    for cause in Cause::ALL {
        header.define(&format!("CAUSE_{}", cause.name()), cause.code());
    }
    header.section("State registers, by pipe");
    for register in &STATE_REGISTERS {
        header.define(&format!("STATE_{}_{}", register.pipe, register.name), register.index);
    }
    header.section("Counters: index i of counter_lo and counter_hi");
    for (index, counter) in Counter::all().enumerate() {
        header.define(&format!("COUNTER_{}", counter.name()), index as u64);
    }
}

fn instructions(header: &mut Header) {
    header.section("Slots: wait slots in word 0, set slots in word 1");
    for (slot, lo) in WAIT_SLOT_LO.into_iter().enumerate() {
        header.define(&format!("WAIT{slot}_SHIFT"), lo);
    }
    for (slot, lo) in SET_SLOT_LO.into_iter().enumerate() {
        header.define(&format!("SET{slot}_SHIFT"), lo);
    }
    header.define_hex("SLOT_VALID", 1u32 << SLOT_VALID_BIT);
    header.define("SLOT_PIPE_SHIFT", SLOT_PIPE_LO);
    header.define("SLOT_ID_SHIFT", SLOT_ID_LO);
    header.define_hex("SLOT_EARLY", 1u32 << SLOT_EARLY_BIT);
    header.section("Opcodes: bits 7:0 of word 0");
    for opcode in Opcode::ALL {
        header.define_hex(&format!("OP_{opcode}"), opcode.code().into());
    }
    for opcode in Opcode::ALL.into_iter().filter(|opcode| !opcode.fields().is_empty()) {
        header.section(&format!("{opcode}: {}", opcode.info().doc));
        for field in opcode.fields() {
            let name = format!("{opcode}_{}", field.name);
            header.define(&format!("{name}_WORD"), field.word as u64);
            header.define(&format!("{name}_SHIFT"), field.lo);
            header.define_hex(&format!("{name}_MASK"), field.mask());
            if let Legal::OneOf(values) = field.legal
                && matches!(field.name, "dst" | "src")
            {
                for (value, text) in values {
                    header.define(&format!("{name}_{text}"), *value);
                }
            }
        }
        for (word, mask) in opcode.reserved_mask().into_iter().enumerate().skip(2) {
            let name = format!("{opcode}_reserved_w{word}");
            header.define_hex(&name, mask);
            // As a sum: if two masks overlapped it would not come out.
            let masks: Vec<String> = opcode
                .fields()
                .iter()
                .filter(|field| field.word == word)
                .map(|field| format!(" + QUADER_{opcode}_{}_MASK", field.name).to_uppercase().replace('.', "_"))
                .collect();
            header.line(&format!(
                "QUADER_STATIC_ASSERT({}{} == 0xffffffffu, \"{opcode}: the fields of word {word} are disjoint\");",
                macro_name(&name),
                masks.concat()
            ));
        }
    }
}

fn registers(header: &mut Header) {
    header.section("Device page");
    header.define_hex("MAGIC", csr::MAGIC);
    for register in DEVICE_PAGE {
        header.define_hex(&format!("DEVICE_{}", register.name), register.offset);
    }
    header.section("Context pages: QUADER_CONTEXT(c) + offset");
    header.line(&format!("#define QUADER_CONTEXT(c) ({:#x}u * (1u + (c)))", csr::PAGE_BYTES));
    for register in CONTEXT_PAGE {
        context_register(header, register);
    }
    header.section("Values of status.state");
    for (name, value) in [("IDLE", 0u32), ("RUNNING", 1), ("DONE", 2), ("FAULT", 3)] {
        header.define(&format!("STATUS_{name}"), value);
    }
    header.section("Bits of irq_mask and irq_cause, and of window_rights");
    header.define("IRQ_DONE", csr::IRQ_DONE);
    header.define("IRQ_FAULT", csr::IRQ_FAULT);
    header.define("RIGHT_READ", csr::RIGHT_READ);
    header.define("RIGHT_WRITE", csr::RIGHT_WRITE);
    header.define("RIGHT_EXECUTE", csr::RIGHT_EXECUTE);
}

fn context_register(header: &mut Header, register: &Csr) {
    let name = format!("CSR_{}", register.name);
    if register.count == 1 {
        header.define_hex(&name, register.offset);
    } else {
        let element = format!("({:#x}u + {}u * (i))", register.offset, register.stride);
        header.line(&format!("#define {}(i) {element}", macro_name(&name)));
    }
    // The field of a doorbell is bit 0, and a whole-word field needs no mask.
    let is_part = |field: &&csr::CsrField| field.name != "value" && register.access != csr::Access::Doorbell;
    for field in register.fields.iter().filter(is_part) {
        header.define(&format!("{name}_{}_SHIFT", field.name), field.lo);
        header.define_hex(&format!("{name}_{}_MASK", field.name), field.mask());
    }
}
