// SPDX-License-Identifier: Apache-2.0
//! Output files that are there completely or not at all.
//!
//! A file is written under a hidden name in its own folder and gets its name by one rename, when everything else went well. Whatever ends the
//! program before, an error or Ctrl-C, removes the hidden file. Devices and pipes are written directly: there is nothing to rename.

use super::{Failure, Result};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Files and folders that a signal has to remove. Whoever renames or removes one holds the lock while doing so.
static TEMPORARIES: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn temporaries() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    TEMPORARIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on Ctrl-C, a termination and a hang-up remove temporary files before they end the program.
pub fn guard_signals() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    // Without a handler the signals end the program as they always do; only a hidden file would stay behind.
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            // The second one in a row ends the program, whoever catches the first.
            if signal == SIGINT && CATCHES.load(Ordering::Relaxed) && !INTERRUPTED.swap(true, Ordering::Relaxed) {
                continue;
            }
            // Held until the end: nothing becomes visible any more.
            let live = temporaries();
            live.iter().for_each(|path| remove(path));
            // The cursor that a progress bar has hidden.
            super::progress::restore_terminal();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
}

/// True if somebody looks at [`interrupted`].
static CATCHES: AtomicBool = AtomicBool::new(false);

/// Ctrl-C was pressed.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C only makes [`interrupted`] true.
pub fn catch_interrupts() {
    CATCHES.store(true, Ordering::Relaxed);
}

/// True if Ctrl-C was pressed since the last [`forget_interrupt`].
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// What was pressed before does not count.
pub fn forget_interrupt() {
    INTERRUPTED.store(false, Ordering::Relaxed);
}

fn remove(path: &Path) {
    // It may be gone, and there is nobody to tell.
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

/// A hidden name in the folder of `target`, which a signal or dropping this removes.
#[derive(Debug)]
pub struct Temporary {
    path: PathBuf,
}

impl Temporary {
    /// An empty file beside `target`.
    pub fn file(target: &Path) -> io::Result<Temporary> {
        Temporary::make(target, |path| File::create(path).map(drop))
    }

    /// An empty folder beside `target`.
    pub fn folder(target: &Path) -> io::Result<Temporary> {
        Temporary::make(target, |path| fs::create_dir(path))
    }

    fn make(target: &Path, create: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<Temporary> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = folder_of(target).join(format!(".{name}.{}.partial", std::process::id()));
        let mut live = temporaries();
        if live.contains(&path) {
            return Err(io::Error::other("it is named for two outputs"));
        }
        // What a killed process of the same number left.
        remove(&path);
        create(&path)?;
        live.insert(path.clone());
        Ok(Temporary { path })
    }

    /// The hidden name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file or folder its name.
    pub fn rename(self, target: &Path) -> io::Result<()> {
        let mut live = temporaries();
        fs::rename(&self.path, target)?;
        live.remove(&self.path);
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if temporaries().remove(&self.path) {
            remove(&self.path);
        }
    }
}

fn folder_of(target: &Path) -> &Path {
    target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file to be written at the end; that it can be written is known at the beginning.
#[derive(Debug)]
pub struct Output {
    /// As the user named it.
    named: PathBuf,
    /// Where it is: behind symbolic links.
    target: PathBuf,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// A regular file, or none yet.
    Renamed(Temporary),
    /// A device or a pipe.
    Direct,
    /// `-`.
    Stdout,
}

impl Output {
    /// Reserves `path`: a folder that is missing or cannot be written is bad input now, not after a long run.
    pub fn create(path: &Path) -> Result<Output> {
        let named = path.to_owned();
        let refused = |reason: String| Failure::input(format!("cannot write {}: {reason}", path.display()));
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&target) {
            Ok(meta) if meta.is_dir() => return Err(refused("it is a folder; name a file".to_owned())),
            Ok(meta) if !meta.is_file() => return Ok(Output { named, target, place: Place::Direct }),
            Ok(meta) if meta.permissions().readonly() => return Err(refused("it is write-protected".to_owned())),
            _ => {}
        }
        if target.file_name().is_none() {
            return Err(refused("it does not name a file".to_owned()));
        }
        let temporary = Temporary::file(&target).map_err(|cause| refused(cause.to_string()))?;
        Ok(Output { named, target, place: Place::Renamed(temporary) })
    }

    /// As [`Output::create`]; `-` is standard output.
    pub fn create_or_stdout(path: &Path) -> Result<Output> {
        match path == Path::new("-") {
            true => Ok(Output { named: path.to_owned(), target: path.to_owned(), place: Place::Stdout }),
            false => Output::create(path),
        }
    }

    /// The path as the user gave it.
    pub fn named(&self) -> &Path {
        &self.named
    }

    /// True if this is standard output.
    pub fn is_stdout(&self) -> bool {
        matches!(self.place, Place::Stdout)
    }

    /// Where somebody else may write the contents before [`Output::keep`].
    pub fn scratch(&self) -> &Path {
        match &self.place {
            Place::Renamed(temporary) => temporary.path(),
            Place::Direct | Place::Stdout => &self.target,
        }
    }

    /// Writes the contents; the file then has its name.
    pub fn write(self, bytes: &[u8]) -> Result {
        if self.is_stdout() {
            return print_bytes(bytes);
        }
        let written = fs::write(self.scratch(), bytes);
        written.map_err(|cause| self.lost(&cause))?;
        self.keep()
    }

    /// Gives what was written to [`Output::scratch`] its name.
    pub fn keep(self) -> Result {
        let Output { named, target, place } = self;
        match place {
            Place::Renamed(temporary) => temporary.rename(&target).map_err(|cause| cannot_write(&named, &cause)),
            Place::Direct | Place::Stdout => Ok(()),
        }
    }

    fn lost(&self, cause: &io::Error) -> Failure {
        cannot_write(&self.named, cause)
    }
}

fn cannot_write(path: &Path, cause: &io::Error) -> Failure {
    Failure::input(format!("cannot write {}: {cause}", path.display()))
}

/// Prints text on standard output.
pub fn print(text: &str) -> Result {
    print_bytes(text.as_bytes())
}

fn print_bytes(bytes: &[u8]) -> Result {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        // A reader that closed the pipe (`head`) has seen what it wanted.
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write to standard output: {cause}")))
        }
        _ => Ok(()),
    }
}

