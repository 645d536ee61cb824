// SPDX-License-Identifier: Apache-2.0
//! Z3, as the package `z3-solver` brings it: a program that is asked in SMT-LIB, one question after the other.

use crate::error::{Error, Result};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use verilated::place::Places;
use verilated::setup::Wheel;
use verilated::tool::ToolState;

const PACKAGE: Wheel = Wheel {
    tool: "Z3",
    package: "z3-solver",
    version: "5.4.1.0",
    // Linux x86_64, Linux aarch64 (glibc 2.38), macOS arm64, macOS x86_64.
    sha256: &[
        "e680ce083683abca5d07c3e55c2f620ff9a29cb91c548eeeea27ae29e8060522",
        "f056cb9714bb7c56ad7d25d86786b5a42c8a3c80e68b11f39af5f469b5366395",
        "9518a4cb03f49a38d4b1895b80910a12e0b0d144300472b95562426657396e01",
        "c9f20b69171ea0cf0d693b91bf6a13ec595a3aed107dd9d8c55e8e08b7125ebc",
    ],
    megabytes: 39,
    inside: "bin",
    needs: "z3",
};

/// What Z3 may spend on one question, in its own count of steps (some minutes): it gives up at the same place on every machine.
const LIMIT: u64 = 4_000_000_000;

/// Printed after every answer, so that its end is known.
const END: &str = "answered";

/// Z3, ready to run.
#[derive(Debug, Clone)]
pub struct Z3 {
    program: PathBuf,
}

impl Z3 {
    /// What `quader doctor` says of it; nothing is set up.
    pub fn state() -> ToolState {
        let root = PACKAGE.root(&Places::from_env());
        let found = match root.is_dir() {
            true => Ok((PACKAGE.version.to_owned(), root)),
            false => Err(format!("not needed to simulate; the proofs set it up in {}", root.display())),
        };
        ToolState { name: PACKAGE.tool, sets_itself_up: found.is_err(), found }
    }

    /// The pinned Z3, set up if it is not there yet.
    ///
    /// *Errors*: [`Error::Missing`] with what to install.
    pub fn find() -> Result<Z3> {
        let missing = |reason| Error::Missing { tool: PACKAGE.tool, reason };
        let root = PACKAGE.set_up(&Places::from_env()).map_err(missing)?;
        Ok(Z3 { program: root.join(PACKAGE.needs) })
    }

    /// A new conversation.
    pub(crate) fn start(&self) -> Result<Session> {
        let failed = |cause| Error::Run { program: self.program.clone(), cause };
        let mut command = Command::new(&self.program);
        command.args(["-smt2", "-in"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(failed)?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.expect("both pipes were asked for");
        let mut session = Session { program: self.program.clone(), child, input, output: BufReader::new(output) };
        session.tell(&format!("(set-option :produce-models true)(set-option :rlimit {LIMIT})"))?;
        Ok(session)
    }
}

/// A conversation with Z3; dropping it ends the program.
pub(crate) struct Session {
    program: PathBuf,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    /// Says something that is not answered.
    pub(crate) fn tell(&mut self, text: &str) -> Result<()> {
        let said = self.input.write_all(text.as_bytes()).and_then(|()| self.input.write_all(b"\n"));
        said.map_err(|cause| Error::Run { program: self.program.clone(), cause })
    }

    /// Says something, and gives all that Z3 printed since the last question.
    pub(crate) fn ask(&mut self, text: &str) -> Result<String> {
        self.tell(&format!("{text}\n(echo \"{END}\")"))?;
        let mut answer = String::new();
        loop {
            let mut line = String::new();
            let read = self.output.read_line(&mut line);
            let read = read.map_err(|cause| Error::Run { program: self.program.clone(), cause })?;
            if line.trim() == END {
                return Ok(answer.trim().to_owned());
            }
            if read == 0 {
                return Err(self.refused(format!("it ended after: {answer}")));
            }
            answer.push_str(&line);
        }
    }

    /// Whether all that was said can be true together.
    pub(crate) fn satisfiable(&mut self) -> Result<bool> {
        match self.ask("(check-sat)")?.as_str() {
            "sat" => Ok(true),
            "unsat" => Ok(false),
            other => Err(self.refused(other.to_owned())),
        }
    }

    /// Values of terms in a state that was found possible: bits, most significant first.
    pub(crate) fn values(&mut self, terms: &[String]) -> Result<Vec<String>> {
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let answer = self.ask(&format!("(get-value ({}))", terms.join(" ")))?;
        // Every second piece stands between bars: a name.
        let unnamed: String = answer.split('|').step_by(2).collect::<Vec<_>>().join(" ");
        let tokens = unnamed.split(|symbol: char| symbol.is_whitespace() || "()".contains(symbol));
        let values: Vec<String> = tokens.filter_map(bits).collect();
        if values.len() != terms.len() {
            return Err(self.refused(answer));
        }
        Ok(values)
    }

    fn refused(&self, text: String) -> Error {
        Error::Refused { tool: PACKAGE.tool, text }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The bits of a constant of SMT-LIB, or nothing if it is something else.
fn bits(token: &str) -> Option<String> {
    match token {
        "true" => Some("1".into()),
        "false" => Some("0".into()),
        _ if token.starts_with("#b") => Some(token[2..].to_owned()),
        _ if token.starts_with("#x") => {
            token[2..].chars().map(|digit| digit.to_digit(16).map(|value| format!("{value:04b}"))).collect()
        }
        _ => None,
    }
}
