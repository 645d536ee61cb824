// SPDX-License-Identifier: Apache-2.0
//! Proofs about the emitted Verilog: properties read inside its modules, by k-induction, with counterexamples as waves.
//!
//! ```text
//!  Design + properties ──Yosys──► states, transitions, assumptions, assertions (SMT-LIB) ──Z3──► proved | counterexample (VCD)
//! ```
//! *Base*: from power-up on, no assertion fails in the first k cycles. *Step*: after any k cycles in which all assertions hold,
//! reachable or not, they hold in the next one. Together: in every cycle, for ever. All assertions of a design are proved together, so
//! each may lean on the others. Tests: `tests/formal.rs`. Page: `docs/formal.md`.

use crate::error::{Error, Result};
use crate::smt::{Session, Z3};
use crate::trace::Trace;
use crate::yosys::{Yosys, quoted};
use rtl::emit::Design;
use std::fs;
use std::path::{Path, PathBuf};

/// Properties in SystemVerilog (`assume`, `assert`, `cover`) that stand inside a module of the design and see all its signals.
#[derive(Debug, Clone)]
pub struct Properties<'a> {
    /// Name of the module.
    pub module: &'a str,
    /// The text; every assertion and cover has a label.
    pub text: String,
}

/// A design with its properties as a transition system.
#[derive(Debug)]
pub struct System {
    z3: Z3,
    top: String,
    folder: PathBuf,
    /// Yosys' text.
    smt: String,
    asserts: Vec<Goal>,
    covers: Vec<Goal>,
    signals: Vec<(String, usize)>,
}

/// A property: its label and the term that says it of a state.
#[derive(Debug)]
struct Goal {
    name: String,
    function: String,
}

