//! The own report goes out again on every sign that somebody may not have it.

use std::time::Duration;

use crate::solo::{CARD1, CARD2, Solo, heartbeat, version};
use dualboard_core::machine::Event;
use dualboard_core::sensor::Card;
use dualboard_core::wire::{Direction, Topic};

/// An owner that has said all that it has to say.
fn quiet(own: Card) -> Solo {
    let role = if own == Card::One { CARD1 } else { CARD2 };
    let mut owner = Solo::open(role, 77, None);
    owner.toggle(own.sensors()[0].number());
    for _ in 0..20 {
        owner.run();
        owner.pass(1);
    }
    owner
}

/// How often the report on this topic goes out because of a message, with all that follows within so many
/// seconds.
fn again(owner: &mut Solo, on: Topic, topic: Topic, payload: &[u8], seconds: u64) -> usize {
    let before = owner.count(on);
    owner.hear(topic, payload);
    for _ in 0..seconds {
        owner.run();
        owner.pass(1);
    }
    owner.run();
    owner.count(on) - before
}

#[test]
fn what_may_not_have_arrived_is_published_again_and_not_for_ever() {
    for own in Card::ALL {
        let number = own.sensors()[0].number();
        let word = format!(r#"{{"sensor_{number}":true}}"#);
        for (topic, payload) in [
            (Topic::Bridge(Direction::In), "1"),
            (Topic::Bridge(Direction::Out), "1"),
            (Topic::ReadBack(own), "hello"),
            (Topic::ReadBack(own), ""),
            (Topic::Card(own), &word),
            (Topic::Card(own), "\u{1}"),
        ] {
            let mut owner = quiet(own);
            assert_eq!(
                again(&mut owner, Topic::Card(own), topic, payload.as_bytes(), 0),
                1,
                "{topic:?}"
            );
            let more =
                [20, 20].map(|seconds| again(&mut owner, Topic::Card(own), Topic::Marker, b"1", seconds));
            assert!(
                more[0] <= 1 && more[1] == 0,
                "{topic:?} {payload}: the good one is there"
            );
        }
    }
}

#[test]
fn what_the_other_owner_has_not_heard_is_published_again_until_it_has() {
    for own in Card::ALL {
        let mut owner = quiet(own);
        let mut beat = heartbeat(8, 1, own.other().sensors()[0].number(), version(2, 3, &[]));
        for _ in 0..3 {
            let before = owner.count(Topic::Card(own));
            owner.hear_beat(own.other(), &beat);
            assert_eq!(owner.count(Topic::Card(own)), before + 1);
            owner.run();
            owner.pass(2);
            owner.run();
        }
        for sensor in own.sensors() {
            let has = owner.reading(sensor.number()).expect("known").version;
            beat.heard.set(sensor, Some(has));
        }
        let before = owner.count(Topic::Card(own));
        owner.hear_beat(own.other(), &beat);
        assert_eq!(owner.count(Topic::Card(own)), before);
    }
}

#[test]
fn a_join_that_is_behind_is_published_again_by_card_2() {
    for (topic, payload) in [
        (Topic::All, "hello"),
        (Topic::All, r#"{"sensor_1":true,"sensor_4":true}"#),
    ] {
        let mut owner = quiet(Card::Two);
        assert!(
            again(&mut owner, Topic::All, topic, payload.as_bytes(), 4) > 0,
            "{payload}"
        );
    }
}

#[test]
fn on_every_connect_both_reports_go_out_again_though_nothing_says_that_they_are_missing() {
    let mut owner = quiet(Card::Two);
    let topics = [Topic::Card(Card::Two), Topic::All];
    let before = topics.map(|topic| owner.count(topic));
    owner.feed(Event::Disconnected {
        why: "cut".to_owned(),
        retry_in: Duration::ZERO,
    });
    owner.feed(Event::Connected);
    owner.restore();
    assert_eq!(
        topics.map(|topic| owner.count(topic)),
        before.map(|count| count + 1)
    );
}

#[test]
fn what_the_broker_refuses_is_offered_again_with_the_next_heartbeat_and_not_before() {
    let mut owner = quiet(Card::One);
    let topic = Topic::Card(Card::One);
    owner.toggle(1);
    let before = owner.count(topic);
    let ticket = owner.in_flight(topic);
    owner.feed(Event::Undelivered(ticket));
    owner.feed(Event::Tick);
    assert_eq!(owner.count(topic), before);
    owner.pass(3);
    assert_eq!(owner.count(topic), before + 1);
}

#[test]
fn what_is_under_way_is_not_said_again_for_one_that_cannot_have_heard_it_yet() {
    let mut owner = quiet(Card::One);
    let topic = Topic::Card(Card::One);
    owner.toggle(1);
    let before = owner.count(topic);
    owner.hear_beat(Card::Two, &heartbeat(8, 1, 4, version(2, 3, &[])));
    owner.run();
    assert_eq!(owner.count(topic), before);
}

#[test]
fn a_plain_join_with_an_own_sensor_in_another_state_is_answered_with_each_heartbeat_until_it_is_right() {
    let mut owner = quiet(Card::One);
    let wrong = r#"{"sensor_1":true,"sensor_2":true,"sensor_3":true,"sensor_4":true}"#;
    let right = r#"{"sensor_1":false,"sensor_2":true,"sensor_3":true,"sensor_4":true}"#;
    let topic = Topic::Card(Card::One);
    for _ in 0..3 {
        let more = again(&mut owner, topic, Topic::All, wrong.as_bytes(), 4);
        assert_eq!(more, 1);
    }
    assert_eq!(again(&mut owner, topic, Topic::All, right.as_bytes(), 20), 0);
}

#[test]
fn a_heartbeat_that_is_told_at_once_says_nothing_of_a_join_that_may_be_on_its_way() {
    let mut owner = quiet(Card::One);
    for (n, regular) in [(3, false), (4, true)] {
        owner.pass(if regular { 2 } else { 1 });
        if !regular {
            owner.run();
            owner.hear(
                Topic::Card(Card::Two),
                format!(r#"{{"sensor_4":true,"versions":{{"sensor_4":[{n},8]}}}}"#),
            );
        }
        let said = owner.last_beat().expect("many");
        assert_eq!(said.joined.is_some(), regular);
    }
}
