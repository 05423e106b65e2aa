//! Any bytes on any topic give a message or a typed refusal, and what is written is read back the same.

use std::time::Duration;

use dualboard::owner::Memory;
use dualboard::reading::{Reading, Snapshot, Versions};
use dualboard::sensor::{Card, SensorId, State};
use dualboard::time::Wall;
use dualboard::version::{Life, Version};
use dualboard::wire::{
    Direction, Entry, Heartbeat, LARGEST, Malformed, Message, Report, Topic, decode, decode_memory,
    encode_heartbeat, encode_last_will, encode_memory, encode_report,
};
use proptest::prelude::*;

const TOPICS: [Topic; 20] = [
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

fn version() -> impl Strategy<Value = Version> {
    (0..=Version::MAX, 0..=Version::MAX, any::<u32>(), any::<u16>()).prop_map(
        |(incarnation, sequence, life, after)| Version {
            incarnation,
            sequence,
            life: Life(life),
            after,
        },
    )
}

fn reading() -> impl Strategy<Value = Reading> {
    (
        any::<bool>(),
        version(),
        prop::option::of(-62_135_596_800_i64..=253_402_300_799),
    )
        .prop_map(|(ok, version, changed)| Reading {
            state: State::from(ok),
            version,
            changed: changed.map(Wall),
        })
}

fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        reading().prop_map(Entry::Reading),
        any::<bool>().prop_map(|ok| Entry::Plain(State::from(ok)))
    ]
}

fn report() -> impl Strategy<Value = Report> {
    prop::collection::vec(prop::option::of(entry()), 6).prop_map(|entries| {
        let mut report = Report::default();
        for (sensor, entry) in SensorId::ALL.into_iter().zip(entries) {
            if let Some(entry) = entry {
                report.put(sensor, entry);
            }
        }
        report
    })
}

/// JSON near to what is understood, so that the search gets past the first brace.
fn almost() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just("[1,2,3]".to_owned()),
        Just("[-1,1e300,\"x\"]".to_owned()),
        Just("{\"sensor_1\":[9,9,9]}".to_owned()),
        Just("\"\\u0000\"".to_owned()),
        Just("18446744073709551616".to_owned()),
    ];
    let key = prop_oneof![
        Just("sensor_1"),
        Just("sensor_6"),
        Just("sensor_7"),
        Just("versions"),
        Just("refused"),
        Just("refused_states"),
        Just("changed"),
        Just("alive"),
        Just("life"),
        Just("has"),
        Just("uptime_ms"),
        Just("toggle"),
        Just("id"),
        Just("by"),
        Just("stages"),
    ];
    prop::collection::vec((key, value), 0..6).prop_map(|pairs| {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(key, value)| format!("\"{key}\":{value}"))
            .collect();
        format!("{{{}}}", pairs.join(","))
    })
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200), place in 0..TOPICS.len()) {
        let _ = decode(TOPICS[place], &bytes);
        let _ = decode_memory(&bytes);
    }

    #[test]
    fn anything_like_our_json_is_answered(text in almost(), place in 0..TOPICS.len()) {
        let _ = decode(TOPICS[place], text.as_bytes());
        let _ = decode_memory(text.as_bytes());
    }

    #[test]
    fn a_report_comes_back_as_it_was(report in report()) {
        let bytes = encode_report(&report, Topic::All.carries());
        prop_assert!(bytes.len() < LARGEST / 8);
        prop_assert_eq!(decode(Topic::All, &bytes), Ok(Message::Report(report)));
    }

    #[test]
    fn memory_comes_back_as_it_was(readings in prop::collection::vec(prop::option::of(reading()), 6), era in prop::option::of(any::<u16>()), incarnation in 0..=Version::MAX, done in prop::collection::vec(any::<u64>(), 0..20)) {
        let mut snapshot = Snapshot::default();
        for (sensor, reading) in SensorId::ALL.into_iter().zip(readings) {
            if let Some(reading) = reading {
                snapshot.offer(sensor, reading);
            }
        }
        let memory = Memory { readings: snapshot, era, incarnation, done: done.into_iter().collect() };
        prop_assert_eq!(decode_memory(&encode_memory(&memory)), Ok(memory));
    }

    #[test]
    fn a_heartbeat_comes_back_as_it_was(life in any::<u32>(), ms in any::<u64>(), known in prop::collection::vec(prop::option::of(version()), 6), flags in any::<(bool, bool)>()) {
        let mut has = Versions::default();
        for (sensor, version) in SensorId::ALL.into_iter().zip(known.clone()) {
            has.set(sensor, version);
        }
        let mut refused = Snapshot::default();
        for (sensor, version) in SensorId::ALL.into_iter().zip(known) {
            if let Some(version) = version {
                refused.offer(sensor, Reading { state: flags.0.into(), version, changed: None });
            }
        }
        let beat = Heartbeat { life: Life(life), uptime: Duration::from_millis(ms), has, heard: has, refused, other_live: flags.0, other_plain: flags.1 };
        prop_assert_eq!(decode(Topic::Alive(Card::One), &encode_heartbeat(&beat)), Ok(Message::Heartbeat(beat)));
    }
}

