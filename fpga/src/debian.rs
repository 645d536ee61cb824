// SPDX-License-Identifier: Apache-2.0
//! Parts of Debian that no package of PyPI brings: fetched by `apt-get download` and unpacked into the tools folder, which needs no rights.

use crate::run;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Fetches a package and unpacks it to `root`, by one rename, if `is_whole` says that it holds what is needed; the reason of a failure is a clause.
pub(crate) fn unpack(package: &str, root: &Path, is_whole: fn(&Path) -> bool) -> Result<(), String> {
    let scratch = root.with_extension(format!("{}.partial", std::process::id()));
    let result = unpack_in(package, &scratch, root, is_whole);
    let _ = fs::remove_dir_all(&scratch);
    // Another process may have been faster.
    if root.is_dir() { Ok(()) } else { result }
}

fn unpack_in(package: &str, scratch: &Path, root: &Path, is_whole: fn(&Path) -> bool) -> Result<(), String> {
    fs::create_dir_all(scratch).map_err(|cause| format!("{} cannot be made: {cause}", scratch.display()))?;
    let fetched = run(Command::new("apt-get").args(["download", package]).current_dir(scratch));
    if !fetched.as_ref().is_ok_and(|outcome| outcome.success) {
        return Err(format!("`apt-get download {package}` does not give it"));
    }
    let file = fs::read_dir(scratch).ok().and_then(|entries| {
        entries.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "deb"))
    });
    let file = file.ok_or_else(|| format!("`apt-get download {package}` left no package"))?;
    let inside = scratch.join("inside");
    let unpacked = run(Command::new("dpkg").arg("-x").arg(&file).arg(&inside));
    if !unpacked.as_ref().is_ok_and(|outcome| outcome.success) || !is_whole(&inside) {
        return Err("Debian's package cannot be unpacked".into());
    }
    fs::rename(&inside, root).map_err(|cause| format!("it cannot be moved to {}: {cause}", root.display()))
}
