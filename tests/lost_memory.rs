//! Old copies that turn up after an owner has lost its memory: nobody takes them for news, whatever their number.

use std::time::Duration;

use dualboard::command::Done;
use dualboard::global::Shown;
use dualboard::machine::{Effect, Event, Machine, Role, Setup};
use dualboard::owner::Memory;
use dualboard::reading::{Reading, Snapshot};
use dualboard::sensor::{Card, SensorId, State};
use dualboard::time::{Mono, Now, Wall};
use dualboard::version::{Life, Version};
use dualboard::wire::{Report, Topic, encode_report};
use serde_json::Value;

const NOW: Now = Now {
    mono: Mono::from_start(Duration::from_secs(5)),
    wall: Wall(0),
};

/// In the era 4, of the life 1: the state false. In the era 2, which did not know of the other one: true.
const OLD: &[u8] = br#"{"sensor_1":false,"versions":{"sensor_1":[4,1,262145]}}"#;
const NEW: &[u8] = br#"{"sensor_1":true,"versions":{"sensor_1":[1,2,131074]}}"#;

/// A heartbeat of a life that has the first of them.
const IN_OLD: &[u8] = br#"{"alive":true,"life":65540,"uptime_ms":1,"has":{"sensor_1":[4,1,262145]}}"#;

fn hear(machine: &mut Machine, topic: &str, payload: &[u8]) -> Vec<Effect> {
    hear_at(machine, 0, topic, payload)
}

/// Some seconds after the start.
fn hear_at(machine: &mut Machine, seconds: u64, topic: &str, payload: &[u8]) -> Vec<Effect> {
    let topic = topic.to_owned();
    let payload = payload.to_vec();
    let mono = NOW.mono.after(Duration::from_secs(seconds));
    machine.handle(
        Now { mono, ..NOW },
        Event::Message {
            topic,
            payload,
            retained: false,
        },
    )
}

fn restored(role: Role) -> Machine {
    let mut machine = Machine::new(Setup {
        role,
        client_id: "me".to_owned(),
        life: Life(9),
        memory: Err("no state file".to_owned()),
        started: NOW,
    });
    let marker = machine.handle(NOW, Event::Connected);
    let Some(Effect::Publish { payload, .. }) = marker.first() else {
        panic!("a marker");
    };
    let payload = payload.clone();
    let _ = hear(&mut machine, "sensors/marker/me", &payload);
    machine
}

fn shown(machine: &Machine) -> Option<State> {
    machine.shown(SensorId::ALL[0]).map(|shown| shown.state())
}

/// What the program last said in a heartbeat.
fn heartbeat(effects: &[Effect]) -> Option<Value> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::Publish {
            topic: Topic::Alive(_),
            payload,
            ..
        } => serde_json::from_slice(payload).ok(),
        _ => None,
    })
}

#[test]
fn a_higher_version_of_a_memory_that_did_not_know_of_what_is_shown_is_not_believed() {
    for role in [Role::Monitor(Card::Two), Role::Display] {
        let mut machine = restored(role);
        let topic = if role == Role::Display {
            "sensors/all"
        } else {
            "sensors/card1"
        };
        let _ = hear(&mut machine, topic, NEW);
        let _ = hear(&mut machine, topic, OLD);
        assert_eq!(shown(&machine), Some(State::Ok), "{role:?}");
    }
}

#[test]
fn the_owner_is_told_what_is_not_believed_and_to_say_again_what_it_has() {
    let mut machine = restored(Role::Monitor(Card::Two));
    let _ = hear(&mut machine, "sensors/card1", NEW);
    let said = heartbeat(&hear(&mut machine, "sensors/card1", OLD)).expect("at once");
    assert_eq!(said["refused"]["sensor_1"], serde_json::json!([4, 1, 262_145]));
    assert_eq!(said["heard"].get("sensor_1"), None);
    assert_eq!(said["has"]["sensor_1"], serde_json::json!([1, 2, 131_074]));
    let again = hear(&mut machine, "sensors/card1", OLD);
    assert_eq!(heartbeat(&again), None, "no answer to each answer");
}

#[test]
fn it_is_believed_once_its_owner_says_that_it_is_in_that_era() {
    let mut machine = restored(Role::Monitor(Card::Two));
    let _ = hear(&mut machine, "sensors/card1", NEW);
    let _ = hear(&mut machine, "sensors/card1/alive", IN_OLD);
    let _ = hear(&mut machine, "sensors/card1", OLD);
    assert_eq!(shown(&machine), Some(State::Ko));
}

#[test]
fn what_was_not_believed_is_kept_until_its_owner_says_that_it_is_in_that_era() {
    let mut machine = restored(Role::Monitor(Card::Two));
    let _ = hear(&mut machine, "sensors/card1", NEW);
    let _ = hear(&mut machine, "sensors/card1", OLD);
    let _ = hear(&mut machine, "sensors/card1/alive", IN_OLD);
    assert_eq!(shown(&machine), Some(State::Ko));
}

