//! Files of settings: what the programs of an installed board are told without a command line.
//!
//! A file has lines `DUALBOARD_NAME=value`. Lines that are empty or begin with `#` or `;` say nothing. A
//! value goes to the end of its line, without spaces at its ends; or it stands in double quotes, in which a
//! backslash before `"`, `\`, `` ` `` or `$` stands for that character. systemd reads every line that is
//! accepted here in the same way (`EnvironmentFile=`). What is said of a line that cannot be read does not
//! repeat its value, which may be a secret in the wrong place.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::{Arg, ArgAction, Command};

use super::environment::switch;

/// The folder of an installed board.
const FOLDER: &str = "/etc/dualboard";

/// What every setting's name begins with.
const PREFIX: &str = "DUALBOARD_";

/// For all programs; what stands in the file of one program wins over it.
const OF_BOARD: &str = "board.env";

/// What the files of one program say.
#[derive(Debug, Default)]
pub(super) struct SettingsFiles {
    settings: BTreeMap<String, Setting>,
    /// What is not as it should be, and stops nothing.
    pub(super) warnings: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    value: String,
    /// The file and the number of the line.
    place: String,
}

impl SettingsFiles {
    /// Reads what there is for a program in the folder of an installed board, or in the one that
    /// `DUALBOARD_SETTINGS` names; empty is none. `known` are the names of all settings of all programs.
    ///
    /// # Errors
    /// Says which folder, file or line cannot be used, and why.
    pub(super) fn of(program: &str, known: &[String]) -> Result<Self, String> {
        let mut files = Self::default();
        let Some(folder) = folder(named())? else {
            return Ok(files);
        };
        for name in [OF_BOARD.to_owned(), format!("{program}.env")] {
            let file = folder.join(name);
            match fs::read_to_string(&file) {
                Ok(text) => files.take(&file, &text, known)?,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(format!(
                        "cannot read the settings in {}: {error}; make it readable for this user, or set DUALBOARD_SETTINGS to another folder, or to nothing",
                        file.display()
                    ));
                }
            }
        }
        Ok(files)
    }

    fn take(&mut self, file: &Path, text: &str, known: &[String]) -> Result<(), String> {
        let mut here = BTreeMap::new();
        for (line, number) in text.lines().zip(1..) {
            let place = format!("{} line {number}", file.display());
            let Some((name, value)) = parse_line(line).map_err(|why| format!("{place}: {why}"))? else {
                continue;
            };
            if !known.contains(&name) {
                let shown = name.escape_debug();
                self.warnings.push(format!(
                    "{place}: {shown} is no setting of these programs, and has no effect; --help names all of them"
                ));
                continue;
            }
            if let Some(Setting { place: before, .. }) = here.get(&name) {
                let text = format!("{place}: {name} is set in {before} already; this line counts");
                self.warnings.push(text);
            }
            here.insert(name, Setting { value, place });
        }
        self.settings.append(&mut here);
        Ok(())
    }

    /// A program's options, with what the files say in the place of their defaults: whatever is in the
    /// environment or typed wins. A variable that is there and empty stands for the option's own default.
    ///
    /// # Errors
    /// Names the line whose value the option does not take, and why.
    pub(super) fn apply(&self, command: Command) -> Result<Command, String> {
        for option in command.get_arguments() {
            if let Some(setting) = self.setting(option) {
                refuse_unusable(option, setting)?;
            }
        }
        Ok(command.mut_args(|option| match self.setting(&option) {
            // clap keeps what it is given for as long as this process lives.
            Some(setting) => option.default_value(&*setting.value.clone().leak()),
            None => option,
        }))
    }

    fn setting(&self, option: &Arg) -> Option<&Setting> {
        let name = option.get_env()?;
        #[expect(clippy::disallowed_methods, reason = "this is where settings come in")]
        let is_in_environment = std::env::var_os(name).is_some();
        let setting = self.settings.get(name.to_str()?)?;
        (!is_in_environment && !setting.value.is_empty()).then_some(setting)
    }
}

