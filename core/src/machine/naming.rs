//! What the sensors are called. An owner was told at its start; everybody else goes by its last report.

use crate::names::{Names, SensorName};
use crate::sensor::{Card, SensorId};

/// The names, as this program knows them.
#[derive(Debug, Clone)]
pub(super) struct Naming {
    names: Names,
    /// This owner was not told, and keeps what its broker has.
    keeps: bool,
    /// The marks of the names in the last messages on the other owner's topic and on `sensors/all`.
    pub(super) last_heard: u32,
    pub(super) last_joined: u32,
}

impl Naming {
    /// With the names that an owner was told. Those of another card's sensors are not its to give.
    pub(super) fn new(told: Option<&Names>, own: Option<Card>) -> Self {
        let sensors = own.into_iter().flat_map(Card::sensors).collect();
        Self {
            names: told.copied().unwrap_or_default().of(sensors),
            keeps: told.is_none(),
            last_heard: Names::default().mark(),
            last_joined: Names::default().mark(),
        }
    }

    /// All that are known.
    pub(super) const fn all(&self) -> &Names {
        &self.names
    }

    /// An own sensor's name, in this owner's last report of an earlier run.
    pub(super) fn found(&mut self, sensor: SensorId, name: Option<&SensorName>) {
        if self.keeps {
            self.names.set(sensor, name.copied());
        }
    }

    /// What the owner of another card's sensor calls it, beside a reading that is not an earlier one. Where
    /// there is no name, the sensor has lost it.
    pub(super) fn heard(&mut self, sensor: SensorId, name: Option<&SensorName>) {
        self.names.set(sensor, name.copied());
    }
}
