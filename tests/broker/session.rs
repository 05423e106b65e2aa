//! The connection to a broker, through what happens to real brokers. Needs `mosquitto`.

use std::time::Duration;

use dualboard::machine::Event;
use dualboard::mqtt::{Outgoing, Problem};

use crate::support::link::TcpRelay;
use crate::support::mosquitto::Mosquitto;
use crate::support::observer::{Observer, message, settings};

#[test]
fn a_program_started_before_its_broker_connects_when_it_comes() {
    let mut mosquitto = Mosquitto::reserve();
    let mut program = Observer::start(&settings(&mosquitto.url(), "early"));
    let (_, retry_in) = program.wait_down();
    assert!(
        retry_in <= Duration::from_millis(200),
        "the first retry is fast: {retry_in:?}"
    );
    program.wait_down_because(&Problem::Refused);
    assert_eq!(Problem::Refused.to_string(), "connection refused");

    mosquitto.start();
    program.wait_ready();
    program.round_trip(1, "hello");
}

#[test]
fn after_a_kill_and_a_restart_subscriptions_work_again() {
    let mut mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url(), "phoenix"));
    program.wait_ready();
    program.round_trip(1, "before");

    mosquitto.kill();
    assert_eq!(program.wait_down().0, "connection lost");
    mosquitto.start();
    program.wait_ready();
    program.round_trip(2, "after");
}

#[test]
fn after_a_restart_of_a_broker_that_kept_the_session_messages_come_again() {
    let mut mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url(), "resumed"));
    program.wait_ready();
    mosquitto.terminate();
    program.wait_down();
    mosquitto.start();
    program.wait_ready();
    program.round_trip(1, "after");
}

#[test]
fn a_publish_while_down_is_answered_at_once_and_never_sent_later() {
    let mut mosquitto = Mosquitto::reserve();
    let mut program = Observer::start(&settings(&mosquitto.url(), "down"));
    program.publish(1, message("t/lost", "too early", 2));
    assert!(!program.wait_answer(1));

    mosquitto.start();
    program.wait_ready();
    program.publish(2, message("t/echo", "later", 2));
    let first = program.wait_for(|event| match event {
        Event::Message { payload, .. } => Some(payload.clone()),
        _ => None,
    });
    assert_eq!(first, b"later");
}

#[test]
fn what_is_in_flight_when_the_broker_dies_is_answered_exactly_once() {
    let mut mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url(), "flight"));
    program.wait_ready();
    mosquitto.pause();
    for ticket in 0..300 {
        program.publish(ticket, message("t/flight", "in flight", 2));
    }
    mosquitto.kill();
    program.wait_down();
    mosquitto.start();
    program.wait_ready();
    program.round_trip(1000, "after");
    assert!(program.answers(1000) <= 1);
    for ticket in 0..300 {
        assert_eq!(program.answers(ticket), 1, "ticket {ticket}");
    }
}

#[test]
fn of_a_flood_without_quality_of_service_only_the_newest_waits_to_be_taken_in() {
    let mosquitto = Mosquitto::start_new();
    let mut slow = Observer::start(&settings(&mosquitto.url(), "slow"));
    slow.wait_ready();
    let mut sender = Observer::start(&settings(&mosquitto.url(), "sender"));
    sender.wait_ready();
    for number in 0..3_000 {
        sender.publish(number, message("u/flood", &number.to_string(), 0));
        assert!(sender.wait_answer(number));
    }
    sender.publish(3_000, message("t/end", "the end", 2));
    assert!(sender.wait_answer(3_000));
    // Until here it has taken in nothing.
    slow.wait_message("the end");
    let taken_in: Vec<u64> = slow.numbers_on("u/flood").collect();
    assert_eq!(taken_in.last(), Some(&2_999));
    assert!(taken_in.len() < 200, "{}", taken_in.len());
}

/// Paho frees a message that it still means to send again when a write fails: `PahoClient::renew`. Whether
/// this hits the moment depends on the machine's load; `valgrind target/debug/deps/broker-… breaking` sees
/// more than the answers tell.
#[test]
fn publishing_into_a_breaking_connection_is_harmless() {
    let mut mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url(), "breaking"));
    program.wait_ready();
    let mut next = 0_u64;
    for round in 0..6 {
        mosquitto.pause();
        let tickets = next..next + 6 + (round * 37) % 200;
        for ticket in tickets.clone() {
            if ticket + 5 == tickets.end {
                mosquitto.kill();
            }
            program.publish(
                ticket,
                message("t/breaking", "payload", u8::try_from(ticket % 3).unwrap_or(0)),
            );
        }
        next = tickets.end;
        program.wait_down();
        mosquitto.start();
        program.wait_ready();
        program.round_trip(10_000 + round, &format!("round {round}"));
        for ticket in tickets {
            assert_eq!(program.answers(ticket), 1, "ticket {ticket}");
        }
    }
}

#[test]
fn what_was_undelivered_is_not_sent_later_in_a_resumed_session() {
    let mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url(), "silent"));
    program.wait_ready();
    mosquitto.pause();
    program.publish(1, message("t/late", "late", 2));
    // The keep-alive notices it; a broker that does not answer is "connection lost" first, "no answer" later.
    assert_eq!(program.wait_down().0, Problem::Lost.to_string());
    assert_eq!(program.answers(1), 1);
    mosquitto.resume();
    program.wait_ready();
    program.round_trip(2, "after");
    assert_eq!(program.messages(b"late"), 0);
    assert_eq!(program.answers(1), 1);
}

#[test]
fn every_level_is_delivered_and_payloads_are_any_bytes() {
    let mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url(), "levels"));
    program.wait_ready();
    for qos in 0..=2 {
        program.publish(qos.into(), message("v/none", "x", qos));
        assert!(program.wait_answer(qos.into()), "level {qos}");
    }
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(1_000_000).collect();
    program.publish(
        9,
        Outgoing {
            topic: "t/bytes".into(),
            payload: bytes.clone(),
            qos: 2,
            retained: true,
        },
    );
    program.wait_for(|event| match event {
        Event::Message { payload, topic, .. } => {
            assert!(*payload == bytes && topic == "t/bytes");
            Some(())
        }
        _ => None,
    });
}

#[test]
fn what_mqtt_cannot_send_is_undelivered_and_harmless() {
    let mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url(), "odd"));
    program.wait_ready();
    for (ticket, topic) in (1..).zip(["", "t/\0", "t/#", "t/+"]) {
        program.publish(ticket, message(topic, "x", 2));
        assert!(!program.wait_answer(ticket), "{topic:?}");
    }
    program.round_trip(9, "still here");
}

#[test]
fn a_cut_link_is_noticed_and_no_message_comes_between_down_and_the_next_connection() {
    let mosquitto = Mosquitto::start_new();
    let link = TcpRelay::to(mosquitto.port());
    let mut program = Observer::start(&settings(&link.url(), "cut"));
    let mut speaker = Observer::start(&settings(&mosquitto.url(), "speaker"));
    program.wait_ready();
    speaker.wait_ready();
    for ticket in 0..500 {
        speaker.publish(ticket, message("u/flood", "drop", 0));
    }
    link.cut();
    assert_eq!(program.wait_down().0, Problem::Lost.to_string());
    // The link stays cut: whatever came before the next attempt has failed as well came from a connection
    // that is gone.
    let next = program.next();
    assert!(matches!(next, Event::Disconnected { .. }), "{next:?}");
    link.heal();
    program.wait_ready();
    program.round_trip(1000, "after");
}
