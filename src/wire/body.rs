//! The JSON of the messages, and of the state file, which has the same form.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use super::keyed::{Field, Object, Sensors, object};
use super::{Entry, Heartbeat, Malformed, Message, Report, Triple, triple_of, version_of, wall_of};
use crate::owner::Memory;
use crate::reading::{Reading, Snapshot, Versions};
use crate::sensor::{SensorId, SensorSet, State};
use crate::version::{Life, Version};

/// What stands in a report beside the plain keys. It is read in a pass of its own: with `flatten`, serde lets duplicates through.
#[derive(Deserialize)]
struct Beside {
    #[serde(default, deserialize_with = "object")]
    versions: Option<Sensors<Triple>>,
    #[serde(default, deserialize_with = "object")]
    changed: Option<Sensors<i64>>,
}

struct ReportBody {
    states: Sensors<bool>,
    beside: Beside,
}

impl Serialize for ReportBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        // The plain keys first: a person reads them with `mosquitto_sub`.
        self.states.entries(&mut map)?;
        if let Some(versions) = &self.beside.versions {
            map.serialize_entry("versions", versions)?;
        }
        if let Some(changed) = &self.beside.changed {
            map.serialize_entry("changed", changed)?;
        }
        map.end()
    }
}

/// The state file has the form of a report, with the era of the owner's memory.
#[derive(Serialize)]
struct MemoryBody {
    #[serde(flatten)]
    report: ReportBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    era: Option<u16>,
    #[serde(default)]
    incarnation: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    done: Vec<u64>,
}

