//! The start gate: nothing is published before the marker has come back, and what came before it is the memory.

use std::time::Duration;

use dualboard::machine::{Effect, Event, Machine, Role, Setup};
use dualboard::sensor::{Card, SensorId, State};
use dualboard::stage::Stage;
use dualboard::time::{Mono, Now, Wall};
use dualboard::version::Life;
use dualboard::wire::Topic;

const NOW: Now = Now {
    mono: Mono::from_start(Duration::from_secs(5)),
    wall: Wall(0),
};

fn started(role: Role) -> Machine {
    Machine::new(Setup {
        role,
        client_id: "me".to_owned(),
        life: Life(77),
        memory: Err("no state file".to_owned()),
        started: NOW,
    })
}

fn message(topic: &str, payload: &[u8], retained: bool) -> Event {
    Event::Message {
        topic: topic.to_owned(),
        payload: payload.to_vec(),
        retained,
    }
}

/// The topics published, and the payload of the marker.
fn published(effects: &[Effect]) -> (Vec<Topic>, Option<Vec<u8>>) {
    let sent = effects.iter().filter_map(|effect| match effect {
        Effect::Publish { topic, payload, .. } => Some((*topic, payload.clone())),
        _ => None,
    });
    let (topics, payloads): (Vec<_>, Vec<_>) = sent.unzip();
    let marker = topics.iter().position(|topic| *topic == Topic::Marker);
    let nonce = marker.map(|place| payloads[place].clone());
    (topics, nonce)
}

fn sensor(number: u8) -> SensorId {
    SensorId::new(number).expect("1 to 6")
}

fn state(machine: &Machine, number: u8) -> Option<State> {
    machine.shown(sensor(number)).map(|shown| shown.state())
}

#[test]
fn nothing_but_the_marker_is_published_before_it_comes_back() {
    let mut machine = started(Role::Monitor(Card::One));
    let (topics, nonce) = published(&machine.handle(NOW, Event::Connected));
    assert_eq!(topics, [Topic::Marker]);
    let toggled = machine.handle(NOW, Event::Toggle(sensor(1)));
    assert_eq!(published(&toggled).0, []);
    let others = machine.handle(NOW, message("sensors/marker/me", b"1", false));
    assert_eq!(published(&others).0, [], "another marker opens nothing");
    let back = machine.handle(
        NOW,
        message("sensors/marker/me", &nonce.expect("a marker"), false),
    );
    assert!(!machine.is_restored() || !published(&back).0.is_empty() || !machine.is_settled());
    assert!(machine.is_restored());
}

#[test]
fn the_highest_version_before_the_marker_is_restored() {
    let mut machine = started(Role::Monitor(Card::One));
    let nonce = published(&machine.handle(NOW, Event::Connected))
        .1
        .expect("a marker");
    let _ = machine.handle(
        NOW,
        message(
            "sensors/card1",
            br#"{"sensor_1":false,"versions":{"sensor_1":[3,2,1]}}"#,
            true,
        ),
    );
    let _ = machine.handle(
        NOW,
        message(
            "sensors/all",
            br#"{"sensor_1":true,"versions":{"sensor_1":[3,1,1]}}"#,
            true,
        ),
    );
    let _ = machine.handle(NOW, message("sensors/marker/me", &nonce, false));
    assert_eq!(state(&machine, 1), Some(State::Ko));
    assert_eq!(
        state(&machine, 2),
        Some(State::Ok),
        "the initial state, since nothing was found"
    );
}

#[test]
fn a_plain_word_is_restored_only_where_no_version_is_known() {
    let mut machine = started(Role::Monitor(Card::One));
    let nonce = published(&machine.handle(NOW, Event::Connected))
        .1
        .expect("a marker");
    let _ = machine.handle(
        NOW,
        message(
            "sensors/card1",
            br#"{"sensor_1":false,"sensor_2":false,"sensor_3":true}"#,
            true,
        ),
    );
    let _ = machine.handle(
        NOW,
        message(
            "sensors/all",
            br#"{"sensor_1":true,"versions":{"sensor_1":[3,1,1]}}"#,
            true,
        ),
    );
    let _ = machine.handle(NOW, message("sensors/marker/me", &nonce, false));
    assert_eq!(state(&machine, 1), Some(State::Ok));
    assert_eq!(state(&machine, 2), Some(State::Ko));
}

#[test]
fn a_display_shows_unknown_until_somebody_said_something_and_publishes_only_the_marker() {
    let mut machine = started(Role::Display);
    let (topics, nonce) = published(&machine.handle(NOW, Event::Connected));
    assert_eq!(topics, [Topic::Marker]);
    let effects = machine.handle(
        NOW,
        message("sensors/marker/me", &nonce.expect("a marker"), false),
    );
    assert_eq!(effects, []);
    assert_eq!(state(&machine, 1), None);
    let _ = machine.handle(NOW, message("sensors/all", br#"{"sensor_1":false}"#, false));
    assert_eq!(
        state(&machine, 1),
        Some(State::Ko),
        "a plain word that arrives live"
    );
}

#[test]
fn a_display_that_is_restored_has_nothing_to_wait_for_at_its_end() {
    let mut machine = started(Role::Display);
    let (_, nonce) = published(&machine.handle(NOW, Event::Connected));
    assert!(!machine.is_settled(), "the marker is on its way");
    let back = message("sensors/marker/me", &nonce.expect("a marker"), false);
    let _ = machine.handle(NOW, back);
    assert!(machine.is_settled());
}

#[test]
fn what_lay_at_the_own_broker_does_not_confirm_what_the_other_board_has_now() {
    let copy = br#"{"sensor_4":false,"versions":{"sensor_4":[3,2,131074]}}"#;
    let mut machine = started(Role::Monitor(Card::Two));
    let (_, nonce) = published(&machine.handle(NOW, Event::Connected));
    for topic in ["sensors/all", "sensors/board1/all"] {
        let _ = machine.handle(NOW, message(topic, copy, true));
    }
    let back = message("sensors/marker/me", &nonce.expect("a marker"), false);
    let mut events = vec![back];
    while let Some(event) = events.pop() {
        for effect in machine.handle(NOW, event) {
            match effect {
                Effect::Publish { ticket, .. } => events.push(Event::Delivered(ticket)),
                Effect::Save(_) => events.push(Event::Saved),
                Effect::StopForTwin | Effect::StopTakenOver => panic!("no twin here"),
            }
        }
    }
    assert_eq!(machine.stage(sensor(4)), Some(Stage::Saved));
    let has = br#"{"alive":true,"life":7,"uptime_ms":1,"has":{"sensor_4":[3,2,131074]}}"#;
    let _ = machine.handle(NOW, message("sensors/card1/alive", has, false));
    assert_eq!(machine.stage(sensor(4)), Some(Stage::Confirmed));
}
