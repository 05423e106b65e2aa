//! The only writer of one card's sensors.

use alloc::vec::Vec;

use crate::acknowledged::Acknowledged;
use crate::command::Done;
use crate::reading::{Reading, Snapshot};
use crate::sensor::{Card, SensorId, State};
use crate::time::Wall;
use crate::version::{Dot, Era, Order, RunId, Seen, Version};

/// How many numbers a run reserves in the state file at a time: more toggles than an operator makes in one
/// run.
const BLOCK: u64 = 1 << 24;

/// What a state file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// The readings of all sensors that its writer knew, the other card's as well: one more image of them.
    pub readings: Snapshot,
    /// Which eras of its own card the owner has met.
    pub met: Seen,
    /// The era in which the owner counts; `None` in a file that nobody wrote.
    pub era: Option<Era>,
    /// Up to which number of that era toggles may have been made. The next run counts on above it.
    pub reserved: u64,
    /// The number in the owner's client id.
    pub client: Option<u32>,
    /// The commands that made the readings what they are.
    pub done: Done,
    /// The alarms that somebody has acknowledged.
    pub acknowledged: Acknowledged,
}

/// The owner of one card's sensors: the only place where versions are made.
///
/// Invariants: no dot is used for two toggles; a version that is made is later ([`Version::compare`]) than
/// those that were heard before of the same sensor, of as many eras as [`Seen`] keeps.
#[derive(Debug, Clone)]
pub struct Owner {
    card: Card,
    life: RunId,
    /// How many eras this run has begun.
    begun: u32,
    /// Where this run counts now.
    count: Count,
    /// The era of the state file. Until the file has taken a reservation, this run counts in an era of its
    /// own: the next run will count on from the file, and must not use a number again.
    file: Count,
    readings: Snapshot,
    met: Seen,
    /// Whether all copies in reach have been heard.
    restored: bool,
    /// Whether somebody has spoken of a dot in this owner's era that this owner never made.
    claimed: bool,
}

/// Numbers of an era that this run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    era: Era,
    /// Numbers up to this one were used by earlier runs.
    before: u64,
    /// This run uses those above this one,
    from: u64,
    /// has used those up to this one,
    last: u64,
    /// and goes no further than this one.
    reserved: u64,
}

impl Count {
    /// An era of which earlier runs may have used numbers up to this one. The run's own `offset` keeps two
    /// runs apart that go on from copies of one file.
    const fn new(era: Era, before: u64, offset: u64) -> Self {
        let from = before + offset;
        Self {
            era,
            before,
            from,
            last: from,
            reserved: before + BLOCK,
        }
    }

    /// Whether this run made a dot.
    fn has_made(&self, dot: Dot) -> bool {
        dot.era == self.era && self.from < dot.n && dot.n <= self.last
    }

    /// The highest dot that was made in this era, as far as this run knows.
    const fn highest(&self) -> Dot {
        let n = if self.last > self.from {
            self.last
        } else {
            self.before
        };
        Dot { n, era: self.era }
    }

    /// Whether a dot is of this era, and neither this run nor an earlier one can have made it.
    fn has_not_made(&self, dot: Dot) -> bool {
        dot.era == self.era && dot.n > self.before && !self.has_made(dot)
    }
}

impl Owner {
    /// An owner with what its state file holds; `None` if there was no file that can be believed.
    #[must_use]
    pub fn new(card: Card, life: RunId, memory: Option<&Memory>) -> Self {
        let own = Count::new(life.era(0), Dot::HEARSAY, 0);
        let mut owner = Self {
            card,
            life,
            begun: 1,
            count: own,
            file: own,
            readings: Snapshot::default(),
            met: Seen::default(),
            restored: false,
            claimed: false,
        };
        let Some(memory) = memory else { return owner };
        owner.readings = memory.readings.of(card);
        owner.met = memory.met;
        if let Some(era) = memory.era {
            // What stands in a file may be above what that reserved: somebody has made it up.
            let mut used = memory.reserved;
            for (_, reading) in owner.readings.iter() {
                let dots = reading.version.dots().filter(|dot| dot.era == era);
                used = dots.map(|dot| dot.n).fold(used, u64::max);
            }
            owner.met = owner.met.with(Dot { n: used, era });
            // An era whose numbers are used up is left for a new one.
            if used < Dot::MAX / 2 {
                owner.file = Count::new(era, used, u64::from(life.0) % (BLOCK / 2));
            }
        }
        owner
    }

    /// The card that it owns.
    #[must_use]
    pub const fn card(&self) -> Card {
        self.card
    }

