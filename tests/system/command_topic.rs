//! Toggling over the command topic with what anybody has: `mosquitto_pub`.

use std::process::Command;

use rustix::process::Signal;

use crate::set::count;
use crate::support::bench::Node::{Broker1, Broker2, Card1};
use crate::support::bench::{BROKERS, Bench, INITIAL, Node};

/// One command of the shell's own client.
fn mosquitto_pub(bench: &Bench, broker: Node, topic: &str, payload: &str, more: &[&str]) {
    let url = bench.url(broker);
    let port = url.rsplit(':').next().expect("a port");
    let status = Command::new("mosquitto_pub")
        .args([
            "-h",
            "127.0.0.1",
            "-p",
            port,
            "-q",
            "2",
            "-t",
            topic,
            "-m",
            payload,
        ])
        .args(more)
        .status()
        .expect("mosquitto_pub cannot be started; install it (apt install mosquitto-clients)");
    assert!(status.success());
}

#[test]
fn mosquitto_pub_gives_commands_too() {
    let bench = Bench::running();
    mosquitto_pub(&bench, Broker1, "sensors/card1/set", r#"{"sensor_1":"KO"}"#, &[]);
    mosquitto_pub(
        &bench,
        Broker1,
        "sensors/card1/set",
        r#"{"toggle":[2],"by":"cron"}"#,
        &[],
    );
    mosquitto_pub(&bench, Broker2, "sensors/card2/set", r#"{"sensor_6":false}"#, &[]);
    bench.wait_settled(["KO", "KO", "OK", "OK", "OK", "KO"]);
    bench.wait_text(Card1, "command from cron: toggle sensor 2");
}

#[test]
fn at_the_other_broker_a_command_reaches_nobody() {
    let bench = Bench::running();
    let listeners = BROKERS.map(|broker| bench.listener(broker));
    mosquitto_pub(&bench, Broker2, "sensors/card1/set", r#"{"sensor_1":"KO"}"#, &[]);
    mosquitto_pub(&bench, Broker1, "sensors/card2/set", r#"{"sensor_4":"KO"}"#, &[]);
    listeners[0].wait_for_more(3, "sensors/card2/alive");
    listeners[1].wait_for_more(3, "sensors/card1/alive");
    assert_eq!(
        listeners.each_ref().map(|heard| heard.count("sensors/card1/set")),
        [0, 1]
    );
    assert_eq!(
        listeners.each_ref().map(|heard| heard.count("sensors/card2/set")),
        [1, 0]
    );
    bench.wait_settled(INITIAL);
}

#[test]
fn a_retained_command_is_ignored_at_each_start() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::KILL);
    // Not through the session of the one that is away: without it, the broker has nobody to give it to yet.
    bench.end(Broker1, Signal::TERM);
    forget_sessions(&bench);
    bench.start(Broker1);
    mosquitto_pub(
        &bench,
        Broker1,
        "sensors/card1/set",
        r#"{"sensor_1":"KO"}"#,
        &["-r"],
    );
    bench.start(Card1);
    bench.wait_text(Card1, "retained command on sensors/card1/set");
    bench.press(Card1, "3");
    bench.wait_row(Card1, 3, "KO", "CONFIRMED");
    assert_eq!(bench.row(Card1, 1).expect("a row").state, "OK");
}

fn forget_sessions(bench: &Bench) {
    let store = bench.folder().join("broker1").join("mosquitto.db");
    std::fs::remove_file(store).expect("the broker's store");
}

#[test]
fn bad_commands_are_counted_shown_and_change_nothing() {
    let bench = Bench::running();
    for payload in [
        "1=ko",
        r#"{"sensor_4":"KO"}"#,
        r#"{"sensor_1":"KO","toggle":[1]}"#,
        "",
        "\u{1b}[2J",
    ] {
        mosquitto_pub(&bench, Broker1, "sensors/card1/set", payload, &[]);
    }
    for words in [
        "not JSON",
        "asks for a sensor of another",
        "asks twice for the same sensor",
        "empty message",
    ] {
        bench.wait_text(Card1, &format!("bad message on sensors/card1/set: {words}"));
    }
    bench.wait_settled(INITIAL);
}

#[test]
fn the_same_command_again_toggles_once() {
    let bench = Bench::running();
    let listener = bench.listener(Broker1);
    for _ in 0..4 {
        mosquitto_pub(
            &bench,
            Broker1,
            "sensors/card1/set",
            r#"{"toggle":[1],"id":4711}"#,
            &[],
        );
    }
    listener.wait_for("four answers", |heard| {
        let answers = heard
            .iter()
            .filter(|heard| heard.topic == "sensors/card1/set/answer");
        answers
            .filter(|heard| heard.payload.starts_with(br#"{"sensor_1":false"#))
            .count()
            >= 4
    });
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
    assert_eq!(
        count(&bench.text(Card1), "command: toggle sensor 1"),
        1,
        "{}",
        bench.text(Card1)
    );
}

#[test]
fn a_command_for_an_owner_that_is_away_is_done_once_when_it_is_back() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::KILL);
    let ask = |bench: &Bench| {
        let payload = r#"{"toggle":[2],"id":12}"#;
        mosquitto_pub(bench, Broker1, "sensors/card1/set", payload, &[]);
    };
    ask(&bench);
    ask(&bench);
    bench.start(Card1);
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
    bench.end(Card1, Signal::KILL);
    ask(&bench);
    bench.start(Card1);
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
}
