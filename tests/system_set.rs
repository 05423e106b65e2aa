//! `--set`, `--toggle` and the command topics: real brokers, real programs, and the same guarantee as a key.
#![cfg(feature = "app")]

#[path = "support/bench.rs"]
mod bench;

use std::process::{Command, Output, Stdio};

use bench::Node::{Broker1, Broker2, Card1, Card2};
use bench::{BROKERS, Bench, INITIAL, Node, binary, flat, says};
use rustix::process::Signal;

/// Runs a monitor's one-shot action to its end: exit status, stdout, stderr.
fn act(bench: &Bench, node: Node, arguments: &[&str]) -> (i32, String, String) {
    ended(
        command(bench, node, arguments)
            .output()
            .expect("the program can be started"),
    )
}

fn command(bench: &Bench, node: Node, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary(node));
    command
        .args(["--broker", &bench.url(node)])
        .arg("--state-dir")
        .arg(bench.state_dir(node))
        .args(arguments)
        .env("TZ", "UTC")
        .stdin(Stdio::null());
    command
}

fn ended(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (
        output.status.code().expect("it ends by itself"),
        text(output.stdout),
        text(output.stderr),
    )
}

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

fn count(text: &str, words: &str) -> usize {
    flat(text).matches(words).count()
}

#[test]
fn without_a_monitor_it_is_confirmed_by_the_other_board() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::TERM);
    let (status, said, why) = act(&bench, Card1, &["--set", "2=ko", "--toggle", "3"]);
    assert_eq!((status, why.as_str()), (0, ""), "{said}");
    assert_eq!(
        said,
        "Sensor 2  KO       CONFIRMED\nSensor 3  KO       CONFIRMED\n"
    );
    let states = ["OK", "KO", "KO", "OK", "OK", "OK"];
    assert!(says(
        &bench.retained(Broker2, "sensors/all").expect("a join"),
        states,
        "sensors/all"
    ));
    let (status, said, _) = act(&bench, Card1, &["--set=2=KO", "--set=1=ok"]);
    assert_eq!(
        (status, said.lines().count()),
        (0, 2),
        "what is so already is confirmed as well"
    );
    bench.start(Card1);
    bench.wait_settled(states);
}

#[test]
fn the_monitor_that_runs_does_it_and_says_who_asked() {
    let mut bench = Bench::running();
    for (node, sensor) in [(Card1, 2), (Card2, 5)] {
        let (status, said, why) = act(&bench, node, &["--toggle", &sensor.to_string()]);
        assert_eq!((status, why.as_str()), (0, ""));
        assert_eq!(said, format!("Sensor {sensor}  KO       CONFIRMED\n"));
        bench.wait_row(node, sensor, "KO", "CONFIRMED");
        bench.wait_text(node, &format!("toggle sensor {sensor}"));
        assert!(
            flat(&bench.text(node)).contains("command from process "),
            "{}",
            bench.text(node)
        );
    }
    bench.wait_settled(["OK", "KO", "OK", "OK", "KO", "OK"]);
    bench.press(Card1, "2");
    bench.wait_settled(["OK", "OK", "OK", "OK", "KO", "OK"]);
}

#[test]
fn many_at_once_all_count() {
    let bench = Bench::running();
    let toggles: Vec<_> = (0..7)
        .map(|_| {
            let mut command = command(&bench, Card1, &["--toggle", "1", "--timeout", "60"]);
            command
                .stdout(Stdio::piped())
                .spawn()
                .expect("the program can be started")
        })
        .collect();
    for toggle in toggles {
        assert_eq!(ended(toggle.wait_with_output().expect("a child")).0, 0);
    }
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
}

#[test]
fn many_at_once_without_a_monitor_all_count() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::KILL);
    let toggles: Vec<_> = (0..5)
        .map(|_| {
            let mut command = command(&bench, Card1, &["--toggle", "1", "--timeout", "60"]);
            command
                .stdout(Stdio::piped())
                .spawn()
                .expect("the program can be started")
        })
        .collect();
    for toggle in toggles {
        assert_eq!(ended(toggle.wait_with_output().expect("a child")).0, 0);
    }
    bench.start(Card1);
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
}

#[test]
fn without_a_broker_it_is_in_the_file_and_goes_out_later() {
    let mut bench = Bench::running();
    bench.end_all([Card1, Broker1], Signal::TERM);
    let (status, said, why) = act(&bench, Card1, &["--set", "2=ko", "--timeout", "1"]);
    assert_eq!(
        (status, said.as_str()),
        (1, "Sensor 2  KO       SENDING\n"),
        "{why}"
    );
    for words in [
        "not confirmed within 1 s (sensor 2 SENDING)",
        "unreachable",
        "in the state file in",
        "card1_monitor",
    ] {
        assert!(why.contains(words), "{why}");
    }
    assert_eq!(why.lines().count(), 1, "{why}");
    bench.start_all([Broker1, Card1]);
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
}

