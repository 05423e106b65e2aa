//! The only writer of one card's sensors.

use crate::reading::{Reading, Snapshot, Versions};
use crate::sensor::{Card, SensorId, SensorSet, State};
use crate::time::Wall;
use crate::version::{Life, Mint, Version};

/// What a state file holds, or found nothing of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// The readings of all sensors that its writer knew, the other card's as well: one more image of them.
    pub readings: Snapshot,
    /// `Some` while the owner is ungrounded: the sensors that its operator toggled since its memory was lost.
    pub asserted: Option<SensorSet>,
}

/// The owner of one card's sensors: the only place where versions are made.
///
/// Invariants: a sensor's version never goes down; a sensor that the operator toggled in this life changes its state by a toggle only.
#[derive(Debug, Clone)]
pub struct Owner {
    card: Card,
    mint: Mint,
    readings: Snapshot,
    /// Toggled in this life, or, while ungrounded, since the memory was lost: what turns up does not overrule these.
    toggled: SensorSet,
    /// Whether the memory is whole: the state file was there, or the other board has since shown what it knows.
    grounded: bool,
}

/// What hearing a reading of an own sensor did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Nothing that was not known.
    Nothing,
    /// The reading was taken over: it is memory that this owner had lost.
    Recovered,
    /// The reading was higher, but the operator's later toggle stands, under a new version.
    Overruled,
}

impl Owner {
    /// An owner with what its state file holds; `None` if there was no file that can be believed.
    #[must_use]
    pub fn new(card: Card, life: Life, memory: Option<&Memory>) -> Self {
        let mut owner = Self {
            card,
            mint: Mint::new(life),
            readings: Snapshot::default(),
            toggled: SensorSet::EMPTY,
            grounded: false,
        };
        if let Some(memory) = memory {
            owner.grounded = memory.asserted.is_none();
            for (sensor, reading) in memory.readings.of(card).iter() {
                owner.hear(sensor, reading);
            }
            owner.toggled = memory.asserted.unwrap_or_default();
        }
        owner
    }

    /// The card that it owns.
    #[must_use]
    pub const fn card(&self) -> Card {
        self.card
    }

    /// Which life of the program it is.
    #[must_use]
    pub const fn life(&self) -> Life {
        self.mint.life()
    }

    /// Its sensors as they are.
    #[must_use]
    pub const fn readings(&self) -> &Snapshot {
        &self.readings
    }

    /// While ungrounded, the sensors toggled since the memory was lost.
    #[must_use]
    pub fn asserted(&self) -> Option<SensorSet> {
        (!self.grounded).then_some(self.toggled)
    }

    /// The operator toggles a sensor. From unknown it becomes OK: that is what the operator vouches for first.
    ///
    /// Gives the state before and after, or `None` for a sensor of the other card.
    pub fn toggle(&mut self, sensor: SensorId, wall: Wall) -> Option<(Option<State>, State)> {
        if sensor.card() != self.card {
            return None;
        }
        let before = self.readings.get(sensor).map(|reading| reading.state);
        let state = before.map_or(State::Ok, State::toggled);
        let version = self.mint.make();
        self.readings.set(
            sensor,
            Reading {
                state,
                version,
                changed: Some(wall),
            },
        );
        self.toggled.insert(sensor);
        Some((before, state))
    }

    /// A copy of an own sensor's reading turned up. The higher version wins; a toggle that the copy cannot know of stands.
    pub fn hear(&mut self, sensor: SensorId, heard: Reading) -> Heard {
        if sensor.card() != self.card {
            return Heard::Nothing;
        }
        self.mint.show(heard.version);
        match self.readings.get(sensor) {
            Some(own) if own.version >= heard.version => Heard::Nothing,
            // Made by the same life as what is known here: that life's own later toggle.
            Some(own) if own.version.life == heard.version.life => {
                self.readings.set(sensor, heard);
                Heard::Recovered
            }
            Some(own) if self.toggled.contains(sensor) => {
                let version = self.mint.make();
                self.readings.set(sensor, Reading { version, ..own });
                Heard::Overruled
            }
            Some(_) | None => {
                self.readings.set(sensor, heard);
                Heard::Recovered
            }
        }
    }

    /// Another copy of this owner's messages says which sensors were toggled while the memory was lost. It counts only while this owner
    /// is ungrounded itself.
    pub fn hear_asserted(&mut self, asserted: SensorSet) {
        if !self.grounded {
            self.toggled = self.toggled.union(asserted);
        }
    }

    /// The start gate closes. For a sensor of which nothing with a version is known, the word of a plain program counts; where there is
    /// none either, the initial OK.
    pub fn close_gate(&mut self, plain: impl Fn(SensorId) -> Option<State>) {
        for sensor in self.card.sensors() {
            let word = plain(sensor);
            let known = self.readings.version(sensor);
            let version = match word {
                Some(_) => Version::hearsay(self.life()),
                None => Version::initial(self.life()),
            };
            if known.is_none() || (word.is_some() && known < Some(Version::hearsay(Life(0)))) {
                let state = word.unwrap_or(State::Ok);
                self.readings.set(
                    sensor,
                    Reading {
                        state,
                        version,
                        changed: None,
                    },
                );
            }
        }
    }

    /// The other board has shown these versions. Once it has shown all that this owner has, both know the same: the memory is
    /// whole again. Gives whether that is news.
    pub fn confirmed_by(&mut self, shown: &Versions) -> bool {
        let own = self.readings.versions();
        let whole = self
            .card
            .sensors()
            .into_iter()
            .all(|sensor| own.get(sensor).is_some() && own.get(sensor) == shown.get(sensor));
        let news = whole && !self.grounded;
        self.grounded |= whole;
        news
    }
}
