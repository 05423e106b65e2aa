//! What somebody without a terminal asks an owner to do, and what the owner answers.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::sensor::{PerSensor, SensorId, SensorSet, State};
use crate::stage::Stage;

/// What to do with one sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Let it have this state. Asked twice, it is done once.
    Set(State),
    /// Let it have the other state.
    Toggle,
}

impl Change {
    /// Both, one after the other, as one; `None` if they leave everything as it was.
    #[must_use]
    pub const fn then(self, next: Self) -> Option<Self> {
        match (self, next) {
            (_, Self::Set(state)) => Some(Self::Set(state)),
            (Self::Set(state), Self::Toggle) => Some(Self::Set(state.toggled())),
            (Self::Toggle, Self::Toggle) => None,
        }
    }
}

/// An order for some sensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changes(PerSensor<Option<Change>>);

impl Changes {
    /// What is to be done with a sensor.
    #[must_use]
    pub fn get(&self, sensor: SensorId) -> Option<Change> {
        self.0[sensor]
    }

    /// Gives an order for a sensor, or takes it back.
    pub fn put(&mut self, sensor: SensorId, order: Option<Change>) {
        self.0[sensor] = order;
    }

    /// The orders, by sensor.
    pub fn iter(&self) -> impl Iterator<Item = (SensorId, Change)> + '_ {
        self.0.iter()
    }

    /// The sensors that it is about.
    #[must_use]
    pub fn sensors(&self) -> SensorSet {
        self.iter().map(|(sensor, _)| sensor).collect()
    }

    /// These, and after them others.
    #[must_use]
    pub fn then(mut self, next: &Self) -> Self {
        for (sensor, order) in next.iter() {
            let both = match self.get(sensor) {
                Some(first) => first.then(order),
                None => Some(order),
            };
            self.put(sensor, both);
        }
        self
    }
}

/// Who gave a command: at most [`Name::LONGEST`] printable ASCII characters, so that it can be shown as it
/// is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name {
    letters: [u8; Self::LONGEST],
    length: u8,
}

impl Name {
    /// As many characters fit into a line of the event log.
    pub const LONGEST: usize = 40;

    /// The name, if it is one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let printable = text.bytes().all(|letter| matches!(letter, b' '..=b'~'));
        let length = u8::try_from(text.len()).ok()?;
        if !printable || text.is_empty() || text.len() > Self::LONGEST {
            return None;
        }
        let mut letters = [b' '; Self::LONGEST];
        letters[..text.len()].copy_from_slice(text.as_bytes());
        Some(Self { letters, length })
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.letters[..usize::from(self.length)]).unwrap_or_default()
    }
}

/// A text that is no [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("want 1 to {} printable ASCII characters", Name::LONGEST)]
pub struct NotAName;

impl FromStr for Name {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        Self::new(text).ok_or(NotAName)
    }
}

impl TryFrom<String> for Name {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        Self::new(&text).ok_or(NotAName)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.as_str().to_owned()
    }
}

/// Asks the owner of a card to change sensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// The same command again has the same number: it is done once, and answered each time. Without one there
    /// is no answer.
    pub id: Option<u64>,
    /// Who asks.
    pub by: Option<Name>,
    /// For what: one sensor at least.
    pub changes: Changes,
}

/// How far the owner has got with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Which command.
    pub id: u64,
    /// The sensors that it was about: their states as they are now, which may be newer, and the stage of
    /// these.
    pub reached: PerSensor<Option<(State, Stage)>>,
}

impl Answer {
    /// What is said of a sensor.
    #[must_use]
    pub fn get(&self, sensor: SensorId) -> Option<(State, Stage)> {
        self.reached[sensor]
    }

    /// Whether the other board has shown all of it: nothing more will follow.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.reached
            .iter()
            .all(|(_, (_, stage))| stage == Stage::Confirmed)
    }
}

/// The commands that must not be done twice, the latest last. They are kept with the state that they have
/// made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done([Option<u64>; Self::KEPT]);

impl Default for Done {
    fn default() -> Self {
        Self([None; Self::KEPT])
    }
}

impl Done {
    /// How many are remembered: more than there are people and scripts that wait for one card at a time.
    pub const KEPT: usize = 64;

    /// Whether a command is among them.
    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.0.contains(&Some(id))
    }

    /// Remembers one more.
    pub fn insert(&mut self, id: u64) {
        self.0.rotate_left(1);
        self.0[Self::KEPT - 1] = Some(id);
    }

    /// From the earliest to the latest.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().flatten().copied()
    }
}

impl FromIterator<u64> for Done {
    fn from_iter<I: IntoIterator<Item = u64>>(ids: I) -> Self {
        let mut done = Self::default();
        for id in ids {
            done.insert(id);
        }
        done
    }
}
