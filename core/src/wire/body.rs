//! The JSON of the messages, and of the state file, which has the same form.

use alloc::string::String;
use alloc::vec::Vec;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Entry, Heartbeat, Malformed, Message, Report, wall_of};
use crate::acknowledged::Acknowledged;
use crate::names::{Names, SensorName};
use crate::owner::Memory;
use crate::reading::{Ko, Reading};
use crate::sensor::{PerSensor, SensorId, SensorSet, State};
use crate::version::{Dot, Era, RunId, Seen, Version};

/// What stands in a report beside the plain keys. It is read in a pass of its own: with `flatten`, serde lets
/// duplicates through.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "V: Serialize + Copy", deserialize = "V: Deserialize<'de>"))]
struct ReportExtras<V> {
    #[serde(skip_serializing_if = "Option::is_none")]
    versions: Option<PerSensor<Option<V>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<PerSensor<Option<i64>>>,
    #[serde(default, deserialize_with = "names", skip_serializing_if = "Names::is_empty")]
    names: Names,
    #[serde(skip_serializing_if = "Option::is_none")]
    ko: Option<PerSensor<Option<Ko>>>,
    #[serde(default, skip_serializing_if = "Acknowledged::is_empty")]
    acknowledged: Acknowledged,
    #[serde(skip_serializing_if = "Option::is_none")]
    life: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<u64>,
}

/// The plain keys first: a person reads them with `mosquitto_sub`.
#[expect(clippy::option_option, reason = "a key may be absent, or null")]
#[derive(Serialize)]
struct ReportBody {
    #[serde(flatten)]
    states: PerSensor<Option<Option<State>>>,
    #[serde(flatten)]
    beside: ReportExtras<Version>,
}

/// The state file has the form of a report, with what the owner's next run goes on from.
#[derive(Serialize)]
struct MemoryBody {
    #[serde(flatten)]
    report: ReportBody,
    #[serde(flatten)]
    beside: MemoryExtras,
}

#[derive(Serialize, Deserialize)]
struct MemoryExtras {
    #[serde(skip_serializing_if = "Option::is_none")]
    era: Option<Era>,
    #[serde(default)]
    reserved: u64,
    #[serde(default)]
    met: Seen,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    done: Vec<u64>,
    /// Release 0.1 reserved incarnations; no later one writes it.
    #[serde(skip_serializing)]
    incarnation: Option<u64>,
}

/// A heartbeat, or the last word of an owner.
#[derive(Serialize, Deserialize)]
struct Alive {
    alive: bool,
    life: RunId,
}

#[derive(Serialize)]
struct HeartbeatBody<'a> {
    alive: bool,
    #[serde(flatten)]
    heartbeat: &'a Heartbeat,
}

/// Reads a JSON object, and nothing else: serde reads structs from arrays as well.
pub(super) fn parse<'de, T: Deserialize<'de>>(payload: &'de [u8]) -> Result<T, Malformed> {
    // What is skipped would not be looked at.
    let text =
        core::str::from_utf8(payload).map_err(|invalid| Malformed::NotJson(invalid.valid_up_to() + 1))?;
    let column = match serde_json::from_str(text) {
        Ok(body) if text.trim_ascii_start().starts_with('{') => return Ok(body),
        Ok(_) => 1,
        Err(form) => form.column(),
    };
    // Text that is no JSON at all is called so, also where its beginning had the wrong form already.
    Err(match serde_json::from_str::<IgnoredAny>(text) {
        Err(syntax) => Malformed::NotJson(syntax.column()),
        Ok(_) => Malformed::WrongForm(column),
    })
}

/// Reads what is said of the sensors in `carried`.
pub(super) fn decode_report(payload: &[u8], carried: SensorSet) -> Result<Report, Malformed> {
    decode_readings(payload, carried, Ok)
}

fn decode_readings<'de, V: Deserialize<'de> + Clone>(
    payload: &'de [u8],
    carried: SensorSet,
    version_of: impl Fn(V) -> Result<Version, Malformed>,
) -> Result<Report, Malformed> {
    let states: PerSensor<Option<Option<State>>> = parse(payload)?;
    let beside: ReportExtras<V> = parse(payload)?;
    if carried.iter().all(|sensor| states[sensor].is_none()) {
        return Err(Malformed::NoSensor);
    }
    let mut report = Report {
        life: beside.life,
        connection: beside.connection,
        acknowledged: beside.acknowledged,
        names: beside.names.of(carried),
        ..Report::default()
    };
    for sensor in carried.iter() {
        let Some(state) = states[sensor].flatten() else {
            continue;
        };
        let version = beside
            .versions
            .as_ref()
            .and_then(|versions| versions[sensor].clone());
        let entry = match version.map(&version_of).transpose()? {
            None => Entry::Plain(state),
            Some(version) => Entry::Reading(Reading {
                state,
                version,
                changed: beside
                    .changed
                    .and_then(|changed| changed[sensor])
                    .and_then(wall_of),
                ko: beside.ko.and_then(|ko| ko[sensor]),
            }),
        };
        report.put(sensor, entry);
    }
    Ok(report)
}

/// The payload of a report on a topic that carries `carried`: a plain key for each of these, `null` where
/// nothing is known.
#[must_use]
pub fn encode_report(report: &Report, carried: SensorSet) -> Vec<u8> {
    to_json(&report_body(report, carried))
}

