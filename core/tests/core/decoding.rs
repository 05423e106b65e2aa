//! What is written is read back the same, and what is not of its form is refused.

use std::time::Duration;

use dualboard_core::acknowledged::Acknowledged;
use dualboard_core::command::Name;
use dualboard_core::names::{Names, SensorName};
use dualboard_core::owner::Memory;
use dualboard_core::reading::{Ko, Reading, Snapshot};
use dualboard_core::sensor::{Card, PerSensor, SensorId, State};
use dualboard_core::time::Wall;
use dualboard_core::version::{Dot, Era, RunId, Seen, Version};
use dualboard_core::wire::{
    Entry, Heartbeat, LARGEST, Malformed, Message, Report, Topic, decode, decode_memory, encode_heartbeat,
    encode_last_will, encode_memory, encode_report,
};
use proptest::prelude::*;

fn dot() -> impl Strategy<Value = Dot> {
    (0..=Dot::MAX, any::<u32>()).prop_map(|(n, era)| Dot { n, era: Era(era) })
}

fn seen() -> impl Strategy<Value = Seen> {
    prop::collection::vec(dot(), 0..=Seen::KEPT).prop_map(Seen::from_iter)
}

fn version() -> impl Strategy<Value = Version> {
    (dot(), seen()).prop_map(|(dot, seen)| Version {
        dot,
        seen: seen.without(dot.era),
    })
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    prop::collection::vec(prop::option::of(reading()), 6).prop_map(|readings| {
        let mut snapshot = Snapshot::default();
        for (sensor, reading) in SensorId::ALL.into_iter().zip(readings) {
            if let Some(reading) = reading {
                snapshot.set(sensor, reading);
            }
        }
        snapshot
    })
}

fn wall() -> impl Strategy<Value = Option<Wall>> {
    prop::option::of((-62_135_596_800_i64..=253_402_300_799).prop_map(Wall))
}

fn ko() -> impl Strategy<Value = Ko> {
    (version(), wall(), wall()).prop_map(|(version, from, to)| Ko {
        dot: version.dot,
        from,
        to,
    })
}

fn reading() -> impl Strategy<Value = Reading> {
    (any::<bool>(), version(), wall(), prop::option::of(ko())).prop_map(|(ok, version, changed, ko)| {
        Reading {
            state: State::from(ok),
            version,
            changed,
            ko,
        }
    })
}

