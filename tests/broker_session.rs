//! The connection to a broker, through what happens to real brokers. Needs `mosquitto`.

use std::time::{Duration, Instant};

use dualboard::app::broker::{BrokerEvent, Credentials, Outgoing, Ticket, Why};

mod support {
    pub mod cable;
    pub mod mosquitto;
    pub mod observer;
    pub mod scripted_broker;
}

use support::cable::Cable;
use support::mosquitto::{Mosquitto, free_port};
use support::observer::{Observer, message, settings};
use support::scripted_broker::{self, ACCEPTED, Script};

#[test]
fn a_program_started_before_its_broker_connects_when_it_comes() {
    let mut mosquitto = Mosquitto::reserve();
    let mut program = Observer::start(&settings(&mosquitto.url(), "early"));
    let (why, retry_in) = program.wait_down();
    assert_eq!(why.to_string(), "connection refused");
    assert!(
        retry_in <= Duration::from_millis(200),
        "the first retry is fast: {retry_in:?}"
    );

    mosquitto.start();
    assert!(!program.wait_ready(), "a new broker remembers nobody");
    program.round_trip(1, "hello");
}

#[test]
fn after_a_kill_and_a_restart_subscriptions_work_again() {
    let mut mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url(), "phoenix"));
    program.wait_ready();
    program.round_trip(1, "before");

    mosquitto.kill();
    assert_eq!(program.wait_down().0.to_string(), "connection lost");
    mosquitto.start();
    program.wait_ready();
    program.round_trip(2, "after");
}

#[test]
fn a_session_that_the_broker_kept_is_resumed_and_subscribed_again() {
    let mut mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url(), "resumed"));
    program.wait_ready();
    mosquitto.terminate();
    program.wait_down();
    mosquitto.start();
    assert!(program.wait_ready(), "the session was saved");
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
        BrokerEvent::Message { payload, .. } => Some(payload.clone()),
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
fn what_a_resumed_session_completes_later_is_not_answered_again() {
    let mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url(), "silent"));
    program.wait_ready();
    mosquitto.pause();
    program.publish(1, message("t/late", "late", 2));
    // The keep-alive notices it; a broker that does not answer is "connection lost" first, "no answer" later.
    assert_eq!(program.wait_down().0, Why::Lost);
    assert_eq!(program.answers(1), 1);
    mosquitto.resume();
    program.wait_ready();
    program.wait_message("late");
    program.round_trip(2, "after");
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
        BrokerEvent::Message { payload, topic, .. } => Some(assert!(*payload == bytes && topic == "t/bytes")),
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
fn a_wrong_password_is_named_and_the_right_one_works() {
    let mut mosquitto = Mosquitto::reserve();
    let passwords = mosquitto.folder().join("passwords");
    let made = std::process::Command::new("mosquitto_passwd")
        .args(["-b", "-c"])
        .arg(&passwords)
        .args(["me", "right"])
        .status();
    assert!(made.expect("mosquitto_passwd comes with mosquitto").success());
    mosquitto
        .settings(format!(
            "allow_anonymous false\npassword_file {}",
            passwords.display()
        ))
        .start();

    let mut wanted = settings(&mosquitto.url(), "me");
    let (why, _) = Observer::start(&wanted).wait_down();
    assert_eq!(
        why.to_string(),
        "not authorised: the broker asks for a user name and password"
    );

    wanted.credentials = Some(Credentials {
        username: "me".into(),
        password: "wrong".into(),
    });
    let (why, retry_in) = Observer::start(&wanted).wait_down();
    assert_eq!(why.to_string(), "wrong user name or password, or not authorised");
    assert!(
        retry_in >= Duration::from_secs(1),
        "no quick retries: {retry_in:?}"
    );

    wanted.credentials = Some(Credentials {
        username: "me".into(),
        password: "right".into(),
    });
    Observer::start(&wanted).wait_ready();
}

