// SPDX-License-Identifier: Apache-2.0
//! From Verilog text to a loaded [`Model`]: the key, the lock, Verilator, the C++ compiler, the rename.
//!
//! The key is the content: every source with its name, the top module, all options, the Verilator and compiler with their versions, and this
//! crate's own C++. If an entry of that key exists it is loaded and nothing else runs; the cost is then well under a millisecond.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use crate::cache::{self, EntryLock, PARTIAL};
use crate::compiler::Compiler;
use crate::error::{Error, Result};
use crate::generated;
use crate::inner::{self, INNER_CPP, INNER_VLT};
use crate::model::Model;
use crate::place::Places;
use crate::process::{CompilerSlot, first_lines, run, shown, with_deep_stack};
use crate::runtime;
use crate::tool::Tool;

/// From here on `(a << b) << c` becomes `a << (b + c)` with the sum cut to the width of `b` (verilator issue 7955): two rewrites stay off.
const FIRST_WITH_SHIFT_FAULT: &str = "5.048";
const SHIFT_FAULT_OFF: [&str; 2] =
    ["-fno-dfg-peephole-replace-shiftl-shiftl", "-fno-dfg-peephole-replace-shiftr-shiftr"];

/// The C++ of every model's interface.
const SHIM_CPP: &str = include_str!("shim.cpp");

/// Files of an entry: a library to be loaded, or a program.
const LIBRARY: &str = "libdut.so";
const PROGRAM: &str = "dut";

/// Below this size of generated C++ one compilation is cheapest: each further one reads the same headers again for about a second.
const ONE_UNIT_BYTES: u64 = 1_500_000;

/// Runs of fewer clock cycles than this do not earn back what optimised compilation costs.
const SHORT_RUN_CYCLES: u64 = 100_000;

/// Runs of more clock cycles than this earn back the doubled compilation time of -O2.
const LONG_RUN_CYCLES: u64 = 20_000_000;

/// A Verilog design to be built. Sources are text: no file outside the cache folder is read.
///
/// Every build has `--x-initial unique` and `--x-assign unique`, so each instance chooses its power-up state ([`crate::Reset`]).
#[derive(Debug, Clone)]
pub struct Build {
    top: String,
    sources: Vec<(String, String)>,
    assertions: bool,
    trace: bool,
    cycles: Option<u64>,
    parameters: Vec<(String, String)>,
    /// Patterns (module, signal) of what can be read inside.
    inner: Vec<(String, String)>,
    places: Option<Places>,
    progress: Option<fn(&str)>,
}

/// A testbench that is not in Rust: a library that drives the design over VPI, and the C++ `main` that calls it.
#[derive(Debug, Clone)]
pub struct Vpi {
    /// Text of the `main`.
    pub main: String,
    /// What the `main` calls the class of the model.
    pub prefix: String,
    /// Words for the linker: the library, and where it is.
    pub link: Vec<String>,
}

/// What a build did, for logs and tests.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildInfo {
    /// The folder of this model in the cache.
    pub folder: PathBuf,
    /// True if Verilator and the compiler ran for this call, false if the model came from the cache.
    pub built: bool,
    /// Wall time of the call in seconds.
    pub seconds: f64,
    /// Optimisation of the part that runs every cycle (`-O1`).
    pub opt: String,
    /// Version of the Verilator that built it.
    pub verilator: String,
}

impl Build {
    /// A design whose top module is `top`, without sources yet.
    #[must_use]
    pub fn new(top: &str) -> Build {
        Build {
            top: top.to_owned(),
            sources: Vec::new(),
            assertions: false,
            trace: false,
            cycles: None,
            parameters: Vec::new(),
            inner: Vec::new(),
            places: None,
            progress: None,
        }
    }

    /// Adds a source; `name` is a plain file name and appears in messages (`adder.v:3`).
    #[must_use]
    pub fn text(mut self, name: impl Into<String>, text: impl Into<String>) -> Build {
        self.sources.push((name.into(), text.into()));
        self
    }

