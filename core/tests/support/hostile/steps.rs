//! What an attacker, a network, a disk and an operator may do, drawn from bytes.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use dualboard_core::command::{Change, Changes, Command, Name};
use dualboard_core::machine::Role;
use dualboard_core::owner::Memory;
use dualboard_core::reading::{Reading, Snapshot};
use dualboard_core::sensor::{Card, SensorId, State};
use dualboard_core::version::{Dot, Era, RunId, Seen, Version};
use dualboard_core::wire::Topic;

use super::decoding::topics;

/// Longer sequences are cut off.
pub const MOST: usize = 400;

/// How the program starts.
#[derive(Debug)]
pub struct InitialState {
    pub role: Role,
    pub memory: Option<Memory>,
}

/// A version, by itself or as seen from what the machine shows.
#[derive(Debug, Clone, Copy)]
pub enum Drawn {
    Absolute(Version),
    /// The number that is shown of the sensor, and this much more, in the same era.
    Relative(i8),
    /// Another dot, which has seen what is shown and this much more.
    After(Dot, i8),
}

/// What is said of a sensor.
#[derive(Debug, Clone, Copy)]
pub enum Claim {
    Nothing,
    /// The truth, as far as this program knows it.
    AsShown,
    Plain(State),
    Reading(State, Drawn),
}

/// What is said of the six sensors.
#[derive(Debug, Clone)]
pub struct Words(pub [Claim; 6]);

/// How long a sender says to have been up.
#[derive(Debug, Clone, Copy)]
pub enum Uptime {
    /// In step with a sender that started together with this program.
    InStep,
    Millis(u64),
}

/// One thing that happens.
#[derive(Debug, Clone)]
pub enum Step {
    Connected,
    Lost,
    /// The newest marker comes back.
    MarkerBack,
    Raw(Topic, Vec<u8>, bool),
    Unknown(Vec<u8>),
    Report(Topic, Words, bool),
    Heartbeat {
        card: Card,
        life: RunId,
        uptime: Uptime,
        has: Words,
        heard: Words,
        flags: u8,
        retained: bool,
    },
    Gone(Card, RunId, bool),
    /// The broker gives back what the program last published on its own topic.
    Echo(bool),
    Delivered,
    Undelivered,
    Stray(u64),
    Refused,
    Saved,
    NotSaved(u8),
    Toggle(SensorId),
    Publish,
    Leave,
    Command(Card, Command, bool),
    Tick,
    Wait(Duration),
    WallClock(i64),
}

pub fn start(bytes: &mut Unstructured<'_>) -> Result<InitialState> {
    let role = *bytes.choose(&[Role::Monitor(Card::One), Role::Monitor(Card::Two), Role::Display])?;
    let memory = if bytes.arbitrary()? {
        Some(memory(bytes)?)
    } else {
        None
    };
    Ok(InitialState { role, memory })
}

fn memory(bytes: &mut Unstructured<'_>) -> Result<Memory> {
    let mut readings = Snapshot::default();
    for sensor in SensorId::ALL {
        if bytes.arbitrary()? {
            let (state, version) = (state(bytes)?, version(bytes)?);
            readings.set(
                sensor,
                Reading {
                    state,
                    version,
                    changed: None,
                    ko: None,
                },
            );
        }
    }
    let era = if bytes.arbitrary()? {
        Some(era(bytes)?)
    } else {
        None
    };
    Ok(Memory {
        readings,
        met: seen(bytes)?,
        era,
        reserved: number(bytes)?,
        ..Memory::default()
    })
}

pub fn step(bytes: &mut Unstructured<'_>) -> Result<Step> {
    Ok(match bytes.int_in_range(0..=26_u8)? {
        0 => Step::Connected,
        1 => Step::Lost,
        2 | 3 => Step::MarkerBack,
        4 => {
            let size = bytes.int_in_range(0..=48_usize)?.min(bytes.len());
            Step::Raw(topic(bytes)?, bytes.bytes(size)?.to_vec(), bytes.arbitrary()?)
        }
        5 => Step::Unknown(bytes.bytes(4.min(bytes.len()))?.to_vec()),
        6..=9 => Step::Report(
            *bytes.choose(&REPORTS)?,
            words(bytes)?,
            bytes.int_in_range(0..=3_u8)? == 0,
        ),
        10..=12 => Step::Heartbeat {
            card: card(bytes)?,
            life: life(bytes)?,
            uptime: match bytes.int_in_range(0..=3_u8)? {
                0 => Uptime::Millis(bytes.arbitrary()?),
                _ => Uptime::InStep,
            },
            has: words(bytes)?,
            heard: words(bytes)?,
            flags: bytes.arbitrary()?,
            retained: bytes.int_in_range(0..=7_u8)? == 0,
        },
        13 => Step::Gone(card(bytes)?, life(bytes)?, bytes.arbitrary()?),
        14 => Step::Echo(bytes.arbitrary()?),
        15 | 16 => Step::Delivered,
        17 => Step::Undelivered,
        18 => Step::Stray(bytes.arbitrary()?),
        19 => Step::Saved,
        20 => Step::NotSaved(bytes.arbitrary()?),
        21 | 22 => Step::Toggle(*bytes.choose(&SensorId::ALL)?),
        23 => match bytes.int_in_range(0..=5_u8)? {
            0 => Step::Publish,
            1 => Step::Refused,
            2 => Step::Leave,
            _ => command(bytes)?,
        },
        24 => Step::Tick,
        25 => Step::Wait(match bytes.int_in_range(0..=7_u8)? {
            0 => Duration::from_millis(bytes.arbitrary::<u64>()?),
            1 => Duration::from_secs(10),
            2 => Duration::from_secs(3_600),
            _ => Duration::from_secs(2),
        }),
        _ => Step::WallClock(bytes.arbitrary()?),
    })
}

