//! A state with its version, and six of them.

use crate::sensor::{Card, SensorId, State};
use crate::time::Wall;
use crate::version::Version;

/// What an owner said of one of its sensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The state.
    pub state: State,
    /// Which reading of this sensor it is.
    pub version: Version,
    /// When the state changed, by the owner's clock; for people to read.
    pub changed: Option<Wall>,
}

/// The best reading known of each sensor.
///
/// [`Snapshot::offer`] makes it a join-semilattice: offering is commutative, associative and idempotent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapshot([Option<Reading>; 6]);

impl Snapshot {
    /// The reading of a sensor, if one is known.
    #[must_use]
    pub const fn get(&self, sensor: SensorId) -> Option<Reading> {
        self.0[sensor.index()]
    }

    /// The version of a sensor's reading, if one is known.
    #[must_use]
    pub fn version(&self, sensor: SensorId) -> Option<Version> {
        self.get(sensor).map(|reading| reading.version)
    }

    /// Takes the reading if it is higher than what is known.
    pub fn offer(&mut self, sensor: SensorId, reading: Reading) -> Offer {
        let known = &mut self.0[sensor.index()];
        match known.map(|known| reading.version.cmp(&known.version)) {
            Some(std::cmp::Ordering::Less) => Offer::Stale,
            Some(std::cmp::Ordering::Equal) => Offer::Known,
            Some(std::cmp::Ordering::Greater) | None => {
                *known = Some(reading);
                Offer::Taken
            }
        }
    }

    /// Takes from another snapshot whatever is higher there.
    pub fn merge(&mut self, other: &Self) {
        for (sensor, reading) in other.iter() {
            self.offer(sensor, reading);
        }
    }

    /// Puts a reading in, whatever is known: only an owner may, for its own sensors.
    pub(crate) fn set(&mut self, sensor: SensorId, reading: Reading) {
        self.0[sensor.index()] = Some(reading);
    }

    /// The readings that are known, in the order of the sensors.
    pub fn iter(&self) -> impl Iterator<Item = (SensorId, Reading)> + '_ {
        SensorId::ALL
            .into_iter()
            .filter_map(|sensor| self.get(sensor).map(|reading| (sensor, reading)))
    }

    /// The readings of one card's sensors alone.
    #[must_use]
    pub fn of(&self, card: Card) -> Self {
        let mut part = Self::default();
        for sensor in card.sensors() {
            part.0[sensor.index()] = self.get(sensor);
        }
        part
    }

    /// Those that are higher than in `other`.
    #[must_use]
    pub fn above(&self, other: &Self) -> Self {
        let mut above = *self;
        for sensor in SensorId::ALL {
            above.0[sensor.index()] = self
                .get(sensor)
                .filter(|reading| Some(reading.version) > other.version(sensor));
        }
        above
    }

    /// The versions alone.
    #[must_use]
    pub fn versions(&self) -> Versions {
        Versions(self.0.map(|reading| reading.map(|reading| reading.version)))
    }
}

/// What became of a reading that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It was higher than what was known.
    Taken,
    /// It was what is known.
    Known,
    /// It was lower than what is known, and is dropped.
    Stale,
}

/// A version for each sensor: what a heartbeat says its sender has or has heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Versions([Option<Version>; 6]);

impl Versions {
    /// The version of a sensor's reading, if there is one.
    #[must_use]
    pub const fn get(&self, sensor: SensorId) -> Option<Version> {
        self.0[sensor.index()]
    }

    /// Notes the version of a sensor's reading.
    pub fn set(&mut self, sensor: SensorId, version: Option<Version>) {
        self.0[sensor.index()] = version;
    }

    /// The versions of one card's sensors, as far as there are any.
    pub fn of(&self, card: Card) -> impl Iterator<Item = Version> + '_ {
        card.sensors().into_iter().filter_map(|sensor| self.get(sensor))
    }

    /// Those that are higher than in `other`.
    #[must_use]
    pub fn above(&self, other: &Self) -> Self {
        let mut above = *self;
        for (version, other) in above.0.iter_mut().zip(other.0) {
            *version = version.filter(|version| Some(*version) > other);
        }
        above
    }

    /// Raises each version to the one in `other`, where that is higher.
    pub fn raise(&mut self, other: &Self) {
        for (version, other) in self.0.iter_mut().zip(other.0) {
            *version = (*version).max(other);
        }
    }

    /// Whether all sensors of `card` are at the same versions here and in `other`.
    #[must_use]
    pub fn same(&self, other: &Self, card: Card) -> bool {
        card.sensors()
            .into_iter()
            .all(|sensor| self.get(sensor) == other.get(sensor))
    }

    /// Whether some sensor is at a lower version here than in `other`.
    #[must_use]
    pub fn lacks(&self, other: &Self) -> bool {
        Card::ALL.into_iter().any(|card| self.behind(other, card))
    }

    /// Whether some sensor of `card` is at a lower version here than in `other`.
    #[must_use]
    pub fn behind(&self, other: &Self, card: Card) -> bool {
        card.sensors()
            .into_iter()
            .any(|sensor| self.get(sensor) < other.get(sensor))
    }
}
