//! The programs without a screen: arguments, one-time answers, plain lines, exit statuses.

use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::told::assert_says;
use crate::support::bench::{Bench, INITIAL, Node, PROGRAMS, binary, process};

/// Runs a program to its end, in a home of its own. One that cannot use its arguments leaves nothing there.
fn run(node: Node, arguments: &[&str]) -> (i32, String, String) {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(binary(node));
    command.args(arguments).env("TZ", "UTC").env("HOME", home.path());
    command.env_remove("XDG_STATE_HOME").env_remove("STATE_DIRECTORY");
    let ended = process::run(&mut command);
    if ended.0 == 2 && node != Display {
        let left = std::fs::read_dir(home.path()).expect("the home").count();
        assert_eq!(
            left, 0,
            "{node:?} {arguments:?} made a folder, and could not be used"
        );
    }
    ended
}

fn once(bench: &Bench, more: &[&str]) -> (i32, String, String) {
    let url = bench.url(Broker2);
    run(Display, &[&["--broker", &url, "--once"], more].concat())
}

#[test]
fn help_and_version_say_what_they_should() {
    for (node, name) in [
        (Card1, "card1_monitor"),
        (Card2, "card2_monitor"),
        (Display, "card2_global_display"),
    ] {
        let (status, said, _) = run(node, &["--version"]);
        assert_eq!(
            (status, said),
            (0, format!("{name} {}\n", env!("CARGO_PKG_VERSION")))
        );
        let (status, help, _) = run(node, &["--help"]);
        assert_eq!(status, 0);
        for word in [
            "Examples:",
            "--broker",
            "DUALBOARD_BROKER",
            "--password-file",
            "xit status",
            "mqtt://localhost:188",
        ] {
            assert!(help.contains(word), "{name} --help does not say {word}:\n{help}");
        }
        if node == Display {
            assert_says(&help, &["live", "--timeout, or 10 s"]);
        }
    }
}

#[test]
fn unusable_arguments_end_with_2_and_say_which_and_what_instead() {
    let cases: &[(&[&str], &str)] = &[
        (&["--nonsense"], "--nonsense"),
        (&["--broker", "http://localhost"], "http://localhost"),
        (&["--broker", "mqtt://"], "mqtt://"),
        (&["--broker", "mqtt://localhost:99999"], "99999"),
        (&["--broker", "localhost"], "localhost"),
        (&["--username", "me"], "--password-file"),
        (&["--username", "a/b", "--password-file", "f"], "none of + # /"),
        (&["--username", "a+", "--password-file", "f"], "none of + # /"),
        (&["--username", "#", "--password-file", "f"], "none of + # /"),
        (
            &["--username", "", "--password-file", "f"],
            "at least one character",
        ),
        (&["--password-file", "f"], "--username"),
        (&["--cert", "f"], "--key"),
        (&["--key", "f"], "--cert"),
        (
            &["--ca-file", "f"],
            "--ca-file is for TLS, and mqtt://localhost:188",
        ),
        (&["--cert", "f", "--key", "f"], "write mqtts://"),
        (
            &["--broker", "mqtt://localhost", "--ca-file", "f"],
            "write mqtts://",
        ),
        (&["--broker", "mqtts://10.0.0.1"], "no credential"),
        (
            &[
                "--broker",
                "mqtt://board1",
                "--username",
                "me",
                "--password-file",
                "f",
            ],
            "no encryption",
        ),
        (&["extra"], "extra"),
    ];
    for node in PROGRAMS {
        for (arguments, word) in cases {
            let (status, said, why) = run(node, arguments);
            assert_eq!((status, said.as_str()), (2, ""), "{node:?} {arguments:?}: {why}");
            assert!(why.contains(word), "{node:?} {arguments:?}: {why}");
        }
    }
    for node in [Card1, Card2] {
        for action in ["--toggle=1", "--set=5=ko"] {
            let (status, said, why) = run(node, &["--read-only", action]);
            assert_eq!((status, said.as_str()), (2, ""), "{action}: {why}");
            let option = action.split('=').next().expect("an option");
            assert_says(&why, &["--read-only", option]);
            assert_says(&why, &["give one of the two"]);
        }
    }
    for (names, words) in [
        ("Pump", "`Pump` is not a sensor and its name"),
        ("1=a,1=b", "sensor 1 is named twice"),
        ("1=wider than all the columns there are", "wider than 24 columns"),
        ("1=a\u{200b}b", "U+200B in it does not show"),
        (
            "1=Pump,4=Lamp",
            "sensor 4 is not on this card; give its name to card2_monitor",
        ),
    ] {
        let (status, said, why) = run(Card1, &["--names", names]);
        assert_eq!((status, said.as_str()), (2, ""), "{names}: {why}");
        assert_says(&why, &["--names", words]);
    }
    for seconds in ["0", "-1", "soon", "nan", "1e300"] {
        let (status, _, why) = run(Display, &["--once", &format!("--timeout={seconds}")]);
        assert_eq!(status, 2, "{why}");
        assert_says(&why, &[seconds]);
    }
}

