//! What an owner is asked to do by a message: done once, after the restore, and answered until the other
//! board has shown it.

use crate::boards::bridge::bridges;
use crate::hostile::command::payload;
use crate::solo::{CARD1, CARD2, KO, OK, Solo, reading, report, sensor, version};
use dualboard_core::command::{Answer, Change, Changes, Command, Name};
use dualboard_core::event_log::Fact;
use dualboard_core::machine::{Event, Role};
use dualboard_core::sensor::{Card, State};
use dualboard_core::stage::Stage;
use dualboard_core::wire::{Malformed, Message, Topic, decode};
use proptest::prelude::*;

const SET: Topic = Topic::Set(Card::One);
const REPORT: Topic = Topic::Card(Card::One);

fn started() -> Solo {
    let mut owner = Solo::new(CARD1, 77, None);
    owner.feed(Event::Connected);
    owner
}

fn open() -> Solo {
    Solo::open(CARD1, 77, None)
}

fn states(owner: &Solo) -> [Option<State>; 3] {
    [1, 2, 3].map(|number| owner.state(number))
}

/// The least stage in each answer.
fn stages(owner: &Solo) -> Vec<Stage> {
    let reached = |answer: &Answer| [1, 2, 3].map(|number| answer.get(sensor(number)));
    let stage = |answer: &Answer| {
        reached(answer)
            .into_iter()
            .flatten()
            .map(|(_, stage)| stage)
            .min()
    };
    owner.answers().filter_map(stage).collect()
}

