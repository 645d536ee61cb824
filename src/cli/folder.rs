// SPDX-License-Identifier: Apache-2.0
//! Output folders that are there completely or not at all, and that replace nothing but what the same command wrote.

use super::output::Temporary;
use super::{Failure, Result};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How a folder is known to be an older output of a command.
pub struct Kind {
    /// The command, as the user typed it.
    pub command: &'static str,
    /// The file that lists the others.
    pub list: &'static str,
    /// The names in a list, its own one not among them; none if the text is no such list.
    pub names: fn(&str) -> Option<BTreeSet<String>>,
}

/// A folder to be filled; it has its name when all of it is written.
pub struct Folder {
    /// As the user named it.
    named: PathBuf,
    target: PathBuf,
    temporary: Temporary,
    /// An older output stands in its place.
    is_old: bool,
}

impl Folder {
    /// Reserves `path`: absent, empty, or written by the same command before.
    ///
    /// *Errors*: [`Failure::Input`] if it is anything else or cannot be written.
    pub fn create(path: &Path, kind: &Kind) -> Result<Folder> {
        let target = absolute(path)?;
        let is_old = refuse_foreign(&target, kind)?;
        let temporary = Temporary::folder(&target).map_err(|cause| cannot_write(path, &cause))?;
        Ok(Folder { named: path.to_owned(), target, temporary, is_old })
    }

    /// Where somebody else may write files before [`Folder::keep`].
    pub fn scratch(&self) -> &Path {
        self.temporary.path()
    }

    /// Writes one file of the folder.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result {
        fs::write(self.scratch().join(name), bytes).map_err(|cause| self.lost(&cause))
    }

    /// Gives the folder its name.
    pub fn keep(self) -> Result {
        let Folder { named, target, temporary, is_old } = self;
        let old = if is_old { fs::remove_dir_all(&target) } else { Ok(()) };
        old.and_then(|()| temporary.rename(&target)).map_err(|cause| cannot_write(&named, &cause))
    }

    /// What to say if a file of the folder could not be written.
    pub fn lost(&self, cause: &io::Error) -> Failure {
        cannot_write(&self.named, cause)
    }
}

fn cannot_write(path: &Path, cause: &io::Error) -> Failure {
    Failure::input(format!("cannot write {}: {cause}", path.display()))
}

/// The folder without `..` or a slash at its end, so that it has a name.
fn absolute(path: &Path) -> Result<PathBuf> {
    let cannot = |reason: &str| Failure::input(format!("cannot write {}: {reason}", path.display()));
    let full = fs::canonicalize(path).or_else(|_| std::path::absolute(path)).map_err(|_| cannot("it is no path"))?;
    if full.file_name().is_none() {
        return Err(cannot("it does not name a folder of its own"));
    }
    Ok(full)
}

/// True if the folder was written by this command before; false if it is absent or empty.
fn refuse_foreign(out: &Path, kind: &Kind) -> Result<bool> {
    let Kind { command, list, names } = kind;
    let refuse = |reason: String| Err(Failure::input(format!("{} {reason}: name another folder", out.display())));
    let items = match fs::read_dir(out) {
        Ok(items) => items,
        Err(_) if out.exists() => return refuse("is no folder, or cannot be read".to_owned()),
        Err(_) => return Ok(false),
    };
    let there: BTreeSet<String> = items.flatten().map(|item| item.file_name().to_string_lossy().into_owned()).collect();
    if there.is_empty() {
        return Ok(false);
    }
    let Some(mut own) = fs::read_to_string(out.join(list)).ok().and_then(|text| names(&text)) else {
        return refuse(format!("is not empty and was not written by `{command}` (it has no {list})"));
    };
    own.insert((*list).to_owned());
    match there.difference(&own).next() {
        Some(foreign) => refuse(format!("holds {foreign}, which `{command}` did not write")),
        None => Ok(true),
    }
}
