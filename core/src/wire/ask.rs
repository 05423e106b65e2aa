//! The JSON of what is asked of an owner, and of its answers.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Malformed;
use super::body::{parse, to_json};
use crate::acknowledged::Acknowledged;
use crate::command::{Answer, Change, Changes, Command, Name};
use crate::sensor::{Card, PerSensor, SensorId, State};
use crate::stage::Stage;

/// A state as a person writes it: also as a word.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Wanted")]
struct WantedState(State);

#[derive(Deserialize)]
#[serde(untagged)]
enum Wanted {
    State(State),
    Word(String),
}

impl TryFrom<Wanted> for WantedState {
    type Error = &'static str;

    fn try_from(wanted: Wanted) -> Result<Self, Self::Error> {
        let is = |word: &str, state: State| word.eq_ignore_ascii_case(state.word());
        match wanted {
            Wanted::State(state) => Ok(Self(state)),
            Wanted::Word(word) if is(&word, State::Ok) => Ok(Self(State::Ok)),
            Wanted::Word(word) if is(&word, State::Ko) => Ok(Self(State::Ko)),
            Wanted::Word(_) => Err("no state"),
        }
    }
}

/// What stands in a command beside the states.
#[derive(Deserialize)]
struct CommandExtras {
    #[serde(default)]
    toggle: Vec<u8>,
    id: Option<u64>,
    by: Option<String>,
}

/// What stands in an answer beside the states.
#[derive(Serialize, Deserialize)]
struct AnswerExtras {
    stages: Option<PerSensor<Option<Stage>>>,
    id: u64,
}

#[derive(Serialize)]
struct AnswerBody {
    #[serde(flatten)]
    states: PerSensor<Option<State>>,
    #[serde(flatten)]
    beside: AnswerExtras,
}

/// Reads what is asked of the owner of a card. Whatever is not plainly meant is refused as a whole.
pub(super) fn decode_command(payload: &[u8], card: Card) -> Result<Command, Malformed> {
    let states: PerSensor<Option<WantedState>> = parse(payload)?;
    let beside: CommandExtras = parse(payload)?;
    let mut changes = Changes::default();
    for (sensor, WantedState(state)) in states.iter() {
        changes.put(sensor, Some(Change::Set(state)));
    }
    for number in beside.toggle {
        let sensor = SensorId::new(number).ok_or(Malformed::OtherCard)?;
        if changes.get(sensor).is_some() {
            return Err(Malformed::Contradiction);
        }
        changes.put(sensor, Some(Change::Toggle));
    }
    if changes.sensors().is_empty() {
        return Err(Malformed::NoSensor);
    }
    if changes.iter().any(|(sensor, _)| sensor.card() != card) {
        return Err(Malformed::OtherCard);
    }
    let name = |name: String| Name::new(&name).ok_or(Malformed::WrongForm(1));
    Ok(Command {
        id: beside.id,
        by: beside.by.map(name).transpose()?,
        changes,
    })
}

/// Reads which alarms of a card somebody has acknowledged.
pub(super) fn decode_acknowledged(payload: &[u8], card: Card) -> Result<Acknowledged, Malformed> {
    let acknowledged: Acknowledged = parse(payload)?;
    if acknowledged.is_empty() {
        return Err(Malformed::NoSensor);
    }
    if acknowledged.sensors().any(|sensor| sensor.card() != card) {
        return Err(Malformed::OtherCard);
    }
    Ok(acknowledged)
}

/// The payload that says which alarms are acknowledged.
#[must_use]
pub fn encode_acknowledged(acknowledged: &Acknowledged) -> Vec<u8> {
    to_json(acknowledged)
}

/// Reads how far an owner has got.
pub(super) fn decode_answer(payload: &[u8], card: Card) -> Result<Answer, Malformed> {
    let states: PerSensor<Option<State>> = parse(payload)?;
    let beside: AnswerExtras = parse(payload)?;
    let reached = |sensor: SensorId| {
        let stage = beside.stages?[sensor]?;
        Some((states[sensor]?, stage)).filter(|_| sensor.card() == card)
    };
    Ok(Answer {
        id: beside.id,
        reached: PerSensor::from_fn(reached),
    })
}

/// The payload of an answer.
#[must_use]
pub fn encode_answer(answer: &Answer) -> Vec<u8> {
    let (state, stage) = (|(state, _)| state, |(_, stage)| stage);
    to_json(&AnswerBody {
        states: PerSensor::from_fn(|sensor| answer.get(sensor).map(state)),
        beside: AnswerExtras {
            stages: Some(PerSensor::from_fn(|sensor| answer.get(sensor).map(stage))),
            id: answer.id,
        },
    })
}
