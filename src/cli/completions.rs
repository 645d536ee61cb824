// SPDX-License-Identifier: Apache-2.0
//! `quader completions`: a script that completes the command line in a shell.

use super::{Cli, Result, output};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  quader completions bash > ~/.local/share/bash-completion/completions/quader
  quader completions zsh > ~/.zfunc/_quader
  quader completions fish > ~/.config/fish/completions/quader.fish";

/// Print completions for a shell
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// Shell
    shell: Shell,
}

impl Completions {
    /// Runs the command.
    pub fn run(&self) -> Result {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "quader", &mut script);
        output::print(&String::from_utf8_lossy(&script))
    }
}
