//! The only writer of one card's sensors.

use crate::command::Done;
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
    /// What the next life has to go on from; `None` in a file that nobody wrote.
    pub lineage: Option<Lineage>,
    /// The commands that made the readings what they are.
    pub done: Done,
}

/// How an owner's lives follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lineage {
    /// Of all versions made since the memory began: see [`Life`].
    pub era: u16,
    /// The highest incarnation that may have been used. It is on disk before anybody is told a version of it: so a later life never
    /// uses it again, whatever was lost in between.
    pub incarnation: u64,
}

/// The owner of one card's sensors: the only place where versions are made.
///
/// Invariants: a sensor's version never goes down; a sensor that the operator toggled in this life changes its state by a toggle only.
#[derive(Debug, Clone)]
pub struct Owner {
    card: Card,
    mint: Mint,
    readings: Snapshot,
    /// Toggled in this life: what turns up does not overrule these.
    toggled: SensorSet,
    /// While ungrounded, toggled in an earlier life since the memory was lost: no memory that turns up overrules these.
    inherited: SensorSet,
    /// Whether the memory is whole: the state file was there, or the other board has since shown what it knows.
    grounded: bool,
}

/// Where a reading of an own sensor comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A copy kept somewhere: a file, a retained or queued message, an echo.
    Memory,
    /// Another owner of this card, that speaks now. What it says is no old memory.
    Twin,
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
        let lineage = memory.and_then(|memory| memory.lineage);
        let life = lineage.map_or(life, |lineage| life.in_era(lineage.era));
        let mut owner = Self {
            card,
            mint: Mint::new(life),
            readings: Snapshot::default(),
            toggled: SensorSet::EMPTY,
            inherited: SensorSet::EMPTY,
            grounded: false,
        };
        if let Some(lineage) = lineage {
            owner.mint.skip(lineage.incarnation);
        }
        if let Some(memory) = memory {
            owner.grounded = memory.asserted.is_none();
            for (sensor, reading) in memory.readings.of(card).iter() {
                owner.hear(sensor, reading, Source::Memory);
            }
            owner.inherited = memory.asserted.unwrap_or_default();
        }
        owner
    }

    /// The card that it owns.
    #[must_use]
    pub const fn card(&self) -> Card {
        self.card
    }

    /// What the next life will have to go on from.
    #[must_use]
    pub const fn lineage(&self) -> Lineage {
        Lineage {
            era: self.life().era(),
            incarnation: self.mint.incarnation(),
        }
    }

    /// The highest incarnation in which this life has made a version.
    #[must_use]
    pub fn used(&self) -> u64 {
        let made = self.readings.iter().map(|(_, reading)| reading.version);
        made.filter(|version| version.life == self.life())
            .map(|version| version.incarnation)
            .max()
            .unwrap_or(0)
    }

    /// Which life it is, in the versions that it makes.
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
        (!self.grounded).then(|| self.toggled.union(self.inherited))
    }

    /// The operator toggles a sensor. From unknown it becomes OK: that is what the operator vouches for first.
    ///
    /// Gives the state before and after, or `None` for a sensor of the other card, and where somebody has used the highest version there is: nobody would
    /// believe the new state.
    pub fn toggle(&mut self, sensor: SensorId, wall: Wall) -> Option<(Option<State>, State)> {
        if sensor.card() != self.card {
            return None;
        }
        let before = self.readings.get(sensor).map(|reading| reading.state);
        self.set(sensor, before.map_or(State::Ok, State::toggled), wall)
    }

    /// The operator vouches for a state, whatever it was before. Gives the same as [`Owner::toggle`].
    pub fn set(&mut self, sensor: SensorId, state: State, wall: Wall) -> Option<(Option<State>, State)> {
        if sensor.card() != self.card {
            return None;
        }
        let before = self.readings.get(sensor).map(|reading| reading.state);
        let version = self.mint.make();
        if Some(version) <= self.readings.version(sensor) {
            return None;
        }
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

    /// Whether a sensor's state is more than provisional: no memory that may yet turn up is likely to overrule it.
    #[must_use]
    pub fn stands(&self, sensor: SensorId) -> bool {
        let known = self
            .readings
            .version(sensor)
            .is_some_and(|version| version.incarnation > 0);
        self.toggled.contains(sensor) || (self.grounded && known)
    }

    /// A copy of an own sensor's reading turned up. The higher version wins; a toggle that the copy cannot know of stands.
    pub fn hear(&mut self, sensor: SensorId, heard: Reading, source: Source) -> Heard {
        if sensor.card() != self.card {
            return Heard::Nothing;
        }
        self.mint.show(heard.version);
        let stands = |own: Reading| {
            // Within an era the higher version is the later one: nothing was forgotten in between.
            let unaware = own.version.life.era() != heard.version.life.era();
            let inherited = source == Source::Memory && unaware && self.inherited.contains(sensor);
            self.toggled.contains(sensor) || inherited
        };
        match self.readings.get(sensor) {
            Some(own) if own.version >= heard.version => Heard::Nothing,
            Some(own) if stands(own) => {
                let version = self.mint.make();
                if version < heard.version {
                    // No version is above it: everybody else will show it for good.
                    self.readings.set(sensor, heard);
                    return Heard::Recovered;
                }
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
            self.inherited = self.inherited.union(asserted);
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
