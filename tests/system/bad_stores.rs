//! What lies where the good state should when a program starts or runs: bad payloads, and well-formed reports that nobody honest
//! sends. The good state is published again over them.

use rustix::process::Signal;

use crate::support::bad_payloads::{KEPT, SECRET, no_reports};
use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2};
use crate::support::bench::plain::{Heard, Plain};
use crate::support::bench::{BROKERS, Bench, Node, PROGRAMS, States, says};

const STATES: States = ["OK", "KO", "OK", "KO", "OK", "OK"];

fn with_states() -> Bench {
    let mut bench = Bench::running();
    bench.press(Card1, "2");
    bench.press(Card2, "4");
    bench.wait_settled(STATES);
    bench
}

/// Somebody at each broker, who hears what is said there.
fn ears(bench: &Bench) -> [Plain; 2] {
    BROKERS.map(|broker| Plain::stranger(&bench.url(broker)).listen("sensors/+"))
}

/// Whether the last that was heard on a topic is as described.
fn last(heard: &[Heard], topic: &str, is: impl Fn(&[u8]) -> bool) -> bool {
    let last = heard.iter().rev().find(|heard| heard.topic == topic);
    last.is_some_and(|heard| is(&heard.payload))
}

/// Puts a payload where a good one lies, and waits until it lies there; also at the other broker, if the bridge carries it.
fn spoil(ears: &[Plain; 2], (topic, broker): (&str, Node), payload: &[u8]) {
    let near = usize::from(broker == Broker2);
    ears[near].say(topic, payload, true);
    let crosses = (topic == "sensors/card1") == (broker == Broker1);
    for at in [Some(near), crosses.then_some(1 - near)].into_iter().flatten() {
        ears[at].wait_for("the bad payload", |heard| {
            last(heard, topic, |last| last == payload)
        });
    }
}

#[test]
fn met_as_retained_messages_at_the_start_they_end_nothing() {
    let mut bench = with_states();
    let ears = ears(&bench);
    let all = no_reports();
    for some in all.chunks(KEPT.len()) {
        bench.end_all(PROGRAMS, Signal::KILL);
        // Those that cross the bridge first: the other broker gets its own afterwards.
        for (place, bad) in [0, 3, 1, 2].into_iter().zip(some) {
            spoil(&ears, KEPT[place], &bad.payload);
        }
        bench.start_all(PROGRAMS);
        for (topic, broker) in KEPT {
            let at = &ears[usize::from(broker == Broker2)];
            at.wait_for(&format!("the states on {topic} at {broker:?} again"), |heard| {
                last(heard, topic, |last| says(last, STATES, topic))
            });
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
    let ears = ears(&bench);
    for payload in [b"PWNED".to_vec(), Vec::new(), vec![b'7'; 1_048_576]] {
        bench.end_all(PROGRAMS, Signal::TERM);
        std::fs::remove_dir_all(bench.state_dir(Card1)).expect("its state file");
        for place in [KEPT[0], KEPT[1]] {
            spoil(&ears, place, &payload);
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
    let ears = ears(&bench);
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
            let near = &ears[usize::from(place.1 == Broker2)];
            let before = near.heard().len();
            near.say(place.0, report, true);
            near.wait_for("what was forged, and the states over it", |heard| {
                heard.len() >= before + 2
                    && last(&heard[before + 1..], place.0, |last| says(last, STATES, place.0))
            });
        }
        bench.wait_settled(STATES);
    }
}
