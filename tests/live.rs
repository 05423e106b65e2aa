//! LIVE is what an owner says it has now, and nothing else.

#[path = "support/solo.rs"]
mod solo;

use dualboard::chain::Link;
use dualboard::global::Shown;
use dualboard::machine::{Event, Freshness, Role};
use dualboard::sensor::Card;
use dualboard::wire::{Direction, Topic};
use solo::{CARD1, Solo, heartbeat, sensor, version};

const OLD: &str = r#"{"sensor_1":true,"sensor_4":true,"versions":{"sensor_1":[2,9],"sensor_4":[2,8]}}"#;
const WORD: &str =
    r#"{"sensor_1":true,"sensor_2":true,"sensor_3":true,"sensor_4":true,"versions":{"sensor_4":[2,8]}}"#;

fn live(solo: &Solo) -> [bool; 2] {
    Card::ALL.map(|card| solo.machine.freshness(card) == Freshness::Live)
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
