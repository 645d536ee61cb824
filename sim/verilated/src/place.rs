// SPDX-License-Identifier: Apache-2.0
//! Where things live: the project, its tools, the cache. Read from the environment once, so that everything else is free of it.
//!
//! | what | first that applies |
//! |---|---|
//! | project | nearest folder above `CARGO_MANIFEST_DIR` or the current folder whose `Cargo.toml` has `[workspace]`, else the nearest with a `Cargo.toml` |
//! | tools | `QUADER_TOOLS`; `<project>/.tools`; `~/.cache/quader/tools` |
//! | cache | `VERILATED_CACHE`; `<target folder>/verilated`; `~/.cache/quader/verilated` |

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The folders and settings that finding tools and building models depend on.
#[derive(Debug, Clone)]
pub struct Places {
    /// `VERILATOR_ROOT`, if set: this Verilator and no other is used.
    pub verilator_root: Option<PathBuf>,
    /// Folder of the tools that the project sets up by itself.
    pub tools: PathBuf,
    /// Folder of the built models.
    pub cache: PathBuf,
    /// Search path for programs.
    pub path: OsString,
    /// C++ compilers to try, in order.
    pub compilers: Vec<String>,
    /// Python interpreters to try for the set-up, in order.
    pub pythons: Vec<String>,
}

impl Places {
    /// The places as the environment of this process says.
    #[must_use]
    pub fn from_env() -> Places {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let project = project_folder();
        let home = || {
            set("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".cache")))
                .unwrap_or_else(env::temp_dir)
                .join("quader")
        };
        let tools = set("QUADER_TOOLS")
            .map(PathBuf::from)
            .or_else(|| project.as_ref().map(|folder| folder.join(".tools")))
            .unwrap_or_else(|| home().join("tools"));
        let cache = set("VERILATED_CACHE")
            .map(PathBuf::from)
            .or_else(|| target_folder(project.as_deref()).map(|folder| folder.join("verilated")))
            .unwrap_or_else(|| home().join("verilated"));
        let compilers = match env::var("CXX") {
            Ok(named) if !named.trim().is_empty() => vec![named.trim().to_owned()],
            _ => ["c++", "g++", "clang++"].map(str::to_owned).to_vec(),
        };
        Places {
            verilator_root: set("VERILATOR_ROOT").map(PathBuf::from),
            tools: absolute(tools),
            cache: absolute(cache),
            path: set("PATH").unwrap_or_default(),
            compilers,
            pythons: ["python3", "python"].map(str::to_owned).to_vec(),
        }
    }

    /// The first file called `program` in a folder of the search path.
    #[must_use]
    pub fn on_path(&self, program: &str) -> Option<PathBuf> {
        env::split_paths(&self.path).map(|folder| folder.join(program)).find(|file| file.is_file())
    }

    /// The Python interpreter: the first of [`Places::pythons`] that is there, by name on the search path or by its own path.
    #[must_use]
    pub fn python(&self) -> Option<PathBuf> {
        let by_path = |name: &String| Some(PathBuf::from(name)).filter(|path| path.is_absolute() && path.is_file());
        self.pythons.iter().find_map(|name| self.on_path(name).or_else(|| by_path(name)))
    }
}

/// Tools are run in folders of their own, so every place has to be absolute.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// The folder of the project that this process belongs to, if it belongs to one.
fn project_folder() -> Option<PathBuf> {
    let start = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).or_else(|| env::current_dir().ok())?;
    let manifests: Vec<&Path> = start.ancestors().filter(|folder| folder.join("Cargo.toml").is_file()).collect();
    let is_workspace = |folder: &&&Path| {
        std::fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|text| text.lines().any(|line| line.trim().starts_with("[workspace]")))
    };
    manifests.iter().find(is_workspace).or(manifests.first()).map(|folder| folder.to_path_buf())
}

/// Cargo's target folder: the one named by the environment, the one this program stands in (Cargo marks it with CACHEDIR.TAG), or the project's.
fn target_folder(project: Option<&Path>) -> Option<PathBuf> {
    if let Some(named) = env::var_os("CARGO_TARGET_DIR").filter(|value| !value.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let program = env::current_exe().ok();
    let marked = program.as_deref().and_then(|program| {
        program.ancestors().skip(1).find(|folder| folder.join("CACHEDIR.TAG").is_file()).map(Path::to_path_buf)
    });
    marked.or_else(|| project.map(|folder| folder.join("target")))
}
