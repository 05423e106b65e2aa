//! What a broker keeps from a program though the connection is up is told within seconds.

use crate::solo::{CARD1, CARD2, Solo};
use dualboard_core::lack::Lack;
use dualboard_core::machine::{Event, Role};
use dualboard_core::sensor::Card;
use dualboard_core::wire::Topic;

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
    let mut program = Solo::new(Role::Display, 7, None);
    program.machine = program.machine.of_user("viewer-wall");
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
