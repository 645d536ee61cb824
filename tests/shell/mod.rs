// SPDX-License-Identifier: Apache-2.0
//! `quader` in a folder of its own, and NumPy files by hand.

#![allow(dead_code)] // No test uses all of it.

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of its own for each test, removed at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("quader-cli-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the temporary folder is writable");
        Folder(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).expect("the temporary folder is writable");
        path
    }

    pub fn names(&self) -> Vec<String> {
        let items = fs::read_dir(&self.0).expect("it is there").flatten();
        let mut names: Vec<String> = items.map(|item| item.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Runs `quader` in this folder; words are separated by blanks.
    pub fn quader(&self, arguments: &str) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quader"));
        command.args(arguments.split_whitespace()).current_dir(&self.0).stdin(Stdio::null());
        let output = command.output().expect("the program is there");
        Ended { arguments: arguments.to_owned(), output }
    }

    /// The same with a script on standard input.
    pub fn feed(&self, arguments: &str, script: &str) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quader"));
        command.args(arguments.split_whitespace()).current_dir(&self.0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program is there");
        // One that ends before it has read everything is no mistake of the test's.
        let _ = child.stdin.take().expect("it is piped").write_all(script.as_bytes());
        Ended { arguments: arguments.to_owned(), output: child.wait_with_output().expect("it ends") }
    }

    /// Bad input: exit status 2, one sentence that contains `wanted`, and no file that was not there before.
    pub fn refuses(&self, arguments: &str, wanted: &str) {
        let before = self.names();
        let ended = self.quader(arguments);
        let sentence = ended.stderr();
        assert_eq!(ended.status(), 2, "{arguments}: {sentence}");
        assert!(
            sentence.starts_with("quader: ") && sentence.trim_end().lines().count() == 1,
            "{arguments}: {sentence}"
        );
        assert!(sentence.contains(wanted), "{arguments}: `{sentence}` should contain `{wanted}`");
        assert_eq!(ended.stdout(), "", "{arguments}");
        assert_eq!(self.names(), before, "{arguments}: no output file, no temporary file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub struct Ended {
    pub arguments: String,
    pub output: Output,
}

impl Ended {
    pub fn status(&self) -> i32 {
        self.output.status.code().unwrap_or(-1)
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Standard output of a run that has to succeed, with nothing on standard error but what a build says.
    pub fn good(&self) -> String {
        assert_eq!(self.status(), 0, "{}: {}", self.arguments, self.stderr());
        let stderr = self.stderr();
        let other: Vec<&str> =
            stderr.lines().filter(|line| !line.starts_with("quader: building the simulation")).collect();
        assert!(other.is_empty(), "{}: {other:?}", self.arguments);
        self.stdout()
    }

    pub fn json(&self) -> Value {
        let text = self.good();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}: {text}", self.arguments))
    }
}

/// A file of NumPy's format 1.0.
pub fn npy(descriptor: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let mut header = format!("{{'descr': '{descriptor}', 'fortran_order': {order}, 'shape': {shape}, }}");
    while !(10 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

/// The data of a file of format 1.0, after its header has been looked at.
pub fn npy_data(path: &Path, descriptor: &str, shape: &str) -> Vec<u8> {
    let bytes = fs::read(path).expect("it was written");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8_lossy(&bytes[10..10 + length]).into_owned();
    assert!(header.contains(descriptor) && header.contains(shape) && header.contains("False"), "{header}");
    bytes[10 + length..].to_vec()
}