fn refusal(topic: Topic, payload: impl AsRef<[u8]>) -> Malformed {
    decode(topic, payload.as_ref()).expect_err("must be refused")
}

#[test]
fn the_plain_form_is_understood_and_other_keys_are_ignored() {
    let text = br#"{"sensor_1": true, "sensor_2": false, "sensor_3": null, "mood": {"a": [1]}}"#;
    let Ok(Message::Report(report)) = decode(Topic::Card1, text) else {
        panic!("the plain form")
    };
    assert!(report.is_plain());
    let states: Vec<_> = report
        .iter()
        .map(|(sensor, entry)| (sensor.number(), entry))
        .collect();
    assert_eq!(
        states,
        [(1, Entry::Plain(State::Ok)), (2, Entry::Plain(State::Ko))]
    );
}

#[test]
fn bad_payloads_are_refused_in_our_own_words() {
    let deep = format!(
        "{{\"sensor_1\":true,\"x\":{}{}}}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    assert_eq!(refusal(Topic::Card1, ""), Malformed::Empty);
    assert!(matches!(
        refusal(Topic::Card1, "x".repeat(LARGEST + 1)),
        Malformed::TooLarge(_)
    ));
    assert!(matches!(
        refusal(Topic::Card1, "{\"sensor_1\": tru"),
        Malformed::NotJson(_)
    ));
    assert!(matches!(
        refusal(Topic::Card1, b"\xff\xfe"),
        Malformed::NotJson(_)
    ));
    assert!(
        decode(Topic::Card1, deep.as_bytes()).is_ok(),
        "an unknown key is skipped, however deep"
    );
    assert!(matches!(
        refusal(Topic::Card1, "[true,true,true]"),
        Malformed::WrongForm(_)
    ));
    assert!(matches!(
        refusal(Topic::Card1, r#"{"sensor_1":1}"#),
        Malformed::WrongForm(_)
    ));
    assert!(matches!(
        refusal(Topic::Card1, r#"{"sensor_1":true,"sensor_1":false}"#),
        Malformed::WrongForm(_)
    ));
    assert!(matches!(
        refusal(Topic::Card1, r#"{"sensor_1":true,"versions":[[1,1,1]]}"#),
        Malformed::WrongForm(_)
    ));
    assert!(matches!(
        refusal(
            Topic::Card1,
            r#"{"sensor_1":true,"versions":{"sensor_1":[-1,0,0]}}"#
        ),
        Malformed::WrongForm(_)
    ));
    assert_eq!(
        refusal(
            Topic::Card1,
            r#"{"sensor_1":true,"versions":{"sensor_1":[9007199254740992,0,0]}}"#
        ),
        Malformed::OutOfRange
    );
    assert_eq!(refusal(Topic::Card1, r#"{"sensor_4":true}"#), Malformed::NoSensor);
    assert_eq!(refusal(Topic::Card1, "{}"), Malformed::NoSensor);
    assert!(matches!(
        refusal(Topic::Alive(Card::One), "[true,1,2]"),
        Malformed::WrongForm(_)
    ));
}

#[test]
fn the_last_will_names_the_life_that_ended() {
    assert_eq!(
        decode(Topic::Alive(Card::Two), &encode_last_will(Life(5))),
        Ok(Message::Gone(Life(5)))
    );
}