#[test]
fn a_second_owner_does_not_vouch_for_its_memory_while_the_first_is_heard() {
    for first in [&[5][..], &[1, 3, 5]] {
        let mut machine = restored(Role::Monitor(Card::Two));
        let _ = hear(&mut machine, "sensors/card1", NEW);
        for second in first {
            let uptime = second * 1_000;
            let beat = format!(
                r#"{{"alive":true,"life":131074,"uptime_ms":{uptime},"has":{{"sensor_1":[1,2,131074]}}}}"#
            );
            let _ = hear_at(&mut machine, *second, "sensors/card1/alive", beat.as_bytes());
        }
        let _ = hear_at(&mut machine, 6, "sensors/card1/alive", IN_OLD);
        let _ = hear_at(&mut machine, 6, "sensors/card1", OLD);
        assert_eq!(shown(&machine), Some(State::Ok), "one of the two is to end");
        let later = br#"{"alive":true,"life":65540,"uptime_ms":11001,"has":{"sensor_1":[4,1,262145]}}"#;
        let _ = hear_at(&mut machine, 17, "sensors/card1/alive", later);
        assert_eq!(shown(&machine), Some(State::Ko), "it is the one that is left");
    }
}

#[test]
fn what_an_owner_said_long_ago_vouches_for_nothing() {
    let mut machine = restored(Role::Monitor(Card::Two));
    let _ = hear(&mut machine, "sensors/card1/alive", IN_OLD);
    let _ = hear_at(&mut machine, 30, "sensors/card1", NEW);
    let _ = hear_at(&mut machine, 30, "sensors/card1", OLD);
    assert_eq!(shown(&machine), Some(State::Ok));
}

#[test]
fn an_owner_that_has_ended_leaves_the_word_to_the_next_one() {
    let mut machine = restored(Role::Monitor(Card::Two));
    let _ = hear(&mut machine, "sensors/card1", NEW);
    // Also where the one after it ended before it had proved that it lives.
    for (second, life) in [(1, 131_074), (3, 131_075)] {
        let beat =
            format!(r#"{{"alive":true,"life":{life},"uptime_ms":1,"has":{{"sensor_1":[1,2,131074]}}}}"#);
        let _ = hear_at(&mut machine, second, "sensors/card1/alive", beat.as_bytes());
        let end = format!(r#"{{"alive":false,"life":{life}}}"#);
        let _ = hear_at(&mut machine, second + 1, "sensors/card1/alive", end.as_bytes());
    }
    let _ = hear_at(&mut machine, 5, "sensors/card1/alive", IN_OLD);
    let _ = hear_at(&mut machine, 5, "sensors/card1", OLD);
    assert_eq!(shown(&machine), Some(State::Ko));
}

#[test]
fn a_memory_that_knew_of_what_is_shown_needs_nobody_to_vouch_for_it() {
    let mut machine = restored(Role::Monitor(Card::Two));
    let _ = hear(&mut machine, "sensors/card1", NEW);
    let after_era_2 = (2_u64 << 32) + 262_145;
    let payload = format!(r#"{{"sensor_1":false,"versions":{{"sensor_1":[4,1,{after_era_2}]}}}}"#);
    let _ = hear(&mut machine, "sensors/card1", payload.as_bytes());
    assert_eq!(shown(&machine), Some(State::Ko));
}

#[test]
fn an_owner_hears_who_knows_more_of_its_memory_before_it_outranks_another_one() {
    // Its last press is not in its file, and a display shows it; what is retained is of the memory before.
    let of_era = |era: u16, sequence, state| Reading {
        state,
        version: Version {
            incarnation: 1,
            sequence,
            life: Life(9).in_era(era),
            after: 0,
        },
        changed: None,
    };
    let mut readings = Snapshot::default();
    readings.offer(SensorId::ALL[0], of_era(2, 7, State::Ok));
    let mut machine = Machine::new(Setup {
        role: Role::Monitor(Card::One),
        client_id: "me".to_owned(),
        life: Life(10),
        memory: Ok(Memory {
            readings,
            era: Some(2),
            incarnation: 1,
            done: Done::default(),
        }),
        started: NOW,
    });
    let marker = machine.handle(NOW, Event::Connected);
    let Some(Effect::Publish { payload, .. }) = marker.first() else {
        panic!("a marker");
    };
    let marker = payload.clone();
    let _ = hear(&mut machine, "sensors/card1", &report(of_era(4, 17, State::Ok)));
    let _ = hear(&mut machine, "sensors/marker/me", &marker);
    let _ = hear(&mut machine, "sensors/all", &report(of_era(2, 11, State::Ko)));
    assert_eq!(shown(&machine), Some(State::Ko));
    let later = Now {
        mono: NOW.mono.after(Duration::from_secs(4)),
        ..NOW
    };
    let _ = machine.handle(later, Event::Tick);
    assert_eq!(shown(&machine), Some(State::Ko));
    let Some(Shown::Reading(reading)) = machine.shown(SensorId::ALL[0]) else {
        panic!("a reading");
    };
    assert!(reading.version.follows(of_era(4, 17, State::Ok).version));
}

fn report(reading: Reading) -> Vec<u8> {
    let mut readings = Snapshot::default();
    readings.offer(SensorId::ALL[0], reading);
    encode_report(&Report::of(&readings), Topic::Card1.carries())
}