#[test]
fn a_topic_that_may_not_be_written_is_named() {
    let mut mosquitto = Mosquitto::reserve();
    let rights = mosquitto.folder().join("acl");
    std::fs::write(&rights, "topic read #\ntopic write t/#\n").expect("writing the rights");
    mosquitto
        .settings(format!("allow_anonymous true\nacl_file {}", rights.display()))
        .start();
    let mut program = Observer::start(&settings(&mosquitto.url(), "rights"));
    program.wait_ready();
    program.publish(1, message("secret", "x", 2));
    assert_eq!(
        program.next(),
        BrokerEvent::Refused {
            topic: "secret".into(),
            why: Why::NotAuthorised
        }
    );
    assert_eq!(program.next(), BrokerEvent::Undelivered(Ticket(1)));
}

#[test]
fn a_name_without_an_address_is_named() {
    let mut program = Observer::start(&settings("mqtt://no-such-host.invalid", "nameless"));
    assert_eq!(
        program.wait_down().0.to_string(),
        "name not known: no-such-host.invalid"
    );
    assert_eq!(
        program.wait_down().0,
        Why::NameNotKnown("no-such-host.invalid".into())
    );
}

#[test]
fn mqtts_towards_a_plain_port_says_so() {
    let mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url().replace("mqtt:", "mqtts:"), "mistaken"));
    assert_eq!(program.wait_down().0, Why::NotTls);
}

#[test]
fn a_client_id_that_is_taken_over_loses_its_connection_and_says_why() {
    let mut mosquitto = Mosquitto::start_new();
    let mut first = Observer::start(&settings(&mosquitto.url(), "twin"));
    first.wait_ready();
    let mut second = Observer::start(&settings(&mosquitto.url(), "twin"));
    second.wait_ready();
    let (why, _) = first.wait_down();
    mosquitto.wait_for_log("already connected, closing old connection");
    // Mosquitto before 2.0.15 drops the connection without a word.
    assert!(matches!(why, Why::TakenOver | Why::Lost), "{why:?}");
}

#[test]
fn a_cut_cable_is_noticed_and_no_message_comes_between_down_and_the_next_connection() {
    let mosquitto = Mosquitto::start_new();
    let cable = Cable::to(mosquitto.port());
    let mut program = Observer::start(&settings(&cable.url(), "cut"));
    let mut speaker = Observer::start(&settings(&mosquitto.url(), "speaker"));
    program.wait_ready();
    speaker.wait_ready();
    for ticket in 0..500 {
        speaker.publish(ticket, message("u/flood", "drop", 0));
    }
    cable.cut();
    let (why, retry_in) = program.wait_down();
    assert_eq!(why, Why::Lost);
    // Half of what is left until the next attempt begins: nothing can come from a connection that is gone.
    assert_eq!(program.next_within(retry_in / 2), None);
    program.wait_ready();
    program.round_trip(1000, "after");
}

#[test]
fn a_broker_that_shuts_down_is_lost_and_found() {
    let mut mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url(), "shutdown"));
    program.wait_ready();
    mosquitto.terminate();
    assert!(matches!(program.wait_down().0, Why::ShuttingDown | Why::Lost));
    assert_eq!(program.wait_down().0, Why::Refused);
}

#[test]
fn a_refused_subscription_is_named() {
    let suback = &[0x90, 5, 0, 1, 0, 0x02, 0x87];
    let url = scripted_broker::start(Script {
        connack: ACCEPTED,
        suback,
    });
    let (why, retry_in) = Observer::start(&settings(&url, "refused")).wait_down();
    assert_eq!(why.to_string(), "subscription refused: u/+");
    assert!(retry_in >= Duration::from_secs(1), "{retry_in:?}");
}

