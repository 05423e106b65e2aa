//! What the operator of one screen should not miss: alarms, what is new since the last acknowledgement, and
//! how each sensor got where it is.
//!
//! It looks at the machine after each event and sees the difference. So whatever changed a state, a key here
//! or a message from anywhere, is seen by the same rule.

mod bell;
mod history;

use alloc::vec::Vec;

use crate::machine::Freshness;
use crate::reading::Ko;
use crate::sensor::{Card, PerCard, PerSensor, SensorId, SensorSet, State};
use crate::time::Wall;
use crate::version::Dot;
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
    /// When each was KO last, and whether somebody has acknowledged that; `None` where nobody with versions
    /// says so.
    pub alarms: PerSensor<Option<(Ko, bool)>>,
    /// Since when each card's values are held; `None` where they are live.
    pub held: PerCard<Option<Wall>>,
    /// How many events there have been.
    pub noted: u64,
}

/// An alarm that nobody has acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open {
    alarm: Alarm,
    /// The first one of its subject, and the count of alarms before it. Alarms whose order is not known share
    /// one count.
    first: (u64, Alarm),
    /// The count of alarms with the last one.
    last: u64,
    /// How many alarms it stands for.
    number: u64,
}

impl Observed {
    /// What there is of it in a view.
    #[must_use]
    pub fn of(view: &View) -> Self {
        Self {
            restored: view.is_restored,
            states: PerSensor::from_fn(|sensor| view.state(sensor)),
            changed: PerSensor::from_fn(|sensor| view.sensors[sensor]?.changed),
            alarms: PerSensor::from_fn(|sensor| {
                let alarm = view.sensors[sensor]?.alarm?;
                Some((alarm.ko, alarm.acknowledged.is_some()))
            }),
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
/// Bounded: of each subject the latest alarm is kept, and a count of all. A source that is lost is each
/// screen's own alarm, and so is a sensor of which only a plain program speaks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alarms {
    before: Option<Observed>,
    /// The newest last.
    open: Vec<Open>,
    /// The alarm of each sensor that was seen last.
    seen: PerSensor<Option<Dot>>,
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
    /// somebody has seen it. What somebody has acknowledged on another screen is acknowledged here.
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
        let count = self.total.alarms;
        self.acknowledged_elsewhere(&seen);
        let Some(before) = before else {
            if seen.restored {
                self.started(now, &seen);
            }
            return None;
        };
        for sensor in SensorId::ALL {
            let (from, to) = (before.states[sensor], seen.states[sensor]);
            if let Some(ko) = self.new_alarm(sensor, &seen) {
                self.raise(now, Subject::Ko(sensor), ko.from);
            }
            if from == to {
                continue;
            }
            // To be heard of for the first time is no change.
            if from.is_some() || to == Some(State::Ko) {
                self.total.changes += 1;
                self.changed[sensor] = self.total.changes;
            }
            if to == Some(State::Ko) && seen.alarms[sensor].is_none() {
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

    /// An alarm that has not been seen before and that nobody has acknowledged.
    fn new_alarm(&mut self, sensor: SensorId, seen: &Observed) -> Option<Ko> {
        let (ko, acknowledged) = seen.alarms[sensor]?;
        let before = self.seen[sensor].replace(ko.dot);
        (before != Some(ko.dot) && !acknowledged).then_some(ko)
    }

    /// What nobody has acknowledged, by the time of its beginning, as far as that is known.
    fn started(&mut self, now: Wall, seen: &Observed) {
        self.acknowledged.events = seen.noted;
        let is_ko =
            |sensor: &SensorId| seen.states[*sensor] == Some(State::Ko) && seen.alarms[*sensor].is_none();
        let ko: SensorSet = SensorId::ALL.into_iter().filter(is_ko).collect();
        if !ko.is_empty() {
            self.raise(now, Subject::KoAtStart(ko), None);
        }
        let new = SensorId::ALL.map(|sensor| (sensor, self.new_alarm(sensor, seen)));
        let mut new: Vec<_> = new
            .into_iter()
            .filter_map(|(sensor, ko)| Some((sensor, ko?)))
            .collect();
        new.sort_by_key(|(_, ko)| ko.from.map(|from| from.0));
        // Which came first is known where all times are, and differ.
        let unknown = !ko.is_empty() || new.iter().any(|(_, ko)| ko.from.is_none());
        let (mut count, mut before) = (0, None);
        for (sensor, ko) in new {
            if !unknown && ko.from != before {
                count = self.total.alarms;
            }
            before = ko.from;
            self.raise_as(count, now, Subject::Ko(sensor), ko.from);
        }
    }

    /// Takes back what is acknowledged by now, on whatever screen.
    fn acknowledged_elsewhere(&mut self, seen: &Observed) {
        let acknowledged = |sensor| seen.alarms[sensor].is_some_and(|(_, acknowledged)| acknowledged);
        self.open.retain(|open| match open.alarm.subject {
            Subject::Ko(sensor) if acknowledged(sensor) => {
                self.changed[sensor] = 0;
                false
            }
            _ => true,
        });
    }

    fn raise(&mut self, now: Wall, subject: Subject, since: Option<Wall>) {
        self.raise_as(self.total.alarms, now, subject, since);
    }

    /// With the count of alarms before it: that of another one if it is not known which came first.
    fn raise_as(&mut self, count: u64, now: Wall, subject: Subject, since: Option<Wall>) {
        self.total.alarms += subject.number();
        let alarm = Alarm {
            subject,
            raised: now,
            since: since.unwrap_or(now),
        };
        let place = self.open.iter().position(|open| open.alarm.subject == subject);
        let before = place.map(|place| self.open.remove(place));
        self.open.push(Open {
            alarm,
            first: before.map_or((count, alarm), |before| before.first),
            last: self.total.alarms,
            number: before.map_or(0, |before| before.number) + subject.number(),
        });
    }

    /// How much there is to see: what a picture shows that is drawn now.
    #[must_use]
    pub const fn seen(&self) -> Counts {
        self.total
    }

    /// The operator has seen so much of it.
    pub fn acknowledge(&mut self, seen: Counts) {
        self.open.retain(|open| open.last > seen.alarms);
        for open in &mut self.open {
            // Some of them had been seen.
            open.number = open.number.min(open.last - seen.alarms);
        }
        self.acknowledged = Counts {
            alarms: seen.alarms.max(self.acknowledged.alarms),
            changes: seen.changes.max(self.acknowledged.changes),
            events: seen.events.max(self.acknowledged.events),
        };
    }

    /// The alarms, the newest first; of each subject the latest.
    pub fn open(&self) -> impl Iterator<Item = &Alarm> {
        self.open.iter().rev().map(|open| &open.alarm)
    }

    /// Those that were raised when so much had been seen, the oldest first.
    pub fn raised_after(&self, seen: Counts) -> impl Iterator<Item = &Alarm> {
        let new = self.open.iter().filter(move |open| open.last > seen.alarms);
        new.map(|open| &open.alarm)
    }

    /// How many alarms there have been since the last acknowledgement; each sensor that was KO at the start
    /// is one.
    #[must_use]
    pub fn raised(&self) -> u64 {
        self.open.iter().map(|open| open.number).sum()
    }

    /// Which of them came first, if that is known: mostly it is the cause of the others.
    #[must_use]
    pub fn first(&self) -> Option<&Alarm> {
        let first = self.open.iter().map(|open| &open.first);
        let earliest = first.clone().map(|(count, _)| *count).min()?;
        let mut first = first.filter(|(count, _)| *count == earliest);
        first
            .next()
            .filter(|_| first.next().is_none())
            .map(|(_, alarm)| alarm)
    }

    /// Whether a sensor has changed since the last acknowledgement.
    #[must_use]
    pub fn is_new(&self, sensor: SensorId) -> bool {
        self.changed[sensor] > self.acknowledged.changes
    }

    /// Whether there is anything to acknowledge.
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.raised() > 0 || SensorId::ALL.into_iter().any(|sensor| self.is_new(sensor))
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
