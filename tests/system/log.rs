//! The log file: what it says, what it never says, and that it is never in the way.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Card1, Display};
use crate::support::bench::process::act;
use crate::support::bench::process::assert_ended;
use crate::support::bench::told::{assert_says, says_all};
use crate::support::bench::{Bench, INITIAL, Node, flat};
use crate::support::pty::{PtyOutput, Start, code};

/// Starts a program once more, with a log.
fn restart(bench: &mut Bench, node: Node, log: &Path, level: &str) {
    bench.end(node, Signal::TERM);
    let log = log.display().to_string();
    let pty = bench.spawn(
        node,
        &bench.url(node),
        &["--log-file", &log, "--log-level", level],
    );
    bench.give(node, pty);
    bench.wait_settled(INITIAL);
}

fn file(bench: &Bench) -> PathBuf {
    bench.folder().join("log.txt")
}

fn read(path: &Path) -> String {
    let text = String::from_utf8(fs::read(path).unwrap_or_default()).expect("UTF-8");
    let hides =
        |letter: char| letter != '\n' && (letter.is_control() || ('\u{200b}'..='\u{202e}').contains(&letter));
    assert!(!text.contains(hides), "{}", text.escape_debug());
    for line in text.lines() {
        let (time, rest) = line.split_at(line.len().min(20));
        assert!(
            time.ends_with('Z') && time.as_bytes().get(10) == Some(&b'T'),
            "{line}"
        );
        let level = rest.split_whitespace().next().unwrap_or_default();
        assert!(["error", "warn", "info", "debug"].contains(&level), "{line}");
    }
    text
}

fn wait_for(bench: &Bench, words: &str) {
    bench.wait(&format!("the log says '{words}'"), |bench| {
        fs::read_to_string(file(bench)).is_ok_and(|text| text.contains(words))
    });
}

#[test]
fn it_says_what_happens_with_times_and_levels_and_not_on_the_screen() {
    let mut bench = Bench::running();
    let log = file(&bench);
    restart(&mut bench, Card1, &log, "info");
    bench.press(Card1, "2");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
    bench
        .listener(Broker1)
        .say("sensors/card1/set", "\u{1b}[2J{", false);
    bench.link.cut();
    wait_for(&bench, "warn  card1_monitor: board 2 held: ");
    let screen = flat(&bench.text(Card1));
    assert!(
        !screen.contains("starts: process") && !screen.contains("info"),
        "{screen}"
    );
    bench.end(Card1, Signal::TERM);
    let text = read(&log);
    for words in [
        concat!(
            "info  card1_monitor: version ",
            env!("CARGO_PKG_VERSION"),
            " starts: process "
        ),
        "info  card1_monitor: connected to broker 1",
        "info  card1_monitor: sensor 2  OK → KO  sending",
        "info  card1_monitor: sensor 2  KO CONFIRMED",
        "warn  card1_monitor: bad message on sensors/card1/set: not JSON",
        "info  card1_monitor: ends",
    ] {
        assert!(text.contains(words), "no '{words}' in:\n{text}");
    }
    assert!(!text.contains(" debug "), "{text}");
    // One line for each thing that happened, and none for what was so at the start; to be shown and to be
    // saved may be one.
    let of_sensors: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_once("card1_monitor: sensor "))
        .map(|(_, told)| told)
        .filter(|told| *told != "2  KO SAVED")
        .collect();
    assert_eq!(of_sensors, ["2  OK → KO  sending", "2  KO CONFIRMED"], "{text}");
}

#[test]
fn what_comes_from_the_network_is_harmless_at_every_level() {
    let mut bench = Bench::running();
    let log = file(&bench);
    restart(&mut bench, Card1, &log, "debug");
    let stranger = bench.listener(Broker1);
    stranger.say(
        "sensors/card1/set",
        "a\u{1b}[2J\u{9b}31m\r\nb\u{202e}\u{200b}c\u{7}",
        false,
    );
    stranger.say("sensors/card1/set", b"\xff\xfe\x00".to_vec(), false);
    wait_for(&bench, "a[2J31m  bc");
    wait_for(&bench, "heard sensors/card1/set (3 bytes)");
    // Only what is new is written to the state file.
    bench.press(Card1, "1");
    wait_for(&bench, "state file written");
    bench.end(Card1, Signal::TERM);
    let text = read(&log);
    for words in ["sent ", "delivered ", "state file written", "heard sensors/all"] {
        assert!(text.contains(words), "no '{words}' in:\n{text}");
    }
}

#[test]
fn a_level_leaves_out_what_is_less() {
    let mut bench = Bench::running();
    let log = file(&bench);
    restart(&mut bench, Display, &log, "warn");
    bench.end(Card1, Signal::KILL);
    wait_for(&bench, "board 1 held");
    bench.end(Display, Signal::TERM);
    let text = read(&log);
    assert!(!text.contains(" info ") && !text.contains(" debug "), "{text}");
}

#[test]
fn a_full_disk_is_said_and_stops_nothing() {
    let mut bench = Bench::running();
    restart(&mut bench, Card1, Path::new("/dev/full"), "debug");
    bench.wait_text(Card1, "log file /dev/full: No space left");
    bench.press(Card1, "3");
    bench.wait_settled(["OK", "OK", "KO", "OK", "OK", "OK"]);
    bench.end(Card1, Signal::TERM);
}