#[test]
fn a_password_file_that_cannot_be_used_ends_with_1_and_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "\n").expect("a file");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&empty, private).expect("our own file");
    let empty = empty.display().to_string();
    for (file, words) in [
        ("/nowhere/at/all", "cannot read"),
        (empty.as_str(), "empty first line"),
    ] {
        for node in PROGRAMS {
            let (status, _, why) = run(node, &["--username", "me", "--password-file", file]);
            assert_eq!(status, 1, "{node:?}: {why}");
            assert!(why.contains(file) && why.contains(words), "{node:?}: {why}");
            assert_eq!(why.lines().count(), 1, "{why}");
        }
    }
}

#[test]
fn a_state_folder_that_cannot_be_ends_with_1_and_is_named() {
    let (status, _, why) = run(Card1, &["--state-dir", "/dev/null/folder"]);
    assert_eq!(status, 1);
    assert_says(&why, &["/dev/null/folder", "--state-dir"]);
    assert_eq!(why.lines().count(), 1, "{why}");
}

#[test]
fn once_without_a_broker_says_so_and_ends_with_3() {
    let bench = Bench::new();
    let (status, said, why) = once(&bench, &["--timeout", "4"]);
    assert_eq!(status, 3);
    assert_says(
        &why,
        &[
            "no answer from mqtt://127.0.0.1:",
            "within 4 s: connection refused",
        ],
    );
    assert_eq!(
        said.lines().filter(|line| line.ends_with("UNKNOWN")).count(),
        6,
        "{said}"
    );
}

#[test]
fn once_tells_by_its_exit_status_what_monitoring_wants_to_know() {
    let mut bench = Bench::new();
    bench.start_all([Broker1, Broker2]);
    let (status, said, _) = once(&bench, &["--timeout", "2"]);
    assert_eq!(status, 3, "nothing is known: {said}");

    bench.start_all([Card1, Card2]);
    bench.wait_settled(INITIAL);
    let (status, said, why) = once(&bench, &[]);
    assert_eq!((status, why.as_str()), (0, ""), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 6);
    for (line, sensor) in lines.iter().zip(1..) {
        assert_eq!(*line, format!("Sensor {sensor}  OK       LIVE"));
    }

    bench.press(Card2, "5");
    bench.wait_settled(["OK", "OK", "OK", "OK", "KO", "OK"]);
    let (status, said, _) = once(&bench, &["--json"]);
    assert_eq!(status, 2);
    let json: Value = serde_json::from_str(&said).expect("one JSON object");
    assert_eq!(
        (&json["sensor_1"], &json["sensor_5"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
    assert_eq!(json["live"], serde_json::json!({"card1": true, "card2": true}));
    assert_eq!(json.get("held_since"), None);

    bench.press(Card2, "5");
    bench.wait_settled(INITIAL);
    bench.end(Card1, Signal::KILL);
    bench.wait_text(Card2, "card1_monitor's connection has ended");
    let (status, said, _) = once(&bench, &[]);
    assert_eq!(status, 1, "all OK, but card 1 is held: {said}");
    assert!(
        said.starts_with("Sensor 1  OK       HELD, not heard live\n"),
        "{said}"
    );
    let (status, said, _) = once(&bench, &["--json"]);
    let json: Value = serde_json::from_str(&said).expect("one JSON object");
    assert_eq!(
        (status, &json["live"]["card1"]),
        (1, &Value::Bool(false)),
        "{said}"
    );
    // It was held when this program began to listen; since when, nobody has told it.
    assert_eq!(json["held_since"], serde_json::json!({"card1": null}), "{said}");
}

#[test]
fn settings_come_from_the_environment_and_an_empty_one_is_none() {
    let bench = Bench::running();
    let log = bench.folder().join("log.txt");
    let mut command = Command::new(binary(Display));
    let command = command.arg("--once").env("DUALBOARD_BROKER", bench.url(Broker2));
    command.env("DUALBOARD_JSON", "1").env("DUALBOARD_LOG_FILE", &log);
    for empty in ["LOG_LEVEL", "TIMEOUT", "USERNAME", "CA_FILE"] {
        command.env(format!("DUALBOARD_{empty}"), "");
    }
    let (status, said, _) = process::run(command);
    assert_eq!(status, 0, "{said}");
    let json: Value = serde_json::from_str(&said).expect("one JSON object");
    assert_eq!(json["sensor_1"], true);
    let text = std::fs::read_to_string(log).expect("a log");
    assert_says(&text, &["card2_global_display: connected to broker 2"]);

    let (_, said, _) = process::run(command.env("DUALBOARD_JSON", "no"));
    assert!(said.starts_with("Sensor 1  OK"), "{said}");

    for (variable, words) in [
        ("DUALBOARD_BELL", "repeat, once, off"),
        ("DUALBOARD_NOTIFY", "off, auto, osc9, osc777, osc99"),
    ] {
        let (status, _, why) = process::run(Command::new(binary(Card1)).env(variable, "perhaps"));
        assert_eq!(status, 2, "{why}");
        assert_says(&why, &["perhaps", words]);
    }
    for (variable, node) in [
        ("DUALBOARD_JSON", Display),
        ("DUALBOARD_READ_ONLY", Card1),
        ("DUALBOARD_NO_BELL", Card2),
    ] {
        let (status, _, why) = process::run(Command::new(binary(node)).env(variable, "perhaps"));
        assert_eq!(status, 2, "{why}");
        assert_says(&why, &["perhaps", "0, false, no or off"]);
    }
}
