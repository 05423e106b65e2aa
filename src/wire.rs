//! Topics and bytes, to and from messages. [`topic`] is the only file that spells a topic, [`body`],
//! [`ask`], [`claim`] and [`keyed`] the only ones that spell the JSON.
//!
//! Decoding is total: any bytes on any topic give a message or a [`Malformed`].

mod ask;
mod body;
mod claim;
mod keyed;
mod topic;

use std::time::Duration;

use crate::command::{Answer, Command};
use crate::reading::{Reading, Snapshot, Versions};
use crate::sensor::{SensorId, State};
use crate::time::Wall;
use crate::version::{Life, Version};

pub use ask::{encode_answer, encode_command};
pub use body::{decode_memory, encode_heartbeat, encode_last_will, encode_memory, encode_report};
pub use claim::{Claim, Replaced, encode_claim};
pub use topic::{Direction, Topic};

/// The most that a payload may hold, in bytes. The largest that this project sends is under 1 KiB.
pub const LARGEST: usize = 16 * 1024;

/// What a program said of some sensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    entries: [Option<Entry>; 6],
}

/// What a report says of one sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        let mut report = Self::default();
        for (sensor, reading) in readings.iter() {
            report.put(sensor, Entry::Reading(reading));
        }
        report
    }

    /// What it says of a sensor.
    #[must_use]
    pub const fn get(&self, sensor: SensorId) -> Option<Entry> {
        self.entries[sensor.index()]
    }

    /// Says something of a sensor.
    pub fn put(&mut self, sensor: SensorId, entry: Entry) {
        self.entries[sensor.index()] = Some(entry);
    }

    /// What it says, in the order of the sensors.
    pub fn iter(&self) -> impl Iterator<Item = (SensorId, Entry)> + '_ {
        SensorId::ALL
            .into_iter()
            .filter_map(|sensor| self.get(sensor).map(|entry| (sensor, entry)))
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
                readings.offer(sensor, reading);
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// Which life of its program it is.
    pub life: Life,
    /// How long the program has been up, by its own monotonic clock.
    pub uptime: Duration,
    /// The best versions that it knows, of all sensors.
    pub has: Versions,
    /// The versions in what it last heard on the other owner's topic.
    pub heard: Versions,
    /// Readings of the other card's sensors that it has met and does not show, though they are higher: they may be older. Their owner may
    /// have lost them.
    pub refused: Snapshot,
    /// Whether the other card's values are live to it.
    pub other_live: bool,
    /// Whether the other card's values rest on a plain program's word, over the versions in `has`.
    pub other_plain: bool,
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
    Gone(Life),
    /// Somebody asks the owner of a card to change sensors.
    Command(Command),
    /// The owner says how far it has got with a command.
    Answer(Answer),
    /// A program that owns a card, or did, under this client id.
    Claim(Claim),
    /// A marker came back.
    Marker(u64),
    /// The other board's broker is alive.
    Uptime,
    /// The broker's opinion of one of the bridge's connections.
    Bridge(bool),
}

/// Why a payload could not be read. The words are this program's own: nothing of the payload is in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
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
    /// A version that no owner makes.
    #[error("a version out of range")]
    OutOfRange,
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
        Topic::Card1
        | Topic::All
        | Topic::Witness
        | Topic::Copy
        | Topic::Board1All
        | Topic::Board2Card1
        | Topic::Board2Copy => body::decode_report(payload, topic.carries()).map(Message::Report),
        Topic::Alive(_) => body::decode_heartbeat(payload),
        Topic::Set(card) => ask::decode_command(payload, card).map(Message::Command),
        Topic::Answer(card) => ask::decode_answer(payload, card).map(Message::Answer),
        Topic::Claim(_) => claim::decode(payload).map(Message::Claim),
        Topic::Marker => std::str::from_utf8(payload)
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

/// A version as it stands on the wire.
type Triple = (u64, u64, u64);

fn version_of((incarnation, sequence, lives): Triple) -> Option<Version> {
    if incarnation > Version::MAX || sequence > Version::MAX {
        return None;
    }
    Some(Version {
        incarnation,
        sequence,
        life: Life(u32::try_from(lives & 0xFFFF_FFFF).ok()?),
        after: u16::try_from(lives >> 32).ok()?,
    })
}

fn triple_of(version: Version) -> Triple {
    let lives = (u64::from(version.after) << 32) | u64::from(version.life.0);
    (version.incarnation, version.sequence, lives)
}

/// Times of change are kept within what calendars can show: years 1 to 9999.
const fn wall_of(seconds: i64) -> Option<Wall> {
    if seconds >= -62_135_596_800 && seconds <= 253_402_300_799 {
        Some(Wall(seconds))
    } else {
        None
    }
}