#[test]
fn a_single_refused_subscription_is_named() {
    let url = scripted_broker::start(Script {
        connack: ACCEPTED,
        suback: &[0x90, 4, 0, 1, 0, 0x87],
    });
    let mut single = settings(&url, "refused");
    single.subscriptions.truncate(1);
    assert_eq!(
        Observer::start(&single).wait_down().0,
        Why::SubscriptionRefused("t/#".into())
    );
}

#[test]
fn a_subscription_without_an_answer_ends_the_attempt() {
    let url = scripted_broker::start(Script {
        connack: ACCEPTED,
        suback: &[],
    });
    let mut program = Observer::start(&settings(&url, "unanswered"));
    assert_eq!(program.wait_down().0, Why::SubscriptionUnanswered);
    assert_eq!(program.wait_down().0, Why::SubscriptionUnanswered);
}

#[test]
fn a_port_that_accepts_and_says_nothing_is_no_answer() {
    let url = scripted_broker::start(Script {
        connack: &[],
        suback: &[],
    });
    let mut program = Observer::start(&settings(&url, "mute"));
    assert_eq!(program.wait_down().0, Why::NoAnswer);
}

#[test]
fn the_will_is_sent_after_a_cut_cable_and_not_after_a_goodbye() {
    let mosquitto = Mosquitto::start_new();
    let mut watcher = Observer::start(&settings(&mosquitto.url(), "watcher"));
    watcher.wait_ready();
    let cable = Cable::to(mosquitto.port());
    let mut mortal = settings(&cable.url(), "mortal");
    mortal.will = Some(message("t/will", "died", 2));
    let mut program = Observer::start(&mortal);
    program.wait_ready();
    program.publish(1, message("t/last", "last word", 2));
    let events = program.close(Duration::from_secs(10));
    assert!(events.contains(&BrokerEvent::Delivered(Ticket(1))), "{events:?}");
    watcher.wait_message("last word");

    let mut program = Observer::start(&mortal);
    program.wait_ready();
    cable.cut();
    watcher.wait_message("died");
    assert_eq!(watcher.messages(b"died"), 1);
}

#[test]
fn closing_keeps_its_limit_whatever_the_broker_does() {
    let limit = Duration::from_millis(500);
    let within = |program: Observer| {
        let start = now();
        program.close(limit);
        assert!(
            now() - start < limit + Duration::from_millis(250),
            "{:?}",
            now() - start
        );
    };
    // Nobody there; somebody mute; a name that is not known.
    within(Observer::start(&settings(
        &format!("mqtt://127.0.0.1:{}", free_port()),
        "c1",
    )));
    let mute = scripted_broker::start(Script {
        connack: &[],
        suback: &[],
    });
    within(Observer::start(&settings(&mute, "c2")));
    within(Observer::start(&settings("mqtt://no-such-host.invalid", "c3")));

    let mosquitto = Mosquitto::start_new();
    let mut idle = Observer::start(&settings(&mosquitto.url(), "c4"));
    let mut busy = Observer::start(&settings(&mosquitto.url(), "c5"));
    let mut stuffed = Observer::start(&settings(&mosquitto.url(), "c6"));
    for program in [&mut idle, &mut busy, &mut stuffed] {
        program.wait_ready();
    }
    mosquitto.pause();
    busy.publish(1, message("t/stuck", "x", 2));
    for ticket in 0..30 {
        // More than the socket's buffers hold.
        stuffed.publish(ticket, message("t/stuck", &"x".repeat(1_000_000), 2));
    }
    within(idle);
    within(busy);
    within(stuffed);
}

#[test]
fn closing_answers_what_it_could_not_deliver() {
    let mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url(), "unfinished"));
    program.wait_ready();
    mosquitto.pause();
    program.publish(1, message("t/stuck", "x", 2));
    let events = program.close(Duration::from_millis(500));
    assert!(
        events.contains(&BrokerEvent::Undelivered(Ticket(1))),
        "{events:?}"
    );
}

#[expect(clippy::disallowed_methods, reason = "a limit in real time is what is tested")]
fn now() -> Instant {
    Instant::now()
}
