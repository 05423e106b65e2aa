//! What the operator of one screen should not miss: alarms, what is new since the last acknowledgement, and
//! how each sensor got where it is.
//!
//! It looks at the machine after each event and sees the difference. So whatever changed a state, a key here
//! or a message from anywhere, is seen by the same rule.

mod bell;
mod history;

use alloc::vec::Vec;

use crate::machine::Freshness;
use crate::sensor::{Card, PerCard, PerSensor, SensorId, SensorSet, State};
use crate::time::Wall;
use crate::view::View;

pub use bell::{AGAIN, Bell, BellMode};
pub use history::History;

/// What has raised an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A sensor went KO.
    Ko(SensorId),
    /// The values of this card were live and are held.
    Lost(Card),
    /// These sensors were KO when the program had restored its state: how long they have been, and whether
    /// anybody has seen it, is not known here.
    KoAtStart(SensorSet),
}

impl Subject {
    /// How many things it tells of: each sensor is one, also where they are told of together.
    #[must_use]
    pub fn number(self) -> u64 {
        match self {
            Self::Ko(_) | Self::Lost(_) => 1,
            Self::KoAtStart(sensors) => sensors.iter().map(|_| 1).sum(),
        }
    }
}

/// Something that the operator has not acknowledged yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// What.
    pub subject: Subject,
    /// When it was raised here.
    pub raised: Wall,
    /// Since when it is so, as far as is known: what the sensor's row says as well.
    pub since: Wall,
}

/// What the shell is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ring {
    /// Ring the bell, once.
    Once,
}

/// Of a view what raises alarms or is news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// Whether the state has been restored.
    pub restored: bool,
    /// The sensors' states.
    pub states: PerSensor<Option<State>>,
    /// When each changed, as far as its owner said so.
    pub changed: PerSensor<Option<Wall>>,
    /// Since when each card's values are held; `None` where they are live.
    pub held: PerCard<Option<Wall>>,
    /// How many events there have been.
    pub noted: u64,
}

impl Observed {
    /// What there is of it in a view.
    #[must_use]
    pub fn of(view: &View) -> Self {
        Self {
            restored: view.is_restored,
            states: PerSensor::from_fn(|sensor| view.state(sensor)),
            changed: PerSensor::from_fn(|sensor| view.sensors[sensor]?.changed),
            held: PerCard::from_fn(|card| match view.freshness[card] {
                Freshness::Live => None,
                Freshness::Held { since, .. } => Some(since),
            }),
            noted: view.event_log.noted(),
        }
    }
}

/// How much a screen has shown: so many alarms, changes and events since the start of the program. An
/// operator acknowledges what was on the screen, and nothing that came after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    alarms: u64,
    changes: u64,
    events: u64,
}

/// The alarms that nobody has acknowledged, and what else is new.
///
/// Bounded: of each subject the latest alarm is kept, and a count of all.
#[derive(Debug, Clone, Default)]
pub struct Alarms {
    before: Option<Observed>,
    /// The newest last, each with the count of alarms at which it was raised.
    open: Vec<(u64, Alarm)>,
    /// The count of changes at the last one of each sensor.
    changed: PerSensor<u64>,
    /// All that there has been.
    total: Counts,
    acknowledged: Counts,
    histories: PerSensor<History>,
}

