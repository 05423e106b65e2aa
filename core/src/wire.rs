//! Topics and bytes, to and from messages. [`topic`] is the only file that spells a topic, [`body`],
//! [`dots`], [`ask`] and [`keyed`] the only ones that spell the JSON.
//!
//! Decoding is total: any bytes on any topic give a message or a [`Malformed`].

mod ask;
mod body;
mod dots;
mod keyed;
mod topic;

use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::acknowledged::Acknowledged;
use crate::command::{Answer, Command};
use crate::names::Names;
use crate::reading::{Ko, Reading, Snapshot, Versions};
use crate::sensor::{PerSensor, SensorId, State};
use crate::time::Wall;
use crate::version::{Era, RunId};

pub use ask::{encode_acknowledged, encode_answer};
pub use body::{decode_memory, encode_heartbeat, encode_last_will, encode_memory, encode_report};
pub use topic::{Direction, Topic};

/// The most that a payload may hold, in bytes. A test holds what this project sends to half of it.
pub const LARGEST: usize = 16 * 1024;

/// What a program said of some sensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    entries: PerSensor<Option<Entry>>,
    /// Which run of which program published it, where that was said.
    pub life: Option<RunId>,
    /// On which of its connections to the broker.
    pub connection: Option<u64>,
    /// The alarms that its sender knows to be acknowledged, of all sensors.
    pub acknowledged: Acknowledged,
    /// What the sensors are called, as far as it says so.
    pub names: Names,
}

/// What a report says of one sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are readings")]
pub enum Entry {
    /// A reading with its version.
    Reading(Reading),
    /// A state without one: the word of a plain program.
    Plain(State),
}

impl Report {
    /// A report of these readings.
    #[must_use]
    pub fn of(readings: &Snapshot) -> Self {
        Self {
            entries: PerSensor::from_fn(|sensor| readings.get(sensor).map(Entry::Reading)),
            ..Self::default()
        }
    }

    /// What it says of a sensor.
    #[must_use]
    pub fn get(&self, sensor: SensorId) -> Option<Entry> {
        self.entries[sensor]
    }

    /// Says something of a sensor.
    pub fn put(&mut self, sensor: SensorId, entry: Entry) {
        self.entries[sensor] = Some(entry);
    }

    /// What it says, in the order of the sensors.
    pub fn iter(&self) -> impl Iterator<Item = (SensorId, Entry)> + '_ {
        self.entries.iter()
    }

    /// Whether nothing in it has a version: the message of a plain program.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.iter().all(|(_, entry)| matches!(entry, Entry::Plain(_)))
    }

    /// What in it has a version.
    #[must_use]
    pub fn readings(&self) -> Snapshot {
        let mut readings = Snapshot::default();
        for (sensor, entry) in self.iter() {
            if let Entry::Reading(reading) = entry {
                readings.set(sensor, reading);
            }
        }
        readings
    }

    /// The versions in it.
    #[must_use]
    pub fn versions(&self) -> Versions {
        self.readings().versions()
    }
}

/// What an owner says at regular intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Which run of its program it is.
    pub life: RunId,
    /// How long the program has been up, by its own monotonic clock.
    #[serde(rename = "uptime_ms", with = "body::millis", default)]
    pub uptime: Duration,
    /// The era of its state file.
    #[serde(default)]
    pub era: Era,
    /// The era in which it numbers toggles until that file has taken a reservation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_era: Option<Era>,
    /// Whether it was started to take over from another owner, a moment ago.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub takes_over: bool,
    /// The versions that it has, of all sensors.
    #[serde(default)]
    pub has: Versions,
    /// The versions in what it last heard on the other owner's topic, but for readings that the versions did
    /// not order: their owner is to publish them again.
    #[serde(default)]
    pub heard: Versions,
    /// Card 1's owner: the versions in what it last heard on `sensors/all`. Only at regular intervals: at
    /// other times the message may be on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Versions>,
    /// The mark of the names in what it last heard on the other owner's topic, and, as [`Heartbeat::joined`],
    /// on `sensors/all`. A program that knows no names says none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_names: Option<u32>,
    /// The second of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_names: Option<u32>,
    /// Readings of the other card's sensors that it does not show, though their versions do not say that they
    /// are earlier. Their owner may have lost them.
    #[serde(
        default,
        with = "body::quarantined",
        skip_serializing_if = "Snapshot::is_empty"
    )]
    pub quarantined: Snapshot,
    /// When the sensors were KO last, by these readings: otherwise their owner would not know again an alarm
    /// that somebody has acknowledged.
    #[serde(default, skip_serializing_if = "no_ko")]
    pub quarantined_ko: PerSensor<Option<Ko>>,
    /// The alarms that it knows to be acknowledged, of all sensors.
    #[serde(default, skip_serializing_if = "Acknowledged::is_empty")]
    pub acknowledged: Acknowledged,
    /// Whether the other card's values are live to it.
    #[serde(default)]
    pub other_live: bool,
    /// Whether the other card's values rest on a plain program's word, over the versions in `has`.
    #[serde(default)]
    pub other_plain: bool,
}

