//! LIVE is what an owner says it has now, and nothing else.

use std::time::Duration;

use crate::solo::{CARD1, CARD2, Solo, heartbeat, reading, report, sensor, version};
use dualboard_core::chain::Link;
use dualboard_core::global::Shown;
use dualboard_core::machine::{Event, Freshness, Role};
use dualboard_core::sensor::{Card, State};
use dualboard_core::version::RunId;
use dualboard_core::wire::{Direction, Topic, encode_last_will};

const OLD: &str = r#"{"sensor_1":true,"sensor_4":true,"versions":{"sensor_1":[2,9],"sensor_4":[2,8]}}"#;
const NEW: &str = r#"{"sensor_1":false,"sensor_4":true,"versions":{"sensor_1":[3,9],"sensor_4":[2,8]}}"#;
const WORD: &str =
    r#"{"sensor_1":true,"sensor_2":true,"sensor_3":true,"sensor_4":true,"versions":{"sensor_4":[2,8]}}"#;

fn live(solo: &Solo) -> [bool; 2] {
    Card::ALL.map(|card| solo.machine.freshness(card) == Freshness::Live)
}

/// The link that holds each card.
fn held_by(solo: &Solo) -> [Option<Link>; 2] {
    Card::ALL.map(|card| match solo.machine.freshness(card) {
        Freshness::Held { broken, .. } => Some(broken),
        Freshness::Live => None,
    })
}

/// Two seconds later a card's owner says what it has.
fn beat(solo: &mut Solo, card: Card, n: u64, plain: bool) {
    let (life, number) = if card == Card::One { (9, 1) } else { (8, 4) };
    let mut beat = heartbeat(life, solo.seconds, number, version(n, life, &[]));
    beat.other_plain = plain;
    solo.hear_beat(card, &beat);
}

/// A display to which both cards are live.
fn display() -> Solo {
    let mut display = Solo::open(Role::Display, 7, None);
    display.hear(Topic::All, OLD);
    for _ in 0..3 {
        display.pass(2);
        beat(&mut display, Card::Two, 2, false);
        beat(&mut display, Card::One, 2, false);
    }
    assert_eq!(live(&display), [true; 2]);
    display
}

#[test]
fn what_lay_under_a_plain_word_is_live_only_once_its_owner_has_said_that_it_has_it() {
    let mut display = display();
    for _ in 0..2 {
        display.pass(2);
        display.hear(Topic::All, WORD);
        beat(&mut display, Card::Two, 2, true);
        beat(&mut display, Card::One, 3, false);
    }
    assert!(live(&display)[0], "the word");
    display.hear(Topic::All, OLD);
    let shown = display.machine.shown(sensor(1)).expect("known");
    assert!(matches!(shown, Shown::Reading(_)));
    assert!(!live(&display)[0]);
}

#[test]
fn a_heartbeat_that_overtakes_the_reading_that_it_speaks_of_holds_nothing_for_three_seconds() {
    for comes in [true, false] {
        let mut display = display();
        display.pass(2);
        beat(&mut display, Card::Two, 2, false);
        beat(&mut display, Card::One, 3, false);
        assert_eq!(live(&display), [true; 2], "it may be on its way");
        if comes {
            display.hear(Topic::All, NEW);
        }
        display.pass(3);
        assert_eq!(live(&display), [comes, true]);
    }
}