fn report_body(report: &Report, carried: SensorSet) -> ReportBody {
    let readings = report.readings();
    let state = |sensor| match report.get(sensor)? {
        Entry::Reading(Reading { state, .. }) | Entry::Plain(state) => Some(state),
    };
    let versions = PerSensor::from_fn(|sensor| readings.version(sensor));
    let changed = PerSensor::from_fn(|sensor| Some(readings.get(sensor)?.changed?.0));
    let ko = PerSensor::from_fn(|sensor| readings.get(sensor)?.ko);
    ReportBody {
        states: PerSensor::from_fn(|sensor| carried.contains(sensor).then(|| state(sensor))),
        beside: ReportExtras {
            versions: (!readings.is_empty()).then_some(versions),
            changed: changed.iter().next().map(|_| changed),
            ko: ko.iter().next().map(|_| ko),
            acknowledged: report.acknowledged,
            names: report.names.of(carried),
            life: report.life,
            connection: report.connection,
        },
    }
}

/// What a state file holds between its first line and its end.
#[must_use]
pub fn encode_memory(memory: &Memory) -> Vec<u8> {
    let all = SensorId::ALL.into_iter().collect();
    let report = Report {
        acknowledged: memory.acknowledged,
        ..Report::of(&memory.readings)
    };
    to_json(&MemoryBody {
        report: report_body(&report, all),
        beside: MemoryExtras {
            era: memory.era,
            reserved: memory.reserved,
            met: memory.met,
            client: memory.client,
            done: memory.done.iter().collect(),
            incarnation: None,
        },
    })
}

/// Reads back what [`encode_memory`] wrote, and what release 0.1 wrote.
///
/// # Errors
/// [`Malformed`] says in words what is wrong.
pub fn decode_memory(text: &[u8]) -> Result<Memory, Malformed> {
    let all = SensorId::ALL.into_iter().collect();
    let report = decode_readings(text, all, |numbers: Vec<u64>| match numbers[..] {
        [incarnation, sequence, lives] => Ok(version_of_0_1(incarnation, sequence, lives)),
        _ => Version::try_from(numbers).map_err(|_| Malformed::WrongForm(1)),
    })?;
    let beside: MemoryExtras = parse(text)?;
    let incarnation = beside.incarnation.map(|used| number_of_0_1(used, u64::MAX));
    let reserved = incarnation.unwrap_or(beside.reserved);
    if reserved > Dot::MAX {
        return Err(Malformed::WrongForm(1));
    }
    Ok(Memory {
        readings: report.readings(),
        met: beside.met,
        era: beside.era,
        reserved,
        client: beside.client,
        done: beside.done.into_iter().collect(),
        acknowledged: report.acknowledged,
    })
}

/// A version of release 0.1: its third number was three of 16 bits, the middle one of which was the era.
fn version_of_0_1(incarnation: u64, sequence: u64, lives: u64) -> Version {
    let era = u32::try_from(lives >> 16 & 0xFFFF).unwrap_or_default();
    let (n, era) = (number_of_0_1(incarnation, sequence), Era(era));
    Version {
        dot: Dot { n, era },
        seen: Seen::default(),
    }
}

/// The number for an incarnation and a sequence of release 0.1, in the same order as far as the numbers go.
/// An owner that meets the last one begins a new era.
fn number_of_0_1(incarnation: u64, sequence: u64) -> u64 {
    let toggles = 1 << 20;
    match incarnation {
        0 => sequence.min(Dot::HEARSAY),
        _ => (incarnation.saturating_mul(toggles))
            .saturating_add(sequence.min(toggles - 1))
            .min(Dot::MAX),
    }
}

/// Reads an owner's heartbeat, or its last word.
pub(super) fn decode_heartbeat(payload: &[u8]) -> Result<Message, Malformed> {
    let Alive { alive, life } = parse(payload)?;
    if !alive {
        return Ok(Message::Gone(life));
    }
    parse(payload).map(Message::Heartbeat)
}

/// The payload of a heartbeat.
#[must_use]
pub fn encode_heartbeat(heartbeat: &Heartbeat) -> Vec<u8> {
    to_json(&HeartbeatBody {
        alive: true,
        heartbeat,
    })
}

/// The payload that says that an owner's connection has ended.
#[must_use]
pub fn encode_last_will(life: RunId) -> Vec<u8> {
    to_json(&Alive { alive: false, life })
}

/// A time in milliseconds.
pub(super) mod millis {
    use core::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

/// Names are read leniently: one that cannot be shown is no reason to refuse the states beside it.
fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
    let texts: Option<PerSensor<Option<String>>> = Option::deserialize(deserializer)?;
    let texts = texts.unwrap_or_default();
    let mut names = Names::default();
    for sensor in SensorId::ALL {
        let text = texts[sensor].as_deref();
        names.set(sensor, text.and_then(|text| SensorName::new(text).ok()));
    }
    Ok(names)
}

/// Readings as pairs of state and version: when they changed says the owner again.
pub(super) mod quarantined {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::reading::{Reading, Snapshot};
    use crate::sensor::{PerSensor, State};
    use crate::version::Version;

    type Pairs = PerSensor<Option<(State, Version)>>;

    pub fn serialize<S: Serializer>(readings: &Snapshot, serializer: S) -> Result<S::Ok, S::Error> {
        let pair = |reading: Reading| (reading.state, reading.version);
        Pairs::from_fn(|sensor| readings.get(sensor).map(pair)).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Snapshot, D::Error> {
        let mut readings = Snapshot::default();
        for (sensor, (state, version)) in Pairs::deserialize(deserializer)?.iter() {
            let changed = None;
            readings.set(
                sensor,
                Reading {
                    state,
                    version,
                    changed,
                    ko: None,
                },
            );
        }
        Ok(readings)
    }
}

/// Writing these bodies cannot fail: their keys are strings and their values booleans and whole numbers.
pub(super) fn to_json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}