impl Heartbeat {
    /// Whether its sender is in this era now.
    #[must_use]
    pub fn is_in(&self, era: Era) -> bool {
        self.era == era || self.run_era == Some(era)
    }
}

fn no_ko(ko: &PerSensor<Option<Ko>>) -> bool {
    ko.iter().next().is_none()
}

/// A message that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "read once, handled at once, never kept")]
pub enum Message {
    /// Readings, on a topic that carries them.
    Report(Report),
    /// An owner is alive.
    Heartbeat(Heartbeat),
    /// An owner's connection has ended: its last will, or its word at the end.
    Gone(RunId),
    /// Somebody asks the owner of a card to change sensors.
    Command(Command),
    /// Somebody has acknowledged alarms of a card.
    Acknowledged(Acknowledged),
    /// The owner says how far it has got with a command.
    Answer(Answer),
    /// A marker came back.
    Marker(u64),
    /// The other board's broker is alive.
    Uptime,
    /// The broker's opinion of one of the bridge's connections.
    Bridge(bool),
}

/// Why a payload could not be read. The words are this program's own: nothing of the payload is in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Malformed {
    /// No payload at all.
    #[error("empty message")]
    Empty,
    /// More than [`LARGEST`].
    #[error("{0} bytes, more than {LARGEST}")]
    TooLarge(usize),
    /// Not JSON.
    #[error("not JSON (column {0})")]
    NotJson(usize),
    /// JSON of another form: wrong types, duplicate keys.
    #[error("not of the form that this topic has (column {0})")]
    WrongForm(usize),
    /// Of the right form, but it speaks of no sensor that this topic carries.
    #[error("speaks of no sensor of this topic")]
    NoSensor,
    /// A command for a sensor that this owner does not have.
    #[error("asks for a sensor of another card")]
    OtherCard,
    /// A command that asks for two things of one sensor.
    #[error("asks twice for the same sensor")]
    Contradiction,
}

/// Reads a message.
///
/// # Errors
/// [`Malformed`] says in words what is wrong with the payload.
pub fn decode(topic: Topic, payload: &[u8]) -> Result<Message, Malformed> {
    if payload.is_empty() {
        return Err(Malformed::Empty);
    }
    if payload.len() > LARGEST {
        return Err(Malformed::TooLarge(payload.len()));
    }
    match topic {
        Topic::Card(_) | Topic::All | Topic::Witness | Topic::ReadBack(_) => {
            body::decode_report(payload, topic.carries()).map(Message::Report)
        }
        Topic::Alive(_) => body::decode_heartbeat(payload),
        Topic::Set(card) => ask::decode_command(payload, card).map(Message::Command),
        Topic::Acknowledge(card) => ask::decode_acknowledged(payload, card).map(Message::Acknowledged),
        Topic::Answer(card) => ask::decode_answer(payload, card).map(Message::Answer),
        Topic::Marker => core::str::from_utf8(payload)
            .ok()
            .and_then(|nonce| nonce.parse().ok())
            .map(Message::Marker)
            .ok_or(Malformed::WrongForm(1)),
        Topic::Uptime(_) => Ok(Message::Uptime),
        Topic::Bridge(_) => match payload {
            b"1" => Ok(Message::Bridge(true)),
            b"0" => Ok(Message::Bridge(false)),
            _ => Err(Malformed::WrongForm(1)),
        },
    }
}

/// The payload of a marker.
#[must_use]
pub fn encode_marker(nonce: u64) -> Vec<u8> {
    nonce.to_string().into_bytes()
}

/// Reads a time, if it is one that calendars can show.
pub(crate) fn wall<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Wall>, D::Error> {
    Ok(Option::deserialize(deserializer)?.and_then(wall_of))
}

/// Times of change are kept within what calendars can show: years 1 to 9999.
const fn wall_of(seconds: i64) -> Option<Wall> {
    if seconds >= -62_135_596_800 && seconds <= 253_402_300_799 {
        Some(Wall(seconds))
    } else {
        None
    }
}
