//! Writes what a package installs beside the programs: completions for bash, zsh and fish, and man pages,
//! from the same types that read the command lines.
//!
//! `cargo run --example package_files [FOLDER]`: laid out below FOLDER (default: target/package) as below
//! `/usr`. An example and no option of the programs: so they carry none of it, and a package for another
//! processor is made without running that processor's programs.
#![allow(dead_code, reason = "a test uses it as well")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{ArgAction, Command, CommandFactory};
use clap_complete::aot::{Shell, generate};
use clap_mangen::Man;
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
                None => man_page(&program, &mut file)?,
            }
            written.push(path);
        }
    }
    Ok(written)
}

/// Each option with the name of its value.
fn synopsis(program: &Command) -> String {
    let mut program = program.clone();
    program.build();
    let mut words = format!("\\fB{}\\fR", escaped(program.get_name()));
    for option in program.get_arguments() {
        let names = [
            option.get_short().map(|short| format!("-{short}")),
            option.get_long().map(|long| format!("--{long}")),
        ];
        let names: Vec<String> = names
            .into_iter()
            .flatten()
            .map(|name| format!("\\fB{}\\fR", escaped(&name)))
            .collect();
        let value = option
            .get_value_names()
            .filter(|_| option.get_action().takes_values());
        let value = value
            .map(|names| format!(" \\fI{}\\fR", escaped(&names.concat())))
            .unwrap_or_default();
        let often = if matches!(option.get_action(), ArgAction::Append) {
            "..."
        } else {
            ""
        };
        // What belongs together stays on a line.
        let text = format!("[{}{value}]{often}", names.join("|")).replace(' ', "\\ ");
        words = format!("{words} {text}");
    }
    words
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

/// As `--help` has it; examples and keys line by line, as they were written.
fn man_page(program: &Command, file: &mut impl Write) -> io::Result<()> {
    let man = Man::new(program.clone());
    man.render_title(file)?;
    man.render_name_section(file)?;
    writeln!(file, ".SH SYNOPSIS\n{}", synopsis(program))?;
    man.render_description_section(file)?;
    man.render_options_section(file)?;
    let more = program.get_after_long_help().map(ToString::to_string);
    for line in more.unwrap_or_default().lines() {
        let text = escaped(line);
        match line.strip_suffix(':') {
            Some(title) if !line.starts_with(' ') => {
                writeln!(file, ".fi\n.SH {}\n.nf", title.to_uppercase())?;
            }
            // The exit statuses are a paragraph. What the heading says already is left out.
            _ if line.starts_with("Exit status") => {
                let text = text
                    .replacen("Exit status of", "Of", 1)
                    .replacen("Exit status: ", "", 1);
                writeln!(file, ".fi\n.SH EXIT STATUS\n\\&{text}")?;
            }
            _ if line.starts_with("Otherwise") => writeln!(file, ".PP\n{text}")?,
            // What does not show keeps a dot or a quotation mark from being a command.
            _ => writeln!(file, "\\&{text}")?,
        }
    }
    Ok(())
}