impl System {
    /// Reads `design` with `properties` into the tools; files go to `folder`, so do the waves of a proof that fails.
    ///
    /// *Errors*: [`Error::Missing`]; [`Error::Refused`] if Yosys does not take the text; [`Error::Property`] for a module that is not there, a
    /// property without a label, or two of one label.
    pub fn new(design: &Design, properties: &[Properties<'_>], folder: &Path) -> Result<System> {
        let (yosys, z3) = (Yosys::find()?, Z3::find()?);
        fs::create_dir_all(folder).map_err(|cause| Error::Write { path: folder.to_owned(), cause })?;
        for Properties { module, .. } in properties {
            if design.module(module).is_none() {
                return Err(Error::Property { text: format!("there is no module {module} in {}", design.top) });
            }
        }
        let mut files = Vec::new();
        for (file, text) in design.files() {
            let inside = properties.iter().filter(|part| file.strip_suffix(".v") == Some(part.module));
            let text = inside.fold(text, |text, part| with_inside(&text, &part.text));
            let path = folder.join(&file);
            fs::write(&path, text).map_err(|cause| Error::Write { path: path.clone(), cause })?;
            files.push(quoted(&path));
        }
        let smt = folder.join(format!("{}.smt2", design.top));
        yosys.run(&[
            format!("read_verilog -sv -formal -nolatches {}", files.join(" ")),
            format!("hierarchy -check -top {}", design.top),
            "proc -noopt".into(),
            "flatten".into(),
            "chformal -lower".into(),
            "memory -nomap".into(),
            "opt_clean".into(),
            "check -assert".into(),
            "dffunmap".into(),
            format!("write_smt2 -wires {}", quoted(&smt)),
        ])?;
        let text = fs::read_to_string(&smt).map_err(|cause| Error::Write { path: smt, cause })?;
        let mut system = System {
            z3,
            top: design.top.clone(),
            folder: folder.to_owned(),
            asserts: Vec::new(),
            covers: Vec::new(),
            signals: Vec::new(),
            smt: text,
        };
        system.read_notes()?;
        Ok(system)
    }

    /// Takes the names from the notes that Yosys leaves in its text.
    fn read_notes(&mut self) -> Result<()> {
        for line in self.smt.lines() {
            let Some(note) = line.strip_prefix("; yosys-smt2-") else { continue };
            let words: Vec<&str> = note.split_whitespace().collect();
            let goal = |kind: &str, number: &str, name: &str| Goal {
                name: name.to_owned(),
                function: format!("|{}_{kind} {number}|", self.top),
            };
            match words[..] {
                ["assert", number, name, ..] => self.asserts.push(goal("a", number, name)),
                ["cover", number, name, ..] => self.covers.push(goal("c", number, name)),
                ["wire", name, width] if !name.contains('$') => {
                    self.signals.push((name.to_owned(), width.parse().unwrap_or(1)));
                }
                _ => {}
            }
        }
        let mut names: Vec<&str> = self.asserts.iter().chain(&self.covers).map(|goal| goal.name.as_str()).collect();
        if self.asserts.is_empty() {
            return Err(Error::Property { text: format!("there is no assertion in {}", self.top) });
        }
        if let Some(name) = names.iter().find(|name| name.contains('$')) {
            return Err(Error::Property {
                text: format!("a property in {} needs a label of its own: {name}", self.top),
            });
        }
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                Err(Error::Property { text: format!("two properties in {} are called {}", self.top, pair[0]) })
            }
            None => Ok(()),
        }
    }

    /// Labels of the assertions.
    pub fn assertions(&self) -> impl Iterator<Item = &str> {
        self.asserts.iter().map(|goal| goal.name.as_str())
    }

    /// Labels of the covers.
    pub fn covers(&self) -> impl Iterator<Item = &str> {
        self.covers.iter().map(|goal| goal.name.as_str())
    }

    /// Proves all assertions, for every input that keeps the assumptions and for ever, by induction over `k` cycles.
    ///
    /// *Errors*: [`Error::Disproved`] with the assertion and a counterexample; [`Error::Refused`] if the solver gives up.
    pub fn prove(&self, k: usize) -> Result<()> {
        let all = format!("|{}_a|", self.top);
        let mut base = Unrolled::new(self, true)?;
        for cycle in 0..k {
            if base.possible(&format!("(not {})", at(&all, cycle)))? {
                return Err(self.disproved(&mut base, cycle, "in the first cycles"));
            }
            base.hold(&all, cycle)?;
            base.step()?;
        }
        let mut step = Unrolled::new(self, false)?;
        for cycle in 0..k {
            step.hold(&all, cycle)?;
            step.step()?;
        }
        match step.possible(&format!("(not {})", at(&all, k)))? {
            true => Err(self.disproved(&mut step, k, "in the step of the induction (perhaps an invariant is missing)")),
            false => Ok(()),
        }
    }

    /// The first cycle, counted from power-up and below `cycles`, in which this one assertion can fail.
    ///
    /// *Errors*: [`Error::Property`] if there is no such assertion; [`Error::Refused`] if the solver gives up.
    pub fn counterexample(&self, assertion: &str, cycles: usize) -> Result<Option<usize>> {
        self.reach(&self.asserts, assertion, cycles, |term| format!("(not {term})"))
    }

    /// The first cycle, counted from power-up and below `cycles`, in which a cover is reached.
    ///
    /// *Errors*: as [`System::counterexample`].
    pub fn cover(&self, cover: &str, cycles: usize) -> Result<Option<usize>> {
        self.reach(&self.covers, cover, cycles, str::to_owned)
    }

    fn reach(
        &self,
        goals: &[Goal],
        name: &str,
        cycles: usize,
        wanted: impl Fn(&str) -> String,
    ) -> Result<Option<usize>> {
        let goal = goals.iter().find(|goal| goal.name == name);
        let goal =
            goal.ok_or_else(|| Error::Property { text: format!("there is no property {name} in {}", self.top) })?;
        let mut states = Unrolled::new(self, true)?;
        for cycle in 0..cycles {
            if states.possible(&wanted(&at(&goal.function, cycle)))? {
                return Ok(Some(cycle));
            }
            states.step()?;
        }
        Ok(None)
    }

    /// The error for a state in which some assertion fails.
    fn disproved(&self, states: &mut Unrolled<'_>, cycle: usize, place: &'static str) -> Error {
        let terms: Vec<String> = self.asserts.iter().map(|goal| at(&goal.function, cycle)).collect();
        let failing = states.session.values(&terms).map(|values| {
            let failing = self.asserts.iter().zip(&values).filter(|(_, value)| *value == "0");
            failing.map(|(goal, _)| goal.name.clone()).collect::<Vec<_>>()
        });
        let failing = match failing {
            Ok(failing) => failing.join(", "),
            Err(error) => return error,
        };
        match self.waves(states, cycle) {
            Ok(vcd) => Error::Disproved { block: self.top.clone(), failing, place, cycle, vcd },
            Err(error) => error,
        }
    }

    fn waves(&self, states: &mut Unrolled<'_>, last: usize) -> Result<PathBuf> {
        let mut trace = Trace::new(&self.top, &self.signals);
        for cycle in 0..=last {
            let term = |(signal, _): &(String, usize)| at(&format!("|{}_n {signal}|", self.top), cycle);
            let terms: Vec<String> = self.signals.iter().map(term).collect();
            trace.cycle(states.session.values(&terms)?);
        }
        let path = self.folder.join("failed.vcd");
        trace.write(&path).map_err(|cause| Error::Write { path: path.clone(), cause })?;
        Ok(path)
    }
}

