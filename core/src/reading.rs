//! A state with its version, and six of them.

use serde::{Deserialize, Serialize};

use crate::sensor::{Card, PerSensor, SensorId, State};
use crate::time::Wall;
use crate::version::{Dot, Order, Version};
use crate::wire;

/// What an owner said of one of its sensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The state.
    pub state: State,
    /// Which reading of this sensor it is.
    pub version: Version,
    /// When the state changed, by the owner's clock; for people to read.
    pub changed: Option<Wall>,
    /// When the sensor was KO last; `None` if it never was, or if this reading itself says it
    /// ([`Reading::last_ko`]).
    pub ko: Option<Ko>,
}

/// A time for which a sensor is KO, or was: an alarm, until somebody has acknowledged it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ko {
    /// The reading that made it KO identifies the alarm, also where it has got another number since.
    #[serde(rename = "alarm")]
    pub dot: Dot,
    /// From when on, by the owner's clock.
    #[serde(
        default,
        deserialize_with = "wire::wall",
        skip_serializing_if = "Option::is_none"
    )]
    pub from: Option<Wall>,
    /// Until when; `None` while it is KO.
    #[serde(
        default,
        deserialize_with = "wire::wall",
        skip_serializing_if = "Option::is_none"
    )]
    pub to: Option<Wall>,
}

impl Reading {
    /// The operator's word in place of an earlier reading.
    #[must_use]
    pub fn after(before: Option<Self>, state: State, version: Version, now: Wall) -> Self {
        let ko = before.and_then(|before| before.last_ko());
        let was = before.map(|before| before.state);
        let ko = match (was, state) {
            // A new alarm, which the version names.
            (None | Some(State::Ok), State::Ko) => None,
            (Some(State::Ko), State::Ok) => ko.map(|ko| Ko { to: Some(now), ..ko }),
            (None | Some(State::Ok), State::Ok) | (Some(State::Ko), State::Ko) => ko,
        };
        Self {
            state,
            version,
            changed: Some(now),
            ko,
        }
    }

    /// The same reading under another number: its alarm keeps the name that people may have acknowledged.
    #[must_use]
    pub fn renumbered(&self, version: Version) -> Self {
        Self {
            version,
            ko: self.last_ko(),
            ..*self
        }
    }

    /// When the sensor was KO last, as far as is known.
    #[must_use]
    pub fn last_ko(&self) -> Option<Ko> {
        let present = Ko {
            dot: self.version.dot,
            from: self.changed,
            to: None,
        };
        self.ko.or((self.state == State::Ko).then_some(present))
    }
}

/// A reading of each sensor, where one is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapshot(PerSensor<Option<Reading>>);

impl Snapshot {
    /// The reading of a sensor, if one is known.
    #[must_use]
    pub fn get(&self, sensor: SensorId) -> Option<Reading> {
        self.0[sensor]
    }

    /// The version of a sensor's reading, if one is known.
    #[must_use]
    pub fn version(&self, sensor: SensorId) -> Option<Version> {
        self.get(sensor).map(|reading| reading.version)
    }

    /// Takes the reading if it is later than what is known. What the versions do not order changes nothing.
    /// Of one toggle, what either copy has seen counts: its owner may have met more since it was told.
    pub fn merge(&mut self, sensor: SensorId, reading: Reading) -> Merge {
        let Some(known) = &mut self.0[sensor] else {
            self.set(sensor, reading);
            return Merge::Taken;
        };
        match reading.version.compare(&known.version) {
            Order::Later => {
                *known = reading;
                Merge::Taken
            }
            Order::Same => {
                if known.state == reading.state {
                    known.version = known.version.having_seen(&reading.version);
                    known.ko = known.ko.or(reading.ko);
                }
                Merge::Known
            }
            Order::Earlier => Merge::Stale,
            Order::Unordered => Merge::Unordered,
        }
    }

    /// Puts a reading in, whatever is known.
    pub fn set(&mut self, sensor: SensorId, reading: Reading) {
        self.0[sensor] = Some(reading);
    }

    /// Forgets a reading.
    pub fn clear(&mut self, sensor: SensorId) {
        self.0[sensor] = None;
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The readings that are known, in the order of the sensors.
    pub fn iter(&self) -> impl Iterator<Item = (SensorId, Reading)> + '_ {
        self.0.iter()
    }

    /// The readings of one card's sensors alone.
    #[must_use]
    pub fn of(&self, card: Card) -> Self {
        Self(PerSensor::from_fn(|sensor| {
            self.get(sensor).filter(|_| sensor.card() == card)
        }))
    }

    /// The versions alone.
    #[must_use]
    pub fn versions(&self) -> Versions {
        Versions(PerSensor::from_fn(|sensor| self.version(sensor)))
    }
}

/// What became of a reading that was merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// It was later than what was known.
    Taken,
    /// It was what is known.
    Known,
    /// It was earlier than what is known, and is dropped.
    Stale,
    /// The versions do not say which of the two is the later one.
    Unordered,
}

/// A version for each sensor: what a heartbeat says its sender has or has heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Versions(PerSensor<Option<Version>>);

impl Versions {
    /// The version of a sensor's reading, if there is one.
    #[must_use]
    pub fn get(&self, sensor: SensorId) -> Option<Version> {
        self.0[sensor]
    }

    /// The dot of a sensor's reading, if there is one.
    #[must_use]
    pub fn dot(&self, sensor: SensorId) -> Option<Dot> {
        self.get(sensor).map(|version| version.dot)
    }

    /// Notes the version of a sensor's reading.
    pub fn set(&mut self, sensor: SensorId, version: Option<Version>) {
        self.0[sensor] = version;
    }

    /// Whether all sensors of `card` have the same dots here and in `other`.
    #[must_use]
    pub fn same(&self, other: &Self, card: Card) -> bool {
        card.sensors()
            .into_iter()
            .all(|sensor| self.dot(sensor) == other.dot(sensor))
    }

    /// Whether any of these sensors has another dot here than in `other`.
    pub fn lacks(&self, other: &Self, sensors: impl IntoIterator<Item = SensorId>) -> bool {
        let mut sensors = sensors.into_iter();
        sensors.any(|sensor| other.dot(sensor).is_some_and(|dot| self.dot(sensor) != Some(dot)))
    }

    /// Whether a sensor's version is surely earlier here than in `other`.
    #[must_use]
    pub fn is_earlier(&self, other: &Self, sensor: SensorId) -> bool {
        match (self.get(sensor), other.get(sensor)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(here), Some(there)) => here.compare(&there) == Order::Earlier,
        }
    }
}
