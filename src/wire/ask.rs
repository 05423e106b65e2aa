//! The JSON of commands to an owner, and of its answers.

use serde::de::Error;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Malformed;
use super::body::{parse, to_json};
use super::keyed::{Field, Sensors, object};
use crate::command::{Answer, Command, Name, Order, Orders};
use crate::sensor::{Card, SensorId, SensorSet, State};
use crate::stage::Stage;

/// A state as a person writes it: also as a word.
#[derive(Clone, Copy)]
struct Wanted(State);

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Said {
            State(bool),
            Word(String),
        }
        match Said::deserialize(deserializer)? {
            Said::State(ok) => Ok(Self(State::from(ok))),
            Said::Word(word) if word.eq_ignore_ascii_case(State::Ok.word()) => Ok(Self(State::Ok)),
            Said::Word(word) if word.eq_ignore_ascii_case(State::Ko.word()) => Ok(Self(State::Ko)),
            Said::Word(_) => Err(D::Error::custom("no state")),
        }
    }
}

/// What stands in a command or an answer beside the states.
#[derive(Default, Deserialize)]
struct Beside {
    id: Option<u64>,
    by: Option<String>,
    #[serde(default)]
    toggle: Vec<u8>,
    #[serde(default, deserialize_with = "object")]
    stages: Option<Sensors<Word>>,
    #[serde(default)]
    refused: Vec<u8>,
}

/// A stage as it stands on the wire.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Word {
    Sending,
    Saved,
    Confirmed,
}

const fn word_of(stage: Stage) -> Word {
    match stage {
        Stage::Sending => Word::Sending,
        Stage::Saved => Word::Saved,
        Stage::Confirmed => Word::Confirmed,
    }
}

const fn stage_of(word: Word) -> Stage {
    match word {
        Word::Sending => Stage::Sending,
        Word::Saved => Stage::Saved,
        Word::Confirmed => Stage::Confirmed,
    }
}

/// Reads what is asked of the owner of a card. Whatever is not plainly meant is refused as a whole.
pub(super) fn decode_command(payload: &[u8], card: Card) -> Result<Command, Malformed> {
    let states: Sensors<Wanted> = parse(payload)?;
    let beside: Beside = parse(payload)?;
    let mut orders = Orders::default();
    for sensor in SensorId::ALL {
        match states.get(sensor) {
            Field::Absent => {}
            Field::Null => return Err(Malformed::WrongForm(1)),
            Field::Value(Wanted(state)) => orders.put(sensor, Some(Order::Set(state))),
        }
    }
    for number in beside.toggle {
        let sensor = SensorId::new(number).ok_or(Malformed::OtherCard)?;
        if orders.get(sensor).is_some() {
            return Err(Malformed::Contradiction);
        }
        orders.put(sensor, Some(Order::Toggle));
    }
    if orders.sensors().is_empty() {
        return Err(Malformed::NoSensor);
    }
    if orders.iter().any(|(sensor, _)| sensor.card() != card) {
        return Err(Malformed::OtherCard);
    }
    let by = match beside.by {
        Some(name) => Some(Name::new(&name).ok_or(Malformed::WrongForm(1))?),
        None => None,
    };
    let id = beside.id;
    Ok(Command { id, by, orders })
}

/// The payload of a command.
#[must_use]
pub fn encode_command(command: &Command) -> Vec<u8> {
    to_json(&Form {
        states: Sensors::from_options(|sensor| match command.orders.get(sensor)? {
            Order::Set(state) => Some(bool::from(state)),
            Order::Toggle => None,
        }),
        toggle: numbers(
            command
                .orders
                .iter()
                .filter_map(|(sensor, order)| (order == Order::Toggle).then_some(sensor)),
        ),
        id: command.id,
        by: command.by.as_ref().map(Name::as_str),
        stages: None,
        refused: Vec::new(),
    })
}

/// Reads how far an owner has got.
pub(super) fn decode_answer(payload: &[u8], card: Card) -> Result<Answer, Malformed> {
    let states: Sensors<bool> = parse(payload)?;
    let beside: Beside = parse(payload)?;
    let stage = |sensor| beside.stages.as_ref()?.get(sensor).value().map(stage_of);
    let reached = |sensor: SensorId| {
        let state = states.get(sensor).value().map(State::from)?;
        Some((state, stage(sensor)?)).filter(|_| sensor.card() == card)
    };
    Ok(Answer {
        id: beside.id.ok_or(Malformed::WrongForm(1))?,
        reached: SensorId::ALL.map(reached),
        refused: beside
            .refused
            .iter()
            .copied()
            .filter_map(SensorId::new)
            .filter(|sensor| sensor.card() == card)
            .collect::<SensorSet>(),
    })
}

/// The payload of an answer.
#[must_use]
pub fn encode_answer(answer: &Answer) -> Vec<u8> {
    to_json(&Form {
        states: Sensors::from_options(|sensor| answer.get(sensor).map(|(state, _)| bool::from(state))),
        toggle: Vec::new(),
        id: Some(answer.id),
        by: None,
        stages: Some(Sensors::from_options(|sensor| {
            answer.get(sensor).map(|(_, stage)| word_of(stage))
        })),
        refused: numbers(answer.refused.iter()),
    })
}

fn numbers(sensors: impl Iterator<Item = SensorId>) -> Vec<u8> {
    sensors.map(SensorId::number).collect()
}

/// What is written; empty lists are left out.
struct Form<'a> {
    states: Sensors<bool>,
    toggle: Vec<u8>,
    id: Option<u64>,
    by: Option<&'a str>,
    stages: Option<Sensors<Word>>,
    refused: Vec<u8>,
}

impl Serialize for Form<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.states.entries(&mut map)?;
        if !self.toggle.is_empty() {
            map.serialize_entry("toggle", &self.toggle)?;
        }
        if let Some(stages) = &self.stages {
            map.serialize_entry("stages", stages)?;
        }
        if !self.refused.is_empty() {
            map.serialize_entry("refused", &self.refused)?;
        }
        if let Some(id) = self.id {
            map.serialize_entry("id", &id)?;
        }
        if let Some(by) = self.by {
            map.serialize_entry("by", by)?;
        }
        map.end()
    }
}
