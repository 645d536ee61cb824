// SPDX-License-Identifier: Apache-2.0
//! Verilator's own runtime, compiled once per tool, compiler and flags, and linked into every model.

use std::fs;
use std::path::{Path, PathBuf};

use crate::build::digest;
use crate::cache::{self, EntryLock};
use crate::compiler::Compiler;
use crate::error::{Error, Result};
use crate::process::{CompilerSlot, first_lines, run, shown};
use crate::tool::Tool;

/// What shim.cpp and the runtime both see first.
pub(crate) const RUNTIME_H: &str = include_str!("runtime.h");

/// The runtime's speed matters little (random numbers, waveforms); -O1 compiles fast.
const OPT: &str = "-O1";

/// Object files of the runtime sources `names`, compiled with `flags` now if they are not in the cache.
pub(crate) fn objects(
    tool: &Tool,
    compiler: &Compiler,
    cache_folder: &Path,
    mut flags: Vec<String>,
    names: &[String],
) -> Result<Vec<PathBuf>> {
    flags.push(OPT.to_owned());
    let key =
        digest([tool.identity().as_str(), &compiler.words.join(" "), &compiler.version, &flags.join(" "), RUNTIME_H]);
    let entry = format!("runtime-{key}");
    let folder = cache_folder.join(&entry);
    let _lock = EntryLock::take(cache_folder, &entry)?;
    fs::create_dir_all(&folder).map_err(Error::io("create the folder", &folder))?;
    let header = folder.join("runtime.h");
    fs::write(&header, RUNTIME_H).map_err(Error::io("write", &header))?;
    let include = tool.root.join("include");
    let compile = |name: &String| -> Result<PathBuf> {
        let object = folder.join(format!("{name}.o"));
        if object.is_file() {
            return Ok(object);
        }
        let partial = folder.join(format!("{name}.partial.o"));
        let mut command = compiler.command();
        command.current_dir(&folder).args(&flags).arg("-I").arg(&include);
        command.arg("-I").arg(include.join("vltstd"));
        command.arg("-c").arg(include.join(format!("{name}.cpp"))).arg("-o").arg(&partial);
        let slot = CompilerSlot::wait();
        let output = run(&mut command).map_err(Error::io("run the compiler for", &object))?;
        drop(slot);
        if !output.status.success() {
            return Err(Error::Tool {
                step: "the C++ compiler",
                top: "Verilator's runtime".to_owned(),
                command: shown(&command),
                folder: folder.clone(),
                output: first_lines(&output),
            });
        }
        fs::rename(&partial, &object).map_err(Error::io("move into place", &object))?;
        Ok(object)
    };
    // Both files at once where two are missing; the slots bound how many compilers run.
    let results: Vec<Result<PathBuf>> = std::thread::scope(|scope| {
        let running: Vec<_> = names.iter().map(|name| scope.spawn(|| compile(name))).collect();
        running.into_iter().map(|thread| thread.join().expect("compiling does not panic")).collect()
    });
    cache::touch(&folder);
    results.into_iter().collect()
}
