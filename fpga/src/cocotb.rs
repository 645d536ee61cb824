// SPDX-License-Identifier: Apache-2.0
//! cocotb with the AXI models of `cocotbext-axi`: testbenches in Python, by people who have never seen this project.

use crate::debian::unpack;
use crate::error::{Error, Result};
use crate::python::{self, Python};
use crate::run;
use rtl::emit::Design;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use verilated::place::Places;
use verilated::setup::Wheels;
use verilated::tool::ToolState;
use verilated::{Build, Vpi};

const PACKAGES: Wheels = Wheels {
    tool: "cocotb",
    main: ("cocotb", "2.1.0"),
    requirements: include_str!("../../tests/cocotb/requirements.txt"),
    megabytes: 30,
    needs: "cocotb/__init__.py",
};

/// Tells what cocotb's own start script would find out: the interpreter, its shared library, how the library enters Python, and its version.
const ASK: &str = "
import sys, numpy, cocotbext.axi, cocotb_tools.config
from find_libpython import find_libpython
print(sys.executable)
print(find_libpython() or '')
print(cocotb_tools.config.pygpi_entry_point())
print('{}.{}'.format(*sys.version_info))
";

/// Lines of a log that a failure shows.
const LAST_LINES: usize = 40;

/// cocotb, ready to run.
#[derive(Debug, Clone)]
pub struct Cocotb {
    python: Python,
    /// The interpreter's own name of itself.
    executable: PathBuf,
    /// What its start loads: the shared library of Python, then cocotb's entry.
    users: String,
}

/// A test of cocotb: a module of Python with what it is given.
#[derive(Debug)]
pub struct Session<'a> {
    /// Folder of the module.
    pub folder: &'a Path,
    /// Its name.
    pub module: &'a str,
    /// Variables of the environment.
    pub variables: &'a [(&'a str, String)],
    /// Seed of cocotb's random numbers and of the power-up state.
    pub seed: u64,
    /// Folder for `results.xml` and `cocotb.log`.
    pub out: &'a Path,
}

/// What became of the tests of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Names of the tests that passed.
    pub passed: Vec<String>,
    /// Names of the tests that failed.
    pub failed: Vec<String>,
    /// Everything that was printed.
    pub log: String,
    /// Where it stands.
    pub log_file: PathBuf,
}

impl Cocotb {
    /// What `quader doctor` says of it; nothing is set up.
    pub fn state() -> ToolState {
        python::state(&PACKAGES)
    }

    /// The pinned cocotb, set up if it is not there yet. It runs inside the simulator, so Python's shared library has to be there too: the
    /// interpreter's own, or else Debian's, unpacked into the tools folder.
    ///
    /// *Errors*: [`Error::Missing`] with what to install.
    pub fn find() -> Result<Cocotb> {
        let python = Python::find(&PACKAGES)?;
        let answer = python.ask(ASK)?;
        let [executable, library, entry, version] = &answer.lines().collect::<Vec<_>>()[..] else {
            return Err(python.cannot_import(&answer));
        };
        let library = match *library {
            "" => debian_library(&Places::from_env(), version)
                .map_err(|reason| Error::Missing { tool: PACKAGES.tool, reason })?,
            found => PathBuf::from(found),
        };
        let users = format!("{};{entry}", library.display());
        let executable = PathBuf::from(executable);
        Ok(Cocotb { python, executable, users })
    }

    /// The design as a simulator that cocotb drives: from the cache, or built now.
    ///
    /// *Errors*: [`Error::Build`] if it cannot be built, [`Error::Read`] if the package is not whole.
    pub fn build(&self, design: &Design) -> Result<PathBuf> {
        let main = self.python.packages().join("cocotb/share/lib/verilator/verilator.cpp");
        let libraries = self.python.packages().join("cocotb/libs");
        let libraries = libraries.display();
        let vpi = Vpi {
            main: fs::read_to_string(&main).map_err(|cause| Error::Read { path: main, cause })?,
            prefix: "Vtop".into(),
            link: [format!("-L{libraries}"), "-lcocotbvpi_verilator".into(), format!("-Wl,-rpath,{libraries}")].into(),
        };
        let build = Build::new(&design.top).text("ports.vlt", visible_ports(design)).texts(design.files());
        build.program(&vpi).map_err(|cause| Error::Build { cause: Box::new(cause) })
    }