    /// Adds many sources of (name, text).
    #[must_use]
    pub fn texts<N: Into<String>, T: Into<String>>(mut self, sources: impl IntoIterator<Item = (N, T)>) -> Build {
        self.sources.extend(sources.into_iter().map(|(name, text)| (name.into(), text.into())));
        self
    }

    /// Checks the design's assertions; a failed one is [`Error::Simulation`].
    #[must_use]
    pub fn assertions(mut self) -> Build {
        self.assertions = true;
        self
    }

    /// Builds with waveform tracing if `yes`: another entry of the cache, since tracing doubles the C++.
    #[must_use]
    pub fn trace(mut self, yes: bool) -> Build {
        self.trace = yes;
        self
    }

    /// Says about how many clock cycles the model will run: short runs compile with -O0, usual ones with -O1 (the default), very long ones
    /// with -O2. The environment variable `VERILATED_OPT` (0, 1, 2, 3, s) overrides.
    #[must_use]
    pub fn cycles_hint(mut self, cycles: u64) -> Build {
        self.cycles = Some(cycles);
        self
    }

    /// Sets a parameter of the top module (`-Gname=value`).
    #[must_use]
    pub fn parameter(mut self, name: &str, value: impl ToString) -> Build {
        self.parameters.push((name.to_owned(), value.to_string()));
        self
    }

    /// Lets instances read the signals `signal` of the modules `module` ([`crate::Dut::inner`]); `*` stands for any letters in both. They then
    /// stay as they are in the model, which costs a little speed.
    #[must_use]
    pub fn inner(mut self, module: &str, signal: &str) -> Build {
        self.inner.push((module.to_owned(), signal.to_owned()));
        self
    }

    /// Uses these places instead of the environment's.
    #[must_use]
    pub fn places(mut self, places: Places) -> Build {
        self.places = Some(places);
        self
    }

    /// Called with one line before each step that takes long (never if the model is in the cache).
    #[must_use]
    pub fn progress(mut self, tell: fn(&str)) -> Build {
        self.progress = Some(tell);
        self
    }

    /// The model: from the cache, or built now. Others who want the same model wait for this build.
    ///
    /// # Errors
    /// [`Error::NoVerilator`], [`Error::BadVerilator`], [`Error::NoCompiler`] if a tool is missing; [`Error::BadSources`]; [`Error::Tool`] with
    /// the tool's words if the design is refused; [`Error::UnsupportedPort`]; [`Error::Io`]; [`Error::Load`].
    pub fn build(&self) -> Result<Arc<Model>> {
        let (info, lock) = self.entry(None)?;
        let library = info.folder.join(LIBRARY);
        let model = Model::load(&self.top, &library, self.trace, info)?;
        drop(lock);
        Ok(Arc::new(model))
    }

    /// The design as a program whose testbench comes over VPI: from the cache, or built now, as by [`Build::build`].
    ///
    /// # Errors
    /// As [`Build::build`], without those of ports and loading.
    pub fn program(&self, vpi: &Vpi) -> Result<PathBuf> {
        let (info, _lock) = self.entry(Some(vpi))?;
        Ok(info.folder.join(PROGRAM))
    }

