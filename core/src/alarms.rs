//! What the operator of one screen should not miss: alarms, what is new since the last acknowledgement, and
//! how each sensor got where it is.
//!
//! It looks at the machine after each event and sees the difference. So whatever changed a state, a key here
//! or a message from anywhere, is seen by the same rule.

mod history;

use alloc::vec::Vec;

use crate::machine::{Freshness, Machine};
use crate::sensor::{Card, SensorId, SensorSet, State};
use crate::time::Wall;

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
    pub fn number(self) -> u32 {
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

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// Whether the state has been restored.
    pub restored: bool,
    /// The sensors' states, in their order.
    pub states: [Option<State>; 6],
    /// When each changed, as far as its owner said so.
    pub changed: [Option<Wall>; 6],
    /// Whether each card's values are live.
    pub live: [bool; 2],
    /// Since when each card is held.
    pub held: [Option<Wall>; 2],
    /// How many events there have been.
    pub noted: u64,
}

impl Observed {
    /// What there is to see of a program.
    #[must_use]
    pub fn of(machine: &Machine) -> Self {
        let shown = SensorId::ALL.map(|sensor| machine.shown(sensor));
        Self {
            restored: machine.is_restored(),
            states: shown.map(|shown| shown.map(|shown| shown.state())),
            changed: shown.map(|shown| shown.and_then(|shown| shown.changed())),
            live: Card::ALL.map(|card| machine.freshness(card) == Freshness::Live),
            held: Card::ALL.map(|card| match machine.freshness(card) {
                Freshness::Live => None,
                Freshness::Held { since, .. } => Some(since),
            }),
            noted: machine.event_log().noted(),
        }
    }
}

/// The alarms that nobody has acknowledged, and what else is new.
///
/// Bounded: of each subject the latest alarm is kept, and a count of all.
#[derive(Debug, Clone, Default)]
pub struct Alarms {
    before: Option<Observed>,
    /// The newest last.
    open: Vec<Alarm>,
    raised: u32,
    changed: SensorSet,
    acknowledged: u64,
    histories: [History; 6],
}

impl Alarms {
    /// Looks at a program after an event. Gives whether to ring.
    ///
    /// A sensor that goes KO raises an alarm, whoever toggled it, and so does a card whose values were live
    /// and are held. What was so when the state had been restored does not ring: a banner says it until
    /// somebody has seen it.
    pub fn look(&mut self, now: Wall, seen: Observed) -> Option<Ring> {
        for (history, (state, changed)) in self
            .histories
            .iter_mut()
            .zip(seen.states.into_iter().zip(seen.changed))
        {
            history.note(state, changed.unwrap_or(now), now);
        }
        let before = self.before.replace(seen).filter(|before| before.restored);
        let Some(before) = before else {
            if seen.restored {
                self.started(now, &seen);
            }
            return None;
        };
        let count = self.raised;
        for sensor in SensorId::ALL {
            let (from, to) = (before.states[sensor.index()], seen.states[sensor.index()]);
            if from == to {
                continue;
            }
            // To be heard of for the first time is no change.
            if from.is_some() || to == Some(State::Ko) {
                self.changed.insert(sensor);
            }
            if to == Some(State::Ko) {
                self.raise(now, Subject::Ko(sensor), seen.changed[sensor.index()]);
            }
        }
        for card in Card::ALL {
            if before.live[card as usize] && !seen.live[card as usize] {
                self.raise(now, Subject::Lost(card), seen.held[card as usize]);
            }
        }
        if !self.has_news() {
            // What happens before there is anything to acknowledge, such as a bridge that comes up, is not
            // worth a mark.
            self.acknowledged = seen.noted;
        }
        (self.raised != count).then_some(Ring::Once)
    }

    fn started(&mut self, now: Wall, seen: &Observed) {
        self.acknowledged = seen.noted;
        let ko: SensorSet = SensorId::ALL
            .into_iter()
            .filter(|sensor| seen.states[sensor.index()] == Some(State::Ko))
            .collect();
        if !ko.is_empty() {
            self.raise(now, Subject::KoAtStart(ko), None);
        }
    }

    fn raise(&mut self, now: Wall, subject: Subject, since: Option<Wall>) {
        self.open.retain(|alarm| alarm.subject != subject);
        self.open.push(Alarm {
            subject,
            raised: now,
            since: since.unwrap_or(now),
        });
        self.raised = self.raised.saturating_add(subject.number());
    }

    /// The operator has seen it all.
    pub fn acknowledge(&mut self) {
        self.open.clear();
        self.raised = 0;
        self.changed = SensorSet::EMPTY;
        self.acknowledged = self.before.map_or(0, |seen| seen.noted);
    }

    /// The alarms, the newest first; of each subject the latest.
    pub fn open(&self) -> impl Iterator<Item = &Alarm> {
        self.open.iter().rev()
    }

    /// How many alarms there have been since the last acknowledgement; each sensor that was KO at the start
    /// is one.
    #[must_use]
    pub const fn raised(&self) -> u32 {
        self.raised
    }

    /// Whether a sensor has changed since the last acknowledgement.
    #[must_use]
    pub const fn is_new(&self, sensor: SensorId) -> bool {
        self.changed.contains(sensor)
    }

    /// Whether there is anything to acknowledge.
    #[must_use]
    pub const fn has_news(&self) -> bool {
        self.raised > 0 || !self.changed.is_empty()
    }

    /// How many events there had been at the last acknowledgement; those after it are new.
    #[must_use]
    pub const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// How a sensor got where it is.
    #[must_use]
    pub const fn history(&self, sensor: SensorId) -> &History {
        &self.histories[sensor.index()]
    }
}
