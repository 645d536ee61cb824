// SPDX-License-Identifier: Apache-2.0
//! `quader flash`: a bitstream onto a board, by openFPGALoader.

use super::fpga::board;
use super::output;
use super::progress::Waiting;
use super::{Failure, Result, core};
use clap::Args;
use fpga::Loader;
use fpga::flow::Board;
use isa::Config;
use std::path::PathBuf;

const DETAILS: &str = "\
Examples:
  quader flash --config tiny                         what `quader fpga --config tiny` built
  quader flash --board ulx3s-85f --bitstream my.bit --keep

Without --keep the bitstream is gone when the board loses power. openFPGALoader has to be on the search path.";

/// Load a bitstream into a board with openFPGALoader
#[derive(Args, Debug)]
#[command(after_help = DETAILS)]
pub struct Flash {
    /// Board
    #[arg(long, value_name = "BOARD", default_value = Board::ALL[0].name, value_parser = board())]
    board: &'static Board,
    /// Core of the build; if not given, the board's own
    #[arg(long, value_name = "CORE", value_parser = core())]
    config: Option<Config>,
    /// Folder of the builds
    #[arg(long, value_name = "DIR", default_value = "target/fpga")]
    out: PathBuf,
    /// Another bitstream
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "out"])]
    bitstream: Option<PathBuf>,
    /// Into the flash memory of the board, so that it is there after power-up
    #[arg(long)]
    keep: bool,
}

impl Flash {
    /// Runs the command.
    pub fn run(&self) -> Result {
        let core = self.config.as_ref().map_or(self.board.core, |config| &config.name);
        let name = format!("{}-{core}", self.board.name);
        let built = || self.out.join(&name).join(format!("{name}.bit"));
        let bitstream = self.bitstream.clone().unwrap_or_else(built);
        if !bitstream.is_file() {
            let board = self.board.name;
            let path = bitstream.display();
            return Err(Failure::input(format!(
                "there is no bitstream {path}: `quader fpga --board {board}` makes one"
            )));
        }
        let loader = Loader::find().map_err(Failure::failed)?;
        let waiting = Waiting::begin("loading", format!("loading {}", bitstream.display()));
        loader.load(self.board.loader, &bitstream, self.keep).map_err(Failure::failed)?;
        drop(waiting);
        output::print(&format!("{} is loaded into {}\n", bitstream.display(), self.board.name))
    }
}