    /// The entry of the cache, there for as long as the lock is held.
    fn entry(&self, vpi: Option<&Vpi>) -> Result<(BuildInfo, EntryLock)> {
        let started = Instant::now();
        check_sources(&self.top, &self.sources)?;
        let places = self.places.clone().unwrap_or_else(Places::from_env);
        let (tool, compiler) = tools(&places)?;
        let opt = self.opt();
        let entry = self.entry_name(&tool, &compiler, &opt, vpi);
        let cache_folder = &places.cache;
        let folder = cache_folder.join(&entry);
        let lock = EntryLock::take(cache_folder, &entry)?;
        let built = !folder.join(if vpi.is_some() { PROGRAM } else { LIBRARY }).is_file();
        if built {
            let partial = cache_folder.join(format!("{entry}{PARTIAL}"));
            let (build, tool, compiler, partial, opt) = (self, &tool, &compiler, &partial, &opt);
            let step = Step { build, vpi, tool, compiler, cache_folder, partial, opt };
            step.tell(format!("building {} with Verilator {} and {opt}", self.top, tool.version));
            if let Err(error) = step.everything() {
                return Err(keep_failed(error, cache_folder, &entry, partial));
            }
            fs::rename(partial, &folder).map_err(Error::io("move into place", &folder))?;
            record(cache_folder, &entry, started.elapsed().as_secs_f64(), opt, &tool.version)?;
            cache::prune_sometimes(cache_folder)?;
        }
        cache::touch(&folder);
        let info = BuildInfo { folder, built, seconds: started.elapsed().as_secs_f64(), opt, verilator: tool.version };
        Ok((info, lock))
    }

    fn opt(&self) -> String {
        let level = match std::env::var("VERILATED_OPT") {
            Ok(level) if matches!(level.trim(), "0" | "1" | "2" | "3" | "s") => level.trim().to_owned(),
            _ => match self.cycles {
                Some(cycles) if cycles < SHORT_RUN_CYCLES => "0".to_owned(),
                Some(cycles) if cycles > LONG_RUN_CYCLES => "2".to_owned(),
                _ => "1".to_owned(),
            },
        };
        format!("-O{level}")
    }

    /// Arguments that do not depend on folders; they are part of the key.
    fn verilator_flags(&self, tool: &Tool, vpi: Option<&Vpi>) -> Vec<String> {
        let mut flags: Vec<String> =
            ["--cc", "--prefix", prefix(vpi), "--top-module", &self.top].map(str::to_owned).to_vec();
        if vpi.is_some() {
            flags.push("--vpi".to_owned());
        }
        flags.extend(
            ["-Wno-lint", "-Wno-style", "-Wno-fatal", "--x-assign", "unique", "--x-initial", "unique"]
                .map(str::to_owned),
        );
        flags.extend(["--timescale-override", "1ns/1ns"].map(str::to_owned));
        if tool.version.as_str() >= FIRST_WITH_SHIFT_FAULT {
            flags.extend(SHIFT_FAULT_OFF.map(str::to_owned));
        }
        flags.push(if self.assertions { "--assert" } else { "--no-assert" }.to_owned());
        if self.trace {
            flags.extend(["--trace", "--trace-structs"].map(str::to_owned));
        }
        flags.extend(self.parameters.iter().map(|(name, value)| format!("-G{name}={value}")));
        flags
    }

    fn entry_name(&self, tool: &Tool, compiler: &Compiler, opt: &str, vpi: Option<&Vpi>) -> String {
        let mut parts = vec![tool.identity(), compiler.words.join(" "), compiler.version.clone()];
        parts.extend([opt.to_owned(), SHIM_CPP.to_owned(), runtime::RUNTIME_H.to_owned()]);
        parts.extend(compiler.compile_flags(self.trace, vpi.is_some()));
        parts.extend(compiler.link_flags(vpi.is_some()));
        parts.extend(self.verilator_flags(tool, vpi));
        if !self.inner.is_empty() {
            parts.extend([INNER_CPP.to_owned(), inner::control_file(&self.inner)]);
        }
        parts.extend(vpi.iter().flat_map(|vpi| [vec![vpi.main.clone()], vpi.link.clone()].concat()));
        parts.extend(self.sources.iter().flat_map(|(name, text)| [name.clone(), text.clone()]));
        format!("{}-{}", self.top, digest(parts.iter().map(String::as_str)))
    }
}

