//! `--check`.

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command};

use super::environment::switch;

const HEADING: &str = "Without a terminal";

/// What every program can be asked to look at.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct CheckArgs {
    /// Check the broker, the rights there, the bridge, the clock, and a monitor's state folder; print a line
    /// for each (ok, warn, FAIL or skipped) and end. It disturbs nothing, except that a broker that gives
    /// each user one connection cuts off another screen of the same user for a moment
    #[arg(long, help_heading = HEADING)]
    pub(super) check: bool,
}

/// How a monitor says what it has found.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct CheckJsonArgs {
    /// Print what --check finds as one JSON object; has no effect on anything else
    #[arg(long, help_heading = HEADING, env = "DUALBOARD_JSON", value_parser = switch)]
    pub(super) json: bool,
}

/// What was typed beside `--check` and has no sense there; or `--json` of a monitor without it. As variables
/// they deny nothing: a file of settings serves the other commands as well.
pub(super) fn contradiction(program: &Command, matches: &ArgMatches) -> Option<String> {
    let typed = |id: &str| {
        let known = matches.try_contains_id(id).is_ok();
        known && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    if typed("check") {
        let others = ["set", "toggle", "once", "service", "take_over"];
        let other = others.into_iter().find(|id| typed(id))?.replace('_', "-");
        return Some(format!(
            "--check only looks and then ends, --{other} does something else: give one of the two"
        ));
    }
    // A release build of clap says of no id that it does not know it.
    let of_monitor = program
        .get_arguments()
        .any(|argument| argument.get_id() == "take_over");
    (of_monitor && typed("json")).then(|| "--json is for --check: give both, or neither".to_owned())
}