impl Alarms {
    /// Looks at a program after an event. Gives whether to ring.
    ///
    /// A sensor that goes KO raises an alarm, whoever toggled it, and so does a card whose values were live
    /// and are held. What was so when the state had been restored does not ring: a banner says it until
    /// somebody has seen it.
    pub fn look(&mut self, now: Wall, seen: Observed) -> Option<Ring> {
        for sensor in SensorId::ALL {
            let changed = seen.changed[sensor].unwrap_or(now);
            self.histories[sensor].note(seen.states[sensor], changed, now);
        }
        self.total.events = seen.noted;
        let before = self.before.replace(seen).filter(|before| before.restored);
        if self.acknowledged.events > seen.noted {
            // The next owner has an event log of its own, of which nobody has seen anything.
            self.acknowledged.events = 0;
        }
        let Some(before) = before else {
            if seen.restored {
                self.started(now, &seen);
            }
            return None;
        };
        let count = self.total.alarms;
        for sensor in SensorId::ALL {
            let (from, to) = (before.states[sensor], seen.states[sensor]);
            if from == to {
                continue;
            }
            // To be heard of for the first time is no change.
            if from.is_some() || to == Some(State::Ko) {
                self.total.changes += 1;
                self.changed[sensor] = self.total.changes;
            }
            if to == Some(State::Ko) {
                self.raise(now, Subject::Ko(sensor), seen.changed[sensor]);
            }
        }
        for card in Card::ALL {
            if before.held[card].is_none() && seen.held[card].is_some() {
                self.raise(now, Subject::Lost(card), seen.held[card]);
            }
        }
        if !self.has_news() {
            // What happens before there is anything to acknowledge, such as a bridge that comes up, is not
            // worth a mark.
            self.acknowledged.events = seen.noted;
        }
        (self.total.alarms != count).then_some(Ring::Once)
    }

    fn started(&mut self, now: Wall, seen: &Observed) {
        self.acknowledged.events = seen.noted;
        let ko: SensorSet = SensorId::ALL
            .into_iter()
            .filter(|sensor| seen.states[*sensor] == Some(State::Ko))
            .collect();
        if !ko.is_empty() {
            self.raise(now, Subject::KoAtStart(ko), None);
        }
    }

    fn raise(&mut self, now: Wall, subject: Subject, since: Option<Wall>) {
        self.open.retain(|(_, alarm)| alarm.subject != subject);
        self.total.alarms += subject.number();
        let alarm = Alarm {
            subject,
            raised: now,
            since: since.unwrap_or(now),
        };
        self.open.push((self.total.alarms, alarm));
    }

    /// How much there is to see: what a picture shows that is drawn now.
    #[must_use]
    pub const fn seen(&self) -> Counts {
        self.total
    }

    /// The operator has seen so much of it.
    pub fn acknowledge(&mut self, seen: Counts) {
        self.open.retain(|(count, _)| *count > seen.alarms);
        self.acknowledged = Counts {
            alarms: seen.alarms.max(self.acknowledged.alarms),
            changes: seen.changes.max(self.acknowledged.changes),
            events: seen.events.max(self.acknowledged.events),
        };
    }

    /// The alarms, the newest first; of each subject the latest.
    pub fn open(&self) -> impl Iterator<Item = &Alarm> {
        self.open.iter().rev().map(|(_, alarm)| alarm)
    }

    /// Those that were raised when so much had been seen, the oldest first.
    pub fn raised_after(&self, seen: Counts) -> impl Iterator<Item = &Alarm> {
        let new = self.open.iter().filter(move |(count, _)| *count > seen.alarms);
        new.map(|(_, alarm)| alarm)
    }

    /// How many alarms there have been since the last acknowledgement; each sensor that was KO at the start
    /// is one.
    #[must_use]
    pub const fn raised(&self) -> u64 {
        self.total.alarms - self.acknowledged.alarms
    }

    /// Whether a sensor has changed since the last acknowledgement.
    #[must_use]
    pub fn is_new(&self, sensor: SensorId) -> bool {
        self.changed[sensor] > self.acknowledged.changes
    }

    /// Whether there is anything to acknowledge.
    #[must_use]
    pub const fn has_news(&self) -> bool {
        self.raised() > 0 || self.total.changes > self.acknowledged.changes
    }

    /// How many events there had been at the last acknowledgement; those after it are new.
    #[must_use]
    pub const fn acknowledged(&self) -> u64 {
        self.acknowledged.events
    }

    /// How a sensor got where it is.
    #[must_use]
    pub fn history(&self, sensor: SensorId) -> &History {
        &self.histories[sensor]
    }
}
