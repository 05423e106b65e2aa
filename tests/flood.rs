//! Who floods a topic gets no flood in answer.

use std::time::Duration;

use dualboard::machine::{Effect, Event, Machine, Role, Setup};
use dualboard::reading::{Snapshot, Versions};
use dualboard::sensor::{Card, SensorId};
use dualboard::time::{Mono, Now, Wall};
use dualboard::version::{Life, Version};
use dualboard::wire::{Heartbeat, Topic, encode_heartbeat};

const GOOD: &[u8] = br#"{"sensor_4":true,"versions":{"sensor_4":[1,1,8]}}"#;

fn at(seconds: u64) -> Now {
    Now {
        mono: Mono::from_start(Duration::from_secs(seconds)),
        wall: Wall(0),
    }
}

/// Gives how many heartbeats follow.
fn handle(owner: &mut Machine, now: Now, event: Event) -> usize {
    let effects = owner.handle(now, event);
    effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Publish { topic, .. } if *topic == Topic::Alive(Card::One)))
        .count()
}

fn hear(owner: &mut Machine, now: Now, topic: Topic, payload: &[u8]) -> usize {
    let message = Event::Message {
        topic: topic.name("me"),
        payload: payload.to_vec(),
        retained: false,
    };
    handle(owner, now, message)
}

/// Card 2's owner is alive.
fn beat(owner: &mut Machine, now: Now) {
    let mut has = Versions::default();
    let version = Version {
        incarnation: 1,
        sequence: 1,
        life: Life(8),
        after: 0,
    };
    has.set(SensorId::new(4).expect("1 to 6"), Some(version));
    let heartbeat = Heartbeat {
        life: Life(8),
        uptime: now.mono.since_start(),
        has,
        heard: Versions::default(),
        refused: Snapshot::default(),
        other_live: true,
        other_plain: false,
    };
    hear(owner, now, Topic::Alive(Card::Two), &encode_heartbeat(&heartbeat));
}

/// Card 1's owner, which has heard card 2's just now.
fn owner() -> Machine {
    let mut owner = Machine::new(Setup {
        role: Role::Monitor(Card::One),
        client_id: "me".to_owned(),
        life: Life(7),
        memory: Err(String::new()),
        started: at(0),
    });
    for effect in owner.handle(at(0), Event::Connected) {
        if let Effect::Publish { topic, payload, .. } = effect {
            hear(&mut owner, at(0), topic, &payload);
        }
    }
    for seconds in [1, 3, 5] {
        beat(&mut owner, at(seconds));
        hear(&mut owner, at(seconds), Topic::All, GOOD);
        handle(&mut owner, at(seconds), Event::Tick);
    }
    owner
}

#[test]
fn what_lies_in_place_of_a_report_is_told_its_owner_once_at_once_and_then_with_each_heartbeat() {
    for bad in [&b"PWNED"[..], br#"{"sensor_1":true,"sensor_4":false}"#] {
        let mut owner = owner();
        assert_eq!(hear(&mut owner, at(5), Topic::All, bad), 1, "at once");
        let more: usize = (0..100).map(|_| hear(&mut owner, at(5), Topic::All, bad)).sum();
        assert_eq!(more, 0, "no more of them");
        assert_eq!(handle(&mut owner, at(8), Event::Tick), 1, "the next heartbeat");
        hear(&mut owner, at(9), Topic::All, GOOD);
        assert_eq!(
            hear(&mut owner, at(9), Topic::All, bad),
            1,
            "what is new is told again"
        );
    }
}