#[test]
fn a_reading_that_its_owner_cannot_have_made_is_not_live_for_a_moment() {
    let mut display = Solo::open(Role::Display, 7, None);
    display.hear(Topic::All, r#"{"sensor_4":true,"versions":{"sensor_4":[0,8]}}"#);
    for _ in 0..3 {
        display.pass(2);
        beat(&mut display, Card::Two, 0, false);
    }
    assert!(live(&display)[1], "nobody has toggled it");
    display.hear(Topic::All, r#"{"sensor_4":false,"versions":{"sensor_4":[2,5]}}"#);
    assert_eq!((display.state(4), live(&display)[1]), (crate::solo::KO, false));
}

#[test]
fn what_comes_from_somebodys_memory_is_not_live_before_its_owner_has_it() {
    let mut owner = Solo::open(CARD2, 7, None);
    for _ in 0..3 {
        owner.pass(2);
        owner.hear(
            Topic::Card(Card::One),
            report(1, reading(State::Ok, version(2, 9, &[]))),
        );
        beat(&mut owner, Card::One, 2, false);
    }
    assert!(live(&owner)[0]);
    owner.hear(Topic::Witness, report(1, reading(State::Ko, version(3, 9, &[]))));
    assert_eq!((owner.state(1), live(&owner)[0]), (crate::solo::KO, false));
    owner.pass(2);
    beat(&mut owner, Card::One, 3, false);
    assert!(live(&owner)[0]);
}

#[test]
fn a_second_owner_beside_the_first_holds_nothing() {
    let mut display = display();
    for _ in 0..4 {
        display.pass(2);
        beat(&mut display, Card::Two, 2, false);
        display.hear_beat(Card::Two, &heartbeat(10, display.seconds, 4, version(1, 10, &[])));
        beat(&mut display, Card::One, 2, false);
        assert_eq!(live(&display), [true; 2]);
    }
    display.pass(4);
    assert_eq!(live(&display), [true; 2]);
}

#[test]
fn beyond_a_bridge_that_was_down_another_owner_is_listened_to_at_once() {
    let mut display = display();
    display.hear(Topic::Bridge(Direction::In), "0");
    display.hear(Topic::Bridge(Direction::In), "1");
    display.hear(Topic::Uptime(Card::One), "100 seconds");
    display.hear(Topic::All, NEW);
    let mut next = heartbeat(10, 1, 1, version(3, 9, &[]));
    for _ in 0..3 {
        display.hear_beat(Card::One, &next);
        beat(&mut display, Card::Two, 2, false);
        display.pass(2);
        next.uptime += Duration::from_secs(2);
    }
    assert_eq!(live(&display), [true; 2]);
}

#[test]
fn at_broker_1_what_card2_monitor_relays_has_crossed_the_bridge_too() {
    let mut display = display();
    display.hear(Topic::Uptime(Card::Two), "100 seconds");
    assert_eq!(live(&display), [true; 2]);
    display.hear(Topic::Bridge(Direction::Out), "0");
    assert_eq!(held_by(&display), [Some(Link::Bridge); 2]);
}

#[test]
fn at_broker_1_a_quiet_bridge_is_named_and_not_card2_monitor_behind_it() {
    let mut display = display();
    display.hear(Topic::Uptime(Card::Two), "100 seconds");
    for _ in 0..6 {
        display.pass(2);
        beat(&mut display, Card::One, 2, false);
    }
    assert_eq!(held_by(&display), [Some(Link::Quiet); 2]);
}

#[test]
fn while_card_1_is_off_a_display_asks_for_the_join_only_if_it_lacks_something_of_it() {
    for (joined, lacks) in [(2, false), (3, true)] {
        let mut display = display();
        display.hear(Topic::Alive(Card::One), encode_last_will(RunId(9)));
        let before = display.count(Topic::Witness);
        for _ in 0..5 {
            display.pass(2);
            let mut beat = heartbeat(8, display.seconds, 4, version(2, 8, &[]));
            beat.has.set(sensor(1), Some(version(joined, 9, &[])));
            display.hear_beat(Card::Two, &beat);
            display.run();
        }
        assert_eq!(display.count(Topic::Witness) > before, lacks, "{joined}");
    }
}

#[test]
fn nothing_from_beyond_a_bridge_that_is_down_is_live() {
    let mut display = display();
    display.hear(Topic::Bridge(Direction::In), "0");
    assert_eq!(live(&display), [false, true]);
    let held = display.machine.freshness(Card::One);
    assert!(matches!(
        held,
        Freshness::Held {
            broken: Link::Bridge,
            ..
        }
    ));
    display.pass(2);
    beat(&mut display, Card::One, 2, false);
    assert_eq!(live(&display), [true; 2]);
}

#[test]
fn after_a_pause_that_the_clock_did_not_count_everything_is_held_until_it_is_proved() {
    for (ahead, stays) in [(2, true), (3, false), (3_600, false)] {
        let mut display = display();
        display.pass(1);
        display.ahead += ahead;
        display.feed(Event::Tick);
        assert_eq!(live(&display), [stays; 2], "{ahead} s");
        display.pass(1);
        for _ in 0..3 {
            beat(&mut display, Card::Two, 2, false);
            beat(&mut display, Card::One, 2, false);
            display.pass(2);
        }
        assert_eq!(live(&display), [true; 2]);
        display.ahead -= 10 * ahead;
        display.feed(Event::Tick);
        assert_eq!(live(&display), [true; 2], "a clock that goes back is no pause");
    }
}

#[test]
fn an_owners_own_sensors_are_live_whatever_happens() {
    let mut owner = Solo::open(CARD1, 7, None);
    owner.ahead += 3_600;
    owner.feed(Event::Tick);
    assert_eq!(live(&owner), [true, false]);
}
