//! What people call the sensors: from an owner's setting, over both brokers, to every screen.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::bench::Node::{self, Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::process::{PipedProgram, act, command};
use crate::support::bench::{BROKERS, Bench, PROGRAMS, flat, row};

const KO_2: [&str; 6] = ["OK", "KO", "OK", "OK", "OK", "OK"];

/// Starts an owner once more, with these names.
fn rename(bench: &mut Bench, node: Node, options: &[&str]) {
    bench.end(node, Signal::TERM);
    let pty = bench.spawn(node, &bench.url(node), options);
    bench.give(node, pty);
}

/// What stands in a sensor's row on a screen.
fn line(bench: &Bench, node: Node, sensor: u8) -> String {
    let text = bench.text(node);
    let mut rows = text.lines();
    let row = rows.find(|line| line.contains(&format!("Sensor {sensor} ")));
    row.unwrap_or_default().to_owned()
}

fn wait_named(bench: &Bench, sensor: u8, name: &str) {
    for node in PROGRAMS {
        bench.wait(
            &format!("sensor {sensor} is called {name} on {node:?}"),
            |bench| line(bench, node, sensor).contains(name),
        );
    }
}

/// The names that a broker holds on a topic.
fn held(bench: &Bench, broker: Node, topic: &str) -> Value {
    let payload = bench.retained(broker, topic).unwrap_or_default();
    let report: Value = serde_json::from_slice(&payload).unwrap_or_default();
    report["names"].clone()
}

#[test]
fn names_reach_every_screen_over_both_brokers_and_change_with_a_restarted_owner() {
    let mut bench = Bench::with_ko("2");
    let log = bench.folder().join("log.txt").display().to_string();
    rename(
        &mut bench,
        Card1,
        &["--names", "2=OK button,3=東京", "--log-file", &log],
    );
    rename(&mut bench, Card2, &["--names", "6=Boiler"]);
    wait_named(&bench, 2, "OK button");
    wait_named(&bench, 3, "東京");
    wait_named(&bench, 6, "Boiler");
    bench.wait_settled(KO_2);
    let all = json!({"sensor_2": "OK button", "sensor_3": "東京", "sensor_6": "Boiler"});
    for broker in BROKERS {
        bench.wait("the join has the names", |bench| {
            held(bench, broker, "sensors/all") == all
        });
    }

    // In the log, in the banner, on another screen, and without a screen.
    bench.press(Card1, "3");
    for node in PROGRAMS {
        bench.wait_text(node, "sensor 3 (東京) OK → KO");
        bench.wait_text(node, "sensor 3 (東京) KO");
    }
    let text = std::fs::read_to_string(&log).expect("a log");
    assert!(text.contains("sensor 3 (東京)  OK → KO  sending"), "{text}");
    let screen = bench.spawn(Card2, &bench.url(Card2), &[]);
    screen.wait_for("the names", |seen| {
        seen.shows("Boiler") && seen.shows("OK button")
    });
    drop(screen);
    let (status, lines, why) = act(&bench, Display, &["--once"]);
    assert_eq!(status, 2, "{why}");
    for line in [
        "Sensor 1  OK       LIVE\n",
        "Sensor 2  KO       LIVE  (OK button)\n",
        "Sensor 3  KO       LIVE  (東京)\n",
        "Sensor 6  OK       LIVE  (Boiler)\n",
    ] {
        assert!(lines.contains(line), "{line}: {lines}");
    }
    let (_, object, _) = act(&bench, Display, &["--once", "--json"]);
    let object: Value = serde_json::from_str(&object).expect("JSON");
    assert_eq!(object["names"], all);
    bench.press(Card1, "3");
    bench.wait_settled(KO_2);

    // Another name, and none: no state changes.
    rename(&mut bench, Card1, &["--names=2=Lamp"]);
    wait_named(&bench, 2, "Lamp");
    for (broker, topic) in [(Broker1, "sensors/card1"), (Broker2, "sensors/card1")] {
        bench.wait("the new name alone", |bench| {
            held(bench, broker, topic) == json!({"sensor_2": "Lamp"})
        });
    }
    bench.wait_settled(KO_2);
    rename(&mut bench, Card1, &[]);
    rename(&mut bench, Card2, &[]);
    for broker in BROKERS {
        bench.wait("no names", |bench| {
            held(bench, broker, "sensors/all") == Value::Null
        });
    }
    for node in PROGRAMS {
        bench.wait("no names on the screens", |bench| {
            let text = flat(&bench.text(node));
            !text.contains("Lamp") && !text.contains("Boiler")
        });
    }
    bench.wait_settled(KO_2);
    let (_, object, _) = act(&bench, Display, &["--once", "--json"]);
    assert!(!object.contains("names"), "{object}");
}

#[test]
fn one_variable_names_the_sensors_of_both_cards_and_stays_after_a_change_without_a_monitor() {
    let mut bench = Bench::new();
    bench.start_all(BROKERS);
    let named = |bench: &Bench, node: Node, options: &[&str]| {
        let mut command = command(bench, node, options);
        command.env("DUALBOARD_NAMES", "1=Front door,4=Boiler");
        PipedProgram::start(&mut command)
    };
    let programs = [Card1, Card2].map(|node| named(&bench, node, &[]));
    let display = named(&bench, Display, &["--once"]);
    let (status, lines, why) = display.end();
    assert_eq!(status, 0, "{why}");
    assert!(lines.contains("LIVE  (Front door)\n"), "{lines}");
    assert!(lines.contains("LIVE  (Boiler)\n"), "{lines}");
    let [card1, _card2] = programs;
    card1.signal(Signal::TERM);
    let (_, lines, _) = card1.end();
    assert!(
        lines.contains("Sensor 1  OK       CONFIRMED  (Front door)\n"),
        "{lines}"
    );
    assert!(lines.contains("Sensor 4  OK       LIVE  (Boiler)\n"), "{lines}");
    let (status, said, why) = act(&bench, Card1, &["--set", "2=ko"]);
    assert_eq!(
        (status, said.as_str()),
        (0, "Sensor 2  KO       CONFIRMED\n"),
        "{why}"
    );
    bench.start(Display);
    bench.wait_row(Display, 2, "KO", "HELD");
    bench.wait("the name has stayed", |bench| {
        line(bench, Display, 1).contains("Front door") && row(&bench.text(Display), 1).is_some()
    });
}
