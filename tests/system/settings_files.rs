//! Files of settings: which of them counts, and what is said of one that cannot be used.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::bench::Node::{Broker2, Card1, Card2, Display};
use crate::support::bench::process::{assert_ended, run};
use crate::support::bench::told::assert_says;
use crate::support::bench::{Bench, PROGRAMS, binary};
use crate::support::pty::{Start, code};

/// A program with the settings of a folder and these arguments.
fn program(node: crate::support::bench::Node, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary(node));
    command
        .args(arguments)
        .env("TZ", "UTC")
        .env("DUALBOARD_SETTINGS", folder);
    command
}

fn write(folder: &Path, file: &str, text: &str) {
    fs::write(folder.join(file), text).expect("room on the disk");
}

#[test]
fn a_board_needs_no_arguments_where_its_files_say_all() {
    let bench = Bench::running();
    let folder = tempfile::tempdir().expect("a folder");
    let board = format!("DUALBOARD_STATE_DIR={}\n", bench.state_dir(Card1).display());
    write(folder.path(), "board.env", &board);
    let url = format!("# broker 1\nDUALBOARD_BROKER=\"{}\"\n", bench.url(Card1));
    write(folder.path(), "card1_monitor.env", &url);
    let mut screen = Start::program([binary(Card1)])
        .env("LC_ALL", "C.UTF-8")
        .env("DUALBOARD_SETTINGS", &folder.path().display().to_string())
        .spawn();
    let of = format!("screen of process {}", bench.pid(Card1));
    screen.wait_for("whose screen it is", |seen| seen.shows(&of));
    screen.press("q");
    assert_eq!(code(screen.wait_for_end()), 0);
}

#[test]
fn an_option_wins_over_a_variable_that_over_the_programs_file_and_that_over_the_boards() {
    let bench = Bench::running();
    let folder = tempfile::tempdir().expect("a folder");
    let (url, nowhere) = (bench.url(Broker2), "mqtt://localhost:1");
    let broker = |url: &str| format!("DUALBOARD_BROKER={url}\n");
    let once = |variable: Option<&str>, arguments: &[&str]| {
        let all = [&["--once", "--timeout", "30"], arguments].concat();
        let mut command = program(Display, folder.path(), &all);
        if let Some(value) = variable {
            command.env("DUALBOARD_BROKER", value);
        }
        run(&mut command)
    };
    write(
        folder.path(),
        "board.env",
        &(broker(&url) + "DUALBOARD_JSON=yes\n"),
    );
    let (status, said, why) = once(None, &[]);
    let json: Value = serde_json::from_str(&said).expect("a switch from the file");
    assert_eq!((status, &json["sensor_1"]), (0, &Value::Bool(true)), "{why}");

    write(folder.path(), "board.env", &broker(nowhere));
    write(folder.path(), "card2_global_display.env", &broker(&url));
    assert_eq!(once(None, &[]).0, 0);
    // That of another program is not read.
    write(folder.path(), "card2_monitor.env", "nonsense");
    assert_eq!(once(None, &[]).0, 0);

    write(folder.path(), "card2_global_display.env", &broker(nowhere));
    assert_eq!(once(Some(&url), &[]).0, 0);
    assert_eq!(once(Some(nowhere), &["--broker", &url]).0, 0);
    // An empty variable stands for the default of the option, over a file, too.
    write(folder.path(), "card2_global_display.env", "DUALBOARD_JSON=yes\n");
    let arguments = ["--once", "--broker", &url];
    let (_, said, _) = run(program(Display, folder.path(), &arguments).env("DUALBOARD_JSON", ""));
    assert!(said.starts_with("Sensor 1  OK"), "{said}");
}

#[test]
fn what_cannot_be_used_is_named_by_file_and_line_and_ends_with_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("board.env").display().to_string();
    for (text, words) in [
        (
            "\nDUALBOARD_BELL=loud\n",
            &["line 2: DUALBOARD_BELL: ", "repeat, once, off"][..],
        ),
        (
            "DUALBOARD_NO_BELL=maybe",
            &["line 1: DUALBOARD_NO_BELL: ", "0, false, no or off"],
        ),
        (
            "DUALBOARD_USERNAME=a/b",
            &["line 1: DUALBOARD_USERNAME: ", "none of + # /"],
        ),
        ("DUALBOARD_BELL 'once'", &["line 1: there is no ="]),
        (
            "DUALBOARD_USERNAME=me",
            &["--username is of use with --password-file only"],
        ),
        (
            "DUALBOARD_BROKER=mqtt://localhost\nDUALBOARD_CA_FILE=/f",
            &["--ca-file is for TLS, and mqtt://localhost is not encrypted"],
        ),
    ] {
        write(folder.path(), "board.env", text);
        for node in PROGRAMS {
            let why = assert_ended(run(&mut program(node, folder.path(), &[])), 2, "");
            assert_says(&why, words);
            assert!(words[0].starts_with("--") || why.contains(&file), "{why}");
            // Help says how such a file looks.
            let (status, said, _) = run(&mut program(node, folder.path(), &["--help"]));
            assert_eq!(status, 0);
            assert_says(&said, &["/etc/dualboard/board.env", "DUALBOARD_SETTINGS"]);
        }
    }
    let missing = folder.path().join("missing");
    let why = assert_ended(run(&mut program(Card2, &missing, &[])), 2, "");
    assert_says(&why, &["DUALBOARD_SETTINGS names", "which is no folder"]);
}

#[test]
fn what_was_typed_as_mqtt_leaves_the_certificates_of_the_settings_out() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "board.env", "DUALBOARD_CA_FILE=/no/such/file\n");
    let arguments = ["--once", "--timeout", "1", "--broker", "mqtt://localhost:1"];
    let (status, _, why) = run(&mut program(Display, folder.path(), &arguments));
    assert_eq!(status, 3, "{why}");
    assert_says(&why, &["connection refused"]);
}

#[test]
fn a_name_that_is_no_setting_is_said_and_stops_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines = "DUALBOARD_BEL=once\nDUALBOARD_PASSWORD=opensesame\nDUALBOARD_STATE_DIR=/for/monitors/only\n";
    write(folder.path(), "board.env", lines);
    let arguments = ["--once", "--timeout", "1", "--broker", "mqtt://localhost:1"];
    let (status, _, why) = run(&mut program(Display, folder.path(), &arguments));
    assert_eq!(status, 3, "{why}");
    assert_says(&why, &["board.env line 1: DUALBOARD_BEL is no setting"]);
    assert_says(&why, &["board.env line 2: DUALBOARD_PASSWORD is no setting"]);
    assert_says(&why, &["connection refused"]);
    assert!(!why.contains("opensesame") && !why.contains("STATE_DIR"), "{why}");
}
