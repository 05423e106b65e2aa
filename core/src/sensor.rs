//! Which sensors there are, what a state is, and which card carries which sensor.

use alloc::vec::Vec;
use core::fmt;
use core::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};

/// What a sensor reports. That nothing is known is not a state: it is the absence of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum State {
    /// `true` on the wire.
    Ok,
    /// `false` on the wire.
    Ko,
}

impl State {
    /// The other state.
    #[must_use]
    pub const fn toggled(self) -> Self {
        match self {
            Self::Ok => Self::Ko,
            Self::Ko => Self::Ok,
        }
    }

    /// The word on the screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Ko => "KO",
        }
    }
}

impl From<bool> for State {
    fn from(ok: bool) -> Self {
        if ok { Self::Ok } else { Self::Ko }
    }
}

impl From<State> for bool {
    fn from(state: State) -> Self {
        state == State::Ok
    }
}

/// One of the two cards, named by its board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Card {
    /// Sensors 1-3, owned by `card1_monitor` on board 1.
    One,
    /// Sensors 4-6, owned by `card2_monitor` on board 2, which also joins both cards.
    Two,
}

impl Card {
    /// Both cards, in order.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    /// 1 or 2.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// The card on the other board.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two => Self::One,
        }
    }

    /// The sensors on this card, in order.
    #[must_use]
    pub const fn sensors(self) -> [SensorId; 3] {
        match self {
            Self::One => [SensorId(1), SensorId(2), SensorId(3)],
            Self::Two => [SensorId(4), SensorId(5), SensorId(6)],
        }
    }
}

/// A sensor, by the number that people know it by.
///
/// Invariant: 1 to 6, kept by construction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct SensorId(u8);

impl SensorId {
    /// All sensors, in order.
    pub const ALL: [Self; 6] = [Self(1), Self(2), Self(3), Self(4), Self(5), Self(6)];

    /// The sensor with this number, if there is one.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number >= 1 && number <= 6 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// 1 to 6.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The card that carries it.
    #[must_use]
    pub const fn card(self) -> Card {
        if self.0 <= 3 { Card::One } else { Card::Two }
    }

    /// Its place among the six, from 0.
    #[must_use]
    pub(crate) const fn index(self) -> usize {
        self.0 as usize - 1
    }
}

/// A number that is no card's, or no sensor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no {0} {1}")]
pub struct NoSuch(&'static str, u8);

impl TryFrom<u8> for Card {
    type Error = NoSuch;

    fn try_from(number: u8) -> Result<Self, NoSuch> {
        let card = Self::ALL.into_iter().find(|card| card.number() == number);
        card.ok_or(NoSuch("card", number))
    }
}

impl From<Card> for u8 {
    fn from(card: Card) -> Self {
        card.number()
    }
}

impl TryFrom<u8> for SensorId {
    type Error = NoSuch;

    fn try_from(number: u8) -> Result<Self, NoSuch> {
        Self::new(number).ok_or(NoSuch("sensor", number))
    }
}

impl From<SensorId> for u8 {
    fn from(sensor: SensorId) -> Self {
        sensor.number()
    }
}

impl fmt::Display for SensorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sensor {}", self.0)
    }
}

/// Something for each sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerSensor<T>([T; 6]);

impl<T> PerSensor<T> {
    /// What `value` gives for each sensor.
    pub fn from_fn(value: impl FnMut(SensorId) -> T) -> Self {
        Self(SensorId::ALL.map(value))
    }
}

impl<T: Copy> PerSensor<Option<T>> {
    /// What there is, in the order of the sensors.
    pub fn iter(&self) -> impl Iterator<Item = (SensorId, T)> + '_ {
        let values = SensorId::ALL.into_iter().zip(self.0);
        values.filter_map(|(sensor, value)| Some((sensor, value?)))
    }
}

impl<T> Index<SensorId> for PerSensor<T> {
    type Output = T;

    fn index(&self, sensor: SensorId) -> &T {
        &self.0[usize::from(sensor.0) - 1]
    }
}

impl<T> IndexMut<SensorId> for PerSensor<T> {
    fn index_mut(&mut self, sensor: SensorId) -> &mut T {
        &mut self.0[usize::from(sensor.0) - 1]
    }
}

/// Something for each card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PerCard<T>([T; 2]);

impl<T> PerCard<T> {
    /// What `value` gives for each card.
    pub fn from_fn(value: impl FnMut(Card) -> T) -> Self {
        Self(Card::ALL.map(value))
    }

    /// What there is, in the order of the cards.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }
}

impl<T> Index<Card> for PerCard<T> {
    type Output = T;

    fn index(&self, card: Card) -> &T {
        &self.0[card as usize]
    }
}

impl<T> IndexMut<Card> for PerCard<T> {
    fn index_mut(&mut self, card: Card) -> &mut T {
        &mut self.0[card as usize]
    }
}

/// A set of sensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<SensorId>", into = "Vec<SensorId>")]
pub struct SensorSet(u8);

impl SensorSet {
    /// No sensor.
    pub const EMPTY: Self = Self(0);

    /// Adds a sensor.
    pub fn insert(&mut self, sensor: SensorId) {
        self.0 |= 1 << sensor.index();
    }

    /// Whether the sensor is in the set.
    #[must_use]
    pub const fn contains(self, sensor: SensorId) -> bool {
        self.0 & (1 << sensor.index()) != 0
    }

    /// Whether no sensor is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The sensors in the set, in order.
    pub fn iter(self) -> impl Iterator<Item = SensorId> {
        SensorId::ALL
            .into_iter()
            .filter(move |sensor| self.contains(*sensor))
    }
}

impl From<Vec<SensorId>> for SensorSet {
    fn from(sensors: Vec<SensorId>) -> Self {
        sensors.into_iter().collect()
    }
}

impl From<SensorSet> for Vec<SensorId> {
    fn from(set: SensorSet) -> Self {
        set.iter().collect()
    }
}

impl FromIterator<SensorId> for SensorSet {
    fn from_iter<I: IntoIterator<Item = SensorId>>(sensors: I) -> Self {
        let mut set = Self::EMPTY;
        for sensor in sensors {
            set.insert(sensor);
        }
        set
    }
}