#[test]
fn a_file_that_is_moved_away_is_begun_anew() {
    let mut bench = Bench::running();
    let log = file(&bench);
    restart(&mut bench, Card1, &log, "info");
    wait_for(&bench, "connected");
    fs::rename(&log, bench.folder().join("log.1")).expect("a log");
    bench.press(Card1, "1");
    wait_for(&bench, "sensor 1  KO CONFIRMED");
    assert!(!read(&log).contains("starts"));
}

#[test]
fn usr1_makes_a_file_that_was_moved_away_anew_and_ends_nothing() {
    let mut bench = Bench::running();
    let log = file(&bench);
    restart(&mut bench, Card1, &log, "info");
    wait_for(&bench, "connected");
    fs::rename(&log, bench.folder().join("log.1")).expect("a log");
    bench.pty(Card1).signal(Signal::USR1);
    bench.wait("there is a new log", |_| log.exists());
    bench.press(Card1, "1");
    wait_for(&bench, "sensor 1  KO CONFIRMED");
}

#[test]
fn a_file_that_comes_back_is_written_again_and_says_what_is_missing() {
    let mut bench = Bench::running();
    let folder = bench.folder().join("logs");
    fs::create_dir(&folder).expect("a folder");
    let log = folder.join("log.txt");
    restart(&mut bench, Card1, &log, "info");
    fs::rename(&folder, bench.folder().join("away")).expect("a folder");
    bench.press(Card1, "1");
    bench.wait_text(Card1, "cannot write the log file");
    bench.wait_row(Card1, 1, "KO", "CONFIRMED");
    fs::create_dir(&folder).expect("a folder");
    bench.press(Card1, "2");
    bench.wait_text(Card1, "log file written again");
    let text = fs::read_to_string(&log).expect("a log");
    assert!(
        text.starts_with('(') && text.contains("lines could not be written here"),
        "{text}"
    );
}

/// The owner may be the only one who may write there, or has to make the file itself.
#[test]
fn a_screen_leaves_the_log_to_the_owner_and_writes_one_when_it_is_the_owner() {
    let mut bench = Bench::running();
    let log = file(&bench);
    let option = format!("--log-file={}", log.display());
    let screen = bench.spawn(Card1, &bench.url(Card1), &[&option]);
    screen.wait_for("whose screen it is", |seen| seen.shows("screen of process"));
    assert!(!log.exists(), "a screen writes nothing there");
    bench.end(Card1, Signal::TERM);
    screen.wait_for("the key", |seen| seen.shows("o run it here"));
    screen.press("o");
    bench.give(Card1, screen);
    bench.wait_settled(INITIAL);
    wait_for(&bench, "connected");
}

#[test]
fn a_file_that_cannot_be_is_named_at_the_start() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::TERM);
    let mut pty = bench.spawn(Card1, &bench.url(Card1), &["--log-file", "/nowhere/at/all"]);
    assert_eq!(code(pty.wait_for_end()), 1);
    pty.wait_for("one line of words", |seen| {
        says_all(&seen.text(), &["cannot write", "/nowhere/at/all", "--log-file"])
    });
}

#[test]
fn what_is_handed_to_a_monitor_that_runs_is_in_the_log_of_who_asked() {
    let bench = Bench::running();
    let log = file(&bench);
    let log_file = format!("--log-file={}", log.display());
    let (status, _, why) = act(&bench, Card1, &["--set", "2=ko", "--toggle", "3", &log_file]);
    assert_eq!((status, why.as_str()), (0, ""));
    let text = read(&log);
    let pid = bench.pid(Card1);
    for words in [
        "info  card1_monitor: asked for: sensor 2 KO, toggle sensor 3",
        &format!("info  card1_monitor: card1_monitor runs (process {pid}, "),
        "info  card1_monitor: sensor 2  KO CONFIRMED",
        "info  card1_monitor: sensor 3  KO CONFIRMED",
    ] {
        assert!(text.contains(words), "no '{words}' in:\n{text}");
    }
    bench.link.cut();
    bench.wait_text(Card1, "bridge down");
    let (status, _, why) = act(&bench, Card1, &["--set", "1=ko", "--timeout", "6", &log_file]);
    let text = read(&log);
    assert_eq!(status, 1, "{why}");
    assert_says(&text, &["warn  card1_monitor: not confirmed within 6 s"]);
}

#[test]
fn a_full_disk_is_said_on_the_terminal_of_who_asks() {
    let bench = Bench::running();
    let words = bench.command(
        Card1,
        &bench.url(Card1),
        &["--set", "2=ko", "--log-file", "/dev/full"],
    );
    let mut pty = Start::program(words).spawn();
    assert_eq!(code(pty.wait_for_end()), 0);
    let said = flat(&pty.look(PtyOutput::text));
    assert_says(&said, &["Sensor 2 KO CONFIRMED"]);
    assert_says(&said, &["log file /dev/full: No space left"]);
}

#[test]
fn a_log_that_cannot_be_written_is_said_before_anything_is_done() {
    let mut bench = Bench::running();
    let bad = "--log-file=/nowhere/at/all";
    for runs in [true, false] {
        if !runs {
            bench.end(Card1, Signal::TERM);
        }
        let why = assert_ended(act(&bench, Card1, &["--set", "2=ko", bad]), 1, "");
        assert_says(&why, &["cannot write the log file /nowhere/at/all"]);
    }
    bench.start(Card1);
    bench.wait_settled(INITIAL);
}
