//! Each setting's name in the environment: DUALBOARD_ and the option's. One file of `KEY=value` lines then
//! serves scripts and a service manager alike.

use clap::builder::{BoolishValueParser, Resettable, TypedValueParser as _};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory as _, Parser};

use super::settings_files::SettingsFiles;
use super::{Card1, Card2, Display, check, names};
use crate::names::Names;

/// A setting that denies an action, if both were typed. As a variable it denies nothing: it says how the
/// screens of this machine are, and a file of settings must not forbid what somebody types.
const CONTRADICTIONS: [(&str, &str); 2] = [("read_only", "set"), ("read_only", "toggle")];

/// Settings of which one says nothing without the other.
const PAIRS: [[&str; 2]; 2] = [["username", "password_file"], ["cert", "key"]];

/// Settings that only TLS has a use for.
const TLS_FILES: [&str; 3] = ["ca_file", "cert", "key"];

/// The options from the command line, the environment and the files of settings, and what is strange in these
/// files. A variable that is empty counts as not there: it stands for the option's default.
#[must_use]
pub fn parse<P: Parser>() -> (P, Vec<String>) {
    #[expect(clippy::disallowed_methods, reason = "this is where settings come in")]
    let is_empty = |name: &std::ffi::OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let mut command = P::command();
    let files = SettingsFiles::of(command.get_name(), &known_settings());
    let with_files = files.and_then(|files| Ok((files.apply(command.clone())?, files.warnings)));
    let warnings = match with_files {
        Ok((with_files, warnings)) => {
            command = with_files;
            warnings
        }
        Err(why) => {
            // Whoever asks for help may want to know how such a file looks.
            if let Err(asked) = command.try_get_matches_from_mut(std::env::args_os())
                && matches!(asked.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
            {
                asked.exit();
            }
            command.error(ErrorKind::ValueValidation, why).exit();
        }
    };
    let command = command.mut_args(|option| {
        if option.get_env().is_some_and(is_empty) {
            option.env(Resettable::Reset)
        } else {
            option
        }
    });
    let mut explained = command.clone();
    let matches = command.get_matches();
    if let Some((setting, action)) = contradiction(&matches) {
        let [setting, action] = [setting, action].map(option_name);
        let why =
            format!("{setting} shows a screen that toggles nothing, {action} toggles: give one of the two");
        explained.error(ErrorKind::ArgumentConflict, why).exit();
    }
    if let Some(why) = check::contradiction(&explained, &matches) {
        explained.error(ErrorKind::ArgumentConflict, why).exit();
    }
    if let Some(why) = half_pair(&matches) {
        explained.error(ErrorKind::MissingRequiredArgument, why).exit();
    }
    if let Some(why) = tls_files_without_tls(&matches) {
        explained.error(ErrorKind::ArgumentConflict, why).exit();
    }
    if let Some(why) = foreign_name(&matches, explained.get_name()) {
        explained.error(ErrorKind::ValueValidation, why).exit();
    }
    let options = P::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    (options, warnings)
}

/// The names of the settings of all programs: a file for the whole board has those of each.
fn known_settings() -> Vec<String> {
    let programs = [Card1::command(), Card2::command(), Display::command()];
    let options = programs.iter().flat_map(Command::get_arguments);
    let names = options.filter_map(|option| option.get_env()?.to_str());
    names.map(str::to_owned).collect()
}

/// The value of a variable of an option without a value: on or off. clap knows the words; of one that it does
/// not know it says only "value was not a boolean", about an option that nobody has typed.
pub(super) fn switch(text: &str) -> Result<bool, &'static str> {
    BoolishValueParser::new()
        .parse_ref(&Command::default(), None, text.as_ref())
        .map_err(|_| "write 1, true, yes or on, or 0, false, no or off")
}