/// Reads a whole input file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|cause| Failure::input(format!("cannot read {}: {cause}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("quader-output-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the temporary folder is writable");
        folder
    }

    #[test]
    fn a_file_appears_when_it_is_written_and_not_before() {
        let folder = folder("appears");
        let path = folder.join("c.npy");
        let output = Output::create(&path).expect("writable");
        assert!(!path.exists());
        output.write(b"bytes").expect("writable");
        assert_eq!(fs::read(&path).expect("there"), b"bytes");
        assert_eq!(fs::read_dir(&folder).expect("there").count(), 1, "nothing else is left");
        fs::remove_dir_all(&folder).expect("removable");
    }

    #[test]
    fn a_file_that_is_not_written_leaves_nothing_and_keeps_the_old_one() {
        let folder = folder("dropped");
        let path = folder.join("c.npy");
        fs::write(&path, b"old").expect("writable");
        drop(Output::create(&path).expect("writable"));
        assert_eq!(fs::read(&path).expect("there"), b"old");
        assert_eq!(fs::read_dir(&folder).expect("there").count(), 1);
        fs::remove_dir_all(&folder).expect("removable");
    }

    #[test]
    fn links_are_followed_and_devices_stay_devices() {
        let folder = folder("links");
        let (file, link) = (folder.join("file"), folder.join("link"));
        fs::write(&file, b"old").expect("writable");
        std::os::unix::fs::symlink(&file, &link).expect("links are possible");
        Output::create(&link).expect("writable").write(b"new").expect("writable");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read(&file).expect("there"), b"new");
        Output::create(Path::new("/dev/null")).expect("writable").write(b"lost").expect("writable");
        assert!(!fs::metadata("/dev/null").expect("there").is_file());
        fs::remove_dir_all(&folder).expect("removable");
    }

    #[test]
    fn folders_and_missing_folders_are_refused() {
        let folder = folder("refused");
        for path in [folder.clone(), folder.join("absent").join("c.npy"), PathBuf::from("/")] {
            assert!(matches!(Output::create(&path), Err(Failure::Input(_))), "{}", path.display());
        }
        fs::remove_dir_all(&folder).expect("removable");
    }
}
