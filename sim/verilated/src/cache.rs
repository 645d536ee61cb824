// SPDX-License-Identifier: Apache-2.0
//! The folder of built models: locks, size, clearing, and forgetting what was not used for long.
//!
//! ```text
//! <cache>/cache.lock                shared while anybody builds or loads, exclusive to clear
//! <cache>/locks/<entry>.lock        exclusive while one entry is looked up, built and loaded
//! <cache>/<top>-<hash>/             libdut.so, sources, build.log; appears by one rename, so it is complete or absent
//! <cache>/runtime-<hash>/           objects of Verilator's runtime, once per tool, compiler and flags
//! <cache>/failed/<top>-<hash>/      what a failed step was given, to run it again by hand
//! <cache>/builds.log                one line per build that really ran
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};
use crate::place::Places;

/// Bytes that the cache may hold before the entries that were not used for longest are dropped; `VERILATED_CACHE_MB` overrides.
const DEFAULT_LIMIT_BYTES: u64 = 2 << 30;

/// The limit is enforced at most this often.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

/// Entries used more recently than this are never dropped: another process may be about to load them.
const KEEP_AT_LEAST: Duration = Duration::from_secs(600);

/// Ending of the folder in which an entry is built before it is renamed.
pub(crate) const PARTIAL: &str = ".partial";

/// Leftovers of failed builds are kept this long.
const KEEP_FAILED: Duration = Duration::from_secs(24 * 3600);

/// What the cache holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The cache folder; it need not exist yet.
    pub folder: PathBuf,
    /// Built models and runtimes in it.
    pub entries: usize,
    /// Size of everything in it, in bytes.
    pub bytes: u64,
}

/// What the cache of this process's environment holds now.
#[must_use]
pub fn usage() -> Usage {
    usage_of(&Places::from_env().cache)
}

/// What the cache in `folder` holds now.
#[must_use]
pub fn usage_of(folder: &Path) -> Usage {
    let entries = entries(folder);
    Usage { folder: folder.to_owned(), entries: entries.len(), bytes: size_bytes(folder) }
}

/// Empties the cache of this process's environment and returns what it held.
///
/// # Errors
/// [`Error::CacheBusy`] while another process builds or loads, [`Error::Io`] if something cannot be removed.
pub fn clear() -> Result<Usage> {
    clear_of(&Places::from_env().cache)
}

/// Empties the cache in `folder` and returns what it held. Models that are loaded go on working.
///
/// # Errors
/// As [`clear`].
pub fn clear_of(folder: &Path) -> Result<Usage> {
    let before = usage_of(folder);
    if !folder.exists() {
        return Ok(before);
    }
    let guard = lock_file(&folder.join("cache.lock"))?;
    match guard.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Error::CacheBusy { path: folder.to_owned() }),
        Err(TryLockError::Error(cause)) => return Err(Error::io("lock the cache", folder)(cause)),
    }
    for item in fs::read_dir(folder).map_err(Error::io("read the folder", folder))?.flatten() {
        let path = item.path();
        if path.is_dir() {
            fs::remove_dir_all(&path).map_err(Error::io("remove the folder", &path))?;
        } else if item.file_name() != "cache.lock" {
            fs::remove_file(&path).map_err(Error::io("remove the file", &path))?;
        }
    }
    Ok(before)
}

/// Drops entries, those not used for longest first, until the cache in `folder` holds at most `limit_bytes`; entries used in the last ten
/// minutes stay. Returns how many were dropped.
///
/// # Errors
/// [`Error::Io`] if the cache cannot be read or an entry not removed.
pub fn prune(folder: &Path, limit_bytes: u64) -> Result<usize> {
    prune_older(folder, limit_bytes, KEEP_AT_LEAST)
}

fn prune_older(folder: &Path, limit_bytes: u64, keep: Duration) -> Result<usize> {
    let mut found: Vec<(SystemTime, u64, PathBuf)> =
        entries(folder).into_iter().map(|path| (last_used(&path), size_bytes(&path), path)).collect();
    found.sort();
    let mut total: u64 = found.iter().map(|(_, bytes, _)| bytes).sum();
    let mut dropped = 0;
    for (used, bytes, path) in found {
        if total <= limit_bytes {
            break;
        }
        let entry = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let idle = used.elapsed().unwrap_or_default();
        // What a killed build left behind is guarded by the lock of the entry it was to become.
        let lock = lock_file(&lock_path(folder, entry.trim_end_matches(PARTIAL)))?;
        if idle < keep || lock.try_lock().is_err() {
            continue;
        }
        fs::remove_dir_all(&path).map_err(Error::io("remove the folder", &path))?;
        total -= bytes;
        dropped += 1;
    }
    Ok(dropped)
}