fn acknowledged() -> impl Strategy<Value = Acknowledged> {
    let alarms = prop::collection::vec(prop::option::of(version()), 6);
    let by = prop::option::of("[ -~]{1,40}");
    let once = (alarms, by, wall()).prop_map(|(alarms, by, at)| {
        let dot = |sensor: SensorId| Some(alarms[usize::from(sensor.number()) - 1]?.dot);
        Acknowledged::of(&PerSensor::from_fn(dot), by.and_then(|by| Name::new(&by)), at)
    });
    prop::collection::vec(once, 0..8).prop_map(|all| {
        let mut merged = Acknowledged::default();
        for one in all {
            merged.merge(&one);
        }
        merged
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        reading().prop_map(Entry::Reading),
        any::<bool>().prop_map(|ok| Entry::Plain(State::from(ok)))
    ]
}

/// Of the widest and the longest there are, among others.
fn name() -> impl Strategy<Value = SensorName> {
    let letter = prop::sample::select(vec!['a', '"', '\\', 'é', '東', '😀', '\u{10280}']);
    prop::collection::vec(letter, 1..=24).prop_filter_map("a name", |letters| {
        SensorName::new(&String::from_iter(letters)).ok()
    })
}

fn names() -> impl Strategy<Value = Names> {
    prop::collection::vec(prop::option::of(name()), 6).prop_map(|all| {
        let mut names = Names::default();
        for (sensor, name) in SensorId::ALL.into_iter().zip(all) {
            names.set(sensor, name);
        }
        names
    })
}

fn report() -> impl Strategy<Value = Report> {
    let entries = prop::collection::vec(prop::option::of(entry()), 6);
    (entries, names(), acknowledged()).prop_map(|(entries, names, acknowledged)| {
        let mut report = Report::default();
        report.names = names;
        report.acknowledged = acknowledged;
        for (sensor, entry) in SensorId::ALL.into_iter().zip(entries) {
            if let Some(entry) = entry {
                report.put(sensor, entry);
            }
        }
        report
    })
}

proptest! {
    #[test]
    fn a_report_comes_back_as_it_was(report in report()) {
        let bytes = encode_report(&report, Topic::All.carries());
        prop_assert_eq!(decode(Topic::All, &bytes), Ok(Message::Report(report)));
    }

    #[test]
    fn memory_comes_back_as_it_was(readings in snapshot(), met in seen(), era in prop::option::of(any::<u32>()), reserved in 0..=Dot::MAX, client in any::<Option<u32>>(), done in prop::collection::vec(any::<u64>(), 0..20), acknowledged in acknowledged()) {
        let reserved = if era.is_some() { reserved } else { 0 };
        let memory = Memory { readings, met, era: era.map(Era), reserved, client, done: done.into_iter().collect(), acknowledged };
        prop_assert_eq!(decode_memory(&encode_memory(&memory)), Ok(memory));
    }

    #[test]
    fn a_heartbeat_comes_back_as_it_was(life in any::<u32>(), ms in any::<u64>(), era in any::<u32>(), all in prop::array::uniform3(snapshot()), acknowledged in acknowledged(), flags in any::<[bool; 4]>()) {
        let [has, heard, mut quarantined] = all;
        for sensor in SensorId::ALL {
            if let Some(reading) = quarantined.get(sensor) {
                quarantined.set(sensor, Reading { changed: None, ko: None, ..reading });
            }
        }
        let beat = Heartbeat {
            life: RunId(life),
            uptime: Duration::from_millis(ms),
            era: Era(era),
            run_era: (era % 2 == 0).then_some(Era(era / 2)),
            takes_over: flags[0],
            has: has.versions(),
            heard: heard.versions(),
            joined: flags[1].then_some(heard.versions()),
            heard_names: flags[2].then_some(life),
            joined_names: flags[3].then_some(era),
            quarantined,
            quarantined_ko: PerSensor::from_fn(|sensor| has.get(sensor)?.last_ko()),
            acknowledged,
            other_live: flags[2],
            other_plain: flags[3],
        };
        let bytes = encode_heartbeat(&beat);
        prop_assert_eq!(decode(Topic::Alive(Card::One), &bytes), Ok(Message::Heartbeat(beat)));
    }
}

/// The fullest there is: each number at its greatest, each text at its longest.
fn fullest() -> (Snapshot, Acknowledged, Names) {
    let dot = |below: u32| Dot {
        n: Dot::MAX,
        era: Era(u32::MAX - below),
    };
    let version = Version {
        dot: dot(0),
        seen: (1..).take(Seen::KEPT).map(dot).collect(),
    };
    let at = Some(Wall(253_402_300_799));
    let mut snapshot = Snapshot::default();
    let mut names = Names::default();
    let mut acknowledged = Acknowledged::default();
    for sensor in SensorId::ALL {
        let reading = Reading {
            state: State::Ok,
            version,
            changed: at,
            ko: Some(Ko {
                dot: version.dot,
                from: at,
                to: at,
            }),
        };
        snapshot.set(sensor, reading);
        names.set(
            sensor,
            SensorName::new(&"\u{10280}".repeat(SensorName::WIDEST)).ok(),
        );
    }
    // JSON writes each of these as two bytes.
    let by = Name::new(&"\"".repeat(40));
    assert!(by.is_some());
    for below in (0..).take(Seen::KEPT) {
        let alarms = PerSensor::from_fn(|_| Some(dot(below)));
        acknowledged.merge(&Acknowledged::of(&alarms, by, at));
    }
    (snapshot, acknowledged, names)
}

#[test]
fn the_largest_report_is_below_half_of_the_largest_message() {
    let (snapshot, acknowledged, names) = fullest();
    let mut report = Report::default();
    report.names = names;
    report.acknowledged = acknowledged;
    for sensor in SensorId::ALL {
        report.put(
            sensor,
            Entry::Reading(snapshot.get(sensor).expect("each sensor has one")),
        );
    }
    let bytes = encode_report(&report, Topic::All.carries());
    assert!(bytes.len() < LARGEST / 2, "{} bytes", bytes.len());
    assert_eq!(decode(Topic::All, &bytes), Ok(Message::Report(report)));
}

#[test]
fn the_largest_heartbeat_is_below_half_of_the_largest_message() {
    let (snapshot, acknowledged, _) = fullest();
    let mut quarantined = snapshot;
    for sensor in SensorId::ALL {
        let reading = snapshot.get(sensor).expect("each sensor has one");
        quarantined.set(
            sensor,
            Reading {
                changed: None,
                ko: None,
                ..reading
            },
        );
    }
    let beat = Heartbeat {
        life: RunId(u32::MAX),
        uptime: Duration::from_millis(u64::MAX),
        era: Era(u32::MAX),
        run_era: Some(Era(u32::MAX)),
        takes_over: true,
        has: snapshot.versions(),
        heard: snapshot.versions(),
        joined: Some(snapshot.versions()),
        heard_names: Some(u32::MAX),
        joined_names: Some(u32::MAX),
        quarantined,
        quarantined_ko: PerSensor::from_fn(|sensor| snapshot.get(sensor)?.last_ko()),
        acknowledged,
        other_live: false,
        other_plain: false,
    };
    let bytes = encode_heartbeat(&beat);
    assert!(bytes.len() < LARGEST / 2, "{} bytes", bytes.len());
    assert_eq!(
        decode(Topic::Alive(Card::One), &bytes),
        Ok(Message::Heartbeat(beat))
    );
}

#[test]
fn the_plain_form_is_understood_and_other_keys_are_ignored() {
    let text = br#"{"sensor_1": true, "sensor_2": false, "sensor_3": null, "mood": {"a": [1]}}"#;
    let Ok(Message::Report(report)) = decode(Topic::Card(Card::One), text) else {
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
    let refusal = |payload: &[u8]| decode(Topic::Card(Card::One), payload).expect_err("must be refused");
    assert_eq!(refusal(b""), Malformed::Empty);
    assert_eq!(
        refusal(&vec![b'x'; LARGEST + 1]),
        Malformed::TooLarge(LARGEST + 1)
    );
    for text in [&b"{\"sensor_1\": tru"[..], b"\xff\xfe"] {
        assert!(matches!(refusal(text), Malformed::NotJson(_)));
    }
    for text in [
        "[true,true,true]",
        r#"{"sensor_1":1}"#,
        r#"{"sensor_1":true,"sensor_1":false}"#,
        r#"{"sensor_1":true,"versions":[[1,1]]}"#,
    ] {
        assert!(
            matches!(refusal(text.as_bytes()), Malformed::WrongForm(_)),
            "{text}"
        );
    }
    for text in [r#"{"sensor_4":true}"#, "{}"] {
        assert_eq!(refusal(text.as_bytes()), Malformed::NoSensor);
    }
    let deep = [
        "{\"sensor_1\":true,\"x\":",
        &"[".repeat(5_000),
        &"]".repeat(5_000),
        "}",
    ]
    .concat();
    assert!(
        decode(Topic::Card(Card::One), deep.as_bytes()).is_ok(),
        "an unknown key is skipped, however deep"
    );
    let beat = decode(Topic::Alive(Card::One), b"[true,1,2]");
    assert!(matches!(beat, Err(Malformed::WrongForm(_))));
}

#[test]
fn numbers_that_are_no_version_are_refused() {
    for numbers in [
        "[9007199254740992,0]",
        "[2,4294967296]",
        "[2]",
        "[]",
        "[2,1,3]",
        "[-1,0]",
        "[2.5,1]",
        "[0,1,0,2,0,3,0,4,0,5,0,6,0,7,0,8]",
    ] {
        let text = format!(r#"{{"sensor_1":true,"versions":{{"sensor_1":{numbers}}}}}"#);
        let refused = decode(Topic::Card(Card::One), text.as_bytes());
        assert!(
            matches!(refused, Err(Malformed::WrongForm(_))),
            "{numbers}: {refused:?}"
        );
    }
}

#[test]
fn the_last_will_names_the_life_that_ended() {
    assert_eq!(
        decode(Topic::Alive(Card::Two), &encode_last_will(RunId(5))),
        Ok(Message::Gone(RunId(5)))
    );
}
