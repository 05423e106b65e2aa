//! What lies at the other board's broker is this owner's report, whatever a full queue has dropped on the way there.

use std::time::Duration;

use dualboard::machine::{Effect, Event, Machine, Role, Setup};
use dualboard::sensor::Card;
use dualboard::time::{Mono, Now, Wall};
use dualboard::version::Life;
use dualboard::wire::{Direction, Topic};

const CLIENT: &str = "card1_monitor";

fn at(seconds: u64) -> Now {
    Now {
        mono: Mono::from_start(Duration::from_secs(seconds)),
        wall: Wall(0),
    }
}

/// Gives how often card 1's report goes out. All that is published arrives at the broker, and comes back.
fn handle(machine: &mut Machine, now: Now, event: Event) -> usize {
    let mut reports = 0;
    for effect in machine.handle(now, event) {
        match effect {
            Effect::Publish {
                ticket,
                topic,
                payload,
            } => {
                reports += usize::from(topic == Topic::Card1);
                reports += handle(machine, now, Event::Delivered(ticket));
                reports += hear(machine, now, topic, &payload);
            }
            Effect::Save(_) => reports += handle(machine, now, Event::Saved),
            Effect::StopForTwin | Effect::StopTakenOver => panic!("no twin here"),
        }
    }
    reports
}

fn hear(machine: &mut Machine, now: Now, topic: Topic, payload: &[u8]) -> usize {
    let message = Event::Message {
        topic: topic.name(CLIENT),
        payload: payload.to_vec(),
        retained: false,
    };
    handle(machine, now, message)
}

/// Card 1's owner, restored, that has said what it has to say.
fn owner() -> Machine {
    let mut owner = Machine::new(Setup {
        role: Role::Monitor(Card::One),
        client_id: CLIENT.to_owned(),
        life: Life(7),
        memory: Err(String::new()),
        started: at(0),
    });
    handle(&mut owner, at(0), Event::Connected);
    assert_eq!(wait(&mut owner, 1..20), 0);
    owner
}

fn wait(owner: &mut Machine, seconds: std::ops::Range<u64>) -> usize {
    seconds.map(|second| handle(owner, at(second), Event::Tick)).sum()
}

#[test]
fn when_the_bridge_has_come_up_the_report_goes_out_again_after_the_queues() {
    let mut owner = owner();
    let bridge = Topic::Bridge(Direction::In);
    assert_eq!(hear(&mut owner, at(20), bridge, b"1"), 1, "at once");
    assert_eq!(wait(&mut owner, 21..28), 1, "once more");
    assert_eq!(wait(&mut owner, 28..60), 0);
}

#[test]
fn what_was_put_in_the_reports_place_is_replaced_again_after_the_queues() {
    for other in [&b"\xff"[..], br#"{"sensor_1":false}"#] {
        let mut owner = owner();
        assert!(hear(&mut owner, at(21), Topic::Card1, other) > 0, "at once");
        assert_eq!(wait(&mut owner, 22..30), 1, "once more");
        assert_eq!(wait(&mut owner, 30..60), 0);
    }
}

#[test]
fn when_the_other_board_holds_another_report_it_goes_out_again() {
    for other in [
        &br#"{"sensor_1":false,"sensor_2":true,"sensor_3":true}"#[..],
        br#"{"sensor_1":true}"#,
    ] {
        let mut owner = owner();
        assert_eq!(hear(&mut owner, at(20), Topic::Board2Card1, other), 1, "at once");
        assert_eq!(wait(&mut owner, 21..28), 1, "once more");
        assert_eq!(wait(&mut owner, 28..60), 0);
    }
}

#[test]
fn what_cannot_be_read_at_the_other_board_is_replaced() {
    let mut owner = owner();
    for (second, payload) in [(20, &b"hello"[..]), (30, b"")] {
        let reports = hear(&mut owner, at(second), Topic::Board2Card1, payload);
        assert_eq!(reports, 1, "at once");
        assert_eq!(wait(&mut owner, second + 1..second + 8), 1, "once more");
    }
}

#[test]
fn what_another_owner_may_have_left_in_a_queue_is_replaced() {
    let mut owner = owner();
    let claim = br#"{"life":99,"turn":3,"over":[7],"takes_over":false}"#;
    assert_eq!(
        hear(&mut owner, at(20), Topic::Claim(Card::One), claim),
        1,
        "at once"
    );
    assert_eq!(wait(&mut owner, 21..30), 1, "once more");
    assert_eq!(wait(&mut owner, 30..60), 0);
}

#[test]
fn at_the_other_boards_broker_an_owner_ends_for_one_that_cannot_hear_it() {
    let mut owner = owner();
    let mut ended = false;
    for second in (20..40).step_by(2) {
        // Started later than this one, and heard across the bridge.
        let uptime = (second - 20) * 1_000 + 1_000;
        let beat = format!(r#"{{"alive":true,"life":99,"uptime_ms":{uptime},"has":{{}},"heard":{{}}}}"#);
        let message = Event::Message {
            topic: Topic::Alive(Card::One).name(CLIENT),
            payload: beat.into_bytes(),
            retained: false,
        };
        ended |= owner
            .handle(at(second), message)
            .iter()
            .any(|effect| matches!(effect, Effect::StopForTwin));
        assert!(
            !ended || second >= 30,
            "one that hears this one ends by itself before that"
        );
    }
    assert!(ended);
}