/// The tools for these places. Versions are asked once per process and place: every build of a test binary uses the same ones.
fn tools(places: &Places) -> Result<(Tool, Compiler)> {
    type Known = Vec<(Places, Tool, Compiler)>;
    static KNOWN: OnceLock<Mutex<Known>> = OnceLock::new();
    let mut known = KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let same = |have: &Places| {
        have.verilator_root == places.verilator_root
            && have.tools == places.tools
            && have.path == places.path
            && have.compilers == places.compilers
            && have.pythons == places.pythons
    };
    if let Some((_, tool, compiler)) = known.iter().find(|(have, ..)| same(have)) {
        return Ok((tool.clone(), compiler.clone()));
    }
    // The compiler first: its absence should be told before a download, not after.
    let compiler = Compiler::find(places)?;
    let tool = Tool::find_in(places)?;
    known.push((places.clone(), tool.clone(), compiler.clone()));
    Ok((tool, compiler))
}

/// Refuses sources that could not stand side by side in one folder.
pub(crate) fn check_sources(top: &str, sources: &[(String, String)]) -> Result<()> {
    let bad = |reason: String| Err(Error::BadSources { top: top.to_owned(), reason });
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if top.is_empty() || !top.chars().all(is_word) {
        return bad("the name of the top module is not a plain Verilog identifier".to_owned());
    }
    if sources.is_empty() {
        return bad("there are none; add them with `text(name, text)`".to_owned());
    }
    for (index, (name, _)) in sources.iter().enumerate() {
        if name.starts_with(['.', '-']) || name.is_empty() || !name.chars().all(|c| is_word(c) || ".-".contains(c)) {
            return bad(format!("`{name}` is not a plain file name"));
        }
        if sources[..index].iter().any(|(other, _)| other == name) {
            return bad(format!("two sources are called `{name}`"));
        }
    }
    Ok(())
}

/// What the C++ calls the model.
fn prefix(vpi: Option<&Vpi>) -> &str {
    vpi.map_or("Vdut", |vpi| &vpi.prefix)
}

/// One build in its own folder.
struct Step<'a> {
    build: &'a Build,
    vpi: Option<&'a Vpi>,
    tool: &'a Tool,
    compiler: &'a Compiler,
    cache_folder: &'a Path,
    partial: &'a Path,
    opt: &'a str,
}

