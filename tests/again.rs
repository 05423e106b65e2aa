//! The own report goes out again on every sign that somebody may not have it.

#[path = "support/solo.rs"]
mod solo;

use dualboard::sensor::Card;
use dualboard::wire::{Direction, Topic};
use solo::{CARD1, CARD2, Solo, heartbeat, version};

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
