//! The sensors as everybody else sees them: the best version known of each, and over it the word of a plain
//! program while it lasts.

use crate::reading::{Merge, Reading, Snapshot, Versions};
use crate::sensor::{Card, PerSensor, SensorId, State};
use crate::time::Wall;

/// What is known of all six sensors without owning them.
#[derive(Debug, Clone, Default)]
pub struct Global {
    best: Snapshot,
    /// Words without versions that arrived live.
    plain: PerSensor<Option<Unversioned>>,
}

/// A state without a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unversioned {
    /// The state.
    pub state: State,
    /// When this program first heard it, by its own clock; for people to read.
    pub changed: Option<Wall>,
}

/// What is shown of a sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "read once, never kept")]
pub enum Shown {
    /// A reading with its version.
    Reading(Reading),
    /// A plain program's word.
    Unversioned(Unversioned),
}

impl Shown {
    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        match self {
            Self::Reading(reading) => reading.state,
            Self::Unversioned(word) => word.state,
        }
    }

    /// When it changed, as far as somebody said so.
    #[must_use]
    pub const fn changed(&self) -> Option<Wall> {
        match self {
            Self::Reading(reading) => reading.changed,
            Self::Unversioned(word) => word.changed,
        }
    }
}

impl Global {
    /// What is shown of a sensor; `None` is UNKNOWN.
    #[must_use]
    pub fn shown(&self, sensor: SensorId) -> Option<Shown> {
        self.plain[sensor]
            .map(Shown::Unversioned)
            .or_else(|| self.best.get(sensor).map(Shown::Reading))
    }

    /// The best readings with versions, also where a plain word lies over them.
    #[must_use]
    pub const fn best(&self) -> &Snapshot {
        &self.best
    }

    /// The join says that it shows these versions, and no plain word over them: where they are known here,
    /// neither does this view.
    pub fn forget_plain(&mut self, card: Card, shown: &Versions) {
        for sensor in card.sensors() {
            let best = self.best.version(sensor);
            if best.is_some() && best.map(|best| best.dot) == shown.dot(sensor) {
                self.plain[sensor] = None;
            }
        }
    }

    /// A reading turned up. A later one is taken, and ends a plain word; so does the one that is known, if
    /// its owner `speaks` live: then the plain word was an impostor's, or its time is over.
    pub fn merge(&mut self, sensor: SensorId, reading: Reading, speaks: bool) -> Merge {
        let merge = self.best.merge(sensor, reading);
        if merge == Merge::Taken || (merge == Merge::Known && speaks) {
            self.plain[sensor] = None;
        }
        merge
    }

    /// Its owner says that this reading is the later one, which the versions do not tell.
    pub fn put(&mut self, sensor: SensorId, reading: Reading) {
        self.best.set(sensor, reading);
        self.plain[sensor] = None;
    }

    /// The word of a plain program arrived live, and no owner with versions is live for this card. Gives
    /// whether what is shown changed.
    pub fn believe(&mut self, sensor: SensorId, state: State, wall: Wall) -> bool {
        let before = self.shown(sensor).map(|shown| shown.state());
        if before == Some(state) && self.plain[sensor].is_some() {
            return false;
        }
        self.plain[sensor] = Some(Unversioned {
            state,
            changed: Some(wall),
        });
        before != Some(state)
    }

    /// An owner with versions is live for this card: no plain word stands beside it.
    pub fn end_plain(&mut self, card: Card) {
        for sensor in card.sensors() {
            if self.best.get(sensor).is_some() {
                self.plain[sensor] = None;
            }
        }
    }

    /// The word of a plain program was met as a retained or queued message: it is used where nothing with a
    /// version is known, or where a plain word stands already.
    pub fn recall(&mut self, sensor: SensorId, state: State) {
        let known = &mut self.plain[sensor];
        match known {
            Some(word) if word.state == state => {}
            None if self.best.get(sensor).is_some() => {}
            _ => *known = Some(Unversioned { state, changed: None }),
        }
    }

    /// Whether everything that is shown of this card rests on a plain program's word.
    #[must_use]
    pub fn is_all_plain(&self, card: Card) -> bool {
        let reading = |sensor| matches!(self.shown(sensor), Some(Shown::Reading(_)));
        self.is_plain(card) && !card.sensors().into_iter().any(reading)
    }

    /// Whether some sensor of this card rests on a plain program's word.
    #[must_use]
    pub fn is_plain(&self, card: Card) -> bool {
        card.sensors()
            .into_iter()
            .any(|sensor| self.plain[sensor].is_some())
    }
}
