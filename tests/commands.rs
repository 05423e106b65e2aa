//! What an owner is asked to do by a message: done once, after the gate, and answered until the other board has shown it.

#[path = "commands/owner.rs"]
mod owner;

use std::time::Duration;

use dualboard::chronicle::Fact;
use dualboard::command::{Command, Name, Order, Orders};
use dualboard::machine::{Event, Machine, Role, Setup};
use dualboard::sensor::{Card, State};
use dualboard::stage::Stage;
use dualboard::time::{Mono, Now, Wall};
use dualboard::version::Life;
use dualboard::wire::{Malformed, Message, Topic, decode, encode_command};
use owner::{KO, OK, Owner, sensor};
use proptest::prelude::*;

const NOW: Now = Now {
    mono: Mono::from_start(Duration::from_secs(5)),
    wall: Wall(0),
};

const SET: &str = "sensors/card1/set";

#[test]
fn states_and_toggles_are_done_and_the_log_says_who_asked() {
    let mut owner = Owner::open();
    owner.ask(r#"{"sensor_1":"ko","sensor_2":true,"toggle":[3],"by":"a script"}"#);
    assert_eq!(owner.states(), [KO, OK, KO]);
    owner.ask(r#"{"sensor_1":false,"toggle":[3]}"#);
    assert_eq!(owner.states(), [KO, OK, OK]);
    let names: Vec<_> = owner
        .machine
        .chronicle()
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
    let mut owner = Owner::open();
    owner.feed(Event::Toggle(sensor(1)));
    owner.feed(Event::Toggle(sensor(1)));
    owner.run();
    owner.confirm();
    let before = owner.reports.len();
    owner.ask(r#"{"sensor_1":true,"id":7}"#);
    owner.run();
    assert_eq!(owner.reports.len(), before, "nothing new to publish");
    assert_eq!(owner.stages(), [Stage::Confirmed]);
}

#[test]
fn the_initial_state_asked_for_is_vouched_for() {
    let mut owner = Owner::open();
    owner.ask(r#"{"sensor_1":true}"#);
    owner.hear(
        "sensors/all",
        br#"{"sensor_1":false,"sensor_2":false,"versions":{"sensor_1":[3,3,3],"sensor_2":[3,3,3]}}"#,
        false,
    );
    assert_eq!(
        owner.states(),
        [OK, KO, OK],
        "memory that turns up wins where nobody asked"
    );
}

#[test]
fn what_comes_before_the_gate_is_done_after_it_and_in_order() {
    let mut owner = Owner::new(None);
    owner.connect();
    owner.ask(r#"{"toggle":[1,2],"id":1}"#);
    owner.ask(r#"{"toggle":[2]}"#);
    owner.ask(r#"{"sensor_3":"KO"}"#);
    owner.ask(r#"{"toggle":[3],"id":2}"#);
    owner.hear(
        "sensors/card1",
        br#"{"sensor_1":false,"versions":{"sensor_1":[4,2,1]}}"#,
        true,
    );
    assert_eq!(owner.states(), [KO, None, None]);
    assert!(owner.reports.is_empty() && owner.answers.is_empty() && owner.writing.is_none());
    owner.open_gate();
    assert_eq!(owner.states(), [OK, OK, OK]);
    owner.run();
    assert_eq!(owner.answers.iter().map(|answer| answer.id).max(), Some(2));
}

#[test]
fn a_retained_command_is_ignored_and_said_so() {
    let mut owner = Owner::new(None);
    owner.connect();
    owner.hear(SET, br#"{"sensor_1":"KO"}"#, true);
    owner.open_gate();
    owner.hear(SET, br#"{"sensor_2":"KO"}"#, true);
    assert_eq!(owner.states(), [OK, OK, OK]);
    let fact = &owner
        .machine
        .chronicle()
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
    let mut owner = Owner::open();
    for (count, payload) in bad.iter().enumerate() {
        owner.ask(payload);
        assert_eq!(owner.machine.counters().malformed, count as u64 + 1, "{payload}");
        assert_eq!(owner.states(), [OK, OK, OK], "{payload}");
    }
    assert_eq!(
        decode(Topic::Set(Card::Two), br#"{"toggle":[1]}"#),
        Err(Malformed::OtherCard)
    );
    assert!(owner.answers.is_empty());
}

#[test]
fn the_same_command_again_is_done_once_and_answered_each_time() {
    let mut owner = Owner::open();
    for _ in 0..3 {
        owner.ask(r#"{"toggle":[2],"id":99}"#);
        owner.run();
        assert_eq!(owner.states(), [OK, KO, OK]);
    }
    assert_eq!(
        owner
            .stages()
            .iter()
            .filter(|stage| **stage == Stage::Saved)
            .count(),
        3
    );
    owner.ask(r#"{"toggle":[2],"id":100}"#);
    assert_eq!(owner.states(), [OK, OK, OK]);
}

#[test]
fn a_command_that_comes_twice_before_the_gate_is_done_once() {
    let mut owner = Owner::new(None);
    owner.connect();
    owner.ask(r#"{"toggle":[1],"id":5}"#);
    owner.ask(r#"{"toggle":[1],"id":5}"#);
    owner.open_gate();
    assert_eq!(owner.states(), [KO, OK, OK]);
}

#[test]
fn a_later_life_does_not_do_it_again() {
    let mut owner = Owner::open();
    owner.ask(r#"{"toggle":[1],"id":5}"#);
    owner.run();
    let mut later = Owner::new(owner.memory.as_ref());
    later.connect();
    later.ask(r#"{"toggle":[1],"id":5}"#);
    later.open_gate();
    later.run();
    assert_eq!(later.states(), [KO, OK, OK]);
    later.confirm();
    assert_eq!(
        later.stages().last(),
        Some(&Stage::Confirmed),
        "it is answered all the same"
    );
}

#[test]
fn nobody_hears_of_it_before_a_later_life_would_know_that_it_is_done() {
    let mut owner = Owner::open();
    let before = owner.reports.len();
    owner.ask(r#"{"toggle":[1],"id":5}"#);
    for (ticket, _, _) in std::mem::take(&mut owner.flying) {
        owner.feed(Event::Delivered(ticket));
    }
    assert_eq!(owner.reports.len(), before, "it is not on disk yet");
    owner.feed(Event::NotSaved("disk full".to_owned()));
    assert_eq!(owner.reports.len(), before + 1, "a full disk holds nothing up");
}

#[test]
fn answers_say_each_stage_once_and_end_with_confirmed() {
    let mut owner = Owner::open();
    owner.ask(r#"{"sensor_1":"KO","id":8}"#);
    owner.run();
    owner.feed(Event::Tick);
    owner.confirm();
    owner.feed(Event::Toggle(sensor(1)));
    owner.run();
    assert_eq!(owner.stages(), [Stage::Sending, Stage::Saved, Stage::Confirmed]);
    let last = owner.answers.last().expect("an answer");
    assert_eq!(
        (last.id, last.get(sensor(1))),
        (8, Some((State::Ko, Stage::Confirmed)))
    );
    assert_eq!(last.get(sensor(2)), None, "nobody asked for it");
}

#[test]
fn on_the_command_line_it_is_done_at_once_as_a_key_is() {
    let mut owner = Owner::new(None);
    let mut orders = Orders::default();
    orders.put(sensor(2), Some(Order::Set(State::Ko)));
    let command = Command {
        id: Some(1),
        by: None,
        orders,
    };
    owner.feed(Event::Command(Box::new(command)));
    let answer = owner.machine.answer(1).expect("it is known");
    assert_eq!(answer.get(sensor(2)), Some((State::Ko, Stage::Sending)));
    owner.saves();
    let memory = owner.memory.expect("it is in the file");
    assert_eq!(memory.readings.get(sensor(2)).map(|reading| reading.state), KO);
    assert!(memory.done.contains(1));
    owner.connect();
    owner.hear(
        "sensors/card1",
        br#"{"sensor_2":true,"versions":{"sensor_2":[9,9,9]}}"#,
        true,
    );
    owner.open_gate();
    assert_eq!(
        owner.states()[1],
        KO,
        "what turns up does not overrule the operator"
    );
}

#[test]
fn after_the_last_word_nothing_is_taken_any_more() {
    let mut owner = Owner::open();
    owner.feed(Event::Leave);
    owner.ask(r#"{"sensor_1":"KO","id":8}"#);
    assert_eq!(owner.states(), [OK, OK, OK]);
    assert!(owner.answers.is_empty());
}

#[test]
fn only_the_owner_listens_and_only_to_its_own_card() {
    let listens = |role| {
        let machine = Machine::new(Setup {
            role,
            client_id: "me".to_owned(),
            life: Life(1),
            memory: Err(String::new()),
            started: NOW,
        });
        let topics = machine
            .subscriptions()
            .into_iter()
            .map(|(topic, qos)| format!("{topic} {qos}"));
        topics.filter(|topic| topic.contains("/set")).collect::<Vec<_>>()
    };
    assert_eq!(listens(Role::Monitor(Card::One)), ["sensors/card1/set 2"]);
    assert_eq!(listens(Role::Monitor(Card::Two)), ["sensors/card2/set 2"]);
    assert_eq!(listens(Role::Display), [""; 0]);
}

#[test]
fn the_bridge_carries_no_command() {
    let text = include_str!("../mosquitto_bridge.conf");
    let topics: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("topic ")?.split_whitespace().next())
        .collect();
    assert!(topics.len() > 5);
    for topic in topics {
        assert!(!topic.contains(['#', '+']) && !topic.contains("set"), "{topic}");
    }
}

fn orders() -> impl Strategy<Value = Orders> {
    let order = prop_oneof![
        Just(None),
        Just(Some(Order::Toggle)),
        any::<bool>().prop_map(|ok| Some(Order::Set(State::from(ok)))),
    ];
    prop::collection::vec(order, 3).prop_map(|drawn| {
        let mut orders = Orders::default();
        for (sensor, order) in Card::One.sensors().into_iter().zip(drawn) {
            orders.put(sensor, order);
        }
        orders
    })
}

proptest! {
    #[test]
    fn a_command_comes_back_as_it_was(orders in orders(), id in any::<Option<u64>>(), by in prop::option::of("[ -~]{1,40}")) {
        prop_assume!(!orders.sensors().is_empty());
        let by = by.and_then(|by| Name::new(&by));
        let command = Command { id, by, orders };
        prop_assert_eq!(decode(Topic::Set(Card::One), &encode_command(&command)), Ok(Message::Command(command)));
    }

    #[test]
    fn commands_that_wait_come_to_the_same_as_one_after_the_other(many in prop::collection::vec(orders(), 0..6)) {
        let many: Vec<_> = many.into_iter().filter(|orders| !orders.sensors().is_empty()).collect();
        let mut ends = Vec::new();
        for wait in [false, true] {
            let mut owner = Owner::new(None);
            owner.connect();
            if !wait {
                owner.open_gate();
            }
            for orders in &many {
                let command = Command { id: None, by: None, orders: *orders };
                owner.hear(SET, &encode_command(&command), false);
            }
            if wait {
                owner.open_gate();
            }
            ends.push(owner.states());
        }
        prop_assert_eq!(ends[0], ends[1]);
    }
}