/// One of two settings that are of use together only.
fn half_pair(matches: &ArgMatches) -> Option<String> {
    let halves = PAIRS
        .into_iter()
        .flat_map(|[one, other]| [(one, other), (other, one)]);
    let is_set = |id: &str| matches.contains_id(id);
    let (given, missing) = halves
        .into_iter()
        .find(|(given, missing)| is_set(given) && !is_set(missing))?;
    let [given, missing] = [given, missing].map(option_name);
    Some(format!(
        "{given} is of use with {missing} only: give both, or neither"
    ))
}

/// Certificates and `mqtt://`: whoever gives them wants TLS. Where `mqtt://` was typed and they were not, the
/// settings are for another broker, and what was typed is meant.
fn tls_files_without_tls(matches: &ArgMatches) -> Option<String> {
    let is_typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let url = matches.get_one::<String>("broker")?;
    let counts = |id: &&str| matches.contains_id(id) && (is_typed(id) || !is_typed("broker"));
    let given = TLS_FILES.into_iter().find(counts)?;
    url.starts_with("mqtt://").then(|| {
        format!(
            "{} is for TLS, and {} is not encrypted: write mqtts:// in its place, or leave the file out",
            option_name(given),
            url.escape_debug()
        )
    })
}

fn option_name(id: &str) -> String {
    format!("--{}", id.replace('_', "-"))
}

/// A setting and an action that were typed together and exclude each other.
fn contradiction(matches: &ArgMatches) -> Option<(&'static str, &'static str)> {
    let typed = |id: &str| {
        let known = matches.try_contains_id(id).is_ok();
        known && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    CONTRADICTIONS
        .into_iter()
        .find(|(setting, action)| typed(setting) && typed(action))
}

/// A name that was typed for a sensor of another card. As a variable it is meant for that card's owner: one
/// file of settings serves both.
fn foreign_name(matches: &ArgMatches, program: &str) -> Option<String> {
    let names = matches.try_get_one::<Names>("names").ok()??;
    let typed = matches.value_source("names") == Some(ValueSource::CommandLine);
    names::foreign(program, names).filter(|_| typed)
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    use crate::cli::{Card1, Card2, Display};

    /// What is done once and is no setting: in a file of settings it would be done at each start.
    const ACTIONS: [&str; 6] = ["help", "version", "set", "toggle", "once", "check"];

    fn programs() -> [Command; 3] {
        [Card1::command(), Card2::command(), Display::command()]
    }

    #[test]
    fn every_setting_has_its_name_in_the_environment_and_help_says_it() {
        for mut program in programs() {
            program.build();
            let help = program.render_long_help().to_string();
            for option in program.get_arguments() {
                let long = option.get_long().expect("every option has a long name");
                let expected = format!("DUALBOARD_{}", long.to_uppercase().replace('-', "_"));
                let name = option.get_env().map(|name| name.to_string_lossy().into_owned());
                if ACTIONS.contains(&long) {
                    assert_eq!(name, None, "--{long} is an action");
                } else {
                    assert_eq!(name, Some(expected.clone()), "--{long} of {}", program.get_name());
                    assert!(help.contains(&format!("[env: {expected}")), "{help}");
                }
            }
        }
    }

    #[test]
    fn a_variable_that_is_neither_on_nor_off_is_refused() {
        for (words, on) in [
            (["1", "true", "Yes", "ON"], true),
            (["0", "false", "No", "OFF"], false),
        ] {
            for word in words {
                assert_eq!(super::switch(word), Ok(on), "{word}");
            }
        }
        for word in ["maybe", "2", "-1", "falsch", " "] {
            assert!(super::switch(word).is_err(), "{word}");
        }
    }

    #[test]
    fn no_setting_conflicts_with_an_action() {
        // A variable counts as given, also where a flag's says "off": the action would be refused for a line
        // in a file.
        for program in programs() {
            for option in program.get_arguments() {
                let conflicts = program.get_arg_conflicts_with(option);
                assert!(
                    conflicts.is_empty(),
                    "{}: {:?}",
                    program.get_name(),
                    option.get_id()
                );
            }
        }
    }
}
