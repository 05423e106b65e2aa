//! The options of the screens.

use clap::Args;

use super::environment::switch;
use crate::settings::ScreenSettings;

/// What every screen has.
#[derive(Debug, Clone, Copy, Args)]
pub struct ScreenArgs {
    /// Do not ring the terminal's bell for alarms
    #[arg(long, env = "DUALBOARD_NO_BELL", value_parser = switch)]
    no_bell: bool,
}

impl ScreenArgs {
    /// A display's.
    #[must_use]
    pub const fn settings(self) -> ScreenSettings {
        ScreenSettings {
            bell: !self.no_bell,
            read_only: false,
            mouse: false,
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
    pub(super) const fn settings(self, screen: ScreenArgs) -> ScreenSettings {
        ScreenSettings {
            read_only: self.read_only,
            mouse: self.mouse,
            ..screen.settings()
        }
    }
}
