//! How far a toggle has got.

use serde::{Deserialize, Serialize};

use crate::reading::Versions;
use crate::sensor::SensorId;
use crate::version::Version;

/// The stages, in the order in which a toggle passes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Stage {
    /// In the owner's memory, and on its way.
    Sending,
    /// In the state file, and the broker has completed the handshake.
    Saved,
    /// The other card's owner has it.
    Confirmed,
}

impl Stage {
    /// The stage of what is, or is not, in the owner's state file, at its broker, and at the other owner. A
    /// stage is reached when it and all before it are proved, so none is shown too early.
    #[must_use]
    pub const fn of(in_file: bool, at_broker: bool, at_other: bool) -> Self {
        match (in_file && at_broker, at_other) {
            (false, _) => Self::Sending,
            (true, false) => Self::Saved,
            (true, true) => Self::Confirmed,
        }
    }

    /// The word on the screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sending => "SENDING",
            Self::Saved => "SAVED",
            Self::Confirmed => "CONFIRMED",
        }
    }
}

/// What is proved of the versions of own sensors.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// In the state file, durably.
    pub durable: Versions,
    /// Handed over to the broker, handshake completed.
    pub delivered: Versions,
    /// In the other owner's heartbeat.
    pub confirmed: Versions,
}

impl Progress {
    /// The stage of the reading with this version.
    #[must_use]
    pub fn stage(&self, sensor: SensorId, version: Version) -> Stage {
        let at = |versions: &Versions| versions.dot(sensor) == Some(version.dot);
        Stage::of(at(&self.durable), at(&self.delivered), at(&self.confirmed))
    }
}
