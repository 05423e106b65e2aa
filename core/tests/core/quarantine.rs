//! Old copies that turn up after an owner has lost its memory: nobody takes them for news before their owner
//! does, and nobody drops them.

use crate::solo::{CARD1, CARD2, KO, OK, Solo, dot, heartbeat, reading, report, sensor, version};
use dualboard_core::machine::Role;
use dualboard_core::reading::Reading;
use dualboard_core::sensor::{Card, State};
use dualboard_core::version::Era;
use dualboard_core::wire::Topic;

/// In the era 20, whose owner did not know of the other one.
fn shown() -> Reading {
    reading(State::Ok, version(2, 20, &[]))
}

/// In the era 10.
fn old() -> Reading {
    reading(State::Ko, version(70, 10, &[]))
}

/// Where these hear of card 1.
const HEARERS: [(Role, Topic); 2] = [(CARD2, Topic::Card(Card::One)), (Role::Display, Topic::All)];

/// A program that shows the one, and then hears the other.
fn hearer(role: Role, topic: Topic) -> Solo {
    let mut hearer = Solo::open(role, 9, None);
    hearer.hear(topic, report(1, shown()));
    hearer.hear(topic, report(1, old()));
    hearer
}

/// Card 1's owner says what it has.
fn says(hearer: &mut Solo, life: u32, has: Reading) {
    let beat = heartbeat(life, hearer.seconds, 1, has.version);
    hearer.hear_beat(Card::One, &beat);
}

#[test]
fn a_reading_that_the_versions_do_not_order_is_not_taken() {
    for (role, topic) in HEARERS {
        let mut hearer = hearer(role, topic);
        hearer.pass(30);
        assert_eq!(hearer.state(1), OK, "{role:?}");
    }
}

#[test]
fn its_owner_is_told_of_it_and_to_say_again_what_it_has() {
    let mut hearer = hearer(CARD2, Topic::Card(Card::One));
    hearer.pass(1);
    let said = hearer.last_beat().expect("soon");
    let kept = said.quarantined.get(sensor(1)).expect("told");
    assert_eq!((kept.state, kept.version), (State::Ko, old().version));
    assert_eq!(said.heard.get(sensor(1)), None);
    assert_eq!(said.has.get(sensor(1)), Some(shown().version));
}

#[test]
fn it_is_taken_once_its_owner_has_it_or_is_in_its_era() {
    for (role, topic) in HEARERS {
        let mut hearer = hearer(role, topic);
        says(&mut hearer, 4, old());
        assert_eq!(hearer.state(1), KO, "{role:?}");
        let mut hearer = Solo::open(role, 9, None);
        hearer.hear(topic, report(1, shown()));
        says(&mut hearer, 4, old());
        hearer.hear(topic, report(1, old()));
        assert_eq!(hearer.state(1), KO, "{role:?}: it was said before");
    }
}

#[test]
fn while_its_owner_is_in_the_era_that_is_shown_it_is_not_taken() {
    for (role, topic) in HEARERS {
        let mut hearer = hearer(role, topic);
        says(&mut hearer, 4, shown());
        hearer.hear(topic, report(1, old()));
        assert_eq!(hearer.state(1), OK, "{role:?}");
    }
}

#[test]
fn what_has_met_the_others_era_is_not_given_up_for_a_copy_that_its_owner_has_found() {
    let met = reading(State::Ok, version(6, 30, &[(0, 10)]));
    for (role, topic) in HEARERS {
        let mut hearer = Solo::open(role, 9, None);
        hearer.hear(topic, report(1, met));
        for _ in 0..2 {
            let mut beat = heartbeat(4, hearer.seconds, 1, old().version);
            beat.era = Era(40);
            hearer.hear_beat(Card::One, &beat);
            hearer.hear(topic, report(1, old()));
            assert_eq!(
                hearer.state(1),
                OK,
                "{role:?}: its owner, too, takes it when it hears it"
            );
        }
    }
}

#[test]
fn what_an_owner_said_long_ago_vouches_for_nothing() {
    for (role, topic) in HEARERS {
        let mut hearer = Solo::open(role, 9, None);
        says(&mut hearer, 4, old());
        hearer.pass(30);
        hearer.hear(topic, report(1, shown()));
        hearer.hear(topic, report(1, old()));
        assert_eq!(hearer.state(1), OK, "{role:?}");
    }
}

#[test]
fn what_has_seen_what_is_shown_needs_nobody_to_vouch_for_it() {
    for (role, topic) in HEARERS {
        let mut hearer = hearer(role, topic);
        let later = reading(State::Ko, version(70, 10, &[(2, 20)]));
        hearer.hear(topic, report(1, later));
        assert_eq!(hearer.reading(1), Some(later), "{role:?}");
    }
}

/// What is shown, once its owner has decided that it comes after the old one.
fn decided() -> Reading {
    reading(State::Ok, version(2, 20, &[(70, 10)]))
}

#[test]
fn what_its_owner_has_decided_counts_also_where_the_reading_is_known() {
    for (role, topic) in HEARERS {
        let mut hearer = hearer(role, topic);
        hearer.hear(topic, report(1, decided()));
        assert_eq!(hearer.reading(1), Some(decided()), "{role:?}");
        says(&mut hearer, 4, old());
        assert_eq!(
            hearer.state(1),
            OK,
            "{role:?}: an owner in the other era has yet to hear it"
        );
    }
}

#[test]
fn what_its_owner_has_is_held_against_others_with_all_that_it_has_seen_by_now() {
    for (role, topic) in HEARERS {
        for [first, second] in [[shown(), old()], [old(), shown()]] {
            let mut hearer = Solo::open(role, 9, None);
            hearer.hear(topic, report(1, first));
            hearer.hear(topic, report(1, second));
            let mut beat = heartbeat(4, hearer.seconds, 1, decided().version);
            beat.era = old().version.era();
            hearer.hear_beat(Card::One, &beat);
            assert_eq!(hearer.state(1), OK, "{role:?}, after {first:?}");
        }
    }
}

#[test]
fn an_owner_takes_what_it_is_told_of_where_nobody_has_toggled_since() {
    for toggles in [false, true] {
        let mut owner = Solo::open(CARD1, 9, None);
        if toggles {
            owner.toggle(1);
            owner.toggle(1);
        }
        let mut beat = heartbeat(8, 1, 4, version(2, 8, &[]));
        beat.quarantined.set(sensor(1), old());
        owner.hear_beat(Card::Two, &beat);
        assert_eq!(owner.state(1), if toggles { OK } else { KO });
        owner.toggle(1);
        let next = owner.reading(1).expect("known").version;
        assert!(next.covers(dot(70, 10)), "the next toggle is later for everybody");
    }
}

#[test]
fn what_gave_way_without_its_owner_is_shown_again_once_its_owner_has_it() {
    let beside = reading(State::Ko, version(6, 30, &[(1, 20)]));
    for (role, topic) in HEARERS {
        for kept_before in [false, true] {
            let mut hearer = Solo::open(role, 9, None);
            hearer.hear(topic, report(1, shown()));
            if kept_before {
                says(&mut hearer, 4, shown());
                hearer.hear(topic, report(1, beside));
                assert_eq!(hearer.state(1), OK, "{role:?}: its owner speaks");
                hearer.pass(30);
            }
            hearer.hear(topic, report(1, beside));
            assert_eq!(hearer.state(1), KO, "{role:?}: it has met the era of the other");
            says(&mut hearer, 4, shown());
            assert_eq!(hearer.state(1), OK, "{role:?}, kept before: {kept_before}");
        }
    }
}