#[test]
fn with_the_link_cut_it_is_saved() {
    let mut bench = Bench::running();
    bench.link.cut();
    bench.wait_text(Card1, "bridge down");
    let (status, said, why) = act(&bench, Card1, &["--set", "3=ko", "--timeout", "6"]);
    assert_eq!(
        (status, said.as_str()),
        (1, "Sensor 3  KO       SAVED\n"),
        "{why}"
    );
    assert!(
        why.contains("(sensor 3 SAVED)") && why.contains("goes on with it by itself (process "),
        "{why}"
    );
    bench.end(Card1, Signal::TERM);
    let (status, said, why) = act(&bench, Card1, &["--set", "1=ko", "--timeout", "6"]);
    assert_eq!(
        (status, said.as_str()),
        (1, "Sensor 1  KO       SAVED\n"),
        "{why}"
    );
    bench.link.heal();
    bench.start(Card1);
    bench.wait_settled(["KO", "OK", "KO", "OK", "OK", "OK"]);
}

#[test]
fn a_monitor_whose_broker_is_away_cannot_be_asked_and_that_is_said() {
    let mut bench = Bench::running();
    bench.end(Broker1, Signal::TERM);
    bench.wait_text(Card1, "unreachable");
    let (status, said, why) = act(&bench, Card1, &["--set", "3=ko", "--timeout", "1"]);
    assert_eq!((status, said.as_str()), (1, ""), "{why}");
    let pid = bench.pty(Card1).pid();
    assert!(
        why.contains("connection refused") && why.contains(&format!("runs (process {pid}")),
        "{why}"
    );
    bench.start(Broker1);
    bench.wait_settled(INITIAL);
}

#[test]
fn a_monitor_that_is_stopped_is_said_to_be_stopped_and_does_it_when_it_goes_on() {
    let mut bench = Bench::running();
    bench.pty(Card1).signal(Signal::STOP);
    let (status, said, why) = act(&bench, Card1, &["--set", "3=ko", "--timeout", "1"]);
    bench.pty(Card1).signal(Signal::CONT);
    assert_eq!((status, said.as_str()), (1, ""), "{why}");
    let pid = bench.pid(Card1);
    let words = format!("card1_monitor is stopped (process {pid}, ");
    assert!(
        why.contains(&words) && why.contains("continue it there with fg"),
        "{why}"
    );
    bench.wait_settled(["OK", "OK", "KO", "OK", "OK", "OK"]);
}

#[test]
fn an_owner_that_ends_meanwhile_has_done_it_once() {
    let mut bench = Bench::running();
    bench.link.cut();
    bench.wait_text(Card1, "bridge down");
    let mut waiting = command(&bench, Card1, &["--toggle", "1", "--timeout", "90"]);
    let waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let waiting = waiting.expect("the program can be started");
    bench.wait_row(Card1, 1, "KO", "SAVED");
    bench.end(Card1, Signal::KILL);
    // Now the process that waits is the owner itself. It knows from the file that it is done.
    bench.wait("it is the owner", |bench| {
        let lock = std::fs::read_to_string(bench.state_dir(Card1).join("card1.lock"));
        lock.is_ok_and(|text| text.lines().next() == Some(&waiting.id().to_string()))
    });
    bench.link.heal();
    let (status, said, why) = ended(waiting.wait_with_output().expect("a child"));
    assert_eq!(
        (status, said.as_str()),
        (0, "Sensor 1  KO       CONFIRMED\n"),
        "{why}"
    );
    bench.start(Card1);
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
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
    for _ in 0..2 {
        mosquitto_pub(
            &bench,
            Broker1,
            "sensors/card1/set",
            r#"{"toggle":[2],"id":12}"#,
            &[],
        );
    }
    bench.start(Card1);
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
    bench.end(Card1, Signal::KILL);
    mosquitto_pub(
        &bench,
        Broker1,
        "sensors/card1/set",
        r#"{"toggle":[2],"id":12}"#,
        &[],
    );
    bench.start(Card1);
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
}

#[test]
fn arguments_that_cannot_be_used_end_with_2_and_say_what_can() {
    let bench = Bench::new();
    for (arguments, words) in [
        (
            &["--set", "4=ko"][..],
            "sensor 4 is not on card 1; give one from 1 to 3",
        ),
        (&["--toggle", "0"], "sensor 0 is not on card 1"),
        (&["--set", "1"], "say for example 2=ko"),
        (&["--set", "1=maybe"], "say for example 2=ko"),
        (&["--set", "1=ok", "--toggle", "1"], "asked for twice"),
        (&["--toggle", "1", "--timeout", "0"], "not a number of seconds"),
    ] {
        let (status, said, why) = act(&bench, Card1, arguments);
        assert_eq!((status, said.as_str()), (2, ""), "{arguments:?}: {why}");
        assert!(why.contains(words), "{arguments:?}: {why}");
    }
    assert!(!bench.state_dir(Card1).exists(), "a folder was made");
}