const REPORTS: [Topic; 6] = [
    Topic::Card(Card::One),
    Topic::Card(Card::Two),
    Topic::All,
    Topic::Witness,
    Topic::ReadBack(Card::One),
    Topic::ReadBack(Card::Two),
];

fn topic(bytes: &mut Unstructured<'_>) -> Result<Topic> {
    bytes.choose(&topics()).copied()
}

fn card(bytes: &mut Unstructured<'_>) -> Result<Card> {
    bytes.choose(&Card::ALL).copied()
}

fn state(bytes: &mut Unstructured<'_>) -> Result<State> {
    bytes.arbitrary::<bool>().map(State::from)
}

/// Few lives, so that they meet again; the program's own among them.
fn life(bytes: &mut Unstructured<'_>) -> Result<RunId> {
    bytes
        .choose(&[0, 1, super::trial::LIFE.0, u32::MAX])
        .copied()
        .map(RunId)
}

/// Few numbers, so that commands come again.
fn command(bytes: &mut Unstructured<'_>) -> Result<Step> {
    let card = card(bytes)?;
    let mut changes = Changes::default();
    let what: u8 = bytes.arbitrary()?;
    for (sensor, place) in card.sensors().into_iter().zip(0..) {
        let order = match what >> (2 * place) & 3 {
            0 => None,
            1 => Some(Change::Toggle),
            state => Some(Change::Set(State::from(state == 2))),
        };
        changes.put(sensor, order);
    }
    if changes.sensors().is_empty() {
        changes.put(card.sensors()[0], Some(Change::Toggle));
    }
    let id = Some(u64::from(what >> 6)).filter(|id| *id < 3);
    let by = Name::new("somebody");
    Ok(Step::Command(
        card,
        Command { id, by, changes },
        bytes.int_in_range(0..=7_u8)? == 0,
    ))
}

fn number(bytes: &mut Unstructured<'_>) -> Result<u64> {
    Ok(match bytes.arbitrary::<u8>()? {
        small @ 0..=239 => u64::from(small % 6),
        large => Dot::MAX - u64::from(large - 240) / 4,
    })
}

/// Few eras, so that they meet again.
fn era(bytes: &mut Unstructured<'_>) -> Result<Era> {
    bytes.choose(&[Era(0), Era(1), Era(2), Era(u32::MAX)]).copied()
}

/// A version of an attacker, who knows which eras the program has begun and will begin. Its state file does
/// not: its life was drawn after that.
fn attack(bytes: &mut Unstructured<'_>) -> Result<Version> {
    let version = version(bytes)?;
    let bits: u8 = bytes.arbitrary()?;
    let own = super::trial::LIFE.era(u32::from(bits & 1));
    let dot = Dot {
        era: own,
        ..version.dot
    };
    Ok(match bits >> 1 & 3 {
        0 => version,
        1 => Version {
            seen: version.seen.with(dot).without(version.era()),
            ..version
        },
        _ => Version {
            dot,
            seen: version.seen,
        },
    })
}

fn dot(bytes: &mut Unstructured<'_>) -> Result<Dot> {
    let (n, era) = (number(bytes)?, era(bytes)?);
    Ok(Dot { n, era })
}

fn seen(bytes: &mut Unstructured<'_>) -> Result<Seen> {
    let count = bytes.int_in_range(0..=7_u8)?.saturating_sub(3);
    (0..count).map(|_| dot(bytes)).collect()
}

fn version(bytes: &mut Unstructured<'_>) -> Result<Version> {
    let dot = dot(bytes)?;
    let seen = seen(bytes)?.without(dot.era);
    Ok(Version { dot, seen })
}

fn said(bytes: &mut Unstructured<'_>) -> Result<Claim> {
    Ok(match bytes.int_in_range(0..=7_u8)? {
        0 => Claim::Nothing,
        1 => Claim::AsShown,
        2 => Claim::Plain(state(bytes)?),
        3 => Claim::Reading(state(bytes)?, Drawn::Absolute(attack(bytes)?)),
        place => {
            let bits: u8 = bytes.arbitrary()?;
            let more = (bits & 3).cast_signed() - 1;
            let drawn = if place < 6 {
                Drawn::Relative(more)
            } else {
                Drawn::After(dot(bytes)?, more)
            };
            Claim::Reading(State::from(bits & 64 != 0), drawn)
        }
    })
}

fn words(bytes: &mut Unstructured<'_>) -> Result<Words> {
    // All as it is shown: what an honest program says.
    let mut words = [Claim::AsShown; 6];
    if !bytes.arbitrary()? {
        for place in &mut words {
            *place = said(bytes)?;
        }
    }
    Ok(Words(words))
}
