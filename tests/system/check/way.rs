//! The way to the broker: each thing that can be wrong with it.

use std::fs;

use super::{NOBODY, SHORT, broker_with_rights, check, check_as, secret, text};
use crate::support::bench::Node::{Card1, Display};
use crate::support::bench::PROGRAMS;
use crate::support::mosquitto::Mosquitto;
use crate::support::scripted_broker::{ACCEPTED, Script, start};
use serde_json::Value;

#[test]
fn a_broker_that_is_not_there_is_a_failure_and_what_hangs_on_it_is_not_called_right() {
    for node in PROGRAMS {
        let said = check(node, NOBODY, &[]);
        assert_eq!(said.status, 2);
        said.assert("address", "127.0.0.1:1", "FAIL", "connection refused");
        said.assert("bridge", "", "skipped", "no connection");
        said.assert("heartbeats", "card1_monitor", "skipped", "no connection");
        let seen = said.results("ok");
        let of_broker = |line: &&&Value| ["read", "write", "bridge", "login"].contains(&text(line, "check"));
        assert_eq!(seen.iter().find(of_broker), None);
    }
    let said = check(Card1, "mqtt://no-such-host.invalid", &["--insecure"]);
    said.assert("address", "no-such-host", "FAIL", "name not known");
}

#[test]
fn a_wrong_password_and_a_missing_one_are_failures_of_the_login() {
    let mosquitto = broker_with_rights(&["someone"], "");
    let said = check(Card1, &mosquitto.url(), &SHORT);
    said.assert("login", "", "FAIL", "asks for a user name and password");
    secret(&mosquitto.folder().join("someone"), "another");
    let said = check_as(Card1, &mosquitto, "someone", &SHORT);
    said.assert("login", "", "FAIL", "wrong user name or password");
    fs::remove_file(mosquitto.folder().join("someone")).expect("it is there");
    let said = check_as(Card1, &mosquitto, "someone", &SHORT);
    said.assert("login", "", "FAIL", "password file");
    assert_eq!(said.status, 2);
}

#[test]
fn a_broker_that_cannot_serve_is_a_failure_and_the_line_says_why() {
    for (setting, check_name, words) in [
        ("max_qos 1", "QoS 2", "no QoS 2"),
        ("retain_available false", "retained messages", "keeps no messages"),
        ("max_packet_size 2000", "packet size", "2000 bytes"),
    ] {
        let mut mosquitto = Mosquitto::reserve();
        mosquitto
            .settings(format!("allow_anonymous true\n{setting}"))
            .start();
        let said = check(Display, &mosquitto.url(), &SHORT);
        said.assert(check_name, "", "FAIL", words);
        assert_eq!(said.status, 2);
    }
    let old = start(Script {
        connack: &[0x20, 2, 0, 1],
        old: false,
        suback: &[],
    });
    let said = check(Card1, &old, &SHORT);
    said.assert("MQTT 5", "", "FAIL", "does not speak MQTT 5");
    let silent = start(Script {
        connack: ACCEPTED,
        old: false,
        suback: &[],
    });
    let said = check(Card1, &silent, &SHORT);
    said.assert("connection", "", "FAIL", "no answer");
    said.assert("write", "", "skipped", "marker");
}

#[test]
fn a_broker_that_delivers_what_is_not_released_is_offered_nothing() {
    // QoS 2 is completed, and each marker comes back as soon as it is offered.
    let url = hasty_broker();
    let said = check(Card1, &url, &SHORT);
    said.assert("marker", "", "ok", "it came back");
    said.assert("write", "all topics", "skipped", "before it is released");
    said.assert("forbidden topics", "", "skipped", "before it is released");
}

/// A broker that delivers a message of `QoS` 2 when it is offered, as MQTT allows.
#[allow(clippy::disallowed_methods, reason = "a thread of the tests")]
fn hasty_broker() -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let url = format!("mqtt://{}", listener.local_addr().expect("its address"));
    let serve = move || {
        for mut stream in listener.incoming().flatten() {
            let mut bytes = Vec::new();
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                bytes.extend_from_slice(&buffer[..count]);
                while let Some((kind, body, length)) = packet(&bytes) {
                    let answer = match kind >> 4 {
                        1 => ACCEPTED.to_vec(),
                        8 => [&[0x90, 20], &body[..2], &[0; 18]].concat(),
                        3 => {
                            let end = 2 + usize::from(body[1]);
                            let mut message = body[..end].to_vec();
                            message.extend(&body[end + 2..]);
                            let id = &body[end..end + 2];
                            let length = u8::try_from(message.len()).expect("short");
                            [&[0x30, length], &message[..], &[0x50, 2], id].concat()
                        }
                        6 => [&[0x70, 2], &body[..2]].concat(),
                        _ => Vec::new(),
                    };
                    let _ = stream.write_all(&answer);
                    bytes.drain(..length);
                }
            }
        }
    };
    std::thread::Builder::new()
        .name("hasty-broker".into())
        .spawn(serve)
        .expect("a thread");
    url
}

/// The first packet: its first byte, its body, and its whole length.
fn packet(bytes: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let (mut length, mut place) = (0, 0);
    loop {
        let byte = *bytes.get(1 + place)?;
        length |= usize::from(byte & 0x7F) << (7 * place);
        place += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let body = bytes.get(1 + place..1 + place + length)?;
    Some((bytes[0], body.to_vec(), 1 + place + length))
}