/// States of a system one after the other, in a conversation with the solver.
struct Unrolled<'a> {
    system: &'a System,
    session: Session,
    /// Number of the last state.
    last: usize,
    /// A question was asked whose extra condition still stands, so that its values can be read.
    asked: bool,
}

impl<'a> Unrolled<'a> {
    /// One state: as after power-up, or any.
    fn new(system: &'a System, power_up: bool) -> Result<Unrolled<'a>> {
        let mut session = system.z3.start()?;
        session.tell(&system.smt)?;
        let mut states = Unrolled { system, session, last: 0, asked: false };
        states.state(0)?;
        if power_up {
            states.hold(&format!("|{}_i|", system.top), 0)?;
        }
        Ok(states)
    }

    fn state(&mut self, number: usize) -> Result<()> {
        let top = &self.system.top;
        self.session.tell(&format!("(declare-const s{number} |{top}_s|)"))?;
        self.hold(&format!("|{top}_h|"), number)?;
        self.hold(&format!("|{top}_u|"), number)
    }

    /// From here on a term is true of a state.
    fn hold(&mut self, function: &str, number: usize) -> Result<()> {
        self.forget()?;
        self.session.tell(&format!("(assert {})", at(function, number)))
    }

    /// One more state, after the last.
    fn step(&mut self) -> Result<()> {
        self.forget()?;
        self.last += 1;
        self.state(self.last)?;
        self.session.tell(&format!("(assert (|{}_t| s{} s{}))", self.system.top, self.last - 1, self.last))
    }

    /// Whether a condition can be true with all that holds; if so, its values can be read until the next call.
    fn possible(&mut self, condition: &str) -> Result<bool> {
        self.forget()?;
        self.session.tell(&format!("(push 1)(assert {condition})"))?;
        self.asked = true;
        self.session.satisfiable()
    }

    fn forget(&mut self) -> Result<()> {
        if std::mem::take(&mut self.asked) {
            self.session.tell("(pop 1)")?;
        }
        Ok(())
    }
}

/// A function of a state.
fn at(function: &str, number: usize) -> String {
    format!("({function} s{number})")
}

/// A module's text with more of it before its end.
fn with_inside(module: &str, text: &str) -> String {
    let end = module.rfind("endmodule").expect("a module has an end");
    format!("{}\n{text}\n{}", &module[..end], &module[end..])
}