impl Step<'_> {
    fn tell(&self, line: impl AsRef<str>) {
        if let Some(tell) = self.build.progress {
            tell(line.as_ref());
        }
    }

    /// Writes the sources, verilates, compiles, links; leaves `libdut.so` or `dut`, `src/` and `build.log` in the folder.
    fn everything(&self) -> Result<()> {
        let _ = fs::remove_dir_all(self.partial);
        let (src, obj) = (self.partial.join("src"), self.partial.join("obj"));
        for folder in [&src, &obj] {
            fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        }
        for (name, text) in &self.build.sources {
            write(&src.join(name), text)?;
        }
        if !self.build.inner.is_empty() {
            write(&src.join(INNER_VLT), &inner::control_file(&self.build.inner))?;
        }
        let mut log = String::new();
        let mut verilator = with_deep_stack(&self.tool.program);
        verilator
            .current_dir(&src)
            .env("VERILATOR_ROOT", &self.tool.root)
            .args(self.build.verilator_flags(self.tool, self.vpi));
        verilator.args(["--Mdir", "../obj"]);
        // Before the sources that it speaks of.
        verilator
            .args((!self.build.inner.is_empty()).then_some(INNER_VLT))
            .args(self.build.sources.iter().map(|(name, _)| name));
        self.run("Verilator", verilator, &src, &mut log)?;

        let mut flags = self.compiler.compile_flags(self.build.trace, self.vpi.is_some());
        match self.vpi {
            Some(vpi) => write(&obj.join("shim.cpp"), &vpi.main)?,
            None => {
                self.write_interface(&obj)?;
                flags.extend(["-include", "runtime.h"].map(str::to_owned));
            }
        }
        let classes = read(&obj.join(format!("{}_classes.mk", prefix(self.vpi))))?;
        let runtime_names = generated::list(&classes, &["VM_GLOBAL_FAST", "VM_GLOBAL_SLOW"]);
        let runtime_objects =
            runtime::objects(self.tool, self.compiler, self.cache_folder, flags.clone(), &runtime_names)?;
        let units = self.units(&classes, &obj)?;
        self.compile(&units, &flags, &obj, &mut log)?;

        let mut link = self.compiler.command();
        link.current_dir(&obj).args(units.iter().map(|unit| format!("{}.o", unit.name)));
        let file = if self.vpi.is_some() { PROGRAM } else { LIBRARY };
        link.args(&runtime_objects)
            .arg("-o")
            .arg(format!("../{file}"))
            .args(self.compiler.link_flags(self.vpi.is_some()));
        link.args(self.vpi.iter().flat_map(|vpi| &vpi.link));
        self.run("the linker", link, &obj, &mut log)?;
        write(&self.partial.join("build.log"), &log)?;
        if std::env::var_os("VERILATED_KEEP").is_none() {
            fs::remove_dir_all(&obj).map_err(Error::io("remove the folder", &obj))?;
        }
        Ok(())
    }

    /// What Rust needs to load and drive the model: its ports as C++, the shim, and the header before everything.
    fn write_interface(&self, obj: &Path) -> Result<()> {
        let header = read(&obj.join("Vdut.h"))?;
        let ports = generated::ports(&header)
            .map_err(|declaration| Error::UnsupportedPort { top: self.build.top.clone(), declaration })?;
        write(&obj.join("ports.inc"), &generated::ports_include(&ports))?;
        write(&obj.join("runtime.h"), runtime::RUNTIME_H)?;
        if !self.build.inner.is_empty() {
            write(&obj.join("inner.cpp"), INNER_CPP)?;
        }
        write(&obj.join("shim.cpp"), SHIM_CPP)
    }

    /// Which generated files go into which compilation: one for a small model; for a large or traced one the code that runs once (`Slow`) stands
    /// apart, unoptimised, and the rest is halved if it is large.
    fn units(&self, classes: &str, obj: &Path) -> Result<Vec<Unit<'_>>> {
        let fast = generated::list(classes, &["VM_CLASSES_FAST", "VM_SUPPORT_FAST"]);
        let slow = generated::list(classes, &["VM_CLASSES_SLOW", "VM_SUPPORT_SLOW"]);
        let size = |name: &String| fs::metadata(obj.join(format!("{name}.cpp"))).map_or(0, |meta| meta.len());
        let total: u64 = fast.iter().chain(&slow).map(size).sum();
        let mut units = Vec::new();
        if total < ONE_UNIT_BYTES && !self.build.trace {
            units.push(Unit { name: "all", files: [fast, slow].concat(), opt: self.opt });
        } else {
            units.extend(halves(fast, size, ONE_UNIT_BYTES).map(|(name, files)| Unit { name, files, opt: self.opt }));
            units.push(Unit { name: "slow", files: slow, opt: "-O0" });
        }
        for (index, unit) in units.iter().enumerate() {
            let mut text = String::new();
            for file in &unit.files {
                let _ = writeln!(text, "#include \"{file}.cpp\"");
            }
            if index == 0 {
                text.push_str("#include \"shim.cpp\"\n");
                if !self.build.inner.is_empty() {
                    text.push_str("#include \"inner.cpp\"\n");
                }
            }
            write(&obj.join(format!("{}.cpp", unit.name)), &text)?;
        }
        Ok(units)
    }

    fn compile(&self, units: &[Unit<'_>], flags: &[String], obj: &Path, log: &mut String) -> Result<()> {
        let include = self.tool.root.join("include");
        let one = |unit: &Unit<'_>| -> Result<String> {
            let mut command = self.compiler.command();
            command.current_dir(obj).args(flags).args([unit.opt, "-I", ".", "-I"]).arg(&include);
            command.arg("-I").arg(include.join("vltstd"));
            command.arg("-c").arg(format!("{}.cpp", unit.name)).arg("-o").arg(format!("{}.o", unit.name));
            let _slot = CompilerSlot::wait();
            self.tell(format!("compiling {} ({} of {} parts)", self.build.top, unit.name, units.len()));
            let mut log = String::new();
            self.run("the C++ compiler", command, obj, &mut log).map(|()| log)
        };
        let results: Vec<Result<String>> = std::thread::scope(|scope| {
            let running: Vec<_> = units.iter().map(|unit| scope.spawn(|| one(unit))).collect();
            running.into_iter().map(|thread| thread.join().expect("compiling does not panic")).collect()
        });
        for result in results {
            log.push_str(&result?);
        }
        Ok(())
    }

    fn run(&self, step: &'static str, mut command: Command, folder: &Path, log: &mut String) -> Result<()> {
        let started = Instant::now();
        let output = run(&mut command).map_err(|cause| Error::Tool {
            step,
            top: self.build.top.clone(),
            command: shown(&command),
            folder: folder.to_owned(),
            output: format!("it cannot be run: {cause}"),
        })?;
        let _ =
            writeln!(log, "{:.2} s: cd {} && {}", started.elapsed().as_secs_f64(), folder.display(), shown(&command));
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Tool {
            step,
            top: self.build.top.clone(),
            command: shown(&command),
            folder: folder.to_owned(),
            output: first_lines(&output),
        })
    }
}

