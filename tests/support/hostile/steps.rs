//! What an attacker, a network, a disk and an operator may do, drawn from bytes.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use dualboard::command::{Command, Done, Name, Order, Orders};
use dualboard::machine::Role;
use dualboard::owner::Memory;
use dualboard::reading::{Reading, Snapshot};
use dualboard::sensor::{Card, SensorId, SensorSet, State};

use dualboard::version::{Life, Version};
use dualboard::wire::{Claim, Replaced, Topic};

use super::decoding::TOPICS;

/// Longer sequences are cut off.
pub const MOST: usize = 400;

/// How the program starts.
#[derive(Debug)]
pub struct Start {
    pub role: Role,
    pub memory: Option<Memory>,
}

/// A version, by itself or as seen from what the machine shows.
#[derive(Debug, Clone, Copy)]
pub enum Drawn {
    Absolute(Version),
    /// What is shown of the sensor, and this much on top of each part.
    Relative(i8, i8, i8),
}

/// What is said of a sensor.
#[derive(Debug, Clone, Copy)]
pub enum Said {
    Nothing,
    /// The truth, as far as this program knows it.
    AsShown,
    Plain(State),
    Reading(State, Drawn),
}

/// Six sensors, and the ones whose versions are said to come after this program's era.
#[derive(Debug, Clone)]
pub struct Words {
    pub said: [Said; 6],
    pub after: SensorSet,
}

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
        life: Life,
        uptime: Uptime,
        has: Words,
        heard: Words,
        flags: u8,
        retained: bool,
    },
    Gone(Card, Life, bool),
    Claim(Card, Claim, bool),
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

pub fn start(bytes: &mut Unstructured<'_>) -> Result<Start> {
    let role = *bytes.choose(&[Role::Monitor(Card::One), Role::Monitor(Card::Two), Role::Display])?;
    let memory = if bytes.arbitrary()? {
        Some(memory(bytes)?)
    } else {
        None
    };
    Ok(Start { role, memory })
}

fn memory(bytes: &mut Unstructured<'_>) -> Result<Memory> {
    let mut readings = Snapshot::default();
    for sensor in SensorId::ALL {
        if bytes.arbitrary()? {
            let (state, version) = (state(bytes)?, version(bytes)?);
            readings.offer(
                sensor,
                Reading {
                    state,
                    version,
                    changed: None,
                },
            );
        }
    }
    let era = if bytes.arbitrary()? {
        Some(life(bytes)?.era())
    } else {
        None
    };
    Ok(Memory {
        readings,
        era,
        incarnation: 0,
        done: Done::default(),
    })
}

pub fn step(bytes: &mut Unstructured<'_>) -> Result<Step> {
    Ok(match bytes.int_in_range(0..=27_u8)? {
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
        26 => Step::WallClock(bytes.arbitrary()?),
        _ => Step::Claim(card(bytes)?, claim(bytes)?, bytes.arbitrary()?),
    })
}

fn claim(bytes: &mut Unstructured<'_>) -> Result<Claim> {
    Ok(Claim {
        life: life(bytes)?,
        turn: bytes.int_in_range(0..=3)?,
        over: if bytes.arbitrary::<bool>()? {
            [life(bytes)?].into_iter().collect()
        } else {
            Replaced::default()
        },
        takes_over: bytes.arbitrary()?,
    })
}

const REPORTS: [Topic; 7] = [
    Topic::Card1,
    Topic::All,
    Topic::Witness,
    Topic::Board1All,
    Topic::Board2Card1,
    Topic::Copy,
    Topic::Board2Copy,
];

fn topic(bytes: &mut Unstructured<'_>) -> Result<Topic> {
    bytes.choose(&TOPICS).copied()
}

fn card(bytes: &mut Unstructured<'_>) -> Result<Card> {
    bytes.choose(&Card::ALL).copied()
}

fn state(bytes: &mut Unstructured<'_>) -> Result<State> {
    bytes.arbitrary::<bool>().map(State::from)
}

/// Few lives, so that they meet again; the program's own among them.
fn life(bytes: &mut Unstructured<'_>) -> Result<Life> {
    bytes
        .choose(&[0, 1, super::trial::LIFE.0, 0x4D_0001, u32::MAX])
        .copied()
        .map(Life)
}

/// Few numbers, so that commands come again.
fn command(bytes: &mut Unstructured<'_>) -> Result<Step> {
    let card = card(bytes)?;
    let mut orders = Orders::default();
    let what: u8 = bytes.arbitrary()?;
    for (sensor, place) in card.sensors().into_iter().zip(0..) {
        let order = match what >> (2 * place) & 3 {
            0 => None,
            1 => Some(Order::Toggle),
            state => Some(Order::Set(State::from(state == 2))),
        };
        orders.put(sensor, order);
    }
    if orders.sensors().is_empty() {
        orders.put(card.sensors()[0], Some(Order::Toggle));
    }
    let id = Some(u64::from(what >> 6)).filter(|id| *id < 3);
    let by = Name::new("somebody");
    Ok(Step::Command(
        card,
        Command { id, by, orders },
        bytes.int_in_range(0..=7_u8)? == 0,
    ))
}

fn number(bytes: &mut Unstructured<'_>) -> Result<u64> {
    Ok(match bytes.arbitrary::<u8>()? {
        small @ 0..=239 => u64::from(small % 6),
        large => Version::MAX - u64::from(large - 240) / 4,
    })
}

fn version(bytes: &mut Unstructured<'_>) -> Result<Version> {
    Ok(Version {
        incarnation: number(bytes)?,
        sequence: number(bytes)?,
        life: life(bytes)?,
        after: 0,
    })
}

fn said(bytes: &mut Unstructured<'_>) -> Result<Said> {
    Ok(match bytes.int_in_range(0..=7_u8)? {
        0 => Said::Nothing,
        1 => Said::AsShown,
        2 => Said::Plain(state(bytes)?),
        3 => Said::Reading(state(bytes)?, Drawn::Absolute(version(bytes)?)),
        _ => {
            let bits: u8 = bytes.arbitrary()?;
            let part = |at: u8| (bits >> (2 * at) & 3).cast_signed() - 1;
            Said::Reading(
                State::from(bits & 64 != 0),
                Drawn::Relative(part(0) % 2, part(1), part(2)),
            )
        }
    })
}

fn some_sensors(bytes: &mut Unstructured<'_>) -> Result<SensorSet> {
    let bits: u8 = bytes.arbitrary()?;
    let named = SensorId::ALL
        .into_iter()
        .filter(|sensor| bits & 1 != 0 && bits & (1 << sensor.number()) != 0);
    Ok(named.collect())
}

fn words(bytes: &mut Unstructured<'_>) -> Result<Words> {
    let mut words = Words {
        said: [Said::Nothing; 6],
        after: SensorSet::EMPTY,
    };
    if bytes.arbitrary()? {
        // All as it is shown: what an honest program says.
        words.said = [Said::AsShown; 6];
        return Ok(words);
    }
    for place in &mut words.said {
        *place = said(bytes)?;
    }
    words.after = some_sensors(bytes)?;
    Ok(words)
}
