//! Payloads that no program of this project sends, on every topic that a program hears: told in the program's
//! own words, counted, and without any effect; the good state is published again over them.

use dualboard::sensor::Card;
use dualboard::wire::{Topic, decode};

use crate::support::bad_payloads::{Bad, KEPT, SECRET, no_heartbeats, no_reports, no_reports_on};
use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::plain::{HeardMessage, PlainClient};
use crate::support::bench::{BROKERS, Bench, INITIAL, Node, PROGRAMS, States, says};
use crate::support::clean_screen::assert_clean;

const STATES: States = ["OK", "KO", "OK", "KO", "OK", "OK"];
const SOME_KO: States = ["KO", "KO", "OK", "KO", "OK", "OK"];

/// A screen shows the last events, as many as fit: all of these do.
const CHUNK: usize = 20;

fn with_states() -> Bench {
    // A bell of our own could not be told from one of somebody else's.
    let mut bench = Bench::running_with(&["--no-bell"]);
    bench.press(Card1, "2");
    bench.press(Card2, "4");
    bench.wait_settled(STATES);
    for node in PROGRAMS {
        let pty = bench.pty(node);
        let mark = pty.mark();
        pty.resize(150, 120);
        pty.wait_for("the whole screen drawn anew", |seen| {
            // The last line, the keys, ends the picture: a mark set before it might fall into the middle of a
            // character.
            let new = String::from_utf8_lossy(&seen.bytes[mark..]).into_owned();
            new.rfind("\x1b[2J").is_some_and(|at| new[at..].contains("quit"))
        });
    }
    bench
}

/// Nothing but text and the program's own sequences has been sent to any screen since the marks.
fn assert_screens_clean(bench: &mut Bench, marks: [usize; 3]) {
    for (node, mark) in PROGRAMS.into_iter().zip(marks) {
        let bytes = bench.pty(node).bytes_since(mark);
        assert_clean(&format!("{node:?}"), &bytes);
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(SECRET), "{node:?} shows what it was sent");
    }
}

/// What a screen tells of bad messages on a topic, the newest first; each as often as it was counted.
fn told(bench: &Bench, node: Node, topic: &str) -> Vec<String> {
    let before = format!("bad message on {topic}: ");
    let text = bench.text(node);
    let entries = text.lines().filter_map(|line| {
        let (left, right) = line.split_once(&before)?;
        let (why, _) = right.split_once("; nothing changed")?;
        let times = left
            .split_once(" times: ")
            .and_then(|(count, _)| count.split_whitespace().last());
        let times = times.map_or(1, |count| count.parse().expect("a count"));
        Some(std::iter::repeat_n(why.to_owned(), times))
    });
    entries.flatten().collect()
}

/// Waits until a screen has told of these, the last ones in this order.
fn wait_told(bench: &Bench, node: Node, topic: &str, bad: &[Bad], each: usize) {
    let expected: Vec<_> = bad
        .iter()
        .rev()
        .flat_map(|bad| std::iter::repeat_n(bad.why, each))
        .collect();
    bench.wait(&format!("{node:?} tells of {expected:?} on {topic}"), |bench| {
        let told = told(bench, node, topic);
        told.len() >= expected.len()
            && told
                .iter()
                .zip(&expected)
                .all(|(told, why)| told.starts_with(why))
    });
}

/// Whether the last that was heard on a topic is a report of these states.
fn good_again(heard: &[HeardMessage], topic: &str, states: States) -> bool {
    heard
        .iter()
        .rev()
        .find(|heard| heard.topic == topic)
        .is_some_and(|heard| says(&heard.payload, states, topic))
}

/// Says every bad payload on a topic at a broker, live and retained; these programs tell of each.
fn nothing_comes_of_bad_payloads((topic, broker): (&str, Node), hearers: &[Node]) {
    let mut bench = with_states();
    let marks = PROGRAMS.map(|node| bench.pty(node).mark());
    let somebody = PlainClient::stranger(&bench.url(broker)).listen(topic);
    let all = no_reports_on(topic);
    for some in all.chunks(CHUNK) {
        for bad in some {
            for retained in [false, true] {
                let before = somebody.heard().len();
                somebody.say(topic, bad.payload.clone(), retained);
                somebody.wait_for("the bad one, and the good one over it", |heard| {
                    let since = &heard[before..];
                    since.iter().any(|heard| heard.payload == bad.payload)
                        && (!retained || good_again(since, topic, STATES))
                });
            }
        }
        for hearer in hearers {
            wait_told(&bench, *hearer, topic, some, 2);
        }
    }
    bench.wait_settled(STATES);
    assert_screens_clean(&mut bench, marks);
    bench.press(Card1, "2");
    bench.press(Card2, "4");
    bench.wait_settled(INITIAL);
}

