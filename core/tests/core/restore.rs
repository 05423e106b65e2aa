//! The restore: nothing is published before the marker has come back, and what came before it is the memory.

use crate::solo::{CARD1, CARD2, KO, OK, Solo, heartbeat, reading, report, version};
use dualboard_core::machine::{Event, Role};
use dualboard_core::sensor::{Card, State};
use dualboard_core::stage::Stage;
use dualboard_core::wire::Topic;

/// Connected, and the marker is on its way.
fn connected(role: Role) -> Solo {
    let mut solo = Solo::new(role, 77, None);
    solo.feed(Event::Connected);
    solo
}

#[test]
fn nothing_but_the_marker_is_published_before_it_comes_back() {
    for (role, toggled) in [(CARD1, 1), (CARD2, 4), (Role::Display, 1)] {
        let mut solo = connected(role);
        solo.toggle(toggled);
        assert_eq!(solo.state(toggled).is_some(), role != Role::Display);
        solo.hear(Topic::Marker, "1");
        assert_eq!(solo.said.len(), 1, "another marker ends nothing");
        assert!(!solo.machine.is_restored() && !solo.machine.is_settled());
        assert_eq!(solo.count(Topic::Marker), 1);
        solo.restore();
        assert!(solo.machine.is_restored());
        let publishes = role != Role::Display;
        assert_eq!(solo.said.len() > 1, publishes);
        solo.run();
        assert!(solo.machine.is_settled());
    }
}

#[test]
fn the_latest_version_before_the_marker_is_restored() {
    let mut owner = connected(CARD1);
    owner.find(
        Topic::Card(Card::One),
        report(1, reading(State::Ko, version(3, 1, &[]))),
    );
    owner.find(Topic::All, report(1, reading(State::Ok, version(2, 1, &[]))));
    owner.restore();
    assert_eq!(owner.state(1), KO);
    assert_eq!(owner.state(2), OK, "the initial state, since nothing was found");
}

#[test]
fn a_plain_word_is_restored_only_where_no_version_is_known() {
    let mut owner = connected(CARD1);
    owner.find(
        Topic::Card(Card::One),
        r#"{"sensor_1":false,"sensor_2":false,"sensor_3":true}"#,
    );
    owner.find(Topic::All, report(1, reading(State::Ok, version(3, 1, &[]))));
    owner.restore();
    assert_eq!([owner.state(1), owner.state(2)], [OK, KO]);
}

#[test]
fn a_display_shows_unknown_until_somebody_has_said_something() {
    let mut display = connected(Role::Display);
    display.restore();
    assert_eq!(display.state(1), None);
    display.hear(Topic::All, r#"{"sensor_1":false}"#);
    assert_eq!(display.state(1), KO, "a plain word that arrives live");
}

#[test]
fn what_lies_at_a_broker_confirms_nothing_and_the_other_owners_heartbeat_does_for_both_cards_alike() {
    for (role, own, number) in [(CARD1, Card::One, 1), (CARD2, Card::Two, 4)] {
        let known = version(3, 5, &[]);
        let mut owner = connected(role);
        for topic in [Topic::Card(own), Topic::All, Topic::ReadBack(own)] {
            owner.find(topic, report(number, reading(State::Ko, known)));
        }
        owner.restore();
        owner.run();
        assert_eq!(owner.stage(number), Some(Stage::Saved));
        let has = owner.reading(number).expect("restored").version;
        for (beat, stage) in [(version(2, 5, &[]), Stage::Saved), (has, Stage::Confirmed)] {
            owner.hear_beat(own.other(), &heartbeat(8, 1, number, beat));
            assert_eq!(owner.stage(number), Some(stage));
        }
        owner.toggle(number);
        owner.run();
        assert_eq!(owner.stage(number), Some(Stage::Saved), "that was another toggle");
    }
}