/// The folder of the settings; `None` if there is to be none.
pub(super) fn settings_dir() -> Option<PathBuf> {
    folder(named()).ok().flatten()
}

fn named() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "this is where settings come in")]
    std::env::var_os("DUALBOARD_SETTINGS").map(PathBuf::from)
}

/// Where the files are, if anywhere. A folder that somebody has named has to be there.
fn folder(named: Option<PathBuf>) -> Result<Option<PathBuf>, String> {
    match named {
        None => Ok(Some(PathBuf::from(FOLDER))),
        Some(folder) if folder.as_os_str().is_empty() => Ok(None),
        Some(folder) if folder.is_dir() => Ok(Some(folder)),
        Some(folder) => Err(format!(
            "DUALBOARD_SETTINGS names {}, which is no folder; name the one with {OF_BOARD}, or set it to nothing",
            folder.display()
        )),
    }
}

/// The name and the value in a line; `None` if it says nothing.
fn parse_line(line: &str) -> Result<Option<(String, String)>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', ';']) {
        return Ok(None);
    }
    let (name, value) = line
        .split_once('=')
        .ok_or("there is no = in it; write DUALBOARD_NAME=value, or # before a remark")?;
    let name = name.trim_end();
    let is_name = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if !name.starts_with(PREFIX) || !is_name(name) {
        return Err("it does not begin with the name of a setting; write DUALBOARD_NAME=value");
    }
    if value.contains('\0') {
        return Err("there is a NUL character in it; write it as text");
    }
    Ok(Some((name.to_owned(), parse_value(value.trim_start())?)))
}

fn parse_value(value: &str) -> Result<String, &'static str> {
    let Some(quoted) = value.strip_prefix('"') else {
        if value.starts_with('\'') {
            return Err("the value begins with a single quote; use double quotes, or none");
        }
        if value.contains('\\') {
            return Err(
                "there is a backslash in the value; write the value in double quotes, and \\\\ for a backslash",
            );
        }
        return Ok(value.to_owned());
    };
    let mut text = String::new();
    let mut rest = quoted.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' if rest.as_str().is_empty() => return Ok(text),
            '"' => {
                return Err(
                    "there is more behind the closing quote; write \\\" for a quote within the value",
                );
            }
            '\\' => match rest.next() {
                Some(c @ ('"' | '\\' | '`' | '$')) => text.push(c),
                Some(c) => text.extend(['\\', c]),
                None => break,
            },
            c => text.push(c),
        }
    }
    Err("the closing quote is missing; a value ends in its line")
}

