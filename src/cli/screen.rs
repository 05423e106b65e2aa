//! The options of the screens.

use std::str::FromStr as _;

use clap::{Args, ValueHint};

use super::environment::switch;
use crate::command::Name;
use crate::settings::ScreenSettings;
use crate::system::operator::operator;

/// What every screen has.
#[derive(Debug, Clone, Copy, Args)]
pub struct ScreenArgs {
    /// Do not ring the terminal's bell for alarms
    #[arg(long, env = "DUALBOARD_NO_BELL", value_parser = switch)]
    no_bell: bool,
    /// Who looks at this screen: others read it beside the alarms that are acknowledged here; up to 40
    /// printable ASCII characters [default: the user and the terminal]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Username, env = "DUALBOARD_OPERATOR", value_parser = Name::from_str)]
    operator: Option<Name>,
}

impl ScreenArgs {
    /// A display's.
    #[must_use]
    pub fn settings(self) -> ScreenSettings {
        ScreenSettings {
            bell: !self.no_bell,
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
