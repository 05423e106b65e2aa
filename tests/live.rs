//! LIVE is what an owner says it has now, and nothing else.

use std::time::Duration;

use dualboard::chain::Link;
use dualboard::machine::{Effect, Event, Freshness, Machine, Role, Setup};
use dualboard::reading::{Snapshot, Versions};
use dualboard::sensor::{Card, SensorId};
use dualboard::time::{Mono, Now, Wall};
use dualboard::version::{Life, Version};
use dualboard::wire::{Direction, Heartbeat, Topic, encode_heartbeat};

const CLIENT: &str = "card2_global_display-1";
const OLD: &[u8] = br#"{"sensor_1":true,"sensor_4":true,"versions":{"sensor_1":[1,1,9],"sensor_4":[1,1,8]}}"#;
const WORD: &[u8] =
    br#"{"sensor_1":true,"sensor_2":true,"sensor_3":true,"sensor_4":true,"versions":{"sensor_4":[1,1,8]}}"#;

fn at(seconds: u64) -> Now {
    Now {
        mono: Mono::from_start(Duration::from_secs(seconds)),
        wall: Wall(0),
    }
}

fn hear(display: &mut Machine, now: Now, topic: Topic, payload: Vec<u8>) {
    let message = Event::Message {
        topic: topic.name(CLIENT),
        payload,
        retained: false,
    };
    let _ = display.handle(now, message);
}

/// A display whose start gate has closed.
fn display() -> Machine {
    let mut display = Machine::new(Setup {
        role: Role::Display,
        client_id: CLIENT.to_owned(),
        life: Life(7),
        memory: Err(String::new()),
        started: at(0),
    });
    for effect in display.handle(at(0), Event::Connected) {
        if let Effect::Publish { topic, payload, .. } = effect {
            hear(&mut display, at(0), topic, payload);
        }
    }
    display
}

/// What a card's owner says: how often its sensor has been toggled.
fn beat(display: &mut Machine, now: Now, card: Card, life: u32, toggles: u64, plain: bool) {
    let mut has = Versions::default();
    let (sensor, life) = (card.sensors()[0], Life(life));
    let version = Version {
        incarnation: 1,
        sequence: toggles,
        life,
        after: 0,
    };
    has.set(sensor, Some(version));
    let heartbeat = Heartbeat {
        life,
        uptime: now.mono.since_start(),
        has,
        heard: Versions::default(),
        refused: Snapshot::default(),
        other_live: true,
        other_plain: plain,
    };
    hear(display, now, Topic::Alive(card), encode_heartbeat(&heartbeat));
}

#[test]
fn what_lay_under_a_plain_word_is_live_only_once_its_owner_has_said_that_it_has_it() {
    let mut display = display();
    for seconds in [2, 4] {
        hear(&mut display, at(seconds), Topic::All, OLD.to_vec());
        beat(&mut display, at(seconds), Card::Two, 8, 1, false);
        beat(&mut display, at(seconds), Card::One, 9, 1, false);
    }
    assert_eq!(display.freshness(Card::One), Freshness::Live);
    for seconds in [6, 8] {
        hear(&mut display, at(seconds), Topic::All, WORD.to_vec());
        beat(&mut display, at(seconds), Card::Two, 8, 1, true);
        beat(&mut display, at(seconds), Card::One, 9, 2, false);
    }
    assert_eq!(display.freshness(Card::One), Freshness::Live, "the word");
    hear(&mut display, at(9), Topic::All, OLD.to_vec());
    let shown = display.shown(SensorId::ALL[0]).expect("known");
    assert!(matches!(shown, dualboard::global::Shown::Reading(_)));
    assert_ne!(display.freshness(Card::One), Freshness::Live);
}

#[test]
fn nothing_from_beyond_a_bridge_that_is_down_is_live() {
    let mut display = display();
    let all = br#"{"sensor_1":true,"sensor_4":true,"versions":{"sensor_1":[1,1,9],"sensor_4":[1,1,8]}}"#;
    hear(&mut display, at(1), Topic::All, all.to_vec());
    for second in [1, 3, 5] {
        beat(&mut display, at(second), Card::One, 9, 1, false);
        beat(&mut display, at(second), Card::Two, 8, 1, false);
    }
    assert_eq!(
        Card::ALL.map(|card| display.freshness(card)),
        [Freshness::Live; 2]
    );
    hear(&mut display, at(6), Topic::Bridge(Direction::In), b"0".to_vec());
    assert!(matches!(
        display.freshness(Card::One),
        Freshness::Held {
            broken: Link::Bridge,
            ..
        }
    ));
    assert_eq!(display.freshness(Card::Two), Freshness::Live);
    beat(&mut display, at(7), Card::One, 9, 1, false);
    assert_eq!(display.freshness(Card::One), Freshness::Live);
}
