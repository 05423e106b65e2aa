//! What a broker keeps from a program though the connection is up is told within seconds.

use std::time::Duration;

use crate::solo::{CARD1, CARD2, Solo, dot, heartbeat, reading, report, sensor, version};
use dualboard_core::event_log::Fact;
use dualboard_core::lack::Lack;
use dualboard_core::machine::{Event, Role};
use dualboard_core::sensor::{Card, PerSensor, State};
use dualboard_core::wire::{Topic, encode_heartbeat};

#[test]
fn a_marker_that_does_not_come_back_is_told_after_5_s_and_no_more_once_it_is_back() {
    for role in [CARD1, CARD2, Role::Display] {
        let mut program = Solo::new(role, 7, None);
        program.feed(Event::Connected);
        program.pass(4);
        assert_eq!(program.machine.lack(), None);
        program.pass(1);
        let topic = Topic::Marker.name(program.machine.marker());
        assert_eq!(program.machine.lack(), Some(&Lack::Marker(topic)));
        program.restore();
        assert_eq!(program.machine.lack(), None);
    }
}

#[test]
fn heartbeats_that_do_not_come_back_are_told_after_10_s() {
    let mut owner = Solo::open(CARD1, 7, None);
    for _ in 0..10 {
        owner.pass(1);
        owner
            .flying
            .retain(|(_, topic, _)| *topic != Topic::Alive(Card::One));
        owner.run();
    }
    assert_eq!(
        owner.machine.lack(),
        Some(&Lack::Heartbeats("sensors/card1/alive".to_owned()))
    );
    owner.pass(2);
    owner.run();
    assert_eq!(owner.machine.lack(), None);
}

#[test]
fn what_the_broker_refuses_is_told_until_it_has_refused_nothing_for_10_s() {
    for program in [CARD1, Role::Display] {
        let mut program = Solo::open(program, 7, None);
        let lack = Lack::Publishing {
            topic: "sensors/witness".to_owned(),
            why: "not authorised".to_owned(),
        };
        for seconds in [9, 10] {
            program.feed(Event::Refused {
                topic: "sensors/witness".to_owned(),
                why: "not authorised".to_owned(),
                // A display takes that as settled; an owner needs all that it says.
                is_forbidden: program.machine.role() != Role::Display,
            });
            for _ in 0..seconds {
                assert_eq!(program.machine.lack(), Some(&lack));
                program.pass(1);
                program.run();
            }
        }
        assert_eq!(program.machine.lack(), None);
    }
}

#[test]
fn the_marker_of_a_program_with_a_user_name_is_below_that_name_and_nobody_elses_counts() {
    let mut program = Solo::of_user(Role::Display, 7, "viewer-wall");
    let id = program.machine.client_id().to_owned();
    let own = Topic::Marker.name(program.machine.marker());
    assert_eq!(own, format!("sensors/marker/viewer-wall/{id}"));
    assert!(program.machine.subscriptions().contains(&(own.clone(), 2)));
    assert_eq!(Topic::parse(&own, program.machine.marker()), Some(Topic::Marker));
    for other in [
        format!("sensors/marker/{id}"),
        format!("sensors/marker/other/{id}"),
    ] {
        assert_eq!(Topic::parse(&other, program.machine.marker()), None, "{other}");
    }
    program.feed(Event::Connected);
    program.restore();
    assert!(program.machine.is_restored());
}

/// The broker takes nothing from this program on a topic.
fn forbid(program: &mut Solo, topic: Topic) {
    program.feed(Event::Refused {
        topic: topic.name(""),
        why: "not authorised".to_owned(),
        is_forbidden: true,
    });
}

/// How often it is said that a topic is forbidden.
fn said(program: &Solo) -> usize {
    let facts = program.machine.event_log().newest_first();
    facts
        .filter(|entry| matches!(entry.fact, Fact::MayNotPublish(_)))
        .map(|entry| entry.times as usize)
        .sum()
}

#[test]
fn a_display_that_may_not_witness_does_not_try_again_on_this_connection_and_says_it_once() {
    let mut display = Solo::open(Role::Display, 7, None);
    let knows_better = |display: &mut Solo| {
        display.pass(2);
        display.hear(Topic::All, report(1, reading(State::Ko, version(3, 1, &[]))));
        let lacks = heartbeat(9, 60, 1, version(2, 1, &[]));
        display.hear(Topic::Alive(Card::Two), encode_heartbeat(&lacks));
        display.count(Topic::Witness)
    };
    assert_eq!(knows_better(&mut display), 1);
    forbid(&mut display, Topic::Witness);
    assert_eq!(display.machine.lack(), None);
    for _ in 0..5 {
        assert_eq!(knows_better(&mut display), 1, "it is settled");
    }
    display.feed(Event::Disconnected {
        why: String::new(),
        retry_in: Duration::ZERO,
    });
    display.feed(Event::Connected);
    display.restore();
    assert_eq!(knows_better(&mut display), 2, "its rights may be others now");
    forbid(&mut display, Topic::Witness);
    assert_eq!((display.machine.lack(), said(&display)), (None, 1));
}

#[test]
fn a_display_that_may_not_acknowledge_keeps_it_to_itself_and_says_it_once() {
    let mut display = Solo::open(Role::Display, 7, None);
    let ko = reading(State::Ko, version(3, 1, &[]));
    display.hear(Topic::All, report(1, ko));
    let alarms = PerSensor::from_fn(|sensor| (sensor.number() == 1).then_some(dot(3, 1)));
    let acknowledge = |display: &mut Solo| {
        let by = None;
        display.feed(Event::Acknowledge { alarms, by });
        display.count(Topic::Acknowledge(Card::One))
    };
    assert_eq!(acknowledge(&mut display), 1);
    let here_only = |display: &Solo| display.machine.is_acknowledged_here_only(sensor(1), dot(3, 1));
    assert!(!here_only(&display), "it is on its way");
    forbid(&mut display, Topic::Acknowledge(Card::One));
    forbid(&mut display, Topic::Acknowledge(Card::Two));
    assert!(here_only(&display));
    assert_eq!((display.machine.lack(), said(&display)), (None, 1));
    assert_eq!(acknowledge(&mut display), 1, "it is settled");
    assert!(display.machine.view().open_alarms().iter().next().is_none());
}

#[test]
fn an_owner_that_may_not_witness_says_so_in_red() {
    let mut owner = Solo::open(CARD1, 7, None);
    forbid(&mut owner, Topic::Witness);
    assert!(owner.machine.lack().is_some());
}
