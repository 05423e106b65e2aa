//! Completions and man pages: every option is there, and the shells accept them.

#[path = "../examples/package_files/main.rs"]
mod package_files;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use package_files::{places, programs, write};

/// Runs a shell over a script; `None` if there is no such shell here.
fn run(shell: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(shell).args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && shell != "bash" => None,
        Err(error) => panic!("{shell}: {error}"),
    }
}

fn written() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(write(folder.path()).expect("the files").len(), 12);
    folder
}

#[test]
fn every_option_of_every_program_is_in_every_file() {
    let folder = written();
    for mut program in programs() {
        program.build();
        for (shell, place) in places(program.get_name()) {
            let text = fs::read_to_string(folder.path().join(&place)).expect("a file");
            // A man page writes a hyphen that is to be typed as `\-`.
            let text = text.replace("\\-", "-");
            for option in program.get_arguments() {
                let long = option.get_long().expect("a long name");
                let fish = shell.is_some_and(|shell| shell.to_string() == "fish");
                let wanted = if fish {
                    format!("-l {long}")
                } else {
                    format!("--{long}")
                };
                assert!(text.contains(&wanted), "{place} has no {wanted}");
                let env = option.get_env().filter(|_| shell.is_none());
                if let Some(name) = env.map(|name| name.to_string_lossy().into_owned()) {
                    assert!(text.contains(&name), "{place} has no {name}");
                }
            }
        }
    }
}

#[test]
fn the_shells_that_are_here_accept_their_files() {
    let folder = written();
    for program in programs() {
        for (shell, place) in places(program.get_name()) {
            let path = folder.path().join(&place).display().to_string();
            let outputs = match shell {
                Some(shell) => vec![run(&shell.to_string(), &["-n", &path])],
                None => vec![
                    run("man", &["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", &path]),
                    run("mandoc", &["-Tlint", "-Wwarning", &path]),
                ],
            };
            for output in outputs.into_iter().flatten() {
                // What mandoc finds is on stdout, where man has the page.
                let found = if output.status.success() {
                    Vec::new()
                } else {
                    output.stdout
                };
                let said = String::from_utf8_lossy(&[output.stderr, found].concat()).into_owned();
                assert!(output.status.success() && said.is_empty(), "{place}: {said}");
            }
        }
    }
}

/// What bash offers after these words.
fn completed(file: &Path, program: &str, words: &[&str]) -> Vec<String> {
    let script = "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                  complete -p \"$1\" | grep -o -- '-F [^ ]*' | { read -r _ function; \
                  \"$function\" \"$1\" \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; printf '%s\\n' \"${COMPREPLY[@]}\"; }";
    let file = file.display().to_string();
    let mut arguments = vec!["-c", script, "bash", &file, program];
    arguments.extend(words);
    let output = run("bash", &arguments).expect("bash");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_options_and_their_values() {
    let folder = written();
    let program = "card1_monitor";
    let file = folder.path().join(&places(program)[0].1);
    assert_eq!(completed(&file, program, &["--tog"]), ["--toggle"]);
    assert_eq!(completed(&file, program, &["--log-level", "e"]), ["error"]);
}

#[test]
fn a_man_page_names_what_each_option_takes_and_no_section_twice() {
    let folder = written();
    for program in programs() {
        let path = folder.path().join(&places(program.get_name())[3].1);
        let text = std::fs::read_to_string(path).expect("a man page");
        let synopsis = text
            .split(".SH SYNOPSIS")
            .nth(1)
            .and_then(|rest| rest.split(".SH").next());
        let synopsis = synopsis.expect("a synopsis");
        for option in program
            .get_arguments()
            .filter(|option| option.get_action().takes_values())
        {
            let value = option.get_value_names().expect("a name for its value").concat();
            let long = option.get_long().expect("a long name").replace('-', "\\-");
            let wanted = format!("\\-\\-{long}\\fR\\ \\fI{value}\\fR]");
            assert!(synopsis.contains(&wanted), "no {wanted} in {synopsis}");
        }
        assert_eq!(text.matches(".SH EXIT STATUS").count(), 1, "{text}");
        assert!(!text.contains("Exit status"), "the heading says it: {text}");
        assert!(!text.contains("\n.SH KEYS:"), "{text}");
    }
}

/// What stands between a heading and the next one, without what is only form.
fn section(text: &str, heading: &str) -> String {
    let (_, after) = text
        .split_once(&format!(".SH {heading}\n"))
        .unwrap_or_else(|| panic!("no section {heading} in: {text}"));
    let section = after.split(".SH ").next().unwrap_or_default();
    section
        .replace("\\-", "-")
        .replace("\\fB", "")
        .replace("\\fR", "")
}

#[test]
fn a_man_page_has_the_sections_that_people_look_for_in_their_usual_order() {
    let folder = written();
    for program in programs() {
        let path = folder.path().join(&places(program.get_name())[3].1);
        let text = fs::read_to_string(path).expect("a man page");
        let headings: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix(".SH "))
            .collect();
        let usual = [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "KEYS",
            "EXIT STATUS",
            "ENVIRONMENT",
            "FILES",
            "EXAMPLES",
            "SEE ALSO",
        ];
        assert_eq!(headings, usual, "{}", program.get_name());
        for heading in usual {
            assert!(section(&text, heading).len() > 20, "{heading} is empty: {text}");
        }
        let others = section(&text, "SEE ALSO");
        for other in programs()
            .iter()
            .filter(|other| other.get_name() != program.get_name())
        {
            assert!(others.contains(&format!("{} (1)", other.get_name())), "{others}");
        }
    }
}

/// The table of keys in the README is the one that people read first.
#[test]
fn every_key_of_the_readme_is_in_the_man_pages_of_its_programs() {
    let folder = written();
    let readme = include_str!("../README.md");
    let (_, after) = readme.split_once("\n## Keys\n").expect("the section");
    let table = after.split("\n## ").next().unwrap_or_default();
    let mut found = 0;
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let keys = cells[1].split('`').skip(1).step_by(2);
        for program in programs() {
            let name = program.get_name();
            let has = match cells[2] {
                "all" => true,
                "both monitors" | "another screen of a monitor that has ended" => name.contains("monitor"),
                only => only == format!("`{name}`"),
            };
            let path = folder.path().join(&places(name)[3].1);
            let text = section(&fs::read_to_string(path).expect("a man page"), "KEYS");
            for key in keys.clone().filter(|_| has) {
                let is_there = text
                    .lines()
                    .any(|line| line.split([' ', ',']).any(|word| word == key));
                assert!(is_there, "{name} has no {key}: {text}");
                found += 1;
            }
        }
    }
    assert!(found > 40, "only {found} keys were looked for");
}
