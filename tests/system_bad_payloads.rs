//! Payloads that no program of this project sends, on both topics and at both brokers: told in the program's own words, counted, and
//! without any effect; the good state is published again over them.
#![cfg(feature = "app")]

#[path = "support/bench.rs"]
mod bench;

use bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use bench::plain::Plain;
use bench::{BROKERS, Bench, Node, PROGRAMS, States};
use rustix::process::Signal;

const STATES: States = ["OK", "KO", "OK", "KO", "OK", "OK"];

/// Stands in every payload that has room for it, and must be on no screen.
const SECRET: &str = "PWNED";

/// Payloads, each with what the programs say of it.
fn bad_payloads() -> Vec<(Vec<u8>, &'static str)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        (text("PWNED is not JSON"), "not JSON"),
        (text("{\"sensor_1\": false, \"sensor_4\": fal"), "not JSON"),
        (text(""), "empty message"),
        (
            text("{\"sensor_1\": \"PWNED\", \"sensor_2\": true}"),
            "not of the form",
        ),
        (text("{\"sensor_1\": 0, \"sensor_4\": 0}"), "not of the form"),
        (
            text("{\"sensor_1\": true, \"sensor_1\": false, \"sensor_2\": false}"),
            "not of the form",
        ),
        (text("[false, false, false]"), "not of the form"),
        (text("null"), "not of the form"),
        (
            text("{\"sensor_9\": false, \"PWNED\": true}"),
            "speaks of no sensor",
        ),
        (
            text("{\"sensor_1\": false, \"versions\": {\"sensor_1\": [18446744073709551615, 1, 1]}}"),
            "a version out of range",
        ),
        (
            text("{\"sensor_1\": false, \"versions\": {\"sensor_1\": [-1, 1, 1]}}"),
            "not of the form",
        ),
        (vec![b'7'; 1_048_576], "1048576 bytes, more than 16384"),
        (text(&"[".repeat(10_000)), "not "),
        (text("\x1b]0;PWNED\x07\x1b[2J\x1b[31mPWNED"), "not JSON"),
        (
            text("{\"\u{202e}PWNED\u{200b}\\u001b[2J\\u009b31m\": true}"),
            "speaks of no sensor",
        ),
        (
            text("{\"sensor_1\": \"\u{202e}PWNED\\u001b]0;PWNED\\u0007\"}"),
            "not of the form",
        ),
        (b"{\"sensor_1\": \"\xff\xfePWNED\"}".to_vec(), "not "),
    ]
}

fn with_states() -> Bench {
    let mut bench = Bench::running();
    bench.press(Card1, "2");
    bench.press(Card2, "4");
    bench.wait_settled(STATES);
    bench
}

/// Says every bad payload on a topic at a broker, live and retained; these programs tell of it.
fn nothing_comes_of_bad_payloads(topic: &str, broker: Node, hearers: &[Node]) {
    let mut bench = with_states();
    let marks = PROGRAMS.map(|node| bench.pty(node).mark());
    let somebody = Plain::stranger(&bench.url(broker));
    for (payload, why) in bad_payloads() {
        for retained in [false, true] {
            somebody.say(topic, payload.clone(), retained);
            for hearer in hearers {
                bench.wait_text(*hearer, &format!("bad message on {topic}: {why}"));
            }
            if retained {
                bench.wait_settled(STATES);
            }
        }
    }
    for (node, mark) in PROGRAMS.into_iter().zip(marks) {
        assert_clean(&mut bench, node, mark);
    }
    bench.press(Card1, "2");
    bench.press(Card2, "4");
    bench.wait_settled(bench::INITIAL);
}

fn assert_clean(bench: &mut Bench, node: Node, mark: usize) {
    let bytes = bench.pty(node).bytes_since(mark);
    for raw in [
        SECRET.as_bytes(),
        b"\x1b]0;",
        b"\x1b[2J",
        b"\x07",
        "\u{202e}".as_bytes(),
        "\u{200b}".as_bytes(),
    ] {
        let found = bytes.windows(raw.len()).any(|window| window == raw);
        assert!(!found, "{node:?} sent '{}' to its terminal", raw.escape_ascii());
    }
}

#[test]
fn on_sensors_card1_at_broker_1() {
    nothing_comes_of_bad_payloads("sensors/card1", Broker1, &[Card1, Card2]);
}

#[test]
fn on_sensors_card1_at_broker_2() {
    nothing_comes_of_bad_payloads("sensors/card1", Broker2, &[Card2]);
}

#[test]
fn on_sensors_all_at_broker_1() {
    nothing_comes_of_bad_payloads("sensors/all", Broker1, &[Card1]);
}

#[test]
fn on_sensors_all_at_broker_2() {
    nothing_comes_of_bad_payloads("sensors/all", Broker2, &[Card1, Card2, Display]);
}

#[test]
fn the_same_bad_payload_many_times_is_counted_on_the_screen() {
    let bench = with_states();
    let somebody = Plain::stranger(&bench.url(Broker1));
    for _ in 0..7 {
        somebody.say("sensors/card1", "PWNED", false);
    }
    bench.wait_text(
        Card1,
        "7 times: bad message on sensors/card1: not JSON (column 1)",
    );
    bench.wait_settled(STATES);
}

#[test]
fn on_every_other_topic_they_change_nothing_either() {
    let mut bench = with_states();
    let marks = PROGRAMS.map(|node| bench.pty(node).mark());
    let topics = [
        "sensors/card1/alive",
        "sensors/card2/alive",
        "sensors/witness",
        "sensors/board1/all",
        "sensors/board2/card1",
        "sensors/board1/broker/uptime",
        "sensors/board2/broker/uptime",
        "sensors/marker/card1_monitor",
        "sensors/marker/card2_monitor",
        "sensors/PWNED\u{202e}",
    ];
    for broker in BROKERS {
        let somebody = Plain::stranger(&bench.url(broker));
        for (payload, _) in bad_payloads()
            .into_iter()
            .filter(|(payload, _)| payload.len() < 100_000)
        {
            topics
                .iter()
                .for_each(|topic| somebody.say(topic, payload.clone(), true));
        }
    }
    bench.wait_settled(STATES);
    bench.press(Card1, "1");
    bench.wait_settled(["KO", "KO", "OK", "KO", "OK", "OK"]);
    for (node, mark) in PROGRAMS.into_iter().zip(marks) {
        assert_clean(&mut bench, node, mark);
    }
}

/// Both brokers hold bad payloads on both topics when the programs start.
fn met_at_the_start(forget: &[Node]) {
    let payloads = [b"PWNED".to_vec(), Vec::new(), vec![b'7'; 1_048_576]];
    for payload in payloads {
        let mut bench = with_states();
        bench.end_all(PROGRAMS, Signal::TERM);
        for node in forget {
            std::fs::remove_dir_all(bench.state_dir(*node)).expect("its state files");
        }
        let spoilt: &[&str] = if forget.is_empty() {
            &["sensors/card1", "sensors/all"]
        } else {
            &["sensors/card1"]
        };
        for broker in BROKERS {
            let somebody = Plain::stranger(&bench.url(broker));
            spoilt
                .iter()
                .for_each(|topic| somebody.say(topic, payload.clone(), true));
        }
        bench.start_all(PROGRAMS);
        bench.wait_settled(STATES);
    }
}

#[test]
fn met_as_retained_messages_at_the_start_they_end_nothing() {
    met_at_the_start(&[]);
}

#[test]
fn a_card_without_its_file_and_with_a_bad_retained_message_recovers_from_the_join() {
    met_at_the_start(&[Card1]);
}