/// Prunes to the configured limit if that was not done in the last hour. Called after a build, with the shared lock held.
pub(crate) fn prune_sometimes(folder: &Path) -> Result<()> {
    let stamp = folder.join("pruned");
    let fresh = fs::metadata(&stamp)
        .and_then(|meta| meta.modified())
        .is_ok_and(|when| when.elapsed().unwrap_or_default() < PRUNE_EVERY);
    if fresh {
        return Ok(());
    }
    fs::write(&stamp, "").map_err(Error::io("write", &stamp))?;
    for item in fs::read_dir(folder.join("failed")).into_iter().flatten().flatten() {
        let age = item.metadata().and_then(|meta| meta.modified()).ok().and_then(|when| when.elapsed().ok());
        if age.is_some_and(|age| age > KEEP_FAILED) {
            // Somebody may be looking at it right now; the next time will do.
            let _ = fs::remove_dir_all(item.path());
        }
    }
    let limit = std::env::var("VERILATED_CACHE_MB").ok().and_then(|text| text.trim().parse::<u64>().ok());
    prune(folder, limit.map_or(DEFAULT_LIMIT_BYTES, |mebibytes| mebibytes << 20)).map(drop)
}

/// The right to use one entry: the cache cannot be cleared and nobody else builds this entry while it lives.
pub(crate) struct EntryLock {
    _cache: File,
    _entry: File,
}

impl EntryLock {
    /// Waits for the entry called `entry`. Locks are the system's, so they vanish with a process that is killed.
    pub(crate) fn take(folder: &Path, entry: &str) -> Result<EntryLock> {
        let cache = lock_file(&folder.join("cache.lock"))?;
        cache.lock_shared().map_err(Error::io("lock the cache", folder))?;
        let path = lock_path(folder, entry);
        let file = lock_file(&path)?;
        file.lock().map_err(Error::io("lock", &path))?;
        Ok(EntryLock { _cache: cache, _entry: file })
    }
}

fn lock_path(folder: &Path, entry: &str) -> PathBuf {
    folder.join("locks").join(format!("{entry}.lock"))
}

/// Opens a lock file, with the folder around it.
pub(crate) fn lock_file(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    }
    OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(Error::io("open the lock", path))
}

/// Marks an entry as used now.
pub(crate) fn touch(entry: &Path) {
    // Only the order of pruning depends on it: a cache on a read-only disk is still a cache.
    let _ = fs::write(entry.join("used"), "");
}

fn last_used(entry: &Path) -> SystemTime {
    fs::metadata(entry.join("used"))
        .or_else(|_| fs::metadata(entry))
        .and_then(|meta| meta.modified())
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(items) = fs::read_dir(folder) else { return Vec::new() };
    let is_entry = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.is_dir() && !matches!(name.as_ref(), "locks" | "failed" | "lint")
    };
    items.flatten().map(|item| item.path()).filter(is_entry).collect()
}

fn size_bytes(path: &Path) -> u64 {
    let Ok(meta) = fs::symlink_metadata(path) else { return 0 };
    if !meta.is_dir() {
        return meta.len();
    }
    fs::read_dir(path).map_or(0, |items| items.flatten().map(|item| size_bytes(&item.path())).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with_entries(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("verilated-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for (entry, age_seconds) in [("old-1", 3000), ("new-2", 10), ("older-3", 9000)] {
            let path = folder.join(entry);
            fs::create_dir_all(&path).expect("the temporary folder is writable");
            fs::write(path.join("libdut.so"), vec![0; 1000]).expect("the temporary folder is writable");
            let used = File::create(path.join("used")).expect("the temporary folder is writable");
            used.set_modified(SystemTime::now() - Duration::from_secs(age_seconds)).expect("times can be set");
        }
        folder
    }

    #[test]
    fn pruning_drops_the_longest_unused_first_and_spares_recent_ones() {
        let folder = folder_with_entries("prune");
        assert_eq!(prune(&folder, 2000).expect("pruned"), 1);
        assert!(!folder.join("older-3").exists() && folder.join("old-1").exists());
        assert_eq!(prune(&folder, 0).expect("pruned"), 1);
        assert!(folder.join("new-2").exists(), "used ten seconds ago");
        fs::remove_dir_all(&folder).expect("removable");
    }

    #[test]
    fn clearing_empties_the_folder_and_says_what_it_held() {
        let folder = folder_with_entries("clear");
        let before = clear_of(&folder).expect("cleared");
        assert_eq!((before.entries, before.bytes >= 3000), (3, true));
        assert_eq!(usage_of(&folder).entries, 0);
        fs::remove_dir_all(&folder).expect("removable");
    }

    #[test]
    fn clearing_refuses_while_an_entry_is_in_use() {
        let folder = folder_with_entries("busy");
        let lock = EntryLock::take(&folder, "old-1").expect("free");
        assert!(matches!(clear_of(&folder), Err(Error::CacheBusy { .. })));
        drop(lock);
        assert!(clear_of(&folder).is_ok());
        fs::remove_dir_all(&folder).expect("removable");
    }
}
