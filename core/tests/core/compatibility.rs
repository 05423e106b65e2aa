//! What each version wrote is read by every later one: state files, and messages as `mosquitto_sub -v` shows
//! them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::solo::{KO, OK, sensor};
use dualboard_core::command::Name;
use dualboard_core::owner::{Memory, Owner};
use dualboard_core::sensor::{Card, State};
use dualboard_core::time::Wall;
use dualboard_core::version::{Dot, Order, RunId};
use dualboard_core::wire::{Entry, Message, Topic, decode, decode_memory};
use serde_json::Value;

fn recorded(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compatibility");
    fs::read_to_string(folder.join(name)).expect("it belongs to the project")
}

/// What stands below the head line, which the shell reads.
fn state_file(name: &str) -> Memory {
    let text = recorded(name);
    let (_, body) = text.split_once('\n').expect("a head line");
    decode_memory(body.trim_end().as_bytes()).expect("written by a program")
}

fn states(memory: &Memory) -> [Option<State>; 6] {
    [1, 2, 3, 4, 5, 6].map(|number| Some(memory.readings.get(sensor(number))?.state))
}

#[test]
fn a_state_file_of_0_1_is_read_with_all_its_states_and_gone_on_from() {
    let memory = state_file("0.1-card1.state");
    assert_eq!(states(&memory), [KO, OK, OK, OK, KO, OK]);
    assert_eq!(memory.done.iter().count(), 5);
    let changed = memory.readings.get(sensor(2)).and_then(|reading| reading.changed);
    assert_eq!(changed, Some(Wall(1_795_818_858)));
    assert_goes_on_from(&memory, Card::One);
}

#[test]
fn state_files_of_0_2_are_read_with_all_their_states_and_gone_on_from() {
    for (name, card) in [("0.2-card1.state", Card::One), ("0.2-card2.state", Card::Two)] {
        let memory = state_file(name);
        assert_eq!(states(&memory), [KO, OK, OK, OK, KO, OK], "{name}");
        assert!(memory.client.is_some() && memory.era.is_some(), "{name}");
        let second = card == Card::Two;
        assert_eq!(memory.done.iter().count() > 0, second, "{name}");
        assert_eq!(memory.met.iter().count() > 0, second, "{name}");
        assert_goes_on_from(&memory, card);
    }
}

#[test]
fn a_state_file_of_0_2_says_which_alarms_were_acknowledged() {
    let memory = state_file("0.2-card1-alarms.state");
    assert_eq!(states(&memory), [KO, OK, OK, OK, KO, OK]);
    assert_goes_on_from(&memory, Card::One);
    for (number, from, to, by) in [
        (1, 1_795_875_769, None, "night shift"),
        (2, 1_795_875_760, Some(1_795_875_765), "day shift"),
        (3, 1_795_875_766, Some(1_795_875_768), "night shift"),
    ] {
        let reading = memory.readings.get(sensor(number)).expect("a reading");
        let ko = reading.last_ko().expect("an alarm");
        assert_eq!((ko.from, ko.to), (Some(Wall(from)), to.map(Wall)), "{number}");
        let stamp = memory
            .acknowledged
            .of_alarm(sensor(number), ko.dot)
            .expect("acknowledged");
        assert_eq!(stamp.by, Name::new(by), "{number}");
    }
}

/// The next run's toggles are later than all that its file holds, before and after its disk has answered.
fn assert_goes_on_from(memory: &Memory, card: Card) {
    let mut owner = Owner::new(card, RunId(1), Some(memory));
    for _ in 0..2 {
        for sensor in card.sensors() {
            let before = memory.readings.get(sensor).expect("it has all");
            owner.toggle(sensor, Wall(0));
            let after = owner.readings().get(sensor).expect("toggled");
            assert_eq!(
                after.version.compare_exactly(&before.version),
                Order::Later,
                "{sensor}"
            );
        }
        owner.reserved(&owner.memory());
        assert_eq!(Some(owner.eras().0), memory.era);
    }
}

#[test]
fn messages_of_0_2_are_read_and_mean_what_they_say() {
    let text = recorded("0.2-messages.txt");
    let (mut topics, mut named) = (BTreeSet::new(), 0);
    for line in text.lines() {
        let (name, payload) = line.split_once(' ').expect("topic and payload");
        let topic = Topic::parse(name, "").expect("a topic of this project");
        topics.insert(topic);
        let said: Value = serde_json::from_str(payload).expect("JSON");
        match decode(topic, payload.as_bytes()).expect(line) {
            Message::Report(report) => {
                for (sensor, name) in report.names.iter() {
                    let key = format!("sensor_{}", sensor.number());
                    assert_eq!(said["names"][&key], name.as_str(), "{line}");
                }
                let all = said["names"].as_object().map_or(0, serde_json::Map::len);
                assert_eq!(report.names.iter().count(), all, "{line}");
                named += usize::from(all > 0);
                for (sensor, entry) in report.iter() {
                    let Entry::Reading(reading) = entry else {
                        panic!("without a version: {line}")
                    };
                    let key = format!("sensor_{}", sensor.number());
                    assert_eq!(said[&key], bool::from(reading.state), "{line}");
                    assert_eq!(said["versions"][&key][0], reading.version.dot.n, "{line}");
                    assert_eq!(said["versions"][&key][1], reading.version.era().0, "{line}");
                }
            }
            Message::Heartbeat(heartbeat) => {
                assert_eq!(
                    (&said["alive"], &said["life"]),
                    (&true.into(), &heartbeat.life.0.into())
                );
                let has = said["has"].as_object().expect("a heartbeat says what it has");
                let read = (1..=6).filter(|number| heartbeat.has.get(sensor(*number)).is_some());
                assert_eq!(read.count(), has.len(), "{line}");
            }
            Message::Gone(life) => {
                assert_eq!((&said["alive"], &said["life"]), (&false.into(), &life.0.into()));
            }
            Message::Command(command) => assert_eq!(said["id"], command.id.expect("with an id")),
            Message::Answer(answer) => assert_eq!(said["id"], answer.id),
            Message::Acknowledged(alarms) => {
                for sensor in alarms.sensors() {
                    let up_to = &said[format!("sensor_{}", sensor.number())]["up_to"];
                    let numbers = [0, 1].map(|place| up_to[place].as_u64().expect("a number"));
                    let alarm = Dot::try_from((numbers[0], numbers[1])).expect("an alarm");
                    assert!(alarms.covers(sensor, alarm), "{line}");
                }
            }
            other => panic!("{other:?}: {line}"),
        }
    }
    for wanted in [
        Topic::Card(Card::One),
        Topic::Card(Card::Two),
        Topic::All,
        Topic::Witness,
        Topic::Acknowledge(Card::One),
    ] {
        assert!(topics.contains(&wanted), "no {wanted:?}");
    }
    assert!(topics.len() >= 8, "{topics:?}");
    assert!(named >= 3, "names in {named} messages");
}