/// What an option does not take is said of the line: nobody has typed it.
fn refuse_unusable(option: &Arg, setting: &Setting) -> Result<(), String> {
    let name = option.get_env().unwrap_or_default().to_string_lossy();
    let refused = |why: &str| format!("{}: {name}: {why}", setting.place);
    if matches!(option.get_action(), ArgAction::SetTrue) {
        return switch(&setting.value).map(drop).map_err(refused);
    }
    let alone = Command::new("settings")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(option.clone().env(Resettable::Reset));
    let long = option.get_long().unwrap_or_default();
    let words = ["settings".to_owned(), format!("--{long}={}", setting.value)];
    let error = match alone.try_get_matches_from(words) {
        Ok(_) => return Ok(()),
        Err(error) => error.to_string(),
    };
    let parts = error
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("For more"));
    let parts: Vec<&str> = parts
        .filter(|line| !line.is_empty() && !line.starts_with("Usage"))
        .collect();
    Err(refused(parts.join(" ").trim_start_matches("error: ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> Result<String, &'static str> {
        parse_line(line).map(|parsed| parsed.map_or_else(|| "nothing".to_owned(), |(_, value)| value))
    }

    #[test]
    fn a_value_goes_to_the_end_of_its_line_or_stands_in_double_quotes() {
        for (line, expected) in [
            ("DUALBOARD_X=a b", "a b"),
            ("  DUALBOARD_X = a b  ", "a b"),
            ("DUALBOARD_X=", ""),
            ("DUALBOARD_X=\"\"", ""),
            ("DUALBOARD_X=\" a \"", " a "),
            ("DUALBOARD_X=a # b", "a # b"),
            ("DUALBOARD_X=say \"hello\" 'you'", "say \"hello\" 'you'"),
            (
                r#"DUALBOARD_X="say \"hello\" \$1 \\ \n""#,
                r#"say "hello" $1 \ \n"#,
            ),
            ("DUALBOARD_X=a=b", "a=b"),
            ("# DUALBOARD_X=a", "nothing"),
            ("; DUALBOARD_X=a", "nothing"),
            ("   ", "nothing"),
        ] {
            assert_eq!(value(line).as_deref(), Ok(expected), "{line}");
        }
    }

    #[test]
    fn a_line_that_could_be_meant_in_two_ways_is_refused_and_its_value_not_repeated() {
        for (line, words) in [
            ("DUALBOARD_X", "no ="),
            ("PATH=/bin", "does not begin with the name of a setting"),
            (
                "export DUALBOARD_X=a",
                "does not begin with the name of a setting",
            ),
            ("DUALBOARD_X Y=a", "does not begin with the name of a setting"),
            ("DUALBOARD_X='secret'", "single quote"),
            ("DUALBOARD_X=secret\\n", "backslash"),
            ("DUALBOARD_X=\"secret", "closing quote is missing"),
            ("DUALBOARD_X=\"secret\\\"", "closing quote is missing"),
            ("DUALBOARD_X=\"secret\" b", "more behind the closing quote"),
        ] {
            let why = value(line).expect_err(line);
            assert!(why.contains(words) && !why.contains("secret"), "{line}: {why}");
        }
    }

    #[test]
    fn the_programs_own_file_wins_and_what_is_strange_is_said() {
        let known = ["DUALBOARD_BELL", "DUALBOARD_BROKER"].map(str::to_owned);
        let mut files = SettingsFiles::default();
        let board = "DUALBOARD_BELL=once\nDUALBOARD_BROKER=mqtt://a\nDUALBOARD_PASSWORD=secret\n";
        files
            .take(Path::new("/f/board.env"), board, &known)
            .expect("lines");
        files
            .take(
                Path::new("/f/p.env"),
                "DUALBOARD_BELL=off\n\nDUALBOARD_BELL=repeat",
                &known,
            )
            .expect("lines");
        let setting = |name: &str| files.settings[name].clone();
        let of = |value: &str, place: &str| Setting {
            value: value.to_owned(),
            place: place.to_owned(),
        };
        assert_eq!(setting("DUALBOARD_BELL"), of("repeat", "/f/p.env line 3"));
        assert_eq!(setting("DUALBOARD_BROKER"), of("mqtt://a", "/f/board.env line 2"));
        assert_eq!(
            files.warnings,
            [
                "/f/board.env line 3: DUALBOARD_PASSWORD is no setting of these programs, and has no effect; --help names all of them",
                "/f/p.env line 3: DUALBOARD_BELL is set in /f/p.env line 1 already; this line counts",
            ]
        );
        let why = files
            .take(Path::new("/f/p.env"), "\nnonsense", &known)
            .expect_err("a bad line");
        assert!(why.starts_with("/f/p.env line 2: there is no ="), "{why}");
    }

    #[test]
    fn a_folder_that_was_named_has_to_be_there() {
        assert_eq!(folder(None), Ok(Some(FOLDER.into())));
        assert_eq!(folder(Some(PathBuf::new())), Ok(None));
        let why = folder(Some("/no/such/folder".into())).expect_err("it is not there");
        assert!(why.contains("DUALBOARD_SETTINGS names /no/such/folder"), "{why}");
    }
}
