//! The only writer of one card's sensors.

use crate::command::Done;
use crate::reading::{Reading, Snapshot};
use crate::sensor::{Card, SensorId, SensorSet, State};
use crate::time::Wall;
use crate::version::{Life, Mint, Version};

/// What a state file holds, or found nothing of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// The readings of all sensors that its writer knew, the other card's as well: one more image of them.
    pub readings: Snapshot,
    /// Of all versions made since the memory began, see [`Life`]; `None` in a file that nobody wrote.
    pub era: Option<u16>,
    /// The highest incarnation that may have been used: on disk before anybody is told a version of it, so that no later life uses it again.
    pub incarnation: u64,
    /// The commands that made the readings what they are.
    pub done: Done,
}

/// The owner of one card's sensors: the only place where versions are made.
///
/// Invariants: a sensor's version never goes down; a sensor that the operator toggled in this life changes its state by a toggle only.
#[derive(Debug, Clone)]
pub struct Owner {
    card: Card,
    mint: Mint,
    /// The era of the next branch.
    branch: u16,
    /// The era that this life has left for a branch: its memory is this one's as well.
    left: Option<u16>,
    readings: Snapshot,
    /// Toggled in this life: what turns up does not overrule these.
    toggled: SensorSet,
    /// Whether the start gate has closed.
    gated: bool,
    /// Until [`Owner::outrank`]: what has to be outranked then. A later copy of what stands here may still turn up, under a lower version
    /// than it would have got.
    overruled: Option<Snapshot>,
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
            mint: Mint::new(life.in_era(life.first_era())),
            branch: life.first_branch(),
            left: None,
            readings: Snapshot::default(),
            toggled: SensorSet::EMPTY,
            gated: false,
            overruled: Some(Snapshot::default()),
        };
        if let Some(era) = memory.and_then(|memory| memory.era) {
            owner
                .mint
                .go_on(era, memory.map_or(0, |memory| memory.incarnation));
        }
        if let Some(memory) = memory {
            for (sensor, reading) in memory.readings.of(card).iter() {
                owner.hear(sensor, reading);
            }
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
    pub fn memory(&self) -> Memory {
        Memory {
            readings: self.readings,
            era: Some(self.life().era()),
            incarnation: self.mint.incarnation(),
            done: Done::default(),
        }
    }

    /// The highest incarnation in which this life has made a version.
    #[must_use]
    pub fn used(&self) -> u64 {
        let made = self.readings.iter().map(|(_, reading)| reading.version);
        made.filter(|version| version.life.is_of(self.life()))
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
        let known = self.readings.version(sensor);
        let version = self.mint.make(known);
        if Some(version) <= known {
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
        let vouched = |version: Version| !version.is_provisional();
        let known = self.readings.version(sensor).is_some_and(vouched);
        self.toggled.contains(sensor) || (self.mint.is_unbroken() && known)
    }

    /// A copy of an own sensor's reading turned up. The later one wins; a toggle of this life stands in any case. What wins with the lower
    /// version gets a new one, above the other.
    pub fn hear(&mut self, sensor: SensorId, heard: Reading) -> Heard {
        if sensor.card() != self.card {
            return Heard::Nothing;
        }
        self.mint.show(heard.version);
        let Some(own) = self.readings.get(sensor) else {
            self.readings.set(sensor, heard);
            return Heard::Recovered;
        };
        let stands = self.toggled.contains(sensor) || !self.is_later(heard.version, own.version);
        if stands && heard.version <= own.version {
            return Heard::Nothing;
        }
        let waits = stands && self.waits(sensor);
        if let (true, Some(overruled)) = (waits, &mut self.overruled) {
            overruled.offer(sensor, heard);
            return Heard::Overruled;
        }
        if stands && self.raise(sensor, own, heard.version) {
            return Heard::Overruled;
        }
        if heard.version > own.version {
            // Where it should not win, no version is above it: everybody else will show it for good.
            self.readings.set(sensor, heard);
        } else if !self.raise(sensor, heard, own.version) {
            return Heard::Nothing;
        }
        Heard::Recovered
    }

    /// The reading of a sensor gets a new version: somebody has said something else under the present one.
    pub fn reaffirm(&mut self, sensor: SensorId) {
        if let Some(own) = self.readings.get(sensor) {
            self.raise(sensor, own, own.version);
        }
    }

    /// The disk does not take the incarnation in which this life has made versions, and the next life would use it again: what is published all
    /// the same is a branch, in an era of its own. Nobody has been told of these versions yet; they get new ones. `saved` is the highest
    /// incarnation that the disk holds.
    pub fn branch_off(&mut self, saved: u64) {
        if self.used() <= saved {
            return;
        }
        let (left, branch) = (self.life().era(), self.branch);
        self.branch = branch.wrapping_add(2);
        self.left = Some(left);
        self.mint.branch_off(branch, saved);
        for (sensor, reading) in self.readings.iter().collect::<Vec<_>>() {
            let version = reading.version;
            if version.life.is_of(self.life()) && version.incarnation > saved {
                let era = if version.era() == left {
                    branch
                } else {
                    version.era()
                };
                let branched = self.mint.make_in(era, Some(version));
                // Where somebody has used the highest version there is, no branch is above it.
                if branched > version {
                    self.readings.set(
                        sensor,
                        Reading {
                            version: branched,
                            ..reading
                        },
                    );
                }
            }
        }
    }

    /// Whether a later copy of a sensor's reading may still turn up. What the operator has toggled is the latest there is, once all else is known.
    fn waits(&self, sensor: SensorId) -> bool {
        self.overruled.is_some() && !(self.gated && self.toggled.contains(sensor))
    }

    /// Whether what was heard is later than what stands here. Of two eras that did not know of each other the one that this memory has
    /// lived through is the later one: the other one ended before it began, or it would know. Where that does not tell either, this
    /// memory is at least the third, and nobody can: the higher version wins.
    fn is_later(&self, heard: Version, own: Version) -> bool {
        if heard.knows(own) {
            return heard > own;
        }
        let lived = |version: Version| version.era() == self.life().era() || Some(version.era()) == self.left;
        match (lived(heard), lived(own)) {
            _ if own.knows(heard) => false,
            (true, true) | (false, false) => heard > own,
            (heard, _) => heard,
        }
    }

    /// A reading gets a new version, above one that must not win, if there is any. It stays in its era: nothing was toggled now.
    fn raise(&mut self, sensor: SensorId, reading: Reading, above: Version) -> bool {
        let era = reading.version.era();
        let before = if above.era() == era {
            reading.version
        } else {
            above
        };
        let version = self.mint.make_in(era, Some(before));
        if version > above {
            self.readings.set(sensor, Reading { version, ..reading });
        }
        version > above
    }

    /// The start gate closes. For a sensor of which nothing with a version is known, the word of a plain program counts; where there is
    /// none either, the initial OK.
    pub fn close_gate(&mut self, plain: impl Fn(SensorId) -> Option<State>) {
        self.gated = true;
        for (sensor, reading) in self.overruled.unwrap_or_default().iter() {
            if !self.waits(sensor) {
                self.hear(sensor, reading);
            }
        }
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

    /// Whoever knows more of this owner's memory has had time to say so: what stands here is raised above the versions that must not win.
    pub fn outrank(&mut self) {
        for (sensor, reading) in self.overruled.take().iter().flat_map(Snapshot::iter) {
            self.hear(sensor, reading);
        }
    }
}