    /// What the next run will have to go on from.
    #[must_use]
    pub fn memory(&self) -> Memory {
        Memory {
            readings: self.readings,
            met: self.met,
            era: Some(self.file.era),
            reserved: self.file.reserved,
            ..Memory::default()
        }
    }

    /// The eras that are its own: that of its state file, and the one in which toggles are numbered now, if
    /// that is another one.
    #[must_use]
    pub fn eras(&self) -> (Era, Option<Era>) {
        let own = Some(self.count.era).filter(|era| *era != self.file.era);
        (self.file.era, own)
    }

    /// Its sensors as they are.
    #[must_use]
    pub const fn readings(&self) -> &Snapshot {
        &self.readings
    }

    /// Nobody can have acknowledged the alarm that the next toggle may raise. Where somebody says so, the
    /// owner goes on in an era of which nobody has said it.
    pub fn outrun(&mut self, acknowledged: &Acknowledged) {
        let sensors = self.card.sensors();
        let covers_next = |count: Count| {
            let (n, era) = (count.last + 1, count.era);
            let covers = |sensor| acknowledged.covers(sensor, Dot { n, era });
            sensors.into_iter().any(covers)
        };
        while covers_next(self.count) {
            self.begin_era();
        }
    }

    /// The operator toggles a sensor. From unknown it becomes OK: that is what the operator vouches for
    /// first.
    ///
    /// Gives the state before and after, or `None` for a sensor of the other card.
    pub fn toggle(&mut self, sensor: SensorId, wall: Wall) -> Option<(Option<State>, State)> {
        let before = self.readings.get(sensor).map(|reading| reading.state);
        self.set(sensor, before.map_or(State::Ok, State::toggled), wall)
    }

    /// The operator vouches for a state, whatever it was before. Gives the same as [`Owner::toggle`].
    pub fn set(&mut self, sensor: SensorId, state: State, wall: Wall) -> Option<(Option<State>, State)> {
        if sensor.card() != self.card {
            return None;
        }
        let before = self.readings.get(sensor);
        let version = self.next(before.map(|reading| reading.version));
        self.readings
            .set(sensor, Reading::after(before, state, version, wall));
        Some((before.map(|reading| reading.state), state))
    }

    /// Whether an operator has set the state, in a memory that this owner goes on from: nothing that may yet
    /// turn up is likely to be later.
    #[must_use]
    pub fn stands(&self, sensor: SensorId) -> bool {
        let version = self.readings.version(sensor);
        version.is_some_and(|version| !version.is_provisional() && self.is_own(&version))
    }

    /// A copy of an own sensor's reading turned up. The later one is kept; gives whether that is the copy.
    /// Call [`Owner::settle`] after the last one of a message.
    pub fn hear(&mut self, sensor: SensorId, heard: Reading) -> bool {
        if sensor.card() != self.card {
            return false;
        }
        self.meet(&heard.version);
        let own = self.readings.get(sensor);
        let taken = match own {
            None => true,
            Some(own) if own.version.dot == heard.version.dot => {
                if own.state != heard.state && !own.version.is_provisional() {
                    // Somebody has made it up. Under a new number the own state is later for whoever believes
                    // that.
                    let version = self.next(Some(own.version));
                    self.readings.set(sensor, own.renumbered(version));
                } else {
                    self.readings.merge(sensor, heard);
                }
                false
            }
            Some(own) if self.is_later(&heard.version, &own.version) => true,
            Some(own) => {
                let open = heard.version.compare_exactly(&own.version) == Order::Unordered;
                if open && self.is_own(&own.version) && !own.version.is_provisional() {
                    // It has been decided: the own reading has seen the copy, and nobody has to decide again
                    // when this memory is lost.
                    let version = own.version.having_seen(&heard.version);
                    self.readings.set(sensor, Reading { version, ..own });
                }
                false
            }
        };
        if taken {
            let version = own.map_or(heard.version, |own| heard.version.in_place_of(&own.version));
            self.readings.set(sensor, Reading { version, ..heard });
        }
        taken
    }

    /// All of a message has been heard. Where it spoke of a dot in this owner's era that this owner never
    /// made, the owner goes on in a new era.
    pub fn settle(&mut self) {
        if core::mem::take(&mut self.claimed) {
            self.begin_era();
        }
    }

    /// Takes note of the eras that a version speaks of.
    fn meet(&mut self, version: &Version) {
        self.met = self.met.join(version.seen_from(self.count.era));
        self.claimed |= self.is_claimed(version);
    }

