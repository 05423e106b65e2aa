//! The options of the screens, and of what alarms do.

use std::str::FromStr as _;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};

use super::environment::switch;
use crate::alarms::BellMode;
use crate::command::Name;
use crate::settings::{AlarmCommand, Notify, ScreenSettings};
use crate::system::operator::operator;

/// What every screen has.
#[derive(Debug, Clone, Copy, Args)]
pub struct ScreenArgs {
    /// When an alarm rings the terminal's bell
    #[arg(
        long,
        value_name = "WHEN",
        env = "DUALBOARD_BELL",
        default_value = "repeat",
        value_parser = bell_modes()
    )]
    bell: BellMode,
    /// The same as --bell off
    #[arg(long, env = "DUALBOARD_NO_BELL", value_parser = switch)]
    no_bell: bool,
    /// Your name, shown to others beside the alarms that you acknowledge; up to 40 printable ASCII
    /// characters [default: the user and the terminal]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Username, env = "DUALBOARD_OPERATOR", value_parser = Name::from_str)]
    operator: Option<Name>,
    /// Also show each new alarm as a desktop notification of the terminal; without FORM the same as auto.
    /// Inside tmux, its option allow-passthrough has to be on
    #[arg(
        long,
        value_name = "FORM",
        env = "DUALBOARD_NOTIFY",
        value_enum,
        default_value = "off",
        default_missing_value = "auto",
        num_args = 0..=1
    )]
    notify: Notify,
}

fn bell_modes() -> impl TypedValueParser<Value = BellMode> {
    let modes = [
        (
            "repeat",
            "At once, and every 10 s until it is acknowledged (a) or silenced (s)",
        ),
        ("once", "At once, and not again"),
        ("off", "Never"),
    ];
    let values = modes.map(|(name, help)| PossibleValue::new(name).help(help));
    PossibleValuesParser::new(values).map(|name| match name.as_str() {
        "off" => BellMode::Off,
        "once" => BellMode::Once,
        _ => BellMode::Repeat,
    })
}

/// What every program has that watches for alarms.
#[derive(Debug, Clone, Args)]
pub struct AlarmArgs {
    /// Run this command (sh -c) at each new alarm. DUALBOARD_ALARM, DUALBOARD_SENSOR and others in its
    /// environment say which; docs/protocol.md lists them. One runs at a time, for 30 s at the most, and its
    /// output is dropped. Every program that has this option runs it
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString, env = "DUALBOARD_ON_ALARM")]
    on_alarm: Option<String>,
}

impl AlarmArgs {
    /// What is run at each new alarm.
    #[must_use]
    pub fn command(self) -> Option<AlarmCommand> {
        self.on_alarm.map(AlarmCommand)
    }
}

impl ScreenArgs {
    /// A display's.
    #[must_use]
    pub fn settings(self) -> ScreenSettings {
        ScreenSettings {
            bell: if self.no_bell { BellMode::Off } else { self.bell },
            notify: self.notify,
            read_only: false,
            mouse: false,
            operator: self.operator.or_else(operator),
        }
    }
}

/// What only the screens have from which sensors can be toggled.
#[derive(Debug, Clone, Copy, Args)]
pub struct ToggleModeArgs {
    /// Toggle nothing, whatever key is pressed; not together with --set or --toggle
    #[arg(long, env = "DUALBOARD_READ_ONLY", value_parser = switch)]
    read_only: bool,
    /// Toggle a sensor by a click, and scroll with the wheel; to select text, hold Shift
    #[arg(long, env = "DUALBOARD_MOUSE", value_parser = switch)]
    mouse: bool,
}

impl ToggleModeArgs {
    pub(super) fn settings(self, screen: ScreenArgs) -> ScreenSettings {
        ScreenSettings {
            read_only: self.read_only,
            mouse: self.mouse,
            ..screen.settings()
        }
    }
}
