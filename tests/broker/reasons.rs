//! Why there is no connection, in the words that a person reads. Needs `mosquitto`.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use dualboard::machine::{Event, Ticket};
use dualboard::mqtt::Problem;
use dualboard::settings::{Credentials, Secret};

use crate::support::bench::told::says_all;
use crate::support::mosquitto::Mosquitto;
use crate::support::observer::{Observer, message, settings};
use crate::support::scripted_broker::{self, ACCEPTED, Script};

/// A broker that asks for a name and a password: "me" and "right".
fn asking() -> Mosquitto {
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
    mosquitto
}

#[test]
fn a_password_file_that_is_mended_is_read_again_without_a_key() {
    let mosquitto = asking();
    let file = mosquitto.folder().join("password");
    std::fs::write(&file, "wrong\n").expect("room on the disk");
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("our own file");
    let mut wanted = settings(&mosquitto.url(), "me");
    wanted.credentials = Some(Credentials::read("me".into(), file.clone()).expect("it is there"));
    let mut program = Observer::start(&wanted);
    program.wait_down_because(&Problem::Denied);
    std::fs::write(&file, "").expect("room on the disk");
    program.wait_down_because(&Problem::Denied);
    program.retry(5);
    let (_, pause) = program.wait_down();
    std::fs::write(&file, "right\n").expect("room on the disk");
    let limit = crossbeam_channel::after(pause / 2);
    let mut next = program.next_within(pause / 2);
    // On a busy machine the connection may be lost as soon as it is there.
    while matches!(next, Some(Event::Disconnected { .. })) && limit.try_recv().is_err() {
        next = program.next_within(pause / 2);
    }
    assert_eq!(
        next,
        Some(Event::Connected),
        "within half of the pause of {pause:?}"
    );
}

#[test]
fn a_wrong_password_is_named_and_the_right_one_works() {
    let mosquitto = asking();
    let mut wanted = settings(&mosquitto.url(), "me");
    let (why, _) = Observer::start(&wanted).wait_down();
    assert!(why.contains("asks for a user name and password"), "{why}");

    wanted.credentials = Some(Credentials {
        username: "me".into(),
        password: Secret("wrong".into()),
        file: None,
    });
    let (why, retry_in) = Observer::start(&wanted).wait_down();
    assert_eq!(why, "wrong user name or password, or not authorised");
    assert!(
        retry_in >= Duration::from_secs(1),
        "no quick retries: {retry_in:?}"
    );

    wanted.credentials = Some(Credentials {
        username: "me".into(),
        password: Secret("right".into()),
        file: None,
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
        Event::Refused {
            topic: "secret".into(),
            why: Problem::NotAuthorised.to_string(),
            is_forbidden: true
        }
    );
    assert_eq!(program.next(), Event::Undelivered(Ticket(1)));
}

#[test]
fn a_name_without_an_address_is_named() {
    // Longer than a name can be: the answer does not depend on a name server, which may not be there or not
    // answer in time.
    let name = "no-such-host".repeat(6);
    let mut program = Observer::start(&settings(&format!("mqtt://{name}"), "nameless"));
    let why = Problem::NameNotKnown(name.clone());
    assert_eq!(why.to_string(), format!("name not known: {name}"));
    program.wait_down_because(&why);
    program.wait_down_because(&why);
}

#[test]
fn mqtts_towards_a_plain_port_says_so() {
    let mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url().replace("mqtt:", "mqtts:"), "mistaken"));
    program.wait_down_because(&Problem::NotTls);
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
    assert!(
        [Problem::TakenOver, Problem::Lost]
            .map(|why| why.to_string())
            .contains(&why),
        "{why}"
    );
}

#[test]
fn a_broker_that_shuts_down_is_lost_and_found() {
    let mut mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url(), "shutdown"));
    program.wait_ready();
    mosquitto.terminate();
    let why = program.wait_down().0;
    assert!(
        [Problem::ShuttingDown, Problem::Lost]
            .map(|why| why.to_string())
            .contains(&why),
        "{why}"
    );
    program.wait_down_because(&Problem::Refused);
}

