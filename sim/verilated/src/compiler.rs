// SPDX-License-Identifier: Apache-2.0
//! The C++ compiler: which one, and the flags that every model is built with.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::place::Places;
use crate::process::run;

/// A C++ compiler that was run once and said what it is.
#[derive(Debug, Clone)]
pub(crate) struct Compiler {
    /// The command, and words that always follow it (`CXX="ccache g++"`).
    pub(crate) words: Vec<String>,
    /// First line of `--version`.
    pub(crate) version: String,
}

impl Compiler {
    /// The first of the places' compilers that runs.
    pub(crate) fn find(places: &Places) -> Result<Compiler> {
        let mut tried = Vec::new();
        for command in &places.compilers {
            let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
            let Some((program, rest)) = words.split_first() else { continue };
            match run(Command::new(program).args(rest).arg("--version").env("PATH", &places.path)) {
                Ok(output) if output.status.success() => {
                    let text = String::from_utf8_lossy(&output.stdout).into_owned();
                    let version = text.lines().next().unwrap_or("(no version)").trim().to_owned();
                    return Ok(Compiler { words, version });
                }
                Ok(output) => tried.push(format!("{command}: {}", output.status)),
                Err(cause) => tried.push(format!("{command}: {cause}")),
            }
        }
        Err(Error::NoCompiler { tried })
    }

    /// Where the compiler is, if it is found on the search path.
    pub(crate) fn path(&self, places: &Places) -> Option<PathBuf> {
        let program = Path::new(self.words.first()?);
        if program.is_absolute() { Some(program.to_owned()) } else { places.on_path(self.words.first()?) }
    }

    fn is_clang(&self) -> bool {
        self.version.contains("clang")
    }

    /// The compiler as a command, ready for arguments.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]);
        command
    }

    /// Flags of every compilation. The symbols of a library stay inside it: g++ would otherwise mark the runtime's statics unique in the process,
    /// and every model would share the first one's (and could never be separated again). Those of a program are seen by what it loads.
    pub(crate) fn compile_flags(&self, trace: bool, program: bool) -> Vec<String> {
        let mut flags = vec!["-std=gnu++17"];
        if !program {
            flags.extend(["-fPIC", "-fvisibility=hidden", "-fvisibility-inlines-hidden"]);
        }
        flags.extend(["-faligned-new", "-w"]);
        if self.is_clang() {
            flags.push("-fbracket-depth=4096");
        } else if !program {
            flags.push("-fno-gnu-unique");
        }
        let mut flags: Vec<String> = flags.into_iter().map(str::to_owned).collect();
        let traced = u8::from(trace);
        for (name, value) in
            [("VM_COVERAGE", 0), ("VM_SC", 0), ("VM_TIMING", 0), ("VM_TRACE_FST", 0), ("VM_TRACE_SAIF", 0)]
        {
            flags.push(format!("-D{name}={value}"));
        }
        flags.extend(
            ["VERILATOR=1".to_owned(), format!("VM_TRACE={traced}"), format!("VM_TRACE_VCD={traced}")]
                .map(|d| format!("-D{d}")),
        );
        flags
    }

    /// Flags of the link. An undefined symbol has to fail here, not when it is first called.
    pub(crate) fn link_flags(&self, program: bool) -> Vec<String> {
        let mut flags = vec![];
        match (program, cfg!(target_os = "macos")) {
            (true, _) => {}
            (false, true) => flags.extend(["-shared", "-Wl,-undefined,error"]),
            (false, false) => flags.extend(["-shared", "-Wl,-Bsymbolic", "-Wl,-z,defs"]),
        }
        if !cfg!(target_os = "macos") {
            flags.push("-pthread");
            if self.is_clang() {
                flags.push("-latomic");
            }
        }
        flags.into_iter().map(str::to_owned).collect()
    }
}
