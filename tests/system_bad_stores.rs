//! What lies where the good state should when a program starts or runs: bad payloads, and well-formed reports that nobody honest
//! sends. The good state is published again over them.
#![cfg(feature = "app")]

#[path = "support/bad_payloads.rs"]
mod bad_payloads;
#[path = "support/bench.rs"]
mod bench;

use bad_payloads::{KEPT, SECRET, no_reports};
use bench::Node::{Broker1, Broker2, Card1, Card2};
use bench::plain::Plain;
use bench::{Bench, Node, PROGRAMS, States, says};
use rustix::process::Signal;

const STATES: States = ["OK", "KO", "OK", "KO", "OK", "OK"];

fn with_states() -> Bench {
    let mut bench = Bench::running();
    bench.press(Card1, "2");
    bench.press(Card2, "4");
    bench.wait_settled(STATES);
    bench
}

/// Puts a payload where a good one lies, and waits until it is there.
fn spoil(bench: &Bench, (topic, broker): (&str, Node), payload: &[u8]) {
    Plain::stranger(&bench.url(broker)).say(topic, payload, true);
    let other = if broker == Broker1 { Broker2 } else { Broker1 };
    let crosses = (topic == "sensors/card1") == (broker == Broker1);
    for at in [Some(broker), crosses.then_some(other)].into_iter().flatten() {
        bench.wait("the bad payload lies there", |bench| {
            bench.retained(at, topic).unwrap_or_default() == payload
        });
    }
}

#[test]
fn met_as_retained_messages_at_the_start_they_end_nothing() {
    let mut bench = with_states();
    let all = no_reports();
    for some in all.chunks(KEPT.len()) {
        bench.end_all(PROGRAMS, Signal::KILL);
        // Those that cross the bridge first: the other broker gets its own afterwards.
        for (place, bad) in [0, 3, 1, 2].into_iter().zip(some) {
            spoil(&bench, KEPT[place], &bad.payload);
        }
        bench.start_all(PROGRAMS);
        for (topic, broker) in KEPT {
            bench.wait(
                &format!("{broker:?} holds the states on {topic} again"),
                |bench| {
                    bench
                        .retained(broker, topic)
                        .is_some_and(|payload| says(&payload, STATES, topic))
                },
            );
        }
    }
    bench.wait_settled(STATES);
    for node in PROGRAMS {
        let bytes = bench.pty(node).bytes_since(0);
        assert!(!String::from_utf8_lossy(&bytes).contains(SECRET));
    }
}

#[test]
fn a_card_without_its_file_and_with_a_bad_retained_message_recovers_from_the_join() {
    let mut bench = with_states();
    for payload in [b"PWNED".to_vec(), Vec::new(), vec![b'7'; 1_048_576]] {
        bench.end_all(PROGRAMS, Signal::TERM);
        std::fs::remove_dir_all(bench.state_dir(Card1)).expect("its state file");
        for place in [KEPT[0], KEPT[1]] {
            spoil(&bench, place, &payload);
        }
        bench.start_all(PROGRAMS);
        bench.wait_settled(STATES);
    }
}

/// The report that lies on a topic, changed.
fn forged(bench: &Bench, (topic, broker): (&str, Node), change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
    let held = bench.retained(broker, topic).expect("a report");
    let mut value = serde_json::from_slice(&held).expect("a report");
    change(&mut value);
    serde_json::to_vec(&value).expect("JSON")
}

#[test]
fn well_formed_reports_that_nobody_honest_sends_are_published_over() {
    let bench = with_states();
    let flip = |value: &mut serde_json::Value| {
        let state = value["sensor_2"].as_bool().expect("a state");
        value["sensor_2"] = (!state).into();
    };
    for place in KEPT {
        let plain = br#"{"sensor_1":false,"sensor_2":true,"sensor_3":false}"#.to_vec();
        let deep = format!(
            r#"{{"sensor_2":true,"x":{}{}}}"#,
            "[".repeat(7_000),
            "]".repeat(7_000)
        );
        let old = br#"{"sensor_2":true,"versions":{"sensor_2":[0,1,7]}}"#.to_vec();
        let reports = [
            plain,
            deep.into_bytes(),
            old,
            forged(&bench, place, flip),
            // An hour from now, by somebody who knows the toggled sensor's name.
            forged(&bench, place, |value| {
                flip(value);
                let version = value["versions"]["sensor_2"][0].as_u64().expect("a version");
                value["versions"]["sensor_2"] = serde_json::json!([version + 1_000_000, 0, u32::MAX]);
            }),
            forged(&bench, place, |value| value["changed"]["sensor_2"] = 0.into()),
        ];
        for report in reports {
            Plain::stranger(&bench.url(place.1)).say(place.0, report, true);
            bench.wait_settled(STATES);
        }
    }
}