#[test]
fn a_refused_subscription_is_named() {
    let suback = &[0x90, 5, 0, 1, 0, 0x02, 0x87];
    let url = scripted_broker::start(Script {
        old: false,
        connack: ACCEPTED,
        suback,
    });
    let (why, retry_in) = Observer::start(&settings(&url, "refused")).wait_down();
    assert_eq!(why, "subscription refused: u/+");
    assert!(retry_in >= Duration::from_secs(1), "{retry_in:?}");
}

#[test]
fn a_single_refused_subscription_is_named() {
    let url = scripted_broker::start(Script {
        old: false,
        connack: ACCEPTED,
        suback: &[0x90, 4, 0, 1, 0, 0x87],
    });
    let mut single = settings(&url, "refused");
    single.subscriptions.truncate(1);
    assert_eq!(
        Observer::start(&single).wait_down().0,
        Problem::SubscriptionRefused("t/#".into()).to_string()
    );
}

#[test]
fn a_subscription_without_an_answer_ends_the_attempt() {
    let url = scripted_broker::start(Script {
        old: false,
        connack: ACCEPTED,
        suback: &[],
    });
    let mut program = Observer::start(&settings(&url, "unanswered"));
    assert_eq!(program.wait_down().0, Problem::SubscriptionUnanswered.to_string());
    assert_eq!(program.wait_down().0, Problem::SubscriptionUnanswered.to_string());
}

#[test]
fn a_port_that_accepts_and_says_nothing_is_no_answer() {
    let url = scripted_broker::start(Script {
        old: false,
        connack: &[],
        suback: &[],
    });
    let mut program = Observer::start(&settings(&url, "mute"));
    program.wait_down_because(&Problem::NoAnswer);
}

#[test]
fn a_disconnect_with_a_reason_is_named() {
    // What a newer Mosquitto says of a taken-over client id, right after the subscriptions are granted.
    let suback = &[0x90, 5, 0, 1, 0, 2, 0, 0xE0, 2, 0x8E, 0];
    let url = scripted_broker::start(Script {
        old: false,
        connack: ACCEPTED,
        suback,
    });
    let mut program = Observer::start(&settings(&url, "twin"));
    program.wait_ready();
    let (why, retry_in) = program.wait_down();
    assert_eq!(why, "another program took over this client id");
    assert!(retry_in >= Duration::from_secs(1), "no fight: {retry_in:?}");
}

/// Why a program does not stay with a broker that answers `CONNECT` so.
fn why(connack: &'static [u8], old: bool) -> String {
    let url = scripted_broker::start(Script {
        old,
        connack,
        suback: &[0x90, 5, 0, 1, 0, 2, 0],
    });
    Observer::start(&settings(&url, "unserved")).wait_down().0
}

#[test]
fn what_a_broker_says_that_it_lacks_is_named_before_anything_is_sent() {
    for (connack, words) in [
        (&[0x20, 5, 0, 0, 2, 0x24, 1][..], &["no QoS 2", "max_qos"][..]),
        (
            &[0x20, 5, 0, 0, 2, 0x25, 0],
            &["keeps no messages", "retain_available"],
        ),
        (&[0x20, 8, 0, 0, 5, 0x27, 0, 0, 4, 0], &["1024 bytes", "17408"]),
    ] {
        let why = why(connack, false);
        assert!(says_all(&why, words), "{why}");
    }
}

#[test]
fn a_broker_without_mqtt_5_is_called_so_whether_it_says_no_or_nothing() {
    let words = "the broker does not speak MQTT 5";
    assert_eq!(why(&[0x20, 2, 0, 1], false), words);
    assert_eq!(why(&[0x20, 2, 0, 0], true), words);
}

#[test]
fn who_asks_for_the_next_attempt_does_not_wait_for_a_pause_that_has_grown() {
    let url = scripted_broker::start(Script {
        old: false,
        connack: &[0x20, 5, 0, 0, 2, 0x24, 1],
        suback: &[],
    });
    Observer::start(&settings(&url, "unserved")).retry(12);
}