#[test]
fn states_and_toggles_are_done_and_the_log_says_who_asked() {
    let mut owner = open();
    owner.hear(
        SET,
        r#"{"sensor_1":"ko","sensor_2":true,"toggle":[3],"by":"a script"}"#,
    );
    assert_eq!(states(&owner), [KO, OK, KO]);
    owner.hear(SET, r#"{"sensor_1":false,"toggle":[3]}"#);
    assert_eq!(states(&owner), [KO, OK, OK]);
    let names: Vec<_> = owner
        .machine
        .event_log()
        .newest_first()
        .filter_map(|entry| match &entry.fact {
            Fact::Commanded { by, .. } => Some(by.as_ref().map(Name::as_str)),
            _ => None,
        })
        .collect();
    assert_eq!(names, [None, Some("a script")]);
}

#[test]
fn the_state_that_is_there_already_makes_no_version_and_is_answered() {
    let mut owner = open();
    owner.feed(Event::Toggle(sensor(1)));
    owner.feed(Event::Toggle(sensor(1)));
    owner.run();
    owner.confirm(Card::Two);
    let before = owner.count(REPORT);
    owner.hear(SET, r#"{"sensor_1":true,"id":7}"#);
    owner.run();
    assert_eq!(owner.count(REPORT), before, "nothing new to publish");
    assert_eq!(stages(&owner).last(), Some(&Stage::Confirmed));
}

#[test]
fn the_initial_state_asked_for_is_vouched_for() {
    let mut owner = open();
    owner.hear(SET, r#"{"sensor_1":true}"#);
    for number in [1, 2] {
        owner.hear(Topic::All, report(number, reading(State::Ko, version(3, 3, &[]))));
    }
    assert_eq!(
        states(&owner),
        [OK, KO, OK],
        "memory that turns up wins where nobody asked"
    );
}

#[test]
fn what_comes_before_the_restore_is_done_after_it_and_in_order() {
    let mut owner = started();
    owner.hear(SET, r#"{"toggle":[1,2],"id":1}"#);
    owner.hear(SET, r#"{"toggle":[2]}"#);
    owner.hear(SET, r#"{"sensor_3":"KO"}"#);
    owner.hear(SET, r#"{"toggle":[3],"id":2}"#);
    owner.find(REPORT, report(1, reading(State::Ko, version(4, 1, &[]))));
    assert_eq!(states(&owner), [KO, None, None]);
    assert_eq!(owner.said.len(), 1, "the marker alone");
    owner.restore();
    assert_eq!(states(&owner), [OK, OK, OK]);
    owner.run();
    assert_eq!(owner.answers().map(|answer| answer.id).max(), Some(2));
}

#[test]
fn a_retained_command_is_ignored_and_said_so() {
    let mut owner = started();
    owner.find(SET, r#"{"sensor_1":"KO"}"#);
    owner.restore();
    owner.find(SET, r#"{"sensor_2":"KO"}"#);
    assert_eq!(states(&owner), [OK, OK, OK]);
    let fact = &owner
        .machine
        .event_log()
        .newest_first()
        .next()
        .expect("a fact")
        .fact;
    assert_eq!(*fact, Fact::RetainedCommand(Topic::Set(Card::One)));
}

#[test]
fn bad_commands_are_counted_and_change_nothing() {
    let bad = [
        "",
        "1=ko",
        "{}",
        "[1]",
        r#"{"sensor_1":null}"#,
        r#"{"sensor_1":"no"}"#,
        r#"{"sensor_1":0}"#,
        r#"{"sensor_1":"KO","sensor_1":"OK"}"#,
        r#"{"sensor_1":"KO","sensor_4":"KO"}"#,
        r#"{"sensor_1":"KO","toggle":[1]}"#,
        r#"{"toggle":[1,1]}"#,
        r#"{"toggle":[0]}"#,
        r#"{"toggle":[7,1]}"#,
        r#"{"toggle":1}"#,
        r#"{"toggle":[]}"#,
        r#"{"sensor_1":"KO","id":-1}"#,
        r#"{"sensor_1":"KO","id":"x"}"#,
        r#"{"sensor_1":"KO","by":"a\u001b[2J"}"#,
        r#"{"sensor_1":"KO","by":"a very long name that does not fit into a line"}"#,
    ];
    let mut owner = open();
    for (count, payload) in bad.iter().enumerate() {
        owner.hear(SET, *payload);
        assert_eq!(owner.machine.malformed_payloads(), count as u64 + 1, "{payload}");
        assert_eq!(states(&owner), [OK, OK, OK], "{payload}");
    }
    assert_eq!(
        decode(Topic::Set(Card::Two), br#"{"toggle":[1]}"#),
        Err(Malformed::OtherCard)
    );
    assert_eq!(owner.answers().count(), 0);
}

#[test]
fn the_same_command_again_is_done_once_and_answered_each_time() {
    let mut owner = open();
    for _ in 0..3 {
        owner.hear(SET, r#"{"toggle":[2],"id":99}"#);
        owner.run();
        assert_eq!(states(&owner), [OK, KO, OK]);
    }
    assert_eq!(
        stages(&owner)
            .iter()
            .filter(|stage| **stage == Stage::Saved)
            .count(),
        3
    );
    owner.hear(SET, r#"{"toggle":[2],"id":100}"#);
    assert_eq!(states(&owner), [OK, OK, OK]);
}

#[test]
fn a_command_that_comes_twice_before_the_restore_is_done_once() {
    let mut owner = started();
    owner.hear(SET, r#"{"toggle":[1],"id":5}"#);
    owner.hear(SET, r#"{"toggle":[1],"id":5}"#);
    owner.restore();
    assert_eq!(states(&owner), [KO, OK, OK]);
}

#[test]
fn a_later_life_does_not_do_it_again() {
    let mut owner = open();
    owner.hear(SET, r#"{"toggle":[1],"id":5}"#);
    owner.run();
    let mut later = Solo::new(CARD1, 78, owner.file.as_ref());
    later.feed(Event::Connected);
    later.hear(SET, r#"{"toggle":[1],"id":5}"#);
    later.restore();
    later.run();
    assert_eq!(states(&later), [KO, OK, OK]);
    later.confirm(Card::Two);
    assert_eq!(
        stages(&later).last(),
        Some(&Stage::Confirmed),
        "it is answered all the same"
    );
}

#[test]
fn nobody_hears_of_it_before_a_later_life_would_know_that_it_is_done() {
    let mut owner = open();
    let before = owner.count(REPORT);
    owner.hear(SET, r#"{"toggle":[1],"id":5}"#);
    owner.deliver();
    assert_eq!(owner.count(REPORT), before, "it is not on disk yet");
    owner.feed(Event::NotSaved("disk full".to_owned()));
    assert_eq!(owner.count(REPORT), before + 1, "a full disk holds nothing up");
}

#[test]
fn answers_say_each_stage_once_and_end_with_confirmed() {
    let mut owner = open();
    owner.hear(SET, r#"{"sensor_1":"KO","id":8}"#);
    owner.run();
    owner.feed(Event::Tick);
    owner.confirm(Card::Two);
    owner.feed(Event::Toggle(sensor(1)));
    owner.run();
    assert_eq!(stages(&owner), [Stage::Sending, Stage::Saved, Stage::Confirmed]);
    let last = owner.answers().last().expect("an answer");
    assert_eq!(
        (last.id, last.get(sensor(1))),
        (8, Some((State::Ko, Stage::Confirmed)))
    );
    assert_eq!(last.get(sensor(2)), None, "nobody asked for it");
}

#[test]
fn on_the_command_line_it_is_done_at_once_as_a_key_is() {
    let mut owner = Solo::new(CARD1, 77, None);
    let mut changes = Changes::default();
    changes.put(sensor(2), Some(Change::Set(State::Ko)));
    let command = Command {
        id: Some(1),
        by: None,
        changes,
    };
    owner.feed(Event::Command(Box::new(command)));
    let answer = owner.machine.answer(1).expect("it is known");
    assert_eq!(answer.get(sensor(2)), Some((State::Ko, Stage::Sending)));
    owner.saves();
    let memory = owner.file.expect("it is in the file");
    assert_eq!(memory.readings.get(sensor(2)).map(|reading| reading.state), KO);
    assert!(memory.done.contains(1));
    owner.feed(Event::Connected);
    owner.find(REPORT, report(2, reading(State::Ok, version(9, 9, &[]))));
    owner.restore();
    assert_eq!(
        states(&owner)[1],
        KO,
        "what turns up does not overrule the operator"
    );
}

#[test]
fn after_the_last_word_nothing_is_taken_any_more() {
    let mut owner = open();
    owner.feed(Event::Leave);
    owner.hear(SET, r#"{"sensor_1":"KO","id":8}"#);
    assert_eq!(states(&owner), [OK, OK, OK]);
    assert_eq!(owner.answers().count(), 0);
}

#[test]
fn only_the_owner_listens_and_only_to_its_own_card() {
    let listens = |role| {
        let machine = Solo::new(role, 1, None).machine;
        let topics = machine
            .subscriptions()
            .into_iter()
            .map(|(topic, qos)| format!("{topic} {qos}"));
        topics.filter(|topic| topic.contains("/set")).collect::<Vec<_>>()
    };
    assert_eq!(listens(CARD1), ["sensors/card1/set 2"]);
    assert_eq!(listens(CARD2), ["sensors/card2/set 2"]);
    assert_eq!(listens(Role::Display), [""; 0]);
}

#[test]
fn the_bridge_carries_no_command() {
    let bridges = bridges();
    let carried = bridges
        .iter()
        .flat_map(|bridge| bridge.incoming.iter().chain(&bridge.outgoing));
    let topics: Vec<_> = carried.flat_map(|(from, to, _)| [from, to]).collect();
    assert!(topics.len() > 10);
    for topic in topics {
        assert!(!topic.contains(['#', '+']) && !topic.contains("set"), "{topic}");
    }
}

fn changes() -> impl Strategy<Value = Changes> {
    let order = prop_oneof![
        Just(None),
        Just(Some(Change::Toggle)),
        any::<bool>().prop_map(|ok| Some(Change::Set(State::from(ok)))),
    ];
    prop::collection::vec(order, 3).prop_map(|drawn| {
        let mut changes = Changes::default();
        for (sensor, order) in Card::One.sensors().into_iter().zip(drawn) {
            changes.put(sensor, order);
        }
        changes
    })
}

proptest! {
    #[test]
    fn a_command_comes_back_as_it_was(changes in changes(), id in any::<Option<u64>>(), by in prop::option::of("[ -~]{1,40}")) {
        prop_assume!(!changes.sensors().is_empty());
        let by = by.and_then(|by| Name::new(&by));
        let command = Command { id, by, changes };
        prop_assert_eq!(decode(Topic::Set(Card::One), &payload(&command)), Ok(Message::Command(command)));
    }

    #[test]
    fn commands_that_wait_come_to_the_same_as_one_after_the_other(many in prop::collection::vec(changes(), 0..6)) {
        let many: Vec<_> = many.into_iter().filter(|changes| !changes.sensors().is_empty()).collect();
        let mut ends = Vec::new();
        for wait in [false, true] {
            let mut owner = started();
            if !wait {
                owner.restore();
            }
            for changes in &many {
                let command = Command { id: None, by: None, changes: *changes };
                owner.hear(SET, payload(&command));
            }
            if wait {
                owner.restore();
            }
            ends.push(states(&owner));
        }
        prop_assert_eq!(ends[0], ends[1]);
    }
}
