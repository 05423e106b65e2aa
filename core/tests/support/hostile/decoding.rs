//! Any bytes on any topic: an answer, and one that means what the bytes say.

use std::collections::BTreeMap;

use dualboard_core::names::SensorName;
use dualboard_core::owner::Memory;
use dualboard_core::sensor::SensorId;
use dualboard_core::version::Version;
use dualboard_core::wire::{
    Entry, LARGEST, Malformed, Message, Report, Topic, decode, decode_memory, encode_acknowledged,
    encode_answer, encode_heartbeat, encode_last_will, encode_marker, encode_memory, encode_report,
};
use serde_json::Value;

/// Every topic that is decoded: the common ones, and the marker's.
pub fn topics() -> Vec<Topic> {
    let common = Topic::COMMON.into_iter().map(|(topic, _)| topic);
    common.chain([Topic::Marker]).collect()
}

/// The first byte names the topic, or the state file; the rest is what stands there.
pub fn check(data: &[u8]) {
    let Some((place, payload)) = data.split_first() else {
        return;
    };
    let topics = topics();
    match topics.get(usize::from(*place) % (topics.len() + 1)) {
        Some(topic) => check_on(*topic, payload),
        None => check_file(payload),
    }
}

/// The answer to a payload on a topic.
pub fn check_on(topic: Topic, payload: &[u8]) {
    let answer = decode(topic, payload);
    assert_eq!(answer, decode(topic, payload), "the same bytes, the same answer");
    match answer {
        Ok(message) => accepted(topic, payload, message),
        Err(why) => refused(payload, why),
    }
}

/// What is accepted is given back by encoding, and says what the JSON says.
fn accepted(topic: Topic, payload: &[u8], message: Message) {
    assert!(!payload.is_empty() && payload.len() <= LARGEST);
    let again = match message {
        Message::Report(report) => {
            says_what_the_json_says(topic, payload, &report);
            encode_report(&report, topic.carries())
        }
        Message::Heartbeat(heartbeat) => encode_heartbeat(&heartbeat),
        Message::Gone(life) => encode_last_will(life),
        Message::Command(command) => super::command::payload(&command),
        Message::Acknowledged(acknowledged) => encode_acknowledged(&acknowledged),
        Message::Answer(answer) => encode_answer(&answer),
        Message::Marker(nonce) => encode_marker(nonce),
        Message::Uptime | Message::Bridge(_) => return,
    };
    assert!(again.len() < LARGEST / 2, "what this project sends is small");
    assert_eq!(
        decode(topic, &again),
        Ok(message),
        "given back otherwise than it came"
    );
}

/// The words are this program's own, and short.
fn refused(payload: &[u8], why: Malformed) {
    match why {
        Malformed::Empty => assert!(payload.is_empty()),
        Malformed::TooLarge(size) => assert!(size == payload.len() && size > LARGEST),
        Malformed::NotJson(_) => assert!(serde_json::from_slice::<Value>(payload).is_err()),
        Malformed::WrongForm(column) => assert!(column <= payload.len().max(1)),
        Malformed::NoSensor | Malformed::OtherCard | Malformed::Contradiction => {}
    }
}

/// Held against a reading by nothing but a JSON library.
fn says_what_the_json_says(topic: Topic, payload: &[u8], report: &Report) {
    let Ok(value) = serde_json::from_slice::<Value>(payload) else {
        // Its readers of values stop at a depth at which what is ignored may still be skipped.
        return;
    };
    let object = value.as_object().expect("reports are objects");
    assert!(
        topic
            .carries()
            .iter()
            .any(|sensor| object.contains_key(&key(sensor)))
    );
    for sensor in SensorId::ALL {
        let said = object
            .get(&key(sensor))
            .filter(|_| topic.carries().contains(sensor));
        let state = report.get(sensor).map(|entry| match entry {
            Entry::Reading(reading) => reading.state,
            Entry::Plain(state) => state,
        });
        assert_eq!(said.and_then(Value::as_bool), state.map(bool::from), "{sensor}");
        let numbers = object
            .get("versions")
            .and_then(|versions| versions.get(key(sensor)))
            .filter(|numbers| !numbers.is_null());
        let name = object.get("names").and_then(|names| names.get(key(sensor)));
        let name = name.filter(|_| topic.carries().contains(sensor));
        if let Some(read) = report.names.get(sensor) {
            assert_eq!(name.and_then(Value::as_str), Some(read.as_str()), "{sensor}");
        } else if let Some(text) = name.and_then(Value::as_str) {
            assert!(SensorName::new(text).is_err(), "{text:?} was overlooked");
        }
        match report.get(sensor) {
            Some(Entry::Reading(reading)) => says_these_numbers(numbers, reading.version),
            Some(Entry::Plain(_)) => assert_eq!(numbers, None, "a version was overlooked"),
            None => {}
        }
    }
}

/// The first pair is the dot; of the others what is seen of each era is the highest number.
fn says_these_numbers(numbers: Option<&Value>, version: Version) {
    let numbers = numbers.and_then(Value::as_array).expect("a list");
    let number = |place: usize| numbers[place].as_u64().expect("a whole number");
    let pairs = (0..numbers.len() / 2).map(|pair| (number(2 * pair), number(2 * pair + 1)));
    let mut seen = BTreeMap::new();
    for (n, era) in pairs.clone().skip(1) {
        let highest: &mut u64 = seen.entry(era).or_default();
        *highest = n.max(*highest);
    }
    seen.remove(&u64::from(version.era().0));
    let dot = (version.dot.n, u64::from(version.dot.era.0));
    assert_eq!(pairs.clone().next(), Some(dot));
    let read: BTreeMap<u64, u64> = version
        .seen
        .iter()
        .map(|dot| (u64::from(dot.era.0), dot.n))
        .collect();
    assert_eq!(read, seen);
}

fn key(sensor: SensorId) -> String {
    format!("sensor_{}", sensor.number())
}

/// What a state file may hold.
fn check_file(text: &[u8]) {
    let answer: Result<Memory, Malformed> = decode_memory(text);
    if let Ok(memory) = answer {
        assert_eq!(
            decode_memory(&encode_memory(&memory)),
            Ok(memory),
            "read back otherwise"
        );
    }
}
