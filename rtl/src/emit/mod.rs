// SPDX-License-Identifier: Apache-2.0
//! The printer: a Rust-HDL design in, faithful and readable Verilog out.
//!
//! ```text
//!  &dyn Block ──tree──► scopes ──lower──► typed nets and statements ──cone──► processes ──print──► module text ──► Design
//! ```
//!
//! Rule: what stands in the Verilog means what the Rust code means, or it is refused with the block and the expression named.
//! The crate's own text output is not used, because it prints some ordinary expressions wrongly without a word.
//!
//! * Every literal gets the width and the sign of what it meets; every widening is written out; nothing depends on
//!   Verilog's context rules. Hence `-Wall` has no width to complain about.
//! * Every distinct module is printed once and carries the name that its kernel gives (`comment!("name: purpose")`); `{x}` in
//!   that name is the width of signal `x`, `{x[]}` its number of elements.
//! * One process per independent cone of targets: only signals that end in registers may share a process, because a process that
//!   holds two combinational outputs makes a loop where the hardware has none.
//! * Leaves marked inline (registers) are printed in place, with the nets of the parent.
//! * A signal is a wire: reading it before its last assignment in the kernel would give Rust another value than the wire, so that is
//!   refused; so is a signal that is not assigned on every path (a latch).
//!
//! Tests: `tests/emit.rs`, `rtl/trees`, and the whole core in `tests/core.rs`.

mod cone;
mod index;
mod ir;
mod lower;
mod print;
mod tree;

use rust_hdl::prelude::Block;
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write as _};
use std::io;
use std::path::Path;

/// What the printer refuses, with the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmitError {
    /// Path of the block in the design, for example `top.mte1.skew`.
    pub block: String,
    /// The expression or signal, as close to the Rust text as the AST allows.
    pub place: String,
    /// Why it cannot be printed, and what to write instead.
    pub reason: String,
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot print `{}` in block `{}`: {}", self.place, self.block, self.reason)
    }
}

impl std::error::Error for EmitError {}

/// One Verilog module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Module name; the file is `<name>.v`.
    pub name: String,
    /// Whole text of the file, header comment included.
    pub text: String,
    /// Ports in the order of the text.
    pub ports: Vec<Port>,
    /// Modules that stand inside, in the order of the text; leaves printed in place are none.
    pub instances: Vec<Instance>,
}

/// A port of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Name in the Verilog text.
    pub name: String,
    /// True for an output.
    pub driven: bool,
    /// Width in bits.
    pub width: usize,
    /// True if the text says `signed`.
    pub signed: bool,
}

/// A module that stands in another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Name of the instance; elements of a list end in `_0`, `_1`, ...
    pub name: String,
    /// Name of the module.
    pub module: String,
}

/// An emitted design: modules in dependency order, the top last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Design {
    /// Every distinct module once; a module stands after those it instantiates.
    pub modules: Vec<Module>,
    /// Name of the top module.
    pub top: String,
}

impl Design {
    /// The module called `name`.
    pub fn module(&self, name: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.name == name)
    }

    /// File name and text of every module, for a simulator that takes sources from memory.
    pub fn files(&self) -> Vec<(String, String)> {
        self.modules.iter().map(|m| (format!("{}.v", m.name), m.text.clone())).collect()
    }

    /// All modules in one text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for module in &self.modules {
            text.push_str(&module.text);
            text.push('\n');
        }
        text
    }

    /// Writes one file per module and the file list `quader.f` into `dir`, which is created.
    ///
    /// Errors: whatever the file system says.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        std::fs::create_dir_all(dir)?;
        let mut list = String::new();
        for (file, text) in self.files() {
            std::fs::write(dir.join(&file), text)?;
            // Writing to a String cannot fail.
            let _ = writeln!(list, "{file}");
        }
        std::fs::write(dir.join("quader.f"), list)
    }
}

/// Prints `top` as module `name` with everything below it.
///
/// `top` must be connected (`connect_all`). Errors: [`EmitError`] for the first thing that has no faithful Verilog.
pub fn emit(top: &dyn Block, name: &str) -> Result<Design, EmitError> {
    let scope = tree::scan(top, name);
    let mut emitter = Emitter::default();
    let top = emitter.module(&scope, Some(name))?;
    Ok(Design { modules: emitter.modules, top })
}

/// Modules printed so far: a body that was seen before gets the name it had.
#[derive(Default)]
struct Emitter {
    modules: Vec<Module>,
    by_body: HashMap<(String, String), String>,
    name_uses: HashMap<String, usize>,
}

impl Emitter {
    /// Prints the children of `scope`, then itself; returns the module's name.
    fn module(&mut self, scope: &tree::Scope, forced: Option<&str>) -> Result<String, EmitError> {
        let mut kinds = Vec::with_capacity(scope.children.len());
        for child in &scope.children {
            kinds.push(match tree::inline_text(&child.hdl) {
                Some(_) => String::new(),
                None => self.module(child, None)?,
            });
        }
        let lowered = lower::lower(scope)?;
        let title = tree::Title::of(scope);
        let base = forced.map_or(title.name, str::to_owned);
        if lower::RESERVED.contains(&base.as_str()) {
            return Err(EmitError {
                block: scope.path.clone(),
                place: base,
                reason: "a module may not be called by a word of Verilog; choose another name".to_owned(),
            });
        }
        let ports = ports(&lowered);
        let instances = instances(scope, &kinds);
        let nets: HashSet<String> = lowered.nets.iter().map(|net| net.name.clone()).collect();
        let refuse = |place: &str, reason: &str| EmitError {
            block: scope.path.clone(),
            place: place.to_owned(),
            reason: reason.to_owned(),
        };
        if let Some(instance) = instances.iter().find(|instance| nets.contains(&instance.name)) {
            return Err(refuse(&instance.name, "a signal and an instance get this name in Verilog; rename one"));
        }
        // Below the top that is legal everywhere; at the top it is Verilog too, but Verilator's C++ has one scope for both.
        if forced.is_some() && nets.contains(&base) {
            return Err(refuse(&base, "a signal of the top module may not have its name; print it under another one"));
        }
        let body = print::body(scope, lowered, &kinds)?;
        let key = (base.clone(), body.clone());
        if let Some(name) = self.by_body.get(&key) {
            return Ok(name.clone());
        }
        let uses = self.name_uses.entry(base.clone()).or_insert(0);
        *uses += 1;
        let name = if *uses == 1 { base } else { format!("{base}_v{uses}") };
        self.by_body.insert(key, name.clone());
        let text = print::file(&name, &title.purpose, &body);
        self.modules.push(Module { text, name: name.clone(), ports, instances });
        Ok(name)
    }
}

/// The ports of a module, in the order of its nets, which is that of the text.
fn ports(lowered: &ir::Lowered) -> Vec<Port> {
    let port = |net: &ir::Net| {
        let driven = match net.role {
            ir::Role::Input => false,
            ir::Role::Output => true,
            _ => return None,
        };
        Some(Port { name: net.name.clone(), driven, width: net.width, signed: net.signed })
    };
    lowered.nets.iter().filter_map(port).collect()
}

/// The children that are modules of their own; `kinds` has the module of each child, empty for a leaf printed in place.
fn instances(scope: &tree::Scope, kinds: &[String]) -> Vec<Instance> {
    let own = scope.children.iter().zip(kinds).filter(|(_, kind)| !kind.is_empty());
    own.map(|(child, kind)| Instance { name: tree::flat(&child.name), module: kind.clone() }).collect()
}