#[test]
fn there_are_many_and_each_is_refused_for_its_reason() {
    let mut wrong = Vec::new();
    for (topic, table) in [
        (Topic::Card(Card::One), no_reports()),
        (Topic::Card(Card::Two), no_reports_on("sensors/card2")),
        (Topic::All, no_reports()),
        (Topic::Alive(Card::One), no_heartbeats()),
    ] {
        for Bad { payload, why } in table {
            let said = decode(topic, &payload).map_err(|refused| refused.to_string());
            let shown = payload[..payload.len().min(100)].escape_ascii();
            if !said.as_ref().is_err_and(|said| said.starts_with(why)) {
                wrong.push(format!("{topic:?} {shown}: {said:?}, not {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(no_reports().len() >= 60);
}

#[test]
fn on_sensors_card1_at_broker_1() {
    nothing_comes_of_bad_payloads(KEPT[0], &[Card1, Card2]);
}

#[test]
fn on_sensors_card1_at_broker_2() {
    nothing_comes_of_bad_payloads(KEPT[1], &[Card2]);
}

#[test]
fn on_sensors_card2_at_broker_1() {
    nothing_comes_of_bad_payloads(KEPT[2], &[Card1]);
}

#[test]
fn on_sensors_card2_at_broker_2() {
    nothing_comes_of_bad_payloads(KEPT[3], &[Card1, Card2]);
}

#[test]
fn on_sensors_all_at_broker_1() {
    nothing_comes_of_bad_payloads(KEPT[4], &[Card1]);
}

#[test]
fn on_sensors_all_at_broker_2() {
    nothing_comes_of_bad_payloads(KEPT[5], &[Card1, Card2, Display]);
}

/// Each topic but the kept ones, who hears it there, and what is bad on it.
fn other_topics() -> Vec<(&'static str, Node, Option<Node>, Vec<Bad>)> {
    let markers = || {
        vec![Bad {
            payload: b"PWNED".to_vec(),
            why: "not of the form",
        }]
    };
    vec![
        ("sensors/card1/alive", Broker1, Some(Card1), no_heartbeats()),
        ("sensors/card2/alive", Broker1, Some(Card1), no_heartbeats()),
        ("sensors/card1/alive", Broker2, Some(Card2), no_heartbeats()),
        ("sensors/card2/alive", Broker2, Some(Display), no_heartbeats()),
        ("sensors/witness", Broker1, Some(Card2), no_reports()),
        ("sensors/witness", Broker2, Some(Card2), no_reports()),
        (
            "sensors/board1/card2",
            Broker2,
            Some(Card2),
            no_reports_on("sensors/board1/card2"),
        ),
        ("sensors/board2/card1", Broker1, Some(Card1), no_reports()),
        ("sensors/board1/broker/uptime", Broker2, None, no_heartbeats()),
        ("sensors/board2/broker/uptime", Broker1, None, no_heartbeats()),
        ("sensors/marker/card1_monitor", Broker1, None, markers()),
        ("sensors/marker/card2_monitor", Broker2, None, markers()),
        ("sensors/PWNED\u{202e}", Broker1, None, no_reports()),
    ]
}

#[test]
fn on_every_other_topic_they_change_nothing_either() {
    let mut bench = with_states();
    let marks = PROGRAMS.map(|node| bench.pty(node).mark());
    let somebody = BROKERS.map(|broker| PlainClient::stranger(&bench.url(broker)));
    for (topic, broker, hearer, table) in other_topics() {
        for some in table.chunks(CHUNK) {
            for bad in some {
                somebody[usize::from(broker == Broker2)].say(topic, bad.payload.clone(), true);
            }
            if let Some(hearer) = hearer {
                wait_told(&bench, hearer, topic, some, 1);
            }
        }
    }
    bench.wait_settled(STATES);
    bench.press(Card1, "1");
    bench.wait_settled(SOME_KO);
    assert_screens_clean(&mut bench, marks);
}

#[test]
fn a_flood_leaves_the_memory_flat_and_is_counted() {
    /// Messages at a time: what a busy machine has not come to read yet is memory as well.
    const PART: usize = 500;
    let mut bench = with_states();
    let marks = PROGRAMS.map(|node| bench.pty(node).mark());
    let somebody = PlainClient::stranger(&bench.url(Broker2));
    let flood = |bench: &Bench, part: usize| {
        for number in 0..PART {
            let kind = if number % 2 == 0 {
                "{\"sensor_1\": \""
            } else {
                "PWNED "
            };
            somebody.say("sensors/all", format!("{kind}{}", "x".repeat(2_000)), false);
        }
        let last = format!("bad message on sensors/all: {} bytes", 20_000 + part);
        bench.wait("all of it has been heard", |bench| {
            // Again and again: what comes back from the other board may drive it off a screen.
            somebody.say("sensors/all", vec![b'7'; 20_000 + part], false);
            PROGRAMS.iter().all(|node| bench.text(*node).contains(&last))
        });
    };
    // What a program takes for its buffers it takes in the first of these.
    (0..3).for_each(|part| flood(&bench, part));
    let before = PROGRAMS.map(|node| bench.pty(node).memory());
    (3..23).for_each(|part| flood(&bench, part));
    bench.wait_settled(STATES);
    for (node, before) in PROGRAMS.into_iter().zip(before) {
        let after = bench.pty(node).memory();
        // Kept, they would be 20 MB.
        assert!(
            after < before + 8_000,
            "{node:?} grew from {before} to {after} kB"
        );
        eprintln!("{node:?}: {before} kB before, {after} kB after 10,000 bad messages");
    }
    assert_screens_clean(&mut bench, marks);
    for _ in 0..7 {
        somebody.say("sensors/all", "PWNED", false);
    }
    bench.wait_text(Display, "7 times: bad message on sensors/all");
}
