//! What lies where the good state should when a program starts or runs: bad payloads, and well-formed reports
//! that nobody honest sends. The good state is published again over them.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::bad_payloads::{KEPT, SECRET, crosses, no_reports};
use crate::support::bench::Node::{Broker2, Card1, Card2};
use crate::support::bench::plain::{HeardMessage, PlainClient};
use crate::support::bench::{BROKERS, Bench, Node, PROGRAMS, States, says};

/// The highest number that a version may have.
const MOST: u64 = (1 << 53) - 1;

const STATES: States = ["OK", "KO", "OK", "KO", "OK", "OK"];

/// Somebody at each broker, who hears what is said there.
fn ears(bench: &Bench) -> [PlainClient; 2] {
    BROKERS.map(|broker| PlainClient::stranger(&bench.url(broker)).listen("sensors/+"))
}

/// Whether the last that was heard on a topic is as described.
fn last(heard: &[HeardMessage], topic: &str, is: impl Fn(&[u8]) -> bool) -> bool {
    let last = heard.iter().rev().find(|heard| heard.topic == topic);
    last.is_some_and(|heard| is(&heard.payload))
}

/// Puts a payload where a good one lies, and waits until it lies there; also at the other broker, if the
/// bridge carries it.
fn spoil(ears: &[PlainClient; 2], (topic, broker): (&str, Node), payload: &[u8]) {
    let near = usize::from(broker == Broker2);
    ears[near].say(topic, payload, true);
    let far = crosses((topic, broker)).then_some(1 - near);
    for at in [Some(near), far].into_iter().flatten() {
        ears[at].wait_for("the bad payload", |heard| {
            last(heard, topic, |last| last == payload)
        });
    }
}

#[test]
fn met_as_retained_messages_at_the_start_they_end_nothing() {
    let mut bench = Bench::with_ko("24");
    let ears = ears(&bench);
    let all = no_reports();
    for some in all.chunks(KEPT.len()) {
        bench.end_all(PROGRAMS, Signal::KILL);
        // Those that cross the bridge first: the other broker gets its own afterwards.
        let (first, then): (Vec<_>, Vec<_>) = KEPT.into_iter().partition(|place| crosses(*place));
        for (place, bad) in first.into_iter().chain(then).zip(some) {
            spoil(&ears, place, &bad.on(place.0).payload);
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
    let mut bench = Bench::with_ko("24");
    let ears = ears(&bench);
    for payload in [b"PWNED".to_vec(), Vec::new(), vec![b'7'; 20_480]] {
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
fn forged(bench: &Bench, (topic, broker): (&str, Node), change: impl Fn(&mut Value)) -> Vec<u8> {
    let held = bench.retained(broker, topic).expect("a report");
    let mut value = serde_json::from_slice(&held).expect("a report");
    change(&mut value);
    serde_json::to_vec(&value).expect("JSON")
}

/// The first sensor that a topic carries and that stands at KO.
fn toggled(topic: &str) -> &'static str {
    if topic == "sensors/card2" {
        "sensor_4"
    } else {
        "sensor_2"
    }
}

#[test]
fn well_formed_reports_that_nobody_honest_sends_are_published_over() {
    let mut bench = Bench::with_ko("24");
    let ears = ears(&bench);
    for place in KEPT {
        let sensor = toggled(place.0);
        let flip = |value: &mut Value| {
            let state = value[sensor].as_bool().expect("a state");
            value[sensor] = (!state).into();
        };
        // Somebody who knows the sensor's version says another one, with this number and era.
        let outnumbered = |other: fn([u64; 2]) -> [u64; 2]| {
            forged(&bench, place, |value| {
                flip(value);
                let version = &mut value["versions"][sensor];
                let dot = [0, 1].map(|place| version[place].as_u64().expect("a number"));
                *version = json!(other(dot));
            })
        };
        let deep = format!(
            r#"{{"{sensor}":true,"x":{}{}}}"#,
            "[".repeat(7_000),
            "]".repeat(7_000)
        );
        let reports = [
            format!(r#"{{"{sensor}":true}}"#).into_bytes(),
            deep.into_bytes(),
            format!(r#"{{"{sensor}":true,"versions":{{"{sensor}":[0,7]}}}}"#).into_bytes(),
            forged(&bench, place, flip),
            forged(&bench, place, |value| value["changed"][sensor] = 0.into()),
            outnumbered(|[n, era]| [n + 1_000_000, era]),
            outnumbered(|[_, era]| [MOST, era]),
            outnumbered(|[_, era]| [MOST, era ^ 1]),
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
    toggles_all(&mut bench, STATES);
}

/// Every sensor can still be toggled, and each toggle gets to everybody.
fn toggles_all(bench: &mut Bench, states: States) {
    bench.press(Card1, "123");
    bench.press(Card2, "456");
    bench.wait_settled(states.map(|state| if state == "OK" { "KO" } else { "OK" }));
}