#[derive(Deserialize)]
struct EraBody {
    era: Option<u16>,
    #[serde(default)]
    incarnation: u64,
    #[serde(default)]
    done: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
struct HeartbeatBody {
    alive: bool,
    life: u32,
    #[serde(default)]
    uptime_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object")]
    has: Option<Sensors<Triple>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object")]
    heard: Option<Sensors<Triple>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object")]
    refused: Option<Sensors<Triple>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object")]
    refused_states: Option<Sensors<bool>>,
    #[serde(default)]
    other_live: bool,
    #[serde(default)]
    other_plain: bool,
}

pub(super) fn parse<'de, T: Deserialize<'de>>(payload: &'de [u8]) -> Result<T, Malformed> {
    // What is skipped would not be looked at.
    let text =
        std::str::from_utf8(payload).map_err(|invalid| Malformed::NotJson(invalid.valid_up_to() + 1))?;
    let parsed = serde_json::from_str(text).map(|Object(body)| body);
    parsed.map_err(|form| {
        // Text that is no JSON at all is called so, also where its beginning had the wrong form already.
        match serde_json::from_str::<IgnoredAny>(text) {
            Err(syntax) => Malformed::NotJson(syntax.column()),
            Ok(_) => Malformed::WrongForm(form.column()),
        }
    })
}

/// Reads what is said of the sensors in `carried`.
pub(super) fn decode_report(payload: &[u8], carried: SensorSet) -> Result<Report, Malformed> {
    let states: Sensors<bool> = parse(payload)?;
    let beside: Beside = parse(payload)?;
    if carried
        .iter()
        .all(|sensor| matches!(states.get(sensor), Field::Absent))
    {
        return Err(Malformed::NoSensor);
    }
    let mut report = Report::default();
    for sensor in carried.iter() {
        let Some(state) = states.get(sensor).value().map(State::from) else {
            continue;
        };
        let of = |field: &Option<Sensors<i64>>| field.as_ref()?.get(sensor).value();
        let triple = beside
            .versions
            .as_ref()
            .and_then(|versions| versions.get(sensor).value());
        report.put(
            sensor,
            match triple {
                None => Entry::Plain(state),
                Some(triple) => Entry::Reading(Reading {
                    state,
                    version: version_of(triple).ok_or(Malformed::OutOfRange)?,
                    changed: of(&beside.changed).and_then(wall_of),
                }),
            },
        );
    }
    Ok(report)
}

/// The payload of a report on a topic that carries `carried`: a plain key for each of these, `null` where nothing is known.
#[must_use]
pub fn encode_report(report: &Report, carried: SensorSet) -> Vec<u8> {
    to_json(&report_body(report, carried))
}

fn report_body(report: &Report, carried: SensorSet) -> ReportBody {
    let reading = |sensor| match report.get(sensor) {
        Some(Entry::Reading(reading)) => Some(reading),
        Some(Entry::Plain(_)) | None => None,
    };
    let versions = Sensors::from_options(|sensor| Some(triple_of(reading(sensor)?.version)));
    let changed = Sensors::from_options(|sensor| Some(reading(sensor)?.changed?.0));
    ReportBody {
        states: Sensors::from_fn(|sensor| match report.get(sensor) {
            _ if !carried.contains(sensor) => Field::Absent,
            Some(Entry::Reading(Reading { state, .. }) | Entry::Plain(state)) => {
                Field::Value(bool::from(state))
            }
            None => Field::Null,
        }),
        beside: Beside {
            versions: (!versions.is_empty()).then_some(versions),
            changed: (!changed.is_empty()).then_some(changed),
        },
    }
}

/// What a state file holds between its first line and its end.
#[must_use]
pub fn encode_memory(memory: &Memory) -> Vec<u8> {
    let all = SensorId::ALL.into_iter().collect();
    let report = Report::of(&memory.readings);
    to_json(&MemoryBody {
        report: report_body(&report, all),
        era: memory.era,
        incarnation: memory.incarnation,
        done: memory.done.iter().collect(),
    })
}

/// Reads back what [`encode_memory`] wrote.
///
/// # Errors
/// [`Malformed`] says in words what is wrong.
pub fn decode_memory(text: &[u8]) -> Result<Memory, Malformed> {
    let report = decode_report(text, SensorId::ALL.into_iter().collect())?;
    let EraBody {
        era,
        incarnation,
        done,
    } = parse(text)?;
    if incarnation > Version::MAX {
        return Err(Malformed::OutOfRange);
    }
    Ok(Memory {
        readings: report.readings(),
        era,
        incarnation,
        done: done.into_iter().collect(),
    })
}

/// Reads an owner's heartbeat, or its last word.
pub(super) fn decode_heartbeat(payload: &[u8]) -> Result<Message, Malformed> {
    let body: HeartbeatBody = parse(payload)?;
    let life = Life(body.life);
    if !body.alive {
        return Ok(Message::Gone(life));
    }
    Ok(Message::Heartbeat(Heartbeat {
        life,
        uptime: Duration::from_millis(body.uptime_ms),
        has: decode_versions(body.has)?,
        heard: decode_versions(body.heard)?,
        refused: decode_refused(body.refused, body.refused_states.as_ref())?,
        other_live: body.other_live,
        other_plain: body.other_plain,
    }))
}

/// The payload of a heartbeat.
#[must_use]
pub fn encode_heartbeat(heartbeat: &Heartbeat) -> Vec<u8> {
    let refused = &heartbeat.refused;
    let states = Sensors::from_options(|sensor| Some(refused.get(sensor)?.state.into()));
    to_json(&HeartbeatBody {
        alive: true,
        life: heartbeat.life.0,
        uptime_ms: u64::try_from(heartbeat.uptime.as_millis()).unwrap_or(u64::MAX),
        has: Some(encode_versions(&heartbeat.has)),
        heard: Some(encode_versions(&heartbeat.heard)),
        refused: Some(encode_versions(&refused.versions())).filter(|refused| !refused.is_empty()),
        refused_states: Some(states).filter(|states| !states.is_empty()),
        other_live: heartbeat.other_live,
        other_plain: heartbeat.other_plain,
    })
}

/// The payload that says that an owner's connection has ended.
#[must_use]
pub fn encode_last_will(life: Life) -> Vec<u8> {
    to_json(&HeartbeatBody {
        alive: false,
        life: life.0,
        uptime_ms: 0,
        has: None,
        heard: None,
        refused: None,
        refused_states: None,
        other_live: false,
        other_plain: false,
    })
}

fn decode_versions(body: Option<Sensors<Triple>>) -> Result<Versions, Malformed> {
    let mut versions = Versions::default();
    if let Some(body) = body {
        for sensor in SensorId::ALL {
            if let Some(triple) = body.get(sensor).value() {
                versions.set(sensor, Some(version_of(triple).ok_or(Malformed::OutOfRange)?));
            }
        }
    }
    Ok(versions)
}

/// Where no state stands beside a version there is nothing to be told.
fn decode_refused(
    versions: Option<Sensors<Triple>>,
    states: Option<&Sensors<bool>>,
) -> Result<Snapshot, Malformed> {
    let versions = decode_versions(versions)?;
    let mut refused = Snapshot::default();
    for sensor in SensorId::ALL {
        let state = states.and_then(|states| states.get(sensor).value());
        if let (Some(version), Some(state)) = (versions.get(sensor), state) {
            let (state, changed) = (State::from(state), None);
            refused.offer(
                sensor,
                Reading {
                    state,
                    version,
                    changed,
                },
            );
        }
    }
    Ok(refused)
}

fn encode_versions(versions: &Versions) -> Sensors<Triple> {
    Sensors::from_options(|sensor| versions.get(sensor).map(triple_of))
}

/// Writing these bodies cannot fail: their keys are strings and their values booleans and whole numbers.
pub(super) fn to_json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}
