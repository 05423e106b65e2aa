//! Which alarms somebody has acknowledged.
//!
//! An alarm is identified by the dot of the reading that made its sensor KO. For each sensor and era the last
//! dot that is acknowledged is kept. That only grows, and two such notes merge to all that either says:
//! copies from anywhere, old ones and doubled ones are harmless. No owner is asked.

use serde::{Deserialize, Serialize};

use crate::command::Name;
use crate::sensor::{PerSensor, SensorId};
use crate::time::Wall;
use crate::version::{Dot, Seen};
use crate::wire;

/// Up to where one sensor's alarms are acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UpTo {
    /// The last alarm of each era.
    #[serde(rename = "up_to")]
    dots: Seen,
    /// Who acknowledged the one with the highest dot, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Name>,
    /// When, by the clock of that program; for people to read.
    #[serde(
        default,
        deserialize_with = "wire::wall",
        skip_serializing_if = "Option::is_none"
    )]
    at: Option<Wall>,
}

impl UpTo {
    fn top(&self) -> Option<Dot> {
        self.dots.iter().next()
    }

    fn covers(&self, alarm: Dot) -> bool {
        self.dots.get(alarm.era).is_some_and(|n| n >= alarm.n)
    }

    /// Whether an alarm is acknowledged in `other` and not here.
    fn lacks(&self, other: &Self) -> bool {
        self.dots.join(other.dots) != self.dots
    }

    /// All that either says. Of two who acknowledged the same alarm it was the earlier one.
    fn join(self, other: Self) -> Self {
        let stamp = |one: &Self| (one.at.is_none(), one.at.map(|at| at.0), one.by);
        let later = self.top() > other.top();
        let same = self.top() == other.top();
        let first = if later || (same && stamp(&self) <= stamp(&other)) {
            self
        } else {
            other
        };
        Self {
            dots: self.dots.join(other.dots),
            ..first
        }
    }
}

/// Who acknowledged an alarm, and when, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: Option<Name>,
    /// When, by the clock of the program there.
    pub at: Option<Wall>,
}

/// The alarms that are acknowledged, of all sensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Acknowledged(PerSensor<Option<UpTo>>);

impl Acknowledged {
    /// These alarms, acknowledged by somebody at some time.
    #[must_use]
    pub fn of(alarms: &PerSensor<Option<Dot>>, by: Option<Name>, at: Option<Wall>) -> Self {
        Self(PerSensor::from_fn(|sensor| {
            let dots = Seen::default().with(alarms[sensor]?);
            Some(UpTo { dots, by, at })
        }))
    }

    /// Whether an alarm of a sensor is among them.
    #[must_use]
    pub fn covers(&self, sensor: SensorId, alarm: Dot) -> bool {
        self.0[sensor].is_some_and(|up_to| up_to.covers(alarm))
    }

    /// Who acknowledged an alarm of a sensor; `None` if nobody has.
    #[must_use]
    pub fn of_alarm(&self, sensor: SensorId, alarm: Dot) -> Option<Acknowledgement> {
        let up_to = self.0[sensor].filter(|up_to| up_to.covers(alarm))?;
        // Of earlier alarms, and of other eras, it is not kept.
        Some(if up_to.top() == Some(alarm) {
            Acknowledgement {
                by: up_to.by,
                at: up_to.at,
            }
        } else {
            Acknowledgement::default()
        })
    }

    /// Adds what others have acknowledged. Gives whether anything was new.
    pub fn merge(&mut self, other: &Self) -> bool {
        let news = self.lacks(other);
        for (sensor, theirs) in other.0.iter() {
            let up_to = self.0[sensor].map_or(theirs, |ours| ours.join(theirs));
            self.0[sensor] = Some(up_to);
        }
        news
    }

    /// Whether an alarm is acknowledged in `other` and not here.
    #[must_use]
    pub fn lacks(&self, other: &Self) -> bool {
        let mut theirs = other.0.iter();
        theirs.any(|(sensor, theirs)| self.0[sensor].unwrap_or_default().lacks(&theirs))
    }

    /// Of these sensors what `other` lacks.
    #[must_use]
    pub fn beyond(&self, other: &Self, sensors: impl IntoIterator<Item = SensorId>) -> Self {
        let mut beyond = Self::default();
        for sensor in sensors {
            let theirs = other.0[sensor].unwrap_or_default();
            beyond.0[sensor] = self.0[sensor].filter(|ours| theirs.lacks(ours));
        }
        beyond
    }

    /// Whether nothing is acknowledged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().next().is_none()
    }

    /// The sensors of which something is acknowledged.
    pub fn sensors(&self) -> impl Iterator<Item = SensorId> + '_ {
        self.0.iter().map(|(sensor, _)| sensor)
    }
}
