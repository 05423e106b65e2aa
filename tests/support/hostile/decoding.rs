//! Any bytes on any topic: an answer, and one that means what the bytes say.

use dualboard::owner::Memory;
use dualboard::sensor::{Card, SensorId};
use dualboard::wire::{
    Direction, Entry, LARGEST, Malformed, Message, Report, Topic, decode, decode_memory, encode_answer,
    encode_claim, encode_command, encode_heartbeat, encode_last_will, encode_marker, encode_memory,
    encode_report,
};
use serde_json::Value;

/// Every topic that is decoded.
pub const TOPICS: [Topic; 20] = [
    Topic::Card1,
    Topic::All,
    Topic::Witness,
    Topic::Alive(Card::One),
    Topic::Alive(Card::Two),
    Topic::Board1All,
    Topic::Board2Card1,
    Topic::Copy,
    Topic::Board2Copy,
    Topic::Uptime(Card::One),
    Topic::Uptime(Card::Two),
    Topic::Marker,
    Topic::Bridge(Direction::In),
    Topic::Bridge(Direction::Out),
    Topic::Set(Card::One),
    Topic::Set(Card::Two),
    Topic::Answer(Card::One),
    Topic::Answer(Card::Two),
    Topic::Claim(Card::One),
    Topic::Claim(Card::Two),
];

/// The first byte names the topic, or the state file; the rest is what stands there.
pub fn check(data: &[u8]) {
    let Some((place, payload)) = data.split_first() else {
        return;
    };
    let place = usize::from(*place) % (TOPICS.len() + 1);
    match TOPICS.get(place) {
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
        Message::Command(command) => encode_command(&command),
        Message::Answer(answer) => encode_answer(&answer),
        Message::Claim(claim) => encode_claim(&claim),
        Message::Marker(nonce) => encode_marker(nonce),
        Message::Uptime | Message::Bridge(_) => return,
    };
    assert!(again.len() < LARGEST / 8, "what this project sends is small");
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
        Malformed::OutOfRange | Malformed::NoSensor | Malformed::OtherCard | Malformed::Contradiction => {}
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
        let triple = object
            .get("versions")
            .and_then(|versions| versions.get(key(sensor)))
            .filter(|triple| !triple.is_null());
        match report.get(sensor) {
            Some(Entry::Reading(reading)) => {
                let part = |at: usize| triple.and_then(|triple| triple[at].as_u64());
                let version = reading.version;
                let lives = (u64::from(version.after) << 32) | u64::from(version.life.0);
                let parts = [version.incarnation, version.sequence, lives];
                assert_eq!([part(0), part(1), part(2)], parts.map(Some));
            }
            Some(Entry::Plain(_)) => assert_eq!(triple, None, "a version was overlooked"),
            None => {}
        }
    }
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