    /// Whether a version that was heard is later than the own one. What claims dots that were never made is
    /// not later than a toggle of this run. Of two that the versions do not order, the one of an own era is
    /// later: its owner is here. Where nothing tells, what others have been told stays; before anybody has
    /// been told anything, the higher dot is taken.
    fn is_later(&self, heard: &Version, own: &Version) -> bool {
        if self.is_claimed(heard) && self.count.has_made(own.dot) {
            return false;
        }
        match heard.compare_exactly(own) {
            Order::Later => return true,
            Order::Earlier | Order::Same => return false,
            Order::Unordered => {}
        }
        let (own_heard, own_known) = (self.is_own(heard), self.is_own(own));
        if own_heard != own_known {
            return own_heard;
        }
        match heard.compare(own) {
            Order::Later => true,
            Order::Earlier | Order::Same => false,
            Order::Unordered => !self.restored && heard.dot > own.dot,
        }
    }

    /// Whether a version is of an era in which this memory counts.
    fn is_own(&self, version: &Version) -> bool {
        [self.count.era, self.file.era].contains(&version.era())
    }

    /// Whether somebody speaks of a dot in this owner's era that this owner never made: another owner goes on
    /// from a copy of its state file, an older file was put back, or somebody has made it up.
    fn is_claimed(&self, version: &Version) -> bool {
        version
            .dots()
            .any(|dot| self.count.has_not_made(dot) || self.file.has_not_made(dot))
    }

    /// Leaves the present era for a new one that comes after all that is known.
    fn begin_era(&mut self) {
        let mut era = self.life.era(self.begun);
        self.begun += 1;
        // Whoever knows this run's life knows which eras it will begin.
        while self.met.get(era).is_some() {
            era = self.life.era(self.begun);
            self.begun += 1;
        }
        self.count_in(Count::new(era, Dot::HEARSAY, 0));
        self.file = self.count;
    }

    /// The state file has taken a reservation: this run counts on in the file's era.
    pub fn reserved(&mut self, memory: &Memory) {
        let taken = memory.era == Some(self.file.era) && memory.reserved == self.file.reserved;
        if taken && self.count.era != self.file.era {
            self.count_in(self.file);
        }
    }

    /// Counts in another era from now on. What was toggled in this run gets a new number there.
    fn count_in(&mut self, count: Count) {
        let left = self.count;
        let ended = [left.highest(), self.file.highest()];
        let ended = ended.into_iter().filter(|dot| dot.n > Dot::HEARSAY);
        self.met = self
            .met
            .without(count.era)
            .join(ended.filter(|dot| dot.era != count.era).collect());
        self.count = count;
        for (sensor, reading) in self.readings.iter().collect::<Vec<_>>() {
            if left.has_made(reading.version.dot) {
                let version = self.next(Some(reading.version));
                self.readings.set(sensor, reading.renumbered(version));
            }
        }
    }

    /// A version that is later than all that are known.
    fn next(&mut self, before: Option<Version>) -> Version {
        if self.count.last >= self.count.reserved {
            self.begin_era();
        }
        self.count.last += 1;
        if self.file.era == self.count.era {
            self.file = self.count;
        }
        let era = self.count.era;
        let n = self.count.last;
        let mut seen = self.met;
        if let Some(before) = before.filter(|before| !before.is_provisional()) {
            seen = seen.join(before.seen_from(era));
            if before.era() != era {
                seen = seen.holding(before.dot);
            }
        }
        Version {
            dot: Dot { n, era },
            seen,
        }
    }

    /// All copies in reach have been heard. For a sensor of which nothing with a version is known, the word
    /// of a plain program counts; where there is none either, the initial OK.
    pub fn restored(&mut self, plain: impl Fn(SensorId) -> Option<State>) {
        self.restored = true;
        for sensor in self.card.sensors() {
            let (known, word) = (self.readings.version(sensor), plain(sensor));
            let initial = known.is_none_or(|version| version.dot.n == Dot::INITIAL);
            if known.is_none() || (word.is_some() && initial) {
                let n = if word.is_some() {
                    Dot::HEARSAY
                } else {
                    Dot::INITIAL
                };
                // Not the file's era: an earlier run may have said another state under the same dot.
                let era = self.life.era(0);
                self.readings.set(
                    sensor,
                    Reading {
                        state: word.unwrap_or(State::Ok),
                        version: Version {
                            dot: Dot { n, era },
                            seen: Seen::default(),
                        },
                        changed: None,
                        ko: None,
                    },
                );
            }
        }
    }
}
