// SPDX-License-Identifier: Apache-2.0
//! `quader fpga` and `quader flash` at the prompt: what they refuse, and what reaches openFPGALoader.

#![allow(clippy::unwrap_used)]

mod shell;

use shell::Folder;
use std::process::Command;

#[test]
fn wrong_words_are_one_sentence() {
    let folder = Folder::new("fpga");
    folder.refuses("fpga --board ulx3s", "possible values: ulx3s-85f, ulx3s-25f");
    folder.refuses("fpga --config huge", "possible values");
    folder.refuses("fpga --seeds 0", "0 is not in 1..=100");
    folder.refuses("fpga --aim fast", "not a number of MHz");
    folder.refuses("fpga --aim 2000", "not between 1 and 1000 MHz");
    folder.refuses("fpga --all --board ulx3s-25f", "cannot be used with");
    folder.refuses("fpga --synth --seeds 2", "cannot be used with");
    folder.refuses("flash --board ulx3s-25f", "there is no bitstream target/fpga/ulx3s-25f-tiny/ulx3s-25f-tiny.bit");
    folder.refuses("flash --bitstream my.bit", "there is no bitstream my.bit");
    folder.write("file", "");
    folder.refuses("fpga --out file", "cannot write file/ulx3s-85f-lite");
}

/// The loader is a script of this test that notes its arguments.
#[cfg(unix)]
#[test]
fn the_loader_gets_the_board_and_the_bitstream() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("flash");
    folder.write("my.bit", "bits");
    let run = |arguments: &str, path: &std::path::Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quader"));
        command.args(arguments.split_whitespace()).current_dir(&folder.0).env("PATH", path).output().unwrap()
    };
    let missing = run("flash --board ulx3s-25f --bitstream my.bit", &folder.path("empty"));
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert_eq!(missing.status.code(), Some(1), "{said}");
    assert!(said.contains("openFPGALoader") && said.contains("apt install openfpgaloader"), "{said}");
    let loader = folder.write("openFPGALoader", "#!/bin/sh\necho \"$@\" >> \"$(/usr/bin/dirname \"$0\")/said\"\n");
    std::fs::set_permissions(&loader, std::fs::Permissions::from_mode(0o755)).unwrap();
    for arguments in ["flash --board ulx3s-25f --bitstream my.bit", "flash --bitstream my.bit --keep"] {
        let ended = run(arguments, &folder.0);
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    let said = std::fs::read_to_string(folder.path("said")).unwrap();
    assert_eq!(said, "--board ulx3s my.bit\n--board ulx3s --write-flash my.bit\n");
}
