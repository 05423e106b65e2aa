//! Writes what a package installs beside the programs: completions for bash, zsh and fish, and man pages,
//! from the same types that read the command lines.
//!
//! `cargo run --example package_files [FOLDER]`: laid out below FOLDER (default: target/package) as below
//! `/usr`. An example and no option of the programs: so they carry none of it, and a package for another
//! processor is made without running that processor's programs.
#![allow(dead_code, reason = "a test uses it as well")]

mod man_page;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::aot::{Shell, generate};
use dualboard::cli::{Card1, Card2, Display};

fn main() -> io::Result<()> {
    let folder = std::env::args_os().nth(1);
    let folder = folder.map_or_else(|| PathBuf::from("target/package"), PathBuf::from);
    for file in write(&folder)? {
        println!("{}", file.display());
    }
    Ok(())
}

/// The three programs.
pub(crate) fn programs() -> [Command; 3] {
    [Card1::command(), Card2::command(), Display::command()]
}

/// Where a program's files are, below `/usr`: bash, zsh, fish, man page.
pub(crate) fn places(program: &str) -> [(Option<Shell>, String); 4] {
    [
        (
            Some(Shell::Bash),
            format!("share/bash-completion/completions/{program}"),
        ),
        (
            Some(Shell::Zsh),
            format!("share/zsh/vendor-completions/_{program}"),
        ),
        (
            Some(Shell::Fish),
            format!("share/fish/vendor_completions.d/{program}.fish"),
        ),
        (None, format!("share/man/man1/{program}.1")),
    ]
}

/// Writes them all; gives what was written.
pub(crate) fn write(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    for mut program in programs() {
        let name = program.get_name().to_owned();
        for (shell, place) in places(&name) {
            let path = folder.join(place);
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            let mut file = File::create(&path)?;
            match shell {
                Some(shell) => generate(shell, &mut program, &name, &mut file),
                None => man_page::write(&program, &mut file)?,
            }
            written.push(path);
        }
    }
    Ok(written)
}