/// One run of the C++ compiler.
struct Unit<'a> {
    name: &'static str,
    files: Vec<String>,
    opt: &'a str,
}

/// Files in one group, or in two of about the same size if there is more than `limit` of them.
fn halves(
    files: Vec<String>,
    size: impl Fn(&String) -> u64,
    limit: u64,
) -> impl Iterator<Item = (&'static str, Vec<String>)> {
    let total: u64 = files.iter().map(&size).sum();
    let mut groups = [(0, Vec::new()), (0, Vec::new())];
    let mut ordered = files;
    if total > limit {
        ordered.sort_by_key(|file| std::cmp::Reverse(size(file)));
    }
    for file in ordered {
        let lighter = usize::from(total > limit && groups[1].0 < groups[0].0);
        groups[lighter].0 += size(&file);
        groups[lighter].1.push(file);
    }
    let [(_, first), (_, second)] = groups;
    [("fast0", first), ("fast1", second)].into_iter().filter(|(_, files)| !files.is_empty())
}

/// Moves what a failed build left to `failed/`, so that the command in the error can be run again; the error then names the new folder.
fn keep_failed(error: Error, cache_folder: &Path, entry: &str, partial: &Path) -> Error {
    let failed = cache_folder.join("failed").join(entry);
    let _ = fs::remove_dir_all(&failed);
    let moved = fs::create_dir_all(cache_folder.join("failed")).and_then(|()| fs::rename(partial, &failed));
    match error {
        Error::Tool { step, top, command, folder, output } if moved.is_ok() => {
            let folder = folder.strip_prefix(partial).map_or_else(|_| folder.clone(), |inside| failed.join(inside));
            Error::Tool { step, top, command, folder, output }
        }
        other => other,
    }
}

/// Adds a line to the list of builds that really ran.
fn record(cache_folder: &Path, entry: &str, seconds: f64, opt: &str, verilator: &str) -> Result<()> {
    use std::io::Write as _;
    let path = cache_folder.join("builds.log");
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(Error::io("open the list of builds", &path))?;
    // One write, so that lines of processes that end at the same time stay whole.
    let line = format!("{entry} {seconds:.2} s {opt} verilator {verilator}\n");
    file.write_all(line.as_bytes()).map_err(Error::io("write", &path))
}

/// A short name for content: the first 64 bits of SHA-256 over the parts and their lengths, in hexadecimal.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(Error::io("read", path))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(Error::io("write", path))
}