    /// Runs the tests of a module in a simulator that [`Cocotb::build`] made.
    ///
    /// *Errors*: [`Error::Refused`] with the end of the log if it ended without results; [`Error::Read`], [`Error::Write`], [`Error::Run`].
    pub fn run(&self, simulator: &Path, design: &Design, session: &Session) -> Result<Verdict> {
        let Session { folder, module, variables, seed, out } = *session;
        fs::create_dir_all(out).map_err(|cause| Error::Write { path: out.to_owned(), cause })?;
        let results = out.join("results.xml");
        let _ = fs::remove_file(&results);
        let paths = std::env::join_paths([folder, self.python.packages()]).unwrap_or_default();
        let seed = seed as u32 & 0x7FFF_FFFF;
        let mut command = Command::new(simulator);
        command
            .current_dir(out)
            .args(["+verilator+rand+reset+2".to_owned(), format!("+verilator+seed+{}", seed.max(1))])
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .env("GPI_USERS", &self.users)
            .env("PYGPI_PYTHON_BIN", &self.executable)
            .env("PYTHONPATH", paths)
            .env("PYTHONNOUSERSITE", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONWARNINGS", "ignore::DeprecationWarning")
            .env("COCOTB_TEST_MODULES", module)
            .env("COCOTB_TOPLEVEL", &design.top)
            .env("COCOTB_RESULTS_FILE", &results)
            .env("COCOTB_RANDOM_SEED", seed.to_string())
            .env("COCOTB_TRUST_INERTIAL_WRITES", "1")
            .env("TOPLEVEL_LANG", "verilog");
        let log = run(&mut command)?.text;
        let log_file = out.join("cocotb.log");
        fs::write(&log_file, &log).map_err(|cause| Error::Write { path: log_file.clone(), cause })?;
        let Ok(xml) = fs::read_to_string(&results) else {
            let lines: Vec<&str> = log.lines().collect();
            let text = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
            return Err(Error::Refused { tool: PACKAGES.tool, text });
        };
        let (passed, failed) = tests_of(&xml);
        Ok(Verdict { passed, failed, log, log_file })
    }

    /// Runs a script of Python with the packages at hand, and gives what it printed.
    ///
    /// *Errors*: [`Error::Refused`] with all that it printed if it fails; [`Error::Run`].
    pub fn script(&self, script: &Path, arguments: &[String]) -> Result<String> {
        self.python.script(script, arguments)
    }
}

/// What makes the ports, and nothing else, visible over VPI: the rest is left to Verilator to optimise.
fn visible_ports(design: &Design) -> String {
    let ports = design.module(&design.top).map_or(&[][..], |top| &top.ports);
    let lines = ports.iter().map(|port| format!("public_flat_rw -module \"{}\" -var \"{}\"\n", design.top, port.name));
    format!("`verilator_config\n{}", lines.collect::<String>())
}

/// The library of Debian's package, for an interpreter without one.
fn debian_library(places: &Places, version: &str) -> std::result::Result<PathBuf, String> {
    let package = format!("libpython{version}");
    let root = places.tools.join(&package);
    if !root.is_dir() {
        unpack(&package, &root, |root| library_in(root).is_some()).map_err(|why| {
            format!("python3 {version} has no shared library and {why} (Debian: `sudo apt install {package}`)")
        })?;
    }
    library_in(&root).ok_or_else(|| format!("{} is not whole: delete it", root.display()))
}

/// `usr/lib/<system>/libpython3.x.so.1.0`.
fn library_in(root: &Path) -> Option<PathBuf> {
    let files = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    files(root.join("usr/lib")).flat_map(files).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libpython3") && name.ends_with(".so.1.0")
    })
}

/// Names of the tests that passed and that failed, by the results in the form of JUnit; a test that was skipped has not passed.
fn tests_of(xml: &str) -> (Vec<String>, Vec<String>) {
    let cases = xml.split("<testcase ").skip(1).map(|rest| rest.split("<testcase ").next().unwrap_or(rest));
    let (mut passed, mut failed) = (vec![], vec![]);
    for case in cases {
        let name = case.split(" name=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("?").to_owned();
        let body = case.split("</testcase>").next().unwrap_or(case);
        let bad = ["<failure", "<error", "<skipped"].iter().any(|word| body.contains(word));
        if bad { failed.push(name) } else { passed.push(name) }
    }
    (passed, failed)
}

#[cfg(test)]
mod tests {
    use super::tests_of;

    #[test]
    fn results_are_read_as_they_are() {
        let xml = r#"<testsuites><testsuite name="judge" tests="3">
            <testcase classname="judge" name="one" time="0.1"><properties><property name="x" value="1" /></properties></testcase>
            <testcase classname="judge" name="two/a=1" time="0.1"><failure message="no" /></testcase>
            <testcase classname="judge" name="three" time="0.1"><skipped /></testcase>
            <testcase classname="judge" name="four" time="0.1" /></testsuite></testsuites>"#;
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(tests_of(xml), (words(&["one", "four"]), words(&["two/a=1", "three"])));
        assert_eq!(tests_of("<testsuites />"), (vec![], vec![]));
    }
}
