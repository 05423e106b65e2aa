//! What people call the sensors. A name is a setting of the card's owner and no state: it has no version, and
//! no file keeps it. It travels with the owner's report.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use serde::{Deserialize, Serialize};
use unicode_width::UnicodeWidthChar;

use crate::plain::is_plain;
use crate::sensor::{PerSensor, SensorId, SensorSet};

/// A sensor's name: a text that can stand in a row as it is, wherever it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SensorName {
    letters: [u8; Self::LONGEST],
    length: u8,
}

/// Why a text is no name of a sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotASensorName {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// It would push away what stands beside it.
    #[error(
        "it is wider than {} columns (a wide character takes two)",
        SensorName::WIDEST
    )]
    TooWide,
    /// It has something in it that nobody sees, or that moves the rest.
    #[error("U+{0:04X} in it does not show")]
    Hides(u32),
    /// A space at its beginning or end, where nobody sees it.
    #[error("it begins or ends with a space")]
    Spaces,
    /// Whoever looks for another sensor's row would find this one.
    #[error("`Sensor` and a number in it read like a row")]
    ReadsLikeARow,
}

impl SensorName {
    /// How wide a name may be, in columns of a terminal: East Asian characters and emoji take two.
    pub const WIDEST: usize = 24;

    /// In bytes: no character has more than four, and each that shows takes a column.
    const LONGEST: usize = 4 * Self::WIDEST;

    /// The name, if it is one.
    ///
    /// # Errors
    /// [`NotASensorName`] says in words what is wrong with it.
    pub fn new(text: &str) -> Result<Self, NotASensorName> {
        if text.is_empty() {
            return Err(NotASensorName::Empty);
        }
        let shows = |letter: &char| is_plain(*letter) && (*letter == ' ' || !letter.is_whitespace());
        if let Some(hides) = text.chars().find(|letter| !shows(letter)) {
            return Err(NotASensorName::Hides(hides.into()));
        }
        if text.trim() != text {
            return Err(NotASensorName::Spaces);
        }
        let columns: usize = text.chars().filter_map(UnicodeWidthChar::width).sum();
        if columns > Self::WIDEST {
            return Err(NotASensorName::TooWide);
        }
        if reads_like_a_row(text) {
            return Err(NotASensorName::ReadsLikeARow);
        }
        let mut letters = [0; Self::LONGEST];
        letters[..text.len()].copy_from_slice(text.as_bytes());
        let length = u8::try_from(text.len()).map_err(|_| NotASensorName::TooWide)?;
        Ok(Self { letters, length })
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.letters[..usize::from(self.length)]).unwrap_or_default()
    }
}

/// Whether there is another sensor's row in it, for who looks for that.
fn reads_like_a_row(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut behind = text.split("sensor").skip(1);
    behind.any(|behind| {
        behind
            .trim_start()
            .starts_with(|letter: char| letter.is_ascii_digit())
    })
}

impl TryFrom<String> for SensorName {
    type Error = NotASensorName;

    fn try_from(text: String) -> Result<Self, NotASensorName> {
        Self::new(&text)
    }
}

impl From<SensorName> for String {
    fn from(name: SensorName) -> Self {
        name.as_str().to_owned()
    }
}

/// The names of the sensors that have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Names(PerSensor<Option<SensorName>>);

impl Names {
    /// What a sensor is called, if somebody said so.
    #[must_use]
    pub fn get(&self, sensor: SensorId) -> Option<&SensorName> {
        self.0[sensor].as_ref()
    }

    /// Names a sensor, or takes its name away.
    pub fn set(&mut self, sensor: SensorId, name: Option<SensorName>) {
        self.0[sensor] = name;
    }

    /// Whether no sensor has a name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The names that there are, in the order of the sensors.
    pub fn iter(&self) -> impl Iterator<Item = (SensorId, SensorName)> + '_ {
        self.0.iter()
    }

    /// A number for them, by which another program can say which names it has heard: FNV-1a of 32 bits, over
    /// the names in the order of the sensors, each with a zero byte behind it, also one that is not there.
    #[must_use]
    pub fn mark(&self) -> u32 {
        let texts = SensorId::ALL.map(|sensor| self.get(sensor).map_or("", SensorName::as_str));
        let bytes = texts.iter().flat_map(|text| text.bytes().chain([0]));
        bytes.fold(0x811C_9DC5, |mark, byte| {
            (mark ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
    }

    /// The names of these sensors alone.
    #[must_use]
    pub fn of(&self, sensors: SensorSet) -> Self {
        Self(PerSensor::from_fn(|sensor| {
            self.0[sensor].filter(|_| sensors.contains(sensor))
        }))
    }
}
